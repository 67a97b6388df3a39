/*
 * Rows of state.mdb as they are made from memory: first into a buffer, then into a transaction, so
 * that they can be written later, and by another thread.
 */
#ifndef JANGBU_STATE_ROWS_H
#define JANGBU_STATE_ROWS_H

#include "base/bytes.h"
#include "event/codec.h"
#include "storage/store.h"

struct jb_wallet;
struct jb_wallet_pages;
struct jb_news;
struct jb_globals;
struct jb_due;

/* Appends the rows of one wallet, the deletions of what is no longer over among them, and notes in
 * it what is stored once they are. False: no memory. */
bool jb_rows_wallet(struct jb_buffer *rows, struct jb_wallet *w);
/* Where the row that begins at `at` ends. */
size_t jb_rows_after(const struct jb_buffer *rows, size_t at);
/* Appends those grants that fall due after the days that are closed. */
bool jb_rows_due(struct jb_buffer *rows, const struct jb_due *due, size_t n, jb_day closed_through);
/* Appends the days that were closed since, and the ledger itself. */
bool jb_rows_ledger(struct jb_buffer *rows, const struct jb_news *news, const struct jb_globals *g);
/* Puts those from `at` up to `end`, wallets' own into the pages. doubt: somebody else may have
 * stored any of it since the wallets were loaded. */
jb_status jb_rows_put(const struct jb_buffer *rows, size_t at, size_t end, bool doubt,
                      struct jb_wallet_pages *pages, struct jb_store_txn *t, struct jb_error *err);

/* Where the rest of what came since begins that is not written yet. */
struct jb_news_mark {
    size_t ids, returns, txns;
};
/* Puts the rest of what came since. closed_through: what was due by then is done with. */
jb_status jb_news_put(const struct jb_news *news, const struct jb_news_mark *from,
                      jb_day closed_through, struct jb_store_txn *t, struct jb_error *err);

/* Takes what is over out of memory: the store has it. */
void jb_wallet_drop_over(struct jb_wallet *w);
/* The same of a wallet that was touched since: what no event has changed. */
void jb_wallet_drop_stored(struct jb_wallet *w);

#endif
