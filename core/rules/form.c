/* The form of a command: everything that can be said about it without a ledger. */
#include "base/calendar.h"
#include "base/lang.h"
#include "base/text.h"
#include "event/command_table.h"
#include "rules/decide.h"
#include "event/names.h"

#include <assert.h>
#include <stdio.h>

struct complaint {
    char *why;
    size_t n;
};

static jb_code
malformed(struct complaint *c, const char *field, const char *rule)
{
    snprintf(c->why, c->n, jb_tr("%s %s"), field, jb_tr(rule));
    return JB_CODE_MALFORMED;
}

/* The ids that each op makes, and does not only name. */
static const uint64_t makes[JB_OPS] = {
    [JB_OP_WALLET_CREATE] = JB_HAS(JB_CF_WALLET),
    [JB_OP_CHARGE] = JB_HAS(JB_CF_CHARGE),
    [JB_OP_FREE_GRANT] = JB_HAS(JB_CF_GRANT),
    [JB_OP_CONSUME] = JB_HAS(JB_CF_USAGE),
    [JB_OP_REFUND_REQUEST] = JB_HAS(JB_CF_REFUND),
    [JB_OP_CHANNEL_CREATE] = JB_HAS(JB_CF_CHANNEL) | JB_HAS(JB_CF_PERSON),
    [JB_OP_ROLE_GIVE] = JB_HAS(JB_CF_AGENCY) | JB_HAS(JB_CF_PERSON),
    [JB_OP_MEMBER_INVITE] = JB_HAS(JB_CF_PERSON),
    [JB_OP_MANAGER_ADD] = JB_HAS(JB_CF_PERSON),
    [JB_OP_BIZ_REQUEST] =
        JB_HAS(JB_CF_BIZ_NAME) | JB_HAS(JB_CF_REPRESENTATIVE) | JB_HAS(JB_CF_ADDRESS),
};

static jb_code
check_visible(const char *field, bool visible, struct complaint *complaint)
{
    return visible ? JB_CODE_NONE
                   : malformed(complaint, field,
                               "has characters that show nothing or turn the line around, or "
                               "shows nothing at all; write it without them");
}

/* What no command can mean: the caller's program is wrong, not its command. */
static jb_code
nonsense(struct complaint *c, const char *field, const char *rule)
{
    snprintf(c->why, c->n, jb_tr("%s %s"), field, jb_tr(rule));
    return JB_FORM_NONSENSE;
}

/* ---- members and their bits ---- */

#define H(field) JB_HAS(JB_CF_##field)
#define IDS (H(CHARGE) | H(GRANT) | H(USAGE) | H(REFUND)) /* one member, `id` */

#define FIRST_RARE offsetof(struct jb_command, kind)
static_assert(sizeof(struct jb_command) - FIRST_RARE ==
                  14 * 4 + 8 * 8 + 21 * sizeof(struct jb_text) + 16,
              "has_more() looks at members only, not at padding");
#define RARE_WORDS ((sizeof(struct jb_command) - FIRST_RARE) / 8)

static bool
text_is_set(const struct jb_text *t)
{
    return t->s != NULL || t->n != 0;
}

static inline uint64_t
word_at(const char *at, size_t i)
{
    uint64_t word;
    memcpy(&word, at + i * sizeof word, sizeof word);
    return word;
}

/* Whether anything is set beside what a plain command has. This comes first because looking at each
 * member by itself would cost a plain consumption a twentieth of its time. */
static inline bool
has_more(const struct jb_command *c)
{
    const char *at = (const char *)c + FIRST_RARE;
    uint64_t all = c->overdraft | c->force, other = 0;
    size_t left = RARE_WORDS;
    for (; left >= 6; left -= 6, at += 6 * sizeof all) { /* six loads that wait for nothing */
        all |= word_at(at, 0) | word_at(at, 1) | word_at(at, 2);
        other |= word_at(at, 3) | word_at(at, 4) | word_at(at, 5);
    }
    for (; left > 0; left--, at += sizeof all) {
        all |= word_at(at, 0);
    }
    return (all | other) != 0;
}

