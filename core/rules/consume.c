/* Consumption and returns. docs/rules.md sections 2 and 3. */
#include "base/steps.h"
#include "rules/rules.h"

/* Late usage may use a grant only if its activation and its last return were recorded at or before
 * it happened: otherwise a published row could show free cash below 0 (docs/rules.md section 3). */
static bool
usable(const struct jb_grant *g, const struct jb_decision_time *m)
{
    return g->state == JB_GRANT_IN_USE && g->remaining > 0 && g->expires_on >= m->today &&
           g->activated_at <= m->at && (g->returned_at == JB_NO_INSTANT || g->returned_at <= m->at);
}

static int
by_expiry(const void *a, const void *b)
{
    const struct jb_grant *x = *(const struct jb_grant *const *)a;
    const struct jb_grant *y = *(const struct jb_grant *const *)b;
    if (x->expires_on != y->expires_on) {
        return x->expires_on < y->expires_on ? -1 : 1;
    }
    return x->activated_seq < y->activated_seq ? -1 : x->activated_seq > y->activated_seq;
}

/* Fills v->order with the usable grants in the order in which they are consumed; the sum of what
 * they have. */
static jb_amount
usable_grants(const struct jb_case *k, struct jb_verdict *v)
{
    v->order.n = 0;
    jb_amount sum = 0;
    if (k->w->free == 0) {
        return 0;
    }
    if (!jb_vec_reserve(&v->order, jb_rest(k->w)->grants.n)) {
        v->no_memory = true;
        return 0;
    }
    for (size_t i = 0; i < jb_rest(k->w)->grants.n; i++) {
        if (usable(&jb_rest(k->w)->grants.at[i], k->m)) {
            v->order.at[v->order.n++] = &jb_rest(k->w)->grants.at[i];
            sum += jb_rest(k->w)->grants.at[i].remaining;
        }
    }
    if (v->order.n > 1) {
        qsort((void *)v->order.at, v->order.n, sizeof *v->order.at, by_expiry);
    }
    return sum;
}

void
jb_rule_consume(const struct jb_case *k, struct jb_verdict *v)
{
    const struct jb_wallet *w = k->w;
    jb_amount amount = k->c->amount;
    jb_amount free_cash = usable_grants(k, v);
    /* How far paid cash goes; what a reported debt took beyond it locks no free cash. */
    jb_amount limit = w->settlement == JB_SETTLEMENT_POSTPAID ? jb_rest(w)->limit : 0;
    jb_amount paid = w->paid > -limit ? w->paid + limit : 0;
    bool overdraft = jb_given(k->c, JB_CF_OVERDRAFT) && k->c->overdraft;
    if (!overdraft && amount > free_cash + paid) {
        jb_refuse_with(v, JB_CODE_INSUFFICIENT_CASH, JB_FIG_AVAILABLE, free_cash + paid);
        if (w->settlement == JB_SETTLEMENT_POSTPAID) {
            jb_refuse_figure(v, JB_FIG_POSTPAID_LIMIT, limit);
        }
        return;
    }
    jb_amount from_paid = amount > free_cash ? amount - free_cash : 0;
    if (w->paid - from_paid < -JB_AMOUNT_MAX) {
        jb_refuse_with(v, JB_CODE_AMOUNT_RANGE, JB_FIG_LIMIT, JB_AMOUNT_MAX);
        return;
    }
    jb_amount left = amount;
    bool ok = true;
    for (size_t i = 0; i < v->order.n && left > 0 && ok; i++) {
        jb_amount part = v->order.at[i]->remaining < left ? v->order.at[i]->remaining : left;
        ok = jb_add_part(v, JB_PART_GRANT, v->order.at[i]->ordinal, part);
        left -= part;
    }
    for (size_t i = w->first_lot; i < w->lots.n && left > 0 && ok; i++) {
        const struct jb_lot *l = &w->lots.at[i];
        if (l->remaining > 0) {
            jb_amount part = l->remaining < left ? l->remaining : left;
            ok = jb_add_part(v, JB_PART_LOT, l->ordinal, part);
            left -= part;
        }
    }
    if (left > 0 && ok) {
        jb_add_part(v, JB_PART_DEBT, 0, left);
    }
    v->event.type = JB_EV_CASH_CONSUMED;
    v->event.cash_consumed.usage = k->c->id;
    v->event.cash_consumed.amount = amount;
}

static jb_amount
least(jb_amount a, jb_amount b)
{
    return a < b ? a : b;
}

