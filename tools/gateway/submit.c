#include "submit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "config.h"
#include "gateway.h"
#include "lang.h"
#include "metrics.h"

#define SUBMITTERS 2
/* A call has one language and writes or does not: jobs that differ in these wait in lines of their
 * own, which take turns. */
#define LINES 4
/* Jobs at rest are kept, but not one that was larger. */
#define JOBS_KEPT 1024
#define JOB_BYTES_KEPT (8U << 10)
#define FAILING_US 10000000 /* as long as a call that could not write is held against all */
#define PROBE_US 1000000

struct waiting {
    struct job *first;
    struct job **last; /* where the next one goes */
};

struct submitter {
    struct submitters *all;
    pthread_t thread;
    struct jb_command *commands;
    jb_answers *answers;
};

struct submitters {
    struct gateway *gateway;
    pthread_mutex_t lock;
    pthread_cond_t some;
    struct waiting lines[LINES];
    unsigned turn; /* the line that is looked at first */
    size_t depth;  /* commands that wait */
    bool ending;
    unsigned running;
    struct job *kept;
    size_t kept_n;
    struct jb_error broken;  /* status JB_OK: it is not */
    struct jb_error failing; /* of the last call that could not write */
    int64_t failed_us;
    void (*probe)(void *data, jb_answers *answers);
    void *probe_data;
    int64_t probe_us; /* when it is called next; INT64_MAX: it goes on, or there is none */
    struct submitter of[SUBMITTERS];
};

static unsigned
line_of(const struct job *job)
{
    return (job->dry_run ? 2U : 0U) + (job->x->lang == JB_LANG_KO ? 1U : 0U);
}

/* ---- jobs ---- */

static struct job *
job_free(struct job *job)
{
    if (job != NULL) {
        batch_free(&job->batch);
        free(job);
    }
    return NULL;
}

struct job *
job_take(struct submitters *s, struct exchange *x, size_t cap)
{
    pthread_mutex_lock(&s->lock);
    struct job *job = s->kept;
    if (job != NULL) {
        s->kept = job->next;
        s->kept_n--;
    }
    pthread_mutex_unlock(&s->lock);
    if (job == NULL) {
        job = calloc(1, sizeof *job);
    }
    if (job == NULL || !batch_reserve(&job->batch, cap)) {
        return job_free(job);
    }
    const struct batch batch = job->batch;
    *job = (struct job){.x = x, .batch = batch};
    return job;
}

void
job_give(struct submitters *s, struct job *job)
{
    if (job->batch.cap > 1 || json_pool_bytes(job->batch.pool) > JOB_BYTES_KEPT) {
        job_free(job);
        return;
    }
    batch_reset(&job->batch);
    pthread_mutex_lock(&s->lock);
    const bool keep = s->kept_n < JOBS_KEPT;
    if (keep) {
        job->next = s->kept;
        s->kept = job;
        s->kept_n++;
    }
    pthread_mutex_unlock(&s->lock);
    if (!keep) {
        job_free(job);
    }
}

/* ---- the queue ---- */

size_t
submit_weight(const struct batch *b)
{
    size_t n = b->commands_n;
    for (size_t i = 0; i < b->commands_n; i++) {
        n += b->commands[i].commands_n;
    }
    return n;
}

enum queued
submit_queue(struct submitters *s, struct job *job)
{
    enum queued ret = QUEUED;
    struct waiting *line = &s->lines[line_of(job)];
    const size_t most = (size_t)s->gateway->config->queue;
    job->weight = submit_weight(&job->batch);
    pthread_mutex_lock(&s->lock);
    if (s->ending) {
        ret = QUEUE_ENDING;
    } else if (s->broken.status != JB_OK) {
        ret = QUEUE_BROKEN;
    } else if (job->weight > most) {
        ret = QUEUE_NEVER;
    } else if (s->depth + job->weight > most) {
        ret = QUEUE_FULL;
    } else {
        job->next = NULL;
        *line->last = job;
        line->last = &job->next;
        s->depth += job->weight;
        metrics_queue(s->gateway->metrics, s->depth);
        pthread_cond_signal(&s->some);
    }
    pthread_mutex_unlock(&s->lock);
    return ret;
}

void
submit_probe(struct submitters *s, void (*probe)(void *data, jb_answers *answers), void *data)
{
    pthread_mutex_lock(&s->lock);
    s->probe = probe;
    s->probe_data = data;
    s->probe_us = now_us();
    pthread_cond_signal(&s->some);
    pthread_mutex_unlock(&s->lock);
}

/* Under the lock. */
static void
do_probe(struct submitter *me)
{
    struct submitters *s = me->all;
    s->probe_us = INT64_MAX;
    if (s->depth > 0) {
        pthread_cond_signal(&s->some); /* who was woken for those may be this one */
    }
    pthread_mutex_unlock(&s->lock);
    s->probe(s->probe_data, me->answers);
    pthread_mutex_lock(&s->lock);
    s->probe_us = now_us() + PROBE_US;
    pthread_cond_signal(&s->some); /* who waits would wait for ever */
}

