#include "heap.h"

#include <features.h>

#if defined __GLIBC__ && __GLIBC_PREREQ(2, 33)
#include <malloc.h>

/* What is larger has pages of its own, which go back with it. glibc would put it among what is
 * small from the first such one on that was freed, and the holes that lists leave behind as they
 * grow were half of what a daemon had after a million commands. */
#define LARGE_BYTES (1 << 20)
/* So much stays free at the end of what a thread has: given back and taken again with each request
 * it costs 4 % of the processor's time of one. */
#define SPARE_BYTES (4 << 20)
/* A burst of many wallets leaves some hundred MiB; what a steady load leaves it takes again. */
#define MUCH_BYTES ((size_t)32 << 20)

void
heap_begin(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, SPARE_BYTES);
}

void
heap_give_back(void)
{
    if (mallinfo2().fordblks >= MUCH_BYTES) {
        (void)malloc_trim(0);
    }
}
#else
void
heap_begin(void)
{
}

void
heap_give_back(void)
{
}
#endif
