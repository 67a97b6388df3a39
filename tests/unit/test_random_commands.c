/*
 * Commands as a program with mistakes makes them: any members, any bits, any bytes, any sizes.
 * Each of them is submitted to a small ledger, and what becomes of it is compared with what a
 * second reading of the struct expects: JB_E_USAGE where it is no command at all, MALFORMED and
 * the like where its form is wrong, and otherwise an event that says what the members with a bit
 * said and nothing of the others. Then the ledger is audited. Half of the ledgers ask roles.
 *
 * test_random_commands [SEED [COMMANDS]]
 */
#include <jangbu/replay.h>

#include <string.h>
#include <unistd.h>

#include "../check.h"

#define H(field) JB_HAS(JB_CF_##field)
#define IDS (H(CHARGE) | H(GRANT) | H(USAGE) | H(REFUND))
#define MEMBERS_MAX 3

static uint64_t seed;

static uint64_t
number(uint64_t below)
{
    return random_below(&seed, below);
}

static bool
chance(unsigned percent)
{
    return number(100) < percent;
}

/* A command with room behind it, for a size that is larger than the library's. */
struct padded {
    struct jb_command c;
    uint8_t behind[64];
};

/* ---- making ---- */

static char long_text[5000];
static char bytes[64];

static struct jb_text
text(const char *s)
{
    return (struct jb_text){s, strlen(s)};
}

/* What is deleted or closed does not come back: now and then there are others. */
static char wallets[4][24], channels[4][24];

static void
name_places(unsigned era)
{
    for (unsigned i = 0; i < 4; i++) {
        snprintf(wallets[i], sizeof wallets[i], "%s-%u-%u", i == 3 ? "지갑" : "W", era, i);
        snprintf(channels[i], sizeof channels[i], "%s-%u-%u", i == 3 ? "채널" : "C", era, i);
    }
}

static struct jb_text
good_id(unsigned of_100_known)
{
    static char made[64][24];
    static unsigned next;
    if (chance(of_100_known)) {
        return text(wallets[number(4)]);
    }
    char *to = made[next++ % 64];
    snprintf(to, sizeof made[0], "id-%u", (unsigned)number(100000));
    return text(to);
}

/* People, channels and agencies are few, so that they meet again. */
static const char *const people[] = {"O", "O", "O", "kim", "lee", "park", "gate", "hong", "new"};
static const char *const roles_in_words[] = {"OPERATOR", "MASTER", "MEMBER", "CHANNEL_MASTER",
                                             "SELF",     "AGENCY", "x"};

static struct jb_text
one_of(const char *const *list, size_t n)
{
    return text(list[number(n)]);
}
#define ONE_OF(list) one_of(list, sizeof(list) / sizeof *(list))

static struct jb_text
good_text(unsigned field)
{
    static const char *const agencies[] = {"A1", "A2"};
    static const char *const reasons[] = {"AMOUNT_CHANGED", "RESCINDED", "ENTRY_ERROR",
                                          "ISSUED_TWICE",   "UNSENT",    "words"};
    if (chance(95)) {
        switch (field) {
        case JB_CF_MASTER:
        case JB_CF_PERSON:
            return ONE_OF(people);
        case JB_CF_CHANNEL:
            return text(channels[number(4)]);
        case JB_CF_AGENCY:
            return ONE_OF(agencies);
        case JB_CF_REASON:
            return ONE_OF(reasons);
        default:
            break;
        }
    }
    return good_id(field == JB_CF_WALLET ? 95 : field == JB_CF_KEY ? 0 : 30);
}

static struct jb_text
any_text(void)
{
    switch (number(12)) {
    case 0:
        return (struct jb_text){NULL, 0};
    case 1:
        return (struct jb_text){NULL, number(9)};
    case 2:
        return (struct jb_text){"x", (size_t)PTRDIFF_MAX + 1 + number(1000)};
    case 3:
        return (struct jb_text){NULL, SIZE_MAX};
    case 4:
        return text("");
    case 5:
        return (struct jb_text){bytes, number(sizeof bytes)};
    case 6:
        return (struct jb_text){long_text, number(sizeof long_text)};
    case 7:
        return text("with a space");
    case 8:
        return text("\xff\xfe");
    default:
        return good_id(50);
    }
}

static int64_t
any_number(void)
{
    switch (number(8)) {
    case 0:
        return 0;
    case 1:
        return -1;
    case 2:
        return INT64_MIN;
    case 3:
        return INT64_MAX;
    case 4:
        return (int64_t)seed;
    default:
        return (int64_t)number(5000);
    }
}

static const char *const searched[] = {"검색-1", "shop_2", "shop", "검색", "a1", "b2"};

static const jb_instant begun = INT64_C(1790000000000000); /* 2026-09-21 */
static jb_instant now = begun;

