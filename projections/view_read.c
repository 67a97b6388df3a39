/* Reading through the fold of the tail into the store. */
#include "projections/query.h"

#include "base/steps.h"

#include <stdio.h>

jb_status
jb_view_read_event(struct jb_view_read *q, jb_seq seq, uint32_t wallet, const struct jb_event **ret,
                   struct jb_error *err)
{
    if (q->cursor == NULL) {
        jb_status status = jb_cursor_open(q->v->l, 1, &q->cursor, err);
        if (status != JB_OK) {
            return status;
        }
    }
    const struct jb_event *e;
    jb_steps.events++;
    jb_status status = jb_limit_look(err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_cursor_at(q->cursor, seq, &e, err);
    if (status == JB_E_NOTFOUND || (status == JB_OK && wallet != 0 && e->wallet != wallet)) {
        status = jb_fail(err, JB_E_CORRUPT,
                         "event %llu is named as one of wallet %u and is not. Run `jangbu audit`",
                         (unsigned long long)seq, wallet);
        if (err != NULL) {
            err->at = seq;
        }
    }
    if (status == JB_OK) {
        *ret = e;
    }
    return status;
}

static jb_status
read_row(struct jb_view_read *q, uint32_t wallet, jb_day day, struct jb_day_row *ret,
         bool *ret_found, struct jb_error *err)
{
    const struct jb_fold_wallet *w = jb_fold_wallet(q->fold, wallet);
    for (size_t i = w != NULL ? w->rows.n : 0; i-- > 0;) {
        if (w->rows.at[i].row.day <= day) {
            *ret = w->rows.at[i].row;
            *ret_found = true;
            return JB_OK;
        }
    }
    return jb_stored_row_at_most(q->stored, JB_VT_ROWS, wallet, day, ret, ret_found, err);
}

jb_status
jb_view_read_row(struct jb_view_read *q, uint32_t wallet, jb_day day, struct jb_day_row *ret,
                 bool *ret_found, struct jb_error *err)
{
    jb_status status = jb_limit_look(err);
    if (status != JB_OK) {
        return status;
    }
    do {
        status = read_row(q, wallet, day, ret, ret_found, err);
    } while (jb_view_read_again(q, &status, err));
    return status;
}

static jb_status
append(void *data, const struct jb_day_row *row, struct jb_error *err)
{
    struct jb_row_list *list = data;
    if (!jb_vec_reserve(list, list->n + 1)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for the rows of a wallet");
    }
    list->at[list->n++] = *row;
    return JB_OK;
}

/* The fold's rows take the place of the store's, day by day. */
jb_status
jb_view_read_rows(struct jb_view_read *q, unsigned table, uint32_t wallet, jb_day from, jb_day to,
                  struct jb_row_list *list, struct jb_error *err)
{
    struct jb_row_list stored = {0};
    jb_status status;
    do {
        stored.n = 0;
        status = jb_stored_rows(q->stored, table, wallet, from, to, append, &stored, err);
    } while (jb_view_read_again(q, &status, err));
    const struct jb_fold_wallet *w = jb_fold_wallet(q->fold, wallet);
    const struct jb_fold_row *rows = w == NULL             ? NULL
                                     : table == JB_VT_ROWS ? w->rows.at
                                                           : w->moved.at;
    size_t rows_n = w == NULL ? 0 : table == JB_VT_ROWS ? w->rows.n : w->moved.n;
    size_t s = 0;
    for (size_t i = 0; i < rows_n && status == JB_OK; i++) {
        const struct jb_day_row *row = &rows[i].row;
        if (row->day < from || row->day > to) {
            continue;
        }
        for (; s < stored.n && stored.at[s].day < row->day && status == JB_OK; s++) {
            status = append(list, &stored.at[s], err);
        }
        s += s < stored.n && stored.at[s].day == row->day;
        status = status == JB_OK ? append(list, row, err) : status;
    }
    for (; s < stored.n && status == JB_OK; s++) {
        status = append(list, &stored.at[s], err);
    }
    jb_vec_free(&stored);
    return status;
}

static jb_status
read_close(struct jb_view_read *q, jb_day day, struct jb_close *ret, struct jb_error *err)
{
    const struct jb_fold *f = q->fold;
    if (f->closes.n > 0 && day >= f->closes.at[0].day &&
        (size_t)(day - f->closes.at[0].day) < f->closes.n) {
        *ret = f->closes.at[day - f->closes.at[0].day];
        return JB_OK;
    }
    bool found;
    jb_status status = jb_stored_close(q->stored, day, ret, &found, err);
    if (status == JB_OK && !found) {
        char text[JB_DAY_TEXT_BYTES];
        return jb_fail(err, JB_E_STALE,
                       "views.mdb does not know when %s was closed. Make the projections anew: "
                       "`jangbu rebuild`",
                       jb_day_print(day, text));
    }
    return status;
}

jb_status
jb_view_read_close(struct jb_view_read *q, jb_day day, struct jb_close *ret, struct jb_error *err)
{
    jb_status status;
    do {
        status = read_close(q, day, ret, err);
    } while (jb_view_read_again(q, &status, err));
    return status;
}

static void
add_move(struct jb_move *sum, const struct jb_move *m)
{
    for (unsigned i = 0; i < JB_FLOWS_N; i++) {
        sum->flows[i] = jb_sum(sum->flows[i], m->flows[i]);
    }
    sum->paid = jb_sum(sum->paid, m->paid);
    sum->free = jb_sum(sum->free, m->free);
    sum->dormant = jb_sum(sum->dormant, m->dormant);
    sum->pending = jb_sum(sum->pending, m->pending);
    sum->transit = jb_sum(sum->transit, m->transit);
}

jb_status
jb_view_read_walk(struct jb_view_read *q, uint32_t wallet, const struct jb_walk *w,
                  struct jb_move *ret_sum, struct jb_error *err)
{
    struct jb_move sum = {.paid = 0};
    uint64_t read = 0;
    for (jb_seq seq = w->from; seq > w->down_to; read++) {
        if (w->most != 0 && read == w->most) {
            return JB_END;
        }
        const struct jb_event *e;
        jb_status status = jb_view_read_event(q, seq, wallet, &e, err);
        if (status != JB_OK) {
            return status;
        }
        /* posted_on is never after the day of recording, and recording never goes back: nothing
         * earlier can count. */
        if (w->posted_after != JB_NO_DAY &&
            jb_day_of(e->recorded_at, q->v->info.utc_offset_s) <= w->posted_after) {
            break;
        }
        struct jb_move m;
        const char *why = jb_move_of(e, &m);
        if (why == NULL && e->prev >= seq) {
            why = "an event does not name its wallet's event before it";
        }
        if (why != NULL) {
            return jb_fail(err, JB_E_CORRUPT, "event %llu: %s. Run `jangbu audit`",
                           (unsigned long long)seq, jb_tr(why));
        }
        if (w->posted_after == JB_NO_DAY || e->posted_on > w->posted_after) {
            add_move(&sum, &m);
            status = w->visit != NULL ? w->visit(w->data, e, &m, err) : JB_OK;
        }
        if (status != JB_OK) {
            return status;
        }
        seq = e->prev;
    }
    *ret_sum = sum;
    return JB_OK;
}

jb_status
jb_find_wallet(jb_ledger *l, struct jb_text id, uint32_t *ret, struct jb_error *err)
{
    jb_status status = jb_wallet_number(l, id, ret, NULL);
    if (status == JB_E_NOTFOUND) {
        int n = id.n > JB_ID_BYTES_MAX ? JB_ID_BYTES_MAX : (int)id.n;
        return jb_fail(err, JB_E_NOTFOUND, "there is no wallet %.*s", n, id.s);
    }
    return status == JB_OK ? JB_OK : jb_wallet_number(l, id, ret, err);
}

jb_status
jb_wallet_text(jb_ledger *l, uint32_t number, char out[JB_ID_BYTES_MAX + 1], struct jb_error *err)
{
    size_t n;
    jb_status status = jb_wallet_id(l, number, out, &n, err);
    if (status == JB_OK) {
        out[n] = '\0';
    }
    return status;
}

jb_status
jb_row_shown(const struct jb_day_row *row, struct jb_cash_row *ret, struct jb_error *err)
{
    bool fits = row->total != JB_TOO_MUCH && row->paid != JB_TOO_MUCH && row->free != JB_TOO_MUCH;
    for (unsigned i = 0; i < JB_FLOWS_N; i++) {
        fits = fits && row->flows[i] != JB_TOO_MUCH;
    }
    if (!fits) {
        char text[JB_DAY_TEXT_BYTES];
        return jb_fail(err, JB_E_RANGE, "the sums of %s are too large for a number of 64 bits",
                       jb_day_print(row->day, text));
    }
    *ret = (struct jb_cash_row){.day = row->day,
#define JB_X(name) .name = row->flows[JB_FLOW_##name],
                                JB_FLOWS(JB_X)
#undef JB_X
                                    .closing_total = row->total,
                                .closing_paid = row->paid,
                                .closing_free = row->free};
    return JB_OK;
}

/* ---- what lists of events share ---- */

jb_status
jb_view_read_piece(struct jb_view_read *q, uint32_t wallet, jb_seq from, struct jb_piece *piece,
                   struct jb_error *err)
{
    jb_seq at = 0;
    jb_status status = jb_view_read_anchor(q, wallet, from - 1, &at, err);
    piece->seqs.n = 0;
    while (status == JB_OK && at >= from) {
        const struct jb_event *e;
        status = jb_view_read_event(q, at, wallet, &e, err);
        if (status == JB_OK && e->prev >= at) {
            status = jb_fail(err, JB_E_CORRUPT,
                             "event %llu names a later one as its wallet's event before it",
                             (unsigned long long)at);
        }
        if (status == JB_OK && !jb_vec_reserve(&piece->seqs, piece->seqs.n + 1)) {
            status = jb_fail(err, JB_E_NOMEM, "no memory for the events of a wallet");
        }
        if (status == JB_OK) {
            piece->seqs.at[piece->seqs.n++] = at;
            at = e->prev;
        }
    }
    return status == JB_OK && piece->seqs.n == 0
               ? jb_fail(err, JB_E_CORRUPT,
                         "wallet %u has no event behind %llu. Run `jangbu audit`", wallet,
                         (unsigned long long)(from - 1))
               : status;
}

jb_status
jb_view_check_times(const jb_instant *since, const jb_instant *until, struct jb_error *err)
{
    const jb_instant *times[2] = {since, until};
    for (int i = 0; i < 2; i++) {
        if (times[i] != NULL && (*times[i] < JB_INSTANT_MIN || *times[i] > JB_INSTANT_MAX)) {
            return jb_fail(err, JB_E_USAGE, "a time outside the years 1 to 9999");
        }
    }
    return JB_OK;
}

jb_status
jb_view_bounds(struct jb_views *v, const jb_instant *since, const jb_instant *until, jb_seq *low,
               jb_seq *high, struct jb_error *err)
{
    jb_seq before;
    jb_status status = JB_OK;
    if (since != NULL) {
        status = jb_seq_at_time(v->l, *since - 1, &before, err);
        *low = status == JB_OK && before + 1 > *low ? before + 1 : *low;
    }
    if (until != NULL && status == JB_OK) {
        status = jb_seq_at_time(v->l, *until - 1, &before, err);
        *high = status == JB_OK && before < *high ? before : *high;
    }
    return status;
}

jb_status
jb_view_check_types(const uint32_t *types, uint32_t types_n, bool *set, bool *ret_all,
                    struct jb_error *err)
{
    *ret_all = types == NULL;
    if ((types == NULL) != (types_n == 0)) {
        return jb_fail(err, JB_E_USAGE, "types and types_n: a list of types has at least one");
    }
    for (uint32_t i = 0; i < types_n; i++) {
        if (jb_event_type_get(types[i]) == NULL) {
            return jb_fail(err, JB_E_USAGE, "there is no type of events %u", types[i]);
        }
        set[types[i]] = true;
    }
    return JB_OK;
}

bool
jb_amount_within(const struct jb_event *e, const jb_amount *min, const jb_amount *max)
{
    const jb_amount amount =
        e->type == JB_EV_COMMAND_REFUSED ? e->command_refused.amount : jb_event_amount(e);
    return (min == NULL || amount >= *min) && (max == NULL || amount <= *max);
}
