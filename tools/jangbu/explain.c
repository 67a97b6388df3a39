/* jangbu explain. */
#include <stdlib.h>

#include "query.h"
#include "rows_json.h"

/* The causes in words of the glossary; JSON has jb_cause_word. */
static const char *const cause_words[JB_CAUSES_N] = {
    [JB_CAUSE_charged] = SAID("charged"),
    [JB_CAUSE_charge_reversed] = SAID("charge reversed"),
    [JB_CAUSE_debt_repaid] = SAID("debt repaid"),
    [JB_CAUSE_free_activated] = SAID("free cash activated"),
    [JB_CAUSE_consumed] = SAID("consumed"),
    [JB_CAUSE_returned] = SAID("returned"),
    [JB_CAUSE_expired] = SAID("free cash expired"),
    [JB_CAUSE_forfeited] = SAID("free cash forfeited"),
    [JB_CAUSE_refunded] = SAID("refunded"),
    [JB_CAUSE_refund_failed] = SAID("refund failed"),
    [JB_CAUSE_expiry_due] = SAID("free cash expired, no event yet"),
};

struct outside {
    const char *words;
    jb_amount amount;
};

/* One line an event where there are few, so that each can be looked up; a count where there are
 * many. */
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
        app_event_id(app, e, id);
        table_cellf(t, "    event %llu%s%s", (unsigned long long)e->seq, id[0] != '\0' ? ", " : "",
                    id);
        table_cell(t, app_time_cell(app, e->occurred_at, time));
        if (c->cause == JB_CAUSE_expiry_due) {
            table_cell(t, "");
        } else {
            amount_cell(app, t, effect);
        }
        table_cell(t, "");
    }
    if (c->events_total > 10) {
        table_cellf(t, "    and %llu more: jangbu history lists them",
                    (unsigned long long)(c->events_total - 10));
        table_cell(t, "");
        table_cell(t, "");
        table_cell(t, "");
    }
    return JB_OK;
}

static void
cause_row(struct app *app, struct table *t, const struct jb_cause_line *c)
{
    table_cellf(t, c->events_total == 1 ? "  %s%s, %llu event" : "  %s%s, %llu events",
                c->cause < JB_CAUSES_N ? tr(cause_words[c->cause]) : tr("unknown"),
                c->late ? tr(" late") : "", (unsigned long long)c->events_total);
    table_cell(t, "");
    table_cell(t, "");
    amount_cell(app, t, c->amount);
}

/* What is in neither figure, or in both. */
static void
print_outside(struct app *app, const struct jb_explanation *x)
{
    const struct outside outside[] = {
        {tr("free cash not yet in use (dormant)"), x->free_dormant},
        {tr("refunds approved, not yet completed"), x->refund_in_transit}};
    char amount[48], text[400] = "";
    size_t n = 0;
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        if (outside[i].amount != 0) {
            n += (size_t)snprintf(text + n, sizeof text - n, "%s %s %s", n > 0 ? ";" : "",
                                  outside[i].words, app_amount(app, outside[i].amount, amount));
        }
    }
    app_sentencef(app, "in neither figure:%s", n > 0 ? text : tr(" nothing"));
    if (x->refund_pending != 0) {
        app_sentencef(app, "in both figures: refunds asked for and not decided %s",
                      app_amount(app, x->refund_pending, amount));
    }
}

