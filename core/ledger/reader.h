/*
 * What projections may read of the wallets' state that deciding uses: the balances' first source.
 *
 * The read side has a state of its own that follows the log (state.mdb plus the tail), so that it
 * shows nothing that is not on disk and never waits for a writer.
 */
#ifndef JANGBU_LEDGER_READER_H
#define JANGBU_LEDGER_READER_H

#include <jangbu/ledger.h>

#include "log/frame.h"

#include <pthread.h>

struct jb_reader_grant {
    uint32_t ordinal;
    bool in_use; /* else dormant */
    jb_amount remaining;
    jb_day expires_on;
    jb_seq seq; /* of its free_granted */
};

struct jb_reader_wallet {
    uint32_t number;
    struct jb_text id;
    uint32_t status; /* enum jb_wallet_status */
    jb_amount paid;  /* negative: debt */
    jb_amount refund_pending;
    jb_amount refund_in_transit;
    jb_seq version; /* the wallet's last event */
    jb_seq created_seq;
    uint32_t lots_n; /* highest number given to a lot */
    const struct jb_reader_grant
        *grants; /* those with something left, not ended by an event; in order of ordinal */
    uint32_t grants_n;
};

/* What a wallet has several of, each with a number of its own, from 1. */
enum jb_reader_list { JB_READER_LOTS, JB_READER_GRANTS, JB_READER_REFUNDS };

struct jb_reader_item {
    uint32_t number;
    uint32_t
        state;  /* of a grant or a refund: enum jb_grant_state (never USED_UP), jb_refund_state */
    jb_seq seq; /* the event that made it */
    jb_day expires_on; /* of a grant */
    jb_amount amount;
    jb_amount left;     /* of a lot or a grant */
    jb_amount reversed; /* of a lot, and the next, too */
    jb_amount refunded;
};

struct jb_reader_head {
    jb_seq seq;
    jb_instant recorded_at;
    jb_day first_open_day; /* JB_NO_DAY before the first command */
    uint32_t wallets_n;    /* highest wallet number given */
    uint8_t chain[16];
};

/* What queries hold while they look. A thread that holds it already gets JB_E_USAGE and no
 * deadlock; so does a child of the process that opened l, in which nobody would ever let it go. */
void jb_query_lock_init(pthread_mutex_t *lock);
jb_status jb_query_lock(jb_ledger *l, pthread_mutex_t *lock, struct jb_error *err);
/* The same; JB_END, and nothing is said, where somebody else holds it for longer than us. */
jb_status jb_query_lock_within(jb_ledger *l, pthread_mutex_t *lock, int64_t us,
                               struct jb_error *err);

/* Brings the read state up to the log's head and holds it there until jb_reader_end. One thread at
 * a time; others wait. */
jb_status jb_reader_begin(jb_ledger *l, struct jb_reader_head *ret, struct jb_error *err);
/* Wallet by number, 1..wallets_n. Borrowed until the next call or jb_reader_end. */
jb_status jb_reader_wallet(jb_ledger *l, uint32_t number, struct jb_reader_wallet *ret,
                           struct jb_error *err);
/* The reference of a person's id; 0: nobody knows it. */
jb_status jb_reader_person(jb_ledger *l, struct jb_text id, uint64_t *ret, struct jb_error *err);
/* The wallet's lot, grant or refund of that number. JB_E_NOTFOUND: none was given it. */
jb_status jb_reader_item(jb_ledger *l, uint32_t wallet, enum jb_reader_list list, uint32_t number,
                         struct jb_reader_item *ret, struct jb_error *err);
/* The number of the first one above `above` that is open: a lot with something left, a grant with
 * something left that no event ended, a refund that is requested or approved. *ret 0: none is. */
jb_status jb_reader_open_above(jb_ledger *l, uint32_t wallet, enum jb_reader_list list,
                               uint32_t above, uint32_t *ret, struct jb_error *err);
void jb_reader_end(jb_ledger *l);
/* Whether jb_reader_begin would find nobody in its way for us, and no more than so many events to
 * fold up to event head: JB_OK or JB_END. */
jb_status jb_reader_near(jb_ledger *l, jb_seq head, uint64_t events, int64_t us,
                         struct jb_error *err);
/* The value of a policy that was in force at t, an instant that is no later than the last event. It
 * takes the read state itself. */
jb_status jb_reader_policy(jb_ledger *l, uint32_t policy, jb_instant t, int64_t *ret,
                           struct jb_error *err);
/* Whether documents are made of a wallet's consumption in that tax month, and the event of the
 * newest row of it (0: it has none). It takes the read state itself. */
jb_status jb_reader_tax_month(jb_ledger *l, uint32_t wallet, uint32_t month, bool *ret_counted,
                              jb_seq *ret_newest, struct jb_error *err);

/* What the bytes of the event last returned (jb_cursor_bytes) are decoded by. */
struct jb_event_context jb_cursor_context(const jb_cursor *c);

/* The frame that the event last returned stands in. Borrowed until the next call on c. */
const struct jb_frame *jb_cursor_current(const jb_cursor *c);

/* The frame of the event that jb_cursor_next would give, checked as that does, and steps behind it.
 * The event begins at *ret_at among the frame's. Borrowed until the next call on c. JB_END: the log
 * ends before it. */
jb_status jb_cursor_frame(jb_cursor *c, struct jb_frame *ret, size_t *ret_at, struct jb_error *err);

/* The chain value at the end of the frame that ends with seq. JB_E_NOTFOUND: the log is shorter, or
 * no frame ends there. */
jb_status jb_chain_at(jb_ledger *l, jb_seq seq, uint8_t ret_chain[16], struct jb_error *err);

/* The chain value of the frame that holds seq: what the log was up to there. */
jb_status jb_chain_of(jb_ledger *l, jb_seq seq, uint8_t ret_chain[16], struct jb_error *err);

/* The ledger's clock. JB_E_USAGE where it says what no event could have. */
jb_status jb_ledger_now(jb_ledger *l, jb_instant *ret, struct jb_error *err);
/* The same for commands that are decided one after the other: the system's clock is looked at once
 * for JB_WARM_MAX of them, which take microseconds. A clock of the caller's is asked each time. */
jb_status jb_ledger_now_near(jb_ledger *l, jb_instant *ret, struct jb_error *err);

/* The language of the handle; l may be NULL. */
jb_lang jb_lang_of(const jb_ledger *l);

/* For what is opened on l and may be closed after it: l and its log stay until it lets go. Between
 * jb_close(l) and then the functions above, jb_cursor_open and the calls on cursors give
 * JB_E_USAGE. */
void jb_ledger_hold(jb_ledger *l);
void jb_ledger_let_go(jb_ledger *l);

/* A writer of views.mdb needs no lock beside LMDB's own writer lock on that file and the comparison
 * of meta.seq. */

#include "base/error.h"

#endif
