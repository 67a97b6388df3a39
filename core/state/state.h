/*
 * The state that deciding needs: an in-memory cache over state.mdb. It always equals the fold of
 * the log through event g.seq.
 *
 *   events  1 ......... stored_seq | ............ frozen | ............ g.seq
 *   are in  state.mdb              | what is on its way  | the news
 *
 * In memory since the stored sequence number (`stored_seq`): every wallet that an event touched,
 * and the ids, keys, returns and due grants that came since. A wallet that is not in memory has had
 * no event after stored_seq, so its stored record is current. Nothing here takes the writer lock: a
 * writer holds it, a reader has a state of its own. Used by one thread at a time; the thread that
 * writes what is on its way (behind.h) sees nothing but that.
 */
#ifndef JANGBU_STATE_H
#define JANGBU_STATE_H

#include "state/facts.h"
#include "state/keys.h"
#include "state/repeats.h"
#include "base/map.h"
#include "state/record.h"
#include "state/rows.h"
#include "state/slots.h"
#include "state/wallet_runs.h"
#include "storage/store.h"
#include "log/log.h"

/* Numbers without a length are those of base/numbers.h. */
enum jb_state_table {
    JB_TABLE_GLOBALS,
    JB_TABLE_WALLETS, /* in runs (wallet_runs.h) */
    JB_TABLE_ARCHIVE, /* wallet BE4, kind, ordinal BE4 -> record of what is over */
    JB_TABLE_IDS,     /* kind, wallet BE4, id -> ordinal (of a wallet: wallet 0, its number) */
    JB_TABLE_DUE,     /* expires_on, wallet BE4, ordinal BE4 -> nothing */
    JB_TABLE_RETURNS, /* consumption BE8 -> its last return, sum of its returns */
    JB_TABLE_DAYS,    /* day -> its day_closed */
    JB_TABLE_TXNS,    /* 16 bytes of hash of a gateway and its transaction -> first charge */
    JB_TABLE_FACTS,   /* kind, holder, number BE4, whom BE8 -> record (facts.h) */
    JB_STATE_TABLES
};
extern const struct jb_store_schema jb_state_schema;

/* Three lines of 64 bytes: of a usual wallet a consumption looks at two of them, from
 * JB_SLOT_HOT on, and at nothing else. */
struct jb_cached_wallet {
    struct jb_lot lot; /* the place of the first of w's lots, while it has one alone */
    uint32_t touched;  /* the last epoch in which an event touched it; 0: it is as it is stored;
                        * JB_ON_ITS_WAY or one less: as it is stored, or will be soon */
    uint32_t saved;    /* number of the savepoint that has a copy of it */
    struct jb_wallet w;
};
#define JB_SLOT_HOT offsetof(struct jb_cached_wallet, lot.remaining)
#define JB_SLOT_HOT_BYTES 128
#define JB_ON_ITS_WAY (UINT32_MAX - 1)

struct jb_month_days {
    uint32_t month; /* 202603; 0: none yet */
    jb_day first, last;
};

/* The role of a wallet that was looked up last; ref 0: none. */
struct jb_last_role {
    uint64_t ref;
    uint32_t role;
    jb_instant from;
};

struct jb_id_entry {
    jb_seq seq; /* the event that gave it */
    uint32_t wallet;
    uint32_t ordinal;
    uint32_t at; /* in id_bytes */
    uint8_t n;
    char kind;
};

struct jb_due {
    jb_day expires_on;
    uint32_t wallet;
    uint32_t ordinal;
};

/* One return: after it this much of the consumption has come back. */
struct jb_returned {
    jb_seq last;
    jb_amount sum;
};

/* The first charge of a gateway's transaction. */
struct jb_txn {
    uint8_t hash[16];
    jb_seq seq;
};

struct jb_closed {
    jb_day day;
    jb_seq seq;
};

/* What came since, by what it is looked up by. It grows, and is cut off from its end. */
struct jb_news {
    struct jb_map ids;
    JB_VEC(struct jb_id_entry) id_entries;
    struct jb_buffer id_bytes;
    struct jb_map returns; /* consumption -> index into returned */
    JB_VEC(struct jb_returned) returned;
    struct jb_map txn_index; /* half a hash -> index into txns */
    JB_VEC(struct jb_txn) txns;
    struct jb_facts facts;
    JB_VEC(struct jb_due) due;
    size_t due_sorted; /* equal to due.n: they are in order */
    JB_VEC(struct jb_closed) closed;
};
void jb_news_clear(struct jb_news *n);
void jb_news_free(struct jb_news *n);

