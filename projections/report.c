/*
 * A tax month by document. Its rows are found in the wallet's chain, from the newest back to the
 * month's first day; the documents are those of the ledger. Each document's rows must come to its
 * total, and the rows to what the cash status has, with what is posted elsewhere: two ways to one
 * figure each.
 */
#include "projections/page.h"

#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/steps.h"

/* Rows that are told at once, between two looks at the log. */
#define ROWS_AT_ONCE 256

/* A row of the month, newest first. */
struct entry {
    jb_seq seq;
    jb_seq consumption; /* of a return */
    jb_amount amount;
};

struct told_row {
    struct jb_invoice_row row;
    char usage[JB_ID_BYTES_MAX];
};

struct making {
    struct jb_views *v;
    struct jb_error *err;
    uint32_t wallet;
    struct jb_report r;
    jb_day closed_through;
    jb_seq top; /* where the walk begins; 0: there is nothing to be walked */
    jb_cursor *chain;
    jb_cursor *consumptions; /* for what a return brings back */
    JB_VEC(struct entry) entries;
    JB_VEC(struct jb_invoice) documents;
    struct told_row rows[ROWS_AT_ONCE];
    bool (*each)(void *data, const struct jb_report *report, const struct jb_invoice *document,
                 const struct jb_invoice_row *row);
    void *data;
    bool more;
    bool no_memory;
};

static void
add(struct making *m, jb_amount *sum, jb_amount amount, jb_status *status)
{
    if (*status == JB_OK && __builtin_add_overflow(*sum, amount, sum)) {
        *status = jb_fail(m->err, JB_E_RANGE,
                          "the sums of a report are too large for a number of 64 bits");
    }
}

/* ---- the days ---- */

static jb_status
read_cash(struct making *m, const struct jb_row_list *days)
{
    jb_status status = JB_OK;
    for (size_t i = 0; i < days->n && status == JB_OK; i++) {
        struct jb_cash_row row;
        if (m->r.through == JB_NO_DAY || days->at[i].day > m->r.through) {
            break;
        }
        status = jb_row_shown(&days->at[i], &row, m->err);
        if (status == JB_OK) {
            add(m, &m->r.consumed_paid, row.consumed_paid, &status);
            add(m, &m->r.returned, row.returned, &status);
        }
    }
    return status;
}

/* The month's days as they are published; *ret_last: the last event that is posted to one. */
static jb_status
read_days(struct jb_view_read *q, struct making *m, jb_seq *ret_last)
{
    struct jb_row_list days = {0};
    struct jb_summary then;
    jb_status status = jb_view_read_summary(q, m->wallet, m->r.as_of.seq, &then, m->err);
    if (status != JB_OK) {
        return status;
    }
    const bool there = then.created_on <= m->r.to;
    jb_summary_free(&then);
    if (!there) {
        return jb_not_yet(q, m->wallet, 0, m->err);
    }
    status = jb_view_read_rows(q, JB_VT_ROWS, m->wallet, m->r.from, m->r.to, &days, m->err);
    status = status == JB_OK ? read_cash(m, &days) : status;
    for (size_t i = 0; i < days.n; i++) {
        *ret_last = days.at[i].last_seq > *ret_last ? days.at[i].last_seq : *ret_last;
    }
    jb_vec_free(&days);
    return status;
}

/* The moment, and where the walk begins. */
static jb_status
read_views(struct making *m, const struct jb_as_of *as_of)
{
    struct jb_view_read q;
    struct jb_as_of_point r;
    jb_seq last = 0, newest = 0, from = 0;
    bool counted = false;
    jb_status status = jb_view_read_begin_at(m->v, as_of, &q, &r, m->err);
    if (status != JB_OK) {
        return status;
    }
    m->r.as_of = r.moment;
    m->closed_through = r.closed_through;
    if (r.closed_through != JB_NO_DAY && r.closed_through >= m->r.from) {
        m->r.through = r.closed_through < m->r.to ? r.closed_through : m->r.to;
    }
    status = read_days(&q, m, &last);
    status =
        status == JB_OK ? jb_view_read_anchor(&q, m->wallet, r.moment.seq, &from, m->err) : status;
    jb_view_read_end(&q);
    status = status == JB_OK
                 ? jb_reader_tax_month(m->v->l, m->wallet, m->r.month, &counted, &newest, m->err)
                 : status;
    const jb_seq top = newest > last ? newest : last;
    m->top = counted && top <= r.moment.seq ? top : from;
    m->r.counted = counted;
    return status;
}

