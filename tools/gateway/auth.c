#include "auth.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "auth_inner.h"
#include "clock.h"
#include "gateway.h"
#include "lang.h"
#include "route.h"

/* What a principal may still ask for, in millionths of a request: it holds a second's worth, grows
 * with time, and may be below 0 after a batch. */
#define ONE_REQUEST INT64_C(1000000)
#define REFILL_US_MAX INT64_C(10000000000)

struct known {
    struct entry entry; /* the first: x->who is its first */
    struct table *table;
    pthread_mutex_t lock; /* of what follows */
    int64_t left, refilled_us;
};

/* What x->who is the first of. */
static struct known *
known_of(const struct principal *who)
{
    return (struct known *)(uintptr_t)who;
}

/* The file as it was read once; freed by whoever leaves it last. */
struct table {
    atomic_uint users;
    size_t n;
    struct known known[];
};

struct auth {
    char *path;
    bool owner;           /* who runs the daemon is somebody, without a line */
    pthread_mutex_t lock; /* of now */
    struct table *now;
    atomic_uint_fast64_t reading; /* that of now */
    atomic_uint_fast64_t refused;
};

/* ---- the table ---- */

static void
table_leave(struct table *t)
{
    if (t == NULL || atomic_fetch_sub(&t->users, 1) > 1) {
        return;
    }
    for (size_t i = 0; i < t->n; i++) {
        pthread_mutex_destroy(&t->known[i].lock);
    }
    sodium_memzero(t->known, t->n * sizeof *t->known);
    free(t);
}

static bool
same_proof(const struct entry *a, const struct entry *b)
{
    return a->by_uid == b->by_uid &&
           (a->by_uid ? a->uid == b->uid : sodium_memcmp(a->hash, b->hash, sizeof a->hash) == 0);
}

/* A name, or a proof, that stands there twice would be somebody else than its owner thinks. */
static bool
table_add(struct table *t, const struct entry *entry, char *why, size_t size)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct entry *other = &t->known[i].entry;
        if (same_proof(other, entry) || strcmp(other->who.name, entry->who.name) == 0) {
            snprintf(why, size, tr("%s and %s have one name, or one proof"), entry->who.name,
                     other->who.name);
            return false;
        }
    }
    struct known *k = &t->known[t->n++];
    *k = (struct known){.entry = *entry,
                        .table = t,
                        .left = (int64_t)entry->who.rate * ONE_REQUEST,
                        .refilled_us = now_us()};
    struct principal *who = &k->entry.who;
    who->by_uid = entry->by_uid;
    memcpy(who->proof, entry->by_uid ? (const void *)&entry->uid : entry->hash,
           entry->by_uid ? sizeof entry->uid : sizeof entry->hash);
    pthread_mutex_init(&k->lock, NULL);
    return true;
}

static jb_status
table_fail(const char *path, size_t line, const char *why, struct jb_error *err)
{
    *err = (struct jb_error){.status = JB_E_USAGE};
    snprintf(err->text, sizeof err->text, "%s:%zu: %s", path, line, why);
    return JB_E_USAGE;
}

static jb_status
table_read_lines(const char *path, char *text, struct table *t, struct jb_error *err)
{
    size_t number = 1;
    for (char *line = text; line != NULL; number++) {
        char *end = strchr(line, '\n');
        struct entry entry;
        bool empty;
        char why[300];
        if (end != NULL) {
            *end++ = '\0';
        }
        if (!token_line_read(line, &entry, &empty, why, sizeof why) ||
            (!empty && !table_add(t, &entry, why, sizeof why))) {
            return table_fail(path, number, why, err);
        }
        line = end;
    }
    return JB_OK;
}

/* Whom the files belong to can do all of it without the daemon, so he may do it here: as `jangbu`
 * does, without a caller. A line with his uid says otherwise. */
static void
table_add_owner(struct table *t)
{
    struct entry owner = {.by_uid = true, .uid = (uint32_t)geteuid()};
    struct principal *who = &owner.who;
    char ignored[300];
    snprintf(who->name, sizeof who->name, "owner");
    who->read = who->write = who->people = who->ops = who->keyless = who->page = true;
    memset(who->op_mask, 0xff, sizeof who->op_mask);
    who->ask_mask = UINT64_MAX;
    (void)table_add(t, &owner, ignored, sizeof ignored);
}

static size_t
lines_of(const char *text)
{
    size_t n = 1;
    for (const char *at = strchr(text, '\n'); at != NULL; at = strchr(at + 1, '\n')) {
        n++;
    }
    return n;
}

