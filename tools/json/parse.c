#include "parse_inner.h"

#include "lang.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

/*
 * jansson allocates a dozen small things a line. They come from blocks that are reused: freeing one
 * does nothing, a reset frees all. And only so is it known that memory was short: jansson drops
 * bytes of a text that it cannot keep, and says nothing. Whatever else in the process uses jansson
 * goes on with the functions that were set before.
 */
static json_malloc_t others_malloc;
static json_free_t others_free;
static pthread_once_t hooked = PTHREAD_ONCE_INIT;

struct block {
    struct block *next;
    size_t size;
    max_align_t bytes[];
};

struct json_pool {
    struct block *first, *current;
    size_t used;
    size_t bytes;   /* of all blocks */
    bool no_memory; /* some of what was asked for since the reset was not to be had */
};

static _Thread_local struct json_pool *active;
/*
 * jansson refuses a whole text for one integer beyond int64. Such a text is read once more with its
 * integers as reals, so that the fault is found at its own member. It is never carried out.
 */
static _Thread_local bool oversized;

/* The first is enough for one command; each next one is as large as all before it together, up to
 * the largest: a daemon has as many pools as commands are on their way. */
#define BLOCK_FIRST (4U << 10)
#define BLOCK_LARGEST (1U << 20)
/* What plain batches need; what a batch of large groups took more goes back. */
#define BYTES_KEPT (16U << 20)

static size_t
next_size(const struct json_pool *p, size_t n)
{
    const size_t at_least = sizeof(struct block) + n;
    const size_t size = p->bytes < BLOCK_FIRST     ? BLOCK_FIRST
                        : p->bytes < BLOCK_LARGEST ? p->bytes
                                                   : BLOCK_LARGEST;
    return size > at_least ? size : at_least;
}

void *
json_pool_alloc(struct json_pool *p, size_t n)
{
    n = (n + 15) & ~(size_t)15;
    while (p->current != NULL && p->current->size - p->used < n && p->current->next != NULL) {
        p->current = p->current->next;
        p->used = 0;
    }
    if (p->current == NULL || p->current->size - p->used < n) {
        const size_t size = next_size(p, n);
        struct block *b = malloc(size);
        if (b == NULL) {
            p->no_memory = true;
            return NULL;
        }
        b->next = NULL;
        b->size = size - sizeof *b;
        p->bytes += size;
        *(p->current == NULL ? &p->first : &p->current->next) = b;
        p->current = b;
        p->used = 0;
    }
    void *at = (char *)p->current->bytes + p->used;
    p->used += n;
    return at;
}

static void *
pool_malloc(size_t n)
{
    return active == NULL ? others_malloc(n) : json_pool_alloc(active, n);
}

static void
pool_free(void *at)
{
    if (active == NULL) {
        others_free(at);
    }
}

static void
hook(void)
{
    json_get_alloc_funcs(&others_malloc, &others_free);
    json_set_alloc_funcs(pool_malloc, pool_free);
}

struct json_pool *
json_pool_new(void)
{
    return pthread_once(&hooked, hook) == 0 ? calloc(1, sizeof(struct json_pool)) : NULL;
}

void
json_pool_reset(struct json_pool *p)
{
    size_t kept = 0;
    for (struct block **at = &p->first; *at != NULL;) {
        struct block *b = *at;
        const size_t size = sizeof *b + b->size;
        if (size <= BLOCK_LARGEST && kept + size <= BYTES_KEPT) {
            kept += size;
            at = &b->next;
        } else {
            *at = b->next;
            free(b);
        }
    }
    p->bytes = kept;
    p->current = p->first;
    p->used = 0;
    p->no_memory = false;
}

struct json_mark
json_pool_mark(const struct json_pool *p)
{
    return (struct json_mark){p->current, p->used};
}

