/* Reading the log: a snapshot that can be taken anew, and a place in it. Every frame is checked
 * when it is loaded. */
#include <assert.h>

#include "event/codec.h"
#include "log/log_file.h"

struct jb_log_reader {
    struct jb_log *log;
    MDB_txn *txn; /* while the snapshot is held, else NULL */
    MDB_cursor *cursor;
    int32_t utc_offset_s;
    /* The place: the next event to return, and where its bytes begin. */
    jb_seq next;
    bool frame_loaded;
    bool chain_known;
    uint8_t chain[JB_CHAIN_BYTES]; /* of the frame before `frame`, later of `frame` */
    struct jb_frame frame;
    size_t at;
    size_t last_at, last_n;
    /* Where the events of one piece of the frame begin, as far as was gone over them: a chain goes
     * back, and meets them next. */
    jb_seq piece;     /* the number of its first event */
    uint32_t piece_n; /* 0: nothing is known */
    uint32_t piece_at[JB_FRAME_STRIDE];
    struct jb_event event;
    struct jb_event_space space;
};

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
        jb_log_reader_reset(r);
        jb_event_space_free(&r->space);
        free(r);
    }
    return NULL;
}

void
jb_log_reader_reset(struct jb_log_reader *r)
{
    if (r->txn != NULL) {
        jb_env_abort(r->log->env, r->txn);
        r->txn = NULL;
        r->frame_loaded = false;
    }
}

