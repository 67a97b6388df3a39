/* balance, cash-status, history, explain: for people and for programs. */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "event_json.h"

static const struct jb_as_of *
as_of(const struct app *app)
{
    return app->has_as_of ? &app->as_of : NULL;
}

static struct jb_text
text(const char *s)
{
    return (struct jb_text){s, strlen(s)};
}

static void
as_of_json(struct app *app, const struct jb_moment *m)
{
    js_open(&app->out, "as_of", '{');
    js_uint(&app->out, "seq", m->seq);
    js_instant(&app->out, "at", m->at, app->info.utc_offset_s);
    js_close(&app->out, '}');
}

static void
line_end(struct app *app)
{
    out_char(&app->out, '\n');
    app->out.first = true;
}

static const char *
status_word(uint32_t status)
{
    const char *word = jb_name_word(&jb_wallet_status_names, status);
    return word != NULL ? word : "?";
}

static void
amount_cell(struct app *app, struct table *t, jb_amount amount)
{
    char buf[48];
    table_cell(t, app_amount(app, amount, buf));
}

/* ---- balance ---------------------------------------------------------------------------------------------------------------------- */

static void
balance_json(struct app *app, const struct jb_wallet_balance *w, const char *name)
{
    struct out *o = &app->out;
    const struct jb_balance *b = &w->balance;
    js_open(o, NULL, '{');
    js_str(o, "wallet", w->wallet);
    if (name != NULL) {
        js_str(o, "name", name[0] != '\0' ? name : NULL);
    }
    balance_members_json(o, b);
    js_uint(o, "version", b->version);
    as_of_json(app, &w->as_of);
    js_close(o, '}');
    line_end(app);
}

struct balances {
    struct app *app;
    struct table *table;
    const char *name; /* of the one wallet that is shown; NULL: of many, whose names are not looked up */
    struct jb_moment moment;
    bool broken;
};

static bool
each_balance(void *data, const struct jb_wallet_balance *w)
{
    struct balances *b = data;
    b->moment = w->as_of;
    if (b->app->json) {
        balance_json(b->app, w, b->name);
        b->broken = b->app->out.n > 60000 && !app_flush(b->app);
        return !b->broken;
    }
    table_cell(b->table, w->wallet);
    if (b->name != NULL) {
        table_cell(b->table, b->name[0] != '\0' ? b->name : "(forgotten)");
    }
    table_cell(b->table, status_word(w->balance.status));
    amount_cell(b->app, b->table, w->balance.paid);
    amount_cell(b->app, b->table, w->balance.free);
    amount_cell(b->app, b->table, w->balance.total);
    amount_cell(b->app, b->table, w->balance.free_dormant);
    amount_cell(b->app, b->table, w->balance.refundable);
    amount_cell(b->app, b->table, w->balance.refund_pending);
    amount_cell(b->app, b->table, w->balance.refund_in_transit);
    return true;
}

#define BALANCE_COLUMNS "status", ">paid", ">free", ">total", ">dormant", ">refundable", ">pending", ">in transit", NULL
static const char *const balance_headers[] = {"wallet", BALANCE_COLUMNS};
static const char *const balance_headers_one[] = {"wallet", "name", BALANCE_COLUMNS};

