#include "storage/lmdb_env.h"

#include "base/clock.h"
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
/* How often a reader looks for the newest snapshot: commits come between two looks. */
#define READ_TRIES 3
/* How often who writes looks for readers that were killed. */
#define READERS_CHECK_US JB_US_PER_SECOND
/* How often who reads looks whether the file is still the one at its path. Who writes looks each
 * time. */
#define PLACE_CHECK_US JB_US_PER_SECOND
/* How long a writer of people.mdb, state.mdb or views.mdb waits for another, and who opens a file
 * for who is opening it. */
#define WRITER_WAIT_US (10 * JB_US_PER_SECOND)
#define CACHE_WAIT_US (2 * JB_US_PER_SECOND)
/* Bytes of a file that are locked: by who writes to it, and by everyone who has it open. */
enum { BYTE_WRITER = 0, BYTE_PRESENCE = 1 };
/* Not one of a ledger's files: there is no mutex for its writers. */
#define NO_NAME JB_LOCKS

struct jb_env {
    struct jb_env *next;
    dev_t device;
    ino_t inode;
    unsigned users;
    bool read_only;
    pid_t pid;
    unsigned forks;
    struct jb_env_options options;
    MDB_env *lmdb; /* NULL: it could not be opened again */
    char *path;    /* as it was given, for sentences */
    char *place;   /* the same, absolute: the process may change its directory */
    /* The map may only change size while no transaction is open in this process. */
    pthread_mutex_t gate;
    pthread_cond_t gate_changed;
    unsigned open_txns;
    bool resizing;
    bool unmapped; /* no address space was left even for what was mapped before */
    unsigned idle_n;
    MDB_txn *idle[IDLE_MAX];
    pthread_mutex_t tables;
    _Atomic int64_t readers_checked_at, place_checked_at;
    struct jb_lock *lock;       /* NULL: done without */
    enum jb_lock_name name;     /* of the mutex for who writes to it */
    int fd;                     /* for locks of its bytes; -1: done without */
    bool byte_held;             /* BYTE_WRITER, by the write transaction */
    ino_t lock_inode;           /* of LMDB's lock file */
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
    jb_descriptor_guard_forks();
    jb_lock_guard_forks(); /* before this: fork takes the locks in the other order, as they nest */
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

const char *
jb_env_place(const struct jb_env *e)
{
    return e->place;
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
                   e != NULL ? e->path : jb_tr("the ledger"), c.snapshots, c.processes);
}

bool
jb_env_inherited(const struct jb_env *e)
{
    return e->forks != jb_descriptor_forks();
}

