/* The fold of the log over a store, in pieces that can be stored. */
#ifndef JANGBU_PROJECTIONS_FOLLOW_H
#define JANGBU_PROJECTIONS_FOLLOW_H

#include "ledger/reader.h"
#include "projections/fold.h"

/* How far the store may lag: the fold of that tail is what opening costs. */
#define JB_UNSTORED_EVENTS_MAX 200000
struct jb_follow {
    jb_seq to;     /* an event that the log has */
    bool bounded;  /* ends sooner, with a frame, when the tail is long enough to be stored */
    jb_seq stored; /* what the fold stands on */
    jb_progress on_progress; /* NULL allowed */
    void *data;
};
/* Folds the events behind f->g.seq over base, as jb_fold_event has it. JB_END: the log ends before
 * event `to`. */
jb_status jb_follow(jb_ledger *l, struct jb_fold *f, struct jb_store_txn *base,
                    const struct jb_follow *how, struct jb_error *err);

#endif
