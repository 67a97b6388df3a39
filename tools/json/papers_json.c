#include "papers_json.h"

#include <stdlib.h>
#include <string.h>

#include "around_json.h"
#include "rows_json.h"

static const char *
word(jb_list list, uint32_t number)
{
    return jb_name_word(jb_names_get(list), number);
}

static void
text_or_null(struct out *o, const char *key, const char *text)
{
    js_str(o, key, text[0] != '\0' ? text : NULL);
}

/* ---- a list ---- */

void
invoice_members_json(struct out *o, const struct jb_invoice *i)
{
    js_uint(o, "invoice", i->invoice);
    js_str(o, "kind", word(JB_LIST_INVOICE_KIND, i->kind));
    js_str(o, "reason", word(JB_LIST_INVOICE_REASON, i->reason));
    js_month(o, "month", i->month);
    js_day(o, "written_on", i->written_on);
    js_str(o, "state", word(JB_LIST_INVOICE_STATE, i->state));
    js_int(o, "supply", i->total - i->vat);
    js_int(o, "vat", i->vat);
    js_int(o, "total", i->total);
    js_uint(o, "original", i->original);
    text_or_null(o, "approve_no", i->approve_no);
    js_uint(o, "mails", i->mails);
    js_bool(o, "in_force", i->in_force != 0);
    js_uint(o, "seq", i->seq);
}

static bool
each_invoice(void *data, const struct jb_invoice *i)
{
    struct out *o = data;
    js_open(o, NULL, '{');
    invoice_members_json(o, i);
    js_close(o, '}');
    return !o->no_memory;
}

jb_status
invoices_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    js_open(o, NULL, '{');
    js_text(o, "wallet", q->wallet);
    js_month(o, "month", q->month);
    js_open(o, "rows", '[');
    jb_status status = jb_invoices_get(a->views, q->wallet, q->month, asked_as_of(q), q->cursor.s,
                                       (uint32_t)q->limit, each_invoice, o, next, &moment, err);
    if (status == JB_OK) {
        page_end_json(a, o, next, &moment);
    }
    return status;
}

/* ---- one ---- */

jb_status
invoice_moment(const struct asked *a, const struct query *q, struct jb_moment *ret,
               struct jb_error *err)
{
    return jb_moment_resolve(a->views, asked_as_of(q), ret, err);
}

static bool
each_row(void *data, const struct jb_invoice_row *r)
{
    struct out *o = data;
    js_open(o, NULL, '{');
    js_uint(o, "seq", r->seq);
    js_text(o, "usage", r->usage);
    js_int(o, "amount", r->amount);
    if (r->consumption != 0) {
        js_uint(o, "consumption", r->consumption);
    }
    js_day(o, "posted_on", r->posted_on);
    js_close(o, '}');
    return !o->no_memory;
}

/* To whom it is made out, as it was approved. */
static jb_status
recipient_json(const struct asked *a, const struct query *q, struct out *o,
               const struct jb_invoice *i, struct jb_error *err)
{
    static const char *const keys[4][3] = {
        {"biz_name_ref", "biz_name", "biz_name_why"},
        {"representative_ref", "representative", "representative_why"},
        {"address_ref", "address", "address_why"},
        {"email_ref", "email", "email_why"}};
    const uint64_t refs[4] = {i->record.name, i->record.representative, i->record.address,
                              i->email};
    jb_status status = JB_OK;
    js_open(o, "recipient", '{');
    text_or_null(o, "number", i->record.biz);
    for (size_t at = 0; at < 4 && status == JB_OK; at++) {
        status = ref_json(a, o, keys[at], refs[at], q->people != 0, err);
    }
    js_uint(o, "business", i->business);
    js_close(o, '}');
    return status;
}

static void
mail_json(struct out *o, const struct jb_invoice *i, int32_t utc_offset_s)
{
    if (i->mailed == 0) {
        js_null(o, "mail");
        return;
    }
    js_open(o, "mail", '{');
    js_uint(o, "seq", i->mailed);
    js_str(o, "result", word(JB_LIST_MAIL_RESULT, i->mail));
    js_instant(o, "at", i->mailed_at, utc_offset_s);
    js_close(o, '}');
}

