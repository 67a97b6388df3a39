/*
 * What the files behind http.h share: http.c, that of libmicrohttpd, has the requests and the
 * loops; conns.c the connections and their deadlines; listen.c the listeners; received.c looks at
 * what came; room.c counts the memory of bodies and answers. Nothing here knows libmicrohttpd.
 */
#ifndef JANGBUD_HTTP_INNER_H
#define JANGBUD_HTTP_INNER_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "exchange.h"
#include "http.h"
#include "problem.h"

#define LOOPS 2
#define DISCARD_BYTES (16U << 20) /* of a body that is too large, until its answer can be read */
#define DESCRIPTORS 512U          /* beside those of connections */
#define SMALL_BYTES 8192U         /* answers below it are not counted: connections limit them */
#define OPERATIONS_MORE 16        /* connections, also where all others are taken */

struct MHD_Connection;
struct MHD_Daemon;

enum listener_kind { LISTEN_TCP, LISTEN_UNIX, LISTEN_OPERATIONS, LISTENERS };

struct listener {
    int fd; /* -1: none */
    char address[96];
};

enum phase {
    PHASE_PENDING, /* the loop has not taken it yet */
    PHASE_NEW,     /* no request line came yet */
    PHASE_HEAD,
    PHASE_BODY,
    PHASE_BUSY, /* its answer is being made */
    PHASE_ANSWER,
    PHASE_STREAM,
    PHASE_IDLE
};

struct conn {
    struct conn *prev, *next;
    struct http *http;
    int fd;
    enum listener_kind from;
    uint32_t uid; /* of a Unix socket's peer */
    struct in6_addr address;
    atomic_int phase;
    _Atomic(int64_t) since;
    struct loop *loop;      /* that has it */
    struct conn *arrives;   /* behind it, of those that its loop has not seen yet */
    struct request *head;   /* whose head is being read; the loop's alone */
    struct request *stream; /* under http's lock */
};

/*
 * A thread and its connections. It waits itself, and has libmicrohttpd do what there is to do:
 * where that waits (0.9.75) and exactly 128 events are there, it takes them and waits for another
 * before it looks at any.
 */
struct loop {
    struct http *http;
    struct MHD_Daemon *mhd;
    pthread_t thread;
    bool running;
    int events;        /* its epoll */
    int wake;          /* from other threads */
    atomic_bool woken; /* and it has not looked yet */
    atomic_bool ending;
    int said; /* the status that a request got here, and libmicrohttpd is about to name another */
    pthread_mutex_t lock;  /* of what follows */
    struct conn *arriving; /* the last first */
};

struct http {
    struct gateway *g;
    const struct config *config;
    struct loop loops[LOOPS];
    struct listener listeners[LISTENERS];
    unsigned turn;     /* of the loops, for the next connection */
    int64_t looked_us; /* at deadlines, by who accepts and then drains */
    atomic_bool stopping;
    _Atomic(uint64_t) next_id;
    atomic_size_t bodies;  /* bytes of bodies in memory */
    atomic_size_t answers; /* and of answers that are on their way */
    atomic_uint busy;      /* requests whose handler runs or will answer later */
    pthread_mutex_t lock;  /* of what follows */
    struct conn *first;
    unsigned conns;
    struct conn **by_fd;
    size_t by_fd_n;
};

struct answer_header {
    struct answer_header *next;
    const char *name;
    char value[];
};

enum step { STEP_HEAD, STEP_BODY, STEP_RUN, STEP_SENT };
/* Who comes second of the loop that suspends and the thread that has the answer resumes. */
enum turn { TURN_LOOP, TURN_SUSPENDED, TURN_DONE };

struct request {
    struct exchange x; /* first: an exchange is its request */
    struct MHD_Connection *c;
    struct conn *conn;
    enum step step;
    bool refused; /* it has its answer, and its body is thrown away */
    bool close;   /* nothing more is read of it */
    bool last;    /* nor is anything behind it */
    bool known;   /* x.route was found */
    bool late;    /* somebody else has the answer, and counts as busy */
    int64_t body_max;
    size_t body_cap, body_all; /* all: also what was thrown away */
    char *body;
    struct answer_header *headers;
    size_t answer_bytes; /* counted in http's answers */
    atomic_int turn;
    struct {
        ptrdiff_t (*more)(void *data, char *to, size_t size);
        void (*end)(void *data);
        void *data;
        atomic_int turn;
    } stream;
    size_t target_n;
    char target[]; /* as it came; behind it the room for what is decoded */
};

static inline struct request *
request_of(const struct exchange *x)
{
    return (struct request *)(uintptr_t)x;
}

/* ---- listen.c ---- */

/* Opens the listeners of the configuration. False: bad says why. */
bool listen_all(struct http *h, char *bad, size_t bad_n);
void close_listeners(struct http *h);

/* ---- conns.c ---- */

void phase(struct conn *c, enum phase p);
/* Has the loop look at what there is to do. */
void loop_wake(struct loop *l);
void conn_drop(struct http *h, struct conn *c);
/* A loop could not take it; it may be gone already. */
void conn_lost(struct http *h, int fd, struct conn *c);
/* Cuts who is too slow. */
void look_at_deadlines(struct http *h);
/* Under the lock: ends connections on which nothing is on its way, and streams. */
void end_resting(struct http *h);
/* Cuts those who do not take their answers. */
void cut_answers(struct http *h);
/* Whether something is on its way. */
bool under_way(struct http *h);

/* ---- received.c ---- */

/* The request is answered with that, and its body is thrown away. */
void refuse(struct request *r, enum gateway_code code, const char *detail);
/* Whether the request line is one, and libmicrohttpd gave all of it. */
bool request_line(const struct request *r, const char *method, const char *version);
/* A length that libmicrohttpd cannot read. */
bool length_is_bad(const struct request *r);
enum method method_of(const char *method);
void find_route(struct request *r);
/* A body of that size is allowed, or refused. */
void measure_body(struct request *r);
/* Answers that the head is too large, in place of libmicrohttpd. */
void say_many(const struct conn *c);

/* ---- room.c ---- */

/* False: there is no end of the body in sight. */
bool body_take(struct request *r, const char *s, size_t n);
void body_drop(struct request *r);
/* Counts the answer; one for which there is no room becomes a refusal. */
void answer_fit(struct request *r);
void answer_gone(struct request *r);

#endif
