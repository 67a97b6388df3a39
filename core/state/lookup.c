/* Finding things: in memory first, else in the store. What is over comes back into memory only when
 * it is named. */
#include "base/error.h"
#include "base/steps.h"
#include "base/text.h"
#include "state/behind.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define CACHE_LINE 64

uint64_t
jb_state_hash(const struct jb_state *b, const void *bytes, size_t n)
{
    /* Seeded per ledger: a caller who chooses ids cannot make them collide. */
    return XXH3_64bits_withSeed(bytes, n, jb_get_be(b->identity.ledger_id, 8));
}

uint64_t
jb_state_key_hash(const struct jb_state *b, struct jb_text caller, struct jb_text key)
{
    uint8_t bytes[1 + JB_SHORT_BYTES_MAX + JB_KEY_BYTES_MAX];
    bytes[0] = (uint8_t)caller.n;
    memcpy(bytes + 1, caller.n > 0 ? caller.s : "", caller.n);
    memcpy(bytes + 1 + caller.n, key.s, key.n);
    return jb_state_hash(b, bytes, 1 + caller.n + key.n);
}

size_t
jb_state_id_key(char kind, uint32_t wallet, struct jb_text id, uint8_t ret[JB_ID_KEY_BYTES_MAX])
{
    ret[0] = (uint8_t)kind;
    jb_put_be(ret + 1, 4, wallet);
    memcpy(ret + 5, id.s, id.n);
    return 5 + id.n;
}

uint64_t
jb_state_id_hash(const struct jb_state *b, char kind, uint32_t wallet, struct jb_text id)
{
    uint8_t key[JB_ID_KEY_BYTES_MAX];
    return jb_state_hash(b, key, jb_state_id_key(kind, wallet, id, key));
}

bool
jb_state_txn_hash(const struct jb_state *b, struct jb_text pg, struct jb_text txn_ref,
                  uint8_t ret[16])
{
    uint8_t bytes[1 + JB_SHORT_BYTES_MAX + JB_TXN_REF_BYTES_MAX];
    if (txn_ref.n == 0 || txn_ref.n > JB_TXN_REF_BYTES_MAX || pg.n > JB_SHORT_BYTES_MAX) {
        return false;
    }
    bytes[0] = (uint8_t)pg.n;
    memcpy(bytes + 1, pg.n > 0 ? pg.s : "", pg.n);
    memcpy(bytes + 1 + pg.n, txn_ref.s, txn_ref.n);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(
        &canonical,
        XXH3_128bits_withSeed(bytes, 1 + pg.n + txn_ref.n, jb_get_be(b->identity.ledger_id, 8)));
    memcpy(ret, canonical.digest, 16);
    return true;
}

/* What came since, in two parts: what is on its way to the store, then what came behind that. */
#define PARTS 2
struct parts {
    const struct jb_news *at[PARTS];
};

static struct parts
parts(const struct jb_state *b)
{
    static const struct jb_news none;
    const struct jb_news *before = jb_behind_news(b);
    return (struct parts){{before != NULL ? before : &none, &b->news}};
}

const struct jb_txn *
jb_state_txn(const struct jb_state *b, const uint8_t hash[16])
{
    struct parts p = parts(b);
    for (unsigned i = 0; i < PARTS; i++) {
        const struct jb_news *n = p.at[i];
        for (const struct jb_map_entry *m = jb_map_find(&n->txn_index, jb_get_be(hash, 8));
             m != NULL; m = jb_map_again(&n->txn_index, m)) {
            const struct jb_txn *t = &n->txns.at[m->value];
            if (memcmp(t->hash, hash, sizeof t->hash) == 0) {
                return t;
            }
        }
    }
    return NULL;
}

/* A record that holds and cannot be read: what wrote it had another layout. */
static jb_status
damaged(struct jb_state *b, struct jb_error *err, const char *what)
{
    return b->store != NULL
               ? jb_store_damaged(b->store, what, err)
               : jb_fail(err, JB_E_CORRUPT, "the state in memory lacks %s", jb_tr(what));
}

static jb_status
no_memory(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM, "no memory for a wallet");
}

static jb_status
get(struct jb_state *b, unsigned table, const void *key, size_t key_n, const void **value,
    size_t *n, struct jb_error *err)
{
    return b->store == NULL ? JB_E_NOTFOUND
                            : jb_store_get(&b->snap, table, key, key_n, value, n, err);
}

/* A number has one entry, also where its wallet went and came back without it. */
static bool
note_id(struct jb_state *b, uint64_t hash, uint32_t number)
{
    for (const struct jb_map_entry *e = jb_map_find(&b->wallet_ids, hash); e != NULL;
         e = jb_map_again(&b->wallet_ids, e)) {
        if (e->value == number) {
            return true;
        }
    }
    return jb_map_put(&b->wallet_ids, hash, number);
}

