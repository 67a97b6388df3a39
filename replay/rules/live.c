/* Which grants and lots of a wallet have something left. */
#include "base/steps.h"
#include "base/map.h"
#include "replay/rules/inner.h"

struct live *
jb_live(struct jb_judge *r, uint32_t wallet)
{
    return wallet >= 1 && wallet <= r->live.n ? &r->live.at[wallet - 1] : NULL;
}

void
jb_judge_warm(const struct jb_judge *r, const uint32_t *wallets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (wallets[i] >= 1 && wallets[i] <= r->live.n) {
            __builtin_prefetch(&r->live.at[wallets[i] - 1], 1);
        }
    }
    JB_KEEP();
}

static bool
make(struct jb_judge *r, uint32_t wallet)
{
    if (!jb_vec_reserve(&r->live, wallet)) {
        return false;
    }
    while (r->live.n < wallet) {
        r->live.at[r->live.n++] = (struct live){.earliest = INT32_MAX};
    }
    return true;
}

/* Puts it where it belongs, unless it is there: a return may fill a grant again that was dropped.
 */
static bool
put(struct live *l, const struct jb_grant *g)
{
    size_t at = l->ordinals.n;
    while (at > 0 && l->ordinals.at[at - 1] > g->ordinal) {
        at--;
    }
    jb_steps.moved += l->ordinals.n - at;
    l->earliest = g->expires_on < l->earliest ? g->expires_on : l->earliest;
    if (at > 0 && l->ordinals.at[at - 1] == g->ordinal) {
        return true;
    }
    if (!jb_vec_reserve(&l->ordinals, l->ordinals.n + 1)) {
        return false;
    }
    memmove(&l->ordinals.at[at + 1], &l->ordinals.at[at],
            (l->ordinals.n - at) * sizeof *l->ordinals.at);
    l->ordinals.at[at] = g->ordinal;
    l->ordinals.n++;
    return true;
}

static bool
put_ordinal(struct jb_judge *r, const struct jb_wallet *w, uint32_t ordinal)
{
    const struct jb_grant *g = jb_wallet_grant(w, ordinal);
    return g == NULL || (make(r, w->number) && put(jb_live(r, w->number), g));
}

/* Something is in that lot again. */
static bool
fill_lot(struct jb_judge *r, const struct jb_wallet *w, uint32_t ordinal)
{
    const struct jb_lot *lot = jb_wallet_lot(w, ordinal);
    if (lot == NULL) {
        return true;
    }
    size_t end = (size_t)(lot - w->lots.at) + 1;
    if (!make(r, w->number)) {
        return false;
    }
    struct live *l = jb_live(r, w->number);
    l->lots_end = end > l->lots_end ? end : l->lots_end;
    return true;
}

static bool
fill_parts(struct jb_judge *r, const struct jb_wallet *w, struct jb_parts parts)
{
    bool ok = true;
    for (uint32_t i = 0; i < parts.n && ok; i++) {
        const struct jb_part *p = &parts.at[i];
        ok = p->kind == JB_PART_GRANT ? put_ordinal(r, w, p->ordinal)
             : p->kind == JB_PART_LOT ? fill_lot(r, w, p->ordinal)
                                      : true;
    }
    return ok;
}

jb_status
jb_live_applied(struct jb_judge *r, const struct jb_event *e, struct jb_error *err)
{
    struct jb_cached_wallet *s;
    struct jb_error none;
    bool fills = e->type == JB_EV_FREE_GRANTED || e->type == JB_EV_CHARGE_SETTLED ||
                 e->type == JB_EV_CONSUMPTION_REVERSED || e->type == JB_EV_REFUND_FAILED;
    if (!fills || jb_state_wallet(r->b, e->wallet, &s, &none) != JB_OK) {
        return JB_OK;
    }
    bool ok = e->type == JB_EV_FREE_GRANTED     ? put_ordinal(r, &s->w, e->free_granted.grant_no)
              : e->type == JB_EV_CHARGE_SETTLED ? fill_lot(r, &s->w, e->charge_settled.lot)
                                                : fill_parts(r, &s->w, jb_event_parts(e));
    return ok ? JB_OK : jb_judge_no_memory(err);
}

void
jb_live_free(struct jb_judge *r)
{
    for (size_t i = 0; i < r->live.n; i++) {
        jb_vec_free(&r->live.at[i].ordinals);
    }
    jb_vec_free(&r->live);
}

