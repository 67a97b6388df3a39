/*
 * libjangbu-json from C: more threads than a handle keeps memory for, what it keeps at rest, a wait
 * that another thread's close ends, NULL in every place, and a program that uses jansson itself.
 * What the answers say is held by tests/json/run.py; here sanitizers look on.
 */
#include <jangbu/json.h>

#include <jansson.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "../check.h"

#define THREADS 12
#define ROUNDS 40

static char dir[] = "/tmp/jangbu-json-XXXXXX";
static char path[64];

static bool
says(const char *text, const char *what)
{
    return text != NULL && strstr(text, what) != NULL;
}

/* The status is what is expected, and so is the text, which is given back. */
static void
expect(jb_status status, jb_status wanted, const char *text, const char *what)
{
    if (status != wanted || !says(text, what)) {
        fprintf(stderr, "%d, not %d: %s\n", (int)status, (int)wanted, text != NULL ? text : "NULL");
        exit(1);
    }
    jb_json_text_free(text);
}

static void
apply(jb_json *j, const char *line, const char *what)
{
    const char *text;
    size_t n;
    jb_status status = jb_json_apply(j, line, strlen(line), NULL, &text, &n);
    must(strlen(text) == n, "a text is not as long as it says");
    expect(status, JB_OK, text, what);
}

static void
ask(jb_json *j, const char *query, jb_status wanted, const char *what)
{
    const char *text;
    jb_status status = jb_json_ask(j, query, strlen(query), &text, NULL);
    expect(status, wanted, text, what);
}

static jb_json *
open_it(const char *options)
{
    jb_json *j;
    const char *text;
    jb_status status = jb_json_open(path, options, &j, &text);
    expect(status, JB_OK, text, "\"currency\":\"KRW\"");
    must(j != NULL, "no handle");
    return j;
}

/* ---- threads ---- */

struct customer {
    pthread_t thread;
    jb_json *j;
    int number;
};

static void *
serve(void *data)
{
    struct customer *c = data;
    char line[200], what[80];
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(line, sizeof line,
                 "{\"op\":\"charge\",\"wallet\":\"W%d\",\"charge\":\"C%d\",\"amount\":1000,\"key\":"
                 "\"%d-%d\"}",
                 c->number, i, c->number, i);
        snprintf(what, sizeof what, "\"ok\":true,\"line\":1,\"key\":\"%d-%d\"", c->number, i);
        apply(c->j, line, what);
        snprintf(line, sizeof line, "{\"ask\":\"balance\",\"wallet\":\"W%d\"}", c->number);
        snprintf(what, sizeof what, "\"paid\":%d,", (i + 1) * 1000);
        ask(c->j, line, JB_OK, what);
        ask(c->j, "{\"ask\":\"nothing\"}", JB_E_USAGE, "there is no query nothing");
    }
    return NULL;
}

static void
threads(jb_json *j)
{
    struct customer customers[THREADS];
    char line[120];
    for (int i = 0; i < THREADS; i++) {
        snprintf(
            line, sizeof line,
            "{\"op\":\"wallet.create\",\"wallet\":\"W%d\",\"kind\":\"PERSONAL\",\"name\":\"w\"}",
            i);
        apply(j, line, "\"ok\":true");
        customers[i] = (struct customer){.j = j, .number = i};
    }
    for (int i = 0; i < THREADS; i++) {
        must(pthread_create(&customers[i].thread, NULL, serve, &customers[i]) == 0, "no thread");
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(customers[i].thread, NULL);
    }
}

/* ---- at rest ---- */

#define MEMBERS 4000

