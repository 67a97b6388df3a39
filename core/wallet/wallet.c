#include "wallet/wallet.h"

#include <jangbu/command.h>

bool
jb_list_grow(void **at, uint32_t *cap, uint32_t n, size_t need, size_t size)
{
    if (need <= *cap) {
        return true;
    }
    size_t cap_new = *cap < 2 ? 2 : *cap;
    while (cap_new < need) {
        cap_new *= 2;
    }
    if (cap_new > UINT32_MAX || cap_new > SIZE_MAX / size) {
        return false;
    }
    bool beside = *cap == 1;
    void *grown = realloc(beside ? NULL : *at, cap_new * size);
    if (grown == NULL) {
        return false;
    }
    if (beside && n > 0) {
        memcpy(grown, *at, n * size);
    }
    *at = grown;
    *cap = (uint32_t)cap_new;
    return true;
}

#define FREE_LIST(list)                                                                            \
    free(w->list.cap == 1 ? NULL : w->list.at);                                                    \
    w->list.at = NULL;                                                                             \
    w->list.n = w->list.cap = 0

void
jb_wallet_free(struct jb_wallet *w)
{
    for (size_t i = 0; i < w->refunds.n; i++) {
        free(w->refunds.at[i].legs);
    }
    FREE_LIST(lots);
    FREE_LIST(grants);
    FREE_LIST(refunds);
    FREE_LIST(intervals);
}

/* The lists are in order of ordinal: by halving, with the usual case (the list has no gap) first.
 */
#define FIND(list, ordinal_)                                                                       \
    size_t low = 0, high = w->list.n;                                                              \
    if (high > 0 && (ordinal_) >= w->list.at[0].ordinal) {                                         \
        size_t guess = (ordinal_)-w->list.at[0].ordinal;                                           \
        if (guess < high && w->list.at[guess].ordinal == (ordinal_)) {                             \
            return &w->list.at[guess];                                                             \
        }                                                                                          \
    }                                                                                              \
    while (low < high) {                                                                           \
        size_t middle = (low + high) / 2;                                                          \
        if (w->list.at[middle].ordinal < (ordinal_)) {                                             \
            low = middle + 1;                                                                      \
        } else {                                                                                   \
            high = middle;                                                                         \
        }                                                                                          \
    }                                                                                              \
    return low < w->list.n && w->list.at[low].ordinal == (ordinal_) ? &w->list.at[low] : NULL

struct jb_lot *
jb_wallet_lot(const struct jb_wallet *w, uint32_t ordinal)
{
    FIND(lots, ordinal);
}

struct jb_grant *
jb_wallet_grant(const struct jb_wallet *w, uint32_t ordinal)
{
    FIND(grants, ordinal);
}

struct jb_refund *
jb_wallet_refund(const struct jb_wallet *w, uint32_t ordinal)
{
    FIND(refunds, ordinal);
}

#define ADD(list, item)                                                                            \
    if (!jb_list_reserve(&w->list, (size_t)w->list.n + 1)) {                                       \
        return NULL;                                                                               \
    }                                                                                              \
    size_t at = w->list.n;                                                                         \
    while (at > 0 && w->list.at[at - 1].ordinal > (item)->ordinal) {                               \
        at--;                                                                                      \
    }                                                                                              \
    memmove(&w->list.at[at + 1], &w->list.at[at], (w->list.n - at) * sizeof *w->list.at);          \
    w->list.at[at] = *(item);                                                                      \
    w->list.n++

struct jb_lot *
jb_wallet_add_lot(struct jb_wallet *w, const struct jb_lot *lot)
{
    ADD(lots, lot);
    if (at < w->first_lot) {
        w->first_lot = 0;
    }
    return &w->lots.at[at];
}

bool
jb_wallet_add_lots(struct jb_wallet *w, const struct jb_lot *lots, size_t n)
{
    if (n == 0) {
        return true;
    }
    if (!jb_list_reserve(&w->lots, w->lots.n + n)) {
        return false;
    }
    size_t old = w->lots.n, at = old + n;
    w->lots.n = (uint32_t)at;
    for (size_t i = n; i > 0;) {
        bool from_old = old > 0 && w->lots.at[old - 1].ordinal > lots[i - 1].ordinal;
        w->lots.at[--at] = from_old ? w->lots.at[--old] : lots[--i];
    }
    if (at < w->first_lot) {
        w->first_lot = 0;
    }
    return true;
}

struct jb_grant *
jb_wallet_add_grant(struct jb_wallet *w, const struct jb_grant *grant)
{
    ADD(grants, grant);
    return &w->grants.at[at];
}

struct jb_refund *
jb_wallet_add_refund(struct jb_wallet *w, const struct jb_refund *refund)
{
    ADD(refunds, refund);
    return &w->refunds.at[at];
}

