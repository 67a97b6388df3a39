#include "log/log.h"

#include "base/error.h"
#include "log/env.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

/* Reserved address space, not memory. It grows when it has to. */
#define MAP_BYTES_DEFAULT (UINT64_C(256) << 30)
/* The largest value that LMDB 0.9 keeps inside a leaf page of 4 KiB (measured: 2,024 bytes take a page of their own). */
#define INLINE_VALUE_MAX 2022
/* What a value costs beside its bytes: node header 8, key 8, pointer 2. */
#define NODE_OVERHEAD 18
/* Commits up to this size are cut into inline frames (they then fill their pages); larger ones are one frame on pages of their own. */
#define CUT_BYTES_MAX (32 << 10)
/* A frame in what is left of a page is worth its header only from here on. */
#define CUT_EVENTS_BYTES_MIN 96

struct jb_log {
    struct jb_env *env;
    MDB_dbi dbi;
};

struct jb_log_reader {
    struct jb_log *log;
    MDB_txn *txn;
    MDB_cursor *cursor;
    bool live; /* the snapshot is held */
    int32_t utc_offset_s;
    /* The place: the next event to return, and where its bytes begin. */
    jb_seq next;
    bool frame_loaded;
    bool chain_known;
    uint8_t chain[JB_CHAIN_BYTES]; /* of the frame before `frame`, later of `frame` */
    struct jb_frame frame;
    size_t at;
    size_t last_at, last_n;
    struct jb_event event;
    struct jb_event_space space;
};

jb_status
jb_log_open(const char *dir, bool read_only, bool create, uint64_t map_bytes, struct jb_log **ret, struct jb_error *err)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/log.mdb", dir) >= (int)sizeof path) {
        return jb_fail(err, JB_E_USAGE, "the path of the ledger is too long: %.100s...", dir);
    }
    struct jb_log *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory to open %s", path);
    }
    struct jb_env_options o = {.read_only = read_only, .create = create, .map_bytes = map_bytes != 0 ? map_bytes : MAP_BYTES_DEFAULT};
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
jb_log_size(struct jb_log *l, uint64_t *ret_tree_bytes, uint64_t *ret_file_bytes, struct jb_error *err)
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
    *ret_tree_bytes = (uint64_t)st.ms_psize * (st.ms_branch_pages + st.ms_leaf_pages + st.ms_overflow_pages);
    struct stat file;
    *ret_file_bytes = stat(jb_env_path(l->env), &file) == 0 ? (uint64_t)file.st_size : 0;
    return JB_OK;
}

static jb_status
frame_failed(struct jb_error *err, jb_seq key, const struct jb_frame_failure *failure)
{
    jb_status status = failure->newer
                           ? jb_fail(err, JB_E_FORMAT, "the log was written by a newer version of jangbu (frame %llu: %s). Use that version",
                                     (unsigned long long)key, failure->why)
                           : jb_fail(err, JB_E_CORRUPT, "frame %llu of the log is damaged at byte %zu: %s. Run `jangbu audit`",
                                     (unsigned long long)key, failure->at, failure->why);
    if (err != NULL) {
        err->frame = err->at = key;
        err->offset = failure->at;
    }
    return status;
}

static jb_status
parse_frame(const MDB_val *key, const MDB_val *value, struct jb_frame *ret, struct jb_error *err)
{
    struct jb_frame_failure failure = {0, "the key of a frame is not 8 bytes", false};
    jb_seq first = key->mv_size == 8 ? jb_get_be(key->mv_data, 8) : 0;
    if (key->mv_size != 8 || !jb_frame_parse(first, value->mv_data, value->mv_size, ret, &failure)) {
        return frame_failed(err, first, &failure);
    }
    return JB_OK;
}

/* ---- readers ---------------------------------------------------------------------------------------------------------------- */

