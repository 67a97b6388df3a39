/*
 * jangbu/projections.h -- what users ask: balances, daily cash status, histories, and why two
 * totals differ.
 *
 * A jb_views follows the log and keeps what it has folded in views.mdb, which may be deleted at any
 * time. Every query sees every event acknowledged before it began, from any process, and never
 * blocks a writer. A jb_views may be used by many threads at once.
 *
 * `each` of any function is called when all snapshots have been let go, with what was copied from
 * them: it may ask anything and take its time. It returns false to stop.
 */
#ifndef JANGBU_PROJECTIONS_H
#define JANGBU_PROJECTIONS_H

#include <jangbu/ledger.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct jb_views jb_views;

/* Opens the projections of l (closed before it: after jb_close(l) they give JB_E_USAGE). A
 * views.mdb that is missing or of an older version is made anew. One that is damaged, foreign or
 * ahead of the log: JB_E_STALE or JB_E_ROLLBACK with what to do. *ret is owned: jb_views_close. */
JB_API JB_NODISCARD jb_status jb_views_open(jb_ledger *l, jb_views **ret, struct jb_error *err);
struct jb_views_options {
    size_t size;
    /* Longest time that a query may take, its waiting for others of the handle included; then it is
     * JB_E_BUSY. 0: any. What is folded before it can look counts, and is not cut off: it is there
     * for the next. Time in `each` counts, too. */
    int64_t limit_us;
    /* 1: queries write nothing, and never wait for a disk; jb_views_sync stores, at best through a
     * handle of its own (whose queries wait meanwhile). Only a backlog of 400,000 events or more,
     * which no memory is to hold, is stored by whoever meets it. 0: a query stores what is due. */
    uint8_t sync_stores;
    uint8_t reserved[7]; /* 0 */
};
/* The same with options; NULL: as they are without. */
JB_API JB_NODISCARD jb_status jb_views_open_with(jb_ledger *l,
                                                 const struct jb_views_options *options,
                                                 jb_views **ret, struct jb_error *err);
/* Stores what is due, then releases v. NULL allowed; returns NULL. */
JB_API jb_views *jb_views_close(jb_views *v);
/* Folds the log's tail; stores it when more than 200,000 events or 1 s are not stored yet, or when
 * now is true. */
JB_API JB_NODISCARD jb_status jb_views_sync(jb_views *v, bool now, struct jb_error *err);
/* For a thread that must not stand still, before it asks something of now: JB_OK where the query
 * finds nobody else in its way (this waits for 0.2 ms at most) and at most so many events of the
 * log's tail to fold; else JB_E_BUSY, and another thread is to ask. It folds nothing itself. */
JB_API JB_NODISCARD jb_status jb_views_ready(jb_views *v, uint64_t events, struct jb_error *err);

typedef enum jb_as_of_kind {
    JB_AS_OF_NOW = 0,
    JB_AS_OF_SEQ = 1,
    JB_AS_OF_TIME = 2,
    JB_AS_OF_DAY = 3
} jb_as_of_kind;

/* The moment a figure is asked for. docs/rules.md section 7. JB_E_USAGE where a member is set that
 * its kind does not use. Final. */
struct jb_as_of {
    jb_as_of_kind kind;
    jb_day day; /* a closed day: the published closing */
    jb_seq seq;
    jb_instant time;
    uint64_t reserved; /* 0 */
};

/* The moment a figure holds for: every event up to seq, read at time at. Final. */
struct jb_moment {
    jb_seq seq;
    jb_instant at;
};

/* Resolves as_of (NULL: now) against the log. JB_E_NOTFOUND beyond its end, JB_E_NOT_CLOSED for a
 * day that is still open. */
JB_API JB_NODISCARD jb_status jb_moment_resolve(jb_views *v, const struct jb_as_of *as_of,
                                                struct jb_moment *ret, struct jb_error *err);

/*
 * Lists come in pages. What their functions have in common:
 *
 * as_of     of the first page, NULL: now. Every further page is as of the same moment, whatever was
 *           committed since: the cursor has it, and as_of is not looked at beside one
 * cursor    NULL or "" for the first page, then what `next` got
 * limit     1 to JB_PAGE_ROWS_MAX rows. What one page costs is bounded, so it may be shorter, or
 *           empty, and the list still go on. Only the first page of lots, grants or refunds of a
 *           past moment costs what the wallet's events since then do
 * each      returns false to end the page behind its row
 * next      room for JB_CURSOR_TEXT_BYTES, or NULL; gets "" at the end of the list, and only there.
 *           It may be where cursor lies
 * moment    NULL, or gets what the page is as of
 *
 * JB_E_USAGE: the limit; a cursor of another list, wallet, filter or ledger. JB_E_NOTFOUND: a
 * cursor of a moment that the log does not have (any more); a wallet that does not exist, or did
 * not then.
 */

