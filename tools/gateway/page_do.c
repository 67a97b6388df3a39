/*
 * What is asked for on the page becomes a command. The first time it is only tried (dry run), and
 * what would change is shown; the form that confirms it carries a key that was made then, so that
 * pressing twice is doing once, and what was shown, so that nothing else is done.
 *
 * Commands go through the queue that all others go through: whoever waits for the ledger's lock
 * waits there, and not in a worker. The page is written where the answer comes.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event_json.h"
#include "gateway.h"
#include "page_holder.h"
#include "problem.h"
#include "submit.h"

/* What a holder is offered. All else is the service's affair, and the operators'. */
static bool
of_holder(uint32_t op)
{
    static const jb_op ops[] = {JB_OP_FREE_ACTIVATE, JB_OP_REFUND_REQUEST, JB_OP_REFUND_CANCEL,
                                JB_OP_WALLET_OFF,    JB_OP_WALLET_ON,      JB_OP_WALLET_DELETE,
                                JB_OP_INVOICE_EMAIL, JB_OP_WALLET_RENAME,  JB_OP_MEMBER_INVITE,
                                JB_OP_MEMBER_REMOVE, JB_OP_SALES_RELEASE};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (ops[i] == op) {
            return true;
        }
    }
    return false;
}

bool
page_may(const struct page *p, uint32_t op)
{
    const struct principal *who = &p->session.who;
    return who->write && op < JB_OPS && (who->op_mask[op / 64] >> op % 64 & 1) != 0 &&
           (p->session.operates ? op != JB_OP_ATOMIC : of_holder(op));
}

/* ---- a command out of a form ---- */

enum { ID_TEXT = 32, KEY_TEXT = JB_DUE_KEY_BYTES, SHOWN_TEXT = 160, LOOKS = 4 };

/* A form, from when it is read until its page is written. */
struct deed {
    struct page p;
    struct form form;
    struct jb_command command;
    char id[ID_TEXT], key[KEY_TEXT], why[300];
    char key_of_round[KEY_TEXT + 12];
    char shown[SHOWN_TEXT];       /* what the form said that it would change */
    struct jb_wallet_balance now; /* what it is tried on, where `looked` */
    uint64_t expect;              /* the version that the form was shown at, where `bound` */
    int status;                   /* of the page that says why */
    unsigned looks, round;
    bool own_key; /* one that the page made */
    bool sure;    /* it is confirmed */
    bool bound;   /* to what was shown */
    bool looked, changed;
};

/* The digits before a ',' stand in groups of three: "1,50" is a slip, and nobody knows which. */
static bool
comma_is_right(struct jb_text t, size_t at)
{
    size_t before = 0, after = 0;
    while (before < at && t.s[at - 1 - before] != ',') {
        before++;
    }
    while (at + 1 + after < t.n && t.s[at + 1 + after] >= '0' && t.s[at + 1 + after] <= '9') {
        after++;
    }
    return after == 3 && before > 0 && (before == at ? before <= 3 : before == 3);
}

/* "50,000", or with the currency's decimals "12.50", as they are printed. */
static bool
amount_read(struct jb_text t, uint32_t exponent, jb_amount *ret)
{
    jb_amount n = 0;
    size_t i = 0, digits = 0, decimals = 0;
    for (; i < t.n && t.s[i] != '.'; i++) {
        if (t.s[i] == ',' && comma_is_right(t, i)) {
            continue;
        }
        if (t.s[i] < '0' || t.s[i] > '9' || n > JB_AMOUNT_MAX / 10) {
            return false;
        }
        n = n * 10 + (t.s[i] - '0');
        digits++;
    }
    for (i++; i < t.n; i++, decimals++) {
        if (t.s[i] < '0' || t.s[i] > '9' || n > JB_AMOUNT_MAX / 10) {
            return false;
        }
        n = n * 10 + (t.s[i] - '0');
    }
    *ret = n;
    return digits > 0 && decimals == exponent;
}

static bool
text_is(struct jb_text t, const char *word)
{
    return t.s != NULL && t.n == strlen(word) && memcmp(t.s, word, t.n) == 0;
}

