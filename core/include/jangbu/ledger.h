/*
 * jangbu/ledger.h -- a ledger: commands in, events appended, events read.
 *
 * A ledger is a directory. log.mdb is the log and the only thing that must survive; people.mdb and
 * secret beside it hold what may be forgotten and what guards content; state.mdb and views.mdb can
 * be deleted at any time.
 *
 * Before the first call: not on a network file system; never copy a live ledger with cp (jb_backup
 * does it); a handle does not survive fork (calls in the child give JB_E_USAGE); opening one
 * directory twice in a process is safe and shares.
 *
 * A jb_ledger may be used by many threads at once. A jb_cursor and a jb_answers are used by one at
 * a time.
 */
#ifndef JANGBU_LEDGER_H
#define JANGBU_LEDGER_H

#include <jangbu/command.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct jb_ledger jb_ledger;
typedef struct jb_answers jb_answers;
typedef struct jb_cursor jb_cursor;

struct jb_init_options {
    size_t size;
    const char *currency; /* ISO 4217, three capitals; NULL: "KRW" */
    /* Digits after the decimal point, 0..6, and seconds east of UTC, whole minutes within +-18 h:
     * each with a switch, because 0 is a value of both. JB_E_USAGE for one that is set without it.
     */
    int32_t exponent;
    int32_t utc_offset_s;
    uint8_t utc_offset_given; /* 0: +09:00 */
    uint8_t exponent_given;   /* 0: that of the currency; JB_E_USAGE where ISO 4217 has none */
    uint8_t reserved[6];      /* 0 */
    jb_lang lang;             /* of what it says when it fails; 0: English */
    uint8_t reserved_too[4];  /* 0 */
    /* people.mdb is sealed, and its key is made there. NULL: it is not; but where roles are asked
     * it is, with its key beside the directory, by its name with ".key" behind it. */
    const char *key_file;
    /* Roles are asked from the beginning, by the matrix of that number; 0: they are not. Somebody
     * has to be able to give them: JB_E_USAGE without an operator. */
    const char *operator_id; /* the id of the first person with that role; NULL: none */
    uint32_t roles;
    uint8_t reserved_3[4]; /* 0 */
    /* The first month whose consumption gets tax invoices, 202603. 0: all months of a ledger in
     * KRW, none in another currency. */
    uint32_t invoice_from;
    uint8_t reserved_4[4]; /* 0 */
};

/* No invoices (until policy.set begins with them), and those of all months. */
enum { JB_INVOICE_FROM_NONE = 1, JB_INVOICE_FROM_ALL = 101 };

/* Makes an empty ledger in directory dir, which is made, or exists and is empty. JB_E_EXISTS where
 * there is one, or a key file of that name; JB_E_KEY where a key file cannot be made there. */
JB_API JB_NODISCARD jb_status jb_init(const char *dir, const struct jb_init_options *opts,
                                      struct jb_error *err);

struct jb_open_options {
    size_t size;
    uint8_t read_only;    /* never writes to the log; jb_submit gives JB_E_READONLY */
    const char *caller;   /* scope of idempotency keys, at most 32 bytes; NULL: "" */
    int64_t lock_wait_us; /* longest wait for the writer lock without progress by any caller of
                             this handle, then JB_E_BUSY; 0: 10 s; INT64_MAX: for ever */
    /* The system's clock for recorded_at, in microseconds; NULL: CLOCK_REALTIME. The library asks
     * for the time nowhere else. JB_E_USAGE beyond the days that can be closed, 0001-01-01 to
     * 9999-12-30 at the ledger's offset. It may ask the ledger; a jb_submit on the handle that it
     * is asked by is JB_E_USAGE. */
    jb_instant (*now)(void *data);
    void *now_data;
    uint8_t accept_rollback; /* go on although a store or HEAD shows that the log was longer once */
    uint8_t accept_clock;    /* the clock is right, however far it is ahead of the last event */
    uint8_t reserved[6];     /* 0, here and in other structs: room that is looked at */
    const char *key_file; /* where the key of a sealed people.mdb lies; NULL: beside the directory,
                             by its name with ".key" behind it */
    jb_lang lang;         /* of all that the handle says, what opening it says included; 0:
                             English */
    uint8_t reserved_too[4]; /* 0 */
};

/*
 * Opens the ledger in dir. opts may be NULL. Opening costs the same whatever the log's length
 * (beside a bounded tail). On a read-only file system it opens read-only by itself. *ret is owned:
 * jb_close. Without the key of a
 * sealed people.mdb it opens: names and notes are sealed then, and jb_submit gives JB_E_KEY.
 * JB_E_NOTFOUND (no such directory, or no log in it), JB_E_FORMAT (not a ledger, or of a
 * newer version), JB_E_CORRUPT, JB_E_ROLLBACK, JB_E_IO, JB_E_NOMEM.
 */
