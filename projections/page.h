/* Lists in pages: where a page goes on, and what it keeps until its snapshots have been let go. */
#ifndef JANGBU_PROJECTIONS_PAGE_H
#define JANGBU_PROJECTIONS_PAGE_H

#include "projections/query.h"

/* What a page looks at, and keeps, at most; then it ends and the list goes on with the next. */
#define JB_PAGE_EVENTS_MAX 50000
#define JB_PAGE_BYTES_MAX (16U << 20)

/* The lists that there are. The numbers stand in cursors, hashed. */
enum jb_page_list {
    JB_PAGE_HISTORY = 1,
    JB_PAGE_REFUSED = 2,
    JB_PAGE_WALLETS = 3,
    JB_PAGE_LOTS = 4,
    JB_PAGE_GRANTS = 5,
    JB_PAGE_REFUNDS = 6,
    JB_PAGE_EVENTS = 7,
    JB_PAGE_FIND = 8,
    JB_PAGE_WALLETS_FOUND = 9,
    JB_PAGE_INVOICES = 10,
    JB_PAGE_DUE = 11,
    JB_PAGE_RECEIPTS = 20,
    JB_PAGE_EXPIRING = 21
};

/* What a cursor is bound to. */
struct jb_page_of {
    enum jb_page_list list;
    uint32_t wallet; /* 0: none */
    uint64_t filter; /* what else was asked for, as a number or a hash of it */
};

/* Where a page begins. */
struct jb_page_place {
    uint64_t at;       /* an event's or a wallet's number, or whatever else the list counts by */
    jb_amount balance; /* of a history: after the event at; else 0 */
};

/*
 * The place and the moment of a page: where there is a cursor, its own (*ret_fresh false; r->today,
 * too, and nothing of closed days). Else the moment that as_of means, and place is as it was.
 */
jb_status jb_page_begin(struct jb_views *v, const struct jb_page_of *of,
                        const struct jb_as_of *as_of, const char *cursor, uint32_t limit,
                        struct jb_page_place *place, struct jb_as_of_point *r, bool *ret_fresh,
                        struct jb_error *err);
/* Of a list of numbers, newest first, that goes on below one: a cursor that somebody made up has no
 * place behind its moment. */
jb_status jb_page_check_below(jb_seq below, const struct jb_as_of_point *r, struct jb_error *err);
/* Of a list that knows no posting days: as of a day is as it was recorded when the day ended. */
jb_status jb_page_end_of_day(struct jb_views *v, struct jb_as_of_point *r, struct jb_error *err);
/* What the caller gets at the end: the cursor for what is behind the page (place NULL: nothing is),
 * and the moment. */
void jb_page_end(const struct jb_views *v, const struct jb_page_of *of,
                 const struct jb_page_place *place, const struct jb_as_of_point *r, char *next,
                 struct jb_moment *moment);

/* Bytes as text, in hexadecimal, which ends with NUL; and back. False: it is no such text. */
void jb_page_hex(const uint8_t *bytes, size_t n, char *out);
bool jb_page_bytes(const char *text, uint8_t *bytes, size_t n);

/* Copies of events, which outlive the snapshot that they were read in. Zeroed: empty. */
struct jb_kept_event {
    jb_seq seq;
    jb_instant base;
    size_t at, n;
};
struct jb_kept {
    struct jb_buffer bytes;
    JB_VEC(struct jb_kept_event) events;
    int32_t utc_offset_s;
    struct jb_event event;
    struct jb_event_space space;
};
/* Keeps the event that c returned last, whose number is seq. */
jb_status jb_keep(struct jb_kept *k, const jb_cursor *c, jb_seq seq, struct jb_error *err);
/* Whether it is time to end the page. */
bool jb_kept_full(const struct jb_kept *k);
/* The i-th. Borrowed until the next call. */
jb_status jb_kept_at(struct jb_kept *k, size_t i, const struct jb_event **ret,
                     struct jb_error *err);
void jb_kept_free(struct jb_kept *k);

/* An event that something named as one of the wallet: JB_E_CORRUPT where it is not. Borrowed until
 * the next call on c. */
jb_status jb_chain_event(jb_cursor *c, jb_seq seq, uint32_t wallet, const struct jb_event **ret,
                         struct jb_error *err);

#endif
