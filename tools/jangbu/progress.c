/* A bar on a terminal for what takes over a second. */
#include <time.h>
#include <unistd.h>

#include "app.h"

static int64_t
monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * JB_US_PER_SECOND + t.tv_nsec / 1000;
}

void
progress_begin(struct progress *p, const char *doing)
{
    *p = (struct progress){
        .doing = tr(doing), .began_us = monotonic_us(), .terminal = isatty(STDERR_FILENO) != 0};
}

void
progress_show(void *data, uint64_t done, uint64_t all)
{
    struct progress *p = data;
    if (!p->terminal) {
        return;
    }
    int64_t now = monotonic_us();
    if (now - p->began_us < JB_US_PER_SECOND || now - p->shown_us < JB_US_PER_SECOND / 10) {
        return;
    }
    p->shown_us = now;
    p->shown = true;
    if (all > 0) {
        unsigned filled = (unsigned)(done >= all ? 30 : done * 30 / all);
        fprintf(stderr, "\r%s [%.*s%.*s] %3u%%", p->doing, (int)filled,
                "##############################", (int)(30 - filled),
                "..............................", (unsigned)(done >= all ? 100 : done * 100 / all));
    } else {
        fprintf(stderr, "\r%s %llu", p->doing, (unsigned long long)done);
    }
    fflush(stderr);
}

void
progress_end(struct progress *p)
{
    if (p->shown) {
        fprintf(stderr, "\r%60s\r", "");
    }
}
