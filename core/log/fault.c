#include "log/fault.h"

#include "base/error.h"
#include "log/head.h"
#include "storage/descriptors.h"
#include "storage/lmdb_env.h"

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
#define PEOPLE_WAIT_US (10 * JB_US_PER_SECOND)

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
    uint8_t b[FAULT_BYTES + 1] = {0};
    path_of(dir, "FAULT", path);
    int fd = jb_descriptor_open(path, O_RDONLY, 0);
    ssize_t n = fd >= 0 ? read(fd, b, sizeof b) : -1;
    *ret_newer = n > 0 && jb_head_is_newer(b, (size_t)n, magic);
    bool ok = n == FAULT_BYTES && memcmp(b, magic, 8) == 0 && memcmp(b + 8, ledger_id, 16) == 0 &&
              jb_get_be(b + 56, 8) == XXH3_64bits(b, 56);
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
        path, jb_tr(what), code != 0 ? ": " : "", code != 0 ? jb_tr(strerror(code)) : "");
    if (err != NULL) {
        err->os_errno = code;
    }
    return status;
}

/* Writes what the cache has, and the device has otherwise: a page that could not be written counts
 * as clean from then on, and no sync writes it again. Past the cache, too: for the cache, a part of
 * the file whose blocks were written, but could not be noted as not empty, is done with. */
static bool
write_again(int device, const uint8_t *a, const uint8_t *b, size_t n, off_t at)
{
    for (size_t i = 0; i + ALIGNED_TO <= n; i += ALIGNED_TO) {
        if (memcmp(a + i, b + i, ALIGNED_TO) != 0 &&
            pwrite(device, a + i, ALIGNED_TO, at + (off_t)i) != ALIGNED_TO) {
            return false;
        }
    }
    return true; /* what is less than a page is found to differ once more */
}

/* cached and device: the same file, with the cache and past it. mend: what differs is written
 * again, and *ret_same is false. */
static jb_status
compare(const char *path, int cached, int device, bool mend, bool *ret_same, struct jb_error *err)
{
    jb_status status = JB_OK;
    ssize_t n = READ_BYTES;
    uint8_t *a = aligned_alloc(ALIGNED_TO, 2 * READ_BYTES);
    if (a == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory to read %s back", path);
    }
    uint8_t *b = a + READ_BYTES;
    if (fsync(cached) != 0) {
        status = not_cleared(err, path, errno, "cannot be synced");
    }
    *ret_same = true;
    for (off_t at = 0; status == JB_OK && n == READ_BYTES; at += READ_BYTES) {
        n = pread(cached, a, READ_BYTES, at);
        ssize_t m = n < 0 ? -1 : pread(device, b, READ_BYTES, at);
        if (n < 0 || m < 0) {
            status = not_cleared(err, path, errno, "cannot be read back");
        } else if (n != m || (memcmp(a, b, (size_t)n) != 0 &&
                              !(mend && write_again(device, a, b, (size_t)n, at)))) {
            status = not_cleared(err, path, 0, "is not on it as it was written");
        } else {
            *ret_same &= memcmp(a, b, (size_t)n) == 0;
        }
    }
    free(a);
    return status;
}

static jb_status
compare_and_mend(const char *path, int cached, int device, struct jb_error *err)
{
    bool same = false;
    jb_status status = compare(path, cached, device, true, &same, err);
    return status == JB_OK && !same ? compare(path, cached, device, false, &same, err) : status;
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
    int device = jb_descriptor_open(path, O_RDWR | O_DIRECT, 0);
    jb_status status =
        device < 0 ? not_cleared(err, path, errno, "cannot be read past the page cache here")
                   : compare_and_mend(path, cached, device, err);
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

/* Nobody else writes to it meanwhile: what they wrote would be written over. */
static jb_status
read_people_back(const char *dir, struct jb_log *l, struct jb_error *err)
{
    struct jb_lock *lock = jb_env_lock(jb_log_env(l));
    jb_status status = jb_lock_take(lock, JB_LOCK_PEOPLE, PEOPLE_WAIT_US, 0, err);
    if (status == JB_OK) {
        status = read_back(dir, "people.mdb", err);
        jb_lock_release(lock, JB_LOCK_PEOPLE);
    }
    return status;
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
    status = status == JB_OK ? read_people_back(dir, l, err) : status;
    status = status == JB_OK ? check_chain(l, &f, err) : status;
    if (status != JB_OK) {
        return status;
    }
    if ((unlink(path) != 0 && errno != ENOENT) || !sync_dir(dir)) {
        return not_cleared(err, path, errno, "cannot be removed");
    }
    return JB_OK;
}
