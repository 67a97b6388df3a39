/*
 * Why two totals of one wallet differ: two closings of the cash status, two moments, or a day as it
 * was published and as it is known. As with jb_explain the two come from stored rows or summaries,
 * the causes from the wallet's events in the log, or where they are many from marks, day by day,
 * and the rest is what is left over.
 */
#include "projections/causes.h"

/* What one answer is made of, before it is laid out. */
struct change {
    struct jb_views *v;
    struct jb_change_query query;
    uint32_t number;
    struct jb_moment since, as_of;
    jb_amount before, after;
    jb_amount due; /* at the earlier moment */
    struct jb_causes causes;
    struct jb_causes apart;
};

static jb_status
check_query(const struct jb_change_query *q, const struct jb_as_of *as_of, struct jb_error *err)
{
    if (q->kind < JB_CHANGE_PERIOD || q->kind > JB_CHANGE_DAY) {
        return jb_fail(err, JB_E_USAGE, "a change of a kind that does not exist");
    }
    const bool moments = q->kind == JB_CHANGE_MOMENTS;
    if (moments != (q->since != NULL) || (q->kind != JB_CHANGE_PERIOD && q->to != 0) ||
        (moments && q->from != 0)) {
        return jb_fail(err, JB_E_USAGE,
                       "struct jb_change_query: a member is set that its kind does not use, or one "
                       "that it uses is not");
    }
    if (moments && (q->since->kind == JB_AS_OF_NOW || q->since->kind == JB_AS_OF_DAY ||
                    (as_of != NULL && as_of->kind == JB_AS_OF_DAY))) {
        return jb_fail(
            err, JB_E_USAGE,
            "since takes an event or a time; with days, ask from one to another (from, to)");
    }
    if (moments) {
        return JB_OK;
    }
    jb_status status = jb_view_check_day(q->from, err);
    if (status == JB_OK && q->kind == JB_CHANGE_PERIOD) {
        status = jb_view_check_day(q->to, err);
        if (status == JB_OK && q->from > q->to) {
            status = jb_fail(err, JB_E_USAGE, "the first day asked for is after the last one");
        }
    }
    return status;
}

/* That walk, as long as it does not go over many events for each of the days on which they were
 * posted. Then JB_END, the days with something, and no causes: marks have them. */
static jb_status
walk_some(struct change *c, struct jb_view_read *q, const struct jb_walk *walk, jb_day from,
          jb_day to, struct jb_row_list *days, struct jb_error *err)
{
    struct jb_move unused;
    struct jb_walk some = *walk;
    jb_status status = jb_view_read_rows(q, JB_VT_ROWS, c->number, from, to, days, err);
    if (status == JB_OK) {
        const uint64_t times = 1 + days->n / 16;
        some.most = jb_causes_walk_max < UINT64_MAX / times ? jb_causes_walk_max * times : 0;
        status = jb_view_read_walk(q, c->number, &some, &unused, err);
    }
    if (status == JB_END) {
        jb_causes_free(&c->causes);
        jb_causes_free(&c->apart);
        c->causes = c->apart = (struct jb_causes){0};
    }
    return status;
}

static jb_status
find_causes(struct change *c, struct jb_view_read *q, const struct jb_walk *walk, jb_day from,
            jb_day to, struct jb_error *err)
{
    struct jb_row_list days = {0};
    jb_status status = walk_some(c, q, walk, from, to, &days, err);
    if (status == JB_END) {
        status = jb_causes_of_days(&c->causes, q, c->number, &days, walk->down_to, walk->from, err);
    }
    jb_vec_free(&days);
    return status;
}

/* ---- a period ---- */

/* The closing of the last day that is not after `day`; 0 before the first. */
static jb_status
closing_of(struct jb_view_read *q, uint32_t number, jb_day day, jb_amount *ret,
           struct jb_error *err)
{
    struct jb_day_row row;
    struct jb_cash_row shown;
    bool found = false;
    *ret = 0;
    jb_status status = jb_view_read_row(q, number, day, &row, &found, err);
    if (status == JB_OK && found) {
        status = jb_row_shown(&row, &shown, err);
        *ret = status == JB_OK ? row.total : 0;
    }
    return status;
}

