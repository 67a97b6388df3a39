/* The wallet itself: members, what can be set, whether it can be deleted; the ten questions; one
 * event. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "page_holder.h"
#include "rows_json.h"

/* ---- members ---- */

struct members {
    struct page *p;
    struct jb_text wallet;
};

static bool
each_member(void *data, const struct jb_who_row *r)
{
    struct members *m = data;
    struct page *p = m->p;
    page_row(p);
    out_str(p->o, "<th scope=\"row\">");
    if (r->person != 0) {
        page_person(p, r->person);
    } else {
        html_text(p->o, r->channel);
    }
    out_str(p->o, "</th>");
    page_cell(p, r->person == 0            ? tr("connected channel")
                 : r->role == JB_ROLE_NONE ? tr("invited")
                                           : page_role_word(r->role));
    page_cell_time(p, r->from);
    out_str(p->o, "<td>");
    page_event_link(p, r->seq);
    out_str(p->o, "</td>");
    page_row_end(p);
    return !p->o->no_memory;
}

bool
page_members(struct page *p, struct jb_text wallet)
{
    struct members m = {p, wallet};
    struct jb_who who = JB_SIZED(struct jb_who);
    const size_t before = p->o->n;
    page_table(p, "list wide", tr("Who uses this wallet"));
    page_head(p,
              (const char *const[]){SAID("who"), SAID("role"), SAID("since"), SAID("event"), NULL});
    const jb_status status = jb_who_get(p->ledger, wallet, each_member, &m, &who, &p->err);
    if (status != JB_OK) {
        page_failed(p, status);
        return false;
    }
    page_table_end(p);
    if (who.master == 0 && who.members + who.invited + who.channels == 0) {
        p->o->n = before;
        page_empty(p, tr("Nobody is named as its master or member."));
    }
    if (who.agency[0] != '\0') {
        html_open(p->o, "dl", "facts");
        page_fact_text(p, tr("Agency with the sales right"), who.agency);
        html_close(p->o, "dl");
    }
    return true;
}

/* ---- deletion ---- */

static void
condition_figure(struct page *p, const struct jb_condition *c, const char *agency)
{
    char text[24];
    switch (c->name) {
    case JB_FIG_NOT_OFF:
        page_state(p, (uint32_t)c->figure);
        break;
    case JB_FIG_PAID_NOT_ZERO:
    case JB_FIG_POSTPAID:
    case JB_FIG_UNINVOICED:
        page_money_said(p, c->figure);
        break;
    case JB_FIG_SALES_RIGHT:
        html_element(p->o, "bdi", NULL, agency);
        out_str(p->o, "<span class=\"detail\">");
        html_str(p->o, tr("event"));
        out_char(p->o, ' ');
        page_event_link(p, (jb_seq)c->figure);
        out_str(p->o, "</span>");
        break;
    case JB_FIG_REFUND_OUTSTANDING:
        page_sayf(p, tr("%lld open"), (long long)c->figure);
        break;
    default:
        snprintf(text, sizeof text, "%lld", (long long)c->figure);
        html_str(p->o, text);
    }
}

static const char *
condition_said(uint32_t name)
{
    switch (name) {
    case JB_FIG_NOT_OFF:
        return tr("The wallet is off");
    case JB_FIG_PAID_NOT_ZERO:
        return tr("Paid cash is 0");
    case JB_FIG_REFUND_OUTSTANDING:
        return tr("No refund is open");
    case JB_FIG_SALES_RIGHT:
        return tr("No agency has the sales right");
    case JB_FIG_POSTPAID:
        return tr("The wallet is not postpaid");
    case JB_FIG_UNINVOICED:
        return tr("All consumption has its tax invoice");
    default:
        return jb_figure_word(name);
    }
}

static void
condition_row(struct page *p, const struct jb_condition *c, const char *agency)
{
    page_row(p);
    page_cell_head(p, condition_said(c->name));
    out_str(p->o, c->met != 0 ? "<td><span aria-hidden=\"true\">○</span> "
                              : "<td><span aria-hidden=\"true\">×</span> ");
    html_str(p->o, c->met != 0 ? tr("met") : tr("not met"));
    out_str(p->o, "</td><td class=\"r\">");
    if (c->met == 0 && c->has_figure != 0) {
        condition_figure(p, c, agency);
    }
    out_str(p->o, "</td><td>");
    if (c->met == 0 && c->remedy != 0) {
        html_str(p->o, page_op_word(c->remedy));
        for (uint32_t role = 1; role < JB_ROLES; role++) {
            if ((c->remedy_who >> role & 1) != 0) {
                html_element(p->o, "span", "detail", page_role_word(role));
                break;
            }
        }
    }
    out_str(p->o, "</td>");
    page_row_end(p);
}

