#include "personal/inner.h"

#include "base/error.h"
#include "base/steps.h"
#include "base/text.h"
#include "personal/seal.h"
#include "storage/room.h"

#include <stdio.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define MAP_BYTES_DEFAULT (UINT64_C(64) << 30)

/* What the table `meta` says of the others. */
struct meta {
    uint64_t highest, rows, sum;
};
#define META_BYTES 32
#define CHECK_BYTES 8

/* ---- checks: damage prints "damaged", never another name ---- */

static uint64_t
check_of(const struct jb_personal *p, uint64_t ref, const void *text, size_t n)
{
    uint8_t head[16 + 8];
    memcpy(head, p->ledger_id, 16);
    jb_put_be(head + 16, 8, ref);
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    XXH3_64bits_update(&state, head, sizeof head);
    XXH3_64bits_update(&state, text, n);
    return XXH3_64bits_digest(&state);
}

static uint64_t
check_of_meta(const struct jb_personal *p, const uint8_t bytes[META_BYTES])
{
    uint8_t all[16 + META_BYTES - 8];
    memcpy(all, p->ledger_id, 16);
    memcpy(all + 16, bytes, META_BYTES - 8);
    return XXH3_64bits(all, sizeof all);
}

static const char *const tables[] = {"texts", "index", "checks", "meta", NULL};

