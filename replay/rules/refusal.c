/* A remembered refusal: which ops can get its code, with which figures, and what of these is known.
 */
#include "replay/rules/inner.h"

#define OP(op) (UINT64_C(1) << JB_OP_##op)
#define REFUND_CHANGES                                                                             \
    (OP(REFUND_APPROVE) | OP(REFUND_REJECT) | OP(REFUND_CANCEL) | OP(REFUND_COMPLETE) |            \
     OP(REFUND_FAIL))
#define OF_MEMBERS                                                                                 \
    (OP(MEMBER_INVITE) | OP(MEMBER_ACCEPT) | OP(MEMBER_LEAVE) | OP(MEMBER_REMOVE) |                \
     OP(MASTER_TRANSFER))
#define OF_INVOICES                                                                                \
    (OP(INVOICE_CORRECT) | OP(INVOICE_CONFIRM) | OP(INVOICE_FAIL) | OP(INVOICE_MAIL))
#define OF_STAFF (OP(MANAGER_ADD) | OP(MANAGER_REMOVE) | OP(CHANNEL_TRANSFER))

/* Which ops can get a code: those that are listed, or all with something in their row of
 * commands.def, but for those. */
enum whose {
    LISTED,
    ANY_OP,
    ANY_SINGLE,
    OWN_TIME,
    NO_TIME,
    WITH_WALLET,
    WITH_CHANNEL,
    WITH_EXPECT
};

