/* What is stored is written while deciding goes on: random commands with limits so small that
 * nearly every command meets what is on its way, decided by one handle, by two processes in turn,
 * and beside a process that is stopped inside the store. The audit, which folds the log by itself,
 * then compares each row of state.mdb, and decides each event again. */
#include <jangbu/replay.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <lmdb.h>

#include "../check.h"
#include "state/behind.h"

#define H(field) JB_HAS(JB_CF_##field)
#define WALLETS 12
#define PEOPLE 5
#define RUNS (SANITIZED ? 4 : 11)
#define RUNS_WITH_IDLE (SANITIZED ? 2 : 3)

static char scratch[64], dir[96];
static jb_ledger *ledger;
static jb_answers *answers;
static uint64_t seed;
static unsigned numbered; /* ids given */
static unsigned outcomes[2];
/* What this process alone has seen happen. */
#define PGS 3
#define TXNS 400
#define DAYS 512
static jb_seq first[PGS][TXNS], closed[DAYS];
static bool in_company;
static unsigned run; /* of all that follow, each with numbers of its own */

static unsigned
any(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % n;
}

static struct jb_text
id(char letter, unsigned number)
{
    static char texts[8][24];
    static unsigned next;
    char *s = texts[next++ % 8];
    return (struct jb_text){s, (size_t)snprintf(s, sizeof texts[0], "%c%u", letter, number)};
}

static jb_outcome
done(struct jb_command c, uint64_t has, jb_instant at)
{
    struct jb_error err = {.status = JB_OK};
    struct jb_submit_options o = {.size = sizeof o, .clock = JB_CLOCK_AT};
    size_t n;
    c.size = sizeof c;
    c.has = has | H(CLOCK);
    c.clock = at;
    must(jb_submit(ledger, &c, 1, &o, answers, &n, &err) == JB_OK, err.text);
    outcomes[jb_answers_at(answers, 0)->outcome == JB_DONE]++;
    return jb_answers_at(answers, 0)->outcome;
}

#define ON(w, ...) ((struct jb_command){.wallet = id('W', w), __VA_ARGS__})

/* A number that was given some time ago. */
static unsigned
earlier(void)
{
    unsigned back = any(3) > 0 ? any(40) : any(numbered + 1);
    return back < numbered ? numbered - back : 1;
}

/* The answer names the first charge of its transaction. */
static void
charge(unsigned w, unsigned n, jb_instant at)
{
    unsigned pg = any(PGS), txn = any(TXNS);
    jb_outcome outcome =
        done(ON(w, .op = JB_OP_CHARGE, .id = id('C', n), .amount = 1 + any(900), .pg = id('p', pg),
                .txn_ref = id('t', txn), .key = id('k', any(900))),
             H(WALLET) | H(CHARGE) | H(AMOUNT) | H(PG) | H(TXN_REF) | H(KEY), at);
    const struct jb_answer *a = jb_answers_at(answers, 0);
    if (outcome == JB_DONE && !in_company) {
        must(a->same_txn == first[pg][txn], "another charge is the first of its transaction");
        first[pg][txn] = first[pg][txn] != 0 ? first[pg][txn] : a->seq;
    }
}

/* It is closed once, and for ever. */
static void
close_yesterday(jb_instant at)
{
    jb_day day = jb_day_of(at, 9 * 3600) - 1;
    jb_outcome outcome = done((struct jb_command){.op = JB_OP_DAY_CLOSE, .day = day}, H(DAY), at);
    const struct jb_answer *a = jb_answers_at(answers, 0);
    if (!in_company && (outcome == JB_DONE || outcome == JB_DUPLICATE)) {
        jb_seq *of_day = &closed[(unsigned)day % DAYS];
        must(*of_day == 0 || (*of_day == a->seq && outcome == JB_DUPLICATE), "a day closed twice");
        *of_day = a->seq;
    } else {
        must(in_company || closed[(unsigned)day % DAYS] == 0, "a day that is closed no more");
    }
}

