/*
 * The book: the state that deciding needs, in memory as far as it is in use, over state.mdb, always a fold of the log up to g.seq.
 *
 * What is in memory since the stored sequence number (`base`): every wallet that an event touched, and the ids, keys, returns and due
 * grants that came since. A wallet that is not in memory has had no event after base, so its stored record is current. Nothing
 * here takes the writer lock; who writes holds it, who only reads has a book of its own. Used by one thread at a time.
 */
#ifndef JANGBU_BOOK_H
#define JANGBU_BOOK_H

#include "book/map.h"
#include "book/record.h"
#include "book/store.h"
#include "log/log.h"

enum jb_state_table {
    JB_TABLE_GLOBALS,
    JB_TABLE_WALLETS, /* wallet BE4 -> record */
    JB_TABLE_OVER,    /* wallet BE4, kind, ordinal BE4 -> record of what is over */
    JB_TABLE_IDS,     /* kind, wallet BE4, id -> ordinal BE4 (of a wallet: wallet 0, its number) */
    JB_TABLE_KEYS,    /* 16 bytes of hash -> sequence numbers, BE8 each */
    JB_TABLE_DUE,     /* expires_on, wallet BE4, ordinal BE4 -> nothing */
    JB_TABLE_RETURNS, /* consumption BE8 -> its last reversal BE8 */
    JB_TABLE_DAYS,    /* day -> its day_closed BE8 */
    JB_STATE_TABLES
};
extern const struct jb_store_schema jb_state_schema;

struct jb_slot {
    struct jb_wallet w;
    bool dirty;     /* an event touched it since base */
    uint32_t saved; /* number of the savepoint that has a copy of it */
};

