/* Layout 2 of people.mdb: writing texts, and reading them (docs/format.md section 5.1). */
#include "personal/sealed_file.h"

#include <stdio.h>

#include "base/error.h"
#include "storage/place.h"

#define MAGIC "jangbuP2"
static const char *const tables[] = {"owners", "texts", "index", "meta", NULL};
#define TEXT_BESIDE_BYTES 1024

void
jb_owners_add(struct jb_owners *o, enum jb_owner_kind kind, uint64_t number)
{
    for (unsigned i = 0; i < o->n; i++) {
        if (o->at[i].kind == kind && o->at[i].number == number) {
            return;
        }
    }
    if (number != 0 && o->n < JB_OWNERS_MAX) {
        o->at[o->n++] = (struct jb_owner){kind, number};
    }
}

void
jb_sealed_put_owner(const struct jb_owner *o, uint8_t ret[OWNER_BYTES])
{
    ret[0] = (uint8_t)o->kind;
    jb_put_be(ret + 1, 8, o->number);
}

struct jb_owner
jb_sealed_get_owner(const uint8_t at[OWNER_BYTES])
{
    return (struct jb_owner){at[0], jb_get_be(at + 1, 8)};
}

/* ---- meta ---- */

static void
meta_tag(const struct jb_personal *p, const struct jb_seal_keys *now,
         const uint8_t b[SEALED_META_BYTES], uint8_t ret[JB_SEAL_HASH_BYTES])
{
    uint8_t all[16 + SEALED_META_BYTES - JB_SEAL_HASH_BYTES];
    memcpy(all, p->ledger_id, 16);
    memcpy(all + 16, b, SEALED_META_BYTES - JB_SEAL_HASH_BYTES);
    jb_seal_hash(now->meta, all, sizeof all, ret, JB_SEAL_HASH_BYTES);
}

static void
meta_print(const struct sealed_meta *m, uint8_t b[SEALED_META_BYTES])
{
    memcpy(b, MAGIC, 8);
    jb_put_be(b + 8, 8, m->epoch);
    jb_put_be(b + 16, 8, m->old_epoch);
    memcpy(b + 24, m->at, OWNER_BYTES);
    jb_put_be(b + 33, 8, m->highest);
    jb_put_be(b + 41, 8, m->killed);
    jb_put_be(b + 49, 8, m->done);
    jb_put_be(b + 57, 8, m->target);
    memcpy(b + 65, m->check, JB_SEAL_HASH_BYTES);
    memcpy(b + 81, m->old_check, JB_SEAL_HASH_BYTES);
}

int
jb_sealed_meta(const struct jb_sealed *s, MDB_txn *txn, struct sealed_meta *ret)
{
    MDB_val k = {4, "meta"}, v;
    int code = mdb_get(txn, s->meta, &k, &v);
    if (code != 0) {
        return code == MDB_NOTFOUND ? MDB_CORRUPTED : code;
    }
    const uint8_t *b = v.mv_data;
    if (v.mv_size != SEALED_META_BYTES || memcmp(b, MAGIC, 8) != 0) {
        return v.mv_size >= 8 && memcmp(b, MAGIC, 7) == 0 ? MDB_VERSION_MISMATCH : MDB_CORRUPTED;
    }
    *ret = (struct sealed_meta){.epoch = jb_get_be(b + 8, 8),
                                .old_epoch = jb_get_be(b + 16, 8),
                                .highest = jb_get_be(b + 33, 8),
                                .killed = jb_get_be(b + 41, 8),
                                .done = jb_get_be(b + 49, 8),
                                .target = jb_get_be(b + 57, 8)};
    memcpy(ret->at, b + 24, OWNER_BYTES);
    memcpy(ret->check, b + 65, JB_SEAL_HASH_BYTES);
    memcpy(ret->old_check, b + 81, JB_SEAL_HASH_BYTES);
    return 0;
}

int
jb_sealed_meta_put(const struct jb_personal *p, MDB_txn *txn, const struct sealed_meta *m,
                   const struct jb_seal_keys *now)
{
    uint8_t b[SEALED_META_BYTES];
    meta_print(m, b);
    meta_tag(p, now, b, b + SEALED_META_BYTES - JB_SEAL_HASH_BYTES);
    MDB_val k = {4, "meta"}, v = {sizeof b, b};
    return mdb_put(txn, p->sealed->meta, &k, &v, 0);
}

/* ---- keys ---- */

static const struct jb_seal_keys *
cached(const struct jb_sealed *s, uint64_t epoch, const uint8_t check[JB_SEAL_HASH_BYTES])
{
    for (unsigned i = 0; i < s->keys_n; i++) {
        if (s->keys[i].epoch == epoch && memcmp(s->keys[i].check, check, JB_SEAL_HASH_BYTES) == 0) {
            return &s->keys[i];
        }
    }
    return NULL;
}

