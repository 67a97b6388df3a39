/* The operator's pages: the ledger as a whole, its wallets, what is due, and commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "clock.h"
#include "config.h"
#include "gateway.h"
#include "page_holder.h"
#include "papers_json.h"
#include "places.h"
#include "queries.h"

enum { ROWS = 50, REFUSALS = 1000, REFUSAL_PAGES = 20, REFUSALS_US = 20000 };

/* ---- the ledger ---- */

static void
figures(struct page *p, const struct jb_ledger_totals *t)
{
    html_open(p->o, "section", "total");
    html_element(p->o, "h2", NULL, tr("All wallets together"));
    html_open(p->o, "p", "figure");
    page_money_said(p, t->paid);
    html_close(p->o, "p");
    page_paragraph(p, "hint", tr("paid cash that is not used yet"));
    page_as_of(p, &t->as_of);
    html_open(p->o, "dl", "facts");
    page_fact_money(p, tr("Debt"), t->debt);
    page_fact_money(p, tr("Free cash in use"), t->free);
    page_fact_money(p, tr("Free cash before \"Use\""), t->free_dormant);
    page_fact_money(p, tr("Refunds on their way"), t->refund_in_transit);
    page_fact_money(p, tr("Charged in twelve months, less reversed"), t->charged_12m);
    html_close(p->o, "dl");
    html_close(p->o, "section");
}

static void
number_fact(struct page *p, const char *what, uint64_t n)
{
    char text[MONEY_BYTES];
    page_fact_text(p, what, money_text((jb_amount)n, 0, text));
}

/* When an audit found the ledger sound: the time of the file that is touched then. */
static void
last_audit(struct page *p)
{
    const char *path = p->x->gateway->config->audit_file;
    struct stat file;
    if (path[0] == '\0') {
        return;
    }
    page_fact_begin(p, tr("Last audit that verified the ledger"));
    if (stat(path, &file) == 0) {
        page_time(p, (jb_instant)file.st_mtime * JB_US_PER_SECOND);
    } else {
        html_str(p->o, tr("none yet"));
    }
    page_fact_end(p);
}

/* How the ledger is: days, stores, disk. */
static bool
health(struct page *p)
{
    struct jb_ledger_stat s = JB_SIZED(struct jb_ledger_stat);
    struct jb_views_stat v = JB_SIZED(struct jb_views_stat);
    struct jb_ledger_info info = JB_SIZED(struct jb_ledger_info);
    struct statvfs disk;
    jb_status status = jb_ledger_stat_get(p->ledger, &s, &p->err);
    status = status == JB_OK ? jb_views_stat_get(p->views, &v, &p->err) : status;
    status = status == JB_OK ? jb_info_get(p->ledger, &info, &p->err) : status;
    if (status != JB_OK) {
        page_failed(p, status);
        return false;
    }
    const jb_day today = jb_day_of((jb_instant)time(NULL) * JB_US_PER_SECOND, p->utc_offset_s);
    html_open(p->o, "section", NULL);
    html_element(p->o, "h2", NULL, tr("How the ledger is"));
    if (info.warning != NULL) {
        page_paragraph(p, "notice wrong", info.warning);
    }
    html_open(p->o, "dl", "facts");
    page_fact_begin(p, tr("Last closed day"));
    page_day(p, s.closed_through);
    page_fact_end(p);
    page_fact_begin(p, tr("First open day"));
    page_day(p, s.open_day);
    page_fact_end(p);
    number_fact(p, tr("Days that are over and open"),
                s.open_day != JB_NO_DAY && today > s.open_day ? (uint64_t)(today - s.open_day) : 0);
    number_fact(p, tr("Events"), s.events);
    number_fact(p, tr("Wallets"), s.wallets);
    number_fact(p, tr("Wallets deleted"), s.wallets_deleted);
    number_fact(p, tr("Events that state.mdb lacks"), s.events - s.stored_seq);
    number_fact(p, tr("Events that views.mdb lacks"), s.events - v.stored_seq);
    if (statvfs(info.dir, &disk) == 0) {
        number_fact(p, tr("MB free on the disk"),
                    (uint64_t)disk.f_bavail * disk.f_frsize / 1000000);
    }
    last_audit(p);
    html_close(p->o, "dl");
    html_close(p->o, "section");
    return true;
}

/* The control totals of the last closed day stand in its event; it is the newest of its type. */
struct closed {
    struct page *p;
    bool found;
};

enum { WIDE_TEXT = 80 };

