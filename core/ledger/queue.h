/*
 * The queue of callers. One of them leads and does the work of all; the others sleep, each on a
 * word of its own, until they are answered or lead themselves: nobody is woken for nothing.
 */
#ifndef JANGBU_QUEUE_H
#define JANGBU_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct jb_request;

/* The word that a caller waits on. */
enum jb_turn {
    JB_TURN_NONE,
    JB_TURN_ASLEEP, /* none yet, and it has to be woken */
    JB_TURN_LEADS,
    JB_TURN_OVER /* its request has left the queue */
};

struct jb_queue {
    pthread_mutex_t lock; /* of the members here, and of `next` of the requests */
    struct jb_request *first, **last;
    bool led;
    pthread_t leader;
    int64_t moved_at; /* monotonic: the last commit, from which on the callers that are left wait
                         anew */
};

/* Requests that have left the queue, by their `next`: not yet told. */
struct jb_leaving {
    struct jb_request *first, **last;
};

void jb_queue_init(struct jb_queue *q);
void jb_queue_free(struct jb_queue *q);

/* Puts r at the end, and has it lead if nobody does. False: the caller itself leads, and would wait
 * for itself. */
bool jb_queue_join(struct jb_queue *q, struct jb_request *r);
/* Until r leads (true), or has left the queue. */
bool jb_queue_wait(struct jb_request *r);

/* By who leads: */

/* The first request; there is one. *ret_waited_us: for how long it has waited while nothing moved.
 */
struct jb_request *jb_queue_first(struct jb_queue *q, int64_t *ret_waited_us);
/* What follows r; NULL: nothing yet. *seen, the last one that is known to be there, is taken
 * further when r has reached it. */
struct jb_request *jb_queue_after(struct jb_queue *q, const struct jb_request *r,
                                  const struct jb_request **seen);
/* The last of those that have waited for wait_us, like the first. */
struct jb_request *jb_queue_overdue(struct jb_queue *q, int64_t wait_us);
/* Takes the first one out. Under the lock. */
void jb_queue_pop(struct jb_queue *q, struct jb_leaving *left);
/* Puts the first one at the end. Under the lock. */
void jb_queue_rotate(struct jb_queue *q);
/* Who has no request leads, where nobody waits and the last commit is so long ago. It hands over
 * like the others. */
bool jb_queue_lead_idle(struct jb_queue *q, int64_t idle_us);
/* Somebody else leads from now on, if anybody waits. */
void jb_queue_hand_over(struct jb_queue *q);
/* Tells them all, but not `self`: none of them is there any more after that. */
void jb_queue_tell(struct jb_leaving *left, const struct jb_request *self);

#endif
