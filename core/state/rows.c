#include "state/rows.h"

#include "base/error.h"
#include "base/steps.h"
#include "state/state.h"

/* table (1), length of the key (1), of the value (4): then both. */
#define HEAD_BYTES 6
/* In place of a value: there is such a row, and it goes. */
#define DELETED UINT32_MAX

/* ---- into a buffer ---- */

static bool
begin_row(struct jb_buffer *rows, unsigned table, const void *key, size_t key_n)
{
    if (!jb_vec_grow((void **)&rows->at, &rows->cap, rows->n + HEAD_BYTES + key_n, 1)) {
        return false;
    }
    uint8_t *p = rows->at + rows->n;
    p[0] = (uint8_t)table;
    p[1] = (uint8_t)key_n;
    memcpy(p + HEAD_BYTES, key, key_n);
    rows->n += HEAD_BYTES + key_n;
    return true;
}

/* The value was appended behind the row that begins at `at`. */
static void
end_row(struct jb_buffer *rows, size_t at)
{
    jb_put_be(rows->at + at + 2, 4, rows->n - at - HEAD_BYTES - rows->at[at + 1]);
}

static bool
row(struct jb_buffer *rows, unsigned table, const void *key, size_t key_n, const void *value,
    size_t value_n)
{
    size_t at = rows->n;
    if (!begin_row(rows, table, key, key_n) ||
        !jb_vec_grow((void **)&rows->at, &rows->cap, rows->n + value_n, 1)) {
        return false;
    }
    if (value_n > 0) {
        memcpy(rows->at + rows->n, value, value_n);
        rows->n += value_n;
    }
    end_row(rows, at);
    return true;
}

static bool
deletion(struct jb_buffer *rows, const uint8_t key[9])
{
    size_t at = rows->n;
    bool ok = begin_row(rows, JB_TABLE_ARCHIVE, key, 9);
    if (ok) {
        jb_put_be(rows->at + at + 2, 4, DELETED);
    }
    return ok;
}

/* What is over goes to its own table; what lives again leaves it. So the tables say the same
 * whenever they were written. What nobody has stored is not deleted, unless there is doubt of that
 * (jb_rows_put). */
#define ROWS_OVER(list, kind, is_over, record)                                                     \
    for (size_t i = 0; i < (list).n && ok; i++) {                                                  \
        bool over = is_over;                                                                       \
        bool stored = (list).at[i].stored;                                                         \
        (list).at[i].stored = over;                                                                \
        (list).at[i].changed = false;                                                              \
        jb_archive_key(key, w->number, kind, (list).at[i].ordinal);                                \
        if (over) {                                                                                \
            at = rows->n;                                                                          \
            ok =                                                                                   \
                begin_row(rows, JB_TABLE_ARCHIVE, key, sizeof key) && record(&(list).at[i], rows); \
            ok = ok && (end_row(rows, at), true);                                                  \
        } else if (stored) {                                                                       \
            ok = deletion(rows, key);                                                              \
        }                                                                                          \
    }

/* A lot without room has a kind of its own: who looks for room does not meet it. */
static bool
rows_lot(struct jb_buffer *rows, uint32_t wallet, struct jb_lot *l)
{
    uint8_t key[9];
    bool over = jb_lot_over(l), ok = true;
    enum jb_archived_kind kind = jb_archived_lot_kind(l);
    for (unsigned i = 0; i < 2 && ok && l->stored; i++) {
        enum jb_archived_kind old = i == 0 ? JB_ARCHIVED_LOT : JB_ARCHIVED_FULL_LOT;
        if (!over || old != kind) {
            jb_archive_key(key, wallet, old, l->ordinal);
            ok = deletion(rows, key);
        }
    }
    l->stored = over;
    l->changed = false;
    if (!ok || !over) {
        return ok;
    }
    size_t at = rows->n;
    jb_archive_key(key, wallet, kind, l->ordinal);
    ok = begin_row(rows, JB_TABLE_ARCHIVE, key, sizeof key) && jb_record_lot(l, rows);
    return ok && (end_row(rows, at), true);
}

size_t
jb_rows_after(const struct jb_buffer *rows, size_t at)
{
    const uint8_t *p = rows->at + at;
    const size_t value_n = jb_get_be(p + 2, 4);
    return at + HEAD_BYTES + p[1] + (value_n == DELETED ? 0 : value_n);
}

