/*
 * A thread that looks after the ledger: it stores the projections, looks at the disk and at how far
 * the stores are behind, has a submitter ask for the writer lock once a second, and so knows
 * whether the daemon is ready, and why not.
 */
#ifndef JANGBUD_KEEPER_H
#define JANGBUD_KEEPER_H

#include "exchange.h"

/* NULL: it could not be started. */
struct keeper *keeper_start(struct gateway *g);
/* Behind submitters_end. NULL is allowed; returns NULL. */
struct keeper *keeper_end(struct keeper *k);
/* Writes {"ready":...} with a reason for each thing that is not as it should be. */
bool keeper_ready(struct keeper *k, struct out *o);
/* The same as bits, and the word of each. NULL: there are no more. */
unsigned keeper_troubles(struct keeper *k);
const char *keeper_word(unsigned i);
/* Why the feed cannot go on; NULL: it can again. */
void keeper_feed(struct keeper *k, const char *why);
/* Whether the projections are stored as they grow. */
bool keeper_stores(struct keeper *k);

#endif
