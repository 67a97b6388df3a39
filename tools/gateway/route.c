#include "route.h"

#include <string.h>

/* The segment that begins at *at, behind its slash; *at is set behind it. */
static struct jb_text
segment(const char *s, size_t n, size_t *at)
{
    const size_t begin = *at + 1;
    size_t end = begin;
    while (end < n && s[end] != '/') {
        end++;
    }
    *at = end;
    return (struct jb_text){s + begin, end - begin};
}

/* The path goes along the pattern; what stands in the place of its {names} is left in raw. */
static bool
along(const char *pattern, struct jb_text path, struct jb_text raw[EXCHANGE_PARAMS])
{
    const size_t n = strlen(pattern);
    size_t at = 0;
    size_t path_at = 0;
    unsigned params = 0;
    while (at < n && path_at < path.n) {
        const struct jb_text want = segment(pattern, n, &at);
        const struct jb_text have = segment(path.s, path.n, &path_at);
        if (want.n > 0 && want.s[0] == '{') {
            if (have.n == 0 || params == EXCHANGE_PARAMS) {
                return false;
            }
            raw[params++] = have;
        } else if (want.n != have.n || memcmp(want.s, have.s, want.n) != 0) {
            return false;
        }
    }
    return at == n && path_at == path.n;
}

static bool
params_read(struct exchange *x, const struct jb_text raw[EXCHANGE_PARAMS])
{
    for (unsigned i = 0; i < EXCHANGE_PARAMS && raw[i].s != NULL; i++) {
        x->params[i] = exchange_decode(x, raw[i], false);
        if (x->params[i].s == NULL) {
            return false;
        }
    }
    return true;
}

const struct route *
route_find(struct exchange *x, enum method method, struct jb_text path, unsigned *ret_methods,
           bool *ret_bad)
{
    const struct route *found = NULL;
    struct jb_text values[EXCHANGE_PARAMS] = {{NULL, 0}};
    *ret_methods = 0;
    for (size_t i = 0; i < routes_n && path.n > 0 && path.s[0] == '/'; i++) {
        struct jb_text raw[EXCHANGE_PARAMS] = {{NULL, 0}};
        if (!along(routes[i].path, path, raw)) {
            continue;
        }
        *ret_methods |= 1U << routes[i].method;
        if (found == NULL && routes[i].method == method) {
            found = &routes[i];
            memcpy(values, raw, sizeof values);
        }
    }
    *ret_bad = found != NULL && !params_read(x, values);
    return found;
}
