/* A remembered refusal: which ops can get its code, with which figures, and what of these is known.
 */
#include "replay/rules/inner.h"

#define OP(op) (UINT64_C(1) << JB_OP_##op)
#define ON_WALLETS                                                                                 \
    (OP(WALLET_RENAME) | OP(WALLET_OFF) | OP(WALLET_ON) | OP(WALLET_SUSPEND) | OP(WALLET_LIFT) |   \
     OP(WALLET_DELETE) | OP(CHARGE) | OP(CHARGE_REVERSE) | OP(DEBT_REPAY) | OP(FREE_GRANT) |       \
     OP(FREE_ACTIVATE) | OP(FREE_REVOKE) | OP(CONSUME) | OP(CONSUME_REVERSE) |                     \
     OP(REFUND_REQUEST) | REFUND_CHANGES | PEOPLE_OF_WALLETS | OF_EITHER | OP(CHANNEL_CONNECT) |   \
     OP(CHANNEL_DISCONNECT) | OP(INVOICE_EMAIL) | OP(SALES_REQUEST) | OP(SALES_ACCEPT) |           \
     OP(SALES_REFUSE) | OP(SALES_RELEASE) | OP(WALLET_SETTLEMENT))
#define PEOPLE_OF_WALLETS                                                                          \
    (OP(MEMBER_INVITE) | OP(MEMBER_ACCEPT) | OP(MEMBER_LEAVE) | OP(MEMBER_REMOVE) |                \
     OP(MASTER_TRANSFER))
/* Of a wallet, or of a channel. */
#define OF_EITHER (OP(BIZ_REQUEST) | OP(BIZ_APPROVE) | OP(BIZ_REFUSE))
#define ON_CHANNELS                                                                                \
    (OP(CHANNEL_CREATE) | OP(MANAGER_ADD) | OP(MANAGER_REMOVE) | OP(CHANNEL_TRANSFER) |            \
     OP(CHANNEL_CLOSE) | OP(CHANNEL_SEARCH_ID) | OP(CHANNEL_MAIL_ORDER))
#define REFUND_CHANGES                                                                             \
    (OP(REFUND_APPROVE) | OP(REFUND_REJECT) | OP(REFUND_CANCEL) | OP(REFUND_COMPLETE) |            \
     OP(REFUND_FAIL))
#define WITH_A_TIME                                                                                \
    (OP(CHARGE) | OP(CHARGE_REVERSE) | OP(DEBT_REPAY) | OP(CONSUME) | OP(CONSUME_REVERSE))
#define ANY_OP                                                                                     \
    (ON_WALLETS | ON_CHANNELS | OP(WALLET_CREATE) | OP(POLICY_SET) | OP(DAY_CLOSE) | OP(ATOMIC) |  \
     OP(ROLE_GIVE) | OP(ROLE_TAKE) | OP(FORGET))

