#include "storage/lmdb_env.h"

#include "base/error.h"
#include "storage/descriptors.h"
#include "storage/place.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

/* Address space for a file that cannot do with less. */
#define MAP_BYTES_LEAST (UINT64_C(1) << 20)
/* How long a map that has to grow waits for the transactions of this process to end. */
#define RESIZE_WAIT_S 2
/* Places in the table of readers that LMDB keeps in its lock file: one for each snapshot that is
 * held, and for each that is kept ready. */
#define READERS_MAX 1024
#define READER_BYTES 64
/* Read transactions without a snapshot that are kept for the next who asks. */
#define IDLE_MAX 2
/* How often a transaction is begun again because the map was too small, or its snapshot not the
 * newest: each time there is a reason, and a file that is damaged gives one for ever. */
#define TRIES_MAX 8

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
    bool unmapped; /* no address space was left even for what was mapped before */
    unsigned idle_n;
    MDB_txn *idle[IDLE_MAX];
    _Atomic(MDB_txn *) writing; /* the write transaction of this process */
    const char *warning;        /* about the place of the file; NULL: none */
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

struct reader_count {
    long last_pid;
    unsigned snapshots, processes;
};

/* A line of mdb_reader_list: process, thread, transaction; or a heading. */
static int
count_reader(const char *line, void *data)
{
    struct reader_count *c = data;
    long pid = 0;
    const char *p = line + strspn(line, " ");
    for (; *p >= '0' && *p <= '9' && pid < INT32_MAX; p++) {
        pid = pid * 10 + (*p - '0');
    }
    if (pid > 0) {
        c->snapshots++;
        c->processes += pid != c->last_pid;
        c->last_pid = pid;
    }
    return 0;
}

