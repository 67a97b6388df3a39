#include "projections/fold.h"

#include "base/map.h"
#include "ledger/reader.h"

/* ---- memory ---- */

void
jb_fold_init(struct jb_fold *f, int32_t utc_offset_s)
{
    *f = (struct jb_fold){.utc_offset_s = utc_offset_s};
    jb_view_global_init(&f->g);
}

static void
free_wallet(struct jb_fold_wallet *w)
{
    for (size_t i = 0; i < w->snapshots.n; i++) {
        free(w->snapshots.at[i].bytes);
    }
    jb_vec_free(&w->snapshots);
    jb_vec_free(&w->grants);
    jb_vec_free(&w->rows);
    jb_vec_free(&w->known);
    jb_summary_free(&w->summary);
    free(w);
}

void
jb_fold_free(struct jb_fold *f)
{
    for (size_t i = 0; i < f->wallets.n; i++) {
        free_wallet(f->wallets.at[i]);
    }
    jb_vec_free(&f->wallets);
    jb_vec_free(&f->closes);
    jb_vec_free(&f->refused);
    jb_vec_free(&f->texts);
    jb_vec_free(&f->epochs);
    free(f->slots);
    f->slots = NULL;
    f->slots_mask = 0;
}

void
jb_fold_reset(struct jb_fold *f, const struct jb_view_global *g)
{
    jb_fold_free(f);
    jb_view_global_init(&f->g);
    if (g != NULL) {
        f->g = *g;
    }
}

/* ---- wallets by number ---- */

static uint32_t
slot_of(const struct jb_fold *f, uint32_t number)
{
    uint32_t slot = (number * UINT32_C(2654435769)) & f->slots_mask;
    while (f->slots[slot].wallet != NULL && f->slots[slot].number != number) {
        slot = (slot + 1) & f->slots_mask;
    }
    return slot;
}

const struct jb_fold_wallet *
jb_fold_wallet(const struct jb_fold *f, uint32_t number)
{
    if (f->slots == NULL) {
        return NULL;
    }
    return f->slots[slot_of(f, number)].wallet;
}

static void
warm_row(const struct jb_fold_row *r)
{
    for (size_t at = 0; at < sizeof *r; at += JB_CACHE_LINE) {
        __builtin_prefetch((const char *)r + at, 1);
    }
}