static bool
is_set(const struct jb_command *c, unsigned field)
{
    const struct jb_command_field_info *f = &jb_command_fields[field];
    const void *at = (const char *)c + f->offset;
    switch (f->kind) {
    case JB_CK_ID:
    case JB_CK_SHORT:
    case JB_CK_KEY:
    case JB_CK_REF:
    case JB_CK_CALLER:
    case JB_CK_NAME:
    case JB_CK_TEXT:
    case JB_CK_SEARCH_ID:
    case JB_CK_BIZ:
    case JB_CK_LINE:
    case JB_CK_EMAIL:
        return text_is_set(at);
    case JB_CK_AMOUNT:
    case JB_CK_AMOUNT0:
    case JB_CK_UINT:
    case JB_CK_INSTANT:
    case JB_CK_VALUE:
        return *(const int64_t *)at != 0;
    case JB_CK_WORD:
    case JB_CK_MONTH:
        return *(const uint32_t *)at != 0;
    case JB_CK_DAY:
        return *(const jb_day *)at != 0;
    case JB_CK_BOOL:
        return *(const uint8_t *)at != 0;
    case JB_CK_ACTOR:
        return text_is_set(&c->actor_id) || text_is_set(&c->actor_role);
    case JB_CK_COMMANDS:
        break;
    }
    return c->commands != NULL || c->commands_n != 0;
}

static jb_code
without_bit(struct complaint *c, const char *field)
{
    snprintf(c->why, c->n, jb_tr("%s is set, but its bit in `has` is not; so it would be ignored"),
             field);
    return JB_FORM_NONSENSE;
}

/* A member that is set without its bit would be ignored in silence: a key, and the command is
 * booked twice. */
static jb_code
check_bits(const struct jb_command *c, struct complaint *complaint)
{
    uint64_t has = c->has;
    if ((has & IDS) == 0 && text_is_set(&c->id)) {
        return without_bit(complaint, "id");
    }
    if (!has_more(c) && ((has & H(WALLET)) != 0 || !text_is_set(&c->wallet)) &&
        ((has & H(AMOUNT)) != 0 || c->amount == 0) &&
        ((has & H(KEY)) != 0 || !text_is_set(&c->key))) {
        return JB_CODE_NONE;
    }
    uint64_t absent = ~(has | IDS) & (JB_HAS(JB_CF_N) - 1);
    for (; absent != 0; absent &= absent - 1) {
        unsigned field = (unsigned)__builtin_ctzll(absent);
        if (jb_command_fields[field].name != NULL && is_set(c, field)) {
            return without_bit(complaint, jb_command_fields[field].name);
        }
    }
    if (c->reserved != 0 || c->reserved_too != 0) {
        return nonsense(complaint, "reserved", "is not 0");
    }
    return JB_CODE_NONE;
}

/* ---- values ---- */

/* A text that is somewhere. */
static jb_code
check_address(const struct jb_text *t, const char *field, struct complaint *complaint)
{
    return (t->s == NULL && t->n != 0) || t->n > PTRDIFF_MAX
               ? nonsense(complaint, field, "is a text without an address, or without an end")
               : JB_CODE_NONE;
}

static jb_code
check_actor(const struct jb_command *c, struct complaint *complaint)
{
    jb_code code = check_address(&c->actor_id, "actor.id", complaint);
    code = code == JB_CODE_NONE ? check_address(&c->actor_role, "actor.role", complaint) : code;
    if (code != JB_CODE_NONE) {
        return code;
    }
    if (!jb_id_valid(c->actor_id, JB_ID_BYTES_MAX)) {
        return malformed(
            complaint, "actor.id",
            "must be 1 to 64 bytes of UTF-8 without white space and control characters");
    }
    return c->actor_role.s == NULL || jb_id_valid(c->actor_role, JB_SHORT_BYTES_MAX)
               ? JB_CODE_NONE
               : malformed(complaint, "actor.role",
                           "must be 1 to 32 bytes of UTF-8 without white space and control "
                           "characters");
}

