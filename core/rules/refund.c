/* Refunds (환불): money paid out to the customer. Decided when approved, not when asked for.
 * docs/rules.md section 4. */
#include "rules/rules.h"

void
jb_rule_refund_request(const struct jb_case *k, struct jb_verdict *v)
{
    const struct jb_wallet *w = k->w;
    if (k->loaded->ordinal != 0) {
        jb_refuse(v, JB_CODE_ID_EXISTS);
        return;
    }
    bool partial = (k->c->has & JB_HAS(JB_CF_AMOUNT)) != 0;
    jb_amount refundable = w->paid > jb_rest(w)->pending ? w->paid - jb_rest(w)->pending : 0;
    if (!partial && refundable == 0) {
        jb_refuse_with(v, JB_CODE_NOTHING_REFUNDABLE, JB_FIG_REFUNDABLE, refundable);
        return;
    }
    if (partial && k->c->amount > refundable) {
        jb_refuse_with(v, JB_CODE_REFUND_EXCEEDS, JB_FIG_REFUNDABLE, refundable);
        return;
    }
    v->event.type = JB_EV_REFUND_REQUESTED;
    v->event.refund_requested =
        (struct jb_refund_requested){.refund = k->c->id,
                                     .refund_no = jb_rest(w)->refunds_given + 1,
                                     .scope = partial ? JB_SCOPE_PARTIAL : JB_SCOPE_FULL,
                                     .amount = partial ? k->c->amount : refundable};
}

static void
refund_failed(const struct jb_refund *r, jb_failure why, struct jb_verdict *v)
{
    v->event.type = JB_EV_REFUND_FAILED;
    v->event.refund_failed =
        (struct jb_refund_failed){.refund_no = r->ordinal, .why = why, .amount = r->amount};
}

static void
approve(const struct jb_case *k, const struct jb_refund *r, struct jb_verdict *v)
{
    /* Only paid cash counts: other requests do not hold it back, and later changes never alter the
     * amount. */
    if (k->w->paid < r->amount) {
        refund_failed(r, JB_FAILURE_BALANCE, v);
        return;
    }
    v->event.type = JB_EV_REFUND_APPROVED;
    v->event.refund_approved.refund_no = r->ordinal;
    v->event.refund_approved.amount = r->amount;
    jb_amount left = r->amount;
    for (size_t i = k->w->lots.n; i-- > 0 && left > 0;) {
        const struct jb_lot *l = &k->w->lots.at[i];
        jb_amount part = l->remaining < left ? l->remaining : left;
        if (part > 0 && !jb_add_part(v, JB_PART_LOT, l->ordinal, part)) {
            return;
        }
        left -= part;
    }
}

/* After approval the money is put back: the lots count as not refunded again before the credit is
 * distributed. */
static void
fail_after_approval(const struct jb_case *k, const struct jb_refund *r, struct jb_verdict *v)
{
    refund_failed(r, JB_FAILURE_AFTER_APPROVAL, v);
    v->no_memory |= !jb_credit(k->w, r->legs, r->legs_n, true, r->amount, v);
}

void
jb_rule_refund_change(const struct jb_case *k, struct jb_verdict *v)
{
    const struct jb_refund *r =
        k->loaded->ordinal != 0 ? jb_wallet_refund(k->w, k->loaded->ordinal) : NULL;
    if (r == NULL) {
        jb_refuse(v, JB_CODE_REFUND_UNKNOWN);
        return;
    }
    bool after_approval = k->c->op == JB_OP_REFUND_COMPLETE || k->c->op == JB_OP_REFUND_FAIL;
    if (r->state !=
        (after_approval ? (uint32_t)JB_REFUND_APPROVED : (uint32_t)JB_REFUND_REQUESTED)) {
        jb_refuse_with(v, JB_CODE_REFUND_STATE, JB_FIG_REFUND_STATE, r->state);
        return;
    }
    if (k->c->op == JB_OP_REFUND_APPROVE) {
        approve(k, r, v);
    } else if (k->c->op == JB_OP_REFUND_FAIL) {
        fail_after_approval(k, r, v);
    } else if (k->c->op == JB_OP_REFUND_COMPLETE) {
        v->event.type = JB_EV_REFUND_COMPLETED;
        v->event.refund_completed = (struct jb_refund_completed){r->ordinal, r->amount};
    } else if (k->c->op == JB_OP_REFUND_CANCEL) {
        v->event.type = JB_EV_REFUND_CANCELLED;
        v->event.refund_cancelled = (struct jb_refund_cancelled){r->ordinal, r->amount};
    } else {
        v->event.type = JB_EV_REFUND_REJECTED;
        v->event.refund_rejected = (struct jb_refund_rejected){r->ordinal, r->amount};
    }
}
