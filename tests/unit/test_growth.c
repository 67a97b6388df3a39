/* What a command costs may grow with what it names, never with the square of it: steps
 * (base/steps.h) are counted for n and 2n, and no clock is looked at. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jangbu/replay.h>

#include "base/steps.h"
#include "state/behind.h"

#include "../check.h"

#define DAY INT64_C(86400000000)

struct desk {
    char dir[32];
    jb_ledger *l;
    jb_answers *answers;
    jb_instant clock;
    jb_instant tick; /* so much later is each command than the one before */
};

static struct jb_text
text(const char *s)
{
    return (struct jb_text){s, strlen(s)};
}

static void
open_desk(struct desk *d)
{
    struct jb_error err;
    must(jb_open(d->dir, NULL, &d->l, &err) == JB_OK, "the ledger does not open");
}

static struct desk
new_desk(void)
{
    struct desk d = {.dir = "/tmp/jangbu-growth-XXXXXX", .answers = jb_answers_new()};
    must(d.answers != NULL, "no memory");
    make_scratch(d.dir);
    must(jb_init(d.dir, NULL, NULL) == JB_OK, "no ledger can be made");
    must(jb_instant_parse("2026-10-01T12:00:00+09:00", 25, &d.clock), "an instant");
    open_desk(&d);
    return d;
}

static void
end_desk(struct desk *d)
{
    jb_close(d->l);
    jb_answers_free(d->answers);
    remove_scratch(d->dir);
}

/* So that what is archived is in the store and not in memory. */
static void
reopen(struct desk *d)
{
    jb_close(d->l);
    open_desk(d);
}

/* Carries out n commands; each must be done. The steps that it took. */
static uint64_t
run_as(struct desk *d, struct jb_command *list, size_t n, bool dry_run)
{
    struct jb_submit_options o = {.size = sizeof o, .clock = JB_CLOCK_AT, .dry_run = dry_run};
    struct jb_error err = {0};
    for (size_t i = 0; i < n; i++) {
        list[i].size = sizeof *list;
        list[i].clock = d->clock += d->tick;
        list[i].has |= JB_HAS(JB_CF_CLOCK);
    }
    jb_steps = (struct jb_steps){0};
    jb_status status = jb_submit(d->l, list, n, &o, d->answers, NULL, &err);
    uint64_t steps = jb_steps.rows + jb_steps.events + jb_steps.made + jb_steps.moved;
    for (size_t i = 0; i < n && status == JB_OK; i++) {
        const struct jb_answer *a = jb_answers_at(d->answers, i);
        if (a->outcome != JB_DONE) {
            fprintf(stderr, "command %zu: %s\n", i, jb_answer_message(a));
        }
        must(a->outcome == JB_DONE, "a command was refused");
    }
    must(status == JB_OK, err.text);
    return steps;
}

static uint64_t
run(struct desk *d, struct jb_command *list, size_t n)
{
    return run_as(d, list, n, false);
}

static struct jb_command
with_id(jb_op op, uint64_t field, const char *id, jb_amount amount)
{
    return (struct jb_command){.op = op,
                               .has = JB_HAS(JB_CF_WALLET) | JB_HAS(field) |
                                      (amount > 0 ? JB_HAS(JB_CF_AMOUNT) : 0),
                               .wallet = text("W"),
                               .id = text(id),
                               .amount = amount};
}

static void
one(struct desk *d, struct jb_command c)
{
    run(d, &c, 1);
}

static void
make_wallet(struct desk *d)
{
    one(d,
        (struct jb_command){.op = JB_OP_WALLET_CREATE,
                            .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_KIND) | JB_HAS(JB_CF_NAME),
                            .wallet = text("W"),
                            .kind = JB_KIND_PERSONAL,
                            .name = text("n")});
}

/* n commands of one kind, each with an id of its own: "a0", "a1", ... where a is the prefix. */
static uint64_t
many_called(struct desk *d, char prefix, size_t n, jb_op op, uint64_t field, jb_amount amount)
{
    struct jb_command *list = calloc(n, sizeof *list);
    char(*ids)[24] = calloc(n, sizeof *ids);
    must(list != NULL && ids != NULL, "no memory");
    for (size_t i = 0; i < n; i++) {
        snprintf(ids[i], sizeof ids[i], "%c%zu", prefix, i);
        list[i] = with_id(op, field, ids[i], amount);
    }
    uint64_t steps = run(d, list, n);
    free(ids);
    free(list);
    return steps;
}

static uint64_t
many(struct desk *d, size_t n, jb_op op, uint64_t field, jb_amount amount)
{
    return many_called(d, 'a', n, op, field, amount);
}

/* A return whose own charge was reversed looks for room beside n newer charges that have none. */
static uint64_t
return_beside_full_lots(size_t n)
{
    struct desk d = new_desk();
    make_wallet(&d);
    one(&d, with_id(JB_OP_CHARGE, JB_CF_CHARGE, "A", 10));
    one(&d, with_id(JB_OP_CONSUME, JB_CF_USAGE, "U", 10));
    one(&d, with_id(JB_OP_CHARGE_REVERSE, JB_CF_CHARGE, "A", 10));
    one(&d, with_id(JB_OP_CHARGE, JB_CF_CHARGE, "B", 10));
    many(&d, n, JB_OP_CHARGE, JB_CF_CHARGE, 5);
    many(&d, n, JB_OP_CHARGE_REVERSE, JB_CF_CHARGE, 5);
    reopen(&d);
    struct jb_command back = {.op = JB_OP_CONSUME_REVERSE,
                              .has =
                                  JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_SEQ) | JB_HAS(JB_CF_AMOUNT),
                              .wallet = text("W"),
                              .seq = 13,
                              .amount = 10};
    uint64_t steps = run(&d, &back, 1);
    must(jb_answers_at(d.answers, 0)->outcome == JB_DONE, "the return was refused");
    end_desk(&d);
    return steps;
}

