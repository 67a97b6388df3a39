#include "storage/lmdb_env.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

/* Address space for a file that cannot do with less. */
#define MAP_BYTES_LEAST (UINT64_C(1) << 20)
/* How long a map that has to grow waits for the transactions of this process to end. */
#define RESIZE_WAIT_S 2

struct jb_env {
    struct jb_env *next;
    dev_t device;
    ino_t inode;
    unsigned users;
    bool read_only;
    pid_t pid;
    MDB_env *lmdb;
    char *path;
    /* The map may only change size while no transaction is open in this process. */
    pthread_mutex_t gate;
    pthread_cond_t gate_changed;
    unsigned open_txns;
    bool resizing;
};

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct jb_env *registry;

/* A fork while another thread opens or closes an environment must not leave the child with a lock
 * that nobody opens. */
static void
before_fork(void)
{
    pthread_mutex_lock(&registry_lock);
}

static void
after_fork(void)
{
    pthread_mutex_unlock(&registry_lock);
}

static void
guard_forks(void)
{
    pthread_atfork(before_fork, after_fork, after_fork);
}

MDB_env *
jb_env_lmdb(const struct jb_env *e)
{
    return e->lmdb;
}

const char *
jb_env_path(const struct jb_env *e)
{
    return e->path;
}

bool
jb_env_forked(const struct jb_env *e)
{
    return e->pid != getpid();
}

jb_status
jb_env_fail(struct jb_error *err, int code, const struct jb_env *e, const char *doing)
{
    const char *path = e != NULL && e->path != NULL ? e->path : "";
    switch (code) {
    case ENOSPC:
    case EDQUOT:
        return jb_fail(
            err, JB_E_FULL,
            "no space left on the disk while %s %s; nothing was written. Make room and try again",
            doing, path);
    case MDB_MAP_FULL:
        return jb_fail(err, JB_E_FULL, "the map of %s is full", path);
    case ENOMEM:
        return jb_fail(err, JB_E_NOMEM, "no memory while %s %s", doing, path);
    case EROFS:
        return jb_fail_errno(err, JB_E_READONLY, code, "not allowed: %s %s", doing, path);
    case EACCES:
    case EPERM:
        return jb_fail_errno(err, JB_E_READONLY, code,
                             "not allowed (a ledger is for the user who owns its files; to read is "
                             "to write to their lock files): %s %s",
                             doing, path);
    case MDB_PANIC:
        return jb_fail(err, JB_E_UNKNOWN,
                       "%s cannot be used after an earlier fault while it was written; close the "
                       "ledger and open it again",
                       path);
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
        return jb_fail(err, JB_E_CORRUPT, "%s %s: %s. Run `jangbu audit`", doing, path,
                       mdb_strerror(code));
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
        return jb_fail(err, JB_E_FORMAT, "%s is not a file of this program (%s)", path,
                       mdb_strerror(code));
    case MDB_READERS_FULL:
        return jb_fail(err, JB_E_BUSY, "too many readers of %s at once (1,024); end some of them",
                       path);
    case ETIMEDOUT:
        return jb_fail(err, JB_E_BUSY,
                       "the map of %s has to grow, and a cursor or another reader of this process "
                       "keeps it in use; close it and try again",
                       path);
    default:
        if (code > 0) {
            return jb_fail_errno(err, JB_E_IO, code, "%s %s failed", doing, path);
        }
        return jb_fail(err, JB_E_IO, "%s %s failed: %s", doing, path, mdb_strerror(code));
    }
}

/* LMDB would abort without a word on damaged pages; this says at least what to do. It cannot be
 * undone: LMDB aborts after it. */
static void
on_assert(MDB_env *lmdb, const char *text)
{
    const char *path = "";
    mdb_env_get_path(lmdb, &path);
    fprintf(stderr,
            "jangbu: %s is damaged (LMDB: %s). Run `jangbu audit`, which reads it in a process of "
            "its own.\n",
            path, text);
}

