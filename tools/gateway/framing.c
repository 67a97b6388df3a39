/*
 * The head of a request, looked at once more. libmicrohttpd takes more than one Content-Length, one
 * beside a Transfer-Encoding, any word as a Transfer-Encoding, lines that end with a bare LF,
 * values that go on in the next line, and blanks before a colon. Each of them is read in another
 * way by some proxy, which is how a request hides in the body of another.
 *
 * It leaves names and values where they came in, and puts NULs in the place of colons and line
 * ends: from where they lie one sees what stood between them. Only a NUL that was sent in the place
 * of a CR, or at the beginning of the last line, looks like one of those.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "request.h"

static bool
token(struct jb_text s)
{
    for (size_t i = 0; i < s.n; i++) {
        const unsigned char c = (unsigned char)s.s[i];
        if (c >= 0x80 || (isalnum(c) == 0 && strchr("!#$%&'*+-.^_`|~", c) == NULL) || c == 0) {
            return false;
        }
    }
    return s.n > 0;
}

static bool
printable(struct jb_text s)
{
    for (size_t i = 0; i < s.n; i++) {
        const unsigned char c = (unsigned char)s.s[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F) {
            return false;
        }
    }
    return true;
}

static bool
is(struct jb_text s, const char *word)
{
    return s.n == strlen(word) && strncasecmp(s.s, word, s.n) == 0;
}

/* Between a name and its value there is a colon, and nothing but blanks. */
static bool
beside(struct jb_text name, struct jb_text value)
{
    const char *s = name.s + name.n + 1;
    if (value.s < s) {
        return false;
    }
    for (; s < value.s; s++) {
        if (*s != ' ' && *s != '\t') {
            return false;
        }
    }
    return true;
}

void
framing_begin(struct framing *f, const char *first)
{
    *f = (struct framing){.at = first};
}

void
framing_header(struct framing *f, struct jb_text name, struct jb_text value)
{
    if (f->bad != NULL) {
        return;
    }
    if (name.s != f->at || !token(name) || value.s == NULL || !beside(name, value) ||
        !printable(value)) {
        f->bad = "header";
        return;
    }
    f->at = value.s + value.n + 2;
    f->hosts += is(name, "Host") ? 1 : 0;
    f->lengths += is(name, "Content-Length") ? 1 : 0;
    if (is(name, "Transfer-Encoding")) {
        f->encodings++;
        f->chunked = is(value, "chunked");
    }
}

const char *
framing_end(struct framing *f, const char *end, bool http_1_1)
{
    if (f->bad != NULL) {
        return f->bad;
    }
    if (f->at + 2 != end || end[-2] != '\0' || end[-1] != '\0') {
        return "header";
    }
    if (f->hosts > 1 || (http_1_1 && f->hosts == 0)) {
        return "Host";
    }
    if (f->lengths > 1) {
        return "Content-Length";
    }
    if (f->encodings > 1 || (f->encodings == 1 && (!f->chunked || f->lengths > 0 || !http_1_1))) {
        return "Transfer-Encoding";
    }
    return NULL;
}
