/*
 * Reads. Each route is a query of docs/json.md: what the path names and what stands behind the ?
 * are its members, read by the table of members, so that a query has no code of its own here.
 */
#include "reads.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "gateway.h"
#include "lang.h"
#include "parse.h"
#include "problem.h"
#include "queries.h"
#include "rows_json.h"

#define FOR_EVER WIRE("private, max-age=31536000, immutable")
#define ROWS_MAX 1000U /* of a page; of a history 10,000 */

/* ---- the query ---- */

static bool
parameter_bad(struct exchange *x, const char *sentence, struct jb_text name)
{
    char detail[400];
    snprintf(detail, sizeof detail, sentence, (int)(name.n > 40 ? 40 : name.n), name.s);
    problem(x, GATEWAY_PARAMETER, detail);
    return false;
}

/* Of those that the route's query has, and its path does not. */
static _Thread_local const struct exchange *near_of;

static bool in_path(const struct exchange *x, struct jb_text name);

static const char *
nth_parameter(unsigned i)
{
    const struct query_info *q =
        query_info_get(query_called(near_of->route->ask, strlen(near_of->route->ask)));
    for (unsigned k = 0; q != NULL && query_member_get(k) != NULL; k++) {
        const char *name = query_member_get(k)->name;
        if (((q->required | q->optional) & MEMBER(k)) != 0 && !in_path(near_of, jb_text_of(name)) &&
            i-- == 0) {
            return name;
        }
    }
    return NULL;
}

static bool
no_parameter(struct exchange *x, struct jb_text name)
{
    char detail[400];
    near_of = x;
    const char *near = nearest_word(name.s, name.n, nth_parameter);
    if (near == NULL) {
        return parameter_bad(x, tr("there is no parameter %.*s"), name);
    }
    snprintf(detail, sizeof detail, tr("there is no parameter %.*s; do you mean %s?"),
             (int)(name.n > 40 ? 40 : name.n), name.s, near);
    problem(x, GATEWAY_PARAMETER, detail);
    return false;
}

/* The names between { and } of the path, as members. */
static void
path_members(const struct exchange *x, struct out *o)
{
    size_t i = 0;
    for (const char *at = strchr(x->route->path, '{'); at != NULL && i < EXCHANGE_PARAMS;
         at = strchr(at + 1, '{'), i++) {
        const char *end = strchr(at, '}');
        (void)query_member_json(o, (struct jb_text){at + 1, (size_t)(end - at) - 1}, x->params[i]);
    }
}

static bool
in_path(const struct exchange *x, struct jb_text name)
{
    char braced[64];
    snprintf(braced, sizeof braced, "{%.*s}", (int)(name.n > 40 ? 40 : name.n), name.s);
    return strstr(x->route->path, braced) != NULL;
}

static bool
query_members(struct exchange *x, struct out *o)
{
    for (size_t i = 0; i < x->query_n; i++) {
        const struct jb_text name = x->query[i].name;
        for (size_t k = 0; k < i; k++) {
            if (x->query[k].name.n == name.n && memcmp(x->query[k].name.s, name.s, name.n) == 0) {
                return parameter_bad(x, tr("the parameter %.*s is there twice"), name);
            }
        }
        if (in_path(x, name)) {
            return parameter_bad(x, tr("%.*s stands in the path and is no parameter"), name);
        }
        if (!query_member_json(o, name, x->query[i].value)) {
            return no_parameter(x, name);
        }
    }
    return true;
}

static bool
query_allowed(struct exchange *x, const struct query *q)
{
    /* Whose a wallet is, is as personal as his name. */
    const bool of_people = q->people != 0 || q->name.s != NULL || q->master.s != NULL;
    if (of_people && !x->who->people) {
        problem(x, GATEWAY_FORBIDDEN,
                tr("it may not read personal texts: it lacks the scope people"));
        return false;
    }
    if (q->channel.s != NULL && x->who->wallets[0] != '\0') {
        problem(x, GATEWAY_FORBIDDEN, tr("it may see some wallets only, and a channel is none"));
        return false;
    }
    if (q->limit > ROWS_MAX && q->kind != QUERY_HISTORY) {
        problem(x, GATEWAY_PARAMETER, tr("limit is at most 1000 here"));
        return false;
    }
    return true;
}

