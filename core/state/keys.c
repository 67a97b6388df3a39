#include "state/keys.h"

#include <stdio.h>

#include "base/error.h"
#include "base/steps.h"
#include "state/state.h"

/* Builds for tests meet all of it with little. */
struct jb_keys_limits jb_keys_limits = {
    .table_keys = JB_CHECKS ? 64 : 131072,
    .table_events = JB_CHECKS ? 256 : 262144,
    .closing_keys = JB_CHECKS ? 1 : 4096,
    .closing_events = JB_CHECKS ? 1 : 65536,
    .pool_pages = 65536, /* 256 MiB */
    .sieve_rows = JB_CHECKS ? 128 : UINT64_C(1) << 21,
};
/* An audit goes through the runs from end to end. */
#define AUDIT_POOL_PAGES 4096
#define SORT_SHIFT 48
#define SORT_PARTS (UINT64_C(1) << (64 - SORT_SHIFT))
/* In memory, unless there is no room for them in runs. */
#define TABLES_MAX 12
/* Keys of one hash. */
#define SAME_MAX 16

static jb_status
no_memory(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM, "no memory for the ledger's state");
}

static jb_status
short_of(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM,
                   "no memory, or no file descriptors, for the idempotency keys in `state`");
}

/* ---- tables ---- */

static int
compare(const void *a, const void *b)
{
    const struct jb_key_row *x = a, *y = b;
    return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1)
                              : (x->seq > y->seq) - (x->seq < y->seq);
}

/* Hashes are spread evenly: put where their first bits belong they are nearly in order. */
static bool
sort(void *data)
{
    struct jb_key_table *t = data;
    size_t n = t->map.entries.n;
    const struct jb_map_entry *e = t->map.entries.at;
    t->sorted = t->sorted != NULL ? t->sorted : malloc((n + 1) * sizeof *t->sorted);
    uint32_t *ends = calloc(SORT_PARTS + 1, sizeof *ends);
    if (t->sorted == NULL || ends == NULL) {
        free(ends);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        ends[(e[i].hash >> SORT_SHIFT) + 1]++;
    }
    for (size_t i = 0; i < SORT_PARTS; i++) {
        ends[i + 1] += ends[i];
    }
    for (size_t i = 0; i < n; i++) {
        t->sorted[ends[e[i].hash >> SORT_SHIFT]++] = (struct jb_key_row){e[i].hash, e[i].value};
    }
    for (size_t i = 0, from = 0; i < SORT_PARTS; from = ends[i++]) {
        if (ends[i] - from > 1) {
            qsort(t->sorted + from, ends[i] - from, sizeof *t->sorted, compare);
        }
    }
    free(ends);
    return true;
}

#define ROW_BYTES 14

static void
row_key(uint64_t hash, jb_seq seq, uint8_t ret[ROW_BYTES])
{
    uint8_t bytes[8];
    jb_put_be(ret, 8, hash);
    jb_put_be(bytes, 8, seq);
    memcpy(ret + 8, bytes + 2, 6);
}

void
jb_keys_tally(struct jb_tally *t, uint64_t hash, jb_seq seq, bool add)
{
    uint8_t key[ROW_BYTES];
    row_key(hash, seq, key);
    if (add) {
        jb_tally_add(t, key, sizeof key, "", 0);
    } else {
        jb_tally_take(t, key, sizeof key, "", 0);
    }
}

static void
give_row(void *data, uint64_t i, struct jb_run_row *ret)
{
    const struct jb_key_table *t = data;
    row_key(t->sorted[i].hash, t->sorted[i].seq, ret->key);
    ret->key_n = ROW_BYTES;
    ret->value = NULL;
    ret->value_n = 0;
}

static struct jb_key_table *
table_free(struct jb_key_table *t)
{
    if (t != NULL) {
        jb_map_free(&t->map);
        free(t->sorted);
        free(t);
    }
    return NULL;
}

