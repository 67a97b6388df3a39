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

const struct jb_wallet_rest jb_wallet_no_rest;

struct jb_wallet_rest *
jb_wallet_rest(struct jb_wallet *w)
{
    if (w->rest == NULL) {
        w->rest = calloc(1, sizeof *w->rest);
    }
    return w->rest;
}

bool
jb_wallet_set_id(struct jb_wallet *w, struct jb_text id)
{
    char *to = w->id.inside;
    if (id.n > JB_ID_INSIDE) {
        to = malloc(id.n);
        if (to == NULL) {
            return false;
        }
        memcpy(w->id.address, (const void *)&to, sizeof to);
    }
    memcpy(to, id.s, id.n);
    w->id_n = (uint8_t)id.n;
    return true;
}

#define FREE_LIST(list)                                                                            \
    free((list).cap == 1 ? NULL : (list).at);                                                      \
    (list).at = NULL;                                                                              \
    (list).n = (list).cap = 0

void
jb_wallet_free(struct jb_wallet *w)
{
    struct jb_wallet_rest *r = w->rest;
    FREE_LIST(w->lots);
    if (w->id_n > JB_ID_INSIDE) {
        char *id = (char *)(uintptr_t)jb_id_of(w).s;
        free(id);
        w->id_n = 0;
    }
    if (r == NULL) {
        return;
    }
    for (size_t i = 0; i < r->refunds.n; i++) {
        free(r->refunds.at[i].legs);
    }
    FREE_LIST(r->intervals);
    FREE_LIST(r->grants);
    FREE_LIST(r->refunds);
    free(r);
    w->rest = NULL;
}

/* The lists are in order of ordinal: by halving, with the usual case (the list has no gap) first.
 */
#define FIND(list, ordinal_)                                                                       \
    size_t low = 0, high = (list).n;                                                               \
    if (high > 0 && (ordinal_) >= (list).at[0].ordinal) {                                          \
        size_t guess = (ordinal_) - (list).at[0].ordinal;                                          \
        if (guess < high && (list).at[guess].ordinal == (ordinal_)) {                              \
            return &(list).at[guess];                                                              \
        }                                                                                          \
    }                                                                                              \
    while (low < high) {                                                                           \
        size_t middle = (low + high) / 2;                                                          \
        if ((list).at[middle].ordinal < (ordinal_)) {                                              \
            low = middle + 1;                                                                      \
        } else {                                                                                   \
            high = middle;                                                                         \
        }                                                                                          \
    }                                                                                              \
    return low < (list).n && (list).at[low].ordinal == (ordinal_) ? &(list).at[low] : NULL

struct jb_lot *
jb_wallet_lot(const struct jb_wallet *w, uint32_t ordinal)
{
    FIND(w->lots, ordinal);
}

struct jb_grant *
jb_wallet_grant(const struct jb_wallet *w, uint32_t ordinal)
{
    FIND(jb_rest(w)->grants, ordinal);
}

struct jb_refund *
jb_wallet_refund(const struct jb_wallet *w, uint32_t ordinal)
{
    FIND(jb_rest(w)->refunds, ordinal);
}

#define ADD(list, item)                                                                            \
    if (!jb_list_reserve(&(list), (size_t)(list).n + 1)) {                                         \
        return NULL;                                                                               \
    }                                                                                              \
    size_t at = (list).n;                                                                          \
    while (at > 0 && (list).at[at - 1].ordinal > (item)->ordinal) {                                \
        at--;                                                                                      \
    }                                                                                              \
    memmove(&(list).at[at + 1], &(list).at[at], ((list).n - at) * sizeof *(list).at);              \
    (list).at[at] = *(item);                                                                       \
    (list).n++

struct jb_lot *
jb_wallet_add_lot(struct jb_wallet *w, const struct jb_lot *lot)
{
    ADD(w->lots, lot);
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
    struct jb_wallet_rest *r = jb_wallet_rest(w);
    if (r == NULL) {
        return NULL;
    }
    ADD(r->grants, grant);
    return &r->grants.at[at];
}

struct jb_refund *
jb_wallet_add_refund(struct jb_wallet *w, const struct jb_refund *refund)
{
    struct jb_wallet_rest *r = jb_wallet_rest(w);
    if (r == NULL) {
        return NULL;
    }
    ADD(r->refunds, refund);
    return &r->refunds.at[at];
}

struct jb_intervals
jb_wallet_intervals(const struct jb_wallet *w, struct jb_interval *first)
{
    const struct jb_wallet_rest *r = jb_rest(w);
    if (r->intervals.n > 0 || !w->began) {
        return (struct jb_intervals){r->intervals.at, r->intervals.n};
    }
    *first = (struct jb_interval){
        .ordinal = 1, .status = JB_WALLET_ACTIVE, .from = w->since, .seq = w->created_seq};
    return (struct jb_intervals){first, 1};
}

static struct jb_interval *
list_interval(struct jb_wallet *w, const struct jb_interval *interval)
{
    struct jb_wallet_rest *r = jb_wallet_rest(w);
    if (r == NULL) {
        return NULL;
    }
    ADD(r->intervals, interval);
    return &r->intervals.at[at];
}

bool
jb_wallet_add_interval(struct jb_wallet *w, const struct jb_interval *interval)
{
    struct jb_interval first;
    const bool none = jb_rest(w)->intervals.n == 0;
    if (none && !w->began && interval->ordinal == 1 && interval->status == JB_WALLET_ACTIVE &&
        interval->seq == w->created_seq && !interval->stored) {
        w->began = true;
        w->since = interval->from;
        return true;
    }
    return !(none && w->began && jb_wallet_intervals(w, &first).n == 1 &&
             list_interval(w, &first) == NULL) &&
           list_interval(w, interval) != NULL;
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
    for (size_t i = 0; i < jb_rest(w)->grants.n; i++) {
        const struct jb_grant *g = &jb_rest(w)->grants.at[i];
        if (g->remaining < 0 || g->remaining > g->amount) {
            return "W3";
        }
        in_use += g->state == JB_GRANT_IN_USE ? g->remaining : 0;
        dormant += g->state == JB_GRANT_DORMANT ? g->remaining : 0;
    }
    for (size_t i = 0; i < jb_rest(w)->refunds.n; i++) {
        const struct jb_refund *r = &jb_rest(w)->refunds.at[i];
        pending += r->state == JB_REFUND_REQUESTED ? r->amount : 0;
        transit += r->state == JB_REFUND_APPROVED ? r->amount : 0;
    }
    if (remaining != (w->paid > 0 ? w->paid : 0)) {
        return "W1";
    }
    if (in_use != w->free || dormant != jb_rest(w)->dormant) {
        return "W4";
    }
    return pending == jb_rest(w)->pending && transit == jb_rest(w)->transit ? NULL : "W5";
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
