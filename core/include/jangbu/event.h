/*
 * jangbu/event.h -- the events of the log: what happened, for ever.
 *
 * The table of types is core/event/events.def: numbers, fields and versions are on disk and never
 * change. One struct carries any type; which members mean something is said by the type's row
 * (jb_event_type_info).
 */
#ifndef JANGBU_EVENT_H
#define JANGBU_EVENT_H

#include <jangbu/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum jb_event_type {
    JB_EV_LEDGER_CREATED = 1,
    JB_EV_POLICY_SET = 2,
    JB_EV_WALLET_CREATED = 3,
    JB_EV_WALLET_RENAMED = 4,
    JB_EV_WALLET_TURNED_OFF = 5,
    JB_EV_WALLET_TURNED_ON = 6,
    JB_EV_WALLET_SUSPENDED = 7,
    JB_EV_SUSPENSION_LIFTED = 8,
    JB_EV_WALLET_DELETED = 9,
    JB_EV_CHARGE_SETTLED = 10,
    JB_EV_CHARGE_REVERSED = 11,
    JB_EV_DEBT_REPAID = 12,
    JB_EV_FREE_GRANTED = 13,
    JB_EV_FREE_ACTIVATED = 14,
    JB_EV_FREE_REVOKED = 15,
    JB_EV_FREE_EXPIRED = 16,
    JB_EV_FREE_FORFEITED = 17,
    JB_EV_CASH_CONSUMED = 18,
    JB_EV_CONSUMPTION_REVERSED = 19,
    JB_EV_REFUND_REQUESTED = 20,
    JB_EV_REFUND_CANCELLED = 21,
    JB_EV_REFUND_REJECTED = 22,
    JB_EV_REFUND_APPROVED = 23,
    JB_EV_REFUND_COMPLETED = 24,
    JB_EV_REFUND_FAILED = 25,
    JB_EV_DAY_CLOSED = 26,
    JB_EV_COMMAND_REFUSED = 27,
    JB_EV_TYPES = 28 /* one above the largest */
} jb_event_type;

/* Added to the type of a skippable event whose version is newer than this library: its fields are
 * not known here. */
#define JB_EV_UNKNOWN_VERSION (UINT32_C(1) << 24)

/* Where money came from or went to. The numbers are on disk (ordinal * 4 + kind). */
typedef enum jb_part_kind {
    JB_PART_DEBT = 0,
    JB_PART_LOT = 1,   /* paid cash of the wallet's lot `ordinal` */
    JB_PART_GRANT = 2, /* free cash of the wallet's grant `ordinal` */
    JB_PART_LAPSED =
        3 /* free cash that came back to grant `ordinal` after its deadline and lapsed at once */
} jb_part_kind;

struct jb_part {
    uint32_t kind;    /* enum jb_part_kind */
    uint32_t ordinal; /* 0 for debt */
    jb_amount amount; /* > 0 */
};

/* A named figure that explains a refusal. The numbers of names are on disk (given by hand, never
 * reused). */
typedef enum jb_figure_name {
    JB_FIG_VERSION = 1,
    JB_FIG_STATUS = 2, /* enum jb_wallet_status */
    JB_FIG_AVAILABLE = 3,
    JB_FIG_REFUNDABLE = 4,
    JB_FIG_DEBT = 5,
    JB_FIG_LEFT = 6,
    JB_FIG_MIN_CHARGE = 7,
    JB_FIG_LIMIT = 8,
    JB_FIG_GRANT_STATE = 9,   /* enum jb_grant_state; printed "state" */
    JB_FIG_REFUND_STATE = 10, /* enum jb_refund_state; printed "state" */
    JB_FIG_EXPIRES_ON = 11,   /* a day */
    JB_FIG_GRANTS_MAX = 12,
    JB_FIG_NOW = 13, /* an instant */
    JB_FIG_BEHIND_US = 14,
    JB_FIG_RECORDED_AT = 15, /* an instant */
    JB_FIG_FIRST_OPEN_DAY = 16,
    JB_FIG_DAYS = 17,
    JB_FIG_EMPTY_DAYS_MAX = 18,
    JB_FIG_SEQ = 19,
    JB_FIG_NOT_OFF = 20,            /* unmet condition of a deletion: a wallet status */
    JB_FIG_PAID_NOT_ZERO = 21,      /* likewise: paid cash */
    JB_FIG_REFUND_OUTSTANDING = 22, /* likewise: how many refunds */
    /* 23 to 43 are reserved */
    JB_FIG_PARTS_MAX = 44, /* how many parts an event has at most */
    JB_FIG_MOST = 45,      /* the amount that goes at once */
    JB_FIG_AHEAD_US = 46,  /* how far the clock is ahead of the last event */
    JB_FIG_DAYS_MAX = 47,  /* value of clock_ahead_max or at_back_max */
    JB_FIG_NAMES = 48      /* one above the largest */
} jb_figure_name;

