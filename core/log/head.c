#include "storage/descriptors.h"
#include "log/head.h"

#include "base/bytes.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static const char magic[8] = "jangbuH1";

int
jb_head_open(const char *dir, bool read_only)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/HEAD", dir);
    return jb_descriptor_open(path, (read_only ? O_RDONLY : O_RDWR | O_CREAT), 0600);
}

bool
jb_head_is_newer(const uint8_t b[JB_HEAD_BYTES], size_t n, const char form[8])
{
    uint8_t same[JB_HEAD_BYTES];
    if (n < 8 || memcmp(b, form, 7) != 0 || b[7] < '2' || b[7] > '9') {
        return false;
    }
    memcpy(same, b, sizeof same);
    same[7] = (uint8_t)form[7];
    return n != JB_HEAD_BYTES || jb_get_be(same + 56, 8) != XXH3_64bits(same, 56);
}

enum jb_head_found
jb_head_read(int fd, struct jb_head_file *ret)
{
    uint8_t b[JB_HEAD_BYTES + 1] = {0}; /* one more, to see whether it is longer */
    ssize_t n = fd < 0 ? 0 : pread(fd, b, sizeof b, 0);
    if (n == 0) {
        return JB_HEAD_NONE;
    }
    if (n > 0 && jb_head_is_newer(b, (size_t)n, magic)) {
        return JB_HEAD_NEWER;
    }
    if (n < JB_HEAD_BYTES || memcmp(b, magic, 8) != 0 ||
        jb_get_be(b + 56, 8) != XXH3_64bits(b, 56)) {
        return JB_HEAD_DAMAGED;
    }
    memcpy(ret->ledger_id, b + 8, 16);
    ret->seq = jb_get_be(b + 24, 8);
    ret->recorded_at = (jb_instant)jb_get_be(b + 32, 8);
    memcpy(ret->chain, b + 40, 16);
    return JB_HEAD_THERE;
}

void
jb_head_write(int fd, const struct jb_head_file *h)
{
    uint8_t b[JB_HEAD_BYTES];
    memcpy(b, magic, 8);
    memcpy(b + 8, h->ledger_id, 16);
    jb_put_be(b + 24, 8, h->seq);
    jb_put_be(b + 32, 8, (uint64_t)h->recorded_at);
    memcpy(b + 40, h->chain, 16);
    jb_put_be(b + 56, 8, XXH3_64bits(b, 56));
    /* It is a witness and not a store: a failure loses nothing but the witness. */
    if (fd >= 0 && pwrite(fd, b, sizeof b, 0) != (ssize_t)sizeof b) {
        return;
    }
}
