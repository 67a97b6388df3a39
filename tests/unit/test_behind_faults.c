/* What is on its way to the store: a write that failed and was given up, and no memory for rows
 * behind it; a wallet that is used all the time; wallets that are created on trial; a disk that is
 * slower than who writes; many more wallets than are kept; and two threads that use the writing
 * side, one of which leads. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "state/rows.h"
#include "state/state.h"

static bool no_rows, busy;

static bool
rows_wallet(struct jb_buffer *rows, struct jb_wallet *w)
{
    return !no_rows && jb_rows_wallet(rows, w);
}

static jb_status
store_write(struct jb_store *s, struct jb_store_txn *t, struct jb_error *err)
{
    return busy ? JB_E_BUSY : jb_store_write(s, t, err);
}

#define jb_rows_wallet rows_wallet
#define jb_store_write store_write
#include "state/behind.c"

#include <jangbu/replay.h>

#include "../check.h"
#include "base/steps.h"
#include "ledger/internal.h"

static char scratch[64], dir[96];
static jb_ledger *l;
static jb_answers *answers;
static struct jb_error err;
static atomic_bool over;

static void
begin(const char *name, uint64_t lag)
{
    jb_behind_limits = (struct jb_behind_limits){.lag_events = lag,
                                                 .lag_wallets = SIZE_MAX,
                                                 .lag_us = INT64_MAX,
                                                 .slice = 10,
                                                 .wallets_kept = 1000};
    snprintf(dir, sizeof dir, "%s/%s", scratch, name);
    must(jb_init(dir, NULL, &err) == JB_OK && jb_open(dir, NULL, &l, &err) == JB_OK, err.text);
}

static void
end_and_audit(void)
{
    struct jb_audit_report *report;
    l = jb_close(l);
    must(jb_audit(dir, NULL, &report, &err) == JB_OK, err.text);
    must(report->verdict == JB_VERIFIED,
         report->problems_n > 0 ? report->problems[0]->text : "not verified");
    jb_audit_report_free(report);
}

static void
submit(struct jb_command *c, bool dry)
{
    const struct jb_submit_options o = {.size = sizeof o, .dry_run = dry};
    must(jb_submit(l, c, 1, &o, answers, NULL, &err) == JB_OK, err.text);
    must(jb_answers_at(answers, 0)->outcome == JB_DONE,
         jb_answer_message(jb_answers_at(answers, 0)));
}

static void
create(const char *id, bool dry)
{
    struct jb_command c;
    jb_command_begin(&c, JB_OP_WALLET_CREATE);
    jb_set_wallet(&c, jb_text_of(id));
    jb_set_kind(&c, JB_KIND_PERSONAL);
    jb_set_name(&c, jb_text_of("a name"));
    submit(&c, dry);
}

static void
charge(const char *id)
{
    struct jb_command c;
    jb_command_begin(&c, JB_OP_CHARGE);
    jb_set_wallet(&c, jb_text_of("W"));
    jb_set_charge(&c, jb_text_of(id));
    jb_set_method(&c, JB_METHOD_ADMIN_CASH);
    jb_set_amount(&c, 10);
    submit(&c, false);
}

static void
consume(const char *id)
{
    struct jb_command c;
    jb_command_begin(&c, JB_OP_CONSUME);
    jb_set_wallet(&c, jb_text_of("W"));
    jb_set_usage(&c, jb_text_of(id));
    jb_set_amount(&c, 10);
    submit(&c, false);
}

static void
freeze(void)
{
    must(jb_behind_freeze(l->state, &err) == JB_OK, err.text);
    jb_state_release(l->state);
}

/* Rows that are not all there are written by nobody. */
static void
lacking_rows(void)
{
    begin("rows", UINT64_MAX);
    create("W", false);
    charge("C1");
    freeze();
    busy = true;
    jb_behind_go_on(l->state, 10);
    jb_behind_wait(l->state);
    busy = false;
    must(l->state->behind->result == JB_E_BUSY, "it cannot be written");
    l->state->usable = false; /* as a commit that failed leaves it */
    charge("C2");
    must(!jb_behind_busy(l->state), "it was given up");
    freeze();
    no_rows = true;
    jb_behind_go_on(l->state, 10);
    no_rows = false;
    must(l->state->behind->stage == WRITING && l->state->behind->broken, "no memory");
    end_and_audit();
}

/* Its charges are consumed, stored and gone, though it is touched with every command. */
static void
used_all_the_time(void)
{
    size_t most = 0;
    begin("used", 40);
    create("W", false);
    for (unsigned i = 0; i < 3000; i++) {
        char id[24];
        snprintf(id, sizeof id, "I%u", i);
        charge(id);
        consume(id);
        jb_behind_wait(l->state); /* for the thread, which has no time here */
        size_t lots = l->state->slots.at[0]->w.lots.n;
        most = lots > most ? lots : most;
    }
    must(most < 300, "what is over stays in memory");
    end_and_audit();
}

static void
on_trial(void)
{
    begin("trial", 40);
    for (unsigned i = 0; i < 100; i++) {
        char id[24];
        create("X", true);
        snprintf(id, sizeof id, "W%u", i);
        create(id, false);
        create("X", true);
    }
    must(l->state->wallet_ids.entries.n <= 101, "each trial has left something behind");
    create("X", false);
    must(jb_state_catch_up(l->state, &err) == JB_OK, err.text);
    for (unsigned i = 0; i < 100; i++) {
        char id[24];
        struct jb_cached_wallet *s;
        snprintf(id, sizeof id, "W%u", i);
        must(jb_state_find(l->state, jb_text_of(id), &s, &err) == JB_OK && s != NULL &&
                 s->w.number == i + 1,
             "a wallet is found");
    }
    jb_state_release(l->state);
    end_and_audit();
}

