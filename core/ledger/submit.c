/*
 * Group commit. Callers queue (queue.h); one of them leads: it takes the writer lock, catches up
 * with other processes, decides what is waiting, commits it with one pair of syncs, lets the lock
 * go after each commit, and hands every caller its answers.
 */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "ledger/internal.h"
#include "state/behind.h"
#include "state/papers.h"
#include "log/fault.h"

/* ---- before the queue: what needs no ledger, done by the caller's own thread ---- */

/* The answer before anything is decided: of a command whose form is wrong it is the last one, in
 * the thread's language. */
static jb_code
prepare_one(struct jb_ledger *l, struct jb_request *r, size_t i, char why[JB_WHY_BYTES])
{
    const struct jb_command *c = &r->commands[i];
    struct jb_answer *a = &r->answers->list.at[i];
    memset(a, 0, sizeof *a);
    a->op = c->op;
    a->index = -1;
    a->content_checked = 1;
    jb_code code = jb_check_form(c, r->options.clock == JB_CLOCK_AT, false, why, JB_WHY_BYTES);
    if (code == JB_CODE_NONE) {
        code = jb_check_calendar(c, l->identity.utc_offset_s, why, JB_WHY_BYTES);
    }
    if (code != JB_CODE_NONE && code != JB_FORM_NONSENSE) {
        a->outcome = JB_REFUSED;
        a->code = code;
        jb_answer_set_message(r->answers, a, why);
    }
    r->answers->fingerprints.at[i] =
        code == JB_CODE_NONE && (c->has & JB_HAS(JB_CF_KEY)) != 0 ? jb_fingerprint(l, c) : 0;
    return code;
}

static jb_status
prepare(struct jb_ledger *l, struct jb_request *r, struct jb_error *err)
{
    jb_status status = JB_OK;
    size_t may = r->n; /* how many may be done */
    bool ours = false; /* all of them are structs of this version: it was looked at */
    for (size_t i = 0; i < r->n; i++) {
        if (!ours && !jb_abi_is_ours(&r->commands[i])) {
            status = jb_abi_commands(r->answers, r->commands, r->n, &r->commands, err);
            if (status != JB_OK) {
                return status;
            }
            ours = true;
        }
        const char *held = jb_answers_hold(r->answers, &r->commands[i]);
        if (held != NULL) {
            return jb_fail(err, JB_E_USAGE,
                           "command %zu: %s lies in the answers that this call writes over: take "
                           "another set of answers, or a copy of it",
                           i, held);
        }
        if (r->commands[i].op == JB_OP_FORGET && may == r->n &&
            jb_personal_may_rotate(l->personal, &r->stop) != JB_OK) {
            may = i;
        }
        char why[JB_WHY_BYTES];
        if (prepare_one(l, r, i, why) == JB_FORM_NONSENSE) {
            return r->n == 1 ? jb_fail(err, JB_E_USAGE, "the command: %s", why)
                             : jb_fail(err, JB_E_USAGE, "command %zu: %s", i, why);
        }
    }
    r->n = may;
    return JB_OK;
}

/* ---- one commit ---- */

static void
drop_batch(struct jb_ledger *l)
{
    l->batch.bytes.n = 0;
    l->batch.ends.n = 0;
    l->dying.n = 0;
}

/* Commands that read nothing take so little time that the clock is looked at once for so many. */
#define COMMANDS_UNSEEN_MAX 256

/* Where the disk is slower than who writes, commits become smaller, and wait for it: so what waits
 * to be stored has an end, and nobody waits for long. */
#define COMMIT_EVENTS_LEAST 256
#define WAIT_US_MOST 12000

static size_t
commit_events(const struct jb_ledger *l)
{
    return JB_COMMIT_EVENTS_MAX -
           l->pressure * (size_t)(JB_COMMIT_EVENTS_MAX - COMMIT_EVENTS_LEAST) / JB_BEHIND_FULL;
}

