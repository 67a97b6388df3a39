/* Programs that were built with another version of the headers: structs that are smaller or larger
 * than the library's. */
#include <jangbu/replay.h>

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

static jb_seq
end_of_log(void)
{
    struct jb_error err;
    struct jb_head head = JB_SIZED(struct jb_head);
    assert_int_equal(jb_head_get(ledger, &head, &err), JB_OK);
    return head.seq;
}

static void
test_what_this_version_cannot_see_is_refused(void **state)
{
    (void)state;
    struct jb_error err;
    jb_seq before = end_of_log();
    struct later list[2] = {create("E"), create("F")};
    struct later group = {.c = {.size = sizeof group,
                                .op = JB_OP_ATOMIC,
                                .has = JB_HAS(JB_CF_COMMANDS),
                                .commands = &list[0].c,
                                .commands_n = 2}};
    struct jb_command ours = group.c;
    ours.size = sizeof ours;
    list[1].more = 1;
    assert_int_equal(submit(list, 2, &err), JB_E_USAGE);
    assert_non_null(strstr(err.text, "does not know"));
    assert_int_equal(submit(&group, 1, &err), JB_E_USAGE);
    assert_non_null(strstr(err.text, "does not know"));
    assert_int_equal(jb_submit(ledger, &ours, 1, NULL, answers, NULL, &err), JB_E_USAGE);
    assert_non_null(strstr(err.text, "does not know"));
    list[1].more = 0;
    group.more = 1;
    assert_int_equal(submit(&group, 1, &err), JB_E_USAGE);
    group.more = 0;
    /* One size in an array. */
    list[1].c.size = sizeof(struct jb_command);
    assert_int_equal(submit(list, 2, &err), JB_E_USAGE);
    assert_int_equal(submit(&group, 1, &err), JB_E_USAGE);
    assert_int_equal(jb_submit(ledger, &ours, 1, NULL, answers, NULL, &err), JB_E_USAGE);
    const size_t sizes[] = {0, 1, sizeof(size_t) - 1, sizeof(size_t), 65537, SIZE_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        list[0].c.size = list[1].c.size = sizes[i];
        assert_int_equal(submit(list, 1, &err), JB_E_USAGE);
        assert_int_equal(submit(&group, 1, &err), JB_E_USAGE);
        assert_int_equal(jb_submit(ledger, &ours, 1, NULL, answers, NULL, &err), JB_E_USAGE);
    }
    list[0].c.size = 0;
    assert_int_equal(submit(list, 1, &err), JB_E_USAGE);
    assert_non_null(strstr(err.text, "jb_command_begin"));
    assert_int_equal(end_of_log(), before);
}

/* Commands of an earlier header lie closer together; what was added since is not there. */
#define EARLIER offsetof(struct jb_command, caller)

static void
test_commands_of_an_earlier_header(void **state)
{
    (void)state;
    struct jb_error err;
    static char room[3 * EARLIER] __attribute__((aligned(sizeof(uint64_t))));
    const char *const ids[] = {"P", "Q", "P"};
    for (size_t i = 0; i < 3; i++) {
        struct later c = create(ids[i]);
        c.c.size = EARLIER;
        memcpy(room + i * EARLIER, &c.c, EARLIER);
    }
    const struct jb_command *list = (const void *)room;
    assert_int_equal(jb_submit(ledger, list, 3, NULL, answers, NULL, &err), JB_OK);
    assert_int_equal(jb_answers_at(answers, 0)->outcome, JB_DONE);
    assert_int_equal(jb_answers_at(answers, 1)->outcome, JB_DONE);
    assert_int_equal(jb_answers_at(answers, 2)->code, JB_CODE_WALLET_EXISTS);
    struct jb_command group;
    jb_command_begin(&group, JB_OP_ATOMIC);
    jb_set_commands(&group, list, 3);
    assert_int_equal(jb_submit(ledger, &group, 1, NULL, answers, NULL, &err), JB_OK);
    assert_int_equal(jb_answers_at(answers, 0)->index, 0);
    assert_int_equal(jb_answers_at(answers, 0)->code, JB_CODE_WALLET_EXISTS);
    /* A bit whose member lies behind the end: a text without an address. */
    struct jb_command bit = *list;
    bit.has |= JB_HAS(JB_CF_CALLER);
    bit.caller = (struct jb_text){"other", 5};
    assert_int_equal(jb_submit(ledger, &bit, 1, NULL, answers, NULL, &err), JB_OK);
    assert_int_equal(jb_answers_at(answers, 0)->code, JB_CODE_MALFORMED);
}