bool
jb_rows_wallet(struct jb_buffer *rows, struct jb_wallet *w)
{
    uint8_t key[9];
    size_t at = rows->n;
    jb_put_be(key, 4, w->number);
    bool ok = begin_row(rows, JB_TABLE_WALLETS, key, 4) && jb_record_wallet(w, rows);
    ok = ok && (end_row(rows, at), true);
    for (size_t i = 0; i < w->lots.n && ok; i++) {
        ok = rows_lot(rows, w->number, &w->lots.at[i]);
    }
    struct jb_wallet_rest *r = w->rest;
    if (r == NULL) {
        return ok;
    }
    ROWS_OVER(r->grants, JB_ARCHIVED_GRANT, jb_grant_over(&r->grants.at[i]), jb_record_grant)
    ROWS_OVER(r->refunds, JB_ARCHIVED_REFUND, jb_refund_over(&r->refunds.at[i]), jb_record_refund)
    ROWS_OVER(r->intervals, JB_ARCHIVED_INTERVAL, jb_interval_over(w, &r->intervals.at[i]),
              jb_record_interval)
    return ok;
}

bool
jb_rows_due(struct jb_buffer *rows, const struct jb_due *due, size_t n, jb_day closed_through)
{
    uint8_t key[12];
    bool ok = true;
    jb_steps.moved += n;
    for (size_t i = 0; i < n && ok; i++) {
        const struct jb_due *d = &due[i];
        if (closed_through == JB_NO_DAY || d->expires_on > closed_through) {
            jb_put_be_i32(key, d->expires_on);
            jb_put_be(key + 4, 4, d->wallet);
            jb_put_be(key + 8, 4, d->ordinal);
            ok = row(rows, JB_TABLE_DUE, key, sizeof key, "", 0);
        }
    }
    return ok;
}

bool
jb_rows_ledger(struct jb_buffer *rows, const struct jb_news *news, const struct jb_globals *g)
{
    uint8_t key[4], value[JB_NUMBER_BYTES_MAX];
    bool ok = true;
    for (size_t i = 0; i < news->closed.n && ok; i++) {
        jb_put_be_i32(key, news->closed.at[i].day);
        ok = row(rows, JB_TABLE_DAYS, key, 4, value, jb_number_put(value, news->closed.at[i].seq));
    }
    size_t at = rows->n;
    ok = ok && begin_row(rows, JB_TABLE_GLOBALS, "g", 1) && jb_record_globals(g, rows);
    return ok && (end_row(rows, at), true);
}

/* ---- into a transaction ---- */

static jb_status
forget_archived(struct jb_store_txn *t, uint32_t wallet, enum jb_archived_kind kind,
                uint32_t ordinal, struct jb_error *err)
{
    uint8_t key[9];
    jb_archive_key(key, wallet, kind, ordinal);
    return jb_store_del(t, JB_TABLE_ARCHIVE, key, sizeof key, err);
}

#define FORGET(list, kind)                                                                         \
    for (size_t i = 0; i < (list).n && status == JB_OK; i++) {                                     \
        status = forget_archived(t, w.number, kind, (list).at[i].ordinal, err);                    \
    }

/* Somebody else may have stored as over what lives in this row of a wallet. */
static jb_status
forget_living(struct jb_store_txn *t, const uint8_t *record, size_t n, struct jb_error *err)
{
    struct jb_wallet w;
    memset(&w, 0, sizeof w);
    jb_status status = jb_read_wallet(record, n, &w);
    if (status == JB_E_STALE) {
        status = jb_store_damaged(t->store, "a wallet's record", err);
    } else if (status != JB_OK) {
        status = jb_fail(err, JB_E_NOMEM, "no memory to store the ledger's state");
    }
    struct jb_interval first;
    const struct jb_intervals intervals = jb_wallet_intervals(&w, &first);
    FORGET(w.lots, JB_ARCHIVED_LOT)
    FORGET(w.lots, JB_ARCHIVED_FULL_LOT)
    FORGET(jb_rest(&w)->grants, JB_ARCHIVED_GRANT)
    FORGET(jb_rest(&w)->refunds, JB_ARCHIVED_REFUND)
    FORGET(intervals, JB_ARCHIVED_INTERVAL)
    jb_wallet_free(&w);
    return status;
}

