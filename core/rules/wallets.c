/* The life of a wallet, and which command which state allows. docs/rules.md sections 1 and 5. */
#include "rules/rules.h"

/* The state matrix. Where it is silent (grants, returns, reversals, repaid debt, renaming) only
 * deletion forbids. */
bool
jb_wallet_allows(uint32_t status, jb_op op)
{
    if (status == JB_WALLET_DELETED) {
        return false;
    }
    switch (op) {
    case JB_OP_CHARGE:
        return status == JB_WALLET_ACTIVE || status == JB_WALLET_OFF;
    case JB_OP_CONSUME:
        return status == JB_WALLET_ACTIVE;
    case JB_OP_WALLET_OFF:
        return status == JB_WALLET_ACTIVE;
    case JB_OP_WALLET_ON:
        return status == JB_WALLET_OFF;
    case JB_OP_WALLET_SUSPEND:
        return status != JB_WALLET_SUSPENDED;
    case JB_OP_WALLET_LIFT:
        return status == JB_WALLET_SUSPENDED;
    case JB_OP_WALLET_CREATE:
    case JB_OP_WALLET_RENAME:
    case JB_OP_WALLET_DELETE:
    case JB_OP_CHARGE_REVERSE:
    case JB_OP_DEBT_REPAY:
    case JB_OP_FREE_GRANT:
    case JB_OP_FREE_ACTIVATE:
    case JB_OP_FREE_REVOKE:
    case JB_OP_CONSUME_REVERSE:
    case JB_OP_REFUND_REQUEST:
    case JB_OP_REFUND_APPROVE:
    case JB_OP_REFUND_REJECT:
    case JB_OP_REFUND_CANCEL:
    case JB_OP_REFUND_COMPLETE:
    case JB_OP_REFUND_FAIL:
    case JB_OP_POLICY_SET:
    case JB_OP_DAY_CLOSE:
    case JB_OP_ATOMIC:
    case JB_OPS:
        break;
    }
    return true;
}

/* The status at an instant by the intervals known now; 0: the wallet was not there yet. */
static uint32_t
status_at(const struct jb_wallet *w, jb_instant at)
{
    for (size_t i = w->intervals.n; i-- > 0;) {
        if (w->intervals.at[i].from <= at) {
            return w->intervals.at[i].status;
        }
    }
    return 0;
}

/* Wallet, expect, state: in this order (docs/rules.md section 5). False: v says why not. */
static bool
admit(const struct jb_wallet *w, const struct jb_command *c, const struct jb_decision_time *m,
      struct jb_verdict *v)
{
    if (c->op == JB_OP_WALLET_CREATE) {
        if (w != NULL) {
            jb_refuse(v, JB_CODE_WALLET_EXISTS);
        } else if ((c->has & JB_HAS(JB_CF_EXPECT)) != 0 && c->expect != 0) {
            jb_refuse_with(v, JB_CODE_EXPECT_MISMATCH, JB_FIG_VERSION, 0);
        }
        return v->code == JB_CODE_NONE;
    }
    if (w == NULL) {
        jb_refuse(v, JB_CODE_WALLET_UNKNOWN);
        return false;
    }
    if (w->status == JB_WALLET_DELETED) {
        jb_refuse(v, JB_CODE_WALLET_DELETED);
        return false;
    }
    jb_seq version = m->known_version != 0 ? m->known_version : w->version;
    if ((c->has & JB_HAS(JB_CF_EXPECT)) != 0 && c->expect != version) {
        jb_refuse_with(v, JB_CODE_EXPECT_MISMATCH, JB_FIG_VERSION, (int64_t)version);
        return false;
    }
    /* Only consumption is judged by the state at its own time; everything else by the state now.
     * But nothing happened in a wallet before it was there. */
    bool back = m->at < m->recorded_at && (c->op == JB_OP_CONSUME || m->told);
    uint32_t then = back ? status_at(w, m->at) : w->status;
    uint32_t status = c->op == JB_OP_CONSUME ? then : w->status;
    if (then == 0) {
        jb_refuse(v, JB_CODE_WALLET_UNKNOWN_THEN);
    } else if (!jb_wallet_allows(status, c->op)) {
        jb_refuse_with(v, JB_CODE_WALLET_STATE, JB_FIG_STATUS, status);
    }
    return v->code == JB_CODE_NONE;
}

bool
jb_decide_needs_ids(const struct jb_wallet *w, const struct jb_command *c,
                    const struct jb_decision_time *m, struct jb_verdict *v)
{
    return admit(w, c, m, v);
}

