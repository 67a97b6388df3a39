/* Tables for people: columns line up by width on a terminal, Hangul included. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utf8proc.h>

#include "app.h"

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
        utf8proc_ssize_t length =
            utf8proc_iterate((const utf8proc_uint8_t *)s + i, (utf8proc_ssize_t)(n - i), &c);
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

/* 0: standard output is no terminal, or one whose width is not known. */
static size_t
terminal_columns(void)
{
    struct winsize size;
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* A column of figures that are all 0. */
static bool
all_zero(const struct table *t, size_t column)
{
    for (size_t i = t->columns + column; i < t->cells_n; i += t->columns) {
        const char *c = t->cells[i];
        if (c[strspn(c, "0.,-")] != '\0') {
            return false;
        }
    }
    return t->right[column] && t->cells_n > t->columns;
}

/* Where the table is wider than the terminal, columns that say nothing are left out, and said. */
static void
leave_out(struct app *app, const struct table *t, const size_t *widths, bool *out)
{
    size_t limit = terminal_columns(), total = 0;
    bool any = false;
    for (size_t i = 0; i < t->columns; i++) {
        total += widths[i] + (i > 0 ? 2 : 0);
    }
    if (limit == 0 || total <= limit) {
        return;
    }
    for (size_t i = 0; i < t->columns; i++) {
        out[i] = all_zero(t, i);
        any |= out[i];
    }
    for (size_t i = 0, listed = 0; i < t->columns && any; i++) {
        if (out[i]) {
            out_str(&app->out, listed++ > 0 ? ", " : "(0 in every row, and left out: ");
            out_str(&app->out, t->cells[i]);
        }
    }
    out_str(&app->out, any ? ")\n" : "");
}

void
table_print(struct app *app, struct table *t)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    bool left_out[TABLE_COLUMNS_MAX] = {false};
    for (size_t i = 0; i < t->cells_n; i++) {
        size_t w = display_width(t->cells[i], strlen(t->cells[i]));
        widths[i % t->columns] = w > widths[i % t->columns] ? w : widths[i % t->columns];
    }
    leave_out(app, t, widths, left_out);
    for (size_t i = 0; i < t->cells_n; i++) {
        size_t column = i % t->columns, w = display_width(t->cells[i], strlen(t->cells[i]));
        if (left_out[column]) {
            if (column + 1 == t->columns) {
                out_char(&app->out, '\n');
            }
            continue;
        }
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
