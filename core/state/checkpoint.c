/* Writing behind: everything since stored_seq goes into the store in one transaction, table by
 * table in the order of its keys. */
#include "base/error.h"
#include "state/state.h"

/* Wallets kept in memory after a checkpoint; beyond it all clean ones are dropped and come back
 * when they are needed. */
#define SLOTS_KEPT_MAX 1000000

static jb_status
no_memory(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM, "no memory to store the ledger's state");
}

static int
compare_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static jb_status
put_scratch(struct jb_state *b, struct jb_store_txn *t, unsigned table, const void *key,
            size_t key_n, struct jb_error *err)
{
    return jb_store_put(t, table, key, key_n, b->scratch.at, b->scratch.n, err);
}

/* What is over goes to its own table; what lives again leaves it. So the tables say the same
 * whenever they were written. */
#define WRITE_OVER(list, kind, is_over, record)                                                    \
    for (size_t i = 0; i < w->list.n && status == JB_OK; i++) {                                    \
        bool over = is_over;                                                                       \
        if (!over && !w->list.at[i].stored) {                                                      \
            continue;                                                                              \
        }                                                                                          \
        jb_archive_key(key, w->number, kind, w->list.at[i].ordinal);                               \
        if (!over) {                                                                               \
            status = jb_store_del(t, JB_TABLE_ARCHIVE, key, sizeof key, err);                      \
            continue;                                                                              \
        }                                                                                          \
        b->scratch.n = 0;                                                                          \
        status = record(&w->list.at[i], &b->scratch)                                               \
                     ? put_scratch(b, t, JB_TABLE_ARCHIVE, key, sizeof key, err)                   \
                     : no_memory(err);                                                             \
    }

/* A lot without room has a kind of its own: who looks for room does not meet it. */
static jb_status
write_lot(struct jb_state *b, struct jb_store_txn *t, uint32_t wallet, const struct jb_lot *l,
          struct jb_error *err)
{
    uint8_t key[9];
    bool over = jb_lot_over(l);
    enum jb_archived_kind kind = jb_archived_lot_kind(l);
    jb_status status = JB_OK;
    for (unsigned i = 0; i < 2 && status == JB_OK && l->stored; i++) {
        enum jb_archived_kind old = i == 0 ? JB_ARCHIVED_LOT : JB_ARCHIVED_FULL_LOT;
        if (!over || old != kind) {
            jb_archive_key(key, wallet, old, l->ordinal);
            status = jb_store_del(t, JB_TABLE_ARCHIVE, key, sizeof key, err);
        }
    }
    if (status != JB_OK || !over) {
        return status;
    }
    b->scratch.n = 0;
    jb_archive_key(key, wallet, kind, l->ordinal);
    return jb_record_lot(l, &b->scratch) ? put_scratch(b, t, JB_TABLE_ARCHIVE, key, sizeof key, err)
                                         : no_memory(err);
}

static jb_status
write_wallet(struct jb_state *b, struct jb_store_txn *t, const struct jb_wallet *w,
             struct jb_error *err)
{
    uint8_t key[9];
    jb_put_be(key, 4, w->number);
    b->scratch.n = 0;
    if (!jb_record_wallet(w, &b->scratch)) {
        return no_memory(err);
    }
    jb_status status = put_scratch(b, t, JB_TABLE_WALLETS, key, 4, err);
    for (size_t i = 0; i < w->lots.n && status == JB_OK; i++) {
        status = write_lot(b, t, w->number, &w->lots.at[i], err);
    }
    WRITE_OVER(grants, JB_ARCHIVED_GRANT, jb_grant_over(&w->grants.at[i]), jb_record_grant)
    WRITE_OVER(refunds, JB_ARCHIVED_REFUND, jb_refund_over(&w->refunds.at[i]), jb_record_refund)
    WRITE_OVER(intervals, JB_ARCHIVED_INTERVAL, jb_interval_over(w, &w->intervals.at[i]),
               jb_record_interval)
    return status;
}

