#include "lists_json.h"

#include <stdio.h>
#include <string.h>

#include "event_json.h"
#include "lang.h"
#include "parse.h"
#include "rows_json.h"

/* What an `each` writes to, and what went wrong there. */
struct rows {
    const struct asked *asked;
    const struct query *query;
    struct out *o;
    jb_status status;
    struct jb_error *err;
};

static void
list_begin(const struct query *q, struct out *o)
{
    js_open(o, NULL, '{');
    if (q->wallet.s != NULL) {
        js_text(o, "wallet", q->wallet);
    }
    if (q->channel.s != NULL) {
        js_text(o, "channel", q->channel);
    }
    js_open(o, "rows", '[');
}

static jb_status
usage(struct jb_error *err, const char *sentence)
{
    *err = (struct jb_error){.status = JB_E_USAGE};
    snprintf(err->text, sizeof err->text, "%s", tr(sentence));
    return JB_E_USAGE;
}

/* ---- wallets ---- */

static bool
each_wallet(void *data, const struct jb_wallet_row *w)
{
    const struct rows *rows = data;
    wallet_row_json(rows->o, w, rows->asked->utc_offset_s);
    return true;
}

/* NULL: no bound. A day begins with its first instant; before one is before that, too. */
static jb_status
time_asked(const struct jb_as_of *bound, int32_t utc_offset_s, jb_instant *at,
           const jb_instant **ret, struct jb_error *err)
{
    *ret = bound->kind != JB_AS_OF_NOW ? at : NULL;
    *at = bound->kind == JB_AS_OF_DAY ? jb_day_start(bound->day, utc_offset_s) : bound->time;
    *at = bound->kind == JB_AS_OF_DAY && *at < JB_INSTANT_MIN ? JB_INSTANT_MIN : *at;
    return bound->kind == JB_AS_OF_SEQ
               ? usage(err, "used_since and used_before are times or days, not events' numbers")
               : JB_OK;
}

jb_status
wallets_asked(const struct query *q, int32_t utc_offset_s, struct wallets_asked *ret,
              struct jb_error *err)
{
    *ret = (struct wallets_asked){.query = {.size = sizeof ret->query,
                                            .statuses = q->statuses,
                                            .kinds = q->kinds,
                                            .name = q->name,
                                            .master = q->master,
                                            .total_min = bound_of(&q->total_min),
                                            .total_max = bound_of(&q->total_max),
                                            .paid_min = bound_of(&q->paid_min),
                                            .paid_max = bound_of(&q->paid_max)}};
    jb_status status =
        time_asked(&q->used_since, utc_offset_s, &ret->since, &ret->query.used_since, err);
    return status == JB_OK ? time_asked(&q->used_before, utc_offset_s, &ret->before,
                                        &ret->query.used_before, err)
                           : status;
}

jb_status
wallets_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct rows rows = {.asked = a, .query = q, .o = o};
    struct wallets_asked asked;
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    list_begin(q, o);
    jb_status status = wallets_asked(q, a->utc_offset_s, &asked, err);
    if (status == JB_OK) {
        status = jb_wallets_find(a->views, &asked.query, asked_as_of(q), q->cursor.s,
                                 (uint32_t)q->limit, each_wallet, &rows, next, &moment, err);
    }
    if (status == JB_OK) {
        page_end_json(a, o, next, &moment);
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
each_charge(void *data, const struct jb_lot_row *r)
{
    return r->event->type != JB_EV_CHARGE_SETTLED || each_lot(data, r);
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
    struct rows *rows = data;
    char wallet[JB_ID_BYTES_MAX + 1];
    size_t n = 0;
    const bool all = rows->query->wallet.s == NULL;
    if (all) {
        rows->status = jb_wallet_id(rows->asked->ledger, r->event->wallet, wallet, &n, rows->err);
        wallet[n] = '\0';
    }
    if (rows->status == JB_OK) {
        refund_row_json(rows->o, r, all ? wallet : NULL, rows->asked->utc_offset_s);
    }
    return rows->status == JB_OK;
}

jb_status
items_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct rows rows = {.asked = a, .query = q, .o = o, .status = JB_OK, .err = err};
    /* Of all wallets the open ones: who asks for more is told so. */
    const bool open = q->open != 0 || (q->wallet.s == NULL && !q->not_open);
    const jb_which which = open ? JB_WHICH_OPEN : JB_WHICH_ALL;
    const uint32_t limit = (uint32_t)q->limit;
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    list_begin(q, o);
    jb_status status = q->kind == QUERY_CHARGES
                           ? jb_lots_get(a->views, q->wallet, which, asked_as_of(q), q->cursor.s,
                                         limit, each_charge, &rows, next, &moment, err)
                       : q->kind == QUERY_LOTS
                           ? jb_lots_get(a->views, q->wallet, which, asked_as_of(q), q->cursor.s,
                                         limit, each_lot, &rows, next, &moment, err)
                       : q->kind == QUERY_GRANTS
                           ? jb_grants_get(a->views, q->wallet, which, asked_as_of(q), q->cursor.s,
                                           limit, each_grant, &rows, next, &moment, err)
                           : jb_refunds_get(a->views, q->wallet, which, asked_as_of(q), q->cursor.s,
                                            limit, each_refund, &rows, next, &moment, err);
    status = status == JB_OK ? rows.status : status;
    if (status == JB_OK) {
        page_end_json(a, o, next, &moment);
    }
    return status;
}

