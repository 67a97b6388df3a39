/* The memory of bodies and of answers: how much of both there may be at once. */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "http_inner.h"
#include "lang.h"

static bool
body_room(struct request *r, size_t more)
{
    struct http *h = r->conn->http;
    size_t cap = r->body_cap == 0 ? 1024 : r->body_cap;
    while (cap < r->x.body.n + more) {
        cap *= 2;
    }
    if (cap == r->body_cap) {
        return true;
    }
    const size_t grown = cap - r->body_cap;
    if (atomic_fetch_add(&h->bodies, grown) + grown > (size_t)h->config->bodies_bytes) {
        atomic_fetch_sub(&h->bodies, grown);
        return false;
    }
    char *at = realloc(r->body, cap);
    if (at == NULL) {
        atomic_fetch_sub(&h->bodies, grown);
        return false;
    }
    r->body = at;
    r->body_cap = cap;
    r->x.body.s = at;
    return true;
}

void
body_drop(struct request *r)
{
    free(r->body);
    atomic_fetch_sub(&r->conn->http->bodies, r->body_cap);
    r->body = NULL;
    r->body_cap = 0;
    r->x.body = (struct jb_text){NULL, 0};
}

bool
body_take(struct request *r, const char *s, size_t n)
{
    r->body_all += n;
    if (r->refused) {
        return r->body_all <= DISCARD_BYTES;
    }
    if (r->body_all > (size_t)r->body_max) {
        refuse(r, GATEWAY_TOO_LARGE, NULL);
    } else if (!body_room(r, n)) {
        refuse(r, GATEWAY_QUEUE_FULL, NULL);
    }
    if (r->refused) {
        body_drop(r);
        return true;
    }
    memcpy(r->body + r->x.body.n, s, n);
    r->x.body.n += n;
    return true;
}

/* Counts the answer's bytes, until they are sent. False: others fill the room; one alone may be
 * larger than that. */
static bool
answer_room(struct request *r)
{
    struct http *h = r->conn->http;
    const size_t n = r->x.answer.body.cap;
    if (r->stream.more != NULL || r->x.answer.whole.s != NULL || n < SMALL_BYTES) {
        return true;
    }
    const size_t before = atomic_fetch_add(&h->answers, n);
    r->answer_bytes = n;
    return before == 0 || before + n <= (size_t)h->config->answers_bytes;
}

void
answer_gone(struct request *r)
{
    atomic_fetch_sub(&r->conn->http->answers, r->answer_bytes);
    r->answer_bytes = 0;
}

/* What a command did is done: there it is too late to say that there is no room. */
void
answer_fit(struct request *r)
{
    SPEAK(r->x.lang);
    if (answer_room(r) || r->x.method == METHOD_POST) {
        return;
    }
    answer_gone(r);
    free(r->x.answer.body.at);
    r->x.answer.body = (struct out){.first = true, .hidden = r->x.gateway->places};
    r->x.answer.seq = 0;
    problem(&r->x, GATEWAY_QUEUE_FULL,
            tr("answers that were not taken yet fill the memory for them"));
}
