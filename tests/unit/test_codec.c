/* Events to bytes and back: one encoding each, nothing else decodes, no bytes can hurt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <jangbu/command.h>
#include <msgpack.h>

#include "event/codec.h"
#include "event/plain.h"
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
    case JB_FK_UINT: /* a refused command that has a wallet's number has no id of it */
        *(uint32_t *)at = strcmp(f->name, "wallet_no") != 0 || round % 2 == 0;
        break;
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
        *(struct jb_totals *)at =
            (struct jb_totals){totals, round % 4 == 2 ? JB_TOTALS_1 : JB_TOTALS_N - round % 6};
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
    if (round % 7 == 5) {
        e->flags |= JB_EVF_CHANNEL;
        e->channel = round % 2 ? JB_SUBJECT_NUMBER_MAX : 1 + round;
    }
    if (round % 7 == 3 || round % 14 == 5) {
        e->flags |= JB_EVF_SUBJECT;
        e->subject_kind = 1 + round % 4;
        e->subject = round % 2 ? JB_SUBJECT_NUMBER_MAX : 1 + round;
        e->subject_prev = round % 3 ? 1 + round : 0;
    }
    jb_event_set_version(e);
    if (round % 4 == 2) { /* an old one, as it was written once */
        e->version = 1;
        e->flags &= ~(uint32_t)JB_EVF_VERSION;
    }
}

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
    assert_null(jb_event_encode(&m->e, &context, &m->bytes));
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
    assert_null(jb_event_encode(&e, &context, &again));
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
    for (uint32_t type = 1; type < JB_EV_TYPES;
         type = type + 1 < JB_EV_TYPES ? given(type + 1) : type + 1) {
        for (unsigned round = 0; round < 30; round++) {
            encode(type, round, &m);
            assert_same(m.bytes.at, m.bytes.n, &space);
            assert_int_equal(jb_event_length(m.bytes.at, m.bytes.n), m.bytes.n);
        }
    }
    free(m.bytes.at);
    jb_event_space_free(&space);
}

/* What is written is read back as the same event; anything else is noticed. */
static void
read_back(void **state)
{
    (void)state;
    struct made m = {0};
    for (uint32_t type = 1; type < JB_EV_TYPES;
         type = type + 1 < JB_EV_TYPES ? given(type + 1) : type + 1) {
        for (unsigned round = 0; round < 30; round++) {
            encode(type, round, &m);
            assert_true(jb_event_reads_back(&m.e, &context, m.bytes.at, m.bytes.n));
            assert_false(jb_event_reads_back(&m.e, &context, m.bytes.at, m.bytes.n - 1));
            struct jb_event other = m.e;
            other.wallet++;
            assert_false(jb_event_reads_back(&other, &context, m.bytes.at, m.bytes.n));
            if ((m.e.flags & JB_EVF_OCCURRED) == 0) {
                other = m.e;
                other.occurred_at--; /* said without its flag: it would be lost */
                assert_false(jb_event_reads_back(&other, &context, m.bytes.at, m.bytes.n));
            }
        }
    }
    free(m.bytes.at);
}