/* Divides what stands there by ten; the remainder. */
static unsigned
tenth(uint8_t be[16])
{
    unsigned rest = 0;
    for (int i = 0; i < 16; i++) {
        const unsigned part = rest << 8 | be[i];
        be[i] = (uint8_t)(part / 10);
        rest = part % 10;
    }
    return rest;
}

static bool
is_zero(const uint8_t be[16])
{
    static const uint8_t zero[16];
    return memcmp(be, zero, sizeof zero) == 0;
}

/* A total of a ledger may be wider than an amount: as page_money would have it, of 128 bits. */
static void
wide_digits(const struct jb_int128 *v, uint32_t exponent, bool groups, char ret[WIDE_TEXT])
{
    uint8_t be[16];
    char back[WIDE_TEXT];
    size_t n = 0, digits = 0;
    const bool negative = (v->be[0] & 0x80) != 0;
    unsigned carry = negative ? 1 : 0;
    for (int i = 15; i >= 0; i--) {
        carry += negative ? (uint8_t)~v->be[i] : v->be[i];
        be[i] = (uint8_t)carry;
        carry >>= 8;
    }
    for (; !is_zero(be) || digits <= (groups ? exponent : 0); digits++) {
        const size_t whole = digits - exponent;
        if (groups && digits >= exponent && digits > 0 && (whole == 0 || whole % 3 == 0)) {
            back[n++] = whole == 0 ? '.' : ',';
        }
        back[n++] = (char)('0' + tenth(be));
    }
    if (negative) {
        back[n++] = '-';
    }
    for (size_t i = 0; i < n; i++) {
        ret[i] = back[n - 1 - i];
    }
    ret[n] = '\0';
}

static void
wide_cell(struct page *p, const struct jb_int128 *v)
{
    char text[WIDE_TEXT];
    wide_digits(v, p->exponent, false, text);
    out_str(p->o, "<td class=\"r\"><data");
    if (text[0] == '-') {
        html_word(p->o, "class", "neg");
    }
    html_word(p->o, "value", text);
    out_char(p->o, '>');
    wide_digits(v, p->exponent, true, text);
    html_str(p->o, text);
    out_str(p->o, "</data></td>");
}

static const char *
total_word(uint32_t total)
{
    static const char *const words[] = {
        [JB_TOTAL_charged] = SAID("Charged"),
        [JB_TOTAL_charge_reversed] = SAID("Charges reversed"),
        [JB_TOTAL_free_activated] = SAID("Free cash put into use"),
        [JB_TOTAL_consumed_paid] = SAID("Consumed, paid cash"),
        [JB_TOTAL_consumed_free] = SAID("Consumed, free cash"),
        [JB_TOTAL_returned] = SAID("Returned"),
        [JB_TOTAL_refunded] = SAID("Refunded"),
        [JB_TOTAL_refund_failed] = SAID("Refunds failed"),
        [JB_TOTAL_debt_repaid] = SAID("Debt repaid"),
        [JB_TOTAL_expired] = SAID("Free cash lapsed"),
        [JB_TOTAL_forfeited] = SAID("Free cash forfeited"),
        [JB_TOTAL_closing_paid] = SAID("Paid cash at its end"),
        [JB_TOTAL_closing_free] = SAID("Free cash in use at its end"),
        [JB_TOTAL_closing_dormant] = SAID("Free cash before \"Use\" at its end"),
        [JB_TOTAL_refund_in_transit] = SAID("Refunds on their way at its end"),
    };
    return total < sizeof words / sizeof words[0] && words[total] != NULL ? tr(words[total]) : NULL;
}

static bool
each_closed(void *data, const struct jb_event *e)
{
    struct closed *c = data;
    struct page *p = c->p;
    const struct jb_totals totals = e->day_closed.totals;
    char day[JB_DAY_TEXT_BYTES];
    c->found = true;
    html_open(p->o, "h3", NULL);
    page_sayf(p, tr("Day %s, event "), jb_day_print(e->day_closed.day, day));
    page_event_link(p, e->seq);
    html_close(p->o, "h3");
    page_table(p, "sum", tr("Totals of the last closed day, over all wallets"));
    page_head(p, (const char *const[]){SAID("total"), COLUMN(">amount"), NULL});
    for (uint32_t i = 0; i < totals.n; i++) {
        if (total_word(i) != NULL) {
            page_row(p);
            page_cell_head(p, total_word(i));
            wide_cell(p, &totals.at[i]);
            page_row_end(p);
        }
    }
    page_table_end(p);
    return false;
}

