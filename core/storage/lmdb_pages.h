/*
 * LMDB's own pages, looked at before LMDB does: it ends the process that reads a damaged branch or
 * free page, whatever the rows say. Everything that it follows is followed here first: both meta
 * pages, every page of every tree, and the list of free pages, for who is going to write; for who
 * only reads, the pages with the tables' names. Rows he finds by lmdb_tree.h, which looks at each
 * page when it comes by.
 */
#ifndef JANGBU_LMDB_PAGES_H
#define JANGBU_LMDB_PAGES_H

#include <stdbool.h>
#include <stdint.h>

/* What is larger is written to without a look at the leaves of its tables: that costs as long as
 * reading it. The rest is a hundredth. */
#define JB_PAGES_LOOK_BYTES_MAX (UINT64_C(256) << 20)

enum jb_pages_found {
    JB_PAGES_SOUND,
    JB_PAGES_DAMAGED,
    JB_PAGES_UNKNOWN /* no memory, or the file cannot be read now */
};

/* The meta pages alone, before the file is opened. A file that is not there, or
 * has not got both, is left to LMDB. */
enum jb_pages_found jb_pages_look_at_metas(const char *path);
/* Everything that the snapshot txn_id (mdb_txn_id of an open read transaction, which keeps it)
 * reaches; of a file with more bytes than leaves_of_bytes_max not the leaves of its tables. */
enum jb_pages_found jb_pages_look_at_all(const char *path, uint64_t txn_id,
                                         uint64_t leaves_of_bytes_max);
/* Of that, the pages that lead to the tables, and not what lies in them: a few, however large the
 * file is. */
enum jb_pages_found jb_pages_look_at_names(const char *path, uint64_t txn_id);

#endif
