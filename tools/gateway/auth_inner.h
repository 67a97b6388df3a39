/* What auth.c and token.c share: the file of tokens. */
#ifndef JANGBUD_AUTH_INNER_H
#define JANGBUD_AUTH_INNER_H

#include <stdio.h>

#include "auth.h"

#define TOKEN_HASH_BYTES 32U
#define TOKEN_LINE_BYTES 1024U
#define TOKEN_FILE_BYTES (4U << 20)

/* Words of scopes beside the ops and the queries: what one lets do, and where that is kept. */
enum { SCOPE_READ, SCOPE_WRITE, SCOPE_PEOPLE, SCOPE_KEYLESS, SCOPE_PAGE, SCOPE_OPS, SCOPES };
struct scope {
    const char *word;
    size_t at; /* the bool of struct principal */
    const char *what;
};
extern const struct scope scopes[SCOPES];

struct entry {
    struct principal who;
    bool by_uid;
    uint32_t uid;
    uint8_t hash[TOKEN_HASH_BYTES];
};

/* A line without its newline; it is taken apart. False: why it is none. *ret_empty: there is
 * nothing on it. */
bool token_line_read(char *line, struct entry *ret, bool *ret_empty, char *why, size_t size);
/* The whole file, owned (free), ended by NUL. JB_E_NOTFOUND; JB_E_KEY: others can read or write it.
 */
jb_status token_file_read(const char *path, char **ret, size_t *ret_n, struct jb_error *err);
/* What `jangbud token --help` says. */
void token_help(FILE *to);
void token_hash(const char *token, size_t n, uint8_t ret[TOKEN_HASH_BYTES]);

#endif
