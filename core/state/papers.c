/* What is consumed by tax month, and the documents about it. */
#include "state/papers.h"

#include <assert.h>

#include "base/error.h"
#include "state/around.h"

#define WORDS(type) (sizeof(struct type) / 8)

static_assert(WORDS(jb_invoice_record) <= JB_FACT_WORDS_MAX, "a document does not fit a record");

static const struct jb_text no_text = {NULL, 0};

/* ---- records ---- */

static struct jb_fact_key
month_key(uint32_t wallet, uint64_t month)
{
    return jb_fact_key(JB_FACT_MONTH, 0, wallet, month);
}

/*
 * A wallet's first month has no record until there is an invoice about it or another month comes:
 * what is open stands in the wallet, and most wallets' first consumption writes nothing more.
 */
static jb_status
get_month(struct jb_state *b, const struct jb_wallet *w, uint64_t month, struct jb_tax_month *ret,
          bool *ret_found, struct jb_error *err)
{
    const struct jb_fact_key key = month_key(w->number, month);
    jb_status status = jb_fact_get(b, &key, ret, WORDS(jb_tax_month), NULL, ret_found, err);
    *ret_found |= status == JB_OK && month != 0 && w->tax_month == month;
    return status;
}

static jb_status
put_month(struct jb_state *b, uint32_t wallet, uint64_t month, const struct jb_tax_month *m,
          struct jb_error *err)
{
    const struct jb_fact_key key = month_key(wallet, month);
    return jb_fact_put(b, &key, m, WORDS(jb_tax_month), no_text, err);
}

static jb_status
get_wallet(struct jb_state *b, const struct jb_wallet *w, struct jb_wallet_papers *ret,
           struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_PAPERS, 0, w->number, 0);
    bool found;
    jb_status status = jb_fact_get(b, &key, ret, WORDS(jb_wallet_papers), NULL, &found, err);
    if (status == JB_OK && !found) {
        ret->newest_month = w->tax_month;
    }
    return status;
}

static jb_status
put_wallet(struct jb_state *b, uint32_t wallet, const struct jb_wallet_papers *p,
           struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_PAPERS, 0, wallet, 0);
    return jb_fact_put(b, &key, p, WORDS(jb_wallet_papers), no_text, err);
}

jb_status
jb_papers_invoice(struct jb_state *b, uint64_t number, struct jb_invoice_record *ret,
                  struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_INVOICE, 0, 0, number);
    bool found;
    return jb_fact_get(b, &key, ret, WORDS(jb_invoice_record), NULL, &found, err);
}

static jb_status
put_invoice(struct jb_state *b, uint64_t number, const struct jb_invoice_record *i,
            struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_INVOICE, 0, 0, number);
    return jb_fact_put(b, &key, i, WORDS(jb_invoice_record), no_text, err);
}

jb_status
jb_papers_slice(struct jb_state *b, uint64_t first, struct jb_slice *ret, struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_SLICE, 0, 0, first);
    bool found;
    return jb_fact_get(b, &key, ret, WORDS(jb_slice), NULL, &found, err);
}

static jb_status
put_slice(struct jb_state *b, uint64_t first, const struct jb_slice *s, struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_SLICE, 0, 0, first);
    return jb_fact_put(b, &key, s, WORDS(jb_slice), no_text, err);
}

jb_status
jb_papers_noticed(struct jb_state *b, uint32_t wallet, uint32_t grant, jb_seq *ret,
                  struct jb_error *err)
{
    const struct jb_fact_key key = jb_fact_key(JB_FACT_NOTICE, 0, wallet, grant);
    bool found;
    return jb_fact_get(b, &key, ret, 1, NULL, &found, err);
}

/* ---- sums ---- */

/* What no honest log takes beyond 64 bits stays at their end. */
static jb_amount
plus(jb_amount a, jb_amount b)
{
    jb_amount sum;
    return __builtin_add_overflow(a, b, &sum) ? (a < 0 ? INT64_MIN + 1 : INT64_MAX) : sum;
}

static jb_amount
minus(jb_amount a, jb_amount b)
{
    return plus(a, -b);
}

static jb_amount
magnitude(jb_amount a)
{
    return a < 0 ? -a : a;
}

