#include "queries.h"

#include <stdio.h>
#include <string.h>

#include "json_options.h"
#include "members.h"

static const char *const views[] = {"posted", "known", NULL};
static const char *const types[] = {"all", "charge", "consumption", "return", "refund", NULL};
static const char *const langs[] = {"en", "ko", NULL};
static const char *const statuses[] = {"ACTIVE", "OFF", "SUSPENDED", "DELETED", NULL};
static const char *const kinds[] = {"PERSONAL", "BUSINESS", "OVERSEAS", NULL};
static const char *const flows[] = {"any",
#define JB_X(name) #name,
                                    JB_FLOWS(JB_X)
#undef JB_X
                                        NULL};

static const char *const dues[] = {"all", "day", "invoice", "notice", NULL};

bool
due_kind_called(const char *word, uint32_t *ret)
{
    for (uint32_t i = 0; dues[i] != NULL; i++) {
        if (strcmp(word, dues[i]) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

enum {
    WALLET,
    CHANNEL,
    ACTOR,
    QUESTION,
    CHARGE,
    TEXT,
    DAYS,
    LANG,
    AS_OF,
    VIEW,
    FROM_DAY,
    TO_DAY,
    DAY,
    TYPE,
    LIMIT,
    CURSOR,
    FROM,
    PEOPLE,
    OPEN,
    TYPES,
    SINCE,
    UNTIL,
    NEWEST_FIRST,
    OLDEST_FIRST,
    AMOUNT_MIN,
    AMOUNT_MAX,
    FLOW,
    STATUSES,
    KINDS,
    NAME,
    MASTER,
    TOTAL_MIN,
    TOTAL_MAX,
    PAID_MIN,
    PAID_MAX,
    USED_SINCE,
    USED_BEFORE,
    AFTER,
    TIMEOUT_US,
    MONTH,
    INVOICE,
    OUTSIDE,
    KIND,
    MEMBERS
};

#define AT(member) offsetof(struct query, member)
#define SEQ_MAX (UINT64_MAX / 2)
static const struct member_row members[MEMBERS] = {
    [WALLET] = {"wallet", MEMBER_TEXT, AT(wallet), 0, 0, NULL},
    [CHANNEL] = {"channel", MEMBER_TEXT, AT(channel), 0, 0, NULL},
    [ACTOR] = {"actor", MEMBER_TEXT, AT(actor), 0, 0, NULL},
    [QUESTION] = {"question", MEMBER_NUMBER, AT(question), 1, JB_QUESTIONS, NULL},
    [CHARGE] = {"charge", MEMBER_TEXT, AT(charge), 0, 0, NULL},
    [TEXT] = {"text", MEMBER_TEXT, AT(text), 0, 0, NULL},
    [DAYS] = {"days", MEMBER_NUMBER, AT(days), 0, 36500, NULL},
    [LANG] = {"lang", MEMBER_WORD, AT(lang), 0, 0, langs},
    [AS_OF] = {"as_of", MEMBER_AS_OF, AT(as_of), 0, 0, NULL},
    [VIEW] = {"view", MEMBER_WORD, AT(view), 0, 0, views},
    [FROM_DAY] = {"from_day", MEMBER_DAY, AT(from_day), 0, 0, NULL},
    [TO_DAY] = {"to_day", MEMBER_DAY, AT(to_day), 0, 0, NULL},
    [DAY] = {"day", MEMBER_DAY, AT(day), 0, 0, NULL},
    [TYPE] = {"type", MEMBER_WORD, AT(type), 0, 0, types},
    [LIMIT] = {"limit", MEMBER_NUMBER, AT(limit), 1, 10000, NULL},
    [CURSOR] = {"cursor", MEMBER_TEXT, AT(cursor), 0, 0, NULL},
    [FROM] = {"from", MEMBER_NUMBER, AT(from), 1, SEQ_MAX, NULL},
    [PEOPLE] = {"people", MEMBER_FLAG, AT(people), 0, 0, NULL},
    [OPEN] = {"open", MEMBER_FLAG, AT(open), 0, 0, NULL},
    [TYPES] = {"types", MEMBER_TYPES, AT(types), 0, 0, NULL},
    [SINCE] = {"since", MEMBER_AS_OF, AT(since), 0, 0, NULL},
    [UNTIL] = {"until", MEMBER_AS_OF, AT(until), 0, 0, NULL},
    [NEWEST_FIRST] = {"newest_first", MEMBER_FLAG, AT(newest_first), 0, 0, NULL},
    [OLDEST_FIRST] = {"oldest_first", MEMBER_FLAG, AT(oldest_first), 0, 0, NULL},
    [AMOUNT_MIN] = {"amount_min", MEMBER_AMOUNT, AT(amount_min), 0, 0, NULL},
    [AMOUNT_MAX] = {"amount_max", MEMBER_AMOUNT, AT(amount_max), 0, 0, NULL},
    [FLOW] = {"flow", MEMBER_WORD, AT(flow), 0, 0, flows},
    [STATUSES] = {"statuses", MEMBER_SET, AT(statuses), 0, 0, statuses},
    [KINDS] = {"kinds", MEMBER_SET, AT(kinds), 0, 0, kinds},
    [NAME] = {"name", MEMBER_TEXT, AT(name), 0, 0, NULL},
    [MASTER] = {"master", MEMBER_TEXT, AT(master), 0, 0, NULL},
    [TOTAL_MIN] = {"total_min", MEMBER_AMOUNT, AT(total_min), 0, 0, NULL},
    [TOTAL_MAX] = {"total_max", MEMBER_AMOUNT, AT(total_max), 0, 0, NULL},
    [PAID_MIN] = {"paid_min", MEMBER_AMOUNT, AT(paid_min), 0, 0, NULL},
    [PAID_MAX] = {"paid_max", MEMBER_AMOUNT, AT(paid_max), 0, 0, NULL},
    [USED_SINCE] = {"used_since", MEMBER_AS_OF, AT(used_since), 0, 0, NULL},
    [USED_BEFORE] = {"used_before", MEMBER_AS_OF, AT(used_before), 0, 0, NULL},
    [AFTER] = {"after", MEMBER_NUMBER, AT(after), 0, SEQ_MAX, NULL},
    [TIMEOUT_US] = {"timeout_us", MEMBER_NUMBER, AT(timeout_us), 0, INT64_MAX, NULL},
    [MONTH] = {"month", MEMBER_MONTH, AT(month), 0, 0, NULL},
    [INVOICE] = {"invoice", MEMBER_NUMBER, AT(invoice), 1, SEQ_MAX, NULL},
    [KIND] = {"kind", MEMBER_WORD, AT(due), 0, 0, dues},
    [OUTSIDE] = {"outside", MEMBER_FLAG, AT(outside), 0, 0, NULL},
};

static const struct query_info rows[QUERIES] = {
#define M(i) MEMBER(i)
    [QUERY_BALANCE] = {"balance", M(WALLET), M(AS_OF), false},
    [QUERY_CASH_STATUS] = {"cash_status", M(WALLET),
                           M(VIEW) | M(AS_OF) | M(FROM_DAY) | M(TO_DAY) | M(FLOW) | M(AMOUNT_MIN) |
                               M(AMOUNT_MAX) | M(NEWEST_FIRST),
                           false},
    [QUERY_CASH_DAY] = {"cash_day", M(DAY), M(AS_OF), true},
    [QUERY_HISTORY] = {"history", M(WALLET),
                       M(TYPE) | M(AS_OF) | M(LIMIT) | M(CURSOR) | M(PEOPLE) | M(TYPES) | M(SINCE) |
                           M(UNTIL) | M(AMOUNT_MIN) | M(AMOUNT_MAX) | M(OLDEST_FIRST),
                       false},
    [QUERY_REFUSED] = {"refused", M(WALLET), M(AS_OF) | M(LIMIT) | M(CURSOR), false},
    [QUERY_FIND] = {"find", M(TEXT), M(AS_OF) | M(LIMIT) | M(CURSOR) | M(PEOPLE), false},
    [QUERY_WALLETS] = {"wallets", 0,
                       M(AS_OF) | M(LIMIT) | M(CURSOR) | M(STATUSES) | M(KINDS) | M(NAME) |
                           M(MASTER) | M(TOTAL_MIN) | M(TOTAL_MAX) | M(PAID_MIN) | M(PAID_MAX) |
                           M(USED_SINCE) | M(USED_BEFORE),
                       false},
    [QUERY_CHARGES] = {"charges", M(WALLET), M(AS_OF) | M(LIMIT) | M(CURSOR) | M(OPEN), false},
    [QUERY_LOTS] = {"lots", M(WALLET), M(AS_OF) | M(LIMIT) | M(CURSOR) | M(OPEN), false},
    [QUERY_GRANTS] = {"grants", M(WALLET), M(AS_OF) | M(LIMIT) | M(CURSOR) | M(OPEN), false},
    [QUERY_REFUNDS] = {"refunds", 0, M(WALLET) | M(AS_OF) | M(LIMIT) | M(CURSOR) | M(OPEN), false},
    [QUERY_EVENTS] = {"events", 0,
                      M(WALLET) | M(CHANNEL) | M(AS_OF) | M(LIMIT) | M(CURSOR) | M(PEOPLE) |
                          M(TYPES) | M(SINCE) | M(UNTIL) | M(NEWEST_FIRST) | M(AMOUNT_MIN) |
                          M(AMOUNT_MAX),
                      false},
    [QUERY_FEED] = {"feed", 0, M(WALLET) | M(AFTER) | M(LIMIT) | M(CURSOR) | M(PEOPLE), false},
    [QUERY_EXPLAIN] = {"explain", M(WALLET), M(AS_OF) | M(FROM_DAY) | M(TO_DAY) | M(DAY) | M(SINCE),
                       false},
    [QUERY_RECEIPTS] = {"receipts", M(WALLET), M(AS_OF) | M(LIMIT) | M(CURSOR), false},
    [QUERY_STATEMENT] = {"statement", M(WALLET) | M(FROM_DAY) | M(TO_DAY), M(AS_OF), false},
    [QUERY_REPORT] = {"report", M(WALLET) | M(MONTH), M(AS_OF), false},
    [QUERY_TOTALS] = {"totals", 0, M(AS_OF), false},
    [QUERY_EXPIRING] = {"expiring", 0, M(WALLET) | M(DAYS) | M(AS_OF) | M(LIMIT) | M(CURSOR),
                        false},
    [QUERY_WHO] = {"who", M(WALLET), M(PEOPLE), false},
    [QUERY_MAY] = {"may", M(WALLET) | M(ACTOR), M(CHANNEL) | M(PEOPLE), false},
    [QUERY_ROLES] = {"roles", 0, 0, false},
    [QUERY_CHANNEL] = {"channel", M(CHANNEL), M(PEOPLE), false},
    [QUERY_BIZ] = {"biz", 0, M(WALLET) | M(CHANNEL) | M(LIMIT) | M(CURSOR) | M(PEOPLE), false},
    [QUERY_CAN_DELETE] = {"can_delete", M(WALLET), 0, false},
    [QUERY_ANSWER] = {"answer", M(WALLET) | M(QUESTION),
                      M(CHANNEL) | M(CHARGE) | M(MONTH) | M(LANG) | M(PEOPLE), false},
    [QUERY_INVOICES] = {"invoices", M(WALLET), M(MONTH) | M(AS_OF) | M(LIMIT) | M(CURSOR), false},
    [QUERY_INVOICE] = {"invoice", M(INVOICE), M(AS_OF) | M(PEOPLE), false},
    [QUERY_DUE] = {"due", 0, M(OUTSIDE) | M(KIND) | M(AS_OF) | M(LIMIT) | M(CURSOR), false},
    [QUERY_LOG] = {"log", 0, M(FROM) | M(LIMIT) | M(PEOPLE), true},
    [QUERY_STAT] = {"stat", 0, 0, false},
    [QUERY_INFO] = {"info", 0, 0, false},
    [QUERY_HEAD] = {"head", 0, 0, false},
    [QUERY_WAIT] = {"wait", M(AFTER), M(TIMEOUT_US), false},
    [QUERY_POLICIES] = {"policies", 0, 0, false},
    [QUERY_PEOPLE] = {"people", 0, 0, false},
    [QUERY_COMMANDS] = {"commands", 0, 0, false},
    [QUERY_QUERIES] = {"queries", 0, 0, false},
#undef M
};

struct query
query_of(enum query_kind kind)
{
    return (struct query){.kind = kind,
                          .day = JB_NO_DAY,
                          .from_day = JB_NO_DAY,
                          .to_day = JB_NO_DAY,
                          .from = 1,
                          .limit = 100,
                          .days = QUERY_DAYS,
                          .lang = QUERY_LANG_OF_HANDLE,
                          .timeout_us = JB_US_PER_SECOND};
}

static const char *
nth_query(unsigned i)
{
    return i < QUERIES ? rows[i].name : NULL;
}

enum query_kind
query_called(const char *name, size_t n)
{
    int i = 0;
    while (i < QUERIES && (strlen(rows[i].name) != n || memcmp(rows[i].name, name, n) != 0)) {
        i++;
    }
    return (enum query_kind)i;
}

const struct query_info *
query_info_get(unsigned kind)
{
    return kind < QUERIES ? &rows[kind] : NULL;
}

const struct member_row *
query_member_get(unsigned i)
{
    return i < MEMBERS ? &members[i] : NULL;
}

static bool
no_query(struct jb_text ask, struct bad_line *bad)
{
    const char *near = nearest_word(ask.s, ask.n, nth_query);
    return near != NULL ? wrong(bad, JB_CODE_MALFORMED, "ask",
                                "there is no query %.40s; do you mean %s?", ask.s, near)
                        : wrong(bad, JB_CODE_MALFORMED, "ask", "there is no query %.40s", ask.s);
}

static bool
query_read(json_t *root, struct query *ret, struct bad_line *bad)
{
    const struct jb_text ask = text_of(json_object_get(root, "ask"));
    uint64_t has;
    if (!json_is_object(root) || ask.s == NULL) {
        return wrong(bad, JB_CODE_MALFORMED, json_is_object(root) ? "ask" : NULL,
                     "a query is a JSON object, like {\"ask\":\"balance\",\"wallet\":\"W1\"}");
    }
    const enum query_kind kind = query_called(ask.s, ask.n);
    if (kind == QUERIES) {
        return no_query(ask, bad);
    }
    *ret = query_of(kind);
    if (!members_read(root, members, MEMBERS, rows[kind].required | rows[kind].optional, "ask",
                      rows[kind].name, ret, &has, bad)) {
        return false;
    }
    for (uint32_t i = 0; i < MEMBERS; i++) {
        if ((rows[kind].required & ~has & MEMBER(i)) != 0) {
            return wrong(bad, JB_CODE_MALFORMED, members[i].name, "%s needs `%s`", rows[kind].name,
                         members[i].name);
        }
    }
    ret->not_open = (has & MEMBER(OPEN)) != 0 && ret->open == 0;
    if ((has & MEMBER(AS_OF)) != 0 && (has & MEMBER(CURSOR)) != 0) {
        return wrong(bad, JB_CODE_MALFORMED, "as_of",
                     "a cursor goes on as of the moment of the first page: leave as_of out");
    }
    return true;
}

bool
query_from_json(struct json_pool *pool, const char *text, size_t n, struct query *ret,
                struct bad_line *bad)
{
    json_t *root = parse_begin(pool, TEXT_QUERY, text, n, bad);
    return parse_end(pool, root != NULL && query_read(root, ret, bad), bad);
}

static void
names_json(struct out *o, const char *key, uint64_t set)
{
    js_open(o, key, '[');
    for (uint32_t i = 0; i < MEMBERS; i++) {
        if ((set & MEMBER(i)) != 0) {
            js_str(o, NULL, members[i].name);
        }
    }
    js_close(o, ']');
}

void
queries_json(struct out *o)
{
    js_open(o, NULL, '{');
    js_open(o, "queries", '[');
    for (int i = 0; i < QUERIES; i++) {
        js_open(o, NULL, '{');
        js_str(o, "ask", rows[i].name);
        names_json(o, "required", rows[i].required);
        names_json(o, "optional", rows[i].optional);
        js_str(o, "answer", rows[i].lines ? "lines" : "object");
        js_close(o, '}');
    }
    js_close(o, ']');
    members_json(o, "members", members, MEMBERS);
    options_json(o);
    js_close(o, '}');
}

/* ---- members in addresses ---- */

static bool
text_is(struct jb_text t, const char *word)
{
    return strlen(word) == t.n && memcmp(word, t.s, t.n) == 0;
}

/* As JSON writes a whole number: no sign before 0, no 0 before other digits. */
static bool
is_whole(struct jb_text t)
{
    const size_t sign = t.n > 0 && t.s[0] == '-' ? 1 : 0;
    if (t.n == sign || (t.s[sign] == '0' && t.n != 1)) {
        return false;
    }
    for (size_t i = sign; i < t.n; i++) {
        if (t.s[i] < '0' || t.s[i] > '9') {
            return false;
        }
    }
    return true;
}

static void
list_json(struct out *o, const char *name, struct jb_text value)
{
    js_open(o, name, '[');
    while (value.n > 0) {
        const char *comma = memchr(value.s, ',', value.n);
        const size_t n = comma != NULL ? (size_t)(comma - value.s) : value.n;
        const size_t past = comma != NULL ? n + 1 : n;
        js_text(o, NULL, (struct jb_text){value.s, n});
        value = (struct jb_text){value.s + past, value.n - past};
    }
    js_close(o, ']');
}

bool
query_member_json(struct out *o, struct jb_text name, struct jb_text value)
{
    const struct member_row *row = NULL;
    for (unsigned i = 0; i < MEMBERS && row == NULL; i++) {
        row = text_is(name, members[i].name) ? &members[i] : NULL;
    }
    if (row == NULL) {
        return false;
    }
    const bool numeric =
        row->kind == MEMBER_NUMBER || row->kind == MEMBER_AMOUNT || row->kind == MEMBER_AS_OF;
    if (row->kind == MEMBER_TYPES || row->kind == MEMBER_SET) {
        list_json(o, row->name, value);
    } else if ((numeric && is_whole(value)) ||
               (row->kind == MEMBER_FLAG && (text_is(value, "true") || text_is(value, "false")))) {
        js_member(o, row->name);
        out_bytes(o, value.s, value.n);
    } else {
        js_text(o, row->name, value);
    }
    return true;
}
