/*
 * The log: frames in log.mdb, appended and read, never changed. Nothing above it knows LMDB.
 *
 * Every put is MDB_APPEND | MDB_NOOVERWRITE with the expected number; no function here deletes or
 * rewrites a frame.
 */
#ifndef JANGBU_LOG_H
#define JANGBU_LOG_H

#include "base/bytes.h"
#include "log/frame.h"

struct jb_log;

/* What a ledger can be made with. */
#define JB_EXPONENT_MAX 6
#define JB_UTC_OFFSET_MAX_S (18 * 3600)

/* What the first event says, and what all frames need. */
struct jb_log_identity {
    uint8_t ledger_id[16];
    uint8_t root[JB_CHAIN_BYTES];
    char currency[4];
    uint32_t exponent;
    int32_t utc_offset_s;
};

struct jb_log_head {
    jb_seq seq; /* 0: empty */
    uint8_t chain[JB_CHAIN_BYTES];
    uint64_t frames;
};

/* map_bytes 0: the default. create: for init only. */
jb_status jb_log_open(const char *dir, bool read_only, bool create, uint64_t map_bytes,
                      struct jb_log **ret, struct jb_error *err);
struct jb_log *jb_log_close(struct jb_log *l);
/* Reads the first frame. JB_E_FORMAT where it is not one (err->at 0), or of a newer format (err->at
 * 1). */
jb_status jb_log_identity(struct jb_log *l, struct jb_log_identity *ret, struct jb_error *err);
/* Bytes of all pages in use, as mdb_stat counts them, and of the file. */
jb_status jb_log_size(struct jb_log *l, uint64_t *ret_tree_bytes, uint64_t *ret_file_bytes,
                      struct jb_error *err);
struct jb_env *jb_log_env(struct jb_log *l);
/* Where it ends now. The snapshot that shows it is let go. */
jb_status jb_log_end(struct jb_log *l, struct jb_log_head *ret, struct jb_error *err);

/* A reader: a snapshot that can be taken anew, and a place in it. Used by one thread at a time. */
struct jb_log_reader;
/* utc_offset_s is needed to decode; it may be set later. */
jb_status jb_log_reader_open(struct jb_log *l, struct jb_log_reader **ret, struct jb_error *err);
void jb_log_reader_offset(struct jb_log_reader *r, int32_t utc_offset_s);
struct jb_log_reader *jb_log_reader_close(struct jb_log_reader *r);
/* Takes the newest snapshot; ret (may be NULL) says where it ends. The place is kept. */
jb_status jb_log_reader_renew(struct jb_log_reader *r, struct jb_log_head *ret,
                              struct jb_error *err);
/* Lets the snapshot go between uses, so that it pins nothing. */
void jb_log_reader_reset(struct jb_log_reader *r);

/* Goes to event seq; chain (may be NULL) is the chain value of the frame before the one that seq
 * begins, if it is known: then every frame read from here on is checked against it. */
void jb_log_reader_seek(struct jb_log_reader *r, jb_seq seq, const uint8_t *chain);
/* The event at the place, and steps on. JB_END at the end of the snapshot. Borrowed until the next
 * call on r. */
jb_status jb_log_reader_next(struct jb_log_reader *r, const struct jb_event **ret,
                             struct jb_error *err);
/* The same where it is the usual event (event/codec.h), stands in a frame that is loaded, and is
 * not its last: its bytes, and 0 for any other. The place stays; jb_log_reader_skip steps on. */
size_t jb_log_reader_usual(struct jb_log_reader *r, struct jb_event_usual *ret);
void jb_log_reader_skip(struct jb_log_reader *r, size_t bytes);
/* The frame that the place is in, as jb_log_reader_next has it, and steps behind it. The event at
 * the place begins at *ret_at among its events. */
jb_status jb_log_reader_next_frame(struct jb_log_reader *r, struct jb_frame *ret, size_t *ret_at,
                                   struct jb_error *err);
