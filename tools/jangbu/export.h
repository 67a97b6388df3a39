/* Exports: the events as a table, or as double entry for three accounting programs. docs/exports.md
 * has the conventions. */
#ifndef JANGBU_EXPORT_H
#define JANGBU_EXPORT_H

#include "app.h"

/* Events in a row that are posted on one day. */
struct export_run {
    jb_day posted_on; /* JB_NO_DAY: events of init, first */
    jb_seq first, n;
};

/* The events up to `last` in order of posting day, then of sequence number: as runs, of which there
 * are few where no event is late. *ret is freed by the caller. */
jb_status export_sort(jb_ledger *l, jb_seq last, struct export_run **ret, size_t *ret_n,
                      struct jb_error *err);

enum books_format { BOOKS_HLEDGER, BOOKS_LEDGER, BOOKS_BEANCOUNT };

/* A cell of a CSV, guarded against spreadsheets. s NULL: empty. */
void csv_cell(struct out *o, struct jb_text t);

/* false: output is closed or full. */
bool export_flush(struct out *o, FILE *file);

/* people: with the texts behind references. */
jb_status export_rows(struct app *app, jb_seq last, bool csv, bool people, FILE *file,
                      struct progress *p, struct jb_error *err);
jb_status export_books(struct app *app, jb_seq last, enum books_format format, FILE *file,
                       struct progress *p, struct jb_error *err);

#endif
