/*
 * Which names stand more than once in a log (state/repeats.h): found before the log is folded, so
 * that the fold keeps those alone and an audit's memory does not grow with the log.
 *
 * The log is gone through from two places at once. Each name goes to one of 256 parts by its first
 * bits; what a part holds beyond a block goes into a temporary file, which has no name (TMPDIR).
 * Then each part is searched for names that it has twice, one in memory at a time. Pages are looked
 * at before they are followed: what LMDB does with damaged ones is left to the scan, behind what
 * it finds before them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/threads.h"
#include "replay/audit.h"
#include "storage/descriptors.h"
#include "storage/lmdb_tree.h"
#include "storage/passed.h"

#define PARTS 256
#define WALKERS 2

/* Builds for tests meet all of it with little. */
struct jb_audit_limits jb_audit_limits = {
    .block_names = JB_CHECKS ? 8 : 2048,
    .events_of_two = JB_CHECKS ? 64 : 65536,
};

struct part {
    uint64_t *block; /* of block_names; NULL: it has no names yet */
    unsigned n;
    JB_VEC(uint32_t) blocks; /* of the file */
};

/* Why going through the log ended. */
enum ended {
    AT_ITS_END,
    AT_DAMAGE,   /* bytes that are no frame or no event: nobody folds beyond them */
    AT_ITS_PAGES /* a page that LMDB may see otherwise, or a frame that is not there */
};

struct counting;

struct walker {
    struct counting *c;
    pthread_t thread;
    jb_seq first, end; /* the frames from first on that begin before end */
    struct part parts[PARTS];
    struct jb_event_space space;
    enum ended ended;
    struct jb_repeats repeats; /* of its share of the parts */
    bool no_memory;
};

struct counting {
    const struct jb_state *b; /* only what never changes is read of it */
    struct jb_snapshot pages;
    struct jb_tree tree;
    struct walker walkers[WALKERS];
    unsigned n;
    pthread_mutex_t lock; /* of making the file */
    int fd;
    _Atomic uint32_t blocks;
    _Atomic int failed; /* errno of the file's; 0: none */
};

/* ---- the temporary file ---- */

static int
temporary_in(const char *dir)
{
    char path[4096];
    int fd = jb_descriptor_open(dir, O_RDWR | O_TMPFILE | O_EXCL, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) {
        return fd;
    }
    for (unsigned i = 0; i < 100; i++) { /* a file system without such files */
        snprintf(path, sizeof path, "%s/jangbu-audit-%ld-%u", dir, (long)getpid(), i);
        fd = jb_descriptor_open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd >= 0) {
            unlink(path);
        }
        if (fd >= 0 || errno != EEXIST) {
            return fd;
        }
    }
    return -1;
}

static int
temporary(void)
{
    const char *dir = secure_getenv("TMPDIR");
    return temporary_in(dir != NULL && dir[0] != '\0' ? dir : "/tmp");
}

static void
file_failed(struct counting *c, int code)
{
    atomic_store(&c->failed, code != 0 ? code : EIO);
}

/* False: there is none. */
static bool
have_file(struct counting *c)
{
    pthread_mutex_lock(&c->lock);
    if (c->fd < 0 && atomic_load(&c->failed) == 0) {
        c->fd = temporary();
        if (c->fd < 0) {
            file_failed(c, errno);
        }
    }
    bool there = c->fd >= 0;
    pthread_mutex_unlock(&c->lock);
    return there;
}

static off_t
place_of(uint32_t block)
{
    return (off_t)((uint64_t)block * jb_audit_limits.block_names * sizeof(uint64_t));
}

