/*
 * What following, checking and asking a long log costs: bench_views make EVENTS WALLETS DAYS DIR
 * makes a ledger with that many consumptions, each with a usage of its own, on so many days that
 * are closed; with `keys` behind it each has a key, too, with `open` the last day stays open.
 * bench_views WORK DIR does one thing to it and says what it took:
 *
 *   follow     the projections from nothing (views.mdb is removed first)
 *   audit      a whole audit
 *   rebuild    both projections anew
 *   replay     balances of all wallets from the log alone, its chain verified
 *   history    a first page of charges, of the wallets in turn
 *   oldest     the same, oldest first
 *   explain    W0's total, as of now and as of the event before the last thousand
 */
#include <jangbu/replay.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "asked.h"

#define BATCH 8192
#define LOOKS 500

static struct jb_error err;

static void
must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s: %s\n", what, err.text);
        exit(1);
    }
}

static int64_t
now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- making ---- */

static struct jb_command commands[BATCH];
static char texts[BATCH][3][24];
static bool keyed, last_open;
static jb_instant the_time = INT64_C(1767193200000000); /* 2026-01-01 in Korea */

static jb_instant
clock_of(void *data)
{
    (void)data;
    return the_time;
}

static void
submit(jb_ledger *l, jb_answers *answers, size_t n)
{
    must(n == 0 || jb_submit(l, commands, n, NULL, answers, NULL, &err) == JB_OK, "submit");
    for (size_t i = 0; i < n; i++) {
        must(jb_answers_at(answers, i)->outcome == JB_DONE, "a command was refused");
    }
}

static void
make_wallets(jb_ledger *l, jb_answers *answers, uint32_t wallets)
{
    size_t n = 0;
    for (uint32_t i = 0; i < wallets; i++) {
        snprintf(texts[n][0], sizeof texts[n][0], "W%u", i);
        jb_command_begin(&commands[n], JB_OP_WALLET_CREATE);
        jb_set_wallet(&commands[n], jb_text_of(texts[n][0]));
        jb_set_kind(&commands[n], JB_KIND_PERSONAL);
        jb_set_name(&commands[n], jb_text_of("bench"));
        jb_command_begin(&commands[n + 1], JB_OP_CHARGE);
        jb_set_wallet(&commands[n + 1], jb_text_of(texts[n][0]));
        jb_set_charge(&commands[n + 1], jb_text_of("C1"));
        jb_set_amount(&commands[n + 1], INT64_C(1000000000000));
        n += 2;
        if (n + 2 > BATCH || i + 1 == wallets) {
            submit(l, answers, n);
            n = 0;
        }
    }
}

static void
consume(jb_ledger *l, jb_answers *answers, uint64_t *number, uint64_t events, uint32_t wallets)
{
    for (uint64_t end = *number + events; *number < end;) {
        size_t n = 0;
        for (; n < BATCH && *number < end; n++, ++*number) {
            struct jb_command *c = &commands[n];
            snprintf(texts[n][0], sizeof texts[n][0], "W%u",
                     (unsigned)(*number * UINT64_C(2654435761) % wallets));
            snprintf(texts[n][1], sizeof texts[n][1], "U%09llu", (unsigned long long)*number);
            jb_command_begin(c, JB_OP_CONSUME);
            jb_set_wallet(c, jb_text_of(texts[n][0]));
            jb_set_usage(c, jb_text_of(texts[n][1]));
            jb_set_amount(c, 1 + (jb_amount)(*number % 60000));
            if (keyed) {
                snprintf(texts[n][2], sizeof texts[n][2], "K%09llu", (unsigned long long)*number);
                jb_set_key(c, jb_text_of(texts[n][2]));
            }
        }
        the_time += 1000000;
        submit(l, answers, n);
    }
}

