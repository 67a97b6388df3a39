/* HTML and SVG from plain values: what comes in is text and stays it, and a page is whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "invoice_page.h"
#include "lang.h"

static struct out o;

static int
empty(void **state)
{
    (void)state;
    free(o.at);
    o = (struct out){.first = true};
    lang_of_process = JB_LANG_EN;
    return 0;
}

static const char *
written(void)
{
    out_char(&o, '\0');
    assert_false(o.no_memory);
    return o.at;
}

static void
text_is(const char *given, size_t n, const char *want)
{
    empty(NULL);
    html_text(&o, (struct jb_text){given, n});
    assert_string_equal(written(), want);
}

#define FFFD "\xef\xbf\xbd"

static void
text(void **state)
{
    (void)state;
    text_is("<b title=\"x\">&'</b>", strlen("<b title=\"x\">&'</b>"),
            "&lt;b title=&quot;x&quot;&gt;&amp;&#39;&lt;/b&gt;");
    text_is("가나다 é 😀", strlen("가나다 é 😀"), "가나다 é 😀");
    text_is("a\0b\x01\x1b\x7f", 6, "a" FFFD "b" FFFD FFFD FFFD);
    text_is("a\tb\n", 4, "a\tb\n");
    text_is("\xc3(", 2, FFFD "(");              /* the first byte of two */
    text_is("x\xe2\x82", 3, "x" FFFD FFFD);     /* cut */
    text_is("\xed\xa0\x80", 3, FFFD FFFD FFFD); /* half a surrogate pair */
    text_is("\xf8\x88\x80\x80\x80", 5, FFFD FFFD FFFD FFFD FFFD);
    text_is("\xef\xbf\xbe", 3, FFFD);           /* no character */
    text_is("\xc2\x85", 2, FFFD);               /* a control character of two bytes */
    text_is("\xe2\x80\xae", 3, "\xe2\x80\xae"); /* turns the direction: html_given keeps it in */
    text_is(NULL, 0, "");
    empty(NULL);
    html_given(&o, "\xe2\x80\xae<i>");
    assert_string_equal(written(), "<bdi>\xe2\x80\xae&lt;i&gt;</bdi>\n");
}

/* Each byte in each place of a short text: never more than ours stands between the tags. */
static void
every_byte(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1U << 16; i++) {
        const char given[3] = {(char)(i >> 8), (char)i, 'z'};
        empty(NULL);
        html_text(&o, (struct jb_text){given, sizeof given});
        const size_t n = o.n;
        const char *s = written();
        assert_true(jb_utf8_valid(s, n, NULL));
        assert_null(strpbrk(s, "<>\"'"));
        assert_int_equal(s[n - 1], 'z');
    }
}

static void
amounts(void **state)
{
    (void)state;
    char buf[MONEY_BYTES];
    assert_string_equal(money_text(0, 0, buf), "0");
    assert_string_equal(money_text(-1234567, 0, buf), "-1,234,567");
    assert_string_equal(money_text(-5, 2, buf), "-0.05");
    assert_string_equal(money_text(123456789, 2, buf), "1,234,567.89");
    assert_string_equal(money_text(INT64_MIN, 6, buf), "-9,223,372,036,854.775808");
}

/* ---- charts ---- */

static size_t
count(const char *s, const char *what)
{
    size_t n = 0;
    for (; (s = strstr(s, what)) != NULL; s += strlen(what)) {
        n++;
    }
    return n;
}

/* All that is drawn lies within the drawing. */
static void
within(const char *s)
{
    static const char *const names[] = {" x=\"", " x1=\"", " x2=\"", " y=\"", " y1=\"", " y2=\""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (const char *at = s; (at = strstr(at, names[i])) != NULL; at++) {
            const long value = strtol(at + strlen(names[i]), NULL, 10);
            assert_in_range(value, 0, 7200);
        }
    }
}

static const char *
chart_of(jb_amount opening, const struct chart_day *days, size_t n, jb_day from, jb_day to)
{
    const struct chart c = {.from = from,
                            .to = to,
                            .opening = opening,
                            .days = days,
                            .days_n = n,
                            .balance = "<b>",
                            .in = "in",
                            .out = "out"};
    empty(NULL);
    html_chart(&o, &c);
    const char *s = written();
    within(s);
    assert_null(strstr(s, "<b>"));
    return s;
}

