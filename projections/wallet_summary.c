#include "projections/wallet_summary.h"

#include <assert.h>

#define CONTRADICTION(condition, sentence)                                                         \
    do {                                                                                           \
        if (condition) {                                                                           \
            return sentence;                                                                       \
        }                                                                                          \
    } while (0)

/* ---- what an event moves ---- */

static const char *
move_parts(struct jb_parts parts, jb_amount amount, jb_amount *ret_money, jb_amount *ret_free,
           jb_amount *ret_lapsed)
{
    jb_amount money = 0, free_cash = 0, lapsed = 0;
    for (uint32_t i = 0; i < parts.n; i++) {
        jb_amount a = parts.at[i].amount;
        switch ((enum jb_part_kind)parts.at[i].kind) {
        case JB_PART_DEBT:
        case JB_PART_LOT:
            money = jb_sum(money, a);
            break;
        case JB_PART_GRANT:
            free_cash = jb_sum(free_cash, a);
            break;
        case JB_PART_LAPSED:
            lapsed = jb_sum(lapsed, a);
            break;
        default:
            return "a part of an event goes to something that does not exist";
        }
    }
    CONTRADICTION(jb_sum(jb_sum(money, free_cash), lapsed) != amount,
                  "the parts of an event do not add up to its amount");
    *ret_money = money;
    *ret_free = free_cash;
    *ret_lapsed = lapsed;
    return NULL;
}

static const char *
move_refund_failed(const struct jb_refund_failed *e, struct jb_move *m)
{
    CONTRADICTION((e->why == JB_FAILURE_AFTER_APPROVAL) != (e->parts.n > 0),
                  "a failed refund that was approved has nothing that came back, or the reverse");
    if (e->parts.n == 0) {
        m->pending = -e->amount; /* not covered at approval: nothing had moved */
        return NULL;
    }
    jb_amount money, none, lapsed;
    const char *why = move_parts(e->parts, e->amount, &money, &none, &lapsed);
    CONTRADICTION(why == NULL && money != e->amount, "a failed refund comes back as free cash");
    m->flows[JB_FLOW_refund_failed] = e->amount;
    m->paid = e->amount;
    m->transit = -e->amount;
    return why;
}

/* A grant that ends: what was left of it goes. */
static void
move_end(jb_amount amount, bool in_use, uint32_t flow, struct jb_move *m)
{
    if (!in_use) {
        m->dormant = -amount;
        return;
    }
    m->flows[flow] = amount;
    m->free = -amount;
}