static jb_instant
the_time(void *data)
{
    (void)data;
    now += (jb_instant)number(600) * JB_US_PER_SECOND;
    now += chance(1) ? JB_US_PER_DAY : 0;
    return now;
}

static jb_seq requests[8]; /* the last that were made of business information */

/* This month, or one of the two before. */
static uint32_t
some_month(void)
{
    int year, month;
    jb_day_to_date(jb_day_of(now, 9 * 3600) - (jb_day)number(62), &year, &month, NULL);
    return (uint32_t)(year * 100 + month);
}

/* Gives the member a value; good: one that its kind allows. */
static void
fill(struct jb_command *c, unsigned field, bool good)
{
    const struct jb_command_field_info *f = jb_command_field_get(field);
    void *at = (char *)c + f->offset;
    switch (f->kind) {
    case JB_CK_ID:
    case JB_CK_SHORT:
    case JB_CK_KEY:
    case JB_CK_REF:
    case JB_CK_CALLER:
    case JB_CK_NAME:
    case JB_CK_TEXT:
    case JB_CK_LINE:
        *(struct jb_text *)at = good ? good_text(field) : any_text();
        break;
    case JB_CK_SEARCH_ID:
        *(struct jb_text *)at = good ? ONE_OF(searched) : any_text();
        break;
    case JB_CK_EMAIL:
        *(struct jb_text *)at = good ? text("a@b.example") : any_text();
        break;
    case JB_CK_BIZ:
        *(struct jb_text *)at = good ? text(chance(50) ? "1234567890" : "0000000000") : any_text();
        break;
    case JB_CK_AMOUNT:
    case JB_CK_AMOUNT0:
    case JB_CK_UINT:
    case JB_CK_VALUE:
        *(int64_t *)at = !good                                ? any_number()
                         : field == JB_CF_SEQ && chance(80)   ? (int64_t)requests[number(8)]
                         : field == JB_CF_INVOICE             ? (int64_t)number(20) + 1
                         : field == JB_CF_EXPECT && chance(5) ? 0
                                                              : (int64_t)number(3000) + 1;
        break;
    case JB_CK_INSTANT:
        *(jb_instant *)at = good ? now - (jb_instant)number(100) : any_number();
        break;
    case JB_CK_WORD:
        *(uint32_t *)at = good ? 1 + (uint32_t)number(3) : (uint32_t)any_number();
        break;
    case JB_CK_MONTH:
        *(uint32_t *)at = good ? some_month() : (uint32_t)any_number();
        break;
    case JB_CK_DAY:
        *(jb_day *)at = good ? jb_day_of(now, 9 * 3600) + (jb_day)number(40) : (jb_day)any_number();
        break;
    case JB_CK_BOOL:
        *(uint8_t *)at = good ? (uint8_t)number(2) : (uint8_t)any_number();
        break;
    case JB_CK_ACTOR:
        c->actor_id = good ? (chance(95) ? ONE_OF(people) : good_id(50)) : any_text();
        c->actor_role =
            chance(10) ? (good ? ONE_OF(roles_in_words) : any_text()) : (struct jb_text){NULL, 0};
        break;
    case JB_CK_COMMANDS:
        break; /* make_group */
    }
}

static void make(struct padded *to, bool member);

/* Member i of a group: the stride is the size that the caller's header knows. */
static const struct jb_command *
member_of(const struct jb_command *c, size_t i)
{
    return (const void *)((const char *)c->commands + i * c->commands->size);
}

static void
make_group(struct jb_command *c)
{
    static struct padded wide[MEMBERS_MAX];
    static struct jb_command members[MEMBERS_MAX];
    bool later = chance(20); /* made with a later header */
    for (size_t i = 0; i < MEMBERS_MAX; i++) {
        make(&wide[i], true);
        wide[i].behind[number(sizeof wide[i].behind)] = later && chance(2);
        members[i] = wide[i].c;
        wide[i].c.size = chance(98) ? sizeof wide[i] : sizeof wide[i] - 8;
        members[i].size = chance(98) ? sizeof members[i] : 0;
    }
    const struct jb_command *list = later ? &wide[0].c : members;
    c->commands = chance(90) ? list : NULL;
    c->commands_n = chance(90) ? number(MEMBERS_MAX + 1)
                               : (c->commands == NULL ? SIZE_MAX : JB_GROUP_COMMANDS_MAX + 1);
}

