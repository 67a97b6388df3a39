/* jangbu report: as tables, as CSV; report_page.c has the page. */
#include "report.h"

#include <string.h>

#include "export.h"
#include "lang.h"
#include "query.h"

const char *
report_document(const struct jb_invoice *document, char buf[64])
{
    if (document == NULL) {
        return "-";
    }
    const char *kind = jb_name_word(jb_names_get(JB_LIST_INVOICE_KIND), document->kind);
    snprintf(buf, 64, "%llu %s", (unsigned long long)document->invoice, kind != NULL ? kind : "?");
    return buf;
}

static void
line(struct report_line ret[REPORT_LINES], size_t *n, const char *label, jb_amount amount,
     bool needed, bool total)
{
    if (amount != 0 || needed) {
        ret[(*n)++] = (struct report_line){label, amount, total};
    }
}

size_t
report_lines(const struct jb_report *r, struct report_line ret[REPORT_LINES])
{
    const char *net = tr("consumption of the tax month");
    size_t n = 0;
    line(ret, &n, tr("tax invoices"), r->invoiced, true, false);
    line(ret, &n, r->counted ? tr("in no tax invoice yet") : tr("of which no tax invoice is made"),
         r->uninvoiced, r->counted == 0, false);
    line(ret, &n, tr("issued twice: another paper stands for it"), r->outside, false, false);
    line(ret, &n, tr("corrections whose other document is missing"), r->unsettled, false, false);
    line(ret, &n, net, r->net, true, true);
    line(ret, &n, tr("cash status of its days: consumed, paid cash"), r->consumed_paid, true,
         false);
    line(ret, &n, tr("cash status of its days: returned"), -r->returned, false, false);
    line(ret, &n, tr("of it free cash"), r->returned_free, false, false);
    line(ret, &n, tr("posted to days that are not closed yet"), r->open, false, false);
    line(ret, &n, tr("less posted to its days, of other tax months"), -r->other_months, false,
         false);
    line(ret, &n, tr("posted to days of other months"), r->elsewhere, false, false);
    line(ret, &n, net, r->net, true, true);
    return n;
}

static jb_status
get(struct app *app, const struct report_asked *a,
    bool (*each)(void *data, const struct jb_report *report, const struct jb_invoice *document,
                 const struct jb_invoice_row *row),
    void *data, struct jb_report *ret)
{
    return jb_report_get(app->views, query_text(a->wallet), a->month, query_as_of(app), each, data,
                         ret, &app->err);
}

/* ---- tables ---- */

struct tables {
    struct app *app;
    struct table *documents, *rows;
};

static void
document_row(struct tables *t, const struct jb_invoice *i)
{
    char buf[64], day[JB_DAY_TEXT_BYTES];
    const char *state = jb_name_word(jb_names_get(JB_LIST_INVOICE_STATE), i->state);
    table_cell(t->documents, report_document(i, buf));
    table_cell(t->documents, jb_day_print(i->written_on, day));
    table_cell(t->documents, state != NULL ? state : "?");
    amount_cell(t->app, t->documents, i->total - i->vat);
    amount_cell(t->app, t->documents, i->vat);
    amount_cell(t->app, t->documents, i->total);
}

static bool
table_row(void *data, const struct jb_report *report, const struct jb_invoice *document,
          const struct jb_invoice_row *row)
{
    struct tables *t = data;
    char buf[64], day[JB_DAY_TEXT_BYTES];
    (void)report;
    if (row == NULL) {
        document_row(t, document);
        return true;
    }
    table_cell(t->rows, report_document(document, buf));
    table_number(t->rows, row->seq);
    table_cell(t->rows, jb_day_print(row->posted_on, day));
    table_cellf(t->rows, "%.*s", (int)row->usage.n, row->usage.s != NULL ? row->usage.s : "");
    amount_cell(t->app, t->rows, row->amount);
    return true;
}

static void
print_sums(struct app *app, const struct jb_report *r)
{
    struct report_line lines[REPORT_LINES];
    const size_t n = report_lines(r, lines);
    struct table *t = table_new((const char *const[]){COLUMN("sums"), COLUMN(">amount"), NULL});
    for (size_t i = 0; i < n; i++) {
        table_cellf(t, "%s%s", lines[i].total ? "= " : "", lines[i].label);
        amount_cell(app, t, lines[i].amount);
    }
    table_print(app, t);
}

