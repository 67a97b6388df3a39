/* clang-format off */
/*
 * Rows, in blocks. A block holds the rows of a table from one key (its lower bound, included) to
 * another (its upper bound, excluded); the blocks of a table cover all keys there can be. So one
 * block proves that a row is there, and as well that it is not.
 *
 *   blocks   table 1, lower bound           the block
 *   checks   table 1, lower bound           the block's check, 8 bytes: in another page than the
 *                                           block, so that an older copy of either does not agree
 *                                           with the other
 *
 * A block, numbers big endian:
 *
 *   offset  bytes  meaning
 *        0      8  check: XXH3-64 of the bytes from 8 on, seeded by the ledger's id
 *        8      8  the transaction that wrote it; never after the store's own count
 *       16      4  generation
 *       20      1  table
 *       21      1  1: it has no upper bound: the last of its table
 *       22      2  zero
 *       24      4  number of rows, n
 *       28      1  bytes of the lower bound, l
 *       29      1  bytes of the upper bound, u
 *       30  l + u  the bounds
 *        .   3 n   for each row: bytes of the key 1, end of the row 2 (from the block's beginning);
 *                  of the last 0: it ends where the block does
 *        .      .  the rows: key, value
 *
 * Another layout of a block raises the versions of both stores (JB_STATE_VERSION, JB_VIEWS_VERSION).
 */
/* clang-format on */
#include <assert.h>

#include "base/steps.h"
#include "storage/store_file.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    B_CHECK = 0,
    B_WRITTEN = 8,
    B_GENERATION = 16,
    B_TABLE = 20,
    B_LAST = 21,
    B_ZERO = 22,
    B_ROWS = 24,
    B_LOWER = 28,
    B_UPPER = 29,
    B_BOUNDS = 30,
    ROW_BYTES = 3,
    CHECK_BYTES = 8,
    /* What fits into one page of 4 KiB of its own. A row that is larger is a block by itself. */
    BLOCK_BYTES_MAX = 4080,
    /* What is pending is carried out when it is this much. */
    PENDING_BYTES_MAX = 16 << 20
};

struct bytes {
    const uint8_t *at;
    size_t n;
};

struct row {
    struct bytes key, value;
};

/* A block that holds. */
struct block {
    const uint8_t *at;
    size_t n;
    uint32_t rows;
    bool last;
    struct bytes lower, upper;
    const uint8_t *index; /* of the rows */
    size_t rows_at;
};

