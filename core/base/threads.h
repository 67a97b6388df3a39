/*
 * Threads of the library's own. None of the program's signals is handled in them; those that a
 * thread's own fault sends it are: who reads a damaged page in a thread is told by the program what
 * that is (tools/jangbu/process.c), as everywhere. Where such a signal is blocked the kernel ends
 * the process without a word.
 */
#ifndef JANGBU_THREADS_H
#define JANGBU_THREADS_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

/* False: there is none to be had. */
static inline bool
jb_thread_start(pthread_t *ret, void *(*work)(void *data), void *data)
{
    sigset_t blocked, before;
    sigfillset(&blocked);
    sigdelset(&blocked, SIGABRT);
    sigdelset(&blocked, SIGBUS);
    sigdelset(&blocked, SIGFPE);
    sigdelset(&blocked, SIGILL);
    sigdelset(&blocked, SIGSEGV);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    const bool started = pthread_create(ret, NULL, work, data) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

#endif
