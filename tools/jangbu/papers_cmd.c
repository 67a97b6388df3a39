/* jangbu invoices, invoice, due: tax invoices. */
#include <string.h>

#include "invoice_form.h"
#include "invoice_page.h"
#include "papers_json.h"
#include "query.h"

struct rows {
    struct app *app;
    struct table *table;
};

static const char *
word(jb_list list, uint32_t number)
{
    const char *said = jb_name_word(jb_names_get(list), number);
    return said != NULL ? said : "?";
}

static void
month_cell(struct table *t, uint32_t month)
{
    table_cellf(t, "%04u-%02u", month / 100, month % 100);
}

/* ---- invoices ---- */

static bool
each_invoice(void *data, const struct jb_invoice *i)
{
    struct rows *rows = data;
    struct table *t = rows->table;
    char day[JB_DAY_TEXT_BYTES];
    table_number(t, i->invoice);
    table_cell(t, word(JB_LIST_INVOICE_KIND, i->kind));
    month_cell(t, i->month);
    table_cell(t, jb_day_print(i->written_on, day));
    table_cell(t, word(JB_LIST_INVOICE_STATE, i->state));
    amount_cell(rows->app, t, i->total - i->vat);
    amount_cell(rows->app, t, i->vat);
    amount_cell(rows->app, t, i->total);
    if (i->original != 0) {
        table_number(t, i->original);
    } else {
        table_cell(t, "");
    }
    table_cell(t, i->approve_no);
    table_cell(t, i->mail != 0 ? word(JB_LIST_MAIL_RESULT, i->mail) : "");
    return true;
}

static int
list(struct app *app, const struct query *q)
{
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    struct rows rows = {
        app, table_new((const char *const[]){
                 COLUMN(">invoice"), COLUMN("kind"), COLUMN("month"), COLUMN("written on"),
                 COLUMN("state"), COLUMN(">supply"), COLUMN(">VAT"), COLUMN(">total amount"),
                 COLUMN(">original"), COLUMN("?approval"), COLUMN("?mail"), NULL})};
    jb_status status =
        jb_invoices_get(app->views, q->wallet, q->month, query_as_of(app), q->cursor.s,
                        (uint32_t)q->limit, each_invoice, &rows, next, &moment, &app->err);
    if (status != JB_OK) {
        table_free(rows.table);
        return app_fail(app, &app->err);
    }
    query_table_end(app, rows.table, NULL, &moment, next);
    return EXIT_DONE;
}

