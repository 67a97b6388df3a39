#include "command_json.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

/* jansson allocates a dozen small things a line. They come from blocks that are reused: freeing one
 * does nothing, a reset frees all. */
struct block {
    struct block *next;
    size_t size;
    max_align_t bytes[];
};

struct json_pool {
    struct block *first, *current;
    size_t used;
    bool no_memory; /* some of what was asked for since the reset was not to be had */
};

static _Thread_local struct json_pool *active;
/*
 * jansson refuses a whole line for one integer beyond int64. Such a line is read once more with its
 * integers as reals, so that the fault is found at its own member. It is never carried out.
 */
static _Thread_local bool oversized;

#define BLOCK_BYTES (1U << 20)
#define BLOCKS_KEPT                                                                                \
    16 /* what plain batches need; what a batch of large groups took more goes back */

static void *
pool_malloc(size_t n)
{
    if (active == NULL) {
        return malloc(n);
    }
    n = (n + 15) & ~(size_t)15;
    struct json_pool *p = active;
    while (p->current != NULL && p->current->size - p->used < n && p->current->next != NULL) {
        p->current = p->current->next;
        p->used = 0;
    }
    if (p->current == NULL || p->current->size - p->used < n) {
        size_t size = n > BLOCK_BYTES ? n : BLOCK_BYTES;
        struct block *b = malloc(sizeof *b + size);
        if (b == NULL) {
            p->no_memory = true;
            return NULL;
        }
        b->next = NULL;
        b->size = size;
        *(p->current == NULL ? &p->first : &p->current->next) = b;
        p->current = b;
        p->used = 0;
    }
    void *at = (char *)p->current->bytes + p->used;
    p->used += n;
    return at;
}

static void
pool_free(void *at)
{
    if (active == NULL) {
        free(at);
    }
}

struct json_pool *
json_pool_new(void)
{
    json_set_alloc_funcs(pool_malloc, pool_free);
    return calloc(1, sizeof(struct json_pool));
}