/* A return whose own charge was reversed, and paid by the newest of n charges, which has room. */
static uint64_t
return_to_newest_lot(size_t n)
{
    struct desk d = new_desk();
    make_wallet(&d);
    one(&d, with_id(JB_OP_CHARGE, JB_CF_CHARGE, "A", 10));
    one(&d, with_id(JB_OP_CONSUME, JB_CF_USAGE, "U", 10));
    many(&d, n, JB_OP_CHARGE, JB_CF_CHARGE, 50);
    one(&d, with_id(JB_OP_CHARGE_REVERSE, JB_CF_CHARGE, "A", 10));
    struct jb_command back = {.op = JB_OP_CONSUME_REVERSE,
                              .has =
                                  JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_SEQ) | JB_HAS(JB_CF_AMOUNT),
                              .wallet = text("W"),
                              .seq = 13,
                              .amount = 10};
    uint64_t steps = run(&d, &back, 1);
    end_desk(&d);
    return steps;
}

/* A group, and a dry run, of a few commands on a wallet with n charges and grants. */
static uint64_t
small_group(size_t n)
{
    struct desk d = new_desk();
    make_wallet(&d);
    many(&d, n, JB_OP_CHARGE, JB_CF_CHARGE, 5);
    one(&d, with_id(JB_OP_CONSUME, JB_CF_USAGE, "U0", 5));
    size_t grants_n = n / 4;
    struct jb_command *grants = calloc(grants_n, sizeof *grants);
    char(*ids)[24] = calloc(grants_n, sizeof *ids);
    must(grants != NULL && ids != NULL, "no memory");
    for (size_t i = 0; i < grants_n; i++) {
        snprintf(ids[i], sizeof ids[i], "g%zu", i);
        grants[i] = with_id(JB_OP_FREE_GRANT, JB_CF_GRANT, ids[i], 5);
        grants[i].has |= JB_HAS(JB_CF_EXPIRES_ON);
        grants[i].expires_on = jb_day_of(d.clock, 9 * 3600) + 30;
    }
    run(&d, grants, grants_n);
    struct jb_command members[] = {
        with_id(JB_OP_CONSUME, JB_CF_USAGE, "U", 7),
        with_id(JB_OP_FREE_ACTIVATE, JB_CF_GRANT, "g1", 0),
        with_id(JB_OP_CHARGE_REVERSE, JB_CF_CHARGE, "a0", 5),
        with_id(JB_OP_CHARGE, JB_CF_CHARGE, "new", 5),
    };
    const size_t members_n = sizeof members / sizeof members[0];
    for (size_t i = 0; i < members_n; i++) {
        members[i].size = sizeof members[i];
    }
    struct jb_command group = {.op = JB_OP_ATOMIC,
                               .has = JB_HAS(JB_CF_COMMANDS),
                               .commands = members,
                               .commands_n = members_n};
    uint64_t steps = run_as(&d, &group, 1, true);
    steps += run_as(&d, &group, 1, false);
    free(ids);
    free(grants);
    end_desk(&d);
    return steps;
}

/* One consumption that comes back in n parts. */
static uint64_t
partial_returns(size_t n)
{
    struct desk d = new_desk();
    make_wallet(&d);
    one(&d, with_id(JB_OP_CHARGE, JB_CF_CHARGE, "A", (jb_amount)n));
    one(&d, with_id(JB_OP_CONSUME, JB_CF_USAGE, "U", (jb_amount)n));
    struct jb_command *list = calloc(n, sizeof *list);
    must(list != NULL, "no memory");
    for (size_t i = 0; i < n; i++) {
        list[i] = (struct jb_command){.op = JB_OP_CONSUME_REVERSE,
                                      .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_SEQ) |
                                             JB_HAS(JB_CF_AMOUNT),
                                      .wallet = text("W"),
                                      .seq = 13,
                                      .amount = 1};
    }
    uint64_t steps = run(&d, list, n / 2);
    reopen(&d); /* the rest from what is stored */
    steps += run(&d, list, n - n / 2);
    free(list);
    end_desk(&d);
    return steps;
}

/* A refund over n charges comes back to all of them, which are in the archive. */
static uint64_t
failed_refund(size_t n)
{
    struct desk d = new_desk();
    make_wallet(&d);
    many(&d, n, JB_OP_CHARGE, JB_CF_CHARGE, 1);
    one(&d, with_id(JB_OP_REFUND_REQUEST, JB_CF_REFUND, "R", (jb_amount)n));
    one(&d, with_id(JB_OP_REFUND_APPROVE, JB_CF_REFUND, "R", 0));
    reopen(&d);
    struct jb_command fail = with_id(JB_OP_REFUND_FAIL, JB_CF_REFUND, "R", 0);
    uint64_t steps = run(&d, &fail, 1);
    end_desk(&d);
    return steps;
}

/* A group is the first command after midnight, and n grants are due: more than one commit holds. */
static uint64_t
group_after_midnight(size_t n)
{
    struct desk d = new_desk();
    struct jb_command *list = calloc(n, sizeof *list);
    char(*ids)[24] = calloc(n, sizeof *ids);
    must(list != NULL && ids != NULL, "no memory");
    make_wallet(&d);
    jb_day today = jb_day_of(d.clock, 32400);
    for (size_t i = 0; i < n; i++) {
        /* A wallet for every thousand: what one wallet has is scanned by its own commands. */
        snprintf(ids[i], sizeof ids[i], "%zu", i % 1000 == 0 ? i : i - i % 1000);
        if (i % 1000 == 0) {
            struct jb_command w = {.op = JB_OP_WALLET_CREATE,
                                   .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_KIND) |
                                          JB_HAS(JB_CF_NAME),
                                   .wallet = text(ids[i]),
                                   .kind = JB_KIND_PERSONAL,
                                   .name = text("n")};
            one(&d, w);
        }
    }
    static char grants[1000][24];
    for (size_t i = 0; i < n; i++) {
        snprintf(grants[i % 1000], sizeof grants[0], "g%zu", i % 1000);
        list[i] = with_id(JB_OP_FREE_GRANT, JB_CF_GRANT, grants[i % 1000], 1);
        list[i].has |= JB_HAS(JB_CF_EXPIRES_ON);
        list[i].wallet = text(ids[i]);
        list[i].expires_on = today;
    }
    run(&d, list, n);
    d.clock += DAY;
    struct jb_command member = with_id(JB_OP_CHARGE, JB_CF_CHARGE, "A", 1);
    member.size = sizeof member;
    struct jb_command group = {
        .op = JB_OP_ATOMIC, .has = JB_HAS(JB_CF_COMMANDS), .commands = &member, .commands_n = 1};
    run(&d, &group, 1);
    uint64_t steps = jb_steps.made; /* rows hang on what is stored by then */
    free(ids);
    free(list);
    end_desk(&d);
    return steps;
}

