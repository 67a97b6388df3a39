/*
 * Any bytes as what the daemon reads itself. A file of settings: it is read, or a sentence names
 * its line. A target: what is decoded is UTF-8 without NUL, and has room. A head, taken apart as
 * libmicrohttpd does it: one that framing.c finds sound is sound byte by byte. A header
 * Accept-Language: one of two languages.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#include "base/error.h"
#include "config.h"
#include "exchange.h"
#include "request.h"
#include "route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

const struct route routes[] = {
    {.method = METHOD_GET, .path = "/v1/wallets"},
    {.method = METHOD_GET, .path = "/v1/wallets/{wallet}"},
    {.method = METHOD_GET, .path = "/v1/wallets/{wallet}/history"},
    {.method = METHOD_POST, .path = "/v1/{a}/{b}/{c}"},
    {.method = METHOD_POST, .path = "/"},
};
const size_t routes_n = sizeof routes / sizeof routes[0];

/* A copy of exactly n bytes: a sanitizer sees who reads behind them. */
static char *
copy(const char *s, size_t n)
{
    char *at = malloc(n > 0 ? n : 1);
    JB_ASSERT(at != NULL);
    memcpy(at, s, n);
    return at;
}

static void
as_settings(const char *s, size_t n)
{
    static struct config c;
    char bad[2048] = "";
    char *text = copy(s, n);
    config_init(&c);
    JB_ASSERT(c.body_bytes == 65536 && c.head_us == 10000000 && strcmp(c.ops_listen, "none") == 0);
    if (config_read(&c, "file", text, n, bad, sizeof bad)) {
        JB_ASSERT(bad[0] == '\0' && c.connections >= 1 && c.body_bytes >= 1024 && c.lang <= 1);
        JB_ASSERT(memchr(c.ledger, '\0', sizeof c.ledger) != NULL);
    } else {
        JB_ASSERT(strncmp(bad, "file:", 5) == 0 && strlen(bad) > 8);
    }
    free(text);
}

static bool
is_utf8(const char *s, size_t n)
{
    utf8proc_int32_t c;
    for (size_t at = 0; at < n;) {
        const utf8proc_ssize_t length =
            utf8proc_iterate((const utf8proc_uint8_t *)s + at, (utf8proc_ssize_t)(n - at), &c);
        if (length <= 0) {
            return false;
        }
        at += (size_t)length;
    }
    return true;
}

static void
decoded(const struct exchange *x, struct jb_text t)
{
    if (t.s != NULL) {
        JB_ASSERT(t.s >= x->room.at && t.s + t.n <= x->room.at + x->room.cap);
        JB_ASSERT(t.n == 0 || (memchr(t.s, '\0', t.n) == NULL && is_utf8(t.s, t.n)));
    }
}

static void
as_target(const char *s, size_t n)
{
    struct exchange x = {.id = 0};
    unsigned methods;
    bool bad = false;
    char *text = copy(s, n);
    const char *mark = n > 0 ? memchr(text, '?', n) : NULL;
    const struct jb_text path = {text, mark != NULL ? (size_t)(mark - text) : n};
    const struct jb_text query = {mark != NULL ? mark + 1 : text,
                                  mark != NULL ? n - path.n - 1 : 0};
    x.room.at = copy(s, n);
    x.room.cap = n;
    const struct route *r =
        route_find(&x, n % 2 == 0 ? METHOD_GET : METHOD_POST, path, &methods, &bad);
    JB_ASSERT(r == NULL || r->method == (n % 2 == 0 ? METHOD_GET : METHOD_POST));
    JB_ASSERT(r == NULL || (methods >> r->method & 1) != 0);
    const bool read = exchange_read_query(&x, query, n % 3 == 0);
    for (size_t i = 0; r != NULL && !bad && i < EXCHANGE_PARAMS; i++) {
        decoded(&x, x.params[i]);
    }
    for (size_t i = 0; read && i < x.query_n; i++) {
        decoded(&x, x.query[i].name);
        decoded(&x, x.query[i].value);
        JB_ASSERT(x.query[i].name.s != NULL && x.query[i].value.s != NULL);
    }
    JB_ASSERT(x.room.n <= x.room.cap);
    free(x.query);
    free(x.room.at);
    free(text);
}

/* ---- a head ---- */

/* The line at *at, whose end becomes NULs: CR LF or LF. NULL: there is no end. */
static char *
line_of(char *s, size_t n, size_t *at)
{
    for (size_t i = *at; i < n; i++) {
        if (s[i] == '\n') {
            char *line = s + *at;
            s[i] = '\0';
            if (i > *at && s[i - 1] == '\r') {
                s[i - 1] = '\0';
            }
            *at = i + 1;
            return line;
        }
    }
    return NULL;
}

