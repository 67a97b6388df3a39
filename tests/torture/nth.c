/*
 * Preloaded into a program, or linked into one: the n-th call of a class fails, once or from then
 * on.
 *
 *   JB_NTH_CLASS=alloc|write|sync|open|map|read|size|name   which calls count
 *   JB_NTH=n            the one that fails; 0 or none: only count
 *   JB_NTH_STICKY=1     all that follow fail, too
 *   JB_NTH_ERRNO=e      with that (alloc: always ENOMEM)
 *   JB_NTH_COUNT=file   where the number of calls is appended when the process ends by itself
 *
 * A program that has this linked in arms it itself, for one stretch of one thread: jb_nth_arm,
 * jb_nth_disarm.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "nth.h"

enum class { NONE, ALLOC, WRITE, SYNC, OPEN, MAP, READ, SIZE, NAME };

static enum class counted;
static atomic_long calls;
static long wanted;
static int with;
static bool sticky;
static bool armed_by_program; /* only the calls of the thread that armed it count */
static bool of_any_thread;    /* those of others, too */
static _Thread_local bool mine;

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *at, size_t n);
extern void *__libc_memalign(size_t alignment, size_t n);

static long
number(const char *name)
{
    const char *text = getenv(name);
    return text != NULL ? strtol(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void
begin(void)
{
    static const char *const names[] = {"",    "alloc", "write", "sync", "open",
                                        "map", "read",  "size",  "name"};
    const char *name = getenv("JB_NTH_CLASS");
    wanted = number("JB_NTH");
    with = (int)number("JB_NTH_ERRNO");
    sticky = number("JB_NTH_STICKY") != 0;
    for (size_t i = 1; name != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            counted = (enum class)i;
        }
    }
}

__attribute__((destructor)) static void
tell(void)
{
    const char *path = getenv("JB_NTH_COUNT");
    enum class was = counted;
    counted = NONE;
    FILE *f = path != NULL && was != NONE ? fopen(path, "a") : NULL;
    if (f != NULL) {
        fprintf(f, "%ld\n", (long)calls);
        fclose(f);
    }
}

void
jb_nth_arm(long n, bool from_then_on, bool any_thread)
{
    of_any_thread = any_thread;
    calls = 0;
    wanted = n;
    with = ENOMEM;
    sticky = from_then_on;
    armed_by_program = mine = true;
    counted = ALLOC;
}

long
jb_nth_disarm(void)
{
    counted = NONE;
    mine = false;
    return calls;
}

/* True: the call is to fail; errno is set. */
static bool strike(enum class kind)
{
    if (counted != kind || (armed_by_program && !mine && !of_any_thread)) {
        return false;
    }
    long n = atomic_fetch_add(&calls, 1) + 1;
    if (wanted == 0 || n < wanted || (n > wanted && !sticky)) {
        return false;
    }
    errno = kind == ALLOC ? ENOMEM : with;
    return true;
}

/* ---- memory: for the libraries of the program, too, which see only what is exported ---- */

#pragma GCC visibility push(default)

void *
malloc(size_t n)
{
    return strike(ALLOC) ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
    return strike(ALLOC) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *at, size_t n)
{
    return strike(ALLOC) ? NULL : __libc_realloc(at, n);
}

int
posix_memalign(void **ret, size_t alignment, size_t n)
{
    void *at = strike(ALLOC) ? NULL : __libc_memalign(alignment, n);
    if (at != NULL) {
        *ret = at;
    }
    return at != NULL ? 0 : ENOMEM;
}

void *
aligned_alloc(size_t alignment, size_t n)
{
    return strike(ALLOC) ? NULL : __libc_memalign(alignment, n);
}

void *
memalign(size_t alignment, size_t n)
{
    return strike(ALLOC) ? NULL : __libc_memalign(alignment, n);
}

#ifndef JB_NTH_ALLOC_ONLY

/* ---- calls: standard output and error are another's concern ---- */

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FILE_OF_OURS(fd) ((fd) > 2)

ssize_t
write(int fd, const void *at, size_t n)
{
    return FILE_OF_OURS(fd) && strike(WRITE) ? -1 : REAL(write)(fd, at, n);
}

ssize_t
pwrite(int fd, const void *at, size_t n, off_t where)
{
    return strike(WRITE) ? -1 : REAL(pwrite)(fd, at, n, where);
}

ssize_t
pwrite64(int fd, const void *at, size_t n, off64_t where)
{
    return strike(WRITE) ? -1 : REAL(pwrite64)(fd, at, n, where);
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
    return FILE_OF_OURS(fd) && strike(WRITE) ? -1 : REAL(writev)(fd, v, n);
}

ssize_t
pwritev(int fd, const struct iovec *v, int n, off_t where)
{
    return strike(WRITE) ? -1 : REAL(pwritev)(fd, v, n, where);
}

int
fsync(int fd)
{
    return strike(SYNC) ? -1 : REAL(fsync)(fd);
}

int
fdatasync(int fd)
{
    return strike(SYNC) ? -1 : REAL(fdatasync)(fd);
}

int
msync(void *at, size_t n, int flags)
{
    return strike(SYNC) ? -1 : REAL(msync)(at, n, flags);
}

static mode_t
mode_of(int flags, va_list args)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
}

int
open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return strike(OPEN) ? -1 : REAL(open)(path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return strike(OPEN) ? -1 : REAL(open64)(path, flags, mode);
}

int
openat(int dir, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return strike(OPEN) ? -1 : REAL(openat)(dir, path, flags, mode);
}

void *
mmap(void *at, size_t n, int protection, int flags, int fd, off_t where)
{
    return fd >= 0 && strike(MAP) ? MAP_FAILED : REAL(mmap)(at, n, protection, flags, fd, where);
}

void *
mmap64(void *at, size_t n, int protection, int flags, int fd, off64_t where)
{
    return fd >= 0 && strike(MAP) ? MAP_FAILED : REAL(mmap64)(at, n, protection, flags, fd, where);
}

ssize_t
read(int fd, void *at, size_t n)
{
    return FILE_OF_OURS(fd) && strike(READ) ? -1 : REAL(read)(fd, at, n);
}

ssize_t
pread(int fd, void *at, size_t n, off_t where)
{
    return strike(READ) ? -1 : REAL(pread)(fd, at, n, where);
}

ssize_t
pread64(int fd, void *at, size_t n, off64_t where)
{
    return strike(READ) ? -1 : REAL(pread64)(fd, at, n, where);
}

int
ftruncate(int fd, off_t n)
{
    return strike(SIZE) ? -1 : REAL(ftruncate)(fd, n);
}

int
ftruncate64(int fd, off64_t n)
{
    return strike(SIZE) ? -1 : REAL(ftruncate64)(fd, n);
}

int
posix_fallocate(int fd, off_t from, off_t n)
{
    return strike(SIZE) ? with : REAL(posix_fallocate)(fd, from, n);
}

int
posix_fallocate64(int fd, off64_t from, off64_t n)
{
    return strike(SIZE) ? with : REAL(posix_fallocate64)(fd, from, n);
}

int
rename(const char *from, const char *to)
{
    return strike(NAME) ? -1 : REAL(rename)(from, to);
}

int
unlink(const char *path)
{
    return strike(NAME) ? -1 : REAL(unlink)(path);
}

int
mkdir(const char *path, mode_t mode)
{
    return strike(NAME) ? -1 : REAL(mkdir)(path, mode);
}

#endif
