/*
 * A run: an immutable file of sorted rows that covers a range of the log's events. It is written
 * under another name, synced, and then gets its own; it is never changed. What is read of it holds
 * its check, or the whole run is not used (JB_E_STALE). Nothing here knows what the rows mean.
 *
 * Pages: the header, the filter, the rows with what leads to them. The header (page 0, sealed with
 * a number made from the ledger's id): check (8), "jangbuR1" (8), ledger id (16), number of the
 * file (8), generation (8), first and last event (8 each), chain value behind the last (16), rows,
 * filter lines, pages, page of the root, its level (8 each). All numbers are little endian.
 */
#ifndef JANGBU_RUNS_RUN_H
#define JANGBU_RUNS_RUN_H

#include <stdatomic.h>

#include <jangbu/base.h>

#include "runs/run_page.h"

#define JB_RUN_LEVELS_MAX 8
/* generation-first-last.run, and the name of one that is being written. */
#define JB_RUN_NAME_BYTES 48

struct jb_run_range {
    uint32_t generation;
    jb_seq first, last;
    uint8_t chain[16]; /* of the log, behind `last` */
};

/* Where runs lie, and whose they are. */
struct jb_run_place {
    int dir; /* a descriptor of the directory */
    uint8_t ledger_id[16];
};

void jb_run_name(const struct jb_run_range *r, char ret[JB_RUN_NAME_BYTES]);
/* False: it is no name of a run. The chain value stays as it is. */
bool jb_run_name_read(const char *name, struct jb_run_range *ret);
/* How the files that are being written are called. */
void jb_run_name_new(uint64_t file, char ret[JB_RUN_NAME_BYTES]);
bool jb_run_name_new_read(const char *name, uint64_t *ret);

/* JB_E_FULL, JB_E_NOMEM (memory or descriptors) or JB_E_IO, for what errno says. */
jb_status jb_run_errno(void);

/* ---- writing ---- */

struct jb_run_write {
    struct jb_run_place place;
    struct jb_run_range range;
    char name[JB_RUN_NAME_BYTES]; /* until it is finished */
    int fd;
    uint64_t file; /* its number */
    uint64_t rows, rows_max, pages;
    uint64_t hash;                             /* of the last row */
    uint64_t lines, filter_pages, filter_page; /* filter_page: that in `filter` */
    uint64_t sent, filter_sent;                /* pages before these are with the device */
    unsigned levels;
    struct jb_run_page_fill *level[JB_RUN_LEVELS_MAX];
    uint8_t filter[JB_RUN_PAGE_BYTES];
    uint8_t *out; /* pages that are still to be written, from page out_first on */
    uint64_t out_first, out_n;
};

/* rows_max: no more will come. *w is to be ended by jb_run_write_finish or jb_run_write_drop, also
 * where this fails. */
jb_status jb_run_write_begin(struct jb_run_write *w, const struct jb_run_place *place,
                             const struct jb_run_range *range, uint64_t rows_max);
/* Ascending; of one that is as the one before nothing is kept. */
jb_status jb_run_write_row(struct jb_run_write *w, const uint8_t *key, size_t key_n,
                           const void *value, size_t value_n);
/* Synced and named. Where it fails nothing is left of it. */
jb_status jb_run_write_finish(struct jb_run_write *w);
void jb_run_write_drop(struct jb_run_write *w);

/* ---- reading ---- */

struct jb_run {
    _Atomic unsigned uses;
    int fd;
    struct jb_run_range range;
    uint64_t file, rows, lines, pages, root, filter_pages;
    unsigned levels;  /* of the root, plus 1 */
    uint32_t *frames; /* by page: its frame in the pool plus 1; NULL: none ever */
    bool taken;       /* by a merge: for who plans them */
};

/* JB_E_NOTFOUND: no such file any more; JB_E_STALE: it is not what it is called, or damaged;
 * JB_E_NOMEM: no memory or no descriptors for it, which says nothing about the file. */
jb_status jb_run_open(const struct jb_run_place *place, const struct jb_run_range *range,
                      struct jb_run **ret);