JB_API JB_NODISCARD jb_status jb_open(const char *dir, const struct jb_open_options *opts,
                                      jb_ledger **ret, struct jb_error *err);

/* Writes behind what is due and releases l. No other call on l may be running (jb_wait_end lets
 * those come to an end that wait). Cursors and projections of l are best closed before; calls on
 * those that are not give JB_E_USAGE, and their files stay open until they are closed. NULL is
 * allowed. Returns NULL: `l = jb_close(l);` */
JB_API jb_ledger *jb_close(jb_ledger *l);

/* What never changes about a ledger. Any thread. */
struct jb_ledger_info {
    size_t size;
    char currency[4];
    uint32_t exponent;
    int32_t utc_offset_s;
    uint8_t ledger_id[16];
    bool read_only;
    const char *dir;  /* from the root on; borrowed until jb_close */
    bool rolled_back; /* open for reading only, and HEAD or state.mdb knew a longer log: it was put
                         back to an older state, and what is read is that state's */
    const char *warning; /* about the place where the ledger lies, for its operator: a file system
                            that may be one of a network; NULL: none. Static */
    bool secret_lost; /* the file `secret` is missing or damaged: repeated keys are answered without
                         a comparison of the content, and new events have no fingerprint */
    bool secret_damaged; /* secret_lost, and there is a file: cut short, changed, or another's */
    bool head_damaged; /* the file HEAD was damaged when the ledger was opened: whether the log was
                          put back to an older state was not looked at */
    uint8_t reserved[5];  /* 0 */
    const char *key_file; /* where the key of a sealed people.mdb is looked for; NULL: it is not
                             sealed. Borrowed until jb_close */
    bool sealed; /* there is no usable key: names and notes cannot be read, nothing be written */
    uint8_t reserved_too[7]; /* 0 */
    /* Why there is no usable key, in one sentence, as jb_submit says it; "" where there is one. */
    char sealed_why[JB_ERROR_TEXT_BYTES];
};
/* JB_E_USAGE where ret->size is 0. */
JB_API JB_NODISCARD jb_status jb_info_get(const jb_ledger *l, struct jb_ledger_info *ret,
                                          struct jb_error *err);

/* A set of answers and the memory they point to; reused from call to call without allocation. */
JB_API JB_NODISCARD jb_answers *jb_answers_new(void); /* NULL: no memory. Owned: jb_answers_free */
JB_API jb_answers *jb_answers_free(jb_answers *set);  /* NULL allowed; returns NULL */
JB_API size_t jb_answers_count(const jb_answers *set);
/* Borrowed until set is used again or freed: no text of a command of that call may lie there
 * (JB_E_USAGE). NULL where there is no answer i. */
JB_API const struct jb_answer *jb_answers_at(const jb_answers *set, size_t i);

typedef enum jb_clock_mode {
    JB_CLOCK_SYSTEM = 0,
    JB_CLOCK_AT = 1 /* each command's `clock`, or its `at`, is the ledger's clock: imports, tests */
} jb_clock_mode;

struct jb_submit_options {
    size_t size;
    jb_clock_mode clock;
    uint8_t dry_run;      /* decide, show, write nothing */
    const char *caller;   /* NULL: that of jb_open */
    uint8_t accept_clock; /* as that of jb_open, for this call */
    uint8_t reserved[7];  /* 0 */
    jb_lang lang; /* of the answers' messages and of what the call says; 0: that of jb_open. A
                     repeated command is answered in the language of its repetition */
    uint8_t reserved_too[4]; /* 0 */
};

/*
 * Decides n independent commands in order, which lie one behind the other as their `size` says,
 * each against what the ones before it left, and appends their events. A command of op JB_OP_ATOMIC
 * is a group: all of it or nothing. When it returns JB_OK every answer that says DONE is on stable
 * storage. Callers that arrive together are committed together. opts may be NULL.
 *
 * *ret_done (may be NULL) says how many answers are final when the call fails half-way: the first
 * *ret_done commands were carried out and stay, the rest are JB_NOT_DONE (or JB_UNKNOWN after
 * JB_E_UNKNOWN). JB_E_USAGE for one of the commands is said before any of them is carried out.
 * JB_E_KEY for a `forget` (people.mdb is in clear, or its key file cannot be replaced) when those
 * before it are done.
 * JB_E_BUSY, JB_E_READONLY, JB_E_FULL, JB_E_IO, JB_E_UNKNOWN, JB_E_CORRUPT,
 * JB_E_NOMEM, JB_E_USAGE.
 */
