/* The fold of one wallet: of its events, over what a store has of it. */
#include "projections/fold.h"

#include "ledger/reader.h"
#include "projections/marks.h"

void
jb_fold_wallet_clear(struct jb_fold_wallet *w)
{
    for (size_t i = 0; i < w->snapshots.n; i++) {
        free(w->snapshots.at[i].bytes);
    }
    jb_summary_free(&w->summary);
    w->summary = (struct jb_summary){0};
    w->before = (struct jb_day_row){0};
    w->snapshots.n = w->grants.n = w->rows.n = w->moved.n = 0;
}

void
jb_fold_wallet_free(struct jb_fold_wallet *w)
{
    jb_fold_wallet_clear(w);
    jb_vec_free(&w->snapshots);
    jb_vec_free(&w->grants);
    jb_vec_free(&w->rows);
    jb_vec_free(&w->moved);
}

static jb_status
load_row(void *data, const struct jb_day_row *row, struct jb_error *err)
{
    struct jb_fold_wallet *w = data;
    if (!jb_vec_reserve_tight(&w->rows, w->rows.n + 1)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a day row");
    }
    w->rows.at[w->rows.n++] = (struct jb_fold_row){.row = *row};
    return JB_OK;
}

/* What the store has of a wallet that the next events may change: its summary, its rows of open
 * days, the closing before them. */
jb_status
jb_fold_wallet_load(struct jb_fold_wallet *w, uint32_t number, jb_day first_open_day,
                    struct jb_store_txn *base, struct jb_error *err)
{
    bool found;
    w->number = number;
    jb_status status = jb_stored_summary(base, number, &w->summary, &found, err);
    if (status != JB_OK || !found || first_open_day == JB_NO_DAY) {
        return status;
    }
    struct jb_day_row before;
    status =
        jb_stored_row_at_most(base, JB_VT_ROWS, number, first_open_day - 1, &before, &found, err);
    if (status == JB_OK && found) {
        w->before = before;
    }
    return status == JB_OK ? jb_stored_rows(base, JB_VT_ROWS, number, first_open_day, INT32_MAX,
                                            load_row, w, err)
                           : status;
}

/* ---- rows ---- */

/* Index of the first row with that day or a later one. Nearly always the last. */
static size_t
row_index(const struct jb_fold_row *rows, size_t n, jb_day day)
{
    if (n == 0 || rows[n - 1].row.day <= day) {
        return n == 0 || rows[n - 1].row.day < day ? n : n - 1;
    }
    size_t low = 0, high = n - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows[middle].row.day < day) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void
insert_row(struct jb_fold_row *rows, size_t *n, size_t at, const struct jb_day_row *row)
{
    memmove(&rows[at + 1], &rows[at], (*n - at) * sizeof *rows);
    rows[at] = (struct jb_fold_row){.row = *row, .dirty = true};
    ++*n;
}

static void
add_flows(struct jb_day_row *row, const struct jb_move *m, jb_seq seq)
{
    for (unsigned i = 0; i < JB_FLOWS_N; i++) {
        if (m->flows[i] != 0) { /* nearly always one */
            row->flows[i] = jb_sum(row->flows[i], m->flows[i]);
        }
    }
    row->first_seq = row->first_seq == 0 ? seq : row->first_seq;
    row->last_seq = seq;
}

/* effect: jb_flows_effect of m. */
static void
add_effect(struct jb_fold_row *r, const struct jb_move *m, jb_amount effect)
{
    r->row.total = jb_sum(r->row.total, effect);
    r->row.paid = jb_sum(r->row.paid, m->paid);
    r->row.free = jb_sum(r->row.free, m->free);
    r->dirty = true;
}

/* The row of the posting day gets the flows; it and every later open day get the new closing. */
static bool
post(struct jb_fold_wallet *w, const struct jb_event *e, const struct jb_move *m, jb_amount effect)
{
    size_t at = row_index(w->rows.at, w->rows.n, e->posted_on);
    if (at == w->rows.n || w->rows.at[at].row.day != e->posted_on) {
        const struct jb_day_row *before = at > 0 ? &w->rows.at[at - 1].row : &w->before;
        struct jb_day_row row = {.day = e->posted_on,
                                 .total = before->total,
                                 .paid = before->paid,
                                 .free = before->free};
        if (!jb_vec_reserve_tight(&w->rows, w->rows.n + 1)) {
            return false;
        }
        insert_row(w->rows.at, &w->rows.n, at, &row);
    }
    add_flows(&w->rows.at[at].row, m, e->seq);
    for (; at < w->rows.n; at++) {
        add_effect(&w->rows.at[at], m, effect);
    }
    return true;
}

