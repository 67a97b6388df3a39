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
query_limit(struct app *app, const char *text, uint64_t *ret)
{
    if (!parse_number(text, JB_PAGE_ROWS_MAX, ret) || *ret == 0) {
        app_usage(app, "--limit is 1 to 10000, not %s", text);
        return false;
    }
    return true;
}

void
query_page_end(struct app *app, const struct jb_moment *m, const char *next)
{
    app_print_as_of(app, m);
    if (next[0] != '\0') {
        out_str(&app->out, "more: --cursor ");
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
