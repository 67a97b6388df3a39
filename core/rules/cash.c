/* Paid cash: charges, their reversal, repaid debt. docs/rules.md section 2. */
#include "rules/rules.h"

/* What comes in must leave room for what may come back: refunds in transit count (docs/rules.md
 * section 2). */
static bool
fits(const struct jb_case *k, struct jb_verdict *v)
{
    if (k->w->paid + jb_rest(k->w)->transit + k->c->amount > JB_AMOUNT_MAX) {
        jb_refuse_with(v, JB_CODE_AMOUNT_RANGE, JB_FIG_LIMIT, JB_AMOUNT_MAX);
        return false;
    }
    return true;
}

static bool
bound_by_minimum(uint32_t method)
{
    return method == JB_METHOD_CREDIT_CARD || method == JB_METHOD_KAKAOPAY_CARD ||
           method == JB_METHOD_VIRTUAL_ACCOUNT;
}

void
jb_rule_charge(const struct jb_case *k, struct jb_verdict *v)
{
    const struct jb_command *c = k->c;
    if (k->loaded->ordinal != 0) {
        jb_refuse(v, JB_CODE_ID_EXISTS);
        return;
    }
    uint32_t method = jb_given(c, JB_CF_METHOD) ? c->method : (uint32_t)JB_METHOD_UNSPECIFIED;
    int64_t min = jb_policy_at(k->g, JB_POLICY_MIN_CHARGE, k->m->recorded_at);
    if (bound_by_minimum(method) && c->amount < min) {
        jb_refuse_with(v, JB_CODE_MIN_CHARGE, JB_FIG_MIN_CHARGE, min);
        return;
    }
    if (!fits(k, v)) {
        return;
    }
    jb_amount debt = k->w->paid < 0 ? -k->w->paid : 0;
    v->event.type = JB_EV_CHARGE_SETTLED;
    v->event.charge_settled =
        (struct jb_charge_settled){.charge = c->id,
                                   .lot = k->w->lots_given + 1,
                                   .method = method,
                                   .amount = c->amount,
                                   .applied_to_debt = c->amount < debt ? c->amount : debt,
                                   .pg = jb_given_text(c, JB_CF_PG, c->pg),
                                   .txn_ref = jb_given_text(c, JB_CF_TXN_REF, c->txn_ref),
                                   .approve_no = jb_given_text(c, JB_CF_APPROVE_NO, c->approve_no)};
}

void
jb_rule_debt_repay(const struct jb_case *k, struct jb_verdict *v)
{
    const struct jb_command *c = k->c;
    jb_amount debt = k->w->paid < 0 ? -k->w->paid : 0;
    if (c->amount > debt) {
        jb_refuse_with(v, JB_CODE_DEBT_EXCEEDS, JB_FIG_DEBT, debt);
        return;
    }
    v->event.type = JB_EV_DEBT_REPAID;
    v->event.debt_repaid =
        (struct jb_debt_repaid){.lot = k->w->lots_given + 1,
                                .amount = c->amount,
                                .pg = jb_given_text(c, JB_CF_PG, c->pg),
                                .txn_ref = jb_given_text(c, JB_CF_TXN_REF, c->txn_ref)};
}

/* Takes up to *left from the lot. */
static bool
take(const struct jb_lot *l, jb_amount *left, struct jb_verdict *v)
{
    jb_amount amount = l->remaining < *left ? l->remaining : *left;
    *left -= amount;
    return amount == 0 || jb_add_part(v, JB_PART_LOT, l->ordinal, amount);
}

void
jb_rule_charge_reverse(const struct jb_case *k, struct jb_verdict *v)
{
    const struct jb_wallet *w = k->w;
    const struct jb_lot *own =
        k->loaded->ordinal != 0 ? jb_wallet_lot(w, k->loaded->ordinal) : NULL;
    if (own == NULL) {
        jb_refuse(v, JB_CODE_CHARGE_UNKNOWN);
        return;
    }
    jb_amount capacity = own->amount - own->reversed - own->refunded;
    jb_amount amount = k->c->amount;
    if (amount > capacity) {
        jb_refuse_with(v, JB_CODE_REVERSAL_EXCEEDS, JB_FIG_LEFT, capacity);
        return;
    }
    if (w->paid - amount < -JB_AMOUNT_MAX) {
        jb_refuse_with(v, JB_CODE_AMOUNT_RANGE, JB_FIG_LIMIT, JB_AMOUNT_MAX);
        return;
    }
    /* Its own remainder, then other lots from the newest on, and debt only when no lot has anything
     * left. */
    jb_amount left = amount;
    bool ok = take(own, &left, v);
    for (size_t i = w->lots.n; i-- > 0 && left > 0 && ok;) {
        ok = &w->lots.at[i] == own || take(&w->lots.at[i], &left, v);
    }
    if (ok && left > 0) {
        jb_add_part(v, JB_PART_DEBT, 0, left); /* v->no_memory says whether it worked */
    }
    v->event.type = JB_EV_CHARGE_REVERSED;
    v->event.charge_reversed.lot = own->ordinal;
    v->event.charge_reversed.amount = amount;
}
