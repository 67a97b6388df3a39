/*
 * What `may` says is what the command would say: over random ledgers, of every row of the matrix,
 * every wallet, people with and without roles, with a channel and without, the command itself is
 * tried as a dry run. `may` says ROLE, STATE or KIND exactly where the command is refused for a
 * role, for the state of the wallet or a closed channel, or for a kind. With which wallet the
 * channel is connected is not its matter. Half of the ledgers ask roles.
 *
 * test_may [SEED [ROUNDS]]
 */
#include <jangbu/ledger.h>

#include <string.h>
#include <unistd.h>

#include "../check.h"

#define H(field) JB_HAS(JB_CF_##field)
#define PLACES 4
#define PEOPLE 7
#define COMMANDS 60

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

static struct jb_text
text(const char *s)
{
    return (struct jb_text){s, s != NULL ? strlen(s) : 0};
}

static const char *const wallets[PLACES] = {"W0", "W1", "W2", "W3"};
static const char *const channels[PLACES] = {"C0", "C1", "C2", "C3"};
static const char *const people[PEOPLE] = {"O", "kim", "lee", "park", "choi", "gate", "nobody"};
static const char *const agencies[] = {"A0", "A1"};

static jb_instant now;

static jb_instant
the_time(void *data)
{
    (void)data;
    return now += JB_US_PER_SECOND;
}

/* ---- a command of an op, with all that it must say ---- */

struct about {
    const char *wallet, *channel, *person, *agency;
    jb_seq seq;
    uint32_t kind, role;
};

static struct jb_command
command(jb_op op, const struct about *a)
{
    struct jb_command c = {.size = sizeof c, .op = op, .has = jb_op_get((uint32_t)op)->required};
    c.month = (c.has & JB_HAS(JB_CF_MONTH)) != 0 ? 202603 : 0;
    c.invoice = (c.has & JB_HAS(JB_CF_INVOICE)) != 0;
    c.why = (c.has & JB_HAS(JB_CF_WHY)) != 0 ? JB_INVOICE_OTHER : 0;
    c.result = (c.has & JB_HAS(JB_CF_RESULT)) != 0 ? JB_MAIL_SENT : 0;
    if (op == JB_OP_INVOICE_CORRECT) {
        c.reason = jb_text_of("ENTRY_ERROR");
    }
    c.wallet = text(a->wallet);
    c.channel = text(a->channel);
    c.person = c.master = text(a->person);
    c.agency = text(a->agency);
    c.seq = a->seq;
    c.kind = a->kind;
    c.role = a->role;
    c.id = text("x");
    c.name = c.biz_name = c.representative = c.address = text("name");
    c.amount = 5000;
    c.expires_on = jb_day_of(now, 9 * 3600) + 30;
    c.day = jb_day_of(now, 9 * 3600);
    c.policy = JB_POLICY_MIN_CHARGE;
    c.value = 1000;
    c.search_id = text("shop");
    c.mail_order = text("12-34");
    c.biz = text("1234567890");
    c.email = text("a@b.example");
    c.settlement = JB_SETTLEMENT_PREPAID;
    c.has |= op == JB_OP_CONSUME_REVERSE ? H(USAGE) : op == JB_OP_FORGET ? H(PERSON) : 0;
    return c;
}

static size_t
size_of(uint32_t kind)
{
    switch (kind) {
    case JB_CK_AMOUNT:
    case JB_CK_AMOUNT0:
    case JB_CK_UINT:
    case JB_CK_VALUE:
    case JB_CK_INSTANT:
        return 8;
    case JB_CK_WORD:
    case JB_CK_DAY:
    case JB_CK_MONTH:
        return 4;
    case JB_CK_BOOL:
        return 1;
    default:
        return sizeof(struct jb_text);
    }
}

/* By whom, and without what the command does not say. */
static void
by(struct jb_command *to, const char *actor)
{
    const struct jb_command all = *to;
    struct jb_command *c = to;
    *c = (struct jb_command){.size = all.size, .op = all.op, .has = all.has};
    for (unsigned field = 0; field < JB_CF_N; field++) {
        const struct jb_command_field_info *f = jb_command_field_get(field);
        if ((all.has & JB_HAS(field)) != 0 && f != NULL) {
            memcpy((char *)c + f->offset, (const char *)&all + f->offset, size_of(f->kind));
        }
    }
    c->actor_id = text(actor);
    c->has |= actor != NULL ? H(ACTOR) : 0;
}

