/* What the leader of a group commit promises beyond the answers: how often it looks at the clock,
 * that a dry run says what the real run says, and that a text is stored once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "ledger/internal.h"

#define H(field) JB_HAS(JB_CF_##field)
#define BEGUN INT64_C(1790000000000000) /* 2026-09-21T23:13:20+09:00 */

static char dir[64];
static jb_ledger *l;
static jb_answers *answers;
static struct jb_error err;
static jb_instant clock_says;

static jb_instant
now(void *data)
{
    (void)data;
    return clock_says;
}

static struct jb_text
text(const char *s)
{
    return (struct jb_text){s, strlen(s)};
}

static struct jb_command
command(jb_op op, uint64_t has, const char *id)
{
    return (struct jb_command){.size = sizeof(struct jb_command),
                               .op = op,
                               .has = has | H(WALLET),
                               .wallet = text("W1"),
                               .id = id != NULL ? text(id) : (struct jb_text){NULL, 0}};
}

static struct jb_command
money(jb_op op, uint64_t id_field, const char *id, jb_amount amount)
{
    struct jb_command c = command(op, id_field | H(AMOUNT), id);
    c.amount = amount;
    return c;
}

static const struct jb_answer *
submit(const struct jb_command *c, bool dry_run)
{
    struct jb_submit_options o = {.size = sizeof o, .dry_run = dry_run};
    if (jb_submit(l, c, 1, &o, answers, NULL, &err) != JB_OK) {
        fail_msg("%s", err.text);
    }
    return jb_answers_at(answers, 0);
}

static void
must_do(const struct jb_command *c)
{
    const struct jb_answer *a = submit(c, false);
    if (a->outcome != JB_DONE) {
        fail_msg("%s", jb_answer_message(a));
    }
}

static int
set_up(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/jangbu-submit-XXXXXX");
    clock_says = BEGUN;
    struct jb_open_options o = {.size = sizeof o, .now = now};
    answers = jb_answers_new();
    struct jb_command c = command(JB_OP_WALLET_CREATE, H(KIND) | H(NAME), NULL);
    c.kind = JB_KIND_BUSINESS;
    c.name = text("n");
    if (mkdtemp(dir) == NULL || jb_init(dir, NULL, &err) != JB_OK ||
        jb_open(dir, &o, &l, &err) != JB_OK) {
        return -1;
    }
    must_do(&c);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    char line[100];
    jb_answers_free(answers);
    jb_close(l);
    snprintf(line, sizeof line, "rm -rf %s", dir);
    return system(line);
}

/* A command that reads the log may read much of it: a return by usage walks the wallet's whole
 * chain, and 255 of them came between two looks. */
static void
the_clock_is_looked_at_after_each_command_that_read(void **state)
{
    (void)state;
    enum { N = 200 };
    struct jb_command c = money(JB_OP_CHARGE, H(CHARGE), "C1", 100000);
    must_do(&c);
    static struct jb_command list[2 * N];
    static char ids[N][16];
    for (int i = 0; i < N; i++) {
        snprintf(ids[i], sizeof ids[i], "U%d", i);
        list[i] = money(JB_OP_CONSUME, H(USAGE), ids[i], 10);
    }
    uint64_t before = l->looks;
    assert_int_equal(jb_submit(l, list, N, NULL, answers, NULL, &err), JB_OK);
    assert_true(l->looks - before <= 1); /* they read nothing */
    for (int i = 0; i < N; i++) {
        list[i] = money(JB_OP_CONSUME_REVERSE, H(USAGE), ids[i], 1);
    }
    before = l->looks;
    assert_int_equal(jb_submit(l, list, N, NULL, answers, NULL, &err), JB_OK);
    assert_int_equal(jb_answers_at(answers, N - 1)->outcome, JB_DONE);
    assert_true(l->looks - before >= N - 1);
    /* And a known key is read from the log, too, although it writes nothing. */
    for (int i = 0; i < N; i++) {
        list[i] = money(JB_OP_CONSUME, H(USAGE) | H(KEY), ids[i], 1);
        list[i].key = text("k");
        list[i].id = text("same");
    }
    assert_int_equal(jb_submit(l, list, 1, NULL, answers, NULL, &err), JB_OK);
    before = l->looks;
    assert_int_equal(jb_submit(l, list, N, NULL, answers, NULL, &err), JB_OK);
    assert_int_equal(jb_answers_at(answers, N - 1)->outcome, JB_DUPLICATE);
    assert_true(l->looks - before >= N - 1);
}

