/* The bounds of the log: what append refuses, and a log with an event that the rules of today would
 * not make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <jangbu/replay.h>

#include "log/log.h"

#define BASE INT64_C(1790000000000000)
#define OFFSET_S 32400

static char dir[64];

static int
setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/jangbu-unit-XXXXXX");
    return mkdtemp(dir) == NULL || jb_init(dir, NULL, NULL) != JB_OK;
}

static int
teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

/* The ledger's clock: soon after its events, whatever the year is. */
static jb_instant
now(void *data)
{
    (void)data;
    return BASE + 1000;
}

struct writer {
    struct jb_log *log;
    struct jb_log_head head;
    struct jb_log_batch b;
    jb_seq prev; /* of the one wallet */
};

static void
open_writer(struct writer *w)
{
    struct jb_error err;
    struct jb_log_reader *r;
    *w = (struct writer){0};
    assert_int_equal(jb_log_open(dir, false, false, 0, &w->log, &err), JB_OK);
    assert_int_equal(jb_log_reader_open(w->log, &r, &err), JB_OK);
    assert_int_equal(jb_log_reader_renew(r, &w->head, &err), JB_OK);
    jb_log_reader_close(r);
    w->b.first = w->head.seq + 1;
    w->b.base = BASE;
}

static void
add(struct writer *w, struct jb_event *e)
{
    struct jb_event_context context = {BASE, OFFSET_S};
    e->seq = w->b.first + w->b.ends.n;
    e->wallet = 1;
    e->prev = w->prev;
    e->recorded_at = e->occurred_at = BASE;
    e->posted_on = jb_day_of(BASE, OFFSET_S);
    jb_event_set_version(e);
    assert_null(jb_event_encode(e, &context, &w->b.bytes));
    assert_true(jb_vec_reserve(&w->b.ends, w->b.ends.n + 1));
    w->b.ends.at[w->b.ends.n++] = (uint32_t)w->b.bytes.n;
    w->prev = e->seq;
}

static void
commit(struct writer *w)
{
    struct jb_error err = {0};
    enum jb_log_result result;
    if (jb_log_append(w->log, &w->b, &w->head, &result, &err) != JB_OK) {
        fail_msg("%s", err.text);
    }
    w->b.bytes.n = w->b.ends.n = 0;
    w->b.first = w->head.seq + 1;
}

static void
close_writer(struct writer *w)
{
    jb_log_batch_free(&w->b);
    jb_log_close(w->log);
}

/* Wallet W with that many charges of `amount` each, of which the last may not be committed yet. */
static void
make_lots(struct writer *w, uint32_t lots, jb_amount amount)
{
    open_writer(w);
    struct jb_event e = {.type = JB_EV_WALLET_CREATED,
                         .wallet_created = {.id = {"W", 1}, .kind = JB_KIND_BUSINESS}};
    add(w, &e);
    for (uint32_t i = 1; i <= lots; i++) {
        char id[16];
        int n = snprintf(id, sizeof id, "C%u", i);
        e = (struct jb_event){
            .type = JB_EV_CHARGE_SETTLED,
            .charge_settled = {.charge = {id, (size_t)n}, .lot = i, .amount = amount}};
        add(w, &e);
        if (i % 50000 == 0) {
            commit(w);
        }
    }
}

/* One lot more than a rule of today takes from: an older program made such events. It is read,
 * folded, audited, and the ledger goes on. */
