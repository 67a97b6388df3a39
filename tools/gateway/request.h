/* How http.c and framing.c see the head of a request: nothing here knows libmicrohttpd. */
#ifndef JANGBUD_REQUEST_H
#define JANGBUD_REQUEST_H

#include <jangbu/base.h>
#include <stdbool.h>

/* What is asked of a head, line by line. */
struct framing {
    const char *at; /* where the next line has to begin, if lines end with CR LF */
    unsigned hosts, lengths, encodings;
    bool chunked;
    const char *bad; /* what is wrong; NULL: nothing yet */
};

/* first: behind the CR LF of the request line. */
void framing_begin(struct framing *f, const char *first);
void framing_header(struct framing *f, struct jb_text name, struct jb_text value);
/* end: behind the empty line. NULL: the head is sound; else a word for what is wrong. */
const char *framing_end(struct framing *f, const char *end, bool http_1_1);

#endif
