/* Who supplies, as a file says it: what stands on papers beside the ledger's figures. */
#ifndef JANGBU_SUPPLIER_H
#define JANGBU_SUPPLIER_H

#include "parse.h"

/* s NULL: not said. Each ends with NUL. */
struct supplier {
    struct jb_text number, name, representative, address, type, item, email;
};
/* Its texts lie in the pool. False: bad says why. */
bool supplier_from_json(struct json_pool *pool, const char *text, size_t n, struct supplier *ret,
                        struct bad_line *bad);
#endif
