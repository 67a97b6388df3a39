/* What knows libmicrohttpd: the requests and their answers, and the loops. */
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "auth.h"
#include "clock.h"
#include "http_inner.h"
#include "keeper.h"
#include "lang.h"
#include "log.h"
#include "metrics.h"
#include "page.h"
#include "problem.h"
#include "request.h"
#include "route.h"
#include "workers.h"

#define LOOP_MS 1000
#define HEAD_BYTES_MAX 8192U
#define POOL_BYTES 19456U       /* of a connection: its head twice, and that of its answer */
#define ANSWER_HEAD_BYTES 1536U /* at most */
#define VALUE_BYTES 64U         /* that a header takes in the pool beside its text, or nearly */
#define CUT_US 1000000          /* until connections that were cut are gone */
#define QUICK_EVENTS 5000U      /* that a loop may fold: milliseconds */
#define KEEPER_EVENTS 200000U   /* more of them are left to the keeper, */
#define KEEPER_US 2000000       /* for so long */

/* The exchange whose handler this thread is in. */
static _Thread_local const struct exchange *handling;

static void
resume(struct MHD_Connection *c, struct loop *l)
{
    MHD_resume_connection(c);
    loop_wake(l);
}

/* ---- what handlers call ---- */

struct jb_text
exchange_header(const struct exchange *x, const char *name)
{
    const char *value = NULL;
    size_t n = 0;
    if (MHD_lookup_connection_value_n(request_of(x)->c, MHD_HEADER_KIND, name, strlen(name), &value,
                                      &n) != MHD_YES) {
        return (struct jb_text){NULL, 0};
    }
    return (struct jb_text){value != NULL ? value : "", value != NULL ? n : 0};
}

struct counted {
    const char *name;
    size_t n;
    unsigned count;
};

static enum MHD_Result
count_header(void *data, enum MHD_ValueKind kind, const char *key, size_t key_n, const char *value,
             size_t value_n)
{
    struct counted *c = data;
    (void)kind;
    (void)value;
    (void)value_n;
    c->count += key_n == c->n && strncasecmp(key, c->name, c->n) == 0 ? 1 : 0;
    return MHD_YES;
}

unsigned
exchange_header_count(const struct exchange *x, const char *name)
{
    struct counted c = {.name = name, .n = strlen(name)};
    MHD_get_connection_values_n(request_of(x)->c, MHD_HEADER_KIND, count_header, &c);
    return c.count;
}

bool
exchange_peer_uid(const struct exchange *x, uint32_t *ret_uid)
{
    const struct conn *c = request_of(x)->conn;
    *ret_uid = c->uid;
    return c->from == LISTEN_UNIX;
}

bool
exchange_operations(const struct exchange *x)
{
    return request_of(x)->conn->from == LISTEN_OPERATIONS;
}

static void
header_drop(struct request *r, const char *name)
{
    for (struct answer_header **at = &r->headers; *at != NULL; at = &(*at)->next) {
        if (strcasecmp((*at)->name, name) == 0) {
            struct answer_header *old = *at;
            *at = old->next;
            free(old);
            return;
        }
    }
}

void
exchange_set_header(struct exchange *x, const char *name, const char *value)
{
    struct request *r = request_of(x);
    const size_t n = strlen(value) + 1;
    struct answer_header *h = malloc(sizeof *h + n);
    if (h == NULL) {
        return;
    }
    h->name = name;
    memcpy(h->value, value, n);
    header_drop(r, name);
    h->next = r->headers;
    r->headers = h;
}

void
exchange_done(struct exchange *x)
{
    struct request *r = request_of(x);
    struct MHD_Connection *c = r->c;
    struct loop *l = r->conn->loop;
    if (atomic_exchange(&r->turn, TURN_DONE) == TURN_SUSPENDED) {
        resume(c, l);
    }
}