const char *
jb_move_of(const struct jb_event *e, struct jb_move *ret)
{
    struct jb_move m = {.paid = 0};
    jb_amount a = jb_event_amount(e), money, free_cash, lapsed;
    const char *why = NULL;
    CONTRADICTION(a < 0 || a > JB_BALANCE_MAX, "an amount is out of range");
    switch ((jb_event_type)e->type) {
    case JB_EV_CHARGE_SETTLED:
        m.flows[JB_FLOW_charged] = a;
        m.paid = a;
        break;
    case JB_EV_CHARGE_REVERSED:
        m.flows[JB_FLOW_charge_reversed] = a;
        m.paid = -a;
        break;
    case JB_EV_DEBT_REPAID:
        m.flows[JB_FLOW_debt_repaid] = a;
        m.paid = a;
        break;
    case JB_EV_FREE_GRANTED:
        m.dormant = a;
        break;
    case JB_EV_FREE_ACTIVATED:
        m.flows[JB_FLOW_free_activated] = a;
        m.free = a;
        m.dormant = -a;
        break;
    case JB_EV_FREE_REVOKED:
        m.dormant = -a;
        break;
    case JB_EV_FREE_EXPIRED:
        move_end(a, e->free_expired.in_use, JB_FLOW_expired, &m);
        break;
    case JB_EV_FREE_FORFEITED:
        move_end(a, e->free_forfeited.in_use, JB_FLOW_forfeited, &m);
        break;
    case JB_EV_CASH_CONSUMED:
        why = move_parts(e->cash_consumed.parts, a, &money, &free_cash, &lapsed);
        CONTRADICTION(why != NULL, why);
        CONTRADICTION(lapsed != 0, "lapsed cash is consumed");
        m.flows[JB_FLOW_consumed_paid] = money;
        m.flows[JB_FLOW_consumed_free] = free_cash;
        m.paid = -money;
        m.free = -free_cash;
        break;
    case JB_EV_CONSUMPTION_REVERSED:
        why = move_parts(e->consumption_reversed.parts, a, &money, &free_cash, &lapsed);
        CONTRADICTION(why != NULL, why);
        m.flows[JB_FLOW_returned] = a;
        m.flows[JB_FLOW_expired] = lapsed;
        m.paid = money;
        m.free = free_cash;
        break;
    case JB_EV_REFUND_REQUESTED:
        m.pending = a;
        break;
    case JB_EV_REFUND_CANCELLED:
    case JB_EV_REFUND_REJECTED:
        m.pending = -a;
        break;
    case JB_EV_REFUND_APPROVED:
        m.flows[JB_FLOW_refunded] = a;
        m.paid = -a;
        m.pending = -a;
        m.transit = a;
        break;
    case JB_EV_REFUND_COMPLETED:
        m.transit = -a;
        break;
    case JB_EV_REFUND_FAILED:
        why = move_refund_failed(&e->refund_failed, &m);
        break;
    case JB_EV_LEDGER_CREATED:
    case JB_EV_POLICY_SET:
    case JB_EV_WALLET_CREATED:
    case JB_EV_WALLET_RENAMED:
    case JB_EV_WALLET_TURNED_OFF:
    case JB_EV_WALLET_TURNED_ON:
    case JB_EV_WALLET_SUSPENDED:
    case JB_EV_SUSPENSION_LIFTED:
    case JB_EV_WALLET_DELETED:
    case JB_EV_DAY_CLOSED:
    case JB_EV_COMMAND_REFUSED:
    case JB_EV_ROLE_GIVEN:
    case JB_EV_ROLE_TAKEN:
    case JB_EV_MEMBER_INVITED:
    case JB_EV_MEMBER_JOINED:
    case JB_EV_MEMBER_LEFT:
    case JB_EV_MASTER_TRANSFERRED:
    case JB_EV_CHANNEL_CREATED:
    case JB_EV_CHANNEL_STAFFED:
    case JB_EV_CHANNEL_CONNECTED:
    case JB_EV_CHANNEL_DISCONNECTED:
    case JB_EV_SEARCH_ID_SET:
    case JB_EV_MAIL_ORDER_SET:
    case JB_EV_CHANNEL_CLOSED:
    case JB_EV_BIZ_REQUESTED:
    case JB_EV_BIZ_APPROVED:
    case JB_EV_BIZ_REFUSED:
    case JB_EV_INVOICE_EMAIL_SET:
    case JB_EV_SALES_REQUESTED:
    case JB_EV_SALES_ACCEPTED:
    case JB_EV_SALES_REFUSED:
    case JB_EV_SALES_RELEASED:
    case JB_EV_SETTLEMENT_CHANGED:
    case JB_EV_FORGOTTEN:
    case JB_EV_PEOPLE_ENCRYPTED:
    case JB_EV_NOTICE_SENT:
    case JB_EV_INVOICE_ISSUED:
    case JB_EV_INVOICE_CONFIRMED:
    case JB_EV_INVOICE_FAILED:
    case JB_EV_INVOICE_MAILED:
    case JB_EV_TYPES:
        break;
    }
    *ret = m;
    return why;
}

/* ---- the summary ---- */

enum { JB_HISTORY_none = JB_HISTORY_ALL };

jb_history_kind
jb_history_kind_of(uint32_t type)
{
    static const uint8_t kinds[JB_EV_TYPES] = {
#define EFFECT(NAME, history, cause, ...) [JB_EV_##NAME] = JB_HISTORY_##history,
#include "event/effects.def"
#undef EFFECT
    };
    return type < JB_EV_TYPES ? (jb_history_kind)kinds[type] : JB_HISTORY_ALL;
}

