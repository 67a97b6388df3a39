/*
 * Forgetting: an owner's key is taken out of people.mdb, and the key of the key file that had
 * wrapped it is changed for another one, so that free pages and copies open for nobody either.
 */
#include <stdio.h>

#include "base/error.h"
#include "personal/sealed_file.h"

#define OWNERS_IN_A_STEP 8192
/* What a step writes for an owner: his row, a row of the index, and their pages. */
#define OWNER_BESIDE_BYTES 512
/* Behind the last owner: what is left is the old key's part of the index. */
static const uint8_t behind_all[OWNER_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff,
                                                0xff, 0xff, 0xff, 0xff};

/* A write transaction that looks at meta and the keys first, does its work, and puts meta back. */
struct change {
    int (*work)(struct jb_personal *p, MDB_txn *txn, struct sealed_meta *m, struct key_pair *keys,
                void *data);
    void *data;
    jb_status status; /* of work, where that is no code of LMDB's */
    struct jb_error err;
};

static int
change_in(struct jb_personal *p, MDB_txn *txn, void *data)
{
    struct change *c = data;
    struct sealed_meta m;
    struct key_pair keys = {0};
    int code = jb_sealed_meta(p->sealed, txn, &m);
    c->status = code == 0 ? jb_sealed_keys(p, &m, &keys, &c->err) : JB_OK;
    code = c->status != JB_OK ? MDB_BAD_TXN : code;
    code = code == 0 ? c->work(p, txn, &m, &keys, c->data) : code;
    code = code == 0 ? jb_sealed_meta_put(p, txn, &m, &keys.now) : code;
    jb_seal_wipe(&keys, sizeof keys);
    return code;
}

static jb_status
change(struct jb_personal *p, size_t bytes, struct change *c, struct jb_error *err)
{
    jb_status status = jb_sealed_write(p, bytes, change_in, c, err);
    return c->status != JB_OK ? jb_fail(err, c->status, "%s", c->err.text) : status;
}

/* ---- taking keys out ---- */

static int
bury(struct jb_personal *p, MDB_txn *txn, const uint8_t owner[OWNER_BYTES])
{
    uint8_t grave[GRAVE_BYTES];
    MDB_val k = {OWNER_BYTES, (void *)(uintptr_t)owner}, v;
    int code = mdb_get(txn, p->sealed->owners, &k, &v);
    if (code != 0 || v.mv_size < GRAVE_BYTES) {
        return code == MDB_NOTFOUND ? 0 : code;
    }
    memcpy(grave, v.mv_data, sizeof grave);
    v = (MDB_val){sizeof grave, grave};
    return mdb_put(txn, p->sealed->owners, &k, &v, 0);
}

struct dead {
    const struct jb_owner *list;
    size_t n;
    jb_seq upto;
};

static int
bury_all(struct jb_personal *p, MDB_txn *txn, struct sealed_meta *m, struct key_pair *keys,
         void *data)
{
    const struct dead *d = data;
    int code = 0;
    (void)keys;
    for (size_t i = 0; i < d->n && code == 0; i++) {
        uint8_t owner[OWNER_BYTES];
        jb_sealed_put_owner(&d->list[i], owner);
        code = bury(p, txn, owner);
    }
    m->killed = d->upto > m->killed ? d->upto : m->killed;
    return code;
}

jb_status
jb_personal_kill(struct jb_personal *p, const struct jb_owner *dead, size_t n, jb_seq upto,
                 struct jb_error *err)
{
    struct dead d = {dead, n, upto};
    struct change c = {.work = bury_all, .data = &d};
    return change(p, n * OWNER_BESIDE_BYTES, &c, err);
}

/* ---- another key ---- */

jb_status
jb_personal_may_rotate(struct jb_personal *p, struct jb_error *err)
{
    if (p->sealed == NULL) {
        return jb_fail(err, JB_E_KEY,
                       "nobody can be forgotten while people.mdb is not sealed: run `jangbu people "
                       "encrypt` first");
    }
    return jb_key_file_check_writable(p->sealed->key_path, err);
}