static bool
has_both(const struct jb_sealed *s, const struct sealed_meta *m)
{
    return cached(s, m->epoch, m->check) != NULL &&
           (m->old_epoch == 0 || cached(s, m->old_epoch, m->old_check) != NULL);
}

static jb_status
load(struct jb_personal *p, struct jb_error *err)
{
    struct jb_sealed *s = p->sealed;
    struct jb_key_file file;
    jb_status status = jb_key_file_read(s->key_path, s->dir, p->ledger_id, &file, err);
    s->keys_n = status == JB_OK ? file.n : 0;
    jb_seal_wipe(s->keys, sizeof s->keys);
    for (unsigned i = 0; i < s->keys_n; i++) {
        jb_seal_derive(&file.keys[i], p->ledger_id, &s->keys[i]);
    }
    jb_key_file_wipe(&file);
    return status;
}

static jb_status
other_epoch(const struct jb_sealed *s, uint64_t wanted, struct jb_error *err)
{
    uint64_t newest = s->keys_n > 0 ? s->keys[s->keys_n - 1].epoch : 0;
    return newest < wanted
               ? jb_fail(err, JB_E_KEY,
                         "the key file %s has key %llu, and people.mdb goes by key %llu: somebody "
                         "was forgotten or the key was changed since by a program whose key file "
                         "lies elsewhere. Use that one",
                         s->key_path, (unsigned long long)newest, (unsigned long long)wanted)
           : newest > wanted
               ? jb_fail(err, JB_E_KEY,
                         "people.mdb goes by key %llu, which is gone since somebody was forgotten "
                         "or the key was changed (the key file %s has key %llu): it is an old "
                         "copy, and no key opens it. Any log goes with the newest people.mdb",
                         (unsigned long long)wanted, s->key_path, (unsigned long long)newest)
               : jb_fail(err, JB_E_KEY, "the key file %s has another key than that of people.mdb",
                         s->key_path);
}

static bool
tag_holds(const struct jb_personal *p, const struct sealed_meta *m,
          const uint8_t tag[JB_SEAL_HASH_BYTES], const struct jb_seal_keys *now)
{
    uint8_t b[SEALED_META_BYTES], right[JB_SEAL_HASH_BYTES];
    meta_print(m, b);
    meta_tag(p, now, b, right);
    return memcmp(right, tag, sizeof right) == 0;
}

/* Those that meta has no more use for are not kept. */
static void
drop_others(struct jb_sealed *s, const struct sealed_meta *m)
{
    if (m->old_epoch == 0 && s->keys_n == 2) {
        unsigned keep = s->keys[0].epoch == m->epoch ? 0 : 1;
        s->keys[0] = s->keys[keep];
        s->keys_n = 1;
        jb_seal_wipe(&s->keys[1], sizeof s->keys[1]);
    }
}

jb_status
jb_sealed_keys(struct jb_personal *p, const struct sealed_meta *m, struct key_pair *ret,
               struct jb_error *err)
{
    struct jb_sealed *s = p->sealed;
    memset(ret, 0, sizeof *ret);
    pthread_mutex_lock(&s->lock);
    jb_status status = has_both(s, m) || s->key_path == NULL ? JB_OK : load(p, err);
    const struct jb_seal_keys *now = cached(s, m->epoch, m->check);
    const struct jb_seal_keys *old = cached(s, m->old_epoch, m->old_check);
    if (status == JB_OK && now == NULL) {
        status = other_epoch(s, m->epoch, err);
    }
    if (status == JB_OK) {
        ret->now = *now;
        if (m->old_epoch != 0 && old != NULL) {
            ret->old = *old;
        }
        drop_others(s, m);
    }
    pthread_mutex_unlock(&s->lock);
    return status;
}

/* ---- transactions ---- */

static jb_status
meta_damaged(const struct jb_personal *p, struct jb_error *err)
{
    return jb_fail(err, JB_E_CORRUPT,
                   "%s: its table `meta` is not what was written. No figure depends on it; a "
                   "backup of people.mdb may have it",
                   jb_env_path(p->env));
}

