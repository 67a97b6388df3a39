/* A statement as a page for A4 paper, with a chart. */
#include "statement.h"

#include <stdlib.h>
#include <string.h>

#include "html.h"
#include "lang.h"
#include "page_parts.h"
#include "query.h"
#include "rows_json.h"

struct page {
    struct app *app;
    const struct statement_asked *asked;
    struct page_days days;
    struct supplier_file supplier;
    char name[2049]; /* of the wallet; "" where it cannot be told */
    bool broken;
};

/* ---- the head ---- */

static void
facts(struct page *p, const struct jb_statement *s)
{
    struct app *app = p->app;
    struct out *o = &app->out;
    char from[JB_DAY_TEXT_BYTES], to[JB_DAY_TEXT_BYTES], period[64], at[JB_INSTANT_TEXT_BYTES];
    snprintf(period, sizeof period, "%s – %s", jb_day_print(s->from, from),
             jb_day_print(s->to, to));
    html_open(o, "div", "two");
    html_open(o, "table", "facts");
    page_fact(o, tr("wallet"), s->wallet);
    page_fact(o, tr("name"), p->name[0] != '\0' ? p->name : "-");
    page_fact(o, tr("period"), period);
    page_fact(o, tr("as of"), app_time_short(app, s->as_of.at, at));
    page_fact(o, tr("currency"), app->info.currency);
    html_close(o, "table");
    html_open(o, "table", "facts");
    page_amount_fact(app, tr("opening balance"), s->opening_total);
    page_amount_fact(app, tr("closing less opening"), s->closing_total - s->opening_total);
    page_amount_fact(app, tr("closing balance"), s->closing_total);
    page_amount_fact(app, tr("of it paid cash"), s->closing_paid);
    page_amount_fact(app, tr("of it free cash in use"), s->closing_free);
    html_close(o, "table");
    html_close(o, "div");
}

static void
sums(struct page *p, const struct jb_statement *s)
{
    struct out *o = &p->app->out;
    struct statement_sum all[STATEMENT_SUMS];
    char buf[48];
    statement_sums(s, all);
    html_element(o, "h2", NULL, tr("sums by kind"));
    html_open(o, "table", NULL);
    html_open(o, "thead", NULL);
    html_open(o, "tr", NULL);
    html_element(o, "th", NULL, tr("what"));
    html_element(o, "th", "r", tr("in"));
    html_element(o, "th", "r", tr("out"));
    html_close(o, "tr");
    html_close(o, "thead");
    html_open(o, "tbody", NULL);
    jb_amount in = 0, out = 0;
    for (size_t i = 0; i < STATEMENT_SUMS; i++) {
        const char *amount = app_amount(p->app, all[i].amount, buf);
        in = all[i].in ? page_plus(in, all[i].amount) : in;
        out = all[i].in ? out : page_plus(out, all[i].amount);
        if (all[i].amount == 0) {
            continue;
        }
        html_open(o, "tr", NULL);
        html_element(o, "td", NULL, all[i].label);
        html_element(o, "td", "r", all[i].in ? amount : NULL);
        html_element(o, "td", "r", all[i].in ? NULL : amount);
        html_close(o, "tr");
    }
    html_open(o, "tr", "b");
    html_element(o, "td", NULL, tr("in all"));
    html_element(o, "td", "r", app_amount(p->app, in, buf));
    html_element(o, "td", "r", app_amount(p->app, out, buf));
    html_close(o, "tr");
    html_close(o, "tbody");
    html_close(o, "table");
}

/* ---- rows ---- */

static void
rows_begin(struct page *p)
{
    struct out *o = &p->app->out;
    html_element(o, "h2", NULL, tr("every movement"));
    html_open(o, "table", NULL);
    html_open(o, "thead", NULL);
    html_open(o, "tr", NULL);
    html_element(o, "th", NULL, tr("posted on"));
    html_element(o, "th", NULL, tr("what"));
    html_element(o, "th", NULL, tr("id"));
    html_element(o, "th", "r", tr("event"));
    html_element(o, "th", "r", tr("in"));
    html_element(o, "th", "r", tr("out"));
    html_element(o, "th", "r", tr("balance"));
    html_close(o, "tr");
    html_close(o, "thead");
    html_open(o, "tbody", NULL);
}