struct last {
    char *line, *value;
    bool moved; /* it was put together elsewhere */
};

static void
last_ends(struct last *last, struct framing *f)
{
    if (last->line != NULL) {
        framing_header(f, (struct jb_text){last->line, strlen(last->line)},
                       (struct jb_text){last->value, strlen(last->value)});
    }
    if (last->moved) {
        free(last->line);
    }
    *last = (struct last){NULL, NULL, false};
}

/* A line that begins with a blank goes on behind the NUL of the name, as it does there. */
static void
goes_on(struct last *last, const char *more)
{
    if (last->line == NULL) {
        return;
    }
    more += strspn(more, " \t");
    const size_t name = strlen(last->line);
    char *joined = malloc(name + strlen(more) + 1);
    JB_ASSERT(joined != NULL);
    memcpy(joined, last->line, name);
    memcpy(joined + name, more, strlen(more) + 1);
    char *value = last->value;
    if (last->moved) {
        free(last->line);
    }
    *last = (struct last){joined, value, true};
}

/* False: it would have been refused there. */
static bool
taken_apart(char *s, size_t n, struct framing *f, size_t *end)
{
    struct last last = {NULL, NULL, false};
    size_t at = 0;
    framing_begin(f, s);
    for (char *line = line_of(s, n, &at); line != NULL; line = line_of(s, n, &at)) {
        if ((line[0] == ' ' || line[0] == '\t') && last.line != NULL) {
            goes_on(&last, line);
            continue;
        }
        last_ends(&last, f);
        if (line[0] == '\0') {
            *end = at;
            return true;
        }
        char *colon = strchr(line, ':');
        if (colon == NULL) {
            return false;
        }
        *colon = '\0';
        last = (struct last){line, colon + 1 + strspn(colon + 1, " \t"), false};
    }
    last_ends(&last, f);
    return false;
}

/* One header line, as RFC 9112 has it. */
static bool
line_sound(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n &&
           (isalnum((unsigned char)s[i]) ||
            (s[i] != '\0' && strchr("!#$%&'*+-.^_`|~", s[i]) != NULL)) &&
           (unsigned char)s[i] < 0x80) {
        i++;
    }
    bool sound = i > 0 && i < n && s[i] == ':';
    for (; i < n && sound; i++) {
        const unsigned char c = (unsigned char)s[i];
        sound = (c >= 0x20 && c != 0x7F) || c == '\t';
    }
    return sound;
}

struct counts {
    unsigned hosts, lengths, encodings;
};

static bool
named(const char *s, size_t n, const char *name)
{
    return n > strlen(name) && strncasecmp(s, name, strlen(name)) == 0 && s[strlen(name)] == ':';
}

static bool
head_sound(const char *s, size_t n, struct counts *c)
{
    size_t at = 0;
    while (at + 2 < n) {
        const char *end = memmem(s + at, n - at, "\r\n", 2);
        if (end == NULL || !line_sound(s + at, (size_t)(end - (s + at)))) {
            return false;
        }
        const size_t length = (size_t)(end - (s + at));
        c->hosts += named(s + at, length, "Host") ? 1 : 0;
        c->lengths += named(s + at, length, "Content-Length") ? 1 : 0;
        c->encodings += named(s + at, length, "Transfer-Encoding") ? 1 : 0;
        at += length + 2;
    }
    return at + 2 == n && memcmp(s + at, "\r\n", 2) == 0;
}

static void
as_head(const char *s, size_t n)
{
    struct framing f;
    struct counts c = {0, 0, 0};
    size_t end = 0;
    char *text = copy(s, n);
    if (taken_apart(text, n, &f, &end)) {
        const bool sound = framing_end(&f, text + end, true) == NULL;
        const bool is = head_sound(s, end, &c);
        const bool framed =
            c.hosts == 1 && c.lengths <= 1 && c.encodings <= 1 && c.lengths + c.encodings <= 1;
        /* What framing.c says that it cannot see. */
        const bool unseen = memchr(s, '\0', end) != NULL;
        JB_ASSERT(!sound || unseen || (is && framed));
        /* And none is refused that is. */
        JB_ASSERT(sound || !is || !framed || c.encodings == 1);
    }
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0) {
        return 0;
    }
    const char *s = (const char *)data + 1;
    n--;
    switch (data[0] % 4) {
    case 0:
        as_settings(s, n);
        break;
    case 1:
        as_target(s, n);
        break;
    case 2:
        as_head(s, n);
        break;
    default: {
        char *text = copy(s, n);
        const jb_lang lang = exchange_language((struct jb_text){text, n}, JB_LANG_EN);
        JB_ASSERT(lang == JB_LANG_EN || lang == JB_LANG_KO);
        free(text);
    }
    }
    return 0;
}
