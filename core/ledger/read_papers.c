/* Tax invoices, for those who ask: docs/rules.md section 15. What they are is looked up while the
 * read state is held, which nobody else can read meanwhile. The rows of one, as many as a wallet
 * has in a month, are read behind that: they stand in the log alone. */
#include "base/steps.h"
#include "ledger/internal.h"
#include "state/papers.h"

struct found_row {
    struct jb_invoice_row row;
    char usage[JB_ID_BYTES_MAX];
};

struct asking {
    struct jb_ledger *l;
    jb_seq last; /* what came behind it is not seen */
    struct jb_state *b;
    struct jb_error *err;
    jb_instant now;
    bool more;
    JB_VEC(uint64_t) numbers;
    JB_VEC(struct jb_invoice) invoices;
    JB_VEC(struct found_row) rows;
};

static jb_status
ask(struct jb_ledger *l, struct asking *a, struct jb_error *err)
{
    struct jb_reader_head head;
    *a = (struct asking){.l = l, .err = err};
    jb_status status = jb_ledger_now(l, &a->now, err);
    status = status == JB_OK ? jb_reader_begin(l, &head, err) : status;
    if (status == JB_OK) {
        a->b = l->read_state;
        a->now = head.recorded_at > a->now ? head.recorded_at : a->now;
    }
    return status;
}

static void
asked(struct asking *a)
{
    jb_reader_end(a->l);
}

static void
forget(struct asking *a)
{
    jb_vec_free(&a->numbers);
    jb_vec_free(&a->invoices);
    jb_vec_free(&a->rows);
}

static jb_status
no_memory(struct asking *a)
{
    return jb_fail(a->err, JB_E_NOMEM, "no memory for invoices");
}

static void
put_text(char *to, size_t room, struct jb_text t)
{
    size_t n = t.n < room ? t.n : 0;
    memcpy(to, n > 0 ? t.s : "", n);
    to[n] = '\0';
}

/* ---- one ---- */

/* What was asked for and then approved. */
static jb_status
put_business(struct asking *a, jb_seq approved, struct jb_invoice *ret)
{
    const struct jb_event *e;
    ret->business = approved;
    jb_status status = jb_state_event(a->b, approved, &e, a->err);
    const jb_seq request =
        status == JB_OK && e->type == JB_EV_BIZ_APPROVED ? e->biz_approved.request : 0;
    status = request != 0 ? jb_state_event(a->b, request, &e, a->err) : status;
    if (status != JB_OK || request == 0 || e->type != JB_EV_BIZ_REQUESTED) {
        return status;
    }
    const struct jb_biz_requested *r = &e->biz_requested;
    ret->record = (struct jb_biz_record){.request = request,
                                         .base = r->base,
                                         .name = r->name,
                                         .representative = r->representative,
                                         .address = r->address};
    put_text(ret->record.biz, sizeof ret->record.biz, r->biz);
    return JB_OK;
}

static jb_status
put_end(struct asking *a, jb_seq seq, struct jb_invoice *ret)
{
    const struct jb_event *e;
    jb_status status = seq != 0 ? jb_state_event(a->b, seq, &e, a->err) : JB_OK;
    if (status != JB_OK || seq == 0) {
        return status;
    }
    ret->ended = seq;
    ret->ended_at = e->recorded_at;
    if (e->type == JB_EV_INVOICE_FAILED) {
        ret->why = e->invoice_failed.why;
    } else {
        put_text(ret->approve_no, sizeof ret->approve_no, e->invoice_confirmed.approve_no);
    }
    return JB_OK;
}

/* What a document was when `last` was the newest event. */
static jb_status
look_back(struct asking *a, uint64_t number, struct jb_invoice_record *r)
{
    const struct jb_event *e;
    jb_status status = JB_OK;
    if (r->ended > a->last) {
        r->ended = 0;
        r->state = JB_INVOICE_ISSUED;
    }
    bool all = r->mailed <= a->last; /* no mail of it came behind */
    for (jb_seq seq = r->mailed; !all && status == JB_OK && seq > r->seq;) {
        status = jb_state_event(a->b, seq, &e, a->err);
        bool mail = status == JB_OK && e->type == JB_EV_INVOICE_MAILED &&
                    e->invoice_mailed.invoice == number;
        all = mail && seq <= a->last;
        r->mails -= mail && !all;
        r->mailed = seq;
        seq = status == JB_OK ? e->prev : 0;
    }
    r->mailed = all ? r->mailed : 0;
    return status;
}

