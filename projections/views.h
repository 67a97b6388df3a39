/* For replay: making views.mdb again, and comparing it with a fold that takes nothing from it. */
#ifndef JANGBU_PROJECTIONS_VIEWS_H
#define JANGBU_PROJECTIONS_VIEWS_H

#include <jangbu/projections.h>

struct jb_fold;
struct jb_fold_drain;
struct jb_tally;
struct jb_store_txn;

/* A fold that has a drain: what went there is known by its sums, of each table (JB_VT_N). Where
 * they are not those of views.mdb the log is folded again, to another drain, which gets all rows of
 * the tables that jb_fold_drains names. */
struct jb_views_drained {
    const struct jb_tally *sums;
    jb_status (*again)(void *data, const struct jb_fold_drain *drain, struct jb_error *err);
    void *data;
};

/* Compares every table of views.mdb, row by row, with a fold of the log that took nothing from it
 * and stands at the same event, where the log's chain value is `chain`; says each difference in a
 * sentence. drained: NULL where the fold has no drain. */
jb_status jb_views_compare(struct jb_store_txn *t, const struct jb_fold *fold,
                           const struct jb_views_drained *drained, const uint8_t chain[16],
                           void (*differs)(void *data, const char *text), void *data,
                           struct jb_error *err);

struct jb_views_rebuilt {
    bool had;           /* there was a views.mdb to compare with */
    bool same;          /* the new one is byte for byte the same at the same event */
    uint8_t digest[16]; /* over all tables, keys and values in order */
};
/* Makes the tables of views.mdb anew from the first event on and switches to them in one
 * transaction. */
jb_status jb_views_rebuild(jb_ledger *l, jb_progress on_progress, void *data,
                           struct jb_views_rebuilt *ret, struct jb_error *err);

#endif