static void
prepare(struct jb_key_table *t, uint32_t generation)
{
    t->range.generation = generation;
    t->source = (struct jb_runs_source){
        .range = t->range, .rows = t->map.entries.n, .sort = sort, .row = give_row, .data = t};
}

/* Puts it where it belongs. False: no memory. */
static bool
insert(struct jb_keys *k, struct jb_key_table *t)
{
    if (!jb_vec_reserve(&k->tables, k->tables.n + 1)) {
        return false;
    }
    size_t at = k->tables.n++;
    for (; at > 0 && k->tables.at[at - 1]->range.first > t->range.first; at--) {
        k->tables.at[at] = k->tables.at[at - 1];
    }
    k->tables.at[at] = t;
    return true;
}

static bool
is_large(const struct jb_key_table *t)
{
    return t->map.entries.n >= jb_keys_limits.closing_keys ||
           t->range.last - t->range.first >= jb_keys_limits.closing_events;
}

/* Only the keys behind that event. False: no memory; they stay as they are. */
static bool
shorten(struct jb_key_table *t, jb_seq end)
{
    struct jb_map behind = {0};
    for (size_t i = 0; i < t->map.entries.n; i++) {
        const struct jb_map_entry *e = &t->map.entries.at[i];
        if (e->value > end && !jb_map_put(&behind, e->hash, e->value)) {
            jb_map_free(&behind);
            return false;
        }
    }
    jb_map_free(&t->map);
    free(t->sorted);
    t->map = behind;
    t->sorted = NULL;
    t->range.first = end + 1;
    return true;
}

/* The runs have the table, or will never have it as it is: where another process's end within it,
 * the rest is offered anew. True: it is kept. */
static bool
stays(const struct jb_keys *k, struct jb_key_table *t)
{
    jb_seq end = k->runs != NULL ? jb_runs_end(k->runs) : 0;
    bool rest = t->range.first <= end && end < t->range.last;
    t->offered = false;
    return rest && shorten(t, end);
}

/* Those that are in runs now go, the others are offered: all, or down to the first that is small
 * and may as well be read again. */
static void
offer(struct jb_keys *k, bool all)
{
    size_t kept = 0;
    bool offers = k->runs != NULL;
    for (size_t i = 0; i < k->tables.n; i++) {
        struct jb_key_table *t = k->tables.at[i];
        if (t->offered && atomic_load(&t->source.done) && !stays(k, t)) {
            table_free(t);
            continue;
        }
        if (!t->offered && offers && (all || is_large(t))) {
            prepare(t, k->generation);
            t->offered = jb_runs_offer(k->runs, &t->source);
        }
        offers = offers && t->offered;
        k->tables.at[kept++] = t;
    }
    k->tables.n = kept;
}

/* ---- runs ---- */

static jb_status
known(void *data, const struct jb_run_range *range, struct jb_error *err)
{
    struct jb_state *b = data;
    uint8_t chain[JB_CHAIN_BYTES];
    /* The newest snapshot: another process may have written runs of what came since. */
    jb_status status = jb_log_reader_renew(b->look, NULL, err);
    b->look_live = status == JB_OK;
    status = status == JB_OK ? jb_log_reader_chain(b->look, range->last, chain, err) : status;
    return status == JB_OK && memcmp(chain, range->chain, sizeof chain) != 0 ? JB_E_NOTFOUND
                                                                             : status;
}

/* The directory `state` beside the store's file. NULL: no memory. */
static char *
directory(const struct jb_store *store)
{
    const char *place = jb_store_place(store), *slash = strrchr(place, '/');
    size_t n = slash != NULL ? (size_t)(slash - place) + 1 : 0;
    char *path = malloc(n + sizeof "state");
    if (path != NULL) {
        memcpy(path, place, n);
        memcpy(path + n, "state", sizeof "state");
    }
    return path;
}

