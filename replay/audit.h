/* The parts of an audit, and where they say what they find. */
#ifndef JANGBU_REPLAY_AUDIT_H
#define JANGBU_REPLAY_AUDIT_H

#include <jangbu/replay.h>

#include "base/bytes.h"
#include "base/error.h"
#include "state/state.h"

/* What was found so far: lists that the report is made of, and the caller who hears of each at
 * once. */
struct jb_findings {
    struct jb_audit_options to;
    JB_VEC(struct jb_audit_problem) kept; /* the first ones */
    JB_VEC(const char *) not_checked;
    uint64_t problems;
    bool undecided; /* something could not be told */
    bool no_memory; /* something is missing in the lists */
};

/* Reports a problem: check is a stable word. */
void jb_found(struct jb_findings *f, const char *check, jb_seq seq, uint64_t frame, uint64_t offset,
              const char *format, ...) JB_PRINTF(6, 7);
/* Says what is not looked at. undecided: and so the audit cannot say "verified". */
void jb_not_checked(struct jb_findings *f, bool undecided, const char *format, ...) JB_PRINTF(3, 4);
/* How many frames are read; the caller hears of some. */
void jb_audit_progress(struct jb_findings *f, uint64_t done, uint64_t all);
void jb_findings_free(struct jb_findings *f);

/* What the scan of the log found out. */
struct jb_scan_result {
    uint64_t events, frames;
    uint8_t chain[16];
    jb_seq verified_to;
    uint64_t no_fingerprint; /* events with a key and without a fingerprint */
    bool newer; /* some of it was written by a newer version: the fold ended there */
};

/*
 * Reads every frame and event, folds them into a state of its own (NULL store: nothing is taken
 * from what was stored), and calls at_seq with the state when it includes exactly event `stop` (0:
 * never).
 */
jb_status jb_scan_log(struct jb_log *log, struct jb_findings *f, jb_seq stop,
                      void (*at_seq)(void *data, struct jb_state *b), void *data,
                      struct jb_scan_result *ret, struct jb_error *err);

/* Invariants of one event against the state before it, and of its wallet after it (docs/rules.md
 * section 9). */
void jb_check_before(struct jb_state *b, const struct jb_event *e, uint64_t frame,
                     struct jb_findings *f);
void jb_check_after(struct jb_state *b, const struct jb_event *e, uint64_t frame,
                    struct jb_findings *f);
/* Sums over all wallets against the sums of the days. */
void jb_check_sums(struct jb_state *b, struct jb_findings *f);

/* Compares every table of state.mdb with what that state folded. */
void jb_check_state(struct jb_state *b, struct jb_store_txn *t, struct jb_findings *f);

#endif
