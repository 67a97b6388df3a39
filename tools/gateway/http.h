/* The listeners, the loops, and the connections. http.c is the only file that knows libmicrohttpd.
 */
#ifndef JANGBUD_HTTP_H
#define JANGBUD_HTTP_H

#include <jangbu/base.h>
#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "gateway.h"

/* Opens the listeners of the configuration; nobody is served yet. NULL: bad says why. */
struct http *http_open(struct gateway *g, char *bad, size_t bad_n);
bool http_start(struct http *h, char *bad, size_t bad_n);
/* Takes connections and cuts those that are too slow, until there is something to read of that
 * descriptor. */
void http_accept(struct http *h, int until);
/* No connection is taken any more, and each that is open ends with its next answer. */
void http_stop_listening(struct http *h);
/* Waits until all that was accepted is answered. Who does not take his answer in that time is cut;
 * false: there is something that was not answered at all. */
bool http_drain(struct http *h, int64_t us);
/* Ends what is still open. NULL is allowed; returns NULL. */
struct http *http_close(struct http *h);
/* How many connections there are. */
unsigned http_connections(struct http *h);
/* The TCP address of the listener with its port, "" where there is none. */
const char *http_address(const struct http *h, bool operations);

#endif
