/* The parts of struct jb_personal, for the files of this folder only. */
#ifndef JANGBU_PERSONAL_INNER_H
#define JANGBU_PERSONAL_INNER_H

#include "base/bytes.h"
#include "base/map.h"
#include "personal/personal.h"
#include "storage/lmdb_env.h"

struct collected {
    uint64_t ref;
    size_t at, n; /* in bytes */
    bool shared;
    struct jb_owners owners;
};

struct jb_sealed;

struct jb_personal {
    struct jb_env *env; /* NULL: read-only and no file */
    uint8_t ledger_id[16];
    struct jb_sealed *sealed; /* NULL: layout 1 */
    MDB_dbi texts, index, checks, meta;
    _Atomic bool has_checks; /* false: a file of the first layout, until the next text is written */
    uint64_t next_ref;
    off_t room;                    /* bytes that the file has had at least */
    JB_VEC(struct collected) list; /* by jb_personal_refer: one reference behind the other */
    JB_VEC(char) bytes;
    struct jb_map by_text; /* hash of a text to its place in the list, of each of them */
};

/* personal.c: LMDB's code or MDB_VERSION_MISMATCH (newer) as a sentence. */
jb_status jb_personal_fail(const struct jb_personal *p, int code, const char *doing,
                           struct jb_error *err);
/* What was collected is written. */
void jb_personal_written(struct jb_personal *p);
/* Room for so many bytes before they are written. */
jb_status jb_personal_make_room(struct jb_personal *p, size_t bytes, struct jb_error *err);

/* sealed.c: layout 2 of the functions in personal.h that have the same name behind jb_personal_. */
/* Whether it has exactly the tables of layout 2. LMDB's code: what cannot be read is neither. */
int jb_sealed_is(MDB_txn *txn, bool *ret);
jb_status jb_sealed_open(struct jb_personal *p, const char *dir, const char *key_file,
                         struct jb_error *err);
struct jb_sealed *jb_sealed_close(struct jb_sealed *s);
jb_status jb_sealed_key(struct jb_personal *p, struct jb_error *err);
const char *jb_sealed_key_file(const struct jb_sealed *s);
jb_status jb_sealed_begin(struct jb_personal *p, uint64_t last_ref, jb_seq seq,
                          struct jb_error *err);
jb_status jb_sealed_find(struct jb_personal *p, struct jb_text id, uint64_t *ret,
                         struct jb_error *err);
jb_status jb_sealed_commit(struct jb_personal *p, struct jb_error *err);
jb_status jb_sealed_get(struct jb_personal *p, uint64_t ref, char *buf, size_t *ret_n,
                        enum jb_text_state *ret_state, struct jb_error *err);
jb_status jb_sealed_check(struct jb_personal *p, void (*damaged)(void *data, uint64_t ref),
                          void *data, struct jb_people_texts *ret, struct jb_error *err);

#endif
