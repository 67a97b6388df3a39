#ifndef JANGBU_TOTALS_H
#define JANGBU_TOTALS_H

#include "wallet/wallet.h"

/* Adds the event to the sums of its posting day. False: no memory. */
bool jb_totals_post(struct jb_globals *g, const struct jb_event *e);
/* The same of a consumption that paid cash alone pays for, by the day that it is posted to. */
void jb_totals_post_plain(struct jb_open_day *d, jb_amount amount);
/* Compares a day_closed event with the sums, then closes its day. NULL, or how the log contradicts
 * itself. */
const char *jb_totals_close(struct jb_globals *g, const struct jb_event *e);

#endif