static bool
is_table(const MDB_val *name)
{
    for (const char *const *t = tables; *t != NULL; t++) {
        if (name->mv_size == strlen(*t) && memcmp(name->mv_data, *t, name->mv_size) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * A later layout has other tables, or says in `meta` what it is: to this version its rows are not
 * what they seem (texts may be sealed), and it neither shows nor changes them. LMDB's code;
 * MDB_VERSION_MISMATCH: newer.
 */
static int
check_layout(MDB_txn *txn)
{
    MDB_dbi dbi;
    MDB_cursor *cursor;
    MDB_val k, v;
    int code = mdb_dbi_open(txn, NULL, 0, &dbi);
    code = code == 0 ? mdb_cursor_open(txn, dbi, &cursor) : code;
    if (code != 0) {
        return code;
    }
    while ((code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
        if (!is_table(&k)) {
            break;
        }
    }
    mdb_cursor_close(cursor);
    return code == 0 ? MDB_VERSION_MISMATCH : code == MDB_NOTFOUND ? 0 : code;
}

/* The same by the rows of `meta`: there is one, of a known length. */
static int
check_meta_layout(const struct jb_personal *p, MDB_txn *txn)
{
    MDB_cursor *cursor;
    MDB_val k, v;
    int code = mdb_cursor_open(txn, p->meta, &cursor);
    if (code != 0) {
        return code;
    }
    while ((code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
        if (k.mv_size != 4 || memcmp(k.mv_data, "meta", 4) != 0 || v.mv_size != META_BYTES) {
            break;
        }
    }
    mdb_cursor_close(cursor);
    return code == 0 ? MDB_VERSION_MISMATCH : code == MDB_NOTFOUND ? 0 : code;
}

jb_status
jb_personal_fail(const struct jb_personal *p, int code, const char *doing, struct jb_error *err)
{
    if (code != MDB_VERSION_MISMATCH) {
        return jb_env_fail(err, code, p->env, doing);
    }
    jb_status status = jb_fail(err, JB_E_FORMAT,
                               "%s was written by a newer version of jangbu: it has tables that "
                               "this one does not know. Use that version",
                               jb_env_path(p->env));
    if (err != NULL) {
        err->at = 1;
    }
    return status;
}

/* LMDB's code; MDB_CORRUPTED where its check does not hold. */
static int
meta_get(struct jb_personal *p, MDB_txn *txn, struct meta *ret)
{
    MDB_val k = {4, "meta"}, v;
    int code = mdb_get(txn, p->meta, &k, &v);
    if (code != 0) {
        return code;
    }
    const uint8_t *b = v.mv_data;
    if (v.mv_size != META_BYTES || jb_get_be(b + 24, 8) != check_of_meta(p, b)) {
        return MDB_CORRUPTED;
    }
    *ret = (struct meta){jb_get_be(b, 8), jb_get_be(b + 8, 8), jb_get_be(b + 16, 8)};
    return 0;
}

static int
meta_put(struct jb_personal *p, MDB_txn *txn, const struct meta *m)
{
    uint8_t b[META_BYTES];
    jb_put_be(b, 8, m->highest);
    jb_put_be(b + 8, 8, m->rows);
    jb_put_be(b + 16, 8, m->sum);
    jb_put_be(b + 24, 8, check_of_meta(p, b));
    MDB_val k = {4, "meta"}, v = {sizeof b, b};
    return mdb_put(txn, p->meta, &k, &v, 0);
}

static int
put_check(struct jb_personal *p, MDB_txn *txn, struct meta *m, uint64_t ref, const void *text,
          size_t n)
{
    uint8_t key[8], value[CHECK_BYTES];
    uint64_t check = check_of(p, ref, text, n);
    jb_put_be(key, 8, ref);
    jb_put_be(value, 8, check);
    m->rows++;
    m->sum += check;
    m->highest = ref > m->highest ? ref : m->highest;
    MDB_val k = {sizeof key, key}, v = {sizeof value, value};
    return mdb_put(txn, p->checks, &k, &v, 0);
}

/* The first layout had no checks: what is there now is what they are made of. */
static int
make_checks(struct jb_personal *p, MDB_txn *txn)
{
    MDB_cursor *cursor;
    MDB_val k, v;
    struct meta m = {0};
    int code = mdb_dbi_open(txn, "checks", MDB_CREATE, &p->checks);
    code = code == 0 ? mdb_dbi_open(txn, "meta", MDB_CREATE, &p->meta) : code;
    if (code != 0 || meta_get(p, txn, &m) != MDB_NOTFOUND) {
        return code; /* another process has made them */
    }
    code = mdb_cursor_open(txn, p->texts, &cursor);
    if (code != 0) {
        return code;
    }
    while ((code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
        code = k.mv_size == 8 ? put_check(p, txn, &m, jb_get_be(k.mv_data, 8), v.mv_data, v.mv_size)
                              : MDB_CORRUPTED;
        if (code != 0) {
            break;
        }
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? meta_put(p, txn, &m) : code;
}

/* Whether a text, or its being away (NULL), is what was written. LMDB's code. */
static int
holds(struct jb_personal *p, MDB_txn *txn, uint64_t ref, const MDB_val *text, bool *ret)
{
    uint8_t key[8];
    jb_put_be(key, 8, ref);
    MDB_val k = {sizeof key, key}, v;
    int code = mdb_get(txn, p->checks, &k, &v);
    if (code == MDB_NOTFOUND) {
        *ret = text == NULL;
        return 0;
    }
    *ret = code == 0 && text != NULL && v.mv_size == CHECK_BYTES &&
           jb_get_be(v.mv_data, 8) == check_of(p, ref, text->mv_data, text->mv_size);
    return code;
}

/* ---- opening ---- */

/* What a text costs in the tables beside itself. */
#define TEXT_BESIDE_BYTES 256
#define ROOM_WAIT_US (10 * JB_US_PER_SECOND)

/* Names cannot be made again from the log: so the file grows as log.mdb does. */
jb_status
jb_personal_make_room(struct jb_personal *p, size_t bytes, struct jb_error *err)
{
    struct jb_lock *lock = jb_env_lock(p->env);
    jb_status status =
        lock != NULL ? jb_lock_take(lock, JB_LOCK_PEOPLE, ROOM_WAIT_US, 0, err) : JB_OK;
    if (status != JB_OK) {
        return status;
    }
    int code = jb_env_make_room(p->env, bytes, &p->room);
    if (lock != NULL) {
        jb_lock_release(lock, JB_LOCK_PEOPLE);
    }
    return code == 0 ? JB_OK : jb_env_fail(err, code, p->env, "making room in");
}

static jb_status
make_room(struct jb_personal *p, struct jb_error *err)
{
    return jb_personal_make_room(p, p->bytes.n + p->list.n * TEXT_BESIDE_BYTES, err);
}

/* Looks for the tables first: an open that need not write waits for nobody. */
static int
open_tables(struct jb_personal *p, bool make, bool *ret_sealed, struct jb_error *err,
            jb_status *ret_status)
{
    MDB_txn *txn;
    *ret_status = jb_env_begin(p->env, make ? 0 : MDB_RDONLY, &txn, err);
    if (*ret_status != JB_OK) {
        return 0;
    }
    int code = jb_sealed_is(txn, ret_sealed);
    code = *ret_sealed ? MDB_VERSION_MISMATCH : code == 0 ? check_layout(txn) : code;
    code = code == 0 ? mdb_dbi_open(txn, "texts", make ? MDB_CREATE : 0, &p->texts) : code;
    code = code == 0 ? mdb_dbi_open(txn, "index", make ? MDB_CREATE : 0, &p->index) : code;
    if (code == 0) {
        int checks = mdb_dbi_open(txn, "checks", 0, &p->checks);
        int meta = mdb_dbi_open(txn, "meta", 0, &p->meta);
        p->has_checks = checks == 0 && meta == 0;
        /* They are made together: one without the other is another layout's. */
        code = checks == MDB_NOTFOUND && meta == MDB_NOTFOUND   ? 0
               : checks == MDB_NOTFOUND || meta == MDB_NOTFOUND ? MDB_VERSION_MISMATCH
               : checks != 0                                    ? checks
                                                                : meta;
        code = code == 0 && p->has_checks ? check_meta_layout(p, txn) : code;
    }
    if (code != 0) {
        jb_env_abort(p->env, txn);
        return code;
    }
    return jb_env_commit(p->env, txn);
}

jb_status
jb_personal_open(const char *dir, const uint8_t ledger_id[16], const char *key_file, bool read_only,
                 bool make, struct jb_personal **ret, struct jb_error *err)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/people.mdb", dir) >= (int)sizeof path) {
        return jb_fail(err, JB_E_USAGE, "the path of the ledger is too long");
    }
    struct jb_personal *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory to open %s", path);
    }
    if (!jb_seal_ready()) {
        free(p);
        return jb_fail(err, JB_E_IO, "libsodium finds no random bytes");
    }
    memcpy(p->ledger_id, ledger_id, 16);
    struct jb_env_options o = {.reopens = true,
                               .tables = tables,
                               .read_only = read_only,
                               .create = make || read_only,
                               .max_dbs = 8,
                               .map_bytes = MAP_BYTES_DEFAULT};
    jb_status status = jb_env_open(path, &o, &p->env, err);
    make = make && !read_only;
    if (status == JB_E_NOTFOUND && !make) {
        *ret = p;
        return JB_OK;
    }
    if (status == JB_OK) {
        jb_env_tables_lock(p->env);
        bool sealed;
        int code = open_tables(p, false, &sealed, err, &status);
        if (status == JB_OK && code == MDB_NOTFOUND && make) {
            status = make_room(p, err);
            code = status == JB_OK ? open_tables(p, true, &sealed, err, &status) : 0;
        }
        if (status == JB_OK && sealed) {
            status = jb_sealed_open(p, dir, key_file, err);
            code = 0;
        }
        jb_env_tables_unlock(p->env);
        if (status == JB_OK && code == MDB_NOTFOUND && !make && jb_env_untouched(p->env)) {
            /* Whoever made the file did not come as far as its tables: there are no texts. */
            p->env = jb_env_close(p->env);
            code = 0;
        }
        if (code != 0) {
            status = jb_personal_fail(p, code, "opening", err);
        }
    }
    if (status != JB_OK) {
        jb_personal_close(p);
        return status;
    }
    *ret = p;
    return JB_OK;
}

struct jb_personal *
jb_personal_close(struct jb_personal *p)
{
    if (p != NULL) {
        jb_sealed_close(p->sealed);
        jb_env_close(p->env);
        jb_vec_free(&p->list);
        jb_vec_free(&p->bytes);
        jb_map_free(&p->by_text);
        free(p);
    }
    return NULL;
}

struct jb_env *
jb_personal_env(struct jb_personal *p)
{
    return p->env;
}

unsigned
jb_personal_layout(const struct jb_personal *p)
{
    return p->sealed != NULL ? 2 : p->env != NULL ? 1 : 0;
}

const char *
jb_personal_key_file(const struct jb_personal *p)
{
    return p->sealed != NULL ? jb_sealed_key_file(p->sealed) : NULL;
}

jb_status
jb_personal_key(struct jb_personal *p, struct jb_error *err)
{
    return p->sealed == NULL ? JB_OK : jb_sealed_key(p, err);
}

jb_status
jb_personal_begin(struct jb_personal *p, uint64_t last_ref, jb_seq seq, struct jb_error *err)
{
    jb_personal_cut(p, 0);
    if (p->sealed != NULL) {
        return jb_sealed_begin(p, last_ref, seq, err);
    }
    p->next_ref = last_ref + 1;
    return jb_env_refresh(p->env, err);
}

static void
index_key(struct jb_text text, uint8_t key[16])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(text.s, text.n));
    memcpy(key, canonical.digest, 16);
}

/* The reference that a person's id has in the file; 0: none. The text decides, not its hash. */
static int
find(struct jb_personal *p, MDB_txn *txn, struct jb_text text, uint64_t *ret)
{
    uint8_t hash[16];
    index_key(text, hash);
    MDB_val k = {sizeof hash, hash}, v;
    *ret = 0;
    int code = mdb_get(txn, p->index, &k, &v);
    if (code != 0 || v.mv_size != 8) {
        return code == MDB_NOTFOUND ? 0 : code;
    }
    uint64_t ref = jb_get_be(v.mv_data, 8);
    uint8_t ref_key[8];
    jb_put_be(ref_key, 8, ref);
    k = (MDB_val){sizeof ref_key, ref_key};
    code = mdb_get(txn, p->texts, &k, &v);
    if (code == 0 && v.mv_size == text.n && memcmp(v.mv_data, text.s, text.n) == 0) {
        *ret = ref;
    }
    return code == MDB_NOTFOUND ? 0 : code;
}

/* The highest reference in the file: a commit of the log that failed after this file's leaves some
 * that no event names. */
static int
last_ref(struct jb_personal *p, MDB_txn *txn, uint64_t *ret)
{
    MDB_cursor *cursor;
    MDB_val k, v;
    *ret = 0;
    int code = mdb_cursor_open(txn, p->texts, &cursor);
    if (code != 0) {
        return code;
    }
    code = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
    if (code == 0 && k.mv_size == 8) {
        *ret = jb_get_be(k.mv_data, 8);
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

static jb_status
look_up(struct jb_personal *p, struct jb_text text, bool shared, uint64_t *ret,
        struct jb_error *err)
{
    MDB_txn *txn;
    *ret = 0;
    jb_status status = jb_env_begin(p->env, MDB_RDONLY, &txn, err);
    if (status != JB_OK) {
        return status;
    }
    int code = shared ? find(p, txn, text, ret) : 0;
    if (code == 0 && p->list.n == 0) {
        uint64_t last;
        struct meta m;
        code = p->has_checks ? meta_get(p, txn, &m) : MDB_NOTFOUND;
        last = code == 0 ? m.highest : 0;
        code = code == 0 ? 0 : last_ref(p, txn, &last);
        p->next_ref = last >= p->next_ref ? last + 1 : p->next_ref;
    }
    jb_env_abort(p->env, txn);
    return code == 0 ? JB_OK : jb_env_fail(err, code, p->env, "reading");
}

/* The reference of an id that is collected; 0: it is not. */
static uint64_t
collected_ref(const struct jb_personal *p, struct jb_text text)
{
    const struct jb_map_entry *m = jb_map_find(&p->by_text, XXH3_64bits(text.s, text.n));
    for (; m != NULL; m = jb_map_again(&p->by_text, m)) {
        const struct collected *c = &p->list.at[m->value];
        jb_steps.moved++;
        if (c->shared && c->n == text.n && memcmp(p->bytes.at + c->at, text.s, text.n) == 0) {
            return c->ref;
        }
    }
    return 0;
}

jb_status
jb_personal_opens(struct jb_personal *p, uint64_t ref, bool *ret, struct jb_error *err)
{
    char text[JB_PERSON_TEXT_BYTES_MAX];
    enum jb_text_state state;
    size_t n;
    *ret = p->list.n > 0 && ref >= p->list.at[0].ref && ref < p->next_ref;
    if (*ret) {
        return JB_OK;
    }
    jb_status status = jb_personal_get(p, ref, text, &n, &state, err);
    *ret = status == JB_OK && state == JB_TEXT_THERE;
    return status;
}

static jb_status
collect(struct jb_personal *p, uint64_t ref, struct jb_text text, bool shared,
        const struct jb_owners *owners, struct jb_error *err)
{
    if (!jb_vec_reserve(&p->list, p->list.n + 1) ||
        !jb_vec_reserve(&p->bytes, p->bytes.n + text.n) ||
        !jb_map_put(&p->by_text, XXH3_64bits(text.s, text.n), p->list.n)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a text");
    }
    memcpy(p->bytes.at + p->bytes.n, text.s, text.n);
    struct collected *c = &p->list.at[p->list.n++];
    *c = (struct collected){.ref = ref, .at = p->bytes.n, .n = text.n, .shared = shared};
    if (owners != NULL && !shared) {
        c->owners = *owners;
    }
    p->bytes.n += text.n;
    return JB_OK;
}

jb_status
jb_personal_find(struct jb_personal *p, struct jb_text id, uint64_t *ret, struct jb_error *err)
{
    *ret = collected_ref(p, id);
    return *ret != 0           ? JB_OK
           : p->sealed != NULL ? jb_sealed_find(p, id, ret, err)
                               : look_up(p, id, true, ret, err);
}

jb_status
jb_personal_known(struct jb_personal *p, struct jb_text id, uint64_t *ret, struct jb_error *err)
{
    MDB_txn *txn;
    *ret = 0;
    if (p->env == NULL || p->sealed != NULL) {
        return p->env == NULL ? JB_OK : jb_sealed_find(p, id, ret, err);
    }
    jb_status status = jb_env_begin(p->env, MDB_RDONLY, &txn, err);
    if (status != JB_OK) {
        return status;
    }
    const int code = find(p, txn, id, ret);
    jb_env_abort(p->env, txn);
    return code == 0 ? JB_OK : jb_env_fail(err, code, p->env, "reading");
}

jb_status
jb_personal_refer(struct jb_personal *p, struct jb_text text, bool shared,
                  const struct jb_owners *owners, uint64_t *ret, struct jb_error *err)
{
    uint64_t known = 0;
    jb_status status = JB_OK;
    if (shared) {
        status = jb_personal_find(p, text, &known, err);
    } else if (p->list.n == 0 && p->sealed == NULL) {
        status = look_up(p, text, false, &known, err);
    }
    if (status == JB_OK && known == 0) {
        status = collect(p, p->next_ref, text, shared, owners, err);
        known = status == JB_OK ? p->next_ref++ : 0;
    }
    if (status == JB_OK) {
        *ret = known;
    }
    return status;
}

jb_status
jb_personal_add(struct jb_personal *p, uint64_t ref, struct jb_text text, bool shared,
                const struct jb_owners *owners, struct jb_error *err)
{
    return collect(p, ref, text, shared, owners, err);
}

bool
jb_personal_pending(const struct jb_personal *p, uint64_t ref, struct jb_text *ret)
{
    const uint64_t first = p->list.n > 0 ? p->list.at[0].ref : 0;
    if (p->list.n == 0 || ref < first || ref - first >= p->list.n) {
        return false;
    }
    const struct collected *c = &p->list.at[ref - first];
    JB_ASSERT(c->ref == ref);
    *ret = (struct jb_text){p->bytes.at + c->at, c->n};
    return true;
}

size_t
jb_personal_collected(const struct jb_personal *p)
{
    return p->list.n;
}

void
jb_personal_cut(struct jb_personal *p, size_t n)
{
    if (n < p->list.n) {
        p->next_ref = p->list.at[n].ref;
        p->bytes.n = p->list.at[n].at;
        p->list.n = n;
        jb_map_cut(&p->by_text, n);
    }
}

void
jb_personal_written(struct jb_personal *p)
{
    p->list.n = p->bytes.n = 0;
    jb_map_cut(&p->by_text, 0);
}

static int
write_one(struct jb_personal *p, MDB_txn *txn, const struct collected *c, struct meta *m)
{
    struct jb_text text = {p->bytes.at + c->at, c->n};
    uint8_t ref[8], hash[16];
    jb_put_be(ref, 8, c->ref);
    MDB_val k = {sizeof ref, ref}, v = {text.n, (void *)(uintptr_t)text.s};
    int code = mdb_put(txn, p->texts, &k, &v, 0);
    code = code == 0 ? put_check(p, txn, m, c->ref, text.s, text.n) : code;
    if (code == 0 && c->shared) {
        index_key(text, hash);
        k = (MDB_val){sizeof hash, hash};
        v = (MDB_val){sizeof ref, ref};
        code = mdb_put(txn, p->index, &k, &v, 0);
    }
    return code;
}

static int
write_all(struct jb_personal *p, MDB_txn *txn)
{
    struct meta m = {0};
    int code = check_layout(txn);
    code = code == 0 && !p->has_checks ? make_checks(p, txn) : code;
    code = code == 0 ? check_meta_layout(p, txn) : code;
    code = code == 0 ? meta_get(p, txn, &m) : code;
    for (size_t i = 0; i < p->list.n && code == 0; i++) {
        code = write_one(p, txn, &p->list.at[i], &m);
    }
    return code == 0 ? meta_put(p, txn, &m) : code;
}

jb_status
jb_personal_commit(struct jb_personal *p, struct jb_error *err)
{
    if (p->sealed != NULL) {
        return jb_sealed_commit(p, err);
    }
    while (p->list.n > 0) {
        MDB_txn *txn;
        jb_status status = make_room(p, err);
        status = status == JB_OK ? jb_env_begin(p->env, 0, &txn, err) : status;
        if (status != JB_OK) {
            return status;
        }
        int code = write_all(p, txn);
        if (code == 0) {
            code = jb_env_commit(p->env, txn);
        } else {
            jb_env_abort(p->env, txn);
        }
        if (code == MDB_MAP_FULL) {
            status = jb_env_grow(p->env, err);
            if (status != JB_OK) {
                return status;
            }
            continue;
        }
        if (code != 0) {
            return jb_personal_fail(p, code, "writing", err);
        }
        p->has_checks = true;
        jb_personal_written(p);
        /* What the log will refer to is in the file that will be there. */
        status = jb_env_still(p->env, err);
        if (status != JB_OK) {
            return status;
        }
    }
    return JB_OK;
}

static jb_status
text_damaged(struct jb_error *err, uint64_t ref)
{
    return jb_fail(err, JB_E_CORRUPT,
                   "people.mdb: the text of reference %llu is damaged. No figure depends on it; a "
                   "backup of people.mdb has it",
                   (unsigned long long)ref);
}

/* Layout 1. */
static jb_status
get(struct jb_personal *p, uint64_t ref, char *buf, size_t *ret_n, enum jb_text_state *ret,
    struct jb_error *err)
{
    MDB_txn *txn;
    jb_status status = jb_env_begin(p->env, MDB_RDONLY, &txn, err);
    if (status != JB_OK) {
        return status;
    }
    uint8_t key[8];
    jb_put_be(key, 8, ref);
    MDB_val k = {sizeof key, key}, v;
    bool sound = true;
    int code = mdb_get(txn, p->texts, &k, &v);
    bool there = code == 0;
    code = code == MDB_NOTFOUND ? 0 : code;
    if (code == 0 && p->has_checks) {
        code = holds(p, txn, ref, there ? &v : NULL, &sound);
    }
    if (code == 0 && sound && there && v.mv_size <= JB_PERSON_TEXT_BYTES_MAX) {
        memcpy(buf, v.mv_data, v.mv_size);
        *ret_n = v.mv_size;
    }
    jb_env_abort(p->env, txn);
    *ret = !sound ? JB_TEXT_LOST : *ret_n > 0 ? JB_TEXT_THERE : JB_TEXT_FORGOTTEN;
    return code != 0 ? jb_env_fail(err, code, p->env, "reading") : JB_OK;
}

jb_status
jb_personal_get(struct jb_personal *p, uint64_t ref, char *buf, size_t *ret_n,
                enum jb_text_state *ret_state, struct jb_error *err)
{
    *ret_n = 0;
    *ret_state = JB_TEXT_FORGOTTEN;
    return p->env == NULL || ref == 0 ? JB_OK
           : p->sealed != NULL        ? jb_sealed_get(p, ref, buf, ret_n, ret_state, err)
                                      : get(p, ref, buf, ret_n, ret_state, err);
}

jb_status
jb_personal_text(struct jb_personal *p, uint64_t ref, char *buf, size_t *ret_n,
                 struct jb_error *err)
{
    enum jb_text_state state;
    jb_status status = jb_personal_get(p, ref, buf, ret_n, &state, err);
    return status == JB_OK && state == JB_TEXT_LOST ? text_damaged(err, ref) : status;
}

/* Every text against its check, and all of them against what the table `meta` says. */
static int
check_texts(struct jb_personal *p, MDB_txn *txn, void (*damaged)(void *data, uint64_t ref),
            void *data)
{
    MDB_cursor *cursor;
    MDB_val k, v;
    struct meta m, sums = {0};
    int code = meta_get(p, txn, &m);
    bool has_meta = code == 0;
    code = mdb_cursor_open(txn, p->texts, &cursor);
    if (code != 0) {
        return code;
    }
    uint64_t bad = 0;
    while ((code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
        uint64_t ref = k.mv_size == 8 ? jb_get_be(k.mv_data, 8) : 0;
        bool sound = false;
        if (holds(p, txn, ref, &v, &sound) != 0 || !sound) {
            damaged(data, ref);
            bad++;
        }
        sums.rows++;
        sums.sum += check_of(p, ref, v.mv_data, v.mv_size);
    }
    mdb_cursor_close(cursor);
    if (bad == 0 && (!has_meta || m.rows != sums.rows || m.sum != sums.sum)) {
        damaged(data, 0);
    }
    return code == MDB_NOTFOUND ? 0 : code;
}

jb_status
jb_personal_highest(struct jb_personal *p, uint64_t *ret, struct jb_error *err)
{
    MDB_txn *txn;
    struct meta m = {0};
    *ret = 0;
    if (p->sealed != NULL) {
        struct jb_people_info info;
        jb_status found = jb_personal_info(p, &info, err);
        *ret = found == JB_OK ? info.highest : 0;
        return found;
    }
    if (p->env == NULL || !p->has_checks) {
        return JB_OK;
    }
    jb_status status = jb_env_begin(p->env, MDB_RDONLY, &txn, err);
    if (status != JB_OK) {
        return status;
    }
    int code = meta_get(p, txn, &m);
    jb_env_abort(p->env, txn);
    if (code == 0) {
        *ret = m.highest;
    }
    return code == 0 || code == MDB_NOTFOUND || code == MDB_CORRUPTED
               ? JB_OK
               : jb_env_fail(err, code, p->env, "reading");
}

jb_status
jb_personal_check(struct jb_personal *p, void (*damaged)(void *data, uint64_t ref), void *data,
                  struct jb_people_texts *ret, struct jb_error *err)
{
    *ret = (struct jb_people_texts){0};
    if (p->env == NULL) {
        return jb_fail(err, JB_E_NOTFOUND, "it is not there: everyone is forgotten");
    }
    if (p->sealed != NULL) {
        return jb_sealed_check(p, damaged, data, ret, err);
    }
    if (!p->has_checks) {
        return jb_fail(err, JB_E_NOTFOUND,
                       "it is of the first layout and has no checks; the next text that is written "
                       "makes them");
    }
    MDB_txn *txn;
    jb_status status = jb_env_begin(p->env, MDB_RDONLY, &txn, err);
    if (status != JB_OK) {
        return status;
    }
    int code = check_texts(p, txn, damaged, data);
    jb_env_abort(p->env, txn);
    return code == 0 ? JB_OK : jb_env_fail(err, code, p->env, "reading");
}
