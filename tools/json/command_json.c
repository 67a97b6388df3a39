#include "command_json.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "parse_inner.h"

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
    for (uint32_t number = 1; number < JB_OPS; number++) {
        const struct jb_op_info *op = jb_op_get(number);
        if (op != NULL && i-- == 0) {
            return op->name;
        }
    }
    return NULL;
}

/* ---- members ---- */

static bool commands_member(struct json_pool *pool, json_t *value, struct jb_command *c,
                            struct bad_line *bad);

static bool
amount_member(const char *name, const json_t *value, int64_t *ret, struct bad_line *bad)
{
    enum whole whole = whole_of(value, ret);
    if (whole == BEYOND_INT64 && json_real_value(value) > 0) {
        return wrong(bad, JB_CODE_AMOUNT_RANGE, name, "%s is above the limit of 999999999999999",
                     name);
    }
    char given[160];
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

bool
month_of(struct jb_text t, uint32_t *ret)
{
    char day[16];
    jb_day first;
    int year, month;
    if (t.s == NULL || t.n != 7) {
        return false;
    }
    snprintf(day, sizeof day, "%.7s-01", t.s);
    if (!jb_day_parse(day, strlen(day), &first)) {
        return false;
    }
    jb_day_to_date(first, &year, &month, NULL);
    *ret = (uint32_t)(year * 100 + month);
    return true;
}

static bool
month_member(const struct jb_command_field_info *f, const json_t *value, uint32_t *ret,
             struct bad_line *bad)
{
    char given[160];
    return month_of(text_of(value), ret)
               ? true
               : wrong(bad, JB_CODE_MALFORMED, f->name,
                       "%s must be a month, written like \"2026-03\"; not %s", f->name,
                       given_as(value, given, sizeof given));
}

/* Whether a word or a number is right depends on the policy, which may stand behind it:
 * policy_value looks when all members are known. */
static bool
value_member(const json_t *value, struct jb_command *c, struct bad_line *bad)
{
    const char *word = json_string_value(value);
    uint32_t month;
    if (word != NULL && month_of(text_of(value), &month)) {
        c->value = month;
        return true;
    }
    if (word != NULL) {
        c->value = strcmp(word, "manual") == 0;
    }
    if (word != NULL ? strcmp(word, "auto") == 0 || c->value == 1
                     : whole_of(value, &c->value) == WHOLE) {
        return true;
    }
    return wrong(
        bad, JB_CODE_MALFORMED, "value",
        "value must be a whole number, or \"auto\" or \"manual\" for day_close, or a month "
        "like \"2026-03\" for invoice_from");
}

static bool
policy_value(const json_t *object, const struct jb_command *c, struct bad_line *bad)
{
    const uint64_t both = JB_HAS(JB_CF_POLICY) | JB_HAS(JB_CF_VALUE);
    const json_t *value = json_object_get(object, "value");
    bool word = json_is_string(value);
    uint32_t month;
    bool is_month = month_of(text_of(value), &month);
    bool fits = c->policy == JB_POLICY_INVOICE_FROM ? !word || is_month
                                                    : word == (c->policy == JB_POLICY_DAY_CLOSE);
    if ((c->has & both) != both || (fits && is_month <= (c->policy == JB_POLICY_INVOICE_FROM))) {
        return true;
    }
    if (c->policy == JB_POLICY_INVOICE_FROM) {
        return wrong(bad, JB_CODE_MALFORMED, "value",
                     "the value of invoice_from is a month like \"2026-03\"");
    }
    return word ? wrong(bad, JB_CODE_MALFORMED, "value", "the value of %s is a whole number",
                        jb_name_word(jb_names_get(JB_LIST_POLICY), c->policy))
                : wrong(bad, JB_CODE_MALFORMED, "value",
                        "the value of day_close is \"auto\" or \"manual\"");
}

bool
command_may_say(const struct jb_names *names, uint32_t number)
{
    if (names == jb_names_get(JB_LIST_ROLE)) { /* the others come with wallets and channels */
        return number >= JB_ROLE_AGENCY && number <= JB_ROLE_SYSTEM;
    }
    return names != jb_names_get(JB_LIST_METHOD) || number != JB_METHOD_UNSPECIFIED;
}

static bool
word_member(const struct jb_command_field_info *f, const json_t *value, uint32_t *ret,
            struct bad_line *bad)
{
    struct jb_text t = text_of(value);
    if (json_is_string(value) && jb_name_number(f->names, t.s, t.n, ret) &&
        command_may_say(f->names, *ret)) {
        return true;
    }
    char list[400] = ""; /* the policies take the most, 260 and more to come */
    size_t n = 0;
    for (uint32_t i = 0; i < f->names->n && n < sizeof list - 40; i++) {
        if (f->names->words[i] != NULL && command_may_say(f->names, i)) {
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n > 0 ? ", " : "",
                                  f->names->words[i]);
        }
    }
    char given[160];
    return wrong(bad, JB_CODE_MALFORMED, f->name, "%s must be one of %s; not %s", f->name, list,
                 given_as(value, given, sizeof given));
}