void jb_run_use(struct jb_run *r);
/* Its frames are to be let go before (jb_pool_forget). */
void jb_run_let_go(struct jb_run *r);
/* Whether the file of that name is this one. */
bool jb_run_is_there(const struct jb_run_place *place, const struct jb_run *r);
jb_status jb_run_read_pages(const struct jb_run *r, uint64_t no, size_t n, uint8_t *ret);

/* Pages in memory, at most so many; those not used for long make room, one by one. One thread at a
 * time, and each run in one pool. */
struct jb_pool_frame {
    struct jb_run *run; /* NULL: free */
    uint32_t page;
};
struct jb_pool {
    JB_VEC(uint8_t *) slabs;
    JB_VEC(struct jb_pool_frame) frames;
    JB_VEC(uint8_t) used; /* by frame: since the hand passed */
    unsigned reads;       /* of pages: each may take the place of another one */
    JB_VEC(uint32_t) spare;
    size_t frames_max, hand;
};
void jb_pool_free(struct jb_pool *p);
void jb_pool_forget(struct jb_pool *p, struct jb_run *r);
/* At most so many from now on. */
void jb_pool_limit(struct jb_pool *p, size_t frames_max);
/* Borrowed until the next call on the pool. */
jb_status jb_pool_page(struct jb_pool *p, struct jb_run *r, uint64_t no, const uint8_t **ret);

/* The line of the filter that says whether a row's key may begin with that hash. Borrowed until the
 * next page is read (reads of the pool). */
jb_status jb_run_line(struct jb_pool *p, struct jb_run *r, uint64_t hash, const uint8_t **ret);
/* The same where it is in memory; NULL: it is not. */
const uint8_t *jb_run_line_there(const struct jb_pool *p, const struct jb_run *r, uint64_t hash);

/* A place among the rows: a page of its own, so that nothing is borrowed. */
struct jb_run_at {
    struct jb_run *run;
    uint64_t no; /* of the page */
    struct jb_run_page_walk walk;
    struct jb_run_row row;
    uint8_t page[JB_RUN_PAGE_BYTES];
};
/* The first row with a key >= key. JB_E_NOTFOUND: none. */
jb_status jb_run_seek(struct jb_pool *p, struct jb_run *r, const uint8_t *key, size_t key_n,
                      struct jb_run_at *ret);
jb_status jb_run_next(struct jb_pool *p, struct jb_run_at *at);

/* All rows in order, past the pool. */
#define JB_RUN_READ_PAGES 16
struct jb_run_scan {
    struct jb_run *run;
    uint64_t next; /* page to be read next */
    unsigned have, at;
    struct jb_run_page_walk walk;
    struct jb_run_row row;
    uint64_t hash; /* of the row: its key's first bytes */
    uint8_t pages[JB_RUN_READ_PAGES * JB_RUN_PAGE_BYTES];
};
void jb_run_scan_begin(struct jb_run_scan *s, struct jb_run *r);
/* JB_E_NOTFOUND: that was the last. */
jb_status jb_run_scan_next(struct jb_run_scan *s);

static inline uint64_t
jb_run_hash(const uint8_t *key)
{
    return jb_get_be(key, 8);
}

/* ---- several into one (merge.c) ---- */

#define JB_MERGE_RUNS_MAX 8
struct jb_merge {
    struct jb_run *runs[JB_MERGE_RUNS_MAX]; /* each begins where the one before ends */
    struct jb_run_scan *scans[JB_MERGE_RUNS_MAX];
    uint64_t hashes[JB_MERGE_RUNS_MAX]; /* of their rows; UINT64_MAX: it has none any more */
    unsigned n;
    unsigned bad; /* the run that could not be read; n: all could */
    struct jb_run_write out;
};
/* To be ended by jb_merge_end, also where it fails. It uses the runs until then. */
jb_status jb_merge_begin(struct jb_merge *m, const struct jb_run_place *place, struct jb_run **runs,
                         unsigned n);
/* At most so many rows. *ret_done: the run is there, and has its name. Of rows with one key the
 * newest run's is kept. */
jb_status jb_merge_step(struct jb_merge *m, uint64_t rows, bool *ret_done);
void jb_merge_end(struct jb_merge *m);

#endif
