/* A line of JSON to a command. */
#ifndef JANGBU_COMMAND_JSON_H
#define JANGBU_COMMAND_JSON_H

#include <jangbu/ledger.h>

/* What was wrong with a line that is no command. */
struct bad_line {
    jb_code code;
    char message[400];
    long column;    /* from 1; 0: not known */
    bool no_memory; /* and so nothing is known about the line: it was not refused */
    char field[40];
};

/* Memory of parsed lines: taken from blocks, given back all at once. One per thread that parses. */
struct json_pool;
struct json_pool *json_pool_new(void);
void json_pool_free(struct json_pool *p);
void json_pool_reset(struct json_pool *p);

/*
 * Reads one line. The command's texts lie in the pool until it is reset. False: bad says why. key
 * (its s NULL where there is none or it cannot be read) is the line's key, also of a bad line.
 */
bool command_from_json(struct json_pool *pool, const char *line, size_t n, struct jb_command *ret,
                       struct jb_text *ret_key, struct bad_line *bad);

/* The word nearest to `word` of a list that ends with NULL, or NULL where none is near. */
const char *nearest_word(const char *word, size_t n, const char *(*nth)(unsigned i));
#endif