jb_status
jb_env_fail(struct jb_error *err, int code, const struct jb_env *e, const char *doing)
{
    const char *path = e != NULL && e->path != NULL ? e->path : "";
    switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return jb_fail(
            err, JB_E_FULL,
            "no space left on the disk while %s %s; nothing was written. Make room and try again",
            jb_tr(doing), path);
    case MDB_MAP_FULL:
        return jb_fail(err, JB_E_FULL, "the map of %s is full", path);
    case ENOMEM:
        return jb_fail(err, JB_E_NOMEM, "no memory while %s %s", jb_tr(doing), path);
    case EINVAL:
        return jb_fail_errno(err, JB_E_IO, code,
                             "%s %s failed: it cannot be mapped into memory, or a lock file of the "
                             "ledger is damaged. Lock files may be deleted while no program uses "
                             "the ledger",
                             jb_tr(doing), path);
    case EAGAIN:
        return jb_fail_errno(err, JB_E_BUSY, code,
                             "%s %s failed: a process with the same number holds its lock file, in "
                             "another PID namespace (container). Let both share one",
                             jb_tr(doing), path);
    case EROFS:
        return jb_fail_errno(err, JB_E_READONLY, code, "not allowed: %s %s", jb_tr(doing), path);
    case EACCES:
    case EPERM:
        return jb_fail_errno(err, JB_E_READONLY, code,
                             "not allowed (a ledger is for the user who owns its files; to read is "
                             "to write to their lock files. Give an auditor a backup, made with "
                             "`jangbu backup`): %s %s",
                             jb_tr(doing), path);
    case MDB_PANIC:
        return jb_fail(err, JB_E_UNKNOWN,
                       "%s cannot be used after an earlier fault while it was written; close the "
                       "ledger and open it again",
                       path);
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
        return jb_fail(err, JB_E_CORRUPT, "%s %s: %s. Run `jangbu audit`", jb_tr(doing), path,
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
            return jb_fail_errno(err, JB_E_IO, code, "%s %s failed", jb_tr(doing), path);
        }
        return jb_fail(err, JB_E_IO, "%s %s failed: %s", jb_tr(doing), path, mdb_strerror(code));
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
            jb_tr("jangbu: %s is damaged (LMDB: %s). Run `jangbu audit`, which reads it in a "
                  "process of its own.\n"),
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
    if (stat(e->place, ret) != 0) {
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
    if (e->pid == getpid()) {
        jb_descriptor_close(e->fd); /* before `lock`: who is in here is in there */
    }
    jb_lock_close(e->lock);
    pthread_mutex_destroy(&e->tables);
    pthread_cond_destroy(&e->gate_changed);
    pthread_mutex_destroy(&e->gate);
    free(e->place);
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
        mdb_env_open(e->lmdb, e->place,
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
    snprintf(path, sizeof path, "%s-lock", e->place);
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

static enum jb_lock_name
name_of(const char *path)
{
    static const struct {
        const char *file;
        enum jb_lock_name name;
    } files[] = {{"log.mdb", JB_LOCK_WRITER},
                 {"people.mdb", JB_LOCK_PEOPLE},
                 {"state.mdb", JB_LOCK_STATE},
                 {"views.mdb", JB_LOCK_VIEWS}};
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (strcmp(slash != NULL ? slash + 1 : path, files[i].file) == 0) {
            return files[i].name;
        }
    }
    return NO_NAME;
}

/* Bytes of the file itself, and not of a lock file, which may be deleted: by its open file
 * description, so that no close elsewhere in the process lets them go. */
static int
lock_byte(int fd, int byte, short type)
{
    struct flock fl = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &fl) == 0 ? 0 : errno;
}

static bool
others_have(int fd)
{
    struct flock fl = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = BYTE_PRESENCE, .l_len = 1};
    return fcntl(fd, F_OFD_GETLK, &fl) == 0 && fl.l_type != F_UNLCK;
}

/* A process that ends lets its mutexes go first and its descriptors a moment later: what its locks
 * seem to say until then is not believed. */
#define ENDING_WAIT_US 2000000
#define ENDING_STEP_US 500

static void
step_back(void)
{
    struct timespec t = {.tv_nsec = ENDING_STEP_US * 1000};
    nanosleep(&t, NULL);
}

static int
lock_byte_of_the_ended(int fd, int byte, short type)
{
    int64_t until = jb_monotonic_us() + ENDING_WAIT_US;
    int code;
    while ((code = lock_byte(fd, byte, type)) == EAGAIN && jb_monotonic_us() < until) {
        step_back();
    }
    return code;
}

static bool
others_still_have(int fd)
{
    int64_t until = jb_monotonic_us() + ENDING_WAIT_US;
    bool have;
    while ((have = others_have(fd)) && jb_monotonic_us() < until) {
        step_back();
    }
    return have;
}