/* Counts a difference, or counts it no more. */
static void
count(uint64_t *n, jb_amount *won, jb_amount difference, bool there)
{
    if (difference != 0) {
        *n += there ? 1U : UINT64_MAX;
        *won = there ? plus(*won, magnitude(difference)) : minus(*won, magnitude(difference));
    }
}

static void
count_month(struct jb_wallet_papers *p, const struct jb_tax_month *m, bool there)
{
    count(&p->uneven, &p->uneven_won, minus(m->net, m->covered), there);
}

static void
count_slice(struct jb_wallet_papers *p, const struct jb_slice *s, bool there)
{
    count(&p->torn, &p->torn_won, minus(s->documents, jb_slice_should(s)), there);
}

/* ---- rows ---- */

static jb_day
tax_day(int32_t utc_offset_s, const struct jb_event *e)
{
    if (e->occurred_at == e->recorded_at) {
        return e->posted_on; /* no day before its own was open */
    }
    jb_day occurred = jb_day_of(e->occurred_at, utc_offset_s),
           recorded = jb_day_of(e->recorded_at, utc_offset_s);
    return occurred < recorded ? occurred : recorded;
}

uint32_t
jb_papers_month_of(int32_t utc_offset_s, const struct jb_event *e)
{
    return jb_month_of(tax_day(utc_offset_s, e));
}

jb_amount
jb_papers_paid(const struct jb_event *e)
{
    const struct jb_parts parts = jb_event_parts(e);
    jb_amount paid = 0;
    for (uint32_t i = 0; i < parts.n; i++) {
        bool is_paid = parts.at[i].kind == JB_PART_LOT || parts.at[i].kind == JB_PART_DEBT;
        paid += is_paid ? parts.at[i].amount : 0;
    }
    return paid;
}

/* The open month gets its record. */
static jb_status
leave_month(struct jb_state *b, const struct jb_wallet *w, struct jb_wallet_papers *p,
            struct jb_error *err)
{
    struct jb_tax_month old;
    bool found;
    jb_status status = get_month(b, w, w->tax_month, &old, &found, err);
    if (status != JB_OK) {
        return status;
    }
    old.net = w->tax_net;
    old.newest = w->tax_newest;
    count_month(p, &old, true);
    return put_month(b, w->number, w->tax_month, &old, err);
}

/* Another month takes its place. */
static jb_status
change_month(struct jb_state *b, const struct jb_wallet *w, uint32_t month,
             struct jb_tax_month *ret, struct jb_error *err)
{
    struct jb_wallet_papers p;
    bool found = false;
    jb_status status = get_wallet(b, w, &p, err);
    status = status == JB_OK ? leave_month(b, w, &p, err) : status;
    status = status == JB_OK ? get_month(b, w, month, ret, &found, err) : status;
    if (status != JB_OK) {
        return status;
    }
    if (found) {
        count_month(&p, ret, false);
    } else {
        ret->older = p.newest_month;
        p.newest_month = month;
        status = put_month(b, w->number, month, ret, err);
    }
    return status == JB_OK ? put_wallet(b, w->number, &p, err) : status;
}

static jb_status
open_month(struct jb_state *b, struct jb_wallet *w, uint32_t month, struct jb_error *err)
{
    struct jb_tax_month new = {0};
    jb_status status = w->tax_month != 0 ? change_month(b, w, month, &new, err) : JB_OK;
    if (status != JB_OK) {
        return status;
    }
    w->tax_month = month;
    w->tax_net = new.net;
    w->tax_newest = new.newest;
    return JB_OK;
}

/* Nearly all days are of the month of the one before. */
static uint32_t
month_of(struct jb_state *b, jb_day day)
{
    struct jb_month_days *m = &b->month;
    if (m->month == 0 || day < m->first || day > m->last) {
        const uint32_t month = jb_month_of(day);
        *m = (struct jb_month_days){month, jb_month_first(month), jb_month_last(month)};
    }
    return m->month;
}

static jb_status
fold_row(struct jb_state *b, struct jb_wallet *w, jb_day day, jb_amount paid, jb_seq seq,
         struct jb_error *err)
{
    if (paid == 0) {
        return JB_OK;
    }
    const uint32_t month = month_of(b, day);
    if (w->tax_month != month) {
        if (month < b->g.invoice_from) {
            return JB_OK;
        }
        jb_status status = open_month(b, w, month, err);
        if (status != JB_OK) {
            return status;
        }
    }
    w->tax_net = plus(w->tax_net, paid);
    w->tax_newest = seq;
    return JB_OK;
}

