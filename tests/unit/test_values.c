/* Money, days, texts: the vectors of the domain and both sides of each boundary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jangbu/command.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"

static void
cost(void **state)
{
    (void)state;
    static const struct {
        int64_t n, unit, cost;
    } rows[] = {{1, 15, 17},       {3, 15, 50}, {10, 15, 165},
                {1000, 15, 16500}, {0, 15, 0},  {1, 20, 22}};
    jb_amount got;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(jb_cost_with_vat_ceil(rows[i].n, rows[i].unit, &got));
        assert_int_equal(got, rows[i].cost);
    }
    assert_false(jb_cost_with_vat_ceil(-1, 15, &got));
    assert_false(jb_cost_with_vat_ceil(INT64_MAX, 2, &got));
}

/* The sentence of an error is UTF-8 whatever stands in it, and ends where there is no more room. */
static void
long_error(void **state)
{
    (void)state;
    _Static_assert(sizeof(struct jb_error) == 1024, "it is part of the ABI, and has no size");
    char hangul[3 * JB_ERROR_TEXT_BYTES] = "";
    for (size_t i = 0; i + 3 < sizeof hangul; i += 3) {
        memcpy(hangul + i, "\xed\x95\x9c", 4);
    }
    for (int before = 0; before < 4; before++) {
        struct jb_error err;
        assert_int_equal(jb_fail(&err, JB_E_IO, "%.*s%s", before, "abc", hangul), JB_E_IO);
        size_t n = strlen(err.text);
        assert_true(n > sizeof err.text - 4 && n < sizeof err.text);
        assert_true(jb_utf8_valid(err.text, n, NULL));
        assert_int_equal(err.reserved[3], 0);
    }
    assert_int_equal(jb_utf8_whole("", 0), 0);
    assert_int_equal(jb_utf8_whole("\xe2\x82", 2), 0);
    assert_int_equal(jb_utf8_whole("a\xf0\x9f\x98", 4), 1);
    assert_int_equal(jb_utf8_whole("a\xf0\x9f\x98\x80", 5), 5);
}

static void
vat(void **state)
{
    (void)state;
    static const struct {
        jb_amount total, vat;
    } rows[] = {
        {9026, 821},  {30000, 2727}, {37400, 3400},   {50000, 4545},  {50000000000, 4545454545},
        {1492, 136},  {2250, 205},   {859950, 78177}, {105000, 9545}, {0, 0},
        {-9026, -821}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        jb_amount supply, tax;
        assert_true(jb_vat_split_half_up(rows[i].total, 10, &supply, &tax));
        assert_int_equal(tax, rows[i].vat);
        assert_int_equal(supply + tax, rows[i].total);
    }
    jb_amount supply, tax;
    assert_false(jb_vat_split_half_up(JB_AMOUNT_MAX + 1, 10, &supply, &tax));
    assert_false(jb_vat_split_half_up(1, 101, &supply, &tax));
}

static void
amounts(void **state)
{
    (void)state;
    jb_amount got = 7;
    assert_true(jb_amount_add(JB_AMOUNT_MAX, 0, &got));
    assert_int_equal(got, JB_AMOUNT_MAX);
    assert_false(jb_amount_add(JB_AMOUNT_MAX, 1, &got));
    assert_int_equal(got, JB_AMOUNT_MAX); /* untouched */
    assert_true(jb_amount_sub(-JB_AMOUNT_MAX, 0, &got));
    assert_false(jb_amount_sub(-JB_AMOUNT_MAX, 1, &got));
    assert_false(jb_amount_add(INT64_MAX, 1, &got));
}

static void
calendar(void **state)
{
    (void)state;
    jb_day previous = 0, day;
    assert_true(jb_day_from_date(1, 1, 1, &previous));
    assert_int_equal(previous, -719162);
    /* Every day of the calendar follows the one before it, and prints and parses to itself. */
    for (jb_day d = previous; d <= 2932896; d += d % 1000 == 0 ? 1 : 13) {
        int y, m, dd;
        char text[JB_DAY_TEXT_BYTES];
        jb_day_to_date(d, &y, &m, &dd);
        assert_true(jb_day_from_date(y, m, dd, &day));
        assert_int_equal(day, d);
        jb_day_print(d, text);
        assert_true(jb_day_parse(text, 10, &day));
        assert_int_equal(day, d);
    }
    static const char *const bad[] = {
        "2026-02-30", "2026-13-01", "2026-00-10",  "2025-02-29", "1900-02-29",
        "0000-01-01", "2026-1-01",  "2026-01-01 ", "20260101",   ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(jb_day_parse(bad[i], strlen(bad[i]), &day));
    }
    assert_true(jb_day_parse("2000-02-29", 10, &day));
}

