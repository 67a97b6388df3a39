/*
 * Core's fold against that of the projections. The two were written apart, each from the rules;
 * here they stand at the same event and must say the same of each wallet, of each row, and of each
 * closed day. What is compared is what was folded from the log alone, never what was stored.
 */
#include <stdio.h>
#include <stdlib.h>

#include "replay/audit.h"

/* What the rows of one day add up to, over all wallets. */
struct day_sums {
    jb_wide flows[JB_FLOWS_N];
    jb_wide paid, free; /* how much the closings changed */
    bool too_much;      /* a row has a flow that left 64 bits: its sum is not known */
};

struct closed_day {
    jb_day day;
    jb_seq seq;
    struct jb_int128 totals[JB_TOTALS_N];
};

/* Usual events of a wallet, one behind the other and of one day, that the fold has not got yet: it
 * gets the first, and the others as one. */
struct run {
    jb_seq first;
    jb_seq last; /* the wallet's last event, whether it is usual or not */
    jb_amount first_amount, rest;
    jb_instant last_at;
    uint32_t n;
    uint16_t room; /* for so many; 0: not known, or none */
    bool touched;  /* the wallet had an event since it was compared */
};
static_assert(JB_SNAPSHOT_EVERY <= UINT16_MAX, "room fits");

struct jb_cross {
    struct jb_fold fold;
    struct jb_fold_drain drain;
    struct jb_tally drained[JB_VT_N]; /* what went there */
    struct jb_papers_check *papers;
    struct jb_beside *beside;
    struct jb_event_space space;
    jb_status status; /* JB_E_CORRUPT: the fold could not go on */
    jb_seq over;      /* at this event; and why */
    struct jb_error why;
    bool said;                /* that */
    JB_VEC(uint32_t) touched; /* wallets with an event since they were compared */
    JB_VEC(struct run) runs;  /* by number */
    jb_day day;               /* of all runs; from and until are its ends */
    jb_instant from, until;
    struct jb_ahead ahead;
    JB_VEC(struct closed_day) closed; /* in order, without a gap */
    JB_VEC(struct day_sums) sums;     /* of the same days */
};

static void fold_piece(void *data, const struct jb_piece *piece);

static jb_status
drain_row(void *data, unsigned table, const void *key, size_t key_n, const void *value,
          size_t value_n, struct jb_error *err)
{
    struct jb_cross *x = data;
    (void)err;
    jb_tally_add(&x->drained[table], key, key_n, value, value_n);
    return JB_OK;
}

jb_status
jb_cross_open(int32_t utc_offset_s, struct jb_cross **ret, struct jb_error *err)
{
    struct jb_cross *x = calloc(1, sizeof *x);
    struct jb_papers_check *papers = jb_papers_check_new();
    struct jb_beside *beside = x != NULL ? jb_beside_open(fold_piece, x) : NULL;
    if (beside == NULL || papers == NULL) {
        jb_beside_close(beside);
        free(x);
        jb_papers_check_free(papers);
        return jb_fail(err, JB_E_NOMEM, "no memory to compare the two folds");
    }
    x->papers = papers;
    x->beside = beside;
    jb_fold_init(&x->fold, utc_offset_s);
    x->drain = (struct jb_fold_drain){drain_row, x};
    x->fold.drain = &x->drain;
    *ret = x;
    return JB_OK;
}

struct jb_cross *
jb_cross_close(struct jb_cross *x)
{
    if (x != NULL) {
        jb_beside_close(x->beside);
        jb_event_space_free(&x->space);
        jb_fold_free(&x->fold);
        jb_papers_check_free(x->papers);
        jb_vec_free(&x->touched);
        jb_vec_free(&x->runs);
        jb_vec_free(&x->closed);
        jb_vec_free(&x->sums);
        free(x);
    }
    return NULL;
}

const struct jb_tally *
jb_cross_drained(const struct jb_cross *x)
{
    return x->drained;
}

struct again {
    struct jb_fold fold;
    jb_status status;
    struct jb_error *err;
};

static void
fold_again(void *data, const struct jb_event *e)
{
    struct again *a = data;
    a->status = a->status == JB_OK ? jb_fold_event(&a->fold, NULL, e, a->err) : a->status;
}

static jb_status
drain_rest(void *data, const void *key, size_t key_n, const void *value, size_t value_n,
           struct jb_error *err)
{
    const struct jb_fold_drain *drain = data;
    return drain->row(drain->data, JB_VT_TEXTS, key, key_n, value, value_n, err);
}

