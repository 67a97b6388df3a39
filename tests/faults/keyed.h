/* A ledger with one wallet and much cash, of which consumptions with keys take as much as the
 * number of the key says: so each answer shows whose it is. */
#ifndef FAULTS_KEYED_H
#define FAULTS_KEYED_H

#include <jangbu/ledger.h>

#include <string.h>

#include "../check.h"

#define KEYED_MAX 1000U /* commands at once */

static inline jb_ledger *
keyed_open(const char *dir)
{
    struct jb_error err;
    jb_ledger *l;
    if (jb_open(dir, NULL, &l, &err) != JB_OK) {
        fprintf(stderr, "failed: the ledger does not open: %s\n", err.text);
        exit(1);
    }
    return l;
}

static inline void
keyed_make(const char *dir)
{
    struct jb_error err;
    struct jb_command c[2];
    must(jb_init(dir, NULL, &err) == JB_OK, "a ledger is made");
    jb_ledger *l = keyed_open(dir);
    jb_answers *a = jb_answers_new();
    jb_command_begin(&c[0], JB_OP_WALLET_CREATE);
    jb_set_wallet(&c[0], jb_text_of("W"));
    jb_set_kind(&c[0], JB_KIND_BUSINESS);
    jb_set_name(&c[0], jb_text_of("keys"));
    jb_command_begin(&c[1], JB_OP_CHARGE);
    jb_set_wallet(&c[1], jb_text_of("W"));
    jb_set_charge(&c[1], jb_text_of("C1"));
    jb_set_amount(&c[1], INT64_C(1000000000000));
    must(jb_submit(l, c, 2, NULL, a, NULL, &err) == JB_OK, "a wallet is made");
    jb_answers_free(a);
    jb_close(l);
}

/* The commands with the keys first, first + 1 ..: each has the answer of that command. How many of
 * them were done before. */
static inline unsigned
keyed_submit(jb_ledger *l, unsigned first, unsigned n)
{
    static char keys[KEYED_MAX][16];
    static struct jb_command c[KEYED_MAX];
    jb_answers *answers = jb_answers_new();
    struct jb_error err;
    unsigned again = 0;
    for (unsigned i = 0; i < n; i++) {
        snprintf(keys[i], sizeof keys[i], "key-%u", first + i);
        jb_command_begin(&c[i], JB_OP_CONSUME);
        jb_set_wallet(&c[i], jb_text_of("W"));
        jb_set_usage(&c[i], jb_text_of("U"));
        jb_set_amount(&c[i], first + i);
        jb_set_key(&c[i], jb_text_of(keys[i]));
    }
    must(jb_submit(l, c, n, NULL, answers, NULL, &err) == JB_OK, "commands are carried out");
    for (unsigned i = 0; i < n; i++) {
        const struct jb_answer *a = jb_answers_at(answers, i);
        must(a->outcome == JB_DONE || a->outcome == JB_DUPLICATE, keys[i]);
        const struct jb_event *e = jb_answer_event(a);
        must(e != NULL && e->cash_consumed.amount == first + i, "the answer is that command's");
        again += a->outcome == JB_DUPLICATE;
    }
    jb_answers_free(answers);
    return again;
}

#endif
