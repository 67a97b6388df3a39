#include "storage/lmdb_pages.h"

#include "base/steps.h"
#include "storage/descriptors.h"
#include "storage/lmdb_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define META_MAGIC UINT32_C(0xbeefc0de)

struct meta {
    uint32_t page_bytes;
    struct db free, main;
    uint64_t last, txn_id;
};

static bool
read_whole(int fd, uint8_t *bytes, size_t n, uint64_t at)
{
    jb_steps.pages++;
    for (size_t have = 0; have < n;) {
        ssize_t got = pread(fd, bytes + have, n - have, (off_t)(at + have));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        have += (size_t)got;
    }
    return true;
}

/* ---- meta pages ---- */

static bool
is_meta(const uint8_t *page, uint64_t number, struct meta *ret)
{
    const uint8_t *m = page + PAGE_HEADER;
    if (get64(page) != number || get16(page + 10) != P_META || get32(m) != META_MAGIC ||
        get32(m + 4) != 1) {
        return false;
    }
    *ret = (struct meta){get32(m + 24), get_db(m + 24), get_db(m + 72), get64(m + 120),
                         get64(m + 128)};
    uint32_t bytes = ret->page_bytes;
    return bytes >= 512 && bytes <= PAGE_BYTES_MAX && (bytes & (bytes - 1)) == 0;
}

static bool
root_fits(const struct db *db, uint64_t last)
{
    return db->root == NO_PAGE || (db->root >= 2 && db->root <= last);
}

static bool
meta_fits(const struct meta *m, uint64_t file_bytes)
{
    return m->last >= 1 && m->last < file_bytes / m->page_bytes && root_fits(&m->free, m->last) &&
           root_fits(&m->main, m->last);
}

static enum jb_pages_found
look_at_metas(int fd, struct meta ret[2])
{
    uint8_t page[PAGE_HEADER + 136];
    struct stat st;
    if (!read_whole(fd, page, sizeof page, 0)) {
        return JB_PAGES_DAMAGED;
    }
    if (!is_meta(page, 0, &ret[0]) || !read_whole(fd, page, sizeof page, ret[0].page_bytes) ||
        !is_meta(page, 1, &ret[1]) || ret[1].page_bytes != ret[0].page_bytes) {
        return JB_PAGES_DAMAGED;
    }
    /* The size behind the claim: a writer makes the file longer first and claims it then. */
    if (fstat(fd, &st) != 0) {
        return JB_PAGES_UNKNOWN;
    }
    uint64_t bytes = (uint64_t)st.st_size;
    /* Only the newer one is in use: a fault while it was written leaves anything in the other. */
    const struct meta *newer = &ret[ret[1].txn_id > ret[0].txn_id];
    return meta_fits(newer, bytes) ? JB_PAGES_SOUND : JB_PAGES_DAMAGED;
}

static enum jb_pages_found
open_file(const char *path, int *ret_fd)
{
    struct stat st;
    *ret_fd = jb_descriptor_open(path, O_RDONLY, 0);
    if (*ret_fd < 0) {
        return errno == ENOENT ? JB_PAGES_SOUND : JB_PAGES_UNKNOWN;
    }
    /* LMDB begins a file with two pages; less than that it refuses, or it was never finished. */
    if (fstat(*ret_fd, &st) == 0 && st.st_size < 2 * sysconf(_SC_PAGESIZE)) {
        close(*ret_fd);
        *ret_fd = -1;
        return JB_PAGES_SOUND;
    }
    return JB_PAGES_SOUND;
}

enum jb_pages_found
jb_pages_look_at_metas(const char *path)
{
    int fd;
    struct meta metas[2];
    enum jb_pages_found found = open_file(path, &fd);
    if (fd >= 0) {
        found = look_at_metas(fd, metas);
        close(fd);
    }
    return found;
}

/* ---- trees ---- */

enum jb_pages_depth {
    NAMES,    /* not what lies in the tables, and not the free pages */
    BRANCHES, /* not the leaves of the tables */
    LEAVES
};

struct walk {
    int fd;
    uint32_t page_bytes;
    uint64_t last;
    uint8_t *seen;   /* a bit a page */
    uint8_t *levels; /* a page for each level */
    bool no_memory;
    enum jb_pages_depth depth;
};

enum kind { FREE_TREE, MAIN_TREE, NAMED_TREE };

struct tree {
    enum kind kind;
    struct db counted;
    uint16_t depth;
};

/* False: no such page, or it is reached twice. */
static bool
take(struct walk *w, uint64_t page)
{
    if (page < 2 || page > w->last || (w->seen[page / 8] >> page % 8 & 1) != 0) {
        return false;
    }
    w->seen[page / 8] |= (uint8_t)(1U << page % 8);
    return true;
}

static bool walk_tree(struct walk *w, enum kind kind, const struct db *db);

