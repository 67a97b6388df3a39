/* The page: its frame, and the parts that all of it is made from. */
#include "page.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "gateway.h"
#include "log.h"
#include "page_holder.h"
#include "problem.h"
#include "workers.h"

static const char csp[] =
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#define COOKIE "__Host-jangbu"

/* ---- entering ---- */

static struct jb_text
cookie_called(const struct exchange *x, const char *name)
{
    const struct jb_text all = exchange_header(x, "Cookie");
    const size_t n = strlen(name);
    for (size_t i = 0; all.s != NULL && i < all.n;) {
        const char *end = memchr(all.s + i, ';', all.n - i);
        const size_t stop = end != NULL ? (size_t)(end - all.s) : all.n;
        while (i < stop && all.s[i] == ' ') {
            i++;
        }
        if (stop - i > n && memcmp(all.s + i, name, n) == 0 && all.s[i + n] == '=') {
            return (struct jb_text){all.s + i + n + 1, stop - i - n - 1};
        }
        i = stop + 1;
    }
    return (struct jb_text){NULL, 0};
}

enum page_gate
page_gate(const struct exchange *x)
{
    const struct gateway *g = x->gateway;
    const bool slow = x->route->lane == LANE_SLOW && exchange_query(x, "ticket").s == NULL;
    if (x->route->handle == page_asset) {
        return PAGE_HERE;
    }
    switch (pages_ask(g->pages, cookie_called(x, COOKIE))) {
    case ASKS_NOBODY:
        return PAGE_HERE;
    case ASKS_TOO_OFTEN: /* a form is not turned away: its key would be lost, and it has a queue */
        return x->method == METHOD_GET ? PAGE_TOO_OFTEN : PAGE_HERE;
    case ASKS_SESSION:
        break;
    }
    const size_t share = ((size_t)g->config->slow_queue + 1) / 2;
    const bool crowded = workers_waiting(g->brief_worker) >= share;
    if (x->method == METHOD_POST && !slow) {
        return crowded ? PAGE_HERE : PAGE_FORM;
    }
    return !slow ? PAGE_HERE : crowded ? PAGE_CROWDED : PAGE_TO_WORKER;
}

static void
headers(struct exchange *x)
{
    exchange_set_header(x, "Content-Security-Policy", csp);
    exchange_set_header(x, "X-Frame-Options", "DENY");
    /* With no-referrer a browser would say "Origin: null" of its own forms. */
    exchange_set_header(x, "Referrer-Policy", "same-origin");
    exchange_set_header(x, "Cross-Origin-Opener-Policy", "same-origin");
    exchange_set_header(x, "Cross-Origin-Resource-Policy", "same-origin");
    exchange_set_header(x, "Cache-Control", "no-store");
}

static jb_lang
lang_called(struct jb_text t)
{
    if (t.s == NULL || t.n != 2) {
        return JB_LANG_UNSAID;
    }
    return memcmp(t.s, "ko", 2) == 0   ? JB_LANG_KO
           : memcmp(t.s, "en", 2) == 0 ? JB_LANG_EN
                                       : JB_LANG_UNSAID;
}

static void
choose_lang(struct page *p)
{
    const jb_lang asked = lang_called(exchange_query(p->x, "lang"));
    if (asked != JB_LANG_UNSAID && p->cookie.s != NULL) {
        pages_speak(p->x->gateway->pages, p->cookie, asked);
    }
    p->lang = asked != JB_LANG_UNSAID             ? asked
              : p->session.lang != JB_LANG_UNSAID ? p->session.lang
              : p->x->lang != JB_LANG_UNSAID      ? p->x->lang
                                                  : JB_LANG_EN;
    (void)lang_speak(p->lang);
}

/* Whose token it was is asked again: it may be another's now, may do less, or be no more. */
static bool
session_goes_on(struct page *p)
{
    struct gateway *g = p->x->gateway;
    if (!pages_session(g->pages, p->cookie, &p->session)) {
        return false;
    }
    if (page_session_allowed(p, &p->session)) {
        return true;
    }
    pages_end(g->pages, p->cookie);
    p->session = (struct session){.operates = false};
    return false;
}

bool
page_session_allowed(const struct page *p, struct session *s)
{
    return auth_renew(p->x->gateway->auth, &s->who) && session_allowed(s);
}