static void
many_parts(void **state)
{
    (void)state;
    const uint32_t lots = JB_PARTS_MAX + 1;
    struct writer w;
    make_lots(&w, lots, 2);
    struct jb_part *parts = calloc(lots, sizeof *parts);
    assert_non_null(parts);
    for (uint32_t i = 1; i <= lots; i++) {
        parts[i - 1] = (struct jb_part){JB_PART_LOT, i, 1};
    }
    /* Not what the rules give: they take lots whole, oldest first. Its sums are right all the same.
     */
    struct jb_event e = {
        .type = JB_EV_CASH_CONSUMED,
        .cash_consumed = {.usage = {"U", 1}, .amount = lots, .parts = {parts, lots}}};
    add(&w, &e);
    commit(&w);
    close_writer(&w);
    free(parts);

    struct jb_error err = {0};
    struct jb_open_options o = {.size = sizeof o, .now = now};
    struct jb_ledger *l;
    struct jb_views *v;
    if (jb_open(dir, &o, &l, &err) != JB_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(jb_views_open(l, &v, &err), JB_OK);
    struct jb_cursor *c;
    const struct jb_event *read;
    assert_int_equal(jb_cursor_open(l, w.head.seq, &c, &err), JB_OK);
    assert_int_equal(jb_cursor_next(c, &read, &err), JB_OK);
    assert_int_equal(jb_event_parts(read).n, lots);
    jb_cursor_close(c);
    struct jb_answers *answers = jb_answers_new();
    struct jb_command command = {.size = sizeof command,
                                 .op = JB_OP_WALLET_RENAME,
                                 .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_NAME),
                                 .wallet = {"W", 1},
                                 .name = {"n", 1}};
    assert_int_equal(jb_submit(l, &command, 1, NULL, answers, NULL, &err), JB_OK);
    assert_int_equal(jb_answers_at(answers, 0)->outcome, JB_DONE);
    jb_answers_free(answers);
    jb_views_close(v);
    jb_close(l);
    struct jb_audit_options only = {.size = sizeof only, .only = JB_AUDIT_FORM | JB_AUDIT_SUMS};
    struct jb_audit_report *report;
    assert_int_equal(jb_audit(dir, &only, &report, &err), JB_OK);
    assert_int_equal(report->verdict, JB_VERIFIED);
    jb_audit_report_free(report);
}

/* A group may write 40 MiB of events; a larger one is refused and leaves nothing, and large ones
 * behind one another are several commits. */
static void
large_groups(void **state)
{
    (void)state;
    enum { LOTS = 249999, MEMBERS = 40 };
    struct writer w;
    make_lots(&w, LOTS, 1);
    commit(&w);
    close_writer(&w);
    struct jb_command members[MEMBERS];
    char ids[MEMBERS][8];
    for (int i = 0; i < MEMBERS; i++) {
        int n = snprintf(ids[i], sizeof ids[i], "U%d", i / 2);
        members[i] = (struct jb_command){.size = sizeof members[i],
                                         .op = i % 2 == 0 ? JB_OP_CONSUME : JB_OP_CONSUME_REVERSE,
                                         .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_USAGE) |
                                                JB_HAS(JB_CF_AMOUNT),
                                         .wallet = {"W", 1},
                                         .id = {ids[i], (size_t)n},
                                         .amount = LOTS};
    }
    struct jb_command groups[3];
    for (int i = 0; i < 3; i++) { /* small, large, small */
        groups[i] = (struct jb_command){.size = sizeof groups[i],
                                        .op = JB_OP_ATOMIC,
                                        .has = JB_HAS(JB_CF_COMMANDS) | JB_HAS(JB_CF_KEY),
                                        .key = {&"abc"[i], 1},
                                        .commands = members + (i == 2 ? 4 : 0),
                                        .commands_n = i == 1 ? MEMBERS - 6 : 2};
    }
    groups[1].commands = members + 6;
    struct jb_error err = {0};
    struct jb_ledger *l;
    struct jb_answers *answers = jb_answers_new();
    struct jb_open_options o = {.size = sizeof o, .now = now};
    assert_int_equal(jb_open(dir, &o, &l, &err), JB_OK);
    if (jb_submit(l, groups, 3, NULL, answers, NULL, &err) != JB_OK) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(jb_answers_at(answers, 0)->outcome, JB_DONE);
    assert_int_equal(jb_answers_at(answers, 1)->outcome, JB_REFUSED);
    assert_int_equal(jb_answers_at(answers, 1)->code, JB_CODE_BATCH_TOO_LARGE);
    assert_false(jb_answers_at(answers, 1)->remembered);
    assert_int_equal(jb_answers_at(answers, 2)->outcome, JB_DONE);
    /* Nothing of it is there: the two groups around it follow one another. */
    assert_int_equal(jb_answers_at(answers, 2)->seq, jb_answers_at(answers, 0)->seq + 2);
    jb_answers_free(answers);
    jb_close(l);
}