/* The row of a wallet that is not in memory. */
static jb_status
get_wallet(struct jb_state *b, uint32_t number, const void **value, size_t *n, struct jb_error *err)
{
    if (b->store == NULL) {
        return JB_E_NOTFOUND;
    }
    if (b->runs_writes != b->snap.meta.writes) {
        jb_status status = jb_wallet_runs_get(&b->snap, &b->runs, err);
        if (status != JB_OK) {
            return status;
        }
        b->runs_writes = b->snap.meta.writes;
        if (b->stored_known == 0 && b->runs.n > 0) {
            b->stored_known = b->runs.at[b->runs.n - 1].newest;
        }
    }
    const uint64_t since = number <= b->stored_in.n ? b->stored_in.at[number - 1] : 0;
    uint64_t newest = 0;
    jb_status status =
        jb_wallet_runs_find(&b->snap, &b->runs, number, since, since != 0 ? b->stored_known : 0,
                            value, n, &newest, err);
    if (status == JB_OK) {
        jb_state_note_stored(b, number, newest);
    }
    return status;
}

static jb_status
read_slot(struct jb_state *b, uint32_t number, struct jb_cached_wallet **ret, struct jb_error *err)
{
    const void *value;
    size_t n;
    jb_status status = get_wallet(b, number, &value, &n, err);
    if (status == JB_E_NOTFOUND) { /* it was given: what was stored of it is lost */
        return damaged(b, err, "a wallet's record");
    }
    if (status != JB_OK) {
        return status;
    }
    struct jb_cached_wallet *s = jb_vec_reserve(&b->slots, number) ? jb_slot_new(&b->memory) : NULL;
    if (s == NULL) {
        return no_memory(err);
    }
    status = jb_read_wallet(value, n, &s->w);
    if (status != JB_OK || s->w.number != number) {
        jb_slot_free(&b->memory, s);
        return status == JB_E_NOMEM ? no_memory(err) : damaged(b, err, "a wallet's record");
    }
    while (b->slots.n < number) {
        b->slots.at[b->slots.n++] = NULL;
    }
    const struct jb_text id = jb_id_of(&s->w);
    if (!note_id(b, jb_state_hash(b, id.s, id.n), number)) {
        jb_slot_free(&b->memory, s);
        return no_memory(err);
    }
    b->slots.at[number - 1] = s;
    b->loaded++;
    *ret = s;
    return JB_OK;
}

jb_status
jb_state_wallet(struct jb_state *b, uint32_t number, struct jb_cached_wallet **ret,
                struct jb_error *err)
{
    if (number >= 1 && number <= b->slots.n && b->slots.at[number - 1] != NULL) {
        *ret = jb_behind_use(b, b->slots.at[number - 1]);
        return JB_OK;
    }
    if (number < 1 || number > b->g.wallets_given) {
        return jb_fail(err, JB_E_NOTFOUND, "there is no wallet number %u", number);
    }
    return read_slot(b, number, ret, err);
}

static bool
has_id(const struct jb_cached_wallet *s, struct jb_text id)
{
    return s->w.id_n == id.n && memcmp(jb_id_of(&s->w).s, id.s, id.n) == 0;
}

struct jb_cached_wallet *
jb_state_guessed(struct jb_state *b, uint32_t number, struct jb_text id)
{
    struct jb_cached_wallet *s =
        number > 0 && number <= b->slots.n ? b->slots.at[number - 1] : NULL;
    return s != NULL && id.s != NULL && has_id(s, id) ? jb_behind_use(b, s) : NULL;
}

jb_status
jb_state_find(struct jb_state *b, struct jb_text id, struct jb_cached_wallet **ret,
              struct jb_error *err)
{
    if (id.s == NULL || id.n > JB_ID_BYTES_MAX) {
        *ret = NULL; /* a query may ask for anything */
        return JB_OK;
    }
    uint64_t hash = jb_state_hash(b, id.s, id.n);
    for (const struct jb_map_entry *e = jb_map_find(&b->wallet_ids, hash); e != NULL;
         e = jb_map_again(&b->wallet_ids, e)) {
        struct jb_cached_wallet *s = e->value <= b->slots.n ? b->slots.at[e->value - 1] : NULL;
        if (s != NULL && has_id(s, id)) {
            *ret = jb_behind_use(b, s);
            return JB_OK;
        }
    }
    uint32_t number;
    jb_status status = jb_state_id(b, 'W', 0, id, &number, err);
    if (status != JB_OK || number == 0) {
        *ret = NULL;
        return status;
    }
    return jb_state_wallet(b, number, ret, err);
}

/* Nearly all entries stand among the first three of their bucket. */
#define WARM_STEPS 2

