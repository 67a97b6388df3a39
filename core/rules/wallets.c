/* The life of a wallet, and which command which state allows. docs/rules.md sections 1 and 5. */
#include <assert.h>

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

/* expect: a wallet's version, or that of a channel where the command is on no wallet. */
static bool
admit_version(const struct jb_command *c, jb_seq version, struct jb_verdict *v)
{
    if ((c->has & JB_HAS(JB_CF_EXPECT)) != 0 && c->expect != version) {
        jb_refuse_with(v, JB_CODE_EXPECT_MISMATCH, JB_FIG_VERSION, (int64_t)version);
    }
    return v->code == JB_CODE_NONE;
}

/* The channel that the command names is there (of one that is made it is asked later), and the
 * actor may. */
static bool
admit_channel_and_role(const struct jb_command *c, const struct jb_around *a, struct jb_verdict *v)
{
    if (a->named && a->channel_no == 0 && c->op != JB_OP_CHANNEL_CREATE) {
        jb_refuse(v, JB_CODE_CHANNEL_UNKNOWN);
        return false;
    }
    return jb_admit_role(a, v);
}

/* What is of a channel, or of the whole ledger. */
static bool
admit_without_wallet(const struct jb_command *c, const struct jb_around *a, struct jb_verdict *v)
{
    return admit_channel_and_role(c, a, v) && admit_version(c, a->channel.version, v);
}

/* Wallet, channel, role, expect, state: in this order (docs/rules.md section 5). False: v says why
 * not. */
