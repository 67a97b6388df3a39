/*
 * What it costs to issue invoices, and who waits for it: bench_issue WALLETS DIR makes a ledger in
 * DIR with that many business wallets, each of which consumed a month and more ago. Then it
 * carries out as many plain consumptions as there are wallets, and issues an invoice for each, in
 * batches. Meanwhile another process submits single commands, one after the other, and a thread
 * writes to a file of its own beside the ledger and syncs that: what the disk takes by itself, at
 * the same time. How long a single command took, and how long a sync, is printed for both.
 */
#include <jangbu/ledger.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "asked.h"

#define BATCH 8192
#define TEXTS 3
#define WAITS_MAX 400000
#define DAY_US (24 * 3600 * JB_US_PER_SECOND)
#define PAUSE_NS 500000

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
seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- how long single things took ---- */

struct waits {
    size_t n;
    double at[WAITS_MAX];
};

static int
by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void
add(struct waits *w, double began)
{
    if (w->n < WAITS_MAX) {
        w->at[w->n++] = seconds(CLOCK_MONOTONIC) - began;
    }
}

static void
print_waits(const char *what, struct waits *w)
{
    qsort(w->at, w->n, sizeof w->at[0], by_size);
    if (w->n > 0) {
        printf("  %-22s %6zu: median %7.3f ms, 99 of 100 %7.3f ms, 999 of 1000 %7.3f ms, "
               "longest %7.3f ms\n",
               what, w->n, w->at[w->n / 2] * 1e3, w->at[w->n * 99 / 100] * 1e3,
               w->at[w->n * 999 / 1000] * 1e3, w->at[w->n - 1] * 1e3);
    }
    w->n = 0;
}

static void
rest(void)
{
    const struct timespec t = {.tv_nsec = PAUSE_NS};
    nanosleep(&t, NULL);
}

/* ---- another process: single commands ---- */

/* A byte each way begins and ends a phase. */
static struct {
    int to, from;
    pid_t pid;
} other;

static bool
told(int fd, char *ret)
{
    return read(fd, ret, 1) == 1;
}

static void
write_singly(const char *dir, int in, int out)
{
    static struct waits waits;
    jb_ledger *l = NULL;
    jb_answers *answers = jb_answers_new();
    char byte = 0;
    must(answers != NULL && told(in, &byte), "the other process");
    must(jb_open(dir, NULL, &l, &err) == JB_OK, dir);
    for (uint64_t i = 0; byte != 'q';) {
        must(write(out, "b", 1) == 1, "the pipe");
        must(fcntl(in, F_SETFL, O_NONBLOCK) == 0, "the pipe");
        for (; !told(in, &byte); i++) {
            struct jb_command c;
            char usage[40];
            snprintf(usage, sizeof usage, "single-%llu", (unsigned long long)i);
            jb_command_begin(&c, JB_OP_CONSUME);
            jb_set_wallet(&c, jb_text_of("W0"));
            jb_set_usage(&c, jb_text_of(usage));
            jb_set_amount(&c, 1);
            const double began = seconds(CLOCK_MONOTONIC);
            must(jb_submit(l, &c, 1, NULL, answers, NULL, &err) == JB_OK, "a single command");
            add(&waits, began);
            rest();
        }
        must(fcntl(in, F_SETFL, 0) == 0, "the pipe");
        print_waits("single commands", &waits);
        fflush(stdout);
        must(write(out, "e", 1) == 1, "the pipe");
        must(told(in, &byte), "the pipe");
    }
    jb_close(l);
    jb_answers_free(answers);
}

/* Before anything is opened: nothing of LMDB may come along. */
static void
begin_other(const char *dir)
{
    int to[2], from[2];
    must(pipe(to) == 0 && pipe(from) == 0, "a pipe");
    other.pid = fork();
    must(other.pid >= 0, "fork");
    if (other.pid == 0) {
        close(to[1]);
        close(from[0]);
        write_singly(dir, to[0], from[1]);
        exit(0);
    }
    close(to[0]);
    close(from[1]);
    other.to = to[1];
    other.from = from[0];
}

