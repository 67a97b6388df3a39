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

/* The words of invoices, for all who show one. */
const char *invoice_state_said(uint32_t state);   /* enum jb_invoice_state */
const char *invoice_reason_said(uint32_t reason); /* enum jb_invoice_reason; NULL: it has none */
enum { INVOICE_NUMBER_BYTES = 16, INVOICE_ITEM_BYTES = 120 };
/* A registration number as it is printed, 123-45-67890, in buf, or biz itself; NULL: there is none.
 */
const char *invoice_number_said(const char *biz, char buf[INVOICE_NUMBER_BYTES]);
const char *invoice_item_said(uint32_t month, char buf[INVOICE_ITEM_BYTES]);

#endif
