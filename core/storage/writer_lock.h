/*
 * The writer lock, in front of LMDB's own (which has no deadline and is not fair). It lies in the
 * file `lock`, works between threads and processes, survives the death of its holder, and is handed
 * over: who lets it go yields to who waits.
 */
#ifndef JANGBU_WRITER_LOCK_H
#define JANGBU_WRITER_LOCK_H

#include <jangbu/base.h>

struct jb_lock;

jb_status jb_lock_open(const char *dir, struct jb_lock **ret, struct jb_error *err);
struct jb_lock *jb_lock_close(struct jb_lock *l);
/* JB_E_BUSY after wait_us, of which the caller has waited waited_us already (in a queue); it names
 * the process that holds the lock. */
jb_status jb_lock_take(struct jb_lock *l, int64_t wait_us, int64_t waited_us, struct jb_error *err);
/* By the thread that took it. */
void jb_lock_release(struct jb_lock *l);

#endif
