/* Ledgers, and commands to measure with. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <jangbu/ledger.h>

#define BATCH_MAX 8192

/* What consumptions have beside wallet, usage and amount; what their wallets have. */
enum manner {
    PLAIN = 0,
    KEYED = 1,
    BY_MASTER = 2, /* an actor: the wallet's master */
    ENFORCED = 4,  /* and the ledger asks for his role */
    GRANTED = 8,   /* three grants in use beside the charge */
    EXPECTED = 16, /* the wallet's version */
    ZIPF = 32      /* the i-th wallet is used 1/i as often as the first; else all alike */
};

/* The commands that are made next, and how often each wallet was used. */
struct load {
    uint32_t wallets;
    unsigned manner;
    uint64_t random;
    uint64_t *shares;         /* ZIPF: sums of the shares up to each wallet */
    uint64_t *versions;       /* EXPECTED: the wallets', as their last answers said */
    uint32_t used[BATCH_MAX]; /* the wallet of each command */
    struct jb_command commands[BATCH_MAX];
    char ids[BATCH_MAX][3][24];
};

void check(jb_status status, const struct jb_error *err);
struct jb_text text(const char *s);

/* A new ledger. */
jb_ledger *open_new(const char *dir, const char *name, unsigned manner);
struct load *load_new(uint32_t wallets, unsigned manner);
struct load *load_free(struct load *l);
/* Each wallet has a charge, and a master of its own where its consumptions name one. */
void load_wallets(struct load *l, jb_ledger *ledger, jb_answers *answers);
/* Consumption `number` of all goes to place `slot`. */
void load_consumption(struct load *l, size_t slot, uint64_t number);
/* Looks whether the first n commands were done, and at the versions that they made. */
void load_done(struct load *l, size_t n, const jb_answers *answers);

#endif
