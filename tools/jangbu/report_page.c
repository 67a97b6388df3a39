/* A report as a page for A4 paper, with the chart of its month. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "invoice_page.h"
#include "lang.h"
#include "page_parts.h"
#include "query.h"
#include "rows_json.h"

struct page {
    struct app *app;
    const struct report_asked *asked;
    struct supplier_file supplier;
    struct wallet_name name;
    struct page_days days;
    struct jb_as_of moment; /* of the page: what is written meanwhile stands in none of its parts */
    bool documents;         /* the list of documents is being told; else the rows */
    bool broken;
};

static jb_status
get(struct page *p,
    bool (*each)(void *data, const struct jb_report *report, const struct jb_invoice *document,
                 const struct jb_invoice_row *row),
    struct jb_report *ret)
{
    return jb_report_get(p->app->views, query_text(p->asked->wallet), p->asked->month,
                         p->moment.kind != JB_AS_OF_NOW ? &p->moment : query_as_of(p->app), each, p,
                         ret, &p->app->err);
}

static void
facts(struct page *p, const struct jb_report *r)
{
    struct app *app = p->app;
    struct out *o = &app->out;
    char month[16], at[JB_INSTANT_TEXT_BYTES];
    snprintf(month, sizeof month, "%04u-%02u", r->month / 100, r->month % 100);
    html_open(o, "div", "two");
    html_open(o, "table", "facts");
    page_fact(o, tr("wallet"), r->wallet);
    page_fact(o, tr("name"), p->name.text[0] != '\0' ? p->name.text : "-");
    page_fact(o, tr("tax month"), month);
    page_fact(o, tr("as of"), app_time_short(app, r->as_of.at, at));
    page_fact(o, tr("currency"), app->info.currency);
    html_close(o, "table");
    html_open(o, "table", "facts");
    page_amount_fact(app, tr("consumption of the tax month"), r->net);
    page_amount_fact(app, tr("tax invoices"), r->invoiced);
    page_amount_fact(app, tr("of it supply value"), r->invoiced - r->vat);
    page_amount_fact(app, tr("of it VAT"), r->vat);
    html_close(o, "table");
    html_close(o, "div");
}

static void
table_begin(struct out *o, const char *title, const char *const *heads)
{
    html_element(o, "h2", NULL, title);
    html_open(o, "table", NULL);
    html_open(o, "thead", NULL);
    html_open(o, "tr", NULL);
    for (size_t i = 0; heads[i] != NULL; i++) {
        const bool right = heads[i][0] == '>';
        html_element(o, "th", right ? "r" : NULL, tr(heads[i] + right));
    }
    html_close(o, "tr");
    html_close(o, "thead");
    html_open(o, "tbody", NULL);
}

static void
table_end(struct out *o)
{
    html_close(o, "tbody");
    html_close(o, "table");
}

static void
amount_box(struct page *p, jb_amount amount)
{
    char buf[48];
    html_element(&p->app->out, "td", "r", app_amount(p->app, amount, buf));
}

static void
sums(struct page *p, const struct jb_report *r)
{
    static const char *const heads[] = {SAID("what"), ">" SAID("amount"), NULL};
    struct out *o = &p->app->out;
    struct report_line lines[REPORT_LINES];
    const size_t n = report_lines(r, lines);
    table_begin(o, tr("sums"), heads);
    for (size_t i = 0; i < n; i++) {
        html_open(o, "tr", lines[i].total ? "b" : NULL);
        html_element(o, "td", NULL, lines[i].label);
        amount_box(p, lines[i].amount);
        html_close(o, "tr");
    }
    table_end(o);
}

/* ---- rows ---- */

static const char *
kind_said(uint32_t kind)
{
    switch (kind) {
    case JB_INVOICE_ORIGINAL:
        return tr("original document");
    case JB_INVOICE_DELTA:
        return tr("delta");
    case JB_INVOICE_NEGATIVE:
        return tr("taken back");
    default:
        return tr("corrected");
    }
}

/* The page is for customers: words where the tables of the program have codes. */
static const char *
document_said(const struct jb_invoice *document, char buf[64])
{
    if (document == NULL) {
        return "-";
    }
    snprintf(buf, 64, "%llu %s", (unsigned long long)document->invoice, kind_said(document->kind));
    return buf;
}

static void
document_row(struct page *p, const struct jb_invoice *i)
{
    struct out *o = &p->app->out;
    char buf[64], day[JB_DAY_TEXT_BYTES];
    html_open(o, "tr", NULL);
    html_element(o, "td", NULL, document_said(i, buf));
    html_element(o, "td", "n", jb_day_print(i->written_on, day));
    html_element(o, "td", NULL, invoice_state_said(i->state));
    amount_box(p, i->total - i->vat);
    amount_box(p, i->vat);
    amount_box(p, i->total);
    html_close(o, "tr");
}

