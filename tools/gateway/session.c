#include "session.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"

enum { HASH = 32 };

/* A place for a ticket or a session. */
struct slot {
    uint8_t hash[HASH];        /* of its text */
    int64_t made, until;       /* seconds of the monotonic clock; until 0: the place is free */
    int64_t left, refilled_us; /* millionths of a request that it may ask for */
    struct session of;
};

/* What stands in `tags` of a place begins its hash: who looks for one passes over few bytes. */
struct store {
    size_t n;
    struct slot *slots;
    uint64_t *tags;
};

struct pages {
    pthread_mutex_t lock;
    uint32_t rate;
    struct store tickets, sessions;
};

#define SECOND INT64_C(1000000)
#define ONE_REQUEST INT64_C(1000000)
#define BURST_S 3

static bool
store_make(struct store *s, size_t n)
{
    s->n = n;
    s->slots = calloc(n, sizeof *s->slots);
    s->tags = calloc(n, sizeof *s->tags);
    return s->slots != NULL && s->tags != NULL;
}

static void
store_free(struct store *s)
{
    free(s->slots);
    free(s->tags);
}

struct pages *
pages_new(size_t sessions, uint32_t rate)
{
    struct pages *p = calloc(1, sizeof *p);
    if (p == NULL || sodium_init() < 0) {
        free(p);
        return NULL;
    }
    pthread_mutex_init(&p->lock, NULL);
    p->rate = rate;
    const bool whole = store_make(&p->tickets, TICKETS_MAX) && store_make(&p->sessions, sessions);
    return whole ? p : pages_free(p);
}

struct pages *
pages_free(struct pages *p)
{
    if (p != NULL) {
        pthread_mutex_destroy(&p->lock);
        store_free(&p->tickets);
        store_free(&p->sessions);
        free(p);
    }
    return NULL;
}

bool
session_allowed(const struct session *s)
{
    const struct principal *who = &s->who;
    return session_opened_by(who) &&
           (s->operates ? who->wallets[0] == '\0' : auth_wallet(who, jb_text_of(s->wallet)));
}

bool
session_opened_by(const struct principal *who)
{
    return who->page && who->read && who->ask_mask == UINT64_MAX;
}

static void
hash_of(struct jb_text text, uint8_t ret[HASH])
{
    crypto_generichash(ret, HASH, (const unsigned char *)text.s, text.n, NULL, 0);
}

static void
secret(char text[SECRET_TEXT])
{
    uint8_t bytes[32];
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(text, SECRET_TEXT, bytes, sizeof bytes,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof bytes);
}

struct share {
    const char *name;
    size_t n;
};

/* Whose token has the most of them. Of very many tokens one may be overlooked. */
static const char *
greediest(const struct store *s)
{
    enum { NAMES = 32 };
    struct share shares[NAMES] = {{NULL, 0}};
    size_t most = 0;
    for (size_t i = 0; i < s->n; i++) {
        const char *name = s->slots[i].of.who.name;
        size_t at = 0;
        while (at < NAMES && shares[at].name != NULL && strcmp(shares[at].name, name) != 0) {
            at++;
        }
        if (at < NAMES) {
            shares[at].name = name;
            shares[at].n++;
            most = shares[at].n > shares[most].n ? at : most;
        }
    }
    return shares[most].name;
}

static bool
goes_before(const struct slot *a, const struct slot *b)
{
    return a->of.operates != b->of.operates ? b->of.operates : a->until < b->until;
}

/* A free place, or the one that whoever comes takes from another. */
static size_t
place(const struct store *s, int64_t at)
{
    size_t goes = SIZE_MAX;
    for (size_t i = 0; i < s->n; i++) {
        if (s->slots[i].until <= at) {
            return i;
        }
    }
    const char *whose = greediest(s);
    for (size_t i = 0; i < s->n; i++) {
        const bool his = strcmp(s->slots[i].of.who.name, whose) == 0;
        goes = his && (goes == SIZE_MAX || goes_before(&s->slots[i], &s->slots[goes])) ? i : goes;
    }
    return goes;
}

static uint64_t
tag_of(const uint8_t hash[HASH])
{
    uint64_t tag;
    memcpy(&tag, hash, sizeof tag);
    return tag;
}

/* NULL: there is none. What is compared is a hash: how long that takes says nothing of the text;
 * whether it is the one is asked in constant time all the same. */
static struct slot *
find(const struct store *s, struct jb_text text)
{
    uint8_t hash[HASH];
    const int64_t at = now_us();
    if (text.s == NULL || text.n != SECRET_TEXT - 1) {
        return NULL;
    }
    hash_of(text, hash);
    const uint64_t tag = tag_of(hash);
    for (size_t i = 0; i < s->n; i++) {
        if (s->tags[i] == tag && s->slots[i].until > at &&
            sodium_memcmp(s->slots[i].hash, hash, HASH) == 0) {
            return &s->slots[i];
        }
    }
    return NULL;
}