static jb_status
add_posted_within(void *data, const struct jb_event *e, const struct jb_move *m,
                  struct jb_error *err)
{
    (void)m;
    struct change *c = data;
    return e->posted_on > c->query.to
               ? JB_OK
               : jb_causes_add(&c->causes, e, 1, c->v->info.utc_offset_s, err);
}

/* What was posted to the days is recorded on the first of them or later, and by when the last one
 * was closed. */
static jb_status
read_period(struct change *c, struct jb_view_read *q, const struct jb_as_of_point *r,
            struct jb_error *err)
{
    struct jb_close close;
    struct jb_summary then;
    if (r->closed_through == JB_NO_DAY || c->query.to > r->closed_through) {
        return jb_as_of_not_closed(r, c->query.to, err);
    }
    if (c->query.to < q->fold->g.first_day) {
        return JB_OK;
    }
    jb_status status = closing_of(q, c->number, c->query.from - 1, &c->before, err);
    status = status == JB_OK ? closing_of(q, c->number, c->query.to, &c->after, err) : status;
    status = status == JB_OK ? jb_view_read_close(q, c->query.to, &close, err) : status;
    status = status == JB_OK ? jb_view_read_summary(q, c->number, close.seq, &then, err) : status;
    if (status != JB_OK) {
        return status;
    }
    const struct jb_walk walk = {.from = then.version,
                                 .posted_after = c->query.from - 1,
                                 .visit = add_posted_within,
                                 .data = c};
    jb_summary_free(&then);
    return find_causes(c, q, &walk, c->query.from, c->query.to, err);
}

/* ---- two moments ---- */

static jb_status
add_any(void *data, const struct jb_event *e, const struct jb_move *m, struct jb_error *err)
{
    (void)m;
    struct change *c = data;
    return jb_causes_add(&c->causes, e, 1, c->v->info.utc_offset_s, err);
}

/* The total at the earlier moment; of a wallet that was not there yet 0. What was due then counts
 * against what is due later. */
static jb_status
read_since(struct change *c, struct jb_view_read *q, const struct jb_as_of_point *r,
           struct jb_error *err)
{
    struct jb_total_parts p = {.total = 0};
    jb_status status = jb_total_parts_then(q, c->number, r, &p, err);
    if (status == JB_OK) {
        c->before = p.total;
        c->due = p.due;
    }
    jb_vec_free(&p.due_grants);
    return status == JB_E_NOTFOUND ? JB_OK : status;
}

static jb_status
read_moments(struct change *c, struct jb_view_read *q, const struct jb_as_of_point *r,
             struct jb_error *err)
{
    struct jb_head head = JB_SIZED(struct jb_head);
    struct jb_as_of_point since;
    struct jb_total_parts p = {.total = 0};
    jb_status status = jb_head_get(c->v->l, &head, err);
    if (status == JB_OK) {
        status =
            jb_view_read_resolve(q, c->query.since, q->fold->g.seq, head.recorded_at, &since, err);
    }
    if (status == JB_OK && (since.moment.seq > r->moment.seq || since.moment.at > r->moment.at)) {
        status = jb_fail(err, JB_E_USAGE, "the earlier moment is after the later one");
    }
    if (status != JB_OK) {
        return status;
    }
    c->since = since.moment;
    status = read_since(c, q, &since, err);
    status = status == JB_OK ? jb_total_parts_then(q, c->number, r, &p, err) : status;
    c->after = p.total;
    if (status == JB_OK) {
        const struct jb_walk walk = {.from = p.version,
                                     .down_to = since.moment.seq,
                                     .posted_after = JB_NO_DAY,
                                     .visit = add_any,
                                     .data = c};
        status = find_causes(c, q, &walk, since.first_open_day, INT32_MAX, err);
    }
    if (status == JB_OK) {
        c->causes.cells[JB_CAUSE_expiry_due][0].amount += c->due;
        status = jb_causes_add_due(&c->causes, q, c->number, r->moment.seq, &p, err);
    }
    jb_vec_free(&p.due_grants);
    return status;
}