/* In a transaction: meta, the keys, and whether meta is what was written. */
static jb_status
look_in(struct jb_personal *p, MDB_txn *txn, struct sealed_meta *m, struct key_pair *keys,
        struct jb_error *err)
{
    uint8_t tag[JB_SEAL_HASH_BYTES] = {0};
    int code = jb_sealed_meta(p->sealed, txn, m);
    if (code != 0) {
        return code == MDB_CORRUPTED ? meta_damaged(p, err)
                                     : jb_personal_fail(p, code, "reading", err);
    }
    MDB_val k = {4, "meta"}, v;
    if (mdb_get(txn, p->sealed->meta, &k, &v) == 0 && v.mv_size == SEALED_META_BYTES) {
        memcpy(tag, (uint8_t *)v.mv_data + SEALED_META_BYTES - sizeof tag, sizeof tag);
    }
    jb_status status = jb_sealed_keys(p, m, keys, err);
    return status == JB_OK && !tag_holds(p, m, tag, &keys->now) ? meta_damaged(p, err) : status;
}

jb_status
jb_sealed_look(struct jb_personal *p, struct sealed_meta *ret, struct key_pair *ret_keys,
               struct jb_error *err)
{
    MDB_txn *txn;
    jb_status status = jb_env_begin(p->env, MDB_RDONLY, &txn, err);
    if (status == JB_OK) {
        status = look_in(p, txn, ret, ret_keys, err);
        jb_env_abort(p->env, txn);
    }
    return status;
}

jb_status
jb_sealed_write(struct jb_personal *p, size_t bytes, sealed_step step, void *data,
                struct jb_error *err)
{
    for (;;) {
        MDB_txn *txn;
        jb_status status = jb_personal_make_room(p, bytes, err);
        status = status == JB_OK ? jb_env_begin(p->env, 0, &txn, err) : status;
        if (status != JB_OK) {
            return status;
        }
        int code = step(p, txn, data);
        if (code == 0) {
            code = jb_env_commit(p->env, txn);
        } else {
            jb_env_abort(p->env, txn);
        }
        if (code == 0) {
            return jb_env_still(p->env, err);
        }
        status = code == MDB_MAP_FULL ? jb_env_grow(p->env, err)
                                      : jb_personal_fail(p, code, "writing", err);
        if (status != JB_OK) {
            return status;
        }
    }
}

/* ---- owners ---- */

static size_t
beside_owner(const struct jb_personal *p, const uint8_t owner[OWNER_BYTES],
             const uint8_t head[GRAVE_BYTES], uint8_t ret[8 + 16 + 1 + OWNER_BYTES + GRAVE_BYTES])
{
    memcpy(ret, MAGIC, 8);
    memcpy(ret + 8, p->ledger_id, 16);
    ret[24] = 'O';
    memcpy(ret + 25, owner, OWNER_BYTES);
    memcpy(ret + 25 + OWNER_BYTES, head, GRAVE_BYTES);
    return 25 + OWNER_BYTES + GRAVE_BYTES;
}

bool
jb_sealed_unwrap(const struct jb_personal *p, const struct key_pair *keys,
                 const uint8_t owner[OWNER_BYTES], const MDB_val *row, uint8_t ret[JB_KEY_BYTES])
{
    const uint8_t *at = row->mv_data;
    uint8_t beside[8 + 16 + 1 + OWNER_BYTES + GRAVE_BYTES];
    if (row->mv_size != WRAPPED_BYTES) {
        return false;
    }
    uint64_t epoch = jb_get_be(at + KEY_ID_BYTES, 8);
    const struct jb_seal_keys *with = epoch == keys->now.epoch   ? &keys->now
                                      : epoch == keys->old.epoch ? &keys->old
                                                                 : NULL;
    size_t n = beside_owner(p, owner, at, beside);
    return with != NULL && epoch != 0 &&
           jb_seal_open(with->wrap, beside, n, at + GRAVE_BYTES, WRAPPED_BYTES - GRAVE_BYTES, ret);
}

void
jb_sealed_wrap(const struct jb_personal *p, const struct jb_seal_keys *now,
               const uint8_t owner[OWNER_BYTES], const uint8_t key_id[KEY_ID_BYTES],
               const uint8_t key[JB_KEY_BYTES], uint8_t ret[WRAPPED_BYTES])
{
    uint8_t beside[8 + 16 + 1 + OWNER_BYTES + GRAVE_BYTES];
    memcpy(ret, key_id, KEY_ID_BYTES);
    jb_put_be(ret + KEY_ID_BYTES, 8, now->epoch);
    size_t n = beside_owner(p, owner, ret, beside);
    jb_seal_box(now->wrap, beside, n, key, JB_KEY_BYTES, ret + GRAVE_BYTES);
}

/* A key for an owner who has none, or whose last one was forgotten. */
static int
new_owner(struct jb_personal *p, MDB_txn *txn, const struct key_pair *keys,
          const uint8_t owner[OWNER_BYTES], uint8_t ret_id[KEY_ID_BYTES],
          uint8_t ret_key[JB_KEY_BYTES])
{
    uint8_t row[WRAPPED_BYTES];
    jb_seal_random(ret_id, KEY_ID_BYTES);
    jb_seal_random(ret_key, JB_KEY_BYTES);
    jb_sealed_wrap(p, &keys->now, owner, ret_id, ret_key, row);
    MDB_val k = {OWNER_BYTES, (void *)(uintptr_t)owner}, v = {sizeof row, row};
    return mdb_put(txn, p->sealed->owners, &k, &v, 0);
}

