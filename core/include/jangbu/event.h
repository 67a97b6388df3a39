/*
 * jangbu/event.h -- the events of the log: what happened, for ever.
 *
 * The table of types is core/event/events.def: numbers, fields and versions are on disk and never
 * change. One struct carries any type: the envelope, which all types have, and at its end the
 * payload of its own type, whose members have the names that jb_event_type_get gives.
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
    JB_EV_ROLE_GIVEN = 28,
    JB_EV_ROLE_TAKEN = 29,
    JB_EV_MEMBER_INVITED = 30,
    JB_EV_MEMBER_JOINED = 31,
    JB_EV_MEMBER_LEFT = 32,
    JB_EV_MASTER_TRANSFERRED = 33,
    JB_EV_CHANNEL_CREATED = 34,
    JB_EV_CHANNEL_STAFFED = 35,
    JB_EV_CHANNEL_CONNECTED = 36,
    JB_EV_CHANNEL_DISCONNECTED = 37,
    JB_EV_SEARCH_ID_SET = 38,
    JB_EV_MAIL_ORDER_SET = 39,
    JB_EV_CHANNEL_CLOSED = 40,
    JB_EV_BIZ_REQUESTED = 41,
    JB_EV_BIZ_APPROVED = 42,
    JB_EV_BIZ_REFUSED = 43,
    JB_EV_INVOICE_EMAIL_SET = 44,
    JB_EV_SALES_REQUESTED = 45,
    JB_EV_SALES_ACCEPTED = 46,
    JB_EV_SALES_REFUSED = 47,
    JB_EV_SALES_RELEASED = 48,
    JB_EV_SETTLEMENT_CHANGED = 49,
    JB_EV_FORGOTTEN = 50,
    JB_EV_PEOPLE_ENCRYPTED = 51,
    /* 52 to 78 are not given yet */
    JB_EV_NOTICE_SENT = 79,
    JB_EV_INVOICE_ISSUED = 80,
    JB_EV_INVOICE_CONFIRMED = 81,
    JB_EV_INVOICE_FAILED = 82,
    JB_EV_INVOICE_MAILED = 83,
    JB_EV_TYPES = 84 /* one above the largest */
} jb_event_type;

/* Added to the type of a skippable event whose version is newer than this library: its fields are
 * not known here. */
enum { JB_EV_UNKNOWN_VERSION = 1 << 24 };

/* Where money came from or went to. The numbers are on disk (ordinal * 4 + kind). */
typedef enum jb_part_kind {
    JB_PART_DEBT = 0,
    JB_PART_LOT = 1,   /* paid cash of the wallet's lot `ordinal` */
    JB_PART_GRANT = 2, /* free cash of the wallet's grant `ordinal` */
    JB_PART_LAPSED =
        3 /* free cash that came back to grant `ordinal` after its deadline and lapsed at once */
} jb_part_kind;