struct jb_saved_wallet {
    uint32_t number;
    uint32_t touched;
    bool created;          /* it was not there before */
    struct jb_wallet head; /* as it was, but for what stands in its lists, which are not its own */
    struct jb_wallet_rest rest; /* likewise */
    struct jb_buffer record;    /* all that is in memory of it, in builds with JB_CHECKS */
    size_t record_wallet;       /* of these, the bytes of its own record */
};

/* One of a wallet's lots, grants or refunds, as it was before an event changed it. */
struct jb_saved_lot {
    uint32_t wallet;
    struct jb_lot lot;
};
struct jb_saved_grant {
    uint32_t wallet;
    struct jb_grant grant;
};
struct jb_saved_refund {
    uint32_t wallet;
    struct jb_refund refund; /* with legs of its own */
};

struct jb_savepoint {
    bool live;
    uint32_t number;
    struct jb_globals g;
    size_t ids, id_entries, id_bytes, keys, returns, txns, due, closed, dirty, wallet_ids, slots;
    size_t facts;
    size_t pending_bytes, pending_ends;
    JB_VEC(struct jb_saved_wallet) wallets;
    /* In the order of the changes: one may stand there more than once. */
    JB_VEC(struct jb_saved_lot) lots;
    JB_VEC(struct jb_saved_grant) grants;
    JB_VEC(struct jb_saved_refund) refunds;
};

struct jb_state {
    struct jb_log *log;
    struct jb_store *store; /* NULL: everything stays in memory (audit, rebuild) */
    struct jb_log_identity identity;
    struct jb_log_reader *follow;
    struct jb_log_reader *look;
    bool look_live;
    uint64_t events_read; /* by jb_state_event, in all */
    struct jb_store_txn snap;
    bool usable; /* false: drop what is in memory and begin again from the store */
    jb_seq stored_seq;
    uint32_t generation;
    struct jb_globals g;
    struct jb_log_head head; /* the log as far as it is folded; what is pending lies behind it */
    JB_VEC(struct jb_cached_wallet *) slots; /* by number - 1; NULL: not loaded */
    struct jb_slots memory;                  /* where they lie */
    size_t loaded;
    struct jb_wallet_runs
        runs; /* of the snapshot after so many transactions; UINT64_MAX: of none */
    uint64_t runs_writes;
    /* By number - 1, of wallets whose newest row is known: the transaction that wrote it, or any of
     * its run since; 0: of none. It holds for runs of up to `stored_known`. */
    JB_VEC(uint32_t) stored_in;
    uint64_t stored_known;
    struct jb_map wallet_ids;
    struct jb_keys keys;
    struct jb_news news;
    struct jb_news_mark written;            /* of the news, by jb_state_write_next */
    struct jb_facts facts;                  /* as they are stored: a cache */
    JB_VEC(struct jb_last_role) last_roles; /* by wallet number - 1 */
    struct jb_month_days month;             /* that a consumption fell in last */
    uint32_t epoch;                         /* begins with each freeze, at 1 */
    uint32_t waiting; /* wallets touched in this epoch last are still to be gathered; 0: none */
    JB_VEC(uint32_t) dirty;       /* wallets touched in this epoch */
    struct jb_behind *behind;     /* NULL: nothing was ever on its way */
    size_t hand;                  /* of the clock that evicts wallets */
    struct jb_log_batch *pending; /* events decided and not yet in the log; NULL: none */
    struct jb_event pending_event;
    struct jb_event_space pending_space;
    struct jb_savepoint save;
    /* Of an audit, which has no store. Those names alone that are in repeats are kept (NULL: all
     * are); what the tables should have is counted up in tallies (NULL: it is not). */
    const struct jb_repeats *repeats;
    struct jb_tallies *tallies;
};

/* store may be NULL. *ret is owned: jb_state_close. */
jb_status jb_state_open(struct jb_log *log, struct jb_store *store,
                        const struct jb_log_identity *identity, struct jb_state **ret,
                        struct jb_error *err);
struct jb_state *jb_state_close(struct jb_state *b);

