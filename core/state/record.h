/* How state stands in state.mdb: a wallet with everything that is alive in it, and what is over,
 * one record each: lists of numbers (base/numbers.h), in one form alone. A change raises
 * JB_STATE_VERSION, and older files are made anew. */
#ifndef JANGBU_RECORD_H
#define JANGBU_RECORD_H

#include "base/numbers.h"
#include "event/codec.h"
#include "wallet/wallet.h"

#define JB_STATE_VERSION 9

enum jb_archived_kind {
    JB_ARCHIVED_LOT = 1,
    JB_ARCHIVED_GRANT = 2,
    JB_ARCHIVED_REFUND = 3,
    JB_ARCHIVED_INTERVAL = 4,
    JB_ARCHIVED_FULL_LOT = 5 /* a lot with no room: reversed or refunded whole */
};

/* Intervals that stay with the wallet; older ones are over. */
#define JB_INTERVALS_KEPT 4

static inline bool
jb_lot_over(const struct jb_lot *l)
{
    return l->remaining == 0;
}
static inline enum jb_archived_kind
jb_archived_lot_kind(const struct jb_lot *l)
{
    return jb_lot_room(l) > 0 ? JB_ARCHIVED_LOT : JB_ARCHIVED_FULL_LOT;
}

static inline void
jb_archive_key(uint8_t key[9], uint32_t wallet, enum jb_archived_kind kind, uint32_t ordinal)
{
    jb_put_be(key, 4, wallet);
    key[4] = (uint8_t)kind;
    jb_put_be(key + 5, 4, ordinal);
}

static inline bool
jb_grant_over(const struct jb_grant *g)
{
    return g->remaining == 0;
}
static inline bool
jb_refund_over(const struct jb_refund *r)
{
    return r->state != JB_REFUND_REQUESTED && r->state != JB_REFUND_APPROVED;
}
static inline bool
jb_interval_over(const struct jb_wallet *w, const struct jb_interval *i)
{
    return i->ordinal + JB_INTERVALS_KEPT <= w->intervals_given;
}

/* Appends to out. False: no memory. */
bool jb_record_wallet(const struct jb_wallet *w, struct jb_buffer *out);
bool jb_record_lot(const struct jb_lot *l, struct jb_buffer *out);
bool jb_record_grant(const struct jb_grant *g, struct jb_buffer *out);
bool jb_record_refund(const struct jb_refund *r, struct jb_buffer *out);
bool jb_record_interval(const struct jb_interval *i, struct jb_buffer *out);
bool jb_record_globals(const struct jb_globals *g, struct jb_buffer *out);

/* Reads a whole record. JB_E_STALE: it is damaged; JB_E_NOMEM: nothing is known about it. ret of a
 * wallet or globals must be zeroed; what it owns then is its caller's to free, after a failure,
 * too. */
jb_status jb_read_wallet(const uint8_t *p, size_t n, struct jb_wallet *ret);
jb_status jb_read_lot(const uint8_t *p, size_t n, struct jb_lot *ret);
jb_status jb_read_grant(const uint8_t *p, size_t n, struct jb_grant *ret);
jb_status jb_read_refund(const uint8_t *p, size_t n, struct jb_refund *ret);
jb_status jb_read_interval(const uint8_t *p, size_t n, struct jb_interval *ret);
jb_status jb_read_globals(const uint8_t *p, size_t n, struct jb_globals *ret);

/* The last return of a consumption, and the sum of all of them. Returns how many bytes that is. */
#define JB_RETURN_BYTES_MAX JB_NUMBERS_BYTES_MAX(2)
size_t jb_record_return(jb_seq last, jb_amount sum, uint8_t ret[JB_RETURN_BYTES_MAX]);
/* False: it is damaged. */
bool jb_read_return(const uint8_t *p, size_t n, jb_seq *ret_last, jb_amount *ret_sum);

#endif
