#include "feed.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "auth.h"
#include "clock.h"
#include "config.h"
#include "gateway.h"
#include "keeper.h"
#include "lang.h"
#include "lists_json.h"
#include "metrics.h"
#include "problem.h"
#include "reads.h"
#include "rows_json.h"

#define RING 8192U                   /* events that are kept rendered; a power of two */
#define RING_BYTES ((size_t)8 << 20) /* and so many bytes of them */
#define PAGE_ROWS 200U               /* of who is not in the ring */
#define LOOK_US INT64_C(250000)      /* how soon the end is seen while nothing comes */
#define WAIT_S_MAX 30
#define BEAT_US INT64_C(15000000) /* a sign of life in a stream in which nothing happens */

/* ---- what is rendered ---- */

/* "id: CURSOR\ndata: JSON\n\n", as a stream of server-sent events has it. */
struct entry {
    uint32_t wallet;
    uint32_t json, n; /* where the JSON begins; how long all is */
    char text[];
};

/* Of a stream of events, or of lines. */
static struct jb_text
piece_of(const struct entry *e, bool lines)
{
    return lines ? (struct jb_text){e->text + e->json, e->n - e->json - 1}
                 : (struct jb_text){e->text, e->n};
}

/* ---- who listens ---- */

struct stream {
    struct stream *next, *prev;
    struct feed *feed;
    struct exchange *x;
    bool lines, people;
    uint32_t wallet; /* its number; 0: all */
    char id[JB_ID_BYTES_MAX + 1];
    jb_seq at;     /* all up to there was sent, or is in pending */
    bool wanting;  /* a page is to be read for it */
    uint64_t turn; /* who asked before it is served before it */
    bool reading;  /* it is being read */
    bool gone;     /* nobody is there any more: who reads for it frees it */
    bool failed;   /* what is behind `at` cannot be read */
    int64_t beat;  /* when it was sent something last */
    struct out pending;
    size_t sent; /* of pending */
};

/* A page that is empty, and waits for an event. */
struct poll {
    struct poll *next;
    struct exchange *x;
    struct query query;
    char cursor[JB_CURSOR_TEXT_BYTES];
    jb_seq through;
    int64_t until;
};

struct feed {
    struct gateway *g;
    struct asked asked; /* views of its own: no other read waits for it */
    pthread_t follower, reader;
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t news;  /* for the reader */
    bool ending;
    struct entry *ring[RING];
    jb_seq first, last; /* in the ring; first > last: none */
    size_t bytes;
    struct stream *streams;
    uint64_t asked_n;  /* how often a stream has asked for a page */
    int64_t beaten_us; /* when the streams were looked at for signs of life */
    struct poll *polls;
    int64_t listeners;
};

/* ---- the follower ---- */

static struct entry *
render(const struct asked *a, const struct jb_feed_row *row, struct out *scratch,
       struct jb_error *err)
{
    scratch->n = 0;
    scratch->first = true;
    out_str(scratch, WIRE("id: "));
    out_str(scratch, row->cursor);
    out_str(scratch, WIRE("\ndata: "));
    const size_t json = scratch->n;
    if (feed_row_json(scratch, a->ledger, row, false, a->utc_offset_s, err) != JB_OK) {
        return NULL;
    }
    out_str(scratch, "\n\n");
    struct entry *e = scratch->no_memory ? NULL : malloc(sizeof *e + scratch->n);
    if (e != NULL) {
        *e = (struct entry){row->event->wallet, (uint32_t)json, (uint32_t)scratch->n};
        memcpy(e->text, scratch->at, scratch->n);
    }
    return e;
}

/* Under the lock. */
static void
drop_first(struct feed *f)
{
    struct entry **e = &f->ring[f->first++ % RING];
    f->bytes -= (*e)->n;
    free(*e);
    *e = NULL;
}

static void
empty_ring(struct feed *f, jb_seq last)
{
    while (f->first <= f->last) {
        drop_first(f);
    }
    f->last = last;
    f->first = last + 1;
}

struct following {
    struct feed *f;
    struct out scratch;
    struct jb_error err;
    bool failed;
};

