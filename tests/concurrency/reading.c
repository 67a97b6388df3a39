/*
 * Reading beside writers: queries of a handle with `sync_stores` store nothing, jb_views_sync does,
 * and another handle stands on what it stored; a query with a limit ends with JB_E_BUSY, and the
 * handle goes on.
 *
 *   reading
 *   reading --measure [SECONDS]   what a page of a history takes beside a writer, with and without
 */
#include <jangbu/projections.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "../library.h"

#define WALLETS 2000U
#define BATCH 500U

static void
submit(jb_ledger *l, const struct jb_command *c, size_t n)
{
    struct jb_error why;
    jb_answers *answers = jb_answers_new();
    must(jb_submit(l, c, n, NULL, answers, NULL, &why) == JB_OK, "a submission");
    jb_answers_free(answers);
}

static void
make_wallets(jb_ledger *l)
{
    static struct jb_command c[2 * WALLETS];
    static char ids[WALLETS][24];
    for (unsigned i = 0; i < WALLETS; i++) {
        snprintf(ids[i], sizeof ids[i], "W%u", i);
        jb_command_begin(&c[2 * i], JB_OP_WALLET_CREATE);
        jb_set_wallet(&c[2 * i], jb_text_of(ids[i]));
        jb_set_kind(&c[2 * i], JB_KIND_PERSONAL);
        jb_set_name(&c[2 * i], jb_text_of("name"));
        jb_command_begin(&c[2 * i + 1], JB_OP_CHARGE);
        jb_set_wallet(&c[2 * i + 1], jb_text_of(ids[i]));
        jb_set_charge(&c[2 * i + 1], jb_text_of("C"));
        jb_set_amount(&c[2 * i + 1], 100000000);
    }
    submit(l, c, 2 * WALLETS);
}

/* Consumptions; every fourth is of W0. */
static void
consume(jb_ledger *l, unsigned long *number)
{
    static struct jb_command c[BATCH];
    static char texts[BATCH][2][24];
    for (unsigned i = 0; i < BATCH; i++, ++*number) {
        snprintf(texts[i][0], sizeof texts[i][0], "W%lu", *number % 4 == 0 ? 0 : *number % WALLETS);
        snprintf(texts[i][1], sizeof texts[i][1], "U%lu", *number);
        jb_command_begin(&c[i], JB_OP_CONSUME);
        jb_set_wallet(&c[i], jb_text_of(texts[i][0]));
        jb_set_usage(&c[i], jb_text_of(texts[i][1]));
        jb_set_amount(&c[i], 1);
    }
    submit(l, c, BATCH);
}

static bool
each_row(void *data, const struct jb_history_row *row)
{
    (void)row;
    ++*(unsigned long *)data;
    return true;
}

static jb_status
history(jb_views *v, uint32_t limit, struct jb_error *why)
{
    unsigned long rows = 0;
    const jb_status status = jb_history_get(v, jb_text_of("W0"), JB_HISTORY_ALL, NULL, NULL, limit,
                                            each_row, &rows, NULL, NULL, why);
    must(status != JB_OK || rows > 0, "a history has rows");
    return status;
}

static jb_views *
open_with(jb_ledger *l, int64_t limit_us, bool quiet)
{
    jb_views *v;
    struct jb_views_options o = JB_SIZED(struct jb_views_options);
    o.limit_us = limit_us;
    o.sync_stores = quiet;
    good(jb_views_open_with(l, &o, &v, &err), "the projections");
    return v;
}

static jb_seq
stored(jb_views *v)
{
    struct jb_views_stat s = JB_SIZED(struct jb_views_stat);
    good(jb_views_stat_get(v, &s, &err), "what is stored");
    return s.stored_seq;
}

/* ---- what is stored ---- */

static void
check_stores(jb_ledger *l)
{
    unsigned long number = 0;
    jb_views *quiet = open_with(l, 0, true), *other = open_with(l, 0, true);
    struct jb_head head = JB_SIZED(struct jb_head);
    consume(l, &number);
    good(history(quiet, 5, &err), "a query");
    usleep(1100000); /* now it is due */
    consume(l, &number);
    good(history(quiet, 5, &err), "another one");
    must(stored(quiet) == 0, "a quiet query stores nothing");
    good(jb_views_sync(quiet, false, &err), "the keeper");
    good(jb_head_get(l, &head, &err), "the head");
    must(stored(quiet) == head.seq && stored(other) == head.seq, "the keeper stores what is due");
    good(history(other, 5, &err), "a handle stands on what another one stored");
    jb_views *plain = open_with(l, 0, false);
    consume(l, &number);
    good(history(plain, 5, &err), "a query");
    usleep(1100000);
    good(history(plain, 5, &err), "another one");
    good(jb_head_get(l, &head, &err), "the head");
    must(stored(plain) == head.seq, "a query of any other handle stores what is due");
    jb_views_close(plain);
    jb_views_close(other);
    jb_views_close(quiet);
}

