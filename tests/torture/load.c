/*
 * One process of a load: threads that write keyed commands, some of which other processes write,
 * too, and read balances, and note what they were told and when (CLOCK_MONOTONIC is that of the
 * machine). tests/torture/load.py starts several, kills some, and judges.
 *
 *   load LEDGER HISTORY SECONDS SEED FIRST_KEY THREADS
 *
 * A line of the history: "W begin end key outcome code seq", or "R begin end wallet seq paid free
 * version".
 */
#include <jangbu/projections.h>

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WALLETS 8
#define COMMANDS_MAX 40
#define SHARED_KEYS UINT64_C(1000000000)

static jb_ledger *ledger;
static jb_views *views;
static int history;
static int64_t until;
static unsigned seed;
static atomic_uint_fast64_t next_key;

static int64_t
now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* One write, so that a kill leaves whole lines and lines of several processes do not mix. */
static void
note(const char *text, size_t n)
{
    if (write(history, text, n) != (ssize_t)n) {
        _exit(9);
    }
}

struct texts {
    char wallet[8], id[32], key[32];
};

/* What a key's command is follows from the key: whoever sends it sends the same. */
static void
command_of(uint64_t key, struct texts *t, struct jb_command *c)
{
    uint64_t mixed = key * UINT64_C(0x9E3779B97F4A7C15);
    mixed ^= mixed >> 29;
    snprintf(t->wallet, sizeof t->wallet, "W%u", (unsigned)(mixed % WALLETS));
    snprintf(t->key, sizeof t->key, "k%" PRIu64, key);
    bool charge = (mixed >> 8) % 10 < 4;
    snprintf(t->id, sizeof t->id, "%c%" PRIu64, charge ? 'C' : 'U', key);
    jb_command_begin(c, charge ? JB_OP_CHARGE : JB_OP_CONSUME);
    jb_set_wallet(c, (struct jb_text){t->wallet, strlen(t->wallet)});
    jb_set_key(c, (struct jb_text){t->key, strlen(t->key)});
    const struct jb_text id = {t->id, strlen(t->id)};
    if (charge) {
        jb_set_charge(c, id);
        jb_set_amount(c, 1000 + (jb_amount)((mixed >> 12) % 5000));
        return;
    }
    jb_set_usage(c, id);
    jb_set_amount(c, 1 + (jb_amount)((mixed >> 12) % 4000));
    if ((mixed >> 9) % 2 != 0) {
        jb_set_overdraft(c, 1);
    }
}

static void
read_one(unsigned wallet)
{
    char id[8], line[200];
    struct jb_error err;
    struct jb_wallet_balance b = JB_SIZED(struct jb_wallet_balance);
    snprintf(id, sizeof id, "W%u", wallet);
    int64_t begin = now_us();
    jb_status status = jb_balance_get(views, (struct jb_text){id, strlen(id)}, NULL, &b, &err);
    int64_t end = now_us();
    if (status != JB_OK) {
        fprintf(stderr, "read: %s\n", err.text);
        return;
    }
    int n =
        snprintf(line, sizeof line,
                 "R %" PRId64 " %" PRId64 " %s %" PRIu64 " %" PRId64 " %" PRId64 " %" PRIu64 "\n",
                 begin, end, id, b.as_of.seq, b.balance.paid, b.balance.free, b.balance.version);
    note(line, (size_t)n);
}

static uint64_t
some_key(unsigned *state)
{
    if (rand_r(state) % 4 != 0) {
        return atomic_fetch_add(&next_key, 1);
    }
    /* Those that every process sends at about this time. */
    return SHARED_KEYS + (uint64_t)(now_us() / 200000) % 100000 * 40 + (unsigned)rand_r(state) % 40;
}

static void
write_some(unsigned *state, jb_answers *answers)
{
    static const unsigned sizes[] = {1, 1, 2, 3};
    struct jb_command commands[COMMANDS_MAX];
    struct texts texts[COMMANDS_MAX];
    uint64_t keys[COMMANDS_MAX];
    unsigned n = rand_r(state) % 97 == 0 ? COMMANDS_MAX : sizes[rand_r(state) % 4];
    for (unsigned i = 0; i < n; i++) {
        keys[i] = some_key(state);
        command_of(keys[i], &texts[i], &commands[i]);
    }
    struct jb_error err = {0};
    size_t done = 0;
    int64_t begin = now_us();
    jb_status status = jb_submit(ledger, commands, n, NULL, answers, &done, &err);
    int64_t end = now_us();
    char text[COMMANDS_MAX * 120];
    size_t used = 0;
    for (unsigned i = 0; i < (status == JB_OK ? n : done); i++) {
        const struct jb_answer *a = jb_answers_at(answers, i);
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "W %" PRId64 " %" PRId64 " k%" PRIu64 " %d %d %" PRIu64 "\n",
                                 begin, end, keys[i], (int)a->outcome, (int)a->code, a->seq);
    }
    note(text, used);
    if (status != JB_OK) {
        fprintf(stderr, "write: %s\n", err.text);
        usleep(20000);
    }
}

static void *
work(void *which)
{
    unsigned state = seed * 7919 + (unsigned)(uintptr_t)which * 104729 + 1;
    jb_answers *answers = jb_answers_new();
    while (answers != NULL && now_us() < until) {
        if (rand_r(&state) % 8 == 0) {
            read_one((unsigned)rand_r(&state) % WALLETS);
        } else {
            write_some(&state, answers);
        }
    }
    jb_answers_free(answers);
    return NULL;
}

int
main(int argc, char **argv)
{
    struct jb_error err;
    pthread_t threads[64];
    if (argc != 7) {
        return 2;
    }
    history = open(argv[2], O_WRONLY | O_CREAT | O_APPEND, 0600);
    until = now_us() + (int64_t)(strtod(argv[3], NULL) * 1e6);
    seed = (unsigned)strtoul(argv[4], NULL, 10);
    atomic_store(&next_key, strtoull(argv[5], NULL, 10));
    int n = atoi(argv[6]);
    if (jb_open(argv[1], NULL, &ledger, &err) != JB_OK ||
        jb_views_open(ledger, &views, &err) != JB_OK) {
        fprintf(stderr, "open: %s\n", err.text);
        return 3;
    }
    for (int i = 0; i < n && i < 64; i++) {
        if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i) != 0) {
            return 3;
        }
    }
    for (int i = 0; i < n && i < 64; i++) {
        pthread_join(threads[i], NULL);
    }
    jb_views_close(views);
    jb_close(ledger);
    return 0;
}
