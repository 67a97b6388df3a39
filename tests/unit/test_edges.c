/* What is asked at the edges: options that are set by half, days and times outside the calendar,
 * clocks at its ends, and a clock that asks the ledger. */
#include <jangbu/replay.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

__extension__ typedef __int128 wide;

#define DAY(us) ((int64_t)(us)*JB_US_PER_DAY)

static char dir[64], place[96];
static struct jb_error err;
static unsigned places;

static int
set_up(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/jangbu-edges-XXXXXX");
    return mkdtemp(dir) == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    char line[100];
    snprintf(line, sizeof line, "rm -rf %s", dir);
    return system(line);
}

static const char *
new_place(void)
{
    snprintf(place, sizeof place, "%s/%u", dir, places++);
    return place;
}

static jb_status
submit(jb_ledger *l, const struct jb_command *c, const struct jb_submit_options *o,
       struct jb_answer *ret)
{
    jb_answers *answers = jb_answers_new();
    jb_status status = jb_submit(l, c, 1, o, answers, NULL, &err);
    *ret = *jb_answers_at(answers, 0);
    jb_answers_free(answers);
    return status;
}

static struct jb_command
create(const char *id)
{
    struct jb_command c;
    jb_command_begin(&c, JB_OP_WALLET_CREATE);
    jb_set_wallet(&c, jb_text_of(id));
    jb_set_kind(&c, JB_KIND_BUSINESS);
    jb_set_name(&c, jb_text_of("name"));
    return c;
}

/* ---- options ---- */