/* Its closing is published with its event: however much was written since, that is one event. */
static jb_status
closing_of(struct page *p, jb_day day, struct closed *c)
{
    static const uint32_t types[] = {JB_EV_DAY_CLOSED};
    const struct jb_as_of then = {.kind = JB_AS_OF_DAY, .day = day};
    struct jb_moment moment;
    const jb_status status = jb_moment_resolve(p->views, &then, &moment, &p->err);
    if (status != JB_OK) {
        return status;
    }
    const struct jb_events_query q = {
        .size = sizeof q, .types = types, .types_n = 1, .first = moment.seq, .last = moment.seq};
    return jb_events_get(p->views, &q, NULL, NULL, 1, each_closed, c, NULL, NULL, &p->err);
}

static bool
last_closed_day(struct page *p)
{
    struct jb_ledger_stat s = JB_SIZED(struct jb_ledger_stat);
    struct closed c = {.p = p};
    html_open(p->o, "section", NULL);
    html_element(p->o, "h2", NULL, tr("The last closed day"));
    jb_status status = jb_ledger_stat_get(p->ledger, &s, &p->err);
    if (status == JB_OK && s.closed_through != JB_NO_DAY) {
        status = closing_of(p, s.closed_through, &c);
    }
    if (status != JB_OK) {
        page_failed(p, status);
        return false;
    }
    if (!c.found) {
        page_empty(p, tr("No day is closed yet."));
    }
    html_close(p->o, "section");
    return true;
}

/* Totals of now cost a look at every wallet and at a year of events: of a large ledger only who
 * asks for them waits for them. */
static bool
totals_now(struct page *p)
{
    struct jb_ledger_totals t = JB_SIZED(struct jb_ledger_totals);
    struct jb_ledger_stat s = JB_SIZED(struct jb_ledger_stat);
    jb_status status = jb_ledger_stat_get(p->ledger, &s, &p->err);
    if (status == JB_OK && s.events > PAGE_CHEAP_EVENTS &&
        exchange_query(p->x, "totals").s == NULL) {
        html_open(p->o, "section", NULL);
        html_element(p->o, "h2", NULL, tr("All wallets together"));
        page_paragraph(p, NULL, tr("This ledger is large: its totals of now take a while."));
        page_link(p, "button second", "/o?totals=now", tr("Add them up"));
        html_close(p->o, "section");
        return true;
    }
    if (status != JB_OK) {
        page_failed(p, status);
        return false;
    }
    status = jb_ledger_totals_get(p->views, NULL, &t, &p->err);
    if (status == JB_E_BUSY) {
        page_failed(p, status);
        return false;
    }
    if (status == JB_OK) {
        figures(p, &t);
    } else { /* sums may be too large for what they are kept in, and all else is to be seen */
        html_open(p->o, "section", NULL);
        html_element(p->o, "h2", NULL, tr("All wallets together"));
        struct out told = {.first = true};
        places_log(p->x, p->err.text);
        out_told(&told, p->err.text, p->x->gateway->places);
        out_char(&told, '\0');
        page_alert(p, told.no_memory ? "" : told.at, jb_status_word(p->err.status));
        free(told.at);
        html_close(p->o, "section");
    }
    return true;
}

/* ---- what was refused today ---- */

struct refusals {
    uint32_t codes[JB_CODES_END];
    uint64_t rows;
};

static bool
count_refusal(void *data, const struct jb_event *e)
{
    struct refusals *r = data;
    const uint32_t code = e->command_refused.code;
    r->codes[code < JB_CODES_END ? code : 0]++;
    r->rows++;
    return true;
}

/* All of them, page by page, as far as so many pages, or so long, reach: *ret_all, whether that is
 * all. */
static jb_status
count_refusals(struct page *p, jb_instant since, struct refusals *r, bool *ret_all)
{
    static const uint32_t types[] = {JB_EV_COMMAND_REFUSED};
    const struct jb_events_query q = {
        .size = sizeof q, .order = JB_NEWEST_FIRST, .types = types, .types_n = 1, .since = &since};
    char cursor[JB_CURSOR_TEXT_BYTES] = "";
    const int64_t until = now_us() + REFUSALS_US;
    jb_status status = JB_OK;
    for (unsigned i = 0; i < REFUSAL_PAGES && status == JB_OK &&
                         (i == 0 || (cursor[0] != '\0' && now_us() < until));
         i++) {
        status = jb_events_get(p->views, &q, NULL, cursor, REFUSALS, count_refusal, r, cursor, NULL,
                               &p->err);
    }
    *ret_all = cursor[0] == '\0';
    return status;
}

