/* Several runs that stand side by side become one, in steps. */
#include "runs/run.h"

jb_status
jb_merge_begin(struct jb_merge *m, const struct jb_run_place *place, struct jb_run **runs,
               unsigned n)
{
    *m = (struct jb_merge){.n = n, .bad = n, .out.fd = -1};
    uint64_t rows = 0;
    for (unsigned i = 0; i < n; i++) {
        m->runs[i] = runs[i];
        jb_run_use(runs[i]);
        rows += runs[i]->rows;
    }
    struct jb_run_range range = runs[n - 1]->range;
    range.first = runs[0]->range.first;
    jb_status status = jb_run_write_begin(&m->out, place, &range, rows);
    for (unsigned i = 0; i < n && status == JB_OK; i++) {
        m->scans[i] = malloc(sizeof *m->scans[i]);
        if (m->scans[i] == NULL) {
            return JB_E_NOMEM;
        }
        jb_run_scan_begin(m->scans[i], runs[i]);
        status = jb_run_scan_next(m->scans[i]);
        m->bad = status == JB_E_STALE ? i : n;
        if (status == JB_E_NOTFOUND) { /* it has no rows */
            free(m->scans[i]);
            m->scans[i] = NULL;
            status = JB_OK;
        }
    }
    return status;
}

static int
compare(const struct jb_run_scan *a, const struct jb_run_scan *b)
{
    if (a->hash != b->hash) {
        return a->hash < b->hash ? -1 : 1;
    }
    size_t n = a->row.key_n < b->row.key_n ? a->row.key_n : b->row.key_n;
    int order = memcmp(a->row.key, b->row.key, n);
    return order != 0 ? order : (a->row.key_n > b->row.key_n) - (a->row.key_n < b->row.key_n);
}

/* The least one; of equal ones that of the newest run, which comes first. m->n: none is left. */
static unsigned
least(const struct jb_merge *m)
{
    unsigned best = m->n;
    for (unsigned i = m->n; i-- > 0;) {
        if (m->scans[i] != NULL && (best == m->n || compare(m->scans[i], m->scans[best]) < 0)) {
            best = i;
        }
    }
    return best;
}

jb_status
jb_merge_step(struct jb_merge *m, uint64_t rows, bool *ret_done)
{
    *ret_done = false;
    for (; rows > 0; rows--) {
        unsigned i = least(m);
        if (i == m->n) {
            *ret_done = true;
            return jb_run_write_finish(&m->out);
        }
        struct jb_run_scan *s = m->scans[i];
        jb_status status =
            jb_run_write_row(&m->out, s->row.key, s->row.key_n, s->row.value, s->row.value_n);
        if (status == JB_OK) {
            status = jb_run_scan_next(s);
            m->bad = status == JB_E_STALE ? i : m->n;
        }
        if (status == JB_E_NOTFOUND) {
            free(s);
            m->scans[i] = NULL;
            status = JB_OK;
        }
        if (status != JB_OK) {
            return status;
        }
    }
    return JB_OK;
}

void
jb_merge_end(struct jb_merge *m)
{
    jb_run_write_drop(&m->out);
    for (unsigned i = 0; i < m->n; i++) {
        free(m->scans[i]);
        jb_run_let_go(m->runs[i]);
    }
    m->n = 0;
}