/* Something is done to it that a mistake does. */
static void
spoil(struct padded *p)
{
    struct jb_command *c = &p->c;
    unsigned field = (unsigned)number(JB_CF_WHY + 2);
    field = field > JB_CF_WHY ? JB_CF_CALLER : field;
    switch (number(7)) {
    case 0:
        c->has ^= JB_HAS(field);
        break;
    case 1:
        fill(c, field, false);
        break;
    case 2:
        fill(c, field, true); /* perhaps without its bit */
        break;
    case 3:
        c->has ^= UINT64_C(1) << number(64);
        break;
    case 4:
        do {
            c->op = (jb_op)number(JB_OPS + 5);
        } while (c->op == JB_OP_FORGET);
        break;
    case 5:
        fill(c, field, false);
        c->has |= JB_HAS(field);
        break;
    default:
        c->has = seed;
    }
}

/* Somebody who may often do such a thing: the operator, a gateway, or the master of many wallets.
 */
static struct jb_text
likely_actor(jb_op op)
{
    size_t n;
    uint32_t roles = 0;
    const struct jb_permission *rows = jb_permissions(1, &n);
    for (size_t i = 0; i < n; i++) {
        roles |= rows[i].op == (uint32_t)op ? rows[i].roles : 0;
    }
    return text((roles & 1U << JB_ROLE_OPERATOR) != 0 ? "O"
                : (roles & 1U << JB_ROLE_MASTER) != 0 ? "kim"
                : (roles & 1U << JB_ROLE_AGENCY) != 0 ? "hong"
                                                      : "gate");
}

/* Members that hang on each other. */
static void
fit_together(struct jb_command *c)
{
    bool of_biz = c->op >= JB_OP_BIZ_REQUEST && c->op <= JB_OP_BIZ_REFUSE;
    if (c->op == JB_OP_ROLE_GIVE || c->op == JB_OP_ROLE_TAKE) {
        c->role = JB_ROLE_AGENCY + (uint32_t)number(4);
        c->agency = c->role == JB_ROLE_AGENCY ? good_text(JB_CF_AGENCY) : (struct jb_text){NULL, 0};
        c->has = (c->has & ~H(AGENCY)) | (c->role == JB_ROLE_AGENCY ? H(AGENCY) : 0);
        bool kept = c->op == JB_OP_ROLE_TAKE && c->role == JB_ROLE_OPERATOR && chance(95);
        c->person = c->role == JB_ROLE_AGENCY && chance(50) ? text("hong")
                    : kept                                  ? text("lee")
                                                            : c->person;
    }
    if ((c->has & H(ACTOR)) != 0 && chance(60)) {
        c->actor_id = likely_actor(c->op);
        c->actor_role = (struct jb_text){NULL, 0};
    }
    if ((c->has & H(MASTER)) != 0 && chance(50)) {
        c->master = text("kim");
    }
    if (of_biz && ((c->has & H(WALLET)) == 0) == ((c->has & H(CHANNEL)) == 0)) {
        bool wallet = chance(50);
        c->wallet = wallet ? good_text(JB_CF_WALLET) : (struct jb_text){NULL, 0};
        c->channel = wallet ? (struct jb_text){NULL, 0} : good_text(JB_CF_CHANNEL);
        c->has = (c->has & ~(H(WALLET) | H(CHANNEL))) | (wallet ? H(WALLET) : H(CHANNEL));
    }
    if (c->op == JB_OP_POLICY_SET) {
        static const uint32_t policies[] = {JB_POLICY_INVITE_DAYS,     JB_POLICY_MEMBERS_MAX,
                                            JB_POLICY_SEARCH_ID_MARKS, JB_POLICY_ROLES,
                                            JB_POLICY_MIN_CHARGE,      JB_POLICY_DAY_CLOSE};
        c->policy = policies[number(sizeof policies / sizeof policies[0])];
        c->value = (int64_t)number(
            c->policy == JB_POLICY_ROLES || c->policy == JB_POLICY_DAY_CLOSE ? 2 : 4);
        c->from = c->policy == JB_POLICY_ROLES ? 0 : c->from;
        c->has &= c->policy == JB_POLICY_ROLES ? ~H(FROM) : UINT64_MAX;
    }
    if ((c->op == JB_OP_MEMBER_ACCEPT || c->op == JB_OP_MEMBER_LEAVE) && (c->has & H(ACTOR)) != 0 &&
        chance(80)) {
        c->actor_id = c->person;
        c->actor_role = (struct jb_text){NULL, 0};
    }
}

