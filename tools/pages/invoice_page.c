#include "invoice_page.h"

#include <stdio.h>
#include <string.h>

#include "lang.h"

/* Rows of the form that stay empty below the one that is written. */
#define EMPTY_ROWS 3

static void
amount_box(struct out *o, const struct invoice_page *p, jb_amount amount)
{
    char buf[MONEY_BYTES];
    html_element(o, "td", "r", money_text(amount, p->exponent, buf));
}

static void
number_box(struct out *o, uint64_t number)
{
    char buf[24];
    snprintf(buf, sizeof buf, "%llu", (unsigned long long)number);
    html_element(o, "td", "c", buf);
}

/* ---- supplier and recipient, side by side ---- */

/* A box of one of the two sides over so many columns; text NULL: it is empty. */
static void
party_box(struct out *o, const char *title, unsigned columns, const char *text, const char *class)
{
    html_element(o, "th", class, title);
    html_span(o, "td", NULL, columns, 1, text);
}

static const struct invoice_party *
side_of(const struct invoice_page *p, int side)
{
    return side == 0 ? &p->supplier : &p->recipient;
}

static void
party_row(struct out *o, const struct invoice_page *p, unsigned row)
{
    static const char *const classes[] = {"sup", "rec"};
    html_open(o, "tr", NULL);
    for (int side = 0; side < 2; side++) {
        const struct invoice_party *who = side_of(p, side);
        const char *class = classes[side];
        if (row == 0) {
            html_span(o, "th", side == 0 ? "v sup" : "v rec", 1, 5,
                      side == 0 ? tr("supplier") : tr("recipient"));
            party_box(o, tr("registration number"), 3, who->number, class);
        } else if (row == 1) {
            party_box(o, tr("company"), 1, who->name, class);
            party_box(o, tr("representative"), 1, who->representative, class);
        } else if (row == 2) {
            party_box(o, tr("address"), 3, who->address, class);
        } else if (row == 3) {
            party_box(o, tr("business type"), 1, who->type, class);
            party_box(o, tr("business item"), 1, who->item, class);
        } else {
            party_box(o, tr("e-mail"), 3, who->email, class);
        }
    }
    html_close(o, "tr");
}

static void
parties(struct out *o, const struct invoice_page *p)
{
    html_open(o, "table", "par");
    for (unsigned row = 0; row < 5; row++) {
        party_row(o, p, row);
    }
    html_close(o, "table");
}

/* ---- figures ---- */

static void
head_row(struct out *o, const char *const *titles)
{
    html_open(o, "tr", NULL);
    for (size_t i = 0; titles[i] != NULL; i++) {
        html_element(o, "th", NULL, tr(titles[i]));
    }
    html_close(o, "tr");
}

static void
sums(struct out *o, const struct invoice_page *p)
{
    static const char *const titles[] = {SAID("written on"), SAID("supply value"), SAID("tax"),
                                         SAID("reason for amendment"), NULL};
    char day[JB_DAY_TEXT_BYTES];
    html_open(o, "table", "inv");
    head_row(o, titles);
    html_open(o, "tr", NULL);
    html_element(o, "td", "c", jb_day_print(p->written_on, day));
    amount_box(o, p, p->supply);
    amount_box(o, p, p->vat);
    html_element(o, "td", "c", p->reason);
    html_close(o, "tr");
    html_close(o, "table");
}

static void
item_row(struct out *o, const struct invoice_page *p, bool empty)
{
    int year, month, day;
    char text[12] = "";
    jb_day_to_date(p->written_on, &year, &month, &day);
    html_open(o, "tr", NULL);
    if (empty) {
        for (int i = 0; i < 8; i++) {
            html_element(o, "td", NULL, NULL);
        }
    } else {
        snprintf(text, sizeof text, "%02d", month % 100);
        html_element(o, "td", "c", text);
        snprintf(text, sizeof text, "%02d", day % 100);
        html_element(o, "td", "c", text);
        html_element(o, "td", NULL, p->item);
        html_element(o, "td", NULL, NULL);
        html_element(o, "td", NULL, NULL);
        amount_box(o, p, p->supply);
        amount_box(o, p, p->vat);
        snprintf(text, sizeof text, "%04u-%02u", p->month / 100 % 10000, p->month % 100);
        html_element(o, "td", "c", text);
    }
    html_close(o, "tr");
}

static void
items(struct out *o, const struct invoice_page *p)
{
    static const char *const titles[] = {
        SAID("month"),    SAID("day of the month"), SAID("item"),
        SAID("quantity"), SAID("unit price"),       SAID("supply value"),
        SAID("tax"),      SAID("tax month"),        NULL};
    html_open(o, "table", "ite");
    head_row(o, titles);
    item_row(o, p, false);
    for (int i = 0; i < EMPTY_ROWS; i++) {
        item_row(o, p, true);
    }
    html_close(o, "table");
}

