/* Time that only measures waiting; the ledger's clock is the caller's (struct jb_open_options). */
#ifndef JANGBU_CLOCK_H
#define JANGBU_CLOCK_H

#include <jangbu/base.h>

#include <time.h>

/* Microseconds of CLOCK_MONOTONIC. */
static inline int64_t
jb_monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * JB_US_PER_SECOND + t.tv_nsec / 1000;
}

#endif
