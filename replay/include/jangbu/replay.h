/*
 * jangbu/replay.h -- replay: audit the log, make the projections again. Replay sees no rules: it
 * never asks whether something would be allowed today.
 */
#ifndef JANGBU_REPLAY_H
#define JANGBU_REPLAY_H

#include <jangbu/projections.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum jb_audit_verdict {
    JB_VERIFIED = 0,
    JB_REFUTED = 1,
    JB_COULD_NOT_TELL = 3
} jb_audit_verdict;

struct jb_audit_problem {
    const char *check; /* a stable word: "chain", "frame", "event", "wallet_chain", "totals",
                          "state", "views", "key", ... */
    jb_seq seq;        /* event concerned, or 0 */
    uint64_t frame;    /* first sequence number of the frame, or 0 */
    uint64_t offset;   /* byte offset in the frame's value */
    const char *text;  /* a sentence: what is there, what should be */
};

struct jb_audit_report {
    size_t size;
    jb_audit_verdict verdict;
    uint64_t events;
    uint64_t frames;
    uint8_t chain[16];
    jb_seq verified_to; /* last event up to which everything held */
    uint64_t problems_total;
    const struct jb_audit_problem *problems; /* the first 1,000 */
    uint32_t problems_n;
    const char *const *not_checked; /* what this audit does not look at, one sentence each */
    uint32_t not_checked_n;
};

struct jb_audit_options {
    size_t size;
    jb_progress on_progress; /* NULL allowed: now and then, with frames read and frames in all */
    void (*found)(void *data,
                  const struct jb_audit_problem
                      *problem); /* NULL allowed: each problem when it is found; borrowed */
    void *data;
};

/*
 * Reads the whole log of dir and checks it and the stored projections against it; writes nothing.
 * The ledger may be in use meanwhile. opts may be NULL. *ret is owned: jb_audit_report_free. The
 * status says whether the audit could be carried out; what it found is the report's verdict.
 *
 * It reads in the calling process, and LMDB ends a process that reads some kinds of damaged pages.
 * A file that may be damaged is audited in a process of its own, as `jangbu audit` does; `found` is
 * there so that what was found before such an end is not lost.
 */
JB_API JB_NODISCARD jb_status jb_audit(const char *dir, const struct jb_audit_options *opts,
                                       struct jb_audit_report **ret, struct jb_error *err);
JB_API struct jb_audit_report *jb_audit_report_free(struct jb_audit_report *r);

struct jb_rebuild_options {
    size_t size;
    uint8_t accept_rollback; /* the log was put back to an older state on purpose: go on from it */
    jb_progress on_progress;
    void *data;
};
struct jb_rebuild_result {
    size_t size;
    uint64_t events;
    bool had_state,
        had_views; /* there was something to compare with, at the same sequence number */
    bool same_state, same_views; /* the new contents are byte for byte the old ones */
    uint8_t state_digest[16];    /* XXH3-128 over all tables, keys and values in order */
    uint8_t views_digest[16];
};
/* Makes state.mdb and views.mdb anew from the log, while the ledger is in use, and switches to them
 * in one step. */
JB_API JB_NODISCARD jb_status jb_rebuild(const char *dir, const struct jb_rebuild_options *opts,
                                         struct jb_rebuild_result *ret, struct jb_error *err);

#ifdef __cplusplus
}
#endif

#endif
