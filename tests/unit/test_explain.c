/*
 * Explanations out of marks are what they are event by event: of a wallet with everything that
 * moves money, late events, days that end late, as of now, of each closed day and of any event,
 * of days, and from one day or moment to another. And their work does not grow with the
 * events of the day: so many are read, and no more.
 */
#include <jangbu/projections.h>

#include <stdio.h>
#include <string.h>

#include "base/steps.h"
#include "projections/causes.h"

#include "../library.h"

#define BATCH 500U
#define BATCHES 24U
#define MOMENTS SHARE(160U)

static struct jb_command commands[BATCH];
static char texts[BATCH][2][24];
static jb_ledger *l;
static jb_views *v;
static jb_answers *answers;
static uint64_t made; /* commands */

static jb_seq
head_seq(void)
{
    struct jb_head h = JB_SIZED(struct jb_head);
    good(jb_head_get(l, &h, &err), "head");
    return h.seq;
}

/* Of W0 nearly all, and W1, so that its events lie apart. Some are refused: so be it. */
static void
make_command(size_t i, jb_seq head)
{
    static const jb_op of_grants[] = {JB_OP_FREE_ACTIVATE, JB_OP_FREE_REVOKE};
    static const jb_op of_refunds[] = {JB_OP_REFUND_APPROVE, JB_OP_REFUND_FAIL,
                                       JB_OP_REFUND_COMPLETE, JB_OP_REFUND_CANCEL};
    struct jb_command *c = &commands[i];
    const uint64_t what = pick(100), number = made++;
    const uint64_t named = what < 82 ? number : number - pick(number < 400 ? number + 1 : 400);
    snprintf(texts[i][0], sizeof texts[i][0], "%c%llu", what < 78 ? 'I' : 'N',
             (unsigned long long)(what < 82 ? named : named));
    bool at = pick(12) == 0;
    if (what < 66) {
        jb_command_begin(c, JB_OP_CONSUME);
        jb_set_usage(c, jb_text_of(texts[i][0]));
        jb_set_amount(c, 1 + (jb_amount)pick(50));
    } else if (what < 78) {
        jb_command_begin(c, JB_OP_CHARGE);
        jb_set_charge(c, jb_text_of(texts[i][0]));
        jb_set_amount(c, 100 + (jb_amount)pick(300));
    } else if (what < 80) {
        jb_command_begin(c, JB_OP_FREE_GRANT);
        jb_set_grant(c, jb_text_of(texts[i][0]));
        jb_set_expires_on(c, jb_day_of(the_time, 32400) + (jb_day)pick(3));
        jb_set_amount(c, 1 + (jb_amount)pick(100));
        at = false;
    } else if (what < 82) {
        jb_command_begin(c, JB_OP_REFUND_REQUEST);
        jb_set_refund(c, jb_text_of(texts[i][0]));
        jb_set_amount(c, 1 + (jb_amount)pick(60));
        at = false;
    } else if (what < 88) {
        jb_command_begin(c, of_grants[pick(8) == 0]);
        jb_set_grant(c, jb_text_of(texts[i][0]));
        at = false;
    } else if (what < 94) {
        jb_command_begin(c, of_refunds[pick(4)]);
        jb_set_refund(c, jb_text_of(texts[i][0]));
        at = false;
    } else if (what < 95) {
        texts[i][0][0] = 'I';
        jb_command_begin(c, JB_OP_CHARGE_REVERSE);
        jb_set_charge(c, jb_text_of(texts[i][0]));
    } else {
        jb_command_begin(c, JB_OP_CONSUME_REVERSE);
        jb_set_seq(c, 1 + pick(head));
        jb_set_amount(c, 1 + (jb_amount)pick(20));
    }
    jb_set_wallet(c, jb_text_of(pick(5) == 0 ? "W1" : "W0"));
    if (at) {
        jb_set_at(c, the_time - (jb_instant)pick(UINT64_C(100000000000)));
    }
}

static void
submit(size_t n, const char *what)
{
    good(jb_submit(l, commands, n, NULL, answers, NULL, &err), what);
}

static void
make_wallet(const char *id)
{
    jb_command_begin(&commands[0], JB_OP_WALLET_CREATE);
    jb_set_wallet(&commands[0], jb_text_of(id));
    jb_set_kind(&commands[0], JB_KIND_PERSONAL);
    jb_set_name(&commands[0], jb_text_of("name"));
    submit(1, "a wallet");
}

static void
fill(void)
{
    make_wallet("W0");
    make_wallet("W1");
    for (uint32_t batch = 0; batch < BATCHES; batch++) {
        const jb_seq head = head_seq();
        for (uint32_t i = 0; i < BATCH; i++) {
            make_command(i, head);
        }
        the_time += INT64_C(10800000000); /* three hours */
        submit(BATCH, "commands");
        if (pick(9) == 0) {
            jb_command_begin(&commands[0], JB_OP_DAY_CLOSE);
            jb_set_day(&commands[0], jb_day_of(the_time, 32400) - 1);
            submit(1, "a day");
        }
        if (pick(3) == 0) {
            good(jb_views_sync(v, true, &err), "stored");
        }
    }
}

