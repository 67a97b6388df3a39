/* Behind a burst over many wallets nothing comes any more, for ever: the rest is stored all the
 * same, by the thread, in steps between which whoever comes goes first. */
#include <jangbu/replay.h>

#include <string.h>
#include <time.h>

#include "state/behind.h"

#include "../library.h"

#define WALLETS 3000U
#define SLICE 16
#define PATIENCE_MS 20000

static char scratch[64], dir[96];
static jb_answers *answers;

/* New wallets, from that number on. */
static void
create(jb_ledger *l, unsigned from, unsigned n)
{
    static struct jb_command list[WALLETS];
    static char ids[WALLETS][16];
    for (unsigned i = 0; i < n; i++) {
        snprintf(ids[i], sizeof ids[i], "W%u", from + i);
        jb_command_begin(&list[i], JB_OP_WALLET_CREATE);
        jb_set_wallet(&list[i], jb_text_of(ids[i]));
        jb_set_kind(&list[i], JB_KIND_PERSONAL);
        jb_set_name(&list[i], jb_text_of("a name"));
    }
    good(jb_submit(l, list, n, NULL, answers, NULL, &err), "jb_submit");
    must(jb_answers_at(answers, n - 1)->outcome == JB_DONE, "a wallet");
}

static jb_seq
lag(jb_ledger *l)
{
    struct jb_ledger_stat st = {.size = sizeof st};
    good(jb_ledger_stat_get(l, &st, &err), "jb_ledger_stat_get");
    return st.events - st.stored_seq;
}

static void
wait_until_stored(jb_ledger *l, jb_seq at_most, const char *what)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    for (unsigned ms = 0; lag(l) > at_most; ms++) {
        must(ms < PATIENCE_MS, what);
        nanosleep(&pause, NULL);
    }
}

static jb_ledger *
make(const char *name, int64_t lag_us)
{
    jb_ledger *l;
    jb_behind_limits.lag_events = UINT64_MAX;
    jb_behind_limits.lag_wallets = SIZE_MAX;
    jb_behind_limits.lag_us = lag_us;
    jb_behind_limits.slice = SLICE;
    snprintf(dir, sizeof dir, "%s/%s", scratch, name);
    good(jb_init(dir, NULL, &err), "jb_init");
    good(jb_open(dir, NULL, &l, &err), "jb_open");
    return l;
}

static void
close_and_audit(jb_ledger *l)
{
    struct jb_audit_report *report;
    jb_close(l);
    good(jb_audit(dir, NULL, &report, &err), "jb_audit");
    must(report->verdict == JB_VERIFIED, "the audit found something");
    jb_audit_report_free(report);
}

/* Each time that it begins again, too: the thread sleeps when everything is stored. */
static void
after_a_burst(void)
{
    jb_ledger *l = make("burst", 10000);
    for (unsigned i = 0; i < 5; i++) {
        create(l, i * WALLETS, WALLETS);
        wait_until_stored(l, SLICE, "what is left of a burst is not stored while nobody commits");
    }
    close_and_audit(l);
}

/* Commands that come between its steps, a day of bursts and pauses, and closing at any moment. */
static void
between_its_steps(void)
{
    unsigned created = 0;
    jb_ledger *l = make("between", 200);
    for (unsigned i = 0; i < 300; i++) {
        const struct timespec pause = {.tv_nsec = (long)(i % 7) * 100000};
        unsigned n = i % 50 == 0 ? 500 : 1 + i % 40;
        create(l, created, n);
        created += n;
        nanosleep(&pause, NULL);
        if (i % 60 == 59) {
            jb_close(l);
            good(jb_open(dir, NULL, &l, &err), "jb_open again");
        }
    }
    close_and_audit(l);
}

int
main(void)
{
    make_quick_scratch(scratch, "idle");
    answers = jb_answers_new();
    must(answers != NULL, "no memory");
    after_a_burst();
    between_its_steps();
    jb_answers_free(answers);
    remove_scratch(scratch);
    return 0;
}
