/* The file that says who supplies: --supplier FILE, or JANGBU_SUPPLIER. */
#ifndef JANGBU_SUPPLIER_FILE_H
#define JANGBU_SUPPLIER_FILE_H

#include "app.h"
#include "invoice_page.h"
#include "supplier.h"

struct supplier_file {
    struct json_pool *pool; /* where the texts lie */
    struct supplier is;
    bool given;
};
/* path NULL: what JANGBU_SUPPLIER names; without that all of it is empty. False: said on standard
 * error, *ret_exit has the exit code. Freed in any case. */
bool supplier_read(struct app *app, const char *path, struct supplier_file *ret, int *ret_exit);
/* For a page with boxes: those of what is not said stay empty. */
struct invoice_party supplier_party(const struct supplier_file *s);
void supplier_free(struct supplier_file *s);

#endif
