/*
 * Memory for the wallets that are in use: many to a piece, each on lines of its own, on pages of 2
 * MiB where the system gives such. A wallet that is looked for is one of a million: on small pages
 * the processor waits for the page table's entry before it waits for the wallet.
 */
#ifndef JANGBU_STATE_SLOTS_H
#define JANGBU_STATE_SLOTS_H

#include "base/bytes.h"

struct jb_cached_wallet;

struct jb_slots_piece {
    void *at;
    size_t bytes; /* 0: of malloc */
};

struct jb_slots {
    JB_VEC(struct jb_slots_piece) pieces;
    char *fresh; /* of the newest piece, what was never used */
    size_t fresh_n;
    void *used_before; /* a chain of those that were given back */
};

/* Zeroed but for its lists, which have the places beside it. NULL: no memory. */
struct jb_cached_wallet *jb_slot_new(struct jb_slots *m);
/* With what the wallet owns. */
void jb_slot_free(struct jb_slots *m, struct jb_cached_wallet *s);
/* All were given back. */
void jb_slots_clear(struct jb_slots *m);

#endif
