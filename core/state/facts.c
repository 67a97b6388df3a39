#include "state/facts.h"

#include "base/error.h"
#include "base/steps.h"
#include "state/state.h"

/* Kept in memory after a checkpoint; beyond it all of them come back when they are asked for. */
#define KEPT_MAX 400000

static jb_status
no_memory(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM, "no memory for roles, channels and papers");
}

static struct jb_fact *
find(struct jb_state *b, const struct jb_fact_key *key, uint64_t hash)
{
    struct jb_facts *f = &b->facts;
    for (const struct jb_map_entry *m = jb_map_find(&f->map, hash); m != NULL;
         m = jb_map_again(&f->map, m)) {
        struct jb_fact *fact = &f->list.at[m->value];
        if (memcmp(&fact->key, key, sizeof *key) == 0) {
            return fact;
        }
    }
    return NULL;
}

/* Room for one more, and for its bytes; *ret is not in the list yet. */
static jb_status
add(struct jb_state *b, const struct jb_fact_key *key, uint64_t hash, const uint8_t *record,
    size_t n, bool stored, struct jb_error *err)
{
    struct jb_facts *f = &b->facts;
    if (!jb_vec_reserve(&f->list, f->list.n + 1) ||
        !jb_vec_grow((void **)&f->bytes.at, &f->bytes.cap, f->bytes.n + n, 1) ||
        !jb_map_put(&f->map, hash, f->list.n)) {
        return no_memory(err);
    }
    if (n > 0) { /* else there may be no bytes yet */
        memcpy(f->bytes.at + f->bytes.n, record, n);
    }
    f->list.at[f->list.n++] =
        (struct jb_fact){.key = *key, .n = (uint16_t)n, .stored = stored, .at = f->bytes.n};
    f->bytes.n += n;
    return JB_OK;
}

static void
unpack(const uint8_t *record, size_t record_n, size_t words_stored, void *words, size_t n,
       struct jb_text *text)
{
    uint64_t *to = words;
    size_t stored = words_stored * 8;
    for (size_t i = 0; i < n; i++) {
        to[i] = i < words_stored ? jb_get_be(record + 1 + i * 8, 8) : 0;
    }
    if (text != NULL) {
        *text = (struct jb_text){(const char *)record + 1 + stored, record_n - 1 - stored};
    }
}

jb_status
jb_fact_get(struct jb_state *b, const struct jb_fact_key *key, void *words, size_t n,
            struct jb_text *text, bool *ret_found, struct jb_error *err)
{
    uint64_t hash = jb_state_hash(b, key, sizeof *key);
    const struct jb_fact *fact = find(b, key, hash);
    jb_steps.moved++;
    if (fact == NULL && b->store != NULL) {
        const void *value;
        size_t value_n;
        jb_status status =
            jb_store_get(&b->snap, JB_TABLE_FACTS, key, sizeof *key, &value, &value_n, err);
        if (status == JB_OK && (value_n < 1 || value_n > UINT16_MAX ||
                                (size_t) * (const uint8_t *)value * 8 + 1 > value_n)) {
            return jb_store_damaged(b->store, "what it says of roles, channels and papers", err);
        }
        /* That there is none is kept as well: it is asked again and again who is no member. */
        status = status == JB_OK           ? add(b, key, hash, value, value_n, true, err)
                 : status == JB_E_NOTFOUND ? add(b, key, hash, (const uint8_t *)"", 0, true, err)
                                           : status;
        if (status != JB_OK) {
            return status;
        }
        fact = find(b, key, hash);
    }
    *ret_found = fact != NULL && fact->n > 0;
    if (!*ret_found) {
        memset(words, 0, n * 8);
        if (text != NULL) {
            *text = (struct jb_text){NULL, 0};
        }
        return JB_OK;
    }
    const uint8_t *record = b->facts.bytes.at + fact->at;
    unpack(record, fact->n, record[0], words, n, text);
    return JB_OK;
}

