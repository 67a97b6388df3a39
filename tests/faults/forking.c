/*
 * fork() while other threads are inside the library: whatever the child then asks of the handles
 * that it inherited gets JB_E_USAGE, at once; it can open the ledger by itself; and nothing that it
 * does or holds disturbs the parent: neither its snapshots nor its locks.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jangbu/projections.h>

#include "../check.h"

#define FORKS 100
#define THREADS 6
#define SECONDS_MAX 20

static jb_ledger *ledger;
static jb_views *views;
static jb_cursor *cursor; /* holds a snapshot in the parent */
static char dir[64];
static atomic_bool over;

static const struct jb_text wallet = {"W", 1};

static void *
ask(void *data)
{
    struct jb_error err;
    while (!over) {
        struct jb_wallet_balance b = JB_SIZED(struct jb_wallet_balance);
        struct jb_head head = JB_SIZED(struct jb_head);
        uint32_t number;
        char name[2049];
        size_t n;
        must(jb_balance_get(views, wallet, NULL, &b, &err) == JB_OK &&
                 jb_wallet_number(ledger, wallet, &number, &err) == JB_OK &&
                 jb_wallet_name(ledger, wallet, name, &n, &err) == JB_OK &&
                 jb_head_get(ledger, &head, &err) == JB_OK,
             "the parent's queries go on");
    }
    return data;
}

static jb_status
rename_it(jb_ledger *l, struct jb_error *err)
{
    struct jb_command c = {.size = sizeof c,
                           .op = JB_OP_WALLET_RENAME,
                           .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_NAME),
                           .wallet = wallet,
                           .name = {"name", 4}};
    jb_answers *answers = jb_answers_new();
    jb_status status = jb_submit(l, &c, 1, NULL, answers, NULL, err);
    jb_answers_free(answers);
    return status;
}

static void *
wait_on(void *data)
{
    struct jb_error err;
    jb_seq end = 0;
    while (!over) {
        jb_status status = jb_wait(ledger, end, JB_US_PER_SECOND / 10, &end, &err);
        must(status == JB_OK || status == JB_END, "the parent's waiting goes on");
    }
    return data;
}

static void *
write_on(void *data)
{
    struct jb_error err;
    while (!over) {
        must(rename_it(ledger, &err) == JB_OK, "the parent's commands go on");
    }
    return data;
}

static bool
balance_of(void *data, const struct jb_wallet_balance *b)
{
    (void)data;
    (void)b;
    return true;
}

static void
ask_inherited(void)
{
    struct jb_error err;
    struct jb_wallet_balance b = JB_SIZED(struct jb_wallet_balance);
    struct jb_head head = JB_SIZED(struct jb_head);
    struct jb_ledger_stat stat = JB_SIZED(struct jb_ledger_stat);
    struct jb_views_stat views_stat = JB_SIZED(struct jb_views_stat);
    const struct jb_event *e;
    uint32_t number;
    jb_seq seq;
    char text[2049], dest[80];
    size_t n;
    jb_cursor *c;
    snprintf(dest, sizeof dest, "%s-copy", dir);
#define USAGE(call) must((call) == JB_E_USAGE, #call)
    USAGE(jb_balance_get(views, wallet, NULL, &b, &err));
    USAGE(jb_wallet_number(ledger, wallet, &number, &err));
    USAGE(jb_wallet_id(ledger, 1, text, &n, &err));
    USAGE(jb_wallet_name(ledger, wallet, text, &n, &err));
    USAGE(jb_head_get(ledger, &head, &err));
    USAGE(jb_seq_at_time(ledger, 0, &seq, &err));
    USAGE(jb_wait(ledger, 0, INT64_MAX, &seq, &err));
    USAGE(jb_ledger_stat_get(ledger, &stat, &err));
    USAGE(jb_views_stat_get(views, &views_stat, &err));
    USAGE(jb_views_sync(views, true, &err));
    USAGE(jb_views_ready(views, 0, &err));
    jb_views *more;
    struct jb_explanation *explanation;
    struct jb_cash_status cash = JB_SIZED(struct jb_cash_status);
    struct jb_moment moment;
    int64_t value;
    USAGE(jb_views_open(ledger, &more, &err));
    USAGE(jb_policy_get(ledger, JB_POLICY_VAT_RATE, &value, &err));
    USAGE(jb_person_text(ledger, 1, text, &n, &err));
    USAGE(jb_moment_resolve(views, NULL, &moment, &err));
    USAGE(jb_balance_each(views, NULL, balance_of, NULL, &err));
    USAGE(jb_explain(views, wallet, NULL, &explanation, &err));
    USAGE(jb_cash_status_get(views, wallet, JB_VIEW_POSTED, NULL, JB_NO_DAY, JB_NO_DAY, NULL, NULL,
                             &cash, &err));
    USAGE(jb_cursor_open(ledger, 1, &c, &err));
    USAGE(jb_cursor_next(cursor, &e, &err));
    USAGE(jb_cursor_at(cursor, 1, &e, &err));
    USAGE(rename_it(ledger, &err));
    USAGE(jb_backup(ledger, dest, NULL, NULL, &err));
    must(access(dest, F_OK) != 0, "a backup that is refused leaves nothing");
}

