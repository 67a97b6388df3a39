/* The routes: one table, from which requests are dispatched and OpenAPI and the documents made. */
#ifndef JANGBUD_ROUTE_H
#define JANGBUD_ROUTE_H

#include "exchange.h"

enum handled { ANSWERED, LATER };

enum lane {
    LANE_QUICK, /* in the loop that read the request */
    LANE_SLOW   /* in one of the workers */
};

/* Whom a route asks for, and what his token has to allow. */
enum access {
    ACCESS_NONE,     /* nobody: health, style sheets, the page's way in */
    ACCESS_OPS,      /* whoever reaches the listener of `ops-listen`; elsewhere who has OPS */
    ACCESS_READ,     /* a token that may read; of a wallet, where the path names one, that one */
    ACCESS_READ_ALL, /* a token that may read and has no prefix of wallets */
    ACCESS_READ_OPS, /* the same, and OPS */
    ACCESS_WRITE,    /* a token that may write; each command is looked at as well */
    ACCESS_PAGE      /* a session of the page (its cookie); without one it is sent to sign in */
};

struct route {
    enum method method;
    const char *path; /* "/v1/wallets/{wallet}/history" */
    enum access access;
    enum lane lane;
    enum handled (*handle)(struct exchange *x);
    const char *ask;     /* the query of docs/json.md that it is; NULL: none */
    const char *id;      /* operationId */
    const char *summary; /* one line, for OpenAPI and the documents */
};

extern const struct route routes[];
extern const size_t routes_n;

/* The route of a path; its parameters go to x, decoded. NULL: none. *ret_methods: 1 << method of
 * each route that the path has (405 where it has others, and not 404). *ret_bad: a parameter cannot
 * be decoded. */
const struct route *route_find(struct exchange *x, enum method method, struct jb_text path,
                               unsigned *ret_methods, bool *ret_bad);
/* The number of a route in the table. */
static inline size_t
route_number(const struct route *r)
{
    return (size_t)(r - routes);
}

#endif