/* Its texts lie in the pool. False: x has the problem. */
static bool
query_read(struct exchange *x, struct json_pool *pool, struct query *ret)
{
    struct out o = {.first = true};
    struct bad_line bad = {.column = 0};
    js_open(&o, NULL, '{');
    js_str(&o, "ask", x->route->ask);
    path_members(x, &o);
    bool ok = query_members(x, &o);
    js_close(&o, '}');
    if (ok && (o.no_memory || !query_from_json(pool, o.at, o.n, ret, &bad))) {
        problem(x, o.no_memory || bad.no_memory ? GATEWAY_NO_MEMORY : GATEWAY_PARAMETER,
                bad.message);
        ok = false;
    }
    free(o.at);
    return ok && query_allowed(x, ret);
}

/* ---- the answer ---- */

static jb_seq
head_seq(const struct asked *a)
{
    struct jb_head head = {.size = sizeof head};
    struct jb_error ignored;
    return jb_head_get(a->ledger, &head, &ignored) == JB_OK ? head.seq : 0;
}

/* What was as of an event never changes, but for texts that can be forgotten. */
static void
caching(struct exchange *x, const struct query *q, jb_seq head)
{
    const bool ever = q->as_of.kind == JB_AS_OF_SEQ && q->as_of.seq != 0 && q->as_of.seq <= head &&
                      q->people == 0 && q->name.s == NULL;
    exchange_set_header(x, "Cache-Control", ever ? FOR_EVER : WIRE("private, no-cache"));
}

void
reads_failed(struct exchange *x, const struct query *q, jb_status status,
             const struct jb_error *err)
{
    x->answer.body.n = 0;
    x->answer.body.first = true;
    x->over = status == JB_E_BUSY;
    if (status == JB_E_NOTFOUND && err->at != 0 && (q->cursor.s != NULL || q->kind == QUERY_FEED)) {
        problem(x, GATEWAY_CURSOR_AHEAD, err->text);
    } else {
        problem_status(x, status, err);
    }
}

static void
answer(struct exchange *x, const struct asked *a, const struct query *q)
{
    struct jb_error err = {.status = JB_OK};
    const struct query_info *info = query_info_get(q->kind);
    const jb_seq head = head_seq(a);
    const jb_status status = query_answer(a, q, &x->answer.body, &err);
    if (status != JB_OK) {
        reads_failed(x, q, status, &err);
        return;
    }
    caching(x, q, head);
    x->answer.seq = x->answer.body.as_of != 0 ? x->answer.body.as_of : head;
    exchange_answer(x, 200, info->lines ? "application/x-ndjson" : "application/json");
}

/* Each thread that reads queries has its pool for them as long as it lives. */
static pthread_key_t pool_key;
static pthread_once_t pool_once = PTHREAD_ONCE_INIT;

static void
pool_end(void *pool)
{
    json_pool_free(pool);
}

static void
pool_begin(void)
{
    (void)!pthread_key_create(&pool_key, pool_end);
}

static struct json_pool *
pool_of_thread(struct exchange *x)
{
    pthread_once(&pool_once, pool_begin);
    struct json_pool *pool = pthread_getspecific(pool_key);
    if (pool == NULL) {
        pool = json_pool_new();
        (void)!pthread_setspecific(pool_key, pool);
    }
    if (pool == NULL) {
        problem(x, GATEWAY_NO_MEMORY, NULL);
        return NULL;
    }
    json_pool_reset(pool);
    return pool;
}

