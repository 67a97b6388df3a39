/* Reading runs. Every page is read whole and is held against its check before it is looked into:
 * once while it is in the pool, which nobody else can change. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runs/run.h"
#include "storage/descriptors.h"

/* Two MiB, so that pages of that size can be had for them: what is looked for lies anywhere. */
#define SLAB_FRAMES 512
#define SLAB_BYTES ((size_t)SLAB_FRAMES * JB_RUN_PAGE_BYTES)
/* Who looks at little does not take them. */
#define SLABS_SMALL 4

void
jb_run_name(const struct jb_run_range *r, char ret[JB_RUN_NAME_BYTES])
{
    snprintf(ret, JB_RUN_NAME_BYTES, "%08" PRIx32 "-%016" PRIx64 "-%016" PRIx64 ".run",
             r->generation, (uint64_t)r->first, (uint64_t)r->last);
}

static bool
hexadecimal(const char *s, unsigned n, uint64_t *ret)
{
    *ret = 0;
    for (unsigned i = 0; i < n; i++) {
        const char *digits = "0123456789abcdef", *at = s[i] != 0 ? strchr(digits, s[i]) : NULL;
        if (at == NULL) {
            return false;
        }
        *ret = *ret << 4 | (uint64_t)(at - digits);
    }
    return true;
}

bool
jb_run_name_read(const char *name, struct jb_run_range *ret)
{
    uint64_t generation;
    if (strlen(name) != 8 + 1 + 16 + 1 + 16 + 4 || name[8] != '-' || name[25] != '-' ||
        strcmp(name + 42, ".run") != 0 || !hexadecimal(name, 8, &generation) ||
        !hexadecimal(name + 9, 16, &ret->first) || !hexadecimal(name + 26, 16, &ret->last)) {
        return false;
    }
    ret->generation = (uint32_t)generation;
    return ret->first >= 1 && ret->first <= ret->last;
}

void
jb_run_name_new(uint64_t file, char ret[JB_RUN_NAME_BYTES])
{
    snprintf(ret, JB_RUN_NAME_BYTES, "%016" PRIx64 ".new", file);
}

bool
jb_run_name_new_read(const char *name, uint64_t *ret)
{
    return strlen(name) == 16 + 4 && hexadecimal(name, 16, ret) && strcmp(name + 16, ".new") == 0;
}

jb_status
jb_run_read_pages(const struct jb_run *r, uint64_t no, size_t n, uint8_t *ret)
{
    size_t want = n * JB_RUN_PAGE_BYTES, have = 0;
    if (no + n > r->pages) {
        return JB_E_STALE;
    }
    while (have < want) {
        ssize_t got = pread(r->fd, ret + have, want - have, (off_t)(no * JB_RUN_PAGE_BYTES + have));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 && errno == ENOMEM ? JB_E_NOMEM : JB_E_STALE;
        }
        have += (size_t)got;
    }
    for (size_t i = 0; i < n; i++) {
        if (!jb_run_page_holds(ret + i * JB_RUN_PAGE_BYTES, r->file, no + i)) {
            return JB_E_STALE;
        }
    }
    return JB_OK;
}

static bool
read_header(struct jb_run *r, const struct jb_run_place *place, const struct jb_run_range *range,
            const uint8_t *page, uint64_t file_bytes)
{
    if (!jb_run_page_holds(page, jb_get_le(place->ledger_id, 8), 0) ||
        memcmp(page + 8, "jangbuR1", 8) != 0 || memcmp(page + 16, place->ledger_id, 16) != 0) {
        return false;
    }
    r->file = jb_get_le(page + 32, 8);
    r->range.generation = (uint32_t)jb_get_le(page + 40, 8);
    r->range.first = jb_get_le(page + 48, 8);
    r->range.last = jb_get_le(page + 56, 8);
    memcpy(r->range.chain, page + 64, 16);
    r->rows = jb_get_le(page + 80, 8);
    r->lines = jb_get_le(page + 88, 8);
    r->pages = jb_get_le(page + 96, 8);
    r->root = jb_get_le(page + 104, 8);
    r->levels = (unsigned)jb_get_le(page + 112, 8) + 1;
    r->filter_pages = (r->lines + JB_FILTER_LINES_OF_PAGE - 1) / JB_FILTER_LINES_OF_PAGE;
    return r->range.generation == range->generation && r->range.first == range->first &&
           r->range.last == range->last && r->pages * JB_RUN_PAGE_BYTES == file_bytes &&
           r->pages < UINT32_MAX && r->levels <= JB_RUN_LEVELS_MAX && r->lines > 0 &&
           r->filter_pages < r->root && r->root < r->pages;
}

