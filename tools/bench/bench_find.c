/*
 * What it costs to be found, and to be on paper: bench_find EVENTS DIR [PROGRAM] makes a ledger in
 * DIR with that many consumptions in a year by 1,000 business wallets, one in ten by the first of
 * them, each with a usage of its own, and one in ten with a key of another text. Each month's
 * invoices are issued when it is over. Says how long the projections take to follow and how large
 * views.mdb is; then how long looks take, warm: of texts from all over the log and of texts that
 * are nowhere; invoices of a wallet; statements of a month; now and as of the past. PROGRAM: the
 * same by that `jangbu`, each in a process of its own, from its beginning to its end.
 */
#include <jangbu/projections.h>

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <fcntl.h>

#include "asked.h"

#define WALLETS 1000
#define BATCH 8192
#define LOOKS 2000
#define STATEMENTS 100
#define PROCESSES 100
#define TEXTS 4
#define DAY_US (24 * 3600 * JB_US_PER_SECOND)

static struct jb_error err;
extern char **environ;

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

/* ---- the ledger ---- */

static struct jb_command commands[BATCH];
static char texts[BATCH][TEXTS][40];
static jb_instant first_instant; /* of the year: 2026-01-01 */
static jb_seq last_seq;

static struct jb_command *
begin(size_t n, jb_op op, unsigned wallet)
{
    struct jb_command *c = &commands[n];
    snprintf(texts[n][0], sizeof texts[n][0], "W%u", wallet);
    jb_command_begin(c, op);
    jb_set_wallet(c, jb_text_of(texts[n][0]));
    return c;
}

static void
submit(jb_ledger *l, jb_answers *answers, size_t n, jb_instant at)
{
    struct jb_submit_options o = {.size = sizeof o, .clock = JB_CLOCK_AT};
    for (size_t i = 0; i < n; i++) {
        jb_set_clock(&commands[i], at);
    }
    must(n == 0 || jb_submit(l, commands, n, &o, answers, NULL, &err) == JB_OK, "submit");
    for (size_t i = 0; i < n; i++) {
        const struct jb_answer *a = jb_answers_at(answers, i);
        if (a->outcome != JB_DONE) {
            fprintf(stderr, "refused: %s\n", jb_answer_message(a));
            exit(1);
        }
        last_seq = a->seq;
    }
}

static void
make_wallets(jb_ledger *l, jb_answers *answers)
{
    for (unsigned i = 0; i < WALLETS; i++) {
        struct jb_command *c = begin(i, JB_OP_WALLET_CREATE, i);
        jb_set_kind(c, JB_KIND_BUSINESS);
        jb_set_name(c, jb_text_of(texts[i][0]));
    }
    submit(l, answers, WALLETS, first_instant);
    for (unsigned i = 0; i < WALLETS; i++) {
        struct jb_command *c = begin(i, JB_OP_CHARGE, i);
        snprintf(texts[i][1], sizeof texts[i][1], "C%u", i);
        jb_set_charge(c, jb_text_of(texts[i][1]));
        jb_set_amount(c, INT64_C(100000000000));
    }
    submit(l, answers, WALLETS, first_instant);
    for (unsigned i = 0; i < WALLETS; i++) {
        struct jb_command *c = begin(i, JB_OP_BIZ_REQUEST, i);
        snprintf(texts[i][1], sizeof texts[i][1], "%010u", 1048600000 + i);
        snprintf(texts[i][2], sizeof texts[i][2], "company %u", i);
        jb_set_biz(c, jb_text_of(texts[i][1]));
        jb_set_biz_name(c, jb_text_of(texts[i][2]));
        jb_set_representative(c, jb_text_of("who represents it"));
        jb_set_address(c, jb_text_of("1 Mapo-daero, Seoul"));
    }
    submit(l, answers, WALLETS, first_instant);
    const jb_seq request = last_seq - WALLETS + 1;
    for (unsigned i = 0; i < WALLETS; i++) {
        jb_set_seq(begin(i, JB_OP_BIZ_APPROVE, i), request + i);
    }
    submit(l, answers, WALLETS, first_instant);
}

static jb_instant
month_begins(unsigned month) /* 1 to 13 */
{
    char text[40];
    jb_instant ret = 0;
    snprintf(text, sizeof text, "%04u-%02u-01T00:00:00+09:00", month > 12 ? 2027 : 2026,
             month > 12 ? 1 : month);
    must(jb_instant_parse(text, strlen(text), &ret), text);
    return ret;
}

static void
issue(jb_ledger *l, jb_answers *answers, unsigned month, jb_instant at)
{
    for (unsigned i = 0; i < WALLETS; i++) {
        jb_set_month(begin(i, JB_OP_INVOICE_ISSUE, i), 202600 + month);
    }
    submit(l, answers, WALLETS, at);
}

/* One in ten is the first wallet's. */
static unsigned
wallet_of(uint64_t at)
{
    return at % 10 == 3 ? 0 : (unsigned)((at + at / 10) % WALLETS);
}