/* Whether a NEGATIVE that did not fail took it back by then. */
static jb_status
look_taken_back(struct asking *a, const struct jb_wallet *w, uint64_t number, bool *ret)
{
    struct jb_wallet_papers p;
    struct jb_invoice_record r = {0};
    jb_status status = jb_papers_wallet(a->b, w, &p, a->err);
    *ret = false;
    for (uint64_t other = p.last; other > number && !*ret && status == JB_OK; other = r.older) {
        status = jb_papers_invoice(a->b, other, &r, a->err);
        *ret = status == JB_OK && r.kind == JB_INVOICE_NEGATIVE && r.original == number &&
               r.seq <= a->last && (r.state != JB_INVOICE_FAILED || r.ended > a->last);
    }
    return status;
}

static jb_status
put_mail(struct asking *a, jb_seq seq, struct jb_invoice *ret)
{
    const struct jb_event *e;
    jb_status status = seq != 0 ? jb_state_event(a->b, seq, &e, a->err) : JB_OK;
    if (status == JB_OK && seq != 0) {
        ret->mailed = seq;
        ret->mailed_at = e->recorded_at;
        ret->mail = e->invoice_mailed.result;
        ret->mail_email = e->invoice_mailed.email;
    }
    return status;
}

static jb_status
look_invoice(struct asking *a, uint64_t number, const struct jb_wallet *w,
             struct jb_invoice_record *r, struct jb_invoice *ret)
{
    const struct jb_event *e;
    bool taken_back = r->negated != 0;
    jb_status status = look_back(a, number, r);
    if (status == JB_OK && a->last != a->b->g.seq) {
        status = look_taken_back(a, w, number, &taken_back);
    }
    *ret = (struct jb_invoice){.size = sizeof *ret,
                               .invoice = number,
                               .wallet_no = w->number,
                               .state = (uint32_t)r->state,
                               .mails = (uint32_t)r->mails,
                               .ended_at = JB_NO_INSTANT,
                               .mailed_at = JB_NO_INSTANT};
    put_text(ret->wallet, sizeof ret->wallet, jb_id_of(w));
    ret->in_force = r->kind != JB_INVOICE_NEGATIVE && r->state != JB_INVOICE_FAILED && !taken_back;
    status = status == JB_OK ? jb_state_event(a->b, r->seq, &e, a->err) : status;
    if (status != JB_OK) {
        return status;
    }
    const struct jb_invoice_issued *i = &e->invoice_issued;
    ret->original = i->original;
    ret->seq = r->seq;
    ret->kind = i->kind;
    ret->reason = i->reason;
    ret->month = i->month;
    ret->written_on = i->written_on;
    ret->total = i->total;
    ret->vat = i->vat;
    ret->after = i->after;
    ret->through = i->through;
    ret->email = i->email;
    ret->issued_at = e->recorded_at;
    put_text(ret->outside_ref, sizeof ret->outside_ref, i->outside_ref);
    status = put_business(a, i->business, ret);
    status = status == JB_OK ? put_end(a, r->ended, ret) : status;
    return status == JB_OK ? put_mail(a, r->mailed, ret) : status;
}

/* ---- of a wallet ---- */

static jb_status
find_wallet(struct asking *a, struct jb_text id, const struct jb_wallet **ret)
{
    struct jb_cached_wallet *s = NULL;
    jb_status status = jb_state_find(a->b, id, &s, a->err);
    *ret = s != NULL ? &s->w : NULL;
    return status == JB_OK && s == NULL
               ? jb_fail(a->err, JB_E_NOTFOUND, "there is no wallet %.*s",
                         (int)(id.n < 80 ? id.n : 80), id.s != NULL ? id.s : "")
               : status;
}

/* The numbers, from the newest back, and of those a page, told the other way round. */
static jb_status
collect(struct asking *a, const struct jb_invoices_query *q, const struct jb_wallet *w)
{
    struct jb_wallet_papers p;
    struct jb_invoice_record r = {0};
    jb_status status = jb_papers_wallet(a->b, w, &p, a->err);
    for (uint64_t number = p.last; number > q->after && status == JB_OK; number = r.older) {
        status = jb_papers_invoice(a->b, number, &r, a->err);
        if (status != JB_OK || (q->month != 0 && r.month != q->month) || r.seq > a->last) {
            continue;
        }
        if (!jb_vec_reserve(&a->numbers, a->numbers.n + 1)) {
            return no_memory(a);
        }
        a->numbers.at[a->numbers.n++] = number;
    }
    const size_t n = q->limit != 0 && q->limit < a->numbers.n ? q->limit : a->numbers.n;
    if (status == JB_OK && !jb_vec_reserve(&a->invoices, n + 1)) {
        return no_memory(a);
    }
    for (size_t i = 0; i < n && status == JB_OK; i++) {
        const uint64_t number = a->numbers.at[a->numbers.n - 1 - i];
        status = jb_papers_invoice(a->b, number, &r, a->err);
        status = status == JB_OK ? look_invoice(a, number, w, &r, &a->invoices.at[i]) : status;
        a->invoices.n = i + 1;
    }
    a->more = n < a->numbers.n;
    return status;
}