jb_status
jb_keys_open(struct jb_state *b, const struct jb_store *store, uint32_t generation, bool read_only,
             struct jb_runs **ret, struct jb_error *err)
{
    char *path = directory(store);
    if (path == NULL) {
        return no_memory(err);
    }
    size_t pages = jb_keys_limits.pool_pages;
    pages = read_only && pages > AUDIT_POOL_PAGES ? AUDIT_POOL_PAGES : pages;
    struct jb_runs_options o = {.path = path,
                                .generation = generation,
                                .read_only = read_only,
                                .pool_pages = pages,
                                .sieve_rows = read_only ? 0 : jb_keys_limits.sieve_rows,
                                .known = known,
                                .data = b};
    memcpy(o.ledger_id, b->identity.ledger_id, sizeof o.ledger_id);
    jb_status status = jb_runs_open(&o, ret, err);
    free(path);
    return status;
}

/* Without them everything is read from the log; but not because there were no descriptors for a
 * moment. */
static jb_status
open_runs(struct jb_state *b, struct jb_error *err)
{
    struct jb_keys *k = &b->keys;
    struct jb_error ignored;
    if (k->tried || b->store == NULL) {
        return JB_OK;
    }
    jb_status status = jb_keys_open(b, b->store, b->generation, false, &k->runs, &ignored);
    if (status != JB_OK) {
        k->runs = NULL;
    }
    k->tried = status != JB_E_NOMEM;
    return k->tried ? JB_OK : short_of(err);
}

/* What is in them is in the runs, or stays in memory, and is offered to the next ones. */
static void
close_runs(struct jb_keys *k)
{
    k->runs = jb_runs_close(k->runs);
    k->tried = false;
    size_t kept = 0;
    for (size_t i = 0; i < k->tables.n; i++) {
        struct jb_key_table *t = k->tables.at[i];
        if (t->offered && atomic_load(&t->source.done)) {
            table_free(t);
        } else {
            t->offered = false;
            k->tables.at[kept++] = t;
        }
    }
    k->tables.n = kept;
}

/* ---- what nobody has ---- */

/* The same for tables alone as jb_runs_reach. */
static jb_seq
tables_reach(const struct jb_keys *k, jb_seq end, jb_seq *ret_next)
{
    *ret_next = UINT64_MAX;
    for (size_t i = 0; i < k->tables.n; i++) {
        const struct jb_run_range *r = &k->tables.at[i]->range;
        if (r->first > end + 1) {
            *ret_next = r->first;
            return end;
        }
        end = r->last > end ? r->last : end;
    }
    return end;
}

/* The events from 1 on that runs and tables have without a hole. *ret_until: where the next of them
 * begins, or the map does. */
static jb_seq
covered(const struct jb_keys *k, jb_seq *ret_until)
{
    jb_seq end = k->runs != NULL ? jb_runs_end(k->runs) : 0, before, table, run = UINT64_MAX;
    do {
        before = end;
        end = tables_reach(k, end, &table);
        end = k->runs != NULL ? jb_runs_reach(k->runs, end, &run) : end;
    } while (end != before);
    *ret_until = table < run ? table : run;
    *ret_until = *ret_until < k->from ? *ret_until : k->from;
    return end;
}

