/* Where the ledger and its key lie: nobody who asks over HTTP is told. The log has the whole
 * sentence. */
#ifndef JANGBUD_PLACES_H
#define JANGBUD_PLACES_H

#include "config.h"

struct exchange;

/* What the sentences of answers leave out (struct out, hidden). Owned; NULL: no memory. */
const char *const *places_new(const struct config *c);
void places_free(const char *const *places); /* NULL allowed */
/* A sentence that an answer tells without its places, or not at all: the log has it. */
void places_log(const struct exchange *x, const char *sentence);

#endif
