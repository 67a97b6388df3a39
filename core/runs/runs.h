/*
 * Runs that cover a log from its first event on without a hole; what stands behind a hole waits for
 * it to be filled. A thread adds to them and
 * keeps them few: of eight of about one size that stand side by side it makes one, in steps, small
 * ones first. Nobody waits for it.
 *
 * A cache: what is not there, or not what it was, ends the range that is covered, and its owner
 * reads the rest from the log. Within that range an answer is sure, also that there is no such row.
 *
 * Several processes may do this in one directory at once, each for itself: files are never changed,
 * and each is named by what it covers. Who finds a file removed under its name had it open, or
 * looks again. One of them at a time merges.
 */
#ifndef JANGBU_RUNS_RUNS_H
#define JANGBU_RUNS_RUNS_H

#include "runs/run.h"

struct jb_runs;

struct jb_runs_options {
    const char *path; /* of the directory; it is made when something is written */
    uint8_t ledger_id[16];
    uint32_t generation;
    bool read_only;    /* nothing is written or removed */
    size_t pool_pages; /* at most so many in memory */
    /* Rows of the sieve's first part (sieve.h), a multiple of 32; 0: it has none. It begins with
     * the first rows that are written, and takes of the memory for pages, at most 7 of 8 parts. */
    uint64_t sieve_rows;
    uint64_t step_rows; /* of a merge; 0: as many as take about a millisecond */
    /* Whether a run's end is one of this log: JB_OK; JB_E_NOTFOUND: not; else why that is not
     * known. Called by jb_runs_open and jb_runs_refresh alone. */
    jb_status (*known)(void *data, const struct jb_run_range *range, struct jb_error *err);
    void *data;
};

/* Rows that are to be written. It and what it gives belong to its owner, who changes neither until
 * `done`. */
struct jb_runs_source {
    struct jb_run_range range;
    uint64_t rows;
    /* In the thread: puts them in order. False: no memory. */
    bool (*sort)(void *data);
    /* The row of that number: sets key, key_n, value and value_n. */
    void (*row)(void *data, uint64_t i, struct jb_run_row *ret);
    void *data;
    /* They are in a run, or will never be: runs of others took their place, also a part of it. */
    _Atomic bool done;
};

/* JB_E_IO, JB_E_READONLY ...: there are none, and none can be written. JB_E_NOMEM (memory or
 * descriptors): that is not known. */
jb_status jb_runs_open(const struct jb_runs_options *o, struct jb_runs **ret, struct jb_error *err);
/* What was offered and can be written is written; merges are given up. */
struct jb_runs *jb_runs_close(struct jb_runs *r);

/* The last event that the runs cover from the first on, as they are looked into from now on; 0:
 * none. */
jb_seq jb_runs_end(struct jb_runs *r);
/* The same, where the events up to `end` are covered otherwise: runs behind a hole count as soon as
 * it is filled. *ret_next: where the next of them begins; UINT64_MAX: there is none. */
jb_seq jb_runs_reach(const struct jb_runs *r, jb_seq end, jb_seq *ret_next);
/* Rows in those up to that end, and how many they are. */
uint64_t jb_runs_rows(struct jb_runs *r, size_t *ret_runs);

/* Called with each row whose key begins with hash, also of runs behind a hole, until it returns
 * something other than JB_OK, which is then returned. JB_E_STALE (of nothing else): a run was
 * damaged, and is none of them any more. */
typedef jb_status (*jb_runs_found)(void *data, const struct jb_run_row *row);
jb_status jb_runs_find(struct jb_runs *r, uint64_t hash, jb_runs_found found, void *data);

/* The same with every row up to jb_runs_end, run by run, each of which jb_runs_find would find: the
 * filter has it, and what leads to its page. JB_E_STALE also where one would not be found. */
jb_status jb_runs_each(struct jb_runs *r, jb_runs_found found, void *data);

/* What jb_runs_find looks at first comes near, where it is in memory, for a few that are looked for
 * next in that order. */
void jb_runs_warm(struct jb_runs *r, const uint64_t *hashes, size_t n);

/* To be written when the runs end right before it; else it waits. False: too much waits already
 * that comes before it, or there is no thread for it, and the caller keeps it. */
bool jb_runs_offer(struct jb_runs *r, struct jb_runs_source *s);
/* Pages that were read so far; and so many of the runs up to jb_runs_end are in the sieve. */
unsigned jb_runs_reads(const struct jb_runs *r, size_t *ret_sieved);
/* Writing failed, and is tried again each second. */
bool jb_runs_failing(struct jb_runs *r);
/* Until nothing is left to be written, or it fails; merges: also until nothing is left to be
 * merged. */
void jb_runs_settle(struct jb_runs *r, bool merges);
/* Takes up what other processes have made of the directory, where the thread came upon that. The
 * runs may then end earlier than before: what followed no longer has a place behind theirs. */
void jb_runs_refresh(struct jb_runs *r);

/* Without a thread: one run, which nobody takes up by itself. */
jb_status jb_runs_write(const struct jb_run_place *place, struct jb_runs_source *s);
/* The directory alone, for jb_runs_write. */
jb_status jb_runs_place(const char *path, const uint8_t ledger_id[16], bool read_only,
                        struct jb_run_place *ret);
void jb_runs_leave(struct jb_run_place *p);

#endif