/* What a code that is remembered comes with. figures: in their order; 0: no more. */
static const struct row {
    uint64_t ops;
    uint32_t figures[5];
    bool some; /* any of the figures, one at least */
} rows[JB_CODES_END] = {
    [JB_CODE_EXPECT_MISMATCH] = {ON_WALLETS | ON_CHANNELS | OP(WALLET_CREATE),
                                 {JB_FIG_VERSION},
                                 false},
    [JB_CODE_WALLET_UNKNOWN] = {ON_WALLETS | OP(FORGET), {0}, false},
    [JB_CODE_WALLET_UNKNOWN_THEN] = {WITH_A_TIME, {0}, false},
    [JB_CODE_WALLET_EXISTS] = {OP(WALLET_CREATE), {0}, false},
    [JB_CODE_WALLET_DELETED] = {ON_WALLETS, {0}, false},
    [JB_CODE_WALLET_STATE] = {OP(CHARGE) | OP(CONSUME) | OP(WALLET_OFF) | OP(WALLET_ON) |
                                  OP(WALLET_SUSPEND) | OP(WALLET_LIFT) | OP(FORGET),
                              {JB_FIG_STATUS},
                              false},
    [JB_CODE_DELETE_CONDITIONS] = {OP(WALLET_DELETE),
                                   {JB_FIG_NOT_OFF, JB_FIG_SALES_RIGHT, JB_FIG_PAID_NOT_ZERO,
                                    JB_FIG_POSTPAID, JB_FIG_REFUND_OUTSTANDING},
                                   true},
    [JB_CODE_CHARGE_UNKNOWN] = {OP(CHARGE_REVERSE), {0}, false},
    [JB_CODE_GRANT_UNKNOWN] = {OP(FREE_ACTIVATE) | OP(FREE_REVOKE), {0}, false},
    [JB_CODE_REFUND_UNKNOWN] = {REFUND_CHANGES, {0}, false},
    [JB_CODE_USAGE_UNKNOWN] = {OP(CONSUME_REVERSE), {0}, false},
    [JB_CODE_AMBIGUOUS_USAGE] = {OP(CONSUME_REVERSE), {0}, false},
    [JB_CODE_ID_EXISTS] = {OP(CHARGE) | OP(FREE_GRANT) | OP(REFUND_REQUEST), {0}, false},
    [JB_CODE_INSUFFICIENT_CASH] = {OP(CONSUME), {JB_FIG_AVAILABLE, JB_FIG_POSTPAID_LIMIT}, true},
    [JB_CODE_NOTHING_REFUNDABLE] = {OP(REFUND_REQUEST), {JB_FIG_REFUNDABLE}, false},
    [JB_CODE_REFUND_EXCEEDS] = {OP(REFUND_REQUEST), {JB_FIG_REFUNDABLE}, false},
    [JB_CODE_DEBT_EXCEEDS] = {OP(DEBT_REPAY), {JB_FIG_DEBT}, false},
    [JB_CODE_REVERSAL_EXCEEDS] = {OP(CHARGE_REVERSE), {JB_FIG_LEFT}, false},
    [JB_CODE_RETURN_EXCEEDS] = {OP(CONSUME_REVERSE), {JB_FIG_LEFT}, false},
    [JB_CODE_MIN_CHARGE] = {OP(CHARGE), {JB_FIG_MIN_CHARGE}, false},
    [JB_CODE_AMOUNT_RANGE] = {OP(CHARGE) | OP(CHARGE_REVERSE) | OP(FREE_GRANT) | OP(CONSUME) |
                                  OP(CONSUME_REVERSE),
                              {JB_FIG_LIMIT},
                              false},
    [JB_CODE_GRANT_STATE] = {OP(FREE_ACTIVATE) | OP(FREE_REVOKE), {JB_FIG_GRANT_STATE}, false},
    [JB_CODE_GRANT_EXPIRED] = {OP(FREE_GRANT) | OP(FREE_ACTIVATE) | OP(FREE_REVOKE),
                               {JB_FIG_EXPIRES_ON},
                               false},
    [JB_CODE_REFUND_STATE] = {REFUND_CHANGES, {JB_FIG_REFUND_STATE}, false},
    [JB_CODE_AT_IN_FUTURE] = {ANY_OP, {JB_FIG_NOW}, false},
    [JB_CODE_AT_NOT_ALLOWED] = {ANY_OP & ~(WITH_A_TIME | OP(ATOMIC)), {JB_FIG_NOW}, false},
    [JB_CODE_TOO_MANY_PARTS] = {OP(CONSUME) | OP(CHARGE_REVERSE) | OP(CONSUME_REVERSE) |
                                    OP(REFUND_APPROVE),
                                {JB_FIG_PARTS_MAX, JB_FIG_MOST},
                                false},
    [JB_CODE_AT_TOO_OLD] = {WITH_A_TIME | OP(ATOMIC), {JB_FIG_NOW, JB_FIG_DAYS_MAX}, false},
    [JB_CODE_DAY_NOT_OVER] = {OP(DAY_CLOSE), {JB_FIG_FIRST_OPEN_DAY}, false},
    [JB_CODE_GRANTS_LIMIT] = {OP(FREE_GRANT), {JB_FIG_GRANTS_MAX}, false},
    [JB_CODE_FROM_IN_PAST] = {OP(POLICY_SET), {JB_FIG_NOW}, false},
    [JB_CODE_TOO_MANY_DAYS] = {OP(DAY_CLOSE), {JB_FIG_DAYS, JB_FIG_EMPTY_DAYS_MAX}, false},
};