static int
take_next(struct jb_personal *p, MDB_txn *txn, struct sealed_meta *m, struct key_pair *keys,
          void *data)
{
    const struct jb_seal_keys *next = data;
    (void)p;
    (void)txn;
    if (m->old_epoch != 0 || m->epoch + 1 != next->epoch) {
        return 0; /* another process has done it */
    }
    m->old_epoch = m->epoch;
    memcpy(m->old_check, m->check, sizeof m->check);
    m->epoch = next->epoch;
    memcpy(m->check, next->check, sizeof m->check);
    m->target = m->killed;
    memset(m->at, 0, sizeof m->at);
    /* meta's tag is the new key's from now on. */
    keys->now = *next;
    return 0;
}

/* The second line is on disk before anything is wrapped with it. One that is there already was
 * written by somebody who was killed behind that, and has wrapped nothing. */
static jb_status
begin(struct jb_personal *p, const struct sealed_meta *m, struct jb_error *err)
{
    struct jb_sealed *s = p->sealed;
    struct jb_key_file file;
    struct jb_seal_keys next;
    jb_status status = jb_key_file_read(s->key_path, s->dir, p->ledger_id, &file, err);
    if (status == JB_OK && file.keys[file.n - 1].epoch == m->epoch) {
        file.keys[0] = file.keys[file.n - 1];
        file.n = 2;
        jb_key_make(m->epoch + 1, &file.keys[1]);
        status = jb_key_file_replace(s->key_path, p->ledger_id, &file, err);
    }
    if (status == JB_OK) {
        jb_seal_derive(&file.keys[file.n - 1], p->ledger_id, &next);
        struct change c = {.work = take_next, .data = &next};
        status = change(p, 0, &c, err);
        jb_seal_wipe(&next, sizeof next);
    }
    jb_key_file_wipe(&file);
    return status;
}

/* ---- the living ---- */

struct row {
    uint8_t owner[OWNER_BYTES];
    uint8_t key_id[KEY_ID_BYTES];
    uint8_t key[JB_KEY_BYTES];
};

struct step {
    const struct jb_rotation *r;
    size_t limit;
    JB_VEC(struct row) rows;
    bool behind;
    jb_status status;
    struct jb_error err;
};