static bool
each_followed(void *data, const struct jb_feed_row *row)
{
    struct following *following = data;
    struct feed *f = following->f;
    struct entry *e = render(&f->asked, row, &following->scratch, &following->err);
    following->failed = e == NULL;
    if (e == NULL) {
        following->scratch.no_memory = false;
        return false;
    }
    pthread_mutex_lock(&f->lock);
    while (f->first <= f->last && (f->last - f->first + 1 >= RING || f->bytes > RING_BYTES)) {
        drop_first(f);
    }
    f->ring[++f->last % RING] = e;
    f->bytes += e->n;
    pthread_mutex_unlock(&f->lock);
    return true;
}

/* Under the lock. */
static void
wake_streams(struct feed *f)
{
    for (struct stream *s = f->streams; s != NULL; s = s->next) {
        exchange_wake(s->x);
    }
}

/* Renders what is behind the ring. */
static jb_status
render_more(struct following *following, bool *ret_more)
{
    struct feed *f = following->f;
    struct jb_feed_page page = JB_SIZED(struct jb_feed_page);
    const struct jb_feed_query q = {.size = sizeof q, .after = f->last, .limit = PAGE_ROWS};
    following->failed = false;
    jb_status status =
        jb_feed_get(f->asked.views, &q, each_followed, following, &page, &following->err);
    status = status == JB_OK && following->failed ? JB_E_NOMEM : status;
    *ret_more = page.more != 0;
    return status;
}

/* Nobody listens: nothing is rendered, and who comes begins with the end. */
static jb_status
pass_by(struct feed *f, struct jb_error *err)
{
    struct jb_head head = JB_SIZED(struct jb_head);
    const jb_status status = jb_head_get(f->asked.ledger, &head, err);
    pthread_mutex_lock(&f->lock);
    if (status == JB_OK && f->streams == NULL) {
        empty_ring(f, head.seq);
    }
    pthread_mutex_unlock(&f->lock);
    return status;
}

static bool
is_ending(struct feed *f, bool *ret_streams)
{
    pthread_mutex_lock(&f->lock);
    const bool ending = f->ending;
    *ret_streams = f->streams != NULL;
    pthread_mutex_unlock(&f->lock);
    return ending;
}

static jb_status
follow_once(struct following *following)
{
    struct feed *f = following->f;
    bool streams, more = false;
    const jb_seq before = f->last; /* which this thread alone changes */
    jb_status status = is_ending(f, &streams) ? JB_OK
                       : streams              ? render_more(following, &more)
                                              : pass_by(f, &following->err);
    pthread_mutex_lock(&f->lock);
    if (f->last != before) {
        wake_streams(f);
        pthread_cond_signal(&f->news); /* pages that wait for an event */
    }
    pthread_mutex_unlock(&f->lock);
    if (status == JB_OK && !more) {
        status = jb_wait(f->asked.ledger, f->last, LOOK_US, NULL, &following->err);
    }
    return status == JB_END ? JB_OK : status;
}

static void *
follow(void *data)
{
    struct following following = {.f = data};
    struct feed *f = data;
    bool streams, troubled = false;
    pthread_setname_np(pthread_self(), "feed");
    lang_of_call = config_lang(f->g->config);
    while (!is_ending(f, &streams)) {
        const jb_status status = follow_once(&following);
        if ((status != JB_OK) != troubled) {
            troubled = !troubled;
            keeper_feed(f->g->keeper, troubled ? following.err.text : NULL);
        }
        if (status != JB_OK) {
            nanosleep(&(struct timespec){.tv_nsec = LOOK_US * 1000}, NULL);
        }
    }
    free(following.scratch.at);
    return NULL;
}

/* ---- a stream ---- */

/* Under the lock. What it has of its own goes first. */
static size_t
send_pending(struct stream *s, char *to, size_t size)
{
    const size_t n = s->pending.n - s->sent < size ? s->pending.n - s->sent : size;
    if (n > 0) {
        memcpy(to, s->pending.at + s->sent, n);
        s->sent += n;
    }
    return n;
}