static void
tell_other(char byte, bool waits)
{
    char back;
    must(write(other.to, &byte, 1) == 1, "the other process");
    must(!waits || told(other.from, &back), "the other process");
}

/* ---- the disk by itself ---- */

static struct {
    pthread_t thread;
    atomic_bool on;
    char path[4200];
    double worked; /* of the processor's time: not the ledger's */
    struct waits waits;
} disk;

static void *
sync_disk(void *data)
{
    (void)data;
    static uint8_t page[4096];
    const int fd = open(disk.path, O_RDWR | O_CREAT, 0600);
    must(fd >= 0, disk.path);
    for (off_t i = 0; disk.on; i = (i + 1) % 4096) {
        must(pwrite(fd, page, sizeof page, i * (off_t)sizeof page) == (ssize_t)sizeof page,
             disk.path);
        const double began = seconds(CLOCK_MONOTONIC);
        must(fdatasync(fd) == 0, disk.path);
        add(&disk.waits, began);
        rest();
    }
    close(fd);
    unlink(disk.path);
    disk.worked = seconds(CLOCK_THREAD_CPUTIME_ID);
    return NULL;
}

/* ---- the ledger ---- */

static struct jb_command commands[BATCH];
static char texts[BATCH][TEXTS][40];
static jb_ledger *l;
static jb_answers *answers;
static jb_seq last_seq;
static uint64_t usages;
static uint32_t month; /* that is over, with the consumptions */

/* What one command of each kind is, for wallet i. */
typedef void (*maker)(struct jb_command *c, unsigned i, char text[TEXTS][40]);

static void
make_wallet(struct jb_command *c, unsigned i, char text[TEXTS][40])
{
    (void)i;
    jb_command_begin(c, JB_OP_WALLET_CREATE);
    jb_set_kind(c, JB_KIND_BUSINESS);
    jb_set_name(c, jb_text_of(text[0]));
}

static void
make_charge(struct jb_command *c, unsigned i, char text[TEXTS][40])
{
    snprintf(text[1], 40, "C%u", i);
    jb_command_begin(c, JB_OP_CHARGE);
    jb_set_charge(c, jb_text_of(text[1]));
    jb_set_amount(c, 100000000);
}

static void
make_request(struct jb_command *c, unsigned i, char text[TEXTS][40])
{
    snprintf(text[1], 40, "%010u", 1048600000 + i);
    snprintf(text[2], 40, "company %u", i);
    jb_command_begin(c, JB_OP_BIZ_REQUEST);
    jb_set_biz(c, jb_text_of(text[1]));
    jb_set_biz_name(c, jb_text_of(text[2]));
    jb_set_representative(c, jb_text_of(text[2]));
    jb_set_address(c, jb_text_of(text[2]));
}

static jb_seq requests; /* the first of them */

static void
make_approval(struct jb_command *c, unsigned i, char text[TEXTS][40])
{
    (void)text;
    jb_command_begin(c, JB_OP_BIZ_APPROVE);
    jb_set_seq(c, requests + i);
}

static void
make_consumption(struct jb_command *c, unsigned i, char text[TEXTS][40])
{
    (void)i;
    snprintf(text[1], 40, "usage-%llu", (unsigned long long)usages++);
    jb_command_begin(c, JB_OP_CONSUME);
    jb_set_usage(c, jb_text_of(text[1]));
    jb_set_amount(c, 1234);
}

static void
make_invoice(struct jb_command *c, unsigned i, char text[TEXTS][40])
{
    (void)i;
    (void)text;
    jb_command_begin(c, JB_OP_INVOICE_ISSUE);
    jb_set_month(c, month);
}

