#include "ledger/message.h"
#include "base/calendar.h"
#include "base/lang.h"
#include "base/text.h"
#include "event/names.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* ---- the sentences ---- */

struct words {
    const char *en, *ko;
};

enum {
    INSTEAD_NONE, /* of codes */
#define INSTEAD(name, en, ko) INSTEAD_##name,
#include "ledger/messages.def"
    INSTEAD_N
};

static const struct words of_code[JB_CODES_END] = {
#define SENTENCE(code, en, ko) [JB_CODE_##code] = {en, ko},
#include "ledger/messages.def"
};

static const struct words instead[INSTEAD_N] = {
#define INSTEAD(name, en, ko) [INSTEAD_##name] = {en, ko},
#include "ledger/messages.def"
};

static const struct {
    jb_code code;
    int64_t state;
    int op; /* 0: any */
    struct words words;
} of_state[] = {
#define JB_OP_NONE 0
#define OF_STATE(code, state, op, en, ko) {JB_CODE_##code, JB_##state, JB_OP_##op, {en, ko}},
#include "ledger/messages.def"
#undef JB_OP_NONE
};

static const struct words of_condition[JB_FIG_NAMES] = {
#define CONDITION(name, en, ko) [JB_FIG_##name] = {en, ko},
#include "ledger/messages.def"
};

enum written { UNKNOWN, MONEY, NUMBER, DAY, INSTANT, SECONDS, DAYS, WORD, SET };

static const struct {
    enum written as;
    const struct jb_names *list;
} figure_kinds[JB_FIG_NAMES] = {
#define FIGURE(name, kind, list) [JB_FIG_##name] = {kind, list},
#include "ledger/messages.def"
};

static_assert(JB_GROUP_COMMANDS_MAX == 8192, "the sentence of BATCH_TOO_LARGE says so");

static const char *
spoken(const struct words *w)
{
    return jb_lang_now == JB_LANG_KO ? w->ko : w->en;
}

/* ---- filling them in ---- */

struct sentence {
    char *at;
    size_t left;
    const struct jb_figure *figures;
    size_t figures_n;
    jb_op op;
    unsigned about;
    const struct jb_log_identity *ledger;
};

static int64_t
figure(const struct sentence *s, jb_figure_name name)
{
    for (size_t i = 0; i < s->figures_n; i++) {
        if (s->figures[i].name == (uint32_t)name) {
            return s->figures[i].value;
        }
    }
    return 0;
}

static void
say_bytes(struct sentence *s, const char *bytes, size_t n)
{
    n = n < s->left ? n : s->left - 1;
    memcpy(s->at, bytes, n);
    s->at += n;
    s->left -= n;
    *s->at = '\0';
}

static void
say_text(struct sentence *s, const char *text)
{
    say_bytes(s, text, strlen(text));
}

static const char *
word(const struct jb_names *names, int64_t value)
{
    const char *w = value >= 0 ? jb_name_word(names, (uint32_t)value) : NULL;
    return w != NULL ? w : "?";
}

/* "MASTER, MEMBER or OPERATOR" */
static void
say_set(struct sentence *s, const struct jb_names *names, uint64_t set, const char *last)
{
    bool any = false;
    for (uint32_t i = 0; i < names->n; i++) {
        if ((set >> i & 1) != 0 && names->words[i] != NULL) {
            say_text(s, !any ? "" : set >> i == 1 ? last : ", ");
            say_text(s, names == &jb_role_names && i == JB_ROLE_SELF ? jb_tr("the person concerned")
                                                                     : names->words[i]);
            any = true;
        }
    }
    say_text(s, any ? "" : jb_tr("nobody"));
}

/* Korean names the unit of money: "30,000원". English sentences have the figure alone. */
static void
say_unit(struct sentence *s)
{
    const char *currency = s->ledger->currency;
    if (jb_lang_now != JB_LANG_KO || currency[0] == '\0') {
        return;
    }
    if (strcmp(currency, "KRW") == 0) {
        say_text(s, "원");
    } else {
        say_text(s, " ");
        say_text(s, currency);
    }
}

