#include "storage/room.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/descriptors.h"

#define STEP_LEAST (64 << 10)
#define STEP_MOST (16 << 20)
/* Pages that a commit changes beside those that it fills: branches, the free list. */
#define PAGES_BESIDE 32

/* 0, or errno. */
static int
write_zeros(int fd, off_t from, off_t to)
{
    static const uint8_t zeros[64 << 10];
    while (from < to) {
        size_t n = to - from < (off_t)sizeof zeros ? (size_t)(to - from) : sizeof zeros;
        ssize_t done = pwrite(fd, zeros, n, from);
        if (done <= 0) {
            return done < 0 ? errno : ENOSPC;
        }
        from += done;
    }
    return fdatasync(fd) == 0 ? 0 : errno;
}

static bool
is_allowed(off_t bytes)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
           (limit.rlim_cur == RLIM_INFINITY || (rlim_t)bytes <= limit.rlim_cur);
}

/* A descriptor of its own for the file that is open, and not for one that is at its path by now. */
static int
open_same(const struct jb_env *e, struct stat *ret)
{
    int used = -1;
    struct stat st;
    int fd = jb_descriptor_open(jb_env_place(e), O_WRONLY, 0);
    if (fd >= 0 && mdb_env_get_fd(jb_env_lmdb(e), &used) == 0 && fstat(used, &st) == 0 &&
        fstat(fd, ret) == 0 && st.st_dev == ret->st_dev && st.st_ino == ret->st_ino) {
        return fd;
    }
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

int
jb_env_make_room(struct jb_env *e, size_t bytes, off_t *room)
{
    MDB_stat st;
    MDB_envinfo info;
    struct stat file;
    if (jb_env_lmdb(e) == NULL || mdb_env_stat(jb_env_lmdb(e), &st) != 0 ||
        mdb_env_info(jb_env_lmdb(e), &info) != 0) {
        return 0;
    }
    off_t page = (off_t)st.ms_psize;
    off_t need = ((off_t)info.me_last_pgno + 1 + PAGES_BESIDE) * page + (off_t)(bytes + bytes / 4);
    if (*room >= need || stat(jb_env_place(e), &file) != 0) {
        return 0;
    }
    *room = file.st_size; /* it never becomes shorter */
    if (file.st_size >= need) {
        return 0;
    }
    off_t step = file.st_size / 8 < STEP_LEAST  ? STEP_LEAST
                 : file.st_size / 8 > STEP_MOST ? STEP_MOST
                                                : file.st_size / 8;
    off_t to = file.st_size + step > need ? file.st_size + step : need;
    to = (to + page - 1) / page * page;
    int fd = is_allowed(to) ? open_same(e, &file) : -1;
    if (fd < 0) {
        return 0;
    }
    int code = write_zeros(fd, file.st_size, to);
    if (code != 0 && ftruncate(fd, file.st_size) != 0) {
        code = EIO;
    }
    close(fd);
    return code == EIO ? EIO : 0; /* no room for it: the file grows by what the commit needs */
}
