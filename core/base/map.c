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

/* Entries of a bucket follow each other by their indexes, the greatest first. So the last of all is
 * the first of its bucket, and where it moves it takes the place that its new index has. */
static void
move_last(struct jb_map *m, uint32_t to)
{
    struct jb_map_entry last = m->entries.at[m->entries.n - 1];
    uint32_t *at = &m->buckets[last.hash & m->mask];
    *at = last.next;
    while (*at > to) {
        at = &m->entries.at[*at - 1].next;
    }
    last.next = *at;
    m->entries.at[to - 1] = last;
    *at = to;
}

void
jb_map_remove(struct jb_map *m, uint64_t hash, uint64_t value)
{
    uint32_t *at = m->buckets != NULL ? &m->buckets[hash & m->mask] : NULL;
    while (at != NULL && *at != 0 &&
           (m->entries.at[*at - 1].hash != hash || m->entries.at[*at - 1].value != value)) {
        at = &m->entries.at[*at - 1].next;
    }
    const uint32_t found = at != NULL ? *at : 0;
    if (found == 0) {
        return;
    }
    *at = m->entries.at[found - 1].next;
    if (found != m->entries.n) {
        move_last(m, found);
    }
    m->entries.n--;
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
