/*
 * Preloaded into a program: at the n-th call that changes a file, kills the process
 * (JB_SHIM_KILL=n) or makes the call fail (JB_SHIM_FAIL=n, JB_SHIM_ERRNO,
 * JB_SHIM_CALL=write|sync|all), or answers each stat() of a log late (JB_SHIM_STAT=microseconds),
 * or stops the process at its n-th write or sync of one file (JB_SHIM_STOP=views.mdb,
 * JB_SHIM_STOP_AT=n), or says of each file system that it is another one (JB_SHIM_FSTYPE=hex).
 * With JB_SHIM_NAMES calls that give, change and take names away (rename, unlink) count, too.
 * JB_SHIM_SLOW=microseconds makes each fsync (not fdatasync) take as long.
 * JB_SHIM_SHORT=bytes cuts each pwrite. JB_SHIM_SECRET makes the first read of the file `secret`
 * fail. Counts go to the file JB_SHIM_COUNT when the process ends by itself. Only calls on the
 * ledger's files count: standard output and error do not, nor sockets and the like.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

static atomic_long calls;

static long
number(const char *name)
{
    const char *text = getenv(name);
    return text != NULL ? strtol(text, NULL, 10) : 0;
}

static void
stop_in(int fd)
{
    static atomic_long stops;
    const char *file = getenv("JB_SHIM_STOP");
    char link[64], path[4096];
    if (file == NULL) {
        return;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    const char *name = strrchr(path, '/');
    if (name != NULL && strcmp(name + 1, file) == 0 &&
        atomic_fetch_add(&stops, 1) + 1 == number("JB_SHIM_STOP_AT")) {
        raise(SIGSTOP);
    }
}

/* Nonzero: the call is to fail with errno set. kind: 'w' or 's'. */
static int
strike_any(int fd, char kind)
{
    if (fd <= 2) {
        return 0;
    }
    stop_in(fd);
    const char *which = getenv("JB_SHIM_CALL");
    if (which != NULL && ((which[0] == 'w' && kind != 'w') || (which[0] == 's' && kind != 's'))) {
        return 0;
    }
    long n = atomic_fetch_add(&calls, 1) + 1;
    if (n == number("JB_SHIM_KILL")) {
        raise(SIGKILL);
    }
    if (n == number("JB_SHIM_FAIL")) {
        errno = (int)number("JB_SHIM_ERRNO");
        return 1;
    }
    return 0;
}

static int
strike(int fd, char kind)
{
    struct stat st;
    const bool file = fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
    return file ? strike_any(fd, kind) : 0;
}

/* The first read of the file `secret` fails with JB_SHIM_SECRET (a number), or, for 0, ends early.
 */
ssize_t
read(int fd, void *buf, size_t n)
{
    static ssize_t (*real)(int, void *, size_t);
    static atomic_int struck;
    if (real == NULL) {
        real = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    }
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = getenv("JB_SHIM_SECRET") != NULL ? readlink(link, path, sizeof path) : -1;
    bool secret = len >= 7 && memcmp(path + len - 7, "/secret", 7) == 0;
    if (!secret || atomic_fetch_add(&struck, 1) > 0) {
        return real(fd, buf, n);
    }
    errno = (int)number("JB_SHIM_SECRET");
    return errno == 0 ? 0 : -1;
}

