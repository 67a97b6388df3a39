#ifndef JANGBU_TALLY_H
#define JANGBU_TALLY_H

#include "base/bytes.h"

/*
 * Rows of a table, told apart by a sum over the hashes of all of them, in any order: two sets of
 * rows are equal when number and sums are. It finds what a chain value finds: accidents.
 */
struct jb_tally {
    uint64_t rows;
    uint64_t sum[2];
};
void jb_tally_add(struct jb_tally *t, const void *key, size_t key_n, const void *value,
                  size_t value_n);
void jb_tally_take(struct jb_tally *t, const void *key, size_t key_n, const void *value,
                   size_t value_n);
bool jb_tally_same(const struct jb_tally *a, const struct jb_tally *b);

#endif
