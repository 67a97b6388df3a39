/*
 * jangbu/command.h -- what callers want (commands) and what became of it (answers).
 *
 * docs/vocabulary.md has the same in JSON, with every choice that the rules leave.
 */
#ifndef JANGBU_COMMAND_H
#define JANGBU_COMMAND_H

#include <jangbu/event.h>

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers are on disk (in command_refused). */
typedef enum jb_op {
    JB_OP_WALLET_CREATE = 1,
    JB_OP_WALLET_RENAME = 2,
    JB_OP_WALLET_OFF = 3,
    JB_OP_WALLET_ON = 4,
    JB_OP_WALLET_SUSPEND = 5,
    JB_OP_WALLET_LIFT = 6,
    JB_OP_WALLET_DELETE = 7,
    JB_OP_CHARGE = 8,
    JB_OP_CHARGE_REVERSE = 9,
    JB_OP_DEBT_REPAY = 10,
    JB_OP_FREE_GRANT = 11,
    JB_OP_FREE_ACTIVATE = 12,
    JB_OP_FREE_REVOKE = 13,
    JB_OP_CONSUME = 14,
    JB_OP_CONSUME_REVERSE = 15,
    JB_OP_REFUND_REQUEST = 16,
    JB_OP_REFUND_APPROVE = 17,
    JB_OP_REFUND_REJECT = 18,
    JB_OP_REFUND_CANCEL = 19,
    JB_OP_REFUND_COMPLETE = 20,
    JB_OP_REFUND_FAIL = 21,
    JB_OP_POLICY_SET = 22,
    JB_OP_DAY_CLOSE = 23,
    JB_OP_ATOMIC = 24,
    JB_OP_ROLE_GIVE = 25,
    JB_OP_ROLE_TAKE = 26,
    JB_OP_MEMBER_INVITE = 27,
    JB_OP_MEMBER_ACCEPT = 28,
    JB_OP_MEMBER_LEAVE = 29,
    JB_OP_MEMBER_REMOVE = 30,
    JB_OP_MASTER_TRANSFER = 31,
    JB_OP_CHANNEL_CREATE = 32,
    JB_OP_MANAGER_ADD = 33,
    JB_OP_MANAGER_REMOVE = 34,
    JB_OP_CHANNEL_TRANSFER = 35,
    JB_OP_CHANNEL_CONNECT = 36,
    JB_OP_CHANNEL_DISCONNECT = 37,
    JB_OP_CHANNEL_CLOSE = 38,
    JB_OP_CHANNEL_SEARCH_ID = 39,
    JB_OP_CHANNEL_MAIL_ORDER = 40,
    JB_OP_BIZ_REQUEST = 41,
    JB_OP_BIZ_APPROVE = 42,
    JB_OP_BIZ_REFUSE = 43,
    JB_OP_INVOICE_EMAIL = 44,
    JB_OP_SALES_REQUEST = 45,
    JB_OP_SALES_ACCEPT = 46,
    JB_OP_SALES_REFUSE = 47,
    JB_OP_SALES_RELEASE = 48,
    JB_OP_WALLET_SETTLEMENT = 49,
    JB_OP_FORGET = 50,
    /* 51 to 55 are not given yet */
    JB_OP_NOTICE_SEND = 56,
    JB_OP_INVOICE_ISSUE = 57,
    JB_OP_INVOICE_CORRECT = 58,
    JB_OP_INVOICE_CONFIRM = 59,
    JB_OP_INVOICE_FAIL = 60,
    JB_OP_INVOICE_MAIL = 61,
    JB_OPS = 62
} jb_op;

typedef enum jb_wallet_kind {
    JB_KIND_PERSONAL = 1,
    JB_KIND_BUSINESS = 2,
    JB_KIND_OVERSEAS = 3
} jb_wallet_kind;

