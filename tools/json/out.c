#include "out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* False: there is no memory. Nothing is written any more, and what there is is not the whole. */
static bool
reserve(struct out *o, size_t more)
{
    if (o->no_memory || o->cap - o->n >= more) {
        return !o->no_memory;
    }
    size_t cap = o->cap == 0 ? 4096 : o->cap;
    while (cap - o->n < more && cap <= SIZE_MAX / 2) {
        cap *= 2;
    }
    char *at = cap - o->n >= more ? realloc(o->at, cap) : NULL;
    if (at == NULL) {
        o->no_memory = true;
        return false;
    }
    o->at = at;
    o->cap = cap;
    return true;
}

void
out_bytes(struct out *o, const char *s, size_t n)
{
    if (n > 0 && reserve(o, n)) {
        memcpy(o->at + o->n, s, n);
        o->n += n;
    }
}

void
out_str(struct out *o, const char *s)
{
    out_bytes(o, s, strlen(s));
}

void
out_char(struct out *o, char c)
{
    if (reserve(o, 1)) {
        o->at[o->n++] = c;
    }
}

void
out_uint(struct out *o, uint64_t value)
{
    char digits[24];
    size_t n = sizeof digits;
    do {
        digits[--n] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    out_bytes(o, digits + n, sizeof digits - n);
}

void
out_int(struct out *o, int64_t value)
{
    if (value < 0) {
        out_char(o, '-');
        out_uint(o, (uint64_t)0 - (uint64_t)value);
    } else {
        out_uint(o, (uint64_t)value);
    }
}

static void
quoted(struct out *o, const char *s, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    out_char(o, '"');
    size_t plain = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            continue;
        }
        out_bytes(o, s + plain, i - plain);
        plain = i + 1;
        if (c == '"' || c == '\\') {
            out_char(o, '\\');
            out_char(o, (char)c);
        } else {
            char u[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
            out_bytes(o, u, 6);
        }
    }
    out_bytes(o, s + plain, n - plain);
    out_char(o, '"');
}

/* Keys are words of ours: there is nothing in them to escape. */
static void
member(struct out *o, const char *key)
{
    const size_t n = key != NULL ? strlen(key) : 0;
    if (!reserve(o, n + 4)) {
        return;
    }
    char *at = o->at + o->n;
    if (!o->first) {
        *at++ = ',';
    }
    if (key != NULL) {
        *at++ = '"';
        memcpy(at, key, n);
        at += n;
        *at++ = '"';
        *at++ = ':';
    }
    o->first = false;
    o->n = (size_t)(at - o->at);
}

/* Days and times: likewise. */
static void
plain(struct out *o, const char *key, const char *s)
{
    member(o, key);
    out_char(o, '"');
    out_str(o, s);
    out_char(o, '"');
}

void
js_text(struct out *o, const char *key, struct jb_text t)
{
    member(o, key);
    quoted(o, t.s != NULL ? t.s : "", t.n);
}

void
js_str(struct out *o, const char *key, const char *s)
{
    if (s == NULL) {
        js_null(o, key);
        return;
    }
    js_text(o, key, (struct jb_text){s, strlen(s)});
}

/* Bytes of the character that s begins with; 0: there is none. */
static size_t
character(const char *s, size_t n)
{
    for (size_t bytes = 1; bytes <= 4 && bytes <= n; bytes++) {
        if (jb_utf8_valid(s, bytes, NULL)) {
            return bytes;
        }
    }
    return 0;
}

void
js_sentence(struct out *o, const char *key, const char *s)
{
    const size_t n = s != NULL ? strlen(s) : 0;
    if (s == NULL || jb_utf8_valid(s, n, NULL)) {
        js_str(o, key, s);
        return;
    }
    /* Each broken byte becomes one replacement character, three bytes long. */
    struct out whole = {0};
    for (size_t i = 0; i < n;) {
        size_t bytes = character(s + i, n - i);
        out_bytes(&whole, bytes > 0 ? s + i : "\xef\xbf\xbd", bytes > 0 ? bytes : 3);
        i += bytes > 0 ? bytes : 1;
    }
    o->no_memory |= whole.no_memory;
    js_text(o, key, (struct jb_text){whole.at, whole.n});
    free(whole.at);
}

void
js_int(struct out *o, const char *key, int64_t value)
{
    member(o, key);
    out_int(o, value);
}

void
js_number(struct out *o, const char *key, const char *number)
{
    member(o, key);
    out_str(o, number);
}

void
js_uint(struct out *o, const char *key, uint64_t value)
{
    member(o, key);
    out_uint(o, value);
}

void
js_bool(struct out *o, const char *key, bool value)
{
    member(o, key);
    out_str(o, value ? "true" : "false");
}

void
js_null(struct out *o, const char *key)
{
    member(o, key);
    out_str(o, "null");
}

void
js_wide(struct out *o, const char *key, const uint8_t be[16])
{
    __extension__ unsigned __int128 value = 0;
    for (int i = 0; i < 16; i++) {
        value = (value << 8) | be[i];
    }
    member(o, key);
    if (be[0] & 0x80) {
        value = 0 - value;
        out_char(o, '-');
    }
    char digits[40];
    size_t n = sizeof digits;
    do {
        digits[--n] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value != 0);
    out_bytes(o, digits + n, sizeof digits - n);
}

void
js_hex(struct out *o, const char *key, const uint8_t *bytes, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    member(o, key);
    out_char(o, '"');
    for (size_t i = 0; i < n; i++) {
        out_char(o, hex[bytes[i] >> 4]);
        out_char(o, hex[bytes[i] & 15]);
    }
    out_char(o, '"');
}

void
js_day(struct out *o, const char *key, jb_day d)
{
    char text[JB_DAY_TEXT_BYTES];
    if (d == JB_NO_DAY) {
        js_null(o, key);
    } else {
        plain(o, key, jb_day_print(d, text));
    }
}

void
js_month(struct out *o, const char *key, uint32_t month)
{
    char text[24];
    snprintf(text, sizeof text, "%04u-%02u", month / 100, month % 100);
    js_str(o, key, month == 0 ? NULL : text);
}

void
js_instant(struct out *o, const char *key, jb_instant t, int32_t utc_offset_s)
{
    char text[JB_INSTANT_TEXT_BYTES];
    if (t == JB_NO_INSTANT) {
        js_null(o, key);
    } else {
        plain(o, key, jb_instant_print(t, utc_offset_s, text));
    }
}

void
js_open(struct out *o, const char *key, char bracket)
{
    member(o, key);
    out_char(o, bracket);
    o->first = true;
}

void
js_close(struct out *o, char bracket)
{
    out_char(o, bracket);
    o->first = false;
}

void
js_line_end(struct out *o)
{
    out_char(o, '\n');
    o->first = true;
}