/* It grows with its balance, which is and stays its last member. */
struct jb_wallet_balance {
    size_t size;
    uint32_t number;
    char wallet[JB_ID_BYTES_MAX + 1];
    struct jb_moment as_of;
    struct jb_balance balance;
};

/* Balance of one wallet. as_of NULL: now. JB_AS_OF_DAY is answered with the state after the last
 * event posted on or before that day, JB_E_NOTFOUND for an unknown wallet (or one that did not
 * exist then). */
JB_API JB_NODISCARD jb_status jb_balance_get(jb_views *v, struct jb_text wallet,
                                             const struct jb_as_of *as_of,
                                             struct jb_wallet_balance *ret, struct jb_error *err);
/* Every wallet in order of its number, all as of one moment. */
JB_API JB_NODISCARD jb_status jb_balance_each(jb_views *v, const struct jb_as_of *as_of,
                                              bool (*each)(void *data,
                                                           const struct jb_wallet_balance *b),
                                              void *data, struct jb_error *err);
/* The same in pages. */
JB_API JB_NODISCARD jb_status
jb_wallets_get(jb_views *v, const struct jb_as_of *as_of, const char *cursor, uint32_t limit,
               bool (*each)(void *data, const struct jb_wallet_balance *b), void *data, char *next,
               struct jb_moment *moment, struct jb_error *err);

/* Which wallets are listed: what is 0 or NULL leaves nothing out. */
struct jb_wallets_query {
    size_t size;
    uint32_t statuses;     /* 1 << enum jb_wallet_status for each that is listed */
    uint32_t kinds;        /* likewise of enum jb_wallet_kind */
    struct jb_text name;   /* that is part of the wallet's name; names stand in people.mdb alone, so
                              each is looked up there, and who is forgotten or sealed has none */
    struct jb_text master; /* the master's id */
    const jb_amount *total_min; /* total cash, both included */
    const jb_amount *total_max;
    const jb_amount *paid_min; /* paid cash, likewise: below 0 is a debt */
    const jb_amount *paid_max;
    const jb_instant *used_since;  /* whose last consumption happened at that time or later */
    const jb_instant *used_before; /* whose last consumption happened before that time; those that
                                      had none, too */
};
/* Borrowed during the call. */
struct jb_wallet_row {
    const struct jb_wallet_balance *balance;
    uint32_t kind; /* enum jb_wallet_kind */
    uint32_t reserved;
    uint64_t name;      /* reference */
    uint64_t master;    /* reference; 0: none */
    jb_instant used_at; /* when its last consumption happened; JB_NO_INSTANT: there was none */
};
/* A page of wallets in order of their numbers. query NULL: all. A page ends at the latest when it
 * has looked at 50,000 wallets, however few were listed; of a handle with a limit of time, when
 * half of that is over. So do the pages of events and histories that look at more than they list.
 */
JB_API JB_NODISCARD jb_status jb_wallets_find(
    jb_views *v, const struct jb_wallets_query *query, const struct jb_as_of *as_of,
    const char *cursor, uint32_t limit, bool (*each)(void *data, const struct jb_wallet_row *row),
    void *data, char *next, struct jb_moment *moment, struct jb_error *err);

/*
 * What a wallet has several of: lots, grants, refunds, in order of their numbers. They change with
 * events and have no posting day: JB_AS_OF_DAY is the end of that day, as recorded by then.
 */
typedef enum jb_which {
    JB_WHICH_ALL = 0, /* used-up and ended ones, too */
    JB_WHICH_OPEN = 1 /* lots and grants that have something left, as the balance counts them;
                         refunds that are requested or approved */
} jb_which;

/* What a charge or a debt repayment brought. */
struct jb_lot_row {
    const struct jb_event *event; /* charge_settled or debt_repaid; borrowed during the call */
    uint32_t number;              /* the wallet's number for it */
    jb_amount amount;
    jb_amount left;     /* not used, refunded or taken back; their sum is the wallet's paid cash */
    jb_amount reversed; /* of the charge */
    jb_amount refunded;
};
JB_API JB_NODISCARD jb_status jb_lots_get(jb_views *v, struct jb_text wallet, jb_which which,
                                          const struct jb_as_of *as_of, const char *cursor,
                                          uint32_t limit,
                                          bool (*each)(void *data, const struct jb_lot_row *row),
                                          void *data, char *next, struct jb_moment *moment,
                                          struct jb_error *err);

struct jb_grant_row {
    const struct jb_event *event; /* free_granted; borrowed during the call */
    uint32_t number;              /* the wallet's number for it */
    jb_grant_state state;         /* USED_UP where nothing is left of one in use */
    jb_amount amount;
    jb_amount left;
    jb_day expires_on; /* the last day */
    bool due; /* that is over and something is left, which no event has said yet: the balance
                 does not count it */
};
JB_API JB_NODISCARD jb_status jb_grants_get(
    jb_views *v, struct jb_text wallet, jb_which which, const struct jb_as_of *as_of,
    const char *cursor, uint32_t limit, bool (*each)(void *data, const struct jb_grant_row *row),
    void *data, char *next, struct jb_moment *moment, struct jb_error *err);