/* One pass for each step from a number to a row, so that the steps of many go side by side. */
void
jb_fold_warm(const struct jb_fold *f, const uint32_t *numbers, size_t n)
{
    const struct jb_fold_wallet *wallets[JB_FOLD_WARM_MAX];
    n = f->slots == NULL ? 0 : n < JB_FOLD_WARM_MAX ? n : JB_FOLD_WARM_MAX;
    for (size_t i = 0; i < n; i++) {
        __builtin_prefetch(&f->slots[(numbers[i] * UINT32_C(2654435769)) & f->slots_mask]);
    }
    for (size_t i = 0; i < n; i++) {
        const char *w = (const char *)(wallets[i] = jb_fold_wallet(f, numbers[i]));
        for (size_t at = 0; w != NULL && at < sizeof *wallets[i]; at += JB_CACHE_LINE) {
            __builtin_prefetch(w + at, 1);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (wallets[i] != NULL && wallets[i]->rows.n > 0) {
            warm_row(&wallets[i]->rows.at[wallets[i]->rows.n - 1]);
        }
        if (wallets[i] != NULL && wallets[i]->known.n > 0) {
            warm_row(&wallets[i]->known.at[wallets[i]->known.n - 1]);
        }
    }
    JB_KEEP();
}

static bool
grow_slots(struct jb_fold *f)
{
    if (f->slots != NULL && f->wallets.n < (f->slots_mask + 1) / 2) {
        return true;
    }
    uint32_t slots_n = f->slots == NULL ? 64 : (f->slots_mask + 1) * 2;
    struct jb_fold_slot *slots = calloc(slots_n, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    free(f->slots);
    f->slots = slots;
    f->slots_mask = slots_n - 1;
    for (uint32_t i = 0; i < f->wallets.n; i++) {
        struct jb_fold_wallet *w = f->wallets.at[i];
        f->slots[slot_of(f, w->number)] = (struct jb_fold_slot){w->number, w};
    }
    return true;
}

static jb_status
load_row(void *data, const struct jb_day_row *row, struct jb_error *err)
{
    struct jb_fold_wallet *w = data;
    if (!jb_vec_reserve(&w->rows, w->rows.n + 1)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a day row");
    }
    w->rows.at[w->rows.n++] = (struct jb_fold_row){.row = *row};
    return JB_OK;
}

/* What the store has of a wallet that the next events may change: its summary, its rows of open
 * days, the closing before them. */
static jb_status
load_wallet(const struct jb_fold *f, struct jb_store_txn *base, struct jb_fold_wallet *w,
            struct jb_error *err)
{
    bool found;
    jb_status status = jb_stored_summary(base, w->number, &w->summary, &found, err);
    if (status != JB_OK || !found || f->g.first_open_day == JB_NO_DAY) {
        return status;
    }
    struct jb_day_row before;
    status = jb_stored_row_at_most(base, JB_VT_ROWS, w->number, f->g.first_open_day - 1, &before,
                                   &found, err);
    if (status == JB_OK && found) {
        w->before = before;
    }
    return status == JB_OK ? jb_stored_rows(base, JB_VT_ROWS, w->number, f->g.first_open_day,
                                            INT32_MAX, load_row, w, err)
                           : status;
}

static jb_status
touch_wallet(struct jb_fold *f, struct jb_store_txn *base, uint32_t number,
             struct jb_fold_wallet **ret, struct jb_error *err)
{
    if (!grow_slots(f) || !jb_vec_reserve(&f->wallets, f->wallets.n + 1)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a wallet");
    }
    uint32_t slot = slot_of(f, number);
    if (f->slots[slot].wallet != NULL) {
        *ret = f->slots[slot].wallet;
        return JB_OK;
    }
    struct jb_fold_wallet *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a wallet");
    }
    w->number = number;
    jb_status status = load_wallet(f, base, w, err);
    if (status != JB_OK) {
        free_wallet(w);
        return status;
    }
    f->wallets.at[f->wallets.n++] = w;
    f->slots[slot] = (struct jb_fold_slot){number, w};
    *ret = w;
    return JB_OK;
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
        row->flows[i] = jb_sum(row->flows[i], m->flows[i]);
    }
    row->first_seq = row->first_seq == 0 ? seq : row->first_seq;
    row->last_seq = seq;
}

static void
add_effect(struct jb_fold_row *r, const struct jb_move *m)
{
    r->row.total = jb_sum(r->row.total, jb_flows_effect(m->flows));
    r->row.paid = jb_sum(r->row.paid, m->paid);
    r->row.free = jb_sum(r->row.free, m->free);
    r->dirty = true;
}

/* The row of the posting day gets the flows; it and every later open day get the new closing. */
static bool
post(struct jb_fold_wallet *w, const struct jb_event *e, const struct jb_move *m)
{
    size_t at = row_index(w->rows.at, w->rows.n, e->posted_on);
    if (at == w->rows.n || w->rows.at[at].row.day != e->posted_on) {
        const struct jb_day_row *before = at > 0 ? &w->rows.at[at - 1].row : &w->before;
        struct jb_day_row row = {.day = e->posted_on,
                                 .total = before->total,
                                 .paid = before->paid,
                                 .free = before->free};
        if (!jb_vec_reserve(&w->rows, w->rows.n + 1)) {
            return false;
        }
        insert_row(w->rows.at, &w->rows.n, at, &row);
    }
    add_flows(&w->rows.at[at].row, m, e->seq);
    for (; at < w->rows.n; at++) {
        add_effect(&w->rows.at[at], m);
    }
    return true;
}

