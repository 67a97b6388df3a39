/* Appending a commit to the log: cut into frames that fill their pages, in one transaction. */
#include <errno.h>

#include "log/log_file.h"
#include "storage/room.h"

/* The largest value that LMDB 0.9 keeps inside a leaf page of 4 KiB (measured: 2,024 bytes take a
 * page of their own). */
#define INLINE_VALUE_MAX 2022
/* What a value costs beside its bytes: node header 8, key 8, pointer 2. */
#define NODE_OVERHEAD 18
/* Commits up to this size are cut into inline frames (they then fill their pages); larger ones are
 * one frame on pages of their own. */
#define CUT_BYTES_MAX (32 << 10)
/* A frame in what is left of a page is worth its header only from here on. */
#define CUT_EVENTS_BYTES_MIN 96

void
jb_log_batch_free(struct jb_log_batch *b)
{
    free(b->bytes.at);
    jb_vec_free(&b->ends);
    *b = (struct jb_log_batch){0};
}

/* Free bytes of the leaf page that holds the last frame. LMDB's page header has the bounds of the
 * gap at 12 and 14. It only chooses where to cut: a wrong answer costs a few bytes of disk and
 * nothing else. 0: not known. */
static size_t
free_in_leaf(const MDB_val *last, size_t page_bytes)
{
    if (last->mv_data == NULL || last->mv_size > INLINE_VALUE_MAX) {
        return 0;
    }
    const uint8_t *page =
        (const uint8_t *)((uintptr_t)last->mv_data & ~(uintptr_t)(page_bytes - 1));
    uint16_t lower, upper;
    memcpy(&lower, page + 12, 2);
    memcpy(&upper, page + 14, 2);
    return upper > lower && upper <= page_bytes ? (size_t)(upper - lower) : 0;
}

/* What was written is what a reader takes: the frame itself, its chain value and its events. */
static bool
frame_reads_back(const MDB_val *value, const struct jb_log_batch *b, size_t from, size_t to,
                 const uint8_t before[JB_CHAIN_BYTES])
{
    struct jb_frame f;
    struct jb_frame_failure failure;
    uint32_t start = from == 0 ? 0 : b->ends.at[from - 1];
    if (!jb_frame_parse(b->first + from, value->mv_data, value->mv_size, &f, &failure) ||
        !jb_frame_chained(&f, before) || f.count != to - from ||
        f.bytes != b->ends.at[to - 1] - start) {
        return false;
    }
    size_t last = to - 1 == from ? 0 : b->ends.at[to - 2] - start;
    return memcmp(f.events, b->bytes.at + start, f.bytes) == 0 &&
           jb_frame_offset(&f, f.first + f.count - 1) == last;
}

static int
put_frame(MDB_txn *txn, MDB_dbi dbi, const struct jb_log_batch *b, size_t from, size_t to,
          bool last, uint8_t chain[JB_CHAIN_BYTES])
{
    JB_ASSERT(from < to && to <= b->ends.n);
    uint32_t start = from == 0 ? 0 : b->ends.at[from - 1];
    size_t bytes = b->ends.at[to - 1] - start;
    uint32_t count = (uint32_t)(to - from);
    uint8_t key_bytes[8];
    jb_put_be(key_bytes, 8, b->first + from);
    MDB_val key = {sizeof key_bytes, key_bytes}, value = {jb_frame_size(count, bytes), NULL};
    int code = mdb_put(txn, dbi, &key, &value, MDB_APPEND | MDB_NOOVERWRITE | MDB_RESERVE);
    if (code == 0) {
        uint8_t before[JB_CHAIN_BYTES];
        memcpy(before, chain, JB_CHAIN_BYTES);
        jb_frame_write(value.mv_data, last ? JB_FRAME_LAST : 0, b->first + from, b->base, count,
                       b->bytes.at + start, bytes, b->ends.at + from, start, chain);
        JB_ASSERT(!JB_CHECKS || frame_reads_back(&value, b, from, to, before));
    }
    return code;
}

/* How many events from `from` on make a frame of at most `room` bytes of value. At most 64, so that
 * no table is needed. */
static size_t
fit(const struct jb_log_batch *b, size_t from, size_t room)
{
    uint32_t start = from == 0 ? 0 : b->ends.at[from - 1];
    size_t to = from;
    while (to < b->ends.n && to - from < JB_FRAME_STRIDE &&
           JB_FRAME_EVENTS + (size_t)(b->ends.at[to] - start) <= room) {
        to++;
    }
    return to - from;
}