static jb_status
table_read(const char *path, bool owner, struct table **ret, struct jb_error *err)
{
    char *text = NULL;
    size_t n = 0;
    jb_status status = path != NULL ? token_file_read(path, &text, &n, err) : JB_OK;
    if (status != JB_OK) {
        return status;
    }
    const size_t lines = text != NULL ? lines_of(text) : 0;
    struct table *t = calloc(1, sizeof *t + (lines + 1) * sizeof t->known[0]);
    if (t == NULL) {
        *err = (struct jb_error){.status = JB_E_NOMEM};
        snprintf(err->text, sizeof err->text, "%s", tr("no memory"));
        status = JB_E_NOMEM;
    } else {
        atomic_init(&t->users, 1);
        status = text != NULL ? table_read_lines(path, text, t, err) : JB_OK;
        if (owner) {
            table_add_owner(t);
        }
    }
    free(text);
    if (status != JB_OK) {
        table_leave(t);
        return status;
    }
    *ret = t;
    return JB_OK;
}

/* From here on it is the table of now. Under the lock, or before there are others. */
static void
table_begin(struct auth *a, struct table *t)
{
    const uint64_t reading = atomic_load(&a->reading) + 1;
    for (size_t i = 0; i < t->n; i++) {
        t->known[i].entry.who.reading = reading;
    }
    a->now = t;
    atomic_store(&a->reading, reading);
}

/* Held until table_leave. */
static struct table *
table_now(struct auth *a)
{
    pthread_mutex_lock(&a->lock);
    struct table *t = a->now;
    atomic_fetch_add(&t->users, 1);
    pthread_mutex_unlock(&a->lock);
    return t;
}

struct auth *
auth_open(const char *path, bool owner, struct jb_error *err)
{
    struct auth *a = calloc(1, sizeof *a);
    const bool named = path != NULL && path[0] != '\0';
    if (a == NULL || sodium_init() < 0 || (named && (a->path = strdup(path)) == NULL)) {
        *err = (struct jb_error){.status = JB_E_NOMEM};
        snprintf(err->text, sizeof err->text, "%s", tr("no memory"));
        free(a);
        return NULL;
    }
    a->owner = owner;
    pthread_mutex_init(&a->lock, NULL);
    struct table *t;
    if (table_read(a->path, a->owner, &t, err) != JB_OK) {
        return auth_close(a);
    }
    table_begin(a, t);
    return a;
}

jb_status
auth_reload(struct auth *a, struct jb_error *err)
{
    struct table *fresh;
    const jb_status status = table_read(a->path, a->owner, &fresh, err);
    if (status != JB_OK) {
        return status;
    }
    pthread_mutex_lock(&a->lock);
    struct table *old = a->now;
    table_begin(a, fresh);
    pthread_mutex_unlock(&a->lock);
    table_leave(old);
    return JB_OK;
}

struct auth *
auth_close(struct auth *a)
{
    if (a != NULL) {
        table_leave(a->now);
        pthread_mutex_destroy(&a->lock);
        free(a->path);
        free(a);
    }
    return NULL;
}

uint64_t
auth_refused(const struct auth *a)
{
    return atomic_load(&a->refused);
}

/* ---- who ---- */

/* Every line is compared whole, whichever fits: how long it takes tells nothing. */
static struct known *
by_token(struct table *t, struct jb_text token)
{
    uint8_t hash[TOKEN_HASH_BYTES];
    struct known *found = NULL;
    token_hash(token.s, token.n, hash);
    for (size_t i = 0; i < t->n; i++) {
        struct known *k = &t->known[i];
        const bool same = sodium_memcmp(hash, k->entry.hash, sizeof hash) == 0;
        found = same && !k->entry.by_uid ? k : found;
    }
    return found;
}

static struct known *
by_uid(struct table *t, uint32_t uid)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->known[i].entry.by_uid && t->known[i].entry.uid == uid) {
            return &t->known[i];
        }
    }
    return NULL;
}

static struct known *
who_asks(struct table *t, const struct exchange *x)
{
    static const char scheme[] = "Bearer ";
    const size_t scheme_n = sizeof scheme - 1;
    const unsigned given = exchange_header_count(x, "Authorization");
    struct jb_text header = exchange_header(x, "Authorization");
    uint32_t uid;
    if (given == 0) {
        return exchange_peer_uid(x, &uid) ? by_uid(t, uid) : NULL;
    }
    if (given > 1 || header.n <= scheme_n || strncasecmp(header.s, scheme, scheme_n) != 0) {
        return NULL;
    }
    return by_token(t, (struct jb_text){header.s + scheme_n, header.n - scheme_n});
}

/* ---- what he may ---- */

bool
auth_wallet(const struct principal *who, struct jb_text wallet)
{
    const size_t n = strlen(who->wallets);
    return wallet.n >= n && (n == 0 || memcmp(wallet.s, who->wallets, n) == 0);
}