static bool
admit(const struct jb_wallet *w, const struct jb_command *c, const struct jb_around *a,
      const struct jb_decision_time *m, struct jb_verdict *v)
{
    if ((c->has & JB_HAS(JB_CF_WALLET)) == 0) {
        return admit_without_wallet(c, a, v);
    }
    if (c->op == JB_OP_WALLET_CREATE) {
        if (w != NULL) {
            jb_refuse(v, JB_CODE_WALLET_EXISTS);
            return false;
        }
        return admit_channel_and_role(c, a, v) && admit_version(c, 0, v);
    }
    if (w == NULL) {
        jb_refuse(v, JB_CODE_WALLET_UNKNOWN);
        return false;
    }
    if (w->status == JB_WALLET_DELETED && !jb_wallet_allows(JB_WALLET_DELETED, c->op)) {
        jb_refuse(v, JB_CODE_WALLET_DELETED);
        return false;
    }
    jb_seq version = m->known_version != 0 ? m->known_version : w->version;
    if (!admit_channel_and_role(c, a, v) || !admit_version(c, version, v)) {
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
                    const struct jb_around *around, const struct jb_decision_time *m,
                    struct jb_verdict *v)
{
    return admit(w, c, around, m, v);
}

const struct jb_around jb_around_nothing = {.channel_no = 0};

bool
jb_kind_is(const struct jb_case *k, uint32_t kinds, struct jb_verdict *v)
{
    if ((kinds & 1U << k->w->kind) != 0) {
        return true;
    }
    jb_refuse_with(v, JB_CODE_WALLET_KIND, JB_FIG_KIND, k->w->kind);
    jb_refuse_figure(v, JB_FIG_KINDS, kinds);
    return false;
}

void
jb_refuse_channel(const struct jb_case *k, struct jb_verdict *v)
{
    jb_refuse_with(v, JB_CODE_CHANNEL_STATE, JB_FIG_CHANNEL_STATE, k->a->channel_state);
}

void
jb_refuse_person(const struct jb_case *k, struct jb_verdict *v)
{
    jb_refuse_with(v, JB_CODE_PERSON_STATE, JB_FIG_PERSON_STATE, k->a->person_state);
}

void
jb_rule_none(const struct jb_case *k, struct jb_verdict *v)
{
    (void)k;
    (void)v;
    JB_ASSERT(false); /* policies, closings and groups are no commands on a wallet */
}

void
jb_rule_wallet_create(const struct jb_case *k, struct jb_verdict *v)
{
    const struct jb_around *a = k->a;
    if (a->named && a->channel_state == JB_CHANNEL_CLOSED) {
        jb_refuse_channel(k, v);
        return;
    }
    if (a->named && k->c->kind == JB_KIND_BUSINESS && a->channel.kind != JB_CHANNEL_BUSINESS) {
        jb_refuse_with(v, JB_CODE_CHANNEL_KIND, JB_FIG_CHANNEL_KIND, (int64_t)a->channel.kind);
        return;
    }
    /* Who may otherwise do anything with it? */
    if (a->enforced && a->carried != JB_ROLE_CHANNEL_MASTER && !jb_given(k->c, JB_CF_MASTER)) {
        jb_refuse(v, JB_CODE_MASTER_NEEDED);
        return;
    }
    v->event.type = JB_EV_WALLET_CREATED;
    v->event.wallet_created.id = k->c->wallet;
    v->event.wallet_created.kind = k->c->kind;
}

void
jb_rule_wallet_status(const struct jb_case *k, struct jb_verdict *v)
{
    v->event.type = jb_op_get((uint32_t)k->c->op)->event_type;
}

/* The conditions of a deletion, as data. Each gives the figure that explains why it does not hold.
 */
struct condition {
    jb_figure_name name;
    bool (*met)(const struct jb_wallet *w, const struct jb_around *a);
    int64_t (*figure)(const struct jb_wallet *w, const struct jb_around *a);
};

static bool
is_off(const struct jb_wallet *w, const struct jb_around *a)
{
    (void)a;
    return w->status == JB_WALLET_OFF;
}

static int64_t
the_status(const struct jb_wallet *w, const struct jb_around *a)
{
    (void)a;
    return w->status;
}

static bool
sales_right_is_free(const struct jb_wallet *w, const struct jb_around *a)
{
    (void)w;
    return a->wallet.agency == 0;
}

static int64_t
the_sales_right(const struct jb_wallet *w, const struct jb_around *a)
{
    (void)w;
    return (int64_t)a->wallet.agency_since;
}

static bool
paid_is_zero(const struct jb_wallet *w, const struct jb_around *a)
{
    (void)a;
    return w->paid == 0;
}

static int64_t
the_paid(const struct jb_wallet *w, const struct jb_around *a)
{
    (void)a;
    return w->paid;
}

static bool
is_prepaid(const struct jb_wallet *w, const struct jb_around *a)
{
    (void)a;
    return w->settlement != JB_SETTLEMENT_POSTPAID;
}

static int64_t
the_limit(const struct jb_wallet *w, const struct jb_around *a)
{
    (void)a;
    return w->limit;
}

static bool
no_refund(const struct jb_wallet *w, const struct jb_around *a)
{
    (void)a;
    return w->refunds_open == 0;
}

static int64_t
the_refunds(const struct jb_wallet *w, const struct jb_around *a)
{
    (void)a;
    return w->refunds_open;
}

static bool
all_is_invoiced(const struct jb_wallet *w, const struct jb_around *a)
{
    const struct jb_wallet_papers *of = &a->papers.of;
    (void)w;
    return of->uneven == 0 && of->unconfirmed == 0 && of->torn == 0;
}

static int64_t
the_uninvoiced(const struct jb_wallet *w, const struct jb_around *a)
{
    const struct jb_wallet_papers *of = &a->papers.of;
    jb_wide won = (jb_wide)of->uneven_won + of->unconfirmed_won + of->torn_won;
    (void)w;
    return won > INT64_MAX ? INT64_MAX : (int64_t)won;
}

static const struct condition conditions[] = {
    {JB_FIG_NOT_OFF, is_off, the_status},
    {JB_FIG_SALES_RIGHT, sales_right_is_free, the_sales_right},
    {JB_FIG_PAID_NOT_ZERO, paid_is_zero, the_paid},
    {JB_FIG_POSTPAID, is_prepaid, the_limit},
    {JB_FIG_REFUND_OUTSTANDING, no_refund, the_refunds},
    {JB_FIG_UNINVOICED, all_is_invoiced, the_uninvoiced},
};

size_t
jb_delete_conditions(const struct jb_wallet *w, const struct jb_around *a,
                     struct jb_delete_condition ret[JB_DELETE_CONDITIONS_MAX])
{
    size_t n = sizeof conditions / sizeof conditions[0];
    static_assert(sizeof conditions / sizeof conditions[0] <= JB_DELETE_CONDITIONS_MAX,
                  "more conditions than there is room for");
    for (size_t i = 0; i < n; i++) {
        ret[i] = (struct jb_delete_condition){conditions[i].name, conditions[i].met(w, a),
                                              conditions[i].figure(w, a)};
    }
    return n;
}

void
jb_rule_wallet_delete(const struct jb_case *k, struct jb_verdict *v)
{
    struct jb_delete_condition all[JB_DELETE_CONDITIONS_MAX];
    size_t n = jb_delete_conditions(k->w, k->a, all);
    for (size_t i = 0; i < n; i++) {
        if (!all[i].met) {
            v->code = JB_CODE_DELETE_CONDITIONS;
            jb_refuse_figure(v, all[i].name, all[i].figure);
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

/* What the channel that a charge or a consumption names was at that time. */
static void
refuse_unconnected(const struct jb_case *k, struct jb_verdict *v)
{
    uint32_t state = k->a->channel_state;
    jb_refuse_with(v, JB_CODE_CHANNEL_STATE, JB_FIG_CHANNEL_STATE,
                   state == JB_CHANNEL_CONNECTED ? JB_CHANNEL_FREE : state);
}

/* An event of a channel belongs to it; one that only names it says so. */
static void
set_channel(const struct jb_globals *g, const struct jb_command *c, const struct jb_around *a,
            struct jb_verdict *v)
{
    struct jb_event *e = &v->event;
    if (c->op == JB_OP_CHARGE || c->op == JB_OP_CONSUME || c->op == JB_OP_WALLET_CREATE) {
        e->flags |= JB_EVF_CHANNEL;
        e->channel = a->channel_no;
        return;
    }
    bool created = c->op == JB_OP_CHANNEL_CREATE;
    e->flags |= JB_EVF_SUBJECT;
    e->subject_kind = JB_SUBJECT_CHANNEL;
    e->subject = created ? g->channels_given + 1U : a->channel_no;
    e->subject_prev = created ? 0 : a->channel.version;
}

void
jb_decide_wallet(const struct jb_globals *g, const struct jb_wallet *w, const struct jb_command *c,
                 const struct jb_prefetched *loaded, const struct jb_around *around,
                 const struct jb_decision_time *m, struct jb_verdict *v)
{
    static void (*const rules[JB_OPS])(const struct jb_case *, struct jb_verdict *) = {
#define OP(NAME, word, event, at, states, rule, ...) [JB_OP_##NAME] = rule,
#include "event/commands.def"
#undef OP
    };
    if (!admit(w, c, around, m, v)) {
        return;
    }
    struct jb_case k = {g, w, c, loaded, around, m};
    if ((c->op == JB_OP_CHARGE || c->op == JB_OP_CONSUME) && around->named && !around->connected) {
        refuse_unconnected(&k, v);
        return;
    }
    rules[c->op](&k, v);
    if (v->parts.n > JB_PARTS_MAX && c->op != JB_OP_REFUND_FAIL && !m->any_parts && !v->no_memory) {
        refuse_too_many_parts(&k, v);
        return;
    }
    bool created = c->op == JB_OP_WALLET_CREATE;
    v->event.wallet = created ? g->wallets_given + 1 : w != NULL ? w->number : 0;
    v->event.prev = w != NULL ? w->version : 0;
    if (around->named && v->code == JB_CODE_NONE) {
        set_channel(g, c, around, v);
    }
    jb_event_set_parts(&v->event, (struct jb_parts){v->parts.at, (uint32_t)v->parts.n});
}