/* ---- a ledger in which much is so ---- */

/* Whose word it is: mostly somebody who may. */
static const char *
likely(jb_op op, const char *person)
{
    bool himself = op == JB_OP_MEMBER_ACCEPT || op == JB_OP_MEMBER_LEAVE;
    return himself && chance(90) ? person : chance(60) ? "O" : people[number(PEOPLE - 1)];
}

static struct jb_command
some_command(jb_seq *requests)
{
    static const uint8_t often[] = {
        JB_OP_WALLET_CREATE,  JB_OP_MEMBER_INVITE,   JB_OP_MEMBER_ACCEPT,
        JB_OP_CHANNEL_CREATE, JB_OP_CHANNEL_CONNECT, JB_OP_MANAGER_ADD,
        JB_OP_BIZ_REQUEST,    JB_OP_BIZ_APPROVE,     JB_OP_ROLE_GIVE};
    jb_op op;
    do {
        op = chance(50) ? (jb_op)often[number(sizeof often)] : (jb_op)(1 + number(JB_OPS - 1));
        if (jb_op_get((uint32_t)op) == NULL) { /* a number that is not given */
            op = JB_OP_CHARGE;
        }
    } while (op == JB_OP_ATOMIC || op == JB_OP_FORGET || op == JB_OP_DAY_CLOSE ||
             op == JB_OP_POLICY_SET || op == JB_OP_ROLE_TAKE);
    const struct about a = {.wallet = wallets[number(PLACES)],
                            .channel = channels[number(PLACES)],
                            .person = people[1 + number(4)],
                            .agency = agencies[number(2)],
                            .seq = requests[number(PLACES)],
                            .kind = 1 + (uint32_t)number(3),
                            .role = JB_ROLE_AGENCY + (uint32_t)number(4)};
    struct jb_command c = command(op, &a);
    bool of_biz = op >= JB_OP_BIZ_REQUEST && op <= JB_OP_BIZ_REFUSE;
    if (of_biz) {
        c.has |= chance(50) ? H(WALLET) : H(CHANNEL);
    }
    c.has |= op == JB_OP_WALLET_CREATE ? H(MASTER) : 0;
    if (op == JB_OP_CHANNEL_CREATE && chance(40)) {
        c.channel_kind = JB_CHANNEL_BUSINESS;
        c.has |= H(CHANNEL_KIND);
    }
    if (op == JB_OP_ROLE_GIVE) {
        c.person = c.role == JB_ROLE_AGENCY ? text("choi") : text("gate");
        c.has |= c.role == JB_ROLE_AGENCY ? H(AGENCY) : 0;
    }
    by(&c, likely(op, a.person));
    return c;
}

static void
live(jb_ledger *l, jb_answers *answers)
{
    static jb_seq requests[PLACES];
    struct jb_error err;
    struct jb_command list[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++) {
        list[i] = some_command(requests);
    }
    must(jb_submit(l, list, COMMANDS, NULL, answers, NULL, &err) == JB_OK, err.text);
    for (size_t i = 0; i < COMMANDS; i++) {
        const struct jb_answer *a = jb_answers_at(answers, i);
        if (a->outcome == JB_DONE && list[i].op == JB_OP_BIZ_REQUEST) {
            requests[number(PLACES)] = a->seq;
        }
    }
}

/* ---- comparing ---- */

struct asked {
    const struct jb_permission *cells[256];
    uint8_t says[256];
    size_t n;
};

static bool
each(void *data, const struct jb_permission *cell, jb_may_answer answer)
{
    struct asked *a = data;
    a->cells[a->n] = cell;
    a->says[a->n++] = (uint8_t)answer;
    return true;
}

/* *ret_hidden: the channel is not connected as it should be; whether the kinds go together is not
 * said then. */
static jb_may_answer
answer_of(const struct jb_answer *a, bool *ret_hidden)
{
    size_t n = 0;
    const struct jb_figure *f = jb_answer_figures(a, &n);
    *ret_hidden = a->code == JB_CODE_CHANNEL_STATE && n == 1 && f[0].value != JB_CHANNEL_CLOSED;
    if (*ret_hidden) {
        return JB_MAY_YES;
    }
    switch ((uint32_t)a->code) {
    case JB_CODE_ROLE:
        return JB_MAY_ROLE;
    case JB_CODE_WALLET_STATE:
    case JB_CODE_WALLET_DELETED:
    case JB_CODE_CHANNEL_STATE:
        return JB_MAY_STATE;
    case JB_CODE_WALLET_KIND:
    case JB_CODE_CHANNEL_KIND:
        return JB_MAY_KIND;
    default:
        return JB_MAY_YES;
    }
}

