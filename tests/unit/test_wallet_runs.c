/* Wallets' rows in runs, against a list in memory: random wallets with each write, rows of every
 * length, steps of every size, some of which are given up as a kill gives them up. Each wallet is
 * found, whatever is known of it; nothing else is there; and there are few runs, of which nothing
 * is left when they are one. */
#include "state/state.h"

#include <string.h>

#include "../check.h"
#include "base/error.h"
#include "base/steps.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define WALLETS 400
#define WRITES 500
#define LONGEST 700

static struct jb_store *store;
static struct jb_error err;
static uint64_t seed = 7;
/* What each wallet has: its length, and what it is filled with; 0: it has no row. */
static struct row {
    size_t n;
    uint8_t fill;
    uint64_t newest;   /* the transaction that wrote it */
    uint64_t least;    /* its run has one that is no older; 0: it is one that has grown */
    uint64_t found_in; /* of its run, when it was looked for last; 0: it was not there */
    uint64_t known;    /* the last transaction by then */
} has[WALLETS + 1];

static unsigned
any(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % n;
}

static void
good(jb_status status)
{
    must(status == JB_OK, err.text);
}

static unsigned grown, grows_to; /* wallets that were ever written are among the first so many */

/* One of a few shapes: few wallets, many of them, new ones, the same ones all the time, none. */
#define NOTHING_NEW 4
#define SHAPES 5
#define A_FEW 5
static bool
is_written(unsigned shape, unsigned wallet)
{
    switch (shape) {
    case 0:
        return any(100) == 0;
    case 1:
        return any(2) == 0;
    case 2:
        return wallet > grown;
    case NOTHING_NEW:
        return false;
    case A_FEW:
        return wallet <= 8;
    default:
        return wallet <= 30;
    }
}

static unsigned many_bytes; /* steps that ended because of them */

static void
one_write(bool give_up, unsigned shape, size_t rows)
{
    static const uint8_t chain[16];
    static uint8_t record[LONGEST];
    struct jb_wallet_step step = {.moved = 0};
    struct jb_store_txn t;
    good(jb_wallet_step_make(store, rows, &step, &err));
    must(step.pages.n < JB_WALLET_STEP_BYTES + 4 * LONGEST, "a step of many bytes");
    many_bytes += step.pages.n >= JB_WALLET_STEP_BYTES;
    good(jb_store_write(store, &t, &err));
    must(jb_wallet_step_fits(&step, &t), "nobody else has written");
    good(jb_wallet_step_put(&step, &t, &err));
    struct jb_wallet_pages pages;
    const unsigned more = grown + 1 + any(8), most = more < WALLETS ? more : WALLETS;
    grows_to = 0;
    jb_wallet_pages_begin(&pages, &step.runs, &t);
    for (unsigned i = 1; i <= most; i++) {
        if (is_written(shape, i)) {
            const size_t n = any(20) == 0 ? any(LONGEST) + 1 : any(40) + 1;
            const uint8_t fill = (uint8_t)any(256);
            memset(record, fill, n);
            good(jb_wallet_pages_add(&pages, i, record, n, &err));
            grows_to = i;
            if (!give_up) {
                has[i].n = n;
                has[i].fill = fill;
                has[i].newest = t.meta.writes + 1;
                has[i].least = pages.growing ? 0 : has[i].newest;
            }
        }
    }
    good(jb_wallet_pages_end(&pages, JB_OK, &err));
    good(jb_store_put(&t, JB_TABLE_GLOBALS, "g", 1, "g", 1, &err));
    if (give_up) {
        jb_store_end(&t);
    } else {
        good(jb_store_commit(&t, t.meta.seq + 1, chain, &err));
        grown = grows_to > grown ? grows_to : grown;
    }
    jb_wallet_step_free(&step);
}

/* What is known of where it lies. */
enum known { NOTHING, WHAT_WROTE_IT, WHERE_IT_LAY };

static void
look_for(struct jb_store_txn *t, const struct jb_wallet_runs *r, unsigned i, enum known what)
{
    const void *value = NULL;
    size_t n = 0;
    uint64_t newest = 0;
    const uint64_t since = what == WHAT_WROTE_IT  ? has[i].newest
                           : what == WHERE_IT_LAY ? has[i].found_in
                                                  : 0;
    const uint64_t known = since == 0 ? 0 : what == WHERE_IT_LAY ? has[i].known : t->meta.writes;
    jb_status status = jb_wallet_runs_find(t, r, i, since, known, &value, &n, &newest, &err);
    must(status == (has[i].n > 0 ? JB_OK : JB_E_NOTFOUND), "a wallet is lost, or was never there");
    must(n == has[i].n, "a row of another length");
    for (size_t at = 0; at < n; at++) {
        must(((const uint8_t *)value)[at] == has[i].fill, "another row");
    }
    must(n == 0 || newest >= has[i].least, "a run that is as old as one of its parts");
    has[i].found_in = newest;
    has[i].known = t->meta.writes;
}

/* What two stores say of the same wallets is the same, also while runs are made into one: it is
 * that of each wallet's newest row. */