typedef enum jb_method {
    JB_METHOD_UNSPECIFIED = 0,
    JB_METHOD_CREDIT_CARD = 1, /* these three are bound by the minimum charge */
    JB_METHOD_KAKAOPAY_CARD = 2,
    JB_METHOD_VIRTUAL_ACCOUNT = 3,
    JB_METHOD_KAKAOPAY_CARD_AUTO = 4,
    JB_METHOD_CREDIT_CARD_REGULAR = 5,
    JB_METHOD_ADMIN_CASH = 6,  /* an operator's paid cash: no gateway behind it */
    JB_METHOD_ADV_RET_CASH = 7 /* give-back: likewise */
} jb_method;

typedef enum jb_origin {
    JB_ORIGIN_PROMOTION = 1,
    JB_ORIGIN_EVENT = 2,
    JB_ORIGIN_UNSENT_SIMPLE = 3,
    JB_ORIGIN_UNSENT_NORMAL = 4,
    JB_ORIGIN_OPERATOR = 5
} jb_origin;

typedef enum jb_policy {
    JB_POLICY_MIN_CHARGE = 1,      /* minor units */
    JB_POLICY_DAY_CLOSE = 2,       /* 0 auto, 1 manual */
    JB_POLICY_DAY_CLOSE_GRACE = 3, /* seconds */
    JB_POLICY_GRANTS_MAX = 4,
    JB_POLICY_CLOCK_TOLERANCE = 5, /* seconds */
    JB_POLICY_EMPTY_DAYS_MAX = 6,
    JB_POLICY_VAT_RATE = 7, /* per cent */
    JB_POLICY_ROLES = 8, /* 0: no role is asked (trust); else the number of the matrix of roles */
    JB_POLICY_INVITE_DAYS = 9,  /* days for which an invitation is open */
    JB_POLICY_MEMBERS_MAX = 10, /* of a wallet, the invited included; staff of a channel */
    JB_POLICY_BIZ_RETENTION_DAYS = 11,
    JB_POLICY_SEARCH_ID_MARKS = 12, /* 1 `-`, 2 `_`, 3 both; 0 none */
    JB_POLICY_RULES = 13,           /* number of the set of rules; without it 1 */
    JB_POLICY_CLOCK_AHEAD_MAX = 14, /* days */
    JB_POLICY_AT_BACK_MAX = 15,     /* days */
    JB_POLICY_INVOICE_FROM =
        16, /* the first month that gets tax invoices, 202603; without it none */
    JB_POLICY_INVOICE_DAY = 17, /* day of the next month from which on one is due */
    JB_POLICY_NOTICE_DAYS = 18, /* days before a grant lapses in which a notice is due */
    JB_POLICY_RECEIPT_TAX = 19, /* of a slip: 0 not said, 1 taxable, 2 exempt */
    JB_POLICIES = 20            /* one above the largest */
} jb_policy;

/* The newest set of rules that this version decides by. Policy `rules` says which set a ledger goes
 * by; one that goes by a later set is read, and not written to. */
enum { JB_RULES = 2 };

/* The newest matrix of roles: what policy `roles` can be set to. */
enum { JB_MATRICES = 1 };

/* Members of a command, as bits of `has`: absent is not the same as 0 or false. The numbers go into
 * the fingerprint of a command's content and so are on disk for ever: new members take the next
 * number from 49 on. 63 stays free. */
