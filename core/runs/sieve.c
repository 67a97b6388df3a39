#include "runs/sieve.h"

#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

void
jb_sieve_free(struct jb_sieve *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        munmap((void *)s->parts[i].words, s->parts[i].lines * JB_FILTER_LINE);
    }
    s->n = 0;
}

/* On pages of two MiB, where they are as large: what is looked for lies anywhere. */
static void *
map(size_t bytes)
{
    size_t more = bytes >= HUGE_PAGE ? HUGE_PAGE : 0;
    uint8_t *at =
        mmap(NULL, bytes + more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED || more == 0) {
        return at == MAP_FAILED ? NULL : at;
    }
    size_t before = (HUGE_PAGE - (uintptr_t)at % HUGE_PAGE) % HUGE_PAGE;
    if (before > 0) {
        munmap(at, before);
    }
    if (more > before) {
        munmap(at + before + bytes, more - before);
    }
    (void)madvise(at + before, bytes, MADV_HUGEPAGE);
    return at + before;
}

static size_t
bytes_of(uint64_t rows)
{
    return rows * JB_FILTER_BITS_OF_KEY / 8;
}

/* As large as all before it, or as what is expected; as there is room for, where that is less. */
static bool
grow(struct jb_sieve *s, uint64_t rows, uint64_t expected)
{
    uint64_t unit = s->rows_first, max = s->n > 0 ? s->parts[s->n - 1].rows_max * 2 : unit;
    max = max < expected ? expected : max;
    max = (max + unit - 1) / unit * unit;
    uint64_t room = (s->bytes_max - s->bytes) / bytes_of(unit) * unit;
    max = max < room ? max : room;
    if (max < rows || max == 0 || s->n == JB_SIEVE_PARTS_MAX) {
        return false;
    }
    struct jb_sieve_part *p = &s->parts[s->n];
    void *words = map(bytes_of(max));
    if (words == NULL) {
        return false;
    }
    *p = (struct jb_sieve_part){
        .words = words, .lines = bytes_of(max) / JB_FILTER_LINE, .rows_max = max};
    s->bytes += bytes_of(max);
    s->n++;
    return true;
}

bool
jb_sieve_begin(struct jb_sieve *s, const struct jb_run_range *range, uint64_t rows,
               uint64_t expected)
{
    bool room = s->n > 0 && s->parts[s->n - 1].rows + rows <= s->parts[s->n - 1].rows_max;
    if (!room && !grow(s, rows, expected)) {
        return false;
    }
    struct jb_sieve_part *p = &s->parts[s->n - 1];
    p->first = p->rows == 0 || range->first < p->first ? range->first : p->first;
    p->last = range->last > p->last ? range->last : p->last;
    p->rows += rows;
    s->pending_n = 0;
    return true;
}

static void
put(struct jb_sieve *s, uint64_t hash)
{
    struct jb_sieve_part *p = &s->parts[s->n - 1];
    _Atomic uint64_t *line = p->words + 8 * jb_filter_line(hash, p->lines);
    uint64_t bits = jb_sieve_bits(hash);
    for (unsigned i = 0; i < JB_FILTER_PROBES; i++, bits >>= 9) {
        _Atomic uint64_t *word = &line[(bits >> 6) & 7];
        uint64_t had = atomic_load_explicit(word, memory_order_relaxed);
        atomic_store_explicit(word, had | UINT64_C(1) << (bits & 63), memory_order_relaxed);
    }
}

void
jb_sieve_put(struct jb_sieve *s, uint64_t hash)
{
    const unsigned many = sizeof s->pending / sizeof *s->pending;
    uint64_t *at = &s->pending[s->pending_n % many];
    __builtin_prefetch((const void *)jb_sieve_line(&s->parts[s->n - 1], hash), 1);
    if (s->pending_n >= many) {
        put(s, *at);
    }
    *at = hash;
    s->pending_n++;
}

void
jb_sieve_end(struct jb_sieve *s)
{
    const unsigned many = sizeof s->pending / sizeof *s->pending;
    for (unsigned i = 0; i < many && i < s->pending_n; i++) {
        put(s, s->pending[i]);
    }
    s->pending_n = 0;
}
