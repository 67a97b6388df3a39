/*
 * The feed over HTTP: the query `feed` in pages, with a wait for the next event; and as a stream,
 * server-sent events or lines, by Accept. One thread follows the log and renders each event once,
 * into a ring; a stream is a place in it. Who is not in the ring any more, or reads personal texts,
 * gets pages of its own, which another thread reads.
 */
#ifndef JANGBUD_FEED_H
#define JANGBUD_FEED_H

#include "exchange.h"
#include "route.h"

struct feed *feed_start(struct gateway *g, struct jb_error *err); /* NULL: err says why */
/* The file of tokens was read anew: streams of who may no more listen end. */
void feed_look_again(struct feed *f);
/* What waits for an event is answered, and streams end: none comes any more. */
void feed_stop(struct feed *f);
/* When no stream is left. NULL is allowed; returns NULL. */
struct feed *feed_free(struct feed *f);

enum handled feed_get(struct exchange *x);

#endif