JB_API JB_NODISCARD jb_status jb_submit(jb_ledger *l, const struct jb_command *commands, size_t n,
                                        const struct jb_submit_options *opts, jb_answers *answers,
                                        size_t *ret_done, struct jb_error *err);

/* The way back where nobody is left who can give a role: person becomes an operator, and the event
 * says that it was done by who can write the ledger's files (RECOVERED). The answer is that of a
 * role.give. As jb_submit of one command. */
JB_API JB_NODISCARD jb_status jb_operator_recover(jb_ledger *l, struct jb_text person,
                                                  jb_answers *answers, struct jb_error *err);

/* Where the log ends, in a snapshot of now. */
struct jb_head {
    size_t size;
    jb_seq seq;
    jb_instant recorded_at; /* of the last event that has one; JB_NO_INSTANT before the first */
    uint8_t chain[16];
};
JB_API JB_NODISCARD jb_status jb_head_get(jb_ledger *l, struct jb_head *ret, struct jb_error *err);
/* For a thread that must not stand still, before it asks something of now that needs no
 * projections (a balance, who, what one may do): JB_OK where it finds nobody else in its way (this
 * waits for 0.2 ms at most) and at most so many events of the log's tail to fold; else JB_E_BUSY,
 * and another thread is to ask. It folds nothing itself. jb_views_ready is for all other queries.
 */
JB_API JB_NODISCARD jb_status jb_ledger_ready(jb_ledger *l, uint64_t events, struct jb_error *err);

/*
 * Waits until the log ends behind event `after`: JB_OK. JB_END when timeout_us microseconds are
 * over: 0 looks once, INT64_MAX is as long as you like, less than 0 is JB_E_USAGE. In both cases
 * *ret_end (may be NULL) is the number of the last event. Whoever commits, in whatever process,
 * wakes it; where the file `lock` cannot be used it looks every 4 ms. Nothing is missed in between,
 * for it is the number that counts:
 *
 *     while ((status = jb_cursor_next(c, &e, &err)) == JB_OK) { ... last = e->seq; }
 *     if (status == JB_END) { status = jb_wait(l, last, INT64_MAX, NULL, &err); }
 *
 * Any thread, with a handle for reading, too. It keeps no snapshot while it waits; an open cursor
 * keeps none behind JB_END. JB_E_USAGE after jb_wait_end. Else JB_E_IO, JB_E_BUSY and the like: the
 * log cannot be read.
 */
JB_API JB_NODISCARD jb_status jb_wait(jb_ledger *l, jb_seq after, int64_t timeout_us,
                                      jb_seq *ret_end, struct jb_error *err);
/* Ends every jb_wait on l with JB_E_USAGE, those that begin later, too, whatever the log holds; all
 * other calls go on. Any thread: call it, join the threads that wait, then jb_close. NULL is
 * allowed. */
JB_API void jb_wait_end(jb_ledger *l);

/* The sequence number of the last event recorded at or before t (init's events count as recorded
 * before everything). */
JB_API JB_NODISCARD jb_status jb_seq_at_time(jb_ledger *l, jb_instant t, jb_seq *ret,
                                             struct jb_error *err);

/* Reads events from number `from` (1 or more) on, in order, including those appended later. *ret is
 * owned: jb_cursor_close. An open cursor keeps the log's map in use. Where address space is limited
 * (ulimit -v) that map is small and grows with the log, which no open cursor of the process allows:
 * jb_submit then fails with JB_E_BUSY after 2 s, and nothing is done. Elsewhere it never has to. */
JB_API JB_NODISCARD jb_status jb_cursor_open(jb_ledger *l, jb_seq from, jb_cursor **ret,
                                             struct jb_error *err);
/* *ret is borrowed until the next call on c. JB_END: nothing more yet; jb_wait waits for more, and
 * another call gives it. */
JB_API JB_NODISCARD jb_status jb_cursor_next(jb_cursor *c, const struct jb_event **ret,
                                             struct jb_error *err);
/* The event with that number. JB_E_NOTFOUND beyond the end. *ret is borrowed until the next call on
 * c. jb_cursor_next goes on where it was. */
JB_API JB_NODISCARD jb_status jb_cursor_at(jb_cursor *c, jb_seq seq, const struct jb_event **ret,
                                           struct jb_error *err);
