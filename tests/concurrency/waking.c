/*
 * Who waits in jb_submit is woken once, when there is something to do: to lead, or to take its
 * answers. And single commands are answered between the commits of a long batch, however long it
 * is. Neither is seen by a clock: sleeps and events are counted. And what a caller's clock has said
 * is not in the future of the commit that it comes into.
 */
#include <jangbu/ledger.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/steps.h"
#include "ledger/internal.h"

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("failed: " __VA_ARGS__);                                                        \
            printf(" (%s:%d)\n", #condition, __LINE__);                                            \
            fflush(stdout);                                                                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

#define CALLERS 24
#define CALLS 60
#define CALLS_WITH_TIMES 300
#define LONG 60000
#define SINGLES 40

static jb_ledger *ledger;
static _Atomic unsigned sleeps, most;
static _Atomic bool over;

static struct jb_text
text(const char *s)
{
    return (struct jb_text){s, strlen(s)};
}

static void
submit(const struct jb_command *c, size_t n, jb_answers *answers)
{
    struct jb_error err;
    CHECK(jb_submit(ledger, c, n, NULL, answers, NULL, &err) == JB_OK, "submit: %s", err.text);
    const struct jb_answer *last = jb_answers_at(answers, n - 1);
    CHECK(last->outcome == JB_DONE, "it was not done: code %u", (unsigned)last->code);
}

static struct jb_command
consumption(const char *usage)
{
    return (struct jb_command){.size = sizeof(struct jb_command),
                               .op = JB_OP_CONSUME,
                               .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_USAGE) |
                                      JB_HAS(JB_CF_AMOUNT),
                               .wallet = text("W"),
                               .id = text(usage),
                               .amount = 1};
}

static void
set_up(void)
{
    jb_answers *answers = jb_answers_new();
    struct jb_command c = {.size = sizeof c,
                           .op = JB_OP_WALLET_CREATE,
                           .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_KIND) | JB_HAS(JB_CF_NAME),
                           .wallet = text("W"),
                           .kind = JB_KIND_BUSINESS,
                           .name = text("waking")};
    submit(&c, 1, answers);
    c = (struct jb_command){.size = sizeof c,
                            .op = JB_OP_CHARGE,
                            .has =
                                JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_CHARGE) | JB_HAS(JB_CF_AMOUNT),
                            .wallet = text("W"),
                            .id = text("C"),
                            .amount = 1000000000};
    submit(&c, 1, answers);
    jb_answers_free(answers);
}

static void *
call_often(void *data)
{
    (void)data;
    jb_answers *answers = jb_answers_new();
    struct jb_command c = consumption("U");
    for (unsigned i = 0; i < CALLS; i++) {
        uint64_t before = jb_steps.sleeps;
        submit(&c, 1, answers);
        unsigned slept = (unsigned)(jb_steps.sleeps - before), seen = most;
        sleeps += slept;
        while (slept > seen && !atomic_compare_exchange_weak(&most, &seen, slept)) {
        }
    }
    jb_answers_free(answers);
    return NULL;
}