struct jb_refund_row {
    const struct jb_event *event; /* refund_requested; borrowed during the call */
    uint32_t number;              /* the wallet's number for it */
    jb_refund_state state;
    jb_amount amount;
};
/* wallet s NULL: of all, in order of number, with JB_WHICH_OPEN alone; whose a row is, the event
 * says. Such a page may be short, or empty, where the list goes on: it looks at 10,000 wallets. */
JB_API JB_NODISCARD jb_status jb_refunds_get(
    jb_views *v, struct jb_text wallet, jb_which which, const struct jb_as_of *as_of,
    const char *cursor, uint32_t limit, bool (*each)(void *data, const struct jb_refund_row *row),
    void *data, char *next, struct jb_moment *moment, struct jb_error *err);

/* One row of the cash status. Flows are gross and never negative. docs/rules.md section 6. */
struct jb_cash_row {
    jb_day day;
    jb_amount closing_total;
    jb_amount closing_paid;
    jb_amount closing_free;
#define JB_X(name) jb_amount name;
    JB_FLOWS(JB_X)
#undef JB_X
};

typedef enum jb_cash_view { JB_VIEW_POSTED = 0, JB_VIEW_KNOWN = 1 } jb_cash_view;

struct jb_cash_status {
    size_t size;
    uint32_t number;
    char wallet[JB_ID_BYTES_MAX + 1];
    jb_day through;     /* last closed day; JB_NO_DAY before the first close */
    jb_day open_day;    /* first open day, JB_NO_DAY before the first event */
    bool past_day_open; /* a day that is over (by as_of.at) is not closed yet */
    struct jb_moment as_of;
};

/* The days on which any flow is not 0, oldest first, within [from, to] (JB_NO_DAY: no bound).
 * `posted` ends at `through`, `known` shows open days too. each may be NULL. */
JB_API JB_NODISCARD jb_status jb_cash_status_get(
    jb_views *v, struct jb_text wallet, jb_cash_view view, const struct jb_as_of *as_of,
    jb_day from, jb_day to, bool (*each)(void *data, const struct jb_cash_row *row), void *data,
    struct jb_cash_status *ret, struct jb_error *err);
/* One row for every wallet on closed day `day` (wallets that did not move that day have flows of 0
 * and their closing), in order of number. JB_E_NOT_CLOSED where the day was not closed yet as of
 * as_of; what is published does not change after that. */
JB_API JB_NODISCARD jb_status jb_cash_day_each(
    jb_views *v, jb_day day, const struct jb_as_of *as_of,
    bool (*each)(void *data, const struct jb_cash_status *w, const struct jb_cash_row *row),
    void *data, struct jb_error *err);

typedef enum jb_order { JB_OLDEST_FIRST = 0, JB_NEWEST_FIRST = 1 } jb_order;

typedef enum jb_history_kind {
    JB_HISTORY_ALL = 0,
    JB_HISTORY_CHARGE = 1,      /* charge_settled, charge_reversed, debt_repaid, free_granted,
                                   _activated, _revoked, _expired, _forfeited */
    JB_HISTORY_CONSUMPTION = 2, /* cash_consumed */
    JB_HISTORY_RETURN = 3,      /* consumption_reversed */
    JB_HISTORY_REFUND = 4       /* refund_* */
} jb_history_kind;

struct jb_history_row {
    const struct jb_event *event; /* borrowed during the call */
    jb_amount effect;             /* d(e): what it did to the total */
    jb_amount balance;            /* the running total after it: sum of d up to it */
    bool late;                    /* posted_on > day(occurred_at) */
};

/* A page of a wallet's history, newest first. */
JB_API JB_NODISCARD jb_status jb_history_get(
    jb_views *v, struct jb_text wallet, jb_history_kind kind, const struct jb_as_of *as_of,
    const char *cursor, uint32_t limit, bool (*each)(void *data, const struct jb_history_row *row),
    void *data, char *next, struct jb_moment *moment, struct jb_error *err);

/* What a page of a history lists: what is 0 or NULL beside the wallet leaves nothing out. Balances
 * are those of the whole history, whatever is listed. */
struct jb_history_query {
    size_t size;
    struct jb_text wallet;
    jb_history_kind kind;
    jb_order order;
    const uint32_t *types; /* enum jb_event_type: of these types only */
    uint32_t types_n;
    uint32_t reserved;           /* 0 */
    jb_seq first;                /* from this number on */
    jb_seq last;                 /* up to this number */
    const jb_instant *since;     /* recorded at that time or later */
    const jb_instant *until;     /* recorded before that time */
    const jb_amount *amount_min; /* whose amount is at least that much */
    const jb_amount *amount_max; /* and at most that much */
};
/* A page of it, in the order that is asked for. */
JB_API JB_NODISCARD jb_status jb_history_find(
    jb_views *v, const struct jb_history_query *query, const struct jb_as_of *as_of,
    const char *cursor, uint32_t limit, bool (*each)(void *data, const struct jb_history_row *row),
    void *data, char *next, struct jb_moment *moment, struct jb_error *err);

