/* The store's file, for the files of this folder: store.c opens it and has its transactions,
 * store_rows.c reads and writes rows. */
#ifndef JANGBU_STORE_FILE_H
#define JANGBU_STORE_FILE_H

#include "base/bytes.h"
#include "base/error.h"
#include "storage/lmdb_env.h"
#include "storage/store.h"

#define JB_STORE_AGREED 4096

struct jb_store {
    struct jb_env *env;
    struct jb_store_schema schema;
    uint8_t ledger_id[16];
    uint64_t seed; /* of every check: another ledger's file does not hold */
    bool read_only;
    int presence_fd;
    MDB_dbi main;
    MDB_dbi dbi[2]
               [JB_STORE_DBIS]; /* of even and of odd generations: two sets are enough for ever */
    _Atomic bool full;          /* the last write met a full map, which is to be made larger */
    _Atomic bool damaged;
    _Atomic uint64_t agreed[JB_STORE_AGREED];
};

/* A failure of LMDB, in words and as the status that a store's caller gets. */
jb_status jb_store_failed(struct jb_store *s, int code, const char *doing, struct jb_error *err);
/* A full map cannot be grown inside a transaction, of any thread here: this one is ended, and the
 * caller starts over when jb_store_grown has made it larger. */
jb_status jb_store_write_failed(struct jb_store_txn *t, int code, struct jb_error *err);

/* store_rows.c */
/* Carries out what is pending. */
jb_status jb_store_apply(struct jb_store_txn *t, struct jb_error *err);
/* Nothing is pending. */
bool jb_store_settled(const struct jb_store_txn *t);

#endif
