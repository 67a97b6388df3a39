/* Free cash and refunds: what there is, how it stands, and what can be done with it. */
#include <stdio.h>
#include <string.h>

#include "page_holder.h"

enum { ROWS = 200 };

/* ---- free cash ---- */

struct grants {
    struct page *p;
    struct jb_text wallet;
    jb_day today;
    uint64_t rows;
    bool waiting; /* only those that wait */
};

static jb_day
today_of(const struct page *p, jb_instant at)
{
    return jb_day_of(at, p->utc_offset_s);
}

static void
use_form(struct page *p, struct jb_text wallet, const struct jb_event *e)
{
    form_begin(p, JB_OP_FREE_ACTIVATE);
    form_hidden(p, "wallet", wallet);
    form_hidden(p, "grant", e->free_granted.grant);
    out_str(p->o, "<button");
    out_str(p->o, " aria-describedby=\"grant-");
    out_uint(p->o, e->free_granted.grant_no);
    out_str(p->o, "\">");
    html_str(p->o, p->session.operates ? tr("Put into use") : tr("Use"));
    out_str(p->o, "</button></form>");
}

static void
revoke_form(struct page *p, struct jb_text wallet, const struct jb_event *e)
{
    form_begin(p, JB_OP_FREE_REVOKE);
    form_hidden(p, "wallet", wallet);
    form_hidden(p, "grant", e->free_granted.grant);
    html_element(p->o, "button", "second", tr("Take free cash back"));
    out_str(p->o, "</form>");
}

/* How long it is still good for, in words. */
static void
days_left(struct page *p, const struct jb_grant_row *r, jb_day today)
{
    const bool open = r->left > 0 && (r->state == JB_GRANT_DORMANT || r->state == JB_GRANT_IN_USE);
    page_day(p, r->expires_on);
    if (open && r->expires_on >= today) {
        html_open(p->o, "span", "detail");
        if (r->expires_on == today) {
            html_str(p->o, tr("today is the last day"));
        } else {
            const int days = (int)(r->expires_on - today);
            page_sayf(p, days == 1 ? tr("%d day left") : tr("%d days left"), days);
        }
        out_str(p->o, "</span>");
    }
}

static void
grant_reason(struct page *p, const struct jb_grant_row *r, jb_day until)
{
    const struct jb_event *e = r->event;
    out_str(p->o, "<th scope=\"row\" id=\"grant-");
    out_uint(p->o, e->free_granted.grant_no);
    out_str(p->o, "\">");
    if (e->free_granted.reason != 0) {
        page_person(p, e->free_granted.reason);
    } else {
        html_str(p->o, page_origin_word(e->free_granted.origin));
    }
    html_open(p->o, "span", "detail");
    html_str(p->o, page_origin_word(e->free_granted.origin));
    out_str(p->o, " · ");
    html_text(p->o, e->free_granted.grant);
    out_str(p->o, "</span>");
    if (until != JB_NO_DAY) {
        html_open(p->o, "span", "until");
        html_str(p->o, tr("last day"));
        out_char(p->o, ' ');
        days_left(p, r, until);
        out_str(p->o, "</span>");
    }
    out_str(p->o, "</th>");
}

static bool
each_grant(void *data, const struct jb_grant_row *r)
{
    struct grants *g = data;
    struct page *p = g->p;
    const bool dormant = r->state == JB_GRANT_DORMANT && !r->due;
    if (g->waiting && !dormant) {
        return true;
    }
    page_row(p);
    grant_reason(p, r, g->waiting ? g->today : JB_NO_DAY);
    if (!g->waiting) {
        out_str(p->o, "<td class=\"n\">");
        days_left(p, r, g->today);
        out_str(p->o, "</td>");
    }
    page_cell_money(p, r->left);
    if (!g->waiting) {
        page_cell(p, r->due ? tr("lapsed") : page_grant_word(r->state));
    }
    out_str(p->o, "<td class=\"act\">");
    if (dormant && page_may(p, JB_OP_FREE_ACTIVATE)) {
        use_form(p, g->wallet, r->event);
    }
    if (dormant && page_may(p, JB_OP_FREE_REVOKE)) {
        revoke_form(p, g->wallet, r->event);
    }
    out_str(p->o, "</td>");
    page_row_end(p);
    g->rows++;
    return !p->o->no_memory;
}