static jb_status
look_from(struct asking *a, jb_seq seq)
{
    const jb_seq newest = a->b->g.seq;
    a->last = seq != 0 ? seq : newest;
    if (a->last > newest) {
        return jb_fail(a->err, JB_E_NOTFOUND, "there is no event %llu: the log ends with %llu",
                       (unsigned long long)seq, (unsigned long long)newest);
    }
    return a->b->g.invoice_from != 0
               ? JB_OK
               : jb_fail(a->err, JB_E_NOTFOUND, "no invoices: invoice_from is not set");
}

static jb_status
look_invoices(struct asking *a, const struct jb_invoices_query *q)
{
    const struct jb_wallet *w = NULL;
    a->invoices.n = 0;
    a->numbers.n = 0;
    jb_status status = look_from(a, q->seq);
    status = status == JB_OK ? find_wallet(a, q->wallet, &w) : status;
    if (status == JB_OK && w->created_seq > a->last) {
        return jb_fail(a->err, JB_E_NOTFOUND, "the wallet %.*s did not exist yet at event %llu",
                       (int)w->id_n, jb_id_of(w).s, (unsigned long long)a->last);
    }
    return status == JB_OK ? collect(a, q, w) : status;
}

jb_status
jb_invoices_at(jb_ledger *l, const struct jb_invoices_query *query,
               bool (*each)(void *data, const struct jb_invoice *row), void *data,
               uint64_t *ret_next, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    struct asking a;
    struct jb_invoices_query q = {.size = sizeof q};
    if (l == NULL || query == NULL || each == NULL || ret_next == NULL) {
        return jb_fail_null(err, "jb_invoices_at");
    }
    *ret_next = 0;
    jb_status status = jb_abi_in(&q, sizeof q, query, "struct jb_invoices_query", err);
    status = status == JB_OK ? ask(l, &a, err) : status;
    if (status != JB_OK) {
        return status;
    }
    do {
        status = look_invoices(&a, &q);
    } while (jb_reader_again(l, &status, err));
    asked(&a);
    size_t i = 0;
    while (status == JB_OK && i < a.invoices.n && each(data, &a.invoices.at[i])) {
        i++;
    }
    if (status == JB_OK && a.more && i == a.invoices.n && i > 0) {
        *ret_next = a.invoices.at[i - 1].invoice;
    }
    forget(&a);
    return status;
}

/* ---- tax months ---- */

static jb_status
look_tax_month(struct asking *a, uint32_t wallet, uint32_t month, bool *ret_counted,
               jb_seq *ret_newest)
{
    struct jb_cached_wallet *s = NULL;
    struct jb_tax_month m = {0};
    const uint32_t from = a->b->g.invoice_from;
    jb_status status = jb_state_wallet(a->b, wallet, &s, a->err);
    *ret_counted = status == JB_OK && s->w.kind == JB_KIND_BUSINESS && from != 0 && month >= from;
    if (*ret_counted) {
        status = jb_papers_month(a->b, &s->w, month, &m, a->err);
    }
    *ret_newest = m.newest;
    return status;
}

jb_status
jb_reader_tax_month(jb_ledger *l, uint32_t wallet, uint32_t month, bool *ret_counted,
                    jb_seq *ret_newest, struct jb_error *err)
{
    struct asking a;
    jb_status status = ask(l, &a, err);
    if (status != JB_OK) {
        return status;
    }
    do {
        status = look_tax_month(&a, wallet, month, ret_counted, ret_newest);
    } while (jb_reader_again(l, &status, err));
    asked(&a);
    return status;
}

/* ---- rows ---- */

static jb_status
add_row(struct asking *a, const struct jb_event *e, jb_amount amount, jb_seq consumption,
        struct jb_text usage)
{
    if (!jb_vec_reserve(&a->rows, a->rows.n + 1)) {
        return no_memory(a);
    }
    struct found_row *f = &a->rows.at[a->rows.n++];
    *f = (struct found_row){.row = {.seq = e->seq,
                                    .consumption = consumption,
                                    .usage = {NULL, usage.n <= sizeof f->usage ? usage.n : 0},
                                    .amount = amount,
                                    .occurred_at = e->occurred_at,
                                    .posted_on = e->posted_on}};
    memcpy(f->usage, f->row.usage.n > 0 ? usage.s : "", f->row.usage.n);
    return JB_OK;
}