static void
consume(jb_ledger *l, jb_answers *answers, uint64_t events)
{
    const jb_instant end = month_begins(13);
    unsigned month = 1;
    for (uint64_t at = 0; at < events;) {
        jb_instant when = first_instant + (jb_instant)((double)(end - first_instant) *
                                                       ((double)at / (double)events));
        size_t n = 0;
        for (; n < BATCH && at < events; n++, at++) {
            struct jb_command *c = begin(n, JB_OP_CONSUME, wallet_of(at));
            snprintf(texts[n][1], sizeof texts[n][1], "usage-%llu", (unsigned long long)at);
            snprintf(texts[n][2], sizeof texts[n][2], "key-%llu", (unsigned long long)at);
            jb_set_usage(c, jb_text_of(texts[n][1]));
            jb_set_amount(c, 1);
            if (at % 10 == 0) {
                jb_set_key(c, jb_text_of(texts[n][2]));
            }
        }
        submit(l, answers, n, when);
        if (month < 12 && when >= month_begins(month + 1) + DAY_US) {
            issue(l, answers, month++, when);
        }
    }
    issue(l, answers, 12, end + DAY_US);
}

/* ---- looks ---- */

static double took[LOOKS], worked[LOOKS];

static int
by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* By the clock, and by the processor's time: the machine may have other work. */
static void
print_took(const char *what, unsigned n)
{
    qsort(took, n, sizeof took[0], by_size);
    qsort(worked, n, sizeof worked[0], by_size);
    printf("%-34s median %7.3f ms, 99 of 100 %7.3f ms, longest %7.3f ms; worked %7.3f ms, %7.3f\n",
           what, took[n / 2] * 1e3, took[n * 99 / 100] * 1e3, took[n - 1] * 1e3,
           worked[n / 2] * 1e3, worked[n * 99 / 100] * 1e3);
}

struct watch {
    double began, worked;
};