static void
make(struct padded *to, bool member)
{
    memset(to, 0, sizeof *to);
    struct jb_command *c = &to->c;
    c->size = sizeof *c;
    do {
        c->op = (jb_op)(1 + number(JB_OPS - 1));
    } while (
        jb_op_get((uint32_t)c->op) == NULL ||
        (member && (c->op == JB_OP_DAY_CLOSE || c->op == JB_OP_ATOMIC || c->op == JB_OP_FORGET)));
    c->op = chance(30) ? (chance(50) ? JB_OP_CHARGE : JB_OP_CONSUME) : c->op;
    const struct jb_op_info *op = jb_op_get((uint32_t)c->op);
    for (unsigned field = 0; field < JB_CF_N; field++) {
        bool optional = (op->optional & JB_HAS(field)) != 0 &&
                        chance(field == JB_CF_EXPECT                         ? 2
                               : field == JB_CF_ACTOR                        ? 90
                               : field == JB_CF_AT || field == JB_CF_CHANNEL ? 10
                                                                             : 25);
        optional &= !member || (field != JB_CF_KEY && field != JB_CF_CLOCK && field != JB_CF_AT &&
                                field != JB_CF_CALLER);
        optional &= field != JB_CF_CALLER || (c->has & H(KEY)) != 0;
        if ((op->required & JB_HAS(field)) != 0 || optional) {
            fill(c, field, true);
            c->has |= JB_HAS(field);
        }
    }
    fit_together(c);
    if (c->op == JB_OP_ATOMIC && !member) {
        make_group(c);
    }
    for (unsigned i = (unsigned)number(member ? 12 : 4); i-- > 1 && i < 4;) {
        spoil(to);
    }
    if (!member && chance(4)) {
        c->size = number(3) == 0   ? number(8)
                  : number(3) == 0 ? 8 * (1 + number(sizeof *c / 8))
                                   : sizeof *c + number(sizeof to->behind + 1);
        to->behind[number(sizeof to->behind)] = chance(50);
    }
}

/* ---- what is expected ---- */

struct opinion {
    bool nonsense; /* JB_E_USAGE */
    bool wrong;    /* MALFORMED, AMOUNT_INVALID, AMOUNT_RANGE, BATCH_TOO_LARGE */
};

/* Well-formed UTF-8 of ASCII and what good_id makes is all that is good here. */
static bool
is_plain(struct jb_text t, size_t max)
{
    size_t points;
    return t.n >= 1 && t.n <= max && jb_utf8_valid(t.s, t.n, &points) &&
           memchr(t.s, ' ', t.n) == NULL && memchr(t.s, 0, t.n) == NULL;
}

static void
read_text(struct jb_text t, size_t max, bool prose, struct opinion *o)
{
    size_t points = 0;
    if (t.n > PTRDIFF_MAX || (t.s == NULL && t.n > 0)) {
        o->nonsense = true;
    } else if (prose) {
        o->wrong |= t.n == 0 || t.n > 4 * max || !jb_utf8_valid(t.s, t.n, &points) ||
                    points > max || memchr(t.s, 0, t.n) != NULL;
    } else {
        o->wrong |= !is_plain(t, max);
    }
}

/* Of what is made here: letters of ASCII, digits, the two marks, and "지갑", "검색". */
static bool
is_search_id(struct jb_text t)
{
    size_t points = 0;
    for (size_t i = 0; i < t.n; i++) {
        char c = t.s[i];
        bool lead = (uint8_t)c >= 0xc0;
        if (c >= 0 && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_') {
            return false;
        }
        points += c >= 0 || lead;
    }
    return points >= 1 && points <= 15;
}

static bool
is_number(struct jb_text t)
{
    size_t digits = 0;
    while (digits < t.n && t.s[digits] >= '0' && t.s[digits] <= '9') {
        digits++;
    }
    return digits == t.n && t.n == 10;
}

static bool
is_address(struct jb_text t)
{
    const char *at = t.n > 0 ? memchr(t.s, '@', t.n) : NULL;
    return at != NULL && at > t.s && at + 1 < t.s + t.n &&
           memchr(at + 1, '@', (size_t)(t.s + t.n - at - 1)) == NULL;
}

