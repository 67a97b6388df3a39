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
jb_marks_add(struct jb_summary *w, const struct jb_event *e, int32_t utc_offset_s,
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
        if (!jb_vec_reserve(&w->marks, w->marks.n + 1)) {
            return jb_fail(err, JB_E_NOMEM, "no memory for the state of a wallet");
        }
        w->marks.at[w->marks.n++] = (struct jb_mark){
            .day = e->posted_on, .cause = (uint8_t)cause, .late = late, .first = e->seq};
        i = w->marks.n;
    }
    w->marks.at[i - 1].n++;
    w->marks.at[i - 1].amount += effect;
    return JB_OK;
}

/* ---- explaining by them ---- */

#define CELLS (JB_CAUSES_N * 2)

/* The first events of each cause are looked for, as many as are shown: in the pieces of the chain
 * between two snapshots, of which those are left out that have none. */
struct listing {
    struct jb_view_read *q;
    uint32_t wallet;
    jb_day closed_through;
    jb_seq last; /* that counts */
    struct jb_causes *of;
    JB_VEC(jb_seq) piece; /* events of one, the newest first */
};

static struct jb_cause_cell *
cell(struct jb_causes *c, unsigned i)
{
    return &c->cells[i / 2][i % 2];
}

/* Its events up to here are all listed. */
static bool
wants_more(const struct jb_cause_cell *c)
{
    return c->events.n < c->n && c->events.n < JB_CAUSE_EVENTS_MAX;
}

static bool
is_complete(const struct listing *l)
{
    for (unsigned i = 0; i < CELLS; i++) {
        if (wants_more(cell(l->of, i))) {
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
        n[m->cause * 2 + m->late] += m->day > l->closed_through ? m->n : 0;
    }
    for (unsigned i = 0; i < CELLS; i++) {
        const struct jb_cause_cell *c = cell(l->of, i);
        *ret |= wants_more(c) && n[i] > c->events.n;
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
            return jb_fail(err, JB_E_NOMEM, "no memory for an explanation");
        }
        if (at <= l->last && e->posted_on > l->closed_through && jb_event_effect(e) != 0 &&
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
        struct jb_cause_cell *c = cell(l->of, (unsigned)l->piece.at[i - 1]);
        if (!wants_more(c)) {
            continue;
        }
        if (!jb_vec_reserve(&c->events, c->events.n + 1)) {
            return jb_fail(err, JB_E_NOMEM, "no memory for an explanation");
        }
        c->events.at[c->events.n++] = l->piece.at[i - 2];
    }
    return status;
}

/* In ascending order, behind event `low`. */
static jb_status
list(struct listing *l, jb_seq low, struct jb_error *err)
{
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
turn_round(struct jb_cause_cell *c)
{
    for (size_t i = 0, k = c->events.n; i + 1 < k; i++) {
        const jb_seq seq = c->events.at[i];
        c->events.at[i] = c->events.at[--k];
        c->events.at[k] = seq;
    }
}

jb_status
jb_causes_of_marks(struct jb_causes *of, struct jb_view_read *q, uint32_t wallet,
                   jb_day closed_through, jb_seq last, struct jb_error *err)
{
    struct listing l = {
        .q = q, .wallet = wallet, .closed_through = closed_through, .last = last, .of = of};
    struct jb_summary s;
    jb_seq first = last;
    jb_status status = jb_view_read_summary(q, wallet, last, &s, err);
    if (status != JB_OK) {
        return status;
    }
    for (size_t i = 0; i < s.marks.n; i++) {
        const struct jb_mark *m = &s.marks.at[i];
        if (m->day > closed_through) {
            struct jb_cause_cell *c = cell(of, m->cause * 2U + m->late);
            c->amount += m->amount;
            c->n += m->n;
            first = m->first < first ? m->first : first;
        }
    }
    jb_summary_free(&s);
    status = list(&l, first - 1, err);
    for (unsigned i = 0; i < CELLS; i++) {
        turn_round(cell(of, i));
    }
    jb_vec_free(&l.piece);
    return status;
}