/* Which events are listed: what is 0 or NULL leaves nothing out. */
struct jb_events_query {
    size_t size;
    struct jb_text wallet; /* s NULL: of the whole ledger */
    jb_order order;
    const uint32_t *types; /* enum jb_event_type: of these types only */
    uint32_t types_n;
    jb_seq first;            /* from this number on */
    jb_seq last;             /* up to this number */
    const jb_instant *since; /* recorded at that time or later */
    const jb_instant *until; /* recorded before that time */
    /* Of that channel: those that belong to it, not those that only name it. s NULL: of any. Not
     * beside a wallet (JB_E_USAGE). */
    struct jb_text channel;
    const jb_amount *amount_min; /* whose amount (jb_event_amount) is at least that much */
    const jb_amount *amount_max; /* and at most that much */
};
/* A page of events. query NULL: all, oldest first. A page ends at the latest when it has looked at
 * 50,000 events, however few were listed. Commands on a wallet that were refused are no events of
 * it: jb_refused_get. */
JB_API JB_NODISCARD jb_status jb_events_get(jb_views *v, const struct jb_events_query *query,
                                            const struct jb_as_of *as_of, const char *cursor,
                                            uint32_t limit,
                                            bool (*each)(void *data, const struct jb_event *event),
                                            void *data, char *next, struct jb_moment *moment,
                                            struct jb_error *err);

/*
 * The feed: the log in order from any event on, without a hole, each event with what it did and
 * what its wallet had after it. For those who keep a copy elsewhere: store the row's cursor with
 * what you make of the row, in one transaction, and go on behind it.
 */
struct jb_feed_query {
    size_t size;
    jb_seq after;          /* events behind that number; 0: from the first on */
    const char *cursor;    /* instead of it: of a row or a page; NULL or "": none */
    struct jb_text wallet; /* of this wallet only; s NULL: of all */
    uint32_t limit;        /* rows, 1 to JB_PAGE_ROWS_MAX */
    uint32_t reserved;     /* 0 */
};
/* Borrowed during the call, as what it points to. */
struct jb_feed_row {
    const struct jb_event *event;
    struct jb_text wallet;            /* id of the event's wallet; s NULL: it is of none */
    jb_amount effect;                 /* d(e): what it did to the total */
    const struct jb_balance *balance; /* of the wallet after it, as jb_balance_get has it as of the
                                         event's number; NULL: it is of none */
    bool late;                        /* posted_on > day(occurred_at) */
    const char *cursor;               /* to go on behind it */
};
struct jb_feed_page {
    size_t size;
    jb_seq through;                    /* go on behind this event */
    jb_seq head;                       /* where the log ended */
    char cursor[JB_CURSOR_TEXT_BYTES]; /* the same as through: it holds on this history only */
    uint32_t more;                     /* 1: the log has events behind it; 0: none */
    uint32_t reserved;
};
/*
 * A page of it: events that are on stable storage. A page ends before a group that it could not
 * have whole; where it has nothing else, it has all of that group, and so more rows than the limit.
 * each returns false to end the page behind its row, be that in a group. ret may be NULL. Who has
 * told all of it waits by jb_wait(l, ret->through, ...).
 *
 * Balances are folded from page to page: asked for in order, an event costs about a microsecond. A
 * wallet that the pages before did not meet is read at its place in the log, from a snapshot and at
 * most 64 events (and one for each grant) behind it; nothing is folded from the first event on,
 * where views.mdb is there.
 *
 * JB_E_USAGE: the limit, a number and a cursor, a cursor of another list or ledger. JB_E_NOTFOUND:
 * a number or a cursor behind the end of the log, a cursor of another history (the log was put back
 * to an older state), a wallet that there is not. Where a call fails half-way, what each was told
 * is right.
 */
JB_API JB_NODISCARD jb_status jb_feed_get(jb_views *v, const struct jb_feed_query *query,
                                          bool (*each)(void *data, const struct jb_feed_row *row),
                                          void *data, struct jb_feed_page *ret,
                                          struct jb_error *err);

/* clang-format off */
#define JB_CAUSES(X)                                                                                               \
    X(charged) X(charge_reversed) X(debt_repaid) X(free_activated) X(consumed) X(returned) X(expired) X(forfeited) \
    X(refunded) X(refund_failed) X(expiry_due)
/* clang-format on */
enum jb_cause {
#define JB_X(name) JB_CAUSE_##name,
    JB_CAUSES(JB_X)
#undef JB_X
        JB_CAUSES_N
};
JB_API const char *jb_cause_word(uint32_t cause);