static void
say_figure(struct sentence *s, const struct jb_figure *f)
{
    char text[JB_MONEY_TEXT_BYTES];
    const long long value = (long long)f->value;
    switch (f->name < JB_FIG_NAMES ? figure_kinds[f->name].as : UNKNOWN) {
    case MONEY:
        say_text(s, jb_money_print(f->value, s->ledger->exponent, text));
        say_unit(s);
        break;
    case DAY:
        say_text(s, jb_day_print((jb_day)f->value, text));
        break;
    case INSTANT:
        say_text(s, jb_instant_say(f->value, s->ledger->utc_offset_s, text));
        break;
    case SECONDS:
        snprintf(text, sizeof text, "%lld.%06lld", value / JB_US_PER_SECOND,
                 value % JB_US_PER_SECOND);
        say_text(s, text);
        break;
    case WORD:
        say_text(s, word(figure_kinds[f->name].list, f->value));
        break;
    case SET:
        say_set(s, figure_kinds[f->name].list, (uint64_t)f->value,
                f->name == JB_FIG_HAVE || f->name == JB_FIG_HAVE_NOW ? jb_tr(" and ")
                                                                     : jb_tr(" or "));
        break;
    case NUMBER:
    case DAYS:
    case UNKNOWN:
        snprintf(text, sizeof text, "%lld",
                 f->name == JB_FIG_AHEAD_US ? value / JB_US_PER_DAY : value);
        say_text(s, text);
        break;
    }
}

/* What of an op's commands was asked for, by the roles that it takes: "charge:admin". */
static const char *
cell_name(jb_op op, uint64_t roles)
{
    size_t n;
    const struct jb_permission *cells = jb_permissions(JB_MATRICES, &n);
    for (size_t i = 0; i < n; i++) {
        if (cells[i].op == (uint32_t)op && cells[i].roles == roles) {
            return cells[i].cell;
        }
    }
    return NULL;
}

/* The figure that is called so; 0 where the refusal has none of that name. */
static void
say_place(struct sentence *s, const char *name, size_t n)
{
    const struct jb_op_info *info = jb_op_get((uint32_t)s->op);
    if (n == 2 && memcmp(name, "op", 2) == 0) {
        say_text(s, info != NULL ? info->name : "?");
        return;
    }
    if (n == 4 && memcmp(name, "cell", 4) == 0) {
        const char *cell = cell_name(s->op, (uint64_t)figure(s, JB_FIG_WHO));
        say_text(s, cell != NULL ? cell : info != NULL ? info->name : "?");
        return;
    }
    for (size_t i = 0; i < s->figures_n; i++) {
        const char *called = jb_figure_word(s->figures[i].name);
        if (called != NULL && strlen(called) == n && memcmp(called, name, n) == 0) {
            say_figure(s, &s->figures[i]);
            return;
        }
    }
    say_text(s, "0");
}

static void
say(struct sentence *s, const struct words *w)
{
    const char *text = spoken(w);
    for (const char *open; (open = strchr(text, '{')) != NULL;) {
        const char *close = strchr(open, '}');
        say_bytes(s, text, (size_t)(open - text));
        say_place(s, open + 1, (size_t)(close - open - 1));
        text = close + 1;
    }
    say_text(s, text);
}

/* ---- which one ---- */

static void
say_conditions(struct sentence *s)
{
    for (size_t i = 0; i < s->figures_n; i++) {
        const uint32_t name = s->figures[i].name;
        if (name < JB_FIG_NAMES && of_condition[name].en != NULL) {
            say_text(s, i > 0 ? ";" : "");
            say(s, &of_condition[name]);
        }
    }
}

static int
status_instead(jb_op op, uint32_t status)
{
    if ((op == JB_OP_WALLET_ON && status == JB_WALLET_ACTIVE) ||
        (op == JB_OP_WALLET_OFF && status == JB_WALLET_OFF) ||
        (op == JB_OP_WALLET_SUSPEND && status == JB_WALLET_SUSPENDED)) {
        return INSTEAD_STATE_ALREADY;
    }
    if (op == JB_OP_WALLET_LIFT) {
        return INSTEAD_STATE_NOTHING_TO_LIFT;
    }
    if (op == JB_OP_FORGET) {
        return INSTEAD_STATE_NOT_DELETED;
    }
    if (op == JB_OP_WALLET_ON || op == JB_OP_WALLET_OFF) {
        return INSTEAD_STATE_LIFT_FIRST;
    }
    return jb_wallet_allows(status, JB_OP_CHARGE) ? INSTEAD_NONE : INSTEAD_STATE_REFUND_ONLY;
}

/* Of an actor who has a role: what kept him, where that is not the role. */
static int
role_instead(const struct sentence *s)
{
    const uint64_t have = (uint64_t)figure(s, JB_FIG_HAVE),
                   both = 1U << JB_ROLE_MASTER | 1U << JB_ROLE_CHANNEL_MASTER;
    const bool operates = (have >> JB_ROLE_OPERATOR & 1) != 0;
    if ((have & (uint64_t)figure(s, JB_FIG_WHO)) == 0) {
        return INSTEAD_NONE;
    }
    if (s->op == JB_OP_BIZ_APPROVE) {
        return INSTEAD_ROLE_OWN_REQUEST;
    }
    if (s->op == JB_OP_WALLET_CREATE && !operates) {
        return INSTEAD_ROLE_FOR_OTHERS;
    }
    return s->op == JB_OP_CHANNEL_CONNECT && !operates && (have & both) != both
               ? INSTEAD_ROLE_ONE_OF_TWO
               : INSTEAD_ROLE_NAMED;
}

