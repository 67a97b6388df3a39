/*
 * A long piece of the log, folded wallet by wallet. What an event does to its wallet needs the
 * events of that wallet alone: so a piece is read once, what its wallets need of it is kept in
 * short records and sorted by wallet, and then each wallet is looked up, folded and written once,
 * in the order of the store. What that takes of memory depends on the piece alone, and what it
 * takes of time does not depend on where in the piece a wallet's events stand.
 */
#ifndef JANGBU_PROJECTIONS_BULK_H
#define JANGBU_PROJECTIONS_BULK_H

#include "projections/follow.h"

/* A piece ends with a frame, when it has so many epochs of texts or so many bytes of records. */
#define JB_BULK_EPOCHS 4
#define JB_BULK_BYTES_MAX ((size_t)128 << 20)

struct jb_bulk {
    jb_seq first;             /* the first event of the piece */
    jb_day first_open_day;    /* before it */
    JB_VEC(uint64_t) records; /* of events of wallets; in parts by wallet after jb_bulk_read */
    JB_VEC(uint64_t) read;    /* memory for them as they are read, in order of seq */
    JB_VEC(size_t) ends;      /* of the parts */
    struct jb_event_space space;
};
void jb_bulk_free(struct jb_bulk *b); /* begins with all zero, and has one piece after the other */

/*
 * Reads the next piece behind f->g.seq, up to event how->to or the end of its frame at most. f,
 * which has folded nothing since it was reset, folds all of it but the wallets. JB_E_CORRUPT,
 * without a sentence: there is something that must be folded event by event, to be told. JB_END as
 * with jb_follow.
 */
jb_status jb_bulk_read(jb_ledger *l, struct jb_fold *f, struct jb_bulk *b,
                       const struct jb_follow *how, struct jb_error *err);
/* Writes the piece into t, which is over what f stood on before. JB_E_CORRUPT as above. */
jb_status jb_bulk_store(struct jb_bulk *b, const struct jb_fold *f, struct jb_store_txn *t,
                        struct jb_error *err);

#endif
