/* Queries for papers: receipts, statements, totals, grants about to lapse. */
#ifndef JANGBU_STATEMENTS_JSON_H
#define JANGBU_STATEMENTS_JSON_H

#include "queries.h"

jb_status receipts_answer(const struct asked *a, const struct query *q, struct out *o,
                          struct jb_error *err);
jb_status statement_answer(const struct asked *a, const struct query *q, struct out *o,
                           struct jb_error *err);
jb_status totals_answer(const struct asked *a, const struct query *q, struct out *o,
                        struct jb_error *err);
jb_status expiring_answer(const struct asked *a, const struct query *q, struct out *o,
                          struct jb_error *err);
#endif