/* Takes snapshots of the store and the log and folds what is new. JB_E_ROLLBACK: the store is ahead
 * of the log, or not of it. */
jb_status jb_state_catch_up(struct jb_state *b, struct jb_error *err);
/* The same up to event `last` only (for audits). */
jb_status jb_state_catch_up_to(struct jb_state *b, jb_seq last, struct jb_error *err);
/* The store cannot be used: from the next catching up on everything is folded from the log, in
 * memory. JB_E_STALE of any function here asks for it; catching up does it by itself. */
void jb_state_drop_store(struct jb_state *b);
/* Lets the snapshots go. To be called before the log is appended to, and when a caller is done. */
void jb_state_release(struct jb_state *b);

/* Where more than `keep` wallets are in memory: drops some that no event touched since stored_seq,
 * at most so many. They are loaded again when they are needed. */
void jb_state_trim(struct jb_state *b, size_t keep, size_t most);

/* Applies an event that was just decided: loads what it names, folds it, indexes it. JB_E_CORRUPT:
 * it contradicts the state. */
jb_status jb_state_apply(struct jb_state *b, const struct jb_event *e, struct jb_error *err);
/* The same of the usual event, number seq. key_hash: jb_state_key_hash of its key, if it has one.
 * False: something is not as usual, and nothing has changed: jb_state_apply does it. */
bool jb_state_apply_usual(struct jb_state *b, jb_seq seq, const struct jb_event_usual *e,
                          uint64_t key_hash);

/* A wallet's newest row was written by that transaction of the store, or is in one run with such;
 * nothing is known of any. */
void jb_state_note_stored(struct jb_state *b, uint32_t number, uint64_t writes);
void jb_state_forget_stored(struct jb_state *b);

/* ---- looking up (lookup.c) ---- */

jb_status jb_state_wallet(struct jb_state *b, uint32_t number, struct jb_cached_wallet **ret,
                          struct jb_error *err);
/* *ret NULL: there is no such wallet. */
jb_status jb_state_find(struct jb_state *b, struct jb_text id, struct jb_cached_wallet **ret,
                        struct jb_error *err);
/* What will be looked for in a moment comes near to the processor: at most JB_WARM_MAX wallets,
 * whose ways through memory go side by side. Any texts; it changes nothing. */
#define JB_WARM_MAX 16
void jb_state_warm(const struct jb_state *b, const struct jb_text *ids, size_t n,
                   uint32_t ret_numbers[JB_WARM_MAX]);
/* The wallet with that id if it has that number and is in memory; else NULL, which says nothing. */
struct jb_cached_wallet *jb_state_guessed(struct jb_state *b, uint32_t number, struct jb_text id);
/* kind 'C', 'G' or 'R' of a wallet, 'H' (a channel), 'S' (the channel of a search id) or 'A' (an
 * agency) of wallet 0; *ret 0: there is none. */
jb_status jb_state_id(struct jb_state *b, char kind, uint32_t wallet, struct jb_text id,
                      uint32_t *ret, struct jb_error *err);
/* The event that has this key of this caller; 0: none. */
jb_status jb_state_key(struct jb_state *b, struct jb_text caller, struct jb_text key, jb_seq *ret,
                       struct jb_error *err);
/* Any event up to g.seq, pending ones included. Borrowed until the next call. */
jb_status jb_state_event(struct jb_state *b, jb_seq seq, const struct jb_event **ret,
                         struct jb_error *err);
/* The last return of a consumption and the sum of all of them; 0, 0: there is none. */
jb_status jb_state_returned(struct jb_state *b, jb_seq consumption, jb_seq *ret_last,
                            jb_amount *ret_sum, struct jb_error *err);
/* The earliest charge with that gateway and transaction (pg may be none, which is a gateway, too);
 * 0: there is none. */
jb_status jb_state_first_txn(struct jb_state *b, struct jb_text pg, struct jb_text txn_ref,
                             jb_seq *ret, struct jb_error *err);
/* The day_closed event of a day; 0: it is not closed. */
jb_status jb_state_closed(struct jb_state *b, jb_day day, jb_seq *ret, struct jb_error *err);
/* Puts what is over back into memory. JB_OK also where there is no such thing. */
jb_status jb_state_load(struct jb_state *b, struct jb_cached_wallet *s, enum jb_archived_kind kind,
                        uint32_t ordinal, struct jb_error *err);