static bool
overflow_holds(struct walk *w, uint64_t page, uint32_t bytes, uint64_t *ret_pages)
{
    uint8_t header[PAGE_HEADER];
    if (page > w->last || !read_whole(w->fd, header, sizeof header, page * w->page_bytes) ||
        get64(header) != page || get16(header + 10) != P_OVERFLOW) {
        return false;
    }
    /* A value that got shorter in its own transaction keeps the pages that it had. */
    uint64_t pages = get32(header + 12);
    if (pages < overflow_pages(bytes, w->page_bytes)) {
        return false;
    }
    for (uint64_t i = 0; i < pages; i++) {
        if (!take(w, page + i)) {
            return false;
        }
    }
    *ret_pages = pages;
    return true;
}

/* A list of free pages: a count, then page numbers from the highest down. */
static bool
free_list_holds(struct walk *w, const uint8_t *list, size_t n)
{
    uint64_t count = n >= 8 ? get64(list) : UINT64_MAX, above = UINT64_MAX;
    if (n % 8 != 0 || count > n / 8 - 1) {
        return false;
    }
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t page = get64(list + i * 8);
        if (page >= above || !take(w, page)) {
            return false;
        }
        above = page;
    }
    return true;
}

static bool
free_value_holds(struct walk *w, const uint8_t *data, uint32_t bytes, bool big)
{
    if (!big) {
        return free_list_holds(w, data, bytes);
    }
    uint8_t *list = malloc(bytes);
    w->no_memory |= list == NULL;
    bool ok = list != NULL &&
              read_whole(w->fd, list, bytes, get64(data) * w->page_bytes + PAGE_HEADER) &&
              free_list_holds(w, list, bytes);
    free(list);
    return ok;
}

static bool
leaf_value_holds(struct walk *w, struct tree *t, const uint8_t *node, const uint8_t *data,
                 uint32_t bytes)
{
    uint16_t flags = get16(node + 4);
    if (flags == N_SUBDATA && t->kind == MAIN_TREE && bytes == DB_BYTES) {
        struct db db = get_db(data);
        return db.pad == 0 && db.flags == 0 && (w->depth == NAMES || walk_tree(w, NAMED_TREE, &db));
    }
    if (flags != 0 && flags != N_BIGDATA) {
        return false;
    }
    uint64_t pages = 0;
    if (flags == N_BIGDATA && !overflow_holds(w, get64(data), bytes, &pages)) {
        return false;
    }
    t->counted.overflow += pages;
    return t->kind != FREE_TREE || free_value_holds(w, data, bytes, flags == N_BIGDATA);
}

static int
compare_keys(enum kind kind, const uint8_t *a, uint16_t a_n, const uint8_t *b, uint16_t b_n)
{
    if (kind == FREE_TREE) {
        return get64(a) < get64(b) ? -1 : get64(a) > get64(b);
    }
    int order = memcmp(a, b, a_n < b_n ? a_n : b_n);
    return order != 0 ? order : a_n < b_n ? -1 : a_n > b_n;
}

static bool walk_page(struct walk *w, struct tree *t, uint64_t page, uint16_t level);

/* One node: its bounds, and what it leads to. *ret_bytes: what it takes of the page. */
static bool
node_holds(struct walk *w, struct tree *t, const uint8_t *page, uint16_t at, bool branch,
           uint16_t level, bool first, uint32_t *ret_bytes)
{
    const uint8_t *node = page + at;
    uint16_t key_n = get16(node + 6);
    uint32_t bytes = get16(node) | (uint32_t)get16(node + 2) << 16;
    uint32_t room = w->page_bytes - at - NODE_HEADER;
    if (key_n > KEY_BYTES_MAX || key_n > room || (key_n == 0 && !(branch && first)) ||
        (t->kind == FREE_TREE && key_n != 8 && !(branch && first))) {
        return false;
    }
    if (branch) {
        *ret_bytes = NODE_HEADER + key_n;
        return walk_page(w, t, bytes | (uint64_t)get16(node + 4) << 32, (uint16_t)(level + 1));
    }
    uint32_t inside = (get16(node + 4) & N_BIGDATA) != 0 ? 8 : bytes;
    if (inside > room - key_n) {
        return false;
    }
    *ret_bytes = NODE_HEADER + key_n + inside;
    t->counted.entries++;
    return leaf_value_holds(w, t, node, node + NODE_HEADER + key_n, bytes);
}

static bool
nodes_hold(struct walk *w, struct tree *t, const uint8_t *page, uint16_t lower, uint16_t upper,
           bool branch, uint16_t level)
{
    uint32_t taken = 0;
    unsigned n = (lower - PAGE_HEADER) / 2U;
    const uint8_t *before = NULL;
    for (unsigned i = 0; i < n; i++) {
        uint16_t at = get16(page + PAGE_HEADER + 2 * i);
        uint32_t bytes = 0;
        if (at < upper || at % 2 != 0 || at > w->page_bytes - NODE_HEADER ||
            !node_holds(w, t, page, at, branch, level, i == 0, &bytes)) {
            return false;
        }
        const uint8_t *node = page + at;
        /* The first key of a branch page is not looked at. */
        bool in_order = before == NULL || (branch && i == 1) ||
                        compare_keys(t->kind, before + NODE_HEADER, get16(before + 6),
                                     node + NODE_HEADER, get16(node + 6)) < 0;
        if (!in_order) {
            return false;
        }
        before = node;
        taken += (bytes + 1) & ~UINT32_C(1);
    }
    return taken == w->page_bytes - upper;
}