/* ---- the same both ways ---- */

static void
must_be_same_line(const struct jb_cause_line *a, const struct jb_cause_line *b)
{
    must(a->cause == b->cause && a->late == b->late && a->amount == b->amount, "a cause");
    must(a->events_total == b->events_total && a->events_n == b->events_n, "how many events");
    must(memcmp(a->events, b->events, a->events_n * sizeof *a->events) == 0, "the events");
}

static uint64_t lines, late_lines, cut_lines;

static void
compare(const char *wallet, const struct jb_as_of *as_of)
{
    struct jb_explanation *by_event, *by_marks;
    jb_causes_walk_max = UINT64_MAX;
    jb_status status = jb_explain(v, jb_text_of(wallet), as_of, &by_event, &err);
    jb_causes_walk_max = 1;
    must(jb_explain(v, jb_text_of(wallet), as_of, &by_marks, &err) == status, "both, or none");
    if (status != JB_OK) {
        must(status == JB_E_NOTFOUND, err.text); /* it was not there yet */
        return;
    }
    must(by_event->rest == 0 && by_marks->rest == 0, "nothing is left over");
    must(by_event->difference == by_marks->difference &&
             by_event->total_now == by_marks->total_now && by_event->causes_n == by_marks->causes_n,
         "the figures");
    for (uint32_t i = 0; i < by_event->causes_n; i++) {
        must_be_same_line(by_event->causes[i], by_marks->causes[i]);
        lines++;
        late_lines += by_event->causes[i]->late;
        cut_lines += by_event->causes[i]->events_n < by_event->causes[i]->events_total;
    }
    jb_explanation_free(by_event);
    jb_explanation_free(by_marks);
}

/* From one day or moment to another. */
static uint64_t change_lines, apart_lines, changes;

static void
compare_change(const struct jb_change_query *query, const struct jb_as_of *as_of)
{
    struct jb_change *by_event, *by_marks;
    jb_causes_walk_max = UINT64_MAX;
    jb_status status = jb_change_get(v, query, as_of, &by_event, &err);
    jb_causes_walk_max = 1;
    must(jb_change_get(v, query, as_of, &by_marks, &err) == status, "both, or none");
    if (status != JB_OK) {
        must(status == JB_E_NOTFOUND, err.text);
        return;
    }
    must(by_event->rest == 0 && by_marks->rest == 0, "nothing is left over");
    must(by_event->before == by_marks->before && by_event->after == by_marks->after &&
             by_event->causes_n == by_marks->causes_n && by_event->apart_n == by_marks->apart_n,
         "the figures");
    for (uint32_t i = 0; i < by_event->causes_n; i++) {
        must_be_same_line(by_event->causes[i], by_marks->causes[i]);
        change_lines++;
    }
    for (uint32_t i = 0; i < by_event->apart_n; i++) {
        must_be_same_line(by_event->apart[i], by_marks->apart[i]);
        apart_lines++;
    }
    changes++;
    jb_change_free(by_event);
    jb_change_free(by_marks);
}

static void
compare_changes(const char *wallet)
{
    struct jb_cash_status s = JB_SIZED(struct jb_cash_status);
    const jb_seq head = head_seq();
    good(jb_cash_status_get(v, jb_text_of(wallet), JB_VIEW_POSTED, NULL, JB_NO_DAY, JB_NO_DAY, NULL,
                            NULL, &s, &err),
         "cash status");
    const jb_day first = jb_day_of(INT64_C(1767193200000000), 32400);
    for (unsigned i = 0; i < MOMENTS / 2 && s.through != JB_NO_DAY; i++) {
        const jb_day to = s.through - (jb_day)(i < 2 ? i : pick((uint64_t)(s.through - first) + 1)),
                     from = to - (jb_day)pick(i < 2 ? 400 : 5);
        const struct jb_change_query q = {.size = sizeof q,
                                          .wallet = jb_text_of(wallet),
                                          .kind = JB_CHANGE_PERIOD,
                                          .from = from,
                                          .to = to};
        compare_change(&q, NULL);
        const struct jb_change_query day = {
            .size = sizeof day, .wallet = q.wallet, .kind = JB_CHANGE_DAY, .from = to};
        compare_change(&day, NULL);
    }
    for (unsigned i = 0; i < MOMENTS; i++) {
        const struct jb_as_of then = {.kind = JB_AS_OF_SEQ, .seq = i < 3 ? head : 1 + pick(head)};
        const struct jb_as_of since = {.kind = JB_AS_OF_SEQ,
                                       .seq = i < 2 ? 1 + i : 1 + pick(then.seq)};
        const struct jb_change_query q = {.size = sizeof q,
                                          .wallet = jb_text_of(wallet),
                                          .kind = JB_CHANGE_MOMENTS,
                                          .since = &since};
        compare_change(&q, i == 0 ? NULL : &then);
    }
}

