/*
 * What is asked for on the page becomes a command. The first time it is only tried (dry run), and
 * what would change is shown; the form that confirms it carries a key that was made then, so that
 * pressing twice is doing once.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event_json.h"
#include "gateway.h"
#include "page_holder.h"
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

enum { ID_TEXT = 32, KEY_TEXT = JB_DUE_KEY_BYTES };

struct deed {
    struct page *p;
    struct form form;
    struct jb_command command;
    char id[ID_TEXT], key[KEY_TEXT], why[300];
    int status; /* of the page that says why */
};

/* "50,000", or with the currency's decimals "12.50", as they are printed. */
static bool
amount_read(struct jb_text t, uint32_t exponent, jb_amount *ret)
{
    jb_amount n = 0;
    size_t i = 0, digits = 0, decimals = 0;
    for (; i < t.n && t.s[i] != '.'; i++) {
        if (t.s[i] == ',' && digits > 0) {
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
        *(uint8_t *)at = 1;
        return true;
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
        if (!member_read(f, value, d->p->exponent, &d->command)) {
            d->status = 400;
            snprintf(d->why, sizeof d->why, tr("%s: that cannot be read: %.*s"),
                     page_field_word(field), (int)(value.n < 100 ? value.n : 0), value.s);
            return false;
        }
        d->command.has |= JB_HAS(field);
    }
    return true;
}

/* The key that the form carries, or a new one. A holder's is one that the page made: with a key of
 * the service's own (they share a caller) he could take that from it. */
static void
key_made(struct deed *d)
{
    static const char own[] = "page-";
    const struct jb_text key = form_value(&d->form, "key");
    const bool of_page = key.n > sizeof own && memcmp(key.s, own, sizeof own - 1) == 0;
    if (key.s != NULL && key.n < KEY_TEXT && (of_page || d->p->session.operates)) {
        snprintf(d->key, sizeof d->key, "%.*s", (int)key.n, key.s);
    } else {
        random_text(own, d->key, 32);
    }
    jb_set_key(&d->command, jb_text_of(d->key));
}

/* False: why says what is wrong. */
static bool
deed_read(struct deed *d)
{
    struct page *p = d->p;
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
    html_open(d->p->o, "dl", "facts");
    for (unsigned field = 0; field < JB_CF_N; field++) {
        const struct jb_command_field_info *f = jb_command_field_get(field);
        if (f == NULL || !form_takes(field) || (d->command.has & JB_HAS(field)) == 0) {
            continue;
        }
        const struct jb_text value = form_value(&d->form, f->name);
        if (f->kind == JB_CK_AMOUNT || f->kind == JB_CK_AMOUNT0) {
            page_fact_money(d->p, page_field_word(field),
                            *(const jb_amount *)((const char *)&d->command + f->offset));
        } else if (f->kind == JB_CK_WORD) {
            const uint32_t word = *(const uint32_t *)((const char *)&d->command + f->offset);
            member_said(d->p, field, jb_text_of(page_choice_word(field, word)));
        } else if (value.s != NULL) {
            member_said(d->p, field, value);
        } else if (field == JB_CF_WALLET) {
            member_said(d->p, field, d->command.wallet);
        }
    }
    html_close(d->p->o, "dl");
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

/* The same form again, hidden, with the key, to be confirmed. */
static void
confirm_form(struct deed *d)
{
    struct page *p = d->p;
    form_begin(p, d->command.op);
    for (size_t i = 0; i < d->form.n; i++) {
        const struct form_pair *pair = &d->form.at[i];
        char name[40];
        snprintf(name, sizeof name, "%.*s", (int)(pair->name.n < 40 ? pair->name.n : 0),
                 pair->name.s);
        if (strcmp(name, "csrf") != 0 && strcmp(name, "op") != 0 && strcmp(name, "key") != 0 &&
            strcmp(name, "step") != 0 && pair->value.n > 0) {
            form_hidden(p, name, pair->value);
        }
    }
    if (d->id[0] != '\0') {
        const struct jb_op_info *info = jb_op_get(d->command.op);
        for (unsigned field = JB_CF_CHARGE; field <= JB_CF_REFUND; field++) {
            if ((info->required & JB_HAS(field)) != 0) {
                form_hidden(p, jb_command_field_get(field)->name, jb_text_of(d->id));
            }
        }
    }
    form_hidden(p, "key", jb_text_of(d->key));
    form_hidden(p, "step", jb_text_of("do"));
    out_str(p->o, "<p class=\"do\"><button");
    out_str(p->o, d->command.op == JB_OP_WALLET_DELETE ? " class=\"danger\"" : "");
    out_str(p->o, " data-once>");
    html_str(p->o, tr("Confirm"));
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
preview(struct deed *d, const struct jb_answer *a)
{
    struct page *p = d->p;
    struct jb_wallet_balance now = JB_SIZED(struct jb_wallet_balance);
    const struct jb_balance *then = jb_answer_balance(a);
    const char *warning = warning_of(d->command.op);
    page_begin(p, 200, page_op_word(d->command.op), TAB_NONE);
    html_open(p->o, "section", "preview");
    page_paragraph(p, NULL, tr("Nothing was done yet. Look at it, and confirm."));
    members_said(d);
    if (then != NULL && jb_balance_get(p->views, d->command.wallet, NULL, &now, &p->err) == JB_OK) {
        changes(p, &now.balance, then);
    }
    if (warning != NULL) {
        page_paragraph(p, "notice", warning);
    }
    confirm_form(d);
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
refused(struct deed *d, const struct jb_answer *a)
{
    struct page *p = d->p;
    const char *word = jb_code_word(a->code);
    page_begin(p, 422, tr("Refused"), TAB_NONE);
    html_open(p->o, "p", "notice wrong\" role=\"alert");
    html_close(p->o, "p");
    p->o->n -= strlen("</p>\n");
    html_str(p->o, jb_answer_message(a));
    html_element(p->o, "span", "detail", word);
    html_close(p->o, "p");
    snprintf(p->x->answer.code, sizeof p->x->answer.code, "%s", word != NULL ? word : "");
    if (a->code == JB_CODE_DELETE_CONDITIONS) {
        if (!page_can_delete(p, d->command.wallet)) {
            return;
        }
    } else {
        refusal_figures(p, a);
    }
    out_str(p->o, "<p>");
    page_link(p, "button second", p->session.operates ? "/o" : "/w", tr("Back to the overview"));
    out_str(p->o, "</p>\n");
    page_end(p);
}

/* Where it can be seen. */
static void
done(struct deed *d, const struct jb_answer *a)
{
    struct page *p = d->p;
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

static void
submit(struct deed *d, bool dry_run)
{
    struct page *p = d->p;
    const struct jb_submit_options options = {
        .size = sizeof options, .dry_run = dry_run, .lang = p->lang};
    jb_status status = submit_broken(p->x->gateway->submitters, &p->err);
    if (status != JB_OK) { /* nothing is written any more until a restart */
        page_failed(p, status);
        return;
    }
    jb_answers *answers = jb_answers_new();
    if (answers == NULL) {
        p->o->no_memory = true;
        return;
    }
    status = jb_submit(p->ledger, &d->command, 1, &options, answers, NULL, &p->err);
    const struct jb_answer *a = jb_answers_at(answers, 0);
    if (status != JB_OK || a == NULL) {
        page_failed(p, status);
    } else if (a->code != 0) {
        refused(d, a);
    } else if (dry_run) {
        preview(d, a);
    } else {
        done(d, a);
    }
    jb_answers_free(answers);
}

enum handled
page_do(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_BOTH)) {
        struct deed d = {.p = &p, .status = 403};
        if (form_read(&p, &d.form)) {
            const struct jb_text step = form_value(&d.form, "step");
            const bool sure = step.n == 2 && memcmp(step.s, "do", 2) == 0;
            if (deed_read(&d)) {
                submit(&d, !sure);
            } else {
                page_wrong(&p, d.status, tr("That did not work"), d.why);
            }
        }
        form_free(&d.form);
    }
    return page_leave(&p);
}
