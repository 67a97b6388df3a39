/* What is posted to the days that are open, over all wallets: so that closing a day costs the same
 * however many wallets moved. */
#include "wallet/totals.h"

const struct jb_open_day *
jb_open_day_find(const struct jb_globals *g, jb_day day)
{
    for (size_t i = g->open.n; i-- > 0;) {
        if (g->open.at[i].day == day) {
            return &g->open.at[i];
        }
    }
    return NULL;
}

static struct jb_open_day *
open_day(struct jb_globals *g, jb_day day)
{
    /* Nearly always the last or the one before: two open days interleave every night. */
    size_t at = g->open.n;
    while (at > 0 && g->open.at[at - 1].day > day) {
        at--;
    }
    if (at > 0 && g->open.at[at - 1].day == day) {
        return &g->open.at[at - 1];
    }
    if (!jb_vec_reserve(&g->open, g->open.n + 1)) {
        return NULL;
    }
    memmove(&g->open.at[at + 1], &g->open.at[at], (g->open.n - at) * sizeof *g->open.at);
    g->open.n++;
    memset(&g->open.at[at], 0, sizeof g->open.at[at]);
    g->open.at[at].day = day;
    return &g->open.at[at];
}

/* Parts of a list by kind. Wide: they are added up before anybody has looked at what they come to.
 */
struct by_kind {
    jb_wide debt, lot, grant, lapsed;
};

static struct by_kind
sum_parts(struct jb_parts parts)
{
    struct by_kind s = {0};
    for (uint32_t i = 0; i < parts.n; i++) {
        jb_wide *to = parts.at[i].kind == JB_PART_DEBT    ? &s.debt
                      : parts.at[i].kind == JB_PART_LOT   ? &s.lot
                      : parts.at[i].kind == JB_PART_GRANT ? &s.grant
                                                          : &s.lapsed;
        *to += parts.at[i].amount;
    }
    return s;
}

bool
jb_totals_post(struct jb_globals *g, const struct jb_event *e)
{
    struct jb_open_day *d = open_day(g, e->posted_on);
    if (d == NULL) {
        return false;
    }
#define T(name) d->t[JB_TOTAL_##name]
    jb_wide a = jb_event_amount(e);
    T(events) += 1;
    switch ((jb_event_type)e->type) {
    case JB_EV_WALLET_CREATED:
        T(wallets) += 1;
        break;
    case JB_EV_WALLET_DELETED:
        T(wallets) -= 1;
        break;
    case JB_EV_CHARGE_SETTLED:
        T(charged) += a;
        T(closing_paid) += a;
        break;
    case JB_EV_CHARGE_REVERSED:
        T(charge_reversed) += a;
        T(closing_paid) -= a;
        break;
    case JB_EV_DEBT_REPAID:
        T(debt_repaid) += a;
        T(closing_paid) += a;
        break;
    case JB_EV_FREE_GRANTED:
        T(dormant_granted) += a;
        T(closing_dormant) += a;
        break;
    case JB_EV_FREE_ACTIVATED:
        T(free_activated) += a;
        T(closing_dormant) -= a;
        T(closing_free) += a;
        break;
    case JB_EV_FREE_REVOKED:
        T(dormant_revoked) += a;
        T(closing_dormant) -= a;
        break;
    case JB_EV_FREE_EXPIRED:
        if (e->free_expired.in_use) {
            T(expired) += a;
            T(closing_free) -= a;
        } else {
            T(dormant_expired) += a;
            T(closing_dormant) -= a;
        }
        break;
    case JB_EV_FREE_FORFEITED:
        if (e->free_forfeited.in_use) {
            T(forfeited) += a;
            T(closing_free) -= a;
        } else {
            T(dormant_forfeited) += a;
            T(closing_dormant) -= a;
        }
        break;
    case JB_EV_CASH_CONSUMED: {
        struct by_kind s = sum_parts(e->cash_consumed.parts);
        T(consumed_free) += s.grant;
        T(consumed_paid) += s.lot + s.debt;
        T(closing_free) -= s.grant;
        T(closing_paid) -= s.lot + s.debt;
        break;
    }
    case JB_EV_CONSUMPTION_REVERSED: {
        struct by_kind s = sum_parts(e->consumption_reversed.parts);
        T(returned) += a;
        T(expired) += s.lapsed;
        T(closing_free) += s.grant;
        T(closing_paid) += s.lot + s.debt;
        break;
    }
    case JB_EV_REFUND_APPROVED:
        T(refunded) += a;
        T(refund_in_transit) += a;
        T(closing_paid) -= a;
        break;
    case JB_EV_REFUND_COMPLETED:
        T(refund_in_transit) -= a;
        break;
    case JB_EV_REFUND_FAILED:
        if (e->refund_failed.parts.n > 0) {
            T(refund_failed) += a;
            T(refund_in_transit) -= a;
            T(closing_paid) += a;
        }
        break;
    case JB_EV_LEDGER_CREATED:
    case JB_EV_POLICY_SET:
    case JB_EV_WALLET_RENAMED:
    case JB_EV_WALLET_TURNED_OFF:
    case JB_EV_WALLET_TURNED_ON:
    case JB_EV_WALLET_SUSPENDED:
    case JB_EV_SUSPENSION_LIFTED:
    case JB_EV_REFUND_REQUESTED:
    case JB_EV_REFUND_CANCELLED:
    case JB_EV_REFUND_REJECTED:
    case JB_EV_DAY_CLOSED:
    case JB_EV_COMMAND_REFUSED:
    case JB_EV_TYPES:
        break;
    }
#undef T
    return true;
}

