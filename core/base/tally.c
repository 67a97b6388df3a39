#include "base/tally.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* What is not longer is hashed in one piece. */
#define KEY_BYTES_MAX 255
#define VALUE_BYTES 64

static XXH128_hash_t
hash_row(const void *key, size_t key_n, const void *value, size_t value_n)
{
    uint8_t row[1 + KEY_BYTES_MAX + VALUE_BYTES];
    if (1 + key_n + value_n <= sizeof row && key_n <= KEY_BYTES_MAX) {
        row[0] = (uint8_t)key_n;
        memcpy(row + 1, key, key_n);
        memcpy(row + 1 + key_n, value, value_n);
        return XXH3_128bits(row, 1 + key_n + value_n);
    }
    XXH128_hash_t h = XXH3_128bits(value, value_n);
    return XXH3_128bits_withSeed(key, key_n, h.low64 ^ h.high64);
}

void
jb_tally_add(struct jb_tally *t, const void *key, size_t key_n, const void *value, size_t value_n)
{
    XXH128_hash_t h = hash_row(key, key_n, value, value_n);
    t->rows++;
    t->sum[0] += h.low64;
    t->sum[1] += h.high64;
}

void
jb_tally_take(struct jb_tally *t, const void *key, size_t key_n, const void *value, size_t value_n)
{
    XXH128_hash_t h = hash_row(key, key_n, value, value_n);
    t->rows--;
    t->sum[0] -= h.low64;
    t->sum[1] -= h.high64;
}

bool
jb_tally_same(const struct jb_tally *a, const struct jb_tally *b)
{
    return a->rows == b->rows && a->sum[0] == b->sum[0] && a->sum[1] == b->sum[1];
}
