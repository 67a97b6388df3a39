/* Queries answered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "around_json.h"
#include "event_json.h"
#include "lang.h"
#include "lists_json.h"
#include "papers_json.h"
#include "queries.h"
#include "rows_json.h"
#include "statements_json.h"
#include "vocabulary.h"

static jb_status
balance(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct jb_wallet_balance w = {.size = sizeof w};
    struct wallet_name name;
    jb_status status = jb_balance_get(a->views, q->wallet, asked_as_of(q), &w, err);
    if (status == JB_OK) {
        status = wallet_name_get(a->ledger, q->wallet, &name, err);
    }
    if (status == JB_OK) {
        balance_json(o, &w, &name, a->utc_offset_s);
        js_line_end(o);
    }
    return status;
}

static bool
each_cash_row(void *data, const struct jb_cash_row *r)
{
    struct cash_rows *rows = data;
    return cash_rows_add(rows, r);
}

static jb_status
cash_status(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct jb_cash_status s = {.size = sizeof s};
    struct cash_rows rows = {.query = q};
    js_open(o, NULL, '{');
    js_text(o, "wallet", q->wallet);
    js_str(o, "view", q->view == JB_VIEW_POSTED ? "posted" : "known");
    js_open(o, "rows", '[');
    jb_status status =
        jb_cash_status_get(a->views, q->wallet, (jb_cash_view)q->view, asked_as_of(q), q->from_day,
                           q->to_day, each_cash_row, &rows, &s, err);
    if (status == JB_OK && rows.no_memory) {
        o->no_memory = true;
    }
    for (size_t i = 0; i < rows.n && status == JB_OK; i++) {
        cash_row_json(o, NULL, &rows.at[q->newest_first != 0 ? rows.n - 1 - i : i]);
    }
    free(rows.at);
    if (status != JB_OK) {
        return status;
    }
    js_close(o, ']');
    js_day(o, "through", s.through);
    js_day(o, "open_day", s.open_day);
    js_bool(o, "past_day_open", s.past_day_open);
    moment_json(o, &s.as_of, a->utc_offset_s);
    js_close(o, '}');
    js_line_end(o);
    return JB_OK;
}

static bool
each_wallet_row(void *data, const struct jb_cash_status *s, const struct jb_cash_row *r)
{
    struct out *o = data;
    cash_row_json(o, s->wallet, r);
    js_line_end(o);
    return !o->no_memory;
}

static jb_status
cash_day(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    return jb_cash_day_each(a->views, q->day, asked_as_of(q), each_wallet_row, o, err);
}

jb_status
change_asked(const struct query *q, struct jb_change_query *ret, bool *ret_asked,
             struct jb_error *err)
{
    const bool period = q->from_day != JB_NO_DAY || q->to_day != JB_NO_DAY;
    const bool day = q->day != JB_NO_DAY, moments = q->since.kind != JB_AS_OF_NOW;
    *ret_asked = period || day || moments;
    if (period + day + moments > 1 ||
        (period && (q->from_day == JB_NO_DAY || q->to_day == JB_NO_DAY))) {
        *err = (struct jb_error){.status = JB_E_USAGE};
        snprintf(err->text, sizeof err->text, "%s",
                 tr("explain takes one of these: from and to (a first and a last day), day, since "
                    "(a moment)"));
        return JB_E_USAGE;
    }
    *ret = (struct jb_change_query){.size = sizeof *ret,
                                    .wallet = q->wallet,
                                    .kind = period ? JB_CHANGE_PERIOD
                                            : day  ? JB_CHANGE_DAY
                                                   : JB_CHANGE_MOMENTS,
                                    .from = period ? q->from_day
                                            : day  ? q->day
                                                   : 0,
                                    .to = period ? q->to_day : 0,
                                    .since = moments ? &q->since : NULL};
    return JB_OK;
}

static jb_status
explain_change(const struct asked *a, const struct query *q, const struct jb_change_query *asked,
               struct out *o, struct jb_error *err)
{
    struct jb_change *c;
    jb_status status = jb_change_get(a->views, asked, asked_as_of(q), &c, err);
    if (status == JB_OK) {
        change_json(o, c, a->utc_offset_s);
        js_line_end(o);
        jb_change_free(c);
    }
    return status;
}

static jb_status
explain(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct jb_explanation *x;
    struct jb_change_query asked;
    bool is_change;
    jb_status status = change_asked(q, &asked, &is_change, err);
    if (status != JB_OK || is_change) {
        return status == JB_OK ? explain_change(a, q, &asked, o, err) : status;
    }
    status = jb_explain(a->views, q->wallet, asked_as_of(q), &x, err);
    if (status == JB_OK) {
        explanation_json(o, x, a->utc_offset_s);
        js_line_end(o);
        jb_explanation_free(x);
    }
    return status;
}

static jb_status
log_events(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    jb_cursor *c;
    jb_status status = jb_cursor_open(a->ledger, q->from, &c, err);
    if (status != JB_OK) {
        return status;
    }
    for (uint64_t i = 0; i < q->limit && status == JB_OK && !o->no_memory; i++) {
        const struct jb_event *e;
        status = jb_cursor_next(c, &e, err);
        if (status == JB_OK) {
            status = event_row_json(o, a->ledger, e, q->people != 0, a->utc_offset_s, err);
            js_line_end(o);
        }
    }
    jb_cursor_close(c);
    return status == JB_END ? JB_OK : status;
}

/* ---- the ledger ---- */

