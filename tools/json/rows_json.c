#include "rows_json.h"

#include <stdlib.h>
#include <string.h>

#include "event_json.h"

void
moment_json(struct out *o, const struct jb_moment *m, int32_t utc_offset_s)
{
    o->as_of = m->seq;
    js_open(o, "as_of", '{');
    js_uint(o, "seq", m->seq);
    js_instant(o, "at", m->at, utc_offset_s);
    js_close(o, '}');
}

const struct jb_as_of *
asked_as_of(const struct query *q)
{
    return q->as_of.kind != JB_AS_OF_NOW ? &q->as_of : NULL;
}

void
page_end_json(const struct asked *a, struct out *o, const char *next,
              const struct jb_moment *moment)
{
    js_close(o, ']');
    js_str(o, "next", next[0] != '\0' ? next : NULL);
    moment_json(o, moment, a->utc_offset_s);
    js_close(o, '}');
    js_line_end(o);
}

jb_status
wallet_name_get(jb_ledger *l, struct jb_text wallet, struct wallet_name *ret, struct jb_error *err)
{
    size_t n = 0;
    jb_status status = jb_wallet_name_get(l, wallet, ret->text, &n, &ret->why, err);
    ret->text[status == JB_OK ? n : 0] = '\0';
    return status;
}

void
balance_json(struct out *o, const struct jb_wallet_balance *w, const struct wallet_name *name,
             int32_t utc_offset_s)
{
    js_open(o, NULL, '{');
    js_str(o, "wallet", w->wallet);
    if (name != NULL) {
        js_str(o, "name", name->text[0] != '\0' ? name->text : NULL);
        if (name->why == JB_WHY_LOST) {
            js_bool(o, "name_damaged", true);
        }
        if (name->why == JB_WHY_SEALED) {
            js_bool(o, "name_sealed", true);
        }
    }
    balance_members_json(o, &w->balance);
    js_uint(o, "version", w->balance.version);
    moment_json(o, &w->as_of, utc_offset_s);
    js_close(o, '}');
}

void
wallet_row_json(struct out *o, const struct jb_wallet_row *w, int32_t utc_offset_s)
{
    const struct jb_wallet_balance *b = w->balance;
    js_open(o, NULL, '{');
    js_str(o, "wallet", b->wallet);
    balance_members_json(o, &b->balance);
    js_uint(o, "version", b->balance.version);
    js_str(o, "kind", jb_name_word(jb_names_get(JB_LIST_WALLET_KIND), w->kind));
    js_uint(o, "name_ref", w->name);
    js_uint(o, "master_ref", w->master);
    js_instant(o, "used_at", w->used_at, utc_offset_s);
    js_close(o, '}');
}

/* ---- rows that are asked for ---- */

static bool
is_within(const struct query *q, jb_amount amount)
{
    return (q->amount_min.given == 0 || amount >= q->amount_min.amount) &&
           (q->amount_max.given == 0 || amount <= q->amount_max.amount);
}

/* Of that flow, or of any, an amount that is not 0 and lies between the bounds. */
static bool
cash_row_is_asked(const struct query *q, const struct jb_cash_row *r)
{
    const jb_amount flows[] = {
#define JB_X(name) r->name,
        JB_FLOWS(JB_X)
#undef JB_X
    };
    if (q->flow == 0 && q->amount_min.given == 0 && q->amount_max.given == 0) {
        return true;
    }
    bool asked = false;
    for (uint32_t i = 0; i < sizeof flows / sizeof flows[0]; i++) {
        asked |= (q->flow == 0 || q->flow == i + 1) && flows[i] != 0 && is_within(q, flows[i]);
    }
    return asked;
}

bool
cash_rows_add(struct cash_rows *rows, const struct jb_cash_row *r)
{
    if (!cash_row_is_asked(rows->query, r)) {
        return true;
    }
    if (rows->n == rows->cap) {
        const size_t cap = rows->cap == 0 ? 64 : rows->cap * 2;
        struct jb_cash_row *at = realloc(rows->at, cap * sizeof *at);
        rows->no_memory = at == NULL;
        if (at == NULL) {
            return false;
        }
        rows->at = at;
        rows->cap = cap;
    }
    rows->at[rows->n++] = *r;
    return true;
}

