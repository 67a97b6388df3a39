/* What the disk and others do in the same run: to compare with, and nothing of jangbu. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One append of 4 KiB and its sync, times n: what durability costs on this disk at least. */
void floor_sync(const char *dir, size_t n);
/* A file of LMDB's, to which one record is appended and committed at a time: two syncs, as a commit
 * of the log has. */
struct floor_lmdb;
struct floor_lmdb *floor_lmdb_open(const char *dir);
void floor_lmdb_commit(struct floor_lmdb *f);
struct floor_lmdb *floor_lmdb_close(struct floor_lmdb *f);
/* The same work by SQLite (WAL, FULL, statements prepared): a balance that may not go below 0, an
 * event for each, with keyed a unique key. False: built without SQLite. */
bool peer_sqlite(const char *dir, const char *name, uint32_t wallets, size_t batch, uint64_t events,
                 bool keyed);

#endif
