#include "storage/store.h"

#include "base/bytes.h"
#include "base/error.h"
#include "base/steps.h"
#include "storage/lmdb_env.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define MAP_BYTES_DEFAULT (UINT64_C(64) << 30)
#define META_BYTES (4 + 4 + 16 + 8 + 16)

/* Tables of even and of odd generations: two sets of handles are enough for ever. */
struct jb_store {
    struct jb_env *env;
    struct jb_store_schema schema;
    uint8_t ledger_id[16];
    bool read_only;
    int presence_fd;
    MDB_dbi main;
    MDB_dbi dbi[2][JB_STORE_TABLES_MAX];
    _Atomic bool grown; /* the last write met a full map, which has been made larger */
};

/* ---- meta ---- */

static const char meta_key[2][5] = {"meta", "next"};

static void
meta_write(uint8_t out[META_BYTES], const struct jb_store_meta *m)
{
    jb_put_be(out, 4, m->version);
    jb_put_be(out + 4, 4, m->generation);
    memcpy(out + 8, m->ledger_id, 16);
    jb_put_be(out + 24, 8, m->seq);
    memcpy(out + 32, m->chain, 16);
}

/* which: 0 the current generation, 1 the next one. LMDB's code. */
static int
meta_get(struct jb_store *s, MDB_txn *txn, int which, struct jb_store_meta *ret)
{
    MDB_val key = {4, (void *)(uintptr_t)meta_key[which]}, value;
    int code = mdb_get(txn, s->main, &key, &value);
    if (code != 0) {
        return code;
    }
    if (value.mv_size != META_BYTES) {
        return MDB_INVALID;
    }
    const uint8_t *p = value.mv_data;
    ret->version = (uint32_t)jb_get_be(p, 4);
    ret->generation = (uint32_t)jb_get_be(p + 4, 4);
    memcpy(ret->ledger_id, p + 8, 16);
    ret->seq = jb_get_be(p + 24, 8);
    memcpy(ret->chain, p + 32, 16);
    return 0;
}

static int
meta_put(struct jb_store *s, MDB_txn *txn, int which, const struct jb_store_meta *m)
{
    uint8_t bytes[META_BYTES];
    meta_write(bytes, m);
    MDB_val key = {4, (void *)(uintptr_t)meta_key[which]}, value = {sizeof bytes, bytes};
    return mdb_put(txn, s->main, &key, &value, 0);
}

/* ---- opening ---- */

/* Bytes of FILE-users that are locked. Everyone who has the store open holds the first; who gets it
 * alone may make a damaged file anew. A rebuild holds the second: the next generation belongs to
 * one of them only. */
enum { PRESENCE = 0, REBUILD = 1 };

static int
lock_byte(int fd, int byte, short type)
{
    struct flock fl = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &fl);
}

static int
open_tables(struct jb_store *s, MDB_txn *txn, unsigned flags)
{
    int code = mdb_dbi_open(txn, NULL, 0, &s->main);
    for (unsigned set = 0; set < 2 && code == 0; set++) {
        for (unsigned i = 0; i < s->schema.tables_n && code == 0; i++) {
            char name[64];
            snprintf(name, sizeof name, "%u/%s", set, s->schema.tables[i]);
            code = mdb_dbi_open(txn, name, flags, &s->dbi[set][i]);
        }
    }
    return code;
}

static int
empty_tables(struct jb_store *s, MDB_txn *txn, unsigned set)
{
    int code = 0;
    for (unsigned i = 0; i < s->schema.tables_n && code == 0; i++) {
        code = mdb_drop(txn, s->dbi[set][i], 0);
    }
    return code;
}

/* Makes the tables, and empties them where they are another version's. MDB_INCOMPATIBLE: they are
 * another ledger's. */
static int
set_up(struct jb_store *s, MDB_txn *txn, bool *ret_remade)
{
    int code = open_tables(s, txn, MDB_CREATE);
    if (code != 0) {
        return code;
    }
    struct jb_store_meta m;
    code = meta_get(s, txn, 0, &m);
    if (code == 0 && memcmp(m.ledger_id, s->ledger_id, 16) != 0) {
        return MDB_INCOMPATIBLE;
    }
    if (code == 0 && m.version == s->schema.version) {
        return 0;
    }
    if (code != 0 && code != MDB_NOTFOUND) {
        return code;
    }
    *ret_remade = code == 0;
    code = empty_tables(s, txn, 0);
    code = code == 0 ? empty_tables(s, txn, 1) : code;
    m = (struct jb_store_meta){.version = s->schema.version};
    memcpy(m.ledger_id, s->ledger_id, 16);
    return code == 0 ? meta_put(s, txn, 0, &m) : code;
}