static bool
refused_today(struct page *p)
{
    struct jb_moment now;
    struct refusals r = {.rows = 0};
    bool all = true;
    jb_status status = jb_moment_resolve(p->views, NULL, &now, &p->err);
    if (status == JB_OK) {
        const jb_day today = jb_day_of(now.at, p->utc_offset_s);
        status = count_refusals(p, jb_day_start(today, p->utc_offset_s), &r, &all);
    }
    if (status != JB_OK) {
        page_failed(p, status);
        return false;
    }
    html_open(p->o, "section", NULL);
    html_element(p->o, "h2", NULL, tr("Refused today"));
    if (!all) {
        page_paragraph(p, "hint", tr("At least these: today has more events than were looked at."));
    } else if (r.rows == 0) {
        page_empty(p, tr("Nothing was refused today, of what is remembered."));
    }
    html_open(p->o, "dl", "facts");
    for (uint32_t i = 0; i < JB_CODES_END; i++) {
        if (r.codes[i] > 0) {
            number_fact(p, jb_code_word(i) != NULL ? jb_code_word(i) : "?", r.codes[i]);
        }
    }
    html_close(p->o, "dl");
    html_close(p->o, "section");
    return true;
}

static bool
ledger_page(struct page *p)
{
    page_begin(p, 200, tr("Ledger"), TAB_LEDGER);
    page_done_notice(p);
    html_open(p->o, "div", "columns");
    html_open(p->o, "div", NULL);
    if (!totals_now(p) || !refused_today(p)) {
        return false;
    }
    html_close(p->o, "div");
    if (!health(p)) {
        return false;
    }
    html_close(p->o, "div");
    if (!last_closed_day(p)) {
        return false;
    }
    page_end(p);
    return true;
}

enum handled
operator_ledger(struct exchange *x)
{
    struct page p;
    const struct jb_text ticket = exchange_query(x, "ticket");
    if (ticket.s != NULL) {
        return page_redeem(x, ticket);
    }
    if (page_enter(&p, x, PAGE_FOR_OPERATOR)) {
        ledger_page(&p);
    }
    return page_leave(&p);
}

/* ---- wallets ---- */

struct wallets {
    struct page *p;
    uint64_t rows;
};

static bool
each_wallet(void *data, const struct jb_wallet_row *r)
{
    struct wallets *w = data;
    struct page *p = w->p;
    const struct jb_balance *b = &r->balance->balance;
    page_row(p);
    out_str(p->o, "<th scope=\"row\">");
    page_wallet_link(p, r->balance->wallet);
    html_open(p->o, "span", "detail");
    page_person(p, r->name);
    out_str(p->o, "</span></th><td>");
    html_str(p->o, page_kind_word(r->kind));
    out_str(p->o, "</td><td>");
    page_state(p, b->status);
    out_str(p->o, "</td>");
    page_cell_money(p, b->total);
    page_cell_money(p, b->paid);
    page_cell_money(p, b->free);
    page_cell_time(p, r->used_at);
    page_row_end(p);
    w->rows++;
    return !p->o->no_memory;
}

static void
option(struct page *p, const char *value, const char *label, struct jb_text chosen)
{
    const bool now =
        chosen.s != NULL && chosen.n == strlen(value) && memcmp(chosen.s, value, chosen.n) == 0;
    out_str(p->o, "<option");
    html_word(p->o, "value", value);
    out_str(p->o, now ? " selected>" : ">");
    html_str(p->o, label);
    out_str(p->o, "</option>");
}

static void
wallets_filter(struct page *p, struct jb_text state, struct jb_text name)
{
    out_str(p->o, "<form class=\"filter\" method=\"get\" action=\"/o/wallets\" role=\"search\">"
                  "<p class=\"field\"><label for=\"state\">");
    html_str(p->o, tr("State"));
    out_str(p->o, "</label><select id=\"state\" name=\"state\">");
    option(p, "", tr("All"), state);
    option(p, "ACTIVE", page_status_word(JB_WALLET_ACTIVE), state);
    option(p, "OFF", page_status_word(JB_WALLET_OFF), state);
    option(p, "SUSPENDED", page_status_word(JB_WALLET_SUSPENDED), state);
    option(p, "DELETED", page_status_word(JB_WALLET_DELETED), state);
    option(p, "debt", tr("in debt"), state);
    out_str(p->o, "</select></p>\n<p class=\"field\"><label for=\"name\">");
    html_str(p->o, tr("Part of the name"));
    out_str(p->o, "</label><input id=\"name\" name=\"name\" autocomplete=\"off\" value=\"");
    html_text(p->o, name);
    out_str(p->o, "\"></p><p class=\"do\"><button>");
    html_str(p->o, tr("Show"));
    out_str(p->o, "</button></p></form>\n");
}