/* The steps of an audit of what is on the desk; it must be sound. */
static uint64_t
audit(struct desk *d)
{
    struct jb_audit_report *report;
    struct jb_error err = {0};
    jb_close(d->l);
    jb_steps = (struct jb_steps){0};
    must(jb_audit(d->dir, NULL, &report, &err) == JB_OK, err.text);
    uint64_t steps = jb_steps.rows + jb_steps.events + jb_steps.made + jb_steps.moved;
    must(report->verdict == JB_VERIFIED, report->problems_n > 0 ? report->problems[0]->text : "?");
    jb_audit_report_free(report);
    open_desk(d);
    return steps;
}

/* An audit of n grants that stay for years and are used up one after the other. */
static uint64_t
audit_used_grants(size_t n)
{
    struct desk d = new_desk();
    char(*ids)[24] = calloc(n, sizeof *ids);
    struct jb_command *list = calloc(3 * n, sizeof *list);
    must(list != NULL && ids != NULL, "no memory");
    make_wallet(&d);
    for (size_t i = 0; i < n; i++) {
        snprintf(ids[i], sizeof ids[i], "g%zu", i);
        list[3 * i] = with_id(JB_OP_FREE_GRANT, JB_CF_GRANT, ids[i], 5);
        list[3 * i].has |= JB_HAS(JB_CF_EXPIRES_ON);
        list[3 * i].expires_on = jb_day_of(d.clock, 32400) + 3650;
        list[3 * i + 1] = with_id(JB_OP_FREE_ACTIVATE, JB_CF_GRANT, ids[i], 0);
        list[3 * i + 2] = with_id(JB_OP_CONSUME, JB_CF_USAGE, ids[i], 5);
    }
    run(&d, list, 3 * n);
    uint64_t steps = audit(&d);
    free(list);
    free(ids);
    end_desk(&d);
    return steps;
}

/* An audit of one consumption that came back in n parts. */
static uint64_t
audit_partial_returns(size_t n)
{
    struct desk d = new_desk();
    struct jb_command *list = calloc(n, sizeof *list);
    must(list != NULL, "no memory");
    make_wallet(&d);
    one(&d, with_id(JB_OP_CHARGE, JB_CF_CHARGE, "A", (jb_amount)n));
    one(&d, with_id(JB_OP_CONSUME, JB_CF_USAGE, "U", (jb_amount)n));
    for (size_t i = 0; i < n; i++) {
        list[i] = with_id(JB_OP_CONSUME_REVERSE, JB_CF_USAGE, "U", 1);
    }
    run(&d, list, n);
    uint64_t steps = audit(&d);
    free(list);
    end_desk(&d);
    return steps;
}

/* An audit of n charges that are refunded one after the other, and of n that are spent and then
 * taken back, which makes a debt: the newest lots have nothing left. */
static uint64_t
audit_empty_lots(size_t n)
{
    struct desk d = new_desk();
    make_wallet(&d);
    many(&d, n, JB_OP_CHARGE, JB_CF_CHARGE, 5);
    many(&d, n, JB_OP_REFUND_REQUEST, JB_CF_REFUND, 5);
    many(&d, n, JB_OP_REFUND_APPROVE, JB_CF_REFUND, 0);
    struct jb_command *list = calloc(n, sizeof *list);
    char(*ids)[24] = calloc(n, sizeof *ids);
    must(list != NULL && ids != NULL, "no memory");
    for (size_t i = 0; i < n; i++) {
        snprintf(ids[i], sizeof ids[i], "b%zu", i);
        list[i] = with_id(JB_OP_CHARGE, JB_CF_CHARGE, ids[i], 5);
    }
    run(&d, list, n);
    one(&d, with_id(JB_OP_CONSUME, JB_CF_USAGE, "U", 5 * (jb_amount)n));
    for (size_t i = 0; i < n; i++) {
        list[i] = with_id(JB_OP_CHARGE_REVERSE, JB_CF_CHARGE, ids[i], 5);
    }
    run(&d, list, n);
    uint64_t steps = audit(&d);
    free(list);
    free(ids);
    end_desk(&d);
    return steps;
}

struct batch {
    struct desk *d;
    size_t n;
    jb_seq last;
};

static void *
submit_batch(void *data)
{
    struct batch *b = data;
    many(b->d, b->n, JB_OP_CONSUME, JB_CF_USAGE, 1);
    b->last = jb_answers_at(b->d->answers, b->n - 1)->seq;
    return NULL;
}

/* One command of another thread while a long batch is carried out: it does not wait for its end. */
static void
test_turns(void **state)
{
    (void)state;
    struct desk d = new_desk();
    make_wallet(&d);
    one(&d, with_id(JB_OP_CHARGE, JB_CF_CHARGE, "A", 1000000000));
    bool overtook = false;
    for (unsigned try = 0; try < 5 && !overtook; try++) {
        /* A machine so busy that the batch is over before the command comes: once more. */
        struct batch b = {.d = &d, .n = 200000};
        struct jb_head head = {.size = sizeof head};
        jb_seq before;
        pthread_t thread;
        must(jb_head_get(d.l, &head, NULL) == JB_OK, "no head");
        before = head.seq;
        must(pthread_create(&thread, NULL, submit_batch, &b) == 0, "no thread");
        do {
            must(jb_head_get(d.l, &head, NULL) == JB_OK, "no head");
        } while (head.seq == before);
        struct desk own = d;
        own.answers = jb_answers_new();
        must(own.answers != NULL, "no memory");
        one(&own, with_id(JB_OP_CONSUME, JB_CF_USAGE, "B", 1));
        jb_seq seq = jb_answers_at(own.answers, 0)->seq;
        pthread_join(thread, NULL);
        overtook = seq < b.last;
        jb_answers_free(own.answers);
    }
    assert_true(overtook);
    end_desk(&d);
}

