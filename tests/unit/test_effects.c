/*
 * The table of effects against what docs/rules.md says in sections 2 to 6: for random events of
 * each type, what it moves is what this file works out by hand, and what the daily row's identity
 * says.
 */
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <jangbu/projections.h>

#include "wallet/totals.h"

static uint64_t seed = 20261126;

static uint32_t
below(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)(seed >> 33) % n;
}

/* Parts that add up to the amount; of what came back some lapsed. */
static struct jb_parts
parts_of(struct jb_part at[4], jb_amount amount, bool back)
{
    uint32_t n = 0;
    while (amount > 0) {
        jb_amount part = n == 3 ? amount : 1 + below((uint32_t)amount);
        uint32_t kind = below(back ? 4 : 3);
        at[n++] = (struct jb_part){kind, kind == JB_PART_DEBT ? 0 : 1 + below(9), part};
        amount -= part;
    }
    return (struct jb_parts){at, n};
}

static void
make(uint32_t type, struct jb_event *e, struct jb_part parts[4])
{
    const struct jb_event_type_info *info = jb_event_type_get(type);
    const jb_amount amount = 1 + below(1000000);
    memset(e, 0, sizeof *e);
    e->type = type;
    for (uint32_t i = 0; i < info->fields_n; i++) {
        const struct jb_field_info *f = &info->fields[i];
        void *at = (char *)e + f->offset;
        if (f->kind == JB_FK_AMOUNT || f->kind == JB_FK_AMOUNT0) {
            *(jb_amount *)at = amount;
        } else if (f->kind == JB_FK_BOOL) {
            *(bool *)at = below(2) == 1;
        } else if (f->kind >= JB_FK_SPLIT && f->kind <= JB_FK_PARTS_TO) {
            *(struct jb_parts *)at = parts_of(parts, amount, f->kind == JB_FK_PARTS_TO);
        }
    }
    if (type == JB_EV_REFUND_FAILED) {
        bool back = below(2) == 1;
        e->refund_failed.why = back ? JB_FAILURE_AFTER_APPROVAL : JB_FAILURE_BALANCE;
        e->refund_failed.parts.n = back ? 1 : 0;
        parts[0] = (struct jb_part){JB_PART_LOT, 1, amount};
    }
}

static jb_amount
sum(struct jb_parts parts, bool (*counts)(uint32_t kind))
{
    jb_amount total = 0;
    for (uint32_t i = 0; i < parts.n; i++) {
        total += counts(parts.at[i].kind) ? parts.at[i].amount : 0;
    }
    return total;
}

static bool
is_paid(uint32_t kind)
{
    return kind == JB_PART_LOT || kind == JB_PART_DEBT;
}

static bool
is_free(uint32_t kind)
{
    return kind == JB_PART_GRANT;
}

/* What the event does to the holder's money. No default: the compiler asks for a new type. */
struct change {
    jb_amount paid, free, dormant, transit;
};