/* What people read in one line, of at most so many characters. */
static jb_code
check_line(const struct jb_command *c, unsigned field, struct complaint *complaint)
{
    const struct jb_command_field_info *f = &jb_command_fields[field];
    const struct jb_text *t = (const void *)((const char *)c + f->offset);
    const size_t most = field == JB_CF_ADDRESS      ? JB_ADDRESS_CHARACTERS_MAX
                        : field == JB_CF_MAIL_ORDER ? JB_MAIL_ORDER_CHARACTERS_MAX
                                                    : JB_BIZ_NAME_CHARACTERS_MAX;
    /* What people call a character may be several code points; but a text has its bounds. */
    const size_t codepoints = most * JB_CHARACTER_CODEPOINTS_MAX < JB_NOTE_CODEPOINTS_MAX
                                  ? most * JB_CHARACTER_CODEPOINTS_MAX
                                  : JB_NOTE_CODEPOINTS_MAX;
    if (jb_prose_valid(*t, codepoints, false) && jb_graphemes(*t) <= most) {
        return check_visible(f->name, jb_prose_visible(*t), complaint);
    }
    snprintf(complaint->why, complaint->n,
             jb_tr("%s must be 1 to %zu characters of UTF-8 without control characters"), f->name,
             most);
    return JB_CODE_MALFORMED;
}

static jb_code
check_search_id(struct jb_text t, struct complaint *complaint)
{
    char id[JB_SEARCH_ID_BYTES_MAX];
    if (jb_search_id_nfc(t, id) != 0) {
        return JB_CODE_NONE;
    }
    snprintf(
        complaint->why, complaint->n,
        jb_tr("search_id must be 1 to %d Hangul syllables, lowercase letters a to z, digits; - "
              "and _ where the policy search_id_marks allows them"),
        JB_SEARCH_ID_CODEPOINTS_MAX);
    return JB_CODE_SEARCH_ID_INVALID;
}

static bool
is_registration(struct jb_text t)
{
    for (size_t i = 0; i < t.n; i++) {
        if (t.s[i] < '0' || t.s[i] > '9') {
            return false;
        }
    }
    return t.n == JB_BIZ_DIGITS;
}

/* Whether mail arrives only sending it can tell. */
static bool
is_email(struct jb_text t)
{
    const char *at = t.n > 0 ? memchr(t.s, '@', t.n) : NULL;
    return at != NULL && jb_id_valid(t, JB_EMAIL_BYTES_MAX) && jb_id_visible(t) && at != t.s &&
           at + 1 < t.s + t.n && memchr(at + 1, '@', (size_t)(t.s + t.n - at - 1)) == NULL;
}

