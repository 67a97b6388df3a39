#include "page_parts.h"

#include <stdlib.h>

#include "lang.h"
#include "query.h"

int
page_code(struct app *app, jb_status made, bool broken)
{
    if (made != JB_OK) {
        app->out.n = 0;
        return app_fail(app, &app->err);
    }
    return broken ? app_output_code(app) : EXIT_DONE;
}

/* ---- facts ---- */

void
page_fact(struct out *o, const char *what, const char *text)
{
    html_open(o, "tr", NULL);
    html_element(o, "th", NULL, what);
    html_open(o, "td", NULL);
    html_given(o, text);
    html_close(o, "td");
    html_close(o, "tr");
}

void
page_amount_fact(struct app *app, const char *what, jb_amount amount)
{
    char buf[48];
    struct out *o = &app->out;
    html_open(o, "tr", NULL);
    html_element(o, "th", NULL, what);
    html_element(o, "td", "r", app_amount(app, amount, buf));
    html_close(o, "tr");
}

static void
said_fact(struct out *o, const char *what, const char *text)
{
    if (text != NULL) {
        page_fact(o, what, text);
    }
}

void
page_supplier(struct out *o, const struct supplier_file *s)
{
    const struct invoice_party who = supplier_party(s);
    if (!s->given) {
        return;
    }
    html_element(o, "h2", NULL, tr("supplier"));
    html_open(o, "table", "facts");
    said_fact(o, tr("company"), who.name);
    said_fact(o, tr("registration number"), who.number);
    said_fact(o, tr("representative"), who.representative);
    said_fact(o, tr("address"), who.address);
    said_fact(o, tr("e-mail"), who.email);
    html_close(o, "table");
}

/* ---- the chart ---- */

jb_amount
page_plus(jb_amount a, jb_amount b)
{
    jb_amount sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

struct reading {
    struct app *app;
    struct page_days *days;
};

static bool
each_day(void *data, const struct jb_cash_row *r)
{
    struct reading *reading = data;
    struct page_days *days = reading->days;
    const jb_amount in[] = {r->charged, r->debt_repaid, r->free_activated, r->returned,
                            r->refund_failed};
    const jb_amount out[] = {r->charge_reversed, r->consumed_paid, r->consumed_free,
                             r->refunded,        r->expired,       r->forfeited};
    struct chart_day day = {.day = r->day, .closing = r->closing_total};
    if (days->n == days->cap) {
        days->cap = days->cap == 0 ? 64 : 2 * days->cap;
        struct chart_day *more = realloc(days->at, days->cap * sizeof *more);
        reading->app->out.no_memory |= more == NULL; /* said when it is printed */
        if (more == NULL) {
            return false;
        }
        days->at = more;
    }
    for (size_t i = 0; i < sizeof in / sizeof in[0]; i++) {
        day.in = page_plus(day.in, in[i]);
    }
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++) {
        day.out = page_plus(day.out, out[i]);
    }
    days->at[days->n++] = day;
    return true;
}

jb_status
page_days_read(struct app *app, const char *wallet, const struct jb_as_of *as_of, jb_day from,
               jb_day to, struct page_days *ret)
{
    struct jb_cash_status unused = JB_SIZED(struct jb_cash_status);
    struct reading reading = {app, ret};
    return jb_cash_status_get(app->views, query_text(wallet), JB_VIEW_POSTED, as_of, from, to,
                              each_day, &reading, &unused, &app->err);
}

void
page_chart(struct app *app, jb_day from, jb_day to, jb_amount opening, const struct page_days *days)
{
    const struct chart c = {.from = from,
                            .to = to,
                            .opening = opening,
                            .exponent = app->info.exponent,
                            .days = days->at,
                            .days_n = days->n,
                            .balance = tr("balance at the end of the day"),
                            .in = tr("in"),
                            .out = tr("out")};
    html_chart(&app->out, &c);
}