static bool
is(const struct jb_permission *cell, const char *word)
{
    return strcmp(cell->cell, word) == 0;
}

/* The command of a row on that wallet and channel. False: it would need a channel. */
static bool
command_of(const struct jb_permission *cell, const struct about *a, struct jb_command *ret)
{
    struct about about = *a;
    const struct jb_op_info *op = jb_op_get(cell->op);
    bool of_biz = cell->op >= JB_OP_BIZ_REQUEST && cell->op <= JB_OP_BIZ_REFUSE;
    bool of_channel = is(cell, "biz.request:channel");
    about.wallet = cell->op == JB_OP_WALLET_CREATE ? "another" : a->wallet;
    about.channel = cell->op == JB_OP_CHANNEL_CREATE ? "another" : a->channel;
    about.kind = JB_KIND_PERSONAL;
    about.role = JB_ROLE_GATEWAY;
    *ret = command((jb_op)cell->op, &about);
    ret->has |= of_biz ? (of_channel ? H(CHANNEL) : H(WALLET)) : 0;
    if (!of_biz && a->channel != NULL && ((op->required | op->optional) & H(CHANNEL)) != 0) {
        ret->has |= H(CHANNEL);
    }
    if (is(cell, "charge:admin") || is(cell, "charge:auto")) {
        ret->method =
            is(cell, "charge:admin") ? JB_METHOD_ADV_RET_CASH : JB_METHOD_CREDIT_CARD_REGULAR;
        ret->has |= H(METHOD);
    }
    if (is(cell, "free.grant:unsent")) {
        ret->origin = JB_ORIGIN_UNSENT_NORMAL;
        ret->has |= H(ORIGIN);
    }
    if (is(cell, "channel.create:business")) {
        ret->channel_kind = JB_CHANNEL_BUSINESS;
        ret->has |= H(CHANNEL_KIND);
    }
    return (ret->has & H(CHANNEL)) == 0 || about.channel != NULL;
}

/* What the command says; of a request for the sales right: of the agency that says most. */
static jb_may_answer
tried(jb_ledger *l, jb_answers *answers, const struct jb_permission *cell, struct about about,
      const char *actor, bool *ret_asked, bool *ret_hidden)
{
    struct jb_submit_options dry = JB_SIZED(struct jb_submit_options);
    jb_may_answer answer = JB_MAY_YES;
    struct jb_error err;
    dry.dry_run = 1;
    for (unsigned i = 0; i < 2; i++) {
        struct jb_command c;
        about.agency = agencies[i];
        *ret_asked = command_of(cell, &about, &c);
        if (!*ret_asked) {
            return answer;
        }
        by(&c, actor);
        must(jb_submit(l, &c, 1, &dry, answers, NULL, &err) == JB_OK, err.text);
        const struct jb_answer *a = jb_answers_at(answers, 0);
        must(a->code != JB_CODE_MALFORMED, jb_answer_message(a));
        answer = answer_of(a, ret_hidden);
        if (cell->op != JB_OP_SALES_REQUEST || answer != JB_MAY_ROLE) {
            break;
        }
    }
    return answer;
}

static unsigned seen[256][4];

static void
compare(jb_ledger *l, jb_answers *answers, const char *wallet, const char *channel,
        const char *actor, bool sealed)
{
    static const char *const words[] = {"yes", "ROLE", "STATE", "KIND"};
    struct jb_may may = JB_SIZED(struct jb_may);
    struct jb_biz biz = JB_SIZED(struct jb_biz);
    struct asked asked = {.n = 0};
    struct jb_error err;
    must(jb_may_get(l, text(wallet), text(actor), text(channel), each, &asked, &may, &err) == JB_OK,
         err.text);
    must(jb_biz_get(l, text(wallet), text(NULL), &biz, &err) == JB_OK, err.text);
    const struct about about = {.wallet = wallet,
                                .channel = channel,
                                .person = actor != NULL ? actor : "kim",
                                .seq = biz.pending.request != 0 ? biz.pending.request : 1};
    for (size_t i = 0; i < asked.n; i++) {
        bool there, hidden = false;
        if (asked.cells[i]->op == JB_OP_FORGET && !sealed) {
            continue;
        }
        jb_may_answer answer = tried(l, answers, asked.cells[i], about, actor, &there, &hidden);
        bool other = (uint32_t)answer != asked.says[i] && !(hidden && asked.says[i] == JB_MAY_KIND);
        if (there && other) {
            fprintf(stderr, "%s on %s, channel %s, by %s: may says %s, the command %s: %s\n",
                    asked.cells[i]->cell, wallet, channel != NULL ? channel : "-",
                    actor != NULL ? actor : "-", words[asked.says[i]], words[answer],
                    jb_answer_message(jb_answers_at(answers, 0)));
            exit(1);
        }
        seen[i][answer] += there;
    }
}