static struct jb_event
kept_event(const struct jb_event *e, struct jb_part *parts)
{
    struct jb_event copy = *e;
    struct jb_parts p = jb_event_parts(e);
    if (p.n > 0) {
        memcpy(parts, p.at, p.n * sizeof *parts);
    }
    return copy;
}

static void
assert_same_event(const struct jb_event *dry, const struct jb_part *parts,
                  const struct jb_event *real)
{
    assert_int_equal(dry->type, real->type);
    assert_int_equal(dry->seq, real->seq);
    assert_int_equal(dry->prev, real->prev);
    assert_int_equal(dry->wallet, real->wallet);
    assert_int_equal(dry->flags, real->flags);
    assert_int_equal(dry->recorded_at, real->recorded_at);
    assert_int_equal(dry->occurred_at, real->occurred_at);
    assert_int_equal(dry->posted_on, real->posted_on);
    assert_int_equal(jb_event_amount(dry), jb_event_amount(real));
    struct jb_parts p = jb_event_parts(real);
    assert_int_equal(jb_event_parts(dry).n, p.n);
    if (p.n > 0) {
        assert_memory_equal(parts, p.at, p.n * sizeof *parts);
    }
}

/* Each command is first tried, a day after the last one so that a closing is due, and with an `at`
 * on the day before, which is closed by then. */
static void
a_dry_run_says_what_the_real_run_says(void **state)
{
    (void)state;
    struct jb_command list[16];
    size_t n = 0;
    list[n++] = money(JB_OP_CHARGE, H(CHARGE) | H(AT), "C2", 5000);
    list[n++] = money(JB_OP_CONSUME, H(USAGE) | H(AT), "V1", 700);
    list[n++] = money(JB_OP_CONSUME_REVERSE, H(USAGE) | H(AT), "V1", 200);
    list[n++] = money(JB_OP_CHARGE_REVERSE, H(CHARGE) | H(AT), "C2", 300);
    struct jb_command grant = money(JB_OP_FREE_GRANT, H(GRANT) | H(EXPIRES_ON), "G1", 50);
    grant.expires_on = 30000;
    list[n++] = grant;
    list[n++] = command(JB_OP_FREE_ACTIVATE, H(GRANT), "G1");
    list[n++] = command(JB_OP_REFUND_REQUEST, H(REFUND), "R1");
    list[n++] = command(JB_OP_REFUND_APPROVE, H(REFUND), "R1");
    list[n++] = command(JB_OP_REFUND_FAIL, H(REFUND), "R1");
    struct jb_command policy = {.size = sizeof policy,
                                .op = JB_OP_POLICY_SET,
                                .has = H(POLICY) | H(VALUE),
                                .policy = JB_POLICY_GRANTS_MAX,
                                .value = 7};
    list[n++] = policy;
    struct jb_command member = money(JB_OP_CHARGE, H(CHARGE), "C3", 5000);
    struct jb_command group = {.size = sizeof group,
                               .op = JB_OP_ATOMIC,
                               .has = H(COMMANDS) | H(AT),
                               .commands = &member,
                               .commands_n = 1};
    list[n++] = group;
    for (size_t i = 0; i < n; i++) {
        clock_says += JB_US_PER_DAY;
        if (list[i].has & H(AT)) {
            list[i].at = clock_says - JB_US_PER_DAY;
        }
        struct jb_part parts[16];
        jb_seq end = l->state->g.seq;
        const struct jb_answer *a = submit(&list[i], true);
        assert_int_equal(a->outcome, JB_DONE);
        assert_int_equal(l->state->g.seq, end);
        struct jb_event dry = kept_event(jb_answer_event(a), parts);
        a = submit(&list[i], false);
        assert_int_equal(a->outcome, JB_DONE);
        assert_same_event(&dry, parts, jb_answer_event(a));
        assert_int_equal(l->state->g.closed_through, jb_day_of(clock_says, 9 * 3600) - 1);
    }
    struct jb_command close = {.size = sizeof close, .op = JB_OP_DAY_CLOSE, .has = H(DAY)};
    clock_says += JB_US_PER_DAY;
    close.day = jb_day_of(clock_says, 9 * 3600) - 1;
    struct jb_int128 totals[JB_TOTALS_N];
    const struct jb_answer *a = submit(&close, true);
    struct jb_event dry = *jb_answer_event(a);
    assert_non_null(dry.day_closed.totals.at);
    memcpy(totals, dry.day_closed.totals.at, sizeof totals);
    a = submit(&close, false);
    assert_same_event(&dry, NULL, jb_answer_event(a));
    assert_memory_equal(totals, jb_answer_event(a)->day_closed.totals.at, sizeof totals);
}