static bool
grants_table(struct page *p, struct jb_text wallet, jb_which which, bool waiting,
             uint64_t *ret_rows)
{
    struct jb_moment moment;
    char next[JB_CURSOR_TEXT_BYTES] = "";
    struct grants g = {.p = p, .wallet = wallet, .waiting = waiting};
    const size_t before = p->o->n;
    const struct jb_as_of *now = page_now(p);
    const bool known = jb_moment_resolve(p->views, now, &moment, &p->err) == JB_OK;
    g.today = known ? today_of(p, moment.at) : JB_NO_DAY;
    if (waiting) {
        page_table(p, "list", tr("Free cash that waits for \"Use\""));
        page_head(p,
                  (const char *const[]){SAID("reason"), COLUMN(">left"), COLUMN(">action"), NULL});
    } else {
        page_table(p, "list wide", tr("Free cash"));
        page_head(p, (const char *const[]){SAID("reason"), SAID("last day"), COLUMN(">left"),
                                           SAID("state"), COLUMN(">action"), NULL});
    }
    const jb_status status = jb_grants_get(p->views, wallet, which, now, NULL, ROWS, each_grant, &g,
                                           next, &moment, &p->err);
    if (status != JB_OK) {
        page_failed(p, status);
        return false;
    }
    page_table_end(p);
    if (g.rows == 0) {
        p->o->n = before; /* a table without rows says nothing */
    } else if (next[0] != '\0') {
        page_paragraph(p, "hint", tr("There is more than is shown here."));
    }
    *ret_rows = g.rows;
    return true;
}

bool
page_grants_waiting(struct page *p, struct jb_text wallet)
{
    uint64_t rows;
    const size_t before = p->o->n;
    html_open(p->o, "section", "waiting");
    html_element(p->o, "h2", NULL, tr("Free cash before \"Use\""));
    page_paragraph(p, "hint",
                   tr("It is not in the total and is not spent until you press \"Use\"; after that "
                      "it is spent before paid cash."));
    if (!grants_table(p, wallet, JB_WHICH_OPEN, true, &rows)) {
        return false;
    }
    html_close(p->o, "section");
    p->o->n = rows == 0 ? before : p->o->n;
    return true;
}

bool
page_grants(struct page *p, struct jb_text wallet, jb_which which)
{
    uint64_t rows;
    if (!grants_table(p, wallet, which, false, &rows)) {
        return false;
    }
    if (rows == 0) {
        page_empty(p, tr("There is no free cash."));
    }
    return true;
}

static bool
free_page(struct page *p)
{
    const struct jb_text wallet = page_own_wallet(p);
    page_begin(p, 200, tr("Free cash"), TAB_FREE);
    page_done_notice(p);
    if (!page_grants_waiting(p, wallet)) {
        return false;
    }
    html_open(p->o, "section", NULL);
    html_element(p->o, "h2", NULL, tr("All free cash"));
    if (!page_grants(p, wallet, JB_WHICH_ALL)) {
        return false;
    }
    page_paragraph(p, "hint",
                   tr("The last day is included. What is left then lapses by itself, in use or "
                      "not. Putting it into use cannot be undone, and its last day stays."));
    html_close(p->o, "section");
    page_end(p);
    return true;
}

enum handled
holder_free(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_HOLDER)) {
        free_page(&p);
    }
    return page_leave(&p);
}

/* ---- refunds ---- */

struct refunds {
    struct page *p;
    struct jb_text wallet; /* s NULL: of all wallets, and each row says whose it is */
    uint64_t rows;
};

