#include "exchange.h"

#include <stdlib.h>
#include <string.h>

void
exchange_answer(struct exchange *x, int status, const char *type)
{
    x->answer.status = status;
    x->answer.type = type;
    x->answer.whole = (struct jb_text){NULL, 0};
}

/* ---- the target ---- */

static int
hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* How many bytes the character at s has, of n that are there; 0: it is no UTF-8. */
static size_t
character(const unsigned char *s, size_t n)
{
    if (s[0] < 0x80) {
        return s[0] != 0 ? 1 : 0;
    }
    const size_t length = s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF5 ? 4 : 0;
    if (length == 0 || length > n) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    const bool overlong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
    const bool beyond = (s[0] == 0xED && s[1] > 0x9F) || (s[0] == 0xF4 && s[1] > 0x8F);
    return overlong || beyond ? 0 : length;
}

static bool
text_is_sound(const char *s, size_t n)
{
    for (size_t at = 0; at < n;) {
        const size_t length = character((const unsigned char *)s + at, n - at);
        if (length == 0) {
            return false;
        }
        at += length;
    }
    return true;
}

struct jb_text
exchange_decode(struct exchange *x, struct jb_text s, bool plus_is_space)
{
    char *to = x->room.at + x->room.n;
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (x->room.n + n >= x->room.cap) {
            return (struct jb_text){NULL, 0};
        }
        char c = s.s[i];
        if (c == '%') {
            const int high = i + 2 < s.n ? hex(s.s[i + 1]) : -1;
            const int low = i + 2 < s.n ? hex(s.s[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return (struct jb_text){NULL, 0};
            }
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        to[n++] = c;
    }
    if (!text_is_sound(to, n)) {
        return (struct jb_text){NULL, 0};
    }
    x->room.n += n;
    return (struct jb_text){to, n};
}

#define QUERY_MAX 64

/* One `name=value`. */
static bool
pair_read(struct exchange *x, const char *s, size_t n, bool plus_is_space)
{
    const char *equals = n > 0 ? memchr(s, '=', n) : NULL;
    const size_t name_n = equals != NULL ? (size_t)(equals - s) : n;
    struct exchange_pair *p = &x->query[x->query_n];
    p->name = exchange_decode(x, (struct jb_text){s, name_n}, plus_is_space);
    p->value = exchange_decode(
        x, (struct jb_text){equals != NULL ? equals + 1 : s, equals != NULL ? n - name_n - 1 : 0},
        plus_is_space);
    x->query_n++;
    return p->name.s != NULL && p->value.s != NULL;
}

bool
exchange_read_query(struct exchange *x, struct jb_text raw, bool plus_is_space)
{
    size_t pairs = 1;
    for (size_t i = 0; i < raw.n; i++) {
        pairs += raw.s[i] == '&' ? 1 : 0;
    }
    if (raw.n == 0) {
        return true;
    }
    x->query = pairs <= QUERY_MAX ? calloc(pairs, sizeof *x->query) : NULL;
    for (size_t at = 0; x->query != NULL && at < raw.n;) {
        const char *end = memchr(raw.s + at, '&', raw.n - at);
        const size_t n = end != NULL ? (size_t)(end - (raw.s + at)) : raw.n - at;
        if (n > 0 && !pair_read(x, raw.s + at, n, plus_is_space)) {
            return false;
        }
        at += n + 1;
    }
    return x->query != NULL;
}

struct jb_text
exchange_query(const struct exchange *x, const char *name)
{
    const size_t n = strlen(name);
    for (size_t i = 0; i < x->query_n; i++) {
        if (x->query[i].name.n == n && memcmp(x->query[i].name.s, name, n) == 0) {
            return x->query[i].value;
        }
    }
    return (struct jb_text){NULL, 0};
}

void
exchange_query_each(const struct exchange *x,
                    bool (*each)(void *data, struct jb_text name, struct jb_text value), void *data)
{
    for (size_t i = 0; i < x->query_n; i++) {
        if (!each(data, x->query[i].name, x->query[i].value)) {
            return;
        }
    }
}

/* ---- Accept-Language ---- */

/* The weight that stands in the parameters behind a range, in thousandths. */
static int
weight(const char *s, size_t n)
{
    size_t i = 0;
    while (i + 1 < n && !((s[i] == 'q' || s[i] == 'Q') && s[i + 1] == '=')) {
        i++;
    }
    if (i + 2 >= n) {
        return 1000;
    }
    i += 2;
    int value = s[i] == '1' ? 1000 : 0;
    int part = 100;
    for (i += 2; i < n && s[i] >= '0' && s[i] <= '9' && value < 1000; i++) {
        value += (s[i] - '0') * part;
        part /= 10;
    }
    return value;
}

static bool
names(const char *s, size_t n, const char *language)
{
    return n >= 2 && (s[0] | 0x20) == language[0] && (s[1] | 0x20) == language[1] &&
           (n == 2 || s[2] == '-');
}

jb_lang
exchange_language(struct jb_text accept, jb_lang other)
{
    jb_lang best = other;
    int best_weight = 0;
    for (size_t at = 0; at < accept.n;) {
        const char *s = accept.s + at;
        const char *comma = memchr(s, ',', accept.n - at);
        size_t n = comma != NULL ? (size_t)(comma - s) : accept.n - at;
        at += n + 1;
        while (n > 0 && (*s == ' ' || *s == '\t')) {
            s++;
            n--;
        }
        const char *semicolon = memchr(s, ';', n);
        size_t range = semicolon != NULL ? (size_t)(semicolon - s) : n;
        while (range > 0 && (s[range - 1] == ' ' || s[range - 1] == '\t')) {
            range--;
        }
        const bool korean = names(s, range, "ko");
        if (!korean && !names(s, range, "en")) {
            continue;
        }
        const int w = weight(s + range, n - range);
        if (w > best_weight) {
            best_weight = w;
            best = korean ? JB_LANG_KO : JB_LANG_EN;
        }
    }
    return best;
}
