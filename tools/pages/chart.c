/*
 * The chart of a statement as SVG: above, the balance, which steps on each day that moved it;
 * below, what came in (upwards) and what went out (downwards) on each day. Whole numbers only.
 */
#include "html.h"

#include <stdio.h>

__extension__ typedef __int128 wide;

/* In units of the drawing. */
enum {
    WIDTH = 7200,
    HEIGHT = 2500,
    LEFT = 1050,
    RIGHT = 7150,
    BALANCE_TOP = 330,
    BALANCE_BOTTOM = 1330,
    FLOWS_TOP = 1530,
    FLOWS_BOTTOM = 2230,
    FONT = 120,
    TICKS = 7
};

/* What is drawn between two heights. */
struct scale {
    jb_amount low, high; /* low < high */
    int top, bottom;
};

static int
y_of(const struct scale *s, jb_amount value)
{
    const wide up = ((wide)value - s->low) * (s->bottom - s->top);
    return s->bottom - (int)(up / ((wide)s->high - s->low));
}

static int
x_of(const struct chart *c, int64_t day)
{
    const int64_t days = (int64_t)c->to - c->from + 1;
    return LEFT + (int)((day - c->from) * (RIGHT - LEFT) / days);
}

static struct scale
balance_scale(const struct chart *c)
{
    struct scale s = {.top = BALANCE_TOP, .bottom = BALANCE_BOTTOM};
    s.low = c->opening < 0 ? c->opening : 0;
    s.high = c->opening > 0 ? c->opening : 0;
    for (size_t i = 0; i < c->days_n; i++) {
        s.low = c->days[i].closing < s.low ? c->days[i].closing : s.low;
        s.high = c->days[i].closing > s.high ? c->days[i].closing : s.high;
    }
    s.high = s.high == s.low ? s.low + 1 : s.high;
    return s;
}

static struct scale
flows_scale(const struct chart *c)
{
    struct scale s = {.top = FLOWS_TOP, .bottom = FLOWS_BOTTOM};
    for (size_t i = 0; i < c->days_n; i++) {
        s.high = c->days[i].in > s.high ? c->days[i].in : s.high;
        s.low = -c->days[i].out < s.low ? -c->days[i].out : s.low;
    }
    s.high = s.high == s.low ? 1 : s.high;
    return s;
}

/* ---- marks ---- */

static void
label(struct out *o, int x, int y, const char *anchor, const char *text)
{
    out_str(o, "<text");
    html_number(o, "x", x);
    html_number(o, "y", y);
    html_word(o, "text-anchor", anchor);
    out_char(o, '>');
    html_str(o, text);
    out_str(o, "</text>\n");
}

static void
line(struct out *o, int y, const char *colour)
{
    out_str(o, "<line");
    html_number(o, "x1", LEFT);
    html_number(o, "x2", RIGHT);
    html_number(o, "y1", y);
    html_number(o, "y2", y);
    html_word(o, "stroke", colour);
    html_number(o, "stroke-width", 6);
    out_str(o, "/>\n");
}

static void
bar(struct out *o, int x, int width, int y, int other, const char *colour)
{
    const int top = y < other ? y : other, height = y < other ? other - y : y - other;
    if (height == 0) {
        return;
    }
    out_str(o, "<rect");
    html_number(o, "x", x);
    html_number(o, "y", top);
    html_number(o, "width", width);
    html_number(o, "height", height);
    html_word(o, "fill", colour);
    out_str(o, "/>\n");
}

static void
key(struct out *o, int x, const char *colour, const char *text)
{
    bar(o, x, 120, 60, 180, colour);
    label(o, x + 170, 165, "start", text);
}

#define BALANCE_COLOUR "#1f4e8c"
#define IN_COLOUR "#2f855a"
#define OUT_COLOUR "#c05621"

/* ---- parts ---- */

