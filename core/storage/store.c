/* The file of a store: opening it, its transactions, its generations. */
#include "storage/store_file.h"

#include "storage/descriptors.h"
#include "storage/lmdb_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define MAP_BYTES_DEFAULT (UINT64_C(64) << 30)
#define META_CHECKED (4 + 4 + 16 + 8 + 16 + 8 + 8 * JB_STORE_TABLES_MAX)
#define META_BYTES (META_CHECKED + 8)

/* ---- failures ---- */

bool
jb_store_dispensable(jb_status status)
{
    return status == JB_E_STALE || status == JB_E_CORRUPT || status == JB_E_FORMAT ||
           status == JB_E_IO || status == JB_E_UNKNOWN;
}

static jb_status
stale(struct jb_error *err, const char *path, const char *what)
{
    return jb_fail(err, JB_E_STALE,
                   "%s %s. It can be made again from the log: stop the other programs that use the "
                   "ledger and run `jangbu rebuild`",
                   path, jb_tr(what));
}

/* Written into FILE-users behind the bytes that are locked: who opens the store next, alone, makes
 * it anew. */
#define MARK_AT 16

jb_status
jb_store_damaged(struct jb_store *s, const char *what, struct jb_error *err)
{
    char text[400];
    bool known = s->damaged;
    s->damaged = true;
    if (!known && !s->read_only && s->presence_fd >= 0) {
        (void)!pwrite(s->presence_fd, "damaged", 7, MARK_AT); /* else it is found again */
    }
    snprintf(text, sizeof text, jb_tr("is damaged (%s)"), jb_tr(what));
    return stale(err, jb_env_path(s->env), text);
}

jb_status
jb_store_failed(struct jb_store *s, int code, const char *doing, struct jb_error *err)
{
    jb_status status = jb_env_fail(err, code, s->env, doing);
    if (status == JB_E_CORRUPT || status == JB_E_FORMAT) {
        return jb_store_damaged(s, "LMDB's pages", err);
    }
    if (status == JB_E_IO || status == JB_E_UNKNOWN) {
        s->damaged = true; /* in this process: the file may be sound */
        return stale(err, jb_env_path(s->env), "cannot be used after a fault of its file");
    }
    return status;
}

jb_status
jb_store_write_failed(struct jb_store_txn *t, int code, struct jb_error *err)
{
    struct jb_store *s = t->store;
    jb_store_end(t);
    s->full = code == MDB_MAP_FULL;
    return jb_store_failed(s, code == EIO && jb_env_full(s->env) ? ENOSPC : code, "writing", err);
}

/* ---- meta ---- */

static const char meta_key[2][5] = {"meta", "next"};

static uint64_t
meta_check(const struct jb_store *s, int which, const uint8_t bytes[META_BYTES])
{
    return XXH3_64bits_withSeed(bytes, META_CHECKED, s->seed + 1 + (uint64_t)which);
}

/* which: 0 the current generation, 1 the next one. LMDB's code; MDB_CORRUPTED where its check does
 * not hold. */
static int
meta_get(struct jb_store *s, MDB_txn *txn, int which, struct jb_store_meta *ret)
{
    MDB_val key = {4, (void *)(uintptr_t)meta_key[which]}, value;
    int code = mdb_get(txn, s->main, &key, &value);
    if (code != 0) {
        return code;
    }
    const uint8_t *p = value.mv_data;
    if (value.mv_size != META_BYTES || jb_get_be(p + META_CHECKED, 8) != meta_check(s, which, p)) {
        return MDB_CORRUPTED;
    }
    ret->version = (uint32_t)jb_get_be(p, 4);
    ret->generation = (uint32_t)jb_get_be(p + 4, 4);
    memcpy(ret->ledger_id, p + 8, 16);
    ret->seq = jb_get_be(p + 24, 8);
    memcpy(ret->chain, p + 32, 16);
    ret->writes = jb_get_be(p + 48, 8);
    for (size_t i = 0; i < JB_STORE_TABLES_MAX; i++) {
        ret->rows[i] = jb_get_be(p + 56 + 8 * i, 8);
    }
    return 0;
}