/* Vouched for by the call, or by the handle. */
static void
a_clock_far_ahead_is_vouched_for(void **state)
{
    (void)state;
    struct jb_command c = money(JB_OP_CHARGE, H(CHARGE), "J1", 5000);
    clock_says += 93 * JB_US_PER_DAY;
    must_do(&c);
    clock_says += 93 * JB_US_PER_DAY + 1;
    c.id = text("J2");
    jb_seq end = l->state->g.seq;
    assert_int_equal(submit(&c, false)->code, JB_CODE_CLOCK_AHEAD);
    assert_false(jb_answers_at(answers, 0)->remembered);
    assert_int_equal(l->state->g.seq, end);
    struct jb_submit_options o = {.size = sizeof o, .accept_clock = 1};
    assert_int_equal(jb_submit(l, &c, 1, &o, answers, NULL, &err), JB_OK);
    assert_int_equal(jb_answers_at(answers, 0)->outcome, JB_DONE);
    clock_says += 3650 * JB_US_PER_DAY;
    struct jb_open_options open = {.size = sizeof open, .now = now, .accept_clock = 1};
    jb_ledger *vouching;
    assert_int_equal(jb_open(dir, &open, &vouching, &err), JB_OK);
    c.id = text("J3");
    assert_int_equal(submit(&c, false)->code, JB_CODE_CLOCK_AHEAD);
    assert_int_equal(jb_submit(vouching, &c, 1, NULL, answers, NULL, &err), JB_OK);
    assert_int_equal(jb_answers_at(answers, 0)->outcome, JB_DONE);
    jb_close(vouching);
    c.id = text("J4");
    must_do(&c); /* the last event is near now */
}

static size_t
texts_stored(const char *like)
{
    size_t found = 0;
    for (uint64_t ref = 1; ref < 1000; ref++) {
        char buf[JB_PERSON_TEXT_BYTES];
        size_t n;
        assert_int_equal(jb_person_text(l, ref, buf, &n, &err), JB_OK);
        found += n == strlen(like) && memcmp(buf, like, n) == 0;
    }
    return found;
}

/* A closing of days that is cut by commits comes again with each of them. */
static void
the_note_of_a_long_closing_is_stored_once(void **state)
{
    (void)state;
    enum { GRANTS = 3 * JB_COMMIT_EVENTS_MAX };
    struct jb_command policy = {.size = sizeof policy,
                                .op = JB_OP_POLICY_SET,
                                .has = H(POLICY) | H(VALUE),
                                .policy = JB_POLICY_GRANTS_MAX,
                                .value = 65536};
    must_do(&policy);
    static struct jb_command list[GRANTS];
    static char ids[GRANTS][16];
    for (int i = 0; i < GRANTS; i++) {
        snprintf(ids[i], sizeof ids[i], "X%d", i);
        list[i] = money(JB_OP_FREE_GRANT, H(GRANT) | H(EXPIRES_ON), ids[i], 1);
        list[i].expires_on = jb_day_of(clock_says, 9 * 3600);
    }
    assert_int_equal(jb_submit(l, list, GRANTS, NULL, answers, NULL, &err), JB_OK);
    clock_says += JB_US_PER_DAY;
    struct jb_command close = {.size = sizeof close,
                               .op = JB_OP_DAY_CLOSE,
                               .has = H(DAY) | H(NOTE) | H(ACTOR),
                               .note = text("closed by hand"),
                               .actor_id = text("someone"),
                               .day = jb_day_of(clock_says, 9 * 3600) - 1};
    assert_int_equal(submit(&close, true)->outcome, JB_DONE);
    assert_int_equal(texts_stored("closed by hand"), 0);
    must_do(&close);
    assert_int_equal(texts_stored("closed by hand"), 1);
    assert_int_equal(texts_stored("someone"), 1);
}