static double
worked_so_far(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct watch
start(void)
{
    return (struct watch){seconds(), worked_so_far()};
}

static void
stop(const struct watch *w, unsigned i)
{
    took[i] = seconds() - w->began;
    worked[i] = worked_so_far() - w->worked;
}

static bool
each_row(void *data, const struct jb_find_row *row)
{
    (void)row;
    ++*(unsigned *)data;
    return true;
}

static uint64_t
some(unsigned i, uint64_t of)
{
    return i * UINT64_C(2654435761) % of;
}

/* format: of a text with one number in it, of which there are so many. */
static void
look(jb_views *v, const char *what, const char *format, uint64_t of, unsigned found)
{
    for (unsigned i = 0; i < LOOKS; i++) {
        char text[40];
        unsigned n = 0;
        snprintf(text, sizeof text, format, (unsigned long long)(some(i, of / 10) * 10));
        const struct watch w = start();
        must(jb_find_get(v, jb_text_of(text), NULL, NULL, 100, each_row, &n, NULL, NULL, &err) ==
                 JB_OK,
             "find");
        stop(&w, i);
        must(n == found, "not what there is");
    }
    print_took(what, LOOKS);
}

static bool
each_invoice(void *data, const struct jb_invoice *row)
{
    (void)row;
    ++*(unsigned *)data;
    return true;
}

static void
look_invoices(jb_views *v, const char *what, bool past)
{
    for (unsigned i = 0; i < LOOKS; i++) {
        char wallet[40];
        unsigned n = 0;
        struct jb_as_of then = {.kind = JB_AS_OF_SEQ, .seq = 4 * WALLETS + some(i, last_seq / 2)};
        snprintf(wallet, sizeof wallet, "W%u", (unsigned)some(i, WALLETS));
        const struct watch w = start();
        must(jb_invoices_get(v, jb_text_of(wallet), 0, past ? &then : NULL, NULL, 100, each_invoice,
                             &n, NULL, NULL, &err) == JB_OK,
             "invoices");
        stop(&w, i);
        must(past ? n < 12 : n == 12, "not the documents that there are");
    }
    print_took(what, LOOKS);
}

static bool
each_statement(void *data, const struct jb_statement *s, const struct jb_statement_row *row)
{
    (void)s;
    (void)row;
    ++*(unsigned *)data;
    return true;
}

static void
look_statements(jb_views *v, const char *what, bool busy, bool past)
{
    unsigned rows = 0;
    for (unsigned i = 0; i < STATEMENTS; i++) {
        char wallet[40], day[24];
        unsigned month = 1 + (unsigned)some(i, past ? 6 : 12), n = 0;
        jb_day from = 0, to = 0;
        struct jb_statement s = JB_SIZED(struct jb_statement);
        struct jb_as_of then = {.kind = JB_AS_OF_SEQ, .seq = last_seq / 12 * (month + 3)};
        snprintf(wallet, sizeof wallet, "W%u", busy ? 0 : 1 + (unsigned)some(i, WALLETS - 1));
        snprintf(day, sizeof day, "2026-%02u-01", month);
        must(jb_day_parse(day, 10, &from) && jb_day_parse(day, 10, &to), day);
        to += 27;
        const struct watch w = start();
        must(jb_statement_get(v, jb_text_of(wallet), from, to, past ? &then : NULL, each_statement,
                              &n, &s, &err) == JB_OK,
             "statement");
        stop(&w, i);
        must(n == s.rows, "not the rows that there are");
        rows = n > rows ? n : rows;
    }
    print_took(what, STATEMENTS);
    printf("%-34s %u rows at most\n", "", rows);
}

/* ---- by the program ---- */

static double
work_of_children(void)
{
    struct rusage u;
    getrusage(RUSAGE_CHILDREN, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void
look_by(const char *program, const char *what, char *const args[])
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    for (unsigned i = 0; i < PROCESSES; i++) {
        pid_t pid;
        int code = 0;
        const double began = seconds(), before = work_of_children();
        must(posix_spawn(&pid, program, &actions, NULL, args, environ) == 0, program);
        must(waitpid(pid, &code, 0) == pid && code == 0, what);
        took[i] = seconds() - began;
        worked[i] = work_of_children() - before;
    }
    posix_spawn_file_actions_destroy(&actions);
    print_took(what, PROCESSES);
}

#define LOOK_BY(what, ...)                                                                         \
    look_by(program, what, (char *[]){(char *)(uintptr_t)program, __VA_ARGS__, NULL})

static void
look_by_program(const char *program, char *dir)
{
    char past[32];
    snprintf(past, sizeof past, "%llu", (unsigned long long)(last_seq / 12 * 6));
    LOOK_BY("jangbu find", "find", dir, "usage-70");
    LOOK_BY("jangbu find --as-of", "find", dir, "usage-70", "--as-of", past);
    LOOK_BY("jangbu invoices", "invoices", dir, "W0");
    LOOK_BY("jangbu invoices --as-of", "invoices", dir, "W0", "--as-of", past);
    LOOK_BY("jangbu statement, busy", "statement", dir, "W0", "2026-03-01", "2026-03-31");
    LOOK_BY("jangbu statement, busy, --as-of", "statement", dir, "W0", "2026-03-01", "2026-03-31",
            "--as-of", past);
    LOOK_BY("jangbu statement, others", "statement", dir, "W7", "2026-03-01", "2026-03-31");
}

/* ---- ---- */

/* One that is there is taken as it is. */
static void
make_ledger(const char *dir, uint64_t events)
{
    jb_ledger *l = NULL;
    jb_answers *answers = jb_answers_new();
    struct jb_init_options o = {.size = sizeof o, .invoice_from = JB_INVOICE_FROM_ALL};
    jb_status status = jb_init(dir, &o, &err);
    if (status != JB_E_EXISTS) {
        must(status == JB_OK && answers != NULL && jb_open(dir, NULL, &l, &err) == JB_OK, dir);
        const double began = seconds();
        make_wallets(l, answers);
        consume(l, answers, events);
        printf("%-34s %.0f events/s\n", "written", (double)events / (seconds() - began));
        jb_close(l);
    }
    jb_answers_free(answers);
}

static void
follow(jb_ledger *l, jb_views *v, uint64_t events)
{
    struct jb_views_stat s = JB_SIZED(struct jb_views_stat);
    struct jb_ledger_stat log = JB_SIZED(struct jb_ledger_stat);
    const double began = seconds();
    must(jb_views_sync(v, true, &err) == JB_OK, "views");
    printf("%-34s %.0f events/s\n", "followed", (double)events / (seconds() - began));
    must(jb_views_stat_get(v, &s, &err) == JB_OK && jb_ledger_stat_get(l, &log, &err) == JB_OK,
         "stat");
    printf("%-34s %.1f bytes an event; the log %.1f\n", "views.mdb",
           (double)s.file_bytes / (double)events, (double)log.log_bytes / (double)events);
}

int
main(int argc, char **argv)
{
    jb_ledger *l = NULL;
    jb_views *v = NULL;
    static const char usage[] = "bench_find EVENTS DIR [PROGRAM]\n";
    if (asked_about("bench_find", usage, argc, argv)) {
        return 0;
    }
    if (argc < 3 || argc > 4) {
        fputs(usage, stderr);
        return 2;
    }
    const uint64_t events = strtoull(argv[1], NULL, 10);
    must(events >= 1000000, "EVENTS is 1000000 or more");
    first_instant = month_begins(1);
    make_ledger(argv[2], events);
    must(jb_open(argv[2], NULL, &l, &err) == JB_OK && jb_views_open(l, &v, &err) == JB_OK, "open");
    struct jb_head head = JB_SIZED(struct jb_head);
    must(jb_head_get(l, &head, &err) == JB_OK, "the log's end");
    last_seq = head.seq;
    follow(l, v, events);
    look(v, "find a usage", "usage-%llu", events, 1);
    look(v, "find a key", "key-%llu", events, 1);
    look(v, "find nothing", "nothing-%llu", events, 0);
    look_invoices(v, "invoices of a wallet", false);
    look_invoices(v, "invoices of a wallet, as of", true);
    look_statements(v, "a month's statement, busy", true, false);
    look_statements(v, "a month's statement, busy, as of", true, true);
    look_statements(v, "a month's statement, others", false, false);
    jb_views_close(v);
    jb_close(l);
    if (argc == 4) {
        look_by_program(argv[3], argv[2]);
    }
    return 0;
}