/* LMDB's locks and maps do not work across a network. */
static jb_status
check_file_system(const char *path, struct jb_error *err)
{
    struct statfs fs;
    if (statfs(path, &fs) != 0) {
        return JB_OK;
    }
    switch ((unsigned long)fs.f_type) {
    case 0x6969UL:     /* NFS */
    case 0xff534d42UL: /* CIFS */
    case 0xfe534d42UL: /* SMB2 */
    case 0x517bUL:     /* SMB */
    case 0x5346414fUL: /* AFS */
    case 0x01021997UL: /* 9P */
        return jb_fail(err, JB_E_IO,
                       "%s is on a network file system, where LMDB's locks do not hold. Put the "
                       "ledger on a local disk",
                       path);
    default:
        return JB_OK;
    }
}

/* Compares what the file's meta pages claim with what is there: reading beyond the end of a mapped
 * file kills the process. */
static jb_status
look_at(struct jb_env *e, struct stat *ret, struct jb_error *err)
{
    MDB_envinfo info;
    MDB_stat pages;
    mdb_env_info(e->lmdb, &info);
    mdb_env_stat(e->lmdb, &pages);
    /* The size behind the claim: a writer makes the file longer first and claims it then. */
    if (stat(e->path, ret) != 0) {
        return jb_fail_errno(err, JB_E_IO, errno, "cannot look at %s", e->path);
    }
    uint64_t claimed = ((uint64_t)info.me_last_pgno + 1) * pages.ms_psize;
    if ((uint64_t)ret->st_size < claimed) {
        return jb_fail(
            err, JB_E_CORRUPT,
            "%s is cut short: %llu bytes, but it has pages up to %llu. Restore it from a backup",
            e->path, (unsigned long long)ret->st_size, (unsigned long long)claimed);
    }
    return JB_OK;
}

static struct jb_env *
find(dev_t device, ino_t inode)
{
    for (struct jb_env *e = registry; e != NULL; e = e->next) {
        /* An entry that came along through fork belongs to the parent. */
        if (e->device == device && e->inode == inode && !jb_env_forked(e)) {
            return e;
        }
    }
    return NULL;
}

static void
release(struct jb_env *e)
{
    if (e->lmdb != NULL) {
        mdb_env_close(e->lmdb);
    }
    pthread_cond_destroy(&e->gate_changed);
    pthread_mutex_destroy(&e->gate);
    free(e->path);
    free(e);
}

/* e->lmdb is NULL where it fails. */
static int
open_lmdb(struct jb_env *e, const struct jb_env_options *o, uint64_t map_bytes, unsigned more_flags)
{
    int code = mdb_env_create(&e->lmdb);
    if (code != 0) {
        e->lmdb = NULL;
        return code;
    }
    mdb_env_set_assert(e->lmdb, on_assert);
    mdb_env_set_maxreaders(e->lmdb, 1024);
    mdb_env_set_mapsize(e->lmdb, (size_t)map_bytes);
    mdb_env_set_maxdbs(e->lmdb, o->max_dbs);
    /* NORDAHEAD would suit random reads; the log is mostly read forward. NOTLS: a snapshot belongs
     * to its object, not to a thread. */
    code =
        mdb_env_open(e->lmdb, e->path,
                     MDB_NOSUBDIR | MDB_NOTLS | (o->read_only ? MDB_RDONLY : 0) | more_flags, 0600);
    if (code != 0) {
        mdb_env_close(e->lmdb);
        e->lmdb = NULL;
    }
    return code;
}

