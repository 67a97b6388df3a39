/*
 * Many writers at once: 8 threads on one handle; 4 processes of 2 threads each; and racers for the
 * last cash of one wallet. Each keyed command happens exactly once, every retry gets the first
 * answer, and the sums are right. planted.py takes the writer lock and the look-up of keys out, one
 * at a time, and sees these tests fail. And waiters behind a holder of the lock that is stopped.
 */
#include <jangbu/ledger.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WALLETS 5
#define ROUNDS 150 /* keys; every writer submits every one of them */
#define WRITERS_MAX 8

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("failed: " __VA_ARGS__);                                                        \
            printf(" (%s:%d)\n", #condition, __LINE__);                                            \
            fflush(stdout);                                                                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* What each writer was told for each key; shared between processes. */
struct told {
    uint64_t seq[WRITERS_MAX][ROUNDS];
    uint32_t code[WRITERS_MAX][ROUNDS];
    uint32_t done_first[ROUNDS]; /* how many heard DONE, not DUPLICATE */
    uint32_t winners, losers;
    pthread_barrier_t barrier;
};

static struct told *told;

static struct jb_text
text(const char *s)
{
    return (struct jb_text){s, strlen(s)};
}

static jb_ledger *
open_ledger(const char *dir)
{
    jb_ledger *l;
    struct jb_error err;
    jb_status status = jb_open(dir, NULL, &l, &err);
    CHECK(status == JB_OK, "open: %s", err.text);
    return l;
}

static const struct jb_answer *
submit(jb_ledger *l, const struct jb_command *c, jb_answers *answers)
{
    struct jb_error err;
    jb_status status = jb_submit(l, c, 1, NULL, answers, NULL, &err);
    CHECK(status == JB_OK, "submit: %s", err.text);
    return jb_answers_at(answers, 0);
}

static void
set_up(jb_ledger *l, jb_amount each)
{
    jb_answers *answers = jb_answers_new();
    for (int i = 0; i < WALLETS; i++) {
        char id[8];
        snprintf(id, sizeof id, "W%d", i);
        struct jb_command c = {.size = sizeof c,
                               .op = JB_OP_WALLET_CREATE,
                               .has =
                                   JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_KIND) | JB_HAS(JB_CF_NAME),
                               .wallet = text(id),
                               .kind = JB_KIND_BUSINESS,
                               .name = text("race")};
        CHECK(submit(l, &c, answers)->outcome == JB_DONE, "create");
        c = (struct jb_command){.size = sizeof c,
                                .op = JB_OP_CHARGE,
                                .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_CHARGE) |
                                       JB_HAS(JB_CF_AMOUNT),
                                .wallet = text(id),
                                .id = text("C0"),
                                .amount = each};
        CHECK(submit(l, &c, answers)->outcome == JB_DONE, "charge");
    }
    jb_answers_free(answers);
}

/* Command number k: the same from every writer. Some are refused, and that is remembered, too. */
static void
make(unsigned k, struct jb_command *c, char key[24], char wallet[8], char id[24])
{
    snprintf(key, 24, "key-%u", k);
    snprintf(wallet, 8, "W%u", k % WALLETS);
    snprintf(id, 24, "X%u", k);
    *c = (struct jb_command){.size = sizeof *c,
                             .op = k % 3 == 0 ? JB_OP_CHARGE : JB_OP_CONSUME,
                             .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_AMOUNT) | JB_HAS(JB_CF_KEY),
                             .wallet = text(wallet),
                             .id = text(id),
                             .amount = k % 7 == 0 ? INT64_C(1000000000) : 10 + k,
                             .key = text(key)};
    c->has |= c->op == JB_OP_CHARGE ? JB_HAS(JB_CF_CHARGE) : JB_HAS(JB_CF_USAGE);
    if (c->op == JB_OP_CHARGE) {
        c->amount = 100 + k;
    }
}

static void
write_all(jb_ledger *l, unsigned writer)
{
    jb_answers *answers = jb_answers_new();
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned k = (i + writer * 17) % ROUNDS;
        char key[24], wallet[8], id[24];
        struct jb_command c;
        make(k, &c, key, wallet, id);
        const struct jb_answer *a = submit(l, &c, answers);
        CHECK(a->outcome == JB_DONE || a->outcome == JB_REFUSED || a->outcome == JB_DUPLICATE,
              "key %u: outcome %d", k, (int)a->outcome);
        told->seq[writer][k] = a->seq;
        told->code[writer][k] = (uint32_t)a->code;
        if (a->outcome != JB_DUPLICATE) {
            __atomic_fetch_add(&told->done_first[k], 1, __ATOMIC_SEQ_CST);
        }
    }
    jb_answers_free(answers);
}