static jb_status
contradicts(const char *why, const struct jb_event *e, struct jb_error *err)
{
    jb_fail(err, JB_E_CORRUPT, "event %llu contradicts the log before it: %s. Run `jangbu audit`",
            (unsigned long long)e->seq, jb_tr(why));
    if (err != NULL) {
        err->at = e->seq;
    }
    return JB_E_CORRUPT;
}

/* A return belongs to its consumption's month, whenever it comes. */
static jb_status
fold_return(struct jb_state *b, struct jb_wallet *w, const struct jb_event *e, struct jb_error *err)
{
    const struct jb_event *consumption;
    jb_seq seq = e->consumption_reversed.consumption;
    jb_amount paid = jb_papers_paid(e);
    if (paid == 0) {
        return JB_OK;
    }
    if (seq == 0 || seq >= e->seq) {
        return contradicts("a return names no consumption", e, err);
    }
    jb_status status = jb_state_event(b, seq, &consumption, err);
    if (status != JB_OK) {
        return status;
    }
    if (consumption->type != JB_EV_CASH_CONSUMED) {
        return contradicts("a return names no consumption", e, err);
    }
    return fold_row(b, w, tax_day(b->g.utc_offset_s, consumption), -paid, e->seq, err);
}

/* ---- documents ---- */

/* What is changed together. The month is one of the wallet's; `net` of the open one is the
 * wallet's. */
struct changed {
    struct jb_state *b;
    struct jb_wallet *w;
    const struct jb_event *e;
    struct jb_error *err;
    uint32_t month_no;
    uint64_t slice_no;
    struct jb_wallet_papers p;
    struct jb_tax_month month;
    struct jb_slice slice;
};

static bool
is_open(const struct changed *c)
{
    return c->w->tax_month == c->month_no;
}

/* Loads the month, and the slice (0: a new one), and counts them no more. */
static jb_status
begin(struct changed *c, uint32_t month, uint64_t slice)
{
    bool found;
    c->month_no = month;
    c->slice_no = slice;
    jb_status status = get_wallet(c->b, c->w, &c->p, c->err);
    status = status == JB_OK ? get_month(c->b, c->w, month, &c->month, &found, c->err) : status;
    if (status == JB_OK && !found) {
        return contradicts("an invoice is about a month in which nothing was consumed", c->e,
                           c->err);
    }
    if (status == JB_OK && slice != 0) {
        status = jb_papers_slice(c->b, slice, &c->slice, c->err);
    }
    if (status != JB_OK) {
        return status;
    }
    if (is_open(c)) {
        c->month.net = c->w->tax_net;
        c->month.newest = c->w->tax_newest;
    } else {
        count_month(&c->p, &c->month, false);
    }
    count_slice(&c->p, &c->slice, false);
    return JB_OK;
}

static jb_status
end(struct changed *c)
{
    if (!is_open(c)) {
        count_month(&c->p, &c->month, true);
    }
    count_slice(&c->p, &c->slice, true);
    jb_status status = put_wallet(c->b, c->w->number, &c->p, c->err);
    status =
        status == JB_OK ? put_month(c->b, c->w->number, c->month_no, &c->month, c->err) : status;
    return status == JB_OK ? put_slice(c->b, c->slice_no, &c->slice, c->err) : status;
}

static bool
is_first(uint64_t kind)
{
    return kind == JB_INVOICE_ORIGINAL || kind == JB_INVOICE_DELTA;
}

/* Rows of the month get a document of their own. */
static const char *
add_slice(struct changed *c)
{
    const struct jb_invoice_issued *i = &c->e->invoice_issued;
    struct jb_tax_month *m = &c->month;
    bool original = i->kind == JB_INVOICE_ORIGINAL;
    if (original != (m->original == 0) || i->original != m->original) {
        return "a month has two ORIGINAL invoices, or a DELTA and none";
    }
    if (i->after != m->through || i->through <= i->after || i->through >= c->e->seq) {
        return "an invoice does not begin where the one before it ended";
    }
    c->slice = (struct jb_slice){.rows = i->total,
                                 .vat = i->vat,
                                 .documents = i->total,
                                 .standing = i->invoice,
                                 .before = m->last,
                                 .after = i->after,
                                 .through = i->through,
                                 .written_on = i->written_on};
    m->covered = plus(m->covered, i->total);
    m->through = i->through;
    m->last = i->invoice;
    m->failed = 0;
    m->original = original ? i->invoice : m->original;
    return NULL;
}