/* ---- the chain ---- */

static jb_amount
paid_of(const struct jb_event *e)
{
    const struct jb_parts parts = jb_event_parts(e);
    jb_amount paid = 0;
    for (uint32_t i = 0; i < parts.n; i++) {
        bool is_paid = parts.at[i].kind == JB_PART_LOT || parts.at[i].kind == JB_PART_DEBT;
        paid += is_paid ? parts.at[i].amount : 0;
    }
    return paid;
}

/* Of a consumption. */
static uint32_t
tax_month_of(const struct making *m, const struct jb_event *e)
{
    const int32_t offset = m->v->info.utc_offset_s;
    const jb_day occurred = jb_day_of(e->occurred_at, offset),
                 recorded = jb_day_of(e->recorded_at, offset);
    return jb_month_of(occurred < recorded ? occurred : recorded);
}

/* A consumption or a return: *ret the consumption, or that which it brings back. */
static jb_status
consumption_of(struct making *m, const struct jb_event *e, const struct jb_event **ret)
{
    if (e->type == JB_EV_CASH_CONSUMED) {
        *ret = e;
        return JB_OK;
    }
    const jb_seq of = e->consumption_reversed.consumption;
    jb_status status = jb_chain_event(m->consumptions, of, m->wallet, ret, m->err);
    return status == JB_OK && (*ret)->type != JB_EV_CASH_CONSUMED
               ? jb_fail(m->err, JB_E_CORRUPT,
                         "event %llu contradicts the log before it: a return names no "
                         "consumption. Run `jangbu audit`",
                         (unsigned long long)e->seq)
               : status;
}

/* What it is to the days of the month. */
static void
count_posted(struct making *m, const struct jb_event *e, jb_amount amount, bool of_month,
             jb_status *status)
{
    const bool here = e->posted_on >= m->r.from && e->posted_on <= m->r.to;
    if (!here) {
        add(m, &m->r.elsewhere, of_month ? amount : 0, status);
        return;
    }
    add(m, &m->r.other_months, of_month ? 0 : amount, status);
    if (m->closed_through == JB_NO_DAY || e->posted_on > m->closed_through) {
        add(m, &m->r.open, amount, status);
    } else if (e->type == JB_EV_CONSUMPTION_REVERSED) {
        add(m, &m->r.returned_free, jb_event_amount(e) + amount, status);
    }
}

static jb_status
note_event(struct making *m, const struct jb_event *e)
{
    const struct jb_event *consumption;
    const bool back = e->type == JB_EV_CONSUMPTION_REVERSED;
    if (e->type != JB_EV_CASH_CONSUMED && !back) {
        return JB_OK;
    }
    jb_status status = consumption_of(m, e, &consumption);
    if (status != JB_OK) {
        return status;
    }
    const jb_amount amount = back ? -paid_of(e) : paid_of(e);
    const bool of_month = tax_month_of(m, consumption) == m->r.month;
    count_posted(m, e, amount, of_month, &status);
    if (status != JB_OK || !of_month || amount == 0) {
        return status;
    }
    if (!jb_vec_reserve(&m->entries, m->entries.n + 1)) {
        return jb_fail(m->err, JB_E_NOMEM, "no memory for the rows of a report");
    }
    m->entries.at[m->entries.n++] =
        (struct entry){.seq = e->seq, .consumption = back ? consumption->seq : 0, .amount = amount};
    add(m, &m->r.net, amount, &status);
    m->r.rows++;
    return status;
}

