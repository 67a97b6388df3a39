/*
 * LMDB environments, with the traps of LMDB handled once for all files: one environment per file
 * and process (opening it twice would wipe reader slots), no use after fork, a map that grows here
 * and follows when another process grew it, a check of the file's size before it is read (a cut
 * file would be a SIGBUS).
 */
#ifndef JANGBU_LMDB_ENV_H
#define JANGBU_LMDB_ENV_H

#include <jangbu/base.h>
#include <lmdb.h>

#include "storage/writer_lock.h"

struct jb_env;

/*
 * A file of a ledger (log.mdb, people.mdb, state.mdb, views.mdb) is opened with the ledger's file
 * `lock`, which see: so a process of another PID namespace is refused, one that is stopped while it
 * opens or writes is named after a deadline, and one whose lock files were deleted is found out: it
 * says so before it writes. Who may only read, on a file system or in a directory where nobody of
 * its kind can write, does without.
 */
struct jb_env_options {
    bool read_only;
    bool create;        /* make the file where it is missing */
    unsigned max_dbs;   /* 0: only the unnamed one */
    uint64_t map_bytes; /* address space to reserve; grows by doubling */
    /* After a fault at LMDB's meta page the environment is opened again by the next transaction,
     * when those of this process have ended; these named tables, in the order in which they were
     * opened, keep their numbers. false: it stays out of use. */
    bool reopens;
    const char *const *tables; /* ended by NULL; NULL: none */
};

/* JB_E_NOTFOUND, JB_E_FORMAT (no LMDB file), JB_E_CORRUPT (cut short), JB_E_IO, JB_E_READONLY. */
jb_status jb_env_open(const char *path, const struct jb_env_options *o, struct jb_env **ret,
                      struct jb_error *err);
/* The ledger's `lock`; NULL: done without, for reading only. Borrowed until jb_env_close. */
struct jb_lock *jb_env_lock(const struct jb_env *e);
struct jb_env *jb_env_close(struct jb_env *e);
/* Nothing was ever committed in it: it was only just made. */
bool jb_env_untouched(const struct jb_env *e);
MDB_env *jb_env_lmdb(const struct jb_env *e);
/* As it was given, for sentences; and the file that is opened: absolute. */
const char *jb_env_path(const struct jb_env *e);
const char *jb_env_place(const struct jb_env *e);
/* How many times this process has it open. */
unsigned jb_env_users(const struct jb_env *e);

/* Makes what reads see be what is on disk: a process that died right behind the writing of a meta
 * page leaves LMDB's lock file with the transaction before it, which readers take for the newest
 * until somebody begins to write. So a writer does this before it reads. Nothing is written. */
jb_status jb_env_refresh(struct jb_env *e, struct jb_error *err);
/* The number of the last transaction that was committed; 0: it is not known (e may be NULL). */
uint64_t jb_env_last_txn(struct jb_env *e);
/* A transaction; the map cannot change size while one is open. flags: 0 or MDB_RDONLY. A read
 * transaction that was aborted is kept for the next one, without its snapshot: so a place in
 * LMDB's table of readers is taken while somebody reads, and not by each handle. */
jb_status jb_env_begin(struct jb_env *e, unsigned flags, MDB_txn **ret, struct jb_error *err);
void jb_env_abort(struct jb_env *e, MDB_txn *txn);
/* Around mdb_dbi_open: LMDB does not take it from two threads at once. */
void jb_env_tables_lock(struct jb_env *e);
void jb_env_tables_unlock(struct jb_env *e);
/* jb_env_options.tables, where they can be told only when the file has been looked at. Under
 * jb_env_tables_lock. */
void jb_env_set_tables(struct jb_env *e, const char *const *tables);
/* Nobody else has the file open, neither in this process nor in another one. */
bool jb_env_alone(struct jb_env *e);
/* log.mdb, people.mdb: false where the file was removed, renamed or replaced since it was opened.
 * jb_env_begin says so before anything is written, and to who reads within a second; after a commit
 * it is asked again before anybody is told of it. */
bool jb_env_in_place(const struct jb_env *e);
/* The same as a status: JB_E_USAGE. */
jb_status jb_env_still(const struct jb_env *e, struct jb_error *err);
/* The LMDB code as it is; the caller knows which failures leave the outcome unknown. */
int jb_env_commit(struct jb_env *e, MDB_txn *txn);
/* A copy of the newest snapshot into fd, an empty file, synced. Until it has ended the map cannot
 * change size. */
jb_status jb_env_copy(struct jb_env *e, int fd, struct jb_error *err);
/* Lets go what killed readers left: it keeps old pages from being used again, and files grow. */
void jb_env_check_readers(struct jb_env *e);
/* About the place where the file lies: a sentence for the user, or NULL. It is static. */
const char *jb_env_warning(const struct jb_env *e);
/* Doubles the map, or as much of that as address space allows; no transaction of the caller may be
 * open. Waits for those of other threads. */
jb_status jb_env_grow(struct jb_env *e, struct jb_error *err);

/* False after a fault at LMDB's meta page: what was being committed may or may not be there, and
 * the file must be opened again. */
bool jb_env_usable(struct jb_env *e);
/* No space is left where the file lies. LMDB reports a write that was cut short by a full disk as
 * an I/O error. */
bool jb_env_full(const struct jb_env *e);

/* One sentence for an LMDB code, with the status that it means. doing: "reading log.mdb". */
jb_status jb_env_fail(struct jb_error *err, int code, const struct jb_env *e, const char *doing);

/* True in a child of the process that opened e. */
bool jb_env_forked(const struct jb_env *e);
/* The same without a system call, for what is called for each event; a child that was made without
 * fork(3) is not seen. */
bool jb_env_inherited(const struct jb_env *e);

#endif
