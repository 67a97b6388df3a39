/* What explanations of many events are made of: sums of a wallet's events by the day that they were
 * posted to and by cause, in its summary and so in its snapshots (wallet_summary.h). */
#ifndef JANGBU_PROJECTIONS_MARKS_H
#define JANGBU_PROJECTIONS_MARKS_H

#include "projections/wallet_summary.h"

/* Under which cause an event's effect is shown; JB_CAUSES_N: it has none. */
uint32_t jb_cause_of(uint32_t type);
bool jb_cause_late(const struct jb_event *e, int32_t utc_offset_s);

/* Whether there are some of that day. */
bool jb_marks_have(const struct jb_summary *w, jb_day day);
/* Forgets those of days before that one. */
void jb_marks_drop(struct jb_summary *w, jb_day before);
/* Counts the wallet's next event, or n that are like it and have its amount together. */
jb_status jb_marks_add(struct jb_summary *w, const struct jb_event *e, uint64_t n,
                       int32_t utc_offset_s, struct jb_error *err);

#endif