static bool
commit_is_full(struct jb_ledger *l, int64_t until, unsigned *unseen)
{
    if (l->batch.ends.n >= commit_events(l) || l->batch.bytes.n >= JB_COMMIT_BYTES_CUT) {
        return true;
    }
    if ((*unseen)++ < COMMANDS_UNSEEN_MAX) {
        return false;
    }
    *unseen = 0;
    l->looks++;
    return jb_monotonic_us() >= until;
}

/* Where a command's key is looked for. False: it has none, or one of a wrong form. */
static bool
key_hash(const struct jb_ledger *l, const struct jb_request *r, const struct jb_command *c,
         uint64_t *ret)
{
    struct jb_text caller = jb_given(c, JB_CF_CALLER) ? c->caller : r->caller;
    bool can_be = jb_given(c, JB_CF_KEY) && c->key.s != NULL && c->key.n <= JB_KEY_BYTES_MAX &&
                  caller.n <= JB_SHORT_BYTES_MAX && (caller.s != NULL || caller.n == 0);
    *ret = can_be ? jb_state_key_hash(l->state, caller, c->key) : 0;
    return can_be;
}

/* The wallets and keys of the commands from `from` on, where there are many. */
static void
warm(struct jb_ledger *l, const struct jb_request *r, size_t from)
{
    struct jb_text ids[JB_WARM_MAX] = {{NULL, 0}}, actors[JB_WARM_MAX];
    uint64_t keys[JB_WARM_MAX];
    size_t left = r->n - from, n = left < JB_WARM_MAX ? left : JB_WARM_MAX, by = 0, keyed = 0;
    uint32_t *near = &l->near[from % JB_NEAR];
    bool papers = false;
    for (size_t i = 0; i < n; i++) {
        const struct jb_command *c = &r->commands[from + i];
        ids[i] = c->wallet;
        if (jb_given(c, JB_CF_ACTOR)) {
            actors[by++] = c->actor_id;
        }
        keyed += key_hash(l, r, c, &keys[keyed]) ? 1 : 0;
        papers |= c->op == JB_OP_INVOICE_ISSUE;
    }
    if (keyed > 0) {
        jb_keys_warm(l->state, keys, keyed);
    }
    jb_state_warm(l->state, ids, n, near);
    if (papers) {
        jb_papers_warm(l->state, &r->commands[from], near, n);
    }
    if (by > 0) {
        jb_known_warm(l, actors, by);
    }
}

/* Whoever was forgotten is that in every copy before anything else of the request goes on. */
static bool
has_to_wait(const struct jb_request *r)
{
    return r->owes != 0 && (r->decided == r->n || r->commands[r->decided].op != JB_OP_FORGET);
}

/* A long request that this commit would not end waits for one of its own: the single commands
 * before it are answered without some thousands of its commands. */
static bool
ends_here(const struct jb_ledger *l, const struct jb_request *r)
{
    return l->batch.ends.n + (r->n - r->decided) <= JB_COMMIT_EVENTS_MAX;
}

/* Decides commands of the queue until the commit is full. *ret_last: the last request that was
 * looked at. */
