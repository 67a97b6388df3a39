/*
 * Tax invoices once more, as docs/rules.md section 15 says them and from the events alone: numbers
 * without a gap, each document the sum of its rows, the VAT of a month that of what it adds up to,
 * and what each closed day says of them. Core keeps counters for the same; nothing of those is
 * used.
 */
#include <stdlib.h>

#include "replay/audit.h"

/* What a month had reached when a document of its rows was issued. */
struct piece {
    uint64_t first; /* that document; 0: it failed, and its rows are nobody's again */
    jb_seq through;
    jb_amount before, behind; /* the month's net */
    jb_amount told;           /* what its documents add up to that did not fail */
};

struct month {
    uint32_t month;
    jb_seq newest;
    jb_amount net;
    jb_amount vat; /* of its documents that did not fail */
    bool said;     /* that a document of it is wrong */
    JB_VEC(struct piece) pieces;
};

struct holder {
    bool business;
    JB_VEC(struct month) months;
};

struct document {
    uint32_t wallet, month, kind;
    uint64_t first; /* of its piece */
    jb_seq after, through;
    jb_amount total, vat;
    bool failed;
};

/* What was invoiced, by posting day. */
struct day_told {
    jb_day day;
    jb_wide total, vat;
};

struct jb_papers_check {
    uint32_t from;                 /* the policy; 0: none */
    bool begun;                    /* there was a document: days say what was invoiced */
    JB_VEC(struct holder) holders; /* by number */
    JB_VEC(struct document) documents;
    JB_VEC(struct day_told) days; /* in no order; few are open at a time */
};

struct jb_papers_check *
jb_papers_check_new(void)
{
    return calloc(1, sizeof(struct jb_papers_check));
}

struct jb_papers_check *
jb_papers_check_free(struct jb_papers_check *p)
{
    for (size_t i = 0; p != NULL && i < p->holders.n; i++) {
        struct holder *h = &p->holders.at[i];
        for (size_t k = 0; k < h->months.n; k++) {
            jb_vec_free(&h->months.at[k].pieces);
        }
        jb_vec_free(&h->months);
    }
    if (p != NULL) {
        jb_vec_free(&p->holders);
        jb_vec_free(&p->documents);
        jb_vec_free(&p->days);
        free(p);
    }
    return NULL;
}

static struct holder *
holder_of(struct jb_papers_check *p, uint32_t wallet)
{
    if (!jb_vec_reserve(&p->holders, (size_t)wallet + 1)) {
        return NULL;
    }
    while (p->holders.n <= wallet) {
        p->holders.at[p->holders.n++] = (struct holder){0};
    }
    return &p->holders.at[wallet];
}

static struct month *
month_in(struct holder *h, uint32_t month)
{
    for (size_t i = h->months.n; i-- > 0;) {
        if (h->months.at[i].month == month) {
            return &h->months.at[i];
        }
    }
    if (!jb_vec_reserve(&h->months, h->months.n + 1)) {
        return NULL;
    }
    h->months.at[h->months.n] = (struct month){.month = month};
    return &h->months.at[h->months.n++];
}

static struct day_told *
day_in(struct jb_papers_check *p, jb_day day)
{
    for (size_t i = 0; i < p->days.n; i++) {
        if (p->days.at[i].day == day) {
            return &p->days.at[i];
        }
    }
    if (!jb_vec_reserve(&p->days, p->days.n + 1)) {
        return NULL;
    }
    p->days.at[p->days.n] = (struct day_told){.day = day};
    return &p->days.at[p->days.n++];
}

static jb_status
no_memory(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM, "no memory to check tax invoices");
}

static jb_amount
turned(jb_amount a)
{
    return a == INT64_MIN ? INT64_MAX : -a;
}

/* ---- rows ---- */

static uint32_t
month_of(const struct jb_state *b, const struct jb_event *e)
{
    int year, month;
    const jb_instant t = e->occurred_at < e->recorded_at ? e->occurred_at : e->recorded_at;
    jb_day_to_date(jb_day_of(t, b->g.utc_offset_s), &year, &month, NULL);
    return (uint32_t)(year * 100 + month);
}