void
json_pool_keep(struct json_pool *p, struct json_mark mark, struct jb_text *const *texts, size_t n)
{
    struct jb_text *sorted[JSON_KEPT_MAX];
    if (mark.block != p->current || n > JSON_KEPT_MAX) {
        return; /* it lies in two blocks, and stays where it is */
    }
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && sorted[at - 1]->s > texts[i]->s; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = texts[i];
    }
    /* In the order in which they lie, so that each goes to a place before the next one's. */
    char *to = (char *)p->current->bytes + mark.used;
    const char *last = NULL, *kept = NULL;
    for (size_t i = 0; i < n; i++) {
        struct jb_text *t = sorted[i];
        if (t->s != last) {
            last = t->s;
            kept = to;
            memmove(to, t->s, t->n + 1); /* jansson ends them with NUL */
            to += t->n + 1;
        }
        t->s = kept;
    }
    p->used = ((size_t)(to - (char *)p->current->bytes) + 15) & ~(size_t)15;
}

size_t
json_pool_bytes(const struct json_pool *p)
{
    return p->bytes;
}

void
json_pool_free(struct json_pool *p)
{
    for (struct block *b = p != NULL ? p->first : NULL; b != NULL;) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
    free(p);
}

/* ---- saying what is wrong ---- */

bool
wrong(struct bad_line *bad, jb_code code, const char *field, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(bad->message, sizeof bad->message, tr(format), args);
    va_end(args);
    bad->code = code;
    snprintf(bad->field, sizeof bad->field, "%s", field != NULL ? field : "");
    return false;
}

/* Edits between two short words: insertions, deletions, replacements. */
static unsigned
distance(const char *a, size_t an, const char *b, size_t bn)
{
    unsigned row[65];
    if (an > 64 || bn > 64) {
        return 99;
    }
    for (size_t j = 0; j <= bn; j++) {
        row[j] = (unsigned)j;
    }
    for (size_t i = 1; i <= an; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= bn; j++) {
            unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);
            unsigned best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = replaced < best ? replaced : best;
        }
    }
    return row[bn];
}

const char *
nearest_word(const char *word, size_t n, const char *(*nth)(unsigned i))
{
    const char *best = NULL;
    unsigned least = n < 6 ? 2 : 3; /* further off it is another word */
    for (unsigned i = 0; nth(i) != NULL; i++) {
        unsigned d = distance(word, n, nth(i), strlen(nth(i)));
        if (d < least) {
            least = d;
            best = nth(i);
        }
    }
    return best;
}

/* ---- values ---- */

struct jb_text
text_of(const json_t *value)
{
    return (struct jb_text){json_string_value(value), json_string_length(value)};
}

enum whole
whole_of(const json_t *value, int64_t *ret)
{
    *ret = json_integer_value(value);
    if (json_is_integer(value)) {
        return WHOLE;
    }
    double real = json_real_value(value);
    if (!oversized || !json_is_real(value)) {
        return NOT_WHOLE;
    }
    if (real < -0x1p63 || real >= 0x1p63) {
        return BEYOND_INT64;
    }
    *ret = (int64_t)real;
    return real == (double)*ret ? WHOLE : NOT_WHOLE;
}

/* What stands there, for a message. */
const char *
given_as(const json_t *value, char *buf, size_t n)
{
    int64_t whole;
    switch (json_typeof(value)) {
    case JSON_STRING:
        snprintf(buf, n, "\"%.40s\"", json_string_value(value));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        switch (whole_of(value, &whole)) {
        case WHOLE:
            snprintf(buf, n, "%lld", (long long)whole);
            break;
        case BEYOND_INT64:
            snprintf(buf, n, "%s", tr("a number of more than 64 bits"));
            break;
        case NOT_WHOLE:
            snprintf(buf, n, "%s", tr("a number with a fraction or an exponent"));
            break;
        }
        break;
    case JSON_OBJECT:
        snprintf(buf, n, "%s", tr("an object"));
        break;
    case JSON_ARRAY:
        snprintf(buf, n, "%s", tr("a list"));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        snprintf(buf, n, "%s",
                 json_is_null(value)   ? "null"
                 : json_is_true(value) ? "true"
                                       : "false");
        break;
    }
    return buf;
}

/* ---- a text ---- */

