/*
 * Events to bytes and back. docs/format.md is normative.
 *
 * An event is one msgpack array in canonical form: [type, flags, wallet, seq - prev, recorded_at -
 * base, (what the flags say), fields]. Decoding accepts exactly what encoding writes (and skippable
 * events of types that it does not know), and survives any bytes.
 */
#ifndef JANGBU_CODEC_H
#define JANGBU_CODEC_H

#include <assert.h>
#include <jangbu/event.h>

#include "base/bytes.h"
#include "event/bounds.h"

struct jb_buffer {
    uint8_t *at;
    size_t n, cap;
};

/* What is on disk has these sizes and numbers. */
static_assert(sizeof(struct jb_int128) == 16, "a control total has 16 bytes");
static_assert(sizeof(((struct jb_ledger_created *)0)->ledger_id) == 16, "a ledger's id has 16");
static_assert(JB_PART_LAPSED == 3, "the kind of a part stands in two bits");

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

/* How many elements stand before the fields. */
size_t jb_event_envelope_n(uint32_t flags);
/* How many fields a version of the type has. */
uint32_t jb_event_fields_n(const struct jb_event_type_info *type, uint32_t version);
/* Sets the version, and the flag, that e is written with. */
void jb_event_set_version(struct jb_event *e);

/*
 * Appends e to out. NULL: it is there. Else a sentence, and out is as before: jb_encode_no_memory,
 * or why decoding would not give e back (a value outside its bounds, a word that there is none of,
 * bytes that are no UTF-8, a flag that does not fit the values).
 */
const char *jb_event_encode(const struct jb_event *e, const struct jb_event_context *context,
                            struct jb_buffer *out);
extern const char jb_encode_no_memory[];

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

/* plain.c: a consumption by a wallet out of one lot, and nothing in its envelope. */
struct jb_event_plain {
    uint32_t wallet;
    uint32_t lot;
    jb_seq prev;
    jb_instant recorded_at; /* it occurred then, too, and is posted on that day */
    struct jb_text usage;   /* points into the bytes */
    jb_amount amount;
};
/* How many bytes it takes, as jb_event_decode; 0: it is another event, or one that jb_event_decode
 * has to look at. */
size_t jb_event_plain(const uint8_t *p, size_t n, jb_seq seq,
                      const struct jb_event_context *context, struct jb_event_plain *ret);

/* The same, or with a key of its own in its envelope: what there is most of. None is longer; of
 * fewer bytes than that only a plain one is read. */
#define JB_USUAL_BYTES_MAX 256
struct jb_event_usual {
    struct jb_event_plain plain;
    struct jb_text key, caller; /* key.s NULL: it has none */
    uint64_t fingerprint;
};
size_t jb_event_usual(const uint8_t *p, size_t n, jb_seq seq,
                      const struct jb_event_context *context, struct jb_event_usual *ret);

/* Whether those n bytes, all of them, decode to the very event: for builds with JB_CHECKS. */
bool jb_event_reads_back(const struct jb_event *e, const struct jb_event_context *context,
                         const uint8_t *p, size_t n);

/* How many bytes the event at p takes, if it is one, without looking at what it says; 0 where it
 * has no end within n. */
size_t jb_event_length(const uint8_t *p, size_t n);

#endif
