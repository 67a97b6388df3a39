/* jangbu who, may, roles, channel, biz, can-delete: what stands around the money. */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "around_json.h"
#include "event_json.h"
#include "lang.h"
#include "people.h"
#include "query.h"

static const char *
word(jb_list list, uint32_t number)
{
    const char *said = jb_name_word(jb_names_get(list), number);
    return said != NULL ? said : "?";
}

static void
print_when(struct app *app, jb_seq seq, jb_instant at)
{
    const struct jb_moment m = {seq, at};
    app_print_as_of(app, &m);
}

/* ---- persons ---- */

struct rows {
    struct app *app;
    struct table *table;
    bool people;
    bool failed; /* said on standard error */
};

/* "#3", and with --people "u1 (#3)". */
static void
person_cell(struct rows *rows, uint64_t ref)
{
    char text[JB_PERSON_TEXT_BYTES], line[JB_PERSON_TEXT_BYTES + 32];
    const char *known = NULL;
    if (ref == 0) {
        table_cell(rows->table, "-");
        return;
    }
    if (rows->people && !rows->failed) {
        jb_person_why why;
        rows->failed = !people_text(rows->app, ref, text, &known, &why);
        known = known == NULL && !rows->failed ? people_why(why) : known;
    }
    if (known != NULL) {
        snprintf(line, sizeof line, "%s (#%llu)", known, (unsigned long long)ref);
    } else {
        snprintf(line, sizeof line, "#%llu", (unsigned long long)ref);
    }
    table_cell(rows->table, line);
}

/* ---- who ---- */

static bool
each_who(void *data, const struct jb_who_row *row)
{
    struct rows *rows = data;
    char time[JB_INSTANT_TEXT_BYTES];
    const char *role = row->person == 0            ? tr("channel")
                       : row->role == JB_ROLE_NONE ? tr("invited")
                                                   : word(JB_LIST_ROLE, row->role);
    table_cell(rows->table, role);
    if (row->person == 0) {
        table_cellf(rows->table, "%.*s", (int)row->channel.n, row->channel.s);
    } else {
        person_cell(rows, row->person);
    }
    table_cell(rows->table, app_time_cell(rows->app, row->from, time));
    table_cell(rows->table,
               row->until != JB_NO_INSTANT ? app_time_cell(rows->app, row->until, time) : "");
    table_number(rows->table, row->seq);
    return !rows->failed;
}

static void
agency_row(struct rows *rows, const struct jb_who *w)
{
    char time[JB_INSTANT_TEXT_BYTES];
    if (w->agency[0] != '\0') {
        table_cell(rows->table, tr("agency"));
        table_cell(rows->table, w->agency);
        table_cell(rows->table, app_time_cell(rows->app, w->agency_from, time));
        table_cell(rows->table, "");
        table_number(rows->table, w->agency_since);
    }
}

/* The ledger and what is asked about; --people. False: *ret_code, and it was said. */
static bool
begin(struct app *app, int argc, char **argv, const struct option_row *options, int wanted,
      const char *takes, bool views, const char **args, int *ret_code)
{
    int n;
    *ret_code = EXIT_USAGE;
    if (!read_options(app, argc, argv, options, args, &n)) {
        return false;
    }
    if (n != wanted) {
        app_usage(app, takes, app->command);
        return false;
    }
    return app_open(app, args[0], false, views, ret_code);
}

int
cmd_who(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX];
    int code;
    struct rows rows = {.app = app};
    const struct option_row options[] = {{"people", &rows.people, NULL}, {0}};
    if (!begin(app, argc, argv, options, 2, SAID("jangbu %s takes a ledger and a wallet"), false,
               args, &code)) {
        return code;
    }
    if (app->json) {
        struct query q = query_about(app, QUERY_WHO, args[1]);
        q.people = rows.people;
        return query_print(app, &q);
    }
    struct jb_who w = JB_SIZED(struct jb_who);
    char since[TIME_HEADER_BYTES];
    rows.table = table_new((const char *const[]){COLUMN("role"), COLUMN("who"),
                                                 app_time_header(app, "since", since),
                                                 COLUMN("?until"), COLUMN(">event"), NULL});
    jb_status status = jb_who_get(app->ledger, query_text(args[1]), each_who, &rows, &w, &app->err);
    if (status != JB_OK || rows.failed) {
        table_free(rows.table);
        return status != JB_OK ? app_fail(app, &app->err) : EXIT_MACHINE;
    }
    agency_row(&rows, &w);
    table_print(app, rows.table);
    print_when(app, w.seq, w.at);
    return EXIT_DONE;
}

/* ---- may ---- */

static bool
each_cell(void *data, const struct jb_permission *cell, jb_may_answer answer)
{
    struct rows *rows = data;
    table_cell(rows->table, cell->cell);
    table_cell(rows->table, answer == JB_MAY_YES ? tr("yes") : may_word(answer));
    return true;
}

