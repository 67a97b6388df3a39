/* The monotonic clock, by which deadlines and rates go: a wall clock that is set changes neither.
 */
#ifndef JANGBUD_CLOCK_H
#define JANGBUD_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Microseconds from a moment that is the same for as long as the machine runs. */
static inline int64_t
now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

#endif