static void
charts(void **state)
{
    (void)state;
    const struct chart_day some[] = {
        {100, 5000, 0, 5000}, {102, 0, 7000, -2000}, {110, 1, 1, -2000}};
    const char *s = chart_of(0, some, 3, 100, 130);
    assert_int_equal(count(s, "<rect"), 3 + 2); /* the keys, and two bars: those of 1 are too low */
    assert_int_equal(count(s, "1970-04-11"), 1);
    assert_int_equal(count(s, ">5,000<"), 2);
    assert_int_equal(count(s, ">-2,000<"), 1);
    assert_int_equal(count(s, ">-7,000<"), 1);
    chart_of(0, NULL, 0, 100, 100);
    chart_of(-5, NULL, 0, 100, 101);
    const struct chart_day far[] = {{JB_DAY_MIN, INT64_MAX, INT64_MAX, INT64_MAX},
                                    {JB_DAY_MAX, INT64_MAX, INT64_MAX, INT64_MIN}};
    chart_of(INT64_MAX, far, 2, JB_DAY_MIN, JB_DAY_MAX);
}

/* ---- an invoice ---- */

static struct invoice_page
an_invoice(void)
{
    static const struct invoice_row rows[] = {{41, 20454, "click-1", 60000},
                                              {42, 20455, "<script>alert(1)</script>", 50000},
                                              {43, 20460, "click-1", -5000}};
    return (struct invoice_page){.number = 7,
                                 .state = "CONFIRMED",
                                 .approve_no = "2026041010000000",
                                 .supplier = {"120-81-47521", "(주)공급", "홍길동", "서울 <강남>",
                                              "서비스", "광고", "a@b.kr"},
                                 .recipient = {.number = "220-81-62517",
                                               .name = "Coffee & \"Tree\"",
                                               .representative = "이몽룡"},
                                 .month = 202601,
                                 .written_on = 20484,
                                 .supply = 95455,
                                 .vat = 9545,
                                 .total = 105000,
                                 .item = "advertising",
                                 .rows = rows,
                                 .rows_n = 3};
}

static void
invoice(void **state)
{
    (void)state;
    struct invoice_page p = an_invoice();
    empty(NULL);
    invoice_page(&o, &p);
    const char *s = written();
    static const char *const has[] = {"<title>Electronic tax invoice</title>",
                                      "120-81-47521",
                                      "220-81-62517",
                                      "서울 &lt;강남&gt;",
                                      "Coffee &amp; &quot;Tree&quot;",
                                      "95,455",
                                      "9,545",
                                      "105,000",
                                      "&lt;script&gt;alert(1)&lt;/script&gt;",
                                      "-5,000",
                                      "2026-01-31",
                                      "2026041010000000",
                                      "<td>advertising</td>",
                                      "2026-01</td>"};
    for (size_t i = 0; i < sizeof has / sizeof has[0]; i++) {
        assert_non_null(strstr(s, has[i]));
    }
    assert_null(strstr(s, "<script"));
    assert_int_equal(count(s, "<table"), count(s, "</table>"));
    assert_int_equal(count(s, "<tr"), count(s, "</tr>"));
    assert_int_equal(count(s, "<td"), count(s, "</td>"));
    assert_int_equal(count(s, "http"), 1); /* "http-equiv" */
}

static void
invoice_in_korean(void **state)
{
    (void)state;
    struct invoice_page p = an_invoice();
    p.amended = true;
    p.original = 3;
    p.reason = "공급가액 변동";
    p.supplier = (struct invoice_party){.number = NULL}; /* empty boxes */
    empty(NULL);
    lang_of_process = JB_LANG_KO;
    invoice_page(&o, &p);
    const char *s = written();
    static const char *const has[] = {"<html lang=\"ko\">", "<h1>수정전자세금계산서</h1>",
                                      ">공급자</th>",       ">공급받는자</th>",
                                      ">등록번호</th>",     ">공급가액</th>",
                                      ">세액</th>",         ">작성일자</th>",
                                      "공급가액 변동"};
    for (size_t i = 0; i < sizeof has / sizeof has[0]; i++) {
        assert_non_null(strstr(s, has[i]));
    }
    assert_null(strstr(s, "120-81-47521"));
}

int
main(int argc, char **argv)
{
    if (argc == 3) { /* the page itself, to be looked at: pages ko|en FILE */
        struct invoice_page p = an_invoice();
        html_language();
        lang_of_process = strcmp(argv[1], "ko") == 0 ? JB_LANG_KO : JB_LANG_EN;
        invoice_page(&o, &p);
        FILE *f = fopen(argv[2], "w");
        return f == NULL || fwrite(o.at, 1, o.n, f) != o.n || fclose(f) != 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(text, empty),
        cmocka_unit_test_teardown(every_byte, empty),
        cmocka_unit_test_teardown(amounts, empty),
        cmocka_unit_test_teardown(charts, empty),
        cmocka_unit_test_teardown(invoice, empty),
        cmocka_unit_test_teardown(invoice_in_korean, empty),
    };
    html_language();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    empty(NULL);
    return failed;
}
