/* The holder's first pages: what the wallet has, why two totals differ, its days, its history. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event_json.h"
#include "page_holder.h"

enum { HISTORY_ROWS = 50, CAUSE_EVENTS = 10 };

struct jb_text
page_own_wallet(const struct page *p)
{
    return jb_text_of(p->session.wallet);
}

bool
page_balance(struct page *p, struct jb_text wallet, struct jb_wallet_balance *ret)
{
    *ret = (struct jb_wallet_balance)JB_SIZED(struct jb_wallet_balance);
    const jb_status status = jb_balance_get(p->views, wallet, page_now(p), ret, &p->err);
    if (status != JB_OK) {
        page_failed(p, status);
    }
    return status == JB_OK;
}

void
page_wallet_name(struct page *p, struct jb_text wallet, char buf[JB_PERSON_TEXT_BYTES + 1])
{
    size_t n = 0;
    const jb_status status = p->session.who.people || !p->session.operates
                                 ? jb_wallet_name(p->ledger, wallet, buf, &n, &p->err)
                                 : JB_OK;
    buf[status == JB_OK ? n : 0] = '\0';
}

/* ---- what it has ---- */

void
page_total(struct page *p, const struct jb_wallet_balance *w)
{
    const struct jb_balance *b = &w->balance;
    html_open(p->o, "section", "total");
    html_element(p->o, "h2", NULL, tr("Total cash balance"));
    html_open(p->o, "p", b->total < 0 ? "figure debt" : "figure");
    page_money_said(p, b->total);
    html_close(p->o, "p");
    page_as_of(p, &w->as_of);
    html_open(p->o, "dl", "facts");
    page_fact_money(p, tr("Paid cash"), b->paid);
    page_fact_money(p, tr("Free cash in use"), b->free);
    if (b->free_dormant != 0) {
        page_fact_money(p, tr("Free cash before \"Use\" (not in the total)"), b->free_dormant);
    }
    page_fact_money(p, tr("Refundable"), b->refundable);
    if (b->refund_pending != 0) {
        page_fact_money(p, tr("Refunds requested (still in the total)"), b->refund_pending);
    }
    if (b->refund_in_transit != 0) {
        page_fact_money(p, tr("Refunds on their way (no longer in the total)"),
                        b->refund_in_transit);
    }
    html_close(p->o, "dl");
    html_close(p->o, "section");
}

/* One line for each state that needs a word. */
void
page_state_notices(struct page *p, const struct jb_balance *b, const struct jb_who *who)
{
    char money[MONEY_BYTES + 8];
    if (b->status == JB_WALLET_DELETED) {
        page_paragraph(p, "notice", tr("This wallet is deleted. What it had is kept for reading."));
    }
    if (b->status == JB_WALLET_SUSPENDED) {
        page_paragraph(p, "notice wrong",
                       tr("This wallet is suspended under the operating policy: no charge, no "
                          "consumption; refunds only. Customer service tells the reason."));
    }
    if (b->status == JB_WALLET_OFF) {
        page_paragraph(p, "notice",
                       tr("This wallet is off: charges and refunds go on, consumption "
                          "does not."));
    }
    if (who->settlement == JB_SETTLEMENT_POSTPAID) {
        html_open(p->o, "p", "notice");
        page_sayf(p, tr("This is a postpaid wallet: it may be used down to %s below zero."),
                  page_money_text(p, who->limit, money));
        html_close(p->o, "p");
    } else if (b->debt > 0 && b->status != JB_WALLET_DELETED) {
        html_open(p->o, "p", "notice wrong");
        page_sayf(p,
                  tr("More was used than was there: %s is owed. The next charge fills that first; "
                     "free cash does not."),
                  page_money_text(p, b->debt, money));
        html_close(p->o, "p");
    }
}

/* What the state lets through, by words and not by colour. */
static void
allowed(struct page *p, uint32_t status)
{
    static const struct {
        jb_op op;
        const char *label;
    } rows[] = {{JB_OP_CHARGE, SAID("Charge")},
                {JB_OP_CONSUME, SAID("Consumption")},
                {JB_OP_REFUND_REQUEST, SAID("Refund")}};
    html_open(p->o, "ul", "allowed");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const bool yes = jb_wallet_allows(status, rows[i].op);
        html_open(p->o, "li", yes ? "yes" : "no");
        out_str(p->o, yes ? "<span aria-hidden=\"true\">○</span> "
                          : "<span aria-hidden=\"true\">×</span> ");
        html_str(p->o, tr(rows[i].label));
        out_char(p->o, ' ');
        html_str(p->o, yes ? tr("possible") : tr("not possible"));
        html_close(p->o, "li");
    }
    html_close(p->o, "ul");
}