/* The stored bytes of the event last returned, exactly as in the log. Borrowed likewise. */
JB_API struct jb_text jb_cursor_bytes(const jb_cursor *c);
/* Lets the cursor's snapshot of the log go, before something that may take long: pages that the
 * ledger no longer needs are used again only when no snapshot has them. What jb_cursor_next gave is
 * no longer to be used; the next call goes on at the same place. */
JB_API void jb_cursor_rest(jb_cursor *c);
/* Before jb_close or after it. NULL is allowed. Returns NULL. */
JB_API jb_cursor *jb_cursor_close(jb_cursor *c);

/* Number of a wallet, and its id. JB_E_NOTFOUND where there is no such wallet. id needs room for
 * JB_ID_BYTES_MAX bytes. */
JB_API JB_NODISCARD jb_status jb_wallet_number(jb_ledger *l, struct jb_text id, uint32_t *ret,
                                               struct jb_error *err);
JB_API JB_NODISCARD jb_status jb_wallet_id(jb_ledger *l, uint32_t number, char *id, size_t *ret_n,
                                           struct jb_error *err);

/*
 * The caller's id of the object that e (an event of this ledger) refers to: the one in e, or that
 * of the charge, grant, refund or usage that e names by number. *ret_n = 0 where there is none. id
 * needs room for JB_ID_BYTES_MAX bytes.
 */
JB_API JB_NODISCARD jb_status jb_event_id(jb_ledger *l, const struct jb_event *e, char *id,
                                          size_t *ret_n, struct jb_error *err);

/* Number of a channel, and its id. JB_E_NOTFOUND where there is no such channel. id needs room for
 * JB_ID_BYTES_MAX bytes. */
JB_API JB_NODISCARD jb_status jb_channel_number(jb_ledger *l, struct jb_text id, uint64_t *ret,
                                                struct jb_error *err);
JB_API JB_NODISCARD jb_status jb_channel_id(jb_ledger *l, uint64_t number, char *id, size_t *ret_n,
                                            struct jb_error *err);

/*
 * What stands around the money (docs/rules.md section 10), now: up to event seq, at time at. `each`
 * of these functions is called when the snapshot has been let go, and may be NULL. It returns false
 * to stop. JB_E_NOTFOUND where there is no such wallet or channel.
 */

/* Somebody, or something, that is there. Borrowed during the call of each. Final. */
struct jb_who_row {
    uint32_t role; /* enum jb_role; NONE: who is only invited, and a channel */
    uint32_t reserved;
    uint64_t person;        /* reference; 0: it is a channel */
    struct jb_text channel; /* its id */
    jb_seq seq;             /* the event that made it so */
    jb_instant from;
    jb_instant until; /* of an invitation: from when on it is too late. JB_NO_INSTANT */
};

/* Who has to do with a wallet: of a deleted one nobody. */
struct jb_who {
    size_t size;
    uint32_t number;
    uint32_t status; /* enum jb_wallet_status */
    uint32_t kind;   /* enum jb_wallet_kind */
    uint32_t settlement;
    jb_amount limit; /* how far a postpaid wallet may go below 0 */
    uint64_t master; /* reference; 0: none */
    uint32_t members;
    uint32_t invited; /* whose time is not over */
    uint32_t channels;
    uint32_t reserved;
    uint64_t email;      /* where invoices are mailed to: reference; 0: nowhere */
    jb_seq agency_since; /* the event that gave it the sales right */
    char wallet[JB_ID_BYTES_MAX + 1];
    char agency[JB_ID_BYTES_MAX + 1]; /* that has the sales right; "": none */
    jb_seq seq;
    jb_instant at;
    jb_instant agency_from; /* the time of agency_since; JB_NO_INSTANT: none */
};
/* Rows: the master, members, the invited, channels that it is connected with; each from the oldest
 * on. */
JB_API JB_NODISCARD jb_status jb_who_get(jb_ledger *l, struct jb_text wallet,
                                         bool (*each)(void *data, const struct jb_who_row *row),
                                         void *data, struct jb_who *ret, struct jb_error *err);