static bool
each_lot(void *data, const struct jb_lot_row *row)
{
    *(jb_seq *)data = row->event->seq;
    return true;
}

static bool
each_event(void *data, const struct jb_event *e)
{
    *(jb_seq *)data = e->seq;
    return true;
}

static bool
each_history(void *data, const struct jb_history_row *row)
{
    *(jb_seq *)data = row->event->seq;
    return true;
}

static bool
each_wallet(void *data, const struct jb_wallet_balance *b)
{
    *(jb_seq *)data = b->balance.version;
    return true;
}

/* Two pages of each list, the second with the cursor of the first. */
static bool
each_statement_row(void *data, const struct jb_statement *s, const struct jb_statement_row *row)
{
    (void)data;
    (void)s;
    return row->effect == -5;
}

static void
two_pages(jb_views *v, bool rare)
{
    struct jb_error err;
    char next[JB_CURSOR_TEXT_BYTES];
    jb_seq last;
    const uint32_t types[] = {JB_EV_WALLET_RENAMED};
    for (int i = 0; i < 6; i++) {
        struct jb_events_query q = {.size = sizeof q,
                                    .wallet = i < 2 ? text("W") : (struct jb_text){NULL, 0},
                                    .order = i % 2 == 0 ? JB_OLDEST_FIRST : JB_NEWEST_FIRST,
                                    .types = rare ? types : NULL,
                                    .types_n = rare ? 1 : 0};
        const bool none = rare && i < 2; /* a wallet knows that there is none */
        next[0] = '\0';
        for (int page = 0; page < (none ? 1 : 2); page++) {
            must(jb_events_get(v, &q, NULL, next, 10, each_event, &last, next, NULL, &err) == JB_OK,
                 err.text);
            assert_true((next[0] == '\0') == none);
        }
    }
    next[0] = '\0';
    for (int page = 0; page < 2; page++) {
        must(jb_lots_get(v, text("W"), JB_WHICH_ALL, NULL, next, 10, each_lot, &last, next, NULL,
                         &err) == JB_OK,
             err.text);
    }
    next[0] = '\0';
    must(jb_lots_get(v, text("W"), JB_WHICH_OPEN, NULL, NULL, 10, each_lot, &last, next, NULL,
                     &err) == JB_OK &&
             jb_history_get(v, text("W"), rare ? JB_HISTORY_REFUND : JB_HISTORY_ALL, NULL, NULL, 10,
                            each_history, &last, next, NULL, &err) == JB_OK &&
             jb_wallets_get(v, NULL, NULL, 10, each_wallet, &last, next, NULL, &err) == JB_OK,
         err.text);
}

/* Pages of a wallet with n charges that are used up and n consumptions. */
static uint64_t
pages_of(size_t n, bool rare)
{
    struct desk d = new_desk();
    jb_views *v;
    struct jb_error err;
    make_wallet(&d);
    many(&d, n, JB_OP_CHARGE, JB_CF_CHARGE, 5);
    many(&d, n, JB_OP_CONSUME, JB_CF_USAGE, 5);
    reopen(&d);
    must(jb_views_open(d.l, &v, &err) == JB_OK && jb_views_sync(v, true, &err) == JB_OK, err.text);
    two_pages(v, rare); /* what is not stored yet is folded now */
    jb_steps = (struct jb_steps){0};
    two_pages(v, rare);
    uint64_t steps = jb_steps.rows + jb_steps.events + jb_steps.made + jb_steps.moved;
    jb_views_close(v);
    end_desk(&d);
    return steps;
}

static bool
each_charge(void *data, const struct jb_history_row *row)
{
    ++*(unsigned *)data;
    return row->effect > 0;
}

/* All charges of a wallet with n consumptions between two of them, oldest first. */
static uint64_t
charges_far_apart(size_t n)
{
    struct desk d = new_desk();
    jb_views *v;
    struct jb_error err;
    unsigned rows = 0;
    char next[JB_CURSOR_TEXT_BYTES] = "";
    const struct jb_history_query q = {
        .size = sizeof q, .wallet = text("W"), .kind = JB_HISTORY_CHARGE, .order = JB_OLDEST_FIRST};
    make_wallet(&d);
    one(&d, with_id(JB_OP_CHARGE, JB_CF_CHARGE, "first", 1000000));
    many(&d, n, JB_OP_CONSUME, JB_CF_USAGE, 5);
    one(&d, with_id(JB_OP_CHARGE, JB_CF_CHARGE, "last", 7));
    reopen(&d);
    must(jb_views_open(d.l, &v, &err) == JB_OK && jb_views_sync(v, true, &err) == JB_OK, err.text);
    jb_steps = (struct jb_steps){0};
    do {
        must(jb_history_find(v, &q, NULL, next, 10, each_charge, &rows, next, NULL, &err) == JB_OK,
             err.text);
    } while (next[0] != '\0');
    uint64_t steps = jb_steps.rows + jb_steps.events + jb_steps.made + jb_steps.moved;
    assert_int_equal(rows, 2);
    jb_views_close(v);
    end_desk(&d);
    return steps;
}

