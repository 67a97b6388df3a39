/* What came: the request line, the route that it names, and the size of its body. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "config.h"
#include "http_inner.h"
#include "route.h"

void
refuse(struct request *r, enum gateway_code code, const char *detail)
{
    r->refused = true;
    problem(&r->x, code, detail);
}

/* The request line is method, blank, target, blank, version, and there is no more to it than what
 * libmicrohttpd gives: it ends texts at a NUL, and skips blanks. */
bool
request_line(const struct request *r, const char *method, const char *version)
{
    for (size_t i = 0; i < r->target_n; i++) {
        const unsigned char c = (unsigned char)r->target[i];
        if (c <= ' ' || c == 0x7F) {
            return false;
        }
    }
    return r->target_n > 0 && version == method + strlen(method) + 2 + r->target_n;
}

bool
length_is_bad(const struct request *r)
{
    const struct jb_text length = exchange_header(&r->x, "Content-Length");
    if (length.s == NULL || exchange_header(&r->x, "Transfer-Encoding").s != NULL) {
        return false;
    }
    uint64_t n = 0;
    bool digits = length.n > 0;
    for (size_t i = 0; i < length.n && digits; i++) {
        digits = length.s[i] >= '0' && length.s[i] <= '9' && !__builtin_mul_overflow(n, 10, &n) &&
                 !__builtin_add_overflow(n, (uint64_t)(length.s[i] - '0'), &n);
    }
    return !digits;
}

/* Path and query of the target. */
static void
split(struct request *r, struct jb_text *path, struct jb_text *query)
{
    const char *s = r->target;
    size_t n = r->target_n;
    /* A proxy's form, of which only the path matters. */
    if (strncasecmp(s, "http://", 7) == 0 || strncasecmp(s, "https://", 8) == 0) {
        const char *host = strstr(s, "//") + 2;
        const char *end = strpbrk(host, "/?");
        const char *slash = end != NULL && *end == '/' ? end : NULL;
        n = slash != NULL ? n - (size_t)(slash - s) : 0;
        s = slash != NULL ? slash : s;
    }
    const char *mark = n > 0 ? memchr(s, '?', n) : NULL;
    *path = (struct jb_text){s, mark != NULL ? (size_t)(mark - s) : n};
    *query = (struct jb_text){mark != NULL ? mark + 1 : s, mark != NULL ? n - path->n - 1 : 0};
}

enum method
method_of(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ? METHOD_GET
           : strcmp(method, "POST") == 0                             ? METHOD_POST
                                                                     : METHOD_OTHER;
}

static struct jb_text
media_type(struct jb_text s)
{
    size_t n = 0;
    while (n < s.n && s.s[n] != ';') {
        n++;
    }
    while (n > 0 && (s.s[n - 1] == ' ' || s.s[n - 1] == '\t')) {
        n--;
    }
    return (struct jb_text){s.s, n};
}

void
find_route(struct request *r)
{
    struct jb_text path;
    struct jb_text query;
    unsigned methods = 0;
    bool bad = false;
    split(r, &path, &query);
    r->x.route = route_find(&r->x, r->x.method, path, &methods, &bad);
    r->known = r->x.route != NULL;
    const bool operations_only = r->conn->from == LISTEN_OPERATIONS;
    if (r->known && operations_only && r->x.route->access != ACCESS_OPS &&
        r->x.route->access != ACCESS_NONE) {
        r->known = false;
        r->x.route = NULL;
    }
    if (!r->known && methods != 0 && (methods >> r->x.method & 1) == 0) {
        const bool get = (methods >> METHOD_GET & 1) != 0, post = (methods >> METHOD_POST & 1) != 0;
        exchange_set_header(&r->x, "Allow",
                            get && post ? WIRE("GET, HEAD, POST")
                            : post      ? "POST"
                                        : WIRE("GET, HEAD"));
        refuse(r, GATEWAY_METHOD, NULL);
    } else if (!r->known) {
        refuse(r, GATEWAY_NOT_FOUND, NULL);
    } else if (bad || !exchange_read_query(&r->x, query, r->x.route->access == ACCESS_PAGE)) {
        refuse(r, GATEWAY_PARAMETER, NULL);
    }
}

/* A body of that size is allowed; where its size is not said, bytes are counted as they come. */
void
measure_body(struct request *r)
{
    const struct config *c = r->conn->http->config;
    static const char lines[] = "application/x-ndjson";
    r->x.type = media_type(exchange_header(&r->x, "Content-Type"));
    const bool many =
        r->x.type.n == sizeof lines - 1 && strncasecmp(r->x.type.s, lines, sizeof lines - 1) == 0;
    r->body_max = many ? c->lines_bytes : c->body_bytes;
    const struct jb_text length = exchange_header(&r->x, "Content-Length");
    uint64_t n = 0;
    for (size_t i = 0; i < length.n && n <= DISCARD_BYTES; i++) {
        n = n * 10 + (uint64_t)(length.s[i] - '0');
    }
    if (n <= (uint64_t)r->body_max) {
        return;
    }
    r->close = n > DISCARD_BYTES;
    if (!r->refused) {
        refuse(r, GATEWAY_TOO_LARGE, NULL);
    }
}

void
say_many(const struct conn *c)
{
    static const char many[] =
        WIRE("HTTP/1.1 431 Request Header Fields Too Large\r\n"
             "Content-Type: application/problem+json\r\n"
             "Content-Length: 152\r\nConnection: close\r\n\r\n"
             "{\"type\":\"https://jangbu.invalid/codes/HEAD_TOO_LARGE\","
             "\"title\":\"the head of the request is larger than is allowed\",\"status\":431,"
             "\"code\":\"HEAD_TOO_LARGE\"}\n");
    (void)!send(c->fd, many, sizeof many - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(c->fd, SHUT_RDWR);
}