const char *
lot_state(const struct jb_lot_row *r)
{
    return r->left > 0                ? "OPEN"
           : r->reversed == r->amount ? "REVERSED"
           : r->refunded == r->amount ? "REFUNDED"
                                      : "USED_UP";
}

void
event_head_json(struct out *o, const struct jb_event *e, int32_t utc_offset_s)
{
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    js_open(o, NULL, '{');
    js_uint(o, "seq", e->seq);
    js_str(o, "type", type != NULL ? type->name : "unknown");
    js_instant(o, "at", e->occurred_at, utc_offset_s);
    js_instant(o, "recorded_at", e->recorded_at, utc_offset_s);
}

static void
made_by_json(struct out *o, const struct jb_event *e, int32_t utc_offset_s)
{
    event_head_json(o, e, utc_offset_s);
    event_fields_json(o, e, utc_offset_s);
}

void
lot_row_json(struct out *o, const struct jb_lot_row *r, int32_t utc_offset_s)
{
    made_by_json(o, r->event, utc_offset_s);
    js_str(o, "state", lot_state(r));
    js_int(o, "left", r->left);
    js_int(o, "reversed", r->reversed);
    js_int(o, "refunded", r->refunded);
    js_close(o, '}');
}

void
grant_row_json(struct out *o, const struct jb_grant_row *r, int32_t utc_offset_s)
{
    made_by_json(o, r->event, utc_offset_s);
    js_str(o, "state", jb_name_word(jb_names_get(JB_LIST_GRANT_STATE), r->state));
    js_int(o, "left", r->left);
    js_bool(o, "due", r->due);
    js_close(o, '}');
}

void
refund_row_json(struct out *o, const struct jb_refund_row *r, const char *wallet,
                int32_t utc_offset_s)
{
    event_head_json(o, r->event, utc_offset_s);
    if (wallet != NULL) {
        js_str(o, "wallet", wallet);
    }
    event_fields_json(o, r->event, utc_offset_s);
    js_str(o, "state", jb_name_word(jb_names_get(JB_LIST_REFUND_STATE), r->state));
    js_close(o, '}');
}

void
cash_row_json(struct out *o, const char *wallet, const struct jb_cash_row *r)
{
    js_open(o, NULL, '{');
    if (wallet != NULL) {
        js_str(o, "wallet", wallet);
    }
    js_day(o, "day", r->day);
#define JB_X(name) js_int(o, #name, r->name);
    JB_FLOWS(JB_X)
#undef JB_X
    js_int(o, "closing_total", r->closing_total);
    js_int(o, "closing_paid", r->closing_paid);
    js_int(o, "closing_free", r->closing_free);
    js_close(o, '}');
}

static void
cause_json(struct out *o, const struct jb_cause_line *c)
{
    js_open(o, NULL, '{');
    js_str(o, "cause", jb_cause_word(c->cause));
    js_bool(o, "late", c->late);
    js_int(o, "amount", c->amount);
    js_open(o, "events", '[');
    for (uint32_t j = 0; j < c->events_n; j++) {
        js_uint(o, NULL, c->events[j]);
    }
    js_close(o, ']');
    js_uint(o, "events_total", c->events_total);
    js_close(o, '}');
}

static void
outside_json(struct out *o, const char *what, jb_amount amount)
{
    js_open(o, NULL, '{');
    js_str(o, "what", what);
    js_int(o, "amount", amount);
    js_close(o, '}');
}

void
explanation_json(struct out *o, const struct jb_explanation *x, int32_t utc_offset_s)
{
    js_open(o, NULL, '{');
    js_str(o, "wallet", x->wallet);
    js_int(o, "total_now", x->total_now);
    js_int(o, "cash_status_total", x->cash_status_total);
    js_day(o, "through", x->through);
    js_int(o, "difference", x->difference);
    js_open(o, "causes", '[');
    for (uint32_t i = 0; i < x->causes_n; i++) {
        cause_json(o, x->causes[i]);
    }
    js_close(o, ']');
    js_open(o, "outside", '[');
    outside_json(o, "free_dormant", x->free_dormant);
    outside_json(o, "refund_in_transit", x->refund_in_transit);
    outside_json(o, "deposit_held", x->deposit_held);
    js_close(o, ']');
    js_int(o, "refund_pending", x->refund_pending);
    js_int(o, "rest", x->rest);
    moment_json(o, &x->as_of, utc_offset_s);
    js_close(o, '}');
}

