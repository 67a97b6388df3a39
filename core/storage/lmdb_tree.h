/*
 * A table of a snapshot of LMDB, read without LMDB: it believes what stands on a branch page, and
 * ends the process where that is damaged. Here no page is followed that has not been looked at in
 * the same call, and nothing is remembered of one that has: finding a key costs a look at the few
 * pages that lead to it, in a file of any length, also where it is damaged while it is open.
 *
 * What is found is not proven by that, only that it is a key and a value of some page: a page that
 * was put in the place of another leads astray. The blocks prove themselves (store_rows.c).
 */
#ifndef JANGBU_LMDB_TREE_H
#define JANGBU_LMDB_TREE_H

#include <lmdb.h>
#include <stdbool.h>
#include <stdint.h>

/* The pages of an open read transaction. map NULL: they are to be read by LMDB. */
struct jb_snapshot {
    const uint8_t *map;
    uint64_t pages; /* none behind them is read */
    uint32_t page_bytes;
};

/* A table there. */
struct jb_tree {
    uint64_t root;
    uint16_t depth; /* 0: it has no rows */
};

enum jb_tree_found { JB_TREE_THERE, JB_TREE_NOT_THERE, JB_TREE_DAMAGED };

/* row: what mdb_get gave of the unnamed table, in txn. map is NULL afterwards where the file's
 * pages are larger than the machine's. False: they are damaged. */
bool jb_snapshot_of(MDB_txn *txn, const MDB_val *row, struct jb_snapshot *ret);
/* The unnamed table itself, of txn, a read; key: of any of its rows, as LMDB gave it, for pages not
 * larger than the machine's. JB_TREE_NOT_THERE: it cannot be told, because others write at the same
 * time. */
enum jb_tree_found jb_tree_of_main(MDB_txn *txn, const MDB_val *key, struct jb_snapshot *ret_pages,
                                   struct jb_tree *ret);
/* value: what mdb_get gave of the unnamed table for the table's name. */
bool jb_tree_of(const MDB_val *value, struct jb_tree *ret);

/* The row with key; that with the greatest key that is not above key (below: that is smaller). What
 * is given is borrowed until the transaction ends. */
enum jb_tree_found jb_tree_get(const struct jb_snapshot *s, const struct jb_tree *t,
                               const MDB_val *key, MDB_val *ret_value);
enum jb_tree_found jb_tree_last(const struct jb_snapshot *s, const struct jb_tree *t,
                                const MDB_val *key, bool below, MDB_val *ret_key,
                                MDB_val *ret_value);

#endif
