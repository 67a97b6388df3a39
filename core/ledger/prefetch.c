/* What deciding needs beyond the wallet itself, out of the log and the stored state. */
#include "event/command_table.h"
#include "ledger/execution.h"

/* By seq: at once. By usage alone: along the whole chain of the wallet, since a usage may occur
 * twice. */
static jb_status
find_consumption(struct execution *x, const struct jb_wallet *wallet, struct jb_prefetched *loaded)
{
    const struct jb_command *c = x->c;
    const struct jb_event *e;
    bool by_usage = (c->has & JB_HAS(JB_CF_USAGE)) != 0;
    if (c->has & JB_HAS(JB_CF_SEQ)) {
        if (c->seq == 0 || c->seq > x->l->state->g.seq) {
            return JB_OK;
        }
        jb_status status = jb_state_event(x->l->state, c->seq, &e, x->err);
        if (status == JB_OK && e->type == JB_EV_CASH_CONSUMED && e->wallet == wallet->number &&
            (!by_usage || jb_text_equal(e->cash_consumed.usage, c->id))) {
            loaded->usages = 1;
            loaded->consumption_seq = c->seq;
        }
        return status;
    }
    for (jb_seq seq = wallet->version; seq != 0 && loaded->usages < 2;) {
        jb_status status = jb_state_event(x->l->state, seq, &e, x->err);
        if (status != JB_OK) {
            return status;
        }
        if (e->type == JB_EV_CASH_CONSUMED && jb_text_equal(e->cash_consumed.usage, c->id)) {
            loaded->usages++;
            loaded->consumption_seq = seq;
        }
        seq = e->prev;
    }
    return JB_OK;
}

static jb_status
load_consumption(struct execution *x, struct jb_cached_wallet *s, struct jb_prefetched *loaded)
{
    jb_status status = find_consumption(x, &s->w, loaded);
    if (status != JB_OK || loaded->usages != 1) {
        return status;
    }
    status = jb_state_returned(x->l->state, loaded->consumption_seq, &loaded->last_reversal,
                               &loaded->returned_before, x->err);
    const struct jb_event *e = NULL;
    if (status == JB_OK) {
        status = jb_state_event(x->l->state, loaded->consumption_seq, &e, x->err);
    }
    if (status != JB_OK) {
        return status;
    }
    /* The parts must survive the look-ups below: they move into the answers' memory. */
    const struct jb_event *copy = jb_answers_copy_event(x->r->answers, e);
    if (copy == NULL) {
        return jb_fail(x->err, JB_E_NOMEM, "no memory for an answer");
    }
    loaded->consumption_parts = copy->cash_consumed.parts.at;
    loaded->consumption_parts_n = copy->cash_consumed.parts.n;
    loaded->consumption_amount = copy->cash_consumed.amount;
    status = jb_state_load_for(x->l->state, s, copy, x->err);
    jb_amount beyond = status == JB_OK ? jb_return_beyond(&s->w, loaded, x->c->amount) : 0;
    return beyond > 0 ? jb_state_load_room(x->l->state, s, x->c->amount, x->err) : status;
}

static jb_status
load_named(struct execution *x, struct jb_cached_wallet *s, char kind, enum jb_archived_kind over,
           struct jb_prefetched *loaded)
{
    jb_status status =
        jb_state_id(x->l->state, kind, s->w.number, x->c->id, &loaded->ordinal, x->err);
    return status == JB_OK && loaded->ordinal != 0
               ? jb_state_load(x->l->state, s, over, loaded->ordinal, x->err)
               : status;
}

/* The legs' lots, and room for what they cannot take in the newest lots. */
static jb_status
load_refund_room(struct execution *x, struct jb_cached_wallet *s, struct jb_prefetched *loaded)
{
    const struct jb_refund *r = jb_wallet_refund(&s->w, loaded->ordinal);
    if (r == NULL || r->legs_n == 0) {
        return JB_OK;
    }
    jb_status status = jb_state_load_lots(x->l->state, s, r->legs, r->legs_n, x->err);
    jb_amount beyond =
        status == JB_OK ? jb_credit_beyond(&s->w, r->legs, r->legs_n, true, r->amount) : 0;
    return beyond > 0 ? jb_state_load_room(x->l->state, s, r->amount, x->err) : status;
}

jb_status
jb_prefetch(struct execution *x, struct jb_cached_wallet *s, struct jb_prefetched *loaded)
{
    /* What an op must name it is about. */
    const uint64_t named = jb_ops[x->c->op].required;
    if (named & JB_HAS(JB_CF_CHARGE)) {
        return load_named(x, s, 'C', JB_ARCHIVED_LOT, loaded);
    }
    if (named & JB_HAS(JB_CF_GRANT)) {
        return load_named(x, s, 'G', JB_ARCHIVED_GRANT, loaded);
    }
    if (named & JB_HAS(JB_CF_REFUND)) {
        jb_status status = load_named(x, s, 'R', JB_ARCHIVED_REFUND, loaded);
        return status == JB_OK && x->c->op == JB_OP_REFUND_FAIL ? load_refund_room(x, s, loaded)
                                                                : status;
    }
    return x->c->op == JB_OP_CONSUME_REVERSE ? load_consumption(x, s, loaded) : JB_OK;
}
