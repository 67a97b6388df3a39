#include "storage/writer_lock.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LOCK_FILE_BYTES 4096
#define LOCK_MAGIC UINT64_C(0x6a616e6762754c31)
/* How long a release waits for a waiter to take over, and how often a waiter says that it still
 * waits. */
#define HAND_OVER_US 300
#define WANT_AGAIN_US 5000

struct shared {
    uint64_t magic;
    pthread_mutex_t mutex; /* robust, shared between processes */
    _Atomic int32_t holder_pid;
    _Atomic uint32_t wanted; /* someone waits; cleared by who releases */
    _Atomic uint64_t taken;  /* counts acquisitions */
};

struct jb_lock {
    int fd;
    struct shared *shared;
    char *path;
};

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

static int
make(struct shared *s)
{
    pthread_mutexattr_t attr;
    memset(s, 0, sizeof *s);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    int code = pthread_mutex_init(&s->mutex, &attr);
    pthread_mutexattr_destroy(&attr);
    s->magic = LOCK_MAGIC;
    return code;
}

static jb_status
map(struct jb_lock *l, struct jb_error *err)
{
    bool first = presence(l->fd, F_WRLCK, false) == 0;
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
    if (first && presence(l->fd, F_RDLCK, false) != 0) {
        return jb_fail_errno(err, JB_E_IO, errno, "cannot lock %s", l->path);
    }
    if (l->shared->magic != LOCK_MAGIC) {
        return jb_fail(err, JB_E_FORMAT, "%s is not a lock file of this version", l->path);
    }
    return JB_OK;
}

jb_status
jb_lock_open(const char *dir, struct jb_lock **ret, struct jb_error *err)
{
    struct jb_lock *l = calloc(1, sizeof *l);
    if (l == NULL || asprintf(&l->path, "%s/lock", dir) < 0) {
        free(l);
        return jb_fail(err, JB_E_NOMEM, "no memory to open the lock of %s", dir);
    }
    l->fd = open(l->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    jb_status status;
    if (l->fd < 0) {
        int code = errno;
        status = jb_fail_errno(err,
                               code == EROFS || code == EACCES ? JB_E_READONLY
                               : code == ENOSPC                ? JB_E_FULL
                                                               : JB_E_IO,
                               code, "cannot open %s", l->path);
    } else {
        status = map(l, err);
    }
    if (status != JB_OK) {
        jb_lock_close(l);
        return status;
    }
    *ret = l;
    return JB_OK;
}

struct jb_lock *
jb_lock_close(struct jb_lock *l)
{
    if (l != NULL) {
        if (l->shared != NULL) {
            munmap(l->shared, LOCK_FILE_BYTES);
        }
        if (l->fd >= 0) {
            close(l->fd);
        }
        free(l->path);
        free(l);
    }
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

jb_status
jb_lock_take(struct jb_lock *l, int64_t wait_us, int64_t waited_us, struct jb_error *err)
{
    int64_t deadline = jb_monotonic_us() + wait_us - waited_us;
    int code = pthread_mutex_trylock(&l->shared->mutex);
    while (code == EBUSY || code == ETIMEDOUT) {
        int64_t left = deadline - jb_monotonic_us();
        if (left <= 0) {
            return jb_fail(err, JB_E_BUSY,
                           "the writer lock of the ledger is held by process %d and was not free "
                           "within %lld.%03lld s. If that process is "
                           "stopped, continue it or end it; nothing is lost",
                           atomic_load(&l->shared->holder_pid),
                           (long long)(wait_us / JB_US_PER_SECOND),
                           (long long)(wait_us / 1000 % 1000));
        }
        atomic_store(&l->shared->wanted, 1);
        struct timespec until = monotonic_after(left < WANT_AGAIN_US ? left : WANT_AGAIN_US);
        code = pthread_mutex_clocklock(&l->shared->mutex, CLOCK_MONOTONIC, &until);
    }
    if (code == EOWNERDEAD) {
        /* Its holder died. What it did is either in the log or not: LMDB knows, and who takes the
         * lock catches up anyway. */
        pthread_mutex_consistent(&l->shared->mutex);
        code = 0;
    }
    if (code != 0) {
        return jb_fail_errno(err, JB_E_IO, code, "cannot take the writer lock in %s", l->path);
    }
    atomic_store(&l->shared->holder_pid, (int32_t)getpid());
    atomic_fetch_add(&l->shared->taken, 1);
    return JB_OK;
}

void
jb_lock_release(struct jb_lock *l)
{
    struct shared *s = l->shared;
    uint64_t taken = atomic_load(&s->taken);
    uint32_t wanted = atomic_exchange(&s->wanted, 0);
    atomic_store(&s->holder_pid, 0);
    pthread_mutex_unlock(&s->mutex);
    if (wanted == 0) {
        return;
    }
    /* A mutex is not fair: without this a busy writer would take it again before the one that was
     * woken runs. */
    int64_t until = jb_monotonic_us() + HAND_OVER_US;
    while (atomic_load(&s->taken) == taken && jb_monotonic_us() < until) {
        sched_yield();
    }
}
