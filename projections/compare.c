/* views.mdb, row by row, against a fold of the log alone. */
#include "projections/views.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/tally.h"
#include "projections/query.h"
#include "storage/passed.h"

#define KEY_BYTES_MAX 32

/* A row of a table that was not kept in memory: it is not what the log gives. */
struct miss {
    unsigned table;
    bool missing;
    size_t key_n;
    uint8_t key[KEY_BYTES_MAX];
};

struct compare {
    struct jb_store_txn *t;
    unsigned table;
    uint64_t rows;
    struct jb_tally sums;
    bool looked; /* misses has all of them */
    JB_VEC(struct miss) misses;
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
    if ((c->table == JB_VT_ROWS || c->table == JB_VT_MOVED) && n == JB_KEY_WALLET_DAY_BYTES) {
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
    if ((c->table == JB_VT_ROWS || c->table == JB_VT_MOVED) &&
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

/* ---- tables whose rows are not kept ---- */

static jb_status
look_at_row(void *data, unsigned table, const void *key, size_t key_n, const void *value,
            size_t value_n, struct jb_error *err)
{
    struct compare *c = data;
    const void *there;
    size_t there_n;
    jb_status status = jb_store_get(c->t, table, key, key_n, &there, &there_n, err);
    if (status == JB_OK && there_n == value_n && memcmp(there, value, value_n) == 0) {
        return JB_OK;
    }
    if (status != JB_OK && status != JB_E_NOTFOUND) {
        return status;
    }
    JB_ASSERT(key_n <= KEY_BYTES_MAX);
    if (!jb_vec_reserve(&c->misses, c->misses.n + 1)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for the findings of an audit");
    }
    struct miss *m = &c->misses.at[c->misses.n++];
    *m = (struct miss){.table = table, .missing = status == JB_E_NOTFOUND, .key_n = key_n};
    memcpy(m->key, key, key_n);
    return JB_OK;
}

static int
by_key(const void *a, const void *b)
{
    const struct miss *x = a, *y = b;
    const int order = memcmp(x->key, y->key, x->key_n < y->key_n ? x->key_n : y->key_n);
    return x->table != y->table ? (x->table < y->table ? -1 : 1)
           : order != 0         ? order
                                : (x->key_n > y->key_n) - (x->key_n < y->key_n);
}

/* Which rows they are, in the order of their keys. */
static jb_status
name_misses(struct compare *c, const struct jb_views_drained *drained, struct jb_error *err)
{
    const struct jb_fold_drain drain = {look_at_row, c};
    jb_status status = c->looked ? JB_OK : drained->again(drained->data, &drain, err);
    if (!c->looked && c->misses.n > 0) {
        qsort(c->misses.at, c->misses.n, sizeof *c->misses.at, by_key);
    }
    c->looked = true;
    for (size_t i = 0; i < c->misses.n && status == JB_OK; i++) {
        const struct miss *m = &c->misses.at[i];
        char name[160];
        if (m->table == c->table) {
            name_row(c, m->key, m->key_n, name, sizeof name);
            say(c,
                m->missing ? "the row of %s is missing" : "the row of %s is not what the log gives",
                name);
        }
    }
    return status;
}

static jb_status
add_row(void *data, const void *key, size_t key_n, const void *value, size_t value_n,
        struct jb_error *err)
{
    struct compare *c = data;
    (void)err;
    jb_tally_add(&c->sums, key, key_n, value, value_n);
    return JB_OK;
}

static bool
has_table(struct compare *c)
{
    struct jb_tally there = {0};
    struct jb_passed passed = {0};
    struct jb_store_row row;
    struct jb_error err;
    jb_status status = jb_store_seek(c->t, c->table, "", 0, &row, &err);
    while (status == JB_OK) {
        jb_tally_add(&there, row.key, row.key_n, row.value, row.value_n);
        jb_passed(&passed, row.value, row.value_n);
        status = jb_store_next(c->t, c->table, &row, &err);
    }
    return status == JB_E_NOTFOUND && jb_tally_same(&there, &c->sums);
}

static jb_status
compare_drained(struct compare *c, const struct jb_fold *fold,
                const struct jb_views_drained *drained, struct jb_error *err)
{
    c->sums = drained->sums[c->table];
    jb_status status = jb_fold_each(fold, NULL, c->table, add_row, c, err);
    c->rows = c->sums.rows;
    return status == JB_OK && !has_table(c) ? name_misses(c, drained, err) : status;
}

/* ---- all ---- */

static jb_status
compare_tables(struct compare *c, const struct jb_fold *fold,
               const struct jb_views_drained *drained, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (c->table = 0; c->table < JB_VT_N && status == JB_OK; c->table++) {
        c->rows = 0;
        status = drained != NULL && jb_fold_drains(c->table)
                     ? compare_drained(c, fold, drained, err)
                     : jb_fold_each(fold, NULL, c->table, compare_row, c, err);
        if (status == JB_OK && c->t->meta.rows[c->table] != c->rows) {
            say(c, "it has %llu rows where %llu should be",
                (unsigned long long)c->t->meta.rows[c->table], (unsigned long long)c->rows);
        }
    }
    return status;
}

jb_status
jb_views_compare(struct jb_store_txn *t, const struct jb_fold *fold,
                 const struct jb_views_drained *drained, const uint8_t chain[16],
                 void (*differs)(void *data, const char *text), void *data, struct jb_error *err)
{
    struct compare c = {.t = t, .differs = differs, .data = data};
    if (memcmp(chain, t->meta.chain, 16) != 0) {
        say(&c, "it says that it includes event %llu of another log: the chain values differ",
            (unsigned long long)t->meta.seq);
    }
    jb_status status = compare_tables(&c, fold, drained, err);
    jb_vec_free(&c.misses);
    return status;
}
