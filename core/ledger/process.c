/*
 * One command from its key to its events: look the key up, look at the clock, load what deciding needs, decide, and emit.
 * The order of looking is that of rulings.md section 5.
 */
#include "ledger/internal.h"

/* What one command carries through the steps. */
struct work {
    struct jb_ledger *l;
    const struct jb_request *r;
    const struct jb_command *c;
    struct jb_answer *a;
    uint64_t fingerprint;
    struct jb_moment_of m;
    struct jb_error *err;
    const struct jb_command *group; /* the group that c is a member of */
    const struct jb_command *last_member;
    jb_seq before_closing, first; /* of a group: the last event before its closing of days, and the first event of its members */
    bool keyed;
    bool closed; /* the closing of days before a group is done */
};

static enum jb_step
failed(jb_status status)
{
    return status == JB_OK ? JB_STEP_DECIDED : JB_STEP_FAILED;
}

jb_status
jb_emit(struct jb_ledger *l, struct jb_event *e, struct jb_error *err)
{
    struct jb_book *b = l->book;
    e->seq = b->g.seq + 1;
    e->version = 1;
    e->posted_on = jb_posting_day(&b->g, e->recorded_at, e->occurred_at);
    if (e->occurred_at != e->recorded_at) {
        e->flags |= JB_EVF_OCCURRED;
    }
    if (e->posted_on != jb_day_of(e->recorded_at, b->g.utc_offset_s)) {
        e->flags |= JB_EVF_POSTED;
    }
    if (l->batch.ends.n == 0) {
        l->batch.first = e->seq;
        l->batch.base = e->recorded_at;
    }
    struct jb_event_context context = {l->batch.base, b->g.utc_offset_s};
    if (!jb_vec_reserve(&l->batch.ends, l->batch.ends.n + 1) || !jb_event_encode(e, &context, &l->batch.bytes)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for an event");
    }
    l->batch.ends.at[l->batch.ends.n++] = (uint32_t)l->batch.bytes.n;
    return jb_book_apply(b, e, err);
}

/* ---- the envelope ------------------------------------------------------------------------------------------------------------- */

static jb_status
refer(struct work *w, struct jb_text text, bool shared, uint64_t *ret)
{
    *ret = 0;
    return text.s == NULL ? JB_OK : jb_people_refer(w->l->people, text, shared, ret, w->err);
}

/* Key, actor and note: those of the group for its last event, the member's own actor and note for a member. */
static jb_status
envelope(struct work *w, const struct jb_command *c, bool with_key, struct jb_event *e)
{
    jb_status status = JB_OK;
    if (with_key) {
        e->flags |= JB_EVF_KEY;
        e->key = c->key;
        e->caller = w->r->caller;
        e->fingerprint = w->fingerprint;
    }
    const struct jb_command *actor = (c->has & JB_HAS(JB_CF_ACTOR)) == 0 && w->group != NULL ? w->group : c;
    if (actor->has & JB_HAS(JB_CF_ACTOR)) {
        e->flags |= JB_EVF_ACTOR;
        e->role = actor->actor_role.s != NULL ? actor->actor_role : (struct jb_text){"", 0};
        status = refer(w, actor->actor_id, true, &e->actor);
    }
    /* The group's note stands once, in its last event, unless that member has one of its own. */
    bool last = w->group != NULL && c == w->last_member;
    const struct jb_command *note = (c->has & JB_HAS(JB_CF_NOTE)) == 0 && last ? w->group : c;
    if (status == JB_OK && (note->has & JB_HAS(JB_CF_NOTE)) != 0) {
        e->flags |= JB_EVF_NOTE;
        status = refer(w, note->note, false, &e->note);
    }
    return status;
}

/* Personal texts of the event's own fields: only references stand in it. */
static jb_status
refer_fields(struct work *w, struct jb_event *e)
{
    const struct jb_command *c = w->c;
    jb_status status = JB_OK;
    uint32_t code;
    switch (c->op) {
    case JB_OP_WALLET_CREATE:
        status = refer(w, c->name, false, &e->text_ref);
        return status == JB_OK ? refer(w, c->master, true, &e->text_ref2) : status;
    case JB_OP_WALLET_RENAME:
        return refer(w, c->name, false, &e->text_ref);
    case JB_OP_FREE_GRANT:
        return refer(w, c->reason, false, &e->text_ref);
    case JB_OP_CHARGE_REVERSE:
    case JB_OP_CONSUME_REVERSE:
        /* A reason that is a known code is no personal text and stands in the event. */
        if (c->reason.s != NULL && jb_name_number(&jb_reason_names, c->reason.s, c->reason.n, &code) && code >= 2) {
            e->code = code;
        } else if (c->reason.s != NULL) {
            e->code = 1; /* TEXT */
            status = refer(w, c->reason, false, &e->text_ref);
        }
        return status;
    default:
        return JB_OK;
    }
}

