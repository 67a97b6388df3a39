/* What the queries share. */
#ifndef JANGBU_QUERY_H
#define JANGBU_QUERY_H

#include "app.h"
#include "queries.h"

const struct jb_as_of *query_as_of(const struct app *app); /* NULL: now */
struct jb_text query_text(const char *s);
/* A query with the moment that --as-of says. wallet NULL: none. */
struct query query_about(const struct app *app, enum query_kind kind, const char *wallet);
/* Prints the answer as JSON. Returns the exit code. */
int query_print(struct app *app, const struct query *q);
/* --clock: at, system, or NULL. False: it is another word, and that was said. */
bool query_clock(struct app *app, const char *clock);
/* With --clock=at the ledger's clock stands at its last event. */
bool query_stand(struct app *app, const char *clock);
/* --limit of a list. False: said on standard error. */
bool query_limit(struct app *app, const char *text, uint64_t *ret);
/* A page of a list: --cursor, --limit, and --open where open is not NULL. The arguments are the
 * ledger, which is opened, and a wallet unless all are listed. False: *ret_code, and it was said.
 */
bool query_page(struct app *app, int argc, char **argv, enum query_kind kind, bool *open,
                struct query *ret, int *ret_code);
/* What stands under a page: as of what, and how to go on. */
void query_page_end(struct app *app, const struct jb_moment *m, const char *next);
void amount_cell(struct app *app, struct table *t, jb_amount amount);

#endif