enum { JB_CAUSE_EVENTS_MAX = 1000 };
struct jb_cause_line {
    uint32_t cause; /* enum jb_cause */
    bool late;
    jb_amount amount; /* signed */
    uint64_t events_total;
    const jb_seq *events; /* the first events_n, ascending */
    uint32_t events_n;
};

/* The identity of docs/rules.md section 6. total_now comes from the state, cash_status_total from
 * the stored row, causes from the wallet's events in the log (of more than some thousand, from sums
 * that were made of them); rest = total_now - cash_status_total - sum of causes must be 0 and is
 * not made so. */
struct jb_explanation {
    size_t size;
    uint32_t number;
    char wallet[JB_ID_BYTES_MAX + 1];
    jb_amount total_now;
    jb_amount cash_status_total;
    jb_day through; /* JB_NO_DAY before any close */
    jb_amount difference;
    const struct jb_cause_line *const *causes; /* causes[0] to causes[causes_n - 1] */
    uint32_t causes_n;
    jb_amount free_dormant; /* outside both figures */
    jb_amount refund_in_transit;
    jb_amount deposit_held;   /* reserved: always 0 */
    jb_amount refund_pending; /* inside both figures, shown beside */
    jb_amount rest;
    struct jb_moment as_of;
};
/* *ret is owned: jb_explanation_free. */
JB_API JB_NODISCARD jb_status jb_explain(jb_views *v, struct jb_text wallet,
                                         const struct jb_as_of *as_of, struct jb_explanation **ret,
                                         struct jb_error *err);
JB_API struct jb_explanation *jb_explanation_free(struct jb_explanation *e);

/*
 * Why two totals of a wallet differ. Each is asked as of a moment (NULL: now).
 *
 * PERIOD    the published closing of day `to` and that of the day before `from`: by what was posted
 *           to these days, which must be closed (JB_E_NOT_CLOSED)
 * MOMENTS   the total at as_of and that at `since`, an event or a time: by what was recorded
 *           between them. Before a wallet was made its total is 0
 * DAY       what the closed day `from` did to the total, as it is known at as_of and as it was
 *           published: by what happened on it and was posted to a later one (causes), and what was
 *           posted to it and had happened before (apart, with the other sign). It costs what the
 *           wallet's events since then do
 *
 * difference = after - before = the sum over causes and apart; rest is what is left over, must be 0
 * and is not made so.
 */
typedef enum jb_change_kind {
    JB_CHANGE_PERIOD = 1,
    JB_CHANGE_MOMENTS = 2,
    JB_CHANGE_DAY = 3
} jb_change_kind;
struct jb_change_query {
    size_t size;
    struct jb_text wallet;
    jb_change_kind kind;
    jb_day from;
    jb_day to;                    /* of PERIOD; else 0 */
    uint32_t reserved;            /* 0 */
    const struct jb_as_of *since; /* of MOMENTS; else NULL */
};
struct jb_change {
    size_t size;
    uint32_t number;
    jb_change_kind kind;
    char wallet[JB_ID_BYTES_MAX + 1];
    jb_day from; /* JB_NO_DAY where there is none */
    jb_day to;
    struct jb_moment since; /* of MOMENTS */
    jb_amount before;
    jb_amount after;
    jb_amount difference;
    const struct jb_cause_line *const *causes; /* causes[0] to causes[causes_n - 1] */
    const struct jb_cause_line *const *apart;  /* of DAY */
    uint32_t causes_n;
    uint32_t apart_n;
    jb_amount rest;
    struct jb_moment as_of;
};
/* *ret is owned: jb_change_free. */
JB_API JB_NODISCARD jb_status jb_change_get(jb_views *v, const struct jb_change_query *query,
                                            const struct jb_as_of *as_of, struct jb_change **ret,
                                            struct jb_error *err);
JB_API struct jb_change *jb_change_free(struct jb_change *change); /* NULL allowed; returns NULL */

/*
 * A page of the commands with a key on a wallet that were refused, newest first: events
 * command_refused, which stand in no history. wallet may be an id that no wallet has. *event is
 * borrowed until each returns. Refusals of version 1 do not say their wallet and are not found.
 */
JB_API JB_NODISCARD jb_status jb_refused_get(jb_views *v, struct jb_text wallet,
                                             const struct jb_as_of *as_of, const char *cursor,
                                             uint32_t limit,
                                             bool (*each)(void *data, const struct jb_event *event),
                                             void *data, char *next, struct jb_moment *moment,
                                             struct jb_error *err);

/* A page of a wallet's tax invoices, from the oldest on; month 202603, 0: of all. jb_invoice_get
 * has one with its rows. JB_E_NOTFOUND: the policy invoice_from was never set, too. */
JB_API JB_NODISCARD jb_status jb_invoices_get(
    jb_views *v, struct jb_text wallet, uint32_t month, const struct jb_as_of *as_of,
    const char *cursor, uint32_t limit, bool (*each)(void *data, const struct jb_invoice *row),
    void *data, char *next, struct jb_moment *moment, struct jb_error *err);

