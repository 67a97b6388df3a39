#include "app.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utf8proc.h>

#include "command_json.h"

int
app_fail(const struct app *app, const struct jb_error *err)
{
    (void)app;
    fprintf(stderr, "jangbu: %s.\n", err->text[0] != '\0' ? err->text : jb_status_word(err->status));
    if (err->status == JB_E_NOTFOUND || err->status == JB_E_NOT_CLOSED || err->status == JB_E_EXISTS) {
        return EXIT_REFUSED;
    }
    return err->status == JB_E_USAGE ? EXIT_USAGE : EXIT_MACHINE;
}

int
app_usage(const struct app *app, const char *format, ...)
{
    va_list args;
    fputs("jangbu: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "%s Try `jangbu help%s%s`.\n", format[strlen(format) - 1] == '?' ? "" : ".", app->command != NULL ? " " : "",
            app->command != NULL ? app->command : "");
    return EXIT_USAGE;
}

bool
app_open(struct app *app, const char *dir, bool write, bool views, int *ret_exit)
{
    struct jb_open_options o = {.size = sizeof o, .read_only = !write, .caller = app->caller};
    if (jb_open(dir, &o, &app->ledger, &app->err) != JB_OK || (views && jb_views_open(app->ledger, &app->views, &app->err) != JB_OK)) {
        *ret_exit = app_fail(app, &app->err);
        if (app->err.status == JB_E_NOTFOUND && app->ledger == NULL) {
            *ret_exit = EXIT_MACHINE;
        }
        return false;
    }
    jb_info(app->ledger, &app->info);
    return true;
}

void
app_close(struct app *app)
{
    app->views = jb_views_close(app->views);
    app->ledger = jb_close(app->ledger);
}

bool
app_flush(struct app *app)
{
    size_t at = 0;
    while (at < app->out.n) {
        ssize_t n = write(STDOUT_FILENO, app->out.at + at, app->out.n - at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            fprintf(stderr, "jangbu: cannot write to standard output: %s\n", strerror(errno));
            app->out.n = 0;
            return false;
        }
        at += (size_t)n;
    }
    app->out.n = 0;
    app->out.first = true;
    return true;
}

char *
app_amount(const struct app *app, jb_amount amount, char *buf)
{
    char digits[48];
    uint64_t value = amount < 0 ? (uint64_t)0 - (uint64_t)amount : (uint64_t)amount;
    int at = (int)sizeof digits, count = 0;
    digits[--at] = '\0';
    uint32_t exponent = app->info.exponent;
    for (uint32_t i = 0; i < exponent; i++) {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    }
    if (exponent > 0) {
        digits[--at] = '.';
    }
    do {
        if (count > 0 && count % 3 == 0) {
            digits[--at] = ',';
        }
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
        count++;
    } while (value != 0);
    if (amount < 0) {
        digits[--at] = '-';
    }
    memcpy(buf, digits + at, sizeof digits - (size_t)at);
    return buf;
}

const char *
app_event_id(struct app *app, const struct jb_event *e, char *buf)
{
    size_t n = 0;
    struct jb_error err;
    buf[jb_event_id(app->ledger, e, buf, &n, &err) == JB_OK ? n : 0] = '\0';
    return buf;
}

char *
app_time(const struct app *app, jb_instant t, char *buf)
{
    if (t == JB_NO_INSTANT) {
        strcpy(buf, "-"); /* one byte and its end: fits */
        return buf;
    }
    jb_instant_print(t, app->info.utc_offset_s, buf);
    if (memcmp(buf + 19, ".000000", 7) == 0) {
        memmove(buf + 19, buf + 26, strlen(buf + 26) + 1);
    }
    return buf;
}

void
app_print_as_of(struct app *app, const struct jb_moment *m)
{
    char t[JB_INSTANT_TEXT_BYTES];
    out_str(&app->out, "as of event ");
    out_uint(&app->out, m->seq);
    out_str(&app->out, ", ");
    out_str(&app->out, app_time(app, m->at, t));
    out_char(&app->out, '\n');
}

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

/* ---- options ---------------------------------------------------------------------------------------------------------------------- */

#define COMMON_MAX 3
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
set_option(struct app *app, const struct option_row *row, const char *name, const char *value, bool *ret_used_next, const char *next)
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
    *row->value = value;
    return true;
}

bool
read_options(struct app *app, int argc, char **argv, const struct option_row *rows, const char **ret_args, int *ret_n)
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
    *ret_n = 0;
    bool only_args = false;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (only_args || arg[0] != '-' || strcmp(arg, "-") == 0 || (arg[1] >= '0' && arg[1] <= '9')) {
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
        bool used_next = false;
        if (!set_option(app, row, name, equals != NULL ? equals + 1 : NULL, &used_next, i + 1 < argc ? argv[i + 1] : NULL)) {
            return false;
        }
        i += used_next ? 1 : 0;
    }
    if (as_of != NULL) {
        if (!parse_as_of(as_of, &app->as_of)) {
            app_usage(app, "--as-of takes an event's number, a time like 2026-10-31T09:00:00+09:00, or a closed day like 2026-10-31; not %s", as_of);
            return false;
        }
        app->has_as_of = true;
    }
    return true;
}

