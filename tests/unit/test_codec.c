/* Events to bytes and back: one encoding each, nothing else decodes, no bytes can hurt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <jangbu/command.h>
#include <msgpack.h>

#include "event/codec.h"
#include "ledger/answers.h"

static const struct jb_event_context context = {INT64_C(1790000000000000), 32400};

/* Something for a field: every type is filled from its row, so that a new one is tested, too. */
static void
fill(struct jb_event *e, const struct jb_field_info *f, int64_t size, unsigned round,
     struct jb_part parts[4], struct jb_figure figures[3], struct jb_int128 totals[JB_TOTALS_N])
{
    static const char id[] = "id-한글-0123456789012345678901234567890";
    void *at = (char *)e + f->offset;
    struct jb_text text = {id, 1 + round % 40};
    bool short_form = f->kind == JB_FK_SPLIT && round % 2 == 0;
    switch (f->kind) {
    case JB_FK_TEXT:
        /* A text must not be cut inside a character. */
        while (!jb_utf8_valid(text.s, text.n, NULL)) {
            text.n--;
        }
        *(struct jb_text *)at = text;
        break;
    case JB_FK_OPT_TEXT:
        *(struct jb_text *)at =
            round % 2 ? (struct jb_text){"tosspayments", 12} : (struct jb_text){0};
        break;
    case JB_FK_ORDINAL:
        *(uint32_t *)at = 1 + round;
        break;
    case JB_FK_UINT:
    case JB_FK_NAME:
        *(uint32_t *)at = 1;
        break;
    case JB_FK_BOOL:
        *(bool *)at = round % 2 != 0;
        break;
    case JB_FK_AMOUNT:
        *(jb_amount *)at = size;
        break;
    case JB_FK_AMOUNT0:
        *(jb_amount *)at = size / 2;
        break;
    case JB_FK_INT:
        *(int64_t *)at = round % 2 ? -size : size;
        break;
    case JB_FK_REF:
        *(uint64_t *)at = round * UINT64_C(1000000);
        break;
    case JB_FK_SEQ:
        *(jb_seq *)at = round % 2 ? 0 : 12;
        break;
    case JB_FK_DAY:
        *(jb_day *)at = (jb_day)(20000 + round);
        break;
    case JB_FK_OPT_INSTANT:
        *(jb_instant *)at = round % 2 ? JB_NO_INSTANT : context.base;
        break;
    case JB_FK_ID16:
        memset(at, (int)round, 16);
        break;
    case JB_FK_SPLIT:
    case JB_FK_PARTS_FROM:
    case JB_FK_PARTS_TO:
        if (short_form) {
            parts[0] = (struct jb_part){JB_PART_LOT, 1 + round, size};
        }
        *(struct jb_parts *)at = (struct jb_parts){parts, short_form ? 1 : 3};
        break;
    case JB_FK_FIGURES:
        *(struct jb_figures *)at = (struct jb_figures){figures, 2};
        break;
    case JB_FK_TOTALS:
        *(const struct jb_int128 **)at = totals;
        break;
    }
}

/* An event of the type with something in every field. round: other values each time. */
static void
make(uint32_t type, unsigned round, struct jb_event *e, struct jb_part parts[4],
     struct jb_figure figures[3], struct jb_int128 totals[JB_TOTALS_N])
{
    static const int64_t sizes[] = {1,
                                    127,
                                    128,
                                    255,
                                    256,
                                    65535,
                                    65536,
                                    INT64_C(4294967295),
                                    INT64_C(4294967296),
                                    JB_BALANCE_MAX};
    int64_t size = sizes[round % 10];
    memset(e, 0, sizeof *e);
    e->seq = 1000;
    e->type = type;
    e->version = 1;
    bool ledger = type == JB_EV_LEDGER_CREATED || type == JB_EV_POLICY_SET ||
                  type == JB_EV_DAY_CLOSED || type == JB_EV_COMMAND_REFUSED;
    e->wallet = ledger ? 0 : 1 + round * 7;
    e->prev = ledger ? 0 : 1000 - 1 - round;
    e->recorded_at = e->occurred_at = context.base + (int64_t)round * 4001;
    e->posted_on = jb_day_of(e->recorded_at, context.utc_offset_s);
    if (round % 2 == 1) {
        e->flags |= JB_EVF_KEY | JB_EVF_NOTE;
        e->key = (struct jb_text){"key-1", 5};
        e->caller = (struct jb_text){"gateway", round % 4 == 1 ? 7 : 0};
        e->fingerprint = UINT64_MAX - round;
        e->note = 77;
    }
    if (round % 3 == 1) {
        e->flags |= JB_EVF_OCCURRED | JB_EVF_POSTED | JB_EVF_ACTOR;
        e->occurred_at = e->recorded_at - size % 86400000000;
        e->posted_on -= 1;
        e->actor = 5;
        e->role = (struct jb_text){"OPERATOR", 8};
    }
    if (round % 5 == 4) {
        e->flags |= JB_EVF_CAUSE | JB_EVF_GROUP;
        e->cause = 9;
        e->group_events = 3;
        e->group_commands = 2;
    }
    parts[0] = (struct jb_part){JB_PART_GRANT, 1 + round, size};
    parts[1] = (struct jb_part){JB_PART_LOT, 2 + round * 100, 5};
    parts[2] = (struct jb_part){JB_PART_DEBT, 0, 1};
    figures[0] = (struct jb_figure){JB_FIG_AVAILABLE, -size};
    figures[1] = (struct jb_figure){JB_FIG_STATUS, 2};
    for (unsigned i = 0; i < JB_TOTALS_N; i++) {
        jb_wide_put(totals[i].be, (jb_wide)size * (int)i - 3);
    }
    const struct jb_event_type_info *info = jb_event_type_get(type);
    for (uint32_t i = 0; i < info->fields_n; i++) {
        fill(e, &info->fields[i], size, round, parts, figures, totals);
    }
}