static jb_code
check_value(const struct jb_command *c, unsigned field, struct complaint *complaint)
{
    const struct jb_command_field_info *f = &jb_command_fields[field];
    const void *at = (const char *)c + f->offset;
    const struct jb_text *t = at;
    if (jb_command_kind_is_text(f->kind) && check_address(t, f->name, complaint) != JB_CODE_NONE) {
        return JB_FORM_NONSENSE;
    }
    switch (f->kind) {
    case JB_CK_ID:
        return jb_id_valid(*t, JB_ID_BYTES_MAX)
                   ? check_visible(f->name,
                                   (makes[c->op] & JB_HAS(field)) == 0 || jb_id_visible(*t),
                                   complaint)
                   : malformed(complaint, f->name,
                               "must be 1 to 64 bytes of UTF-8 without white space and control "
                               "characters");
    case JB_CK_SHORT:
        return jb_id_valid(*t, JB_SHORT_BYTES_MAX)
                   ? JB_CODE_NONE
                   : malformed(complaint, f->name,
                               "must be 1 to 32 bytes of UTF-8 without white space and control "
                               "characters");
    case JB_CK_KEY:
        return jb_id_valid(*t, JB_KEY_BYTES_MAX)
                   ? JB_CODE_NONE
                   : malformed(complaint, f->name,
                               "must be 1 to 300 bytes of UTF-8 without white space and control "
                               "characters");
    case JB_CK_REF:
        return jb_id_valid(*t, JB_TXN_REF_BYTES_MAX)
                   ? JB_CODE_NONE
                   : malformed(complaint, f->name,
                               "must be 1 to 200 bytes of UTF-8 without white space and control "
                               "characters");
    case JB_CK_CALLER:
        if ((c->has & JB_HAS(JB_CF_KEY)) == 0) {
            return malformed(complaint, f->name, "is the scope of a key, and there is none");
        }
        return t->n == 0 || jb_id_valid(*t, JB_SHORT_BYTES_MAX)
                   ? JB_CODE_NONE
                   : malformed(complaint, f->name,
                               "must be at most 32 bytes of UTF-8 without white space and control "
                               "characters");
    case JB_CK_NAME:
        if (!jb_prose_valid(*t, JB_NAME_CODEPOINTS_MAX, false) ||
            jb_graphemes(*t) > JB_NAME_CHARACTERS_MAX) {
            return malformed(complaint, f->name,
                             "must be 1 to 20 characters of UTF-8 without control characters");
        }
        return check_visible(f->name, jb_prose_visible(*t), complaint);
    case JB_CK_TEXT:
        return jb_prose_valid(*t, JB_NOTE_CODEPOINTS_MAX, true)
                   ? check_visible(f->name, jb_prose_visible(*t), complaint)
                   : malformed(complaint, f->name, "must be 1 to 500 characters of UTF-8");
    case JB_CK_LINE:
        return check_line(c, field, complaint);
    case JB_CK_SEARCH_ID:
        return check_search_id(*t, complaint);
    case JB_CK_BIZ:
        return is_registration(*t)
                   ? JB_CODE_NONE
                   : malformed(complaint, f->name,
                               "must be a registration number of ten digits, without hyphens");
    case JB_CK_EMAIL:
        return is_email(*t) ? JB_CODE_NONE
                            : malformed(complaint, f->name,
                                        "must be a mail address, name@place, of 3 to 254 bytes");
    case JB_CK_AMOUNT0:
        return *(const jb_amount *)at >= 0 && *(const jb_amount *)at <= JB_AMOUNT_MAX
                   ? JB_CODE_NONE
                   : malformed(complaint, f->name,
                               "must be 0 to 999999999999999, in the currency's minor unit");
    case JB_CK_AMOUNT:
        if (c->amount <= 0) {
            snprintf(
                complaint->why, complaint->n, "%s",
                jb_tr("amount must be a whole number from 1 on, in the currency's minor unit"));
            return JB_CODE_AMOUNT_INVALID;
        }
        if (c->amount > JB_AMOUNT_MAX) {
            snprintf(complaint->why, complaint->n, "%s",
                     jb_tr("amount is above the limit of 999999999999999"));
            return JB_CODE_AMOUNT_RANGE;
        }
        return JB_CODE_NONE;
    case JB_CK_WORD:
        return jb_name_word(f->names, *(const uint32_t *)at) != NULL
                   ? JB_CODE_NONE
                   : nonsense(complaint, f->name, "has no such value");
    case JB_CK_DAY:
        return *(const jb_day *)at >= JB_DAY_MIN && *(const jb_day *)at <= JB_DAY_MAX
                   ? JB_CODE_NONE
                   : malformed(complaint, f->name, "must be a day of the years 1 to 9999");
    case JB_CK_MONTH:
        return jb_month_valid(*(const uint32_t *)at)
                   ? JB_CODE_NONE
                   : malformed(complaint, f->name, "must be a month of the years 1 to 9999");
    case JB_CK_INSTANT:
        return *(const jb_instant *)at >= JB_INSTANT_MIN &&
                       *(const jb_instant *)at <= JB_INSTANT_MAX
                   ? JB_CODE_NONE
                   : malformed(complaint, f->name, "must be an instant of the years 1 to 9999");
    case JB_CK_ACTOR:
        return check_actor(c, complaint);
    case JB_CK_BOOL:
        return *(const uint8_t *)at <= 1 ? JB_CODE_NONE
                                         : nonsense(complaint, f->name, "is neither 0 nor 1");
    case JB_CK_UINT:
    case JB_CK_VALUE:
    case JB_CK_COMMANDS:
        break;
    }
    return JB_CODE_NONE;
}

/* A ledger's rules go up and never down, from the event on that says so. Rules 1 have no such
 * event: so there is nothing lower to go to. */
