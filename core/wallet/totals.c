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

/* The total that is what a place holds at the close; none: it is outside. */
static const uint8_t closing_of[JB_PLACES] = {
    [JB_PLACE_GATEWAY] = JB_TOTAL_NONE,
    [JB_PLACE_INCOME] = JB_TOTAL_NONE,
    [JB_PLACE_PROMOTION] = JB_TOTAL_NONE,
    [JB_PLACE_PAID] = JB_TOTAL_closing_paid,
    [JB_PLACE_FREE] = JB_TOTAL_closing_free,
    [JB_PLACE_DORMANT] = JB_TOTAL_closing_dormant,
    [JB_PLACE_TRANSIT] = JB_TOTAL_refund_in_transit,
};

static void
grow(struct jb_open_day *d, uint32_t total, jb_wide amount)
{
    if (total != JB_TOTAL_NONE) {
        d->t[total] += amount;
    }
}

bool
jb_totals_post(struct jb_globals *g, const struct jb_event *e)
{
    struct jb_open_day *d = open_day(g, e->posted_on);
    if (d == NULL) {
        return false;
    }
    grow(d, JB_TOTAL_events, 1);
    if (e->type == JB_EV_WALLET_CREATED) {
        grow(d, JB_TOTAL_wallets, 1);
    } else if (e->type == JB_EV_WALLET_DELETED) {
        grow(d, JB_TOTAL_wallets, -1);
    }
    struct jb_money_move moves[JB_MOVES_MAX];
    size_t n = jb_event_moves(e, moves);
    for (size_t i = 0; i < n; i++) {
        grow(d, moves[i].total, moves[i].amount);
        grow(d, closing_of[moves[i].to], moves[i].amount);
        grow(d, closing_of[moves[i].from], -(jb_wide)moves[i].amount);
    }
    return true;
}

/* The row of CASH_CONSUMED in effects.def, for paid cash. */
void
jb_totals_post_plain(struct jb_open_day *d, jb_amount amount)
{
    d->t[JB_TOTAL_events] += 1;
    d->t[JB_TOTAL_consumed_paid] += amount;
    d->t[JB_TOTAL_closing_paid] -= amount;
}

bool
jb_totals_add(struct jb_globals *g, jb_day day, enum jb_total_name total, jb_amount amount)
{
    struct jb_open_day *d = open_day(g, day);
    if (d != NULL) {
        d->t[total] += amount;
    }
    return d != NULL;
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
    if (e->day_closed.totals.n != g->totals_n ||
        memcmp(expected, e->day_closed.totals.at, g->totals_n * sizeof *expected) != 0) {
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
