#include "projections/marks.h"

#include "projections/causes.h"

uint64_t jb_causes_walk_max = 2048;

/* ---- making them ---- */

enum { JB_CAUSE_none = JB_CAUSES_N };

/* The cause that an event of effect is; none: no such event. */
static const uint8_t causes[JB_EV_TYPES] = {
    [0] = JB_CAUSE_none,
#define EFFECT(NAME, history, cause, ...) [JB_EV_##NAME] = JB_CAUSE_##cause,
#include "event/effects.def"
#undef EFFECT
};

uint32_t
jb_cause_of(uint32_t type)
{
    return type < JB_EV_TYPES ? causes[type] : JB_CAUSE_none;
}

bool
jb_cause_late(const struct jb_event *e, int32_t utc_offset_s)
{
    bool one_day = (e->flags & (JB_EVF_OCCURRED | JB_EVF_POSTED)) == 0;
    return !one_day && e->posted_on > jb_day_of(e->occurred_at, utc_offset_s);
}

bool
jb_marks_have(const struct jb_summary *w, jb_day day)
{
    size_t i = w->marks.n;
    while (i > 0 && w->marks.at[i - 1].day != day) {
        i--;
    }
    return i > 0;
}

void
jb_marks_drop(struct jb_summary *w, jb_day before)
{
    size_t to = 0;
    for (size_t i = 0; i < w->marks.n; i++) {
        if (w->marks.at[i].day >= before) {
            w->marks.at[to++] = w->marks.at[i];
        }
    }
    w->marks.n = to;
}

/* Most events are consumptions, which take what they say. */
static jb_amount
effect_of(const struct jb_event *e)
{
    JB_ASSERT(!JB_CHECKS || e->type != JB_EV_CASH_CONSUMED ||
              jb_event_effect(e) == -e->cash_consumed.amount);
    return e->type == JB_EV_CASH_CONSUMED ? -e->cash_consumed.amount : jb_event_effect(e);
}

jb_status
jb_marks_add(struct jb_summary *w, const struct jb_event *e, uint64_t n, int32_t utc_offset_s,
             struct jb_error *err)
{
    const jb_amount effect = effect_of(e);
    const uint32_t cause = jb_cause_of(e->type);
    if (effect == 0 || cause == JB_CAUSE_none) {
        return JB_OK;
    }
    const bool late = jb_cause_late(e, utc_offset_s);
    size_t i = w->marks.n;
    while (i > 0 && (w->marks.at[i - 1].day != e->posted_on || w->marks.at[i - 1].cause != cause ||
                     w->marks.at[i - 1].late != late)) {
        i--;
    }
    if (i == 0) {
        if (!jb_vec_reserve_tight(&w->marks, w->marks.n + 1)) {
            return jb_fail(err, JB_E_NOMEM, "no memory for the state of a wallet");
        }
        w->marks.at[w->marks.n++] = (struct jb_mark){
            .day = e->posted_on, .cause = (uint8_t)cause, .late = late, .first = e->seq};
        i = w->marks.n;
    }
    w->marks.at[i - 1].n += n;
    w->marks.at[i - 1].amount += effect;
    return JB_OK;
}

/* ---- explaining by them ---- */

#define CELLS (JB_CAUSES_N * 2)

/* Events that were posted to some days, behind one event and up to another, by marks: what they
 * come to, and the first ones of each cause, as many as are shown. Those are looked for in the
 * pieces of the chain between two snapshots, of which those are left out that have none. */
struct listing {
    struct jb_view_read *q;
    uint32_t wallet;
    jb_day from, to;
    jb_seq after, last;
    uint64_t before[CELLS]; /* events of the days up to `after` */
    jb_seq first[CELLS];    /* a bound: none is before it */
    bool left_out[CELLS];   /* they are counted, and not listed */
    size_t most;            /* of a cause are listed */
    struct jb_causes of;
    JB_VEC(jb_seq) piece; /* events of one, the newest first */
};

static struct jb_cause_cell *
cell(struct jb_causes *c, unsigned i)
{
    return &c->cells[i / 2][i % 2];
}

static jb_status
no_memory(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM, "no memory for an explanation");
}

static bool
is_within(const struct listing *l, jb_day day)
{
    return day >= l->from && day <= l->to;
}

