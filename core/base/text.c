#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* Reads one code point of well-formed UTF-8. 0 bytes: it is not. */
static size_t
next_codepoint(const unsigned char *s, size_t n, uint32_t *ret)
{
    if (s[0] < 0x80) {
        *ret = s[0];
        return 1;
    }
    size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    /* Least value of each length: anything below is an overlong form. */
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (s[0] < 0xc2 || s[0] > 0xf4 || n < length) {
        return 0;
    }
    uint32_t c = s[0] & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = (c << 6) | (s[i] & 0x3fU);
    }
    if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return 0;
    }
    *ret = c;
    return length;
}

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define HIGH_BITS (0x80 * EACH_BYTE)

/* 0 where all eight bytes are ASCII that shows something: from 0x21 to 0x7e. */
static inline uint64_t
not_plain(uint64_t eight)
{
    return (eight | (eight + EACH_BYTE) | ~((eight | HIGH_BITS) - 0x21 * EACH_BYTE)) & HIGH_BITS;
}

static inline uint64_t
eight_at(const char *s)
{
    uint64_t eight;
    memcpy(&eight, s, sizeof eight);
    return eight;
}

/* The bytes of 1 to 7, some of them twice. */
static inline uint64_t
few_at(const char *s, size_t n)
{
    uint32_t first, last;
    if (n < sizeof first) {
        return (uint64_t)(unsigned char)s[0] | (uint64_t)(unsigned char)s[n / 2] << 8 |
               (uint64_t)(unsigned char)s[n - 1] << 16;
    }
    memcpy(&first, s, sizeof first);
    memcpy(&last, s + n - sizeof last, sizeof last);
    return (uint64_t)first << 32 | last;
}

/* All of it is such ASCII, as nearly all ids are. A rest is looked at with some of what is before
 * it. False where it is shorter than four bytes, too. */
static inline bool
is_plain(struct jb_text t)
{
    if (t.n >= 8) {
        uint64_t wrong = not_plain(eight_at(t.s + t.n - 8));
        for (size_t i = 0; i + 8 < t.n; i += 8) {
            wrong |= not_plain(eight_at(t.s + i));
        }
        return wrong == 0;
    }
    return t.n >= 4 && not_plain(few_at(t.s, t.n)) == 0;
}

bool
jb_utf8_valid(const char *s, size_t n, size_t *ret_codepoints)
{
    size_t count = 0;
    if (s == NULL && n > 0) {
        return false;
    }
    for (size_t i = 0; i < n; count++) {
        /* Eight bytes of ASCII at once: most texts are. */
        uint64_t eight;
        while (n - i >= sizeof eight) {
            memcpy(&eight, s + i, sizeof eight);
            if ((eight & HIGH_BITS) != 0) {
                break;
            }
            i += sizeof eight;
            count += sizeof eight;
        }
        if (i == n) {
            break;
        }
        if (n - i < sizeof eight && (few_at(s + i, n - i) & HIGH_BITS) == 0) {
            count += n - i;
            break;
        }
        uint32_t c;
        size_t length = next_codepoint((const unsigned char *)s + i, n - i, &c);
        if (length == 0) {
            return false;
        }
        i += length;
    }
    if (ret_codepoints != NULL) {
        *ret_codepoints = count;
    }
    return true;
}

size_t
jb_utf8_whole(const char *s, size_t n)
{
    size_t start = n;
    uint32_t c;
    while (start > 0 && n - start < 4 && (s[start - 1] & 0xc0) == 0x80) {
        start--;
    }
    start -= start > 0;
    return n == 0 || next_codepoint((const unsigned char *)s + start, n - start, &c) == n - start
               ? n
               : start;
}

static bool
is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029;
}

/* Unicode's White_Space, and what is invisible and so confuses two ids: zero-width characters and
 * the byte order mark. */
static bool
is_space(uint32_t c)
{
    return c == 0x20 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200f) || c == 0x202f ||
           c == 0x205f || c == 0x3000 || c == 0x2060 || c == 0xfeff;
}

static bool
id_holds(struct jb_text t)
{
    for (size_t i = 0; i < t.n;) {
        uint32_t c;
        size_t length = next_codepoint((const unsigned char *)t.s + i, t.n - i, &c);
        if (length == 0 || is_control(c) || is_space(c)) {
            return false;
        }
        i += length;
    }
    return true;
}

bool
jb_id_valid(struct jb_text t, size_t max)
{
    return t.s != NULL && t.n >= 1 && t.n <= max && (is_plain(t) || id_holds(t));
}