void
jb_summary_free(struct jb_summary *w)
{
    jb_vec_free(&w->grants);
    jb_vec_free(&w->marks);
    jb_vec_free(&w->lasts);
}

static struct jb_summary_grant *
find_grant(const struct jb_summary *w, uint32_t ordinal)
{
    size_t low = 0, high = w->grants.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->grants.at[middle].ordinal < ordinal) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < w->grants.n && w->grants.at[low].ordinal == ordinal ? &w->grants.at[low] : NULL;
}

static void
drop_grant(struct jb_summary *w, struct jb_summary_grant *g)
{
    size_t at = (size_t)(g - w->grants.at);
    memmove(g, g + 1, (w->grants.n - at - 1) * sizeof *g);
    w->grants.n--;
}

struct jb_summary_grant *
jb_summary_grant(const struct jb_summary *w, uint32_t ordinal)
{
    return find_grant(w, ordinal);
}

const char *
jb_summary_fill_again(struct jb_summary *w, uint32_t ordinal, const struct jb_grant_terms *terms,
                      jb_day today)
{
    CONTRADICTION(terms->expires_on < today, "a return fills a grant whose deadline is over");
    if (!jb_vec_reserve(&w->grants, w->grants.n + 1)) {
        return "no memory";
    }
    size_t at = w->grants.n;
    while (at > 0 && w->grants.at[at - 1].ordinal > ordinal) {
        at--;
    }
    memmove(&w->grants.at[at + 1], &w->grants.at[at], (w->grants.n - at) * sizeof *w->grants.at);
    w->grants.at[at] = (struct jb_summary_grant){
        .ordinal = ordinal, .in_use = true, .expires_on = terms->expires_on, .seq = terms->seq};
    w->grants.n++;
    return NULL;
}

static const char *
apply_parts(struct jb_summary *w, const struct jb_event *e)
{
    const struct jb_parts parts = jb_event_parts(e);
    for (uint32_t i = 0; i < parts.n; i++) {
        if (parts.at[i].kind != JB_PART_GRANT) {
            continue;
        }
        const jb_amount amount = parts.at[i].amount;
        struct jb_summary_grant *g = find_grant(w, parts.at[i].ordinal);
        CONTRADICTION(g == NULL || !g->in_use, "an event uses a grant that is not in use");
        g->remaining += e->type == JB_EV_CASH_CONSUMED ? -amount : amount;
        CONTRADICTION(g->remaining < 0 || g->remaining > JB_BALANCE_MAX,
                      "more is taken from a grant than it has");
        if (g->remaining == 0) {
            drop_grant(w, g);
        }
    }
    return NULL;
}

static const char *
add_grant(struct jb_summary *w, jb_seq seq, const struct jb_free_granted *e)
{
    CONTRADICTION(w->grants.n > 0 && w->grants.at[w->grants.n - 1].ordinal >= e->grant_no,
                  "a grant's ordinal is out of order");
    if (!jb_vec_reserve(&w->grants, w->grants.n + 1)) {
        return "no memory";
    }
    w->grants.at[w->grants.n++] = (struct jb_summary_grant){
        .ordinal = e->grant_no, .expires_on = e->expires_on, .remaining = e->amount, .seq = seq};
    return NULL;
}

static const char *
apply_grant(struct jb_summary *w, const struct jb_event *e)
{
    if (e->type == JB_EV_FREE_GRANTED) {
        return add_grant(w, e->seq, &e->free_granted);
    }
    struct jb_summary_grant *g = find_grant(w, jb_event_ordinal(e));
    CONTRADICTION(g == NULL || g->remaining != jb_event_amount(e),
                  "an event about a grant does not name what is left of it");
    if (e->type == JB_EV_FREE_ACTIVATED) {
        CONTRADICTION(g->in_use, "a grant is activated twice");
        g->in_use = true;
        return NULL;
    }
    bool in_use = e->type == JB_EV_FREE_EXPIRED     ? e->free_expired.in_use
                  : e->type == JB_EV_FREE_FORFEITED ? e->free_forfeited.in_use
                                                    : false; /* revoked */
    CONTRADICTION(g->in_use != in_use, "a grant ends in a state that it is not in");
    drop_grant(w, g);
    return NULL;
}

