/*
 * What the write path does in process: durable, validated consumption in batches, alone and from
 * many threads, plain and with keys. Full durability, as every user gets it. Timings are this
 * machine's: compare ratios within one run.
 */
#include <jangbu/ledger.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static int64_t
now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The processor's time of all threads: it moves less than the clock on a machine that is shared. */
static int64_t
cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static const char *only; /* the name of what is measured; NULL: everything */

static bool
is_wanted(const char *name)
{
    return only == NULL || strcmp(name, only) == 0;
}

static void
check(jb_status status, const struct jb_error *err)
{
    if (status != JB_OK) {
        fprintf(stderr, "bench: %s\n", err->text);
        exit(3);
    }
}

struct row {
    char name[64];
    int64_t per_second, p50_us, p99_us, p999_us, max_us;
    int64_t centibytes_per_event, cpu_ns_per_event;
};

static struct row rows[32];
static size_t rows_n;

static int
compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void
add_row(const char *name, int64_t events, int64_t us, int64_t *calls_us, size_t calls,
        int64_t bytes, int64_t cpu)
{
    struct row *r = &rows[rows_n++];
    qsort(calls_us, calls, sizeof *calls_us, compare);
    snprintf(r->name, sizeof r->name, "%s", name);
    r->per_second = events * 1000000 / (us > 0 ? us : 1);
    r->p50_us = calls_us[calls / 2];
    r->p99_us = calls_us[calls * 99 / 100];
    r->p999_us = calls_us[calls * 999 / 1000];
    r->max_us = calls_us[calls - 1];
    r->centibytes_per_event = events > 0 ? bytes * 100 / events : 0;
    r->cpu_ns_per_event = events > 0 ? cpu / events : 0;
}

/* ---- the ledger of one measurement ---- */

#define BATCH_MAX 8192

static struct jb_command commands[BATCH_MAX];
static char ids[BATCH_MAX][3][24];

static struct jb_text
text(const char *s)
{
    return (struct jb_text){s, strlen(s)};
}

/* What consumptions have beside wallet, usage and amount. */
enum manner {
    PLAIN = 0,
    KEYED = 1,
    BY_MASTER = 2, /* an actor: the wallet's master */
    ENFORCED = 4   /* and the ledger asks for his role */
};
static const char first_operator[] = "operator";

/* Each wallet has a master of its own where its consumptions name one. */
static void
make_wallets(jb_ledger *l, jb_answers *answers, uint32_t wallets, unsigned manner)
{
    struct jb_error err;
    for (uint32_t i = 0; i < wallets;) {
        size_t n = 0;
        for (; n + 1 < BATCH_MAX && i < wallets; i++, n += 2) {
            snprintf(ids[n][0], sizeof ids[n][0], "W%u", i);
            commands[n] = (struct jb_command){.size = sizeof commands[n],
                                              .op = JB_OP_WALLET_CREATE,
                                              .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_KIND) |
                                                     JB_HAS(JB_CF_NAME),
                                              .wallet = text(ids[n][0]),
                                              .kind = JB_KIND_BUSINESS,
                                              .name = text("bench")};
            if ((manner & BY_MASTER) != 0) {
                snprintf(ids[n][2], sizeof ids[n][2], "master-%u", i);
                jb_set_master(&commands[n], text(ids[n][2]));
                jb_set_actor(&commands[n], text(first_operator), (struct jb_text){NULL, 0});
            }
            commands[n + 1] = (struct jb_command){
                .size = sizeof commands[n],
                .op = JB_OP_CHARGE,
                .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_CHARGE) | JB_HAS(JB_CF_AMOUNT),
                .wallet = text(ids[n][0]),
                .id = text("C1"),
                .amount = INT64_C(1000000000000)};
            if ((manner & BY_MASTER) != 0) {
                jb_set_actor(&commands[n + 1], text(ids[n][2]), (struct jb_text){NULL, 0});
            }
        }
        check(jb_submit(l, commands, n, NULL, answers, NULL, &err), &err);
    }
}