/* ---- why two totals differ ---- */

static void
cause_events(struct page *p, const struct jb_cause_line *c)
{
    html_open(p->o, "span", "events");
    html_str(p->o, tr("event"));
    for (uint32_t i = 0; i < c->events_n && i < CAUSE_EVENTS; i++) {
        out_str(p->o, i > 0 ? ", " : " ");
        page_event_link(p, c->events[i]);
    }
    if (c->events_total > CAUSE_EVENTS) {
        char text[80];
        snprintf(text, sizeof text, tr(" and %llu more"),
                 (unsigned long long)(c->events_total - CAUSE_EVENTS));
        html_str(p->o, text);
    }
    html_close(p->o, "span");
}

static void
cause_row(struct page *p, const struct jb_cause_line *c)
{
    page_row(p);
    out_str(p->o, "<th scope=\"row\">");
    html_str(p->o, page_cause_word(c->cause));
    html_str(p->o, c->late ? tr(" (late)") : "");
    out_char(p->o, ' ');
    cause_events(p, c);
    out_str(p->o, "</th>");
    page_cell_money(p, c->amount);
    page_row_end(p);
}

static void
figure_row(struct page *p, const char *class, const char *label, jb_amount amount)
{
    out_str(p->o, "<tr");
    html_word(p->o, "class", class);
    out_char(p->o, '>');
    page_cell_head(p, label);
    page_cell_money(p, amount);
    page_row_end(p);
}

static void
explanation(struct page *p, const struct jb_explanation *x)
{
    char day[JB_DAY_TEXT_BYTES], label[160];
    bool late = false;
    if (x->through == JB_NO_DAY) {
        snprintf(label, sizeof label, "%s", tr("Cash status: no day is closed yet"));
    } else {
        snprintf(label, sizeof label, tr("Cash status, whole days through %s"),
                 jb_day_print(x->through, day));
    }
    page_table(p, "sum", tr("From the cash status to the total cash balance"));
    page_head(p, (const char *const[]){SAID("cause"), COLUMN(">amount"), NULL});
    figure_row(p, "first", label, x->cash_status_total);
    for (uint32_t i = 0; i < x->causes_n; i++) {
        cause_row(p, x->causes[i]);
        late |= x->causes[i]->late;
    }
    if (x->rest != 0) {
        figure_row(p, "wrong", tr("not explained (must be 0)"), x->rest);
    }
    figure_row(p, "last", tr("Total cash balance now"), x->total_now);
    page_table_end(p);
    if (late) {
        page_paragraph(p, "hint",
                       tr("Late: it happened on an earlier day, and is posted to a later "
                          "one because that day was closed."));
    }
}

bool
page_explain(struct page *p, struct jb_text wallet)
{
    struct jb_explanation *x;
    const jb_status status = jb_explain(p->views, wallet, page_now(p), &x, &p->err);
    if (status != JB_OK) {
        page_failed(p, status);
        return false;
    }
    html_open(p->o, "section", NULL);
    html_element(p->o, "h2", NULL, tr("Why the cash status and the total differ"));
    if (x->difference == 0) {
        page_paragraph(p, NULL, tr("They do not differ now."));
    } else {
        char day[JB_DAY_TEXT_BYTES];
        html_open(p->o, "p", NULL);
        if (x->through == JB_NO_DAY) {
            html_str(p->o, tr("The total is of this moment; the cash status has whole days, and "
                              "none is closed yet. Between them lies:"));
        } else {
            page_sayf(p,
                      tr("The total is of this moment; the cash status has whole days, through "
                         "%s. Between them lies:"),
                      jb_day_print(x->through, day));
        }
        html_close(p->o, "p");
    }
    explanation(p, x);
    html_close(p->o, "section");
    jb_explanation_free(x);
    return true;
}

/* ---- history ---- */

struct history {
    struct page *p;
    uint64_t rows;
};