static void
half_set_init(void **state)
{
    (void)state;
    const struct {
        struct jb_init_options o;
        bool ok;
        uint32_t exponent;
        int32_t offset;
    } cases[] = {
        {{.currency = NULL}, true, 0, 32400},
        {{.currency = "USD"}, true, 2, 32400},
        {{.currency = "USD", .exponent_given = 1}, true, 0, 32400},
        {{.currency = "USD", .exponent = 3, .exponent_given = 1}, true, 3, 32400},
        {{.currency = "USD", .exponent = 3}, false, 0, 0},
        {{.currency = "USD", .exponent = -1}, false, 0, 0},
        {{.currency = "USD", .exponent = -1, .exponent_given = 1}, false, 0, 0},
        {{.currency = "USD", .exponent = 7, .exponent_given = 1}, false, 0, 0},
        {{.currency = "USD", .exponent = INT32_MIN, .exponent_given = 1}, false, 0, 0},
        {{.currency = "USD", .exponent_given = 2}, false, 0, 0},
        {{.currency = "XAU"}, false, 0, 0},
        {{.currency = "XAU", .exponent_given = 1}, true, 0, 32400},
        {{.utc_offset_s = -18000}, false, 0, 0},
        {{.utc_offset_s = -18000, .utc_offset_given = 1}, true, 0, -18000},
        {{.utc_offset_given = 1}, true, 0, 0},
        {{.utc_offset_s = 64860, .utc_offset_given = 1}, false, 0, 0},
        {{.utc_offset_s = 1, .utc_offset_given = 1}, false, 0, 0},
        {{.utc_offset_s = INT32_MIN, .utc_offset_given = 1}, false, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct jb_init_options o = cases[i].o;
        o.size = sizeof o;
        jb_status status = jb_init(new_place(), &o, &err);
        if (status != (cases[i].ok ? JB_OK : JB_E_USAGE)) {
            fail_msg("case %zu: %s", i, jb_status_word(status));
        }
        if (cases[i].ok) {
            jb_ledger *l;
            struct jb_ledger_info info = JB_SIZED(struct jb_ledger_info);
            assert_int_equal(jb_open(place, NULL, &l, &err), JB_OK);
            assert_int_equal(jb_info_get(l, &info, &err), JB_OK);
            assert_int_equal(info.exponent, cases[i].exponent);
            assert_int_equal(info.utc_offset_s, cases[i].offset);
            jb_close(l);
        }
    }
}

static void
half_set_options(void **state)
{
    (void)state;
    jb_ledger *l;
    jb_views *v;
    struct jb_answer a;
    struct jb_command c = create("W");
    assert_int_equal(jb_init(new_place(), NULL, &err), JB_OK);
    struct jb_open_options o = JB_SIZED(struct jb_open_options);
    o.lock_wait_us = -1;
    assert_int_equal(jb_open(place, &o, &l, &err), JB_E_USAGE);
    o.lock_wait_us = INT64_MIN;
    assert_int_equal(jb_open(place, &o, &l, &err), JB_E_USAGE);
    o.lock_wait_us = 0;
    o.now_data = &l;
    assert_int_equal(jb_open(place, &o, &l, &err), JB_E_USAGE);
    assert_int_equal(jb_open(place, NULL, &l, &err), JB_OK);
    jb_set_clock(&c, DAY(20000));
    struct jb_submit_options s = JB_SIZED(struct jb_submit_options);
    s.clock = JB_CLOCK_AT;
    s.accept_clock = 1;
    assert_int_equal(submit(l, &c, &s, &a), JB_E_USAGE);
    s.accept_clock = 0;
    assert_int_equal(submit(l, &c, &s, &a), JB_OK);
    assert_int_equal(jb_views_open(l, &v, &err), JB_OK);
    struct jb_wallet_balance b = JB_SIZED(struct jb_wallet_balance);
    struct jb_as_of whole[] = {{.kind = JB_AS_OF_NOW},
                               {.kind = JB_AS_OF_SEQ, .seq = 11},
                               {.kind = JB_AS_OF_TIME, .time = DAY(20000)}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(jb_balance_get(v, jb_text_of("W"), &whole[i], &b, &err), JB_OK);
        for (int more = 0; more < 3; more++) {
            struct jb_as_of half = whole[i];
            half.seq += more == 0 && half.kind != JB_AS_OF_SEQ;
            half.time += more == 1 && half.kind != JB_AS_OF_TIME;
            half.day += more == 2;
            bool same = half.seq == whole[i].seq && half.time == whole[i].time && half.day == 0;
            assert_int_equal(jb_balance_get(v, jb_text_of("W"), &half, &b, &err),
                             same ? JB_OK : JB_E_USAGE);
        }
    }
    jb_views_close(v);
    jb_close(l);
}

/* ---- the calendar ---- */

static const jb_day days[] = {
    INT32_MIN, INT32_MIN + 1, -1000000,       JB_DAY_MIN - 1, JB_DAY_MIN,    -1,       0,
    20000,     JB_DAY_MAX,    JB_DAY_MAX + 1, 4000000,        INT32_MAX - 1, INT32_MAX};
static const jb_instant instants[] = {
    INT64_MIN, INT64_MIN + 1,  INT64_MIN / 2,      JB_INSTANT_MIN - 1, JB_INSTANT_MIN, -1,
    0,         JB_INSTANT_MAX, JB_INSTANT_MAX + 1, INT64_MAX / 2,      INT64_MAX - 1,  INT64_MAX};
static const int32_t offsets[] = {INT32_MIN, -64860, -64800, -18000, -60,   -59,
                                  0,         1,      32400,  64800,  64860, INT32_MAX};
#define N(a) (sizeof(a) / sizeof(a)[0])

/* With the sanitizer for undefined behaviour this finds every overflow. */
static void
every_number_is_a_day(void **state)
{
    (void)state;
    char text[JB_INSTANT_TEXT_BYTES];
    jb_day again;
    for (size_t i = 0; i < N(days); i++) {
        bool in = days[i] >= JB_DAY_MIN && days[i] <= JB_DAY_MAX;
        int y, m, d;
        assert_ptr_equal(jb_day_print(days[i], text), text);
        assert_int_equal(strcmp(text, "-") != 0, in);
        assert_int_equal(jb_day_parse(text, strlen(text), &again), in);
        assert_true(!in || again == days[i]);
        jb_day_to_date(days[i], &y, &m, &d);
        assert_true(jb_day_from_date(y, m, d, &again));
        assert_int_equal(again, in ? days[i] : days[i] < 0 ? JB_DAY_MIN : JB_DAY_MAX);
        for (size_t k = 0; k < N(offsets); k++) {
            jb_instant start = jb_day_start(days[i], offsets[k]);
            wide exact = (wide)days[i] * JB_US_PER_DAY - (wide)offsets[k] * JB_US_PER_SECOND;
            assert_true(start == (exact < INT64_MIN   ? INT64_MIN
                                  : exact > INT64_MAX ? INT64_MAX
                                                      : (jb_instant)exact));
        }
    }
    assert_true(jb_day_start(JB_NO_DAY, 0) == JB_NO_INSTANT);
}

static void
every_number_is_an_instant(void **state)
{
    (void)state;
    char text[JB_INSTANT_TEXT_BYTES];
    jb_instant again;
    for (size_t i = 0; i < N(instants); i++) {
        for (size_t k = 0; k < N(offsets); k++) {
            wide local = (wide)instants[i] + (wide)offsets[k] * JB_US_PER_SECOND;
            local = local < INT64_MIN ? INT64_MIN : local > INT64_MAX ? INT64_MAX : local;
            jb_day day = jb_day_of(instants[i], offsets[k]);
            assert_true((wide)day * JB_US_PER_DAY <= local &&
                        local < ((wide)day + 1) * JB_US_PER_DAY);
            bool offset_is = offsets[k] >= -64800 && offsets[k] <= 64800 && offsets[k] % 60 == 0;
            bool shown = offset_is && day >= JB_DAY_MIN && day <= JB_DAY_MAX;
            assert_ptr_equal(jb_instant_print(instants[i], offsets[k], text), text);
            assert_int_equal(strcmp(text, "-") != 0, shown);
            if (shown && instants[i] >= JB_INSTANT_MIN && instants[i] <= JB_INSTANT_MAX) {
                assert_true(jb_instant_parse(text, strlen(text), &again));
                assert_true(again == instants[i]);
            }
        }
    }
    assert_string_equal(jb_instant_print(JB_NO_INSTANT, 0, text), "-");
}

static bool
each_row(void *data, const struct jb_cash_status *w, const struct jb_cash_row *row)
{
    (void)data;
    (void)w;
    (void)row;
    return true;
}

static void
queries_of_no_day(void **state)
{
    (void)state;
    jb_ledger *l;
    jb_views *v;
    struct jb_answer a;
    struct jb_command c = create("W");
    assert_int_equal(jb_init(new_place(), NULL, &err), JB_OK);
    assert_int_equal(jb_open(place, NULL, &l, &err), JB_OK);
    assert_int_equal(submit(l, &c, NULL, &a), JB_OK);
    assert_int_equal(jb_views_open(l, &v, &err), JB_OK);
    struct jb_wallet_balance b = JB_SIZED(struct jb_wallet_balance);
    struct jb_cash_status s = JB_SIZED(struct jb_cash_status);
    struct jb_explanation *explanation;
    struct jb_moment moment;
    for (size_t i = 0; i < N(days); i++) {
        bool in = days[i] >= JB_DAY_MIN && days[i] <= JB_DAY_MAX;
        struct jb_as_of day = {.kind = JB_AS_OF_DAY, .day = days[i]};
        jb_status status = jb_balance_get(v, jb_text_of("W"), &day, &b, &err);
        assert_true(in ? status == JB_E_NOT_CLOSED || status == JB_E_NOTFOUND
                       : status == JB_E_USAGE);
        assert_int_equal(jb_moment_resolve(v, &day, &moment, &err), status);
        assert_int_equal(jb_explain(v, jb_text_of("W"), &day, &explanation, &err), status);
        assert_int_equal(jb_cash_day_each(v, days[i], NULL, each_row, NULL, &err), status);
        for (int known = 0; known < 2 && days[i] != JB_NO_DAY; known++) {
            jb_cash_view view = known ? JB_VIEW_KNOWN : JB_VIEW_POSTED;
            jb_status from = jb_cash_status_get(v, jb_text_of("W"), view, NULL, days[i], JB_NO_DAY,
                                                NULL, NULL, &s, &err);
            jb_status to = jb_cash_status_get(v, jb_text_of("W"), view, NULL, JB_NO_DAY, days[i],
                                              NULL, NULL, &s, &err);
            assert_int_equal(from == JB_E_USAGE, !in);
            assert_int_equal(to == JB_E_USAGE, !in);
        }
    }
    jb_views_close(v);
    jb_close(l);
}

/* ---- clocks at the ends of the calendar ---- */

static jb_instant clock_says;

static jb_instant
now(void *data)
{
    (void)data;
    return clock_says;
}

/* The day that t lies in can be closed. */
static bool
closable(jb_instant t, int32_t offset)
{
    wide local = (wide)t + (wide)offset * JB_US_PER_SECOND;
    return t >= JB_INSTANT_MIN && t <= JB_INSTANT_MAX && local >= DAY(JB_DAY_MIN) &&
           local < DAY(JB_DAY_MAX);
}

static void
first_day_of(int32_t offset, jb_instant t, bool by_system)
{
    jb_ledger *l;
    struct jb_answer a;
    struct jb_init_options i = JB_SIZED(struct jb_init_options);
    i.utc_offset_s = offset;
    i.utc_offset_given = 1;
    assert_int_equal(jb_init(new_place(), &i, &err), JB_OK);
    struct jb_open_options o = JB_SIZED(struct jb_open_options);
    o.now = now;
    assert_int_equal(jb_open(place, &o, &l, &err), JB_OK);
    struct jb_command c = create("W");
    struct jb_submit_options s = JB_SIZED(struct jb_submit_options);
    clock_says = t;
    if (by_system) {
        assert_int_equal(submit(l, &c, &s, &a), closable(t, offset) ? JB_OK : JB_E_USAGE);
    } else {
        s.clock = JB_CLOCK_AT;
        jb_set_clock(&c, t);
        assert_int_equal(submit(l, &c, &s, &a), JB_OK);
        assert_int_equal(a.code, closable(t, offset) ? JB_CODE_NONE : JB_CODE_MALFORMED);
    }
    if (closable(t, offset) && closable(t + DAY(2), offset)) {
        /* And its first day can be closed, as any later one. */
        jb_command_begin(&c, JB_OP_DAY_CLOSE);
        jb_set_day(&c, jb_day_of(t, offset));
        jb_set_force(&c, true);
        jb_set_clock(&c, t + DAY(2));
        s.clock = JB_CLOCK_AT;
        assert_int_equal(submit(l, &c, &s, &a), JB_OK);
        assert_int_equal(a.outcome, JB_DONE);
    }
    jb_close(l);
    struct jb_audit_report *report;
    assert_int_equal(jb_audit(place, NULL, &report, &err), JB_OK);
    assert_int_equal(report->verdict, JB_VERIFIED);
    jb_audit_report_free(report);
}

static void
every_time_of_a_command(int32_t offset, jb_instant t)
{
    jb_ledger *l;
    struct jb_answer a;
    struct jb_init_options i = JB_SIZED(struct jb_init_options);
    i.utc_offset_s = offset;
    i.utc_offset_given = 1;
    assert_int_equal(jb_init(new_place(), &i, &err), JB_OK);
    assert_int_equal(jb_open(place, NULL, &l, &err), JB_OK);
    struct jb_command c = create("W"), charge, group, policy;
    assert_int_equal(submit(l, &c, NULL, &a), JB_OK);
    jb_command_begin(&charge, JB_OP_CHARGE);
    jb_set_wallet(&charge, jb_text_of("W"));
    jb_set_charge(&charge, jb_text_of("C"));
    jb_set_amount(&charge, 5000);
    jb_set_at(&charge, t);
    jb_command_begin(&group, JB_OP_ATOMIC);
    jb_set_commands(&group, &charge, 1);
    jb_command_begin(&policy, JB_OP_POLICY_SET);
    jb_set_policy(&policy, JB_POLICY_MIN_CHARGE);
    jb_set_value(&policy, 5);
    jb_set_from(&policy, t);
    const struct jb_command *all[] = {&charge, &group, &policy};
    for (size_t k = 0; k < N(all); k++) {
        assert_int_equal(submit(l, all[k], NULL, &a), JB_OK);
        /* What lies in the calendar is refused for another reason, or done. */
        assert_int_equal(a.code == JB_CODE_MALFORMED, !closable(t, offset));
    }
    jb_close(l);
}

static void
ends_of_the_calendar(void **state)
{
    (void)state;
    const int32_t of[] = {-64800, -18000, 0, 32400, 64800};
    for (size_t k = 0; k < N(of); k++) {
        jb_instant first = jb_day_start(JB_DAY_MIN, of[k]), last = jb_day_start(JB_DAY_MAX, of[k]);
        const jb_instant at[] = {JB_INSTANT_MIN,
                                 first - 1,
                                 first,
                                 first + DAY(1),
                                 last - DAY(2),
                                 last - DAY(1),
                                 last - 1,
                                 last,
                                 JB_INSTANT_MAX,
                                 INT64_MIN,
                                 JB_INSTANT_MAX - DAY(1) / 2};
        for (size_t n = 0; n < N(at); n++) {
            first_day_of(of[k], at[n], false);
            first_day_of(of[k], at[n], true);
            every_time_of_a_command(of[k], at[n]);
        }
    }
}

/* ---- a clock that asks the ledger ---- */

struct asking {
    jb_ledger *l;
    jb_status told;
    jb_seq head;
    unsigned calls;
};

static jb_instant
asks(void *data)
{
    struct asking *a = data;
    if (a->l != NULL && a->calls++ == 0) {
        struct jb_head head = JB_SIZED(struct jb_head);
        struct jb_answer ignored;
        struct jb_command c = create("inner");
        a->told = submit(a->l, &c, NULL, &ignored);
        assert_int_equal(ignored.outcome, JB_NOT_DONE);
        assert_int_equal(jb_head_get(a->l, &head, &err), JB_OK);
        a->head = head.seq;
    }
    return DAY(20000);
}

static void
a_clock_that_submits(void **state)
{
    (void)state;
    struct asking data = {0};
    struct jb_answer a;
    struct jb_command c = create("outer");
    assert_int_equal(jb_init(new_place(), NULL, &err), JB_OK);
    struct jb_open_options o = JB_SIZED(struct jb_open_options);
    o.now = asks;
    o.now_data = &data;
    jb_ledger *l;
    assert_int_equal(jb_open(place, &o, &l, &err), JB_OK);
    data.l = l;
    assert_int_equal(submit(l, &c, NULL, &a), JB_OK);
    assert_int_equal(a.outcome, JB_DONE);
    assert_int_equal(data.told, JB_E_USAGE);
    assert_true(data.head > 0);
    c = create("inner");
    assert_int_equal(submit(l, &c, NULL, &a), JB_OK);
    assert_int_equal(a.outcome, JB_DONE);
    jb_close(l);
}

/* ---- waiting for ever ---- */

static _Atomic bool holding;

static jb_instant
holds(void *data)
{
    (void)data;
    struct timespec t = {.tv_nsec = 300 * 1000 * 1000};
    holding = true;
    nanosleep(&t, NULL);
    return DAY(20000);
}

static void *
hold(void *data)
{
    struct jb_error mine;
    jb_answers *answers = jb_answers_new();
    struct jb_command c = create("holder");
    jb_status status = jb_submit(data, &c, 1, NULL, answers, NULL, &mine);
    jb_answers_free(answers);
    return status == JB_OK ? data : NULL;
}

static void
waits_for_ever(void **state)
{
    (void)state;
    const int64_t waits[] = {INT64_MAX, INT64_MAX - 1};
    for (size_t i = 0; i < N(waits); i++) {
        jb_ledger *holder, *other;
        struct jb_answer a;
        struct jb_command c = create("other");
        pthread_t thread;
        void *done;
        assert_int_equal(jb_init(new_place(), NULL, &err), JB_OK);
        struct jb_open_options o = JB_SIZED(struct jb_open_options);
        o.now = holds;
        assert_int_equal(jb_open(place, &o, &holder, &err), JB_OK);
        o.now = NULL;
        o.lock_wait_us = waits[i];
        assert_int_equal(jb_open(place, &o, &other, &err), JB_OK);
        holding = false;
        assert_int_equal(pthread_create(&thread, NULL, hold, holder), 0);
        while (!holding) {
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        }
        jb_status status = submit(other, &c, NULL, &a);
        pthread_join(thread, &done);
        assert_int_equal(status, JB_OK);
        assert_non_null(done);
        jb_close(other);
        jb_close(holder);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_set_init),         cmocka_unit_test(half_set_options),
        cmocka_unit_test(every_number_is_a_day), cmocka_unit_test(every_number_is_an_instant),
        cmocka_unit_test(queries_of_no_day),     cmocka_unit_test(ends_of_the_calendar),
        cmocka_unit_test(a_clock_that_submits),  cmocka_unit_test(waits_for_ever),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
