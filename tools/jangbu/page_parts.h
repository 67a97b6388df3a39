/* What the pages of a wallet share: facts at the head, who supplies, the chart of its days. */
#ifndef JANGBU_PAGE_PARTS_H
#define JANGBU_PAGE_PARTS_H

#include "app.h"
#include "html.h"
#include "supplier_file.h"

/* The exit code of a page. One that could not be made prints nothing more. broken: the output. */
int page_code(struct app *app, jb_status made, bool broken);

/* A row of a table of facts; text is somebody's. */
void page_fact(struct out *o, const char *what, const char *text);
void page_amount_fact(struct app *app, const char *what, jb_amount amount);
/* A table, where --supplier says anything. */
void page_supplier(struct out *o, const struct supplier_file *s);

/* What does not fit stays at the end of 64 bits: a chart need not be exact there. */
jb_amount page_plus(jb_amount a, jb_amount b);

/* at: freed by the caller, in any case. */
struct page_days {
    struct chart_day *at;
    size_t n, cap;
};
/* The days of the cash status, all of them closed. Without memory app->out says so. */
jb_status page_days_read(struct app *app, const char *wallet, const struct jb_as_of *as_of,
                         jb_day from, jb_day to, struct page_days *ret);
void page_chart(struct app *app, jb_day from, jb_day to, jb_amount opening,
                const struct page_days *days);

#endif