static jb_status
open_file(const struct jb_run_place *place, const struct jb_run_range *range, struct jb_run *r)
{
    char name[JB_RUN_NAME_BYTES];
    uint8_t page[JB_RUN_PAGE_BYTES];
    struct stat st;
    jb_run_name(range, name);
    r->fd = jb_descriptor_open_at(place->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (r->fd < 0) {
        bool short_of = errno != ENOENT && jb_run_errno() == JB_E_NOMEM;
        return errno == ENOENT ? JB_E_NOTFOUND : short_of ? JB_E_NOMEM : JB_E_STALE;
    }
    ssize_t got;
    do {
        got = pread(r->fd, page, sizeof page, 0);
    } while (got < 0 && errno == EINTR);
    return got == sizeof page && fstat(r->fd, &st) == 0 && S_ISREG(st.st_mode) &&
                   read_header(r, place, range, page, (uint64_t)st.st_size)
               ? JB_OK
               : JB_E_STALE;
}

jb_status
jb_run_open(const struct jb_run_place *place, const struct jb_run_range *range, struct jb_run **ret)
{
    struct jb_run *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return JB_E_NOMEM;
    }
    r->uses = 1;
    jb_status status = open_file(place, range, r);
    if (status != JB_OK) {
        jb_run_let_go(r);
        return status;
    }
    *ret = r;
    return JB_OK;
}

