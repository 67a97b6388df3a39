/*
 * Hash to number, several per hash allowed, undone in the reverse order of putting. What a hash
 * finds is always compared with the real thing, so a collision costs a look and never a wrong
 * answer.
 */
#ifndef JANGBU_MAP_H
#define JANGBU_MAP_H

#include "base/bytes.h"

struct jb_map_entry {
    uint64_t hash;
    uint64_t value;
    uint32_t next; /* index + 1 of the entry that was first in this bucket before */
};

struct jb_map {
    JB_VEC(struct jb_map_entry) entries;
    uint32_t *buckets; /* index + 1, 0: empty */
    uint32_t mask;
};

void jb_map_free(struct jb_map *m);
void jb_map_clear(struct jb_map *m);
/* False: no memory. */
bool jb_map_put(struct jb_map *m, uint64_t hash, uint64_t value);
/* Takes back everything after the first n entries. */
void jb_map_cut(struct jb_map *m, size_t n);
/* Takes out the newest entry with that hash and value, if there is one. The last entry takes its
 * place: what was put behind it is not to be taken back any more. */
void jb_map_remove(struct jb_map *m, uint64_t hash, uint64_t value);
/* The newest entry with that hash; then the ones before it. NULL: none. */
const struct jb_map_entry *jb_map_find(const struct jb_map *m, uint64_t hash);
const struct jb_map_entry *jb_map_again(const struct jb_map *m, const struct jb_map_entry *e);

/* The newest one, to give it another value. */
struct jb_map_entry *jb_map_change(struct jb_map *m, uint64_t hash);

/* Ends a function that only sends for memory: a compiler that sees through calls takes such a one
 * for a function that does nothing, and leaves it out. */
#define JB_KEEP() __asm__ volatile("")

/* Steps towards finding: each reads what the one before has sent for. The entry need not have
 * that hash. */
static inline void
jb_map_warm(const struct jb_map *m, uint64_t hash)
{
    __builtin_prefetch(m->buckets != NULL ? &m->buckets[hash & m->mask] : NULL);
}

static inline const struct jb_map_entry *
jb_map_first(const struct jb_map *m, uint64_t hash)
{
    uint32_t index = m->buckets != NULL ? m->buckets[hash & m->mask] : 0;
    return index != 0 ? &m->entries.at[index - 1] : NULL;
}

/* The same entry, or where it has another hash the one behind it in its bucket. */
static inline const struct jb_map_entry *
jb_map_step(const struct jb_map *m, const struct jb_map_entry *e, uint64_t hash)
{
    return e == NULL || e->hash == hash ? e : e->next != 0 ? &m->entries.at[e->next - 1] : NULL;
}

#endif