static void
total(struct out *o, const struct invoice_page *p)
{
    static const char *const titles[] = {SAID("total amount"), SAID("document number"),
                                         SAID("amends"), SAID("state"), NULL};
    html_open(o, "table", "inv");
    head_row(o, titles);
    html_open(o, "tr", "b");
    amount_box(o, p, p->total);
    number_box(o, p->number);
    if (p->original != 0) {
        number_box(o, p->original);
    } else {
        html_element(o, "td", NULL, NULL);
    }
    html_element(o, "td", "c", p->state);
    html_close(o, "tr");
    html_close(o, "table");
}

/* ---- what it is made of ---- */

static void
row(struct out *o, const struct invoice_page *p, const struct invoice_row *r)
{
    char text[JB_DAY_TEXT_BYTES];
    html_open(o, "tr", NULL);
    html_element(o, "td", "n", jb_day_print(r->day, text));
    html_open(o, "td", NULL);
    html_given(o, r->usage);
    html_close(o, "td");
    number_box(o, r->seq);
    amount_box(o, p, r->amount);
    html_close(o, "tr");
}

static void
rows(struct out *o, const struct invoice_page *p)
{
    html_element(o, "h2", NULL, tr("What the total is made of (VAT included)"));
    html_open(o, "table", NULL);
    html_open(o, "thead", NULL);
    html_open(o, "tr", NULL);
    html_element(o, "th", NULL, tr("day"));
    html_element(o, "th", NULL, tr("usage"));
    html_element(o, "th", "c", tr("event"));
    html_element(o, "th", "r", tr("amount"));
    html_close(o, "tr");
    html_close(o, "thead");
    html_open(o, "tbody", NULL);
    for (size_t i = 0; i < p->rows_n; i++) {
        row(o, p, &p->rows[i]);
    }
    if (p->rows_left_out) {
        html_open(o, "tr", NULL);
        html_span(o, "td", NULL, 4, 1, tr("Too many to be listed here: the report has them."));
        html_close(o, "tr");
    }
    html_open(o, "tr", "b");
    html_span(o, "td", NULL, 3, 1, tr("total amount"));
    amount_box(o, p, p->total);
    html_close(o, "tr");
    html_close(o, "tbody");
    html_close(o, "table");
}

void
invoice_page(struct out *o, const struct invoice_page *p)
{
    const char *title = p->amended ? tr("Amended tax invoice") : tr("Electronic tax invoice");
    html_page_begin(o, lang_now() == JB_LANG_KO ? "ko" : "en", title);
    html_open(o, "div", "title");
    html_element(o, "h1", NULL, title);
    html_open(o, "p", NULL);
    html_str(o, tr("approval number of the tax office: "));
    html_str(o, p->approve_no != NULL ? p->approve_no : "-");
    html_close(o, "p");
    html_close(o, "div");
    parties(o, p);
    sums(o, p);
    items(o, p);
    total(o, p);
    rows(o, p);
    html_element(o, "p", "s",
                 tr("A print of the ledger's record; not the document that is sent to the tax "
                    "office."));
    html_page_end(o);
}

/* ---- words ---- */

const char *
invoice_state_said(uint32_t state)
{
    switch (state) {
    case JB_INVOICE_ISSUED:
        return tr("issued");
    case JB_INVOICE_CONFIRMED:
        return tr("confirmed by the tax office");
    default:
        return tr("failed to be issued");
    }
}

const char *
invoice_reason_said(uint32_t reason)
{
    switch (reason) {
    case JB_INVOICE_AMOUNT_CHANGED:
        return tr("amount changed");
    case JB_INVOICE_RESCINDED:
        return tr("contract rescinded");
    case JB_INVOICE_ENTRY_ERROR:
        return tr("entry error");
    case JB_INVOICE_ISSUED_TWICE:
        return tr("issued twice");
    default:
        return NULL;
    }
}

const char *
invoice_number_said(const char *biz, char buf[INVOICE_NUMBER_BYTES])
{
    if (strlen(biz) != 10) {
        return biz[0] != '\0' ? biz : NULL;
    }
    snprintf(buf, INVOICE_NUMBER_BYTES, "%.3s-%.2s-%.5s", biz, biz + 3, biz + 5);
    return buf;
}

const char *
invoice_item_said(uint32_t month, char buf[INVOICE_ITEM_BYTES])
{
    snprintf(buf, INVOICE_ITEM_BYTES, tr("services used in %04u-%02u"), month / 100, month % 100);
    return buf;
}