/* Each number belongs to one wallet, and is one of a charge, a grant, a consumption or a refund. */
static void
some_money(jb_instant at)
{
    unsigned what = any(14);
    bool gives = what <= 2 || what == 7 || what > 9;
    unsigned n = gives ? ++numbered : earlier(), w = n % WALLETS;
    switch (what) {
    case 0:
    case 1:
        charge(w, n, at);
        break;
    case 2:
        done(ON(w, .op = JB_OP_FREE_GRANT, .id = id('G', n), .amount = 1 + any(300),
                .expires_on = jb_day_of(at, 9 * 3600) + 1 + (jb_day)any(4)),
             H(WALLET) | H(GRANT) | H(AMOUNT) | H(EXPIRES_ON), at);
        break;
    case 3:
        done(ON(w, .op = JB_OP_FREE_REVOKE, .id = id('G', n)), H(WALLET) | H(GRANT), at);
        break;
    case 4:
        done(ON(w, .op = JB_OP_CHARGE_REVERSE, .id = id('C', n), .amount = 1 + any(200)),
             H(WALLET) | H(CHARGE) | H(AMOUNT), at);
        break;
    case 5:
    case 6:
        done(ON(w, .op = JB_OP_CONSUME_REVERSE, .id = id('U', n), .amount = 1 + any(60)),
             H(WALLET) | H(USAGE) | H(AMOUNT), at);
        break;
    case 7:
        done(ON(w, .op = JB_OP_REFUND_REQUEST, .id = id('R', n), .amount = 1 + any(200)),
             H(WALLET) | H(REFUND) | H(AMOUNT), at);
        break;
    case 8:
        done(ON(w, .op = any(3) > 0 ? JB_OP_REFUND_APPROVE : JB_OP_REFUND_CANCEL, .id = id('R', n)),
             H(WALLET) | H(REFUND), at);
        break;
    case 9:
        done(ON(w, .op = any(2) > 0 ? JB_OP_REFUND_COMPLETE : JB_OP_REFUND_FAIL, .id = id('R', n)),
             H(WALLET) | H(REFUND), at);
        break;
    default:
        done(ON(w, .op = JB_OP_CONSUME, .id = id('U', n), .amount = 1 + any(250)),
             H(WALLET) | H(USAGE) | H(AMOUNT), at);
        break;
    }
}

static void
something_else(unsigned w, jb_instant at)
{
    switch (any(9)) {
    case 7:
    case 8:
        close_yesterday(at);
        break;
    case 0:
        done(ON(w, .op = any(2) > 0 ? JB_OP_WALLET_OFF : JB_OP_WALLET_ON), H(WALLET), at);
        break;
    case 1:
        done(ON(w, .op = JB_OP_MEMBER_INVITE, .person = id('p', any(PEOPLE))),
             H(WALLET) | H(PERSON), at);
        break;
    case 2:
        done(ON(w, .op = JB_OP_MEMBER_ACCEPT, .person = id('p', any(PEOPLE))),
             H(WALLET) | H(PERSON), at);
        break;
    case 3:
        done(ON(w, .op = JB_OP_MEMBER_REMOVE, .person = id('p', any(PEOPLE))),
             H(WALLET) | H(PERSON), at);
        break;
    case 4:
        done((struct jb_command){.op = JB_OP_CHANNEL_CREATE,
                                 .channel = id('c', any(30)),
                                 .person = id('p', any(PEOPLE)),
                                 .channel_kind = JB_CHANNEL_BUSINESS},
             H(CHANNEL) | H(PERSON) | H(CHANNEL_KIND), at);
        break;
    case 5:
        done(ON(w, .op = JB_OP_CHANNEL_CONNECT, .channel = id('c', any(30))),
             H(WALLET) | H(CHANNEL), at);
        break;
    default:
        done(ON(w, .op = JB_OP_WALLET_CREATE, .kind = JB_KIND_BUSINESS, .name = id('n', w),
                .master = id('p', any(PEOPLE))),
             H(WALLET) | H(KIND) | H(NAME) | H(MASTER), at);
    }
}