/* Final, as everything that stands in arrays. */
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
    JB_FIG_HAVE = 23,               /* roles as judged: a set, bit 1 << enum jb_role */
    JB_FIG_HAVE_NOW = 24,           /* roles now: likewise */
    JB_FIG_WHO = 25,                /* the roles that may: likewise */
    JB_FIG_KIND = 26,               /* enum jb_wallet_kind */
    JB_FIG_KINDS = 27,              /* those that may: a set, bit 1 << enum jb_wallet_kind */
    JB_FIG_PERSON_STATE = 28,       /* enum jb_person_state; printed "state" */
    JB_FIG_UNTIL = 29,              /* an instant */
    JB_FIG_MEMBERS_MAX = 30,
    JB_FIG_WALLETS = 31,
    JB_FIG_CHANNELS = 32,
    JB_FIG_ROLES = 33,
    JB_FIG_CHANNEL_STATE = 34, /* enum jb_channel_state; printed "state" */
    JB_FIG_CHANNEL_KIND = 35,  /* enum jb_channel_kind */
    JB_FIG_BIZ_STATE = 36,     /* enum jb_biz_state; printed "state" */
    JB_FIG_SALES_STATE = 37,   /* enum jb_sales_state; printed "state" */
    JB_FIG_POSTPAID_LIMIT = 38,
    JB_FIG_SALES_RIGHT = 39, /* unmet condition of a deletion: the event that gave the right */
    JB_FIG_POSTPAID = 40,    /* likewise: the limit */
    JB_FIG_UNINVOICED = 41,  /* likewise: consumption without an invoice */
    /* 42 and 43 are reserved for conditions to come */
    JB_FIG_PARTS_MAX = 44,     /* how many parts an event has at most */
    JB_FIG_MOST = 45,          /* the amount that goes at once */
    JB_FIG_AHEAD_US = 46,      /* how far the clock is ahead of the last event */
    JB_FIG_DAYS_MAX = 47,      /* value of clock_ahead_max or at_back_max */
    JB_FIG_INVOICE = 48,       /* number of a document */
    JB_FIG_INVOICE_STATE = 49, /* enum jb_invoice_state; printed "state" */
    JB_FIG_NAMES = 50          /* one above the largest */
} jb_figure_name;

/* Final. */
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

/* The flows of a day, in the order in which they stand on disk, later ones at the end: what a daily
 * row has of one wallet and day_closed over all wallets. Gross and never negative (docs/rules.md
 * section 6). */
/* clang-format off */
#define JB_FLOWS(X)                                                                                \
    X(charged) X(charge_reversed) X(free_activated) X(consumed_paid) X(consumed_free) X(returned)  \
    X(refunded) X(refund_failed) X(debt_repaid) X(expired) X(forfeited)
/* The control totals of a closed day, over all wallets, in the order in which they stand in
 * day_closed: the first 22 until the ledger's first invoice, all of them from it on. held to
 * closing_held are reserved, and 0. */
#define JB_TOTALS(X)                                                                               \
    JB_FLOWS(X)                                                                                    \
    X(dormant_granted) X(dormant_expired) X(dormant_revoked) X(dormant_forfeited) X(closing_paid)  \
    X(closing_free) X(closing_dormant) X(refund_in_transit) X(events) X(wallets) X(last_seq)       \
    X(held) X(released) X(held_returned) X(closing_held) X(invoiced) X(invoiced_vat)
/* clang-format on */

enum jb_total_name {
#define JB_X(name) JB_TOTAL_##name,
    JB_TOTALS(JB_X)
#undef JB_X
        JB_TOTALS_N
};
/* No total. The number is that of JB_TOTALS_N in 0.1.0, which programs of that version compare
 * with; what stands there now (held) and behind it is not the total of a move. */
enum { JB_TOTAL_NONE = 22 };

/* A 128-bit two's complement integer, big endian: a sum over a ledger may exceed 64 bits. Final.
 */
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
    JB_EVF_CHANNEL = 1 << 10,  /* the channel that the command named: a mention, in no chain */
    /* 1 << 11 is reserved */
    JB_EVF_SUBJECT = 1 << 12, /* what the event belongs to beside its wallet, or without one */
    JB_EVF_ALL = ((1 << 11) - 1) | JB_EVF_SUBJECT
};

/* What an event can belong to that is no wallet. The numbers are on disk (number * 8 + kind). */
typedef enum jb_subject_kind {
    JB_SUBJECT_NONE = 0,
    JB_SUBJECT_CHANNEL = 1,
    JB_SUBJECT_CAMPAIGN = 2,
    JB_SUBJECT_GATEWAY = 3,
    JB_SUBJECT_PERSON = 4,
    JB_SUBJECT_KINDS = 5 /* one above the largest */
} jb_subject_kind;
#define JB_SUBJECT_NUMBER_MAX (UINT64_MAX / 8)