/* ---- options: every struct that a caller fills ---- */

static jb_status
give_init(const void *o, struct jb_error *err)
{
    char path[100], command[120];
    snprintf(path, sizeof path, "%s-new", dir);
    jb_status status = jb_init(path, o, err);
    snprintf(command, sizeof command, "rm -rf %s", path);
    assert_int_equal(system(command), 0);
    return status;
}

static jb_status
give_open(const void *o, struct jb_error *err)
{
    jb_ledger *other;
    jb_status status = jb_open(dir, o, &other, err);
    if (status == JB_OK) {
        jb_close(other);
    }
    return status;
}

static jb_status
give_submit(const void *o, struct jb_error *err)
{
    struct jb_command c = create("A").c;
    c.size = sizeof c;
    return jb_submit(ledger, &c, 1, o, answers, NULL, err);
}

static jb_status
give_audit(const void *o, struct jb_error *err)
{
    struct jb_audit_report *r;
    jb_status status = jb_audit(dir, o, &r, err);
    if (status == JB_OK) {
        jb_audit_report_free(r);
    }
    return status;
}

static jb_status
give_rebuild(const void *o, struct jb_error *err)
{
    struct jb_rebuild_result r = JB_SIZED(struct jb_rebuild_result);
    return jb_rebuild(dir, o, &r, err);
}

/* ---- results: every struct that the library fills ---- */

static jb_views *views;

static jb_status
take_info(void *r, struct jb_error *err)
{
    return jb_info_get(ledger, r, err);
}

static jb_status
take_head(void *r, struct jb_error *err)
{
    return jb_head_get(ledger, r, err);
}

static jb_status
take_stat(void *r, struct jb_error *err)
{
    return jb_ledger_stat_get(ledger, r, err);
}

static jb_status
take_balance(void *r, struct jb_error *err)
{
    return jb_balance_get(views, jb_text_of("A"), NULL, r, err);
}

static jb_status
take_cash_status(void *r, struct jb_error *err)
{
    return jb_cash_status_get(views, jb_text_of("A"), JB_VIEW_KNOWN, NULL, JB_NO_DAY, JB_NO_DAY,
                              NULL, NULL, r, err);
}

static jb_status
take_who(void *r, struct jb_error *err)
{
    return jb_who_get(ledger, jb_text_of("A"), NULL, NULL, r, err);
}

static jb_status
take_biz(void *r, struct jb_error *err)
{
    return jb_biz_get(ledger, jb_text_of("A"), (struct jb_text){NULL, 0}, r, err);
}

static jb_status
take_may(void *r, struct jb_error *err)
{
    return jb_may_get(ledger, jb_text_of("A"), jb_text_of("x"), (struct jb_text){NULL, 0}, NULL,
                      NULL, r, err);
}

static jb_status
take_can_delete(void *r, struct jb_error *err)
{
    return jb_can_delete_get(ledger, jb_text_of("A"), r, err);
}

static jb_status
take_channel(void *r, struct jb_error *err)
{
    static bool made;
    struct jb_command c;
    jb_command_begin(&c, JB_OP_CHANNEL_CREATE);
    jb_set_channel(&c, jb_text_of("K"));
    jb_set_person(&c, jb_text_of("x"));
    jb_status status = made ? JB_OK : jb_submit(ledger, &c, 1, NULL, answers, NULL, err);
    made = true;
    return status == JB_OK ? jb_channel_get(ledger, jb_text_of("K"), NULL, NULL, r, err) : status;
}

static jb_status
take_views_stat(void *r, struct jb_error *err)
{
    return jb_views_stat_get(views, r, err);
}

static jb_status
take_rebuilt(void *r, struct jb_error *err)
{
    return jb_rebuild(dir, NULL, r, err);
}

struct sized {
    const char *name;
    size_t size;
    jb_status (*give)(const void *o, struct jb_error *err);
    jb_status (*take)(void *r, struct jb_error *err);
};
#define SIZED(type) "struct " #type, sizeof(struct type)