jb_status
jb_cross_again(struct jb_state *b, const struct jb_fold_drain *drain, struct jb_error *err)
{
    struct again a = {.status = JB_OK, .err = err};
    jb_fold_init(&a.fold, b->identity.utc_offset_s);
    a.fold.drain = drain;
    jb_status status = jb_audit_events(b, 1, b->g.seq, fold_again, &a, err);
    status = status == JB_OK ? a.status : status;
    if (status == JB_OK) { /* of an epoch that goes on; nothing else is kept */
        status =
            jb_fold_each(&a.fold, NULL, JB_VT_TEXTS, drain_rest, (void *)(uintptr_t)drain, err);
    }
    jb_fold_free(&a.fold);
    return status;
}

const struct jb_fold *
jb_cross_fold(const struct jb_cross *x)
{
    return x == NULL || x->status != JB_OK ? NULL : &x->fold;
}

/* ---- wallets ---- */

struct pair {
    const struct jb_wallet *core;
    const struct jb_summary *other;
    jb_seq seq;
    struct jb_findings *f;
};

static void
same(const struct pair *p, const char *what, int64_t core, int64_t other)
{
    if (core != other) {
        jb_found(p->f, "folds", p->seq, 0, 0,
                 "at event %llu wallet %.*s has %s %lld by core's fold and %lld by that of the "
                 "projections",
                 (unsigned long long)p->seq, (int)p->core->id_n, jb_id_of(p->core).s, jb_tr(what),
                 (long long)core, (long long)other);
    }
}

static void
same_grants(const struct pair *p)
{
    jb_amount in_use = 0, dormant = 0;
    for (size_t i = 0; i < p->other->grants.n; i++) {
        const struct jb_summary_grant *o = &p->other->grants.at[i];
        const struct jb_grant *g = jb_wallet_grant(p->core, o->ordinal);
        uint32_t state = o->in_use ? (uint32_t)JB_GRANT_IN_USE : (uint32_t)JB_GRANT_DORMANT;
        if (g == NULL || g->state != state || g->remaining != o->remaining ||
            g->expires_on != o->expires_on || g->seq != o->seq) {
            jb_found(p->f, "folds", p->seq, 0, 0,
                     "at event %llu grant %u of wallet %.*s has %lld left (%s) by the "
                     "projections' fold, and core's says something else",
                     (unsigned long long)p->seq, o->ordinal, (int)p->core->id_n,
                     jb_id_of(p->core).s, (long long)o->remaining,
                     o->in_use ? jb_tr("in use") : jb_tr("dormant"));
        }
        jb_amount *to = o->in_use ? &in_use : &dormant;
        *to = jb_sum(*to, o->remaining);
    }
    /* With each grant of the one found in the other, equal sums leave no grant out. */
    same(p, "free cash", p->core->free, in_use);
    same(p, "dormant cash", jb_rest(p->core)->dormant, dormant);
}

static void
compare_wallet(struct jb_cross *x, struct jb_state *b, uint32_t number, struct jb_findings *f)
{
    struct jb_cached_wallet *s;
    struct jb_error err;
    const struct jb_fold_wallet *w = jb_fold_wallet(&x->fold, number);
    if (jb_state_wallet(b, number, &s, &err) != JB_OK || w == NULL) {
        jb_found(f, "folds", b->g.seq, 0, 0,
                 "at event %llu only one of the two folds has wallet number %u",
                 (unsigned long long)b->g.seq, number);
        return;
    }
    struct pair p = {&s->w, &w->summary, b->g.seq, f};
    same(&p, "version", (int64_t)s->w.version, (int64_t)w->summary.version);
    same(&p, "status", s->w.status, w->summary.status);
    same(&p, "its creation at event", (int64_t)s->w.created_seq, (int64_t)w->summary.created_seq);
    same(&p, "paid cash", s->w.paid, w->summary.paid);
    same(&p, "refunds pending", jb_rest(&s->w)->pending, w->summary.pending);
    same(&p, "refunds in transit", jb_rest(&s->w)->transit, w->summary.transit);
    if (s->w.status == JB_WALLET_SUSPENDED) {
        same(&p, "status under its suspension", s->w.under, w->summary.under);
    }
    same_grants(&p);
}