/* Codes that leave no trace: the key stays free. */
static bool
never_remembered(uint32_t code)
{
    return code == JB_CODE_KEY_CONFLICT || code == JB_CODE_CLOCK_BEHIND ||
           code == JB_CODE_CLOCK_AHEAD || code == JB_CODE_MALFORMED ||
           code == JB_CODE_AMOUNT_INVALID || code == JB_CODE_BATCH_TOO_LARGE;
}

static bool
figures_fit(const struct row *row, const struct jb_command_refused *p)
{
    const uint32_t most = sizeof row->figures / sizeof row->figures[0];
    uint32_t k = 0, n = 0;
    while (n < most && row->figures[n] != 0) {
        n++;
    }
    for (uint32_t i = 0; i < p->figures.n; i++, k++) {
        while (row->some && k < n && row->figures[k] != p->figures.at[i].name) {
            k++;
        }
        if (k >= n || row->figures[k] != p->figures.at[i].name) {
            return false;
        }
    }
    return row->some ? p->figures.n > 0 : p->figures.n == n;
}

/* What a figure must be that depends on nothing but the ledger. True: *ret has it. */
static bool
known_figure(const struct jb_judge *r, const struct jb_event *e, uint32_t name, int64_t *ret)
{
    const struct jb_globals *g = &r->b->g;
    jb_day today = jb_day_of(e->recorded_at, g->utc_offset_s);
    switch (name) {
    case JB_FIG_MIN_CHARGE:
        *ret = jb_policy_at(g, JB_POLICY_MIN_CHARGE, e->recorded_at);
        return true;
    case JB_FIG_GRANTS_MAX:
        *ret = jb_policy_at(g, JB_POLICY_GRANTS_MAX, e->recorded_at);
        return true;
    case JB_FIG_EMPTY_DAYS_MAX:
        *ret = jb_policy_at(g, JB_POLICY_EMPTY_DAYS_MAX, e->recorded_at);
        return true;
    case JB_FIG_PARTS_MAX:
        *ret = JB_PARTS_MAX;
        return true;
    case JB_FIG_DAYS_MAX: /* CLOCK_AHEAD, which has it too, is not remembered */
        *ret = jb_policy_at(g, JB_POLICY_AT_BACK_MAX, e->recorded_at);
        return true;
    case JB_FIG_FIRST_OPEN_DAY:
        *ret = g->first_open_day == JB_NO_DAY ? today : g->first_open_day;
        return true;
    case JB_FIG_NOW:
        *ret = e->recorded_at;
        return e->command_refused.code == JB_CODE_FROM_IN_PAST;
    default:
        return false;
    }
}

/* What no figure of that name can be. */
static bool
possible_figure(const struct jb_judge *r, const struct jb_event *e, const struct jb_figure *f)
{
    switch (f->name) {
    case JB_FIG_DAYS:
        return f->value > jb_policy_at(&r->b->g, JB_POLICY_EMPTY_DAYS_MAX, e->recorded_at);
    case JB_FIG_LIMIT:
        return f->value == JB_AMOUNT_MAX || f->value == JB_BALANCE_MAX;
    case JB_FIG_NOW: /* the clock: never behind the time that is recorded */
        return f->value <= e->recorded_at;
    case JB_FIG_STATUS:
        return f->value >= JB_WALLET_ACTIVE && f->value <= JB_WALLET_SUSPENDED;
    case JB_FIG_NOT_OFF:
        return f->value == JB_WALLET_ACTIVE || f->value == JB_WALLET_SUSPENDED;
    case JB_FIG_GRANT_STATE:
        return f->value > JB_GRANT_DORMANT && f->value <= JB_GRANT_USED_UP;
    case JB_FIG_REFUND_STATE:
        return f->value >= JB_REFUND_REQUESTED && f->value <= JB_REFUND_FAILED;
    case JB_FIG_PAID_NOT_ZERO:
        return f->value != 0;
    case JB_FIG_REFUND_OUTSTANDING:
    case JB_FIG_MOST:
        return f->value > 0;
    case JB_FIG_AVAILABLE:
    case JB_FIG_REFUNDABLE:
    case JB_FIG_DEBT:
    case JB_FIG_LEFT:
        return f->value >= 0;
    default:
        return true;
    }
}