static jb_status
read_event(struct asking *a, jb_cursor *c, jb_seq seq, uint32_t wallet, const struct jb_event **ret)
{
    jb_steps.events++;
    jb_status status = jb_cursor_at(c, seq, ret, a->err);
    return status == JB_E_NOTFOUND ||
                   (status == JB_OK && ((*ret)->wallet != wallet || (*ret)->prev >= seq))
               ? jb_fail(a->err, JB_E_CORRUPT,
                         "event %llu is named as one of wallet %u and is not. Run `jangbu audit`",
                         (unsigned long long)seq, wallet)
               : status;
}

/* One event of the wallet's chain: a row of that month, or none. */
static jb_status
read_row(struct asking *a, jb_cursor *c, jb_seq seq, const struct jb_invoice *i, jb_seq *ret_prev)
{
    const struct jb_event *e;
    const jb_amount sign = i->kind == JB_INVOICE_NEGATIVE ? -1 : 1;
    const int32_t offset = a->l->identity.utc_offset_s;
    jb_status status = read_event(a, c, seq, i->wallet_no, &e);
    if (status != JB_OK) {
        return status;
    }
    *ret_prev = e->prev;
    bool consumed = e->type == JB_EV_CASH_CONSUMED;
    const jb_amount paid =
        consumed || e->type == JB_EV_CONSUMPTION_REVERSED ? jb_papers_paid(e) : 0;
    if (paid == 0) {
        return JB_OK;
    }
    if (consumed) {
        return jb_papers_month_of(offset, e) == i->month
                   ? add_row(a, e, sign * paid, 0, e->cash_consumed.usage)
                   : JB_OK;
    }
    const struct jb_event at = *e; /* numbers alone are asked of it behind the next look */
    const jb_seq of = e->consumption_reversed.consumption;
    status = read_event(a, c, of, i->wallet_no, &e);
    return status == JB_OK && jb_papers_month_of(offset, e) == i->month
               ? add_row(a, &at, -sign * paid, of, e->cash_consumed.usage)
               : status;
}

/* So many events are read with one snapshot of the log. */
#define READ_AT_ONCE 4096U

static jb_status
read_rows(struct asking *a, const struct jb_invoice *i)
{
    jb_cursor *c;
    uint32_t read = 0;
    jb_status status = jb_cursor_open(a->l, 1, &c, a->err);
    if (status != JB_OK) {
        return status;
    }
    for (jb_seq seq = i->through, prev = 0; seq > i->after && status == JB_OK; seq = prev) {
        status = read_row(a, c, seq, i, &prev);
        if (++read % READ_AT_ONCE == 0) {
            jb_cursor_rest(c);
        }
    }
    jb_cursor_close(c);
    return status;
}

static jb_status
look_one(struct asking *a, uint64_t number, jb_seq seq, struct jb_invoice *ret)
{
    struct jb_invoice_record r = {0};
    struct jb_cached_wallet *s = NULL;
    jb_status status = look_from(a, seq);
    status = status == JB_OK ? jb_papers_invoice(a->b, number, &r, a->err) : status;
    if (status == JB_OK && (r.wallet == 0 || r.seq > a->last)) {
        return jb_fail(a->err, JB_E_NOTFOUND, "there is no invoice number %llu",
                       (unsigned long long)number);
    }
    status = status == JB_OK ? jb_state_wallet(a->b, (uint32_t)r.wallet, &s, a->err) : status;
    return status == JB_OK ? look_invoice(a, number, &s->w, &r, ret) : status;
}

jb_status
jb_invoice_get(jb_ledger *l, uint64_t invoice, jb_seq seq,
               bool (*each)(void *data, const struct jb_invoice_row *row), void *data,
               struct jb_invoice *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    struct asking a;
    struct jb_invoice full = {.size = sizeof full};
    if (l == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_invoice_get");
    }
    jb_status status = ask(l, &a, err);
    if (status != JB_OK) {
        return status;
    }
    do {
        status = look_one(&a, invoice, seq, &full);
    } while (jb_reader_again(l, &status, err));
    asked(&a);
    status = status == JB_OK && each != NULL ? read_rows(&a, &full) : status;
    status = status == JB_OK ? jb_abi_out(ret, &full, sizeof full, err) : status;
    for (size_t i = a.rows.n; i-- > 0 && status == JB_OK;) {
        struct jb_invoice_row *row = &a.rows.at[i].row;
        row->usage.s = row->usage.n > 0 ? a.rows.at[i].usage : NULL;
        if (!each(data, row)) {
            break;
        }
    }
    forget(&a);
    return status;
}