static void
read_value(const struct jb_command *c, unsigned field, struct opinion *o)
{
    const struct jb_command_field_info *f = jb_command_field_get(field);
    const void *at = (const char *)c + f->offset;
    int64_t wide;
    uint32_t word;
    switch (f->kind) {
    case JB_CK_ID:
        read_text(*(const struct jb_text *)at, 64, false, o);
        break;
    case JB_CK_SHORT:
        read_text(*(const struct jb_text *)at, 32, false, o);
        break;
    case JB_CK_KEY:
        read_text(*(const struct jb_text *)at, 300, false, o);
        break;
    case JB_CK_REF:
        read_text(*(const struct jb_text *)at, 200, false, o);
        break;
    case JB_CK_CALLER:
        if (c->caller.n > 0) { /* an empty one is the caller without a name */
            read_text(c->caller, 32, false, o);
        }
        o->wrong |= (c->has & H(KEY)) == 0;
        break;
    case JB_CK_NAME:
        read_text(*(const struct jb_text *)at, 20, true, o);
        break;
    case JB_CK_TEXT:
        read_text(*(const struct jb_text *)at, 500, true, o);
        break;
    case JB_CK_LINE:
        read_text(*(const struct jb_text *)at,
                  field == JB_CF_ADDRESS      ? 200
                  : field == JB_CF_MAIL_ORDER ? 40
                                              : 60,
                  true, o);
        break;
    case JB_CK_SEARCH_ID:
        read_text(*(const struct jb_text *)at, 45, false, o);
        o->wrong |= !o->nonsense && !is_search_id(*(const struct jb_text *)at);
        break;
    case JB_CK_BIZ:
        read_text(*(const struct jb_text *)at, 10, false, o);
        o->wrong |= !o->nonsense && !is_number(*(const struct jb_text *)at);
        break;
    case JB_CK_EMAIL:
        read_text(*(const struct jb_text *)at, 254, false, o);
        o->wrong |= !o->nonsense && !is_address(*(const struct jb_text *)at);
        break;
    case JB_CK_AMOUNT0:
        o->wrong |= c->limit < 0 || c->limit > JB_AMOUNT_MAX;
        break;
    case JB_CK_AMOUNT:
        o->wrong |= c->amount < 1 || c->amount > JB_AMOUNT_MAX;
        break;
    case JB_CK_INSTANT:
        memcpy(&wide, at, sizeof wide);
        o->wrong |= wide < JB_INSTANT_MIN || wide > JB_INSTANT_MAX;
        break;
    case JB_CK_WORD:
        memcpy(&word, at, sizeof word);
        o->nonsense |= jb_name_word(f->names, word) == NULL;
        break;
    case JB_CK_MONTH:
        memcpy(&word, at, sizeof word);
        o->wrong |= word < 101 || word > 999912 || word % 100 < 1 || word % 100 > 12;
        break;
    case JB_CK_DAY:
        o->wrong |= *(const jb_day *)at < -719162 || *(const jb_day *)at > 2932896;
        break;
    case JB_CK_BOOL:
        o->nonsense |= *(const uint8_t *)at > 1;
        break;
    case JB_CK_ACTOR:
        read_text(c->actor_id, 64, false, o);
        if (c->actor_role.s != NULL || c->actor_role.n > 0) {
            read_text(c->actor_role, 32, false, o);
        }
        break;
    case JB_CK_UINT:
    case JB_CK_VALUE:
    case JB_CK_COMMANDS:
        break;
    }
}

/* Every byte that a member has, but for those of members with a bit, must be 0. */
static bool
has_stray(const struct jb_command *c)
{
    struct jb_command rest = *c;
#define NONE ((struct jb_text){NULL, 0})
#define TAKE(bit, member, none)                                                                    \
    if ((c->has & (bit)) != 0) {                                                                   \
        rest.member = none;                                                                        \
    }
    TAKE(H(WALLET), wallet, NONE)
    TAKE(IDS, id, NONE)
    TAKE(H(KIND), kind, 0)
    TAKE(H(NAME), name, NONE)
    TAKE(H(MASTER), master, NONE)
    TAKE(H(AMOUNT), amount, 0)
    TAKE(H(METHOD), method, 0)
    TAKE(H(PG), pg, NONE)
    TAKE(H(TXN_REF), txn_ref, NONE)
    TAKE(H(APPROVE_NO), approve_no, NONE)
    TAKE(H(REASON), reason, NONE)
    TAKE(H(EXPIRES_ON), expires_on, 0)
    TAKE(H(ORIGIN), origin, 0)
    TAKE(H(OVERDRAFT), overdraft, 0)
    TAKE(H(SEQ), seq, 0)
    TAKE(H(POLICY), policy, 0)
    TAKE(H(VALUE), value, 0)
    TAKE(H(FROM), from, 0)
    TAKE(H(DAY), day, 0)
    TAKE(H(FORCE), force, 0)
    TAKE(H(COMMANDS), commands, NULL)
    TAKE(H(COMMANDS), commands_n, 0)
    TAKE(H(KEY), key, NONE)
    TAKE(H(ACTOR), actor_id, NONE)
    TAKE(H(ACTOR), actor_role, NONE)
    TAKE(H(AT), at, 0)
    TAKE(H(CLOCK), clock, 0)
    TAKE(H(EXPECT), expect, 0)
    TAKE(H(NOTE), note, NONE)
    TAKE(H(CALLER), caller, NONE)
    TAKE(H(PERSON), person, NONE)
    TAKE(H(ROLE), role, 0)
    TAKE(H(AGENCY), agency, NONE)
    TAKE(H(CHANNEL), channel, NONE)
    TAKE(H(CHANNEL_KIND), channel_kind, 0)
    TAKE(H(SEARCH_ID), search_id, NONE)
    TAKE(H(MAIL_ORDER), mail_order, NONE)
    TAKE(H(BIZ), biz, NONE)
    TAKE(H(BIZ_NAME), biz_name, NONE)
    TAKE(H(REPRESENTATIVE), representative, NONE)
    TAKE(H(ADDRESS), address, NONE)
    TAKE(H(EMAIL), email, NONE)
    TAKE(H(SETTLEMENT), settlement, 0)
    TAKE(H(LIMIT), limit, 0)
    TAKE(H(MONTH), month, 0)
    TAKE(H(INVOICE), invoice, 0)
    TAKE(H(REF), ref, NONE)
    TAKE(H(RESULT), result, 0)
    TAKE(H(WHY), why, 0)
#undef TAKE
    rest.size = 0;
    rest.op = (jb_op)0;
    rest.has = 0;
    static const struct jb_command zero;
    return memcmp(&rest, &zero, sizeof zero) != 0;
}

