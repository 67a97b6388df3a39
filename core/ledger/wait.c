/* Waiting for new events: woken through a word in the file `lock`, and by looking now and then. */
#include "ledger/internal.h"
#include "base/steps.h"

/* However well it is told, it looks again after this time: a writer may have died between its
 * commit and its call, and an older program does not call. */
#define LOOK_AGAIN_US 100000
/* Where nobody can call: `lock` cannot be written, or is not the file that writers have. */
#define POLL_LEAST_US 250
#define POLL_MOST_US 4000

struct waiting {
    struct jb_ledger *l;
    struct jb_lock *lock; /* NULL: it is polled */
    jb_seq after;
    jb_seq end;
    int64_t until; /* monotonic; INT64_MAX: for ever */
    int64_t pause;
    uint32_t heard; /* the word in `lock` before the last sleep; 0: there was none */
};

static void
nap(int64_t us)
{
    struct timespec t = {.tv_nsec = (long)us * 1000};
    nanosleep(&t, NULL); /* a signal may cut it short: then it is looked earlier */
}

/* Until there may be something to see. */
static void
sleep_on(struct waiting *w, int64_t left)
{
    if (w->lock == NULL) {
        nap(left < w->pause ? left : w->pause);
        w->pause = w->pause < POLL_MOST_US / 2 ? w->pause * 2 : POLL_MOST_US;
        return;
    }
    bool called = jb_lock_sleep(w->lock, w->heard, left < LOOK_AGAIN_US ? left : LOOK_AGAIN_US);
    if (!called && !jb_lock_in_place(w->lock)) {
        w->lock = NULL;
    }
}

/* The word first, then the log: what is committed in between ends the sleep. */
static jb_status
wait_on(struct waiting *w, struct jb_error *err)
{
    for (;;) {
        uint32_t heard = w->lock != NULL ? jb_lock_listen(w->lock) : 0;
        if (w->l->waits_ended) {
            return jb_fail(err, JB_E_USAGE,
                           "the waits of this handle were ended (jb_wait_end): close it, and open "
                           "the ledger anew to wait again");
        }
        struct jb_log_head head;
        jb_status status = jb_log_end(w->l->log, &head, err);
        if (status != JB_OK) {
            return status;
        }
        w->end = head.seq;
        jb_steps.looks++;
        if (head.seq > w->after) {
            jb_steps.missed += heard != 0 && heard == w->heard;
            return JB_OK;
        }
        int64_t left = w->until - jb_monotonic_us();
        if (left <= 0) {
            return JB_END;
        }
        w->heard = heard;
        sleep_on(w, left);
    }
}

static void
enter(struct jb_ledger *l)
{
    pthread_mutex_lock(&l->wait_lock);
    l->waiting++;
    pthread_mutex_unlock(&l->wait_lock);
}

static void
leave(struct jb_ledger *l)
{
    pthread_mutex_lock(&l->wait_lock);
    if (--l->waiting == 0) {
        pthread_cond_broadcast(&l->wait_left);
    }
    pthread_mutex_unlock(&l->wait_lock);
}

jb_status
jb_wait(jb_ledger *l, jb_seq after, int64_t timeout_us, jb_seq *ret_end, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    if (l == NULL) {
        return jb_fail_null(err, "jb_wait");
    }
    if (timeout_us < 0) {
        return jb_fail(err, JB_E_USAGE,
                       "jb_wait takes a time of 0 or more microseconds (INT64_MAX: for ever)");
    }
    if (jb_log_forked(l->log)) {
        return jb_fail(err, JB_E_USAGE,
                       "the ledger was opened before fork(); open it in the child");
    }
    enter(l);
    int64_t now = jb_monotonic_us();
    struct waiting w = {.l = l,
                        .lock = jb_env_lock(jb_log_env(l->log)),
                        .after = after,
                        .until = timeout_us < INT64_MAX - now ? now + timeout_us : INT64_MAX,
                        .pause = POLL_LEAST_US};
    jb_status status = wait_on(&w, err);
    leave(l);
    if (ret_end != NULL && (status == JB_OK || status == JB_END)) {
        *ret_end = w.end;
    }
    return status;
}

void
jb_wait_end(jb_ledger *l)
{
    if (l == NULL || jb_log_forked(l->log)) {
        return;
    }
    struct jb_lock *lock = jb_env_lock(jb_log_env(l->log));
    l->waits_ended = true; /* before the call: who listens after it, sees this */
    if (lock != NULL) {
        jb_lock_call(lock);
    }
}

void
jb_wait_left(struct jb_ledger *l)
{
    pthread_mutex_lock(&l->wait_lock);
    while (l->waiting > 0) {
        pthread_cond_wait(&l->wait_left, &l->wait_lock);
    }
    pthread_mutex_unlock(&l->wait_lock);
}
