/* In a thread of the library's no signal of the program's is handled, and those of its own fault
 * are: they are blocked nowhere. */
#include <signal.h>

#include "../check.h"
#include "base/threads.h"

static void *
mask(void *data)
{
    pthread_sigmask(SIG_SETMASK, NULL, data);
    return NULL;
}

int
main(void)
{
    static const int faults[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV},
                     others[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGCHLD, SIGUSR1};
    sigset_t before, in_thread, behind;
    pthread_t thread;
    sigemptyset(&before);
    sigaddset(&before, SIGUSR2);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    must(jb_thread_start(&thread, mask, &in_thread), "no thread");
    pthread_join(thread, NULL);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        must(sigismember(&in_thread, faults[i]) == 0, "a fault's signal is blocked");
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        must(sigismember(&in_thread, others[i]) == 1, "a signal of the program's is handled");
    }
    pthread_sigmask(SIG_SETMASK, NULL, &behind);
    must(sigismember(&behind, SIGUSR2) == 1 && sigismember(&behind, SIGTERM) == 0,
         "the caller's signals are not as before");
    return 0;
}
