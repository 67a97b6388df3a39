/* jangbu cash-status. */
#include <stdlib.h>
#include <string.h>

#include "query.h"
#include "rows_json.h"

static const char *const row_headers[] = {
    COLUMN("day"),        COLUMN(">charged"),   COLUMN(">reversed"), COLUMN(">activated"),
    COLUMN(">used paid"), COLUMN(">used free"), COLUMN(">returned"), COLUMN(">refunded"),
    COLUMN(">failed"),    COLUMN(">repaid"),    COLUMN(">expired"),  COLUMN(">forfeited"),
    COLUMN(">closing"),   COLUMN(">paid"),      COLUMN(">free"),     NULL};

static void
row_cells(struct app *app, struct table *t, const struct jb_cash_row *r)
{
    char day[JB_DAY_TEXT_BYTES];
    table_cell(t, jb_day_print(r->day, day));
#define JB_X(name) amount_cell(app, t, r->name);
    JB_FLOWS(JB_X)
#undef JB_X
    amount_cell(app, t, r->closing_total);
    amount_cell(app, t, r->closing_paid);
    amount_cell(app, t, r->closing_free);
}

struct rows {
    struct app *app;
    struct table *table;
    jb_day last; /* that was shown */
    bool broken;
    bool unnamed; /* a name cannot be read: app->err says why */
};

static bool
keep_row(void *data, const struct jb_cash_row *r)
{
    struct cash_rows *kept = data;
    return cash_rows_add(kept, r);
}

static void
each_row(struct rows *rows, const struct jb_cash_row *r)
{
    row_cells(rows->app, rows->table, r);
    rows->last = r->day > rows->last ? r->day : rows->last;
}

static bool
each_wallet_row(void *data, const struct jb_cash_status *s, const struct jb_cash_row *r)
{
    struct rows *rows = data;
    struct app *app = rows->app;
    if (app->json) {
        cash_row_json(&app->out, s->wallet, r);
        js_line_end(&app->out);
        rows->broken = app->out.n > 60000 && !app_flush(app);
        return !rows->broken;
    }
    table_cell(rows->table, s->wallet);
    if (!name_cell(app, rows->table, s->wallet)) {
        rows->broken = rows->unnamed = true;
        return false;
    }
    row_cells(app, rows->table, r);
    return true;
}

static int
all_wallets(struct app *app, jb_day day)
{
    struct rows rows = {.app = app};
    const char *headers[TABLE_COLUMNS_MAX + 1] = {COLUMN("wallet"), COLUMN("?name")};
    memcpy(headers + 2, row_headers, sizeof row_headers);
    rows.table = app->json ? NULL : table_new(headers);
    app_spool_begin(app);
    jb_status status =
        jb_cash_day_each(app->views, day, query_as_of(app), each_wallet_row, &rows, &app->err);
    rows.broken |= !app_spool_end(app);
    if (status != JB_OK || rows.unnamed) {
        table_free(rows.table);
        return app_fail(app, &app->err);
    }
    if (!app->json) {
        table_print(app, rows.table);
    }
    return rows.broken ? app_output_code(app) : EXIT_DONE;
}

/* What is asked of one wallet. */
struct asked_rows {
    const char *wallet;
    jb_cash_view view;
    jb_day from, to; /* JB_NO_DAY: no bound */
    uint32_t flow;   /* 1 + the number of a flow; 0: any */
    struct amount_bound min, max;
    bool newest_first;
};

/* Under the rows: which they are, as of when, and whether a day waits to be closed. */
static void
print_end(struct app *app, const struct asked_rows *asked, const struct jb_cash_status *s,
          jb_day last)
{
    char day[JB_DAY_TEXT_BYTES];
    if (asked->view == JB_VIEW_POSTED) {
        if (s->through == JB_NO_DAY) {
            app_sentence(app, "as posted, through no day yet (none is closed)");
        } else {
            app_sentencef(app, "as posted, through %s", jb_day_print(s->through, day));
        }
    } else {
        app_sentencef(app, "as known now, by the day it happened, open days too; the last is %s",
                      last == JB_NO_DAY ? tr("none yet") : jb_day_print(last, day));
    }
    app_print_as_of(app, &s->as_of);
    if (s->past_day_open) {
        jb_day_print(s->open_day, day);
        app_sentencef(app, "a past day is still open: %s; `jangbu day close %s %s` closes it", day,
                      app->args[0], day);
    }
}

