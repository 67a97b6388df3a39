/* clang-format off */
/*
 * views.mdb: its tables, their keys and values. All numbers are big endian; every value is a pure
 * function of the events up to the stored sequence number, whenever and by whom it was stored.
 *
 *   rows       wallet 4, day 4 (bias 2^31)  day row by posted_on: flows, closings, first and last
 *                                           event that moved something. Published once its day is
 *                                           closed, and never changed again; before that it is the
 *                                           day so far
 *   moved      wallet 4, day 4 (bias 2^31)  what min(day(occurred_at), day(recorded_at)) gives the
 *                                           day beside what is posted to it: flows and, in place of
 *                                           the closings, what they change, either of any sign. A
 *                                           late event moves the past here. Most days have none
 *   wallets    wallet 4                     the wallet's summary (wallet_summary.h), with sums of what
 *                                           is posted to days that are open, by cause
 *   snapshots  wallet 4, seq 8              the summary now and then (JB_SNAPSHOT_EVERY): as-of
 *                                           questions start there
 *   grants     wallet 4, ordinal 4          what never changes of a grant: last day 4, seq 8 of its
 *                                           free_granted
 *   closes     day 4 (bias 2^31)            seq 8, recorded_at 8 of its day_closed
 *   refused    wallet 4, hash 8, seq 8      nothing: a refused command on that wallet; 0 and the hash
 *                                           of the id where there was no such wallet
 *   texts      epoch 3, bucket 2, chunk 2   where a text stands in an event: JB_TEXT_CHUNK entries
 *                                           of 5 bytes, in order of seq
 *   global     "g"                          the ledger's days
 *
 * A day row is a list of numbers (base/numbers.h): paid, free, total beyond both (nothing, where the
 * two ways to it agree), first_seq, last_seq behind it, and the flows in the order of JB_FLOWS; a
 * summary is such lists, too (wallet_summary.c). Numbers that may be negative are zigzag.
 *
 * An entry of `texts` stands for the texts of one event that have one hash (36 bits of XXH3-64): the
 * epoch is the upper bits of the event's number, the bucket the upper 16 of the hash, and the entry
 * the other 20 of it and the lower 20 of the number. What it leads to is looked at in the event. A
 * bucket's chunks are filled one behind the other, so only its last one is written again, and an
 * epoch that is over never (decisions/0026).
 */
/* clang-format on */
#ifndef JANGBU_PROJECTIONS_ROWS_H
#define JANGBU_PROJECTIONS_ROWS_H

#include <jangbu/projections.h>

#include "base/numbers.h"
#include "storage/store.h"

#define JB_VIEWS_FILE "views.mdb"
#define JB_VIEWS_VERSION 10

enum jb_view_table {
    JB_VT_ROWS,
    JB_VT_MOVED,
    JB_VT_WALLETS,
    JB_VT_SNAPSHOTS,
    JB_VT_GRANTS,
    JB_VT_CLOSES,
    JB_VT_REFUSED,
    JB_VT_TEXTS,
    JB_VT_GLOBAL,
    JB_VT_N
};

extern const struct jb_store_schema jb_views_schema;

enum jb_flow {
#define JB_X(name) JB_FLOW_##name,
    JB_FLOWS(JB_X)
#undef JB_X
        JB_FLOWS_N
};
extern const char *const jb_flow_words[JB_FLOWS_N];

/*
 * What a sum becomes that would leave int64_t, and stays: gross flows of one wallet and day have no
 * bound (a wallet can be filled and emptied any number of times), and a wrapped figure would be a
 * wrong one. Queries refuse to show it.
 */
#define JB_TOO_MUCH INT64_MAX

static inline jb_amount
jb_sum(jb_amount a, jb_amount b)
{
    jb_amount sum;
    return a == JB_TOO_MUCH || b == JB_TOO_MUCH || __builtin_add_overflow(a, b, &sum) ? JB_TOO_MUCH
                                                                                      : sum;
}

struct jb_day_row {
    jb_day day;
    jb_amount flows[JB_FLOWS_N];
    jb_amount
        total; /* in `rows` the closing, in `moved` a change; total is summed from the flows, */
    jb_amount paid; /* paid and free from where the money went: two ways to one figure */
    jb_amount free;
    jb_seq first_seq;
    jb_seq last_seq;
};

#define JB_DAY_ROW_NUMBERS (5 + JB_FLOWS_N)
#define JB_DAY_ROW_BYTES_MAX JB_NUMBERS_BYTES_MAX(JB_DAY_ROW_NUMBERS)
size_t jb_day_row_encode(const struct jb_day_row *r, uint8_t out[JB_DAY_ROW_BYTES_MAX]);
/* False where the bytes are no row. */
bool jb_day_row_decode(jb_day day, const uint8_t *bytes, size_t n, struct jb_day_row *ret);
/* What the flows do to the total. */
jb_amount jb_flows_effect(const jb_amount flows[JB_FLOWS_N]);
bool jb_flows_none(const jb_amount flows[JB_FLOWS_N]);

