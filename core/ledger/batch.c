/* What goes into the batch: an event, its envelope, and the references to personal text. */
#include "base/steps.h"
#include "ledger/execution.h"

jb_status
jb_batch_append(struct jb_ledger *l, struct jb_event *e, struct jb_error *err)
{
    struct jb_state *b = l->state;
    jb_steps.made++;
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
    if (!jb_vec_reserve(&l->batch.ends, l->batch.ends.n + 1) ||
        !jb_event_encode(e, &context, &l->batch.bytes)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for an event");
    }
    l->batch.ends.at[l->batch.ends.n++] = (uint32_t)l->batch.bytes.n;
    return jb_state_apply(b, e, err);
}

static jb_status
refer(struct execution *x, struct jb_text text, bool shared, uint64_t *ret)
{
    *ret = 0;
    return text.s == NULL ? JB_OK : jb_personal_refer(x->l->personal, text, shared, ret, x->err);
}

/* Key, actor and note: those of the group for its last event, the member's own actor and note for a
 * member. */
jb_status
jb_envelope(struct execution *x, const struct jb_command *c, bool with_key, struct jb_event *e)
{
    jb_status status = JB_OK;
    if (with_key) {
        e->flags |= JB_EVF_KEY;
        e->key = c->key;
        e->caller = x->caller;
        e->fingerprint = x->fingerprint;
    }
    const struct jb_command *actor =
        (c->has & JB_HAS(JB_CF_ACTOR)) == 0 && x->group != NULL ? x->group : c;
    if (actor->has & JB_HAS(JB_CF_ACTOR)) {
        e->flags |= JB_EVF_ACTOR;
        e->role = actor->actor_role.s != NULL ? actor->actor_role : (struct jb_text){"", 0};
        status = refer(x, actor->actor_id, true, &e->actor);
    }
    /* The group's note stands once, in its last event, unless that member has one of its own. */
    bool last = x->group != NULL && c == x->last_member;
    const struct jb_command *note = (c->has & JB_HAS(JB_CF_NOTE)) == 0 && last ? x->group : c;
    if (status == JB_OK && (note->has & JB_HAS(JB_CF_NOTE)) != 0) {
        e->flags |= JB_EVF_NOTE;
        status = refer(x, note->note, false, &e->note);
    }
    return status;
}

/* Personal texts of the event's own fields: only references stand in it. */
jb_status
jb_refer_fields(struct execution *x, struct jb_event *e)
{
    const struct jb_command *c = x->c;
    jb_status status = JB_OK;
    uint32_t code;
    switch (c->op) {
    case JB_OP_WALLET_CREATE:
        status = refer(x, c->name, false, &e->text_ref);
        return status == JB_OK ? refer(x, c->master, true, &e->text_ref2) : status;
    case JB_OP_WALLET_RENAME:
        return refer(x, c->name, false, &e->text_ref);
    case JB_OP_FREE_GRANT:
        return refer(x, c->reason, false, &e->text_ref);
    case JB_OP_CHARGE_REVERSE:
    case JB_OP_CONSUME_REVERSE:
        /* A reason that is a known code is no personal text and stands in the event. */
        if (c->reason.s != NULL &&
            jb_name_number(&jb_reason_names, c->reason.s, c->reason.n, &code) && code >= 2) {
            e->code = code;
        } else if (c->reason.s != NULL) {
            e->code = 1; /* TEXT */
            status = refer(x, c->reason, false, &e->text_ref);
        }
        return status;
    default:
        return JB_OK;
    }
}
