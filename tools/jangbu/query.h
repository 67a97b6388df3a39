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
/* The same with its table, which it frees. empty: what is said in place of a table of heads alone;
 * NULL: that there is nothing to list. */
void query_table_end(struct app *app, struct table *t, const char *empty, const struct jb_moment *m,
                     const char *next);
/* A bound of --NAME; text NULL: none. False: said on standard error. */
bool query_amount(struct app *app, const char *name, const char *text, struct amount_bound *ret);
bool query_moment(struct app *app, const char *name, const char *text, struct jb_as_of *ret);
bool query_day(struct app *app, const char *name, const char *text, jb_day *ret);
/* --month: 202603, or 0 where text is NULL. False: said on standard error. */
bool query_month(struct app *app, const char *text, uint32_t *ret);
/* Words of a list with commas between them, as 1 << number of each. Likewise. */
bool query_words(struct app *app, const char *name, const char *text, jb_list list, uint32_t *ret);
/* The name of a wallet, or why there is none. False: it cannot be read, app->err says why. */
bool name_cell(struct app *app, struct table *t, const char *wallet);
void amount_cell(struct app *app, struct table *t, jb_amount amount);

#endif