static const char *
apply_status(struct jb_summary *w, const struct jb_event *e)
{
    switch (e->type) {
    case JB_EV_WALLET_CREATED:
        w->created_seq = e->seq;
        w->created_on = e->posted_on;
        w->status = w->under = JB_WALLET_ACTIVE;
        break;
    case JB_EV_WALLET_TURNED_OFF:
        w->status = JB_WALLET_OFF;
        break;
    case JB_EV_WALLET_TURNED_ON:
        w->status = JB_WALLET_ACTIVE;
        break;
    case JB_EV_WALLET_SUSPENDED:
        w->under = w->status;
        w->status = JB_WALLET_SUSPENDED;
        break;
    case JB_EV_SUSPENSION_LIFTED:
        w->status = w->under;
        break;
    default:
        w->status = JB_WALLET_DELETED;
        break;
    }
    return NULL;
}

/* One of a type or version that is not known, and may be skipped, is in no list by type. Most
 * events are of the type of the one before. */
static const char *
apply_last(struct jb_summary *w, const struct jb_event *e)
{
    size_t i = 0;
    if (e->type >= JB_EV_TYPES) {
        return NULL;
    }
    while (i < w->lasts.n && w->lasts.at[i].type != e->type) {
        i++;
    }
    if (i == w->lasts.n) {
        CONTRADICTION(!jb_vec_reserve(&w->lasts, i + 1), "no memory");
        w->lasts.n++;
    }
    for (; i > 0; i--) {
        w->lasts.at[i] = w->lasts.at[i - 1];
    }
    w->lasts.at[0] = (struct jb_last){e->seq, e->type};
    return NULL;
}

/* What lists are filtered by, beside the money. */
static void
apply_about(struct jb_summary *w, const struct jb_event *e)
{
    if (e->type == JB_EV_CASH_CONSUMED) {
        w->used_at = e->occurred_at;
    } else if (e->type == JB_EV_WALLET_CREATED) {
        w->kind = e->wallet_created.kind;
        w->name = e->wallet_created.name;
        w->master = e->wallet_created.master;
        w->used_at = JB_NO_INSTANT;
    } else if (e->type == JB_EV_WALLET_RENAMED) {
        w->name = e->wallet_renamed.name;
    } else if (e->type == JB_EV_MASTER_TRANSFERRED) {
        w->master = e->master_transferred.to;
    }
}

