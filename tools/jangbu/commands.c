/* One command from the command line. Its words become the JSON of docs/vocabulary.md and go the way
 * of any other command, so that they mean and are refused the same. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app.h"
#include "command_json.h"
#include "event_json.h"

struct form {
    const char *command, *word; /* "wallet", "create"; word NULL: none */
    uint32_t op;
    int positional[4]; /* fields, ended by -1 */
    int optional;      /* how many of the last positional may be left out */
};

#define W JB_CF_WALLET
static const struct form forms[] = {
    {"wallet", "create", JB_OP_WALLET_CREATE, {W, -1}, 0},
    {"wallet", "rename", JB_OP_WALLET_RENAME, {W, -1}, 0},
    {"wallet", "off", JB_OP_WALLET_OFF, {W, -1}, 0},
    {"wallet", "on", JB_OP_WALLET_ON, {W, -1}, 0},
    {"wallet", "suspend", JB_OP_WALLET_SUSPEND, {W, -1}, 0},
    {"wallet", "lift", JB_OP_WALLET_LIFT, {W, -1}, 0},
    {"wallet", "delete", JB_OP_WALLET_DELETE, {W, -1}, 0},
    {"charge", "reverse", JB_OP_CHARGE_REVERSE, {W, JB_CF_CHARGE, JB_CF_AMOUNT, -1}, 0},
    {"charge", NULL, JB_OP_CHARGE, {W, JB_CF_CHARGE, JB_CF_AMOUNT, -1}, 0},
    {"repay", NULL, JB_OP_DEBT_REPAY, {W, JB_CF_AMOUNT, -1}, 0},
    {"grant", "revoke", JB_OP_FREE_REVOKE, {W, JB_CF_GRANT, -1}, 0},
    {"grant", NULL, JB_OP_FREE_GRANT, {W, JB_CF_GRANT, JB_CF_AMOUNT, -1}, 0},
    {"activate", NULL, JB_OP_FREE_ACTIVATE, {W, JB_CF_GRANT, -1}, 0},
    {"consume", "reverse", JB_OP_CONSUME_REVERSE, {W, JB_CF_USAGE, JB_CF_AMOUNT, -1}, 0},
    {"consume", NULL, JB_OP_CONSUME, {W, JB_CF_USAGE, JB_CF_AMOUNT, -1}, 0},
    {"refund", "request", JB_OP_REFUND_REQUEST, {W, JB_CF_REFUND, JB_CF_AMOUNT, -1}, 1},
    {"refund", "approve", JB_OP_REFUND_APPROVE, {W, JB_CF_REFUND, -1}, 0},
    {"refund", "reject", JB_OP_REFUND_REJECT, {W, JB_CF_REFUND, -1}, 0},
    {"refund", "cancel", JB_OP_REFUND_CANCEL, {W, JB_CF_REFUND, -1}, 0},
    {"refund", "complete", JB_OP_REFUND_COMPLETE, {W, JB_CF_REFUND, -1}, 0},
    {"refund", "fail", JB_OP_REFUND_FAIL, {W, JB_CF_REFUND, -1}, 0},
    {"policy", "set", JB_OP_POLICY_SET, {JB_CF_POLICY, JB_CF_VALUE, -1}, 0},
    {"day", "close", JB_OP_DAY_CLOSE, {JB_CF_DAY, -1}, 0},
};

#define FORMS (sizeof forms / sizeof forms[0])
#define WORD_BYTES 24

/* The ops that have no row above are called by their own words, `member invite` for member.invite;
 * of what they must say these are arguments, in this order, and the rest are options. */
static const int argument_order[] = {JB_CF_WALLET, JB_CF_CHANNEL,   JB_CF_PERSON, JB_CF_ROLE,
                                     JB_CF_AGENCY, JB_CF_SEARCH_ID, JB_CF_EMAIL,  JB_CF_SETTLEMENT,
                                     JB_CF_GRANT,  JB_CF_MONTH,     JB_CF_INVOICE};

static void
copy_word(char to[WORD_BYTES], const char *from, size_t n)
{
    size_t i = 0;
    for (; i < n && i + 1 < WORD_BYTES; i++) {
        to[i] = from[i] == '_' ? '-' : from[i];
    }
    to[i] = '\0';
}

