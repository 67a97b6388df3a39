/* The log as a file: opening it, and where it ends. */
#include "log/log_file.h"

#include <stdio.h>
#include <sys/stat.h>

/* Reserved address space, not memory. It grows when it has to. */
#define MAP_BYTES_DEFAULT (UINT64_C(256) << 30)

jb_status
jb_log_open(const char *dir, bool read_only, bool create, uint64_t map_bytes, struct jb_log **ret,
            struct jb_error *err)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/log.mdb", dir) >= (int)sizeof path) {
        return jb_fail(err, JB_E_USAGE, "the path of the ledger is too long: %.100s...", dir);
    }
    struct jb_log *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory to open %s", path);
    }
    struct jb_env_options o = {.read_only = read_only,
                               .create = create,
                               .map_bytes = map_bytes != 0 ? map_bytes : MAP_BYTES_DEFAULT,
                               .reopens = true};
    jb_status status = jb_env_open(path, &o, &l->env, err);
    if (status != JB_OK) {
        free(l);
        return status;
    }
    MDB_txn *txn;
    status = jb_env_begin(l->env, MDB_RDONLY, &txn, err);
    if (status == JB_OK) {
        int code = mdb_dbi_open(txn, NULL, 0, &l->dbi); /* the unnamed database always exists */
        jb_env_abort(l->env, txn);
        if (code != 0) {
            status = jb_env_fail(err, code, l->env, "opening");
        }
    }
    if (status != JB_OK) {
        jb_env_close(l->env);
        free(l);
        return status;
    }
    *ret = l;
    return JB_OK;
}

struct jb_log *
jb_log_close(struct jb_log *l)
{
    if (l != NULL) {
        jb_env_close(l->env);
        free(l);
    }
    return NULL;
}

struct jb_env *
jb_log_env(struct jb_log *l)
{
    return l->env;
}

jb_status
jb_log_catch_up(struct jb_log *l, struct jb_error *err)
{
    return jb_env_refresh(l->env, err);
}

bool
jb_log_forked(struct jb_log *l)
{
    return jb_env_forked(l->env);
}

uint64_t
jb_log_last_page(struct jb_log *l)
{
    MDB_envinfo info = {0};
    if (jb_env_lmdb(l->env) != NULL) {
        mdb_env_info(jb_env_lmdb(l->env), &info);
    }
    return info.me_last_pgno;
}

jb_status
jb_log_size(struct jb_log *l, uint64_t *ret_tree_bytes, uint64_t *ret_file_bytes,
            struct jb_error *err)
{
    MDB_txn *txn;
    jb_status status = jb_env_begin(l->env, MDB_RDONLY, &txn, err);
    if (status != JB_OK) {
        return status;
    }
    MDB_stat st;
    int code = mdb_stat(txn, l->dbi, &st);
    jb_env_abort(l->env, txn);
    if (code != 0) {
        return jb_env_fail(err, code, l->env, "reading");
    }
    *ret_tree_bytes =
        (uint64_t)st.ms_psize * (st.ms_branch_pages + st.ms_leaf_pages + st.ms_overflow_pages);
    struct stat file;
    *ret_file_bytes = stat(jb_env_place(l->env), &file) == 0 ? (uint64_t)file.st_size : 0;
    return JB_OK;
}

static jb_status
frame_failed(struct jb_error *err, jb_seq key, const struct jb_frame_failure *failure)
{
    jb_status status =
        failure->newer
            ? jb_fail(err, JB_E_FORMAT,
                      "the log was written by a newer version of jangbu (frame %llu: %s). Use that "
                      "version",
                      (unsigned long long)key, jb_tr(failure->why))
            : jb_fail(err, JB_E_CORRUPT,
                      "frame %llu of the log is damaged at byte %zu: %s. Run `jangbu audit`",
                      (unsigned long long)key, failure->at, jb_tr(failure->why));
    if (err != NULL) {
        err->frame = err->at = key;
        err->offset = failure->at;
    }
    return status;
}

jb_status
jb_log_parse_frame(const MDB_val *key, const MDB_val *value, struct jb_frame *ret,
                   struct jb_error *err)
{
    struct jb_frame_failure failure = {0, "the key of a frame is not 8 bytes", false};
    jb_seq first = key->mv_size == 8 ? jb_get_be(key->mv_data, 8) : 0;
    if (key->mv_size != 8 ||
        !jb_frame_parse(first, value->mv_data, value->mv_size, ret, &failure)) {
        return frame_failed(err, first, &failure);
    }
    return JB_OK;
}

jb_status
jb_log_read_head(MDB_cursor *cursor, struct jb_env *env, MDB_txn *txn, MDB_dbi dbi,
                 struct jb_log_head *ret, MDB_val *ret_last, struct jb_error *err)
{
    MDB_val key, value;
    int code = mdb_cursor_get(cursor, &key, &value, MDB_LAST);
    *ret = (struct jb_log_head){0};
    *ret_last = (MDB_val){0};
    if (code == MDB_NOTFOUND) {
        return JB_OK;
    }
    if (code != 0) {
        return jb_env_fail(err, code, env, "reading");
    }
    struct jb_frame frame;
    jb_status status = jb_log_parse_frame(&key, &value, &frame, err);
    if (status != JB_OK) {
        return status;
    }
    MDB_stat st;
    mdb_stat(txn, dbi, &st);
    ret->seq = frame.first + frame.count - 1;
    ret->frames = st.ms_entries;
    memcpy(ret->chain, frame.chain, JB_CHAIN_BYTES);
    *ret_last = value;
    return JB_OK;
}

jb_status
jb_log_end(struct jb_log *l, struct jb_log_head *ret, struct jb_error *err)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    jb_status status = jb_env_begin(l->env, MDB_RDONLY, &txn, err);
    if (status != JB_OK) {
        return status;
    }
    int code = mdb_cursor_open(txn, l->dbi, &cursor);
    if (code == 0) {
        MDB_val last;
        status = jb_log_read_head(cursor, l->env, txn, l->dbi, ret, &last, err);
        mdb_cursor_close(cursor);
    }
    jb_env_abort(l->env, txn);
    return code == 0 ? status : jb_env_fail(err, code, l->env, "reading");
}