static jb_status
open_env(struct jb_store *s, const char *path, bool *ret_remade, int *ret_code,
         struct jb_error *err)
{
    struct jb_env_options o = {.read_only = s->read_only,
                               .create = true,
                               .max_dbs = 2 * JB_STORE_TABLES_MAX,
                               .map_bytes = MAP_BYTES_DEFAULT};
    *ret_code = 0;
    jb_status status = jb_env_open(path, &o, &s->env, err);
    if (status != JB_OK) {
        return status;
    }
    MDB_txn *txn;
    status = jb_env_begin(s->env, s->read_only ? MDB_RDONLY : 0, &txn, err);
    if (status != JB_OK) {
        return status;
    }
    struct jb_store_meta m;
    int code = s->read_only ? open_tables(s, txn, 0) : set_up(s, txn, ret_remade);
    if (code == 0 && s->read_only) {
        code = meta_get(s, txn, 0, &m);
        if (code == 0 &&
            (m.version != s->schema.version || memcmp(m.ledger_id, s->ledger_id, 16) != 0)) {
            code = MDB_INCOMPATIBLE;
        }
    }
    if (code == 0) {
        code = jb_env_commit(s->env, txn); /* keeps the handles, also of a read transaction */
    } else {
        jb_env_abort(s->env, txn);
    }
    *ret_code = code;
    if (s->read_only && code == MDB_NOTFOUND) {
        /* Whoever made the file did not come as far as its tables. */
        return jb_fail(err, JB_E_NOTFOUND, "there is nothing in %s yet", path);
    }
    return code == 0 ? JB_OK : jb_env_fail(err, code, s->env, "opening");
}

static bool
unusable(jb_status status, int code)
{
    return code == MDB_INCOMPATIBLE || status == JB_E_CORRUPT || status == JB_E_FORMAT;
}

static jb_status
stale(struct jb_error *err, const char *path, int code)
{
    return jb_fail(err, JB_E_STALE,
                   "%s %s. It can be made again from the log: stop the other programs that use the "
                   "ledger and run `jangbu rebuild`",
                   path,
                   code == MDB_INCOMPATIBLE ? "belongs to another ledger or another version"
                                            : "is damaged");
}

jb_status
jb_store_open(const char *dir, const struct jb_store_schema *schema, const uint8_t ledger_id[16],
              bool read_only, struct jb_store **ret, bool *ret_remade, struct jb_error *err)
{
    JB_ASSERT(schema->tables_n <= JB_STORE_TABLES_MAX);
    char path[4096], lock_path[4096 + 8], lmdb_lock[4096 + 8];
    if (snprintf(path, sizeof path, "%s/%s", dir, schema->file) >= (int)sizeof path) {
        return jb_fail(err, JB_E_USAGE, "the path of the ledger is too long");
    }
    snprintf(lock_path, sizeof lock_path, "%s-users", path);
    snprintf(lmdb_lock, sizeof lmdb_lock, "%s-lock", path);
    struct jb_store *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory to open %s", path);
    }
    s->schema = *schema;
    s->read_only = read_only;
    memcpy(s->ledger_id, ledger_id, 16);
    *ret_remade = false;
    /* A reader says that it is there, too, where the file is. */
    s->presence_fd =
        open(lock_path, read_only ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool alone =
        !read_only && s->presence_fd >= 0 && lock_byte(s->presence_fd, PRESENCE, F_WRLCK) == 0;
    int code;
    jb_status status = open_env(s, path, ret_remade, &code, err);
    if (status != JB_OK && unusable(status, code) && alone &&
        (s->env == NULL || jb_env_users(s->env) == 1)) {
        /* Nobody else has it open, so nobody can be misled by its lock file: make it anew. */
        s->env = jb_env_close(s->env);
        unlink(path);
        unlink(lmdb_lock);
        status = open_env(s, path, ret_remade, &code, err);
        *ret_remade = true;
    }
    if (s->presence_fd >= 0) {
        lock_byte(s->presence_fd, PRESENCE, F_RDLCK);
    }
    if (status != JB_OK) {
        status = unusable(status, code) ? stale(err, path, code) : status;
        jb_store_close(s);
        return status;
    }
    *ret = s;
    return JB_OK;
}

struct jb_store *
jb_store_close(struct jb_store *s)
{
    if (s != NULL) {
        jb_env_close(s->env);
        if (s->presence_fd >= 0) {
            close(s->presence_fd);
        }
        free(s);
    }
    return NULL;
}

bool
jb_store_grown(struct jb_store *s)
{
    return s->grown;
}

/* ---- transactions ---- */