static void
make_consumption(size_t slot, uint64_t number, uint32_t wallets, unsigned manner)
{
    bool keyed = (manner & KEYED) != 0;
    /* A multiplicative step visits the wallets in an order that no cache likes, the same in every
     * run. */
    uint32_t wallet = (uint32_t)((number * UINT64_C(2654435761)) % wallets);
    snprintf(ids[slot][0], sizeof ids[slot][0], "W%u", wallet);
    snprintf(ids[slot][1], sizeof ids[slot][1], "U%07llu", (unsigned long long)(number % 10000000));
    commands[slot] =
        (struct jb_command){.size = sizeof commands[slot],
                            .op = JB_OP_CONSUME,
                            .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_USAGE) |
                                   JB_HAS(JB_CF_AMOUNT) | (keyed ? JB_HAS(JB_CF_KEY) : 0),
                            .wallet = text(ids[slot][0]),
                            .id = text(ids[slot][1]),
                            .amount = 1 + (jb_amount)(number % 60000),
                            .key = keyed ? text(ids[slot][1]) : (struct jb_text){NULL, 0}};
    if ((manner & BY_MASTER) != 0) {
        snprintf(ids[slot][2], sizeof ids[slot][2], "master-%u", wallet);
        jb_set_actor(&commands[slot], text(ids[slot][2]), (struct jb_text){NULL, 0});
    }
}

static jb_ledger *
open_new(const char *dir, const char *name, unsigned manner)
{
    const struct jb_init_options o = {.size = sizeof o,
                                      .roles = (manner & ENFORCED) != 0 ? JB_MATRICES : 0,
                                      .operator_id = first_operator};
    char path[4096];
    struct jb_error err;
    jb_ledger *l;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    check(jb_init(path, (manner & ENFORCED) != 0 ? &o : NULL, &err), &err);
    check(jb_open(path, NULL, &l, &err), &err);
    return l;
}

static int64_t
log_bytes(jb_ledger *l)
{
    struct jb_ledger_stat s = {.size = sizeof s};
    struct jb_error err;
    check(jb_ledger_stat_get(l, &s, &err), &err);
    return (int64_t)s.log_bytes;
}

/* The first n commands; microseconds. */
static int64_t
submit_timed(jb_ledger *l, size_t n, jb_answers *answers, int64_t *cpu)
{
    struct jb_error err;
    int64_t cpu_began = cpu_ns(), began = now_us();
    check(jb_submit(l, commands, n, NULL, answers, NULL, &err), &err);
    int64_t us = now_us() - began;
    *cpu += cpu_ns() - cpu_began;
    return us;
}

static void
bench_batches(const char *dir, const char *name, uint32_t wallets, size_t batch, uint64_t events,
              unsigned manner)
{
    if (!is_wanted(name)) {
        return;
    }
    char folder[64];
    snprintf(folder, sizeof folder, "l%zu", rows_n);
    jb_ledger *l = open_new(dir, folder, manner);
    jb_answers *answers = jb_answers_new();
    make_wallets(l, answers, wallets, manner);
    size_t calls = (size_t)((events + batch - 1) / batch), call = 0;
    int64_t *calls_us = calloc(calls, sizeof *calls_us);
    if (answers == NULL || calls_us == NULL) {
        exit(3);
    }
    int64_t bytes = log_bytes(l), spent = 0, cpu = 0;
    for (uint64_t i = 0; i < events;) {
        size_t n = 0;
        for (; n < batch && i < events; n++, i++) {
            make_consumption(n, i, wallets, manner);
        }
        calls_us[call] = submit_timed(l, n, answers, &cpu);
        spent += calls_us[call++];
        for (size_t k = 0; k < n; k++) {
            if (jb_answers_at(answers, k)->outcome != JB_DONE) {
                fprintf(stderr, "bench: a command was refused: %s\n",
                        jb_answer_message(jb_answers_at(answers, k)));
                exit(1);
            }
        }
    }
    add_row(name, (int64_t)events, spent, calls_us, call, log_bytes(l) - bytes, cpu);
    free(calls_us);
    jb_answers_free(answers);
    jb_close(l);
}

/* ---- many threads, one command each ---- */

struct caller {
    jb_ledger *l;
    pthread_t thread;
    unsigned number;
    unsigned commands;
    int64_t *calls_us;
};