/* LMDB's code. *ret_dead: a person who is forgotten has no new texts. One whose key was lost gets
 * another. */
static int
owner_key(struct jb_personal *p, MDB_txn *txn, const struct key_pair *keys,
          const uint8_t owner[OWNER_BYTES], uint8_t ret_id[KEY_ID_BYTES],
          uint8_t ret_key[JB_KEY_BYTES], bool *ret_dead)
{
    MDB_val k = {OWNER_BYTES, (void *)(uintptr_t)owner}, v;
    int code = mdb_get(txn, p->sealed->owners, &k, &v);
    *ret_dead = code == 0 && v.mv_size == GRAVE_BYTES && owner[0] == JB_OWNER_PERSON;
    if (*ret_dead || (code != 0 && code != MDB_NOTFOUND)) {
        return *ret_dead ? 0 : code;
    }
    if (code == 0 && jb_sealed_unwrap(p, keys, owner, &v, ret_key)) {
        memcpy(ret_id, v.mv_data, KEY_ID_BYTES);
        return 0;
    }
    return new_owner(p, txn, keys, owner, ret_id, ret_key);
}

/* ---- texts ---- */

static size_t
beside_text(const struct jb_personal *p, uint64_t ref, const uint8_t *head, size_t head_n,
            uint8_t ret[8 + 16 + 1 + 8 + TEXT_HEAD_MAX])
{
    memcpy(ret, MAGIC, 8);
    memcpy(ret + 8, p->ledger_id, 16);
    ret[24] = 'T';
    jb_put_be(ret + 25, 8, ref);
    memcpy(ret + 33, head, head_n);
    return 33 + head_n;
}

/* The owners' keys one behind the other, and the text's, which is made of them. */
struct keys_of_text {
    uint8_t all[JB_OWNERS_MAX * JB_KEY_BYTES];
    unsigned n;
};

static void
text_key(const struct keys_of_text *k, uint8_t ret[JB_KEY_BYTES])
{
    jb_seal_hash(NULL, k->all, (size_t)k->n * JB_KEY_BYTES, ret, JB_KEY_BYTES);
}

/* The row's head: how many owners and which; and their keys. */
static int
head_of(struct jb_personal *p, MDB_txn *txn, const struct key_pair *keys,
        const struct jb_owners *owners, uint8_t head[TEXT_HEAD_MAX], struct keys_of_text *ret)
{
    static const struct jb_owner ledger = {JB_OWNER_LEDGER, 0};
    ret->n = 0;
    for (unsigned i = 0; i <= owners->n; i++) {
        const struct jb_owner *o = i < owners->n ? &owners->at[i] : ret->n == 0 ? &ledger : NULL;
        uint8_t *at = head + 1 + (size_t)ret->n * TEXT_OWNER_BYTES;
        bool dead = false;
        if (o == NULL) {
            break;
        }
        jb_sealed_put_owner(o, at);
        int code = owner_key(p, txn, keys, at, at + OWNER_BYTES,
                             ret->all + (size_t)ret->n * JB_KEY_BYTES, &dead);
        if (code != 0) {
            return code;
        }
        ret->n += dead ? 0 : 1;
    }
    head[0] = (uint8_t)ret->n;
    return 0;
}

static int
put_text(struct jb_personal *p, MDB_txn *txn, const struct key_pair *keys,
         const struct collected *c)
{
    struct keys_of_text of;
    struct jb_owners own = {0};
    uint8_t head[TEXT_HEAD_MAX], beside[8 + 16 + 1 + 8 + TEXT_HEAD_MAX], key[JB_KEY_BYTES], ref[8];
    jb_owners_add(&own, JB_OWNER_PERSON, c->ref);
    int code = head_of(p, txn, keys, c->shared ? &own : &c->owners, head, &of);
    if (code != 0) {
        return code;
    }
    size_t head_n = 1 + (size_t)of.n * TEXT_OWNER_BYTES;
    size_t beside_n = beside_text(p, c->ref, head, head_n, beside);
    jb_put_be(ref, 8, c->ref);
    MDB_val k = {sizeof ref, ref}, v = {head_n + JB_BOX_BESIDE + c->n, NULL};
    code = mdb_put(txn, p->sealed->texts, &k, &v, MDB_RESERVE);
    if (code == 0) {
        memcpy(v.mv_data, head, head_n);
        text_key(&of, key);
        jb_seal_box(key, beside, beside_n, p->bytes.at + c->at, c->n,
                    (uint8_t *)v.mv_data + head_n);
    }
    jb_seal_wipe(&of, sizeof of);
    jb_seal_wipe(key, sizeof key);
    return code;
}

