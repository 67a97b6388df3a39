#include "state/facts.h"

#include <assert.h>

#include "base/error.h"
#include "base/map.h"
#include "base/steps.h"
#include "state/behind.h"

/* Of those that are stored, in memory; beyond it all of them come back when they are asked for. */
#define KEPT_MAX 1000000
#define KEPT_BYTES_MAX (64U << 20)
#define SLOTS_MIN 256

static_assert(sizeof(struct jb_fact) == 24, "facts stand at places that 8 divides");

static jb_status
no_memory(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM, "no memory for roles, channels and papers");
}

/* ---- as they are stored: how many words, these in few bytes, the text ---- */

#define RECORD_BYTES_MAX (1 + JB_FACT_WORDS_MAX * 8 + JB_ID_BYTES_MAX)

size_t
jb_fact_stored(const struct jb_fact *fact, uint8_t ret[JB_FACT_STORED_BYTES_MAX])
{
    const uint8_t *record = jb_fact_record(fact);
    const size_t words = record[0], text_n = fact->n - 1 - words * 8;
    uint64_t numbers[JB_FACT_WORDS_MAX];
    JB_ASSERT(words <= JB_FACT_WORDS_MAX && text_n <= JB_ID_BYTES_MAX);
    for (size_t i = 0; i < words; i++) {
        numbers[i] = jb_get_be(record + 1 + i * 8, 8);
    }
    ret[0] = (uint8_t)words;
    const size_t n = 1 + jb_numbers_put(ret + 1, numbers, (unsigned)words);
    memcpy(ret + n, record + 1 + words * 8, text_n);
    return n + text_n;
}

/* The record that is stored so; returns how many bytes it has. 0: that is none. */
static size_t
read_stored(const uint8_t *p, size_t n, uint8_t ret[RECORD_BYTES_MAX])
{
    uint64_t numbers[JB_FACT_WORDS_MAX];
    const size_t words = n > 0 ? p[0] : SIZE_MAX; /* none: of an agency, which has a text alone */
    if (words > JB_FACT_WORDS_MAX) {
        return 0;
    }
    const size_t at = jb_numbers_get(p + 1, n - 1, numbers, (unsigned)words), text_n = n - 1 - at;
    if ((words > 0 && at == 0) || text_n > JB_ID_BYTES_MAX) {
        return 0;
    }
    ret[0] = (uint8_t)words;
    for (size_t i = 0; i < words; i++) {
        jb_put_be(ret + 1 + i * 8, 8, numbers[i]);
    }
    memcpy(ret + 1 + words * 8, p + 1 + at, text_n);
    return 1 + words * 8 + text_n;
}

/* ---- slots ---- */

static uint64_t
slot_of(uint32_t hash, size_t at)
{
    return (uint64_t)hash << 32 | (at / 8 + 1);
}

static size_t
place_of(uint64_t slot)
{
    return ((slot & UINT32_MAX) - 1) * 8;
}

static const struct jb_fact *
fact_of(const struct jb_facts *f, uint64_t slot)
{
    return jb_fact_at(f, place_of(slot));
}

/* The slot of the key, or the free one where it would go. There are some. */
static uint32_t
seek(const struct jb_facts *f, const struct jb_fact_key *key, uint32_t hash)
{
    uint32_t i = hash & f->mask;
    for (; f->slots[i] != 0; i = (i + 1) & f->mask) {
        if (f->slots[i] >> 32 == hash &&
            memcmp(&fact_of(f, f->slots[i])->key, key, sizeof *key) == 0) {
            break;
        }
    }
    return i;
}

static const struct jb_fact *
find(const struct jb_facts *f, const struct jb_fact_key *key, uint64_t hash)
{
    uint64_t slot = f->n > 0 ? f->slots[seek(f, key, (uint32_t)hash)] : 0;
    return slot != 0 ? fact_of(f, slot) : NULL;
}