static bool
uint_read(struct jb_text t, uint64_t *ret)
{
    uint64_t n = 0;
    for (size_t i = 0; i < t.n; i++) {
        if (t.s[i] < '0' || t.s[i] > '9' || n > INT64_MAX / 16) {
            return false;
        }
        n = n * 10 + (uint64_t)(t.s[i] - '0');
    }
    *ret = n;
    return t.n > 0;
}

static bool
month_read(struct jb_text t, uint32_t *ret)
{
    uint64_t year, month;
    if (t.n != 7 || t.s[4] != '-' || !uint_read((struct jb_text){t.s, 4}, &year) ||
        !uint_read((struct jb_text){t.s + 5, 2}, &month) || month < 1 || month > 12) {
        return false;
    }
    *ret = (uint32_t)(year * 100 + month);
    return true;
}

/* The value of a member, at its place in the command. */
static bool
member_read(const struct jb_command_field_info *f, struct jb_text t, uint32_t exponent,
            struct jb_command *c)
{
    void *at = (char *)c + f->offset;
    uint64_t number;
    switch (f->kind) {
    case JB_CK_AMOUNT:
    case JB_CK_AMOUNT0:
        return amount_read(t, exponent, at);
    case JB_CK_UINT:
        return uint_read(t, at);
    case JB_CK_VALUE:
        if (!uint_read(t, &number)) {
            return false;
        }
        *(int64_t *)at = (int64_t)number;
        return true;
    case JB_CK_BOOL:
        *(uint8_t *)at = text_is(t, "true");
        return text_is(t, "true") || text_is(t, "false");
    case JB_CK_WORD:
        return jb_name_number(f->names, t.s, t.n, at);
    case JB_CK_DAY:
        return jb_day_parse(t.s, t.n, at);
    case JB_CK_INSTANT:
        return jb_instant_parse(t.s, t.n, at);
    case JB_CK_MONTH:
        return month_read(t, at);
    case JB_CK_ACTOR:
    case JB_CK_COMMANDS:
        return false;
    case JB_CK_ID:
    case JB_CK_SHORT:
    case JB_CK_NAME:
    case JB_CK_TEXT:
    case JB_CK_KEY:
    case JB_CK_REF:
    case JB_CK_CALLER:
    case JB_CK_SEARCH_ID:
    case JB_CK_BIZ:
    case JB_CK_LINE:
    case JB_CK_EMAIL:
        *(struct jb_text *)at = t;
        return true;
    }
    return false;
}

static void
random_text(const char *before, char *to, size_t size)
{
    static const char signs[] = "abcdefghjkmnpqrstuvwxyz23456789";
    size_t n = strlen(before);
    memcpy(to, before, n);
    for (; n + 1 < size; n++) {
        to[n] = signs[randombytes_uniform(sizeof signs - 1)];
    }
    to[n] = '\0';
}