static void
delete_form(struct page *p, const struct jb_can_delete *c)
{
    char money[MONEY_BYTES + 8];
    if (c->forfeits != 0) {
        html_open(p->o, "p", "notice");
        page_sayf(p, tr("Free cash of %s would lapse with it."),
                  page_money_text(p, c->forfeits, money));
        html_close(p->o, "p");
    }
    if (page_may(p, JB_OP_WALLET_DELETE)) {
        form_begin(p, JB_OP_WALLET_DELETE);
        form_hidden(p, "wallet", jb_text_of(c->wallet));
        out_str(p->o, "<p class=\"do\"><button class=\"danger\">");
        html_str(p->o, tr("Delete the wallet"));
        out_str(p->o, "</button></p></form>\n");
    }
}

bool
page_can_delete(struct page *p, struct jb_text wallet)
{
    struct jb_can_delete c = JB_SIZED(struct jb_can_delete);
    struct jb_who who = JB_SIZED(struct jb_who);
    jb_status status = jb_can_delete_get(p->ledger, wallet, &c, &p->err);
    status = status == JB_OK ? jb_who_get(p->ledger, wallet, NULL, NULL, &who, &p->err) : status;
    if (status != JB_OK) {
        page_failed(p, status);
        return false;
    }
    if (c.status == JB_WALLET_DELETED) {
        page_empty(p, tr("It is deleted."));
        return true;
    }
    page_paragraph(p, NULL,
                   c.can_delete != 0 ? tr("All conditions are met: it can be deleted.")
                                     : tr("It cannot be deleted yet."));
    page_table(p, "list wide", tr("Conditions of a deletion"));
    page_head(p, (const char *const[]){SAID("condition"), SAID("met?"), COLUMN(">what is left"),
                                       SAID("what helps"), NULL});
    for (uint32_t i = 0; i < c.conditions_n; i++) {
        condition_row(p, &c.conditions[i], who.agency);
    }
    page_table_end(p);
    if (c.uninvoiced_from != JB_NO_DAY) {
        char day[JB_DAY_TEXT_BYTES], all[JB_DAY_TEXT_BYTES];
        jb_day_print(c.uninvoiced_from, day);
        jb_day_print(c.uninvoiced_all_from, all);
        html_open(p->o, "p", "hint");
        if (c.uninvoiced_from == c.uninvoiced_all_from) {
            page_sayf(p, tr("The tax invoice can be issued from %s on."), day);
        } else {
            page_sayf(p,
                      tr("It is of several months: the first tax invoice can be issued from %s on, "
                         "all of them from %s on."),
                      day, all);
        }
        html_close(p->o, "p");
    }
    delete_form(p, &c);
    return true;
}

/* ---- what can be set ---- */

static void
switch_form(struct page *p, struct jb_text wallet, uint32_t status)
{
    const uint32_t op = status == JB_WALLET_ACTIVE ? JB_OP_WALLET_OFF
                        : status == JB_WALLET_OFF  ? JB_OP_WALLET_ON
                                                   : 0;
    if (op == 0 || !page_may(p, op)) {
        return;
    }
    page_paragraph(p, NULL,
                   op == JB_OP_WALLET_OFF
                       ? tr("Off, a wallet is charged and refunded, and not consumed.")
                       : tr("On again, consumption goes on."));
    form_begin(p, op);
    form_hidden(p, "wallet", wallet);
    out_str(p->o, "<p class=\"do\">");
    html_element(p->o, "button", "second", page_op_word(op));
    out_str(p->o, "</p></form>\n");
}

