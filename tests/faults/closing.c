/* A closing of more expiries than a commit holds: it is cut by commits, and one of those fails, or
 * the command behind it has an `expect`.
 *
 * usage: closing full|expect [DIR]   (DIR is made and kept; otherwise a temporary directory that is
 * removed) */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <jangbu/ledger.h>

#include "../check.h"

#define WALLETS 10
#define GRANTS 1000
#define CREATED "2026-03-10T12:00:00+09:00"
#define DUE_DAY "2026-03-10"
#define CLOSING "2026-03-11T00:20:00+09:00"

static struct jb_text
text(const char *s)
{
    return (struct jb_text){s, strlen(s)};
}

static jb_instant
instant(const char *s)
{
    jb_instant t;
    if (!jb_instant_parse(s, strlen(s), &t)) {
        abort();
    }
    return t;
}

static jb_status
submit(jb_ledger *l, jb_answers *answers, const struct jb_command *commands, size_t n)
{
    struct jb_submit_options o = {.size = sizeof o, .clock = JB_CLOCK_AT};
    struct jb_error err = {0};
    size_t done = 0;
    jb_status status = jb_submit(l, commands, n, &o, answers, &done, &err);
    if (status != JB_OK) {
        printf("%s: %s\n", jb_status_word(status), err.text);
    }
    return status;
}

/* Ten wallets with 1,000 grants of 10 won each, all due on DUE_DAY. */
static void
grant(jb_ledger *l, jb_answers *answers, jb_day day)
{
    static char ids[GRANTS][16];
    static struct jb_command list[GRANTS + 1];
    for (int w = 0; w < WALLETS; w++) {
        char wallet[16];
        snprintf(wallet, sizeof wallet, "W%d", w);
        list[0] = (struct jb_command){.size = sizeof list[0],
                                      .op = JB_OP_WALLET_CREATE,
                                      .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_KIND) |
                                             JB_HAS(JB_CF_NAME) | JB_HAS(JB_CF_CLOCK),
                                      .wallet = text(wallet),
                                      .kind = 1,
                                      .name = text("name"),
                                      .clock = instant(CREATED)};
        for (int g = 0; g < GRANTS; g++) {
            snprintf(ids[g], sizeof ids[g], "G%d", g);
            list[g + 1] = (struct jb_command){.size = sizeof list[0],
                                              .op = JB_OP_FREE_GRANT,
                                              .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_GRANT) |
                                                     JB_HAS(JB_CF_AMOUNT) |
                                                     JB_HAS(JB_CF_EXPIRES_ON) | JB_HAS(JB_CF_CLOCK),
                                              .wallet = text(wallet),
                                              .id = text(ids[g]),
                                              .amount = 10,
                                              .expires_on = day,
                                              .clock = instant(CREATED)};
        }
        must(submit(l, answers, list, GRANTS + 1) == JB_OK &&
                 jb_answers_at(answers, GRANTS)->outcome == JB_DONE,
             "the grants were not made");
    }
}

/* Expiries in the log, and the last event of the wallet that was made first. */
static uint64_t
count_expired(jb_ledger *l, jb_seq *ret_version)
{
    jb_cursor *cursor = NULL;
    struct jb_error err;
    uint64_t n = 0;
    const struct jb_event *e;
    must(jb_cursor_open(l, 1, &cursor, &err) == JB_OK, "no cursor");
    while (jb_cursor_next(cursor, &e, &err) == JB_OK) {
        n += e->type == JB_EV_FREE_EXPIRED;
        *ret_version = e->wallet == 1 ? e->seq : *ret_version;
    }
    jb_cursor_close(cursor);
    return n;
}

/* The disk is full at the second commit of the closing's: the same handle then closes the day, with
 * every expiry. */
