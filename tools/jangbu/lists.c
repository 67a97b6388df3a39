/* jangbu lots, grants, refunds: what a wallet has several of. jangbu events: events in pages. */
#include <stdlib.h>
#include <string.h>

#include "event_json.h"
#include "lists_json.h"
#include "query.h"
#include "rows_json.h"

struct rows {
    struct app *app;
    struct table *table;
    uint32_t n;
    bool broken; /* a name cannot be read: app->err says why */
    bool all;    /* of all wallets: whose it is stands in each */
};

static void
id_cell(struct rows *rows, const struct jb_event *e)
{
    const struct jb_text id = jb_event_own_id(e);
    if (id.s != NULL) {
        table_cellf(rows->table, "%.*s", (int)id.n, id.s);
    } else {
        table_cell(rows->table, "-");
    }
}

static void
word_cell(struct rows *rows, jb_list list, uint32_t number)
{
    const char *word = jb_name_word(jb_names_get(list), number);
    table_cell(rows->table, word != NULL ? word : "?");
}

static void
event_cells(struct rows *rows, const struct jb_event *e)
{
    char time[JB_INSTANT_TEXT_BYTES];
    table_number(rows->table, e->seq);
    table_cell(rows->table, app_time_cell(rows->app, e->occurred_at, time));
}

#define LOT_COLUMNS                                                                                \
    COLUMN("charge"), COLUMN("method"), COLUMN(">amount"), COLUMN(">left"), COLUMN(">reversed"),   \
        COLUMN(">refunded"), NULL
#define CHARGE_COLUMNS                                                                             \
    COLUMN("charge"), COLUMN("method"), COLUMN("state"), COLUMN(">amount"), COLUMN(">left"),       \
        COLUMN(">reversed"), COLUMN(">refunded"), COLUMN("?pg"), COLUMN("?transaction"),           \
        COLUMN("?approval"), NULL
#define GRANT_COLUMNS                                                                              \
    COLUMN("grant"), COLUMN("origin"), COLUMN("state"), COLUMN(">amount"), COLUMN(">left"),        \
        COLUMN("last day"), NULL
#define REFUND_COLUMNS COLUMN("refund"), COLUMN("scope"), COLUMN("state"), COLUMN(">amount"), NULL

static bool
each_lot(void *data, const struct jb_lot_row *r)
{
    struct rows *rows = data;
    event_cells(rows, r->event);
    id_cell(rows, r->event);
    if (r->event->type == JB_EV_CHARGE_SETTLED) {
        word_cell(rows, JB_LIST_METHOD, r->event->charge_settled.method);
    } else {
        table_cell(rows->table, tr("debt repaid"));
    }
    amount_cell(rows->app, rows->table, r->amount);
    amount_cell(rows->app, rows->table, r->left);
    amount_cell(rows->app, rows->table, r->reversed);
    amount_cell(rows->app, rows->table, r->refunded);
    return true;
}

/* What a payment is looked up by. */
static bool
each_charge(void *data, const struct jb_lot_row *r)
{
    struct rows *rows = data;
    const struct jb_charge_settled *c = &r->event->charge_settled;
    if (r->event->type != JB_EV_CHARGE_SETTLED) {
        return true;
    }
    event_cells(rows, r->event);
    id_cell(rows, r->event);
    word_cell(rows, JB_LIST_METHOD, c->method);
    table_cell(rows->table, lot_state(r));
    amount_cell(rows->app, rows->table, r->amount);
    amount_cell(rows->app, rows->table, r->left);
    amount_cell(rows->app, rows->table, r->reversed);
    amount_cell(rows->app, rows->table, r->refunded);
    const struct jb_text keys[] = {c->pg, c->txn_ref, c->approve_no};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        table_cellf(rows->table, "%.*s", (int)keys[i].n, keys[i].s != NULL ? keys[i].s : "");
    }
    return true;
}