/* The numbers that were sent for are guesses: wrong ones cost a look, and never the wallet. */
static void
a_guess_is_compared(void **state)
{
    (void)state;
    enum { N = 40, WALLETS = 8 };
    static char ids[WALLETS][8];
    static struct jb_command list[N];
    for (int i = 0; i < WALLETS; i++) {
        snprintf(ids[i], sizeof ids[i], "G%d", i);
        struct jb_command c = command(JB_OP_WALLET_CREATE, H(KIND) | H(NAME), NULL);
        c.kind = JB_KIND_BUSINESS;
        c.name = text("n");
        c.wallet = text(ids[i]);
        must_do(&c);
        c = money(JB_OP_CHARGE, H(CHARGE), "C1", 100000);
        c.wallet = text(ids[i]);
        must_do(&c);
    }
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < JB_WARM_MAX; i++) {
            l->near[i] = round == 2 ? UINT32_MAX : i + round; /* no such wallet, or another one */
        }
        /* One alone sends for nothing, and finds these. */
        for (unsigned i = 0; i < N; i++) {
            list[i] = money(JB_OP_CONSUME, H(USAGE), "U", 1);
            list[i].wallet = text(ids[(i * 5 + round) % WALLETS]);
        }
        assert_int_equal(submit(&list[round], false)->outcome, JB_DONE);
        assert_int_equal(jb_submit(l, list, N, NULL, answers, NULL, &err), JB_OK);
        for (unsigned i = 0; i < N; i++) {
            const struct jb_event *e = jb_answer_event(jb_answers_at(answers, i));
            assert_non_null(e);
            struct jb_cached_wallet *s;
            assert_int_equal(jb_state_wallet(l->state, e->wallet, &s, &err), JB_OK);
            assert_memory_equal(jb_id_of(&s->w).s, list[i].wallet.s, list[i].wallet.n);
        }
    }
}

/* The system's clock is looked at once for some commands: no answer is older than its call, none
 * goes back; and a clock of the caller's is asked for each. */
static unsigned asked;

static jb_instant
counts(void *data)
{
    (void)data;
    asked++;
    return clock_says;
}

static jb_instant
clock_of_the_system(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (jb_instant)t.tv_sec * JB_US_PER_SECOND + t.tv_nsec / 1000;
}

static void
the_clock_holds_within_a_call(void **state)
{
    (void)state;
    enum { N = 100 };
    char other[] = "/tmp/jangbu-clock-XXXXXX", line[100];
    static struct jb_command list[N];
    struct jb_command c = command(JB_OP_WALLET_CREATE, H(KIND) | H(NAME), NULL);
    c.kind = JB_KIND_BUSINESS;
    c.name = text("n");
    struct jb_command charge = money(JB_OP_CHARGE, H(CHARGE), "C1", 100000);
    for (int i = 0; i < N; i++) {
        list[i] = money(JB_OP_CONSUME, H(USAGE), "U", 1);
    }
    assert_non_null(mkdtemp(other));
    jb_ledger *led;
    assert_int_equal(jb_init(other, NULL, &err), JB_OK);
    assert_int_equal(jb_open(other, NULL, &led, &err), JB_OK);
    assert_int_equal(jb_submit(led, &c, 1, NULL, answers, NULL, &err), JB_OK);
    assert_int_equal(jb_submit(led, &charge, 1, NULL, answers, NULL, &err), JB_OK);
    jb_instant last = 0;
    for (int call = 0; call < 5; call++) {
        jb_instant before = clock_of_the_system();
        assert_int_equal(jb_submit(led, list, call == 3 ? 1 : N, NULL, answers, NULL, &err), JB_OK);
        jb_instant after = clock_of_the_system();
        for (size_t i = 0; i < jb_answers_count(answers); i++) {
            jb_instant said = jb_answer_event(jb_answers_at(answers, i))->recorded_at;
            assert_true(said >= before && said >= last && said <= after);
            last = said;
        }
    }
    jb_close(led);
    clock_says = clock_of_the_system() + JB_US_PER_SECOND;
    struct jb_open_options o = {.size = sizeof o, .now = counts};
    assert_int_equal(jb_open(other, &o, &led, &err), JB_OK);
    asked = 0;
    assert_int_equal(jb_submit(led, list, N, NULL, answers, NULL, &err), JB_OK);
    assert_true(asked >= N);
    jb_close(led);
    snprintf(line, sizeof line, "rm -rf %s", other);
    assert_int_equal(system(line), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_is_looked_at_after_each_command_that_read),
        cmocka_unit_test(a_dry_run_says_what_the_real_run_says),
        cmocka_unit_test(a_clock_far_ahead_is_vouched_for),
        cmocka_unit_test(the_note_of_a_long_closing_is_stored_once),
        cmocka_unit_test(a_guess_is_compared),
        cmocka_unit_test(the_clock_holds_within_a_call),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
