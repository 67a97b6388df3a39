#include "storage/lmdb_tree.h"

#include "storage/lmdb_layout.h"

#include <unistd.h>

bool
jb_snapshot_of(MDB_txn *txn, const MDB_val *row, struct jb_snapshot *ret)
{
    MDB_env *env = mdb_txn_env(txn);
    MDB_stat stat;
    MDB_envinfo info;
    mdb_env_stat(env, &stat);
    mdb_env_info(env, &info);
    *ret = (struct jb_snapshot){.page_bytes = stat.ms_psize};
    if ((long)stat.ms_psize > sysconf(_SC_PAGESIZE)) {
        return true;
    }
    /* The map begins at a page of the machine's, so that each page of the file lies at a multiple
     * of its size; and it knows its number. */
    const uint8_t *at = row->mv_data;
    const uint8_t *page = at - (uintptr_t)at % stat.ms_psize;
    uint64_t mapped = info.me_mapsize / stat.ms_psize, there = (uint64_t)info.me_last_pgno + 1;
    uint64_t number = get64(page);
    ret->pages = mapped < there ? mapped : there;
    if (get16(page + PAGE_FLAGS) != P_LEAF || number >= ret->pages) {
        return false;
    }
    ret->map = page - number * stat.ms_psize;
    return true;
}

bool
jb_tree_of(const MDB_val *value, struct jb_tree *ret)
{
    if (value->mv_size != DB_BYTES) {
        return false;
    }
    struct db db = get_db(value->mv_data);
    *ret = (struct jb_tree){db.root, db.depth};
    return db.depth <= DEPTH_MAX && (db.root == NO_PAGE) == (db.depth == 0);
}

/* Where the meta page has the unnamed table, and the number of its transaction. */
#define META_MAIN (PAGE_HEADER + 72)
#define META_TXN (PAGE_HEADER + 128)

enum jb_tree_found
jb_tree_of_main(MDB_txn *txn, const MDB_val *key, struct jb_snapshot *ret_pages,
                struct jb_tree *ret)
{
    if (!jb_snapshot_of(txn, key, ret_pages) || ret_pages->map == NULL) {
        return JB_TREE_DAMAGED;
    }
    const uint64_t id = mdb_txn_id(txn);
    const uint8_t *meta = ret_pages->map + (id & 1) * ret_pages->page_bytes;
    uint8_t db[DB_BYTES];
    memcpy(db, meta + META_MAIN, sizeof db);
    MDB_val value = {sizeof db, db};
    /* The second commit behind txn takes the place of this page: its number changes last. */
    return get64(meta + META_TXN) != id ? JB_TREE_NOT_THERE
           : jb_tree_of(&value, ret)    ? JB_TREE_THERE
                                        : JB_TREE_DAMAGED;
}

/* A page on the way down, and the node there that was followed. */
struct step {
    const uint8_t *page;
    unsigned nodes, at;
};

/* The page as one of a tree, at a level where there are branches, or leaves. */
static bool
page_holds(const struct jb_snapshot *s, uint64_t number, bool branch, struct step *ret)
{
    if (number < 2 || number >= s->pages) {
        return false;
    }
    const uint8_t *page = s->map + number * s->page_bytes;
    unsigned lower = get16(page + PAGE_LOWER), upper = get16(page + PAGE_UPPER);
    unsigned least = branch ? 2 : 1;
    *ret = (struct step){page, (lower - PAGE_HEADER) / 2, 0};
    return get64(page) == number && get16(page + PAGE_FLAGS) == (branch ? P_BRANCH : P_LEAF) &&
           lower <= upper && upper <= s->page_bytes && lower % 2 == 0 &&
           lower >= PAGE_HEADER + 2 * least;
}

/* A node, whose key lies inside of the page. NULL: it does not. */
static const uint8_t *
node_of(const struct jb_snapshot *s, const struct step *p, unsigned i)
{
    unsigned at = get16(p->page + PAGE_HEADER + 2 * (size_t)i);
    if (at < PAGE_HEADER || at % 2 != 0 || at > s->page_bytes - NODE_HEADER) {
        return NULL;
    }
    const uint8_t *node = p->page + at;
    unsigned key_n = get16(node + 6);
    return key_n <= KEY_BYTES_MAX && key_n <= s->page_bytes - at - NODE_HEADER ? node : NULL;
}

static int
compare(const MDB_val *a, const uint8_t *b, size_t b_n)
{
    int order = memcmp(a->mv_data, b, a->mv_size < b_n ? a->mv_size : b_n);
    return order != 0 ? order : (a->mv_size > b_n) - (a->mv_size < b_n);
}

