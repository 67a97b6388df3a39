#include "event/plain.h"

size_t
jb_event_plain(const uint8_t *bytes, size_t n, jb_seq seq, const struct jb_event_context *context,
               struct jb_event_plain *ret)
{
    struct jb_plain_form f;
    const size_t taken = jb_plain_read(bytes, n, seq, &f);
    if (taken == 0 || context->base < JB_INSTANT_MIN || context->base > JB_INSTANT_MAX ||
        f.after > (uint64_t)(JB_INSTANT_MAX - context->base) ||
        !jb_utf8_valid((const char *)f.usage, f.usage_n, NULL)) {
        return 0;
    }
    *ret = (struct jb_event_plain){.wallet = (uint32_t)f.wallet,
                                   .prev = seq - f.back,
                                   .recorded_at = context->base + (jb_instant)f.after,
                                   .usage = {(const char *)f.usage, f.usage_n},
                                   .amount = (jb_amount)f.amount,
                                   .lot = (uint32_t)f.lot};
    return taken;
}