/* What a named lot can take: its room, and what a failed refund's leg gives back to it. */
static jb_amount
named_room(const struct jb_wallet *w, const struct jb_part *named, bool legs)
{
    const struct jb_lot *l = named->kind == JB_PART_LOT ? jb_wallet_lot(w, named->ordinal) : NULL;
    return l == NULL ? 0 : least(named->amount, jb_lot_room(l) + (legs ? named->amount : 0));
}

static int
newest_first(const void *a, const void *b)
{
    uint32_t x = ((const struct jb_part *)a)->ordinal, y = ((const struct jb_part *)b)->ordinal;
    return x > y ? -1 : x < y;
}

/* Fills v->given with what lots got already, less what a leg gives back to them. */
static bool
list_given(const struct jb_part *legs, size_t legs_n, struct jb_verdict *v)
{
    v->given.n = 0;
    if (!jb_vec_reserve(&v->given, v->parts.n + legs_n)) {
        v->no_memory = true;
        return false;
    }
    for (size_t i = 0; i < v->parts.n + legs_n; i++) {
        bool leg = i >= v->parts.n;
        struct jb_part p = leg ? legs[i - v->parts.n] : v->parts.at[i];
        if (p.kind == JB_PART_LOT) {
            p.amount = leg ? -p.amount : p.amount;
            v->given.at[v->given.n++] = p;
        }
    }
    jb_steps.moved += v->given.n;
    if (v->given.n > 1) {
        qsort(v->given.at, v->given.n, sizeof *v->given.at, newest_first);
    }
    return true;
}

/* What is left goes to any lot with room, newest first, the named ones included. */
static bool
credit_any(const struct jb_wallet *w, const struct jb_part *legs, size_t legs_n, jb_amount amount,
           struct jb_verdict *v)
{
    if (!list_given(legs, legs_n, v)) {
        return false;
    }
    size_t at = 0;
    for (size_t i = w->lots.n; i-- > 0 && amount > 0;) {
        const struct jb_lot *l = &w->lots.at[i];
        jb_amount room = jb_lot_room(l);
        for (; at < v->given.n && v->given.at[at].ordinal >= l->ordinal; at++) {
            room -= v->given.at[at].ordinal == l->ordinal ? v->given.at[at].amount : 0;
        }
        jb_amount part = least(room, amount);
        if (part > 0 && !jb_add_part(v, JB_PART_LOT, l->ordinal, part)) {
            return false;
        }
        amount -= part > 0 ? part : 0;
        jb_steps.moved++;
    }
    /* It always fits (docs/rules.md section 2): what comes back was taken from lots or was a debt
     * that lots have filled since. */
    return amount == 0;
}

bool
jb_credit(const struct jb_wallet *w, const struct jb_part *named, size_t named_n, bool legs,
          jb_amount amount, struct jb_verdict *v)
{
    jb_amount debt = w->paid < 0 ? -w->paid : 0;
    jb_amount fill = least(debt, amount);
    if (fill > 0 && !jb_add_part(v, JB_PART_DEBT, 0, fill)) {
        return false;
    }
    amount -= fill;
    for (size_t i = 0; i < named_n && amount > 0; i++) {
        jb_amount part = least(named_room(w, &named[i], legs), amount);
        if (part > 0 && !jb_add_part(v, JB_PART_LOT, named[i].ordinal, part)) {
            return false;
        }
        amount -= part;
    }
    return amount == 0 || credit_any(w, named, legs ? named_n : 0, amount, v);
}

jb_amount
jb_credit_beyond(const struct jb_wallet *w, const struct jb_part *named, size_t named_n, bool legs,
                 jb_amount amount)
{
    amount -= least(w->paid < 0 ? -w->paid : 0, amount);
    for (size_t i = 0; i < named_n && amount > 0; i++) {
        amount -= least(named_room(w, &named[i], legs), amount);
    }
    return amount;
}

/* Steps back through the parts of a consumption, last taken first, after what earlier returns
 * named. False: the return names no more. */
struct named_walk {
    const struct jb_prefetched *loaded;
    uint32_t at;
    jb_amount skip, left;
};

static bool
next_named(struct named_walk *n, struct jb_part *ret)
{
    while (n->at > 0 && n->left > 0) {
        struct jb_part p = n->loaded->consumption_parts[--n->at];
        jb_amount skipped = least(n->skip, p.amount);
        n->skip -= skipped;
        p.amount = least(p.amount - skipped, n->left);
        n->left -= p.amount;
        if (p.amount > 0) {
            *ret = p;
            return true;
        }
    }
    return false;
}

static struct named_walk
walk_named(const struct jb_prefetched *loaded, jb_amount amount)
{
    return (struct named_walk){.loaded = loaded,
                               .at = loaded->consumption_parts_n,
                               .skip = loaded->returned_before,
                               .left = amount};
}