/* A piece that is longer than there is room: its end is sent the next time. */
static size_t
send_part(struct stream *s, struct jb_text piece, char *to, size_t size)
{
    s->pending.n = s->sent = 0;
    out_bytes(&s->pending, piece.s + size, piece.n - size);
    s->failed = s->pending.no_memory;
    memcpy(to, piece.s, size);
    return size;
}

static size_t
send_ring(struct stream *s, char *to, size_t size)
{
    const struct feed *f = s->feed;
    size_t n = 0;
    while (s->at < f->last) {
        const struct entry *e = f->ring[(s->at + 1) % RING];
        const struct jb_text piece = piece_of(e, s->lines);
        if (s->wallet != 0 && e->wallet != s->wallet) {
            s->at++;
            continue;
        }
        if (piece.n > size - n) {
            if (n == 0) {
                s->at++;
                return send_part(s, piece, to, size);
            }
            break;
        }
        memcpy(to + n, piece.s, piece.n);
        n += piece.n;
        s->at++;
    }
    return n;
}

static size_t
send_beat(struct stream *s, char *to)
{
    if (now_us() - s->beat < BEAT_US) {
        return 0;
    }
    const char *const beat = s->lines ? WIRE("\n") : WIRE(":\n\n");
    memcpy(to, beat, strlen(beat));
    return strlen(beat);
}

static size_t
send_some(struct stream *s, char *to, size_t size)
{
    struct feed *f = s->feed;
    const size_t n = send_pending(s, to, size);
    if (n > 0) {
        return n;
    }
    if (s->wanting || s->reading || s->at >= f->last) {
        return send_beat(s, to);
    }
    if (s->people || s->at + 1 < f->first) {
        s->wanting = true;
        s->turn = f->asked_n++;
        pthread_cond_signal(&f->news);
        return 0;
    }
    const size_t sent = send_ring(s, to, size);
    return sent > 0 ? sent : send_beat(s, to);
}

/* Whoever listens is asked for again where the file of tokens was read anew: 0: he may go on. */
static enum gateway_code
still(struct feed *f, struct exchange *x, bool people)
{
    const enum gateway_code code = auth_still(f->g->auth, x);
    return code == 0 && people && x->who != NULL && !x->who->people ? GATEWAY_FORBIDDEN : code;
}

static ptrdiff_t
more(void *data, char *to, size_t size)
{
    struct stream *s = data;
    struct feed *f = s->feed;
    const bool may = still(f, s->x, s->people) == 0;
    pthread_mutex_lock(&f->lock);
    const bool over = !may || s->failed || f->ending;
    const size_t n = over ? 0 : send_some(s, to, size);
    s->beat = n > 0 ? now_us() : s->beat;
    pthread_mutex_unlock(&f->lock);
    return over ? -1 : (ptrdiff_t)n;
}

static void
stream_free(struct stream *s)
{
    free(s->pending.at);
    free(s);
}

static void
end(void *data)
{
    struct stream *s = data;
    struct feed *f = s->feed;
    pthread_mutex_lock(&f->lock);
    *(s->prev != NULL ? &s->prev->next : &f->streams) = s->next;
    if (s->next != NULL) {
        s->next->prev = s->prev;
    }
    f->listeners--;
    const bool reading = s->reading;
    s->gone = true;
    pthread_mutex_unlock(&f->lock);
    metrics_subscribers(f->g->metrics, -1);
    if (!reading) {
        stream_free(s);
    }
}

/* ---- the reader: pages of a stream's own ---- */

struct page_of {
    struct stream *s;
    struct out o;
    jb_status status;
    struct jb_error err;
};

static bool
each_of_page(void *data, const struct jb_feed_row *row)
{
    struct page_of *page = data;
    const struct asked *a = &page->s->feed->asked;
    struct out *o = &page->o;
    if (!page->s->lines) {
        out_str(o, WIRE("id: "));
        out_str(o, row->cursor);
        out_str(o, WIRE("\ndata: "));
    }
    o->first = true;
    page->status = feed_row_json(o, a->ledger, row, page->s->people, a->utc_offset_s, &page->err);
    out_str(o, page->s->lines ? "\n" : "\n\n");
    return page->status == JB_OK && !o->no_memory;
}