/* The event with that number, from whatever frame has it. JB_E_NOTFOUND beyond the snapshot. The
 * place is lost. Here and below a frame is checked against the chain value before it, once in a
 * process: JB_E_CORRUPT with frame and offset. */
jb_status jb_log_reader_at(struct jb_log_reader *r, jb_seq seq, const struct jb_event **ret,
                           struct jb_error *err);
/* The frame that holds seq. */
jb_status jb_log_reader_frame(struct jb_log_reader *r, jb_seq seq, struct jb_frame *ret,
                              struct jb_error *err);
/* The same also of a frame that does not follow from the one before it: for an audit, which has
 * said so. */
jb_status jb_log_reader_any_frame(struct jb_log_reader *r, jb_seq seq, struct jb_frame *ret,
                                  struct jb_error *err);
/* The frame that the event last returned stands in, and the event's stored bytes. */
const struct jb_frame *jb_log_reader_current(const struct jb_log_reader *r);
struct jb_text jb_log_reader_bytes(const struct jb_log_reader *r);
/* The chain value at the end of the frame that ends with seq. JB_E_NOTFOUND where no frame does. */
jb_status jb_log_reader_chain(struct jb_log_reader *r, jb_seq seq, uint8_t ret[JB_CHAIN_BYTES],
                              struct jb_error *err);

/* Events of one commit, encoded one after the other. */
struct jb_log_batch {
    struct jb_buffer bytes;
    JB_VEC(uint32_t) ends; /* end of each event in bytes */
    jb_seq first;
    jb_instant base; /* all frames of the commit have this base */
};
void jb_log_batch_free(struct jb_log_batch *b);

/* The highest page that the file claims. */
uint64_t jb_log_last_page(struct jb_log *l);

enum jb_log_result { JB_LOG_COMMITTED, JB_LOG_FAILED, JB_LOG_UNKNOWN };
/*
 * Appends the batch as one commit. head is where the caller believes the log ends: JB_E_CORRUPT if
 * it does not; on success it is moved on. *ret_result says whether it is on disk, not there, or not
 * known (a fault while LMDB wrote its meta page).
 */
jb_status jb_log_append(struct jb_log *l, const struct jb_log_batch *b, struct jb_log_head *head,
                        enum jb_log_result *ret_result, struct jb_error *err);

/* The personal texts that the events of a commit refer to: stored before the log, so that a
 * reference in the log has always been stored. */
struct jb_log_texts {
    jb_status (*commit)(void *data, struct jb_error *err);
    void *data;
};
/* One commit of texts (NULL: there are none) and log. The log on its own does both here; with an
 * engine (log/engine.h) both go there in one transaction, and then into the files. */
jb_status jb_log_commit(struct jb_log *l, const struct jb_log_batch *b,
                        const struct jb_log_texts *texts, struct jb_log_head *head,
                        enum jb_log_result *ret_result, struct jb_error *err);

/* One frame's value. */
struct jb_log_value {
    const void *at;
    size_t n;
};
/*
 * Appends frames of the same ledger that were committed elsewhere, byte for byte: a follower's only
 * way in. They are whole commits, the first follows head (of an empty log: seq 0, and the frames
 * begin with the ledger's first), and each follows the one before it. JB_E_CORRUPT where one does
 * not, or holds what is no event; JB_E_FORMAT where a newer version made it. Nothing is appended
 * then.
 */
jb_status jb_log_put(struct jb_log *l, const struct jb_log_value *frames, size_t n,
                     struct jb_log_head *head, enum jb_log_result *ret_result,
                     struct jb_error *err);

/* Sees what other processes have appended since. By the holder of the writer lock. */
jb_status jb_log_catch_up(struct jb_log *l, struct jb_error *err);
/* Whether the handle was opened before a fork and this is the child. */
bool jb_log_forked(struct jb_log *l);

#endif
