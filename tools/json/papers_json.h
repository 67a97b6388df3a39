/* Queries about tax invoices: invoices, invoice, report, due. */
#ifndef JANGBU_PAPERS_JSON_H
#define JANGBU_PAPERS_JSON_H

#include "queries.h"

jb_status invoices_answer(const struct asked *a, const struct query *q, struct out *o,
                          struct jb_error *err);
jb_status invoice_answer(const struct asked *a, const struct query *q, struct out *o,
                         struct jb_error *err);
jb_status report_answer(const struct asked *a, const struct query *q, struct out *o,
                        struct jb_error *err);
jb_status due_answer(const struct asked *a, const struct query *q, struct out *o,
                     struct jb_error *err);

/* What a list says of an invoice, as members. */
void invoice_members_json(struct out *o, const struct jb_invoice *i);
/* The moment of a query about one invoice. */
jb_status invoice_moment(const struct asked *a, const struct query *q, struct jb_moment *ret,
                         struct jb_error *err);
/* Of invoice.email: why there is no address: NO_ADDRESS, FORGOTTEN or LOST. */
const char *due_no_address(const struct jb_due_item *i);
/* Something that is due, as an object. A command is one as `jangbu apply` takes it: it has no other
 * members. */
void due_item_json(struct out *o, const struct jb_due_item *i);
/* Why something that is due is blocked: a code's name, or "FAILED". */
const char *due_why(const struct jb_due_item *i);
#endif
