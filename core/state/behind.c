#include "state/behind.h"

#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/threads.h"

/* Builds for tests meet all of it with little. */
struct jb_behind_limits jb_behind_limits = {
    .lag_events = JB_CHECKS ? 64 : 100000,
    .lag_wallets = JB_CHECKS ? 32 : 16384,
    .lag_us = JB_US_PER_SECOND,
    .apart_us = JB_CHECKS ? 0 : JB_US_PER_SECOND / 8,
    .slice = JB_CHECKS ? 3 : 512,
    .wallets_kept = JB_CHECKS ? 200 : 1000000,
    .most_events = 2000000,
    .most_wallets = 1048576,
};

/* After a failure that may pass: a full disk, a process that is stopped inside the store. */
#define AGAIN_US (10 * JB_US_PER_SECOND)
/* For each row that is written so many move into larger runs, in steps of at most so many. */
#define ROWS_MOVED_FOR_EACH 8
#define ROWS_MOVED_LEAST ((size_t)(JB_CHECKS ? 8 : 4096))
#define ROWS_OF_A_STEP ((size_t)(JB_CHECKS ? 40 : 131072))
/* Rows that stay with the next freeze. */
#define ROWS_KEPT_BYTES (64U << 20)
#define NOBODY UINT32_MAX
#define CALL_US_MAX (3600 * JB_US_PER_SECOND)
#define CACHE_LINE 64

/* GIVEN_UP: the state has begun again; the thread still has it. */
enum stage { NOTHING, GATHERING, WRITING, DROPPING, GIVEN_UP };
enum turn { LEADERS, THREADS };

struct gathered {
    uint32_t wallet;
    size_t at, end; /* of its rows */
};

struct jb_behind {
    enum stage stage;
    jb_seq seq, base; /* what is written stands behind what was stored before */
    uint32_t generation;
    uint8_t chain[JB_CHAIN_BYTES];
    jb_day closed_through;
    bool broken; /* there was no memory for some rows: it cannot be written */
    JB_VEC(uint32_t) dirty;
    JB_VEC(uint32_t) over; /* of them, those that have something that is over */
    uint32_t mark;         /* of wallets on their way: JB_ON_ITS_WAY, or in turn the one below */
    size_t next, next_over, next_fact; /* of dirty, of over, of the news' facts: a place */
    size_t next_due;                   /* of the grants that will fall due */
    JB_VEC(struct gathered) wallets;
    struct jb_buffer rows, ledger_rows;
    struct jb_news news;
    struct jb_news shown; /* the due ones, which are put in order to be shown; the thread sees
                             nothing but their rows */
    int64_t again_at;     /* monotonic */

    /* The thread's, while it has its turn. */
    struct jb_store *store;
    jb_status result;
    bool overtaken; /* the store is another now */
    struct jb_error err;
    struct jb_wallet_step step;
    uint64_t wrote, wrote_behind; /* of which transaction the newest run is, and was before that;
                                     0: somebody else has stored the wallets */

    pthread_mutex_t lock;
    pthread_cond_t wake, moved;
    pthread_t thread;
    bool started, stop;
    _Atomic int turn;
    jb_behind_call call; /* by the thread, each time that nothing was to do for a while */
    void *call_data;
    bool calling;
    bool watched; /* there is one; by who leads */
};

static jb_status
no_memory(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM, "no memory to store the ledger's state");
}

bool
jb_behind_busy(const struct jb_state *b)
{
    return b->behind != NULL && b->behind->stage != NOTHING;
}

static bool
is_part_of_state(const struct jb_state *b)
{
    return jb_behind_busy(b) && b->behind->stage != GIVEN_UP;
}

jb_seq
jb_behind_frozen(const struct jb_state *b)
{
    return is_part_of_state(b) ? b->behind->seq : b->stored_seq;
}

const struct jb_news *
jb_behind_news(const struct jb_state *b)
{
    return is_part_of_state(b) ? &b->behind->news : NULL;
}

/* The rows of so many grants that will fall due. */
static void
gather_due(struct jb_behind *z, size_t n)
{
    size_t left = z->shown.due.n - z->next_due;
    n = n < left ? n : left;
    if (n > 0 &&
        !jb_rows_due(&z->ledger_rows, z->shown.due.at + z->next_due, n, z->closed_through)) {
        z->broken = true;
    }
    z->next_due += n;
}