static jb_status
know(const struct jb_fold *f, struct jb_store_txn *base, struct jb_fold_wallet *w,
     const struct jb_event *e, const struct jb_move *m, struct jb_error *err)
{
    jb_day occurred = jb_day_of(e->occurred_at, f->utc_offset_s),
           recorded = jb_day_of(e->recorded_at, f->utc_offset_s);
    jb_day day = occurred < recorded ? occurred : recorded;
    size_t at = row_index(w->known.at, w->known.n, day);
    if (at == w->known.n || w->known.at[at].row.day != day) {
        struct jb_day_row row;
        bool found;
        jb_status status =
            jb_stored_row_at_most(base, JB_VT_BY_OCCURRENCE, w->number, day, &row, &found, err);
        if (status != JB_OK) {
            return status;
        }
        if (!found || row.day != day) {
            row = (struct jb_day_row){.day = day};
        }
        if (!jb_vec_reserve(&w->known, w->known.n + 1)) {
            return jb_fail(err, JB_E_NOMEM, "no memory for a day row");
        }
        insert_row(w->known.at, &w->known.n, at, &row);
    }
    add_flows(&w->known.at[at].row, m, e->seq);
    add_effect(&w->known.at[at], m);
    return JB_OK;
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
    struct jb_fold_mark m = {.seq = w->summary.version,
                             .bytes_n = (uint32_t)jb_summary_bytes(&w->summary)};
    m.bytes = malloc(m.bytes_n);
    bool kept = f->drain == NULL;
    if (m.bytes == NULL || (kept && !jb_vec_reserve(&w->snapshots, w->snapshots.n + 1))) {
        free(m.bytes);
        return jb_fail(err, JB_E_NOMEM, "no memory for the projections");
    }
    w->summary.snapshot_events = w->summary.events;
    jb_summary_encode(&w->summary, m.bytes);
    if (kept) {
        w->snapshots.at[w->snapshots.n++] = m;
        return JB_OK;
    }
    jb_status status = drain_snapshot(f, w, &m, err);
    free(m.bytes);
    return status;
}

/* ---- events ---- */

static jb_status
contradiction(struct jb_error *err, jb_seq seq, const char *why)
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
            return contradiction(err, e->seq, why);
        }
    }
    return JB_OK;
}

static const char *
fold_time(struct jb_fold *f, const struct jb_event *e)
{
    struct jb_view_global *g = &f->g;
    if (e->recorded_at == JB_NO_INSTANT) {
        return g->first_timed_seq == 0 ? NULL
                                       : "an event without a time comes after one that has a time";
    }
    if (g->first_timed_seq == 0) {
        g->first_timed_seq = e->seq;
        g->first_day = g->first_open_day = jb_day_of(e->recorded_at, f->utc_offset_s);
    } else if (e->recorded_at < g->recorded_at) {
        return "recorded_at goes backwards";
    }
    g->recorded_at = e->recorded_at;
    /* What makes a published row one that never changes. */
    return e->posted_on < g->first_open_day ? "an event is posted to a closed day" : NULL;
}

static jb_status
fold_close(struct jb_fold *f, const struct jb_event *e, struct jb_error *err)
{
    const jb_day day = e->day_closed.day;
    if (day != f->g.first_open_day) {
        return contradiction(err, e->seq, "a day is closed out of order");
    }
    if (!jb_vec_reserve(&f->closes, f->closes.n + 1)) {
        return contradiction(err, e->seq, "no memory");
    }
    f->closes.at[f->closes.n++] =
        (struct jb_close){.day = day, .seq = e->seq, .recorded_at = e->recorded_at};
    f->g.closed_through = day;
    f->g.first_open_day = day + 1;
    return JB_OK;
}

static jb_status
fold_refused(struct jb_fold *f, const struct jb_event *e, struct jb_error *err)
{
    struct jb_refused r = jb_refused_of(e);
    if (r.wallet == 0 && r.hash == 0) {
        return JB_OK;
    }
    if (f->drain != NULL) {
        uint8_t key[JB_KEY_REFUSED_BYTES];
        jb_key_refused(key, &r);
        return f->drain->row(f->drain->data, JB_VT_REFUSED, key, sizeof key, "", 0, err);
    }
    if (!jb_vec_reserve(&f->refused, f->refused.n + 1)) {
        return contradiction(err, e->seq, "no memory");
    }
    f->refused.at[f->refused.n++] = r;
    return JB_OK;
}