static bool
each_grant(void *data, const struct jb_grant_row *r)
{
    struct rows *rows = data;
    char day[JB_DAY_TEXT_BYTES];
    event_cells(rows, r->event);
    id_cell(rows, r->event);
    word_cell(rows, JB_LIST_ORIGIN, r->event->free_granted.origin);
    word_cell(rows, JB_LIST_GRANT_STATE, r->state);
    amount_cell(rows->app, rows->table, r->amount);
    amount_cell(rows->app, rows->table, r->left);
    table_cellf(rows->table, "%s%s", jb_day_print(r->expires_on, day), r->due ? tr(" (over)") : "");
    return true;
}

static bool
each_refund(void *data, const struct jb_refund_row *r)
{
    struct rows *rows = data;
    char wallet[JB_ID_BYTES_MAX + 1];
    event_cells(rows, r->event);
    if (rows->all) {
        table_cell(rows->table, app_event_wallet(rows->app, r->event, wallet));
    }
    rows->n++;
    id_cell(rows, r->event);
    word_cell(rows, JB_LIST_SCOPE, r->event->refund_requested.scope);
    word_cell(rows, JB_LIST_REFUND_STATE, r->state);
    amount_cell(rows->app, rows->table, r->amount);
    return true;
}

/* Those that are open; a page of the library may be short: it looks at so many wallets. */
static jb_status
refunds_of_all(struct app *app, const struct query *q, struct rows *rows, char *next,
               struct jb_moment *m)
{
    const char *cursor = q->cursor.s;
    char at[TIME_HEADER_BYTES];
    jb_status status;
    app_time_header(app, "at", at);
    rows->all = true;
    rows->table =
        table_new((const char *const[]){COLUMN(">event"), at, COLUMN("wallet"), REFUND_COLUMNS});
    do {
        status =
            jb_refunds_get(app->views, q->wallet, JB_WHICH_OPEN, query_as_of(app), cursor,
                           (uint32_t)q->limit - rows->n, each_refund, rows, next, m, &app->err);
        cursor = next;
    } while (status == JB_OK && next[0] != '\0' && rows->n < q->limit);
    return status;
}

static jb_status
items_page(struct app *app, const struct query *q, struct rows *rows, char *next,
           struct jb_moment *m)
{
    const jb_which which = q->open != 0 ? JB_WHICH_OPEN : JB_WHICH_ALL;
    const uint32_t limit = (uint32_t)q->limit;
    const struct jb_as_of *as_of = query_as_of(app);
    const char *cursor = q->cursor.s;
    char at[TIME_HEADER_BYTES];
    app_time_header(app, "at", at);
    if (q->kind == QUERY_CHARGES) {
        rows->table = table_new((const char *const[]){COLUMN(">event"), at, CHARGE_COLUMNS});
        return jb_lots_get(app->views, q->wallet, which, as_of, cursor, limit, each_charge, rows,
                           next, m, &app->err);
    }
    if (q->kind == QUERY_LOTS) {
        rows->table = table_new((const char *const[]){COLUMN(">event"), at, LOT_COLUMNS});
        return jb_lots_get(app->views, q->wallet, which, as_of, cursor, limit, each_lot, rows, next,
                           m, &app->err);
    }
    if (q->kind == QUERY_GRANTS) {
        rows->table = table_new((const char *const[]){COLUMN(">event"), at, GRANT_COLUMNS});
        return jb_grants_get(app->views, q->wallet, which, as_of, cursor, limit, each_grant, rows,
                             next, m, &app->err);
    }
    if (q->wallet.s == NULL) {
        return refunds_of_all(app, q, rows, next, m);
    }
    rows->table = table_new((const char *const[]){COLUMN(">event"), at, REFUND_COLUMNS});
    return jb_refunds_get(app->views, q->wallet, which, as_of, cursor, limit, each_refund, rows,
                          next, m, &app->err);
}