static const struct form *
made_form(uint32_t op)
{
    static struct form made[JB_OPS];
    static char words[JB_OPS][2][WORD_BYTES];
    struct form *f = &made[op];
    const struct jb_op_info *info = jb_op_get(op);
    if (f->command != NULL) {
        return f;
    }
    if (info == NULL) { /* a number that is not given */
        *f = (struct form){"", NULL, op, {-1, -1, -1, -1}, 0};
        return f;
    }
    const char *dot = strchr(info->name, '.');
    copy_word(words[op][0], info->name,
              dot != NULL ? (size_t)(dot - info->name) : strlen(info->name));
    copy_word(words[op][1], dot != NULL ? dot + 1 : "", dot != NULL ? strlen(dot + 1) : 0);
    *f = (struct form){words[op][0], dot != NULL ? words[op][1] : NULL, op, {-1, -1, -1, -1}, 0};
    /* Of a wallet, or of the channel that an option names. */
    bool either = info->name[0] == 'b' && (info->optional & JB_HAS(JB_CF_CHANNEL)) != 0;
    int n = 0;
    for (size_t i = 0; i < sizeof argument_order / sizeof argument_order[0] && n < 3; i++) {
        bool is = (info->required & JB_HAS(argument_order[i])) != 0 ||
                  (either && argument_order[i] == JB_CF_WALLET);
        f->positional[n] = is ? argument_order[i] : -1;
        n += is;
    }
    f->positional[n] = -1;
    f->optional = either;
    return f;
}

/* All forms; NULL behind the last one. */
static const struct form *
nth_form(size_t i)
{
    return i < FORMS ? &forms[i]
           : i - FORMS < JB_OPS - JB_OP_ROLE_GIVE
               ? made_form((uint32_t)(i - FORMS) + JB_OP_ROLE_GIVE)
               : NULL;
}

static bool
is_word(const char *of_form, const char *typed)
{
    char word[WORD_BYTES];
    copy_word(word, typed, strlen(typed));
    return strcmp(of_form, word) == 0;
}

static const struct form *
find_form(const char *command, const char *word)
{
    const struct form *plain = NULL, *f;
    for (size_t i = 0; (f = nth_form(i)) != NULL; i++) {
        if (strcmp(f->command, command) != 0) {
            continue;
        }
        if (f->word == NULL) {
            plain = f;
        } else if (word != NULL && is_word(f->word, word)) {
            return f;
        }
    }
    return plain;
}

bool
is_one(const char *command, int argc, char **argv)
{
    const struct form *f = argc > 1 ? find_form(command, argv[1]) : NULL;
    return f != NULL && f->word != NULL;
}

/* The words that a sub-command has. None is proposed: all of them change something. */
static int
no_form(const struct app *app, const char *command, const char *word)
{
    char list[200] = "";
    size_t n = 0;
    const struct form *f;
    for (size_t i = 0; (f = nth_form(i)) != NULL; i++) {
        if (strcmp(f->command, command) == 0 && f->word != NULL) {
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n > 0 ? ", " : "", f->word);
        }
    }
    static const char *const lists[] = {"list", "ls", "show", "get"};
    for (size_t i = 0; i < 4 && word != NULL && strcmp(command, "wallet") == 0; i++) {
        if (strcmp(word, lists[i]) == 0) {
            return app_usage(app, "do you mean `jangbu wallets LEDGER`, or `jangbu balance`?");
        }
    }
    return word == NULL ? app_usage(app, "jangbu %s needs one more word: %s", command, list)
                        : app_usage(app, "jangbu %s has %s; not %.40s", command, list, word);
}

static bool
looks_whole(const char *s)
{
    s += *s == '-';
    return *s != '\0' && strspn(s, "0123456789") == strlen(s) && (s[0] != '0' || s[1] == '\0');
}

/* A word of the command line as the JSON member that the field wants. What is no number stays a
 * text, and is refused as one. */
static void
member(struct out *o, int field, const char *text)
{
    const struct jb_command_field_info *f = jb_command_field_get((unsigned)field);
    bool number = f->kind == JB_CK_AMOUNT || f->kind == JB_CK_AMOUNT0 || f->kind == JB_CK_UINT ||
                  f->kind == JB_CK_VALUE;
    if (number && looks_whole(text)) {
        js_number(o, f->name, text);
    } else {
        js_str(o, f->name, text);
    }
}

static void
actor_member(struct out *o, const char *text)
{
    const char *colon = strchr(text, ':');
    js_open(o, "actor", '{');
    js_text(o, "id", (struct jb_text){text, colon != NULL ? (size_t)(colon - text) : strlen(text)});
    if (colon != NULL) {
        js_str(o, "role", colon + 1);
    }
    js_close(o, '}');
}

/* --txn-ref for txn_ref. */
static const char *
option_name(int field, char *buf, size_t n)
{
    const char *name = jb_command_field_get((unsigned)field)->name;
    size_t i = 0;
    for (; name[i] != '\0' && i + 1 < n; i++) {
        buf[i] = name[i] == '_' ? '-' : name[i];
    }
    buf[i] = '\0';
    return buf;
}

static void
print_parts(struct app *app, struct jb_parts parts)
{
    static const char *const words[4] = {SAID("debt"), SAID("paid cash, lot"),
                                         SAID("free cash, grant"), SAID("lapsed, grant")};
    char amount[48];
    for (uint32_t i = 0; i < parts.n; i++) {
        const struct jb_part *p = &parts.at[i];
        out_str(&app->out, "  ");
        out_str(&app->out, app_amount(app, p->amount, amount));
        out_str(&app->out, "  ");
        out_str(&app->out, tr(words[p->kind & 3]));
        if (p->kind != JB_PART_DEBT) {
            out_char(&app->out, ' ');
            out_uint(&app->out, p->ordinal);
        }
        out_char(&app->out, '\n');
    }
}

