/* Reading: cursors over the log, the state for projections, and what stands about a ledger as a
 * whole. */
#include "ledger/internal.h"
#include "event/names.h"

#include <errno.h>
#include <time.h>

/* Wallets that a handle keeps in memory for reading. */
#define READER_WALLETS_MAX 100000
/* And so many of them go for each that comes. */
#define READER_WALLETS_GO 4

static jb_status
forked(struct jb_error *err)
{
    return jb_fail(err, JB_E_USAGE, "the ledger was opened before fork(); open it in the child");
}

struct jb_cursor {
    struct jb_ledger *l;
    struct jb_log_reader *reader;
    bool live;
    jb_seq next; /* the event that jb_cursor_next gives */
    bool away;   /* the reader stands elsewhere: jb_cursor_at was called */
};

static jb_status
cursor_usable(const jb_cursor *c, struct jb_error *err)
{
    if (jb_env_inherited(jb_log_env(c->l->log))) {
        return forked(err);
    }
    return c->l->closed ? jb_fail_closed(err) : JB_OK;
}

static jb_status
cursor_renew(jb_cursor *c, struct jb_error *err)
{
    jb_status status = jb_log_reader_renew(c->reader, NULL, err);
    c->live = status == JB_OK;
    return status;
}

/* Finds the chain value before the frame that `from` stands in or begins, so that every frame read
 * from there on is checked. */
static jb_status
chain_before(jb_cursor *c, jb_seq from, uint8_t ret[JB_CHAIN_BYTES], struct jb_error *err)
{
    memcpy(ret, c->l->identity.root, JB_CHAIN_BYTES);
    struct jb_frame frame = {0};
    jb_status status =
        from <= 1 ? JB_E_NOTFOUND : jb_log_reader_frame(c->reader, from, &frame, err);
    if (status == JB_OK && frame.first < from) {
        memcpy(ret, frame.chain, JB_CHAIN_BYTES);
        return JB_OK;
    }
    if (from > 1) {
        status = jb_log_reader_frame(c->reader, from - 1, &frame, err);
        if (status == JB_OK) {
            memcpy(ret, frame.chain, JB_CHAIN_BYTES);
        }
    }
    return status == JB_E_NOTFOUND && from <= 1 ? JB_OK : status;
}

/* Puts the reader before event c->next, in the snapshot that it has. Beyond the end the events are
 * still to come, and their chain is looked at from the first of them on. */
static jb_status
go_to_next(jb_cursor *c, struct jb_error *err)
{
    uint8_t chain[JB_CHAIN_BYTES];
    jb_status status = chain_before(c, c->next, chain, err);
    if (status != JB_OK && status != JB_E_NOTFOUND) {
        return status;
    }
    jb_log_reader_seek(c->reader, c->next, status == JB_OK ? chain : NULL);
    c->away = false;
    return JB_OK;
}

jb_status
jb_cursor_open(jb_ledger *l, jb_seq from, jb_cursor **ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    if (l == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_cursor_open");
    }
    if (from < 1) {
        return jb_fail(err, JB_E_USAGE, "events are counted from 1");
    }
    if (l->closed) {
        return jb_fail_closed(err);
    }
    jb_cursor *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a cursor");
    }
    c->l = l;
    jb_status status = jb_log_reader_open(l->log, &c->reader, err);
    if (status != JB_OK) {
        free(c);
        return status;
    }
    jb_ledger_hold(l);
    c->live = true;
    c->next = from;
    jb_log_reader_offset(c->reader, l->identity.utc_offset_s);
    status = go_to_next(c, err);
    if (status != JB_OK) {
        jb_cursor_close(c);
        return status;
    }
    *ret = c;
    return JB_OK;
}

static jb_status
next_in_snapshot(jb_cursor *c, const struct jb_event **ret, struct jb_error *err)
{
    jb_status status = c->away ? go_to_next(c, err) : JB_OK;
    status = status == JB_OK ? jb_log_reader_next(c->reader, ret, err) : status;
    if (status == JB_OK) {
        JB_ASSERT((*ret)->seq == c->next); /* no event is left out, and none given twice */
        c->next++;
    }
    return status;
}