/* before (NULL: nothing) is the wallet at event `after`. */
static jb_status
count(struct listing *l, const struct jb_summary *before, struct jb_error *err)
{
    struct jb_summary s;
    jb_status status = jb_view_read_summary(l->q, l->wallet, l->last, &s, err);
    if (status != JB_OK) {
        return status;
    }
    for (size_t i = 0; i < s.marks.n; i++) {
        const struct jb_mark *m = &s.marks.at[i];
        if (is_within(l, m->day)) {
            const unsigned at = m->cause * 2U + m->late;
            struct jb_cause_cell *c = cell(&l->of, at);
            const jb_seq first = m->first > l->after ? m->first : l->after + 1;
            l->first[at] = c->n == 0 || first < l->first[at] ? first : l->first[at];
            c->amount += m->amount;
            c->n += m->n;
        }
    }
    for (size_t i = 0; before != NULL && i < before->marks.n; i++) {
        const struct jb_mark *m = &before->marks.at[i];
        if (is_within(l, m->day)) {
            const unsigned at = m->cause * 2U + m->late;
            cell(&l->of, at)->amount -= m->amount;
            cell(&l->of, at)->n -= m->n;
            l->before[at] += m->n;
        }
    }
    jb_summary_free(&s);
    return JB_OK;
}

/* Its events up to here are all listed. */
static bool
wants_more(const struct listing *l, unsigned i)
{
    const struct jb_cause_cell *c = &l->of.cells[i / 2][i % 2];
    return !l->left_out[i] && c->events.n < c->n && c->events.n < l->most;
}

static bool
is_complete(const struct listing *l)
{
    for (unsigned i = 0; i < CELLS; i++) {
        if (wants_more(l, i)) {
            return false;
        }
    }
    return true;
}

/* Whether up to the last snapshot that is not after `at` there is an event that is still to be
 * listed. */
static jb_status
has_more(const struct listing *l, jb_seq at, jb_seq *ret_snapshot, bool *ret, struct jb_error *err)
{
    struct jb_summary s;
    uint64_t n[CELLS] = {0};
    jb_status status = jb_view_read_snapshot(l->q, l->wallet, at, &s, err);
    if (status != JB_OK) {
        return status;
    }
    *ret_snapshot = s.version;
    *ret = false;
    for (size_t i = 0; i < s.marks.n; i++) {
        const struct jb_mark *m = &s.marks.at[i];
        n[m->cause * 2 + m->late] += is_within(l, m->day) ? m->n : 0;
    }
    for (unsigned i = 0; i < CELLS; i++) {
        *ret |= wants_more(l, i) && n[i] > l->before[i] + l->of.cells[i / 2][i % 2].events.n;
    }
    jb_summary_free(&s);
    return JB_OK;
}

/* *low becomes the last snapshot up to which there is nothing more, `from` or a later one: in
 * longer and longer steps, then by halves. */
static jb_status
skip(const struct listing *l, jb_seq from, jb_seq *low, struct jb_error *err)
{
    jb_seq none = from, some = l->last + 1, step = from - *low, snapshot = from;
    jb_status status = JB_OK;
    bool more = false;
    *low = from;
    while (status == JB_OK && some - none > 1) {
        const jb_seq ahead = !more && step < some - none ? step : (some - none) / 2;
        const jb_seq at = none + (ahead > 0 ? ahead : 1);
        bool here = false;
        status = has_more(l, at, &snapshot, &here, err);
        if (status == JB_OK && here) {
            some = snapshot < at && snapshot > none ? snapshot : at;
            more = true;
        } else if (status == JB_OK) {
            none = at;
            *low = snapshot > *low ? snapshot : *low;
            step *= 2;
        }
    }
    return status;
}

/* The events behind `low` up to `high`, one of the wallet. */
static jb_status
read_piece(struct listing *l, jb_seq low, jb_seq high, struct jb_error *err)
{
    l->piece.n = 0;
    for (jb_seq at = high; at > low;) {
        const struct jb_event *e;
        jb_status status = jb_view_read_event(l->q, at, l->wallet, &e, err);
        if (status == JB_OK && e->prev >= at) {
            status = jb_fail(err, JB_E_CORRUPT,
                             "event %llu names a later one as its wallet's event before it",
                             (unsigned long long)at);
        }
        if (status != JB_OK) {
            return status;
        }
        if (!jb_vec_reserve(&l->piece, l->piece.n + 2)) {
            return no_memory(err);
        }
        if (at <= l->last && is_within(l, e->posted_on) && jb_event_effect(e) != 0 &&
            jb_cause_of(e->type) != JB_CAUSE_none) {
            const bool late = jb_cause_late(e, l->q->v->info.utc_offset_s);
            l->piece.at[l->piece.n++] = at;
            l->piece.at[l->piece.n++] = jb_cause_of(e->type) * 2 + late;
        }
        at = e->prev;
    }
    return JB_OK;
}