static void
identity_json(struct out *o, const struct jb_ledger_info *info)
{
    char time[JB_INSTANT_TEXT_BYTES];
    jb_instant_print(0, info->utc_offset_s, time);
    js_str(o, "currency", info->currency);
    js_uint(o, "exponent", info->exponent);
    js_str(o, "utc_offset", time + 26);
    js_hex(o, "ledger_id", info->ledger_id, 16);
}

static jb_status
info(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    (void)q;
    struct jb_ledger_info i = {.size = sizeof i};
    jb_status status = jb_info_get(a->ledger, &i, err);
    if (status != JB_OK) {
        return status;
    }
    js_open(o, NULL, '{');
    identity_json(o, &i);
    js_bool(o, "read_only", i.read_only);
    js_bool(o, "rolled_back", i.rolled_back);
    js_sentence(o, "warning", i.warning);
    js_bool(o, "secret_lost", i.secret_lost);
    js_bool(o, "secret_damaged", i.secret_damaged);
    js_bool(o, "head_damaged", i.head_damaged);
    js_bool(o, "sealed", i.sealed);
    js_sentence(o, "sealed_why", i.sealed ? i.sealed_why : NULL);
    js_str(o, "version", JB_VERSION_STRING);
    js_close(o, '}');
    js_line_end(o);
    return JB_OK;
}

static jb_status
head(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    (void)q;
    struct jb_head h = {.size = sizeof h};
    jb_status status = jb_head_get(a->ledger, &h, err);
    if (status != JB_OK) {
        return status;
    }
    js_open(o, NULL, '{');
    js_uint(o, "seq", h.seq);
    js_instant(o, "recorded_at", h.recorded_at, a->utc_offset_s);
    js_hex(o, "chain", h.chain, 16);
    js_close(o, '}');
    js_line_end(o);
    return JB_OK;
}

static jb_status
wait_for(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    jb_seq seq = 0;
    jb_status status = jb_wait(a->ledger, q->after, (int64_t)q->timeout_us, &seq, err);
    if (status != JB_OK && status != JB_END) {
        return status;
    }
    js_open(o, NULL, '{');
    js_uint(o, "seq", seq);
    js_bool(o, "more", status == JB_OK);
    js_close(o, '}');
    js_line_end(o);
    return JB_OK;
}

/* Every policy that has a name. */
static jb_status
policies_json(struct out *o, const char *key, jb_ledger *l, struct jb_error *err)
{
    jb_status status = JB_OK;
    js_open(o, key, '{');
    for (uint32_t i = 1; i < JB_POLICIES && status == JB_OK; i++) {
        const char *word = jb_name_word(jb_names_get(JB_LIST_POLICY), i);
        int64_t value = 0;
        if (word == NULL) {
            continue;
        }
        status = jb_policy_get(l, i, &value, err);
        if (i == JB_POLICY_DAY_CLOSE) {
            js_str(o, word, value != 0 ? "manual" : "auto");
        } else if (i == JB_POLICY_INVOICE_FROM) {
            js_month(o, word, (uint32_t)value);
        } else {
            js_int(o, word, value);
        }
    }
    js_close(o, '}');
    return status;
}

static jb_status
policies(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    (void)q;
    jb_status status = policies_json(o, NULL, a->ledger, err);
    js_line_end(o);
    return status;
}

bool
past_day_open(const struct jb_ledger_stat *s, int32_t utc_offset_s)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return s->open_day != JB_NO_DAY &&
           s->open_day < jb_day_of((jb_instant)t.tv_sec * JB_US_PER_SECOND, utc_offset_s);
}