int
cmd_balance(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX];
    int n, code;
    bool all = false;
    const struct option_row options[] = {{"all", &all, NULL}, {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != (all ? 1 : 2)) {
        return app_usage(app, "jangbu balance takes a ledger and a wallet, or a ledger and --all");
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    struct balances b = {.app = app};
    jb_status status;
    if (all) {
        b.table = app->json ? NULL : table_new(balance_headers);
        status = jb_balance_each(app->views, as_of(app), each_balance, &b, &app->err);
    } else {
        struct jb_wallet_balance w = {.size = sizeof w};
        char name[2049];
        size_t name_n = 0;
        status = jb_balance_get(app->views, text(args[1]), as_of(app), &w, &app->err);
        status = status == JB_OK ? jb_wallet_name(app->ledger, text(args[1]), name, &name_n, &app->err) : status;
        if (status == JB_OK) {
            name[name_n] = '\0';
            b.name = name;
            b.table = app->json ? NULL : table_new(balance_headers_one);
            each_balance(&b, &w);
        }
        b.name = NULL;
    }
    if (status != JB_OK) {
        table_free(b.table);
        return app_fail(app, &app->err);
    }
    if (!app->json) {
        table_print(app, b.table);
        if (b.moment.seq != 0) {
            app_print_as_of(app, &b.moment);
        }
    }
    return b.broken ? EXIT_MACHINE : EXIT_DONE;
}

/* ---- cash status ------------------------------------------------------------------------------------------------------------------ */

static void
row_json(struct app *app, const struct jb_cash_row *r)
{
    struct out *o = &app->out;
    js_day(o, "day", r->day);
#define JB_X(name) js_int(o, #name, r->name);
    JB_ROW_FLOWS(JB_X)
#undef JB_X
    js_int(o, "closing_total", r->closing_total);
    js_int(o, "closing_paid", r->closing_paid);
    js_int(o, "closing_free", r->closing_free);
}

static const char *const row_headers[] = {"day",     ">charged", ">reversed", ">activated", ">paid out", ">free out", ">returned", ">refunded",
                                          ">failed", ">repaid",  ">expired",  ">forfeited", ">closing",  ">paid",     ">free",     NULL};

static void
row_cells(struct app *app, struct table *t, const struct jb_cash_row *r)
{
    char day[JB_DAY_TEXT_BYTES];
    table_cell(t, jb_day_print(r->day, day));
#define JB_X(name) amount_cell(app, t, r->name);
    JB_ROW_FLOWS(JB_X)
#undef JB_X
    amount_cell(app, t, r->closing_total);
    amount_cell(app, t, r->closing_paid);
    amount_cell(app, t, r->closing_free);
}

struct rows {
    struct app *app;
    struct table *table;
    bool broken;
};

static bool
each_row(void *data, const struct jb_cash_row *r)
{
    struct rows *rows = data;
    if (rows->app->json) {
        js_open(&rows->app->out, NULL, '{');
        row_json(rows->app, r);
        js_close(&rows->app->out, '}');
    } else {
        row_cells(rows->app, rows->table, r);
    }
    return true;
}

static bool
each_wallet_row(void *data, const struct jb_cash_status *s, const struct jb_cash_row *r)
{
    struct rows *rows = data;
    struct app *app = rows->app;
    if (app->json) {
        js_open(&app->out, NULL, '{');
        js_str(&app->out, "wallet", s->wallet);
        row_json(app, r);
        js_close(&app->out, '}');
        line_end(app);
        rows->broken = app->out.n > 60000 && !app_flush(app);
        return !rows->broken;
    }
    table_cell(rows->table, s->wallet);
    row_cells(app, rows->table, r);
    return true;
}

static int
all_wallets(struct app *app, jb_day day)
{
    struct rows rows = {.app = app};
    const char *headers[TABLE_COLUMNS_MAX + 1] = {"wallet"};
    memcpy(headers + 1, row_headers, sizeof row_headers);
    rows.table = app->json ? NULL : table_new(headers);
    if (jb_cash_day_each(app->views, day, as_of(app), each_wallet_row, &rows, &app->err) != JB_OK) {
        table_free(rows.table);
        return app_fail(app, &app->err);
    }
    if (!app->json) {
        table_print(app, rows.table);
    }
    return rows.broken ? EXIT_MACHINE : EXIT_DONE;
}

static int
one_wallet(struct app *app, const char *wallet, jb_cash_view view)
{
    struct rows rows = {.app = app};
    struct jb_cash_status s = {.size = sizeof s};
    rows.table = app->json ? NULL : table_new(row_headers);
    if (app->json) {
        js_open(&app->out, NULL, '{');
        js_str(&app->out, "wallet", wallet);
        js_str(&app->out, "view", view == JB_VIEW_POSTED ? "posted" : "known");
        js_open(&app->out, "rows", '[');
    }
    jb_status status = jb_cash_status_get(app->views, text(wallet), view, as_of(app), JB_NO_DAY, JB_NO_DAY, each_row, &rows, &s, &app->err);
    if (status != JB_OK) {
        app->out.n = 0;
        table_free(rows.table);
        return app_fail(app, &app->err);
    }
    char day[JB_DAY_TEXT_BYTES];
    if (app->json) {
        js_close(&app->out, ']');
        js_day(&app->out, "through", s.through);
        js_day(&app->out, "open_day", s.open_day);
        js_bool(&app->out, "past_day_open", s.past_day_open);
        as_of_json(app, &s.as_of);
        js_close(&app->out, '}');
        line_end(app);
        return EXIT_DONE;
    }
    table_print(app, rows.table);
    out_str(&app->out, view == JB_VIEW_POSTED ? "as posted" : "as known now, by the day it happened; open days included");
    out_str(&app->out, ", through ");
    out_str(&app->out, s.through == JB_NO_DAY ? "no day yet (none is closed)" : jb_day_print(s.through, day));
    out_str(&app->out, "; ");
    app_print_as_of(app, &s.as_of);
    if (s.past_day_open) {
        out_str(&app->out, "a past day is still open: ");
        out_str(&app->out, jb_day_print(s.open_day, day));
        out_char(&app->out, '\n');
    }
    return EXIT_DONE;
}

int
cmd_cash_status(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *view = "posted", *day_text = NULL;
    int n, code;
    bool all = false;
    jb_day day = 0;
    const struct option_row options[] = {{"all", &all, NULL}, {"view", NULL, &view}, {"day", NULL, &day_text}, {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != (all ? 1 : 2) || all != (day_text != NULL)) {
        return app_usage(app, "jangbu cash-status takes a ledger and a wallet, or a ledger, --all and --day");
    }
    if (strcmp(view, "posted") != 0 && strcmp(view, "known") != 0) {
        return app_usage(app, "--view is posted or known, not %s", view);
    }
    if (day_text != NULL && !jb_day_parse(day_text, strlen(day_text), &day)) {
        return app_usage(app, "--day is a day like 2026-10-31, not %s", day_text);
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    return all ? all_wallets(app, day) : one_wallet(app, args[1], strcmp(view, "posted") == 0 ? JB_VIEW_POSTED : JB_VIEW_KNOWN);
}

/* ---- history ---------------------------------------------------------------------------------------------------------------------- */

/* Under which name the id of what the event is about stands where the event has only the wallet's number for it. */
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

static bool
each_history(void *data, const struct jb_history_row *r)
{
    struct rows *rows = data;
    struct app *app = rows->app;
    const struct jb_event *e = r->event;
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    const char *name = type != NULL ? type->name : "unknown";
    char id[JB_ID_BYTES_MAX + 1];
    if (app->json) {
        struct out *o = &app->out;
        js_open(o, NULL, '{');
        js_uint(o, "seq", e->seq);
        js_str(o, "type", name);
        js_instant(o, "at", e->occurred_at, app->info.utc_offset_s);
        js_instant(o, "recorded_at", e->recorded_at, app->info.utc_offset_s);
        js_day(o, "posted_on", e->posted_on);
        js_bool(o, "late", r->late);
        js_int(o, "effect", r->effect);
        js_int(o, "balance", r->balance);
        if (e->id.s == NULL && app_event_id(app, e, id)[0] != '\0') {
            js_str(o, id_member(e->type), id);
        }
        event_fields_json(o, e, app->info.utc_offset_s);
        js_close(o, '}');
        return true;
    }
    char day[JB_DAY_TEXT_BYTES], time[JB_INSTANT_TEXT_BYTES];
    table_cellf(rows->table, "%llu", (unsigned long long)e->seq);
    table_cell(rows->table, app_time(app, e->occurred_at, time));
    table_cell(rows->table, e->posted_on == JB_NO_DAY ? "-" : jb_day_print(e->posted_on, day));
    table_cellf(rows->table, "%s%s", name, r->late ? " (late)" : "");
    table_cell(rows->table, app_event_id(app, e, id));
    amount_cell(app, rows->table, e->amount);
    amount_cell(app, rows->table, r->effect);
    amount_cell(app, rows->table, r->balance);
    return true;
}

static bool
history_kind(const char *word, jb_history_kind *ret)
{
    static const char *const words[] = {"all", "charge", "consumption", "return", "refund"};
    for (int i = 0; i < 5; i++) {
        if (strcmp(words[i], word) == 0) {
            *ret = (jb_history_kind)i;
            return true;
        }
    }
    return false;
}

int
cmd_history(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *type = "all", *cursor = NULL, *limit_text = "100";
    int n, code;
    uint64_t limit;
    jb_history_kind kind;
    const struct option_row options[] = {{"type", NULL, &type}, {"cursor", NULL, &cursor}, {"limit", NULL, &limit_text}, {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 2) {
        return app_usage(app, "jangbu history takes a ledger and a wallet");
    }
    if (!history_kind(type, &kind)) {
        return app_usage(app, "--type is all, charge, consumption, return or refund, not %s", type);
    }
    if (!parse_number(limit_text, 10000, &limit) || limit == 0) {
        return app_usage(app, "--limit is 1 to 10000, not %s", limit_text);
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    struct rows rows = {.app = app};
    if (app->json) {
        js_open(&app->out, NULL, '{');
        js_str(&app->out, "wallet", args[1]);
        js_open(&app->out, "rows", '[');
    } else {
        rows.table = table_new((const char *const[]){">event", "at", "posted on", "type", "id", ">amount", ">effect", ">balance", NULL});
    }
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    if (jb_history_get(app->views, text(args[1]), kind, as_of(app), cursor, (uint32_t)limit, each_history, &rows, next, &moment, &app->err) !=
        JB_OK) {
        app->out.n = 0;
        table_free(rows.table);
        return app_fail(app, &app->err);
    }
    if (app->json) {
        js_close(&app->out, ']');
        js_str(&app->out, "next", next[0] != '\0' ? next : NULL);
        as_of_json(app, &moment);
        js_close(&app->out, '}');
        line_end(app);
        return EXIT_DONE;
    }
    table_print(app, rows.table);
    app_print_as_of(app, &moment);
    if (next[0] != '\0') {
        out_str(&app->out, "more: --cursor ");
        out_str(&app->out, next);
        out_char(&app->out, '\n');
    }
    return EXIT_DONE;
}

/* ---- explain ---------------------------------------------------------------------------------------------------------------------- */

struct outside {
    const char *what, *words;
    jb_amount amount;
};

static void
explain_json(struct app *app, const struct jb_explanation *x)
{
    struct out *o = &app->out;
    js_open(o, NULL, '{');
    js_str(o, "wallet", x->wallet);
    js_int(o, "total_now", x->total_now);
    js_int(o, "cash_status_total", x->cash_status_total);
    js_day(o, "through", x->through);
    js_int(o, "difference", x->difference);
    js_open(o, "causes", '[');
    for (uint32_t i = 0; i < x->causes_n; i++) {
        const struct jb_cause_line *c = &x->causes[i];
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
    js_close(o, ']');
    const struct outside outside[] = {
        {"free_dormant", "", x->free_dormant}, {"refund_in_transit", "", x->refund_in_transit}, {"deposit_held", "", x->deposit_held}};
    js_open(o, "outside", '[');
    for (size_t i = 0; i < 3; i++) {
        js_open(o, NULL, '{');
        js_str(o, "what", outside[i].what);
        js_int(o, "amount", outside[i].amount);
        js_close(o, '}');
    }
    js_close(o, ']');
    js_int(o, "refund_pending", x->refund_pending);
    js_int(o, "rest", x->rest);
    as_of_json(app, &x->as_of);
    js_close(o, '}');
    line_end(app);
}

/* One line an event where there are few, so that each can be looked up; a count where there are many. */
static jb_status
explain_events(struct app *app, struct table *t, const struct jb_cause_line *c, jb_cursor *cursor)
{
    char time[JB_INSTANT_TEXT_BYTES], id[JB_ID_BYTES_MAX + 1];
    for (uint32_t i = 0; i < c->events_n && i < 10; i++) {
        const struct jb_event *e;
        jb_status status = jb_cursor_at(cursor, c->events[i], &e, &app->err);
        if (status != JB_OK) {
            return status;
        }
        jb_amount effect = c->cause == JB_CAUSE_expiry_due ? 0 : jb_event_effect(e);
        const struct jb_event_type_info *type = jb_event_type_get(e->type);
        table_cellf(t, "    event %llu, %s %s", (unsigned long long)e->seq, type != NULL ? type->name : "unknown", app_event_id(app, e, id));
        table_cell(t, app_time(app, e->occurred_at, time));
        if (c->cause == JB_CAUSE_expiry_due) {
            table_cell(t, "");
        } else {
            amount_cell(app, t, effect);
        }
        table_cell(t, "");
    }
    if (c->events_total > 10) {
        table_cellf(t, "    and %llu more: jangbu history lists them", (unsigned long long)(c->events_total - 10));
        table_cell(t, "");
        table_cell(t, "");
        table_cell(t, "");
    }
    return JB_OK;
}

static int
explain_page(struct app *app, const struct jb_explanation *x)
{
    char day[JB_DAY_TEXT_BYTES], label[120];
    jb_cursor *cursor;
    if (jb_cursor_open(app->ledger, 1, &cursor, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    struct table *t = table_new((const char *const[]){"", "when", ">each", ">sum", NULL});
    snprintf(label, sizeof label, "cash status of %s, through %s", x->wallet, x->through == JB_NO_DAY ? "no day yet" : jb_day_print(x->through, day));
    table_cell(t, label);
    table_cell(t, "");
    table_cell(t, "");
    amount_cell(app, t, x->cash_status_total);
    jb_status status = JB_OK;
    for (uint32_t i = 0; i < x->causes_n && status == JB_OK; i++) {
        const struct jb_cause_line *c = &x->causes[i];
        table_cellf(t, "  %s%s, %llu event%s", jb_cause_word(c->cause), c->late ? " (late: it happened on a day that was closed already)" : "",
                    (unsigned long long)c->events_total, c->events_total == 1 ? "" : "s");
        table_cell(t, "");
        table_cell(t, "");
        amount_cell(app, t, c->amount);
        status = explain_events(app, t, c, cursor);
    }
    jb_cursor_close(cursor);
    table_cell(t, "rest (must be 0)");
    table_cell(t, "");
    table_cell(t, "");
    amount_cell(app, t, x->rest);
    table_cell(t, "total now (the sum of the column)");
    table_cell(t, "");
    table_cell(t, "");
    amount_cell(app, t, x->total_now);
    table_print(app, t);
    const struct outside outside[] = {{"", "free cash not yet in use (dormant)", x->free_dormant},
                                      {"", "refunds approved, not yet paid out", x->refund_in_transit},
                                      {"", "deposits held", x->deposit_held}};
    char amount[48];
    out_str(&app->out, "in neither figure:");
    bool any = false;
    for (size_t i = 0; i < 3; i++) {
        if (outside[i].amount != 0) {
            out_str(&app->out, any ? "; " : " ");
            out_str(&app->out, outside[i].words);
            out_char(&app->out, ' ');
            out_str(&app->out, app_amount(app, outside[i].amount, amount));
            any = true;
        }
    }
    out_str(&app->out, any ? "\n" : " nothing\n");
    if (x->refund_pending != 0) {
        out_str(&app->out, "in both figures: refunds asked for and not decided ");
        out_str(&app->out, app_amount(app, x->refund_pending, amount));
        out_char(&app->out, '\n');
    }
    app_print_as_of(app, &x->as_of);
    return status == JB_OK ? EXIT_DONE : app_fail(app, &app->err);
}

int
cmd_explain(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX];
    int n, code = EXIT_DONE;
    if (!read_options(app, argc, argv, NULL, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 2) {
        return app_usage(app, "jangbu explain takes a ledger and a wallet");
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    struct jb_explanation *x;
    if (jb_explain(app->views, text(args[1]), as_of(app), &x, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    if (app->json) {
        explain_json(app, x);
    } else {
        code = explain_page(app, x);
    }
    bool broken = x->rest != 0;
    if (broken) {
        fprintf(stderr, "jangbu: the parts do not add up: the rest is %lld and must be 0. Run `jangbu audit`, which says what is damaged.\n",
                (long long)x->rest);
    }
    jb_explanation_free(x);
    return broken ? EXIT_REFUSED : code;
}