/* Who asks may put them in another order. */
struct jb_news *
jb_behind_due(struct jb_state *b)
{
    if (!is_part_of_state(b)) {
        return NULL;
    }
    gather_due(b->behind, SIZE_MAX);
    return &b->behind->shown;
}

/* ---- writing: in the thread, or in who waits for it ---- */

#define DIGIT_BITS 11
#define DIGITS 3

/* By number, digit by digit. False: no memory. */
static bool
sort_wallets(struct jb_behind *z)
{
    static_assert(DIGITS * DIGIT_BITS >= 32, "all of a number");
    const size_t n = z->wallets.n;
    if (n < 2) {
        return true;
    }
    struct gathered *other = malloc(n * sizeof *other), *from = z->wallets.at, *to = other;
    if (other == NULL) {
        return false;
    }
    for (unsigned digit = 0; digit < DIGITS; digit++) {
        size_t ends[1U << DIGIT_BITS] = {0}, sum = 0;
        const unsigned shift = digit * DIGIT_BITS, mask = (1U << DIGIT_BITS) - 1;
        for (size_t i = 0; i < n; i++) {
            ends[from[i].wallet >> shift & mask]++;
        }
        for (unsigned i = 0; i <= mask; i++) {
            const size_t here = ends[i];
            ends[i] = sum;
            sum += here;
        }
        for (size_t i = 0; i < n; i++) {
            to[ends[from[i].wallet >> shift & mask]++] = from[i];
        }
        struct gathered *last = from;
        from = to;
        to = last;
    }
    memcpy(z->wallets.at, other, n * sizeof *other); /* an odd number of digits: it lies there */
    free(other);
    return true;
}

#define ROWS_AHEAD 8

static jb_status
put_wallets(struct jb_behind *z, bool doubt, struct jb_store_txn *t, struct jb_error *err)
{
    struct jb_wallet_pages pages;
    struct jb_wallet_runs *runs = &z->step.runs;
    z->wrote_behind = jb_wallet_runs_newest(runs);
    jb_status status = jb_wallet_step_put(&z->step, t, err);
    jb_wallet_pages_begin(&pages, runs, t);
    for (size_t i = 0; i < z->wallets.n && status == JB_OK; i++) {
        const struct gathered *g = &z->wallets.at[i];
        if (i + ROWS_AHEAD < z->wallets.n) {
            __builtin_prefetch(z->rows.at + g[ROWS_AHEAD].at);
            __builtin_prefetch(z->rows.at + g[ROWS_AHEAD].at + CACHE_LINE);
        }
        status = jb_rows_put(&z->rows, g->at, g->end, doubt, &pages, t, err);
    }
    return jb_wallet_pages_end(&pages, status, err);
}

static jb_status
put_all(struct jb_behind *z, bool doubt, struct jb_store_txn *t, struct jb_error *err)
{
    static const struct jb_news_mark all;
    jb_status status = put_wallets(z, doubt, t, err);
    status = status == JB_OK
                 ? jb_rows_put(&z->ledger_rows, 0, z->ledger_rows.n, doubt, NULL, t, err)
                 : status;
    status = status == JB_OK ? jb_news_put(&z->news, &all, z->closed_through, t, err) : status;
    status = status == JB_OK ? jb_store_commit(t, z->seq, z->chain, err) : status;
    z->wrote = status == JB_OK ? jb_wallet_runs_newest(&z->step.runs) : 0;
    return status;
}

/* A transaction that the step in z fits into. *left: rows that may move yet. */
static jb_status
begin_write(struct jb_behind *z, size_t *left, struct jb_store_txn *t, struct jb_error *err)
{
    jb_status status;
    do {
        size_t rows = *left < ROWS_OF_A_STEP ? *left : ROWS_OF_A_STEP;
        status = jb_wallet_step_make(z->store, rows, &z->step, err);
        status = status == JB_OK ? jb_store_write(z->store, t, err) : status;
        if (status == JB_OK && jb_wallet_step_fits(&z->step, t)) {
            *left -= z->step.moved < *left ? z->step.moved : *left;
            return JB_OK;
        }
        if (status == JB_OK) {
            jb_store_end(t); /* another process was quicker */
        }
    } while (status == JB_OK);
    return status;
}