/* Half of the slots stay free. False: no memory, and nothing has changed. */
static bool
reserve(struct jb_facts *f)
{
    size_t slots = f->slots != NULL ? (size_t)f->mask + 1 : 0;
    if (2 * (f->n + 1) <= slots) {
        return true;
    }
    size_t more = slots > 0 ? 2 * slots : SLOTS_MIN;
    uint64_t *made = more <= (size_t)UINT32_MAX + 1 ? calloc(more, sizeof *made) : NULL;
    if (made == NULL) {
        return false;
    }
    for (size_t from = 0; from < slots; from++) {
        if (f->slots[from] != 0) {
            size_t to = f->slots[from] >> 32 & (more - 1);
            while (made[to] != 0) {
                to = (to + 1) & (more - 1);
            }
            made[to] = f->slots[from];
        }
    }
    free(f->slots);
    f->slots = made;
    f->mask = (uint32_t)(more - 1);
    return true;
}

/* Slot i becomes free. Those behind it that would have stood there move up. */
static void
drop_slot(struct jb_facts *f, uint32_t i)
{
    for (uint32_t j = (i + 1) & f->mask; f->slots[j] != 0; j = (j + 1) & f->mask) {
        uint32_t home = (uint32_t)(f->slots[j] >> 32) & f->mask;
        if (((j - home) & f->mask) >= ((j - i) & f->mask)) {
            f->slots[i] = f->slots[j];
            i = j;
        }
    }
    f->slots[i] = 0;
    f->n--;
}

/* ---- putting ---- */

/* A fact behind all others. False: no memory, and nothing has changed. */
static bool
add(struct jb_facts *f, const struct jb_fact_key *key, uint64_t hash, const uint8_t *record,
    size_t n)
{
    size_t at = f->bytes.n, end = at + sizeof(struct jb_fact) + ((n + 7) & ~(size_t)7);
    if (at / 8 >= UINT32_MAX || !reserve(f) ||
        !jb_vec_grow((void **)&f->bytes.at, &f->bytes.cap, end, 1)) {
        return false;
    }
    uint32_t i = seek(f, key, (uint32_t)hash);
    struct jb_fact *fact = (struct jb_fact *)(void *)(f->bytes.at + at);
    *fact = (struct jb_fact){*key, (uint16_t)n, (uint32_t)hash, (uint32_t)f->slots[i]};
    if (n > 0) {
        memcpy(fact + 1, record, n);
    }
    f->n += f->slots[i] == 0;
    f->slots[i] = slot_of((uint32_t)hash, at);
    f->bytes.n = end;
    return true;
}

/* In place where it has that place to itself: behind `kept`. */
static bool
put(struct jb_facts *f, const struct jb_fact_key *key, uint64_t hash, const uint8_t *record,
    size_t n, size_t kept)
{
    const struct jb_fact *old = find(f, key, hash);
    size_t at = old != NULL ? (size_t)((const uint8_t *)old - f->bytes.at) : 0;
    if (old != NULL && at >= kept && old->n == n) {
        memcpy(f->bytes.at + at + sizeof *old, record, n);
        return true;
    }
    return add(f, key, hash, record, n);
}

jb_status
jb_fact_put(struct jb_state *b, const struct jb_fact_key *key, const void *words, size_t n,
            struct jb_text text, struct jb_error *err)
{
    uint8_t record[RECORD_BYTES_MAX];
    JB_ASSERT(n <= JB_FACT_WORDS_MAX && text.n <= JB_ID_BYTES_MAX);
    record[0] = (uint8_t)n;
    for (size_t i = 0; i < n; i++) {
        jb_put_be(record + 1 + i * 8, 8, ((const uint64_t *)words)[i]);
    }
    if (text.n > 0) {
        memcpy(record + 1 + n * 8, text.s, text.n);
    }
    /* What a savepoint would have to give back stays. */
    return put(&b->news.facts, key, jb_state_hash(b, key, sizeof *key), record, 1 + n * 8 + text.n,
               b->save.live ? b->save.facts : 0)
               ? JB_OK
               : no_memory(err);
}

/* ---- getting ---- */