static struct change
by_hand(const struct jb_event *e)
{
    const jb_amount a = jb_event_amount(e);
    const struct jb_parts parts = jb_event_parts(e);
    switch ((jb_event_type)e->type) {
    case JB_EV_CHARGE_SETTLED:
    case JB_EV_DEBT_REPAID:
        return (struct change){.paid = a};
    case JB_EV_CHARGE_REVERSED:
        return (struct change){.paid = -a};
    case JB_EV_FREE_GRANTED:
        return (struct change){.dormant = a};
    case JB_EV_FREE_ACTIVATED:
        return (struct change){.free = a, .dormant = -a};
    case JB_EV_FREE_REVOKED:
        return (struct change){.dormant = -a};
    case JB_EV_FREE_EXPIRED:
        return e->free_expired.in_use ? (struct change){.free = -a}
                                      : (struct change){.dormant = -a};
    case JB_EV_FREE_FORFEITED:
        return e->free_forfeited.in_use ? (struct change){.free = -a}
                                        : (struct change){.dormant = -a};
    case JB_EV_CASH_CONSUMED:
        return (struct change){.paid = -sum(parts, is_paid), .free = -sum(parts, is_free)};
    case JB_EV_CONSUMPTION_REVERSED:
        return (struct change){.paid = sum(parts, is_paid), .free = sum(parts, is_free)};
    case JB_EV_REFUND_APPROVED:
        return (struct change){.paid = -a, .transit = a};
    case JB_EV_REFUND_COMPLETED:
        return (struct change){.transit = -a};
    case JB_EV_REFUND_FAILED:
        return e->refund_failed.why == JB_FAILURE_AFTER_APPROVAL
                   ? (struct change){.paid = a, .transit = -a}
                   : (struct change){0};
    case JB_EV_LEDGER_CREATED:
    case JB_EV_POLICY_SET:
    case JB_EV_WALLET_CREATED:
    case JB_EV_WALLET_RENAMED:
    case JB_EV_WALLET_TURNED_OFF:
    case JB_EV_WALLET_TURNED_ON:
    case JB_EV_WALLET_SUSPENDED:
    case JB_EV_SUSPENSION_LIFTED:
    case JB_EV_WALLET_DELETED:
    case JB_EV_REFUND_REQUESTED:
    case JB_EV_REFUND_CANCELLED:
    case JB_EV_REFUND_REJECTED:
    case JB_EV_DAY_CLOSED:
    case JB_EV_COMMAND_REFUSED:
    case JB_EV_ROLE_GIVEN:
    case JB_EV_ROLE_TAKEN:
    case JB_EV_MEMBER_INVITED:
    case JB_EV_MEMBER_JOINED:
    case JB_EV_MEMBER_LEFT:
    case JB_EV_MASTER_TRANSFERRED:
    case JB_EV_CHANNEL_CREATED:
    case JB_EV_CHANNEL_STAFFED:
    case JB_EV_CHANNEL_CONNECTED:
    case JB_EV_CHANNEL_DISCONNECTED:
    case JB_EV_SEARCH_ID_SET:
    case JB_EV_MAIL_ORDER_SET:
    case JB_EV_CHANNEL_CLOSED:
    case JB_EV_BIZ_REQUESTED:
    case JB_EV_BIZ_APPROVED:
    case JB_EV_BIZ_REFUSED:
    case JB_EV_INVOICE_EMAIL_SET:
    case JB_EV_SALES_REQUESTED:
    case JB_EV_SALES_ACCEPTED:
    case JB_EV_SALES_REFUSED:
    case JB_EV_SALES_RELEASED:
    case JB_EV_SETTLEMENT_CHANGED:
    case JB_EV_FORGOTTEN:
    case JB_EV_PEOPLE_ENCRYPTED:
    case JB_EV_NOTICE_SENT:
    case JB_EV_INVOICE_ISSUED:
    case JB_EV_INVOICE_CONFIRMED:
    case JB_EV_INVOICE_FAILED:
    case JB_EV_INVOICE_MAILED:
    case JB_EV_TYPES:
        break;
    }
    return (struct change){0};
}

/* The sign of each flow in the total (docs/rules.md section 6). */
static const struct {
    uint32_t total;
    int sign;
} signs[] = {
    {JB_TOTAL_charged, 1},        {JB_TOTAL_charge_reversed, -1}, {JB_TOTAL_free_activated, 1},
    {JB_TOTAL_consumed_paid, -1}, {JB_TOTAL_consumed_free, -1},   {JB_TOTAL_returned, 1},
    {JB_TOTAL_refunded, -1},      {JB_TOTAL_refund_failed, 1},    {JB_TOTAL_debt_repaid, 1},
    {JB_TOTAL_expired, -1},       {JB_TOTAL_forfeited, -1},
};
#define JB_X(name) +1
static_assert(sizeof signs / sizeof signs[0] == 0 JB_FLOWS(JB_X), "a flow has no sign here");
#undef JB_X

/* The next type from that number on: not every number is given. */
static uint32_t
given(uint32_t type)
{
    type %= JB_EV_TYPES;
    while (jb_event_type_get(type) == NULL) {
        type = (type + 1) % JB_EV_TYPES;
    }
    return type;
}

static void
random_events(void **state)
{
    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint32_t i = 0; i < 200000; i++) {
        struct jb_event e;
        struct jb_part parts[4];
        make(given(i), &e, parts);
        const struct change c = by_hand(&e);
        assert_int_equal(jb_event_effect(&e), c.paid + c.free);
        jb_amount at[JB_PLACES] = {0}, all = 0;
        struct jb_money_move moves[JB_MOVES_MAX];
        size_t n = jb_event_moves(&e, moves);
        for (size_t k = 0; k < n; k++) {
            assert_true(moves[k].amount > 0 && moves[k].from != moves[k].to);
            at[moves[k].from] -= moves[k].amount;
            at[moves[k].to] += moves[k].amount;
        }
        assert_int_equal(at[JB_PLACE_PAID], c.paid);
        assert_int_equal(at[JB_PLACE_FREE], c.free);
        assert_int_equal(at[JB_PLACE_DORMANT], c.dormant);
        assert_int_equal(at[JB_PLACE_TRANSIT], c.transit);
        /* Free cash is never income, and paid cash is no promotion. */
        assert_int_equal(at[JB_PLACE_PROMOTION], -(c.free + c.dormant));
        for (unsigned p = 0; p < JB_PLACES; p++) {
            all += at[p];
        }
        assert_int_equal(all, 0);
    }
}