jb_status
jb_log_reader_open(struct jb_log *l, struct jb_log_reader **ret, struct jb_error *err)
{
    struct jb_log_reader *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory to read the log");
    }
    r->log = l;
    jb_status status = jb_env_begin(l->env, MDB_RDONLY, &r->txn, err);
    if (status != JB_OK) {
        free(r);
        return status;
    }
    int code = mdb_cursor_open(r->txn, l->dbi, &r->cursor);
    if (code != 0) {
        status = jb_env_fail(err, code, l->env, "reading");
        jb_env_abort(l->env, r->txn);
        free(r);
        return status;
    }
    r->live = true;
    *ret = r;
    return JB_OK;
}

void
jb_log_reader_offset(struct jb_log_reader *r, int32_t utc_offset_s)
{
    r->utc_offset_s = utc_offset_s;
}

struct jb_log_reader *
jb_log_reader_close(struct jb_log_reader *r)
{
    if (r != NULL) {
        mdb_cursor_close(r->cursor);
        if (r->live) {
            jb_env_abort(r->log->env, r->txn);
        } else {
            jb_env_drop(r->log->env, r->txn);
        }
        jb_event_space_free(&r->space);
        free(r);
    }
    return NULL;
}

void
jb_log_reader_reset(struct jb_log_reader *r)
{
    if (r->live) {
        jb_env_reset(r->log->env, r->txn);
        r->live = false;
        r->frame_loaded = false;
    }
}

static jb_status
read_head(MDB_cursor *cursor, struct jb_env *env, MDB_txn *txn, MDB_dbi dbi, struct jb_log_head *ret, MDB_val *ret_last, struct jb_error *err)
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
    jb_status status = parse_frame(&key, &value, &frame, err);
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
jb_log_reader_renew(struct jb_log_reader *r, struct jb_log_head *ret, struct jb_error *err)
{
    if (r->live) {
        jb_log_reader_reset(r);
    }
    jb_status status = jb_env_renew(r->log->env, r->txn, err);
    if (status != JB_OK) {
        return status;
    }
    r->live = true;
    r->frame_loaded = false;
    int code = mdb_cursor_renew(r->txn, r->cursor);
    if (code != 0) {
        return jb_env_fail(err, code, r->log->env, "reading");
    }
    if (ret == NULL) {
        return JB_OK;
    }
    MDB_val last;
    return read_head(r->cursor, r->log->env, r->txn, r->log->dbi, ret, &last, err);
}

/* Loads the frame that holds seq. JB_END where the snapshot ends before it. */
static jb_status
load_frame(struct jb_log_reader *r, jb_seq seq, struct jb_error *err)
{
    if (r->frame_loaded && seq >= r->frame.first && seq - r->frame.first < r->frame.count) {
        return JB_OK;
    }
    uint8_t bytes[8];
    jb_put_be(bytes, 8, seq);
    MDB_val key = {sizeof bytes, bytes}, value;
    int code = mdb_cursor_get(r->cursor, &key, &value, MDB_SET_RANGE);
    if (code == MDB_NOTFOUND) {
        code = mdb_cursor_get(r->cursor, &key, &value, MDB_LAST);
    } else if (code == 0 && (key.mv_size != 8 || jb_get_be(key.mv_data, 8) != seq)) {
        code = mdb_cursor_get(r->cursor, &key, &value, MDB_PREV);
    }
    if (code == MDB_NOTFOUND) {
        return JB_END;
    }
    if (code != 0) {
        return jb_env_fail(err, code, r->log->env, "reading");
    }
    r->frame_loaded = false;
    jb_status status = parse_frame(&key, &value, &r->frame, err);
    if (status != JB_OK) {
        return status;
    }
    if (seq < r->frame.first || seq - r->frame.first >= r->frame.count) {
        return JB_END;
    }
    r->frame_loaded = true;
    return JB_OK;
}

static jb_status
check_chain(struct jb_log_reader *r, struct jb_error *err)
{
    if (!r->chain_known) {
        return JB_OK;
    }
    if (!jb_frame_chained(&r->frame, r->chain)) {
        jb_status status =
            jb_fail(err, JB_E_CORRUPT,
                    "the chain of the log breaks at frame %llu: its bytes, or the frame before, are not what was written. Run `jangbu audit`",
                    (unsigned long long)r->frame.first);
        if (err != NULL) {
            err->frame = err->at = r->frame.first;
        }
        return status;
    }
    memcpy(r->chain, r->frame.chain, JB_CHAIN_BYTES);
    return JB_OK;
}

