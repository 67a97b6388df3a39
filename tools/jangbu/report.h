/* What the forms of a report share. */
#ifndef JANGBU_REPORT_H
#define JANGBU_REPORT_H

#include "app.h"

struct report_asked {
    const char *wallet;
    uint32_t month;
};

/* The two sums of a tax month, line by line: what its papers are, and how the cash status of its
 * days comes to the same. Lines that are 0 and need not be there are left out. */
#define REPORT_LINES 12
struct report_line {
    const char *label;
    jb_amount amount;
    bool total; /* it sums up those above */
};
/* Returns how many there are. */
size_t report_lines(const struct jb_report *r, struct report_line ret[REPORT_LINES]);

/* "2 DELTA", or that it is in none. */
const char *report_document(const struct jb_invoice *document, char buf[64]);

/* The page. supplier: what --supplier names, or NULL. Returns the exit code. */
int report_page(struct app *app, const struct report_asked *a, const char *supplier);

#endif
