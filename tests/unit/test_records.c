/* Numbers in few bytes, and the records of state.mdb and the rows of views.mdb that are made of
 * them: each has one form, and whatever is not that form is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <jangbu/command.h>

#include "projections/wallet_summary.h"
#include "state/rows.h"
#include "state/state.h"

/* splitmix64: the same numbers each time. */
static uint64_t seed;
static uint64_t
next(void)
{
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Of any length, none being usual. */
static uint64_t
number(unsigned bits_max)
{
    const unsigned bits = (unsigned)(next() % (bits_max + 1));
    return next() % 3 == 0 || bits == 0 ? 0 : next() >> (64 - bits);
}

/* The first n bytes, alone in memory: a sanitizer sees who reads behind them. */
static uint8_t *
alone(const uint8_t *p, size_t n)
{
    uint8_t *at = malloc(n > 0 ? n : 1);
    assert_non_null(at);
    memcpy(at, p, n);
    return at;
}

/* ---- numbers ---- */

static void
takes(uint64_t value, size_t bytes)
{
    uint8_t p[JB_NUMBER_BYTES_MAX];
    uint64_t again = ~value;
    assert_int_equal(jb_number_put(p, value), bytes);
    for (size_t n = 0; n <= bytes; n++) {
        uint8_t *at = alone(p, n);
        assert_int_equal(jb_number_get(at, n, &again), n < bytes ? 0 : bytes);
        free(at);
    }
    assert_true(again == value);
    assert_true(jb_unzigzag(jb_zigzag((int64_t)value)) == (int64_t)value);
}

static void
numbers_of_each_length(void **state)
{
    (void)state;
    takes(0, 1);
    for (unsigned bits = 1; bits <= 64; bits++) {
        const size_t bytes = bits > 56 ? 9 : (bits + 6) / 7;
        const uint64_t highest = UINT64_MAX >> (64 - bits);
        takes(highest, bytes);
        takes(highest / 2 + 1, bytes);
    }
    assert_int_equal(jb_zigzag(-1), 1);
    assert_int_equal(jb_zigzag(1), 2);
}

/* Whatever is read is what would be written. */
static void
numbers_have_one_form(void **state)
{
    (void)state;
    unsigned refused = 0, read = 0;
    for (unsigned i = 0; i < 1U << 16; i++) {
        uint8_t p[JB_NUMBER_BYTES_MAX] = {(uint8_t)(i >> 8), (uint8_t)i, (uint8_t)next()};
        uint8_t again[JB_NUMBER_BYTES_MAX];
        uint64_t value;
        size_t n = jb_number_get(p, sizeof p, &value);
        refused += n == 0;
        read += n != 0;
        if (n > 0) {
            assert_int_equal(jb_number_put(again, value), n);
            assert_memory_equal(p, again, n);
        }
    }
    assert_true(refused > 200 && read > 1U << 15);
}

static void
lists_have_one_form(void **state)
{
    (void)state;
    unsigned refused = 0, read = 0;
    for (unsigned n = 1; n <= JB_NUMBERS_MAX; n++) {
        uint64_t list[JB_NUMBERS_MAX], again[JB_NUMBERS_MAX];
        uint8_t p[JB_NUMBERS_BYTES_MAX(JB_NUMBERS_MAX)], q[sizeof p];
        for (unsigned i = 0; i < n; i++) {
            list[i] = number(64);
        }
        const size_t bytes = jb_numbers_put(p, list, n);
        assert_true(bytes <= JB_NUMBERS_BYTES_MAX(n));
        assert_int_equal(jb_numbers_get(p, bytes, again, n), bytes);
        assert_memory_equal(list, again, n * sizeof *list);
        for (size_t left = 0; left < bytes; left++) {
            uint8_t *at = alone(p, left);
            assert_int_equal(jb_numbers_get(at, left, again, n), 0);
            free(at);
        }
        for (size_t bit = 0; bit < 8 * bytes; bit++) {
            p[bit / 8] ^= (uint8_t)(1 << bit % 8);
            const size_t there = jb_numbers_get(p, bytes, again, n);
            refused += there == 0;
            read += there != 0;
            if (there > 0) {
                assert_int_equal(jb_numbers_put(q, again, n), there);
                assert_memory_equal(p, q, there);
            }
            p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    assert_true(refused > 1000 && read > 1000);
}

static void
a_list_of_none_has_bits_of_none(void **state)
{
    (void)state;
    uint64_t list[3] = {0};
    uint8_t p[JB_NUMBERS_BYTES_MAX(3)];
    assert_int_equal(jb_numbers_put(p, list, 3), 1);
    assert_int_equal(p[0], 0);
    p[0] = 1 << 3; /* a fourth one */
    p[1] = 1;
    assert_int_equal(jb_numbers_get(p, sizeof p, list, 3), 0);
    p[0] = 1;
    p[1] = 0; /* said to be there, and none */
    assert_int_equal(jb_numbers_get(p, sizeof p, list, 3), 0);
}

/* ---- records ---- */

/* One kind of record: something of it is made, written and read. */
struct kind {
    size_t bytes; /* of the struct */
    void (*make)(void *item);
    bool (*write)(const void *item, struct jb_buffer *out);
    jb_status (*read)(const uint8_t *p, size_t n, void *ret);
    void (*drop)(void *item);
};

static jb_amount
some(jb_amount most)
{
    return (jb_amount)(number(62) % ((uint64_t)most + 1));
}

static void
make_lot(void *item)
{
    struct jb_lot *l = item;
    *l = (struct jb_lot){.ordinal = (uint32_t)number(32), .seq = number(64)};
    l->amount = some(JB_BALANCE_MAX);
    l->reversed = some(l->amount);
    l->refunded = some(l->amount - l->reversed);
    l->remaining = some(l->amount - l->reversed - l->refunded);
}

static void
make_grant(void *item)
{
    struct jb_grant *g = item;
    *g = (struct jb_grant){.ordinal = (uint32_t)number(32),
                           .state = (uint32_t)number(3),
                           .expires_on = (jb_day)number(32),
                           .seq = number(64),
                           .amount = some(JB_BALANCE_MAX),
                           .activated_seq = number(64),
                           .activated_at = (jb_instant)number(64),
                           .returned_at = JB_NO_INSTANT};
    g->remaining = some(g->amount);
}

static void
make_refund(void *item)
{
    struct jb_refund *r = item;
    *r = (struct jb_refund){.ordinal = (uint32_t)number(32),
                            .state = (uint32_t)number(3),
                            .seq = number(64),
                            .amount = some(JB_BALANCE_MAX),
                            .legs_n = (uint32_t)number(3)};
    r->legs = calloc(r->legs_n + 1U, sizeof *r->legs);
    assert_non_null(r->legs);
    for (uint32_t i = 0; i < r->legs_n; i++) {
        r->legs[i] = (struct jb_part){.kind = (uint32_t)number(2),
                                      .ordinal = (uint32_t)number(32),
                                      .amount = some(JB_BALANCE_MAX)};
    }
}

static void
drop_refund(void *item)
{
    free(((struct jb_refund *)item)->legs);
}

static void
make_interval(void *item)
{
    *(struct jb_interval *)item = (struct jb_interval){.ordinal = (uint32_t)number(32),
                                                       .status = (uint32_t)number(3),
                                                       .from = (jb_instant)number(64),
                                                       .seq = number(64)};
}

#define MAKE_LIST(list, type, reserve, make)                                                       \
    for (size_t n = next() % 4; n > 0; n--) {                                                      \
        struct type made;                                                                          \
        make(&made);                                                                               \
        assert_true(reserve(&(list), (list).n + 1));                                               \
        (list).at[(list).n++] = made;                                                              \
    }

static void
make_wallet(void *item)
{
    struct jb_wallet *to = item;
    char id[JB_ID_BYTES_MAX];
    *to = (struct jb_wallet){.number = (uint32_t)number(32),
                             .status = (uint8_t)number(3),
                             .kind = (uint8_t)number(2),
                             .settlement = (uint8_t)number(1),
                             .version = number(64),
                             .paid = some(JB_BALANCE_MAX) * (next() % 2 == 0 ? 1 : -1),
                             .free = some(JB_BALANCE_MAX),
                             .tax_month = next() % 2 == 0 ? 0 : 202603,
                             .tax_net = (jb_amount)number(64),
                             .tax_newest = number(64),
                             .created_seq = number(64),
                             .name_ref = number(64),
                             .lots_given = (uint32_t)number(32),
                             .intervals_given = (uint32_t)number(32),
                             .under = (uint8_t)number(3)};
    memset(id, 'x', sizeof id);
    assert_true(jb_wallet_set_id(to, (struct jb_text){id, next() % (JB_ID_BYTES_MAX + 1)}));
    MAKE_LIST(to->lots, jb_lot, jb_list_reserve, make_lot)
    if (next() % 4 == 0) {
        return;
    }
    struct jb_wallet_rest *r = jb_wallet_rest(to);
    assert_non_null(r);
    r->dormant = some(JB_BALANCE_MAX);
    r->limit = some(JB_BALANCE_MAX);
    r->pending = some(JB_BALANCE_MAX);
    r->transit = some(JB_BALANCE_MAX);
    r->grants_given = (uint32_t)number(32);
    r->refunds_given = (uint32_t)number(32);
    r->refunds_open = (uint32_t)number(32);
    MAKE_LIST(r->grants, jb_grant, jb_list_reserve, make_grant)
    MAKE_LIST(r->refunds, jb_refund, jb_list_reserve, make_refund)
    MAKE_LIST(r->intervals, jb_interval, jb_list_reserve, make_interval)
}

static void
drop_wallet(void *item)
{
    jb_wallet_free(item);
}

static void
make_globals(void *item)
{
    struct jb_globals *to = item;
    *to = (struct jb_globals){.seq = number(64),
                              .recorded_at = next() % 2 == 0 ? JB_NO_INSTANT : (jb_instant)next(),
                              .first_open_day = JB_NO_DAY,
                              .closed_through = (jb_day)number(32),
                              .utc_offset_s = -(int32_t)number(16),
                              .totals_n = (uint32_t)(next() % (JB_TOTALS_N + 1)),
                              .closing_paid = -(jb_wide)number(64) * INT32_MAX,
                              .wallets = (jb_wide)number(64) << 63};
    for (size_t n = next() % 3; n > 0; n--) {
        assert_true(jb_vec_reserve(&to->policies, to->policies.n + 1));
        to->policies.at[to->policies.n++] = (struct jb_policy_setting){
            (uint32_t)number(8), -(int64_t)number(60), (jb_instant)number(64), number(64)};
        assert_true(jb_vec_reserve(&to->open, to->open.n + 1));
        struct jb_open_day *day = &to->open.at[to->open.n++];
        *day = (struct jb_open_day){.day = (jb_day)number(16)};
        for (unsigned i = 0; i < JB_TOTALS_N; i++) {
            day->t[i] = (jb_wide)number(64) * (next() % 2 == 0 ? 1 : -1);
        }
    }
}

static void
drop_globals(void *item)
{
    jb_globals_free(item);
}

#define OF(name)                                                                                   \
    static bool write_##name(const void *item, struct jb_buffer *out)                              \
    {                                                                                              \
        return jb_record_##name(item, out);                                                        \
    }                                                                                              \
    static jb_status read_##name(const uint8_t *p, size_t n, void *ret)                            \
    {                                                                                              \
        memset(ret, 0, sizeof(struct jb_##name));                                                  \
        return jb_read_##name(p, n, ret);                                                          \
    }
OF(lot)
OF(grant)
OF(refund)
OF(interval)
OF(wallet)
OF(globals)

static void
drop_nothing(void *item)
{
    (void)item;
}

#define KIND(name, drop)                                                                           \
    {                                                                                              \
        sizeof(struct jb_##name), make_##name, write_##name, read_##name, drop                     \
    }
static const struct kind kinds[] = {
    KIND(lot, drop_nothing),      KIND(grant, drop_nothing), KIND(refund, drop_refund),
    KIND(interval, drop_nothing), KIND(wallet, drop_wallet), KIND(globals, drop_globals),
};

union any {
    struct jb_lot lot;
    struct jb_grant grant;
    struct jb_refund refund;
    struct jb_interval interval;
    struct jb_wallet wallet;
    struct jb_globals globals;
};

/* Read, and written again as the same bytes. False: refused. */
static bool
reads(const struct kind *k, const uint8_t *p, size_t n)
{
    struct jb_buffer again = {0};
    union any item;
    uint8_t *at = alone(p, n);
    const jb_status status = k->read(at, n, &item);
    free(at);
    if (status == JB_OK) {
        assert_true(k->write(&item, &again));
        assert_int_equal(again.n, n);
        assert_memory_equal(again.at, p, n);
    } else {
        assert_int_equal(status, JB_E_STALE);
    }
    free(again.at);
    k->drop(&item);
    return status == JB_OK;
}

#define ROUNDS 60

static void
each_record_has_one_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct kind *k = &kinds[i];
        unsigned refused = 0;
        for (unsigned round = 0; round < ROUNDS; round++) {
            struct jb_buffer record = {0};
            union any item;
            k->make(&item);
            assert_true(k->write(&item, &record));
            k->drop(&item);
            assert_true(reads(k, record.at, record.n));
            for (size_t n = 0; n < record.n; n++) {
                assert_false(reads(k, record.at, n));
            }
            for (size_t bit = 0; bit < 8 * record.n; bit++) {
                record.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
                refused += !reads(k, record.at, record.n);
                record.at[bit / 8] ^= (uint8_t)(1 << bit % 8);
            }
            uint8_t *more = calloc(1, record.n + 1);
            assert_non_null(more);
            memcpy(more, record.at, record.n);
            assert_false(reads(k, more, record.n + 1));
            free(more);
            free(record.at);
        }
        assert_true(refused > ROUNDS);
    }
}

/* What a wallet is that was charged once and consumes: rows of which there are as many as wallets
 * stay short. */
static void
a_usual_wallet_is_short(void **state)
{
    (void)state;
    struct jb_lot l = {.ordinal = 1, .seq = 20000000, .amount = 1000000, .remaining = 765432};
    struct jb_interval v = {.ordinal = 1,
                            .status = JB_WALLET_ACTIVE,
                            .from = INT64_C(1767193200000000),
                            .seq = 19999999};
    struct jb_wallet w = {.number = 9999999,
                          .status = JB_WALLET_ACTIVE,
                          .kind = JB_KIND_BUSINESS,
                          .version = 100000000,
                          .paid = 765432,
                          .id_n = 8,
                          .id = {.inside = "W9999999"},
                          .lots = {&l, 1, 1},
                          .began = true,
                          .since = v.from,
                          .created_seq = 19999999,
                          .name_ref = 9999999,
                          .lots_given = 1,
                          .intervals_given = 1};
    struct jb_buffer record = {0};
    assert_true(jb_record_wallet(&w, &record));
    assert_in_range(record.n, 40, 72);
    free(record.at);
}

static void
what_is_over_is_not_in_a_wallet(void **state)
{
    (void)state;
    struct jb_buffer record = {0};
    struct jb_lot l = {.ordinal = 1, .seq = 2, .amount = 3, .remaining = 1};
    struct jb_wallet w = {.number = 1, .lots = {&l, 1, 1}}, again = {0};
    assert_true(jb_record_wallet(&w, &record));
    assert_int_equal(jb_read_wallet(record.at, record.n, &again), JB_OK);
    jb_wallet_free(&again);
    /* Its last number is what remains: the same without it. */
    assert_int_equal(record.at[record.n - 1], 1);
    assert_int_equal(record.at[record.n - 5], 0x0f);
    record.at[record.n - 5] = 0x07;
    again = (struct jb_wallet){0};
    assert_int_equal(jb_read_wallet(record.at, record.n - 1, &again), JB_E_STALE);
    jb_wallet_free(&again);
    free(record.at);
}

/* ---- rows of a wallet, where somebody else may have stored meanwhile ---- */

#define WALLET 7
#define OTHER 8
static const struct archived {
    uint32_t wallet;
    enum jb_archived_kind kind;
    uint32_t ordinal;
} theirs[] = {{WALLET, JB_ARCHIVED_LOT, 1},      {WALLET, JB_ARCHIVED_FULL_LOT, 1},
              {WALLET, JB_ARCHIVED_GRANT, 2},    {WALLET, JB_ARCHIVED_REFUND, 3},
              {WALLET, JB_ARCHIVED_INTERVAL, 4}, {WALLET, JB_ARCHIVED_FULL_LOT, 5},
              {OTHER, JB_ARCHIVED_LOT, 1}};
#define THEIRS (sizeof theirs / sizeof theirs[0])

static bool
is_archived(struct jb_store_txn *t, const struct archived *a)
{
    uint8_t key[9];
    const void *value;
    size_t n;
    struct jb_error err;
    jb_archive_key(key, a->wallet, a->kind, a->ordinal);
    jb_status status = jb_store_get(t, JB_TABLE_ARCHIVE, key, sizeof key, &value, &n, &err);
    assert_true(status == JB_OK || status == JB_E_NOTFOUND);
    return status == JB_OK;
}

/* Items 1 to 4 live, lot 5 is over and has room. */
static void
put_rows(struct jb_store_txn *t, bool doubt)
{
    struct jb_buffer rows = {0};
    struct jb_error err;
    struct jb_lot lots[2] = {{.ordinal = 1, .amount = 3, .remaining = 1},
                             {.ordinal = 5, .amount = 3}};
    struct jb_grant g = {.ordinal = 2, .amount = 3, .remaining = 1};
    struct jb_refund r = {.ordinal = 3, .state = JB_REFUND_REQUESTED};
    struct jb_interval v = {.ordinal = 4};
    struct jb_wallet_rest rest = {
        .grants = {&g, 1, 1}, .refunds = {&r, 1, 1}, .intervals = {&v, 1, 1}};
    struct jb_wallet w = {
        .number = WALLET, .lots = {lots, 2, 2}, .rest = &rest, .intervals_given = 4};
    assert_true(jb_rows_wallet(&rows, &w));
    struct jb_wallet_runs runs;
    struct jb_wallet_pages pages;
    assert_int_equal(jb_wallet_runs_get(t, &runs, &err), JB_OK);
    jb_wallet_pages_begin(&pages, &runs, t);
    assert_int_equal(jb_rows_put(&rows, 0, rows.n, doubt, &pages, t, &err), JB_OK);
    assert_int_equal(jb_wallet_pages_end(&pages, JB_OK, &err), JB_OK);
    free(rows.at);
}

static void
what_others_stored_as_over_goes_in_doubt(void **state)
{
    (void)state;
    const uint8_t nothing[16] = {0};
    const struct archived ours = {WALLET, JB_ARCHIVED_LOT, 5};
    char dir[] = "/tmp/jangbu-records-XXXXXX", command[64];
    struct jb_store *s;
    struct jb_error err;
    bool remade;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(jb_store_open(dir, &jb_state_schema, nothing, false, &s, &remade, &err),
                     JB_OK);
    for (jb_seq seq = 1; seq <= 2; seq++) {
        const bool doubt = seq == 2;
        struct jb_store_txn t;
        assert_int_equal(jb_store_write(s, &t, &err), JB_OK);
        for (size_t i = 0; i < THEIRS; i++) {
            uint8_t key[9];
            jb_archive_key(key, theirs[i].wallet, theirs[i].kind, theirs[i].ordinal);
            assert_int_equal(jb_store_put(&t, JB_TABLE_ARCHIVE, key, sizeof key, "x", 1, &err),
                             JB_OK);
        }
        put_rows(&t, doubt);
        assert_int_equal(jb_store_commit(&t, seq, nothing, &err), JB_OK);
        assert_int_equal(jb_store_read(s, &t, &err), JB_OK);
        assert_true(is_archived(&t, &ours));
        for (size_t i = 0; i < THEIRS; i++) {
            assert_int_equal(is_archived(&t, &theirs[i]), !doubt || theirs[i].wallet == OTHER);
        }
        jb_store_end(&t);
    }
    jb_store_close(s);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

/* ---- rows of views.mdb ---- */

static jb_day
some_day(void)
{
    return (jb_day)(uint32_t)number(32);
}

/* Whatever stands in a row of a day: the figures of two ways may differ, and any may be too much.
 */
static void
day_rows(void **state)
{
    (void)state;
    unsigned read = 0;
    for (unsigned i = 0; i < 2000; i++) {
        struct jb_day_row r = {.day = some_day(), .first_seq = number(64), .last_seq = number(64)},
                          b;
        uint8_t p[JB_DAY_ROW_BYTES_MAX], q[sizeof p];
        r.paid = (jb_amount)number(64);
        r.free = i % 7 == 0 ? JB_TOO_MUCH : (jb_amount)number(64);
        r.total =
            i % 2 == 0 ? (jb_amount)((uint64_t)r.paid + (uint64_t)r.free) : (jb_amount)number(64);
        for (unsigned k = 0; k < JB_FLOWS_N; k++) {
            r.flows[k] = (jb_amount)number(64);
        }
        const size_t n = jb_day_row_encode(&r, p);
        assert_true(n <= sizeof p && jb_day_row_decode(r.day, p, n, &b));
        assert_true(b.day == r.day && b.total == r.total && b.paid == r.paid && b.free == r.free &&
                    b.first_seq == r.first_seq && b.last_seq == r.last_seq);
        assert_memory_equal(b.flows, r.flows, sizeof r.flows);
        for (size_t left = 0; left < n; left++) {
            uint8_t *at = alone(p, left);
            assert_false(jb_day_row_decode(r.day, at, left, &b));
            free(at);
        }
        p[next() % n] ^= (uint8_t)(1 << next() % 8);
        if (jb_day_row_decode(r.day, p, n, &b)) {
            read++;
            assert_int_equal(jb_day_row_encode(&b, q), n);
            assert_memory_equal(p, q, n);
        }
    }
    assert_true(read > 100);
}

static void
make_summary(struct jb_summary *w)
{
    *w = (struct jb_summary){.version = number(64),
                             .created_seq = number(64),
                             .events = number(64),
                             .snapshot_events = number(64),
                             .created_on = some_day(),
                             .status = (uint32_t)number(32),
                             .under = (uint32_t)number(32),
                             .paid = (jb_amount)number(64),
                             .pending = (jb_amount)number(64),
                             .transit = (jb_amount)number(64),
                             .kind = (uint32_t)number(32),
                             .name = number(64),
                             .master = number(64),
                             .used_at = next() % 3 == 0 ? JB_NO_INSTANT : (jb_instant)number(64),
                             .moved = number(64)};
    w->grants.n = next() % 4;
    w->marks.n = next() % 4;
    w->lasts.n = next() % 4;
    assert_true(jb_vec_reserve(&w->grants, 4) && jb_vec_reserve(&w->marks, 4) &&
                jb_vec_reserve(&w->lasts, 4));
    for (size_t i = 0; i < 4; i++) {
        w->grants.at[i] = (struct jb_summary_grant){(uint32_t)number(32), next() % 2 == 0,
                                                    some_day(), (jb_amount)number(64), number(64)};
        w->marks.at[i] = (struct jb_mark){.day = some_day(),
                                          .cause = (uint8_t)(next() % JB_CAUSES_N),
                                          .late = next() % 2 == 0,
                                          .n = number(64),
                                          .first = number(64)};
        w->marks.at[i].amount = (jb_wide)((jb_uwide)number(64) << 64 | number(64));
        w->lasts.at[i] = (struct jb_last){number(64), (uint32_t)(next() % JB_EV_TYPES)};
    }
}

static bool
is_read(const struct jb_summary *w)
{
    uint8_t *p = malloc(jb_summary_bytes_max(w));
    struct jb_summary b;
    assert_non_null(p);
    const jb_status status = jb_summary_decode(p, jb_summary_encode(w, p), &b);
    assert_true(status == JB_OK || status == JB_E_STALE);
    if (status == JB_OK) {
        jb_summary_free(&b);
    }
    free(p);
    return status == JB_OK;
}

/* Types and causes are places in tables. */
static void
summaries_have_types_and_causes_that_there_are(void **state)
{
    (void)state;
    struct jb_last last = {1, JB_EV_TYPES - 1};
    struct jb_mark mark = {.cause = JB_CAUSES_N - 1};
    struct jb_summary w = {.lasts = {.at = &last, .n = 1}, .marks = {.at = &mark, .n = 1}};
    assert_true(is_read(&w));
    last.type = JB_EV_TYPES;
    assert_false(is_read(&w));
    last.type = 0;
    mark.cause = JB_CAUSES_N;
    assert_false(is_read(&w));
}

static void
summaries(void **state)
{
    (void)state;
    unsigned read = 0, refused = 0;
    for (unsigned i = 0; i < 2000; i++) {
        struct jb_summary w, b;
        make_summary(&w);
        uint8_t *p = malloc(jb_summary_bytes_max(&w)), *q = malloc(jb_summary_bytes_max(&w));
        assert_true(p != NULL && q != NULL);
        const size_t n = jb_summary_encode(&w, p);
        assert_true(n <= jb_summary_bytes_max(&w));
        assert_int_equal(jb_summary_decode(p, n, &b), JB_OK);
        assert_int_equal(jb_summary_encode(&b, q), n);
        assert_memory_equal(p, q, n);
        /* The members that a summary says twice in no other way. */
        assert_true(b.version == w.version && b.moved == w.moved && b.used_at == w.used_at &&
                    b.created_on == w.created_on && b.transit == w.transit && b.name == w.name);
        for (size_t k = 0; k < w.marks.n; k++) {
            assert_true(b.marks.at[k].amount == w.marks.at[k].amount &&
                        b.marks.at[k].first == w.marks.at[k].first);
        }
        jb_summary_free(&b);
        for (size_t left = 0; left < n; left++) {
            uint8_t *at = alone(p, left);
            assert_int_equal(jb_summary_decode(at, left, &b), JB_E_STALE);
            free(at);
        }
        p[next() % n] ^= (uint8_t)(1 << next() % 8);
        const jb_status status = jb_summary_decode(p, n, &b);
        assert_true(status == JB_OK || status == JB_E_STALE);
        refused += status != JB_OK;
        if (status == JB_OK) {
            read++;
            uint8_t *again = malloc(jb_summary_bytes_max(&b));
            assert_non_null(again);
            assert_int_equal(jb_summary_encode(&b, again), n);
            assert_memory_equal(p, again, n);
            free(again);
            jb_summary_free(&b);
        }
        jb_summary_free(&w);
        free(p);
        free(q);
    }
    assert_true(read > 100 && refused > 100);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_each_length),
        cmocka_unit_test(numbers_have_one_form),
        cmocka_unit_test(lists_have_one_form),
        cmocka_unit_test(a_list_of_none_has_bits_of_none),
        cmocka_unit_test(each_record_has_one_form),
        cmocka_unit_test(a_usual_wallet_is_short),
        cmocka_unit_test(what_is_over_is_not_in_a_wallet),
        cmocka_unit_test(what_others_stored_as_over_goes_in_doubt),
        cmocka_unit_test(day_rows),
        cmocka_unit_test(summaries),
        cmocka_unit_test(summaries_have_types_and_causes_that_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