_Noreturn static void
child(void)
{
    struct jb_error err;
    struct jb_open_options o = {.size = sizeof o, .read_only = true};
    struct jb_head head = JB_SIZED(struct jb_head);
    jb_ledger *mine;
    alarm(SECONDS_MAX);
    ask_inherited();
    must(jb_open(dir, &o, &mine, &err) == JB_OK && jb_head_get(mine, &head, &err) == JB_OK,
         "the child opens it by itself");
    jb_cursor_close(cursor);
    jb_views_close(views);
    jb_close(ledger);
    must(jb_head_get(mine, &head, &err) == JB_OK, "its own is not closed with the parent's");
    jb_close(mine);
    _exit(0);
}

int
main(void)
{
    char scratch[] = "/tmp/jangbu-forking-XXXXXX";
    make_scratch(scratch);
    snprintf(dir, sizeof dir, "%s/L", scratch);
    struct jb_error err;
    struct jb_open_options o = {.size = sizeof o};
    must(jb_init(dir, NULL, &err) == JB_OK && jb_open(dir, &o, &ledger, &err) == JB_OK, "a ledger");
    struct jb_command c = {.size = sizeof c,
                           .op = JB_OP_WALLET_CREATE,
                           .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_KIND) | JB_HAS(JB_CF_NAME),
                           .wallet = wallet,
                           .kind = 1,
                           .name = {"name", 4}};
    jb_answers *answers = jb_answers_new();
    const struct jb_event *e;
    must(jb_submit(ledger, &c, 1, NULL, answers, NULL, &err) == JB_OK, "a wallet");
    jb_answers_free(answers);
    must(jb_views_open(ledger, &views, &err) == JB_OK, "views");
    must(jb_cursor_open(ledger, 1, &cursor, &err) == JB_OK &&
             jb_cursor_next(cursor, &e, &err) == JB_OK,
         "a cursor");
    static void *(*const work[THREADS])(void *) = {write_on, write_on, write_on, wait_on, ask, ask};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        must(pthread_create(&threads[i], NULL, work[i], NULL) == 0, "threads");
    }
    pid_t stays = fork(); /* keeps what it inherited for as long as the parent lives */
    if (stays == 0) {
        alarm(300);
        for (;;) {
            pause();
        }
    }
    int bad = 0;
    for (int i = 0; i < FORKS; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            child();
        }
        int status;
        must(waitpid(pid, &status, 0) == pid, "a child");
        bad += status != 0;
        must(jb_cursor_at(cursor, 1, &e, &err) == JB_OK, "the parent's snapshot is its own");
    }
    over = true;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    must(bad == 0, "children that hung, crashed or were not refused");
    jb_cursor_close(cursor);
    jb_views_close(views);
    jb_close(ledger);
    /* The child that is left has none of the parent's locks: `lock` can be made anew. */
    char path[80];
    snprintf(path, sizeof path, "%s/lock", dir);
    must(unlink(path) == 0 && jb_open(dir, &o, &ledger, &err) == JB_OK,
         "the ledger is in use by nobody");
    jb_close(ledger);
    kill(stays, SIGKILL);
    waitpid(stays, NULL, 0);
    remove_scratch(scratch);
    return 0;
}