static jb_status
write_ids(struct jb_state *b, struct jb_store_txn *t, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (size_t i = 0; i < b->id_entries.n && status == JB_OK; i++) {
        const struct jb_id_entry *e = &b->id_entries.at[i];
        uint8_t key[5 + JB_ID_BYTES_MAX], value[4];
        key[0] = (uint8_t)e->kind;
        jb_put_be(key + 1, 4, e->wallet);
        memcpy(key + 5, b->id_bytes.at + e->at, e->n);
        jb_put_be(value, 4, e->ordinal);
        status = jb_store_put(t, JB_TABLE_IDS, key, 5U + e->n, value, sizeof value, err);
        status = status == JB_OK ? jb_store_next_step(t, err) : status;
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

static jb_status
write_due(struct jb_state *b, struct jb_store_txn *t, struct jb_error *err)
{
    jb_status status = JB_OK;
    uint8_t key[12];
    for (size_t i = 0; i < b->due.n && status == JB_OK; i++) {
        if (b->g.closed_through == JB_NO_DAY || b->due.at[i].expires_on > b->g.closed_through) {
            jb_put_be_i32(key, b->due.at[i].expires_on);
            jb_put_be(key + 4, 4, b->due.at[i].wallet);
            jb_put_be(key + 8, 4, b->due.at[i].ordinal);
            status = jb_store_put(t, JB_TABLE_DUE, key, sizeof key, "", 0, err);
            status = status == JB_OK ? jb_store_next_step(t, err) : status;
        }
    }
    return status == JB_OK && b->g.closed_through != JB_NO_DAY
               ? delete_due(t, b->g.closed_through, err)
               : status;
}

/* The first stays the first: a step of a rebuild that was cut may have written it. */
static jb_status
write_txns(struct jb_state *b, struct jb_store_txn *t, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (size_t i = 0; i < b->txns.n && status == JB_OK; i++) {
        const struct jb_txn *txn = &b->txns.at[i];
        uint8_t value[8];
        const void *old;
        size_t n;
        status = jb_store_get(t, JB_TABLE_TXNS, txn->hash, sizeof txn->hash, &old, &n, err);
        if (status == JB_E_NOTFOUND) {
            jb_put_be(value, 8, txn->seq);
            status = jb_store_put(t, JB_TABLE_TXNS, txn->hash, sizeof txn->hash, value,
                                  sizeof value, err);
        }
        status = status == JB_OK ? jb_store_next_step(t, err) : status;
    }
    return status;
}

static jb_status
write_facts(struct jb_state *b, struct jb_store_txn *t, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (size_t i = 0; i < b->facts.list.n && status == JB_OK; i++) {
        const struct jb_fact *f = &b->facts.list.at[i];
        if (!f->stored) { /* the last one of a key counts */
            status = jb_store_put(t, JB_TABLE_FACTS, &f->key, sizeof f->key,
                                  b->facts.bytes.at + f->at, f->n, err);
            status = status == JB_OK ? jb_store_next_step(t, err) : status;
        }
    }
    return status;
}

static jb_status
write_rest(struct jb_state *b, struct jb_store_txn *t, struct jb_error *err)
{
    jb_status status = JB_OK;
    uint8_t key[8], value[16];
    for (size_t i = 0; i < b->returns.entries.n && status == JB_OK; i++) {
        const struct jb_returned *r = &b->returned.at[b->returns.entries.at[i].value];
        jb_put_be(key, 8, b->returns.entries.at[i].hash);
        jb_put_be(value, 8, r->last);
        jb_put_be(value + 8, 8, (uint64_t)r->sum);
        status = jb_store_put(t, JB_TABLE_RETURNS, key, 8, value, 16, err);
        status = status == JB_OK ? jb_store_next_step(t, err) : status;
    }
    for (size_t i = 0; i < b->closed.n && status == JB_OK; i++) {
        jb_put_be_i32(key, b->closed.at[i].day);
        jb_put_be(value, 8, b->closed.at[i].seq);
        status = jb_store_put(t, JB_TABLE_DAYS, key, 4, value, 8, err);
    }
    b->scratch.n = 0;
    if (status == JB_OK && !jb_record_globals(&b->g, &b->scratch)) {
        status = no_memory(err);
    }
    return status == JB_OK ? put_scratch(b, t, JB_TABLE_GLOBALS, "g", 1, err) : status;
}

/* A wallet that changed since the last checkpoint stays in memory until the next. */
static const struct jb_wallet *
changed(const struct jb_state *b, size_t i)
{
    uint32_t number = b->dirty.at[i];
    JB_ASSERT(number > 0 && number <= b->slots.n);
    const struct jb_cached_wallet *s = b->slots.at[number - 1];
    JB_ASSERT(s != NULL && s->dirty && s->w.number == number);
    return &s->w;
}

static jb_status
write_all(struct jb_state *b, struct jb_store_txn *t, struct jb_error *err)
{
    jb_status status = JB_OK;
    if (b->dirty.n > 1) {
        qsort(b->dirty.at, b->dirty.n, sizeof *b->dirty.at, compare_number);
    }
    for (size_t i = 0; i < b->dirty.n && status == JB_OK; i++) {
        status = write_wallet(b, t, changed(b, i), err);
        status = status == JB_OK ? jb_store_next_step(t, err) : status;
    }
    status = status == JB_OK ? write_ids(b, t, err) : status;
    status = status == JB_OK ? write_due(b, t, err) : status;
    status = status == JB_OK ? write_txns(b, t, err) : status;
    status = status == JB_OK ? write_facts(b, t, err) : status;
    status = status == JB_OK ? write_rest(b, t, err) : status;
    return status == JB_OK ? jb_store_commit(t, b->g.seq, b->head.chain, err) : status;
}

/* Takes what is over out of memory: the store has it now. */
#define DROP_OVER(list, is_over)                                                                   \
    do {                                                                                           \
        size_t to = 0;                                                                             \
        for (size_t i = 0; i < w->list.n; i++) {                                                   \
            if (!(is_over)) {                                                                      \
                w->list.at[to] = w->list.at[i];                                                    \
                w->list.at[to].stored = false;                                                     \
                to++;                                                                              \
            }                                                                                      \
        }                                                                                          \
        w->list.n = to;                                                                            \
    } while (0)

static void
clean(struct jb_state *b, struct jb_cached_wallet *s, bool stored)
{
    struct jb_wallet *w = &s->w;
    s->dirty = false;
    if (!stored || b->store == NULL) {
        return; /* a state without a store cannot load anything again */
    }
    DROP_OVER(lots, jb_lot_over(&w->lots.at[i]));
    DROP_OVER(grants, jb_grant_over(&w->grants.at[i]));
    DROP_OVER(refunds, jb_refund_over(&w->refunds.at[i]));
    DROP_OVER(intervals, jb_interval_over(w, &w->intervals.at[i]));
    w->first_lot = 0;
}

static void
after_write(struct jb_state *b)
{
    for (size_t i = 0; i < b->dirty.n; i++) {
        clean(b, b->slots.at[b->dirty.at[i] - 1], true);
    }
    b->dirty.n = 0;
    b->stored_seq = b->g.seq;
    jb_facts_stored(b);
    if (b->store == NULL) {
        /* ids, returns and days cannot be loaded again either: they stay, and are written again
         * with the next step, which changes nothing. */
        return;
    }
    jb_map_clear(&b->ids);
    jb_map_clear(&b->returns);
    jb_map_clear(&b->txn_index);
    b->txns.n = 0;
    b->id_entries.n = b->id_bytes.n = b->due.n = b->closed.n = b->returned.n = 0;
    b->due_sorted = 0;
    jb_state_trim(b, SLOTS_KEPT_MAX);
}

jb_status
jb_state_checkpoint(struct jb_state *b, struct jb_error *err)
{
    if (b->store == NULL || b->g.seq == b->stored_seq || !b->usable) {
        return JB_OK;
    }
    JB_ASSERT(b->g.seq == b->head.seq && !b->save.live);
    for (;;) {
        struct jb_store_txn t;
        jb_store_end(&b->snap);
        jb_status status = jb_store_write(b->store, &t, err);
        if (status != JB_OK) {
            return status;
        }
        if (t.meta.seq != b->stored_seq || t.meta.generation != b->generation) {
            /* Another process was quicker: what is in memory begins again from what it stored. */
            jb_store_end(&t);
            b->force_reset = true;
            return JB_OK;
        }
        status = write_all(b, &t, err);
        if (status == JB_OK) {
            after_write(b);
            jb_keys_store(b, false);
            jb_state_release(b);
            return JB_OK;
        }
        jb_store_end(&t);
        if (!(status == JB_E_FULL && jb_store_grown(b->store))) {
            return status;
        }
        jb_state_release(b);
    }
}

jb_status
jb_state_write_next(struct jb_state *b, struct jb_store *store, struct jb_error *err)
{
    JB_ASSERT(b->store == NULL && b->g.seq == b->head.seq);
    for (;;) {
        struct jb_store_txn t;
        jb_status status = jb_store_next_write(store, &t, err);
        if (status != JB_OK) {
            return status;
        }
        uint32_t generation = t.meta.generation;
        status = write_all(b, &t, err);
        if (status == JB_OK) {
            jb_keys_write_next(b, store, generation);
            after_write(b);
            jb_state_release(b);
            return JB_OK;
        }
        jb_store_end(&t);
        if (!(status == JB_E_FULL && jb_store_grown(store))) {
            return status;
        }
    }
}
