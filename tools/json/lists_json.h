/* Queries for lists in pages: {wallet, rows, next, as_of}. */
#ifndef JANGBU_LISTS_JSON_H
#define JANGBU_LISTS_JSON_H

#include "queries.h"

jb_status wallets_answer(const struct asked *a, const struct query *q, struct out *o,
                         struct jb_error *err);
/* Lots, grants or refunds. */
jb_status items_answer(const struct asked *a, const struct query *q, struct out *o,
                       struct jb_error *err);
jb_status history_answer(const struct asked *a, const struct query *q, struct out *o,
                         struct jb_error *err);
jb_status refused_answer(const struct asked *a, const struct query *q, struct out *o,
                         struct jb_error *err);
jb_status find_answer(const struct asked *a, const struct query *q, struct out *o,
                      struct jb_error *err);
jb_status events_answer(const struct asked *a, const struct query *q, struct out *o,
                        struct jb_error *err);
jb_status feed_answer(const struct asked *a, const struct query *q, struct out *o,
                      struct jb_error *err);
/* The same, with where the page ends and how many rows it has. */
jb_status feed_page_json(const struct asked *a, const struct query *q, struct out *o,
                         struct jb_feed_page *page, uint64_t *ret_rows, struct jb_error *err);

/* A query for events as the library has it. It borrows from q and from itself: it is not to be
 * copied. */
struct events_asked {
    struct jb_events_query query;
    jb_instant since, until;
};
/* The same of a history and of wallets. */
struct history_asked {
    struct jb_history_query query;
    struct events_asked bounds;
};
jb_status history_asked(const struct query *q, int32_t utc_offset_s, struct history_asked *ret,
                        struct jb_error *err);
struct wallets_asked {
    struct jb_wallets_query query;
    jb_instant since, before;
};
jb_status wallets_asked(const struct query *q, int32_t utc_offset_s, struct wallets_asked *ret,
                        struct jb_error *err);
/* Names of types, with commas between them; NULL: all. JB_E_USAGE: there is no such type. */
jb_status event_types_read(const char *names, struct event_types *ret, struct jb_error *err);
/* JB_E_USAGE: a bound that is none. */
jb_status events_asked(const struct query *q, int32_t utc_offset_s, struct events_asked *ret,
                       struct jb_error *err);
#endif