/* Whether something is set that a later header has and the library does not know. */
static bool
has_behind(const struct jb_command *c)
{
    bool set = false;
    for (size_t i = sizeof *c; i < c->size; i++) {
        set |= ((const uint8_t *)c)[i] != 0;
    }
    return set;
}

static bool
is_one_of(const struct jb_command *c, uint64_t several)
{
    unsigned given = 0;
    for (unsigned field = 0; field < JB_CF_N; field++) {
        given += (c->has & several & JB_HAS(field)) != 0;
    }
    return given == 1;
}

/* Of the ops whose members depend on each other. */
static bool
fits_together(const struct jb_command *c, bool member)
{
    bool agency = c->role == JB_ROLE_AGENCY;
    if (c->op == JB_OP_ROLE_GIVE || c->op == JB_OP_ROLE_TAKE) {
        return c->role >= JB_ROLE_AGENCY && c->role <= JB_ROLE_SYSTEM &&
               agency == ((c->has & H(AGENCY)) != 0);
    }
    if (c->op >= JB_OP_BIZ_REQUEST && c->op <= JB_OP_BIZ_REFUSE) {
        return is_one_of(c, H(WALLET) | H(CHANNEL));
    }
    return c->op != JB_OP_FORGET ||
           (!member && (c->has & H(NOTE)) == 0 && is_one_of(c, H(PERSON) | H(WALLET) | H(BIZ)));
}

static void
read_command(const struct jb_command *c, bool member, struct opinion *o)
{
    const struct jb_op_info *op = jb_op_get((uint32_t)c->op);
    if (op == NULL || has_stray(c)) {
        o->nonsense = true;
    }
    if (op == NULL) {
        return;
    }
    o->wrong |=
        (c->has & op->required) != op->required || (c->has & ~(op->required | op->optional)) != 0;
    o->wrong |= member && (c->op == JB_OP_ATOMIC || c->op == JB_OP_DAY_CLOSE ||
                           (c->has & (H(KEY) | H(CLOCK) | H(CALLER))) != 0 ||
                           ((c->has & H(AT)) != 0 && !op->business_time));
    o->wrong |= !fits_together(c, member);
    o->wrong |= c->op == JB_OP_CONSUME_REVERSE && (c->has & (H(USAGE) | H(SEQ))) == 0;
    for (unsigned field = 0; field < JB_CF_N; field++) {
        if ((c->has & JB_HAS(field)) != 0 && jb_command_field_get(field) != NULL) {
            read_value(c, field, o);
        }
    }
    if (c->op != JB_OP_ATOMIC || member || (c->has & H(COMMANDS)) == 0) {
        return;
    }
    o->nonsense |= c->commands == NULL && c->commands_n > 0;
    o->wrong |= c->commands_n == 0 || c->commands_n > JB_GROUP_COMMANDS_MAX;
    for (size_t i = 0; c->commands != NULL && i < c->commands_n && c->commands_n <= MEMBERS_MAX;
         i++) {
        const struct jb_command *m = member_of(c, i);
        if (m->size != c->commands->size || m->size == 0) {
            o->nonsense = true;
            return; /* where the others lie is not known */
        }
        o->nonsense |= has_behind(m);
        read_command(m, true, o);
    }
}

/* What an earlier header did not have is not there: all that lies behind the struct's size. */
static struct padded
as_given(const struct padded *p)
{
    struct padded given = *p;
    if (p->c.size < sizeof given.c) {
        size_t size = p->c.size > sizeof p->c.size ? p->c.size : sizeof p->c.size;
        memset((char *)&given + size, 0, sizeof given - size);
    }
    return given;
}

static struct opinion
read_struct(const struct padded *given)
{
    struct opinion o = {given->c.size < sizeof given->c.size || has_behind(&given->c), false};
    read_command(&given->c, false, &o);
    return o;
}