bool
jb_run_is_there(const struct jb_run_place *place, const struct jb_run *r)
{
    char name[JB_RUN_NAME_BYTES];
    struct stat own, named;
    jb_run_name(&r->range, name);
    return fstat(r->fd, &own) == 0 && fstatat(place->dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           own.st_ino == named.st_ino && own.st_dev == named.st_dev;
}

void
jb_run_use(struct jb_run *r)
{
    atomic_fetch_add(&r->uses, 1);
}

void
jb_run_let_go(struct jb_run *r)
{
    if (atomic_fetch_sub(&r->uses, 1) == 1) {
        if (r->fd >= 0) {
            close(r->fd);
        }
        free(r->frames);
        free(r);
    }
}

/* ---- the pool ---- */

void
jb_pool_free(struct jb_pool *p)
{
    for (size_t i = 0; i < p->slabs.n; i++) {
        munmap(p->slabs.at[i], SLAB_BYTES);
    }
    jb_vec_free(&p->slabs);
    jb_vec_free(&p->frames);
    jb_vec_free(&p->used);
    jb_vec_free(&p->spare);
}

void
jb_pool_forget(struct jb_pool *p, struct jb_run *r)
{
    for (size_t i = 0; i < p->frames.n; i++) {
        if (p->frames.at[i].run == r) {
            p->frames.at[i].run = NULL;
            p->spare.at[p->spare.n++] = (uint32_t)i;
        }
    }
    free(r->frames);
    r->frames = NULL;
}

void
jb_pool_limit(struct jb_pool *p, size_t frames_max)
{
    size_t slabs = (frames_max + SLAB_FRAMES - 1) / SLAB_FRAMES, kept = 0;
    p->frames_max = frames_max;
    if (slabs >= p->slabs.n) {
        return;
    }
    for (size_t i = slabs * SLAB_FRAMES; i < p->frames.n; i++) {
        const struct jb_pool_frame *f = &p->frames.at[i];
        if (f->run != NULL) {
            f->run->frames[f->page] = 0;
        }
    }
    p->frames.n = slabs * SLAB_FRAMES;
    for (size_t i = 0; i < p->spare.n; i++) {
        if (p->spare.at[i] < p->frames.n) {
            p->spare.at[kept++] = p->spare.at[i];
        }
    }
    p->spare.n = kept;
    p->hand = 0;
    while (p->slabs.n > slabs) {
        munmap(p->slabs.at[--p->slabs.n], SLAB_BYTES);
    }
}

static uint8_t *
frame_at(const struct jb_pool *p, size_t i)
{
    return p->slabs.at[i / SLAB_FRAMES] + i % SLAB_FRAMES * JB_RUN_PAGE_BYTES;
}

/* At a multiple of its size, and not from the heap, where that would leave as much again unused. */
static uint8_t *
new_slab(void)
{
    uint8_t *at =
        mmap(NULL, 2 * SLAB_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        return NULL;
    }
    size_t before = (SLAB_BYTES - (uintptr_t)at % SLAB_BYTES) % SLAB_BYTES;
    if (before > 0) {
        munmap(at, before);
    }
    munmap(at + before + SLAB_BYTES, SLAB_BYTES - before);
    return at + before;
}

static bool
grow(struct jb_pool *p)
{
    size_t n = p->frames.n + SLAB_FRAMES;
    if (!jb_vec_reserve(&p->slabs, p->slabs.n + 1) || !jb_vec_reserve(&p->frames, n) ||
        !jb_vec_reserve(&p->used, n) || !jb_vec_reserve(&p->spare, n)) {
        return false;
    }
    uint8_t *slab = new_slab();
    if (slab == NULL) {
        return false;
    }
    if (p->slabs.n >= SLABS_SMALL) {
        (void)madvise(slab, SLAB_BYTES, MADV_HUGEPAGE); /* else it is as well, and slower */
    }
    p->slabs.at[p->slabs.n++] = slab;
    for (size_t i = n; i-- > p->frames.n;) {
        p->frames.at[i] = (struct jb_pool_frame){0};
        p->used.at[i] = 0;
        p->spare.at[p->spare.n++] = (uint32_t)i;
    }
    p->frames.n = n;
    return true;
}

/* A frame that is free now. False: there is no memory for a single one. */
static bool
take_frame(struct jb_pool *p, uint32_t *ret)
{
    if (p->spare.n == 0 && (p->frames.n >= p->frames_max || !grow(p)) && p->frames.n == 0) {
        return false;
    }
    if (p->spare.n > 0) {
        *ret = p->spare.at[--p->spare.n];
        return true;
    }
    for (;;) {
        struct jb_pool_frame *f = &p->frames.at[p->hand];
        *ret = (uint32_t)p->hand;
        p->hand = (p->hand + 1) % p->frames.n;
        if (p->used.at[*ret] == 0) {
            f->run->frames[f->page] = 0;
            f->run = NULL;
            return true;
        }
        p->used.at[*ret] = 0;
    }
}

jb_status
jb_pool_page(struct jb_pool *p, struct jb_run *r, uint64_t no, const uint8_t **ret)
{
    uint32_t i;
    if (no >= r->pages) {
        return JB_E_STALE;
    }
    if (r->frames == NULL) {
        r->frames = calloc(r->pages, sizeof *r->frames);
    }
    if (r->frames == NULL) {
        return JB_E_NOMEM;
    }
    if (r->frames[no] != 0) {
        i = r->frames[no] - 1;
        p->used.at[i] = 1;
        *ret = frame_at(p, i);
        return JB_OK;
    }
    if (!take_frame(p, &i)) {
        return JB_E_NOMEM;
    }
    p->reads++;
    jb_status status = jb_run_read_pages(r, no, 1, frame_at(p, i));
    if (status != JB_OK) {
        p->spare.at[p->spare.n++] = i;
        return status;
    }
    p->frames.at[i] = (struct jb_pool_frame){r, (uint32_t)no};
    p->used.at[i] = 1;
    r->frames[no] = i + 1;
    *ret = frame_at(p, i);
    return JB_OK;
}

/* ---- looking ---- */

const uint8_t *
jb_run_line_there(const struct jb_pool *p, const struct jb_run *r, uint64_t hash)
{
    uint64_t line = jb_filter_line(hash, r->lines);
    uint32_t frame = r->frames != NULL ? r->frames[1 + line / JB_FILTER_LINES_OF_PAGE] : 0;
    if (frame == 0) {
        return NULL;
    }
    p->used.at[frame - 1] = 1;
    return frame_at(p, frame - 1) + JB_FILTER_LINE * (1 + line % JB_FILTER_LINES_OF_PAGE);
}

jb_status
jb_run_line(struct jb_pool *p, struct jb_run *r, uint64_t hash, const uint8_t **ret)
{
    uint64_t line = jb_filter_line(hash, r->lines);
    const uint8_t *page;
    jb_status status = jb_pool_page(p, r, 1 + line / JB_FILTER_LINES_OF_PAGE, &page);
    if (status == JB_OK) {
        *ret = page + JB_FILTER_LINE * (1 + line % JB_FILTER_LINES_OF_PAGE);
    }
    return status;
}

/* The page of the level below in which the key stands, if it is there. */
static jb_status
step_down(struct jb_pool *p, struct jb_run *r, unsigned level, const uint8_t *key, size_t key_n,
          uint64_t *no)
{
    const uint8_t *page, *before;
    struct jb_run_page_walk walk;
    struct jb_run_row row;
    bool found;
    jb_status status = jb_pool_page(p, r, *no, &page);
    if (status != JB_OK) {
        return status;
    }
    if (!jb_run_page_begin(page, level, &walk) ||
        !jb_run_page_seek(&walk, key, key_n, &row, &found, &before)) {
        return JB_E_STALE;
    }
    bool here =
        found && (before == NULL || (row.key_n == key_n && memcmp(row.key, key, key_n) == 0));
    const uint8_t *value = here ? row.value : before;
    if (value == NULL || (here && row.value_n != 8)) {
        return JB_E_STALE;
    }
    *no = jb_get_le(value, 8);
    return *no > r->filter_pages && *no < r->pages ? JB_OK : JB_E_STALE;
}

static jb_status
copy_page(struct jb_pool *p, struct jb_run_at *at)
{
    const uint8_t *page;
    jb_status status = jb_pool_page(p, at->run, at->no, &page);
    if (status == JB_OK) {
        memcpy(at->page, page, JB_RUN_PAGE_BYTES);
    }
    return status;
}

jb_status
jb_run_next(struct jb_pool *p, struct jb_run_at *at)
{
    while (at->walk.left == 0) { /* pages of upper levels stand between those of rows */
        if (++at->no >= at->run->pages) {
            return JB_E_NOTFOUND;
        }
        jb_status status = copy_page(p, at);
        if (status != JB_OK) {
            return status;
        }
        at->row.key_n = 0;
        if (!jb_run_page_begin(at->page, 0, &at->walk)) {
            at->walk.left = 0;
        }
    }
    return jb_run_page_next(&at->walk, &at->row) ? JB_OK : JB_E_STALE;
}

jb_status
jb_run_seek(struct jb_pool *p, struct jb_run *r, const uint8_t *key, size_t key_n,
            struct jb_run_at *ret)
{
    bool found;
    ret->run = r;
    ret->no = r->root;
    for (unsigned level = r->levels - 1; level > 0; level--) {
        jb_status status = step_down(p, r, level, key, key_n, &ret->no);
        if (status != JB_OK) {
            return status;
        }
    }
    jb_status status = copy_page(p, ret);
    if (status != JB_OK) {
        return status;
    }
    if (!jb_run_page_begin(ret->page, 0, &ret->walk) ||
        !jb_run_page_seek(&ret->walk, key, key_n, &ret->row, &found, NULL)) {
        return JB_E_STALE;
    }
    return found ? JB_OK : jb_run_next(p, ret);
}

/* ---- all rows ---- */

void
jb_run_scan_begin(struct jb_run_scan *s, struct jb_run *r)
{
    s->run = r;
    s->next = 1 + r->filter_pages;
    s->have = s->at = 0;
    s->walk.left = 0;
}

static jb_status
next_page(struct jb_run_scan *s)
{
    if (s->at == s->have) {
        uint64_t left = s->run->pages - s->next;
        s->have = left < JB_RUN_READ_PAGES ? (unsigned)left : JB_RUN_READ_PAGES;
        s->at = 0;
        if (s->have == 0) {
            return JB_E_NOTFOUND;
        }
        jb_status status = jb_run_read_pages(s->run, s->next, s->have, s->pages);
        if (status != JB_OK) {
            s->have = 0;
            return status;
        }
        s->next += s->have;
    }
    if (!jb_run_page_begin(s->pages + (size_t)s->at++ * JB_RUN_PAGE_BYTES, 0, &s->walk)) {
        s->walk.left = 0;
    }
    s->row.key_n = 0;
    return JB_OK;
}

jb_status
jb_run_scan_next(struct jb_run_scan *s)
{
    while (s->walk.left == 0) {
        jb_status status = next_page(s);
        if (status != JB_OK) {
            return status;
        }
    }
    if (!jb_run_page_next(&s->walk, &s->row) || s->row.key_n < JB_RUN_HASH_BYTES) {
        return JB_E_STALE;
    }
    s->hash = jb_run_hash(s->row.key);
    return JB_OK;
}