jb_status
jb_cursor_next(jb_cursor *c, const struct jb_event **ret, struct jb_error *err)
{
    JB_SPEAK(c != NULL ? c->l->lang : JB_LANG_EN);
    if (c == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_cursor_next");
    }
    jb_status usable = cursor_usable(c, err);
    if (usable != JB_OK) {
        return usable;
    }
    if (c->live) {
        jb_status status = next_in_snapshot(c, ret, err);
        if (status != JB_END) {
            return status;
        }
    }
    /* At the end of the snapshot: the log may have grown since it was taken. */
    jb_status status = cursor_renew(c, err);
    status = status == JB_OK ? next_in_snapshot(c, ret, err) : status;
    if (status == JB_END) {
        jb_log_reader_reset(c->reader);
        c->live = false;
    }
    return status;
}

static jb_status
frame_in_snapshot(jb_cursor *c, struct jb_frame *ret, size_t *ret_at, struct jb_error *err)
{
    jb_status status = c->away ? go_to_next(c, err) : JB_OK;
    status = status == JB_OK ? jb_log_reader_next_frame(c->reader, ret, ret_at, err) : status;
    if (status == JB_OK) {
        c->next = ret->first + ret->count;
    }
    return status;
}

jb_status
jb_cursor_frame(jb_cursor *c, struct jb_frame *ret, size_t *ret_at, struct jb_error *err)
{
    jb_status status = cursor_usable(c, err);
    if (status == JB_OK && c->live) {
        status = frame_in_snapshot(c, ret, ret_at, err);
        if (status != JB_END) {
            return status;
        }
    }
    status = status == JB_OK || status == JB_END ? cursor_renew(c, err) : status;
    return status == JB_OK ? frame_in_snapshot(c, ret, ret_at, err) : status;
}

jb_status
jb_cursor_at(jb_cursor *c, jb_seq seq, const struct jb_event **ret, struct jb_error *err)
{
    JB_SPEAK(c != NULL ? c->l->lang : JB_LANG_EN);
    if (c == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_cursor_at");
    }
    jb_status usable = cursor_usable(c, err);
    if (usable != JB_OK) {
        return usable;
    }
    c->away = true;
    if (c->live) {
        jb_status status = jb_log_reader_at(c->reader, seq, ret, err);
        if (status != JB_E_NOTFOUND) {
            return status;
        }
    }
    jb_status status = cursor_renew(c, err);
    return status == JB_OK ? jb_log_reader_at(c->reader, seq, ret, err) : status;
}

struct jb_text
jb_cursor_bytes(const jb_cursor *c)
{
    return c != NULL ? jb_log_reader_bytes(c->reader) : (struct jb_text){NULL, 0};
}

struct jb_event_context
jb_cursor_context(const jb_cursor *c)
{
    return (struct jb_event_context){jb_log_reader_current(c->reader)->base,
                                     c->l->identity.utc_offset_s};
}

const struct jb_frame *
jb_cursor_current(const jb_cursor *c)
{
    return jb_log_reader_current(c->reader);
}

void
jb_cursor_rest(jb_cursor *c)
{
    if (c != NULL) {
        jb_log_reader_reset(c->reader);
        c->live = false;
    }
}

jb_cursor *
jb_cursor_close(jb_cursor *c)
{
    if (c != NULL) {
        jb_log_reader_close(c->reader);
        jb_ledger_let_go(c->l);
        free(c);
    }
    return NULL;
}

/* ---- the state, for projections ---- */

void
jb_query_lock_init(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(lock, &attr);
    pthread_mutexattr_destroy(&attr);
}

static jb_status
within_another(struct jb_error *err)
{
    return jb_fail(err, JB_E_USAGE,
                   "a query was asked from within another one, of the same thread; ask when the "
                   "first has ended");
}

jb_status
jb_query_lock(jb_ledger *l, pthread_mutex_t *lock, struct jb_error *err)
{
    if (jb_log_forked(l->log)) {
        return forked(err);
    }
    if (l->closed) {
        return jb_fail_closed(err);
    }
    return pthread_mutex_lock(lock) == 0 ? JB_OK : within_another(err);
}

/* Of the clock that nobody puts back. ThreadSanitizer, gcc's and clang's, does not know that call.
 */
#ifdef __SANITIZE_THREAD__
#define UNKNOWN_CLOCK
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define UNKNOWN_CLOCK
#endif
#endif
#ifdef UNKNOWN_CLOCK
#define LOCK_CLOCK CLOCK_REALTIME
#define LOCK_UNTIL(lock, until) pthread_mutex_timedlock(lock, until)
#else
#define LOCK_CLOCK CLOCK_MONOTONIC
#define LOCK_UNTIL(lock, until) pthread_mutex_clocklock(lock, LOCK_CLOCK, until)
#endif

