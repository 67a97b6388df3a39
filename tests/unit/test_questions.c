/* The answers to the ten questions: what is no question, what a reply is, and that the lists of
 * question 7 are those of the matrix of roles: here the file that makes them is given others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jangbu/projections.h>

static const struct jb_permission *other_cells;
static size_t other_cells_n;

static const struct jb_permission *
cells_of(uint32_t matrix, size_t *ret_n)
{
    if (other_cells == NULL) {
        return jb_permissions(matrix, ret_n);
    }
    *ret_n = other_cells_n;
    return other_cells;
}

#define jb_permissions cells_of
#include "../../projections/answer_who.c"
#undef jb_permissions

static char dir[64];
static jb_ledger *l;
static jb_views *v;
static struct jb_error err;

static jb_instant
now(void *data)
{
    (void)data;
    return INT64_C(1790000000000000);
}

static int
set_up(void **state)
{
    (void)state;
    struct jb_open_options o = JB_SIZED(struct jb_open_options);
    struct jb_command c;
    strcpy(dir, "/tmp/jangbu-questions-XXXXXX");
    o.now = now;
    jb_answers *answers = jb_answers_new();
    if (mkdtemp(dir) == NULL || jb_init(dir, NULL, &err) != JB_OK ||
        jb_open(dir, &o, &l, &err) != JB_OK || jb_views_open(l, &v, &err) != JB_OK) {
        return 1;
    }
    jb_command_begin(&c, JB_OP_WALLET_CREATE);
    jb_set_wallet(&c, jb_text_of("W1"));
    jb_set_kind(&c, JB_KIND_BUSINESS);
    jb_set_name(&c, jb_text_of("n"));
    jb_set_master(&c, jb_text_of("hong"));
    jb_status status = jb_submit(l, &c, 1, NULL, answers, NULL, &err);
    jb_answers_free(answers);
    return status != JB_OK;
}

static int
tear_down(void **state)
{
    (void)state;
    char command[128];
    v = jb_views_close(v);
    l = jb_close(l);
    snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command);
}

static struct jb_question
question(uint32_t number)
{
    struct jb_question q = JB_SIZED(struct jb_question);
    q.number = number;
    q.wallet = jb_text_of("W1");
    return q;
}

static jb_status
ask(const struct jb_question *q)
{
    struct jb_reply *r;
    memset(&err, 0, sizeof err);
    jb_status status = jb_reply_get(v, q, &r, &err);
    if (status == JB_OK) {
        jb_reply_free(r);
    }
    return status;
}

static void
what_is_no_question(void **state)
{
    (void)state;
    struct jb_reply *r;
    struct jb_question q = question(1);
    assert_int_equal(jb_reply_get(NULL, &q, &r, &err), JB_E_USAGE);
    assert_int_equal(jb_reply_get(v, NULL, &r, &err), JB_E_USAGE);
    assert_int_equal(jb_reply_get(v, &q, NULL, &err), JB_E_USAGE);
    assert_int_equal(ask(&q), JB_OK);
    for (uint32_t number = 0; number <= JB_QUESTIONS + 1; number++) {
        const bool there = number >= 1 && number <= JB_QUESTIONS;
        q = question(number);
        assert_int_equal(ask(&q), there ? JB_OK : JB_E_USAGE);
        assert_int_equal(jb_question_text(number, JB_LANG_EN) != NULL, there);
        assert_int_equal(jb_question_text(number, JB_LANG_KO) != NULL, there);
    }
    q = question(1);
    q.size = 0;
    assert_int_equal(ask(&q), JB_E_USAGE);
    q = question(1);
    q.reserved[2] = 1;
    assert_int_equal(ask(&q), JB_E_USAGE);
    q = question(1);
    q.lang = (jb_lang)3;
    assert_int_equal(ask(&q), JB_E_USAGE);
    q = question(5);
    q.channel = jb_text_of("c");
    assert_int_equal(ask(&q), JB_E_USAGE);
    q = question(9);
    q.charge = jb_text_of("c");
    assert_int_equal(ask(&q), JB_E_USAGE);
    q = question(1);
    q.wallet = jb_text_of("W2");
    assert_int_equal(ask(&q), JB_E_NOTFOUND);
    q.wallet = (struct jb_text){NULL, 0};
    assert_int_equal(ask(&q), JB_E_NOTFOUND);
    assert_null(jb_reply_free(NULL));
}

/* Of a ledger that was closed first. */
static void
after_the_ledger(void **state)
{
    (void)state;
    jb_ledger *other;
    jb_views *views;
    struct jb_reply *r;
    const struct jb_question q = question(10);
    assert_int_equal(jb_open(dir, NULL, &other, &err), JB_OK);
    assert_int_equal(jb_views_open(other, &views, &err), JB_OK);
    jb_close(other);
    assert_int_equal(jb_reply_get(views, &q, &r, &err), JB_E_USAGE);
    jb_views_close(views);
}