static void
unpack(const struct jb_fact *fact, void *words, size_t n, struct jb_text *text)
{
    const uint8_t *record = jb_fact_record(fact);
    size_t stored = record[0];
    uint64_t *to = words;
    for (size_t i = 0; i < n; i++) {
        to[i] = i < stored ? jb_get_be(record + 1 + i * 8, 8) : 0;
    }
    if (text != NULL) {
        *text = (struct jb_text){(const char *)record + 1 + stored * 8, fact->n - 1 - stored * 8};
    }
}

/* What the store says, which is kept: that there is none as well, since it is asked again and again
 * who is no member. */
static jb_status
load(struct jb_state *b, const struct jb_fact_key *key, uint64_t hash, struct jb_error *err)
{
    uint8_t record[RECORD_BYTES_MAX];
    const void *value;
    size_t n;
    jb_status status = jb_store_get(&b->snap, JB_TABLE_FACTS, key, sizeof *key, &value, &n, err);
    if (status != JB_OK && status != JB_E_NOTFOUND) {
        return status;
    }
    const size_t record_n = status == JB_OK ? read_stored(value, n, record) : 0;
    if (status == JB_OK && record_n == 0) {
        return jb_store_damaged(b->store, "what it says of roles, channels and papers", err);
    }
    return add(&b->facts, key, hash, record, record_n) ? JB_OK : no_memory(err);
}

/* The newest that is in memory; NULL: it is nowhere. */
static const struct jb_fact *
find_newest(const struct jb_state *b, const struct jb_fact_key *key, uint64_t hash)
{
    const struct jb_news *before = jb_behind_news(b);
    const struct jb_fact *fact = find(&b->news.facts, key, hash);
    if (fact == NULL && before != NULL) {
        fact = find(&before->facts, key, hash);
    }
    return fact != NULL ? fact : find(&b->facts, key, hash);
}

jb_status
jb_fact_get(struct jb_state *b, const struct jb_fact_key *key, void *words, size_t n,
            struct jb_text *text, bool *ret_found, struct jb_error *err)
{
    uint64_t hash = jb_state_hash(b, key, sizeof *key);
    const struct jb_fact *fact = find_newest(b, key, hash);
    jb_steps.moved++;
    if (fact == NULL && b->store != NULL) {
        jb_status status = load(b, key, hash, err);
        if (status != JB_OK) {
            return status;
        }
        fact = find(&b->facts, key, hash);
    }
    *ret_found = fact != NULL && fact->n > 0;
    if (!*ret_found) {
        memset(words, 0, n * 8);
        if (text != NULL) {
            *text = (struct jb_text){NULL, 0};
        }
        return JB_OK;
    }
    unpack(fact, words, n, text);
    return JB_OK;
}

/* ---- looking soon ---- */

#define WARM_AT_ONCE 64
#define CACHE_LINE 64

static void
warm_slots(const struct jb_facts *f, const uint32_t *hashes, size_t n)
{
    for (size_t i = 0; i < n && f->n > 0; i++) {
        __builtin_prefetch(&f->slots[hashes[i] & f->mask], 1);
    }
}

/* Their slots are there. */
static void
warm_facts(const struct jb_facts *f, const uint32_t *hashes, size_t n)
{
    for (size_t i = 0; i < n && f->n > 0; i++) {
        uint32_t at = hashes[i] & f->mask;
        while (f->slots[at] != 0 && f->slots[at] >> 32 != hashes[i]) {
            at = (at + 1) & f->mask;
        }
        const char *fact = f->slots[at] != 0 ? (const char *)fact_of(f, f->slots[at]) : NULL;
        for (size_t line = 0; fact != NULL && line < 3; line++) {
            __builtin_prefetch(fact + line * CACHE_LINE);
        }
    }
}