static void
amount_label(struct out *o, const struct chart *c, const struct scale *s, jb_amount value)
{
    char buf[MONEY_BYTES];
    label(o, LEFT - 60, y_of(s, value) + 40, "end", money_text(value, c->exponent, buf));
}

/* The highest, 0, the lowest; those that would lie on another are left out. */
static void
axis(struct out *o, const struct chart *c, const struct scale *s)
{
    line(o, y_of(s, 0), "#999");
    amount_label(o, c, s, 0);
    if (y_of(s, 0) - s->top > FONT) {
        amount_label(o, c, s, s->high);
    }
    if (s->bottom - y_of(s, 0) > FONT) {
        amount_label(o, c, s, s->low);
    }
}

static void
point(struct out *o, char command, int value)
{
    out_char(o, command);
    out_int(o, value);
}

/* The way of the balance; down to 0 at its end where it is to be filled. */
static void
balance_path(struct out *o, const struct chart *c, const struct scale *s, bool filled)
{
    out_str(o, "<path");
    html_word(o, "fill", filled ? "#d8e4f4" : "none");
    html_word(o, "stroke", filled ? "none" : BALANCE_COLOUR);
    html_number(o, "stroke-width", 14);
    out_str(o, " d=\"");
    point(o, 'M', LEFT);
    point(o, ' ', filled ? y_of(s, 0) : y_of(s, c->opening));
    point(o, 'V', y_of(s, c->opening));
    for (size_t i = 0; i < c->days_n; i++) {
        point(o, 'H', x_of(c, c->days[i].day));
        point(o, 'V', y_of(s, c->days[i].closing));
    }
    point(o, 'H', RIGHT);
    if (filled) {
        point(o, 'V', y_of(s, 0));
        out_char(o, 'Z');
    }
    out_str(o, "\"/>\n");
}

static void
flow_bars(struct out *o, const struct chart *c, const struct scale *s)
{
    for (size_t i = 0; i < c->days_n; i++) {
        const struct chart_day *d = &c->days[i];
        const int x = x_of(c, d->day), w = x_of(c, (int64_t)d->day + 1) - x;
        const int gap = w / 8, width = w - 2 * gap > 8 ? w - 2 * gap : 8;
        bar(o, x + gap, width, y_of(s, 0), y_of(s, d->in), IN_COLOUR);
        bar(o, x + gap, width, y_of(s, 0), y_of(s, -d->out), OUT_COLOUR);
    }
}

static void
day_labels(struct out *o, const struct chart *c)
{
    const int64_t days = (int64_t)c->to - c->from + 1;
    const int64_t ticks = days < TICKS ? days : TICKS;
    for (int64_t i = 0; i < ticks; i++) {
        char text[JB_DAY_TEXT_BYTES];
        const int64_t day = c->from + (ticks > 1 ? i * (days - 1) / (ticks - 1) : 0);
        const int middle = (x_of(c, day) + x_of(c, day + 1)) / 2;
        const int x = middle > RIGHT - 280 ? RIGHT - 280 : middle;
        label(o, x, FLOWS_BOTTOM + 190, "middle", jb_day_print((jb_day)day, text));
    }
}

void
html_chart(struct out *o, const struct chart *c)
{
    const struct scale balance = balance_scale(c), flows = flows_scale(c);
    out_str(o, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ");
    out_int(o, WIDTH);
    out_char(o, ' ');
    out_int(o, HEIGHT);
    out_char(o, '"');
    html_number(o, "font-size", FONT);
    out_str(o, ">\n");
    html_element(o, "title", NULL, c->balance);
    key(o, LEFT, BALANCE_COLOUR, c->balance);
    key(o, LEFT + 2000, IN_COLOUR, c->in);
    key(o, LEFT + 4000, OUT_COLOUR, c->out);
    balance_path(o, c, &balance, true);
    axis(o, c, &balance);
    balance_path(o, c, &balance, false);
    axis(o, c, &flows);
    flow_bars(o, c, &flows);
    day_labels(o, c);
    html_close(o, "svg");
}