static void
instants(void **state)
{
    (void)state;
    jb_instant t;
    char text[JB_INSTANT_TEXT_BYTES];
    static const char *const good[] = {"2026-10-31T09:00:00+09:00", "2026-10-31T00:00:00Z",
                                       "2026-10-31T00:00:00.5Z", "1969-12-31T23:59:59.999999Z",
                                       "2026-10-30T20:30:00.123456-03:30"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        jb_instant again;
        assert_true(jb_instant_parse(good[i], strlen(good[i]), &t));
        jb_instant_print(t, -12600, text);
        assert_true(jb_instant_parse(text, strlen(text), &again));
        assert_int_equal(t, again);
    }
    static const char *const bad[] = {"2026-10-31T09:00:00",         "2026-10-31",
                                      "2026-02-30T09:00:00Z",        "2026-10-31T24:00:00Z",
                                      "2026-10-31T09:60:00Z",        "2026-10-31T09:00:61Z",
                                      "2026-10-31T09:00:00.123456x", "2026-10-31T09:00:00.Z",
                                      "2026-10-31T09:00:00+0900",    "2026-10-31T09:00:00+24:00",
                                      "2026-10-31T09:00:00Zx",       "2026-10-31 09:00:00Z"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(jb_instant_parse(bad[i], strlen(bad[i]), &t));
    }
    /* Digits beyond the sixth are cut, as many as there are; a leap second is the last one before
     * it. */
    static const char *const cut[][2] = {
        {"2026-10-31T09:00:00.1234567Z", "2026-10-31T09:00:00.123456Z"},
        {"2026-10-31T09:00:00.999999999Z", "2026-10-31T09:00:00.999999Z"},
        {"2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z"},
        {"2017-01-01T08:59:60.5+09:00", "2017-01-01T08:59:59.999999+09:00"}};
    for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++) {
        jb_instant as;
        assert_true(jb_instant_parse(cut[i][0], strlen(cut[i][0]), &t));
        assert_true(jb_instant_parse(cut[i][1], strlen(cut[i][1]), &as));
        assert_int_equal(t, as);
    }
    /* Days begin at the ledger's midnight, before 1970 too. */
    assert_int_equal(jb_day_of(-1, 0), -1);
    assert_int_equal(jb_day_of(0, 0), 0);
    assert_int_equal(jb_day_of(jb_day_start(5, 32400), 32400), 5);
    assert_int_equal(jb_day_of(jb_day_start(5, 32400) - 1, 32400), 4);
    assert_int_equal(jb_day_of(jb_day_start(-5, -12600) - 1, -12600), -6);
}

