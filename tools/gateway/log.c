#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "auth.h"
#include "out.h"
#include "route.h"

#define END_S 1                /* in which the lines that are left have to be taken */
#define WAITING_MAX (8U << 20) /* bytes of lines; those that come on top are counted, not kept */

static const char *const events[LOG_EVENTS] = {
    [LOG_LISTENING] = "listening",    [LOG_WARNING] = "warning",
    [LOG_NOT_READY] = "not_ready",    [LOG_READY] = "ready",
    [LOG_TOKENS] = "tokens",          [LOG_TOKENS_NOT_READ] = "tokens_not_read",
    [LOG_FAILED] = "failed",          [LOG_LOST] = "log_lost",
    [LOG_STOPPING] = "stopping",      [LOG_STOPPED] = "stopped",
    [LOG_NOT_STOPPED] = "not_stopped"};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    pthread_t thread;
    enum log_what what;
    bool running, ending;
    struct out waiting; /* lines that are not written yet */
    uint64_t lost;
} log_state = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

static jb_instant
wall_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (jb_instant)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
write_all(const char *s, size_t n)
{
    while (n > 0) {
        const ssize_t wrote = write(STDERR_FILENO, s, n);
        if (wrote < 0 && errno != EINTR) {
            return; /* nobody reads it any more */
        }
        s += wrote > 0 ? wrote : 0;
        n -= wrote > 0 ? (size_t)wrote : 0;
    }
}

static void
line_begin(struct out *o)
{
    o->first = true;
    js_open(o, NULL, '{');
    js_instant(o, "time", wall_us(), 0);
}

static void
event_begin(struct out *o, enum log_event what)
{
    line_begin(o);
    js_str(o, "event", events[what]);
}

static void
line_end(struct out *o)
{
    js_close(o, '}');
    js_line_end(o);
}

/* Under the lock. */
static void
say_lost(struct out *o)
{
    if (log_state.lost > 0) {
        event_begin(o, LOG_LOST);
        js_uint(o, "lines", log_state.lost);
        line_end(o);
        log_state.lost = 0;
    }
}

static void *
write_lines(void *data)
{
    struct out lines = {.first = true};
    (void)data;
    pthread_setname_np(pthread_self(), "log");
    pthread_mutex_lock(&log_state.lock);
    while (!log_state.ending || log_state.waiting.n > 0) {
        if (log_state.waiting.n == 0) {
            pthread_cond_wait(&log_state.more, &log_state.lock);
            continue;
        }
        say_lost(&log_state.waiting);
        const struct out empty = lines;
        lines = log_state.waiting;
        log_state.waiting = empty;
        log_state.waiting.n = 0;
        pthread_mutex_unlock(&log_state.lock);
        write_all(lines.at, lines.n);
        pthread_mutex_lock(&log_state.lock);
    }
    pthread_mutex_unlock(&log_state.lock);
    free(lines.at);
    return NULL;
}

bool
log_start(enum log_what what)
{
    log_state.what = what;
    log_state.running = pthread_create(&log_state.thread, NULL, write_lines, NULL) == 0;
    return log_state.running;
}

void
log_end(void)
{
    pthread_mutex_lock(&log_state.lock);
    const bool running = log_state.running;
    log_state.ending = true;
    log_state.running = false;
    pthread_cond_signal(&log_state.more);
    pthread_mutex_unlock(&log_state.lock);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += END_S;
    if (running && pthread_timedjoin_np(log_state.thread, NULL, &until) != 0) {
        return; /* nobody reads standard error; the lines are the thread's */
    }
    free(log_state.waiting.at);
    log_state.waiting = (struct out){.first = true};
}

static void
give(const struct out *line)
{
    pthread_mutex_lock(&log_state.lock);
    if (!log_state.running) {
        write_all(line->at, line->n);
    } else if (line->no_memory || log_state.waiting.n + line->n > WAITING_MAX) {
        log_state.lost++;
    } else {
        out_bytes(&log_state.waiting, line->at, line->n);
        log_state.lost += log_state.waiting.no_memory ? 1 : 0;
        log_state.waiting.no_memory = false;
        pthread_cond_signal(&log_state.more);
    }
    pthread_mutex_unlock(&log_state.lock);
}

/* By which the lines of a request, and its answer's header, are known to be its. */
static void
request_id(struct out *o, const struct exchange *x)
{
    char id[20];
    snprintf(id, sizeof id, "%016llx", (unsigned long long)x->id);
    js_str(o, "id", id);
}

void
log_failed(const struct exchange *x, const char *why)
{
    struct out o = {.first = true};
    if (log_state.what == LOG_OFF) {
        return;
    }
    event_begin(&o, LOG_FAILED);
    request_id(&o, x);
    js_sentence(&o, "detail", why);
    line_end(&o);
    give(&o);
    free(o.at);
}

void
log_request(const struct exchange *x, bool known, int64_t us, bool sent)
{
    static const char *const methods[] = {
        [0] = "", [METHOD_GET] = "GET", [METHOD_POST] = "POST", [METHOD_OTHER] = "OTHER"};
    if (log_state.what == LOG_OFF || (log_state.what == LOG_FAILURES && x->answer.status < 400)) {
        return;
    }
    struct out o = {.first = true};
    line_begin(&o);
    request_id(&o, x);
    js_str(&o, "principal",
           x->who != NULL             ? x->who->name
           : x->answer.who[0] != '\0' ? x->answer.who
                                      : NULL);
    js_str(&o, "method", methods[x->method]);
    js_str(&o, "route", known ? x->route->path : NULL);
    if (x->answer.op != NULL) {
        js_str(&o, "op", x->answer.op);
    }
    if (x->answer.code[0] != '\0') {
        js_str(&o, "code", x->answer.code);
    }
    js_int(&o, "status", x->answer.status);
    js_int(&o, "us", us);
    if (x->answer.seq != 0) {
        js_uint(&o, "seq", x->answer.seq);
    }
    if (!sent) {
        js_bool(&o, "cut", true);
    }
    line_end(&o);
    give(&o);
    free(o.at);
}

void
log_unread(int status)
{
    struct out o = {.first = true};
    if (log_state.what == LOG_OFF) {
        return;
    }
    line_begin(&o);
    js_str(&o, "route", NULL);
    js_int(&o, "status", status);
    js_bool(&o, "unread", true);
    line_end(&o);
    give(&o);
    free(o.at);
}

void
log_event(enum log_event what, const char *detail)
{
    struct out o = {.first = true};
    event_begin(&o, what);
    if (detail != NULL) {
        js_sentence(&o, "detail", detail);
    }
    line_end(&o);
    give(&o);
    free(o.at);
}

void
log_trouble(const char *word, const char *why)
{
    struct out o = {.first = true};
    event_begin(&o, why != NULL ? LOG_NOT_READY : LOG_READY);
    js_str(&o, "reason", word);
    if (why != NULL) {
        js_sentence(&o, "detail", why);
    }
    line_end(&o);
    give(&o);
    free(o.at);
}

void
log_listening(const char *tcp, const char *operations, const char *unix_path)
{
    struct out o = {.first = true};
    event_begin(&o, LOG_LISTENING);
    js_str(&o, "tcp", tcp[0] != '\0' ? tcp : NULL);
    js_str(&o, "operations", operations[0] != '\0' ? operations : NULL);
    js_str(&o, "unix", unix_path);
    line_end(&o);
    give(&o);
    free(o.at);
}