static void
digest(struct jb_store_txn *t)
{
    static uint8_t record[LONGEST];
    uint8_t others[16], found[16];
    XXH3_state_t state;
    good(jb_store_digest(t, 1U << JB_TABLE_WALLETS | 1U << JB_TABLE_GLOBALS, others, &err));
    XXH3_128bits_reset(&state);
    XXH3_128bits_update(&state, others, sizeof others);
    XXH3_128bits_update(&state, "g", 1);
    for (unsigned i = 1; i <= WALLETS; i++) {
        memset(record, has[i].fill, has[i].n);
        XXH3_128bits_update(&state, record, has[i].n);
    }
    XXH128_canonical_t expected;
    XXH128_canonicalFromHash(&expected, XXH3_128bits_digest(&state));
    good(jb_wallet_runs_digest(t, found, &err));
    must(memcmp(found, expected.digest, sizeof found) == 0, "another digest than of the rows");
}

static unsigned merging; /* times that it was looked at while runs were made into one */

static unsigned
look(void)
{
    struct jb_store_txn t;
    struct jb_wallet_runs r;
    uint64_t strange;
    good(jb_store_read(store, &t, &err));
    good(jb_wallet_runs_get(&t, &r, &err));
    for (unsigned i = 1; i <= WALLETS; i++) {
        /* Some are looked for seldom: what is known of them is old. */
        if (i % 3 != 0 || any(20) == 0) {
            look_for(&t, &r, i, (enum known)any(3));
        }
    }
    const void *value;
    size_t n;
    uint64_t newest;
    must(jb_wallet_runs_find(&t, &r, WALLETS + 1, 0, 0, &value, &n, &newest, &err) == JB_E_NOTFOUND,
         "a wallet that was never written");
    good(jb_wallet_runs_strange(&t, &r, WALLETS, &strange, &err));
    must(strange == 0, "rows that nobody has");
    if (grown > 0) {
        good(jb_wallet_runs_strange(&t, &r, grown - 1, &strange, &err));
        must(strange > 0, "the last wallet is not seen");
    }
    if (t.meta.seq > 0) {
        digest(&t);
        merging += r.merges_n > 0 && r.at[0].into == 0;
    }
    for (unsigned i = 1; i < r.n; i++) {
        must(r.at[i].newest > r.at[i - 1].newest, "runs in disorder");
    }
    jb_store_end(&t);
    return r.n;
}

/* Who knows that a wallet is in one of the runs looks into no other. */
static void
one_look_each(void)
{
    struct jb_store_txn t;
    struct jb_wallet_runs r;
    good(jb_store_read(store, &t, &err));
    good(jb_wallet_runs_get(&t, &r, &err));
    must(r.n > 1, "there is one run alone");
    for (unsigned i = 1; i <= WALLETS; i++) {
        if (has[i].n > 0) {
            look_for(&t, &r, i, NOTHING);
            has[i].newest = has[i].found_in;
            const uint64_t before = jb_steps.runs;
            look_for(&t, &r, i, WHAT_WROTE_IT);
            must(jb_steps.runs - before == 1, "it looks into runs that do not have it");
        }
    }
    jb_store_end(&t);
}

/* What cannot be noted is not known any more: else the run before would be believed. */
static void
what_is_known(void)
{
    static struct jb_cached_wallet *none[3];
    struct jb_behind *behind = (struct jb_behind *)none; /* it is not looked into */
    struct jb_state b = {.behind = behind, .slots = {.at = none, .n = 3}};
    jb_state_note_stored(&b, 2, 7);
    must(b.stored_in.n == 3 && b.stored_in.at[1] == 7, "it is not noted");
    jb_state_note_stored(&b, 2, UINT64_C(1) << 32 | 8);
    must(b.stored_in.at[1] == 0, "an older run is believed");
    jb_vec_free(&b.stored_in);
}

/* Nothing is written but steps: what is left of the runs that were made into one is nothing. */
static void
move_all(void)
{
    static const uint8_t chain[16];
    struct jb_wallet_step step = {.moved = 0};
    struct jb_store_txn t;
    bool more = true;
    while (more) {
        good(jb_wallet_step_make(store, 50, &step, &err));
        more = step.moved > 0;
        good(jb_store_write(store, &t, &err));
        good(jb_wallet_step_put(&step, &t, &err));
        good(jb_store_commit(&t, t.meta.seq, chain, &err));
    }
    must(step.runs.merges_n == 0, "a merge does not end");
    jb_wallet_step_free(&step);
}

/* Few wallets again and again, which move in small steps: an older run has them, too. */
static void
small_behind_large(void)
{
    for (unsigned i = 0; i < 24; i++) {
        look();
        one_write(false, A_FEW, 3);
    }
    must(merging > 10, "it was hardly looked at while runs were made into one");
}

int
main(void)
{
    static const uint8_t nobody[16];
    char dir[64];
    bool remade;
    unsigned most = 0, runs;
    what_is_known();
    make_quick_scratch(dir, "wallet-runs");
    good(jb_store_open(dir, &jb_state_schema, nobody, false, &store, &remade, &err));
    for (unsigned i = 0; i < WRITES; i++) {
        one_write(any(8) == 0, any(SHAPES), any(4) == 0 ? 3 : any(300));
        runs = look();
        most = runs > most ? runs : most;
        if (i == WRITES / 2) {
            one_look_each();
            move_all();
            small_behind_large();
        }
    }
    printf("%u runs at most, %u at the end\n", most, runs);
    must(!JB_CHECKS || many_bytes > 10, "no step is large");
    must(most > 4 && most < JB_WALLET_RUNS_MAX / 2, "too many runs, or none at all");
    store = jb_store_close(store);
    good(jb_store_open(dir, &jb_state_schema, nobody, true, &store, &remade, &err));
    look();
    jb_store_close(store);
    remove_scratch(dir);
    return 0;
}
