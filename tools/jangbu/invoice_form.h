/* An invoice as a page for A4 paper, or its rows as CSV. */
#ifndef JANGBU_INVOICE_FORM_H
#define JANGBU_INVOICE_FORM_H

#include "query.h"

/* As of the event seq (0: now). supplier: what --supplier names, or NULL. Returns the exit code. */
int invoice_html(struct app *app, uint64_t invoice, jb_seq seq, const char *supplier);
int invoice_csv(struct app *app, uint64_t invoice, jb_seq seq);

/* Ten digits as they are written, 120-81-47521; NULL: there are none. */
const char *biz_number_said(const char *biz, char buf[16]);
/* An invoice's state in words, as pages for customers say it. */
const char *invoice_state_said(uint32_t state);

#endif
