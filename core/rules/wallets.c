/* The life of a wallet, and which command which state allows. docs/rules.md sections 1 and 5. */
#include "base/error.h"
#include "rules/rules.h"

/* The states of a wallet that allow an op, as bits. */
static const uint32_t allowed[JB_OPS] = {
#define S(status) (1U << JB_WALLET_##status)
#define EVERY (S(ACTIVE) | S(OFF) | S(SUSPENDED))
#define OP(NAME, word, event, at, states, ...) [JB_OP_##NAME] = (states),
#include "event/commands.def"
#undef OP
#undef EVERY
#undef S
};

bool
jb_wallet_allows(uint32_t status, jb_op op)
{
    return (unsigned)op < JB_OPS && status <= JB_WALLET_DELETED &&
           (allowed[op] & 1U << status) != 0;
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
jb_rule_none(const struct jb_case *k, struct jb_verdict *v)
{
    (void)k;
    (void)v;
    JB_ASSERT(false); /* policies, closings and groups are no commands on a wallet */
}

#define NOT_YET(rule)                                                                              \
    void rule(const struct jb_case *k, struct jb_verdict *v)                                       \
    {                                                                                              \
        jb_rule_none(k, v);                                                                        \
    }
NOT_YET(jb_rule_role_give)
NOT_YET(jb_rule_role_take)
NOT_YET(jb_rule_member_invite)
NOT_YET(jb_rule_member_accept)
NOT_YET(jb_rule_member_end)
NOT_YET(jb_rule_master_transfer)
NOT_YET(jb_rule_channel_create)
NOT_YET(jb_rule_manager_add)
NOT_YET(jb_rule_manager_remove)
NOT_YET(jb_rule_channel_transfer)
NOT_YET(jb_rule_channel_connect)
NOT_YET(jb_rule_channel_disconnect)
NOT_YET(jb_rule_channel_close)
NOT_YET(jb_rule_search_id)
NOT_YET(jb_rule_mail_order)
NOT_YET(jb_rule_biz_request)
NOT_YET(jb_rule_biz_review)
NOT_YET(jb_rule_invoice_email)
NOT_YET(jb_rule_sales)
NOT_YET(jb_rule_settlement)

void
jb_rule_wallet_create(const struct jb_case *k, struct jb_verdict *v)
{
    v->event.type = JB_EV_WALLET_CREATED;
    v->event.wallet_created.id = k->c->wallet;
    v->event.wallet_created.kind = k->c->kind;
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

/* An event with more parts could not be read by every program that reads this log. Only money of a
 * failed refund goes where it has to, however many places that are. */
static void
refuse_too_many_parts(const struct jb_case *k, struct jb_verdict *v)
{
    jb_amount most = 0;
    for (size_t i = 0; i < JB_PARTS_MAX; i++) {
        most += v->parts.at[i].amount;
    }
    if (k->c->op == JB_OP_CONSUME_REVERSE) {
        most = jb_return_at_once(k, most, v);
    }
    jb_refuse_with(v, JB_CODE_TOO_MANY_PARTS, JB_FIG_PARTS_MAX, JB_PARTS_MAX);
    jb_refuse_figure(v, JB_FIG_MOST, most);
}

void
jb_decide_wallet(const struct jb_globals *g, const struct jb_wallet *w, const struct jb_command *c,
                 const struct jb_prefetched *loaded, const struct jb_decision_time *m,
                 struct jb_verdict *v)
{
    static void (*const rules[JB_OPS])(const struct jb_case *, struct jb_verdict *) = {
#define OP(NAME, word, event, at, states, rule, ...) [JB_OP_##NAME] = rule,
#include "event/commands.def"
#undef OP
    };
    if (!admit(w, c, m, v)) {
        return;
    }
    struct jb_case k = {g, w, c, loaded, m};
    rules[c->op](&k, v);
    if (v->parts.n > JB_PARTS_MAX && c->op != JB_OP_REFUND_FAIL && !m->any_parts && !v->no_memory) {
        refuse_too_many_parts(&k, v);
        return;
    }
    v->event.wallet = w != NULL ? w->number : g->wallets_given + 1;
    v->event.prev = w != NULL ? w->version : 0;
    jb_event_set_parts(&v->event, (struct jb_parts){v->parts.at, (uint32_t)v->parts.n});
}