/* ---- a day, as published and as known ---- */

static bool
one_row(void *data, const struct jb_cash_row *row)
{
    *(struct jb_cash_row *)data = *row;
    return true;
}

/* What the day did to the total in that view. */
static jb_status
effect_of_day(struct change *c, jb_cash_view view, const struct jb_as_of *as_of, jb_amount *ret,
              struct jb_error *err)
{
    struct jb_cash_row row = {.day = c->query.from};
    struct jb_cash_status s = JB_SIZED(struct jb_cash_status);
    jb_status status = jb_cash_status_get(c->v, c->query.wallet, view, as_of, c->query.from,
                                          c->query.from, one_row, &row, &s, err);
    const jb_amount flows[JB_FLOWS_N] = {
#define JB_X(name) [JB_FLOW_##name] = row.name,
        JB_FLOWS(JB_X)
#undef JB_X
    };
    *ret = jb_flows_effect(flows);
    return status;
}

/* Late ones alone: of any other both days are the same. */
static jb_status
add_late(void *data, const struct jb_event *e, const struct jb_move *m, struct jb_error *err)
{
    (void)m;
    struct change *c = data;
    const int32_t offset = c->v->info.utc_offset_s;
    const jb_day occurred = jb_day_of(e->occurred_at, offset),
                 recorded = jb_day_of(e->recorded_at, offset);
    const jb_day known = occurred < recorded ? occurred : recorded;
    jb_status status = JB_OK;
    if (known == c->query.from && e->posted_on != known) {
        status = jb_causes_add(&c->causes, e, 1, offset, err);
    } else if (e->posted_on == c->query.from && e->posted_on != known) {
        status = jb_causes_add(&c->apart, e, -1, offset, err);
    }
    return status;
}

/* The same of the late ones that marks have, the newest first. */
static jb_status
late_of_marks(struct change *c, struct jb_view_read *q, const struct jb_row_list *days, jb_seq last,
              struct jb_error *err)
{
    struct jb_late late = {0};
    jb_status status = jb_late_of_marks(&late, q, c->number, days, last, err);
    for (size_t i = late.n; i > 0 && status == JB_OK; i--) {
        const struct jb_event *e;
        status = jb_view_read_event(q, late.at[i - 1], c->number, &e, err);
        status = status == JB_OK ? add_late(c, e, NULL, err) : status;
    }
    jb_vec_free(&late);
    return status;
}

static jb_status
read_day(struct change *c, struct jb_view_read *q, struct jb_error *err)
{
    struct jb_summary then;
    struct jb_row_list days = {0};
    jb_status status = jb_view_read_summary(q, c->number, c->as_of.seq, &then, err);
    if (status != JB_OK) {
        return status;
    }
    const struct jb_walk walk = {
        .from = then.version, .posted_after = c->query.from - 1, .visit = add_late, .data = c};
    jb_summary_free(&then);
    status = walk_some(c, q, &walk, c->query.from, INT32_MAX, &days, err);
    status = status == JB_END ? late_of_marks(c, q, &days, walk.from, err) : status;
    jb_vec_free(&days);
    return status;
}

/* ---- laying out ---- */

struct laid_out {
    struct jb_change c;
    struct jb_cause_line lines[2][JB_CAUSE_LINES_MAX];
    const struct jb_cause_line *at[2][JB_CAUSE_LINES_MAX];
    jb_seq events[];
};

