/* What deciding needs beyond the wallet itself, out of the log and the stored state. */
#include "ledger/work.h"

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

jb_status
jb_load_what_it_names(struct work *w, struct jb_slot *s, struct jb_loaded *loaded)
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
