/* The daemon's interface as an OpenAPI 3.1 document: made from the table of routes and the tables
 * of the library, so that it cannot say anything else than these do. */
#ifndef JANGBUD_OPENAPI_H
#define JANGBUD_OPENAPI_H

#include "out.h"
#include "route.h"

/* The document, a member a line. */
void openapi_json(struct out *o);
enum handled openapi_get(struct exchange *x);

#endif