static void
command(jb_instant at)
{
    if (any(10) == 0) {
        something_else(any(WALLETS), at);
    } else {
        some_money(at);
    }
}

static void
open_it(void)
{
    struct jb_error err = {.status = JB_OK};
    must(jb_open(dir, NULL, &ledger, &err) == JB_OK, err.text);
    answers = jb_answers_new();
    must(answers != NULL, "no memory");
}

static void
close_it(void)
{
    jb_answers_free(answers);
    ledger = jb_close(ledger);
}

static void
audit(const char *when)
{
    struct jb_error err = {.status = JB_OK};
    struct jb_audit_report *report;
    must(jb_audit(dir, NULL, &report, &err) == JB_OK, err.text);
    if (report->verdict != JB_VERIFIED) {
        fprintf(stderr, "%s: %s\n", when,
                report->problems_n > 0 ? report->problems[0]->text : "not verified");
        exit(1);
    }
    jb_audit_report_free(report);
}

static jb_instant
make(const char *name)
{
    struct jb_error err = {.status = JB_OK};
    jb_instant at;
    snprintf(dir, sizeof dir, "%s/%s", scratch, name);
    must(jb_instant_parse("2026-03-02T09:00:00+09:00", 25, &at), "no instant");
    must(jb_init(dir, NULL, &err) == JB_OK, err.text);
    seed = 7 + run * 1000;
    numbered = 0;
    memset(first, 0, sizeof first);
    memset(closed, 0, sizeof closed);
    in_company = false;
    open_it();
    for (unsigned w = 0; w < WALLETS; w++) {
        must(done(ON(w, .op = JB_OP_WALLET_CREATE, .kind = JB_KIND_BUSINESS, .name = id('n', w),
                     .master = id('p', w % PEOPLE)),
                  H(WALLET) | H(KIND) | H(NAME) | H(MASTER), at) == JB_DONE,
             "a wallet");
    }
    close_it();
    return at;
}

#define STEP (20 * 60 * JB_US_PER_SECOND)

/* In the last runs the thread goes on by itself, as between two commands that are far apart. */
static int64_t
idle_us(void)
{
    return run < RUNS - RUNS_WITH_IDLE ? JB_US_PER_SECOND : 100;
}

/* One handle, and the limits that make each stage last for a few commands. */
static void
alone(uint64_t lag, size_t slice, size_t kept)
{
    char name[32];
    snprintf(name, sizeof name, "alone-%u-%d-%d", run, (int)lag, (int)slice);
    jb_behind_limits = (struct jb_behind_limits){.lag_events = lag,
                                                 .lag_wallets = 4,
                                                 .lag_us = idle_us(),
                                                 .slice = slice,
                                                 .wallets_kept = kept};
    jb_instant at = make(name);
    for (unsigned round = 0; round < 6; round++) {
        open_it();
        for (unsigned i = 0; i < 250; i++) {
            command(at += STEP);
        }
        audit("beside the one who writes");
        close_it();
        audit("when it is closed");
    }
}

