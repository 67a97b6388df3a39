/*
 * A thread that folds events beside the one that decides them again: it gets pieces of frames, in
 * order, when their events hold, and is at most a few of them behind. Both stand at one event when
 * the other asks for it (jb_beside_settle), and only then is anything of the fold looked at.
 */
#include "base/threads.h"
#include "replay/audit.h"

/* It is woken for so many events, or when half of the places are taken: to wake it costs more than
 * a few events. Who gives waits until half of the places are free again. */
#define PIECES (JB_CHECKS ? 2 : 1024)
#define HALF (PIECES / 2)
#define EVENTS 2048

struct jb_beside {
    void (*work)(void *data, const struct jb_piece *piece);
    void *data;
    jb_lang lang;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t moved; /* either side */
    struct jb_piece pieces[PIECES];
    unsigned first, n; /* the first is being worked on */
    uint64_t events;   /* in all of them */
    bool busy;         /* the thread is at it until there are none left */
    bool settles;      /* somebody waits until it is done with all of them */
    bool stop;
};

/* With the lock. */
static bool
is_worth_it(const struct jb_beside *q)
{
    return q->n >= HALF || q->events >= EVENTS || q->settles || q->stop;
}

static void *
run(void *data)
{
    struct jb_beside *q = data;
    JB_SPEAK(q->lang);
    pthread_mutex_lock(&q->lock);
    while (!q->stop || q->n > 0) {
        if (q->n == 0 || (!q->busy && !is_worth_it(q))) {
            q->busy = false;
            pthread_cond_wait(&q->moved, &q->lock);
            continue;
        }
        q->busy = true;
        const struct jb_piece piece = q->pieces[q->first];
        pthread_mutex_unlock(&q->lock);
        q->work(q->data, &piece);
        pthread_mutex_lock(&q->lock);
        q->first = (q->first + 1) % PIECES;
        q->n--;
        q->events -= piece.count;
        if (q->n == 0 || q->n == HALF) {
            pthread_cond_broadcast(&q->moved);
        }
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

struct jb_beside *
jb_beside_open(void (*work)(void *data, const struct jb_piece *piece), void *data)
{
    struct jb_beside *q = calloc(1, sizeof *q);
    if (q == NULL) {
        return NULL;
    }
    q->work = work;
    q->data = data;
    q->lang = jb_lang_now;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->moved, NULL);
    q->started = jb_thread_start(&q->thread, run, q);
    return q;
}

void
jb_beside_give(struct jb_beside *q, const struct jb_piece *piece)
{
    if (!q->started) {
        q->work(q->data, piece); /* without a thread it is done here */
        return;
    }
    pthread_mutex_lock(&q->lock);
    for (bool full = q->n == PIECES; full && q->n > HALF;) {
        pthread_cond_wait(&q->moved, &q->lock);
    }
    q->pieces[(q->first + q->n++) % PIECES] = *piece;
    q->events += piece->count;
    if (!q->busy && is_worth_it(q)) {
        pthread_cond_broadcast(&q->moved);
    }
    pthread_mutex_unlock(&q->lock);
}

void
jb_beside_settle(struct jb_beside *q)
{
    pthread_mutex_lock(&q->lock);
    q->settles = true;
    pthread_cond_broadcast(&q->moved);
    while (q->n > 0) {
        pthread_cond_wait(&q->moved, &q->lock);
    }
    q->settles = false;
    pthread_mutex_unlock(&q->lock);
}

struct jb_beside *
jb_beside_close(struct jb_beside *q)
{
    if (q == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&q->lock);
    q->stop = true;
    pthread_cond_broadcast(&q->moved);
    pthread_mutex_unlock(&q->lock);
    if (q->started) {
        pthread_join(q->thread, NULL);
    }
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->moved);
    free(q);
    return NULL;
}