/* Without the lock; s->reading keeps it alive. */
static jb_status
read_page(struct page_of *page, jb_seq after, jb_seq *ret_through)
{
    struct stream *s = page->s;
    struct jb_feed_page got = JB_SIZED(struct jb_feed_page);
    struct jb_feed_query q = {.size = sizeof q, .after = after, .limit = PAGE_ROWS};
    if (s->wallet != 0) {
        q.wallet = jb_text_of(s->id);
    }
    jb_status status = jb_feed_get(s->feed->asked.views, &q, each_of_page, page, &got, &page->err);
    status = status == JB_OK ? page->status : status;
    *ret_through = got.through;
    return status == JB_OK && page->o.no_memory ? JB_E_NOMEM : status;
}

/* Under the lock, which is let go meanwhile. */
static void
serve_stream(struct feed *f, struct stream *s)
{
    struct page_of page = {.s = s, .o = s->pending};
    jb_seq through = s->at;
    s->wanting = false;
    s->reading = true;
    s->pending = (struct out){.at = NULL};
    s->sent = 0;
    page.o.n = 0;
    pthread_mutex_unlock(&f->lock);
    const jb_status status = read_page(&page, s->at, &through);
    pthread_mutex_lock(&f->lock);
    s->reading = false;
    s->pending = page.o;
    s->sent = 0;
    if (s->gone) {
        stream_free(s);
        return;
    }
    s->failed = status != JB_OK;
    s->at = through;
    exchange_wake(s->x);
}

/* Under the lock: who has waited longest. One that takes its page at once asks behind all others.
 */
static struct stream *
who_wants(struct feed *f)
{
    struct stream *first = NULL;
    for (struct stream *s = f->streams; s != NULL; s = s->next) {
        if (s->wanting && (first == NULL || s->turn < first->turn)) {
            first = s;
        }
    }
    return first;
}

/* Under the lock: a sign of life where it is due, however much the reader has to do. */
static void
beat(struct feed *f)
{
    const int64_t now = now_us();
    if (now - f->beaten_us < LOOK_US) {
        return;
    }
    f->beaten_us = now;
    for (struct stream *s = f->streams; s != NULL; s = s->next) {
        if (now - s->beat >= BEAT_US) {
            exchange_wake(s->x);
        }
    }
}

/* ---- the reader: pages that wait ---- */

static jb_status
poll_page(const struct asked *a, struct exchange *x, const struct query *q,
          struct jb_feed_page *page, uint64_t *ret_rows, struct jb_error *err)
{
    x->answer.body.n = 0;
    x->answer.body.first = true;
    *page = (struct jb_feed_page)JB_SIZED(struct jb_feed_page);
    return feed_page_json(a, q, &x->answer.body, page, ret_rows, err);
}

static void
poll_answer(struct exchange *x, const struct query *q, jb_status status,
            const struct jb_feed_page *page, const struct jb_error *err)
{
    if (status != JB_OK) {
        reads_failed(x, q, status, err);
        return;
    }
    exchange_set_header(x, "Cache-Control", WIRE("private, no-cache"));
    x->answer.seq = page->through;
    exchange_answer(x, 200, "application/json");
}

/* Without the lock. False: it waits on. */
static bool
serve_poll(struct feed *f, struct poll *p, bool ending)
{
    struct jb_error err = {.status = JB_OK};
    struct jb_feed_page page;
    uint64_t rows = 0;
    SPEAK(p->x->lang);
    const enum gateway_code code = still(f, p->x, p->query.people != 0);
    if (code != 0) {
        problem(p->x, code, NULL);
        exchange_done(p->x);
        free(p);
        return true;
    }
    p->query.cursor = jb_text_of(p->cursor);
    const jb_status status = poll_page(&f->asked, p->x, &p->query, &page, &rows, &err);
    if (status == JB_OK && rows == 0 && !ending && now_us() < p->until) {
        p->through = page.through;
        memcpy(p->cursor, page.cursor, sizeof p->cursor);
        return false;
    }
    poll_answer(p->x, &p->query, status, &page, &err);
    exchange_done(p->x);
    free(p);
    return true;
}

