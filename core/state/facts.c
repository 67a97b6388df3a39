#include "state/facts.h"

#include "base/error.h"
#include "base/steps.h"
#include "state/behind.h"

/* Of those that are stored, in memory; beyond it all of them come back when they are asked for. */
#define KEPT_MAX 400000

static jb_status
no_memory(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM, "no memory for roles, channels and papers");
}

static struct jb_fact *
find(const struct jb_facts *f, const struct jb_fact_key *key, uint64_t hash)
{
    for (const struct jb_map_entry *m = jb_map_find(&f->map, hash); m != NULL;
         m = jb_map_again(&f->map, m)) {
        struct jb_fact *fact = &f->list.at[m->value];
        if (memcmp(&fact->key, key, sizeof *key) == 0) {
            return fact;
        }
    }
    return NULL;
}

/* False: no memory, and nothing has changed. */
static bool
add(struct jb_facts *f, const struct jb_fact_key *key, uint64_t hash, const uint8_t *record,
    size_t n)
{
    if (!jb_vec_reserve(&f->list, f->list.n + 1) ||
        !jb_vec_grow((void **)&f->bytes.at, &f->bytes.cap, f->bytes.n + n, 1) ||
        !jb_map_put(&f->map, hash, f->list.n)) {
        return false;
    }
    if (n > 0) { /* else there may be no bytes yet */
        memcpy(f->bytes.at + f->bytes.n, record, n);
    }
    f->list.at[f->list.n++] = (struct jb_fact){.key = *key, .n = (uint16_t)n, .at = f->bytes.n};
    f->bytes.n += n;
    return true;
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

/* What the store says, which is kept: that there is none as well, since it is asked again and again
 * who is no member. */
static jb_status
load(struct jb_state *b, const struct jb_fact_key *key, uint64_t hash, struct jb_error *err)
{
    const void *value;
    size_t n;
    jb_status status = jb_store_get(&b->snap, JB_TABLE_FACTS, key, sizeof *key, &value, &n, err);
    if (status == JB_OK &&
        (n < 1 || n > UINT16_MAX || (size_t) * (const uint8_t *)value * 8 + 1 > n)) {
        return jb_store_damaged(b->store, "what it says of roles, channels and papers", err);
    }
    if (status != JB_OK && status != JB_E_NOTFOUND) {
        return status;
    }
    bool found = status == JB_OK;
    return add(&b->facts, key, hash, found ? value : (const uint8_t *)"", found ? n : 0)
               ? JB_OK
               : no_memory(err);
}

/* Where it is in memory: the newest. NULL: nowhere. */
static const struct jb_facts *
find_newest(struct jb_state *b, const struct jb_fact_key *key, uint64_t hash,
            const struct jb_fact **ret)
{
    const struct jb_news *before = jb_behind_news(b);
    const struct jb_facts *all[] = {&b->news.facts, before != NULL ? &before->facts : NULL,
                                    &b->facts};
    for (unsigned i = 0; i < 3; i++) {
        *ret = all[i] != NULL && all[i]->list.n > 0 ? find(all[i], key, hash) : NULL;
        if (*ret != NULL) {
            return all[i];
        }
    }
    return NULL;
}

jb_status
jb_fact_get(struct jb_state *b, const struct jb_fact_key *key, void *words, size_t n,
            struct jb_text *text, bool *ret_found, struct jb_error *err)
{
    uint64_t hash = jb_state_hash(b, key, sizeof *key);
    const struct jb_fact *fact;
    const struct jb_facts *in = find_newest(b, key, hash, &fact);
    jb_steps.moved++;
    if (in == NULL && b->store != NULL) {
        jb_status status = load(b, key, hash, err);
        if (status != JB_OK) {
            return status;
        }
        in = find_newest(b, key, hash, &fact);
    }
    *ret_found = in != NULL && fact->n > 0;
    if (!*ret_found) {
        memset(words, 0, n * 8);
        if (text != NULL) {
            *text = (struct jb_text){NULL, 0};
        }
        return JB_OK;
    }
    const uint8_t *record = in->bytes.at + fact->at;
    unpack(record, fact->n, record[0], words, n, text);
    return JB_OK;
}

/* In place where it has that place to itself. */
static bool
put(struct jb_facts *f, const struct jb_fact_key *key, uint64_t hash, const uint8_t *record,
    size_t n, size_t kept)
{
    struct jb_fact *old = find(f, key, hash);
    if (old != NULL && (size_t)(old - f->list.at) >= kept && old->n == n) {
        memcpy(f->bytes.at + old->at, record, n);
        return true;
    }
    return add(f, key, hash, record, n);
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
    /* What a savepoint would have to give back stays. */
    return put(&b->news.facts, key, jb_state_hash(b, key, sizeof *key), record, 1 + n * 8 + text.n,
               b->save.live ? b->save.facts : 0)
               ? JB_OK
               : no_memory(err);
}

void
jb_facts_cut(struct jb_state *b, size_t n)
{
    struct jb_facts *f = &b->news.facts;
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
    f->list.n = f->bytes.n = 0;
}

void
jb_facts_free(struct jb_facts *f)
{
    jb_map_free(&f->map);
    jb_vec_free(&f->list);
    free(f->bytes.at);
    *f = (struct jb_facts){0};
}

void
jb_facts_trim(struct jb_state *b)
{
    if (b->store != NULL && !b->save.live && b->facts.list.n > KEPT_MAX) {
        jb_facts_clear(&b->facts);
    }
}

bool
jb_facts_take(struct jb_facts *kept, const struct jb_facts *from, size_t *at, size_t n)
{
    for (; n > 0 && *at < from->list.n; n--, ++*at) {
        const struct jb_fact *f = &from->list.at[*at];
        if (!put(kept, &f->key, from->map.entries.at[*at].hash, from->bytes.at + f->at, f->n, 0)) {
            jb_facts_clear(kept);
            *at = from->list.n;
            return false;
        }
    }
    return true;
}
