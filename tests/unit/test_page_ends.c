/*
 * A page that looks at more than it lists ends where half of the time of its handle is over, and
 * says where to go on: it neither takes all of the time nor fails for it. One that has looked at
 * little goes on, and one without a limit ends at its number alone.
 */
#include "projections/page.h"

#include <stdio.h>
#include <time.h>

#include "../check.h"

#define LIMIT_US 400000

/* The clock is not looked at each time. */
static bool
is_over(uint32_t looked)
{
    bool over = false;
    for (int i = 0; i < 64; i++) {
        over |= jb_page_is_over(looked);
    }
    return over;
}

static void
wait_us(long us)
{
    const struct timespec t = {.tv_nsec = us * 1000};
    must(nanosleep(&t, NULL) == 0, "no sleep");
}

int
main(void)
{
    const struct jb_views limited = {.limit_us = LIMIT_US}, free_of = {.limit_us = 0};
    const struct jb_limit before = jb_limit_set(&limited);
    must(!is_over(JB_PAGE_EVENTS_MAX - 1), "it ends at once");
    must(is_over(JB_PAGE_EVENTS_MAX), "it does not end");
    wait_us(LIMIT_US / 2 + 20000);
    must(is_over(JB_PAGE_EVENTS_MAX - 1), "half of the time is over");
    must(!is_over(500), "it ends before it has looked at anything worth while");
    const struct jb_limit within = jb_limit_set(&free_of);
    must(!is_over(JB_PAGE_EVENTS_MAX - 1) && is_over(JB_PAGE_EVENTS_MAX), "there is no limit");
    jb_limit_back(&within);
    must(is_over(JB_PAGE_EVENTS_MAX - 1), "the limit of the outer query holds again");
    jb_limit_back(&before);
    must(!is_over(JB_PAGE_EVENTS_MAX - 1), "the query has ended");
    return 0;
}
