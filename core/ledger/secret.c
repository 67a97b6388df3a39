/* The file `secret`: made, read and copied. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/descriptors.h"
#include "ledger/internal.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define CHECK_BYTES 16

/* Binds the secret to its ledger, so that a damaged one, or that of another ledger, is not taken
 * for it. */
static void
check_bytes(const uint8_t secret[JB_SECRET_BYTES], const uint8_t ledger_id[16],
            uint8_t ret[CHECK_BYTES])
{
    uint8_t both[16 + JB_SECRET_BYTES];
    XXH128_canonical_t canonical;
    memcpy(both, ledger_id, 16);
    memcpy(both + 16, secret, JB_SECRET_BYTES);
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(both, sizeof both));
    memcpy(ret, canonical.digest, CHECK_BYTES);
}

jb_status
jb_secret_write_as(const char *dir, const char *name, const uint8_t secret[JB_SECRET_BYTES],
                   const uint8_t ledger_id[16], struct jb_error *err)
{
    char path[4096];
    uint8_t bytes[JB_SECRET_BYTES + CHECK_BYTES];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    memcpy(bytes, secret, JB_SECRET_BYTES);
    check_bytes(secret, ledger_id, bytes + JB_SECRET_BYTES);
    int fd = jb_descriptor_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0) {
        return jb_fail_errno(err, errno == ENOSPC ? JB_E_FULL : JB_E_IO, errno, "cannot make %s",
                             path);
    }
    bool ok = write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes && fsync(fd) == 0;
    int code = errno;
    close(fd);
    return ok ? JB_OK
              : jb_fail_errno(err, code == ENOSPC ? JB_E_FULL : JB_E_IO, code, "cannot write %s",
                              path);
}

jb_status
jb_secret_write(const char *dir, const uint8_t secret[JB_SECRET_BYTES], const uint8_t ledger_id[16],
                struct jb_error *err)
{
    return jb_secret_write_as(dir, "secret", secret, ledger_id, err);
}

jb_status
jb_secret_make(const char *dir, const uint8_t ledger_id[16], struct jb_error *err)
{
    uint8_t secret[JB_SECRET_BYTES];
    if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret) {
        return jb_fail_errno(err, JB_E_IO, errno, "no random bytes for %s/secret", dir);
    }
    return jb_secret_write(dir, secret, ledger_id, err);
}

/* Reads up to n bytes; less only where the file ends. -1 with errno. */
static ssize_t
read_whole(int fd, uint8_t *bytes, size_t n)
{
    size_t have = 0;
    while (have < n) {
        ssize_t got = read(fd, bytes + have, n - have);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        have += (size_t)got;
    }
    return (ssize_t)have;
}

static jb_status
unreadable(struct jb_error *err, const char *path, int code)
{
    return jb_fail_errno(err,
                         code == EACCES || code == EPERM ? JB_E_READONLY
                         : code == ENOMEM                ? JB_E_NOMEM
                                                         : JB_E_IO,
                         code, "cannot read %s, without which no event has a fingerprint", path);
}

jb_status
jb_secret_read(const char *dir, const uint8_t ledger_id[16], enum jb_secret_found *ret_found,
               uint8_t ret[JB_SECRET_BYTES], struct jb_error *err)
{
    char path[4096];
    uint8_t bytes[JB_SECRET_BYTES + CHECK_BYTES + 1], check[CHECK_BYTES];
    struct stat st;
    snprintf(path, sizeof path, "%s/secret", dir);
    int fd;
    do {
        fd = jb_descriptor_open(path, O_RDONLY, 0);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0 && errno == ENOENT) {
        *ret_found = JB_SECRET_LOST;
        return JB_OK;
    }
    if (fd < 0) {
        return unreadable(err, path, errno);
    }
    ssize_t n = fstat(fd, &st) == 0 ? read_whole(fd, bytes, sizeof bytes) : -1;
    int code = errno;
    close(fd);
    if (n < 0) {
        return unreadable(err, path, code);
    }
    if (n < (ssize_t)sizeof bytes && n < st.st_size) {
        return unreadable(err, path, EIO); /* it ended before its end */
    }
    *ret_found = n == (ssize_t)sizeof bytes ? JB_SECRET_NEWER : JB_SECRET_DAMAGED;
    if (n != JB_SECRET_BYTES + CHECK_BYTES && n != JB_SECRET_BYTES) {
        return JB_OK;
    }
    memcpy(ret, bytes, JB_SECRET_BYTES);
    check_bytes(ret, ledger_id, check);
    /* The first ledgers' had no check. */
    if (n == JB_SECRET_BYTES || memcmp(check, bytes + JB_SECRET_BYTES, CHECK_BYTES) == 0) {
        *ret_found = JB_SECRET_THERE;
    }
    return JB_OK;
}

jb_status
jb_secret_load(struct jb_ledger *l, struct jb_error *err)
{
    enum jb_secret_found found;
    jb_status status = jb_secret_read(l->dir, l->identity.ledger_id, &found, l->secret, err);
    l->has_secret = status == JB_OK && found == JB_SECRET_THERE;
    l->secret_damaged = status == JB_OK && (found == JB_SECRET_DAMAGED || found == JB_SECRET_NEWER);
    if (status == JB_OK && found == JB_SECRET_NEWER && !l->read_only) {
        /* Events without fingerprints would be written beside those of who knows it. */
        jb_ledger_refuse(l, "the file `secret` is longer than this version writes: a newer version "
                            "of jangbu made it (use that one), or something was appended to it "
                            "(put the ledger's own back from a backup) (%s)");
    }
    return status;
}