/* What the command names, where the refusal is about that. */
static const struct jb_text *
named(const struct jb_command *c, jb_code code)
{
    static const jb_code wallet[] = {JB_CODE_WALLET_UNKNOWN, JB_CODE_WALLET_UNKNOWN_THEN,
                                     JB_CODE_WALLET_EXISTS, JB_CODE_WALLET_DELETED,
                                     JB_CODE_WALLET_STATE};
    static const jb_code id[] = {JB_CODE_CHARGE_UNKNOWN,  JB_CODE_GRANT_UNKNOWN,
                                 JB_CODE_REFUND_UNKNOWN,  JB_CODE_USAGE_UNKNOWN,
                                 JB_CODE_AMBIGUOUS_USAGE, JB_CODE_ID_EXISTS};
    if (code >= JB_CODE_CHANNEL_UNKNOWN && code <= JB_CODE_CHANNEL_KIND) {
        return &c->channel;
    }
    for (size_t i = 0; i < sizeof wallet / sizeof wallet[0]; i++) {
        if (code == wallet[i]) {
            return &c->wallet;
        }
    }
    for (size_t i = 0; i < sizeof id / sizeof id[0]; i++) {
        if (code == id[i]) {
            return &c->id;
        }
    }
    return NULL;
}

static bool
is_malformed(jb_code code)
{
    return code == JB_CODE_MALFORMED || code == JB_CODE_AMOUNT_INVALID;
}

/* An approval that finds the money gone is accepted, and ends the refund. */
static bool
not_approved(const struct jb_answer *a)
{
    const struct jb_event *e = a->code == JB_CODE_NONE ? jb_answer_event(a) : NULL;
    return e != NULL && e->type == JB_EV_REFUND_FAILED &&
           e->refund_failed.why == JB_FAILURE_BALANCE;
}

/* The first open day; one that is never over where there is none. */
static jb_day
open_day(struct app *app)
{
    struct jb_ledger_stat s = {.size = sizeof s};
    struct jb_error ignored; /* it only adds to a sentence */
    return jb_ledger_stat_get(app->ledger, &s, &ignored) == JB_OK && s.open_day != JB_NO_DAY
               ? s.open_day
               : INT32_MAX;
}

/* The day that the clock says is the last that is over, where that one can be closed. */
static void
print_last_day(struct app *app)
{
    char text[JB_DAY_TEXT_BYTES];
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    const jb_day today = jb_day_of((jb_instant)t.tv_sec * JB_US_PER_SECOND, app->info.utc_offset_s);
    if (open_day(app) < today) {
        char said[160];
        snprintf(said, sizeof said, tr("; the last one that can be closed now is %s"),
                 jb_day_print(today - 1, text));
        out_str(&app->out, said);
    }
}

/* What two refusals leave out: a manager who names no channel has no role, and invoice_from has no
 * `from`. */
static void
print_hint(struct app *app, jb_code code, const struct jb_command *c)
{
    const uint64_t channel = JB_HAS(JB_CF_CHANNEL);
    if (code == JB_CODE_ROLE && (c->has & JB_HAS(JB_CF_ACTOR)) != 0 && (c->has & channel) == 0 &&
        (jb_op_get(c->op)->optional & channel) != 0) {
        out_str(&app->out, tr("A role in a channel counts where the channel is named: --channel "
                              "CHANNEL.\n"));
    } else if (code == JB_CODE_FROM_IN_PAST && c->policy == JB_POLICY_INVOICE_FROM) {
        out_str(&app->out, tr("invoice_from can be set until its month begins: to a month that "
                              "lies ahead, or to any where nothing was consumed.\n"));
    }
}

/* What the event is about, in words: nothing where there are none. */
static void
print_about(struct app *app, const struct jb_event *e, const struct jb_command *c)
{
    struct out *o = &app->out;
    const size_t before = o->n;
    char channel[JB_ID_BYTES_MAX + 1];
    out_char(o, ' ');
    app_event_words(app, e, app_event_channel(app, e, channel), o);
    if (e->type == JB_EV_FORGOTTEN && e->forgotten.wallet_no != 0) { /* a number in the event */
        out_bytes(o, c->wallet.s, c->wallet.n);
    }
    if (o->n == before + 1) {
        o->n = before;
    }
}

/* What a tax invoice says, and the number of the document that a correction wrote before it. */
static void
print_invoice(struct app *app, const struct jb_answer *a, const struct jb_invoice_issued *i)
{
    char supply[48], vat[48], total[48], text[256];
    snprintf(text, sizeof text, tr("supply %s, VAT %s, total %s"),
             app_amount(app, i->total - i->vat, supply), app_amount(app, i->vat, vat),
             app_amount(app, i->total, total));
    out_str(&app->out, "  ");
    out_str(&app->out, text);
    if (jb_answer_negative(a) != 0) {
        snprintf(text, sizeof text, tr("; invoice %llu, written with it, takes %llu back"),
                 (unsigned long long)jb_answer_negative(a), (unsigned long long)i->original);
        out_str(&app->out, text);
    }
    out_char(&app->out, '\n');
}