static enum query_kind
kind_of(const char *command)
{
    return strcmp(command, "lots") == 0      ? QUERY_LOTS
           : strcmp(command, "charges") == 0 ? QUERY_CHARGES
           : strcmp(command, "grants") == 0  ? QUERY_GRANTS
                                             : QUERY_REFUNDS;
}

int
cmd_items(struct app *app, int argc, char **argv)
{
    struct query q;
    int code;
    bool open = false;
    if (!query_page(app, argc, argv, kind_of(app->command), &open, &q, &code)) {
        return code;
    }
    q.open = open;
    if (app->json) {
        return query_print(app, &q);
    }
    struct rows rows = {.app = app};
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    if (items_page(app, &q, &rows, next, &moment) != JB_OK) {
        table_free(rows.table);
        return app_fail(app, &app->err);
    }
    query_table_end(app, rows.table, NULL, &moment, next);
    return EXIT_DONE;
}

/* ---- events ---- */

static void
words_cell(struct app *app, struct table *t, const struct jb_event *e)
{
    struct out words = {0};
    char channel[JB_ID_BYTES_MAX + 1];
    app_event_words(app, e, app_event_channel(app, e, channel), &words);
    table_cellf(t, "%.*s", (int)words.n, words.at != NULL ? words.at : "");
    free(words.at);
    app->out.no_memory |= words.no_memory; /* said when it is printed */
}

/* The name of the wallet of that id, where the event is of one. */
static bool
event_name_cell(struct app *app, struct table *t, const struct jb_event *e, const char *id)
{
    if (event_wallet(e) == 0) {
        table_cell(t, "");
        return true;
    }
    return name_cell(app, t, id);
}

static bool
each_event(void *data, const struct jb_event *e)
{
    struct rows *rows = data;
    struct app *app = rows->app;
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    char time[JB_INSTANT_TEXT_BYTES], id[JB_ID_BYTES_MAX + 1];
    const struct jb_command_refused *r = &e->command_refused;
    const bool refused = e->type == JB_EV_COMMAND_REFUSED;
    table_number(rows->table, e->seq);
    table_cell(rows->table, app_time_cell(app, e->recorded_at, time));
    table_cell(rows->table, type != NULL ? type->name : tr("unknown"));
    table_cell(rows->table, app_event_wallet(app, e, id));
    if (!event_name_cell(app, rows->table, e, id)) {
        rows->broken = true;
        return false;
    }
    if (refused) {
        table_cellf(rows->table, "%.*s", (int)r->id.n, r->id.s != NULL ? r->id.s : "");
    } else {
        table_cell(rows->table, e->type == JB_EV_WALLET_CREATED ? "" : app_event_id(app, e, id));
    }
    amount_cell(app, rows->table, refused ? r->amount : jb_event_amount(e));
    words_cell(app, rows->table, e);
    rows->n++;
    return true;
}

/* As many pages of the library as fill one of ours: one of its own may be short. */
static jb_status
events_page(struct app *app, const struct query *q, struct rows *rows, char *next,
            struct jb_moment *m)
{
    struct events_asked asked;
    const char *cursor = q->cursor.s;
    jb_status status = events_asked(q, app->info.utc_offset_s, &asked, &app->err);
    do {
        if (status == JB_OK) {
            status =
                jb_events_get(app->views, &asked.query, query_as_of(app), cursor,
                              (uint32_t)q->limit - rows->n, each_event, rows, next, m, &app->err);
        }
        cursor = next;
    } while (status == JB_OK && next[0] != '\0' && rows->n < q->limit && !rows->broken);
    return status;
}

