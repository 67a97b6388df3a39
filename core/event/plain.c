#include "event/plain.h"

/* Its key is no longer than an id. */
static_assert(3 + 3 * 9 + 2 + JB_ID_BYTES_MAX + 2 + JB_SHORT_BYTES_MAX + 9 + 2 + JB_ID_BYTES_MAX +
                      2 * 9 + 8 <=
                  JB_USUAL_BYTES_MAX,
              "what is read of a usual event is there");
static_assert(JB_EVF_KEY < 0x80, "its flags are one byte");

/* What its form does not say. */
static bool
holds(const struct jb_plain_form *f, jb_seq seq, const struct jb_event_context *context,
      struct jb_event_plain *ret)
{
    if (context->base < JB_INSTANT_MIN || context->base > JB_INSTANT_MAX ||
        f->after > (uint64_t)(JB_INSTANT_MAX - context->base) ||
        !jb_utf8_valid((const char *)f->usage, f->usage_n, NULL)) {
        return false;
    }
    *ret = (struct jb_event_plain){.wallet = (uint32_t)f->wallet,
                                   .prev = seq - f->back,
                                   .recorded_at = context->base + (jb_instant)f->after,
                                   .usage = {(const char *)f->usage, f->usage_n},
                                   .amount = (jb_amount)f->amount,
                                   .lot = (uint32_t)f->lot};
    return true;
}

size_t
jb_event_plain(const uint8_t *bytes, size_t n, jb_seq seq, const struct jb_event_context *context,
               struct jb_event_plain *ret)
{
    struct jb_plain_form f;
    const size_t taken = jb_plain_read(bytes, n, seq, &f);
    return taken != 0 && holds(&f, seq, context, ret) ? taken : 0;
}

static inline bool
take_text(const uint8_t **p, size_t max, struct jb_text *ret)
{
    const bool empty = **p == 0xa0;
    const size_t n = empty ? 0 : jb_plain_take_length(p);
    *p += empty;
    if (n > max) {
        return false;
    }
    *ret = (struct jb_text){(const char *)*p, n};
    *p += n;
    return jb_utf8_valid(ret->s, n, NULL);
}

size_t
jb_event_usual(const uint8_t *bytes, size_t n, jb_seq seq, const struct jb_event_context *context,
               struct jb_event_usual *ret)
{
    const uint8_t *p = bytes + 3;
    struct jb_plain_form f;
    if (n < JB_USUAL_BYTES_MAX || bytes[0] != 0x9b || bytes[1] != JB_EV_CASH_CONSUMED ||
        bytes[2] != JB_EVF_KEY) {
        ret->key = ret->caller = (struct jb_text){NULL, 0};
        ret->fingerprint = 0;
        return jb_event_plain(bytes, n, seq, context, &ret->plain);
    }
    if (!jb_plain_take_head(&p, seq, &f) || !take_text(&p, JB_ID_BYTES_MAX, &ret->key) ||
        ret->key.n == 0 || !take_text(&p, JB_SHORT_BYTES_MAX, &ret->caller)) {
        return 0;
    }
    ret->fingerprint = jb_plain_take(&p);
    return ret->fingerprint != UINT64_MAX && jb_plain_take_fields(&p, &f) &&
                   holds(&f, seq, context, &ret->plain)
               ? (size_t)(p - bytes)
               : 0;
}
