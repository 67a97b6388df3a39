/* What the queries share: the handle, and a look at the ledger's projections as of one event. */
#ifndef JANGBU_PROJECTIONS_QUERY_H
#define JANGBU_PROJECTIONS_QUERY_H

#include "ledger/reader.h"
#include "projections/fold.h"

#include <pthread.h>

/* So many followers can be told apart. */
#define JB_FEEDS_KEPT 4

struct jb_views {
    jb_ledger *l;
    jb_lang lang; /* that of l */
    struct jb_ledger_info info;
    pthread_mutex_t lock; /* guards everything below; a query holds it while it reads them */
    struct jb_store
        *store; /* NULL: there is none and none can be made; everything is folded in memory */
    bool writable;
    bool quiet;                       /* queries do not store: jb_views_sync does */
    int64_t limit_us;                 /* of a query; 0: none */
    bool dropped;                     /* the store could not be believed, or not be used */
    struct jb_store_meta stored_meta; /* what the fold stands on */
    bool has_base;                    /* false: stored_meta and fold are to be made anew */
    struct jb_fold fold;              /* the tail of the log over the store */
    int64_t unstored_since_us;        /* monotonic; 0: nothing is unstored */
    jb_seq retry_at;                  /* after a failure to store: not again before this event */
    bool by_event; /* something in the log must be told where it stands: no more pieces at once */

    pthread_mutex_t taken_lock;  /* guards taken and feeds, held for a moment */
    struct jb_taken_back *taken; /* items.c: what the page before had to take back; NULL: nothing */
    struct jb_feed_wallets *feeds[JB_FEEDS_KEPT]; /* feed.c: of pages that were asked for last */
    unsigned feeds_next;
};

/* The projections as of event seq (and everything later that they may know); valid until
 * jb_view_read_end. */
struct jb_view_read {
    struct jb_views *v;
    struct jb_store_txn txn;
    struct jb_store_txn *stored; /* &txn, or NULL without a store */
    const struct jb_fold *fold;
    jb_cursor *cursor; /* for single events; opened on demand */
};

/*
 * A query of a handle with a limit takes no longer: from its JB_LIMITED(v) on until the block ends
 * (v may be NULL). One within it, of the same handle, has what is left of that.
 */
struct jb_limit {
    const struct jb_views *v;
    int64_t us;    /* 0: there is none */
    int64_t until; /* of the monotonic clock */
    uint32_t looks;
};
struct jb_limit jb_limit_set(const struct jb_views *v);
void jb_limit_back(const struct jb_limit *before);
#define JB_LIMITED(v)                                                                              \
    __attribute__((cleanup(jb_limit_back), unused)) const struct jb_limit jb_limited =             \
        jb_limit_set(v)
/* JB_E_BUSY: the time is over. Cheap: each step of a loop may ask. */
jb_status jb_limit_look(struct jb_error *err);
/* Whether a page that has looked at so many ends there: at JB_PAGE_EVENTS_MAX, or at a good part of
 * them where half of the time is over. It says where to go on. */
bool jb_page_is_over(uint32_t looked);

/* Locks v and brings its fold to event `seq` at least (0: to the log's head). *ret_head (may be
 * NULL) gets the head found. */
jb_status jb_view_read_begin(struct jb_views *v, jb_seq seq, struct jb_view_read *ret,
                             struct jb_error *err);
/* What a look into the store met: on JB_E_STALE the store is dropped, the fold is made again from
 * the log alone up to the same event, and the look is worth another try. What pointed into the fold
 * does not hold any more. */
bool jb_view_read_again(struct jb_view_read *q, jb_status *status, struct jb_error *err);
/* Stores what is due, unlocks. */
void jb_view_read_end(struct jb_view_read *q);

/* The event with that number, which must be of that wallet; JB_E_CORRUPT otherwise. Borrowed until
 * the next call. */
jb_status jb_view_read_event(struct jb_view_read *q, jb_seq seq, uint32_t wallet,
                             const struct jb_event **ret, struct jb_error *err);

