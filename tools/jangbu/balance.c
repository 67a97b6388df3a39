/* jangbu balance. */
#include <stdlib.h>

#include "event_json.h"
#include "query.h"

static const char *
status_word(uint32_t status)
{
    const char *word = jb_name_word(jb_names_get(JB_LIST_WALLET_STATUS), status);
    return word != NULL ? word : "?";
}

static void
balance_json(struct app *app, const struct jb_wallet_balance *w, const char *name,
             bool name_damaged)
{
    struct out *o = &app->out;
    const struct jb_balance *b = &w->balance;
    js_open(o, NULL, '{');
    js_str(o, "wallet", w->wallet);
    if (name != NULL) {
        js_str(o, "name", name[0] != '\0' ? name : NULL);
    }
    if (name_damaged) {
        js_bool(o, "name_damaged", true);
    }
    balance_members_json(o, b);
    js_uint(o, "version", b->version);
    as_of_json(app, &w->as_of);
    js_close(o, '}');
    line_end(app);
}

struct balances {
    struct app *app;
    struct table *table;
    const char
        *name; /* of the one wallet that is shown; NULL: of many, whose names are not looked up */
    bool name_damaged; /* people.mdb has something else than what was written */
    struct jb_moment moment;
    bool broken;
};

static bool
each_balance(void *data, const struct jb_wallet_balance *w)
{
    struct balances *b = data;
    b->moment = w->as_of;
    if (b->app->json) {
        balance_json(b->app, w, b->name, b->name_damaged);
        b->broken = b->app->out.n > 60000 && !app_flush(b->app);
        return !b->broken;
    }
    table_cell(b->table, w->wallet);
    if (b->name != NULL) {
        table_cell(b->table, b->name[0] != '\0' ? b->name
                             : b->name_damaged  ? "(damaged)"
                                                : "(forgotten)");
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
    "status", ">paid", ">free", ">total", ">dormant", ">refundable", ">pending", ">in transit", NULL
static const char *const balance_headers[] = {"wallet", BALANCE_COLUMNS};
static const char *const balance_headers_one[] = {"wallet", "name", BALANCE_COLUMNS};

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
    struct balances b = {.app = app};
    jb_status status;
    if (all) {
        b.table = app->json ? NULL : table_new(balance_headers);
        app_spool_begin(app);
        status = jb_balance_each(app->views, query_as_of(app), each_balance, &b, &app->err);
        b.broken |= !app_spool_end(app);
    } else {
        struct jb_wallet_balance w = {.size = sizeof w};
        char name[2049];
        size_t name_n = 0;
        status = jb_balance_get(app->views, query_text(args[1]), query_as_of(app), &w, &app->err);
        if (status == JB_OK) {
            status = jb_wallet_name(app->ledger, query_text(args[1]), name, &name_n, &app->err);
            b.name_damaged = status == JB_E_CORRUPT;
            status = b.name_damaged ? JB_OK : status;
        }
        if (status == JB_OK) {
            name[name_n] = '\0';
            b.name = name;
            b.table = app->json ? NULL : table_new(balance_headers_one);
            each_balance(&b, &w);
        }
        b.name = NULL;
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