static void
email_form(struct page *p, struct jb_text wallet, const struct jb_who *who)
{
    if (who->kind != JB_KIND_BUSINESS || who->status == JB_WALLET_DELETED ||
        !page_may(p, JB_OP_INVOICE_EMAIL)) {
        return;
    }
    html_element(p->o, "h3", NULL, tr("Where tax invoices are mailed to"));
    html_open(p->o, "p", NULL);
    page_person(p, who->email);
    html_close(p->o, "p");
    form_begin(p, JB_OP_INVOICE_EMAIL);
    form_hidden(p, "wallet", wallet);
    form_field(p, JB_CF_EMAIL, true, (struct jb_text){NULL, 0});
    form_end(p, page_op_word(JB_OP_INVOICE_EMAIL));
}

/* What is done seldom: forms to be opened. */
static void
seldom_forms(struct page *p, struct jb_text wallet, const struct jb_who *who)
{
    const jb_op ops[] = {JB_OP_WALLET_RENAME, JB_OP_MEMBER_INVITE,
                         who->members + who->invited > 0 ? JB_OP_MEMBER_REMOVE : 0,
                         who->agency[0] != '\0' ? JB_OP_SALES_RELEASE : 0};
    html_open(p->o, "div", "forms");
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (ops[i] != 0 && page_may(p, ops[i])) {
            page_command_form(p, ops[i], wallet);
        }
    }
    html_close(p->o, "div");
}

static bool
people_page(struct page *p)
{
    const struct jb_text wallet = page_own_wallet(p);
    struct jb_who who = JB_SIZED(struct jb_who);
    const jb_status status = jb_who_get(p->ledger, wallet, NULL, NULL, &who, &p->err);
    if (status != JB_OK) {
        page_failed(p, status);
        return false;
    }
    page_begin(p, 200, tr("Wallet and members"), TAB_PEOPLE);
    page_done_notice(p);
    html_open(p->o, "section", NULL);
    html_element(p->o, "h2", NULL, tr("Members"));
    if (!page_members(p, wallet)) {
        return false;
    }
    html_close(p->o, "section");
    if (who.status != JB_WALLET_DELETED) {
        html_open(p->o, "section", "narrow");
        html_element(p->o, "h2", NULL, tr("Settings"));
        switch_form(p, wallet, who.status);
        email_form(p, wallet, &who);
        seldom_forms(p, wallet, &who);
        html_close(p->o, "section");
    }
    html_open(p->o, "section", NULL);
    html_element(p->o, "h2", NULL, tr("Can I delete my wallet?"));
    if (!page_can_delete(p, wallet)) {
        return false;
    }
    html_close(p->o, "section");
    page_end(p);
    return true;
}

enum handled
holder_people(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_HOLDER)) {
        people_page(&p);
    }
    return page_leave(&p);
}

/* ---- the ten questions ---- */

static bool
question(struct page *p, uint32_t number, bool open)
{
    const struct jb_question q = {.size = sizeof q,
                                  .number = number,
                                  .lang = p->lang,
                                  .wallet = page_own_wallet(p),
                                  .people = p->session.who.people};
    struct jb_reply *reply;
    const jb_status status = jb_reply_get(p->views, &q, &reply, &p->err);
    out_str(p->o, open ? "<details open>" : "<details>");
    html_element(p->o, "summary", NULL, jb_question_text(number, p->lang));
    if (status == JB_OK) {
        page_paragraph(p, NULL, reply->text);
        jb_reply_free(reply);
    } else if (status == JB_E_NOTFOUND) { /* no payment, no channel: the library says which */
        page_paragraph(p, NULL, p->err.text);
    } else {
        page_failed(p, status);
        return false;
    }
    html_close(p->o, "details");
    return true;
}

/* Answers may take a moment, those of a large ledger above all: then each is given when it is asked
 * for. */
enum { QUESTIONS_US = 30000 };

static void
question_link(struct page *p, uint32_t number)
{
    char path[40];
    snprintf(path, sizeof path, "/w/questions?q=%u", number);
    html_open(p->o, "p", NULL);
    page_link(p, NULL, path, jb_question_text(number, p->lang));
    html_close(p->o, "p");
}

