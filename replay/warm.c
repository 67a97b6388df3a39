/*
 * What the next events of a frame need comes near to the processor, side by side, while nobody
 * waits for it: an audit of many wallets waits for memory most of its time. It changes nothing, and
 * what it reads of the events are hints: bytes that are no events send for memory in vain.
 */
#include "replay/audit.h"

static_assert(JB_FRAME_STRIDE <= JB_FOLD_WARM_MAX, "all of a piece are sent for");

/* How many bytes a number that begins with this tag takes; 0: it is none. */
static size_t
number_bytes(uint8_t tag)
{
    return tag < 0x80 ? 1 : tag >= 0xcc && tag <= 0xcf ? 1 + (1U << (tag - 0xcc)) : 0;
}

/* The wallet of the event at p: the third number, behind the length of an array. */
static uint32_t
wallet_at(const uint8_t *p, size_t n)
{
    size_t at = n > 0 && p[0] == 0xdc ? 3 : 1, bytes = 0;
    for (unsigned i = 0; i < 3 && at < n; i++, at += bytes) {
        bytes = number_bytes(p[at]);
        if (bytes == 0 || bytes > n - at) {
            return 0;
        }
        if (i == 2) {
            return bytes == 1 ? p[at] : (uint32_t)jb_get_be(p + at + 1, (unsigned)bytes - 1);
        }
    }
    return 0;
}

static void
send_for(const void *what, size_t n)
{
    for (size_t at = 0; what != NULL && at < n; at += JB_CACHE_LINE) {
        __builtin_prefetch((const char *)what + at, 1);
    }
    __builtin_prefetch(what != NULL ? (const char *)what + n - 1 : NULL, 1); /* on another line */
}

static const struct jb_cached_wallet *
slot_of(const struct jb_state *b, uint32_t number)
{
    return number > 0 && number <= b->slots.n ? b->slots.at[number - 1] : NULL;
}

static void
warm_state(const struct jb_state *b, const uint32_t *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (numbers[i] > 0 && numbers[i] <= b->slots.n) {
            __builtin_prefetch(&b->slots.at[numbers[i] - 1]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        send_for(slot_of(b, numbers[i]), sizeof(struct jb_cached_wallet));
    }
    for (size_t i = 0; i < n; i++) {
        const struct jb_cached_wallet *s = slot_of(b, numbers[i]);
        if (s != NULL && s->w.first_lot < s->w.lots.n) {
            send_for(&s->w.lots.at[s->w.first_lot], sizeof(struct jb_lot));
        }
        if (s != NULL) {
            send_for(s->w.rest, sizeof *s->w.rest);
        }
    }
}

size_t
jb_audit_warm(const struct jb_state *b, const struct jb_fold *fold, const uint8_t *events, size_t n,
              uint32_t count, uint32_t wallets[JB_FRAME_STRIDE])
{
    size_t got = 0;
    for (size_t at = 0; got < count && got < JB_FRAME_STRIDE && at < n;) {
        const size_t length = jb_event_length(events + at, n - at);
        wallets[got++] = wallet_at(events + at, n - at);
        at = length != 0 ? at + length : n;
    }
    if (b != NULL) {
        warm_state(b, wallets, got);
    }
    if (fold != NULL) {
        jb_fold_warm(fold, wallets, got);
    }
    return got;
}
