/* Big-endian numbers in byte strings, signed 128-bit sums, and arrays that grow. */
#ifndef JANGBU_BYTES_H
#define JANGBU_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Where `bytes` is a constant, 4 and 8 are one instruction; a compiler sees that in a loop only
 * now and then. */
static inline void
jb_put_be(uint8_t *p, unsigned bytes, uint64_t value)
{
    if (bytes == 8) {
        value = htobe64(value);
        memcpy(p, &value, 8);
        return;
    }
    if (bytes == 4) {
        uint32_t four = htobe32((uint32_t)value);
        memcpy(p, &four, 4);
        return;
    }
    for (unsigned i = bytes; i-- > 0;) {
        p[i] = (uint8_t)value;
        value >>= 8;
    }
}

static inline uint64_t
jb_get_be(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;
    if (bytes == 8) {
        memcpy(&value, p, 8);
        return be64toh(value);
    }
    if (bytes == 4) {
        uint32_t four;
        memcpy(&four, p, 4);
        return be32toh(four);
    }
    for (unsigned i = 0; i < bytes; i++) {
        value = (value << 8) | p[i];
    }
    return value;
}

/* Orders signed numbers as unsigned bytes: days before 1970 sort before it. */
static inline void
jb_put_be_i32(uint8_t *p, int32_t value)
{
    jb_put_be(p, 4, (uint32_t)value ^ 0x80000000U);
}

static inline int32_t
jb_get_be_i32(const uint8_t *p)
{
    return (int32_t)((uint32_t)jb_get_be(p, 4) ^ 0x80000000U);
}

/* Totals over a ledger: no number of wallets can overflow them. */
__extension__ typedef __int128 jb_wide;
__extension__ typedef unsigned __int128 jb_uwide;

static inline void
jb_wide_put(uint8_t be[16], jb_wide value)
{
    jb_put_be(be, 8, (uint64_t)((jb_uwide)value >> 64));
    jb_put_be(be + 8, 8, (uint64_t)value);
}

static inline jb_wide
jb_wide_get(const uint8_t be[16])
{
    jb_uwide value = ((jb_uwide)jb_get_be(be, 8) << 64) | jb_get_be(be + 8, 8);
    return (jb_wide)value;
}

/* An array that grows: JB_VEC(struct lot) lots; jb_vec_reserve(&lots, n) makes room for n in all.
 */
#define JB_VEC(type)                                                                               \
    struct {                                                                                       \
        type *at;                                                                                  \
        size_t n, cap;                                                                             \
    }

static inline bool
jb_vec_resize(void **at, size_t *cap, size_t cap_new, size_t size)
{
    void *grown = cap_new <= SIZE_MAX / size ? realloc(*at, cap_new * size) : NULL;
    if (grown == NULL) {
        return false;
    }
    *at = grown;
    *cap = cap_new;
    return true;
}

/* False: no memory; the array is as before. */
static inline bool
jb_vec_grow(void **at, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap) {
        return true;
    }
    size_t cap_new = *cap == 0 ? 4 : *cap;
    while (cap_new < need) {
        if (cap_new > SIZE_MAX / 2 / size) {
            return false;
        }
        cap_new *= 2;
    }
    return jb_vec_resize(at, cap, cap_new, size);
}

/* The same for one of very many arrays, most of which stay short. */
static inline bool
jb_vec_grow_tight(void **at, size_t *cap, size_t need, size_t size)
{
    return need <= *cap || jb_vec_resize(at, cap, need + need / 4, size);
}
#define jb_vec_reserve(v, need) jb_vec_grow((void **)&(v)->at, &(v)->cap, (need), sizeof *(v)->at)
#define jb_vec_reserve_tight(v, need)                                                              \
    jb_vec_grow_tight((void **)&(v)->at, &(v)->cap, (need), sizeof *(v)->at)
#define jb_vec_free(v) (free((v)->at), (v)->at = NULL, (v)->n = (v)->cap = 0)

#endif