jb_status
invoice_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct jb_invoice i = JB_SIZED(struct jb_invoice);
    struct jb_moment moment;
    struct out rows = {.first = true};
    jb_status status = invoice_moment(a, q, &moment, err);
    status = status == JB_OK
                 ? jb_invoice_get(a->ledger, q->invoice, moment.seq, each_row, &rows, &i, err)
                 : status;
    if (status == JB_OK) {
        js_open(o, NULL, '{');
        js_str(o, "wallet", i.wallet);
        invoice_members_json(o, &i);
        js_str(o, "why", i.why != 0 ? word(JB_LIST_INVOICE_WHY, i.why) : NULL);
        text_or_null(o, "outside_ref", i.outside_ref);
        js_uint(o, "after", i.after);
        js_uint(o, "through", i.through);
        js_instant(o, "issued_at", i.issued_at, a->utc_offset_s);
        js_instant(o, "ended_at", i.ended_at, a->utc_offset_s);
        mail_json(o, &i, a->utc_offset_s);
        status = recipient_json(a, q, o, &i, err);
        js_open(o, "rows", '[');
        out_bytes(o, rows.at, rows.n);
        o->no_memory |= rows.no_memory;
        js_close(o, ']');
        moment_json(o, &moment, a->utc_offset_s);
        js_close(o, '}');
        js_line_end(o);
    }
    free(rows.at);
    return status;
}

/* ---- a tax month ---- */

struct report_rows {
    struct out *o;
    unsigned list; /* 0: none is begun; 1: documents; 2: rows that are in none */
    bool in_document;
};

static void
end_document(struct report_rows *rows)
{
    if (rows->in_document) {
        js_close(rows->o, ']');
        js_close(rows->o, '}');
    }
    rows->in_document = false;
}

static void
report_list(struct report_rows *rows, unsigned list)
{
    static const char *const names[] = {NULL, "documents", "uninvoiced_rows"};
    while (rows->list < list) {
        end_document(rows);
        if (rows->list > 0) {
            js_close(rows->o, ']');
        }
        js_open(rows->o, names[++rows->list], '[');
    }
}

static bool
each_report_row(void *data, const struct jb_report *report, const struct jb_invoice *document,
                const struct jb_invoice_row *row)
{
    struct report_rows *rows = data;
    (void)report;
    report_list(rows, document != NULL ? 1 : 2);
    if (row != NULL) {
        return each_row(rows->o, row);
    }
    end_document(rows);
    js_open(rows->o, NULL, '{');
    invoice_members_json(rows->o, document);
    js_open(rows->o, "rows", '[');
    rows->in_document = true;
    return !rows->o->no_memory;
}

static void
report_sums(struct out *o, const struct jb_report *r)
{
    js_bool(o, "counted", r->counted != 0);
    js_int(o, "net", r->net);
    js_int(o, "invoiced", r->invoiced);
    js_int(o, "vat", r->vat);
    js_int(o, "uninvoiced", r->uninvoiced);
    js_int(o, "outside", r->outside);
    js_int(o, "unsettled", r->unsettled);
    js_open(o, "cash_status", '{');
    js_day(o, "from", r->from);
    js_day(o, "to", r->to);
    js_day(o, "through", r->through);
    js_int(o, "consumed_paid", r->consumed_paid);
    js_int(o, "returned", r->returned);
    js_int(o, "returned_free", r->returned_free);
    js_int(o, "open", r->open);
    js_int(o, "other_months", r->other_months);
    js_int(o, "elsewhere", r->elsewhere);
    js_close(o, '}');
}

jb_status
report_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct report_rows rows = {.o = o};
    struct jb_report r = JB_SIZED(struct jb_report);
    js_open(o, NULL, '{');
    js_text(o, "wallet", q->wallet);
    js_month(o, "month", q->month);
    jb_status status = jb_report_get(a->views, q->wallet, q->month, asked_as_of(q), each_report_row,
                                     &rows, &r, err);
    if (status != JB_OK) {
        return status;
    }
    report_list(&rows, 2);
    js_close(o, ']');
    report_sums(o, &r);
    moment_json(o, &r.as_of, a->utc_offset_s);
    js_close(o, '}');
    js_line_end(o);
    return JB_OK;
}