bool
reads_query(struct exchange *x, struct query *ret)
{
    struct json_pool *pool = pool_of_thread(x);
    return pool != NULL && query_read(x, pool, ret);
}

enum handled
read_get(struct exchange *x)
{
    struct query q;
    SPEAK(x->lang);
    struct json_pool *pool = pool_of_thread(x);
    if (pool != NULL && query_read(x, pool, &q)) {
        answer(x, x->asked, &q);
    }
    return ANSWERED;
}

/* ---- a wallet ---- */

#define ETAG_BYTES 80

/* Whether the list of tags has that one, or is *. Weak ones are compared as strong ones are: the
 * answer is the same to the byte or it is another one. */
static bool
etag_listed(struct jb_text list, const char *etag)
{
    const size_t n = strlen(etag);
    if (list.n == 1 && list.s[0] == '*') {
        return true;
    }
    for (size_t i = 0; i + n <= list.n; i++) {
        const bool begins =
            i == 0 || list.s[i - 1] == ' ' || list.s[i - 1] == ',' || list.s[i - 1] == '/';
        const bool ends = i + n == list.n || list.s[i + n] == ' ' || list.s[i + n] == ',';
        if (begins && ends && memcmp(list.s + i, etag, n) == 0) {
            return true;
        }
    }
    return false;
}

/* At a grant's last day free cash falls, and no event says so: the version alone would lie. */
static void
etag_of(const struct jb_balance *b, char etag[ETAG_BYTES])
{
    snprintf(etag, ETAG_BYTES, "\"%llu.%lld.%lld\"", (unsigned long long)b->version,
             (long long)b->free, (long long)b->free_dormant);
}

static void
wallet_answer(struct exchange *x, const struct asked *a, const struct query *q)
{
    struct jb_wallet_balance w = {.size = sizeof w};
    struct wallet_name name;
    struct jb_error err = {.status = JB_OK};
    char etag[ETAG_BYTES];
    jb_status status = jb_balance_get(a->views, q->wallet, asked_as_of(q), &w, &err);
    if (status == JB_OK && x->who->people) {
        status = wallet_name_get(a->ledger, q->wallet, &name, &err);
    }
    if (status != JB_OK) {
        reads_failed(x, q, status, &err);
        return;
    }
    etag_of(&w.balance, etag);
    exchange_set_header(x, "ETag", etag);
    caching(x, q, x->who->people ? 0 : w.as_of.seq);
    x->answer.seq = w.as_of.seq;
    if (etag_listed(exchange_header(x, "If-None-Match"), etag)) {
        exchange_answer(x, 304, "application/json");
        return;
    }
    exchange_answer(x, 200, "application/json");
    balance_json(&x->answer.body, &w, x->who->people ? &name : NULL, a->utc_offset_s);
    js_line_end(&x->answer.body);
}

enum handled
wallet_get(struct exchange *x)
{
    struct query q;
    SPEAK(x->lang);
    struct json_pool *pool = pool_of_thread(x);
    if (pool != NULL && query_read(x, pool, &q)) {
        wallet_answer(x, x->asked, &q);
    }
    return ANSWERED;
}

/* ---- an event ---- */

/* The query "log" of one. */
enum handled
event_get(struct exchange *x)
{
    SPEAK(x->lang);
    struct json_pool *pool = pool_of_thread(x);
    struct query q;
    if (pool == NULL || !query_read(x, pool, &q)) {
        return ANSWERED;
    }
    q.limit = 1;
    answer(x, x->asked, &q);
    if (x->answer.status != 200) {
        return ANSWERED;
    }
    if (x->answer.body.n == 0) {
        problem(x, GATEWAY_NOT_FOUND, tr("the log has no event of that number"));
        return ANSWERED;
    }
    x->answer.seq = q.from;
    exchange_answer(x, 200, "application/json");
    if (q.people == 0) {
        exchange_set_header(x, "Cache-Control", FOR_EVER);
    }
    return ANSWERED;
}
