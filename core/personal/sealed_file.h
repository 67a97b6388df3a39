/* The tables of a sealed people.mdb and their rows, for the files of this folder only. */
#ifndef JANGBU_SEALED_FILE_H
#define JANGBU_SEALED_FILE_H

#include <pthread.h>

#include "personal/inner.h"
#include "personal/seal.h"

#define OWNER_BYTES 9
#define KEY_ID_BYTES 8
/* A row of `owners`: key id, epoch, box; without the box the owner is forgotten. */
#define GRAVE_BYTES (KEY_ID_BYTES + 8)
#define WRAPPED_BYTES (GRAVE_BYTES + JB_BOX_BESIDE + JB_KEY_BYTES)
#define INDEX_BYTES (8 + JB_SEAL_HASH_BYTES)
/* A row of `texts`: how many owners, each with its key id, box. */
#define TEXT_OWNER_BYTES (OWNER_BYTES + KEY_ID_BYTES)
#define TEXT_HEAD_MAX (1 + JB_OWNERS_MAX * TEXT_OWNER_BYTES)

struct sealed_meta {
    uint64_t epoch, old_epoch;
    uint8_t at[OWNER_BYTES]; /* the first owner that is not looked at yet */
    uint64_t highest;
    jb_seq killed, done, target;
    uint8_t check[JB_SEAL_HASH_BYTES], old_check[JB_SEAL_HASH_BYTES];
};
#define SEALED_META_BYTES (8 + 8 + 8 + OWNER_BYTES + 8 + 3 * 8 + 3 * JB_SEAL_HASH_BYTES)

struct jb_sealed {
    char *dir, *key_path; /* key_path NULL: the keys were given */
    MDB_dbi owners, texts, index, meta;
    pthread_mutex_t lock; /* of what follows */
    unsigned keys_n;
    struct jb_seal_keys keys[JB_KEYS_MAX];
};

/* The keys of the epochs that meta names; old's epoch is 0 where there is none. */
struct key_pair {
    struct jb_seal_keys now, old;
};

/* LMDB's code; MDB_CORRUPTED; MDB_VERSION_MISMATCH: newer. Its tag is not looked at. */
int jb_sealed_meta(const struct jb_sealed *s, MDB_txn *txn, struct sealed_meta *ret);
int jb_sealed_meta_put(const struct jb_personal *p, MDB_txn *txn, const struct sealed_meta *m,
                       const struct jb_seal_keys *now);
/* JB_E_KEY; JB_E_CORRUPT: the tag of meta does not hold. */
jb_status jb_sealed_keys(struct jb_personal *p, const struct sealed_meta *m, struct key_pair *ret,
                         struct jb_error *err);
void jb_sealed_put_owner(const struct jb_owner *o, uint8_t ret[OWNER_BYTES]);
struct jb_owner jb_sealed_get_owner(const uint8_t at[OWNER_BYTES]);
/* The owner's own key out of its row. False: forgotten, or not to be opened. */
bool jb_sealed_unwrap(const struct jb_personal *p, const struct key_pair *keys,
                      const uint8_t owner[OWNER_BYTES], const MDB_val *row,
                      uint8_t ret[JB_KEY_BYTES]);
/* A row for an owner's key. */
void jb_sealed_wrap(const struct jb_personal *p, const struct jb_seal_keys *now,
                    const uint8_t owner[OWNER_BYTES], const uint8_t key_id[KEY_ID_BYTES],
                    const uint8_t key[JB_KEY_BYTES], uint8_t ret[WRAPPED_BYTES]);
/* Out of the table `texts`. */
int jb_sealed_open_text(struct jb_personal *p, MDB_txn *txn, const struct key_pair *keys,
                        uint64_t ref, char *buf, size_t *ret_n, enum jb_text_state *ret);
void jb_sealed_index_key(const struct jb_seal_keys *keys, struct jb_text id,
                         uint8_t ret[INDEX_BYTES]);

/* One write transaction, begun again with a larger map where it was full. step gives LMDB's code.
 * bytes: about how many it writes. */
typedef int (*sealed_step)(struct jb_personal *p, MDB_txn *txn, void *data);
jb_status jb_sealed_write(struct jb_personal *p, size_t bytes, sealed_step step, void *data,
                          struct jb_error *err);
/* meta and the keys, in a read transaction of their own. */
jb_status jb_sealed_look(struct jb_personal *p, struct sealed_meta *ret, struct key_pair *ret_keys,
                         struct jb_error *err);

#endif