/* Under the lock: until there are jobs, or none will come. */
static void
wait_for_jobs(struct submitter *me)
{
    struct submitters *s = me->all;
    for (;;) {
        const int64_t at = s->probe_us;
        if (!s->ending && now_us() >= at) {
            do_probe(me);
        } else if (s->depth > 0 || s->ending) {
            return;
        } else if (at == INT64_MAX) {
            pthread_cond_wait(&s->some, &s->lock);
        } else {
            const struct timespec until = {.tv_sec = (time_t)(at / 1000000),
                                           .tv_nsec = (long)(at % 1000000 * 1000)};
            (void)!pthread_cond_timedwait(&s->some, &s->lock, &until);
        }
    }
}

/* All jobs that wait in the next line, as far as they fit into one call. NULL: there are none, and
 * none will come. */
static struct job *
take(struct submitter *me)
{
    struct submitters *s = me->all;
    struct job *first = NULL;
    pthread_mutex_lock(&s->lock);
    wait_for_jobs(me);
    for (unsigned i = 0; i < LINES && first == NULL; i++) {
        struct waiting *line = &s->lines[(s->turn + i) % LINES];
        size_t n = 0;
        struct job **end = &line->first;
        while (*end != NULL && (n == 0 || n + (*end)->weight <= SUBMIT_COMMANDS)) {
            n += (*end)->weight;
            end = &(*end)->next;
        }
        first = n > 0 ? line->first : NULL;
        if (first == NULL) {
            continue;
        }
        line->first = *end;
        *end = NULL;
        line->last = line->first == NULL ? &line->first : line->last;
        s->depth -= n;
        s->turn = (s->turn + i + 1) % LINES;
    }
    metrics_queue(s->gateway->metrics, s->depth);
    if (s->depth > 0) {
        pthread_cond_signal(&s->some);
    }
    pthread_mutex_unlock(&s->lock);
    return first;
}

size_t
submit_depth(struct submitters *s)
{
    pthread_mutex_lock(&s->lock);
    const size_t depth = s->depth;
    pthread_mutex_unlock(&s->lock);
    return depth;
}

jb_status
submit_broken(struct submitters *s, struct jb_error *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = s->broken;
    pthread_mutex_unlock(&s->lock);
    return ret->status;
}

/* ---- submitting ---- */

jb_status
submit_failing(struct submitters *s, struct jb_error *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = s->failing;
    ret->status = now_us() - s->failed_us < FAILING_US ? ret->status : JB_OK;
    pthread_mutex_unlock(&s->lock);
    return ret->status;
}

/* What the disk or the machine refused, which the next call may be refused as well. */
static bool
cannot_write(jb_status status)
{
    return status == JB_E_IO || status == JB_E_FULL || status == JB_E_NOMEM ||
           status == JB_E_ENGINE || status == JB_E_READONLY || status == JB_E_UNKNOWN;
}

static void
note_writing(struct submitters *s, bool dry_run, jb_status status, const struct jb_error *err)
{
    if (dry_run || (status != JB_OK && !cannot_write(status))) {
        return;
    }
    pthread_mutex_lock(&s->lock);
    s->failing = status != JB_OK ? *err : (struct jb_error){.status = JB_OK};
    s->failed_us = now_us();
    pthread_mutex_unlock(&s->lock);
}

/* What the ledger itself is no more fit for: another try changes nothing. */
static bool
breaks(jb_status status)
{
    return status == JB_E_CORRUPT || status == JB_E_FORMAT || status == JB_E_ROLLBACK ||
           status == JB_E_STALE || status == JB_E_DEVICE;
}

static void
note(struct submitter *me, size_t done, jb_status status, const struct jb_error *err)
{
    struct submitters *s = me->all;
    for (size_t i = 0; i < done; i++) {
        metrics_command(s->gateway->metrics, jb_answers_at(me->answers, i));
    }
    if (breaks(status)) {
        pthread_mutex_lock(&s->lock);
        s->broken = s->broken.status == JB_OK ? *err : s->broken;
        pthread_mutex_unlock(&s->lock);
    }
}

static jb_status
submit(struct submitter *me, const struct job *first, const struct jb_command *commands, size_t n,
       size_t *done, struct jb_error *err)
{
    const struct jb_submit_options options = {
        .size = sizeof options, .dry_run = first->dry_run, .lang = first->x->lang};
    const int64_t began = now_us();
    *done = 0;
    const jb_status status =
        jb_submit(me->all->gateway->ledger, commands, n, &options, me->answers, done, err);
    *done = status == JB_OK ? n : *done;
    metrics_submit(me->all->gateway->metrics, now_us() - began, n);
    note(me, *done, status, err);
    note_writing(me->all, first->dry_run, status, err);
    return status;
}

/* Each alone, so that the fault stays with the one that has it. */
static void
submit_alone(struct submitter *me, struct job *job)
{
    struct jb_error err = {.status = JB_OK};
    const size_t n = job->batch.commands_n;
    size_t done;
    const jb_status status = submit(me, job, job->batch.commands, n, &done, &err);
    job->answer(job, me->answers, 0, done, status, &err);
}