/* Two processes in turn: each finds in the store what the other one has put there. */
static void
in_turn(uint64_t lag, uint64_t lags)
{
    char name[32], token;
    int there[2], back[2];
    snprintf(name, sizeof name, "turn-%u-%d", run, (int)lags);
    jb_behind_limits = (struct jb_behind_limits){
        .lag_events = lag, .lag_wallets = 500, .lag_us = idle_us(), .slice = 1, .wallets_kept = 6};
    jb_instant at = make(name);
    must(pipe(there) == 0 && pipe(back) == 0, "no pipes");
    pid_t other = fork();
    must(other >= 0, "no child");
    in_company = true;
    if (other == 0) {
        jb_behind_limits.lag_events = lags;
    }
    int in = other == 0 ? there[0] : back[0], out = other == 0 ? back[1] : there[1];
    close(other == 0 ? there[1] : back[1]);
    close(other == 0 ? back[0] : there[0]);
    open_it();
    if (other != 0) {
        must(write(out, "x", 1) == 1, "the other one is gone");
    }
    for (unsigned i = 0; i < 300; i++) {
        must(read(in, &token, 1) == 1, "the other one is gone");
        seed = run * 1000 + i * 2 + (other != 0);
        numbered = i * 8;
        jb_instant now = at + (jb_instant)(i * 2 + (other == 0)) * STEP;
        for (unsigned n = 1 + any(4); n > 0; n--) {
            command(now++);
        }
        if (other != 0 && i % 10 == 0) {
            audit("between two turns");
        }
        if (write(out, "x", 1) != 1) {
            must(i >= 298, "the other one is gone");
        }
    }
    close_it();
    if (other == 0) {
        exit(0);
    }
    int status;
    must(waitpid(other, &status, 0) == other && status == 0, "the other one has failed");
    audit("after two processes in turn");
}

/* Until it is killed. */
static pid_t
stopped_inside(void)
{
    int ready[2];
    char token, path[128];
    must(pipe(ready) == 0, "no pipe");
    pid_t child = fork();
    must(child >= 0, "no child");
    if (child == 0) {
        MDB_env *env;
        MDB_txn *txn;
        snprintf(path, sizeof path, "%s/state.mdb", dir);
        bool ok = mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, 16) == 0 &&
                  mdb_env_open(env, path, MDB_NOSUBDIR, 0600) == 0 &&
                  mdb_txn_begin(env, NULL, 0, &txn) == 0;
        if (ok && write(ready[1], "x", 1) == 1) {
            pause();
        }
        _exit(1);
    }
    close(ready[1]);
    must(read(ready[0], &token, 1) == 1, "nobody is inside the store");
    close(ready[0]);
    return child;
}

/* Everything of some minutes stays on its way, and is found there. */
static void
beside_a_stopped_one(void)
{
    jb_behind_limits = (struct jb_behind_limits){
        .lag_events = 40, .lag_wallets = 100, .lag_us = idle_us(), .slice = 2, .wallets_kept = 4};
    char name[32];
    snprintf(name, sizeof name, "stopped-%u", run);
    jb_instant at = make(name);
    for (unsigned round = 0; round < 4; round++) {
        open_it();
        for (unsigned i = 0; i < 30; i++) {
            command(at += STEP);
        }
        pid_t inside = stopped_inside();
        for (unsigned i = 0; i < 200; i++) {
            command(at += STEP);
        }
        must(kill(inside, SIGKILL) == 0 && waitpid(inside, NULL, 0) == inside, "cannot end it");
        for (unsigned i = 0; i < 20; i++) {
            command(at += STEP);
        }
        close_it();
        audit("after a process that was stopped inside the store");
    }
}

int
main(int argc, char **argv)
{
    /* TSan knows nothing of mutexes that processes share. */
    bool one_process = argc > 1 && strcmp(argv[1], "alone") == 0;
    signal(SIGPIPE, SIG_IGN); /* the one who ends first does not read the last word */
    make_quick_scratch(scratch, "behind");
    for (; run < RUNS; run++) {
        alone(1, 1, 1000);
        alone(5, 1, 1);
        alone(30, 2, 3);
        alone(60, 1, 1000);
        if (!one_process) {
            in_turn(4, 4);
            in_turn(3, 30);
            in_turn(9, 9);
            beside_a_stopped_one();
        }
    }
    remove_scratch(scratch);
    printf("%u commands were done, %u refused\n", outcomes[1], outcomes[0]);
    must(outcomes[1] > outcomes[0] / 2, "nearly all commands were refused");
    return 0;
}