/* An answer for people: a sentence, where the money went, and for a dry run the balances that it
 * would give. before: the first open day that there was. */
static void
print_answer(struct app *app, const struct jb_answer *a, const struct jb_command *c, jb_day before)
{
    struct out *o = &app->out;
    char amount[48];
    if (is_malformed(a->code)) {
        fprintf(stderr, "jangbu: %s: %s.\n", jb_code_word((uint32_t)a->code), jb_answer_message(a));
        return;
    }
    if (a->code != JB_CODE_NONE) {
        const struct jb_text *name = named(c, a->code);
        out_str(o, tr("refused: "));
        out_str(o, jb_code_word((uint32_t)a->code));
        if (name != NULL) {
            out_str(o, " (");
            out_bytes(o, name->s, name->n);
            out_str(o, ")");
        }
        out_str(o, ": ");
        out_str(o, jb_answer_message(a));
        if (a->code == JB_CODE_DAY_NOT_OVER && a->outcome == JB_REFUSED) {
            print_last_day(app);
        }
        out_str(o, ".\n");
        print_hint(app, a->code, c);
        return;
    }
    const struct jb_event *e = jb_answer_event(a);
    const struct jb_event_type_info *type = e != NULL ? jb_event_type_get(e->type) : NULL;
    const bool no = not_approved(a);
    out_str(o, a->outcome == JB_DUPLICATE ? no ? tr("not approved before") : tr("done before")
               : a->dry_run ? no ? tr("would not be approved") : tr("would be done")
               : no ? tr("not approved")
                                          : tr("done"));
    out_str(o, ": ");
    out_str(o, type != NULL ? type->name : tr("group"));
    if (e != NULL && e->type == JB_EV_DAY_CLOSED && before <= e->day_closed.day) {
        char day[JB_DAY_TEXT_BYTES];
        char last[JB_DAY_TEXT_BYTES], closed[100];
        snprintf(closed, sizeof closed,
                 before < e->day_closed.day ? tr(": closed %s to %s") : tr(": closed %s%.0s"),
                 jb_day_print(before, day), jb_day_print(e->day_closed.day, last));
        out_str(o, closed);
    } else if (e != NULL && (e->type == JB_EV_POLICY_SET || e->type >= JB_EV_DAY_CLOSED)) {
        print_about(app, e, c);
    }
    if (e != NULL && jb_event_amount(e) != 0) {
        out_str(o, " ");
        out_str(o, app_amount(app, jb_event_amount(e), amount));
    }
    if (e != NULL && e->type == JB_EV_CHARGE_SETTLED && e->charge_settled.applied_to_debt != 0) {
        char filled[160];
        snprintf(filled, sizeof filled, tr(", of which %s filled the debt"),
                 app_amount(app, e->charge_settled.applied_to_debt, amount));
        out_str(o, filled);
    }
    if (no) {
        out_str(o, tr(": paid cash does not cover it; the refund has FAILED, ask for a new one"));
    }
    if (a->same_txn != 0) {
        char again[160];
        snprintf(again, sizeof again, tr(", the gateway's transaction of event %llu once more"),
                 (unsigned long long)a->same_txn);
        out_str(o, again);
    }
    if (a->seq != 0) {
        char event[64];
        snprintf(event, sizeof event, tr(" (event %llu)"), (unsigned long long)a->seq);
        out_str(o, event);
    }
    if (!a->content_checked) {
        out_str(o, tr("; not compared with what is asked now: the file `secret` is lost or "
                      "damaged, or was when that event was written"));
    }
    out_char(o, '\n');
    if (e != NULL) {
        print_parts(app, jb_event_parts(e));
    }
    if (e != NULL && e->type == JB_EV_INVOICE_ISSUED) {
        print_invoice(app, a, &e->invoice_issued);
    }
}

/* ---- what stands under an answer ---- */

/* A word as a shell takes it. */
static void
shell_word(struct out *o, const char *word)
{
    bool plain = word[0] != '\0' && word[0] != '-';
    for (const char *c = word; *c != '\0'; c++) {
        plain = plain && ((unsigned char)*c >= 0x80 || isalnum((unsigned char)*c) ||
                          strchr("._/@:+-,=%", *c) != NULL);
    }
    if (plain) {
        out_str(o, word);
        return;
    }
    out_char(o, '\'');
    for (const char *c = word; *c != '\0'; c++) {
        if (*c == '\'') {
            out_str(o, "'\\''");
        } else {
            out_char(o, *c);
        }
    }
    out_char(o, '\'');
}