void
jb_state_warm(const struct jb_state *b, const struct jb_text *ids, size_t n,
              uint32_t ret_numbers[JB_WARM_MAX])
{
    const struct jb_map_entry *entries[JB_WARM_MAX] = {NULL};
    const struct jb_cached_wallet *found[JB_WARM_MAX];
    uint64_t hashes[JB_WARM_MAX];
    n = n < JB_WARM_MAX ? n : JB_WARM_MAX;
    /* Each step waits for what the step before has sent for, for all of them at once. */
    for (size_t i = 0; i < n; i++) {
        bool can_be = ids[i].s != NULL && ids[i].n <= JB_ID_BYTES_MAX;
        hashes[i] = can_be ? jb_state_hash(b, ids[i].s, ids[i].n) : 0;
        jb_map_warm(&b->wallet_ids, hashes[i]);
    }
    for (size_t i = 0; i < n; i++) {
        entries[i] = jb_map_first(&b->wallet_ids, hashes[i]);
        __builtin_prefetch(entries[i]);
    }
    for (size_t steps = 0; steps < WARM_STEPS; steps++) {
        for (size_t i = 0; i < n; i++) {
            entries[i] = jb_map_step(&b->wallet_ids, entries[i], hashes[i]);
            __builtin_prefetch(entries[i]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t number = entries[i] != NULL ? entries[i]->value : 0;
        ret_numbers[i] = number <= b->slots.n ? (uint32_t)number : 0;
        __builtin_prefetch(ret_numbers[i] != 0 ? &b->slots.at[number - 1] : NULL);
    }
    for (size_t i = 0; i < n && b->last_roles.n > 0; i++) {
        size_t number = ret_numbers[i];
        __builtin_prefetch(number != 0 && number <= b->last_roles.n ? &b->last_roles.at[number - 1]
                                                                    : NULL);
    }
    for (size_t i = 0; i < n; i++) {
        found[i] = ret_numbers[i] != 0 ? b->slots.at[ret_numbers[i] - 1] : NULL;
        /* They are read: of so many that are sent for at once a processor leaves some out. */
        for (size_t at = 0; found[i] != NULL && at < JB_SLOT_HOT_BYTES; at += CACHE_LINE) {
            (void)*((const volatile char *)found[i] + JB_SLOT_HOT + at);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (found[i] != NULL && found[i]->w.lots.at != &found[i]->lot &&
            found[i]->w.first_lot < found[i]->w.lots.n) {
            __builtin_prefetch(&found[i]->w.lots.at[found[i]->w.first_lot].remaining, 1);
        }
    }
    JB_KEEP();
}

static const struct jb_id_entry *
find_id(const struct jb_news *n, const uint8_t *key, struct jb_text id, uint64_t hash)
{
    for (const struct jb_map_entry *m = jb_map_find(&n->ids, hash); m != NULL;
         m = jb_map_again(&n->ids, m)) {
        const struct jb_id_entry *e = &n->id_entries.at[m->value];
        if (e->kind == (char)key[0] && e->wallet == jb_get_be(key + 1, 4) && e->n == id.n &&
            memcmp(n->id_bytes.at + e->at, id.s, id.n) == 0) {
            return e;
        }
    }
    return NULL;
}

jb_status
jb_state_id(struct jb_state *b, char kind, uint32_t wallet, struct jb_text id, uint32_t *ret,
            struct jb_error *err)
{
    *ret = 0;
    if (id.n == 0 || id.n > JB_ID_BYTES_MAX) {
        return JB_OK;
    }
    uint8_t key[JB_ID_KEY_BYTES_MAX];
    size_t key_n = jb_state_id_key(kind, wallet, id, key);
    uint64_t hash = jb_state_hash(b, key, key_n);
    if (wallet != 0 && b->repeats != NULL &&
        !jb_repeats_has(b->repeats, jb_name(JB_NAMED_ID, hash))) {
        return JB_OK; /* it was not kept, or does not come before */
    }
    struct parts p = parts(b);
    for (unsigned i = PARTS; i-- > 0;) {
        const struct jb_id_entry *e = find_id(p.at[i], key, id, hash);
        if (e != NULL) {
            *ret = e->ordinal;
            return JB_OK;
        }
    }
    const void *value;
    size_t n;
    jb_status status = get(b, JB_TABLE_IDS, key, key_n, &value, &n, err);
    if (status == JB_OK) {
        uint64_t ordinal;
        if (!jb_number_whole(value, n, &ordinal) || ordinal > UINT32_MAX) {
            return damaged(b, err, "an id");
        }
        *ret = (uint32_t)ordinal;
    }
    return status == JB_E_NOTFOUND ? JB_OK : status;
}

jb_status
jb_state_event(struct jb_state *b, jb_seq seq, const struct jb_event **ret, struct jb_error *err)
{
    b->events_read++;
    if (seq > b->head.seq && b->pending != NULL && seq - b->pending->first < b->pending->ends.n) {
        size_t i = (size_t)(seq - b->pending->first);
        size_t start = i == 0 ? 0 : b->pending->ends.at[i - 1];
        struct jb_event_context context = {b->pending->base, b->identity.utc_offset_s};
        struct jb_decode_failure failure;
        if (jb_event_decode(b->pending->bytes.at + start, b->pending->ends.at[i] - start, seq,
                            &context, &b->pending_event, &b->pending_space, &failure) == 0) {
            return failure.no_memory ? jb_fail(err, JB_E_NOMEM, "no memory to read event %llu",
                                               (unsigned long long)seq)
                                     : jb_fail(err, JB_E_CORRUPT,
                                               "event %llu, just decided, cannot be read back: %s",
                                               (unsigned long long)seq, jb_tr(failure.why));
        }
        *ret = &b->pending_event;
        return JB_OK;
    }
    jb_steps.events++;
    if (!b->look_live) {
        jb_status status = jb_log_reader_renew(b->look, NULL, err);
        if (status != JB_OK) {
            return status;
        }
        b->look_live = true;
    }
    jb_status status = jb_log_reader_at(b->look, seq, ret, err);
    if (status == JB_E_NOTFOUND && seq != 0 && seq <= b->g.seq) {
        status = jb_fail(err, JB_E_CORRUPT,
                         "event %llu cannot be found in the log, which goes on behind it. Run "
                         "`jangbu audit`",
                         (unsigned long long)seq);
    }
    return status;
}

struct key_looked_for {
    struct jb_state *b;
    struct jb_text caller, key;
    jb_seq found;
};

/* The index holds a hash: the full key in the event decides. */
static jb_status
is_key(void *data, jb_seq seq, bool *stop, struct jb_error *err)
{
    struct key_looked_for *k = data;
    const struct jb_event *e;
    jb_status status = jb_state_event(k->b, seq, &e, err);
    if (status == JB_OK && jb_text_equal(e->key, k->key) && jb_text_equal(e->caller, k->caller)) {
        k->found = seq;
        *stop = true;
    }
    return status;
}

jb_status
jb_state_key(struct jb_state *b, struct jb_text caller, struct jb_text key, jb_seq *ret,
             struct jb_error *err)
{
    struct key_looked_for k = {b, caller, key, 0};
    jb_status status = jb_keys_find(b, jb_state_key_hash(b, caller, key), is_key, &k, err);
    *ret = status == JB_OK ? k.found : 0;
    return status;
}

jb_status
jb_state_returned(struct jb_state *b, jb_seq consumption, jb_seq *ret_last, jb_amount *ret_sum,
                  struct jb_error *err)
{
    struct parts p = parts(b);
    *ret_last = 0;
    *ret_sum = 0;
    for (unsigned i = PARTS; i-- > 0;) {
        const struct jb_map_entry *m = jb_map_find(&p.at[i]->returns, consumption);
        if (m != NULL) {
            const struct jb_returned *r = &p.at[i]->returned.at[m->value];
            *ret_last = r->last;
            *ret_sum = r->sum;
            return JB_OK;
        }
    }
    uint8_t key[8];
    const void *value;
    size_t n;
    jb_put_be(key, 8, consumption);
    jb_status status = get(b, JB_TABLE_RETURNS, key, sizeof key, &value, &n, err);
    if (status == JB_OK && !jb_read_return(value, n, ret_last, ret_sum)) {
        return damaged(b, err, "a return");
    }
    return status == JB_E_NOTFOUND ? JB_OK : status;
}

jb_status
jb_state_first_txn(struct jb_state *b, struct jb_text pg, struct jb_text txn_ref, jb_seq *ret,
                   struct jb_error *err)
{
    uint8_t hash[16];
    const void *value;
    size_t n;
    *ret = 0;
    if (!jb_state_txn_hash(b, pg, txn_ref, hash)) {
        return JB_OK;
    }
    jb_status status = get(b, JB_TABLE_TXNS, hash, sizeof hash, &value, &n, err);
    jb_seq seq = 0;
    if (status == JB_OK && !jb_number_whole(value, n, &seq)) {
        return damaged(b, err, "a gateway's transaction");
    }
    const struct jb_txn *t = status == JB_E_NOTFOUND ? jb_state_txn(b, hash) : NULL;
    if (status != JB_OK && t == NULL) {
        return status == JB_E_NOTFOUND ? JB_OK : status;
    }
    /* A hash found it: the event decides. */
    seq = t != NULL ? t->seq : seq;
    const struct jb_event *e;
    status = jb_state_event(b, seq, &e, err);
    if (status == JB_OK && e->type == JB_EV_CHARGE_SETTLED &&
        jb_text_equal(e->charge_settled.pg, pg) &&
        jb_text_equal(e->charge_settled.txn_ref, txn_ref)) {
        *ret = seq;
    }
    return status;
}

jb_status
jb_state_closed(struct jb_state *b, jb_day day, jb_seq *ret, struct jb_error *err)
{
    *ret = 0;
    struct parts p = parts(b);
    for (unsigned part = 0; part < PARTS; part++) {
        const struct jb_news *news = p.at[part];
        for (size_t i = news->closed.n; i-- > 0;) {
            if (news->closed.at[i].day == day) {
                *ret = news->closed.at[i].seq;
                return JB_OK;
            }
        }
    }
    uint8_t key[4];
    const void *value;
    size_t n;
    jb_put_be_i32(key, day);
    jb_status status = get(b, JB_TABLE_DAYS, key, sizeof key, &value, &n, err);
    if (status == JB_OK && !jb_number_whole(value, n, ret)) {
        return damaged(b, err, "a closed day");
    }
    return status == JB_E_NOTFOUND ? JB_OK : status;
}

/* ---- what is over ---- */

static bool
is_loaded(const struct jb_wallet *w, enum jb_archived_kind kind, uint32_t ordinal)
{
    switch (kind) {
    case JB_ARCHIVED_LOT:
    case JB_ARCHIVED_FULL_LOT:
        return jb_wallet_lot(w, ordinal) != NULL;
    case JB_ARCHIVED_GRANT:
        return jb_wallet_grant(w, ordinal) != NULL;
    case JB_ARCHIVED_REFUND:
        return jb_wallet_refund(w, ordinal) != NULL;
    case JB_ARCHIVED_INTERVAL:
        break;
    }
    struct jb_interval first;
    const struct jb_intervals intervals = jb_wallet_intervals(w, &first);
    for (size_t i = 0; i < intervals.n; i++) {
        if (intervals.at[i].ordinal == ordinal) {
            return true;
        }
    }
    return false;
}

/* One of a kind: read, then put into its list. A refund's legs are the list's only once it is in.
 */
static jb_status
put_back(struct jb_wallet *w, enum jb_archived_kind kind, const uint8_t *p, size_t n)
{
    struct jb_grant grant;
    struct jb_refund refund;
    struct jb_interval interval;
    jb_status status = JB_OK;
    bool put = true;
    switch (kind) {
    case JB_ARCHIVED_LOT:
    case JB_ARCHIVED_FULL_LOT:
        return JB_E_STALE; /* read_archived_lot */
    case JB_ARCHIVED_GRANT:
        status = jb_read_grant(p, n, &grant);
        put = status != JB_OK || jb_wallet_add_grant(w, &grant) != NULL;
        break;
    case JB_ARCHIVED_REFUND:
        status = jb_read_refund(p, n, &refund);
        put = status != JB_OK || jb_wallet_add_refund(w, &refund) != NULL;
        if (status != JB_OK || !put) {
            free(refund.legs);
        }
        break;
    case JB_ARCHIVED_INTERVAL:
        status = jb_read_interval(p, n, &interval);
        put = status != JB_OK || jb_wallet_add_interval(w, &interval);
        break;
    }
    return put ? status : JB_E_NOMEM;
}

static jb_status
read_archived(struct jb_state *b, uint32_t wallet, enum jb_archived_kind kind, uint32_t ordinal,
              const void **value, size_t *n, struct jb_error *err)
{
    uint8_t key[9];
    jb_archive_key(key, wallet, kind, ordinal);
    return get(b, JB_TABLE_ARCHIVE, key, sizeof key, value, n, err);
}

/* JB_E_NOTFOUND: no lot of that ordinal is archived. */
static jb_status
read_archived_lot(struct jb_state *b, uint32_t wallet, uint32_t ordinal, struct jb_lot *ret,
                  struct jb_error *err)
{
    const void *value;
    size_t n;
    jb_status status = read_archived(b, wallet, JB_ARCHIVED_LOT, ordinal, &value, &n, err);
    if (status == JB_E_NOTFOUND) {
        status = read_archived(b, wallet, JB_ARCHIVED_FULL_LOT, ordinal, &value, &n, err);
    }
    return status == JB_OK && jb_read_lot(value, n, ret) != JB_OK ? damaged(b, err, "a lot")
                                                                  : status;
}

jb_status
jb_state_load(struct jb_state *b, struct jb_cached_wallet *s, enum jb_archived_kind kind,
              uint32_t ordinal, struct jb_error *err)
{
    if (kind == JB_ARCHIVED_LOT) {
        struct jb_part part = {JB_PART_LOT, ordinal, 0};
        return jb_state_load_lots(b, s, &part, 1, err);
    }
    if (ordinal == 0 || is_loaded(&s->w, kind, ordinal)) {
        return JB_OK;
    }
    const void *value;
    size_t n;
    jb_status status = read_archived(b, s->w.number, kind, ordinal, &value, &n, err);
    if (status != JB_OK) {
        return status == JB_E_NOTFOUND ? JB_OK : status;
    }
    status = put_back(&s->w, kind, value, n);
    return status == JB_OK        ? JB_OK
           : status == JB_E_NOMEM ? no_memory(err)
                                  : damaged(b, err, "a grant, refund or interval");
}

jb_status
jb_state_look_lot(struct jb_state *b, const struct jb_wallet *w, uint32_t ordinal,
                  struct jb_lot *ret, struct jb_error *err)
{
    const struct jb_lot *l = jb_wallet_lot(w, ordinal);
    if (l != NULL) {
        *ret = *l;
        return JB_OK;
    }
    return read_archived_lot(b, w->number, ordinal, ret, err);
}

jb_status
jb_state_look_grant(struct jb_state *b, const struct jb_wallet *w, uint32_t ordinal,
                    struct jb_grant *ret, struct jb_error *err)
{
    const struct jb_grant *g = jb_wallet_grant(w, ordinal);
    if (g != NULL) {
        *ret = *g;
        return JB_OK;
    }
    const void *value;
    size_t n;
    jb_status status = read_archived(b, w->number, JB_ARCHIVED_GRANT, ordinal, &value, &n, err);
    return status == JB_OK && jb_read_grant(value, n, ret) != JB_OK ? damaged(b, err, "a grant")
                                                                    : status;
}

jb_status
jb_state_look_refund(struct jb_state *b, const struct jb_wallet *w, uint32_t ordinal,
                     struct jb_refund *ret, struct jb_error *err)
{
    const struct jb_refund *r = jb_wallet_refund(w, ordinal);
    if (r != NULL) {
        *ret = *r;
        ret->legs = NULL;
        ret->legs_n = 0;
        return JB_OK;
    }
    const void *value;
    size_t n;
    jb_status status = read_archived(b, w->number, JB_ARCHIVED_REFUND, ordinal, &value, &n, err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_read_refund(value, n, ret);
    free(ret->legs);
    ret->legs = NULL;
    ret->legs_n = 0;
    return status == JB_OK        ? JB_OK
           : status == JB_E_NOMEM ? no_memory(err)
                                  : damaged(b, err, "a refund");
}

struct lots {
    struct jb_lot *at;
    size_t n, cap;
};

static int
by_ordinal(const void *a, const void *b)
{
    uint32_t x = ((const struct jb_lot *)a)->ordinal, y = ((const struct jb_lot *)b)->ordinal;
    return x < y ? -1 : x > y;
}

/* All of them at once: one by one they would move the list each time. */
static jb_status
add_lots(struct jb_cached_wallet *s, struct lots *lots, jb_status status, struct jb_error *err)
{
    jb_steps.moved += lots->n > 0 ? s->w.lots.n + lots->n : 0;
    if (lots->n > 1) {
        qsort(lots->at, lots->n, sizeof *lots->at, by_ordinal);
    }
    if (status == JB_OK && !jb_wallet_add_lots(&s->w, lots->at, lots->n)) {
        status = jb_fail(err, JB_E_NOMEM, "no memory for the lots of a wallet");
    }
    jb_vec_free(lots);
    return status;
}

jb_status
jb_state_load_lots(struct jb_state *b, struct jb_cached_wallet *s, const struct jb_part *parts,
                   size_t n, struct jb_error *err)
{
    struct lots lots = {0};
    jb_status status = JB_OK;
    for (size_t i = 0; i < n && status == JB_OK; i++) {
        struct jb_lot lot;
        if (parts[i].kind != JB_PART_LOT || parts[i].ordinal == 0 ||
            jb_wallet_lot(&s->w, parts[i].ordinal) != NULL) {
            continue;
        }
        status = read_archived_lot(b, s->w.number, parts[i].ordinal, &lot, err);
        if (status == JB_OK) {
            status = jb_vec_reserve(&lots, lots.n + 1)
                         ? JB_OK
                         : jb_fail(err, JB_E_NOMEM, "no memory for the lots of a wallet");
        }
        if (status == JB_OK) {
            lots.at[lots.n++] = lot;
        }
        status = status == JB_E_NOTFOUND ? JB_OK : status;
    }
    return add_lots(s, &lots, status, err);
}

/* The newest archived lot with room below *ordinal that is not in memory. JB_E_NOTFOUND: none. */
static jb_status
next_with_room(struct jb_state *b, const struct jb_wallet *w, uint32_t *ordinal, struct jb_lot *ret,
               struct jb_error *err)
{
    uint8_t key[9], found[9];
    jb_status status;
    do {
        const void *value;
        size_t n;
        jb_archive_key(key, w->number, JB_ARCHIVED_LOT, *ordinal);
        status = b->store == NULL ? JB_E_NOTFOUND
                                  : jb_store_below(&b->snap, JB_TABLE_ARCHIVE, key, sizeof key,
                                                   found, &value, &n, err);
        if (status == JB_OK && memcmp(key, found, 5) != 0) {
            status = JB_E_NOTFOUND;
        }
        if (status == JB_OK && jb_read_lot(value, n, ret) != JB_OK) {
            status = damaged(b, err, "a lot");
        }
        *ordinal = status == JB_OK ? ret->ordinal : 0;
    } while (status == JB_OK && jb_wallet_lot(w, ret->ordinal) != NULL);
    return status;
}

jb_status
jb_state_load_room(struct jb_state *b, struct jb_cached_wallet *s, jb_amount amount,
                   struct jb_error *err)
{
    /* Down two lists, the one in memory and the archive's lots with room, merged. */
    const struct jb_wallet *w = &s->w;
    struct lots lots = {0};
    struct jb_lot stored;
    uint32_t below = w->lots_given == UINT32_MAX ? UINT32_MAX : w->lots_given + 1;
    jb_status status = next_with_room(b, w, &below, &stored, err);
    for (size_t i = w->lots.n; amount > 0 && (status == JB_OK || status == JB_E_NOTFOUND);) {
        bool archived = status == JB_OK;
        jb_steps.moved++;
        if (i > 0 && (!archived || w->lots.at[i - 1].ordinal > stored.ordinal)) {
            amount -= jb_lot_room(&w->lots.at[--i]);
            continue;
        }
        if (!archived) {
            break;
        }
        if (!jb_vec_reserve(&lots, lots.n + 1)) {
            status = jb_fail(err, JB_E_NOMEM, "no memory for the lots of a wallet");
            break;
        }
        lots.at[lots.n++] = stored;
        amount -= jb_lot_room(&stored);
        status = next_with_room(b, w, &below, &stored, err);
    }
    return add_lots(s, &lots, status == JB_E_NOTFOUND ? JB_OK : status, err);
}

jb_status
jb_state_load_intervals(struct jb_state *b, struct jb_cached_wallet *s, jb_instant at,
                        struct jb_error *err)
{
    struct jb_interval first;
    for (struct jb_intervals all = jb_wallet_intervals(&s->w, &first);
         all.n > 0 && all.at[0].from > at && all.at[0].ordinal > 1;) {
        const uint32_t n = all.n;
        jb_status status = jb_state_load(b, s, JB_ARCHIVED_INTERVAL, all.at[0].ordinal - 1, err);
        if (status != JB_OK) {
            return status;
        }
        all = jb_wallet_intervals(&s->w, &first);
        if (all.n == n) {
            return damaged(b, err, "an interval is missing");
        }
    }
    return JB_OK;
}

jb_status
jb_state_load_for(struct jb_state *b, struct jb_cached_wallet *s, const struct jb_event *e,
                  struct jb_error *err)
{
    const struct jb_parts parts = jb_event_parts(e);
    jb_status status = JB_OK;
    bool lots = true; /* are all there, as they nearly always are */
    for (uint32_t i = 0; i < parts.n && status == JB_OK; i++) {
        const struct jb_part *p = &parts.at[i];
        if (p->kind == JB_PART_LOT) {
            lots = lots && jb_wallet_lot(&s->w, p->ordinal) != NULL;
        } else if (p->kind != JB_PART_DEBT) {
            status = jb_state_load(b, s, JB_ARCHIVED_GRANT, p->ordinal, err);
        }
    }
    if (status == JB_OK && !lots) {
        status = jb_state_load_lots(b, s, parts.at, parts.n, err);
    }
    if (status == JB_OK && e->type == JB_EV_CHARGE_REVERSED) {
        status = jb_state_load(b, s, JB_ARCHIVED_LOT, e->charge_reversed.lot, err);
    }
    if (status == JB_OK && e->type == JB_EV_REFUND_FAILED) {
        const struct jb_refund *r = jb_wallet_refund(&s->w, e->refund_failed.refund_no);
        status = r != NULL ? jb_state_load_lots(b, s, r->legs, r->legs_n, err) : JB_OK;
    }
    return status;
}

/* ---- due grants ---- */

static void
due_key(const struct jb_due *d, uint8_t key[12])
{
    jb_put_be_i32(key, d->expires_on);
    jb_put_be(key + 4, 4, d->wallet);
    jb_put_be(key + 8, 4, d->ordinal);
}

static int
compare_due(const void *a, const void *b)
{
    uint8_t x[12], y[12];
    due_key(a, x);
    due_key(b, y);
    return memcmp(x, y, sizeof x);
}

/* Index of the first entry behind *after. */
static size_t
due_after(const struct jb_news *n, const struct jb_due *after)
{
    size_t low = 0, high = n->due.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_due(&n->due.at[middle], after) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void
jb_state_due_drop(struct jb_state *b, jb_day through)
{
    struct jb_news *news = &b->news;
    JB_ASSERT(!b->save.live && b->store == NULL);
    size_t kept = 0;
    for (size_t i = 0; i < news->due.n; i++) {
        if (news->due.at[i].expires_on > through) {
            news->due.at[kept++] = news->due.at[i];
        }
    }
    news->due_sorted = news->due_sorted == news->due.n ? kept : 0;
    news->due.n = kept;
}

/* One of the sorted lists that are merged: the store's, what is on its way, what came since. */
struct due_list {
    const struct jb_news *news; /* NULL: the store */
    size_t at;
    struct jb_store_row row;
    struct jb_due next;
    bool has;
};

/* Everything that came since is sorted once more at each step: days are closed seldom, and little
 * came since. */
static void
sort_due(struct jb_news *n)
{
    if (n->due_sorted != n->due.n) {
        jb_steps.moved += n->due.n;
        qsort(n->due.at, n->due.n, sizeof *n->due.at, compare_due);
        n->due_sorted = n->due.n;
    }
}

static void
begin_in_memory(struct due_list *l, struct jb_news *n, const struct jb_due *after)
{
    *l = (struct due_list){.news = n};
    if (n != NULL) {
        sort_due(n);
        l->at = after != NULL ? due_after(n, after) : 0;
        l->has = l->at < n->due.n;
        l->next = l->has ? n->due.at[l->at] : l->next;
    }
}

/* What a row says. */
static jb_status
take_row(struct due_list *l, jb_status status)
{
    l->has = status == JB_OK && l->row.key_n == 12;
    if (l->has) {
        const uint8_t *p = l->row.key;
        l->next = (struct jb_due){jb_get_be_i32(p), (uint32_t)jb_get_be(p + 4, 4),
                                  (uint32_t)jb_get_be(p + 8, 4)};
    }
    return status == JB_E_NOTFOUND ? JB_OK : status;
}

static jb_status
step_due(struct jb_state *b, struct due_list *l, struct jb_error *err)
{
    if (l->news == NULL) {
        return take_row(l, jb_store_next(&b->snap, JB_TABLE_DUE, &l->row, err));
    }
    l->at++;
    l->has = l->at < l->news->due.n;
    l->next = l->has ? l->news->due.at[l->at] : l->next;
    return JB_OK;
}

/* The store's first one behind `after`. */
static jb_status
begin_in_store(struct jb_state *b, struct due_list *l, const struct jb_due *after,
               struct jb_error *err)
{
    uint8_t from[12] = {0};
    *l = (struct due_list){0};
    if (b->store == NULL) {
        return JB_OK;
    }
    if (after != NULL) {
        due_key(after, from);
    }
    jb_status status =
        take_row(l, jb_store_seek(&b->snap, JB_TABLE_DUE, from, sizeof from, &l->row, err));
    return status == JB_OK && l->has && after != NULL && compare_due(&l->next, after) == 0
               ? step_due(b, l, err)
               : status;
}

#define DUE_LISTS 3

jb_status
jb_state_due(struct jb_state *b, jb_day through, const struct jb_due *after, struct jb_due *ret,
             size_t n, size_t *ret_n, struct jb_error *err)
{
    /* In a savepoint only what came before it is sorted, which it counts and does not look at. */
    JB_ASSERT(!b->save.live || b->news.due.n == b->save.due);
    struct due_list lists[DUE_LISTS];
    size_t count = 0;
    jb_status status = begin_in_store(b, &lists[0], after, err);
    begin_in_memory(&lists[1], jb_behind_due(b), after);
    begin_in_memory(&lists[2], &b->news, after);
    while (count < n && status == JB_OK) {
        const struct due_list *first = NULL;
        for (unsigned i = 0; i < DUE_LISTS; i++) {
            if (lists[i].has && (first == NULL || compare_due(&lists[i].next, &first->next) < 0)) {
                first = &lists[i];
            }
        }
        if (first == NULL || first->next.expires_on > through) {
            break;
        }
        struct jb_due next = ret[count++] = first->next;
        /* What the store has since this state began may be in memory, too. */
        for (unsigned i = 0; i < DUE_LISTS && status == JB_OK; i++) {
            status = lists[i].has && compare_due(&lists[i].next, &next) == 0
                         ? step_due(b, &lists[i], err)
                         : status;
        }
    }
    *ret_n = count;
    return status;
}