/* Of one owner in a text's head. */
static int
state_of_owner(struct jb_personal *p, MDB_txn *txn, const struct key_pair *keys, const uint8_t *at,
               uint8_t ret_key[JB_KEY_BYTES], enum jb_text_state *ret)
{
    MDB_val k = {OWNER_BYTES, (void *)(uintptr_t)at}, v;
    int code = mdb_get(txn, p->sealed->owners, &k, &v);
    bool whole = code == 0 && (v.mv_size == GRAVE_BYTES || v.mv_size == WRAPPED_BYTES);
    bool other = whole && memcmp(v.mv_data, at + OWNER_BYTES, KEY_ID_BYTES) != 0;
    *ret = !whole                                       ? JB_TEXT_LOST
           : other || v.mv_size == GRAVE_BYTES          ? JB_TEXT_FORGOTTEN
           : keys == NULL                               ? JB_TEXT_SEALED
           : jb_sealed_unwrap(p, keys, at, &v, ret_key) ? JB_TEXT_THERE
                                                        : JB_TEXT_LOST;
    return code == MDB_NOTFOUND ? 0 : code;
}

static int
state_of_owners(struct jb_personal *p, MDB_txn *txn, const struct key_pair *keys,
                const uint8_t *head, struct keys_of_text *of, enum jb_text_state *ret)
{
    *ret = JB_TEXT_THERE;
    of->n = head[0];
    for (unsigned i = 0; i < of->n; i++) {
        enum jb_text_state one;
        int code = state_of_owner(p, txn, keys, head + 1 + (size_t)i * TEXT_OWNER_BYTES,
                                  of->all + (size_t)i * JB_KEY_BYTES, &one);
        if (code != 0) {
            return code;
        }
        /* Forgotten by one is forgotten, whatever the others are. */
        *ret = one == JB_TEXT_FORGOTTEN || *ret == JB_TEXT_THERE ? one : *ret;
        if (*ret == JB_TEXT_FORGOTTEN) {
            break;
        }
    }
    return 0;
}

int
jb_sealed_open_text(struct jb_personal *p, MDB_txn *txn, const struct key_pair *keys, uint64_t ref,
                    char *buf, size_t *ret_n, enum jb_text_state *ret)
{
    uint8_t ref_key[8], beside[8 + 16 + 1 + 8 + TEXT_HEAD_MAX], key[JB_KEY_BYTES];
    struct keys_of_text of;
    *ret_n = 0;
    *ret = JB_TEXT_LOST;
    jb_put_be(ref_key, 8, ref);
    MDB_val k = {sizeof ref_key, ref_key}, v;
    int code = mdb_get(txn, p->sealed->texts, &k, &v);
    if (code != 0) {
        return code == MDB_NOTFOUND ? 0 : code;
    }
    const uint8_t *at = v.mv_data;
    size_t head_n = v.mv_size > 0 ? 1 + (size_t)at[0] * TEXT_OWNER_BYTES : 0;
    if (head_n <= 1 || head_n > TEXT_HEAD_MAX || v.mv_size < head_n + JB_BOX_BESIDE ||
        v.mv_size - head_n - JB_BOX_BESIDE > JB_PERSON_TEXT_BYTES_MAX) {
        return 0;
    }
    code = state_of_owners(p, txn, keys, at, &of, ret);
    if (code == 0 && *ret == JB_TEXT_THERE) {
        size_t n = beside_text(p, ref, at, head_n, beside);
        text_key(&of, key);
        bool open = jb_seal_open(key, beside, n, at + head_n, v.mv_size - head_n, buf);
        *ret_n = open ? v.mv_size - head_n - JB_BOX_BESIDE : 0;
        *ret = open ? JB_TEXT_THERE : JB_TEXT_LOST;
        jb_seal_wipe(key, sizeof key);
    }
    jb_seal_wipe(&of, sizeof of);
    return code;
}

/* ---- the index ---- */

void
jb_sealed_index_key(const struct jb_seal_keys *keys, struct jb_text id, uint8_t ret[INDEX_BYTES])
{
    jb_put_be(ret, 8, keys->epoch);
    jb_seal_hash(keys->index, id.s, id.n, ret + 8, JB_SEAL_HASH_BYTES);
}

