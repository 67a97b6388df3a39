/* jangbu balance. */
#include <stdlib.h>

#include "query.h"
#include "rows_json.h"

static const char *
status_word(uint32_t status)
{
    const char *word = jb_name_word(jb_names_get(JB_LIST_WALLET_STATUS), status);
    return word != NULL ? word : "?";
}

struct balances {
    struct app *app;
    struct table *table;
    bool named; /* there are few, and their names are looked up */
    struct jb_moment moment;
    bool broken;
};

static bool
name_cell(struct balances *b, const char *wallet)
{
    struct wallet_name name;
    if (wallet_name_get(b->app->ledger, query_text(wallet), &name, &b->app->err) != JB_OK) {
        b->broken = true;
        return false;
    }
    table_cell(b->table, name.text[0] != '\0'        ? name.text
                         : name.why == JB_WHY_LOST   ? tr("(damaged)")
                         : name.why == JB_WHY_SEALED ? tr("(sealed)")
                                                     : tr("(forgotten)"));
    return true;
}

static bool
each_balance(void *data, const struct jb_wallet_balance *w)
{
    struct balances *b = data;
    b->moment = w->as_of;
    if (b->app->json) {
        balance_json(&b->app->out, w, NULL, b->app->info.utc_offset_s);
        js_line_end(&b->app->out);
        b->broken = b->app->out.n > 60000 && !app_flush(b->app);
        return !b->broken;
    }
    table_cell(b->table, w->wallet);
    if (b->named && !name_cell(b, w->wallet)) {
        return false;
    }
    table_cell(b->table, status_word(w->balance.status));
    amount_cell(b->app, b->table, w->balance.paid);
    amount_cell(b->app, b->table, w->balance.free);
    amount_cell(b->app, b->table, w->balance.total);
    amount_cell(b->app, b->table, w->balance.free_dormant);
    amount_cell(b->app, b->table, w->balance.refundable);
    amount_cell(b->app, b->table, w->balance.refund_pending);
    amount_cell(b->app, b->table, w->balance.refund_in_transit);
    return true;
}

#define BALANCE_COLUMNS                                                                            \
    COLUMN("status"), COLUMN(">paid"), COLUMN(">free"), COLUMN(">total"), COLUMN(">dormant"),      \
        COLUMN(">refundable"), COLUMN(">pending"), COLUMN(">in transit"), NULL
static const char *const balance_headers[] = {COLUMN("wallet"), BALANCE_COLUMNS};
static const char *const balance_headers_named[] = {COLUMN("wallet"), COLUMN("name"),
                                                    BALANCE_COLUMNS};

int
cmd_balance(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX];
    int n, code;
    bool all = false;
    const struct option_row options[] = {{"all", &all, NULL}, {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != (all ? 1 : 2)) {
        return app_usage(app, "jangbu balance takes a ledger and a wallet, or a ledger and --all");
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    if (app->json && !all) {
        struct query q = query_about(app, QUERY_BALANCE, args[1]);
        return query_print(app, &q);
    }
    struct balances b = {.app = app};
    jb_status status;
    if (all) {
        b.table = app->json ? NULL : table_new(balance_headers);
        app_spool_begin(app);
        status = jb_balance_each(app->views, query_as_of(app), each_balance, &b, &app->err);
        b.broken |= !app_spool_end(app);
    } else {
        struct jb_wallet_balance w = {.size = sizeof w};
        status = jb_balance_get(app->views, query_text(args[1]), query_as_of(app), &w, &app->err);
        if (status == JB_OK) {
            b.named = true;
            b.table = table_new(balance_headers_named);
            each_balance(&b, &w);
            status = b.broken ? app->err.status : JB_OK;
        }
    }
    if (status != JB_OK) {
        table_free(b.table);
        return app_fail(app, &app->err);
    }
    if (!app->json) {
        table_print(app, b.table);
        if (b.moment.seq != 0) {
            app_print_as_of(app, &b.moment);
        }
    }
    return b.broken ? app_output_code(app) : EXIT_DONE;
}

/* The same in pages. */
int
cmd_wallets(struct app *app, int argc, char **argv)
{
    struct query q;
    int code;
    if (!query_page(app, argc, argv, QUERY_WALLETS, NULL, &q, &code)) {
        return code;
    }
    if (app->json) {
        return query_print(app, &q);
    }
    struct balances b = {.app = app, .named = true, .table = table_new(balance_headers_named)};
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    if (jb_wallets_get(app->views, query_as_of(app), q.cursor.s, (uint32_t)q.limit, each_balance,
                       &b, next, &moment, &app->err) != JB_OK ||
        b.broken) {
        table_free(b.table);
        return app_fail(app, &app->err);
    }
    table_print(app, b.table);
    query_page_end(app, &moment, next);
    return EXIT_DONE;
}