/* The command that takes an event back, where there is one. */
static const struct step_back {
    uint32_t type;
    jb_op op;
    const char *form; /* "charge.reverse", which is typed with a blank */
    bool id, amount;
    bool seq; /* which of several with that id */
} steps_back[] = {
    {JB_EV_CHARGE_SETTLED, JB_OP_CHARGE_REVERSE, "charge.reverse", true, true, false},
    {JB_EV_CASH_CONSUMED, JB_OP_CONSUME_REVERSE, "consume.reverse", true, true, true},
    {JB_EV_FREE_GRANTED, JB_OP_FREE_REVOKE, "grant.revoke", true, false, false},
    {JB_EV_REFUND_REQUESTED, JB_OP_REFUND_CANCEL, "refund.cancel", true, false, false},
    {JB_EV_REFUND_APPROVED, JB_OP_REFUND_FAIL, "refund.fail", true, false, false},
    {JB_EV_WALLET_TURNED_OFF, JB_OP_WALLET_ON, "wallet.on", false, false, false},
    {JB_EV_WALLET_TURNED_ON, JB_OP_WALLET_OFF, "wallet.off", false, false, false},
    {JB_EV_WALLET_SUSPENDED, JB_OP_WALLET_LIFT, "wallet.lift", false, false, false},
    {JB_EV_SUSPENSION_LIFTED, JB_OP_WALLET_SUSPEND, "wallet.suspend", false, false, false},
    {JB_EV_SALES_ACCEPTED, JB_OP_SALES_RELEASE, "sales.release", false, false, false},
};

struct cells_asked {
    jb_op op;
    bool yes;
};

static bool
each_cell_asked(void *data, const struct jb_permission *cell, jb_may_answer answer)
{
    struct cells_asked *asked = data;
    asked->yes |= cell->op == (uint32_t)asked->op && answer == JB_MAY_YES;
    return true;
}

/* Whether who did it may take it back. The command is done: what cannot be found out is no hint. */
static bool
may_take_back(struct app *app, jb_op op, const struct jb_command *c)
{
    struct cells_asked asked = {.op = op};
    struct jb_may m = JB_SIZED(struct jb_may);
    struct jb_error ignored;
    return jb_may_get(app->ledger, c->wallet, c->actor_id, (struct jb_text){NULL, 0},
                      each_cell_asked, &asked, &m, &ignored) == JB_OK &&
           asked.yes;
}

static void
print_step_back(struct app *app, const struct jb_event *e, const struct jb_command *done)
{
    const struct jb_text wallet = done->wallet;
    int64_t roles = 0;
    struct jb_error ignored; /* the command is done: it is a hint that is without it */
    const struct step_back *s = NULL;
    char text[JB_ID_BYTES_MAX + 1], amount[48], seq[32];
    for (size_t i = 0; i < sizeof steps_back / sizeof steps_back[0]; i++) {
        s = steps_back[i].type == e->type ? &steps_back[i] : s;
    }
    if (s == NULL || wallet.n > JB_ID_BYTES_MAX) {
        return;
    }
    const bool asked =
        jb_policy_get(app->ledger, JB_POLICY_ROLES, &roles, &ignored) == JB_OK && roles != 0;
    if (asked && !may_take_back(app, s->op, done)) {
        return;
    }
    out_str(&app->out, tr("to take it back: "));
    out_str(&app->out, "jangbu ");
    for (const char *c = s->form; *c != '\0'; c++) {
        out_char(&app->out, *c == '.' ? ' ' : *c);
    }
    out_char(&app->out, ' ');
    shell_word(&app->out, app->args[0]);
    out_char(&app->out, ' ');
    snprintf(text, sizeof text, "%.*s", (int)wallet.n, wallet.s);
    shell_word(&app->out, text);
    if (s->id) {
        out_char(&app->out, ' ');
        shell_word(&app->out, app_event_id(app, e, text));
    }
    if (s->amount) {
        out_char(&app->out, ' ');
        out_str(&app->out, app_amount(app, jb_event_amount(e), amount));
    }
    if (s->seq) {
        snprintf(seq, sizeof seq, " --seq %llu", (unsigned long long)e->seq);
        out_str(&app->out, seq);
    }
    if (asked) {
        snprintf(text, sizeof text, "%.*s", (int)done->actor_id.n, done->actor_id.s);
        out_str(&app->out, " --actor ");
        shell_word(&app->out, text);
    }
    out_char(&app->out, '\n');
}

static void
print_balance(struct app *app, const char *format, const struct jb_balance *b)
{
    char paid[48], free_cash[48], total[48], line[300];
    snprintf(line, sizeof line, tr(format), app_amount(app, b->paid, paid),
             app_amount(app, b->free, free_cash), app_amount(app, b->total, total));
    out_str(&app->out, line);
}

/* What the wallet has now, and how the step is taken back: under what was done, not what would be.
 */
