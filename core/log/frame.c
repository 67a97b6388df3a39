#include "log/frame.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static_assert(JB_FRAME_CHAIN + JB_CHAIN_BYTES == JB_FRAME_EVENTS, "the frame's header has a hole");

static uint32_t
table_entries(uint32_t count)
{
    return count > JB_FRAME_STRIDE ? (count - 1) / JB_FRAME_STRIDE : 0;
}

size_t
jb_frame_size(uint32_t count, size_t bytes)
{
    return JB_FRAME_EVENTS + bytes + (size_t)table_entries(count) * 4;
}

static bool
no(struct jb_frame_failure *failure, size_t at, const char *why)
{
    *failure = (struct jb_frame_failure){at, why, false};
    return false;
}

bool
jb_frame_parse(jb_seq key, const uint8_t *value, size_t n, struct jb_frame *ret,
               struct jb_frame_failure *failure)
{
    if (n < JB_FRAME_EVENTS) {
        return no(failure, 0, "the frame is shorter than its header");
    }
    uint64_t format = jb_get_be(value + JB_FRAME_FORMAT, 2);
    uint32_t must = (uint32_t)jb_get_be(value + JB_FRAME_MUST, 2);
    if (format != JB_LOG_FORMAT || (must & ~(JB_FRAME_LAST | JB_FRAME_OFFSETS)) != 0) {
        *failure = (struct jb_frame_failure){
            format != JB_LOG_FORMAT ? JB_FRAME_FORMAT : JB_FRAME_MUST,
            "the frame has a format or a flag that this version does not know", true};
        return false;
    }
    struct jb_frame f = {
        .must = must,
        .first = jb_get_be(value + JB_FRAME_FIRST, 8),
        .base = (jb_instant)jb_get_be(value + JB_FRAME_BASE, 8),
        .count = (uint32_t)jb_get_be(value + JB_FRAME_COUNT, 4),
        .bytes = (uint32_t)jb_get_be(value + JB_FRAME_BYTES, 4),
        .events = value + JB_FRAME_EVENTS,
        .chain = value + JB_FRAME_CHAIN,
        .value = value,
        .value_n = n,
    };
    if (jb_get_be(value + JB_FRAME_RESERVED, 2) != 0) {
        return no(failure, JB_FRAME_RESERVED, "reserved bytes of the frame are not zero");
    }
    if (f.first != key || f.first == 0) {
        return no(failure, JB_FRAME_FIRST, "the frame's first number is not its key");
    }
    if (f.count == 0 || f.bytes < f.count || f.first > UINT64_MAX - f.count) {
        return no(failure, JB_FRAME_COUNT, "the frame's number of events is not possible");
    }
    if (n > JB_FRAME_VALUE_MAX || jb_frame_size(f.count, f.bytes) != n) {
        return no(failure, JB_FRAME_BYTES, "the frame's length is not what its header says");
    }
    if (((must & JB_FRAME_OFFSETS) != 0) != (table_entries(f.count) != 0)) {
        return no(failure, JB_FRAME_MUST, "the frame's offset table is missing, or one too many");
    }
    if (must & JB_FRAME_OFFSETS) {
        f.offsets = f.events + f.bytes;
    }
    *ret = f;
    return true;
}

static void
chain_value(const uint8_t prev[JB_CHAIN_BYTES], const uint8_t *value, size_t n,
            uint8_t ret[JB_CHAIN_BYTES])
{
    XXH3_state_t state; /* XXH_INLINE_ALL gives it the alignment that it wants */
    XXH3_128bits_reset(&state);
    XXH3_128bits_update(&state, prev, JB_CHAIN_BYTES);
    XXH3_128bits_update(&state, value, JB_FRAME_CHAIN);
    XXH3_128bits_update(&state, value + JB_FRAME_EVENTS, n - JB_FRAME_EVENTS);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
    memcpy(ret, canonical.digest, JB_CHAIN_BYTES);
}

