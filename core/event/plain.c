/*
 * The event that there is most of: a consumption by a wallet out of one lot, without anything in
 * its envelope. Its form is looked at as decode.c does; whatever is not as usual is decoded there.
 */
#include "event/codec.h"

/* No plain consumption is longer: who has so many bytes reads without looking for their end. */
#define PLAIN_BYTES_MAX 128

/* The number at *p, whose bytes are there. UINT64_MAX, which is out of every bound here: it is
 * none, or not in its shortest form. */
static inline uint64_t
take(const uint8_t **p)
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
take_length(const uint8_t **p)
{
    const uint8_t tag = *(*p)++;
    if (tag > 0xa0 && tag < 0xc0) {
        return tag & 0x1fU;
    }
    const size_t n = tag == 0xd9 ? *(*p)++ : 0;
    return n < 32 ? SIZE_MAX : n;
}

size_t
jb_event_plain(const uint8_t *bytes, size_t n, jb_seq seq, const struct jb_event_context *context,
               struct jb_event_plain *ret)
{
    const uint8_t *p = bytes + 3;
    if (n < PLAIN_BYTES_MAX || bytes[0] != 0x98 || bytes[1] != JB_EV_CASH_CONSUMED ||
        bytes[2] != 0) {
        return 0;
    }
    const uint64_t wallet = take(&p), back = take(&p), after = take(&p);
    const size_t usage_n = take_length(&p);
    if (wallet == 0 || wallet > UINT32_MAX || back == 0 || back >= seq ||
        usage_n > JB_ID_BYTES_MAX || context->base < JB_INSTANT_MIN ||
        context->base > JB_INSTANT_MAX || after > (uint64_t)(JB_INSTANT_MAX - context->base)) {
        return 0;
    }
    const char *usage = (const char *)p;
    p += usage_n;
    const uint64_t amount = take(&p), lot = take(&p);
    if (amount == 0 || amount > (uint64_t)JB_BALANCE_MAX || lot == 0 || lot > UINT32_MAX ||
        !jb_utf8_valid(usage, usage_n, NULL)) {
        return 0;
    }
    *ret = (struct jb_event_plain){.wallet = (uint32_t)wallet,
                                   .prev = seq - back,
                                   .recorded_at = context->base + (jb_instant)after,
                                   .usage = {usage, usage_n},
                                   .amount = (jb_amount)amount,
                                   .lot = (uint32_t)lot};
    return (size_t)(p - bytes);
}
static_assert(3 + 3 * 9 + 2 + JB_ID_BYTES_MAX + 2 * 9 + 8 <= PLAIN_BYTES_MAX,
              "what is read of a plain consumption is there");
static_assert(JB_EV_CASH_CONSUMED < 0x80, "its type is one byte");
