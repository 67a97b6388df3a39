/*
 * The fingerprint of a command's content: what a key protects. XXH3 with a secret that lies in a file of its own, so that the log does not
 * leak contents that can simply be guessed. It is no PRF: who has log and secret, or many chosen contents, can learn from it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "ledger/internal.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static_assert(JB_SECRET_BYTES >= XXH3_SECRET_SIZE_MIN, "the secret is too short for XXH3");

#define CHECK_BYTES 16

/* Members that do not belong to the content (docs/rules.md section 5; docs/decisions/0008). */
#define NOT_CONTENT (JB_HAS(JB_CF_KEY) | JB_HAS(JB_CF_EXPECT) | JB_HAS(JB_CF_CLOCK) | JB_HAS(JB_CF_ACTOR))

static void
number(XXH3_state_t *s, uint64_t value)
{
    uint8_t be[8];
    jb_put_be(be, 8, value);
    XXH3_64bits_update(s, be, 8);
}

static void
text(XXH3_state_t *s, struct jb_text t)
{
    number(s, t.n);
    XXH3_64bits_update(s, t.n > 0 ? t.s : "", t.n);
}

static void
member(XXH3_state_t *s, const struct jb_command *c, unsigned field)
{
    const struct jb_command_field_info *f = jb_command_field_get(field);
    const void *at = (const char *)c + f->offset;
    switch (f->kind) {
    case JB_CK_ID:
    case JB_CK_SHORT:
    case JB_CK_NAME:
    case JB_CK_TEXT:
        text(s, *(const struct jb_text *)at);
        break;
    case JB_CK_AMOUNT:
    case JB_CK_UINT:
    case JB_CK_VALUE:
    case JB_CK_INSTANT:
        number(s, *(const uint64_t *)at);
        break;
    case JB_CK_WORD:
        number(s, *(const uint32_t *)at);
        break;
    case JB_CK_DAY:
        number(s, (uint64_t)(int64_t) * (const jb_day *)at);
        break;
    case JB_CK_BOOL:
        number(s, *(const bool *)at);
        break;
    case JB_CK_ACTOR:
    case JB_CK_COMMANDS:
        break;
    }
}

static void
command(XXH3_state_t *s, const struct jb_command *c)
{
    uint64_t has = c->has & ~NOT_CONTENT;
    number(s, (uint64_t)c->op);
    number(s, has);
    for (; has != 0; has &= has - 1) {
        member(s, c, (unsigned)__builtin_ctzll(has));
    }
    if (c->op == JB_OP_ATOMIC) {
        number(s, c->commands_n);
        for (size_t i = 0; i < c->commands_n; i++) {
            command(s, &c->commands[i]);
        }
    }
}

uint64_t
jb_fingerprint(const struct jb_ledger *l, const struct jb_command *c)
{
    if (!l->has_secret) {
        return 0;
    }
    XXH3_state_t state;
    XXH3_64bits_reset_withSecret(&state, l->secret, sizeof l->secret);
    command(&state, c);
    uint64_t value = XXH3_64bits_digest(&state);
    return value != 0 ? value : 1; /* 0 in an event: made without the secret */
}

/* Binds the secret to its ledger, so that a damaged one, or that of another ledger, is not taken for it. */
static void
check_bytes(const uint8_t secret[JB_SECRET_BYTES], const uint8_t ledger_id[16], uint8_t ret[CHECK_BYTES])
{
    uint8_t both[16 + JB_SECRET_BYTES];
    XXH128_canonical_t canonical;
    memcpy(both, ledger_id, 16);
    memcpy(both + 16, secret, JB_SECRET_BYTES);
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(both, sizeof both));
    memcpy(ret, canonical.digest, CHECK_BYTES);
}

jb_status
jb_secret_write(const char *dir, const uint8_t secret[JB_SECRET_BYTES], const uint8_t ledger_id[16], struct jb_error *err)
{
    char path[4096];
    uint8_t bytes[JB_SECRET_BYTES + CHECK_BYTES];
    snprintf(path, sizeof path, "%s/secret", dir);
    memcpy(bytes, secret, JB_SECRET_BYTES);
    check_bytes(secret, ledger_id, bytes + JB_SECRET_BYTES);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return jb_fail_errno(err, errno == ENOSPC ? JB_E_FULL : JB_E_IO, errno, "cannot make %s", path);
    }
    bool ok = write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes && fsync(fd) == 0;
    int code = errno;
    close(fd);
    return ok ? JB_OK : jb_fail_errno(err, code == ENOSPC ? JB_E_FULL : JB_E_IO, code, "cannot write %s", path);
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
    return memcmp(check, bytes + JB_SECRET_BYTES, CHECK_BYTES) == 0 ? JB_SECRET_THERE : JB_SECRET_DAMAGED;
}

void
jb_secret_load(struct jb_ledger *l)
{
    l->has_secret = jb_secret_read(l->dir, l->identity.ledger_id, l->secret) == JB_SECRET_THERE;
}