/* ---- comparing ---- */

static const void *
field_of(const struct jb_event *e, const char *name)
{
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    for (uint32_t i = 0; i < type->fields_n; i++) {
        if (strcmp(type->fields[i].name, name) == 0) {
            return (const char *)e + type->fields[i].offset;
        }
    }
    return NULL;
}

static void
must_say(const struct jb_event *e, const char *name, bool given, struct jb_text t)
{
    const struct jb_text *there = field_of(e, name);
    if (there != NULL) {
        must(given ? there->n == t.n && memcmp(there->s, t.s, t.n) == 0
                   : there->n == 0 && there->s == NULL,
             name);
    }
}

static bool postpaid; /* some wallet may go below 0 without `overdraft` */

/* group: the bits of the group that it is a member of, whose actor is that of its members. */
static void
must_be_its_event(const struct jb_command *c, uint64_t group, const struct jb_event *e)
{
    must(((e->flags & JB_EVF_NOTE) != 0) == ((c->has & H(NOTE)) != 0), "a note");
    must(((e->flags & JB_EVF_ACTOR) != 0) == (((c->has | group) & H(ACTOR)) != 0), "an actor");
    must_say(e, "pg", (c->has & H(PG)) != 0, c->pg);
    must_say(e, "txn_ref", (c->has & H(TXN_REF)) != 0, c->txn_ref);
    must_say(e, "approve_no", (c->has & H(APPROVE_NO)) != 0, c->approve_no);
    must_say(e, "charge", true, c->id);
    must_say(e, "usage", true, c->id);
    must_say(e, "grant", true, c->id);
    const uint32_t *method = field_of(e, "method");
    must(method == NULL || *method == ((c->has & H(METHOD)) != 0 ? c->method : 0), "method");
    must_say(e, "channel", (c->has & H(CHANNEL)) != 0, c->channel);
    must_say(e, "mail_order", (c->has & H(MAIL_ORDER)) != 0, c->mail_order);
    must_say(e, "biz", (c->has & H(BIZ)) != 0, c->biz);
    must(e->type != JB_EV_CHARGE_SETTLED ||
             ((e->flags & JB_EVF_CHANNEL) != 0) == ((c->has & H(CHANNEL)) != 0),
         "a channel that is named");
    const uint64_t *master = field_of(e, "master");
    bool himself = e->role.n == 14 && memcmp(e->role.s, "CHANNEL_MASTER", 14) == 0;
    must(master == NULL || c->op != JB_OP_WALLET_CREATE || himself ||
             (*master != 0) == ((c->has & H(MASTER)) != 0),
         "master");
    postpaid |= e->type == JB_EV_SETTLEMENT_CHANGED;
    const jb_amount *amount = field_of(e, "amount");
    must(amount == NULL || (c->has & H(AMOUNT)) == 0 || *amount == c->amount, "amount");
    if (c->op == JB_OP_CONSUME && (c->has & H(OVERDRAFT)) == 0 && !postpaid) {
        struct jb_parts parts = jb_event_parts(e);
        for (uint32_t i = 0; i < parts.n; i++) {
            must(parts.at[i].kind != JB_PART_DEBT, "a debt that nobody allowed");
        }
    }
}

static bool
is_form(jb_code code)
{
    return code == JB_CODE_MALFORMED || code == JB_CODE_AMOUNT_INVALID ||
           code == JB_CODE_AMOUNT_RANGE || code == JB_CODE_SEARCH_ID_INVALID ||
           code == JB_CODE_BATCH_TOO_LARGE;
}

/* The value of a policy has bounds of its own, which the reading above does not know. */
static bool
may_be_wrong(const struct jb_command *c)
{
    bool policy = c->op == JB_OP_POLICY_SET;
    for (size_t i = 0; c->op == JB_OP_ATOMIC && i < c->commands_n; i++) {
        policy |= member_of(c, i)->op == JB_OP_POLICY_SET;
    }
    return policy;
}

static unsigned seen[8]; /* by outcome; 7: JB_E_USAGE */