/* In doubt: what is put may be stored as what it was meanwhile. */
static jb_status
forget_what_it_was(struct jb_store_txn *t, unsigned table, const uint8_t *key, size_t value_n,
                   struct jb_error *err)
{
    if (table == JB_TABLE_WALLETS) {
        return forget_living(t, key + 4, value_n, err);
    }
    /* A lot, as one of the other kind. */
    const bool full = table == JB_TABLE_ARCHIVE && key[4] == JB_ARCHIVED_FULL_LOT;
    if (full || (table == JB_TABLE_ARCHIVE && key[4] == JB_ARCHIVED_LOT)) {
        return forget_archived(t, (uint32_t)jb_get_be(key, 4),
                               full ? JB_ARCHIVED_LOT : JB_ARCHIVED_FULL_LOT,
                               (uint32_t)jb_get_be(key + 5, 4), err);
    }
    return JB_OK;
}

jb_status
jb_rows_put(const struct jb_buffer *rows, size_t at, size_t end, bool doubt,
            struct jb_wallet_pages *pages, struct jb_store_txn *t, struct jb_error *err)
{
    jb_status status = JB_OK;
    while (at < end && status == JB_OK) {
        const uint8_t *p = rows->at + at;
        size_t key_n = p[1], value_n = jb_get_be(p + 2, 4);
        const uint8_t *key = p + HEAD_BYTES;
        if (value_n == DELETED) {
            status = jb_store_del(t, p[0], key, key_n, err);
            value_n = 0;
        } else {
            status = p[0] == JB_TABLE_WALLETS
                         ? jb_wallet_pages_add(pages, (uint32_t)jb_get_be(key, 4), key + key_n,
                                               value_n, err)
                         : jb_store_put(t, p[0], key, key_n, key + key_n, value_n, err);
            status =
                status == JB_OK && doubt ? forget_what_it_was(t, p[0], key, value_n, err) : status;
        }
        at += HEAD_BYTES + key_n + value_n;
    }
    return status;
}

static jb_status
put_ids(const struct jb_news *news, size_t from, struct jb_store_txn *t, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (size_t i = from; i < news->id_entries.n && status == JB_OK; i++) {
        const struct jb_id_entry *e = &news->id_entries.at[i];
        uint8_t key[5 + JB_ID_BYTES_MAX], value[JB_NUMBER_BYTES_MAX];
        key[0] = (uint8_t)e->kind;
        jb_put_be(key + 1, 4, e->wallet);
        memcpy(key + 5, news->id_bytes.at + e->at, e->n);
        status = jb_store_put(t, JB_TABLE_IDS, key, 5U + e->n, value,
                              jb_number_put(value, e->ordinal), err);
        status = status == JB_OK ? jb_store_next_step(t, err) : status;
    }
    return status;
}

/* The first stays the first: a step of a rebuild that was cut may have written it. */
static jb_status
put_txns(const struct jb_news *news, size_t from, struct jb_store_txn *t, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (size_t i = from; i < news->txns.n && status == JB_OK; i++) {
        const struct jb_txn *txn = &news->txns.at[i];
        uint8_t value[JB_NUMBER_BYTES_MAX];
        const void *old;
        size_t n;
        status = jb_store_get(t, JB_TABLE_TXNS, txn->hash, sizeof txn->hash, &old, &n, err);
        if (status == JB_E_NOTFOUND) {
            status = jb_store_put(t, JB_TABLE_TXNS, txn->hash, sizeof txn->hash, value,
                                  jb_number_put(value, txn->seq), err);
        }
        status = status == JB_OK ? jb_store_next_step(t, err) : status;
    }
    return status;
}

static jb_status
put_returns(const struct jb_news *news, size_t from, struct jb_store_txn *t, struct jb_error *err)
{
    jb_status status = JB_OK;
    uint8_t key[8], value[JB_RETURN_BYTES_MAX];
    for (size_t i = from; i < news->returns.entries.n && status == JB_OK; i++) {
        const struct jb_map_entry *e = &news->returns.entries.at[i];
        const struct jb_returned *r = &news->returned.at[e->value];
        jb_put_be(key, 8, e->hash);
        status = jb_store_put(t, JB_TABLE_RETURNS, key, 8, value,
                              jb_record_return(r->last, r->sum, value), err);
        status = status == JB_OK ? jb_store_next_step(t, err) : status;
    }
    return status;
}

