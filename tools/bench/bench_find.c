/*
 * What it costs to be found: bench_find EVENTS DIR makes a ledger in DIR with that many
 * consumptions by 1,000 wallets, each with a usage of its own, and one in ten with a key of another
 * text; says how long the projections take to follow, how large views.mdb is, and how long single
 * looks take, warm, of texts from all over the log and of texts that are nowhere.
 */
#include <jangbu/projections.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WALLETS 1000
#define BATCH 8192
#define LOOKS 2000

static struct jb_error err;

static void
must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s: %s\n", what, err.text);
        exit(1);
    }
}

static double
seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct jb_command commands[BATCH];
static char texts[BATCH][3][40];

static void
submit(jb_ledger *l, jb_answers *answers, size_t n)
{
    must(n == 0 || jb_submit(l, commands, n, NULL, answers, NULL, &err) == JB_OK, "submit");
    for (size_t i = 0; i < n; i++) {
        must(jb_answers_at(answers, i)->outcome == JB_DONE, "a command was refused");
    }
}

static void
make_wallets(jb_ledger *l, jb_answers *answers)
{
    for (unsigned i = 0; i < 2 * WALLETS; i++) {
        struct jb_command *c = &commands[i];
        snprintf(texts[i][0], sizeof texts[i][0], "W%u", i % WALLETS);
        snprintf(texts[i][1], sizeof texts[i][1], "C%u", i % WALLETS);
        jb_command_begin(c, i < WALLETS ? JB_OP_WALLET_CREATE : JB_OP_CHARGE);
        jb_set_wallet(c, jb_text_of(texts[i][0]));
        if (i < WALLETS) {
            jb_set_kind(c, JB_KIND_PERSONAL);
            jb_set_name(c, jb_text_of(texts[i][0]));
        } else {
            jb_set_charge(c, jb_text_of(texts[i][1]));
            jb_set_amount(c, INT64_C(100000000000));
        }
    }
    submit(l, answers, 2 * WALLETS);
}

static void
consume(jb_ledger *l, jb_answers *answers, uint64_t events)
{
    for (uint64_t at = 0; at < events;) {
        size_t n = 0;
        for (; n < BATCH && at < events; n++, at++) {
            struct jb_command *c = &commands[n];
            snprintf(texts[n][0], sizeof texts[n][0], "W%u", (unsigned)(at % WALLETS));
            snprintf(texts[n][1], sizeof texts[n][1], "usage-%llu", (unsigned long long)at);
            snprintf(texts[n][2], sizeof texts[n][2], "key-%llu", (unsigned long long)at);
            jb_command_begin(c, JB_OP_CONSUME);
            jb_set_wallet(c, jb_text_of(texts[n][0]));
            jb_set_usage(c, jb_text_of(texts[n][1]));
            jb_set_amount(c, 1);
            if (at % 10 == 0) {
                jb_set_key(c, jb_text_of(texts[n][2]));
            }
        }
        submit(l, answers, n);
    }
}

static bool
each_row(void *data, const struct jb_find_row *row)
{
    (void)row;
    ++*(unsigned *)data;
    return true;
}

static int
by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* format: of a text with one number in it, of which there are so many. */
static void
look(jb_views *v, const char *what, const char *format, uint64_t of, unsigned found)
{
    static double took[LOOKS];
    for (unsigned i = 0; i < LOOKS; i++) {
        char text[40];
        unsigned n = 0;
        snprintf(text, sizeof text, format,
                 (unsigned long long)(i * UINT64_C(2654435761) % (of / 10) * 10));
        const double began = seconds();
        must(jb_find_get(v, jb_text_of(text), NULL, NULL, 100, each_row, &n, NULL, NULL, &err) ==
                 JB_OK,
             "find");
        took[i] = seconds() - began;
        must(n == found, "not what there is");
    }
    qsort(took, LOOKS, sizeof took[0], by_size);
    printf("%-24s median %.3f ms, 99 of 100 %.3f ms, longest %.3f ms\n", what,
           took[LOOKS / 2] * 1e3, took[LOOKS * 99 / 100] * 1e3, took[LOOKS - 1] * 1e3);
}

int
main(int argc, char **argv)
{
    jb_ledger *l = NULL;
    jb_views *v = NULL;
    if (argc != 3) {
        fprintf(stderr, "bench_find EVENTS DIR\n");
        return 2;
    }
    const uint64_t events = strtoull(argv[1], NULL, 10);
    jb_answers *answers = jb_answers_new();
    must(events >= 100 && answers != NULL, "EVENTS is 100 or more");
    must(jb_init(argv[2], NULL, &err) == JB_OK && jb_open(argv[2], NULL, &l, &err) == JB_OK,
         argv[2]);
    double began = seconds();
    make_wallets(l, answers);
    consume(l, answers, events);
    printf("written                  %.0f events/s\n", (double)events / (seconds() - began));
    began = seconds();
    must(jb_views_open(l, &v, &err) == JB_OK && jb_views_sync(v, true, &err) == JB_OK, "views");
    printf("followed                 %.0f events/s\n", (double)events / (seconds() - began));
    struct jb_views_stat s = JB_SIZED(struct jb_views_stat);
    struct jb_ledger_stat log = JB_SIZED(struct jb_ledger_stat);
    must(jb_views_stat_get(v, &s, &err) == JB_OK && jb_ledger_stat_get(l, &log, &err) == JB_OK,
         "stat");
    printf("views.mdb                %.1f bytes an event; the log %.1f\n",
           (double)s.file_bytes / (double)events, (double)log.log_bytes / (double)events);
    look(v, "a usage", "usage-%llu", events, 1);
    look(v, "a key", "key-%llu", events, 1);
    look(v, "nothing", "nothing-%llu", events, 0);
    jb_views_close(v);
    jb_close(l);
    jb_answers_free(answers);
    return 0;
}
