/*
 * Small records of the state against an array that does the same the long way: put again and again
 * with other lengths, taken back to a savepoint, handed to what is kept of the stored ones. The
 * keys are few, so that each comes many times, and enough for the slots to grow on the way.
 */
#include <stdio.h>
#include <string.h>

#include "../check.h"
#include "state/state.h"

#define KEYS 3000
#define ROUNDS SHARE(400)

static uint64_t seed = 1;

static uint32_t
below(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % n);
}

/* What the newest record of each key says; words 0: there is none. */
struct model {
    struct {
        uint64_t value;
        size_t words;
    } of[KEYS];
};

static struct jb_state b;
static struct model now, saved;

static struct jb_fact_key
key_of(uint32_t i)
{
    static const enum jb_fact_kind kinds[] = {JB_FACT_MONTH, JB_FACT_INVOICE, JB_FACT_TENURE};
    return jb_fact_key(kinds[i % 3], 0, i / 3, i);
}

static void
put(uint32_t i)
{
    uint64_t words[JB_FACT_WORDS_MAX];
    const struct jb_fact_key key = key_of(i);
    const size_t n = 1 + below(JB_FACT_WORDS_MAX);
    const uint64_t value = seed;
    for (size_t k = 0; k < n; k++) {
        words[k] = value + k;
    }
    must(jb_fact_put(&b, &key, words, n, (struct jb_text){NULL, 0}, NULL) == JB_OK, "put");
    now.of[i].value = value;
    now.of[i].words = n;
}

/* gone: documents that are stored need not be kept. */
static void
check(uint32_t i, bool gone)
{
    uint64_t words[JB_FACT_WORDS_MAX];
    const struct jb_fact_key key = key_of(i);
    const size_t n = now.of[i].words;
    bool found;
    must(jb_fact_get(&b, &key, words, JB_FACT_WORDS_MAX, NULL, &found, NULL) == JB_OK, "get");
    if (!found && gone && i % 3 == 1) {
        return;
    }
    must(found == (n > 0), "there, or not");
    for (size_t k = 0; k < JB_FACT_WORDS_MAX; k++) {
        must(words[k] == (k < n ? now.of[i].value + k : 0), "the newest record");
    }
}

static void
check_all(bool gone)
{
    struct jb_fact_key keys[KEYS];
    for (uint32_t i = 0; i < KEYS; i++) {
        keys[i] = key_of(i);
    }
    jb_facts_warm(&b, keys, KEYS, below(2) == 0);
    for (uint32_t i = 0; i < KEYS; i++) {
        check(i, gone);
    }
}

/* How many keys there are, and that each has one newest record, which lies in its place. */
static void
check_list(const struct jb_facts *f)
{
    size_t newest = 0;
    for (size_t at = 0; at < f->bytes.n; at = jb_fact_after(f, at)) {
        newest += jb_fact_newest(f, jb_fact_at(f, at));
    }
    must(newest == f->n, "one newest record of each key");
}

static void
with_savepoint(void)
{
    saved = now;
    b.save.live = true;
    b.save.facts = b.news.facts.bytes.n;
    for (uint32_t n = below(KEYS); n > 0; n--) {
        put(below(KEYS));
    }
    b.save.live = false;
    if (below(2) == 0) {
        jb_facts_cut(&b, b.save.facts);
        now = saved;
    }
    check_list(&b.news.facts);
}

static void
store(bool all)
{
    size_t at = 0;
    while (at < b.news.facts.bytes.n) {
        must(jb_facts_take(&b.facts, all, &b.news.facts, &at, 1 + below(100)), "take");
    }
    jb_facts_clear(&b.news.facts);
    check_list(&b.facts);
}

/* all: as a state does it that has no store to look into. */
static void
keep(bool all)
{
    bool stored = false;
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (uint32_t n = below(1 + round); n > 0; n--) {
            put(below(KEYS));
        }
        with_savepoint();
        if (below(20) == 0) {
            store(all);
            stored = true;
        }
        check_all(stored && !all);
    }
    jb_facts_free(&b.news.facts);
    jb_facts_free(&b.facts);
    memset(&now, 0, sizeof now);
}

int
main(void)
{
    keep(true);
    keep(false);
    return 0;
}