static void
seen(void **state)
{
    (void)state;
#define T(s) (struct jb_text){s, sizeof s - 1}
    /* Characters as people count them: a syllable typed apart, a flag, a family, a letter with
     * marks. */
    assert_int_equal(jb_graphemes(T("\u1100\u1161\u11a8")), 1);
    assert_int_equal(jb_graphemes(T("\U0001F1F0\U0001F1F7")), 1);
    assert_int_equal(jb_graphemes(T("\U0001F468\u200D\U0001F469\u200D\U0001F467")), 1);
    assert_int_equal(jb_graphemes(T("e\u0301x")), 2);
    assert_int_equal(jb_graphemes(T("커피 Coffee")), 9);
    struct jb_text nfc;
    char *owned;
    assert_int_equal(jb_text_nfc(T("\u1100\u1161\u11a8"), &nfc, &owned), JB_OK);
    assert_int_equal(nfc.n, 3);
    assert_memory_equal(nfc.s, "각", 3);
    free(owned);
    assert_int_equal(jb_text_nfc(T("plain"), &nfc, &owned), JB_OK);
    assert_null(owned);
    /* What shows nothing or turns the line around, in an id and in a text. */
    static const char *const hidden[] = {"a\u202Eb", "a\u2066b", "a\u00ADb",    "a\u200Bb",
                                         "a\uFEFFb", "a\u115Fb", "a\u3164b",    "a\u061Cb",
                                         "a\uFFFFb", "a\uFDD0b", "a\U000E0041b"};
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        assert_false(jb_id_visible((struct jb_text){hidden[i], strlen(hidden[i])}));
        assert_false(jb_prose_visible((struct jb_text){hidden[i], strlen(hidden[i])}));
    }
    assert_false(jb_id_visible(T("a\u200Db")));
    assert_true(jb_prose_visible(T("\U0001F468\u200D\U0001F469")));
    assert_false(jb_prose_visible(T("\u200D")));
    assert_false(jb_prose_visible(T(" ")));
    assert_true(jb_id_visible(T("월렛-1_é")));
    /* ISO 4217. */
    assert_int_equal(jb_currency_exponent("KRW"), 0);
    assert_int_equal(jb_currency_exponent("USD"), 2);
    assert_int_equal(jb_currency_exponent("KWD"), 3);
    assert_int_equal(jb_currency_exponent("CLF"), 4);
    assert_int_equal(jb_currency_exponent("UYW"), 4);
    assert_int_equal(jb_currency_exponent("XAU"), -1);
    assert_int_equal(jb_currency_exponent("QQQ"), -1);
    const char *const none[] = {NULL, "", "K", "KR", "KRWX", "krw", "D K", "XPF KRW"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_int_equal(jb_currency_exponent(none[i]), -1);
    }
}

static void
texts(void **state)
{
    (void)state;
    size_t n;
    assert_true(jb_utf8_valid("한글a", 7, &n));
    assert_int_equal(n, 3);
    assert_false(jb_utf8_valid("\xc0\x80", 2, NULL));
    assert_false(jb_utf8_valid("\xed\xa0\x80", 3, NULL));
    assert_false(jb_utf8_valid("\xf4\x90\x80\x80", 4, NULL));
    assert_false(jb_utf8_valid("\xe2\x82", 2, NULL));
    char id[66];
    memset(id, 'x', sizeof id);
    assert_true(jb_id_valid((struct jb_text){id, 64}, 64));
    assert_false(jb_id_valid((struct jb_text){id, 65}, 64));
    assert_false(jb_id_valid((struct jb_text){id, 0}, 64));
    assert_false(jb_id_valid(T("a b"), 64));
    assert_false(jb_id_valid(T("a\tb"), 64));
    assert_false(jb_id_valid(T("a\xc2\xa0z"), 64)); /* no-break space */
    assert_false(jb_id_valid(T("a\x7f"), 64));
    assert_true(jb_id_valid(T("월렛#1"), 64));
    assert_true(jb_prose_valid(T("가나다라마바사아자차카타파하거너더러머버"), 20, false));
    assert_false(jb_prose_valid(T("가나다라마바사아자차카타파하거너더러머버서"), 20, false));
    assert_false(jb_prose_valid(T("a\0b"), 20, false));
    assert_false(jb_prose_valid(T("a\nb"), 20, false));
    assert_true(jb_prose_valid(T("a\nb"), 20, true));
#undef T
}

/* Ids are looked at several bytes at once: each byte, at each place of ids of each length, is what
 * it is by itself. */
static void
bytes_of_ids(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 20; n++) {
        for (size_t at = 0; at < n; at++) {
            for (int byte = 0; byte < 256; byte++) {
                char id[20];
                memset(id, '~', sizeof id);
                id[at] = (char)byte;
                const struct jb_text t = {id, n};
                bool ascii = byte < 0x80;
                assert_int_equal(jb_id_valid(t, 64), byte > 0x20 && byte < 0x7f);
                assert_int_equal(jb_utf8_valid(id, n, NULL), ascii);
                assert_true(jb_id_visible(t) == ascii);
            }
        }
    }
}

static void
wide(void **state)
{
    (void)state;
    static const int64_t values[] = {0, 1, -1, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < 5; i++) {
        uint8_t be[16];
        jb_wide value = (jb_wide)values[i] * 1000;
        jb_wide_put(be, value);
        assert_true(jb_wide_get(be) == value);
        jb_put_be_i32(be, (int32_t)values[i]);
        assert_int_equal(jb_get_be_i32(be), (int32_t)values[i]);
    }
}

