/*
 * A gateway in small: it makes a ledger, and several threads charge and consume with idempotency
 * keys, as requests of customers would. It uses installed headers only. docs/library.md explains
 * it.
 *
 * `gateway DIRECTORY` makes the ledger there, or goes on with it. It may be run again: the second
 * run changes nothing.
 */
#define _POSIX_C_SOURCE 200809L /* nanosleep */

#include <jangbu/ledger.h>
#include <jangbu/projections.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS 4
#define USAGES 25
#define TRIES 5

static int
failed(const char *doing, const struct jb_error *err)
{
    fprintf(stderr, "gateway: %s: %s: %s\n", doing, jb_status_word(err->status), err->text);
    return 3;
}

/* Worth another try with the same key: nothing happened, or it is not known whether it did. */
static bool
may_retry(jb_status status)
{
    return status == JB_E_BUSY || status == JB_E_FULL || status == JB_E_IO ||
           status == JB_E_NOMEM || status == JB_E_UNKNOWN;
}

static void
pause_ms(int attempt)
{
    struct timespec t = {0, 20 * 1000 * 1000L * (1 << attempt)};
    nanosleep(&t, NULL);
}

/*
 * One command, tried again until there is an answer. The key makes that safe: a repetition gets the
 * first answer. Nothing of the command may change between tries, `at` included.
 */
static jb_status
submit(jb_ledger *l, const struct jb_command *c, jb_answers *answers, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (int attempt = 0; attempt < TRIES; attempt++) {
        status = jb_submit(l, c, 1, NULL, answers, NULL, err);
        if (!may_retry(status)) {
            break;
        }
        pause_ms(attempt);
    }
    return status;
}

/* What the gateway tells its own caller. */
enum reply { REPLY_OK, REPLY_REFUSED, REPLY_OUR_MISTAKE, REPLY_ASK_AGAIN };

static enum reply
reply_of(const struct jb_answer *a)
{
    switch (a->outcome) {
    case JB_DONE:
        return REPLY_OK;
    case JB_DUPLICATE:
        /* The first answer again; the first may have been a refusal. */
        return a->code == JB_CODE_NONE ? REPLY_OK : REPLY_REFUSED;
    case JB_REFUSED:
        return a->code == JB_CODE_CLOCK_BEHIND ? REPLY_ASK_AGAIN : REPLY_REFUSED;
    case JB_CONFLICT:
        return REPLY_OUR_MISTAKE; /* one key for two commands */
    case JB_UNKNOWN:
    case JB_NOT_DONE:
        return REPLY_ASK_AGAIN;
    }
    return REPLY_ASK_AGAIN; /* an outcome newer than this program: do not take it for a success */
}

static jb_status
create_wallet(jb_ledger *l, jb_answers *answers, const char *id, struct jb_error *err)
{
    struct jb_command c;
    char key[JB_ID_BYTES_MAX];
    snprintf(key, sizeof key, "create-%s", id);
    jb_command_begin(&c, JB_OP_WALLET_CREATE);
    jb_set_wallet(&c, jb_text_of(id));
    jb_set_kind(&c, JB_KIND_BUSINESS);
    jb_set_name(&c, jb_text_of("Advertiser"));
    jb_set_key(&c, jb_text_of(key));
    return submit(l, &c, answers, err);
}

static jb_status
charge(jb_ledger *l, jb_answers *answers, const char *wallet, const char *id, jb_amount amount,
       struct jb_error *err)
{
    struct jb_command c;
    jb_command_begin(&c, JB_OP_CHARGE);
    jb_set_wallet(&c, jb_text_of(wallet));
    jb_set_charge(&c, jb_text_of(id));
    jb_set_amount(&c, amount);
    jb_set_method(&c, JB_METHOD_CREDIT_CARD);
    jb_set_pg(&c, jb_text_of("tosspayments"));
    jb_set_key(&c, jb_text_of(id)); /* the payment's id is a good key: one payment, one charge */
    return submit(l, &c, answers, err);
}

static jb_status
consume(jb_ledger *l, jb_answers *answers, const char *wallet, const char *usage, jb_amount amount,
        struct jb_error *err)
{
    struct jb_command c;
    jb_command_begin(&c, JB_OP_CONSUME);
    jb_set_wallet(&c, jb_text_of(wallet));
    jb_set_usage(&c, jb_text_of(usage));
    jb_set_amount(&c, amount);
    jb_set_key(&c, jb_text_of(usage));
    return submit(l, &c, answers, err);
}

struct customer {
    jb_ledger *l; /* one handle for all threads */
    int number;
    int consumed, refused, result;
};