static jb_status
decide_some(struct jb_ledger *l, struct jb_request *first, struct jb_request **ret_last,
            struct jb_error *err)
{
    int64_t until = jb_monotonic_us() + JB_COMMIT_DECIDE_US;
    unsigned unseen = 0; /* commands since the last look at the clock */
    const struct jb_request *seen = first;
    for (struct jb_request *r = first; r != NULL;) {
        *ret_last = r;
        l->clock_holds = 0; /* the caller may have looked at the clock since */
        size_t warmed = r->decided - r->decided % JB_WARM_MAX;
        while (r->decided < r->n || r->owes != 0) {
            if (commit_is_full(l, until, &unseen)) {
                return JB_OK;
            }
            if (has_to_wait(r)) {
                enum jb_step owed = jb_forget_on(l, r->owes, err);
                if (owed != JB_STEP_DECIDED) {
                    return owed == JB_STEP_FAILED ? err->status : JB_OK;
                }
                r->owes = 0;
                continue;
            }
            /* One handful ahead: while one is decided the next is on its way through memory. */
            for (; r->n > 1 && warmed < r->n && warmed <= r->decided + JB_WARM_MAX;
                 warmed += JB_WARM_MAX) {
                warm(l, r, warmed);
            }
            jb_seq before = l->state->g.seq;
            uint64_t events_read = l->state->events_read;
            l->forgot = 0;
            enum jb_step step = jb_execute(l, r, r->decided, err);
            if (step != JB_STEP_FAILED && r->answers->no_memory) {
                /* Said before the commit: nothing was done. */
                return jb_fail(err, JB_E_NOMEM, "no memory for the answers");
            }
            /* A command that read the log may have read much of it. */
            if (l->state->events_read != events_read) {
                unseen = COMMANDS_UNSEEN_MAX;
                l->clock_holds = 0;
            }
            if (step == JB_STEP_FAILED) {
                return err->status != JB_OK ? err->status : JB_E_CORRUPT;
            }
            if (step == JB_STEP_COMMIT_FIRST) {
                r->before_cut = r->cut ? r->before_cut : before;
                r->cut = true;
                return JB_OK;
            }
            r->cut = false;
            if (l->forgot != 0) {
                r->owes_from = r->owes == 0 ? r->decided : r->owes_from;
                r->owes = l->forgot;
            }
            r->decided++;
        }
        r = jb_queue_after(&l->queue, r, &seen);
        if (r != NULL && !ends_here(l, r)) {
            break;
        }
    }
    return JB_OK;
}

/* What was decided since the last commit is forgotten: the stored state that it came from cannot be
 * believed. It is decided again from the log alone. */
static void
start_over(struct jb_ledger *l, struct jb_request *first, const struct jb_request *last)
{
    if (l->state->save.live) {
        jb_savepoint_rollback(l->state);
    }
    drop_batch(l);
    jb_state_drop_store(l->state);
    l->closing = false;
    pthread_mutex_lock(&l->queue.lock);
    for (struct jb_request *r = first; r != NULL; r = r != last ? r->next : NULL) {
        JB_SPEAK(r->lang); /* it may be another caller's */
        for (size_t i = r->held; i < r->n && i <= r->decided; i++) {
            char why[JB_WHY_BYTES];
            (void)prepare_one(l, r, i, why); /* nonsense was refused before it was queued */
        }
        r->decided = r->held;
        r->cut = false;
    }
    pthread_mutex_unlock(&l->queue.lock);
}

/* Whether this program may write on: once a second, because others may have marked the ledger
 * since, and by the rules that are in force. */
jb_status
jb_ledger_may_write(struct jb_ledger *l, struct jb_error *err)
{
    int64_t now = jb_monotonic_us();
    if (now - l->requires_at >= JB_REQUIRES_LOOK_US) {
        jb_status status = jb_requires_check(l->place, true, err);
        if (status != JB_OK) {
            return status;
        }
        l->requires_at = now;
    }
    int64_t rules = jb_rules(&l->state->g);
    return rules <= JB_RULES ? JB_OK
                             : jb_fail(err, JB_E_FORMAT,
                                       "the ledger goes by rules %lld, and this version knows "
                                       "rules 1 to %d: it reads the ledger and does not write to "
                                       "it. Use a newer jangbu",
                                       (long long)rules, JB_RULES);
}

static jb_status
decide(struct jb_ledger *l, struct jb_request *first, struct jb_request **ret_last,
       jb_day *ret_open_before, struct jb_error *err)
{
    jb_status status = jb_state_catch_up(l->state, err);
    *ret_open_before = l->state->g.first_open_day;
    status = status == JB_OK ? jb_ledger_may_write(l, err) : status;
    status = status == JB_OK ? jb_people_begin(l, err) : status;
    if (status != JB_OK) {
        return status;
    }
    jb_known_begin(l);
    return decide_some(l, first, ret_last, err);
}

