/* GET of what the ledger knows. */
#ifndef JANGBUD_READS_H
#define JANGBUD_READS_H

#include "route.h"

/* The query of docs/json.md that the route names. */
enum handled read_get(struct exchange *x);
/* A wallet's balance, with an ETag. */
enum handled wallet_get(struct exchange *x);
/* One event of the log: {from} in the path. */
enum handled event_get(struct exchange *x);

#endif