static void
make(uint64_t events, uint32_t wallets, uint32_t days, const char *dir)
{
    const struct jb_open_options o = {.size = sizeof o, .now = clock_of};
    const struct jb_init_options i = {.size = sizeof i};
    jb_ledger *l = NULL;
    jb_answers *answers = jb_answers_new();
    uint64_t number = 0;
    must(answers != NULL, "no memory");
    must(jb_init(dir, &i, &err) == JB_OK && jb_open(dir, &o, &l, &err) == JB_OK, dir);
    make_wallets(l, answers, wallets);
    for (uint32_t day = 0; day < days; day++) {
        consume(l, answers, &number, events / days, wallets);
        if (last_open && day + 1 == days) {
            break;
        }
        the_time = INT64_C(1767193200000000) + (day + 1) * INT64_C(86400000000);
        jb_command_begin(&commands[0], JB_OP_DAY_CLOSE);
        jb_set_day(&commands[0], jb_day_of(the_time - 1, 32400));
        submit(l, answers, 1);
    }
    jb_close(l);
    jb_answers_free(answers);
}

/* ---- work ---- */

static uint64_t
events_of(jb_ledger *l)
{
    struct jb_head head = JB_SIZED(struct jb_head);
    must(jb_head_get(l, &head, &err) == JB_OK, "head");
    return head.seq;
}

static uint64_t
follow(const char *dir)
{
    char path[4096];
    jb_ledger *l;
    jb_views *v = NULL;
    snprintf(path, sizeof path, "%s/views.mdb", dir);
    unlink(path);
    must(jb_open(dir, NULL, &l, &err) == JB_OK && jb_views_open(l, &v, &err) == JB_OK, dir);
    const int64_t began = now_ns(CLOCK_MONOTONIC), cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    must(jb_views_sync(v, true, &err) == JB_OK, "views");
    const uint64_t events = events_of(l);
    const int64_t took = now_ns(CLOCK_MONOTONIC) - began,
                  used = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("%.2f s, %.2f s of the processor: %.3f M/s by the clock, %.3f M/s by the processor; "
           "with the opening of the ledger, ",
           (double)took / 1e9, (double)used / 1e9, (double)events * 1e3 / (double)took,
           (double)events * 1e3 / (double)used);
    jb_views_close(v);
    jb_close(l);
    return events;
}

static uint64_t
audit(const char *dir)
{
    struct jb_audit_report *r;
    must(jb_audit(dir, NULL, &r, &err) == JB_OK, "audit");
    const uint64_t events = r->events;
    if (r->verdict != JB_VERIFIED) {
        printf("NOT VERIFIED (%u), ", (unsigned)r->verdict);
    }
    jb_audit_report_free(r);
    return events;
}

static uint64_t
rebuild(const char *dir)
{
    struct jb_rebuild_result r = JB_SIZED(struct jb_rebuild_result);
    must(jb_rebuild(dir, NULL, &r, &err) == JB_OK, "rebuild");
    return r.events;
}

static uint64_t
replay(const char *dir)
{
    struct jb_replay_result r = JB_SIZED(struct jb_replay_result);
    must(jb_replay(dir, NULL, NULL, &r, &err) == JB_OK, "replay");
    return r.events;
}

static bool
each_row(void *data, const struct jb_history_row *row)
{
    (void)row;
    ++*(unsigned *)data;
    return true;
}

static int
by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t
look_at(const char *dir, jb_order order)
{
    static int64_t took[LOOKS];
    jb_ledger *l;
    jb_views *v;
    must(jb_open(dir, NULL, &l, &err) == JB_OK && jb_views_open(l, &v, &err) == JB_OK &&
             jb_views_sync(v, true, &err) == JB_OK,
         dir);
    struct jb_history_query query = {
        .size = sizeof query, .kind = JB_HISTORY_CHARGE, .order = order};
    for (unsigned i = 0; i < LOOKS; i++) {
        char wallet[24], next[JB_CURSOR_TEXT_BYTES] = "";
        unsigned rows = 0;
        snprintf(wallet, sizeof wallet, "W%u", i);
        const int64_t began = now_ns(CLOCK_MONOTONIC);
        do {
            query.wallet = jb_text_of(wallet);
            must(jb_history_find(v, &query, NULL, next[0] != '\0' ? next : NULL, 50, each_row,
                                 &rows, next, NULL, &err) == JB_OK,
                 "history");
        } while (next[0] != '\0');
        took[i] = (now_ns(CLOCK_MONOTONIC) - began) / 1000;
        must(rows == 1, "not what there is");
    }
    qsort(took, LOOKS, sizeof took[0], by_size);
    printf("median %lld us, 99 of 100 %lld us, longest %lld us, ", (long long)took[LOOKS / 2],
           (long long)took[LOOKS * 99 / 100], (long long)took[LOOKS - 1]);
    jb_views_close(v);
    jb_close(l);
    return LOOKS;
}