/* ---- histories ---- */

static bool
each_history(void *data, const struct jb_history_row *r)
{
    struct rows *rows = data;
    rows->status = history_row_json(rows->o, rows->asked->ledger, r, rows->query->people != 0,
                                    rows->asked->utc_offset_s, rows->err);
    return rows->status == JB_OK;
}

jb_status
history_asked(const struct query *q, int32_t utc_offset_s, struct history_asked *ret,
              struct jb_error *err)
{
    jb_status status = events_asked(q, utc_offset_s, &ret->bounds, err);
    const struct jb_events_query *b = &ret->bounds.query;
    ret->query =
        (struct jb_history_query){.size = sizeof ret->query,
                                  .wallet = q->wallet,
                                  .kind = (jb_history_kind)q->type,
                                  .order = q->oldest_first != 0 ? JB_OLDEST_FIRST : JB_NEWEST_FIRST,
                                  .types = b->types,
                                  .types_n = b->types_n,
                                  .first = b->first,
                                  .last = b->last,
                                  .since = b->since,
                                  .until = b->until,
                                  .amount_min = b->amount_min,
                                  .amount_max = b->amount_max};
    return status;
}

jb_status
history_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct rows rows = {.asked = a, .query = q, .o = o, .status = JB_OK, .err = err};
    struct history_asked asked;
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    list_begin(q, o);
    jb_status status = history_asked(q, a->utc_offset_s, &asked, err);
    if (status == JB_OK) {
        status = jb_history_find(a->views, &asked.query, asked_as_of(q), q->cursor.s,
                                 (uint32_t)q->limit, each_history, &rows, next, &moment, err);
    }
    status = status == JB_OK ? rows.status : status;
    if (status == JB_OK) {
        page_end_json(a, o, next, &moment);
    }
    return status;
}

static bool
each_refused(void *data, const struct jb_event *e)
{
    struct rows *rows = data;
    rows->status = event_row_json(rows->o, rows->asked->ledger, e, false, rows->asked->utc_offset_s,
                                  rows->err);
    return rows->status == JB_OK;
}

jb_status
refused_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct rows rows = {.asked = a, .query = q, .o = o, .status = JB_OK, .err = err};
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    list_begin(q, o);
    jb_status status = jb_refused_get(a->views, q->wallet, asked_as_of(q), q->cursor.s,
                                      (uint32_t)q->limit, each_refused, &rows, next, &moment, err);
    status = status == JB_OK ? rows.status : status;
    if (status == JB_OK) {
        page_end_json(a, o, next, &moment);
    }
    return status;
}

/* ---- find ---- */

static bool
each_found(void *data, const struct jb_find_row *r)
{
    struct rows *rows = data;
    rows->status = find_row_json(rows->o, rows->asked->ledger, r, rows->query->people != 0,
                                 rows->asked->utc_offset_s, rows->err);
    return rows->status == JB_OK;
}

jb_status
find_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct rows rows = {.asked = a, .query = q, .o = o, .status = JB_OK, .err = err};
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    js_open(o, NULL, '{');
    js_text(o, "text", q->text);
    js_open(o, "rows", '[');
    jb_status status = jb_find_get(a->views, q->text, asked_as_of(q), q->cursor.s,
                                   (uint32_t)q->limit, each_found, &rows, next, &moment, err);
    status = status == JB_OK ? rows.status : status;
    if (status == JB_OK) {
        page_end_json(a, o, next, &moment);
    }
    return status;
}

/* ---- events ---- */

static const char *
nth_type(unsigned i)
{
    const struct jb_event_type_info *type = jb_event_type_get(i + 1);
    return type != NULL ? type->name : NULL;
}

/* The types that may be meant: those that contain the word, and the nearest one; as many as there
 * is room for. */
static jb_status
no_such_type(struct jb_error *err, const char *name, size_t name_n)
{
    char word[61] = "", list[700] = "";
    const size_t word_n = name_n < sizeof word ? name_n : sizeof word - 1;
    memcpy(word, name, word_n);
    const char *const nearest = nearest_word(word, word_n, nth_type);
    size_t n = 0;
    for (unsigned i = 0; nth_type(i) != NULL; i++) {
        const char *type = nth_type(i);
        bool meant = type == nearest || (word_n > 0 && strstr(type, word) != NULL);
        if (meant && n + strlen(type) + 3 < sizeof list) {
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n > 0 ? ", " : "", type);
        }
    }
    *err = (struct jb_error){.status = JB_E_USAGE};
    if (n == 0) {
        snprintf(err->text, sizeof err->text,
                 tr("there is no type of events %s; docs/format.md, section 3, has them all"),
                 word);
    } else {
        snprintf(err->text, sizeof err->text,
                 tr("there is no type of events %s; do you mean one of these: %s? Several stand "
                    "with commas between them"),
                 word, list);
    }
    return JB_E_USAGE;
}

