/* PostgreSQL as a copy of the log: rows and the place where they end, in one transaction. */
#ifndef JANGBU_FEED_POSTGRES_H
#define JANGBU_FEED_POSTGRES_H

#include <jangbu/projections.h>

#include "out.h"

/* Of its tables: those of a later version are left alone. */
#define POSTGRES_VERSION 1
#define BAD_BYTES 1024

enum postgres_result {
    POSTGRES_DONE,
    POSTGRES_AGAIN,  /* the server or the way to it: worth another try, with another connection */
    POSTGRES_REFUSED /* a person must look at it */
};

struct postgres; /* a connection */

/* How far the copy has come. */
struct place {
    jb_seq seq;                        /* 0: nowhere */
    char cursor[JB_CURSOR_TEXT_BYTES]; /* "": nowhere */
    /* Where a transaction leads of which it is not known whether it was committed; "": none. */
    char doubtful[JB_CURSOR_TEXT_BYTES];
};

/* Connects, makes the tables where there are none, and reads the place. POSTGRES_REFUSED: of
 * another ledger's tables, and where the server lets nobody in by that conninfo. bad gets a
 * sentence where it is not done. */
enum postgres_result postgres_open(const char *conninfo, const char *ledger_id,
                                   struct postgres **ret, struct place *place, char bad[BAD_BYTES]);
/* NULL is allowed; returns NULL. */
struct postgres *postgres_close(struct postgres *p);

/* A row of the feed as COPY reads it, behind those that are there. */
jb_status postgres_row(struct out *rows, struct out *scratch, jb_ledger *l,
                       const struct jb_feed_row *row, int32_t utc_offset_s, struct jb_error *err);
/* Stores rows, which go from place to `to`, and moves place there. On POSTGRES_AGAIN it may have
 * been done: who connects again reads where the copy ends. */
enum postgres_result postgres_store(struct postgres *p, const struct out *rows, struct place *place,
                                    const struct place *to, char bad[BAD_BYTES]);

#endif