jb_status
jb_log_reader_renew(struct jb_log_reader *r, struct jb_log_head *ret, struct jb_error *err)
{
    jb_log_reader_reset(r);
    jb_status status = jb_env_begin(r->log->env, MDB_RDONLY, &r->txn, err);
    if (status != JB_OK) {
        r->txn = NULL;
        return status;
    }
    int code = mdb_cursor_renew(r->txn, r->cursor);
    if (code != 0) {
        return jb_env_fail(err, code, r->log->env, "reading");
    }
    if (ret == NULL) {
        return JB_OK;
    }
    MDB_val last;
    return jb_log_read_head(r->cursor, r->log->env, r->txn, r->log->dbi, ret, &last, err);
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
    r->piece_n = 0;
    jb_status status = jb_log_parse_frame(&key, &value, &r->frame, err);
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
chain_breaks(const struct jb_log_reader *r, struct jb_error *err)
{
    jb_status status = jb_fail(err, JB_E_CORRUPT,
                               "the chain of the log breaks at frame %llu: its bytes, or the "
                               "frame before, are not what was written. Run `jangbu audit`",
                               (unsigned long long)r->frame.first);
    if (err != NULL) {
        err->frame = err->at = r->frame.first;
        err->offset = JB_FRAME_CHAIN;
    }
    return status;
}

static _Atomic uint64_t *
remembered(const struct jb_log_reader *r, uint64_t *ret_mark)
{
    uint64_t mixed = r->frame.first * UINT64_C(0x9e3779b97f4a7c15);
    *ret_mark = mixed ^ jb_get_be(r->frame.chain, 8);
    return &r->log->checked[mixed >> 52];
}
static_assert(JB_CHECKED_FRAMES == 1 << 12, "the upper 12 bits of a product choose the place");

/* The chain value that the first frame follows from, by what its event says: a change of either is
 * a break. */
static bool
root_of(const struct jb_log_reader *r, uint8_t ret[JB_CHAIN_BYTES])
{
    struct jb_event_context context = {r->frame.base, 0};
    struct jb_event_space space = {0};
    struct jb_decode_failure failure;
    struct jb_event e;
    bool ok =
        jb_event_decode(r->frame.events, r->frame.bytes, 1, &context, &e, &space, &failure) != 0 &&
        e.type == JB_EV_LEDGER_CREATED;
    if (ok) {
        jb_frame_root(&e, ret);
    }
    jb_event_space_free(&space);
    return ok;
}

/* The chain value of the frame before the loaded one. */
static jb_status
chain_before(struct jb_log_reader *r, uint8_t ret[JB_CHAIN_BYTES], struct jb_error *err)
{
    if (r->frame.first == 1) {
        return root_of(r, ret) ? JB_OK : chain_breaks(r, err);
    }
    uint8_t bytes[8];
    jb_put_be(bytes, 8, r->frame.first);
    MDB_val key = {sizeof bytes, bytes}, value;
    int code = mdb_cursor_get(r->cursor, &key, &value, MDB_SET);
    code = code == 0 ? mdb_cursor_get(r->cursor, &key, &value, MDB_PREV) : code;
    if (code == MDB_NOTFOUND) {
        return chain_breaks(r, err);
    }
    if (code != 0) {
        return jb_env_fail(err, code, r->log->env, "reading");
    }
    struct jb_frame before;
    jb_status status = jb_log_parse_frame(&key, &value, &before, err);
    if (status == JB_OK && before.first + before.count != r->frame.first) {
        return chain_breaks(r, err);
    }
    if (status == JB_OK) {
        memcpy(ret, before.chain, JB_CHAIN_BYTES);
    }
    return status;
}

/* The loaded frame against the chain value before it: nothing is read from a frame that this
 * process has not seen to hold. prev (may be NULL): that value, where it is known. */
static jb_status
check_frame(struct jb_log_reader *r, const uint8_t *prev, struct jb_error *err)
{
    uint64_t mark;
    _Atomic uint64_t *place = remembered(r, &mark);
    if (prev == NULL && *place == mark) {
        return JB_OK;
    }
    uint8_t chain[JB_CHAIN_BYTES];
    jb_status status = prev == NULL ? chain_before(r, chain, err) : JB_OK;
    if (status != JB_OK) {
        return status;
    }
    if (!jb_frame_chained(&r->frame, prev != NULL ? prev : chain)) {
        return chain_breaks(r, err);
    }
    *place = mark;
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

/* Whether the loaded frame follows from the one before it. */
static bool
frame_holds(struct jb_log_reader *r)
{
    uint8_t root[JB_CHAIN_BYTES];
    if (r->frame.first == 1) {
        return jb_frame_own_root(&r->frame, root) && jb_frame_chained(&r->frame, root);
    }
    uint8_t bytes[8];
    jb_put_be(bytes, 8, r->frame.first);
    MDB_val key = {sizeof bytes, bytes}, value;
    struct jb_frame before;
    bool there = mdb_cursor_get(r->cursor, &key, &value, MDB_SET) == 0 &&
                 mdb_cursor_get(r->cursor, &key, &value, MDB_PREV) == 0 &&
                 jb_log_parse_frame(&key, &value, &before, NULL) == JB_OK;
    return there && jb_frame_chained(&r->frame, before.chain);
}

/* A word that is not known here comes from a newer version only where the bytes are what was
 * written. */
static jb_status
decode_failed(struct jb_log_reader *r, jb_seq seq, size_t at,
              const struct jb_decode_failure *failure, struct jb_error *err)
{
    if (failure->no_memory) {
        return jb_fail(err, JB_E_NOMEM, "no memory to read event %llu", (unsigned long long)seq);
    }
    jb_status status =
        failure->newer && frame_holds(r)
            ? jb_fail(err, JB_E_FORMAT,
                      "event %llu was written by a newer version of jangbu: %s. Use that version",
                      (unsigned long long)seq, jb_tr(failure->why))
            : jb_fail(err, JB_E_CORRUPT,
                      "event %llu is damaged (frame %llu, byte %zu): %s. Run `jangbu audit`",
                      (unsigned long long)seq, (unsigned long long)r->frame.first,
                      JB_FRAME_EVENTS + at + failure->at, jb_tr(failure->why));
    if (err != NULL) {
        err->at = seq;
        err->frame = r->frame.first;
        err->offset = JB_FRAME_EVENTS + at + failure->at;
    }
    return status;
}

static jb_status
decode_at(struct jb_log_reader *r, jb_seq seq, size_t at, const struct jb_event **ret,
          struct jb_error *err)
{
    struct jb_event_context context = {r->frame.base, r->utc_offset_s};
    struct jb_decode_failure failure;
    JB_ASSERT(seq - r->frame.first < r->frame.count && at <= r->frame.bytes);
    size_t n = jb_event_decode(r->frame.events + at, r->frame.bytes - at, seq, &context, &r->event,
                               &r->space, &failure);
    if (n == 0) {
        return decode_failed(r, seq, at, &failure, err);
    }
    JB_ASSERT(n <= r->frame.bytes - at && r->event.seq == seq);
    r->last_at = at;
    r->last_n = n;
    *ret = &r->event;
    return JB_OK;
}

static jb_status
frame_cut_wrong(struct jb_log_reader *r, jb_seq seq, struct jb_error *err)
{
    jb_status status =
        jb_fail(err, JB_E_CORRUPT,
                "frame %llu does not hold event %llu where it should. Run `jangbu audit`",
                (unsigned long long)r->frame.first, (unsigned long long)seq);
    if (err != NULL) {
        err->at = seq;
        err->frame = r->frame.first;
    }
    return status;
}

/* Where an event of the frame begins; SIZE_MAX: the frame is cut wrong. */
static size_t
offset_of(struct jb_log_reader *r, jb_seq seq)
{
    const struct jb_frame *f = &r->frame;
    const uint32_t index = (uint32_t)(seq - f->first), within = index % JB_FRAME_STRIDE;
    const jb_seq piece = seq - within;
    if (r->piece_n == 0 || r->piece != piece) {
        const size_t begin = jb_frame_offset(f, piece);
        r->piece = piece;
        r->piece_n = begin != SIZE_MAX;
        r->piece_at[0] = (uint32_t)begin;
    }
    while (r->piece_n > 0 && r->piece_n <= within) {
        const size_t at = r->piece_at[r->piece_n - 1];
        const size_t length = at < f->bytes ? jb_event_length(f->events + at, f->bytes - at) : 0;
        r->piece_at[r->piece_n] = (uint32_t)(at + length);
        r->piece_n = length != 0 ? r->piece_n + 1 : 0;
    }
    return r->piece_n > 0 && r->piece_at[within] < f->bytes ? r->piece_at[within] : SIZE_MAX;
}

/* Makes the place stand on event r->next. */
static jb_status
settle(struct jb_log_reader *r, struct jb_error *err)
{
    bool same_frame =
        r->frame_loaded && r->next >= r->frame.first && r->next - r->frame.first < r->frame.count;
    if (same_frame) {
        return JB_OK;
    }
    jb_status status = load_frame(r, r->next, err);
    if (status != JB_OK) {
        return status;
    }
    bool begins = r->frame.first == r->next;
    status = check_frame(r, begins && r->chain_known ? r->chain : NULL, err);
    if (status != JB_OK) {
        r->frame_loaded = false;
        return status;
    }
    if (r->chain_known) {
        memcpy(r->chain, r->frame.chain, JB_CHAIN_BYTES);
    }
    if (begins) {
        r->at = 0;
        return JB_OK;
    }
    r->at = offset_of(r, r->next);
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

size_t
jb_log_reader_usual(struct jb_log_reader *r, struct jb_event_usual *ret)
{
    const struct jb_event_context context = {r->frame.base, r->utc_offset_s};
    if (!r->frame_loaded || r->next < r->frame.first ||
        r->next - r->frame.first + 1 >= r->frame.count || r->at > r->frame.bytes) {
        return 0;
    }
    return jb_event_usual(r->frame.events + r->at, r->frame.bytes - r->at, r->next, &context, ret);
}

void
jb_log_reader_skip(struct jb_log_reader *r, size_t bytes)
{
    r->last_at = r->at;
    r->last_n = bytes;
    r->at += bytes;
    r->next++;
}

jb_status
jb_log_reader_next_frame(struct jb_log_reader *r, struct jb_frame *ret, size_t *ret_at,
                         struct jb_error *err)
{
    jb_status status = settle(r, err);
    if (status == JB_OK) {
        *ret = r->frame;
        *ret_at = r->at;
        r->at = r->frame.bytes;
        r->next = r->frame.first + r->frame.count;
    }
    return status;
}

jb_status
jb_log_reader_at(struct jb_log_reader *r, jb_seq seq, const struct jb_event **ret,
                 struct jb_error *err)
{
    struct jb_frame frame;
    jb_status status = jb_log_reader_frame(r, seq, &frame, err);
    if (status != JB_OK) {
        return status;
    }
    r->next = 0; /* the place is lost */
    size_t at = offset_of(r, seq);
    return at == SIZE_MAX ? frame_cut_wrong(r, seq, err) : decode_at(r, seq, at, ret, err);
}

jb_status
jb_log_reader_frame(struct jb_log_reader *r, jb_seq seq, struct jb_frame *ret, struct jb_error *err)
{
    bool same = r->frame_loaded && seq >= r->frame.first && seq - r->frame.first < r->frame.count;
    jb_status status = seq == 0 ? JB_END : load_frame(r, seq, err);
    if (status == JB_END) {
        return jb_fail(err, JB_E_NOTFOUND, "there is no event %llu", (unsigned long long)seq);
    }
    status = status == JB_OK && !same ? check_frame(r, NULL, err) : status;
    if (status == JB_OK) {
        *ret = r->frame;
    } else {
        r->frame_loaded = false;
    }
    return status;
}

jb_status
jb_log_reader_any_frame(struct jb_log_reader *r, jb_seq seq, struct jb_frame *ret,
                        struct jb_error *err)
{
    jb_status status = seq == 0 ? JB_END : load_frame(r, seq, err);
    if (status == JB_END) {
        return jb_fail(err, JB_E_NOTFOUND, "there is no event %llu", (unsigned long long)seq);
    }
    if (status == JB_OK) {
        *ret = r->frame;
    }
    r->frame_loaded = false; /* it was not checked */
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
    return r->last_n > 0 ? (struct jb_text){(const char *)r->frame.events + r->last_at, r->last_n}
                         : (struct jb_text){NULL, 0}; /* no event was read yet */
}

jb_status
jb_log_reader_chain(struct jb_log_reader *r, jb_seq seq, uint8_t ret[JB_CHAIN_BYTES],
                    struct jb_error *err)
{
    struct jb_frame frame = {0};
    jb_status status = jb_log_reader_frame(r, seq, &frame, err);
    if (status != JB_OK) {
        return status;
    }
    if (frame.first + frame.count - 1 != seq) {
        return jb_fail(err, JB_E_NOTFOUND, "no frame ends with event %llu",
                       (unsigned long long)seq);
    }
    memcpy(ret, frame.chain, JB_CHAIN_BYTES);
    return JB_OK;
}

static jb_status
identity_of(struct jb_log_reader *r, const struct jb_event *e, struct jb_log_identity *ret,
            struct jb_error *err)
{
    const struct jb_ledger_created *c = &e->ledger_created;
    struct jb_log_identity found = {.exponent = c->exponent,
                                    .utc_offset_s = (int32_t)c->utc_offset_s};
    memcpy(found.ledger_id, c->ledger_id, 16);
    memcpy(found.currency, c->currency.s, 3);
    jb_frame_root(e, found.root);
    if (!jb_frame_chained(&r->frame, found.root)) {
        return jb_fail(err, JB_E_CORRUPT,
                       "the first frame of %s is damaged: its chain value does not hold. Run "
                       "`jangbu audit`",
                       jb_env_path(r->log->env));
    }
    if (c->format > JB_LOG_FORMAT) {
        jb_status status = jb_fail(err, JB_E_FORMAT,
                                   "%s has log format %u, which this version (format %d) does not "
                                   "know. Use a newer jangbu",
                                   jb_env_path(r->log->env), c->format, JB_LOG_FORMAT);
        if (err != NULL) {
            err->at = 1;
        }
        return status;
    }
    const struct jb_ledger_created *made = &e->ledger_created;
    if (made->exponent > JB_EXPONENT_MAX || made->utc_offset_s % 60 != 0 ||
        made->utc_offset_s < -JB_UTC_OFFSET_MAX_S || made->utc_offset_s > JB_UTC_OFFSET_MAX_S) {
        return jb_fail(err, JB_E_CORRUPT,
                       "the first frame of %s is damaged: its currency or its offset from UTC is "
                       "not possible. Run `jangbu audit`",
                       jb_env_path(r->log->env));
    }
    *ret = found;
    return JB_OK;
}

jb_status
jb_log_identity(struct jb_log *l, struct jb_log_identity *ret, struct jb_error *err)
{
    struct jb_log_reader *r = NULL;
    jb_status status = jb_log_reader_open(l, &r, err);
    if (status != JB_OK) {
        return status;
    }
    const struct jb_event *e = NULL;
    status = jb_log_reader_at(r, 1, &e, err);
    if (status == JB_E_NOTFOUND || (status == JB_OK && (e->type != JB_EV_LEDGER_CREATED ||
                                                        e->ledger_created.currency.n != 3))) {
        status = jb_fail(err, JB_E_FORMAT,
                         "%s does not begin as a ledger's log does. It is no ledger, or its making "
                         "was cut short",
                         jb_env_path(l->env));
    }
    if (status == JB_OK) {
        status = identity_of(r, e, ret, err);
    }
    jb_log_reader_close(r);
    return status;
}