static jb_code
check_rules(const struct jb_command *c, struct complaint *complaint)
{
    static_assert(JB_RULES == 2, "with a third set, going down has to be refused by the state");
    if (c->value != JB_RULES) {
        snprintf(complaint->why, complaint->n,
                 jb_tr("value of rules must be %d: rules never go down, and this version knows no "
                       "later ones"),
                 JB_RULES);
        return JB_CODE_MALFORMED;
    }
    return (c->has & JB_HAS(JB_CF_FROM)) == 0
               ? JB_CODE_NONE
               : malformed(complaint, "rules", "take no from: they hold from their event on");
}

int64_t
jb_policy_most(uint32_t policy)
{
    static const int64_t most[JB_POLICIES] = {
        [JB_POLICY_MIN_CHARGE] = JB_AMOUNT_MAX,
        [JB_POLICY_DAY_CLOSE] = 1,
        [JB_POLICY_DAY_CLOSE_GRACE] = 366 * 86400,
        [JB_POLICY_GRANTS_MAX] = 65536,
        /* A hundred years: the way back after the clock has jumped ahead. */
        [JB_POLICY_CLOCK_TOLERANCE] = INT64_C(36525) * 86400,
        [JB_POLICY_EMPTY_DAYS_MAX] = 3652059,
        [JB_POLICY_VAT_RATE] = 100,
        [JB_POLICY_ROLES] = JB_MATRICES,
        [JB_POLICY_INVITE_DAYS] = 3652059,
        [JB_POLICY_MEMBERS_MAX] = 65536,
        [JB_POLICY_BIZ_RETENTION_DAYS] = 3652059,
        [JB_POLICY_SEARCH_ID_MARKS] = 3,
        [JB_POLICY_RULES] = JB_RULES,
        [JB_POLICY_CLOCK_AHEAD_MAX] = 3652059,
        [JB_POLICY_AT_BACK_MAX] = 3652059,
        [JB_POLICY_INVOICE_FROM] = 999912,
        [JB_POLICY_INVOICE_DAY] = 28,
        [JB_POLICY_NOTICE_DAYS] = 3652059,
        [JB_POLICY_RECEIPT_TAX] = 2,
    };
    return policy < JB_POLICIES ? most[policy] : 0;
}

/* The first month with invoices. */
static jb_code
check_invoice_from(const struct jb_command *c, struct complaint *complaint)
{
    if (!jb_month_valid(c->value)) {
        return malformed(complaint, "invoice_from",
                         "is a month as a number, like 202603, from 101 to 999912");
    }
    return (c->has & JB_HAS(JB_CF_FROM)) == 0
               ? JB_CODE_NONE
               : malformed(complaint, "invoice_from", "takes no from: it says by itself from when");
}

static jb_code
check_policy(const struct jb_command *c, struct complaint *complaint)
{
    if (c->policy == JB_POLICY_RULES) {
        return check_rules(c, complaint);
    }
    if (c->policy == JB_POLICY_INVOICE_FROM) {
        return check_invoice_from(c, complaint);
    }
    if (c->value < 0 || c->value > jb_policy_most(c->policy)) {
        snprintf(complaint->why, complaint->n, jb_tr("value of %s must be 0 to %lld"),
                 jb_name_word(&jb_policy_names, c->policy), (long long)jb_policy_most(c->policy));
        return JB_CODE_MALFORMED;
    }
    return c->policy != JB_POLICY_ROLES || (c->has & JB_HAS(JB_CF_FROM)) == 0
               ? JB_CODE_NONE
               : malformed(complaint, "roles",
                           "takes no from: whether it can be switched on shows only now");
}

/* The member that says what the command is about: one of several. */
static jb_code
check_one_of(const struct jb_command *c, uint64_t several, const char *words,
             struct complaint *complaint)
{
    uint64_t given = c->has & several;
    return given != 0 && (given & (given - 1)) == 0
               ? JB_CODE_NONE
               : malformed(complaint, jb_ops[c->op].name, words);
}

