#include "workers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define THREADS_MAX 16

struct item {
    struct exchange *x;
    void (*work)(struct exchange *x);
};

struct workers {
    const char *name;
    pthread_mutex_t lock;
    pthread_cond_t more;
    bool ending;
    unsigned threads_n, threads_max;
    size_t idle; /* threads that wait for an item */
    _Atomic unsigned numbers;
    pthread_t threads[THREADS_MAX];
    size_t first, n, cap; /* of the ring */
    struct item ring[];
};

/* The next item; false: there will be none. */
static bool
take(struct workers *w, struct item *ret)
{
    pthread_mutex_lock(&w->lock);
    w->idle++;
    while (w->n == 0 && !w->ending) {
        pthread_cond_wait(&w->more, &w->lock);
    }
    w->idle--;
    const bool any = w->n > 0;
    if (any) {
        *ret = w->ring[w->first];
        w->first = (w->first + 1) % w->cap;
        w->n--;
    }
    pthread_mutex_unlock(&w->lock);
    return any;
}

static _Thread_local unsigned mine;

unsigned
workers_mine(void)
{
    return mine;
}

static void *
work(void *data)
{
    struct workers *w = data;
    struct item item;
    mine = atomic_fetch_add(&w->numbers, 1);
    pthread_setname_np(pthread_self(), w->name);
    while (take(w, &item)) {
        item.work(item.x);
    }
    return NULL;
}

static bool
one_more(struct workers *w)
{
    const bool made = w->threads_n < w->threads_max &&
                      pthread_create(&w->threads[w->threads_n], NULL, work, w) == 0;
    w->threads_n += made;
    return made;
}

struct workers *
workers_start(const char *name, unsigned threads, size_t waiting_max)
{
    struct workers *w = calloc(1, sizeof *w + waiting_max * sizeof(struct item));
    if (w == NULL) {
        return NULL;
    }
    w->name = name;
    w->cap = waiting_max;
    w->threads_max = threads < THREADS_MAX ? threads : THREADS_MAX;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->more, NULL);
    return one_more(w) ? w : workers_end(w);
}

bool
workers_give(struct workers *w, struct exchange *x, void (*todo)(struct exchange *x))
{
    pthread_mutex_lock(&w->lock);
    const bool room = w->n < w->cap && !w->ending;
    if (room) {
        w->ring[(w->first + w->n) % w->cap] = (struct item){x, todo};
        w->n++;
        if (w->idle < w->n) {
            (void)one_more(w); /* else it waits for those there are */
        }
        pthread_cond_signal(&w->more);
    }
    pthread_mutex_unlock(&w->lock);
    return room;
}

size_t
workers_waiting(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    const size_t n = w->n;
    pthread_mutex_unlock(&w->lock);
    return n;
}

struct workers *
workers_end(struct workers *w)
{
    if (w == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_broadcast(&w->more);
    pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->threads_n; i++) {
        pthread_join(w->threads[i], NULL);
    }
    pthread_cond_destroy(&w->more);
    pthread_mutex_destroy(&w->lock);
    free(w);
    return NULL;
}