static void
print_roles_of(struct app *app, const struct jb_may *m, bool in_channel)
{
    out_str(&app->out, m->matrix == 0 ? tr("this ledger checks no roles; ") : "");
    out_str(&app->out, m->roles != 0 ? tr("roles here:")
                       : in_channel  ? tr("no role here\n")
                                     : tr("no role here; one of a channel counts where the channel "
                                           "is named (--channel)\n"));
    for (uint32_t i = 0; i < JB_ROLES && m->roles != 0; i++) {
        if ((m->roles & 1U << i) != 0) {
            out_char(&app->out, ' ');
            out_str(&app->out, word(JB_LIST_ROLE, i));
        }
    }
    out_str(&app->out, m->roles != 0 ? "\n" : "");
}

int
cmd_may(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *actor = NULL, *channel = NULL;
    int code;
    struct rows rows = {.app = app};
    const struct option_row options[] = {
        {"actor", NULL, &actor}, {"channel", NULL, &channel}, {"people", &rows.people, NULL}, {0}};
    if (!begin(app, argc, argv, options, 2, SAID("jangbu %s takes a ledger and a wallet"), false,
               args, &code)) {
        return code;
    }
    if (actor == NULL) {
        return app_usage(app, "jangbu may needs --actor ID: who is it about?");
    }
    if (!app_is_person(app, "--actor", actor)) {
        return EXIT_USAGE;
    }
    if (app->json) {
        struct query q = query_about(app, QUERY_MAY, args[1]);
        q.actor = jb_text_of(actor);
        q.channel = jb_text_of(channel);
        q.people = rows.people;
        return query_print(app, &q);
    }
    struct jb_may m = JB_SIZED(struct jb_may);
    rows.table = table_new((const char *const[]){COLUMN("command"), COLUMN("may"), NULL});
    if (jb_may_get(app->ledger, query_text(args[1]), query_text(actor), jb_text_of(channel),
                   each_cell, &rows, &m, &app->err) != JB_OK) {
        table_free(rows.table);
        return app_fail(app, &app->err);
    }
    if (m.actor == 0) {
        app_sentencef(app,
                      "nobody in this ledger has the id %s: what is said here holds for "
                      "whoever comes with it",
                      actor);
    }
    print_roles_of(app, &m, channel != NULL);
    table_print(app, rows.table);
    app_sentence(app, "ROLE: no role that carries it; STATE: not in that state; KIND: not for that "
                      "kind. Of what else a command asks (an invitation, cash, the conditions of a "
                      "deletion) nothing is said here");
    print_when(app, m.seq, m.at);
    return EXIT_DONE;
}

/* ---- roles ---- */

int
cmd_roles(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX];
    int code;
    size_t n;
    int64_t in_force;
    const struct option_row options[] = {{0}};
    if (!begin(app, argc, argv, options, 1, SAID("jangbu %s takes one ledger"), false, args,
               &code)) {
        return code;
    }
    if (app->json) {
        struct query q = query_about(app, QUERY_ROLES, NULL);
        return query_print(app, &q);
    }
    if (jb_policy_get(app->ledger, JB_POLICY_ROLES, &in_force, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    const struct jb_permission *cells = jb_permissions(JB_MATRICES, &n);
    struct table *t = table_new((const char *const[]){COLUMN("command"), "M", "m", "C", "c", "A",
                                                      "O", "G", "S", "P", NULL});
    for (size_t i = 0; i < n; i++) {
        table_cell(t, cells[i].cell);
        for (uint32_t role = JB_ROLE_MASTER; role < JB_ROLES; role++) {
            uint32_t bit = 1U << role;
            table_cell(t, (cells[i].both & bit) != 0    ? "b"
                          : (cells[i].roles & bit) != 0 ? "x"
                                                        : "");
        }
    }
    table_print(app, t);
    app_sentence(app, tr("M MASTER, m MEMBER, C CHANNEL_MASTER, c MANAGER, A AGENCY, O OPERATOR, "
                         "G GATEWAY, S SYSTEM, P SELF; b: both in one person"));
    if (in_force != 0) {
        app_sentencef(app, "in force: matrix %lld", (long long)in_force);
    } else {
        app_sentence(app, tr("this ledger checks no roles"));
    }
    return EXIT_DONE;
}

/* ---- channel ---- */

static void
line(struct table *t, const char *name, const char *value)
{
    table_cell(t, name);
    table_cell(t, value[0] != '\0' ? value : "-");
}

static bool
each_staff(void *data, const struct jb_who_row *row)
{
    struct rows *rows = data;
    table_cell(rows->table, word(JB_LIST_ROLE, row->role));
    person_cell(rows, row->person);
    return !rows->failed;
}

int
cmd_channel(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX];
    char time[JB_INSTANT_TEXT_BYTES];
    int code;
    struct rows rows = {.app = app};
    const struct option_row options[] = {{"people", &rows.people, NULL}, {0}};
    if (is_one(argv[0], argc, argv)) {
        app->takes = TAKES_JSON | TAKES_CALLER;
        return cmd_one(app, argc, argv);
    }
    if (!begin(app, argc, argv, options, 2, SAID("jangbu %s takes a ledger and a channel"), false,
               args, &code)) {
        return code;
    }
    if (app->json) {
        struct query q = query_about(app, QUERY_CHANNEL, NULL);
        q.channel = jb_text_of(args[1]);
        q.people = rows.people;
        return query_print(app, &q);
    }
    struct jb_channel_info c = JB_SIZED(struct jb_channel_info);
    rows.table = table_new((const char *const[]){COLUMN("role"), COLUMN("who"), NULL});
    jb_status status =
        jb_channel_get(app->ledger, query_text(args[1]), each_staff, &rows, &c, &app->err);
    if (status != JB_OK || rows.failed) {
        table_free(rows.table);
        return status != JB_OK ? app_fail(app, &app->err) : EXIT_MACHINE;
    }
    struct table *t = table_new((const char *const[]){COLUMN("channel"), c.channel, NULL});
    line(t, tr("kind"), word(JB_LIST_CHANNEL_KIND, c.kind));
    line(t, tr("search id"), c.search_id);
    line(t, tr("mail-order number"), c.mail_order);
    line(t, tr("wallet"), c.wallet);
    line(t, tr("business"), c.biz);
    if (c.closed != JB_NO_INSTANT) {
        line(t, tr("closed"), app_time(app, c.closed, time));
    }
    table_print(app, t);
    table_print(app, rows.table);
    print_when(app, c.seq, c.at);
    return EXIT_DONE;
}