/* What stands beside the word: how it was paid, why it was given; and the caller's id. */
void
page_event_detail(struct page *p, const struct jb_event *e)
{
    char id[JB_ID_BYTES_MAX + 1];
    size_t n = 0;
    const char *more = e->type == JB_EV_CHARGE_SETTLED ? page_method_word(e->charge_settled.method)
                       : e->type == JB_EV_FREE_GRANTED ? page_origin_word(e->free_granted.origin)
                                                       : "";
    html_open(p->o, "span", "detail");
    html_str(p->o, more);
    out_str(p->o, more[0] != '\0' ? " · " : "");
    if (jb_event_id(p->ledger, e, id, &n, &p->err) == JB_OK && n > 0) {
        id[n] = '\0';
        html_given(p->o, id);
        out_str(p->o, " · ");
    }
    html_str(p->o, tr("event"));
    out_char(p->o, ' ');
    page_event_link(p, e->seq);
    html_close(p->o, "span");
}

static bool
each_history(void *data, const struct jb_history_row *r)
{
    struct history *h = data;
    struct page *p = h->p;
    const struct jb_event *e = r->event;
    page_row(p);
    page_cell_time(p, e->occurred_at);
    out_str(p->o, "<th scope=\"row\">");
    html_str(p->o, page_event_word(e));
    html_str(p->o, r->late ? tr(" (late)") : "");
    page_event_detail(p, e);
    out_str(p->o, "</th>");
    if (r->effect != 0) {
        page_cell_money(p, r->effect);
    } else if (jb_event_amount(e) != 0) { /* it moved nothing of the total */
        out_str(p->o, "<td class=\"r apart\">(");
        page_money(p, jb_event_amount(e));
        out_str(p->o, ")</td>");
    } else {
        page_cell(p, "");
    }
    page_cell_money(p, r->balance);
    page_row_end(p);
    h->rows++;
    return !p->o->no_memory;
}

bool
page_history(struct page *p, struct jb_text wallet, jb_history_kind kind, const char *cursor,
             uint32_t limit, char next[JB_CURSOR_TEXT_BYTES], struct jb_moment *moment)
{
    struct history h = {.p = p};
    page_table(p, "list wide", tr("History, newest first"));
    page_head(p, (const char *const[]){SAID("when"), SAID("what"), COLUMN(">amount"),
                                       COLUMN(">balance after"), NULL});
    const jb_status status = jb_history_get(p->views, wallet, kind, page_now(p), cursor, limit,
                                            each_history, &h, next, moment, &p->err);
    if (status != JB_OK) {
        page_failed(p, status);
        return false;
    }
    page_table_end(p);
    page_rows_end(p, h.rows, limit, next, tr("There is nothing here yet."));
    return true;
}

/* ---- pages ---- */

void
page_done_notice(struct page *p)
{
    const struct jb_text done = exchange_query(p->x, "done");
    if (done.s == NULL || done.n == 0 || done.n > 20) {
        return;
    }
    for (size_t i = 0; i < done.n; i++) {
        if (done.s[i] < '0' || done.s[i] > '9') {
            return;
        }
    }
    out_str(p->o, "<p class=\"notice done\" role=\"status\">");
    page_sayf(p, tr("It is done: event %.*s."), (int)done.n, done.s);
    html_close(p->o, "p");
}

static bool
who_of(struct page *p, struct jb_text wallet, struct jb_who *ret)
{
    *ret = (struct jb_who)JB_SIZED(struct jb_who);
    const jb_status status = jb_who_get(p->ledger, wallet, NULL, NULL, ret, &p->err);
    if (status != JB_OK) {
        page_failed(p, status);
    }
    return status == JB_OK;
}

void
page_wallet_head(struct page *p, struct jb_text wallet, const struct jb_balance *b,
                 const struct jb_who *who)
{
    html_open(p->o, "p", "who");
    html_text(p->o, wallet);
    out_str(p->o, " · ");
    html_str(p->o, page_kind_word(who->kind));
    out_str(p->o, " · ");
    html_str(p->o, who->settlement == JB_SETTLEMENT_POSTPAID ? tr("postpaid") : tr("prepaid"));
    out_char(p->o, ' ');
    page_state(p, b->status);
    html_close(p->o, "p");
}

