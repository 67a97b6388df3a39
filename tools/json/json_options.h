/* Options of the calls, read from JSON. */
#ifndef JANGBU_JSON_OPTIONS_H
#define JANGBU_JSON_OPTIONS_H

#include <jangbu/ledger.h>

#include "out.h"
#include "parse.h"

struct open_call {
    struct jb_open_options open;
    struct jb_init_options init;
    bool make; /* the ledger, before it is opened */
};
struct apply_call {
    struct jb_submit_options submit;
    uint64_t line; /* the first line's number */
};

/* text NULL: none. Texts of options lie in the pool until it is reset. False: bad says why. */
bool open_call_read(struct json_pool *pool, const char *text, struct open_call *ret,
                    struct bad_line *bad);
bool apply_call_read(struct json_pool *pool, const char *text, struct apply_call *ret,
                     struct bad_line *bad);
/* The members that they take, for the query "queries". */
void options_json(struct out *o);
#endif
