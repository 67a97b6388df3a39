/* The table of event types as data, and every list of words whose numbers are on disk. */
#include <jangbu/command.h>

#include "event/names.h"

#include <assert.h>
#include <string.h>

#include "event/codec.h"

#define NAMES(name, ...)                                                                           \
    static const char *const name##_list[] = {__VA_ARGS__};                                        \
    const struct jb_names name = {name##_list, sizeof name##_list / sizeof name##_list[0]}

NAMES(jb_wallet_kind_names, NULL, "PERSONAL", "BUSINESS", "OVERSEAS");
NAMES(jb_wallet_status_names, NULL, "ACTIVE", "OFF", "SUSPENDED", "DELETED");
NAMES(jb_method_names, "UNSPECIFIED", "CREDIT_CARD", "KAKAOPAY_CARD", "VIRTUAL_ACCOUNT",
      "KAKAOPAY_CARD_AUTO", "CREDIT_CARD_REGULAR", "ADMIN_CASH", "ADV_RET_CASH");
NAMES(jb_origin_names, NULL, "PROMOTION", "EVENT", "UNSENT_SIMPLE", "UNSENT_NORMAL", "OPERATOR");
/* Reasons that are codes stand in the event; any other reason is text for people, and only a
 * reference to it does. */
NAMES(jb_reason_names, "NONE", "TEXT", "DEPOSIT_ERROR", "CHARGEBACK", "PG_CANCEL", "INVALID_CLICK",
      "UNSENT", "OPERATOR_ERROR");
NAMES(jb_scope_names, NULL, "FULL", "PARTIAL");
NAMES(jb_failure_names, NULL, "BALANCE", "AFTER_APPROVAL");
NAMES(jb_policy_names, NULL, "min_charge", "day_close", "day_close_grace", "grants_max",
      "clock_tolerance", "empty_days_max", "vat_rate", "roles", "invite_days", "members_max",
      "biz_retention_days", "search_id_marks", "rules", "clock_ahead_max", "at_back_max",
      "invoice_from", "invoice_day", "notice_days", "receipt_tax");
NAMES(jb_grant_state_names, NULL, "DORMANT", "IN_USE", "EXPIRED", "REVOKED", "FORFEITED",
      "USED_UP");
NAMES(jb_refund_state_names, NULL, "REQUESTED", "APPROVED", "COMPLETED", "REJECTED", "CANCELLED",
      "FAILED");

NAMES(jb_role_names, "NONE", "MASTER", "MEMBER", "CHANNEL_MASTER", "MANAGER", "AGENCY", "OPERATOR",
      "GATEWAY", "SYSTEM", "SELF");
NAMES(jb_how_names, NULL, "GIVEN", "INIT", "RECOVERED");
NAMES(jb_left_names, NULL, "LEFT", "REMOVED", "DECLINED", "WITHDRAWN");
NAMES(jb_channel_kind_names, NULL, "BASIC", "BUSINESS");
NAMES(jb_settlement_names, NULL, "PREPAID", "POSTPAID");
NAMES(jb_person_state_names, NULL, "NONE", "INVITED", "LAPSED", "MEMBER", "MASTER", "MANAGER",
      "CHANNEL_MASTER", "HOLDS");
NAMES(jb_channel_state_names, NULL, "FREE", "CONNECTED", "ELSEWHERE", "CLOSED");
NAMES(jb_biz_state_names, NULL, "NONE", "PENDING", "STALE", "HELD");
NAMES(jb_sales_state_names, NULL, "NONE", "REQUESTED", "HELD");
NAMES(jb_invoice_kind_names, NULL, "ORIGINAL", "DELTA", "NEGATIVE", "CORRECTED");
NAMES(jb_invoice_reason_names, "NONE", "AMOUNT_CHANGED", "RESCINDED", "ENTRY_ERROR",
      "ISSUED_TWICE");
NAMES(jb_invoice_why_names, NULL, "CLOSED_BUSINESS", "SUSPENDED_BUSINESS", "WRONG_NUMBER", "OTHER");
NAMES(jb_mail_result_names, NULL, "SENT", "BOUNCED");
NAMES(jb_invoice_state_names, NULL, "ISSUED", "CONFIRMED", "FAILED");

static const char *const code_list[] = {NULL,
#define JB_X(number, word) [number] = #word,
                                        JB_CODES(JB_X)
#undef JB_X
};
static const struct jb_names jb_code_names = {code_list, sizeof code_list / sizeof code_list[0]};

static const char *const op_list[JB_OPS] = {
#define OP(NAME, word, ...) [JB_OP_##NAME] = word,
#include "event/commands.def"
#undef OP
};
static const struct jb_names jb_op_names = {op_list, JB_OPS};

/* Each op from 1 on has one row (two would give one name twice), but for those whose numbers are
 * not given yet: 51 to 55. */
#define OPS_NOT_GIVEN 5
enum command_row {
#define OP(NAME, ...) ROW_OF_##NAME,
#include "event/commands.def"
#undef OP
    COMMAND_ROWS
};
static_assert(COMMAND_ROWS == JB_OPS - 1 - OPS_NOT_GIVEN, "an op has no row in commands.def");

#define F(kind, type, member, names)                                                               \
    {#member, JB_FK_##kind, offsetof(struct jb_event, type.member), names, 1, 0},
#define F2(kind, type, member, names)                                                              \
    {#member, JB_FK_##kind, offsetof(struct jb_event, type.member), names, 2, 0},
#define EVENT(number, NAME, name, version, meaning, ...)                                           \
    static const struct jb_field_info fields_##name[] = {                                          \
        __VA_ARGS__{NULL, JB_FK_UINT, 0, NULL, 0, 0}};                                             \
    static_assert((number) == JB_EV_##NAME, "event number differs from the enum: " #name);
#include "event/events.def"
#undef EVENT
#undef F
#undef F2

/* Each kind of field has one C type: what encodes, decodes and prints by kind relies on it. */
#define C_TEXT struct jb_text
#define C_OPT_TEXT struct jb_text
#define C_ORDINAL uint32_t
#define C_UINT uint32_t
#define C_AMOUNT jb_amount
#define C_AMOUNT0 jb_amount
#define C_INT int64_t
#define C_NAME uint32_t
#define C_BOOL bool
#define C_REF uint64_t
#define C_SEQ jb_seq
#define C_DAY jb_day
#define C_OPT_INSTANT jb_instant
#define C_ID16 uint8_t *
#define C_SPLIT struct jb_parts
#define C_PARTS_FROM struct jb_parts
#define C_PARTS_TO struct jb_parts
#define C_FIGURES struct jb_figures
#define C_TOTALS struct jb_totals
#define F(kind, type, member, names)                                                               \
    static_assert(_Generic(((struct jb_event *)0)->type.member, C_##kind : 1, default : 0),        \
                  "the type of a member is not that of its kind: " #type "." #member);
#define F2 F
#define EVENT(number, NAME, name, version, meaning, ...) __VA_ARGS__
#include "event/events.def"
#undef EVENT
#undef F
#undef F2

enum event_row {
#define EVENT(number, NAME, ...) ROW_OF_EVENT_##NAME,
#include "event/events.def"
#undef EVENT
    EVENT_ROWS
};
/* 52 to 78 are not given yet. */
#define TYPES_NOT_GIVEN 27
static_assert(EVENT_ROWS == JB_EV_TYPES - 1 - TYPES_NOT_GIVEN, "an event has no row in events.def");

static const struct jb_event_type_info types[JB_EV_TYPES] = {
#define F(kind, type, member, names) +1
#define F2 F
#define EVENT(number, NAME, name, version, meaning, ...)                                           \
    [number] = {#name, version, 0 __VA_ARGS__, fields_##name, meaning},
#include "event/events.def"
#undef EVENT
#undef F
#undef F2
};

const struct jb_event_type_info *
jb_event_type_get(uint32_t type)
{
    return type < JB_EV_TYPES && types[type].name != NULL ? &types[type] : NULL;
}

uint32_t
jb_event_fields_n(const struct jb_event_type_info *type, uint32_t version)
{
    uint32_t n = type->fields_n;
    while (n > 0 && type->fields[n - 1].since > version) {
        n--;
    }
    return n;
}

void
jb_event_set_version(struct jb_event *e)
{
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    bool first = e->type == JB_EV_DAY_CLOSED && e->day_closed.totals.n <= JB_TOTALS_1;
    e->version = type == NULL || first ? 1 : type->version;
    e->flags = e->version > 1 ? e->flags | JB_EVF_VERSION : e->flags & ~(uint32_t)JB_EVF_VERSION;
}

const struct jb_names *
jb_names_get(jb_list list)
{
    static const struct jb_names *const lists[] = {
        [JB_LIST_WALLET_KIND] = &jb_wallet_kind_names,
        [JB_LIST_WALLET_STATUS] = &jb_wallet_status_names,
        [JB_LIST_METHOD] = &jb_method_names,
        [JB_LIST_ORIGIN] = &jb_origin_names,
        [JB_LIST_REASON] = &jb_reason_names,
        [JB_LIST_SCOPE] = &jb_scope_names,
        [JB_LIST_FAILURE] = &jb_failure_names,
        [JB_LIST_POLICY] = &jb_policy_names,
        [JB_LIST_GRANT_STATE] = &jb_grant_state_names,
        [JB_LIST_REFUND_STATE] = &jb_refund_state_names,
        [JB_LIST_ROLE] = &jb_role_names,
        [JB_LIST_HOW] = &jb_how_names,
        [JB_LIST_LEFT] = &jb_left_names,
        [JB_LIST_CHANNEL_KIND] = &jb_channel_kind_names,
        [JB_LIST_SETTLEMENT] = &jb_settlement_names,
        [JB_LIST_PERSON_STATE] = &jb_person_state_names,
        [JB_LIST_CHANNEL_STATE] = &jb_channel_state_names,
        [JB_LIST_BIZ_STATE] = &jb_biz_state_names,
        [JB_LIST_SALES_STATE] = &jb_sales_state_names,
        [JB_LIST_INVOICE_KIND] = &jb_invoice_kind_names,
        [JB_LIST_INVOICE_REASON] = &jb_invoice_reason_names,
        [JB_LIST_INVOICE_WHY] = &jb_invoice_why_names,
        [JB_LIST_MAIL_RESULT] = &jb_mail_result_names,
        [JB_LIST_INVOICE_STATE] = &jb_invoice_state_names,
    };
    return (size_t)list < sizeof lists / sizeof lists[0] ? lists[list] : NULL;
}

const char *
jb_name_word(const struct jb_names *names, uint32_t number)
{
    return names != NULL && number < names->n ? names->words[number] : NULL;
}

bool
jb_name_number(const struct jb_names *names, const char *word, size_t n, uint32_t *ret)
{
    if (names == NULL || word == NULL || ret == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < names->n; i++) {
        if (names->words[i] != NULL && strlen(names->words[i]) == n &&
            memcmp(names->words[i], word, n) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

const char *
jb_code_word(uint32_t code)
{
    return jb_name_word(&jb_code_names, code);
}

uint32_t
jb_op_from_name(const char *name, size_t n)
{
    uint32_t op;
    return jb_name_number(&jb_op_names, name, n, &op) ? op : 0;
}

const char *
jb_subject_word(uint32_t kind)
{
    static const char *const words[JB_SUBJECT_KINDS] = {
        NULL,
        [JB_SUBJECT_CHANNEL] = "CHANNEL",
        [JB_SUBJECT_CAMPAIGN] = "CAMPAIGN",
        [JB_SUBJECT_GATEWAY] = "GATEWAY",
        [JB_SUBJECT_PERSON] = "PERSON",
    };
    return kind < JB_SUBJECT_KINDS ? words[kind] : NULL;
}

const char *
jb_figure_word(uint32_t name)
{
    static const char *const words[JB_FIG_NAMES] = {
        [JB_FIG_VERSION] = "version",
        [JB_FIG_STATUS] = "status",
        [JB_FIG_AVAILABLE] = "available",
        [JB_FIG_REFUNDABLE] = "refundable",
        [JB_FIG_DEBT] = "debt",
        [JB_FIG_LEFT] = "left",
        [JB_FIG_MIN_CHARGE] = "min_charge",
        [JB_FIG_LIMIT] = "limit",
        [JB_FIG_GRANT_STATE] = "state",
        [JB_FIG_REFUND_STATE] = "state",
        [JB_FIG_EXPIRES_ON] = "expires_on",
        [JB_FIG_GRANTS_MAX] = "grants_max",
        [JB_FIG_NOW] = "now",
        [JB_FIG_BEHIND_US] = "behind_us",
        [JB_FIG_RECORDED_AT] = "recorded_at",
        [JB_FIG_FIRST_OPEN_DAY] = "first_open_day",
        [JB_FIG_DAYS] = "days",
        [JB_FIG_EMPTY_DAYS_MAX] = "empty_days_max",
        [JB_FIG_SEQ] = "seq",
        [JB_FIG_NOT_OFF] = "not_off",
        [JB_FIG_PAID_NOT_ZERO] = "paid_not_zero",
        [JB_FIG_REFUND_OUTSTANDING] = "refund_outstanding",
        [JB_FIG_HAVE] = "have",
        [JB_FIG_HAVE_NOW] = "have_now",
        [JB_FIG_WHO] = "who",
        [JB_FIG_KIND] = "kind",
        [JB_FIG_KINDS] = "kinds",
        [JB_FIG_PERSON_STATE] = "state",
        [JB_FIG_UNTIL] = "until",
        [JB_FIG_MEMBERS_MAX] = "members_max",
        [JB_FIG_WALLETS] = "wallets",
        [JB_FIG_CHANNELS] = "channels",
        [JB_FIG_ROLES] = "roles",
        [JB_FIG_CHANNEL_STATE] = "state",
        [JB_FIG_CHANNEL_KIND] = "channel_kind",
        [JB_FIG_BIZ_STATE] = "state",
        [JB_FIG_SALES_STATE] = "state",
        [JB_FIG_POSTPAID_LIMIT] = "postpaid_limit",
        [JB_FIG_SALES_RIGHT] = "sales_right",
        [JB_FIG_POSTPAID] = "postpaid",
        [JB_FIG_UNINVOICED] = "uninvoiced",
        [JB_FIG_PARTS_MAX] = "parts_max",
        [JB_FIG_MOST] = "most",
        [JB_FIG_AHEAD_US] = "ahead_us",
        [JB_FIG_DAYS_MAX] = "days_max",
        [JB_FIG_INVOICE] = "invoice",
        [JB_FIG_INVOICE_STATE] = "state",
    };
    return name < JB_FIG_NAMES ? words[name] : NULL;
}

const char *
jb_total_word(uint32_t name)
{
    static const char *const words[JB_TOTALS_N] = {
#define JB_X(name) #name,
        JB_TOTALS(JB_X)
#undef JB_X
    };
    return name < JB_TOTALS_N ? words[name] : NULL;
}

/* ---- what generic code asks of an event of any type ---- */

/* Where the first field of those kinds stands in struct jb_event; 0: the type has none. */
#define EVENT(number, NAME, name, version, meaning, ...) [number] = __VA_ARGS__ 0,
#define AT(type, member) (uint16_t) offsetof(struct jb_event, type.member)
#define F2(kind, type, member, names) /* what only a later version has is nobody's first */

static const uint16_t amount_at[JB_EV_TYPES] = {
#define F(kind, type, member, names)                                                               \
    JB_FK_##kind == JB_FK_AMOUNT || JB_FK_##kind == JB_FK_AMOUNT0 ? AT(type, member):
#include "event/events.def"
#undef F
};

static const uint16_t parts_at[JB_EV_TYPES] = {
#define F(kind, type, member, names)                                                               \
    JB_FK_##kind >= JB_FK_SPLIT &&JB_FK_##kind <= JB_FK_PARTS_TO ? AT(type, member):
#include "event/events.def"
#undef F
};

static const uint16_t ordinal_at[JB_EV_TYPES] = {
#define F(kind, type, member, names) JB_FK_##kind == JB_FK_ORDINAL ? AT(type, member):
#include "event/events.def"
#undef F
};

static const uint16_t id_at[JB_EV_TYPES] = {
#define F(kind, type, member, names) JB_FK_##kind == JB_FK_TEXT ? AT(type, member):
#include "event/events.def"
#undef F
};
#undef F2
#undef AT
#undef EVENT

static const void *
member_at(const struct jb_event *e, const uint16_t at[JB_EV_TYPES])
{
    return e != NULL && e->type < JB_EV_TYPES && at[e->type] != 0 ? (const char *)e + at[e->type]
                                                                  : NULL;
}

jb_amount
jb_event_amount(const struct jb_event *e)
{
    const jb_amount *amount = member_at(e, amount_at);
    bool limit = e != NULL && e->type == JB_EV_SETTLEMENT_CHANGED;
    return amount != NULL && !limit ? *amount : 0;
}

struct jb_parts
jb_event_parts(const struct jb_event *e)
{
    const struct jb_parts *parts = member_at(e, parts_at);
    return parts != NULL ? *parts : (struct jb_parts){NULL, 0};
}

void
jb_event_set_parts(struct jb_event *e, struct jb_parts parts)
{
    if (member_at(e, parts_at) != NULL) {
        *(struct jb_parts *)((char *)e + parts_at[e->type]) = parts;
    }
}

uint32_t
jb_event_ordinal(const struct jb_event *e)
{
    const uint32_t *ordinal = member_at(e, ordinal_at);
    return ordinal != NULL ? *ordinal : 0;
}

struct jb_text
jb_event_own_id(const struct jb_event *e)
{
    /* The first texts of these are no ids of what the event makes. */
    static const bool none[JB_EV_TYPES] = {
        [JB_EV_LEDGER_CREATED] = true,  [JB_EV_SEARCH_ID_SET] = true,  [JB_EV_BIZ_REQUESTED] = true,
        [JB_EV_SALES_REQUESTED] = true, [JB_EV_SALES_ACCEPTED] = true, [JB_EV_SALES_REFUSED] = true,
        [JB_EV_SALES_RELEASED] = true};
    const struct jb_text *id =
        e != NULL && e->type < JB_EV_TYPES && !none[e->type] ? member_at(e, id_at) : NULL;
    return id != NULL ? *id : (struct jb_text){NULL, 0};
}

static const uint8_t refs_n[JB_EV_TYPES] = {
#define EVENT(number, NAME, name, version, meaning, ...) [number] = 0 __VA_ARGS__,
#define F(kind, type, member, names) +(JB_FK_##kind == JB_FK_REF)
#define F2 F
#include "event/events.def"
#undef F2
#undef F
#undef EVENT
};

uint64_t
jb_event_highest_ref(const struct jb_event *e)
{
    uint64_t highest = e->actor > e->note ? e->actor : e->note;
    if (e->type >= JB_EV_TYPES || refs_n[e->type] == 0) {
        return highest;
    }
    const struct jb_event_type_info *type = &types[e->type];
    for (uint32_t i = 0; i < type->fields_n; i++) {
        if (type->fields[i].kind == JB_FK_REF) {
            uint64_t ref =
                *(const uint64_t *)(const void *)((const char *)e + type->fields[i].offset);
            highest = ref > highest ? ref : highest;
        }
    }
    return highest;
}