static void
write_head(struct jb_ledger *l, bool sync)
{
    struct jb_head_file h = {.seq = l->state->head.seq, .recorded_at = l->state->g.recorded_at};
    memcpy(h.ledger_id, l->identity.ledger_id, 16);
    memcpy(h.chain, l->state->head.chain, 16);
    jb_head_write(l->head_fd, &h);
    if (sync && l->head_fd >= 0 && fdatasync(l->head_fd) != 0) {
        return; /* a witness and not a store */
    }
}

/* A device that failed once is not trusted again on the word of its page cache. */
void
jb_ledger_note_fault(struct jb_ledger *l, jb_status status, const struct jb_error *err)
{
    bool device = (status == JB_E_IO || status == JB_E_UNKNOWN) && err->os_errno == EIO;
    if (!device) {
        return;
    }
    struct jb_fault f = {.seq = l->state->head.seq, .page = jb_log_last_page(l->log)};
    memcpy(f.ledger_id, l->identity.ledger_id, 16);
    memcpy(f.chain, l->state->head.chain, JB_CHAIN_BYTES);
    jb_lock_note_fault(l->lock, true);
    (void)!jb_fault_write(l->place, &f); /* where it cannot be written, `lock` says it */
    l->fault_again_at = 0;
}

/* Nothing is written after a fault of the device until it has been read back; who opens the ledger
 * to write, or writes on, does that. */
jb_status
jb_ledger_clear_fault(struct jb_ledger *l, struct jb_error *err)
{
    int64_t now = jb_monotonic_us();
    if (now < l->fault_again_at) {
        return jb_fail(err, JB_E_DEVICE,
                       "the device failed while the ledger was written, and could not be read back "
                       "a moment ago; nothing is written");
    }
    jb_status status = jb_fault_clear(l->place, l->log, &l->identity, err);
    if (status == JB_OK) {
        jb_lock_note_fault(l->lock, false);
    }
    l->fault_again_at = status == JB_OK ? 0 : now + JB_US_PER_SECOND;
    return status;
}

static jb_status
commit_texts(void *data, struct jb_error *err)
{
    return jb_personal_commit(data, err);
}

/* open_before: to see whether a day was closed. */
static jb_status
commit_batch(struct jb_ledger *l, jb_day open_before, struct jb_error *err)
{
    jb_batch_check(l);
    JB_ASSERT(!l->state->save.live); /* nothing that may still be taken back */
    if (l->batch.ends.n == 0) {
        return JB_OK;
    }
    jb_state_release(l->state);
    const struct jb_log_texts texts = {commit_texts, l->personal};
    enum jb_log_result result;
    jb_status status = jb_log_commit(l->log, &l->batch, &texts, &l->state->head, &result, err);
    if (status != JB_OK) {
        jb_ledger_note_fault(l, status, err);
        l->state->usable = false; /* memory is ahead of the log, or nobody knows: begin again from
                                     what is stored */
        return status;
    }
    JB_ASSERT(result == JB_LOG_COMMITTED && l->state->head.seq == l->state->g.seq);
    jb_known_committed(l);
    write_head(l, l->state->g.first_open_day != open_before);
    return JB_OK;
}

static bool
write_behind_is_due(const struct jb_ledger *l)
{
    const struct jb_behind_limits *most = &jb_behind_limits;
    const struct jb_state *b = l->state;
    const uint64_t lag = b->g.seq - jb_behind_frozen(b);
    if (jb_behind_busy(b)) {
        return true;
    }
    if (lag == 0) {
        return false;
    }
    const int64_t since = jb_monotonic_us() - l->stored_at;
    const bool much = lag >= most->lag_events || b->dirty.n >= most->lag_wallets;
    const bool soon = b->dirty.n / 2 > most->lag_wallets && since < most->apart_us;
    return since >= most->lag_us || (much && (!soon || jb_behind_pressure(b) > 0));
}

/* More is gathered in one go where much waits. */
#define WALLETS_MORE 512

/* A failure to write behind loses nothing: the log has it all. events: how many the commit had. */
static void
write_behind(struct jb_ledger *l, uint64_t events)
{
    struct jb_error ignored;
    if (!jb_behind_busy(l->state)) {
        (void)jb_behind_freeze(l->state, &ignored);
        l->stored_at = jb_monotonic_us();
    }
    jb_behind_go_on(l->state, (size_t)events + (size_t)l->pressure * WALLETS_MORE);
}

