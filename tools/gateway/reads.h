/* GET of what the ledger knows. */
#ifndef JANGBUD_READS_H
#define JANGBUD_READS_H

#include "queries.h"
#include "route.h"

/* The query of docs/json.md that the route names. */
enum handled read_get(struct exchange *x);
/* The query that the route and the request are. Its texts hold until this thread reads another one.
 * False: x has the problem. */
bool reads_query(struct exchange *x, struct query *ret);
/* What a query met, as x's problem. */
void reads_failed(struct exchange *x, const struct query *q, jb_status status,
                  const struct jb_error *err);
/* A wallet's balance, with an ETag. */
enum handled wallet_get(struct exchange *x);
/* One event of the log: {from} in the path. */
enum handled event_get(struct exchange *x);

#endif
