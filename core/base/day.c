#include "base/calendar.h"
#include "base/error.h"

#include <string.h>

#define OFFSET_MAX_S (18 * 3600)

jb_day
jb_day_of(jb_instant t, int32_t utc_offset_s)
{
    int64_t local;
    if (__builtin_add_overflow(t, utc_offset_s * JB_US_PER_SECOND, &local)) {
        local = t < 0 ? INT64_MIN : INT64_MAX;
    }
    int64_t day = local / JB_US_PER_DAY;
    /* C divides towards zero; a day before 1970 needs the floor. */
    if (local % JB_US_PER_DAY < 0) {
        day--;
    }
    return (jb_day)day;
}

jb_instant
jb_day_start(jb_day d, int32_t utc_offset_s)
{
    int64_t start;
    bool far = __builtin_mul_overflow(d, JB_US_PER_DAY, &start) ||
               __builtin_sub_overflow(start, utc_offset_s * JB_US_PER_SECOND, &start);
    return !far ? start : d < 0 ? INT64_MIN : INT64_MAX;
}

bool
jb_instant_closable(jb_instant t, int32_t utc_offset_s)
{
    jb_day d = jb_day_of(t, utc_offset_s);
    return t >= JB_INSTANT_MIN && t <= JB_INSTANT_MAX && d >= JB_DAY_MIN && d < JB_DAY_MAX;
}

