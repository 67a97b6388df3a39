/* init, stat, rebuild, backup. */
#include <jangbu/replay.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <time.h>

#include "app.h"
#include "event_json.h"
#include "query.h"

static int64_t
monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * JB_US_PER_SECOND + t.tv_nsec / 1000;
}

static bool
parse_offset(const char *text, int32_t *ret)
{
    char instant[40] = "1970-01-02T00:00:00";
    jb_instant t;
    if (strlen(text) > 8) {
        return false;
    }
    memcpy(instant + 19, text, strlen(text) + 1);
    if (!jb_instant_parse(instant, strlen(instant), &t)) {
        return false;
    }
    *ret = (int32_t)((JB_US_PER_DAY - t) / JB_US_PER_SECOND);
    return true;
}

#define ZONE_MIN_S (-12 * 3600)
#define ZONE_MAX_S (14 * 3600)

/* What is allowed, and most likely a slip of the hand that nobody can mend later. */
static void
warn_of_choices(const struct app *app)
{
    const int32_t usual = jb_currency_exponent(app->info.currency);
    if (usual >= 0 && (uint32_t)usual != app->info.exponent) {
        fprintf(
            stderr,
            tr("jangbu: warning: ISO 4217 gives %s %d decimals, and this ledger has %u, for ever. "
               "If that is not meant, delete it and make another.\n"),
            app->info.currency, (int)usual, app->info.exponent);
    }
    if (app->info.utc_offset_s < ZONE_MIN_S || app->info.utc_offset_s > ZONE_MAX_S) {
        fprintf(stderr,
                tr("jangbu: warning: no time zone has this offset (they go from -12:00 to "
                   "+14:00), and it stays for ever. If that is not meant, delete the ledger "
                   "and make another.\n"));
    }
}