static void
print_tables(struct app *app, struct tables *t, const struct jb_report *r)
{
    char vat[48];
    app_sentencef(app, "report of wallet %s, tax month %04u-%02u", r->wallet, r->month / 100,
                  r->month % 100);
    if (r->documents > 0) {
        table_print(app, t->documents);
        out_char(&app->out, '\n');
    } else {
        table_free(t->documents);
    }
    table_print(app, t->rows);
    out_char(&app->out, '\n');
    print_sums(app, r);
    if (r->documents > 0) {
        app_sentencef(app, "VAT of its tax invoices: %s", app_amount(app, r->vat, vat));
    }
    app_print_as_of(app, &r->as_of);
}

static int
tables(struct app *app, const struct report_asked *a)
{
    struct jb_report r = JB_SIZED(struct jb_report);
    struct tables t = {
        app,
        table_new((const char *const[]){COLUMN("invoice"), COLUMN("written on"), COLUMN("state"),
                                        COLUMN(">supply"), COLUMN(">VAT"), COLUMN(">total amount"),
                                        NULL}),
        table_new((const char *const[]){COLUMN("invoice"), COLUMN(">event"), COLUMN("posted on"),
                                        COLUMN("usage"), COLUMN(">amount"), NULL})};
    if (get(app, a, table_row, &t, &r) != JB_OK) {
        table_free(t.documents);
        table_free(t.rows);
        return app_fail(app, &app->err);
    }
    print_tables(app, &t, &r);
    return EXIT_DONE;
}

/* ---- CSV ---- */

struct csv {
    struct app *app;
    bool broken;
};

static void
csv_document(struct out *o, const struct jb_invoice *i)
{
    if (i != NULL) {
        out_uint(o, i->invoice);
        out_char(o, ',');
        out_str(o, jb_name_word(jb_names_get(JB_LIST_INVOICE_KIND), i->kind));
        out_char(o, ',');
        out_str(o, jb_name_word(jb_names_get(JB_LIST_INVOICE_STATE), i->state));
    } else {
        out_str(o, ",,");
    }
}

static bool
csv_row(void *data, const struct jb_report *report, const struct jb_invoice *document,
        const struct jb_invoice_row *row)
{
    struct csv *csv = data;
    struct out *o = &csv->app->out;
    char day[JB_DAY_TEXT_BYTES], time[JB_INSTANT_TEXT_BYTES];
    (void)report;
    if (row == NULL) {
        return true;
    }
    csv_document(o, document);
    out_char(o, ',');
    out_uint(o, row->seq);
    out_char(o, ',');
    out_str(o, jb_day_print(row->posted_on, day));
    out_char(o, ',');
    out_str(o, jb_instant_print(row->occurred_at, csv->app->info.utc_offset_s, time));
    out_char(o, ',');
    csv_cell(o, row->usage);
    out_char(o, ',');
    if (row->consumption != 0) {
        out_uint(o, row->consumption);
    }
    out_char(o, ',');
    out_int(o, row->amount);
    out_char(o, ',');
    out_str(o, csv->app->info.currency);
    out_char(o, ',');
    out_uint(o, csv->app->info.exponent);
    out_char(o, '\n');
    csv->broken = o->n > 60000 && !app_flush(csv->app);
    return !csv->broken;
}

static int
print_csv(struct app *app, const struct report_asked *a)
{
    struct csv csv = {.app = app};
    struct jb_report r = JB_SIZED(struct jb_report);
    out_str(&app->out, "invoice,kind,state,seq,posted_on,at,usage,consumption,amount,currency,"
                       "exponent\n");
    if (get(app, a, csv_row, &csv, &r) != JB_OK) {
        app->out.n = 0;
        return app_fail(app, &app->err);
    }
    return csv.broken ? app_output_code(app) : EXIT_DONE;
}

/* ---- the command ---- */

static int
print_json(struct app *app, const struct report_asked *a)
{
    struct query q = query_about(app, QUERY_REPORT, a->wallet);
    q.month = a->month;
    return query_print(app, &q);
}

int
cmd_report(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *supplier = NULL;
    bool csv = false, html = false;
    int n, code;
    struct report_asked asked = {0};
    const struct option_row options[] = {
        {"csv", &csv, NULL}, {"html", &html, NULL}, {"supplier", NULL, &supplier}, {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 3 || app->json + csv + html > 1 || (supplier != NULL && !html)) {
        return app_usage(app, "jangbu report takes a ledger, a wallet and a month, and one of "
                              "--csv, --html (with --supplier) and --json");
    }
    if (!parse_month(args[2], &asked.month)) {
        return app_usage(app, "a report is of a tax month like 2026-10, not %s", args[2]);
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    asked.wallet = args[1];
    return app->json ? print_json(app, &asked)
           : csv     ? print_csv(app, &asked)
           : html    ? report_page(app, &asked, supplier)
                     : tables(app, &asked);
}