/* What a code that is remembered comes with. figures: in their order; 0: no more. */
static const struct row {
    enum whose whose;
    uint64_t ops;
    uint32_t figures[6];
    enum {
        ALL,
        SOME,
        BUT_LAST
    } which; /* of the figures: all; any, one at least; all, but perhaps
                not the last */
} rows[JB_CODES_END] = {
    [JB_CODE_EXPECT_MISMATCH] = {WITH_EXPECT, 0, {JB_FIG_VERSION}, ALL},
    [JB_CODE_WALLET_UNKNOWN] = {WITH_WALLET, OP(WALLET_CREATE), {0}, ALL},
    [JB_CODE_WALLET_UNKNOWN_THEN] = {OWN_TIME, OP(ATOMIC), {0}, ALL},
    [JB_CODE_WALLET_EXISTS] = {LISTED, OP(WALLET_CREATE), {0}, ALL},
    [JB_CODE_WALLET_DELETED] = {WITH_WALLET,
                                OP(WALLET_CREATE) | OP(FORGET) | OP(INVOICE_ISSUE) | OF_INVOICES,
                                {0},
                                ALL},
    [JB_CODE_WALLET_STATE] = {LISTED,
                              OP(CHARGE) | OP(CONSUME) | OP(WALLET_OFF) | OP(WALLET_ON) |
                                  OP(WALLET_SUSPEND) | OP(WALLET_LIFT) | OP(FORGET),
                              {JB_FIG_STATUS},
                              ALL},
    [JB_CODE_DELETE_CONDITIONS] = {LISTED,
                                   OP(WALLET_DELETE),
                                   {JB_FIG_NOT_OFF, JB_FIG_SALES_RIGHT, JB_FIG_PAID_NOT_ZERO,
                                    JB_FIG_POSTPAID, JB_FIG_REFUND_OUTSTANDING, JB_FIG_UNINVOICED},
                                   SOME},
    [JB_CODE_CHARGE_UNKNOWN] = {LISTED, OP(CHARGE_REVERSE), {0}, ALL},
    [JB_CODE_GRANT_UNKNOWN] = {LISTED,
                               OP(FREE_ACTIVATE) | OP(FREE_REVOKE) | OP(NOTICE_SEND),
                               {0},
                               ALL},
    [JB_CODE_REFUND_UNKNOWN] = {LISTED, REFUND_CHANGES, {0}, ALL},
    [JB_CODE_USAGE_UNKNOWN] = {LISTED, OP(CONSUME_REVERSE), {0}, ALL},
    [JB_CODE_AMBIGUOUS_USAGE] = {LISTED, OP(CONSUME_REVERSE), {0}, ALL},
    [JB_CODE_ID_EXISTS] = {LISTED, OP(CHARGE) | OP(FREE_GRANT) | OP(REFUND_REQUEST), {0}, ALL},
    [JB_CODE_INSUFFICIENT_CASH] = {LISTED,
                                   OP(CONSUME),
                                   {JB_FIG_AVAILABLE, JB_FIG_POSTPAID_LIMIT},
                                   BUT_LAST},
    [JB_CODE_NOTHING_REFUNDABLE] = {LISTED, OP(REFUND_REQUEST), {JB_FIG_REFUNDABLE}, ALL},
    [JB_CODE_REFUND_EXCEEDS] = {LISTED, OP(REFUND_REQUEST), {JB_FIG_REFUNDABLE}, ALL},
    [JB_CODE_DEBT_EXCEEDS] = {LISTED, OP(DEBT_REPAY), {JB_FIG_DEBT}, ALL},
    [JB_CODE_REVERSAL_EXCEEDS] = {LISTED, OP(CHARGE_REVERSE), {JB_FIG_LEFT}, ALL},
    [JB_CODE_RETURN_EXCEEDS] = {LISTED, OP(CONSUME_REVERSE), {JB_FIG_LEFT}, ALL},
    [JB_CODE_MIN_CHARGE] = {LISTED, OP(CHARGE), {JB_FIG_MIN_CHARGE}, ALL},
    [JB_CODE_AMOUNT_RANGE] = {LISTED,
                              OP(CHARGE) | OP(CHARGE_REVERSE) | OP(FREE_GRANT) | OP(CONSUME) |
                                  OP(CONSUME_REVERSE),
                              {JB_FIG_LIMIT},
                              ALL},
    [JB_CODE_GRANT_STATE] = {LISTED,
                             OP(FREE_ACTIVATE) | OP(FREE_REVOKE) | OP(NOTICE_SEND),
                             {JB_FIG_GRANT_STATE},
                             ALL},
    [JB_CODE_GRANT_EXPIRED] = {LISTED,
                               OP(FREE_GRANT) | OP(FREE_ACTIVATE) | OP(FREE_REVOKE) |
                                   OP(NOTICE_SEND),
                               {JB_FIG_EXPIRES_ON},
                               ALL},
    [JB_CODE_REFUND_STATE] = {LISTED, REFUND_CHANGES, {JB_FIG_REFUND_STATE}, ALL},
    [JB_CODE_AT_IN_FUTURE] = {ANY_OP, 0, {JB_FIG_NOW}, ALL},
    [JB_CODE_AT_NOT_ALLOWED] = {NO_TIME, 0, {JB_FIG_NOW}, ALL},
    [JB_CODE_TOO_MANY_PARTS] = {LISTED,
                                OP(CONSUME) | OP(CHARGE_REVERSE) | OP(CONSUME_REVERSE) |
                                    OP(REFUND_APPROVE),
                                {JB_FIG_PARTS_MAX, JB_FIG_MOST},
                                ALL},
    [JB_CODE_AT_TOO_OLD] = {OWN_TIME, 0, {JB_FIG_NOW, JB_FIG_DAYS_MAX}, ALL},
    [JB_CODE_DAY_NOT_OVER] = {LISTED, OP(DAY_CLOSE), {JB_FIG_FIRST_OPEN_DAY}, ALL},
    [JB_CODE_GRANTS_LIMIT] = {LISTED, OP(FREE_GRANT), {JB_FIG_GRANTS_MAX}, ALL},
    [JB_CODE_FROM_IN_PAST] = {LISTED, OP(POLICY_SET), {JB_FIG_NOW}, ALL},
    [JB_CODE_TOO_MANY_DAYS] = {LISTED, OP(DAY_CLOSE), {JB_FIG_DAYS, JB_FIG_EMPTY_DAYS_MAX}, ALL},
    [JB_CODE_ROLE] = {ANY_SINGLE, 0, {JB_FIG_HAVE, JB_FIG_HAVE_NOW, JB_FIG_WHO}, ALL},
    [JB_CODE_WALLET_KIND] = {LISTED,
                             OP(BIZ_REQUEST) | OP(INVOICE_EMAIL) | OP(WALLET_SETTLEMENT) |
                                 OP(MASTER_TRANSFER) | OP(INVOICE_ISSUE) | OF_INVOICES,
                             {JB_FIG_KIND, JB_FIG_KINDS},
                             ALL},
    [JB_CODE_PERSON_STATE] = {LISTED,
                              OP(ROLE_GIVE) | OP(ROLE_TAKE) | OF_MEMBERS | OF_STAFF | OP(FORGET),
                              {JB_FIG_PERSON_STATE},
                              ALL},
    [JB_CODE_INVITE_EXPIRED] = {LISTED, OP(MEMBER_ACCEPT), {JB_FIG_UNTIL}, ALL},
    [JB_CODE_MEMBERS_LIMIT] = {LISTED,
                               OP(MEMBER_INVITE) | OP(MANAGER_ADD),
                               {JB_FIG_MEMBERS_MAX},
                               ALL},
    [JB_CODE_MASTER_NEEDED] = {LISTED,
                               OP(WALLET_CREATE) | OP(MEMBER_LEAVE) | OP(MEMBER_REMOVE) |
                                   OP(MANAGER_REMOVE) | OP(POLICY_SET),
                               {JB_FIG_WALLETS},
                               BUT_LAST},
    [JB_CODE_LAST_OPERATOR] = {LISTED, OP(POLICY_SET) | OP(ROLE_TAKE), {0}, ALL},
    [JB_CODE_PERSON_HAS_ROLE] = {LISTED,
                                 OP(FORGET),
                                 {JB_FIG_WALLETS, JB_FIG_CHANNELS, JB_FIG_ROLES},
                                 ALL},
    [JB_CODE_CHANNEL_UNKNOWN] = {WITH_CHANNEL, OP(CHANNEL_CREATE), {0}, ALL},
    [JB_CODE_CHANNEL_EXISTS] = {LISTED, OP(CHANNEL_CREATE), {0}, ALL},
    [JB_CODE_CHANNEL_STATE] = {WITH_CHANNEL, OP(CHANNEL_CREATE), {JB_FIG_CHANNEL_STATE}, ALL},
    [JB_CODE_CHANNEL_KIND] = {LISTED,
                              OP(WALLET_CREATE) | OP(CHANNEL_TRANSFER) | OP(CHANNEL_CONNECT) |
                                  OP(CHANNEL_MAIL_ORDER),
                              {JB_FIG_CHANNEL_KIND},
                              ALL},
    [JB_CODE_SEARCH_ID_INVALID] = {LISTED, OP(CHANNEL_SEARCH_ID), {0}, ALL},
    [JB_CODE_SEARCH_ID_SET] = {LISTED, OP(CHANNEL_SEARCH_ID), {JB_FIG_SEQ}, ALL},
    [JB_CODE_SEARCH_ID_TAKEN] = {LISTED, OP(CHANNEL_SEARCH_ID), {JB_FIG_SEQ}, ALL},
    [JB_CODE_BIZ_NUMBER] = {LISTED, OP(BIZ_REQUEST), {JB_FIG_SEQ}, ALL},
    [JB_CODE_BIZ_STATE] = {LISTED,
                           OP(BIZ_APPROVE) | OP(BIZ_REFUSE) | OP(FORGET),
                           {JB_FIG_BIZ_STATE},
                           ALL},
    [JB_CODE_SALES_STATE] = {LISTED,
                             OP(SALES_REQUEST) | OP(SALES_ACCEPT) | OP(SALES_REFUSE) |
                                 OP(SALES_RELEASE),
                             {JB_FIG_SALES_STATE},
                             ALL},
    [JB_CODE_UNCHANGED] = {LISTED,
                           OP(CHANNEL_MAIL_ORDER) | OP(WALLET_SETTLEMENT) | OP(INVOICE_EMAIL) |
                               OP(FORGET),
                           {0},
                           ALL},
    [JB_CODE_MONTH_OPEN] = {LISTED, OP(INVOICE_ISSUE), {JB_FIG_FIRST_OPEN_DAY}, ALL},
    [JB_CODE_NOTHING_TO_INVOICE] = {LISTED, OP(INVOICE_ISSUE), {0}, ALL},
    [JB_CODE_NO_BUSINESS_INFO] = {LISTED, OP(INVOICE_ISSUE) | OP(INVOICE_CORRECT), {0}, ALL},
    [JB_CODE_INVOICE_PENDING] = {LISTED,
                                 OP(INVOICE_ISSUE) | OP(INVOICE_CORRECT),
                                 {JB_FIG_INVOICE},
                                 ALL},
    [JB_CODE_INVOICE_UNKNOWN] = {LISTED, OF_INVOICES, {0}, ALL},
    [JB_CODE_INVOICE_STATE] = {LISTED,
                               OP(INVOICE_CORRECT) | OP(INVOICE_CONFIRM) | OP(INVOICE_FAIL),
                               {JB_FIG_INVOICE_STATE},
                               ALL},
    [JB_CODE_INVOICE_REASON] = {LISTED, OP(INVOICE_ISSUE) | OP(INVOICE_CORRECT), {0}, ALL},
    [JB_CODE_RETENTION] = {LISTED, OP(FORGET), {JB_FIG_UNTIL}, ALL},
};

