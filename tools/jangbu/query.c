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

void
as_of_json(struct app *app, const struct jb_moment *m)
{
    js_open(&app->out, "as_of", '{');
    js_uint(&app->out, "seq", m->seq);
    js_instant(&app->out, "at", m->at, app->info.utc_offset_s);
    js_close(&app->out, '}');
}

void
line_end(struct app *app)
{
    out_char(&app->out, '\n');
    app->out.first = true;
}

void
amount_cell(struct app *app, struct table *t, jb_amount amount)
{
    char buf[48];
    table_cell(t, app_amount(app, amount, buf));
}
