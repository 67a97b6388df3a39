/* The parts of an audit, and where they say what they find. */
#ifndef JANGBU_REPLAY_AUDIT_H
#define JANGBU_REPLAY_AUDIT_H

#include <jangbu/replay.h>

#include "base/bytes.h"
#include "base/error.h"
#include "projections/fold.h"
#include "state/state.h"

/* What was found so far: lists that the report is made of, and the caller who hears of each at
 * once. */
struct jb_findings {
    struct jb_audit_options to;
    uint32_t part;                          /* the part that speaks now; enum jb_audit_part */
    JB_VEC(struct jb_audit_problem *) kept; /* the first ones */
    JB_VEC(const char *) not_checked;
    JB_VEC(const char *) notes;
    uint64_t problems, notes_total;
    jb_seq first_refuted; /* the first event that the rules refute; 0: none */
    uint32_t refuted,
        unknown;    /* parts with a problem; parts of which something could not be told */
    bool no_memory; /* something is missing in the lists, or could not be looked at */
    /* Called before a problem is told: what came before it and is not told yet has its turn. */
    void (*catch_up)(void *data);
    void *catch_up_data;
};

/* Whether a look-up for a check was answered. One that failed for want of memory says nothing about
 * the ledger: the audit then ends with JB_E_NOMEM, whatever it has found. */
static inline bool
jb_looked_up(struct jb_findings *f, jb_status status)
{
    f->no_memory |= status == JB_E_NOMEM;
    return status == JB_OK;
}

/* Reports a problem of the part that speaks: check is a stable word. Of a part that was not asked
 * for it is none, but then the others cannot say that all was well. */
void jb_found(struct jb_findings *f, const char *check, jb_seq seq, uint64_t frame, uint64_t offset,
              const char *format, ...) JB_PRINTF(6, 7);
/* Says what is not looked at. unknown: the parts that so cannot say "verified", or 0. */
void jb_not_checked(struct jb_findings *f, uint32_t unknown, const char *format, ...)
    JB_PRINTF(3, 4);
/* What is no fault and worth a look. */
void jb_note(struct jb_findings *f, const char *format, ...) JB_PRINTF(2, 3);
/* How many frames are read; the caller hears of some. */
void jb_audit_progress(struct jb_findings *f, uint64_t done, uint64_t all);
/* The verdict of one part. */
jb_audit_verdict jb_part_verdict(const struct jb_findings *f, uint32_t part);
void jb_findings_free(struct jb_findings *f);

struct jb_cross;

/* ---- beside.c: a thread that gets pieces of the log ---- */

/* Events of a frame, one behind the other. */
struct jb_piece {
    const uint8_t *events;
    size_t bytes; /* to the end of the frame's events */
    jb_seq first;
    uint32_t count; /* 0: none */
    jb_instant base;
};

struct jb_beside;
/* NULL: no memory. Where there is no thread to be had, work is called by jb_beside_give. */
struct jb_beside *jb_beside_open(void (*work)(void *data, const struct jb_piece *piece),
                                 void *data);
void jb_beside_give(struct jb_beside *q, const struct jb_piece *piece);
/* Until all that was given is done. */
void jb_beside_settle(struct jb_beside *q);
struct jb_beside *jb_beside_close(struct jb_beside *q);

/* What the scan of the log found out. */
struct jb_scan_result {
    uint64_t events, frames;
    uint8_t chain[16];
    jb_seq verified_to;
    uint64_t no_fingerprint; /* events with a key and without a fingerprint */
    jb_seq last_ref_event;   /* the first event with the highest reference into people.mdb */
    uint64_t last_ref;
    bool enforcing; /* at some event roles were asked */
    bool newer;     /* some of it was written by a newer version: the fold ended there */
    bool unfolded;  /* there was no room to find out what repeats: nothing was folded */
};