struct jb_id_entry {
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

struct jb_closed {
    jb_day day;
    jb_seq seq;
};

struct jb_saved_wallet {
    uint32_t number;
    bool dirty;
    bool created; /* it was not there before */
    struct jb_wallet w;
};

struct jb_savepoint {
    bool live;
    uint32_t number;
    struct jb_globals g;
    size_t ids, id_entries, id_bytes, keys, returns, due, closed, dirty, wallet_ids, slots;
    size_t pending_bytes, pending_ends;
    JB_VEC(struct jb_saved_wallet) wallets;
};

struct jb_book {
    struct jb_log *log;
    struct jb_store *store; /* NULL: everything stays in memory (audit, rebuild) */
    struct jb_log_identity identity;
    struct jb_log_reader *follow;
    struct jb_log_reader *look;
    bool look_live;
    struct jb_store_txn snap;
    bool usable; /* false: drop what is in memory and begin again from the store */
    jb_seq base;
    uint32_t generation;
    struct jb_globals g;
    struct jb_log_head head;        /* the log as far as it is folded; what is pending lies behind it */
    JB_VEC(struct jb_slot *) slots; /* by number - 1; NULL: not loaded */
    size_t loaded;
    struct jb_map wallet_ids;
    struct jb_map ids;
    JB_VEC(struct jb_id_entry) id_entries;
    struct jb_buffer id_bytes;
    struct jb_map keys;
    struct jb_map returns;
    JB_VEC(struct jb_due) due;
    JB_VEC(struct jb_closed) closed;
    JB_VEC(uint32_t) dirty;
    struct jb_log_batch *pending; /* events decided and not yet in the log; NULL: none */
    struct jb_event pending_event;
    struct jb_event_space pending_space;
    struct jb_savepoint save;
    struct jb_buffer scratch;
    bool force_reset; /* a checkpoint found that another process had made one */
};

/* store may be NULL. *ret is owned: jb_book_close. */
jb_status jb_book_open(struct jb_log *log, struct jb_store *store, const struct jb_log_identity *identity, struct jb_book **ret,
                       struct jb_error *err);
struct jb_book *jb_book_close(struct jb_book *b);

/* Takes snapshots of the store and the log and folds what is new. JB_E_ROLLBACK: the store is ahead of the log, or not of it. */
jb_status jb_book_follow(struct jb_book *b, struct jb_error *err);
/* The same up to event `last` only (for audits). */
jb_status jb_book_follow_to(struct jb_book *b, jb_seq last, struct jb_error *err);
/* Lets the snapshots go. To be called before the log is appended to, and when a caller is done. */
void jb_book_rest(struct jb_book *b);

/* Applies an event that was just decided: loads what it names, folds it, indexes it. JB_E_CORRUPT: it contradicts the state. */
jb_status jb_book_apply(struct jb_book *b, const struct jb_event *e, struct jb_error *err);

/* ---- looking up (load.c) ---- */

jb_status jb_book_wallet(struct jb_book *b, uint32_t number, struct jb_slot **ret, struct jb_error *err);
/* *ret NULL: there is no such wallet. */
jb_status jb_book_find(struct jb_book *b, struct jb_text id, struct jb_slot **ret, struct jb_error *err);
/* kind 'C', 'G' or 'R'; *ret 0: there is none. */
jb_status jb_book_id(struct jb_book *b, char kind, uint32_t wallet, struct jb_text id, uint32_t *ret, struct jb_error *err);
/* The event that has this key of this caller; 0: none. */
jb_status jb_book_key(struct jb_book *b, struct jb_text caller, struct jb_text key, jb_seq *ret, struct jb_error *err);
/* Any event up to g.seq, pending ones included. Borrowed until the next call. */
jb_status jb_book_event(struct jb_book *b, jb_seq seq, const struct jb_event **ret, struct jb_error *err);
jb_status jb_book_last_reversal(struct jb_book *b, jb_seq consumption, jb_seq *ret, struct jb_error *err);
/* The day_closed event of a day; 0: it is not closed. */
jb_status jb_book_closed(struct jb_book *b, jb_day day, jb_seq *ret, struct jb_error *err);
/* Puts what is over back into memory. JB_OK also where there is no such thing. */
jb_status jb_book_load(struct jb_book *b, struct jb_slot *s, enum jb_over kind, uint32_t ordinal, struct jb_error *err);
/* Enough of the newest lots to have room for amount. */
jb_status jb_book_load_room(struct jb_book *b, struct jb_slot *s, jb_amount amount, struct jb_error *err);
/* The intervals back to that instant. */
jb_status jb_book_load_intervals(struct jb_book *b, struct jb_slot *s, jb_instant at, struct jb_error *err);
/* Everything that an event names. */
jb_status jb_book_load_for(struct jb_book *b, struct jb_slot *s, const struct jb_event *e, struct jb_error *err);
/* Forgets the entries with expires_on <= through that are in memory: for an audit, which has looked at them and keeps no store. */
void jb_book_due_drop(struct jb_book *b, jb_day through);
/* The next n due entries with expires_on <= through, in order of (expires_on, wallet, ordinal), after *after (NULL: from the beginning). */
jb_status jb_book_due(struct jb_book *b, jb_day through, const struct jb_due *after, struct jb_due *ret, size_t n, size_t *ret_n,
                      struct jb_error *err);

uint64_t jb_book_hash(const struct jb_book *b, const void *bytes, size_t n);
void jb_book_key_hash(const struct jb_book *b, struct jb_text caller, struct jb_text key, uint8_t ret[16]);

/* ---- groups and dry runs (savepoint.c) ---- */

jb_status jb_book_save(struct jb_book *b, struct jb_error *err);
/* Undoes everything since jb_book_save, pending events included. */
void jb_book_restore(struct jb_book *b);
void jb_book_keep(struct jb_book *b);
/* Called before a wallet changes. */
bool jb_book_before_change(struct jb_book *b, struct jb_slot *s, bool created);

/* ---- writing behind (checkpoint.c) ---- */

/* Stores everything up to g.seq, which must be the end of the log. By the holder of the writer lock only. */
jb_status jb_book_checkpoint(struct jb_book *b, struct jb_error *err);
/* The same into the store's next generation (rebuild). */
jb_status jb_book_write_next(struct jb_book *b, struct jb_store *store, struct jb_error *err);

#endif
