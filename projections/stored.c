#include "projections/stored.h"

#include "ledger/reader.h"

#include <stdio.h>

/* An entry that holds and cannot be read: what wrote it had another layout. */
static jb_status
row_damaged(struct jb_store_txn *t, struct jb_error *err, const char *table, uint32_t wallet)
{
    char what[160];
    snprintf(what, sizeof what, jb_tr("table %s, wallet %u"), table, wallet);
    return jb_store_damaged(t->store, what, err);
}

static jb_status
summary_from(struct jb_store_txn *t, const void *bytes, size_t n, uint32_t wallet,
             const char *table, struct jb_summary *ret, struct jb_error *err)
{
    jb_status status = jb_summary_decode(bytes, n, ret);
    if (status == JB_E_STALE) {
        return row_damaged(t, err, table, wallet);
    }
    return status == JB_OK ? JB_OK : jb_fail(err, status, "no memory for the state of a wallet");
}

jb_status
jb_stored_summary(struct jb_store_txn *t, uint32_t wallet, struct jb_summary *ret, bool *ret_found,
                  struct jb_error *err)
{
    *ret_found = false;
    if (t == NULL) {
        return JB_OK;
    }
    uint8_t key[JB_KEY_WALLET_BYTES];
    jb_key_wallet(key, wallet);
    const void *value;
    size_t n;
    jb_status status = jb_store_get(t, JB_VT_WALLETS, key, sizeof key, &value, &n, err);
    if (status == JB_E_NOTFOUND) {
        return JB_OK;
    }
    status = status == JB_OK ? summary_from(t, value, n, wallet, "wallets", ret, err) : status;
    *ret_found = status == JB_OK;
    return status;
}

/* The entry at the smallest key >= key (below: the largest key < key), if it has the same first 4
 * bytes: the same wallet. */
static jb_status
seek(struct jb_store_txn *t, unsigned table, const uint8_t *key, size_t key_n, bool below,
     struct jb_store_row *ret, bool *ret_found, struct jb_error *err)
{
    jb_status status = below ? jb_store_before(t, table, key, key_n, ret, err)
                             : jb_store_seek(t, table, key, key_n, ret, err);
    *ret_found = status == JB_OK && ret->key_n == key_n && memcmp(ret->key, key, 4) == 0;
    return status == JB_E_NOTFOUND ? JB_OK : status;
}

jb_status
jb_stored_snapshot_at_most(struct jb_store_txn *t, uint32_t wallet, jb_seq at_most,
                           struct jb_summary *ret, bool *ret_found, struct jb_error *err)
{
    *ret_found = false;
    if (t == NULL) {
        return JB_OK;
    }
    uint8_t key[JB_KEY_WALLET_SEQ_BYTES];
    jb_key_wallet_seq(key, wallet, at_most + 1);
    struct jb_store_row r = {0};
    jb_status status = seek(t, JB_VT_SNAPSHOTS, key, sizeof key, true, &r, ret_found, err);
    if (status == JB_OK && *ret_found) {
        status = summary_from(t, r.value, r.value_n, wallet, "snapshots", ret, err);
    }
    return status;
}

jb_status
jb_stored_snapshot_above(struct jb_store_txn *t, uint32_t wallet, jb_seq above, jb_seq *ret,
                         bool *ret_found, struct jb_error *err)
{
    *ret_found = false;
    if (t == NULL) {
        return JB_OK;
    }
    uint8_t key[JB_KEY_WALLET_SEQ_BYTES];
    jb_key_wallet_seq(key, wallet, above + 1);
    struct jb_store_row r = {0};
    jb_status status = seek(t, JB_VT_SNAPSHOTS, key, sizeof key, false, &r, ret_found, err);
    if (status == JB_OK && *ret_found) {
        *ret = jb_get_be(r.key + 4, 8);
    }
    return status;
}

