/* What an answer says and what it is asked for: every outcome, and no answer at all. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jangbu/ledger.h>

#include "ledger/answers.h"

static char dir[64];
static jb_ledger *l;
static jb_answers *answers;
static struct jb_error err;

static const struct jb_answer *
submit(const struct jb_command *c, bool dry_run)
{
    struct jb_submit_options o = {.size = sizeof o, .dry_run = dry_run};
    if (jb_submit(l, c, 1, &o, answers, NULL, &err) != JB_OK) {
        fail_msg("%s", err.text);
    }
    return jb_answers_at(answers, 0);
}

static struct jb_command
wallet(const char *id)
{
    struct jb_command c;
    jb_command_begin(&c, JB_OP_WALLET_CREATE);
    jb_set_wallet(&c, jb_text_of(id));
    jb_set_kind(&c, JB_KIND_BUSINESS);
    jb_set_name(&c, jb_text_of("n"));
    return c;
}

static struct jb_command
charge(const char *wallet_id, const char *id, jb_amount amount)
{
    struct jb_command c;
    jb_command_begin(&c, JB_OP_CHARGE);
    jb_set_wallet(&c, jb_text_of(wallet_id));
    jb_set_charge(&c, jb_text_of(id));
    jb_set_amount(&c, amount);
    return c;
}

static struct jb_command
consume(const char *wallet_id, const char *id, jb_amount amount)
{
    struct jb_command c;
    jb_command_begin(&c, JB_OP_CONSUME);
    jb_set_wallet(&c, jb_text_of(wallet_id));
    jb_set_usage(&c, jb_text_of(id));
    jb_set_amount(&c, amount);
    return c;
}

static int
set_up(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/jangbu-answers-XXXXXX");
    answers = jb_answers_new();
    if (mkdtemp(dir) == NULL || jb_init(dir, NULL, &err) != JB_OK ||
        jb_open(dir, NULL, &l, &err) != JB_OK || answers == NULL) {
        return 1;
    }
    struct jb_command list[2] = {wallet("W1"), charge("W1", "C0", 100000)};
    return jb_submit(l, list, 2, NULL, answers, NULL, &err) != JB_OK;
}

static int
tear_down(void **state)
{
    (void)state;
    char command[100];
    jb_answers_free(answers);
    jb_close(l);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

/* Beside what the caller looks at itself: nothing is there. */
#define EVENT 1U
#define WHY 2U /* figures and a message */
#define MEMBERS 4U
#define BALANCE 8U

static void
assert_has(const struct jb_answer *a, unsigned what)
{
    size_t n = 99;
    assert_true((jb_answer_event(a) != NULL) == ((what & EVENT) != 0));
    assert_true((jb_answer_figures(a, &n) != NULL) == ((what & WHY) != 0));
    assert_true((n > 0) == ((what & WHY) != 0));
    assert_ptr_equal(jb_answer_figures(a, NULL), jb_answer_figures(a, &n));
    assert_true((jb_answer_message(a)[0] != '\0') == ((what & WHY) != 0));
    n = jb_answer_members(a);
    assert_true((n > 0) == ((what & MEMBERS) != 0));
    assert_true((jb_answer_member_at(a, 0) != NULL) == ((what & MEMBERS) != 0));
    assert_null(jb_answer_member_at(a, n));
    assert_null(jb_answer_member_at(a, SIZE_MAX));
    assert_true((jb_answer_balance(a) != NULL) == ((what & BALANCE) != 0));
}

static void
no_answer_says_nothing(void **state)
{
    (void)state;
    struct jb_answer zero;
    memset(&zero, 0, sizeof zero);
    assert_true(sizeof zero <= 64);
    assert_has(NULL, 0);
    assert_has(&zero, 0);
    struct jb_command bad = charge("W1", "B1", 1);
    bad.op = (jb_op)0;
    assert_int_equal(jb_submit(l, &bad, 1, NULL, answers, NULL, &err), JB_E_USAGE);
    assert_int_equal(jb_answers_at(answers, 0)->outcome, JB_NOT_DONE);
    assert_has(jb_answers_at(answers, 0), 0);
    assert_has(jb_answers_at(answers, 1), 0);
}