static bool
can_get(const struct row *row, uint32_t op)
{
    const struct jb_op_info *info = jb_op_get(op);
    const uint64_t members = info->required | info->optional;
    bool listed = (row->ops >> op & 1) != 0;
    switch (row->whose) {
    case LISTED:
        return listed;
    case ANY_OP:
        return true;
    case ANY_SINGLE:
        return op != JB_OP_ATOMIC;
    case OWN_TIME:
        return info->business_time && !listed;
    case NO_TIME:
        return !info->business_time;
    case WITH_WALLET:
        return (members & JB_HAS(JB_CF_WALLET)) != 0 && !listed;
    case WITH_CHANNEL:
        return (members & JB_HAS(JB_CF_CHANNEL)) != 0 && !listed;
    case WITH_EXPECT:
        return (members & JB_HAS(JB_CF_EXPECT)) != 0;
    }
    return false;
}

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
        while (row->which == SOME && k < n && row->figures[k] != p->figures.at[i].name) {
            k++;
        }
        if (k >= n || row->figures[k] != p->figures.at[i].name) {
            return false;
        }
    }
    return row->which == SOME ? p->figures.n > 0
                              : p->figures.n == n || (row->which == BUT_LAST && k + 1 == n);
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
    case JB_FIG_MEMBERS_MAX:
        *ret = jb_policy_at(g, JB_POLICY_MEMBERS_MAX, e->recorded_at);
        return true;
    case JB_FIG_CHANNEL_KIND:
        *ret = JB_CHANNEL_BASIC; /* the other one may all that */
        return true;
    case JB_FIG_FIRST_OPEN_DAY:
        if (e->command_refused.code == JB_CODE_MONTH_OPEN) {
            *ret = jb_open_after_due(g, e->recorded_at);
            return true;
        }
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
    case JB_FIG_SALES_RIGHT:
    case JB_FIG_UNINVOICED:
        return f->value > 0;
    case JB_FIG_INVOICE:
        return f->value > 0 && (uint64_t)f->value <= r->b->g.invoices;
    case JB_FIG_INVOICE_STATE: /* what can be corrected is confirmed, but for what takes back */
        return f->value >= JB_INVOICE_ISSUED && f->value <= JB_INVOICE_FAILED &&
               (f->value != JB_INVOICE_ISSUED || e->command_refused.op == JB_OP_INVOICE_CORRECT);
    case JB_FIG_UNTIL: /* INVITE_EXPIRED: it is over; RETENTION: it is to come */
        return (f->value <= e->recorded_at) == (e->command_refused.op == JB_OP_MEMBER_ACCEPT);
    case JB_FIG_POSTPAID:
    case JB_FIG_POSTPAID_LIMIT:
        return f->value >= 0 && f->value <= JB_AMOUNT_MAX;
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
    /* What is forgotten is in people.mdb, and why it was not. */
    bool known = row != NULL && (row->ops != 0 || row->whose != LISTED) && p->op != JB_OP_FORGET;
    if (!known || op == NULL) {
        return true; /* a code of rules that have no row here yet */
    }
    if (!can_get(row, p->op)) {
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