static bool
is_there(jb_ledger *l, const char *channel)
{
    uint64_t unused;
    struct jb_error err;
    return jb_channel_number(l, text(channel), &unused, &err) == JB_OK;
}

static void
compare_all(jb_ledger *l, jb_answers *answers, bool sealed)
{
    struct jb_may may = JB_SIZED(struct jb_may);
    struct jb_error err;
    for (unsigned w = 0; w < PLACES; w++) {
        if (jb_may_get(l, text(wallets[w]), text("O"), text(NULL), NULL, NULL, &may, &err) !=
            JB_OK) {
            continue;
        }
        for (unsigned i = 0; i < 2; i++) {
            compare(l, answers, wallets[w], NULL, people[number(PEOPLE)], sealed);
        }
        for (unsigned c = 0; c < PLACES; c++) {
            if (is_there(l, channels[c])) {
                const char *actor = chance(5) ? NULL : people[number(PEOPLE)];
                compare(l, answers, wallets[w], channels[c], actor, sealed);
            }
        }
    }
}

static void
try_ledger(const char *dir, unsigned rounds, bool enforced)
{
    struct jb_error err;
    jb_ledger *l;
    char key_file[80];
    struct jb_open_options options = JB_SIZED(struct jb_open_options);
    struct jb_init_options how = JB_SIZED(struct jb_init_options);
    snprintf(key_file, sizeof key_file, "%s.key", dir);
    now = INT64_C(1790000000000000); /* 2026-09-21 */
    how.roles = enforced;
    how.operator_id = "O";
    options.now = the_time;
    must(jb_init(dir, &how, &err) == JB_OK, err.text);
    must(jb_open(dir, &options, &l, &err) == JB_OK, err.text);
    jb_answers *answers = jb_answers_new();
    must(answers != NULL, "no memory");
    for (unsigned i = 0; i < rounds; i++) {
        live(l, answers);
        compare_all(l, answers, enforced);
    }
    jb_answers_free(answers);
    jb_close(l);
    unlink(key_file); /* where roles are asked from the beginning, names are sealed */
}

int
main(int argc, char **argv)
{
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 20261127;
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 12;
    for (unsigned i = 0; i < 6; i++) {
        char dir[64];
        make_quick_scratch(dir, "may");
        try_ledger(dir, rounds, i % 2 == 1);
        remove_scratch(dir);
    }
    /* Each row was asked, and those that hang on states and kinds said so. */
    static const char *const of_state[] = {
        "channel.connect",   "channel.disconnect", "channel.close",
        "channel.search_id", "channel.mail_order", "manager.add",
        "manager.remove",    "channel.transfer",   "charge",
        "consume",           "wallet.create",      "biz.request:channel"};
    static const char *const of_kind[] = {"channel.connect", "channel.transfer", "master.transfer",
                                          "biz.request", "invoice.email"};
    size_t n;
    const struct jb_permission *rows = jb_permissions(1, &n);
    for (size_t i = 0; i < n; i++) {
        must(seen[i][JB_MAY_YES] > 0 && seen[i][JB_MAY_ROLE] > 0, rows[i].cell);
        for (size_t k = 0; k < sizeof of_state / sizeof of_state[0]; k++) {
            must(!is(&rows[i], of_state[k]) || seen[i][JB_MAY_STATE] > 0, of_state[k]);
        }
        for (size_t k = 0; k < sizeof of_kind / sizeof of_kind[0]; k++) {
            must(!is(&rows[i], of_kind[k]) || seen[i][JB_MAY_KIND] > 0, of_kind[k]);
        }
    }
    return 0;
}
