/* Receipts as a page for A4 paper. */
#ifndef JANGBU_RECEIPTS_H
#define JANGBU_RECEIPTS_H

#include "query.h"

/* wallet ends with NUL. Returns the exit code. */
int receipts_html(struct app *app, struct jb_text wallet);

#endif