static void *
call(void *data)
{
    struct caller *c = data;
    jb_answers *answers = jb_answers_new();
    struct jb_error err;
    char wallet[24], usage[24];
    for (unsigned i = 0; i < c->commands && answers != NULL; i++) {
        snprintf(wallet, sizeof wallet, "W%u", (c->number * 7919U + i * 31U) % 1000U);
        snprintf(usage, sizeof usage, "U%03u%04u", c->number, i);
        struct jb_command k = {.size = sizeof k,
                               .op = JB_OP_CONSUME,
                               .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_USAGE) |
                                      JB_HAS(JB_CF_AMOUNT),
                               .wallet = text(wallet),
                               .id = text(usage),
                               .amount = 1 + i % 1000};
        int64_t began = now_us();
        check(jb_submit(c->l, &k, 1, NULL, answers, NULL, &err), &err);
        c->calls_us[i] = now_us() - began;
    }
    jb_answers_free(answers);
    return NULL;
}

static void
bench_threads(const char *dir, const char *name, unsigned threads, unsigned each)
{
    if (!is_wanted(name)) {
        return;
    }
    char folder[64];
    snprintf(folder, sizeof folder, "l%zu", rows_n);
    jb_ledger *l = open_new(dir, folder, PLAIN);
    jb_answers *answers = jb_answers_new();
    make_wallets(l, answers, 1000, PLAIN);
    struct caller callers[64];
    int64_t *calls_us = calloc((size_t)threads * each, sizeof *calls_us);
    if (calls_us == NULL || threads > 64) {
        exit(3);
    }
    int64_t bytes = log_bytes(l), cpu_began = cpu_ns(), began = now_us();
    for (unsigned i = 0; i < threads; i++) {
        callers[i] = (struct caller){
            .l = l, .number = i, .commands = each, .calls_us = calls_us + (size_t)i * each};
        pthread_create(&callers[i].thread, NULL, call, &callers[i]);
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(callers[i].thread, NULL);
    }
    int64_t spent = now_us() - began, cpu = cpu_ns() - cpu_began;
    add_row(name, (int64_t)threads * each, spent, calls_us, (size_t)threads * each,
            log_bytes(l) - bytes, cpu);
    free(calls_us);
    jb_answers_free(answers);
    jb_close(l);
}

#define OPENINGS 20

static void
bench_open(const char *path)
{
    int64_t calls_us[OPENINGS], spent = 0, cpu = cpu_ns();
    for (int i = 0; i < OPENINGS; i++) {
        jb_ledger *l;
        struct jb_error err;
        int64_t began = now_us();
        check(jb_open(path, NULL, &l, &err), &err);
        calls_us[i] = now_us() - began;
        spent += calls_us[i];
        jb_close(l);
    }
    add_row("open", OPENINGS, spent, calls_us, OPENINGS, 0, cpu_ns() - cpu);
}

static void
bench_read(const char *path)
{
    struct jb_error err;
    jb_ledger *l;
    jb_cursor *c;
    const struct jb_event *e;
    check(jb_open(path, NULL, &l, &err), &err);
    check(jb_cursor_open(l, 1, &c, &err), &err);
    int64_t cpu = cpu_ns(), began = now_us(), events = 0;
    while (jb_cursor_next(c, &e, &err) == JB_OK) {
        events++;
    }
    int64_t spent = now_us() - began;
    add_row("read (decode, chain verified)", events, spent, &spent, 1, 0, cpu_ns() - cpu);
    jb_cursor_close(c);
    jb_close(l);
}

/* One append of 4 KiB and its sync: what durability costs on this disk at least. */
static void
bench_sync(const char *dir)
{
    char path[4096], page[4096] = {0};
    int64_t calls_us[200], sum = 0;
    snprintf(path, sizeof path, "%s/sync", dir);
    int64_t cpu = cpu_ns();
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    for (int i = 0; i < 200 && fd >= 0; i++) {
        int64_t began = now_us();
        if (write(fd, page, sizeof page) != (ssize_t)sizeof page || fdatasync(fd) != 0) {
            exit(3);
        }
        calls_us[i] = now_us() - began;
        sum += calls_us[i];
    }
    close(fd);
    add_row("disk: append 4 KiB and sync", 200, sum, calls_us, 200, 0, cpu_ns() - cpu);
}

