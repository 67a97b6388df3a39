#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"

#define CHARGED INT64_C(1000000000000)
#define GRANTS 3
#define GRANTED_UNTIL 40000 /* a day in 2079 */
static const char *const grants[GRANTS] = {"G1", "G2", "G3"};
static const char first_operator[] = "operator";

void
check(jb_status status, const struct jb_error *err)
{
    if (status != JB_OK) {
        give_up(err->text);
    }
}

struct jb_text
text(const char *s)
{
    return (struct jb_text){s, strlen(s)};
}

jb_ledger *
open_new(const char *dir, const char *name, unsigned manner)
{
    const struct jb_init_options o = {.size = sizeof o,
                                      .roles = (manner & ENFORCED) != 0 ? JB_MATRICES : 0,
                                      .operator_id = first_operator};
    char path[4200];
    struct jb_error err;
    jb_ledger *l;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    check(jb_init(path, (manner & ENFORCED) != 0 ? &o : NULL, &err), &err);
    check(jb_open(path, NULL, &l, &err), &err);
    return l;
}

/* Shares of 2^32 / i, without floating point. */
static uint64_t *
zipf_shares(uint32_t wallets)
{
    uint64_t sum = 0, *shares = calloc(wallets, sizeof *shares);
    for (uint32_t i = 0; i < wallets && shares != NULL; i++) {
        sum += (UINT64_C(1) << 32) / (i + 1);
        shares[i] = sum;
    }
    return shares;
}

struct load *
load_new(uint32_t wallets, unsigned manner)
{
    struct load *l = calloc(1, sizeof *l);
    if (l == NULL) {
        give_up("no memory");
    }
    l->wallets = wallets;
    l->manner = manner;
    l->random = UINT64_C(88172645463325252);
    if ((manner & ZIPF) != 0 && (l->shares = zipf_shares(wallets)) == NULL) {
        give_up("no memory");
    }
    if ((manner & EXPECTED) != 0 && (l->versions = calloc(wallets, sizeof *l->versions)) == NULL) {
        give_up("no memory");
    }
    return l;
}

struct load *
load_free(struct load *l)
{
    free(l->versions);
    free(l->shares);
    free(l);
    return NULL;
}

static struct jb_command *
add(struct load *l, size_t *n, enum jb_op op, uint64_t has)
{
    struct jb_command *c = &l->commands[*n];
    *c = (struct jb_command){.size = sizeof *c,
                             .op = op,
                             .has = JB_HAS(JB_CF_WALLET) | has,
                             .wallet = text(l->ids[*n][0])};
    (*n)++;
    return c;
}

/* What one wallet begins with. */
static void
add_wallet(struct load *l, size_t *n, uint32_t number)
{
    size_t first = *n;
    char *master = l->ids[first][2];
    for (size_t i = first; i < first + 2 + 2 * GRANTS; i++) {
        snprintf(l->ids[i][0], sizeof l->ids[i][0], "W%u", number);
    }
    snprintf(master, sizeof l->ids[first][2], "master-%u", number);
    struct jb_command *c = add(l, n, JB_OP_WALLET_CREATE, JB_HAS(JB_CF_KIND) | JB_HAS(JB_CF_NAME));
    c->kind = JB_KIND_BUSINESS;
    c->name = text("bench");
    if ((l->manner & BY_MASTER) != 0) {
        jb_set_master(c, text(master));
        jb_set_actor(c, text(first_operator), (struct jb_text){NULL, 0});
    }
    c = add(l, n, JB_OP_CHARGE, JB_HAS(JB_CF_CHARGE) | JB_HAS(JB_CF_AMOUNT));
    c->id = text("C1");
    c->amount = CHARGED;
    if ((l->manner & BY_MASTER) != 0) {
        jb_set_actor(c, text(master), (struct jb_text){NULL, 0});
    }
    for (int i = 0; i < GRANTS && (l->manner & GRANTED) != 0; i++) {
        c = add(l, n, JB_OP_FREE_GRANT, JB_HAS(JB_CF_GRANT) | JB_HAS(JB_CF_AMOUNT));
        c->id = text(grants[i]);
        c->amount = CHARGED / 1000;
        jb_set_expires_on(c, GRANTED_UNTIL);
        c = add(l, n, JB_OP_FREE_ACTIVATE, JB_HAS(JB_CF_GRANT));
        c->id = text(grants[i]);
    }
    for (size_t i = first; i < *n; i++) {
        l->used[i] = number;
    }
}

void
load_done(struct load *l, size_t n, const jb_answers *answers)
{
    for (size_t k = 0; k < n; k++) {
        const struct jb_answer *a = jb_answers_at(answers, k);
        if (a->outcome != JB_DONE) {
            give_up(jb_answer_message(a));
        }
        if (l->versions != NULL) {
            l->versions[l->used[k]] = a->seq; /* of its last event */
        }
    }
}

void
load_wallets(struct load *l, jb_ledger *ledger, jb_answers *answers)
{
    struct jb_error err;
    for (uint32_t i = 0; i < l->wallets;) {
        size_t n = 0;
        for (; n + 2 + 2 * GRANTS <= BATCH_MAX && i < l->wallets; i++) {
            add_wallet(l, &n, i);
        }
        check(jb_submit(ledger, l->commands, n, NULL, answers, NULL, &err), &err);
        load_done(l, n, answers);
    }
}

static uint32_t
zipf_wallet(struct load *l)
{
    l->random ^= l->random << 13;
    l->random ^= l->random >> 7;
    l->random ^= l->random << 17;
    uint64_t at = l->random % l->shares[l->wallets - 1];
    uint32_t low = 0, high = l->wallets - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (l->shares[middle] > at) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

void
load_consumption(struct load *l, size_t slot, uint64_t number)
{
    bool keyed = (l->manner & KEYED) != 0;
    /* A multiplicative step visits the wallets in an order that no cache likes, the same in every
     * run. */
    uint32_t wallet = (l->manner & ZIPF) != 0
                          ? zipf_wallet(l)
                          : (uint32_t)((number * UINT64_C(2654435761)) % l->wallets);
    char(*ids)[24] = l->ids[slot];
    snprintf(ids[0], sizeof ids[0], "W%u", wallet);
    snprintf(ids[1], sizeof ids[1], "U%07llu", (unsigned long long)number);
    struct jb_command *c = &l->commands[slot];
    l->used[slot] = wallet;
    *c = (struct jb_command){.size = sizeof *c,
                             .op = JB_OP_CONSUME,
                             .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_USAGE) |
                                    JB_HAS(JB_CF_AMOUNT) | (keyed ? JB_HAS(JB_CF_KEY) : 0),
                             .wallet = text(ids[0]),
                             .id = text(ids[1]),
                             .amount = 1 + (jb_amount)(number % 60000),
                             .key = keyed ? text(ids[1]) : (struct jb_text){NULL, 0}};
    if ((l->manner & BY_MASTER) != 0) {
        snprintf(ids[2], sizeof ids[2], "master-%u", wallet);
        jb_set_actor(c, text(ids[2]), (struct jb_text){NULL, 0});
    }
    if (l->versions != NULL) {
        jb_set_expect(c, l->versions[wallet]);
    }
}
