/* The log's file, for the files of this folder: reader.c reads from it, append.c appends to it. */
#ifndef JANGBU_LOG_FILE_H
#define JANGBU_LOG_FILE_H

#include <sys/types.h>

#include "base/error.h"
#include "storage/lmdb_env.h"
#include "log/log.h"

/* Frames whose chain value this process has seen to hold: one number each, made of the frame's own
 * number and its chain value, at a place that its number gives. What is not remembered is checked
 * again: 5 us for 200 kB. */
#define JB_CHECKED_FRAMES 4096

struct jb_log {
    struct jb_env *env;
    MDB_dbi dbi;
    _Atomic uint64_t checked[JB_CHECKED_FRAMES];
    off_t room; /* bytes that the file has had at least; by the holder of the writer lock */
};

/* What a transaction adds to the log: a batch that is cut into frames, or frames as they are. */
struct jb_log_addition {
    const struct jb_log_batch *batch; /* NULL: the frames */
    const struct jb_log_value *frames;
    size_t frames_n;
};
/* append.c: one transaction. The addition was checked. */
jb_status jb_log_add(struct jb_log *l, const struct jb_log_addition *a, struct jb_log_head *head,
                     enum jb_log_result *ret_result, struct jb_error *err);

jb_status jb_log_parse_frame(const MDB_val *key, const MDB_val *value, struct jb_frame *ret,
                             struct jb_error *err);
/* Where the log ends in that transaction, and the value of its last frame (empty: there is none).
 */
jb_status jb_log_read_head(MDB_cursor *cursor, struct jb_env *env, MDB_txn *txn, MDB_dbi dbi,
                           struct jb_log_head *ret, MDB_val *ret_last, struct jb_error *err);

#endif
