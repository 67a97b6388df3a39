/* Queries: the table that docs/json.md has, a query read from JSON, and its answer. */
#ifndef JANGBU_QUERIES_H
#define JANGBU_QUERIES_H

#include <jangbu/projections.h>

#include "out.h"
#include "parse.h"

/* Types of events that are asked for; n 0: all. */
struct event_types {
    uint32_t n;
    uint32_t at[JB_EV_TYPES];
};
/* The type of that name; 0: there is none. */
uint32_t event_type_called(const char *s, size_t n);
/* The type that a name which is none may mean; NULL: none. */
const char *event_type_near(const char *s, size_t n);

/* A bound of an amount. */
struct amount_bound {
    jb_amount amount;
    uint8_t given;
};
/* NULL: there is none. */
static inline const jb_amount *
bound_of(const struct amount_bound *b)
{
    return b->given != 0 ? &b->amount : NULL;
}

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
    MEMBER_OBJECT  /* a JSON object, to be read by another table */
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

/* What is asked of. */
struct asked {
    jb_ledger *ledger;
    jb_views *views;
    int32_t utc_offset_s;
};

enum query_kind {
    QUERY_BALANCE,
    QUERY_CASH_STATUS,
    QUERY_CASH_DAY,
    QUERY_HISTORY,
    QUERY_REFUSED,
    QUERY_FIND,
    QUERY_WALLETS,
    QUERY_CHARGES,
    QUERY_LOTS,
    QUERY_GRANTS,
    QUERY_REFUNDS,
    QUERY_EVENTS,
    QUERY_FEED,
    QUERY_EXPLAIN,
    QUERY_RECEIPTS,
    QUERY_STATEMENT,
    QUERY_REPORT,
    QUERY_TOTALS,
    QUERY_EXPIRING,
    QUERY_WHO,
    QUERY_MAY,
    QUERY_ROLES,
    QUERY_CHANNEL,
    QUERY_BIZ,
    QUERY_CAN_DELETE,
    QUERY_ANSWER,
    QUERY_INVOICES,
    QUERY_INVOICE,
    QUERY_DUE,
    QUERY_LOG,
    QUERY_STAT,
    QUERY_INFO,
    QUERY_HEAD,
    QUERY_WAIT,
    QUERY_POLICIES,
    QUERY_PEOPLE,
    QUERY_COMMANDS,
    QUERY_QUERIES,
    QUERIES
};

/* Of grants about to lapse, unless it is said. */
#define QUERY_DAYS 30

/* Of a reply, in the order of the words. */
enum query_lang { QUERY_LANG_EN, QUERY_LANG_KO, QUERY_LANG_OF_HANDLE };

struct query {
    enum query_kind kind;
    struct jb_text wallet;
    struct jb_text channel;
    struct jb_text actor;
    struct jb_as_of as_of; /* all 0: now */
    uint32_t view;         /* enum jb_cash_view */
    uint32_t type;         /* enum jb_history_kind */
    jb_day day, from_day, to_day;
    struct jb_text cursor; /* ends with NUL */
    struct event_types types;
    struct jb_as_of since, until; /* of events; all 0: no bound */
    uint64_t from, limit, after, timeout_us;
    uint8_t people;
    uint8_t open;  /* lots, grants, refunds: those that are */
    bool not_open; /* open was given as false: not even where it is true unless given */
    uint8_t newest_first;
    uint64_t question;
    uint32_t lang; /* enum query_lang */
    struct jb_text charge;
    uint32_t month; /* 202603; 0: none */
    uint64_t invoice;
    uint8_t outside;
    uint32_t due;                /* enum jb_due_kind */
    struct jb_text text;         /* that is to be found */
    struct jb_text name, master; /* of wallets */
    uint32_t statuses, kinds;    /* 1 << number */
    struct amount_bound total_min, total_max, paid_min, paid_max;
    struct jb_as_of used_since, used_before; /* all 0: no bound */
    struct amount_bound amount_min, amount_max;
    uint8_t oldest_first;
    uint32_t flow; /* 1 + enum of JB_FLOWS; 0: any */
    uint64_t days;
};

/* A query of that kind in which nothing is given yet. */
struct query query_of(enum query_kind kind);
/* Its texts lie in the pool until that is reset. False: bad says why. */
bool query_from_json(struct json_pool *pool, const char *text, size_t n, struct query *ret,
                     struct bad_line *bad);
/* What `explain` asks for beside why the total is not the cash status's: false, nothing. since may
 * have to be borrowed from q. JB_E_USAGE where it is half, or more than one thing. */
jb_status change_asked(const struct query *q, struct jb_change_query *ret, bool *ret_asked,
                       struct jb_error *err);
/* Writes one line, or of a list one for each of it. What is written before a failure is to be
 * thrown away. */
jb_status query_answer(const struct asked *a, const struct query *q, struct out *o,
                       struct jb_error *err);
/* A day is over and not closed: judged by the wall clock. */
bool past_day_open(const struct jb_ledger_stat *s, int32_t utc_offset_s);
/* The number of the word of a kind of what is due. False: it is none. */
bool due_kind_called(const char *word, uint32_t *ret);
/* The table, for the query "queries". */
void queries_json(struct out *o);
/* The same for programs: a query, and a member that queries have. NULL beyond the last. */
struct query_info {
    const char *name;
    uint64_t required, optional; /* MEMBER(i) of each */
    bool lines;                  /* the answer is a list: a line for each of it */
};
const struct query_info *query_info_get(unsigned kind);
const struct member_row *query_member_get(unsigned i);
/* The kind of the query of that name; QUERIES: there is none. */
enum query_kind query_called(const char *name, size_t n);
/*
 * A member under its name as JSON, read from a text as addresses have it: ?limit=10, ?open=true,
 * ?types=wallet_created,charge_settled. What is none of its kind is written as a text: reading the
 * query says so. False: queries have no such member.
 */
bool query_member_json(struct out *o, struct jb_text name, struct jb_text value);
const char *member_kind_word(enum member_kind kind);
#endif
