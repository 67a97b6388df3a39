/* The map against a list: entries that are put, taken out and taken back, with hashes that fall
 * into one bucket and hashes that are the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/map.h"

#define ENTRIES_MAX 3000
#define STEPS 60000

struct entry {
    uint64_t hash, value;
};

static struct entry list[ENTRIES_MAX];
static size_t list_n;
static uint64_t seed = 4711;

static uint32_t
chance(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % n;
}

/* Few hashes, many of one bucket. */
static uint64_t
some_hash(void)
{
    return chance(40) + UINT64_C(0x100000000) * chance(20);
}

static void
put(struct jb_map *m)
{
    struct entry e = {some_hash(), chance(1000)};
    assert_true(jb_map_put(m, e.hash, e.value));
    list[list_n++] = e;
}

/* As the map has it: the last one takes the place of the newest with that hash and value. */
static void
take_out(struct jb_map *m)
{
    struct entry e = {some_hash(), chance(1000)};
    if (list_n > 0 && chance(4) > 0) {
        e = list[chance((uint32_t)list_n)];
    }
    jb_map_remove(m, e.hash, e.value);
    for (size_t i = list_n; i-- > 0;) {
        if (list[i].hash == e.hash && list[i].value == e.value) {
            list[i] = list[--list_n];
            break;
        }
    }
}

static void
look(const struct jb_map *m)
{
    uint64_t hash = some_hash();
    const struct jb_map_entry *e = jb_map_find(m, hash);
    assert_int_equal(m->entries.n, list_n);
    for (size_t i = list_n; i-- > 0;) {
        if (list[i].hash == hash) {
            assert_non_null(e);
            assert_int_equal(e->value, list[i].value);
            e = jb_map_again(m, e);
        }
    }
    assert_null(e);
}

static void
against_a_list(void **state)
{
    (void)state;
    struct jb_map m = {0};
    jb_map_remove(&m, 1, 1); /* of one that has nothing */
    for (unsigned step = 0; step < STEPS; step++) {
        uint32_t what = chance(100);
        if (what < 50 && list_n < ENTRIES_MAX) {
            put(&m);
        } else if (what < 97) {
            take_out(&m);
        } else {
            size_t n = list_n - (list_n < 30 ? 0 : chance(30));
            jb_map_cut(&m, n);
            list_n = n;
        }
        look(&m);
    }
    jb_map_free(&m);
}

/* Who comes and goes leaves nothing behind. */
static void
no_growth(void **state)
{
    (void)state;
    struct jb_map m = {0};
    for (uint64_t i = 0; i < 100000; i++) {
        assert_true(jb_map_put(&m, i * UINT64_C(0x9e3779b97f4a7c15), i));
        if (i >= 1000) {
            uint64_t gone = i - 1000;
            jb_map_remove(&m, gone * UINT64_C(0x9e3779b97f4a7c15), gone);
        }
    }
    assert_int_equal(m.entries.n, 1000);
    assert_true(m.entries.cap <= 2048 && m.mask < 2048);
    jb_map_free(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(against_a_list),
                                       cmocka_unit_test(no_growth)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
