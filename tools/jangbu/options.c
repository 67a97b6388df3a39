/* The words of the command line: options anywhere among the arguments, numbers, moments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app.h"
#include "language.h"
#include "parse.h"

bool
parse_number(const char *text, uint64_t max, uint64_t *ret)
{
    uint64_t value = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || value > (max - (uint64_t)(*text - '0')) / 10) {
            return false;
        }
        value = value * 10 + (uint64_t)(*text - '0');
    }
    *ret = value;
    return true;
}

bool
parse_month(const char *text, uint32_t *ret)
{
    char day[16];
    jb_day first;
    int year, month;
    snprintf(day, sizeof day, "%.7s-01", text);
    if (strlen(text) != 7 || !jb_day_parse(day, strlen(day), &first)) {
        return false;
    }
    jb_day_to_date(first, &year, &month, NULL);
    *ret = (uint32_t)(year * 100 + month);
    return true;
}

bool
parse_as_of(const char *text, struct jb_as_of *ret)
{
    size_t n = strlen(text);
    *ret = (struct jb_as_of){.kind = JB_AS_OF_SEQ};
    if (parse_number(text, UINT64_MAX / 2, &ret->seq)) {
        return true;
    }
    if (jb_day_parse(text, n, &ret->day)) {
        ret->kind = JB_AS_OF_DAY;
        return true;
    }
    ret->kind = JB_AS_OF_TIME;
    return jb_instant_parse(text, n, &ret->time);
}

#define COMMON_MAX 5
#define OPTIONS_MAX 32 /* more than any command has */
static const struct option_row *nearest_rows, *nearest_common;

static const char *
nth_option(unsigned i)
{
    if (i == 0) {
        return "help";
    }
    for (const struct option_row *r = nearest_common; r->name != NULL; r++) {
        if (--i == 0) {
            return r->name;
        }
    }
    for (const struct option_row *r = nearest_rows; r != NULL && r->name != NULL; r++) {
        if (--i == 0) {
            return r->name;
        }
    }
    return NULL;
}

static const struct option_row *
find_option(const struct option_row *rows, const char *name)
{
    for (const struct option_row *r = rows; r != NULL && r->name != NULL; r++) {
        if (strcmp(r->name, name) == 0) {
            return r;
        }
    }
    return NULL;
}

static bool
no_option(const struct app *app, const char *name)
{
    if (strcmp(name, "as-of") == 0 && (app->takes & OF_NOW) != 0) {
        app_usage(app,
                  "jangbu %s tells what is so now and takes no --as-of; `jangbu events` tells when "
                  "it changed",
                  app->command);
        return false;
    }
    if (strcmp(name, "json") == 0 || strcmp(name, "as-of") == 0 || strcmp(name, "caller") == 0) {
        app_usage(app, "jangbu %s takes no --%s", app->command, name);
        return false;
    }
    const char *near = nearest_word(name, strlen(name), nth_option);
    if (near != NULL) {
        app_usage(app, "there is no option --%s; do you mean --%s?", name, near);
    } else {
        app_usage(app, "there is no option --%s", name);
    }
    return false;
}

static bool
set_option(struct app *app, const struct option_row *row, const char *name, const char *value,
           bool *ret_used_next, const char *next, bool again)
{
    if (row->flag != NULL) {
        if (value != NULL) {
            app_usage(app, "--%s takes no value", name);
            return false;
        }
        *row->flag = true;
        return true;
    }
    if (value == NULL) {
        value = next;
        *ret_used_next = true;
    }
    if (value == NULL) {
        app_usage(app, "--%s needs a value", name);
        return false;
    }
    if (again) {
        app_usage(app, "--%s is given twice", name);
        return false;
    }
    *row->value = value;
    return true;
}

/* Where the ledger stands among the arguments: behind the word of `people encrypt LEDGER`. */
static int
place_of_ledger(const struct app *app, const char *const *args, int n)
{
    return strcmp(app->command, "people") == 0 && n > 0 &&
                   (strcmp(args[0], "encrypt") == 0 || strcmp(args[0], "rotate") == 0 ||
                    strcmp(args[0], "accept") == 0)
               ? 1
               : 0;
}