bool
page_enter(struct page *p, struct exchange *x, enum page_for whom)
{
    struct gateway *g = x->gateway;
    *p = (struct page){.x = x,
                       .o = &x->answer.body,
                       .ledger = g->ledger,
                       .views = x->asked->views,
                       .utc_offset_s = x->asked->utc_offset_s,
                       .lang_before = lang_of_call};
    struct jb_ledger_info info = JB_SIZED(struct jb_ledger_info);
    headers(x);
    p->cookie = cookie_called(x, COOKIE);
    if (!session_goes_on(p)) {
        p->cookie = (struct jb_text){NULL, 0};
    }
    choose_lang(p);
    const jb_status status = jb_info_get(p->ledger, &info, &p->err);
    if (status != JB_OK) {
        page_failed(p, status);
        return false;
    }
    p->exponent = info.exponent;
    memcpy(p->currency, info.currency, sizeof p->currency);
    const bool in = p->cookie.s != NULL;
    if (whom == PAGE_FOR_ALL || (in && whom == PAGE_FOR_BOTH) ||
        (in && p->session.operates == (whom == PAGE_FOR_OPERATOR))) {
        return true;
    }
    if (whom == PAGE_FOR_OPERATOR && x->method == METHOD_GET) {
        page_see_other(p, "/o/sign-in");
        return false;
    }
    page_wrong(p, whom == PAGE_FOR_OPERATOR ? 401 : 403, tr("You are not signed in"),
               tr("This page opens from the service that you came from, and stays open for half an "
                  "hour after you used it last. Open it there again."));
    return false;
}

enum handled
page_leave(struct page *p)
{
    (void)lang_speak(p->lang_before);
    p->x->who = NULL; /* that of the session lies in p */
    if (p->cookie.s != NULL) {
        snprintf(p->x->answer.who, sizeof p->x->answer.who, "%s", p->session.who.name);
    }
    return ANSWERED;
}

void
page_speak(struct page *p)
{
    p->lang_before = lang_speak(p->lang);
}

/*
 * A time of now is no moment yet: an event may be on its way to the disk that was recorded before
 * it. So it is that of the last event, or where that is long ago (and days have ended since), a
 * time that lies further back than any event is on its way.
 */
const struct jb_as_of *
page_now(struct page *p)
{
    static const jb_instant on_its_way = 10 * JB_US_PER_SECOND;
    struct jb_moment now, last;
    if (p->now.kind != JB_AS_OF_NOW) {
        return &p->now;
    }
    jb_status status = jb_moment_resolve(p->views, NULL, &now, &p->err);
    const struct jb_as_of head = {.kind = JB_AS_OF_SEQ, .seq = now.seq};
    status = status == JB_OK ? jb_moment_resolve(p->views, &head, &last, &p->err) : status;
    if (status != JB_OK) {
        p->x->over = p->x->over || status == JB_E_BUSY;
        return NULL;
    }
    const jb_instant since = now.at - on_its_way;
    p->now = last.at >= since ? head : (struct jb_as_of){.kind = JB_AS_OF_TIME, .time = since};
    return &p->now;
}

bool
page_sees(const struct page *p, const char *wallet)
{
    return p->session.operates || (wallet[0] != '\0' && strcmp(wallet, p->session.wallet) == 0);
}

uint64_t
page_number(struct jb_text t)
{
    uint64_t n = 0;
    for (size_t i = 0; i < t.n; i++) {
        if (t.s[i] < '0' || t.s[i] > '9' || n > UINT64_MAX / 16) {
            return 0;
        }
        n = n * 10 + (uint64_t)(t.s[i] - '0');
    }
    return n;
}

/* ---- the frame ---- */

struct tab {
    enum page_tab tab;
    const char *path, *label;
};

static const struct tab holder_tabs[] = {{TAB_WALLET, "/w", SAID("Overview")},
                                         {TAB_STATUS, "/w/status", SAID("Cash status")},
                                         {TAB_HISTORY, "/w/history", SAID("History")},
                                         {TAB_FREE, "/w/free", SAID("Free cash")},
                                         {TAB_REFUNDS, "/w/refunds", SAID("Refunds")},
                                         {TAB_PAPERS, "/w/papers", SAID("Receipts and invoices")},
                                         {TAB_PEOPLE, "/w/people", SAID("Wallet and members")},
                                         {TAB_QUESTIONS, "/w/questions", SAID("Questions")}};