static bool
touch(struct jb_cross *x, uint32_t wallet)
{
    const size_t n = x->runs.n;
    if (wallet >= n) {
        if (!jb_vec_reserve(&x->runs, (size_t)wallet + 1)) {
            return false;
        }
        memset(&x->runs.at[n], 0, (wallet + 1 - n) * sizeof *x->runs.at);
        x->runs.n = (size_t)wallet + 1;
    }
    if (!x->runs.at[wallet].touched) {
        if (!jb_vec_reserve(&x->touched, x->touched.n + 1)) {
            return false;
        }
        x->runs.at[wallet].touched = true;
        x->touched.at[x->touched.n++] = wallet;
    }
    return true;
}

/* ---- runs ---- */

/* They end: the fold has all of the wallet's events. */
static jb_status
end_run(struct jb_cross *x, uint32_t wallet)
{
    struct run *r = &x->runs.at[wallet];
    struct jb_fold_wallet *w = jb_fold_touched(&x->fold, wallet);
    struct jb_part part = {JB_PART_LOT, 1, r->first_amount};
    struct jb_event e = {.type = JB_EV_CASH_CONSUMED,
                         .version = 1,
                         .seq = r->first,
                         .prev = w->summary.version,
                         .wallet = wallet,
                         .posted_on = x->day};
    e.recorded_at = e.occurred_at = r->last_at;
    e.cash_consumed = (struct jb_cash_consumed){.amount = part.amount, .parts = {&part, 1}};
    jb_status status = jb_fold_wallet_event(&x->fold, w, NULL, &e, &x->why);
    if (r->n > 1 && status == JB_OK) {
        e.prev = r->first;
        e.seq = r->last;
        e.cash_consumed.amount = part.amount = r->rest;
        status = jb_fold_wallet_events(&x->fold, w, NULL, &e, r->n - 1, &x->why);
    }
    x->over = status != JB_OK ? r->last : 0;
    r->n = 0;
    r->room = (uint16_t)jb_fold_wallet_room(w);
    return status;
}

/* So many wallets are sent for at once. */
enum { SOME = 16 };

/* What the folds have of the next ones that were touched is sent for. b may be NULL. */
static void
warm_touched(const struct jb_cross *x, const struct jb_state *b, size_t at)
{
    if (at % SOME == 0) {
        const size_t left = x->touched.n - at, n = left < SOME ? left : SOME;
        jb_fold_warm(&x->fold, &x->touched.at[at], n);
        if (b != NULL) {
            jb_audit_warm(b, &x->touched.at[at], n);
        }
    }
}

static void
end_runs(struct jb_cross *x)
{
    for (size_t i = 0; i < x->touched.n && x->status == JB_OK; i++) {
        warm_touched(x, NULL, i);
        if (x->runs.at[x->touched.at[i]].n > 0) {
            x->status = end_run(x, x->touched.at[i]);
        }
    }
}

/* All runs are of one day: usual events are posted to that on which they were recorded. */
static bool
is_of_day(struct jb_cross *x, jb_instant at)
{
    if (at >= x->from && at < x->until) {
        return true;
    }
    end_runs(x);
    x->day = jb_day_of(at, x->fold.utc_offset_s);
    x->from = jb_day_start(x->day, x->fold.utc_offset_s);
    x->until = x->from + JB_US_PER_DAY;
    return x->status == JB_OK;
}

/* False: it is not as usual for the fold, which takes it by itself, or there is no memory. */
static bool
add_to_run(struct jb_cross *x, jb_seq seq, const struct jb_event_usual *e)
{
    struct jb_view_global *g = &x->fold.g;
    const struct jb_event_plain *p = &e->plain;
    if (seq != g->seq + 1 || g->first_timed_seq == 0 || p->recorded_at < g->recorded_at ||
        p->wallet >= x->runs.n || x->runs.at[p->wallet].room == 0 ||
        !is_of_day(x, p->recorded_at) || x->day < g->first_open_day || !touch(x, p->wallet)) {
        return false;
    }
    struct run *r = &x->runs.at[p->wallet];
    if (p->prev != r->last || (r->n > 1 && r->rest > JB_BALANCE_MAX - p->amount)) {
        return false;
    }
    struct jb_error why;
    if (jb_fold_usual_texts(&x->fold, seq, e->key, p->usage, &why) != JB_OK) {
        x->status = JB_E_NOMEM;
        return true;
    }
    r->first = r->n == 0 ? seq : r->first;
    r->first_amount = r->n == 0 ? p->amount : r->first_amount;
    r->rest = r->n == 0 ? 0 : r->rest + p->amount;
    r->last = seq;
    r->last_at = p->recorded_at;
    r->n++;
    g->recorded_at = p->recorded_at;
    g->seq = seq;
    if (r->n == r->room) {
        x->status = end_run(x, p->wallet);
    }
    return true;
}