jb_status
jb_fact_put(struct jb_state *b, const struct jb_fact_key *key, const void *words, size_t n,
            struct jb_text text, struct jb_error *err)
{
    uint8_t record[1 + JB_FACT_WORDS_MAX * 8 + JB_ID_BYTES_MAX];
    JB_ASSERT(n <= JB_FACT_WORDS_MAX && text.n <= JB_ID_BYTES_MAX);
    record[0] = (uint8_t)n;
    for (size_t i = 0; i < n; i++) {
        jb_put_be(record + 1 + i * 8, 8, ((const uint64_t *)words)[i]);
    }
    if (text.n > 0) {
        memcpy(record + 1 + n * 8, text.s, text.n);
    }
    uint64_t hash = jb_state_hash(b, key, sizeof *key);
    struct jb_fact *old = find(b, key, hash);
    size_t bytes = 1 + n * 8 + text.n;
    /* What a savepoint would have to give back stays. */
    bool kept = old != NULL && b->save.live && (size_t)(old - b->facts.list.at) < b->save.facts;
    if (old != NULL && !kept && old->n == bytes) {
        memcpy(b->facts.bytes.at + old->at, record, bytes);
        old->stored = false;
        return JB_OK;
    }
    b->facts.replaced += old != NULL;
    return add(b, key, hash, record, bytes, false, err);
}

void
jb_facts_cut(struct jb_state *b, size_t n)
{
    struct jb_facts *f = &b->facts;
    if (n < f->list.n) {
        b->last_roles.n = 0; /* they may be those that are taken back */
        f->bytes.n = f->list.at[n].at;
        f->list.n = n;
        jb_map_cut(&f->map, n);
    }
}

void
jb_facts_clear(struct jb_facts *f)
{
    jb_map_clear(&f->map);
    f->list.n = f->bytes.n = f->replaced = 0;
}

void
jb_facts_free(struct jb_facts *f)
{
    jb_map_free(&f->map);
    jb_vec_free(&f->list);
    free(f->bytes.at);
    *f = (struct jb_facts){0};
}

#define REPLACED SIZE_MAX

/* Marks what a newer one of the same key stands for. */
static void
mark_replaced(struct jb_facts *f)
{
    for (size_t i = 0; i < f->list.n; i++) {
        struct jb_fact *fact = &f->list.at[i];
        const struct jb_map_entry *m = jb_map_find(&f->map, f->map.entries.at[i].hash);
        while (m->value > i &&
               memcmp(&f->list.at[m->value].key, &fact->key, sizeof fact->key) != 0) {
            m = jb_map_again(&f->map, m);
        }
        fact->at = m->value > i ? REPLACED : fact->at;
    }
}

/* Without those that are marked. */
static void
compact(struct jb_facts *f, const struct jb_state *b)
{
    size_t to = 0, bytes = 0;
    for (size_t i = 0; i < f->list.n; i++) {
        struct jb_fact fact = f->list.at[i];
        if (fact.at != REPLACED) {
            if (fact.n > 0) {
                memmove(f->bytes.at + bytes, f->bytes.at + fact.at, fact.n);
            }
            fact.at = bytes;
            bytes += fact.n;
            f->list.at[to++] = fact;
        }
    }
    f->list.n = to;
    f->bytes.n = bytes;
    f->replaced = 0;
    jb_map_clear(&f->map);
    for (size_t i = 0; i < to; i++) {
        /* The map has room for more than that already. */
        bool put =
            jb_map_put(&f->map, jb_state_hash(b, &f->list.at[i].key, sizeof f->list.at[i].key), i);
        JB_ASSERT(put);
        (void)put;
    }
}

/* What the store has as well. A reader never writes it: it would keep all that it ever looked at.
 */
static void
drop_stored(struct jb_facts *f)
{
    for (size_t i = 0; i < f->list.n; i++) {
        f->list.at[i].at = f->list.at[i].stored ? REPLACED : f->list.at[i].at;
    }
}

void
jb_facts_trim(struct jb_state *b)
{
    if (b->store != NULL && !b->save.live && b->facts.list.n > KEPT_MAX) {
        drop_stored(&b->facts);
        compact(&b->facts, b);
    }
}

void
jb_facts_stored(struct jb_state *b)
{
    struct jb_facts *f = &b->facts;
    JB_ASSERT(!b->save.live);
    if (b->store != NULL && f->list.n > KEPT_MAX) {
        jb_facts_clear(f);
        return;
    }
    if (f->replaced > f->list.n / 2) {
        mark_replaced(f);
        compact(f, b);
    }
    for (size_t i = 0; i < f->list.n; i++) {
        f->list.at[i].stored = true;
    }
}