static const struct tab operator_tabs[] = {
    {TAB_LEDGER, "/o", SAID("Ledger")},  {TAB_WALLETS, "/o/wallets", SAID("Wallets")},
    {TAB_FIND, "/o/find", SAID("Find")}, {TAB_IN_FLIGHT, "/o/refunds", SAID("Refunds in flight")},
    {TAB_DUE, "/o/due", SAID("Due")},    {TAB_COMMANDS, "/o/commands", SAID("Commands")}};

static void
menu(struct page *p, enum page_tab now)
{
    const bool operates = p->session.operates;
    const struct tab *tabs = operates ? operator_tabs : holder_tabs;
    const size_t n =
        operates ? sizeof operator_tabs / sizeof *tabs : sizeof holder_tabs / sizeof *tabs;
    out_str(p->o, "<nav");
    html_word(p->o, "aria-label", tr("Pages"));
    out_str(p->o, "><ul>\n");
    for (size_t i = 0; i < n; i++) {
        out_str(p->o, "<li><a");
        html_word(p->o, "href", tabs[i].path);
        if (tabs[i].tab == now) {
            html_word(p->o, "aria-current", "page");
        }
        out_char(p->o, '>');
        html_str(p->o, tr(tabs[i].label));
        out_str(p->o, "</a></li>\n");
    }
    out_str(p->o, "</ul></nav>\n");
}

static bool
add_query(void *data, struct jb_text name, struct jb_text value)
{
    struct out *o = data;
    if (name.n == 4 && memcmp(name.s, "lang", 4) == 0) {
        return true;
    }
    url_text(o, name);
    out_char(o, '=');
    url_text(o, value);
    out_str(o, "&amp;");
    return true;
}

/* The same page in the other language. After a form was posted there is no such page. */
static void
other_language(struct page *p)
{
    const bool korean = p->lang == JB_LANG_KO;
    if (p->x->method != METHOD_GET) {
        return;
    }
    out_str(p->o, "<a class=\"lang\" href=\"?");
    exchange_query_each(p->x, add_query, p->o);
    out_str(p->o, korean ? "lang=en\" lang=\"en\" hreflang=\"en\">English</a>\n"
                         : "lang=ko\" lang=\"ko\" hreflang=\"ko\">한국어</a>\n");
}

static void
banner(struct page *p)
{
    out_str(p->o, "<header><div class=\"bar\">\n<a class=\"brand\" href=\"");
    out_str(p->o, p->session.operates ? "/o\">" : "/w\">");
    html_str(p->o, p->session.operates ? tr("Ledger operations") : tr("My wallet"));
    out_str(p->o, "</a>\n<div class=\"tools\">");
    other_language(p);
    if (p->cookie.s != NULL) {
        out_str(p->o, "<form method=\"post\" action=\"/sign-out\">");
        form_csrf(p);
        out_str(p->o, "<button class=\"plain\">");
        html_str(p->o, tr("Sign out"));
        out_str(p->o, "</button></form>\n");
    }
    out_str(p->o, "</div></div>\n");
}

void
page_begin(struct page *p, int status, const char *title, enum page_tab tab)
{
    struct out *o = p->o;
    exchange_answer(p->x, status, "text/html; charset=utf-8");
    out_str(o, "<!doctype html>\n<html");
    html_word(o, "lang", p->lang == JB_LANG_KO ? "ko" : "en");
    out_str(o, ">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
               "<meta name=\"color-scheme\" content=\"light dark\">\n"
               "<link rel=\"stylesheet\" href=\"/assets/page.css\">\n"
               "<link rel=\"icon\" href=\"/assets/icon.svg\" type=\"image/svg+xml\">\n"
               "<script src=\"/assets/page.js\" defer></script>\n");
    html_element(o, "title", NULL, title);
    out_str(o, "</head>\n<body>\n<a class=\"skip\" href=\"#main\">");
    html_str(o, tr("Skip to the content"));
    out_str(o, "</a>\n");
    banner(p);
    if (p->cookie.s != NULL) {
        menu(p, tab);
    }
    out_str(o, "</header>\n<main id=\"main\">\n");
    html_element(o, "h1", NULL, title);
}

void
page_end(struct page *p)
{
    out_str(p->o, "</main>\n</body>\n</html>\n");
}

void
page_wrong(struct page *p, int status, const char *title, const char *text)
{
    p->o->n = 0;
    page_begin(p, status, title, TAB_NONE);
    page_alert(p, text, NULL);
    if (p->cookie.s != NULL) {
        out_str(p->o, "<p>");
        page_link(p, "button second", p->session.operates ? "/o" : "/w",
                  tr("Back to the overview"));
        out_str(p->o, "</p>\n");
    }
    page_end(p);
}