bool
jb_frame_chained(const struct jb_frame *f, const uint8_t prev[JB_CHAIN_BYTES])
{
    uint8_t chain[JB_CHAIN_BYTES];
    chain_value(prev, f->value, f->value_n, chain);
    return memcmp(chain, f->chain, JB_CHAIN_BYTES) == 0;
}

void
jb_frame_root(const struct jb_event *e, uint8_t ret[JB_CHAIN_BYTES])
{
    /* "jangbu" NUL, format 2, currency 3, exponent 1, UTC offset 4, ledger id 16. */
    uint8_t root[7 + 2 + 3 + 1 + 4 + 16] = "jangbu";
    const struct jb_ledger_created *c = &e->ledger_created;
    jb_put_be(root + 7, 2, c->format);
    memcpy(root + 9, c->currency.s, c->currency.n < 3 ? c->currency.n : 3);
    root[12] = (uint8_t)c->exponent;
    jb_put_be(root + 13, 4, (uint32_t)(int32_t)c->utc_offset_s);
    memcpy(root + 17, c->ledger_id, 16);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(root, sizeof root));
    memcpy(ret, canonical.digest, JB_CHAIN_BYTES);
}

bool
jb_frame_own_root(const struct jb_frame *first, uint8_t ret[JB_CHAIN_BYTES])
{
    struct jb_event_context context = {first->base, 0};
    struct jb_event_space space = {0};
    struct jb_decode_failure failure;
    struct jb_event e;
    bool ok = jb_event_decode(first->events, first->bytes, 1, &context, &e, &space, &failure) > 0 &&
              e.type == JB_EV_LEDGER_CREATED;
    if (ok) {
        jb_frame_root(&e, ret);
    }
    jb_event_space_free(&space);
    return ok;
}

void
jb_frame_write(uint8_t *out, uint32_t must, jb_seq first, jb_instant base, uint32_t count,
               const uint8_t *events, size_t bytes, const uint32_t *ends, uint32_t start,
               uint8_t chain[JB_CHAIN_BYTES])
{
    uint32_t entries = table_entries(count);
    jb_put_be(out + JB_FRAME_FORMAT, 2, JB_LOG_FORMAT);
    jb_put_be(out + JB_FRAME_MUST, 2, must | (entries > 0 ? JB_FRAME_OFFSETS : 0));
    jb_put_be(out + JB_FRAME_MAY, 2, 0);
    jb_put_be(out + JB_FRAME_RESERVED, 2, 0);
    jb_put_be(out + JB_FRAME_FIRST, 8, first);
    jb_put_be(out + JB_FRAME_BASE, 8, (uint64_t)base);
    jb_put_be(out + JB_FRAME_COUNT, 4, count);
    jb_put_be(out + JB_FRAME_BYTES, 4, bytes);
    memcpy(out + JB_FRAME_EVENTS, events, bytes);
    for (uint32_t i = 1; i <= entries; i++) {
        jb_put_be(out + JB_FRAME_EVENTS + bytes + (size_t)(i - 1) * 4, 4,
                  ends[i * JB_FRAME_STRIDE - 1] - start);
    }
    chain_value(chain, out, jb_frame_size(count, bytes), out + JB_FRAME_CHAIN);
    memcpy(chain, out + JB_FRAME_CHAIN, JB_CHAIN_BYTES);
}

size_t
jb_frame_offset(const struct jb_frame *f, jb_seq seq)
{
    uint32_t index = (uint32_t)(seq - f->first);
    size_t at = 0;
    uint32_t skip = index;
    if (index >= JB_FRAME_STRIDE && f->offsets != NULL) {
        at = (size_t)jb_get_be(f->offsets + (size_t)(index / JB_FRAME_STRIDE - 1) * 4, 4);
        skip = index % JB_FRAME_STRIDE;
    }
    for (uint32_t i = 0; i < skip; i++) {
        size_t length = at < f->bytes ? jb_event_length(f->events + at, f->bytes - at) : 0;
        if (length == 0) {
            return SIZE_MAX;
        }
        at += length;
    }
    return at < f->bytes ? at : SIZE_MAX;
}