static bool
is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* JANGBU_LEDGER stands where the ledger would, if no directory does. */
static void
ledger_of_environment(const struct app *app, const char **args, int *n)
{
    const char *ledger = getenv("JANGBU_LEDGER");
    if (app->takes == 0 || strcmp(app->command, "init") == 0 ||
        strcmp(app->command, "restore") == 0 || ledger == NULL || ledger[0] == '\0') {
        return;
    }
    const int at = place_of_ledger(app, args, *n);
    bool given = *n > at && is_directory(args[at]);
    if (given || *n == ARGUMENTS_MAX) {
        return;
    }
    memmove(&args[at + 1], &args[at], (size_t)(*n - at) * sizeof *args);
    args[at] = ledger;
    ++*n;
}

bool
read_options(struct app *app, int argc, char **argv, const struct option_row *rows,
             const char **ret_args, int *ret_n)
{
    const char *as_of = NULL;
    struct option_row common[COMMON_MAX + 1] = {{0}};
    size_t common_n = 0;
    if (app->takes & TAKES_JSON) {
        common[common_n++] = (struct option_row){"json", &app->json, NULL};
    }
    if (app->takes & TAKES_AS_OF) {
        common[common_n++] = (struct option_row){"as-of", NULL, &as_of};
    }
    if (app->takes & TAKES_CALLER) {
        common[common_n++] = (struct option_row){"caller", NULL, &app->caller};
    }
    if (app->takes != 0) { /* all that open a ledger */
        common[common_n++] = (struct option_row){"key-file", NULL, &app->key_file};
    }
    common[common_n++] = (struct option_row){"lang", NULL, &app->lang};
    *ret_n = 0;
    const char **seen[OPTIONS_MAX];
    size_t seen_n = 0;
    if (app->lang != NULL) {
        seen[seen_n++] = &app->lang; /* in front of the sub-command */
    }
    bool only_args = false;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (only_args || arg[0] != '-' || strcmp(arg, "-") == 0 ||
            (arg[1] >= '0' && arg[1] <= '9')) {
            if (*ret_n == ARGUMENTS_MAX) {
                app_usage(app, "there are more than %d arguments", ARGUMENTS_MAX);
                return false;
            }
            ret_args[(*ret_n)++] = arg;
            continue;
        }
        if (strcmp(arg, "--") == 0) {
            only_args = true;
            continue;
        }
        char name[64];
        const char *equals = strchr(arg, '=');
        size_t n = (equals != NULL ? (size_t)(equals - arg) : strlen(arg)) - 2;
        if (arg[1] != '-' || n >= sizeof name) {
            app_usage(app, "there is no option %s", arg);
            return false;
        }
        memcpy(name, arg + 2, n);
        name[n] = '\0';
        const struct option_row *row = find_option(common, name);
        row = row != NULL ? row : find_option(rows, name);
        if (row == NULL) {
            nearest_common = common;
            nearest_rows = rows;
            return no_option(app, name);
        }
        bool used_next = false, again = false;
        for (size_t k = 0; k < seen_n; k++) {
            again |= seen[k] == row->value;
        }
        if (row->value != NULL && !again && seen_n < OPTIONS_MAX) {
            seen[seen_n++] = row->value;
        }
        if (!set_option(app, row, name, equals != NULL ? equals + 1 : NULL, &used_next,
                        i + 1 < argc ? argv[i + 1] : NULL, again)) {
            return false;
        }
        i += used_next ? 1 : 0;
    }
    if (app->key_file != NULL && app->key_file[0] == '\0') {
        app_usage(app, "--key-file needs a value");
        return false;
    }
    const char *key_file = getenv("JANGBU_KEY_FILE");
    if (app->key_file == NULL && key_file != NULL && key_file[0] != '\0') {
        app->key_file = key_file;
    }
    ledger_of_environment(app, ret_args, ret_n);
    app->args = ret_args;
    app->args_n = *ret_n;
    if (app->lang != NULL && !language_choose(app->lang)) {
        language_unknown(app);
        return false;
    }
    if (as_of != NULL) {
        if (!parse_as_of(as_of, &app->as_of)) {
            app_usage(app,
                      "--as-of takes an event's number, a time like 2026-10-31T09:00:00+09:00, or "
                      "a closed day like 2026-10-31; not %s",
                      as_of);
            return false;
        }
        app->has_as_of = true;
    }
    for (const struct option_row *r = rows; as_of != NULL && r != NULL && r->name != NULL; r++) {
        if (r->value != NULL && strcmp(r->name, "cursor") == 0 && *r->value != NULL) {
            app_usage(app,
                      "--cursor goes on as of the moment of the first page: leave --as-of out");
            return false;
        }
    }
    return true;
}