int
cmd_invoices(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *month = NULL, *cursor = NULL, *limit_text = "100";
    int n, code;
    uint64_t limit;
    uint32_t of;
    const struct option_row options[] = {
        {"month", NULL, &month}, {"cursor", NULL, &cursor}, {"limit", NULL, &limit_text}, {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 2) {
        return app_usage(app, "jangbu %s takes a ledger and a wallet", app->command);
    }
    if (!query_month(app, month, &of) || !query_limit(app, limit_text, &limit)) {
        return EXIT_USAGE;
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    struct query q = query_about(app, QUERY_INVOICES, args[1]);
    q.month = of;
    q.cursor = jb_text_of(cursor);
    q.limit = limit;
    return app->json ? query_print(app, &q) : list(app, &q);
}

/* ---- one ---- */

static bool
each_row(void *data, const struct jb_invoice_row *r)
{
    struct rows *rows = data;
    char day[JB_DAY_TEXT_BYTES];
    table_number(rows->table, r->seq);
    table_cell(rows->table, jb_day_print(r->posted_on, day));
    table_cellf(rows->table, "%.*s", (int)r->usage.n, r->usage.s != NULL ? r->usage.s : "");
    amount_cell(rows->app, rows->table, r->amount);
    return true;
}

static void
print_sums(struct app *app, const struct jb_invoice *i)
{
    char supply[48], vat[48], total[48];
    app_sentencef(app, "supply %s, VAT %s, total %s", app_amount(app, i->total - i->vat, supply),
                  app_amount(app, i->vat, vat), app_amount(app, i->total, total));
}

/* To whom, and what became of it; names are for the page and for JSON. */
static void
print_ways(struct app *app, const struct jb_invoice *i)
{
    char number[16];
    const char *to = invoice_number_said(i->record.biz, number);
    app_sentencef(app, "recipient %s, approval number %s, mail %s", to != NULL ? to : tr("unknown"),
                  i->approve_no[0] != '\0' ? i->approve_no : tr("none yet"),
                  i->mail != 0 ? word(JB_LIST_MAIL_RESULT, i->mail) : tr("none yet"));
}

static int
one(struct app *app, const struct query *q)
{
    const struct asked asked = {app->ledger, app->views, app->info.utc_offset_s};
    struct jb_invoice i = JB_SIZED(struct jb_invoice);
    struct jb_moment moment;
    struct rows rows = {app,
                        table_new((const char *const[]){COLUMN(">event"), COLUMN("posted on"),
                                                        COLUMN("usage"), COLUMN(">amount"), NULL})};
    char day[JB_DAY_TEXT_BYTES];
    jb_status status = invoice_moment(&asked, q, &moment, &app->err);
    if (status == JB_OK) {
        status =
            jb_invoice_get(app->ledger, q->invoice, moment.seq, each_row, &rows, &i, &app->err);
    }
    if (status != JB_OK) {
        table_free(rows.table);
        return app_fail(app, &app->err);
    }
    app_sentencef(app, "invoice %llu of wallet %s, %s of %04u-%02u, written on %s: %s",
                  (unsigned long long)i.invoice, i.wallet, word(JB_LIST_INVOICE_KIND, i.kind),
                  i.month / 100, i.month % 100, jb_day_print(i.written_on, day),
                  word(JB_LIST_INVOICE_STATE, i.state));
    print_ways(app, &i);
    table_print(app, rows.table);
    print_sums(app, &i);
    app_print_as_of(app, &moment);
    return EXIT_DONE;
}

/* As a page, or as CSV. */
static int
form(struct app *app, const struct query *q, bool html, const char *supplier)
{
    const struct asked asked = {app->ledger, app->views, app->info.utc_offset_s};
    struct jb_moment moment;
    if (invoice_moment(&asked, q, &moment, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    return html ? invoice_html(app, q->invoice, moment.seq, supplier)
                : invoice_csv(app, q->invoice, moment.seq);
}

int
cmd_invoice(struct app *app, int argc, char **argv)
{
    if (is_one(argv[0], argc, argv)) {
        app->takes = TAKES_JSON | TAKES_CALLER;
        return cmd_one(app, argc, argv);
    }
    const char *args[ARGUMENTS_MAX], *supplier = NULL;
    bool people = false, csv = false, html = false;
    int n, code;
    uint64_t invoice;
    const struct option_row options[] = {{"people", &people, NULL},
                                         {"csv", &csv, NULL},
                                         {"html", &html, NULL},
                                         {"supplier", NULL, &supplier},
                                         {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 2 || !parse_number(args[1], UINT64_MAX / 2, &invoice) || invoice == 0) {
        return app_usage(app, "jangbu invoice takes a ledger and the number of an invoice");
    }
    if (app->json + csv + html > 1 || (supplier != NULL && !html)) {
        return app_usage(app, "an invoice is printed in one form: --csv, --html (with --supplier) "
                              "or --json");
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    struct query q = query_about(app, QUERY_INVOICE, NULL);
    q.invoice = invoice;
    q.people = people;
    return app->json     ? query_print(app, &q)
           : csv || html ? form(app, &q, html, supplier)
                         : one(app, &q);
}

/* ---- what is to be done ---- */

static void
about_cell(struct table *t, const struct jb_due_item *i)
{
    char day[JB_DAY_TEXT_BYTES];
    if (i->what == JB_DUE_OUTSIDE) {
        table_number(t, i->invoice);
    } else if (i->month != 0) {
        month_cell(t, i->month);
    } else {
        table_cell(t, i->day != JB_NO_DAY ? jb_day_print(i->day, day) : i->grant);
    }
}

static bool
each_due(void *data, const struct jb_due_item *i)
{
    struct rows *rows = data;
    table_cell(rows->table, jb_op_get(i->op)->name);
    table_cell(rows->table, i->wallet[0] != '\0' ? i->wallet : "-");
    about_cell(rows->table, i);
    if (i->what == JB_DUE_BLOCKED) {
        table_cellf(rows->table, "%s%s", due_why(i), i->late != 0 ? tr(", late") : "");
    } else if (i->op == JB_OP_INVOICE_EMAIL) {
        table_cell(rows->table, i->address == JB_WHY_NONE ? tr("no address is set")
                                                          : tr("the address can be read no more"));
    } else {
        table_cell(rows->table, i->what == JB_DUE_OUTSIDE ? tr("record the outcome")
                                : i->late != 0            ? tr("late")
                                                          : "");
    }
    return true;
}

static int
due_page(struct app *app, const struct query *q)
{
    struct jb_due_list due = JB_SIZED(struct jb_due_list);
    char next[JB_CURSOR_TEXT_BYTES];
    struct rows rows = {app,
                        table_new((const char *const[]){COLUMN("what"), COLUMN("wallet"),
                                                        COLUMN("about"), COLUMN("why"), NULL})};
    if (jb_due_get(app->views, (jb_due_kind)q->due, q->outside != 0, query_as_of(app), q->cursor.s,
                   (uint32_t)q->limit, each_due, &rows, next, &due, &app->err) != JB_OK) {
        table_free(rows.table);
        return app_fail(app, &app->err);
    }
    const struct jb_moment m = {due.seq, due.at};
    query_table_end(app, rows.table, tr("nothing is due"), &m, next);
    return EXIT_DONE;
}

/* ---- all of it, for `apply` ---- */

struct lines {
    struct app *app;
    bool broken;
};

static bool
each_line(void *data, const struct jb_due_item *i)
{
    struct lines *lines = data;
    struct out *o = &lines->app->out;
    if (i->what == JB_DUE_COMMAND) {
        due_item_json(o, i);
        js_line_end(o);
        lines->broken = o->n > 60000 && !app_flush(lines->app);
    }
    return !lines->broken;
}

/* Page by page: nothing is kept. */
static int
due_commands(struct app *app, const struct query *q)
{
    struct lines lines = {.app = app};
    char cursor[JB_CURSOR_TEXT_BYTES] = "", next[JB_CURSOR_TEXT_BYTES];
    do {
        struct jb_due_list due = JB_SIZED(struct jb_due_list);
        if (jb_due_get(app->views, (jb_due_kind)q->due, false, query_as_of(app), cursor, 1000,
                       each_line, &lines, next, &due, &app->err) != JB_OK) {
            return app_fail(app, &app->err);
        }
        memcpy(cursor, next, sizeof cursor);
    } while (cursor[0] != '\0' && !lines.broken);
    return lines.broken ? app_output_code(app) : EXIT_DONE;
}

int
cmd_due(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *clock = NULL, *kind = "all", *cursor = NULL, *limit = NULL;
    bool outside = false, commands = false;
    int n, code;
    const struct option_row options[] = {{"kind", NULL, &kind},
                                         {"outside", &outside, NULL},
                                         {"commands", &commands, NULL},
                                         {"cursor", NULL, &cursor},
                                         {"limit", NULL, &limit},
                                         {"clock", NULL, &clock},
                                         {0}};
    if (!read_options(app, argc, argv, options, args, &n) || !query_clock(app, clock)) {
        return EXIT_USAGE;
    }
    if (n != 1) {
        return app_usage(app, "jangbu %s takes one ledger", app->command);
    }
    if (commands && (app->json || outside || cursor != NULL || limit != NULL)) {
        return app_usage(app, "--commands is all of them, a line of JSON each, for `jangbu apply`: "
                              "without --json, --outside, --limit and --cursor");
    }
    uint32_t due_kind;
    uint64_t rows;
    if (!due_kind_called(kind, &due_kind)) {
        return app_usage(app, "--kind is all, day, invoice or notice, not %s", kind);
    }
    if (!query_limit(app, limit != NULL ? limit : "100", &rows)) {
        return EXIT_USAGE;
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    if (!query_stand(app, clock)) {
        return app_fail(app, &app->err);
    }
    struct query q = query_about(app, QUERY_DUE, NULL);
    q.outside = outside;
    q.due = due_kind;
    q.cursor = jb_text_of(cursor);
    q.limit = rows;
    return commands ? due_commands(app, &q) : app->json ? query_print(app, &q) : due_page(app, &q);
}
