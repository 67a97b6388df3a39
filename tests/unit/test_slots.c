/* Memory of wallets: each its own, zeroed again after another's use; lists leave their first place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

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
    assert_memory_equal(s->w.id, none.id, sizeof none.id);
    assert_int_equal(s->w.lots.n | s->w.intervals.n | s->w.grants.n | s->w.refunds.n, 0);
    assert_ptr_equal(s->w.lots.at, &s->lot);
    assert_ptr_equal(s->w.intervals.at, &s->interval);
    assert_int_equal(s->w.lots.cap, 1);
    assert_int_equal(s->w.intervals.cap, 1);
    assert_null(s->w.grants.at);
    assert_null(s->w.refunds.at);
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
        for (uint32_t i = 1; i <= lots; i++) {
            const struct jb_interval v = {.ordinal = i, .seq = i};
            assert_non_null(jb_wallet_add_interval(&s->w, &v));
            assert_int_equal(s->w.intervals.at[0].seq, 1);
        }
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
            all[i]->w.id_n = 1;
            all[i]->w.id[0] = 'W';
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(lists_leave_their_first_place),
                                       cmocka_unit_test(each_is_its_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