#define JB_HAS(field) (UINT64_C(1) << (field))
enum jb_command_field {
    JB_CF_WALLET = 0,
    JB_CF_CHARGE, /* id */
    JB_CF_GRANT,  /* id */
    JB_CF_USAGE,  /* id */
    JB_CF_REFUND, /* id */
    JB_CF_KIND,
    JB_CF_NAME,
    JB_CF_MASTER,
    JB_CF_AMOUNT,
    JB_CF_METHOD,
    JB_CF_PG,
    JB_CF_TXN_REF,
    JB_CF_APPROVE_NO,
    JB_CF_REASON,
    JB_CF_EXPIRES_ON,
    JB_CF_ORIGIN,
    JB_CF_OVERDRAFT,
    JB_CF_SEQ,
    JB_CF_POLICY,
    JB_CF_VALUE,
    JB_CF_FROM,
    JB_CF_DAY,
    JB_CF_FORCE,
    JB_CF_COMMANDS,
    JB_CF_KEY,
    JB_CF_ACTOR, /* actor_id, actor_role */
    JB_CF_AT,
    JB_CF_CLOCK,
    JB_CF_EXPECT,
    JB_CF_NOTE,
    JB_CF_PERSON, /* id of whom the command is about */
    JB_CF_ROLE,
    JB_CF_AGENCY,
    JB_CF_CHANNEL, /* id */
    JB_CF_CHANNEL_KIND,
    JB_CF_SEARCH_ID,
    JB_CF_MAIL_ORDER,
    JB_CF_BIZ, /* registration number: ten digits */
    JB_CF_BIZ_NAME,
    JB_CF_REPRESENTATIVE,
    JB_CF_ADDRESS,
    JB_CF_EMAIL,
    JB_CF_SETTLEMENT,
    JB_CF_LIMIT,
    JB_CF_MONTH,
    JB_CF_INVOICE, /* number of a document */
    JB_CF_REF,     /* of a paper elsewhere */
    JB_CF_RESULT,
    JB_CF_WHY,
    JB_CF_CALLER = 62,
    JB_CF_N /* one above the largest; between them are numbers without a member */
};

/*
 * What someone wants. It has no effect until jb_submit accepts it. All texts are borrowed during
 * the call.
 *
 * It is complete so that it can lie where the caller wants it, in an array, too; but its members
 * belong to jb_command_begin and the setters below, and may have other names in a later header.
 * Within a soname they keep their places and new ones come at the end, so a program that was built
 * with an older or newer header has shorter or longer commands. `size` says which: it is the
 * distance from one command of an array to the next, the same in all of them. What a shorter one
 * lacks is not there; in what a longer one has more, everything must be 0.
 *
 * A binding that cannot call inline functions finds the members by jb_command_field_get. It sets
 * their bits as well, and makes the struct anew for another command: a member that is set and whose
 * bit is not (a key, say, without which the command would be booked twice) is JB_E_USAGE, which
 * names it; so are a text without an address, an op or a word without a meaning, 0 or 1 that is
 * neither, and a struct that was never begun. What cannot be seen is a pointer that points nowhere,
 * and a size that is larger than the object.
 */
struct jb_command {
    size_t size;
    jb_op op;
    uint8_t overdraft; /* 0 or 1, as every member of this kind */
    uint8_t force;
    uint64_t has; /* JB_HAS(...) of every member that is there */
    struct jb_text wallet;
    struct jb_text id; /* charge, grant, usage or refund, as the op has it */
    struct jb_text key;
    jb_amount amount; /* > 0 */
    uint32_t kind;    /* enum jb_wallet_kind */
    uint32_t method;  /* enum jb_method */
    uint32_t origin;  /* enum jb_origin */
    uint32_t policy;  /* enum jb_policy */
    jb_day expires_on;
    jb_day day;
    int64_t value;
    jb_instant from;
    jb_instant at;
    jb_instant clock; /* used with JB_CLOCK_AT only */
    uint64_t expect;
    jb_seq seq;
    struct jb_text name;
    struct jb_text master;
    struct jb_text pg;
    struct jb_text txn_ref;
    struct jb_text approve_no;
    struct jb_text reason;
    struct jb_text note;
    struct jb_text actor_id;
    struct jb_text actor_role;
    const struct jb_command *commands; /* of JB_OP_ATOMIC */
    size_t commands_n;
    struct jb_text caller; /* scope of `key`; absent: that of jb_submit's options, or of jb_open */
    struct jb_text person;
    struct jb_text agency;
    struct jb_text channel;
    struct jb_text search_id;
    struct jb_text mail_order;
    struct jb_text biz;
    struct jb_text biz_name;
    struct jb_text representative;
    struct jb_text address;
    struct jb_text email;
    uint32_t role;         /* enum jb_role */
    uint32_t channel_kind; /* enum jb_channel_kind */
    uint32_t settlement;   /* enum jb_settlement */
    uint32_t reserved;     /* 0 */
    jb_amount limit;       /* >= 0 */
    uint32_t month;        /* 202603 */
    uint32_t result;       /* enum jb_mail_result */
    uint32_t why;          /* enum jb_invoice_why */
    uint32_t reserved_too; /* 0 */
    uint64_t invoice;
    struct jb_text ref;
};

