/* Text that grows, and JSON written into it. */
#ifndef JANGBU_OUT_H
#define JANGBU_OUT_H

#include <jangbu/command.h>
#include <string.h>

struct out {
    char *at;
    size_t n, cap;
    bool first;     /* the next member or item is the first of its object or list: no comma */
    uint64_t as_of; /* number of the moment that was written last; 0: none */
    bool no_memory; /* and so something is missing: whoever uses the text looks at this first */
    const char *const *hidden; /* what sentences leave out (out_told); NULL: nothing */
    /* The day and the time that were written last: events have the same ones over and over. */
    jb_day day;
    jb_instant instant;
    int32_t utc_offset_s;
    size_t day_n, instant_n; /* bytes; 0: none yet */
    char day_text[JB_DAY_TEXT_BYTES];
    char instant_text[JB_INSTANT_TEXT_BYTES];
};

/* Room for `more` bytes at o->at + o->n. False: there is no memory. Nothing is written any more,
 * and what there is is not the whole. */
bool out_grow(struct out *o, size_t more);
static inline bool
out_reserve(struct out *o, size_t more)
{
    return !o->no_memory && (o->cap - o->n >= more || out_grow(o, more));
}

static inline void
out_bytes(struct out *o, const char *s, size_t n)
{
    if (n > 0 && out_reserve(o, n)) {
        memcpy(o->at + o->n, s, n);
        o->n += n;
    }
}

/* Nearly all are words of ours, whose length the compiler knows. */
static inline void
out_str(struct out *o, const char *s)
{
    out_bytes(o, s, strlen(s));
}

static inline void
out_char(struct out *o, char c)
{
    if (out_reserve(o, 1)) {
        o->at[o->n++] = c;
    }
}

void out_int(struct out *o, int64_t value);
void out_uint(struct out *o, uint64_t value);
void out_day(struct out *o, jb_day d);
void out_instant(struct out *o, jb_instant t, int32_t utc_offset_s);
/* A sentence for readers elsewhere, without the paths of hidden, which NULL ends: what ends with /
 * is left out, so that the file's name stays; else LEDGER stands in its place. What is no UTF-8
 * becomes a replacement character. */
void out_told(struct out *o, const char *s, const char *const *hidden);
/* Whether that leaves something out. hidden NULL: it does not. */
bool sentence_hides(const char *s, const char *const *hidden);
/* ---- JSON ---- */

/* A comma, where one belongs, and the key; NULL: an item of a list. Keys are words of ours: there
 * is nothing in them to escape, and the compiler nearly always knows how long they are. */
static inline void
js_member(struct out *o, const char *key)
{
    const size_t n = key != NULL ? strlen(key) : 0;
    if (!out_reserve(o, n + 4)) {
        return;
    }
    char *at = o->at + o->n;
    if (!o->first) {
        *at++ = ',';
    }
    if (key != NULL) {
        *at++ = '"';
        memcpy(at, key, n);
        at += n;
        *at++ = '"';
        *at++ = ':';
    }
    o->first = false;
    o->n = (size_t)(at - o->at);
}

/* As a string, with what must be escaped. */
void out_quoted(struct out *o, const char *s, size_t n);

static inline void
js_null(struct out *o, const char *key)
{
    js_member(o, key);
    out_str(o, "null");
}

static inline void
js_text(struct out *o, const char *key, struct jb_text t)
{
    js_member(o, key);
    out_quoted(o, t.s != NULL ? t.s : "", t.n);
}

static inline void
js_str(struct out *o, const char *key, const char *s)
{
    if (s == NULL) {
        js_null(o, key);
        return;
    }
    js_text(o, key, (struct jb_text){s, strlen(s)});
}

static inline void
js_int(struct out *o, const char *key, int64_t value)
{
    js_member(o, key);
    out_int(o, value);
}

static inline void
js_uint(struct out *o, const char *key, uint64_t value)
{
    js_member(o, key);
    out_uint(o, value);
}

static inline void
js_bool(struct out *o, const char *key, bool value)
{
    js_member(o, key);
    out_str(o, value ? "true" : "false");
}

/* A sentence of ours, in which a text that somebody gave may have been cut: it is UTF-8 then, too.
 */
void js_sentence(struct out *o, const char *key, const char *s);
void js_number(struct out *o, const char *key, const char *number); /* as it is written */
void js_wide(struct out *o, const char *key, const uint8_t be[16]);
void js_hex(struct out *o, const char *key, const uint8_t *bytes, size_t n);
void js_day(struct out *o, const char *key, jb_day d);         /* JB_NO_DAY: null */
void js_month(struct out *o, const char *key, uint32_t month); /* 202603; 0: null */
void js_instant(struct out *o, const char *key, jb_instant t,
                int32_t utc_offset_s); /* JB_NO_INSTANT: null */
void js_open(struct out *o, const char *key, char bracket);
void js_close(struct out *o, char bracket);
void js_line_end(struct out *o); /* the next object is a line of its own */
#endif