static jb_status
open_new(const char *path, const struct jb_env_options *o, struct jb_env **ret,
         struct jb_error *err)
{
    struct jb_env *e = calloc(1, sizeof *e);
    if (e == NULL || (e->path = strdup(path)) == NULL) {
        free(e);
        return jb_fail(err, JB_E_NOMEM, "no memory to open %s", path);
    }
    pthread_mutex_init(&e->gate, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&e->gate_changed, &attr);
    pthread_condattr_destroy(&attr);
    e->pid = getpid();
    e->read_only = o->read_only;
    struct stat st;
    uint64_t map_bytes = o->map_bytes;
    int code = open_lmdb(e, o, map_bytes, 0);
    /* Where address space is limited (ulimit -v) less of it is reserved: the map grows when it has
     * to. */
    while ((code == ENOMEM || code == EINVAL) && map_bytes > MAP_BYTES_LEAST) {
        map_bytes /= 4;
        code = open_lmdb(e, o, map_bytes, 0);
    }
    if (code == EROFS && o->read_only) {
        /* The lock file cannot be made on a read-only file system: nobody can write there either,
         * so no lock is needed. */
        code = open_lmdb(e, o, map_bytes, MDB_NOLOCK);
    }
    if (code != 0) {
        jb_status status = jb_env_fail(err, code, e, "opening");
        release(e);
        return status;
    }
    int fd = -1;
    mdb_env_get_fd(e->lmdb, &fd);
    /* 0.9.24 opens its first descriptor without O_CLOEXEC. */
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    jb_status status = look_at(e, &st, err);
    if (status != JB_OK) {
        release(e);
        return status;
    }
    int dead;
    mdb_reader_check(e->lmdb, &dead);
    e->device = st.st_dev;
    e->inode = st.st_ino;
    e->users = 1;
    e->next = registry;
    registry = e;
    *ret = e;
    return JB_OK;
}

static jb_status
open_locked(const char *path, const struct jb_env_options *o, struct jb_env **ret,
            struct jb_error *err)
{
    struct stat st;
    bool there = stat(path, &st) == 0;
    if (!there && errno != ENOENT && errno != ENOTDIR) {
        return jb_fail_errno(err, errno == EACCES ? JB_E_READONLY : JB_E_IO, errno,
                             "cannot look at %s", path);
    }
    if (!there && (o->read_only || !o->create)) {
        return jb_fail(err, JB_E_NOTFOUND, "there is no %s", path);
    }
    if (there && st.st_size == 0 && !o->create) {
        return jb_fail(err, JB_E_FORMAT, "%s is empty", path);
    }
    /* A file that may be made is one with nothing in it as well; who only reads cannot make it. */
    if (there && st.st_size == 0 && o->read_only) {
        return jb_fail(err, JB_E_NOTFOUND, "%s is empty", path);
    }
    if (there) {
        jb_status status = check_file_system(path, err);
        if (status != JB_OK) {
            return status;
        }
    }
    struct jb_env *e = there ? find(st.st_dev, st.st_ino) : NULL;
    if (e == NULL) {
        return open_new(path, o, ret, err);
    }
    if (e->read_only && !o->read_only) {
        return jb_fail(err, JB_E_USAGE,
                       "%s is open for reading only in this process; close that handle first",
                       path);
    }
    e->users++;
    *ret = e;
    return JB_OK;
}

jb_status
jb_env_open(const char *path, const struct jb_env_options *o, struct jb_env **ret,
            struct jb_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, guard_forks);
    pthread_mutex_lock(&registry_lock);
    jb_status status = open_locked(path, o, ret, err);
    pthread_mutex_unlock(&registry_lock);
    return status;
}

struct jb_env *
jb_env_close(struct jb_env *e)
{
    if (e == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&registry_lock);
    if (--e->users == 0) {
        struct jb_env **at = &registry;
        while (*at != e) {
            at = &(*at)->next;
        }
        *at = e->next;
        if (!jb_env_forked(e)) {
            release(e); /* in a forked child the environment is the parent's: it is left alone */
        }
    }
    pthread_mutex_unlock(&registry_lock);
    return NULL;
}

unsigned
jb_env_users(const struct jb_env *e)
{
    pthread_mutex_lock(&registry_lock);
    unsigned users = e->users;
    pthread_mutex_unlock(&registry_lock);
    return users;
}

static void
enter(struct jb_env *e)
{
    pthread_mutex_lock(&e->gate);
    while (e->resizing) {
        pthread_cond_wait(&e->gate_changed, &e->gate);
    }
    e->open_txns++;
    pthread_mutex_unlock(&e->gate);
}

static void
leave(struct jb_env *e)
{
    pthread_mutex_lock(&e->gate);
    if (--e->open_txns == 0) {
        pthread_cond_broadcast(&e->gate_changed);
    }
    pthread_mutex_unlock(&e->gate);
}

/* bytes 0: take over the size that another process gave it. ETIMEDOUT: transactions of this process
 * stayed open. */
