/*
 * The ledger's file `lock`: who uses the ledger, and mutexes in front of LMDB's own, which have no
 * deadline and are not fair. They work between threads and processes, survive the death of their
 * holder, and are handed over: who lets one go yields to who waits. A robust mutex names its owner
 * by a number that another PID namespace gives, too, so all who use a ledger at once are of one
 * namespace: whoever is of another is refused (decisions/0018).
 *
 * One object for each directory and process, whoever opens it how often.
 */
#ifndef JANGBU_WRITER_LOCK_H
#define JANGBU_WRITER_LOCK_H

#include <jangbu/base.h>

struct jb_lock;

enum jb_lock_name {
    JB_LOCK_WRITER,  /* who appends to log.mdb */
    JB_LOCK_OPENING, /* who opens a file: LMDB waits without end for one who is stopped there */
    JB_LOCK_PEOPLE,  /* who writes to people.mdb, */
    JB_LOCK_STATE,   /* state.mdb, */
    JB_LOCK_VIEWS,   /* views.mdb */
    JB_LOCKS
};

/* JB_E_USAGE: others use the ledger from another PID namespace. *ret_first: nobody else uses it,
 * and the caller holds JB_LOCK_OPENING. */
jb_status jb_lock_open(const char *dir, struct jb_lock **ret, bool *ret_first,
                       struct jb_error *err);
struct jb_lock *jb_lock_close(struct jb_lock *l);
/* JB_E_BUSY after wait_us, of which the caller has waited waited_us already (in a queue); it names
 * the process that holds the lock. */
jb_status jb_lock_take(struct jb_lock *l, enum jb_lock_name name, int64_t wait_us,
                       int64_t waited_us, struct jb_error *err);
/* For who has a lock of its own and opens this one under it. */
void jb_lock_guard_forks(void);
/* The device failed while the ledger was written: told to all who have it open. */
void jb_lock_note_fault(struct jb_lock *l, bool fault);
bool jb_lock_has_fault(const struct jb_lock *l);
/* By the thread that took it. */
void jb_lock_release(struct jb_lock *l, enum jb_lock_name name);

/*
 * Waiting for commits, in any process: listen, then look whether what is waited for is there, then
 * sleep with what listen gave. A call in between ends the sleep, or it does not begin. So does
 * another waiter's reason, or none: look again. us: at
 * most so long.
 */
uint32_t jb_lock_listen(struct jb_lock *l);
/* False: the time is over, and nobody called. */
bool jb_lock_sleep(struct jb_lock *l, uint32_t heard, int64_t us);
/* To all who listen: look. Without them it costs no system call. */
void jb_lock_call(struct jb_lock *l);
/* Whether `lock` is still the file that was opened: who opens it now may call in another one. */
bool jb_lock_in_place(const struct jb_lock *l);

#endif