/* Why a refund failed. The numbers are on disk. */
typedef enum jb_failure {
    JB_FAILURE_BALANCE = 1,       /* not covered when it was to be approved: nothing moved */
    JB_FAILURE_AFTER_APPROVAL = 2 /* it did not reach the customer: the money is back */
} jb_failure;

/* What a person may be: of a wallet, of a channel, of the whole ledger. The numbers are on disk;
 * sets of roles are bits 1 << number. */
typedef enum jb_role {
    JB_ROLE_NONE = 0,
    JB_ROLE_MASTER = 1,         /* of a wallet */
    JB_ROLE_MEMBER = 2,         /* of a wallet */
    JB_ROLE_CHANNEL_MASTER = 3, /* of a channel */
    JB_ROLE_MANAGER = 4,        /* of a channel */
    JB_ROLE_AGENCY = 5,         /* staff of an agency */
    JB_ROLE_OPERATOR = 6,       /* of the ledger, as the next two */
    JB_ROLE_GATEWAY = 7,
    JB_ROLE_SYSTEM = 8,
    JB_ROLE_SELF = 9, /* whoever the command is about */
    JB_ROLES = 10     /* one above the largest */
} jb_role;

/* How a role of the ledger was given. */
typedef enum jb_how {
    JB_HOW_GIVEN = 1,
    JB_HOW_INIT = 2,     /* by init */
    JB_HOW_RECOVERED = 3 /* by who can write the files, after all operators were locked out */
} jb_how;

/* Why somebody is a member, or invited, no more. */
typedef enum jb_left {
    JB_LEFT_LEFT = 1,
    JB_LEFT_REMOVED = 2,
    JB_LEFT_DECLINED = 3, /* the invited person said no */
    JB_LEFT_WITHDRAWN = 4 /* the invitation was taken back */
} jb_left;

typedef enum jb_channel_kind { JB_CHANNEL_BASIC = 1, JB_CHANNEL_BUSINESS = 2 } jb_channel_kind;

typedef enum jb_settlement { JB_SETTLEMENT_PREPAID = 1, JB_SETTLEMENT_POSTPAID = 2 } jb_settlement;

/* What a person is to a wallet, a channel or the ledger: the figure of refusals. */
typedef enum jb_person_state {
    JB_PERSON_NONE = 1,
    JB_PERSON_INVITED = 2,
    JB_PERSON_LAPSED = 3, /* invited, and the time is over */
    JB_PERSON_MEMBER = 4,
    JB_PERSON_MASTER = 5,
    JB_PERSON_MANAGER = 6,
    JB_PERSON_CHANNEL_MASTER = 7,
    JB_PERSON_HOLDS = 8 /* the role of the ledger, or of the agency's staff */
} jb_person_state;

typedef enum jb_channel_state {
    JB_CHANNEL_FREE = 1,
    JB_CHANNEL_CONNECTED = 2, /* with the wallet */
    JB_CHANNEL_ELSEWHERE = 3, /* with another wallet */
    JB_CHANNEL_CLOSED = 4
} jb_channel_state;

typedef enum jb_biz_state {
    JB_BIZ_NONE = 1,
    JB_BIZ_PENDING = 2,
    JB_BIZ_STALE = 3, /* asked against an approval that is no longer the newest */
    JB_BIZ_HELD = 4
} jb_biz_state;

typedef enum jb_sales_state {
    JB_SALES_NONE = 1,
    JB_SALES_REQUESTED = 2,
    JB_SALES_HELD = 3
} jb_sales_state;

/* Tax invoices (docs/rules.md section 15). The numbers are on disk. */
typedef enum jb_invoice_kind {
    JB_INVOICE_ORIGINAL = 1,
    JB_INVOICE_DELTA = 2,    /* what came to its month after the last one */
    JB_INVOICE_NEGATIVE = 3, /* takes another back, whole */
    JB_INVOICE_CORRECTED = 4 /* stands for one that was taken back */
} jb_invoice_kind;

