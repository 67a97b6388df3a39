/* Sentences in the language of the handle, of the call, and of no other thread or handle. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jangbu/replay.h>

#include "base/lang.h"
#include "ledger/internal.h"
#include "ledger/message.h"

static char dir[64];
static jb_ledger *english, *korean;
static jb_answers *answers;
static struct jb_error err;

static bool
is_korean(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (p[0] >= 0xea && p[0] <= 0xed && p[1] >= 0x80) {
            return true;
        }
    }
    return false;
}

#define assert_korean(text)                                                                        \
    do {                                                                                           \
        if (!is_korean(text)) {                                                                    \
            fail_msg("not Korean: %s", (text));                                                    \
        }                                                                                          \
    } while (0)
#define assert_english(text)                                                                       \
    do {                                                                                           \
        const char *said = (text);                                                                 \
        if (said[0] == '\0' || is_korean(said)) {                                                  \
            fail_msg("not English: %s", said);                                                     \
        }                                                                                          \
    } while (0)

static int
set_up(void **state)
{
    (void)state;
    struct jb_open_options o = {.size = sizeof o, .lang = JB_LANG_KO};
    strcpy(dir, "/tmp/jangbu-lang-XXXXXX");
    answers = jb_answers_new();
    return mkdtemp(dir) == NULL || answers == NULL || jb_init(dir, NULL, &err) != JB_OK ||
           jb_open(dir, NULL, &english, &err) != JB_OK || jb_open(dir, &o, &korean, &err) != JB_OK;
}

static int
tear_down(void **state)
{
    (void)state;
    char command[100];
    jb_close(english);
    jb_close(korean);
    jb_answers_free(answers);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static struct jb_command
consume(const char *key)
{
    struct jb_command c;
    jb_command_begin(&c, JB_OP_CONSUME);
    jb_set_wallet(&c, jb_text_of("nobody's"));
    jb_set_usage(&c, jb_text_of("U1"));
    jb_set_amount(&c, 100);
    if (key != NULL) {
        jb_set_key(&c, jb_text_of(key));
    }
    return c;
}

static const char *
answer(jb_ledger *l, const struct jb_command *c, jb_lang lang)
{
    struct jb_submit_options o = {.size = sizeof o, .lang = lang};
    if (jb_submit(l, c, 1, &o, answers, NULL, &err) != JB_OK) {
        fail_msg("%s", err.text);
    }
    return jb_answer_message(jb_answers_at(answers, 0));
}

/* Two handles in one thread, turn and turn about; the thread itself keeps what it had. */
static void
test_handles(void **state)
{
    (void)state;
    uint32_t number;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(jb_wallet_number(korean, jb_text_of("X"), &number, &err), JB_E_NOTFOUND);
        assert_korean(err.text);
        assert_int_equal(jb_wallet_number(english, jb_text_of("X"), &number, &err), JB_E_NOTFOUND);
        assert_english(err.text);
        assert_int_equal(jb_lang_now, JB_LANG_EN);
    }
    jb_lang_set(JB_LANG_KO);
    assert_int_equal(jb_wallet_number(english, jb_text_of("X"), &number, &err), JB_E_NOTFOUND);
    assert_english(err.text);
    assert_int_equal(jb_lang_now, JB_LANG_KO);
    jb_lang_set(JB_LANG_EN);
}

/* A thread that speaks for somebody else, whatever the handle; what is no language changes nothing.
 */
static void
test_speaking(void **state)
{
    (void)state;
    uint32_t number;
    jb_views *v;
    struct jb_wallet_balance b = JB_SIZED(struct jb_wallet_balance);
    assert_int_equal(jb_views_open(english, &v, &err), JB_OK);
    assert_int_equal(jb_speak(JB_LANG_KO), JB_LANG_UNSAID);
    assert_int_equal(jb_wallet_number(english, jb_text_of("X"), &number, &err), JB_E_NOTFOUND);
    assert_korean(err.text);
    assert_int_equal(jb_balance_get(v, jb_text_of("X"), NULL, &b, &err), JB_E_NOTFOUND);
    assert_korean(err.text);
    assert_int_equal(jb_speak((jb_lang)7), JB_LANG_KO);
    assert_int_equal(jb_speak((jb_lang)-1), JB_LANG_KO);
    assert_int_equal(jb_speak(JB_LANG_EN), JB_LANG_KO);
    assert_int_equal(jb_wallet_number(korean, jb_text_of("X"), &number, &err), JB_E_NOTFOUND);
    assert_english(err.text);
    assert_int_equal(jb_speak(JB_LANG_UNSAID), JB_LANG_EN);
    assert_int_equal(jb_wallet_number(korean, jb_text_of("X"), &number, &err), JB_E_NOTFOUND);
    assert_korean(err.text);
    jb_views_close(v);
}

