/* The file `secret`: made, read and copied. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

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
jb_secret_write(const char *dir, const uint8_t secret[JB_SECRET_BYTES], const uint8_t ledger_id[16],
                struct jb_error *err)
{
    char path[4096];
    uint8_t bytes[JB_SECRET_BYTES + CHECK_BYTES];
    snprintf(path, sizeof path, "%s/secret", dir);
    memcpy(bytes, secret, JB_SECRET_BYTES);
    check_bytes(secret, ledger_id, bytes + JB_SECRET_BYTES);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
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
jb_secret_make(const char *dir, const uint8_t ledger_id[16], struct jb_error *err)
{
    uint8_t secret[JB_SECRET_BYTES];
    if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret) {
        return jb_fail_errno(err, JB_E_IO, errno, "no random bytes for %s/secret", dir);
    }
    return jb_secret_write(dir, secret, ledger_id, err);
}

enum jb_secret_found
jb_secret_read(const char *dir, const uint8_t ledger_id[16], uint8_t ret[JB_SECRET_BYTES])
{
    char path[4096];
    uint8_t bytes[JB_SECRET_BYTES + CHECK_BYTES + 1], check[CHECK_BYTES];
    snprintf(path, sizeof path, "%s/secret", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return JB_SECRET_LOST;
    }
    ssize_t n = read(fd, bytes, sizeof bytes);
    close(fd);
    if (n != JB_SECRET_BYTES + CHECK_BYTES && n != JB_SECRET_BYTES) {
        return n < 0 ? JB_SECRET_LOST : JB_SECRET_DAMAGED;
    }
    memcpy(ret, bytes, JB_SECRET_BYTES);
    if (n == JB_SECRET_BYTES) {
        return JB_SECRET_THERE; /* the first ledgers' had no check */
    }
    check_bytes(ret, ledger_id, check);
    return memcmp(check, bytes + JB_SECRET_BYTES, CHECK_BYTES) == 0 ? JB_SECRET_THERE
                                                                    : JB_SECRET_DAMAGED;
}

void
jb_secret_load(struct jb_ledger *l)
{
    l->has_secret = jb_secret_read(l->dir, l->identity.ledger_id, l->secret) == JB_SECRET_THERE;
}