static jb_status
begin(struct jb_store *s, bool write, bool next, struct jb_store_txn *ret, struct jb_error *err)
{
    MDB_txn *txn;
    if (write) {
        s->grown = false;
    }
    jb_status status = jb_env_begin(s->env, write ? 0 : MDB_RDONLY, &txn, err);
    if (status != JB_OK) {
        return status;
    }
    struct jb_store_txn t = {.store = s, .txn = txn, .write = write, .next = next};
    int code = meta_get(s, txn, next ? 1 : 0, &t.meta);
    if (code != 0) {
        jb_env_abort(s->env, txn);
        return stale(err, jb_env_path(s->env), 0);
    }
    t.dbi = s->dbi[t.meta.generation & 1];
    *ret = t;
    return JB_OK;
}

jb_status
jb_store_read(struct jb_store *s, struct jb_store_txn *ret, struct jb_error *err)
{
    return begin(s, false, false, ret, err);
}

jb_status
jb_store_write(struct jb_store *s, struct jb_store_txn *ret, struct jb_error *err)
{
    if (s->read_only) {
        return jb_fail(err, JB_E_READONLY, "%s is open for reading only", jb_env_path(s->env));
    }
    return begin(s, true, false, ret, err);
}

jb_status
jb_store_next_read(struct jb_store *s, struct jb_store_txn *ret, struct jb_error *err)
{
    return begin(s, false, true, ret, err);
}

jb_status
jb_store_next_write(struct jb_store *s, struct jb_store_txn *ret, struct jb_error *err)
{
    return begin(s, true, true, ret, err);
}

/* A full map cannot be grown inside a transaction: it is ended here, the map grows, and the caller
 * starts over. */
static jb_status
write_failed(struct jb_store_txn *t, int code, struct jb_error *err)
{
    struct jb_store *s = t->store;
    jb_store_end(t);
    if (code == MDB_MAP_FULL && jb_env_grow(s->env, err) == JB_OK) {
        s->grown = true;
    }
    return jb_env_fail(err, code, s->env, "writing");
}

jb_status
jb_store_commit(struct jb_store_txn *t, jb_seq seq, const uint8_t chain[16], struct jb_error *err)
{
    struct jb_store *s = t->store;
    struct jb_store_meta current;
    int which =
        meta_get(s, t->txn, 0, &current) == 0 && current.generation == t->meta.generation ? 0 : 1;
    t->meta.seq = seq;
    memcpy(t->meta.chain, chain, 16);
    int code = meta_put(s, t->txn, which, &t->meta);
    if (code != 0) {
        return write_failed(t, code, err);
    }
    MDB_txn *txn = t->txn;
    t->txn = NULL;
    code = jb_env_commit(s->env, txn);
    if (code == MDB_MAP_FULL && jb_env_grow(s->env, err) == JB_OK) {
        s->grown = true;
    }
    return code == 0 ? JB_OK : jb_env_fail(err, code, s->env, "writing");
}

void
jb_store_end(struct jb_store_txn *t)
{
    if (t->txn != NULL) {
        jb_env_abort(t->store->env, t->txn);
        t->txn = NULL;
    }
}

jb_status
jb_store_put(struct jb_store_txn *t, unsigned table, const void *key, size_t key_n,
             const void *value, size_t value_n, unsigned flags, struct jb_error *err)
{
    MDB_val k = {key_n, (void *)(uintptr_t)key}, v = {value_n, (void *)(uintptr_t)value};
    t->rows++;
    jb_steps.rows++;
    int code = mdb_put(t->txn, t->dbi[table], &k, &v, flags);
    return code == 0 ? JB_OK : write_failed(t, code, err);
}

jb_status
jb_store_get(struct jb_store_txn *t, unsigned table, const void *key, size_t key_n,
             const void **value, size_t *value_n, struct jb_error *err)
{
    MDB_val k = {key_n, (void *)(uintptr_t)key}, v;
    jb_steps.rows++;
    int code = mdb_get(t->txn, t->dbi[table], &k, &v);
    if (code == MDB_NOTFOUND) {
        return JB_E_NOTFOUND;
    }
    if (code != 0) {
        return jb_env_fail(err, code, t->store->env, "reading");
    }
    *value = v.mv_data;
    *value_n = v.mv_size;
    return JB_OK;
}

jb_status
jb_store_below(struct jb_store_txn *t, unsigned table, const void *key, size_t key_n, void *found,
               const void **value, size_t *value_n, struct jb_error *err)
{
    MDB_cursor *cursor;
    MDB_val k = {key_n, (void *)(uintptr_t)key}, v;
    jb_steps.rows++;
    int code = mdb_cursor_open(t->txn, t->dbi[table], &cursor);
    if (code == 0) {
        code = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
        code = code == MDB_NOTFOUND ? mdb_cursor_get(cursor, &k, &v, MDB_LAST)
               : code == 0          ? mdb_cursor_get(cursor, &k, &v, MDB_PREV)
                                    : code;
        mdb_cursor_close(cursor);
    }
    if (code == MDB_NOTFOUND || (code == 0 && k.mv_size != key_n)) {
        return JB_E_NOTFOUND;
    }
    if (code != 0) {
        return jb_env_fail(err, code, t->store->env, "reading");
    }
    memcpy(found, k.mv_data, key_n);
    *value = v.mv_data;
    *value_n = v.mv_size;
    return JB_OK;
}

