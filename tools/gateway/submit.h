/*
 * The queue of commands and the two submitters behind it. Each takes all that waits, at most 8,192
 * commands of all callers (those of groups counted; more only where one job has more), gives it to
 * the ledger in one call, and answers: so many requests share one commit, and no thread waits for a
 * disk on behalf of one of them. The second forms what came meanwhile while the first is on its way
 * to the disk.
 */
#ifndef JANGBUD_SUBMIT_H
#define JANGBUD_SUBMIT_H

#include <jangbu/ledger.h>

#include "batch.h"
#include "exchange.h"

#define SUBMIT_COMMANDS 8192U

/* What a request wants done: some commands, whose answers are to be final together. */
struct job {
    struct job *next;
    struct exchange *x;
    struct batch batch; /* at most SUBMIT_COMMANDS commands */
    bool dry_run;
    size_t weight; /* commands, those of groups too: submit_queue counts them */
    /* Its answers are those from `from` on, and done of them final; status says why not all are.
     * Called once, by a submitter; the job is the callee's then. */
    void (*answer)(struct job *job, const jb_answers *answers, size_t from, size_t done,
                   jb_status status, const struct jb_error *err);
};

struct submitters;

/* NULL: err says why. */
struct submitters *submitters_start(struct gateway *g, struct jb_error *err);
/* No job is taken any more; all that were taken are answered when it returns. NULL is allowed. */
void submitters_end(struct submitters *s);
/* Behind submitters_end. NULL is allowed; returns NULL. */
struct submitters *submitters_free(struct submitters *s);

/* A job without commands and with room for cap of them; NULL: no memory. */
struct job *job_take(struct submitters *s, struct exchange *x, size_t cap);
/* It was answered, or never queued. */
void job_give(struct submitters *s, struct job *job);

enum queued { QUEUED, QUEUE_FULL, QUEUE_NEVER, QUEUE_ENDING, QUEUE_BROKEN };
/* How much there is to do: each command, and each one within a group. */
size_t submit_weight(const struct batch *b);
/* QUEUE_NEVER: it has more than the whole queue may. QUEUED: the job and its exchange are the
 * submitters' from here on. */
enum queued submit_queue(struct submitters *s, struct job *job);
/* Each second, whatever waits, a submitter calls that with answers to use, one at a time, until
 * they end. */
void submit_probe(struct submitters *s, void (*probe)(void *data, jb_answers *answers), void *data);
/* Commands that wait, those of groups too. */
size_t submit_depth(struct submitters *s);
/* Why the last call could not write, unless one did since, or some time went by in which nobody
 * tried: JB_OK while there is nothing to say. */
jb_status submit_failing(struct submitters *s, struct jb_error *ret);
/* The ledger can be written to no more until a restart, and why: JB_OK while it can. */
jb_status submit_broken(struct submitters *s, struct jb_error *ret);

#endif