jb_status
event_types_read(const char *names, struct event_types *ret, struct jb_error *err)
{
    for (ret->n = 0; names != NULL;) {
        const size_t n = strcspn(names, ",");
        uint32_t type = event_type_called(names, n);
        if (type == 0) {
            return no_such_type(err, names, n);
        }
        if (ret->n == JB_EV_TYPES) {
            return usage(err, "there are not that many types of events");
        }
        ret->at[ret->n++] = type;
        names = names[n] == ',' ? names + n + 1 : NULL;
    }
    return JB_OK;
}

jb_status
events_asked(const struct query *q, int32_t utc_offset_s, struct events_asked *ret,
             struct jb_error *err)
{
    memset(ret, 0, sizeof *ret);
    ret->query.size = sizeof ret->query;
    ret->query.wallet = q->wallet;
    ret->query.channel = q->channel;
    ret->query.order = q->newest_first != 0 ? JB_NEWEST_FIRST : JB_OLDEST_FIRST;
    ret->query.first = q->since.kind == JB_AS_OF_SEQ ? q->since.seq : 0;
    ret->query.last = q->until.kind == JB_AS_OF_SEQ ? q->until.seq : 0;
    ret->since =
        q->since.kind == JB_AS_OF_DAY ? jb_day_start(q->since.day, utc_offset_s) : q->since.time;
    ret->until = q->until.kind == JB_AS_OF_DAY ? jb_day_start(q->until.day + 1, utc_offset_s)
                                               : q->until.time;
    /* The first and the last day reach beyond the instants that there are, by the offset. */
    if (q->since.kind == JB_AS_OF_DAY && ret->since < JB_INSTANT_MIN) {
        ret->since = JB_INSTANT_MIN;
    }
    if (q->until.kind == JB_AS_OF_DAY && ret->until > JB_INSTANT_MAX) {
        ret->until = JB_INSTANT_MAX;
    }
    if (q->since.kind == JB_AS_OF_TIME || q->since.kind == JB_AS_OF_DAY) {
        ret->query.since = &ret->since;
    }
    if (q->until.kind == JB_AS_OF_TIME || q->until.kind == JB_AS_OF_DAY) {
        ret->query.until = &ret->until;
    }
    if ((q->since.kind == JB_AS_OF_SEQ && q->since.seq == 0) ||
        (q->until.kind == JB_AS_OF_SEQ && q->until.seq == 0)) {
        return usage(err, "events are counted from 1");
    }
    ret->query.types = q->types.n > 0 ? q->types.at : NULL;
    ret->query.types_n = q->types.n;
    ret->query.amount_min = bound_of(&q->amount_min);
    ret->query.amount_max = bound_of(&q->amount_max);
    return JB_OK;
}

static bool
each_event(void *data, const struct jb_event *e)
{
    struct rows *rows = data;
    rows->status = event_row_json(rows->o, rows->asked->ledger, e, rows->query->people != 0,
                                  rows->asked->utc_offset_s, rows->err);
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
        status = jb_events_get(a->views, &asked.query, asked_as_of(q), q->cursor.s,
                               (uint32_t)q->limit, each_event, &rows, next, &moment, err);
    }
    status = status == JB_OK ? rows.status : status;
    if (status == JB_OK) {
        page_end_json(a, o, next, &moment);
    }
    return status;
}

/* ---- the feed ---- */

struct feed_rows {
    struct rows rows;
    uint64_t n;
};

static bool
each_of_feed(void *data, const struct jb_feed_row *r)
{
    struct feed_rows *feed = data;
    struct rows *rows = &feed->rows;
    feed->n++;
    rows->status = feed_row_json(rows->o, rows->asked->ledger, r, rows->query->people != 0,
                                 rows->asked->utc_offset_s, rows->err);
    return rows->status == JB_OK;
}

jb_status
feed_page_json(const struct asked *a, const struct query *q, struct out *o,
               struct jb_feed_page *page, uint64_t *ret_rows, struct jb_error *err)
{
    struct feed_rows feed = {.rows = {.asked = a, .query = q, .o = o, .status = JB_OK, .err = err}};
    const struct jb_feed_query asked = {.size = sizeof asked,
                                        .after = q->after,
                                        .cursor = q->cursor.s,
                                        .wallet = q->wallet,
                                        .limit = (uint32_t)q->limit};
    list_begin(q, o);
    jb_status status = jb_feed_get(a->views, &asked, each_of_feed, &feed, page, err);
    status = status == JB_OK ? feed.rows.status : status;
    *ret_rows = feed.n;
    if (status != JB_OK) {
        return status;
    }
    js_close(o, ']');
    js_str(o, "next", page->cursor);
    js_bool(o, "more", page->more != 0);
    js_uint(o, "through", page->through);
    js_uint(o, "head", page->head);
    js_close(o, '}');
    js_line_end(o);
    return JB_OK;
}

jb_status
feed_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct jb_feed_page page = JB_SIZED(struct jb_feed_page);
    uint64_t rows;
    return feed_page_json(a, q, o, &page, &rows, err);
}
