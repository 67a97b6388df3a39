/* What of the calendar a ledger can have. */
#ifndef JANGBU_CALENDAR_H
#define JANGBU_CALENDAR_H

#include <jangbu/base.h>

/* Whether t is a time that can be recorded: its day at that offset can be closed, and for that
 * there is a day behind it. */
bool jb_instant_closable(jb_instant t, int32_t utc_offset_s);

/* As jb_instant_print, for a sentence: to the second where the rest is 0. */
char *jb_instant_say(jb_instant t, int32_t utc_offset_s, char buf[JB_INSTANT_TEXT_BYTES]);

#endif