/* Whoever wants the state and the projections' fold as they are behind event `stop` (0: never). */
struct jb_scan_stop {
    jb_seq stop;
    /* Before anything is folded; NULL: nothing to do then. */
    void (*begins)(void *data, struct jb_state *b);
    jb_status (*at_seq)(void *data, struct jb_state *b, const struct jb_cross *x,
                        struct jb_error *err);
    void *data;
};

/*
 * Reads every frame and event, folds them into a state and a fold of its own (nothing is taken from
 * what was stored), and checks each. JB_E_NOMEM and the like: nothing can be said.
 */
jb_status jb_scan_log(struct jb_log *log, struct jb_findings *f, const struct jb_scan_stop *stops,
                      size_t stops_n, struct jb_scan_result *ret, struct jb_error *err);

/* ---- names.c: what stands more than once in the log, so that nothing else is to be kept ---- */

enum jb_names_found {
    JB_NAMES_KNOWN,
    JB_NAMES_UNKNOWN, /* pages are damaged, or are being written: all names are to be kept */
    JB_NAMES_NO_ROOM  /* *ret_errno says why: in the place for temporary files */
};
/* How many names of a part are in memory before they go into the file; for how many events a second
 * thread is begun; whether usual events are looked at like any other. Set by tests alone. */
struct jb_audit_limits {
    size_t block_names;
    jb_seq events_of_two;
    bool in_full;
};
extern struct jb_audit_limits jb_audit_limits;
/* txn: a read of the log; key: of a row of it, as LMDB gave it. JB_E_NOMEM alone. */
jb_status jb_audit_names(const struct jb_state *b, MDB_txn *txn, const MDB_val *key,
                         struct jb_repeats *ret, enum jb_names_found *ret_found, int *ret_errno,
                         struct jb_error *err);

/* scan.c: the events from .. through, which the scan has folded, once more. */
jb_status jb_audit_events(struct jb_state *b, jb_seq from, jb_seq through,
                          void (*look)(void *data, const struct jb_event *e), void *data,
                          struct jb_error *err);

/* ---- warm.c: the next events of a frame ---- */

#define JB_AHEAD_MAX JB_FRAME_STRIDE
struct jb_ahead_event {
    const uint8_t *begin;
    size_t bytes; /* 0: it is not usual, or no event at all */
    struct jb_event_usual e;
};
struct jb_ahead {
    uint32_t next, n; /* the first that was not taken; all of them */
    struct jb_ahead_event events[JB_AHEAD_MAX];
    uint8_t tail[2 * JB_USUAL_BYTES_MAX]; /* the last bytes, with room behind them */
    uint32_t others[JB_AHEAD_MAX]; /* wallets of those that are not usual, as far as they show */
    uint32_t others_n;
};
/* The first events of those bytes, the first of them being number `first`. */
void jb_ahead_read(struct jb_ahead *a, const uint8_t *events, size_t n, uint32_t count,
                   jb_seq first, const struct jb_event_context *context);
/* What the state has of their wallets is sent for. */
void jb_ahead_warm(const struct jb_ahead *a, const struct jb_state *b);
/* All of these wallets is sent for: whatever numbers. */
void jb_audit_warm(const struct jb_state *b, const uint32_t *numbers, size_t n);
/* The next of them, which begins there; NULL: it is not usual. */
static inline const struct jb_ahead_event *
jb_ahead_next(struct jb_ahead *a, const uint8_t *begin)
{
    const struct jb_ahead_event *x = a->next < a->n ? &a->events[a->next++] : NULL;
    return x != NULL && x->bytes != 0 && x->begin == begin ? x : NULL;
}

/* usual.c: the usual event, if nothing is wrong with it. True: everything about it holds, and the
 * state has applied it. False: nothing has changed, and it is to be looked at in full. */
struct jb_judge;
bool jb_usual_holds(struct jb_state *b, struct jb_judge *judge, jb_seq seq,
                    const struct jb_event_usual *e);

/* ---- cross_check.c: core's fold against that of the projections, which was written apart ---- */

