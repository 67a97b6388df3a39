/* jangbu history. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lists_json.h"
#include "query.h"

struct rows {
    struct app *app;
    struct table *table;
    uint32_t n;
};

static bool
each_history(void *data, const struct jb_history_row *r)
{
    struct rows *rows = data;
    struct app *app = rows->app;
    const struct jb_event *e = r->event;
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    const char *name = type != NULL ? type->name : tr("unknown");
    char id[JB_ID_BYTES_MAX + 1];
    char day[JB_DAY_TEXT_BYTES], time[JB_INSTANT_TEXT_BYTES];
    table_number(rows->table, e->seq);
    table_cell(rows->table, app_time_cell(app, e->occurred_at, time));
    table_cell(rows->table, e->posted_on == JB_NO_DAY ? "-" : jb_day_print(e->posted_on, day));
    table_cellf(rows->table, "%s%s", name, r->late ? tr(" (late)") : "");
    table_cell(rows->table, app_event_id(app, e, id));
    amount_cell(app, rows->table, jb_event_amount(e));
    amount_cell(app, rows->table, r->effect);
    amount_cell(app, rows->table, r->balance);
    rows->n++;
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

/* One of the kinds, or types of events. False: said on standard error. */
static bool
read_type(struct app *app, const char *type, struct query *q)
{
    jb_history_kind kind;
    if (history_kind(type, &kind)) {
        q->type = kind;
        return true;
    }
    if (event_types_read(type, &q->types, &app->err) == JB_OK) {
        return true;
    }
    app_usage(app,
              "--type is all, charge, consumption, return or refund, or types of events like "
              "charge_settled,charge_reversed, not %s",
              type);
    return false;
}

/* As many pages of the library as fill one of ours. */
static jb_status
history_page(struct app *app, const struct query *q, struct rows *rows, char *next,
             struct jb_moment *m)
{
    struct history_asked asked;
    const char *cursor = q->cursor.s;
    jb_status status = history_asked(q, app->info.utc_offset_s, &asked, &app->err);
    do {
        if (status == JB_OK) {
            status = jb_history_find(app->views, &asked.query, query_as_of(app), cursor,
                                     (uint32_t)q->limit - rows->n, each_history, rows, next, m,
                                     &app->err);
        }
        cursor = next;
    } while (status == JB_OK && next[0] != '\0' && rows->n < q->limit);
    return status;
}

static int
print_history(struct app *app, const struct query *q)
{
    struct rows rows = {.app = app};
    char at[TIME_HEADER_BYTES], next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    rows.table = table_new((const char *const[]){
        COLUMN(">event"), app_time_header(app, "at", at), COLUMN("?posted on"), COLUMN("type"),
        COLUMN("id"), COLUMN("?>amount"), COLUMN(">effect"), COLUMN(">balance"), NULL});
    if (history_page(app, q, &rows, next, &moment) != JB_OK) {
        table_free(rows.table);
        return app_fail(app, &app->err);
    }
    query_table_end(app, rows.table, NULL, &moment, next);
    return EXIT_DONE;
}

