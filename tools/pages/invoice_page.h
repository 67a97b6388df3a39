/* A tax invoice as a page: HTML for A4 paper in the shape of a Korean electronic tax invoice. It
 * is a print of what the ledger has; the XML that the tax office takes is another thing. */
#ifndef JANGBU_INVOICE_PAGE_H
#define JANGBU_INVOICE_PAGE_H

#include "html.h"

/* Who supplies, or whom is supplied. NULL: the box stays empty. */
struct invoice_party {
    const char *number; /* registration number */
    const char *name;
    const char *representative;
    const char *address;
    const char *type; /* of business */
    const char *item; /* of business */
    const char *email;
};

/* A usage that was paid for, or a return of one: VAT is in the amount. */
struct invoice_row {
    jb_seq seq;
    jb_day day;
    char usage[JB_ID_BYTES_MAX + 1];
    jb_amount amount; /* below 0: a return */
};

struct invoice_page {
    uint64_t number;    /* of the document, in the ledger */
    bool amended;       /* it is not the first of its month */
    uint64_t original;  /* which it amends; 0: none */
    const char *reason; /* why it does; NULL: none */
    const char *state;
    const char *approve_no; /* of the tax office; NULL: none yet */
    struct invoice_party supplier, recipient;
    uint32_t month; /* 202603 */
    jb_day written_on;
    jb_amount supply, vat, total; /* total = supply + vat = sum of the rows */
    uint32_t exponent;
    const char *item; /* what was supplied */
    const struct invoice_row *rows;
    size_t rows_n;
    bool rows_left_out; /* there are more than a page has */
};

void invoice_page(struct out *o, const struct invoice_page *p);

#endif