void
jb_rule_wallet_status(const struct jb_case *k, struct jb_verdict *v)
{
    v->event.type = jb_op_get((uint32_t)k->c->op)->event_type;
}

/* The conditions of a deletion, as data: more of them come with sales right, postpaid wallets and
 * invoices. Each gives the figure that explains why it does not hold. */
struct condition {
    jb_figure_name name;
    bool (*met)(const struct jb_wallet *w);
    int64_t (*figure)(const struct jb_wallet *w);
};

static bool
is_off(const struct jb_wallet *w)
{
    return w->status == JB_WALLET_OFF;
}

static int64_t
the_status(const struct jb_wallet *w)
{
    return w->status;
}

static bool
paid_is_zero(const struct jb_wallet *w)
{
    return w->paid == 0;
}

static int64_t
the_paid(const struct jb_wallet *w)
{
    return w->paid;
}

static bool
no_refund(const struct jb_wallet *w)
{
    return w->refunds_open == 0;
}

static int64_t
the_refunds(const struct jb_wallet *w)
{
    return w->refunds_open;
}

static const struct condition conditions[] = {
    {JB_FIG_NOT_OFF, is_off, the_status},
    {JB_FIG_PAID_NOT_ZERO, paid_is_zero, the_paid},
    {JB_FIG_REFUND_OUTSTANDING, no_refund, the_refunds},
};

void
jb_rule_wallet_delete(const struct jb_case *k, struct jb_verdict *v)
{
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        if (!conditions[i].met(k->w)) {
            v->code = JB_CODE_DELETE_CONDITIONS;
            jb_refuse_figure(v, conditions[i].name, conditions[i].figure(k->w));
        }
    }
    v->event.type = JB_EV_WALLET_DELETED;
    for (size_t i = 0; i < k->w->grants.n; i++) {
        if (jb_grant_unfinished(&k->w->grants.at[i], k->m->today)) {
            v->event.wallet_deleted.forfeited += k->w->grants.at[i].remaining;
        }
    }
}

void
jb_decide_wallet(const struct jb_globals *g, const struct jb_wallet *w, const struct jb_command *c,
                 const struct jb_prefetched *loaded, const struct jb_decision_time *m,
                 struct jb_verdict *v)
{
    static void (*const rules[JB_OPS])(const struct jb_case *, struct jb_verdict *) = {
        [JB_OP_WALLET_RENAME] = jb_rule_wallet_status,
        [JB_OP_WALLET_OFF] = jb_rule_wallet_status,
        [JB_OP_WALLET_ON] = jb_rule_wallet_status,
        [JB_OP_WALLET_SUSPEND] = jb_rule_wallet_status,
        [JB_OP_WALLET_LIFT] = jb_rule_wallet_status,
        [JB_OP_WALLET_DELETE] = jb_rule_wallet_delete,
        [JB_OP_CHARGE] = jb_rule_charge,
        [JB_OP_CHARGE_REVERSE] = jb_rule_charge_reverse,
        [JB_OP_DEBT_REPAY] = jb_rule_debt_repay,
        [JB_OP_FREE_GRANT] = jb_rule_grant,
        [JB_OP_FREE_ACTIVATE] = jb_rule_grant_change,
        [JB_OP_FREE_REVOKE] = jb_rule_grant_change,
        [JB_OP_CONSUME] = jb_rule_consume,
        [JB_OP_CONSUME_REVERSE] = jb_rule_consume_reverse,
        [JB_OP_REFUND_REQUEST] = jb_rule_refund_request,
        [JB_OP_REFUND_APPROVE] = jb_rule_refund_change,
        [JB_OP_REFUND_REJECT] = jb_rule_refund_change,
        [JB_OP_REFUND_CANCEL] = jb_rule_refund_change,
        [JB_OP_REFUND_COMPLETE] = jb_rule_refund_change,
        [JB_OP_REFUND_FAIL] = jb_rule_refund_change,
    };
    if (!admit(w, c, m, v)) {
        return;
    }
    struct jb_case k = {g, w, c, loaded, m};
    if (c->op == JB_OP_WALLET_CREATE) {
        v->event.type = JB_EV_WALLET_CREATED;
        v->event.wallet_created.id = c->wallet;
        v->event.wallet_created.kind = c->kind;
        v->event.wallet = g->wallets_given + 1;
        return;
    }
    rules[c->op](&k, v);
    v->event.wallet = w->number;
    v->event.prev = w->version;
    jb_event_set_parts(&v->event, (struct jb_parts){v->parts.at, (uint32_t)v->parts.n});
}
