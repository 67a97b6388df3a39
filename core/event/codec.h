/*
 * Events to bytes and back. docs/format.md is normative.
 *
 * An event is one msgpack array in canonical form: [type, flags, wallet, seq - prev, recorded_at -
 * base, (what the flags say), fields]. Decoding accepts exactly what encoding writes (and skippable
 * events of types that it does not know), and survives any bytes.
 */
#ifndef JANGBU_CODEC_H
#define JANGBU_CODEC_H

#include <jangbu/event.h>

#include "base/bytes.h"

#define JB_FIGURES_MAX 16
/* Limit of one event's parts: enough for a consumption that sweeps every lot of a busy wallet, and
 * well below a frame. */
#define JB_PARTS_MAX 262144

struct jb_buffer {
    uint8_t *at;
    size_t n, cap;
};

/* Where a decoded event keeps what does not fit into it. Reused; jb_event_space_free. */
struct jb_event_space {
    JB_VEC(struct jb_part) parts;
    struct jb_figure figures[JB_FIGURES_MAX];
    struct jb_int128 totals[JB_TOTALS_N];
};
void jb_event_space_free(struct jb_event_space *s);

/* Sets the parts of an event whose type has some. */
void jb_event_set_parts(struct jb_event *e, struct jb_parts parts);
/* The highest reference into people.mdb that the event has, envelope included; 0: none. */
uint64_t jb_event_highest_ref(const struct jb_event *e);

/* What the frame says about its events. */
struct jb_event_context {
    jb_instant base;
    int32_t utc_offset_s;
};

/* Appends e to out. False: no memory, or e breaks its own row (an internal error). */
bool jb_event_encode(const struct jb_event *e, const struct jb_event_context *context,
                     struct jb_buffer *out);

struct jb_decode_failure {
    size_t at;       /* offset of the element that is wrong */
    const char *why; /* static */
    bool newer;      /* a type, version, flag or word that must be understood is not known here */
    bool no_memory;
};

/*
 * Decodes the event with number seq from the first bytes of [p, p + n). Returns how many bytes it
 * takes, 0 where they are not an event. Texts point into p; parts, figures and totals into space.
 */
size_t jb_event_decode(const uint8_t *p, size_t n, jb_seq seq,
                       const struct jb_event_context *context, struct jb_event *ret,
                       struct jb_event_space *space, struct jb_decode_failure *failure);

/* How many bytes the event at p takes, without looking at what it says; 0 where it is not well
 * formed. */
size_t jb_event_length(const uint8_t *p, size_t n);

#endif