static jb_status
list_piece(struct listing *l, jb_seq low, jb_seq high, struct jb_error *err)
{
    jb_status status = read_piece(l, low, high, err);
    for (size_t i = l->piece.n; i > 0 && status == JB_OK; i -= 2) {
        const unsigned of = (unsigned)l->piece.at[i - 1];
        struct jb_cause_cell *c = cell(&l->of, of);
        if (!wants_more(l, of)) {
            continue;
        }
        if (!jb_vec_reserve(&c->events, c->events.n + 1)) {
            return no_memory(err);
        }
        c->events.at[c->events.n++] = l->piece.at[i - 2];
    }
    return status;
}

/* In ascending order. */
static jb_status
list(struct listing *l, struct jb_error *err)
{
    jb_seq low = l->last;
    for (unsigned i = 0; i < CELLS; i++) {
        low = wants_more(l, i) && l->first[i] - 1 < low ? l->first[i] - 1 : low;
    }
    jb_status status = JB_OK;
    while (status == JB_OK && !is_complete(l)) {
        jb_seq next, snapshot = 0;
        bool more = true;
        status = low < l->last ? jb_view_read_anchor(l->q, l->wallet, low, &next, err) : JB_END;
        if (status == JB_OK && next <= low) {
            status = JB_END;
        } else if (status == JB_OK && next <= l->last) {
            status = has_more(l, next, &snapshot, &more, err);
            more |= snapshot != next; /* it is the last event, and has no snapshot */
        }
        if (status == JB_OK && !more) {
            status = skip(l, next, &low, err);
        } else if (status == JB_OK) {
            status = list_piece(l, low, next, err);
            low = next;
        }
    }
    return status == JB_END
               ? jb_fail(err, JB_E_CORRUPT,
                         "wallet %u has fewer events than views.mdb says. Run `jangbu audit`",
                         l->wallet)
               : status;
}

static void
turn_round(struct jb_causes *of)
{
    for (unsigned cause = 0; cause < CELLS; cause++) {
        struct jb_cause_cell *c = cell(of, cause);
        for (size_t i = 0, k = c->events.n; i + 1 < k; i++) {
            const jb_seq seq = c->events.at[i];
            c->events.at[i] = c->events.at[--k];
            c->events.at[k] = seq;
        }
    }
}

jb_status
jb_causes_of_marks(struct jb_causes *of, struct jb_view_read *q, uint32_t wallet,
                   jb_day closed_through, jb_seq last, struct jb_error *err)
{
    struct listing l = {.q = q,
                        .wallet = wallet,
                        .from = closed_through + 1,
                        .to = INT32_MAX,
                        .last = last,
                        .most = JB_CAUSE_EVENTS_MAX};
    jb_status status = count(&l, NULL, err);
    status = status == JB_OK ? list(&l, err) : status;
    turn_round(&l.of);
    jb_vec_free(&l.piece);
    *of = l.of;
    return status;
}

/* ---- by the marks of one day after the other ---- */

static int
ascending(const void *one, const void *other)
{
    const jb_seq a = *(const jb_seq *)one, b = *(const jb_seq *)other;
    return (a > b) - (a < b);
}

/* What was posted to that day, behind event `after` and up to event last. */
static struct listing
of_day(struct jb_view_read *q, uint32_t wallet, const struct jb_day_row *d, jb_seq after,
       jb_seq last, size_t most)
{
    return (struct listing){.q = q,
                            .wallet = wallet,
                            .from = d->day,
                            .to = d->day,
                            .after = after,
                            .last = d->last_seq < last ? d->last_seq : last,
                            .most = most};
}

/* What is not among the first that are shown, because there are as many before it, is not looked
 * for; what is alone is known. */
