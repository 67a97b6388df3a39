/* One command outside of a group, and what a group does with each of its members. */
#include "ledger/execution.h"

/* One event per grant with something left, in the order of granting. */
static jb_status
forfeit(struct execution *x, struct jb_cached_wallet *s)
{
    for (size_t i = 0; i < jb_rest(&s->w)->grants.n; i++) {
        const struct jb_grant *g = &jb_rest(&s->w)->grants.at[i];
        if (!jb_grant_unfinished(g, x->m.today)) {
            continue;
        }
        struct jb_event e;
        memset(&e, 0, sizeof e);
        e.type = JB_EV_FREE_FORFEITED;
        e.wallet = s->w.number;
        e.prev = s->w.version;
        e.recorded_at = e.occurred_at = x->m.recorded_at;
        e.free_forfeited =
            (struct jb_free_forfeited){g->ordinal, g->state == JB_GRANT_IN_USE, g->remaining};
        jb_status status = jb_batch_append(x->l, &e, x->err);
        if (status != JB_OK) {
            return status;
        }
    }
    return JB_OK;
}

/* What the command writes before its own event. */
static jb_status
write_before(struct execution *x, const struct jb_cached_wallet *s)
{
    struct jb_event *e = &x->l->verdict.before;
    e->prev = s->w.version;
    e->recorded_at = x->m.recorded_at;
    e->occurred_at = x->m.occurred_at;
    return jb_batch_append(x->l, e, x->err);
}

/* Writes what was decided: due expiries, forfeits, the event. last_of_group: it carries the group's
 * key and size. */
jb_status
jb_write_wallet_event(struct execution *x, struct jb_cached_wallet *s,
                      const struct jb_event *group_end)
{
    struct jb_verdict *v = &x->l->verdict;
    struct jb_event *e = &v->event;
    jb_status status = s != NULL ? jb_expire_due(x->l, s, x->m.recorded_at, x->err) : JB_OK;
    if (status == JB_OK && x->c->op == JB_OP_WALLET_DELETE) {
        status = forfeit(x, s);
    }
    if (status == JB_OK && v->has_before) {
        status = write_before(x, s);
    }
    e->prev = s != NULL ? s->w.version : 0;
    e->recorded_at = x->m.recorded_at;
    e->occurred_at = x->m.occurred_at;
    if (status == JB_OK) {
        status = jb_envelope(x, x->c, x->keyed && x->group == NULL, e);
    }
    if (group_end != NULL) {
        e->flags |= group_end->flags;
        e->key = group_end->key;
        e->caller = group_end->caller;
        e->fingerprint = group_end->fingerprint;
        e->group_commands = group_end->group_commands;
        e->group_events = (uint32_t)(x->l->state->g.seq + 1 - group_end->seq + 1);
    }
    return status == JB_OK ? jb_batch_append(x->l, e, x->err) : status;
}

/* `expect` is compared with the version that the caller could have seen (docs/rules.md section 5).
 * Expiries that this command's own closing of days wrote are skipped by walking back over them;
 * events by others count. */
static jb_status
known_version(struct execution *x, const struct jb_wallet *wallet)
{
    x->m.known_version = 0;
    bool closed = x->group != NULL ? wallet->version < x->first : x->r->cut;
    if (!closed || (x->c->has & JB_HAS(JB_CF_EXPECT)) == 0) {
        return JB_OK;
    }
    jb_seq before = x->group != NULL ? x->before_closing : x->r->before_cut;
    jb_seq version = wallet->version;
    while (version > before) {
        const struct jb_event *e;
        jb_status status = jb_state_event(x->l->state, version, &e, x->err);
        if (status != JB_OK) {
            return status;
        }
        if (e->type != JB_EV_FREE_EXPIRED) {
            break;
        }
        version = e->prev;
    }
    x->m.known_version = version;
    return JB_OK;
}

/* What was decided, before apply looks at it by itself. */
jb_status
jb_check_verdict(struct execution *x)
{
    const char *why = jb_decided_wrong(x->c, &x->l->verdict);
    return why == NULL
               ? JB_OK
               : jb_fail(x->err, JB_E_CORRUPT,
                         "what was decided contradicts itself: %s. Run `jangbu audit`", jb_tr(why));
}

/* Decides x->c on its wallet; v says what. */
jb_status
jb_decide_on_wallet(struct execution *x, struct jb_cached_wallet **ret_slot)
{
    struct jb_ledger *l = x->l;
    struct jb_prefetched loaded = {0};
    struct jb_text id = jb_given_text(x->c, JB_CF_WALLET, x->c->wallet);
    struct jb_cached_wallet *s = jb_state_guessed(l->state, x->near, id);
    jb_status status = s != NULL ? JB_OK : jb_state_find(l->state, id, &s, x->err);
    *ret_slot = s;
    if (status == JB_OK && s != NULL) {
        status = known_version(x, &s->w);
    }
    if (status == JB_OK && s != NULL && x->m.at < x->m.recorded_at) {
        status = jb_state_load_intervals(l->state, s, x->m.at, x->err);
    }
    if (status == JB_OK) {
        status = jb_look_around(x, s != NULL ? &s->w : NULL);
    }
    /* The usual consumption names nothing that would have to be looked up. */
    if (status == JB_OK && s != NULL && x->c->op != JB_OP_CONSUME) {
        if (!jb_admit(&s->w, x->c, x->around, &x->m, &l->verdict)) {
            return JB_OK;
        }
        status = jb_prefetch(x, s, &loaded);
    }
    if (status == JB_OK) {
        jb_decide_wallet(&l->state->g, s != NULL ? &s->w : NULL, x->c, &loaded, x->around, &x->m,
                         &l->verdict);
        if (l->verdict.no_memory) {
            return jb_fail(x->err, JB_E_NOMEM, "no memory to decide a command");
        }
        status = jb_check_verdict(x);
    }
    return status;
}