static jb_status
try_append(struct writer *w, size_t events, const size_t *bytes, jb_instant base, size_t short_of)
{
    struct jb_error err;
    enum jb_log_result result;
    struct jb_log_batch b = {.first = w->head.seq + 1, .base = base};
    struct jb_log_head head = w->head;
    size_t n = 0;
    for (size_t i = 0; i < events; i++) {
        n += bytes[i];
        assert_true(jb_vec_reserve(&b.ends, b.ends.n + 1));
        b.ends.at[b.ends.n++] = (uint32_t)n;
    }
    b.bytes = (struct jb_buffer){calloc(n + 1, 1), n + short_of, n + 1};
    assert_non_null(b.bytes.at);
    jb_status status = jb_log_append(w->log, &b, &head, &result, &err);
    assert_int_equal(result, status == JB_OK ? JB_LOG_COMMITTED : JB_LOG_FAILED);
    jb_log_batch_free(&b);
    w->head = head;
    return status;
}

/* At the bound it is written, and read back as frames; beyond it is refused and nothing is there.
 */
static void
appended(void **state)
{
    (void)state;
    struct writer w;
    open_writer(&w);
    const size_t most = JB_EVENT_BYTES_MAX;
    size_t many[17];
    for (size_t i = 0; i < 16; i++) {
        many[i] = most;
    }
    many[16] = 16 * 48; /* together 64 MiB */
    assert_int_equal(try_append(&w, 0, NULL, BASE, 0), JB_E_USAGE);
    assert_int_equal(try_append(&w, 1, &(size_t){0}, BASE, 0), JB_E_USAGE);
    assert_int_equal(try_append(&w, 1, &(size_t){most + 1}, BASE, 0), JB_E_USAGE);
    assert_int_equal(try_append(&w, 1, &(size_t){5}, BASE, 1), JB_E_USAGE);
    assert_int_equal(try_append(&w, 1, &(size_t){5}, JB_INSTANT_MAX + 1, 0), JB_E_USAGE);
    assert_int_equal(try_append(&w, 1, &(size_t){5}, JB_INSTANT_MIN - 1, 0), JB_E_USAGE);
    many[16]++;
    assert_int_equal(try_append(&w, 17, many, BASE, 0), JB_E_USAGE);
    many[16]--;
    jb_seq before = w.head.seq;
    assert_int_equal(try_append(&w, 1, &most, BASE, 0), JB_OK);
    assert_int_equal(try_append(&w, 17, many, BASE, 0), JB_OK);
    assert_int_equal(w.head.seq, before + 18);
    struct jb_log_reader *r;
    struct jb_error err;
    struct jb_frame frame;
    assert_int_equal(jb_log_reader_open(w.log, &r, &err), JB_OK);
    for (jb_seq seq = before + 1; seq <= w.head.seq; seq++) {
        assert_int_equal(jb_log_reader_frame(r, seq, &frame, &err), JB_OK);
        assert_true(frame.value_n <= JB_FRAME_VALUE_MAX);
    }
    jb_log_reader_close(r);
    close_writer(&w);
}

int
main(int argc, char **argv)
{
    (void)argv;
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(many_parts), TEST(appended)};
    const struct CMUnitTest large[] = {TEST(large_groups)};
    return argc > 1 ? cmocka_run_group_tests(large, NULL, NULL)
                    : cmocka_run_group_tests(tests, NULL, NULL);
}
