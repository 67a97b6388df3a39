#include "log/fault.h"

#include "base/error.h"
#include "log/head.h"
#include "storage/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define FAULT_BYTES JB_HEAD_BYTES
#define READ_BYTES (1 << 20)
#define ALIGNED_TO 4096

static const char magic[8] = "jangbuF1";

static void
path_of(const char *dir, const char *name, char ret[4096])
{
    snprintf(ret, 4096, "%s/%s", dir, name);
}

static bool
sync_dir(const char *dir)
{
    int fd = jb_descriptor_open(dir, O_RDONLY | O_DIRECTORY, 0);
    bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

bool
jb_fault_write(const char *dir, const struct jb_fault *f)
{
    char path[4096];
    uint8_t b[FAULT_BYTES];
    memcpy(b, magic, 8);
    memcpy(b + 8, f->ledger_id, 16);
    jb_put_be(b + 24, 8, f->seq);
    jb_put_be(b + 32, 8, f->page);
    memcpy(b + 40, f->chain, 16);
    jb_put_be(b + 56, 8, XXH3_64bits(b, 56));
    path_of(dir, "FAULT", path);
    /* The first one stays: what was good then is where the device is read from. */
    int fd = jb_descriptor_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0) {
        return errno == EEXIST;
    }
    bool ok = write(fd, b, sizeof b) == (ssize_t)sizeof b && fsync(fd) == 0;
    close(fd);
    return ok && sync_dir(dir);
}

bool
jb_fault_is_there(const char *dir)
{
    char path[4096];
    path_of(dir, "FAULT", path);
    return access(path, F_OK) == 0;
}

/* False: there is none that says anything, and the whole chain is looked at. */
static bool
read_fault(const char *dir, const uint8_t ledger_id[16], struct jb_fault *ret, bool *ret_newer)
{
    char path[4096];
    uint8_t b[FAULT_BYTES] = {0};
    path_of(dir, "FAULT", path);
    int fd = jb_descriptor_open(path, O_RDONLY, 0);
    ssize_t n = fd >= 0 ? read(fd, b, sizeof b) : -1;
    *ret_newer = n > 0 && jb_head_is_newer(b, (size_t)n, magic);
    bool ok = n == (ssize_t)sizeof b && memcmp(b, magic, 8) == 0 &&
              memcmp(b + 8, ledger_id, 16) == 0 && jb_get_be(b + 56, 8) == XXH3_64bits(b, 56);
    if (fd >= 0) {
        close(fd);
    }
    if (ok) {
        *ret = (struct jb_fault){.seq = jb_get_be(b + 24, 8), .page = jb_get_be(b + 32, 8)};
        memcpy(ret->chain, b + 40, JB_CHAIN_BYTES);
    }
    return ok;
}

static jb_status
not_cleared(struct jb_error *err, const char *path, int code, const char *what)
{
    jb_status status = jb_fail(
        err, JB_E_DEVICE,
        "the device failed while the ledger was written, and %s %s%s%s. Nothing is written until "
        "it "
        "can be read back whole: restore a backup, or copy the log now (`jangbu backup`), while "
        "this machine still has in memory what the device may have lost",
        path, what, code != 0 ? ": " : "", code != 0 ? strerror(code) : "");
    if (err != NULL) {
        err->os_errno = code;
    }
    return status;
}

/* cached and device: the same file, with the cache and past it. */
static jb_status
compare(const char *path, int cached, int device, uint8_t *a, uint8_t *b, struct jb_error *err)
{
    if (fsync(cached) != 0) {
        return not_cleared(err, path, errno, "cannot be synced");
    }
    for (off_t at = 0;; at += READ_BYTES) {
        ssize_t n = pread(cached, a, READ_BYTES, at);
        ssize_t m = n < 0 ? -1 : pread(device, b, READ_BYTES, at);
        if (n < 0 || m < 0) {
            return not_cleared(err, path, errno, "cannot be read back");
        }
        if (n != m || memcmp(a, b, (size_t)n) != 0) {
            return not_cleared(err, path, 0, "is not on it as it was written");
        }
        if (n < READ_BYTES) {
            return JB_OK;
        }
    }
}

static jb_status
read_back(const char *dir, const char *name, struct jb_error *err)
{
    char path[4096];
    path_of(dir, name, path);
    int cached = jb_descriptor_open(path, O_RDWR, 0);
    if (cached < 0) {
        return errno == ENOENT ? JB_OK : not_cleared(err, path, errno, "cannot be opened");
    }
    int device = jb_descriptor_open(path, O_RDONLY | O_DIRECT, 0);
    uint8_t *a = aligned_alloc(ALIGNED_TO, 2 * READ_BYTES);
    jb_status status =
        device < 0  ? not_cleared(err, path, errno, "cannot be read past the page cache here")
        : a == NULL ? jb_fail(err, JB_E_NOMEM, "no memory to read %s back", path)
                    : compare(path, cached, device, a, a + READ_BYTES, err);
    free(a);
    if (device >= 0) {
        close(device);
    }
    close(cached);
    return status;
}

/* Every frame behind the last good commit, by way of the cache, which is what the device has. */
static jb_status
check_chain(struct jb_log *l, const struct jb_fault *f, struct jb_error *err)
{
    struct jb_log_reader *r;
    jb_status status = jb_log_reader_open(l, &r, err);
    if (status != JB_OK) {
        return status;
    }
    const struct jb_event *e;
    status = jb_log_reader_renew(r, NULL, err);
    jb_log_reader_seek(r, f->seq + 1, f->chain);
    while (status == JB_OK) {
        status = jb_log_reader_next(r, &e, err);
    }
    jb_log_reader_close(r);
    return status == JB_END ? JB_OK : status;
}

jb_status
jb_fault_clear(const char *dir, struct jb_log *l, const struct jb_log_identity *identity,
               struct jb_error *err)
{
    char path[4096];
    struct jb_fault f;
    bool newer;
    path_of(dir, "FAULT", path);
    bool known = read_fault(dir, identity->ledger_id, &f, &newer);
    if (newer) {
        return jb_fail(err, JB_E_FORMAT,
                       "the device failed while the ledger was written, and %s was written by a "
                       "newer version of jangbu. Use that version",
                       path);
    }
    if (!known) {
        f = (struct jb_fault){0};
        memcpy(f.chain, identity->root, JB_CHAIN_BYTES);
    }
    jb_status status = read_back(dir, "log.mdb", err);
    status = status == JB_OK ? read_back(dir, "people.mdb", err) : status;
    status = status == JB_OK ? check_chain(l, &f, err) : status;
    if (status != JB_OK) {
        return status;
    }
    if ((unlink(path) != 0 && errno != ENOENT) || !sync_dir(dir)) {
        return not_cleared(err, path, errno, "cannot be removed");
    }
    return JB_OK;
}