static void
full(jb_ledger *l, jb_answers *answers, const char *dir, jb_day day)
{
    struct jb_command close = {.size = sizeof close,
                               .op = JB_OP_DAY_CLOSE,
                               .has = JB_HAS(JB_CF_DAY) | JB_HAS(JB_CF_CLOCK),
                               .day = day,
                               .clock = instant(CLOSING)};
    char path[4096 + 16];
    struct stat st;
    struct rlimit limit;
    snprintf(path, sizeof path, "%s/log.mdb", dir);
    must(stat(path, &st) == 0 && getrlimit(RLIMIT_FSIZE, &limit) == 0, "cannot look at the log");
    signal(SIGXFSZ, SIG_IGN);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = (rlim_t)st.st_size / 2; /* the file has room for what is to come */
    must(setrlimit(RLIMIT_FSIZE, &limit) == 0, "cannot limit the size of files");
    jb_status status = submit(l, answers, &close, 1);
    limit.rlim_cur = before;
    must(setrlimit(RLIMIT_FSIZE, &limit) == 0, "cannot lift the limit");
    must(status != JB_OK, "the disk was not full");
    must(submit(l, answers, &close, 1) == JB_OK && jb_answers_at(answers, 0)->outcome == JB_DONE,
         "the day was not closed");
    jb_seq version;
    uint64_t expired = count_expired(l, &version);
    printf("%llu of %d grants expired\n", (unsigned long long)expired, WALLETS * GRANTS);
    must(expired == WALLETS * GRANTS, "a closing that failed once left expiries out");
}

/* The caller knows the wallet as it was before its command closed the day. */
static void
expect(jb_ledger *l, jb_answers *answers)
{
    struct jb_command charge = {.size = sizeof charge,
                                .op = JB_OP_CHARGE,
                                .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_CHARGE) |
                                       JB_HAS(JB_CF_AMOUNT) | JB_HAS(JB_CF_EXPECT) |
                                       JB_HAS(JB_CF_KEY) | JB_HAS(JB_CF_CLOCK),
                                .wallet = text("W0"),
                                .id = text("C1"),
                                .key = text("once"),
                                .amount = 5000,
                                .clock = instant(CLOSING)};
    must(count_expired(l, &charge.expect) == 0, "the day is closed already");
    must(submit(l, answers, &charge, 1) == JB_OK, "the charge failed");
    const struct jb_answer *a = jb_answers_at(answers, 0);
    printf("expect %llu: outcome %d %s\n", (unsigned long long)charge.expect, (int)a->outcome,
           jb_answer_message(a));
    must(a->outcome == JB_DONE, "a command's own closing of days broke its `expect`");
    jb_seq version;
    must(count_expired(l, &version) == WALLETS * GRANTS,
         "the day was not closed before the charge");
    /* What others do meanwhile counts: the version of before is no longer the wallet's. */
    charge.id = text("C2");
    charge.key = text("twice");
    must(submit(l, answers, &charge, 1) == JB_OK &&
             jb_answers_at(answers, 0)->code == JB_CODE_EXPECT_MISMATCH,
         "an old version was accepted");
}

int
main(int argc, char **argv)
{
    char scratch[] = "/tmp/jangbu-closing-XXXXXX", dir[4096];
    must(argc >= 2, "usage: closing full|expect [DIR]");
    if (argc > 2) {
        snprintf(dir, sizeof dir, "%s", argv[2]);
    } else {
        make_scratch(scratch);
        snprintf(dir, sizeof dir, "%s/L", scratch);
    }
    struct jb_error err;
    struct jb_open_options o = {.size = sizeof o};
    jb_ledger *l = NULL;
    jb_day day;
    must(jb_day_parse(DUE_DAY, strlen(DUE_DAY), &day), "no day");
    must(jb_init(dir, NULL, &err) == JB_OK && jb_open(dir, &o, &l, &err) == JB_OK, "no ledger");
    jb_answers *answers = jb_answers_new();
    grant(l, answers, day);
    if (strcmp(argv[1], "full") == 0) {
        full(l, answers, dir, day);
    } else {
        expect(l, answers);
    }
    jb_answers_free(answers);
    jb_close(l);
    if (argc <= 2) {
        remove_scratch(scratch);
    }
    return 0;
}