/* ---- refusals ----------------------------------------------------------------------------------------------------------------- */

/* A keyed command that was refused against the state is remembered, so that a delayed repetition cannot succeed later. */
static enum jb_step
refuse(struct work *w, jb_code code, const struct jb_figure *figures, uint32_t figures_n, int64_t index)
{
    jb_answer_refused(w->r->answers, w->a, code, figures, figures_n, index, w->l->identity.utc_offset_s);
    if (!w->keyed || w->r->options.dry_run || code == JB_CODE_CLOCK_BEHIND || code == JB_CODE_KEY_CONFLICT) {
        return JB_STEP_DECIDED;
    }
    struct jb_event e;
    memset(&e, 0, sizeof e);
    e.type = JB_EV_COMMAND_REFUSED;
    e.recorded_at = e.occurred_at = w->m.recorded_at;
    e.code = (uint32_t)code;
    e.code2 = (uint32_t)w->a->op;
    e.number = index + 1;
    e.figures = figures;
    e.figures_n = figures_n;
    const struct jb_command *c = w->group != NULL ? w->group : w->c;
    w->group = NULL;
    jb_status status = envelope(w, c, true, &e);
    if (status == JB_OK) {
        status = jb_emit(w->l, &e, w->err);
    }
    w->a->seq = e.seq;
    w->a->remembered = true;
    return failed(status);
}

static enum jb_step
refuse_verdict(struct work *w)
{
    const struct jb_verdict *v = &w->l->verdict;
    return refuse(w, v->code, v->figures, v->figures_n, -1);
}

/* ---- known keys --------------------------------------------------------------------------------------------------------------- */

static bool
is_member_event(uint32_t type)
{
    return type != JB_EV_FREE_EXPIRED && type != JB_EV_FREE_FORFEITED && type != JB_EV_DAY_CLOSED;
}

/* The members' answers of a group from its events: one event a member, beside expiries and forfeits. */
static jb_status
answer_group(struct work *w, jb_seq last, uint32_t events, uint32_t commands)
{
    struct jb_answer *members = jb_answers_alloc(w->r->answers, commands * sizeof *members);
    if (members == NULL) {
        return jb_fail(w->err, JB_E_NOMEM, "no memory for an answer");
    }
    memset(members, 0, commands * sizeof *members);
    uint32_t n = 0;
    for (jb_seq seq = last - events + 1; seq <= last && n < commands; seq++) {
        const struct jb_event *e;
        jb_status status = jb_book_event(w->l->book, seq, &e, w->err);
        if (status != JB_OK) {
            return status;
        }
        if (is_member_event(e->type)) {
            members[n].index = -1;
            members[n].content_checked = true;
            members[n].op = w->c->op == JB_OP_ATOMIC && n < w->c->commands_n ? w->c->commands[n].op : w->c->op;
            jb_answer_done(w->r->answers, &members[n], e);
            n++;
        }
    }
    w->a->members = members;
    w->a->members_n = n;
    w->a->wallet_version = 0;
    return JB_OK;
}

/* The first answer again: a function of the first event. */
static enum jb_step
repeat(struct work *w, jb_seq seq)
{
    const struct jb_event *e;
    jb_status status = jb_book_event(w->l->book, seq, &e, w->err);
    if (status != JB_OK) {
        return JB_STEP_FAILED;
    }
    bool checked = w->fingerprint != 0 && e->fingerprint != 0;
    if (checked && e->fingerprint != w->fingerprint) {
        struct jb_figure first = {JB_FIG_SEQ, (int64_t)seq};
        jb_answer_refused(w->r->answers, w->a, JB_CODE_KEY_CONFLICT, &first, 1, -1, w->l->identity.utc_offset_s);
        w->a->seq = seq;
        return JB_STEP_DECIDED;
    }
    if (e->type == JB_EV_COMMAND_REFUSED) {
        w->a->op = (jb_op)e->code2;
        jb_answer_refused(w->r->answers, w->a, (jb_code)e->code, e->figures, e->figures_n, e->number - 1, w->l->identity.utc_offset_s);
        w->a->seq = seq;
        w->a->remembered = true;
    } else {
        uint32_t events = e->group_events, commands = e->group_commands;
        jb_answer_done(w->r->answers, w->a, e);
        if (commands > 0) {
            status = answer_group(w, seq, events, commands);
        }
    }
    w->a->outcome = JB_DUPLICATE;
    w->a->content_checked = checked;
    return failed(status);
}