/* Takes those out whose event has come, or whose time is over. Under the lock. */
static struct poll *
polls_due(struct feed *f)
{
    struct poll *due = NULL;
    const int64_t now = now_us();
    for (struct poll **at = &f->polls; *at != NULL;) {
        struct poll *p = *at;
        if (f->ending || p->through < f->last || now >= p->until) {
            *at = p->next;
            p->next = due;
            due = p;
        } else {
            at = &p->next;
        }
    }
    return due;
}

/* Under the lock, which is let go meanwhile. */
static void
serve_polls(struct feed *f)
{
    struct poll *due = polls_due(f);
    const bool ending = f->ending;
    while (due != NULL) {
        struct poll *p = due;
        due = p->next;
        pthread_mutex_unlock(&f->lock);
        const bool done = serve_poll(f, p, ending);
        pthread_mutex_lock(&f->lock);
        if (done) {
            f->listeners--;
        } else {
            p->next = f->polls;
            f->polls = p;
        }
    }
}

static void
rest(struct feed *f)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_US * 1000;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_cond_timedwait(&f->news, &f->lock, &until);
}

static void *
read_all(void *data)
{
    struct feed *f = data;
    pthread_setname_np(pthread_self(), "feed-pages");
    lang_of_call = config_lang(f->g->config);
    pthread_mutex_lock(&f->lock);
    while (!f->ending || f->polls != NULL) {
        struct stream *s = f->ending ? NULL : who_wants(f);
        serve_polls(f);
        beat(f);
        if (s == NULL) {
            rest(f);
        } else if ((s = who_wants(f)) != NULL) { /* it may have gone meanwhile */
            serve_stream(f, s);
        }
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* ---- a request ---- */

/* The parameter wait is not one of the query: it is taken out. False: x has the problem. Where the
 * page took too long and is asked for again it is not there any more: that one has rows. */
static bool
take_wait(struct exchange *x, int64_t *ret_us)
{
    *ret_us = 0;
    for (size_t i = 0; i < x->query_n; i++) {
        const struct jb_text name = x->query[i].name, value = x->query[i].value;
        if (name.n != 4 || memcmp(name.s, "wait", 4) != 0) {
            continue;
        }
        int64_t seconds = value.n > 0 && value.n < 3 ? 0 : -1;
        for (size_t k = 0; k < value.n && seconds >= 0; k++) {
            const char c = value.s[k];
            seconds = c >= '0' && c <= '9' ? 10 * seconds + (c - '0') : -1;
        }
        if (seconds < 0 || seconds > WAIT_S_MAX) {
            problem(x, GATEWAY_PARAMETER, tr("wait is a whole number of seconds, at most 30"));
            return false;
        }
        *ret_us = seconds * JB_US_PER_SECOND;
        memmove(&x->query[i], &x->query[i + 1], (x->query_n - i - 1) * sizeof *x->query);
        x->query_n--;
        break;
    }
    return true;
}

static bool
accepts(const struct exchange *x, const char *type)
{
    const struct jb_text accept = exchange_header(x, "Accept");
    const size_t n = strlen(type);
    for (size_t i = 0; i + n <= accept.n; i++) {
        if (strncasecmp(accept.s + i, type, n) == 0) {
            return true;
        }
    }
    return false;
}

static void
listeners_full(struct exchange *x)
{
    problem(x, GATEWAY_SLOW_FULL, tr("as many as may listen to the feed do; try again later"));
}

/* One more, if there is room for it, and it is not about to end. */
static bool
listen_too(struct feed *f, struct exchange *x)
{
    pthread_mutex_lock(&f->lock);
    const bool ending = f->ending, room = !ending && f->listeners < f->g->config->subscribers;
    f->listeners += room;
    pthread_mutex_unlock(&f->lock);
    if (ending) {
        problem(x, GATEWAY_STOPPING, NULL);
    } else if (!room) {
        listeners_full(x);
    }
    return room;
}

static void
listen_no_more(struct feed *f)
{
    pthread_mutex_lock(&f->lock);
    f->listeners--;
    pthread_mutex_unlock(&f->lock);
}

static bool
each_first(void *data, const struct jb_feed_row *row)
{
    *(jb_seq *)data = row->event->seq;
    return false;
}

/* The number that the stream goes on behind. */
static jb_status
begins_behind(const struct asked *a, const struct query *q, jb_seq *ret, struct jb_error *err)
{
    jb_seq first = 0;
    struct jb_feed_page page = JB_SIZED(struct jb_feed_page);
    const struct jb_feed_query query = {
        .size = sizeof query, .after = q->after, .cursor = q->cursor.s, .limit = 1};
    const jb_status status = jb_feed_get(a->views, &query, each_first, &first, &page, err);
    *ret = first != 0 ? first - 1 : page.through;
    return status;
}

/* NULL: x has the problem. */
static struct stream *
stream_new(struct feed *f, struct exchange *x, const struct query *q, bool lines)
{
    struct jb_error err = {.status = JB_OK};
    struct stream *s = calloc(1, sizeof *s);
    if (s == NULL) {
        problem(x, GATEWAY_NO_MEMORY, NULL);
        return NULL;
    }
    s->feed = f;
    s->x = x;
    s->lines = lines;
    s->people = q->people != 0;
    s->beat = now_us();
    jb_status status = begins_behind(x->asked, q, &s->at, &err);
    if (status == JB_OK && q->wallet.s != NULL) {
        status = jb_wallet_number(f->asked.ledger, q->wallet, &s->wallet, &err);
        snprintf(s->id, sizeof s->id, "%.*s", (int)(q->wallet.n < sizeof s->id ? q->wallet.n : 0),
                 q->wallet.s);
    }
    if (status != JB_OK) {
        reads_failed(x, q, status, &err);
        stream_free(s);
        return NULL;
    }
    return s;
}

static void
stream_begin(struct feed *f, struct exchange *x, const struct query *q, bool lines)
{
    if (!listen_too(f, x)) {
        return;
    }
    struct stream *s = stream_new(f, x, q, lines);
    if (s == NULL) {
        listen_no_more(f);
        return;
    }
    metrics_subscribers(f->g->metrics, 1);
    exchange_set_header(x, "Cache-Control", WIRE("no-store"));
    exchange_set_header(x, "X-Accel-Buffering", WIRE("no"));
    exchange_stream(x, 200, lines ? "application/x-ndjson" : "text/event-stream", more, end, s);
    pthread_mutex_lock(&f->lock);
    s->next = f->streams;
    if (s->next != NULL) {
        s->next->prev = s;
    }
    f->streams = s;
    pthread_mutex_unlock(&f->lock);
}

enum begun { BEGUN, BEGUN_FULL, BEGUN_TOO_LATE, BEGUN_NO_MEMORY };

/* It waits; too late: whoever would answer it may be gone. What is asked of the lock is true as
 * long as it is held, so all is asked and done at once. */
static enum begun
poll_begin(struct feed *f, struct exchange *x, const struct query *q,
           const struct jb_feed_page *page, int64_t wait_us)
{
    struct poll *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return BEGUN_NO_MEMORY;
    }
    p->x = x;
    p->query = *q;
    p->query.after = 0;
    p->through = page->through;
    memcpy(p->cursor, page->cursor, sizeof p->cursor);
    if (q->wallet.s != NULL) { /* that of the query lies in its thread's room */
        p->query.wallet =
            strstr(x->route->path, "{wallet}") != NULL ? x->params[0] : exchange_query(x, "wallet");
    }
    p->until = now_us() + wait_us;
    pthread_mutex_lock(&f->lock);
    const enum begun begun = f->ending                                  ? BEGUN_TOO_LATE
                             : f->listeners < f->g->config->subscribers ? BEGUN
                                                                        : BEGUN_FULL;
    if (begun == BEGUN) {
        f->listeners++;
        p->next = f->polls;
        f->polls = p;
        pthread_cond_signal(&f->news);
    }
    pthread_mutex_unlock(&f->lock);
    if (begun != BEGUN) {
        free(p);
    }
    return begun;
}

static enum handled
page_get(struct feed *f, struct exchange *x, const struct query *q, int64_t wait_us)
{
    struct jb_error err = {.status = JB_OK};
    struct jb_feed_page page;
    uint64_t rows = 0;
    const jb_status status = poll_page(x->asked, x, q, &page, &rows, &err);
    if (status != JB_OK || rows > 0 || wait_us == 0) {
        poll_answer(x, q, status, &page, &err);
        return ANSWERED;
    }
    const enum begun begun = poll_begin(f, x, q, &page, wait_us);
    switch (begun) {
    case BEGUN:
        return LATER;
    case BEGUN_FULL:
        listeners_full(x);
        break;
    case BEGUN_TOO_LATE:
        poll_answer(x, q, status, &page, &err);
        break;
    case BEGUN_NO_MEMORY:
        problem(x, GATEWAY_NO_MEMORY, NULL);
        break;
    }
    return ANSWERED;
}

enum handled
feed_get(struct exchange *x)
{
    struct feed *f = x->gateway->feed;
    struct query q;
    int64_t wait_us;
    SPEAK(x->lang);
    if (!take_wait(x, &wait_us) || !reads_query(x, &q)) {
        return ANSWERED;
    }
    const bool events = accepts(x, "text/event-stream"), lines = accepts(x, "application/x-ndjson");
    const struct jb_text last = exchange_header(x, "Last-Event-ID");
    char cursor[JB_CURSOR_TEXT_BYTES];
    if (events && last.n >= sizeof cursor) { /* from the beginning is not what it asked for */
        problem(x, GATEWAY_BAD_REQUEST, tr("Last-Event-ID is no cursor of the feed"));
        return ANSWERED;
    }
    if (events && last.n > 0) { /* a client that comes back */
        snprintf(cursor, sizeof cursor, "%.*s", (int)last.n, last.s);
        q.cursor = jb_text_of(cursor);
        q.after = 0;
    }
    if (events || lines) {
        stream_begin(f, x, &q, !events);
        return ANSWERED;
    }
    return page_get(f, x, &q, wait_us);
}

/* ---- begin, end ---- */

static bool
start_threads(struct feed *f)
{
    if (pthread_create(&f->follower, NULL, follow, f) != 0) {
        return false;
    }
    if (pthread_create(&f->reader, NULL, read_all, f) == 0) {
        return true;
    }
    pthread_mutex_lock(&f->lock);
    f->ending = true;
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->follower, NULL);
    return false;
}