/* Bytes that this process has from malloc; always 0 with a sanitizer. */
static size_t
in_use(void)
{
    const struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static void
rest(jb_json *j)
{
    const size_t cap = MEMBERS * 80;
    char *group = malloc(cap);
    must(group != NULL, "no memory");
    const size_t before = in_use();
    size_t n = (size_t)snprintf(group, cap, "{\"op\":\"atomic\",\"commands\":[");
    for (int i = 0; i < MEMBERS; i++) {
        n += (size_t)snprintf(
            group + n, cap - n,
            "%s{\"op\":\"consume\",\"wallet\":\"W1\",\"usage\":\"R%d\",\"amount\":1}",
            i > 0 ? "," : "", i);
    }
    snprintf(group + n, cap - n, "]}");
    apply(j, group, "\"ok\":true");
    ask(j, "{\"ask\":\"log\",\"limit\":10000}", JB_OK, "\"seq\":1,");
    const size_t after = in_use();
    must(after < before + (2U << 20), "a handle at rest holds what a large group took");
    free(group);
}

/* ---- waiting ---- */

static atomic_int waits;

static void *
wait_for_the_end(void *data)
{
    atomic_fetch_add(&waits, 1);
    ask(data, "{\"ask\":\"wait\",\"after\":1000000,\"timeout_us\":9000000000000}", JB_E_USAGE,
        "jb_wait_end");
    return NULL;
}

/* Asks it at any distance from the end of waiting: before it, or after it. */
static void
end_waits(jb_json *j, useconds_t after_us)
{
    pthread_t threads[THREADS];
    atomic_store(&waits, 0);
    for (int i = 0; i < THREADS; i++) {
        must(pthread_create(&threads[i], NULL, wait_for_the_end, j) == 0, "no thread");
    }
    while (atomic_load(&waits) == 0) {
        usleep(20);
    }
    usleep(after_us);
    jb_json_wait_end(j);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    ask(j, "{\"ask\":\"wait\",\"after\":0}", JB_E_USAGE, "jb_wait_end");
    ask(j, "{\"ask\":\"balance\",\"wallet\":\"W3\"}", JB_OK, "\"paid\":40000,");
}

static void
waiting(jb_json *j)
{
    ask(j, "{\"ask\":\"wait\",\"after\":0}", JB_OK, "\"more\":true");
    ask(j, "{\"ask\":\"wait\",\"after\":1000000,\"timeout_us\":1000}", JB_OK, "\"more\":false");
    for (useconds_t i = 0; i < 20; i++) {
        end_waits(j, i * i * i * 10); /* to 70 ms: then all of them wait */
        must(jb_json_close(j) == NULL, "close gives NULL");
        j = open_it(NULL);
    }
    jb_json_close(j);
}

/* ---- NULL ---- */

static void
nothing(jb_json *j)
{
    const char *text;
    jb_status status;
    jb_json *other;
    status = jb_json_open(NULL, NULL, &other, &text);
    expect(status, JB_E_USAGE, text, "may not be NULL");
    status = jb_json_open(path, NULL, NULL, &text);
    expect(status, JB_E_USAGE, text, "may not be NULL");
    must(jb_json_open(path, NULL, &other, NULL) == JB_E_USAGE && other == NULL,
         "open without a text");
    status = jb_json_apply(NULL, "", 0, NULL, &text, NULL);
    expect(status, JB_E_USAGE, text, "may not be NULL");
    status = jb_json_apply(j, NULL, 5, NULL, &text, NULL);
    expect(status, JB_E_USAGE, text, "may not be NULL");
    status = jb_json_apply(j, NULL, 0, NULL, &text, NULL);
    expect(status, JB_OK, text, "");
    must(jb_json_apply(j, "", 0, NULL, NULL, NULL) == JB_E_USAGE, "apply without a text");
    status = jb_json_ask(NULL, "{}", 2, &text, NULL);
    expect(status, JB_E_USAGE, text, "may not be NULL");
    status = jb_json_ask(j, NULL, 0, &text, NULL);
    expect(status, JB_E_USAGE, text, "may not be NULL");
    must(jb_json_ask(j, "{}", 2, NULL, NULL) == JB_E_USAGE, "ask without a text");
    jb_json_wait_end(NULL);
    must(jb_json_close(NULL) == NULL, "nothing closed");
    jb_json_text_free(NULL);
}

/* ---- a small stack ---- */

/* As docs/json.md says; a sanitizer's frames are larger. */
#define STACK_BYTES ((size_t)256 << 10)

static void
nested(jb_json *j, const char *begin, const char *open, const char *close, size_t depth)
{
    const size_t n = strlen(begin) + depth * (strlen(open) + strlen(close)) + 3;
    char *line = malloc(n + 1);
    const char *text;
    must(line != NULL, "no memory");
    char *at = line + snprintf(line, n, "%s", begin);
    for (size_t i = 0; i < depth; i++) {
        at += snprintf(at, n - (size_t)(at - line), "%s", open);
    }
    at += snprintf(at, n - (size_t)(at - line), "1");
    for (size_t i = 0; i < depth; i++) {
        at += snprintf(at, n - (size_t)(at - line), "%s", close);
    }
    at += snprintf(at, n - (size_t)(at - line), "}");
    const jb_status status = jb_json_apply(j, line, (size_t)(at - line), NULL, &text, NULL);
    expect(status, JB_OK, text, "\"ok\":false");
    free(line);
}

static void *
on_a_small_stack(void *data)
{
    jb_json **j = data;
    *j = open_it(NULL);
    for (size_t depth = 2000; depth < 2100; depth += 40) { /* jansson ends at 2,048 */
        nested(*j, "{\"op\":\"consume\",\"note\":", "[", "]", depth);
        nested(*j, "{\"op\":\"consume\",\"note\":", "{\"a\":", "}", depth);
    }
    ask(*j, "{\"ask\":\"explain\",\"wallet\":\"W3\"}", JB_OK, "\"total_now\":");
    ask(*j, "{\"ask\":\"totals\"}", JB_OK, "\"wallets\":");
    *j = jb_json_close(*j);
    return NULL;
}

static void
small_stack(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    jb_json *j = NULL;
    pthread_attr_init(&attributes);
    must(SANITIZED || pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0, "no stack");
    must(pthread_create(&thread, &attributes, on_a_small_stack, &j) == 0, "no thread");
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
}

/* ---- jansson ---- */

static atomic_long taken, given;

static void *
my_malloc(size_t n)
{
    atomic_fetch_add(&taken, 1);
    return malloc(n);
}

static void
my_free(void *at)
{
    atomic_fetch_add(&given, at != NULL);
    free(at);
}

int
main(void)
{
    make_scratch(dir);
    snprintf(path, sizeof path, "%s/ledger", dir);
    /* Who uses jansson, too, keeps its memory: what was made before, and what is made after. */
    json_set_alloc_funcs(my_malloc, my_free);
    json_t *before = json_pack("{s:[i,i]}", "a", 1, 2);
    jb_json *j = open_it("{\"init\":{}}");
    const long had = atomic_load(&taken);
    json_t *after = json_pack("{s:[i,i]}", "a", 1, 2);
    must(atomic_load(&taken) > had && json_equal(before, after), "jansson's memory is another's");

    nothing(j);
    threads(j);
    ask(j, "{\"ask\":\"balance\",\"wallet\":\"W3\"}", JB_OK, "\"paid\":40000,");
    rest(j);

    json_decref(before);
    json_decref(after);
    must(atomic_load(&taken) == atomic_load(&given), "jansson's memory was lost");
    waiting(j);
    j = open_it("{\"read_only\":true}");
    ask(j, "{\"ask\":\"balance\",\"wallet\":\"W3\"}", JB_OK, "\"paid\":40000,");
    jb_json_close(j);
    small_stack();
    remove_scratch(dir);
    puts("calls: all as it should be");
    return 0;
}