/* A document is taken back, or another stands for it. */
static const char *
change_slice(struct changed *c, struct jb_invoice_record *back)
{
    const struct jb_invoice_issued *i = &c->e->invoice_issued;
    struct jb_slice *s = &c->slice;
    bool negative = i->kind == JB_INVOICE_NEGATIVE;
    if (i->after != s->after || i->through != s->through ||
        i->total != (negative ? -s->rows : s->rows)) {
        return "an invoice corrects other rows than its slice has";
    }
    s->documents = plus(s->documents, i->total);
    if (!negative) {
        if (s->standing != 0) {
            return "an invoice is corrected that was not taken back";
        }
        s->standing = i->invoice;
        s->outside = 0;
        return NULL;
    }
    if (i->original != s->standing && i->original != s->extra) {
        return "an invoice is taken back that is not in force";
    }
    *(i->original == s->standing ? &s->standing : &s->extra) = 0;
    s->replaced = i->original;
    s->outside = i->reason == JB_INVOICE_ISSUED_TWICE;
    back->negated = i->invoice;
    return NULL;
}

static jb_status
fold_issued(struct changed *c)
{
    const struct jb_invoice_issued *i = &c->e->invoice_issued;
    struct jb_invoice_record back = {0};
    bool first = is_first(i->kind);
    if (i->invoice != c->b->g.invoices + 1) {
        return contradicts("invoices are numbered with a gap", c->e, c->err);
    }
    jb_status status = first ? JB_OK : jb_papers_invoice(c->b, i->original, &back, c->err);
    if (status == JB_OK && !first &&
        (back.wallet != c->w->number || back.kind == JB_INVOICE_NEGATIVE ||
         back.state == JB_INVOICE_FAILED || back.month != i->month)) {
        return contradicts("an invoice corrects one that there is not", c->e, c->err);
    }
    status = status == JB_OK ? begin(c, i->month, first ? 0 : back.slice) : status;
    if (status != JB_OK) {
        return status;
    }
    c->slice_no = first ? i->invoice : back.slice;
    const char *why = first ? add_slice(c) : change_slice(c, &back);
    if (why != NULL) {
        return contradicts(why, c->e, c->err);
    }
    c->month.pending = c->month.pending_n == 0 ? i->invoice : c->month.pending;
    c->month.pending_n++;
    const struct jb_invoice_record record = {.wallet = c->w->number,
                                             .seq = c->e->seq,
                                             .kind = i->kind,
                                             .month = i->month,
                                             .total = i->total,
                                             .vat = i->vat,
                                             .state = JB_INVOICE_ISSUED,
                                             .slice = c->slice_no,
                                             .business = i->business,
                                             .original = i->original,
                                             .reason = i->reason,
                                             .older = c->p.last};
    c->p.last = i->invoice;
    c->p.n++;
    count(&c->p.unconfirmed, &c->p.unconfirmed_won, i->total, true);
    c->b->g.invoices++;
    c->b->g.totals_n = JB_TOTALS_N;
    bool added = jb_totals_add(&c->b->g, c->e->posted_on, JB_TOTAL_invoiced, i->total) &&
                 jb_totals_add(&c->b->g, c->e->posted_on, JB_TOTAL_invoiced_vat, i->vat);
    status = added ? put_invoice(c->b, i->invoice, &record, c->err)
                   : jb_fail(c->err, JB_E_NOMEM, "no memory for the ledger's state");
    if (status == JB_OK && i->kind == JB_INVOICE_NEGATIVE) {
        status = put_invoice(c->b, i->original, &back, c->err);
    }
    return status == JB_OK ? end(c) : status;
}

/* The document that an event is about. */
static jb_status
find(struct changed *c, uint64_t number, struct jb_invoice_record *ret)
{
    jb_status status = jb_papers_invoice(c->b, number, ret, c->err);
    return status == JB_OK && ret->wallet != c->w->number
               ? contradicts("an event is about an invoice that its wallet has not", c->e, c->err)
               : status;
}