/* How many nodes of the page, from `low` on, have keys that are not above key (below: smaller). */
static bool
count(const struct jb_snapshot *s, const struct step *p, const MDB_val *key, bool below,
      unsigned low, unsigned *ret)
{
    unsigned high = p->nodes;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        const uint8_t *node = node_of(s, p, middle);
        if (node == NULL) {
            return false;
        }
        int order = compare(key, node + NODE_HEADER, get16(node + 6));
        if (below ? order > 0 : order >= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *ret = low;
    return true;
}

/* Goes down from steps[level - 1] to a leaf: to the last row that is not above key, or to the last
 * of all where key is NULL. The first node of a branch has no key: all that is smaller is there. */
static bool
go_down(const struct jb_snapshot *s, const struct jb_tree *t, const MDB_val *key, bool below,
        unsigned level, uint64_t page, struct step steps[DEPTH_MAX])
{
    for (; level < t->depth; level++) {
        struct step *p = &steps[level];
        bool branch = level + 1U < t->depth;
        if (!page_holds(s, page, branch, p)) {
            return false;
        }
        p->at = p->nodes;
        if (key != NULL && !count(s, p, key, below, branch, &p->at)) {
            return false;
        }
        if (branch) {
            const uint8_t *node = node_of(s, p, p->at - 1);
            if (node == NULL) {
                return false;
            }
            page = get32(node) | (uint64_t)get16(node + 4) << 32;
        }
    }
    return true;
}

/* steps[i].at counts the nodes up to the one that was followed: 0 of a leaf without such a row. The
 * one before it is then the last row of the branch's node before. */
static enum jb_tree_found
go_back(const struct jb_snapshot *s, const struct jb_tree *t, struct step steps[DEPTH_MAX])
{
    unsigned level = t->depth - 1U;
    while (level > 0 && steps[level - 1].at == 1) {
        level--;
    }
    if (level == 0) {
        return JB_TREE_NOT_THERE;
    }
    struct step *p = &steps[level - 1];
    const uint8_t *node = node_of(s, p, --p->at - 1);
    return node != NULL && go_down(s, t, NULL, false, level,
                                   get32(node) | (uint64_t)get16(node + 4) << 32, steps)
               ? JB_TREE_THERE
               : JB_TREE_DAMAGED;
}

static bool
long_value(const struct jb_snapshot *s, uint64_t page, uint32_t bytes, MDB_val *ret)
{
    uint64_t pages = overflow_pages(bytes, s->page_bytes);
    if (page < 2 || page >= s->pages || pages > s->pages - page) {
        return false;
    }
    uint8_t *at = (uint8_t *)(uintptr_t)s->map + page * s->page_bytes;
    uint32_t there = get32(at + PAGE_LOWER);
    *ret = (MDB_val){bytes, at + PAGE_HEADER};
    /* A value that got shorter in its own transaction keeps the pages that it had. */
    return get64(at) == page && get16(at + PAGE_FLAGS) == P_OVERFLOW && there >= pages &&
           there <= s->pages - page;
}

static bool
row_of(const struct jb_snapshot *s, const struct step *leaf, MDB_val *ret_key, MDB_val *ret_value)
{
    const uint8_t *node = node_of(s, leaf, leaf->at - 1);
    if (node == NULL) {
        return false;
    }
    uint8_t *key = (uint8_t *)(uintptr_t)node + NODE_HEADER;
    size_t room = s->page_bytes - (size_t)(key - leaf->page);
    uint32_t bytes = get16(node) | (uint32_t)get16(node + 2) << 16;
    unsigned key_n = get16(node + 6), flags = get16(node + 4);
    *ret_key = (MDB_val){key_n, key};
    if (flags == N_BIGDATA) {
        return room - key_n >= 8 && long_value(s, get64(key + key_n), bytes, ret_value);
    }
    *ret_value = (MDB_val){bytes, key + key_n};
    return flags == 0 && bytes <= room - key_n;
}

enum jb_tree_found
jb_tree_last(const struct jb_snapshot *s, const struct jb_tree *t, const MDB_val *key, bool below,
             MDB_val *ret_key, MDB_val *ret_value)
{
    struct step steps[DEPTH_MAX];
    if (t->depth == 0) {
        return JB_TREE_NOT_THERE;
    }
    if (!go_down(s, t, key, below, 0, t->root, steps)) {
        return JB_TREE_DAMAGED;
    }
    const struct step *leaf = &steps[t->depth - 1];
    enum jb_tree_found found = leaf->at > 0 ? JB_TREE_THERE : go_back(s, t, steps);
    return found == JB_TREE_THERE && !row_of(s, leaf, ret_key, ret_value) ? JB_TREE_DAMAGED : found;
}

enum jb_tree_found
jb_tree_get(const struct jb_snapshot *s, const struct jb_tree *t, const MDB_val *key,
            MDB_val *ret_value)
{
    MDB_val found_key;
    enum jb_tree_found found = jb_tree_last(s, t, key, false, &found_key, ret_value);
    return found == JB_TREE_THERE && compare(key, found_key.mv_data, found_key.mv_size) != 0
               ? JB_TREE_NOT_THERE
               : found;
}
