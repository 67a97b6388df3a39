/*
 * The fold of events into the tables of views.mdb: in memory, over what a store has (or over
 * nothing). What it holds is the part that differs from the store, so it can be thrown away at any
 * time and folded again.
 */
#ifndef JANGBU_PROJECTIONS_FOLD_H
#define JANGBU_PROJECTIONS_FOLD_H

#include "projections/stored.h"

/* A snapshot of a wallet's summary is taken after this many of its events, and one more for each
 * grant and, beyond the usual few, each mark that the summary holds: it bounds the steps of an
 * as-of question, and what is stored stays in proportion to the events. */
#define JB_SNAPSHOT_EVERY 64
#define JB_MARKS_USUAL 8

struct jb_fold_row {
    struct jb_day_row row;
    bool dirty;
};

struct jb_fold_mark {
    jb_seq seq;
    uint32_t bytes_n;
    uint8_t *bytes;
};

struct jb_fold_grant {
    uint32_t ordinal;
    struct jb_grant_terms terms;
};

struct jb_fold_wallet {
    uint32_t number;
    struct jb_summary summary;
    struct jb_day_row before; /* the closings before the first of rows */
    JB_VEC(struct jb_fold_row)
    rows; /* in order of day: every row of an open day, and those that closed since */
    JB_VEC(struct jb_fold_row) moved;      /* in order of day: those that were touched */
    JB_VEC(struct jb_fold_mark) snapshots; /* in order of seq: new ones */
    JB_VEC(struct jb_fold_grant) grants;   /* in order of ordinal: new ones */
};

/* The entries of texts from `first` on, up to the next one's, are of that epoch. */
struct jb_fold_epoch {
    jb_seq epoch;
    size_t first;
};

typedef jb_status (*jb_fold_sink)(void *data, const void *key, size_t key_n, const void *value,
                                  size_t value_n, struct jb_error *err);

/* Rows that never change again, and that no later event asks for, go there as soon as they are
 * made, and are not kept: snapshots, refused commands, texts of epochs that are over. */
struct jb_fold_drain {
    jb_status (*row)(void *data, unsigned table, const void *key, size_t key_n, const void *value,
                     size_t value_n, struct jb_error *err);
    void *data;
};
static inline bool
jb_fold_drains(unsigned table)
{
    return table == JB_VT_SNAPSHOTS || table == JB_VT_REFUSED || table == JB_VT_TEXTS;
}

struct jb_fold_slot {
    uint32_t number;
    struct jb_fold_wallet *wallet;
};

struct jb_fold {
    int32_t utc_offset_s;
    struct jb_view_global g;
    JB_VEC(struct jb_fold_wallet *) wallets; /* every wallet that was touched */
    JB_VEC(struct jb_fold_wallet *) pieces;  /* where they lie */
    size_t room;                             /* places left in the last piece */
    struct jb_fold_slot *slots;              /* hash of numbers; wallet NULL: free */
    uint32_t slots_mask;
    JB_VEC(struct jb_close) closes;      /* new ones, days without a gap */
    JB_VEC(struct jb_refused) refused;   /* new ones, in order of seq */
    JB_VEC(uint64_t) texts;              /* jb_text_entry: new ones, in order of seq */
    JB_VEC(struct jb_fold_epoch) epochs; /* of texts, in order */
    const struct jb_fold_drain *drain;   /* of a fold over nothing; NULL: all rows are kept */
};

/* ---- one wallet (fold_wallet.c) ---- */

/* Begins with all zero. What base (NULL: an empty store) has of it, where first_open_day is the one
 * that base ends with; then its events in order, as f (its offset and its drain)
 * has them folded. What is kept in memory is what differs from base.
 */
jb_status jb_fold_wallet_load(struct jb_fold_wallet *w, uint32_t number, jb_day first_open_day,
                              struct jb_store_txn *base, struct jb_error *err);
jb_status jb_fold_wallet_event(const struct jb_fold *f, struct jb_fold_wallet *w,
                               struct jb_store_txn *base, const struct jb_event *e,
                               struct jb_error *err);
/* The same of n consumptions, posted to one day when they happened, that are like e, which is the
 * last of them and has the sum of their amounts. None before the last may be due a snapshot
 * (jb_fold_wallet_room), and one of their day and their kind came before them. */
