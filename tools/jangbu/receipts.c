/* jangbu receipts, totals, expiring. */
#include "receipts.h"

#include "lang.h"

struct rows {
    struct app *app;
    struct table *table;
    uint32_t n;
};

/* ---- receipts ---- */

static bool
each_receipt(void *data, const struct jb_receipt_row *r)
{
    struct rows *rows = data;
    app_sentencef(rows->app, "event %llu: %s", (unsigned long long)r->event->seq, r->text);
    rows->n++;
    return true;
}

/* As many pages of the library as fill one of ours: what went through no gateway takes room in its
 * own. */
static jb_status
receipts_page(struct app *app, const struct query *q, struct rows *rows, char *next,
              struct jb_moment *m)
{
    const char *cursor = q->cursor.s;
    jb_status status;
    do {
        status =
            jb_receipts_get(app->views, q->wallet, query_as_of(app), cursor,
                            (uint32_t)q->limit - rows->n, each_receipt, rows, next, m, &app->err);
        cursor = next;
    } while (status == JB_OK && next[0] != '\0' && rows->n < q->limit);
    return status;
}

int
cmd_receipts(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *cursor = NULL, *limit_text = NULL;
    bool html = false;
    int n, code;
    uint64_t limit;
    const struct option_row options[] = {
        {"cursor", NULL, &cursor}, {"limit", NULL, &limit_text}, {"html", &html, NULL}, {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 2) {
        return app_usage(app, "jangbu %s takes a ledger and a wallet", app->command);
    }
    if (html && (app->json || cursor != NULL || limit_text != NULL)) {
        return app_usage(app,
                         "receipts as a page are all of them: --html goes with none of --json, "
                         "--limit and --cursor");
    }
    if (!query_limit(app, limit_text != NULL ? limit_text : "100", &limit)) {
        return EXIT_USAGE;
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    struct query q = query_about(app, QUERY_RECEIPTS, args[1]);
    q.cursor = jb_text_of(cursor);
    q.limit = limit;
    if (app->json || html) {
        return html ? receipts_html(app, q.wallet) : query_print(app, &q);
    }
    struct rows rows = {.app = app};
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    if (receipts_page(app, &q, &rows, next, &moment) != JB_OK) {
        app->out.n = 0;
        return app_fail(app, &app->err);
    }
    if (rows.n == 0 && next[0] == '\0' && q.cursor.s == NULL) {
        app_sentence(app, "no payment went through a gateway, so there is no receipt");
    }
    if (rows.n > 0) {
        app_sentence(app, "A gateway's slip shows a payment; it is no tax invoice.");
    }
    query_page_end(app, &moment, next);
    return EXIT_DONE;
}

/* ---- totals ---- */

static void
figure(struct app *app, struct table *t, const char *what, jb_amount amount)
{
    table_cell(t, tr(what));
    amount_cell(app, t, amount);
}

static void
print_totals(struct app *app, const struct jb_ledger_totals *t)
{
    char from[JB_DAY_TEXT_BYTES], to[JB_DAY_TEXT_BYTES];
    struct table *table =
        table_new((const char *const[]){COLUMN("over all wallets"), COLUMN(">amount"), NULL});
    figure(app, table, SAID("paid cash"), t->paid);
    figure(app, table, SAID("debt"), t->debt);
    figure(app, table, SAID("free cash in use"), t->free);
    figure(app, table, SAID("free cash, dormant"), t->free_dormant);
    figure(app, table, SAID("refunds in transit"), t->refund_in_transit);
    figure(app, table, SAID("charged in twelve months, less reversed"), t->charged_12m);
    figure(app, table, SAID("the same without the operator's credits"),
           t->charged_12m - t->credited_12m);
    table_print(app, table);
    if (t->to == JB_NO_DAY) { /* before the first event that has a time */
        app_sentence(app, "there was no wallet and no charge yet");
    } else {
        app_sentencef(app, "wallets: %u, in debt: %u; the twelve months are %s to %s", t->wallets,
                      t->wallets_in_debt, jb_day_print(t->from, from), jb_day_print(t->to, to));
    }
    app_print_as_of(app, &t->as_of);
}

/* Of 202610 the 31st. */
static jb_day
last_day_of(uint32_t month)
{
    jb_day last = JB_NO_DAY;
    int day = 31;
    while (!jb_day_from_date((int)(month / 100), (int)(month % 100), day, &last)) {
        day--;
    }
    return last;
}

int
cmd_totals(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *month = NULL;
    int n, code;
    uint32_t of;
    const struct option_row options[] = {{"month", NULL, &month}, {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 1 || (month != NULL && app->has_as_of)) {
        return app_usage(app, "jangbu totals takes one ledger, and --month or --as-of");
    }
    if (!query_month(app, month, &of)) {
        return EXIT_USAGE;
    }
    if (month != NULL) {
        app->as_of = (struct jb_as_of){.kind = JB_AS_OF_DAY, .day = last_day_of(of)};
        app->has_as_of = true;
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    if (app->json) {
        const struct query q = query_about(app, QUERY_TOTALS, NULL);
        return query_print(app, &q);
    }
    struct jb_ledger_totals t = JB_SIZED(struct jb_ledger_totals);
    if (jb_ledger_totals_get(app->views, query_as_of(app), &t, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    print_totals(app, &t);
    return EXIT_DONE;
}

/* ---- grants about to lapse ---- */

static bool
each_expiring(void *data, const struct jb_expiring_row *r)
{
    struct rows *rows = data;
    char day[JB_DAY_TEXT_BYTES];
    const struct jb_free_granted *g = &r->event->free_granted;
    const char *origin = jb_name_word(jb_names_get(JB_LIST_ORIGIN), g->origin);
    const char *state = jb_name_word(jb_names_get(JB_LIST_GRANT_STATE), r->state);
    table_cell(rows->table, r->wallet);
    table_cellf(rows->table, "%.*s", (int)g->grant.n, g->grant.s);
    table_cell(rows->table, origin != NULL ? origin : "?");
    table_cell(rows->table, state != NULL ? state : "?");
    amount_cell(rows->app, rows->table, r->left);
    table_cell(rows->table, jb_day_print(r->expires_on, day));
    table_cellf(rows->table, "%u", r->days);
    rows->n++;
    return true;
}

static int
print_expiring(struct app *app, const struct query *q)
{
    struct rows rows = {.app = app};
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    rows.table = table_new(
        (const char *const[]){COLUMN("wallet"), COLUMN("grant"), COLUMN("?origin"), COLUMN("state"),
                              COLUMN(">left"), COLUMN("last day"), COLUMN(">days"), NULL});
    const char *cursor = q->cursor.s;
    jb_status status;
    do { /* a page of the library may be short: it looks at so many wallets */
        status = jb_expiring_get(app->views, q->wallet, (uint32_t)q->days, query_as_of(app), cursor,
                                 (uint32_t)q->limit - rows.n, each_expiring, &rows, next, &moment,
                                 &app->err);
        cursor = next;
    } while (status == JB_OK && next[0] != '\0' && rows.n < q->limit);
    if (status != JB_OK) {
        table_free(rows.table);
        return app_fail(app, &app->err);
    }
    query_table_end(app, rows.table, tr("no free cash lapses within these days"), &moment, next);
    return EXIT_DONE;
}

int
cmd_expiring(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *wallet = NULL, *days_text = "30", *cursor = NULL;
    const char *limit_text = "100";
    int n, code;
    uint64_t days, limit;
    const struct option_row options[] = {{"wallet", NULL, &wallet},
                                         {"days", NULL, &days_text},
                                         {"cursor", NULL, &cursor},
                                         {"limit", NULL, &limit_text},
                                         {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 1) {
        return app_usage(app, "jangbu expiring takes one ledger");
    }
    if (!parse_number(days_text, 36500, &days)) {
        return app_usage(app, "--days is 0 to 36500, not %s", days_text);
    }
    if (!query_limit(app, limit_text, &limit)) {
        return EXIT_USAGE;
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    struct query q = query_about(app, QUERY_EXPIRING, wallet);
    q.days = days;
    q.cursor = jb_text_of(cursor);
    q.limit = limit;
    return app->json ? query_print(app, &q) : print_expiring(app, &q);
}