void
jb_log_reader_seek(struct jb_log_reader *r, jb_seq seq, const uint8_t *chain)
{
    r->next = seq;
    r->chain_known = chain != NULL;
    if (chain != NULL) {
        memcpy(r->chain, chain, JB_CHAIN_BYTES);
    }
    r->frame_loaded = false;
}

static jb_status
decode_at(struct jb_log_reader *r, jb_seq seq, size_t at, const struct jb_event **ret, struct jb_error *err)
{
    struct jb_event_context context = {r->frame.base, r->utc_offset_s};
    struct jb_decode_failure failure;
    size_t n = jb_event_decode(r->frame.events + at, r->frame.bytes - at, seq, &context, &r->event, &r->space, &failure);
    if (n == 0) {
        if (failure.no_memory) {
            return jb_fail(err, JB_E_NOMEM, "no memory to read event %llu", (unsigned long long)seq);
        }
        jb_status status = failure.newer
                               ? jb_fail(err, JB_E_FORMAT, "event %llu was written by a newer version of jangbu: %s. Use that version",
                                         (unsigned long long)seq, failure.why)
                               : jb_fail(err, JB_E_CORRUPT, "event %llu is damaged (frame %llu, byte %zu): %s. Run `jangbu audit`",
                                         (unsigned long long)seq, (unsigned long long)r->frame.first, JB_FRAME_EVENTS + at + failure.at, failure.why);
        if (err != NULL) {
            err->at = seq;
            err->frame = r->frame.first;
            err->offset = JB_FRAME_EVENTS + at + failure.at;
        }
        return status;
    }
    r->last_at = at;
    r->last_n = n;
    *ret = &r->event;
    return JB_OK;
}

static jb_status
frame_cut_wrong(struct jb_log_reader *r, jb_seq seq, struct jb_error *err)
{
    jb_status status = jb_fail(err, JB_E_CORRUPT, "frame %llu does not hold event %llu where it should. Run `jangbu audit`",
                               (unsigned long long)r->frame.first, (unsigned long long)seq);
    if (err != NULL) {
        err->at = seq;
        err->frame = r->frame.first;
    }
    return status;
}

/* Makes the place stand on event r->next. */
static jb_status
settle(struct jb_log_reader *r, struct jb_error *err)
{
    bool same_frame = r->frame_loaded && r->next >= r->frame.first && r->next - r->frame.first < r->frame.count;
    if (same_frame) {
        return JB_OK;
    }
    jb_status status = load_frame(r, r->next, err);
    if (status != JB_OK) {
        return status;
    }
    /* In the middle of a frame (a snapshot taken anew): its chain was checked when it was begun. */
    if (r->frame.first == r->next) {
        r->at = 0;
        return check_chain(r, err);
    }
    r->at = jb_frame_offset(&r->frame, r->next);
    return r->at == SIZE_MAX ? frame_cut_wrong(r, r->next, err) : JB_OK;
}

jb_status
jb_log_reader_next(struct jb_log_reader *r, const struct jb_event **ret, struct jb_error *err)
{
    jb_status status = settle(r, err);
    if (status != JB_OK) {
        return status;
    }
    status = decode_at(r, r->next, r->at, ret, err);
    if (status != JB_OK) {
        return status;
    }
    r->at += r->last_n;
    bool last_of_frame = r->next - r->frame.first + 1 == r->frame.count;
    if (last_of_frame && r->at != r->frame.bytes) {
        return frame_cut_wrong(r, r->next, err);
    }
    r->next++;
    return JB_OK;
}

