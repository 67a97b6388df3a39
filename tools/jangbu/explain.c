/* jangbu explain. */
#include <stdlib.h>

#include "query.h"
#include "rows_json.h"

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
        const struct jb_event_type_info *type = jb_event_type_get(e->type);
        table_cellf(t, "    event %llu, %s %s", (unsigned long long)e->seq,
                    type != NULL ? type->name : "unknown", app_event_id(app, e, id));
        table_cell(t, app_time(app, e->occurred_at, time));
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

static int
explain_page(struct app *app, const struct jb_explanation *x)
{
    char day[JB_DAY_TEXT_BYTES], label[120];
    jb_cursor *cursor;
    if (jb_cursor_open(app->ledger, 1, &cursor, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    struct table *t = table_new((const char *const[]){"", "when", ">each", ">sum", NULL});
    snprintf(label, sizeof label, "cash status of %s, through %s", x->wallet,
             x->through == JB_NO_DAY ? "no day yet" : jb_day_print(x->through, day));
    table_cell(t, label);
    table_cell(t, "");
    table_cell(t, "");
    amount_cell(app, t, x->cash_status_total);
    jb_status status = JB_OK;
    for (uint32_t i = 0; i < x->causes_n && status == JB_OK; i++) {
        const struct jb_cause_line *c = x->causes[i];
        table_cellf(t, "  %s%s, %llu event%s", jb_cause_word(c->cause),
                    c->late ? " (late: posted to a later day than it happened)" : "",
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
    const struct outside outside[] = {{"free cash not yet in use (dormant)", x->free_dormant},
                                      {"refunds approved, not yet paid out", x->refund_in_transit},
                                      {"deposits held", x->deposit_held}};
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
    if (jb_explain(app->views, query_text(args[1]), query_as_of(app), &x, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    if (app->json) {
        explanation_json(&app->out, x, app->info.utc_offset_s);
        js_line_end(&app->out);
    } else {
        code = explain_page(app, x);
    }
    bool broken = x->rest != 0;
    if (broken) {
        fprintf(stderr,
                "jangbu: the parts do not add up: the rest is %lld and must be 0. Run `jangbu "
                "audit`, which says what is damaged.\n",
                (long long)x->rest);
    }
    jb_explanation_free(x);
    return broken ? EXIT_REFUSED : code;
}