jb_status
jb_query_lock_within(jb_ledger *l, pthread_mutex_t *lock, int64_t us, struct jb_error *err)
{
    if (jb_log_forked(l->log)) {
        return forked(err);
    }
    if (l->closed) {
        return jb_fail_closed(err);
    }
    struct timespec until;
    clock_gettime(LOCK_CLOCK, &until);
    us = us > 0 ? us : 0;
    until.tv_sec += us / JB_US_PER_SECOND;
    until.tv_nsec += us % JB_US_PER_SECOND * 1000;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    const int code = LOCK_UNTIL(lock, &until);
    return code == 0 ? JB_OK : code == ETIMEDOUT ? JB_END : within_another(err);
}

jb_status
jb_reader_begin(jb_ledger *l, struct jb_reader_head *ret, struct jb_error *err)
{
    jb_status status = jb_query_lock(l, &l->read_lock, err);
    if (status != JB_OK) {
        return status;
    }
    jb_ledger_take_reading(l);
    struct jb_state *b = l->read_state;
    status = jb_state_catch_up(b, err);
    if (status != JB_OK) {
        jb_reader_end(l);
        return status;
    }
    *ret = (struct jb_reader_head){.seq = b->g.seq,
                                   .recorded_at = b->g.recorded_at,
                                   .first_open_day = b->g.first_open_day,
                                   .wallets_n = b->g.wallets_given};
    memcpy(ret->chain, b->head.chain, 16);
    return JB_OK;
}

jb_status
jb_fail_not_ready(struct jb_error *err)
{
    return jb_fail(err, JB_E_BUSY, "a query would have to wait, or to fold much first");
}

jb_status
jb_reader_near(jb_ledger *l, jb_seq head, uint64_t events, int64_t us, struct jb_error *err)
{
    const jb_status status = jb_query_lock_within(l, &l->read_lock, us, err);
    if (status != JB_OK) {
        return status;
    }
    /* What was folded at opening is taken over now: a writer might have it before the query has. */
    jb_ledger_take_reading(l);
    const struct jb_state *b = l->read_state;
    const bool near = b->usable && jb_few_events(b->g.seq, head, events);
    pthread_mutex_unlock(&l->read_lock);
    return near ? JB_OK : JB_END;
}

jb_status
jb_ledger_ready(jb_ledger *l, uint64_t events, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    struct jb_head head = JB_SIZED(struct jb_head);
    if (l == NULL) {
        return jb_fail_null(err, "jb_ledger_ready");
    }
    jb_status status = jb_head_get(l, &head, err);
    if (status == JB_OK) {
        status = jb_reader_near(l, head.seq, events, JB_READY_US, err);
    }
    return status == JB_END ? jb_fail_not_ready(err) : status;
}

void
jb_reader_end(jb_ledger *l)
{
    jb_state_release(l->read_state);
    pthread_mutex_unlock(&l->read_lock);
}

bool
jb_reader_again(jb_ledger *l, jb_status *status, struct jb_error *err)
{
    struct jb_state *b = l->read_state;
    if (*status != JB_E_STALE || b->store == NULL) {
        return false;
    }
    jb_seq seq = b->g.seq;
    jb_state_drop_store(b);
    *status = jb_state_catch_up_to(b, seq, err);
    return *status == JB_OK;
}

jb_status
jb_reader_person(jb_ledger *l, struct jb_text id, uint64_t *ret, struct jb_error *err)
{
    *ret = 0;
    return id.n >= 1 && id.n <= JB_ID_BYTES_MAX ? jb_personal_known(l->personal, id, ret, err)
                                                : JB_OK;
}

