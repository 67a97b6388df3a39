/*
 * Small records by key: what is not stored yet in memory, the rest in the table `facts` of
 * state.mdb. The newest record of a key counts, so what a savepoint takes back is cut off. A key
 * has 14 bytes: kind, holder, number (BE4), whom (BE8); a record is words (BE8; in the store in few
 * bytes, base/numbers.h), and for some kinds a text behind them.
 */
#ifndef JANGBU_FACTS_H
#define JANGBU_FACTS_H

#include "event/codec.h"
#include "base/numbers.h"

#define JB_FACT_KEY_BYTES 14
#define JB_FACT_WORDS_MAX 16

enum jb_fact_kind {
    JB_FACT_TENURE = 'T',  /* holder, number, whom */
    JB_FACT_PAST = 'P',    /* holder, number, ordinal */
    JB_FACT_HOLDING = 'H', /* holder, number */
    JB_FACT_WALLET = 'w',  /* number */
    JB_FACT_CHANNEL = 'c', /* number, and its id as text */
    JB_FACT_AGENCY = 'a',  /* number, and its id as text */
    JB_FACT_PERSON = 'n',  /* whom: a reference */
    JB_FACT_BIZ = 'b',     /* whom: the ten digits plus 1 */
    JB_FACT_MONTH = 'm',   /* number, whom: a tax month, 202603 */
    JB_FACT_PAPERS = 'p',  /* number */
    JB_FACT_INVOICE = 'i', /* whom: number of a document */
    JB_FACT_SLICE = 's',   /* whom: number of its first document */
    JB_FACT_NOTICE = 'g',  /* number, whom: a grant */
    JB_FACT_GONE = 'f'     /* of an owner, 'P' or 'W' or 'B', whom: his number */
};

struct jb_fact_key {
    uint8_t bytes[JB_FACT_KEY_BYTES];
};

static inline struct jb_fact_key
jb_fact_key(enum jb_fact_kind kind, uint8_t holder, uint64_t number, uint64_t whom)
{
    struct jb_fact_key k;
    k.bytes[0] = (uint8_t)kind;
    k.bytes[1] = holder;
    jb_put_be(k.bytes + 2, 4, number);
    jb_put_be(k.bytes + 6, 8, whom);
    return k;
}

/* Its record lies behind it, and the next one at the next place that 8 divides. */
struct jb_fact {
    struct jb_fact_key key;
    uint16_t n;     /* bytes of the record; 0: state.mdb has none */
    uint32_t hash;  /* half of it */
    uint32_t older; /* the one before of the same key: its place by 8, plus 1; 0: none */
};

/* The way to one is short: a slot, which says as well that there is none, and the fact itself. They
 * end at 32 GiB, some 120 million documents where none can be stored (an audit, a rebuild): then
 * there is no memory for more. */
struct jb_facts {
    uint64_t *slots; /* half a hash, and the place of the newest by 8, plus 1; 0: free */
    uint32_t mask;
    size_t n;               /* slots that are taken: how many keys there are */
    struct jb_buffer bytes; /* the facts, in the order in which they came */
};

struct jb_state;

/* The first n words of the record (those that a shorter one lacks are 0), and its text, which is
 * borrowed until the next call (text may be NULL). No record: *ret_found false, and zeroes. */
jb_status jb_fact_get(struct jb_state *b, const struct jb_fact_key *key, void *words, size_t n,
                      struct jb_text *text, bool *ret_found, struct jb_error *err);
jb_status jb_fact_put(struct jb_state *b, const struct jb_fact_key *key, const void *words,
                      size_t n, struct jb_text text, struct jb_error *err);
/* What will be looked for in a moment, or put anew (fresh), comes near to the processor, like
 * jb_state_warm: their ways through memory go side by side. */
void jb_facts_warm(const struct jb_state *b, const struct jb_fact_key *keys, size_t n, bool fresh);
/* Takes back all that lie behind the first n bytes. */
void jb_facts_cut(struct jb_state *b, size_t n);
void jb_facts_clear(struct jb_facts *f);
void jb_facts_free(struct jb_facts *f);
/* Lets go what the store has, where there is much of it. */
void jb_facts_trim(struct jb_state *b);
/* Takes n of `from`, which are stored now, from place *at on, into what is kept of the stored ones:
 * all of them, which a state must ask for that cannot look into its store, or those that are worth
 * it. False: no memory, and nothing is kept. */
bool jb_facts_take(struct jb_facts *kept, bool all, const struct jb_facts *from, size_t *at,
                   size_t n);
/* Nothing that came later has the same key. */
bool jb_fact_newest(const struct jb_facts *f, const struct jb_fact *fact);

/* Writes the record as the store has it; returns how many bytes that is. */
#define JB_FACT_STORED_BYTES_MAX (1 + JB_NUMBERS_BYTES_MAX(JB_FACT_WORDS_MAX) + JB_ID_BYTES_MAX)
size_t jb_fact_stored(const struct jb_fact *fact, uint8_t ret[JB_FACT_STORED_BYTES_MAX]);

/* Each in turn: at = 0; at < bytes.n; at = jb_fact_after(f, at). */
static inline const struct jb_fact *
jb_fact_at(const struct jb_facts *f, size_t at)
{
    return (const struct jb_fact *)(const void *)(f->bytes.at + at);
}

static inline const uint8_t *
jb_fact_record(const struct jb_fact *fact)
{
    return (const uint8_t *)(fact + 1);
}

static inline size_t
jb_fact_after(const struct jb_facts *f, size_t at)
{
    return at + sizeof(struct jb_fact) + ((jb_fact_at(f, at)->n + 7U) & ~(size_t)7);
}

#endif
