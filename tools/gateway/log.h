/* The daemon's log: one JSON object a line, to standard error. Nothing personal is in it, no token,
 * no body, no id: a route is its pattern. */
#ifndef JANGBUD_LOG_H
#define JANGBUD_LOG_H

#include "config.h"
#include "exchange.h"

/* A thread writes the lines, so that no request waits for who reads them. False: it could not be
 * started. */
bool log_start(enum log_what what);
/* What was logged is written. */
void log_end(void);
/* known: its route was found. sent: the client has taken the answer. */
void log_request(const struct exchange *x, bool known, int64_t us, bool sent);
/* Why a request failed, where its answer does not say all of it. */
void log_failed(const struct exchange *x, const char *why);
/* A request was answered before anybody here could read it. */
void log_unread(int status);
/* Something that happened: `what` is a word, detail a sentence or NULL. */
void log_event(const char *what, const char *detail);
/* Something is not as it should be, and why; NULL: it is again. */
void log_trouble(const char *word, const char *why);
/* As log_event, with the addresses that are listened at. */
void log_listening(const char *tcp, const char *operations, const char *unix_path);

#endif