jb_status
jb_reader_wallet(jb_ledger *l, uint32_t number, struct jb_reader_wallet *ret, struct jb_error *err)
{
    struct jb_cached_wallet *s;
    jb_state_trim(l->read_state, READER_WALLETS_MAX, READER_WALLETS_GO);
    jb_status status;
    do {
        status = jb_state_wallet(l->read_state, number, &s, err);
    } while (jb_reader_again(l, &status, err));
    if (status != JB_OK) {
        return status;
    }
    const struct jb_wallet *w = &s->w;
    l->read_grants.n = 0;
    if (!jb_vec_reserve(&l->read_grants, jb_rest(w)->grants.n)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a wallet's grants");
    }
    for (size_t i = 0; i < jb_rest(w)->grants.n; i++) {
        const struct jb_grant *g = &jb_rest(w)->grants.at[i];
        if ((g->state == JB_GRANT_DORMANT || g->state == JB_GRANT_IN_USE) && g->remaining > 0) {
            l->read_grants.at[l->read_grants.n++] = (struct jb_reader_grant){
                g->ordinal, g->state == JB_GRANT_IN_USE, g->remaining, g->expires_on, g->seq};
        }
    }
    *ret = (struct jb_reader_wallet){.number = number,
                                     .id = jb_id_of(w),
                                     .status = w->status,
                                     .paid = w->paid,
                                     .refund_pending = jb_rest(w)->pending,
                                     .refund_in_transit = jb_rest(w)->transit,
                                     .version = w->version,
                                     .created_seq = w->created_seq,
                                     .lots_n = w->lots_given,
                                     .grants = l->read_grants.at,
                                     .grants_n = (uint32_t)l->read_grants.n};
    return JB_OK;
}

jb_status
jb_chain_at(jb_ledger *l, jb_seq seq, uint8_t ret_chain[16], struct jb_error *err)
{
    struct jb_log_reader *r;
    jb_status status = jb_log_reader_open(l->log, &r, err);
    if (status == JB_OK) {
        status = jb_log_reader_chain(r, seq, ret_chain, err);
        jb_log_reader_close(r);
    }
    return status;
}

jb_status
jb_chain_of(jb_ledger *l, jb_seq seq, uint8_t ret_chain[16], struct jb_error *err)
{
    struct jb_log_reader *r;
    struct jb_frame frame;
    jb_status status = jb_log_reader_open(l->log, &r, err);
    if (status == JB_OK) {
        status = jb_log_reader_frame(r, seq, &frame, err);
        if (status == JB_OK) {
            memcpy(ret_chain, frame.chain, JB_CHAIN_BYTES);
        }
        jb_log_reader_close(r);
    }
    return status;
}

/* ---- about the ledger ---- */

static jb_status
find_wallet(jb_ledger *l, struct jb_text id, struct jb_cached_wallet **ret, struct jb_error *err)
{
    jb_status status;
    do {
        status = jb_state_find(l->read_state, id, ret, err);
    } while (jb_reader_again(l, &status, err));
    if (status == JB_OK && *ret == NULL) {
        return jb_fail(err, JB_E_NOTFOUND, "there is no wallet %.*s", (int)(id.n < 80 ? id.n : 80),
                       id.s != NULL ? id.s : "");
    }
    return status;
}

jb_status
jb_wallet_number(jb_ledger *l, struct jb_text id, uint32_t *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    if (l == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_wallet_number");
    }
    struct jb_reader_head head;
    jb_status status = jb_reader_begin(l, &head, err);
    if (status != JB_OK) {
        return status;
    }
    struct jb_cached_wallet *s;
    status = find_wallet(l, id, &s, err);
    if (status == JB_OK) {
        *ret = s->w.number;
    }
    jb_reader_end(l);
    return status;
}

jb_status
jb_wallet_id(jb_ledger *l, uint32_t number, char *id, size_t *ret_n, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    if (l == NULL || id == NULL || ret_n == NULL) {
        return jb_fail_null(err, "jb_wallet_id");
    }
    struct jb_reader_head head;
    jb_status status = jb_reader_begin(l, &head, err);
    if (status != JB_OK) {
        return status;
    }
    struct jb_cached_wallet *s;
    do {
        status = jb_state_wallet(l->read_state, number, &s, err);
    } while (jb_reader_again(l, &status, err));
    if (status == JB_OK) {
        memcpy(id, jb_id_of(&s->w).s, s->w.id_n);
        *ret_n = s->w.id_n;
    }
    jb_reader_end(l);
    return status;
}

