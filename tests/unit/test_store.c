/* The store's rows against a sorted list in memory: random puts, deletions and looks over many
 * transactions, with keys that come in order and keys that do not, and values of all sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../check.h"
#include "base/bytes.h"
#include "storage/store.h"

#define ROWS_MAX 6000
#define TABLES 3
#define VALUE_MAX 65800

struct model_row {
    uint8_t key[12];
    uint8_t key_n;
    uint32_t value; /* what the value is made of; 0: no row */
};

static struct model_row rows[TABLES][ROWS_MAX];
static size_t rows_n[TABLES];
static uint64_t seed = 12345;
static const char *const tables[TABLES] = {"ordered", "random", "large"};
static struct jb_store_schema schema = {
    .file = "state.mdb", .version = 1, .tables_n = TABLES, .tables = tables};
static const uint8_t ledger_id[16] = {1, 2, 3};
static const uint8_t chain[16] = {4, 5, 6};

static uint32_t
chance(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % n;
}

static size_t
value_of(unsigned table, uint32_t value, uint8_t out[VALUE_MAX])
{
    /* Some beside 64 KiB, behind and before those of which there are many in a block. */
    size_t n = table != 2        ? value % 40
               : value % 32 == 0 ? 65400 + value % 400
               : value % 32 < 16 ? value * 37 % 9000
                                 : value % 40;
    memset(out, (int)value & 0xff, n);
    return n;
}

static int
compare(const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n)
{
    int order = memcmp(a, b, a_n < b_n ? a_n : b_n);
    return order != 0 ? order : (a_n > b_n) - (a_n < b_n);
}

static size_t
place(unsigned table, const uint8_t *key, size_t n)
{
    size_t at = 0;
    while (at < rows_n[table] && compare(rows[table][at].key, rows[table][at].key_n, key, n) < 0) {
        at++;
    }
    return at;
}

static size_t
random_key(unsigned table, uint32_t step, uint8_t key[12])
{
    if (table == 0) {
        jb_put_be(key, 4, chance(8) == 0 ? chance(step + 1) : step);
        return 4;
    }
    jb_put_be(key, 8, chance(table == 2 ? 200 : 4000) * UINT64_C(0x9e3779b97f4a7c15));
    return table == 1 ? 3 + chance(2) : 8;
}

static void
set(unsigned table, const uint8_t *key, size_t n, uint32_t value)
{
    struct model_row *list = rows[table];
    size_t at = place(table, key, n);
    bool there = at < rows_n[table] && compare(list[at].key, list[at].key_n, key, n) == 0;
    if (value == 0) {
        if (there) {
            rows_n[table]--;
            memmove(list + at, list + at + 1, (rows_n[table] - at) * sizeof *list);
        }
        return;
    }
    if (!there) {
        assert_true(rows_n[table] < ROWS_MAX);
        memmove(list + at + 1, list + at, (rows_n[table] - at) * sizeof *list);
        rows_n[table]++;
    }
    memcpy(list[at].key, key, n);
    list[at].key_n = (uint8_t)n;
    list[at].value = value;
}

static void
write_some(struct jb_store *s, uint32_t *step, unsigned round)
{
    struct jb_store_txn t;
    struct jb_error err;
    uint8_t key[12], value[VALUE_MAX];
    assert_int_equal(jb_store_write(s, &t, &err), JB_OK);
    for (unsigned i = 0, n = 1 + chance(300); i < n; i++) {
        unsigned table = chance(TABLES);
        size_t key_n = random_key(table, ++*step, key);
        /* Now and then a round that mostly deletes, so that blocks become empty. */
        bool delete = round % 7 == 6 ? chance(10) > 0 : chance(6) == 0;
        if (delete &&rows_n[table] > 0) {
            const struct model_row *r =
                &rows[table][round % 14 == 6 ? 0 : chance((uint32_t)rows_n[table])];
            key_n = r->key_n;
            memcpy(key, r->key, key_n);
        }
        uint32_t v = delete ? 0 : 1 + chance(100000);
        set(table, key, key_n, v);
        assert_int_equal(
            delete ? jb_store_del(&t, table, key, key_n, &err)
                   : jb_store_put(&t, table, key, key_n, value, value_of(table, v, value), &err),
            JB_OK);
    }
    assert_int_equal(jb_store_commit(&t, *step, chain, &err), JB_OK);
}

static void
same(unsigned table, const struct model_row *r, const struct jb_store_row *row)
{
    uint8_t value[VALUE_MAX];
    size_t n = value_of(table, r->value, value);
    assert_int_equal(row->key_n, r->key_n);
    assert_memory_equal(row->key, r->key, r->key_n);
    assert_int_equal(row->value_n, n);
    assert_true(n == 0 || memcmp(row->value, value, n) == 0);
}

static void
look_at(struct jb_store_txn *t, unsigned table)
{
    struct jb_store_row row;
    struct jb_error err;
    uint8_t key[12];
    const void *value;
    size_t n = random_key(table, 100000, key), value_n;
    if (chance(2) == 0 && rows_n[table] > 0) {
        const struct model_row *r = &rows[table][chance((uint32_t)rows_n[table])];
        n = r->key_n;
        memcpy(key, r->key, n);
    }
    size_t at = place(table, key, n);
    bool there =
        at < rows_n[table] && compare(rows[table][at].key, rows[table][at].key_n, key, n) == 0;
    assert_int_equal(jb_store_get(t, table, key, n, &value, &value_n, &err),
                     there ? JB_OK : JB_E_NOTFOUND);
    jb_status status = jb_store_seek(t, table, key, n, &row, &err);
    assert_int_equal(status, at < rows_n[table] ? JB_OK : JB_E_NOTFOUND);
    if (status == JB_OK) {
        same(table, &rows[table][at], &row);
    }
    status = jb_store_before(t, table, key, n, &row, &err);
    assert_int_equal(status, at > 0 ? JB_OK : JB_E_NOTFOUND);
    if (status == JB_OK) {
        same(table, &rows[table][at - 1], &row);
    }
}

static void
look_at_all(struct jb_store *s)
{
    struct jb_store_txn t;
    struct jb_error err;
    assert_int_equal(jb_store_read(s, &t, &err), JB_OK);
    for (unsigned table = 0; table < TABLES; table++) {
        struct jb_store_row row;
        size_t at = 0;
        assert_int_equal(t.meta.rows[table], rows_n[table]);
        jb_status status = jb_store_seek(&t, table, NULL, 0, &row, &err);
        for (; status == JB_OK; status = jb_store_next(&t, table, &row, &err)) {
            assert_true(at < rows_n[table]);
            same(table, &rows[table][at++], &row);
        }
        assert_int_equal(status, JB_E_NOTFOUND);
        assert_int_equal(at, rows_n[table]);
        for (unsigned i = 0; i < 60; i++) {
            look_at(&t, table);
        }
    }
    jb_store_end(&t);
}

static void
against_a_list(void **state)
{
    (void)state;
    char dir[] = "/tmp/jangbu-store-XXXXXX";
    struct jb_error err;
    make_scratch(dir);
    uint32_t step = 0;
    struct jb_store *s = NULL;
    for (unsigned round = 0; round < 150; round++) {
        bool remade;
        if (round % 10 == 0) { /* whoever opens it looks at all pages first */
            jb_store_close(s);
            schema.rows_grow = chance(2) == 0;
            assert_int_equal(jb_store_open(dir, &schema, ledger_id, false, &s, &remade, &err),
                             JB_OK);
            assert_false(remade);
        }
        write_some(s, &step, round);
        look_at_all(s);
    }
    jb_store_close(s);
    remove_scratch(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(against_a_list)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