static jb_status
put_facts_of(const struct jb_facts *f, uint8_t kind, struct jb_store_txn *t, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (size_t at = 0; at < f->bytes.n && status == JB_OK; at = jb_fact_after(f, at)) {
        const struct jb_fact *fact = jb_fact_at(f, at);
        if (fact->key.bytes[0] == kind) {
            uint8_t value[JB_FACT_STORED_BYTES_MAX];
            status = jb_store_put(t, JB_TABLE_FACTS, &fact->key, sizeof fact->key, value,
                                  jb_fact_stored(fact, value), err);
            status = status == JB_OK ? jb_store_next_step(t, err) : status;
        }
    }
    return status;
}

/* The last one of a key counts. Kind by kind: each comes nearly in order, as documents and wallets
 * do. */
static jb_status
put_facts(const struct jb_facts *f, struct jb_store_txn *t, struct jb_error *err)
{
    bool there[UINT8_MAX + 1] = {false};
    jb_status status = JB_OK;
    for (size_t at = 0; at < f->bytes.n; at = jb_fact_after(f, at)) {
        there[jb_fact_at(f, at)->key.bytes[0]] = true;
    }
    for (unsigned kind = 0; kind <= UINT8_MAX && status == JB_OK; kind++) {
        status = there[kind] ? put_facts_of(f, (uint8_t)kind, t, err) : JB_OK;
    }
    return status;
}

/* What a closed day settled is done with. */
static jb_status
delete_due(struct jb_store_txn *t, jb_day closed_through, struct jb_error *err)
{
    struct jb_store_row r;
    uint8_t key[12];
    jb_status status = jb_store_seek(t, JB_TABLE_DUE, NULL, 0, &r, err);
    while (status == JB_OK && r.key_n == sizeof key && jb_get_be_i32(r.key) <= closed_through) {
        memcpy(key, r.key, sizeof key);
        /* What is read does not know what is pending, so the next row is still there. */
        status = jb_store_next(t, JB_TABLE_DUE, &r, err);
        jb_status deleted = jb_store_del(t, JB_TABLE_DUE, key, sizeof key, err);
        status = deleted == JB_OK ? status : deleted;
    }
    return status == JB_E_NOTFOUND ? JB_OK : status;
}

jb_status
jb_news_put(const struct jb_news *news, const struct jb_news_mark *from, jb_day closed_through,
            struct jb_store_txn *t, struct jb_error *err)
{
    jb_status status = put_ids(news, from->ids, t, err);
    status = status == JB_OK ? put_txns(news, from->txns, t, err) : status;
    status = status == JB_OK ? put_facts(&news->facts, t, err) : status;
    status = status == JB_OK ? put_returns(news, from->returns, t, err) : status;
    return status == JB_OK && closed_through != JB_NO_DAY ? delete_due(t, closed_through, err)
                                                          : status;
}

/* ---- afterwards ---- */

#define DROP_OVER(list, is_over)                                                                   \
    do {                                                                                           \
        uint32_t to = 0;                                                                           \
        for (uint32_t i = 0; i < (list).n; i++) {                                                  \
            if (!(is_over)) {                                                                      \
                (list).at[to++] = (list).at[i];                                                    \
            }                                                                                      \
        }                                                                                          \
        (list).n = to;                                                                             \
    } while (0)

void
jb_wallet_drop_over(struct jb_wallet *w)
{
    struct jb_wallet_rest *r = w->rest;
    w->first_lot = 0;
    DROP_OVER(w->lots, jb_lot_over(&w->lots.at[i]));
    if (r == NULL) {
        return;
    }
    DROP_OVER(r->grants, jb_grant_over(&r->grants.at[i]));
    DROP_OVER(r->refunds, jb_refund_over(&r->refunds.at[i]));
    DROP_OVER(r->intervals, jb_interval_over(w, &r->intervals.at[i]));
}

void
jb_wallet_drop_stored(struct jb_wallet *w)
{
    struct jb_wallet_rest *r = w->rest;
    w->first_lot = 0;
    DROP_OVER(w->lots,
              jb_lot_over(&w->lots.at[i]) && w->lots.at[i].stored && !w->lots.at[i].changed);
    if (r == NULL) {
        return;
    }
    DROP_OVER(r->grants, jb_grant_over(&r->grants.at[i]) && r->grants.at[i].stored &&
                             !r->grants.at[i].changed);
    DROP_OVER(r->refunds, jb_refund_over(&r->refunds.at[i]) && r->refunds.at[i].stored &&
                              !r->refunds.at[i].changed);
    DROP_OVER(r->intervals, jb_interval_over(w, &r->intervals.at[i]) && r->intervals.at[i].stored);
}