jb_status
jb_store_del(struct jb_store_txn *t, unsigned table, const void *key, size_t key_n,
             struct jb_error *err)
{
    MDB_val k = {key_n, (void *)(uintptr_t)key};
    int code = mdb_del(t->txn, t->dbi[table], &k, NULL);
    return code == 0 || code == MDB_NOTFOUND ? JB_OK : write_failed(t, code, err);
}

/* ---- the next generation ---- */

jb_status
jb_store_next_begin(struct jb_store *s, struct jb_error *err)
{
    struct jb_store_txn t;
    if (lock_byte(s->presence_fd, REBUILD, F_WRLCK) != 0) {
        return errno == EAGAIN || errno == EACCES
                   ? jb_fail(err, JB_E_BUSY,
                             "another rebuild of %s is under way; wait until it has ended",
                             jb_env_path(s->env))
                   : jb_fail_errno(err, JB_E_IO, errno, "cannot lock %s-users",
                                   jb_env_path(s->env));
    }
    jb_status status = jb_store_write(s, &t, err);
    if (status != JB_OK) {
        return status;
    }
    struct jb_store_meta next = t.meta;
    next.generation++;
    next.seq = 0;
    memset(next.chain, 0, sizeof next.chain);
    int code = empty_tables(s, t.txn, next.generation & 1);
    code = code == 0 ? meta_put(s, t.txn, 1, &next) : code;
    if (code != 0) {
        return write_failed(&t, code, err);
    }
    return jb_store_commit(&t, t.meta.seq, t.meta.chain, err);
}

/* Rows of one transaction of a rebuild: tens of milliseconds. */
#define STEP_ROWS 20000

jb_status
jb_store_next_step(struct jb_store_txn *t, struct jb_error *err)
{
    struct jb_store *s = t->store;
    if (!t->next || t->rows < STEP_ROWS) {
        return JB_OK;
    }
    jb_status status = jb_store_commit(t, t->meta.seq, t->meta.chain, err);
    return status == JB_OK ? jb_store_next_write(s, t, err) : status;
}

static jb_status
switch_once(struct jb_store *s, struct jb_error *err)
{
    struct jb_store_txn t;
    jb_status status = jb_store_next_write(s, &t, err);
    if (status != JB_OK) {
        return status;
    }
    int code = meta_put(s, t.txn, 0, &t.meta);
    MDB_val key = {4, (void *)(uintptr_t)meta_key[1]};
    code = code == 0 ? mdb_del(t.txn, s->main, &key, NULL) : code;
    code = code == 0 ? empty_tables(s, t.txn, (t.meta.generation + 1) & 1) : code;
    if (code != 0) {
        return write_failed(&t, code, err);
    }
    MDB_txn *txn = t.txn;
    t.txn = NULL;
    code = jb_env_commit(s->env, txn);
    return code == 0 ? JB_OK : write_failed(&t, code, err);
}

jb_status
jb_store_next_switch(struct jb_store *s, struct jb_error *err)
{
    jb_status status;
    do {
        status = switch_once(s, err);
    } while (
        status == JB_E_FULL &&
        jb_store_grown(
            s)); /* the list of the pages that become free may be what the map has no room for */
    return status;
}

jb_status
jb_store_digest(struct jb_store_txn *t, uint8_t ret[16], struct jb_error *err)
{
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    for (unsigned i = 0; i < t->store->schema.tables_n; i++) {
        const char *name = t->store->schema.tables[i];
        XXH3_128bits_update(&state, name, strlen(name) + 1);
        MDB_cursor *cursor;
        int code = mdb_cursor_open(t->txn, t->dbi[i], &cursor);
        if (code != 0) {
            return jb_env_fail(err, code, t->store->env, "reading");
        }
        MDB_val k, v;
        while ((code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
            uint8_t lengths[16];
            jb_put_be(lengths, 8, k.mv_size);
            jb_put_be(lengths + 8, 8, v.mv_size);
            XXH3_128bits_update(&state, lengths, sizeof lengths);
            XXH3_128bits_update(&state, k.mv_data, k.mv_size);
            XXH3_128bits_update(&state, v.mv_data, v.mv_size);
        }
        mdb_cursor_close(cursor);
        if (code != MDB_NOTFOUND) {
            return jb_env_fail(err, code, t->store->env, "reading");
        }
    }
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
    memcpy(ret, canonical.digest, 16);
    return JB_OK;
}