typedef enum jb_invoice_reason {
    JB_INVOICE_NO_REASON = 0, /* of an ORIGINAL */
    JB_INVOICE_AMOUNT_CHANGED = 1,
    JB_INVOICE_RESCINDED = 2,
    JB_INVOICE_ENTRY_ERROR = 3,
    JB_INVOICE_ISSUED_TWICE = 4
} jb_invoice_reason;

/* Why the tax office would not have a document. */
typedef enum jb_invoice_why {
    JB_INVOICE_CLOSED_BUSINESS = 1,
    JB_INVOICE_SUSPENDED_BUSINESS = 2,
    JB_INVOICE_WRONG_NUMBER = 3,
    JB_INVOICE_OTHER = 4
} jb_invoice_why;

typedef enum jb_mail_result { JB_MAIL_SENT = 1, JB_MAIL_BOUNCED = 2 } jb_mail_result;

typedef enum jb_invoice_state {
    JB_INVOICE_ISSUED = 1,    /* the tax office has not answered */
    JB_INVOICE_CONFIRMED = 2, /* it has the document */
    JB_INVOICE_FAILED = 3     /* it would not have it */
} jb_invoice_state;

typedef enum jb_scope {
    JB_SCOPE_FULL = 1, /* all that could be refunded */
    JB_SCOPE_PARTIAL = 2
} jb_scope;

/* Why money was taken back or given back. Whatever is no code is text, for people. */
typedef enum jb_reason {
    JB_REASON_NONE = 0,
    JB_REASON_TEXT = 1,
    JB_REASON_DEPOSIT_ERROR = 2,
    JB_REASON_CHARGEBACK = 3,
    JB_REASON_PG_CANCEL = 4,
    JB_REASON_INVALID_CLICK = 5,
    JB_REASON_UNSENT = 6,
    JB_REASON_OPERATOR_ERROR = 7
} jb_reason;

/* Final; so are jb_figures and jb_totals. */
struct jb_parts {
    const struct jb_part *at;
    uint32_t n;
};

/* Final. */
struct jb_figures {
    const struct jb_figure *at;
    uint32_t n;
};

/*
 * The payloads, one for each type that carries something. What lies in people.mdb is a number here:
 * the reference to a text, 0: none. Optional texts have s NULL where they are absent.
 */
struct jb_ledger_created {
    uint32_t format;
    uint32_t exponent; /* digits of the currency after the decimal point */
    struct jb_text currency;
    int64_t utc_offset_s;
    uint8_t ledger_id[16];
};

struct jb_policy_set {
    uint32_t policy; /* enum jb_policy */
    int64_t value;
    jb_instant from; /* JB_NO_INSTANT: from the beginning */
};

struct jb_wallet_created {
    struct jb_text id;
    uint32_t kind;   /* enum jb_wallet_kind */
    uint64_t name;   /* reference */
    uint64_t master; /* reference */
};

struct jb_wallet_renamed {
    uint64_t name; /* reference */
};

struct jb_wallet_deleted {
    jb_amount forfeited;
};

struct jb_charge_settled {
    struct jb_text charge; /* its id */
    uint32_t lot;          /* the wallet's number for what came in, from 1 */
    uint32_t method;       /* enum jb_method */
    jb_amount amount;
    jb_amount applied_to_debt;
    struct jb_text pg;         /* optional */
    struct jb_text txn_ref;    /* optional */
    struct jb_text approve_no; /* optional */
};

struct jb_charge_reversed {
    uint32_t lot;
    uint32_t reason; /* enum jb_reason */
    jb_amount amount;
    struct jb_parts parts; /* what gave the money */
    uint64_t reason_text;  /* reference */
};

struct jb_debt_repaid {
    uint32_t lot;
    jb_amount amount;
    struct jb_text pg;      /* optional */
    struct jb_text txn_ref; /* optional */
};

struct jb_free_granted {
    struct jb_text grant; /* its id */
    uint32_t grant_no;    /* the wallet's number for it, from 1 */
    uint32_t origin;      /* enum jb_origin */
    jb_amount amount;
    jb_day expires_on;
    uint64_t reason; /* reference */
};