static bool
wallets_page(struct page *p)
{
    static const jb_amount below = -1;
    struct jb_wallets_query q = JB_SIZED(struct jb_wallets_query);
    const struct jb_text state = exchange_query(p->x, "state"), name = exchange_query(p->x, "name");
    char cursor[JB_CURSOR_TEXT_BYTES], next[JB_CURSOR_TEXT_BYTES] = "";
    const char *from = page_cursor(p->x, cursor);
    struct wallets w = {.p = p};
    struct jb_moment moment;
    uint32_t status_no;
    if (state.n > 0 &&
        jb_name_number(jb_names_get(JB_LIST_WALLET_STATUS), state.s, state.n, &status_no)) {
        q.statuses = 1U << status_no;
    } else if (state.n == 4 && memcmp(state.s, "debt", 4) == 0) {
        q.paid_max = &below;
    }
    q.name = name.n > 0 && p->session.who.people ? name : (struct jb_text){NULL, 0};
    page_begin(p, 200, tr("Wallets"), TAB_WALLETS);
    wallets_filter(p, state, name);
    html_open(p->o, "section", NULL);
    page_table(p, "list wide", tr("Wallets in the order in which they were made"));
    page_head(p,
              (const char *const[]){SAID("wallet"), SAID("kind"), SAID("state"), COLUMN(">total"),
                                    COLUMN(">paid"), COLUMN(">free"), SAID("last used"), NULL});
    const jb_status status =
        jb_wallets_find(p->views, &q, NULL, from, ROWS, each_wallet, &w, next, &moment, &p->err);
    if (status != JB_OK) {
        page_failed(p, status);
        return false;
    }
    page_table_end(p);
    page_rows_end(p, w.rows, ROWS, next, tr("There is none."));
    struct out base = {0};
    out_str(&base, "/o/wallets?state=");
    url_text(&base, state);
    out_str(&base, "&name=");
    url_text(&base, name);
    out_char(&base, '\0');
    if (!base.no_memory) {
        page_next(p, base.at, next, from == NULL);
    }
    free(base.at);
    page_as_of(p, &moment);
    html_close(p->o, "section");
    page_end(p);
    return true;
}

enum handled
operator_wallets(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_OPERATOR)) {
        wallets_page(&p);
    }
    return page_leave(&p);
}

/* ---- one wallet ---- */

/* What an operator does with a wallet: each a form that is opened. */
static void
wallet_forms(struct page *p, struct jb_text wallet, uint32_t status)
{
    static const jb_op ops[] = {
        JB_OP_CHARGE,         JB_OP_FREE_GRANT,    JB_OP_CONSUME,        JB_OP_CONSUME_REVERSE,
        JB_OP_CHARGE_REVERSE, JB_OP_DEBT_REPAY,    JB_OP_REFUND_REQUEST, JB_OP_WALLET_SUSPEND,
        JB_OP_WALLET_LIFT,    JB_OP_WALLET_OFF,    JB_OP_WALLET_ON,      JB_OP_WALLET_SETTLEMENT,
        JB_OP_WALLET_RENAME,  JB_OP_INVOICE_ISSUE, JB_OP_WALLET_DELETE};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (page_may(p, ops[i]) && jb_wallet_allows(status, ops[i])) {
            page_command_form(p, ops[i], wallet);
        }
    }
}

/* The fields of a command that it needs, or those that it may have. An id that the command makes
 * may be left to the page. */
static void
command_fields(struct page *p, uint32_t op, struct jb_text wallet, bool needed)
{
    const struct jb_op_info *info = jb_op_get(op);
    const bool own_id = op == JB_OP_CHARGE || op == JB_OP_FREE_GRANT || op == JB_OP_CONSUME ||
                        op == JB_OP_REFUND_REQUEST;
    for (unsigned field = 0; field < JB_CF_N; field++) {
        const bool id = own_id && field >= JB_CF_CHARGE && field <= JB_CF_REFUND;
        const bool required = (info->required & JB_HAS(field)) != 0 && !id;
        const bool taken = ((info->required | info->optional) & JB_HAS(field)) != 0 &&
                           form_takes(field) && field != JB_CF_AT && field != JB_CF_FROM &&
                           (field != JB_CF_WALLET || wallet.s == NULL);
        if (taken && required == needed) {
            form_field(p, field, required, (struct jb_text){NULL, 0});
        }
    }
}

void
page_command_form(struct page *p, uint32_t op, struct jb_text wallet)
{
    html_open(p->o, "details", "form");
    html_element(p->o, "summary", NULL, page_op_word(op));
    form_begin(p, op);
    if (wallet.s != NULL) {
        form_hidden(p, "wallet", wallet);
    }
    command_fields(p, op, wallet, true);
    command_fields(p, op, wallet, false);
    form_end(p, tr("Try it"));
    html_close(p->o, "details");
}