/* The keys of the events from first on, until there are enough of them, or to `last`. */
static jb_status
read_table(struct jb_state *b, struct jb_log_reader *r, jb_seq last, struct jb_key_table *t,
           struct jb_error *err)
{
    jb_seq seq = t->range.first - 1;
    jb_status status = JB_OK;
    for (bool full = false; seq < last && !full;) {
        const struct jb_event *e;
        status = jb_log_reader_next(r, &e, err);
        if (status != JB_OK) {
            break;
        }
        seq = e->seq;
        if ((e->flags & JB_EVF_KEY) != 0 &&
            !jb_map_put(&t->map, jb_state_key_hash(b, e->caller, e->key), seq)) {
            return no_memory(err);
        }
        const struct jb_frame *f = jb_log_reader_current(r);
        bool frame_ends = f->first + f->count - 1 == seq;
        full = frame_ends && t->map.entries.n >= jb_keys_limits.table_keys;
        if (frame_ends) {
            memcpy(t->range.chain, f->chain, JB_CHAIN_BYTES);
        }
    }
    t->range.last = seq;
    return status == JB_END ? jb_fail(err, JB_E_CORRUPT,
                                      "event %llu cannot be found in the log, which goes on behind "
                                      "it. Run `jangbu audit`",
                                      (unsigned long long)seq + 1)
                            : status;
}

/* One table of what comes behind `end`. */
static jb_status
read_more(struct jb_state *b, struct jb_log_reader *r, jb_seq end, jb_seq last,
          struct jb_error *err)
{
    struct jb_key_table *t = calloc(1, sizeof *t);
    uint8_t chain[JB_CHAIN_BYTES];
    if (t == NULL) {
        return no_memory(err);
    }
    memcpy(chain, b->identity.root, sizeof chain);
    jb_status status = end > 0 ? jb_log_reader_chain(r, end, chain, err) : JB_OK;
    if (status == JB_OK) {
        jb_log_reader_seek(r, end + 1, chain);
        t->range.first = end + 1;
        status = read_table(b, r, last, t, err);
    }
    if (status == JB_OK && !insert(&b->keys, t)) {
        status = no_memory(err);
    }
    if (status != JB_OK) {
        table_free(t);
        return status;
    }
    offer(&b->keys, false);
    if (b->keys.tables.n > 2 && b->keys.runs != NULL) {
        jb_runs_settle(b->keys.runs, false); /* so that memory does not fill with them */
    }
    return JB_OK;
}

/* Makes up for all that neither runs nor tables have. */
static jb_status
cover(struct jb_state *b, struct jb_error *err)
{
    struct jb_keys *k = &b->keys;
    jb_seq until, end = 0;
    if (k->from <= 1) {
        return JB_OK;
    }
    jb_status status = open_runs(b, err);
    if (status != JB_OK) {
        return status;
    }
    end = covered(k, &until);
    if (end + 1 >= until) {
        return JB_OK;
    }
    struct jb_log_reader *r;
    status = jb_log_reader_open(b->log, &r, err);
    if (status != JB_OK) {
        return status;
    }
    jb_log_reader_offset(r, b->identity.utc_offset_s);
    while (status == JB_OK && end + 1 < until) {
        status = read_more(b, r, end, until - 1, err);
        end = covered(k, &until);
    }
    jb_log_reader_close(r);
    return status;
}

/* ---- finding ---- */

bool
jb_keys_add(struct jb_state *b, uint64_t hash, jb_seq seq)
{
    return b->keys.none || jb_map_put(&b->keys.map, hash, seq);
}

struct seqs {
    jb_seq at[SAME_MAX];
    size_t n;
};

static jb_status
note(void *data, const struct jb_run_row *row)
{
    struct seqs *s = data;
    jb_seq seq = jb_keys_row_seq(row);
    if (s->n == SAME_MAX) {
        return JB_E_CORRUPT;
    }
    s->at[s->n++] = seq;
    return JB_OK;
}

static jb_status
find_in_map(const struct jb_map *m, uint64_t hash, jb_keys_found found, void *data, bool *stop,
            struct jb_error *err)
{
    jb_status status = JB_OK;
    for (const struct jb_map_entry *e = jb_map_find(m, hash);
         e != NULL && status == JB_OK && !*stop; e = jb_map_again(m, e)) {
        status = found(data, e->value, stop, err);
    }
    return status;
}

