/* People whose references were looked up: where each command names its actor, people.mdb is not
 * asked each time. What is kept is what people.mdb said in the transaction that is its last: any
 * that was not this handle's own may have forgotten somebody. */
#include "ledger/internal.h"

#define KNOWN_MAX 100000

void
jb_known_clear(struct jb_known *k)
{
    jb_map_clear(&k->map);
    k->list.n = k->bytes.n = 0;
}

void
jb_known_free(struct jb_known *k)
{
    jb_map_free(&k->map);
    jb_vec_free(&k->list);
    free(k->bytes.at);
}

void
jb_known_begin(struct jb_ledger *l)
{
    struct jb_known *k = &l->known;
    uint64_t txn = jb_env_last_txn(jb_personal_env(l->personal));
    if (txn != k->txn || txn == 0) {
        jb_known_clear(k);
    }
    k->txn = txn;
    k->through = l->state->g.last_ref;
}

void
jb_known_committed(struct jb_ledger *l)
{
    struct jb_known *k = &l->known;
    uint64_t txn = jb_env_last_txn(jb_personal_env(l->personal));
    if (txn > k->txn + 1 || txn == 0) {
        jb_known_clear(k);
    }
    k->txn = txn;
}

static uint64_t
known(const struct jb_known *k, uint64_t hash, struct jb_text id)
{
    for (const struct jb_map_entry *m = jb_map_find(&k->map, hash); m != NULL;
         m = jb_map_again(&k->map, m)) {
        const struct jb_known_id *i = &k->list.at[m->value];
        if (i->n == id.n && memcmp(k->bytes.at + i->at, id.s, id.n) == 0) {
            return i->ref;
        }
    }
    return 0;
}

/* Where there is no memory for it, it is looked up again. */
static void
remember(struct jb_known *k, uint64_t hash, struct jb_text id, uint64_t ref)
{
    if (k->list.n >= KNOWN_MAX) {
        jb_known_clear(k);
    }
    if (!jb_vec_reserve(&k->list, k->list.n + 1) ||
        !jb_vec_grow((void **)&k->bytes.at, &k->bytes.cap, k->bytes.n + id.n, 1) ||
        !jb_map_put(&k->map, hash, k->list.n)) {
        return;
    }
    memcpy(k->bytes.at + k->bytes.n, id.s, id.n);
    k->list.at[k->list.n++] = (struct jb_known_id){ref, k->bytes.n, id.n};
    k->bytes.n += id.n;
}

jb_status
jb_known_find(struct jb_ledger *l, struct jb_text id, uint64_t *ret, struct jb_error *err)
{
    struct jb_known *k = &l->known;
    uint64_t hash = jb_state_hash(l->state, id.s, id.n);
    *ret = known(k, hash, id);
    if (*ret != 0) {
        return JB_OK;
    }
    jb_status status = jb_personal_find(l->personal, id, ret, err);
    /* A reference that is given in this commit may still be taken back. */
    if (status == JB_OK && *ret != 0 && *ret <= k->through) {
        remember(k, hash, id, *ret);
    }
    return status;
}

void
jb_known_warm(const struct jb_ledger *l, const struct jb_text *ids, size_t n)
{
    const struct jb_known *k = &l->known;
    const struct jb_map_entry *entries[JB_WARM_MAX];
    uint64_t hashes[JB_WARM_MAX];
    size_t found = 0;
    for (size_t i = 0; i < n && i < JB_WARM_MAX; i++) {
        if (ids[i].s != NULL && ids[i].n <= JB_ID_BYTES_MAX) {
            hashes[found] = jb_state_hash(l->state, ids[i].s, ids[i].n);
            jb_map_warm(&k->map, hashes[found++]);
        }
    }
    for (size_t i = 0; i < found; i++) {
        entries[i] = jb_map_first(&k->map, hashes[i]);
        __builtin_prefetch(entries[i]);
    }
    for (size_t i = 0; i < found; i++) {
        entries[i] = jb_map_step(&k->map, entries[i], hashes[i]);
        __builtin_prefetch(entries[i]);
    }
    for (size_t i = 0; i < found; i++) {
        size_t at = entries[i] != NULL ? entries[i]->value : k->list.n;
        entries[i] = at < k->list.n ? entries[i] : NULL;
        __builtin_prefetch(entries[i] != NULL ? &k->list.at[at] : NULL);
    }
    for (size_t i = 0; i < found; i++) {
        if (entries[i] != NULL) {
            __builtin_prefetch(k->bytes.at + k->list.at[entries[i]->value].at);
        }
    }
    JB_KEEP();
}
