/*
 * A sieve: one filter in memory for many runs, so that "none of them has it" costs a look or a few
 * and not one a run. It has the hashes of all rows of the events 1 to `end`, in whatever runs these
 * lie, so that merging them changes nothing in it. Nothing is ever taken out: what it says is not
 * there is not there, and where it says otherwise the runs' own filters are asked.
 *
 * It consists of parts, each twice as large as the one before, so that it grows with its rows and
 * none is made again. One thread puts rows in while another one looks: of rows that were put in
 * before it was told of them, by its own copy of the sieve.
 */
#ifndef JANGBU_RUNS_SIEVE_H
#define JANGBU_RUNS_SIEVE_H

#include <stdatomic.h>

#include "runs/run.h"

#define JB_SIEVE_PARTS_MAX 16

/* Lines of 64 bytes, as in a run's filter (run_page.h): but which bits a hash has in its line is
 * another matter, so that a row that seems to be here does not for that seem to be in a run. */
struct jb_sieve_part {
    _Atomic uint64_t *words;
    uint64_t lines, rows, rows_max;
    jb_seq first, last; /* of the runs whose rows are in it */
};
struct jb_sieve {
    struct jb_sieve_part parts[JB_SIEVE_PARTS_MAX];
    unsigned n;
    jb_seq end;
    size_t bytes, bytes_max;
    uint64_t rows_first; /* of the first part */
    /* Rows whose lines were sent for. */
    uint64_t pending[16];
    unsigned pending_n;
};

void jb_sieve_free(struct jb_sieve *s);
/* Rows of those events come: at most so many, and as many of those that follow as `expected` says
 * beside them. False: there is no room for them, for ever. */
bool jb_sieve_begin(struct jb_sieve *s, const struct jb_run_range *range, uint64_t rows,
                    uint64_t expected);
void jb_sieve_put(struct jb_sieve *s, uint64_t hash);
/* All of them were put in. */
void jb_sieve_end(struct jb_sieve *s);

/* The part's line for that hash, eight words of it, and the bits in it. */
static inline const _Atomic uint64_t *
jb_sieve_line(const struct jb_sieve_part *p, uint64_t hash)
{
    return p->words + 8 * jb_filter_line(hash, p->lines);
}
static inline uint64_t
jb_sieve_bits(uint64_t hash)
{
    return jb_filter_bits(hash ^ UINT64_C(0xa0761d6478bd642f));
}
static inline bool
jb_sieve_has(const _Atomic uint64_t *line, uint64_t bits)
{
    uint64_t all = 1;
    for (unsigned i = 0; i < JB_FILTER_PROBES; i++, bits >>= 9) {
        all &= atomic_load_explicit(&line[(bits >> 6) & 7], memory_order_relaxed) >> (bits & 63);
    }
    return (all & 1) != 0;
}

#endif
