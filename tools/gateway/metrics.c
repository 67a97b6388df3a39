#include "metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "gateway.h"
#include "http.h"
#include "keeper.h"

#define BUCKETS_MAX 16

/* Upper bounds in microseconds, or in commands, and as they are written. */
struct bounds {
    size_t n;
    int64_t at[BUCKETS_MAX];
    const char *text[BUCKETS_MAX];
};

static const struct bounds times = {
    12,
    {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 100000, 500000, 2500000, 10000000},
    {"0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.1", "0.5",
     "2.5", "10"}};
static const struct bounds sizes = {8,
                                    {1, 4, 16, 64, 256, 1024, 4096, 8192},
                                    {"1", "4", "16", "64", "256", "1024", "4096", "8192"}};

struct histogram {
    _Atomic(uint64_t) in[BUCKETS_MAX + 1]; /* the last: beyond all bounds */
    _Atomic(uint64_t) sum;
};

static const int statuses[] = {200, 303, 304, 400, 401, 403, 404, 405, 409, 412,
                               413, 415, 422, 429, 431, 500, 503, 505, 507, 0};
#define STATUSES (sizeof statuses / sizeof statuses[0])
#define OUTCOMES (JB_UNKNOWN + 1)

static const char *const outcomes[OUTCOMES] = {
    [JB_NOT_DONE] = "not_done",   [JB_DONE] = "done",         [JB_REFUSED] = "refused",
    [JB_DUPLICATE] = "duplicate", [JB_CONFLICT] = "conflict", [JB_UNKNOWN] = "unknown"};

struct metrics {
    struct histogram *requests; /* of route and status; the route behind the last: none */
    _Atomic(uint64_t) (*commands)[OUTCOMES][JB_CODES_END];
    struct histogram submit_time, submit_size;
    _Atomic(int64_t) queue, subscribers;
    pthread_mutex_t lock; /* of what follows */
    struct gauges gauges;
};

struct metrics *
metrics_new(void)
{
    struct metrics *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return NULL;
    }
    pthread_mutex_init(&m->lock, NULL);
    m->requests = calloc((routes_n + 1) * STATUSES, sizeof *m->requests);
    m->commands = calloc(JB_OPS + 1, sizeof *m->commands);
    m->gauges = (struct gauges){-1, -1, -1, -1, -1, -1, -1, -1};
    return m->requests != NULL && m->commands != NULL ? m : metrics_free(m);
}

struct metrics *
metrics_free(struct metrics *m)
{
    if (m != NULL) {
        pthread_mutex_destroy(&m->lock);
        free(m->requests);
        free(m->commands);
        free(m);
    }
    return NULL;
}

static void
one_more(_Atomic(uint64_t) *at)
{
    atomic_fetch_add_explicit(at, 1, memory_order_relaxed);
}

static void
observe(struct histogram *h, const struct bounds *b, int64_t value)
{
    size_t i = 0;
    while (i < b->n && value > b->at[i]) {
        i++;
    }
    one_more(&h->in[i]);
    atomic_fetch_add_explicit(&h->sum, value > 0 ? (uint64_t)value : 0, memory_order_relaxed);
}

static void
answered(struct metrics *m, size_t route, int http, int64_t us)
{
    size_t status = 0;
    while (statuses[status] != 0 && statuses[status] != http) {
        status++;
    }
    observe(&m->requests[route * STATUSES + status], &times, us);
}

void
metrics_request(struct metrics *m, const struct exchange *x, bool known, int64_t us)
{
    if (m != NULL) {
        answered(m, known ? route_number(x->route) : routes_n, x->answer.status, us);
    }
}

void
metrics_unread(struct metrics *m, int status)
{
    if (m != NULL) {
        answered(m, routes_n, status, 0);
    }
}

void
metrics_command(struct metrics *m, const struct jb_answer *a)
{
    const bool counted = (uint32_t)a->op <= JB_OPS && (uint32_t)a->outcome < OUTCOMES &&
                         (uint32_t)a->code < JB_CODES_END;
    if (m != NULL && counted) {
        one_more(&m->commands[a->op][a->outcome][a->code]);
    }
}

void
metrics_submit(struct metrics *m, int64_t us, size_t n)
{
    if (m != NULL) {
        observe(&m->submit_time, &times, us);
        observe(&m->submit_size, &sizes, (int64_t)n);
    }
}

void
metrics_queue(struct metrics *m, size_t n)
{
    if (m != NULL) {
        atomic_store_explicit(&m->queue, (int64_t)n, memory_order_relaxed);
    }
}

void
metrics_subscribers(struct metrics *m, int change)
{
    if (m != NULL) {
        atomic_fetch_add_explicit(&m->subscribers, change, memory_order_relaxed);
    }
}

