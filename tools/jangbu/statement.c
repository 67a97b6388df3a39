/* jangbu statement: as a table, as CSV; statement_page.c has the page. */
#include "statement.h"

#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "lang.h"
#include "query.h"

const char *
statement_label(const struct jb_event *e)
{
    switch (e->type) {
    case JB_EV_CHARGE_SETTLED:
        return tr("charged");
    case JB_EV_CHARGE_REVERSED:
        return tr("charge reversed");
    case JB_EV_DEBT_REPAID:
        return tr("debt repaid");
    case JB_EV_FREE_ACTIVATED:
        return tr("free cash activated");
    case JB_EV_FREE_EXPIRED:
        return tr("free cash expired");
    case JB_EV_FREE_FORFEITED:
        return tr("free cash forfeited");
    case JB_EV_CASH_CONSUMED:
        return tr("consumed");
    case JB_EV_CONSUMPTION_REVERSED:
        return tr("returned");
    case JB_EV_REFUND_APPROVED:
        return tr("refunded");
    case JB_EV_REFUND_FAILED:
        return tr("refund failed");
    default: { /* one that moves money and this does not know yet */
        const struct jb_event_type_info *type = jb_event_type_get(e->type);
        return type != NULL ? type->name : tr("unknown");
    }
    }
}

void
statement_sums(const struct jb_statement *s, struct statement_sum ret[STATEMENT_SUMS])
{
    const struct statement_sum sums[STATEMENT_SUMS] = {
        {tr("charged"), s->charged, true},
        {tr("charge reversed"), s->charge_reversed, false},
        {tr("debt repaid"), s->debt_repaid, true},
        {tr("free cash activated"), s->free_activated, true},
        {tr("consumed, paid cash"), s->consumed_paid, false},
        {tr("consumed, free cash"), s->consumed_free, false},
        {tr("returned"), s->returned, true},
        {tr("refunded"), s->refunded, false},
        {tr("refund failed"), s->refund_failed, true},
        {tr("free cash expired"), s->expired, false},
        {tr("free cash forfeited"), s->forfeited, false}};
    memcpy(ret, sums, sizeof sums);
}

/* ---- a table ---- */

struct rows {
    struct app *app;
    struct table *table;
};

/* What stands before the first row and behind the last one. */
static void
balance_row(struct rows *rows, jb_day day, const char *what, jb_amount balance)
{
    char text[JB_DAY_TEXT_BYTES];
    table_cell(rows->table, jb_day_print(day, text));
    table_cell(rows->table, "");
    table_cell(rows->table, what);
    table_cell(rows->table, "");
    table_cell(rows->table, "");
    amount_cell(rows->app, rows->table, balance);
}

static bool
table_row(void *data, const struct jb_statement *s, const struct jb_statement_row *r)
{
    struct rows *rows = data;
    struct app *app = rows->app;
    char day[JB_DAY_TEXT_BYTES], id[JB_ID_BYTES_MAX + 1];
    (void)s;
    table_cell(rows->table, jb_day_print(r->event->posted_on, day));
    table_number(rows->table, r->event->seq);
    if (r->late) {
        table_cellf(rows->table, "%s%s", statement_label(r->event), tr(" (late)"));
    } else {
        table_cell(rows->table, statement_label(r->event));
    }
    table_cell(rows->table, app_event_id(app, r->event, id));
    amount_cell(app, rows->table, r->effect);
    amount_cell(app, rows->table, r->balance);
    return true;
}

static void
print_sums(struct app *app, const struct jb_statement *s)
{
    struct statement_sum sums[STATEMENT_SUMS];
    struct table *t = table_new((const char *const[]){COLUMN("sums"), COLUMN(">amount"), NULL});
    statement_sums(s, sums);
    for (size_t i = 0; i < STATEMENT_SUMS; i++) {
        if (sums[i].amount != 0) {
            table_cell(t, sums[i].label);
            amount_cell(app, t, sums[i].in ? sums[i].amount : -sums[i].amount);
        }
    }
    table_cell(t, tr("closing less opening"));
    amount_cell(app, t, s->closing_total - s->opening_total);
    table_print(app, t);
}

static int
print_table(struct app *app, const struct statement_asked *a)
{
    struct rows rows = {.app = app};
    struct jb_statement s = JB_SIZED(struct jb_statement), head = JB_SIZED(struct jb_statement);
    char from[JB_DAY_TEXT_BYTES], to[JB_DAY_TEXT_BYTES], paid[48], free_text[48];
    rows.table =
        table_new((const char *const[]){COLUMN("posted on"), COLUMN(">event"), COLUMN("what"),
                                        COLUMN("id"), COLUMN(">effect"), COLUMN(">balance"), NULL});
    /* What it opens with stands in front of the first row. */
    jb_status status = jb_statement_get(app->views, query_text(a->wallet), a->from, a->to,
                                        query_as_of(app), NULL, NULL, &head, &app->err);
    if (status == JB_OK) {
        balance_row(&rows, a->from, tr("opening balance"), head.opening_total);
        status = jb_statement_get(app->views, query_text(a->wallet), a->from, a->to,
                                  query_as_of(app), table_row, &rows, &s, &app->err);
    }
    if (status != JB_OK) {
        table_free(rows.table);
        return app_fail(app, &app->err);
    }
    balance_row(&rows, a->to, tr("closing balance"), s.closing_total);
    app_sentencef(app, "statement of wallet %s, %s to %s", s.wallet, jb_day_print(a->from, from),
                  jb_day_print(a->to, to));
    table_print(app, rows.table);
    out_char(&app->out, '\n');
    print_sums(app, &s);
    app_sentencef(app, "at the end: paid cash %s, free cash in use %s",
                  app_amount(app, s.closing_paid, paid),
                  app_amount(app, s.closing_free, free_text));
    app_sentence(app, "by posting day, as the cash status: what is closed does not change");
    app_print_as_of(app, &s.as_of);
    return EXIT_DONE;
}

