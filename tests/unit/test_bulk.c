/*
 * A log that is folded wallet by wallet gives the tables that folding it event by event gives, and
 * however it is cut into pieces: with grants that come and go, late events, returns, days that end
 * inside a piece. And what is read as a plain consumption is what decoding makes of it, whatever
 * bytes there are.
 */
#include "projections/bulk.h"

#include <stdio.h>
#include <string.h>

#include "../check.h"

#define WALLETS 37
#define COMMANDS 60
#define BATCHES 220

/* ---- a ledger ---- */

static jb_ledger *ledger;
static jb_instant the_time = INT64_C(1790000000000000);
static char ids[COMMANDS][2][24];

static struct jb_text
some_id(char *buf, char prefix, uint64_t n)
{
    snprintf(buf, sizeof ids[0][0], "%c%llu", prefix, (unsigned long long)n);
    return jb_text_of(buf);
}

static void
consume(struct jb_command *c, char *id)
{
    static uint64_t usages;
    jb_command_begin(c, JB_OP_CONSUME);
    jb_set_usage(c, some_id(id, 'U', usages++));
    jb_set_amount(c, 1 + (jb_amount)pick(90));
    if (pick(8) == 0) {
        jb_set_at(c, the_time - (jb_instant)pick(3) * JB_US_PER_DAY - 1);
    }
    if (pick(4) == 0) {
        jb_set_key(c, jb_text_of(id));
    }
}

static void
make_command(struct jb_command *c, char id[2][24])
{
    static const jb_op ends[] = {JB_OP_FREE_ACTIVATE, JB_OP_FREE_ACTIVATE, JB_OP_FREE_REVOKE};
    static uint64_t grants, charges, refunds;
    const uint64_t what = pick(20);
    if (what < 10) {
        consume(c, id[1]);
    } else if (what < 12) {
        jb_command_begin(c, JB_OP_FREE_GRANT);
        jb_set_grant(c, some_id(id[1], 'G', grants++));
        jb_set_amount(c, 1 + (jb_amount)pick(200));
        jb_set_expires_on(c, jb_day_of(the_time, 32400) + 1 + (jb_day)pick(6));
    } else if (what < 14) {
        jb_command_begin(c, ends[pick(3)]);
        jb_set_grant(c, some_id(id[1], 'G', pick(grants + 1)));
    } else if (what < 16) {
        jb_command_begin(c, JB_OP_CONSUME_REVERSE);
        jb_set_usage(c, some_id(id[1], 'U', pick(3000)));
        jb_set_amount(c, 1 + (jb_amount)pick(20));
    } else if (what < 18) {
        jb_command_begin(c, JB_OP_CHARGE);
        jb_set_charge(c, some_id(id[1], 'C', charges++));
        jb_set_amount(c, 1000);
    } else {
        jb_command_begin(c, what == 18 ? JB_OP_REFUND_REQUEST : JB_OP_REFUND_APPROVE);
        jb_set_refund(c, some_id(id[1], 'R', what == 18 ? refunds++ : pick(refunds + 1)));
    }
    jb_set_wallet(c, some_id(id[0], 'W', pick(WALLETS + 1))); /* the last one is not there */
}

static void
submit(struct jb_command *list, size_t n, jb_answers *answers)
{
    const struct jb_submit_options o = {.size = sizeof o, .clock = JB_CLOCK_AT};
    struct jb_error err = {0};
    for (size_t i = 0; i < n; i++) {
        jb_set_clock(&list[i], the_time += 1 + (jb_instant)pick(60000000));
    }
    must(jb_submit(ledger, list, n, &o, answers, NULL, &err) == JB_OK, err.text);
}

static void
make_ledger(const char *dir)
{
    static struct jb_command list[COMMANDS];
    struct jb_error err = {0};
    jb_answers *answers = jb_answers_new();
    must(answers != NULL && jb_init(dir, NULL, &err) == JB_OK &&
             jb_open(dir, NULL, &ledger, &err) == JB_OK,
         err.text);
    for (unsigned i = 0; i < WALLETS; i++) {
        jb_command_begin(&list[i], JB_OP_WALLET_CREATE);
        jb_set_wallet(&list[i], some_id(ids[i][0], 'W', i));
        jb_set_kind(&list[i], JB_KIND_PERSONAL);
        jb_set_name(&list[i], jb_text_of("n"));
    }
    submit(list, WALLETS, answers);
    for (unsigned i = 0; i < BATCHES; i++) {
        const size_t n = 1 + pick(COMMANDS);
        for (size_t k = 0; k < n; k++) {
            make_command(&list[k], ids[k]);
        }
        submit(list, n, answers);
        the_time += pick(4) == 0 ? JB_US_PER_DAY : 0;
    }
    jb_answers_free(answers);
}

/* ---- the tables ---- */

static jb_seq
head(void)
{
    struct jb_head h = JB_SIZED(struct jb_head);
    must(jb_head_get(ledger, &h, NULL) == JB_OK, "no head");
    return h.seq;
}

