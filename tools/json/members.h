/* JSON objects whose members a table names: queries and options. */
#ifndef JANGBU_MEMBERS_H
#define JANGBU_MEMBERS_H

#include <jangbu/projections.h>

#include "out.h"
#include "parse_inner.h"
#include "queries.h"

enum member_kind {
    MEMBER_TEXT,   /* struct jb_text */
    MEMBER_NUMBER, /* uint64_t, min to max */
    MEMBER_FLAG,   /* uint8_t */
    MEMBER_WORD,   /* uint32_t, one of words */
    MEMBER_DAY,    /* jb_day */
    MEMBER_MONTH,  /* uint32_t: 202603 */
    MEMBER_TYPES,  /* struct event_types: a list of their names */
    MEMBER_AS_OF,  /* struct jb_as_of: an event's number, a time, a closed day */
    MEMBER_SET,    /* uint32_t, 1 << number of each: a list of words, whose numbers are from 1 */
    MEMBER_AMOUNT, /* struct amount_bound */
    MEMBER_OFFSET, /* int32_t, seconds from UTC: "+09:00" */
    MEMBER_OBJECT  /* json_t *, to be read by another table */
};

struct member_row {
    const char *name;
    enum member_kind kind;
    size_t offset; /* in what is filled */
    uint64_t min, max;
    const char *const *words; /* ended by NULL */
};

/* The bit of the row of that number. */
#define MEMBER(i) (UINT64_C(1) << (i))

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