struct writer {
    pthread_t thread;
    jb_ledger *l;
    unsigned number;
};

static void *
writer_main(void *data)
{
    struct writer *w = data;
    write_all(w->l, w->number);
    return NULL;
}

/* Readers look all the while: sequence numbers have no gap, and time runs forward. */
static void *
reader_main(void *data)
{
    struct writer *w = data;
    struct jb_error err;
    for (int round = 0; round < 20; round++) {
        jb_cursor *c;
        const struct jb_event *e;
        jb_seq expected = 1;
        CHECK(jb_cursor_open(w->l, 1, &c, &err) == JB_OK, "cursor: %s", err.text);
        jb_status status;
        while ((status = jb_cursor_next(c, &e, &err)) == JB_OK) {
            CHECK(e->seq == expected, "event %llu where %llu should be", (unsigned long long)e->seq,
                  (unsigned long long)expected);
            expected++;
        }
        CHECK(status == JB_END, "read: %s", err.text);
        jb_cursor_close(c);
        struct jb_ledger_stat s = {.size = sizeof s};
        CHECK(jb_ledger_stat_get(w->l, &s, &err) == JB_OK, "stat: %s", err.text);
        CHECK(s.events + 1 >= expected, "stat is behind an event that was read");
    }
    return NULL;
}

/* After all: each key stands in one event, everyone was told that event, and the wallets' sums
 * follow from the events. */
static void
verify(jb_ledger *l, unsigned writers)
{
    struct jb_error err;
    jb_cursor *c;
    const struct jb_event *e;
    static unsigned seen[ROUNDS];
    unsigned accepted = 0, refused = 0;
    memset(seen, 0, sizeof seen);
    CHECK(jb_cursor_open(l, 1, &c, &err) == JB_OK, "cursor: %s", err.text);
    while (jb_cursor_next(c, &e, &err) == JB_OK) {
        if ((e->flags & JB_EVF_KEY) == 0) {
            continue;
        }
        char key[24];
        unsigned k;
        snprintf(key, sizeof key, "%.*s", (int)e->key.n, e->key.s);
        CHECK(sscanf(key, "key-%u", &k) == 1 && k < ROUNDS, "a key that nobody sent");
        seen[k]++;
        accepted += e->type != JB_EV_COMMAND_REFUSED;
        refused += e->type == JB_EV_COMMAND_REFUSED;
        for (unsigned w = 0; w < writers; w++) {
            CHECK(told->seq[w][k] == e->seq,
                  "writer %u was told event %llu for key %u, which is event %llu", w,
                  (unsigned long long)told->seq[w][k], k, (unsigned long long)e->seq);
            CHECK((told->code[w][k] != 0) == (e->type == JB_EV_COMMAND_REFUSED),
                  "writer %u was told code %u for key %u", w, told->code[w][k], k);
        }
    }
    jb_cursor_close(c);
    for (unsigned k = 0; k < ROUNDS; k++) {
        CHECK(seen[k] == 1, "key %u stands in %u events", k, seen[k]);
        CHECK(told->done_first[k] == 1, "%u writers were told that key %u was theirs",
              told->done_first[k], k);
    }
    CHECK(accepted > 0 && refused > 0, "the race exercises both outcomes");
    printf("%u writers, %u keys: %u accepted, %u refused, each once\n", writers, ROUNDS, accepted,
           refused);
}

static void
run_threads(const char *dir)
{
    jb_ledger *l = open_ledger(dir);
    struct writer writers[8], reader = {.l = l};
    set_up(l, 3000);
    for (unsigned i = 0; i < 8; i++) {
        writers[i] = (struct writer){.l = l, .number = i};
        pthread_create(&writers[i].thread, NULL, writer_main, &writers[i]);
    }
    pthread_create(&reader.thread, NULL, reader_main, &reader);
    for (unsigned i = 0; i < 8; i++) {
        pthread_join(writers[i].thread, NULL);
    }
    pthread_join(reader.thread, NULL);
    verify(l, 8);
    jb_close(l);
}