/* The next owners that the old key has wrapped, and the place behind them. */
static int
take_rows(struct jb_personal *p, MDB_txn *txn, const struct sealed_meta *m,
          const struct key_pair *keys, struct step *s, uint8_t ret_at[OWNER_BYTES])
{
    MDB_cursor *cursor;
    MDB_val k = {OWNER_BYTES, (void *)(uintptr_t)m->at}, v;
    int code = mdb_cursor_open(txn, p->sealed->owners, &cursor);
    if (code != 0) {
        return code;
    }
    size_t seen = 0;
    s->rows.n = 0;
    code = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
    for (; code == 0 && seen < s->limit; code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT), seen++) {
        struct row *r = &s->rows.at[s->rows.n];
        bool ours = k.mv_size == OWNER_BYTES && v.mv_size == WRAPPED_BYTES &&
                    jb_get_be((uint8_t *)v.mv_data + KEY_ID_BYTES, 8) != m->epoch;
        if (ours && jb_sealed_unwrap(p, keys, k.mv_data, &v, r->key)) {
            memcpy(r->owner, k.mv_data, OWNER_BYTES);
            memcpy(r->key_id, v.mv_data, KEY_ID_BYTES);
            s->rows.n++;
        }
    }
    s->behind = code == MDB_NOTFOUND;
    if (code == 0) {
        memcpy(ret_at, k.mv_data, k.mv_size == OWNER_BYTES ? OWNER_BYTES : 0);
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

/* A wallet that is deleted goes with its last master. */
static int
follows(struct jb_personal *p, MDB_txn *txn, struct step *s, const uint8_t owner[OWNER_BYTES],
        bool *ret)
{
    const struct jb_owner o = jb_sealed_get_owner(owner);
    struct jb_owner master = {JB_OWNER_PERSON, 0};
    *ret = false;
    if (o.kind != JB_OWNER_WALLET || s->r->last_master == NULL) {
        return 0;
    }
    s->status = s->r->last_master(s->r->data, (uint32_t)o.number, &master.number, &s->err);
    if (s->status != JB_OK || master.number == 0) {
        return s->status == JB_OK ? 0 : MDB_BAD_TXN;
    }
    uint8_t key[OWNER_BYTES];
    jb_sealed_put_owner(&master, key);
    MDB_val k = {sizeof key, key}, v;
    int code = mdb_get(txn, p->sealed->owners, &k, &v);
    if (code == 0 && v.mv_size == GRAVE_BYTES) {
        s->status = s->r->is_deleted(s->r->data, (uint32_t)o.number, ret, &s->err);
        code = s->status == JB_OK ? 0 : MDB_BAD_TXN;
    }
    return code == MDB_NOTFOUND ? 0 : code;
}

/* A person's id is found by the new key from now on. */
static int
index_again(struct jb_personal *p, MDB_txn *txn, const struct key_pair *keys,
            const uint8_t owner[OWNER_BYTES])
{
    char buf[JB_PERSON_TEXT_BYTES_MAX];
    size_t n;
    enum jb_text_state state;
    uint8_t key[INDEX_BYTES], ref[8];
    const struct jb_owner o = jb_sealed_get_owner(owner);
    if (o.kind != JB_OWNER_PERSON) {
        return 0;
    }
    int code = jb_sealed_open_text(p, txn, keys, o.number, buf, &n, &state);
    if (code != 0 || state != JB_TEXT_THERE) {
        return code;
    }
    jb_sealed_index_key(&keys->now, (struct jb_text){buf, n}, key);
    jb_put_be(ref, 8, o.number);
    MDB_val k = {sizeof key, key}, v = {sizeof ref, ref};
    jb_seal_wipe(buf, n);
    return mdb_put(txn, p->sealed->index, &k, &v, 0);
}

static int
wrap_again(struct jb_personal *p, MDB_txn *txn, const struct key_pair *keys, struct step *s,
           const struct row *r)
{
    uint8_t row[WRAPPED_BYTES];
    bool dies;
    int code = follows(p, txn, s, r->owner, &dies);
    if (code != 0 || dies) {
        return code != 0 ? code : bury(p, txn, r->owner);
    }
    jb_sealed_wrap(p, &keys->now, r->owner, r->key_id, r->key, row);
    MDB_val k = {OWNER_BYTES, (void *)(uintptr_t)r->owner}, v = {sizeof row, row};
    code = mdb_put(txn, p->sealed->owners, &k, &v, 0);
    return code == 0 ? index_again(p, txn, keys, r->owner) : code;
}

static int
wrap_some(struct jb_personal *p, MDB_txn *txn, struct sealed_meta *m, struct key_pair *keys,
          void *data)
{
    struct step *s = data;
    uint8_t next[OWNER_BYTES];
    memcpy(next, behind_all, sizeof next);
    if (m->old_epoch == 0 || memcmp(m->at, behind_all, OWNER_BYTES) == 0) {
        s->behind = true;
        return 0;
    }
    if (keys->old.epoch == 0) {
        s->status = jb_fail(&s->err, JB_E_KEY,
                            "the key file has lost key %llu before all owners were wrapped anew: "
                            "put the newest key file back",
                            (unsigned long long)m->old_epoch);
        return MDB_BAD_TXN;
    }
    int code = take_rows(p, txn, m, keys, s, next);
    for (size_t i = 0; i < s->rows.n && code == 0; i++) {
        code = wrap_again(p, txn, keys, s, &s->rows.at[i]);
    }
    memcpy(m->at, next, OWNER_BYTES);
    return code;
}

/* The old key's part of the index, a step of it. */
static int
clear_index(struct jb_personal *p, MDB_txn *txn, struct sealed_meta *m, struct key_pair *keys,
            void *data)
{
    struct step *s = data;
    MDB_cursor *cursor;
    MDB_val k, v;
    (void)keys;
    int code = mdb_cursor_open(txn, p->sealed->index, &cursor);
    if (code != 0) {
        return code;
    }
    size_t gone = 0;
    code = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    while (code == 0 && gone < s->limit * 8 &&
           (k.mv_size != INDEX_BYTES || jb_get_be(k.mv_data, 8) != m->epoch)) {
        code = mdb_cursor_del(cursor, 0);
        code = code == 0 ? mdb_cursor_get(cursor, &k, &v, MDB_FIRST) : code;
        gone++;
    }
    s->behind = code == MDB_NOTFOUND || (code == 0 && gone < s->limit * 8);
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

static int
end_in(struct jb_personal *p, MDB_txn *txn, struct sealed_meta *m, struct key_pair *keys,
       void *data)
{
    (void)p;
    (void)txn;
    (void)keys;
    (void)data;
    m->old_epoch = 0;
    memset(m->old_check, 0, sizeof m->old_check);
    memset(m->at, 0, sizeof m->at);
    m->done = m->target > m->done ? m->target : m->done;
    m->target = 0;
    return 0;
}

/* The old line away, and only then `done`. */
static jb_status
end(struct jb_personal *p, struct jb_error *err)
{
    struct jb_sealed *s = p->sealed;
    struct jb_key_file file;
    jb_status status = jb_key_file_read(s->key_path, s->dir, p->ledger_id, &file, err);
    if (status == JB_OK && file.n == 2) {
        file.keys[0] = file.keys[1];
        file.n = 1;
        status = jb_key_file_replace(s->key_path, p->ledger_id, &file, err);
    }
    jb_key_file_wipe(&file);
    struct change c = {.work = end_in};
    return status == JB_OK ? change(p, 0, &c, err) : status;
}

static jb_status
wrap_step(struct jb_personal *p, const struct jb_rotation *r, bool *ret_done, struct jb_error *err)
{
    struct step s = {.r = r, .limit = r->owners > 0 ? r->owners : OWNERS_IN_A_STEP};
    if (!jb_vec_reserve(&s.rows, s.limit)) {
        return jb_fail(err, JB_E_NOMEM, "no memory to wrap the owners of people.mdb anew");
    }
    struct change wrap = {.work = wrap_some, .data = &s}, clear = {.work = clear_index, .data = &s};
    jb_status status = change(p, s.limit * OWNER_BESIDE_BYTES, &wrap, err);
    status = s.status != JB_OK ? jb_fail(err, s.status, "%s", s.err.text) : status;
    if (status == JB_OK && s.behind) {
        s.behind = false;
        status = change(p, 0, &clear, err);
        if (status == JB_OK && s.behind) {
            status = end(p, err);
            *ret_done = status == JB_OK;
        }
    }
    jb_seal_wipe(s.rows.at, s.limit * sizeof *s.rows.at);
    jb_vec_free(&s.rows);
    return status;
}

jb_status
jb_personal_rotate(struct jb_personal *p, const struct jb_rotation *r, bool *ret_done,
                   struct jb_error *err)
{
    struct sealed_meta m;
    struct key_pair keys;
    *ret_done = false;
    jb_status status = jb_personal_may_rotate(p, err);
    status = status == JB_OK ? jb_sealed_look(p, &m, &keys, err) : status;
    jb_seal_wipe(&keys, sizeof keys);
    if (status == JB_OK && m.old_epoch == 0) {
        status = begin(p, &m, err);
    }
    return status == JB_OK ? wrap_step(p, r, ret_done, err) : status;
}

static int
accept_in(struct jb_personal *p, MDB_txn *txn, struct sealed_meta *m, struct key_pair *keys,
          void *data)
{
    const uint64_t *last_ref = data;
    (void)p;
    (void)txn;
    (void)keys;
    m->highest = *last_ref > m->highest ? *last_ref : m->highest;
    return 0;
}

jb_status
jb_personal_accept(struct jb_personal *p, uint64_t last_ref, struct jb_error *err)
{
    struct change c = {.work = accept_in, .data = &last_ref};
    return p->sealed == NULL ? JB_OK : change(p, 0, &c, err);
}

/* ---- counting ---- */

jb_status
jb_personal_count(struct jb_personal *p, struct jb_people_count *ret, struct jb_error *err)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val k, v;
    struct sealed_meta m;
    struct key_pair keys = {0};
    struct jb_error why;
    uint8_t key[JB_KEY_BYTES];
    *ret = (struct jb_people_count){0};
    if (p->sealed == NULL) {
        return jb_fail(err, JB_E_NOTFOUND, "people.mdb is of layout 1: nothing in it is sealed");
    }
    jb_status status = jb_env_begin(p->env, MDB_RDONLY, &txn, err);
    if (status != JB_OK) {
        return status;
    }
    int code = jb_sealed_meta(p->sealed, txn, &m);
    ret->sealed = code != 0 || jb_sealed_keys(p, &m, &keys, &why) != JB_OK;
    code = code == 0 ? mdb_cursor_open(txn, p->sealed->owners, &cursor) : code;
    for (bool open = code == 0; code == 0;) {
        code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
        if (code == 0 && k.mv_size == OWNER_BYTES &&
            jb_sealed_get_owner(k.mv_data).kind != JB_OWNER_LEDGER) {
            bool grave = v.mv_size == GRAVE_BYTES;
            bool lost = !grave && !ret->sealed && !jb_sealed_unwrap(p, &keys, k.mv_data, &v, key);
            ret->forgotten += grave;
            ret->lost += lost;
            ret->owners += !grave && !lost;
        }
        if (code != 0 && open) {
            mdb_cursor_close(cursor);
        }
    }
    jb_env_abort(p->env, txn);
    jb_seal_wipe(&keys, sizeof keys);
    jb_seal_wipe(key, sizeof key);
    return code == MDB_NOTFOUND ? JB_OK : jb_personal_fail(p, code, "reading", err);
}

/* Calls damaged for what is lost; NULL: only counts. */
static jb_status
each_text(struct jb_personal *p, void (*damaged)(void *data, uint64_t ref), void *data,
          struct jb_people_texts *ret, struct jb_error *err)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val k, v;
    struct sealed_meta m;
    struct key_pair keys = {0};
    char buf[JB_PERSON_TEXT_BYTES_MAX];
    *ret = (struct jb_people_texts){0};
    jb_status status = jb_env_begin(p->env, MDB_RDONLY, &txn, err);
    if (status != JB_OK) {
        return status;
    }
    int code = jb_sealed_meta(p->sealed, txn, &m);
    status = code == 0 ? jb_sealed_keys(p, &m, &keys, err) : JB_OK;
    code = code == 0 && status == JB_OK ? mdb_cursor_open(txn, p->sealed->texts, &cursor) : code;
    bool open = code == 0 && status == JB_OK;
    while (open && (code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
        enum jb_text_state state;
        size_t n;
        uint64_t ref = k.mv_size == 8 ? jb_get_be(k.mv_data, 8) : 0;
        code = jb_sealed_open_text(p, txn, &keys, ref, buf, &n, &state);
        if (code != 0) {
            break;
        }
        ret->readable += state == JB_TEXT_THERE;
        ret->forgotten += state == JB_TEXT_FORGOTTEN;
        ret->lost += state == JB_TEXT_LOST;
        if (state == JB_TEXT_LOST && damaged != NULL) {
            damaged(data, ref);
        }
    }
    if (open) {
        mdb_cursor_close(cursor);
    }
    jb_env_abort(p->env, txn);
    jb_seal_wipe(&keys, sizeof keys);
    jb_seal_wipe(buf, sizeof buf);
    return code == 0 || code == MDB_NOTFOUND ? status : jb_personal_fail(p, code, "reading", err);
}

jb_status
jb_personal_texts(struct jb_personal *p, struct jb_people_texts *ret, struct jb_error *err)
{
    return p->sealed != NULL
               ? each_text(p, NULL, NULL, ret, err)
               : jb_fail(err, JB_E_NOTFOUND, "people.mdb is of layout 1: nothing in it is sealed");
}

jb_status
jb_sealed_check(struct jb_personal *p, void (*damaged)(void *data, uint64_t ref), void *data,
                struct jb_people_texts *ret, struct jb_error *err)
{
    struct jb_error why;
    jb_status status = each_text(p, damaged, data, ret, &why);
    return status == JB_E_KEY ? jb_fail(err, JB_E_NOTFOUND, "they are sealed (%s)", why.text)
           : status == JB_OK  ? JB_OK
                              : jb_fail(err, status, "%s", why.text);
}