/* Answers the jobs that are done, the last of them perhaps in part. Returns the first of the
 * others, which begins *ret_from commands behind the first. */
static struct job *
answer_done(struct submitter *me, struct job *job, size_t done, jb_status status,
            const struct jb_error *err, size_t *ret_from)
{
    const struct jb_error fine = {.status = JB_OK};
    size_t from = 0;
    while (job != NULL && from < done) {
        struct job *next = job->next;
        const size_t n = job->batch.commands_n, left = done - from;
        const bool whole = n <= left;
        job->answer(job, me->answers, from, whole ? n : left, whole ? JB_OK : status,
                    whole ? &fine : err);
        from += n;
        job = next;
    }
    *ret_from = from;
    return job;
}

/* What a call did not do. One of its commands is at fault with JB_E_KEY, where those before it are
 * done: *ret_from is moved behind its job, and the others, which are returned, go on together. With
 * JB_E_USAGE it is not known which one. */
static struct job *
answer_undone(struct submitter *me, struct job *job, bool fault_met, jb_status status,
              const struct jb_error *err, size_t *ret_from)
{
    const bool alone = status == JB_E_USAGE && job->next != NULL;
    while (job != NULL && !(status == JB_E_KEY && fault_met)) {
        struct job *next = job->next;
        const size_t n = job->batch.commands_n;
        if (alone) {
            submit_alone(me, job);
        } else {
            job->answer(job, me->answers, 0, 0, status, err);
        }
        fault_met = true;
        *ret_from += n;
        job = next;
    }
    return job;
}

/* n commands, of all the jobs. */
static void
submit_all(struct submitter *me, struct job *job, const struct jb_command *commands, size_t n)
{
    while (job != NULL) {
        struct jb_error err = {.status = JB_OK};
        size_t done, from;
        const jb_status status = submit(me, job, commands, n, &done, &err);
        job = answer_done(me, job, done, status, &err, &from);
        if (job != NULL) {
            job = answer_undone(me, job, from > done, status, &err, &from);
        }
        commands += from;
        n -= from;
    }
}

/* The commands of all the jobs, one behind the other. */
static size_t
gather(struct submitter *me, const struct job *first)
{
    size_t n = 0;
    for (const struct job *job = first; job != NULL; job = job->next) {
        memcpy(me->commands + n, job->batch.commands, job->batch.commands_n * sizeof *me->commands);
        n += job->batch.commands_n;
    }
    return n;
}

static void *
run(void *data)
{
    struct submitter *me = data;
    struct job *first;
    pthread_setname_np(pthread_self(), "submit");
    while ((first = take(me)) != NULL) {
        const struct jb_command *commands = first->batch.commands;
        size_t n = first->batch.commands_n;
        if (first->next != NULL) {
            n = gather(me, first);
            commands = me->commands;
        }
        submit_all(me, first, commands, n);
    }
    return NULL;
}

/* ---- begin and end ---- */

static bool
start_one(struct submitters *s, struct submitter *me)
{
    me->all = s;
    me->commands = calloc(SUBMIT_COMMANDS, sizeof *me->commands);
    me->answers = jb_answers_new();
    return me->commands != NULL && me->answers != NULL &&
           pthread_create(&me->thread, NULL, run, me) == 0;
}

struct submitters *
submitters_start(struct gateway *g, struct jb_error *err)
{
    struct submitters *s = calloc(1, sizeof *s);
    bool whole = s != NULL;
    if (whole) {
        pthread_condattr_t monotonic;
        s->gateway = g;
        s->probe_us = INT64_MAX;
        pthread_mutex_init(&s->lock, NULL);
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&s->some, &monotonic);
        pthread_condattr_destroy(&monotonic);
        for (unsigned i = 0; i < LINES; i++) {
            s->lines[i].last = &s->lines[i].first;
        }
    }
    for (unsigned i = 0; i < SUBMITTERS && whole; i++) {
        whole = start_one(s, &s->of[i]);
        s->running += whole ? 1 : 0;
    }
    if (!whole) {
        *err = (struct jb_error){.status = JB_E_NOMEM};
        snprintf(err->text, sizeof err->text, "%s", tr("no memory"));
        submitters_end(s);
        s = submitters_free(s);
    }
    return s;
}

void
submitters_end(struct submitters *s)
{
    if (s == NULL) {
        return;
    }
    pthread_mutex_lock(&s->lock);
    s->ending = true;
    pthread_cond_broadcast(&s->some);
    pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < s->running; i++) {
        pthread_join(s->of[i].thread, NULL);
    }
    s->running = 0;
}

struct submitters *
submitters_free(struct submitters *s)
{
    if (s == NULL) {
        return NULL;
    }
    for (unsigned i = 0; i < SUBMITTERS; i++) {
        free(s->of[i].commands);
        jb_answers_free(s->of[i].answers);
    }
    while (s->kept != NULL) {
        struct job *job = s->kept;
        s->kept = job->next;
        job_free(job);
    }
    pthread_cond_destroy(&s->some);
    pthread_mutex_destroy(&s->lock);
    free(s);
    return NULL;
}