static bool
wallet_sections(struct page *p, struct jb_text wallet, const char *base)
{
    char cursor[JB_CURSOR_TEXT_BYTES], next[JB_CURSOR_TEXT_BYTES] = "", address[400];
    const char *from = page_cursor(p->x, cursor), *word;
    const size_t kind = page_history_kind(p->x);
    const jb_history_kind which = page_history_kind_at(kind, &word);
    struct jb_moment moment;
    html_open(p->o, "section", NULL);
    html_element(p->o, "h2", NULL, tr("Free cash"));
    if (!page_grants(p, wallet, JB_WHICH_OPEN)) {
        return false;
    }
    html_close(p->o, "section");
    html_open(p->o, "section", NULL);
    html_element(p->o, "h2", NULL, tr("Refunds"));
    if (!page_refunds(p, wallet, JB_WHICH_OPEN)) {
        return false;
    }
    html_close(p->o, "section");
    html_open(p->o, "section", NULL);
    html_element(p->o, "h2", NULL, tr("History"));
    page_history_tabs(p, base, kind);
    if (!page_history(p, wallet, which, from, ROWS, next, &moment)) {
        return false;
    }
    snprintf(address, sizeof address, "%s?kind=%s", base, word);
    page_next(p, address, next, from == NULL);
    html_close(p->o, "section");
    html_open(p->o, "section", NULL);
    html_element(p->o, "h2", NULL, tr("Tax invoices"));
    if (!page_invoices(p, wallet)) {
        return false;
    }
    html_close(p->o, "section");
    html_open(p->o, "section", NULL);
    html_element(p->o, "h2", NULL, tr("Members"));
    if (!page_members(p, wallet)) {
        return false;
    }
    html_close(p->o, "section");
    html_open(p->o, "section", NULL);
    html_element(p->o, "h2", NULL, tr("Can it be deleted?"));
    if (!page_can_delete(p, wallet)) {
        return false;
    }
    html_close(p->o, "section");
    return true;
}

static bool
wallet_page(struct page *p)
{
    const struct jb_text wallet = p->x->params[0];
    struct jb_wallet_balance w;
    struct jb_who who = JB_SIZED(struct jb_who);
    char name[JB_PERSON_TEXT_BYTES + 1], title[JB_ID_BYTES_MAX + 1];
    if (!page_balance(p, wallet, &w)) {
        return false;
    }
    const jb_status status = jb_who_get(p->ledger, wallet, NULL, NULL, &who, &p->err);
    if (status != JB_OK) {
        page_failed(p, status);
        return false;
    }
    page_wallet_name(p, wallet, name);
    snprintf(title, sizeof title, "%s", w.wallet);
    page_begin(p, 200, name[0] != '\0' ? name : title, TAB_WALLETS);
    page_wallet_head(p, wallet, &w.balance, &who);
    page_done_notice(p);
    page_state_notices(p, &w.balance, &who);
    html_open(p->o, "div", "columns");
    page_total(p, &w);
    if (!page_explain(p, wallet)) {
        return false;
    }
    html_close(p->o, "div");
    if (w.balance.status != JB_WALLET_DELETED) {
        html_open(p->o, "section", "forms");
        html_element(p->o, "h2", NULL, tr("Commands"));
        wallet_forms(p, wallet, w.balance.status);
        html_close(p->o, "section");
    }
    struct out base = {0};
    out_str(&base, "/o/wallets/");
    url_text(&base, wallet);
    out_char(&base, '\0');
    const bool ok = !base.no_memory && wallet_sections(p, wallet, base.at);
    free(base.at);
    if (ok) {
        page_end(p);
    }
    return ok;
}

enum handled
operator_wallet(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_OPERATOR)) {
        wallet_page(&p);
    }
    return page_leave(&p);
}

/* ---- find ---- */

struct found {
    struct page *p;
    uint64_t rows;
};

static bool
each_found(void *data, const struct jb_find_row *r)
{
    struct found *f = data;
    struct page *p = f->p;
    char wallet[JB_ID_BYTES_MAX + 1] = "";
    snprintf(wallet, sizeof wallet, "%.*s", (int)r->wallet_id.n,
             r->wallet_id.s != NULL ? r->wallet_id.s : "");
    page_row(p);
    page_cell_time(p, r->event->occurred_at);
    out_str(p->o, "<th scope=\"row\">");
    html_str(p->o, page_event_word(r->event));
    page_event_detail(p, r->event);
    out_str(p->o, "</th><td>");
    for (uint32_t i = 0; i < r->what_n; i++) {
        out_str(p->o, i > 0 ? ", " : "");
        html_str(p->o, r->what[i]);
    }
    out_str(p->o, "</td><td>");
    if (wallet[0] != '\0') {
        page_wallet_link(p, wallet);
    }
    out_str(p->o, "</td>");
    page_cell_money(p, jb_event_amount(r->event));
    page_row_end(p);
    f->rows++;
    return !p->o->no_memory;
}