const char *
jb_summary_apply(struct jb_summary *w, const struct jb_event *e, const struct jb_move *m)
{
    CONTRADICTION(e->prev != w->version, "an event does not name its wallet's event before it");
    CONTRADICTION((w->version == 0) != (e->type == JB_EV_WALLET_CREATED),
                  "a wallet does not begin with its creation, or begins twice");
    const char *why = NULL;
    switch ((jb_event_type)e->type) {
    case JB_EV_WALLET_CREATED:
    case JB_EV_WALLET_TURNED_OFF:
    case JB_EV_WALLET_TURNED_ON:
    case JB_EV_WALLET_SUSPENDED:
    case JB_EV_SUSPENSION_LIFTED:
    case JB_EV_WALLET_DELETED:
        why = apply_status(w, e);
        break;
    case JB_EV_FREE_GRANTED:
    case JB_EV_FREE_ACTIVATED:
    case JB_EV_FREE_REVOKED:
    case JB_EV_FREE_EXPIRED:
    case JB_EV_FREE_FORFEITED:
        why = apply_grant(w, e);
        break;
    case JB_EV_CASH_CONSUMED:
    case JB_EV_CONSUMPTION_REVERSED:
        why = apply_parts(w, e);
        break;
    case JB_EV_LEDGER_CREATED:
    case JB_EV_POLICY_SET:
    case JB_EV_WALLET_RENAMED:
    case JB_EV_CHARGE_SETTLED:
    case JB_EV_CHARGE_REVERSED:
    case JB_EV_DEBT_REPAID:
    case JB_EV_REFUND_REQUESTED:
    case JB_EV_REFUND_CANCELLED:
    case JB_EV_REFUND_REJECTED:
    case JB_EV_REFUND_APPROVED:
    case JB_EV_REFUND_COMPLETED:
    case JB_EV_REFUND_FAILED:
    case JB_EV_DAY_CLOSED:
    case JB_EV_COMMAND_REFUSED:
    case JB_EV_ROLE_GIVEN:
    case JB_EV_ROLE_TAKEN:
    case JB_EV_MEMBER_INVITED:
    case JB_EV_MEMBER_JOINED:
    case JB_EV_MEMBER_LEFT:
    case JB_EV_MASTER_TRANSFERRED:
    case JB_EV_CHANNEL_CREATED:
    case JB_EV_CHANNEL_STAFFED:
    case JB_EV_CHANNEL_CONNECTED:
    case JB_EV_CHANNEL_DISCONNECTED:
    case JB_EV_SEARCH_ID_SET:
    case JB_EV_MAIL_ORDER_SET:
    case JB_EV_CHANNEL_CLOSED:
    case JB_EV_BIZ_REQUESTED:
    case JB_EV_BIZ_APPROVED:
    case JB_EV_BIZ_REFUSED:
    case JB_EV_INVOICE_EMAIL_SET:
    case JB_EV_SALES_REQUESTED:
    case JB_EV_SALES_ACCEPTED:
    case JB_EV_SALES_REFUSED:
    case JB_EV_SALES_RELEASED:
    case JB_EV_SETTLEMENT_CHANGED:
    case JB_EV_FORGOTTEN:
    case JB_EV_PEOPLE_ENCRYPTED:
    case JB_EV_NOTICE_SENT:
    case JB_EV_INVOICE_ISSUED:
    case JB_EV_INVOICE_CONFIRMED:
    case JB_EV_INVOICE_FAILED:
    case JB_EV_INVOICE_MAILED:
    case JB_EV_TYPES:
        break;
    }
    why = why == NULL ? apply_last(w, e) : why;
    apply_about(w, e);
    w->moved = m->paid != 0 || m->free != 0 ? e->seq : w->moved;
    w->paid = jb_sum(w->paid, m->paid);
    w->pending = jb_sum(w->pending, m->pending);
    w->transit = jb_sum(w->transit, m->transit);
    w->version = e->seq;
    w->events++;
    return why;
}

void
jb_summary_sum(const struct jb_summary *w, jb_day today, struct jb_summary_sums *ret)
{
    *ret = (struct jb_summary_sums){0};
    for (size_t i = 0; i < w->grants.n; i++) {
        const struct jb_summary_grant *g = &w->grants.at[i];
        bool due = g->expires_on < today;
        jb_amount *to = g->in_use ? (due ? &ret->free_due : &ret->free)
                                  : (due ? &ret->dormant_due : &ret->dormant);
        *to = jb_sum(*to, g->remaining);
    }
}

/*
 * As lists of numbers (base/numbers.h): the summary, with how many grants, marks and types follow;
 * then each grant; each mark, its sum zigzag and in two halves; and each type, the newest first.
 * Events are told as how far they are before the wallet's last one.
 */
enum {
    S_VERSION,
    S_CREATED_SEQ,
    S_EVENTS,
    S_SNAPSHOT_EVENTS,
    S_CREATED_ON,
    S_STATUS,
    S_UNDER,
    S_PAID,
    S_PENDING,
    S_TRANSIT,
    S_KIND,
    S_NAME,
    S_MASTER,
    S_USED_AT, /* and one: none is 0 */
    S_MOVED,
    S_GRANTS,
    S_MARKS,
    S_LASTS,
    S_N
};
enum { G_ORDINAL, G_IN_USE, G_EXPIRES_ON, G_REMAINING, G_SEQ, G_N };
enum { M_DAY, M_CAUSE, M_COUNT, M_LOW, M_HIGH, M_FIRST, M_N };
enum { L_TYPE, L_SEQ, L_N };
static_assert((int)S_N <= JB_NUMBERS_MAX, "a summary is one list");
static_assert(JB_NO_INSTANT == INT64_MIN, "its zigzag number, and no other, has all bits");