enum { JB_MAIL_ORDER_BYTES_MAX = 40 * 8 * 4 };
struct jb_channel_info {
    size_t size;
    uint64_t number;
    uint32_t kind; /* enum jb_channel_kind */
    uint32_t staff;
    uint64_t master;      /* reference */
    jb_seq version;       /* its last event */
    jb_seq search_id_seq; /* the event that set its search id; 0: none */
    jb_instant closed;    /* JB_NO_INSTANT: it is not */
    uint32_t wallet_no;   /* it is connected with; 0: none */
    uint32_t reserved;
    char channel[JB_ID_BYTES_MAX + 1];
    char wallet[JB_ID_BYTES_MAX + 1];
    char search_id[48];                           /* "": none */
    char biz[12];                                 /* registration number; "": none was approved */
    char mail_order[JB_MAIL_ORDER_BYTES_MAX + 1]; /* "": none */
    jb_seq seq;
    jb_instant at;
    jb_seq mail_order_seq; /* the event that set its mail-order number, or took it away; 0: none */
};
/* Rows: its master and its managers, from the oldest on. */
JB_API JB_NODISCARD jb_status jb_channel_get(jb_ledger *l, struct jb_text channel,
                                             bool (*each)(void *data, const struct jb_who_row *row),
                                             void *data, struct jb_channel_info *ret,
                                             struct jb_error *err);

/* A record of business information: what was asked for. Final. */
struct jb_biz_record {
    jb_seq request; /* 0: there is none */
    jb_seq base;    /* the approval of that number that was in force then; 0: none */
    char biz[12];   /* registration number */
    uint8_t stale;  /* another approval came after it was asked: it cannot be approved any more */
    uint8_t reserved[3];
    uint64_t name; /* references */
    uint64_t representative;
    uint64_t address;
};

struct jb_biz {
    size_t size;
    uint32_t wallet_no; /* whose it is; */
    uint32_t reserved;
    uint64_t channel_no; /* one of the two is 0 */
    char number[12];     /* of the holder, for ever; "": none was approved */
    char holder[JB_ID_BYTES_MAX + 1];
    jb_seq fixed;                 /* the approval that fixed it */
    jb_seq approved;              /* the newest approval of that number, whoever asked; 0: none */
    struct jb_biz_record record;  /* that was approved with it: what is shown */
    struct jb_biz_record pending; /* the holder's open request */
    jb_seq seq;
    jb_instant at;
};
/* Of a wallet, or of a channel: the other one's s is NULL. Its history is that of the events
 * biz_requested, biz_approved and biz_refused (jb_events_get). */
JB_API JB_NODISCARD jb_status jb_biz_get(jb_ledger *l, struct jb_text wallet,
                                         struct jb_text channel, struct jb_biz *ret,
                                         struct jb_error *err);

typedef enum jb_may_answer {
    JB_MAY_YES = 0,
    JB_MAY_ROLE = 1,  /* the person has no role that carries it */
    JB_MAY_STATE = 2, /* the wallet's state does not allow it, or the channel is closed */
    JB_MAY_KIND = 3   /* it is not for wallets, or channels, of that kind */
} jb_may_answer;

struct jb_may {
    size_t size;
    uint32_t number; /* of the wallet */
    uint32_t matrix; /* the one that roles are asked by; 0: none, the ledger trusts */
    uint64_t actor;  /* reference; 0: nobody knows such a person */
    uint32_t roles;  /* that the person has there: bits 1 << enum jb_role */
    uint32_t reserved;
    jb_seq seq;
    jb_instant at;
};
/* What a person may do to a wallet, for each cell of the matrix (of matrix 1 where the ledger
 * trusts). channel (s NULL: none): the one that the commands would name; roles in it count only
 * then. Of SELF: as if the command were about the person himself. It says no where the command
 * would be refused for a role, for the state of the wallet, because the channel is closed, or for a
 * kind; what depends on persons, ids, money and connections is not looked at. */
JB_API JB_NODISCARD jb_status jb_may_get(jb_ledger *l, struct jb_text wallet, struct jb_text actor,
                                         struct jb_text channel,
                                         bool (*each)(void *data, const struct jb_permission *cell,
                                                      jb_may_answer answer),
                                         void *data, struct jb_may *ret, struct jb_error *err);

/* A condition of a deletion. Final. */
struct jb_condition {
    uint32_t name; /* enum jb_figure_name */
    uint8_t met;
    uint8_t has_figure;
    uint8_t reserved[2];
    int64_t figure;
    uint32_t remedy;         /* enum jb_op: what helps next; 0: nothing is to be done */
    uint32_t remedy_who;     /* who may: bits 1 << enum jb_role */
    jb_amount remedy_amount; /* 0: none */
    uint32_t other;          /* enum jb_op: what helps as well, and ends otherwise; 0: nothing */
    uint32_t other_who;
};