/* No function dies of NULL; those that return a status are in test_misuse. */
static void
null(void **state)
{
    (void)state;
    jb_amount amount = 7;
    jb_day day;
    jb_instant instant;
    uint32_t number;
    struct jb_event e;
    memset(&e, 0, sizeof e);
    assert_false(jb_amount_add(1, 1, NULL) || jb_amount_sub(1, 1, NULL));
    assert_false(jb_cost_with_vat_ceil(1, 1, NULL));
    assert_false(jb_vat_split_half_up(1, 10, NULL, &amount));
    assert_false(jb_vat_split_half_up(1, 10, &amount, NULL));
    assert_int_equal(amount, 7);
    assert_false(jb_day_from_date(2026, 1, 1, NULL));
    assert_false(jb_day_parse(NULL, 10, &day) || jb_day_parse("2026-01-01", 10, NULL));
    assert_false(jb_instant_parse(NULL, 20, &instant));
    assert_false(jb_instant_parse("2026-01-01T00:00:00Z", 20, NULL));
    assert_null(jb_day_print(0, NULL));
    assert_null(jb_instant_print(0, 0, NULL));
    jb_day_to_date(0, NULL, NULL, NULL);
    assert_false(jb_utf8_valid(NULL, 1, NULL));
    assert_true(jb_utf8_valid(NULL, 0, NULL));
    assert_int_equal(jb_event_amount(NULL), 0);
    assert_int_equal(jb_event_effect(NULL), 0);
    assert_int_equal(jb_event_ordinal(NULL), 0);
    assert_int_equal(jb_event_parts(NULL).n, 0);
    assert_null(jb_event_own_id(NULL).s);
    assert_int_equal(jb_event_moves(NULL, NULL), 0);
    e.type = JB_EV_CHARGE_SETTLED;
    e.charge_settled.amount = 5;
    assert_int_equal(jb_event_moves(&e, NULL), 1);
    const struct jb_names *methods = jb_names_get(JB_LIST_METHOD);
    assert_null(jb_name_word(NULL, 1));
    assert_false(jb_name_number(NULL, "CREDIT_CARD", 11, &number));
    assert_false(jb_name_number(methods, NULL, 11, &number));
    assert_false(jb_name_number(methods, "CREDIT_CARD", 11, NULL));
    assert_int_equal(jb_op_from_name(NULL, 5), 0);
    jb_command_begin(NULL, JB_OP_CHARGE);
    jb_set_key(NULL, jb_text_of(NULL));
    jb_set_actor(NULL, jb_text_of("a"), jb_text_of(NULL));
    jb_set_commands(NULL, NULL, 1);
}

/* The numbers of limits are written down for bindings. */
static void
limits(void **state)
{
    (void)state;
    assert_true(jb_limit(JB_LIMIT_AMOUNT_MAX) == JB_AMOUNT_MAX);
    assert_true(jb_limit((jb_limit_name)2) == JB_BALANCE_MAX);
    assert_true(jb_limit((jb_limit_name)3) == JB_INSTANT_MIN);
    assert_true(jb_limit((jb_limit_name)5) == JB_NO_INSTANT);
    assert_true(jb_limit((jb_limit_name)6) == JB_NO_DAY);
    assert_true(jb_limit((jb_limit_name)7) == INT64_MAX / 4);
    assert_true(jb_limit((jb_limit_name)8) == 64);
    assert_true(jb_limit((jb_limit_name)24) == JB_RULES);
    for (int which = 1; which < JB_LIMITS_END; which++) {
        assert_true(jb_limit((jb_limit_name)which) != 0);
    }
    const int unknown[] = {INT32_MIN, -1, 0, JB_LIMITS_END, INT32_MAX};
    for (size_t i = 0; i < 5; i++) {
        assert_true(jb_limit((jb_limit_name)unknown[i]) == 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null),       cmocka_unit_test(limits),       cmocka_unit_test(cost),
        cmocka_unit_test(long_error), cmocka_unit_test(vat),          cmocka_unit_test(amounts),
        cmocka_unit_test(calendar),   cmocka_unit_test(instants),     cmocka_unit_test(seen),
        cmocka_unit_test(texts),      cmocka_unit_test(bytes_of_ids), cmocka_unit_test(wide)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