static void
compare_all(void)
{
    const jb_seq head = head_seq();
    compare_changes("W0");
    compare_changes("W1");
    for (unsigned i = 0; i < MOMENTS; i++) {
        const struct jb_as_of then = {.kind = JB_AS_OF_SEQ,
                                      .seq = i < 4 ? head - i : 1 + pick(head)};
        compare("W0", &then);
        compare("W1", &then);
    }
    compare("W0", NULL);
    compare("W1", NULL);
    for (jb_day day = jb_day_of(the_time, 32400) - 8; day < jb_day_of(the_time, 32400); day++) {
        const struct jb_as_of then = {.kind = JB_AS_OF_DAY, .day = day};
        struct jb_explanation *x;
        if (jb_explain(v, jb_text_of("W0"), &then, &x, &err) == JB_OK) {
            jb_explanation_free(x);
            compare("W0", &then);
        }
    }
}

/* ---- how much is read ---- */

static uint64_t
read_for(const struct jb_as_of *as_of)
{
    struct jb_explanation *x;
    const uint64_t before = jb_steps.events;
    good(jb_explain(v, jb_text_of("HOT"), as_of, &x, &err), "explain");
    jb_explanation_free(x);
    return jb_steps.events - before;
}

static void
use_hot(uint32_t n)
{
    while (n > 0) {
        uint32_t some = n < BATCH ? n : BATCH;
        for (uint32_t i = 0; i < some; i++) {
            snprintf(texts[i][0], sizeof texts[i][0], "U%llu", (unsigned long long)made++);
            jb_command_begin(&commands[i], JB_OP_CONSUME);
            jb_set_usage(&commands[i], jb_text_of(texts[i][0]));
            jb_set_amount(&commands[i], 1);
            jb_set_wallet(&commands[i], jb_text_of("HOT"));
            if (i == some / 2 && n % 3 == 0) { /* now and then one of yesterday */
                jb_set_at(&commands[i], the_time - INT64_C(90000000000));
            }
        }
        submit(some, "consumptions");
        n -= some;
    }
}

/* As of now, and of half of the events. */
static void
check_reads(void)
{
    the_time += INT64_C(400000000000);
    make_wallet("HOT");
    jb_command_begin(&commands[0], JB_OP_CHARGE);
    jb_set_charge(&commands[0], jb_text_of("HOT-1"));
    jb_set_amount(&commands[0], 1000000);
    jb_set_wallet(&commands[0], jb_text_of("HOT"));
    submit(1, "a charge");
    jb_causes_walk_max = 2048;
    uint64_t first[2] = {0, 0};
    const jb_seq begin = head_seq();
    for (uint32_t n = 8000, all = 0; n <= 32000; n *= 2) {
        use_hot(n - all);
        all = n;
        const struct jb_as_of then = {.kind = JB_AS_OF_SEQ, .seq = begin + n / 2};
        const uint64_t reads[2] = {read_for(NULL), read_for(&then)};
        printf("%u events of the day: %llu were read, as of the half %llu\n", n,
               (unsigned long long)reads[0], (unsigned long long)reads[1]);
        for (unsigned i = 0; i < 2; i++) {
            first[i] = n == 8000 ? reads[i] : first[i];
            must(reads[i] < first[i] + 2 * JB_SNAPSHOT_EVERY + 2 * JB_CAUSE_EVENTS_MAX,
                 "it grows with the events of the day");
        }
    }
}

int
main(void)
{
    char dir[64], path[80];
    make_quick_scratch(dir, "explain");
    snprintf(path, sizeof path, "%s/l", dir);
    struct jb_open_options o = {.size = sizeof o, .now = clock_of};
    answers = jb_answers_new();
    must(answers != NULL, "no memory");
    good(jb_init(path, NULL, &err), "init");
    good(jb_open(path, &o, &l, &err), "open");
    good(jb_views_open(l, &v, &err), "views");
    fill();
    compare_all();
    good(jb_views_sync(v, true, &err), "stored");
    compare_all();
    printf("%llu lines, %llu of them late, of %llu not all events are listed\n",
           (unsigned long long)lines, (unsigned long long)late_lines,
           (unsigned long long)cut_lines);
    printf("%llu lines of %llu changes, %llu apart\n", (unsigned long long)change_lines,
           (unsigned long long)changes, (unsigned long long)apart_lines);
    must(lines > 0 && late_lines > 0 && (SANITIZED || cut_lines > 0), "too little was compared");
    must(changes > MOMENTS && change_lines > changes && apart_lines > 0,
         "too few changes were compared");
    check_reads();
    jb_views_close(v);
    jb_close(l);
    jb_answers_free(answers);
    remove_scratch(dir);
    return 0;
}
