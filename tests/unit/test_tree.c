/*
 * Tables of LMDB, read without LMDB: each row that is looked for is the one that LMDB finds, in
 * trees of several depths from which much was deleted, and where values got shorter; and in a copy
 * of the file with bytes changed, whatever is looked for, nothing outside of the copy is read
 * (valgrind and AddressSanitizer say so) and no look goes on for ever.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../check.h"
#include "storage/lmdb_pages.h"
#include "storage/lmdb_tree.h"

#define KEYS 4000
#define LOOKS 3000
#define DAMAGES 3000

static char path[] = "/tmp/jangbu-tree-XXXXXX";
static MDB_env *env;
static MDB_dbi main_dbi, dbi;
static uint64_t seed = 4711;

static uint32_t
chance(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % n;
}

static MDB_val
key_of(uint32_t i, char text[32])
{
    int n = snprintf(text, 32, i % 5 == 0 ? "%u" : "%06u", i * 7919 % 100003);
    return (MDB_val){(size_t)n, text};
}

/* Short values, some that fill half a page, some with pages of their own. */
static size_t
value_bytes(uint32_t i)
{
    return i % 97 == 0 ? 9000 : i % 11 == 0 ? 1500 : i % 60;
}

static void
write_rows(bool delete, uint32_t from, uint32_t to)
{
    static char bytes[9000];
    MDB_txn *txn;
    char text[32];
    must(mdb_txn_begin(env, NULL, 0, &txn) == 0, "begin");
    for (uint32_t i = from; i < to; i++) {
        MDB_val k = key_of(i, text), v = {value_bytes(i), bytes};
        memset(bytes, (int)(i & 127), v.mv_size);
        int code = delete ? mdb_del(txn, dbi, &k, NULL) : mdb_put(txn, dbi, &k, &v, 0);
        must(code == 0 || code == MDB_NOTFOUND, "a row");
    }
    must(mdb_txn_commit(txn) == 0, "commit");
}

static int
set_up(void **state)
{
    (void)state;
    MDB_txn *txn;
    int fd = mkstemp(path);
    must(fd >= 0, path);
    close(fd);
    must(mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, 2) == 0 &&
             mdb_env_set_mapsize(env, 64 << 20) == 0 &&
             mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOSYNC, 0600) == 0,
         "open");
    must(mdb_txn_begin(env, NULL, 0, &txn) == 0 && mdb_dbi_open(txn, NULL, 0, &main_dbi) == 0 &&
             mdb_dbi_open(txn, "rows", MDB_CREATE, &dbi) == 0 && mdb_txn_commit(txn) == 0,
         "tables");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    char lock[64];
    mdb_env_close(env);
    snprintf(lock, sizeof lock, "%s-lock", path);
    unlink(path);
    unlink(lock);
    return 0;
}

static void
find_tree(MDB_txn *txn, struct jb_snapshot *ret, struct jb_tree *ret_tree)
{
    MDB_val name = {4, (void *)(uintptr_t) "rows"}, value;
    must(mdb_get(txn, main_dbi, &name, &value) == 0 && jb_tree_of(&value, ret_tree) &&
             jb_snapshot_of(txn, &value, ret) && ret->map != NULL,
         "no tree");
}

/* LMDB's answer to jb_tree_last. */
static int
by_lmdb(MDB_txn *txn, MDB_val key, bool below, MDB_val *k, MDB_val *v)
{
    MDB_cursor *c;
    *k = key;
    must(mdb_cursor_open(txn, dbi, &c) == 0, "cursor");
    int code = mdb_cursor_get(c, k, v, MDB_SET_RANGE);
    if (code != 0) {
        code = mdb_cursor_get(c, k, v, MDB_LAST);
    } else if (below || mdb_cmp(txn, dbi, k, &key) != 0) {
        code = mdb_cursor_get(c, k, v, MDB_PREV);
    }
    mdb_cursor_close(c);
    return code;
}

static bool
same(const MDB_val *a, const MDB_val *b)
{
    return a->mv_size == b->mv_size && a->mv_data == b->mv_data;
}

