/*
 * One request and its answer, as handlers see it: http.c makes it, finds its route, has it
 * authenticated, gives it to the route's handler, and sends what that left.
 *
 * A handler runs in a loop of http.c (LANE_QUICK: it may look into memory and mapped files, and
 * waits for no lock and no disk), in a worker (LANE_SLOW), or queues the exchange and returns
 * LATER; who has the answer then calls exchange_done. Nobody touches an exchange after that. An
 * exchange is of one thread at a time.
 *
 * A handler that reads is run again, in another worker, where one of its queries took longer than
 * the first may: it says so in x->over, and has done nothing that cannot be done again.
 */
#ifndef JANGBUD_EXCHANGE_H
#define JANGBUD_EXCHANGE_H

#include <jangbu/base.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "out.h"

struct asked;
struct gateway;
struct principal;
struct route;

#define EXCHANGE_PARAMS 3

/* Marks bytes for programs, which are no sentence. */
#define WIRE(text) text

/* A parameter of the query, decoded. */
struct exchange_pair {
    struct jb_text name, value;
};

enum method { METHOD_GET = 1, METHOD_POST, METHOD_OTHER };

struct exchange {
    struct gateway *gateway;
    const struct route *route;
    const struct principal *who; /* NULL: the route asks nobody */
    const struct asked *asked;   /* what reads ask: that of the thread which has it now */
    bool over;                   /* a query took longer than it may, and what is answered says so */
    uint64_t id;                 /* of this request: in its log line, and its answer's header */
    int64_t began_us;            /* of the monotonic clock */
    enum method method;
    bool head;                              /* GET of which only the head is wanted */
    jb_lang lang;                           /* what Accept-Language prefers */
    struct jb_text params[EXCHANGE_PARAMS]; /* of the path, decoded, in the order of the pattern */
    struct exchange_pair *query;
    size_t query_n;
    struct {
        char *at;
        size_t n, cap;
    } room; /* for what is decoded: as long as the request's target, so it never is too small */
    struct jb_text body; /* whole */
    struct jb_text type; /* of the body, without parameters: "application/json" */
    struct {
        int status;       /* 0: none yet */
        const char *type; /* Content-Type; a word that lives for ever */
        struct out body;
        struct jb_text whole; /* in place of body: bytes that outlive the request; s NULL: none */
        char code[40];        /* for the log: a refusal's, or a status word; "": none */
        const char *op;       /* for the log: of one command, its word; NULL: none, or several */
        char who[64]; /* for the log, where `who` above is not there any more: a session's */
        uint64_t seq; /* of the log, that the answer shows; 0: none */
    } answer;
    void *own; /* of who handles it */
};

/* A header of the request, as it came; s NULL: there is none. Where it comes twice, the first. */
struct jb_text exchange_header(const struct exchange *x, const char *name);
/* How often a header is there. */
unsigned exchange_header_count(const struct exchange *x, const char *name);
/* A parameter of the query, decoded; s NULL: there is none. */
struct jb_text exchange_query(const struct exchange *x, const char *name);
/* Calls `each` with all of them, in order, until it says false. */
void exchange_query_each(const struct exchange *x,
                         bool (*each)(void *data, struct jb_text name, struct jb_text value),
                         void *data);
/* Whether the request came over the Unix socket, and from whom; false: over TCP. */
bool exchange_peer_uid(const struct exchange *x, uint32_t *ret_uid);
/* Whether it came to the listener of operations, that of `ops-listen`. */
bool exchange_operations(const struct exchange *x);
/* A header of the answer: name lives for ever, value is copied. One of that name that was set
 * before is replaced. */
void exchange_set_header(struct exchange *x, const char *name, const char *value);
/* Status and type of the answer, whose body is written to x->answer.body. */
void exchange_answer(struct exchange *x, int status, const char *type);
/* The answer is whole: of a handler that returned LATER, from any thread. */
void exchange_done(struct exchange *x);

/*
 * An answer that goes on (server-sent events, a long list): `more` writes at most size bytes to to
 * and returns how many; 0: there is nothing now, and exchange_wake says when to ask again; -1: it
 * is over. It runs in a loop of http.c. `end` is called once, when nobody is there any more or all
 * is sent. Called in place of exchange_done, or by a handler that returns ANSWERED.
 */
void exchange_stream(struct exchange *x, int status, const char *type,
                     ptrdiff_t (*more)(void *data, char *to, size_t size), void (*end)(void *data),
                     void *data);
/* There is more for a stream. From any thread, until its `end` was called. */
void exchange_wake(struct exchange *x);

/* ---- for http.c ---- */

/* Decodes s into x->room. s NULL: it is no text that may be in a target: %-escapes that are none,
 * a NUL, or what is no UTF-8. */
struct jb_text exchange_decode(struct exchange *x, struct jb_text s, bool plus_is_space);
/* Decodes the parameters of a query. False: as above, or there are too many. */
bool exchange_read_query(struct exchange *x, struct jb_text raw, bool plus_is_space);
/* What a header Accept-Language prefers of the two; other: where it names none of them. */
jb_lang exchange_language(struct jb_text accept, jb_lang other);

#endif