/* The greatest row of the wallet with that day or an earlier one. */
jb_status jb_view_read_row(struct jb_view_read *q, uint32_t wallet, jb_day day,
                           struct jb_day_row *ret, bool *ret_found, struct jb_error *err);
/* Rows of JB_VT_ROWS or JB_VT_MOVED with from <= day <= to, in order, appended to a list.
 */
struct jb_row_list {
    struct jb_day_row *at;
    size_t n, cap;
};
jb_status jb_view_read_rows(struct jb_view_read *q, unsigned table, uint32_t wallet, jb_day from,
                            jb_day to, struct jb_row_list *list, struct jb_error *err);
jb_status jb_view_read_close(struct jb_view_read *q, jb_day day, struct jb_close *ret,
                             struct jb_error *err);

/* snapshots.c: JB_E_NOTFOUND, and the sentence: the wallet was made later than event seq (0: than
 * the day that is asked for). */
jb_status jb_not_yet(struct jb_view_read *q, uint32_t wallet, jb_seq seq, struct jb_error *err);
/* The wallet's summary after its last event <= seq. JB_E_NOTFOUND where it did not exist then
 * (text is filled). */
jb_status jb_view_read_summary(struct jb_view_read *q, uint32_t wallet, jb_seq seq,
                               struct jb_summary *ret, struct jb_error *err);

/* The wallet's last snapshot that is not after seq; all zero: there is none. */
jb_status jb_view_read_snapshot(struct jb_view_read *q, uint32_t wallet, jb_seq seq,
                                struct jb_summary *ret, struct jb_error *err);

/* The summary after the wallet's next event, but for its marks. Only a return asks q for anything,
 * which may be NULL where e is none: what never changes of grants that it fills again, so q is of
 * the event before e or a later one. Not JB_OK: half an event may be in the summary; JB_E_STALE:
 * none of it is. */
jb_status jb_view_step(struct jb_view_read *q, struct jb_summary *summary, const struct jb_event *e,
                       struct jb_error *err);

/* The last of the wallet's events of some types that the summary knows; 0: none. */
jb_seq jb_summary_last_of(const struct jb_summary *w, const bool types[JB_EV_TYPES]);
/* So many events in a row of types that a list has no place for, and the next one of its types is
 * looked up so. */
#define JB_MISSED_MAX 16
/* The wallet's first event of those types from `from` on. `last` is the last one that counts, and
 * not before `from`. It takes as many looks as the log's length has digits. */
jb_status jb_view_read_first_of(struct jb_view_read *q, uint32_t wallet,
                                const bool types[JB_EV_TYPES], jb_seq from, jb_seq last,
                                jb_seq *ret, struct jb_error *err);

/* A place in the wallet's chain behind event seq to walk back from: its first snapshot there, else
 * its last event (which may be seq or earlier). */
jb_status jb_view_read_anchor(struct jb_view_read *q, uint32_t wallet, jb_seq seq, jb_seq *ret,
                              struct jb_error *err);

/* The wallet's events from number `at` on, up to its next snapshot, newest first: a chain goes back
 * only, and is gone through forward in such pieces. There is at least one. */
struct jb_piece {
    JB_VEC(jb_seq) seqs;
};
jb_status jb_view_read_piece(struct jb_view_read *q, uint32_t wallet, jb_seq at,
                             struct jb_piece *piece, struct jb_error *err);

/* What the bounds of a list of events come to, as numbers: recorded_at never goes back. Events of
 * init have no time and come before every one. *low and *high are narrowed. */
jb_status jb_view_bounds(struct jb_views *v, const jb_instant *since, const jb_instant *until,
                         jb_seq *low, jb_seq *high, struct jb_error *err);
/* JB_E_USAGE for a time outside the calendar; NULL is none. */
jb_status jb_view_check_times(const jb_instant *since, const jb_instant *until,
                              struct jb_error *err);
/* Types that are asked for, as a set (of JB_EV_TYPES); false in *ret_all where there are some. */
jb_status jb_view_check_types(const uint32_t *types, uint32_t types_n, bool *set, bool *ret_all,
                              struct jb_error *err);