static void
print_after(struct app *app, const struct jb_answer *a, const struct jb_command *c)
{
    const struct jb_text wallet = c->wallet;
    const struct jb_event *e = jb_answer_event(a);
    struct jb_wallet_balance b = {.size = sizeof b};
    if (jb_answer_balance(a) != NULL) {
        print_balance(app, SAID("balance then: paid %s, free %s, total %s\n"),
                      jb_answer_balance(a));
    }
    if (a->outcome != JB_DONE || a->dry_run || e == NULL || wallet.s == NULL) {
        return;
    }
    if (jb_event_amount(e) != 0) { /* it only adds to the answer, which stands */
        if (app->views != NULL &&
            jb_balance_get(app->views, wallet, NULL, &b, &app->err) == JB_OK) {
            print_balance(app, SAID("balance now: paid %s, free %s, total %s\n"), &b.balance);
        } else {
            fprintf(stderr, tr("jangbu: it is done; what the wallet has now cannot be told: %s.\n"),
                    app->err.text);
        }
    }
    print_step_back(app, e, c);
}

/* Queries open the ledger for reading and never store; so commands keep the tail short that queries
 * have to fold. */
#define VIEWS_LAG_MAX 20000

static void
bound_views_lag(struct app *app, jb_seq seq)
{
    struct jb_views_stat stat = {.size = sizeof stat};
    struct jb_error
        ignored; /* what could not be stored now is stored by the next command; the answer stands */
    if (app->views != NULL && jb_views_stat_get(app->views, &stat, &ignored) == JB_OK &&
        seq > stat.stored_seq + VIEWS_LAG_MAX) {
        (void)!jb_views_sync(app->views, true, &ignored);
    }
}

/* "--expires-on" where the sentence begins with the member expires_on, which is no argument of the
 * form. Returns how much of the sentence that stands for. */
static size_t
option_of(const struct form *form, const struct bad_line *bad, char option[24])
{
    const size_t n = strlen(bad->field);
    if (n == 0 || strncmp(bad->message, bad->field, n) != 0 ||
        (bad->message[n] != ' ' && bad->message[n] != ':')) {
        return 0;
    }
    for (int field = 0; field < JB_CF_N; field++) {
        const struct jb_command_field_info *f = jb_command_field_get((unsigned)field);
        bool argument = false;
        for (int i = 0; i < 4 && form->positional[i] >= 0; i++) {
            argument |= form->positional[i] == field;
        }
        if (f != NULL && strcmp(f->name, bad->field) == 0 && !argument) {
            memcpy(option, "--", 2);
            option_name(field, option + 2, 22);
            return n;
        }
    }
    return 0;
}

/* Who leaves --actor out where roles are asked is refused, and the refusal would be kept under the
 * key: it was a slip of whoever typed, so it is only tried then, and the key stays as it was. */
static bool
is_slip(struct app *app, const struct jb_command *c)
{
    int64_t roles = 0;
    struct jb_error ignored; /* whoever decides says it */
    return (c->has & JB_HAS(JB_CF_ACTOR)) == 0 && (c->has & JB_HAS(JB_CF_KEY)) != 0 &&
           jb_policy_get(app->ledger, JB_POLICY_ROLES, &roles, &ignored) == JB_OK && roles != 0;
}

static jb_status
decide(struct app *app, const struct jb_command *c, const struct jb_submit_options *o,
       jb_answers *answers, bool *ret_tried)
{
    *ret_tried = false;
    struct jb_submit_options trial = *o;
    trial.dry_run = true;
    if (o->dry_run == 0 && is_slip(app, c)) {
        jb_status status = jb_submit(app->ledger, c, 1, &trial, answers, NULL, &app->err);
        const struct jb_answer *a = status == JB_OK ? jb_answers_at(answers, 0) : NULL;
        *ret_tried = a != NULL && a->code == JB_CODE_ROLE && a->outcome == JB_REFUSED;
        if (status != JB_OK || *ret_tried) {
            return status;
        }
    }
    return jb_submit(app->ledger, c, 1, o, answers, NULL, &app->err);
}