static int
one_wallet(struct app *app, const struct asked_rows *asked)
{
    struct query q = query_about(app, QUERY_CASH_STATUS, asked->wallet);
    q.view = asked->view;
    q.from_day = asked->from;
    q.to_day = asked->to;
    q.flow = asked->flow;
    q.amount_min = asked->min;
    q.amount_max = asked->max;
    q.newest_first = asked->newest_first;
    if (app->json) {
        return query_print(app, &q);
    }
    struct rows rows = {.app = app, .table = table_new(row_headers), .last = JB_NO_DAY};
    struct cash_rows kept = {.query = &q};
    struct jb_cash_status s = {.size = sizeof s};
    jb_status status =
        jb_cash_status_get(app->views, query_text(asked->wallet), asked->view, query_as_of(app),
                           asked->from, asked->to, keep_row, &kept, &s, &app->err);
    app->out.no_memory |= kept.no_memory; /* said when it is printed */
    for (size_t i = 0; i < kept.n && status == JB_OK; i++) {
        each_row(&rows, &kept.at[asked->newest_first ? kept.n - 1 - i : i]);
    }
    free(kept.at);
    if (status != JB_OK) {
        table_free(rows.table);
        return app_fail(app, &app->err);
    }
    table_print(app, rows.table);
    print_end(app, asked, &s, rows.last);
    return EXIT_DONE;
}

/* Whether the options are those of one of the forms. */
static bool
is_form(int n, bool all, bool day, bool rows_too)
{
    return n == (all ? 1 : 2) && all == day && !(all && rows_too);
}

/* text NULL: any. False: said on standard error. */
static bool
read_flow(const struct app *app, const char *text, uint32_t *ret)
{
    static const char *const flows[] = {
#define JB_X(name) #name,
        JB_FLOWS(JB_X)
#undef JB_X
    };
    char all[300] = "";
    size_t used = 0;
    *ret = 0;
    for (uint32_t i = 0; text != NULL && i < sizeof flows / sizeof flows[0]; i++) {
        *ret = strcmp(text, flows[i]) == 0 ? i + 1 : *ret;
        used +=
            (size_t)snprintf(all + used, sizeof all - used, "%s%s", i > 0 ? ", " : "", flows[i]);
    }
    if (text != NULL && *ret == 0) {
        app_usage(app, "--flow is one of %s, not %.40s", all, text);
    }
    return text == NULL || *ret != 0;
}

int
cmd_cash_status(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *view = "posted", *day_text = NULL, *from = NULL, *to = NULL;
    const char *flow = NULL, *min = NULL, *max = NULL;
    int n, code;
    bool all = false;
    jb_day day = 0;
    struct asked_rows asked = {.from = JB_NO_DAY, .to = JB_NO_DAY};
    const struct option_row options[] = {{"all", &all, NULL},
                                         {"view", NULL, &view},
                                         {"day", NULL, &day_text},
                                         {"from", NULL, &from},
                                         {"to", NULL, &to},
                                         {"flow", NULL, &flow},
                                         {"min", NULL, &min},
                                         {"max", NULL, &max},
                                         {"newest-first", &asked.newest_first, NULL},
                                         {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    const bool rows_too = from != NULL || to != NULL || flow != NULL || min != NULL ||
                          max != NULL || asked.newest_first;
    if (!is_form(n, all, day_text != NULL, rows_too)) {
        return app_usage(app, "jangbu cash-status takes a ledger and a wallet (and --from and --to "
                              "of its days), or a ledger, --all and --day");
    }
    if (strcmp(view, "posted") != 0 && strcmp(view, "known") != 0) {
        return app_usage(app, "--view is posted or known, not %s", view);
    }
    if (!query_day(app, "day", day_text, &day) || !query_day(app, "from", from, &asked.from) ||
        !query_day(app, "to", to, &asked.to) || !read_flow(app, flow, &asked.flow)) {
        return EXIT_USAGE;
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    if (!query_amount(app, "min", min, &asked.min) || !query_amount(app, "max", max, &asked.max)) {
        return EXIT_USAGE;
    }
    asked.wallet = all ? NULL : args[1];
    asked.view = strcmp(view, "posted") == 0 ? JB_VIEW_POSTED : JB_VIEW_KNOWN;
    return all ? all_wallets(app, day) : one_wallet(app, &asked);
}