/* The row of `instead` that a refusal has in place of its code's, or INSTEAD_NONE. */
static int
instead_of(const struct sentence *s, jb_code code)
{
    if (code == JB_CODE_WALLET_STATE) {
        return status_instead(s->op, (uint32_t)figure(s, JB_FIG_STATUS));
    }
    if (code == JB_CODE_ROLE) {
        const bool by_nobody = (s->about & JB_BY_NOBODY) != 0;
        return figure(s, JB_FIG_WHO) == 1 << JB_ROLE_SELF && !by_nobody ? INSTEAD_ROLE_SELF
               : figure(s, JB_FIG_HAVE) != 0                            ? role_instead(s)
               : by_nobody                                              ? INSTEAD_NO_ACTOR
                                                                        : INSTEAD_NO_ROLE;
    }
    if (code == JB_CODE_INSUFFICIENT_CASH) {
        return figure(s, JB_FIG_POSTPAID_LIMIT) != 0 ? INSTEAD_POSTPAID_CASH : INSTEAD_NONE;
    }
    if (code == JB_CODE_EXPECT_MISMATCH) {
        return (s->about & JB_OF_CHANNEL) != 0 ? INSTEAD_CHANNEL_VERSION : INSTEAD_NONE;
    }
    if (code == JB_CODE_CHANNEL_KIND) { /* else: a wallet and a channel do not go together */
        return s->op == JB_OP_CHANNEL_MAIL_ORDER || s->op == JB_OP_CHANNEL_TRANSFER
                   ? INSTEAD_CHANNEL_NOT_BUSINESS
                   : INSTEAD_NONE;
    }
    if (code != JB_CODE_MASTER_NEEDED) {
        return INSTEAD_NONE;
    }
    return s->op == JB_OP_POLICY_SET      ? INSTEAD_WALLETS_WITHOUT_MASTER
           : s->op == JB_OP_WALLET_CREATE ? INSTEAD_CREATED_WITHOUT_MASTER
                                          : INSTEAD_NONE;
}

/* What the state that a refusal names means for its op; NULL: no row says it. */
static const struct words *
state_words(const struct sentence *s, jb_code code)
{
    const int64_t state = code == JB_CODE_PERSON_STATE    ? figure(s, JB_FIG_PERSON_STATE)
                          : code == JB_CODE_CHANNEL_STATE ? figure(s, JB_FIG_CHANNEL_STATE)
                          : code == JB_CODE_BIZ_STATE     ? figure(s, JB_FIG_BIZ_STATE)
                          : code == JB_CODE_SALES_STATE   ? figure(s, JB_FIG_SALES_STATE)
                                                          : 0;
    for (size_t i = 0; i < sizeof of_state / sizeof of_state[0]; i++) {
        if (of_state[i].code == code && of_state[i].state == state &&
            (of_state[i].op == 0 || of_state[i].op == (int)s->op)) {
            return &of_state[i].words;
        }
    }
    return NULL;
}

unsigned
jb_refusal_about(const struct jb_command *c, int64_t index)
{
    const struct jb_command *m =
        index >= 0 && c->op == JB_OP_ATOMIC && (size_t)index < c->commands_n ? &c->commands[index]
                                                                             : c;
    bool by_nobody = ((c->has | m->has) & JB_HAS(JB_CF_ACTOR)) == 0;
    bool of_channel = (m->has & JB_HAS(JB_CF_CHANNEL)) != 0 && (m->has & JB_HAS(JB_CF_WALLET)) == 0;
    return (by_nobody ? JB_BY_NOBODY : 0U) | (of_channel ? JB_OF_CHANNEL : 0U);
}

void
jb_refusal_message(jb_code code, const struct jb_figure *figures, size_t n, jb_op op,
                   unsigned about, int64_t index, const struct jb_log_identity *ledger, char *text,
                   size_t text_n)
{
    struct sentence s = {text, text_n, figures, n, op, about, ledger};
    text[0] = '\0';
    if (index >= 0) {
        char of_group[300];
        snprintf(of_group, sizeof of_group,
                 jb_tr("command %lld of the group (index %lld) was refused, so none of it was "
                       "done: "),
                 (long long)index + 1, (long long)index);
        say_text(&s, of_group);
    }
    if (code < 0 || code >= JB_CODES_END || of_code[code].en == NULL) {
        say_text(&s, jb_tr("refused"));
        return;
    }
    const int other = instead_of(&s, code);
    const struct words *of = state_words(&s, code);
    say(&s, of != NULL ? of : other != INSTEAD_NONE ? &instead[other] : &of_code[code]);
    if (code == JB_CODE_DELETE_CONDITIONS) {
        say_conditions(&s);
    }
}