static void
run_processes(const char *dir)
{
    jb_ledger *l = open_ledger(dir);
    set_up(l, 3000);
    jb_close(l);
    pid_t pids[4];
    for (unsigned p = 0; p < 4; p++) {
        pids[p] = fork();
        if (pids[p] == 0) {
            struct writer two[2];
            jb_ledger *mine = open_ledger(dir);
            for (unsigned i = 0; i < 2; i++) {
                two[i] = (struct writer){.l = mine, .number = p * 2 + i};
                pthread_create(&two[i].thread, NULL, writer_main, &two[i]);
            }
            pthread_join(two[0].thread, NULL);
            pthread_join(two[1].thread, NULL);
            jb_close(mine);
            _exit(0);
        }
    }
    for (unsigned p = 0; p < 4; p++) {
        int status;
        waitpid(pids[p], &status, 0);
        CHECK(status == 0, "process %u ended with %d", p, status);
    }
    l = open_ledger(dir);
    verify(l, 8);
    jb_close(l);
}

/* Four processes, one wallet, cash for exactly one: round after round one wins. Even rounds: keys
 * of their own; odd ones: the same key. */
static void
run_winner(const char *dir)
{
    const unsigned rounds = 100;
    jb_ledger *l = open_ledger(dir);
    set_up(l, 1);
    jb_close(l);
    pthread_barrierattr_t attr;
    pthread_barrierattr_init(&attr);
    pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&told->barrier, &attr, 4);
    pid_t pids[4];
    for (unsigned p = 0; p < 4; p++) {
        pids[p] = fork();
        if (pids[p] == 0) {
            jb_ledger *mine = open_ledger(dir);
            jb_answers *answers = jb_answers_new();
            for (unsigned round = 0; round < rounds; round++) {
                char key[32], id[24];
                bool same = round % 2 == 1;
                snprintf(id, sizeof id, "R%u", round);
                if (p == 0) { /* puts in exactly one usage's cash */
                    snprintf(key, sizeof key, "fill-%u", round);
                    struct jb_command fill = {.size = sizeof fill,
                                              .op = JB_OP_CHARGE,
                                              .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_CHARGE) |
                                                     JB_HAS(JB_CF_AMOUNT),
                                              .wallet = text("W0"),
                                              .id = text(key),
                                              .amount = round == 0 ? 99 : 100};
                    CHECK(submit(mine, &fill, answers)->outcome == JB_DONE, "fill");
                }
                pthread_barrier_wait(&told->barrier);
                snprintf(key, sizeof key, same ? "same-%u" : "own-%u-%u", round, p);
                struct jb_command c = {.size = sizeof c,
                                       .op = JB_OP_CONSUME,
                                       .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_USAGE) |
                                              JB_HAS(JB_CF_AMOUNT) | JB_HAS(JB_CF_KEY),
                                       .wallet = text("W0"),
                                       .id = text(id),
                                       .amount = 100,
                                       .key = text(key)};
                const struct jb_answer *a = submit(mine, &c, answers);
                if (a->outcome == JB_DONE) {
                    __atomic_fetch_add(&told->winners, 1, __ATOMIC_SEQ_CST);
                } else {
                    CHECK(same ? a->outcome == JB_DUPLICATE && a->code == 0
                               : a->code == JB_CODE_INSUFFICIENT_CASH,
                          "round %u: outcome %d code %d", round, (int)a->outcome, (int)a->code);
                    __atomic_fetch_add(&told->losers, 1, __ATOMIC_SEQ_CST);
                }
                pthread_barrier_wait(&told->barrier);
            }
            jb_answers_free(answers);
            jb_close(mine);
            _exit(0);
        }
    }
    bool bad = false;
    for (unsigned p = 0; p < 4; p++) {
        int status;
        waitpid(pids[p], &status, 0);
        if (status != 0 && !bad) {
            bad = true; /* the others wait at the barrier for ever */
            for (unsigned q = 0; q < 4; q++) {
                kill(pids[q], SIGKILL);
            }
        }
    }
    CHECK(!bad, "a racer failed");
    CHECK(told->winners == rounds && told->losers == rounds * 3, "%u winners in %u rounds",
          told->winners, rounds);
    printf("%u rounds of 4 racers: one winner each\n", rounds);
}