/*
 * Making a command: jb_command_begin, then a setter for each member. A member that was set is
 * there, 0 and false included; one that was not is not. A struct that is begun again has forgotten
 * what it was before; the same struct again without that is the same command again, as a retry
 * wants it.
 *
 *     struct jb_command c;
 *     jb_command_begin(&c, JB_OP_CHARGE);
 *     jb_set_wallet(&c, jb_text_of("W1"));
 *     jb_set_charge(&c, jb_text_of("C1"));
 *     jb_set_amount(&c, 50000);
 *
 * Setting what the op does not take is found by jb_submit, which names it. Texts are borrowed.
 */
static inline void
jb_command_begin(struct jb_command *c, jb_op op)
{
    if (c != NULL) {
        memset(c, 0, sizeof *c);
        c->size = sizeof *c;
        c->op = op;
    }
}

#define JB_SETTER(name, FIELD, type, member)                                                       \
    static inline void jb_set_##name(struct jb_command *c, type value)                             \
    {                                                                                              \
        if (c != NULL) {                                                                           \
            c->member = value;                                                                     \
            c->has |= JB_HAS(JB_CF_##FIELD);                                                       \
        }                                                                                          \
    }
/* Ids: of the wallet, and of what the command makes or names in it. */
JB_SETTER(wallet, WALLET, struct jb_text, wallet)
JB_SETTER(charge, CHARGE, struct jb_text, id)
JB_SETTER(grant, GRANT, struct jb_text, id)
JB_SETTER(usage, USAGE, struct jb_text, id)
JB_SETTER(refund, REFUND, struct jb_text, id)
JB_SETTER(seq, SEQ, jb_seq, seq)                    /* of the consumption that is returned */
JB_SETTER(amount, AMOUNT, jb_amount, amount)        /* > 0, minor unit */
JB_SETTER(overdraft, OVERDRAFT, uint8_t, overdraft) /* 0 or 1 */
JB_SETTER(method, METHOD, jb_method, method)
JB_SETTER(pg, PG, struct jb_text, pg)
JB_SETTER(txn_ref, TXN_REF, struct jb_text, txn_ref)
JB_SETTER(approve_no, APPROVE_NO, struct jb_text, approve_no)
JB_SETTER(reason, REASON, struct jb_text, reason)
JB_SETTER(expires_on, EXPIRES_ON, jb_day, expires_on)
JB_SETTER(origin, ORIGIN, jb_origin, origin)
JB_SETTER(kind, KIND, jb_wallet_kind, kind)
JB_SETTER(name, NAME, struct jb_text, name)
JB_SETTER(master, MASTER, struct jb_text, master)
JB_SETTER(policy, POLICY, jb_policy, policy)
JB_SETTER(value, VALUE, int64_t, value)
JB_SETTER(from, FROM, jb_instant, from)
JB_SETTER(day, DAY, jb_day, day)
JB_SETTER(force, FORCE, uint8_t, force) /* 0 or 1 */
JB_SETTER(key, KEY, struct jb_text, key)
JB_SETTER(caller, CALLER, struct jb_text, caller)
JB_SETTER(at, AT, jb_instant, at)
JB_SETTER(clock, CLOCK, jb_instant, clock)
JB_SETTER(expect, EXPECT, uint64_t, expect) /* the wallet's version; 0: it must not exist */
JB_SETTER(note, NOTE, struct jb_text, note)
JB_SETTER(person, PERSON, struct jb_text, person)
JB_SETTER(role, ROLE, jb_role, role)
JB_SETTER(agency, AGENCY, struct jb_text, agency)
JB_SETTER(channel, CHANNEL, struct jb_text, channel)
JB_SETTER(channel_kind, CHANNEL_KIND, jb_channel_kind, channel_kind)
JB_SETTER(search_id, SEARCH_ID, struct jb_text, search_id)
JB_SETTER(mail_order, MAIL_ORDER, struct jb_text, mail_order)
JB_SETTER(biz, BIZ, struct jb_text, biz)
JB_SETTER(biz_name, BIZ_NAME, struct jb_text, biz_name)
JB_SETTER(representative, REPRESENTATIVE, struct jb_text, representative)
JB_SETTER(address, ADDRESS, struct jb_text, address)
JB_SETTER(email, EMAIL, struct jb_text, email)
JB_SETTER(settlement, SETTLEMENT, jb_settlement, settlement)
JB_SETTER(limit, LIMIT, jb_amount, limit) /* >= 0, minor unit */
JB_SETTER(month, MONTH, uint32_t, month)  /* 202603: March 2026 */
JB_SETTER(invoice, INVOICE, uint64_t, invoice)
JB_SETTER(ref, REF, struct jb_text, ref)
JB_SETTER(result, RESULT, jb_mail_result, result)
JB_SETTER(why, WHY, jb_invoice_why, why)
#undef JB_SETTER

/* role.s NULL: none. */
static inline void
jb_set_actor(struct jb_command *c, struct jb_text id, struct jb_text role)
{
    if (c != NULL) {
        c->actor_id = id;
        c->actor_role = role;
        c->has |= JB_HAS(JB_CF_ACTOR);
    }
}

/* The members of a group, borrowed like texts. */
static inline void
jb_set_commands(struct jb_command *c, const struct jb_command *list, size_t n)
{
    if (c != NULL) {
        c->commands = list;
        c->commands_n = n;
        c->has |= JB_HAS(JB_CF_COMMANDS);
    }
}

/* How a member is written in JSON. */
typedef enum jb_command_kind {
    JB_CK_ID = 1, /* 1..64 bytes, no control characters, no white space */
    JB_CK_SHORT,  /* the same, 1..32 bytes */
    JB_CK_NAME,   /* 1..20 characters as people count, no control characters */
    JB_CK_TEXT,   /* 1..500 code points, no NUL */
    JB_CK_AMOUNT, /* integer 1..JB_AMOUNT_MAX */
    JB_CK_UINT,   /* integer >= 0 */
    JB_CK_BOOL,
    JB_CK_WORD,    /* a word of `names` */
    JB_CK_DAY,     /* "2026-10-31" */
    JB_CK_INSTANT, /* RFC 3339 with an offset */
    JB_CK_ACTOR,   /* {"id","role"} */
    JB_CK_VALUE,   /* integer, or a word for the policy day_close */
    JB_CK_COMMANDS,
    JB_CK_KEY,       /* as an id, 1..300 bytes */
    JB_CK_REF,       /* as an id, 1..200 bytes */
    JB_CK_CALLER,    /* as an id, 0..32 bytes */
    JB_CK_SEARCH_ID, /* 1..15 of Hangul, a-z, 0-9, - and _, after NFC */
    JB_CK_BIZ,       /* ten digits */
    JB_CK_LINE,    /* characters as people count, no control characters: mail_order 1..40, biz_name
                      and representative 1..60, address 1..200 */
    JB_CK_EMAIL,   /* as an id with one @, 3..254 bytes */
    JB_CK_AMOUNT0, /* integer 0..JB_AMOUNT_MAX */
    JB_CK_MONTH,   /* "2026-03" */
} jb_command_kind;

struct jb_command_field_info {
    const char *name;
    jb_command_kind kind;
    size_t offset; /* in struct jb_command; of actor: that of actor_id */
    const struct jb_names *names;
};

struct jb_op_info {
    const char *name; /* "wallet.create" */
    uint64_t required;
    uint64_t optional; /* the members that any command may have included */
    bool has_wallet;
    bool business_time;  /* `at` may look back */
    uint32_t event_type; /* what it becomes; 0 for atomic */
};

JB_API const struct jb_command_field_info *
jb_command_field_get(unsigned field);                   /* NULL where there is none */
JB_API const struct jb_op_info *jb_op_get(uint32_t op); /* NULL where there is none */
/* Whether a wallet in that state (enum jb_wallet_status) takes commands of that op at all: the
 * state matrix of docs/rules.md section 5. True does not mean that a command will be accepted. */
JB_API bool jb_wallet_allows(uint32_t status, jb_op op);
/* Who may do what (docs/rules.md section 10). */
/* Final. */
struct jb_permission {
    const char *cell;  /* "charge:admin": the op, and behind a colon which of its commands */
    uint32_t op;       /* enum jb_op */
    uint32_t roles;    /* those that it takes: bits 1 << enum jb_role */
    uint32_t both;     /* those of them of which one alone is not enough: all in one person */
    uint32_t reserved; /* 0 */
};
/* The matrix of that number, *ret_n rows (ret_n may be NULL); of an op's rows the first that fits a
 * command counts. NULL: there is none of that number. Static storage. */
JB_API const struct jb_permission *jb_permissions(uint32_t matrix, size_t *ret_n);
/* The op of that name, or 0. */
JB_API uint32_t jb_op_from_name(const char *name, size_t n);

/* Codes of refusals. The numbers are on disk; the words are stable. */
/* clang-format off */
#define JB_CODES(X)                                                                                                   \
    X(1, KEY_CONFLICT) X(2, EXPECT_MISMATCH) X(3, WALLET_UNKNOWN) X(4, WALLET_UNKNOWN_THEN) X(5, WALLET_EXISTS)       \
    X(6, WALLET_DELETED) X(7, WALLET_STATE) X(8, DELETE_CONDITIONS) X(9, CHARGE_UNKNOWN) X(10, GRANT_UNKNOWN)         \
    X(11, REFUND_UNKNOWN) X(12, USAGE_UNKNOWN) X(13, AMBIGUOUS_USAGE) X(14, ID_EXISTS) X(15, INSUFFICIENT_CASH)       \
    X(16, NOTHING_REFUNDABLE) X(17, REFUND_EXCEEDS) X(18, DEBT_EXCEEDS) X(19, REVERSAL_EXCEEDS) X(20, RETURN_EXCEEDS) \
    X(21, MIN_CHARGE) X(22, AMOUNT_INVALID) X(23, AMOUNT_RANGE) X(24, GRANT_STATE) X(25, GRANT_EXPIRED)               \
    X(26, REFUND_STATE) X(27, AT_IN_FUTURE) X(28, AT_NOT_ALLOWED) X(29, CLOCK_BEHIND) X(30, DAY_NOT_OVER)             \
    X(31, BATCH_TOO_LARGE) X(32, MALFORMED) X(33, GRANTS_LIMIT) X(34, FROM_IN_PAST) X(35, TOO_MANY_DAYS)              \
    X(36, ROLE) X(37, WALLET_KIND) X(38, PERSON_STATE) X(39, INVITE_EXPIRED) X(40, MEMBERS_LIMIT)                     \
    X(41, MASTER_NEEDED) X(42, LAST_OPERATOR) X(43, PERSON_HAS_ROLE) X(44, CHANNEL_UNKNOWN) X(45, CHANNEL_EXISTS)     \
    X(46, CHANNEL_STATE) X(47, CHANNEL_KIND) X(48, SEARCH_ID_INVALID) X(49, SEARCH_ID_SET) X(50, SEARCH_ID_TAKEN)     \
    X(51, BIZ_NUMBER) X(52, BIZ_STATE) X(53, SALES_STATE) X(54, UNCHANGED) X(55, RETENTION)                           \
    X(56, TOO_MANY_PARTS) X(57, CLOCK_AHEAD) X(58, AT_TOO_OLD) /* 59 is reserved */                                   \
    X(60, MONTH_OPEN) X(61, NOTHING_TO_INVOICE) X(62, NO_BUSINESS_INFO) X(63, INVOICE_PENDING)                        \
    X(64, INVOICE_UNKNOWN) X(65, INVOICE_STATE) X(66, INVOICE_REASON)
/* clang-format on */

typedef enum jb_code {
    JB_CODE_NONE = 0,
#define JB_X(number, word) JB_CODE_##word = (number),
    JB_CODES(JB_X)
#undef JB_X
        JB_CODES_END
} jb_code;

/* "INSUFFICIENT_CASH"; NULL for numbers that this version does not know. */
JB_API const char *jb_code_word(uint32_t code);

typedef enum jb_outcome {
    JB_NOT_DONE = 0,  /* the call failed before this command: nothing of it was done */
    JB_DONE = 1,      /* the events are on disk */
    JB_REFUSED = 2,   /* the rules said no, or the command is not well formed: `code` */
    JB_DUPLICATE = 3, /* the key is known with the same content: this is the first answer again */
    JB_CONFLICT = 4, /* the key is known with other content: nothing was done (code KEY_CONFLICT) */
    JB_UNKNOWN = 5   /* a fault while committing: ask again with the same key */
} jb_outcome;

/* Balances of a wallet, as `decide` sees them. Units: minor unit. It grows at its end: hold
 * pointers to it, and copies of members. */
struct jb_balance {
    uint32_t status; /* enum jb_wallet_status */
    jb_amount paid;  /* negative: a debt */
    jb_amount free;  /* grants in use and not past their deadline */
    jb_amount free_dormant;
    jb_amount total;          /* paid + free */
    jb_amount refundable;     /* max(0, paid - refund_pending) */
    jb_amount refund_pending; /* requested, neither approved nor ended */
    jb_amount refund_in_transit;
    jb_amount debt; /* max(0, -paid) */
    uint64_t version;
};

/*
 * What became of one command: here what is wanted of every answer, below what is asked for. It
 * grows at its end, so answers are reached by jb_answers_at and jb_answer_member_at, never by
 * counting on from another one. Everything is borrowed from its jb_answers.
 */
struct jb_answer {
    jb_outcome outcome;
    jb_op op;
    jb_code code;            /* 0 where the command is (or was, the first time) accepted */
    uint8_t content_checked; /* 0: a duplicate whose content could not be compared, `secret` is
                                lost; else 1 */
    uint8_t remembered;      /* 1: a refusal that is kept: the same key gets the same answer for
                                ever */
    uint8_t dry_run;         /* 1: nothing was written */
    jb_seq seq; /* the command's last event; of a conflict: the first event with the key; else 0 */
    uint64_t wallet_version;
    jb_seq same_txn; /* of a charge: the earliest charge with the same pg and txn_ref, if that is
                        another one; else 0. It was accepted all the same */
    int64_t index;   /* refused group: the member that failed, from 0; else -1 */
    const struct jb_event *own_event; /* the library's: read through the functions */
    struct jb_answer_rest *own_rest;  /* likewise */
};

/* The functions take NULL for an answer that says nothing. */

/* The event of a command that is DONE, or DUPLICATE and accepted; of a group: that of its last
 * member. NULL: none. */
JB_API const struct jb_event *jb_answer_event(const struct jb_answer *a);
/* What explains a refusal: *ret_n figures (ret_n may be NULL). NULL and 0: none. */
JB_API const struct jb_figure *jb_answer_figures(const struct jb_answer *a, size_t *ret_n);
/* Why it was refused: a sentence, ended by NUL; "" where there is nothing to say. Never NULL. */
JB_API const char *jb_answer_message(const struct jb_answer *a);
/* How many members a group has that is done, and the answer to each of them; NULL beyond. */
JB_API size_t jb_answer_members(const struct jb_answer *a);
JB_API const struct jb_answer *jb_answer_member_at(const struct jb_answer *a, size_t i);
/* Of an invoice.correct that wrote two documents, of which its event is the second: the number of
 * the first, which takes the old one back. 0: it wrote one. */
JB_API uint64_t jb_answer_negative(const struct jb_answer *a);
/* Dry run of a command on a wallet: what it would give. NULL: none. */
JB_API const struct jb_balance *jb_answer_balance(const struct jb_answer *a);

#ifdef __cplusplus
}
#endif

#endif