static int
submit(struct app *app, const struct form *form, const struct out *json, bool dry_run,
       bool accept_clock)
{
    struct json_pool *pool = json_pool_new();
    struct jb_command c;
    struct jb_text key;
    struct bad_line bad;
    int code = EXIT_USAGE;
    if (pool == NULL) {
        fputs(tr("jangbu: no memory\n"), stderr);
        return EXIT_MACHINE;
    }
    if (!command_from_json(pool, json->at, json->n, &c, &key, &bad)) {
        if (bad.no_memory) {
            fputs(tr("jangbu: no memory\n"), stderr);
            json_pool_free(pool);
            return EXIT_MACHINE;
        }
        if (app->json) {
            bad.column = 0; /* a column of JSON that nobody wrote */
            bad_line_json(&app->out, &bad, 0, key);
            out_char(&app->out, '\n');
        } else {
            char option[24] = "";
            const size_t n = option_of(form, &bad, option);
            fprintf(stderr, "jangbu: %s: %s%s.\n", jb_code_word((uint32_t)bad.code), option,
                    bad.message + n);
        }
        json_pool_free(pool);
        return code;
    }
    struct jb_submit_options o = {
        .size = sizeof o, .dry_run = dry_run, .accept_clock = accept_clock, .caller = app->caller};
    jb_answers *answers = jb_answers_new();
    const jb_day before = open_day(app);
    bool tried = false;
    if (answers == NULL) {
        fputs(tr("jangbu: no memory\n"), stderr);
        code = EXIT_MACHINE;
    } else if (decide(app, &c, &o, answers, &tried) != JB_OK) {
        code = app_fail(app, &app->err);
    } else {
        const struct jb_answer *a = jb_answers_at(answers, 0);
        if (jb_views_open(app->ledger, &app->views, &app->err) != JB_OK) {
            app->views = NULL; /* what they add can be done without */
        }
        if (app->json) {
            answer_json(&app->out, a, 0, key, app->info.utc_offset_s);
            out_char(&app->out, '\n');
        } else {
            print_answer(app, a, &c, before);
            print_after(app, a, &c);
        }
        code = is_malformed(a->code)                        ? EXIT_USAGE
               : a->code != JB_CODE_NONE || not_approved(a) ? EXIT_REFUSED
                                                            : EXIT_DONE;
        if (tried) {
            fputs(tr("jangbu: nothing was written: with --actor the same key can be used.\n"),
                  stderr);
        }
        if (c.op == JB_OP_FORGET && a->outcome == JB_DONE && !dry_run) {
            app_hint_key(app);
        }
        bound_views_lag(app, a->seq);
    }
    jb_answers_free(answers);
    json_pool_free(pool);
    return code;
}

/* JB_AMOUNT_MAX is all nines. */
#define AMOUNT_DIGITS_MAX 15

/* As a command in JSON would be, in the words of who types. Always false. */
static bool
out_of_range(const struct app *app, const char *name, const char *text, bool most)
{
    char limit[48];
    app_amount(app, most ? JB_AMOUNT_MAX : 0, limit);
    app_usage(
        app, most ? "%s: %s must be at most %s; not %.40s" : "%s: %s must be above %s; not %.40s",
        jb_code_word(most ? JB_CODE_AMOUNT_RANGE : JB_CODE_AMOUNT_INVALID), name, limit, text);
    return false;
}

/* Amounts become digits of the minor unit; what has a minus in front stays, and is refused as what
 * it is. */
static bool
read_amounts(const struct app *app, const char *values[JB_CF_N], char amounts[][AMOUNT_DIGITS])
{
    bool money = values[JB_CF_POLICY] != NULL && strcmp(values[JB_CF_POLICY], "min_charge") == 0;
    for (int field = 0; field < JB_CF_N; field++) {
        const struct jb_command_field_info *f = jb_command_field_get((unsigned)field);
        bool amount = f != NULL && (f->kind == JB_CK_AMOUNT || f->kind == JB_CK_AMOUNT0 ||
                                    (f->kind == JB_CK_VALUE && money));
        if (amount && f->kind == JB_CK_AMOUNT && values[field] != NULL && values[field][0] == '-') {
            return out_of_range(app, f->name, values[field], false);
        }
        if (!amount || values[field] == NULL || values[field][0] == '-') {
            continue;
        }
        if (!read_amount(app, f->name, values[field], amounts[field])) {
            return false;
        }
        const size_t n = strlen(amounts[field]);
        const bool most = n > AMOUNT_DIGITS_MAX;
        if (most || (f->kind == JB_CK_AMOUNT && strcmp(amounts[field], "0") == 0)) {
            return out_of_range(app, f->name, values[field], most);
        }
        values[field] = amounts[field];
    }
    return true;
}

static void
upper_name(int field, char name[WORD_BYTES])
{
    option_name(field, name, WORD_BYTES);
    for (char *c = name; *c != '\0'; c++) {
        *c = (char)toupper((unsigned char)*c);
    }
}

/* The words that the form has, by the names that help shows. Returns how many beside the ledger. */
static int
arguments_of(const struct form *form, char list[200])
{
    char name[WORD_BYTES];
    size_t used = (size_t)snprintf(list, 200, "LEDGER");
    int all = 0;
    while (all < 4 && form->positional[all] >= 0) {
        all++;
    }
    for (int i = 0; i < all; i++) {
        const bool optional = i >= all - form->optional;
        upper_name(form->positional[i], name);
        used += (size_t)snprintf(list + used, 200 - used, optional ? " [%s]" : " %s", name);
    }
    return all;
}

/* Those that any command may have, or that are arguments, are not shown with the form. */
static bool
is_shown(const struct form *form, int field)
{
    const struct jb_op_info *op = jb_op_get(form->op);
    bool shown = ((op->required | op->optional) & JB_HAS(field)) != 0 && field != JB_CF_KEY &&
                 field != JB_CF_ACTOR && field != JB_CF_AT && field != JB_CF_CLOCK &&
                 field != JB_CF_EXPECT && field != JB_CF_NOTE && field != JB_CF_CALLER;
    for (int i = 0; i < 4 && form->positional[i] >= 0; i++) {
        shown = shown && form->positional[i] != field;
    }
    return shown;
}

