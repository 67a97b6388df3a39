/*
 * The event that there is most of: a consumption by a wallet out of one lot, without anything in
 * its envelope. What is looked at here is its form alone, as decode.c does; whatever is not as
 * usual is decoded there. In a header, because who replays reads tens of millions a second.
 */
#ifndef JANGBU_EVENT_PLAIN_H
#define JANGBU_EVENT_PLAIN_H

#include "event/codec.h"

/* No plain consumption is longer: who has so many bytes reads without looking for their end. */
#define JB_PLAIN_BYTES_MAX 128

/* As it stands: back is how many events the wallet's one before lies behind it, after how much
 * later than its frame's base it was recorded. */
struct jb_plain_form {
    uint64_t wallet, back, after, amount, lot;
    const uint8_t *usage;
    size_t usage_n;
};

/* The number at *p, whose bytes are there. UINT64_MAX, which is out of every bound here: it is
 * none, or not in its shortest form. */
static inline uint64_t
jb_plain_take(const uint8_t **p)
{
    const uint8_t tag = *(*p)++;
    if (tag < 0x80) {
        return tag;
    }
    if (tag < 0xcc || tag > 0xcf) {
        return UINT64_MAX;
    }
    const unsigned bytes = 1U << (tag - 0xcc);
    uint64_t value;
    memcpy(&value, *p, 8);
    value = be64toh(value) >> (64 - 8 * bytes);
    *p += bytes;
    const uint64_t least = bytes == 1 ? 0x80 : UINT64_C(1) << (bytes * 4);
    return value < least ? UINT64_MAX : value;
}

/* SIZE_MAX: no text, or its length is not in its shortest form. */
static inline size_t
jb_plain_take_length(const uint8_t **p)
{
    const uint8_t tag = *(*p)++;
    if (tag > 0xa0 && tag < 0xc0) {
        return tag & 0x1fU;
    }
    const size_t n = tag == 0xd9 ? *(*p)++ : 0;
    return n < 32 ? SIZE_MAX : n;
}

/* What stands before the envelope's options, and behind them. */
static inline bool
jb_plain_take_head(const uint8_t **p, jb_seq seq, struct jb_plain_form *ret)
{
    ret->wallet = jb_plain_take(p);
    ret->back = jb_plain_take(p);
    ret->after = jb_plain_take(p);
    return ret->wallet != 0 && ret->wallet <= UINT32_MAX && ret->back != 0 && ret->back < seq &&
           ret->after <= INT64_MAX;
}

static inline bool
jb_plain_take_fields(const uint8_t **p, struct jb_plain_form *ret)
{
    ret->usage_n = jb_plain_take_length(p);
    if (ret->usage_n > JB_ID_BYTES_MAX) {
        return false;
    }
    ret->usage = *p;
    *p += ret->usage_n;
    ret->amount = jb_plain_take(p);
    ret->lot = jb_plain_take(p);
    return ret->amount != 0 && ret->amount <= (uint64_t)JB_BALANCE_MAX && ret->lot != 0 &&
           ret->lot <= UINT32_MAX;
}

/* How many bytes it takes; 0: it is another event, or one that jb_event_decode has to look at. Its
 * usage may be no UTF-8, and `after` beyond every instant. */
static inline size_t
jb_plain_read(const uint8_t *bytes, size_t n, jb_seq seq, struct jb_plain_form *ret)
{
    const uint8_t *p = bytes + 3;
    if (n < JB_PLAIN_BYTES_MAX || bytes[0] != 0x98 || bytes[1] != JB_EV_CASH_CONSUMED ||
        bytes[2] != 0) {
        return 0;
    }
    return jb_plain_take_head(&p, seq, ret) && jb_plain_take_fields(&p, ret) ? (size_t)(p - bytes)
                                                                             : 0;
}
static_assert(3 + 3 * 9 + 2 + JB_ID_BYTES_MAX + 2 * 9 + 8 <= JB_PLAIN_BYTES_MAX,
              "what is read of a plain consumption is there");
static_assert(JB_EV_CASH_CONSUMED < 0x80, "its type is one byte");

#endif