/* The event that gave the id; 0: there is none. */
static jb_status
named_by(struct jb_state *b, const struct jb_event *e, jb_seq *ret, struct jb_error *err)
{
    const bool lot = e->type == JB_EV_CHARGE_REVERSED;
    const bool grant = e->type >= JB_EV_FREE_ACTIVATED && e->type <= JB_EV_FREE_FORFEITED;
    const bool refund = e->type >= JB_EV_REFUND_CANCELLED && e->type <= JB_EV_REFUND_FAILED;
    *ret = e->type == JB_EV_CONSUMPTION_REVERSED ? e->consumption_reversed.consumption : 0;
    if (!lot && !grant && !refund) {
        return JB_OK;
    }
    const uint32_t ordinal = jb_event_ordinal(e);
    struct jb_cached_wallet *s;
    jb_status status = jb_state_wallet(b, e->wallet, &s, err);
    if (status == JB_OK) {
        status = jb_state_load(b, s,
                               lot     ? JB_ARCHIVED_LOT
                               : grant ? JB_ARCHIVED_GRANT
                                       : JB_ARCHIVED_REFUND,
                               ordinal, err);
    }
    if (status != JB_OK) {
        return status;
    }
    const struct jb_lot *l = lot ? jb_wallet_lot(&s->w, ordinal) : NULL;
    const struct jb_grant *g = grant ? jb_wallet_grant(&s->w, ordinal) : NULL;
    const struct jb_refund *r = refund ? jb_wallet_refund(&s->w, ordinal) : NULL;
    *ret = l != NULL ? l->seq : g != NULL ? g->seq : r != NULL ? r->seq : 0;
    return JB_OK;
}

jb_status
jb_event_id(jb_ledger *l, const struct jb_event *e, char *id, size_t *ret_n, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    if (l == NULL || e == NULL || id == NULL || ret_n == NULL) {
        return jb_fail_null(err, "jb_event_id");
    }
    *ret_n = 0;
    const struct jb_text own = jb_event_own_id(e);
    if (own.s != NULL) {
        *ret_n = own.n > JB_ID_BYTES_MAX ? 0 : own.n;
        memcpy(id, own.s, *ret_n);
        return JB_OK;
    }
    struct jb_reader_head head;
    jb_status status = jb_reader_begin(l, &head, err);
    if (status != JB_OK) {
        return status;
    }
    jb_seq seq;
    const struct jb_event *named = NULL;
    do {
        status = named_by(l->read_state, e, &seq, err);
    } while (jb_reader_again(l, &status, err));
    if (status == JB_OK && seq != 0) {
        status = jb_state_event(l->read_state, seq, &named, err);
    }
    const struct jb_text given =
        status == JB_OK && named != NULL ? jb_event_own_id(named) : (struct jb_text){NULL, 0};
    if (given.s != NULL && given.n <= JB_ID_BYTES_MAX) {
        memcpy(id, given.s, given.n);
        *ret_n = given.n;
    }
    jb_reader_end(l);
    return status;
}

jb_status
jb_wallet_name_get(jb_ledger *l, struct jb_text wallet, char *buf, size_t *ret_n,
                   jb_person_why *ret_why, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    if (l == NULL || buf == NULL || ret_n == NULL || ret_why == NULL) {
        return jb_fail_null(err, "jb_wallet_name_get");
    }
    struct jb_reader_head head;
    struct jb_cached_wallet *s;
    jb_status status = jb_reader_begin(l, &head, err);
    if (status != JB_OK) {
        return status;
    }
    status = find_wallet(l, wallet, &s, err);
    uint64_t name = status == JB_OK ? s->w.name_ref : 0;
    jb_reader_end(l);
    return status == JB_OK ? jb_person_get(l, name, buf, ret_n, ret_why, err) : status;
}

jb_status
jb_wallet_name(jb_ledger *l, struct jb_text wallet, char *buf, size_t *ret_n, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    if (l == NULL || buf == NULL || ret_n == NULL) {
        return jb_fail_null(err, "jb_wallet_name");
    }
    struct jb_reader_head head;
    jb_status status = jb_reader_begin(l, &head, err);
    if (status != JB_OK) {
        return status;
    }
    struct jb_cached_wallet *s;
    uint64_t name = 0;
    status = find_wallet(l, wallet, &s, err);
    if (status == JB_OK) {
        name = s->w.name_ref;
    }
    jb_reader_end(l);
    return status == JB_OK ? jb_personal_text(l->personal, name, buf, ret_n, err) : status;
}

/* From the log alone: no state is folded, so it costs the same however far the handle's state is
 * behind. */
