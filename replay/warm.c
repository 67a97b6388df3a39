/*
 * The next events of a frame, as far as their form shows: those that are usual are read, and what
 * all of them need comes near to the processor, side by side, while nobody waits for it: an audit
 * of many wallets waits for memory most of its time. Of events that are not usual only hints are
 * read: bytes that are no events send for memory in vain.
 */
#include "replay/audit.h"

static_assert(JB_AHEAD_MAX <= JB_FOLD_WARM_MAX, "all of a piece are sent for");

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

/* Who reads usual events looks for no end of theirs: the last ones are read from a copy that goes
 * on behind them. */
struct tail {
    uint8_t *copy;
    size_t at, n; /* of what; n 0: nothing yet */
};

static size_t
usual(struct tail *t, const uint8_t *events, size_t at, size_t n, jb_seq seq,
      const struct jb_event_context *context, struct jb_event_usual *ret)
{
    if (n - at >= JB_USUAL_BYTES_MAX) {
        return jb_event_usual(events + at, n - at, seq, context, ret);
    }
    if (t->n == 0) {
        t->at = at;
        t->n = n - at;
        memcpy(t->copy, events + at, t->n);
        memset(t->copy + t->n, 0, JB_USUAL_BYTES_MAX);
    }
    const size_t bytes =
        jb_event_usual(t->copy + (at - t->at), JB_USUAL_BYTES_MAX, seq, context, ret);
    return bytes <= n - at ? bytes : 0;
}

void
jb_ahead_read(struct jb_ahead *a, const uint8_t *events, size_t n, uint32_t count, jb_seq first,
              const struct jb_event_context *context)
{
    struct tail tail = {.copy = a->tail};
    size_t at = 0;
    a->next = a->n = a->others_n = 0;
    while (a->n < count && a->n < JB_AHEAD_MAX && at < n) {
        struct jb_ahead_event *x = &a->events[a->n];
        x->begin = events + at;
        x->bytes = usual(&tail, events, at, n, first + a->n, context, &x->e);
        size_t length = x->bytes;
        if (length == 0) {
            a->others[a->others_n++] = wallet_at(events + at, n - at);
            length = jb_event_length(events + at, n - at);
        }
        a->n++;
        at = length != 0 ? at + length : n;
    }
}

void
jb_audit_warm(const struct jb_state *b, const uint32_t *numbers, size_t n)
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

/* All of a wallet that a usual event looks at. It is read: of so much that is sent for at once a
 * processor leaves some out. */
static void
read_hot(const struct jb_cached_wallet *s)
{
    const volatile char *hot = s != NULL ? (const volatile char *)s + JB_SLOT_HOT : NULL;
    for (size_t at = 0; hot != NULL && at < JB_SLOT_HOT_BYTES; at += JB_CACHE_LINE) {
        (void)hot[at];
    }
    (void)(hot != NULL ? hot[JB_SLOT_HOT_BYTES - 1] : 0); /* on another line */
}

void
jb_ahead_warm(const struct jb_ahead *a, const struct jb_state *b)
{
    for (size_t i = 0; i < a->n; i++) {
        const uint32_t number = a->events[i].e.plain.wallet;
        if (a->events[i].bytes != 0 && number <= b->slots.n) {
            __builtin_prefetch(&b->slots.at[number - 1]);
        }
    }
    for (size_t i = 0; i < a->n; i++) {
        if (a->events[i].bytes != 0) {
            read_hot(slot_of(b, a->events[i].e.plain.wallet));
        }
    }
    jb_audit_warm(b, a->others, a->others_n);
    JB_KEEP();
}