static void
causes_json(struct out *o, const char *name, const struct jb_cause_line *const *lines, uint32_t n)
{
    js_open(o, name, '[');
    for (uint32_t i = 0; i < n; i++) {
        cause_json(o, lines[i]);
    }
    js_close(o, ']');
}

void
change_json(struct out *o, const struct jb_change *c, int32_t utc_offset_s)
{
    static const char *const kinds[] = {
        [JB_CHANGE_PERIOD] = "period", [JB_CHANGE_MOMENTS] = "moments", [JB_CHANGE_DAY] = "day"};
    js_open(o, NULL, '{');
    js_str(o, "wallet", c->wallet);
    js_str(o, "change", kinds[c->kind]);
    if (c->kind == JB_CHANGE_MOMENTS) {
        js_open(o, "since", '{');
        js_uint(o, "seq", c->since.seq);
        js_instant(o, "at", c->since.at, utc_offset_s);
        js_close(o, '}');
    } else {
        js_day(o, "from_day", c->from);
        js_day(o, "to_day", c->to);
    }
    js_int(o, "before", c->before);
    js_int(o, "after", c->after);
    js_int(o, "difference", c->difference);
    causes_json(o, "causes", c->causes, c->causes_n);
    causes_json(o, "apart", c->apart, c->apart_n);
    js_int(o, "rest", c->rest);
    moment_json(o, &c->as_of, utc_offset_s);
    js_close(o, '}');
}

/* Under which name the id of what the event is about stands where the event has only the wallet's
 * number for it. */
static const char *
id_member(uint32_t type)
{
    switch (type) {
    case JB_EV_CHARGE_REVERSED:
        return "charge";
    case JB_EV_CONSUMPTION_REVERSED:
        return "usage";
    default:
        return type >= JB_EV_REFUND_REQUESTED ? "refund" : "grant";
    }
}

jb_status
history_row_json(struct out *o, jb_ledger *l, const struct jb_history_row *r, bool people,
                 int32_t utc_offset_s, struct jb_error *err)
{
    const struct jb_event *e = r->event;
    char id[JB_ID_BYTES_MAX + 1];
    size_t id_n = 0;
    if (jb_event_own_id(e).s == NULL) {
        jb_status status = jb_event_id(l, e, id, &id_n, err);
        if (status != JB_OK && status != JB_E_NOTFOUND) {
            return status; /* an id that is left out would be a wrong answer */
        }
        id_n = status == JB_OK ? id_n : 0;
    }
    event_head_json(o, e, utc_offset_s);
    js_day(o, "posted_on", e->posted_on);
    js_bool(o, "late", r->late);
    js_int(o, "effect", r->effect);
    js_int(o, "balance", r->balance);
    if (id_n > 0) {
        js_text(o, id_member(e->type), (struct jb_text){id, id_n});
    }
    event_fields_json(o, e, utc_offset_s);
    jb_status status = people ? people_json(o, l, e, err) : JB_OK;
    js_close(o, '}');
    return status;
}

/* ---- people ---- */

#define TEXT_BYTES 2048

/* The text behind a reference, or why there is none; no member where there is no reference. */
static jb_status
person_json(struct out *o, jb_ledger *l, const char *name, uint64_t ref, struct jb_error *err)
{
    char text[TEXT_BYTES];
    size_t n = 0;
    jb_person_why why;
    jb_status status = ref != 0 ? jb_person_get(l, ref, text, &n, &why, err) : JB_OK;
    if (status == JB_OK && n > 0) {
        js_text(o, name, (struct jb_text){text, n});
    } else if (status == JB_OK && ref != 0) {
        js_open(o, name, '{');
        js_uint(o, "ref", ref);
        js_null(o, "id");
        js_str(o, "why", jb_person_why_word(why));
        js_close(o, '}');
    }
    return status;
}

jb_status
people_json(struct out *o, jb_ledger *l, const struct jb_event *e, struct jb_error *err)
{
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    js_open(o, "people", '{');
    jb_status status = person_json(o, l, "actor", e->flags & JB_EVF_ACTOR ? e->actor : 0, err);
    if (status == JB_OK) {
        status = person_json(o, l, "note", e->flags & JB_EVF_NOTE ? e->note : 0, err);
    }
    for (uint32_t i = 0; type != NULL && i < type->fields_n && status == JB_OK; i++) {
        const struct jb_field_info *f = &type->fields[i];
        uint64_t ref;
        if (f->kind == JB_FK_REF) {
            memcpy(&ref, (const char *)e + f->offset, sizeof ref);
            status = person_json(o, l, f->name, ref, err);
        }
    }
    js_close(o, '}');
    return status;
}

