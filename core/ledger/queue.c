#include "ledger/queue.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/steps.h"
#include "ledger/internal.h"

void
jb_queue_init(struct jb_queue *q)
{
    *q = (struct jb_queue){.last = &q->first};
    pthread_mutex_init(&q->lock, NULL);
}

void
jb_queue_free(struct jb_queue *q)
{
    pthread_mutex_destroy(&q->lock);
}

/* ---- a caller's own word ---- */

static void
sleep_while_asleep(_Atomic uint32_t *turn)
{
    long code = syscall(SYS_futex, turn, FUTEX_WAIT_PRIVATE, JB_TURN_ASLEEP, NULL, NULL, 0);
    if (code != 0 && errno != EAGAIN && errno != EINTR) {
        struct timespec t = {.tv_nsec = 1000000}; /* not to be had here: never without a pause */
        nanosleep(&t, NULL);
    }
}

/* Once the word is set its request may be gone. A call on an address that is something else by
 * then wakes at most somebody who looks again and sleeps on. */
static void
give_turn(struct jb_request *r, enum jb_turn turn)
{
    _Atomic uint32_t *word = &r->turn;
    if (atomic_exchange_explicit(word, turn, memory_order_acq_rel) == JB_TURN_ASLEEP) {
        syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    }
}

bool
jb_queue_wait(struct jb_request *r)
{
    uint32_t turn = JB_TURN_NONE;
    if (!atomic_compare_exchange_strong_explicit(&r->turn, &turn, JB_TURN_ASLEEP,
                                                 memory_order_acq_rel, memory_order_acquire)) {
        return turn == JB_TURN_LEADS;
    }
    do {
        jb_steps.sleeps++;
        sleep_while_asleep(&r->turn);
        turn = atomic_load_explicit(&r->turn, memory_order_acquire);
    } while (turn == JB_TURN_ASLEEP);
    return turn == JB_TURN_LEADS;
}

/* ---- the queue ---- */

bool
jb_queue_join(struct jb_queue *q, struct jb_request *r)
{
    r->since = jb_monotonic_us();
    r->thread = pthread_self();
    pthread_mutex_lock(&q->lock);
    bool itself = q->led && pthread_equal(q->leader, r->thread);
    if (!itself) {
        *q->last = r;
        q->last = &r->next;
    }
    bool leads = !q->led;
    if (leads) {
        q->led = true;
        q->leader = r->thread;
        atomic_store_explicit(&r->turn, JB_TURN_LEADS, memory_order_relaxed);
    }
    pthread_mutex_unlock(&q->lock);
    return !itself;
}

/* Under the lock. */
static int64_t
waited(const struct jb_queue *q, const struct jb_request *r)
{
    return jb_monotonic_us() - (r->since > q->moved_at ? r->since : q->moved_at);
}

struct jb_request *
jb_queue_first(struct jb_queue *q, int64_t *ret_waited_us)
{
    pthread_mutex_lock(&q->lock);
    struct jb_request *first = q->first;
    *ret_waited_us = waited(q, first);
    pthread_mutex_unlock(&q->lock);
    return first;
}

struct jb_request *
jb_queue_after(struct jb_queue *q, const struct jb_request *r, const struct jb_request **seen)
{
    if (r != *seen) {
        return r->next; /* it was linked before the lock was last held here */
    }
    pthread_mutex_lock(&q->lock);
    struct jb_request *next = r->next;
    for (; (*seen)->next != NULL; *seen = (*seen)->next) {
    }
    pthread_mutex_unlock(&q->lock);
    return next;
}

struct jb_request *
jb_queue_overdue(struct jb_queue *q, int64_t wait_us)
{
    pthread_mutex_lock(&q->lock);
    struct jb_request *last = q->first;
    while (last->next != NULL && waited(q, last->next) >= wait_us) {
        last = last->next;
    }
    pthread_mutex_unlock(&q->lock);
    return last;
}

void
jb_queue_pop(struct jb_queue *q, struct jb_leaving *left)
{
    struct jb_request *r = q->first;
    q->first = r->next;
    q->last = q->first == NULL ? &q->first : q->last;
    r->finished = true;
    r->next = NULL;
    left->last = left->first == NULL ? &left->first : left->last;
    *left->last = r;
    left->last = &r->next;
}

void
jb_queue_rotate(struct jb_queue *q)
{
    struct jb_request *r = q->first;
    if (r->next == NULL) {
        return;
    }
    q->first = r->next;
    r->next = NULL;
    *q->last = r;
    q->last = &r->next;
}

bool
jb_queue_lead_idle(struct jb_queue *q, int64_t idle_us)
{
    pthread_mutex_lock(&q->lock);
    bool leads = !q->led && q->first == NULL && jb_monotonic_us() - q->moved_at >= idle_us;
    if (leads) {
        q->led = true;
        q->leader = pthread_self();
    }
    pthread_mutex_unlock(&q->lock);
    return leads;
}

void
jb_queue_hand_over(struct jb_queue *q)
{
    pthread_mutex_lock(&q->lock);
    struct jb_request *next = q->first;
    q->led = next != NULL;
    if (next != NULL) {
        q->leader = next->thread;
    }
    pthread_mutex_unlock(&q->lock);
    if (next != NULL) {
        give_turn(next, JB_TURN_LEADS); /* nobody but its leader ends it: it is still there */
    }
}

void
jb_queue_tell(struct jb_leaving *left, const struct jb_request *self)
{
    for (struct jb_request *r = left->first, *next; r != NULL; r = next) {
        next = r->next;
        if (r != self) {
            give_turn(r, JB_TURN_OVER);
        }
    }
    left->first = NULL;
}