void
metrics_gauges(struct metrics *m, const struct gauges *g)
{
    pthread_mutex_lock(&m->lock);
    m->gauges = *g;
    pthread_mutex_unlock(&m->lock);
}

/* ---- the text ---- */

static void
family(struct out *o, const char *name, const char *type, const char *help)
{
    out_str(o, "# HELP ");
    out_str(o, name);
    out_char(o, ' ');
    out_str(o, help);
    out_str(o, "\n# TYPE ");
    out_str(o, name);
    out_char(o, ' ');
    out_str(o, type);
    out_char(o, '\n');
}

/* Millionths, as a decimal number. */
static void
out_millionths(struct out *o, uint64_t n)
{
    char digits[7];
    uint64_t rest = n % 1000000;
    for (size_t i = 6; i-- > 0; rest /= 10) {
        digits[i] = (char)('0' + rest % 10);
    }
    out_uint(o, n / 1000000);
    out_char(o, '.');
    out_bytes(o, digits, 6);
}

/* name_part{labels,le="..."} */
static void
series(struct out *o, const char *name, const char *part, const char *labels, const char *le)
{
    out_str(o, name);
    out_str(o, part);
    if (labels[0] != '\0' || le != NULL) {
        out_char(o, '{');
        out_str(o, labels);
        if (le != NULL) {
            out_str(o, labels[0] != '\0' ? ",le=\"" : "le=\"");
            out_str(o, le);
            out_char(o, '"');
        }
        out_char(o, '}');
    }
    out_char(o, ' ');
}

static void
histogram(struct out *o, const char *name, const char *labels, struct histogram *h,
          const struct bounds *b, bool seconds)
{
    uint64_t n = 0;
    for (size_t i = 0; i <= b->n; i++) {
        n += atomic_load_explicit(&h->in[i], memory_order_relaxed);
        series(o, name, "_bucket", labels, i < b->n ? b->text[i] : "+Inf");
        out_uint(o, n);
        out_char(o, '\n');
    }
    const uint64_t sum = atomic_load_explicit(&h->sum, memory_order_relaxed);
    series(o, name, "_sum", labels, NULL);
    if (seconds) {
        out_millionths(o, sum);
    } else {
        out_uint(o, sum);
    }
    out_char(o, '\n');
    series(o, name, "_count", labels, NULL);
    out_uint(o, n);
    out_char(o, '\n');
}

static bool
used(struct histogram *h, const struct bounds *b)
{
    for (size_t i = 0; i <= b->n; i++) {
        if (atomic_load_explicit(&h->in[i], memory_order_relaxed) > 0) {
            return true;
        }
    }
    return false;
}

/* What an alert counts is there from the beginning, at 0: a series that is there for the first time
 * has not increased yet. */
static bool
always(size_t route, size_t status)
{
    static const char *const writes[] = {"/v1/commands", "/w/do", "/o/do"};
    bool of_writes = false;
    for (size_t i = 0; i < sizeof writes / sizeof writes[0] && route < routes_n; i++) {
        of_writes |=
            routes[route].method == METHOD_POST && strcmp(routes[route].path, writes[i]) == 0;
    }
    return of_writes && (statuses[status] == 503 || statuses[status] == 507);
}

static void
label(struct out *o, const char *name, const char *value)
{
    if (o->n > 0) {
        out_char(o, ',');
    }
    out_str(o, name);
    out_str(o, "=\"");
    out_str(o, value);
    out_char(o, '"');
}

static void
request_labels(struct out *labels, size_t route, size_t status)
{
    const bool known = route < routes_n;
    labels->n = 0;
    label(labels, "route", known ? routes[route].path : "none");
    label(labels, "method", !known ? "none" : routes[route].method == METHOD_POST ? "POST" : "GET");
    char number[4] = "???";
    if (statuses[status] != 0) {
        number[0] = (char)('0' + statuses[status] / 100);
        number[1] = (char)('0' + statuses[status] / 10 % 10);
        number[2] = (char)('0' + statuses[status] % 10);
    }
    label(labels, "status", statuses[status] != 0 ? number : "other");
    out_char(labels, '\0');
}

static void
requests(struct metrics *m, struct out *o)
{
    static const char name[] = "jangbu_http_request_seconds";
    struct out labels = {.first = true};
    family(o, name, "histogram", "Time from a request line to the end of the answer");
    for (size_t i = 0; i < (routes_n + 1) * STATUSES; i++) {
        if (used(&m->requests[i], &times) || always(i / STATUSES, i % STATUSES)) {
            request_labels(&labels, i / STATUSES, i % STATUSES);
            if (!labels.no_memory) {
                histogram(o, name, labels.at, &m->requests[i], &times, true);
            }
        }
    }
    free(labels.at);
}