void
exchange_stream(struct exchange *x, int status, const char *type,
                ptrdiff_t (*more)(void *data, char *to, size_t size), void (*end)(void *data),
                void *data)
{
    struct request *r = request_of(x);
    exchange_answer(x, status, type);
    r->stream.more = more;
    r->stream.end = end;
    r->stream.data = data;
    if (handling != x) {
        exchange_done(x);
    }
}

void
exchange_wake(struct exchange *x)
{
    struct request *r = request_of(x);
    struct MHD_Connection *c = r->c;
    struct loop *l = r->conn->loop;
    if (atomic_exchange(&r->stream.turn, TURN_DONE) == TURN_SUSPENDED) {
        resume(c, l);
    }
}

/* ---- the answer ---- */

static ssize_t
stream_more(void *data, uint64_t at, char *to, size_t size)
{
    struct request *r = data;
    (void)at;
    atomic_store(&r->stream.turn, TURN_LOOP);
    if (atomic_load(&r->conn->http->stopping)) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    const ptrdiff_t n = r->stream.more(r->stream.data, to, size);
    if (n < 0) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    if (n == 0) {
        MHD_suspend_connection(r->c);
        int before = TURN_LOOP;
        if (!atomic_compare_exchange_strong(&r->stream.turn, &before, TURN_SUSPENDED)) {
            resume(r->c, r->conn->loop); /* more came in between */
        } else if (atomic_load(&r->conn->http->stopping)) {
            exchange_wake(&r->x);
        }
    }
    return (ssize_t)n;
}

static void
stream_listed(struct request *r, bool listed)
{
    struct http *h = r->conn->http;
    pthread_mutex_lock(&h->lock);
    r->conn->stream = listed ? r : NULL;
    pthread_mutex_unlock(&h->lock);
}

static struct MHD_Response *
response_of(struct request *r)
{
    struct out *o = &r->x.answer.body;
    const struct jb_text whole = r->x.answer.whole;
    if (whole.s != NULL) {
        return MHD_create_response_from_buffer(whole.n, (void *)(uintptr_t)whole.s,
                                               MHD_RESPMEM_PERSISTENT);
    }
    if (r->stream.more != NULL) {
        stream_listed(r, true);
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 8192, stream_more, r, NULL);
    }
    struct MHD_Response *m = MHD_create_response_from_buffer(o->n, o->at, MHD_RESPMEM_MUST_FREE);
    if (m != NULL) {
        *o = (struct out){.at = NULL};
    }
    return m;
}