/* Whether the event's amount, that of the command where it was refused, lies between the bounds. */
bool jb_amount_within(const struct jb_event *e, const jb_amount *min, const jb_amount *max);

/* items.c; NULL allowed; returns NULL. */
struct jb_taken_back *jb_taken_back_free(struct jb_taken_back *t);

/* feed.c; NULL allowed; returns NULL. */
struct jb_feed_wallets *jb_feed_wallets_free(struct jb_feed_wallets *w);

/* as_of.c */
struct jb_as_of_point {
    struct jb_moment moment;
    bool now;
    jb_day
        only_through; /* asked for a closed day: nothing posted after it counts; else JB_NO_DAY */
    jb_day closed_through; /* at moment.seq; JB_NO_DAY */
    jb_day first_open_day; /* likewise */
    jb_day today;          /* day of moment.at */
    uint8_t chain[16];     /* of pages: the chain value of the frame with moment.seq */
};
/* head: the one that `now` means. */
/* Now, and nothing beside it: what is half set goes the long way, where it is refused. */
static inline bool
jb_as_of_is_now(const struct jb_as_of *as_of)
{
    return as_of == NULL || (as_of->kind == JB_AS_OF_NOW && as_of->seq == 0 && as_of->time == 0 &&
                             as_of->day == 0 && as_of->reserved == 0);
}
/* JB_E_USAGE for no day, and for one outside the calendar. */
jb_status jb_view_check_day(jb_day day, struct jb_error *err);
/* JB_E_NOT_CLOSED, with the day up to which all is. */
jb_status jb_as_of_not_closed(const struct jb_as_of_point *r, jb_day day, struct jb_error *err);
jb_status jb_view_read_resolve(struct jb_view_read *q, const struct jb_as_of *as_of,
                               jb_seq head_seq, jb_instant head_recorded_at,
                               struct jb_as_of_point *ret, struct jb_error *err);
/* jb_view_read_begin at the log's head, and what as_of means there. */
jb_status jb_view_read_begin_at(struct jb_views *v, const struct jb_as_of *as_of,
                                struct jb_view_read *q, struct jb_as_of_point *ret,
                                struct jb_error *err);
/* Number of a wallet by its id; a sentence where there is none. */
jb_status jb_find_wallet(jb_ledger *l, struct jb_text id, uint32_t *ret, struct jb_error *err);
/* The id of a wallet by its number, ended by NUL. */
jb_status jb_wallet_text(jb_ledger *l, uint32_t number, char out[JB_ID_BYTES_MAX + 1],
                         struct jb_error *err);

/*
 * What the wallet's events posted after day `after` (and with from >= seq > down_to) move, summed:
 * to take them back. visit (may be NULL) sees each of them, newest first. The walk ends where
 * nothing earlier can be posted after that day.
 */
struct jb_walk {
    jb_seq from; /* an event of the wallet, 0: none */
    jb_seq down_to;
    jb_day posted_after; /* JB_NO_DAY: all */
    uint64_t most;       /* JB_END after so many events; 0: there is no end */
    jb_status (*visit)(void *data, const struct jb_event *e, const struct jb_move *m,
                       struct jb_error *err);
    void *data;
};
jb_status jb_view_read_walk(struct jb_view_read *q, uint32_t wallet, const struct jb_walk *w,
                            struct jb_move *ret_sum, struct jb_error *err);

/* balance.c: a wallet's balance as of a past moment. */
jb_status jb_view_read_balance(struct jb_view_read *q, uint32_t wallet,
                               const struct jb_as_of_point *r, struct jb_balance *ret,
                               struct jb_error *err);

/* What a wallet of that summary has on day `today`. */
void jb_summary_balance(const struct jb_summary *summary, jb_day today, struct jb_balance *ret);

/* JB_OK, or JB_E_CORRUPT where a sum does not fit. */
jb_status jb_row_shown(const struct jb_day_row *row, struct jb_cash_row *ret, struct jb_error *err);

#endif
