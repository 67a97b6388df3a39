/* Refusals as application/problem+json (RFC 9457), and which HTTP status a code or a status has:
 * the table of docs/errors.md. */
#ifndef JANGBUD_PROBLEM_H
#define JANGBUD_PROBLEM_H

#include <jangbu/command.h>

#include "exchange.h"
#include "parse.h"

/* Of the gateway's own, beside the library's: word, HTTP status, sentence in both languages. */
enum gateway_code {
    GATEWAY_NOT_FOUND = 1,
    GATEWAY_METHOD,
    GATEWAY_UNAUTHENTICATED,
    GATEWAY_FORBIDDEN,
    GATEWAY_KEY_REQUIRED,
    GATEWAY_KEY_DIFFERS,
    GATEWAY_MEDIA_TYPE,
    GATEWAY_TOO_LARGE,
    GATEWAY_RATE,
    GATEWAY_QUEUE_FULL,
    GATEWAY_STOPPING,
    GATEWAY_PARAMETER,
    GATEWAY_BAD_REQUEST,
    GATEWAY_CURSOR_AHEAD,
    GATEWAY_HEAD_TOO_LARGE,
    GATEWAY_SLOW_FULL,
    GATEWAY_NO_MEMORY,
    GATEWAY_CODES
};

/* "NOT_FOUND"; NULL for numbers that are none. */
const char *gateway_code_word(enum gateway_code code);
int http_status_of_gateway(enum gateway_code code);
int http_status_of_code(jb_code code);
int http_status_of_status(jb_status status);

/* The answer is a problem. detail: a sentence of this case; NULL: the code's own. */
void problem(struct exchange *x, enum gateway_code code, const char *detail);
void problem_status(struct exchange *x, jb_status status, const struct jb_error *err);
/* Nobody can be forgotten as the ledger is: 409, for another try changes nothing. */
void problem_forget(struct exchange *x, const struct jb_error *err);
/* A text that is no command. */
void problem_bad(struct exchange *x, const struct bad_line *bad);
/* A refusal by the rules, or a command of which nobody knows whether it was done: its answer, as
 * `apply` writes it, is the member `answer` (beside the problem's members a figure `status` would
 * be a second one of that name). */
void problem_refusal(struct exchange *x, const struct jb_answer *answer);

#endif
