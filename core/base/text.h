/* Texts: well-formed UTF-8, and what may stand in an id. */
#ifndef JANGBU_TEXT_H
#define JANGBU_TEXT_H

#include <jangbu/base.h>

#include <string.h>

/* 1..max bytes of UTF-8 without control characters and white space. */
bool jb_id_valid(struct jb_text t, size_t max);
/* Text for people: 1..max code points; control characters only where allowed (line breaks in a
 * note), never NUL. */
bool jb_prose_valid(struct jb_text t, size_t codepoints_max, bool line_breaks);

static inline bool
jb_text_equal(struct jb_text a, struct jb_text b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0);
}

#endif
