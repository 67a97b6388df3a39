/* JSON objects whose members a table names: queries and options. */
#ifndef JANGBU_MEMBERS_H
#define JANGBU_MEMBERS_H

#include <jangbu/projections.h>

#include "out.h"
#include "parse_inner.h"
#include "queries.h"

/*
 * Reads the members of object into `to`; *ret_has gets the bits of the rows that were there.
 * `takes` is what may be there, beside `but` (which is read elsewhere; NULL: none); `what` names
 * the object in sentences. False: bad says why.
 */
bool members_read(json_t *object, const struct member_row *rows, size_t n, uint64_t takes,
                  const char *but, const char *what, void *to, uint64_t *ret_has,
                  struct bad_line *bad);
/* The table as a list of objects under key: name, kind, bounds or words. */
void members_json(struct out *o, const char *key, const struct member_row *rows, size_t n);
#endif