static uint64_t
history(const char *dir)
{
    return look_at(dir, JB_NEWEST_FIRST);
}

static uint64_t
oldest(const char *dir)
{
    return look_at(dir, JB_OLDEST_FIRST);
}

static void
explain_as_of(jb_views *v, const struct jb_as_of *as_of, const char *what)
{
    static int64_t took[LOOKS];
    uint64_t events = 0;
    for (unsigned i = 0; i < LOOKS; i++) {
        struct jb_explanation *x;
        const int64_t began = now_ns(CLOCK_THREAD_CPUTIME_ID);
        must(jb_explain(v, jb_text_of("W0"), as_of, &x, &err) == JB_OK, "explain");
        took[i] = (now_ns(CLOCK_THREAD_CPUTIME_ID) - began) / 1000;
        events = x->causes_n > 0 ? x->causes[x->causes_n - 1]->events_total : 0;
        must(x->rest == 0, "something is left over");
        jb_explanation_free(x);
    }
    const int64_t first = took[0];
    qsort(took, LOOKS, sizeof took[0], by_size);
    printf("%s, %llu events: us of the processor: first %lld, median %lld, ", what,
           (unsigned long long)events, (long long)first, (long long)took[LOOKS / 2]);
}

static uint64_t
explain(const char *dir)
{
    jb_ledger *l;
    jb_views *v = NULL;
    must(jb_open(dir, NULL, &l, &err) == JB_OK && jb_views_open(l, &v, &err) == JB_OK &&
             jb_views_sync(v, true, &err) == JB_OK,
         dir);
    const struct jb_as_of then = {.kind = JB_AS_OF_SEQ, .seq = events_of(l) - 1000};
    explain_as_of(v, NULL, "now");
    explain_as_of(v, &then, "before");
    jb_views_close(v);
    jb_close(l);
    return (uint64_t)2 * LOOKS;
}

static const struct {
    const char *name;
    uint64_t (*work)(const char *dir);
} works[] = {{"follow", follow},   {"audit", audit},   {"rebuild", rebuild}, {"replay", replay},
             {"history", history}, {"oldest", oldest}, {"explain", explain}};

int
main(int argc, char **argv)
{
    static const char usage[] = "bench_views make EVENTS WALLETS DAYS DIR [keys|open] | "
                                "follow|audit|rebuild|replay|history|oldest|explain DIR\n";
    if (asked_about("bench_views", usage, argc, argv)) {
        return 0;
    }
    keyed = argc == 7 && strcmp(argv[6], "keys") == 0;
    last_open = argc == 7 && strcmp(argv[6], "open") == 0;
    if ((argc == 6 || keyed || last_open) && strcmp(argv[1], "make") == 0) {
        make(strtoull(argv[2], NULL, 10), (uint32_t)strtoull(argv[3], NULL, 10),
             (uint32_t)strtoull(argv[4], NULL, 10), argv[5]);
        return 0;
    }
    for (size_t i = 0; i < sizeof works / sizeof works[0] && argc == 3; i++) {
        if (strcmp(argv[1], works[i].name) != 0) {
            continue;
        }
        struct rusage u;
        const int64_t began = now_ns(CLOCK_MONOTONIC), cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
        const double n = (double)works[i].work(argv[2]);
        getrusage(RUSAGE_SELF, &u);
        printf("%s: %.2f s, %.2f s of the processor, %.3f M/s by the clock, %.3f M/s by the "
               "processor, peak memory %ld MiB\n",
               argv[1], (double)(now_ns(CLOCK_MONOTONIC) - began) / 1e9,
               (double)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e9,
               n * 1e3 / (double)(now_ns(CLOCK_MONOTONIC) - began),
               n * 1e3 / (double)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu), u.ru_maxrss / 1024);
        return 0;
    }
    fputs(usage, stderr);
    return 2;
}