static jb_status
row_from(struct jb_store_txn *t, const struct jb_store_row *r, unsigned table,
         struct jb_day_row *ret, struct jb_error *err)
{
    const uint8_t *key = r->key;
    if (r->key_n != JB_KEY_WALLET_DAY_BYTES) {
        return row_damaged(t, err, jb_views_schema.tables[table], 0);
    }
    if (!jb_day_row_decode(jb_get_be_i32(key + 4), r->value, r->value_n, ret)) {
        return row_damaged(t, err, jb_views_schema.tables[table], (uint32_t)jb_get_be(key, 4));
    }
    return JB_OK;
}

jb_status
jb_stored_row_at_most(struct jb_store_txn *t, unsigned table, uint32_t wallet, jb_day day,
                      struct jb_day_row *ret, bool *ret_found, struct jb_error *err)
{
    *ret_found = false;
    if (t == NULL) {
        return JB_OK;
    }
    uint8_t key[JB_KEY_WALLET_DAY_BYTES];
    jb_key_wallet_day(key, wallet, day);
    /* The largest key < day + 1; the largest day there is would overflow, so the key is counted up
     * as bytes. */
    jb_put_be(key, 8, jb_get_be(key, 8) + 1);
    struct jb_store_row r = {0};
    uint8_t prefix[4];
    jb_key_wallet(prefix, wallet);
    jb_status status = seek(t, table, key, sizeof key, true, &r, ret_found, err);
    *ret_found = *ret_found && memcmp(r.key, prefix, 4) == 0;
    return status == JB_OK && *ret_found ? row_from(t, &r, table, ret, err) : status;
}

jb_status
jb_stored_rows(struct jb_store_txn *t, unsigned table, uint32_t wallet, jb_day from, jb_day to,
               jb_status (*each)(void *data, const struct jb_day_row *row, struct jb_error *err),
               void *data, struct jb_error *err)
{
    if (t == NULL) {
        return JB_OK;
    }
    uint8_t key[JB_KEY_WALLET_DAY_BYTES];
    jb_key_wallet_day(key, wallet, from);
    struct jb_store_row r;
    jb_status status = jb_store_seek(t, table, key, sizeof key, &r, err);
    while (status == JB_OK && (r.key_n < 4 || jb_get_be(r.key, 4) == wallet)) {
        struct jb_day_row row;
        status = row_from(t, &r, table, &row, err);
        if (status == JB_OK && row.day > to) {
            break;
        }
        status = status == JB_OK ? each(data, &row, err) : status;
        status = status == JB_OK ? jb_store_next(t, table, &r, err) : status;
    }
    return status == JB_E_NOTFOUND ? JB_OK : status;
}

jb_status
jb_stored_grant(struct jb_store_txn *t, uint32_t wallet, uint32_t ordinal,
                struct jb_grant_terms *ret, bool *ret_found, struct jb_error *err)
{
    *ret_found = false;
    if (t == NULL) {
        return JB_OK;
    }
    uint8_t key[JB_KEY_GRANT_BYTES];
    jb_key_grant(key, wallet, ordinal);
    const void *value;
    size_t n;
    jb_status status = jb_store_get(t, JB_VT_GRANTS, key, sizeof key, &value, &n, err);
    if (status == JB_E_NOTFOUND) {
        return JB_OK;
    }
    if (status == JB_OK && !jb_grant_terms_decode(value, n, ret)) {
        return row_damaged(t, err, "grants", wallet);
    }
    *ret_found = status == JB_OK;
    return status;
}

jb_status
jb_stored_close(struct jb_store_txn *t, jb_day day, struct jb_close *ret, bool *ret_found,
                struct jb_error *err)
{
    *ret_found = false;
    if (t == NULL) {
        return JB_OK;
    }
    uint8_t key[JB_KEY_DAY_BYTES];
    jb_key_day(key, day);
    const void *value;
    size_t n;
    jb_status status = jb_store_get(t, JB_VT_CLOSES, key, sizeof key, &value, &n, err);
    if (status != JB_OK) {
        return status == JB_E_NOTFOUND ? JB_OK : status;
    }
    *ret_found = jb_close_decode(day, value, n, ret);
    return *ret_found ? JB_OK : row_damaged(t, err, "closes", 0);
}