static jb_status
write_once(struct jb_behind *z, size_t *left, struct jb_error *err)
{
    struct jb_store_txn t;
    jb_status status = begin_write(z, left, &t, err);
    if (status != JB_OK) {
        return status;
    }
    /* What another process has stored meanwhile is what this one would have, up to there. */
    z->overtaken = t.meta.generation != z->generation || t.meta.seq < z->base;
    bool covered = t.meta.seq >= z->seq;
    status = covered || z->overtaken ? JB_OK : put_all(z, t.meta.seq != z->base, &t, err);
    jb_store_end(&t); /* harmless where the commit has ended it */
    return status;
}

/* What is left to move, in transactions that say nothing new. One that fails loses nothing. */
static void
move_rows(struct jb_behind *z, size_t left)
{
    struct jb_error ignored;
    jb_status status = JB_OK;
    while (status == JB_OK && (left > 0 || jb_wallet_runs_many(&z->step.runs))) {
        struct jb_store_txn t;
        size_t some = left > ROWS_MOVED_LEAST ? left : ROWS_MOVED_LEAST;
        status = begin_write(z, &some, &t, &ignored);
        if (status != JB_OK || z->step.moved == 0) {
            if (status == JB_OK) {
                jb_store_end(&t);
            }
            break;
        }
        left = left > ROWS_MOVED_LEAST ? some : 0;
        status = jb_wallet_step_put(&z->step, &t, &ignored);
        status = status == JB_OK ? jb_store_commit(&t, t.meta.seq, t.meta.chain, &ignored) : status;
        jb_store_end(&t);
    }
}

static void
write_it(struct jb_behind *z)
{
    if (!sort_wallets(z)) {
        z->result = no_memory(&z->err);
        return;
    }
    size_t left;
    z->wrote = 0;
    if (jb_wallet_runs_many(&z->step.runs)) {
        move_rows(z, ROWS_MOVED_LEAST);
    }
    do {
        left = ROWS_MOVED_FOR_EACH * z->wallets.n;
        left = left > ROWS_MOVED_LEAST ? left : ROWS_MOVED_LEAST;
        z->result = write_once(z, &left, &z->err);
    } while (z->result == JB_E_FULL && jb_store_grown(z->store));
    if (z->result == JB_OK && z->wrote != 0) {
        move_rows(z, left);
    }
    if (z->result == JB_OK && z->rows.cap > ROWS_KEPT_BYTES) {
        free(z->rows.at); /* here, where nobody waits for it */
        z->rows = (struct jb_buffer){0};
    }
}

/* On the clock that cannot be put back. */
static struct timespec
in_us(int64_t us)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + us % JB_US_PER_SECOND * 1000;
    until.tv_sec += (time_t)(us / JB_US_PER_SECOND + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    return until;
}

/* False: there is something else to do first. */
static bool
is_time_to_call(struct jb_behind *z)
{
    int64_t us = jb_behind_limits.lag_us < CALL_US_MAX ? jb_behind_limits.lag_us : CALL_US_MAX;
    const struct timespec until = in_us(us);
    return pthread_cond_timedwait(&z->wake, &z->lock, &until) == ETIMEDOUT &&
           atomic_load(&z->turn) != THREADS && !z->stop && z->call != NULL;
}

static void
call_out(struct jb_behind *z)
{
    jb_behind_call call = z->call;
    void *data = z->call_data;
    z->calling = true;
    pthread_mutex_unlock(&z->lock);
    call(data);
    pthread_mutex_lock(&z->lock);
    z->calling = false;
    pthread_cond_broadcast(&z->moved);
}

static void *
work(void *data)
{
    struct jb_behind *z = data;
    pthread_setname_np(pthread_self(), "jangbu-behind");
    pthread_mutex_lock(&z->lock);
    for (;;) {
        if (atomic_load(&z->turn) == THREADS) {
            pthread_mutex_unlock(&z->lock);
            write_it(z);
            pthread_mutex_lock(&z->lock);
            atomic_store(&z->turn, LEADERS);
            pthread_cond_broadcast(&z->moved);
        } else if (z->stop) {
            break;
        } else if (z->call == NULL) {
            pthread_cond_wait(&z->wake, &z->lock);
        } else if (is_time_to_call(z)) {
            call_out(z);
        }
    }
    pthread_mutex_unlock(&z->lock);
    return NULL;
}