/* Cut anywhere, an event is no event; what stands behind it is not touched. */
static void
cut(void **state)
{
    (void)state;
    struct made m = {0};
    struct jb_event_space space = {0};
    struct jb_event e;
    for (uint32_t type = 1; type < JB_EV_TYPES;
         type = type + 1 < JB_EV_TYPES ? given(type + 1) : type + 1) {
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
        encode(given(i), i % 30, &m);
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

/* Texts that are not the id of what the event makes. */
static bool
is_no_id(const char *field)
{
    static const char *const others[] = {"currency", "search_id", "biz", "agency"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(field, others[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* What generic code asks of an event of any type is what the type's own row says. */
static void
any_type(void **state)
{
    (void)state;
    struct made m = {0};
    for (uint32_t type = 1; type < JB_EV_TYPES;
         type = type + 1 < JB_EV_TYPES ? given(type + 1) : type + 1) {
        encode(type, 3, &m);
        const struct jb_event_type_info *info = jb_event_type_get(type);
        const char *amount = NULL, *parts = NULL, *ordinal = NULL, *id = NULL;
        uint64_t ref = m.e.note;
        for (uint32_t i = info->fields_n; i-- > 0;) {
            const struct jb_field_info *f = &info->fields[i];
            const char *at = (const char *)&m.e + f->offset;
            if (f->since > 1) {
                continue; /* what a refused command asked for moved nothing, and is nobody's id */
            }
            amount =
                strcmp(f->name, "amount") == 0 || strcmp(f->name, "forfeited") == 0 ? at : amount;
            parts = strcmp(f->name, "parts") == 0 ? at : parts;
            ordinal = f->kind == JB_FK_ORDINAL ? at : ordinal;
            id = f->kind == JB_FK_TEXT && !is_no_id(f->name) ? at : id;
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
    for (uint32_t type = 1; type < JB_EV_TYPES;
         type = type + 1 < JB_EV_TYPES ? given(type + 1) : type + 1) {
        for (unsigned round = 0; round < 6; round++) {
            encode(type, round, &m);
            uint8_t *bytes = malloc(m.bytes.n);
            assert_non_null(bytes);
            memcpy(bytes, m.bytes.at, m.bytes.n);
            assert_int_equal(decode(bytes, m.bytes.n, &e, &space), m.bytes.n);
            assert_true(jb_answers_begin(answers, 1));
            const struct jb_event *copy = jb_answers_copy_event(answers, &e);
            assert_non_null(copy);
            memset(bytes, 0xff, m.bytes.n);
            free(bytes);
            if (space.parts.at != NULL) {
                memset(space.parts.at, 0xff, space.parts.cap * sizeof *space.parts.at);
            }
            memset(space.figures, 0xff, sizeof space.figures);
            memset(space.totals, 0xff, sizeof space.totals);
            struct jb_buffer again = {0};
            assert_null(jb_event_encode(copy, &context, &again));
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
    for (uint32_t type = 1; type < JB_EV_TYPES;
         type = type + 1 < JB_EV_TYPES ? given(type + 1) : type + 1) {
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
    assert_null(jb_event_encode(&e, &context, &out));
    assert_true(out.n <= 27);
    free(out.at);
}

/* It is written without the table of its fields: what reads it in one go takes it, and decoding
 * gives the same. */
static void
plain(void **state)
{
    (void)state;
    static const char usage[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    static const uint64_t numbers[] = {1,          0x7f,    0x80,       0xff,       0x100,
                                       UINT16_MAX, 0x10000, UINT32_MAX, 0x40000000, 999999999999999,
                                       0xffffff,   1000};
    enum { NUMBERS = sizeof numbers / sizeof numbers[0] };
    for (size_t i = 0; i < 64 * NUMBERS; i++) {
        uint64_t a = numbers[i % NUMBERS], b = numbers[(i / 3) % NUMBERS];
        uint32_t wallet = a <= UINT32_MAX ? (uint32_t)a : 7,
                 ordinal = b <= UINT32_MAX ? (uint32_t)b : 9;
        struct jb_part part = {JB_PART_LOT, ordinal, (jb_amount)a};
        struct jb_event e;
        memset(&e, 0, sizeof e);
        e = (struct jb_event){
            .seq = UINT64_C(1) << 52,
            .type = JB_EV_CASH_CONSUMED,
            .version = 1,
            .wallet = wallet,
            .cash_consumed = {{usage, 1 + i / NUMBERS}, (jb_amount)a, {&part, 1}}};
        e.prev = e.seq - b;
        e.recorded_at = e.occurred_at = context.base + (jb_instant)(i % 7 * 1000);
        e.posted_on = jb_day_of(e.recorded_at, context.utc_offset_s);
        struct jb_buffer out = {0};
        assert_null(jb_event_encode(&e, &context, &out));
        assert_true(jb_event_reads_back(&e, &context, out.at, out.n));
        uint8_t padded[2 * JB_PLAIN_BYTES_MAX] = {0};
        struct jb_plain_form f;
        assert_true(out.n <= JB_PLAIN_BYTES_MAX);
        memcpy(padded, out.at, out.n);
        assert_int_equal(jb_plain_read(padded, sizeof padded, e.seq, &f), out.n);
        assert_int_equal(f.wallet, wallet);
        assert_int_equal(f.back, b);
        assert_int_equal(f.amount, a);
        assert_int_equal(f.lot, ordinal);
        assert_int_equal(f.usage_n, 1 + i / NUMBERS);
        assert_memory_equal(f.usage, usage, f.usage_n);
        free(out.at);
    }
}

/* Values at and beyond the bounds of everything. */
static const uint64_t wild[] = {0,
                                1,
                                2,
                                5,
                                7,
                                24,
                                25,
                                40,
                                63,
                                64,
                                65,
                                199,
                                299,
                                300,
                                301,
                                JB_FIGURES_MAX,
                                JB_FIGURES_MAX + 1,
                                JB_TOTALS_N,
                                JB_TOTALS_N + 1,
                                JB_PARTS_MAX,
                                JB_PARTS_MAX + 1,
                                JB_PARTS_STORED_MAX,
                                JB_PARTS_STORED_MAX + 1,
                                JB_DAY_MAX,
                                JB_DAY_MAX + 1,
                                (uint64_t)(int64_t)JB_DAY_MIN,
                                (uint64_t)(int64_t)JB_DAY_MIN - 1,
                                INT32_MAX,
                                (uint64_t)INT32_MAX + 1,
                                UINT32_MAX,
                                (uint64_t)JB_AMOUNT_MAX,
                                (uint64_t)JB_AMOUNT_MAX + 1,
                                (uint64_t)JB_BALANCE_MAX,
                                (uint64_t)JB_BALANCE_MAX + 1,
                                (uint64_t)JB_INSTANT_MAX,
                                (uint64_t)JB_INSTANT_MAX + 1,
                                (uint64_t)JB_INSTANT_MIN,
                                (uint64_t)JB_INSTANT_MIN - 1,
                                JB_SUBJECT_NUMBER_MAX,
                                JB_SUBJECT_NUMBER_MAX + 1,
                                INT64_MAX,
                                (uint64_t)INT64_MIN,
                                UINT64_MAX,
                                998,
                                999,
                                1000,
                                1001};

static uint64_t wild_seed = 26;

static uint64_t
next(uint64_t below)
{
    wild_seed = wild_seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (wild_seed >> 33) % below;
}

static uint64_t
any_value(void)
{
    return wild[next(sizeof wild / sizeof wild[0])];
}

/* Texts of any length up to 400 bytes, some of which are no UTF-8. */
static struct jb_text
any_text(void)
{
    static char good[400], bad[400];
    memset(good, 'k', sizeof good);
    memset(bad, 'k', sizeof bad);
    bad[3] = (char)0xff;
    size_t n = (size_t)(any_value() % 400);
    return next(8) == 0 ? (struct jb_text){NULL, 0}
                        : (struct jb_text){next(5) == 0 ? bad : good, n};
}

/* The parts that `wild` asks for, the same list each time; some of them impossible. */
static struct jb_parts
any_parts(void)
{
    static struct jb_part *list;
    if (list == NULL) {
        list = calloc(JB_PARTS_STORED_MAX + 1, sizeof *list);
        assert_non_null(list);
        for (size_t i = 0; i <= JB_PARTS_STORED_MAX; i++) {
            list[i] = (struct jb_part){JB_PART_LOT, 1 + (uint32_t)i % 30, 1 + (jb_amount)i % 100};
        }
    }
    list[0] = (struct jb_part){(uint32_t)next(5), (uint32_t)any_value(), (jb_amount)any_value()};
    uint64_t n = next(40) == 0    ? JB_PARTS_MAX + next(2)
                 : next(400) == 0 ? JB_PARTS_STORED_MAX + next(2)
                                  : next(4);
    return (struct jb_parts){list, (uint32_t)n};
}

static void
spoil_field(struct made *m, const struct jb_field_info *f)
{
    void *at = (char *)&m->e + f->offset;
    static const size_t sizes[] = {
        [JB_FK_ORDINAL] = 4, [JB_FK_UINT] = 4,       [JB_FK_AMOUNT] = 8, [JB_FK_AMOUNT0] = 8,
        [JB_FK_INT] = 8,     [JB_FK_NAME] = 4,       [JB_FK_REF] = 8,    [JB_FK_SEQ] = 8,
        [JB_FK_DAY] = 4,     [JB_FK_OPT_INSTANT] = 8};
    uint64_t value = any_value();
    struct jb_figures *figures = at;
    switch ((int)f->kind) {
    case JB_FK_TEXT:
    case JB_FK_OPT_TEXT:
        *(struct jb_text *)at = any_text();
        break;
    case JB_FK_SPLIT:
    case JB_FK_PARTS_FROM:
    case JB_FK_PARTS_TO:
        *(struct jb_parts *)at = any_parts();
        break;
    case JB_FK_FIGURES:
        m->figures[0] = (struct jb_figure){(uint32_t)any_value(), (int64_t)any_value()};
        figures->n = (uint32_t)next(4);
        break;
    case JB_FK_TOTALS:
        ((struct jb_totals *)at)->n = (uint32_t)any_value();
        break;
    case JB_FK_BOOL:
    case JB_FK_ID16:
        break;
    default:
        memcpy(at, &value, sizes[f->kind]); /* little-endian: the low bytes */
    }
}

static void
spoil_envelope(struct jb_event *e)
{
    switch (next(18)) {
    case 0:
        e->flags ^= 1U << next(16);
        break;
    case 1:
        e->version = (uint32_t)next(4);
        break;
    case 2:
        e->wallet = (uint32_t)any_value();
        break;
    case 3:
        e->prev = any_value();
        break;
    case 4:
        e->recorded_at = (jb_instant)any_value();
        break;
    case 5:
        e->occurred_at = (jb_instant)any_value();
        break;
    case 6:
        e->posted_on = (jb_day)any_value();
        break;
    case 7:
        e->key = any_text();
        break;
    case 8:
        e->caller = any_text();
        break;
    case 9:
        e->role = any_text();
        break;
    case 10:
        e->actor = any_value();
        break;
    case 11:
        e->cause = any_value();
        break;
    case 12:
        e->group_events = (uint32_t)any_value();
        break;
    case 13:
        e->subject_kind = (uint32_t)any_value();
        break;
    case 14:
        e->subject = any_value();
        break;
    case 15:
        e->subject_prev = any_value();
        break;
    case 16:
        e->channel = any_value();
        break;
    default:
        e->recorded_at = e->occurred_at = (jb_instant)any_value();
    }
}

static bool
same_text(struct jb_text a, struct jb_text b, bool may_be_none)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0) &&
           (!may_be_none || (a.s == NULL) == (b.s == NULL));
}

static bool
same_field(const struct jb_event *x, const struct jb_event *y, const struct jb_field_info *f)
{
    const void *a = (const char *)x + f->offset, *b = (const char *)y + f->offset;
    const struct jb_parts *pa = a, *pb = b;
    const struct jb_figures *fa = a, *fb = b;
    const struct jb_totals *ta = a, *tb = b;
    switch ((int)f->kind) {
    case JB_FK_TEXT:
    case JB_FK_OPT_TEXT:
        return same_text(*(const struct jb_text *)a, *(const struct jb_text *)b,
                         f->kind == JB_FK_OPT_TEXT);
    case JB_FK_SPLIT:
    case JB_FK_PARTS_FROM:
    case JB_FK_PARTS_TO:
        if (pa->n != pb->n) {
            return false;
        }
        for (uint32_t i = 0; i < pa->n; i++) {
            if (pa->at[i].kind != pb->at[i].kind || pa->at[i].ordinal != pb->at[i].ordinal ||
                pa->at[i].amount != pb->at[i].amount) {
                return false;
            }
        }
        return true;
    case JB_FK_FIGURES:
        for (uint32_t i = 0; i < fa->n; i++) {
            if (fa->n != fb->n || fa->at[i].name != fb->at[i].name ||
                fa->at[i].value != fb->at[i].value) {
                return false;
            }
        }
        return fa->n == fb->n;
    case JB_FK_TOTALS:
        return ta->n == tb->n && memcmp(ta->at, tb->at, ta->n * sizeof *ta->at) == 0;
    case JB_FK_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case JB_FK_ID16:
        return memcmp(a, b, 16) == 0;
    case JB_FK_ORDINAL:
    case JB_FK_UINT:
    case JB_FK_NAME:
    case JB_FK_DAY:
        return memcmp(a, b, 4) == 0;
    default:
        return memcmp(a, b, 8) == 0;
    }
}

static bool
same_event(const struct jb_event *a, const struct jb_event *b)
{
    bool same = a->seq == b->seq && a->type == b->type && a->version == b->version &&
                a->flags == b->flags && a->wallet == b->wallet && a->prev == b->prev &&
                a->recorded_at == b->recorded_at && a->occurred_at == b->occurred_at &&
                a->posted_on == b->posted_on;
    uint32_t flags = a->flags;
    same = same && ((flags & JB_EVF_KEY) == 0 ||
                    (same_text(a->key, b->key, false) && same_text(a->caller, b->caller, false) &&
                     a->fingerprint == b->fingerprint));
    same = same && ((flags & JB_EVF_ACTOR) == 0 ||
                    (a->actor == b->actor && same_text(a->role, b->role, false)));
    same = same && ((flags & JB_EVF_NOTE) == 0 || a->note == b->note);
    same = same && ((flags & JB_EVF_CAUSE) == 0 || a->cause == b->cause);
    same = same && ((flags & JB_EVF_GROUP) == 0 ||
                    (a->group_events == b->group_events && a->group_commands == b->group_commands));
    same = same && ((flags & JB_EVF_CHANNEL) == 0 || a->channel == b->channel);
    same = same && ((flags & JB_EVF_SUBJECT) == 0 ||
                    (a->subject_kind == b->subject_kind && a->subject == b->subject &&
                     a->subject_prev == b->subject_prev));
    const struct jb_event_type_info *info = jb_event_type_get(a->type);
    for (uint32_t i = 0; same && i < jb_event_fields_n(info, a->version); i++) {
        same = same_field(a, b, &info->fields[i]);
    }
    return same;
}

/* Whatever is asked for, at and beyond every bound: it is refused with a sentence and leaves
 * nothing, or decoding gives the very same event. */
static void
bounds(void **state)
{
    (void)state;
    struct made m = {0};
    struct jb_event_space space = {0};
    unsigned refused = 0, taken = 0;
    encode(JB_EV_CASH_CONSUMED, 0, &m); /* something stands before what is encoded */
    for (unsigned i = 0; i < 300000; i++) {
        uint32_t type = given(i);
        make(type, i % 31, &m.e, m.parts, m.figures, m.totals);
        const struct jb_event_type_info *info = jb_event_type_get(type);
        for (uint64_t k = 1 + next(2); k > 0; k--) {
            if (info->fields_n > 0 && next(2) == 0) {
                spoil_field(&m, &info->fields[next(info->fields_n)]);
            } else {
                spoil_envelope(&m.e);
            }
        }
        m.bytes.n = 3;
        const char *why = jb_event_encode(&m.e, &context, &m.bytes);
        if (why != NULL) {
            refused++;
            assert_int_equal(m.bytes.n, 3);
            assert_ptr_not_equal(why, jb_encode_no_memory);
            continue;
        }
        taken++;
        struct jb_event e;
        struct jb_decode_failure failure;
        size_t n =
            jb_event_decode(m.bytes.at + 3, m.bytes.n - 3, 1000, &context, &e, &space, &failure);
        if (n != m.bytes.n - 3 || !same_event(&m.e, &e)) {
            fail_msg("round %u, type %u: %s", i, type,
                     n == 0 ? failure.why : "another event was decoded");
        }
    }
    print_message("%u refused, %u taken\n", refused, taken);
    assert_true(refused > 50000 && taken > 50000);
    free(m.bytes.at);
    jb_event_space_free(&space);
}

/* The largest list of parts that can be stored, and one more. */
static void
most_parts(void **state)
{
    (void)state;
    struct made m = {0};
    struct jb_event_space space = {0};
    struct jb_event e;
    make(JB_EV_CASH_CONSUMED, 2, &m.e, m.parts, m.figures, m.totals);
    struct jb_parts parts = any_parts();
    for (uint32_t i = 0; i < JB_PARTS_STORED_MAX; i++) {
        ((struct jb_part *)(uintptr_t)parts.at)[i] = (struct jb_part){JB_PART_LOT, 1, 200};
    }
    parts.n = JB_PARTS_STORED_MAX;
    m.e.cash_consumed = (struct jb_cash_consumed){{"u", 1}, 1, parts};
    m.e.recorded_at = m.e.occurred_at = context.base;
    assert_non_null(jb_event_encode(&m.e, &context, &m.bytes)); /* three bytes each are too many */
    for (uint32_t i = 0; i < JB_PARTS_STORED_MAX; i++) {
        ((struct jb_part *)(uintptr_t)parts.at)[i].amount = 1 + i % 100;
        ((struct jb_part *)(uintptr_t)parts.at)[i].ordinal = 1 + i % 30;
    }
    assert_null(jb_event_encode(&m.e, &context, &m.bytes));
    assert_int_equal(decode(m.bytes.at, m.bytes.n, &e, &space), m.bytes.n);
    assert_int_equal(e.cash_consumed.parts.n, JB_PARTS_STORED_MAX);
    free(m.bytes.at);
    jb_event_space_free(&space);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip), cmocka_unit_test(cut),     cmocka_unit_test(read_back),
        cmocka_unit_test(mutated),    cmocka_unit_test(hostile), cmocka_unit_test(future),
        cmocka_unit_test(small),      cmocka_unit_test(plain),   cmocka_unit_test(other_unpacker),
        cmocka_unit_test(any_type),   cmocka_unit_test(copied),  cmocka_unit_test(bounds),
        cmocka_unit_test(most_parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
