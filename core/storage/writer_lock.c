#include "storage/writer_lock.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/steps.h"
#include "storage/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOCK_FILE_BYTES 4096
#define LOCK_MAGIC UINT64_C(0x6a616e6762754c32)
/* How long a release waits for a waiter to take over, and how often a waiter says that it still
 * waits. */
#define HAND_OVER_US 300
#define WANT_AGAIN_US 5000

struct named {
    pthread_mutex_t mutex; /* robust, shared between processes */
    _Atomic int32_t holder_pid;
    _Atomic uint32_t wanted; /* someone waits; cleared by who releases */
    _Atomic uint64_t taken;  /* counts acquisitions */
};

struct shared {
    uint64_t magic;
    uint64_t pid_namespace; /* of all who have the file open; 0: of the only one, not known */
    struct named of[JB_LOCKS];
    _Atomic uint32_t fault; /* the device failed; FAULT says more, where it could be written */
    /* The calls to those who wait for commits, times two; plus one while somebody listens. It is
     * the one word, so that no order of loads and stores can lose a call, and who was killed while
     * it listened costs one call that nobody hears. */
    _Alignas(64) _Atomic uint32_t calls;
};
_Static_assert(sizeof(struct shared) <= LOCK_FILE_BYTES, "the mutexes have room in the file");

struct jb_lock {
    struct jb_lock *next;
    dev_t device; /* of the directory */
    ino_t inode;
    unsigned users;
    pid_t pid;
    int fd;
    struct shared *shared;
    char *path;
};

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct jb_lock *registry;

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

void
jb_lock_guard_forks(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, guard_forks);
}

/* Byte 0 of the file: everyone who has it open holds it shared. Who gets it alone is the first, and
 * makes the mutex anew: so that a mutex left locked by a power cut does not stay locked for ever.
 */
static int
presence(int fd, short type, bool wait)
{
    struct flock fl = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    int code;
    do {
        code = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &fl);
    } while (code != 0 && errno == EINTR);
    return code;
}

/* 0: not known, for want of /proc. */
static uint64_t
pid_namespace(void)
{
    struct stat st;
    return stat("/proc/self/ns/pid", &st) == 0 ? (uint64_t)st.st_ino : 0;
}

static int
make(struct shared *s)
{
    pthread_mutexattr_t attr;
    memset(s, 0, sizeof *s);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    int code = 0;
    for (int i = 0; i < JB_LOCKS && code == 0; i++) {
        code = pthread_mutex_init(&s->of[i].mutex, &attr);
    }
    pthread_mutexattr_destroy(&attr);
    s->pid_namespace = pid_namespace();
    s->magic = LOCK_MAGIC;
    return code;
}

/* Not by a file lock: those cannot guard LMDB's own two mutexes in each of its lock files. */
static jb_status
check_namespace(const struct jb_lock *l, struct jb_error *err)
{
    uint64_t mine = pid_namespace(), theirs = l->shared->pid_namespace;
    if (mine == 0 || theirs == 0) {
        return jb_fail(err, JB_E_USAGE,
                       "the ledger is in use, and it cannot be told whether by a process of the "
                       "same PID namespace (container), because there is no /proc. Mount it, or "
                       "use the ledger by one process at a time (%s)",
                       l->path);
    }
    if (mine != theirs) {
        return jb_fail(err, JB_E_USAGE,
                       "the ledger is in use from another PID namespace (container), where "
                       "processes have the same numbers: locks do not hold between the two. Let "
                       "them share one (docker run --pid, shareProcessNamespace), or use the "
                       "ledger from one at a time (%s)",
                       l->path);
    }
    return JB_OK;
}