static void
store(struct jb_store *s, struct jb_fold *f, struct jb_bulk *b)
{
    struct jb_store_txn t;
    struct jb_error err = {0};
    uint8_t chain[16];
    must(jb_chain_at(ledger, f->g.seq, chain, &err) == JB_OK, err.text);
    must(jb_store_write(s, &t, &err) == JB_OK, err.text);
    must((b != NULL ? jb_bulk_store(b, f, &t, &err) : jb_fold_store(f, &t, &t, &err)) == JB_OK,
         err.text);
    must(jb_store_commit(&t, f->g.seq, chain, &err) == JB_OK, err.text);
    const struct jb_view_global g = f->g;
    jb_fold_reset(f, &g);
}

/* A piece event by event: up to an event where a frame ends. */
static void
follow(struct jb_store *s, struct jb_fold *f, jb_seq to)
{
    struct jb_store_txn base;
    struct jb_error err = {0};
    uint8_t chain[16];
    while (jb_chain_at(ledger, to, chain, NULL) != JB_OK) {
        to++;
    }
    const struct jb_follow how = {.to = to};
    must(jb_store_read(s, &base, &err) == JB_OK, err.text);
    must(jb_follow(ledger, f, f->g.seq > 0 ? &base : NULL, &how, &err) == JB_OK, err.text);
    jb_store_end(&base);
    store(s, f, NULL);
}

/* How a log is cut: pieces of at most so many events and the frame that they end in, by wallets,
 * by events, or in turn. */
struct way {
    jb_seq most;
    unsigned by_events; /* every so many pieces; 0: none */
};

static void
make_tables(struct way way, uint8_t ret[16])
{
    char dir[64];
    struct jb_error err = {0};
    struct jb_store *s;
    struct jb_store_txn t;
    struct jb_fold f;
    struct jb_bulk b = {.first = 0};
    bool remade;
    const uint8_t id[16] = {7};
    const jb_seq to = head();
    make_quick_scratch(dir, "bulk");
    must(jb_store_open(dir, &jb_views_schema, id, false, &s, &remade, &err) == JB_OK, err.text);
    jb_fold_init(&f, 32400);
    for (unsigned i = 1; f.g.seq < to; i++) {
        const jb_seq most = f.g.seq + way.most < to ? f.g.seq + way.most : to;
        const struct jb_follow how = {.to = most};
        if (way.by_events != 0 && i % way.by_events == 0) {
            follow(s, &f, most);
        } else {
            must(jb_bulk_read(ledger, &f, &b, &how, &err) == JB_OK, err.text);
            store(s, &f, &b);
        }
    }
    must(jb_store_read(s, &t, &err) == JB_OK && jb_store_digest(&t, 0, ret, &err) == JB_OK,
         err.text);
    must(t.meta.rows[JB_VT_GRANTS] > 100 && t.meta.rows[JB_VT_CLOSES] > 10 &&
             t.meta.rows[JB_VT_SNAPSHOTS] > 10 && t.meta.rows[JB_VT_REFUSED] > 10,
         "the log has not what it should");
    jb_store_end(&t);
    jb_store_close(s);
    jb_bulk_free(&b);
    jb_fold_free(&f);
    remove_scratch(dir);
}

static void
any_pieces_give_the_same(void)
{
    static const struct way ways[] = {{1, 0},  {2, 0},    {3, 2},    {70, 0},
                                      {70, 3}, {1000, 0}, {1000, 2}, {1 << 30, 0}};
    uint8_t one[16], other[16];
    make_tables((struct way){1 << 30, 1}, one);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        make_tables(ways[i], other);
        must(memcmp(one, other, 16) == 0, "pieces give other tables");
    }
}

/* ---- plain and usual consumptions ---- */

/* Returns whether the bytes are one. */
static bool
agrees(const uint8_t *bytes, size_t n, jb_seq seq, jb_instant base)
{
    static struct jb_event_space space;
    const struct jb_event_context context = {base, 32400};
    struct jb_decode_failure why;
    struct jb_event_plain p;
    struct jb_event e;
    const size_t plain = jb_event_plain(bytes, n, seq, &context, &p);
    if (plain == 0) {
        return false;
    }
    must(jb_event_decode(bytes, n, seq, &context, &e, &space, &why) == plain, "of other bytes");
    must(e.type == JB_EV_CASH_CONSUMED && e.flags == 0 && e.version == 1 && e.wallet == p.wallet &&
             e.wallet != 0 && e.prev == p.prev && e.recorded_at == p.recorded_at &&
             e.occurred_at == p.recorded_at && e.posted_on == jb_day_of(p.recorded_at, 32400) &&
             e.cash_consumed.amount == p.amount && e.cash_consumed.usage.s == p.usage.s &&
             e.cash_consumed.usage.n == p.usage.n && e.cash_consumed.parts.n == 1 &&
             e.cash_consumed.parts.at[0].kind == JB_PART_LOT &&
             e.cash_consumed.parts.at[0].ordinal == p.lot &&
             e.cash_consumed.parts.at[0].amount == p.amount,
         "another event");
    return true;
}