size_t
jb_summary_bytes_max(const struct jb_summary *w)
{
    return JB_NUMBERS_BYTES_MAX(S_N) + JB_NUMBERS_BYTES_MAX(G_N) * w->grants.n +
           JB_NUMBERS_BYTES_MAX(M_N) * w->marks.n + JB_NUMBERS_BYTES_MAX(L_N) * w->lasts.n;
}

static size_t
put_grant(uint8_t *at, const struct jb_summary *w, const struct jb_summary_grant *g)
{
    const uint64_t n[G_N] = {[G_ORDINAL] = g->ordinal,
                             [G_IN_USE] = g->in_use,
                             [G_EXPIRES_ON] = jb_zigzag(g->expires_on),
                             [G_REMAINING] = jb_zigzag(g->remaining),
                             [G_SEQ] = w->version - g->seq};
    return jb_numbers_put(at, n, G_N);
}

static size_t
put_mark(uint8_t *at, const struct jb_summary *w, const struct jb_mark *m)
{
    const jb_uwide amount = ((jb_uwide)m->amount << 1) ^ (jb_uwide)(m->amount >> 127);
    const uint64_t n[M_N] = {[M_DAY] = jb_zigzag(m->day),
                             [M_CAUSE] = m->cause * 2U + m->late,
                             [M_COUNT] = m->n,
                             [M_LOW] = (uint64_t)amount,
                             [M_HIGH] = (uint64_t)(amount >> 64),
                             [M_FIRST] = w->version - m->first};
    return jb_numbers_put(at, n, M_N);
}

size_t
jb_summary_encode(const struct jb_summary *w, uint8_t *out)
{
    const uint64_t n[S_N] = {[S_VERSION] = w->version,
                             [S_CREATED_SEQ] = w->version - w->created_seq,
                             [S_EVENTS] = w->events,
                             [S_SNAPSHOT_EVENTS] = w->snapshot_events,
                             [S_CREATED_ON] = jb_zigzag(w->created_on),
                             [S_STATUS] = w->status,
                             [S_UNDER] = w->under,
                             [S_PAID] = jb_zigzag(w->paid),
                             [S_PENDING] = jb_zigzag(w->pending),
                             [S_TRANSIT] = jb_zigzag(w->transit),
                             [S_KIND] = w->kind,
                             [S_NAME] = w->name,
                             [S_MASTER] = w->master,
                             [S_USED_AT] = jb_zigzag(w->used_at) + 1,
                             [S_MOVED] = w->version - w->moved,
                             [S_GRANTS] = w->grants.n,
                             [S_MARKS] = w->marks.n,
                             [S_LASTS] = w->lasts.n};
    uint8_t *at = out + jb_numbers_put(out, n, S_N);
    for (size_t i = 0; i < w->grants.n; i++) {
        at += put_grant(at, w, &w->grants.at[i]);
    }
    for (size_t i = 0; i < w->marks.n; i++) {
        at += put_mark(at, w, &w->marks.at[i]);
    }
    for (size_t i = 0; i < w->lasts.n; i++) {
        const struct jb_last *l = &w->lasts.at[i];
        const uint64_t last[L_N] = {[L_TYPE] = l->type, [L_SEQ] = w->version - l->seq};
        at += jb_numbers_put(at, last, L_N);
    }
    return (size_t)(at - out);
}

/* The lists of a summary as they are read. */
struct lists {
    const uint8_t *at;
    size_t left;
    bool bad;
};

/* n becomes all zero where there is no such list. */
static void
next_list(struct lists *l, uint64_t *n, unsigned count)
{
    const size_t bytes = l->bad ? 0 : jb_numbers_get(l->at, l->left, n, count);
    if (bytes == 0) {
        l->bad = true;
        memset(n, 0, count * sizeof *n);
    }
    l->at += bytes;
    l->left -= bytes;
}

static uint32_t
get_u32(struct lists *l, uint64_t number)
{
    l->bad |= number > UINT32_MAX;
    return (uint32_t)number;
}