static void *
serve(void *data)
{
    struct customer *me = (struct customer *)data;
    struct jb_error err;
    jb_answers *answers = jb_answers_new(); /* one set for each thread */
    if (answers == NULL) {
        me->result = 3;
        return NULL;
    }
    char wallet[32], id[64];
    snprintf(wallet, sizeof wallet, "W%d", me->number);
    snprintf(id, sizeof id, "pay-%d", me->number);
    if (create_wallet(me->l, answers, wallet, &err) != JB_OK ||
        charge(me->l, answers, wallet, id, 20000, &err) != JB_OK) {
        me->result = failed("a charge", &err);
    }
    for (int i = 0; i < USAGES && me->result == 0; i++) {
        snprintf(id, sizeof id, "click-%d-%d", me->number, i);
        if (consume(me->l, answers, wallet, id, 1000, &err) != JB_OK) {
            me->result = failed("a consumption", &err);
            break;
        }
        const struct jb_answer *a = jb_answers_at(answers, 0);
        switch (reply_of(a)) {
        case REPLY_OK:
            me->consumed++;
            break;
        case REPLY_REFUSED:
            me->refused++; /* a->code, jb_answer_message and jb_answer_figures say why */
            break;
        case REPLY_OUR_MISTAKE:
        case REPLY_ASK_AGAIN:
            fprintf(stderr, "gateway: %s: %s\n", id,
                    a->code != JB_CODE_NONE ? jb_answer_message(a) : "no answer yet");
            me->result = 1;
            break;
        }
    }
    jb_answers_free(answers);
    return NULL;
}

/* Two commands of one group: both happen, or neither. */
static int
move_bonus(jb_ledger *l)
{
    struct jb_error err;
    jb_answers *answers = jb_answers_new();
    struct jb_command members[2], group;
    for (int i = 0; i < 2; i++) {
        jb_command_begin(&members[i], JB_OP_CHARGE);
        jb_set_wallet(&members[i], jb_text_of(i == 0 ? "W0" : "W1"));
        jb_set_charge(&members[i], jb_text_of("bonus"));
        jb_set_amount(&members[i], 500);
        jb_set_method(&members[i], JB_METHOD_ADMIN_CASH);
    }
    jb_command_begin(&group, JB_OP_ATOMIC);
    jb_set_commands(&group, members, 2);
    jb_set_key(&group, jb_text_of("bonus-1"));
    if (answers == NULL) {
        return 3;
    }
    if (submit(l, &group, answers, &err) != JB_OK) {
        jb_answers_free(answers);
        return failed("a group", &err);
    }
    enum reply reply = reply_of(jb_answers_at(answers, 0));
    jb_answers_free(answers);
    return reply == REPLY_OK ? 0 : 1;
}

static bool
print_lot(void *data, const struct jb_lot_row *lot)
{
    int *lots = (int *)data; /* C++ wants the word */
    printf("lot %u: %lld of %lld left\n", lot->number, (long long)lot->left,
           (long long)lot->amount);
    ++*lots;
    return true;
}

/* A list: pages until `next` is empty, all as of one moment. */
static jb_status
show_lots(jb_views *views, const char *wallet, struct jb_error *err)
{
    char next[JB_CURSOR_TEXT_BYTES] = "";
    jb_status status;
    int lots = 0;
    do {
        status = jb_lots_get(views, jb_text_of(wallet), JB_WHICH_OPEN, NULL, next, 100, print_lot,
                             &lots, next, NULL, err);
    } while (status == JB_OK && next[0] != '\0');
    printf("%d lots with something left\n", lots);
    return status;
}

/* Reading: one set of projections for all threads, beside the handle that writes. */
static int
show_balance(jb_ledger *l, const char *wallet)
{
    struct jb_error err;
    struct jb_wallet_balance b = JB_SIZED(struct jb_wallet_balance);
    jb_views *views;
    jb_status status = jb_views_open(l, &views, &err);
    if (status == JB_OK) {
        status = jb_balance_get(views, jb_text_of(wallet), NULL, &b, &err);
        status = status == JB_OK ? show_lots(views, wallet, &err) : status;
        jb_views_close(views);
    }
    if (status != JB_OK) {
        return failed("a balance", &err);
    }
    printf("%s: %lld paid, %lld free, %lld debt as of event %llu\n", b.wallet,
           (long long)b.balance.paid, (long long)b.balance.free, (long long)b.balance.debt,
           (unsigned long long)b.as_of.seq);
    return 0;
}

int
main(int argc, char **argv)
{
    struct jb_error err;
    if (argc != 2) {
        fprintf(stderr, "usage: gateway DIRECTORY\n");
        return 2;
    }
    jb_status status = jb_init(argv[1], NULL, &err);
    if (status != JB_OK && status != JB_E_EXISTS) {
        return failed("init", &err);
    }
    struct jb_open_options options = JB_SIZED(struct jb_open_options);
    options.caller = "gateway"; /* keys of other programs do not meet ours */
    jb_ledger *l;
    if (jb_open(argv[1], &options, &l, &err) != JB_OK) {
        return failed("open", &err);
    }
    pthread_t threads[THREADS];
    static struct customer customers[THREADS];
    int result = 0;
    for (int i = 0; i < THREADS; i++) {
        customers[i].l = l;
        customers[i].number = i;
        if (pthread_create(&threads[i], NULL, serve, &customers[i]) != 0) {
            abort();
        }
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        printf("W%d: %d consumed, %d refused\n", i, customers[i].consumed, customers[i].refused);
        result = customers[i].result > result ? customers[i].result : result;
    }
    int group = move_bonus(l);
    result = group > result ? group : result;
    struct jb_ledger_stat stat = JB_SIZED(struct jb_ledger_stat);
    if (jb_ledger_stat_get(l, &stat, &err) != JB_OK) {
        result = failed("stat", &err);
    } else {
        printf("%llu events\n", (unsigned long long)stat.events);
    }
    int shown = show_balance(l, "W0");
    result = shown > result ? shown : result;
    l = jb_close(l); /* writes behind what is due */
    return result;
}