static int
put_small(MDB_txn *txn, MDB_dbi dbi, const struct jb_log_batch *b, size_t leaf_free,
          size_t page_bytes, uint8_t chain[JB_CHAIN_BYTES])
{
    for (size_t from = 0; from < b->ends.n;) {
        size_t room = leaf_free > NODE_OVERHEAD ? leaf_free - NODE_OVERHEAD : 0;
        room = room < INLINE_VALUE_MAX ? room & ~(size_t)1 : INLINE_VALUE_MAX;
        size_t n = room >= JB_FRAME_EVENTS + CUT_EVENTS_BYTES_MIN ? fit(b, from, room) : 0;
        /* What is left of this page holds nothing useful: the frame opens the next page. A commit
         * that fits there whole is not cut. */
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
        while (to < b->ends.n && jb_frame_size((uint32_t)(to + 1 - from), b->ends.at[to] - start) <=
                                     JB_FRAME_VALUE_MAX) {
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

/* Frames of another log's commits, as they are. They were checked against head. */
static int
put_frames(MDB_txn *txn, MDB_dbi dbi, const struct jb_log_addition *a, struct jb_log_head *after)
{
    int code = 0;
    for (size_t i = 0; i < a->frames_n && code == 0; i++) {
        const uint8_t *frame = a->frames[i].at;
        MDB_val key = {8, (void *)(uintptr_t)(frame + JB_FRAME_FIRST)};
        MDB_val value = {a->frames[i].n, (void *)(uintptr_t)frame};
        code = mdb_put(txn, dbi, &key, &value, MDB_APPEND | MDB_NOOVERWRITE);
        memcpy(after->chain, frame + JB_FRAME_CHAIN, JB_CHAIN_BYTES);
        after->seq =
            jb_get_be(frame + JB_FRAME_FIRST, 8) + jb_get_be(frame + JB_FRAME_COUNT, 4) - 1;
    }
    return code;
}

static jb_status
append_in(struct jb_log *l, MDB_txn *txn, const struct jb_log_addition *a,
          const struct jb_log_head *head, struct jb_log_head *after, int *ret_code,
          struct jb_error *err)
{
    const struct jb_log_batch *b = a->batch;
    MDB_cursor *cursor;
    *ret_code = mdb_cursor_open(txn, l->dbi, &cursor);
    if (*ret_code != 0) {
        return JB_OK;
    }
    struct jb_log_head there;
    MDB_val last;
    jb_status status = jb_log_read_head(cursor, l->env, txn, l->dbi, &there, &last, err);
    MDB_stat st;
    mdb_stat(txn, l->dbi, &st);
    size_t leaf_free = free_in_leaf(&last, st.ms_psize);
    mdb_cursor_close(cursor);
    if (status != JB_OK) {
        return status;
    }
    if (there.seq != head->seq ||
        (there.seq != 0 && memcmp(there.chain, head->chain, JB_CHAIN_BYTES) != 0) ||
        (b != NULL && b->first != there.seq + 1)) {
        return jb_fail(err, JB_E_CORRUPT,
                       "the log ends with event %llu where %llu was expected: it was changed "
                       "without the writer lock",
                       (unsigned long long)there.seq, (unsigned long long)head->seq);
    }
    *after = *head;
    if (b != NULL) {
        *ret_code = is_small(b) ? put_small(txn, l->dbi, b, leaf_free, st.ms_psize, after->chain)
                                : put_large(txn, l->dbi, b, after->chain);
        after->seq = b->first + b->ends.n - 1;
    } else {
        *ret_code = put_frames(txn, l->dbi, a, after);
    }
    mdb_stat(txn, l->dbi, &st);
    after->frames = st.ms_entries;
    JB_ASSERT(*ret_code != 0 || (after->seq > head->seq && after->frames > there.frames));
    return JB_OK;
}

/* Nothing is appended that a reader would not take: the bounds of frames, events and commits, and
 * of the time that all of them share. What the events say was looked at when they were encoded. */
static jb_status
check_batch(const struct jb_log_batch *b, struct jb_error *err)
{
    const char *why = NULL;
    if (b->ends.n == 0 || b->first == 0 || b->first > UINT64_MAX - b->ends.n) {
        why = "a commit needs events";
    } else if (b->bytes.n > JB_COMMIT_BYTES_MAX || b->ends.at[b->ends.n - 1] != b->bytes.n) {
        why = "a commit has at most 64 MiB of events, and ends with the last of them";
    } else if (b->base != 0 && (b->base < JB_INSTANT_MIN || b->base > JB_INSTANT_MAX)) {
        why = "its time is outside the calendar";
    }
    uint32_t start = 0;
    for (size_t i = 0; i < b->ends.n && why == NULL; i++) {
        if (b->ends.at[i] <= start || b->ends.at[i] - start > JB_EVENT_BYTES_MAX) {
            why = "an event has no bytes, or more than a frame holds";
        }
        start = b->ends.at[i];
    }
    return why == NULL ? JB_OK
                       : jb_fail(err, JB_E_USAGE,
                                 "a commit cannot be written: %s; nothing was done", jb_tr(why));
}

jb_status
jb_log_append(struct jb_log *l, const struct jb_log_batch *b, struct jb_log_head *head,
              enum jb_log_result *ret_result, struct jb_error *err)
{
    *ret_result = JB_LOG_FAILED;
    jb_status status = check_batch(b, err);
    struct jb_log_addition a = {.batch = b};
    return status == JB_OK ? jb_log_add(l, &a, head, ret_result, err) : status;
}

jb_status
jb_log_commit(struct jb_log *l, const struct jb_log_batch *b, const struct jb_log_texts *texts,
              struct jb_log_head *head, enum jb_log_result *ret_result, struct jb_error *err)
{
    *ret_result = JB_LOG_FAILED;
    jb_status status = check_batch(b, err);
    if (status == JB_OK && texts != NULL) {
        status = texts->commit(texts->data, err);
    }
    struct jb_log_addition a = {.batch = b};
    return status == JB_OK ? jb_log_add(l, &a, head, ret_result, err) : status;
}

static size_t
bytes_of(const struct jb_log_addition *a)
{
    size_t bytes = a->batch != NULL ? a->batch->bytes.n : 0;
    for (size_t i = 0; i < a->frames_n; i++) {
        bytes += a->frames[i].n;
    }
    return bytes;
}

static jb_status
add(struct jb_log *l, const struct jb_log_addition *a, struct jb_log_head *head,
    enum jb_log_result *ret_result, struct jb_error *err)
{
    *ret_result = JB_LOG_FAILED;
    int room = jb_env_make_room(l->env, bytes_of(a), &l->room);
    if (room != 0) {
        return jb_env_fail(err, room, l->env, "making room in");
    }
    for (;;) {
        MDB_txn *txn;
        jb_status status = jb_env_begin(l->env, 0, &txn, err);
        if (status != JB_OK) {
            return status;
        }
        struct jb_log_head after;
        int code = 0;
        status = append_in(l, txn, a, head, &after, &code, err);
        bool committing = status == JB_OK && code == 0;
        if (committing) {
            code = jb_env_commit(l->env, txn);
        } else {
            jb_env_abort(l->env, txn);
        }
        if (status != JB_OK) {
            return status;
        }
        if (code == 0 && !jb_env_in_place(l->env)) {
            *ret_result = JB_LOG_UNKNOWN;
            return jb_fail(err, JB_E_UNKNOWN,
                           "%s was removed, renamed or replaced during a commit, which is in the "
                           "file that was there before. End all programs that use the ledger, "
                           "start again and ask with the same keys",
                           jb_env_path(l->env));
        }
        if (code == 0) {
            *head = after;
            *ret_result = JB_LOG_COMMITTED;
            return JB_OK;
        }
        if (code == MDB_MAP_FULL) {
            /* Also of a commit: the list of free pages did not fit, and nothing was committed. */
            status = jb_env_grow(l->env, err);
            if (status != JB_OK) {
                return status;
            }
            continue;
        }
        if (!committing) {
            return jb_env_fail(err, code, l->env, "appending to");
        }
        if (jb_env_usable(l->env)) {
            /* The fault came before LMDB's meta page: the old state is intact and nothing was
             * committed. */
            return jb_env_fail(err, code == EIO && jb_env_full(l->env) ? ENOSPC : code, l->env,
                               "appending to");
        }
        *ret_result = JB_LOG_UNKNOWN;
        return jb_fail_errno(err, JB_E_UNKNOWN, code > 0 ? code : 0,
                             "a fault while committing to %s: it is not known whether the commands "
                             "were recorded. Ask again with the same keys",
                             jb_env_path(l->env));
    }
}

jb_status
jb_log_add(struct jb_log *l, const struct jb_log_addition *a, struct jb_log_head *head,
           enum jb_log_result *ret_result, struct jb_error *err)
{
    jb_status status = add(l, a, head, ret_result, err);
    if (*ret_result != JB_LOG_FAILED && jb_env_lock(l->env) != NULL) {
        jb_lock_call(jb_env_lock(l->env)); /* who waits for it (jb_wait) */
    }
    return status;
}
