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
        table_cellf(t, c->events_total == 1 ? "  %s%s, %llu event" : "  %s%s, %llu events",
                    c->cause < JB_CAUSES_N ? tr(cause_words[c->cause]) : tr("unknown"),
                    c->late ? tr(" late") : "", (unsigned long long)c->events_total);
        table_cell(t, "");
        table_cell(t, "");
        amount_cell(app, t, c->amount);
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
                tr("jangbu: the parts do not add up: the rest is %lld and must be 0. Run `jangbu "
                   "audit`, which says what is damaged.\n"),
                (long long)x->rest);
    }
    jb_explanation_free(x);
    return broken ? EXIT_REFUSED : code;
}
