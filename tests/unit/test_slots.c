/* Memory of wallets: each its own, zeroed again after another's use; lists leave their first place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <jangbu/command.h>

#include "state/state.h"

#define MANY 20000 /* some pieces of each size */

static struct jb_lot
lot(uint32_t ordinal)
{
    return (struct jb_lot){.ordinal = ordinal, .amount = 10 * ordinal, .remaining = ordinal};
}

static void
is_new(const struct jb_cached_wallet *s)
{
    static const struct jb_wallet none;
    assert_int_equal(s->touched | s->saved | s->w.number | s->w.id_n, 0);
    assert_int_equal(s->w.version | s->w.created_seq, 0);
    assert_memory_equal(&s->w.id, &none.id, sizeof none.id);
    assert_int_equal(s->w.lots.n | s->w.began, 0);
    assert_ptr_equal(s->w.lots.at, &s->lot);
    assert_int_equal(s->w.lots.cap, 1);
    assert_null(s->w.rest);
    assert_int_equal(jb_rest(&s->w)->grants.n | jb_rest(&s->w)->refunds.n, 0);
}

/* The first interval of a wallet takes no memory until another one comes. */
static void
add_intervals(struct jb_wallet *w, uint32_t n)
{
    struct jb_interval first;
    assert_int_equal(jb_wallet_intervals(w, &first).n, 0);
    w->created_seq = 1;
    for (uint32_t i = 1; i <= n; i++) {
        const struct jb_interval v = {
            .ordinal = i, .status = JB_WALLET_ACTIVE, .from = 7 * (jb_instant)i, .seq = i};
        assert_true(jb_wallet_add_interval(w, &v));
        const struct jb_intervals all = jb_wallet_intervals(w, &first);
        assert_int_equal(all.n, i);
        assert_true((w->rest == NULL) == (i == 1));
        for (uint32_t k = 0; k < i; k++) {
            assert_int_equal(all.at[k].ordinal, k + 1);
            assert_int_equal(all.at[k].status, JB_WALLET_ACTIVE);
            assert_int_equal(all.at[k].from, 7 * (k + 1));
            assert_int_equal(all.at[k].seq, k + 1);
        }
    }
}

/* One that is no wallet's first is kept as it is. */
static void
an_interval_alone(void **state)
{
    (void)state;
    const struct jb_interval odd[] = {
        {.ordinal = 2, .status = JB_WALLET_ACTIVE, .seq = 1},
        {.ordinal = 1, .status = JB_WALLET_OFF, .seq = 1},
        {.ordinal = 1, .status = JB_WALLET_ACTIVE, .seq = 2},
        {.ordinal = 1, .status = JB_WALLET_ACTIVE, .seq = 1, .stored = true}};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct jb_wallet w = {.created_seq = 1};
        struct jb_interval first;
        assert_true(jb_wallet_add_interval(&w, &odd[i]));
        const struct jb_intervals all = jb_wallet_intervals(&w, &first);
        assert_int_equal(all.n, 1);
        assert_memory_equal(all.at, &odd[i], sizeof odd[i]);
        jb_wallet_free(&w);
    }
}

/* Short ones lie inside, long ones outside. */
static void
ids_of_each_length(void **state)
{
    (void)state;
    char id[JB_ID_BYTES_MAX];
    memset(id, 'i', sizeof id);
    for (size_t n = 1; n <= sizeof id; n++) {
        struct jb_wallet w = {0};
        assert_true(jb_wallet_set_id(&w, (struct jb_text){id, n}));
        id[0]++; /* it has a copy */
        const struct jb_text is = jb_id_of(&w);
        id[0]--;
        assert_int_equal(is.n, n);
        assert_memory_equal(is.s, id, n);
        assert_true((is.s == w.id.inside) == (n <= JB_ID_INSIDE));
        jb_wallet_free(&w);
    }
}

static void
lists_leave_their_first_place(void **state)
{
    (void)state;
    struct jb_slots m = {0};
    for (uint32_t lots = 1; lots <= 9; lots++) {
        struct jb_cached_wallet *s = jb_slot_new(&m);
        assert_non_null(s);
        is_new(s);
        /* The last one first: they are put in order. */
        for (uint32_t i = lots; i > 0; i--) {
            const struct jb_lot l = lot(i);
            assert_non_null(jb_wallet_add_lot(&s->w, &l));
        }
        assert_true((s->w.lots.at == &s->lot) == (lots == 1));
        struct jb_lot more[3] = {lot(20), lot(21), lot(22)};
        assert_true(jb_wallet_add_lots(&s->w, more, 3));
        assert_int_equal(s->w.lots.n, lots + 3);
        for (uint32_t i = 0; i < lots + 3; i++) {
            uint32_t ordinal = i < lots ? i + 1 : 20 + i - lots;
            assert_int_equal(s->w.lots.at[i].ordinal, ordinal);
            assert_int_equal(s->w.lots.at[i].amount, 10 * ordinal);
            assert_ptr_equal(jb_wallet_lot(&s->w, ordinal), &s->w.lots.at[i]);
        }
        add_intervals(&s->w, lots);
        jb_slot_free(&m, s);
    }
    jb_slots_clear(&m);
}

static void
each_is_its_own(void **state)
{
    (void)state;
    static struct jb_cached_wallet *all[MANY];
    struct jb_slots m = {0};
    for (unsigned round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < MANY; i++) {
            all[i] = jb_slot_new(&m);
            assert_non_null(all[i]);
            is_new(all[i]);
            all[i]->w.number = i + 1;
            assert_true(jb_wallet_set_id(&all[i]->w, (struct jb_text){"W", 1}));
            const struct jb_lot l = lot(i + 1);
            assert_non_null(jb_wallet_add_lot(&all[i]->w, &l));
        }
        for (uint32_t i = 0; i < MANY; i++) {
            assert_int_equal(all[i]->w.number, i + 1);
            assert_int_equal(all[i]->lot.ordinal, i + 1);
        }
        for (uint32_t i = 0; i < MANY; i++) {
            jb_slot_free(&m, all[i]);
        }
        if (round == 1) {
            jb_slots_clear(&m);
        }
    }
    jb_slots_clear(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_leave_their_first_place), cmocka_unit_test(each_is_its_own),
        cmocka_unit_test(an_interval_alone), cmocka_unit_test(ids_of_each_length)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
