#include "statements_json.h"

#include <string.h>

#include "event_json.h"
#include "rows_json.h"

/* What an `each` writes to, and what went wrong there. */
struct rows {
    const struct asked *asked;
    struct out *o;
    jb_status status;
    struct jb_error *err;
};

/* ---- receipts ---- */

static const char *
gateway_word(jb_gateway gateway)
{
    return gateway == JB_GATEWAY_TOSS ? "TOSS" : gateway == JB_GATEWAY_INICIS ? "INICIS" : "OTHER";
}

static const char *
by_word(jb_receipt_by by)
{
    return by == JB_RECEIPT_BY_CARD ? "card" : by == JB_RECEIPT_BY_ACCOUNT ? "account" : "issuer";
}

/* A way to find it: its keys, and null for those that the ledger does not keep. */
static void
way_json(struct out *o, const struct jb_receipt_row *r, const struct jb_receipt_way *way)
{
    js_open(o, NULL, '{');
    js_str(o, "by", by_word(way->by));
    if (way->keys & JB_RECEIPT_APPROVE_NO) {
        js_text(o, "approve_no", r->event->charge_settled.approve_no);
    }
    if (way->keys & JB_RECEIPT_EMAIL) {
        js_null(o, "email");
    }
    if (way->keys & JB_RECEIPT_AMOUNT) {
        js_int(o, "amount", r->amount);
    }
    if (way->keys & JB_RECEIPT_DAY) {
        js_day(o, "day", r->day);
    }
    if (way->keys & JB_RECEIPT_BANK) {
        js_null(o, "bank");
    }
    if (way->keys & JB_RECEIPT_ACCOUNT) {
        js_null(o, "account");
    }
    js_close(o, '}');
}

static bool
each_receipt(void *data, const struct jb_receipt_row *r)
{
    struct rows *rows = data;
    struct out *o = rows->o;
    event_head_json(o, r->event, rows->asked->utc_offset_s);
    js_instant(o, "paid_at", r->event->occurred_at, rows->asked->utc_offset_s);
    event_fields_json(o, r->event, rows->asked->utc_offset_s);
    js_str(o, "gateway", gateway_word(r->gateway));
    js_str(o, "where", r->site);
    js_open(o, "look_up", '[');
    for (uint32_t i = 0; i < r->ways_n; i++) {
        way_json(o, r, &r->ways[i]);
    }
    js_close(o, ']');
    js_str(o, "tax",
           r->tax == JB_RECEIPT_TAXABLE  ? "TAXABLE"
           : r->tax == JB_RECEIPT_EXEMPT ? "EXEMPT"
                                         : NULL);
    js_int(o, "cancelled", r->reversed);
    js_int(o, "refunded", r->refunded);
    js_sentence(o, "text", r->text);
    js_close(o, '}');
    return true;
}

jb_status
receipts_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct rows rows = {.asked = a, .o = o};
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    js_open(o, NULL, '{');
    js_text(o, "wallet", q->wallet);
    js_open(o, "rows", '[');
    jb_status status = jb_receipts_get(a->views, q->wallet, asked_as_of(q), q->cursor.s,
                                       (uint32_t)q->limit, each_receipt, &rows, next, &moment, err);
    if (status == JB_OK) {
        page_end_json(a, o, next, &moment);
    }
    return status;
}

/* ---- statements ---- */

static bool
each_statement_row(void *data, const struct jb_statement *s, const struct jb_statement_row *r)
{
    struct rows *rows = data;
    const struct jb_history_row row = {
        .event = r->event, .effect = r->effect, .balance = r->balance, .late = r->late};
    (void)s;
    rows->status = history_row_json(rows->o, rows->asked->ledger, &row, false,
                                    rows->asked->utc_offset_s, rows->err);
    return rows->status == JB_OK && !rows->o->no_memory;
}

static void
has_json(struct out *o, const char *key, jb_amount total, jb_amount paid, jb_amount free)
{
    js_open(o, key, '{');
    js_int(o, "total", total);
    js_int(o, "paid", paid);
    js_int(o, "free", free);
    js_close(o, '}');
}

jb_status
statement_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct rows rows = {.asked = a, .o = o, .status = JB_OK, .err = err};
    struct jb_statement s = JB_SIZED(struct jb_statement);
    js_open(o, NULL, '{');
    js_text(o, "wallet", q->wallet);
    js_day(o, "from", q->from_day);
    js_day(o, "to", q->to_day);
    js_open(o, "rows", '[');
    jb_status status = jb_statement_get(a->views, q->wallet, q->from_day, q->to_day, asked_as_of(q),
                                        each_statement_row, &rows, &s, err);
    status = status == JB_OK ? rows.status : status;
    if (status != JB_OK) {
        return status;
    }
    js_close(o, ']');
    has_json(o, "opening", s.opening_total, s.opening_paid, s.opening_free);
    has_json(o, "closing", s.closing_total, s.closing_paid, s.closing_free);
    js_open(o, "sums", '{');
#define JB_X(name) js_int(o, #name, s.name);
    JB_FLOWS(JB_X)
#undef JB_X
    js_close(o, '}');
    moment_json(o, &s.as_of, a->utc_offset_s);
    js_close(o, '}');
    js_line_end(o);
    return JB_OK;
}

/* ---- totals ---- */

jb_status
totals_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct jb_ledger_totals t = JB_SIZED(struct jb_ledger_totals);
    jb_status status = jb_ledger_totals_get(a->views, asked_as_of(q), &t, err);
    if (status != JB_OK) {
        return status;
    }
    js_open(o, NULL, '{');
    js_uint(o, "wallets", t.wallets);
    js_uint(o, "wallets_in_debt", t.wallets_in_debt);
    js_int(o, "paid", t.paid);
    js_int(o, "debt", t.debt);
    js_int(o, "free", t.free);
    js_int(o, "free_dormant", t.free_dormant);
    js_int(o, "held", t.held);
    js_int(o, "refund_in_transit", t.refund_in_transit);
    js_day(o, "from", t.from);
    js_day(o, "to", t.to);
    js_int(o, "charged_12m", t.charged_12m);
    js_int(o, "charged_12m_without_credits", t.charged_12m - t.credited_12m);
    moment_json(o, &t.as_of, a->utc_offset_s);
    js_close(o, '}');
    js_line_end(o);
    return JB_OK;
}

/* ---- grants about to lapse ---- */

static bool
each_expiring(void *data, const struct jb_expiring_row *r)
{
    struct rows *rows = data;
    struct out *o = rows->o;
    event_head_json(o, r->event, rows->asked->utc_offset_s);
    js_str(o, "wallet", r->wallet);
    event_fields_json(o, r->event, rows->asked->utc_offset_s);
    js_str(o, "state", jb_name_word(jb_names_get(JB_LIST_GRANT_STATE), r->state));
    js_int(o, "left", r->left);
    js_uint(o, "days", r->days);
    js_close(o, '}');
    return true;
}

jb_status
expiring_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct rows rows = {.asked = a, .o = o};
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    js_open(o, NULL, '{');
    js_uint(o, "days", q->days);
    js_open(o, "rows", '[');
    jb_status status =
        jb_expiring_get(a->views, q->wallet, (uint32_t)q->days, asked_as_of(q), q->cursor.s,
                        (uint32_t)q->limit, each_expiring, &rows, next, &moment, err);
    if (status == JB_OK) {
        page_end_json(a, o, next, &moment);
    }
    return status;
}