/* A call on the word of a caller that has left may wake another for nothing: seldom. */
static void
many_callers(void)
{
    pthread_t threads[CALLERS];
    for (unsigned i = 0; i < CALLERS; i++) {
        CHECK(pthread_create(&threads[i], NULL, call_often, NULL) == 0, "thread");
    }
    for (unsigned i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(sleeps > 0, "nobody ever waited for another");
    CHECK(sleeps <= CALLERS * CALLS + CALLERS, "%u sleeps of %d calls", sleeps, CALLERS * CALLS);
    printf("%d calls from %d threads: %u sleeps, at most %u of one call\n", CALLERS * CALLS,
           CALLERS, sleeps, most);
}

static void *
call_long(void *data)
{
    (void)data;
    jb_answers *answers = jb_answers_new();
    struct jb_command *all = calloc(LONG, sizeof *all);
    CHECK(all != NULL && answers != NULL, "memory");
    for (unsigned i = 0; i < LONG; i++) {
        all[i] = consumption("L");
    }
    submit(all, LONG, answers);
    over = true;
    free(all);
    jb_answers_free(answers);
    return NULL;
}

static jb_seq
log_end(void)
{
    struct jb_error err;
    jb_seq end;
    CHECK(jb_wait(ledger, 0, 0, &end, &err) == JB_OK, "wait: %s", err.text);
    return end;
}

/* Before a single command comes the commit that runs when it is called, and no other; its own has
 * nothing of the batch. Looked at from outside, where a thread may be late: so of the usual one,
 * and of one at least. */
static void
beside_a_long_batch(void)
{
    pthread_t thread;
    jb_answers *answers = jb_answers_new();
    struct jb_command c = consumption("S");
    jb_seq begun = log_end();
    CHECK(pthread_create(&thread, NULL, call_long, NULL) == 0, "thread");
    while (log_end() == begun) {
    }
    unsigned beside = 0, soon = 0, alone = 0;
    for (; beside < SINGLES && !over; beside++) {
        jb_seq before = log_end();
        submit(&c, 1, answers);
        jb_seq seq = jb_answers_at(answers, 0)->seq;
        alone += log_end() == seq;
        soon += seq - before <= JB_COMMIT_EVENTS_MAX + 1;
    }
    CHECK(beside > 1, "the batch was over before the second command");
    CHECK(soon * 2 > beside, "only %u of %u waited for one commit alone", soon, beside);
    CHECK(alone * 2 >= beside, "only %u of %u were committed without some of the batch behind them",
          alone, beside);
    pthread_join(thread, NULL);
    jb_answers_free(answers);
    printf("%u commands beside a batch of %d: %u waited for one commit of it, %u were committed "
           "without any of it\n",
           beside, LONG, soon, alone);
}

static void
allow_no_clock_ahead(void)
{
    jb_answers *answers = jb_answers_new();
    struct jb_command c = {.size = sizeof c,
                           .op = JB_OP_POLICY_SET,
                           .has = JB_HAS(JB_CF_POLICY) | JB_HAS(JB_CF_VALUE),
                           .policy = JB_POLICY_CLOCK_TOLERANCE,
                           .value = 0};
    submit(&c, 1, answers);
    jb_answers_free(answers);
}

static void *
call_with_times(void *data)
{
    (void)data;
    jb_answers *answers = jb_answers_new();
    struct jb_command c = consumption("T");
    c.has |= JB_HAS(JB_CF_AT);
    for (unsigned i = 0; i < CALLS_WITH_TIMES; i++) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        c.at = (jb_instant)now.tv_sec * 1000000 + now.tv_nsec / 1000;
        submit(&c, 1, answers);
    }
    jb_answers_free(answers);
    return NULL;
}

/* The ledger's clock is never behind one that a caller has looked at before its call: not even
 * where the commit that takes the command along was begun before that. */
static void
times_of_callers(void)
{
    pthread_t threads[CALLERS];
    allow_no_clock_ahead();
    for (unsigned i = 0; i < CALLERS; i++) {
        CHECK(pthread_create(&threads[i], NULL, call_with_times, NULL) == 0, "thread");
    }
    for (unsigned i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("%d calls with a time of their own\n", CALLERS * CALLS_WITH_TIMES);
}

int
main(void)
{
    const char *tmp = getenv("TMPDIR");
    char dir[4000], path[4096], command[4200];
    struct jb_error err;
    snprintf(dir, sizeof dir, "%s/jangbu-waking-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(dir) == NULL) {
        return 2;
    }
    snprintf(path, sizeof path, "%s/l", dir);
    CHECK(jb_init(path, NULL, &err) == JB_OK, "init: %s", err.text);
    CHECK(jb_open(path, NULL, &ledger, &err) == JB_OK, "open: %s", err.text);
    set_up();
    many_callers();
    beside_a_long_batch();
    times_of_callers();
    jb_close(ledger);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}
