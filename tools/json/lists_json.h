/* Queries for lists in pages: {wallet, rows, next, as_of}. */
#ifndef JANGBU_LISTS_JSON_H
#define JANGBU_LISTS_JSON_H

#include "queries.h"

jb_status wallets_answer(const struct asked *a, const struct query *q, struct out *o,
                         struct jb_error *err);
/* Lots, grants or refunds. */
jb_status items_answer(const struct asked *a, const struct query *q, struct out *o,
                       struct jb_error *err);
jb_status events_answer(const struct asked *a, const struct query *q, struct out *o,
                        struct jb_error *err);

/* A query for events as the library has it. It borrows from q and from itself: it is not to be
 * copied. */
struct events_asked {
    struct jb_events_query query;
    uint32_t types[JB_EV_TYPES];
    jb_instant since, until;
};
/* JB_E_USAGE: a name that no type of events has; a bound that is none. */
jb_status events_asked(const struct query *q, int32_t utc_offset_s, struct events_asked *ret,
                       struct jb_error *err);
#endif
