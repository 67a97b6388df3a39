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
/* What the log says beside requests; docs/operating.md has each. */
enum log_event {
    LOG_LISTENING,
    LOG_WARNING, /* found when it was opened */
    LOG_NOT_READY,
    LOG_READY,
    LOG_TOKENS, /* the file was read again */
    LOG_TOKENS_NOT_READ,
    LOG_FAILED, /* a request */
    LOG_LOST,   /* lines that nobody took in time */
    LOG_STOPPING,
    LOG_STOPPED,
    LOG_NOT_STOPPED,
    LOG_EVENTS
};
/* detail: a sentence or NULL. */
void log_event(enum log_event what, const char *detail);
/* Something is not as it should be, and why; NULL: it is again. */
void log_trouble(const char *word, const char *why);
/* LOG_LISTENING, with the addresses. */
void log_listening(const char *tcp, const char *operations, const char *unix_path);

#endif