/* ---- tables ----------------------------------------------------------------------------------------------------------------------- */

struct table {
    size_t columns;
    size_t cells_n, cells_cap;
    char **cells; /* row after row; the headers first */
    bool right[TABLE_COLUMNS_MAX];
};

size_t
display_width(const char *s, size_t n)
{
    size_t width = 0;
    for (size_t i = 0; i < n;) {
        utf8proc_int32_t c;
        utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)s + i, (utf8proc_ssize_t)(n - i), &c);
        if (length <= 0) {
            return width;
        }
        int w = utf8proc_charwidth(c);
        width += w > 0 ? (size_t)w : 0;
        i += (size_t)length;
    }
    return width;
}

void
table_cell(struct table *t, const char *text)
{
    if (t->cells_n == t->cells_cap) {
        t->cells_cap = t->cells_cap == 0 ? 64 : t->cells_cap * 2;
        t->cells = realloc(t->cells, t->cells_cap * sizeof *t->cells);
    }
    char *copy = t->cells != NULL ? strdup(text) : NULL;
    if (copy == NULL) {
        fputs("jangbu: no memory\n", stderr);
        exit(EXIT_MACHINE);
    }
    t->cells[t->cells_n++] = copy;
}

void
table_cellf(struct table *t, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    table_cell(t, text);
}

struct table *
table_new(const char *const *headers)
{
    struct table *t = calloc(1, sizeof *t);
    if (t == NULL) {
        fputs("jangbu: no memory\n", stderr);
        exit(EXIT_MACHINE);
    }
    for (; headers[t->columns] != NULL; t->columns++) {
        const char *h = headers[t->columns];
        t->right[t->columns] = h[0] == '>';
        table_cell(t, h[0] == '>' ? h + 1 : h);
    }
    return t;
}

void
table_free(struct table *t)
{
    for (size_t i = 0; t != NULL && i < t->cells_n; i++) {
        free(t->cells[i]);
    }
    if (t != NULL) {
        free(t->cells);
    }
    free(t);
}

static void
pad(struct app *app, size_t n)
{
    while (n-- > 0) {
        out_char(&app->out, ' ');
    }
}

void
table_print(struct app *app, struct table *t)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    for (size_t i = 0; i < t->cells_n; i++) {
        size_t w = display_width(t->cells[i], strlen(t->cells[i]));
        widths[i % t->columns] = w > widths[i % t->columns] ? w : widths[i % t->columns];
    }
    for (size_t i = 0; i < t->cells_n; i++) {
        size_t column = i % t->columns, w = display_width(t->cells[i], strlen(t->cells[i]));
        bool bold = app->colour && i < t->columns;
        if (column > 0) {
            pad(app, 2);
        }
        if (t->right[column]) {
            pad(app, widths[column] - w);
        }
        out_str(&app->out, bold ? "\033[1m" : "");
        out_str(&app->out, t->cells[i]);
        out_str(&app->out, bold ? "\033[0m" : "");
        if (column + 1 == t->columns) {
            while (app->out.n > 0 && app->out.at[app->out.n - 1] == ' ') {
                app->out.n--; /* of empty cells: nothing stands behind a line */
            }
            out_char(&app->out, '\n');
        } else if (!t->right[column]) {
            pad(app, widths[column] - w);
        }
    }
    table_free(t);
}

/* ---- progress --------------------------------------------------------------------------------------------------------------------- */

static int64_t
monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * JB_US_PER_SECOND + t.tv_nsec / 1000;
}

void
progress_begin(struct progress *p, const char *doing)
{
    *p = (struct progress){.doing = doing, .began_us = monotonic_us()};
}

void
progress_show(void *data, uint64_t done, uint64_t all)
{
    struct progress *p = data;
    int64_t now = monotonic_us();
    if (now - p->began_us < JB_US_PER_SECOND || now - p->shown_us < JB_US_PER_SECOND / 10 || !isatty(STDERR_FILENO)) {
        return;
    }
    p->shown_us = now;
    p->shown = true;
    if (all > 0) {
        unsigned filled = (unsigned)(done >= all ? 30 : done * 30 / all);
        fprintf(stderr, "\r%s [%.*s%.*s] %3u%%", p->doing, (int)filled, "##############################", (int)(30 - filled),
                "..............................", (unsigned)(done >= all ? 100 : done * 100 / all));
    } else {
        fprintf(stderr, "\r%s %llu", p->doing, (unsigned long long)done);
    }
    fflush(stderr);
}

void
progress_end(struct progress *p)
{
    if (p->shown) {
        fprintf(stderr, "\r%60s\r", "");
    }
}