/* In the runs, or, where one of them was damaged, in what the log has in its place. */
static jb_status
find_stored(struct jb_state *b, uint64_t hash, struct seqs *ret, struct jb_error *err)
{
    jb_status status;
    do {
        ret->n = 0;
        status = cover(b, err);
        if (status != JB_OK) {
            return status;
        }
        status = b->keys.runs != NULL ? jb_runs_find(b->keys.runs, hash, note, ret) : JB_OK;
    } while (status == JB_E_STALE);
    return status == JB_E_NOMEM ? no_memory(err)
           : status != JB_OK    ? jb_fail(err, JB_E_CORRUPT,
                                          "more than %d idempotency keys have one hash. Run `jangbu "
                                             "audit`",
                                          SAME_MAX)
                                : JB_OK;
}

jb_status
jb_keys_find(struct jb_state *b, uint64_t hash, jb_keys_found found, void *data,
             struct jb_error *err)
{
    struct jb_keys *k = &b->keys;
    struct seqs seqs = {.n = 0};
    bool stop = false;
    JB_ASSERT(!k->none);
    jb_status status = find_in_map(&k->map, hash, found, data, &stop, err);
    k->writes = true;
    if (status != JB_OK || stop || k->from <= 1) {
        return status;
    }
    status = find_stored(b, hash, &seqs, err);
    for (size_t i = k->tables.n; i-- > 0 && status == JB_OK && !stop;) {
        status = find_in_map(&k->tables.at[i]->map, hash, found, data, &stop, err);
    }
    for (size_t i = 0; i < seqs.n && status == JB_OK && !stop; i++) {
        status = found(data, seqs.at[i], &stop, err);
    }
    return status;
}

void
jb_keys_warm(const struct jb_state *b, const uint64_t *hashes, size_t n)
{
    const struct jb_keys *k = &b->keys;
    for (size_t i = 0; i < n; i++) {
        jb_map_warm(&k->map, hashes[i]);
        for (size_t t = 0; t < k->tables.n; t++) {
            jb_map_warm(&k->tables.at[t]->map, hashes[i]);
        }
    }
    if (k->runs != NULL) {
        jb_runs_warm(k->runs, hashes, n);
    }
    for (size_t i = 0; i < n; i++) {
        __builtin_prefetch(jb_map_first(&k->map, hashes[i]));
        for (size_t t = 0; t < k->tables.n; t++) {
            __builtin_prefetch(jb_map_first(&k->tables.at[t]->map, hashes[i]));
        }
    }
}

/* ---- writing ---- */

/* The map, which ends with that event, becomes a table, and a new one begins. There is room for it
 * among the tables. NULL: no memory. */
static struct jb_key_table *
freeze(struct jb_keys *k, jb_seq last, const uint8_t chain[JB_CHAIN_BYTES])
{
    struct jb_key_table *t = calloc(1, sizeof *t);
    if (t == NULL || !jb_vec_reserve(&k->tables, k->tables.n + 1)) {
        free(t);
        return NULL;
    }
    t->range = (struct jb_run_range){.first = k->from, .last = last};
    memcpy(t->range.chain, chain, JB_CHAIN_BYTES);
    t->map = k->map;
    k->map = (struct jb_map){0};
    k->from = last + 1;
    return t;
}

/* Of whoever has never looked for a key, and where runs have them: they are found there, or in the
 * log. What has no place behind runs and tables is read once that is needed. */
static bool
are_had(struct jb_state *b, jb_seq last)
{
    struct jb_keys *k = &b->keys;
    jb_seq until, end = covered(k, &until);
    return !k->writes || k->runs == NULL || end >= last || end + 1 < k->from;
}