/* ---- a holder of the writer lock that is stopped ---- */

#define WAIT_US INT64_C(500000)
#define WAITERS 16

/* The clock is read by who holds the lock: this one says so and stays there. */
static jb_instant
clock_that_stops(void *data)
{
    const int *fd = data;
    if (write(*fd, "x", 1) == 1) {
        raise(SIGSTOP);
    }
    return INT64_C(1790000000000000);
}

static void *
wait_in_queue(void *data)
{
    struct writer *w = data;
    struct jb_command c;
    char key[24], wallet[8], id[24];
    struct jb_error err;
    jb_answers *answers = jb_answers_new();
    make(w->number, &c, key, wallet, id);
    CHECK(jb_submit(w->l, &c, 1, NULL, answers, NULL, &err) == JB_E_BUSY &&
              strstr(err.text, "writer lock") != NULL,
          "no word of the lock");
    jb_answers_free(answers);
    return NULL;
}

static int64_t
monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* However many wait, each hears of it after one deadline and not after those of all who came
 * before; then the same keys do. */
static void
run_stopped(const char *dir)
{
    int ready[2];
    char byte;
    CHECK(pipe(ready) == 0, "pipe");
    jb_ledger *l = open_ledger(dir);
    set_up(l, 3000);
    jb_close(l);
    pid_t pid = fork();
    if (pid == 0) {
        struct jb_open_options o = {
            .size = sizeof o, .now = clock_that_stops, .now_data = &ready[1]};
        struct jb_error err;
        jb_ledger *mine;
        struct jb_command c;
        char key[24], wallet[8], id[24];
        make(0, &c, key, wallet, id);
        CHECK(jb_open(dir, &o, &mine, &err) == JB_OK, "open: %s", err.text);
        submit(mine, &c, jb_answers_new());
        _exit(1);
    }
    CHECK(read(ready[0], &byte, 1) == 1, "the holder");
    struct jb_open_options o = {.size = sizeof o, .lock_wait_us = WAIT_US};
    struct jb_error err;
    CHECK(jb_open(dir, &o, &l, &err) == JB_OK, "open: %s", err.text);
    struct writer waiters[WAITERS];
    int64_t began = monotonic_us();
    for (unsigned i = 0; i < WAITERS; i++) {
        waiters[i] = (struct writer){.l = l, .number = i};
        pthread_create(&waiters[i].thread, NULL, wait_in_queue, &waiters[i]);
    }
    for (unsigned i = 0; i < WAITERS; i++) {
        pthread_join(waiters[i].thread, NULL);
    }
    int64_t took = monotonic_us() - began;
    CHECK(took >= WAIT_US && took < WAITERS * WAIT_US / 2, "%d waiters were told after %lld us",
          WAITERS, (long long)took);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    jb_answers *answers = jb_answers_new();
    for (unsigned i = 0; i < WAITERS; i++) {
        struct jb_command c;
        char key[24], wallet[8], id[24];
        make(i, &c, key, wallet, id);
        CHECK(submit(l, &c, answers)->outcome != JB_DUPLICATE,
              "key %u was taken by a command that was told it was not done", i);
    }
    jb_answers_free(answers);
    jb_close(l);
    printf("%d waiters behind a stopped process: all told after one deadline, all done behind it\n",
           WAITERS);
}

int
main(int argc, char **argv)
{
    const char *tmp = getenv("TMPDIR");
    char dir[4000], ledger[4096], command[4096];
    struct jb_error err;
    snprintf(dir, sizeof dir, "%s/jangbu-race-XXXXXX", tmp != NULL ? tmp : "/tmp");
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (argc < 2 || mkdtemp(dir) == NULL || told == MAP_FAILED) {
        return 2;
    }
    snprintf(ledger, sizeof ledger, "%s/l", dir);
    CHECK(jb_init(ledger, NULL, &err) == JB_OK, "init: %s", err.text);
    if (strcmp(argv[1], "threads") == 0) {
        run_threads(ledger);
    } else if (strcmp(argv[1], "processes") == 0) {
        run_processes(ledger);
    } else if (strcmp(argv[1], "stopped") == 0) {
        run_stopped(ledger);
    } else {
        run_winner(ledger);
    }
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}