/* ---- papers.c: tax invoices, once more from the events alone ---- */

struct jb_papers_check;
struct jb_papers_check *jb_papers_check_new(void);                       /* NULL: no memory */
struct jb_papers_check *jb_papers_check_free(struct jb_papers_check *p); /* NULL allowed */
/* Of an event that the state has applied. JB_E_NOMEM only. */
jb_status jb_papers_check_event(struct jb_papers_check *p, struct jb_state *b,
                                const struct jb_event *e, struct jb_findings *f,
                                struct jb_error *err);
/* The VAT of each month whose documents say all of it. */
void jb_papers_check_end(struct jb_papers_check *p, struct jb_state *b, struct jb_findings *f);

jb_status jb_cross_open(int32_t utc_offset_s, struct jb_cross **ret, struct jb_error *err);
struct jb_cross *jb_cross_close(struct jb_cross *x);
/* What else than the folds can be said of e, which the state has applied. JB_E_NOMEM only. */
jb_status jb_cross_event(struct jb_cross *x, struct jb_state *b, const struct jb_event *e,
                         struct jb_findings *f, struct jb_error *err);
/* Folds events that the state has applied, beside the caller. */
void jb_cross_give(struct jb_cross *x, const struct jb_piece *piece);
/* When all of them are folded. *ret_over: the event that the fold did not take, which is a finding,
 * if it was not told yet; else 0. JB_E_NOMEM only. */
jb_status jb_cross_settle(struct jb_cross *x, struct jb_findings *f, jb_seq *ret_over,
                          struct jb_error *err);
/* Each time a day has closed: the wallets that were touched since are compared. To be settled
 * before, as for all that follows. */
void jb_cross_day(struct jb_cross *x, struct jb_state *b, struct jb_findings *f);
/* Every wallet, every row, and the rows of every closed day against its control totals. */
jb_status jb_cross_end(struct jb_cross *x, struct jb_state *b, struct jb_findings *f,
                       struct jb_error *err);
/* NULL where the fold could not go on. It has a drain. */
const struct jb_fold *jb_cross_fold(const struct jb_cross *x);
/* Sums of what the fold has not kept, by table. */
const struct jb_tally *jb_cross_drained(const struct jb_cross *x);
/* Folds the log again, as far as the state goes: those rows go to drain. */
jb_status jb_cross_again(struct jb_state *b, const struct jb_fold_drain *drain,
                         struct jb_error *err);

/* The same key of the same caller stands in one event only. */
void jb_check_key(struct jb_state *b, const struct jb_event *e, uint64_t frame,
                  struct jb_findings *f);
/* Invariants of one event against the state before it, and of its wallet after it (docs/rules.md
 * section 9). */
void jb_check_before(struct jb_state *b, const struct jb_event *e, uint64_t frame,
                     struct jb_findings *f);
void jb_check_after(struct jb_state *b, const struct jb_event *e, uint64_t frame,
                    struct jb_findings *f);
/* A note where a charge has the gateway's transaction of an earlier one. The state has applied it.
 */
void jb_note_same_txn(struct jb_state *b, const struct jb_event *e, struct jb_findings *f);
/* Sums over all wallets against the sums of the days. */
void jb_check_sums(struct jb_state *b, struct jb_findings *f);

/* ---- state.c ---- */

/* A thread goes through the keys that are stored beside t, up to the event where t stands, while
 * that is folded. NULL: no memory. Closing it waits for the thread, which ends soon. */
struct jb_stored_keys;
struct jb_stored_keys *jb_stored_keys_open(struct jb_state *b, const struct jb_store_txn *t);
struct jb_stored_keys *jb_stored_keys_close(struct jb_stored_keys *k);
/* Compares every table of state.mdb with what that state folded. */
void jb_check_state(struct jb_state *b, struct jb_store_txn *t, struct jb_stored_keys *keys,
                    struct jb_findings *f);

#endif
