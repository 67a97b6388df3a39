/* What queries answer with, as JSON. */
#ifndef JANGBU_ROWS_JSON_H
#define JANGBU_ROWS_JSON_H

#include <jangbu/projections.h>

#include "out.h"
#include "queries.h"

/* The member as_of: the moment that a figure holds for. */
void moment_json(struct out *o, const struct jb_moment *m, int32_t utc_offset_s);

/* NULL: now. */
const struct jb_as_of *asked_as_of(const struct query *q);
/* What stands behind the rows of a page. */
void page_end_json(const struct asked *a, struct out *o, const char *next,
                   const struct jb_moment *moment);

/* The name of a wallet, where it was looked up: "" where it is forgotten. */
struct wallet_name {
    char text[2049];
    jb_person_why why; /* there is none */
};
jb_status wallet_name_get(jb_ledger *l, struct jb_text wallet, struct wallet_name *ret,
                          struct jb_error *err);

/* Each of these is an object. name NULL: not looked up. wallet NULL: the rows are all of one. */
void balance_json(struct out *o, const struct jb_wallet_balance *w, const struct wallet_name *name,
                  int32_t utc_offset_s);
/* The same without the moment, and what is known beside: a row of a list, whose moment stands once.
 */
void wallet_row_json(struct out *o, const struct jb_wallet_row *w, int32_t utc_offset_s);
/* What made it, its fields, and how it stands. */
void lot_row_json(struct out *o, const struct jb_lot_row *r, int32_t utc_offset_s);
void grant_row_json(struct out *o, const struct jb_grant_row *r, int32_t utc_offset_s);
/* wallet: its id, where it is not said above; NULL: it is. */
void refund_row_json(struct out *o, const struct jb_refund_row *r, const char *wallet,
                     int32_t utc_offset_s);
void cash_row_json(struct out *o, const char *wallet, const struct jb_cash_row *r);
void explanation_json(struct out *o, const struct jb_explanation *x, int32_t utc_offset_s);
void change_json(struct out *o, const struct jb_change *c, int32_t utc_offset_s);
jb_status history_row_json(struct out *o, jb_ledger *l, const struct jb_history_row *r, bool people,
                           int32_t utc_offset_s, struct jb_error *err);

/* The rows of a cash status that a query asks for, kept so that they can be gone through either
 * way. at is the caller's to free. */
struct cash_rows {
    const struct query *query;
    struct jb_cash_row *at;
    size_t n, cap;
    bool no_memory;
};
/* False: there is no memory. */
bool cash_rows_add(struct cash_rows *rows, const struct jb_cash_row *r);

/* How a charge stands: OPEN, something is left; else USED_UP, or REVERSED or REFUNDED, all of it.
 */
const char *lot_state(const struct jb_lot_row *r);

/* Which event it is, and when: an object that is left open. */
void event_head_json(struct out *o, const struct jb_event *e, int32_t utc_offset_s);

/* An event as `jangbu log` prints it. */
jb_status event_row_json(struct out *o, jb_ledger *l, const struct jb_event *e, bool people,
                         int32_t utc_offset_s, struct jb_error *err);

/* The same, with `what` and `belongs_to`. */
jb_status find_row_json(struct out *o, jb_ledger *l, const struct jb_find_row *r, bool people,
                        int32_t utc_offset_s, struct jb_error *err);

/* The same, with `effect`, `balance` (null: the event is of no wallet), `late` and `cursor`. */
jb_status feed_row_json(struct out *o, jb_ledger *l, const struct jb_feed_row *r, bool people,
                        int32_t utc_offset_s, struct jb_error *err);

/* The ids that an event names by number. bufs: two of JB_ID_BYTES_MAX, where they lie. */
struct event_ids;
jb_status event_ids_get(jb_ledger *l, const struct jb_event *e, char bufs[2][JB_ID_BYTES_MAX],
                        struct event_ids *ret, struct jb_error *err);

/* The member people: the texts that an event names by reference. */
jb_status people_json(struct out *o, jb_ledger *l, const struct jb_event *e, struct jb_error *err);
#endif