static jb_code
check_role(const struct jb_command *c, struct complaint *complaint)
{
    bool agency = (c->has & H(AGENCY)) != 0;
    if (c->role != JB_ROLE_OPERATOR && c->role != JB_ROLE_GATEWAY && c->role != JB_ROLE_SYSTEM &&
        c->role != JB_ROLE_AGENCY) {
        return malformed(complaint, "role",
                         "must be OPERATOR, GATEWAY, SYSTEM or AGENCY: the others come with "
                         "wallets and channels");
    }
    return agency == (c->role == JB_ROLE_AGENCY)
               ? JB_CODE_NONE
               : malformed(complaint, "agency", "belongs to the role AGENCY, and only to that one");
}

/* What members say together, of the ops that need more than the table tells. */
static jb_code
check_together(const struct jb_command *c, bool member, struct complaint *complaint)
{
    if (c->op == JB_OP_ROLE_GIVE || c->op == JB_OP_ROLE_TAKE) {
        return check_role(c, complaint);
    }
    if (c->op == JB_OP_FORGET) {
        return member ? malformed(complaint, "forget", "cannot stand in a group")
                      : check_one_of(c, H(PERSON) | H(WALLET) | H(BIZ),
                                     "needs a person, a wallet or a biz, and only one of them",
                                     complaint);
    }
    bool biz =
        c->op == JB_OP_BIZ_REQUEST || c->op == JB_OP_BIZ_APPROVE || c->op == JB_OP_BIZ_REFUSE;
    return biz ? check_one_of(c, H(WALLET) | H(CHANNEL),
                              "needs a wallet or a channel, and not both", complaint)
               : JB_CODE_NONE;
}

static jb_code
check_group(const struct jb_command *c, bool clock_at, struct complaint *complaint)
{
    if (c->commands == NULL && c->commands_n != 0) {
        return nonsense(complaint, "commands", "is NULL, and commands_n is not 0");
    }
    if (c->commands_n == 0) {
        return malformed(complaint, "commands", "must hold at least one command");
    }
    if (c->commands_n > JB_GROUP_COMMANDS_MAX) {
        snprintf(complaint->why, complaint->n,
                 jb_tr("a group has %zu commands; at most %d fit into one"), c->commands_n,
                 JB_GROUP_COMMANDS_MAX);
        return JB_CODE_BATCH_TOO_LARGE;
    }
    for (size_t i = 0; i < c->commands_n; i++) {
        char why[JB_WHY_BYTES];
        jb_code code = jb_check_form(&c->commands[i], clock_at, true, why, sizeof why);
        if (code != JB_CODE_NONE) {
            snprintf(complaint->why, complaint->n,
                     jb_tr("command %zu of the group (index %zu): %s"), i + 1, i, why);
            return code;
        }
    }
    return JB_CODE_NONE;
}

/* The usual consumption, with which nothing is wrong: of ten commands nine. */
static inline bool
is_plain(const struct jb_command *c)
{
    const uint64_t plain = H(WALLET) | H(USAGE) | H(AMOUNT);
    const bool keyed = (c->has & H(KEY)) != 0;
    return c->op == JB_OP_CONSUME && (c->has & ~H(KEY)) == plain && c->amount > 0 &&
           c->amount <= JB_AMOUNT_MAX && jb_id_valid(c->wallet, JB_ID_BYTES_MAX) &&
           jb_id_valid(c->id, JB_ID_BYTES_MAX) && jb_id_visible(c->id) &&
           (keyed ? jb_id_valid(c->key, JB_KEY_BYTES_MAX) : !text_is_set(&c->key)) && !has_more(c);
}

