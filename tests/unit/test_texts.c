/*
 * The table of texts is what the events are, however often it was stored on the way: over the
 * border of an epoch, over chunks that are full, with one text in every event.
 */
#include "base/tally.h"
#include "projections/fold.h"

#include <stdio.h>
#include <string.h>

#include "../check.h"

#define EPOCH (UINT64_C(1) << JB_TEXT_EPOCH_BITS)
#define FIRST (EPOCH - 3000)
#define EVENTS 6000

static uint8_t ledger_id[16] = {7};

static void
fold_one(struct jb_fold *f, jb_seq seq)
{
    static char usage[40], key[40];
    snprintf(usage, sizeof usage, "usage-%llu", (unsigned long long)(seq % 3 == 0 ? 0 : seq));
    snprintf(key, sizeof key, "key-%llu", (unsigned long long)seq);
    const struct jb_event e = {.seq = seq,
                               .type = JB_EV_CASH_CONSUMED,
                               .version = 1,
                               .flags = JB_EVF_KEY,
                               .wallet = 1,
                               .key = seq % 5 == 0 ? jb_text_of(usage) : jb_text_of(key),
                               .cash_consumed = {.usage = jb_text_of(usage), .amount = 1}};
    must(jb_fold_texts(f, &e, NULL) == JB_OK, "no memory");
    f->g.seq = seq;
}

static struct jb_store *
open_store(const char *dir)
{
    struct jb_store *s;
    struct jb_error err;
    bool remade;
    must(jb_store_open(dir, &jb_views_schema, ledger_id, false, &s, &remade, &err) == JB_OK,
         "no store");
    return s;
}

static void
store(struct jb_store *s, struct jb_fold *f)
{
    struct jb_store_txn t;
    struct jb_error err;
    const uint8_t chain[16] = {1};
    must(jb_store_write(s, &t, &err) == JB_OK && jb_fold_store(f, &t, &t, &err) == JB_OK &&
             jb_store_commit(&t, f->g.seq, chain, &err) == JB_OK,
         "not stored");
    const struct jb_view_global g = f->g;
    jb_fold_reset(f, &g);
}

static void
digest(struct jb_store *s, uint8_t ret[16])
{
    struct jb_store_txn t;
    struct jb_error err;
    must(jb_store_read(s, &t, &err) == JB_OK && jb_store_digest(&t, 0, ret, &err) == JB_OK,
         "no digest");
    jb_store_end(&t);
}

/* In one piece (steps 0), or stored every so often. */
static void
make(uint64_t steps, uint8_t ret[16])
{
    char dir[] = "/dev/shm/jangbu-texts-XXXXXX";
    struct jb_fold f;
    make_scratch(dir);
    struct jb_store *s = open_store(dir);
    jb_fold_init(&f, 0);
    for (jb_seq seq = FIRST; seq < FIRST + EVENTS; seq++) {
        fold_one(&f, seq);
        if (steps != 0 && pick(steps) == 0) {
            store(s, &f);
        }
    }
    store(s, &f);
    digest(s, ret);
    jb_fold_free(&f);
    jb_store_close(s);
    remove_scratch(dir);
}

/* Each event stands once under each of its texts, and in the order of the numbers. */
static jb_status
look(void *data, const void *key, size_t key_n, const void *value, size_t n, struct jb_error *err)
{
    static uint64_t before;
    static jb_seq epoch_before;
    static uint64_t bucket_before = UINT64_MAX;
    const uint8_t *k = key, *v = value;
    (void)err;
    must(key_n == JB_KEY_TEXT_BYTES && n % JB_TEXT_ENTRY_BYTES == 0 && n <= JB_TEXT_CHUNK_BYTES,
         "a chunk that is none");
    const jb_seq epoch = jb_get_be(k, 3);
    const uint64_t bucket = jb_get_be(k + 3, 2);
    if (epoch != epoch_before || bucket != bucket_before) {
        before = 0;
    }
    epoch_before = epoch;
    bucket_before = bucket;
    for (size_t at = 0; at < n; at += JB_TEXT_ENTRY_BYTES) {
        const jb_seq seq =
            epoch << JB_TEXT_EPOCH_BITS | (jb_get_be(v + at, JB_TEXT_ENTRY_BYTES) & (EPOCH - 1));
        must(seq >= FIRST && seq < FIRST + EVENTS, "an event that there is not");
        must(seq >= before, "out of order");
        before = seq;
        ++*(uint64_t *)data;
    }
    return JB_OK;
}

static void
holds_each_once(void)
{
    struct jb_fold f;
    struct jb_error err;
    uint64_t entries = 0, right = 0;
    jb_fold_init(&f, 0);
    for (jb_seq seq = FIRST; seq < FIRST + EVENTS; seq++) {
        fold_one(&f, seq);
        right += seq % 5 == 0 ? 1 : 2; /* a key that is the usage stands for both */
    }
    must(jb_fold_each(&f, NULL, JB_VT_TEXTS, look, &entries, &err) == JB_OK, "not gone through");
    must(entries == right, "not as many entries as texts");
    jb_fold_free(&f);
}

static jb_status
add_row(void *data, const void *key, size_t key_n, const void *value, size_t n,
        struct jb_error *err)
{
    (void)err;
    jb_tally_add(data, key, key_n, value, n);
    return JB_OK;
}

static jb_status
drain_row(void *data, unsigned table, const void *key, size_t key_n, const void *value, size_t n,
          struct jb_error *err)
{
    must(table == JB_VT_TEXTS, "a row of another table");
    return add_row(data, key, key_n, value, n, err);
}

/* The rows that went to a drain when their epoch was over, and those that are kept, are the rows of
 * a fold that keeps all. */
static void
drains_the_same(void)
{
    struct jb_tally all = {0}, drained = {0};
    const struct jb_fold_drain drain = {drain_row, &drained};
    struct jb_fold keeps, drains;
    jb_fold_init(&keeps, 0);
    jb_fold_init(&drains, 0);
    drains.drain = &drain;
    for (jb_seq seq = FIRST; seq < FIRST + EVENTS; seq++) {
        fold_one(&keeps, seq);
        fold_one(&drains, seq);
    }
    must(drained.rows > 0 && drains.texts.n < keeps.texts.n, "nothing went to the drain");
    must(jb_fold_each(&keeps, NULL, JB_VT_TEXTS, add_row, &all, NULL) == JB_OK, "all");
    must(jb_fold_each(&drains, NULL, JB_VT_TEXTS, add_row, &drained, NULL) == JB_OK, "the rest");
    must(jb_tally_same(&all, &drained), "other rows");
    jb_fold_free(&keeps);
    jb_fold_free(&drains);
}

int
main(void)
{
    static const uint64_t steps[] = {7, 300, 2500};
    uint8_t whole[16], other[16];
    holds_each_once();
    drains_the_same();
    make(0, whole);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        make(steps[i], other);
        must(memcmp(whole, other, sizeof whole) == 0, "another table for having been stored");
    }
    printf("texts: the same bytes in any number of steps\n");
    return 0;
}
