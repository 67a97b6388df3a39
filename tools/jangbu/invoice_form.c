#include "invoice_form.h"

#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "invoice_page.h"
#include "lang.h"
#include "supplier_file.h"

/* ---- the page ---- */

struct form {
    struct app *app;
    struct jb_invoice i;
    struct invoice_row *rows;
    size_t n, cap;
    struct supplier_file supplier;
    char name[JB_PERSON_TEXT_BYTES + 1], representative[JB_PERSON_TEXT_BYTES + 1];
    char address[JB_PERSON_TEXT_BYTES + 1], email[JB_PERSON_TEXT_BYTES + 1];
};

static bool
keep_row(void *data, const struct jb_invoice_row *r)
{
    struct form *f = data;
    if (f->n == f->cap) {
        f->cap = f->cap == 0 ? 64 : 2 * f->cap;
        struct invoice_row *more = realloc(f->rows, f->cap * sizeof *more);
        f->app->out.no_memory |= more == NULL; /* said when it is printed */
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

/* "" where there is none, or it cannot be read. */
static jb_status
person(struct form *f, uint64_t ref, char buf[JB_PERSON_TEXT_BYTES + 1])
{
    size_t n = 0;
    jb_person_why why;
    jb_status status =
        ref != 0 ? jb_person_get(f->app->ledger, ref, buf, &n, &why, &f->app->err) : JB_OK;
    buf[status == JB_OK ? n : 0] = '\0';
    return status;
}

static jb_status
read_people(struct form *f)
{
    const struct jb_biz_record *r = &f->i.record;
    jb_status status = person(f, r->name, f->name);
    status = status == JB_OK ? person(f, r->representative, f->representative) : status;
    status = status == JB_OK ? person(f, r->address, f->address) : status;
    return status == JB_OK ? person(f, f->i.email, f->email) : status;
}

static const char *
or_empty(const char *s)
{
    return s[0] != '\0' ? s : NULL;
}

static void
print_page(struct form *f)
{
    const struct jb_invoice *i = &f->i;
    char item[INVOICE_ITEM_BYTES], number[INVOICE_NUMBER_BYTES];
    const struct invoice_page page = {
        .number = i->invoice,
        .amended = i->kind != JB_INVOICE_ORIGINAL,
        .original = i->original,
        .reason = invoice_reason_said(i->reason),
        .state = invoice_state_said(i->state),
        .approve_no = or_empty(i->approve_no),
        .supplier = supplier_party(&f->supplier),
        .recipient = {.number = invoice_number_said(i->record.biz, number),
                      .name = or_empty(f->name),
                      .representative = or_empty(f->representative),
                      .address = or_empty(f->address),
                      .email = or_empty(f->email)},
        .month = i->month,
        .written_on = i->written_on,
        .supply = i->total - i->vat,
        .vat = i->vat,
        .total = i->total,
        .exponent = f->app->info.exponent,
        .item = invoice_item_said(i->month, item),
        .rows = f->rows,
        .rows_n = f->n};
    invoice_page(&f->app->out, &page);
    if (!f->supplier.given) {
        fputs(tr("jangbu: neither --supplier nor JANGBU_SUPPLIER says who supplies: those boxes "
                 "stay empty\n"),
              stderr);
    }
}

int
invoice_html(struct app *app, uint64_t invoice, jb_seq seq, const char *supplier)
{
    struct form f = {.app = app, .i = JB_SIZED(struct jb_invoice)};
    int code = EXIT_DONE;
    if (supplier_read(app, supplier, &f.supplier, &code)) {
        jb_status status = jb_invoice_get(app->ledger, invoice, seq, keep_row, &f, &f.i, &app->err);
        status = status == JB_OK ? read_people(&f) : status;
        if (status == JB_OK) {
            print_page(&f);
        } else {
            code = app_fail(app, &app->err);
        }
    }
    supplier_free(&f.supplier);
    free(f.rows);
    return code;
}

/* ---- CSV ---- */

static bool
csv_row(void *data, const struct jb_invoice_row *r)
{
    struct app *app = data;
    struct out *o = &app->out;
    char day[JB_DAY_TEXT_BYTES], time[JB_INSTANT_TEXT_BYTES];
    out_uint(o, r->seq);
    out_char(o, ',');
    out_str(o, jb_day_print(r->posted_on, day));
    out_char(o, ',');
    out_str(o, jb_instant_print(r->occurred_at, app->info.utc_offset_s, time));
    out_char(o, ',');
    csv_cell(o, r->usage);
    out_char(o, ',');
    if (r->consumption != 0) {
        out_uint(o, r->consumption);
    }
    out_char(o, ',');
    out_int(o, r->amount);
    out_char(o, ',');
    out_str(o, app->info.currency);
    out_char(o, ',');
    out_uint(o, app->info.exponent);
    out_char(o, '\n');
    return true;
}

int
invoice_csv(struct app *app, uint64_t invoice, jb_seq seq)
{
    struct jb_invoice i = JB_SIZED(struct jb_invoice);
    out_str(&app->out, "seq,posted_on,at,usage,consumption,amount,currency,exponent\n");
    if (jb_invoice_get(app->ledger, invoice, seq, csv_row, app, &i, &app->err) != JB_OK) {
        app->out.n = 0;
        return app_fail(app, &app->err);
    }
    return EXIT_DONE;
}