struct feed *
feed_start(struct gateway *g, struct jb_error *err)
{
    struct feed *f = calloc(1, sizeof *f);
    pthread_condattr_t attributes;
    if (f == NULL) {
        *err = (struct jb_error){.status = JB_E_NOMEM, .text = "no memory"};
        return NULL;
    }
    f->g = g;
    f->asked = g->quick;
    f->asked.views = NULL;
    f->first = 1;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&f->news, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&f->lock, NULL);
    struct jb_views_options quiet = JB_SIZED(struct jb_views_options);
    quiet.sync_stores = 1;
    jb_status status = jb_views_open_with(g->ledger, &quiet, &f->asked.views, err);
    status = status == JB_OK ? pass_by(f, err) : status;
    if (status == JB_OK && start_threads(f)) {
        return f;
    }
    if (status == JB_OK) {
        snprintf(err->text, sizeof err->text, "%s", tr("a thread could not be started"));
    }
    return feed_free(f);
}

void
feed_look_again(struct feed *f)
{
    pthread_mutex_lock(&f->lock);
    wake_streams(f);
    pthread_mutex_unlock(&f->lock);
}

void
feed_stop(struct feed *f)
{
    if (f == NULL) {
        return;
    }
    pthread_mutex_lock(&f->lock);
    f->ending = true;
    wake_streams(f);
    pthread_cond_signal(&f->news);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->follower, NULL);
    pthread_join(f->reader, NULL);
}

struct feed *
feed_free(struct feed *f)
{
    if (f != NULL) {
        empty_ring(f, 0);
        jb_views_close(f->asked.views);
        pthread_cond_destroy(&f->news);
        pthread_mutex_destroy(&f->lock);
        free(f);
    }
    return NULL;
}