/* ---- commands on a wallet ----------------------------------------------------------------------------------------------------- */

/* Walks the reversals of a consumption back, summing what they returned. */
static jb_status
load_reversals(struct work *w, struct jb_loaded *loaded)
{
    jb_status status = jb_book_last_reversal(w->l->book, loaded->consumption_seq, &loaded->last_reversal, w->err);
    for (jb_seq seq = loaded->last_reversal; status == JB_OK && seq != 0;) {
        const struct jb_event *e;
        status = jb_book_event(w->l->book, seq, &e, w->err);
        if (status == JB_OK) {
            loaded->returned_before += e->amount;
            seq = e->ref_seq2;
        }
    }
    return status;
}

/* By seq: at once. By usage alone: along the whole chain of the wallet, since a usage may occur twice. */
static jb_status
find_consumption(struct work *w, const struct jb_wallet *wallet, struct jb_loaded *loaded)
{
    const struct jb_command *c = w->c;
    const struct jb_event *e;
    bool by_usage = (c->has & JB_HAS(JB_CF_USAGE)) != 0;
    if (c->has & JB_HAS(JB_CF_SEQ)) {
        if (c->seq == 0 || c->seq > w->l->book->g.seq) {
            return JB_OK;
        }
        jb_status status = jb_book_event(w->l->book, c->seq, &e, w->err);
        if (status == JB_OK && e->type == JB_EV_CASH_CONSUMED && e->wallet == wallet->number && (!by_usage || jb_text_equal(e->id, c->id))) {
            loaded->usages = 1;
            loaded->consumption_seq = c->seq;
        }
        return status;
    }
    for (jb_seq seq = wallet->version; seq != 0 && loaded->usages < 2;) {
        jb_status status = jb_book_event(w->l->book, seq, &e, w->err);
        if (status != JB_OK) {
            return status;
        }
        if (e->type == JB_EV_CASH_CONSUMED && jb_text_equal(e->id, c->id)) {
            loaded->usages++;
            loaded->consumption_seq = seq;
        }
        seq = e->prev;
    }
    return JB_OK;
}

static jb_status
load_consumption(struct work *w, struct jb_slot *s, struct jb_loaded *loaded)
{
    jb_status status = find_consumption(w, &s->w, loaded);
    if (status != JB_OK || loaded->usages != 1) {
        return status;
    }
    status = load_reversals(w, loaded);
    const struct jb_event *e = NULL;
    if (status == JB_OK) {
        status = jb_book_event(w->l->book, loaded->consumption_seq, &e, w->err);
    }
    if (status != JB_OK) {
        return status;
    }
    /* The parts must survive the look-ups below: they move into the answers' memory. */
    struct jb_event copy;
    jb_answers_event(w->r->answers, e, &copy);
    loaded->consumption_parts = copy.parts;
    loaded->consumption_parts_n = copy.parts_n;
    loaded->consumption_amount = copy.amount;
    status = jb_book_load_for(w->l->book, s, &copy, w->err);
    return status == JB_OK ? jb_book_load_room(w->l->book, s, w->c->amount, w->err) : status;
}

static jb_status
load_named(struct work *w, struct jb_slot *s, char kind, enum jb_over over, struct jb_loaded *loaded)
{
    jb_status status = jb_book_id(w->l->book, kind, s->w.number, w->c->id, &loaded->ordinal, w->err);
    return status == JB_OK && loaded->ordinal != 0 ? jb_book_load(w->l->book, s, over, loaded->ordinal, w->err) : status;
}

/* The legs' lots, and room for the whole refund in the newest lots. */
static jb_status
load_refund_room(struct work *w, struct jb_slot *s, struct jb_loaded *loaded)
{
    const struct jb_refund *r = jb_wallet_refund(&s->w, loaded->ordinal);
    jb_status status = JB_OK;
    for (uint32_t i = 0; r != NULL && i < r->legs_n && status == JB_OK; i++) {
        status = jb_book_load(w->l->book, s, JB_OVER_LOT, r->legs[i].ordinal, w->err);
    }
    return status == JB_OK && r != NULL ? jb_book_load_room(w->l->book, s, r->amount, w->err) : status;
}