jb_code
jb_check_form(const struct jb_command *c, bool clock_at, bool member, char *why, size_t why_n)
{
    struct complaint complaint = {why, why_n};
    if (!clock_at && !member && is_plain(c)) {
        return JB_CODE_NONE;
    }
    if (jb_op_get((uint32_t)c->op) == NULL) {
        return nonsense(&complaint, "op", "has no such value");
    }
    const struct jb_op_info *op = &jb_ops[c->op];
    jb_code coherent = check_bits(c, &complaint);
    if (coherent != JB_CODE_NONE) {
        return coherent;
    }
    if ((c->has & op->required) != op->required) {
        unsigned field = (unsigned)__builtin_ctzll(op->required & ~c->has);
        snprintf(why, why_n, jb_tr("%s needs %s"), op->name, jb_command_fields[field].name);
        return JB_CODE_MALFORMED;
    }
    uint64_t strange = c->has & ~(op->required | op->optional);
    if (strange != 0) {
        unsigned field = (unsigned)__builtin_ctzll(strange);
        if (field < JB_CF_N && jb_command_fields[field].name != NULL) {
            snprintf(why, why_n, jb_tr("%s takes no %s"), op->name, jb_command_fields[field].name);
        } else {
            snprintf(why, why_n, jb_tr("%s takes no member with bit %u"), op->name, field);
        }
        return JB_CODE_MALFORMED;
    }
    if (member && (c->op == JB_OP_ATOMIC || c->op == JB_OP_DAY_CLOSE)) {
        return malformed(&complaint, op->name, "cannot stand in a group");
    }
    if (member &&
        (c->has & (JB_HAS(JB_CF_KEY) | JB_HAS(JB_CF_CLOCK) | JB_HAS(JB_CF_CALLER))) != 0) {
        return malformed(&complaint, jb_tr("a command in a group"),
                         "has no key, no caller and no clock of its own; put it on the group");
    }
    if (member && (c->has & JB_HAS(JB_CF_AT)) != 0 && !op->business_time) {
        return malformed(&complaint, op->name, "has no `at` of its own in a group");
    }
    if (c->op == JB_OP_CONSUME_REVERSE &&
        (c->has & (JB_HAS(JB_CF_USAGE) | JB_HAS(JB_CF_SEQ))) == 0) {
        return malformed(&complaint, "consume.reverse", "needs usage or seq");
    }
    if (clock_at && !member && (c->has & (JB_HAS(JB_CF_AT) | JB_HAS(JB_CF_CLOCK))) == 0) {
        return malformed(
            &complaint, op->name,
            "needs `at` or `clock` where the commands' times are the ledger's clock (--clock=at)");
    }
    for (uint64_t has = c->has; has != 0; has &= has - 1) {
        jb_code code = check_value(c, (unsigned)__builtin_ctzll(has), &complaint);
        if (code != JB_CODE_NONE) {
            return code;
        }
    }
    if (c->op == JB_OP_POLICY_SET) {
        return check_policy(c, &complaint);
    }
    if (c->op >= JB_OP_ROLE_GIVE) {
        return check_together(c, member, &complaint);
    }
    return c->op == JB_OP_ATOMIC ? check_group(c, clock_at, &complaint) : JB_CODE_NONE;
}

/* at, clock, from: instants that stay in the ledger, and lie in one of its days. */
static jb_code
check_times(const struct jb_command *c, int32_t utc_offset_s, struct complaint *complaint)
{
    const struct {
        uint64_t bit;
        jb_instant t;
        const char *name;
    } times[] = {{H(AT), c->at, "at"}, {H(CLOCK), c->clock, "clock"}, {H(FROM), c->from, "from"}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if ((c->has & times[i].bit) != 0 && !jb_instant_closable(times[i].t, utc_offset_s)) {
            return malformed(complaint, times[i].name,
                             "must lie in a day, at the ledger's offset, from 0001-01-01 to "
                             "9999-12-30: no other can be closed");
        }
    }
    return JB_CODE_NONE;
}

jb_code
jb_check_times(const struct jb_command *c, int32_t utc_offset_s, char *why, size_t why_n)
{
    struct complaint complaint = {why, why_n};
    jb_code code = check_times(c, utc_offset_s, &complaint);
    for (size_t i = 0; code == JB_CODE_NONE && c->op == JB_OP_ATOMIC && i < c->commands_n; i++) {
        char inner[JB_WHY_BYTES];
        struct complaint of_member = {inner, sizeof inner};
        code = check_times(&c->commands[i], utc_offset_s, &of_member);
        if (code != JB_CODE_NONE) {
            snprintf(why, why_n, jb_tr("command %zu of the group: %s"), i, inner);
        }
    }
    return code;
}
