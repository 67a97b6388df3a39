/*
 * What seals people.mdb: libsodium's XChaCha20-Poly1305 and BLAKE2b, by the names that
 * docs/format.md section 5.1 gives them. The one place, with the key file, that knows libsodium.
 */
#ifndef JANGBU_SEAL_H
#define JANGBU_SEAL_H

#include <jangbu/base.h>

#include "personal/key_file.h"

#define JB_SEAL_HASH_BYTES 16
/* What a box has beside its text: a nonce in front, a tag behind. */
#define JB_BOX_BESIDE (24 + 16)

/* The keys that are made of one key of the key file. */
struct jb_seal_keys {
    uint64_t epoch; /* 0: none */
    uint8_t wrap[JB_KEY_BYTES], index[JB_KEY_BYTES], meta[JB_KEY_BYTES];
    uint8_t check[JB_SEAL_HASH_BYTES]; /* tells this key from any other; stands in people.mdb */
};

/* Before anything else of this folder. False: the system gives no random bytes. */
bool jb_seal_ready(void);
void jb_seal_derive(const struct jb_people_key *key, const uint8_t ledger_id[16],
                    struct jb_seal_keys *ret);
void jb_seal_random(void *ret, size_t n);
void jb_seal_wipe(void *at, size_t n);
/* Kept out of the swap file where the system allows it. */
void jb_seal_keep(void *at, size_t n);
void jb_seal_let_go(void *at, size_t n);

/* ret has room for n + JB_BOX_BESIDE. */
void jb_seal_box(const uint8_t key[JB_KEY_BYTES], const uint8_t *beside, size_t beside_n,
                 const void *text, size_t n, uint8_t *ret);
/* ret has room for box_n - JB_BOX_BESIDE. False: it was made with another key, or changed. */
bool jb_seal_open(const uint8_t key[JB_KEY_BYTES], const uint8_t *beside, size_t beside_n,
                  const uint8_t *box, size_t box_n, void *ret);
/* key NULL: without one. */
void jb_seal_hash(const uint8_t *key, const void *bytes, size_t n, void *ret, size_t ret_n);

#endif
