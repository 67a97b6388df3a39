/*
 * How large things of the log may be: what encoding writes, decoding takes back and appending
 * refuses. docs/format.md has the numbers (tests/docs/check_format.py compares them); those of a
 * frame stand in log/frame.h.
 */
#ifndef JANGBU_BOUNDS_H
#define JANGBU_BOUNDS_H

#include <jangbu/event.h>

/* Parts of an event that a rule makes: enough for a consumption that sweeps every lot of a busy
 * wallet, and well below a frame. */
#define JB_PARTS_MAX 262144
/* Parts of an event that can be stored: what a frame holds of two bytes each. */
#define JB_PARTS_STORED_MAX 2097120
#define JB_FIGURES_MAX 16
/* Bytes of one event: a frame of 4 MiB without its header. */
#define JB_EVENT_BYTES_MAX ((4 << 20) - 48)
/* Bytes of the events of a commit, and of a group's part of it. */
#define JB_COMMIT_BYTES_MAX (64 << 20)
#define JB_GROUP_BYTES_MAX (40 << 20)
/* How many days posted_on can lie before the day of recorded_at. */
#define JB_POSTED_BACK_MAX 4000000
/* References into people.mdb: the next one never begins anew. */
#define JB_REF_MAX INT64_MAX
/* Totals in version 1 of day_closed. */
#define JB_TOTALS_1 22

#endif
