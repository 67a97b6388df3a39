#include "personal/seal.h"

#include <assert.h>
#include <sodium.h>

#include "base/bytes.h"

static_assert(JB_BOX_BESIDE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES +
                                   crypto_aead_xchacha20poly1305_ietf_ABYTES,
              "as docs/format.md says");
static_assert(JB_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
              "as docs/format.md says");

#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES

bool
jb_seal_ready(void)
{
    return sodium_init() >= 0;
}

void
jb_seal_random(void *ret, size_t n)
{
    randombytes_buf(ret, n);
}

void
jb_seal_wipe(void *at, size_t n)
{
    sodium_memzero(at, n);
}

void
jb_seal_keep(void *at, size_t n)
{
    (void)!sodium_mlock(at, n);
}

void
jb_seal_let_go(void *at, size_t n)
{
    sodium_memzero(at, n);
    (void)!sodium_munlock(at, n);
}

void
jb_seal_hash(const uint8_t *key, const void *bytes, size_t n, void *ret, size_t ret_n)
{
    (void)crypto_generichash(ret, ret_n, bytes, n, key, key != NULL ? JB_KEY_BYTES : 0);
}

static void
derive(const struct jb_people_key *key, const uint8_t ledger_id[16], char purpose, uint8_t *ret,
       size_t ret_n)
{
    uint8_t bytes[8 + 16 + 8 + 1];
    memcpy(bytes, "jangbuP2", 8);
    memcpy(bytes + 8, ledger_id, 16);
    jb_put_be(bytes + 24, 8, key->epoch);
    bytes[32] = (uint8_t)purpose;
    jb_seal_hash(key->key, bytes, sizeof bytes, ret, ret_n);
}

void
jb_seal_derive(const struct jb_people_key *key, const uint8_t ledger_id[16],
               struct jb_seal_keys *ret)
{
    ret->epoch = key->epoch;
    derive(key, ledger_id, 'W', ret->wrap, sizeof ret->wrap);
    derive(key, ledger_id, 'I', ret->index, sizeof ret->index);
    derive(key, ledger_id, 'M', ret->meta, sizeof ret->meta);
    derive(key, ledger_id, 'C', ret->check, sizeof ret->check);
}

void
jb_seal_box(const uint8_t key[JB_KEY_BYTES], const uint8_t *beside, size_t beside_n,
            const void *text, size_t n, uint8_t *ret)
{
    randombytes_buf(ret, NONCE_BYTES);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(ret + NONCE_BYTES, NULL, text, n, beside,
                                                     beside_n, NULL, ret, key);
}

bool
jb_seal_open(const uint8_t key[JB_KEY_BYTES], const uint8_t *beside, size_t beside_n,
             const uint8_t *box, size_t box_n, void *ret)
{
    return box_n >= JB_BOX_BESIDE && crypto_aead_xchacha20poly1305_ietf_decrypt(
                                         ret, NULL, NULL, box + NONCE_BYTES, box_n - NONCE_BYTES,
                                         beside, beside_n, box, key) == 0;
}
