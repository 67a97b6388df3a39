#include "out.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
out_grow(struct out *o, size_t more)
{
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

#define DIGITS_MAX 20

/* Two digits at once; most figures have one. */
void
out_uint(struct out *o, uint64_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    if (value < 10) {
        out_char(o, (char)('0' + value));
        return;
    }
    char digits[2 * DIGITS_MAX];
    size_t n = DIGITS_MAX;
    if (!out_reserve(o, DIGITS_MAX)) {
        return;
    }
    for (; value >= 100; value /= 100) {
        n -= 2;
        memcpy(digits + n, pairs + 2 * (value % 100), 2);
    }
    if (value >= 10) {
        n -= 2;
        memcpy(digits + n, pairs + 2 * value, 2);
    } else {
        digits[--n] = (char)('0' + value);
    }
    /* More than there are: a copy whose length is known is quicker. */
    memcpy(o->at + o->n, digits + n, DIGITS_MAX);
    o->n += DIGITS_MAX - n;
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

void
out_day(struct out *o, jb_day d)
{
    if (o->day_n == 0 || o->day != d) {
        o->day_n = strlen(jb_day_print(d, o->day_text));
        o->day = d;
    }
    out_bytes(o, o->day_text, o->day_n);
}

void
out_instant(struct out *o, jb_instant t, int32_t utc_offset_s)
{
    if (o->instant_n == 0 || o->instant != t || o->utc_offset_s != utc_offset_s) {
        o->instant_n = strlen(jb_instant_print(t, utc_offset_s, o->instant_text));
        o->instant = t;
        o->utc_offset_s = utc_offset_s;
    }
    out_bytes(o, o->instant_text, o->instant_n);
}

void
out_quoted(struct out *o, const char *s, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    if (n > SIZE_MAX / 8 || !out_reserve(o, 6 * n + 2)) {
        o->no_memory = true;
        return;
    }
    char *at = o->at + o->n;
    *at++ = '"';
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            *at++ = (char)c;
        } else if (c == '"' || c == '\\') {
            *at++ = '\\';
            *at++ = (char)c;
        } else {
            memcpy(at, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
            at += 6;
        }
    }
    *at++ = '"';
    o->n = (size_t)(at - o->at);
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

/* A sentence of the library that is too long ends anywhere, also within a path. */
static bool
is_cut(const char *s)
{
    return strlen(s) + 8 > JB_ERROR_TEXT_BYTES;
}

/* The path that s begins with, of those; a directory's name may be how another's begins. cut: the
 * end of s may have lost its own. */
static const char *
hidden_at(const char *s, const char *const *hidden, bool cut)
{
    for (; hidden != NULL && *hidden != NULL; hidden++) {
        const size_t n = strlen(*hidden), left = strnlen(s, n);
        const bool alike = left > 0 && memcmp(s, *hidden, left) == 0;
        const bool folder = n > 0 && (*hidden)[n - 1] == '/';
        const char behind = alike ? s[left] : 'x';
        const bool name_goes_on = behind == '-' || behind == '_' || isalnum((unsigned char)behind);
        if (alike && (left == n ? folder || !name_goes_on : cut)) {
            return *hidden;
        }
    }
    return NULL;
}

bool
sentence_hides(const char *s, const char *const *hidden)
{
    const bool cut = is_cut(s);
    while (*s != '\0' && hidden_at(s, hidden, cut) == NULL) {
        s++;
    }
    return *s != '\0';
}

void
out_told(struct out *o, const char *s, const char *const *hidden)
{
    const bool cut = is_cut(s);
    for (size_t n = strlen(s); n > 0;) {
        const char *path = hidden_at(s, hidden, cut);
        size_t bytes = path != NULL ? strnlen(path, n) : character(s, n);
        if (path != NULL) {
            out_str(o, path[strlen(path) - 1] == '/' ? "" : "LEDGER");
        } else if (bytes > 0) {
            out_bytes(o, s, bytes);
        } else {
            out_str(o, "\xef\xbf\xbd");
            bytes = 1;
        }
        s += bytes;
        n -= bytes;
    }
}

void
js_sentence(struct out *o, const char *key, const char *s)
{
    if (s == NULL || (jb_utf8_valid(s, strlen(s), NULL) && !sentence_hides(s, o->hidden))) {
        js_str(o, key, s);
        return;
    }
    struct out whole = {0};
    out_told(&whole, s, o->hidden);
    o->no_memory |= whole.no_memory;
    js_text(o, key, (struct jb_text){whole.at, whole.n});
    free(whole.at);
}

void
js_number(struct out *o, const char *key, const char *number)
{
    js_member(o, key);
    out_str(o, number);
}

void
js_wide(struct out *o, const char *key, const uint8_t be[16])
{
    __extension__ unsigned __int128 value = 0;
    for (int i = 0; i < 16; i++) {
        value = (value << 8) | be[i];
    }
    js_member(o, key);
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
    js_member(o, key);
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
    if (d == JB_NO_DAY) {
        js_null(o, key);
        return;
    }
    js_member(o, key);
    out_char(o, '"');
    out_day(o, d);
    out_char(o, '"');
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
    if (t == JB_NO_INSTANT) {
        js_null(o, key);
        return;
    }
    js_member(o, key);
    out_char(o, '"');
    out_instant(o, t, utc_offset_s);
    out_char(o, '"');
}

void
js_open(struct out *o, const char *key, char bracket)
{
    js_member(o, key);
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