struct jb_free_activated {
    uint32_t grant_no;
    jb_amount amount;
};

struct jb_free_revoked {
    uint32_t grant_no;
    jb_amount amount;
};

struct jb_free_expired {
    uint32_t grant_no;
    bool in_use; /* false: it was dormant */
    jb_amount amount;
};

struct jb_free_forfeited {
    uint32_t grant_no;
    bool in_use; /* false: it was dormant */
    jb_amount amount;
};

struct jb_cash_consumed {
    struct jb_text usage; /* its id */
    jb_amount amount;
    struct jb_parts parts; /* free cash, then paid cash, then debt */
};

struct jb_consumption_reversed {
    jb_seq consumption; /* the event whose money comes back */
    jb_seq before;      /* the return of that consumption before this one, 0: none */
    jb_amount amount;
    struct jb_parts parts; /* where it went */
    uint32_t reason;       /* enum jb_reason */
    uint64_t reason_text;  /* reference */
};

struct jb_refund_requested {
    struct jb_text refund; /* its id */
    uint32_t refund_no;    /* the wallet's number for it, from 1 */
    uint32_t scope;        /* enum jb_scope */
    jb_amount amount;
};

struct jb_refund_cancelled {
    uint32_t refund_no;
    jb_amount amount;
};

struct jb_refund_rejected {
    uint32_t refund_no;
    jb_amount amount;
};

struct jb_refund_approved {
    uint32_t refund_no;
    jb_amount amount;
    struct jb_parts parts; /* the legs: which lots gave */
};

struct jb_refund_completed {
    uint32_t refund_no;
    jb_amount amount;
};

struct jb_refund_failed {
    uint32_t refund_no;
    uint32_t why; /* enum jb_failure */
    jb_amount amount;
    struct jb_parts parts; /* where it went; none with JB_FAILURE_BALANCE */
};

/* Control totals in the order of enum jb_total_name: the first n, 22 or more. Final. */
struct jb_totals {
    const struct jb_int128 *at;
    uint32_t n;
};

struct jb_day_closed {
    jb_day day;
    struct jb_totals totals;
};

struct jb_command_refused {
    uint32_t op;   /* enum jb_op */
    uint32_t code; /* enum jb_code */
    int64_t index; /* of a group: the member that was refused, from 1; else 0 */
    struct jb_figures figures;
    /* What was refused, of events of version 2. */
    uint32_t wallet_no; /* the wallet's number; 0: there was none, or the command names none */
    struct jb_text wallet_id; /* optional: the id as given, where wallet_no is 0 */
    struct jb_text id;        /* optional: charge, grant, usage or refund */
    jb_amount amount;         /* 0: none was given */
};

struct jb_role_given {
    uint64_t person;       /* reference */
    uint32_t role;         /* enum jb_role: OPERATOR, GATEWAY, SYSTEM, AGENCY */
    uint32_t how;          /* enum jb_how */
    struct jb_text agency; /* whose staff; of AGENCY only */
};

struct jb_role_taken {
    uint64_t person; /* reference */
    uint32_t role;
    struct jb_text agency;
};

struct jb_member_invited {
    uint64_t person;  /* reference */
    jb_instant until; /* the first instant at which it is too late */
};

struct jb_member_joined {
    uint64_t person; /* reference */
};

struct jb_member_left {
    uint64_t person; /* reference */
    uint32_t why;    /* enum jb_left */
};

struct jb_master_transferred {
    uint64_t from; /* reference; 0: there was none */
    uint64_t to;   /* reference */
};

struct jb_channel_created {
    struct jb_text channel; /* its id */
    uint32_t kind;          /* enum jb_channel_kind */
    uint64_t master;        /* reference */
};

struct jb_channel_staffed {
    uint64_t person; /* reference */
    uint32_t role;   /* CHANNEL_MASTER, MANAGER; NONE: no more */
};