/* The wallet that the path names; s NULL: none. */
static struct jb_text
path_wallet(const struct exchange *x)
{
    size_t i = 0;
    for (const char *at = strchr(x->route->path, '{'); at != NULL && i < EXCHANGE_PARAMS;
         at = strchr(at + 1, '{'), i++) {
        if (strncmp(at, "{wallet}", 8) == 0) {
            return x->params[i];
        }
    }
    return (struct jb_text){NULL, 0};
}

static bool
may_ask(const struct principal *who, const struct route *route)
{
    const char *ask = route->ask;
    return who->read && (ask == NULL || (who->ask_mask >> query_called(ask, strlen(ask)) & 1) != 0);
}

/* NULL: he may; else why not. */
static const char *
refused(const struct exchange *x)
{
    const struct principal *who = x->who;
    const struct jb_text wallet = path_wallet(x);
    switch (x->route->access) {
    case ACCESS_NONE:
    case ACCESS_PAGE:
        return NULL;
    case ACCESS_OPS:
        return who->ops ? NULL : tr("it may not ask how the daemon is: it lacks the scope ops");
    case ACCESS_WRITE:
        return who->write ? NULL : tr("it may not write: it has the scope of no command");
    case ACCESS_READ:
        if (wallet.s != NULL && !auth_wallet(who, wallet)) {
            return tr("that wallet is none of its");
        }
        break;
    case ACCESS_READ_OPS:
        if (!who->ops) {
            return tr("it may not ask how the daemon is: it lacks the scope ops");
        }
        if (who->wallets[0] != '\0') {
            return tr("it may see some wallets only, and this is of all");
        }
        break;
    case ACCESS_READ_ALL:
        if (who->wallets[0] != '\0') {
            return tr("it may see some wallets only, and this is of all");
        }
        break;
    }
    return may_ask(who, x->route)
               ? NULL
               : tr("it may not read that: it lacks the scope of that query, and read");
}

/* ---- how often ---- */

static void
refill(struct known *k)
{
    const int64_t now = now_us(), full = (int64_t)k->entry.who.rate * ONE_REQUEST;
    int64_t us = now - k->refilled_us;
    us = us > REFILL_US_MAX ? REFILL_US_MAX : us;
    k->refilled_us = now;
    k->left += us * (int64_t)k->entry.who.rate;
    k->left = k->left > full ? full : k->left;
}

static void
rate_headers(struct exchange *x, uint32_t rate, int64_t left, bool over)
{
    char text[64];
    const int64_t needed = left < ONE_REQUEST ? ONE_REQUEST - left : 0;
    const int64_t wait = (needed / rate + ONE_REQUEST - 1) / ONE_REQUEST;
    snprintf(text, sizeof text, "\"default\";q=%u;w=1", rate);
    exchange_set_header(x, "RateLimit-Policy", text);
    snprintf(text, sizeof text, "\"default\";r=%lld;t=%lld",
             (long long)(left > 0 ? left / ONE_REQUEST : 0), (long long)(wait > 0 ? wait : 1));
    exchange_set_header(x, "RateLimit", text);
    if (over) {
        snprintf(text, sizeof text, "%lld", (long long)(wait > 0 ? wait : 1));
        exchange_set_header(x, "Retry-After", text);
    }
}

/* False: it is over his rate. */
static bool
within_rate(struct known *k, int64_t *ret_left)
{
    pthread_mutex_lock(&k->lock);
    refill(k);
    const bool ok = k->left >= ONE_REQUEST;
    k->left -= ok ? ONE_REQUEST : 0;
    *ret_left = k->left;
    pthread_mutex_unlock(&k->lock);
    return ok;
}

void
auth_spend(const struct principal *who, uint64_t n)
{
    struct known *k = known_of(who);
    if (who->rate > 0) {
        pthread_mutex_lock(&k->lock);
        k->left -= (int64_t)n * ONE_REQUEST;
        pthread_mutex_unlock(&k->lock);
    }
}

/* ---- a request ---- */

bool
auth_admit(struct auth *a, struct exchange *x)
{
    const enum access access = x->route->access;
    SPEAK(x->lang);
    if (access == ACCESS_NONE || access == ACCESS_PAGE ||
        (access == ACCESS_OPS && exchange_operations(x))) {
        return true;
    }
    struct table *t = table_now(a);
    struct known *k = who_asks(t, x);
    if (k == NULL) {
        table_leave(t);
        atomic_fetch_add(&a->refused, 1);
        problem(x, GATEWAY_UNAUTHENTICATED, NULL);
        return false;
    }
    x->who = &k->entry.who;
    int64_t left;
    if (x->who->rate > 0) {
        const bool ok = within_rate(k, &left);
        if (!ok) {
            problem(x, GATEWAY_RATE, NULL);
        }
        rate_headers(x, x->who->rate, left, !ok);
        if (!ok) {
            return false;
        }
    }
    const char *why = refused(x);
    if (why != NULL) {
        problem(x, GATEWAY_FORBIDDEN, why);
    }
    return why == NULL;
}