struct jb_figure {
    uint32_t name; /* enum jb_figure_name */
    int64_t value;
};

typedef enum jb_wallet_status {
    JB_WALLET_ACTIVE = 1,
    JB_WALLET_OFF = 2,
    JB_WALLET_SUSPENDED = 3,
    JB_WALLET_DELETED = 4
} jb_wallet_status;

typedef enum jb_grant_state {
    JB_GRANT_DORMANT = 1,
    JB_GRANT_IN_USE = 2, /* remaining 0: used up */
    JB_GRANT_EXPIRED = 3,
    JB_GRANT_REVOKED = 4,
    JB_GRANT_FORFEITED = 5,
    JB_GRANT_USED_UP = 6 /* only as a figure: stored as IN_USE with nothing left */
} jb_grant_state;

typedef enum jb_refund_state {
    JB_REFUND_REQUESTED = 1,
    JB_REFUND_APPROVED = 2,
    JB_REFUND_COMPLETED = 3,
    JB_REFUND_REJECTED = 4,
    JB_REFUND_CANCELLED = 5,
    JB_REFUND_FAILED = 6
} jb_refund_state;

/* The control totals of a closed day, over all wallets, in the order in which they stand in
 * day_closed. */
/* clang-format off */
#define JB_TOTALS(X)                                                                                                  \
    X(charged) X(charge_reversed) X(free_activated) X(consumed_paid) X(consumed_free) X(returned) X(refunded)         \
    X(refund_failed) X(debt_repaid) X(expired) X(forfeited) X(dormant_granted) X(dormant_expired) X(dormant_revoked)  \
    X(dormant_forfeited) X(closing_paid) X(closing_free) X(closing_dormant) X(refund_in_transit) X(events) X(wallets) \
    X(last_seq)
/* clang-format on */

enum jb_total_name {
#define JB_X(name) JB_TOTAL_##name,
    JB_TOTALS(JB_X)
#undef JB_X
        JB_TOTALS_N
};

/* A 128-bit two's complement integer, big endian: a sum over a ledger may exceed 64 bits. */
struct jb_int128 {
    uint8_t be[16];
};

/* Flags of an event's envelope. The numbers are on disk. */
enum jb_event_flag {
    JB_EVF_VERSION = 1 << 0,    /* the type's schema version is not 1 and stands there */
    JB_EVF_UNRECORDED = 1 << 1, /* written by init: no recorded_at, no posted_on */
    JB_EVF_OCCURRED = 1 << 2,   /* occurred_at is not recorded_at */
    JB_EVF_POSTED = 1 << 3,     /* posted_on is not day(recorded_at) */
    JB_EVF_KEY = 1 << 4,        /* idempotency key, caller, fingerprint */
    JB_EVF_ACTOR = 1 << 5,      /* reference to the actor's id, role */
    JB_EVF_NOTE = 1 << 6,       /* reference to a note */
    JB_EVF_CAUSE = 1 << 7,      /* the event that led to this one */
    JB_EVF_GROUP = 1 << 8, /* last event of an atomic group: how many events and commands it has */
    JB_EVF_SKIPPABLE = 1 << 9, /* a reader that does not know the type may skip it */
    JB_EVF_ALL = (1 << 10) - 1
};

/* One event. Texts, parts and figures are borrowed: the function that fills it says for how long.
 */
struct jb_event {
    jb_seq seq;
    uint32_t type; /* enum jb_event_type; may be a number that this version does not know where
                      flags has SKIPPABLE */
    uint32_t version;
    uint32_t flags;         /* enum jb_event_flag */
    uint32_t wallet;        /* internal wallet number, from 1; 0: the event belongs to no wallet */
    jb_seq prev;            /* the wallet's event before this one; 0: none */
    jb_instant recorded_at; /* JB_NO_INSTANT where UNRECORDED */
    jb_instant occurred_at;
    jb_day posted_on; /* JB_NO_DAY where UNRECORDED */
    struct jb_text key;
    struct jb_text caller;
    uint64_t fingerprint;
    uint64_t actor; /* reference into people.mdb, 0: none */
    struct jb_text role;
    uint64_t note; /* reference into people.mdb, 0: none */
    jb_seq cause;
    uint32_t group_events;
    uint32_t group_commands;

