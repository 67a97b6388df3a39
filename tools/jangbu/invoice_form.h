/* An invoice as a page for A4 paper, or its rows as CSV. */
#ifndef JANGBU_INVOICE_FORM_H
#define JANGBU_INVOICE_FORM_H

#include "query.h"

/* As of the event seq (0: now). supplier: what --supplier names, or NULL. Returns the exit code. */
int invoice_html(struct app *app, uint64_t invoice, jb_seq seq, const char *supplier);
int invoice_csv(struct app *app, uint64_t invoice, jb_seq seq);

#endif