int
cmd_history(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *type = "all", *cursor = NULL, *limit_text = "100";
    const char *since = NULL, *until = NULL, *min = NULL, *max = NULL;
    int n, code = EXIT_USAGE;
    uint64_t limit;
    bool people = false, oldest_first = false;
    struct query q = query_of(QUERY_HISTORY);
    const struct option_row options[] = {
        {"type", NULL, &type},     {"since", NULL, &since},
        {"until", NULL, &until},   {"min", NULL, &min},
        {"max", NULL, &max},       {"oldest-first", &oldest_first, NULL},
        {"cursor", NULL, &cursor}, {"limit", NULL, &limit_text},
        {"people", &people, NULL}, {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 2) {
        return app_usage(app, "jangbu history takes a ledger and a wallet");
    }
    if (people && !app->json) {
        return app_usage(app,
                         "--people goes with --json here; `jangbu log --people` is for reading");
    }
    if (!read_type(app, type, &q) || !query_limit(app, limit_text, &limit) ||
        !query_moment(app, "since", since, &q.since) ||
        !query_moment(app, "until", until, &q.until) ||
        !app_open(app, args[0], false, true, &code) ||
        !query_amount(app, "min", min, &q.amount_min) ||
        !query_amount(app, "max", max, &q.amount_max)) {
        return code;
    }
    const struct query about = query_about(app, QUERY_HISTORY, args[1]);
    q.wallet = about.wallet;
    q.as_of = about.as_of;
    q.oldest_first = oldest_first;
    q.cursor = jb_text_of(cursor);
    q.limit = limit;
    q.people = people;
    return app->json ? query_print(app, &q) : print_history(app, &q);
}

static bool
each_refused(void *data, const struct jb_event *e)
{
    struct rows *rows = data;
    struct app *app = rows->app;
    const struct jb_command_refused *r = &e->command_refused;
    char time[JB_INSTANT_TEXT_BYTES];
    const struct jb_op_info *op = jb_op_get(r->op);
    const char *code = jb_code_word(r->code);
    table_number(rows->table, e->seq);
    table_cell(rows->table, app_time_cell(app, e->recorded_at, time));
    table_cell(rows->table, op != NULL ? op->name : "?");
    table_cellf(rows->table, "%.*s", (int)r->id.n, r->id.s != NULL ? r->id.s : "");
    amount_cell(app, rows->table, r->amount);
    table_cell(rows->table, code != NULL ? code : "?");
    struct out figures = {0};
    app_figures(app, r->figures, &figures);
    table_cellf(rows->table, "%.*s", (int)figures.n, figures.at != NULL ? figures.at : "");
    free(figures.at);
    app->out.no_memory |= figures.no_memory; /* said when it is printed */
    table_cellf(rows->table, "%.*s", (int)e->key.n, e->key.s);
    rows->n++;
    return true;
}

/* Whether there is none of that id: said on standard error. */
static bool
no_wallet(struct app *app, const char *id)
{
    uint32_t number;
    if (jb_wallet_number(app->ledger, query_text(id), &number, &app->err) != JB_E_NOTFOUND) {
        return false;
    }
    fprintf(stderr,
            tr("jangbu: there is no wallet %s, and no refusal that names it: only refusals of "
               "commands with a key are kept.\n"),
            id);
    return true;
}

/* Refused commands stand in no history: they have a list of their own. */
int
cmd_refused(struct app *app, int argc, char **argv)
{
    struct query q;
    int code;
    if (!query_page(app, argc, argv, QUERY_REFUSED, NULL, &q, &code)) {
        return code;
    }
    if (app->json) {
        return query_print(app, &q);
    }
    struct rows rows = {.app = app};
    char at[TIME_HEADER_BYTES];
    rows.table = table_new((const char *const[]){
        COLUMN(">event"), app_time_header(app, "recorded at", at), COLUMN("command"), COLUMN("id"),
        COLUMN(">amount"), COLUMN("code"), COLUMN("?figures"), COLUMN("key"), NULL});
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    if (jb_refused_get(app->views, q.wallet, query_as_of(app), q.cursor.s, (uint32_t)q.limit,
                       each_refused, &rows, next, &moment, &app->err) != JB_OK) {
        table_free(rows.table);
        return app_fail(app, &app->err);
    }
    if (rows.n == 0 && q.cursor.s == NULL && no_wallet(app, q.wallet.s)) {
        table_free(rows.table);
        return EXIT_REFUSED;
    }
    table_print(app, rows.table);
    if (rows.n == 0 && next[0] == '\0') {
        out_str(&app->out, tr("none: only refusals of commands with a key are kept\n"));
    }
    query_page_end(app, &moment, next);
    return EXIT_DONE;
}
