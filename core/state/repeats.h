/*
 * What is asked for by name: idempotency keys, ids of charges, grants and refunds, transactions of
 * a gateway, returns of a consumption. Who folds a log once, from its first event on, may count
 * beforehand how often each name stands in it (an audit does): what stands there once is never
 * found by anybody, and need not be kept.
 *
 * Names are hashes: two that are equal by chance are kept without need, and nothing else.
 */
#ifndef JANGBU_REPEATS_H
#define JANGBU_REPEATS_H

#include "base/tally.h"
#include "event/codec.h"

struct jb_state;

/* The names that stand there more than once. */
struct jb_repeats {
    uint64_t *slots; /* 0: free */
    size_t mask, n;
};

/* False: no memory. */
bool jb_repeats_add(struct jb_repeats *r, uint64_t name);
bool jb_repeats_has(const struct jb_repeats *r, uint64_t name);
void jb_repeats_free(struct jb_repeats *r);

enum jb_named { JB_NAMED_KEY = 1, JB_NAMED_ID, JB_NAMED_TXN, JB_NAMED_RETURN };

/* Of what has that hash (of a consumption: its number). Never 0. */
static inline uint64_t
jb_name(enum jb_named what, uint64_t hash)
{
    const uint64_t mixed = (hash ^ (uint64_t)what) * UINT64_C(0x9e3779b97f4a7c15);
    return mixed != 0 ? mixed : 1;
}

/* All names that applying e puts, and that anybody looks for who checks it. */
#define JB_EVENT_NAMES_MAX 4
size_t jb_event_names(const struct jb_state *b, const struct jb_event *e,
                      uint64_t ret[JB_EVENT_NAMES_MAX]);

/* The rows that the folded events give to the tables that are not kept in memory. */
struct jb_tallies {
    struct jb_tally keys, ids, returns, txns;
};

#endif