/*
 * A page of what is to be done (jb_due_at). Of now each page is of the moment at which it is asked
 * for: what was done since the page before is not told any more. As of a past moment all are of
 * that one: of what was due then, with the commands that would have done it. JB_AS_OF_DAY is the
 * end of that day, as recorded by then.
 */
JB_API JB_NODISCARD jb_status jb_due_get(jb_views *v, jb_due_kind kind, bool outside,
                                         const struct jb_as_of *as_of, const char *cursor,
                                         uint32_t limit,
                                         bool (*each)(void *data, const struct jb_due_item *item),
                                         void *data, char *next, struct jb_due_list *ret,
                                         struct jb_error *err);

/* What a text was found in. */
struct jb_find_row {
    const struct jb_event *event; /* borrowed during the call, as all of it */
    /* What the text is there: "charge", "grant", "usage", "refund", "wallet", "channel", "key",
     * "pg", "txn_ref", "approve_no", "search_id", "mail_order", "agency", "biz"; "invoice": its
     * number in the ledger (of its newest mail, too, and of no older one); "id" of a command
     * that was refused. what[0] to what[what_n - 1] */
    const char *const *what;
    uint32_t what_n;
    /* The wallet's number: of the event, of the command that was refused; of an event of a channel
     * that belongs to no wallet, of the one that the channel is connected with at the page's
     * moment. 0: none */
    uint32_t wallet;
    struct jb_text wallet_id; /* its id; s NULL: none */
};
/*
 * A page of the events in which a text stands in clear, newest first: as an id of a wallet, charge,
 * grant, usage, refund or channel, as a key, a gateway, its transaction or approval number, a
 * search id, a mail-order or registration number, an agency. Whole texts, byte by byte; personal
 * ones (names, notes, people) are found nowhere. What it costs grows with the log by one look for
 * each million of events. JB_E_USAGE for an empty text.
 */
JB_API JB_NODISCARD jb_status jb_find_get(jb_views *v, struct jb_text text,
                                          const struct jb_as_of *as_of, const char *cursor,
                                          uint32_t limit,
                                          bool (*each)(void *data, const struct jb_find_row *row),
                                          void *data, char *next, struct jb_moment *moment,
                                          struct jb_error *err);

/*
 * The ten questions that users ask (docs/questions.md), each answered in a sentence or a few, in
 * Korean or English: "Wallet W1 cannot be deleted yet; ...", with what it is as of and the events
 * behind it. What is asked of is now.
 */
enum { JB_QUESTIONS = 10, JB_REPLY_EVENTS_MAX = 1000 };

/* The question of that number, 1 to JB_QUESTIONS, in that language (0: English), in one sentence.
 * NULL: there is none. Static storage. */
JB_API const char *jb_question_text(uint32_t number, jb_lang lang);

struct jb_question {
    size_t size;
    uint32_t number; /* 1 to JB_QUESTIONS */
    jb_lang lang;    /* of the reply; 0: that of the handle */
    struct jb_text wallet;
    struct jb_text channel; /* of question 9: s NULL, each that the wallet is connected with; of
                               question 6: its business information; s NULL, the wallet's */
    struct jb_text charge;  /* of question 5: s NULL, the newest payment through a gateway */
    uint8_t people;         /* people by their ids where those can be read; 0: as "#7" */
    uint8_t reserved[3];    /* 0 */
    uint32_t month;         /* of question 8: 202603; 0: the newest with an invoice */
};

struct jb_reply {
    size_t size;
    uint32_t question; /* the one that is answered: of a deleted wallet 2, but for 5 and 8 */
    jb_lang lang;
    char wallet[JB_ID_BYTES_MAX + 1];
    const char *text; /* UTF-8, ends with NUL */
    struct jb_moment as_of;
    const jb_seq *events; /* behind it, ascending: where its figures come from */
    uint32_t events_n;
    uint32_t number;       /* of the wallet */
    uint64_t events_total; /* more than events_n: those are the newest */
};
/* *ret is owned: jb_reply_free. JB_E_NOTFOUND where there is no such wallet, channel or charge;
 * JB_E_USAGE for a number that is no question, a channel beside another question than 9, a charge
 * beside another than 5, a month beside another than 8. */
JB_API JB_NODISCARD jb_status jb_reply_get(jb_views *v, const struct jb_question *question,
                                           struct jb_reply **ret, struct jb_error *err);
JB_API struct jb_reply *jb_reply_free(struct jb_reply *reply); /* NULL allowed; returns NULL */

/*
 * ---- papers ----
 *
 * Receipts: which gateway a payment went through, and what its own search asks for. A ledger keeps
 * no slips: they are the gateway's.
 */
