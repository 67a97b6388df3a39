#include "members.h"

#include "lang.h"

#include <stdio.h>
#include <string.h>

static const char *const kind_words[] = {
    [MEMBER_TEXT] = "text",   [MEMBER_NUMBER] = "number", [MEMBER_FLAG] = "boolean",
    [MEMBER_WORD] = "word",   [MEMBER_DAY] = "day",       [MEMBER_MONTH] = "month",
    [MEMBER_TYPES] = "types", [MEMBER_SET] = "words",     [MEMBER_AMOUNT] = "amount",
    [MEMBER_AS_OF] = "as_of", [MEMBER_OFFSET] = "offset", [MEMBER_OBJECT] = "object"};

const char *
member_kind_word(enum member_kind kind)
{
    return kind_words[kind];
}

static bool
as_of_member(const json_t *value, struct jb_as_of *ret)
{
    int64_t whole;
    *ret = (struct jb_as_of){.kind = JB_AS_OF_SEQ};
    if (whole_of(value, &whole) == WHOLE && whole >= 0) {
        ret->seq = (jb_seq)whole;
        return true;
    }
    const struct jb_text t = text_of(value);
    if (t.s == NULL) {
        return false;
    }
    ret->kind = JB_AS_OF_DAY;
    if (jb_day_parse(t.s, t.n, &ret->day)) {
        return true;
    }
    ret->kind = JB_AS_OF_TIME;
    return jb_instant_parse(t.s, t.n, &ret->time);
}

/* "+09:00", by way of an instant at that offset. */
static bool
offset_member(struct jb_text t, int32_t *ret)
{
    char instant[32] = "1970-01-02T00:00:00";
    const size_t before = strlen(instant);
    jb_instant at;
    if (t.s == NULL || t.n != strlen("+09:00")) {
        return false;
    }
    memcpy(instant + before, t.s, t.n);
    if (!jb_instant_parse(instant, before + t.n, &at)) {
        return false;
    }
    *ret = (int32_t)((JB_US_PER_DAY - at) / JB_US_PER_SECOND);
    return true;
}

static bool
word_member(const struct member_row *row, struct jb_text t, uint32_t *ret)
{
    for (uint32_t i = 0; t.s != NULL && row->words[i] != NULL; i++) {
        if (strlen(row->words[i]) == t.n && memcmp(row->words[i], t.s, t.n) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

/* A list of words, each the row's: not empty. */
static bool
set_member(const struct member_row *row, const json_t *value, uint32_t *ret)
{
    const size_t n = json_array_size(value);
    *ret = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t word;
        if (!word_member(row, text_of(json_array_get(value, i)), &word)) {
            return false;
        }
        *ret |= 1U << (word + 1);
    }
    return n > 0;
}

static bool
amount_member(const json_t *value, struct amount_bound *ret)
{
    int64_t whole;
    ret->given = whole_of(value, &whole) == WHOLE;
    ret->amount = ret->given ? whole : 0;
    return ret->given;
}

uint32_t
event_type_called(const char *s, size_t n)
{
    for (uint32_t i = 1; i < JB_EV_TYPES; i++) {
        const struct jb_event_type_info *type = jb_event_type_get(i);
        if (type != NULL && strlen(type->name) == n && memcmp(type->name, s, n) == 0) {
            return i;
        }
    }
    return 0;
}

static const char *
nth_type(unsigned i)
{
    const struct jb_event_type_info *type = jb_event_type_get(i + 1);
    return type != NULL ? type->name : NULL;
}

const char *
event_type_near(const char *s, size_t n)
{
    const char *name;
    for (unsigned i = 0; n > 0 && (name = nth_type(i)) != NULL; i++) {
        if (strncmp(name, s, n) == 0) {
            return name; /* "charge": charge_settled */
        }
    }
    return nearest_word(s, n, nth_type);
}

/* The first name in the list that is that of no type. */
static bool
no_type(const json_t *value, struct bad_line *bad)
{
    struct jb_text t = {NULL, 0};
    for (size_t i = 0; i < json_array_size(value) && t.s == NULL; i++) {
        const struct jb_text name = text_of(json_array_get(value, i));
        t = name.s != NULL && event_type_called(name.s, name.n) == 0 ? name : t;
    }
    if (t.s == NULL) {
        return false;
    }
    const char *near = event_type_near(t.s, t.n);
    if (near != NULL) {
        wrong(bad, JB_CODE_MALFORMED, "types", "there is no type %.40s; do you mean %s?", t.s,
              near);
    } else {
        wrong(bad, JB_CODE_MALFORMED, "types", "there is no type %.40s", t.s);
    }
    return true;
}

/* In a sentence: what stands there instead of names, or of a list that is neither empty nor too
 * long. */
static const char *
types_given(const json_t *value, char *buf, size_t size)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!json_is_string(json_array_get(value, i))) {
            return given_as(json_array_get(value, i), buf, size);
        }
    }
    if (!json_is_array(value)) {
        return given_as(value, buf, size);
    }
    snprintf(buf, size, tr("a list of %zu"), json_array_size(value));
    return buf;
}