static bool
is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
days_in_month(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01 to 1 January of that year: 365 a year and the leap days before it. */
static int
days_before_year(int year)
{
    int y = year - 1;
    return 365 * (year - 1970) + (y / 4 - y / 100 + y / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
}

bool
jb_day_from_date(int year, int month, int day, jb_day *ret)
{
    if (ret == NULL || year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month)) {
        return false;
    }
    int days = days_before_year(year);
    for (int m = 1; m < month; m++) {
        days += days_in_month(year, m);
    }
    *ret = days + day - 1;
    return true;
}

void
jb_day_to_date(jb_day d, int *ret_year, int *ret_month, int *ret_day)
{
    d = d < JB_DAY_MIN ? JB_DAY_MIN : d > JB_DAY_MAX ? JB_DAY_MAX : d;
    /* In years that begin in March, so that the odd day is the last one of its year: 400 of them,
     * an era, have 146,097 days, from 1 March of the year 0 on. */
    const int from_march = d + 719468, era = from_march / 146097, day_of_era = from_march % 146097;
    const int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int from = (5 * day_of_year + 2) / 153; /* months since March */
    const int rest = day_of_year - (153 * from + 2) / 5;
    const int month = from < 10 ? from + 3 : from - 9;
    const int year = era * 400 + year_of_era + (month <= 2);
    if (ret_year != NULL) {
        *ret_year = year;
    }
    if (ret_month != NULL) {
        *ret_month = month;
    }
    if (ret_day != NULL) {
        *ret_day = rest + 1;
    }
}

uint32_t
jb_month_of(jb_day d)
{
    int year, month;
    jb_day_to_date(d, &year, &month, NULL);
    return (uint32_t)(year * 100 + month);
}

bool
jb_month_valid(int64_t month)
{
    return month >= 101 && month <= 999912 && month % 100 >= 1 && month % 100 <= 12;
}

jb_day
jb_month_first(uint32_t month)
{
    jb_day first;
    return jb_day_from_date((int)(month / 100), (int)(month % 100), 1, &first) ? first : JB_NO_DAY;
}

jb_day
jb_month_last(uint32_t month)
{
    jb_day first = jb_month_first(month);
    return first != JB_NO_DAY ? first + days_in_month((int)(month / 100), (int)(month % 100)) - 1
                              : JB_NO_DAY;
}

static bool
in_calendar(jb_day d)
{
    return d >= JB_DAY_MIN && d <= JB_DAY_MAX;
}

static char *
print_none(char *buf)
{
    return buf != NULL ? memcpy(buf, "-", 2) : NULL;
}

static void
put_digits(char *p, int64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        p[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

char *
jb_day_print(jb_day d, char *buf)
{
    int year, month, day;
    if (buf == NULL || !in_calendar(d)) {
        return print_none(buf);
    }
    jb_day_to_date(d, &year, &month, &day);
    put_digits(buf, year, 4);
    buf[4] = '-';
    put_digits(buf + 5, month, 2);
    buf[7] = '-';
    put_digits(buf + 8, day, 2);
    buf[10] = '\0';
    return buf;
}

char *
jb_instant_print(jb_instant t, int32_t utc_offset_s, char *buf)
{
    jb_day d = jb_day_of(t, utc_offset_s);
    if (buf == NULL || !in_calendar(d) || utc_offset_s % 60 != 0 || utc_offset_s < -OFFSET_MAX_S ||
        utc_offset_s > OFFSET_MAX_S) {
        return print_none(buf);
    }
    int64_t us = t - jb_day_start(d, utc_offset_s);
    int64_t s = us / JB_US_PER_SECOND;
    int32_t offset = utc_offset_s < 0 ? -utc_offset_s : utc_offset_s;
    jb_day_print(d, buf);
    buf[10] = 'T';
    put_digits(buf + 11, s / 3600, 2);
    buf[13] = ':';
    put_digits(buf + 14, s / 60 % 60, 2);
    buf[16] = ':';
    put_digits(buf + 17, s % 60, 2);
    buf[19] = '.';
    put_digits(buf + 20, us % JB_US_PER_SECOND, 6);
    buf[26] = utc_offset_s < 0 ? '-' : '+';
    put_digits(buf + 27, offset / 3600, 2);
    buf[29] = ':';
    put_digits(buf + 30, offset / 60 % 60, 2);
    buf[32] = '\0';
    return buf;
}

char *
jb_instant_say(jb_instant t, int32_t utc_offset_s, char buf[JB_INSTANT_TEXT_BYTES])
{
    jb_instant_print(t, utc_offset_s, buf);
    if (strlen(buf) > 26 && strncmp(buf + 19, ".000000", 7) == 0) {
        memmove(buf + 19, buf + 26, strlen(buf + 26) + 1);
    }
    return buf;
}

/* A reader of fixed digits that remembers a failure, so that one check covers all. */
struct scan {
    const char *s;
    size_t n;
    bool bad;
};

static int
digits(struct scan *in, size_t count)
{
    int value = 0;
    if (in->n < count) {
        in->bad = true;
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (in->s[i] < '0' || in->s[i] > '9') {
            in->bad = true;
            return 0;
        }
        value = value * 10 + (in->s[i] - '0');
    }
    in->s += count;
    in->n -= count;
    return value;
}

static void
expect(struct scan *in, char c, char or)
{
    if (in->n == 0 || (in->s[0] != c && in->s[0] != or)) {
        in->bad = true;
        return;
    }
    in->s++;
    in->n--;
}

static bool
date(struct scan *in, jb_day *ret)
{
    int year = digits(in, 4);
    expect(in, '-', '-');
    int month = digits(in, 2);
    expect(in, '-', '-');
    int day = digits(in, 2);
    return !in->bad && jb_day_from_date(year, month, day, ret);
}

bool
jb_day_parse(const char *s, size_t n, jb_day *ret)
{
    struct scan in = {s, s != NULL ? n : 0, false};
    jb_day d;
    if (ret == NULL || !date(&in, &d) || in.n != 0) {
        return false;
    }
    *ret = d;
    return true;
}

static int64_t
fraction_us(struct scan *in)
{
    int64_t us = 0, unit = JB_US_PER_SECOND / 10;
    size_t count = 0;
    while (in->n > 0 && in->s[0] >= '0' && in->s[0] <= '9') {
        us += (in->s[0] - '0') * unit;
        unit /= 10;
        count++;
        in->s++;
        in->n--;
    }
    in->bad |= count == 0;
    return us; /* digits beyond the sixth are cut: they became 0 */
}

static int64_t
offset_us(struct scan *in)
{
    if (in->n > 0 && (in->s[0] == 'Z' || in->s[0] == 'z')) {
        in->s++;
        in->n--;
        return 0;
    }
    bool west = in->n > 0 && in->s[0] == '-';
    expect(in, '+', '-');
    int hours = digits(in, 2);
    expect(in, ':', ':');
    int minutes = digits(in, 2);
    if (hours > 23 || minutes > 59) {
        in->bad = true;
    }
    int64_t us = (hours * 60 + minutes) * 60 * JB_US_PER_SECOND;
    return west ? -us : us;
}

bool
jb_instant_parse(const char *s, size_t n, jb_instant *ret)
{
    struct scan in = {s, s != NULL ? n : 0, false};
    jb_day d;
    if (ret == NULL || !date(&in, &d)) {
        return false;
    }
    expect(&in, 'T', 't');
    int hour = digits(&in, 2);
    expect(&in, ':', ':');
    int minute = digits(&in, 2);
    expect(&in, ':', ':');
    int second = digits(&in, 2);
    int64_t us = 0;
    if (in.n > 0 && in.s[0] == '.') {
        in.s++;
        in.n--;
        us = fraction_us(&in);
    }
    int64_t offset = offset_us(&in);
    if (in.bad || in.n != 0 || hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    /* Microseconds since 1970 have no place for a leap second: it is the last one before it. */
    if (second == 60) {
        second = 59;
        us = JB_US_PER_SECOND - 1;
    }
    jb_instant t =
        d * JB_US_PER_DAY + ((hour * 60 + minute) * 60 + second) * JB_US_PER_SECOND + us - offset;
    if (t < JB_INSTANT_MIN || t > JB_INSTANT_MAX) {
        return false;
    }
    *ret = t;
    return true;
}
