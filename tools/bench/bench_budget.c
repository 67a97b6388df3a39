/*
 * The budget of an event: what a consumption costs who calls, in nanoseconds of his own thread's
 * time between the begin and the end of jb_submit, in batches of 8,192. The ledger is made anew in
 * DIR, /dev/shm as a rule: on a tmpfs a sync is nothing, so that what is left is the library's.
 */
#include <jangbu/ledger.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "asked.h"
#include "load.h"
#include "rows.h"

#define BATCHES 200

static char dir[4096];

static int64_t
thread_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int
by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void
measure(uint32_t wallets)
{
    static int64_t ns[BATCHES];
    struct jb_error err;
    jb_ledger *l = open_new(dir, "l", PLAIN);
    jb_answers *answers = jb_answers_new();
    struct load *load = load_new(wallets, PLAIN);
    int64_t all = 0;
    load_wallets(load, l, answers);
    for (unsigned call = 0; call < BATCHES; call++) {
        for (size_t i = 0; i < BATCH_MAX; i++) {
            load_consumption(load, i, (uint64_t)call * BATCH_MAX + i);
        }
        const int64_t began = thread_ns();
        check(jb_submit(l, load->commands, BATCH_MAX, NULL, answers, NULL, &err), &err);
        ns[call] = thread_ns() - began;
        all += ns[call];
        load_done(load, BATCH_MAX, answers);
    }
    qsort(ns, BATCHES, sizeof ns[0], by_size);
    printf("%8u wallets: a tenth of %d batches took less than %lld ns an event, half %lld, "
           "nine tenths %lld; mean %lld\n",
           wallets, BATCHES, (long long)ns[BATCHES / 10] / BATCH_MAX,
           (long long)ns[BATCHES / 2] / BATCH_MAX, (long long)ns[BATCHES * 9 / 10] / BATCH_MAX,
           (long long)all / BATCHES / BATCH_MAX);
    fflush(stdout);
    load_free(load);
    jb_answers_free(answers);
    jb_close(l);
    char command[4300];
    snprintf(command, sizeof command, "rm -rf '%s/l'", dir);
    if (system(command) != 0) {
        give_up("cannot remove what was measured");
    }
}

int
main(int argc, char **argv)
{
    static const char usage[] = "bench_budget [DIR]   (DIR: /dev/shm)\n";
    if (asked_about("bench_budget", usage, argc, argv)) {
        return 0;
    }
    if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
        fprintf(stderr, "bench_budget: %s is more than a directory\n%s", argv[argc - 1], usage);
        return 2;
    }
    snprintf(dir, sizeof dir, "%s/jangbu-budget-XXXXXX", argc == 2 ? argv[1] : "/dev/shm");
    if (mkdtemp(dir) == NULL) {
        give_up("cannot make a directory there");
    }
    measure(10000);
    measure(1000000);
    return rmdir(dir) == 0 ? 0 : 1;
}