/* One step of it. False: somebody else is at work, or there is nothing more to do now. */
static bool
store_a_little(struct jb_ledger *l)
{
    struct jb_error ignored;
    if (!jb_queue_lead_idle(&l->queue, jb_behind_limits.lag_us / 2)) {
        return false;
    }
    bool more = false;
    if (jb_lock_take(l->lock, JB_LOCK_WRITER, 0, 0, &ignored) == JB_OK) {
        l->stored_at = jb_behind_busy(l->state) ? l->stored_at : jb_monotonic_us();
        more = !jb_lock_has_fault(l->lock) && jb_behind_idle_step(l->state);
        jb_state_release(l->state);
        jb_lock_release(l->lock, JB_LOCK_WRITER);
    }
    jb_queue_hand_over(&l->queue);
    return more;
}

/* By the thread that writes behind, when nobody commits. Between two steps whoever comes goes
 * first. */
static void
store_while_idle(void *data)
{
    while (store_a_little(data)) {
    }
}

/* Answers are final up to `decided`; whole requests leave the queue. */
static void
acknowledge(struct jb_ledger *l, struct jb_request *last, struct jb_leaving *left)
{
    struct jb_queue *q = &l->queue;
    pthread_mutex_lock(&q->lock);
    q->moved_at = jb_monotonic_us();
    for (struct jb_request *r = q->first; r != NULL; r = r->next) {
        JB_ASSERT(r->done <= r->decided && r->decided <= r->n);
        r->held = r->decided;
        r->done = r->owes != 0 ? r->owes_from : r->decided;
        if (r == last) {
            break;
        }
    }
    while (q->first != NULL && q->first->done == q->first->n) {
        jb_queue_pop(q, left);
    }
    if (q->first == last) {
        /* What a long request has left waits behind those that came meanwhile. */
        jb_queue_rotate(q);
    }
    pthread_mutex_unlock(&q->lock);
}

/* A failure ends every request that took part, and nothing else: later requests may succeed. Each
 * is told in its language: other has the sentence in the one that the leader does not speak. */
static void
fail_requests(struct jb_ledger *l, struct jb_request *last, jb_status status,
              const struct jb_error *err, const struct jb_error *other, struct jb_leaving *left)
{
    struct jb_queue *q = &l->queue;
    pthread_mutex_lock(&q->lock);
    for (bool more = true; more && q->first != NULL;) {
        struct jb_request *r = q->first;
        more = r != last;
        jb_answers_not_done(r->answers, r->done);
        for (size_t i = r->done; i < (status == JB_E_UNKNOWN ? r->decided : r->held); i++) {
            r->answers->list.at[i].outcome = JB_UNKNOWN;
        }
        r->status = status;
        r->err = *jb_said_in(r->lang, jb_lang_now, err, other);
        jb_queue_pop(q, left);
    }
    pthread_mutex_unlock(&q->lock);
}

/* What takes long is done before anybody has to wait for it. */
static void
begin_before_the_lock(struct jb_ledger *l)
{
    struct jb_error ignored;
    if (pthread_mutex_trylock(&l->state_lock) != 0) {
        return; /* another thread is at it, with the lock */
    }
    jb_ledger_take_writing(l);
    jb_behind_look(l->state); /* what the thread has met may be why it begins again */
    if (!l->state->usable) {
        (void)jb_state_catch_up(l->state, &ignored); /* a failure comes again, with the lock */
        jb_state_release(l->state);
    }
    pthread_mutex_unlock(&l->state_lock);
}