jb_status
jb_log_reader_at(struct jb_log_reader *r, jb_seq seq, const struct jb_event **ret, struct jb_error *err)
{
    jb_status status = seq == 0 ? JB_END : load_frame(r, seq, err);
    if (status == JB_END) {
        return jb_fail(err, JB_E_NOTFOUND, "there is no event %llu", (unsigned long long)seq);
    }
    if (status != JB_OK) {
        return status;
    }
    r->next = 0; /* the place is lost */
    size_t at = jb_frame_offset(&r->frame, seq);
    return at == SIZE_MAX ? frame_cut_wrong(r, seq, err) : decode_at(r, seq, at, ret, err);
}

jb_status
jb_log_reader_frame(struct jb_log_reader *r, jb_seq seq, struct jb_frame *ret, struct jb_error *err)
{
    jb_status status = seq == 0 ? JB_END : load_frame(r, seq, err);
    if (status == JB_END) {
        return jb_fail(err, JB_E_NOTFOUND, "there is no event %llu", (unsigned long long)seq);
    }
    if (status == JB_OK) {
        *ret = r->frame;
    }
    return status;
}

const struct jb_frame *
jb_log_reader_current(const struct jb_log_reader *r)
{
    return &r->frame;
}

struct jb_text
jb_log_reader_bytes(const struct jb_log_reader *r)
{
    return (struct jb_text){(const char *)r->frame.events + r->last_at, r->last_n};
}

jb_status
jb_log_reader_chain(struct jb_log_reader *r, jb_seq seq, uint8_t ret[JB_CHAIN_BYTES], struct jb_error *err)
{
    struct jb_frame frame = {0};
    jb_status status = jb_log_reader_frame(r, seq, &frame, err);
    if (status != JB_OK) {
        return status;
    }
    if (frame.first + frame.count - 1 != seq) {
        return jb_fail(err, JB_E_NOTFOUND, "no frame ends with event %llu", (unsigned long long)seq);
    }
    memcpy(ret, frame.chain, JB_CHAIN_BYTES);
    return JB_OK;
}

jb_status
jb_log_identity(struct jb_log *l, struct jb_log_identity *ret, struct jb_error *err)
{
    struct jb_log_reader *r;
    jb_status status = jb_log_reader_open(l, &r, err);
    if (status != JB_OK) {
        return status;
    }
    const struct jb_event *e = NULL;
    status = jb_log_reader_at(r, 1, &e, err);
    if (status == JB_E_NOTFOUND || (status == JB_OK && (e->type != JB_EV_LEDGER_CREATED || e->id.n != 3))) {
        status =
            jb_fail(err, JB_E_FORMAT, "%s does not begin as a ledger's log does. It is no ledger, or its making was cut short", jb_env_path(l->env));
    }
    if (status == JB_OK && e->code > JB_LOG_FORMAT) {
        status = jb_fail(err, JB_E_FORMAT, "%s has log format %u, which this version (format %d) does not know. Use a newer jangbu",
                         jb_env_path(l->env), e->code, JB_LOG_FORMAT);
    }
    if (status == JB_OK) {
        *ret = (struct jb_log_identity){.exponent = e->code2, .utc_offset_s = (int32_t)e->number};
        memcpy(ret->ledger_id, e->ledger_id, 16);
        memcpy(ret->currency, e->id.s, 3);
        jb_frame_root(e, ret->root);
        if (!jb_frame_chained(&r->frame, ret->root)) {
            status = jb_fail(err, JB_E_CORRUPT, "the first frame of %s is damaged: its chain value does not hold. Run `jangbu audit`",
                             jb_env_path(l->env));
        }
    }
    jb_log_reader_close(r);
    return status;
}

/* ---- appending -------------------------------------------------------------------------------------------------------------- */

void
jb_log_batch_free(struct jb_log_batch *b)
{
    free(b->bytes.at);
    jb_vec_free(&b->ends);
    *b = (struct jb_log_batch){0};
}

/* Free bytes of the leaf page that holds the last frame. LMDB's page header has the bounds of the gap at 12 and 14. It only chooses
 * where to cut: a wrong answer costs a few bytes of disk and nothing else. 0: not known. */
