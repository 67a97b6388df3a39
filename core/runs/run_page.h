/*
 * Pages of a run: 4,096 bytes each, in every one a check over what it is, which file it belongs to
 * and where in it it stands. So a page that was changed, or is another one, or an older one, is not
 * read as this one.
 *
 * A page of rows: check (8), level (1; 0: rows, above: the first key of a page of the level below,
 * and its number in 8 bytes), nothing (1), rows (2), bytes of rows (2), nothing (2), then the rows
 * in ascending order of their keys: bytes shared with the key before, further bytes of the key,
 * bytes of the value (2), then these. All numbers are little endian.
 */
#ifndef JANGBU_RUNS_RUN_PAGE_H
#define JANGBU_RUNS_RUN_PAGE_H

#include "base/bytes.h"

#define JB_RUN_PAGE_BYTES 4096
#define JB_RUN_PAGE_HEAD 16
#define JB_RUN_PAGE_LEVEL_AT 8
#define JB_RUN_PAGE_ROWS_AT 10
#define JB_RUN_PAGE_USED_AT 12
#define JB_RUN_ROW_HEAD 4

/* What a row may have at most: so several stand in each page. */
#define JB_RUN_KEY_MAX 64
#define JB_RUN_VALUE_MAX 512
/* Each key begins with the bytes of a hash. */
#define JB_RUN_HASH_BYTES 8

static inline void
jb_put_le(uint8_t *p, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++) {
        p[i] = (uint8_t)(value >> (8 * i));
    }
}

static inline uint64_t
jb_get_le(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = bytes; i-- > 0;) {
        value = value << 8 | p[i];
    }
    return value;
}

/* file: the number of the file; no: of the page in it. */
void jb_run_page_seal(uint8_t *page, uint64_t file, uint64_t no);
bool jb_run_page_holds(const uint8_t *page, uint64_t file, uint64_t no);

/* The filter: lines of 64 bytes, 63 of them in a page behind the check. A hash has one line, found
 * by its first bits, so that ascending keys fill one line after the other. */
#define JB_FILTER_LINE 64
#define JB_FILTER_LINES_OF_PAGE 63
#define JB_FILTER_BITS_OF_KEY 16
#define JB_FILTER_PROBES 7

static inline uint64_t
jb_filter_lines(uint64_t rows)
{
    return rows * JB_FILTER_BITS_OF_KEY / (JB_FILTER_LINE * 8) + 1;
}
static inline uint64_t
jb_filter_line(uint64_t hash, uint64_t lines)
{
    return (uint64_t)(((jb_uwide)hash * lines) >> 64);
}
/* The bits of a hash in its line: nine bits of this a probe. */
static inline uint64_t
jb_filter_bits(uint64_t hash)
{
    hash ^= hash >> 33;
    hash *= UINT64_C(0xff51afd7ed558ccd);
    hash ^= hash >> 33;
    hash *= UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ hash >> 33;
}
void jb_filter_put(uint8_t line[JB_FILTER_LINE], uint64_t hash);
/* bits: a line with nothing but what jb_filter_put puts into it for one hash, so that whoever looks
 * into many filters works it out once. Without a branch: each would be taken half of the time. */
static inline bool
jb_filter_has(const uint8_t line[JB_FILTER_LINE], const uint8_t bits[JB_FILTER_LINE])
{
    uint64_t missing = 0;
    for (unsigned i = 0; i < JB_FILTER_LINE; i += 8) {
        uint64_t have, want;
        memcpy(&have, line + i, 8);
        memcpy(&want, bits + i, 8);
        missing |= want & ~have;
    }
    return missing == 0;
}

struct jb_run_row {
    const uint8_t *value;
    size_t key_n, value_n;
    uint8_t key[JB_RUN_KEY_MAX];
};

/* A way through the rows of a page that holds. */
struct jb_run_page_walk {
    const uint8_t *page;
    unsigned at, left;
};
/* False: it is no page of rows of that level, or (below) its rows are none. Neither happens to what
 * was written. */
bool jb_run_page_begin(const uint8_t *page, unsigned level, struct jb_run_page_walk *ret);
/* The next row; row has the one before, or key_n 0. left is 0: there is none. */
bool jb_run_page_next(struct jb_run_page_walk *w, struct jb_run_row *row);
/* Goes to the first row with a key >= key: *row is it where *ret_found, else the last one. before
 * (may be NULL): the value of the row before it, 8 bytes; NULL where there is none. */
bool jb_run_page_seek(struct jb_run_page_walk *w, const uint8_t *key, size_t key_n,
                      struct jb_run_row *row, bool *ret_found, const uint8_t **before);

/* A page that is being filled; last: the key of the last row, also of the page before. */
struct jb_run_page_fill {
    uint8_t page[JB_RUN_PAGE_BYTES];
    unsigned rows, used;
    uint8_t first[JB_RUN_KEY_MAX], last[JB_RUN_KEY_MAX];
    size_t first_n, last_n;
};
/* False: it is full. */
bool jb_run_page_add(struct jb_run_page_fill *f, const uint8_t *key, size_t key_n,
                     const void *value, size_t value_n);
/* Ready to be sealed. */
void jb_run_page_end(struct jb_run_page_fill *f, unsigned level);
void jb_run_page_clear(struct jb_run_page_fill *f);

#endif