jb_status
jb_stored_global(struct jb_store_txn *t, struct jb_view_global *ret, struct jb_error *err)
{
    jb_view_global_init(ret);
    if (t == NULL || t->meta.seq == 0) {
        return JB_OK;
    }
    const void *value;
    size_t n;
    jb_status status = jb_store_get(t, JB_VT_GLOBAL, "g", 1, &value, &n, err);
    if (status != JB_OK && status != JB_E_NOTFOUND) {
        return status;
    }
    if (status == JB_E_NOTFOUND || !jb_view_global_decode(value, n, ret)) {
        return row_damaged(t, err, "global", 0);
    }
    ret->seq = t->meta.seq;
    return JB_OK;
}

jb_status
jb_stored_refused_below(struct jb_store_txn *t, const struct jb_refused *at, jb_seq *ret,
                        struct jb_error *err)
{
    *ret = 0;
    if (t == NULL) {
        return JB_OK;
    }
    uint8_t key[JB_KEY_REFUSED_BYTES];
    struct jb_store_row r = {0};
    bool found;
    jb_key_refused(key, at);
    jb_status status = seek(t, JB_VT_REFUSED, key, sizeof key, true, &r, &found, err);
    if (status == JB_OK && found && memcmp(r.key, key, JB_KEY_REFUSED_BYTES - 8) == 0) {
        *ret = jb_get_be(r.key + JB_KEY_REFUSED_BYTES - 8, 8);
    }
    return status;
}

/* What a chunk of texts holds is entries. */
static jb_status
check_chunk(struct jb_store_txn *t, size_t n, struct jb_error *err)
{
    bool whole = n > 0 && n % JB_TEXT_ENTRY_BYTES == 0 && n <= JB_TEXT_CHUNK_BYTES;
    return whole ? JB_OK : row_damaged(t, err, "texts", 0);
}

jb_status
jb_stored_text(struct jb_store_txn *t, jb_seq epoch, uint32_t bucket, uint32_t chunk,
               const uint8_t **value, size_t *value_n, bool *ret_found, struct jb_error *err)
{
    *ret_found = false;
    if (t == NULL) {
        return JB_OK;
    }
    uint8_t key[JB_KEY_TEXT_BYTES];
    const void *bytes;
    jb_key_text(key, epoch, bucket, chunk);
    jb_status status = jb_store_get(t, JB_VT_TEXTS, key, sizeof key, &bytes, value_n, err);
    if (status != JB_OK) {
        return status == JB_E_NOTFOUND ? JB_OK : status;
    }
    *value = bytes;
    *ret_found = true;
    return check_chunk(t, *value_n, err);
}

jb_status
jb_stored_texts_below(struct jb_store_txn *t, jb_seq epoch, uint32_t bucket, uint32_t *chunk,
                      const uint8_t **value, size_t *value_n, bool *ret_found, struct jb_error *err)
{
    *ret_found = false;
    if (t == NULL) {
        return JB_OK;
    }
    uint8_t key[JB_KEY_TEXT_BYTES];
    struct jb_store_row r = {0};
    jb_key_text(key, epoch, bucket, *chunk);
    jb_status status = jb_store_before(t, JB_VT_TEXTS, key, sizeof key, &r, err);
    if (status != JB_OK || r.key_n != sizeof key || memcmp(r.key, key, 5) != 0) {
        return status == JB_E_NOTFOUND ? JB_OK : status;
    }
    *chunk = (uint32_t)jb_get_be(r.key + 5, 2);
    *value = r.value;
    *value_n = r.value_n;
    *ret_found = true;
    return check_chunk(t, r.value_n, err);
}
