/* Receipts, tax invoices, and the printed page of one. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invoice_page.h"
#include "page_holder.h"

enum { RECEIPTS = 50, INVOICES = 200 };

/* ---- receipts ---- */

struct receipts {
    struct page *p;
    uint64_t rows;
};

static void
key_said(struct page *p, const char *what, const char *value)
{
    out_str(p->o, "<li>");
    html_str(p->o, what);
    if (value != NULL && value[0] != '\0') {
        out_str(p->o, ": ");
        html_open(p->o, "strong", NULL);
        html_str(p->o, value);
        html_close(p->o, "strong");
    }
    out_str(p->o, "</li>");
}

static void
text_key(struct page *p, const char *what, struct jb_text t)
{
    char value[JB_TXN_REF_BYTES_MAX + 1];
    snprintf(value, sizeof value, "%.*s", (int)t.n, t.s != NULL ? t.s : "");
    key_said(p, what, value);
}

/* By what it is found there, beside its transaction number. */
static void
keys(struct page *p, const struct jb_receipt_row *r)
{
    const bool charge = r->event->type == JB_EV_CHARGE_SETTLED;
    const struct jb_text txn =
        charge ? r->event->charge_settled.txn_ref : r->event->debt_repaid.txn_ref;
    char money[MONEY_BYTES + 8], day[JB_DAY_TEXT_BYTES];
    uint32_t all = 0;
    for (uint32_t i = 0; i < r->ways_n; i++) {
        all |= r->ways[i].by != JB_RECEIPT_BY_ISSUER ? r->ways[i].keys : 0;
    }
    html_open(p->o, "ul", "keys");
    if ((all & JB_RECEIPT_APPROVE_NO) != 0 && charge) {
        text_key(p, tr("approval number"), r->event->charge_settled.approve_no);
    }
    if (txn.s != NULL) {
        text_key(p, tr("transaction number"), txn);
    }
    if ((all & JB_RECEIPT_EMAIL) != 0) {
        key_said(p, tr("or the e-mail entered when paying"), NULL);
    }
    if ((all & (JB_RECEIPT_BANK | JB_RECEIPT_ACCOUNT)) != 0) {
        key_said(p, tr("bank and account number (not kept here)"), NULL);
    }
    if ((all & JB_RECEIPT_AMOUNT) != 0) {
        key_said(p, tr("amount"), page_money_text(p, r->amount, money));
    }
    if ((all & JB_RECEIPT_DAY) != 0) {
        key_said(p, tr("day"), jb_day_print(r->day, day));
    }
    html_close(p->o, "ul");
}

static bool
each_receipt(void *data, const struct jb_receipt_row *r)
{
    struct receipts *c = data;
    struct page *p = c->p;
    const struct jb_text pg = r->event->type == JB_EV_CHARGE_SETTLED ? r->event->charge_settled.pg
                                                                     : r->event->debt_repaid.pg;
    char name[40];
    page_row(p);
    out_str(p->o, "<th scope=\"row\">");
    page_day(p, r->day);
    page_event_detail(p, r->event);
    out_str(p->o, "</th><td>");
    html_open(p->o, "strong", NULL);
    html_str(p->o, page_gateway_word(r->gateway, pg, name));
    html_close(p->o, "strong");
    if (r->site != NULL) {
        html_element(p->o, "span", "detail site", r->site);
    }
    out_str(p->o, "</td><td>");
    keys(p, r);
    out_str(p->o, "</td>");
    page_cell_money(p, r->amount);
    page_cell_money(p, -(r->reversed + r->refunded));
    page_row_end(p);
    c->rows++;
    return !p->o->no_memory;
}

bool
page_receipts(struct page *p, struct jb_text wallet, const char *base)
{
    struct receipts c = {.p = p};
    char cursor[JB_CURSOR_TEXT_BYTES], next[JB_CURSOR_TEXT_BYTES] = "";
    const char *from = page_cursor(p->x, cursor);
    const size_t before = p->o->n;
    page_paragraph(p, "hint",
                   tr("The payment window is chosen at random, so a receipt lies with the gateway "
                      "named here. A card slip shows a payment; it is no tax invoice."));
    page_table(p, "list wide", tr("Payments and where their receipts are"));
    page_head(p, (const char *const[]){SAID("paid on"), SAID("gateway"), SAID("look it up by"),
                                       COLUMN(">amount"), COLUMN(">given back"), NULL});
    const jb_status status = jb_receipts_get(p->views, wallet, page_now(p), from, RECEIPTS,
                                             each_receipt, &c, next, NULL, &p->err);
    if (status != JB_OK) {
        page_failed(p, status);
        return false;
    }
    page_table_end(p);
    if (c.rows == 0) {
        p->o->n = before;
        page_empty(p, tr("No payment went through a gateway, so there is no receipt."));
    }
    page_next(p, base, next, from == NULL);
    return true;
}