jb_status
event_ids_get(jb_ledger *l, const struct jb_event *e, char bufs[2][JB_ID_BYTES_MAX],
              struct event_ids *ret, struct jb_error *err)
{
    const uint32_t wallet = event_wallet(e);
    const uint64_t channel = event_channel(e);
    size_t n = 0;
    *ret = (struct event_ids){{NULL, 0}, {NULL, 0}};
    jb_status status = wallet != 0 ? jb_wallet_id(l, wallet, bufs[0], &n, err) : JB_OK;
    if (status != JB_OK) {
        return status; /* an id that is left out would be a wrong answer */
    }
    ret->wallet = (struct jb_text){wallet != 0 ? bufs[0] : NULL, n};
    status = channel != 0 ? jb_channel_id(l, channel, bufs[1], &n, err) : JB_OK;
    if (status == JB_OK && channel != 0) {
        ret->channel = (struct jb_text){bufs[1], n};
    }
    return status == JB_E_NOTFOUND ? JB_OK : status; /* its number is shown */
}

/* As far as members may follow. */
static jb_status
event_row_open(struct out *o, jb_ledger *l, const struct jb_event *e, bool people,
               int32_t utc_offset_s, struct jb_error *err)
{
    char bufs[2][JB_ID_BYTES_MAX];
    struct event_ids ids;
    jb_status status = event_ids_get(l, e, bufs, &ids, err);
    if (status != JB_OK) {
        return status;
    }
    event_json_open(o, e, &ids, utc_offset_s);
    return people ? people_json(o, l, e, err) : JB_OK;
}

jb_status
event_row_json(struct out *o, jb_ledger *l, const struct jb_event *e, bool people,
               int32_t utc_offset_s, struct jb_error *err)
{
    jb_status status = event_row_open(o, l, e, people, utc_offset_s, err);
    js_close(o, '}');
    return status;
}

jb_status
find_row_json(struct out *o, jb_ledger *l, const struct jb_find_row *r, bool people,
              int32_t utc_offset_s, struct jb_error *err)
{
    jb_status status = event_row_open(o, l, r->event, people, utc_offset_s, err);
    js_open(o, "what", '[');
    for (uint32_t i = 0; i < r->what_n; i++) {
        js_str(o, NULL, r->what[i]);
    }
    js_close(o, ']');
    if (r->wallet_id.s != NULL) {
        js_text(o, "belongs_to", r->wallet_id);
    } else {
        js_null(o, "belongs_to");
    }
    js_close(o, '}');
    return status;
}

/* The wallet's id is known: it is looked up where a command on it was refused. */
static jb_status
feed_ids(jb_ledger *l, const struct jb_feed_row *r, char bufs[2][JB_ID_BYTES_MAX],
         struct event_ids *ret, struct jb_error *err)
{
    if (r->wallet.s == NULL || event_channel(r->event) != 0) {
        return event_ids_get(l, r->event, bufs, ret, err);
    }
    *ret = (struct event_ids){r->wallet, {NULL, 0}};
    return JB_OK;
}

jb_status
feed_row_json(struct out *o, jb_ledger *l, const struct jb_feed_row *r, bool people,
              int32_t utc_offset_s, struct jb_error *err)
{
    char bufs[2][JB_ID_BYTES_MAX];
    struct event_ids ids;
    jb_status status = feed_ids(l, r, bufs, &ids, err);
    if (status != JB_OK) {
        return status;
    }
    event_json_open(o, r->event, &ids, utc_offset_s);
    status = people ? people_json(o, l, r->event, err) : JB_OK;
    js_int(o, "effect", r->effect);
    if (r->balance != NULL) {
        js_open(o, "balance", '{');
        balance_members_json(o, r->balance);
        js_close(o, '}');
    } else {
        js_null(o, "balance");
    }
    js_bool(o, "late", r->late);
    js_str(o, "cursor", r->cursor);
    js_close(o, '}');
    return status;
}