static bool
member(struct json_pool *pool, unsigned field, json_t *value, struct jb_command *c,
       struct bad_line *bad)
{
    const struct jb_command_field_info *f = jb_command_field_get(field);
    void *to = (char *)c + f->offset;
    struct jb_text t = text_of(value);
    int64_t whole;
    char given[160];
    switch (f->kind) {
    case JB_CK_ID:
    case JB_CK_SHORT:
    case JB_CK_KEY:
    case JB_CK_REF:
    case JB_CK_CALLER:
    case JB_CK_NAME:
    case JB_CK_TEXT:
    case JB_CK_SEARCH_ID:
    case JB_CK_BIZ:
    case JB_CK_LINE:
    case JB_CK_EMAIL:
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
    case JB_CK_AMOUNT0:
        if (whole_of(value, &whole) != WHOLE || whole < 0) {
            return wrong(
                bad, JB_CODE_MALFORMED, f->name,
                "%s must be a whole number from 0 on, in the currency's minor unit; not %s",
                f->name, given_as(value, given, sizeof given));
        }
        *(jb_amount *)to = whole;
        return true;
    case JB_CK_BOOL:
        if (!json_is_boolean(value)) {
            return wrong(bad, JB_CODE_MALFORMED, f->name, "%s must be true or false", f->name);
        }
        *(uint8_t *)to = json_is_true(value);
        return true;
    case JB_CK_WORD:
        return word_member(f, value, to, bad);
    case JB_CK_MONTH:
        return month_member(f, value, to, bad);
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
    return commands_member(pool, value, c, bad);
}

/* The fields of each length of a name, one behind the other: nearly all have another length or
 * begin otherwise. Longer names stand among the last. */
#define LENGTHS 32
static struct {
    uint8_t fields[JB_CF_N];
    uint8_t ends[LENGTHS]; /* of those of each length */
} by_length;
static pthread_once_t sorted_once = PTHREAD_ONCE_INIT;

static size_t
place_of(const char *name)
{
    const size_t n = strlen(name);
    return n < LENGTHS ? n : LENGTHS - 1;
}

static void
sort_by_length(void)
{
    uint8_t n = 0;
    for (size_t length = 0; length < LENGTHS; length++) {
        for (unsigned i = 0; i < JB_CF_N; i++) {
            const struct jb_command_field_info *f = jb_command_field_get(i);
            if (f != NULL && place_of(f->name) == length) {
                by_length.fields[n++] = (uint8_t)i;
            }
        }
        by_length.ends[length] = n;
    }
}

static int
field_of(const char *key)
{
    const size_t n = place_of(key);
    pthread_once(&sorted_once, sort_by_length);
    for (unsigned i = n > 0 ? by_length.ends[n - 1] : 0; i < by_length.ends[n]; i++) {
        const unsigned field = by_length.fields[i];
        if (strcmp(jb_command_field_get(field)->name, key) == 0) {
            return (int)field;
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
command_of(struct json_pool *pool, json_t *object, struct jb_command *c, struct bad_line *bad)
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
        if (!member(pool, (unsigned)field, value, c, bad)) {
            return false;
        }
        c->has |= JB_HAS(field);
    }
    return policy_value(object, c, bad);
}

static bool
commands_member(struct json_pool *pool, json_t *value, struct jb_command *c, struct bad_line *bad)
{
    if (!json_is_array(value)) {
        return wrong(bad, JB_CODE_MALFORMED, "commands", "commands must be a list of commands");
    }
    size_t n = json_array_size(value);
    if (n > JB_GROUP_COMMANDS_MAX) {
        return wrong(bad, JB_CODE_BATCH_TOO_LARGE, "commands",
                     "a group has %zu commands; at most %d fit into one", n, JB_GROUP_COMMANDS_MAX);
    }
    struct jb_command *list = json_pool_alloc(pool, n * sizeof *list + 1);
    if (list == NULL) {
        return wrong(bad, JB_CODE_MALFORMED, "commands", "no memory for a group");
    }
    for (size_t i = 0; i < n; i++) {
        struct bad_line inner = {0};
        if (!command_of(pool, json_array_get(value, i), &list[i], &inner)) {
            return wrong(bad, inner.code, inner.field, "command %zu of the group (index %zu): %s",
                         i + 1, i, inner.message);
        }
    }
    c->commands = list;
    c->commands_n = n;
    return true;
}

static bool
is_text(jb_command_kind kind)
{
    switch (kind) {
    case JB_CK_ID:
    case JB_CK_SHORT:
    case JB_CK_KEY:
    case JB_CK_REF:
    case JB_CK_CALLER:
    case JB_CK_NAME:
    case JB_CK_TEXT:
    case JB_CK_SEARCH_ID:
    case JB_CK_BIZ:
    case JB_CK_LINE:
    case JB_CK_EMAIL:
        return true;
    case JB_CK_AMOUNT:
    case JB_CK_UINT:
    case JB_CK_AMOUNT0:
    case JB_CK_BOOL:
    case JB_CK_WORD:
    case JB_CK_MONTH:
    case JB_CK_DAY:
    case JB_CK_INSTANT:
    case JB_CK_ACTOR:
    case JB_CK_VALUE:
    case JB_CK_COMMANDS:
        break;
    }
    return false;
}

/* Of what the line was read into, what the command needs. */
static void
keep_texts(struct json_pool *pool, struct json_mark mark, struct jb_command *c, struct jb_text *key)
{
    struct jb_text *texts[JB_CF_N + 2]; /* an actor has two, and the key is there twice */
    static_assert(sizeof texts / sizeof texts[0] <= JSON_KEPT_MAX, "all of them can be kept");
    size_t n = 0;
    if (c->op == JB_OP_ATOMIC) {
        return;
    }
    for (uint64_t has = c->has; has != 0; has &= has - 1) {
        const struct jb_command_field_info *f =
            jb_command_field_get((unsigned)__builtin_ctzll(has));
        if (is_text(f->kind)) {
            texts[n++] = (struct jb_text *)((char *)c + f->offset);
        } else if (f->kind == JB_CK_ACTOR) {
            texts[n++] = &c->actor_id;
            texts[n++] = &c->actor_role;
        }
    }
    texts[n++] = key;
    size_t there = 0;
    for (size_t i = 0; i < n; i++) {
        if (texts[i]->s != NULL) {
            texts[there++] = texts[i];
        }
    }
    json_pool_keep(pool, mark, texts, there);
}

bool
command_from_json(struct json_pool *pool, const char *line, size_t n, struct jb_command *ret,
                  struct jb_text *ret_key, struct bad_line *bad)
{
    *ret_key = (struct jb_text){0};
    const struct json_mark mark = json_pool_mark(pool);
    json_t *root = parse_begin(pool, TEXT_LINE, line, n, bad);
    bool ok = root != NULL;
    if (ok) {
        const json_t *key = json_object_get(root, "key");
        if (json_is_string(key)) {
            *ret_key = text_of(key);
        }
        ok = command_of(pool, root, ret, bad);
    }
    ok = parse_end(pool, ok, bad);
    if (ok) {
        keep_texts(pool, mark, ret, ret_key);
    }
    if (ok && n > JB_COMMAND_BYTES_MAX && ret->op != JB_OP_ATOMIC) {
        ok =
            wrong(bad, JB_CODE_MALFORMED, NULL,
                  "the command has %zu bytes; one command has at most %u", n, JB_COMMAND_BYTES_MAX);
    }
    return ok;
}