static bool
start(struct jb_behind *z)
{
    z->started = z->started || jb_thread_start(&z->thread, work, z);
    return z->started;
}

static void
wait_for_thread(struct jb_behind *z)
{
    if (z->started) {
        pthread_mutex_lock(&z->lock);
        while (atomic_load(&z->turn) == THREADS) {
            pthread_cond_wait(&z->moved, &z->lock);
        }
        pthread_mutex_unlock(&z->lock);
    }
}

/* All rows are there. at_once: the caller waits for it anyway. */
static void
hand_over(struct jb_state *b, struct jb_behind *z, bool at_once)
{
    z->store = b->store;
    z->overtaken = false;
    z->again_at = 0;
    if (at_once || !start(z)) {
        write_it(z);
        return;
    }
    pthread_mutex_lock(&z->lock);
    atomic_store(&z->turn, THREADS);
    pthread_cond_signal(&z->wake);
    pthread_mutex_unlock(&z->lock);
}

/* ---- beginning ---- */

static struct jb_behind *
behind(struct jb_state *b)
{
    struct jb_behind *z = b->behind != NULL ? b->behind : calloc(1, sizeof *z);
    if (z != NULL && b->behind == NULL) {
        pthread_condattr_t monotonic;
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_mutex_init(&z->lock, NULL);
        pthread_cond_init(&z->wake, &monotonic);
        pthread_cond_init(&z->moved, &monotonic);
        pthread_condattr_destroy(&monotonic);
        b->behind = z;
    }
    return z;
}

/* The due ones stay with who leads. */
static void
keep_due(struct jb_behind *z)
{
    struct jb_news empty = z->shown; /* with room */
    memcpy(&z->shown.due, &z->news.due, sizeof z->shown.due);
    z->shown.due_sorted = z->news.due_sorted;
    memcpy(&z->news.due, &empty.due, sizeof z->news.due);
    z->news.due_sorted = 0;
    z->next_due = 0;
}

jb_status
jb_behind_freeze(struct jb_state *b, struct jb_error *err)
{
    if (b->store == NULL || !b->usable || b->g.seq == b->stored_seq) {
        return JB_OK;
    }
    JB_ASSERT(b->g.seq == b->head.seq && !b->save.live && !jb_behind_busy(b));
    struct jb_behind *z = behind(b);
    if (z == NULL) {
        return no_memory(err);
    }
    z->rows.n = z->ledger_rows.n = z->wallets.n = z->dirty.n = z->over.n = 0;
    z->mark = z->mark == JB_ON_ITS_WAY ? JB_ON_ITS_WAY - 1 : JB_ON_ITS_WAY;
    if (!jb_rows_ledger(&z->ledger_rows, &b->news, &b->g)) {
        return no_memory(err);
    }
    z->seq = b->g.seq;
    z->base = b->stored_seq;
    z->generation = b->generation;
    z->closed_through = b->g.closed_through;
    z->broken = z->overtaken = false;
    z->result = JB_OK; /* one that was given up may have failed */
    z->again_at = 0;
    memcpy(z->chain, b->head.chain, JB_CHAIN_BYTES);
    struct jb_news news = z->news; /* empty, with room */
    z->news = b->news;
    b->news = news;
    keep_due(z);
    uint32_t *at = z->dirty.at;
    size_t cap = z->dirty.cap;
    z->dirty.at = b->dirty.at;
    z->dirty.n = b->dirty.n;
    z->dirty.cap = b->dirty.cap;
    b->dirty.at = at;
    b->dirty.n = 0;
    b->dirty.cap = cap;
    z->next = z->next_over = z->next_fact = 0;
    b->waiting = b->epoch++;
    z->stage = GATHERING;
    jb_keys_store(b, false);
    return JB_OK;
}

/* ---- going on ---- */

