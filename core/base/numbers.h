/*
 * Numbers in few bytes, for rows of which there are many: most numbers of a row are zero or small.
 *
 * A number is one to nine bytes: the ones that its first byte begins with say how many follow; then
 * it stands big endian. A list of numbers begins with a bit for each, the first one lowest, eight
 * to a byte; those that are not zero follow. Each list has one form alone: whoever reads refuses
 * every other.
 */
#ifndef JANGBU_NUMBERS_H
#define JANGBU_NUMBERS_H

#include "base/bytes.h"

#define JB_NUMBER_BYTES_MAX 9
#define JB_NUMBERS_MAX 64
/* What n numbers take at most. */
#define JB_NUMBERS_BYTES_MAX(n) (((size_t)(n) + 7) / 8 + (size_t)(n)*JB_NUMBER_BYTES_MAX)

/* Small ones of either sign are small. */
static inline uint64_t
jb_zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline int64_t
jb_unzigzag(uint64_t number)
{
    return (int64_t)(number >> 1 ^ -(number & 1));
}

/* Writes a number at p, where there is room for nine bytes. Returns how many it took. */
static inline size_t
jb_number_put(uint8_t *p, uint64_t number)
{
    const unsigned bits = 64U - (unsigned)__builtin_clzll(number | 1);
    if (bits > 56) {
        *p = UINT8_MAX;
        jb_put_be(p + 1, 8, number);
        return 9;
    }
    /* Seven bits of it in each byte, beside the ones and a zero that say how many there are. */
    const unsigned n = (bits + 6) / 7;
    const uint64_t ones = ~(UINT64_MAX >> (n - 1));
    jb_put_be(p, 8, number << (64 - 8 * n) | ones);
    return n;
}

/* Reads one from the first of `left` bytes. Returns how many it took; 0: there is none. */
static inline size_t
jb_number_get(const uint8_t *p, size_t left, uint64_t *ret)
{
    if (left == 0) {
        return 0;
    }
    const unsigned rest = (uint8_t) ~*p;
    const unsigned n = rest == 0 ? 9 : (unsigned)__builtin_clz(rest) - 23;
    if (n > left) {
        return 0;
    }
    if (n == 9) {
        *ret = jb_get_be(p + 1, 8);
        return *ret >> 56 != 0 ? 9 : 0;
    }
    const uint64_t word = left >= 8 ? jb_get_be(p, 8) : jb_get_be(p, n) << (64 - 8 * n);
    *ret = word << n >> (64 - 7 * n);
    return n == 1 || *ret >> (7 * (n - 1)) != 0 ? n : 0;
}

/* The number that n bytes are, all of them. */
static inline bool
jb_number_whole(const void *p, size_t n, uint64_t *ret)
{
    return n > 0 && jb_number_get(p, n, ret) == n;
}

/* Writes n numbers, at most JB_NUMBERS_MAX, at p, where there is room for JB_NUMBERS_BYTES_MAX(n).
 * Returns how many bytes they took. */
static inline size_t
jb_numbers_put(uint8_t *p, const uint64_t *numbers, unsigned n)
{
    uint64_t there = 0;
    uint8_t *at = p + (n + 7) / 8;
    for (unsigned i = 0; i < n; i++) {
        there |= (uint64_t)(numbers[i] != 0) << i;
    }
    for (unsigned i = 0; i < n; i += 8) {
        p[i / 8] = (uint8_t)(there >> i);
    }
    for (; there != 0; there &= there - 1) {
        at += jb_number_put(at, numbers[__builtin_ctzll(there)]);
    }
    return (size_t)(at - p);
}

/* Reads n numbers from the first of `left` bytes. Returns how many they took; 0: they are not
 * there. */
static inline size_t
jb_numbers_get(const uint8_t *p, size_t left, uint64_t *ret, unsigned n)
{
    uint64_t there = 0;
    size_t at = (n + 7) / 8;
    if (left < at) {
        return 0;
    }
    for (unsigned i = 0; i < n; i += 8) {
        there |= (uint64_t)p[i / 8] << i;
    }
    if (n < 64 && there >> n != 0) {
        return 0;
    }
    memset(ret, 0, n * sizeof *ret);
    for (; there != 0; there &= there - 1) {
        uint64_t *number = &ret[__builtin_ctzll(there)];
        const size_t bytes = jb_number_get(p + at, left - at, number);
        if (bytes == 0 || *number == 0) {
            return 0;
        }
        at += bytes;
    }
    return at;
}

#endif