void
jb_facts_warm(const struct jb_state *b, const struct jb_fact_key *keys, size_t n, bool fresh)
{
    const struct jb_news *before = jb_behind_news(b);
    const struct jb_facts *all[] = {&b->news.facts, &b->facts,
                                    before != NULL ? &before->facts : &b->facts};
    for (size_t from = 0; from < n; from += WARM_AT_ONCE) {
        size_t some = n - from < WARM_AT_ONCE ? n - from : WARM_AT_ONCE;
        uint32_t hashes[WARM_AT_ONCE];
        for (size_t i = 0; i < some; i++) {
            hashes[i] = (uint32_t)jb_state_hash(b, &keys[from + i], sizeof keys[0]);
        }
        for (unsigned i = 0; i < (fresh ? 1 : 3); i++) {
            warm_slots(all[i], hashes, some);
        }
        for (unsigned i = 0; i < (fresh ? 0 : 3); i++) {
            warm_facts(all[i], hashes, some);
        }
    }
    JB_KEEP();
}

/* ---- taking back, and keeping ---- */

/* The newest of each key in what is cut off gives its slot back to the one before the cut. */
void
jb_facts_cut(struct jb_state *b, size_t n)
{
    struct jb_facts *f = &b->news.facts;
    if (n >= f->bytes.n) {
        return;
    }
    b->last_roles.n = 0; /* they may be those that are taken back */
    for (size_t at = n; at < f->bytes.n; at = jb_fact_after(f, at)) {
        const struct jb_fact *fact = jb_fact_at(f, at);
        uint32_t i = seek(f, &fact->key, fact->hash);
        if (f->slots[i] == 0 || place_of(f->slots[i]) < n) {
            continue; /* it went with another one */
        }
        uint32_t older = fact_of(f, f->slots[i])->older;
        while (older != 0 && place_of(older) >= n) {
            older = fact_of(f, older)->older;
        }
        if (older != 0) {
            f->slots[i] = slot_of(fact->hash, place_of(older));
        } else {
            drop_slot(f, i);
        }
    }
    f->bytes.n = n;
}

void
jb_facts_clear(struct jb_facts *f)
{
    if (f->n > 0) {
        memset(f->slots, 0, ((size_t)f->mask + 1) * sizeof *f->slots);
    }
    f->n = f->bytes.n = 0;
}

void
jb_facts_free(struct jb_facts *f)
{
    free(f->slots);
    free(f->bytes.at);
    *f = (struct jb_facts){0};
}

void
jb_facts_trim(struct jb_state *b)
{
    if (b->store != NULL && !b->save.live &&
        (b->facts.n > KEPT_MAX || b->facts.bytes.n > KEPT_BYTES_MAX)) {
        jb_facts_free(&b->facts);
    }
}

bool
jb_fact_newest(const struct jb_facts *f, const struct jb_fact *fact)
{
    return find(f, &fact->key, fact->hash) == fact;
}

#define TAKE_AHEAD 16

/* The slots of those that are next. Returns how many there are, at most n. */
static size_t
warm_next(const struct jb_facts *kept, const struct jb_facts *from, size_t at, size_t n)
{
    size_t some = 0;
    for (; some < TAKE_AHEAD && some < n && at < from->bytes.n; some++) {
        uint32_t hash = jb_fact_at(from, at)->hash;
        warm_slots(kept, &hash, 1);
        at = jb_fact_after(from, at);
    }
    return some;
}

/* Documents are looked at seldom, each once or twice: only those that are kept are brought up to
 * date. */
static bool
is_worth_keeping(const struct jb_facts *kept, const struct jb_fact *fact)
{
    const bool paper = fact->key.bytes[0] == JB_FACT_INVOICE || fact->key.bytes[0] == JB_FACT_SLICE;
    return !paper || find(kept, &fact->key, fact->hash) != NULL;
}

bool
jb_facts_take(struct jb_facts *kept, bool all, const struct jb_facts *from, size_t *at, size_t n)
{
    while (n > 0 && *at < from->bytes.n) {
        size_t some = warm_next(kept, from, *at, n);
        for (size_t i = 0; i < some; i++, *at = jb_fact_after(from, *at)) {
            const struct jb_fact *fact = jb_fact_at(from, *at);
            if ((all || is_worth_keeping(kept, fact)) &&
                !put(kept, &fact->key, fact->hash, jb_fact_record(fact), fact->n, 0)) {
                jb_facts_clear(kept);
                *at = from->bytes.n;
                return false;
            }
        }
        n -= some;
    }
    return true;
}