/* Nothing that was recorded before the month is of it, or posted to it. */
static jb_status
walk(struct making *m)
{
    const jb_instant begin = jb_day_start(m->r.from, m->v->info.utc_offset_s);
    jb_status status = JB_OK;
    for (jb_seq seq = m->top; seq != 0 && status == JB_OK;) {
        const struct jb_event *e;
        status = jb_chain_event(m->chain, seq, m->wallet, &e, m->err);
        if (status != JB_OK || e->recorded_at < begin) {
            break;
        }
        const jb_seq before = e->prev;
        status = seq <= m->r.as_of.seq ? note_event(m, e) : JB_OK;
        seq = before;
    }
    return status;
}

/* ---- documents ---- */

static bool
keep_document(void *data, const struct jb_invoice *i)
{
    struct making *m = data;
    m->no_memory = !jb_vec_reserve(&m->documents, m->documents.n + 1);
    if (!m->no_memory) {
        m->documents.at[m->documents.n++] = *i;
    }
    return !m->no_memory;
}

static jb_status
read_documents(struct making *m, struct jb_text wallet)
{
    const struct jb_invoices_query query = {
        .size = sizeof query, .wallet = wallet, .month = m->r.month, .seq = m->r.as_of.seq};
    uint64_t next;
    if (!m->r.counted) {
        return JB_OK;
    }
    jb_status status = jb_invoices_at(m->v->l, &query, keep_document, m, &next, m->err);
    m->r.documents = (uint32_t)m->documents.n;
    return m->no_memory ? jb_fail(m->err, JB_E_NOMEM, "no memory for invoices") : status;
}

static bool
failed(const struct jb_invoice *i)
{
    return i->state == JB_INVOICE_FAILED;
}

/* Whether it was the first of its slice, and stands. */
static bool
is_slice(const struct jb_invoice *i)
{
    return (i->kind == JB_INVOICE_ORIGINAL || i->kind == JB_INVOICE_DELTA) && !failed(i);
}

/* By slice, and of one slice in the order of their numbers. */
static int
by_slice(const void *a, const void *b)
{
    const struct jb_invoice *x = *(const struct jb_invoice *const *)a;
    const struct jb_invoice *y = *(const struct jb_invoice *const *)b;
    const uint64_t of[][2] = {
        {x->after, y->after}, {x->through, y->through}, {x->invoice, y->invoice}};
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        if (of[i][0] != of[i][1]) {
            return of[i][0] < of[i][1] ? -1 : 1;
        }
    }
    return 0;
}

/* What is missing in the n documents of one slice: nothing where they add up to its rows. */
static void
count_slice(struct making *m, const struct jb_invoice *const *of, size_t n, jb_status *status)
{
    jb_amount missing = 0;
    bool outside = false, stands = false;
    for (size_t i = 0; i < n && *status == JB_OK; i++) {
        const struct jb_invoice *d = of[i];
        const bool correction = d->kind == JB_INVOICE_NEGATIVE || d->kind == JB_INVOICE_CORRECTED;
        if (is_slice(d)) {
            stands = true; /* its rows, less itself */
        } else if (correction) {
            outside = d->reason == JB_INVOICE_ISSUED_TWICE && !failed(d);
            add(m, &missing, failed(d) ? 0 : -d->total, status);
        }
    }
    if (stands) {
        add(m, outside ? &m->r.outside : &m->r.unsettled, missing, status);
    }
}