static jb_day
get_day(struct lists *l, uint64_t number)
{
    l->bad |= number > UINT32_MAX;
    return (jb_day)jb_unzigzag(number);
}

static struct jb_summary_grant
get_grant(struct lists *l, jb_seq version)
{
    uint64_t n[G_N];
    next_list(l, n, G_N);
    l->bad |= n[G_IN_USE] > 1;
    return (struct jb_summary_grant){.ordinal = get_u32(l, n[G_ORDINAL]),
                                     .in_use = n[G_IN_USE] != 0,
                                     .expires_on = get_day(l, n[G_EXPIRES_ON]),
                                     .remaining = jb_unzigzag(n[G_REMAINING]),
                                     .seq = version - n[G_SEQ]};
}

static struct jb_mark
get_mark(struct lists *l, jb_seq version)
{
    uint64_t n[M_N];
    next_list(l, n, M_N);
    const jb_uwide amount = (jb_uwide)n[M_HIGH] << 64 | n[M_LOW];
    l->bad |= n[M_CAUSE] / 2 >= JB_CAUSES_N;
    return (struct jb_mark){.day = get_day(l, n[M_DAY]),
                            .cause = (uint8_t)(n[M_CAUSE] / 2),
                            .late = n[M_CAUSE] % 2 != 0,
                            .n = n[M_COUNT],
                            .amount = (jb_wide)(amount >> 1 ^ -(amount & 1)),
                            .first = version - n[M_FIRST]};
}

static struct jb_last
get_last(struct lists *l, jb_seq version)
{
    uint64_t n[L_N];
    next_list(l, n, L_N);
    l->bad |= n[L_TYPE] >= JB_EV_TYPES;
    return (struct jb_last){.seq = version - n[L_SEQ], .type = (uint32_t)n[L_TYPE]};
}

jb_status
jb_summary_decode(const uint8_t *bytes, size_t n, struct jb_summary *ret)
{
    struct lists l = {bytes, n, false};
    uint64_t s[S_N];
    next_list(&l, s, S_N);
    /* Each of the lists that follow has a byte at least. */
    if (l.bad || s[S_GRANTS] > l.left || s[S_MARKS] > l.left || s[S_LASTS] > l.left) {
        return JB_E_STALE;
    }
    struct jb_summary w = {.version = s[S_VERSION],
                           .created_seq = s[S_VERSION] - s[S_CREATED_SEQ],
                           .events = s[S_EVENTS],
                           .snapshot_events = s[S_SNAPSHOT_EVENTS],
                           .created_on = get_day(&l, s[S_CREATED_ON]),
                           .status = get_u32(&l, s[S_STATUS]),
                           .under = get_u32(&l, s[S_UNDER]),
                           .paid = jb_unzigzag(s[S_PAID]),
                           .pending = jb_unzigzag(s[S_PENDING]),
                           .transit = jb_unzigzag(s[S_TRANSIT]),
                           .kind = get_u32(&l, s[S_KIND]),
                           .name = s[S_NAME],
                           .master = s[S_MASTER],
                           .used_at = jb_unzigzag(s[S_USED_AT] - 1),
                           .moved = s[S_VERSION] - s[S_MOVED]};
    if (!jb_vec_reserve(&w.grants, s[S_GRANTS]) || !jb_vec_reserve(&w.marks, s[S_MARKS]) ||
        !jb_vec_reserve(&w.lasts, s[S_LASTS])) {
        jb_summary_free(&w);
        return JB_E_NOMEM;
    }
    while (w.grants.n < s[S_GRANTS]) {
        w.grants.at[w.grants.n++] = get_grant(&l, w.version);
    }
    while (w.marks.n < s[S_MARKS]) {
        w.marks.at[w.marks.n++] = get_mark(&l, w.version);
    }
    while (w.lasts.n < s[S_LASTS]) {
        w.lasts.at[w.lasts.n++] = get_last(&l, w.version);
    }
    if (l.bad || l.left != 0) {
        jb_summary_free(&w);
        return JB_E_STALE;
    }
    *ret = w;
    return JB_OK;
}