struct made {
    struct jb_event e;
    struct jb_part parts[4];
    struct jb_figure figures[3];
    struct jb_int128 totals[JB_TOTALS_N];
    struct jb_buffer bytes;
};

static void
encode(uint32_t type, unsigned round, struct made *m)
{
    make(type, round, &m->e, m->parts, m->figures, m->totals);
    m->bytes.n = 0;
    assert_true(jb_event_encode(&m->e, &context, &m->bytes));
}

static size_t
decode(const uint8_t *bytes, size_t n, struct jb_event *e, struct jb_event_space *space)
{
    struct jb_decode_failure failure;
    return jb_event_decode(bytes, n, 1000, &context, e, space, &failure);
}

/* Decodes to an event that encodes to the same bytes. */
static void
assert_same(const uint8_t *bytes, size_t n, struct jb_event_space *space)
{
    struct jb_event e;
    struct jb_buffer again = {0};
    assert_int_equal(decode(bytes, n, &e, space), n);
    assert_true(jb_event_encode(&e, &context, &again));
    assert_int_equal(again.n, n);
    assert_memory_equal(again.at, bytes, n);
    free(again.at);
}

static void
round_trip(void **state)
{
    (void)state;
    struct made m = {0};
    struct jb_event_space space = {0};
    for (uint32_t type = 1; type < JB_EV_TYPES; type++) {
        for (unsigned round = 0; round < 30; round++) {
            encode(type, round, &m);
            assert_same(m.bytes.at, m.bytes.n, &space);
            assert_int_equal(jb_event_length(m.bytes.at, m.bytes.n), m.bytes.n);
        }
    }
    free(m.bytes.at);
    jb_event_space_free(&space);
}

/* Cut anywhere, an event is no event; what stands behind it is not touched. */
static void
cut(void **state)
{
    (void)state;
    struct made m = {0};
    struct jb_event_space space = {0};
    struct jb_event e;
    for (uint32_t type = 1; type < JB_EV_TYPES; type++) {
        encode(type, 7, &m);
        for (size_t n = 0; n < m.bytes.n; n++) {
            uint8_t *copy =
                malloc(n + 1); /* of exactly that size, so that a sanitizer sees a read too far */
            memcpy(copy, m.bytes.at, n);
            assert_int_equal(decode(copy, n, &e, &space), 0);
            free(copy);
        }
        uint8_t longer[4096] = {0};
        memcpy(longer, m.bytes.at, m.bytes.n);
        assert_int_equal(decode(longer, sizeof longer, &e, &space), m.bytes.n);
    }
    free(m.bytes.at);
    jb_event_space_free(&space);
}

/* Whatever decodes is canonical: bytes changed at random either are no event or encode to
 * themselves. */
static void
mutated(void **state)
{
    (void)state;
    struct made m = {0};
    struct jb_event_space space = {0};
    struct jb_event e;
    uint64_t seed = 20261124, accepted = 0;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (unsigned i = 0; i < 200000; i++) {
        encode(1 + i % (JB_EV_TYPES - 1), i % 30, &m);
        for (unsigned k = 0; k <= i % 3; k++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
            m.bytes.at[(seed >> 33) % m.bytes.n] = (uint8_t)(seed >> 55);
        }
        size_t n = decode(m.bytes.at, m.bytes.n, &e, &space);
        if (n > 0 && jb_event_type_get(e.type) != NULL) {
            accepted++;
            assert_same(m.bytes.at, n, &space);
        }
    }
    assert_true(accepted > 1000);
    free(m.bytes.at);
    jb_event_space_free(&space);
}