struct jb_search_id_set {
    struct jb_text search_id; /* NFC */
};

struct jb_mail_order_set {
    struct jb_text mail_order; /* optional */
};

struct jb_biz_requested {
    struct jb_text biz;      /* ten digits */
    jb_seq base;             /* the approval of that number that was in force; 0: none */
    uint64_t name;           /* reference */
    uint64_t representative; /* reference */
    uint64_t address;        /* reference */
};

struct jb_biz_approved {
    jb_seq request;
};

struct jb_biz_refused {
    jb_seq request;
    uint64_t reason; /* reference */
};

struct jb_invoice_email_set {
    uint64_t email; /* reference */
};

struct jb_sales_requested {
    struct jb_text agency;
};

struct jb_sales_accepted {
    struct jb_text agency;
};

struct jb_sales_refused {
    struct jb_text agency;
};

struct jb_sales_released {
    struct jb_text agency;
};

struct jb_settlement_changed {
    uint32_t settlement; /* enum jb_settlement */
    jb_amount limit;     /* how far a postpaid wallet may go below 0 */
};

/* One of the three. */
struct jb_forgotten {
    uint64_t person; /* reference; 0: none */
    uint32_t wallet_no;
    struct jb_text biz; /* optional */
};

struct jb_people_encrypted {
    uint32_t layout;
};

struct jb_notice_sent {
    uint32_t grant_no;
};

struct jb_invoice_issued {
    uint64_t invoice;  /* its number in the ledger, from 1, without a gap */
    uint64_t original; /* number of the document that it goes with: a DELTA's ORIGINAL, the one that
                          a NEGATIVE takes back, the one that a CORRECTED stands for; 0: none */
    jb_seq business;   /* the biz_approved whose record it shows */
    uint64_t email;    /* reference; 0: there was no address */
    jb_seq after;      /* its rows are those of the month behind this event, */
    jb_seq through;    /* up to this one */
    jb_amount total;   /* VAT included; below 0 where money came back */
    jb_amount vat;
    uint32_t kind;   /* enum jb_invoice_kind */
    uint32_t reason; /* enum jb_invoice_reason */
    uint32_t month;  /* 202603 */
    jb_day written_on;
    struct jb_text outside_ref; /* optional: the paper elsewhere that says the same */
};

struct jb_invoice_confirmed {
    uint64_t invoice;
    struct jb_text approve_no; /* optional: the tax office's */
};

struct jb_invoice_failed {
    uint64_t invoice;
    uint32_t why; /* enum jb_invoice_why */
};

struct jb_invoice_mailed {
    uint64_t invoice;
    uint32_t result; /* enum jb_mail_result */
    uint64_t email;  /* reference */
};

