/*
 * The cash status. As posted: the rows of closed days, which never change. As known now: by
 * min(day(occurred_at), day(recorded_at)), open days too; over all days up to the head both come to
 * the same total.
 */
#include "projections/query.h"

static void
header(uint32_t number, const struct jb_as_of_point *r, struct jb_cash_status *ret)
{
    *ret = (struct jb_cash_status){.size = sizeof *ret,
                                   .number = number,
                                   .through = r->closed_through,
                                   .open_day = r->first_open_day,
                                   .past_day_open = r->first_open_day != JB_NO_DAY &&
                                                    r->today != JB_NO_DAY &&
                                                    r->first_open_day < r->today,
                                   .as_of = r->moment};
}

/* What is asked for must be something that can be known: no bound may make an empty list out of
 * days that are not there yet. */
static jb_status
check_bounds(const struct jb_as_of_point *r, jb_cash_view view, jb_day from, jb_day to,
             struct jb_error *err)
{
    char text[JB_DAY_TEXT_BYTES];
    if (view != JB_VIEW_POSTED && view != JB_VIEW_KNOWN) {
        return jb_fail(err, JB_E_USAGE,
                       "a view of the cash status that does not exist; there are posted and known");
    }
    jb_status in_range = from != JB_NO_DAY ? jb_view_check_day(from, err) : JB_OK;
    in_range = in_range == JB_OK && to != JB_NO_DAY ? jb_view_check_day(to, err) : in_range;
    if (in_range != JB_OK) {
        return in_range;
    }
    if (from != JB_NO_DAY && to != JB_NO_DAY && from > to) {
        return jb_fail(err, JB_E_USAGE, "the first day asked for is after the last one");
    }
    if (from != JB_NO_DAY && view == JB_VIEW_POSTED && from > r->closed_through) {
        return jb_as_of_not_closed(r, from, err);
    }
    if (from != JB_NO_DAY && view == JB_VIEW_KNOWN && from > r->today) {
        return jb_fail(err, JB_E_NOT_CLOSED, "%s has not begun yet", jb_day_print(from, text));
    }
    return JB_OK;
}

/* Takes back what the wallet's events after S did to the rows as known. */
struct taking_back {
    struct jb_row_list *rows;
    int32_t utc_offset_s;
};

static jb_status
take_back(void *data, const struct jb_event *e, const struct jb_move *m, struct jb_error *err)
{
    struct taking_back *t = data;
    if (jb_flows_none(m->flows)) {
        return JB_OK;
    }
    jb_day occurred = jb_day_of(e->occurred_at, t->utc_offset_s),
           recorded = jb_day_of(e->recorded_at, t->utc_offset_s);
    jb_day day = occurred < recorded ? occurred : recorded;
    for (size_t i = t->rows->n; i-- > 0;) {
        struct jb_day_row *row = &t->rows->at[i];
        if (row->day != day) {
            continue;
        }
        for (unsigned f = 0; f < JB_FLOWS_N; f++) {
            row->flows[f] =
                row->flows[f] == JB_TOO_MUCH ? JB_TOO_MUCH : row->flows[f] - m->flows[f];
        }
        row->total = jb_sum(row->total, -jb_flows_effect(m->flows));
        row->paid = jb_sum(row->paid, -m->paid);
        row->free = jb_sum(row->free, -m->free);
        return JB_OK;
    }
    return jb_fail(err, JB_E_STALE,
                   "views.mdb has no row for the day of event %llu. Make the projections anew: "
                   "`jangbu rebuild`",
                   (unsigned long long)e->seq);
}

static jb_amount
difference(jb_amount a, jb_amount b)
{
    return a == JB_TOO_MUCH || b == JB_TOO_MUCH ? JB_TOO_MUCH : a - b;
}

/* What each day changed: as it was posted, and what moves from it and to it. In order of day. */
static jb_status
changes_of_days(const struct jb_row_list *posted, const struct jb_row_list *moved,
                struct jb_row_list *list, struct jb_error *err)
{
    struct jb_day_row before = {0};
    if (!jb_vec_reserve(list, posted->n + moved->n)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for the rows of a wallet");
    }
    for (size_t p = 0, m = 0; p < posted->n || m < moved->n;) {
        const struct jb_day_row *to = m < moved->n ? &moved->at[m] : NULL;
        struct jb_day_row row = {0};
        if (p < posted->n && (to == NULL || posted->at[p].day <= to->day)) {
            const struct jb_day_row closing = posted->at[p++];
            row = closing;
            row.total = difference(closing.total, before.total);
            row.paid = difference(closing.paid, before.paid);
            row.free = difference(closing.free, before.free);
            before = closing;
        } else {
            row.day = to->day;
        }
        if (to != NULL && to->day == row.day) {
            for (unsigned i = 0; i < JB_FLOWS_N; i++) {
                row.flows[i] = jb_sum(row.flows[i], to->flows[i]);
            }
            row.total = jb_sum(row.total, to->total);
            row.paid = jb_sum(row.paid, to->paid);
            row.free = jb_sum(row.free, to->free);
            m++;
        }
        list->at[list->n++] = row;
    }
    return JB_OK;
}

