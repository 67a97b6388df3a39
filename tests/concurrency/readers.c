/*
 * Readers while writers write, all on one handle and one jb_views. Every writer's command is a
 * group that leaves its wallet's total as it was, so whatever a reader sees must be that total:
 * less, more, or half a group is a torn read. Beside them: a rebuild, an audit and a backup while
 * all of it goes on, opening and closing the same directory, a cursor that must see each event
 * once, and a fork, in which the handle must refuse to work.
 */
#include <jangbu/replay.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WALLETS 3
#define TOTAL 100000
#define GROUPS 1000 /* a writer */
#define WRITERS 2
#define READERS 4

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("failed: " __VA_ARGS__);                                                        \
            printf(" (%s:%d)\n", #condition, __LINE__);                                            \
            fflush(stdout);                                                                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static char dir[4000];
static jb_ledger *ledger;
static jb_views *views;
static atomic_bool over;
static atomic_uint answers_read;

static struct jb_text
text(const char *s)
{
    return (struct jb_text){s, strlen(s)};
}

static struct jb_command
command(jb_op op, const char *wallet, const char *id, jb_amount amount)
{
    struct jb_command c = {
        .size = sizeof c, .op = op, .has = JB_HAS(JB_CF_WALLET), .wallet = text(wallet)};
    if (op == JB_OP_WALLET_CREATE) {
        c.has |= JB_HAS(JB_CF_KIND) | JB_HAS(JB_CF_NAME);
        c.kind = JB_KIND_BUSINESS;
        c.name = text("reader");
    } else {
        c.id = text(id);
        c.amount = amount;
        c.has |= JB_HAS(JB_CF_AMOUNT) |
                 (op == JB_OP_CHARGE ? JB_HAS(JB_CF_CHARGE) : JB_HAS(JB_CF_USAGE));
    }
    return c;
}

static void
submit(jb_ledger *l, const struct jb_command *c, jb_answers *answers)
{
    struct jb_error err;
    CHECK(jb_submit(l, c, 1, NULL, answers, NULL, &err) == JB_OK, "submit: %s", err.text);
    CHECK(jb_answers_at(answers, 0)->outcome == JB_DONE, "refused: %s",
          jb_answer_message(jb_answers_at(answers, 0)));
}

static void *
ask_ready(void *data)
{
    struct jb_error err;
    (void)data;
    while (!atomic_load(&over)) {
        const jb_status any = jb_ledger_ready(ledger, UINT64_MAX, &err);
        CHECK(any == JB_OK || any == JB_E_BUSY, "ready: %s", err.text);
        const jb_status of_views = jb_views_ready(views, 0, &err);
        CHECK(of_views == JB_OK || of_views == JB_E_BUSY, "ready: %s", err.text);
    }
    return NULL;
}

/* Each by a handle's first command, beside who asks: what opening has folded goes to either. */
static void
make_wallets(void)
{
    struct jb_error err;
    jb_answers *answers = jb_answers_new();
    for (unsigned i = 0; i < WALLETS; i++) {
        char wallet[8];
        pthread_t asker;
        snprintf(wallet, sizeof wallet, "W%u", i);
        const struct jb_command c = command(JB_OP_WALLET_CREATE, wallet, "", 0);
        CHECK(jb_open(dir, NULL, &ledger, &err) == JB_OK &&
                  jb_views_open(ledger, &views, &err) == JB_OK,
              "open: %s", err.text);
        CHECK(pthread_create(&asker, NULL, ask_ready, NULL) == 0, "thread");
        submit(ledger, &c, answers);
        atomic_store(&over, true);
        pthread_join(asker, NULL);
        atomic_store(&over, false);
        views = jb_views_close(views);
        ledger = jb_close(ledger);
    }
    jb_answers_free(answers);
}

static void *
write_groups(void *data)
{
    unsigned writer = *(const unsigned *)data;
    jb_answers *answers = jb_answers_new();
    for (unsigned i = 0; i < GROUPS; i++) {
        char wallet[8], charge[24], usage[24];
        snprintf(wallet, sizeof wallet, "W%u", i % WALLETS);
        snprintf(charge, sizeof charge, "C%u-%u", writer, i);
        snprintf(usage, sizeof usage, "U%u-%u", writer, i);
        struct jb_command members[2] = {command(JB_OP_CHARGE, wallet, charge, 7 + i),
                                        command(JB_OP_CONSUME, wallet, usage, 7 + i)};
        struct jb_command group = {.size = sizeof group,
                                   .op = JB_OP_ATOMIC,
                                   .has = JB_HAS(JB_CF_COMMANDS),
                                   .commands = members,
                                   .commands_n = 2};
        char actor[24]; /* somebody new each time: people.mdb is written */
        snprintf(actor, sizeof actor, "A%u-%u", writer, i);
        group.has |= JB_HAS(JB_CF_ACTOR);
        group.actor_id = text(actor);
        submit(ledger, &group, answers);
    }
    jb_answers_free(answers);
    return NULL;
}

static bool
whole(void *data, const struct jb_wallet_balance *b)
{
    unsigned *n = data;
    ++*n;
    CHECK(b->balance.total == TOTAL && b->balance.paid == TOTAL, "%s has %lld", b->wallet,
          (long long)b->balance.total);
    return true;
}

/* `each` may ask anything: no look at the ledger waits for it. */
static bool
ask_within(void *data, const struct jb_wallet_balance *b)
{
    struct jb_error err;
    struct jb_wallet_balance inner = {.size = sizeof inner};
    char name[JB_PERSON_TEXT_BYTES];
    size_t n;
    unsigned ignored = 0;
    CHECK(jb_balance_get(views, text(b->wallet), data, &inner, &err) == JB_OK &&
              inner.balance.total == b->balance.total,
          "a balance from within: %s", err.text);
    CHECK(jb_wallet_name(ledger, text(b->wallet), name, &n, &err) == JB_OK, "a name from within");
    CHECK(jb_balance_each(views, data, whole, &ignored, &err) == JB_OK, "balances from within: %s",
          err.text);
    return true;
}

struct page {
    jb_amount newest;
    unsigned rows;
    jb_seq last;
};

static bool
row(void *data, const struct jb_history_row *r)
{
    struct page *p = data;
    CHECK(p->rows == 0 || r->event->seq < p->last, "event %llu behind %llu",
          (unsigned long long)r->event->seq, (unsigned long long)p->last);
    p->newest = p->rows++ == 0 ? r->balance : p->newest;
    p->last = r->event->seq;
    char id[JB_ID_BYTES_MAX];
    size_t n;
    struct jb_error err;
    CHECK(jb_event_id(ledger, r->event, id, &n, &err) == JB_OK && n > 0, "id of event %llu",
          (unsigned long long)r->event->seq);
    return true;
}

static bool
lot(void *data, const struct jb_lot_row *r)
{
    *(jb_amount *)data += r->left;
    return true;
}

/* All open lots as of a moment, page by page, while others read other lists and write. */
static void
read_lots(const char *wallet, const struct jb_as_of *then)
{
    struct jb_error err;
    char next[JB_CURSOR_TEXT_BYTES] = "";
    jb_amount left = 0;
    do {
        CHECK(jb_lots_get(views, text(wallet), JB_WHICH_OPEN, then, next, 40, lot, &left, next,
                          NULL, &err) == JB_OK,
              "lots: %s", err.text);
    } while (next[0] != '\0');
    CHECK(left == TOTAL, "the lots of %s have %lld left", wallet, (long long)left);
}

static bool
found(void *data, const struct jb_find_row *r)
{
    ++*(unsigned *)data;
    return r->event->type == JB_EV_CHARGE_SETTLED;
}

static bool
is_listed(void *data, const struct jb_wallet_row *r)
{
    (void)r;
    ++*(unsigned *)data;
    return true;
}

/* What looks for people and texts while others write them. */
static void
look_for(const char *wallet)
{
    struct jb_error err;
    struct jb_may may = {.size = sizeof may};
    unsigned n = 0;
    struct jb_wallets_query q = {.size = sizeof q, .master = text("A0-1")};
    CHECK(jb_may_get(ledger, text(wallet), text("A0-0"), (struct jb_text){NULL, 0}, NULL, NULL,
                     &may, &err) == JB_OK,
          "may: %s", err.text);
    CHECK(jb_wallets_find(views, &q, NULL, NULL, 9, is_listed, &n, NULL, NULL, &err) == JB_OK &&
              n == 0,
          "wallets: %s", err.text);
    CHECK(jb_find_get(views, text("C0-0"), NULL, NULL, 9, found, &n, NULL, NULL, &err) == JB_OK &&
              n <= 1,
          "find: %s", err.text);
}

static void
read_once(const char *wallet)
{
    struct jb_error err;
    struct jb_wallet_balance b = {.size = sizeof b};
    unsigned n = 0;
    CHECK(jb_balance_get(views, text(wallet), NULL, &b, &err) == JB_OK && whole(&n, &b),
          "balance: %s", err.text);
    n = 0;
    CHECK(jb_balance_each(views, NULL, whole, &n, &err) == JB_OK && n == WALLETS, "balances: %s",
          err.text);
    struct jb_as_of then = {.kind = JB_AS_OF_SEQ, .seq = b.as_of.seq};
    CHECK(jb_balance_get(views, text(wallet), &then, &b, &err) == JB_OK && whole(&n, &b),
          "balance as of %llu: %s", (unsigned long long)then.seq, err.text);
    look_for(wallet);
    read_lots(wallet, &then);
    read_lots(wallet, NULL);
    struct jb_explanation *x;
    CHECK(jb_explain(views, text(wallet), NULL, &x, &err) == JB_OK, "explain: %s", err.text);
    CHECK(x->rest == 0 && x->total_now == TOTAL, "rest %lld, total %lld", (long long)x->rest,
          (long long)x->total_now);
    jb_explanation_free(x);
    char next[JB_CURSOR_TEXT_BYTES] = "";
    struct page p = {0};
    CHECK(jb_history_get(views, text(wallet), JB_HISTORY_ALL, NULL, NULL, 9, row, &p, next, NULL,
                         &err) == JB_OK,
          "history: %s", err.text);
    CHECK(p.newest == TOTAL, "the newest row says %lld", (long long)p.newest);
    CHECK(next[0] == '\0' || jb_history_get(views, text(wallet), JB_HISTORY_ALL, NULL, next, 9, row,
                                            &p, next, NULL, &err) == JB_OK,
          "page 2: %s", err.text);
    struct jb_cash_status s = {.size = sizeof s};
    CHECK(jb_cash_status_get(views, text(wallet), JB_VIEW_KNOWN, NULL, JB_NO_DAY, JB_NO_DAY, NULL,
                             NULL, &s, &err) == JB_OK,
          "cash status: %s", err.text);
    struct jb_ledger_stat st = {.size = sizeof st};
    CHECK(jb_ledger_stat_get(ledger, &st, &err) == JB_OK && st.wallets == WALLETS, "stat: %s",
          err.text);
    char name[JB_PERSON_TEXT_BYTES];
    size_t name_n;
    CHECK(jb_wallet_name(ledger, text(wallet), name, &name_n, &err) == JB_OK && name_n == 6 &&
              memcmp(name, "reader", 6) == 0,
          "name: %s", err.text);
    atomic_fetch_add(&answers_read, 1);
}

static void *
read_on(void *data)
{
    char wallet[8];
    for (unsigned i = *(const unsigned *)data; !atomic_load(&over); i++) {
        snprintf(wallet, sizeof wallet, "W%u", i % WALLETS);
        read_once(wallet);
    }
    return NULL;
}

/* Follows the log from its beginning: each event once, in order, with nothing left out. */
static void *
follow(void *data)
{
    (void)data;
    jb_cursor *c;
    struct jb_error err;
    CHECK(jb_cursor_open(ledger, 1, &c, &err) == JB_OK, "cursor: %s", err.text);
    for (jb_seq seq = 0;;) {
        bool last = atomic_load(&over);
        const struct jb_event *e;
        jb_status status = jb_cursor_next(c, &e, &err);
        CHECK(status == JB_OK || status == JB_END, "follow: %s", err.text);
        if (status == JB_OK) {
            CHECK(e->seq == seq + 1, "event %llu behind %llu", (unsigned long long)e->seq,
                  (unsigned long long)seq);
            seq = e->seq;
        } else if (last) {
            CHECK(seq >= 8 + 2 * WALLETS + 2 * GROUPS * WRITERS, "followed to %llu only",
                  (unsigned long long)seq);
            break;
        } else {
            usleep(500);
        }
    }
    jb_cursor_close(c);
    return NULL;
}

/* Other handles on the same directory come and go, the stores are made anew, a copy is made and is
 * whole. */
static void *
disturb(void *data)
{
    struct jb_error err;
    (void)data;
    for (unsigned i = 0; !atomic_load(&over); i++) {
        jb_ledger *other;
        CHECK(jb_open(dir, NULL, &other, &err) == JB_OK, "open again: %s", err.text);
        struct jb_head head = {.size = sizeof head};
        CHECK(jb_head_get(other, &head, &err) == JB_OK && head.seq >= 8, "head: %s", err.text);
        jb_close(other);
        struct jb_rebuild_result r = {.size = sizeof r};
        CHECK(jb_rebuild(dir, NULL, &r, &err) == JB_OK, "rebuild: %s", err.text);
        struct jb_audit_report *report;
        CHECK(jb_audit(dir, NULL, &report, &err) == JB_OK, "audit: %s", err.text);
        CHECK(report->verdict == JB_VERIFIED, "an audit in between: %s",
              report->problems_n > 0 ? report->problems[0]->text : "could not tell");
        jb_audit_report_free(report);
        char copy[4096], command_line[4200];
        snprintf(copy, sizeof copy, "%s-copy-%u", dir, i);
        CHECK(jb_backup(ledger, copy, NULL, NULL, &err) == JB_OK, "backup: %s", err.text);
        CHECK(jb_open(copy, NULL, &other, &err) == JB_OK, "open the copy: %s", err.text);
        jb_views *v;
        unsigned n = 0;
        CHECK(jb_views_open(other, &v, &err) == JB_OK &&
                  jb_balance_each(v, NULL, whole, &n, &err) == JB_OK && n == WALLETS,
              "the copy: %s", err.text);
        jb_views_close(v);
        jb_close(other);
        snprintf(command_line, sizeof command_line, "rm -rf '%s'", copy);
        CHECK(system(command_line) == 0, "rm");
    }
    return NULL;
}

/* A handle does not survive fork: every call in the child says so, and nothing is done. */
static void
fork_off(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct jb_error err;
        jb_answers *answers = jb_answers_new();
        struct jb_command c = command(JB_OP_CHARGE, "W0", "child", 5);
        struct jb_wallet_balance b = {.size = sizeof b};
        _exit(jb_submit(ledger, &c, 1, NULL, answers, NULL, &err) == JB_E_USAGE &&
                      jb_balance_get(views, text("W0"), NULL, &b, &err) == JB_E_USAGE
                  ? 0
                  : 1);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0, "the child's calls were not refused");
}