/* Its rows are uninvoiced again. */
static const char *
drop_slice(struct changed *c, uint64_t number, const struct jb_invoice_record *i)
{
    struct jb_tax_month *m = &c->month;
    if (m->through != c->slice.through) {
        return "an invoice fails that is not the last one of its month";
    }
    m->through = c->slice.after;
    m->covered = minus(m->covered, i->total);
    m->original = m->original == number ? 0 : m->original;
    m->last = c->slice.before;
    m->failed = number;
    c->slice.rows = c->slice.documents = 0;
    c->slice.standing = 0;
    return NULL;
}

/* A correction that failed: what it changed is as before; but a slice that stood outside does not
 * any more, once somebody asked for its document again. */
static jb_status
undo_correction(struct changed *c, uint64_t number, const struct jb_invoice_record *i)
{
    struct jb_slice *s = &c->slice;
    struct jb_invoice_record back;
    s->documents = minus(s->documents, i->total);
    if (i->kind == JB_INVOICE_CORRECTED) {
        if (s->standing != number) {
            return contradicts("an invoice fails that is not in force", c->e, c->err);
        }
        s->standing = s->extra;
        s->extra = 0;
        return JB_OK;
    }
    jb_status status = jb_papers_invoice(c->b, i->original, &back, c->err);
    if (status != JB_OK || (s->standing != 0 && s->extra != 0)) {
        return status != JB_OK ? status
                               : contradicts("an invoice fails that is not in force", c->e, c->err);
    }
    *(s->standing == 0 ? &s->standing : &s->extra) = i->original;
    s->outside = 0;
    back.negated = 0;
    return put_invoice(c->b, i->original, &back, c->err);
}

static jb_status
fold_failed(struct changed *c, uint64_t number, const struct jb_invoice_record *i)
{
    const char *why = is_first(i->kind) ? drop_slice(c, number, i) : NULL;
    if (why != NULL) {
        return contradicts(why, c->e, c->err);
    }
    jb_status status = is_first(i->kind) ? JB_OK : undo_correction(c, number, i);
    bool added = jb_totals_add(&c->b->g, c->e->posted_on, JB_TOTAL_invoiced, -i->total) &&
                 jb_totals_add(&c->b->g, c->e->posted_on, JB_TOTAL_invoiced_vat, -i->vat);
    return added ? status : jb_fail(c->err, JB_E_NOMEM, "no memory for the ledger's state");
}

/* Confirmed or failed. */
static jb_status
fold_ended(struct changed *c, uint64_t number, bool failed)
{
    struct jb_invoice_record i;
    jb_status status = find(c, number, &i);
    if (status == JB_OK && i.state != JB_INVOICE_ISSUED) {
        return contradicts("an invoice is confirmed or fails that was before", c->e, c->err);
    }
    status = status == JB_OK ? begin(c, (uint32_t)i.month, i.slice) : status;
    status = status == JB_OK && failed ? fold_failed(c, number, &i) : status;
    if (status != JB_OK) {
        return status;
    }
    /* There are at most two, one behind the other: those of a correction. */
    c->month.pending_n--;
    c->month.pending = c->month.pending_n == 0      ? 0
                       : c->month.pending == number ? number + 1
                                                    : c->month.pending;
    count(&c->p.unconfirmed, &c->p.unconfirmed_won, i.total, false);
    i.state = failed ? JB_INVOICE_FAILED : JB_INVOICE_CONFIRMED;
    i.ended = c->e->seq;
    status = put_invoice(c->b, number, &i, c->err);
    return status == JB_OK ? end(c) : status;
}

static jb_status
fold_mailed(struct changed *c)
{
    struct jb_invoice_record i;
    jb_status status = find(c, c->e->invoice_mailed.invoice, &i);
    if (status != JB_OK) {
        return status;
    }
    i.mailed = c->e->seq;
    i.mails++;
    return put_invoice(c->b, c->e->invoice_mailed.invoice, &i, c->err);
}