/* Programs of 0.1.0 know "no total" by this number, and have an array of so many. */
static void
no_total(void **state)
{
    (void)state;
    struct jb_event e = {.type = JB_EV_REFUND_COMPLETED};
    struct jb_money_move moves[JB_MOVES_MAX];
    e.refund_completed.amount = 7;
    assert_int_equal(jb_event_moves(&e, moves), 1);
    assert_int_equal(moves[0].total, 22);
}

/* One day of random events: its control totals obey the identities of the daily row. */
static void
control_totals(void **state)
{
    (void)state;
    struct jb_globals g = {.first_open_day = JB_NO_DAY};
    struct change sums = {0};
    int64_t wallets = 0;
    const uint32_t events = 20000;
    for (uint32_t i = 0; i < events; i++) {
        struct jb_event e;
        struct jb_part parts[4];
        make(given((uint32_t)below(JB_EV_TYPES)), &e, parts);
        assert_true(jb_totals_post(&g, &e));
        const struct change c = by_hand(&e);
        sums.paid += c.paid;
        sums.free += c.free;
        sums.dormant += c.dormant;
        sums.transit += c.transit;
        wallets += (e.type == JB_EV_WALLET_CREATED) - (e.type == JB_EV_WALLET_DELETED);
    }
    const struct jb_open_day *d = jb_open_day_find(&g, 0);
    assert_non_null(d);
#define T(name) ((int64_t)d->t[JB_TOTAL_##name])
    int64_t flows = 0;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        assert_true(d->t[signs[i].total] > 0);
        flows += signs[i].sign * (int64_t)d->t[signs[i].total];
    }
    assert_int_equal(flows, sums.paid + sums.free);
    assert_int_equal(T(closing_paid), sums.paid);
    assert_int_equal(T(closing_free), sums.free);
    assert_int_equal(T(closing_dormant), sums.dormant);
    assert_int_equal(T(refund_in_transit), sums.transit);
    assert_int_equal(T(dormant_granted) - T(dormant_expired) - T(dormant_revoked) -
                         T(dormant_forfeited) - T(free_activated),
                     sums.dormant);
    assert_int_equal(T(events), events);
    assert_int_equal(T(wallets), wallets);
#undef T
    jb_vec_free(&g.open);
}

/* What has an effect has a cause; what has none has none. */
static void
causes(void **state)
{
    (void)state;
    enum { JB_CAUSE_none = JB_CAUSES_N };
    static const uint32_t cause_of[JB_EV_TYPES] = {
#define EFFECT(NAME, history, cause, ...) [JB_EV_##NAME] = JB_CAUSE_##cause,
#include "event/effects.def"
#undef EFFECT
    };
    for (uint32_t type = 1; type < JB_EV_TYPES; type++) {
        bool effect = false;
        if (jb_event_type_get(type) == NULL) {
            continue; /* a number that is not given yet */
        }
        for (unsigned round = 0; round < 64; round++) {
            struct jb_event e;
            struct jb_part parts[4];
            make(type, &e, parts);
            effect |= jb_event_effect(&e) != 0;
        }
        assert_int_equal(effect, cause_of[type] != JB_CAUSE_none);
    }
}

/* A damaged event, and one of a type of the future, hurt nobody. */
static void
damaged(void **state)
{
    (void)state;
    struct jb_part parts[2] = {{JB_PART_LOT, 1, JB_BALANCE_MAX}, {JB_PART_LOT, 2, JB_BALANCE_MAX}};
    struct jb_event e;
    struct jb_money_move moves[JB_MOVES_MAX];
    memset(&e, 0, sizeof e);
    e.type = JB_EV_CASH_CONSUMED;
    e.cash_consumed.parts = (struct jb_parts){parts, 2};
    assert_int_equal(jb_event_moves(&e, moves), 1);
    assert_true(jb_event_effect(&e) < 0);
    e.type |= JB_EV_UNKNOWN_VERSION;
    assert_int_equal(jb_event_moves(&e, moves), 0);
    assert_int_equal(jb_event_effect(&e), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_events), cmocka_unit_test(no_total),
                                       cmocka_unit_test(control_totals), cmocka_unit_test(causes),
                                       cmocka_unit_test(damaged)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