static jb_status
fold_wallet_event(struct jb_fold *f, struct jb_store_txn *base, const struct jb_event *e,
                  struct jb_error *err)
{
    struct jb_move m;
    struct jb_fold_wallet *w = NULL;
    const char *why =
        e->recorded_at == JB_NO_INSTANT ? "an event of a wallet has no time" : jb_move_of(e, &m);
    if (why != NULL) {
        return contradiction(err, e->seq, why);
    }
    jb_status status = touch_wallet(f, base, e->wallet, &w, err);
    if (status == JB_OK) {
        status = jb_fold_fill_again(w, base, &w->summary, e,
                                    jb_day_of(e->recorded_at, f->utc_offset_s), err);
    }
    if (status != JB_OK) {
        return status;
    }
    why = jb_summary_apply(&w->summary, e, &m);
    if (why != NULL) {
        return contradiction(err, e->seq, why);
    }
    f->g.wallets_n = e->wallet > f->g.wallets_n ? e->wallet : f->g.wallets_n;
    if (!jb_flows_none(m.flows)) {
        if (!post(w, e, &m)) {
            return contradiction(err, e->seq, "no memory");
        }
        status = know(f, base, w, e, &m, err);
    }
    if (e->type == JB_EV_FREE_GRANTED) {
        if (!jb_vec_reserve(&w->grants, w->grants.n + 1)) {
            return contradiction(err, e->seq, "no memory");
        }
        w->grants.at[w->grants.n++] = (struct jb_fold_grant){
            e->free_granted.grant_no, {.expires_on = e->free_granted.expires_on, .seq = e->seq}};
    }
    const struct jb_summary *s = &w->summary;
    bool due = s->events - s->snapshot_events >= JB_SNAPSHOT_EVERY + s->grants.n;
    return status == JB_OK && due ? take_snapshot(f, w, err) : status;
}

jb_status
jb_fold_event(struct jb_fold *f, struct jb_store_txn *base, const struct jb_event *e,
              struct jb_error *err)
{
    if (e->seq != f->g.seq + 1) {
        return contradiction(err, e->seq, "sequence numbers have a gap");
    }
    const char *why = fold_time(f, e);
    if (why != NULL) {
        return contradiction(err, e->seq, why);
    }
    jb_status status = JB_OK;
    if (e->wallet != 0) {
        status = fold_wallet_event(f, base, e, err);
    } else if (e->type == JB_EV_DAY_CLOSED) {
        status = fold_close(f, e, err);
    } else if (e->type == JB_EV_COMMAND_REFUSED) {
        status = fold_refused(f, e, err);
    }
    status = status == JB_OK ? jb_fold_texts(f, e, err) : status;
    f->g.seq = e->seq;
    return status;
}

/* ---- what differs from the store ---- */

static int
by_number(const void *a, const void *b)
{
    uint32_t x = (*(struct jb_fold_wallet *const *)a)->number,
             y = (*(struct jb_fold_wallet *const *)b)->number;
    return (x > y) - (x < y);
}

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

static jb_status
the_summary(const struct jb_fold_wallet *w, jb_fold_sink sink, void *data, struct jb_error *err)
{
    uint8_t key[JB_KEY_WALLET_BYTES];
    jb_key_wallet(key, w->number);
    size_t n = jb_summary_bytes(&w->summary);
    uint8_t *value = malloc(n);
    if (value == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a wallet");
    }
    jb_summary_encode(&w->summary, value);
    jb_status status = sink(data, key, sizeof key, value, n, err);
    free(value);
    return status;
}