/* ---- how long ---- */

static void
check_limit(jb_ledger *l)
{
    struct jb_views_options o = JB_SIZED(struct jb_views_options);
    jb_views *v = open_with(l, 1, false), *patient = open_with(l, 60000000, true), *none;
    must(history(v, 10000, &err) == JB_E_BUSY && strstr(err.text, "longer") != NULL,
         "a query that takes longer than it may");
    must(history(v, 10000, &err) == JB_E_BUSY, "and again");
    good(history(patient, 10000, &err), "one with time enough");
    jb_views_close(v);
    jb_views_close(patient);
    o.limit_us = -1;
    must(jb_views_open_with(l, &o, &none, &err) == JB_E_USAGE, "a limit below 0");
    o.limit_us = INT64_C(3600000001);
    must(jb_views_open_with(l, &o, &none, &err) == JB_E_USAGE, "a limit above an hour");
    o.limit_us = 0;
    o.reserved[3] = 1;
    must(jb_views_open_with(l, &o, &none, &err) == JB_E_USAGE, "what is not known yet");
}

/* ---- what it takes ---- */

static atomic_bool over;

struct beside {
    jb_ledger *l;
    jb_views *keeper;
    unsigned long number;
};

static void *
write_all(void *data)
{
    struct beside *b = data;
    while (!atomic_load(&over)) {
        consume(b->l, &b->number);
    }
    return NULL;
}

static void *
keep_all(void *data)
{
    struct beside *b = data;
    struct jb_error why;
    while (!atomic_load(&over)) {
        must(jb_views_sync(b->keeper, false, &why) == JB_OK, "the keeper");
        usleep(500000);
    }
    return NULL;
}

static int64_t
now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int
by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void
measure(const char *path, bool quiet, int64_t seconds)
{
    enum { MOST = 1000000 };
    static int64_t took[MOST];
    struct beside b = {.number = 0};
    pthread_t writer, keeper;
    size_t n = 0;
    good(jb_init(path, NULL, &err), "a ledger");
    good(jb_open(path, NULL, &b.l, &err), "opening it");
    make_wallets(b.l);
    jb_views *v = open_with(b.l, 0, quiet);
    b.keeper = open_with(b.l, 0, false);
    atomic_store(&over, false);
    must(pthread_create(&writer, NULL, write_all, &b) == 0, "a thread");
    must(!quiet || pthread_create(&keeper, NULL, keep_all, &b) == 0, "a thread");
    const int64_t end = now_us() + seconds * 1000000;
    while (now_us() < end && n < MOST) {
        const int64_t begin = now_us();
        good(history(v, 10, &err), "a page");
        took[n++] = now_us() - begin;
        usleep(200);
    }
    atomic_store(&over, true);
    pthread_join(writer, NULL);
    if (quiet) {
        pthread_join(keeper, NULL);
    }
    qsort(took, n, sizeof took[0], by_size);
    printf("%-12s %7lu events written, %6zu pages: p50 %lld us, p99 %lld, p99.9 %lld, max %lld\n",
           quiet ? "sync_stores" : "as it is", b.number, n, (long long)took[n / 2],
           (long long)took[n * 99 / 100], (long long)took[n * 999 / 1000], (long long)took[n - 1]);
    jb_views_close(v);
    jb_views_close(b.keeper);
    jb_close(b.l);
}

int
main(int argc, char **argv)
{
    char dir[64], path[80];
    const bool measured = argc > 1 && strcmp(argv[1], "--measure") == 0;
    if (measured) { /* on the disk: what is measured is its syncs */
        strcpy(dir, "/tmp/jangbu-reading-XXXXXX");
        make_scratch(dir);
        for (unsigned i = 0; i < 4; i++) {
            snprintf(path, sizeof path, "%s/l%u", dir, i);
            measure(path, i % 2 == 1, argc > 2 ? strtol(argv[2], NULL, 10) : 5);
        }
    } else {
        jb_ledger *l;
        make_quick_scratch(dir, "reading");
        snprintf(path, sizeof path, "%s/l", dir);
        good(jb_init(path, NULL, &err), "a ledger");
        good(jb_open(path, NULL, &l, &err), "opening it");
        make_wallets(l);
        check_stores(l);
        check_limit(l);
        jb_close(l);
    }
    remove_scratch(dir);
    return 0;
}