static jb_status
fold_document(struct jb_state *b, struct jb_wallet *w, const struct jb_event *e,
              struct jb_error *err)
{
    struct changed c = {.b = b, .w = w, .e = e, .err = err};
    switch (e->type) {
    case JB_EV_INVOICE_ISSUED:
        return fold_issued(&c);
    case JB_EV_INVOICE_CONFIRMED:
        return fold_ended(&c, e->invoice_confirmed.invoice, false);
    case JB_EV_INVOICE_FAILED:
        return fold_ended(&c, e->invoice_failed.invoice, true);
    case JB_EV_INVOICE_MAILED:
        return fold_mailed(&c);
    default:
        return JB_OK;
    }
}

/* Rows come first, and without what documents take: there are thousands of them to a document. */
jb_status
jb_papers_fold(struct jb_state *b, struct jb_cached_wallet *s, const struct jb_event *e,
               struct jb_error *err)
{
    switch (e->type) {
    case JB_EV_CASH_CONSUMED:
        return fold_row(b, &s->w, tax_day(b->g.utc_offset_s, e), jb_papers_paid(e), e->seq, err);
    case JB_EV_CONSUMPTION_REVERSED:
        return fold_return(b, &s->w, e, err);
    case JB_EV_NOTICE_SENT: {
        const struct jb_fact_key key =
            jb_fact_key(JB_FACT_NOTICE, 0, s->w.number, e->notice_sent.grant_no);
        return jb_fact_put(b, &key, &e->seq, 1, no_text, err);
    }
    default:
        return fold_document(b, &s->w, e, err);
    }
}

/* ---- looking ---- */

jb_status
jb_papers_month(struct jb_state *b, const struct jb_wallet *w, uint32_t month,
                struct jb_tax_month *ret, struct jb_error *err)
{
    bool found;
    jb_status status = get_month(b, w, month, ret, &found, err);
    if (status == JB_OK && w->tax_month == month && month != 0) {
        ret->net = w->tax_net;
        ret->newest = w->tax_newest;
    }
    return status;
}

/* ret_open: the month that is open, if there is one. */
static jb_status
look_wallet(struct jb_state *b, const struct jb_wallet *w, struct jb_wallet_papers *ret,
            struct jb_tax_month *ret_open, struct jb_error *err)
{
    jb_status status = get_wallet(b, w, ret, err);
    if (status != JB_OK || w->tax_month == 0) {
        return status;
    }
    status = jb_papers_month(b, w, w->tax_month, ret_open, err);
    if (status == JB_OK) {
        count_month(ret, ret_open, true);
    }
    return status;
}

jb_status
jb_papers_wallet(struct jb_state *b, const struct jb_wallet *w, struct jb_wallet_papers *ret,
                 struct jb_error *err)
{
    struct jb_tax_month open;
    return look_wallet(b, w, ret, &open, err);
}

static jb_status
look_business(struct jb_state *b, const struct jb_wallet *w, const struct jb_wallet_around *around,
              jb_seq *ret, struct jb_error *err)
{
    struct jb_wallet_around found;
    struct jb_biz_number n = {0};
    jb_status status = around == NULL ? jb_around_wallet(b, w->number, &found, err) : JB_OK;
    const struct jb_wallet_around *a = around != NULL ? around : &found;
    if (status == JB_OK && a->biz.number != 0) {
        status = jb_around_biz(b, a->biz.number, &n, err);
    }
    *ret = n.approved > n.forgotten ? n.approved : 0;
    return status;
}

/* The document, its slice, and what of it a NEGATIVE would take back. */
static jb_status
look_invoice(struct jb_state *b, const struct jb_wallet *w, uint64_t number, struct jb_papers *ret,
             struct jb_error *err)
{
    const struct jb_event *e;
    jb_status status = jb_papers_invoice(b, number, &ret->invoice, err);
    if (status != JB_OK || ret->invoice.wallet != w->number) {
        ret->invoice = (struct jb_invoice_record){0};
        return status;
    }
    ret->month_no = (uint32_t)ret->invoice.month;
    status = jb_papers_slice(b, ret->invoice.slice, &ret->slice, err);
    uint64_t back = ret->slice.extra != 0 ? ret->slice.extra : ret->slice.standing;
    if (status == JB_OK && back != 0) {
        status = jb_papers_invoice(b, back, &ret->back, err);
    }
    status = status == JB_OK ? jb_state_event(b, ret->invoice.seq, &e, err) : status;
    ret->invoice_email = status == JB_OK ? e->invoice_issued.email : 0;
    return status;
}

