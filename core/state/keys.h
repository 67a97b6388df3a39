/*
 * Idempotency keys, for ever: the hash of each key, and the events that have one with that hash.
 *
 *   events  1 .............. end | ........ | from ........ g.seq
 *   are in  runs in `state/`     | tables   | the map
 *
 * The map has those that are new, and may still be taken back. When they are many they become a
 * table, which changes no more, and a thread writes it into a run (runs/runs.h) behind the ones
 * that are there. What is in none of them, because runs were lost, damaged or never written, is
 * read from the log, and becomes tables, too, before anybody is told that a key is not there.
 */
#ifndef JANGBU_KEYS_H
#define JANGBU_KEYS_H

#include "base/map.h"
#include "log/log.h"
#include "runs/runs.h"
#include "state/repeats.h"
#include "storage/store.h"

struct jb_state;

struct jb_key_row {
    uint64_t hash;
    jb_seq seq;
};

struct jb_key_table {
    struct jb_run_range range;
    struct jb_map map;
    struct jb_key_row *sorted; /* the thread's */
    struct jb_runs_source source;
    bool offered;
};

struct jb_keys {
    struct jb_map map; /* hash -> sequence number */
    jb_seq from;
    JB_VEC(struct jb_key_table *) tables; /* one behind the other */
    struct jb_runs *runs;                 /* NULL: not opened yet, or there are none to be had */
    bool tried;                           /* to open them */
    bool writes;                          /* the state of a writer: only it needs them */
    bool none;                            /* that of a reader, for ever: there are none */
    uint32_t generation;
};

/* How many keys, or how many events whoever opens would have to read for keys, are worth a run:
 * while the ledger is open, and when it is closed; how many pages of runs are kept in memory at
 * most; how many keys the sieve begins with. Set by tests alone, before anything is open. */
struct jb_keys_limits {
    size_t table_keys;
    uint64_t table_events;
    size_t closing_keys;
    uint64_t closing_events;
    size_t pool_pages;
    uint64_t sieve_rows;
};
extern struct jb_keys_limits jb_keys_limits;

/* False: no memory. */
bool jb_keys_add(struct jb_state *b, uint64_t hash, jb_seq seq);
/* The events up to g.seq whose key has that hash, newest first: called with each until it returns
 * something other than JB_OK, or sets *stop. */
typedef jb_status (*jb_keys_found)(void *data, jb_seq seq, bool *stop, struct jb_error *err);
jb_status jb_keys_find(struct jb_state *b, uint64_t hash, jb_keys_found found, void *data,
                       struct jb_error *err);
/* What looking for these goes through comes near to the processor. It changes nothing. */
void jb_keys_warm(const struct jb_state *b, const uint64_t *hashes, size_t n);
/* That event was folded. Where a frame of the log ends with it and the keys are many they move on,
 * so that folding a long log needs little memory. */
jb_status jb_keys_fold(struct jb_state *b, const struct jb_frame *frame, jb_seq seq,
                       struct jb_error *err);
/* Whether there are so many that jb_keys_fold has something to do. */
static inline bool
jb_keys_many(const struct jb_keys *k)
{
    return k->map.entries.n >= jb_keys_limits.table_keys;
}
/* What came since moves towards the runs, where it is much: with each freeze. A failure loses
 * nothing. closing: also where it is less, so that the next one to open reads little. */
void jb_keys_store(struct jb_state *b, bool closing);
/* Writes all that is in memory into a run of that generation, behind what was written before. Of a
 * state that has no store; a failure loses nothing. */
void jb_keys_write_next(struct jb_state *b, const struct jb_store *store, uint32_t generation);
/* The state begins again: behind this event. */
void jb_keys_begin(struct jb_state *b, jb_seq stored, uint32_t generation);
void jb_keys_free(struct jb_state *b);
/* The state becomes a reader's, or is one: it is asked for none, and notes none. */
void jb_keys_leave(struct jb_state *b);

/* Opens the runs beside that store. The caller closes them. */
jb_status jb_keys_open(struct jb_state *b, const struct jb_store *store, uint32_t generation,
                       bool read_only, struct jb_runs **ret, struct jb_error *err);
/* The row of a key joins the sums, or leaves them. */
void jb_keys_tally(struct jb_tally *t, uint64_t hash, jb_seq seq, bool add);

/* The event of a row. */
static inline jb_seq
jb_keys_row_seq(const struct jb_run_row *row)
{
    return row->key_n == 14 ? jb_get_be(row->key + 8, 6) : 0;
}

#endif