jb_status
jb_head_get(jb_ledger *l, struct jb_head *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    if (l == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_head_get");
    }
    if (l->closed) {
        return jb_fail_closed(err);
    }
    struct jb_log_reader *r;
    struct jb_log_head end;
    const struct jb_event *e = NULL;
    jb_status status = jb_log_reader_open(l->log, &r, err);
    if (status != JB_OK) {
        return status;
    }
    jb_log_reader_offset(r, l->identity.utc_offset_s);
    status = jb_log_reader_renew(r, &end, err);
    status = status == JB_OK ? jb_log_reader_at(r, end.seq, &e, err) : status;
    if (status == JB_OK) {
        struct jb_head full = {.size = sizeof full, .seq = end.seq, .recorded_at = e->recorded_at};
        memcpy(full.chain, end.chain, 16);
        status = jb_abi_out(ret, &full, sizeof full, err);
    }
    jb_log_reader_close(r);
    return status;
}

/* By halving: recorded_at never goes backwards, and events without one stand at the front. */
jb_status
jb_seq_at_time(jb_ledger *l, jb_instant t, jb_seq *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    if (l == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_seq_at_time");
    }
    struct jb_log_reader *r;
    struct jb_log_head end;
    jb_status status = jb_log_reader_open(l->log, &r, err);
    if (status != JB_OK) {
        return status;
    }
    jb_log_reader_offset(r, l->identity.utc_offset_s);
    status = jb_log_reader_renew(r, &end, err);
    jb_seq low = 1, high = end.seq; /* event `low` is at or before t */
    while (status == JB_OK && low < high) {
        jb_seq middle = low + (high - low + 1) / 2;
        const struct jb_event *e;
        status = jb_log_reader_at(r, middle, &e, err);
        if (status == JB_OK && e->recorded_at <= t) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    jb_log_reader_close(r);
    if (status == JB_OK) {
        *ret = low;
    }
    return status;
}

jb_status
jb_person_text(jb_ledger *l, uint64_t ref, char *buf, size_t *ret_n, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    if (l == NULL || buf == NULL || ret_n == NULL) {
        return jb_fail_null(err, "jb_person_text");
    }
    return jb_personal_text(l->personal, ref, buf, ret_n, err);
}

jb_status
jb_ledger_stat_get(jb_ledger *l, struct jb_ledger_stat *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    if (l == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_ledger_stat_get");
    }
    struct jb_reader_head head;
    struct jb_ledger_stat st = {.size = sizeof st};
    jb_status status = jb_log_size(l->log, &st.log_bytes, &st.log_file_bytes, err);
    if (status == JB_OK) {
        status = jb_reader_begin(l, &head, err);
    }
    if (status != JB_OK) {
        return status;
    }
    const struct jb_globals *g = &l->read_state->g;
    st.events = g->seq;
    st.frames = l->read_state->head.frames;
    st.wallets = g->wallets_given - g->wallets_deleted;
    st.wallets_deleted = g->wallets_deleted;
    st.recorded_at = g->recorded_at;
    st.open_day = g->first_open_day;
    st.closed_through = g->closed_through;
    st.stored_seq = l->read_state->snap.txn != NULL ? l->read_state->snap.meta.seq : 0;
    st.keys = g->keys;
    memcpy(st.chain, head.chain, 16);
    jb_reader_end(l);
    return jb_abi_out(ret, &st, sizeof st, err);
}

jb_status
jb_reader_policy(jb_ledger *l, uint32_t policy, jb_instant t, int64_t *ret, struct jb_error *err)
{
    struct jb_reader_head head;
    jb_status status = jb_reader_begin(l, &head, err);
    if (status == JB_OK) {
        *ret = jb_policy_at(&l->read_state->g, policy, t);
        jb_reader_end(l);
    }
    return status;
}

jb_status
jb_policy_get(jb_ledger *l, uint32_t policy, int64_t *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    struct jb_reader_head head;
    if (l == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_policy_get");
    }
    if (jb_name_word(&jb_policy_names, policy) == NULL) {
        return jb_fail(err, JB_E_NOTFOUND, "there is no policy %u", policy);
    }
    jb_status status = jb_reader_begin(l, &head, err);
    if (status != JB_OK) {
        return status;
    }
    *ret = jb_policy_at(&l->read_state->g, policy, l->read_state->g.recorded_at);
    jb_reader_end(l);
    return JB_OK;
}