/* ---- tax invoices ---- */

struct invoices {
    struct page *p;
    uint64_t rows;
};

static const char *
invoice_kind(uint32_t kind)
{
    static const char *const words[] = {"", SAID("tax invoice"), SAID("addition"), SAID("negative"),
                                        SAID("corrected")};
    return kind > 0 && kind < sizeof words / sizeof words[0] ? tr(words[kind]) : "";
}

static bool
each_invoice(void *data, const struct jb_invoice *i)
{
    struct invoices *v = data;
    struct page *p = v->p;
    char path[64], label[32];
    page_row(p);
    snprintf(label, sizeof label, "%04u-%02u", i->month / 100, i->month % 100);
    snprintf(path, sizeof path, "/%c/invoices/%llu", p->session.operates ? 'o' : 'w',
             (unsigned long long)i->invoice);
    out_str(p->o, "<th scope=\"row\">");
    page_link(p, NULL, path, label);
    html_element(p->o, "span", "detail", invoice_kind(i->kind));
    out_str(p->o, "</th>");
    page_cell_time(p, i->issued_at);
    page_cell_money(p, i->total - i->vat);
    page_cell_money(p, i->vat);
    page_cell_money(p, i->total);
    out_str(p->o, "<td>");
    html_str(p->o, invoice_state_said(i->state));
    if (i->state == JB_INVOICE_FAILED) {
        html_element(p->o, "span", "detail", page_why_word(i->why));
    }
    out_str(p->o, "</td>");
    page_row_end(p);
    v->rows++;
    return !p->o->no_memory;
}

bool
page_invoices(struct page *p, struct jb_text wallet)
{
    struct invoices v = {.p = p};
    char next[JB_CURSOR_TEXT_BYTES] = "";
    const size_t before = p->o->n;
    page_table(p, "list wide", tr("Tax invoices, by tax month"));
    page_head(p, (const char *const[]){SAID("tax month"), SAID("issued on"), COLUMN(">supply"),
                                       COLUMN(">VAT"), COLUMN(">total"), SAID("state"), NULL});
    const jb_status status = jb_invoices_get(p->views, wallet, 0, page_now(p), NULL, INVOICES,
                                             each_invoice, &v, next, NULL, &p->err);
    if (status != JB_OK && status != JB_E_NOTFOUND) { /* not found: this ledger issues none */
        page_failed(p, status);
        return false;
    }
    page_table_end(p);
    if (v.rows == 0) {
        p->o->n = before;
        page_empty(p, tr("There is no tax invoice yet. Business wallets get one early in the month "
                         "that follows, for what they consumed."));
    } else if (next[0] != '\0') {
        page_paragraph(p, "hint", tr("There is more than is shown here."));
    }
    return true;
}

static bool
papers_page(struct page *p)
{
    page_begin(p, 200, tr("Receipts and invoices"), TAB_PAPERS);
    html_open(p->o, "section", NULL);
    html_element(p->o, "h2", NULL, tr("Receipts"));
    if (!page_receipts(p, page_own_wallet(p), "/w/papers")) {
        return false;
    }
    html_close(p->o, "section");
    html_open(p->o, "section", NULL);
    html_element(p->o, "h2", NULL, tr("Tax invoices"));
    if (!page_invoices(p, page_own_wallet(p))) {
        return false;
    }
    html_close(p->o, "section");
    page_end(p);
    return true;
}

enum handled
holder_papers(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_HOLDER)) {
        papers_page(&p);
    }
    return page_leave(&p);
}

/* ---- the printed page ---- */

struct print {
    struct page *p;
    struct jb_invoice i;
    struct invoice_row *rows;
    size_t n, cap;
    bool left_out; /* there are too many rows */
    char name[JB_PERSON_TEXT_BYTES + 1], representative[JB_PERSON_TEXT_BYTES + 1];
    char address[JB_PERSON_TEXT_BYTES + 1], email[JB_PERSON_TEXT_BYTES + 1];
};

static bool
keep_row(void *data, const struct jb_invoice_row *r)
{
    struct print *f = data;
    if (f->n == f->cap) {
        f->cap = f->cap == 0 ? 64 : 2 * f->cap;
        struct invoice_row *more = realloc(f->rows, f->cap * sizeof *more);
        f->p->o->no_memory |= more == NULL;
        if (more == NULL) {
            return false;
        }
        f->rows = more;
    }
    struct invoice_row *row = &f->rows[f->n++];
    *row = (struct invoice_row){.seq = r->seq, .day = r->posted_on, .amount = r->amount};
    snprintf(row->usage, sizeof row->usage, "%.*s", (int)r->usage.n,
             r->usage.s != NULL ? r->usage.s : "");
    return true;
}