static bool
write_block(struct counting *c, uint32_t block, const uint64_t *names)
{
    const uint8_t *at = (const uint8_t *)names;
    for (size_t done = 0, n = jb_audit_limits.block_names * sizeof *names; done < n;) {
        ssize_t got = pwrite(c->fd, at + done, n - done, place_of(block) + (off_t)done);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            file_failed(c, got < 0 ? errno : EIO);
            return false;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static bool
read_block(struct counting *c, uint32_t block, uint64_t *ret)
{
    uint8_t *at = (uint8_t *)ret;
    for (size_t done = 0, n = jb_audit_limits.block_names * sizeof *ret; done < n;) {
        ssize_t got = pread(c->fd, at + done, n - done, place_of(block) + (off_t)done);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            file_failed(c, got < 0 ? errno : EIO);
            return false;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

/* ---- through the log ---- */

static bool
spill(struct walker *w, struct part *p)
{
    struct counting *c = w->c;
    if (!jb_vec_reserve(&p->blocks, p->blocks.n + 1)) {
        w->no_memory = true;
        return false;
    }
    uint32_t block = atomic_fetch_add(&c->blocks, 1);
    if (!have_file(c) || !write_block(c, block, p->block)) {
        return false;
    }
    p->blocks.at[p->blocks.n++] = block;
    p->n = 0;
    return true;
}

static bool
put(struct walker *w, uint64_t name)
{
    struct part *p = &w->parts[name >> 56];
    if (p->block == NULL) {
        p->block = malloc(jb_audit_limits.block_names * sizeof *p->block);
        w->no_memory |= p->block == NULL;
    }
    if (p->block == NULL || (p->n == jb_audit_limits.block_names && !spill(w, p))) {
        return false;
    }
    p->block[p->n++] = name;
    return true;
}

/* False: it cannot go on. */
static bool
names_of_frame(struct walker *w, const struct jb_frame *f)
{
    const struct jb_state *b = w->c->b;
    struct jb_event_context context = {f->base, b->identity.utc_offset_s};
    size_t at = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        struct jb_decode_failure failure;
        struct jb_event e;
        struct jb_event_usual usual;
        uint64_t names[JB_EVENT_NAMES_MAX];
        size_t n = jb_event_usual(f->events + at, f->bytes - at, f->first + i, &context, &usual);
        if (n != 0) {
            at += n;
            if (usual.key.s != NULL &&
                !put(w, jb_name(JB_NAMED_KEY, jb_state_key_hash(b, usual.caller, usual.key)))) {
                return false;
            }
            continue;
        }
        n = jb_event_decode(f->events + at, f->bytes - at, f->first + i, &context, &e, &w->space,
                            &failure);
        if (n == 0) {
            w->no_memory |= failure.no_memory;
            w->ended = AT_DAMAGE;
            return false;
        }
        at += n;
        n = jb_event_names(b, &e, names);
        for (size_t k = 0; k < n; k++) {
            if (!put(w, names[k])) {
                return false;
            }
        }
    }
    return true;
}

static void *
walk(void *data)
{
    struct walker *w = data;
    struct counting *c = w->c;
    struct jb_passed passed = {0};
    bool goes_on = true;
    for (jb_seq next = w->first; goes_on && next < w->end && atomic_load(&c->failed) == 0;) {
        uint8_t bytes[8];
        struct jb_frame f;
        struct jb_frame_failure failure;
        jb_put_be(bytes, 8, next);
        MDB_val key = {sizeof bytes, bytes}, value;
        if (jb_tree_get(&c->pages, &c->tree, &key, &value) != JB_TREE_THERE) {
            w->ended = AT_ITS_PAGES;
            return NULL;
        }
        if (!jb_frame_parse(next, value.mv_data, value.mv_size, &f, &failure)) {
            w->ended = AT_DAMAGE;
            return NULL;
        }
        goes_on = names_of_frame(w, &f);
        next += f.count;
        jb_passed(&passed, value.mv_data, value.mv_size);
    }
    return NULL;
}

/* ---- what stands there twice ---- */

/* The names of a part that were seen, in a table of their own. */
struct seen {
    uint64_t *slots; /* 0: free */
    size_t mask, room;
};

static bool
clear_seen(struct seen *s, size_t names)
{
    size_t slots = 64;
    while (slots < 2 * names) {
        slots *= 2;
    }
    if (slots > s->room) {
        free(s->slots);
        s->slots = malloc(slots * sizeof *s->slots);
        s->room = s->slots != NULL ? slots : 0;
    }
    if (s->slots == NULL) {
        return false;
    }
    memset(s->slots, 0, slots * sizeof *s->slots);
    s->mask = slots - 1;
    return true;
}

static bool
see(struct walker *w, struct seen *s, const uint64_t *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = names[i] & s->mask;
        while (s->slots[at] != 0 && s->slots[at] != names[i]) {
            at = (at + 1) & s->mask;
        }
        if (s->slots[at] != 0 && !jb_repeats_add(&w->repeats, names[i])) {
            return false;
        }
        s->slots[at] = names[i];
    }
    return true;
}

static bool
see_part(struct walker *w, struct seen *s, unsigned part, uint64_t *block)
{
    struct counting *c = w->c;
    size_t names = 0;
    for (unsigned i = 0; i < c->n; i++) {
        names += c->walkers[i].parts[part].n +
                 c->walkers[i].parts[part].blocks.n * jb_audit_limits.block_names;
    }
    bool memory = clear_seen(s, names), read = true;
    for (unsigned i = 0; i < c->n && memory && read; i++) {
        const struct part *p = &c->walkers[i].parts[part];
        memory = see(w, s, p->block, p->n);
        for (size_t k = 0; k < p->blocks.n && memory && read; k++) {
            read = read_block(c, p->blocks.at[k], block);
            memory = !read || see(w, s, block, jb_audit_limits.block_names);
        }
    }
    w->no_memory |= !memory;
    return memory && read;
}

static void *
search(void *data)
{
    struct walker *w = data;
    struct counting *c = w->c;
    struct seen seen = {0};
    uint64_t *block = malloc(jb_audit_limits.block_names * sizeof *block);
    bool ok = block != NULL;
    w->no_memory |= !ok;
    for (unsigned part = (unsigned)(w - c->walkers); part < PARTS && ok; part += c->n) {
        ok = see_part(w, &seen, part, block);
    }
    free(seen.slots);
    free(block);
    return NULL;
}

/* ---- both ---- */

/* By all walkers at once, the caller's thread among them. */
static void
by_all(struct counting *c, void *(*work)(void *data))
{
    bool started[WALKERS] = {false};
    for (unsigned i = 1; i < c->n; i++) {
        started[i] = jb_thread_start(&c->walkers[i].thread, work, &c->walkers[i]);
    }
    work(&c->walkers[0]);
    for (unsigned i = 1; i < c->n; i++) {
        if (started[i]) {
            pthread_join(c->walkers[i].thread, NULL);
        } else {
            work(&c->walkers[i]);
        }
    }
}

/* Who goes from where to where. False: its pages do not say. */
static bool
share(struct counting *c)
{
    uint8_t bytes[8];
    struct jb_frame f;
    struct jb_frame_failure failure;
    MDB_val key = {sizeof bytes, bytes}, found, value;
    jb_put_be(bytes, 8, UINT64_MAX);
    if (jb_tree_last(&c->pages, &c->tree, &key, false, &found, &value) != JB_TREE_THERE ||
        found.mv_size != 8) {
        return false;
    }
    jb_seq last = jb_get_be(found.mv_data, 8), middle = last / 2;
    uint64_t end = jb_frame_parse(last, value.mv_data, value.mv_size, &f, &failure) ? last + f.count
                                                                                    : last + 1;
    c->n = 1;
    c->walkers[0].first = 1;
    c->walkers[0].end = end;
    if (last < jb_audit_limits.events_of_two) {
        return true;
    }
    jb_put_be(bytes, 8, middle);
    if (jb_tree_last(&c->pages, &c->tree, &key, false, &found, &value) != JB_TREE_THERE ||
        found.mv_size != 8) {
        return false;
    }
    c->n = 2;
    c->walkers[0].end = c->walkers[1].first = jb_get_be(found.mv_data, 8);
    c->walkers[1].end = end;
    return true;
}

static bool
collect(struct counting *c, struct jb_repeats *ret)
{
    bool ok = true;
    for (unsigned i = 0; i < c->n && ok; i++) {
        const struct jb_repeats *r = &c->walkers[i].repeats;
        for (size_t k = 0; r->slots != NULL && k <= r->mask && ok; k++) {
            ok = r->slots[k] == 0 || jb_repeats_add(ret, r->slots[k]);
        }
    }
    return ok;
}

static void
end(struct counting *c)
{
    for (unsigned i = 0; i < WALKERS; i++) {
        struct walker *w = &c->walkers[i];
        for (unsigned k = 0; k < PARTS; k++) {
            free(w->parts[k].block);
            jb_vec_free(&w->parts[k].blocks);
        }
        jb_event_space_free(&w->space);
        jb_repeats_free(&w->repeats);
    }
    if (c->fd >= 0) {
        close(c->fd);
    }
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static jb_status
outcome(struct counting *c, enum jb_names_found *ret_found, int *ret_errno, struct jb_error *err)
{
    bool no_memory = false, pages = false;
    for (unsigned i = 0; i < c->n; i++) {
        no_memory |= c->walkers[i].no_memory;
        pages |= c->walkers[i].ended == AT_ITS_PAGES;
    }
    *ret_errno = atomic_load(&c->failed);
    *ret_found = *ret_errno != 0 ? JB_NAMES_NO_ROOM : pages ? JB_NAMES_UNKNOWN : JB_NAMES_KNOWN;
    return no_memory ? jb_fail(err, JB_E_NOMEM, "no memory to look for what repeats in the log")
                     : JB_OK;
}

jb_status
jb_audit_names(const struct jb_state *b, MDB_txn *txn, const MDB_val *key, struct jb_repeats *ret,
               enum jb_names_found *ret_found, int *ret_errno, struct jb_error *err)
{
    struct counting *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory to look for what repeats in the log");
    }
    c->b = b;
    c->fd = -1;
    pthread_mutex_init(&c->lock, NULL);
    for (unsigned i = 0; i < WALKERS; i++) {
        c->walkers[i].c = c;
    }
    *ret_found = JB_NAMES_UNKNOWN;
    jb_status status = JB_OK;
    if (jb_tree_of_main(txn, key, &c->pages, &c->tree) == JB_TREE_THERE && share(c)) {
        by_all(c, walk);
        status = outcome(c, ret_found, ret_errno, err);
    }
    if (status == JB_OK && *ret_found == JB_NAMES_KNOWN) {
        by_all(c, search);
        status = outcome(c, ret_found, ret_errno, err);
    }
    if (status == JB_OK && *ret_found == JB_NAMES_KNOWN && !collect(c, ret)) {
        status = jb_fail(err, JB_E_NOMEM, "no memory to look for what repeats in the log");
    }
    end(c);
    return status;
}