jb_status
jb_keys_fold(struct jb_state *b, const struct jb_frame *frame, jb_seq seq, struct jb_error *err)
{
    struct jb_keys *k = &b->keys;
    if (b->store == NULL || b->save.live || frame->first + frame->count - 1 != seq) {
        return JB_OK;
    }
    jb_status status = k->writes ? open_runs(b, err) : JB_OK;
    if (status != JB_OK) {
        return status;
    }
    if (are_had(b, seq)) {
        jb_map_clear(&k->map);
        k->from = seq + 1;
        return JB_OK;
    }
    struct jb_key_table *t = freeze(k, seq, frame->chain);
    if (t == NULL) {
        return no_memory(err);
    }
    (void)insert(k, t); /* for which there is room */
    offer(k, true);
    if (k->tables.n > 2) {
        jb_runs_settle(k->runs, false); /* so that memory does not fill with them */
    }
    return JB_OK;
}

void
jb_keys_store(struct jb_state *b, bool closing)
{
    struct jb_keys *k = &b->keys;
    struct jb_error ignored;
    k->writes = true;
    if (!b->usable || b->g.seq != b->head.seq || b->g.seq < k->from || b->save.live) {
        return;
    }
    size_t keys = k->map.entries.n;
    jb_seq first = k->from;
    for (size_t i = k->tables.n; i-- > 0 && !k->tables.at[i]->offered;) {
        keys += k->tables.at[i]->map.entries.n;
        first = k->tables.at[i]->range.first;
    }
    uint64_t events = b->g.seq - first + 1;
    bool enough =
        closing ? keys >= jb_keys_limits.closing_keys || events >= jb_keys_limits.closing_events
                : keys >= jb_keys_limits.table_keys || events >= jb_keys_limits.table_events;
    if (enough) {
        jb_status status = open_runs(b, &ignored);
        status = status == JB_OK ? cover(b, &ignored) : status;
        struct jb_key_table *t = status == JB_OK ? freeze(k, b->g.seq, b->head.chain) : NULL;
        if (t != NULL) {
            (void)insert(k, t); /* for which there is room */
        }
    }
    if (k->runs != NULL && (enough || k->tables.n > 0)) {
        jb_runs_refresh(k->runs);
        offer(k, enough);
        if (k->tables.n > TABLES_MAX) {
            jb_runs_settle(k->runs, false); /* who writes faster than the thread waits for it */
        }
    }
}

void
jb_keys_write_next(struct jb_state *b, const struct jb_store *store, uint32_t generation)
{
    JB_ASSERT(b->store == NULL);
    struct jb_keys *k = &b->keys;
    struct jb_run_place place = {.dir = -1};
    char *path = directory(store);
    struct jb_key_table *t =
        path != NULL && b->g.seq >= k->from ? freeze(k, b->g.seq, b->head.chain) : NULL;
    jb_status status = JB_E_NOMEM;
    if (t != NULL) {
        prepare(t, generation);
        status = jb_runs_place(path, b->identity.ledger_id, false, &place);
        status = status == JB_OK ? jb_runs_write(&place, &t->source) : status;
        jb_runs_leave(&place);
        if (status != JB_OK) { /* as before */
            k->map = t->map;
            k->from = t->range.first;
            t->map = (struct jb_map){0};
        }
    }
    table_free(t);
    free(path);
}

void
jb_keys_begin(struct jb_state *b, jb_seq stored, uint32_t generation)
{
    struct jb_keys *k = &b->keys;
    jb_map_clear(&k->map);
    k->from = stored + 1;
    if (k->generation != generation && k->runs != NULL) {
        close_runs(k);
    }
    k->generation = generation;
}

void
jb_keys_free(struct jb_state *b)
{
    struct jb_keys *k = &b->keys;
    if (k->writes && b->store != NULL) {
        jb_keys_store(b, true);
    }
    close_runs(k);
    for (size_t i = 0; i < k->tables.n; i++) {
        table_free(k->tables.at[i]);
    }
    jb_vec_free(&k->tables);
    jb_map_free(&k->map);
}

void
jb_keys_leave(struct jb_state *b)
{
    b->keys.writes = false;
    b->keys.none = true;
    jb_keys_free(b);
    b->keys.from = b->g.seq + 1;
}