bool
jb_prose_valid(struct jb_text t, size_t codepoints_max, bool line_breaks)
{
    size_t count = 0;
    /* What is longer than so many characters can be is not read: its length may be nonsense. */
    if (t.s == NULL || t.n == 0 || t.n > 4 * codepoints_max) {
        return false;
    }
    for (size_t i = 0; i < t.n; count++) {
        uint32_t c;
        size_t length = next_codepoint((const unsigned char *)t.s + i, t.n - i, &c);
        if (length == 0 || c == 0 ||
            (is_control(c) && !(line_breaks && (c == '\n' || c == '\t' || c == '\r')))) {
            return false;
        }
        i += length;
    }
    return count <= codepoints_max;
}

static bool
is_ascii(struct jb_text t)
{
    for (size_t i = 0; i < t.n; i++) {
        if ((unsigned char)t.s[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/* Shows nothing by itself, or changes how its neighbours are laid out. */
static bool
is_invisible(uint32_t c)
{
    const utf8proc_property_t *p = utf8proc_get_property((utf8proc_int32_t)c);
    bool noncharacter = (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
    return p->category == UTF8PROC_CATEGORY_CF || p->ignorable || noncharacter;
}

/* Zero-width (non-)joiners and variation selectors: emoji and several scripts need them. */
static bool
is_joining(uint32_t c)
{
    return c == 0x200c || c == 0x200d || (c >= 0xfe00 && c <= 0xfe0f);
}

bool
jb_id_visible(struct jb_text t)
{
    if (is_plain(t) || is_ascii(t)) {
        return true;
    }
    for (size_t i = 0; i < t.n;) {
        uint32_t c;
        size_t length = next_codepoint((const unsigned char *)t.s + i, t.n - i, &c);
        if (length == 0 || is_invisible(c)) {
            return false;
        }
        i += length;
    }
    return true;
}

bool
jb_prose_visible(struct jb_text t)
{
    bool seen = false;
    for (size_t i = 0; i < t.n;) {
        uint32_t c;
        size_t length = next_codepoint((const unsigned char *)t.s + i, t.n - i, &c);
        if (length == 0 || (is_invisible(c) && !is_joining(c))) {
            return false;
        }
        seen |= !is_space(c) && !is_control(c) && !is_joining(c);
        i += length;
    }
    return seen;
}

size_t
jb_graphemes(struct jb_text t)
{
    size_t count = 0;
    uint32_t before = 0;
    utf8proc_int32_t state = 0;
    for (size_t i = 0; i < t.n;) {
        uint32_t c;
        size_t length = next_codepoint((const unsigned char *)t.s + i, t.n - i, &c);
        if (length == 0) {
            break;
        }
        count += i == 0 || utf8proc_grapheme_break_stateful((utf8proc_int32_t)before,
                                                            (utf8proc_int32_t)c, &state);
        before = c;
        i += length;
    }
    return count;
}

jb_status
jb_text_nfc(struct jb_text t, struct jb_text *ret, char **ret_owned)
{
    *ret = t;
    *ret_owned = NULL;
    if (is_ascii(t)) {
        return JB_OK;
    }
    utf8proc_uint8_t *to = NULL;
    utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)t.s, (utf8proc_ssize_t)t.n, &to,
                                      UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (n < 0) {
        return n == UTF8PROC_ERROR_NOMEM ? JB_E_NOMEM : JB_OK;
    }
    *ret_owned = (char *)to;
    *ret = (struct jb_text){(const char *)to, (size_t)n};
    return JB_OK;
}

/* Code points that are none of a search id are more than this only after NFC of something else. */
#define SEARCH_ID_DECOMPOSED_MAX 64

size_t
jb_search_id_nfc(struct jb_text t, char ret[JB_SEARCH_ID_BYTES_MAX])
{
    utf8proc_int32_t points[SEARCH_ID_DECOMPOSED_MAX];
    const utf8proc_option_t nfc = (utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (t.n == 0 || t.n > 4 * SEARCH_ID_DECOMPOSED_MAX) {
        return 0;
    }
    utf8proc_ssize_t n = utf8proc_decompose((const utf8proc_uint8_t *)t.s, (utf8proc_ssize_t)t.n,
                                            points, SEARCH_ID_DECOMPOSED_MAX, nfc);
    if (n <= 0 || n > SEARCH_ID_DECOMPOSED_MAX) {
        return 0;
    }
    n = utf8proc_normalize_utf32(points, n, nfc);
    if (n <= 0 || n > JB_SEARCH_ID_CODEPOINTS_MAX) {
        return 0;
    }
    size_t bytes = 0;
    for (utf8proc_ssize_t i = 0; i < n; i++) {
        utf8proc_int32_t p = points[i];
        if ((p < 'a' || p > 'z') && (p < '0' || p > '9') && p != '-' && p != '_' &&
            (p < 0xAC00 || p > 0xD7A3)) {
            return 0;
        }
        bytes += (size_t)utf8proc_encode_char(p, (utf8proc_uint8_t *)ret + bytes);
    }
    return bytes;
}