__attribute__((destructor)) static void
tell(void)
{
    const char *path = getenv("JB_SHIM_COUNT");
    FILE *f = path != NULL ? fopen(path, "w") : NULL;
    if (f != NULL) {
        fprintf(f, "%ld\n", (long)calls);
        fclose(f);
    }
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

/* Much may happen between a size that was read and what is made of it. */
int
stat(const char *path, struct stat *ret)
{
    int code = REAL("stat", int (*)(const char *, struct stat *))(path, ret), error = errno;
    size_t n = strlen(path);
    if (n >= 7 && strcmp(path + n - 7, "log.mdb") == 0 && number("JB_SHIM_STAT") > 0) {
        usleep((useconds_t)number("JB_SHIM_STAT"));
    }
    errno = error;
    return code;
}

int
statfs(const char *path, struct statfs *ret)
{
    int code = REAL("statfs", int (*)(const char *, struct statfs *))(path, ret);
    const char *type = getenv("JB_SHIM_FSTYPE");
    if (code == 0 && type != NULL) {
        ret->f_type = (__fsword_t)strtoul(type, NULL, 16);
    }
    return code;
}

/* With JB_SHIM_SHORT each pwrite of more than that many bytes writes only those. */
static size_t
shortened(size_t n)
{
    size_t most = (size_t)number("JB_SHIM_SHORT");
    return most > 0 && n > most ? most : n;
}

ssize_t
pwrite(int fd, const void *buf, size_t n, off_t at)
{
    n = shortened(n);
    return strike(fd, 'w')
               ? -1
               : REAL("pwrite", ssize_t(*)(int, const void *, size_t, off_t))(fd, buf, n, at);
}

ssize_t
pwrite64(int fd, const void *buf, size_t n, off64_t at)
{
    return strike(fd, 'w')
               ? -1
               : REAL("pwrite64", ssize_t(*)(int, const void *, size_t, off64_t))(fd, buf, n, at);
}

ssize_t
write(int fd, const void *buf, size_t n)
{
    return strike(fd, 'w') ? -1 : REAL("write", ssize_t(*)(int, const void *, size_t))(fd, buf, n);
}

ssize_t
writev(int fd, const struct iovec *iov, int n)
{
    return strike(fd, 'w') ? -1
                           : REAL("writev", ssize_t(*)(int, const struct iovec *, int))(fd, iov, n);
}

ssize_t
pwritev(int fd, const struct iovec *iov, int n, off_t at)
{
    return strike(fd, 'w')
               ? -1
               : REAL("pwritev", ssize_t(*)(int, const struct iovec *, int, off_t))(fd, iov, n, at);
}

int
rename(const char *from, const char *to)
{
    bool counts = getenv("JB_SHIM_NAMES") != NULL;
    return counts && strike_any(3, 'n')
               ? -1
               : REAL("rename", int (*)(const char *, const char *))(from, to);
}

int
unlink(const char *path)
{
    bool counts = getenv("JB_SHIM_NAMES") != NULL;
    return counts && strike_any(3, 'n') ? -1 : REAL("unlink", int (*)(const char *))(path);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    bool counts = getenv("JB_SHIM_NAMES") != NULL;
    return counts && strike_any(3, 'n')
               ? -1
               : REAL("renameat", int (*)(int, const char *, int, const char *))(from_dir, from,
                                                                                 to_dir, to);
}

int
unlinkat(int dir, const char *path, int flags)
{
    bool counts = getenv("JB_SHIM_NAMES") != NULL;
    return counts && strike_any(3, 'n')
               ? -1
               : REAL("unlinkat", int (*)(int, const char *, int))(dir, path, flags);
}

int
fdatasync(int fd)
{
    return strike(fd, 's') ? -1 : REAL("fdatasync", int (*)(int))(fd);
}

int
sync_file_range(int fd, off_t at, off_t n, unsigned flags)
{
    return strike(fd, 's')
               ? -1
               : REAL("sync_file_range", int (*)(int, off_t, off_t, unsigned))(fd, at, n, flags);
}

int
fsync(int fd)
{
    if (number("JB_SHIM_SLOW") > 0) {
        usleep((useconds_t)number("JB_SHIM_SLOW"));
    }
    return strike(fd, 's') ? -1 : REAL("fsync", int (*)(int))(fd);
}

int
msync(void *at, size_t n, int flags)
{
    return strike_any(3, 's') ? -1 : REAL("msync", int (*)(void *, size_t, int))(at, n, flags);
}