static void
commands_of(struct metrics *m, struct out *o, uint32_t op, uint32_t outcome)
{
    const struct jb_op_info *info = jb_op_get(op);
    for (uint32_t code = 0; code < JB_CODES_END; code++) {
        const uint64_t n =
            atomic_load_explicit(&m->commands[op][outcome][code], memory_order_relaxed);
        if (n == 0) {
            continue;
        }
        const char *word = jb_code_word(code);
        out_str(o, "jangbu_commands_total{op=\"");
        out_str(o, info != NULL ? info->name : "none");
        out_str(o, "\",outcome=\"");
        out_str(o, outcomes[outcome]);
        out_str(o, "\",code=\"");
        out_str(o, code != 0 && word != NULL ? word : "");
        out_str(o, "\"} ");
        out_uint(o, n);
        out_char(o, '\n');
    }
}

static void
commands(struct metrics *m, struct out *o)
{
    family(o, "jangbu_commands_total", "counter", "Commands that were answered");
    for (uint32_t op = 0; op <= JB_OPS; op++) {
        for (uint32_t outcome = 0; outcome < OUTCOMES; outcome++) {
            commands_of(m, o, op, outcome);
        }
    }
}

static void
counter(struct out *o, const char *name, const char *help, uint64_t value)
{
    family(o, name, "counter", help);
    series(o, name, "", "", NULL);
    out_uint(o, value);
    out_char(o, '\n');
}

static void
gauge(struct out *o, const char *name, const char *labels, const char *help, int64_t value)
{
    if (value < 0) {
        return; /* not known: it is better absent than wrong */
    }
    if (help != NULL) {
        family(o, name, "gauge", help);
    }
    series(o, name, "", labels, NULL);
    out_int(o, value);
    out_char(o, '\n');
}

static void
gauges(struct metrics *m, struct out *o)
{
    pthread_mutex_lock(&m->lock);
    const struct gauges g = m->gauges;
    pthread_mutex_unlock(&m->lock);
    gauge(o, "jangbu_log_events", "", "Events in the log", g.log_events);
    gauge(o, "jangbu_log_bytes", "", "Size of the log", g.log_bytes);
    gauge(o, "jangbu_store_lag_events", "store=\"state\"", "Events that a store does not have yet",
          g.state_lag);
    gauge(o, "jangbu_store_lag_events", "store=\"views\"",
          g.state_lag < 0 ? "Events that a store does not have yet" : NULL, g.views_lag);
    gauge(o, "jangbu_closings_overdue", "", "Days that are over and not closed", g.days_overdue);
    gauge(o, "jangbu_wallets", "", "Wallets in existence", g.wallets);
    gauge(o, "jangbu_disk_free_bytes", "", "Free space where the ledger lies", g.disk_free);
    gauge(o, "jangbu_audit_last_success_timestamp_seconds", "", "When an audit verified the ledger",
          g.audited_at);
}

/* One for each reason, so that an alert names it. */
static void
troubles(struct keeper *k, struct out *o)
{
    static const char name[] = "jangbu_not_ready";
    const unsigned bits = keeper_troubles(k);
    family(o, name, "gauge", "Whether /readyz says no, for that reason");
    for (unsigned i = 0; keeper_word(i) != NULL; i++) {
        char labels[64];
        snprintf(labels, sizeof labels, "reason=\"%s\"", keeper_word(i));
        series(o, name, "", labels, NULL);
        out_uint(o, bits >> i & 1U);
        out_char(o, '\n');
    }
}

enum handled
metrics_get(struct exchange *x)
{
    struct metrics *m = x->gateway->metrics;
    struct out *o = &x->answer.body;
    commands(m, o);
    family(o, "jangbu_submit_seconds", "histogram", "Time of a call that decides and commits");
    histogram(o, "jangbu_submit_seconds", "", &m->submit_time, &times, true);
    family(o, "jangbu_submit_batch_size", "histogram", "Commands of such a call");
    histogram(o, "jangbu_submit_batch_size", "", &m->submit_size, &sizes, false);
    gauge(o, "jangbu_queue_depth", "", "Commands that wait", atomic_load(&m->queue));
    requests(m, o);
    counter(o, "jangbu_auth_refused_total", "Requests that named nobody who may ask",
            auth_refused(x->gateway->auth));
    gauge(o, "jangbu_http_connections", "", "Open connections",
          (int64_t)http_connections(x->gateway->http));
    gauge(o, "jangbu_feed_subscribers", "", "Open streams of events", atomic_load(&m->subscribers));
    troubles(x->gateway->keeper, o);
    gauges(m, o);
    exchange_answer(x, 200, "text/plain; version=0.0.4; charset=utf-8");
    return ANSWERED;
}
