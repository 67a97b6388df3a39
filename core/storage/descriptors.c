#include "storage/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

/* One bit for each descriptor that a forked child closes. Those above are kept by it: nothing is
 * lost but that their locks end when the child does. */
#define TRACKED_MAX 65536
static _Atomic uint64_t tracked[TRACKED_MAX / 64];

static bool
untrack(int fd)
{
    uint64_t bit = UINT64_C(1) << (fd % 64);
    return fd < TRACKED_MAX && (atomic_fetch_and(&tracked[fd / 64], ~bit) & bit) != 0;
}

static _Atomic unsigned forks;

unsigned
jb_descriptor_forks(void)
{
    return atomic_load(&forks);
}

static void
close_in_child(void)
{
    atomic_fetch_add(&forks, 1);
    for (int i = 0; i < TRACKED_MAX / 64; i++) {
        for (int fd = i * 64; atomic_load(&tracked[i]) != 0; fd++) {
            if (untrack(fd)) {
                close(fd);
            }
        }
    }
}

static void
guard_forks(void)
{
    pthread_atfork(NULL, NULL, close_in_child);
}

void
jb_descriptor_guard_forks(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, guard_forks);
}

int
jb_descriptor_open(const char *path, int flags, mode_t mode)
{
    return jb_descriptor_open_at(AT_FDCWD, path, flags, mode);
}

int
jb_descriptor_open_at(int dir, const char *path, int flags, mode_t mode)
{
    int fd = openat(dir, path, flags | O_CLOEXEC, mode);
    if (fd < 0 || fd > 2) {
        return fd;
    }
    int above = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    int code = errno;
    close(fd);
    errno = code;
    return above;
}

int
jb_descriptor_open_locking(const char *path, int flags, mode_t mode)
{
    return jb_descriptor_open_at_locking(AT_FDCWD, path, flags, mode);
}

int
jb_descriptor_open_at_locking(int dir, const char *path, int flags, mode_t mode)
{
    jb_descriptor_guard_forks();
    int fd = jb_descriptor_open_at(dir, path, flags, mode);
    if (fd >= 0 && fd < TRACKED_MAX) {
        atomic_fetch_or(&tracked[fd / 64], UINT64_C(1) << (fd % 64));
    }
    return fd;
}

void
jb_descriptor_close(int fd)
{
    if (fd >= TRACKED_MAX || (fd >= 0 && untrack(fd))) {
        close(fd);
    }
}

void
jb_descriptor_gaps_fill(struct jb_descriptor_gaps *g)
{
    g->n = 0;
    for (int i = 0; i <= 2; i++) {
        if (fcntl(i, F_GETFD) >= 0) {
            continue;
        }
        /* Reading and writing through it fail; and unlike /dev/null it is everywhere. */
        int fd = open("/", O_PATH | O_CLOEXEC);
        if (fd > 2) {
            close(fd); /* another thread was quicker */
        } else if (fd >= 0) {
            g->fds[g->n++] = fd;
        }
    }
}

void
jb_descriptor_gaps_leave(struct jb_descriptor_gaps *g)
{
    while (g->n > 0) {
        close(g->fds[--g->n]);
    }
}
