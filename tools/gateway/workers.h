/* Workers: few threads, and a queue that ends. */
#ifndef JANGBUD_WORKERS_H
#define JANGBUD_WORKERS_H

#include "exchange.h"

/* name: of their threads, at most so many: one from the beginning, the others when all are at work.
 * NULL: there is none. */
struct workers *workers_start(const char *name, unsigned threads, size_t waiting_max);
/* False: too many wait. Else `work` is called with x by a worker. */
bool workers_give(struct workers *w, struct exchange *x, void (*work)(struct exchange *x));
size_t workers_waiting(struct workers *w);
/* In a worker: which of its kind it is, from 0. */
unsigned workers_mine(void);
/* What waits is still worked at. NULL is allowed; returns NULL. */
struct workers *workers_end(struct workers *w);

#endif