int
main(void)
{
    const char *tmp = getenv("TMPDIR");
    struct jb_error err;
    snprintf(dir, sizeof dir, "%s/jangbu-read-XXXXXX", tmp != NULL ? tmp : "/tmp");
    CHECK(mkdtemp(dir) != NULL && jb_init(dir, NULL, &err) == JB_OK, "init");
    make_wallets();
    CHECK(jb_open(dir, NULL, &ledger, &err) == JB_OK &&
              jb_views_open(ledger, &views, &err) == JB_OK,
          "open: %s", err.text);
    jb_answers *answers = jb_answers_new();
    for (unsigned i = 0; i < WALLETS; i++) {
        char wallet[8];
        snprintf(wallet, sizeof wallet, "W%u", i);
        const struct jb_command c = command(JB_OP_CHARGE, wallet, "C", TOTAL);
        submit(ledger, &c, answers);
    }
    jb_answers_free(answers);
    fork_off();
    struct jb_head head = JB_SIZED(struct jb_head);
    CHECK(jb_head_get(ledger, &head, &err) == JB_OK, "head: %s", err.text);
    struct jb_as_of then = {.kind = JB_AS_OF_SEQ, .seq = head.seq};
    CHECK(jb_balance_each(views, NULL, ask_within, NULL, &err) == JB_OK &&
              jb_balance_each(views, &then, ask_within, &then, &err) == JB_OK,
          "each: %s", err.text);
    pthread_t writers[WRITERS], readers[READERS], follower, disturber;
    unsigned numbers[WRITERS + READERS];
    for (unsigned i = 0; i < READERS; i++) {
        numbers[WRITERS + i] = i;
        CHECK(pthread_create(&readers[i], NULL, read_on, &numbers[WRITERS + i]) == 0, "thread");
    }
    CHECK(pthread_create(&follower, NULL, follow, NULL) == 0 &&
              pthread_create(&disturber, NULL, disturb, NULL) == 0,
          "thread");
    for (unsigned i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        CHECK(pthread_create(&writers[i], NULL, write_groups, &numbers[i]) == 0, "thread");
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(writers[i], NULL);
    }
    atomic_store(&over, true);
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
    }
    pthread_join(follower, NULL);
    pthread_join(disturber, NULL);
    CHECK(atomic_load(&answers_read) >= READERS, "only %u rounds of reading",
          atomic_load(&answers_read));
    views = jb_views_close(views);
    ledger = jb_close(ledger);
    struct jb_audit_report *report;
    CHECK(jb_audit(dir, NULL, &report, &err) == JB_OK, "audit: %s", err.text);
    CHECK(report->verdict == JB_VERIFIED, "%s",
          report->problems_n > 0 ? report->problems[0]->text : "not verified");
    jb_audit_report_free(report);
    printf("%u groups written, %u rounds of reading: no torn read\n", GROUPS * WRITERS,
           atomic_load(&answers_read));
    char command_line[4200];
    snprintf(command_line, sizeof command_line, "rm -rf '%s'", dir);
    return system(command_line);
}
