/* What the queries share. */
#include <string.h>

#include "query.h"

const struct jb_as_of *
query_as_of(const struct app *app)
{
    return app->has_as_of ? &app->as_of : NULL;
}

struct jb_text
query_text(const char *s)
{
    return (struct jb_text){s, strlen(s)};
}

struct query
query_about(const struct app *app, enum query_kind kind, const char *wallet)
{
    struct query q = query_of(kind);
    q.wallet = jb_text_of(wallet);
    if (app->has_as_of) {
        q.as_of = app->as_of;
    }
    return q;
}

int
query_print(struct app *app, const struct query *q)
{
    const struct asked asked = {app->ledger, app->views, app->info.utc_offset_s};
    if (query_answer(&asked, q, &app->out, &app->err) != JB_OK) {
        app->out.n = 0;
        return app_fail(app, &app->err);
    }
    return EXIT_DONE;
}

bool
query_clock(struct app *app, const char *clock)
{
    if (clock != NULL && strcmp(clock, "at") != 0 && strcmp(clock, "system") != 0) {
        app_usage(app, "--clock is at or system, not %s", clock);
        return false;
    }
    return true;
}

bool
query_stand(struct app *app, const char *clock)
{
    struct jb_head head = JB_SIZED(struct jb_head);
    if (clock == NULL || strcmp(clock, "system") == 0) {
        return true;
    }
    app->clock_stands = true;
    if (jb_head_get(app->ledger, &head, &app->err) != JB_OK) {
        return false;
    }
    app->clock = head.recorded_at != JB_NO_INSTANT ? head.recorded_at : 0;
    return true;
}

bool
query_limit(struct app *app, const char *text, uint64_t *ret)
{
    if (!parse_number(text, JB_PAGE_ROWS_MAX, ret) || *ret == 0) {
        app_usage(app, "--limit is 1 to 10000, not %s", text);
        return false;
    }
    return true;
}

bool
query_page(struct app *app, int argc, char **argv, enum query_kind kind, bool *open,
           struct query *ret, int *ret_code)
{
    const char *args[ARGUMENTS_MAX], *cursor = NULL, *limit_text = "100";
    bool of_wallet = kind != QUERY_WALLETS;
    int n;
    uint64_t limit;
    /* A row without a name ends them. */
    const struct option_row options[] = {{"cursor", NULL, &cursor},
                                         {"limit", NULL, &limit_text},
                                         {open != NULL ? "open" : NULL, open, NULL},
                                         {0}};
    *ret_code = EXIT_USAGE;
    if (!read_options(app, argc, argv, options, args, &n)) {
        return false;
    }
    if (n != (of_wallet ? 2 : 1)) {
        app_usage(
            app, of_wallet ? "jangbu %s takes a ledger and a wallet" : "jangbu %s takes one ledger",
            app->command);
        return false;
    }
    if (!query_limit(app, limit_text, &limit) || !app_open(app, args[0], false, true, ret_code)) {
        return false;
    }
    *ret = query_about(app, kind, of_wallet ? args[1] : NULL);
    ret->cursor = jb_text_of(cursor);
    ret->limit = limit;
    return true;
}

void
query_page_end(struct app *app, const struct jb_moment *m, const char *next)
{
    app_print_as_of(app, m);
    if (next[0] != '\0') {
        out_str(&app->out, tr("more: --cursor "));
        out_str(&app->out, next);
        out_char(&app->out, '\n');
    }
}

void
amount_cell(struct app *app, struct table *t, jb_amount amount)
{
    char buf[48];
    table_cell(t, app_amount(app, amount, buf));
}
