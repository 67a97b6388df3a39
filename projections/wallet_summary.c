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

/* As bytes: version 8, created_seq 8, events 8, snapshot_events 8, created_on 4, status 1, under 1,
 * paid 8, pending 8, transit 8, kind 1, name 8, master 8, used_at 8, moved 6, grants 4, marks 4,
 * types 1, then for each grant ordinal 4, in_use 1, expires_on 4, remaining 8, seq 8, for each mark
 * day 4, cause and late 1, n 5, amount 12, first 6, and for each type, the newest first, its number
 * 1, its last event 6. */
#define MOVED_AT 87
#define GRANTS_AT 93
#define MARKS_AT 97
#define LASTS_AT 101
#define SUMMARY_BYTES 102
#define GRANT_BYTES 25
#define MARK_BYTES 28
#define LAST_BYTES 7
static_assert(JB_EV_TYPES <= UINT8_MAX, "a type is one byte");

static void
mark_encode(const struct jb_mark *m, uint8_t *out)
{
    jb_put_be_i32(out, m->day);
    out[4] = (uint8_t)(m->cause * 2 + m->late);
    jb_put_be(out + 5, 5, m->n);
    jb_put_be(out + 10, 4, (uint64_t)((jb_uwide)m->amount >> 64));
    jb_put_be(out + 14, 8, (uint64_t)m->amount);
    jb_put_be(out + 22, 6, m->first);
}

static struct jb_mark
mark_decode(const uint8_t *at)
{
    const int64_t upper = (int32_t)jb_get_be(at + 10, 4);
    return (struct jb_mark){.day = jb_get_be_i32(at),
                            .cause = at[4] / 2,
                            .late = at[4] % 2 != 0,
                            .n = jb_get_be(at + 5, 5),
                            .amount =
                                (jb_wide)((jb_uwide)(uint64_t)upper << 64 | jb_get_be(at + 14, 8)),
                            .first = jb_get_be(at + 22, 6)};
}

size_t
jb_summary_bytes(const struct jb_summary *w)
{
    return SUMMARY_BYTES + GRANT_BYTES * w->grants.n + MARK_BYTES * w->marks.n +
           LAST_BYTES * w->lasts.n;
}

void
jb_summary_encode(const struct jb_summary *w, uint8_t *out)
{
    jb_put_be(out, 8, w->version);
    jb_put_be(out + 8, 8, w->created_seq);
    jb_put_be(out + 16, 8, w->events);
    jb_put_be(out + 24, 8, w->snapshot_events);
    jb_put_be_i32(out + 32, w->created_on);
    out[36] = (uint8_t)w->status;
    out[37] = (uint8_t)w->under;
    jb_put_be(out + 38, 8, (uint64_t)w->paid);
    jb_put_be(out + 46, 8, (uint64_t)w->pending);
    jb_put_be(out + 54, 8, (uint64_t)w->transit);
    out[62] = (uint8_t)w->kind;
    jb_put_be(out + 63, 8, w->name);
    jb_put_be(out + 71, 8, w->master);
    jb_put_be(out + 79, 8, (uint64_t)w->used_at);
    jb_put_be(out + MOVED_AT, 6, w->moved);
    jb_put_be(out + GRANTS_AT, 4, w->grants.n);
    jb_put_be(out + MARKS_AT, 4, w->marks.n);
    out[LASTS_AT] = (uint8_t)w->lasts.n;
    out += SUMMARY_BYTES;
    for (size_t i = 0; i < w->grants.n; i++, out += GRANT_BYTES) {
        const struct jb_summary_grant *g = &w->grants.at[i];
        jb_put_be(out, 4, g->ordinal);
        out[4] = g->in_use;
        jb_put_be_i32(out + 5, g->expires_on);
        jb_put_be(out + 9, 8, (uint64_t)g->remaining);
        jb_put_be(out + 17, 8, g->seq);
    }
    for (size_t i = 0; i < w->marks.n; i++, out += MARK_BYTES) {
        mark_encode(&w->marks.at[i], out);
    }
    for (size_t i = 0; i < w->lasts.n; i++, out += LAST_BYTES) {
        out[0] = (uint8_t)w->lasts.at[i].type;
        jb_put_be(out + 1, 6, w->lasts.at[i].seq);
    }
}

jb_status
jb_summary_decode(const uint8_t *bytes, size_t n, struct jb_summary *ret)
{
    const size_t grants_n = n >= SUMMARY_BYTES ? jb_get_be(bytes + GRANTS_AT, 4) : 0;
    const size_t marks_n = n >= SUMMARY_BYTES ? jb_get_be(bytes + MARKS_AT, 4) : 0;
    const size_t lasts_n = n >= SUMMARY_BYTES ? bytes[LASTS_AT] : 0;
    if (n != SUMMARY_BYTES + GRANT_BYTES * grants_n + MARK_BYTES * marks_n + LAST_BYTES * lasts_n) {
        return JB_E_STALE;
    }
    struct jb_summary w = {
        .version = jb_get_be(bytes, 8),
        .created_seq = jb_get_be(bytes + 8, 8),
        .events = jb_get_be(bytes + 16, 8),
        .snapshot_events = jb_get_be(bytes + 24, 8),
        .created_on = jb_get_be_i32(bytes + 32),
        .status = bytes[36],
        .under = bytes[37],
        .paid = (jb_amount)jb_get_be(bytes + 38, 8),
        .pending = (jb_amount)jb_get_be(bytes + 46, 8),
        .transit = (jb_amount)jb_get_be(bytes + 54, 8),
        .kind = bytes[62],
        .name = jb_get_be(bytes + 63, 8),
        .master = jb_get_be(bytes + 71, 8),
        .used_at = (jb_instant)jb_get_be(bytes + 79, 8),
        .moved = jb_get_be(bytes + MOVED_AT, 6),
    };
    if (!jb_vec_reserve(&w.grants, grants_n) || !jb_vec_reserve(&w.marks, marks_n) ||
        !jb_vec_reserve(&w.lasts, lasts_n)) {
        jb_summary_free(&w);
        return JB_E_NOMEM;
    }
    const uint8_t *at = bytes + SUMMARY_BYTES;
    for (w.grants.n = 0; w.grants.n < grants_n; w.grants.n++, at += GRANT_BYTES) {
        w.grants.at[w.grants.n] = (struct jb_summary_grant){
            .ordinal = (uint32_t)jb_get_be(at, 4),
            .in_use = at[4] != 0,
            .expires_on = jb_get_be_i32(at + 5),
            .remaining = (jb_amount)jb_get_be(at + 9, 8),
            .seq = jb_get_be(at + 17, 8),
        };
    }
    for (; w.marks.n < marks_n; w.marks.n++, at += MARK_BYTES) {
        w.marks.at[w.marks.n] = mark_decode(at);
        if (w.marks.at[w.marks.n].cause >= JB_CAUSES_N) {
            jb_summary_free(&w);
            return JB_E_STALE;
        }
    }
    for (; w.lasts.n < lasts_n; w.lasts.n++, at += LAST_BYTES) {
        w.lasts.at[w.lasts.n] = (struct jb_last){.seq = jb_get_be(at + 1, 6), .type = at[0]};
        if (at[0] >= JB_EV_TYPES) {
            jb_summary_free(&w);
            return JB_E_STALE;
        }
    }
    *ret = w;
    return JB_OK;
}
