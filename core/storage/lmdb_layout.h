/* The layout of LMDB 0.9's pages on 64-bit machines, for who reads them without LMDB:
 * little-endian on x86 and ARM, native everywhere. */
#ifndef JANGBU_LMDB_LAYOUT_H
#define JANGBU_LMDB_LAYOUT_H

#include <stdint.h>
#include <string.h>

enum {
    PAGE_HEADER = 16,
    PAGE_FLAGS = 10,
    PAGE_LOWER = 12, /* of an overflow page, 4 bytes: how many pages it has */
    PAGE_UPPER = 14,
    PAGE_BYTES_MAX = 65536,
    P_BRANCH = 1,
    P_LEAF = 2,
    P_OVERFLOW = 4,
    P_META = 8,
    NODE_HEADER = 8,
    N_BIGDATA = 1,
    N_SUBDATA = 2,
    DB_BYTES = 48,
    KEY_BYTES_MAX = 511,
    DEPTH_MAX = 32
};
#define NO_PAGE UINT64_MAX

struct db {
    uint32_t pad;
    uint16_t flags;
    uint16_t depth;
    uint64_t branch, leaf, overflow, entries, root;
};

static inline uint16_t
get16(const uint8_t *p)
{
    uint16_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static inline uint32_t
get32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static inline uint64_t
get64(const uint8_t *p)
{
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

static inline struct db
get_db(const uint8_t *p)
{
    return (struct db){get32(p),      get16(p + 4),  get16(p + 6),  get64(p + 8),
                       get64(p + 16), get64(p + 24), get64(p + 32), get64(p + 40)};
}

/* Pages that a value of so many bytes takes outside of its leaf. */
static inline uint64_t
overflow_pages(uint32_t bytes, uint32_t page_bytes)
{
    return (PAGE_HEADER - 1 + (uint64_t)bytes) / page_bytes + 1;
}

#endif