static void
test_views_and_cursors(void **state)
{
    (void)state;
    jb_views *v;
    jb_cursor *c;
    const struct jb_event *e;
    struct jb_wallet_balance b = JB_SIZED(struct jb_wallet_balance);
    assert_int_equal(jb_views_open(korean, &v, &err), JB_OK);
    assert_int_equal(jb_balance_get(v, jb_text_of("X"), NULL, &b, &err), JB_E_NOTFOUND);
    assert_korean(err.text);
    jb_views_close(v);
    assert_int_equal(jb_cursor_open(korean, 1, &c, &err), JB_OK);
    assert_int_equal(jb_cursor_at(c, 1000, &e, &err), JB_E_NOTFOUND);
    assert_korean(err.text);
    jb_cursor_close(c);
}

/* Messages are in the language of their submit, those that are repeated, too. */
static void
test_submit(void **state)
{
    (void)state;
    const struct jb_command keyed = consume("K1"), plain = consume(NULL);
    struct jb_command bad = consume(NULL);
    bad.amount = 0;
    assert_english(answer(english, &plain, JB_LANG_UNSAID));
    assert_korean(answer(english, &plain, JB_LANG_KO));
    assert_korean(answer(korean, &plain, JB_LANG_UNSAID));
    assert_english(answer(korean, &plain, JB_LANG_EN));
    assert_korean(answer(korean, &keyed, JB_LANG_UNSAID));
    assert_english(answer(korean, &keyed, JB_LANG_EN));
    assert_korean(answer(english, &keyed, JB_LANG_KO));
    assert_korean(answer(english, &bad, JB_LANG_KO));
    assert_english(answer(korean, &bad, JB_LANG_EN));
    assert_int_equal(jb_lang_now, JB_LANG_EN);
    bad.op = (jb_op)9999;
    struct jb_submit_options o = {.size = sizeof o, .lang = JB_LANG_KO};
    assert_int_equal(jb_submit(english, &bad, 1, &o, answers, NULL, &err), JB_E_USAGE);
    assert_korean(err.text);
}

/* What is no language. */
static void
test_no_language(void **state)
{
    (void)state;
    const struct jb_command c = consume(NULL);
    jb_ledger *l;
    struct jb_submit_options s = {.size = sizeof s, .lang = (jb_lang)3};
    struct jb_open_options o = {.size = sizeof o, .lang = (jb_lang)3};
    struct jb_init_options i = {.size = sizeof i, .lang = (jb_lang)-1};
    struct jb_audit_options a = {.size = sizeof a, .lang = (jb_lang)7};
    struct jb_rebuild_options r = {.size = sizeof r, .lang = (jb_lang)7};
    struct jb_rebuild_result result = JB_SIZED(struct jb_rebuild_result);
    struct jb_audit_report *report;
    assert_int_equal(jb_submit(korean, &c, 1, &s, answers, NULL, &err), JB_E_USAGE);
    assert_korean(err.text);
    assert_int_equal(jb_open(dir, &o, &l, &err), JB_E_USAGE);
    assert_int_equal(jb_init(dir, &i, &err), JB_E_USAGE);
    assert_int_equal(jb_audit(dir, &a, &report, &err), JB_E_USAGE);
    assert_int_equal(jb_rebuild(dir, &r, &result, &err), JB_E_USAGE);
}