static int
meta_put(struct jb_store *s, MDB_txn *txn, int which, const struct jb_store_meta *m)
{
    uint8_t p[META_BYTES];
    jb_put_be(p, 4, m->version);
    jb_put_be(p + 4, 4, m->generation);
    memcpy(p + 8, m->ledger_id, 16);
    jb_put_be(p + 24, 8, m->seq);
    memcpy(p + 32, m->chain, 16);
    jb_put_be(p + 48, 8, m->writes);
    for (size_t i = 0; i < JB_STORE_TABLES_MAX; i++) {
        jb_put_be(p + 56 + 8 * i, 8, m->rows[i]);
    }
    jb_put_be(p + META_CHECKED, 8, meta_check(s, which, p));
    MDB_val key = {4, (void *)(uintptr_t)meta_key[which]}, value = {sizeof p, p};
    return mdb_put(txn, s->main, &key, &value, 0);
}

/* ---- opening ---- */

/* Bytes of FILE-users that are locked. Everyone who has the store open holds the first; who gets it
 * alone may make a damaged file anew. A rebuild holds the second: the next generation belongs to
 * one of them only. Who may write holds the third, once all of LMDB's pages were looked at, by
 * himself or by who held it when he came: what happened to them since was done by LMDB. */
enum { PRESENCE = 0, REBUILD = 1, LOOKED_AT = 2 };

static const char *const names[2][JB_STORE_DBIS] = {{"0/blocks", "0/checks"},
                                                    {"1/blocks", "1/checks"}};

static int
lock_byte(int fd, int byte, short type)
{
    struct flock fl = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &fl);
}

static bool
others_have(int fd, int byte)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fd >= 0 && fcntl(fd, F_OFD_GETLK, &fl) == 0 && fl.l_type != F_UNLCK;
}

static bool
marked(int fd)
{
    char mark[7];
    return fd >= 0 && pread(fd, mark, sizeof mark, MARK_AT) == (ssize_t)sizeof mark;
}

static int
open_tables(struct jb_store *s, MDB_txn *txn, unsigned flags)
{
    jb_env_tables_lock(s->env);
    int code = mdb_dbi_open(txn, NULL, 0, &s->main);
    for (unsigned set = 0; set < 2; set++) {
        for (unsigned i = 0; i < JB_STORE_DBIS && code == 0; i++) {
            code = mdb_dbi_open(txn, names[set][i], flags, &s->dbi[set][i]);
        }
    }
    jb_env_tables_unlock(s->env);
    return code;
}

static int
empty_tables(struct jb_store *s, MDB_txn *txn, unsigned set)
{
    int code = 0;
    for (unsigned i = 0; i < JB_STORE_DBIS && code == 0; i++) {
        code = mdb_drop(txn, s->dbi[set][i], 0);
    }
    return code;
}

/* Whether the file is one of ours: LMDB's code, MDB_INCOMPATIBLE for another ledger's,
 * MDB_VERSION_MISMATCH for another version's. */
static int
look_for_meta(struct jb_store *s, MDB_txn *txn)
{
    struct jb_store_meta m;
    int code = meta_get(s, txn, 0, &m);
    return code != 0                                    ? code
           : memcmp(m.ledger_id, s->ledger_id, 16) != 0 ? MDB_INCOMPATIBLE
           : m.version != s->schema.version             ? MDB_VERSION_MISMATCH
                                                        : 0;
}

/* This ledger's store as an earlier version wrote it: its meta has another length, but begins with
 * version, generation and ledger id as every version's does. */
static bool
is_older(const struct jb_store *s, MDB_txn *txn)
{
    MDB_val key = {4, (void *)(uintptr_t)meta_key[0]}, value;
    MDB_dbi main_dbi;
    if (mdb_dbi_open(txn, NULL, 0, &main_dbi) != 0 || mdb_get(txn, main_dbi, &key, &value) != 0) {
        return false;
    }
    const uint8_t *p = value.mv_data;
    return value.mv_size != META_BYTES && value.mv_size >= 24 &&
           jb_get_be(p, 4) < s->schema.version && memcmp(p + 8, s->ledger_id, 16) == 0;
}