/* The library's own sentence is in the language of its handle, and for operators. */
void
page_failed(struct page *p, jb_status status)
{
    p->x->over = p->x->over || status == JB_E_BUSY;
    if (status == JB_E_NOTFOUND) {
        page_wrong(p, 404, tr("There is no such thing"),
                   tr("What this address names is not there, or not in this wallet."));
    } else if (status == JB_E_USAGE) {
        page_wrong(p, 400, tr("That did not work"),
                   tr("This address is none that the page made. Begin again."));
    } else {
        page_wrong(p, 503, tr("That did not work"),
                   tr("The ledger cannot answer now. Try again in a moment; what was confirmed "
                      "before is done once, whatever you press."));
        if (status != JB_E_BUSY) {
            log_failed(p->x, p->err.text);
        }
    }
    snprintf(p->x->answer.code, sizeof p->x->answer.code, "%s", jb_status_word(status));
}

enum handled
page_not_now(struct exchange *x, enum page_gate why)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_ALL)) {
        const bool often = why == PAGE_TOO_OFTEN;
        exchange_set_header(x, "Retry-After", "1");
        page_wrong(&p, often ? 429 : 503, tr("One moment"),
                   often ? tr("That was asked for too often. Nothing was done; try again in a "
                              "moment.")
                   : why == PAGE_FOLDING
                       ? tr("Much has changed in the ledger, and this is still being prepared. "
                            "Try again in a moment.")
                       : tr("Many wait. Nothing was done; try again in a moment."));
        snprintf(x->answer.code, sizeof x->answer.code, "%s",
                 gateway_code_word(often ? GATEWAY_RATE : GATEWAY_SLOW_FULL));
    }
    return page_leave(&p);
}

void
page_see_other(struct page *p, const char *where)
{
    p->o->n = 0;
    exchange_set_header(p->x, "Location", where);
    exchange_answer(p->x, 303, "text/html; charset=utf-8");
}

/* ---- text ---- */

void
page_sayf(struct page *p, const char *form, ...)
{
    char text[3000];
    va_list args;
    va_start(args, form);
    vsnprintf(text, sizeof text, form, args);
    va_end(args);
    html_str(p->o, text);
}

void
page_alert(struct page *p, const char *text, const char *detail)
{
    out_str(p->o, "<p class=\"notice wrong\" role=\"alert\">");
    html_str(p->o, text);
    if (detail != NULL) {
        html_element(p->o, "span", "detail", detail);
    }
    html_close(p->o, "p");
}

void
page_paragraph(struct page *p, const char *class, const char *text)
{
    html_element(p->o, "p", class, text);
}

void
page_money(struct page *p, jb_amount amount)
{
    char text[MONEY_BYTES];
    out_str(p->o, "<data");
    if (amount < 0) {
        html_word(p->o, "class", "neg");
    }
    html_number(p->o, "value", amount);
    out_char(p->o, '>');
    html_str(p->o, money_text(amount, p->exponent, text));
    out_str(p->o, "</data>");
}

/* Behind an amount: "원" where Korean says so, else the currency's letters. */
static const char *
unit_of(const struct page *p)
{
    static _Thread_local char unit[6];
    if (p->lang == JB_LANG_KO && strcmp(p->currency, "KRW") == 0) {
        return "원";
    }
    snprintf(unit, sizeof unit, " %.3s", p->currency);
    return unit;
}

void
page_money_said(struct page *p, jb_amount amount)
{
    page_money(p, amount);
    html_open(p->o, "span", "unit");
    html_str(p->o, unit_of(p));
    out_str(p->o, "</span>");
}

char *
page_money_text(const struct page *p, jb_amount amount, char buf[MONEY_BYTES + 8])
{
    char text[MONEY_BYTES];
    snprintf(buf, MONEY_BYTES + 8, "%s%s", money_text(amount, p->exponent, text), unit_of(p));
    return buf;
}

void
page_day(struct page *p, jb_day day)
{
    char text[JB_DAY_TEXT_BYTES];
    if (day == JB_NO_DAY) {
        out_str(p->o, "-");
        return;
    }
    out_str(p->o, "<time>");
    out_str(p->o, jb_day_print(day, text));
    out_str(p->o, "</time>");
}

