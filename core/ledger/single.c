/* One command outside of a group, and what a group does with each of its members. */
#include "ledger/work.h"

/* One event per grant with something left, in the order of granting. */
static jb_status
forfeit(struct work *w, struct jb_slot *s)
{
    for (size_t i = 0; i < s->w.grants.n; i++) {
        const struct jb_grant *g = &s->w.grants.at[i];
        if (!jb_grant_unfinished(g, w->m.today)) {
            continue;
        }
        struct jb_event e;
        memset(&e, 0, sizeof e);
        e.type = JB_EV_FREE_FORFEITED;
        e.wallet = s->w.number;
        e.prev = s->w.version;
        e.recorded_at = e.occurred_at = w->m.recorded_at;
        e.ordinal = g->ordinal;
        e.amount = g->remaining;
        e.code = g->state == JB_GRANT_IN_USE;
        jb_status status = jb_emit(w->l, &e, w->err);
        if (status != JB_OK) {
            return status;
        }
    }
    return JB_OK;
}

/* Writes what was decided: due expiries, forfeits, the event. last_of_group: it carries the group's key and size. */
jb_status
jb_write_wallet_event(struct work *w, struct jb_slot *s, const struct jb_event *group_end)
{
    struct jb_verdict *v = &w->l->verdict;
    struct jb_event *e = &v->event;
    jb_status status = s != NULL ? jb_expire_due(w->l, s, w->m.recorded_at, w->err) : JB_OK;
    if (status == JB_OK && w->c->op == JB_OP_WALLET_DELETE) {
        status = forfeit(w, s);
    }
    e->prev = s != NULL ? s->w.version : 0;
    e->recorded_at = w->m.recorded_at;
    e->occurred_at = w->m.occurred_at;
    if (status == JB_OK) {
        status = jb_refer_fields(w, e);
    }
    if (status == JB_OK) {
        status = jb_envelope(w, w->c, w->keyed && w->group == NULL, e);
    }
    if (group_end != NULL) {
        e->flags |= group_end->flags;
        e->key = group_end->key;
        e->caller = group_end->caller;
        e->fingerprint = group_end->fingerprint;
        e->group_commands = group_end->group_commands;
        e->group_events = (uint32_t)(w->l->book->g.seq + 1 - group_end->seq + 1);
    }
    return status == JB_OK ? jb_emit(w->l, e, w->err) : status;
}

/* `expect` is compared before due expiries are written (docs/rules.md section 5), also those that the command's own closing of days wrote: a
 * caller cannot know them. A group closes before its members are decided, and a closing that was cut by commits is behind a single command that
 * is decided again. So a wallet that no member has touched yet counts as it was before the closing; what others did to it meanwhile counts. */
static jb_status
known_version(struct work *w, const struct jb_wallet *wallet)
{
    w->m.known_version = 0;
    bool closed = w->group != NULL ? wallet->version < w->first : w->r->cut;
    if (!closed || (w->c->has & JB_HAS(JB_CF_EXPECT)) == 0) {
        return JB_OK;
    }
    jb_seq before = w->group != NULL ? w->before_closing : w->r->before_cut;
    jb_seq version = wallet->version;
    while (version > before) {
        const struct jb_event *e;
        jb_status status = jb_book_event(w->l->book, version, &e, w->err);
        if (status != JB_OK) {
            return status;
        }
        if (e->type != JB_EV_FREE_EXPIRED) {
            break;
        }
        version = e->prev;
    }
    w->m.known_version = version;
    return JB_OK;
}

/* Decides w->c on its wallet; v says what. */
jb_status
jb_decide_on_wallet(struct work *w, struct jb_slot **ret_slot)
{
    struct jb_ledger *l = w->l;
    struct jb_loaded loaded = {0};
    struct jb_slot *s;
    jb_status status = jb_book_find(l->book, w->c->wallet, &s, w->err);
    *ret_slot = s;
    if (status == JB_OK && s != NULL) {
        status = known_version(w, &s->w);
    }
    if (status == JB_OK && s != NULL && w->m.at < w->m.recorded_at) {
        status = jb_book_load_intervals(l->book, s, w->m.at, w->err);
    }
    /* The usual consumption names nothing that would have to be looked up. */
    if (status == JB_OK && s != NULL && w->c->op != JB_OP_CONSUME) {
        if (!jb_decide_needs_ids(&s->w, w->c, &w->m, &l->verdict)) {
            return JB_OK;
        }
        status = jb_load_what_it_names(w, s, &loaded);
    }
    if (status == JB_OK) {
        jb_decide_wallet(&l->book->g, s != NULL ? &s->w : NULL, w->c, &loaded, &w->m, &l->verdict);
        if (l->verdict.no_memory) {
            status = jb_fail(w->err, JB_E_NOMEM, "no memory to decide a command");
        }
    }
    return status;
}

