/*
 * jangbu/json.h -- a ledger in JSON, text in and text out: what bindings of other languages call.
 *
 * The words are those of docs/vocabulary.md (commands and their answers) and docs/json.md (queries,
 * options, errors). Five calls and one that gives a text back; nothing here needs a struct.
 *
 * jb_json_open, _apply and _ask have one text as their output, also where they fail: then the text,
 * or after the answers of jb_json_apply its last line, is
 * {"error":{"status":"E_BUSY","message":"..."}}. It is UTF-8, ends with NUL, holds no other NUL,
 * and each of its lines is one JSON object with a newline behind it. The caller gives it back with
 * jb_json_text_free, from any thread, when it likes: neither a later call nor jb_json_close touches
 * it. A status is 0 (JB_OK), or less: enum jb_status.
 *
 * A jb_json may be used by many threads at once. What jangbu/ledger.h says before the first call
 * holds here, too: a handle does not survive fork, and a ledger lies on a local disk.
 */
#ifndef JANGBU_JSON_H
#define JANGBU_JSON_H

#include <jangbu/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct jb_json jb_json;

/*
 * Opens the ledger in dir; with {"init":{...}} among the options it is made first, and stays where
 * opening it fails then. options: NULL, or a JSON object that ends with NUL. *ret is owned:
 * jb_json_close; NULL where the call failed. *ret_text: what never changes about the ledger, as the
 * query "info" says it, or the error.
 */
JB_API JB_NODISCARD jb_status jb_json_open(const char *dir, const char *options, jb_json **ret,
                                           const char **ret_text);

/*
 * Carries out the n bytes of lines, one command a line as `jangbu apply` reads them, and answers
 * each with the line that it prints: in the same order, and on stable storage when the call
 * returns. A line that is no command is answered as refused; the rest go on. options: NULL, or a
 * JSON object that ends with NUL. *ret_n (may be NULL): bytes of *ret_text without the NUL.
 *
 * Where it fails half-way, the answers of the lines that are final stand before the error, whose
 * `lines_done` is the last of these lines, counted from the option `line`. The others are to be
 * applied again, with the same keys.
 */
JB_API JB_NODISCARD jb_status jb_json_apply(jb_json *j, const char *lines, size_t n,
                                            const char *options, const char **ret_text,
                                            size_t *ret_n);

/* Answers a query, a JSON object of n bytes: with one line, or where the query asks for a list with
 * one line for each of it, which may be none. */
JB_API JB_NODISCARD jb_status jb_json_ask(jb_json *j, const char *query, size_t n,
                                          const char **ret_text, size_t *ret_n);

/* Ends every query "wait" with E_USAGE, those that begin later, too; all other calls go on. From
 * any thread: call it, join the threads that ask, then close. NULL is allowed. */
JB_API void jb_json_wait_end(jb_json *j);

/* Writes behind what is due and releases j, which no call may be using. NULL is allowed. Returns
 * NULL: `j = jb_json_close(j);` */
JB_API jb_json *jb_json_close(jb_json *j);

/* Gives a text of the calls above back. NULL is allowed. */
JB_API void jb_json_text_free(const char *text);

#ifdef __cplusplus
}
#endif

#endif