static int
resize(struct jb_env *e, uint64_t bytes)
{
    pthread_mutex_lock(&e->gate);
    while (e->resizing) {
        pthread_cond_wait(&e->gate_changed, &e->gate);
    }
    e->resizing = true;
    int code = 0;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += RESIZE_WAIT_S;
    /* One of them may be the caller's own cursor, which ends only when this call has: so not for
     * ever. */
    while (e->open_txns > 0 && code == 0) {
        code = pthread_cond_timedwait(&e->gate_changed, &e->gate, &until);
    }
    if (code == 0 || e->open_txns == 0) {
        code = mdb_env_set_mapsize(e->lmdb, (size_t)bytes);
    }
    e->resizing = false;
    pthread_cond_broadcast(&e->gate_changed);
    pthread_mutex_unlock(&e->gate);
    return code;
}

jb_status
jb_env_grow(struct jb_env *e, struct jb_error *err)
{
    MDB_envinfo info;
    mdb_env_info(e->lmdb, &info);
    int code = resize(e, (uint64_t)info.me_mapsize * 2);
    return code == 0 ? JB_OK : jb_env_fail(err, code, e, "growing");
}

static int
begin(struct jb_env *e, unsigned flags, MDB_txn **txn)
{
    for (;;) {
        enter(e);
        int code = *txn == NULL ? mdb_txn_begin(e->lmdb, NULL, flags, txn) : mdb_txn_renew(*txn);
        if (code == 0) {
            return 0;
        }
        leave(e);
        if (code == MDB_READERS_FULL) {
            int dead = 0;
            if (mdb_reader_check(e->lmdb, &dead) == 0 && dead > 0) {
                continue;
            }
        }
        if (code != MDB_MAP_RESIZED) {
            return code;
        }
        code = resize(e, 0);
        if (code != 0) {
            return code;
        }
    }
}

jb_status
jb_env_begin(struct jb_env *e, unsigned flags, MDB_txn **ret, struct jb_error *err)
{
    if (jb_env_forked(e)) {
        return jb_fail(err, JB_E_USAGE, "%s was opened before fork(); open the ledger in the child",
                       e->path);
    }
    MDB_txn *txn = NULL;
    int code = begin(e, flags, &txn);
    if (code != 0) {
        return jb_env_fail(err, code, e, flags & MDB_RDONLY ? "reading" : "writing");
    }
    *ret = txn;
    return JB_OK;
}

jb_status
jb_env_refresh(struct jb_env *e, struct jb_error *err)
{
    MDB_txn *txn = NULL;
    jb_status status = jb_env_begin(e, 0, &txn, err);
    if (status == JB_OK) {
        jb_env_abort(e, txn);
    }
    return status;
}

jb_status
jb_env_renew(struct jb_env *e, MDB_txn *txn, struct jb_error *err)
{
    if (jb_env_forked(e)) {
        return jb_fail(err, JB_E_USAGE, "%s was opened before fork(); open the ledger in the child",
                       e->path);
    }
    int code = begin(e, MDB_RDONLY, &txn);
    return code == 0 ? JB_OK : jb_env_fail(err, code, e, "reading");
}

bool
jb_env_usable(struct jb_env *e)
{
    MDB_txn *txn = NULL;
    int code = begin(e, MDB_RDONLY, &txn);
    if (code == 0) {
        jb_env_abort(e, txn);
    }
    return code != MDB_PANIC;
}

bool
jb_env_full(const struct jb_env *e)
{
    struct statvfs fs;
    return statvfs(e->path, &fs) == 0 && fs.f_bavail < 64;
}

void
jb_env_reset(struct jb_env *e, MDB_txn *txn)
{
    mdb_txn_reset(txn);
    leave(e);
}

void
jb_env_abort(struct jb_env *e, MDB_txn *txn)
{
    mdb_txn_abort(txn);
    leave(e);
}

void
jb_env_drop(struct jb_env *e, MDB_txn *txn)
{
    (void)e;
    mdb_txn_abort(txn);
}

int
jb_env_commit(struct jb_env *e, MDB_txn *txn)
{
    int code = mdb_txn_commit(txn);
    leave(e);
    return code;
}