#define GRANTS 500

static void
grant(unsigned i)
{
    struct jb_command c;
    char id[16];
    snprintf(id, sizeof id, "G%u", i);
    jb_command_begin(&c, JB_OP_FREE_GRANT);
    jb_set_wallet(&c, jb_text_of("W"));
    jb_set_grant(&c, jb_text_of(id));
    jb_set_amount(&c, 1);
    jb_set_expires_on(&c, l->state->g.first_open_day + 1000 - (jb_day)i);
    submit(&c, false);
}

/* However many there are, a freeze looks at none of them, and each step at a few; who asks for them
 * on the way gets them in order. */
static void
many_grants(void)
{
    struct jb_due due[GRANTS];
    size_t n, steps = 0;
    begin("grants", UINT64_MAX);
    create("W", false);
    for (unsigned i = 0; i < GRANTS; i++) {
        grant(i);
    }
    jb_steps.moved = 0;
    freeze();
    must(jb_steps.moved == 0, "a freeze goes through all grants");
    for (; l->state->behind->stage == GATHERING; steps++) {
        jb_steps.moved = 0;
        jb_behind_go_on(l->state, 0);
        must(jb_steps.moved <= 4 * jb_behind_limits.slice, "a step goes through many grants");
        if (steps == 3) {
            must(jb_state_due(l->state, JB_DAY_MAX, NULL, due, GRANTS, &n, &err) == JB_OK &&
                     n == GRANTS && due[0].ordinal == GRANTS && due[GRANTS - 1].ordinal == 1,
                 "grants on their way are not there, or not in order");
        }
    }
    must(steps >= 4, "they were gathered at once");
    jb_state_release(l->state);
    end_and_audit();
}

#define CHARGES 3000

static void
charge_many(unsigned from)
{
    static struct jb_command many[CHARGES];
    static char ids[CHARGES][16];
    for (unsigned i = 0; i < CHARGES; i++) {
        snprintf(ids[i], sizeof ids[i], "C%u", from + i);
        jb_command_begin(&many[i], JB_OP_CHARGE);
        jb_set_wallet(&many[i], jb_text_of("W"));
        jb_set_charge(&many[i], jb_text_of(ids[i]));
        jb_set_method(&many[i], JB_METHOD_ADMIN_CASH);
        jb_set_amount(&many[i], 10);
    }
    must(jb_submit(l, many, CHARGES, NULL, answers, NULL, &err) == JB_OK, err.text);
}

/* What waits comes to its end, in many small waits; and goes on when the disk does. */
static void
slower_than_who_writes(void)
{
    begin("slow", 40);
    jb_behind_limits.most_events = CHARGES;
    create("W", false);
    busy = true;
    charge_many(0);
    must(jb_behind_busy(l->state), "it is on its way");
    charge_many(CHARGES);
    must(l->pressure == JB_BEHIND_FULL, "a slow disk is not noticed");
    const int64_t began = jb_monotonic_us();
    charge_many(2 * CHARGES);
    /* Of at most 256 commands each, with 12 ms behind it. */
    must(jb_monotonic_us() - began >= CHARGES / 256 * INT64_C(12000), "nobody waits for the disk");
    jb_behind_wait(l->state);
    jb_behind_look(l->state);
    must(l->state->behind->again_at != 0, "it is tried again");
    busy = false;
    l->state->behind->again_at = 1;
    for (unsigned i = 0; l->pressure > 0 || i == 0; i++) {
        char id[24];
        snprintf(id, sizeof id, "L%u", i);
        charge(id);
    }
    end_and_audit();
}

/* Each is used in its turn: as many leave memory as come. */
static void
more_than_are_kept(void)
{
    size_t most = 0;
    begin("kept", 40);
    jb_behind_limits.wallets_kept = 50;
    for (unsigned i = 0; i < 4000; i++) {
        char id[24];
        struct jb_command c;
        snprintf(id, sizeof id, "W%u", i % 1000);
        if (i < 1000) {
            create(id, false);
        } else {
            jb_command_begin(&c, JB_OP_CHARGE);
            jb_set_wallet(&c, jb_text_of(id));
            snprintf(id + 12, 12, "C%u", i);
            jb_set_charge(&c, jb_text_of(id + 12));
            jb_set_method(&c, JB_METHOD_ADMIN_CASH);
            jb_set_amount(&c, 10);
            submit(&c, false);
        }
        jb_behind_wait(l->state);
        most = l->state->loaded > most ? l->state->loaded : most;
    }
    must(most < 200, "wallets stay in memory");
    end_and_audit();
}

static void *
rotate(void *unused)
{
    struct jb_error e;
    (void)unused;
    while (!atomic_load(&over)) {
        must(jb_people_rotate(l, &e) == JB_E_KEY, "people.mdb is not sealed");
    }
    return NULL;
}

/* Each time jb_people_rotate fails the state begins again: not in two threads at once, nor while
 * who leads waits for the disk. */
static void
two_threads(void)
{
    pthread_t t;
    begin("two", 40);
    jb_behind_limits.most_events = 4;
    create("W", false);
    must(pthread_create(&t, NULL, rotate, NULL) == 0, "a thread");
    for (unsigned i = 0; i < 3000; i++) {
        char id[24];
        snprintf(id, sizeof id, "I%u", i);
        charge(id);
    }
    atomic_store(&over, true);
    pthread_join(t, NULL);
    end_and_audit();
}

int
main(void)
{
    make_quick_scratch(scratch, "behind");
    answers = jb_answers_new();
    lacking_rows();
    used_all_the_time();
    on_trial();
    many_grants();
    slower_than_who_writes();
    more_than_are_kept();
    two_threads();
    jb_answers_free(answers);
    remove_scratch(scratch);
    return 0;
}