static jb_amount
paid_of(const struct jb_event *e)
{
    const struct jb_parts parts = jb_event_parts(e);
    jb_amount sum = 0;
    for (uint32_t i = 0; i < parts.n; i++) {
        const uint32_t kind = parts.at[i].kind;
        sum = jb_sum(sum, kind == JB_PART_LOT || kind == JB_PART_DEBT ? parts.at[i].amount : 0);
    }
    return sum;
}

static jb_status
add_row(struct jb_papers_check *p, struct jb_state *b, const struct jb_event *e,
        struct jb_error *err)
{
    struct holder *h = holder_of(p, e->wallet);
    if (h == NULL) {
        return no_memory(err);
    }
    const bool back = e->type == JB_EV_CONSUMPTION_REVERSED;
    const jb_amount paid = paid_of(e);
    if (p->from == 0 || !h->business || paid == 0) {
        return JB_OK;
    }
    uint32_t in = 0;
    if (!back) {
        in = month_of(b, e);
    } else {
        const struct jb_event *of;
        struct jb_error why;
        if (jb_state_event(b, e->consumption_reversed.consumption, &of, &why) != JB_OK) {
            return JB_OK; /* that is said elsewhere */
        }
        in = month_of(b, of);
    }
    struct month *m = in >= p->from ? month_in(h, in) : NULL;
    if (m != NULL) {
        m->net = jb_sum(m->net, back ? turned(paid) : paid);
        m->newest = e->seq;
    }
    return m != NULL || in < p->from ? JB_OK : no_memory(err);
}

/* ---- documents ---- */

/* Half up, from magnitude: 110 has 10 at 10 per cent. */
static jb_amount
vat_in(struct jb_state *b, uint32_t month, jb_amount total)
{
    int year = (int)(month / 100), number = (int)(month % 100);
    jb_day next;
    year += number == 12;
    number = number == 12 ? 1 : number + 1;
    if (!jb_day_from_date(year, number, 1, &next)) {
        return 0;
    }
    const jb_wide rate =
        jb_policy_at(&b->g, JB_POLICY_VAT_RATE, jb_day_start(next, b->g.utc_offset_s) - 1);
    const jb_wide size = total < 0 ? -(jb_wide)total : (jb_wide)total;
    const jb_wide whole = size * rate / (100 + rate), rest = size * rate % (100 + rate);
    const jb_wide vat = whole + (2 * rest >= 100 + rate);
    return (jb_amount)(total < 0 ? -vat : vat);
}

static struct piece *
last_piece(struct month *m)
{
    size_t n = m->pieces.n;
    while (n > 0 && m->pieces.at[n - 1].first == 0) {
        n--;
    }
    return n > 0 ? &m->pieces.at[n - 1] : NULL;
}

static struct piece *
piece_of(struct month *m, uint64_t first)
{
    for (size_t i = 0; i < m->pieces.n; i++) {
        if (m->pieces.at[i].first == first) {
            return &m->pieces.at[i];
        }
    }
    return NULL;
}

static void
same(struct month *m, const struct jb_event *e, const char *what, int64_t is, int64_t should,
     struct jb_findings *f)
{
    if (is != should) {
        m->said = true;
        jb_found(f, "invoice", e->seq, 0, 0,
                 "event %llu issues document %llu: %s is %lld, and by the rows and documents "
                 "before it %lld",
                 (unsigned long long)e->seq, (unsigned long long)e->invoice_issued.invoice,
                 jb_tr(what), (long long)is, (long long)should);
    }
}

/* An ORIGINAL or DELTA: all rows since the last one. */
static jb_status
add_piece(struct jb_state *b, struct month *m, const struct jb_event *e, struct jb_findings *f,
          struct jb_error *err)
{
    const struct jb_invoice_issued *i = &e->invoice_issued;
    const struct piece *last = last_piece(m);
    const jb_amount before = last != NULL ? last->behind : 0;
    same(m, e, JB_SAID("its first row"), (int64_t)i->after,
         last != NULL ? (int64_t)last->through : 0, f);
    same(m, e, JB_SAID("its last row"), (int64_t)i->through, (int64_t)m->newest, f);
    same(m, e, JB_SAID("its total"), i->total, jb_sum(m->net, turned(before)), f);
    same(m, e, JB_SAID("its VAT"), i->vat,
         vat_in(b, i->month, m->net) - vat_in(b, i->month, before), f);
    if (!jb_vec_reserve(&m->pieces, m->pieces.n + 1)) {
        return no_memory(err);
    }
    m->pieces.at[m->pieces.n++] = (struct piece){i->invoice, i->through, before, m->net, i->total};
    return JB_OK;
}