/* ---- CSV ---- */

struct csv {
    struct app *app;
    bool broken;
};

static void
csv_amount(struct out *o, jb_amount amount)
{
    out_char(o, ',');
    out_int(o, amount);
}

static void
csv_end(struct app *app)
{
    out_char(&app->out, ',');
    out_str(&app->out, app->info.currency);
    out_char(&app->out, ',');
    out_uint(&app->out, app->info.exponent);
    out_char(&app->out, '\n');
}

/* An opening or a closing: no event. */
static void
csv_balance(struct app *app, jb_day day, const char *type, jb_amount balance)
{
    char text[JB_DAY_TEXT_BYTES];
    out_char(&app->out, ',');
    out_str(&app->out, jb_day_print(day, text));
    out_str(&app->out, ",,,");
    out_str(&app->out, type);
    out_str(&app->out, ",,,,");
    out_int(&app->out, balance);
    csv_end(app);
}

static bool
csv_row(void *data, const struct jb_statement *s, const struct jb_statement_row *r)
{
    struct csv *csv = data;
    struct out *o = &csv->app->out;
    const struct jb_event *e = r->event;
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    const int32_t offset = csv->app->info.utc_offset_s;
    char day[JB_DAY_TEXT_BYTES], time[JB_INSTANT_TEXT_BYTES], id[JB_ID_BYTES_MAX + 1];
    (void)s;
    out_uint(o, e->seq);
    out_char(o, ',');
    out_str(o, jb_day_print(e->posted_on, day));
    out_char(o, ',');
    out_str(o, jb_instant_print(e->occurred_at, offset, time));
    out_char(o, ',');
    out_str(o, jb_instant_print(e->recorded_at, offset, time));
    out_char(o, ',');
    out_str(o, type != NULL ? type->name : "unknown");
    out_char(o, ',');
    csv_cell(o, jb_text_of(app_event_id(csv->app, e, id)));
    out_str(o, r->late ? ",true" : ",false");
    csv_amount(o, r->effect);
    csv_amount(o, r->balance);
    csv_end(csv->app);
    csv->broken = o->n > 60000 && !app_flush(csv->app);
    return !csv->broken;
}

static int
print_csv(struct app *app, const struct statement_asked *a)
{
    struct csv csv = {.app = app};
    struct jb_statement s = JB_SIZED(struct jb_statement);
    jb_status status = jb_statement_get(app->views, query_text(a->wallet), a->from, a->to,
                                        query_as_of(app), NULL, NULL, &s, &app->err);
    if (status == JB_OK) {
        out_str(&app->out, "seq,posted_on,at,recorded_at,type,id,late,effect,balance,currency,"
                           "exponent\n");
        csv_balance(app, a->from, "opening", s.opening_total);
        status = jb_statement_get(app->views, query_text(a->wallet), a->from, a->to,
                                  query_as_of(app), csv_row, &csv, &s, &app->err);
    }
    if (status != JB_OK) {
        app->out.n = 0;
        return app_fail(app, &app->err);
    }
    csv_balance(app, a->to, "closing", s.closing_total);
    return csv.broken ? app_output_code(app) : EXIT_DONE;
}

/* ---- the command ---- */

/* False: said on standard error. */
static bool
read_day(const struct app *app, const char *text, jb_day *ret)
{
    if (jb_day_parse(text, strlen(text), ret)) {
        return true;
    }
    app_usage(app, "a statement is from a day like 2026-10-01 to one like 2026-10-31, not %s",
              text);
    return false;
}

static int
print_json(struct app *app, const struct statement_asked *a)
{
    struct query q = query_about(app, QUERY_STATEMENT, a->wallet);
    q.from_day = a->from;
    q.to_day = a->to;
    return query_print(app, &q);
}

int
cmd_statement(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *supplier = NULL;
    bool csv = false, html = false;
    int n, code;
    struct statement_asked asked = {0};
    const struct option_row options[] = {
        {"csv", &csv, NULL}, {"html", &html, NULL}, {"supplier", NULL, &supplier}, {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 4 || app->json + csv + html > 1 || (supplier != NULL && !html)) {
        return app_usage(app, "jangbu statement takes a ledger, a wallet, the first day and the "
                              "last, and one of --csv, --html (with --supplier) and --json");
    }
    if (!read_day(app, args[2], &asked.from) || !read_day(app, args[3], &asked.to)) {
        return EXIT_USAGE;
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    asked.wallet = args[1];
    return app->json ? print_json(app, &asked)
           : csv     ? print_csv(app, &asked)
           : html    ? statement_page(app, &asked, supplier)
                     : print_table(app, &asked);
}