jb_status jb_fold_wallet_events(const struct jb_fold *f, struct jb_fold_wallet *w,
                                struct jb_store_txn *base, const struct jb_event *e, uint64_t n,
                                struct jb_error *err);
/* How many events may come, at least 1, of which none before the last is due a snapshot. */
uint32_t jb_fold_wallet_room(const struct jb_fold_wallet *w);
/* As at its beginning, with the memory that its lists had; and without. */
void jb_fold_wallet_clear(struct jb_fold_wallet *w);
void jb_fold_wallet_free(struct jb_fold_wallet *w);

/* JB_E_CORRUPT with the sentence of how the log contradicts itself; "no memory" is JB_E_NOMEM. */
jb_status jb_fold_contradiction(struct jb_error *err, jb_seq seq, const char *why);

/* ---- all of them ---- */

void jb_fold_init(struct jb_fold *f, int32_t utc_offset_s);
/* Forgets everything but the offset; g begins as given (NULL: at the beginning of the log). */
void jb_fold_reset(struct jb_fold *f, const struct jb_view_global *g);
void jb_fold_free(struct jb_fold *f);

/*
 * Folds the next event over base (NULL: an empty store), which must be what g began with.
 * JB_E_CORRUPT: the log contradicts itself. After any failure the fold is useless until it is
 * reset.
 */
jb_status jb_fold_event(struct jb_fold *f, struct jb_store_txn *base, const struct jb_event *e,
                        struct jb_error *err);

/* The same but for what the event does to its wallet, which somebody else folds. */
jb_status jb_fold_around(struct jb_fold *f, const struct jb_event *e, struct jb_error *err);

/* NULL where the fold has not touched it. */
const struct jb_fold_wallet *jb_fold_wallet(const struct jb_fold *f, uint32_t number);
/* One that it has touched. */
struct jb_fold_wallet *jb_fold_touched(struct jb_fold *f, uint32_t number);

/* What will be folded in a moment comes near to the processor: at most JB_FOLD_WARM_MAX numbers of
 * wallets, any ones; it changes nothing. */
#define JB_FOLD_WARM_MAX 64
#define JB_CACHE_LINE 64
void jb_fold_warm(const struct jb_fold *f, const uint32_t *numbers, size_t n);

/* Brings back into the summary the used-up grants that the event gives something to (NULL fold
 * wallet: nothing is new). JB_E_CORRUPT: there is no such grant, or its deadline is over. */
jb_status jb_fold_fill_again(const struct jb_fold_wallet *w, struct jb_store_txn *base,
                             struct jb_summary *summary, const struct jb_event *e, jb_day today,
                             struct jb_error *err);

/* Every entry of a table that differs from the store (base, or NULL as with jb_fold_event), in
 * order of key. Stops at the first status that is not JB_OK. */
jb_status jb_fold_each(const struct jb_fold *f, struct jb_store_txn *base, unsigned table,
                       jb_fold_sink sink, void *data, struct jb_error *err);
jb_status jb_fold_wallet_each(const struct jb_fold_wallet *w, unsigned table, jb_fold_sink sink,
                              void *data, struct jb_error *err);
/* fold_texts.c: what jb_fold_event and jb_fold_each do for the table of texts. */
jb_status jb_fold_texts(struct jb_fold *f, const struct jb_event *e, struct jb_error *err);
/* The same for an event whose only texts are given; key.s may be NULL. */
jb_status jb_fold_usual_texts(struct jb_fold *f, jb_seq seq, struct jb_text key,
                              struct jb_text usage, struct jb_error *err);
/* The same for an event whose only text is given. */
jb_status jb_fold_text(struct jb_fold *f, jb_seq seq, struct jb_text text, struct jb_error *err);
jb_status jb_fold_each_text(const struct jb_fold *f, struct jb_store_txn *base, jb_fold_sink sink,
                            void *data, struct jb_error *err);
/* Writes all of it into t. base is t itself, where t is over the store that the fold stands on, or
 * NULL for a fold over nothing, whatever t has. JB_E_FULL may be worth another try: jb_store_grown.
 */
jb_status jb_fold_store(const struct jb_fold *f, struct jb_store_txn *base, struct jb_store_txn *t,
                        struct jb_error *err);

#endif
