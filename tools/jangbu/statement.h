/* What the forms of a statement share. */
#ifndef JANGBU_STATEMENT_H
#define JANGBU_STATEMENT_H

#include "app.h"

struct statement_asked {
    const char *wallet;
    jb_day from, to;
};

/* What happened, in a word or two for people. */
const char *statement_label(const struct jb_event *e);

#define STATEMENT_SUMS 11
struct statement_sum {
    const char *label;
    jb_amount amount;
    bool in; /* it came in; else it went out */
};
void statement_sums(const struct jb_statement *s, struct statement_sum ret[STATEMENT_SUMS]);

/* The page. supplier: what --supplier names, or NULL. Returns the exit code. */
int statement_page(struct app *app, const struct statement_asked *a, const char *supplier);

#endif
