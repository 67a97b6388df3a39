/* What test programs have in common that use the library, and for which each of its failures is
 * theirs. */
#ifndef TESTS_LIBRARY_H
#define TESTS_LIBRARY_H

#include <jangbu/base.h>

#include "check.h"

static _Thread_local struct jb_error err;

static inline void
good(jb_status status, const char *what)
{
    if (status != JB_OK) {
        fprintf(stderr, "%s: status %d, %s\n", what, (int)status, err.text);
    }
    must(status == JB_OK, what);
}

/* A clock that stands where the test puts it. */
static jb_instant the_time = INT64_C(1767193200000000);

static inline jb_instant
clock_of(void *data)
{
    (void)data;
    return the_time;
}

#endif