void
json_pool_reset(struct json_pool *p)
{
    struct block **at = &p->first;
    for (unsigned kept = 0; *at != NULL;) {
        struct block *b = *at;
        if (kept < BLOCKS_KEPT && b->size == BLOCK_BYTES) {
            kept++;
            at = &b->next;
        } else {
            *at = b->next;
            free(b);
        }
    }
    p->current = p->first;
    p->used = 0;
    p->no_memory = false;
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

static bool JB_PRINTF(4, 5)
    wrong(struct bad_line *bad, jb_code code, const char *field, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(bad->message, sizeof bad->message, format, args);
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

static const char *
nth_field(unsigned i)
{
    for (unsigned field = 0; field < JB_CF_N; field++) {
        const struct jb_command_field_info *f = jb_command_field_get(field);
        if (f != NULL && i-- == 0) {
            return f->name;
        }
    }
    return i == 0 ? "op" : NULL;
}

static const char *
nth_op(unsigned i)
{
    const struct jb_op_info *op = jb_op_get(i + 1);
    return op != NULL ? op->name : NULL;
}

/* ---- members ---- */

static bool commands_member(json_t *value, struct jb_command *c, struct bad_line *bad);

static struct jb_text
text_of(const json_t *value)
{
    return (struct jb_text){json_string_value(value), json_string_length(value)};
}

enum whole { NOT_WHOLE, WHOLE, BEYOND_INT64 };

static enum whole
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
static const char *
given_as(const json_t *value, char *buf, size_t n)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        snprintf(buf, n, "\"%.40s\"", json_string_value(value));
        break;
    case JSON_INTEGER:
        snprintf(buf, n, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        snprintf(buf, n, "a number with a fraction or an exponent");
        break;
    case JSON_OBJECT:
        snprintf(buf, n, "an object");
        break;
    case JSON_ARRAY:
        snprintf(buf, n, "a list");
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

static bool
amount_member(const char *name, const json_t *value, int64_t *ret, struct bad_line *bad)
{
    enum whole whole = whole_of(value, ret);
    if (whole == BEYOND_INT64 && json_real_value(value) > 0) {
        return wrong(bad, JB_CODE_AMOUNT_RANGE, name, "%s is above the limit of 999999999999999",
                     name);
    }
    char given[64];
    return whole == WHOLE ? true
                          : wrong(bad, JB_CODE_AMOUNT_INVALID, name,
                                  "%s must be a whole number from 1 on, in the currency's minor "
                                  "unit, without quotes, separators, fraction or exponent; not %s",
                                  name, given_as(value, given, sizeof given));
}

static bool
actor_member(json_t *value, struct jb_command *c, struct bad_line *bad)
{
    const char *key;
    json_t *v;
    if (!json_is_object(value)) {
        return wrong(bad, JB_CODE_MALFORMED, "actor",
                     "actor must be an object with id and, if you like, role");
    }
    json_object_foreach(value, key, v)
    {
        struct jb_text *to = strcmp(key, "id") == 0     ? &c->actor_id
                             : strcmp(key, "role") == 0 ? &c->actor_role
                                                        : NULL;
        if (to == NULL) {
            return wrong(bad, JB_CODE_MALFORMED, "actor",
                         "actor has no member %.40s; it has id and role", key);
        }
        if (!json_is_string(v)) {
            return wrong(bad, JB_CODE_MALFORMED, "actor", "actor.%s must be a text", key);
        }
        *to = text_of(v);
    }
    if (c->actor_id.s == NULL) {
        return wrong(bad, JB_CODE_MALFORMED, "actor", "actor needs an id");
    }
    return true;
}

/* Whether a word or a number is right depends on the policy, which may stand behind it:
 * policy_value looks when all members are known. */
static bool
value_member(const json_t *value, struct jb_command *c, struct bad_line *bad)
{
    const char *word = json_string_value(value);
    if (word != NULL) {
        c->value = strcmp(word, "manual") == 0;
    }
    if (word != NULL ? strcmp(word, "auto") == 0 || c->value == 1
                     : whole_of(value, &c->value) == WHOLE) {
        return true;
    }
    return wrong(bad, JB_CODE_MALFORMED, "value",
                 "value must be a whole number, or \"auto\" or \"manual\" for day_close");
}

static bool
policy_value(const json_t *object, const struct jb_command *c, struct bad_line *bad)
{
    const uint64_t both = JB_HAS(JB_CF_POLICY) | JB_HAS(JB_CF_VALUE);
    bool word = json_is_string(json_object_get(object, "value"));
    if ((c->has & both) != both || word == (c->policy == JB_POLICY_DAY_CLOSE)) {
        return true;
    }
    return word ? wrong(bad, JB_CODE_MALFORMED, "value", "the value of %s is a whole number",
                        jb_name_word(jb_names_get(JB_LIST_POLICY), c->policy))
                : wrong(bad, JB_CODE_MALFORMED, "value",
                        "the value of day_close is \"auto\" or \"manual\"");
}

/* UNSPECIFIED is how events print a method that was not given; a command leaves it out. */
static bool
may_be_given(const struct jb_names *names, uint32_t number)
{
    return names != jb_names_get(JB_LIST_METHOD) || number != JB_METHOD_UNSPECIFIED;
}

static bool
word_member(const struct jb_command_field_info *f, const json_t *value, uint32_t *ret,
            struct bad_line *bad)
{
    struct jb_text t = text_of(value);
    if (json_is_string(value) && jb_name_number(f->names, t.s, t.n, ret) &&
        may_be_given(f->names, *ret)) {
        return true;
    }
    char list[250] = "";
    size_t n = 0;
    for (uint32_t i = 0; i < f->names->n && n < sizeof list - 40; i++) {
        if (f->names->words[i] != NULL && may_be_given(f->names, i)) {
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n > 0 ? ", " : "",
                                  f->names->words[i]);
        }
    }
    char given[64];
    return wrong(bad, JB_CODE_MALFORMED, f->name, "%s must be one of %s; not %s", f->name, list,
                 given_as(value, given, sizeof given));
}

static bool
member(unsigned field, json_t *value, struct jb_command *c, struct bad_line *bad)
{
    const struct jb_command_field_info *f = jb_command_field_get(field);
    void *to = (char *)c + f->offset;
    struct jb_text t = text_of(value);
    int64_t whole;
    char given[64];
    switch (f->kind) {
    case JB_CK_ID:
    case JB_CK_SHORT:
    case JB_CK_KEY:
    case JB_CK_REF:
    case JB_CK_CALLER:
    case JB_CK_NAME:
    case JB_CK_TEXT:
        if (!json_is_string(value)) {
            return wrong(bad, JB_CODE_MALFORMED, f->name, "%s must be a text", f->name);
        }
        *(struct jb_text *)to = t;
        return true;
    case JB_CK_AMOUNT:
        return amount_member(f->name, value, &c->amount, bad);
    case JB_CK_UINT:
        if (whole_of(value, &whole) != WHOLE || whole < 0) {
            return wrong(bad, JB_CODE_MALFORMED, f->name,
                         "%s must be a whole number from 0 on, below 2^63; not %s", f->name,
                         given_as(value, given, sizeof given));
        }
        *(uint64_t *)to = (uint64_t)whole;
        return true;
    case JB_CK_BOOL:
        if (!json_is_boolean(value)) {
            return wrong(bad, JB_CODE_MALFORMED, f->name, "%s must be true or false", f->name);
        }
        *(uint8_t *)to = json_is_true(value);
        return true;
    case JB_CK_WORD:
        return word_member(f, value, to, bad);
    case JB_CK_DAY:
        return json_is_string(value) && jb_day_parse(t.s, t.n, to)
                   ? true
                   : wrong(bad, JB_CODE_MALFORMED, f->name,
                           "%s must be a day that exists, written like \"2026-10-31\"; not %s",
                           f->name, given_as(value, given, sizeof given));
    case JB_CK_INSTANT:
        return json_is_string(value) && jb_instant_parse(t.s, t.n, to)
                   ? true
                   : wrong(bad, JB_CODE_MALFORMED, f->name,
                           "%s must be an instant with an offset, like "
                           "\"2026-10-31T09:00:00+09:00\"; not %s",
                           f->name, given_as(value, given, sizeof given));
    case JB_CK_ACTOR:
        return actor_member(value, c, bad);
    case JB_CK_VALUE:
        return value_member(value, c, bad);
    case JB_CK_COMMANDS:
        break;
    }
    return commands_member(value, c, bad);
}

static int
field_of(const char *key)
{
    for (unsigned i = 0; i < JB_CF_N; i++) {
        const struct jb_command_field_info *f = jb_command_field_get(i);
        if (f != NULL && strcmp(f->name, key) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static bool
unknown_field(const char *key, struct bad_line *bad)
{
    const char *near = nearest_word(key, strlen(key), nth_field);
    return near != NULL ? wrong(bad, JB_CODE_MALFORMED, key,
                                "there is no field %.40s; do you mean %s?", key, near)
                        : wrong(bad, JB_CODE_MALFORMED, key, "there is no field %.40s", key);
}

static bool
command_of(json_t *object, struct jb_command *c, struct bad_line *bad)
{
    memset(c, 0, sizeof *c);
    c->size = sizeof *c;
    if (!json_is_object(object)) {
        return wrong(bad, JB_CODE_MALFORMED, NULL,
                     json_is_array(object)
                         ? "the input is one command a line, not a list: write each object on a "
                           "line of its own"
                         : "a command is a JSON object, like {\"op\":\"consume\",...}");
    }
    const json_t *op = json_object_get(object, "op");
    if (!json_is_string(op)) {
        return wrong(bad, JB_CODE_MALFORMED, "op",
                     op == NULL ? "the command has no op" : "op must be a text");
    }
    c->op = (jb_op)jb_op_from_name(json_string_value(op), json_string_length(op));
    if (c->op == 0) {
        const char *near = nearest_word(json_string_value(op), json_string_length(op), nth_op);
        return near != NULL
                   ? wrong(bad, JB_CODE_MALFORMED, "op", "there is no op %.40s; do you mean %s?",
                           json_string_value(op), near)
                   : wrong(bad, JB_CODE_MALFORMED, "op", "there is no op %.40s",
                           json_string_value(op));
    }
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (value == op) {
            continue;
        }
        int field = field_of(key);
        if (field < 0) {
            return unknown_field(key, bad);
        }
        const struct jb_op_info *info = jb_op_get((uint32_t)c->op);
        if (((info->required | info->optional) & JB_HAS(field)) == 0) {
            return wrong(bad, JB_CODE_MALFORMED, key, "%s takes no %s", info->name, key);
        }
        if (!member((unsigned)field, value, c, bad)) {
            return false;
        }
        c->has |= JB_HAS(field);
    }
    return policy_value(object, c, bad);
}

static bool
commands_member(json_t *value, struct jb_command *c, struct bad_line *bad)
{
    if (!json_is_array(value)) {
        return wrong(bad, JB_CODE_MALFORMED, "commands", "commands must be a list of commands");
    }
    size_t n = json_array_size(value);
    if (n > JB_GROUP_COMMANDS_MAX) {
        return wrong(bad, JB_CODE_BATCH_TOO_LARGE, "commands",
                     "a group has %zu commands; at most %d fit into one", n, JB_GROUP_COMMANDS_MAX);
    }
    struct jb_command *list = pool_malloc(n * sizeof *list + 1);
    if (list == NULL) {
        return wrong(bad, JB_CODE_MALFORMED, "commands", "no memory for a group");
    }
    for (size_t i = 0; i < n; i++) {
        struct bad_line inner = {0};
        if (!command_of(json_array_get(value, i), &list[i], &inner)) {
            return wrong(bad, inner.code, inner.field, "command %zu of the group: %s", i,
                         inner.message);
        }
    }
    c->commands = list;
    c->commands_n = n;
    return true;
}

/* ---- a line ---- */

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
syntax_error(const json_error_t *e, const char *line, size_t n, struct bad_line *bad)
{
    if (n > 0 && is_white(line, n)) {
        return wrong(bad, JB_CODE_MALFORMED, NULL,
                     "the line holds white space only; an empty line would be skipped");
    }
    bad->column = e->column > 0 ? e->column : e->position;
    switch ((int)json_error_code(e)) {
    case json_error_numeric_overflow:
        return wrong(bad, JB_CODE_MALFORMED, NULL, "a number is beyond every limit (%.80s)",
                     e->text);
    case json_error_invalid_utf8:
        return wrong(bad, JB_CODE_MALFORMED, NULL, "the line is not UTF-8: %.120s", e->text);
    case json_error_premature_end_of_input:
        if (syntax_hint(line, n, 0) != NULL) {
            break;
        }
        return wrong(bad, JB_CODE_MALFORMED, NULL, "the line is cut short: %.120s", e->text);
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return wrong(bad, JB_CODE_MALFORMED, NULL,
                     "a text holds a NUL (\\u0000), which no text may");
    case json_error_stack_overflow:
        return wrong(bad, JB_CODE_MALFORMED, NULL, "the line nests deeper than any command does");
    case json_error_duplicate_key:
        return wrong(bad, JB_CODE_MALFORMED, NULL, "a member stands twice in one object: %.120s",
                     e->text);
    case json_error_out_of_memory:
        return wrong(bad, JB_CODE_MALFORMED, NULL, "no memory to read the line");
    default:
        break;
    }
    const char *hint = syntax_hint(line, n, (size_t)bad->column);
    return hint != NULL ? wrong(bad, JB_CODE_MALFORMED, NULL, "this is not JSON: %s", hint)
                        : wrong(bad, JB_CODE_MALFORMED, NULL, "this is not JSON: %.200s", e->text);
}

bool
command_from_json(struct json_pool *pool, const char *line, size_t n, struct jb_command *ret,
                  struct jb_text *ret_key, struct bad_line *bad)
{
    *ret_key = (struct jb_text){0};
    memset(bad, 0, sizeof *bad);
    active = pool;
    json_error_t error;
    json_t *root = json_loadb(line, n, JSON_REJECT_DUPLICATES, &error);
    oversized = root == NULL && json_error_code(&error) == json_error_numeric_overflow;
    if (oversized) {
        root = json_loadb(line, n, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    }
    bool ok;
    if (root == NULL) {
        ok = syntax_error(&error, line, n, bad);
    } else {
        const json_t *key = json_object_get(root, "key");
        if (json_is_string(key)) {
            *ret_key = text_of(key);
        }
        ok = command_of(root, ret, bad) &&
             (!oversized || wrong(bad, JB_CODE_MALFORMED, NULL, "a number is beyond every limit"));
        if (ok && n > JB_COMMAND_BYTES_MAX && ret->op != JB_OP_ATOMIC) {
            ok = wrong(bad, JB_CODE_MALFORMED, NULL,
                       "the command has %zu bytes; one command has at most %u", n,
                       JB_COMMAND_BYTES_MAX);
        }
    }
    active = NULL;
    bad->no_memory = pool->no_memory;
    return ok && !pool->no_memory;
}