/* The day on which the event was known: it occurred then, or was recorded before. */
static jb_day
known_on(const struct jb_event *e, int32_t utc_offset_s)
{
    if ((e->flags & (JB_EVF_OCCURRED | JB_EVF_POSTED)) == 0) {
        return e->posted_on; /* all three are one */
    }
    return jb_day_of(e->occurred_at < e->recorded_at ? e->occurred_at : e->recorded_at,
                     utc_offset_s);
}

/* The day gets what the event moves (sign 1), or loses it again (-1), beside what is posted to it.
 */
static jb_status
move_to(jb_day day, int sign, struct jb_store_txn *base, struct jb_fold_wallet *w, jb_seq seq,
        const struct jb_move *m, struct jb_error *err)
{
    size_t at = row_index(w->moved.at, w->moved.n, day);
    if (at == w->moved.n || w->moved.at[at].row.day != day) {
        struct jb_day_row row;
        bool found;
        jb_status status =
            jb_stored_row_at_most(base, JB_VT_MOVED, w->number, day, &row, &found, err);
        if (status != JB_OK) {
            return status;
        }
        if (!found || row.day != day) {
            row = (struct jb_day_row){.day = day};
        }
        if (!jb_vec_reserve(&w->moved, w->moved.n + 1)) {
            return jb_fail(err, JB_E_NOMEM, "no memory for a day row");
        }
        insert_row(w->moved.at, &w->moved.n, at, &row);
    }
    struct jb_move by = *m;
    for (unsigned i = 0; i < JB_FLOWS_N; i++) {
        by.flows[i] *= sign;
    }
    by.paid *= sign;
    by.free *= sign;
    add_flows(&w->moved.at[at].row, &by, seq);
    add_effect(&w->moved.at[at], &by, jb_flows_effect(by.flows));
    return JB_OK;
}

/* An event that is known of another day than it is posted to. */
static jb_status
know(const struct jb_fold *f, struct jb_store_txn *base, struct jb_fold_wallet *w,
     const struct jb_event *e, const struct jb_move *m, struct jb_error *err)
{
    const jb_day known = known_on(e, f->utc_offset_s);
    if (known == e->posted_on) {
        return JB_OK;
    }
    jb_status status = move_to(known, 1, base, w, e->seq, m, err);
    return status == JB_OK ? move_to(e->posted_on, -1, base, w, e->seq, m, err) : status;
}

/* A snapshot that nobody is to keep. */
static jb_status
drain_snapshot(const struct jb_fold *f, const struct jb_fold_wallet *w,
               const struct jb_fold_mark *m, struct jb_error *err)
{
    uint8_t key[JB_KEY_WALLET_SEQ_BYTES];
    jb_key_wallet_seq(key, w->number, m->seq);
    return f->drain->row(f->drain->data, JB_VT_SNAPSHOTS, key, sizeof key, m->bytes, m->bytes_n,
                         err);
}

static jb_status
take_snapshot(const struct jb_fold *f, struct jb_fold_wallet *w, struct jb_error *err)
{
    struct jb_fold_mark m = {.seq = w->summary.version};
    m.bytes = malloc(jb_summary_bytes_max(&w->summary));
    bool kept = f->drain == NULL;
    if (m.bytes == NULL || (kept && !jb_vec_reserve(&w->snapshots, w->snapshots.n + 1))) {
        free(m.bytes);
        return jb_fail(err, JB_E_NOMEM, "no memory for the projections");
    }
    w->summary.snapshot_events = w->summary.events;
    m.bytes_n = (uint32_t)jb_summary_encode(&w->summary, m.bytes);
    if (kept) {
        uint8_t *less = realloc(m.bytes, m.bytes_n);
        m.bytes = less != NULL ? less : m.bytes;
        w->snapshots.at[w->snapshots.n++] = m;
        return JB_OK;
    }
    jb_status status = drain_snapshot(f, w, &m, err);
    free(m.bytes);
    return status;
}

/* ---- events ---- */