/* left: who has left the queue, and is not yet told. */
static void
one_commit(struct jb_ledger *l, const struct jb_request *self, struct jb_leaving *left)
{
    struct jb_error err = {0}, other = {0};
    JB_SAY_BOTH(&err, &other);
    int64_t waited_us;
    struct jb_request *first = jb_queue_first(&l->queue, &waited_us), *last = first;
    begin_before_the_lock(l);
    jb_status status = jb_lock_take(l->lock, JB_LOCK_WRITER, l->lock_wait_us, waited_us, &err);
    if (status != JB_OK) {
        /* Whoever has waited as long is told, too, and does not wait for its turn to wait. */
        fail_requests(l, jb_queue_overdue(&l->queue, l->lock_wait_us), status, &err, &other, left);
        return;
    }
    jb_ledger_take_writing(l);
    drop_batch(l);
    l->state->pending = &l->batch;
    jb_day open_before = JB_NO_DAY;
    status = jb_log_catch_up(l->log, &err);
    if (status == JB_OK && jb_lock_has_fault(l->lock)) {
        status = jb_ledger_clear_fault(l, &err);
    }
    if (status == JB_OK) {
        status = decide(l, first, &last, &open_before, &err);
    }
    if (status == JB_E_STALE && l->state->store != NULL) {
        start_over(l, first, last);
        status = decide(l, first, &last, &open_before, &err);
    }
    if (status != JB_OK) {
        l->state->usable = false;
    }
    jb_seq before = l->state->head.seq;
    if (status == JB_OK) {
        status = commit_batch(l, open_before, &err);
    }
    drop_batch(l);
    l->state->pending = NULL;
    if (!l->state->usable && l->state->save.live) {
        jb_savepoint_rollback(l->state);
    }
    if (status == JB_OK) {
        acknowledge(l, last, left);
        if (write_behind_is_due(l)) {
            jb_queue_tell(left, self);
            write_behind(l, l->state->g.seq - before);
        }
        jb_behind_trim(l->state, 2 * JB_COMMIT_EVENTS_MAX);
        l->pressure = jb_behind_pressure(l->state);
        if (jb_behind_is_worth_watching(l->state)) {
            jb_behind_watch(l->state, store_while_idle, l);
        }
    }
    jb_state_release(l->state);
    jb_lock_release(l->lock, JB_LOCK_WRITER);
    if (status != JB_OK) {
        l->closing = false; /* the expiries that it stands behind were not written, or nobody knows:
                               from the day's first one again */
        fail_requests(l, last, status, &err, &other, left);
    }
}

/* ---- who leads ---- */

/* Until its own commands are done: the others are carried along. Those who are done are woken
 * before somebody else goes on: they may come again at once, and a commit costs two syncs, for how
 * many ever it is (64 threads: a half more commands a second than the other way round). */
static void
lead(struct jb_ledger *l, const struct jb_request *self)
{
    for (;;) {
        struct jb_leaving left = {0};
        one_commit(l, self, &left);
        jb_queue_tell(&left, self);
        if (l->pressure > 0) {
            jb_behind_wait_some(l->state, (int64_t)l->pressure * WAIT_US_MOST / JB_BEHIND_FULL);
        }
        if (self->finished) {
            jb_queue_hand_over(&l->queue);
            return;
        }
    }
}

static jb_status
enqueue_and_wait(struct jb_ledger *l, struct jb_request *r, struct jb_error *err)
{
    if (!jb_queue_join(&l->queue, r)) {
        return jb_fail(err, JB_E_USAGE,
                       "jb_submit was called from within `now` of the same ledger, whose answer "
                       "another command waits for");
    }
    if (jb_queue_wait(r)) {
        lead(l, r);
    }
    return JB_OK;
}