void
jb_totals_at_close(const struct jb_globals *g, jb_day day, jb_seq seq_before,
                   struct jb_int128 ret[JB_TOTALS_N])
{
    const struct jb_open_day *d = jb_open_day_find(g, day);
    jb_wide t[JB_TOTALS_N] = {0};
    if (d != NULL) {
        memcpy(t, d->t, sizeof t);
    }
    t[JB_TOTAL_closing_paid] += g->closing_paid;
    t[JB_TOTAL_closing_free] += g->closing_free;
    t[JB_TOTAL_closing_dormant] += g->closing_dormant;
    t[JB_TOTAL_refund_in_transit] += g->transit;
    t[JB_TOTAL_wallets] += g->wallets;
    t[JB_TOTAL_last_seq] = (jb_wide)seq_before;
    for (unsigned i = 0; i < JB_TOTALS_N; i++) {
        jb_wide_put(ret[i].be, t[i]);
    }
}

const char *
jb_totals_close(struct jb_globals *g, const struct jb_event *e)
{
    struct jb_int128 expected[JB_TOTALS_N];
    const jb_day day = e->day_closed.day;
    jb_totals_at_close(g, day, e->seq - 1, expected);
    if (memcmp(expected, e->day_closed.totals, sizeof expected) != 0) {
        return "the control totals of a closed day are not the sums of its events";
    }
    g->closing_paid = jb_wide_get(expected[JB_TOTAL_closing_paid].be);
    g->closing_free = jb_wide_get(expected[JB_TOTAL_closing_free].be);
    g->closing_dormant = jb_wide_get(expected[JB_TOTAL_closing_dormant].be);
    g->transit = jb_wide_get(expected[JB_TOTAL_refund_in_transit].be);
    g->wallets = jb_wide_get(expected[JB_TOTAL_wallets].be);
    if (g->open.n > 0 && g->open.at[0].day == day) {
        memmove(&g->open.at[0], &g->open.at[1], (g->open.n - 1) * sizeof *g->open.at);
        g->open.n--;
    }
    g->closed_through = day;
    g->first_open_day = day + 1;
    return NULL;
}