static bool
same_text(struct jb_text a, struct jb_text b)
{
    return a.s == b.s && a.n == b.n;
}

/* The same of a usual one. */
static bool
usual_agrees(const uint8_t *bytes, size_t n, jb_seq seq, jb_instant base)
{
    static struct jb_event_space space;
    const struct jb_event_context context = {base, 32400};
    struct jb_decode_failure why;
    struct jb_event_usual u;
    struct jb_event e;
    const size_t usual = jb_event_usual(bytes, n, seq, &context, &u);
    if (usual == 0) {
        return false;
    }
    must(jb_event_decode(bytes, n, seq, &context, &e, &space, &why) == usual, "of other bytes");
    must(e.type == JB_EV_CASH_CONSUMED && e.version == 1 && e.wallet == u.plain.wallet &&
             e.prev == u.plain.prev && e.recorded_at == u.plain.recorded_at &&
             e.occurred_at == e.recorded_at && e.posted_on == jb_day_of(e.recorded_at, 32400) &&
             e.flags == (u.key.s != NULL ? (uint32_t)JB_EVF_KEY : 0) && same_text(e.key, u.key) &&
             same_text(e.caller, u.caller) && e.fingerprint == u.fingerprint &&
             same_text(e.cash_consumed.usage, u.plain.usage) &&
             e.cash_consumed.amount == u.plain.amount && e.cash_consumed.parts.n == 1 &&
             e.cash_consumed.parts.at[0].ordinal == u.plain.lot,
         "another usual event");
    return u.key.s != NULL;
}

static size_t
put_number(uint8_t *at, unsigned form, uint64_t value)
{
    if (form == 0) {
        at[0] = (uint8_t)(value & 0x7f);
        return 1;
    }
    at[0] = (uint8_t)(0xcb + form);
    jb_put_be(at + 1, 1U << (form - 1), value);
    return 1 + ((size_t)1 << (form - 1));
}

static unsigned
shortest(uint64_t value)
{
    return value < 0x80 ? 0 : value <= 0xff ? 1 : value <= 0xffff ? 2 : value <= UINT32_MAX ? 3 : 4;
}

static size_t
put_numbers(uint8_t *at, unsigned count)
{
    static const uint64_t edges[] = {0, 1, 0x7f, 0x80, 0xff, 0x100, UINT32_MAX, UINT64_MAX};
    size_t n = 0;
    for (unsigned i = 0; i < count; i++) {
        const uint64_t value = pick(2) ? pick(300) : edges[pick(8)];
        n += put_number(at + n, pick(4) > 0 ? shortest(value) : (unsigned)pick(5), value);
    }
    return n;
}

static size_t
put_text(uint8_t *at)
{
    const size_t length = pick(70);
    size_t n = 0;
    at[n++] = (uint8_t)(length < 32 && pick(9) > 0 ? 0xa0 + length : 0xd9);
    at[n] = (uint8_t)length;
    n += at[n - 1] == 0xd9;
    for (size_t i = 0; i < length; i++) {
        at[n++] = (uint8_t)(pick(400) == 0 ? pick(256) : 'a' + pick(26));
    }
    return n;
}

#define MADE_BYTES 768
#define BEHIND 256 /* who reads usual events looks for no end of theirs */

/* Bytes in the form of a consumption, with numbers in any of their forms. */
static size_t
make_bytes(uint8_t bytes[MADE_BYTES], bool keyed)
{
    size_t n = 3;
    memcpy(bytes, (uint8_t[]){keyed ? 0x9b : 0x98, JB_EV_CASH_CONSUMED, keyed ? JB_EVF_KEY : 0}, 3);
    n += put_numbers(bytes + n, 3);
    if (keyed) {
        n += put_text(bytes + n);
        n += put_text(bytes + n);
        n += put_numbers(bytes + n, 1);
    }
    n += put_text(bytes + n);
    n += put_numbers(bytes + n, 2);
    bytes[pick(200)] ^= (uint8_t)(pick(3) == 0);
    return n + BEHIND;
}

static void
plain_and_usual_are_decoded(void)
{
    size_t plain = 0, usual = 0;
    for (unsigned i = 0; i < 600000; i++) {
        uint8_t bytes[MADE_BYTES] = {0};
        const size_t made = make_bytes(bytes, i % 2 == 0), n = pick(50) == 0 ? pick(made) : made;
        const jb_seq seq = 1 + pick(400);
        plain += agrees(bytes, n, seq, 1790000000000000);
        usual += usual_agrees(bytes, n, seq, 1790000000000000);
    }
    must(plain > 1000 && usual > 1000, "hardly any bytes were a plain or a usual consumption");
}

int
main(void)
{
    char dir[64];
    make_quick_scratch(dir, "bulk-log");
    make_ledger(dir);
    any_pieces_give_the_same();
    plain_and_usual_are_decoded();
    jb_close(ledger);
    remove_scratch(dir);
    return 0;
}
