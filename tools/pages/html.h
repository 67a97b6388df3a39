/* HTML and SVG as text: what is written here is markup, what comes in is text and stays it. */
#ifndef JANGBU_HTML_H
#define JANGBU_HTML_H

#include "out.h"

/* The sentences of pages can be said in Korean from here on: once, before there are threads. */
void html_language(void);

/* Text between tags or in an attribute: each sign that means something there is written as itself,
 * and what no page may have (control characters, bytes that are not UTF-8) as U+FFFD. */
void html_text(struct out *o, struct jb_text t);
void html_str(struct out *o, const char *s); /* NULL: nothing */
/* A text that somebody gave: kept apart, so that it turns the direction of nothing around it. */
void html_given(struct out *o, const char *s);

/* <tag> or, with a class, <tag class="...">. Both are words of ours. */
void html_open(struct out *o, const char *tag, const char *class);
void html_close(struct out *o, const char *tag);
/* An element with nothing but text. */
void html_element(struct out *o, const char *tag, const char *class, const char *text);
/* A cell that goes over so many columns and rows; text NULL: empty. */
void html_span(struct out *o, const char *tag, const char *class, unsigned columns, unsigned rows,
               const char *text);

/* A whole page for A4 paper, with its style: no scripts, nothing from elsewhere, fonts by the names
 * of families. lang: "ko" or "en". */
void html_page_begin(struct out *o, const char *lang, const char *title);
void html_page_end(struct out *o);
/* What stands between <style> and </style> there: for who has to say its hash. */
struct jb_text html_page_style(void);

/* In a tag that is not closed yet: name="value". */
void html_number(struct out *o, const char *name, int64_t value);
void html_word(struct out *o, const char *name, const char *value);

/* ---- a chart ---- */

struct chart_day {
    jb_day day;
    jb_amount in, out; /* not below 0 */
    jb_amount closing;
};

/* Balance and flows by day: days without a row are like the day before, and moved nothing. */
struct chart {
    jb_day from, to;
    jb_amount opening;
    uint32_t exponent; /* of the amounts at its axis */
    const struct chart_day *days;
    size_t days_n;
    const char *balance, *in, *out; /* what its parts are called */
};
void html_chart(struct out *o, const struct chart *c);

/* An amount with thousands separators and so many decimals. buf of 48 bytes; returns buf. */
#define MONEY_BYTES 48
char *money_text(jb_amount amount, uint32_t exponent, char buf[MONEY_BYTES]);

#endif