static void
compare_touched(struct jb_cross *x, struct jb_state *b, struct jb_findings *f)
{
    for (size_t i = 0; i < x->touched.n; i++) {
        warm_touched(x, b, i);
        compare_wallet(x, b, x->touched.at[i], f);
        x->runs.at[x->touched.at[i]].touched = false;
    }
    x->touched.n = 0;
}

static bool
keep_day(struct jb_cross *x, const struct jb_event *e)
{
    if (!jb_vec_reserve(&x->closed, x->closed.n + 1)) {
        return false;
    }
    struct closed_day *d = &x->closed.at[x->closed.n++];
    d->day = e->day_closed.day;
    d->seq = e->seq;
    size_t n = e->day_closed.totals.n < JB_TOTALS_N ? e->day_closed.totals.n : JB_TOTALS_N;
    memset(d->totals, 0, sizeof d->totals);
    memcpy(d->totals, e->day_closed.totals.at, n * sizeof *d->totals);
    return true;
}

/* ---- beside ---- */

/* What the fold has to know of an event that is not usual comes first. */
static jb_status
fold_event(struct jb_cross *x, const struct jb_event *e)
{
    const bool waits = e->wallet < x->runs.n && x->runs.at[e->wallet].n > 0;
    jb_status status = waits ? end_run(x, e->wallet) : JB_OK;
    status = status == JB_OK ? jb_fold_event(&x->fold, NULL, e, &x->why) : status;
    if (status == JB_OK && ((e->wallet != 0 && !touch(x, e->wallet)) ||
                            (e->type == JB_EV_DAY_CLOSED && !keep_day(x, e)))) {
        status = JB_E_NOMEM;
    }
    x->over = status != JB_OK ? e->seq : 0;
    if (status == JB_OK && e->wallet != 0) {
        x->runs.at[e->wallet].last = e->seq;
        x->runs.at[e->wallet].room =
            (uint16_t)jb_fold_wallet_room(jb_fold_wallet(&x->fold, e->wallet));
    }
    return status;
}

static void
look_ahead(struct jb_cross *x, const struct jb_piece *piece, size_t at, uint32_t done,
           const struct jb_event_context *context)
{
    jb_ahead_read(&x->ahead, piece->events + at, piece->bytes - at, piece->count - done,
                  piece->first + done, context);
    for (uint32_t i = 0; i < x->ahead.n; i++) {
        const struct jb_ahead_event *a = &x->ahead.events[i];
        if (a->bytes != 0 && a->e.plain.wallet < x->runs.n) {
            __builtin_prefetch(&x->runs.at[a->e.plain.wallet], 1);
        }
    }
    jb_fold_warm(&x->fold, x->ahead.others, x->ahead.others_n);
}

/* The thread's: its events were read before, and hold. */
static void
fold_piece(void *data, const struct jb_piece *piece)
{
    struct jb_cross *x = data;
    struct jb_event_context context = {piece->base, x->fold.utc_offset_s};
    size_t at = 0;
    for (uint32_t i = 0; i < piece->count && x->status == JB_OK; i++) {
        const jb_seq seq = piece->first + i;
        struct jb_decode_failure failure;
        struct jb_event e;
        if (i % JB_AHEAD_MAX == 0) {
            look_ahead(x, piece, at, i, &context);
        }
        const struct jb_ahead_event *a = jb_ahead_next(&x->ahead, piece->events + at);
        if (a != NULL && !jb_audit_limits.in_full && add_to_run(x, seq, &a->e)) {
            at += a->bytes;
            continue;
        }
        size_t n = jb_event_decode(piece->events + at, piece->bytes - at, seq, &context, &e,
                                   &x->space, &failure);
        x->status = x->status != JB_OK ? x->status : n != 0 ? fold_event(x, &e) : JB_E_NOMEM;
        at += n;
    }
}

void
jb_cross_give(struct jb_cross *x, const struct jb_piece *piece)
{
    jb_beside_give(x->beside, piece);
}