/* Everything that can be said before the queue. */
static jb_status
begin_request(struct jb_ledger *l, struct jb_request *r, const struct jb_submit_options *opts,
              struct jb_error *err)
{
    struct jb_submit_options *o = &r->options;
    jb_status status =
        opts != NULL ? jb_abi_in(o, sizeof *o, opts, "struct jb_submit_options", err) : JB_OK;
    status = status == JB_OK
                 ? jb_abi_reserved(o->reserved, sizeof o->reserved, "struct jb_submit_options", err)
                 : status;
    status = status == JB_OK ? jb_abi_reserved(o->reserved_too, sizeof o->reserved_too,
                                               "struct jb_submit_options", err)
                             : status;
    status = status == JB_OK
                 ? jb_lang_check(o->lang, l->lang, "struct jb_submit_options", &r->lang, err)
                 : status;
    if (status != JB_OK) {
        return status;
    }
    jb_lang_set(r->lang); /* until jb_submit returns */
    r->answers->lang = r->lang;
    if (o->dry_run > 1 || o->accept_clock > 1 ||
        (o->clock != JB_CLOCK_SYSTEM && o->clock != JB_CLOCK_AT)) {
        return jb_fail(err, JB_E_USAGE,
                       "struct jb_submit_options: clock is JB_CLOCK_SYSTEM or JB_CLOCK_AT, dry_run "
                       "and accept_clock 0 or 1");
    }
    if (o->accept_clock && o->clock == JB_CLOCK_AT) {
        return jb_fail(err, JB_E_USAGE,
                       "struct jb_submit_options: accept_clock is about the system's clock, and "
                       "with JB_CLOCK_AT it is not asked");
    }
    const char *caller = o->caller != NULL ? o->caller : l->caller;
    r->caller = (struct jb_text){caller, strlen(caller)};
    if (r->caller.n > 0 && !jb_id_valid(r->caller, JB_SHORT_BYTES_MAX)) {
        return jb_fail(err, JB_E_USAGE,
                       "a caller's name is at most 32 bytes of UTF-8 without white space and "
                       "control characters");
    }
    if (l->refused.status != JB_OK) {
        return jb_fail_refused(l, err);
    }
    if (l->read_only) {
        return jb_fail(err, JB_E_READONLY, "the ledger in %s is open for reading only", l->dir);
    }
    if (jb_log_forked(l->log)) {
        return jb_fail(err, JB_E_USAGE,
                       "the ledger was opened before fork(); open it in the child");
    }
    return prepare(l, r, err);
}

/* recover: no role is asked, and what is given says so. */
static jb_status
submit(jb_ledger *l, const struct jb_command *commands, size_t n,
       const struct jb_submit_options *opts, bool recover, jb_answers *answers, size_t *ret_done,
       struct jb_error *err)
{
    if (!jb_answers_begin(answers, n)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for %zu answers", n);
    }
    struct jb_request r = {.commands = commands, .n = n, .answers = answers, .recover = recover};
    jb_status status = begin_request(l, &r, opts, err);
    if (status != JB_OK) {
        jb_answers_not_done(answers, 0);
        return status;
    }
    status = r.n > 0 ? enqueue_and_wait(l, &r, err) : JB_OK;
    if (status != JB_OK) {
        jb_answers_not_done(answers, 0);
        return status;
    }
    JB_ASSERT(r.status == JB_OK ? r.done == r.n : r.done < r.n);
    if (ret_done != NULL) {
        *ret_done = r.done;
    }
    if (r.status == JB_OK && r.n < n) { /* what stood before a forget that cannot be is done */
        jb_answers_not_done(answers, r.n);
        r.status = r.stop.status;
        r.err = r.stop;
    }
    if (r.status != JB_OK && err != NULL) {
        *err = r.err;
    }
    return r.status;
}

jb_status
jb_submit(jb_ledger *l, const struct jb_command *commands, size_t n,
          const struct jb_submit_options *opts, jb_answers *answers, size_t *ret_done,
          struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    if (ret_done != NULL) {
        *ret_done = 0;
    }
    if (l == NULL || answers == NULL || (commands == NULL && n > 0)) {
        return jb_fail_null(err, "jb_submit");
    }
    return submit(l, commands, n, opts, false, answers, ret_done, err);
}

jb_status
jb_operator_recover(jb_ledger *l, struct jb_text person, jb_answers *answers, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    struct jb_command c;
    if (l == NULL || answers == NULL) {
        return jb_fail_null(err, "jb_operator_recover");
    }
    jb_command_begin(&c, JB_OP_ROLE_GIVE);
    jb_set_person(&c, person);
    jb_set_role(&c, JB_ROLE_OPERATOR);
    return submit(l, &c, 1, NULL, true, answers, NULL, err);
}