typedef enum jb_gateway {
    JB_GATEWAY_OTHER = 0,
    JB_GATEWAY_TOSS = 1,  /* pg toss, tosspayments, lgu in any case of letters */
    JB_GATEWAY_INICIS = 2 /* pg inicis, kginicis */
} jb_gateway;

/* What something may be looked up by, as bits. */
enum jb_receipt_key {
    JB_RECEIPT_APPROVE_NO = 1,
    JB_RECEIPT_EMAIL = 2, /* the one entered when paying, which the ledger does not keep */
    JB_RECEIPT_AMOUNT = 4,
    JB_RECEIPT_DAY = 8,
    JB_RECEIPT_BANK = 16, /* not kept, either, and the next */
    JB_RECEIPT_ACCOUNT = 32
};

typedef enum jb_receipt_by {
    JB_RECEIPT_BY_CARD = 1,    /* a payment by card, at the gateway */
    JB_RECEIPT_BY_ACCOUNT = 2, /* a deposit, at the gateway */
    JB_RECEIPT_BY_ISSUER = 3   /* at the card's issuer, whose slip shows it, too */
} jb_receipt_by;

/* One way to find it: all of these keys together. Final. */
struct jb_receipt_way {
    jb_receipt_by by;
    uint32_t keys; /* enum jb_receipt_key */
};

/* How a gateway's slip is taxed: the policy receipt_tax when it was paid. It is no tax invoice in
 * any case: that follows what is used. */
typedef enum jb_receipt_tax {
    JB_RECEIPT_TAX_UNSAID = 0,
    JB_RECEIPT_TAXABLE = 1,
    JB_RECEIPT_EXEMPT = 2
} jb_receipt_tax;

/* A charge or a debt repayment that went through a gateway. */
struct jb_receipt_row {
    const struct jb_event *event; /* charge_settled or debt_repaid; borrowed during the call */
    uint32_t number;              /* the wallet's number for what it brought */
    jb_gateway gateway;
    const char *site; /* where it is looked up; NULL: not known of this gateway */
    jb_day day;       /* of the payment */
    jb_amount amount;
    jb_amount reversed;                /* of a charge: taken back by whoever paid */
    jb_amount refunded;                /* paid out again by refunds */
    const struct jb_receipt_way *ways; /* ways[0] to ways[ways_n - 1], each sufficient */
    uint32_t ways_n;
    jb_receipt_tax tax;
    const char *text; /* all that in a sentence or a few, in the language of the handle */
};
/* A page of them in the order in which they came, as of a moment. What went through no gateway
 * (operator's credits, too) is not listed. */
JB_API JB_NODISCARD jb_status jb_receipts_get(
    jb_views *v, struct jb_text wallet, const struct jb_as_of *as_of, const char *cursor,
    uint32_t limit, bool (*each)(void *data, const struct jb_receipt_row *row), void *data,
    char *next, struct jb_moment *moment, struct jb_error *err);

/*
 * A statement: a wallet's closed days from one to another. Opening and closing are those of the
 * cash status; between them stands each event that moved money of the total, in order of its
 * posting day, with the balance after it.
 */
struct jb_statement_row {
    const struct jb_event *event; /* borrowed during the call */
    jb_amount effect;             /* on the total */
    jb_amount balance;            /* the total after it */
    bool late;                    /* posted_on > day(occurred_at) */
};
/* It grows with its flows, which are and stay its last members. */
struct jb_statement {
    size_t size;
    uint32_t number;
    char wallet[JB_ID_BYTES_MAX + 1];
    jb_day from, to;
    uint64_t rows;           /* how many were read; of the statement that `each` gets 0 */
    struct jb_moment as_of;  /* closed days do not change: the same at any later moment */
    jb_amount opening_total; /* at the end of the day before */
    jb_amount opening_paid;
    jb_amount opening_free;
    jb_amount closing_total; /* at the end of the last day */
    jb_amount closing_paid;
    jb_amount closing_free;
/* Sums of the days between them. */
#define JB_X(name) jb_amount name;
    JB_FLOWS(JB_X)
#undef JB_X
};
/* each NULL: no rows are read; false ends them. JB_E_NOT_CLOSED where a day up to `to` was not
 * closed as of as_of; JB_E_NOTFOUND where the wallet was made later than `to`; JB_E_CORRUPT where
 * the events of a day do not come to its closing. What is read is the wallet's events of these
 * days. */
JB_API JB_NODISCARD jb_status jb_statement_get(jb_views *v, struct jb_text wallet, jb_day from,
                                               jb_day to, const struct jb_as_of *as_of,
                                               bool (*each)(void *data,
                                                            const struct jb_statement *statement,
                                                            const struct jb_statement_row *row),
                                               void *data, struct jb_statement *ret,
                                               struct jb_error *err);

/*
 * A tax month of a wallet: what was consumed of paid cash and debt and what came back of it, by the
 * document that each row stands in.
 *
 *     net = invoiced + uninvoiced + outside + unsettled
 *     net = consumed_paid - returned + returned_free + open - other_months + elsewhere
 *
 * The first says which papers there are; the second, why it is not what the cash status has of the
 * month's days.
 */