/* One event. Texts, parts and figures are borrowed: the function that fills it says for how long.
 * It only ever grows at its end: hold pointers to it, and copies of members. */
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
    uint32_t subject_kind; /* enum jb_subject_kind; NONE where SUBJECT is not set */
    uint64_t subject;      /* its number, from 1 */
    jb_seq subject_prev;   /* the subject's event before this one; 0: none */
    union {
        uint64_t reserved[4]; /* 0: for elements of the envelope to come */
        uint64_t channel;     /* the number of the channel that the command named; 0: none */
    };

    /* The payload: the member of the event's type, and no other. */
    union {
        struct jb_ledger_created ledger_created;
        struct jb_policy_set policy_set;
        struct jb_wallet_created wallet_created;
        struct jb_wallet_renamed wallet_renamed;
        struct jb_wallet_deleted wallet_deleted;
        struct jb_charge_settled charge_settled;
        struct jb_charge_reversed charge_reversed;
        struct jb_debt_repaid debt_repaid;
        struct jb_free_granted free_granted;
        struct jb_free_activated free_activated;
        struct jb_free_revoked free_revoked;
        struct jb_free_expired free_expired;
        struct jb_free_forfeited free_forfeited;
        struct jb_cash_consumed cash_consumed;
        struct jb_consumption_reversed consumption_reversed;
        struct jb_refund_requested refund_requested;
        struct jb_refund_cancelled refund_cancelled;
        struct jb_refund_rejected refund_rejected;
        struct jb_refund_approved refund_approved;
        struct jb_refund_completed refund_completed;
        struct jb_refund_failed refund_failed;
        struct jb_day_closed day_closed;
        struct jb_command_refused command_refused;
        struct jb_role_given role_given;
        struct jb_role_taken role_taken;
        struct jb_member_invited member_invited;
        struct jb_member_joined member_joined;
        struct jb_member_left member_left;
        struct jb_master_transferred master_transferred;
        struct jb_channel_created channel_created;
        struct jb_channel_staffed channel_staffed;
        struct jb_search_id_set search_id_set;
        struct jb_mail_order_set mail_order_set;
        struct jb_biz_requested biz_requested;
        struct jb_biz_approved biz_approved;
        struct jb_biz_refused biz_refused;
        struct jb_invoice_email_set invoice_email_set;
        struct jb_sales_requested sales_requested;
        struct jb_sales_accepted sales_accepted;
        struct jb_sales_refused sales_refused;
        struct jb_sales_released sales_released;
        struct jb_settlement_changed settlement_changed;
        struct jb_forgotten forgotten;
        struct jb_people_encrypted people_encrypted;
        struct jb_notice_sent notice_sent;
        struct jb_invoice_issued invoice_issued;
        struct jb_invoice_confirmed invoice_confirmed;
        struct jb_invoice_failed invoice_failed;
        struct jb_invoice_mailed invoice_mailed;
    };
};

/*
 * What several types carry, whatever its name and place in the payload: for those who look at
 * events of any type. The table of types says which field it is; 0 or none where the type has no
 * such field.
 */

/* The money that the event is about: its amount, or what a deletion forfeited. (A limit is none.)
 */
JB_API jb_amount jb_event_amount(const struct jb_event *e);
/* Where the money came from or went to. */
JB_API struct jb_parts jb_event_parts(const struct jb_event *e);
/* The wallet's number for the lot, grant or refund that the event makes or is about. */
JB_API uint32_t jb_event_ordinal(const struct jb_event *e);
/* The id that the event gives to what it makes: a wallet, charge, grant, usage, refund or
 * channel; s NULL: none. jb_event_id finds also that of what an event only refers to. */
JB_API struct jb_text jb_event_own_id(const struct jb_event *e);

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
    JB_FK_BOOL,        /* bool */
    JB_FK_REF,         /* uint64_t, reference into people.mdb, 0: none */
    JB_FK_SEQ,         /* jb_seq */
    JB_FK_DAY,         /* jb_day */
    JB_FK_OPT_INSTANT, /* jb_instant or JB_NO_INSTANT */
    JB_FK_ID16,        /* 16 bytes */
    JB_FK_SPLIT, /* struct jb_parts of a consumption: free, then paid, then debt; they add up to
                    `amount`, which stands before them */
    JB_FK_PARTS_FROM, /* struct jb_parts, money going out */
    JB_FK_PARTS_TO,   /* struct jb_parts, money coming back */
    JB_FK_FIGURES,    /* struct jb_figures */
    JB_FK_TOTALS      /* struct jb_totals */
} jb_field_kind;

/* Words for numbers: words[i] is that of the number i; NULL where the number is not given. Final.
 */
struct jb_names {
    const char *const *words;
    uint32_t n;
};

/* Final: arrays of it are public. */
struct jb_field_info {
    const char *name;
    jb_field_kind kind;
    size_t offset;                /* in struct jb_event */
    const struct jb_names *names; /* for JB_FK_NAME */
    uint32_t since;               /* the first schema version of the type that has it */
    uint32_t reserved;            /* 0 */
};