    /* Fields; the row of the type in events.def says which of them it uses, and by what name. */
    struct jb_text id; /* wallet, charge, grant, usage, refund; currency */
    uint32_t ordinal;  /* the wallet's number for this lot, grant or refund */
    uint32_t code;  /* kind, method, origin, reason, scope, why, policy, code of a refusal; 0/1 of
                       in_use */
    uint32_t code2; /* op of a refused command; exponent of the currency */
    jb_amount amount;
    jb_amount amount2;  /* applied_to_debt */
    int64_t number;     /* value of a policy; UTC offset; index of a group's member + 1 */
    jb_seq ref_seq;     /* the consumption */
    jb_seq ref_seq2;    /* the reversal before */
    jb_day day;         /* expires_on; the day closed */
    jb_instant time;    /* `from` of a policy */
    uint64_t text_ref;  /* name, reason: reference into people.mdb, 0: none */
    uint64_t text_ref2; /* master */
    struct jb_text pg;
    struct jb_text txn_ref;
    struct jb_text approve_no;
    uint8_t ledger_id[16];
    const struct jb_part *parts;
    uint32_t parts_n;
    uint32_t figures_n;
    const struct jb_figure *figures;
    const struct jb_int128 *totals; /* JB_TOTALS_N of them, in day_closed */
};

/* How a field is stored and printed. */
typedef enum jb_field_kind {
    JB_FK_TEXT = 1,    /* struct jb_text, never none */
    JB_FK_OPT_TEXT,    /* struct jb_text or none */
    JB_FK_ORDINAL,     /* uint32_t, from 1 */
    JB_FK_UINT,        /* uint32_t */
    JB_FK_AMOUNT,      /* jb_amount, > 0 */
    JB_FK_AMOUNT0,     /* jb_amount, >= 0 */
    JB_FK_INT,         /* int64_t */
    JB_FK_NAME,        /* uint32_t, one of `names` */
    JB_FK_BOOL,        /* uint32_t, 0 or 1 */
    JB_FK_REF,         /* uint64_t, reference into people.mdb, 0: none */
    JB_FK_SEQ,         /* jb_seq */
    JB_FK_DAY,         /* jb_day */
    JB_FK_OPT_INSTANT, /* jb_instant or JB_NO_INSTANT */
    JB_FK_ID16,        /* 16 bytes */
    JB_FK_SPLIT, /* parts of a consumption: free, then paid, then debt; they add up to `amount` */
    JB_FK_PARTS_FROM, /* parts, money going out */
    JB_FK_PARTS_TO,   /* parts, money coming back */
    JB_FK_FIGURES,
    JB_FK_TOTALS
} jb_field_kind;

/* Words for numbers: words[i] is that of the number i; NULL where the number is not given. */
struct jb_names {
    const char *const *words;
    uint32_t n;
};

struct jb_field_info {
    const char *name;
    jb_field_kind kind;
    size_t offset;                /* in struct jb_event */
    const struct jb_names *names; /* for JB_FK_NAME */
};

struct jb_event_type_info {
    const char *name; /* "charge_settled" */
    uint32_t version; /* the newest schema version, the one that is written */
    uint32_t fields_n;
    const struct jb_field_info *fields; /* in the order in which they stand in the event */
    const char *meaning;
};

/* The row of a type, or NULL for a number that this version does not know. Static storage. */
JB_API const struct jb_event_type_info *jb_event_type_get(uint32_t type);

/* The word for a number, or NULL; and back: false where there is no such word. */
JB_API const char *jb_name_word(const struct jb_names *names, uint32_t number);
JB_API JB_NODISCARD bool jb_name_number(const struct jb_names *names, const char *word, size_t n,
                                        uint32_t *ret);

JB_API extern const struct jb_names jb_wallet_kind_names, jb_wallet_status_names, jb_method_names,
    jb_origin_names, jb_reason_names, jb_scope_names, jb_failure_names, jb_policy_names,
    jb_grant_state_names, jb_refund_state_names;
/* How figure `name` is called in JSON. */
JB_API const char *jb_figure_word(uint32_t name);
JB_API const char *jb_total_word(uint32_t name);

/* Effect of an event on "paid + all grants in use": d(e) of the rules (docs/rules.md section 6). 0
 * for most types. */
JB_API jb_amount jb_event_effect(const struct jb_event *e);

#ifdef __cplusplus
}
#endif

#endif