struct jb_interval *
jb_wallet_add_interval(struct jb_wallet *w, const struct jb_interval *interval)
{
    ADD(intervals, interval);
    return &w->intervals.at[at];
}

const char *
jb_wallet_check(const struct jb_wallet *w)
{
    jb_wide remaining = 0, in_use = 0, dormant = 0, pending = 0, transit = 0;
    for (size_t i = 0; i < w->lots.n; i++) {
        const struct jb_lot *l = &w->lots.at[i];
        if (l->remaining < 0 || l->reversed < 0 || l->refunded < 0 || jb_lot_room(l) < 0) {
            return "W2";
        }
        remaining += l->remaining;
    }
    for (size_t i = 0; i < w->grants.n; i++) {
        const struct jb_grant *g = &w->grants.at[i];
        if (g->remaining < 0 || g->remaining > g->amount) {
            return "W3";
        }
        in_use += g->state == JB_GRANT_IN_USE ? g->remaining : 0;
        dormant += g->state == JB_GRANT_DORMANT ? g->remaining : 0;
    }
    for (size_t i = 0; i < w->refunds.n; i++) {
        const struct jb_refund *r = &w->refunds.at[i];
        pending += r->state == JB_REFUND_REQUESTED ? r->amount : 0;
        transit += r->state == JB_REFUND_APPROVED ? r->amount : 0;
    }
    if (remaining != (w->paid > 0 ? w->paid : 0)) {
        return "W1";
    }
    if (in_use != w->free || dormant != w->dormant) {
        return "W4";
    }
    return pending == w->pending && transit == w->transit ? NULL : "W5";
}

void
jb_globals_free(struct jb_globals *g)
{
    jb_vec_free(&g->policies);
    jb_vec_free(&g->open);
}

bool
jb_globals_copy(const struct jb_globals *g, struct jb_globals *ret)
{
    struct jb_globals copy = *g;
    memset(&copy.policies, 0, sizeof copy.policies);
    memset(&copy.open, 0, sizeof copy.open);
    if (!jb_vec_reserve(&copy.policies, g->policies.n) || !jb_vec_reserve(&copy.open, g->open.n)) {
        jb_globals_free(&copy);
        return false;
    }
    if (g->policies.n > 0) {
        memcpy(copy.policies.at, g->policies.at, g->policies.n * sizeof *g->policies.at);
    }
    if (g->open.n > 0) {
        memcpy(copy.open.at, g->open.at, g->open.n * sizeof *g->open.at);
    }
    copy.policies.n = g->policies.n;
    copy.open.n = g->open.n;
    *ret = copy;
    return true;
}

/* What holds before any event says otherwise: of the policies that `init` does not write. */
static int64_t
policy_default(uint32_t policy)
{
    switch (policy) {
    case JB_POLICY_RULES:
        return 1;
    case JB_POLICY_CLOCK_AHEAD_MAX:
        return 93;
    case JB_POLICY_AT_BACK_MAX:
        return 366;
    case JB_POLICY_INVITE_DAYS:
        return 7;
    case JB_POLICY_MEMBERS_MAX:
        return 1000;
    case JB_POLICY_BIZ_RETENTION_DAYS:
        return 1826;
    case JB_POLICY_INVOICE_DAY:
        return 3;
    case JB_POLICY_NOTICE_DAYS:
        return 30;
    default:
        return 0;
    }
}

int64_t
jb_policy_at(const struct jb_globals *g, uint32_t policy, jb_instant t)
{
    const struct jb_policy_setting *best = NULL;
    for (size_t i = 0; i < g->policies.n; i++) {
        const struct jb_policy_setting *p = &g->policies.at[i];
        /* Settings are in order of sequence number: >= lets the later of equals win. JB_NO_INSTANT
         * is below every time. */
        if (p->policy == policy && p->from <= t && (best == NULL || p->from >= best->from)) {
            best = p;
        }
    }
    return best != NULL ? best->value : policy_default(policy);
}

int64_t
jb_policy_us_at(const struct jb_globals *g, uint32_t policy, jb_instant t)
{
    bool in_days = policy == JB_POLICY_CLOCK_AHEAD_MAX || policy == JB_POLICY_AT_BACK_MAX ||
                   policy == JB_POLICY_INVITE_DAYS || policy == JB_POLICY_BIZ_RETENTION_DAYS;
    int64_t unit = in_days ? JB_US_PER_DAY : JB_US_PER_SECOND;
    int64_t value = jb_policy_at(g, policy, t), most = JB_INSTANT_MAX / unit;
    value = value > most ? most : value;
    return (value < -most ? -most : value) * unit;
}

int64_t
jb_rules(const struct jb_globals *g)
{
    return jb_policy_at(g, JB_POLICY_RULES, g->recorded_at);
}