static void
an_accepted_command_has_its_event_and_no_more(void **state)
{
    (void)state;
    struct jb_command c = consume("W1", "U1", 700);
    jb_set_key(&c, jb_text_of("k1"));
    for (int i = 0; i < 2; i++) {
        const struct jb_answer *a = submit(&c, false);
        assert_int_equal(a->outcome, i == 0 ? JB_DONE : JB_DUPLICATE);
        assert_has(a, EVENT);
        assert_null(a->own_rest); /* the usual answer takes no memory for what it does not have */
        const struct jb_event *e = jb_answer_event(a);
        assert_true(e->seq == a->seq && a->wallet_version == a->seq);
        assert_int_equal(e->type, JB_EV_CASH_CONSUMED);
        assert_int_equal(e->cash_consumed.amount, 700);
        assert_int_equal(e->cash_consumed.parts.n, 1);
        assert_true(a->content_checked == 1 && a->remembered == 0 && a->dry_run == 0);
        assert_int_equal(a->index, -1);
    }
}

static void
a_refusal_says_why_and_again(void **state)
{
    (void)state;
    struct jb_command c = consume("W1", "U2", 10000000);
    jb_set_key(&c, jb_text_of("k2"));
    char first[600];
    for (int i = 0; i < 2; i++) {
        const struct jb_answer *a = submit(&c, false);
        assert_int_equal(a->outcome, i == 0 ? JB_REFUSED : JB_DUPLICATE);
        assert_int_equal(a->code, JB_CODE_INSUFFICIENT_CASH);
        assert_int_equal(a->remembered, 1);
        assert_has(a, WHY);
        assert_int_equal(jb_answer_figures(a, NULL)->name, JB_FIG_AVAILABLE);
        assert_int_equal(jb_answer_figures(a, NULL)->value, 99300);
        if (i == 0) {
            snprintf(first, sizeof first, "%s", jb_answer_message(a));
        }
        assert_string_equal(jb_answer_message(a), first);
    }
    jb_set_amount(&c, 1); /* the key with another content */
    const struct jb_answer *a = submit(&c, false);
    assert_int_equal(a->outcome, JB_CONFLICT);
    assert_has(a, WHY);
    c = consume("W1", "with space", 1); /* form: a sentence and no figure */
    a = submit(&c, false);
    assert_int_equal(a->code, JB_CODE_MALFORMED);
    assert_non_null(strstr(jb_answer_message(a), "usage"));
    assert_null(jb_answer_figures(a, NULL));
}

static void
a_group_has_members(void **state)
{
    (void)state;
    struct jb_command members[3] = {wallet("W2"), charge("W2", "C1", 5000),
                                    consume("W2", "U3", 400)};
    struct jb_command group;
    jb_command_begin(&group, JB_OP_ATOMIC);
    jb_set_commands(&group, members, 3);
    jb_set_key(&group, jb_text_of("g1"));
    for (int i = 0; i < 2; i++) {
        const struct jb_answer *a = submit(&group, false);
        assert_int_equal(a->outcome, i == 0 ? JB_DONE : JB_DUPLICATE);
        assert_has(a, EVENT | MEMBERS);
        assert_int_equal(jb_answer_members(a), 3);
        for (size_t k = 0; k < 3; k++) {
            const struct jb_answer *m = jb_answer_member_at(a, k);
            assert_int_equal(m->outcome, JB_DONE);
            assert_int_equal(m->op, members[k].op);
            assert_true(m->seq == a->seq - 2 + k && jb_answer_event(m)->seq == m->seq);
            assert_has(m, EVENT);
        }
        assert_true(jb_answer_event(a)->seq == a->seq);
    }
    members[0] = charge("W2", "C2", 1);
    members[1] = charge("W2", "C1", 5000);
    jb_set_key(&group, jb_text_of("g2"));
    const struct jb_answer *a = submit(&group, false);
    assert_int_equal(a->code, JB_CODE_ID_EXISTS);
    assert_int_equal(a->index, 1);
    assert_null(jb_answer_event(a));
    assert_int_equal(jb_answer_members(a), 0);
    assert_true(jb_answer_message(a)[0] != '\0');
}