/* Makes the tables of a file that has none. */
static int
set_up(struct jb_store *s, MDB_txn *txn)
{
    int code = open_tables(s, txn, MDB_CREATE);
    code = code == 0 ? look_for_meta(s, txn) : code;
    if (code != MDB_NOTFOUND) {
        return code;
    }
    struct jb_store_meta m = {.version = s->schema.version};
    memcpy(m.ledger_id, s->ledger_id, 16);
    return meta_put(s, txn, 0, &m);
}

/* The pages that LMDB will follow: all where it writes, or finds rows, which it does in a file with
 * pages larger than the machine's. */
static bool
pages_hold(struct jb_store *s, MDB_txn *txn)
{
    MDB_stat stat;
    bool all = !s->read_only || mdb_env_stat(mdb_txn_env(txn), &stat) != 0 ||
               (long)stat.ms_psize > sysconf(_SC_PAGESIZE);
    const char *path = jb_env_path(s->env);
    enum jb_pages_found found = JB_PAGES_DAMAGED;
    /* Who begins to write beside this one may have been in the middle of a meta page. */
    for (int tries = 0; tries < 2 && found == JB_PAGES_DAMAGED; tries++) {
        found = all ? jb_pages_look_at_all(path, mdb_txn_id(txn), JB_PAGES_LOOK_BYTES_MAX)
                    : jb_pages_look_at_names(path, mdb_txn_id(txn));
    }
    return found != JB_PAGES_DAMAGED;
}

/* Looks with a read transaction, and writes only where there is nothing yet: an open waits for
 * nobody who writes. */
static int
open_in(struct jb_store *s, bool make, bool look_at_pages, jb_status *ret_status,
        struct jb_error *err)
{
    MDB_txn *txn;
    *ret_status = jb_env_begin(s->env, make ? 0 : MDB_RDONLY, &txn, err);
    if (*ret_status != JB_OK) {
        return 0;
    }
    const bool hold = !look_at_pages || pages_hold(s, txn);
    int code = hold ? 0 : MDB_CORRUPTED;
    if (code == 0) {
        code = make ? set_up(s, txn) : open_tables(s, txn, 0);
    }
    if (code == 0 && !make) {
        code = look_for_meta(s, txn);
    }
    /* Not where the pages do not hold: LMDB would follow them. */
    if (hold && (code == MDB_NOTFOUND || code == MDB_CORRUPTED) && is_older(s, txn)) {
        code = MDB_VERSION_MISMATCH;
    }
    if (code == 0) {
        return jb_env_commit(s->env, txn); /* keeps the handles, also of a read transaction */
    }
    jb_env_abort(s->env, txn);
    return code;
}

static jb_status
open_env(struct jb_store *s, const char *path, bool first, int *ret_code, struct jb_error *err)
{
    struct jb_env_options o = {.read_only = s->read_only,
                               .create = true,
                               .max_dbs = 2 * JB_STORE_TABLES_MAX,
                               .map_bytes = MAP_BYTES_DEFAULT};
    *ret_code = 0;
    if (first && jb_pages_look_at_metas(path) == JB_PAGES_DAMAGED) {
        *ret_code = MDB_CORRUPTED;
        return jb_fail(err, JB_E_CORRUPT, "%s is damaged", path);
    }
    jb_status status = jb_env_open(path, &o, &s->env, err);
    if (status != JB_OK) {
        return status;
    }
    int code = open_in(s, false, !others_have(s->presence_fd, LOOKED_AT), &status, err);
    if (status == JB_OK && code == MDB_NOTFOUND && !s->read_only) {
        code = open_in(s, true, false, &status, err);
    }
    *ret_code = code;
    if (status == JB_OK && s->read_only && code == MDB_NOTFOUND && jb_env_untouched(s->env)) {
        /* Whoever made the file did not come as far as its tables. */
        *ret_code = 0;
        return jb_fail(err, JB_E_NOTFOUND, "there is nothing in %s yet", path);
    }
    return status != JB_OK || code == 0 ? status : jb_env_fail(err, code, s->env, "opening");
}