static int
explain_page(struct app *app, const struct jb_explanation *x)
{
    char day[JB_DAY_TEXT_BYTES], label[200], when[TIME_HEADER_BYTES];
    bool late = false;
    jb_cursor *cursor;
    if (jb_cursor_open(app->ledger, 1, &cursor, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    struct table *t = table_new((const char *const[]){"", app_time_header(app, "?when", when),
                                                      COLUMN(">each"), COLUMN(">sum"), NULL});
    if (x->through == JB_NO_DAY) {
        snprintf(label, sizeof label, tr("cash status of %s, through no day yet"), x->wallet);
    } else {
        snprintf(label, sizeof label, tr("cash status of %s, through %s"), x->wallet,
                 jb_day_print(x->through, day));
    }
    table_cell(t, label);
    table_cell(t, "");
    table_cell(t, "");
    amount_cell(app, t, x->cash_status_total);
    jb_status status = JB_OK;
    for (uint32_t i = 0; i < x->causes_n && status == JB_OK; i++) {
        const struct jb_cause_line *c = x->causes[i];
        late |= c->late;
        cause_row(app, t, c);
        status = explain_events(app, t, c, cursor);
    }
    jb_cursor_close(cursor);
    table_cell(t, tr("rest (must be 0)"));
    table_cell(t, "");
    table_cell(t, "");
    amount_cell(app, t, x->rest);
    table_cell(t, tr("total now (the sum of the column)"));
    table_cell(t, "");
    table_cell(t, "");
    amount_cell(app, t, x->total_now);
    table_print(app, t);
    if (late) {
        app_sentence(app, "late: posted to a later day than it happened");
    }
    print_outside(app, x);
    app_print_as_of(app, &x->as_of);
    return status == JB_OK ? EXIT_DONE : app_fail(app, &app->err);
}

/* ---- a period, two moments, a day against itself ---- */

static void
total_row(struct table *t, struct app *app, const char *label, jb_amount amount)
{
    table_cell(t, label);
    table_cell(t, "");
    table_cell(t, "");
    amount_cell(app, t, amount);
}

static void
heading_row(struct table *t, const char *label)
{
    table_cell(t, label);
    for (int i = 0; i < 3; i++) {
        table_cell(t, "");
    }
}

/* What the two totals are, in words. */
static void
change_labels(const struct app *app, const struct jb_change *c, char before[200], char after[200])
{
    char from[JB_DAY_TEXT_BYTES], to[JB_DAY_TEXT_BYTES], time[JB_INSTANT_TEXT_BYTES];
    if (c->kind == JB_CHANGE_PERIOD) {
        snprintf(before, 200, tr("closing of %s before %s"), c->wallet,
                 jb_day_print(c->from, from));
        snprintf(after, 200, tr("closing of %s (the sum of the column)"), jb_day_print(c->to, to));
    } else if (c->kind == JB_CHANGE_MOMENTS) {
        snprintf(before, 200, tr("total of %s at event %llu, %s"), c->wallet,
                 (unsigned long long)c->since.seq, app_time_short(app, c->since.at, time));
        snprintf(after, 200, tr("total then (the sum of the column)"));
    } else {
        snprintf(before, 200, tr("what %s did to %s, as published"), jb_day_print(c->from, from),
                 c->wallet);
        snprintf(after, 200, tr("the same as known (the sum of the column)"));
    }
}

static jb_status
cause_rows(struct app *app, struct table *t, const struct jb_cause_line *const *lines, uint32_t n,
           jb_cursor *cursor)
{
    jb_status status = JB_OK;
    for (uint32_t i = 0; i < n && status == JB_OK; i++) {
        cause_row(app, t, lines[i]);
        status = explain_events(app, t, lines[i], cursor);
    }
    return status;
}

static int
change_page(struct app *app, const struct jb_change *c)
{
    char before[200], after[200], when[TIME_HEADER_BYTES];
    jb_cursor *cursor;
    if (jb_cursor_open(app->ledger, 1, &cursor, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    struct table *t = table_new((const char *const[]){"", app_time_header(app, "?when", when),
                                                      COLUMN(">each"), COLUMN(">sum"), NULL});
    change_labels(app, c, before, after);
    total_row(t, app, before, c->before);
    if (c->kind == JB_CHANGE_DAY && c->causes_n > 0) {
        heading_row(t, tr("happened on it, posted later:"));
    }
    jb_status status = cause_rows(app, t, c->causes, c->causes_n, cursor);
    if (c->kind == JB_CHANGE_DAY && c->apart_n > 0) {
        heading_row(t, tr("posted to it, had happened before (with the other sign):"));
    }
    status = status == JB_OK ? cause_rows(app, t, c->apart, c->apart_n, cursor) : status;
    jb_cursor_close(cursor);
    total_row(t, app, tr("rest (must be 0)"), c->rest);
    total_row(t, app, after, c->after);
    table_print(app, t);
    app_print_as_of(app, &c->as_of);
    return status == JB_OK ? EXIT_DONE : app_fail(app, &app->err);
}

/* The exit code of one whose rest is that; not 0 is said. */
static int
judge_rest(jb_amount rest, int code)
{
    if (rest == 0) {
        return code;
    }
    fprintf(stderr,
            tr("jangbu: the parts do not add up: the rest is %lld and must be 0. Run `jangbu "
               "audit`, which says what is damaged.\n"),
            (long long)rest);
    return EXIT_REFUSED;
}

static int
explain_change(struct app *app, const struct jb_change_query *asked)
{
    struct jb_change *c;
    int code = EXIT_DONE;
    if (jb_change_get(app->views, asked, query_as_of(app), &c, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    if (app->json) {
        change_json(&app->out, c, app->info.utc_offset_s);
        js_line_end(&app->out);
    } else {
        code = change_page(app, c);
    }
    code = judge_rest(c->rest, code);
    jb_change_free(c);
    return code;
}

static int
explain_total(struct app *app, const char *wallet)
{
    struct jb_explanation *x;
    int code = EXIT_DONE;
    if (jb_explain(app->views, query_text(wallet), query_as_of(app), &x, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    if (app->json) {
        explanation_json(&app->out, x, app->info.utc_offset_s);
        js_line_end(&app->out);
    } else {
        code = explain_page(app, x);
    }
    code = judge_rest(x->rest, code);
    jb_explanation_free(x);
    return code;
}

int
cmd_explain(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *from = NULL, *to = NULL, *day = NULL, *since = NULL;
    int n, code = EXIT_USAGE;
    struct query q = query_of(QUERY_EXPLAIN);
    const struct option_row options[] = {{"from", NULL, &from},
                                         {"to", NULL, &to},
                                         {"day", NULL, &day},
                                         {"since", NULL, &since},
                                         {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 2) {
        return app_usage(app, "jangbu explain takes a ledger and a wallet");
    }
    if (!query_day(app, "from", from, &q.from_day) || !query_day(app, "to", to, &q.to_day) ||
        !query_day(app, "day", day, &q.day) || !query_moment(app, "since", since, &q.since)) {
        return EXIT_USAGE;
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    struct jb_change_query asked;
    bool is_change;
    q.wallet = query_text(args[1]);
    if (change_asked(&q, &asked, &is_change, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    return is_change ? explain_change(app, &asked) : explain_total(app, args[1]);
}