/* Rows that a page has. Of a month with more uses it would have nobody who reads it. */
enum { INVOICE_EVENTS = 1000 };

static bool
count_event(void *data, const struct jb_event *e)
{
    (void)e;
    ++*(uint32_t *)data;
    return true;
}

/* Whether the wallet has so few events that the document can be made of. */
static jb_status
can_be_listed(struct print *f, bool *ret)
{
    const struct jb_events_query q = {.size = sizeof q,
                                      .order = JB_NEWEST_FIRST,
                                      .wallet = jb_text_of(f->i.wallet),
                                      .first = f->i.after + 1,
                                      .last = f->i.through};
    uint32_t n = 0;
    const jb_status status = jb_events_get(f->p->views, &q, NULL, NULL, INVOICE_EVENTS, count_event,
                                           &n, NULL, NULL, &f->p->err);
    *ret = n < INVOICE_EVENTS;
    return status;
}

/* The document, and its rows where they are few: a page of more has nobody who reads it. */
static jb_status
look_up(struct print *f, uint64_t number)
{
    struct page *p = f->p;
    bool listed = false;
    jb_status status = jb_invoice_get(p->ledger, number, 0, NULL, NULL, &f->i, &p->err);
    if (status == JB_OK && !page_sees(p, f->i.wallet)) {
        status = JB_E_NOTFOUND; /* as if there were none: it is none of theirs */
    }
    status = status == JB_OK ? can_be_listed(f, &listed) : status;
    f->left_out = !listed;
    return status == JB_OK && listed
               ? jb_invoice_get(p->ledger, number, 0, keep_row, f, &f->i, &p->err)
               : status;
}

static const char *
party_text(struct print *f, uint64_t ref, char buf[JB_PERSON_TEXT_BYTES + 1])
{
    size_t n = 0;
    jb_person_why why;
    const bool readable = !f->p->session.operates || f->p->session.who.people;
    if (ref == 0 || !readable ||
        jb_person_get(f->p->ledger, ref, buf, &n, &why, &f->p->err) != JB_OK || n == 0) {
        return NULL;
    }
    buf[n] = '\0';
    return buf;
}

/* The style lies in the page itself: what the browser may take is that one alone, by its hash. */
static void
print_policy(struct page *p)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    char base64[64], policy[240];
    const struct jb_text style = html_page_style();
    crypto_hash_sha256(hash, (const unsigned char *)style.s, style.n);
    sodium_bin2base64(base64, sizeof base64, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL);
    snprintf(policy, sizeof policy,
             "default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'; "
             "frame-ancestors 'none'",
             base64);
    exchange_set_header(p->x, "Content-Security-Policy", policy);
}

static void
print_page(struct print *f)
{
    const struct jb_invoice *i = &f->i;
    char item[INVOICE_ITEM_BYTES], number[INVOICE_NUMBER_BYTES];
    const struct invoice_page page = {
        .number = i->invoice,
        .amended = i->kind != JB_INVOICE_ORIGINAL,
        .original = i->original,
        .reason = invoice_reason_said(i->reason),
        .state = invoice_state_said(i->state),
        .approve_no = i->approve_no[0] != '\0' ? i->approve_no : NULL,
        .recipient = {.number = invoice_number_said(i->record.biz, number),
                      .name = party_text(f, i->record.name, f->name),
                      .representative = party_text(f, i->record.representative, f->representative),
                      .address = party_text(f, i->record.address, f->address),
                      .email = party_text(f, i->email, f->email)},
        .month = i->month,
        .written_on = i->written_on,
        .supply = i->total - i->vat,
        .vat = i->vat,
        .total = i->total,
        .exponent = f->p->exponent,
        .item = invoice_item_said(i->month, item),
        .rows = f->rows,
        .rows_n = f->n,
        .rows_left_out = f->left_out};
    print_policy(f->p);
    exchange_answer(f->p->x, 200, "text/html; charset=utf-8");
    invoice_page(f->p->o, &page);
}

enum handled
holder_invoice(struct exchange *x)
{
    struct page p;
    if (page_enter(&p, x, PAGE_FOR_BOTH)) {
        struct print f = {.p = &p, .i = JB_SIZED(struct jb_invoice)};
        const jb_status status = look_up(&f, page_number(x->params[0]));
        if (status == JB_OK) {
            print_page(&f);
        } else {
            page_failed(&p, status);
        }
        free(f.rows);
    }
    return page_leave(&p);
}
