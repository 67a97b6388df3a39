/* views.mdb, row by row, against a fold of the log alone. */
#include "projections/views.h"

#include <stdarg.h>
#include <stdio.h>

#include "projections/query.h"

struct compare {
    struct jb_store_txn *t;
    unsigned table;
    uint64_t rows;
    void (*differs)(void *data, const char *text);
    void *data;
};

static void JB_PRINTF(2, 3) say(struct compare *c, const char *format, ...)
{
    char text[1000];
    va_list args;
    int n = snprintf(text, sizeof text, jb_tr("views.mdb, table %s: "),
                     jb_views_schema.tables[c->table]);
    va_start(args, format);
    vsnprintf(text + n, sizeof text - (size_t)n, jb_tr(format), args);
    va_end(args);
    c->differs(c->data, text);
}

/* Which row it is, in words. */
static void
name_row(const struct compare *c, const uint8_t *key, size_t n, char *out, size_t out_n)
{
    char day[JB_DAY_TEXT_BYTES];
    if ((c->table == JB_VT_ROWS || c->table == JB_VT_BY_OCCURRENCE) &&
        n == JB_KEY_WALLET_DAY_BYTES) {
        snprintf(out, out_n, jb_tr("wallet number %u, %s"), (unsigned)jb_get_be(key, 4),
                 jb_day_print(jb_get_be_i32(key + 4), day));
    } else if (c->table == JB_VT_CLOSES && n == JB_KEY_DAY_BYTES) {
        snprintf(out, out_n, "%s", jb_day_print(jb_get_be_i32(key), day));
    } else if (c->table == JB_VT_SNAPSHOTS && n == JB_KEY_WALLET_SEQ_BYTES) {
        snprintf(out, out_n, jb_tr("wallet number %u, event %llu"), (unsigned)jb_get_be(key, 4),
                 (unsigned long long)jb_get_be(key + 4, 8));
    } else if (c->table == JB_VT_GRANTS && n == JB_KEY_GRANT_BYTES) {
        snprintf(out, out_n, jb_tr("wallet number %u, grant %u"), (unsigned)jb_get_be(key, 4),
                 (unsigned)jb_get_be(key + 4, 4));
    } else if (c->table == JB_VT_REFUSED && n == JB_KEY_REFUSED_BYTES) {
        snprintf(out, out_n, jb_tr("refused command %llu"),
                 (unsigned long long)jb_get_be(key + 12, 8));
    } else if (c->table == JB_VT_TEXTS && n == JB_KEY_TEXT_BYTES) {
        snprintf(out, out_n, jb_tr("texts of events from %llu on, bucket %u"),
                 (unsigned long long)jb_get_be(key, 3) << JB_TEXT_EPOCH_BITS,
                 (unsigned)jb_get_be(key + 3, 2));
    } else if (c->table == JB_VT_WALLETS && n == JB_KEY_WALLET_BYTES) {
        snprintf(out, out_n, jb_tr("wallet number %u"), (unsigned)jb_get_be(key, 4));
    } else {
        snprintf(out, out_n, "%s", jb_tr("the ledger's row"));
    }
}

static jb_status
compare_row(void *data, const void *key, size_t key_n, const void *value, size_t value_n,
            struct jb_error *err)
{
    struct compare *c = data;
    const void *there;
    size_t there_n;
    char name[160];
    c->rows++;
    jb_status status = jb_store_get(c->t, c->table, key, key_n, &there, &there_n, err);
    if (status == JB_OK && there_n == value_n && memcmp(there, value, value_n) == 0) {
        return JB_OK;
    }
    if (status != JB_OK && status != JB_E_NOTFOUND) {
        return status;
    }
    name_row(c, key, key_n, name, sizeof name);
    if (status == JB_E_NOTFOUND) {
        say(c, "the row of %s is missing", name);
        return JB_OK;
    }
    struct jb_day_row is, should;
    if ((c->table == JB_VT_ROWS || c->table == JB_VT_BY_OCCURRENCE) &&
        jb_day_row_decode(0, there, there_n, &is) &&
        jb_day_row_decode(0, value, value_n, &should)) {
        say(c,
            "the row of %s has total %lld, paid %lld, free %lld where the log gives %lld, %lld, "
            "%lld",
            name, (long long)is.total, (long long)is.paid, (long long)is.free,
            (long long)should.total, (long long)should.paid, (long long)should.free);
    } else {
        say(c, "the row of %s is not what the log gives", name);
    }
    return JB_OK;
}

static jb_status
compare_tables(struct compare *c, const struct jb_fold *fold, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (c->table = 0; c->table < JB_VT_N && status == JB_OK; c->table++) {
        c->rows = 0;
        status = jb_fold_each(fold, NULL, c->table, compare_row, c, err);
        if (status == JB_OK && c->t->meta.rows[c->table] != c->rows) {
            say(c, "it has %llu rows where %llu should be",
                (unsigned long long)c->t->meta.rows[c->table], (unsigned long long)c->rows);
        }
    }
    return status;
}

jb_status
jb_views_compare(struct jb_store_txn *t, const struct jb_fold *fold, const uint8_t chain[16],
                 void (*differs)(void *data, const char *text), void *data, struct jb_error *err)
{
    struct compare c = {.t = t, .differs = differs, .data = data};
    if (memcmp(chain, t->meta.chain, 16) != 0) {
        say(&c, "it says that it includes event %llu of another log: the chain values differ",
            (unsigned long long)t->meta.seq);
    }
    return compare_tables(&c, fold, err);
}