static bool
questions_page(struct page *p)
{
    struct jb_ledger_stat s = JB_SIZED(struct jb_ledger_stat);
    const jb_status status = jb_ledger_stat_get(p->ledger, &s, &p->err);
    const uint64_t asked = page_number(exchange_query(p->x, "q"));
    bool ok = status == JB_OK;
    if (!ok) {
        page_failed(p, status);
        return false;
    }
    page_begin(p, 200, tr("Questions"), TAB_QUESTIONS);
    page_paragraph(p, "hint", tr("The ten that are asked most, answered for this wallet now."));
    html_open(p->o, "section", NULL);
    const int64_t until = now_us() + QUESTIONS_US;
    for (uint32_t i = 1; i <= JB_QUESTIONS && ok; i++) {
        if (asked == i || (s.events <= PAGE_CHEAP_EVENTS && now_us() < until)) {
            ok = question(p, i, asked == i);
        } else {
            question_link(p, i);
        }
    }
    if (ok) {
        html_close(p->o, "section");
        page_end(p);
    }
    return ok;
}

enum handled
holder_questions(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_HOLDER)) {
        questions_page(&p);
    }
    return page_leave(&p);
}

/* ---- one event ---- */

static bool
event_of(struct page *p, jb_seq seq, jb_cursor **ret, const struct jb_event **ret_event)
{
    jb_status status = jb_cursor_open(p->ledger, 1, ret, &p->err);
    if (status == JB_OK) {
        status = jb_cursor_at(*ret, seq, ret_event, &p->err);
    }
    if (status != JB_OK) {
        page_failed(p, status);
    }
    return status == JB_OK;
}

/* What an event says, as jangbu log --json prints it: member by member. */
static void
event_facts(struct page *p, const struct jb_event *e)
{
    html_open(p->o, "dl", "facts wide");
    page_fact_begin(p, tr("when it happened"));
    page_time(p, e->occurred_at);
    page_fact_end(p);
    page_fact_begin(p, tr("recorded"));
    page_time(p, e->recorded_at);
    page_fact_end(p);
    page_fact_begin(p, tr("posted to the day"));
    page_day(p, e->posted_on);
    page_fact_end(p);
    if (jb_event_amount(e) != 0) {
        page_fact_money(p, tr("amount"), jb_event_amount(e));
    }
    if (jb_event_effect(e) != 0) {
        page_fact_money(p, tr("effect on the total"), jb_event_effect(e));
    }
    if (e->actor != 0) {
        page_fact_begin(p, tr("done by"));
        page_person(p, e->actor);
        page_fact_end(p);
    }
    if (e->cause != 0) {
        page_fact_begin(p, tr("led to by"));
        page_event_link(p, e->cause);
        page_fact_end(p);
    }
    html_close(p->o, "dl");
}

static void
event_json_shown(struct page *p, const struct jb_event *e)
{
    struct out json = {.first = true};
    const bool people = p->session.who.people;
    if (event_row_json(&json, p->ledger, e, people, p->utc_offset_s, &p->err) == JB_OK &&
        !json.no_memory) {
        html_open(p->o, "details", NULL);
        html_element(p->o, "summary", NULL, tr("All that the ledger has of it (JSON)"));
        html_open(p->o, "pre", NULL);
        html_text(p->o, (struct jb_text){json.at, json.n});
        html_close(p->o, "pre");
        html_close(p->o, "details");
    }
    free(json.at);
}

enum handled
holder_event(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_BOTH)) {
        jb_cursor *cursor = NULL;
        const struct jb_event *e;
        const jb_seq seq = page_number(x->params[0]);
        char wallet[JB_ID_BYTES_MAX + 1] = "", title[160];
        size_t n = 0;
        if (event_of(&p, seq > 0 ? seq : 1, &cursor, &e)) {
            if (e->wallet != 0 && jb_wallet_id(p.ledger, e->wallet, wallet, &n, &p.err) == JB_OK) {
                wallet[n] = '\0';
            }
            /* What belongs to no wallet (the totals of a day) is no holder's. */
            if (seq == 0 || !page_sees(&p, wallet)) {
                page_failed(&p, JB_E_NOTFOUND);
            } else {
                snprintf(title, sizeof title, tr("Event %llu: %s"), (unsigned long long)seq,
                         page_event_word(e));
                page_begin(&p, 200, title, TAB_NONE);
                html_open(p.o, "p", "who");
                html_given(p.o, wallet);
                page_event_detail(&p, e);
                html_close(p.o, "p");
                event_facts(&p, e);
                if (p.session.operates) { /* notes are operators' */
                    event_json_shown(&p, e);
                }
                page_end(&p);
            }
        }
        jb_cursor_close(cursor);
    }
    return page_leave(&p);
}