/* All pages of n lots as of a moment after which each of them was used up. */
static uint64_t
pages_of_the_past(size_t n)
{
    struct desk d = new_desk();
    jb_views *v;
    struct jb_error err;
    char next[JB_CURSOR_TEXT_BYTES] = "";
    jb_seq last;
    make_wallet(&d);
    many(&d, n, JB_OP_CHARGE, JB_CF_CHARGE, 5);
    const struct jb_as_of then = {.kind = JB_AS_OF_SEQ,
                                  .seq = jb_answers_at(d.answers, n - 1)->seq};
    many(&d, n, JB_OP_CONSUME, JB_CF_USAGE, 5);
    reopen(&d);
    must(jb_views_open(d.l, &v, &err) == JB_OK && jb_views_sync(v, true, &err) == JB_OK, err.text);
    jb_steps = (struct jb_steps){0};
    do {
        must(jb_lots_get(v, text("W"), JB_WHICH_OPEN, &then, next, 10, each_lot, &last, next, NULL,
                         &err) == JB_OK,
             err.text);
    } while (next[0] != '\0');
    uint64_t steps = jb_steps.rows + jb_steps.events + jb_steps.made + jb_steps.moved;
    assert_true(last == then.seq);
    jb_views_close(v);
    end_desk(&d);
    return steps;
}

/* A statement of a day with 50 rows, between two with n each, now and as of its closing; and where
 * the receipt of the wallet's only payment is. */
static uint64_t
statement_between(size_t n)
{
    struct desk d = new_desk();
    jb_views *v;
    struct jb_error err;
    struct jb_statement s = JB_SIZED(struct jb_statement);
    struct jb_question q = JB_SIZED(struct jb_question);
    struct jb_reply *reply;
    const jb_day day = jb_day_of(d.clock, 32400) + 1;
    const struct jb_as_of then = {.kind = JB_AS_OF_DAY, .day = day};
    struct jb_command charge = with_id(JB_OP_CHARGE, JB_CF_CHARGE, "C", 1000000);
    make_wallet(&d);
    charge.has |= JB_HAS(JB_CF_PG);
    charge.pg = text("toss");
    one(&d, charge);
    many_called(&d, 'x', n, JB_OP_CONSUME, JB_CF_USAGE, 5);
    d.clock += DAY;
    many_called(&d, 'y', 50, JB_OP_CONSUME, JB_CF_USAGE, 5);
    d.clock += DAY;
    many_called(&d, 'z', n, JB_OP_CONSUME, JB_CF_USAGE, 5);
    reopen(&d);
    must(jb_views_open(d.l, &v, &err) == JB_OK && jb_views_sync(v, true, &err) == JB_OK, err.text);
    jb_steps = (struct jb_steps){0};
    const struct jb_as_of *moments[] = {NULL, &then};
    for (int i = 0; i < 2; i++) {
        must(jb_statement_get(v, text("W"), day, day, moments[i], each_statement_row, NULL, &s,
                              &err) == JB_OK,
             err.text);
        assert_true(s.rows == 50 && s.opening_total - s.closing_total == 250);
    }
    q.number = 5;
    q.wallet = text("W");
    must(jb_reply_get(v, &q, &reply, &err) == JB_OK, err.text);
    assert_true(reply->events_n == 1);
    jb_reply_free(reply);
    uint64_t steps = jb_steps.rows + jb_steps.events + jb_steps.made + jb_steps.moved;
    jb_views_close(v);
    end_desk(&d);
    return steps;
}

static uint64_t
pages(size_t n)
{
    return pages_of(n, false);
}

static uint64_t
pages_with_nothing(size_t n)
{
    return pages_of(n, true);
}

/* Looks at LMDB's pages, by who opens to read, alone. */
static uint64_t
open_to_read(size_t n)
{
    struct desk d = new_desk();
    make_wallet(&d);
    many(&d, n, JB_OP_CHARGE, JB_CF_CHARGE, 1);
    jb_views *v;
    struct jb_error err;
    must(jb_views_open(d.l, &v, &err) == JB_OK && jb_views_sync(v, true, &err) == JB_OK, err.text);
    jb_views_close(v);
    jb_close(d.l);
    struct jb_open_options o = {.size = sizeof o, .read_only = 1};
    struct jb_wallet_balance b = JB_SIZED(struct jb_wallet_balance);
    jb_steps = (struct jb_steps){0};
    must(jb_open(d.dir, &o, &d.l, &err) == JB_OK && jb_views_open(d.l, &v, &err) == JB_OK,
         err.text);
    must(jb_balance_get(v, text("W"), NULL, &b, &err) == JB_OK, err.text);
    uint64_t steps = jb_steps.pages;
    jb_views_close(v);
    end_desk(&d);
    return steps;
}

static void
check_growth(const char *what, uint64_t (*scenario)(size_t n), size_t n, double most)
{
    uint64_t once = scenario(n), twice = scenario(2 * n);
    printf("%s: %llu steps for %zu, %llu for %zu\n", what, (unsigned long long)once, n,
           (unsigned long long)twice, 2 * n);
    assert_true((double)twice <= most * (double)once);
}

static void
test_opening(void **state)
{
    (void)state;
    check_growth("opening to read", open_to_read, 20000, 1.0);
}

static void
test_full_lots(void **state)
{
    (void)state;
    check_growth("a return beside lots without room", return_beside_full_lots, 2000, 1.1);
    check_growth("a return to the newest lot", return_to_newest_lot, 2000, 1.1);
}

static void
test_partial_returns(void **state)
{
    (void)state;
    check_growth("returns of one consumption", partial_returns, 2000, 2.2);
}

static void
test_failed_refund(void **state)
{
    (void)state;
    check_growth("a failed refund over many charges", failed_refund, 5000, 2.2);
}

static void
test_group(void **state)
{
    (void)state;
    check_growth("a group behind a closing", group_after_midnight, 40000, 2.2);
    check_growth("a small group on a large wallet", small_group, 2000, 1.1);
}

static void
test_audits(void **state)
{
    (void)state;
    check_growth("an audit of used-up grants", audit_used_grants, 3000, 2.2);
    check_growth("an audit of lots with nothing left", audit_empty_lots, 1500, 2.2);
    check_growth("an audit of the returns of one consumption", audit_partial_returns, 1000, 2.2);
}

static bool
each_of_feed(void *data, const struct jb_feed_row *row)
{
    *(unsigned *)data += row->balance != NULL;
    return true;
}