enum { JB_CONDITIONS_MAX = 16 };
struct jb_can_delete {
    size_t size;
    uint32_t number;
    uint32_t status; /* enum jb_wallet_status */
    uint8_t can_delete;
    uint8_t reserved[3];
    uint32_t conditions_n; /* of a deleted wallet: 0 */
    jb_amount forfeits;    /* free cash that would lapse with it */
    struct jb_condition conditions[JB_CONDITIONS_MAX];
    char wallet[JB_ID_BYTES_MAX + 1];
    jb_seq seq;
    jb_instant at;
    uint32_t papers; /* tax months, documents and slices that JB_FIG_UNINVOICED counts */
    jb_day
        uninvoiced_from; /* the first day on which one of the months can be invoiced; JB_NO_DAY */
    jb_day uninvoiced_all_from; /* and on which all of them can */
    uint32_t reserved_too;      /* 0 */
};
/* Whether a wallet.delete by its master would be done, and what is in its way. */
JB_API JB_NODISCARD jb_status jb_can_delete_get(jb_ledger *l, struct jb_text wallet,
                                                struct jb_can_delete *ret, struct jb_error *err);

/* A tax invoice (docs/rules.md section 15). */
struct jb_invoice {
    size_t size;
    uint64_t invoice;  /* its number in the ledger */
    uint64_t original; /* the one that it goes with, takes back or stands for; 0: none */
    jb_seq seq;        /* its event */
    uint32_t wallet_no;
    uint32_t kind;   /* enum jb_invoice_kind */
    uint32_t reason; /* enum jb_invoice_reason */
    uint32_t month;  /* 202603 */
    uint32_t state;  /* enum jb_invoice_state */
    uint32_t why;    /* enum jb_invoice_why; 0: it did not fail */
    jb_day written_on;
    uint32_t in_force; /* 1: it is the one that stands for its rows */
    jb_amount total;   /* VAT included */
    jb_amount vat;
    jb_seq after;                /* its rows are those of its month behind this event, */
    jb_seq through;              /* up to this one */
    jb_seq business;             /* the approval that it shows, */
    struct jb_biz_record record; /* and its record */
    uint64_t email;              /* reference; 0: there was no address */
    char wallet[JB_ID_BYTES_MAX + 1];
    char approve_no[JB_SHORT_BYTES_MAX + 1];    /* the tax office's; "": none */
    char outside_ref[JB_TXN_REF_BYTES_MAX + 1]; /* the paper elsewhere; "": none */
    jb_seq ended;                               /* the event that confirmed or failed it; 0: none */
    jb_instant issued_at;
    jb_instant ended_at; /* JB_NO_INSTANT */
    uint32_t mails;      /* how many there were; of the newest: */
    uint32_t mail;       /* enum jb_mail_result; 0: none */
    jb_seq mailed;       /* its event */
    jb_instant mailed_at;
    uint64_t mail_email; /* reference */
};

/* Which documents. */
struct jb_invoices_query {
    size_t size;
    struct jb_text wallet;
    uint32_t month; /* 202603; 0: of all months */
    uint32_t limit; /* rows; 0: all */
    uint64_t after; /* behind the one of that number */
    jb_seq seq;     /* as of that event; 0: now */
};
/* A wallet's tax invoices, from the oldest on. *ret_next: the number behind which the list goes on;
 * 0: that was all. row is borrowed during the call of each. jb_invoices_get has pages and moments.
 * JB_E_NOTFOUND: there is no such wallet, or was none then, or the policy invoice_from was never
 * set. */
JB_API JB_NODISCARD jb_status jb_invoices_at(jb_ledger *l, const struct jb_invoices_query *query,
                                             bool (*each)(void *data, const struct jb_invoice *row),
                                             void *data, uint64_t *ret_next, struct jb_error *err);

/* A row of an invoice. Borrowed during the call of each. Final. */
struct jb_invoice_row {
    jb_seq seq;         /* of a cash_consumed or a consumption_reversed */
    jb_seq consumption; /* of a return: what came back; 0: it is none */
    struct jb_text usage;
    jb_amount amount; /* paid cash and debt; below 0: a return, and the reverse in a NEGATIVE */
    jb_instant occurred_at;
    jb_day posted_on;
    uint32_t reserved;
};
/* One invoice, by its number, as of the event seq (0: now), and the rows that it adds up to, from
 * the oldest on. JB_E_NOTFOUND: there is none of that number. */
JB_API JB_NODISCARD jb_status jb_invoice_get(jb_ledger *l, uint64_t invoice, jb_seq seq,
                                             bool (*each)(void *data,
                                                          const struct jb_invoice_row *row),
                                             void *data, struct jb_invoice *ret,
                                             struct jb_error *err);

enum jb_due_what {
    JB_DUE_COMMAND = 1, /* it would be accepted now */
    JB_DUE_BLOCKED = 2, /* something is in the way of it */
    JB_DUE_OUTSIDE = 3  /* something is to be done elsewhere; the command tells how it went */
};

