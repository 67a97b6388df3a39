/* What the daemon counts, in the text form of Prometheus. Every call but metrics_get is cheap and
 * may come from any thread; m NULL: nothing is counted. */
#ifndef JANGBUD_METRICS_H
#define JANGBUD_METRICS_H

#include <jangbu/command.h>

#include "route.h"

struct metrics *metrics_new(void); /* NULL: no memory */
struct metrics *metrics_free(struct metrics *m);

/* An answer was sent. known: its route was found. */
void metrics_request(struct metrics *m, const struct exchange *x, bool known, int64_t us);
/* libmicrohttpd answered a request that nobody here has read. */
void metrics_unread(struct metrics *m, int status);
/* A command was answered; one of a group counts with its group. */
void metrics_command(struct metrics *m, const struct jb_answer *a);
/* A call of jb_submit with n commands took us. */
void metrics_submit(struct metrics *m, int64_t us, size_t n);
/* Commands that wait. */
void metrics_queue(struct metrics *m, size_t n);
/* A stream of events began, 1, or ended, -1. */
void metrics_subscribers(struct metrics *m, int change);

/* What the keeper looks at from time to time; -1: not known. */
struct gauges {
    int64_t log_events, log_bytes, state_lag, views_lag, days_overdue, wallets, disk_free;
    int64_t audited_at; /* seconds since 1970 */
};
void metrics_gauges(struct metrics *m, const struct gauges *g);

enum handled metrics_get(struct exchange *x);

#endif