/* Only a month that has its ORIGINAL gets a document of another day than its last. */
static jb_status
look_newest(struct jb_state *b, struct jb_papers *ret, struct jb_error *err)
{
    const struct jb_event *e;
    jb_status status = jb_state_event(b, ret->month.newest, &e, err);
    ret->newest_on = status == JB_OK ? e->posted_on : JB_NO_DAY;
    return status;
}

jb_status
jb_papers_look(struct jb_state *b, const struct jb_wallet *w, const struct jb_wallet_around *around,
               uint64_t number, uint32_t month, struct jb_papers *ret, struct jb_error *err)
{
    struct jb_tax_month open = {0};
    *ret = (struct jb_papers){.counted = b->g.invoice_from != 0 && w->kind == JB_KIND_BUSINESS,
                              .month_no = month};
    jb_status status = look_wallet(b, w, &ret->of, &open, err);
    status = status == JB_OK && number != 0 ? look_invoice(b, w, number, ret, err) : status;
    if (status == JB_OK && ret->month_no != 0 && ret->month_no == w->tax_month) {
        ret->month = open;
    } else if (status == JB_OK && ret->month_no != 0) {
        status = jb_papers_month(b, w, ret->month_no, &ret->month, err);
    }
    if (status == JB_OK && ret->month.newest != 0 && ret->month.original != 0) {
        status = look_newest(b, ret, err);
    }
    return status == JB_OK ? look_business(b, w, around, &ret->business, err) : status;
}

/* ---- looking soon ---- */

/* The number of the registration comes with what stands around the wallet. A failure comes again.
 */
static void
warm_businesses(struct jb_state *b, const struct jb_fact_key *wallets, size_t n)
{
    struct jb_fact_key keys[JB_WARM_MAX];
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        struct jb_wallet_around a;
        bool known;
        jb_status status =
            jb_fact_get(b, &wallets[i], &a, WORDS(jb_wallet_around), NULL, &known, NULL);
        if (status == JB_OK && a.biz.number != 0) {
            keys[found++] = jb_fact_key(JB_FACT_BIZ, 0, 0, a.biz.number);
        }
    }
    jb_facts_warm(b, keys, found, false);
}

void
jb_papers_warm(struct jb_state *b, const struct jb_command *commands, const uint32_t *wallets,
               size_t n)
{
    struct jb_fact_key around[JB_WARM_MAX] = {{{0}}}, keys[2 * JB_WARM_MAX], new[2 * JB_WARM_MAX];
    size_t issued = 0;
    for (size_t i = 0; i < n && i < JB_WARM_MAX; i++) {
        if (commands[i].op == JB_OP_INVOICE_ISSUE && wallets[i] != 0) {
            uint64_t number = b->g.invoices + 1 + issued;
            around[issued] = jb_fact_key(JB_FACT_WALLET, 0, wallets[i], 0);
            keys[2 * issued] = month_key(wallets[i], commands[i].month);
            keys[2 * issued + 1] = jb_fact_key(JB_FACT_PAPERS, 0, wallets[i], 0);
            new[2 * issued] = jb_fact_key(JB_FACT_INVOICE, 0, 0, number);
            new[2 * issued + 1] = jb_fact_key(JB_FACT_SLICE, 0, 0, number);
            issued++;
        }
    }
    jb_facts_warm(b, around, issued, false);
    jb_facts_warm(b, keys, 2 * issued, false);
    jb_facts_warm(b, new, 2 * issued, true);
    warm_businesses(b, around, issued);
}

jb_status
jb_papers_uneven(struct jb_state *b, const struct jb_wallet *w, uint32_t *ret_first,
                 uint32_t *ret_last, struct jb_error *err)
{
    struct jb_wallet_papers p;
    struct jb_tax_month m = {0};
    jb_status status = get_wallet(b, w, &p, err);
    uint64_t month = status == JB_OK ? p.newest_month : 0;
    *ret_first = *ret_last = 0;
    for (; month != 0 && status == JB_OK; month = m.older) {
        status = jb_papers_month(b, w, (uint32_t)month, &m, err);
        if (status == JB_OK && m.net != m.covered) {
            *ret_first = *ret_first == 0 || month < *ret_first ? (uint32_t)month : *ret_first;
            *ret_last = month > *ret_last ? (uint32_t)month : *ret_last;
        }
    }
    return status;
}