static size_t
free_in_leaf(const MDB_val *last, size_t page_bytes)
{
    if (last->mv_data == NULL || last->mv_size > INLINE_VALUE_MAX) {
        return 0;
    }
    const uint8_t *page = (const uint8_t *)((uintptr_t)last->mv_data & ~(uintptr_t)(page_bytes - 1));
    uint16_t lower, upper;
    memcpy(&lower, page + 12, 2);
    memcpy(&upper, page + 14, 2);
    return upper > lower && upper <= page_bytes ? (size_t)(upper - lower) : 0;
}

static int
put_frame(MDB_txn *txn, MDB_dbi dbi, const struct jb_log_batch *b, size_t from, size_t to, bool last, uint8_t chain[JB_CHAIN_BYTES])
{
    uint32_t start = from == 0 ? 0 : b->ends.at[from - 1];
    size_t bytes = b->ends.at[to - 1] - start;
    uint32_t count = (uint32_t)(to - from);
    uint8_t key_bytes[8];
    jb_put_be(key_bytes, 8, b->first + from);
    MDB_val key = {sizeof key_bytes, key_bytes}, value = {jb_frame_size(count, bytes), NULL};
    int code = mdb_put(txn, dbi, &key, &value, MDB_APPEND | MDB_NOOVERWRITE | MDB_RESERVE);
    if (code == 0) {
        jb_frame_write(value.mv_data, last ? JB_FRAME_LAST : 0, b->first + from, b->base, count, b->bytes.at + start, bytes, b->ends.at + from, start,
                       chain);
    }
    return code;
}

/* How many events from `from` on make a frame of at most `room` bytes of value. At most 64, so that no table is needed. */
static size_t
fit(const struct jb_log_batch *b, size_t from, size_t room)
{
    uint32_t start = from == 0 ? 0 : b->ends.at[from - 1];
    size_t to = from;
    while (to < b->ends.n && to - from < JB_FRAME_STRIDE && JB_FRAME_EVENTS + (size_t)(b->ends.at[to] - start) <= room) {
        to++;
    }
    return to - from;
}

static int
put_small(MDB_txn *txn, MDB_dbi dbi, const struct jb_log_batch *b, size_t leaf_free, size_t page_bytes, uint8_t chain[JB_CHAIN_BYTES])
{
    for (size_t from = 0; from < b->ends.n;) {
        size_t room = leaf_free > NODE_OVERHEAD ? leaf_free - NODE_OVERHEAD : 0;
        room = room < INLINE_VALUE_MAX ? room & ~(size_t)1 : INLINE_VALUE_MAX;
        size_t n = room >= JB_FRAME_EVENTS + CUT_EVENTS_BYTES_MIN ? fit(b, from, room) : 0;
        /* What is left of this page holds nothing useful: the frame opens the next page. A commit that fits there whole is not cut. */
        if (n == 0) {
            leaf_free = page_bytes - 16;
            n = fit(b, from, INLINE_VALUE_MAX);
        }
        int code = put_frame(txn, dbi, b, from, from + n, from + n == b->ends.n, chain);
        if (code != 0) {
            return code;
        }
        uint32_t start = from == 0 ? 0 : b->ends.at[from - 1];
        size_t value = JB_FRAME_EVENTS + (size_t)(b->ends.at[from + n - 1] - start);
        size_t taken = ((value + 1) & ~(size_t)1) + NODE_OVERHEAD;
        leaf_free = leaf_free > taken ? leaf_free - taken : 0;
        from += n;
    }
    return 0;
}

/* One frame as large as the format allows after the other. */
static int
put_large(MDB_txn *txn, MDB_dbi dbi, const struct jb_log_batch *b, uint8_t chain[JB_CHAIN_BYTES])
{
    for (size_t from = 0; from < b->ends.n;) {
        uint32_t start = from == 0 ? 0 : b->ends.at[from - 1];
        size_t to = from + 1;
        while (to < b->ends.n && jb_frame_size((uint32_t)(to + 1 - from), b->ends.at[to] - start) <= JB_FRAME_VALUE_MAX) {
            to++;
        }
        int code = put_frame(txn, dbi, b, from, to, to == b->ends.n, chain);
        if (code != 0) {
            return code;
        }
        from = to;
    }
    return 0;
}

