/* Lines of commands, as `jangbu apply` reads them, and their answers. */
#ifndef JANGBU_BATCH_H
#define JANGBU_BATCH_H

#include <jangbu/ledger.h>

#include "out.h"
#include "parse.h"

#define BATCH_COMMANDS 8192
/* A batch ends behind the line that passes it: 8,192 plain lines have half of that. */
#define BATCH_BYTES (2U << 20)

/* One line of the batch: a command, or what is wrong with it. */
struct line {
    uint64_t number;
    struct jb_text key;
    const struct bad_line *bad; /* NULL: it is a command */
};

struct batch {
    struct json_pool *pool;
    struct jb_command *commands; /* room for cap of them, and of lines */
    size_t commands_n;
    struct line *lines;
    size_t lines_n;
    size_t cap;
    size_t bytes; /* of its lines */
};

/* Room for at least cap lines; the batch is empty. False: no memory, the batch is as it was. */
bool batch_reserve(struct batch *b, size_t cap);
void batch_free(struct batch *b);
/* Empties it. */
void batch_reset(struct batch *b);
/*
 * One more line, without its newline; an empty one is left out. too_long: it has more than a line
 * may have, and s is only the last of it. False: no memory; the line is not in the batch.
 */
bool batch_add(struct batch *b, uint64_t number, const char *s, size_t n, bool too_long);
/* The last line is a command, and is to be answered as refused instead. False: no memory; it is a
 * command still. */
bool batch_refuse_last(struct batch *b, const struct bad_line *bad);

/* What became of the lines whose answers were written. */
struct batch_tally {
    uint64_t line;                        /* the last one */
    uint64_t done, refused;               /* by this call */
    uint64_t done_before, refused_before; /* answers of keys */
    uint64_t first_refused;               /* its line */
    jb_code first_code;
    uint64_t dated;     /* those refused because their `at` lies too far back for the clock */
    uint64_t forgotten; /* commands `forget` that were done by this call */
};

/* Whether it says that a command's `at` lies too far back for the clock. */
bool code_is_dated(jb_code code);

/* The answers of the lines, in order, one object a line, as far as they are final: answers_n of
 * those to commands, from the one at `from` on. Adds to *tally. */
void batch_answers(const struct batch *b, const jb_answers *answers, size_t from, size_t answers_n,
                   int32_t utc_offset_s, struct out *o, struct batch_tally *tally);

/* What a call says that failed: {"error":{...}}. bad, lines_done NULL: there is none. */
void error_json(struct out *o, const struct jb_error *err, const struct bad_line *bad,
                const uint64_t *lines_done);
#endif
