/* Tables and sentences for people: columns line up by width, Hangul included, and on a terminal no
 * line is wider than it. A pipe gets all columns, and each sentence on one line. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utf8proc.h>

#include "app.h"

struct cell {
    size_t at; /* in bytes, where its text begins; it ends with a NUL */
    uint32_t n, width;
};

struct table {
    size_t columns;
    size_t cells_n, cells_cap;
    struct cell *cells; /* row after row; the headers first */
    size_t bytes_n, bytes_cap;
    char *bytes;
    bool right[TABLE_COLUMNS_MAX];
    bool spare[TABLE_COLUMNS_MAX];
};

size_t
display_width(const char *s, size_t n)
{
    size_t width = 0;
    for (size_t i = 0; i < n;) {
        if (s[i] >= ' ' && s[i] <= '~') { /* most of what there is */
            width++;
            i++;
            continue;
        }
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

static void
no_memory(void)
{
    fputs(tr("jangbu: no memory\n"), stderr);
    exit(EXIT_MACHINE);
}

/* at: items of so many bytes; room for n of them. */
static void *
grown(void *at, size_t *cap, size_t n, size_t bytes)
{
    if (n <= *cap) {
        return at;
    }
    *cap = n < 1024 ? 1024 : n * 2;
    void *ret = realloc(at, *cap * bytes);
    if (ret == NULL) {
        no_memory();
    }
    return ret;
}

void
table_cell(struct table *t, const char *text)
{
    const size_t n = strlen(text);
    t->cells = grown(t->cells, &t->cells_cap, t->cells_n + 1, sizeof *t->cells);
    t->bytes = grown(t->bytes, &t->bytes_cap, t->bytes_n + n + 1, 1);
    memcpy(t->bytes + t->bytes_n, text, n + 1);
    t->cells[t->cells_n++] =
        (struct cell){t->bytes_n, (uint32_t)n, (uint32_t)display_width(text, n)};
    t->bytes_n += n + 1;
}

static const char *
text_of(const struct table *t, size_t cell)
{
    return t->bytes + t->cells[cell].at;
}

void
table_cellf(struct table *t, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, tr(format), args);
    va_end(args);
    table_cell(t, text);
}

void
table_number(struct table *t, uint64_t number)
{
    char digits[24];
    size_t at = sizeof digits - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    table_cell(t, digits + at);
}

struct table *
table_new(const char *const *headers)
{
    struct table *t = calloc(1, sizeof *t);
    if (t == NULL) {
        no_memory();
    }
    for (; headers[t->columns] != NULL; t->columns++) {
        const char *h = headers[t->columns];
        t->spare[t->columns] = h[0] == '?';
        h += h[0] == '?';
        t->right[t->columns] = h[0] == '>';
        table_cell(t, tr(h[0] == '>' ? h + 1 : h));
    }
    return t;
}

void
table_free(struct table *t)
{
    if (t != NULL) {
        free(t->cells);
        free(t->bytes);
    }
    free(t);
}

static void
pad(struct app *app, size_t n)
{
    static const char blanks[] = "                                ";
    for (; n >= sizeof blanks; n -= sizeof blanks - 1) {
        out_bytes(&app->out, blanks, sizeof blanks - 1);
    }
    out_bytes(&app->out, blanks, n);
}

/* 0: standard output is no terminal, or one whose width is not known. */
static size_t
terminal_columns(void)
{
    struct winsize size;
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void
app_sentence(struct app *app, const char *text)
{
    text = tr(text);
    const size_t limit = terminal_columns();
    for (size_t used = 0; *text != '\0';) {
        const size_t n = strcspn(text, " "), w = display_width(text, n);
        if (used > 0) {
            const bool full = limit > 0 && used + 1 + w > limit;
            out_str(&app->out, full ? "\n  " : " ");
            used = full ? 2 : used + 1;
        }
        out_bytes(&app->out, text, n);
        used += w;
        text += n + (text[n] == ' ');
    }
    out_char(&app->out, '\n');
}

void
app_sentencef(struct app *app, const char *format, ...)
{
    char text[4 * 4096]; /* two paths fit */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, tr(format), args);
    va_end(args);
    app_sentence(app, text);
}

/* ---- what a table leaves out and how it is broken where it is wider than the terminal ---- */

struct layout {
    size_t limit; /* 0: any width */
    size_t gap;   /* blanks between columns */
    bool split;   /* headers of two words stand in two lines */
    size_t widths[TABLE_COLUMNS_MAX];
    bool out[TABLE_COLUMNS_MAX];
};

/* The part of a header that stands in its line: 1, 2, or 0 where it has one line. */
static const char *
header_part(const char *text, int line, size_t *ret_n)
{
    const char *blank = strrchr(text, ' ');
    *ret_n = strlen(text);
    if (line == 0 || (line == 2 && blank == NULL)) {
        return text;
    }
    if (line == 1) {
        *ret_n = blank != NULL ? (size_t)(blank - text) : 0;
        return text;
    }
    *ret_n -= (size_t)(blank + 1 - text);
    return blank + 1;
}

static size_t
header_width(const char *text, bool split)
{
    size_t n, width = 0;
    for (int line = split ? 1 : 0; line <= (split ? 2 : 0); line++) {
        const char *part = header_part(text, line, &n);
        const size_t w = display_width(part, n);
        width = w > width ? w : width;
    }
    return width;
}

static void
measure(const struct table *t, struct layout *l)
{
    for (size_t column = 0; column < t->columns; column++) {
        size_t width = header_width(text_of(t, column), l->split);
        for (size_t i = t->columns + column; i < t->cells_n; i += t->columns) {
            width = t->cells[i].width > width ? t->cells[i].width : width;
        }
        l->widths[column] = width;
    }
}

static bool
fits(const struct table *t, const struct layout *l)
{
    size_t total = 0;
    for (size_t i = 0; i < t->columns; i++) {
        total += l->out[i] ? 0 : l->widths[i] + (i > 0 ? l->gap : 0);
    }
    return l->limit == 0 || total <= l->limit;
}

/* A column of figures that are all 0. */
static bool
all_zero(const struct table *t, size_t column)
{
    for (size_t i = t->columns + column; i < t->cells_n; i += t->columns) {
        const char *c = text_of(t, i);
        if (c[strspn(c, "0.,-")] != '\0') {
            return false;
        }
    }
    return t->right[column] && t->cells_n > t->columns;
}

/* Says which columns are left out. */
static void
say_left_out(struct app *app, const struct table *t, const char *why, const bool *which)
{
    char text[1024];
    size_t n = 0;
    for (size_t i = 0; i < t->columns; i++) {
        if (which[i]) {
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n > 0 ? ", " : why,
                                  text_of(t, i));
        }
    }
    if (n > 0) {
        snprintf(text + n, sizeof text - n, ")");
        app_sentence(app, text);
    }
}