static jb_status
people(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    (void)q;
    struct jb_people_stat s = JB_SIZED(struct jb_people_stat);
    jb_status status = jb_people_stat_get(a->ledger, &s, err);
    if (status != JB_OK) {
        return status;
    }
    js_open(o, NULL, '{');
    js_uint(o, "layout", s.layout);
    js_bool(o, "sealed", s.sealed);
    js_bool(o, "unfinished", s.unfinished);
    js_bool(o, "older", s.older);
    js_uint(o, "epoch", s.epoch);
    js_uint(o, "owners", s.owners);
    js_uint(o, "forgotten", s.forgotten);
    js_uint(o, "lost", s.lost);
    js_uint(o, "done", s.done);
    js_sentence(o, "key_file", s.key_file);
    js_close(o, '}');
    js_line_end(o);
    return JB_OK;
}

static jb_status
stat_json(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    (void)q;
    struct jb_ledger_stat s = {.size = sizeof s};
    struct jb_views_stat v = {.size = sizeof v};
    struct jb_ledger_info i = {.size = sizeof i};
    jb_status status = jb_ledger_stat_get(a->ledger, &s, err);
    if (status == JB_OK) {
        status = jb_views_stat_get(a->views, &v, err);
    }
    if (status == JB_OK) {
        status = jb_info_get(a->ledger, &i, err);
    }
    if (status != JB_OK) {
        return status;
    }
    js_open(o, NULL, '{');
    js_uint(o, "events", s.events);
    js_uint(o, "frames", s.frames);
    js_uint(o, "wallets", s.wallets);
    js_uint(o, "wallets_deleted", s.wallets_deleted);
    js_uint(o, "log_bytes", s.log_bytes);
    js_uint(o, "log_file_bytes", s.log_file_bytes);
    js_instant(o, "recorded_at", s.recorded_at, a->utc_offset_s);
    js_day(o, "open_day", s.open_day);
    js_day(o, "closed_through", s.closed_through);
    js_bool(o, "past_day_open", past_day_open(&s, a->utc_offset_s));
    identity_json(o, &i);
    js_hex(o, "chain", s.chain, 16);
    js_uint(o, "stored_seq", s.stored_seq);
    js_uint(o, "views_seq", v.stored_seq);
    js_uint(o, "keys", s.keys);
    status = policies_json(o, "policies", a->ledger, err);
    js_close(o, '}');
    js_line_end(o);
    return status;
}

/* ---- the words ---- */

static jb_status
commands(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    (void)a;
    (void)q;
    (void)err;
    commands_json(o);
    js_line_end(o);
    return JB_OK;
}

static jb_status
queries(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    (void)a;
    (void)q;
    (void)err;
    queries_json(o);
    js_line_end(o);
    return JB_OK;
}

jb_status
query_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    static jb_status (*const answers[QUERIES])(const struct asked *, const struct query *,
                                               struct out *, struct jb_error *) = {
        [QUERY_BALANCE] = balance,
        [QUERY_CASH_STATUS] = cash_status,
        [QUERY_CASH_DAY] = cash_day,
        [QUERY_HISTORY] = history_answer,
        [QUERY_REFUSED] = refused_answer,
        [QUERY_FIND] = find_answer,
        [QUERY_EXPLAIN] = explain,
        [QUERY_RECEIPTS] = receipts_answer,
        [QUERY_STATEMENT] = statement_answer,
        [QUERY_REPORT] = report_answer,
        [QUERY_TOTALS] = totals_answer,
        [QUERY_EXPIRING] = expiring_answer,
        [QUERY_WHO] = who_answer,
        [QUERY_MAY] = may_answer,
        [QUERY_ROLES] = roles_answer,
        [QUERY_CHANNEL] = channel_answer,
        [QUERY_BIZ] = biz_answer,
        [QUERY_CAN_DELETE] = can_delete_answer,
        [QUERY_ANSWER] = reply_answer,
        [QUERY_INVOICES] = invoices_answer,
        [QUERY_INVOICE] = invoice_answer,
        [QUERY_DUE] = due_answer,
        [QUERY_LOG] = log_events,
        [QUERY_STAT] = stat_json,
        [QUERY_INFO] = info,
        [QUERY_HEAD] = head,
        [QUERY_WAIT] = wait_for,
        [QUERY_POLICIES] = policies,
        [QUERY_PEOPLE] = people,
        [QUERY_COMMANDS] = commands,
        [QUERY_QUERIES] = queries,
        [QUERY_WALLETS] = wallets_answer,
        [QUERY_CHARGES] = items_answer,
        [QUERY_LOTS] = items_answer,
        [QUERY_GRANTS] = items_answer,
        [QUERY_REFUNDS] = items_answer,
        [QUERY_EVENTS] = events_answer,
        [QUERY_FEED] = feed_answer,
    };
    return answers[q->kind](a, q, o, err);
}