void
auth_leave(struct auth *a, struct exchange *x)
{
    (void)a;
    if (x->who != NULL) {
        struct known *k = known_of(x->who);
        x->who = NULL;
        table_leave(k->table);
    }
}

bool
auth_token(struct auth *a, struct jb_text token, struct principal *ret)
{
    struct table *t = table_now(a);
    const struct known *k = by_token(t, token);
    if (k != NULL) {
        *ret = k->entry.who;
    } else {
        atomic_fetch_add(&a->refused, 1);
    }
    const bool found = k != NULL;
    table_leave(t);
    return found;
}

/* ---- what lasts longer than a request ---- */

/* Whoever has another name, or another token, is somebody else. NULL: he is there no more. */
static struct known *
known_again(struct table *t, const struct principal *was)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct principal *who = &t->known[i].entry.who;
        if (strcmp(who->name, was->name) == 0 && who->by_uid == was->by_uid &&
            sodium_memcmp(who->proof, was->proof, sizeof who->proof) == 0) {
            return &t->known[i];
        }
    }
    return NULL;
}

enum gateway_code
auth_still(struct auth *a, struct exchange *x)
{
    if (x->who == NULL || x->who->reading == atomic_load(&a->reading)) {
        return 0;
    }
    struct table *t = table_now(a), *was = known_of(x->who)->table;
    const struct known *k = known_again(t, x->who);
    if (k == NULL) {
        table_leave(t);
        return GATEWAY_UNAUTHENTICATED;
    }
    x->who = &k->entry.who;
    table_leave(was);
    return refused(x) == NULL ? 0 : GATEWAY_FORBIDDEN;
}

bool
auth_renew(struct auth *a, struct principal *who)
{
    if (who->reading == 0 || who->reading == atomic_load(&a->reading)) {
        return true;
    }
    struct table *t = table_now(a);
    const struct known *k = known_again(t, who);
    const bool there = k != NULL;
    if (there) {
        *who = k->entry.who;
    }
    table_leave(t);
    return there;
}

/* ---- commands ---- */

static bool
word_is(struct jb_text t, const char *word)
{
    return strlen(word) == t.n && memcmp(word, t.s, t.n) == 0;
}

/* A master may act as a member, and everybody for himself; nobody as more than his own role. */
static bool
role_within(const char *cap, struct jb_text role)
{
    return word_is(role, cap) || word_is(role, "SELF") ||
           (strcmp(cap, "MASTER") == 0 && word_is(role, "MEMBER")) ||
           (strcmp(cap, "CHANNEL_MASTER") == 0 && word_is(role, "MANAGER"));
}

static const char *
command_refused(const struct principal *who, struct jb_command *c)
{
    const uint32_t op = (uint32_t)c->op;
    if (c->op != JB_OP_ATOMIC && (who->op_mask[op / 64] >> (op % 64) & 1) == 0) {
        return tr("it may not give that command: it lacks the scope of that name, and write");
    }
    if (who->wallets[0] != '\0' && c->op != JB_OP_ATOMIC &&
        ((c->has & JB_HAS(JB_CF_WALLET)) == 0 || !auth_wallet(who, c->wallet))) {
        return tr("it may give commands on some wallets only, and not on that");
    }
    if (who->role[0] != '\0' && (c->has & JB_HAS(JB_CF_ACTOR)) != 0) {
        const struct jb_text cap = {who->role, strlen(who->role)};
        if (c->actor_role.s != NULL && !role_within(who->role, c->actor_role)) {
            return tr("the actor's role is not within that of the token");
        }
        c->actor_role = c->actor_role.s != NULL ? c->actor_role : cap;
    }
    return NULL;
}

enum gateway_code
auth_command(const struct principal *who, struct jb_command *c, char *why, size_t size)
{
    const char *no = command_refused(who, c);
    for (size_t i = 0; i < c->commands_n && no == NULL; i++) {
        /* The members lie where the body was read to. */
        no = command_refused(who, (struct jb_command *)(uintptr_t)&c->commands[i]);
    }
    if (no != NULL) {
        snprintf(why, size, "%s", no);
        return GATEWAY_FORBIDDEN;
    }
    if ((c->has & JB_HAS(JB_CF_KEY)) != 0) {
        jb_set_caller(c, (struct jb_text){who->caller, strlen(who->caller)});
    }
    return 0;
}