static bool
overview(struct page *p)
{
    const struct jb_text wallet = page_own_wallet(p);
    struct jb_wallet_balance w;
    struct jb_who who;
    char name[JB_PERSON_TEXT_BYTES + 1], next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    if (!page_balance(p, wallet, &w) || !who_of(p, wallet, &who)) {
        return false;
    }
    page_wallet_name(p, wallet, name);
    page_begin(p, 200, name[0] != '\0' ? name : p->session.wallet, TAB_WALLET);
    page_wallet_head(p, wallet, &w.balance, &who);
    page_done_notice(p);
    page_state_notices(p, &w.balance, &who);
    html_open(p->o, "div", "columns");
    html_open(p->o, "div", NULL);
    page_total(p, &w);
    if (w.balance.status != JB_WALLET_DELETED) {
        html_open(p->o, "section", NULL);
        html_element(p->o, "h2", NULL, tr("What the wallet's state allows"));
        allowed(p, w.balance.status);
        html_close(p->o, "section");
    }
    html_close(p->o, "div");
    if (!page_explain(p, wallet)) {
        return false;
    }
    html_close(p->o, "div");
    if (w.balance.status != JB_WALLET_DELETED && !page_grants_waiting(p, wallet)) {
        return false;
    }
    html_open(p->o, "section", NULL);
    html_element(p->o, "h2", NULL, tr("Last movements"));
    if (!page_history(p, wallet, JB_HISTORY_ALL, NULL, 8, next, &moment)) {
        return false;
    }
    out_str(p->o, "<p>");
    page_link(p, NULL, "/w/history", tr("The whole history"));
    out_str(p->o, "</p>");
    html_close(p->o, "section");
    page_end(p);
    return true;
}

enum handled
holder_wallet(struct exchange *x)
{
    struct page p;
    const struct jb_text ticket = exchange_query(x, "ticket");
    if (ticket.s != NULL) {
        return page_redeem(x, ticket);
    }
    if (page_enter(&p, x, PAGE_FOR_HOLDER)) {
        overview(&p);
    }
    return page_leave(&p);
}

static const struct {
    jb_history_kind kind;
    const char *word, *label;
} kinds[] = {{JB_HISTORY_ALL, "all", SAID("All")},
             {JB_HISTORY_CHARGE, "charge", SAID("Charges")},
             {JB_HISTORY_CONSUMPTION, "use", SAID("Consumption")},
             {JB_HISTORY_RETURN, "return", SAID("Returns")},
             {JB_HISTORY_REFUND, "refund", SAID("Refunds")}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

size_t
page_history_kind(const struct exchange *x)
{
    const struct jb_text word = exchange_query(x, "kind");
    for (size_t i = 0; word.s != NULL && i < KINDS; i++) {
        if (word.n == strlen(kinds[i].word) && memcmp(word.s, kinds[i].word, word.n) == 0) {
            return i;
        }
    }
    return 0;
}

void
page_history_tabs(struct page *p, const char *base, size_t now)
{
    out_str(p->o, "<nav class=\"tabs\"");
    html_word(p->o, "aria-label", tr("Kinds of history"));
    out_str(p->o, "><ul>");
    for (size_t i = 0; i < KINDS; i++) {
        out_str(p->o, "<li><a href=\"");
        out_str(p->o, base);
        out_str(p->o, "?kind=");
        out_str(p->o, kinds[i].word);
        out_str(p->o, i == now ? "\" aria-current=\"page\">" : "\">");
        html_str(p->o, tr(kinds[i].label));
        out_str(p->o, "</a></li>");
    }
    out_str(p->o, "</ul></nav>\n");
}

const char *
page_cursor(const struct exchange *x, char buf[JB_CURSOR_TEXT_BYTES])
{
    const struct jb_text cursor = exchange_query(x, "cursor");
    snprintf(buf, JB_CURSOR_TEXT_BYTES, "%.*s",
             (int)(cursor.n < JB_CURSOR_TEXT_BYTES ? cursor.n : 0),
             cursor.s != NULL ? cursor.s : "");
    return buf[0] != '\0' ? buf : NULL;
}

static bool
history_page(struct page *p)
{
    const size_t kind = page_history_kind(p->x);
    char cursor[JB_CURSOR_TEXT_BYTES], next[JB_CURSOR_TEXT_BYTES], base[64];
    struct jb_moment moment;
    const char *from = page_cursor(p->x, cursor);
    page_begin(p, 200, tr("History"), TAB_HISTORY);
    page_paragraph(p, "hint",
                   tr("Of this moment. An amount in brackets moved nothing of the total."));
    page_history_tabs(p, "/w/history", kind);
    if (!page_history(p, page_own_wallet(p), kinds[kind].kind, from, HISTORY_ROWS, next, &moment)) {
        return false;
    }
    snprintf(base, sizeof base, "/w/history?kind=%s", kinds[kind].word);
    page_next(p, base, next, from == NULL);
    page_as_of(p, &moment);
    page_end(p);
    return true;
}

enum handled
holder_history(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_HOLDER)) {
        history_page(&p);
    }
    return page_leave(&p);
}