/* ---- what is to be done ---- */

const char *
due_why(const struct jb_due_item *i)
{
    const char *code = i->why != 0 ? jb_code_word((jb_code)i->why) : NULL;
    return code != NULL ? code : "FAILED";
}

const char *
due_no_address(const struct jb_due_item *i)
{
    return i->address == JB_WHY_NONE        ? "NO_ADDRESS"
           : i->address == JB_WHY_FORGOTTEN ? "FORGOTTEN"
                                            : "LOST";
}

void
due_item_json(struct out *o, const struct jb_due_item *i)
{
    js_open(o, NULL, '{');
    js_str(o, "op", jb_op_get(i->op)->name);
    if (i->wallet[0] != '\0') {
        js_str(o, "wallet", i->wallet);
    }
    if (i->month != 0) {
        js_month(o, "month", i->month);
    }
    if (i->grant[0] != '\0') {
        js_str(o, "grant", i->grant);
    }
    if (i->day != JB_NO_DAY) {
        js_day(o, "day", i->day);
    }
    if (i->invoice != 0) {
        js_uint(o, "invoice", i->invoice);
    }
    if (i->what == JB_DUE_BLOCKED) {
        js_str(o, "why", due_why(i));
        js_bool(o, "late", i->late != 0);
    }
    if (i->op == JB_OP_INVOICE_EMAIL) {
        js_str(o, "why", due_no_address(i));
    }
    if (i->what == JB_DUE_COMMAND) {
        js_str(o, "key", i->key);
    }
    js_close(o, '}');
}

/* What was found so far of each list. */
struct due_lists {
    struct out of[JB_DUE_OUTSIDE + 1], late;
    uint32_t commands; /* how many */
};

static bool
each_due(void *data, const struct jb_due_item *i)
{
    struct due_lists *l = data;
    if (i->what == JB_DUE_COMMAND) {
        if (i->late != 0) {
            js_uint(&l->late, NULL, l->commands);
        }
        l->commands++;
    }
    due_item_json(&l->of[i->what], i);
    return !l->of[i->what].no_memory;
}

static void
due_list_json(struct out *o, const char *name, const struct out *list)
{
    js_open(o, name, '[');
    out_bytes(o, list->at, list->n);
    o->no_memory |= list->no_memory;
    js_close(o, ']');
}

jb_status
due_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct due_lists l = {.late = {.first = true}};
    struct jb_due_list list = JB_SIZED(struct jb_due_list);
    char next[JB_CURSOR_TEXT_BYTES];
    for (size_t i = 0; i < sizeof l.of / sizeof l.of[0]; i++) {
        l.of[i].first = true;
    }
    jb_status status = jb_due_get(a->views, (jb_due_kind)q->due, q->outside != 0, asked_as_of(q),
                                  q->cursor.s, (uint32_t)q->limit, each_due, &l, next, &list, err);
    if (status == JB_OK) {
        const struct jb_moment moment = {list.seq, list.at};
        js_open(o, NULL, '{');
        js_day(o, "today", list.today);
        due_list_json(o, "commands", &l.of[JB_DUE_COMMAND]);
        due_list_json(o, "blocked", &l.of[JB_DUE_BLOCKED]);
        if (q->outside != 0) {
            due_list_json(o, "outside", &l.of[JB_DUE_OUTSIDE]);
        }
        due_list_json(o, "late", &l.late);
        js_str(o, "next", next[0] != '\0' ? next : NULL);
        moment_json(o, &moment, a->utc_offset_s);
        js_close(o, '}');
        js_line_end(o);
    }
    for (size_t i = 0; i < sizeof l.of / sizeof l.of[0]; i++) {
        free(l.of[i].at);
    }
    free(l.late.at);
    return status;
}