static void
put(struct store *to, const struct session *s, int64_t seconds, int64_t left, char ret[SECRET_TEXT])
{
    const int64_t at = now_us();
    const size_t i = place(to, at);
    struct slot *slot = &to->slots[i];
    secret(ret);
    hash_of(jb_text_of(ret), slot->hash);
    to->tags[i] = tag_of(slot->hash);
    slot->of = *s;
    slot->made = at;
    slot->until = at + seconds * SECOND;
    slot->left = left;
    slot->refilled_us = at;
}

static void
begin(struct pages *p, const struct session *s, char ret_cookie[SECRET_TEXT], struct session *ret)
{
    uint8_t csrf[CSRF_TEXT / 2];
    *ret = *s;
    randombytes_buf(csrf, sizeof csrf);
    sodium_bin2hex(ret->csrf, sizeof ret->csrf, csrf, sizeof csrf);
    put(&p->sessions, ret, SESSION_IDLE, p->rate * BURST_S * ONE_REQUEST, ret_cookie);
}

void
pages_ticket(struct pages *p, const struct session *s, unsigned ttl_s, char ret[SECRET_TEXT])
{
    pthread_mutex_lock(&p->lock);
    put(&p->tickets, s, ttl_s, 0, ret);
    pthread_mutex_unlock(&p->lock);
}

bool
pages_peek(struct pages *p, struct jb_text ticket, struct session *ret)
{
    pthread_mutex_lock(&p->lock);
    const struct slot *slot = find(&p->tickets, ticket);
    if (slot != NULL) {
        *ret = slot->of;
    }
    pthread_mutex_unlock(&p->lock);
    return slot != NULL;
}

bool
pages_redeem(struct pages *p, struct jb_text ticket, char ret_cookie[SECRET_TEXT],
             struct session *ret)
{
    pthread_mutex_lock(&p->lock);
    struct slot *slot = find(&p->tickets, ticket);
    if (slot != NULL) {
        slot->until = 0;
        begin(p, &slot->of, ret_cookie, ret);
        sodium_memzero(slot, sizeof *slot);
    }
    pthread_mutex_unlock(&p->lock);
    return slot != NULL;
}

void
pages_begin(struct pages *p, const struct session *s, char ret_cookie[SECRET_TEXT])
{
    struct session made;
    pthread_mutex_lock(&p->lock);
    begin(p, s, ret_cookie, &made);
    pthread_mutex_unlock(&p->lock);
}

/* True: it may ask, and has. */
static bool
spend(struct slot *slot, uint32_t rate)
{
    const int64_t at = now_us(), full = (int64_t)rate * BURST_S * ONE_REQUEST;
    const int64_t us = at - slot->refilled_us;
    slot->refilled_us = at;
    slot->left += us < BURST_S * SECOND ? us * (int64_t)rate : full;
    slot->left = slot->left > full ? full : slot->left;
    const bool ok = slot->left >= ONE_REQUEST;
    slot->left -= ok ? ONE_REQUEST : 0;
    return ok;
}

enum asks
pages_ask(struct pages *p, struct jb_text cookie)
{
    pthread_mutex_lock(&p->lock);
    struct slot *slot = find(&p->sessions, cookie);
    const enum asks ret = slot == NULL           ? ASKS_NOBODY
                          : spend(slot, p->rate) ? ASKS_SESSION
                                                 : ASKS_TOO_OFTEN;
    pthread_mutex_unlock(&p->lock);
    return ret;
}

bool
pages_session(struct pages *p, struct jb_text cookie, struct session *ret)
{
    pthread_mutex_lock(&p->lock);
    struct slot *slot = find(&p->sessions, cookie);
    if (slot != NULL) {
        const int64_t end = slot->made + SESSION_MAX * SECOND,
                      idle = now_us() + SESSION_IDLE * SECOND;
        slot->until = idle < end ? idle : end;
        *ret = slot->of;
    }
    pthread_mutex_unlock(&p->lock);
    return slot != NULL;
}

void
pages_speak(struct pages *p, struct jb_text cookie, jb_lang lang)
{
    pthread_mutex_lock(&p->lock);
    struct slot *slot = find(&p->sessions, cookie);
    if (slot != NULL) {
        slot->of.lang = lang;
    }
    pthread_mutex_unlock(&p->lock);
}

void
pages_end(struct pages *p, struct jb_text cookie)
{
    pthread_mutex_lock(&p->lock);
    struct slot *slot = find(&p->sessions, cookie);
    if (slot != NULL) {
        sodium_memzero(slot, sizeof *slot);
    }
    pthread_mutex_unlock(&p->lock);
}

unsigned
pages_count(struct pages *p)
{
    const int64_t at = now_us();
    unsigned n = 0;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->sessions.n; i++) {
        n += p->sessions.slots[i].until > at;
    }
    pthread_mutex_unlock(&p->lock);
    return n;
}