static void
add_headers(struct request *r, struct MHD_Response *m)
{
    char number[32];
    bool cached = false;
    for (const struct answer_header *h = r->headers; h != NULL; h = h->next) {
        cached = cached || strcasecmp(h->name, "Cache-Control") == 0;
        MHD_add_response_header(m, h->name, h->value);
    }
    if (r->x.answer.type != NULL) {
        MHD_add_response_header(m, "Content-Type", r->x.answer.type);
    }
    if (!cached) {
        MHD_add_response_header(m, "Cache-Control", "no-store");
    }
    MHD_add_response_header(m, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(m, "Jangbu-Ledger", r->x.gateway->ledger_id);
    snprintf(number, sizeof number, "%016llx", (unsigned long long)r->x.id);
    MHD_add_response_header(m, "Jangbu-Request", number);
    if (r->x.answer.seq != 0) {
        snprintf(number, sizeof number, "%llu", (unsigned long long)r->x.answer.seq);
        MHD_add_response_header(m, "Jangbu-Seq", number);
    }
    if (r->close || r->last || atomic_load(&r->conn->http->stopping)) {
        MHD_add_response_header(m, "Connection", "close");
    }
}

static enum MHD_Result
answer(struct request *r)
{
    if (r->stream.more == NULL && (r->x.answer.body.no_memory || r->x.answer.status == 0)) {
        r->x.answer.body.n = 0;
        r->x.answer.body.no_memory = false;
        problem(&r->x, GATEWAY_NO_MEMORY, NULL);
    }
    answer_fit(r);
    struct MHD_Response *m = response_of(r);
    if (m == NULL) {
        return MHD_NO;
    }
    add_headers(r, m);
    r->step = STEP_SENT;
    phase(r->conn, r->stream.more != NULL ? PHASE_STREAM : PHASE_ANSWER);
    const enum MHD_Result queued = MHD_queue_response(r->c, (unsigned)r->x.answer.status, m);
    MHD_destroy_response(m);
    return queued;
}

/* ---- the head ---- */

/* Called when the request line is there. */
static void *
begin(void *data, const char *target, struct MHD_Connection *c)
{
    struct http *h = data;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct conn *conn = info != NULL ? info->socket_context : NULL;
    const size_t n = strlen(target);
    struct request *r = conn != NULL ? calloc(1, sizeof *r + 2 * n + 2) : NULL;
    if (r == NULL) {
        return NULL;
    }
    conn->head = r;
    phase(conn, PHASE_HEAD);
    r->c = c;
    r->conn = conn;
    r->target_n = n;
    memcpy(r->target, target, n);
    r->x.gateway = h->g;
    r->x.id = atomic_fetch_add(&h->next_id, 1);
    r->x.began_us = now_us();
    r->x.lang = config_lang(h->config);
    r->x.room.at = r->target + n + 1;
    r->x.room.cap = n;
    r->x.answer.body.first = true;
    r->x.answer.body.hidden = h->g->places;
    return r;
}

static enum MHD_Result
look_at_header(void *data, enum MHD_ValueKind kind, const char *key, size_t key_n,
               const char *value, size_t value_n)
{
    (void)kind;
    framing_header(data, (struct jb_text){key, key_n}, (struct jb_text){value, value_n});
    return MHD_YES;
}

/* What is wrong with the head; NULL: nothing. */
static const char *
framing(struct request *r, const char *method, const char *version)
{
    struct framing f;
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(r->c, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (!request_line(r, method, version)) {
        return "target";
    }
    framing_begin(&f, version + strlen(version) + 2);
    MHD_get_connection_values_n(r->c, MHD_HEADER_KIND, look_at_header, &f);
    return framing_end(&f, method + size->header_size, strcmp(version, "HTTP/1.1") == 0);
}

struct values {
    size_t n, cookies; /* bytes of these */
};

static enum MHD_Result
count_value(void *data, enum MHD_ValueKind kind, const char *key, size_t key_n, const char *value,
            size_t value_n)
{
    struct values *v = data;
    (void)value;
    v->n++;
    if (kind == MHD_HEADER_KIND && key_n == 6 && strncasecmp(key, "Cookie", 6) == 0) {
        v->cookies += value_n;
    }
    return MHD_YES;
}

/* Bytes of the pool of the connection that are taken beside its read buffer. */
static size_t
values_take(const struct request *r)
{
    struct values v = {.n = 0};
    MHD_get_connection_values_n(r->c, MHD_HEADER_KIND | MHD_COOKIE_KIND | MHD_GET_ARGUMENT_KIND,
                                count_value, &v);
    return v.n * VALUE_BYTES + v.cookies;
}

/* Whether the head leaves room in the pool for that of an answer. */
static bool
answer_head_fits(const struct request *r, size_t head_n)
{
    const size_t buffer = head_n > POOL_BYTES / 2 ? head_n : POOL_BYTES / 2;
    return buffer + values_take(r) + ANSWER_HEAD_BYTES <= POOL_BYTES;
}

/* What was answered to a request that nobody could read. */
static void
unread(struct http *h, int status)
{
    metrics_unread(h->g->metrics, status);
    log_unread(status);
}

static enum MHD_Result
head(struct request *r, const char *method, const char *version)
{
    struct http *h = r->conn->http;
    const char *bad = framing(r, method, version);
    r->step = STEP_BODY;
    r->conn->head = NULL;
    /* Its chunks may end with a bare LF, and have extensions and trailers, which nobody looks at:
     * where it ends, others may see another request begin. */
    r->last = exchange_header(&r->x, "Transfer-Encoding").s != NULL;
    r->x.method = method_of(method);
    r->x.head = strcmp(method, "HEAD") == 0;
    r->x.lang =
        exchange_language(exchange_header(&r->x, "Accept-Language"), config_lang(h->config));
    phase(r->conn, PHASE_BODY);
    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(r->c, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (!answer_head_fits(r, size->header_size)) {
        say_many(r->conn);
        unread(h, 431);
        return MHD_NO;
    }
    if (bad != NULL || size->header_size > HEAD_BYTES_MAX) {
        /* Where this request ends, and another begins, is not known: nothing more is read. */
        r->close = true;
        refuse(r, bad != NULL ? GATEWAY_BAD_REQUEST : GATEWAY_HEAD_TOO_LARGE, bad);
        return answer(r);
    }
    if (atomic_load(&h->stopping)) {
        r->close = true;
        refuse(r, GATEWAY_STOPPING, NULL);
        return answer(r);
    }
    find_route(r);
    measure_body(r);
    if (!r->refused && !auth_admit(h->g->auth, &r->x)) {
        r->refused = true;
    }
    return r->close ? answer(r) : MHD_YES;
}

/* ---- the handler ---- */

static enum handled
run_handler(struct exchange *x, const struct asked *asked)
{
    x->asked = asked;
    handling = x;
    const enum handled handled = x->route->handle(x);
    handling = NULL;
    return handled;
}

/* What waited for a worker is not begun when the daemon ends, or when that took too long. */
static bool
turned_away(struct exchange *x)
{
    const struct http *h = request_of(x)->conn->http;
    const bool stopping = atomic_load(&h->stopping);
    const bool late = now_us() - x->began_us > h->config->slow_us;
    if (stopping || late) {
        problem(x, stopping ? GATEWAY_STOPPING : GATEWAY_SLOW_FULL, NULL);
    }
    return stopping || late;
}

/* Whether it reads projections: balances of now, roles and the like are of the state alone. */
static bool
needs_projections(const struct exchange *x)
{
    return x->route->access == ACCESS_PAGE || x->route->lane == LANE_SLOW ||
           exchange_query(x, "as_of").s != NULL;
}

/*
 * A long tail of the log is folded and stored by the keeper, for all: those who read would do the
 * same once again, each for himself, and slower for it. So they wait for a moment, and are told to
 * come again. Unless it cannot store; or nothing is asked of the projections: forms, tickets, what
 * there is now. False: x has the answer.
 */
static bool
keeper_has_folded(struct exchange *x, const struct asked *a)
{
    const struct timespec moment = {.tv_nsec = 10000000};
    const bool of_now = x->route->lane == LANE_QUICK && x->query_n == 0;
    if (x->method == METHOD_POST || of_now || !needs_projections(x)) {
        return true;
    }
    while (jb_views_ready(a->views, KEEPER_EVENTS, NULL) == JB_E_BUSY &&
           keeper_stores(x->gateway->keeper)) {
        if (atomic_load(&request_of(x)->conn->http->stopping)) {
            return true;
        }
        if (now_us() - x->began_us > KEEPER_US) {
            if (x->route->access == ACCESS_PAGE) {
                page_not_now(x, PAGE_FOLDING);
            } else {
                problem(x, GATEWAY_SLOW_FULL,
                        tr("the ledger is still being read, after many changes; try again"));
            }
            return false;
        }
        nanosleep(&moment, NULL);
    }
    return true;
}

static void
handle_slow(struct exchange *x)
{
    const struct asked *a = &x->gateway->slow[workers_mine()];
    SPEAK(x->lang);
    if (turned_away(x) || !keeper_has_folded(x, a) || run_handler(x, a) == ANSWERED) {
        exchange_done(x);
    }
}

/* A query took too long for where it was tried: it begins anew in a slow worker, unless too many
 * wait for those. */
static enum handled
begin_anew(struct exchange *x)
{
    x->over = false;
    x->answer.status = 0;
    x->answer.code[0] = '\0';
    x->answer.seq = 0;
    x->answer.body.n = 0;
    x->answer.body.first = true;
    header_drop(request_of(x), "Retry-After");
    if (workers_give(x->gateway->workers, x, handle_slow)) {
        return LATER;
    }
    problem(x, GATEWAY_SLOW_FULL, NULL);
    return ANSWERED;
}

/* Most reads take a moment, and wait here for nothing that takes longer. */
static void
handle_brief(struct exchange *x)
{
    struct gateway *g = x->gateway;
    const struct asked *a = x->route->lane == LANE_QUICK ? &g->quick : &g->brief;
    SPEAK(x->lang);
    enum handled handled = ANSWERED;
    if (!turned_away(x) && keeper_has_folded(x, a)) {
        handled = run_handler(x, a);
    }
    if (handled == ANSWERED && x->over) {
        handled = begin_anew(x);
    }
    if (handled == ANSWERED) {
        exchange_done(x);
    }
}

/* Whether it would hold up the loop: then it is a worker's, as a slow read is. */
static bool
stands_still(const struct exchange *x)
{
    const struct asked *a = &x->gateway->quick;
    const jb_status status = needs_projections(x) ? jb_views_ready(a->views, QUICK_EVENTS, NULL)
                                                  : jb_ledger_ready(a->ledger, QUICK_EVENTS, NULL);
    return status == JB_E_BUSY;
}

static enum handled
handle(struct request *r)
{
    struct gateway *g = r->x.gateway;
    SPEAK(r->x.lang);
    r->x.asked = &g->quick;
    const struct route *route = r->x.route;
    const bool asks = route->lane == LANE_QUICK && route->ask != NULL;
    bool slow = route->lane == LANE_SLOW || (asks && stands_still(&r->x));
    if (route->access == ACCESS_PAGE) {
        const enum page_gate gate = page_gate(&r->x);
        if (gate == PAGE_TOO_OFTEN || gate == PAGE_CROWDED) {
            return page_not_now(&r->x, gate);
        }
        slow = gate == PAGE_TO_WORKER || (gate == PAGE_FORM && stands_still(&r->x));
    }
    if (slow) {
        if (workers_give(g->brief_worker, &r->x, handle_brief)) {
            return LATER;
        }
        problem(&r->x, GATEWAY_SLOW_FULL, NULL);
        return ANSWERED;
    }
    const enum handled handled = run_handler(&r->x, &g->quick);
    return handled == ANSWERED && r->x.over ? begin_anew(&r->x) : handled;
}

static void
not_late(struct request *r)
{
    if (r->late) {
        r->late = false;
        atomic_fetch_sub(&r->conn->http->busy, 1);
    }
}

static enum MHD_Result
run(struct request *r)
{
    struct http *h = r->conn->http;
    phase(r->conn, PHASE_BUSY);
    if (!r->refused && atomic_load(&h->stopping)) {
        refuse(r, GATEWAY_STOPPING, NULL);
    }
    /* Of many commands the answers are long, and cannot be refused when they are there. */
    if (!r->refused && r->x.body.n > SMALL_BYTES &&
        atomic_load(&h->answers) >= (size_t)h->config->answers_bytes) {
        refuse(r, GATEWAY_QUEUE_FULL, NULL);
    }
    if (r->refused) {
        return answer(r);
    }
    r->x.body.s = r->x.body.s != NULL ? r->x.body.s : "";
    /* Counted before the handler, so that a stop that sees nobody busy has missed nobody. */
    r->step = STEP_RUN;
    r->late = true;
    atomic_fetch_add(&h->busy, 1);
    struct MHD_Connection *c = r->c;
    struct loop *l = r->conn->loop;
    if (handle(r) == ANSWERED || atomic_load(&r->turn) == TURN_DONE) {
        not_late(r);
        return answer(r);
    }
    MHD_suspend_connection(c);
    if (atomic_exchange(&r->turn, TURN_SUSPENDED) == TURN_DONE) {
        resume(c, l);
    }
    return MHD_YES;
}

static enum MHD_Result
called(void *data, struct MHD_Connection *c, const char *url, const char *method,
       const char *version, const char *upload, size_t *upload_n, void **own)
{
    struct request *r = *own;
    (void)data;
    (void)c;
    (void)url;
    if (r == NULL) {
        return MHD_NO;
    }
    switch (r->step) {
    case STEP_HEAD:
        return head(r, method, version);
    case STEP_BODY:
        if (*upload_n > 0) {
            const bool taken = body_take(r, upload, *upload_n);
            *upload_n = 0;
            return taken ? MHD_YES : MHD_NO;
        }
        return run(r);
    case STEP_RUN:
        not_late(r);
        return answer(r);
    case STEP_SENT:
        break;
    }
    *upload_n = 0;
    return MHD_YES;
}

static void
request_free(struct request *r)
{
    auth_leave(r->x.gateway->auth, &r->x);
    for (struct answer_header *h = r->headers; h != NULL;) {
        struct answer_header *next = h->next;
        free(h);
        h = next;
    }
    body_drop(r);
    free(r->x.query);
    free(r->x.answer.body.at);
    free(r);
}

static void
completed(void *data, struct MHD_Connection *c, void **own, enum MHD_RequestTerminationCode why)
{
    struct http *h = data;
    struct request *r = *own;
    (void)c;
    *own = NULL;
    if (r == NULL) {
        return;
    }
    r->conn->head = NULL;
    if (r->stream.more != NULL) {
        stream_listed(r, false);
        r->stream.end(r->stream.data);
    }
    not_late(r);
    answer_gone(r);
    if (r->step == STEP_SENT) {
        const int64_t us = now_us() - r->x.began_us;
        metrics_request(h->g->metrics, &r->x, r->known, us);
        log_request(&r->x, r->known, us, why == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    }
    phase(r->conn, PHASE_IDLE);
    request_free(r);
}

/* ---- connections ---- */

static void
connection(void *data, struct MHD_Connection *m, void **own,
           enum MHD_ConnectionNotificationCode code)
{
    struct http *h = data;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*own != NULL) {
            conn_drop(h, *own);
        }
        *own = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(m, MHD_CONNECTION_INFO_CONNECTION_FD);
    pthread_mutex_lock(&h->lock);
    struct conn *c = info != NULL && info->connect_fd >= 0 ? h->by_fd[info->connect_fd] : NULL;
    pthread_mutex_unlock(&h->lock);
    *own = c;
    if (c != NULL) {
        phase(c, PHASE_NEW);
    }
}

/* Room for the descriptors of all connections. */
static void
raise_limit(struct http *h)
{
    struct rlimit l;
    const rlim_t want = (rlim_t)h->config->connections + DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < want) {
        l.rlim_cur = want < l.rlim_max ? want : l.rlim_max;
        (void)!setrlimit(RLIMIT_NOFILE, &l);
    }
}

struct http *
http_open(struct gateway *g, char *bad, size_t bad_n)
{
    struct http *h = calloc(1, sizeof *h);
    if (h == NULL) {
        snprintf(bad, bad_n, "%s", tr("no memory"));
        return NULL;
    }
    h->g = g;
    h->config = g->config;
    pthread_mutex_init(&h->lock, NULL);
    for (int i = 0; i < LISTENERS; i++) {
        h->listeners[i].fd = -1;
    }
    bool awake = true;
    for (int i = 0; i < LOOPS; i++) {
        h->loops[i].wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        pthread_mutex_init(&h->loops[i].lock, NULL);
        awake = awake && h->loops[i].wake >= 0;
    }
    uint64_t id = 0;
    (void)!getrandom(&id, sizeof id, GRND_NONBLOCK);
    atomic_store(&h->next_id, id);
    raise_limit(h);
    h->by_fd_n = (size_t)h->config->connections + DESCRIPTORS;
    h->by_fd = calloc(h->by_fd_n, sizeof(struct conn *));
    if (h->by_fd == NULL || !awake) {
        snprintf(bad, bad_n, "%s", tr("no memory"));
        return http_close(h);
    }
    return listen_all(h, bad, bad_n) ? h : http_close(h);
}

static size_t
as_it_came(void *data, struct MHD_Connection *c, char *s)
{
    (void)data;
    (void)c;
    return strlen(s);
}

/*
 * libmicrohttpd 0.9.75 answers a length that it cannot read, or values that it has no room for,
 * with the head of its answer twice or with nothing, and asks nobody before. It says to its log
 * that it will, though, in the loop that has the request: it is answered here then, and can say
 * nothing itself any more.
 */
static void
complained(void *data, const char *form, va_list arguments)
{
    static const char bad[] = WIRE("HTTP/1.1 400 Bad Request\r\n"
                                   "Content-Type: application/problem+json\r\n"
                                   "Content-Length: 153\r\nConnection: close\r\n\r\n"
                                   "{\"type\":\"https://jangbu.invalid/codes/BAD_REQUEST\","
                                   "\"title\":\"the request is not well formed\",\"status\":400,"
                                   "\"detail\":\"Content-Length\",\"code\":\"BAD_REQUEST\"}\n");
    struct loop *l = data;
    struct http *h = l->http;
    if (strstr(form, WIRE("HTTP response code is %u")) != NULL) {
        const int status = (int)va_arg(arguments, unsigned);
        unread(h, l->said != 0 ? l->said : status);
        l->said = 0;
        return;
    }
    const bool length = strstr(form, "Content-Length") != NULL;
    if (!length && strstr(form, WIRE("Not enough memory in pool")) == NULL) {
        return;
    }
    pthread_mutex_lock(&h->lock);
    for (struct conn *c = h->first; c != NULL; c = c->next) {
        if (c->loop != l || atomic_load(&c->phase) != PHASE_HEAD || c->head == NULL) {
            continue;
        }
        /* Which of the heads that are being read it is, is not said: one that is that full. */
        if (!length && values_take(c->head) > POOL_BYTES * 3 / 8) {
            say_many(c);
            c->head = NULL;
        } else if (length && length_is_bad(c->head)) {
            (void)!send(c->fd, bad, sizeof bad - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
            shutdown(c->fd, SHUT_RDWR);
            c->head = NULL;
            l->said = 400;
        }
    }
    pthread_mutex_unlock(&h->lock);
}

/* Those that arrived since are its own. */
static void
loop_takes(struct loop *l)
{
    /* An address is wanted there, and not looked at. */
    const struct sockaddr_in none = {.sin_family = AF_INET};
    pthread_mutex_lock(&l->lock);
    struct conn *c = l->arriving;
    l->arriving = NULL;
    pthread_mutex_unlock(&l->lock);
    while (c != NULL) {
        struct conn *next = c->arrives;
        const int fd = c->fd;
        if (MHD_add_connection(l->mhd, fd, (const struct sockaddr *)&none, sizeof none) !=
            MHD_YES) {
            conn_lost(l->http, fd, c); /* the descriptor is closed */
        }
        c = next;
    }
}

static void *
loop_run(void *data)
{
    struct loop *l = data;
    pthread_setname_np(pthread_self(), "loop");
    while (!atomic_load(&l->ending)) {
        struct pollfd fds[] = {{.fd = l->events, .events = POLLIN},
                               {.fd = l->wake, .events = POLLIN}};
        MHD_UNSIGNED_LONG_LONG ms = 0;
        uint64_t count;
        const bool soon = MHD_get_timeout(l->mhd, &ms) == MHD_YES && ms < LOOP_MS;
        (void)!poll(fds, 2, soon ? (int)ms : LOOP_MS);
        if (fds[1].revents != 0) {
            (void)!read(l->wake, &count, sizeof count);
        }
        atomic_store(&l->woken, false); /* before what it was woken for is looked at */
        loop_takes(l);
        MHD_run_wait(l->mhd, 0);
        l->said = 0; /* where it named none, the next one names its own */
    }
    return NULL;
}

static bool
loop_start(struct http *h, struct loop *l)
{
    const unsigned idle_s = (unsigned)(h->config->idle_us / 1000000) + 10;
    l->http = h;
    l->mhd = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG, 0,
        NULL, NULL, called, h, MHD_OPTION_EXTERNAL_LOGGER, complained, l,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)h->config->connections + OPERATIONS_MORE,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 0,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_s, MHD_OPTION_UNESCAPE_CALLBACK, as_it_came, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, begin, h, MHD_OPTION_NOTIFY_COMPLETED, completed, h,
        MHD_OPTION_NOTIFY_CONNECTION, connection, h, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        l->mhd != NULL ? MHD_get_daemon_info(l->mhd, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    l->events = info != NULL ? info->epoll_fd : -1;
    l->running = l->events >= 0 && pthread_create(&l->thread, NULL, loop_run, l) == 0;
    return l->running;
}

bool
http_start(struct http *h, char *bad, size_t bad_n)
{
    for (int i = 0; i < LOOPS; i++) {
        if (!loop_start(h, &h->loops[i])) {
            snprintf(bad, bad_n, "%s", tr("the loops of the listeners could not be started"));
            return false;
        }
    }
    return true;
}

/* ---- the end ---- */

void
http_stop_listening(struct http *h)
{
    close_listeners(h);
    /* First said, then ended: a request that comes in between is not carried out. */
    atomic_store(&h->stopping, true);
    pthread_mutex_lock(&h->lock);
    end_resting(h);
    pthread_mutex_unlock(&h->lock);
}

static bool
drained(struct http *h, int64_t us)
{
    const int64_t until = now_us() + us;
    while (under_way(h)) {
        if (now_us() > until) {
            return false;
        }
        look_at_deadlines(h);
        const struct timespec rest = {.tv_nsec = 2000000};
        nanosleep(&rest, NULL);
    }
    return true;
}

bool
http_drain(struct http *h, int64_t us)
{
    if (!drained(h, us)) {
        cut_answers(h);
        (void)drained(h, CUT_US);
    }
    return atomic_load(&h->busy) == 0;
}

static void
loop_end(struct loop *l)
{
    if (l->running) {
        atomic_store(&l->ending, true);
        loop_wake(l);
        pthread_join(l->thread, NULL);
    }
    if (l->mhd != NULL) {
        MHD_stop_daemon(l->mhd);
    }
    for (struct conn *c = l->arriving; c != NULL; c = c->arrives) {
        close(c->fd);
    }
    if (l->wake >= 0) {
        close(l->wake);
    }
    pthread_mutex_destroy(&l->lock);
}

struct http *
http_close(struct http *h)
{
    if (h == NULL) {
        return NULL;
    }
    for (int i = 0; i < LOOPS; i++) {
        loop_end(&h->loops[i]);
    }
    close_listeners(h);
    while (h->first != NULL) {
        conn_drop(h, h->first);
    }
    pthread_mutex_destroy(&h->lock);
    free(h->by_fd);
    free(h);
    return NULL;
}

const char *
http_address(const struct http *h, bool operations)
{
    return h->listeners[operations ? LISTEN_OPERATIONS : LISTEN_TCP].address;
}