static bool
find_rows(struct page *p, struct jb_text ref)
{
    char cursor[JB_CURSOR_TEXT_BYTES], next[JB_CURSOR_TEXT_BYTES] = "";
    const char *from = page_cursor(p->x, cursor);
    struct found f = {.p = p};
    struct jb_moment moment;
    html_open(p->o, "section", NULL);
    page_table(p, "list wide", tr("Where it stands, newest first"));
    page_head(p, (const char *const[]){SAID("when"), SAID("what"), SAID("as"), SAID("wallet"),
                                       COLUMN(">amount"), NULL});
    const jb_status status =
        jb_find_get(p->views, ref, NULL, from, ROWS, each_found, &f, next, &moment, &p->err);
    if (status != JB_OK) {
        page_failed(p, status);
        return false;
    }
    page_table_end(p);
    page_rows_end(p, f.rows, f.rows, next,
                  tr("It stands nowhere. Whole texts are found: an id, a key, a transaction or "
                     "approval number; names are not."));
    struct out base = {0};
    out_str(&base, "/o/find?ref=");
    url_text(&base, ref);
    out_char(&base, '\0');
    if (!base.no_memory) {
        page_next(p, base.at, next, from == NULL);
    }
    free(base.at);
    html_close(p->o, "section");
    return true;
}

enum handled
operator_find(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_OPERATOR)) {
        const struct jb_text ref = exchange_query(x, "ref");
        page_begin(&p, 200, tr("Find"), TAB_FIND);
        out_str(p.o, "<form class=\"filter\" method=\"get\" action=\"/o/find\" role=\"search\">"
                     "<p class=\"field\"><label for=\"ref\">");
        html_str(p.o, tr("Id, key, transaction or approval number"));
        out_str(p.o,
                "</label><input id=\"ref\" name=\"ref\" required autocomplete=\"off\" value=\"");
        html_text(p.o, ref);
        out_str(p.o, "\"></p><p class=\"do\"><button>");
        html_str(p.o, tr("Find"));
        out_str(p.o, "</button></p></form>\n");
        if (ref.s == NULL || ref.n == 0 || find_rows(&p, ref)) {
            page_end(&p);
        }
    }
    return page_leave(&p);
}

/* ---- refunds in flight ---- */

static bool
in_flight_page(struct page *p)
{
    char cursor[JB_CURSOR_TEXT_BYTES], next[JB_CURSOR_TEXT_BYTES] = "";
    const char *from = page_cursor(p->x, cursor);
    page_begin(p, 200, tr("Refunds in flight"), TAB_IN_FLIGHT);
    page_done_notice(p);
    html_open(p->o, "section", NULL);
    if (!page_refunds_of_all(p, from, next)) {
        return false;
    }
    html_close(p->o, "section");
    page_next(p, "/o/refunds", next, from == NULL);
    page_end(p);
    return true;
}

enum handled
operator_refunds(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_OPERATOR)) {
        in_flight_page(&p);
    }
    return page_leave(&p);
}

/* ---- due ---- */

struct due {
    struct page *p;
    uint64_t rows;
};

static void
due_form(struct page *p, const struct jb_due_item *i)
{
    char text[24];
    form_begin(p, i->op);
    if (i->wallet[0] != '\0') {
        form_hidden(p, "wallet", jb_text_of(i->wallet));
    }
    if (i->grant[0] != '\0') {
        form_hidden(p, "grant", jb_text_of(i->grant));
    }
    if (i->month != 0) {
        snprintf(text, sizeof text, "%04u-%02u", i->month / 100, i->month % 100);
        form_hidden(p, "month", jb_text_of(text));
    }
    if (i->day != JB_NO_DAY) {
        form_hidden(p, "day", jb_text_of(jb_day_print(i->day, text)));
    }
    form_hidden(p, "key", jb_text_of(i->key));
    html_element(p->o, "button", NULL, tr("Try it"));
    out_str(p->o, "</form>");
}