#define JB_KEY_WALLET_BYTES 4
#define JB_KEY_WALLET_DAY_BYTES 8
#define JB_KEY_WALLET_SEQ_BYTES 12
#define JB_KEY_DAY_BYTES 4
void jb_key_wallet(uint8_t key[JB_KEY_WALLET_BYTES], uint32_t wallet);
void jb_key_wallet_day(uint8_t key[JB_KEY_WALLET_DAY_BYTES], uint32_t wallet, jb_day day);
void jb_key_wallet_seq(uint8_t key[JB_KEY_WALLET_SEQ_BYTES], uint32_t wallet, jb_seq seq);
void jb_key_day(uint8_t key[JB_KEY_DAY_BYTES], jb_day day);

/* What never changes of a grant: what a used-up one is filled again by. */
struct jb_grant_terms {
    jb_day expires_on;
    jb_seq seq; /* of its free_granted */
};
#define JB_KEY_GRANT_BYTES 8
#define JB_GRANT_TERMS_BYTES 12
void jb_key_grant(uint8_t key[JB_KEY_GRANT_BYTES], uint32_t wallet, uint32_t ordinal);
void jb_grant_terms_encode(const struct jb_grant_terms *g, uint8_t out[JB_GRANT_TERMS_BYTES]);
bool jb_grant_terms_decode(const uint8_t *bytes, size_t n, struct jb_grant_terms *ret);

/* A command that was refused, by what it is found. */
struct jb_refused {
    uint32_t wallet; /* its number; 0: there was none */
    uint64_t hash;   /* of the id that was given, where the number is 0 and there was an id */
    jb_seq seq;
};
#define JB_KEY_REFUSED_BYTES 20
void jb_key_refused(uint8_t key[JB_KEY_REFUSED_BYTES], const struct jb_refused *r);
/* What the event is found by; wallet and hash 0: by nothing. */
struct jb_refused jb_refused_of(const struct jb_event *e);

/* A text of an event: the name of what it is there, and the text. */
struct jb_event_text {
    const char *what; /* static storage */
    struct jb_text text;
};
#define JB_EVENT_TEXTS_MAX 8
/* The texts by which an event is found: its key, and ids, references and numbers that it has in
 * clear, once each. Returns how many. */
unsigned jb_event_texts(const struct jb_event *e, struct jb_event_text out[JB_EVENT_TEXTS_MAX]);

#define JB_TEXT_EPOCH_BITS 20 /* of an event's number stand in the entry */
#define JB_TEXT_REST_BITS 20  /* so do these of the hash; the 16 above them are the bucket */
#define JB_TEXT_BUCKETS 65536U
#define JB_TEXT_CHUNK 256 /* entries */
#define JB_TEXT_ENTRY_BYTES 5
#define JB_TEXT_CHUNK_BYTES ((size_t)JB_TEXT_CHUNK * JB_TEXT_ENTRY_BYTES)
#define JB_KEY_TEXT_BYTES 7
/* 36 bits. */
uint64_t jb_text_hash(struct jb_text t);
/* Hash and the lower bits of a number, as the fold keeps them. */
static inline uint64_t
jb_text_entry(uint64_t hash, jb_seq seq)
{
    return hash << JB_TEXT_EPOCH_BITS | (seq & ((1U << JB_TEXT_EPOCH_BITS) - 1));
}
void jb_key_text(uint8_t key[JB_KEY_TEXT_BYTES], jb_seq epoch, uint32_t bucket, uint32_t chunk);

struct jb_close {
    jb_day day;
    jb_seq seq;
    jb_instant recorded_at;
};
#define JB_CLOSE_BYTES 16
void jb_close_encode(const struct jb_close *c, uint8_t out[JB_CLOSE_BYTES]);
bool jb_close_decode(jb_day day, const uint8_t *bytes, size_t n, struct jb_close *ret);

/* The ledger's days. Closed days are contiguous: first_day .. closed_through. */
struct jb_view_global {
    jb_seq seq;             /* of the last event; not stored here, the store's meta has it */
    jb_seq first_timed_seq; /* the first event that has a time, 0: none yet */
    jb_instant recorded_at; /* of the last event that has one */
    jb_day first_day;       /* the first open day as it began */
    jb_day first_open_day;
    jb_day closed_through;
    uint32_t wallets_n;
};
#define JB_GLOBAL_BYTES (8 + 8 + 4 + 4 + 4 + 4)
void jb_view_global_init(struct jb_view_global *g);
void jb_view_global_encode(const struct jb_view_global *g, uint8_t out[JB_GLOBAL_BYTES]);
bool jb_view_global_decode(const uint8_t *bytes, size_t n, struct jb_view_global *ret);

#endif