static jb_status
leave_out(struct listing *l, const struct jb_causes *of, struct jb_error *err)
{
    for (unsigned i = 0; i < CELLS; i++) {
        const struct jb_cause_cell *sum = &of->cells[i / 2][i % 2];
        struct jb_cause_cell *c = cell(&l->of, i);
        const bool full = sum->events.n == JB_CAUSE_EVENTS_MAX;
        l->left_out[i] = full && l->first[i] > sum->events.at[sum->events.n - 1];
        if (!l->left_out[i] && c->n == 1 && l->before[i] == 0) {
            if (!jb_vec_reserve(&c->events, 1)) {
                return no_memory(err);
            }
            c->events.at[c->events.n++] = l->first[i];
        }
    }
    return JB_OK;
}

/* Days lie beside one another where more than one is open: the first ones of both are the first of
 * the first ones of each. */
static jb_status
add(struct jb_causes *of, const struct jb_causes *day, struct jb_error *err)
{
    for (unsigned i = 0; i < CELLS; i++) {
        const struct jb_cause_cell *c = &day->cells[i / 2][i % 2];
        struct jb_cause_cell *sum = cell(of, i);
        sum->amount += c->amount;
        sum->n += c->n;
        if (c->events.n == 0) {
            continue;
        }
        const size_t n = sum->events.n + c->events.n;
        if (!jb_vec_reserve(&sum->events, n)) {
            return no_memory(err);
        }
        memcpy(sum->events.at + sum->events.n, c->events.at, c->events.n * sizeof *c->events.at);
        qsort(sum->events.at, n, sizeof *sum->events.at, ascending);
        sum->events.n = n < JB_CAUSE_EVENTS_MAX ? n : JB_CAUSE_EVENTS_MAX;
    }
    return JB_OK;
}

static jb_status
one_day(struct jb_causes *of, struct listing *l, const struct jb_summary *before,
        struct jb_error *err)
{
    jb_status status = count(l, before, err);
    status = status == JB_OK ? leave_out(l, of, err) : status;
    status = status == JB_OK ? list(l, err) : status;
    status = status == JB_OK ? add(of, &l->of, err) : status;
    jb_causes_free(&l->of);
    jb_vec_free(&l->piece);
    return status;
}

jb_status
jb_causes_of_days(struct jb_causes *of, struct jb_view_read *q, uint32_t wallet,
                  const struct jb_row_list *days, jb_seq after, jb_seq last, struct jb_error *err)
{
    struct jb_summary before = {0};
    jb_status status =
        after != 0 ? jb_view_read_summary(q, wallet, after, &before, err) : JB_E_NOTFOUND;
    const bool was_there = status == JB_OK;
    status = status == JB_E_NOTFOUND ? JB_OK : status;
    for (size_t i = 0; i < days->n && status == JB_OK; i++) {
        const struct jb_day_row *d = &days->at[i];
        struct listing l = of_day(q, wallet, d, after, last, JB_CAUSE_EVENTS_MAX);
        if (d->last_seq > after && d->first_seq <= last) {
            status = one_day(of, &l, was_there ? &before : NULL, err);
        }
    }
    turn_round(of);
    if (was_there) {
        jb_summary_free(&before);
    }
    return status;
}

/* ---- late ones ---- */

static jb_status
late_of_day(struct listing *l, struct jb_late *late, struct jb_error *err)
{
    jb_status status = count(l, NULL, err);
    for (unsigned i = 0; i < CELLS; i++) {
        l->left_out[i] = i % 2 == 0;
    }
    status = status == JB_OK ? list(l, err) : status;
    for (unsigned i = 1; i < CELLS && status == JB_OK; i += 2) {
        const struct jb_cause_cell *c = cell(&l->of, i);
        if (!jb_vec_reserve(late, late->n + c->events.n)) {
            status = no_memory(err);
        } else if (c->events.n > 0) {
            memcpy(late->at + late->n, c->events.at, c->events.n * sizeof *c->events.at);
            late->n += c->events.n;
        }
    }
    jb_causes_free(&l->of);
    jb_vec_free(&l->piece);
    return status;
}

jb_status
jb_late_of_marks(struct jb_late *late, struct jb_view_read *q, uint32_t wallet,
                 const struct jb_row_list *days, jb_seq last, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (size_t i = 0; i < days->n && status == JB_OK; i++) {
        const struct jb_day_row *d = &days->at[i];
        struct listing l = of_day(q, wallet, d, 0, last, SIZE_MAX);
        if (d->first_seq <= last) {
            status = late_of_day(&l, late, err);
        }
    }
    if (late->n > 1) {
        qsort(late->at, late->n, sizeof *late->at, ascending);
    }
    return status;
}