static void
balance_row(struct page *p, jb_day day, const char *what, jb_amount balance)
{
    struct out *o = &p->app->out;
    char text[JB_DAY_TEXT_BYTES], amount[48];
    html_open(o, "tr", "b");
    html_element(o, "td", "n", jb_day_print(day, text));
    html_span(o, "td", NULL, 5, 1, what);
    html_element(o, "td", "r", app_amount(p->app, balance, amount));
    html_close(o, "tr");
}

/* What happened on another day than it is posted to, and when. */
static void
late(struct page *p, const struct jb_event *e)
{
    char text[JB_DAY_TEXT_BYTES];
    struct out *o = &p->app->out;
    const jb_day day = jb_day_of(e->occurred_at, p->app->info.utc_offset_s);
    out_char(o, ' ');
    html_open(o, "span", "s");
    html_str(o, tr("late, of "));
    html_str(o, jb_day_print(day, text));
    html_close(o, "span");
}

static bool
each_row(void *data, const struct jb_statement *s, const struct jb_statement_row *r)
{
    struct page *p = data;
    struct out *o = &p->app->out;
    char text[JB_DAY_TEXT_BYTES], id[JB_ID_BYTES_MAX + 1], amount[48], seq[24];
    const jb_amount size = r->effect < 0 ? -r->effect : r->effect;
    (void)s;
    snprintf(seq, sizeof seq, "%llu", (unsigned long long)r->event->seq);
    app_amount(p->app, size, amount);
    html_open(o, "tr", NULL);
    html_element(o, "td", "n", jb_day_print(r->event->posted_on, text));
    html_open(o, "td", NULL);
    html_str(o, statement_label(r->event));
    if (r->late) {
        late(p, r->event);
    }
    html_close(o, "td");
    html_open(o, "td", NULL);
    html_given(o, app_event_id(p->app, r->event, id));
    html_close(o, "td");
    html_element(o, "td", "r", seq);
    html_element(o, "td", "r", r->effect > 0 ? amount : NULL);
    html_element(o, "td", "r", r->effect < 0 ? amount : NULL);
    html_element(o, "td", "r", app_amount(p->app, r->balance, amount));
    html_close(o, "tr");
    p->broken = o->n > 60000 && !app_flush(p->app);
    return !p->broken;
}

/* ---- the page ---- */

static jb_status
read_around(struct page *p)
{
    struct app *app = p->app;
    struct wallet_name name;
    jb_status status = wallet_name_get(app->ledger, query_text(p->asked->wallet), &name, &app->err);
    if (status == JB_OK) {
        snprintf(p->name, sizeof p->name, "%s", name.text);
        status =
            page_days_read(app, p->asked->wallet, NULL, p->asked->from, p->asked->to, &p->days);
    }
    return status;
}

static jb_status
get(struct page *p,
    bool (*each)(void *data, const struct jb_statement *s, const struct jb_statement_row *r),
    struct jb_statement *ret)
{
    return jb_statement_get(p->app->views, query_text(p->asked->wallet), p->asked->from,
                            p->asked->to, query_as_of(p->app), each, p, ret, &p->app->err);
}

static jb_status
make(struct page *p)
{
    struct app *app = p->app;
    struct jb_statement s = JB_SIZED(struct jb_statement);
    jb_status status = get(p, NULL, &s); /* what it opens and closes with */
    status = status == JB_OK ? read_around(p) : status;
    if (status != JB_OK) {
        return status;
    }
    html_page_begin(&app->out, lang_now() == JB_LANG_KO ? "ko" : "en", tr("Cash statement"));
    html_element(&app->out, "h1", NULL, tr("Cash statement"));
    facts(p, &s);
    page_supplier(&app->out, &p->supplier);
    html_element(&app->out, "p", "s",
                 tr("By posting day, as the cash status; what is closed does not change."));
    page_chart(app, s.from, s.to, s.opening_total, &p->days);
    sums(p, &s);
    rows_begin(p);
    balance_row(p, s.from, tr("opening balance"), s.opening_total);
    status = get(p, each_row, &s);
    if (status != JB_OK) {
        return status;
    }
    balance_row(p, s.to, tr("closing balance"), s.closing_total);
    html_close(&app->out, "tbody");
    html_close(&app->out, "table");
    html_page_end(&app->out);
    return JB_OK;
}

int
statement_page(struct app *app, const struct statement_asked *a, const char *supplier)
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
