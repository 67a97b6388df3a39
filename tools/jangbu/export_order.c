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
compare_runs(const void *a, const void *b)
{
    const struct export_run *x = a, *y = b;
    if (x->posted_on != y->posted_on) {
        return x->posted_on < y->posted_on ? -1 : 1;
    }
    return x->first < y->first ? -1 : x->first > y->first;
}

struct runs {
    struct export_run *at;
    size_t n, cap;
};

static bool
add(struct runs *r, const struct jb_event *e)
{
    if (r->n > 0 && r->at[r->n - 1].posted_on == e->posted_on) {
        r->at[r->n - 1].n++;
        return true;
    }
    if (r->n == r->cap) {
        const size_t cap = r->cap == 0 ? 64 : r->cap * 2;
        struct export_run *at = realloc(r->at, cap * sizeof *at);
        if (at == NULL) {
            return false;
        }
        r->at = at;
        r->cap = cap;
    }
    r->at[r->n++] = (struct export_run){e->posted_on, e->seq, 1};
    return true;
}

jb_status
export_sort(jb_ledger *l, jb_seq last, struct export_run **ret, size_t *ret_n, struct jb_error *err)
{
    struct runs r = {0};
    jb_cursor *c = NULL;
    jb_status status = jb_cursor_open(l, 1, &c, err);
    for (jb_seq seq = 0; status == JB_OK && seq < last; seq++) {
        const struct jb_event *e;
        status = jb_cursor_next(c, &e, err);
        if (status == JB_OK && !add(&r, e)) {
            status = err->status = JB_E_NOMEM;
            snprintf(err->text, sizeof err->text, tr("no memory to sort %llu events"),
                     (unsigned long long)last);
        }
    }
    jb_cursor_close(c);
    if (status == JB_OK || status == JB_END) {
        if (r.n > 0) {
            qsort(r.at, r.n, sizeof *r.at, compare_runs);
        }
        *ret = r.at;
        *ret_n = r.n;
        return JB_OK;
    }
    free(r.at);
    return status;
}