/* What people do instead of one JSON object a line. NULL: something else. */
static const char *
syntax_hint(const char *line, size_t n, size_t column)
{
    size_t first = 0, last = n;
    while (first < n && (line[first] == ' ' || line[first] == '\t')) {
        first++;
    }
    while (last > first && (line[last - 1] == ' ' || line[last - 1] == '\t')) {
        last--;
    }
    size_t at = column > 0 ? column - 1 : 0;
    while (at > 0 && at < n && (line[at] == ' ' || line[at] == '}')) {
        at--;
    }
    if (line[first] == '[' || line[first] == ']') {
        return "the input is one command a line, not a list: write each object on a line of its "
               "own";
    }
    if (line[first] != '{') {
        return "a line begins with { and holds one command, like {\"op\":\"consume\",...}; CSV and "
               "JSON over several lines are not read";
    }
    if (line[last - 1] == '{' || line[last - 1] == ',') {
        return "the command goes on behind the end of the line: write it on one line";
    }
    return at < n && line[at] == ',' ? "there is a comma with nothing behind it" : NULL;
}

static bool
is_white(const char *s, size_t n)
{
    while (n > 0 && (*s == ' ' || *s == '\t')) {
        s++;
        n--;
    }
    return n == 0;
}

/* jansson names its own flags and the end of a file; an operator has a line. */
static bool
syntax_error(const json_error_t *e, enum text_kind kind, const char *line, size_t n,
             struct bad_line *bad)
{
    static const char *const names[] = {SAID("line"), SAID("query"), SAID("text of the options")};
    const char *const word = tr(names[kind]);
    const bool is_line = kind == TEXT_LINE;
    if (is_line && n > 0 && is_white(line, n)) {
        return wrong(bad, JB_CODE_MALFORMED, NULL,
                     "the line holds white space only; an empty line would be skipped");
    }
    bad->column = e->column > 0 ? e->column : e->position;
    switch ((int)json_error_code(e)) {
    case json_error_numeric_overflow:
        return wrong(bad, JB_CODE_MALFORMED, NULL, "a number is beyond every limit (%.80s)",
                     e->text);
    case json_error_invalid_utf8:
        return wrong(bad, JB_CODE_MALFORMED, NULL, "the %s is not UTF-8: %.120s", word, e->text);
    case json_error_premature_end_of_input:
        if (is_line && syntax_hint(line, n, 0) != NULL) {
            break;
        }
        return wrong(bad, JB_CODE_MALFORMED, NULL, "the %s is cut short: %.120s", word, e->text);
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return wrong(bad, JB_CODE_MALFORMED, NULL,
                     "a text holds a NUL (\\u0000), which no text may");
    case json_error_stack_overflow:
        return wrong(bad, JB_CODE_MALFORMED, NULL, "the %s nests deeper than any %s does", word,
                     is_line ? tr("command") : word);
    case json_error_duplicate_key:
        return wrong(bad, JB_CODE_MALFORMED, NULL, "a member stands twice in one object: %.120s",
                     e->text);
    case json_error_out_of_memory:
        return wrong(bad, JB_CODE_MALFORMED, NULL, "no memory to read the %s", word);
    default:
        break;
    }
    const char *hint = is_line ? syntax_hint(line, n, (size_t)bad->column) : NULL;
    return hint != NULL ? wrong(bad, JB_CODE_MALFORMED, NULL, "this is not JSON: %s", tr(hint))
                        : wrong(bad, JB_CODE_MALFORMED, NULL, "this is not JSON: %.200s", e->text);
}

json_t *
parse_begin(struct json_pool *pool, enum text_kind kind, const char *text, size_t n,
            struct bad_line *bad)
{
    bad_line_begin(bad, JB_CODE_NONE);
    active = pool;
    json_error_t error;
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    oversized = root == NULL && json_error_code(&error) == json_error_numeric_overflow;
    if (oversized) {
        root = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    }
    if (root == NULL) {
        syntax_error(&error, kind, text, n, bad);
    }
    return root;
}

bool
parse_end(struct json_pool *pool, bool ok, struct bad_line *bad)
{
    if (ok && oversized) {
        ok = wrong(bad, JB_CODE_MALFORMED, NULL, "a number is beyond every limit");
    }
    active = NULL;
    bad->no_memory = pool->no_memory;
    return ok && !pool->no_memory;
}