static bool
each_due(void *data, const struct jb_due_item *i)
{
    struct due *d = data;
    struct page *p = d->p;
    char text[64] = "";
    page_row(p);
    page_cell_head(p, page_op_word(i->op));
    out_str(p->o, "<td>");
    if (i->wallet[0] != '\0') {
        page_wallet_link(p, i->wallet);
    }
    out_str(p->o, "</td><td>");
    if (i->grant[0] != '\0') {
        html_given(p->o, i->grant);
    } else if (i->month != 0) {
        snprintf(text, sizeof text, "%04u-%02u", i->month / 100, i->month % 100);
        html_str(p->o, text);
    } else if (i->day != JB_NO_DAY) {
        page_day(p, i->day);
    } else if (i->invoice != 0) {
        snprintf(text, sizeof text, "%llu", (unsigned long long)i->invoice);
        html_str(p->o, text);
    }
    out_str(p->o, "</td><td>");
    html_str(p->o, i->what == JB_DUE_COMMAND   ? tr("ready")
                   : i->what == JB_DUE_BLOCKED ? tr("blocked: ")
                                               : tr("to be done elsewhere"));
    html_str(p->o, i->what == JB_DUE_BLOCKED ? due_why(i) : "");
    html_str(p->o, i->late != 0 ? tr(" (overdue)") : "");
    out_str(p->o, "</td><td class=\"act\">");
    if (i->what == JB_DUE_COMMAND && page_may(p, i->op)) {
        due_form(p, i);
    }
    out_str(p->o, "</td>");
    page_row_end(p);
    d->rows++;
    return !p->o->no_memory;
}

static bool
due_page(struct page *p)
{
    char cursor[JB_CURSOR_TEXT_BYTES], next[JB_CURSOR_TEXT_BYTES] = "";
    const char *from = page_cursor(p->x, cursor);
    struct due d = {.p = p};
    struct jb_due_list list = JB_SIZED(struct jb_due_list);
    page_begin(p, 200, tr("Due"), TAB_DUE);
    page_done_notice(p);
    html_open(p->o, "section", NULL);
    page_table(p, "list wide", tr("What is to be done"));
    page_head(p, (const char *const[]){SAID("what"), SAID("wallet"), SAID("of what"), SAID("state"),
                                       COLUMN(">action"), NULL});
    const jb_status status = jb_due_get(p->views, JB_DUE_ALL, true, NULL, from, ROWS, each_due, &d,
                                        next, &list, &p->err);
    if (status != JB_OK && status != JB_E_NOTFOUND) { /* not found: no invoices are issued here */
        page_failed(p, status);
        return false;
    }
    page_table_end(p);
    page_rows_end(p, d.rows, d.rows, next, tr("Nothing is due."));
    page_next(p, "/o/due", next, from == NULL);
    html_close(p->o, "section");
    page_end(p);
    return true;
}

enum handled
operator_due(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_OPERATOR)) {
        due_page(&p);
    }
    return page_leave(&p);
}

/* ---- commands ---- */

/* Under which heading a command stands, by the first word of its op. */
static const struct {
    const char *heading, *words; /* each between blanks */
} groups[] = {{SAID("Wallet"), " wallet "},
              {SAID("Cash"), " charge debt free consume notice "},
              {SAID("Refunds"), " refund "},
              {SAID("Tax invoices and business information"), " invoice biz "},
              {SAID("People and channels"), " role member master channel manager sales forget "},
              {SAID("Ledger"), NULL}}; /* whatever is left */
enum { GROUPS = sizeof groups / sizeof groups[0] };

static size_t
group_of(const char *op)
{
    char word[40];
    size_t i = 0;
    snprintf(word, sizeof word, " %.*s ", (int)strcspn(op, "."), op);
    while (groups[i].words != NULL && strstr(groups[i].words, word) == NULL) {
        i++;
    }
    return i;
}

static void
group_forms(struct page *p, size_t group)
{
    bool begun = false;
    for (uint32_t op = 1; op < JB_OPS; op++) {
        const struct jb_op_info *info = jb_op_get(op);
        if (info == NULL || group_of(info->name) != group || !page_may(p, op)) {
            continue;
        }
        if (!begun) {
            html_open(p->o, "section", "forms");
            html_element(p->o, "h2", NULL, tr(groups[group].heading));
            begun = true;
        }
        page_command_form(p, op, (struct jb_text){NULL, 0});
    }
    if (begun) {
        html_close(p->o, "section");
    }
}

enum handled
operator_commands(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_OPERATOR)) {
        page_begin(&p, 200, tr("Commands"), TAB_COMMANDS);
        page_paragraph(&p, "hint", tr("Each is tried first, and shows what would change."));
        for (size_t i = 0; i < GROUPS; i++) {
            group_forms(&p, i);
        }
        page_end(&p);
    }
    return page_leave(&p);
}