void
jb_behind_gather(struct jb_state *b, struct jb_cached_wallet *s)
{
    struct jb_behind *z = b->behind;
    size_t at = z->rows.n;
    s->touched = z->mark;
    if (!jb_vec_reserve(&z->wallets, z->wallets.n + 1) ||
        !jb_vec_reserve(&z->over, z->over.n + 1) || !jb_rows_wallet(&z->rows, &s->w)) {
        z->broken = true;
        return;
    }
    if (z->rows.n > jb_rows_after(&z->rows, at)) {
        z->over.at[z->over.n++] = s->w.number;
    }
    z->wallets.at[z->wallets.n++] = (struct gathered){s->w.number, at, z->rows.n};
}

/* The wallet of that number, which stays in memory until it is stored. */
static struct jb_cached_wallet *
frozen_wallet(const struct jb_state *b, size_t i)
{
    uint32_t number = b->behind->dirty.at[i];
    JB_ASSERT(number > 0 && number <= b->slots.n);
    return b->slots.at[number - 1];
}

#define NEAR 6

/* Of the wallets that are next: where it lies, all of it, its lots. They lie anywhere in memory:
 * who leads would wait for each. */
static void
send_for(const struct jb_state *b, const struct jb_behind *z)
{
    if (z->next + 3 * NEAR < z->dirty.n) {
        __builtin_prefetch(&b->slots.at[z->dirty.at[z->next + 3 * NEAR] - 1]);
    }
    const char *s =
        z->next + 2 * NEAR < z->dirty.n ? (const char *)frozen_wallet(b, z->next + 2 * NEAR) : NULL;
    for (size_t at = 0; s != NULL && at < sizeof(struct jb_cached_wallet); at += CACHE_LINE) {
        __builtin_prefetch(s + at, 1);
    }
    __builtin_prefetch(s != NULL ? s + sizeof(struct jb_cached_wallet) - 1 : NULL, 1);
    const struct jb_cached_wallet *near =
        z->next + NEAR < z->dirty.n ? frozen_wallet(b, z->next + NEAR) : NULL;
    if (near != NULL && near->w.lots.n > 0) {
        __builtin_prefetch(near->w.lots.at, 1);
    }
}

static void
gather_some(struct jb_state *b, struct jb_behind *z, size_t wallets, bool at_once)
{
    for (size_t i = 0; i < wallets && z->next < z->dirty.n; i++, z->next++) {
        send_for(b, z);
        struct jb_cached_wallet *s = frozen_wallet(b, z->next);
        JB_ASSERT(s != NULL);
        jb_behind_use(b, s);
    }
    gather_due(z, 4 * wallets);
    if (z->next == z->dirty.n && z->next_due == z->shown.due.n) {
        b->waiting = NOBODY;
        z->stage = WRITING;
        if (!z->broken) {
            hand_over(b, z, at_once);
        }
    }
}

static void
end(struct jb_behind *z)
{
    jb_news_clear(&z->news);
    jb_news_clear(&z->shown);
    z->stage = NOTHING;
}

bool
jb_behind_has(const struct jb_state *b, const struct jb_cached_wallet *s)
{
    return s->touched != 0 &&
           (s->touched < JB_ON_ITS_WAY - 1 || (jb_behind_busy(b) && s->touched == b->behind->mark));
}

/* What was stored leaves memory: what is over. Of a wallet that was touched since, what no event
 * has changed: one that is used all the time would keep all of it for ever. */
static void
drop_over(struct jb_state *b, struct jb_behind *z, size_t wallets)
{
    for (size_t i = 0; i < wallets && z->next_over < z->over.n; i++, z->next_over++) {
        struct jb_cached_wallet *s = b->slots.at[z->over.at[z->next_over] - 1];
        if (s != NULL && s->touched == z->mark) {
            jb_wallet_drop_over(&s->w);
        } else if (s != NULL) {
            jb_wallet_drop_stored(&s->w);
        }
    }
}

/* Where the rows lie is asked when wallets were evicted. */
static void
note_stored(struct jb_state *b, struct jb_behind *z, size_t wallets)
{
    if (b->g.wallets_given <= jb_behind_limits.wallets_kept) {
        z->next = z->dirty.n; /* they are looked for in all runs, if ever */
        b->stored_known = 0;
        b->stored_in.n = 0;
    }
    for (size_t i = 0; i < wallets && z->next < z->dirty.n; i++, z->next++) {
        jb_state_note_stored(b, z->dirty.at[z->next], z->wrote);
    }
}