/* A NEGATIVE or CORRECTED: one that there is, turned round or once more. */
static void
add_mirror(struct month *m, const struct jb_event *e, const struct document *of,
           struct jb_findings *f)
{
    const struct jb_invoice_issued *i = &e->invoice_issued;
    const bool turn = (i->kind == JB_INVOICE_NEGATIVE) != (of->kind == JB_INVOICE_NEGATIVE);
    struct piece *p = piece_of(m, of->first);
    same(m, e, JB_SAID("its first row"), (int64_t)i->after, (int64_t)of->after, f);
    same(m, e, JB_SAID("its last row"), (int64_t)i->through, (int64_t)of->through, f);
    same(m, e, JB_SAID("its total"), i->total, turn ? turned(of->total) : of->total, f);
    same(m, e, JB_SAID("its VAT"), i->vat, turn ? turned(of->vat) : of->vat, f);
    if (p != NULL) {
        p->told = jb_sum(p->told, i->total);
    }
}

static jb_status
add_document(struct jb_papers_check *p, struct jb_state *b, const struct jb_event *e,
             struct jb_findings *f, struct jb_error *err)
{
    const struct jb_invoice_issued *i = &e->invoice_issued;
    struct holder *h = holder_of(p, e->wallet);
    struct month *m = h != NULL ? month_in(h, i->month) : NULL;
    struct day_told *d = day_in(p, e->posted_on);
    if (m == NULL || d == NULL || !jb_vec_reserve(&p->documents, p->documents.n + 1)) {
        return no_memory(err);
    }
    const bool mirror = i->kind == JB_INVOICE_NEGATIVE || i->kind == JB_INVOICE_CORRECTED;
    const struct document *of = mirror && i->original >= 1 && i->original <= p->documents.n
                                    ? &p->documents.at[i->original - 1]
                                    : NULL;
    jb_status status = JB_OK;
    p->begun = true;
    same(m, e, JB_SAID("its number"), (int64_t)i->invoice, (int64_t)p->documents.n + 1, f);
    if (!mirror) {
        status = add_piece(b, m, e, f, err);
    } else if (of == NULL || of->wallet != e->wallet || of->month != i->month) {
        jb_found(f, "invoice", e->seq, 0, 0,
                 "event %llu issues a document in the place of document %llu, which is none of its "
                 "wallet and month",
                 (unsigned long long)e->seq, (unsigned long long)i->original);
    } else {
        add_mirror(m, e, of, f);
    }
    m->vat = jb_sum(m->vat, i->vat);
    d->total += i->total;
    d->vat += i->vat;
    const struct document new = {.wallet = e->wallet,
                                 .month = i->month,
                                 .kind = i->kind,
                                 .first = mirror ? (of != NULL ? of->first : 0) : i->invoice,
                                 .after = i->after,
                                 .through = i->through,
                                 .total = i->total,
                                 .vat = i->vat};
    p->documents.at[p->documents.n++] = new;
    return status;
}

static jb_status
fail_document(struct jb_papers_check *p, const struct jb_event *e, struct jb_error *err)
{
    const uint64_t number = e->invoice_failed.invoice;
    struct day_told *d = day_in(p, e->posted_on);
    struct holder *h = holder_of(p, e->wallet);
    if (d == NULL || h == NULL) {
        return no_memory(err);
    }
    struct document *doc =
        number >= 1 && number <= p->documents.n ? &p->documents.at[number - 1] : NULL;
    if (doc == NULL || doc->failed || doc->wallet != e->wallet) {
        return JB_OK; /* that is said elsewhere */
    }
    struct month *m = month_in(h, doc->month);
    struct piece *piece = m != NULL ? piece_of(m, doc->first) : NULL;
    doc->failed = true;
    d->total -= doc->total;
    d->vat -= doc->vat;
    if (m != NULL) {
        m->vat = jb_sum(m->vat, turned(doc->vat));
    }
    if (piece != NULL) {
        piece->told = jb_sum(piece->told, turned(doc->total));
        piece->first = doc->first == number ? 0 : piece->first;
    }
    return m != NULL ? JB_OK : no_memory(err);
}