static void
compare_all(void)
{
    MDB_txn *txn;
    struct jb_snapshot s;
    struct jb_tree t;
    char text[32];
    must(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0, "begin");
    find_tree(txn, &s, &t);
    for (unsigned i = 0; i < LOOKS; i++) {
        MDB_val key = key_of(chance(KEYS + 500), text), k, v, own_k, own_v;
        for (int below = 0; below < 2; below++) {
            int code = by_lmdb(txn, key, below, &k, &v);
            enum jb_tree_found found = jb_tree_last(&s, &t, &key, below, &own_k, &own_v);
            assert_int_equal(found, code == 0 ? JB_TREE_THERE : JB_TREE_NOT_THERE);
            assert_true(code != 0 || (same(&k, &own_k) && same(&v, &own_v)));
        }
        int code = mdb_get(txn, dbi, &key, &v);
        enum jb_tree_found found = jb_tree_get(&s, &t, &key, &own_v);
        assert_int_equal(found, code == 0 ? JB_TREE_THERE : JB_TREE_NOT_THERE);
        assert_true(code != 0 || same(&v, &own_v));
    }
    mdb_txn_abort(txn);
}

static void
test_as_lmdb(void **state)
{
    (void)state;
    MDB_txn *txn;
    MDB_stat stat;
    compare_all(); /* nothing */
    write_rows(false, 0, 3);
    compare_all();
    write_rows(false, 0, KEYS);
    compare_all();
    for (unsigned round = 0; round < 12; round++) {
        for (unsigned i = 0; i < 25; i++) {
            uint32_t from = chance(KEYS);
            write_rows(chance(3) > 0, from, from + chance(20));
        }
        compare_all();
    }
    must(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0 && mdb_stat(txn, dbi, &stat) == 0, "stat");
    mdb_txn_abort(txn);
    assert_true(stat.ms_depth >= 3);
}

/* The pages that the run of a long value says it has. */
static uint32_t
pages_of(const MDB_val *v)
{
    uint32_t pages;
    memcpy(&pages, (const uint8_t *)v->mv_data - 4, sizeof pages);
    return pages;
}

/*
 * LMDB overwrites a value in the pages that it got in the same transaction, and keeps them all
 * where the new one needs fewer: that is no damage, for who finds the row and for who walks over
 * all pages.
 */
static void
test_got_shorter(void **state)
{
    (void)state;
    static char bytes[40000];
    static const size_t sizes[] = {40000, 21000, 17000, 9000, 5000, 3000};
    enum { N = sizeof sizes / sizeof *sizes };
    MDB_txn *txn;
    struct jb_snapshot s;
    struct jb_tree t;
    char text[32];
    unsigned kept = 0;
    must(mdb_txn_begin(env, NULL, 0, &txn) == 0, "begin");
    for (uint32_t i = 0; i < N * N; i++) {
        MDB_val k = {(size_t)snprintf(text, sizeof text, "again %u", i), text};
        MDB_val before = {sizes[i / N], bytes}, after = {sizes[i % N], bytes};
        must(mdb_put(txn, dbi, &k, &before, 0) == 0 && mdb_put(txn, dbi, &k, &after, 0) == 0,
             "rows");
    }
    must(mdb_txn_commit(txn) == 0, "commit");
    must(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0, "begin");
    find_tree(txn, &s, &t);
    for (uint32_t i = 0; i < N * N; i++) {
        MDB_val k = {(size_t)snprintf(text, sizeof text, "again %u", i), text}, v, own_v;
        must(mdb_get(txn, dbi, &k, &v) == 0, "a row");
        assert_int_equal(jb_tree_get(&s, &t, &k, &own_v), JB_TREE_THERE);
        assert_true(same(&v, &own_v) && v.mv_size == sizes[i % N]);
        kept += v.mv_size > s.page_bytes &&
                pages_of(&v) > (v.mv_size + 16 + s.page_bytes - 1) / s.page_bytes;
    }
    assert_true(kept > 0);
    assert_int_equal(jb_pages_look_at_all(path, mdb_txn_id(txn), UINT64_MAX), JB_PAGES_SOUND);
    assert_int_equal(jb_pages_look_at_all(path, mdb_txn_id(txn), 0), JB_PAGES_SOUND);
    mdb_txn_abort(txn);
}

/* The bytes of the file's pages, nothing beside them. */
static uint8_t *
copy_of(const struct jb_snapshot *s)
{
    uint8_t *copy = malloc(s->pages * s->page_bytes);
    must(copy != NULL, "no memory");
    memcpy(copy, s->map, s->pages * s->page_bytes);
    return copy;
}

/* A page as one fault leaves it. */
static void
damage(const struct jb_snapshot *s, uint8_t *copy, uint64_t page)
{
    uint8_t *at = copy + page * s->page_bytes;
    uint32_t header = chance(2) == 0 ? 64 : s->page_bytes;
    switch (chance(5)) {
    case 0:
        memset(at, chance(2) == 0 ? 0 : 0xff, s->page_bytes);
        return;
    case 1:
        memcpy(at, s->map + chance((uint32_t)s->pages) * s->page_bytes, s->page_bytes);
        return;
    case 2:
        memcpy(at, s->map + chance((uint32_t)s->pages) * s->page_bytes, s->page_bytes);
        memcpy(at, &page, sizeof page); /* an older one of its own */
        return;
    default:
        for (unsigned i = 0; i < 1 + chance(3); i++) {
            at[chance(header)] ^= (uint8_t)(1U << chance(8));
        }
    }
}