static jb_status
read_changes(struct jb_view_read *q, uint32_t number, struct jb_row_list *list,
             struct jb_error *err)
{
    struct jb_row_list posted = {0}, moved = {0};
    jb_status status = jb_view_read_rows(q, JB_VT_ROWS, number, INT32_MIN, INT32_MAX, &posted, err);
    status = status == JB_OK
                 ? jb_view_read_rows(q, JB_VT_MOVED, number, INT32_MIN, INT32_MAX, &moved, err)
                 : status;
    status = status == JB_OK ? changes_of_days(&posted, &moved, list, err) : status;
    jb_vec_free(&posted);
    jb_vec_free(&moved);
    return status;
}

/* Rows of what each day changed, as of S, become rows with closings. */
static jb_status
known_rows(struct jb_view_read *q, uint32_t number, const struct jb_as_of_point *r,
           struct jb_row_list *list, struct jb_error *err)
{
    jb_status status = read_changes(q, number, list, err);
    if (status != JB_OK) {
        return status;
    }
    if (r->moment.seq < q->fold->g.seq) {
        struct jb_summary head;
        status = jb_view_read_summary(q, number, q->fold->g.seq, &head, err);
        if (status != JB_OK) {
            return status;
        }
        struct taking_back t = {list, q->v->info.utc_offset_s};
        struct jb_walk walk = {.from = head.version,
                               .down_to = r->moment.seq,
                               .posted_after = JB_NO_DAY,
                               .visit = take_back,
                               .data = &t};
        struct jb_move unused;
        status = jb_view_read_walk(q, number, &walk, &unused, err);
        jb_summary_free(&head);
    }
    struct jb_day_row sum = {0};
    size_t kept = 0;
    for (size_t i = 0; i < list->n && status == JB_OK; i++) {
        struct jb_day_row *row = &list->at[i];
        if (jb_flows_none(row->flows)) {
            continue;
        }
        row->total = sum.total = jb_sum(sum.total, row->total);
        row->paid = sum.paid = jb_sum(sum.paid, row->paid);
        row->free = sum.free = jb_sum(sum.free, row->free);
        list->at[kept++] = *row;
    }
    list->n = kept;
    return status;
}

static jb_status
collect(struct jb_view_read *q, uint32_t number, jb_cash_view view, const struct jb_as_of_point *r,
        jb_day from, jb_day to, struct jb_row_list *list, struct jb_error *err)
{
    struct jb_summary then;
    jb_status status = jb_view_read_summary(q, number, r->moment.seq, &then, err);
    if (status != JB_OK) {
        return status;
    }
    bool there = r->only_through == JB_NO_DAY || then.created_on <= r->only_through;
    jb_summary_free(&then);
    if (!there) {
        return jb_not_yet(q, number, 0, err);
    }
    if (view == JB_VIEW_KNOWN) {
        return known_rows(q, number, r, list, err);
    }
    if (r->closed_through == JB_NO_DAY) {
        return JB_OK;
    }
    return jb_view_read_rows(q, JB_VT_ROWS, number, from,
                             to < r->closed_through ? to : r->closed_through, list, err);
}

jb_status
jb_cash_status_get(jb_views *v, struct jb_text wallet, jb_cash_view view,
                   const struct jb_as_of *as_of, jb_day from, jb_day to,
                   bool (*each)(void *data, const struct jb_cash_row *row), void *data,
                   struct jb_cash_status *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_cash_status_get");
    }
    uint32_t number;
    jb_status status = jb_find_wallet(v->l, wallet, &number, err);
    struct jb_cash_status full;
    struct jb_view_read q;
    struct jb_as_of_point r;
    status = status == JB_OK ? jb_view_read_begin_at(v, as_of, &q, &r, err) : status;
    if (status != JB_OK) {
        return status;
    }
    struct jb_row_list list = {0};
    status = check_bounds(&r, view, from, to, err);
    jb_day last = to == JB_NO_DAY ? INT32_MAX : to;
    status = status == JB_OK ? collect(&q, number, view, &r, from, last, &list, err) : status;
    header(number, &r, &full);
    jb_view_read_end(&q);
    status = status == JB_OK ? jb_wallet_text(v->l, number, full.wallet, err) : status;
    /* The lock is released: each may take its time. */
    bool more = each != NULL;
    for (size_t i = 0; i < list.n && more && status == JB_OK; i++) {
        struct jb_cash_row row;
        if (list.at[i].day >= from && list.at[i].day <= last) {
            status = jb_row_shown(&list.at[i], &row, err);
            more = status == JB_OK && each(data, &row);
        }
    }
    jb_vec_free(&list);
    return status == JB_OK ? jb_abi_out(ret, &full, sizeof full, err) : status;
}

