/* What of the calendar a ledger can have. */
#ifndef JANGBU_CALENDAR_H
#define JANGBU_CALENDAR_H

#include <jangbu/base.h>

/* Whether t is a time that can be recorded: its day at that offset can be closed, and for that
 * there is a day behind it. */
bool jb_instant_closable(jb_instant t, int32_t utc_offset_s);

/* Months as numbers, 202603: that of a day; its first and its last day; whether there is such a
 * month in the years 1 to 9999. */
uint32_t jb_month_of(jb_day d);
jb_day jb_month_first(uint32_t month);
jb_day jb_month_last(uint32_t month);
bool jb_month_valid(int64_t month);
/* As jb_day_of, without its division where t lies in the day `near`, as nearly all times do. */
static inline jb_day
jb_day_near(jb_instant t, int32_t utc_offset_s, jb_day near)
{
    if (near >= JB_DAY_MIN && near <= JB_DAY_MAX) {
        const int64_t since = t - jb_day_start(near, utc_offset_s);
        if (since >= 0 && since < JB_US_PER_DAY) {
            return near;
        }
    }
    return jb_day_of(t, utc_offset_s);
}
/* As jb_instant_print, for a sentence: to the second where the rest is 0. */
char *jb_instant_say(jb_instant t, int32_t utc_offset_s, char buf[JB_INSTANT_TEXT_BYTES]);

#endif