static jb_status
map(struct jb_lock *l, bool *ret_first, struct jb_error *err)
{
    bool first = presence(l->fd, F_WRLCK, false) == 0;
    *ret_first = first;
    if (first && ftruncate(l->fd, LOCK_FILE_BYTES) != 0) {
        return jb_fail_errno(err, errno == ENOSPC ? JB_E_FULL : JB_E_IO, errno, "cannot make %s",
                             l->path);
    }
    if (!first && presence(l->fd, F_RDLCK, true) != 0) {
        return jb_fail_errno(err, JB_E_IO, errno, "cannot lock %s", l->path);
    }
    if (lseek(l->fd, 0, SEEK_END) < LOCK_FILE_BYTES) {
        return jb_fail(err, JB_E_IO,
                       "%s is cut short. Stop every program that uses the ledger, delete that file "
                       "and start again",
                       l->path);
    }
    /* A block for it now: a store into a hole of a full disk would be a SIGBUS later. */
    int code = first ? posix_fallocate(l->fd, 0, LOCK_FILE_BYTES) : 0;
    if (code != 0 && code != EOPNOTSUPP) {
        return jb_fail_errno(err, code == ENOSPC ? JB_E_FULL : JB_E_IO, code, "cannot make %s",
                             l->path);
    }
    void *at = mmap(NULL, LOCK_FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, l->fd, 0);
    if (at == MAP_FAILED) {
        return jb_fail_errno(err, JB_E_IO, errno, "cannot map %s", l->path);
    }
    l->shared = at;
    if (first && (code = make(l->shared)) != 0) {
        return jb_fail_errno(err, JB_E_IO, code, "cannot make the mutex in %s", l->path);
    }
    /* Before others come in: who is first looks whether anybody has the files open, and none may
     * have opened them meanwhile. */
    if (first) {
        jb_status status = jb_lock_take(l, JB_LOCK_OPENING, 0, 0, err);
        if (status != JB_OK) {
            return status;
        }
    }
    if (first && presence(l->fd, F_RDLCK, false) != 0) {
        jb_lock_release(l, JB_LOCK_OPENING);
        return jb_fail_errno(err, JB_E_IO, errno, "cannot lock %s", l->path);
    }
    if (l->shared->magic != LOCK_MAGIC) {
        return jb_fail(err, JB_E_FORMAT,
                       "%s is not a lock file of this version, or it is damaged. Stop every "
                       "program that uses the ledger, delete that file and start again",
                       l->path);
    }
    return first ? JB_OK : check_namespace(l, err);
}

static struct jb_lock *
release(struct jb_lock *l)
{
    if (l->shared != NULL) {
        munmap(l->shared, LOCK_FILE_BYTES);
    }
    if (l->pid == getpid()) {
        jb_descriptor_close(l->fd); /* fork has closed it in a child */
    }
    free(l->path);
    free(l);
    return NULL;
}

/* What this process has of that directory already: also where somebody has deleted the file since,
 * so that its own threads never have two. */
static struct jb_lock *
find(const struct stat *dir)
{
    for (struct jb_lock *l = registry; l != NULL; l = l->next) {
        if (l->device == dir->st_dev && l->inode == dir->st_ino && l->pid == getpid()) {
            return l;
        }
    }
    return NULL;
}

static jb_status
open_fd(struct jb_lock *l, struct jb_error *err)
{
    l->fd = jb_descriptor_open_locking(l->path, O_RDWR | O_CREAT, 0600);
    if (l->fd >= 0) {
        return JB_OK;
    }
    int code = errno;
    jb_status status = code == EROFS || code == EACCES || code == EPERM ? JB_E_READONLY
                       : code == ENOSPC || code == EDQUOT               ? JB_E_FULL
                                                                        : JB_E_IO;
    return jb_fail_errno(err, status, code, "cannot open %s", l->path);
}

static jb_status
open_new(const char *dir, const struct stat *st, struct jb_lock **ret, bool *ret_first,
         struct jb_error *err)
{
    struct jb_lock *l = calloc(1, sizeof *l);
    if (l == NULL || asprintf(&l->path, "%s/lock", dir) < 0) {
        free(l);
        return jb_fail(err, JB_E_NOMEM, "no memory to open the lock of %s", dir);
    }
    *l = (struct jb_lock){.device = st->st_dev,
                          .inode = st->st_ino,
                          .users = 1,
                          .pid = getpid(),
                          .fd = -1,
                          .path = l->path};
    jb_status status = open_fd(l, err);
    status = status == JB_OK ? map(l, ret_first, err) : status;
    if (status != JB_OK) {
        release(l);
        return status;
    }
    l->next = registry;
    registry = l;
    *ret = l;
    return JB_OK;
}

jb_status
jb_lock_open(const char *dir, struct jb_lock **ret, bool *ret_first, struct jb_error *err)
{
    jb_lock_guard_forks();
    struct stat st;
    *ret_first = false;
    *ret = NULL;
    if (stat(dir, &st) != 0) {
        return jb_fail_errno(err, JB_E_IO, errno, "cannot look at %s", dir);
    }
    pthread_mutex_lock(&registry_lock);
    jb_status status = JB_OK;
    struct jb_lock *there = find(&st);
    if (there != NULL) {
        there->users++;
        *ret = there;
    } else {
        status = open_new(dir, &st, ret, ret_first, err);
    }
    pthread_mutex_unlock(&registry_lock);
    return status;
}

struct jb_lock *
jb_lock_close(struct jb_lock *l)
{
    if (l == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&registry_lock);
    if (--l->users == 0) {
        struct jb_lock **at = &registry;
        while (*at != l) {
            at = &(*at)->next;
        }
        *at = l->next;
        release(l);
    }
    pthread_mutex_unlock(&registry_lock);
    return NULL;
}

static struct timespec
monotonic_after(int64_t us)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = t.tv_nsec + us % JB_US_PER_SECOND * 1000;
    t.tv_sec += (time_t)(us / JB_US_PER_SECOND + ns / 1000000000);
    t.tv_nsec = (long)(ns % 1000000000);
    return t;
}