static void
test_damaged(void **state)
{
    (void)state;
    MDB_txn *txn;
    struct jb_snapshot s;
    struct jb_tree t;
    char text[32];
    unsigned said = 0;
    must(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0, "begin");
    find_tree(txn, &s, &t);
    struct jb_snapshot damaged = s;
    uint8_t *copy = copy_of(&s);
    damaged.map = copy;
    for (unsigned i = 0; i < DAMAGES; i++) {
        uint64_t page = i % 3 == 0 ? t.root : chance((uint32_t)s.pages);
        damage(&s, copy, page);
        for (unsigned j = 0; j < 40; j++) {
            MDB_val key = key_of(chance(KEYS), text), k, v;
            enum jb_tree_found found = jb_tree_last(&damaged, &t, &key, chance(2) == 0, &k, &v);
            said += found == JB_TREE_DAMAGED;
            /* All of what is given can be read. */
            if (found == JB_TREE_THERE) {
                const uint8_t *end = copy + s.pages * s.page_bytes;
                assert_true((uint8_t *)k.mv_data >= copy &&
                            (size_t)(end - (uint8_t *)k.mv_data) >= k.mv_size);
                assert_true((uint8_t *)v.mv_data >= copy &&
                            (size_t)(end - (uint8_t *)v.mv_data) >= v.mv_size);
            }
        }
        memcpy(copy + page * s.page_bytes, s.map + page * s.page_bytes, s.page_bytes);
    }
    assert_true(said > DAMAGES);
    free(copy);
    mdb_txn_abort(txn);
}

/* The page there with other bytes, and what is found then in a file of that size or a larger one.
 */
static void
look_damaged(const struct jb_snapshot *s, uint64_t id, uint64_t page, enum jb_pages_found of_all,
             enum jb_pages_found of_large)
{
    uint8_t *bytes = malloc(s->page_bytes);
    const off_t at = (off_t)(page * s->page_bytes);
    const ssize_t n = (ssize_t)s->page_bytes;
    char copy[] = "/tmp/jangbu-pages-XXXXXX";
    int fd = mkstemp(copy);
    must(bytes != NULL && fd >= 0, "no copy");
    must(write(fd, s->map, s->pages * s->page_bytes) == (ssize_t)(s->pages * s->page_bytes), copy);
    memset(bytes, 0xa5, s->page_bytes);
    must(pwrite(fd, bytes, (size_t)n - 16, at + 16) == n - 16, copy);
    assert_int_equal(jb_pages_look_at_all(copy, id, UINT64_MAX), of_all);
    assert_int_equal(jb_pages_look_at_all(copy, id, 0), of_large);
    close(fd);
    unlink(copy);
    free(bytes);
}

/* Of a large file the leaves of a table are not read, and all that leads to them is. */
static void
test_large(void **state)
{
    (void)state;
    MDB_txn *txn;
    MDB_val name = {4, (void *)(uintptr_t) "rows"}, value;
    struct jb_snapshot s;
    struct jb_tree t;
    must(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0, "begin");
    find_tree(txn, &s, &t);
    must(mdb_get(txn, main_dbi, &name, &value) == 0, "no name");
    const uint64_t id = mdb_txn_id(txn);
    const uint8_t *root = s.map + t.root * s.page_bytes, *below = root;
    uint64_t page = t.root;
    for (unsigned level = 1; level < t.depth; level++) {
        look_damaged(&s, id, page, JB_PAGES_DAMAGED, JB_PAGES_DAMAGED);
        uint16_t node, high;
        uint32_t low;
        memcpy(&node, below + 16, sizeof node);
        memcpy(&low, below + node, sizeof low);
        memcpy(&high, below + node + 4, sizeof high);
        page = low | (uint64_t)high << 32;
        below = s.map + page * s.page_bytes;
    }
    look_damaged(&s, id, page, JB_PAGES_DAMAGED, JB_PAGES_SOUND);
    look_damaged(&s, id, (uint64_t)((const uint8_t *)value.mv_data - s.map) / s.page_bytes,
                 JB_PAGES_DAMAGED, JB_PAGES_DAMAGED);
    mdb_txn_abort(txn);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_lmdb), cmocka_unit_test(test_got_shorter),
        cmocka_unit_test(test_damaged), cmocka_unit_test(test_large)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