static void
refund_form(struct page *p, uint32_t op, struct jb_text wallet, struct jb_text refund)
{
    if (!page_may(p, op)) {
        return;
    }
    form_begin(p, op);
    form_hidden(p, "wallet", wallet);
    form_hidden(p, "refund", refund);
    html_element(p->o, "button",
                 op == JB_OP_REFUND_APPROVE || op == JB_OP_REFUND_COMPLETE ? NULL : "second",
                 page_op_word(op));
    out_str(p->o, "</form>");
}

void
page_refund_forms(struct page *p, struct jb_text wallet, struct jb_text refund,
                  jb_refund_state state)
{
    if (state == JB_REFUND_REQUESTED) {
        refund_form(p, JB_OP_REFUND_APPROVE, wallet, refund);
        refund_form(p, JB_OP_REFUND_REJECT, wallet, refund);
        refund_form(p, JB_OP_REFUND_CANCEL, wallet, refund);
    }
    if (state == JB_REFUND_APPROVED) {
        refund_form(p, JB_OP_REFUND_COMPLETE, wallet, refund);
        refund_form(p, JB_OP_REFUND_FAIL, wallet, refund);
    }
}

/* The way of a refund, and where it is: by words, and for assistive technology by aria-current. */
static void
steps(struct page *p, jb_refund_state state)
{
    static const jb_refund_state way[] = {JB_REFUND_REQUESTED, JB_REFUND_APPROVED,
                                          JB_REFUND_COMPLETED};
    if (state != JB_REFUND_REQUESTED && state != JB_REFUND_APPROVED &&
        state != JB_REFUND_COMPLETED) {
        html_element(p->o, "span", "ended", page_refund_word(state));
        return;
    }
    html_open(p->o, "ol", "steps");
    for (size_t i = 0; i < sizeof way / sizeof way[0]; i++) {
        out_str(p->o, way[i] == state  ? "<li class=\"done\" aria-current=\"step\">"
                      : way[i] < state ? "<li class=\"done\">"
                                       : "<li>");
        html_str(p->o, page_refund_word(way[i]));
        out_str(p->o, "</li>");
    }
    html_close(p->o, "ol");
}

/* The id of the wallet of a row. */
static struct jb_text
wallet_of_row(const struct refunds *f, const struct jb_event *e, char id[JB_ID_BYTES_MAX + 1])
{
    size_t n = 0;
    if (f->wallet.s != NULL) {
        return f->wallet;
    }
    if (jb_wallet_id(f->p->ledger, e->wallet, id, &n, &f->p->err) != JB_OK) {
        n = 0;
    }
    id[n] = '\0';
    return (struct jb_text){id, n};
}

static bool
each_refund(void *data, const struct jb_refund_row *r)
{
    struct refunds *f = data;
    struct page *p = f->p;
    char id[JB_ID_BYTES_MAX + 1];
    const struct jb_text wallet = wallet_of_row(f, r->event, id);
    page_row(p);
    page_cell_time(p, r->event->occurred_at);
    if (f->wallet.s == NULL) {
        out_str(p->o, "<td>");
        page_wallet_link(p, id);
        out_str(p->o, "</td>");
    }
    out_str(p->o, "<th scope=\"row\">");
    html_text(p->o, r->event->refund_requested.refund);
    html_open(p->o, "span", "detail");
    html_str(p->o,
             r->event->refund_requested.scope == JB_SCOPE_FULL ? tr("all of it") : tr("a part"));
    out_str(p->o, " · ");
    html_str(p->o, tr("event"));
    out_char(p->o, ' ');
    page_event_link(p, r->event->seq);
    out_str(p->o, "</span></th>");
    page_cell_money(p, r->amount);
    out_str(p->o, "<td>");
    steps(p, r->state);
    out_str(p->o, "</td><td class=\"act\">");
    page_refund_forms(p, wallet, r->event->refund_requested.refund, r->state);
    out_str(p->o, "</td>");
    page_row_end(p);
    f->rows++;
    return !p->o->no_memory;
}