/* Closes the days that are due before an accepted command's own event. */
enum jb_step
jb_close_due(struct work *w)
{
    if (w->r->options.dry_run) {
        return JB_STEP_DECIDED;
    }
    jb_day through = jb_due_day(&w->l->book->g, w->m.recorded_at);
    return through == JB_NO_DAY ? JB_STEP_DECIDED : jb_close_days(w->l, through, w->m.recorded_at, NULL, w->err);
}

static jb_status
begin_dry(struct work *w)
{
    return w->r->options.dry_run ? jb_book_save(w->l->book, w->err) : JB_OK;
}

static void
end_dry(struct work *w, const struct jb_slot *s)
{
    if (!w->r->options.dry_run) {
        return;
    }
    w->a->dry_run = true;
    if (s != NULL) {
        jb_balance_of(&s->w, w->m.today, &w->a->balance);
        w->a->balance.version = 0;
        w->a->has_balance = true;
    }
    jb_book_restore(w->l->book);
    w->a->seq = w->a->wallet_version = 0;
}

enum jb_step
jb_process_wallet(struct work *w)
{
    struct jb_slot *s;
    if (jb_decide_on_wallet(w, &s) != JB_OK) {
        return JB_STEP_FAILED;
    }
    if (w->l->verdict.code != JB_CODE_NONE) {
        return jb_refuse_verdict(w);
    }
    enum jb_step step = jb_close_due(w);
    if (step != JB_STEP_DECIDED) {
        return step;
    }
    size_t collected = jb_people_collected(w->l->people);
    if (begin_dry(w) != JB_OK || jb_write_wallet_event(w, s, NULL) != JB_OK) {
        return JB_STEP_FAILED;
    }
    jb_answer_done(w->r->answers, w->a, &w->l->verdict.event);
    if (w->r->options.dry_run) {
        if (s == NULL && jb_book_find(w->l->book, w->c->wallet, &s, w->err) != JB_OK) {
            return JB_STEP_FAILED;
        }
        end_dry(w, s);
        jb_people_cut(w->l->people, collected);
    }
    return JB_STEP_DECIDED;
}

enum jb_step
jb_process_policy(struct work *w)
{
    struct jb_verdict *v = &w->l->verdict;
    jb_decide_policy(&w->l->book->g, w->c, &w->m, v);
    if (v->code != JB_CODE_NONE) {
        return jb_refuse_verdict(w);
    }
    enum jb_step step = jb_close_due(w);
    if (step != JB_STEP_DECIDED) {
        return step;
    }
    v->event.recorded_at = v->event.occurred_at = w->m.recorded_at;
    size_t collected = jb_people_collected(w->l->people);
    jb_status status = begin_dry(w);
    status = status == JB_OK ? jb_envelope(w, w->c, w->keyed, &v->event) : status;
    status = status == JB_OK ? jb_emit(w->l, &v->event, w->err) : status;
    if (status == JB_OK) {
        jb_answer_done(w->r->answers, w->a, &v->event);
        end_dry(w, NULL);
        if (w->r->options.dry_run) {
            jb_people_cut(w->l->people, collected);
        }
    }
    return jb_step_of(status);
}

enum jb_step
jb_process_close(struct work *w)
{
    struct jb_verdict *v = &w->l->verdict;
    jb_decide_close(&w->l->book->g, w->c, &w->m, v);
    if (v->code != JB_CODE_NONE) {
        return jb_refuse_verdict(w);
    }
    struct jb_event final;
    memset(&final, 0, sizeof final);
    if (w->r->options.dry_run) {
        final = v->event;
        jb_answer_done(w->r->answers, w->a, &final);
        w->a->dry_run = true;
        w->a->seq = 0;
        return JB_STEP_DECIDED;
    }
    if (jb_envelope(w, w->c, w->keyed, &final) != JB_OK) {
        return JB_STEP_FAILED;
    }
    enum jb_step step = jb_close_days(w->l, w->c->day, w->m.recorded_at, &final, w->err);
    if (step == JB_STEP_DECIDED) {
        const struct jb_event *e;
        if (jb_book_event(w->l->book, w->l->book->g.seq, &e, w->err) != JB_OK) {
            return JB_STEP_FAILED;
        }
        jb_answer_done(w->r->answers, w->a, e);
    }
    return step;
}