jb_amount
jb_return_beyond(const struct jb_wallet *w, const struct jb_prefetched *loaded, jb_amount amount)
{
    struct named_walk n = walk_named(loaded, amount);
    struct jb_part p;
    jb_amount credit = 0, fits = w->paid < 0 ? -w->paid : 0;
    while (next_named(&n, &p)) {
        credit += p.kind == JB_PART_GRANT ? 0 : p.amount;
        fits += named_room(w, &p, false);
    }
    return credit > fits ? credit - fits : 0;
}

/* The parts of the consumption that a return of that amount names. */
static bool
named_parts(const struct jb_case *k, jb_amount amount, struct jb_verdict *v)
{
    struct named_walk n = walk_named(k->loaded, amount);
    struct jb_part p;
    while (next_named(&n, &p)) {
        if (!jb_add_part(v, p.kind, p.ordinal, p.amount)) {
            return false;
        }
    }
    return n.left == 0;
}

static bool
back_to_grants(const struct jb_case *k, const struct jb_part *named, size_t named_n,
               struct jb_verdict *v)
{
    bool ok = true;
    for (size_t i = 0; i < named_n && ok; i++) {
        if (named[i].kind == JB_PART_GRANT) {
            const struct jb_grant *g = jb_wallet_grant(k->w, named[i].ordinal);
            bool lapsed = g->state != JB_GRANT_IN_USE || g->expires_on < k->m->today;
            ok = jb_add_part(v, lapsed ? JB_PART_LAPSED : JB_PART_GRANT, named[i].ordinal,
                             named[i].amount);
        }
    }
    return ok;
}

/* Where a return of that amount goes: v->parts. */
static void
distribute(const struct jb_case *k, jb_amount amount, struct jb_verdict *v)
{
    v->parts.n = 0;
    if (!named_parts(k, amount, v)) {
        return;
    }
    /* The named parts stand in v->parts; what is distributed takes their place. */
    jb_amount credit = 0;
    for (size_t i = 0; i < v->parts.n; i++) {
        credit += v->parts.at[i].kind == JB_PART_GRANT ? 0 : v->parts.at[i].amount;
    }
    struct jb_verdict distributed = {.parts = {0}};
    bool ok = jb_credit(k->w, v->parts.at, v->parts.n, false, credit, &distributed) &&
              back_to_grants(k, v->parts.at, v->parts.n, &distributed);
    jb_vec_free(&distributed.given);
    jb_vec_free(&v->parts);
    v->parts.at = distributed.parts.at;
    v->parts.n = distributed.parts.n;
    v->parts.cap = distributed.parts.cap;
    v->no_memory |= !ok;
}

jb_amount
jb_return_at_once(const struct jb_case *k, jb_amount most, struct jb_verdict *v)
{
    distribute(k, most, v);
    if (v->parts.n <= JB_PARTS_MAX) {
        return most;
    }
    /* A smaller return names less, and may go to as many other lots instead. Halving finds one that
     * goes while a minor unit more does not. */
    jb_amount goes = 0, beyond = most;
    while (beyond - goes > 1 && !v->no_memory) {
        jb_amount middle = goes + (beyond - goes) / 2;
        distribute(k, middle, v);
        *(v->parts.n <= JB_PARTS_MAX ? &goes : &beyond) = middle;
    }
    return goes;
}

void
jb_rule_consume_reverse(const struct jb_case *k, struct jb_verdict *v)
{
    const struct jb_prefetched *loaded = k->loaded;
    if (loaded->usages == 0) {
        jb_refuse(v, JB_CODE_USAGE_UNKNOWN);
        return;
    }
    if (loaded->usages > 1) {
        jb_refuse(v, JB_CODE_AMBIGUOUS_USAGE);
        return;
    }
    jb_amount left = loaded->consumption_amount - loaded->returned_before;
    if (k->c->amount > left) {
        jb_refuse_with(v, JB_CODE_RETURN_EXCEEDS, JB_FIG_LEFT, left);
        return;
    }
    if (k->w->paid > JB_BALANCE_MAX - k->c->amount || k->w->free > JB_BALANCE_MAX - k->c->amount) {
        jb_refuse_with(v, JB_CODE_AMOUNT_RANGE, JB_FIG_LIMIT, JB_BALANCE_MAX);
        return;
    }
    v->event.type = JB_EV_CONSUMPTION_REVERSED;
    v->event.consumption_reversed.consumption = loaded->consumption_seq;
    v->event.consumption_reversed.before = loaded->last_reversal;
    v->event.consumption_reversed.amount = k->c->amount;
    distribute(k, k->c->amount, v);
}
