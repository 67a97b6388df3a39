/* Several runs that stand side by side become one, in steps. */
#include "runs/run.h"

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

/* The least one; of equal ones that of the newest run, which comes first. m->n: none is left.
 * Nearly always one hash alone is the least: it is found without a branch, which nobody could
 * foresee. */
static unsigned
least(const struct jb_merge *m)
{
    uint64_t hash = UINT64_MAX;
    unsigned same = 0;
    for (unsigned i = 0; i < JB_MERGE_RUNS_MAX; i++) {
        hash = m->hashes[i] < hash ? m->hashes[i] : hash;
    }
    for (unsigned i = 0; i < JB_MERGE_RUNS_MAX; i++) {
        same |= (unsigned)(m->hashes[i] == hash && m->scans[i] != NULL) << i;
    }
    unsigned best = same == 0 ? m->n : 31U - (unsigned)__builtin_clz(same);
    for (unsigned i = best; (same & (same - 1)) != 0 && i-- > 0;) {
        if ((same & 1U << i) != 0 && compare(m->scans[i], m->scans[best]) < 0) {
            best = i;
        }
    }
    return best;
}

/* The next row of a scan, or none. */
static jb_status
step(struct jb_merge *m, unsigned i)
{
    jb_status status = jb_run_scan_next(m->scans[i]);
    m->bad = status == JB_E_STALE ? i : m->n;
    m->hashes[i] = status == JB_OK ? m->scans[i]->hash : UINT64_MAX;
    if (status == JB_E_NOTFOUND) {
        free(m->scans[i]);
        m->scans[i] = NULL;
        status = JB_OK;
    }
    return status;
}

jb_status
jb_merge_begin(struct jb_merge *m, const struct jb_run_place *place, struct jb_run **runs,
               unsigned n)
{
    *m = (struct jb_merge){.n = n, .bad = n, .out.fd = -1};
    uint64_t rows = 0;
    memset(m->hashes, 0xff, sizeof m->hashes);
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
        status = step(m, i);
    }
    return status;
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
        status = status == JB_OK ? step(m, i) : status;
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
