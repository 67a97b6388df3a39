/* Reading views.mdb in a snapshot. A value that cannot be understood is JB_E_STALE with its place:
 * never a figure. */
#ifndef JANGBU_PROJECTIONS_STORED_H
#define JANGBU_PROJECTIONS_STORED_H

#include "projections/wallet_summary.h"

/* All take the transaction of a store that has jb_views_schema; NULL reads as an empty store. Not
 * found: *ret_found false. */
jb_status jb_stored_summary(struct jb_store_txn *t, uint32_t wallet, struct jb_summary *ret,
                            bool *ret_found, struct jb_error *err);
/* The snapshot with the largest seq <= at_most, the one with the smallest seq > above. */
jb_status jb_stored_snapshot_at_most(struct jb_store_txn *t, uint32_t wallet, jb_seq at_most,
                                     struct jb_summary *ret, bool *ret_found, struct jb_error *err);
jb_status jb_stored_snapshot_above(struct jb_store_txn *t, uint32_t wallet, jb_seq above,
                                   jb_seq *ret, bool *ret_found, struct jb_error *err);
/* table: JB_VT_ROWS or JB_VT_MOVED. */
jb_status jb_stored_row_at_most(struct jb_store_txn *t, unsigned table, uint32_t wallet, jb_day day,
                                struct jb_day_row *ret, bool *ret_found, struct jb_error *err);
/* Rows of a wallet with from <= day <= to, in order; each returns a status other than JB_OK to stop
 * with it. */
jb_status
jb_stored_rows(struct jb_store_txn *t, unsigned table, uint32_t wallet, jb_day from, jb_day to,
               jb_status (*each)(void *data, const struct jb_day_row *row, struct jb_error *err),
               void *data, struct jb_error *err);
jb_status jb_stored_grant(struct jb_store_txn *t, uint32_t wallet, uint32_t ordinal,
                          struct jb_grant_terms *ret, bool *ret_found, struct jb_error *err);
jb_status jb_stored_close(struct jb_store_txn *t, jb_day day, struct jb_close *ret, bool *ret_found,
                          struct jb_error *err);
/* Everything but seq, which is the store's meta. */
jb_status jb_stored_global(struct jb_store_txn *t, struct jb_view_global *ret,
                           struct jb_error *err);

/* The newest refused command of that wallet and hash with a number below at->seq; 0: none. */
jb_status jb_stored_refused_below(struct jb_store_txn *t, const struct jb_refused *at, jb_seq *ret,
                                  struct jb_error *err);

/* That chunk of a bucket of texts. *value borrows until the transaction ends (of a write: until the
 * next put). */
jb_status jb_stored_text(struct jb_store_txn *t, jb_seq epoch, uint32_t bucket, uint32_t chunk,
                         const uint8_t **value, size_t *value_n, bool *ret_found,
                         struct jb_error *err);
/* The bucket's newest chunk of texts with a number below *chunk, which gets its number. *value as
 * above. */
jb_status jb_stored_texts_below(struct jb_store_txn *t, jb_seq epoch, uint32_t bucket,
                                uint32_t *chunk, const uint8_t **value, size_t *value_n,
                                bool *ret_found, struct jb_error *err);

#endif