static void
drop_some(struct jb_state *b, struct jb_behind *z, size_t wallets)
{
    note_stored(b, z, 4 * wallets);
    drop_over(b, z, wallets);
    jb_facts_take(&b->facts, false, &z->news.facts, &z->next_fact, 4 * wallets);
    jb_facts_trim(b);
    if (z->next == z->dirty.n && z->next_over == z->over.n &&
        z->next_fact == z->news.facts.bytes.n) {
        end(z);
    }
}

void
jb_behind_look(struct jb_state *b)
{
    struct jb_behind *z = b->behind;
    if (z == NULL || (z->stage != WRITING && z->stage != GIVEN_UP) ||
        atomic_load(&z->turn) == THREADS) {
        return;
    }
    if (z->stage == GIVEN_UP) {
        end(z);
    } else if (z->broken || (z->result == JB_OK && z->overtaken)) {
        b->usable = false; /* it begins again from what is stored */
    } else if (z->result == JB_OK) {
        b->stored_seq = z->seq;
        if (z->wrote == 0 || z->wrote_behind != b->stored_known) {
            jb_state_forget_stored(b); /* others have stored wallets, too */
        }
        b->stored_known = z->wrote;
        z->stage = DROPPING;
        z->next = z->next_over = z->next_fact = 0;
    } else if (z->result == JB_E_STALE) {
        end(z);
        jb_state_drop_store(b);
    } else if (z->again_at == 0) {
        z->again_at = jb_monotonic_us() + AGAIN_US;
    }
}

static uint64_t
share(uint64_t n, uint64_t most)
{
    const uint64_t half = most / 2;
    return most == 0 || n <= half ? 0
           : n >= most            ? JB_BEHIND_FULL
                                  : (n - half) * JB_BEHIND_FULL / (most - half);
}

unsigned
jb_behind_pressure(const struct jb_state *b)
{
    if (b->store == NULL) {
        return 0; /* nothing is on its way anywhere */
    }
    const uint64_t events = share(b->g.seq - jb_behind_frozen(b), jb_behind_limits.most_events);
    const uint64_t wallets = share(b->dirty.n, jb_behind_limits.most_wallets);
    return (unsigned)(events > wallets ? events : wallets);
}

void
jb_behind_wait_some(struct jb_state *b, int64_t us)
{
    struct jb_behind *z = b->behind;
    if (z == NULL) {
        return;
    }
    /* Whoever uses the state meanwhile changes the stage, which is not looked at. */
    const struct timespec until = in_us(us);
    pthread_mutex_lock(&z->lock);
    while ((atomic_load(&z->turn) == THREADS || z->result != JB_OK) &&
           pthread_cond_timedwait(&z->moved, &z->lock, &until) != ETIMEDOUT) {
    }
    pthread_mutex_unlock(&z->lock);
}

void
jb_behind_trim(struct jb_state *b, size_t most)
{
    if (b->loaded > jb_behind_limits.wallets_kept) {
        jb_state_trim(b, jb_behind_limits.wallets_kept, most);
    }
}

void
jb_behind_go_on(struct jb_state *b, size_t wallets)
{
    struct jb_behind *z = b->behind;
    wallets += jb_behind_limits.slice;
    if (z == NULL || !b->usable) {
        return;
    }
    if (z->stage == GATHERING) {
        gather_some(b, z, wallets, false);
    } else if (z->stage == DROPPING) {
        drop_some(b, z, wallets);
    } else if (z->stage == WRITING && z->again_at != 0 && jb_monotonic_us() >= z->again_at) {
        hand_over(b, z, false);
    }
}

jb_status
jb_behind_settle(struct jb_state *b, struct jb_error *err)
{
    struct jb_behind *z = b->behind;
    bool tried = false;
    while (b->usable && b->store != NULL && jb_behind_busy(b)) {
        if (z->stage == GATHERING) {
            tried = true;
            gather_some(b, z, SIZE_MAX / 8, true);
        }
        wait_for_thread(z);
        jb_behind_look(b);
        if (z->stage == WRITING && z->result != JB_OK && b->store != NULL && b->usable) {
            if (tried) {
                if (err != NULL) {
                    *err = z->err;
                }
                return z->result;
            }
            tried = true;
            hand_over(b, z, true);
        } else if (z->stage == DROPPING) {
            drop_some(b, z, SIZE_MAX / 8);
        }
    }
    return JB_OK;
}