/* "2026-10-31 18:00" at the ledger's offset, with all of it as the element's own. */
void
page_time(struct page *p, jb_instant at)
{
    char text[JB_INSTANT_TEXT_BYTES];
    if (at == JB_NO_INSTANT) {
        out_str(p->o, "-");
        return;
    }
    jb_instant_print(at, p->utc_offset_s, text);
    out_str(p->o, "<time");
    html_word(p->o, "datetime", text);
    out_char(p->o, '>');
    if (strlen(text) > 16) {
        out_bytes(p->o, text, 10);
        out_char(p->o, ' ');
        out_bytes(p->o, text + 11, 5);
    }
    out_str(p->o, "</time>");
}

void
page_as_of(struct page *p, const struct jb_moment *m)
{
    char text[JB_INSTANT_TEXT_BYTES];
    p->x->answer.seq = m->seq;
    jb_instant_print(m->at, p->utc_offset_s, text);
    html_open(p->o, "p", "as-of");
    page_sayf(p, tr("as of %.10s %.5s, event %llu"), text, strlen(text) > 16 ? text + 11 : "",
              (unsigned long long)m->seq);
    html_close(p->o, "p");
}

void
page_state(struct page *p, uint32_t status)
{
    static const char *const classes[] = {"state", "state on", "state off", "state bad",
                                          "state gone"};
    html_element(p->o, "span", classes[status < 5 ? status : 0], page_status_word(status));
}

void
page_link(struct page *p, const char *class, const char *path, const char *text)
{
    out_str(p->o, "<a");
    if (class != NULL) {
        html_word(p->o, "class", class);
    }
    html_word(p->o, "href", path);
    out_char(p->o, '>');
    html_str(p->o, text);
    out_str(p->o, "</a>");
}

void
page_event_link(struct page *p, jb_seq seq)
{
    char path[48], text[24];
    snprintf(path, sizeof path, "/%c/events/%llu", p->session.operates ? 'o' : 'w',
             (unsigned long long)seq);
    snprintf(text, sizeof text, "%llu", (unsigned long long)seq);
    page_link(p, "seq", path, text);
}

void
url_text(struct out *o, struct jb_text t)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; t.s != NULL && i < t.n; i++) {
        const unsigned char c = (unsigned char)t.s[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '-' || c == '_' || c == '.' || c == '~') {
            out_char(o, (char)c);
        } else {
            out_char(o, '%');
            out_char(o, hex[c >> 4]);
            out_char(o, hex[c & 15]);
        }
    }
}

void
page_wallet_link(struct page *p, const char *id)
{
    out_str(p->o, "<a href=\"/o/wallets/");
    url_text(p->o, jb_text_of(id));
    out_str(p->o, "\">");
    html_given(p->o, id);
    out_str(p->o, "</a>");
}

void
page_person(struct page *p, uint64_t ref)
{
    char text[JB_PERSON_TEXT_BYTES + 1];
    size_t n = 0;
    jb_person_why why = JB_WHY_NONE;
    if (ref == 0) {
        out_str(p->o, "-");
        return;
    }
    if (!p->session.who.people || jb_person_get(p->ledger, ref, text, &n, &why, &p->err) != JB_OK ||
        n == 0) {
        snprintf(text, sizeof text, "#%llu", (unsigned long long)ref);
    } else {
        text[n] = '\0';
    }
    html_given(p->o, text);
}

/* ---- tables and lists ---- */

void
page_table(struct page *p, const char *class, const char *caption)
{
    /* A table that is wider than a telephone is moved within its own frame, by the keyboard, too.
     */
    out_str(p->o, "<div class=\"scroll\" tabindex=\"0\" role=\"group\"");
    html_word(p->o, "aria-label", caption);
    out_str(p->o, ">\n");
    html_open(p->o, "table", class);
    html_element(p->o, "caption", NULL, caption);
}

void
page_head(struct page *p, const char *const *columns)
{
    out_str(p->o, "<thead><tr>");
    p->table.n = 0;
    for (size_t i = 0; columns[i] != NULL; i++) {
        if (p->table.n < PAGE_COLUMNS) {
            p->table.columns[p->table.n++] = columns[i];
        }
        const bool figure = columns[i][0] == '>';
        out_str(p->o, figure ? "<th scope=\"col\" class=\"r\">" : "<th scope=\"col\">");
        html_str(p->o, tr(columns[i] + (figure ? 1 : 0)));
        out_str(p->o, "</th>");
    }
    out_str(p->o, "</tr></thead>\n<tbody>\n");
}

void
page_row(struct page *p)
{
    p->table.row = p->o->n;
    out_str(p->o, "<tr>");
}