static void
usage_row(struct page *p, const struct jb_invoice *document, const struct jb_invoice_row *row)
{
    struct out *o = &p->app->out;
    char buf[64], day[JB_DAY_TEXT_BYTES], usage[JB_ID_BYTES_MAX + 1], seq[24];
    snprintf(seq, sizeof seq, "%llu", (unsigned long long)row->seq);
    snprintf(usage, sizeof usage, "%.*s", (int)row->usage.n,
             row->usage.s != NULL ? row->usage.s : "");
    html_open(o, "tr", NULL);
    html_element(o, "td", NULL, document_said(document, buf));
    html_element(o, "td", "n", jb_day_print(row->posted_on, day));
    html_open(o, "td", NULL);
    html_given(o, usage);
    html_close(o, "td");
    html_element(o, "td", "r", seq);
    amount_box(p, row->amount);
    html_close(o, "tr");
}

static bool
each_row(void *data, const struct jb_report *report, const struct jb_invoice *document,
         const struct jb_invoice_row *row)
{
    struct page *p = data;
    (void)report;
    if (p->documents && row == NULL) {
        document_row(p, document);
    } else if (!p->documents && row != NULL) {
        usage_row(p, document, row);
    }
    p->broken = p->app->out.n > 60000 && !app_flush(p->app);
    return !p->broken;
}

static jb_status
documents(struct page *p, struct jb_report *r)
{
    static const char *const heads[] = {
        SAID("invoice"), SAID("written on"),       SAID("state"), ">" SAID("supply value"),
        ">" SAID("tax"), ">" SAID("total amount"), NULL};
    if (r->documents == 0) {
        return JB_OK;
    }
    p->documents = true;
    table_begin(&p->app->out, tr("tax invoices"), heads);
    jb_status status = get(p, each_row, r);
    table_end(&p->app->out);
    return status;
}

static jb_status
rows(struct page *p, struct jb_report *r)
{
    static const char *const heads[] = {SAID("invoice"),   SAID("posted on"),  SAID("usage"),
                                        ">" SAID("event"), ">" SAID("amount"), NULL};
    p->documents = false;
    table_begin(&p->app->out, tr("every consumption and return, by tax invoice"), heads);
    jb_status status = get(p, each_row, r);
    table_end(&p->app->out);
    return status;
}

/* ---- the page ---- */

/* Of the days of the month that are closed; a wallet that is newer than those has none. */
static jb_status
chart(struct page *p, const struct jb_report *r)
{
    struct app *app = p->app;
    struct jb_statement s = JB_SIZED(struct jb_statement);
    if (r->through == JB_NO_DAY) {
        return JB_OK;
    }
    jb_status status = jb_statement_get(app->views, query_text(p->asked->wallet), r->from,
                                        r->through, &p->moment, NULL, NULL, &s, &app->err);
    if (status == JB_E_NOTFOUND) {
        return JB_OK;
    }
    status = status == JB_OK
                 ? page_days_read(app, p->asked->wallet, &p->moment, r->from, r->through, &p->days)
                 : status;
    if (status == JB_OK) {
        page_chart(app, r->from, r->through, s.opening_total, &p->days);
    }
    return status;
}

static jb_status
make(struct page *p)
{
    struct app *app = p->app;
    struct jb_report r = JB_SIZED(struct jb_report);
    jb_status status = get(p, NULL, &r);
    status = status == JB_OK
                 ? wallet_name_get(app->ledger, query_text(p->asked->wallet), &p->name, &app->err)
                 : status;
    if (status != JB_OK) {
        return status;
    }
    p->moment = (struct jb_as_of){.kind = JB_AS_OF_SEQ, .seq = r.as_of.seq};
    html_page_begin(&app->out, lang_now() == JB_LANG_KO ? "ko" : "en", tr("Consumption report"));
    html_element(&app->out, "h1", NULL, tr("Consumption report"));
    facts(p, &r);
    page_supplier(&app->out, &p->supplier);
    status = chart(p, &r);
    sums(p, &r);
    status = status == JB_OK ? documents(p, &r) : status;
    status = status == JB_OK && !p->broken ? rows(p, &r) : status;
    html_page_end(&app->out);
    return status;
}

int
report_page(struct app *app, const struct report_asked *a, const char *supplier)
{
    struct page p = {.app = app, .asked = a};
    int code = EXIT_DONE;
    if (supplier_read(app, supplier, &p.supplier, &code)) {
        code = page_code(app, make(&p), p.broken);
    }
    supplier_free(&p.supplier);
    free(p.days.at);
    return code;
}