/* 50 pages of the feed here and there among n events of a wallet, each taken up anew. */
static uint64_t
feed_anywhere(size_t n)
{
    struct desk d = new_desk();
    jb_views *v;
    struct jb_error err;
    unsigned rows = 0;
    make_wallet(&d);
    one(&d, with_id(JB_OP_CHARGE, JB_CF_CHARGE, "C", 1000000));
    many_called(&d, 'x', n, JB_OP_CONSUME, JB_CF_USAGE, 5);
    must(jb_views_open(d.l, &v, &err) == JB_OK && jb_views_sync(v, true, &err) == JB_OK, err.text);
    jb_steps = (struct jb_steps){0};
    for (unsigned i = 0; i < 50; i++) {
        const struct jb_feed_query q = {.size = sizeof q, .after = n / 2 + 37 * i, .limit = 5};
        must(jb_feed_get(v, &q, each_of_feed, &rows, NULL, &err) == JB_OK, err.text);
    }
    uint64_t steps = jb_steps.rows + jb_steps.events + jb_steps.made + jb_steps.moved;
    must(rows == 250 && steps > rows, "each page has its rows");
    jb_views_close(v);
    end_desk(&d);
    return steps;
}

static void
test_pages(void **state)
{
    (void)state;
    check_growth("pages of lists", pages, 2000, 1.1);
    check_growth("pages of the past", pages_of_the_past, 2000, 2.2);
    check_growth("charges far apart, oldest first", charges_far_apart, 16000, 1.2);
    check_growth("a statement of a day between others", statement_between, 2000, 1.2);
    check_growth("pages in which nothing is listed", pages_with_nothing, 52000, 1.1);
    check_growth("the feed, taken up anywhere", feed_anywhere, 4000, 1.2);
}

/* ---- papers ---- */

static void
make_business_called(struct desk *d, const char *wallet)
{
    one(d,
        (struct jb_command){.op = JB_OP_WALLET_CREATE,
                            .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_KIND) | JB_HAS(JB_CF_NAME),
                            .wallet = text(wallet),
                            .kind = JB_KIND_BUSINESS,
                            .name = text("n")});
}

static bool
each_report_row(void *data, const struct jb_report *report, const struct jb_invoice *document,
                const struct jb_invoice_row *row)
{
    (void)data;
    (void)report;
    return document == NULL && row->amount == 5;
}

/* A report of a month with 50 rows, between two with n each, now and as of its end. */
static uint64_t
report_between(size_t n)
{
    struct desk d = new_desk();
    jb_views *v;
    struct jb_error err;
    struct jb_report r = JB_SIZED(struct jb_report);
    make_business_called(&d, "W");
    one(&d, with_id(JB_OP_CHARGE, JB_CF_CHARGE, "C", 1000000));
    many_called(&d, 'x', n, JB_OP_CONSUME, JB_CF_USAGE, 5);
    d.clock += 31 * DAY;
    many_called(&d, 'y', 50, JB_OP_CONSUME, JB_CF_USAGE, 5);
    d.clock += 31 * DAY;
    many_called(&d, 'z', n, JB_OP_CONSUME, JB_CF_USAGE, 5);
    reopen(&d);
    must(jb_views_open(d.l, &v, &err) == JB_OK && jb_views_sync(v, true, &err) == JB_OK, err.text);
    const struct jb_as_of then = {.kind = JB_AS_OF_TIME, .time = d.clock - 10 * DAY};
    const struct jb_as_of *moments[] = {NULL, &then};
    jb_steps = (struct jb_steps){0};
    for (int i = 0; i < 2; i++) {
        must(jb_report_get(v, text("W"), 202611, moments[i], each_report_row, NULL, &r, &err) ==
                 JB_OK,
             err.text);
        assert_true(r.rows == 50 && r.uninvoiced == 250);
    }
    uint64_t steps = jb_steps.rows + jb_steps.events + jb_steps.made + jb_steps.moved;
    jb_views_close(v);
    end_desk(&d);
    return steps;
}

static bool
each_row_of_all(void *data, const struct jb_report *report, const struct jb_invoice *document,
                const struct jb_invoice_row *row)
{
    size_t *rows = data;
    (void)report;
    (void)document;
    *rows += row != NULL;
    return true;
}

/* A report of a month with n documents of one row each. */
static uint64_t
report_of_many(size_t n)
{
    struct desk d = new_desk();
    jb_views *v;
    struct jb_error err;
    struct jb_report r = JB_SIZED(struct jb_report);
    char usage[24];
    size_t rows = 0;
    d.clock += 31 * DAY; /* November */
    make_business_called(&d, "W");
    struct jb_command biz;
    jb_command_begin(&biz, JB_OP_BIZ_REQUEST);
    jb_set_wallet(&biz, text("W"));
    jb_set_biz(&biz, text("1234567891"));
    jb_set_biz_name(&biz, text("n"));
    jb_set_representative(&biz, text("r"));
    jb_set_address(&biz, text("a"));
    one(&d, biz);
    const jb_seq requested = jb_answers_at(d.answers, 0)->seq;
    jb_command_begin(&biz, JB_OP_BIZ_APPROVE);
    jb_set_wallet(&biz, text("W"));
    jb_set_seq(&biz, requested);
    one(&d, biz);
    one(&d, with_id(JB_OP_CHARGE, JB_CF_CHARGE, "C", 1000000));
    const jb_instant in_month = d.clock;
    const uint32_t month = 202611;
    d.clock += 31 * DAY;
    for (size_t i = 0; i < n; i++) {
        snprintf(usage, sizeof usage, "U%zu", i);
        struct jb_command c = with_id(JB_OP_CONSUME, JB_CF_USAGE, usage, 5);
        jb_set_at(&c, in_month + (jb_instant)i);
        one(&d, c);
        one(&d, (struct jb_command){.op = JB_OP_INVOICE_ISSUE,
                                    .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_MONTH),
                                    .wallet = text("W"),
                                    .month = month});
        jb_command_begin(&c, JB_OP_INVOICE_CONFIRM);
        jb_set_wallet(&c, text("W"));
        jb_set_invoice(&c, i + 1);
        jb_set_approve_no(&c, text(usage));
        one(&d, c);
    }
    reopen(&d);
    must(jb_views_open(d.l, &v, &err) == JB_OK && jb_views_sync(v, true, &err) == JB_OK, err.text);
    jb_steps = (struct jb_steps){0};
    must(jb_report_get(v, text("W"), month, NULL, each_row_of_all, &rows, &r, &err) == JB_OK,
         err.text);
    uint64_t steps = jb_steps.rows + jb_steps.events + jb_steps.made + jb_steps.moved;
    assert_true(rows == n && r.documents == n && r.invoiced == (jb_amount)(5 * n));
    jb_views_close(v);
    end_desk(&d);
    return steps;
}