/* ---- biz ---- */

static void
record_rows(struct rows *rows, const char *what, jb_seq seq, const struct jb_biz_record *r)
{
    const struct {
        const char *name;
        uint64_t ref;
    } texts[] = {{tr("name"), r->name},
                 {tr("representative"), r->representative},
                 {tr("address"), r->address}};
    table_cell(rows->table, what);
    table_cell(rows->table, tr("number"));
    table_cell(rows->table, r->biz);
    table_number(rows->table, seq);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        table_cell(rows->table, "");
        table_cell(rows->table, texts[i].name);
        person_cell(rows, texts[i].ref);
        table_cell(rows->table, "");
    }
}

int
cmd_biz(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *channel = NULL, *cursor = NULL, *limit_text = "100";
    int n, code;
    uint64_t limit;
    struct rows rows = {.app = app};
    const struct option_row options[] = {{"channel", NULL, &channel},
                                         {"people", &rows.people, NULL},
                                         {"cursor", NULL, &cursor},
                                         {"limit", NULL, &limit_text},
                                         {0}};
    if (is_one(argv[0], argc, argv)) {
        app->takes = TAKES_JSON | TAKES_CALLER;
        return cmd_one(app, argc, argv);
    }
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != (channel != NULL ? 1 : 2)) {
        return app_usage(app, "jangbu biz takes a ledger and a wallet, or a ledger and --channel");
    }
    if (!query_limit(app, limit_text, &limit)) {
        return EXIT_USAGE;
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    struct query q = query_about(app, QUERY_BIZ, channel != NULL ? NULL : args[1]);
    q.channel = jb_text_of(channel);
    q.people = rows.people;
    q.cursor = jb_text_of(cursor);
    q.limit = limit;
    if (app->json) {
        return query_print(app, &q);
    }
    struct jb_biz b = JB_SIZED(struct jb_biz);
    if (jb_biz_get(app->ledger, q.wallet, q.channel, &b, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    rows.table = table_new(
        (const char *const[]){"", COLUMN("what"), COLUMN("value"), COLUMN(">event"), NULL});
    if (b.approved != 0) {
        record_rows(&rows, tr("approved"), b.approved, &b.record);
    }
    if (b.pending.request != 0) {
        record_rows(&rows, b.pending.stale != 0 ? tr("asked (stale)") : tr("asked"),
                    b.pending.request, &b.pending);
    }
    if (rows.failed) {
        table_free(rows.table);
        return EXIT_MACHINE;
    }
    table_print(app, rows.table);
    if (b.approved == 0) {
        out_str(&app->out, tr("no business information is approved\n"));
    }
    print_when(app, b.seq, b.at);
    return EXIT_DONE;
}

/* ---- can-delete ---- */

/* What must be so: JSON's names say what is in the way. */
static const char *
condition_words(const struct jb_condition *c)
{
    switch (c->name) {
    case JB_FIG_NOT_OFF:
        return tr("turned off");
    case JB_FIG_SALES_RIGHT:
        return tr("sales right released");
    case JB_FIG_PAID_NOT_ZERO:
        return tr("paid cash is 0");
    case JB_FIG_POSTPAID:
        return tr("prepaid");
    case JB_FIG_REFUND_OUTSTANDING:
        return tr("no refund open");
    case JB_FIG_UNINVOICED:
        return tr("nothing to be invoiced");
    default:
        return condition_word(c);
    }
}

static void
figure_cell(struct app *app, struct table *t, const struct jb_condition *c, const char *agency)
{
    const struct figure_form form = figure_form(c->name);
    char amount[48];
    if (c->has_figure == 0) {
        table_cell(t, "-");
    } else if (form.kind == FIGURE_WORD) {
        table_cell(t, word(form.list, (uint32_t)c->figure));
    } else if (form.kind == FIGURE_MONEY) {
        table_cell(t, app_amount(app, c->figure, amount));
    } else if (c->name == JB_FIG_SALES_RIGHT) {
        table_cellf(t, tr("%s, event %llu"), agency, (unsigned long long)c->figure);
    } else {
        table_cellf(t, "%lld", (long long)c->figure);
    }
}

static void
role_cell(struct table *t, uint32_t roles)
{
    char who[100] = "";
    size_t n = 0;
    for (uint32_t i = 0; i < JB_ROLES; i++) {
        if ((roles & 1U << i) != 0) {
            n += (size_t)snprintf(who + n, sizeof who - n, "%s%s", n > 0 ? " " : "",
                                  word(JB_LIST_ROLE, i));
        }
    }
    table_cell(t, who);
}

static void
remedy_cells(struct app *app, struct table *t, const struct jb_condition *c)
{
    char amount[48];
    if (c->remedy == 0) {
        table_cell(t, "");
        table_cell(t, "");
        return;
    }
    if (c->remedy_amount != 0) {
        table_cellf(t, "%s %s", jb_op_get(c->remedy)->name,
                    app_amount(app, c->remedy_amount, amount));
    } else {
        table_cell(t, jb_op_get(c->remedy)->name);
    }
    role_cell(t, c->remedy_who);
}

/* What helps as well, in a row of its own. */
static void
other_row(struct table *t, const struct jb_condition *c)
{
    char other[60];
    if (c->other == 0) {
        return;
    }
    for (int i = 0; i < 3; i++) {
        table_cell(t, "");
    }
    snprintf(other, sizeof other, tr("or %s"), jb_op_get(c->other)->name);
    table_cell(t, other);
    role_cell(t, c->other_who);
}

int
cmd_can_delete(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX];
    char amount[48];
    int code;
    const struct option_row options[] = {{0}};
    if (!begin(app, argc, argv, options, 2, SAID("jangbu %s takes a ledger and a wallet"), false,
               args, &code)) {
        return code;
    }
    if (app->json) {
        struct query q = query_about(app, QUERY_CAN_DELETE, args[1]);
        return query_print(app, &q);
    }
    struct jb_can_delete d = JB_SIZED(struct jb_can_delete);
    struct jb_who w = JB_SIZED(struct jb_who);
    if (jb_can_delete_get(app->ledger, query_text(args[1]), &d, &app->err) != JB_OK ||
        jb_who_get(app->ledger, query_text(args[1]), NULL, NULL, &w, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    if (d.status == JB_WALLET_DELETED) {
        out_str(&app->out, tr("the wallet is deleted\n"));
        print_when(app, d.seq, d.at);
        return EXIT_DONE;
    }
    bool either = false;
    struct table *t =
        table_new((const char *const[]){COLUMN("condition"), COLUMN("met"), COLUMN(">figure"),
                                        COLUMN("what helps"), COLUMN("?who may"), NULL});
    for (uint32_t i = 0; i < d.conditions_n; i++) {
        const struct jb_condition *c = &d.conditions[i];
        table_cell(t, condition_words(c));
        table_cell(t, c->met != 0 ? tr("yes") : tr("no"));
        figure_cell(app, t, c, w.agency);
        remedy_cells(app, t, c);
        other_row(t, c);
        either |= c->other != 0;
    }
    table_print(app, t);
    if (either) {
        app_sentence(app, "An approved refund takes the cash out; one that is cancelled leaves it "
                          "in the wallet.");
    }
    out_str(&app->out, d.can_delete != 0 ? tr("can be deleted") : tr("cannot be deleted yet"));
    out_str(&app->out, tr("; free cash that lapses with it: "));
    out_str(&app->out, app_amount(app, d.forfeits, amount));
    out_char(&app->out, '\n');
    print_when(app, d.seq, d.at);
    return EXIT_DONE;
}