/* The inode of LMDB's lock file; 0: there is none. */
static ino_t
lock_file_of(const struct jb_env *e)
{
    char path[4096 + 8];
    struct stat st;
    snprintf(path, sizeof path, "%s-lock", e->place);
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

static jb_status
lost_locks(struct jb_error *err, const struct jb_env *e)
{
    return jb_fail(err, JB_E_USAGE,
                   "a lock file of %s was deleted while programs use the ledger: they do not see "
                   "each other any more. Nothing was written. End them all, then start again",
                   e->path);
}

/* A file that was removed, or that another one was put in the place of, can be written to for ever,
 * and nobody will find it there. The inode of a file that is open is not given again. state.mdb and
 * views.mdb are only made again. */
static bool
in_place(const struct jb_env *e)
{
    struct stat st;
    if (e->name != JB_LOCK_WRITER && e->name != JB_LOCK_PEOPLE) {
        return true;
    }
    if (stat(e->place, &st) == 0) {
        return st.st_dev == e->device && st.st_ino == e->inode;
    }
    /* Not to be seen any more, by a process that gave its rights away: the file itself says what it
     * can. */
    return errno != ENOENT && errno != ENOTDIR && e->fd >= 0 && fstat(e->fd, &st) == 0 &&
           st.st_nlink > 0;
}

bool
jb_env_in_place(const struct jb_env *e)
{
    return in_place(e);
}

static jb_status
not_in_place(struct jb_error *err, const struct jb_env *e, bool write)
{
    return jb_fail(err, JB_E_USAGE,
                   "%s was removed, renamed or replaced while programs use the ledger: what this "
                   "one has open is no longer the file that is there. %s. End them all, then start "
                   "again",
                   e->path,
                   write ? jb_tr("Nothing was written") : jb_tr("It shows nothing of it any more"));
}

jb_status
jb_env_still(const struct jb_env *e, struct jb_error *err)
{
    return in_place(e) ? JB_OK : not_in_place(err, e, true);
}

static bool
place_is_due(struct jb_env *e)
{
    int64_t now = jb_monotonic_us();
    if (now - atomic_load(&e->place_checked_at) < PLACE_CHECK_US) {
        return false;
    }
    atomic_store(&e->place_checked_at, now);
    return true;
}

static jb_status
cut_off(struct jb_error *err, const struct jb_env *e)
{
    return jb_fail(err, JB_E_IO,
                   "a commit to %s was cut off between the file and its lock file, by a fault of "
                   "the disk. Nothing was written now. End all programs that use the ledger, then "
                   "start again and ask with the same keys",
                   e->path);
}

static jb_status
open_lock(struct jb_env *e, bool *ret_first, struct jb_error *err)
{
    char dir[4096];
    const char *slash = strrchr(e->path, '/');
    snprintf(dir, sizeof dir, "%.*s", slash != NULL ? (int)(slash - e->path) : 1,
             slash != NULL ? e->path : ".");
    jb_status status = jb_lock_open(dir, &e->lock, ret_first, err);
    return status == JB_E_READONLY && e->read_only ? JB_OK : status;
}

/* Says that this process has the file open, and refuses where that would go wrong: LMDB makes a
 * lock file that is missing, and whoever has the old one is then alone with it. */
static jb_status
announce(struct jb_env *e, bool first, struct jb_error *err)
{
    e->fd = jb_descriptor_open_locking(e->path, e->read_only ? O_RDONLY : O_RDWR, 0);
    if (e->fd < 0) {
        return errno == ENOENT ? JB_OK : jb_env_fail(err, errno, e, "opening");
    }
    struct stat st;
    bool content = fstat(e->fd, &st) == 0 && st.st_size > 0;
    if (content && (first || lock_file_of(e) == 0) && others_still_have(e->fd)) {
        return lost_locks(err, e);
    }
    int code = lock_byte(e->fd, BYTE_PRESENCE, F_RDLCK);
    return code == 0 ? JB_OK : jb_env_fail(err, code, e, "locking");
}

/* LMDB begins a file with two pages that say where its data lies. Where the disk was full in the
 * middle of that, one page or part of it is there, of a file in which nothing was ever committed:
 * LMDB would never take it again. */
#define META_TXNID 144
#define META_ENOUGH 152

static bool
half_made(const struct jb_env *e)
{
    uint8_t page[META_ENOUGH] = {0};
    uint64_t txnid;
    struct stat st;
    int fd = jb_descriptor_open(e->path, O_RDONLY, 0);
    bool half = fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 &&
                st.st_size < 2 * sysconf(_SC_PAGESIZE) && read(fd, page, sizeof page) >= 0;
    if (fd >= 0) {
        close(fd);
    }
    memcpy(&txnid, page + META_TXNID, sizeof txnid);
    return half && txnid == 0;
}

/* Under the lock of opening. Nobody else can use it. */
static jb_status
drop_half_made(const struct jb_env *e, struct jb_error *err)
{
    if (!half_made(e)) {
        return JB_OK;
    }
    if (e->read_only) {
        return jb_fail(err, JB_E_NOTFOUND, "there is nothing in %s yet", e->path);
    }
    return truncate(e->path, 0) == 0 ? JB_OK : jb_env_fail(err, errno, e, "opening");
}

static jb_status
open_files(struct jb_env *e, const struct jb_env_options *o, bool first, struct jb_error *err)
{
    follow_overlay(e->path);
    jb_status status = drop_half_made(e, err);
    if (status == JB_OK && e->lock != NULL) {
        status = announce(e, first, err);
    }
    if (status != JB_OK) {
        return status;
    }
    struct jb_descriptor_gaps gaps;
    jb_descriptor_gaps_fill(&gaps);
    int code = open_map(e, o);
    jb_descriptor_gaps_leave(&gaps);
    if (code != 0) {
        return jb_env_fail(err, code, e, "opening");
    }
    e->lock_inode = lock_file_of(e);
    return e->lock != NULL && e->fd < 0 ? announce(e, false, err) : JB_OK; /* it was made now */
}

static jb_status
open_guarded(struct jb_env *e, const struct jb_env_options *o, struct jb_error *err)
{
    bool first = false;
    jb_status status = e->name != NO_NAME ? open_lock(e, &first, err) : JB_OK;
    if (status != JB_OK || e->lock == NULL) {
        return status == JB_OK ? open_files(e, o, false, err) : status;
    }
    if (!first) {
        status = jb_lock_take(e->lock, JB_LOCK_OPENING, WRITER_WAIT_US, 0, err);
    }
    if (status == JB_OK) {
        status = open_files(e, o, first, err);
        jb_lock_release(e->lock, JB_LOCK_OPENING);
    }
    return status;
}

static struct jb_env *
make(const char *path, bool read_only)
{
    struct jb_env *e = calloc(1, sizeof *e);
    if (e == NULL || (e->path = strdup(path)) == NULL ||
        (e->place = jb_place_absolute(path)) == NULL) {
        free(e != NULL ? e->path : NULL);
        free(e);
        return NULL;
    }
    pthread_mutex_init(&e->gate, NULL);
    pthread_mutex_init(&e->tables, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&e->gate_changed, &attr);
    pthread_condattr_destroy(&attr);
    e->pid = getpid();
    e->forks = jb_descriptor_forks();
    e->fd = -1;
    e->read_only = read_only;
    e->name = name_of(path);
    return e;
}

static jb_status
open_new(const char *path, const struct jb_env_options *o, struct jb_env **ret,
         struct jb_error *err)
{
    struct jb_env *e = make(path, o->read_only);
    if (e == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory to open %s", path);
    }
    e->options = *o;
    jb_status status = open_guarded(e, o, err);
    if (status != JB_OK) {
        release(e);
        return status;
    }
    int fd = -1;
    mdb_env_get_fd(e->lmdb, &fd);
    /* 0.9.24 opens its first descriptor without O_CLOEXEC. */
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    struct stat st;
    status = look_at(e, &st, err);
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

struct jb_lock *
jb_env_lock(const struct jb_env *e)
{
    return e->lock;
}

void
jb_env_tables_lock(struct jb_env *e)
{
    pthread_mutex_lock(&e->tables);
}

void
jb_env_tables_unlock(struct jb_env *e)
{
    pthread_mutex_unlock(&e->tables);
}

void
jb_env_set_tables(struct jb_env *e, const char *const *tables)
{
    e->options.tables = tables;
}

bool
jb_env_alone(struct jb_env *e)
{
    return jb_env_users(e) == 1 && e->fd >= 0 && !others_still_have(e->fd);
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
    while (code == ENOMEM && more > MAP_BYTES_LEAST) {
        more /= 4;
        code = resize(e, (uint64_t)info.me_mapsize + more);
    }
    return code == 0 ? JB_OK : jb_env_fail(err, code, e, "growing");
}

void
jb_env_check_readers(struct jb_env *e)
{
    int dead;
    if (e->lmdb != NULL) {
        mdb_reader_check(e->lmdb, &dead);
    }
}

/* ---- after a fault at the meta page ---- */

/* The tables' numbers are those of the first opening: LMDB gives them in order. */
static int
open_tables_again(struct jb_env *e)
{
    MDB_txn *txn;
    MDB_dbi dbi;
    int code = mdb_txn_begin(e->lmdb, NULL, MDB_RDONLY, &txn);
    if (code != 0) {
        return code;
    }
    code = mdb_dbi_open(txn, NULL, 0, &dbi);
    for (const char *const *name = e->options.tables; code == 0 && name != NULL && *name != NULL;
         name++) {
        code = mdb_dbi_open(txn, *name, 0, &dbi);
    }
    if (code != 0 && code != MDB_NOTFOUND) {
        mdb_txn_abort(txn);
        return code;
    }
    return mdb_txn_commit(txn);
}

static bool
in_panic(struct jb_env *e)
{
    MDB_txn *txn;
    int code = e->lmdb == NULL ? MDB_PANIC : mdb_txn_begin(e->lmdb, NULL, MDB_RDONLY, &txn);
    if (code == 0) {
        mdb_txn_abort(txn);
    }
    return code == MDB_PANIC;
}

/* No transaction of this process is open: never two environments of one file at once. */
static int
open_again(struct jb_env *e)
{
    if (!in_panic(e)) {
        return 0; /* another thread has done it */
    }
    while (e->idle_n > 0) {
        mdb_txn_abort(e->idle[--e->idle_n]);
    }
    if (e->lmdb != NULL) {
        mdb_env_close(e->lmdb);
        e->lmdb = NULL;
    }
    struct jb_descriptor_gaps gaps;
    jb_descriptor_gaps_fill(&gaps);
    int code = open_map(e, &e->options);
    jb_descriptor_gaps_leave(&gaps);
    if (code == 0) {
        int fd = -1;
        mdb_env_get_fd(e->lmdb, &fd);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        e->lock_inode = lock_file_of(e);
        code = open_tables_again(e);
    }
    return code;
}

static int
reopen(struct jb_env *e)
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
    while (e->open_txns > 0 && code == 0) {
        code = pthread_cond_timedwait(&e->gate_changed, &e->gate, &until);
    }
    code = e->open_txns == 0 ? open_again(e) : ETIMEDOUT;
    e->resizing = false;
    pthread_cond_broadcast(&e->gate_changed);
    pthread_mutex_unlock(&e->gate);
    return code;
}

static jb_status
after_panic(struct jb_env *e, const char *doing, struct jb_error *err)
{
    if (!e->options.reopens) {
        return jb_env_fail(err, MDB_PANIC, e, doing);
    }
    int code = reopen(e);
    return code == 0 ? JB_OK
           : code == ETIMEDOUT
               ? jb_fail(err, JB_E_BUSY,
                         "%s has to be opened again after a fault while it was written, and a "
                         "cursor or another reader of this process keeps it in use; close it and "
                         "try again",
                         e->path)
               : jb_env_fail(err, code, e, "opening");
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
    enter(e); /* before: what is idle may be let go until then */
    MDB_txn *txn = flags & MDB_RDONLY ? take_idle(e) : NULL;
    int code = e->unmapped       ? ENOMEM
               : e->lmdb == NULL ? MDB_PANIC
               : txn == NULL     ? mdb_txn_begin(e->lmdb, NULL, flags, &txn)
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
begin_any(struct jb_env *e, unsigned flags, MDB_txn **ret, int *ret_code, struct jb_error *err)
{
    const char *doing = flags & MDB_RDONLY ? "reading" : "writing";
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        int code = begin_once(e, flags, ret);
        *ret_code = code;
        if (code == 0) {
            return JB_OK;
        }
        int dead = 0;
        if (code == MDB_READERS_FULL && mdb_reader_check(e->lmdb, &dead) == 0 && dead > 0) {
            continue;
        }
        jb_status status = code == MDB_MAP_RESIZED ? follow_size(e, err)
                           : code == MDB_PANIC     ? after_panic(e, doing, err)
                                                   : jb_env_fail(err, code, e, doing);
        if (status != JB_OK) {
            return status;
        }
    }
    return jb_fail(err, JB_E_CORRUPT,
                   "%s cannot be read: its first pages claim more than its map, however large that "
                   "is. Run `jangbu audit`",
                   e->path);
}

/*
 * LMDB takes the number of the newest transaction from its lock file. Where that was deleted,
 * others count in another one, and the file is ahead of what this process believes: it would read
 * what is old, and write over what they have committed.
 */
static bool
is_newest(const struct jb_env *e, MDB_txn *txn, bool write)
{
    MDB_envinfo info;
    mdb_env_info(e->lmdb, &info);
    return mdb_txn_id(txn) == info.me_last_txnid + (write ? 1 : 0);
}

/* A reader may see a file that is ahead of a lock file which is the right one: by what was
 * committed between two looks, or by what a writer committed that died before it told the lock
 * file. Nobody was told of that either, and the next writer settles it. The inode of a file that is
 * in use is not given again. */
static bool
is_settled_later(const struct jb_env *e, MDB_txn *txn)
{
    MDB_envinfo info;
    mdb_env_info(e->lmdb, &info);
    return mdb_txn_id(txn) <= info.me_last_txnid && lock_file_of(e) == e->lock_inode;
}

static void
end_write(struct jb_env *e)
{
    if (e->byte_held) {
        e->byte_held = false;
        lock_byte(e->fd, BYTE_WRITER, F_UNLCK);
    }
    leave(e);
    if (e->lock != NULL && e->name != JB_LOCK_WRITER) {
        jb_lock_release(e->lock, e->name);
    }
}

/* A read transaction on the newest snapshot. */
static jb_status
begin_read(struct jb_env *e, MDB_txn **ret, int *ret_code, struct jb_error *err)
{
    *ret_code = 0;
    if (place_is_due(e) && !in_place(e)) {
        atomic_store(&e->place_checked_at, 0); /* whoever asks next is told, too */
        return not_in_place(err, e, false);
    }
    for (int tries = 0; tries < READ_TRIES; tries++) {
        jb_status status = begin_any(e, MDB_RDONLY, ret, ret_code, err);
        if (status != JB_OK || e->lock_inode == 0 || is_newest(e, *ret, false) ||
            (tries + 1 == READ_TRIES && is_settled_later(e, *ret))) {
            return status;
        }
        jb_env_abort(e, *ret);
    }
    *ret_code = 0;
    return lost_locks(err, e);
}

static jb_status
begin_write(struct jb_env *e, bool to_write, MDB_txn **ret, int *ret_code, struct jb_error *err)
{
    bool takes = e->lock != NULL && e->name != JB_LOCK_WRITER;
    *ret_code = 0;
    /* Where nothing will be written, now and then: a look costs as much as the rest. */
    if ((to_write || place_is_due(e)) && !in_place(e)) {
        atomic_store(&e->place_checked_at, 0);
        return not_in_place(err, e, true);
    }
    /* A cache can be written later: nobody waits long for it. */
    int64_t wait_us = e->name == JB_LOCK_PEOPLE ? WRITER_WAIT_US : CACHE_WAIT_US;
    jb_status status = takes ? jb_lock_take(e->lock, e->name, wait_us, 0, err) : JB_OK;
    if (status != JB_OK) {
        return status;
    }
    status = begin_any(e, 0, ret, ret_code, err);
    if (status != JB_OK) {
        if (takes) {
            jb_lock_release(e->lock, e->name);
        }
        return status;
    }
    atomic_store(&e->writing, *ret);
    int taken = to_write && e->fd >= 0 ? lock_byte_of_the_ended(e->fd, BYTE_WRITER, F_WRLCK) : 0;
    e->byte_held = to_write && e->fd >= 0 && taken == 0;
    if (taken != 0 || !is_newest(e, *ret, true)) {
        atomic_store(&e->writing, NULL);
        mdb_txn_abort(*ret);
        end_write(e);
        return lock_file_of(e) == e->lock_inode && taken == 0 ? cut_off(err, e)
                                                              : lost_locks(err, e);
    }
    return JB_OK;
}

bool
jb_env_untouched(const struct jb_env *e)
{
    MDB_envinfo info;
    mdb_env_info(e->lmdb, &info);
    return info.me_last_txnid == 0;
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
    return flags & MDB_RDONLY ? begin_read(e, ret, &code, err)
                              : begin_write(e, true, ret, &code, err);
}

jb_status
jb_env_refresh(struct jb_env *e, struct jb_error *err)
{
    MDB_txn *txn;
    int code;
    jb_status status = jb_env_forked(e) ? forked(err, e) : begin_write(e, false, &txn, &code, err);
    if (status == JB_OK) {
        jb_env_abort(e, txn);
    }
    return status;
}

bool
jb_env_usable(struct jb_env *e)
{
    MDB_txn *txn;
    int code = begin_once(e, MDB_RDONLY, &txn);
    if (code == 0) {
        jb_env_abort(e, txn);
    }
    return code != MDB_PANIC;
}

bool
jb_env_full(const struct jb_env *e)
{
    struct statvfs fs;
    return statvfs(e->place, &fs) == 0 && fs.f_bavail < 64;
}

void
jb_env_abort(struct jb_env *e, MDB_txn *txn)
{
    if (jb_env_inherited(e)) {
        return; /* it is the parent's, and so is the place in the table of readers */
    }
    if (txn == atomic_load(&e->writing)) {
        atomic_store(&e->writing, NULL);
        mdb_txn_abort(txn);
        end_write(e);
        return;
    }
    if (!keep_idle(e, txn)) {
        mdb_txn_abort(txn);
    }
    leave(e);
}

/* So that a killed reader does not make the file grow for longer than a moment. */
static void
check_readers_in_time(struct jb_env *e)
{
    int64_t now = jb_monotonic_us();
    if (now - atomic_load(&e->readers_checked_at) >= READERS_CHECK_US) {
        atomic_store(&e->readers_checked_at, now);
        jb_env_check_readers(e);
    }
}

int
jb_env_commit(struct jb_env *e, MDB_txn *txn)
{
    bool write = txn == atomic_load(&e->writing);
    if (write) {
        atomic_store(&e->writing, NULL);
    }
    int code = mdb_txn_commit(txn);
    if (write) {
        end_write(e);
        check_readers_in_time(e);
    } else {
        leave(e);
    }
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
    if (!in_place(e)) {
        return not_in_place(err, e, false);
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
    if (code == EAGAIN) { /* LMDB copies with a second thread */
        return jb_fail_errno(err, JB_E_IO, code, "cannot start a thread to copy %s", e->path);
    }
    return code == 0 ? JB_OK : jb_env_fail(err, code, e, "copying");
}

uint64_t
jb_env_last_txn(struct jb_env *e)
{
    MDB_txn *txn;
    struct jb_error unknown;
    if (e == NULL || jb_env_begin(e, MDB_RDONLY, &txn, &unknown) != JB_OK) {
        return 0;
    }
    uint64_t last = mdb_txn_id(txn);
    jb_env_abort(e, txn);
    return last;
}