static bool
leaves_are_left_out(const struct walk *w, enum kind kind, uint16_t depth)
{
    return w->depth == BRANCHES && kind == NAMED_TREE && depth > 1;
}

static bool
walk_page(struct walk *w, struct tree *t, uint64_t number, uint16_t level)
{
    if (level > t->depth || level > DEPTH_MAX || !take(w, number)) {
        return false;
    }
    if (level == t->depth && leaves_are_left_out(w, t->kind, t->depth)) {
        t->counted.leaf++;
        return true;
    }
    uint8_t *page = w->levels + (size_t)(level - 1) * w->page_bytes;
    if (!read_whole(w->fd, page, w->page_bytes, number * w->page_bytes) || get64(page) != number) {
        return false;
    }
    uint16_t flags = get16(page + 10), lower = get16(page + 12), upper = get16(page + 14);
    bool branch = flags == P_BRANCH;
    unsigned least = branch ? 2 : 1;
    if ((!branch && flags != P_LEAF) || branch != (level < t->depth) || lower > upper ||
        upper > w->page_bytes || lower % 2 != 0 || lower < PAGE_HEADER + 2 * least) {
        return false;
    }
    *(branch ? &t->counted.branch : &t->counted.leaf) += 1;
    return nodes_hold(w, t, page, lower, upper, branch, level);
}

static bool
walk_tree(struct walk *w, enum kind kind, const struct db *db)
{
    struct tree t = {.kind = kind, .depth = db->depth};
    if (db->depth > DEPTH_MAX || (db->root == NO_PAGE) != (db->depth == 0)) {
        return false;
    }
    /* A tree inside a value of another one has levels of its own. */
    uint8_t *levels = w->levels;
    w->levels = malloc((size_t)db->depth * w->page_bytes + 1);
    w->no_memory |= w->levels == NULL;
    bool ok = w->levels != NULL && (db->root == NO_PAGE || walk_page(w, &t, db->root, 1));
    free(w->levels);
    w->levels = levels;
    return ok && t.counted.branch == db->branch && t.counted.leaf == db->leaf &&
           (leaves_are_left_out(w, kind, db->depth) ||
            (t.counted.overflow == db->overflow && t.counted.entries == db->entries));
}

static enum jb_pages_found
walk_snapshot(int fd, const struct meta *m, enum jb_pages_depth depth)
{
    struct walk w = {.fd = fd, .page_bytes = m->page_bytes, .last = m->last, .depth = depth};
    w.seen = calloc(1, m->last / 8 + 1);
    if (w.seen == NULL) {
        return JB_PAGES_UNKNOWN;
    }
    /* The unnamed table has no flags here. The free list's keys are numbers, and beside that flag
     * stand those of the environment: that the file is no directory. */
    bool ok = m->main.flags == 0 && m->main.pad == 0 &&
              m->free.flags == (MDB_INTEGERKEY | MDB_NOSUBDIR) &&
              walk_tree(&w, MAIN_TREE, &m->main) &&
              (depth == NAMES || walk_tree(&w, FREE_TREE, &m->free));
    free(w.seen);
    return ok ? JB_PAGES_SOUND : w.no_memory ? JB_PAGES_UNKNOWN : JB_PAGES_DAMAGED;
}

static uint64_t
file_bytes(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static enum jb_pages_found
look(const char *path, uint64_t txn_id, bool only_names, uint64_t leaves_of_bytes_max)
{
    int fd;
    struct meta metas[2];
    enum jb_pages_found found = open_file(path, &fd);
    if (fd < 0) {
        return found;
    }
    found = look_at_metas(fd, metas);
    const struct meta *m = &metas[txn_id & 1];
    if (found == JB_PAGES_SOUND) {
        const enum jb_pages_depth depth = only_names ? NAMES
                                          : m->last * m->page_bytes < leaves_of_bytes_max
                                              ? LEAVES
                                              : BRANCHES;
        /* A later one stands there: others write at the same time, so nothing can be told. */
        found = m->txn_id > txn_id                                    ? JB_PAGES_UNKNOWN
                : m->txn_id == txn_id && meta_fits(m, file_bytes(fd)) ? walk_snapshot(fd, m, depth)
                                                                      : JB_PAGES_DAMAGED;
    }
    close(fd);
    return found;
}

enum jb_pages_found
jb_pages_look_at_all(const char *path, uint64_t txn_id, uint64_t leaves_of_bytes_max)
{
    return look(path, txn_id, false, leaves_of_bytes_max);
}

enum jb_pages_found
jb_pages_look_at_names(const char *path, uint64_t txn_id)
{
    return look(path, txn_id, true, 0);
}