static int
find_by(struct jb_personal *p, MDB_txn *txn, const struct jb_seal_keys *keys, struct jb_text id,
        uint64_t *ret)
{
    uint8_t key[INDEX_BYTES], owner[OWNER_BYTES];
    jb_sealed_index_key(keys, id, key);
    MDB_val k = {sizeof key, key}, v;
    *ret = 0;
    int code = mdb_get(txn, p->sealed->index, &k, &v);
    if (code != 0 || v.mv_size != 8) {
        return code == MDB_NOTFOUND ? 0 : code;
    }
    const struct jb_owner o = {JB_OWNER_PERSON, jb_get_be(v.mv_data, 8)};
    jb_sealed_put_owner(&o, owner);
    k = (MDB_val){sizeof owner, owner};
    code = mdb_get(txn, p->sealed->owners, &k, &v);
    *ret = code == 0 && v.mv_size == WRAPPED_BYTES ? o.number : 0;
    return code == MDB_NOTFOUND ? 0 : code;
}

static int
find(struct jb_personal *p, MDB_txn *txn, const struct key_pair *keys, struct jb_text id,
     uint64_t *ret)
{
    int code = find_by(p, txn, &keys->now, id, ret);
    return code == 0 && *ret == 0 && keys->old.epoch != 0 ? find_by(p, txn, &keys->old, id, ret)
                                                          : code;
}

jb_status
jb_sealed_find(struct jb_personal *p, struct jb_text id, uint64_t *ret, struct jb_error *err)
{
    MDB_txn *txn;
    struct sealed_meta m;
    struct key_pair keys;
    jb_status status = jb_env_begin(p->env, MDB_RDONLY, &txn, err);
    if (status != JB_OK) {
        return status;
    }
    int code = jb_sealed_meta(p->sealed, txn, &m);
    status = code == 0 ? jb_sealed_keys(p, &m, &keys, err) : JB_OK;
    code = code == 0 && status == JB_OK ? find(p, txn, &keys, id, ret) : code;
    jb_env_abort(p->env, txn);
    return code == 0 ? status : jb_personal_fail(p, code, "reading", err);
}

/* ---- writing ---- */

static int
put_index(struct jb_personal *p, MDB_txn *txn, const struct key_pair *keys,
          const struct collected *c)
{
    uint8_t key[INDEX_BYTES], ref[8];
    jb_sealed_index_key(&keys->now, (struct jb_text){p->bytes.at + c->at, c->n}, key);
    jb_put_be(ref, 8, c->ref);
    MDB_val k = {sizeof key, key}, v = {sizeof ref, ref};
    return mdb_put(txn, p->sealed->index, &k, &v, 0);
}

struct writing {
    jb_status status;
    struct jb_error err;
};

static int
write_texts(struct jb_personal *p, MDB_txn *txn, void *data)
{
    struct writing *w = data;
    struct sealed_meta m;
    struct key_pair keys;
    w->status = look_in(p, txn, &m, &keys, &w->err);
    int code = w->status == JB_OK ? 0 : MDB_BAD_TXN;
    for (size_t i = 0; i < p->list.n && code == 0; i++) {
        const struct collected *c = &p->list.at[i];
        code = put_text(p, txn, &keys, c);
        code = code == 0 && c->shared ? put_index(p, txn, &keys, c) : code;
        m.highest = c->ref > m.highest ? c->ref : m.highest;
    }
    code = code == 0 ? jb_sealed_meta_put(p, txn, &m, &keys.now) : code;
    jb_seal_wipe(&keys, sizeof keys);
    return code;
}

jb_status
jb_sealed_commit(struct jb_personal *p, struct jb_error *err)
{
    struct writing w = {.status = JB_OK};
    if (p->list.n == 0) {
        return JB_OK;
    }
    jb_status status =
        jb_sealed_write(p, p->bytes.n + p->list.n * TEXT_BESIDE_BYTES, write_texts, &w, err);
    if (w.status != JB_OK) {
        return jb_fail(err, w.status, "%s", w.err.text);
    }
    if (status == JB_OK) {
        jb_seal_wipe(p->bytes.at, p->bytes.n);
        jb_personal_written(p);
    }
    return status;
}

static int
lower_done(struct jb_personal *p, MDB_txn *txn, void *data)
{
    const jb_seq *seq = data;
    struct sealed_meta m;
    struct key_pair keys;
    struct jb_error ignored;
    if (look_in(p, txn, &m, &keys, &ignored) != JB_OK) {
        return MDB_CORRUPTED;
    }
    m.killed = m.killed > *seq ? *seq : m.killed;
    m.done = m.done > *seq ? *seq : m.done;
    m.target = m.target > *seq ? *seq : m.target;
    return jb_sealed_meta_put(p, txn, &m, &keys.now);
}