static jb_status
each_of_wallets(const struct jb_fold *f, unsigned table, jb_fold_sink sink, void *data,
                struct jb_error *err)
{
    struct jb_fold_wallet **sorted = malloc(f->wallets.n * sizeof *sorted + 1);
    if (sorted == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory to sort wallets");
    }
    if (f->wallets.n > 0) {
        memcpy(sorted, f->wallets.at, f->wallets.n * sizeof *sorted);
        qsort(sorted, f->wallets.n, sizeof *sorted, by_number);
    }
    jb_status status = JB_OK;
    for (size_t i = 0; i < f->wallets.n && status == JB_OK; i++) {
        const struct jb_fold_wallet *w = sorted[i];
        switch ((enum jb_view_table)table) {
        case JB_VT_ROWS:
            status = each_row(w->rows.at, w->rows.n, w->number, sink, data, err);
            break;
        case JB_VT_BY_OCCURRENCE:
            status = each_row(w->known.at, w->known.n, w->number, sink, data, err);
            break;
        case JB_VT_SNAPSHOTS:
            status = each_snapshot(w, sink, data, err);
            break;
        case JB_VT_GRANTS:
            status = each_grant(w, sink, data, err);
            break;
        case JB_VT_WALLETS:
            status = the_summary(w, sink, data, err);
            break;
        case JB_VT_CLOSES:
        case JB_VT_REFUSED:
        case JB_VT_TEXTS:
        case JB_VT_GLOBAL:
        case JB_VT_N:
            break;
        }
    }
    free(sorted);
    return status;
}

static int
by_key(const void *a, const void *b)
{
    const struct jb_refused *x = a, *y = b;
    if (x->wallet != y->wallet) {
        return x->wallet > y->wallet ? 1 : -1;
    }
    if (x->hash != y->hash) {
        return x->hash > y->hash ? 1 : -1;
    }
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static jb_status
each_refused(const struct jb_fold *f, jb_fold_sink sink, void *data, struct jb_error *err)
{
    struct jb_refused *sorted = malloc(f->refused.n * sizeof *sorted + 1);
    if (sorted == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory to sort refused commands");
    }
    if (f->refused.n > 0) {
        memcpy(sorted, f->refused.at, f->refused.n * sizeof *sorted);
        qsort(sorted, f->refused.n, sizeof *sorted, by_key);
    }
    jb_status status = JB_OK;
    for (size_t i = 0; i < f->refused.n && status == JB_OK; i++) {
        uint8_t key[JB_KEY_REFUSED_BYTES];
        jb_key_refused(key, &sorted[i]);
        status = sink(data, key, sizeof key, "", 0, err);
    }
    free(sorted);
    return status;
}

jb_status
jb_fold_each(const struct jb_fold *f, struct jb_store_txn *base, unsigned table, jb_fold_sink sink,
             void *data, struct jb_error *err)
{
    if (table == JB_VT_GLOBAL) {
        uint8_t value[JB_GLOBAL_BYTES];
        jb_view_global_encode(&f->g, value);
        return sink(data, "g", 1, value, sizeof value, err);
    }
    if (table == JB_VT_TEXTS) {
        return jb_fold_each_text(f, base, sink, data, err);
    }
    if (table == JB_VT_REFUSED) {
        return each_refused(f, sink, data, err);
    }
    if (table != JB_VT_CLOSES) {
        return each_of_wallets(f, table, sink, data, err);
    }
    jb_status status = JB_OK;
    for (size_t i = 0; i < f->closes.n && status == JB_OK; i++) {
        uint8_t key[JB_KEY_DAY_BYTES], value[JB_CLOSE_BYTES];
        jb_key_day(key, f->closes.at[i].day);
        jb_close_encode(&f->closes.at[i], value);
        status = sink(data, key, sizeof key, value, sizeof value, err);
    }
    return status;
}

struct storing {
    struct jb_store_txn *t;
    unsigned table;
    bool steps; /* what is written may be committed before all of it is */
};

static jb_status
put(void *data, const void *key, size_t key_n, const void *value, size_t value_n,
    struct jb_error *err)
{
    struct storing *s = data;
    jb_status status = jb_store_put(s->t, s->table, key, key_n, value, value_n, err);
    return status == JB_OK && s->steps ? jb_store_next_step(s->t, err) : status;
}

jb_status
jb_fold_store(const struct jb_fold *f, struct jb_store_txn *base, struct jb_store_txn *t,
              struct jb_error *err)
{
    jb_status status = JB_OK;
    for (unsigned table = 0; table < JB_VT_N && status == JB_OK; table++) {
        struct storing s = {t, table, base == NULL};
        status = jb_fold_each(f, base, table, put, &s, err);
    }
    return status;
}