/* Nearly all keys have four bytes or more, and most differ there or in the next eight. */
static int
compare(struct bytes a, struct bytes b)
{
    size_t n = a.n < b.n ? a.n : b.n, same = 0;
    for (unsigned bytes = 4; bytes <= 8 && n - same >= bytes; same += bytes, bytes += 4) {
        const uint64_t x = jb_get_be(a.at + same, bytes), y = jb_get_be(b.at + same, bytes);
        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    int order = n > same ? memcmp(a.at + same, b.at + same, n - same) : 0;
    return order != 0 ? order : a.n < b.n ? -1 : a.n > b.n;
}

static struct bytes
bytes_of(const void *at, size_t n)
{
    return (struct bytes){at, n};
}

/* ---- one block ---- */

static uint64_t
check_of(const struct jb_store *s, const uint8_t *block, size_t n)
{
    return XXH3_64bits_withSeed(block + B_WRITTEN, n - B_WRITTEN, s->seed);
}

static size_t
row_end(const struct block *b, uint32_t i)
{
    return i + 1 == b->rows ? b->n : (size_t)jb_get_be(b->index + (size_t)i * ROW_BYTES + 1, 2);
}

static struct row
row_of(const struct block *b, uint32_t i)
{
    size_t begin = i == 0 ? b->rows_at : row_end(b, i - 1), end = row_end(b, i);
    size_t key_n = b->index[(size_t)i * ROW_BYTES];
    return (struct row){{b->at + begin, key_n}, {b->at + begin + key_n, end - begin - key_n}};
}

/* The places in a block whose check holds. False: the lengths are not ones that were written. */
static bool
parse(const uint8_t *at, size_t n, struct block *ret)
{
    if (n < B_BOUNDS) {
        return false;
    }
    struct block b = {.at = at,
                      .n = n,
                      .rows = (uint32_t)jb_get_be(at + B_ROWS, 4),
                      .last = at[B_LAST] == 1,
                      .lower = {at + B_BOUNDS, at[B_LOWER]},
                      .upper = {at + B_BOUNDS + at[B_LOWER], at[B_UPPER]}};
    size_t index = B_BOUNDS + b.lower.n + b.upper.n;
    if (index > n || b.rows > (n - index) / ROW_BYTES) {
        return false;
    }
    b.index = at + index;
    b.rows_at = index + (size_t)b.rows * ROW_BYTES;
    *ret = b;
    return b.rows > 0 || b.rows_at == n;
}

static int
code_of(enum jb_tree_found found)
{
    return found == JB_TREE_THERE ? 0 : found == JB_TREE_NOT_THERE ? MDB_NOTFOUND : MDB_CORRUPTED;
}

static jb_status
get_value(struct jb_store_txn *t, enum jb_store_dbi dbi, const MDB_val *key, MDB_val *ret,
          struct jb_error *err)
{
    MDB_val k = *key;
    int code = t->pages.map != NULL ? code_of(jb_tree_get(&t->pages, &t->trees[dbi], &k, ret))
                                    : mdb_get(t->txn, t->dbi[dbi], &k, ret);
    return code == 0              ? JB_OK
           : code == MDB_NOTFOUND ? jb_store_damaged(t->store, "a row is missing", err)
                                  : jb_store_failed(t->store, code, "reading", err);
}

/* Where this process remembers that the table of checks agreed with a check, in this state of the
 * file. */
static _Atomic uint64_t *
agreement(const struct jb_store_txn *t, uint64_t check, uint64_t *ret_mark)
{
    *ret_mark = check ^ (t->meta.writes + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return &t->store->agreed[check >> 52];
}
static_assert(JB_STORE_AGREED == 1 << 12, "the upper 12 bits of a check choose the place");

/* The check of a block against its bytes, its place, and the table of checks. */
static jb_status
check_block(struct jb_store_txn *t, unsigned table, const MDB_val *key, const MDB_val *value,
            struct block *ret, struct jb_error *err)
{
    const uint8_t *at = value->mv_data, *place = key->mv_data;
    struct jb_store *s = t->store;
    uint64_t writes = t->meta.writes + (t->pending != NULL);
    if (!parse(at, value->mv_size, ret) ||
        jb_get_be(at + B_CHECK, 8) != check_of(s, at, value->mv_size) ||
        jb_get_be(at + B_WRITTEN, 8) > writes ||
        jb_get_be(at + B_GENERATION, 4) != t->meta.generation || at[B_TABLE] != table ||
        compare(ret->lower, bytes_of(place + 1, key->mv_size - 1)) != 0) {
        return jb_store_damaged(s, "some rows", err);
    }
    uint64_t mark;
    _Atomic uint64_t *agreed = agreement(t, jb_get_be(at + B_CHECK, 8), &mark);
    if (*agreed == mark) {
        return JB_OK;
    }
    MDB_val check;
    jb_status status = get_value(t, JB_STORE_CHECKS, key, &check, err);
    if (status == JB_OK &&
        (check.mv_size != CHECK_BYTES || memcmp(check.mv_data, at + B_CHECK, CHECK_BYTES) != 0)) {
        status = jb_store_damaged(s, "some rows are older than others", err);
    }
    if (status == JB_OK) {
        *agreed = mark;
    }
    return status;
}

/* ---- finding a block ---- */

static size_t
place_of(unsigned table, struct bytes lower, uint8_t out[1 + JB_STORE_KEY_BYTES_MAX])
{
    out[0] = (uint8_t)table;
    if (lower.n > 0) {
        memcpy(out + 1, lower.at, lower.n);
    }
    return 1 + lower.n;
}

/* Where a block that was found is remembered: who asks in turn for rows of several tables, or of
 * several kinds in one, finds each beside the one before. */
static struct jb_store_last *
last_of(struct jb_store_txn *t, unsigned table, struct bytes key)
{
    return &t->last[(table * 3 + (key.n > 0 ? key.at[0] : 0U)) % JB_STORE_LAST];
}

static void
forget_last(struct jb_store_txn *t)
{
    if (t->any_last) {
        memset(t->last, 0, sizeof t->last);
        t->any_last = false;
    }
}

/* Pages that are in disorder lead to a block that is sound, and another one. */
static bool
is_between(const struct block *b, struct bytes key, bool before)
{
    int lower = compare(b->lower, key), upper = b->last ? -1 : compare(key, b->upper);
    return before ? lower < 0 && upper <= 0 : lower <= 0 && upper < 0;
}

/* Whether the block that is remembered there is the one for key. */
static bool
is_last_found(struct jb_store_txn *t, unsigned table, struct bytes key, bool before,
              struct block *ret)
{
    const struct jb_store_last *last = last_of(t, table, key);
    return last->block != NULL && last->table == table && parse(last->block, last->n, ret) &&
           is_between(ret, key, before);
}

/* LMDB's code: the block with the greatest lower bound that is not above *k (below: that is
 * smaller), by LMDB. */
static int
seek_in_lmdb(struct jb_store_txn *t, bool below, MDB_val *k, MDB_val *v)
{
    MDB_cursor *c;
    MDB_val key = *k;
    int code = mdb_cursor_open(t->txn, t->dbi[JB_STORE_BLOCKS], &c);
    if (code != 0) {
        return code;
    }
    code = mdb_cursor_get(c, k, v, MDB_SET_RANGE);
    bool exact = code == 0 && !below && k->mv_size == key.mv_size &&
                 memcmp(k->mv_data, key.mv_data, key.mv_size) == 0;
    if (!exact && (code == 0 || code == MDB_NOTFOUND)) {
        code = mdb_cursor_get(c, k, v, code == 0 ? MDB_PREV : MDB_LAST);
    }
    mdb_cursor_close(c);
    return code;
}

/* The block that key falls into (before: that ends at key or has it inside, as its upper bound may
 * be). JB_E_NOTFOUND: the table has no blocks yet. */
static jb_status
find_block(struct jb_store_txn *t, unsigned table, struct bytes key, bool before, struct block *ret,
           struct jb_error *err)
{
    uint8_t place[1 + JB_STORE_KEY_BYTES_MAX];
    MDB_val k = {place_of(table, key, place), place}, v;
    if (is_last_found(t, table, key, before, ret)) {
        return JB_OK;
    }
    *ret = (struct block){0}; /* never half of one */
    int code =
        t->pages.map != NULL
            ? code_of(jb_tree_last(&t->pages, &t->trees[JB_STORE_BLOCKS], &k, before, &k, &v))
            : seek_in_lmdb(t, before, &k, &v);
    if (code == MDB_NOTFOUND || (code == 0 && *(const uint8_t *)k.mv_data != table)) {
        return t->meta.rows[table] == 0 ? JB_E_NOTFOUND
                                        : jb_store_damaged(t->store, "rows are missing", err);
    }
    if (code != 0) {
        return jb_store_failed(t->store, code, "reading", err);
    }
    jb_status status = check_block(t, table, &k, &v, ret, err);
    if (status == JB_OK && !is_between(ret, key, before)) {
        status = jb_store_damaged(t->store, "rows are missing", err);
    }
    if (status == JB_OK) {
        *last_of(t, table, key) = (struct jb_store_last){ret->at, ret->n, table};
        t->any_last = true;
    }
    return status;
}

/* The first row of a block with a key >= key. */
static uint32_t
first_from(const struct block *b, struct bytes key)
{
    uint32_t low = 0, high = b->rows;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(row_of(b, middle).key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* ---- reading ---- */

jb_status
jb_store_get(struct jb_store_txn *t, unsigned table, const void *key, size_t key_n,
             const void **value, size_t *value_n, struct jb_error *err)
{
    struct block b;
    struct bytes k = bytes_of(key, key_n);
    jb_steps.rows++;
    if (t->meta.rows[table] == 0 || key_n > JB_STORE_KEY_BYTES_MAX) {
        return JB_E_NOTFOUND;
    }
    jb_status status = find_block(t, table, k, false, &b, err);
    if (status != JB_OK) {
        return status;
    }
    uint32_t i = first_from(&b, k);
    if (i == b.rows || compare(row_of(&b, i).key, k) != 0) {
        return JB_E_NOTFOUND;
    }
    struct row r = row_of(&b, i);
    *value = r.value.at;
    *value_n = r.value.n;
    return JB_OK;
}

static jb_status
give(const struct block *b, uint32_t i, struct jb_store_row *ret)
{
    struct row r = row_of(b, i);
    *ret = (struct jb_store_row){r.key.at, r.value.at, r.key.n, r.value.n, b->at, b->n, i};
    return JB_OK;
}

/* Row i of b, or the first one of the blocks behind it. */
static jb_status
give_from(struct jb_store_txn *t, unsigned table, struct block *b, uint32_t i,
          struct jb_store_row *ret, struct jb_error *err)
{
    while (i >= b->rows) {
        if (b->last) {
            return JB_E_NOTFOUND;
        }
        jb_status status = find_block(t, table, b->upper, false, b, err);
        if (status != JB_OK) {
            return status;
        }
        i = 0;
    }
    return give(b, i, ret);
}

jb_status
jb_store_seek(struct jb_store_txn *t, unsigned table, const void *key, size_t key_n,
              struct jb_store_row *ret, struct jb_error *err)
{
    struct block b;
    struct bytes k = bytes_of(key, key_n);
    jb_steps.rows++;
    jb_status status =
        t->meta.rows[table] == 0 ? JB_E_NOTFOUND : find_block(t, table, k, false, &b, err);
    return status == JB_OK ? give_from(t, table, &b, first_from(&b, k), ret, err) : status;
}

jb_status
jb_store_next(struct jb_store_txn *t, unsigned table, struct jb_store_row *row,
              struct jb_error *err)
{
    struct block b;
    jb_steps.rows++;
    /* It held when the row was given. */
    return parse(row->block, row->block_n, &b) ? give_from(t, table, &b, row->at + 1, row, err)
                                               : jb_store_damaged(t->store, "some rows", err);
}

jb_status
jb_store_before(struct jb_store_txn *t, unsigned table, const void *key, size_t key_n,
                struct jb_store_row *ret, struct jb_error *err)
{
    struct block b;
    struct bytes k = bytes_of(key, key_n);
    jb_steps.rows++;
    jb_status status = t->meta.rows[table] == 0 || key_n == 0
                           ? JB_E_NOTFOUND
                           : find_block(t, table, k, true, &b, err);
    while (status == JB_OK) {
        uint32_t i = first_from(&b, k);
        if (i > 0) {
            return give(&b, i - 1, ret);
        }
        k = b.lower;
        if (k.n == 0) {
            return JB_E_NOTFOUND; /* the first block of the table */
        }
        status = find_block(t, table, k, true, &b, err);
    }
    return status;
}

jb_status
jb_store_below(struct jb_store_txn *t, unsigned table, const void *key, size_t key_n, void *found,
               const void **value, size_t *value_n, struct jb_error *err)
{
    struct jb_store_row r;
    jb_status status = jb_store_before(t, table, key, key_n, &r, err);
    if (status != JB_OK || r.key_n != key_n) {
        return status != JB_OK ? status : JB_E_NOTFOUND;
    }
    memcpy(found, r.key, key_n);
    *value = r.value;
    *value_n = r.value_n;
    return JB_OK;
}

/* ---- writing ---- */

/* What is to be done to one key; bytes lie in the arena. */
struct change {
    size_t at;
    size_t value_n;
    uint32_t order; /* the later one of a key counts */
    uint8_t key_n;
    uint8_t table;
    bool delete;
};

struct jb_store_pending {
    JB_VEC(struct change) list;
    JB_VEC(uint8_t) arena;
    JB_VEC(uint8_t) old; /* a copy of the block that is being changed */
    JB_VEC(struct row) rows;
};

struct jb_store_pending *
jb_store_pending_new(void)
{
    return calloc(1, sizeof(struct jb_store_pending));
}

struct jb_store_pending *
jb_store_pending_free(struct jb_store_pending *p)
{
    if (p != NULL) {
        jb_vec_free(&p->list);
        jb_vec_free(&p->arena);
        jb_vec_free(&p->old);
        jb_vec_free(&p->rows);
        free(p);
    }
    return NULL;
}

static jb_status
no_memory(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM, "no memory to store what was derived from the log");
}

static jb_status
add_change(struct jb_store_pending *p, unsigned table, const void *key, size_t key_n,
           const void *value, size_t value_n, bool delete, struct jb_error *err)
{
    JB_ASSERT(p != NULL && key_n > 0 && key_n <= JB_STORE_KEY_BYTES_MAX);
    if (!jb_vec_reserve(&p->list, p->list.n + 1) ||
        !jb_vec_reserve(&p->arena, p->arena.n + key_n + value_n)) {
        return no_memory(err);
    }
    p->list.at[p->list.n] = (struct change){p->arena.n,     value_n,        (uint32_t)p->list.n,
                                            (uint8_t)key_n, (uint8_t)table, delete};
    p->list.n++;
    memcpy(p->arena.at + p->arena.n, key, key_n);
    if (value_n > 0) {
        memcpy(p->arena.at + p->arena.n + key_n, value, value_n);
    }
    p->arena.n += key_n + value_n;
    return JB_OK;
}

static jb_status
change(struct jb_store_txn *t, unsigned table, const void *key, size_t key_n, const void *value,
       size_t value_n, bool delete, struct jb_error *err)
{
    t->rows++;
    jb_steps.rows++;
    JB_ASSERT(table < t->store->schema.tables_n);
    jb_status status = add_change(t->pending, table, key, key_n, value, value_n, delete, err);
    return status == JB_OK && jb_store_pending_bytes(t->pending) >= PENDING_BYTES_MAX
               ? jb_store_apply(t, err)
               : status;
}

jb_status
jb_store_put(struct jb_store_txn *t, unsigned table, const void *key, size_t key_n,
             const void *value, size_t value_n, struct jb_error *err)
{
    return change(t, table, key, key_n, value, value_n, false, err);
}

jb_status
jb_store_del(struct jb_store_txn *t, unsigned table, const void *key, size_t key_n,
             struct jb_error *err)
{
    return change(t, table, key, key_n, NULL, 0, true, err);
}

static struct bytes
key_of(const struct jb_store_pending *p, const struct change *c)
{
    return bytes_of(p->arena.at + c->at, c->key_n);
}

static int
compare_changes(const void *a, const void *b, void *data)
{
    const struct jb_store_pending *p = data;
    const struct change *x = a, *y = b;
    if (x->table != y->table) {
        return x->table < y->table ? -1 : 1;
    }
    int order = compare(key_of(p, x), key_of(p, y));
    return order != 0 ? order : x->order < y->order ? -1 : 1;
}

/* The changes by table; within each as they came. */
static bool
sort_by_table(struct jb_store_pending *p)
{
    size_t ends[UINT8_MAX + 1] = {0}, sum = 0;
    struct change *sorted = malloc(p->list.cap * sizeof *sorted);
    if (sorted == NULL) {
        return false;
    }
    for (size_t i = 0; i < p->list.n; i++) {
        ends[p->list.at[i].table]++;
    }
    for (unsigned table = 0; table <= UINT8_MAX; table++) {
        const size_t here = ends[table];
        ends[table] = sum;
        sum += here;
    }
    for (size_t i = 0; i < p->list.n; i++) {
        sorted[ends[p->list.at[i].table]++] = p->list.at[i];
    }
    free(p->list.at);
    p->list.at = sorted;
    return true;
}

static bool
in_order(struct jb_store_pending *p)
{
    size_t i = 1;
    while (i < p->list.n && compare_changes(&p->list.at[i - 1], &p->list.at[i], p) < 0) {
        i++;
    }
    return i >= p->list.n;
}

/* What comes in order, as most does within its table, is not sorted again. */
static bool
sort_changes(struct jb_store_pending *p)
{
    if (in_order(p)) {
        return true;
    }
    if (!sort_by_table(p)) {
        return false;
    }
    if (!in_order(p)) {
        qsort_r(p->list.at, p->list.n, sizeof *p->list.at, compare_changes, p);
    }
    return true;
}

static bool
add_row(struct jb_store_pending *p, struct bytes key, struct bytes value)
{
    if (!jb_vec_reserve(&p->rows, p->rows.n + 1)) {
        return false;
    }
    p->rows.at[p->rows.n++] = (struct row){key, value};
    return true;
}

static bool
add_old(struct jb_store_pending *p, const struct row *r)
{
    return add_row(p, r->key, r->value);
}

/* The rows of b with the changes from..to, appended to p->rows. */
static bool
merge(struct jb_store_pending *p, const struct block *b, size_t from, size_t to)
{
    uint32_t i = 0;
    for (size_t c = from; c < to; c++) {
        const struct change *now = &p->list.at[c];
        struct bytes key = key_of(p, now);
        if (c + 1 < to && compare(key_of(p, now + 1), key) == 0) {
            continue;
        }
        struct row old = {0};
        for (; i < b->rows; i++) {
            old = row_of(b, i);
            if (compare(old.key, key) >= 0) {
                break;
            }
            if (!add_old(p, &old)) {
                return false;
            }
        }
        i += i < b->rows && compare(old.key, key) == 0;
        if (!now->delete &&!add_row(p, key, bytes_of(key.at + key.n, now->value_n))) {
            return false;
        }
    }
    for (; i < b->rows; i++) {
        struct row old = row_of(b, i);
        if (!add_old(p, &old)) {
            return false;
        }
    }
    return true;
}

static size_t
row_bytes(const struct row *r)
{
    return ROW_BYTES + r->key.n + r->value.n;
}

struct piece {
    unsigned table;
    struct bytes lower, upper;
    bool last;
    const struct row *rows;
    size_t rows_n;
};

static void
encode(const struct jb_store_txn *t, const struct piece *x, uint8_t *out, size_t n)
{
    memset(out, 0, B_BOUNDS);
    jb_put_be(out + B_WRITTEN, 8, t->meta.writes + 1);
    jb_put_be(out + B_GENERATION, 4, t->meta.generation);
    out[B_TABLE] = (uint8_t)x->table;
    out[B_LAST] = x->last;
    jb_put_be(out + B_ROWS, 4, x->rows_n);
    out[B_LOWER] = (uint8_t)x->lower.n;
    out[B_UPPER] = (uint8_t)(x->last ? 0 : x->upper.n);
    uint8_t *p = out + B_BOUNDS;
    if (x->lower.n > 0) {
        memcpy(p, x->lower.at, x->lower.n);
    }
    if (!x->last) {
        memcpy(p + x->lower.n, x->upper.at, x->upper.n);
    }
    p += x->lower.n + out[B_UPPER];
    uint8_t *row = p + x->rows_n * ROW_BYTES;
    for (size_t i = 0; i < x->rows_n; i++, p += ROW_BYTES) {
        const struct row *r = &x->rows[i];
        memcpy(row, r->key.at, r->key.n);
        if (r->value.n > 0) {
            memcpy(row + r->key.n, r->value.at, r->value.n);
        }
        row += r->key.n + r->value.n;
        const bool at_end = i + 1 == x->rows_n;
        JB_ASSERT(at_end || row - out <= UINT16_MAX);
        p[0] = (uint8_t)r->key.n;
        jb_put_be(p + 1, 2, at_end ? 0 : (uint64_t)(row - out));
    }
    JB_ASSERT(row == out + n &&
              p == out + B_BOUNDS + x->lower.n + out[B_UPPER] + x->rows_n * ROW_BYTES);
    jb_put_be(out + B_CHECK, 8, check_of(t->store, out, n));
}

/* A reader finds in it each row that was put there, in order and within its bounds. */
static bool
piece_reads_back(const struct piece *x, const uint8_t *at, size_t n)
{
    struct block b;
    if (!parse(at, n, &b) || b.rows != x->rows_n || compare(b.lower, x->lower) != 0 ||
        b.last != x->last || (!x->last && compare(b.upper, x->upper) != 0)) {
        return false;
    }
    for (uint32_t i = 0; i < b.rows; i++) {
        struct row r = row_of(&b, i);
        bool follows =
            i == 0 ? compare(b.lower, r.key) <= 0 : compare(row_of(&b, i - 1).key, r.key) < 0;
        if (!follows || (!b.last && compare(r.key, b.upper) >= 0) ||
            compare(r.key, x->rows[i].key) != 0 || compare(r.value, x->rows[i].value) != 0) {
            return false;
        }
    }
    return true;
}

static int
put_piece(struct jb_store_txn *t, const struct piece *x)
{
    forget_last(t); /* pages move */
    size_t n = B_BOUNDS + x->lower.n + (x->last ? 0 : x->upper.n);
    for (size_t i = 0; i < x->rows_n; i++) {
        n += row_bytes(&x->rows[i]);
    }
    uint8_t place[1 + JB_STORE_KEY_BYTES_MAX], check[CHECK_BYTES];
    MDB_val k = {place_of(x->table, x->lower, place), place}, v = {n, NULL};
    int code = n > UINT32_MAX ? MDB_BAD_VALSIZE
                              : mdb_put(t->txn, t->dbi[JB_STORE_BLOCKS], &k, &v, MDB_RESERVE);
    if (code != 0) {
        return code;
    }
    encode(t, x, v.mv_data, n);
    JB_ASSERT(!JB_CHECKS || piece_reads_back(x, v.mv_data, n));
    memcpy(check, (const uint8_t *)v.mv_data + B_CHECK, CHECK_BYTES);
    v = (MDB_val){sizeof check, check};
    return mdb_put(t->txn, t->dbi[JB_STORE_CHECKS], &k, &v, 0);
}

/* How many rows from `from` on make the next block: where rows come at the end of the table as many
 * as fit, or somewhat fewer where they will grow; else equal parts, which leave room for what comes
 * between. */
static size_t
take_rows(const struct jb_store_pending *p, size_t from, size_t room)
{
    size_t n = 0, bytes = 0;
    while (from + n < p->rows.n) {
        bytes += row_bytes(&p->rows.at[from + n]);
        if (n > 0 && bytes > room) {
            break;
        }
        n++;
    }
    return n;
}

/* p->rows in blocks from lower to upper. */
static int
put_pieces(struct jb_store_txn *t, unsigned table, struct bytes lower, struct bytes upper,
           bool last, bool appended)
{
    const struct jb_store_pending *p = t->pending;
    size_t all = 0, room = BLOCK_BYTES_MAX - B_BOUNDS - 2 * 24 - lower.n;
    for (size_t i = 0; i < p->rows.n; i++) {
        all += row_bytes(&p->rows.at[i]);
    }
    /* A little more than equal parts is still not more than there is room for. */
    const size_t most = room - room / 8;
    size_t parts = all <= room ? 1 : all / most + 1;
    if (parts > 1) {
        room = !appended ? all / parts + all / parts / 8 : t->store->schema.rows_grow ? most : room;
    }
    int code = 0;
    size_t from = 0;
    do {
        size_t n = take_rows(p, from, room);
        JB_ASSERT(n > 0 || p->rows.n == 0);
        bool ends = from + n == p->rows.n;
        struct piece x = {table,
                          lower,
                          ends ? upper : p->rows.at[from + n].key,
                          ends && last,
                          n > 0 ? p->rows.at + from : NULL,
                          n};
        code = put_piece(t, &x);
        lower = x.upper;
        from += n;
    } while (code == 0 && from < p->rows.n);
    return code;
}

static int
delete_block(struct jb_store_txn *t, unsigned table, struct bytes lower)
{
    forget_last(t);
    uint8_t place[1 + JB_STORE_KEY_BYTES_MAX];
    MDB_val k = {place_of(table, lower, place), place};
    int code = mdb_del(t->txn, t->dbi[JB_STORE_BLOCKS], &k, NULL);
    return code == 0 ? mdb_del(t->txn, t->dbi[JB_STORE_CHECKS], &k, NULL) : code;
}

/* A copy of the block that key falls into: what it holds must outlive the writing of others. */
static jb_status
copy_block(struct jb_store_txn *t, unsigned table, struct bytes key, struct block *ret,
           struct jb_error *err)
{
    struct jb_store_pending *p = t->pending;
    struct block b;
    jb_status status = find_block(t, table, key, false, &b, err);
    if (status == JB_E_NOTFOUND) {
        *ret = (struct block){.last = true};
        return JB_OK;
    }
    if (status != JB_OK) {
        return status;
    }
    if (!jb_vec_reserve(&p->old, b.n)) {
        return no_memory(err);
    }
    memcpy(p->old.at, b.at, b.n);
    return parse(p->old.at, b.n, ret) ? JB_OK : no_memory(err);
}

/* Carries out the changes from `from` on that fall into one block. A block that becomes empty goes
 * into the one behind it, so that what is deleted at the front leaves nothing behind. */
static jb_status
change_block(struct jb_store_txn *t, size_t from, size_t to, size_t *ret_next, struct jb_error *err)
{
    struct jb_store_pending *p = t->pending;
    unsigned table = p->list.at[from].table;
    uint8_t first[JB_STORE_KEY_BYTES_MAX];
    struct block b;
    jb_status status = copy_block(t, table, key_of(p, &p->list.at[from]), &b, err);
    struct bytes lower = {first, b.lower.n};
    bool taken = false; /* b is not in the file any more */
    if (status != JB_OK) {
        return status;
    }
    memcpy(first, b.lower.n > 0 ? b.lower.at : first, b.lower.n);
    for (;;) {
        size_t end = from;
        while (end < to && (b.last || compare(key_of(p, &p->list.at[end]), b.upper) < 0)) {
            end++;
        }
        p->rows.n = 0;
        if (!merge(p, &b, from, end)) {
            return no_memory(err);
        }
        if (t->meta.rows[table] < b.rows) {
            return jb_store_damaged(t->store, "rows are missing", err);
        }
        t->meta.rows[table] += p->rows.n - b.rows;
        from = end;
        if (p->rows.n > 0 || b.last) {
            break;
        }
        uint8_t upper[JB_STORE_KEY_BYTES_MAX];
        struct bytes next = {upper, b.upper.n};
        memcpy(upper, b.upper.at, b.upper.n);
        int code = taken || b.at == NULL ? 0 : delete_block(t, table, b.lower);
        status =
            code == 0 ? copy_block(t, table, next, &b, err) : jb_store_write_failed(t, code, err);
        if (status != JB_OK) {
            return status;
        }
        code = delete_block(t, table, next);
        b.lower = lower;
        if (code != 0) {
            return jb_store_write_failed(t, code, err);
        }
        taken = true;
    }
    *ret_next = from;
    bool appended = b.last && p->rows.n > 0 && from > 0 &&
                    compare(p->rows.at[p->rows.n - 1].key, key_of(p, &p->list.at[from - 1])) == 0;
    int code = put_pieces(t, table, lower, b.upper, b.last, appended);
    return code == 0 ? JB_OK : jb_store_write_failed(t, code, err);
}

jb_status
jb_store_apply(struct jb_store_txn *t, struct jb_error *err)
{
    struct jb_store_pending *p = t->pending;
    if (!sort_changes(p)) {
        return no_memory(err);
    }
    for (size_t at = 0; at < p->list.n;) {
        size_t end = at;
        while (end < p->list.n && p->list.at[end].table == p->list.at[at].table) {
            end++;
        }
        while (at < end) {
            size_t before = at;
            jb_status status = change_block(t, at, end, &at, err);
            if (status != JB_OK) {
                return status;
            }
            JB_ASSERT(at > before && at <= end); /* every change is carried out, and once */
        }
    }
    p->list.n = p->arena.n = 0;
    return JB_OK;
}

size_t
jb_store_pending_bytes(const struct jb_store_pending *p)
{
    return p->arena.n + p->list.n * sizeof *p->list.at;
}

jb_status
jb_store_pending_put(struct jb_store_pending *p, unsigned table, const void *key, size_t key_n,
                     const void *value, size_t value_n, struct jb_error *err)
{
    return add_change(p, table, key, key_n, value, value_n, false, err);
}

static void
exchange(struct jb_store_pending *a, struct jb_store_pending *b)
{
    const struct jb_store_pending was = *a;
    *a = *b;
    *b = was;
}

jb_status
jb_store_carry_out(struct jb_store_txn *t, struct jb_store_pending *p, struct jb_error *err)
{
    JB_ASSERT(jb_store_settled(t));
    t->rows += p->list.n;
    exchange(t->pending, p);
    jb_status status = jb_store_apply(t, err);
    if (t->pending != NULL) { /* a write that failed has ended t, with what it had */
        exchange(t->pending, p);
    }
    return status;
}

bool
jb_store_settled(const struct jb_store_txn *t)
{
    return t->pending != NULL && t->pending->list.n == 0 && t->pending->arena.n == 0;
}

/* ---- as a whole ---- */

static jb_status
digest_table(struct jb_store_txn *t, unsigned table, XXH3_state_t *state, struct jb_error *err)
{
    struct jb_store_row r;
    uint64_t rows = 0;
    jb_status status = jb_store_seek(t, table, NULL, 0, &r, err);
    for (; status == JB_OK; status = jb_store_next(t, table, &r, err), rows++) {
        uint8_t lengths[16];
        jb_put_be(lengths, 8, r.key_n);
        jb_put_be(lengths + 8, 8, r.value_n);
        XXH3_128bits_update(state, lengths, sizeof lengths);
        XXH3_128bits_update(state, r.key, r.key_n);
        XXH3_128bits_update(state, r.value, r.value_n);
    }
    if (status == JB_E_NOTFOUND && rows != t->meta.rows[table]) {
        return jb_store_damaged(t->store, "rows are missing", err);
    }
    return status == JB_E_NOTFOUND ? JB_OK : status;
}

jb_status
jb_store_digest(struct jb_store_txn *t, unsigned but, uint8_t ret[16], struct jb_error *err)
{
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    for (unsigned i = 0; i < t->store->schema.tables_n; i++) {
        const char *name = t->store->schema.tables[i];
        if ((but >> i & 1) != 0) {
            continue;
        }
        XXH3_128bits_update(&state, name, strlen(name) + 1);
        jb_status status = digest_table(t, i, &state, err);
        if (status != JB_OK) {
            return status;
        }
    }
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
    memcpy(ret, canonical.digest, 16);
    return JB_OK;
}
