/* Programs that were built with another version of the headers: structs that are smaller or larger
 * than the library's. */
#include <jangbu/ledger.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A command of a later header: one member more at the end. */
struct later {
    struct jb_command c;
    uint64_t more;
};

static char dir[64];
static jb_ledger *ledger;
static jb_answers *answers;

static int
set_up(void **state)
{
    (void)state;
    struct jb_error err;
    strcpy(dir, "/tmp/jangbu-sizes-XXXXXX");
    answers = jb_answers_new();
    return mkdtemp(dir) == NULL || jb_init(dir, NULL, &err) != JB_OK ||
           jb_open(dir, NULL, &ledger, &err) != JB_OK || answers == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    char command[100];
    jb_answers_free(answers);
    jb_close(ledger);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static struct later
create(const char *id)
{
    return (struct later){
        .c = {.size = sizeof(struct later),
              .op = JB_OP_WALLET_CREATE,
              .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_KIND) | JB_HAS(JB_CF_NAME),
              .wallet = {id, strlen(id)},
              .kind = JB_KIND_BUSINESS,
              .name = {"n", 1}}};
}

static jb_status
submit(const struct later *list, size_t n, struct jb_error *err)
{
    return jb_submit(ledger, &list->c, n, NULL, answers, NULL, err);
}

static void
test_commands_of_a_later_header(void **state)
{
    (void)state;
    struct jb_error err;
    struct later list[3] = {create("A"), create("B"), create("A")};
    assert_int_equal(submit(list, 3, &err), JB_OK);
    assert_int_equal(jb_answers_at(answers, 0)->outcome, JB_DONE);
    assert_int_equal(jb_answers_at(answers, 1)->outcome, JB_DONE);
    assert_int_equal(jb_answers_at(answers, 2)->code, JB_CODE_WALLET_EXISTS);

    struct later members[2] = {create("C"), create("D")};
    struct later group = {.c = {.size = sizeof group,
                                .op = JB_OP_ATOMIC,
                                .has = JB_HAS(JB_CF_COMMANDS),
                                .commands = &members[0].c,
                                .commands_n = 2}};
    assert_int_equal(submit(&group, 1, &err), JB_OK);
    assert_int_equal(jb_answers_at(answers, 0)->outcome, JB_DONE);
    assert_int_equal(jb_answer_members(jb_answers_at(answers, 0)), 2);
}

static void
test_what_this_version_cannot_see_is_refused(void **state)
{
    (void)state;
    struct jb_error err;
    struct jb_head before = JB_SIZED(struct jb_head), after = JB_SIZED(struct jb_head);
    assert_int_equal(jb_head_get(ledger, &before, &err), JB_OK);
    struct later list[2] = {create("E"), create("F")};
    list[1].more = 1;
    assert_int_equal(submit(list, 2, &err), JB_E_USAGE);
    assert_non_null(strstr(err.text, "does not know"));
    list[1].more = 0;
    list[1].c.size = sizeof(struct jb_command);
    assert_int_equal(submit(list, 2, &err), JB_E_USAGE);
    list[0].c.size = 0;
    assert_int_equal(submit(list, 1, &err), JB_E_USAGE);
    assert_non_null(strstr(err.text, "JB_SIZED"));
    assert_int_equal(jb_head_get(ledger, &after, &err), JB_OK);
    assert_int_equal(after.seq, before.seq);
}

static void
test_results_fit_the_callers_struct(void **state)
{
    (void)state;
    struct jb_error err;
    struct jb_head head;
    memset(&head, 0xee, sizeof head);
    head.size = offsetof(struct jb_head, recorded_at); /* an earlier header's */
    assert_int_equal(jb_head_get(ledger, &head, &err), JB_OK);
    assert_true(head.seq >= 8);
    assert_int_equal(head.size, offsetof(struct jb_head, recorded_at));
    assert_int_equal(head.chain[0], 0xee);
    struct jb_ledger_info info = {.size = 0};
    assert_int_equal(jb_info_get(ledger, &info, &err), JB_E_USAGE);
    struct jb_open_options options = {.size = 0};
    jb_ledger *other;
    assert_int_equal(jb_open(dir, &options, &other, &err), JB_E_USAGE);
    options.size =
        offsetof(struct jb_open_options, caller); /* what lies behind it is not looked at */
    options.caller = "no caller has spaces";
    assert_int_equal(jb_open(dir, &options, &other, &err), JB_OK);
    jb_close(other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_of_a_later_header),
        cmocka_unit_test(test_what_this_version_cannot_see_is_refused),
        cmocka_unit_test(test_results_fit_the_callers_struct),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