jb_history_kind
page_history_kind_at(size_t i, const char **ret_word)
{
    *ret_word = kinds[i].word;
    return kinds[i].kind;
}

/* ---- cash status ---- */

struct days {
    struct jb_cash_row *at;
    size_t n, cap;
    bool no_memory;
};

static bool
keep_day(void *data, const struct jb_cash_row *r)
{
    struct days *d = data;
    if (d->n == d->cap) {
        d->cap = d->cap == 0 ? 64 : 2 * d->cap;
        struct jb_cash_row *more = realloc(d->at, d->cap * sizeof *more);
        d->no_memory |= more == NULL;
        if (more == NULL) {
            return false;
        }
        d->at = more;
    }
    d->at[d->n++] = *r;
    return true;
}

/* In and out of the total by that row, other than the three that have a column. */
static jb_amount
other_flows(const struct jb_cash_row *r)
{
    return r->free_activated + r->returned + r->debt_repaid - r->charge_reversed - r->expired -
           r->forfeited;
}

static void
day_row(struct page *p, const struct jb_cash_row *r)
{
    page_row(p);
    out_str(p->o, "<th scope=\"row\" class=\"n\">");
    page_day(p, r->day);
    out_str(p->o, "</th>");
    page_cell_money(p, r->charged);
    page_cell_money(p, -(r->consumed_paid + r->consumed_free));
    page_cell_money(p, r->refund_failed - r->refunded);
    page_cell_money(p, other_flows(r));
    page_cell_money(p, r->closing_total);
    page_row_end(p);
}

static void
days_table(struct page *p, const struct days *d)
{
    page_table(p, "list wide", tr("Cash status by day, newest first"));
    page_head(p, (const char *const[]){SAID("day"), COLUMN(">charged"), COLUMN(">consumed"),
                                       COLUMN(">refunded"), COLUMN(">other"),
                                       COLUMN(">balance at its end"), NULL});
    for (size_t i = d->n; i > 0; i--) {
        day_row(p, &d->at[i - 1]);
    }
    page_table_end(p);
    if (d->n == 0) {
        page_empty(p, tr("No day with a movement is closed yet."));
    }
    page_paragraph(p, "hint",
                   tr("Other: free cash put into use, returns and repaid debt, less "
                      "reversed charges and lapsed free cash."));
}

/* The last 366 closed days unless a month is asked for. */
static bool
status_page(struct page *p)
{
    const struct jb_text wallet = page_own_wallet(p);
    struct jb_cash_status s = JB_SIZED(struct jb_cash_status);
    struct days d = {0};
    jb_status status = jb_cash_status_get(p->views, wallet, JB_VIEW_POSTED, page_now(p), JB_NO_DAY,
                                          JB_NO_DAY, NULL, NULL, &s, &p->err);
    const jb_day from = status == JB_OK && s.through != JB_NO_DAY ? s.through - 365 : JB_NO_DAY;
    s = (struct jb_cash_status)JB_SIZED(struct jb_cash_status);
    status = status == JB_OK ? jb_cash_status_get(p->views, wallet, JB_VIEW_POSTED, page_now(p),
                                                  from, JB_NO_DAY, keep_day, &d, &s, &p->err)
                             : status;
    p->o->no_memory |= d.no_memory;
    if (status != JB_OK) {
        page_failed(p, status);
        free(d.at);
        return false;
    }
    page_begin(p, 200, tr("Cash status"), TAB_STATUS);
    if (s.through != JB_NO_DAY) {
        char day[JB_DAY_TEXT_BYTES];
        html_open(p->o, "p", "hint");
        page_sayf(p, tr("Whole days through %s, at most the last 366."),
                  jb_day_print(s.through, day));
        html_close(p->o, "p");
    }
    if (s.past_day_open) {
        page_paragraph(p, "hint",
                       tr("A day that is over is not closed yet: it follows with the next "
                          "movement in the ledger."));
    }
    const bool explained = page_explain(p, wallet);
    if (explained) {
        html_open(p->o, "section", NULL);
        html_element(p->o, "h2", NULL, tr("By day"));
        days_table(p, &d);
        html_close(p->o, "section");
        page_as_of(p, &s.as_of);
        page_end(p);
    }
    free(d.at);
    return explained;
}

enum handled
holder_status(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_HOLDER)) {
        status_page(&p);
    }
    return page_leave(&p);
}
