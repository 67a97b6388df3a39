/*
 * jangbu/replay.h -- replay: audit the log, make the projections again. A rebuild knows no rules;
 * an audit asks those that were in force when an event was written, never those of today.
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
    JB_SKIPPED = 2, /* of a part that was not asked for */
    JB_COULD_NOT_TELL = 3
} jb_audit_verdict;

/* The parts of an audit, as bits. docs/rules.md section 9 has what each of them checks. */
enum jb_audit_part {
    JB_AUDIT_FORM = 1 << 0,  /* chain, order, canonical bytes, envelopes, a key once */
    JB_AUDIT_SUMS = 1 << 1,  /* remainders and sums; the two folds; what was stored of them */
    JB_AUDIT_RULES = 1 << 2, /* each event is decided again, by the rules of its time */
    JB_AUDIT_ALL = (1 << 3) - 1
};
/* "form", "sums", "rules"; NULL for anything else. */
JB_API const char *jb_audit_part_word(uint32_t part);

/* New members come at the end; reports hold pointers to it. */
struct jb_audit_problem {
    const char *check; /* a stable word: "chain", "frame", "event", "wallet_chain", "totals",
                          "state", "views", "folds", "key", "rules", ... */
    jb_seq seq;        /* event concerned, or 0 */
    uint64_t frame;    /* first sequence number of the frame, or 0 */
    uint64_t offset;   /* byte offset in the frame's value */
    const char *text;  /* a sentence: what is there, what should be */
    uint32_t part;     /* enum jb_audit_part */
};

struct jb_audit_report {
    size_t size;
    jb_audit_verdict verdict; /* the worst of the parts that ran */
    uint64_t events;
    uint64_t frames;
    uint8_t chain[16];
    jb_seq verified_to; /* last event up to which everything held */
    uint64_t problems_total;
    const struct jb_audit_problem *const *problems; /* the first 1,000 */
    uint32_t problems_n;
    const char *const *not_checked; /* what this audit does not look at, one sentence each, with
                                       the number of events that it touches where there are any */
    uint32_t not_checked_n;
    jb_audit_verdict form, sums, rules; /* of each part */
    uint64_t notes_total;
    const char *const *notes; /* the first 200 sentences about what is no fault and worth a look:
                                 two charges of one gateway's transaction */
    uint32_t notes_n;
    uint32_t reserved; /* 0 */
};

struct jb_audit_options {
    size_t size;
    jb_progress on_progress; /* NULL allowed: now and then, with frames read and frames in all */
    void (*found)(void *data,
                  const struct jb_audit_problem
                      *problem); /* NULL allowed: each problem when it is found; borrowed */
    void *data;
    uint32_t only;           /* enum jb_audit_part, added up: the parts to run; 0: all of them */
    uint32_t reserved;       /* 0 */
    const char *key_file;    /* of a sealed people.mdb; NULL: beside the directory. Without it texts
                                are not checked */
    jb_lang lang;            /* of the report's sentences; 0: English */
    uint8_t reserved_too[4]; /* 0 */
};

/*
 * Reads the whole log of dir and checks it and the stored projections against it; writes nothing.
 * The ledger may be in use meanwhile. opts may be NULL. *ret is owned: jb_audit_report_free. The
 * status says whether the audit could be carried out (JB_E_NOMEM: not for want of memory, and
 * nothing is said about the ledger); what it found is the report's verdict.
 *
 * It sorts in a temporary file in the directory that TMPDIR names, else in /tmp, and begins two
 * threads, which have ended when it returns. Without room there it could not tell.
 *
 * It reads in the calling process, and LMDB ends a process that reads some kinds of damaged pages.
 * A file that may be damaged is audited in a process of its own, as `jangbu audit` does; `found` is
 * there so that what was found before such an end is not lost.
 */
JB_API JB_NODISCARD jb_status jb_audit(const char *dir, const struct jb_audit_options *opts,
                                       struct jb_audit_report **ret, struct jb_error *err);
JB_API struct jb_audit_report *jb_audit_report_free(struct jb_audit_report *r);

struct jb_replay_options {
    size_t size;
    jb_progress on_progress; /* NULL allowed: with frames read and frames in all */
    void *data;
    jb_lang lang;        /* of what it says when it fails; 0: English */
    uint8_t reserved[4]; /* 0 */
};
/* A wallet as the log's events give it; grants past their deadline count until an event ends them.
 */
struct jb_replayed {
    jb_seq version; /* its last event */
    jb_amount paid; /* negative: debt */
    jb_amount free;
    jb_amount dormant;
    uint32_t number; /* jb_wallet_id has its id */
    uint32_t reserved;
};
struct jb_replay_result {
    size_t size;
    uint64_t events;
    uint64_t frames;
    uint8_t chain[16];
    uint32_t wallets;
    uint32_t reserved; /* 0 */
};
/*
 * Balances of all wallets from the log alone, from the first event on, the chain value of each
 * frame and the order of each wallet's events verified on the way: what state.mdb and views.mdb say
 * plays no part. It is not an audit, and asks no rules. each (NULL allowed) gets the wallets in
 * order of number and returns false to stop. The ledger may be in use meanwhile. JB_E_CORRUPT: the
 * log contradicts itself; then each gets none. It reads in the calling process: see jb_audit.
 */
JB_API JB_NODISCARD jb_status jb_replay(const char *dir, const struct jb_replay_options *opts,
                                        bool (*each)(void *data, const struct jb_replayed *w),
                                        struct jb_replay_result *ret, struct jb_error *err);

struct jb_rebuild_options {
    size_t size;
    uint8_t accept_rollback; /* the log was put back to an older state on purpose: go on from it */
    jb_progress on_progress;
    void *data;
    jb_lang lang;            /* of what it says when it fails; 0: English */
    uint8_t reserved_too[4]; /* 0 */
};
struct jb_rebuild_result {
    size_t size;
    uint64_t events;
    bool had_state,
        had_views; /* there was something to compare with, at the same sequence number */
    bool same_state, same_views; /* the new contents are byte for byte the old ones */
    uint8_t state_digest[16];    /* XXH3-128 over all tables, keys and values in order */
    uint8_t views_digest[16];
    uint32_t reserved; /* 0 */
};
/* Makes state.mdb and views.mdb anew from the log, while the ledger is in use, and switches to them
 * in one step. */
JB_API JB_NODISCARD jb_status jb_rebuild(const char *dir, const struct jb_rebuild_options *opts,
                                         struct jb_rebuild_result *ret, struct jb_error *err);

#ifdef __cplusplus
}
#endif

#endif
