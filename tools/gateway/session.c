#include "session.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HASH = 32 };

/* A place for a ticket or a session. */
struct slot {
    uint8_t hash[HASH];  /* of its text */
    int64_t made, until; /* seconds of the monotonic clock; until 0: the place is free */
    struct session of;
};

struct pages {
    pthread_mutex_t lock;
    struct slot *tickets, *sessions;
};

static int64_t
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1; /* 0 is "free" */
}

struct pages *
pages_new(void)
{
    struct pages *p = calloc(1, sizeof *p);
    if (p == NULL || sodium_init() < 0) {
        free(p);
        return NULL;
    }
    p->tickets = calloc(TICKETS_MAX, sizeof *p->tickets);
    p->sessions = calloc(SESSIONS_MAX, sizeof *p->sessions);
    if (p->tickets == NULL || p->sessions == NULL) {
        free(p->tickets);
        free(p->sessions);
        free(p);
        return NULL;
    }
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

struct pages *
pages_free(struct pages *p)
{
    if (p != NULL) {
        pthread_mutex_destroy(&p->lock);
        free(p->tickets);
        free(p->sessions);
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

/* A free place, or that of the oldest. */
static struct slot *
place(struct slot *slots, size_t n, int64_t at)
{
    struct slot *oldest = slots;
    for (size_t i = 0; i < n; i++) {
        if (slots[i].until <= at) {
            return &slots[i];
        }
        oldest = slots[i].made < oldest->made ? &slots[i] : oldest;
    }
    return oldest;
}

/* NULL: there is none. What is compared is a hash: how long that takes says nothing of the text;
 * whether it is the one is asked in constant time all the same. */
static struct slot *
find(struct slot *slots, size_t n, struct jb_text text)
{
    uint8_t hash[HASH];
    const int64_t at = now();
    if (text.s == NULL || text.n != SECRET_TEXT - 1) {
        return NULL;
    }
    hash_of(text, hash);
    for (size_t i = 0; i < n; i++) {
        if (slots[i].until > at && memcmp(slots[i].hash, hash, 8) == 0 &&
            sodium_memcmp(slots[i].hash, hash, HASH) == 0) {
            return &slots[i];
        }
    }
    return NULL;
}

static void
put(struct slot *slots, size_t n, const struct session *s, int64_t seconds, char ret[SECRET_TEXT])
{
    const int64_t at = now();
    struct slot *slot = place(slots, n, at);
    secret(ret);
    hash_of(jb_text_of(ret), slot->hash);
    slot->of = *s;
    slot->made = at;
    slot->until = at + seconds;
}

static void
begin(struct pages *p, const struct session *s, char ret_cookie[SECRET_TEXT], struct session *ret)
{
    uint8_t csrf[CSRF_TEXT / 2];
    *ret = *s;
    randombytes_buf(csrf, sizeof csrf);
    sodium_bin2hex(ret->csrf, sizeof ret->csrf, csrf, sizeof csrf);
    put(p->sessions, SESSIONS_MAX, ret, SESSION_IDLE, ret_cookie);
}

void
pages_ticket(struct pages *p, const struct session *s, unsigned ttl_s, char ret[SECRET_TEXT])
{
    pthread_mutex_lock(&p->lock);
    put(p->tickets, TICKETS_MAX, s, ttl_s, ret);
    pthread_mutex_unlock(&p->lock);
}

bool
pages_redeem(struct pages *p, struct jb_text ticket, char ret_cookie[SECRET_TEXT],
             struct session *ret)
{
    pthread_mutex_lock(&p->lock);
    struct slot *slot = find(p->tickets, TICKETS_MAX, ticket);
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

bool
pages_session(struct pages *p, struct jb_text cookie, struct session *ret)
{
    pthread_mutex_lock(&p->lock);
    struct slot *slot = find(p->sessions, SESSIONS_MAX, cookie);
    if (slot != NULL) {
        const int64_t end = slot->made + SESSION_MAX, idle = now() + SESSION_IDLE;
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
    struct slot *slot = find(p->sessions, SESSIONS_MAX, cookie);
    if (slot != NULL) {
        slot->of.lang = lang;
    }
    pthread_mutex_unlock(&p->lock);
}

void
pages_end(struct pages *p, struct jb_text cookie)
{
    pthread_mutex_lock(&p->lock);
    struct slot *slot = find(p->sessions, SESSIONS_MAX, cookie);
    if (slot != NULL) {
        sodium_memzero(slot, sizeof *slot);
    }
    pthread_mutex_unlock(&p->lock);
}

unsigned
pages_count(struct pages *p)
{
    const int64_t at = now();
    unsigned n = 0;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        n += p->sessions[i].until > at;
    }
    pthread_mutex_unlock(&p->lock);
    return n;
}