jb_status
jb_fold_contradiction(struct jb_error *err, jb_seq seq, const char *why)
{
    jb_status status =
        strcmp(why, "no memory") == 0
            ? jb_fail(err, JB_E_NOMEM, "no memory for the projections")
            : jb_fail(err, JB_E_CORRUPT,
                      "event %llu: %s. The log contradicts itself: run `jangbu audit`",
                      (unsigned long long)seq, jb_tr(why));
    if (err != NULL) {
        err->at = seq;
    }
    return status;
}

static const struct jb_fold_grant *
new_grant(const struct jb_fold_wallet *w, uint32_t ordinal)
{
    size_t low = 0, high = w != NULL ? w->grants.n : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->grants.at[middle].ordinal < ordinal) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool there = w != NULL && low < w->grants.n && w->grants.at[low].ordinal == ordinal;
    return there ? &w->grants.at[low] : NULL;
}

jb_status
jb_fold_fill_again(const struct jb_fold_wallet *w, struct jb_store_txn *base,
                   struct jb_summary *summary, const struct jb_event *e, jb_day today,
                   struct jb_error *err)
{
    if (e->type != JB_EV_CONSUMPTION_REVERSED) {
        return JB_OK;
    }
    const struct jb_parts parts = e->consumption_reversed.parts;
    for (uint32_t i = 0; i < parts.n; i++) {
        uint32_t ordinal = parts.at[i].ordinal;
        if (parts.at[i].kind != JB_PART_GRANT || jb_summary_grant(summary, ordinal) != NULL) {
            continue;
        }
        const struct jb_fold_grant *g = new_grant(w, ordinal);
        struct jb_grant_terms terms;
        bool found = g != NULL;
        jb_status status = JB_OK;
        if (found) {
            terms = g->terms;
        } else {
            status = jb_stored_grant(base, e->wallet, ordinal, &terms, &found, err);
        }
        if (status != JB_OK) {
            return status;
        }
        const char *why = found ? jb_summary_fill_again(summary, ordinal, &terms, today)
                                : "a return fills a grant that was never given";
        if (why != NULL) {
            return jb_fold_contradiction(err, e->seq, why);
        }
    }
    return JB_OK;
}

/* As it was when event seq came. */
static jb_day
first_open_day(const struct jb_fold *f, jb_seq seq)
{
    size_t i = f->closes.n;
    while (i > 0 && f->closes.at[i - 1].seq > seq) {
        i--;
    }
    return i > 0             ? f->closes.at[i - 1].day + 1
           : f->closes.n > 0 ? f->closes.at[0].day
                             : f->g.first_open_day;
}

/* A day begins: those that are closed are no longer asked for. */
static jb_status
mark(const struct jb_fold *f, struct jb_summary *s, const struct jb_event *e, uint64_t n,
     struct jb_error *err)
{
    if (!jb_marks_have(s, e->posted_on)) {
        jb_marks_drop(s, first_open_day(f, e->seq));
    }
    return jb_marks_add(s, e, n, f->utc_offset_s, err);
}

static bool
is_due(const struct jb_summary *s)
{
    const size_t marks = s->marks.n > JB_MARKS_USUAL ? s->marks.n - JB_MARKS_USUAL : 0;
    return s->events - s->snapshot_events >= JB_SNAPSHOT_EVERY + s->grants.n + marks;
}

uint32_t
jb_fold_wallet_room(const struct jb_fold_wallet *w)
{
    const uint64_t since = w->summary.events - w->summary.snapshot_events;
    return since < JB_SNAPSHOT_EVERY ? (uint32_t)(JB_SNAPSHOT_EVERY - since) : 1;
}

jb_status
jb_fold_wallet_event(const struct jb_fold *f, struct jb_fold_wallet *w, struct jb_store_txn *base,
                     const struct jb_event *e, struct jb_error *err)
{
    return jb_fold_wallet_events(f, w, base, e, 1, err);
}