static jb_status
count_slices(struct making *m)
{
    const size_t n = m->documents.n;
    const struct jb_invoice **order = n > 0 ? malloc(n * sizeof *order) : NULL;
    jb_status status = JB_OK;
    if (n > 0 && order == NULL) {
        return jb_fail(m->err, JB_E_NOMEM, "no memory for invoices");
    }
    for (size_t i = 0; i < n; i++) {
        order[i] = &m->documents.at[i];
    }
    if (n > 1) {
        qsort((void *)order, n, sizeof *order, by_slice);
    }
    for (size_t i = 0, end; i < n && status == JB_OK; i = end) {
        for (end = i + 1; end < n && order[end]->after == order[i]->after &&
                          order[end]->through == order[i]->through;) {
            end++;
        }
        count_slice(m, order + i, end - i, &status);
    }
    free((void *)order);
    jb_steps.moved += n;
    return status;
}

/* The first of the rows, which go from the newest on, that is not behind `seq`. */
static size_t
first_up_to(const struct making *m, jb_seq seq)
{
    size_t low = 0, high = m->entries.n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (m->entries.at[middle].seq > seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* What the rows behind `after`, up to `through`, come to. */
static jb_amount
rows_between(const struct making *m, jb_seq after, jb_seq through)
{
    jb_amount sum = 0;
    for (size_t i = first_up_to(m, through); i < m->entries.n; i++) {
        const struct entry *r = &m->entries.at[i];
        jb_steps.moved++;
        if (r->seq <= after) {
            break;
        }
        sum += r->amount; /* of rows that fit into net */
    }
    return sum;
}

static jb_status
count_documents(struct making *m, jb_seq *ret_through)
{
    jb_status status = JB_OK;
    *ret_through = 0;
    for (size_t i = 0; i < m->documents.n && status == JB_OK; i++) {
        const struct jb_invoice *d = &m->documents.at[i];
        if (is_slice(d) && rows_between(m, d->after, d->through) != d->total) {
            return jb_fail(m->err, JB_E_CORRUPT,
                           "the rows of invoice %llu do not come to its total. Run `jangbu audit`",
                           (unsigned long long)d->invoice);
        }
        add(m, &m->r.invoiced, failed(d) ? 0 : d->total, &status);
        add(m, &m->r.vat, failed(d) ? 0 : d->vat, &status);
        if (is_slice(d)) {
            *ret_through = d->through > *ret_through ? d->through : *ret_through;
        }
    }
    m->r.uninvoiced = rows_between(m, *ret_through, m->r.as_of.seq);
    return status == JB_OK ? count_slices(m) : status;
}

/* The two sums of the declaration. */
static jb_status
check(struct making *m)
{
    const struct jb_report *r = &m->r;
    const jb_wide papers = (jb_wide)r->invoiced + r->uninvoiced + r->outside + r->unsettled;
    const jb_wide days = (jb_wide)r->consumed_paid - r->returned + r->returned_free + r->open -
                         r->other_months + r->elsewhere;
    return papers == r->net && days == r->net
               ? JB_OK
               : jb_fail(m->err, JB_E_CORRUPT,
                         "the rows of a tax month do not come to its documents, or to the cash "
                         "status. Run `jangbu audit`");
}

/* ---- telling ---- */

static jb_status
read_row(struct making *m, const struct entry *from, bool mirrored, struct told_row *to)
{
    const struct jb_event *e;
    jb_status status = jb_chain_event(m->chain, from->seq, m->wallet, &e, m->err);
    if (status != JB_OK) {
        return status;
    }
    to->row = (struct jb_invoice_row){.seq = from->seq,
                                      .consumption = from->consumption,
                                      .amount = mirrored ? -from->amount : from->amount,
                                      .occurred_at = e->occurred_at,
                                      .posted_on = e->posted_on};
    status = consumption_of(m, e, &e);
    if (status == JB_OK) {
        const struct jb_text usage = e->cash_consumed.usage;
        to->row.usage.n = usage.n <= sizeof to->usage ? usage.n : 0;
        memcpy(to->usage, to->row.usage.n > 0 ? usage.s : "", to->row.usage.n);
        to->row.usage.s = to->row.usage.n > 0 ? to->usage : NULL;
    }
    return status;
}

/* The rows behind `after`, up to `through`, from the oldest on: some are read, then they are told
 * while nothing of the log is held. */
static jb_status
tell_rows(struct making *m, const struct jb_invoice *d, jb_seq after, jb_seq through)
{
    const bool mirrored = d != NULL && d->kind == JB_INVOICE_NEGATIVE;
    const size_t newest = first_up_to(m, through);
    jb_status status = JB_OK;
    for (size_t left = first_up_to(m, after); left > newest && status == JB_OK && m->more;) {
        size_t n = 0;
        for (; left > newest && n < ROWS_AT_ONCE && status == JB_OK; left--) {
            status = read_row(m, &m->entries.at[left - 1], mirrored, &m->rows[n++]);
        }
        jb_cursor_rest(m->chain); /* each may take its time */
        jb_cursor_rest(m->consumptions);
        for (size_t i = 0; i < n && status == JB_OK && m->more; i++) {
            m->more = m->each(m->data, &m->r, d, &m->rows[i].row);
        }
    }
    return status;
}

static jb_status
tell(struct making *m, jb_seq through)
{
    jb_status status = JB_OK;
    for (size_t i = 0; i < m->documents.n && status == JB_OK && m->more; i++) {
        const struct jb_invoice *d = &m->documents.at[i];
        m->more = m->each(m->data, &m->r, d, NULL);
        if (m->more && !failed(d)) {
            status = tell_rows(m, d, d->after, d->through);
        }
    }
    return status == JB_OK && m->more ? tell_rows(m, NULL, through, m->r.as_of.seq) : status;
}

/* ---- all of it ---- */

static jb_status
make(struct making *m, struct jb_text wallet, const struct jb_as_of *as_of)
{
    jb_seq through = 0;
    jb_status status = read_views(m, as_of);
    status = status == JB_OK ? jb_wallet_text(m->v->l, m->wallet, m->r.wallet, m->err) : status;
    status = status == JB_OK ? jb_cursor_open(m->v->l, 1, &m->chain, m->err) : status;
    status = status == JB_OK ? jb_cursor_open(m->v->l, 1, &m->consumptions, m->err) : status;
    status = status == JB_OK ? walk(m) : status;
    status = status == JB_OK ? read_documents(m, wallet) : status;
    status = status == JB_OK ? count_documents(m, &through) : status;
    status = status == JB_OK ? check(m) : status;
    return status == JB_OK && m->more ? tell(m, through) : status;
}

static jb_status
make_report(struct making *m, struct jb_text wallet, const struct jb_as_of *as_of)
{
    jb_status status = jb_find_wallet(m->v->l, wallet, &m->wallet, m->err);
    m->r.number = m->wallet;
    status = status == JB_OK ? make(m, wallet, as_of) : status;
    jb_cursor_close(m->chain);
    jb_cursor_close(m->consumptions);
    jb_vec_free(&m->entries);
    jb_vec_free(&m->documents);
    return status;
}

jb_status
jb_report_get(jb_views *v, struct jb_text wallet, uint32_t month, const struct jb_as_of *as_of,
              bool (*each)(void *data, const struct jb_report *report,
                           const struct jb_invoice *document, const struct jb_invoice_row *row),
              void *data, struct jb_report *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_report_get");
    }
    if (!jb_month_valid(month)) {
        return jb_fail(err, JB_E_USAGE, "a tax month is a number like 202603");
    }
    struct making *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory for the rows of a report");
    }
    m->v = v;
    m->err = err;
    m->each = each;
    m->data = data;
    m->more = each != NULL;
    m->r = (struct jb_report){.size = sizeof m->r,
                              .month = month,
                              .from = jb_month_first(month),
                              .to = jb_month_last(month),
                              .through = JB_NO_DAY};
    jb_status status = make_report(m, wallet, as_of);
    const struct jb_report report = m->r;
    free(m);
    return status == JB_OK ? jb_abi_out(ret, &report, sizeof report, err) : status;
}