static void
try_one(jb_ledger *l, jb_answers *answers, const struct padded *p)
{
    struct jb_error err = {.status = JB_OK};
    const struct padded given = as_given(p);
    const struct jb_command *c = &given.c;
    struct opinion o = read_struct(&given);
    size_t done = 99;
    jb_status status = jb_submit(l, &p->c, 1, NULL, answers, &done, &err);
    const struct jb_answer *a = jb_answers_at(answers, 0);
    must(jb_answers_at(answers, 1) == NULL, "one answer");
    if (status == JB_E_USAGE) {
        must(o.nonsense, err.text);
        must(err.text[0] != '\0' && done == 0 && a->outcome == JB_NOT_DONE && a->seq == 0,
             "an answer where nothing was done");
        seen[7]++;
        return;
    }
    must(status == JB_OK && done == 1, err.text);
    must(!o.nonsense || (o.wrong && a->code != 0), "nonsense was taken for a command");
    must(a->outcome >= JB_DONE && a->outcome <= JB_CONFLICT, "an outcome");
    must((a->code != 0) == (a->outcome == JB_REFUSED || a->outcome == JB_CONFLICT) ||
             a->outcome == JB_DUPLICATE,
         "a code for a refusal");
    must(a->code == 0 || jb_answer_message(a)[0] != '\0', "a sentence");
    must(!o.wrong || (a->outcome == JB_REFUSED && is_form(a->code)), "a wrong form was accepted");
    must(o.wrong || may_be_wrong(c) || a->code != JB_CODE_MALFORMED, jb_answer_message(a));
    size_t members = jb_answer_members(a), figures = 0;
    bool accepted = a->outcome == JB_DONE || (a->outcome == JB_DUPLICATE && a->code == 0);
    must((jb_answer_event(a) != NULL) == accepted, "an event of what was accepted");
    must(jb_answer_figures(a, &figures) != NULL || figures == 0, "figures that are nowhere");
    must((members == 0 && figures == 0) || accepted == (members > 0), "members of a group, figures "
                                                                      "of a refusal");
    must(jb_answer_member_at(a, members) == NULL && jb_answer_balance(a) == NULL,
         "more than is there");
    if (a->outcome == JB_DONE && c->op != JB_OP_ATOMIC && c->op != JB_OP_DAY_CLOSE) {
        must_be_its_event(c, 0, jb_answer_event(a));
    }
    for (size_t i = 0; a->outcome == JB_DONE && i + 1 < members; i++) {
        must_be_its_event(member_of(c, i), c->has, jb_answer_event(jb_answer_member_at(a, i)));
    }
    if (a->outcome == JB_DONE && jb_answer_event(a)->type == JB_EV_BIZ_REQUESTED) {
        requests[number(8)] = a->seq;
    }
    seen[a->outcome]++;
}

/* A ledger of so many commands; enforced: roles are asked from its beginning on. */
static void
try_ledger(const char *dir, unsigned n, bool enforced)
{
    struct jb_error err;
    jb_ledger *l;
    struct jb_open_options options = JB_SIZED(struct jb_open_options);
    struct jb_init_options how = JB_SIZED(struct jb_init_options);
    how.roles = enforced;
    how.operator_id = "O";
    options.now = the_time;
    now = begun;
    postpaid = false;
    memset(seen, 0, sizeof seen);
    memset(requests, 0, sizeof requests);
    /* Sealed, so that people can be forgotten. */
    char key_file[80];
    snprintf(key_file, sizeof key_file, "%s.key", dir);
    how.key_file = key_file;
    must(jb_init(dir, &how, &err) == JB_OK, "init");
    must(jb_open(dir, &options, &l, &err) == JB_OK, "open");
    jb_answers *answers = jb_answers_new();
    must(answers != NULL, "no memory");
    struct padded p;
    for (unsigned i = 0; i < n; i++) {
        if (i % 500 == 0) {
            name_places(i / 500);
        }
        if (i == 0 || !chance(5)) {
            make(&p, false); /* else the same command again */
        }
        try_one(l, answers, &p);
    }
    jb_answers_free(answers);
    l = jb_close(l);
    printf("roles %s: done %u, refused %u, repeated %u, conflict %u, JB_E_USAGE %u\n",
           enforced ? "asked" : "not asked", seen[JB_DONE], seen[JB_REFUSED], seen[JB_DUPLICATE],
           seen[JB_CONFLICT], seen[7]);
    must(seen[JB_DONE] > n / 50 && seen[JB_REFUSED] > n / 50 && seen[JB_DUPLICATE] > 0 &&
             seen[7] > n / 50,
         "too few of a kind to prove anything");
    struct jb_audit_report *report;
    must(jb_audit(dir, NULL, &report, &err) == JB_OK, "audit");
    must(report->verdict == JB_VERIFIED,
         report->problems_n > 0 ? report->problems[0]->text : "the audit");
    jb_audit_report_free(report);
    unlink(key_file);
}

int
main(int argc, char **argv)
{
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 20261126;
    unsigned n = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 20000;
    memset(long_text, 'a', sizeof long_text);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)(i == 0 ? 0xff : number(256)); /* never UTF-8 */
    }
    for (unsigned i = 0; i < 2; i++) {
        char dir[64];
        make_quick_scratch(dir, "random");
        try_ledger(dir, n / 2, i == 1);
        remove_scratch(dir);
    }
    return 0;
}
