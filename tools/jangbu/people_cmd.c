/* jangbu people: what people.mdb says of itself; sealing it, another key, an older file. */
#include <string.h>

#include "app.h"
#include "queries.h"
#include "query.h"

static void
print_stat(struct app *app, const struct jb_people_stat *s)
{
    if (s->layout == 0) {
        app_sentence(app, "there is no people.mdb: everyone is forgotten");
        return;
    }
    if (s->layout == 1) {
        app_sentence(app, "names and notes lie in clear; `jangbu people encrypt` seals them, so "
                          "that people can be forgotten");
        return;
    }
    app_sentencef(app, "sealed by key %llu; the key file is %s%s", (unsigned long long)s->epoch,
                  s->key_file, s->sealed ? tr(", which cannot be used") : "");
    app_sentencef(app, "owners %llu, forgotten %llu, lost %llu", (unsigned long long)s->owners,
                  (unsigned long long)s->forgotten, (unsigned long long)s->lost);
    if (s->older) {
        app_sentence(app, "it is older than the log: people whom the log names are not in it. Put "
                          "the newest one back; where it is gone, `jangbu people accept` goes on "
                          "with this one");
    }
    if (s->unfinished) {
        app_sentence(app, "somebody is being forgotten, or the key changed, and that is not at its "
                          "end: the next program that writes brings it there");
    }
}

static int
show(struct app *app, const char *dir)
{
    int code;
    struct jb_people_stat s = JB_SIZED(struct jb_people_stat);
    if (!app_open(app, dir, false, false, &code)) {
        return code;
    }
    if (app->json) {
        const struct query q = query_of(QUERY_PEOPLE);
        return query_print(app, &q);
    }
    if (jb_people_stat_get(app->ledger, &s, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    print_stat(app, &s);
    return app_flush(app) ? EXIT_DONE : app_output_code(app);
}

static int
done(struct app *app, const char *dir, const char *sentence)
{
    int code;
    struct jb_people_stat s = JB_SIZED(struct jb_people_stat);
    if (app->ledger == NULL && !app_open(app, dir, false, false, &code)) {
        return code;
    }
    if (jb_people_stat_get(app->ledger, &s, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    if (app->json) {
        js_open(&app->out, NULL, '{');
        js_bool(&app->out, "ok", true);
        js_uint(&app->out, "layout", s.layout);
        js_uint(&app->out, "epoch", s.epoch);
        js_str(&app->out, "key_file", s.key_file);
        js_close(&app->out, '}');
        out_char(&app->out, '\n');
    } else {
        app_sentencef(app, sentence, s.key_file != NULL ? s.key_file : "-");
    }
    return app_flush(app) ? EXIT_DONE : app_output_code(app);
}

static int
encrypt(struct app *app, const char *dir)
{
    struct jb_open_options o = {
        .size = sizeof o, .caller = app->caller, .lang = lang_now(), .key_file = app->key_file};
    app->writes = true;
    return jb_people_encrypt(dir, &o, &app->err) == JB_OK
               ? done(
                     app, dir,
                     SAID(
                         "names and notes are sealed. Their key is %s: no backup of the ledger has "
                         "it; keep a copy elsewhere, and only of the newest. Older copies of "
                         "people.mdb, and blocks of the disk that are no longer used, keep what "
                         "they "
                         "have in clear"))
               : app_fail(app, &app->err);
}

static int
change(struct app *app, const char *dir, bool rotate)
{
    int code;
    if (!app_open(app, dir, true, false, &code)) {
        return code;
    }
    jb_status status = rotate ? jb_people_rotate(app->ledger, &app->err)
                              : jb_people_accept(app->ledger, &app->err);
    return status != JB_OK ? app_fail(app, &app->err)
           : rotate
               ? done(app, dir,
                      SAID("another key is in use: back up people.mdb now, and keep no copy of %s "
                           "from before"))
               : done(app, dir,
                      SAID("goes on with this people.mdb: who is missing in it becomes somebody "
                           "new (key %s)"));
}

int
cmd_people(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX];
    int n;
    if (!read_options(app, argc, argv, NULL, args, &n)) {
        return EXIT_USAGE;
    }
    bool word = n == 2;
    if (n == 1) {
        return show(app, args[0]);
    }
    if (word && strcmp(args[0], "encrypt") == 0) {
        return encrypt(app, args[1]);
    }
    if (word && (strcmp(args[0], "rotate") == 0 || strcmp(args[0], "accept") == 0)) {
        return change(app, args[1], strcmp(args[0], "rotate") == 0);
    }
    return app_usage(app,
                     "jangbu people takes a ledger, or encrypt, rotate or accept and a ledger");
}