jb_status
jb_sealed_begin(struct jb_personal *p, uint64_t last_ref, jb_seq seq, struct jb_error *err)
{
    struct sealed_meta m;
    struct key_pair keys;
    jb_status status = jb_env_refresh(p->env, err);
    status = status == JB_OK ? jb_sealed_look(p, &m, &keys, err) : status;
    jb_seal_wipe(&keys, sizeof keys);
    if (status != JB_OK) {
        return status;
    }
    if (m.highest < last_ref) {
        return jb_fail(err, JB_E_KEY,
                       "people.mdb is older than the log: it has given references up to %llu, and "
                       "the log names %llu. Put the newest one back; or, where it is gone, "
                       "`jangbu people accept` goes on with this one, and who is missing in it "
                       "becomes somebody new",
                       (unsigned long long)m.highest, (unsigned long long)last_ref);
    }
    p->next_ref = m.highest + 1;
    /* The log was put back to before somebody was forgotten: what comes now is another history. */
    return m.killed > seq || m.target > seq ? jb_sealed_write(p, 0, lower_done, &seq, err) : JB_OK;
}

/* ---- reading ---- */

jb_status
jb_sealed_get(struct jb_personal *p, uint64_t ref, char *buf, size_t *ret_n,
              enum jb_text_state *ret_state, struct jb_error *err)
{
    MDB_txn *txn;
    struct sealed_meta m;
    struct key_pair keys;
    struct jb_error why;
    jb_status status = jb_env_begin(p->env, MDB_RDONLY, &txn, err);
    if (status != JB_OK) {
        return status;
    }
    int code = jb_sealed_meta(p->sealed, txn, &m);
    bool sealed = code != 0 || jb_sealed_keys(p, &m, &keys, &why) != JB_OK;
    if (code == 0) {
        code = jb_sealed_open_text(p, txn, sealed ? NULL : &keys, ref, buf, ret_n, ret_state);
    }
    jb_env_abort(p->env, txn);
    jb_seal_wipe(&keys, sizeof keys);
    return code == 0 ? JB_OK : jb_personal_fail(p, code, "reading", err);
}

jb_status
jb_sealed_key(struct jb_personal *p, struct jb_error *err)
{
    struct sealed_meta m;
    struct key_pair keys;
    jb_status status = jb_sealed_look(p, &m, &keys, err);
    jb_seal_wipe(&keys, sizeof keys);
    return status;
}

jb_status
jb_personal_info(struct jb_personal *p, struct jb_people_info *ret, struct jb_error *err)
{
    MDB_txn *txn;
    struct sealed_meta m = {0};
    if (p->sealed == NULL) {
        return jb_fail(err, JB_E_NOTFOUND, "people.mdb is of layout 1: nothing in it is sealed");
    }
    jb_status status = jb_env_begin(p->env, MDB_RDONLY, &txn, err);
    if (status != JB_OK) {
        return status;
    }
    int code = jb_sealed_meta(p->sealed, txn, &m);
    jb_env_abort(p->env, txn);
    *ret = (struct jb_people_info){m.epoch, m.old_epoch, m.killed, m.done, m.highest};
    return code == 0 ? JB_OK : jb_personal_fail(p, code, "reading", err);
}

/* ---- opening ---- */