static void
test_without_a_handle(void **state)
{
    (void)state;
    jb_ledger *l;
    struct jb_audit_report *report;
    struct jb_open_options o = {.size = sizeof o, .lang = JB_LANG_KO};
    struct jb_init_options i = {.size = sizeof i, .lang = JB_LANG_KO, .currency = "?"};
    struct jb_audit_options a = {.size = sizeof a, .lang = JB_LANG_KO};
    struct jb_rebuild_options r = {.size = sizeof r, .lang = JB_LANG_KO};
    struct jb_rebuild_result result = JB_SIZED(struct jb_rebuild_result);
    assert_int_equal(jb_open("/nowhere", &o, &l, &err), JB_E_NOTFOUND);
    assert_korean(err.text);
    assert_int_equal(jb_init("/nowhere", &i, &err), JB_E_USAGE);
    assert_korean(err.text);
    assert_true(jb_rebuild("/nowhere", &r, &result, &err) != JB_OK);
    assert_korean(err.text);
    assert_true(jb_audit("/nowhere", &a, &report, &err) != JB_OK);
    assert_korean(err.text);
    assert_int_equal(jb_audit(dir, &a, &report, &err), JB_OK);
    for (uint32_t n = 0; n < report->not_checked_n; n++) {
        assert_korean(report->not_checked[n]);
    }
    assert_true(report->not_checked_n > 0);
    jb_audit_report_free(report);
    assert_int_equal(jb_lang_now, JB_LANG_EN);
}

/* ---- callers of both languages in one commit ---- */

#define CALLERS 8
#define ROUNDS 200

static void *
caller(void *data)
{
    const jb_lang lang = *(const jb_lang *)data;
    jb_answers *own = jb_answers_new();
    struct jb_submit_options o = {.size = sizeof o, .lang = lang};
    const struct jb_command c = consume(NULL);
    struct jb_error e;
    bool right = own != NULL;
    for (int i = 0; i < ROUNDS && right; i++) {
        right = jb_submit(korean, &c, 1, &o, own, NULL, &e) == JB_OK &&
                is_korean(jb_answer_message(jb_answers_at(own, 0))) == (lang == JB_LANG_KO);
    }
    jb_answers_free(own);
    return right ? data : NULL;
}

static void
test_threads(void **state)
{
    (void)state;
    static const jb_lang langs[2] = {JB_LANG_EN, JB_LANG_KO};
    pthread_t threads[CALLERS];
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(
            pthread_create(&threads[i], NULL, caller, (void *)(uintptr_t)&langs[i % 2]), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        void *right;
        pthread_join(threads[i], &right);
        assert_non_null(right);
    }
}

/* What fails for all of them is said to each in its language. */
static void
test_both(void **state)
{
    (void)state;
    struct jb_error first = {0}, other = {0}, aside = {0};
    JB_SPEAK(JB_LANG_KO);
    {
        JB_SAY_BOTH(&first, &other);
        (void)jb_fail(&aside, JB_E_IO, "no memory for an answer");
        assert_int_equal(other.status, 0);
        (void)jb_fail_errno(&first, JB_E_IO, 2, "cannot make %s", "X");
    }
    assert_korean(first.text);
    assert_string_equal(other.text, "cannot make X: No such file or directory");
    assert_ptr_equal(jb_said_in(JB_LANG_KO, JB_LANG_KO, &first, &other), &first);
    assert_ptr_equal(jb_said_in(JB_LANG_EN, JB_LANG_KO, &first, &other), &other);
    first.status = JB_E_FULL; /* said later, and of something else */
    assert_ptr_equal(jb_said_in(JB_LANG_EN, JB_LANG_KO, &first, &other), &first);
    (void)jb_fail(&first, JB_E_IO, "no memory for an answer");
    assert_string_equal(other.text, "cannot make X: No such file or directory");
}