static bool
each_due(void *data, const struct jb_due_item *item)
{
    *(size_t *)data += item->op == JB_OP_INVOICE_ISSUE;
    return true;
}

/* All pages of what is due of n wallets. */
static uint64_t
due_pages(size_t n)
{
    struct desk d = new_desk();
    struct jb_error err;
    struct jb_due_query q = {.size = sizeof q, .limit = 10, .at = JB_NO_INSTANT};
    struct jb_due_list list = JB_SIZED(struct jb_due_list);
    size_t told = 0;
    char id[24];
    for (size_t i = 0; i < n; i++) {
        snprintf(id, sizeof id, "W%zu", i);
        make_business_called(&d, id);
        struct jb_command c = with_id(JB_OP_CONSUME, JB_CF_USAGE, "U", 5);
        c.wallet = text(id);
        c.has |= JB_HAS(JB_CF_OVERDRAFT);
        c.overdraft = true;
        one(&d, c);
    }
    d.clock += 40 * DAY;
    make_business_called(&d, "last");
    reopen(&d);
    struct jb_head head = JB_SIZED(struct jb_head);
    must(jb_head_get(d.l, &head, &err) == JB_OK, err.text);
    q.seq = head.seq; /* folded once, and not for each page */
    jb_steps = (struct jb_steps){0};
    do {
        must(jb_due_at(d.l, &q, each_due, &told, &list, &q.after, &err) == JB_OK, err.text);
    } while (q.after.at != 0);
    assert_true(told == n);
    uint64_t steps = jb_steps.rows + jb_steps.events + jb_steps.made + jb_steps.moved;
    end_desk(&d);
    return steps;
}

static void
test_papers(void **state)
{
    (void)state;
    check_growth("a report of a month between others", report_between, 2000, 1.2);
    check_growth("a report of many documents", report_of_many, 200, 2.2);
    check_growth("pages of what is due", due_pages, 300, 2.2);
}

/* ---- people, channels, agencies ---- */

static struct jb_command
policy(uint32_t which, int64_t value)
{
    return (struct jb_command){.op = JB_OP_POLICY_SET,
                               .has = JB_HAS(JB_CF_POLICY) | JB_HAS(JB_CF_VALUE),
                               .policy = which,
                               .value = value};
}

/* A wallet of a business that has enough paid cash. */
static void
make_business(struct desk *d)
{
    struct jb_command c = {.op = JB_OP_WALLET_CREATE,
                           .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_KIND) | JB_HAS(JB_CF_NAME) |
                                  JB_HAS(JB_CF_MASTER),
                           .wallet = text("W"),
                           .kind = JB_KIND_BUSINESS,
                           .name = text("n"),
                           .master = text("m")};
    one(d, c);
    one(d, with_id(JB_OP_CHARGE, JB_CF_CHARGE, "c", 1000000));
}

static uint64_t
invite(struct desk *d, const char *prefix, size_t n)
{
    struct jb_command *list = calloc(n, sizeof *list);
    char(*ids)[24] = calloc(n, sizeof *ids);
    must(list != NULL && ids != NULL, "no memory");
    for (size_t i = 0; i < n; i++) {
        snprintf(ids[i], sizeof ids[i], "%s%zu", prefix, i);
        list[i] = (struct jb_command){.op = JB_OP_MEMBER_INVITE,
                                      .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_PERSON),
                                      .wallet = text("W"),
                                      .person = text(ids[i])};
    }
    uint64_t steps = run(d, list, n);
    free(list);
    free(ids);
    return steps;
}

/* n people whom nobody knew, in one submission and one commit. */
static uint64_t
newcomers(size_t n)
{
    struct desk d = new_desk();
    make_business(&d);
    one(&d, policy(JB_POLICY_MEMBERS_MAX, 10000));
    uint64_t steps = invite(&d, "new", n);
    end_desk(&d);
    return steps;
}

/* n invitations into a full wallet that lapse at once, each behind others that last. */
static uint64_t
lapsed_behind_others(size_t n)
{
    struct desk d = new_desk();
    make_business(&d);
    one(&d, policy(JB_POLICY_MEMBERS_MAX, 20));
    one(&d, policy(JB_POLICY_INVITE_DAYS, 36500));
    invite(&d, "lasts", 18);
    one(&d, policy(JB_POLICY_INVITE_DAYS, 0));
    uint64_t steps = invite(&d, "lapses", n);
    end_desk(&d);
    return steps;
}

static uint64_t
consume_back(struct desk *d, size_t n, jb_instant at, const char *channel, const char *actor)
{
    struct jb_command *list = calloc(n, sizeof *list);
    char(*ids)[24] = calloc(n, sizeof *ids);
    must(list != NULL && ids != NULL, "no memory");
    for (size_t i = 0; i < n; i++) {
        snprintf(ids[i], sizeof ids[i], "u%zu", i);
        list[i] = with_id(JB_OP_CONSUME, JB_CF_USAGE, ids[i], 1);
        list[i].at = at;
        list[i].has |= JB_HAS(JB_CF_AT) | (channel != NULL ? JB_HAS(JB_CF_CHANNEL) : 0) |
                       (actor != NULL ? JB_HAS(JB_CF_ACTOR) : 0);
        list[i].channel = channel != NULL ? text(channel) : list[i].channel;
        list[i].actor_id = actor != NULL ? text(actor) : list[i].actor_id;
    }
    uint64_t steps = run(d, list, n);
    free(list);
    free(ids);
    return steps;
}