static const char *const what[JB_LOCKS] = {
    "the writer lock of the ledger",    "the right to open the ledger's files",
    "the right to write to people.mdb", "the right to write to state.mdb",
    "the right to write to views.mdb",
};

static jb_status
busy(struct named *n, enum jb_lock_name name, int64_t wait_us, struct jb_error *err)
{
    return jb_fail(err, JB_E_BUSY,
                   "%s is held by process %d and was not free within %lld.%03lld s. If that "
                   "process is stopped, continue it or end it; nothing is lost",
                   jb_tr(what[name]), atomic_load(&n->holder_pid),
                   (long long)(wait_us / JB_US_PER_SECOND), (long long)(wait_us / 1000 % 1000));
}

jb_status
jb_lock_take(struct jb_lock *l, enum jb_lock_name name, int64_t wait_us, int64_t waited_us,
             struct jb_error *err)
{
    struct named *n = &l->shared->of[name];
    int64_t deadline;
    if (__builtin_add_overflow(jb_monotonic_us() - waited_us, wait_us, &deadline)) {
        deadline = INT64_MAX; /* for ever */
    }
    int code = pthread_mutex_trylock(&n->mutex);
    while (code == EBUSY || code == ETIMEDOUT) {
        int64_t left = deadline - jb_monotonic_us();
        if (left <= 0) {
            return busy(n, name, wait_us, err);
        }
        atomic_store(&n->wanted, 1);
        struct timespec until = monotonic_after(left < WANT_AGAIN_US ? left : WANT_AGAIN_US);
        code = pthread_mutex_clocklock(&n->mutex, CLOCK_MONOTONIC, &until);
    }
    if (code == EOWNERDEAD) {
        /* Its holder died. What it did is either in the file or not: LMDB knows, and who takes the
         * lock catches up anyway. */
        pthread_mutex_consistent(&n->mutex);
        code = 0;
    }
    if (code != 0) {
        return jb_fail_errno(err, JB_E_IO, code, "cannot take a lock in %s", l->path);
    }
    atomic_store(&n->holder_pid, (int32_t)l->pid);
    atomic_fetch_add(&n->taken, 1);
    return JB_OK;
}

void
jb_lock_release(struct jb_lock *l, enum jb_lock_name name)
{
    struct named *n = &l->shared->of[name];
    uint64_t taken = atomic_load(&n->taken);
    uint32_t wanted = atomic_exchange(&n->wanted, 0);
    atomic_store(&n->holder_pid, 0);
    pthread_mutex_unlock(&n->mutex);
    if (wanted == 0) {
        return;
    }
    /* A mutex is not fair: without this a busy writer would take it again before the one that was
     * woken runs. */
    int64_t until = jb_monotonic_us() + HAND_OVER_US;
    while (atomic_load(&n->taken) == taken && jb_monotonic_us() < until) {
        sched_yield();
    }
}

void
jb_lock_note_fault(struct jb_lock *l, bool fault)
{
    atomic_store(&l->shared->fault, fault);
}

bool
jb_lock_has_fault(const struct jb_lock *l)
{
    return atomic_load(&l->shared->fault) != 0;
}

#define LISTENING 1U

uint32_t
jb_lock_listen(struct jb_lock *l)
{
    return atomic_fetch_or(&l->shared->calls, LISTENING) | LISTENING;
}

bool
jb_lock_sleep(struct jb_lock *l, uint32_t heard, int64_t us)
{
    struct timespec t = {.tv_sec = (time_t)(us / JB_US_PER_SECOND),
                         .tv_nsec = (long)(us % JB_US_PER_SECOND * 1000)};
    /* Not FUTEX_PRIVATE_FLAG: processes share the word. The time is one of CLOCK_MONOTONIC. */
    long code = syscall(SYS_futex, &l->shared->calls, FUTEX_WAIT, heard, &t, NULL, 0);
    int why = code == 0 ? 0 : errno;
    if (why != 0 && why != EAGAIN && why != EINTR && why != ETIMEDOUT) {
        nanosleep(&t, NULL); /* not to be had here: never a loop without a pause */
        return false;
    }
    return why != ETIMEDOUT;
}

void
jb_lock_call(struct jb_lock *l)
{
    /* A read that also writes: what this process did before is seen by whoever listens after. */
    uint32_t calls = atomic_fetch_or(&l->shared->calls, 0);
    while ((calls & LISTENING) != 0) {
        if (atomic_compare_exchange_weak(&l->shared->calls, &calls, calls + 1)) {
            jb_steps.calls++;
            syscall(SYS_futex, &l->shared->calls, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
            return;
        }
    }
}

bool
jb_lock_in_place(const struct jb_lock *l)
{
    struct stat opened, there;
    return fstat(l->fd, &opened) == 0 && stat(l->path, &there) == 0 &&
           opened.st_dev == there.st_dev && opened.st_ino == there.st_ino;
}