bool
one_usage(const char *command, unsigned i, char line[400])
{
    const struct form *f = NULL;
    char list[200], option[WORD_BYTES], name[WORD_BYTES];
    for (uint32_t op = JB_OP_ROLE_GIVE; op < JB_OPS; op++) {
        f = made_form(op);
        if (strcmp(f->command, command) == 0 && i-- == 0) {
            break;
        }
        f = NULL;
    }
    if (f == NULL) {
        return false;
    }
    arguments_of(f, list);
    size_t n = (size_t)snprintf(line, 400, "%s%s%s", f->word != NULL ? f->word : "",
                                f->word != NULL ? " " : "", list);
    for (int field = 0; field < JB_CF_N; field++) {
        if (is_shown(f, field)) {
            bool needed = (jb_op_get(f->op)->required & JB_HAS(field)) != 0;
            upper_name(field, name);
            n += (size_t)snprintf(line + n, 400 - n, needed ? " --%s %s" : " [--%s %s]",
                                  option_name(field, option, sizeof option), name);
        }
    }
    return true;
}

static int
wrong_arguments(const struct app *app, const struct form *form, int n)
{
    char list[200];
    int all = arguments_of(form, list);
    const char *const word = form->word != NULL ? form->word : "";
    return app_usage(app, "jangbu %s%s%s takes %d arguments, %s, not %d", form->command,
                     word[0] != '\0' ? " " : "", word, 1 + all, list, n);
}

int
cmd_one(struct app *app, int argc, char **argv)
{
    const char *command = argv[0];
    const struct form *form = find_form(command, argc > 1 ? argv[1] : NULL);
    if (form == NULL) {
        return no_form(app, command, argc > 1 ? argv[1] : NULL);
    }
    if (form->word != NULL) {
        argc--;
        argv++;
    }
    const struct jb_op_info *op = jb_op_get(form->op);
    const char *values[JB_CF_N] = {NULL};
    bool flags[JB_CF_N] = {false};
    bool dry_run = false, accept_clock = false;
    char names[JB_CF_N][24];
    struct option_row options[JB_CF_N + 3] = {{"dry-run", &dry_run, NULL},
                                              {"accept-clock", &accept_clock, NULL}};
    size_t options_n = 2;
    for (int field = 0; field < JB_CF_N; field++) {
        /* clock counts under apply --clock=at only: taken here, it would be ignored. */
        if (field != JB_CF_CLOCK && ((op->required | op->optional) & JB_HAS(field)) != 0) {
            bool is_flag = jb_command_field_get((unsigned)field)->kind == JB_CK_BOOL;
            options[options_n++] = (struct option_row){
                option_name(field, names[field], sizeof names[field]),
                is_flag ? &flags[field] : NULL, is_flag ? NULL : &values[field]};
        }
    }
    const char *args[ARGUMENTS_MAX];
    int n;
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    values[JB_CF_CALLER] = app->caller; /* without a key it is refused, and not ignored */
    if (form->op == JB_OP_FREE_GRANT && n > 0 && strcmp(args[0], "activate") == 0 &&
        access("activate", F_OK) != 0) {
        return app_usage(app, "do you mean `jangbu activate LEDGER WALLET GRANT`?");
    }
    int positional = 0;
    while (positional < 4 && form->positional[positional] >= 0) {
        positional++;
    }
    if (n < 1 + positional - form->optional || n > 1 + positional) {
        return wrong_arguments(app, form, n);
    }
    for (int i = 0; i + 1 < n; i++) {
        values[form->positional[i]] = args[i + 1];
    }
    for (int field = 0; field < JB_CF_N; field++) {
        if ((op->required & JB_HAS(field)) != 0 && values[field] == NULL && !flags[field]) {
            return app_usage(app, "jangbu %s%s%s needs --%s", command,
                             form->word != NULL ? " " : "", form->word != NULL ? form->word : "",
                             names[field]);
        }
    }
    int code;
    if (!app_open(app, args[0], true, false, &code)) {
        return code;
    }
    char amounts[JB_CF_N][AMOUNT_DIGITS];
    if (!read_amounts(app, values, amounts)) {
        return EXIT_USAGE;
    }
    struct out json = {.first = true};
    js_open(&json, NULL, '{');
    js_str(&json, "op", op->name);
    for (int field = 0; field < JB_CF_N; field++) {
        if (field == JB_CF_ACTOR && values[field] != NULL) {
            actor_member(&json, values[field]);
        } else if (values[field] != NULL) {
            member(&json, field, values[field]);
        } else if (flags[field]) {
            js_bool(&json, jb_command_field_get((unsigned)field)->name, true);
        }
    }
    js_close(&json, '}');
    if (json.no_memory) {
        fputs(tr("jangbu: no memory\n"), stderr);
        return EXIT_MACHINE;
    }
    code = submit(app, form, &json, dry_run, accept_clock);
    free(json.at);
    return code;
}