static bool
unusable(jb_status status, int code)
{
    return code == MDB_INCOMPATIBLE || code == MDB_VERSION_MISMATCH || code == MDB_NOTFOUND ||
           status == JB_E_CORRUPT || status == JB_E_FORMAT;
}

/* Nobody else has it open, so nobody can be misled by its lock file: it is made anew. */
static jb_status
make_anew(struct jb_store *s, const char *path, int *ret_code, struct jb_error *err)
{
    char lmdb_lock[4096 + 8];
    snprintf(lmdb_lock, sizeof lmdb_lock, "%s-lock", path);
    s->env = jb_env_close(s->env);
    unlink(path);
    unlink(lmdb_lock);
    (void)!ftruncate(s->presence_fd, 0); /* a mark that stays costs a fold */
    return open_env(s, path, true, ret_code, err);
}

static jb_status
open_or_make(struct jb_store *s, const char *path, bool *ret_remade, struct jb_error *err)
{
    bool alone =
        !s->read_only && s->presence_fd >= 0 && lock_byte(s->presence_fd, PRESENCE, F_WRLCK) == 0;
    bool first = alone || !others_have(s->presence_fd, PRESENCE);
    bool damaged = marked(s->presence_fd);
    int code = 0;
    jb_status status = damaged ? JB_E_CORRUPT : open_env(s, path, first, &code, err);
    if (status != JB_OK && unusable(status, code) && alone &&
        (s->env == NULL || jb_env_users(s->env) == 1)) {
        status = make_anew(s, path, &code, err);
        *ret_remade = true;
    }
    if (s->presence_fd >= 0) {
        lock_byte(s->presence_fd, PRESENCE, F_RDLCK);
        if (status == JB_OK && !s->read_only) {
            lock_byte(s->presence_fd, LOOKED_AT, F_RDLCK);
        }
    }
    if (status != JB_OK && code == MDB_VERSION_MISMATCH && s->read_only) {
        return jb_fail(err, JB_E_NOTFOUND, "%s is of another version of jangbu", path);
    }
    return status != JB_OK && unusable(status, code)
               ? stale(err, path,
                       code == MDB_INCOMPATIBLE       ? "belongs to another ledger"
                       : code == MDB_VERSION_MISMATCH ? "is of another version"
                                                      : "is damaged")
               : status;
}

jb_status
jb_store_open(const char *dir, const struct jb_store_schema *schema, const uint8_t ledger_id[16],
              bool read_only, struct jb_store **ret, bool *ret_remade, struct jb_error *err)
{
    JB_ASSERT(schema->tables_n <= JB_STORE_TABLES_MAX);
    char path[4096], lock_path[4096 + 8];
    if (snprintf(path, sizeof path, "%s/%s", dir, schema->file) >= (int)sizeof path) {
        return jb_fail(err, JB_E_USAGE, "the path of the ledger is too long");
    }
    snprintf(lock_path, sizeof lock_path, "%s-users", path);
    struct jb_store *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory to open %s", path);
    }
    s->schema = *schema;
    s->read_only = read_only;
    memcpy(s->ledger_id, ledger_id, 16);
    s->seed = XXH3_64bits(ledger_id, 16);
    *ret_remade = false;
    /* A reader says that it is there, too, where the file is. */
    s->presence_fd =
        jb_descriptor_open_locking(lock_path, read_only ? O_RDONLY : O_RDWR | O_CREAT, 0600);
    jb_status status = open_or_make(s, path, ret_remade, err);
    if (status != JB_OK) {
        jb_store_close(s);
        return status;
    }
    *ret = s;
    return JB_OK;
}

const char *
jb_store_place(const struct jb_store *s)
{
    return jb_env_place(s->env);
}

struct jb_store *
jb_store_close(struct jb_store *s)
{
    if (s != NULL) {
        bool inherited = s->env != NULL && jb_env_inherited(s->env);
        jb_env_close(s->env);
        if (!inherited) { /* fork has closed it in a child */
            jb_descriptor_close(s->presence_fd);
        }
        free(s);
    }
    return NULL;
}

bool
jb_store_grown(struct jb_store *s)
{
    const bool full = s->full;
    s->full = false;
    return full && jb_env_grow(s->env, NULL) == JB_OK;
}