static void
test_read_only(void **state)
{
    (void)state;
    struct jb_open_options o = {.size = sizeof o, .lang = JB_LANG_KO, .read_only = 1};
    struct jb_submit_options s = {.size = sizeof s, .lang = JB_LANG_EN};
    const struct jb_command c = consume(NULL);
    char path[100];
    jb_ledger *l;
    assert_int_equal(jb_open(dir, &o, &l, &err), JB_OK);
    assert_int_equal(jb_submit(l, &c, 1, NULL, answers, NULL, &err), JB_E_READONLY);
    assert_korean(err.text);
    assert_int_equal(jb_submit(l, &c, 1, &s, answers, NULL, &err), JB_E_READONLY);
    assert_english(err.text);
    l = jb_close(l);
    /* Why a program may not write is found when it opens the ledger, and said when it writes. */
    snprintf(path, sizeof path, "%s/requires", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("write what-is-not-known\n", f);
    fclose(f);
    o.read_only = 0;
    assert_int_equal(jb_open(dir, &o, &l, &err), JB_OK);
    assert_int_equal(jb_submit(l, &c, 1, NULL, answers, NULL, &err), JB_E_FORMAT);
    assert_korean(err.text);
    assert_int_equal(jb_submit(l, &c, 1, &s, answers, NULL, &err), JB_E_FORMAT);
    assert_english(err.text);
    jb_close(l);
    unlink(path);
}

/* Every code, op and figure, in both languages: no code without a sentence, no place left open, and
 * none that is cut. */
static void
test_codes(void **state)
{
    (void)state;
    struct jb_log_identity ledger = {.exponent = 2, .utc_offset_s = 32400};
    struct jb_figure figures[JB_FIG_NAMES];
    char text[2][1200];
    for (uint32_t i = 0; i < JB_FIG_NAMES; i++) {
        figures[i] = (struct jb_figure){i, i == JB_FIG_STATUS ? 1 : 12345678901};
    }
    for (uint32_t code = 1; code < JB_CODES_END; code++) {
        for (uint32_t op = 1; op < JB_OPS && jb_code_word(code) != NULL; op++) {
            for (int lang = 0; lang < 2; lang++) {
                JB_SPEAK(lang == 0 ? JB_LANG_EN : JB_LANG_KO);
                jb_refusal_message((jb_code)code, figures, JB_FIG_NAMES, (jb_op)op, 0, 3, &ledger,
                                   text[lang], sizeof text[lang]);
                assert_null(strpbrk(text[lang], "{}"));
                assert_true(strlen(text[lang]) < 1000);
            }
            assert_english(text[0]);
            assert_korean(text[1]);
            assert_null(strstr(text[0], ": refused"));
        }
    }
    const struct jb_figure available = {JB_FIG_AVAILABLE, 1234567};
    jb_refusal_message(JB_CODE_INSUFFICIENT_CASH, &available, 1, JB_OP_CONSUME, 0, -1, &ledger,
                       text[0], sizeof text[0]);
    assert_string_equal(text[0], "only 12,345.67 is available (usable free cash and paid cash)");
    jb_lang_set(JB_LANG_KO);
    const struct jb_figure left = {JB_FIG_LEFT, 5000};
    memcpy(ledger.currency, "USD", 4);
    jb_refusal_message(JB_CODE_RETURN_EXCEEDS, &left, 1, JB_OP_CONSUME_REVERSE, 0, -1, &ledger,
                       text[1], sizeof text[1]);
    assert_string_equal(text[1], "이 소진에서 더 환급할 수 있는 금액은 50.00 USD입니다");
    ledger.exponent = 0;
    memcpy(ledger.currency, "KRW", 4);
    jb_refusal_message(JB_CODE_RETURN_EXCEEDS, &left, 1, JB_OP_CONSUME_REVERSE, 0, -1, &ledger,
                       text[1], sizeof text[1]);
    assert_string_equal(text[1], "이 소진에서 더 환급할 수 있는 금액은 5,000원입니다");
    jb_lang_set(JB_LANG_EN);
    ledger.exponent = 2;
    /* A room that is too small is filled and ended. */
    jb_refusal_message(JB_CODE_INSUFFICIENT_CASH, &available, 1, JB_OP_CONSUME, 0, -1, &ledger,
                       text[0], 10);
    assert_string_equal(text[0], "only 12,3");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handles),           cmocka_unit_test(test_speaking),
        cmocka_unit_test(test_views_and_cursors), cmocka_unit_test(test_submit),
        cmocka_unit_test(test_no_language),       cmocka_unit_test(test_without_a_handle),
        cmocka_unit_test(test_threads),           cmocka_unit_test(test_both),
        cmocka_unit_test(test_read_only),         cmocka_unit_test(test_codes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