static jb_status
row_of_day(struct jb_view_read *q, uint32_t number, jb_day day, struct jb_cash_row *ret,
           struct jb_error *err)
{
    struct jb_day_row row = {.day = day};
    bool found;
    jb_status status = jb_view_read_row(q, number, day, &row, &found, err);
    if (status != JB_OK) {
        return status;
    }
    if (!found) {
        row = (struct jb_day_row){.day = day};
    } else if (row.day != day) {
        memset(row.flows, 0, sizeof row.flows); /* an earlier day's: only its closing holds */
        row.day = day;
    }
    return jb_row_shown(&row, ret, err);
}

/* A wallet's row of a closed day, kept until the look at them has ended. */
struct day_row {
    struct jb_cash_status of;
    struct jb_cash_row row;
};
struct day_rows {
    JB_VEC(struct day_row) rows;
    bool end; /* there is no wallet behind them */
};

/* How many rows are looked at before the first of them is told. What is published does not change:
 * the next look sees what this one would have seen. */
#define ROWS_AT_ONCE 20000

static jb_status
read_day_rows(struct jb_view_read *q, const struct jb_as_of_point *r, jb_day day, uint32_t after,
              struct day_rows *rows, struct jb_error *err)
{
    jb_status status = JB_OK;
    rows->rows.n = 0;
    for (uint32_t i = 1; i <= ROWS_AT_ONCE && status == JB_OK; i++) {
        struct jb_summary summary;
        rows->end = (uint64_t)after + i > q->fold->g.wallets_n;
        status =
            rows->end ? JB_OK : jb_view_read_summary(q, after + i, q->fold->g.seq, &summary, err);
        if (status != JB_OK || rows->end) {
            break;
        }
        bool there = summary.created_on <= day;
        jb_summary_free(&summary);
        if (!there) {
            rows->end = true; /* numbered as they are made: all the others came later, too */
            break;
        }
        if (!jb_vec_reserve(&rows->rows, rows->rows.n + 1)) {
            status = jb_fail(err, JB_E_NOMEM, "no memory for the rows of a day");
            break;
        }
        struct day_row *row = &rows->rows.at[rows->rows.n++];
        header(after + i, r, &row->of);
        status = row_of_day(q, after + i, day, &row->row, err);
        status = status == JB_OK ? jb_wallet_text(q->v->l, after + i, row->of.wallet, err) : status;
    }
    return status;
}

/* As of as_of the day must have been closed. */
static jb_status
check_closed(struct jb_view_read *q, jb_day day, const struct jb_as_of *as_of,
             const struct jb_as_of_point *closing, struct jb_error *err)
{
    struct jb_as_of_point asked;
    jb_status status =
        jb_view_read_resolve(q, as_of, q->fold->g.seq, q->fold->g.recorded_at, &asked, err);
    if (status == JB_OK && asked.moment.seq < closing->moment.seq) {
        char text[JB_DAY_TEXT_BYTES];
        status = jb_fail(err, JB_E_NOT_CLOSED,
                         "%s was not closed yet at event %llu; event %llu closed it",
                         jb_day_print(day, text), (unsigned long long)asked.moment.seq,
                         (unsigned long long)closing->moment.seq);
    }
    return status;
}

jb_status
jb_cash_day_each(jb_views *v, jb_day day, const struct jb_as_of *as_of,
                 bool (*each)(void *data, const struct jb_cash_status *w,
                              const struct jb_cash_row *row),
                 void *data, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || each == NULL) {
        return jb_fail_null(err, "jb_cash_day_each");
    }
    const struct jb_as_of closing = {.kind = JB_AS_OF_DAY, .day = day};
    struct day_rows rows = {.end = false};
    jb_status status = JB_OK;
    uint32_t after = 0;
    for (bool more = true; more && !rows.end && status == JB_OK;) {
        struct jb_view_read q;
        struct jb_as_of_point r;
        status = jb_view_read_begin_at(v, &closing, &q, &r, err);
        if (status != JB_OK) {
            break;
        }
        status = after == 0 && as_of != NULL ? check_closed(&q, day, as_of, &r, err) : JB_OK;
        status = status == JB_OK ? read_day_rows(&q, &r, day, after, &rows, err) : status;
        jb_view_read_end(&q);
        for (size_t i = 0; i < rows.rows.n && more && status == JB_OK; i++) {
            after = rows.rows.at[i].of.number;
            more = each(data, &rows.rows.at[i].of, &rows.rows.at[i].row);
        }
    }
    jb_vec_free(&rows.rows);
    return status;
}