/* ---- transactions ---- */

/* The tables of t's generation, for who only reads. */
static int
find_trees(struct jb_store *s, struct jb_store_txn *t)
{
    for (unsigned i = 0; i < JB_STORE_DBIS; i++) {
        const char *name = names[t->meta.generation & 1][i];
        MDB_val key = {strlen(name), (void *)(uintptr_t)name}, value;
        int code = mdb_get(t->txn, s->main, &key, &value);
        if (code != 0) {
            return code;
        }
        if (!jb_tree_of(&value, &t->trees[i]) || !jb_snapshot_of(t->txn, &value, &t->pages)) {
            return MDB_CORRUPTED;
        }
    }
    return 0;
}

static jb_status
begin(struct jb_store *s, bool write, bool next, struct jb_store_txn *ret, struct jb_error *err)
{
    MDB_txn *txn;
    *ret = (struct jb_store_txn){.store = s}; /* where this fails: one that has ended */
    if (s->damaged) {
        return stale(err, jb_env_path(s->env), "was found to be damaged");
    }
    s->full = write ? false : s->full;
    struct jb_store_txn t = {
        .store = s, .next = next, .pending = write ? jb_store_pending_new() : NULL};
    if (write && t.pending == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory to write to %s", jb_env_path(s->env));
    }
    jb_status status = jb_env_begin(s->env, write ? 0 : MDB_RDONLY, &txn, err);
    if (status != JB_OK) {
        jb_store_pending_free(t.pending);
        return status == JB_E_IO || status == JB_E_UNKNOWN
                   ? jb_store_failed(s, MDB_PANIC, "reading", err)
                   : status;
    }
    t.txn = txn;
    int code = meta_get(s, txn, next ? 1 : 0, &t.meta);
    if (code != 0) {
        jb_store_end(&t);
        return jb_store_damaged(s, "its first row", err);
    }
    t.dbi = s->dbi[t.meta.generation & 1];
    if (!write && find_trees(s, &t) != 0) {
        jb_store_end(&t);
        return jb_store_damaged(s, "LMDB's pages", err);
    }
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

/* Ends the transaction, which has written what it wants. */
static jb_status
commit(struct jb_store_txn *t, struct jb_error *err)
{
    MDB_txn *txn = t->txn;
    t->txn = NULL;
    int code = jb_env_commit(t->store->env, txn);
    return code == 0 ? (jb_store_end(t), JB_OK) : jb_store_write_failed(t, code, err);
}

jb_status
jb_store_commit(struct jb_store_txn *t, jb_seq seq, const uint8_t chain[16], struct jb_error *err)
{
    struct jb_store *s = t->store;
    struct jb_store_meta current;
    jb_status status = jb_store_apply(t, err);
    if (status != JB_OK) {
        jb_store_end(t);
        return status;
    }
    /* Nothing is left to be done, and a store never goes back. */
    JB_ASSERT(jb_store_settled(t) && seq >= t->meta.seq);
    int which =
        meta_get(s, t->txn, 0, &current) == 0 && current.generation == t->meta.generation ? 0 : 1;
    t->meta.seq = seq;
    t->meta.writes++;
    memmove(t->meta.chain, chain, 16); /* a step of a rebuild gives its own */
    int code = meta_put(s, t->txn, which, &t->meta);
    return code == 0 ? commit(t, err) : jb_store_write_failed(t, code, err);
}

void
jb_store_end(struct jb_store_txn *t)
{
    if (t->txn != NULL) {
        jb_env_abort(t->store->env, t->txn);
        t->txn = NULL;
    }
    t->pending = jb_store_pending_free(t->pending);
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
    struct jb_store_meta next = {.version = t.meta.version, .generation = t.meta.generation + 1};
    memcpy(next.ledger_id, t.meta.ledger_id, 16);
    int code = empty_tables(s, t.txn, next.generation & 1);
    code = code == 0 ? meta_put(s, t.txn, 1, &next) : code;
    return code == 0 ? commit(&t, err) : jb_store_write_failed(&t, code, err);
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
    return code == 0 ? commit(&t, err) : jb_store_write_failed(&t, code, err);
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