/* n consumptions of when a channel was connected first, which was so n times since. */
static uint64_t
connected_long_ago(size_t n)
{
    struct desk d = new_desk();
    struct jb_command *list = calloc(2 * n, sizeof *list);
    must(list != NULL, "no memory");
    make_business(&d);
    one(&d, (struct jb_command){.op = JB_OP_CHANNEL_CREATE,
                                .has = JB_HAS(JB_CF_CHANNEL) | JB_HAS(JB_CF_PERSON) |
                                       JB_HAS(JB_CF_CHANNEL_KIND),
                                .channel = text("C"),
                                .person = text("m"),
                                .channel_kind = JB_CHANNEL_BUSINESS});
    for (size_t i = 0; i < 2 * n; i++) {
        list[i] =
            (struct jb_command){.op = i % 2 == 0 ? JB_OP_CHANNEL_CONNECT : JB_OP_CHANNEL_DISCONNECT,
                                .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_CHANNEL),
                                .wallet = text("W"),
                                .channel = text("C")};
    }
    d.tick = 1;
    jb_instant first = d.clock + d.tick;
    run(&d, list, 2 * n);
    free(list);
    uint64_t steps = consume_back(&d, n, first, "C", NULL);
    end_desk(&d);
    return steps;
}

static bool
each_found_row(void *data, const struct jb_find_row *row)
{
    *(unsigned *)data += row->wallet != 0;
    return true;
}

/* Half of the n numbers that a channel had since it was connected, found: whose each of them is. */
static uint64_t
found_in_a_channel(size_t n)
{
    struct desk d = new_desk();
    struct jb_command *list = calloc(n, sizeof *list);
    jb_views *v;
    struct jb_error err;
    unsigned found = 0;
    must(list != NULL, "no memory");
    make_business(&d);
    one(&d, (struct jb_command){.op = JB_OP_CHANNEL_CREATE,
                                .has = JB_HAS(JB_CF_CHANNEL) | JB_HAS(JB_CF_PERSON) |
                                       JB_HAS(JB_CF_CHANNEL_KIND),
                                .channel = text("C"),
                                .person = text("m"),
                                .channel_kind = JB_CHANNEL_BUSINESS});
    one(&d, (struct jb_command){.op = JB_OP_CHANNEL_CONNECT,
                                .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_CHANNEL),
                                .wallet = text("W"),
                                .channel = text("C")});
    for (size_t i = 0; i < n; i++) {
        list[i] = (struct jb_command){.op = JB_OP_CHANNEL_MAIL_ORDER,
                                      .has = JB_HAS(JB_CF_CHANNEL) | JB_HAS(JB_CF_MAIL_ORDER),
                                      .channel = text("C"),
                                      .mail_order = text(i % 2 == 0 ? "other" : "sought")};
    }
    run(&d, list, n);
    free(list);
    must(jb_views_open(d.l, &v, &err) == JB_OK && jb_views_sync(v, true, &err) == JB_OK, err.text);
    jb_steps = (struct jb_steps){0};
    must(jb_find_get(v, text("sought"), NULL, NULL, 10000, each_found_row, &found, NULL, NULL,
                     &err) == JB_OK,
         err.text);
    uint64_t steps = jb_steps.rows + jb_steps.events + jb_steps.made + jb_steps.moved;
    must(found == n / 2, "each of them is the wallet's");
    jb_views_close(v);
    end_desk(&d);
    return steps;
}

/* n consumptions by the staff of the first of n agencies that had the sales right. */
static uint64_t
right_of_long_ago(size_t n)
{
    struct desk d = new_desk();
    struct jb_command *list = calloc(2 * n, sizeof *list);
    char(*ids)[24] = calloc(n, sizeof *ids);
    must(list != NULL && ids != NULL, "no memory");
    make_business(&d);
    struct jb_command give = {.op = JB_OP_ROLE_GIVE,
                              .has = JB_HAS(JB_CF_PERSON) | JB_HAS(JB_CF_ROLE),
                              .person = text("o"),
                              .role = JB_ROLE_OPERATOR};
    one(&d, give);
    give.has |= JB_HAS(JB_CF_AGENCY);
    give.agency = text("a0");
    give.person = text("s");
    give.role = JB_ROLE_AGENCY;
    one(&d, give);
    for (size_t i = 0; i < 2 * n; i++) {
        snprintf(ids[i / 2], sizeof ids[i / 2], "a%zu", i / 2);
        list[i] = (struct jb_command){.op = i % 2 == 0 ? JB_OP_SALES_REQUEST : JB_OP_SALES_ACCEPT,
                                      .has = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_AGENCY),
                                      .wallet = text("W"),
                                      .agency = text(ids[i / 2])};
    }
    d.tick = 1;
    jb_instant first = d.clock + 2 * d.tick;
    run(&d, list, 2 * n);
    one(&d, policy(JB_POLICY_ROLES, 1));
    uint64_t steps = consume_back(&d, n, first, NULL, "s");
    free(list);
    free(ids);
    end_desk(&d);
    return steps;
}

static void
test_around(void **state)
{
    (void)state;
    check_growth("invitations of people whom nobody knew", newcomers, 300, 2.6);
    check_growth("invitations that lapse behind others", lapsed_behind_others, 2000, 2.2);
    check_growth("what is found in one channel", found_in_a_channel, 2000, 2.4);
    check_growth("a channel that was often connected", connected_long_ago, 2000, 2.4);
    check_growth("agencies that had the right", right_of_long_ago, 2000, 2.4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opening),         cmocka_unit_test(test_full_lots),
        cmocka_unit_test(test_partial_returns), cmocka_unit_test(test_failed_refund),
        cmocka_unit_test(test_group),           cmocka_unit_test(test_turns),
        cmocka_unit_test(test_audits),          cmocka_unit_test(test_pages),
        cmocka_unit_test(test_papers),          cmocka_unit_test(test_around),
    };
    /* What a step costs hangs on what is stored already: only what was closed is. */
    jb_behind_limits.lag_events = UINT64_MAX;
    jb_behind_limits.lag_wallets = SIZE_MAX;
    jb_behind_limits.lag_us = INT64_MAX;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
