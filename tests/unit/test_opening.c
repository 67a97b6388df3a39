/* Opening a ledger to write folds what is not stored, once: the side that is used first, a
 * command's or a query's, goes on with it. Keys of that tail are known to either; and both sides at
 * once, in two threads, get what they need. */
#include <jangbu/replay.h>

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>

#include "base/steps.h"
#include "ledger/reader.h"
#include "state/behind.h"

#include "../library.h"

#define EVENTS 300U
#define ROUNDS 8

static char scratch[64], dir[96];
static jb_answers *answers;

/* The wallet is charged by the n-th command, which has a key. */
static jb_outcome
charge(jb_ledger *l, jb_answers *a, unsigned n)
{
    struct jb_command c;
    char id[16];
    snprintf(id, sizeof id, "C%u", n);
    jb_command_begin(&c, n == 0 ? JB_OP_WALLET_CREATE : JB_OP_CHARGE);
    jb_set_wallet(&c, jb_text_of("W"));
    jb_set_key(&c, jb_text_of(id));
    if (n == 0) {
        jb_set_kind(&c, JB_KIND_PERSONAL);
        jb_set_name(&c, jb_text_of("name"));
    } else {
        jb_set_charge(&c, jb_text_of(id));
        jb_set_amount(&c, 1);
    }
    good(jb_submit(l, &c, 1, NULL, a, NULL, &err), "jb_submit");
    return jb_answers_at(a, 0)->outcome;
}

/* A ledger whose writer was killed before it stored anything. */
static void
make_with_tail(void)
{
    char command[160];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    must(system(command) == 0, command);
    struct jb_init_options o = {.size = sizeof o, .currency = "KRW"};
    good(jb_init(dir, &o, &err), "jb_init");
    pid_t child = fork();
    if (child == 0) {
        jb_ledger *l;
        good(jb_open(dir, NULL, &l, &err), "jb_open of the child");
        for (unsigned n = 0; n < EVENTS; n++) {
            must(charge(l, answers, n) == JB_DONE, "a charge");
        }
        _exit(0);
    }
    int how;
    must(child > 0 && waitpid(child, &how, 0) == child && how == 0, "the child");
}

static void
ask(jb_ledger *l)
{
    struct jb_wallet_balance b = {.size = sizeof b};
    jb_views *v;
    good(jb_views_open(l, &v, &err), "jb_views_open");
    good(jb_balance_get(v, jb_text_of("W"), NULL, &b, &err), "jb_balance_get");
    must(b.balance.paid >= (jb_amount)(EVENTS - 1), "the balance lacks what was not stored");
    jb_views_close(v);
}

/* The first one to need it had to fold the log, and nobody folded it before. */
static void
folded_once(jb_ledger *l, const char *what)
{
    const uint64_t folded = jb_steps.folded;
    struct jb_head head = {.size = sizeof head};
    good(jb_head_get(l, &head, &err), "jb_head_get");
    must(head.seq >= EVENTS && folded > 0, "there was nothing to fold");
    if (folded > head.seq) {
        fprintf(stderr, "%llu events, %llu folded\n", (unsigned long long)head.seq,
                (unsigned long long)folded);
    }
    must(folded <= head.seq, what);
}

static jb_ledger *
open_it(void)
{
    jb_ledger *l;
    jb_steps.folded = 0;
    good(jb_open(dir, NULL, &l, &err), "jb_open");
    return l;
}

static void
check_and_close(jb_ledger *l)
{
    must(charge(l, answers, 7) == JB_DUPLICATE, "a key of the tail is not known");
    must(charge(l, answers, EVENTS + 1) == JB_DONE, "a new key");
    must(charge(l, answers, EVENTS + 1) == JB_DUPLICATE, "a key that is new is not known");
    jb_close(l);
    struct jb_audit_report *report;
    good(jb_audit(dir, NULL, &report, &err), "jb_audit");
    must(report->verdict == JB_VERIFIED, "the audit found something");
    jb_audit_report_free(report);
}

static void
commands_first(void)
{
    make_with_tail();
    jb_ledger *l = open_it();
    must(charge(l, answers, 7) == JB_DUPLICATE, "a key of the tail is not known at once");
    folded_once(l, "opening and the first command fold the tail twice");
    ask(l);
    check_and_close(l);
}

static void
queries_first(void)
{
    make_with_tail();
    jb_ledger *l = open_it();
    struct jb_reader_head at;
    good(jb_reader_begin(l, &at, &err), "jb_reader_begin");
    jb_reader_end(l);
    folded_once(l, "opening and the first query fold the tail twice");
    must(at.seq >= EVENTS, "a query does not see the end of the log");
    ask(l);
    check_and_close(l);
}

static void *
ask_beside(void *data)
{
    ask(data);
    return NULL;
}

static void
both_at_once(void)
{
    make_with_tail();
    jb_ledger *l = open_it();
    pthread_t other;
    must(pthread_create(&other, NULL, ask_beside, l) == 0, "no thread");
    must(charge(l, answers, 7) == JB_DUPLICATE, "a key of the tail is not known beside a query");
    pthread_join(other, NULL);
    check_and_close(l);
}

/* Everything is to be folded, and the store made again. */
static void
without_store(void)
{
    char path[128];
    make_with_tail();
    snprintf(path, sizeof path, "%s/state.mdb", dir);
    must(unlink(path) == 0, path);
    jb_ledger *l = open_it();
    must(charge(l, answers, 7) == JB_DUPLICATE, "a key is not known without the store");
    folded_once(l, "without a store the log is folded twice");
    check_and_close(l);
}

int
main(void)
{
    jb_behind_limits.lag_events = 1U << 20;
    jb_behind_limits.lag_wallets = 1U << 20;
    jb_behind_limits.lag_us = 3600 * JB_US_PER_SECOND;
    jb_keys_limits.table_keys = 64;
    jb_keys_limits.table_events = 256;
    make_quick_scratch(scratch, "opening");
    snprintf(dir, sizeof dir, "%s/l", scratch);
    answers = jb_answers_new();
    must(answers != NULL, "no memory");
    commands_first();
    queries_first();
    without_store();
    for (int i = 0; i < ROUNDS; i++) {
        both_at_once();
    }
    jb_answers_free(answers);
    remove_scratch(scratch);
    printf("a tail of %u events is folded once by whoever comes first\n", EVENTS);
    return 0;
}
