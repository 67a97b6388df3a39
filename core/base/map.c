#include "base/map.h"

void
jb_map_free(struct jb_map *m)
{
    jb_vec_free(&m->entries);
    free(m->buckets);
    *m = (struct jb_map){0};
}

void
jb_map_clear(struct jb_map *m)
{
    m->entries.n = 0;
    if (m->buckets != NULL) {
        memset(m->buckets, 0, ((size_t)m->mask + 1) * sizeof *m->buckets);
    }
}

/* Entries go back in their order, so that the newest of a bucket is first again and cutting stays
 * possible. */
static bool
grow(struct jb_map *m)
{
    uint32_t mask = m->buckets == NULL ? 255 : m->mask * 2 + 1;
    uint32_t *buckets = calloc((size_t)mask + 1, sizeof *buckets);
    if (buckets == NULL) {
        return false;
    }
    for (size_t i = 0; i < m->entries.n; i++) {
        struct jb_map_entry *e = &m->entries.at[i];
        e->next = buckets[e->hash & mask];
        buckets[e->hash & mask] = (uint32_t)i + 1;
    }
    free(m->buckets);
    m->buckets = buckets;
    m->mask = mask;
    return true;
}

bool
jb_map_put(struct jb_map *m, uint64_t hash, uint64_t value)
{
    if ((m->buckets == NULL || m->entries.n > m->mask) && !grow(m)) {
        return false;
    }
    if (!jb_vec_reserve(&m->entries, m->entries.n + 1)) {
        return false;
    }
    uint32_t *bucket = &m->buckets[hash & m->mask];
    m->entries.at[m->entries.n++] = (struct jb_map_entry){hash, value, *bucket};
    *bucket = (uint32_t)m->entries.n;
    return true;
}

void
jb_map_cut(struct jb_map *m, size_t n)
{
    while (m->entries.n > n) {
        const struct jb_map_entry *e = &m->entries.at[--m->entries.n];
        m->buckets[e->hash & m->mask] = e->next;
    }
}

static const struct jb_map_entry *
walk(const struct jb_map *m, uint32_t index, uint64_t hash)
{
    while (index != 0) {
        const struct jb_map_entry *e = &m->entries.at[index - 1];
        if (e->hash == hash) {
            return e;
        }
        index = e->next;
    }
    return NULL;
}

const struct jb_map_entry *
jb_map_find(const struct jb_map *m, uint64_t hash)
{
    return m->buckets == NULL ? NULL : walk(m, m->buckets[hash & m->mask], hash);
}

struct jb_map_entry *
jb_map_change(struct jb_map *m, uint64_t hash)
{
    const struct jb_map_entry *e = jb_map_find(m, hash);
    return e != NULL ? &m->entries.at[e - m->entries.at] : NULL;
}

const struct jb_map_entry *
jb_map_again(const struct jb_map *m, const struct jb_map_entry *e)
{
    return walk(m, e->next, e->hash);
}
