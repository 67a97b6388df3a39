/* Closing days: the due expiries of a day in bounded steps, then its day_closed with the control
 * totals. docs/rules.md section 1. */
#include "ledger/internal.h"

#define DUE_STEP 256

static jb_status
expire(struct jb_ledger *l, struct jb_cached_wallet *s, const struct jb_grant *g,
       jb_instant recorded_at, struct jb_error *err)
{
    struct jb_event e;
    memset(&e, 0, sizeof e);
    e.type = JB_EV_FREE_EXPIRED;
    e.wallet = s->w.number;
    e.prev = s->w.version;
    e.recorded_at = recorded_at;
    /* The last microsecond of its last day. */
    e.occurred_at = jb_day_start(g->expires_on + 1, l->identity.utc_offset_s) - 1;
    e.free_expired =
        (struct jb_free_expired){g->ordinal, g->state == JB_GRANT_IN_USE, g->remaining};
    return jb_batch_append(l, &e, err);
}

jb_status
jb_expire_due(struct jb_ledger *l, struct jb_cached_wallet *s, jb_instant recorded_at,
              struct jb_error *err)
{
    if (s->w.free == 0 && jb_rest(&s->w)->dormant == 0) {
        return JB_OK;
    }
    jb_day today = jb_day_of(recorded_at, l->identity.utc_offset_s);
    for (;;) {
        /* The earliest deadline first, among equal ones in the order of granting. */
        const struct jb_grant *next = NULL;
        for (size_t i = 0; i < jb_rest(&s->w)->grants.n; i++) {
            const struct jb_grant *g = &jb_rest(&s->w)->grants.at[i];
            if (jb_grant_due(g, today) && (next == NULL || g->expires_on < next->expires_on)) {
                next = g;
            }
        }
        if (next == NULL) {
            return JB_OK;
        }
        jb_status status = expire(l, s, next, recorded_at, err);
        if (status != JB_OK) {
            return status;
        }
    }
}

/* Due expiries of one day. *ret_full: the commit is full and there may be more. */
static jb_status
expire_day(struct jb_ledger *l, jb_day day, jb_instant recorded_at, bool *ret_full,
           struct jb_error *err)
{
    struct jb_due due[DUE_STEP];
    size_t n;
    *ret_full = false;
    if (!l->closing || l->closing_day != day) {
        l->closing = false;
        l->closing_day = day;
    }
    for (;;) {
        jb_status status = jb_state_due(l->state, day, l->closing ? &l->closing_after : NULL, due,
                                        DUE_STEP, &n, err);
        if (status != JB_OK || n == 0) {
            return status;
        }
        for (size_t i = 0; i < n; i++) {
            if (!l->trial && l->batch.ends.n >= JB_COMMIT_EVENTS_MAX) {
                *ret_full = true;
                return JB_OK;
            }
            struct jb_cached_wallet *s;
            status = jb_state_wallet(l->state, due[i].wallet, &s, err);
            const struct jb_grant *g =
                status == JB_OK ? jb_wallet_grant(&s->w, due[i].ordinal) : NULL;
            /* What was used up, revoked, forfeited or expired on the way here has nothing left. */
            if (g != NULL && jb_grant_due(g, day + 1)) {
                status = expire(l, s, g, recorded_at, err);
            }
            if (status != JB_OK) {
                return status;
            }
            l->closing = true;
            l->closing_after = due[i];
        }
    }
}

static jb_status
close_day(struct jb_ledger *l, jb_day day, jb_instant recorded_at, const struct jb_event *envelope,
          struct jb_error *err)
{
    struct jb_int128 totals[JB_TOTALS_N];
    struct jb_event e;
    memset(&e, 0, sizeof e);
    if (envelope != NULL) {
        e = *envelope;
    }
    jb_totals_at_close(&l->state->g, day, l->state->g.seq, totals);
    e.type = JB_EV_DAY_CLOSED;
    e.recorded_at = e.occurred_at = recorded_at;
    e.day_closed = (struct jb_day_closed){day, {totals, l->state->g.totals_n}};
    l->closing = false;
    return jb_batch_append(l, &e, err);
}

enum jb_step
jb_close_days(struct jb_ledger *l, jb_day through, jb_instant recorded_at,
              const struct jb_event *final, struct jb_error *err)
{
    while (l->state->g.first_open_day <= through) {
        jb_day day = l->state->g.first_open_day;
        bool full;
        if (expire_day(l, day, recorded_at, &full, err) != JB_OK) {
            return JB_STEP_FAILED;
        }
        if (full || (!l->trial && l->batch.ends.n >= JB_COMMIT_EVENTS_MAX)) {
            return JB_STEP_COMMIT_FIRST;
        }
        if (close_day(l, day, recorded_at, day == through ? final : NULL, err) != JB_OK) {
            return JB_STEP_FAILED;
        }
    }
    return JB_STEP_DECIDED;
}