/* Columns that say nothing go first, then those that can be done without; what then is too wide
 * still is printed in several parts. */
static void
lay_out(struct app *app, const struct table *t, struct layout *l)
{
    bool spared[TABLE_COLUMNS_MAX] = {false};
    measure(t, l);
    if (fits(t, l)) {
        return;
    }
    for (size_t i = 0; i < t->columns; i++) {
        l->out[i] = all_zero(t, i);
    }
    say_left_out(app, t, tr("(0 in every row, and left out: "), l->out);
    if (fits(t, l)) {
        return;
    }
    l->split = true;
    measure(t, l);
    for (size_t i = 0; i < t->columns && !fits(t, l); i++) {
        spared[i] = t->spare[i] && !l->out[i];
        l->out[i] |= spared[i];
    }
    say_left_out(app, t, tr("(left out, because the terminal is narrow: "), spared);
    if (!fits(t, l)) {
        l->gap = 1;
        l->gap = fits(t, l) ? 1 : 2;
    }
}

/* The column behind the last one that stands beside `from` (and the first, which is in each part).
 */
static size_t
part_end(const struct table *t, const struct layout *l, size_t from)
{
    size_t total = l->widths[0], i = from;
    bool any = false;
    for (; i < t->columns; i++) {
        const size_t w = i == 0 || l->out[i] ? 0 : l->gap + l->widths[i];
        if (any && l->limit > 0 && total + w > l->limit) {
            break;
        }
        total += w;
        any |= w > 0;
    }
    return i;
}

/* A row from column `from` up to `to`, and the first; `line` of the header. */
static void
print_row(struct app *app, const struct table *t, const struct layout *l, size_t row, size_t from,
          size_t to, int line)
{
    const bool bold = app->colour && row == 0;
    size_t owed = 0; /* blanks that only stand where something follows */
    for (size_t i = 0; i < to; i = i == 0 && from > 1 ? from : i + 1) {
        if (l->out[i]) {
            continue;
        }
        const struct cell *cell = &t->cells[row * t->columns + i];
        size_t n = cell->n;
        const char *text = line == 0 ? text_of(t, row * t->columns + i)
                                     : header_part(text_of(t, row * t->columns + i), line, &n);
        const size_t rest = l->widths[i] - (line == 0 ? cell->width : display_width(text, n));
        owed += (i > 0 ? l->gap : 0) + (t->right[i] ? rest : 0);
        if (n > 0) {
            pad(app, owed);
            out_str(&app->out, bold ? "\033[1m" : "");
            out_bytes(&app->out, text, n);
            out_str(&app->out, bold ? "\033[0m" : "");
            owed = 0;
        }
        owed += t->right[i] ? 0 : rest;
    }
    out_char(&app->out, '\n');
}

/* Whether a head among the columns from `from` up to `to`, or the first, is in two lines. */
static bool
heads_in_two(const struct table *t, const struct layout *l, size_t from, size_t to)
{
    for (size_t i = 0; i < to; i = i == 0 && from > 1 ? from : i + 1) {
        size_t n;
        header_part(text_of(t, i), 1, &n);
        if (!l->out[i] && n > 0) {
            return true;
        }
    }
    return false;
}

bool
table_has_rows(const struct table *t)
{
    return t->cells_n > t->columns;
}

void
table_print(struct app *app, struct table *t)
{
    struct layout l = {.limit = terminal_columns(), .gap = 2};
    lay_out(app, t, &l);
    for (size_t from = 0; from < t->columns;) {
        const size_t to = part_end(t, &l, from);
        out_str(&app->out, from > 0 ? "\n" : "");
        if (l.split && heads_in_two(t, &l, from, to)) {
            print_row(app, t, &l, 0, from, to, 1);
        }
        print_row(app, t, &l, 0, from, to, l.split ? 2 : 0);
        for (size_t row = 1; row < t->cells_n / t->columns; row++) {
            print_row(app, t, &l, row, from, to, 0);
        }
        from = to;
    }
    table_free(t);
}
