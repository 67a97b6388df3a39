/*
 * Mapped pages that who reads a file from end to end has passed: they are let go, so that what the
 * process has in memory does not grow with the file. Whoever looks at them again finds them in the
 * system's cache.
 */
#ifndef JANGBU_PASSED_H
#define JANGBU_PASSED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define JB_PASSED_BYTES ((size_t)16 << 20)

struct jb_passed {
    uintptr_t low, high; /* between them lies all that was read */
    size_t bytes;        /* of it */
};

static inline void
jb_passed_let_go(struct jb_passed *p)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t low = p->low - p->low % page, high = p->high - p->high % page;
    /* Where the pages lie about, what is between them was not read by the caller. */
    if (high > low && high - low <= 4 * JB_PASSED_BYTES) {
        (void)madvise((void *)low, high - low, MADV_DONTNEED);
    }
    *p = (struct jb_passed){0};
}

/* n bytes at `at`, of a file that is mapped and shared: the caller is through with them. */
static inline void
jb_passed(struct jb_passed *p, const void *at, size_t n)
{
    const uintptr_t begin = (uintptr_t)at, end = begin + n;
    p->low = p->bytes == 0 || begin < p->low ? begin : p->low;
    p->high = end > p->high ? end : p->high;
    p->bytes += n;
    if (p->bytes >= JB_PASSED_BYTES) {
        jb_passed_let_go(p);
    }
}

#endif