jb_status
jb_fold_wallet_events(const struct jb_fold *f, struct jb_fold_wallet *w, struct jb_store_txn *base,
                      const struct jb_event *e, uint64_t n, struct jb_error *err)
{
    struct jb_move m;
    const char *why = jb_move_of(e, &m);
    JB_ASSERT(n == 1 || (n <= jb_fold_wallet_room(w) && jb_marks_have(&w->summary, e->posted_on)));
    if (why != NULL) {
        return jb_fold_contradiction(err, e->seq, why);
    }
    jb_status status = jb_fold_fill_again(w, base, &w->summary, e,
                                          jb_day_of(e->recorded_at, f->utc_offset_s), err);
    if (status != JB_OK) {
        return status;
    }
    why = jb_summary_apply(&w->summary, e, &m);
    if (why != NULL) {
        return jb_fold_contradiction(err, e->seq, why);
    }
    w->summary.events += n - 1;
    if (!jb_flows_none(m.flows)) {
        const jb_amount effect = jb_flows_effect(m.flows);
        if (!post(w, e, &m, effect)) {
            return jb_fold_contradiction(err, e->seq, "no memory");
        }
        status = know(f, base, w, e, &m, err);
        status = status == JB_OK ? mark(f, &w->summary, e, n, err) : status;
    }
    if (e->type == JB_EV_FREE_GRANTED) {
        if (!jb_vec_reserve(&w->grants, w->grants.n + 1)) {
            return jb_fold_contradiction(err, e->seq, "no memory");
        }
        w->grants.at[w->grants.n++] = (struct jb_fold_grant){
            e->free_granted.grant_no, {.expires_on = e->free_granted.expires_on, .seq = e->seq}};
    }
    return status == JB_OK && is_due(&w->summary) ? take_snapshot(f, w, err) : status;
}

/* ---- what differs from the store ---- */

static jb_status
each_row(const struct jb_fold_row *rows, size_t n, uint32_t wallet, jb_fold_sink sink, void *data,
         struct jb_error *err)
{
    jb_status status = JB_OK;
    for (size_t i = 0; i < n && status == JB_OK; i++) {
        uint8_t key[JB_KEY_WALLET_DAY_BYTES], value[JB_DAY_ROW_BYTES_MAX];
        if (rows[i].dirty) {
            jb_key_wallet_day(key, wallet, rows[i].row.day);
            status =
                sink(data, key, sizeof key, value, jb_day_row_encode(&rows[i].row, value), err);
        }
    }
    return status;
}

static jb_status
each_snapshot(const struct jb_fold_wallet *w, jb_fold_sink sink, void *data, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (size_t i = 0; i < w->snapshots.n && status == JB_OK; i++) {
        uint8_t key[JB_KEY_WALLET_SEQ_BYTES];
        jb_key_wallet_seq(key, w->number, w->snapshots.at[i].seq);
        status =
            sink(data, key, sizeof key, w->snapshots.at[i].bytes, w->snapshots.at[i].bytes_n, err);
    }
    return status;
}

static jb_status
each_grant(const struct jb_fold_wallet *w, jb_fold_sink sink, void *data, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (size_t i = 0; i < w->grants.n && status == JB_OK; i++) {
        uint8_t key[JB_KEY_GRANT_BYTES], value[JB_GRANT_TERMS_BYTES];
        jb_key_grant(key, w->number, w->grants.at[i].ordinal);
        jb_grant_terms_encode(&w->grants.at[i].terms, value);
        status = sink(data, key, sizeof key, value, sizeof value, err);
    }
    return status;
}

/* Most have no grants, and no memory is asked for. */
static jb_status
the_summary(const struct jb_fold_wallet *w, jb_fold_sink sink, void *data, struct jb_error *err)
{
    uint8_t key[JB_KEY_WALLET_BYTES], small[1024];
    jb_key_wallet(key, w->number);
    const size_t most = jb_summary_bytes_max(&w->summary);
    uint8_t *value = most <= sizeof small ? small : malloc(most);
    if (value == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a wallet");
    }
    const size_t n = jb_summary_encode(&w->summary, value);
    jb_status status = sink(data, key, sizeof key, value, n, err);
    if (value != small) {
        free(value);
    }
    return status;
}

jb_status
jb_fold_wallet_each(const struct jb_fold_wallet *w, unsigned table, jb_fold_sink sink, void *data,
                    struct jb_error *err)
{
    switch ((enum jb_view_table)table) {
    case JB_VT_ROWS:
        return each_row(w->rows.at, w->rows.n, w->number, sink, data, err);
    case JB_VT_MOVED:
        return each_row(w->moved.at, w->moved.n, w->number, sink, data, err);
    case JB_VT_SNAPSHOTS:
        return each_snapshot(w, sink, data, err);
    case JB_VT_GRANTS:
        return each_grant(w, sink, data, err);
    case JB_VT_WALLETS:
        return the_summary(w, sink, data, err);
    case JB_VT_CLOSES:
    case JB_VT_REFUSED:
    case JB_VT_TEXTS:
    case JB_VT_GLOBAL:
    case JB_VT_N:
        break;
    }
    return JB_OK;
}
