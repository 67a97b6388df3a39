/*
 * Writing behind: what was decided up to an event goes into state.mdb while deciding goes on.
 *
 * A freeze takes the news away, which change no more, and notes which wallets were touched. Their
 * rows are gathered some at a time, and those of a wallet that is used meanwhile before it is. When
 * all are there a thread writes them in one transaction; it sees nothing but them. When they are
 * stored what is over leaves memory, some wallets at a time. So nobody waits for more than a few
 * hundred wallets, however many were touched. Until then all of it stays in memory, and is looked
 * up there.
 *
 * By who leads only, like the state itself.
 */
#ifndef JANGBU_STATE_BEHIND_H
#define JANGBU_STATE_BEHIND_H

#include "state/state.h"

/* Set by tests alone, before anything is open. */
struct jb_behind_limits {
    /* A freeze is due with so many events since the last, or so many wallets touched (the disk is
     * not busy with them for long), or after so long. */
    uint64_t lag_events;
    size_t lag_wallets;
    int64_t lag_us;
    /* Where more than twice as many wallets were touched meanwhile, the next begins so long after
     * the last at the earliest: of wallets that are touched again fewer rows are made. */
    int64_t apart_us;
    size_t slice;        /* wallets that are looked at in one go at least */
    size_t wallets_kept; /* in memory; beyond it those that are stored make room */
    /* What waits for its freeze, where the disk is slower than who writes: from half of it on
     * commits become smaller and wait, more and more. 0: no end. */
    uint64_t most_events;
    size_t most_wallets;
};
extern struct jb_behind_limits jb_behind_limits;

/* Begins. Nothing may be on its way; the state stands at the end of the log. A failure changes
 * nothing. */
jb_status jb_behind_freeze(struct jb_state *b, struct jb_error *err);
/* Something is on its way. */
bool jb_behind_busy(const struct jb_state *b);
/* The event up to which everything is stored or on its way. */
jb_seq jb_behind_frozen(const struct jb_state *b);
/* How near what waits for its freeze is to the most: 0 (less than half of it) to
 * JB_BEHIND_FULL. */
#define JB_BEHIND_FULL 64
unsigned jb_behind_pressure(const struct jb_state *b);
/* Waits for the thread while it writes, but no longer than that. By who leads, without the lock. */
void jb_behind_wait_some(struct jb_state *b, int64_t us);
/* Goes on, with about so many wallets. */
void jb_behind_go_on(struct jb_state *b, size_t wallets);
/* An event of it is not stored yet. */
bool jb_behind_has(const struct jb_state *b, const struct jb_cached_wallet *s);
/* Wallets beyond those that are kept leave memory, at most so many. */
void jb_behind_trim(struct jb_state *b, size_t most);
/* Goes on until nothing is on its way, or it fails. JB_OK also where the state has to begin again
 * (not usable) or has lost its store: stored_seq says what is stored. The caller holds no snapshots
 * (jb_state_release). */
jb_status jb_behind_settle(struct jb_state *b, struct jb_error *err);
/* Somebody has to go on where nobody commits any more: `call` is called by the thread, each time
 * that it has had nothing to do for lag_us, until jb_behind_watch_no_more; it uses the state once
 * it leads, and takes one step after the other. Worth it: more than a few events or wallets are not
 * stored. */
typedef void (*jb_behind_call)(void *data);
bool jb_behind_is_worth_watching(const struct jb_state *b);
void jb_behind_watch(struct jb_state *b, jb_behind_call call, void *data);
void jb_behind_watch_no_more(struct jb_state *b);
/* Freezes, or goes on with a slice. Without snapshots, like jb_behind_settle. False: there is no
 * other step to take now. */
bool jb_behind_idle_step(struct jb_state *b);
/* Nobody is called any more when it returns; before the state is closed. The caller is alone with
 * the state, and does not lead where the one who is called waits to. */
void jb_behind_end_watch(struct jb_state *b);
/* Freezes and settles: stores everything up to g.seq. JB_OK as above. */
jb_status jb_behind_checkpoint(struct jb_state *b, struct jb_error *err);

/* What the thread has come to is taken up: before a snapshot of the store is taken. */
void jb_behind_look(struct jb_state *b);
/* The news that are on their way; NULL: none. */
const struct jb_news *jb_behind_news(const struct jb_state *b);
struct jb_news *jb_behind_due(struct jb_state *b);
/* The rows of a wallet whose turn has come. */
void jb_behind_gather(struct jb_state *b, struct jb_cached_wallet *s);
/* What is on its way is no longer part of the state, which begins again. */
void jb_behind_drop(struct jb_state *b);
/* Until the thread uses the store no more. */
void jb_behind_wait(struct jb_state *b);
void jb_behind_free(struct jb_state *b);

/* Whoever uses a wallet goes through here. */
static inline struct jb_cached_wallet *
jb_behind_use(struct jb_state *b, struct jb_cached_wallet *s)
{
    if (s->touched == b->waiting) {
        jb_behind_gather(b, s);
    }
    return s;
}

#endif