/* One row and no other; what it says is another question. LMDB's code, as below. */
static int
has_meta(MDB_txn *txn, bool *ret)
{
    MDB_dbi dbi;
    MDB_cursor *cursor;
    MDB_val k, v;
    int code = mdb_dbi_open(txn, "meta", 0, &dbi);
    code = code == 0 ? mdb_cursor_open(txn, dbi, &cursor) : code;
    if (code != 0) {
        return code;
    }
    code = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    if (code == 0 && k.mv_size == 4 && memcmp(k.mv_data, "meta", 4) == 0) {
        code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
        *ret = code == MDB_NOTFOUND;
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

int
jb_sealed_is(MDB_txn *txn, bool *ret)
{
    MDB_dbi dbi;
    MDB_cursor *cursor;
    MDB_val k, v;
    unsigned found = 0, all = 0;
    *ret = false;
    int code = mdb_dbi_open(txn, NULL, 0, &dbi);
    code = code == 0 ? mdb_cursor_open(txn, dbi, &cursor) : code;
    if (code != 0) {
        return code;
    }
    while ((code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
        all++;
        for (const char *const *t = tables; *t != NULL; t++) {
            found += k.mv_size == strlen(*t) && memcmp(k.mv_data, *t, k.mv_size) == 0;
        }
    }
    mdb_cursor_close(cursor);
    code = code == MDB_NOTFOUND ? 0 : code;
    return code == 0 && found == 4 && all == 4 ? has_meta(txn, ret) : code;
}

static int
open_tables(struct jb_sealed *s, MDB_txn *txn, unsigned flags)
{
    int code = mdb_dbi_open(txn, "owners", flags, &s->owners);
    code = code == 0 ? mdb_dbi_open(txn, "texts", flags, &s->texts) : code;
    code = code == 0 ? mdb_dbi_open(txn, "index", flags, &s->index) : code;
    return code == 0 ? mdb_dbi_open(txn, "meta", flags, &s->meta) : code;
}

static struct jb_sealed *
make(void)
{
    struct jb_sealed *s = calloc(1, sizeof *s);
    if (s != NULL) {
        pthread_mutex_init(&s->lock, NULL);
        jb_seal_keep(s->keys, sizeof s->keys);
    }
    return s;
}

struct jb_sealed *
jb_sealed_close(struct jb_sealed *s)
{
    if (s != NULL) {
        jb_seal_let_go(s->keys, sizeof s->keys);
        pthread_mutex_destroy(&s->lock);
        free(s->key_path);
        free(s->dir);
        free(s);
    }
    return NULL;
}

const char *
jb_sealed_key_file(const struct jb_sealed *s)
{
    return s->key_path;
}

jb_status
jb_sealed_open(struct jb_personal *p, const char *dir, const char *key_file, struct jb_error *err)
{
    MDB_txn *txn;
    struct sealed_meta m;
    char *said = key_file != NULL ? jb_place_absolute(key_file) : jb_key_file_default(dir);
    p->sealed = make();
    bool ok = said != NULL && p->sealed != NULL &&
              (p->sealed->dir = jb_place_absolute(dir)) != NULL &&
              (p->sealed->key_path = jb_key_file_find(said, dir, p->ledger_id)) != NULL;
    free(said);
    if (!ok) {
        return jb_fail(err, JB_E_NOMEM, "no memory to open %s", jb_env_path(p->env));
    }
    jb_env_set_tables(p->env, tables);
    jb_status status = jb_env_begin(p->env, MDB_RDONLY, &txn, err);
    if (status != JB_OK) {
        return status;
    }
    int code = open_tables(p->sealed, txn, 0);
    code = code == 0 ? jb_sealed_meta(p->sealed, txn, &m) : code;
    if (code != 0 && code != MDB_CORRUPTED) { /* with a damaged `meta` the ledger can be read */
        jb_env_abort(p->env, txn);
        return jb_personal_fail(p, code, "opening", err);
    }
    code = jb_env_commit(p->env, txn);
    return code == 0 ? JB_OK : jb_personal_fail(p, code, "opening", err);
}

/* ---- a new file ---- */

static int
write_first(struct jb_personal *p, MDB_txn *txn, void *data)
{
    static const struct jb_owner ledger = {JB_OWNER_LEDGER, 0};
    const struct jb_seal_keys *now = data;
    struct sealed_meta m = {.epoch = now->epoch};
    uint8_t owner[OWNER_BYTES], id[KEY_ID_BYTES], key[JB_KEY_BYTES];
    struct key_pair keys = {.now = *now};
    memcpy(m.check, now->check, sizeof m.check);
    jb_sealed_put_owner(&ledger, owner);
    int code = open_tables(p->sealed, txn, MDB_CREATE);
    code = code == 0 ? new_owner(p, txn, &keys, owner, id, key) : code;
    code = code == 0 ? jb_sealed_meta_put(p, txn, &m, now) : code;
    jb_seal_wipe(&keys, sizeof keys);
    jb_seal_wipe(key, sizeof key);
    return code;
}

jb_status
jb_personal_make(const char *path, const uint8_t ledger_id[16], const struct jb_people_key *key,
                 struct jb_personal **ret, struct jb_error *err)
{
    struct jb_personal *p = calloc(1, sizeof *p);
    struct jb_error own;
    err = err != NULL ? err : &own;
    if (p == NULL || (p->sealed = make()) == NULL || !jb_seal_ready()) {
        jb_personal_close(p);
        return jb_fail(err, JB_E_NOMEM, "no memory to make %s", path);
    }
    memcpy(p->ledger_id, ledger_id, 16);
    jb_seal_derive(key, ledger_id, &p->sealed->keys[0]);
    p->sealed->keys_n = 1;
    struct jb_env_options o = {
        .tables = tables, .create = true, .max_dbs = 8, .map_bytes = UINT64_C(64) << 30};
    jb_status status = jb_env_open(path, &o, &p->env, err);
    if (status == JB_OK) {
        jb_env_tables_lock(p->env);
        status = jb_sealed_write(p, 0, write_first, &p->sealed->keys[0], err);
        jb_env_tables_unlock(p->env);
    }
    if (status != JB_OK) {
        jb_personal_close(p);
        return status;
    }
    *ret = p;
    return JB_OK;
}