static bool
is_small(const struct jb_log_batch *b)
{
    if (b->bytes.n > CUT_BYTES_MAX) {
        return false;
    }
    uint32_t start = 0;
    for (size_t i = 0; i < b->ends.n; i++) {
        if (b->ends.at[i] - start > INLINE_VALUE_MAX - JB_FRAME_EVENTS) {
            return false;
        }
        start = b->ends.at[i];
    }
    return true;
}

static jb_status
append_in(struct jb_log *l, MDB_txn *txn, const struct jb_log_batch *b, const struct jb_log_head *head, struct jb_log_head *after, int *ret_code,
          struct jb_error *err)
{
    MDB_cursor *cursor;
    *ret_code = mdb_cursor_open(txn, l->dbi, &cursor);
    if (*ret_code != 0) {
        return JB_OK;
    }
    struct jb_log_head there;
    MDB_val last;
    jb_status status = read_head(cursor, l->env, txn, l->dbi, &there, &last, err);
    MDB_stat st;
    mdb_stat(txn, l->dbi, &st);
    size_t leaf_free = free_in_leaf(&last, st.ms_psize);
    mdb_cursor_close(cursor);
    if (status != JB_OK) {
        return status;
    }
    if (there.seq != head->seq || (there.seq != 0 && memcmp(there.chain, head->chain, JB_CHAIN_BYTES) != 0) || b->first != there.seq + 1) {
        return jb_fail(err, JB_E_CORRUPT, "the log ends with event %llu where %llu was expected: it was changed without the writer lock",
                       (unsigned long long)there.seq, (unsigned long long)head->seq);
    }
    uint8_t chain[JB_CHAIN_BYTES];
    memcpy(chain, head->chain, JB_CHAIN_BYTES);
    *ret_code = is_small(b) ? put_small(txn, l->dbi, b, leaf_free, st.ms_psize, chain) : put_large(txn, l->dbi, b, chain);
    mdb_stat(txn, l->dbi, &st);
    *after = (struct jb_log_head){.seq = b->first + b->ends.n - 1, .frames = st.ms_entries};
    memcpy(after->chain, chain, JB_CHAIN_BYTES);
    return JB_OK;
}

jb_status
jb_log_append(struct jb_log *l, const struct jb_log_batch *b, struct jb_log_head *head, enum jb_log_result *ret_result, struct jb_error *err)
{
    *ret_result = JB_LOG_FAILED;
    for (;;) {
        MDB_txn *txn;
        jb_status status = jb_env_begin(l->env, 0, &txn, err);
        if (status != JB_OK) {
            return status;
        }
        struct jb_log_head after;
        int code = 0;
        status = append_in(l, txn, b, head, &after, &code, err);
        if (status != JB_OK || code != 0) {
            jb_env_abort(l->env, txn);
            if (code == MDB_MAP_FULL) {
                status = jb_env_grow(l->env, err);
                if (status == JB_OK) {
                    continue;
                }
            }
            return status != JB_OK ? status : jb_env_fail(err, code, l->env, "appending to");
        }
        code = jb_env_commit(l->env, txn);
        if (code == 0) {
            *head = after;
            *ret_result = JB_LOG_COMMITTED;
            return JB_OK;
        }
        if (jb_env_sound(l->env)) {
            /* The fault came before LMDB's meta page: the old state is intact and nothing was committed. */
            return jb_env_fail(err, code == EIO && jb_env_full(l->env) ? ENOSPC : code, l->env, "appending to");
        }
        *ret_result = JB_LOG_UNKNOWN;
        return jb_fail_errno(
            err, JB_E_UNKNOWN, code > 0 ? code : 0,
            "a fault while committing to %s: it is not known whether the commands were recorded. Open the ledger again and ask with the "
            "same keys",
            jb_env_path(l->env));
    }
}
