/* The receipts of a wallet's payments as a page for A4 paper: all of them. */
#include "receipts.h"

#include "html.h"
#include "lang.h"
#include "page_parts.h"
#include "rows_json.h"

struct page {
    struct app *app;
    struct jb_text wallet;
    jb_amount paid, back, refunded;
    bool any, broken;
};

static void
rows_begin(struct out *o)
{
    html_open(o, "table", NULL);
    html_open(o, "thead", NULL);
    html_open(o, "tr", NULL);
    html_element(o, "th", NULL, tr("paid on"));
    html_element(o, "th", NULL, tr("id"));
    html_element(o, "th", "r", tr("event"));
    html_element(o, "th", "r", tr("amount"));
    html_element(o, "th", "r", tr("cancelled"));
    html_element(o, "th", "r", tr("refunded"));
    html_close(o, "tr");
    html_close(o, "thead");
    html_open(o, "tbody", NULL);
}

static void
amounts(struct page *p, jb_amount paid, jb_amount back, jb_amount refunded)
{
    struct out *o = &p->app->out;
    char buf[48];
    html_element(o, "td", "r", app_amount(p->app, paid, buf));
    html_element(o, "td", "r", back != 0 ? app_amount(p->app, back, buf) : NULL);
    html_element(o, "td", "r", refunded != 0 ? app_amount(p->app, refunded, buf) : NULL);
    html_close(o, "tr");
}

static bool
each_receipt(void *data, const struct jb_receipt_row *r)
{
    struct page *p = data;
    struct out *o = &p->app->out;
    char day[JB_DAY_TEXT_BYTES], id[JB_ID_BYTES_MAX + 1], seq[24];
    snprintf(seq, sizeof seq, "%llu", (unsigned long long)r->event->seq);
    html_open(o, "tr", "b");
    html_element(o, "td", "n", jb_day_print(r->day, day));
    html_open(o, "td", NULL);
    html_given(o, app_event_id(p->app, r->event, id));
    html_close(o, "td");
    html_element(o, "td", "r", seq);
    amounts(p, r->amount, r->reversed, r->refunded);
    html_open(o, "tr", NULL);
    html_span(o, "td", "s", 6, 1, r->text);
    html_close(o, "tr");
    p->paid = page_plus(p->paid, r->amount);
    p->back = page_plus(p->back, r->reversed);
    p->refunded = page_plus(p->refunded, r->refunded);
    p->any = true;
    p->broken = o->n > 60000 && !app_flush(p->app);
    return !p->broken;
}

static jb_status
rows(struct page *p, struct jb_moment *ret)
{
    struct app *app = p->app;
    char next[JB_CURSOR_TEXT_BYTES] = "";
    const char *cursor = NULL;
    jb_status status;
    do {
        status = jb_receipts_get(app->views, p->wallet, query_as_of(app), cursor, JB_PAGE_ROWS_MAX,
                                 each_receipt, p, next, ret, &app->err);
        cursor = next;
    } while (status == JB_OK && next[0] != '\0' && !p->broken);
    return status;
}

static void
last_row(struct page *p)
{
    struct out *o = &p->app->out;
    html_open(o, "tr", p->any ? "b" : NULL);
    if (p->any) {
        html_span(o, "td", NULL, 3, 1, tr("in all"));
        amounts(p, p->paid, p->back, p->refunded);
    } else {
        html_span(o, "td", "s", 6, 1,
                  tr("no payment went through a gateway, so there is no receipt"));
        html_close(o, "tr");
    }
}

static jb_status
make(struct page *p)
{
    struct app *app = p->app;
    struct out *o = &app->out;
    struct wallet_name name;
    struct jb_moment moment;
    char at[JB_INSTANT_TEXT_BYTES];
    jb_status status = wallet_name_get(app->ledger, p->wallet, &name, &app->err);
    if (status != JB_OK) {
        return status;
    }
    html_page_begin(o, lang_now() == JB_LANG_KO ? "ko" : "en", tr("Payments and their receipts"));
    html_element(o, "h1", NULL, tr("Payments and their receipts"));
    html_open(o, "table", "facts");
    page_fact(o, tr("wallet"), p->wallet.s);
    page_fact(o, tr("name"), name.text[0] != '\0' ? name.text : "-");
    page_fact(o, tr("currency"), app->info.currency);
    html_close(o, "table");
    html_element(o, "p", "s", tr("A gateway's slip shows a payment; it is no tax invoice."));
    rows_begin(o);
    status = rows(p, &moment);
    if (status != JB_OK || p->broken) {
        return status;
    }
    last_row(p);
    html_close(o, "tbody");
    html_close(o, "table");
    html_open(o, "table", "facts");
    page_fact(o, tr("as of"), app_time_short(app, moment.at, at));
    html_close(o, "table");
    html_page_end(o);
    return JB_OK;
}

int
receipts_html(struct app *app, struct jb_text wallet)
{
    struct page p = {.app = app, .wallet = wallet};
    return page_code(app, make(&p), p.broken);
}