struct jb_report {
    size_t size;
    uint32_t number;
    uint32_t month; /* 202603 */
    char wallet[JB_ID_BYTES_MAX + 1];
    jb_day from, to;    /* the month's days */
    jb_day through;     /* the last of them that is closed; JB_NO_DAY: none is */
    uint32_t documents; /* failed ones included */
    uint32_t counted;   /* 1: documents are made of this month; else of none of its rows */
    uint64_t rows;      /* of the month, each once */
    struct jb_moment as_of;
    jb_amount net;        /* of all rows */
    jb_amount invoiced;   /* the totals of its documents that did not fail, */
    jb_amount vat;        /* and their VAT */
    jb_amount uninvoiced; /* rows in no document yet; of a month that is not counted all of them */
    jb_amount outside;    /* rows that a paper elsewhere stands for (ISSUED_TWICE) */
    jb_amount unsettled;  /* of corrections whose other half is missing */
    jb_amount consumed_paid; /* the cash status of the days up to `through`, */
    jb_amount returned;      /* which has no difference between what comes back as paid cash, */
    jb_amount returned_free; /* and as free cash: of `returned` */
    jb_amount open;          /* rows posted to days of the month that are not closed */
    jb_amount other_months;  /* posted to the month's days, of other tax months */
    jb_amount elsewhere;     /* of the month, posted to other months' days */
};
/* Each document, row NULL, and behind it the rows that it adds up to, from the oldest on; those of
 * one that failed are in none of it. At the end, document NULL, the rows that are in none. each
 * NULL: no rows are told; false ends it. What they add up to is known before the first is told: all
 * of report. JB_E_NOTFOUND where the wallet was made later than the month's last day; JB_E_CORRUPT
 * where the rows of a document do not come to its total, or the two sums above to net. What is read
 * is the wallet's events from the month's first day to its newest row, and of a month that is not
 * counted to the moment asked for. */
JB_API JB_NODISCARD jb_status jb_report_get(jb_views *v, struct jb_text wallet, uint32_t month,
                                            const struct jb_as_of *as_of,
                                            bool (*each)(void *data, const struct jb_report *report,
                                                         const struct jb_invoice *document,
                                                         const struct jb_invoice_row *row),
                                            void *data, struct jb_report *ret,
                                            struct jb_error *err);

/* What a ledger owes and is owed over all its wallets. */
struct jb_ledger_totals {
    size_t size;
    uint32_t wallets;         /* those that are not deleted */
    uint32_t wallets_in_debt; /* those whose paid cash is below 0 */
    struct jb_moment as_of;
    jb_amount paid; /* sum of paid cash above 0 */
    jb_amount debt; /* sum of paid cash below 0, as a positive figure */
    jb_amount free;
    jb_amount free_dormant;
    jb_amount held; /* reserved: always 0 */
    jb_amount refund_in_transit;
    jb_day from, to;        /* the twelve months, both included; they end with as_of's day.
                               JB_NO_DAY before the first event that has a time */
    jb_amount charged_12m;  /* charged in them less reversed, by posting day */
    jb_amount credited_12m; /* of it the operator's credits: ADMIN_CASH, ADV_RET_CASH */
};
/* It looks at every wallet, and at every event of these twelve months. */
JB_API JB_NODISCARD jb_status jb_ledger_totals_get(jb_views *v, const struct jb_as_of *as_of,
                                                   struct jb_ledger_totals *ret,
                                                   struct jb_error *err);

/* Free cash that is about to lapse. */
struct jb_expiring_row {
    const char *wallet;           /* its id; borrowed during the call, as the event */
    const struct jb_event *event; /* free_granted */
    jb_grant_state state;         /* DORMANT or IN_USE */
    jb_amount left;
    jb_day expires_on; /* the last day */
    uint32_t days;     /* until that day; 0: it is today */
};
/* A page of the grants with something left whose last day is at most `days` days away, of one
 * wallet (s NULL: of all, in order of number). JB_AS_OF_DAY is the end of that day, as recorded by
 * then. */
JB_API JB_NODISCARD jb_status jb_expiring_get(
    jb_views *v, struct jb_text wallet, uint32_t days, const struct jb_as_of *as_of,
    const char *cursor, uint32_t limit, bool (*each)(void *data, const struct jb_expiring_row *row),
    void *data, char *next, struct jb_moment *moment, struct jb_error *err);

struct jb_views_stat {
    size_t size;
    jb_seq stored_seq; /* what views.mdb includes */
    uint32_t version;
    uint64_t rows;
    uint64_t file_bytes;
};
JB_API JB_NODISCARD jb_status jb_views_stat_get(jb_views *v, struct jb_views_stat *ret,
                                                struct jb_error *err);

#ifdef __cplusplus
}
#endif

#endif
