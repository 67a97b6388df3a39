/* What goes into the batch: an event, its envelope, and the refusal of a keyed command, which is an event, too. */
#include "ledger/work.h"

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

static jb_status
refer(struct work *w, struct jb_text text, bool shared, uint64_t *ret)
{
    *ret = 0;
    return text.s == NULL ? JB_OK : jb_people_refer(w->l->people, text, shared, ret, w->err);
}

/* Key, actor and note: those of the group for its last event, the member's own actor and note for a member. */
jb_status
jb_envelope(struct work *w, const struct jb_command *c, bool with_key, struct jb_event *e)
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
jb_status
jb_refer_fields(struct work *w, struct jb_event *e)
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

/* A keyed command that was refused against the state is remembered, so that a delayed repetition cannot succeed later. */
enum jb_step
jb_refuse_command(struct work *w, jb_code code, const struct jb_figure *figures, uint32_t figures_n, int64_t index)
{
    w->a->remembered = w->keyed && !w->r->options.dry_run && code != JB_CODE_CLOCK_BEHIND && code != JB_CODE_KEY_CONFLICT;
    jb_answer_refused(w->r->answers, w->a, code, figures, figures_n, index, &w->l->identity);
    if (!w->a->remembered) {
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
    jb_status status = jb_envelope(w, c, true, &e);
    if (status == JB_OK) {
        status = jb_emit(w->l, &e, w->err);
    }
    w->a->seq = e.seq;
    return jb_step_of(status);
}

enum jb_step
jb_refuse_verdict(struct work *w)
{
    const struct jb_verdict *v = &w->l->verdict;
    return jb_refuse_command(w, v->code, v->figures, v->figures_n, -1);
}