/* One as it is, in memory or in the archive, where it stays: for lists, which look at each once. A
 * refund comes without its legs. JB_E_NOTFOUND: there is none. */
jb_status jb_state_look_lot(struct jb_state *b, const struct jb_wallet *w, uint32_t ordinal,
                            struct jb_lot *ret, struct jb_error *err);
jb_status jb_state_look_grant(struct jb_state *b, const struct jb_wallet *w, uint32_t ordinal,
                              struct jb_grant *ret, struct jb_error *err);
jb_status jb_state_look_refund(struct jb_state *b, const struct jb_wallet *w, uint32_t ordinal,
                               struct jb_refund *ret, struct jb_error *err);
/* The lots that the parts name. */
jb_status jb_state_load_lots(struct jb_state *b, struct jb_cached_wallet *s,
                             const struct jb_part *parts, size_t n, struct jb_error *err);
/* Enough of the newest lots to have room for amount, whatever is loaded already. */
jb_status jb_state_load_room(struct jb_state *b, struct jb_cached_wallet *s, jb_amount amount,
                             struct jb_error *err);
/* The intervals back to that instant. */
jb_status jb_state_load_intervals(struct jb_state *b, struct jb_cached_wallet *s, jb_instant at,
                                  struct jb_error *err);
/* Everything that an event names. */
jb_status jb_state_load_for(struct jb_state *b, struct jb_cached_wallet *s,
                            const struct jb_event *e, struct jb_error *err);
/* Forgets the entries with expires_on <= through that are in memory: for an audit, which has looked
 * at them and keeps no store. */
void jb_state_due_drop(struct jb_state *b, jb_day through);
/* The next n due entries with expires_on <= through, in order of (expires_on, wallet, ordinal),
 * after *after (NULL: from the beginning). */
jb_status jb_state_due(struct jb_state *b, jb_day through, const struct jb_due *after,
                       struct jb_due *ret, size_t n, size_t *ret_n, struct jb_error *err);

/* An id gets its number (see jb_state_id). */
jb_status jb_state_index_id(struct jb_state *b, char kind, uint32_t wallet, struct jb_text id,
                            uint32_t ordinal, struct jb_error *err);
uint64_t jb_state_hash(const struct jb_state *b, const void *bytes, size_t n);
/* The key of an id in its table; returns how long it is. */
#define JB_ID_KEY_BYTES_MAX (5 + JB_ID_BYTES_MAX)
size_t jb_state_id_key(char kind, uint32_t wallet, struct jb_text id,
                       uint8_t ret[JB_ID_KEY_BYTES_MAX]);
uint64_t jb_state_id_hash(const struct jb_state *b, char kind, uint32_t wallet, struct jb_text id);
/* False: the event names no transaction. */
bool jb_state_txn_hash(const struct jb_state *b, struct jb_text pg, struct jb_text txn_ref,
                       uint8_t ret[16]);
/* Borrowed until the next call; NULL: it came before stored_seq, or never. */
const struct jb_txn *jb_state_txn(const struct jb_state *b, const uint8_t hash[16]);
uint64_t jb_state_key_hash(const struct jb_state *b, struct jb_text caller, struct jb_text key);

/* ---- groups and dry runs (savepoint.c) ---- */

jb_status jb_savepoint_begin(struct jb_state *b, struct jb_error *err);
/* Undoes everything since jb_savepoint_begin, pending events included. */
void jb_savepoint_rollback(struct jb_state *b);
void jb_savepoint_release(struct jb_state *b);
/* Called before an event changes a wallet, when all that it names is loaded. False: no memory. */
bool jb_savepoint_before(struct jb_state *b, struct jb_cached_wallet *s, const struct jb_event *e);
/* What the event is about to change of a wallet, which has all that it names, is no longer as its
 * row was made. */
void jb_state_note_changes(const struct jb_wallet *w, const struct jb_event *e);
/* What a savepoint keeps for the next. */
void jb_savepoint_free(struct jb_savepoint *s);

/* ---- writing (behind.h; write_next.c) ---- */

/* Everything up to g.seq, of a state without a store, into the store's next generation (rebuild).
 */
jb_status jb_state_write_next(struct jb_state *b, struct jb_store *store, struct jb_error *err);

#endif