/* ---- days ---- */

static void
check_day(struct jb_papers_check *p, const struct jb_event *e, struct jb_findings *f)
{
    const struct jb_totals t = e->day_closed.totals;
    struct day_told *d = NULL;
    for (size_t i = 0; i < p->days.n; i++) {
        d = p->days.at[i].day == e->day_closed.day ? &p->days.at[i] : d;
    }
    const jb_wide total = d != NULL ? d->total : 0, vat = d != NULL ? d->vat : 0;
    const bool there = t.n > JB_TOTAL_invoiced_vat;
    const jb_wide says = there ? jb_wide_get(t.at[JB_TOTAL_invoiced].be) : 0;
    const jb_wide says_vat = there ? jb_wide_get(t.at[JB_TOTAL_invoiced_vat].be) : 0;
    if (there != p->begun || says != total || says_vat != vat) {
        char day[JB_DAY_TEXT_BYTES];
        jb_found(f, "invoice", e->seq, 0, 0,
                 "event %llu closes %s with %lld invoiced, of it %lld VAT; its documents add up to "
                 "%lld and %lld",
                 (unsigned long long)e->seq, jb_day_print(e->day_closed.day, day), (long long)says,
                 (long long)says_vat, (long long)total, (long long)vat);
    }
    if (d != NULL) {
        *d = p->days.at[--p->days.n];
    }
}

jb_status
jb_papers_check_event(struct jb_papers_check *p, struct jb_state *b, const struct jb_event *e,
                      struct jb_findings *f, struct jb_error *err)
{
    struct holder *h;
    switch (e->type) {
    case JB_EV_WALLET_CREATED:
        h = holder_of(p, e->wallet);
        if (h == NULL) {
            return no_memory(err);
        }
        h->business = e->wallet_created.kind == JB_KIND_BUSINESS;
        return JB_OK;
    case JB_EV_POLICY_SET:
        p->from = e->policy_set.policy == JB_POLICY_INVOICE_FROM ? (uint32_t)e->policy_set.value
                                                                 : p->from;
        return JB_OK;
    case JB_EV_CASH_CONSUMED:
    case JB_EV_CONSUMPTION_REVERSED:
        return add_row(p, b, e, err);
    case JB_EV_INVOICE_ISSUED:
        return add_document(p, b, e, f, err);
    case JB_EV_INVOICE_FAILED:
        return fail_document(p, e, err);
    case JB_EV_DAY_CLOSED:
        check_day(p, e, f);
        return JB_OK;
    default:
        return JB_OK;
    }
}

/* ---- months ---- */

/* Once all of a month's rows are told, and each piece by as much as it has. */
static bool
is_whole(const struct month *m)
{
    jb_amount told = 0;
    bool whole = true;
    for (size_t i = 0; i < m->pieces.n; i++) {
        const struct piece *p = &m->pieces.at[i];
        whole &= p->first == 0 || p->told == jb_sum(p->behind, turned(p->before));
        told = p->first != 0 ? p->behind : told;
    }
    return whole && told == m->net;
}

void
jb_papers_check_end(struct jb_papers_check *p, struct jb_state *b, struct jb_findings *f)
{
    for (size_t i = 0; i < p->holders.n; i++) {
        const struct holder *h = &p->holders.at[i];
        for (size_t k = 0; k < h->months.n; k++) {
            const struct month *m = &h->months.at[k];
            const jb_amount vat = vat_in(b, m->month, m->net);
            if (!m->said && is_whole(m) && m->vat != vat) {
                jb_found(f, "invoice", m->newest, 0, 0,
                         "wallet number %llu has documents with VAT of %lld for the %lld of "
                         "%04u-%02u, which has %lld",
                         (unsigned long long)i, (long long)m->vat, (long long)m->net,
                         m->month / 100, m->month % 100, (long long)vat);
            }
        }
    }
}
