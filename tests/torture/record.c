/*
 * Preloaded into a program: what it writes and syncs, in order, goes to the file JB_RECORD, so that
 * what a power cut could have left can be made afterwards. A record is: kind 1 byte ('W' a write,
 * 'D' one through a descriptor that syncs by itself, 'S' a sync, 'F' a new length, 'A' bytes to
 * standard output), name 63 bytes, offset 8, length 8 (of this machine), then the bytes.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define DESCRIPTORS 1024
#define NAME_BYTES 63

struct record {
    char kind;
    char name[NAME_BYTES];
    uint64_t offset, n;
};

static pthread_mutex_t in_order = PTHREAD_MUTEX_INITIALIZER;
static int out = -1;
static char names[DESCRIPTORS][NAME_BYTES];
static int syncs_itself[DESCRIPTORS];

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void
begin(void)
{
    const char *path = getenv("JB_RECORD");
    int fd = path != NULL ? (int)syscall(SYS_openat, AT_FDCWD, path,
                                         O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
                          : -1;
    out = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 900) : -1;
    if (fd >= 0) {
        syscall(SYS_close, fd);
    }
}

static int
known(int fd)
{
    return out >= 0 && fd > 2 && fd < DESCRIPTORS && fd != out && names[fd][0] != '\0';
}

static void
note(char kind, int fd, uint64_t offset, const void *bytes, size_t n)
{
    struct record r = {.kind = kind, .offset = offset, .n = n};
    if (fd != 1) {
        memcpy(r.name, names[fd], NAME_BYTES);
    }
    struct iovec v[2] = {{&r, sizeof r}, {(void *)(uintptr_t)bytes, n}};
    if (syscall(SYS_writev, out, v, 2) != (long)(sizeof r + n)) {
        abort(); /* half a record would be taken for a crash of the program's */
    }
}

static void
opened(int fd, const char *path, int flags)
{
    if (fd < 0 || fd >= DESCRIPTORS) {
        return;
    }
    const char *base = strrchr(path, '/');
    memset(names[fd], 0, NAME_BYTES);
    strncpy(names[fd], base != NULL ? base + 1 : path, NAME_BYTES - 1);
    syncs_itself[fd] = (flags & (O_DSYNC | O_SYNC)) != 0;
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;             \
        va_end(args);                                                                              \
        int fd = REAL(name)(path, flags, mode);                                                    \
        opened(fd, path, flags);                                                                   \
        return fd;                                                                                 \
    }
OPEN(open)
OPEN(open64)

static char
kind_of(int fd)
{
    return syncs_itself[fd] ? 'D' : 'W';
}

ssize_t
write(int fd, const void *at, size_t n)
{
    if (out < 0 || (fd != 1 && !known(fd))) {
        return REAL(write)(fd, at, n);
    }
    pthread_mutex_lock(&in_order);
    note(fd == 1 ? 'A' : kind_of(fd), fd, fd == 1 ? 0 : (uint64_t)lseek(fd, 0, SEEK_CUR), at, n);
    ssize_t code = REAL(write)(fd, at, n);
    pthread_mutex_unlock(&in_order);
    return code;
}

static ssize_t
at_offset(int fd, const struct iovec *v, int n, uint64_t where)
{
    pthread_mutex_lock(&in_order);
    uint64_t offset = where;
    for (int i = 0; known(fd) && i < n; i++) {
        note(kind_of(fd), fd, offset, v[i].iov_base, v[i].iov_len);
        offset += v[i].iov_len;
    }
    ssize_t code = REAL(pwritev)(fd, v, n, (off_t)where);
    pthread_mutex_unlock(&in_order);
    return code;
}

ssize_t
pwrite(int fd, const void *at, size_t n, off_t where)
{
    struct iovec v = {(void *)(uintptr_t)at, n};
    return at_offset(fd, &v, 1, (uint64_t)where);
}

ssize_t
pwrite64(int fd, const void *at, size_t n, off64_t where)
{
    struct iovec v = {(void *)(uintptr_t)at, n};
    return at_offset(fd, &v, 1, (uint64_t)where);
}

ssize_t
pwritev(int fd, const struct iovec *v, int n, off_t where)
{
    return at_offset(fd, v, n, (uint64_t)where);
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
    if (!known(fd)) {
        return REAL(writev)(fd, v, n);
    }
    uint64_t where = (uint64_t)lseek(fd, 0, SEEK_CUR);
    ssize_t code = at_offset(fd, v, n, where);
    if (code > 0) {
        lseek(fd, (off_t)where + code, SEEK_SET);
    }
    return code;
}

static int
synced(int fd, int code)
{
    if (code == 0 && known(fd)) {
        note('S', fd, 0, "", 0);
    }
    pthread_mutex_unlock(&in_order);
    return code;
}

int
fdatasync(int fd)
{
    pthread_mutex_lock(&in_order);
    return synced(fd, REAL(fdatasync)(fd));
}

int
fsync(int fd)
{
    pthread_mutex_lock(&in_order);
    return synced(fd, REAL(fsync)(fd));
}

int
ftruncate(int fd, off_t n)
{
    if (known(fd)) {
        note('F', fd, (uint64_t)n, "", 0);
    }
    return REAL(ftruncate)(fd, n);
}
