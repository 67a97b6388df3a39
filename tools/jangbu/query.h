/* What the queries share. */
#ifndef JANGBU_QUERY_H
#define JANGBU_QUERY_H

#include "app.h"

const struct jb_as_of *query_as_of(const struct app *app); /* NULL: now */
struct jb_text query_text(const char *s);
void as_of_json(struct app *app, const struct jb_moment *m);
void line_end(struct app *app);
void amount_cell(struct app *app, struct table *t, jb_amount amount);

#endif
