#include "runs/run_page.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t
check(const uint8_t *page, uint64_t file, uint64_t no)
{
    return XXH3_64bits_withSeed(page + 8, JB_RUN_PAGE_BYTES - 8,
                                file ^ (no + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

void
jb_run_page_seal(uint8_t *page, uint64_t file, uint64_t no)
{
    jb_put_le(page, 8, check(page, file, no));
}

bool
jb_run_page_holds(const uint8_t *page, uint64_t file, uint64_t no)
{
    return jb_get_le(page, 8) == check(page, file, no);
}

void
jb_filter_put(uint8_t line[JB_FILTER_LINE], uint64_t hash)
{
    uint64_t bits = jb_filter_bits(hash);
    for (unsigned i = 0; i < JB_FILTER_PROBES; i++, bits >>= 9) {
        line[(bits >> 3) & 63] |= (uint8_t)(1U << (bits & 7));
    }
}

/* Nearly all are of 8 to 16 bytes, for which a call takes longer than the copy. */
static inline void
copy(uint8_t *to, const uint8_t *from, size_t n)
{
    if (n >= 8 && n <= 16) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else if (n > 0) {
        memcpy(to, from, n);
    }
}

/* ---- reading ---- */

bool
jb_run_page_begin(const uint8_t *page, unsigned level, struct jb_run_page_walk *ret)
{
    *ret = (struct jb_run_page_walk){page, JB_RUN_PAGE_HEAD,
                                     (unsigned)jb_get_le(page + JB_RUN_PAGE_ROWS_AT, 2)};
    return page[JB_RUN_PAGE_LEVEL_AT] == level;
}

/* Where the next row's parts stand. */
static bool
look(const struct jb_run_page_walk *w, size_t key_before, unsigned *shared, unsigned *rest,
     unsigned *value)
{
    const uint8_t *p = w->page + w->at;
    if (w->at + JB_RUN_ROW_HEAD > JB_RUN_PAGE_BYTES) {
        return false;
    }
    *shared = p[0];
    *rest = p[1];
    *value = (unsigned)p[2] | (unsigned)p[3] << 8;
    return *shared <= key_before && *shared + *rest <= JB_RUN_KEY_MAX &&
           w->at + JB_RUN_ROW_HEAD + *rest + *value <= JB_RUN_PAGE_BYTES;
}

bool
jb_run_page_next(struct jb_run_page_walk *w, struct jb_run_row *row)
{
    unsigned shared, rest, value;
    if (!look(w, row->key_n, &shared, &rest, &value)) {
        return false;
    }
    const uint8_t *p = w->page + w->at + JB_RUN_ROW_HEAD;
    copy(row->key + shared, p, rest);
    row->key_n = shared + rest;
    row->value = p + rest;
    row->value_n = value;
    w->at += JB_RUN_ROW_HEAD + rest + value;
    w->left--;
    return true;
}

static size_t
common(const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n)
{
    size_t n = 0;
    if (a_n >= 8 && b_n >= 8) {
        uint64_t differ = jb_get_be(a, 8) ^ jb_get_be(b, 8);
        if (differ != 0) {
            return (unsigned)__builtin_clzll(differ) / 8;
        }
        n = 8;
    }
    while (n < a_n && n < b_n && a[n] == b[n]) {
        n++;
    }
    return n;
}

static bool
is_below(const struct jb_run_row *row, const uint8_t *key, size_t key_n, size_t equal)
{
    return equal < key_n && (equal == row->key_n || row->key[equal] < key[equal]);
}

bool
jb_run_page_seek(struct jb_run_page_walk *w, const uint8_t *key, size_t key_n,
                 struct jb_run_row *row, bool *ret_found, const uint8_t **before)
{
    size_t equal = 0; /* bytes that the row before and the key have in common */
    row->key_n = 0;
    *ret_found = false;
    if (before != NULL) {
        *before = NULL;
    }
    while (w->left > 0) {
        unsigned shared = w->at < JB_RUN_PAGE_BYTES ? w->page[w->at] : 0;
        bool skips = row->key_n > 0 && shared > equal; /* still below: the same byte decides */
        if (!jb_run_page_next(w, row)) {
            return false;
        }
        if (!skips) {
            equal = shared < equal ? shared
                                   : equal + common(row->key + equal, row->key_n - equal,
                                                    key + equal, key_n - equal);
            if (!is_below(row, key, key_n, equal)) {
                *ret_found = true;
                return true;
            }
        }
        if (before != NULL) {
            *before = row->value_n == 8 ? row->value : NULL;
        }
    }
    return true;
}

/* ---- filling ---- */

bool
jb_run_page_add(struct jb_run_page_fill *f, const uint8_t *key, size_t key_n, const void *value,
                size_t value_n)
{
    size_t shared = f->rows == 0 ? 0 : common(f->last, f->last_n, key, key_n);
    size_t need = JB_RUN_ROW_HEAD + key_n - shared + value_n;
    if (JB_RUN_PAGE_HEAD + f->used + need > JB_RUN_PAGE_BYTES) {
        return false;
    }
    uint8_t *p = f->page + JB_RUN_PAGE_HEAD + f->used;
    p[0] = (uint8_t)shared;
    p[1] = (uint8_t)(key_n - shared);
    jb_put_le(p + 2, 2, value_n);
    copy(p + JB_RUN_ROW_HEAD, key + shared, key_n - shared);
    copy(p + JB_RUN_ROW_HEAD + key_n - shared, value, value_n);
    if (f->rows == 0) {
        memcpy(f->first, key, key_n);
        f->first_n = key_n;
    }
    copy(f->last, key, key_n);
    f->last_n = key_n;
    f->rows++;
    f->used += (unsigned)need;
    return true;
}

void
jb_run_page_end(struct jb_run_page_fill *f, unsigned level)
{
    f->page[JB_RUN_PAGE_LEVEL_AT] = (uint8_t)level;
    f->page[JB_RUN_PAGE_LEVEL_AT + 1] = 0;
    jb_put_le(f->page + JB_RUN_PAGE_ROWS_AT, 2, f->rows);
    jb_put_le(f->page + JB_RUN_PAGE_USED_AT, 2, f->used);
    memset(f->page + JB_RUN_PAGE_USED_AT + 2, 0, 2);
    memset(f->page + JB_RUN_PAGE_HEAD + f->used, 0, JB_RUN_PAGE_BYTES - JB_RUN_PAGE_HEAD - f->used);
}

void
jb_run_page_clear(struct jb_run_page_fill *f)
{
    f->rows = f->used = 0; /* what came last is still to be compared with */
}