/* The id of what the command makes, where the form has none. */
static void
id_made(struct deed *d)
{
    static const struct {
        jb_op op;
        unsigned field;
        const char *before;
    } rows[] = {{JB_OP_CHARGE, JB_CF_CHARGE, "C-"},
                {JB_OP_FREE_GRANT, JB_CF_GRANT, "G-"},
                {JB_OP_CONSUME, JB_CF_USAGE, "U-"},
                {JB_OP_REFUND_REQUEST, JB_CF_REFUND, "R-"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (d->command.op == rows[i].op && (d->command.has & JB_HAS(rows[i].field)) == 0) {
            random_text(rows[i].before, d->id, 15);
            d->command.id = jb_text_of(d->id);
            d->command.has |= JB_HAS(rows[i].field);
        }
    }
}

static bool
members_read(struct deed *d, const struct jb_op_info *info)
{
    const uint64_t takes = info->required | info->optional;
    for (unsigned field = 0; field < JB_CF_N; field++) {
        const struct jb_command_field_info *f = jb_command_field_get(field);
        if (f == NULL || (takes & JB_HAS(field)) == 0 || !form_takes(field)) {
            continue;
        }
        const struct jb_text value = form_value(&d->form, f->name);
        if (value.s == NULL) {
            continue;
        }
        if (!member_read(f, value, d->p.exponent, &d->command)) {
            d->status = 400;
            snprintf(d->why, sizeof d->why, tr("%s: that cannot be read: %.*s"),
                     page_field_word(field), (int)(value.n < 100 ? value.n : 0), value.s);
            return false;
        }
        d->command.has |= JB_HAS(field);
    }
    return true;
}

static const char own_key[] = "page-";

static void
key_set(struct deed *d)
{
    const char *key = d->key;
    if (d->round > 0) {
        snprintf(d->key_of_round, sizeof d->key_of_round, "%s.%u", d->key, d->round);
        key = d->key_of_round;
    }
    jb_set_key(&d->command, jb_text_of(key));
}

static void
key_new(struct deed *d)
{
    random_text(own_key, d->key, 32);
    d->own_key = true;
    d->round = 0;
}

/* The key that the form carries, or a new one. A holder's is one that the page made: with a key of
 * the service's own (they share a caller) he could take that from it. */
static void
key_made(struct deed *d)
{
    const struct jb_text key = form_value(&d->form, "key");
    const size_t n = sizeof own_key - 1;
    d->own_key = key.n > n && memcmp(key.s, own_key, n) == 0;
    if (key.s != NULL && key.n < KEY_TEXT && (d->own_key || d->p.session.operates)) {
        snprintf(d->key, sizeof d->key, "%.*s", (int)key.n, key.s);
    } else {
        key_new(d);
    }
    key_set(d);
}

/* The version that the command expects; a command that expects none has none. */
static void
expect(struct deed *d, bool some, uint64_t version)
{
    const struct jb_op_info *info = jb_op_get(d->command.op);
    d->command.has &= ~JB_HAS(JB_CF_EXPECT);
    if (some && (info->optional & JB_HAS(JB_CF_EXPECT)) != 0) {
        jb_set_expect(&d->command, version);
    }
}

/* What is confirmed is what was shown, at that version of the wallet. Not so with a key that others
 * made for what is due: refused for a version it would be used up. */
static void
bind_read(struct deed *d)
{
    const struct jb_text version = form_value(&d->form, "expect");
    const struct jb_text shown = form_value(&d->form, "shown");
    d->bound = d->own_key && shown.n > 0 && shown.n < SHOWN_TEXT && uint_read(version, &d->expect);
    if (d->bound) {
        snprintf(d->shown, sizeof d->shown, "%.*s", (int)shown.n, shown.s);
    }
    expect(d, d->bound, d->expect);
}

/* False: why says what is wrong. */
static bool
deed_read(struct deed *d)
{
    struct page *p = &d->p;
    const struct jb_text name = form_value(&d->form, "op");
    const uint32_t op = name.s != NULL ? jb_op_from_name(name.s, name.n) : 0;
    const struct jb_op_info *info = jb_op_get(op);
    if (info == NULL || !page_may(p, op)) {
        snprintf(d->why, sizeof d->why, "%s", tr("This session may not do that."));
        return false;
    }
    jb_command_begin(&d->command, (jb_op)op);
    if (!members_read(d, info)) {
        return false;
    }
    id_made(d);
    if (!p->session.operates &&
        (d->command.wallet.n != strlen(p->session.wallet) ||
         memcmp(d->command.wallet.s, p->session.wallet, d->command.wallet.n) != 0)) {
        snprintf(d->why, sizeof d->why, "%s", tr("This session may not do that."));
        return false;
    }
    if (p->session.actor[0] != '\0') {
        jb_set_actor(&d->command, jb_text_of(p->session.actor), (struct jb_text){NULL, 0});
    }
    key_made(d);
    d->sure = text_is(form_value(&d->form, "step"), "do");
    if (d->sure) {
        bind_read(d);
    }
    p->x->answer.op = info->name;
    return auth_command(&p->session.who, &d->command, d->why, sizeof d->why) == 0;
}

/* ---- what it would do ---- */

static void
member_said(struct page *p, unsigned field, struct jb_text value)
{
    page_fact_begin(p, page_field_word(field));
    html_open(p->o, "bdi", NULL);
    html_text(p->o, value);
    html_close(p->o, "bdi");
    page_fact_end(p);
}

static void
members_said(struct deed *d)
{
    html_open(d->p.o, "dl", "facts");
    for (unsigned field = 0; field < JB_CF_N; field++) {
        const struct jb_command_field_info *f = jb_command_field_get(field);
        if (f == NULL || !form_takes(field) || (d->command.has & JB_HAS(field)) == 0) {
            continue;
        }
        const struct jb_text value = form_value(&d->form, f->name);
        if (f->kind == JB_CK_AMOUNT || f->kind == JB_CK_AMOUNT0) {
            page_fact_money(&d->p, page_field_word(field),
                            *(const jb_amount *)((const char *)&d->command + f->offset));
        } else if (f->kind == JB_CK_WORD) {
            const uint32_t word = *(const uint32_t *)((const char *)&d->command + f->offset);
            member_said(&d->p, field, jb_text_of(page_choice_word(field, word)));
        } else if (value.s != NULL) {
            member_said(&d->p, field, value);
        } else if (field == JB_CF_WALLET) {
            member_said(&d->p, field, d->command.wallet);
        }
    }
    html_close(d->p.o, "dl");
}

static void
change_row(struct page *p, const char *what, jb_amount before, jb_amount after)
{
    out_str(p->o, before != after ? "<tr class=\"changed\">" : "<tr>");
    page_cell_head(p, what);
    page_cell_money(p, before);
    page_cell_money(p, after);
    out_str(p->o, "<td class=\"r\">");
    if (before != after) {
        out_str(p->o, after > before ? "+" : "");
        page_money(p, after - before);
    }
    out_str(p->o, "</td>");
    page_row_end(p);
}

static void
changes(struct page *p, const struct jb_balance *b, const struct jb_balance *a)
{
    page_table(p, "sum", tr("What would change"));
    page_head(p, (const char *const[]){SAID("figure"), COLUMN(">now"), COLUMN(">then"),
                                       COLUMN(">difference"), NULL});
    change_row(p, tr("Total cash balance"), b->total, a->total);
    change_row(p, tr("Paid cash"), b->paid, a->paid);
    change_row(p, tr("Free cash in use"), b->free, a->free);
    change_row(p, tr("Free cash before \"Use\""), b->free_dormant, a->free_dormant);
    change_row(p, tr("Refundable"), b->refundable, a->refundable);
    page_table_end(p);
    if (a->status != b->status) {
        html_open(p->o, "p", NULL);
        html_str(p->o, tr("State: "));
        page_state(p, b->status);
        out_str(p->o, " → ");
        page_state(p, a->status);
        html_close(p->o, "p");
    }
}

/* Members of a form that confirms, which are written anew. */
static bool
of_confirmation(const char *name)
{
    static const char *const names[] = {"csrf", "op", "key", "step", "expect", "shown"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void
members_hidden(struct deed *d)
{
    const struct jb_op_info *info = jb_op_get(d->command.op);
    for (size_t i = 0; i < d->form.n; i++) {
        const struct form_pair *pair = &d->form.at[i];
        char name[40];
        snprintf(name, sizeof name, "%.*s", (int)(pair->name.n < 40 ? pair->name.n : 0),
                 pair->name.s);
        if (!of_confirmation(name) && pair->value.n > 0) {
            form_hidden(&d->p, name, pair->value);
        }
    }
    for (unsigned field = JB_CF_CHARGE; field <= JB_CF_REFUND && d->id[0] != '\0'; field++) {
        if ((info->required & JB_HAS(field)) != 0) {
            form_hidden(&d->p, jb_command_field_get(field)->name, jb_text_of(d->id));
        }
    }
}

/* The same form again, hidden, with the key and what was shown, to be confirmed. */
static void
confirm_form(struct deed *d, const char *button)
{
    struct page *p = &d->p;
    char version[24];
    form_begin(p, d->command.op);
    members_hidden(d);
    form_hidden(p, "key", jb_text_of(d->key));
    if (d->bound) {
        snprintf(version, sizeof version, "%llu", (unsigned long long)d->expect);
        form_hidden(p, "expect", jb_text_of(version));
        form_hidden(p, "shown", jb_text_of(d->shown));
    }
    form_hidden(p, "step", jb_text_of("do"));
    out_str(p->o, "<p class=\"do\"><button");
    out_str(p->o, d->command.op == JB_OP_WALLET_DELETE ? " class=\"danger\"" : "");
    out_str(p->o, " data-once>");
    html_str(p->o, button);
    out_str(p->o, "</button> ");
    page_link(p, "button second", p->session.operates ? "/o" : "/w", tr("Do not do it"));
    out_str(p->o, "</p></form>\n");
}

static const char *
warning_of(uint32_t op)
{
    switch (op) {
    case JB_OP_FREE_ACTIVATE:
        return tr(
            "From then on it is spent before paid cash. It cannot be undone, and its last day "
            "stays.");
    case JB_OP_WALLET_DELETE:
        return tr("A deletion cannot be undone.");
    case JB_OP_FORGET:
        return tr("What is forgotten can be read no more, by nobody.");
    case JB_OP_REFUND_APPROVE:
        return tr("The money leaves the wallet with it. If it is gone by now, the refund ends as "
                  "failed.");
    default:
        return NULL;
    }
}

static void
preview(struct deed *d, const struct jb_balance *then)
{
    struct page *p = &d->p;
    const char *warning = warning_of(d->command.op);
    page_begin(p, 200, page_op_word(d->command.op), TAB_NONE);
    html_open(p->o, "section", "preview");
    if (d->changed) {
        page_alert(p,
                   tr("The wallet has changed since you looked: it would do something else now. "
                      "Nothing was done."),
                   NULL);
    }
    page_paragraph(p, NULL, tr("Nothing was done yet. Look at it, and confirm."));
    members_said(d);
    if (d->looked && then != NULL) {
        changes(p, &d->now.balance, then);
    }
    if (warning != NULL) {
        page_paragraph(p, "notice", warning);
    }
    confirm_form(d, tr("Confirm"));
    html_close(p->o, "section");
    page_end(p);
}

/* ---- what became of it ---- */

static void
refusal_figures(struct page *p, const struct jb_answer *a)
{
    size_t n;
    const struct jb_figure *figures = jb_answer_figures(a, &n);
    html_open(p->o, "dl", "facts");
    for (size_t i = 0; i < n; i++) {
        const struct figure_form form = figure_form(figures[i].name);
        char text[40];
        if (form.kind == FIGURE_MONEY) {
            page_fact_money(p, jb_figure_word(figures[i].name), figures[i].value);
        } else if (form.kind == FIGURE_NUMBER) {
            snprintf(text, sizeof text, "%lld", (long long)figures[i].value);
            page_fact_text(p, jb_figure_word(figures[i].name), text);
        }
    }
    html_close(p->o, "dl");
}

static void
code_log(struct deed *d, const char *word)
{
    snprintf(d->p.x->answer.code, sizeof d->p.x->answer.code, "%s", word != NULL ? word : "");
}

static void
refused(struct deed *d, const struct jb_answer *a)
{
    struct page *p = &d->p;
    const char *word = jb_code_word(a->code);
    page_begin(p, 422, tr("Refused"), TAB_NONE);
    html_open(p->o, "section", NULL);
    page_alert(p, jb_answer_message(a), word);
    code_log(d, word);
    if (a->code != JB_CODE_DELETE_CONDITIONS) {
        refusal_figures(p, a);
    } else if (!page_can_delete(p, d->command.wallet)) {
        return;
    }
    out_str(p->o, "<p>");
    page_link(p, "button second", p->session.operates ? "/o" : "/w", tr("Back to the overview"));
    out_str(p->o, "</p>\n");
    html_close(p->o, "section");
    page_end(p);
}

/* Where it can be seen. */
static void
done(struct deed *d, const struct jb_answer *a)
{
    struct page *p = &d->p;
    struct out where = {0};
    const uint32_t op = d->command.op;
    const bool refund = op >= JB_OP_REFUND_REQUEST && op <= JB_OP_REFUND_FAIL;
    if (p->session.operates && (d->command.has & JB_HAS(JB_CF_WALLET)) != 0) {
        out_str(&where, "/o/wallets/");
        url_text(&where, d->command.wallet);
    } else if (p->session.operates) {
        out_str(&where, "/o");
    } else {
        out_str(&where, op == JB_OP_FREE_ACTIVATE   ? "/w"
                        : refund                    ? "/w/refunds"
                        : op == JB_OP_WALLET_DELETE ? "/w"
                                                    : "/w/people");
    }
    out_str(&where, "?done=");
    out_uint(&where, a->seq);
    out_char(&where, '\0');
    p->x->answer.seq = a->seq;
    p->o->no_memory |= where.no_memory;
    page_see_other(p, where.no_memory ? "/" : where.at);
    free(where.at);
}

/* The ledger cannot answer, or nobody knows whether it was done: the same form, with its key. */
static void
press_again(struct deed *d, jb_status status)
{
    struct page *p = &d->p;
    p->o->n = 0;
    page_begin(p, 503, tr("That did not work"), TAB_NONE);
    page_alert(p,
               status == JB_E_UNKNOWN
                   ? tr("Nobody knows yet whether it was done. Press the button again in a moment: "
                        "it is done once, however often you press.")
                   : tr("The ledger cannot answer now. Press the button again in a moment: it is "
                        "done once, however often you press."),
               NULL);
    members_said(d);
    confirm_form(d, tr("Try again"));
    page_end(p);
    code_log(d, jb_status_word(status));
}

static void
failed(struct deed *d, jb_status status)
{
    if (d->sure && status != JB_E_USAGE) {
        press_again(d, status);
    } else {
        page_failed(&d->p, status);
    }
}

/* ---- trying and doing ---- */

static void
deed_free(struct deed *d)
{
    form_free(&d->form);
    page_leave(&d->p);
    free(d);
}

/* The wallet as it is now, which is what the command is tried on. */
static jb_status
look(struct deed *d)
{
    struct page *p = &d->p;
    d->looked = false;
    if ((d->command.has & JB_HAS(JB_CF_WALLET)) == 0) {
        return JB_OK;
    }
    d->now = (struct jb_wallet_balance)JB_SIZED(struct jb_wallet_balance);
    const jb_status status =
        jb_balance_get(p->x->asked->views, d->command.wallet, NULL, &d->now, &p->err);
    d->looked = status == JB_OK;
    expect(d, d->looked, d->now.balance.version);
    /* The wallet may be one that the command makes; the rules say whether it is. */
    return status == JB_E_NOTFOUND || status == JB_E_USAGE ? JB_OK : status;
}

static void answered(struct job *job, const jb_answers *answers, size_t from, size_t done,
                     jb_status status, const struct jb_error *err);

/* True: the deed is the submitters'. False: it is not, and the page says why. */
static bool
send(struct deed *d, bool dry_run)
{
    struct exchange *x = d->p.x;
    struct submitters *s = x->gateway->submitters;
    struct job *job = job_take(s, x, 1);
    if (job == NULL) {
        failed(d, JB_E_NOMEM);
        return false;
    }
    key_set(d);
    x->own = d;
    x->lang = d->p.lang; /* of the answer's sentences */
    job->dry_run = dry_run;
    job->answer = answered;
    job->batch.commands[0] = d->command;
    job->batch.commands_n = 1;
    page_leave(&d->p);
    const enum queued queued = submit_queue(s, job);
    if (queued != QUEUED) {
        job_give(s, job);
        page_speak(&d->p);
        failed(d, queued == QUEUE_BROKEN ? submit_broken(s, &d->p.err) : JB_E_BUSY);
    }
    return queued == QUEUED;
}

/* Tries it on the wallet as it is now. As send. */
static bool
try_it(struct deed *d)
{
    const jb_status status = d->looks++ < LOOKS ? look(d) : JB_E_BUSY;
    if (status != JB_OK) {
        failed(d, status);
        return false;
    }
    return send(d, true);
}

/* What it would change, as text: what is confirmed is compared with it. */
static void
shown_of(const struct jb_balance *b, const struct jb_balance *a, char ret[SHOWN_TEXT])
{
    const jb_amount by[] = {a->total - b->total, a->paid - b->paid, a->free - b->free,
                            a->free_dormant - b->free_dormant, a->refundable - b->refundable};
    size_t n = (size_t)snprintf(ret, SHOWN_TEXT, "%u", a->status);
    for (size_t i = 0; i < sizeof by / sizeof by[0]; i++) {
        n += (size_t)snprintf(ret + n, SHOWN_TEXT - n, "_%lld", (long long)by[i]);
    }
}

/* It was tried, and would go. Where it was confirmed before, at another version, and would still
 * do what was shown then, it is done. As send. */
static bool
tried(struct deed *d, const struct jb_answer *a)
{
    const struct jb_balance *then = jb_answer_balance(a);
    char shown[SHOWN_TEXT] = "";
    if (d->looked && then != NULL) {
        shown_of(&d->now.balance, then, shown);
    }
    if (d->sure && strcmp(shown, d->shown) == 0) {
        return send(d, false);
    }
    d->changed = d->sure;
    if (d->sure) {
        key_new(d); /* with the old one it is refused for ever */
    }
    d->bound = d->own_key && shown[0] != '\0' && (d->command.has & JB_HAS(JB_CF_EXPECT)) != 0;
    d->expect = d->now.balance.version;
    memcpy(d->shown, shown, sizeof d->shown);
    preview(d, then);
    return false;
}

/*
 * The wallet is not at the version that was expected. A refusal that is remembered has used its key
 * up: the next round has another, made from it, so that pressing twice goes the same way and finds
 * what the first press did. As send.
 */
static bool
look_again(struct deed *d, const struct jb_answer *a, bool dry_run)
{
    if (!dry_run || a->outcome == JB_DUPLICATE) {
        d->round++;
    }
    return try_it(d);
}

/* As send. */
static bool
take_answer(struct deed *d, const struct jb_answer *a, bool dry_run)
{
    const bool fresh = dry_run && a->outcome != JB_DUPLICATE;
    if (a->code == JB_CODE_EXPECT_MISMATCH && (d->own_key || fresh)) {
        return look_again(d, a, dry_run);
    }
    if (a->code != 0) {
        refused(d, a);
        return false;
    }
    if (fresh) {
        return tried(d, a);
    }
    done(d, a); /* by this, or with that key before */
    return false;
}

/* In a submitter's thread: a page of a few lines, of what lies in memory. */
static void
answered(struct job *job, const jb_answers *answers, size_t from, size_t done, jb_status status,
         const struct jb_error *err)
{
    struct exchange *x = job->x;
    struct deed *d = x->own;
    const bool dry_run = job->dry_run;
    const struct jb_answer *a = done > 0 ? jb_answers_at(answers, from) : NULL;
    bool gone = false;
    job_give(x->gateway->submitters, job);
    page_speak(&d->p);
    d->p.err = *err;
    if (a == NULL || a->outcome == JB_NOT_DONE || a->outcome == JB_UNKNOWN) {
        failed(d, a != NULL && a->outcome == JB_UNKNOWN ? JB_E_UNKNOWN
                  : status != JB_OK                     ? status
                                                        : JB_E_BUSY);
    } else {
        gone = take_answer(d, a, dry_run);
    }
    if (!gone) {
        deed_free(d);
        exchange_done(x);
    }
}

/* As send. */
static bool
begin(struct deed *d)
{
    if (!deed_read(d)) {
        page_wrong(&d->p, d->status, tr("That did not work"), d->why);
        return false;
    }
    return d->sure ? send(d, false) : try_it(d);
}

enum handled
page_do(struct exchange *x)
{
    struct deed *d = calloc(1, sizeof *d);
    if (d == NULL) {
        problem(x, GATEWAY_NO_MEMORY, NULL);
        return ANSWERED;
    }
    d->status = 403;
    const bool in = page_enter(&d->p, x, PAGE_FOR_BOTH);
    if (in && form_read(&d->p, &d->form) && begin(d)) {
        return LATER;
    }
    deed_free(d);
    return ANSWERED;
}