struct jb_event_type_info {
    const char *name;  /* "charge_settled" */
    uint32_t version;  /* the newest schema version */
    uint32_t fields_n; /* of that version; an older one has those of `since` up to it */
    const struct jb_field_info *fields; /* in the order in which they stand in the event */
    const char *meaning;
};

/* The row of a type, or NULL for a number that this version does not know. Static storage. */
JB_API const struct jb_event_type_info *jb_event_type_get(uint32_t type);

/* The word for a number, or NULL; and back: false where there is no such word. */
JB_API const char *jb_name_word(const struct jb_names *names, uint32_t number);
JB_API JB_NODISCARD bool jb_name_number(const struct jb_names *names, const char *word, size_t n,
                                        uint32_t *ret);

/* "CHANNEL"; NULL for numbers that this version does not know. */
JB_API const char *jb_subject_word(uint32_t kind);
/* The lists of words whose numbers stand in events, commands and answers. */
typedef enum jb_list {
    JB_LIST_WALLET_KIND = 1,
    JB_LIST_WALLET_STATUS = 2,
    JB_LIST_METHOD = 3,
    JB_LIST_ORIGIN = 4,
    JB_LIST_REASON = 5,
    JB_LIST_SCOPE = 6,
    JB_LIST_FAILURE = 7,
    JB_LIST_POLICY = 8,
    JB_LIST_GRANT_STATE = 9,
    JB_LIST_REFUND_STATE = 10,
    JB_LIST_ROLE = 11,
    JB_LIST_HOW = 12,
    JB_LIST_LEFT = 13,
    JB_LIST_CHANNEL_KIND = 14,
    JB_LIST_SETTLEMENT = 15,
    JB_LIST_PERSON_STATE = 16,
    JB_LIST_CHANNEL_STATE = 17,
    JB_LIST_BIZ_STATE = 18,
    JB_LIST_SALES_STATE = 19,
    JB_LIST_INVOICE_KIND = 20,
    JB_LIST_INVOICE_REASON = 21,
    JB_LIST_INVOICE_WHY = 22,
    JB_LIST_MAIL_RESULT = 23,
    JB_LIST_INVOICE_STATE = 24
} jb_list;
/* Static storage; NULL for a number that this version does not know. */
JB_API const struct jb_names *jb_names_get(jb_list list);
/* How figure `name` is called in JSON. */
JB_API const char *jb_figure_word(uint32_t name);
JB_API const char *jb_total_word(uint32_t name);

/*
 * Which ways money goes, from the table core/event/effects.def: what the control totals, the
 * effect, `explain` and double entry are made from. The four places of the holder's money come
 * first; the others are outside.
 */
typedef enum jb_place {
    JB_PLACE_PAID = 0,    /* paid cash: lots, less the debt */
    JB_PLACE_FREE = 1,    /* free cash in use */
    JB_PLACE_DORMANT = 2, /* free cash that is not activated */
    JB_PLACE_TRANSIT = 3, /* refunds approved and not completed */
    JB_PLACE_GATEWAY = 4, /* where the money of a lot came from: a gateway, or somebody's hand */
    JB_PLACE_INCOME = 5,
    JB_PLACE_PROMOTION = 6,
    JB_PLACES = 7
} jb_place;

/* Final. */
struct jb_money_move {
    uint32_t total; /* enum jb_total_name: the one that grows by it, or JB_TOTAL_NONE */
    uint32_t from;  /* enum jb_place */
    uint32_t to;
    jb_amount amount; /* > 0 */
};

/* Room for types to come, too: those of this version have four at most. */
enum { JB_MOVES_MAX = 8 };
/* The moves of an event; returns how many, 0 for most types. ret may be NULL: only counts. */
JB_API size_t jb_event_moves(const struct jb_event *e, struct jb_money_move ret[JB_MOVES_MAX]);
/* Its effect on the total, "paid cash + all grants in use": d(e) of docs/rules.md section 6. 0 for
 * most types. */
JB_API jb_amount jb_event_effect(const struct jb_event *e);

#ifdef __cplusplus
}
#endif

#endif