static bool
types_member(const json_t *value, struct event_types *ret)
{
    const size_t n = json_array_size(value);
    for (ret->n = 0; ret->n < n && n <= JB_EV_TYPES; ret->n++) {
        const struct jb_text name = text_of(json_array_get(value, ret->n));
        ret->at[ret->n] = name.s != NULL ? event_type_called(name.s, name.n) : 0;
        if (ret->at[ret->n] == 0) {
            return false;
        }
    }
    return n > 0 && n <= JB_EV_TYPES;
}

/* What the row's value must be, for a sentence. */
static const char *
wanted(const struct member_row *row, char *buf, size_t size)
{
    size_t n = 0;
    switch (row->kind) {
    case MEMBER_TEXT:
        return tr("a text");
    case MEMBER_NUMBER:
        snprintf(buf, size, tr("a whole number from %llu to %llu"), (unsigned long long)row->min,
                 (unsigned long long)row->max);
        return buf;
    case MEMBER_FLAG:
        return tr("true or false");
    case MEMBER_DAY:
        return tr("a day that exists, written like \"2026-10-31\"");
    case MEMBER_MONTH:
        return tr("a month, written like \"2026-03\"");
    case MEMBER_TYPES:
        return tr("a list of types of events, like [\"charge_settled\"]");
    case MEMBER_AS_OF:
        return tr("an event's number, a time like \"2026-10-31T09:00:00+09:00\", or a closed day "
                  "like \"2026-10-31\"");
    case MEMBER_OFFSET:
        return tr("an offset from UTC like \"+09:00\"");
    case MEMBER_OBJECT:
        return tr("an object");
    case MEMBER_AMOUNT:
        return tr("a whole number");
    case MEMBER_SET:
    case MEMBER_WORD:
        break;
    }
    const char *begin = row->kind == MEMBER_SET ? tr("a list of some of ") : tr("one of ");
    for (uint32_t i = 0; row->words[i] != NULL && n < size; i++) {
        n += (size_t)snprintf(buf + n, size - n, "%s%s", i == 0 ? begin : ", ", row->words[i]);
    }
    return buf;
}

