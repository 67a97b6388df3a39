/* jangbu balance. */
#include <stdlib.h>

#include "lists_json.h"
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
    if (b->named && !name_cell(b->app, b->table, w->wallet)) {
        b->broken = true;
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
        COLUMN(">refundable"), COLUMN(">pending"), COLUMN(">in transit")
static const char *const balance_headers[] = {COLUMN("wallet"), BALANCE_COLUMNS, NULL};
static const char *const balance_headers_named[] = {COLUMN("wallet"), COLUMN("name"),
                                                    BALANCE_COLUMNS, NULL};

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

/* ---- wallets ---- */

struct wallets {
    struct balances b;
    uint32_t n;
};

static bool
each_wallet(void *data, const struct jb_wallet_row *w)
{
    struct wallets *rows = data;
    char time[JB_INSTANT_TEXT_BYTES];
    const char *kind = jb_name_word(jb_names_get(JB_LIST_WALLET_KIND), w->kind);
    if (!each_balance(&rows->b, w->balance)) {
        return false;
    }
    table_cell(rows->b.table, kind != NULL ? kind : "?");
    table_cell(rows->b.table, app_time_cell(rows->b.app, w->used_at, time));
    rows->n++;
    return true;
}

/* The options that say which are listed, as they were typed. */
struct typed {
    const char *status, *kind, *name, *master, *min, *max, *used_since, *unused_since;
    bool in_debt;
};

static bool
read_typed(struct app *app, const struct typed *t, struct query *q)
{
    q->name = jb_text_of(t->name);
    q->master = jb_text_of(t->master);
    if (t->in_debt) {
        q->paid_max = (struct amount_bound){.amount = -1, .given = 1};
    }
    return query_words(app, "status", t->status, JB_LIST_WALLET_STATUS, &q->statuses) &&
           query_words(app, "kind", t->kind, JB_LIST_WALLET_KIND, &q->kinds) &&
           query_amount(app, "min", t->min, &q->total_min) &&
           query_amount(app, "max", t->max, &q->total_max) &&
           query_moment(app, "used-since", t->used_since, &q->used_since) &&
           query_moment(app, "unused-since", t->unused_since, &q->used_before);
}

/* As many pages of the library as fill one of ours. */
static jb_status
wallets_page(struct app *app, const struct query *q, struct wallets *rows, char *next,
             struct jb_moment *m)
{
    struct wallets_asked asked;
    const char *cursor = q->cursor.s;
    jb_status status = wallets_asked(q, app->info.utc_offset_s, &asked, &app->err);
    do {
        if (status == JB_OK) {
            status = jb_wallets_find(app->views, &asked.query, query_as_of(app), cursor,
                                     (uint32_t)q->limit - rows->n, each_wallet, rows, next, m,
                                     &app->err);
        }
        cursor = next;
    } while (status == JB_OK && next[0] != '\0' && rows->n < q->limit && !rows->b.broken);
    return status;
}

/* All of them, or those that are asked for, in pages. */
int
cmd_wallets(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *cursor = NULL, *limit_text = "100";
    int n, code = EXIT_USAGE;
    uint64_t limit;
    struct typed t = {0};
    const struct option_row options[] = {{"status", NULL, &t.status},
                                         {"kind", NULL, &t.kind},
                                         {"name", NULL, &t.name},
                                         {"master", NULL, &t.master},
                                         {"min", NULL, &t.min},
                                         {"max", NULL, &t.max},
                                         {"in-debt", &t.in_debt, NULL},
                                         {"used-since", NULL, &t.used_since},
                                         {"unused-since", NULL, &t.unused_since},
                                         {"cursor", NULL, &cursor},
                                         {"limit", NULL, &limit_text},
                                         {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 1) {
        return app_usage(app, "jangbu %s takes one ledger", app->command);
    }
    if (!query_limit(app, limit_text, &limit) || !app_open(app, args[0], false, true, &code)) {
        return code;
    }
    struct query q = query_about(app, QUERY_WALLETS, NULL);
    q.cursor = jb_text_of(cursor);
    q.limit = limit;
    if (!read_typed(app, &t, &q)) {
        return EXIT_USAGE;
    }
    if (app->json) {
        return query_print(app, &q);
    }
    char used[TIME_HEADER_BYTES], next[JB_CURSOR_TEXT_BYTES];
    struct wallets rows = {.b = {.app = app, .named = true}};
    struct jb_moment moment;
    rows.b.table = table_new((const char *const[]){COLUMN("wallet"), COLUMN("name"),
                                                   BALANCE_COLUMNS, COLUMN("?kind"),
                                                   app_time_header(app, "?last use", used), NULL});
    if (wallets_page(app, &q, &rows, next, &moment) != JB_OK || rows.b.broken) {
        table_free(rows.b.table);
        return app_fail(app, &app->err);
    }
    query_table_end(app, rows.b.table, NULL, &moment, next);
    return EXIT_DONE;
}