static bool
refunds_listed(struct page *p, struct jb_text wallet, jb_which which, const char *from, char *next,
               uint64_t *ret_rows)
{
    struct refunds f = {.p = p, .wallet = wallet};
    page_table(p, "list wide", tr("Refunds and how far they are"));
    if (wallet.s != NULL) {
        page_head(p,
                  (const char *const[]){SAID("requested on"), SAID("refund number"),
                                        COLUMN(">amount"), SAID("step"), COLUMN(">action"), NULL});
    } else {
        page_head(p,
                  (const char *const[]){SAID("requested on"), SAID("wallet"), SAID("refund number"),
                                        COLUMN(">amount"), SAID("step"), COLUMN(">action"), NULL});
    }
    const jb_status status = jb_refunds_get(p->views, wallet, which, page_now(p), from, ROWS,
                                            each_refund, &f, next, NULL, &p->err);
    if (status != JB_OK) {
        page_failed(p, status);
        return false;
    }
    page_table_end(p);
    *ret_rows = f.rows;
    return true;
}

bool
page_refunds(struct page *p, struct jb_text wallet, jb_which which)
{
    char next[JB_CURSOR_TEXT_BYTES] = "";
    const size_t before = p->o->n;
    uint64_t rows;
    if (!refunds_listed(p, wallet, which, NULL, next, &rows)) {
        return false;
    }
    if (rows == 0) {
        p->o->n = before;
        page_empty(p, tr("No refund was requested."));
    } else if (next[0] != '\0') {
        page_paragraph(p, "hint", tr("There is more than is shown here."));
    }
    return true;
}

bool
page_refunds_of_all(struct page *p, const char *from, char *next)
{
    const struct jb_text all = {NULL, 0};
    const size_t before = p->o->n;
    uint64_t rows;
    if (!refunds_listed(p, all, JB_WHICH_OPEN, from, next, &rows)) {
        return false;
    }
    p->o->n = rows == 0 ? before : p->o->n;
    page_rows_end(p, rows, ROWS, next, tr("No refund is in flight."));
    return true;
}

static void
request_form(struct page *p, const struct jb_balance *b)
{
    if (!page_may(p, JB_OP_REFUND_REQUEST) || !jb_wallet_allows(b->status, JB_OP_REFUND_REQUEST)) {
        return;
    }
    html_open(p->o, "section", "narrow");
    html_element(p->o, "h2", NULL, tr("Request a refund"));
    html_open(p->o, "p", NULL);
    html_str(p->o, tr("Refundable now: "));
    html_open(p->o, "strong", NULL);
    page_money_said(p, b->refundable);
    html_close(p->o, "strong");
    html_close(p->o, "p");
    if (b->refundable > 0) {
        form_begin(p, JB_OP_REFUND_REQUEST);
        form_hidden(p, "wallet", page_own_wallet(p));
        form_field(p, JB_CF_AMOUNT, false, (struct jb_text){NULL, 0});
        page_paragraph(p, "hint", tr("Without an amount: all that is refundable."));
        form_end(p, tr("Request a refund"));
    }
    page_paragraph(p, "hint",
                   tr("Only paid cash is refunded. What is asked for can still be used until the "
                      "refund is approved; if it is gone by then, the refund fails."));
    html_close(p->o, "section");
}

static bool
refunds_page(struct page *p)
{
    struct jb_wallet_balance w;
    if (!page_balance(p, page_own_wallet(p), &w)) {
        return false;
    }
    page_begin(p, 200, tr("Refunds"), TAB_REFUNDS);
    page_done_notice(p);
    request_form(p, &w.balance);
    html_open(p->o, "section", NULL);
    html_element(p->o, "h2", NULL, tr("Refunds requested"));
    if (!page_refunds(p, page_own_wallet(p), JB_WHICH_ALL)) {
        return false;
    }
    html_close(p->o, "section");
    page_end(p);
    return true;
}

enum handled
holder_refunds(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_HOLDER)) {
        refunds_page(&p);
    }
    return page_leave(&p);
}