static void
hostile(void **state)
{
    (void)state;
    struct jb_event_space space = {0};
    struct jb_event e;
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {
        {"\xdd\x10\x00\x00\x00", 5},                          /* an array of 268 million */
        {"\x9a\x12\x00\x01\x00\x00\xdb\xff\xff\xff\xff", 11}, /* a text of 4 GiB */
        {"\x98\xcc\x12\x00\x01\x00\x00\xa1x\x05\x01", 11},    /* type 18 not in its shortest form */
        {"\xdc\x00\x08\x12\x00\x01\x00\x00\xa1x\x05\x01", 12}, /* the array's length likewise */
        {"\x98\x12\x00\x01\x00\x00\xd9\x01x\x05\x01", 11},     /* a text's length likewise */
        {"\x98\x12\x00\x01\x00\x00\xa1\xff\x05\x01", 10},      /* not UTF-8 */
        {"\x98\x12\x00\x01\x00\x00\xa1x\x00\x01", 10},         /* amount 0 */
        {"\x98\x12\x00\x01\x00\x00\xa1x\x05\x00", 10},         /* lot 0 */
        {"\x98\x12\x00\x01\x00\x00\xa1x\x05\x92\x05\x05", 12}, /* one lot in the long form */
        {"\x98\x12\x00\x01\x00\x00\xa1x\xff\x01", 10},         /* a negative amount */
        {"\x99\x12\x00\x01\x00\x00\xa1x\x05\x01\x01", 11},     /* an element too many */
        {"\x97\x12\x00\x01\x00\x00\xa1x\x05", 9},              /* one too few */
        {"\x99\x12\x04\x01\x00\x00\x00\xa1x\x05\x01",
         11}, /* occurred_at written although it is recorded_at */
        {"\x99\x12\x01\x01\x00\x00\x01\xa1x\x05\x01", 11},     /* version 1 written */
        {"\x98\x12\x00\x00\x05\x00\xa1x\x05\x01", 10},         /* no wallet, yet an event before */
        {"\x98\x12\xcd\x80\x00\x01\x00\x00\xa1x\x05\x01", 12}, /* a flag of the future */
        {"\x81\x01\x02", 3},                                   /* a map */
        {"\xc1", 1},
        {"", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(decode((const uint8_t *)rows[i].bytes, rows[i].n, &e, &space), 0);
    }
    /* The last of these with nothing wrong: otherwise the rows above would prove nothing. */
    assert_int_equal(
        decode((const uint8_t *)"\x98\x12\x00\x01\x00\x00\xa1x\x05\x01", 10, &e, &space), 10);
    jb_event_space_free(&space);
}

/* A type of the future: skipped only where it says that it may be. */
static void
future(void **state)
{
    (void)state;
    struct jb_event_space space = {0};
    struct jb_event e;
    struct jb_decode_failure failure;
    static const uint8_t must[] = {0x97, 0x63, 0x00, 0x01, 0x00, 0x00, 0x92,
                                   0x01, 0xa1, 'x',  0xc4, 0x01, 0x00};
    static const uint8_t may[] = {0x97, 0x63, 0xcd, 0x02, 0x00, 0x01, 0x00, 0x00,
                                  0x92, 0x01, 0xa1, 'x',  0xc4, 0x01, 0x00};
    assert_int_equal(jb_event_decode(must, sizeof must, 1000, &context, &e, &space, &failure), 0);
    assert_true(failure.newer);
    assert_int_equal(jb_event_decode(may, sizeof may, 1000, &context, &e, &space, &failure),
                     sizeof may);
    assert_int_equal(e.type, 0x63);
    jb_event_space_free(&space);
}

/* What generic code asks of an event of any type is what the type's own row says. */
static void
any_type(void **state)
{
    (void)state;
    struct made m = {0};
    for (uint32_t type = 1; type < JB_EV_TYPES; type++) {
        encode(type, 3, &m);
        const struct jb_event_type_info *info = jb_event_type_get(type);
        const char *amount = NULL, *parts = NULL, *ordinal = NULL, *id = NULL;
        uint64_t ref = m.e.note;
        for (uint32_t i = info->fields_n; i-- > 0;) {
            const struct jb_field_info *f = &info->fields[i];
            const char *at = (const char *)&m.e + f->offset;
            amount =
                strcmp(f->name, "amount") == 0 || strcmp(f->name, "forfeited") == 0 ? at : amount;
            parts = strcmp(f->name, "parts") == 0 ? at : parts;
            ordinal = f->kind == JB_FK_ORDINAL ? at : ordinal;
            id = f->kind == JB_FK_TEXT && strcmp(f->name, "currency") != 0 ? at : id;
            ref = f->kind == JB_FK_REF && *(const uint64_t *)(const void *)at > ref
                      ? *(const uint64_t *)(const void *)at
                      : ref;
        }
        assert_int_equal(jb_event_amount(&m.e),
                         amount != NULL ? *(const jb_amount *)(const void *)amount : 0);
        assert_int_equal(jb_event_ordinal(&m.e),
                         ordinal != NULL ? *(const uint32_t *)(const void *)ordinal : 0);
        assert_ptr_equal(jb_event_parts(&m.e).at, parts != NULL ? m.parts : NULL);
        assert_ptr_equal(jb_event_own_id(&m.e).s,
                         id != NULL ? ((const struct jb_text *)(const void *)id)->s : NULL);
        assert_int_equal(jb_event_highest_ref(&m.e), ref);
    }
    /* Nothing is known of what a type of the future carries. */
    m.e.type = JB_EV_CASH_CONSUMED | JB_EV_UNKNOWN_VERSION;
    assert_int_equal(jb_event_amount(&m.e), 0);
    assert_int_equal(jb_event_parts(&m.e).n, 0);
    assert_null(jb_event_own_id(&m.e).s);
    free(m.bytes.at);
}

/* An answer's copy of an event has its own memory for all that the event points to. */
static void
copied(void **state)
{
    (void)state;
    struct made m = {0};
    struct jb_event_space space = {0};
    struct jb_event e;
    jb_answers *answers = jb_answers_new();
    assert_non_null(answers);
    for (uint32_t type = 1; type < JB_EV_TYPES; type++) {
        for (unsigned round = 0; round < 6; round++) {
            encode(type, round, &m);
            uint8_t *bytes = malloc(m.bytes.n);
            assert_non_null(bytes);
            memcpy(bytes, m.bytes.at, m.bytes.n);
            assert_int_equal(decode(bytes, m.bytes.n, &e, &space), m.bytes.n);
            assert_true(jb_answers_begin(answers, 1));
            const struct jb_event *copy = jb_answers_event(answers, &e);
            assert_non_null(copy);
            memset(bytes, 0xff, m.bytes.n);
            free(bytes);
            memset(space.parts.at, 0xff, space.parts.cap * sizeof *space.parts.at);
            memset(space.figures, 0xff, sizeof space.figures);
            memset(space.totals, 0xff, sizeof space.totals);
            struct jb_buffer again = {0};
            assert_true(jb_event_encode(copy, &context, &again));
            assert_int_equal(again.n, m.bytes.n);
            assert_memory_equal(again.at, m.bytes.at, again.n);
            free(again.at);
        }
    }
    jb_answers_free(answers);
    jb_event_space_free(&space);
    free(m.bytes.at);
}

/* msgpack-c reads what we wrote as we mean it. */
static void
other_unpacker(void **state)
{
    (void)state;
    struct made m = {0};
    for (uint32_t type = 1; type < JB_EV_TYPES; type++) {
        for (unsigned round = 0; round < 30; round++) {
            encode(type, round, &m);
            msgpack_unpacked result;
            size_t at = 0;
            msgpack_unpacked_init(&result);
            assert_int_equal(msgpack_unpack_next(&result, (const char *)m.bytes.at, m.bytes.n, &at),
                             MSGPACK_UNPACK_SUCCESS);
            assert_int_equal(at, m.bytes.n);
            assert_int_equal(result.data.type, MSGPACK_OBJECT_ARRAY);
            assert_int_equal(result.data.via.array.ptr[0].via.u64, type);
            assert_int_equal(result.data.via.array.ptr[1].via.u64, m.e.flags);
            msgpack_unpacked_destroy(&result);
        }
    }
    free(m.bytes.at);
}

/* The plain consumption is 32 bytes or less. */
static void
small(void **state)
{
    (void)state;
    struct jb_part part = {JB_PART_LOT, 1, 60000};
    struct jb_event e;
    struct jb_buffer out = {0};
    memset(&e, 0, sizeof e);
    e = (struct jb_event){.seq = 100000,
                          .type = JB_EV_CASH_CONSUMED,
                          .version = 1,
                          .wallet = 60000,
                          .prev = 50000,
                          .cash_consumed = {{"U1234567", 8}, 60000, {&part, 1}}};
    e.recorded_at = e.occurred_at = context.base + 4000;
    e.posted_on = jb_day_of(e.recorded_at, context.utc_offset_s);
    assert_true(jb_event_encode(&e, &context, &out));
    assert_true(out.n <= 27);
    free(out.at);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),     cmocka_unit_test(cut),      cmocka_unit_test(mutated),
        cmocka_unit_test(hostile),        cmocka_unit_test(future),   cmocka_unit_test(small),
        cmocka_unit_test(other_unpacker), cmocka_unit_test(any_type), cmocka_unit_test(copied)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
