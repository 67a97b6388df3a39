/* The life of a wallet. docs/rules.md sections 1 and 13. */
#include <assert.h>

#include "base/error.h"
#include "rules/rules.h"

const struct jb_around jb_around_nothing = {.channel_no = 0};

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
    return jb_rest(w)->limit;
}

static bool
no_refund(const struct jb_wallet *w, const struct jb_around *a)
{
    (void)a;
    return jb_rest(w)->refunds_open == 0;
}

static int64_t
the_refunds(const struct jb_wallet *w, const struct jb_around *a)
{
    (void)a;
    return jb_rest(w)->refunds_open;
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
    for (size_t i = 0; i < jb_rest(k->w)->grants.n; i++) {
        if (jb_grant_unfinished(&jb_rest(k->w)->grants.at[i], k->m->today)) {
            v->event.wallet_deleted.forfeited += jb_rest(k->w)->grants.at[i].remaining;
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
    if (!jb_admit(w, c, around, m, v)) {
        return;
    }
    struct jb_case k = {g, w, c, loaded, around, m};
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
