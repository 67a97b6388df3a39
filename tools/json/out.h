/* Text that grows, and JSON written into it. */
#ifndef JANGBU_OUT_H
#define JANGBU_OUT_H

#include <jangbu/command.h>

struct out {
    char *at;
    size_t n, cap;
    bool first;     /* the next member or item is the first of its object or list: no comma */
    bool no_memory; /* and so something is missing: whoever uses the text looks at this first */
};

void out_bytes(struct out *o, const char *s, size_t n);
void out_str(struct out *o, const char *s);
void out_int(struct out *o, int64_t value);
void out_uint(struct out *o, uint64_t value);
void out_char(struct out *o, char c);
/* JSON. A key with NULL is an item of a list. */
void js_text(struct out *o, const char *key, struct jb_text t);
void js_str(struct out *o, const char *key, const char *s);
/* A sentence of ours, in which a text that somebody gave may have been cut: it is UTF-8 then, too.
 */
void js_sentence(struct out *o, const char *key, const char *s);
void js_int(struct out *o, const char *key, int64_t value);
void js_number(struct out *o, const char *key, const char *number); /* as it is written */
void js_uint(struct out *o, const char *key, uint64_t value);
void js_bool(struct out *o, const char *key, bool value);
void js_null(struct out *o, const char *key);
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
