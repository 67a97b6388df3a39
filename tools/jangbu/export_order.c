/* What all exports share: the order of the events, and the way out. */
#include <stdlib.h>

#include "export.h"

bool
export_flush(struct out *o, FILE *file)
{
    bool ok = o->n == 0 || fwrite(o->at, 1, o->n, file) == o->n;
    o->n = 0;
    o->first = true;
    return ok;
}

static int
compare_order(const void *a, const void *b)
{
    const struct export_order *x = a, *y = b;
    if (x->posted_on != y->posted_on) {
        return x->posted_on < y->posted_on ? -1 : 1;
    }
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Most ledgers have no late event: then the log's order is that of the days. */
static void
sort(struct export_order *list, size_t n)
{
    size_t i = 1;
    while (i < n && list[i - 1].posted_on <= list[i].posted_on) {
        i++;
    }
    if (i < n) {
        qsort(list, n, sizeof *list, compare_order);
    }
}

jb_status
export_sort(jb_ledger *l, jb_seq last, struct export_order **ret, size_t *ret_n,
            struct jb_error *err)
{
    struct export_order *list = malloc((size_t)last * sizeof *list + 1);
    jb_cursor *c = NULL;
    size_t n = 0;
    if (list == NULL) {
        err->status = JB_E_NOMEM;
        snprintf(err->text, sizeof err->text, tr("no memory to sort %llu events"),
                 (unsigned long long)last);
        return JB_E_NOMEM;
    }
    jb_status status = jb_cursor_open(l, 1, &c, err);
    while (status == JB_OK && n < last) {
        const struct jb_event *e;
        status = jb_cursor_next(c, &e, err);
        if (status == JB_OK) {
            list[n++] = (struct export_order){e->posted_on, e->seq};
        }
    }
    jb_cursor_close(c);
    if (status == JB_OK || status == JB_END) {
        sort(list, n);
        *ret = list;
        *ret_n = n;
        return JB_OK;
    }
    free(list);
    return status;
}
