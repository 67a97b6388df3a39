/* Failing the n-th allocation, by the program itself: nth.c is linked into it. */
#ifndef JANGBU_TESTS_NTH_H
#define JANGBU_TESTS_NTH_H

#include <stdbool.h>

/* From here on the n-th allocation of this thread (or of any) fails (0: none does), and with
 * `from_then_on` all after it. */
void jb_nth_arm(long n, bool from_then_on, bool any_thread);
/* Until here. Returns how many there were. */
long jb_nth_disarm(void);

#endif