jb_status
jb_cross_settle(struct jb_cross *x, struct jb_findings *f, jb_seq *ret_over, struct jb_error *err)
{
    jb_beside_settle(x->beside);
    end_runs(x);
    *ret_over = 0;
    if (x->status != JB_OK && x->status != JB_E_CORRUPT) {
        return jb_fail(err, JB_E_NOMEM, "no memory to compare the two folds");
    }
    if (x->status == JB_E_CORRUPT && !x->said) {
        x->said = true;
        *ret_over = x->over;
        jb_found(f, "folds", x->over, 0, 0,
                 "core's fold takes event %llu, and that of the projections does not: %s",
                 (unsigned long long)x->over, x->why.text);
    }
    return JB_OK;
}

jb_status
jb_cross_event(struct jb_cross *x, struct jb_state *b, const struct jb_event *e,
               struct jb_findings *f, struct jb_error *err)
{
    return jb_papers_check_event(x->papers, b, e, f, err);
}

void
jb_cross_day(struct jb_cross *x, struct jb_state *b, struct jb_findings *f)
{
    if (x->status == JB_OK) {
        compare_touched(x, b, f);
    }
}

/* ---- rows ---- */

static bool
row_too_much(const struct jb_day_row *r)
{
    bool too_much = r->total == JB_TOO_MUCH || r->paid == JB_TOO_MUCH || r->free == JB_TOO_MUCH;
    for (unsigned i = 0; i < JB_FLOWS_N; i++) {
        too_much |= r->flows[i] == JB_TOO_MUCH;
    }
    return too_much;
}

static void
check_row(const struct jb_fold_wallet *w, const struct jb_day_row *r, const char *view,
          struct jb_findings *f)
{
    if (!row_too_much(r) && r->total != r->paid + r->free) {
        char day[JB_DAY_TEXT_BYTES];
        jb_found(f, "folds", r->last_seq, 0, 0,
                 "the row of wallet number %u, %s (%s), has total %lld, and paid %lld and free "
                 "%lld beside it",
                 w->number, jb_day_print(r->day, day), view, (long long)r->total,
                 (long long)r->paid, (long long)r->free);
    }
}

/* The row joins the sums of its day, if that is closed. */
static void
add_row(struct jb_cross *x, const struct jb_day_row *r, const struct jb_day_row *before)
{
    if (x->closed.n == 0 || r->day < x->closed.at[0].day ||
        r->day > x->closed.at[x->closed.n - 1].day) {
        return;
    }
    struct day_sums *d = &x->sums.at[r->day - x->closed.at[0].day];
    for (unsigned i = 0; i < JB_FLOWS_N; i++) {
        d->flows[i] += r->flows[i];
    }
    d->paid += (jb_wide)r->paid - before->paid;
    d->free += (jb_wide)r->free - before->free;
    d->too_much |= row_too_much(r);
}

/* Both views of a wallet's days add up to the same, since what moves between days adds up to
 * nothing, and to what the wallet has. */
static void
check_views_of(const struct jb_fold_wallet *w, struct jb_findings *f)
{
    jb_wide flows[JB_FLOWS_N] = {0}, paid = 0, free_cash = 0;
    bool too_much = false;
    for (size_t i = 0; i < w->rows.n; i++) {
        too_much |= row_too_much(&w->rows.at[i].row);
    }
    for (size_t i = 0; i < w->moved.n; i++) {
        for (unsigned k = 0; k < JB_FLOWS_N; k++) {
            flows[k] += w->moved.at[i].row.flows[k];
        }
        paid += w->moved.at[i].row.paid;
        free_cash += w->moved.at[i].row.free;
        too_much |= row_too_much(&w->moved.at[i].row);
    }
    struct jb_summary_sums grants;
    jb_summary_sum(&w->summary, INT32_MIN, &grants);
    const struct jb_day_row none = {0};
    const struct jb_day_row *last = w->rows.n > 0 ? &w->rows.at[w->rows.n - 1].row : &none;
    bool differs =
        paid != 0 || free_cash != 0 || last->paid != w->summary.paid || last->free != grants.free;
    for (unsigned k = 0; k < JB_FLOWS_N; k++) {
        differs |= flows[k] != 0;
    }
    if (differs && !too_much) {
        jb_found(f, "folds", w->summary.version, 0, 0,
                 "the days of wallet number %u as posted and as known do not add up to the same, "
                 "or not to its paid cash %lld and free cash %lld",
                 w->number, (long long)w->summary.paid, (long long)grants.free);
    }
}