static jb_status
load(struct work *w, struct jb_slot *s, struct jb_loaded *loaded)
{
    jb_status status = JB_OK;
    switch (w->c->op) {
    case JB_OP_CHARGE:
    case JB_OP_CHARGE_REVERSE:
        return load_named(w, s, 'C', JB_OVER_LOT, loaded);
    case JB_OP_FREE_GRANT:
    case JB_OP_FREE_ACTIVATE:
    case JB_OP_FREE_REVOKE:
        return load_named(w, s, 'G', JB_OVER_GRANT, loaded);
    case JB_OP_REFUND_REQUEST:
    case JB_OP_REFUND_APPROVE:
    case JB_OP_REFUND_REJECT:
    case JB_OP_REFUND_CANCEL:
    case JB_OP_REFUND_COMPLETE:
    case JB_OP_REFUND_FAIL:
        status = load_named(w, s, 'R', JB_OVER_REFUND, loaded);
        return status == JB_OK && w->c->op == JB_OP_REFUND_FAIL ? load_refund_room(w, s, loaded) : status;
    case JB_OP_CONSUME_REVERSE:
        return load_consumption(w, s, loaded);
    default:
        return JB_OK;
    }
}

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
static jb_status
write_wallet_event(struct work *w, struct jb_slot *s, const struct jb_event *group_end)
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
        status = refer_fields(w, e);
    }
    if (status == JB_OK) {
        status = envelope(w, w->c, w->keyed && w->group == NULL, e);
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

/* `expect` is compared before due expiries are written (rulings.md section 5), also those that the group's own closing of days wrote: a caller cannot
 * know them. So a wallet that no member has touched yet counts as it was before the closing. */
static jb_status
known_version(struct work *w, const struct jb_wallet *wallet)
{
    w->m.known_version = 0;
    if (w->group == NULL || (w->c->has & JB_HAS(JB_CF_EXPECT)) == 0 || wallet->version >= w->first) {
        return JB_OK;
    }
    jb_seq version = wallet->version;
    while (version > w->before_closing) {
        const struct jb_event *e;
        jb_status status = jb_book_event(w->l->book, version, &e, w->err);
        if (status != JB_OK) {
            return status;
        }
        version = e->prev;
    }
    w->m.known_version = version;
    return JB_OK;
}

/* Decides w->c on its wallet; v says what. */
static jb_status
decide_wallet(struct work *w, struct jb_slot **ret_slot)
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
        status = load(w, s, &loaded);
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
static enum jb_step
close_due(struct work *w)
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

static enum jb_step
process_wallet(struct work *w)
{
    struct jb_slot *s;
    if (decide_wallet(w, &s) != JB_OK) {
        return JB_STEP_FAILED;
    }
    if (w->l->verdict.code != JB_CODE_NONE) {
        return refuse_verdict(w);
    }
    enum jb_step step = close_due(w);
    if (step != JB_STEP_DECIDED) {
        return step;
    }
    size_t collected = jb_people_collected(w->l->people);
    if (begin_dry(w) != JB_OK || write_wallet_event(w, s, NULL) != JB_OK) {
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

/* ---- policy.set, day.close ---------------------------------------------------------------------------------------------------- */

static enum jb_step
process_policy(struct work *w)
{
    struct jb_verdict *v = &w->l->verdict;
    jb_decide_policy(&w->l->book->g, w->c, &w->m, v);
    if (v->code != JB_CODE_NONE) {
        return refuse_verdict(w);
    }
    enum jb_step step = close_due(w);
    if (step != JB_STEP_DECIDED) {
        return step;
    }
    v->event.recorded_at = v->event.occurred_at = w->m.recorded_at;
    size_t collected = jb_people_collected(w->l->people);
    jb_status status = begin_dry(w);
    status = status == JB_OK ? envelope(w, w->c, w->keyed, &v->event) : status;
    status = status == JB_OK ? jb_emit(w->l, &v->event, w->err) : status;
    if (status == JB_OK) {
        jb_answer_done(w->r->answers, w->a, &v->event);
        end_dry(w, NULL);
        if (w->r->options.dry_run) {
            jb_people_cut(w->l->people, collected);
        }
    }
    return failed(status);
}

/* A closed day is answered with its first result, before the clock is looked at; its key is not taken. */
static enum jb_step
repeat_close(struct work *w, bool *ret_known)
{
    jb_seq seq;
    jb_status status = jb_book_closed(w->l->book, w->c->day, &seq, w->err);
    *ret_known = status == JB_OK && seq != 0;
    const struct jb_event *e;
    if (*ret_known && (status = jb_book_event(w->l->book, seq, &e, w->err)) == JB_OK) {
        jb_answer_done(w->r->answers, w->a, e);
        w->a->outcome = JB_DUPLICATE;
        w->a->content_checked = true;
    }
    return failed(status);
}

static enum jb_step
process_close(struct work *w)
{
    struct jb_verdict *v = &w->l->verdict;
    jb_decide_close(&w->l->book->g, w->c, &w->m, v);
    if (v->code != JB_CODE_NONE) {
        return refuse_verdict(w);
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
    if (envelope(w, w->c, w->keyed, &final) != JB_OK) {
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

/* ---- groups ------------------------------------------------------------------------------------------------------------------- */

static enum jb_step
member(struct work *g, size_t i, struct jb_answer *a, bool *ret_refused)
{
    struct work w = *g;
    struct jb_verdict *v = &g->l->verdict;
    w.group = g->c;
    w.c = &g->c->commands[i];
    w.a = a;
    /* A member without a time of its own has the group's. */
    struct jb_command timed;
    bool own = (w.c->has & JB_HAS(JB_CF_AT)) != 0;
    if (!own && (g->c->has & JB_HAS(JB_CF_AT)) != 0) {
        timed = *w.c;
        timed.has |= JB_HAS(JB_CF_AT);
        timed.at = g->c->at;
        w.c = &timed;
    }
    jb_decide_time(&g->l->book->g, w.c, v, &w.m);
    struct jb_slot *s = NULL;
    jb_status status = JB_OK;
    if (v->code == JB_CODE_NONE && w.c->op == JB_OP_POLICY_SET) {
        jb_decide_policy(&g->l->book->g, w.c, &w.m, v);
    } else if (v->code == JB_CODE_NONE) {
        status = decide_wallet(&w, &s);
    }
    *ret_refused = status == JB_OK && v->code != JB_CODE_NONE;
    if (status != JB_OK || *ret_refused) {
        return failed(status);
    }
    struct jb_event end;
    memset(&end, 0, sizeof end);
    bool last = i + 1 == g->c->commands_n;
    if (last) {
        w.last_member = w.c;
        end.flags = JB_EVF_GROUP | (g->keyed ? JB_EVF_KEY : 0);
        end.key = g->c->key;
        end.caller = g->r->caller;
        end.fingerprint = g->fingerprint;
        end.group_commands = (uint32_t)g->c->commands_n;
        end.seq = g->first;
    }
    status = write_wallet_event(&w, s, last ? &end : NULL);
    if (status == JB_OK) {
        a->op = g->c->commands[i].op;
        a->index = -1;
        a->content_checked = true;
        jb_answer_done(g->r->answers, a, &v->event);
    }
    return failed(status);
}

/* All members in order, under a savepoint. *ret_refused: one said no (v has it, *ret_index which), everything is undone. A trial
 * (keep false) closes the due days first, as the real run will, so that its members see the same versions; all of it is undone. */
static enum jb_step
run_group(struct work *w, struct jb_answer *members, bool keep, bool *ret_refused, int64_t *ret_index)
{
    size_t collected = jb_people_collected(w->l->people);
    *ret_refused = false;
    if (jb_book_save(w->l->book, w->err) != JB_OK) {
        return JB_STEP_FAILED;
    }
    enum jb_step step = JB_STEP_DECIDED;
    if (!w->closed) {
        w->before_closing = w->l->book->g.seq;
    }
    jb_day through = keep ? JB_NO_DAY : jb_due_day(&w->l->book->g, w->m.recorded_at);
    if (through != JB_NO_DAY) {
        w->l->trial = true;
        step = jb_close_days(w->l, through, w->m.recorded_at, NULL, w->err);
        w->l->trial = w->l->closing = false;
    }
    w->first = w->l->book->g.seq + 1;
    for (size_t i = 0; i < w->c->commands_n && step == JB_STEP_DECIDED && !*ret_refused; i++) {
        step = member(w, i, &members[i], ret_refused);
        *ret_index = (int64_t)i;
    }
    if (step == JB_STEP_DECIDED && !*ret_refused && keep) {
        jb_book_keep(w->l->book);
    } else {
        jb_book_restore(w->l->book);
        jb_people_cut(w->l->people, collected);
    }
    return step;
}

static enum jb_step
process_group(struct work *w)
{
    size_t n = w->c->commands_n;
    struct jb_answer *members = jb_answers_alloc(w->r->answers, n * sizeof *members);
    if (members == NULL) {
        jb_fail(w->err, JB_E_NOMEM, "no memory for an answer");
        return JB_STEP_FAILED;
    }
    memset(members, 0, n * sizeof *members);
    bool refused;
    int64_t index = -1;
    bool dry = w->r->options.dry_run;
    bool due = jb_due_day(&w->l->book->g, w->m.recorded_at) != JB_NO_DAY;
    /* Only an accepted group closes days: so when a closing is due it is tried first, undone, and done behind the closing. */
    enum jb_step step = run_group(w, members, !due && !dry, &refused, &index);
    if (step == JB_STEP_DECIDED && !refused && due && !dry) {
        w->before_closing = w->l->book->g.seq;
        w->closed = true;
        step = close_due(w);
        if (step == JB_STEP_DECIDED) {
            memset(members, 0, n * sizeof *members);
            step = run_group(w, members, true, &refused, &index);
        }
    }
    if (step != JB_STEP_DECIDED) {
        return step;
    }
    if (refused) {
        struct jb_verdict *v = &w->l->verdict;
        w->a->op = w->c->commands[index].op;
        return refuse(w, v->code, v->figures, v->figures_n, index);
    }
    w->a->outcome = JB_DONE;
    w->a->dry_run = dry;
    w->a->seq = dry ? 0 : w->l->book->g.seq;
    w->a->members = members;
    w->a->members_n = n;
    if (n > 0) {
        w->a->event = members[n - 1].event;
    }
    return JB_STEP_DECIDED;
}

/* ---- one command -------------------------------------------------------------------------------------------------------------- */

/* The clock for this command, or a refusal. CLOCK_BEHIND is the machine's fault: no trace, the same key may be tried again. */
static bool
read_clock(struct work *w)
{
    const struct jb_globals *g = &w->l->book->g;
    jb_instant last = g->recorded_at;
    int64_t tolerance = 0;
    if (w->r->options.clock == JB_CLOCK_AT) {
        w->m.clock = w->c->has & JB_HAS(JB_CF_CLOCK) ? w->c->clock : w->c->at;
    } else {
        w->m.clock = w->l->now(w->l->now_data);
        tolerance = last == JB_NO_INSTANT ? 0 : jb_policy_at(g, JB_POLICY_CLOCK_TOLERANCE, last) * JB_US_PER_SECOND;
    }
    if (last == JB_NO_INSTANT || w->m.clock >= last - tolerance) {
        return true;
    }
    struct jb_figure figures[2] = {{JB_FIG_BEHIND_US, last - w->m.clock}, {JB_FIG_RECORDED_AT, last}};
    jb_answer_refused(w->r->answers, w->a, JB_CODE_CLOCK_BEHIND, figures, 2, -1, w->l->identity.utc_offset_s);
    return false;
}

enum jb_step
jb_process(struct jb_ledger *l, const struct jb_request *r, size_t index, struct jb_error *err)
{
    struct work w = {.l = l, .r = r, .c = &r->commands[index], .a = &r->answers->list.at[index], .err = err};
    if (w.a->outcome != 0) {
        return JB_STEP_DECIDED; /* its form was wrong, and that was said already */
    }
    w.fingerprint = r->answers->fingerprints.at[index];
    w.keyed = (w.c->has & JB_HAS(JB_CF_KEY)) != 0;
    if (w.keyed) {
        jb_seq seq;
        if (jb_book_key(l->book, r->caller, w.c->key, &seq, err) != JB_OK) {
            return JB_STEP_FAILED;
        }
        if (seq != 0) {
            return repeat(&w, seq);
        }
    }
    if (w.c->op == JB_OP_DAY_CLOSE) {
        bool known;
        enum jb_step step = repeat_close(&w, &known);
        if (step != JB_STEP_DECIDED || known) {
            return step;
        }
    }
    if (!read_clock(&w)) {
        return JB_STEP_DECIDED;
    }
    jb_decide_time(&l->book->g, w.c, &l->verdict, &w.m);
    if (l->verdict.code != JB_CODE_NONE) {
        return refuse_verdict(&w);
    }
    switch (w.c->op) {
    case JB_OP_ATOMIC:
        return process_group(&w);
    case JB_OP_DAY_CLOSE:
        return process_close(&w);
    case JB_OP_POLICY_SET:
        return process_policy(&w);
    default:
        return process_wallet(&w);
    }
}