int
cmd_events(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *cursor = NULL, *limit_text = "100", *wallet = NULL;
    const char *types = NULL, *since = NULL, *until = NULL, *channel = NULL;
    const char *min = NULL, *max = NULL;
    int n, code;
    bool newest_first = false, people = false;
    struct jb_as_of from = {.kind = JB_AS_OF_NOW}, to = {.kind = JB_AS_OF_NOW};
    uint64_t limit;
    const struct option_row options[] = {
        {"wallet", NULL, &wallet},    {"channel", NULL, &channel},
        {"type", NULL, &types},       {"since", NULL, &since},
        {"until", NULL, &until},      {"newest-first", &newest_first, NULL},
        {"people", &people, NULL},    {"cursor", NULL, &cursor},
        {"limit", NULL, &limit_text}, {"min", NULL, &min},
        {"max", NULL, &max},          {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 1) {
        return app_usage(app, "jangbu events takes one ledger");
    }
    if (!query_limit(app, limit_text, &limit) || !query_moment(app, "since", since, &from) ||
        !query_moment(app, "until", until, &to)) {
        return EXIT_USAGE;
    }
    if (people && !app->json) {
        return app_usage(app,
                         "--people goes with --json here; `jangbu log --people` is for reading");
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    struct query q = query_about(app, QUERY_EVENTS, wallet);
    if (event_types_read(types, &q.types, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    if (!query_amount(app, "min", min, &q.amount_min) ||
        !query_amount(app, "max", max, &q.amount_max)) {
        return EXIT_USAGE;
    }
    q.channel = jb_text_of(channel);
    q.since = from;
    q.until = to;
    q.newest_first = newest_first;
    q.people = people;
    q.cursor = jb_text_of(cursor);
    q.limit = limit;
    if (app->json) {
        return query_print(app, &q);
    }
    struct rows rows = {.app = app};
    char next[JB_CURSOR_TEXT_BYTES];
    struct jb_moment moment;
    char at[TIME_HEADER_BYTES];
    rows.table = table_new((const char *const[]){
        COLUMN(">event"), app_time_header(app, "recorded at", at), COLUMN("type"), COLUMN("wallet"),
        COLUMN("?name"), COLUMN("id"), COLUMN(">amount"), COLUMN("?what"), NULL});
    if (events_page(app, &q, &rows, next, &moment) != JB_OK || rows.broken) {
        table_free(rows.table);
        return app_fail(app, &app->err);
    }
    query_table_end(app, rows.table, NULL, &moment, next);
    return EXIT_DONE;
}

/* ---- find ---- */

static bool
each_found(void *data, const struct jb_find_row *r)
{
    struct rows *rows = data;
    struct app *app = rows->app;
    const struct jb_event *e = r->event;
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    const bool refused = e->type == JB_EV_COMMAND_REFUSED;
    char time[JB_INSTANT_TEXT_BYTES], what[200] = "";
    size_t n = 0;
    for (uint32_t i = 0; i < r->what_n && n < sizeof what; i++) {
        n += (size_t)snprintf(what + n, sizeof what - n, "%s%s", i > 0 ? ", " : "", r->what[i]);
    }
    table_number(rows->table, e->seq);
    table_cell(rows->table, app_time_cell(app, e->recorded_at, time));
    table_cell(rows->table, type != NULL ? type->name : tr("unknown"));
    table_cell(rows->table, what);
    if (r->wallet_id.s != NULL) {
        table_cellf(rows->table, "%.*s", (int)r->wallet_id.n, r->wallet_id.s);
    } else {
        table_cell(rows->table, "-");
    }
    if (r->wallet == 0) {
        table_cell(rows->table, "");
    } else {
        char id[JB_ID_BYTES_MAX + 1];
        snprintf(id, sizeof id, "%.*s", (int)r->wallet_id.n, r->wallet_id.s);
        rows->broken = !name_cell(app, rows->table, id);
    }
    amount_cell(app, rows->table, refused ? e->command_refused.amount : jb_event_amount(e));
    words_cell(app, rows->table, e);
    rows->n++;
    return !rows->broken;
}

static jb_status
find_page(struct app *app, const struct query *q, struct rows *rows, char *next,
          struct jb_moment *m)
{
    const char *cursor = q->cursor.s;
    jb_status status;
    do {
        status = jb_find_get(app->views, q->text, query_as_of(app), cursor,
                             (uint32_t)q->limit - rows->n, each_found, rows, next, m, &app->err);
        cursor = next;
    } while (status == JB_OK && next[0] != '\0' && rows->n < q->limit && !rows->broken);
    return status;
}

enum { BIZ_DIGITS = 10 };

/* A registration number as it is written, 104-86-12345: the ledger keeps its digits. */
static bool
biz_digits(const char *text, char ret[BIZ_DIGITS + 1])
{
    uint32_t n = 0;
    for (size_t i = 0; text[i] != '\0'; i++) {
        const bool hyphen = i == 3 || i == 6;
        if (i == BIZ_DIGITS + 2 || (hyphen ? text[i] != '-' : text[i] < '0' || text[i] > '9')) {
            return false;
        }
        if (!hyphen) {
            ret[n++] = text[i];
        }
    }
    ret[n] = '\0';
    return n == BIZ_DIGITS;
}

static bool
each_is_there(void *data, const struct jb_find_row *r)
{
    (void)r;
    *(bool *)data = true;
    return false;
}

/* What is typed may be an id with hyphens: only where there is none is it a registration number. */
static jb_status
read_as_typed(struct app *app, struct query *q, const char *digits)
{
    char next[JB_CURSOR_TEXT_BYTES] = "";
    struct jb_moment moment;
    bool there = false;
    jb_status status;
    do {
        status = jb_find_get(app->views, q->text, query_as_of(app), next, 1, each_is_there, &there,
                             next, &moment, &app->err);
    } while (status == JB_OK && next[0] != '\0' && !there);
    if (status == JB_OK && !there) {
        q->text = query_text(digits);
    }
    return status;
}

int
cmd_find(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *cursor = NULL, *limit_text = "100";
    int n, code;
    bool people = false;
    uint64_t limit;
    const struct option_row options[] = {
        {"people", &people, NULL}, {"cursor", NULL, &cursor}, {"limit", NULL, &limit_text}, {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 2) {
        return app_usage(app, "jangbu find takes a ledger and a text");
    }
    if (people && !app->json) {
        return app_usage(app,
                         "--people goes with --json here; `jangbu log --people` is for reading");
    }
    code = EXIT_USAGE;
    if (!query_limit(app, limit_text, &limit) || !app_open(app, args[0], false, true, &code)) {
        return code;
    }
    struct query q = query_about(app, QUERY_FIND, NULL);
    q.text = query_text(args[1]);
    q.people = people;
    q.cursor = jb_text_of(cursor);
    q.limit = limit;
    char digits[BIZ_DIGITS + 1];
    if (biz_digits(args[1], digits) && read_as_typed(app, &q, digits) != JB_OK) {
        return app_fail(app, &app->err);
    }
    if (app->json) {
        return query_print(app, &q);
    }
    struct rows rows = {.app = app};
    char next[JB_CURSOR_TEXT_BYTES], at[TIME_HEADER_BYTES];
    struct jb_moment moment;
    rows.table =
        table_new((const char *const[]){COLUMN(">event"), app_time_header(app, "recorded at", at),
                                        COLUMN("type"), COLUMN("found as"), COLUMN("wallet"),
                                        COLUMN("?name"), COLUMN(">amount"), COLUMN("?what"), NULL});
    if (find_page(app, &q, &rows, next, &moment) != JB_OK || rows.broken) {
        table_free(rows.table);
        return app_fail(app, &app->err);
    }
    if (rows.n == 0 && next[0] == '\0') {
        table_free(rows.table);
        app_sentencef(app,
                      "nothing has %s as an id, a key or a reference; whole texts are looked for, "
                      "and no names",
                      args[1]);
        app_print_as_of(app, &moment);
        return EXIT_REFUSED;
    }
    query_table_end(app, rows.table, NULL, &moment, next);
    return EXIT_DONE;
}
