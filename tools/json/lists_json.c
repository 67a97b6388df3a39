#include "lists_json.h"

#include <stdio.h>
#include <string.h>

#include "event_json.h"
#include "rows_json.h"

/* What an `each` writes to, and what went wrong there. */
struct rows {
    const struct asked *asked;
    const struct query *query;
    struct out *o;
    jb_status status;
    struct jb_error *err;
};

static const struct jb_as_of *
as_of(const struct query *q)
{
    return q->as_of.kind != JB_AS_OF_NOW ? &q->as_of : NULL;
}

static void
list_begin(const struct query *q, struct out *o)
{
    js_open(o, NULL, '{');
    if (q->wallet.s != NULL) {
        js_text(o, "wallet", q->wallet);
    }
    js_open(o, "rows", '[');
}

static void
list_end(const struct asked *a, struct out *o, const char *next, const struct jb_moment *moment)
{
    js_close(o, ']');
    js_str(o, "next", next[0] != '\0' ? next : NULL);
    moment_json(o, moment, a->utc_offset_s);
    js_close(o, '}');
    js_line_end(o);
}

/* ---- wallets ---- */

static bool
each_wallet(void *data, const struct jb_wallet_balance *b)
{
    wallet_row_json(data, b);
    return true;
}

jb_status
wallets_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    list_begin(q, o);
    jb_status status = jb_wallets_get(a->views, as_of(q), q->cursor.s, (uint32_t)q->limit,
                                      each_wallet, o, next, &moment, err);
    if (status == JB_OK) {
        list_end(a, o, next, &moment);
    }
    return status;
}

/* ---- lots, grants, refunds ---- */

static bool
each_lot(void *data, const struct jb_lot_row *r)
{
    const struct rows *rows = data;
    lot_row_json(rows->o, r, rows->asked->utc_offset_s);
    return true;
}

static bool
each_grant(void *data, const struct jb_grant_row *r)
{
    const struct rows *rows = data;
    grant_row_json(rows->o, r, rows->asked->utc_offset_s);
    return true;
}

static bool
each_refund(void *data, const struct jb_refund_row *r)
{
    const struct rows *rows = data;
    refund_row_json(rows->o, r, rows->asked->utc_offset_s);
    return true;
}

jb_status
items_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct rows rows = {.asked = a, .query = q, .o = o};
    const jb_which which = q->open != 0 ? JB_WHICH_OPEN : JB_WHICH_ALL;
    const uint32_t limit = (uint32_t)q->limit;
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    list_begin(q, o);
    jb_status status = q->kind == QUERY_LOTS
                           ? jb_lots_get(a->views, q->wallet, which, as_of(q), q->cursor.s, limit,
                                         each_lot, &rows, next, &moment, err)
                       : q->kind == QUERY_GRANTS
                           ? jb_grants_get(a->views, q->wallet, which, as_of(q), q->cursor.s, limit,
                                           each_grant, &rows, next, &moment, err)
                           : jb_refunds_get(a->views, q->wallet, which, as_of(q), q->cursor.s,
                                            limit, each_refund, &rows, next, &moment, err);
    if (status == JB_OK) {
        list_end(a, o, next, &moment);
    }
    return status;
}

/* ---- events ---- */

static jb_status
usage(struct jb_error *err, const char *format, int n, const char *s)
{
    *err = (struct jb_error){.status = JB_E_USAGE};
    snprintf(err->text, sizeof err->text, format, n, s);
    return JB_E_USAGE;
}

/* 0: there is none of that name. */
static uint32_t
type_called(const char *s, size_t n)
{
    for (uint32_t i = 1; i < JB_EV_TYPES; i++) {
        const struct jb_event_type_info *type = jb_event_type_get(i);
        if (type != NULL && strlen(type->name) == n && memcmp(type->name, s, n) == 0) {
            return i;
        }
    }
    return 0;
}

static jb_status
read_types(struct jb_text names, struct events_asked *ret, struct jb_error *err)
{
    uint32_t n = 0;
    for (size_t at = 0; names.s != NULL && at <= names.n;) {
        const char *comma = memchr(names.s + at, ',', names.n - at);
        size_t length = comma != NULL ? (size_t)(comma - names.s) - at : names.n - at;
        uint32_t type = type_called(names.s + at, length);
        if (type == 0 || n == JB_EV_TYPES) {
            return usage(err,
                         "there is no type of events %.*s; docs/format.md lists them, and several "
                         "stand with commas between them",
                         length < 60 ? (int)length : 60, names.s + at);
        }
        ret->types[n++] = type;
        at += length + 1;
    }
    ret->query.types = n > 0 ? ret->types : NULL;
    ret->query.types_n = n;
    return JB_OK;
}

jb_status
events_asked(const struct query *q, int32_t utc_offset_s, struct events_asked *ret,
             struct jb_error *err)
{
    memset(ret, 0, sizeof *ret);
    ret->query.size = sizeof ret->query;
    ret->query.wallet = q->wallet;
    ret->query.order = q->newest_first != 0 ? JB_NEWEST_FIRST : JB_OLDEST_FIRST;
    ret->query.first = q->since.kind == JB_AS_OF_SEQ ? q->since.seq : 0;
    ret->query.last = q->until.kind == JB_AS_OF_SEQ ? q->until.seq : 0;
    ret->since =
        q->since.kind == JB_AS_OF_DAY ? jb_day_start(q->since.day, utc_offset_s) : q->since.time;
    ret->until = q->until.kind == JB_AS_OF_DAY ? jb_day_start(q->until.day + 1, utc_offset_s)
                                               : q->until.time;
    if (q->since.kind == JB_AS_OF_TIME || q->since.kind == JB_AS_OF_DAY) {
        ret->query.since = &ret->since;
    }
    if (q->until.kind == JB_AS_OF_TIME || q->until.kind == JB_AS_OF_DAY) {
        ret->query.until = &ret->until;
    }
    if ((q->since.kind == JB_AS_OF_SEQ && q->since.seq == 0) ||
        (q->until.kind == JB_AS_OF_SEQ && q->until.seq == 0)) {
        return usage(err, "events are counted from 1%.*s", 0, "");
    }
    return read_types(q->types, ret, err);
}

static bool
each_event(void *data, const struct jb_event *e)
{
    struct rows *rows = data;
    jb_ledger *l = rows->asked->ledger;
    char id[JB_ID_BYTES_MAX];
    size_t n = 0;
    rows->status = e->wallet != 0 ? jb_wallet_id(l, e->wallet, id, &n, rows->err) : JB_OK;
    if (rows->status != JB_OK) {
        return false;
    }
    event_json_open(rows->o, e, (struct jb_text){e->wallet != 0 ? id : NULL, n},
                    rows->asked->utc_offset_s);
    rows->status = rows->query->people != 0 ? people_json(rows->o, l, e, rows->err) : JB_OK;
    js_close(rows->o, '}');
    return rows->status == JB_OK;
}

jb_status
events_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct rows rows = {.asked = a, .query = q, .o = o, .status = JB_OK, .err = err};
    struct events_asked asked;
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    list_begin(q, o);
    jb_status status = events_asked(q, a->utc_offset_s, &asked, err);
    if (status == JB_OK) {
        status = jb_events_get(a->views, &asked.query, as_of(q), q->cursor.s, (uint32_t)q->limit,
                               each_event, &rows, next, &moment, err);
    }
    status = status == JB_OK ? rows.status : status;
    if (status == JB_OK) {
        list_end(a, o, next, &moment);
    }
    return status;
}