int
cmd_init(struct app *app, int argc, char **argv)
{
    const char *currency = NULL, *exponent = NULL, *offset = NULL;
    const char *args[ARGUMENTS_MAX];
    const char *roles = NULL, *operator_id = NULL, *invoice_from = NULL;
    int n;
    const struct option_row options[] = {{"currency", NULL, &currency},
                                         {"exponent", NULL, &exponent},
                                         {"offset", NULL, &offset},
                                         {"roles", NULL, &roles},
                                         {"operator", NULL, &operator_id},
                                         {"invoice-from", NULL, &invoice_from},
                                         {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    struct jb_init_options o = {
        .size = sizeof o, .currency = currency, .key_file = app->key_file, .lang = lang_now()};
    uint64_t digits = 0;
    if (n != 1) {
        return app_usage(app, "jangbu init takes one directory");
    }
    if (exponent != NULL && !parse_number(exponent, 6, &digits)) {
        return app_usage(
            app, "--exponent is the number of digits after the decimal point, 0 to 6, not %s",
            exponent);
    }
    o.exponent = (int32_t)digits;
    o.exponent_given = exponent != NULL;
    if (offset != NULL && !parse_offset(offset, &o.utc_offset_s)) {
        return app_usage(app, "--offset is an offset from UTC like +09:00, not %s", offset);
    }
    o.utc_offset_given = offset != NULL;
    if (roles != NULL && strcmp(roles, "enforce") != 0 && strcmp(roles, "trust") != 0) {
        return app_usage(app, "--roles is enforce or trust, not %s", roles);
    }
    o.roles = roles != NULL && strcmp(roles, "enforce") == 0 ? JB_MATRICES : 0;
    o.operator_id = operator_id;
    if (o.roles != 0 && operator_id == NULL) {
        return app_usage(app, "--roles=enforce needs --operator ID, who gives the other roles");
    }
    if (operator_id != NULL && !app_is_person(app, "--operator", operator_id)) {
        return EXIT_USAGE;
    }
    if (invoice_from != NULL && strcmp(invoice_from, "none") == 0) {
        o.invoice_from = JB_INVOICE_FROM_NONE;
    } else if (invoice_from != NULL && !parse_month(invoice_from, &o.invoice_from)) {
        return app_usage(app,
                         "--invoice-from is the first month with tax invoices, like 2026-03, or "
                         "none; not %s",
                         invoice_from);
    }
    if (jb_init(args[0], &o, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    app->writes = true;
    int code;
    /* For reading: what a ledger needs beside its log is made when it is needed. */
    if (!app_open(app, args[0], false, false, &code)) {
        return code;
    }
    char time[JB_INSTANT_TEXT_BYTES];
    jb_instant_print(0, app->info.utc_offset_s, time);
    if (app->json) {
        js_open(&app->out, NULL, '{');
        js_bool(&app->out, "ok", true);
        js_str(&app->out, "currency", app->info.currency);
        js_uint(&app->out, "exponent", app->info.exponent);
        js_str(&app->out, "utc_offset", time + 26);
        js_hex(&app->out, "ledger_id", app->info.ledger_id, 16);
        js_str(&app->out, "key_file", app->info.key_file);
        js_close(&app->out, '}');
        out_char(&app->out, '\n');
    } else {
        app_sentencef(app,
                      "made a ledger in %s: currency %s with %u decimals, days at UTC%s. These "
                      "three can never be changed",
                      args[0], app->info.currency, app->info.exponent, time + 26);
        if (app->info.key_file != NULL) {
            app_sentencef(app,
                          "names and notes are sealed. Their key is %s: no backup of the ledger "
                          "has it; keep a copy elsewhere, and only of the newest",
                          app->info.key_file);
        } else {
            app_sentencef(app,
                          "names and notes lie in clear in people.mdb; `jangbu people encrypt %s` "
                          "seals them, so that people can be forgotten",
                          args[0]);
        }
        if (o.roles != 0) {
            app_sentencef(app,
                          "each command takes a role of its actor (`jangbu roles %s`); the "
                          "operator is %s",
                          args[0], operator_id);
        } else {
            app_sentence(app, "nobody is asked for a role (`jangbu help init`: --roles=enforce)");
        }
    }
    if (!app_flush(app)) {
        return app_output_code(app);
    }
    warn_of_choices(app);
    return EXIT_DONE;
}

/* Every policy that has a name. */
static bool
read_policies(struct app *app, int64_t policies[JB_POLICIES])
{
    for (uint32_t i = 1; i < JB_POLICIES; i++) {
        if (jb_name_word(jb_names_get(JB_LIST_POLICY), i) != NULL &&
            jb_policy_get(app->ledger, i, &policies[i], &app->err) != JB_OK) {
            return false;
        }
    }
    return true;
}

int
cmd_stat(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX];
    int n, code;
    struct jb_ledger_stat s = {.size = sizeof s};
    struct jb_views_stat v = {.size = sizeof v};
    int64_t policies[JB_POLICIES] = {0};
    if (!read_options(app, argc, argv, NULL, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 1) {
        return app_usage(app, "jangbu stat takes one ledger");
    }
    if (!app_open(app, args[0], false, true, &code)) {
        return code;
    }
    if (app->json) {
        struct query q = query_about(app, QUERY_STAT, NULL);
        return query_print(app, &q);
    }
    if (jb_ledger_stat_get(app->ledger, &s, &app->err) != JB_OK ||
        jb_views_stat_get(app->views, &v, &app->err) != JB_OK || !read_policies(app, policies)) {
        return app_fail(app, &app->err);
    }
    char day[JB_DAY_TEXT_BYTES], time[JB_INSTANT_TEXT_BYTES], value[48];
    struct table *t = table_new((const char *const[]){COLUMN("what"), COLUMN("figure"), NULL});
#define ROW(name, ...) (table_cell(t, tr(name)), table_cellf(t, __VA_ARGS__))
    ROW("events", "%llu", (unsigned long long)s.events);
    ROW("frames", "%llu", (unsigned long long)s.frames);
    ROW("wallets", "%u (and %u deleted)", s.wallets, s.wallets_deleted);
    ROW("bytes of log", "%llu", (unsigned long long)s.log_bytes);
    ROW("last event recorded", "%s", app_time(app, s.recorded_at, time));
    ROW("first open day", "%s", s.open_day == JB_NO_DAY ? "-" : jb_day_print(s.open_day, day));
    ROW("closed through", "%s",
        s.closed_through == JB_NO_DAY ? "-" : jb_day_print(s.closed_through, day));
    ROW("currency", "%s, %u decimals", app->info.currency, app->info.exponent);
    ROW("state includes event", "%llu", (unsigned long long)s.stored_seq);
    ROW("views include event", "%llu", (unsigned long long)v.stored_seq);
    ROW("keys remembered", "%llu", (unsigned long long)s.keys);
    for (uint32_t i = 1; i < JB_POLICIES; i++) {
        const char *word = jb_name_word(jb_names_get(JB_LIST_POLICY), i);
        char name[96];
        snprintf(name, sizeof name, tr("policy %s"), word != NULL ? word : "");
        if (word != NULL) {
            ROW(name, "%s", app_policy(app, i, policies[i], value));
        }
    }
#undef ROW
    table_print(app, t);
    if (past_day_open(&s, app->info.utc_offset_s)) {
        app_sentencef(app,
                      policies[JB_POLICY_DAY_CLOSE] == 0
                          ? "a past day is still open: %s; the next accepted command or `jangbu "
                            "day close %s %s` closes it"
                          : "a past day is still open: %s; `jangbu day close %s %s` closes it",
                      jb_day_print(s.open_day, day), app->args[0], day);
    }
    return EXIT_DONE;
}

static const char *
comparison(bool had, bool same)
{
    return !had ? SAID("new") : same ? SAID("identical") : SAID("different");
}

int
cmd_rebuild(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX];
    int n;
    bool accept = false;
    struct progress p;
    const struct option_row options[] = {{"accept-rollback", &accept, NULL}, {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 1) {
        return app_usage(app, "jangbu rebuild takes one ledger");
    }
    int64_t began = monotonic_us();
    progress_begin(&p, "rebuild");
    struct jb_rebuild_options o = {.size = sizeof o,
                                   .accept_rollback = accept,
                                   .on_progress = progress_show,
                                   .data = &p,
                                   .lang = lang_now()};
    struct jb_rebuild_result r = {.size = sizeof r};
    jb_status status = jb_rebuild(args[0], &o, &r, &app->err);
    progress_end(&p);
    if (status != JB_OK) {
        app_fail(app, &app->err);
        return EXIT_MACHINE;
    }
    int64_t ms = (monotonic_us() - began) / 1000;
    bool different = (r.had_state && !r.same_state) || (r.had_views && !r.same_views);
    if (app->json) {
        js_open(&app->out, NULL, '{');
        js_uint(&app->out, "events", r.events);
        char seconds[32];
        snprintf(seconds, sizeof seconds, "%lld.%03lld", (long long)(ms / 1000),
                 (long long)(ms % 1000));
        js_number(&app->out, "seconds", seconds);
        js_str(&app->out, "state", comparison(r.had_state, r.same_state));
        js_str(&app->out, "views", comparison(r.had_views, r.same_views));
        js_hex(&app->out, "state_digest", r.state_digest, 16);
        js_hex(&app->out, "views_digest", r.views_digest, 16);
        js_close(&app->out, '}');
        out_char(&app->out, '\n');
    } else {
        printf(tr("%llu events folded in %lld.%03lld s\n"), (unsigned long long)r.events,
               (long long)(ms / 1000), (long long)(ms % 1000));
        printf("state.mdb %s, views.mdb %s\n", tr(comparison(r.had_state, r.same_state)),
               tr(comparison(r.had_views, r.same_views)));
        printf(tr("rebuild: %s\n"),
               different ? tr("DIFFERENT from what was stored; the new ones are in use")
               : r.had_state && r.had_views ? tr("identical")
                                            : tr("done"));
    }
    return different ? EXIT_REFUSED : EXIT_DONE;
}

int
cmd_backup(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX];
    int n, code;
    struct progress p;
    if (!read_options(app, argc, argv, NULL, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 2) {
        return app_usage(app, "jangbu backup takes a ledger and a new directory");
    }
    if (!app_open(app, args[0], false, false, &code)) {
        return code;
    }
    progress_begin(&p, "backup");
    jb_status status = jb_backup(app->ledger, args[1], progress_show, &p, &app->err);
    progress_end(&p);
    if (status != JB_OK) {
        return app_fail(app, &app->err);
    }
    char secret[4096];
    bool has_secret = snprintf(secret, sizeof secret, "%s/secret", args[1]) < (int)sizeof secret &&
                      access(secret, F_OK) == 0;
    if (app->json) {
        js_open(&app->out, NULL, '{');
        js_bool(&app->out, "ok", true);
        js_str(&app->out, "dest", args[1]);
        js_bool(&app->out, "secret", has_secret);
        js_close(&app->out, '}');
        out_char(&app->out, '\n');
    } else {
        app_sentencef(app, "copied to %s: log.mdb, people.mdb%s. `jangbu audit %s` checks it",
                      args[1], has_secret ? ", secret" : "", args[1]);
        if (app->info.key_file != NULL) {
            app_sentencef(app,
                          "not copied: the key %s. Keep it elsewhere, and only the newest: who was "
                          "forgotten since is forgotten in the copy, too",
                          app->info.key_file);
        }
        if (!has_secret) {
            app_sentence(app, "not copied: secret, which is lost or damaged here: in this ledger, "
                              "as in the copy, repeated keys are answered without a comparison of "
                              "their content");
        }
    }
    return EXIT_DONE;
}

static int
say_recovered(struct app *app, const char *id, const struct jb_answer *a)
{
    if (app->json) {
        answer_json(&app->out, a, 0, (struct jb_text){NULL, 0}, app->info.utc_offset_s);
        out_char(&app->out, '\n');
    } else if (a->code != JB_CODE_NONE) {
        fprintf(stderr, "jangbu: %s: %s.\n", jb_code_word((uint32_t)a->code), jb_answer_message(a));
    } else {
        app_sentencef(app, "%s is an operator from event %llu on", id, (unsigned long long)a->seq);
    }
    return a->code == JB_CODE_NONE ? EXIT_DONE : EXIT_REFUSED;
}

int
cmd_operator(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX];
    int n, code;
    if (!read_options(app, argc, argv, NULL, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 2) {
        return app_usage(app, "jangbu operator takes a ledger and the id of a person");
    }
    if (!app_is_person(app, app->command, args[1])) {
        return EXIT_USAGE;
    }
    if (!app_open(app, args[0], true, false, &code)) {
        return code;
    }
    jb_answers *answers = jb_answers_new();
    if (answers == NULL) {
        fputs(tr("jangbu: no memory\n"), stderr);
        return EXIT_MACHINE;
    }
    code = jb_operator_recover(app->ledger, jb_text_of(args[1]), answers, &app->err) == JB_OK
               ? say_recovered(app, args[1], jb_answers_at(answers, 0))
               : app_fail(app, &app->err);
    jb_answers_free(answers);
    return code;
}