/* Something that is to be done. Borrowed during the call of each. Of JB_DUE_OUTSIDE the op says
 * what is told when it is done: invoice.confirm (or invoice.fail), invoice.mail; invoice.email
 * where the document cannot be mailed, because no address is set or those that are can be read no
 * more. */
struct jb_due_item {
    size_t size;
    uint32_t what;  /* enum jb_due_what */
    uint32_t op;    /* enum jb_op */
    uint32_t month; /* of invoice.issue */
    uint32_t why; /* what is in the way: enum jb_code; 0 where the document `invoice` failed and the
                   * business information is as it was */
    jb_day day;   /* of day.close: through it; JB_NO_DAY */
    uint32_t late; /* 1: the 10th, until which it is to be done, is over */
    char wallet[JB_ID_BYTES_MAX + 1];
    char grant[JB_ID_BYTES_MAX + 1];
    char key[JB_DUE_KEY_BYTES]; /* that the command is to carry */
    uint64_t invoice;           /* document; 0: none */
    uint32_t address;  /* of invoice.email: why there is no address to mail the document to (enum
                        * jb_person_why); JB_WHY_NONE: none was ever set */
    uint32_t reserved; /* 0 */
};
/* Which of it. */
typedef enum jb_due_kind {
    JB_DUE_ALL = 0,
    JB_DUE_DAY = 1,     /* day.close */
    JB_DUE_INVOICE = 2, /* invoice.issue, and what is to be done elsewhere about documents */
    JB_DUE_NOTICE = 3   /* notice.send */
} jb_due_kind;
/* A place in the list; 0, 0: its beginning, and its end. */
struct jb_due_place {
    uint64_t at, more;
};
struct jb_due_query {
    size_t size;
    uint32_t kind;    /* enum jb_due_kind */
    uint32_t outside; /* 1: documents to transmit and to mail, too */
    uint32_t limit;   /* items; 0: all */
    uint32_t reserved;
    struct jb_due_place after;
    jb_seq seq;    /* as of that event; 0: now */
    jb_instant at; /* with seq: what the clock said; before the event was recorded: that time */
};
struct jb_due_list {
    size_t size;
    uint32_t commands, blocked, outside; /* how many of each were told */
    jb_day today;                        /* JB_NO_DAY before the first event that has a time */
    jb_seq seq;
    jb_instant at;
};
/*
 * What is to be done: day.close, and nothing else while a day is over and open; else invoice.issue
 * by wallet and month, notice.send by the grants' last days, and what is to be done elsewhere by
 * document. *ret_next: where the list goes on; with a limit it looks at a bounded number of
 * wallets, too, so there may be fewer items than that, or none. What is done between two calls is
 * not told by the second. jb_due_get has pages and moments. JB_E_NOTFOUND: the policy invoice_from
 * was not set.
 *
 * As of a past event the log is folded up to there once for calls that follow each other: the
 * handle keeps that state until it is asked about an earlier event, or closed.
 */
JB_API JB_NODISCARD jb_status jb_due_at(jb_ledger *l, const struct jb_due_query *query,
                                        bool (*each)(void *data, const struct jb_due_item *item),
                                        void *data, struct jb_due_list *ret,
                                        struct jb_due_place *ret_next, struct jb_error *err);

/* The name that a wallet has now. *ret_n = 0 with JB_OK where it is forgotten or sealed,
 * JB_E_NOTFOUND where there is no such wallet, JB_E_CORRUPT where it is damaged: no figure is. buf
 * needs room for JB_PERSON_TEXT_BYTES. */
JB_API JB_NODISCARD jb_status jb_wallet_name(jb_ledger *l, struct jb_text wallet, char *buf,
                                             size_t *ret_n, struct jb_error *err);

/* The personal text behind a reference. *ret_n = 0 with JB_OK where it is forgotten or sealed,
 * JB_E_CORRUPT where it is damaged. buf needs room
 * for JB_PERSON_TEXT_BYTES. */
JB_API JB_NODISCARD jb_status jb_person_text(jb_ledger *l, uint64_t ref, char *buf, size_t *ret_n,
                                             struct jb_error *err);

/* Why there is no text behind a reference. */
typedef enum jb_person_why {
    JB_WHY_NONE = 0,      /* there is one */
    JB_WHY_FORGOTTEN = 1, /* whom it was about is forgotten, or people.mdb is lost */
    JB_WHY_SEALED = 2,    /* the key is not there */
    JB_WHY_LOST = 3       /* it is damaged, or was never in this people.mdb */
} jb_person_why;
/* The same, and what became of it: JB_OK also where *ret_n is 0, and *ret_why says why. */
JB_API JB_NODISCARD jb_status jb_person_get(jb_ledger *l, uint64_t ref, char *buf, size_t *ret_n,
                                            jb_person_why *ret_why, struct jb_error *err);