static bool
member_read(const struct member_row *row, json_t *value, void *to)
{
    int64_t whole;
    switch (row->kind) {
    case MEMBER_TEXT:
        *(struct jb_text *)to = text_of(value);
        return json_is_string(value);
    case MEMBER_NUMBER:
        if (whole_of(value, &whole) != WHOLE || whole < 0 || (uint64_t)whole < row->min ||
            (uint64_t)whole > row->max) {
            return false;
        }
        *(uint64_t *)to = (uint64_t)whole;
        return true;
    case MEMBER_FLAG:
        *(uint8_t *)to = json_is_true(value);
        return json_is_boolean(value);
    case MEMBER_WORD:
        return word_member(row, text_of(value), to);
    case MEMBER_DAY:
        return json_is_string(value) &&
               jb_day_parse(json_string_value(value), json_string_length(value), to);
    case MEMBER_MONTH:
        return month_of(text_of(value), to);
    case MEMBER_TYPES:
        return types_member(value, to);
    case MEMBER_AS_OF:
        return as_of_member(value, to);
    case MEMBER_SET:
        return set_member(row, value, to);
    case MEMBER_AMOUNT:
        return amount_member(value, to);
    case MEMBER_OFFSET:
        return offset_member(text_of(value), to);
    case MEMBER_OBJECT:
        break;
    }
    *(json_t **)to = value;
    return json_is_object(value);
}

static _Thread_local const struct member_row *near_rows;
static _Thread_local size_t near_n;
static _Thread_local uint64_t near_takes;

static const char *
nth_member(unsigned i)
{
    for (size_t k = 0; k < near_n; k++) {
        if ((near_takes & MEMBER(k)) != 0 && i-- == 0) {
            return near_rows[k].name;
        }
    }
    return NULL;
}

static bool
no_member(const char *key, const char *what, struct bad_line *bad)
{
    const char *near = nearest_word(key, strlen(key), nth_member);
    return near != NULL ? wrong(bad, JB_CODE_MALFORMED, key, "%s takes no %.40s; do you mean %s?",
                                what, key, near)
                        : wrong(bad, JB_CODE_MALFORMED, key, "%s takes no %.40s", what, key);
}

bool
members_read(json_t *object, const struct member_row *rows, size_t n, uint64_t takes,
             const char *but, const char *what, void *to, uint64_t *ret_has, struct bad_line *bad)
{
    const char *key;
    json_t *value;
    *ret_has = 0;
    if (!json_is_object(object)) {
        return wrong(bad, JB_CODE_MALFORMED, NULL, "%s must be a JSON object", what);
    }
    json_object_foreach(object, key, value)
    {
        size_t i = 0;
        if (but != NULL && strcmp(key, but) == 0) {
            continue;
        }
        while (i < n && ((takes & MEMBER(i)) == 0 || strcmp(rows[i].name, key) != 0)) {
            i++;
        }
        if (i == n) {
            near_rows = rows;
            near_n = n;
            near_takes = takes;
            return no_member(key, what, bad);
        }
        char want[400], given[160];
        if (rows[i].kind == MEMBER_TYPES && no_type(value, bad)) {
            return false;
        }
        if (!member_read(&rows[i], value, (char *)to + rows[i].offset)) {
            return wrong(bad, JB_CODE_MALFORMED, key, "%s must be %s; not %s", key,
                         wanted(&rows[i], want, sizeof want),
                         rows[i].kind == MEMBER_TYPES ? types_given(value, given, sizeof given)
                                                      : given_as(value, given, sizeof given));
        }
        *ret_has |= MEMBER(i);
    }
    return true;
}

void
members_json(struct out *o, const char *key, const struct member_row *rows, size_t n)
{
    js_open(o, key, '[');
    for (size_t i = 0; i < n; i++) {
        const struct member_row *row = &rows[i];
        js_open(o, NULL, '{');
        js_str(o, "name", row->name);
        js_str(o, "kind", kind_words[row->kind]);
        if (row->kind == MEMBER_NUMBER) {
            js_uint(o, "min", row->min);
            js_uint(o, "max", row->max);
        }
        if (row->kind == MEMBER_WORD || row->kind == MEMBER_SET) {
            js_open(o, "words", '[');
            for (size_t k = 0; row->words[k] != NULL; k++) {
                js_str(o, NULL, row->words[k]);
            }
            js_close(o, ']');
        }
        js_close(o, '}');
    }
    js_close(o, ']');
}
