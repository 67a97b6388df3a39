/* What reads a JSON text shares: values as jansson gives them, and the sentence for a wrong one. */
#ifndef JANGBU_PARSE_INNER_H
#define JANGBU_PARSE_INNER_H

#include <jansson.h>

#include "parse.h"

/* What is read, for sentences about it. */
enum text_kind { TEXT_LINE, TEXT_QUERY, TEXT_OPTIONS };

/*
 * The value that the n bytes of text are. It lies in the pool until that is reset. NULL: bad says
 * why. parse_end follows in any case, with whether all that was found was right so far.
 */
json_t *parse_begin(struct json_pool *pool, enum text_kind kind, const char *text, size_t n,
                    struct bad_line *bad);
bool parse_end(struct json_pool *pool, bool ok, struct bad_line *bad);

/* Says what is wrong; always false. field NULL: none. */
bool wrong(struct bad_line *bad, jb_code code, const char *field, const char *format, ...)
    JB_PRINTF(4, 5);

struct jb_text text_of(const json_t *value);    /* s NULL where it is no text */
bool month_of(struct jb_text t, uint32_t *ret); /* "2026-03": 202603 */
enum whole { NOT_WHOLE, WHOLE, BEYOND_INT64 };
enum whole whole_of(const json_t *value, int64_t *ret);
/* What stands there, for a message. */
const char *given_as(const json_t *value, char *buf, size_t n);
#endif