jb_status
jb_behind_checkpoint(struct jb_state *b, struct jb_error *err)
{
    jb_state_release(b);
    jb_status status = jb_behind_settle(b, err);
    if (status == JB_OK) {
        status = jb_behind_freeze(b, err);
        jb_state_release(b);
    }
    return status == JB_OK ? jb_behind_settle(b, err) : status;
}

/* ---- while nobody commits ---- */

bool
jb_behind_is_worth_watching(const struct jb_state *b)
{
    const size_t few = jb_behind_limits.slice;
    return b->usable && b->store != NULL &&
           (jb_behind_busy(b) || b->g.seq - b->stored_seq >= few || b->dirty.n >= few);
}

static void
set_call(struct jb_behind *z, jb_behind_call call, void *data)
{
    z->watched = call != NULL;
    pthread_mutex_lock(&z->lock);
    z->call = call;
    z->call_data = data;
    pthread_cond_signal(&z->wake);
    pthread_mutex_unlock(&z->lock);
}

void
jb_behind_watch(struct jb_state *b, jb_behind_call call, void *data)
{
    struct jb_behind *z = b->behind;
    if (z == NULL || !z->watched) {
        z = behind(b);
        if (z != NULL && start(z)) {
            set_call(z, call, data);
        }
    }
}

void
jb_behind_watch_no_more(struct jb_state *b)
{
    if (b->behind != NULL && b->behind->watched) {
        set_call(b->behind, NULL, NULL);
    }
}

bool
jb_behind_idle_step(struct jb_state *b)
{
    struct jb_error ignored;
    struct jb_behind *z = b->behind;
    jb_behind_look(b);
    if (!jb_behind_busy(b)) {
        if (!jb_behind_is_worth_watching(b)) {
            jb_behind_watch_no_more(b);
            return false;
        }
        (void)jb_behind_freeze(b, &ignored);
    } else {
        jb_behind_go_on(b, 0);
    }
    return b->usable && (z->stage == GATHERING || z->stage == DROPPING);
}

/* ---- ending ---- */

void
jb_behind_drop(struct jb_state *b)
{
    struct jb_behind *z = b->behind;
    b->waiting = NOBODY;
    if (z != NULL && z->stage != NOTHING) {
        z->stage = GIVEN_UP;
        jb_behind_look(b);
    }
}

void
jb_behind_wait(struct jb_state *b)
{
    if (b->behind != NULL) {
        wait_for_thread(b->behind);
        jb_behind_look(b);
    }
}

void
jb_behind_end_watch(struct jb_state *b)
{
    struct jb_behind *z = b->behind;
    if (z != NULL) {
        pthread_mutex_lock(&z->lock);
        z->call = NULL;
        while (z->calling) {
            pthread_cond_wait(&z->moved, &z->lock);
        }
        pthread_mutex_unlock(&z->lock);
        z->watched = false;
    }
}

void
jb_behind_free(struct jb_state *b)
{
    struct jb_behind *z = b->behind;
    if (z == NULL) {
        return;
    }
    JB_ASSERT(z->call == NULL);
    jb_behind_wait(b);
    if (z->started) {
        pthread_mutex_lock(&z->lock);
        z->stop = true;
        pthread_cond_signal(&z->wake);
        pthread_mutex_unlock(&z->lock);
        pthread_join(z->thread, NULL);
    }
    jb_news_free(&z->news);
    jb_news_free(&z->shown);
    jb_vec_free(&z->dirty);
    jb_vec_free(&z->wallets);
    jb_vec_free(&z->over);
    free(z->rows.at);
    free(z->ledger_rows.at);
    jb_wallet_step_free(&z->step);
    pthread_mutex_destroy(&z->lock);
    pthread_cond_destroy(&z->wake);
    pthread_cond_destroy(&z->moved);
    free(z);
    b->behind = NULL;
}