static jb_status
lay_out(const struct change *c, struct jb_change **ret, struct jb_error *err)
{
    jb_wide sum = 0, apart = 0;
    jb_amount rest = 0, difference = 0;
    jb_status status = jb_causes_sum(&c->causes, &sum, err);
    status = status == JB_OK ? jb_causes_sum(&c->apart, &apart, err) : status;
    const jb_wide between = (jb_wide)c->after - c->before;
    status = status == JB_OK ? jb_wide_fits(between, &difference, err) : status;
    status = status == JB_OK ? jb_wide_fits(between - sum - apart, &rest, err) : status;
    if (status != JB_OK) {
        return status;
    }
    const size_t events_n = jb_causes_events(&c->causes) + jb_causes_events(&c->apart);
    struct laid_out *o = calloc(1, sizeof *o + events_n * sizeof o->events[0]);
    if (o == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory for an explanation");
    }
    jb_seq *at = o->events;
    o->c =
        (struct jb_change){.size = sizeof o->c,
                           .number = c->number,
                           .kind = c->query.kind,
                           .from = c->query.kind != JB_CHANGE_MOMENTS ? c->query.from : JB_NO_DAY,
                           .to = c->query.kind == JB_CHANGE_PERIOD ? c->query.to
                                 : c->query.kind == JB_CHANGE_DAY  ? c->query.from
                                                                   : JB_NO_DAY,
                           .since = c->since,
                           .before = c->before,
                           .after = c->after,
                           .difference = difference,
                           .rest = rest,
                           .as_of = c->as_of,
                           .causes = o->at[0],
                           .apart = o->at[1]};
    o->c.causes_n = jb_causes_lay_out(&c->causes, o->lines[0], o->at[0], &at);
    o->c.apart_n = jb_causes_lay_out(&c->apart, o->lines[1], o->at[1], &at);
    *ret = &o->c;
    return JB_OK;
}

static jb_status
read_change(struct change *c, const struct jb_as_of *as_of, struct jb_error *err)
{
    struct jb_view_read q;
    struct jb_as_of_point r;
    jb_status status = jb_view_read_begin_at(c->v, as_of, &q, &r, err);
    if (status != JB_OK) {
        return status;
    }
    c->as_of = r.moment;
    status = c->query.kind == JB_CHANGE_PERIOD    ? read_period(c, &q, &r, err)
             : c->query.kind == JB_CHANGE_MOMENTS ? read_moments(c, &q, &r, err)
                                                  : read_day(c, &q, err);
    jb_view_read_end(&q);
    if (status == JB_OK && c->query.kind == JB_CHANGE_DAY) {
        const struct jb_as_of then = {.kind = JB_AS_OF_SEQ, .seq = c->as_of.seq};
        status = effect_of_day(c, JB_VIEW_POSTED, &then, &c->before, err);
        status = status == JB_OK ? effect_of_day(c, JB_VIEW_KNOWN, &then, &c->after, err) : status;
    }
    return status;
}

jb_status
jb_change_get(jb_views *v, const struct jb_change_query *query, const struct jb_as_of *as_of,
              struct jb_change **ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || query == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_change_get");
    }
    struct change c = {.v = v};
    struct jb_change *change = NULL;
    jb_status status = jb_abi_in(&c.query, sizeof c.query, query, "struct jb_change_query", err);
    status = status == JB_OK ? jb_abi_reserved(&c.query.reserved, sizeof c.query.reserved,
                                               "struct jb_change_query", err)
                             : status;
    status = status == JB_OK ? check_query(&c.query, as_of, err) : status;
    status = status == JB_OK ? jb_find_wallet(v->l, c.query.wallet, &c.number, err) : status;
    status = status == JB_OK ? read_change(&c, as_of, err) : status;
    status = status == JB_OK ? lay_out(&c, &change, err) : status;
    jb_causes_free(&c.causes);
    jb_causes_free(&c.apart);
    status = status == JB_OK ? jb_wallet_text(v->l, c.number, change->wallet, err) : status;
    if (status != JB_OK) {
        jb_change_free(change);
        return status;
    }
    *ret = change;
    return JB_OK;
}

struct jb_change *
jb_change_free(struct jb_change *change)
{
    free(change); /* the first member of the piece that everything lies in */
    return NULL;
}