static void
check_rows(struct jb_cross *x, const struct jb_fold_wallet *w, struct jb_findings *f)
{
    const struct jb_day_row none = {0};
    for (size_t i = 0; i < w->rows.n; i++) {
        check_row(w, &w->rows.at[i].row, "posted", f);
        add_row(x, &w->rows.at[i].row, i > 0 ? &w->rows.at[i - 1].row : &none);
    }
    for (size_t i = 0; i < w->moved.n; i++) {
        check_row(w, &w->moved.at[i].row, "known", f);
    }
    check_views_of(w, f);
}

static void
same_total(const struct closed_day *d, const char *what, jb_wide rows, enum jb_total_name total,
           struct jb_findings *f)
{
    jb_wide control = jb_wide_get(d->totals[total].be);
    if (rows != control) {
        char day[JB_DAY_TEXT_BYTES];
        jb_found(f, "folds", d->seq, 0, 0,
                 "the rows of all wallets for %s add up to %s %lld, and event %llu, which closed "
                 "that day, says %lld",
                 jb_day_print(d->day, day), what, (long long)rows, (unsigned long long)d->seq,
                 (long long)control);
    }
}

/* The rows of each closed day, over all wallets, against what its event says. */
static void
check_days(struct jb_cross *x, struct jb_findings *f)
{
    static const enum jb_total_name total_of[JB_FLOWS_N] = {
#define JB_X(name) [JB_FLOW_##name] = JB_TOTAL_##name,
        JB_FLOWS(JB_X)
#undef JB_X
    };
    jb_wide paid = 0, free_cash = 0;
    for (size_t i = 0; i < x->closed.n; i++) {
        const struct closed_day *d = &x->closed.at[i];
        paid += x->sums.at[i].paid;
        free_cash += x->sums.at[i].free;
        for (unsigned k = 0; k < JB_FLOWS_N && !x->sums.at[i].too_much; k++) {
            same_total(d, jb_flow_words[k], x->sums.at[i].flows[k], total_of[k], f);
        }
        same_total(d, "closing_paid", paid, JB_TOTAL_closing_paid, f);
        same_total(d, "closing_free", free_cash, JB_TOTAL_closing_free, f);
    }
}

/* The same of the wallets from that number on. */
static void
warm_behind(const struct jb_cross *x, const struct jb_state *b, uint32_t number)
{
    uint32_t numbers[SOME];
    if (number % SOME == 0) {
        for (uint32_t i = 0; i < SOME; i++) {
            numbers[i] = number + i;
        }
        jb_fold_warm(&x->fold, numbers, SOME);
        jb_audit_warm(b, numbers, SOME);
    }
}

/* The same of the rows of one. */
static void
warm_rows(const struct jb_cross *x, size_t i)
{
    const struct jb_fold_wallet *w = i < x->fold.wallets.n ? x->fold.wallets.at[i] : NULL;
    const size_t bytes = w != NULL ? w->rows.n * sizeof *w->rows.at : 0;
    for (size_t at = 0; at < bytes && at < 8 * (size_t)JB_CACHE_LINE; at += JB_CACHE_LINE) {
        __builtin_prefetch((const char *)w->rows.at + at);
    }
    JB_KEEP();
}

jb_status
jb_cross_end(struct jb_cross *x, struct jb_state *b, struct jb_findings *f, struct jb_error *err)
{
    jb_papers_check_end(x->papers, b, f);
    if (x->status != JB_OK) {
        return JB_OK;
    }
    for (uint32_t number = 1; number <= b->g.wallets_given; number++) {
        warm_behind(x, b, number);
        compare_wallet(x, b, number, f);
    }
    if (!jb_vec_reserve(&x->sums, x->closed.n)) {
        return jb_fail(err, JB_E_NOMEM, "no memory to compare the two folds");
    }
    if (x->closed.n > 0) {
        memset(x->sums.at, 0, x->closed.n * sizeof *x->sums.at);
    }
    for (size_t i = 0; i < x->fold.wallets.n; i++) {
        warm_rows(x, i + SOME / 2);
        check_rows(x, x->fold.wallets.at[i], f);
    }
    check_days(x, f);
    return JB_OK;
}
