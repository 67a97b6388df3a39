/* clang-format off */
/*
 * A frame: one LMDB value that holds 1..n events. docs/format.md is normative; the numbers here are
 * checked against it by a test.
 *
 *   offset  bytes  meaning (numbers are big endian)
 *        0      2  format, 1
 *        2      2  flags that a reader must understand: 1 last of its commit, 2 an offset table
 *                  follows the events
 *        4      2  flags that a reader may ignore; none yet
 *        6      2  zero
 *        8      8  sequence number of the first event (the LMDB key, too)
 *       16      8  base time, microseconds since 1970, two's complement
 *       24      4  number of events
 *       28      4  bytes of events, b
 *       32     16  chain value: XXH3-128 over the previous chain value, bytes 0..31, bytes 48..end
 *       48      b  the events, one after the other
 *     48+b     4k  with flag 2: the offset (from 48) of every 64th event: of event 64, 128, ...
 *
 * A frame is valid if and only if: its length is exactly that; the reserved bytes are zero; no
 * unknown flag that must be understood is set; the table is there exactly when it holds more than 64
 * events; its first number is one more than the last of the frame before; and its chain value holds.
 * A crash leaves whole commits behind, never part of one: LMDB sees to that.
 */
/* clang-format on */
#ifndef JANGBU_FRAME_H
#define JANGBU_FRAME_H

#include <assert.h>

#include "event/codec.h"

enum {
    JB_FRAME_FORMAT = 0,
    JB_FRAME_MUST = 2,
    JB_FRAME_MAY = 4,
    JB_FRAME_RESERVED = 6,
    JB_FRAME_FIRST = 8,
    JB_FRAME_BASE = 16,
    JB_FRAME_COUNT = 24,
    JB_FRAME_BYTES = 28,
    JB_FRAME_CHAIN = 32,
    JB_FRAME_EVENTS = 48,
    JB_FRAME_STRIDE = 64,
    JB_FRAME_VALUE_MAX = 4 << 20
};
static_assert(JB_EVENT_BYTES_MAX == JB_FRAME_VALUE_MAX - JB_FRAME_EVENTS,
              "an event of the largest size fits into a frame of its own");
#define JB_FRAME_LAST 1U
#define JB_FRAME_OFFSETS 2U

#define JB_CHAIN_BYTES 16

struct jb_frame {
    uint32_t must;
    jb_seq first;
    jb_instant base;
    uint32_t count;
    uint32_t bytes;
    const uint8_t *events;
    const uint8_t *offsets; /* NULL: no table */
    const uint8_t *chain;
    const uint8_t *value;
    size_t value_n;
};

struct jb_frame_failure {
    size_t at;
    const char *why;
    bool newer;
};

/* Looks at the header and the lengths only. False with the reason. key is the LMDB key as a number.
 */
bool jb_frame_parse(jb_seq key, const uint8_t *value, size_t n, struct jb_frame *ret,
                    struct jb_frame_failure *failure);
/* Whether the frame's chain value follows from prev. */
bool jb_frame_chained(const struct jb_frame *f, const uint8_t prev[JB_CHAIN_BYTES]);
/* What the first frame is chained from: format, currency, exponent, UTC offset and ledger id. */
void jb_frame_root(const struct jb_event *ledger_created, uint8_t ret[JB_CHAIN_BYTES]);

/* The same out of the first frame itself. False where its first event is not one. */
bool jb_frame_own_root(const struct jb_frame *first, uint8_t ret[JB_CHAIN_BYTES]);

/* How long a frame's value is. */
size_t jb_frame_size(uint32_t count, size_t bytes);
/* Writes the frame of `count` events whose bytes are given into out (jb_frame_size bytes); ends[i]
 * is the end of event i in the bytes. chain goes in as the previous value and comes out as the
 * frame's. */
void jb_frame_write(uint8_t *out, uint32_t must, jb_seq first, jb_instant base, uint32_t count,
                    const uint8_t *events, size_t bytes, const uint32_t *ends, uint32_t start,
                    uint8_t chain[JB_CHAIN_BYTES]);
/* Where event seq begins among the frame's events; SIZE_MAX where the events before it are not well
 * formed. */
size_t jb_frame_offset(const struct jb_frame *f, jb_seq seq);

#endif