/* One command for each wallet. at: the clock's, 0: the system's. */
static void
of_each(unsigned wallets, maker make, jb_instant at)
{
    struct jb_submit_options o = {.size = sizeof o, .clock = JB_CLOCK_AT};
    for (unsigned i = 0; i < wallets;) {
        size_t n = 0;
        for (; n < BATCH && i < wallets; n++, i++) {
            snprintf(texts[n][0], sizeof texts[n][0], "W%u", i);
            make(&commands[n], i, texts[n]);
            jb_set_wallet(&commands[n], jb_text_of(texts[n][0]));
            if (at != 0) {
                jb_set_clock(&commands[n], at);
            }
        }
        must(jb_submit(l, commands, n, at != 0 ? &o : NULL, answers, NULL, &err) == JB_OK,
             "submit");
        for (size_t j = 0; j < n; j++) {
            const struct jb_answer *a = jb_answers_at(answers, j);
            must(a->outcome == JB_DONE, jb_answer_message(a));
            last_seq = a->seq;
        }
    }
}

/* So long ago that the month is over, and its days are closed. */
static jb_instant
month_ago(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    const jb_instant at = (jb_instant)t.tv_sec * JB_US_PER_SECOND - 40 * DAY_US;
    char text[JB_INSTANT_TEXT_BYTES];
    jb_instant_print(at, 32400, text);
    month = (uint32_t)(strtoull(text, NULL, 10) * 100 + strtoull(text + 5, NULL, 10));
    return at;
}

static void
make_ledger(const char *dir, unsigned wallets)
{
    struct jb_init_options o = {.size = sizeof o, .invoice_from = JB_INVOICE_FROM_ALL};
    const jb_instant at = month_ago();
    must(jb_init(dir, &o, &err) == JB_OK && jb_open(dir, NULL, &l, &err) == JB_OK, dir);
    of_each(wallets, make_wallet, at);
    of_each(wallets, make_charge, at);
    of_each(wallets, make_request, at);
    requests = last_seq - wallets + 1;
    of_each(wallets, make_approval, at);
    of_each(wallets, make_consumption, at);
    of_each(1, make_consumption, 0); /* the days close */
}

static void
measure(const char *what, unsigned wallets, maker make)
{
    disk.on = true;
    must(pthread_create(&disk.thread, NULL, sync_disk, NULL) == 0, "a thread");
    tell_other('b', true);
    const double began = seconds(CLOCK_MONOTONIC), worked = seconds(CLOCK_PROCESS_CPUTIME_ID);
    const double submitted = seconds(CLOCK_THREAD_CPUTIME_ID);
    of_each(wallets, make, 0);
    const double took = seconds(CLOCK_MONOTONIC) - began;
    const double submits = seconds(CLOCK_THREAD_CPUTIME_ID) - submitted;
    disk.on = false;
    pthread_join(disk.thread, NULL);
    const double work = seconds(CLOCK_PROCESS_CPUTIME_ID) - worked - disk.worked;
    printf("%-24s %8.0f a second, %.2f us of the processor's time each, %.2f of it who submits\n",
           what, (double)wallets / took, work * 1e6 / (double)wallets,
           submits * 1e6 / (double)wallets);
    fflush(stdout);
    tell_other('e', true);
    print_waits("syncs of the disk", &disk.waits);
    fflush(stdout);
}

int
main(int argc, char **argv)
{
    static const char usage[] = "bench_issue WALLETS DIR\n";
    if (asked_about("bench_issue", usage, argc, argv)) {
        return 0;
    }
    const unsigned wallets = argc == 3 ? (unsigned)strtoull(argv[1], NULL, 10) : 0;
    if (wallets < 1) {
        fputs(usage, stderr);
        return 2;
    }
    snprintf(disk.path, sizeof disk.path, "%s-disk", argv[2]);
    begin_other(argv[2]);
    answers = jb_answers_new();
    must(answers != NULL, "no memory");
    make_ledger(argv[2], wallets);
    for (int round = 0; round < 3; round++) {
        measure("consumptions", wallets, make_consumption);
    }
    measure("invoices", wallets, make_invoice);
    tell_other('q', false);
    waitpid(other.pid, NULL, 0);
    jb_close(l);
    jb_answers_free(answers);
    return 0;
}