static void
print_rows(bool json)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    if (json) {
        printf("{\"rows\":[");
        for (size_t i = 0; i < rows_n; i++) {
            const struct row *r = &rows[i];
            printf("%s{\"name\":\"%s\",\"per_second\":%lld,\"p50_us\":%lld,\"p99_us\":%lld,\"p999_"
                   "us\":%lld,\"max_us\":%lld,\"centibytes_per_event\":%lld,\"cpu_ns\":%lld}",
                   i > 0 ? "," : "", r->name, (long long)r->per_second, (long long)r->p50_us,
                   (long long)r->p99_us, (long long)r->p999_us, (long long)r->max_us,
                   (long long)r->centibytes_per_event, (long long)r->cpu_ns_per_event);
        }
        printf("],\"peak_rss_bytes\":%lld}\n", (long long)u.ru_maxrss * 1024);
        return;
    }
    printf("%-29s %10s %8s %8s %8s %8s %7s %9s\n", "", "per second", "p50 us", "p99 us", "p99.9 us",
           "max us", "cpu ns", "bytes");
    for (size_t i = 0; i < rows_n; i++) {
        const struct row *r = &rows[i];
        printf("%-29s %10lld %8lld %8lld %8lld %8lld %7lld %6lld.%02lld\n", r->name,
               (long long)r->per_second, (long long)r->p50_us, (long long)r->p99_us,
               (long long)r->p999_us, (long long)r->max_us, (long long)r->cpu_ns_per_event,
               (long long)(r->centibytes_per_event / 100),
               (long long)(r->centibytes_per_event % 100));
    }
    printf("latencies are of one call of jb_submit; cpu and bytes of one event; peak memory %ld "
           "MiB (clean pages of the mapped "
           "log included)\n",
           u.ru_maxrss / 1024);
}

int
main(int argc, char **argv)
{
    bool json = false, quick = false;
    const char *where = NULL;
    for (int i = 1; i < argc; i++) {
        json |= strcmp(argv[i], "--json") == 0;
        quick |= strcmp(argv[i], "--quick") == 0;
        if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            only = argv[++i];
            continue;
        }
        where = argv[i][0] != '-' ? argv[i] : where;
        if (strcmp(argv[i], "--help") == 0) {
            printf(
                "bench [--quick] [--json] [--only NAME] [DIR]: measures the write path in ledgers "
                "below DIR (default: a temporary directory); with --only, one of its "
                "name\\n");
            return 0;
        }
    }
    char dir[4096] = "/tmp/jangbu-bench-XXXXXX";
    if (where != NULL) {
        snprintf(dir, sizeof dir, "%s/jangbu-bench-XXXXXX", where);
    }
    if (mkdtemp(dir) == NULL) {
        fprintf(stderr, "bench: cannot make %s: %s\n", dir, strerror(errno));
        return 3;
    }
    uint64_t events = quick ? 200000 : 2000000;
    bench_batches(dir, "consume/batch8192/10k", 10000, 8192, events, PLAIN);
    bench_batches(dir, "consume/batch8192/10k/keys", 10000, 8192, events / 2, KEYED);
    bench_batches(dir, "consume/batch8192/10k/actor", 10000, 8192, events / 2, BY_MASTER);
    bench_batches(dir, "consume/batch8192/10k/roles", 10000, 8192, events / 2,
                  BY_MASTER | ENFORCED);
    bench_batches(dir, "consume/batch1000/10k", 10000, 1000, events / 2, PLAIN);
    bench_batches(dir, "consume/batch64/10k", 10000, 64, quick ? 32000 : 320000, PLAIN);
    bench_batches(dir, "consume/single", 1000, 1, quick ? 2000 : 10000, PLAIN);
    bench_threads(dir, "consume/threads8", 8, quick ? 500 : 4000);
    bench_threads(dir, "consume/threads64", 64, quick ? 100 : 2000);
    /* Of the ledger of the first of them. */
    char first[4200];
    snprintf(first, sizeof first, "%s/l0", dir);
    bench_open(first);
    bench_read(first);
    if (only == NULL) {
        bench_sync(dir);
    }
    print_rows(json);
    char command[4200];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) == 0 ? 0 : 3;
}