static void
check_figures(struct jb_judge *r, const struct jb_event *e)
{
    const struct jb_figures *figures = &e->command_refused.figures;
    for (uint32_t i = 0; i < figures->n; i++) {
        const struct jb_figure *f = &figures->at[i];
        int64_t value = f->value;
        bool known = known_figure(r, e, f->name, &value);
        if (known && value != f->value) {
            jb_refute_text(r, e, "stands %s with %s %lld; the rules say %lld",
                           jb_code_word(e->command_refused.code), jb_figure_word(f->name),
                           (long long)f->value, (long long)value);
        } else if (!known && !possible_figure(r, e, f)) {
            jb_refute_text(r, e, "stands %s with %s %lld, which the rules never say",
                           jb_code_word(e->command_refused.code), jb_figure_word(f->name),
                           (long long)f->value);
        }
    }
}

/* Op, code and names of figures. False: they do not fit; that was refuted. */
static bool
code_holds(struct jb_judge *r, const struct jb_event *e)
{
    const struct jb_command_refused *p = &e->command_refused;
    const char *code = jb_code_word(p->code);
    const struct jb_op_info *op = jb_op_get(p->op);
    if (never_remembered(p->code)) {
        jb_refute_text(r, e, "stands %s; the rules remember no refusal of that code", code);
        return false;
    }
    const struct row *row = p->code < JB_CODES_END ? &rows[p->code] : NULL;
    if (row == NULL || row->ops == 0 || op == NULL) {
        return true; /* a code of rules that have no row here yet */
    }
    if ((row->ops >> p->op & 1) == 0) {
        jb_refute_text(r, e, "stands %s for %s, which never gets that code by the rules", code,
                       op->name);
        return false;
    }
    if (!figures_fit(row, p)) {
        struct sentence s = {.n = 0};
        jb_say(&s, "stands %s", code);
        jb_say_figures(&s, p->figures.at, p->figures.n);
        jb_say(&s, "; the rules give that code other figures");
        jb_refute(r, e, &s);
        return false;
    }
    return true;
}

jb_status
jb_check_refusal(struct jb_judge *r, const struct jb_event *e, struct jb_error *err)
{
    const struct jb_command_refused *p = &e->command_refused;
    if ((e->flags & JB_EVF_KEY) == 0) {
        jb_refute_text(r, e, "it has no key; the rules remember a refusal for the sake of its key");
    }
    if (e->occurred_at != e->recorded_at) {
        jb_refute_text(r, e,
                       "it happened at another time than it was recorded; the rules give a refusal "
                       "no time of its own");
    }
    if (p->index < 0 || p->index > JB_GROUP_COMMANDS_MAX) {
        jb_refute_text(r, e, "stands member %lld of a group; the rules take 1 to %d",
                       (long long)p->index, JB_GROUP_COMMANDS_MAX);
    }
    if (p->index > 0 && (p->op == JB_OP_ATOMIC || p->op == JB_OP_DAY_CLOSE)) {
        jb_refute_text(r, e, "stands a %s as a member of a group; the rules take none there",
                       jb_op_get(p->op)->name);
    }
    if (e->version == 1 && jb_rules(&r->b->g) >= 2) {
        jb_refute_text(r, e,
                       "it is of version 1; a ledger that goes by rules 2 remembers refusals in "
                       "version 2");
    }
    bool behind = p->index > 1;
    r->n.refusals_members += behind;
    r->n.refusals_1 += !behind && e->version == 1;
    if (!code_holds(r, e) || (e->version > 1 && !jb_refused_form_holds(r, e)) || behind) {
        return JB_OK;
    }
    uint64_t problems = r->f->problems;
    check_figures(r, e);
    return e->version == 1 || r->f->problems != problems ? JB_OK : jb_refuse_again(r, e, err);
}