static void
a_dry_run_has_a_balance(void **state)
{
    (void)state;
    struct jb_command c = charge("W1", "C9", 1000), unknown = charge("nobody", "C9", 1000);
    const struct jb_answer *a = submit(&c, true);
    assert_int_equal(a->outcome, JB_DONE);
    assert_true(a->dry_run == 1 && a->seq == 0);
    assert_has(a, EVENT | BALANCE);
    const struct jb_balance *b = jb_answer_balance(a);
    assert_int_equal(b->status, JB_WALLET_ACTIVE);
    assert_true(b->paid == 100300 && b->total == b->paid && b->free == 0 && b->version == 0);
    assert_null(jb_answer_balance(submit(&unknown, true)));
    struct jb_command members[1] = {c}, group;
    jb_command_begin(&group, JB_OP_ATOMIC);
    jb_set_commands(&group, members, 1);
    assert_has(submit(&group, true), EVENT | MEMBERS);
}

static size_t
chunks(void)
{
    size_t n = 0;
    for (const struct jb_chunk *c = answers->first; c != NULL; c = c->next) {
        n++;
    }
    return n;
}

static void
the_next_batch_takes_no_memory(void **state)
{
    (void)state;
    enum { N = 2000 };
    static struct jb_command list[N];
    for (size_t i = 0; i < N; i++) {
        list[i] = consume("W1", "U5", 1);
    }
    size_t first = 0;
    for (int round = 0; round < 3; round++) {
        assert_int_equal(jb_submit(l, list, N, NULL, answers, NULL, &err), JB_OK);
        for (size_t i = 0; i < N; i++) {
            assert_int_equal(jb_answers_at(answers, i)->outcome, JB_DONE);
            assert_null(jb_answers_at(answers, i)->own_rest);
        }
        first = round == 0 ? chunks() : first;
    }
    assert_int_equal(chunks(), first);
}

/* Each member that is a text, of a command and of a group's member: one that lies in the answers of
 * its own call would be written over before it is read. */
static void
no_text_lies_in_the_answers_of_its_call(void **state)
{
    (void)state;
    struct jb_command first = wallet("held-wallet");
    (void)submit(&first, false);
    jb_answers *other = jb_answers_new();
    for (unsigned field = 0; field < JB_CF_N; field++) {
        const struct jb_command_field_info *f = jb_command_field_get(field);
        if (f == NULL || f->kind == JB_CK_AMOUNT0 || f->kind == JB_CK_MONTH ||
            (f->kind > JB_CK_TEXT && f->kind < JB_CK_KEY && f->kind != JB_CK_ACTOR)) {
            continue;
        }
        struct jb_command c[2] = {wallet("held-x"), wallet("held-y")}, group;
        memset(&first, 0, sizeof first);
        first = wallet("held-wallet");
        if (jb_submit(l, &first, 1, NULL, answers, NULL, &err) != JB_OK) {
            fail_msg("%s", err.text);
        }
        struct jb_text inside = {(const char *)answers->first->bytes, 3};
        memcpy((char *)&c[1] + f->offset, &inside, sizeof inside);
        c[1].has |= JB_HAS(field);
        jb_command_begin(&group, JB_OP_ATOMIC);
        jb_set_commands(&group, c, 2);
        size_t done = 7;
        assert_int_equal(jb_submit(l, c, 2, NULL, answers, &done, &err), JB_E_USAGE);
        assert_non_null(strstr(err.text, "command 1: "));
        assert_non_null(strstr(err.text, "lies in the answers"));
        assert_int_equal(done, 0);
        assert_int_equal(jb_submit(l, &group, 1, NULL, answers, &done, &err), JB_E_USAGE);
        assert_non_null(strstr(err.text, "lies in the answers"));
        if (field == JB_CF_WALLET) { /* another set of answers does not write over it */
            c[1].wallet.s = memcpy(answers->first->bytes, "W-2", 3);
            assert_int_equal(jb_submit(l, &c[1], 1, NULL, other, &done, &err), JB_OK);
            assert_int_equal(jb_answers_at(other, 0)->outcome, JB_DONE);
        }
    }
    jb_answers_free(other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_answer_says_nothing),
        cmocka_unit_test(an_accepted_command_has_its_event_and_no_more),
        cmocka_unit_test(a_refusal_says_why_and_again),
        cmocka_unit_test(a_group_has_members),
        cmocka_unit_test(a_dry_run_has_a_balance),
        cmocka_unit_test(the_next_batch_takes_no_memory),
        cmocka_unit_test(no_text_lies_in_the_answers_of_its_call),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