/* "forgotten". Never NULL; a number that it does not know is "other". */
JB_API const char *jb_person_why_word(jb_person_why why);

/* As jb_wallet_name, and what became of it where *ret_n is 0. */
JB_API JB_NODISCARD jb_status jb_wallet_name_get(jb_ledger *l, struct jb_text wallet, char *buf,
                                                 size_t *ret_n, jb_person_why *ret_why,
                                                 struct jb_error *err);

/* What people.mdb says of itself. */
struct jb_people_stat {
    size_t size;
    uint32_t layout; /* 1: texts in clear; 2: sealed; 0: there is no such file */
    bool sealed;     /* layout 2, and the key is not there */
    bool unfinished; /* somebody was forgotten, or the key changed, and that is not at its end */
    bool older;      /* than the log: it does not know all references that the log names */
    uint64_t epoch;  /* of the key; what follows is of layout 2 */
    uint64_t owners; /* people, wallets and businesses whose texts can be read */
    uint64_t forgotten;
    uint64_t lost;        /* owners whose keys are damaged; 0 where sealed */
    jb_seq done;          /* events up to here have forgotten in every copy whom they forgot */
    const char *key_file; /* where it is looked for; NULL in layout 1. Borrowed until jb_close */
};
/* It looks at each owner. */
JB_API JB_NODISCARD jb_status jb_people_stat_get(jb_ledger *l, struct jb_people_stat *ret,
                                                 struct jb_error *err);

/*
 * Seals the people.mdb of the ledger in dir, which nobody else has open, and writes that down in
 * the log. The key is made at opts->key_file (NULL: beside the directory). Old copies of people.mdb
 * keep what they have, in clear, and so do blocks of the disk that are no longer used. Repeated
 * keys of commands from before are answered without a comparison of the content. JB_E_USAGE where
 * it is sealed already; JB_E_BUSY where others have it open; JB_E_KEY; JB_E_EXISTS: there is such
 * a key file.
 */
JB_API JB_NODISCARD jb_status jb_people_encrypt(const char *dir, const struct jb_open_options *opts,
                                                struct jb_error *err);
/* Another key in the place of the one in use; nobody is forgotten. Others may write meanwhile.
 * JB_E_KEY where there is no key, or its file cannot be replaced. */
JB_API JB_NODISCARD jb_status jb_people_rotate(jb_ledger *l, struct jb_error *err);
/* Goes on with a people.mdb that is older than the log: what it does not have is lost, and ids that
 * are only there become those of somebody new. */
JB_API JB_NODISCARD jb_status jb_people_accept(jb_ledger *l, struct jb_error *err);

struct jb_ledger_stat {
    size_t size;
    jb_seq events;
    uint64_t frames;
    uint32_t wallets; /* in existence; deleted ones not counted */
    uint32_t wallets_deleted;
    uint64_t
        log_bytes; /* all pages of log.mdb's tree times the page size, as mdb_stat counts them */
    uint64_t log_file_bytes;
    jb_instant recorded_at;
    jb_day open_day;       /* first open day; JB_NO_DAY before the first command */
    jb_day closed_through; /* JB_NO_DAY before the first close */
    jb_seq stored_seq;     /* what state.mdb includes */
    uint64_t keys;         /* idempotency keys remembered */
    uint8_t chain[16];
};
JB_API JB_NODISCARD jb_status jb_ledger_stat_get(jb_ledger *l, struct jb_ledger_stat *ret,
                                                 struct jb_error *err);

/* The value of a policy (enum jb_policy) that is in force at the last event's recorded_at.
 * JB_E_NOTFOUND for a number that this version does not know. */
JB_API JB_NODISCARD jb_status jb_policy_get(jb_ledger *l, uint32_t policy, int64_t *ret,
                                            struct jb_error *err);

/*
 * Copies the ledger to directory dest (made; must not exist or be empty) while it is in use:
 * log.mdb and people.mdb by LMDB's own compacting copy, secret byte for byte. on_progress may be
 * NULL; it is called with bytes done and to do.
 */
JB_API JB_NODISCARD jb_status jb_backup(jb_ledger *l, const char *dest, jb_progress on_progress,
                                        void *data, struct jb_error *err);

#ifdef __cplusplus
}
#endif

#endif
