/*
 * Wallets' rows, in runs. What is stored of the wallets that were touched goes into state.mdb as a
 * run: their rows in order of number, many to a page, that are written once and never changed. Of a
 * wallet's rows the one in the newest run counts. Runs that stand side by side are made into one,
 * some thousand rows with each transaction, so that there are few of them and each row is written a
 * few times only, however many wallets there are: a table in order would change another page for
 * nearly each. All of it goes with the transaction that stores the rest: a snapshot shows one
 * state, and so does a kill.
 *
 *   table wallets   run BE4, number BE4 of the page's first wallet
 *                   -> for each: number less the one before, length of its record, record
 *   globals         "r" -> which runs count (JB_TABLE_GLOBALS)
 *
 * While runs are made into one, what has moved stands in the new one, and the rest where it stood:
 * nothing is there twice.
 */
#ifndef JANGBU_STATE_WALLET_RUNS_H
#define JANGBU_STATE_WALLET_RUNS_H

#include "event/codec.h"
#include "storage/store.h"

#define JB_WALLET_RUNS_MAX 96
#define JB_WALLET_MERGES_MAX 16

struct jb_wallet_run {
    uint32_t id;          /* its rows' */
    uint32_t into;        /* the run that it is made into; 0: none */
    uint32_t rows;        /* as it was written */
    uint32_t first, last; /* wallets */
    uint64_t newest;      /* the transaction of the store that wrote the newest of it */
};

/* Runs on their way into one. */
struct jb_wallet_merge {
    uint32_t into; /* the new one */
    uint32_t rows; /* it has so far */
    uint64_t next; /* the first wallet that has not moved */
};

struct jb_wallet_runs {
    uint32_t given; /* ids */
    unsigned n, merges_n;
    struct jb_wallet_run at[JB_WALLET_RUNS_MAX]; /* the oldest first */
    struct jb_wallet_merge merges[JB_WALLET_MERGES_MAX];
};

/* Those that count, as that transaction shows it (without what it has put). */
jb_status jb_wallet_runs_get(struct jb_store_txn *t, struct jb_wallet_runs *ret,
                             struct jb_error *err);
/* The newest row of a wallet, borrowed as jb_store_get's. since: it stands in no run whose newest
 * is older, but for those of up to `known`, where it stands in the one that has `since` (0, 0:
 * nothing is known). *ret_newest: of the run it was found in. JB_E_NOTFOUND. */
jb_status jb_wallet_runs_find(struct jb_store_txn *t, const struct jb_wallet_runs *r,
                              uint32_t number, uint64_t since, uint64_t known, const void **value,
                              size_t *value_n, uint64_t *ret_newest, struct jb_error *err);
/* How many rows there are whose number is above that, or that no run has which counts; and how many
 * runs have others than they say. */
jb_status jb_wallet_runs_strange(struct jb_store_txn *t, const struct jb_wallet_runs *r,
                                 uint32_t most, uint64_t *ret, struct jb_error *err);

/* XXH3-128 over the whole of state.mdb, in that snapshot: the same however the rows lie in runs. */
jb_status jb_wallet_runs_digest(struct jb_store_txn *t, uint8_t ret[16], struct jb_error *err);

/* ---- writing ---- */

/* What a step makes of runs that stand side by side: worked out of a snapshot, so as to be put into
 * the transaction that follows it. */
struct jb_wallet_step {
    uint32_t generation;
    uint64_t writes;            /* of the store, when it was worked out */
    size_t moved;               /* rows that left their runs; 0: there is nothing to do */
    struct jb_wallet_runs runs; /* afterwards */
    struct jb_buffer pages;
};

/* Works out one of about so many rows, or of so many bytes: it is held in memory, and LMDB holds
 * the pages that it changes. */
#define JB_WALLET_STEP_BYTES ((size_t)(JB_CHECKS ? 2 << 10 : 16 << 20))
jb_status jb_wallet_step_make(struct jb_store *s, size_t rows, struct jb_wallet_step *ret,
                              struct jb_error *err);
/* Nothing was stored since, so that it may be put. */
bool jb_wallet_step_fits(const struct jb_wallet_step *s, const struct jb_store_txn *t);
jb_status jb_wallet_step_put(const struct jb_wallet_step *s, struct jb_store_txn *t,
                             struct jb_error *err);
void jb_wallet_step_free(struct jb_wallet_step *s);

/* A new run, wallet after wallet in order. Wallets that were never stored have no older row that
 * one of theirs could hide: they go behind a run that ends before them, so that what nobody has
 * touched again need not move. */
struct jb_wallet_pages {
    struct jb_store_txn *t;
    struct jb_wallet_runs *runs;
    struct jb_wallet_run run;
    struct jb_wallet_run *grows; /* has the last of all wallets; NULL: it is on its way */
    bool growing;
    uint32_t top;  /* the last of all wallets that are stored */
    uint32_t last; /* that was added; 0: none */
    struct jb_buffer page;
    uint32_t first; /* of the page */
    uint32_t n;     /* on it */
};

void jb_wallet_pages_begin(struct jb_wallet_pages *p, struct jb_wallet_runs *r,
                           struct jb_store_txn *t);
jb_status jb_wallet_pages_add(struct jb_wallet_pages *p, uint32_t number, const void *record,
                              size_t n, struct jb_error *err);
/* The run, where it has anything, is the newest of those that p began with, which are put. Frees
 * p's memory whatever it returns. failed: it is given up. */
jb_status jb_wallet_pages_end(struct jb_wallet_pages *p, jb_status failed, struct jb_error *err);

/* The newest of them was written by that transaction, or has rows of it; 0: there are none. */
static inline uint64_t
jb_wallet_runs_newest(const struct jb_wallet_runs *r)
{
    return r->n > 0 ? r->at[r->n - 1].newest : 0;
}

/* So many are worth steps of their own. */
static inline bool
jb_wallet_runs_many(const struct jb_wallet_runs *r)
{
    return r->n > JB_WALLET_RUNS_MAX / 2;
}

#endif
