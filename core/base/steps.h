/*
 * How much work was done, in steps that do not hang on the machine: rows read and written, events
 * read by number, items of lists that were moved. Tests compare them for n and 2n: what grows with
 * its square is seen without a clock. Nothing else reads them.
 */
#ifndef JANGBU_STEPS_H
#define JANGBU_STEPS_H

#include <stdint.h>

struct jb_steps {
    uint64_t rows;   /* of a store, read or written */
    uint64_t events; /* read by number */
    uint64_t folded; /* events read from the log, one after the other, into a state */
    uint64_t made;   /* events decided, those that are undone again included */
    uint64_t moved;  /* items of lists that were sorted, searched or moved */
    uint64_t looks;  /* of jb_wait at where the log ends, */
    uint64_t missed; /* and those that found something though nobody had woken it */
    uint64_t calls;  /* to those who wait: with a system call */
    uint64_t sleeps; /* of jb_submit until its turn, or its answers, came */
    uint64_t pages;  /* of a store, looked at before LMDB does */
    uint64_t runs;   /* looked into for a wallet; all of them together are one of `rows` */
};

extern _Thread_local struct jb_steps jb_steps;

#endif
