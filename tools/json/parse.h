/* A JSON text, the memory it is read into, and what can be wrong with it. */
#ifndef JANGBU_PARSE_H
#define JANGBU_PARSE_H

#include <jangbu/command.h>

/* What was wrong with a line that is no command, or with another text. */
struct bad_line {
    jb_code code;
    const char *word; /* of a program over the library, that stands for the code; NULL: none */
    char message[900];
    long column;    /* from 1; 0: not known */
    bool no_memory; /* and so nothing is known about the line: it was not refused */
    char field[40];
};

/* Nothing is wrong yet. The message is long and stays as it is but for its first byte: nearly every
 * line is right. */
static inline void
bad_line_begin(struct bad_line *bad, jb_code code)
{
    bad->code = code;
    bad->word = NULL;
    bad->message[0] = '\0';
    bad->column = 0;
    bad->no_memory = false;
    bad->field[0] = '\0';
}

/* Memory of parsed texts: taken from blocks, given back all at once. One per thread that parses. */
struct json_pool;
struct json_pool *json_pool_new(void);
void json_pool_free(struct json_pool *p);
void json_pool_reset(struct json_pool *p);
/* Until the reset. NULL: no memory. */
void *json_pool_alloc(struct json_pool *p, size_t n);
/* A place in it, and all behind that given back but for some texts, which lie together then; at
 * most JSON_KEPT_MAX. A batch of lines is small so, and what one line was read into is near to the
 * processor when the next one comes. */
#define JSON_KEPT_MAX 80
struct json_mark {
    const void *block;
    size_t used;
};
struct json_mark json_pool_mark(const struct json_pool *p);
void json_pool_keep(struct json_pool *p, struct json_mark mark, struct jb_text *const *texts,
                    size_t n);
/* What it takes, in use or kept. */
size_t json_pool_bytes(const struct json_pool *p);

/* The word nearest to `word` of a list that ends with NULL, or NULL where none is near. */
const char *nearest_word(const char *word, size_t n, const char *(*nth)(unsigned i));
#endif