static void
what_a_reply_is(void **state)
{
    (void)state;
    struct jb_reply *r;
    struct jb_question q = question(2);
    q.lang = JB_LANG_KO;
    assert_int_equal(jb_reply_get(v, &q, &r, &err), JB_OK);
    assert_int_equal(r->size, sizeof *r);
    assert_int_equal(r->question, 2);
    assert_int_equal(r->lang, JB_LANG_KO);
    assert_string_equal(r->wallet, "W1");
    assert_int_equal(r->number, 1);
    assert_int_equal(r->events_n, 1);
    assert_int_equal(r->events_total, 1);
    assert_int_equal(r->events[0], r->as_of.seq);
    assert_int_equal(r->as_of.at, now(NULL));
    assert_non_null(strstr(r->text, "월렛 W1의 상태: 사용중("));
    assert_null(jb_reply_free(r));
}

/* What question 7 says with a matrix in which the cells that begin with `cell` take other roles. */
static char *
rights(const char *cell, uint32_t roles, jb_lang lang)
{
    static struct jb_permission other[256];
    static char said[4096];
    size_t n;
    const struct jb_permission *cells = jb_permissions(JB_MATRICES, &n);
    assert_true(n < sizeof other / sizeof other[0]);
    for (size_t i = 0; i < n; i++) {
        other[i] = cells[i];
        if (strcmp(cells[i].cell, cell) == 0) {
            other[i].roles = roles;
        }
    }
    struct jb_question q = question(7);
    struct jb_reply *r;
    q.lang = lang;
    other_cells = other;
    other_cells_n = n;
    assert_int_equal(jb_reply_get(v, &q, &r, &err), JB_OK);
    other_cells = NULL;
    snprintf(said, sizeof said, "%s", r->text);
    jb_reply_free(r);
    return said;
}

#define MASTER (1U << JB_ROLE_MASTER)
#define BOTH (1U << JB_ROLE_MASTER | 1U << JB_ROLE_MEMBER)
#define NEITHER (1U << JB_ROLE_OPERATOR)

/* Whether `text` is among what the master alone may, and among what members may, too. */
static void
stands(const char *said, const char *text, bool masters, bool members)
{
    const char *second = strstr(said, "마스터와 멤버");
    second = second != NULL ? second : strstr(said, " Members (");
    assert_non_null(second);
    const char *found = strstr(said, text);
    const bool in_first = found != NULL && found < second;
    const bool in_second = strstr(second, text) != NULL;
    if (in_first != masters || in_second != members) {
        fail_msg("%s: %s", text, said);
    }
}

static void
lists_are_those_of_the_matrix(void **state)
{
    (void)state;
    for (size_t i = 0; i < ITEMS; i++) {
        const struct item *it = &items[i];
        const uint32_t only = it->as_master, both = it->as_master | it->as_member;
        const bool first = i == 0 || items[i - 1].group != it->group;
        const char *behind = first ? it->ko : it->ko_behind; /* as it stands beside the others */
        stands(rights(it->cell, NEITHER, JB_LANG_KO), behind, false, false);
        stands(rights(it->cell, only, JB_LANG_KO), behind, true, false);
        stands(rights(it->cell, both, JB_LANG_KO), it->ko, false, true);
    }
    stands(rights("wallet.delete", BOTH, JB_LANG_EN), "deletion", false, true);
    stands(rights("charge", MASTER, JB_LANG_EN), "charge", true, false);
    stands(rights("charge", MASTER, JB_LANG_KO), ", 충전", true, false);
    stands(rights("wallet.rename", NEITHER, JB_LANG_KO), "월렛 생성, ", true, false);
    stands(rights("member.invite", NEITHER, JB_LANG_KO), ", 멤버 내보내기, ", true, false);
    stands(rights("sales.accept", NEITHER, JB_LANG_KO), ", 영업권 해제.", true, false);
    stands(rights("sales.accept", NEITHER, JB_LANG_EN), ", releasing a sales right.", true, false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_question),
        cmocka_unit_test(after_the_ledger),
        cmocka_unit_test(what_a_reply_is),
        cmocka_unit_test(lists_are_those_of_the_matrix),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