static const struct sized all_sized[] = {
    {SIZED(jb_init_options), give_init, NULL},
    {SIZED(jb_open_options), give_open, NULL},
    {SIZED(jb_submit_options), give_submit, NULL},
    {SIZED(jb_audit_options), give_audit, NULL},
    {SIZED(jb_rebuild_options), give_rebuild, NULL},
    {SIZED(jb_ledger_info), NULL, take_info},
    {SIZED(jb_head), NULL, take_head},
    {SIZED(jb_ledger_stat), NULL, take_stat},
    {SIZED(jb_wallet_balance), NULL, take_balance},
    {SIZED(jb_cash_status), NULL, take_cash_status},
    {SIZED(jb_views_stat), NULL, take_views_stat},
    {SIZED(jb_rebuild_result), NULL, take_rebuilt},
    {SIZED(jb_who), NULL, take_who},
    {SIZED(jb_channel_info), NULL, take_channel},
    {SIZED(jb_biz), NULL, take_biz},
    {SIZED(jb_may), NULL, take_may},
    {SIZED(jb_can_delete), NULL, take_can_delete},
};
#define ALL_SIZED (sizeof all_sized / sizeof all_sized[0])

union room {
    size_t size;
    uint8_t bytes[4096];
    max_align_t align;
};

static void
test_options_of_any_size(void **state)
{
    (void)state;
    for (const struct sized *s = all_sized; s < all_sized + ALL_SIZED; s++) {
        struct jb_error err = {.status = JB_OK};
        if (s->give == NULL) {
            continue;
        }
        for (size_t size = 0; size <= s->size + 16; size += size < 8 ? 1 : 4) {
            union room room;
            memset(&room, 0, sizeof room);
            room.size = size;
            /* What lies behind the end is not looked at. */
            memset(room.bytes + (size > 8 ? size : 8), 0xee, 32);
            jb_status want = size < sizeof size ? JB_E_USAGE : JB_OK;
            if (s->give(&room, &err) != want) {
                fail_msg("%s of size %zu: %s", s->name, size, err.text);
            }
            if (want == JB_E_USAGE) {
                assert_non_null(strstr(err.text, s->name));
            }
            if (size > s->size) {
                room.bytes[size - 1] = 1;
                assert_int_equal(s->give(&room, &err), JB_E_USAGE);
                assert_non_null(strstr(err.text, s->name));
                assert_non_null(strstr(err.text, "does not know"));
            }
        }
        union room room = {.size = SIZE_MAX};
        assert_int_equal(s->give(&room, &err), JB_E_USAGE);
        {
            memset(&room, 0, sizeof room);
            room.size = s->size;
            room.bytes[s->size - 1] = 1;
            assert_int_equal(s->give(&room, &err), JB_E_USAGE);
            assert_non_null(strstr(err.text, "does not know"));
        }
    }
}

static void
test_results_of_any_size(void **state)
{
    (void)state;
    struct jb_error err = {.status = JB_OK};
    assert_int_equal(jb_views_open(ledger, &views, &err), JB_OK);
    for (const struct sized *s = all_sized; s < all_sized + ALL_SIZED; s++) {
        if (s->take == NULL) {
            continue;
        }
        const size_t sizes[] = {0, 7, 8, 12, 16, s->size - 8, s->size, s->size + 8, 1024};
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            union room room;
            memset(&room, 0xee, sizeof room);
            room.size = sizes[i];
            jb_status want = sizes[i] < sizeof room.size ? JB_E_USAGE : JB_OK;
            if (s->take(&room, &err) != want) {
                fail_msg("%s of size %zu: %s", s->name, sizes[i], err.text);
            }
            size_t filled = sizes[i] < s->size ? sizes[i] : s->size;
            assert_int_equal(room.size, filled); /* says how much there is */
            for (size_t at = filled > 8 ? filled : 8; at < sizeof room; at++) {
                assert_int_equal(room.bytes[at], 0xee);
            }
        }
    }
    views = jb_views_close(views);
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
        cmocka_unit_test(test_commands_of_an_earlier_header),
        cmocka_unit_test(test_what_this_version_cannot_see_is_refused),
        cmocka_unit_test(test_options_of_any_size),
        cmocka_unit_test(test_results_of_any_size),
        cmocka_unit_test(test_results_fit_the_callers_struct),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