/* Closes the days that are due before an accepted command's own event. */
enum jb_step
jb_close_due(struct execution *x)
{
    jb_day through = jb_due_day(&x->l->state->g, x->m.recorded_at);
    return through == JB_NO_DAY ? JB_STEP_DECIDED
                                : jb_close_days(x->l, through, x->m.recorded_at, NULL, x->err);
}

enum jb_step
jb_close_due_on_trial(struct execution *x)
{
    x->l->trial = true;
    enum jb_step step = jb_close_due(x);
    x->l->trial = x->l->closing = false;
    return step;
}

/* What comes before an accepted command's own event. A dry run does the same and takes it back with
 * the rest (end_dry): so it says what the real run would. */
enum jb_step
jb_begin_event(struct execution *x)
{
    if (!x->r->options.dry_run) {
        return jb_close_due(x);
    }
    return jb_savepoint_begin(x->l->state, x->err) == JB_OK ? jb_close_due_on_trial(x)
                                                            : JB_STEP_FAILED;
}

void
jb_end_dry(struct execution *x, const struct jb_cached_wallet *s)
{
    if (!x->r->options.dry_run) {
        return;
    }
    x->a->dry_run = 1;
    if (s != NULL) {
        struct jb_balance balance;
        jb_balance_of(&s->w, x->m.today, &balance);
        balance.version = 0;
        jb_answer_set_balance(x->r->answers, x->a, &balance);
    }
    jb_savepoint_rollback(x->l->state);
    x->a->seq = x->a->wallet_version = 0;
}

enum jb_step
jb_execute_wallet(struct execution *x)
{
    struct jb_cached_wallet *s;
    if (jb_decide_on_wallet(x, &s) != JB_OK) {
        return JB_STEP_FAILED;
    }
    if (x->l->verdict.code != JB_CODE_NONE) {
        return jb_refuse_verdict(x);
    }
    enum jb_step step = jb_begin_event(x);
    if (step != JB_STEP_DECIDED) {
        return step;
    }
    size_t collected = jb_personal_collected(x->l->personal);
    if (jb_write_wallet_event(x, s, NULL) != JB_OK) {
        return JB_STEP_FAILED;
    }
    jb_answer_done(x->r->answers, x->a, &x->l->verdict.event);
    if (jb_answer_rest(x, x->a) != JB_OK) {
        return JB_STEP_FAILED;
    }
    if (x->r->options.dry_run) {
        if (s == NULL && jb_state_find(x->l->state, x->c->wallet, &s, x->err) != JB_OK) {
            return JB_STEP_FAILED;
        }
        jb_end_dry(x, s);
        jb_personal_cut(x->l->personal, collected);
    }
    return JB_STEP_DECIDED;
}

enum jb_step
jb_execute_policy(struct execution *x)
{
    struct jb_verdict *v = &x->l->verdict;
    if (jb_look_around(x, NULL) != JB_OK) {
        return JB_STEP_FAILED;
    }
    jb_decide_policy(&x->l->state->g, x->c, x->around, &x->m, v);
    if (jb_check_verdict(x) != JB_OK) {
        return JB_STEP_FAILED;
    }
    if (v->code != JB_CODE_NONE) {
        return jb_refuse_verdict(x);
    }
    enum jb_step step = jb_begin_event(x);
    if (step != JB_STEP_DECIDED) {
        return step;
    }
    v->event.recorded_at = v->event.occurred_at = x->m.recorded_at;
    size_t collected = jb_personal_collected(x->l->personal);
    jb_status status = jb_envelope(x, x->c, x->keyed, &v->event);
    status = status == JB_OK ? jb_batch_append(x->l, &v->event, x->err) : status;
    if (status == JB_OK) {
        jb_answer_done(x->r->answers, x->a, &v->event);
        jb_end_dry(x, NULL);
        if (x->r->options.dry_run) {
            jb_personal_cut(x->l->personal, collected);
        }
    }
    return jb_step_of(status);
}

enum jb_step
jb_execute_close(struct execution *x)
{
    struct jb_verdict *v = &x->l->verdict;
    if (jb_look_around(x, NULL) != JB_OK) {
        return JB_STEP_FAILED;
    }
    jb_decide_close(&x->l->state->g, x->c, x->around, &x->m, v);
    if (jb_check_verdict(x) != JB_OK) {
        return JB_STEP_FAILED;
    }
    if (v->code != JB_CODE_NONE) {
        return jb_refuse_verdict(x);
    }
    struct jb_ledger *l = x->l;
    bool dry = x->r->options.dry_run;
    size_t collected = jb_personal_collected(l->personal);
    struct jb_event final;
    memset(&final, 0, sizeof final);
    if ((dry && jb_savepoint_begin(l->state, x->err) != JB_OK) ||
        jb_envelope(x, x->c, x->keyed, &final) != JB_OK) {
        return JB_STEP_FAILED;
    }
    l->trial = dry;
    enum jb_step step = jb_close_days(l, x->c->day, x->m.recorded_at, &final, x->err);
    l->closing &= !dry;
    l->trial = false;
    if (step == JB_STEP_DECIDED) {
        const struct jb_event *e;
        if (jb_state_event(l->state, l->state->g.seq, &e, x->err) != JB_OK) {
            return JB_STEP_FAILED;
        }
        jb_answer_done(x->r->answers, x->a, e);
        jb_end_dry(x, NULL);
    }
    if (dry || step == JB_STEP_COMMIT_FIRST) {
        /* The note belongs to the last day's event, which is still to come. */
        jb_personal_cut(l->personal, collected);
    }
    return step;
}