/* Goes through all of them and drops what has nothing left. */
static void
refresh(struct live *l, const struct jb_wallet *w)
{
    size_t kept = 0;
    jb_steps.moved += l->ordinals.n;
    l->earliest = INT32_MAX;
    for (size_t i = 0; i < l->ordinals.n; i++) {
        const struct jb_grant *g = jb_wallet_grant(w, l->ordinals.at[i]);
        if (g != NULL && g->remaining > 0) {
            l->ordinals.at[kept++] = g->ordinal;
            l->earliest = g->expires_on < l->earliest ? g->expires_on : l->earliest;
        }
    }
    l->ordinals.n = kept;
}

bool
jb_live_view(struct jb_judge *r, const struct jb_wallet *w, struct jb_wallet *ret)
{
    struct live *l = jb_live(r, w->number);
    *ret = *w;
    r->grants.n = 0;
    if (l != NULL) {
        refresh(l, w);
        if (!jb_vec_reserve(&r->grants, l->ordinals.n)) {
            return false;
        }
        for (size_t i = 0; i < l->ordinals.n; i++) {
            r->grants.at[r->grants.n++] = *jb_wallet_grant(w, l->ordinals.at[i]);
        }
    }
    r->rest = *jb_rest(w);
    r->rest.grants.at = r->grants.at;
    r->rest.grants.n = (uint32_t)r->grants.n;
    ret->rest = &r->rest;
    return true;
}

static bool
add_lot(struct jb_judge *r, const struct jb_lot *lot)
{
    jb_steps.moved++;
    if (!jb_vec_reserve(&r->lots, r->lots.n + 1)) {
        return false;
    }
    r->lots.at[r->lots.n++] = *lot;
    return true;
}

static void
turn_round(struct jb_judge *r)
{
    for (size_t i = 0, k = r->lots.n; i + 1 < k; i++) {
        struct jb_lot lot = r->lots.at[i];
        r->lots.at[i] = r->lots.at[--k];
        r->lots.at[k] = lot;
    }
}

bool
jb_live_lots(struct jb_judge *r, const struct jb_wallet *w, uint32_t own, jb_amount amount,
             struct jb_wallet *ret)
{
    struct live *l = jb_live(r, w->number);
    size_t end = l != NULL ? l->lots_end : 0;
    const struct jb_lot *mine = own != 0 ? jb_wallet_lot(w, own) : NULL;
    bool ok = true;
    r->lots.n = 0;
    while (end > 0 && w->lots.at[end - 1].remaining == 0) {
        end--;
        jb_steps.moved++;
    }
    if (l != NULL) {
        l->lots_end = end;
    }
    /* From the newest on, the own lot in its place. */
    for (size_t i = end; i-- > w->first_lot && amount > 0 && ok;) {
        const struct jb_lot *lot = &w->lots.at[i];
        if (mine != NULL && mine->ordinal >= lot->ordinal) {
            ok = add_lot(r, mine);
            mine = NULL;
        }
        if (lot->ordinal != own && lot->remaining > 0) {
            ok = ok && add_lot(r, lot);
            amount -= lot->remaining;
        }
    }
    ok = ok && (mine == NULL || add_lot(r, mine));
    turn_round(r);
    *ret = *w;
    ret->lots.at = r->lots.at;
    ret->lots.n = (uint32_t)r->lots.n;
    ret->first_lot = 0;
    return ok;
}

const struct jb_grant *
jb_live_due(struct jb_judge *r, const struct jb_wallet *w, jb_day today)
{
    struct live *l = jb_live(r, w->number);
    const struct jb_grant *first = NULL;
    if (l == NULL || l->earliest >= today || (w->free == 0 && jb_rest(w)->dormant == 0)) {
        return NULL;
    }
    refresh(l, w);
    for (size_t i = 0; i < l->ordinals.n && l->earliest < today; i++) {
        const struct jb_grant *g = jb_wallet_grant(w, l->ordinals.at[i]);
        if (jb_grant_due(g, today) && (first == NULL || g->expires_on < first->expires_on)) {
            first = g;
        }
    }
    return first;
}

const struct jb_grant *
jb_live_unfinished(struct jb_judge *r, const struct jb_wallet *w, uint32_t after, jb_day today)
{
    const struct live *l = jb_live(r, w->number);
    size_t low = 0, high = l != NULL ? l->ordinals.n : 0, n = high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (l->ordinals.at[middle] <= after) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < n; low++) {
        const struct jb_grant *g = jb_wallet_grant(w, l->ordinals.at[low]);
        if (g != NULL && jb_grant_unfinished(g, today)) {
            return g;
        }
    }
    return NULL;
}