static jb_status
readers_full(struct jb_error *err, const struct jb_env *e)
{
    struct reader_count c = {0};
    if (e != NULL && e->lmdb != NULL) {
        mdb_reader_list(e->lmdb, count_reader, &c);
    }
    return jb_fail(err, JB_E_BUSY,
                   "too many readers of %s at once: %u snapshots of about %u processes fill its "
                   "table. End some of the processes, cursors or queries",
                   e != NULL ? e->path : "the ledger", c.snapshots, c.processes);
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
    case EINVAL:
        return jb_fail_errno(err, JB_E_IO, code,
                             "%s %s failed: it cannot be mapped into memory, or a lock file of the "
                             "ledger is damaged. Lock files may be deleted while no program uses "
                             "the ledger",
                             doing, path);
    case EAGAIN:
        return jb_fail_errno(err, JB_E_BUSY, code,
                             "%s %s failed: a process with the same number holds its lock file, in "
                             "another PID namespace (container). Let both share one",
                             doing, path);
    case EROFS:
        return jb_fail_errno(err, JB_E_READONLY, code, "not allowed: %s %s", doing, path);
    case EACCES:
    case EPERM:
        return jb_fail_errno(err, JB_E_READONLY, code,
                             "not allowed (a ledger is for the user who owns its files; to read is "
                             "to write to their lock files. Give an auditor a backup, made with "
                             "`jangbu backup`): %s %s",
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
        return readers_full(err, e);
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
    uint64_t claimed;
    if (__builtin_mul_overflow((uint64_t)info.me_last_pgno + 1, pages.ms_psize, &claimed) ||
        (uint64_t)info.me_last_pgno == UINT64_MAX) {
        claimed = UINT64_MAX;
    }
    if ((uint64_t)ret->st_size < claimed) {
        return jb_fail(
            err, JB_E_CORRUPT,
            "%s is cut short, or its first pages are damaged: it has %llu bytes, and claims %llu. "
            "Restore it from a backup",
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
        while (e->idle_n > 0) {
            mdb_txn_abort(e->idle[--e->idle_n]);
        }
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
    mdb_env_set_maxreaders(e->lmdb, READERS_MAX);
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

/* Blocks for the whole table of readers, before LMDB maps it: a store into a hole of a full disk
 * would be a SIGBUS. LMDB makes what it finds here too short longer, and what is new, new. Where
 * the file system reserves nothing, it is as it was. */
static int
reserve_lock_file(const struct jb_env *e)
{
    char path[4096 + 8];
    snprintf(path, sizeof path, "%s-lock", e->path);
    int fd = jb_descriptor_open(path, O_RDWR | O_CREAT, 0600);
    if (fd < 0) {
        return errno == EROFS || errno == EACCES ? 0 : errno; /* LMDB says it, or does without */
    }
    int code;
    do {
        code = fallocate(fd, 0, 0, (READERS_MAX + 2) * READER_BYTES) != 0 ? errno : 0;
    } while (code == EINTR);
    close(fd);
    return code == EOPNOTSUPP || code == ENOSYS ? 0 : code;
}

/* Where address space is limited (ulimit -v), a fair part of what there is: a ledger has four
 * files, each of which may be open twice while one of them is made anew. */
static uint64_t
map_bytes_for(uint64_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return wanted;
    }
    uint64_t part = (uint64_t)limit.rlim_cur / 16 & ~(MAP_BYTES_LEAST - 1);
    part = part < MAP_BYTES_LEAST ? MAP_BYTES_LEAST : part;
    return wanted < part ? wanted : part;
}

/* Follows a file of a lower layer of an overlay to where the first write puts it: who opens it
 * for reading before that would see the old one for ever. */
static void
follow_overlay(const char *path)
{
    if (jb_place_is_overlay(path)) {
        int fd = jb_descriptor_open(path, O_RDWR, 0);
        if (fd >= 0) {
            close(fd);
        }
    }
}

static int
open_map(struct jb_env *e, const struct jb_env_options *o)
{
    uint64_t map_bytes = map_bytes_for(o->map_bytes);
    int code = reserve_lock_file(e);
    code = code == 0 ? open_lmdb(e, o, map_bytes, 0) : code;
    /* Where less address space is to be had (other limits; valgrind) less of it is reserved: the
     * map grows when it has to. */
    while ((code == ENOMEM || code == EINVAL) && map_bytes > MAP_BYTES_LEAST) {
        map_bytes /= 4;
        code = open_lmdb(e, o, map_bytes, 0);
    }
    if (code == EROFS && o->read_only) {
        /* The lock file cannot be made on a read-only file system: nobody can write there either,
         * so no lock is needed. */
        code = open_lmdb(e, o, map_bytes, MDB_NOLOCK);
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
    follow_overlay(path);
    struct jb_descriptor_gaps gaps;
    jb_descriptor_gaps_fill(&gaps);
    int code = open_map(e, o);
    jb_descriptor_gaps_leave(&gaps);
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
    const char *warning = NULL;
    jb_status status = there ? jb_place_check(path, &warning, err) : JB_OK;
    if (status != JB_OK) {
        return status;
    }
    struct jb_env *e = there ? find(st.st_dev, st.st_ino) : NULL;
    if (e == NULL) {
        status = open_new(path, o, ret, err);
        if (status == JB_OK) {
            (*ret)->warning = warning;
        }
        return status;
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

const char *
jb_env_warning(const struct jb_env *e)
{
    return e->warning;
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

/* ETIMEDOUT: transactions of this process stayed open. */
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
        MDB_envinfo before;
        mdb_env_info(e->lmdb, &before);
        code = mdb_env_set_mapsize(e->lmdb, (size_t)bytes);
        if (code != 0) {
            /* LMDB has let the old map go already, and would use it all the same. What was mapped a
             * moment ago can be mapped again. */
            e->unmapped = mdb_env_set_mapsize(e->lmdb, before.me_mapsize) != 0;
        }
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
    jb_env_check_readers(e); /* killed ones keep pages from being used again */
    uint64_t more = info.me_mapsize;
    int code = resize(e, (uint64_t)info.me_mapsize + more);
    while ((code == ENOMEM || code == EINVAL) && more > MAP_BYTES_LEAST) {
        more /= 4;
        code = resize(e, (uint64_t)info.me_mapsize + more);
    }
    return code == 0 ? JB_OK : jb_env_fail(err, code, e, "growing");
}

void
jb_env_check_readers(struct jb_env *e)
{
    int dead;
    mdb_reader_check(e->lmdb, &dead);
}

/* Takes over the size that another process gave the file. What its meta pages claim is looked at
 * first: LMDB would map whatever a damaged one says. */
static jb_status
follow_size(struct jb_env *e, struct jb_error *err)
{
    struct stat st;
    jb_status status = look_at(e, &st, err);
    if (status != JB_OK) {
        return status;
    }
    MDB_envinfo info;
    mdb_env_info(e->lmdb, &info);
    uint64_t bytes = info.me_mapsize;
    while (bytes < (uint64_t)st.st_size) {
        bytes *= 2;
    }
    int code = resize(e, bytes);
    return code == 0 ? JB_OK : jb_env_fail(err, code, e, "growing");
}

/* An idle read transaction, or NULL. */
static MDB_txn *
take_idle(struct jb_env *e)
{
    pthread_mutex_lock(&e->gate);
    MDB_txn *txn = e->idle_n > 0 ? e->idle[--e->idle_n] : NULL;
    pthread_mutex_unlock(&e->gate);
    return txn;
}

/* True: it is kept for the next who asks, without its snapshot. */
static bool
keep_idle(struct jb_env *e, MDB_txn *txn)
{
    pthread_mutex_lock(&e->gate);
    bool keep = e->idle_n < IDLE_MAX;
    if (keep) {
        mdb_txn_reset(txn);
        e->idle[e->idle_n++] = txn;
    }
    pthread_mutex_unlock(&e->gate);
    return keep;
}

/* One try; on failure nothing is open. */
static int
begin_once(struct jb_env *e, unsigned flags, MDB_txn **ret)
{
    MDB_txn *txn = flags & MDB_RDONLY ? take_idle(e) : NULL;
    enter(e);
    int code = e->unmapped   ? ENOMEM
               : txn == NULL ? mdb_txn_begin(e->lmdb, NULL, flags, &txn)
                             : mdb_txn_renew(txn);
    if (code == 0) {
        *ret = txn;
        return 0;
    }
    if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    leave(e);
    return code;
}

static jb_status
begin(struct jb_env *e, unsigned flags, MDB_txn **ret, int *ret_code, struct jb_error *err)
{
    const char *doing = flags & MDB_RDONLY ? "reading" : "writing";
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        int code = begin_once(e, flags, ret);
        *ret_code = code;
        if (code == 0) {
            if (!(flags & MDB_RDONLY)) {
                atomic_store(&e->writing, *ret);
            }
            return JB_OK;
        }
        int dead = 0;
        if (code == MDB_READERS_FULL && mdb_reader_check(e->lmdb, &dead) == 0 && dead > 0) {
            continue;
        }
        jb_status status =
            code == MDB_MAP_RESIZED ? follow_size(e, err) : jb_env_fail(err, code, e, doing);
        if (status != JB_OK) {
            return status;
        }
    }
    return jb_fail(err, JB_E_CORRUPT,
                   "%s cannot be read: its first pages claim more than its map, however large that "
                   "is. Run `jangbu audit`",
                   e->path);
}

static jb_status
forked(struct jb_error *err, const struct jb_env *e)
{
    return jb_fail(err, JB_E_USAGE, "%s was opened before fork(); open the ledger in the child",
                   e->path);
}

jb_status
jb_env_begin(struct jb_env *e, unsigned flags, MDB_txn **ret, struct jb_error *err)
{
    if (jb_env_forked(e)) {
        return forked(err, e);
    }
    int code;
    return begin(e, flags, ret, &code, err);
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

bool
jb_env_usable(struct jb_env *e)
{
    MDB_txn *txn;
    int code;
    if (begin(e, MDB_RDONLY, &txn, &code, NULL) == JB_OK) {
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
jb_env_abort(struct jb_env *e, MDB_txn *txn)
{
    if (jb_env_forked(e)) {
        return; /* it is the parent's, and so is the place in the table of readers */
    }
    bool write = txn == atomic_load(&e->writing);
    if (write) {
        atomic_store(&e->writing, NULL);
    }
    if (write || !keep_idle(e, txn)) {
        mdb_txn_abort(txn);
    }
    leave(e);
}

int
jb_env_commit(struct jb_env *e, MDB_txn *txn)
{
    if (txn == atomic_load(&e->writing)) {
        atomic_store(&e->writing, NULL);
    }
    int code = mdb_txn_commit(txn);
    leave(e);
    return code;
}

/* As a transaction that is open: LMDB's copy begins one of its own, which the map must not change
 * under. */
static int
copy_once(struct jb_env *e, int fd)
{
    enter(e);
    int code = mdb_env_copyfd2(e->lmdb, fd, MDB_CP_COMPACT);
    leave(e);
    return code;
}

jb_status
jb_env_copy(struct jb_env *e, int fd, struct jb_error *err)
{
    if (jb_env_forked(e)) {
        return forked(err, e);
    }
    int code = copy_once(e, fd);
    for (int tries = 1; code == MDB_MAP_RESIZED && tries < TRIES_MAX; tries++) {
        jb_status status = follow_size(e, err);
        if (status != JB_OK) {
            return status;
        }
        code = ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0 ? errno : copy_once(e, fd);
    }
    code = code == 0 && fsync(fd) != 0 ? errno : code;
    return code == 0 ? JB_OK : jb_env_fail(err, code, e, "copying");
}