/* Each cell of the row gets its column's name: on a telephone a row is a card, and has no head
 * above it. What is not ours is escaped, so a "<td" is a cell. */
static void
row_named(struct page *p)
{
    struct out *o = p->o;
    const size_t n = o->n - p->table.row, cell = sizeof "<td" - 1;
    char *row = o->no_memory ? NULL : malloc(n);
    size_t column = 0, from = 0;
    o->no_memory |= row == NULL;
    if (row == NULL) {
        return;
    }
    memcpy(row, o->at + p->table.row, n);
    o->n = p->table.row;
    for (size_t i = 0; i + cell < n && column < p->table.n; i++) {
        const bool head = memcmp(row + i, "<th", cell) == 0;
        if (!head && memcmp(row + i, "<td", cell) != 0) {
            continue;
        }
        const char *name = p->table.columns[column++];
        out_bytes(o, row + from, head ? 0 : i + cell - from);
        if (!head) {
            html_word(o, "data-h", tr(name + (name[0] == '>' ? 1 : 0)));
            from = i + cell;
        }
    }
    out_bytes(o, row + from, n - from);
    free(row);
}

void
page_row_end(struct page *p)
{
    if (p->table.n > 0) {
        row_named(p);
    }
    out_str(p->o, "</tr>\n");
}

void
page_cell(struct page *p, const char *text)
{
    out_str(p->o, "<td>");
    html_str(p->o, text);
    out_str(p->o, "</td>");
}

void
page_cell_money(struct page *p, jb_amount amount)
{
    out_str(p->o, "<td class=\"r\">");
    page_money(p, amount);
    out_str(p->o, "</td>");
}

void
page_cell_days(struct page *p, jb_day day)
{
    out_str(p->o, "<td class=\"n\">");
    page_day(p, day);
    out_str(p->o, "</td>");
}

void
page_cell_time(struct page *p, jb_instant at)
{
    out_str(p->o, "<td class=\"t\">");
    page_time(p, at);
    out_str(p->o, "</td>");
}

void
page_cell_head(struct page *p, const char *text)
{
    out_str(p->o, "<th scope=\"row\">");
    html_str(p->o, text);
    out_str(p->o, "</th>");
}

void
page_table_end(struct page *p)
{
    p->table.n = 0;
    out_str(p->o, "</tbody></table></div>\n");
}

void
page_fact_begin(struct page *p, const char *what)
{
    out_str(p->o, "<div>");
    html_element(p->o, "dt", NULL, what);
    out_str(p->o, "<dd>");
}

void
page_fact_end(struct page *p)
{
    out_str(p->o, "</dd></div>\n");
}

void
page_fact_money(struct page *p, const char *what, jb_amount amount)
{
    page_fact_begin(p, what);
    page_money_said(p, amount);
    page_fact_end(p);
}

void
page_fact_text(struct page *p, const char *what, const char *text)
{
    page_fact_begin(p, what);
    html_given(p->o, text);
    page_fact_end(p);
}

void
page_empty(struct page *p, const char *text)
{
    html_element(p->o, "p", "empty", text);
}

void
page_rows_end(struct page *p, uint64_t rows, uint64_t full, const char *next, const char *none)
{
    if (rows < full && next[0] != '\0') {
        out_str(p->o, "<p class=\"hint\" role=\"status\"");
        out_str(p->o, rows == 0 ? " data-go-on>" : ">");
        html_str(p->o, rows == 0 ? tr("None among those that were looked at. There are more: "
                                      "the next page goes on.")
                                 : tr("Not all were looked at yet: the next page goes on."));
        html_close(p->o, "p");
    } else if (rows == 0) {
        page_empty(p, none);
    }
}

void
page_next(struct page *p, const char *base, const char *next, bool first)
{
    if (next[0] == '\0' && first) {
        return;
    }
    out_str(p->o, "<p class=\"pages\">");
    if (!first) {
        page_link(p, "button second", base, tr("First page"));
    }
    if (next[0] != '\0') {
        out_str(p->o, "<a class=\"button second\" rel=\"next\" href=\"");
        html_str(p->o, base);
        out_str(p->o, strchr(base, '?') != NULL ? "&amp;cursor=" : "?cursor=");
        url_text(p->o, jb_text_of(next));
        out_str(p->o, "\">");
        html_str(p->o, tr("Next page"));
        out_str(p->o, "</a>");
    }
    out_str(p->o, "</p>\n");
}
