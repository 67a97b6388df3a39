#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t gentle, ended_by;

static void
on_end(int number)
{
    if (!gentle || ended_by != 0) {
        _exit(128 + number);
    }
    ended_by = number;
}

/* A file of the ledger never gets one of these numbers: what is printed would go into it. Each is
 * opened the wrong way round, so that its use is an error, as it is on one that is closed. */
static void
open_standard(void)
{
    static const int flags[3] = {O_WRONLY, O_RDONLY, O_WRONLY};
    for (int i = 0; i < 3; i++) {
        if (fcntl(i, F_GETFD) < 0 && open("/dev/null", flags[i]) < 0) {
            _exit(3);
        }
    }
}

/* No SA_RESTART: who waits for input or a reader has to see it. */
static void
handle(int number)
{
    struct sigaction old, ours = {.sa_handler = on_end};
    sigemptyset(&ours.sa_mask);
    /* What the caller had ignored (nohup, a shell's background job) stays ignored. */
    if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
        sigaction(number, &ours, NULL);
    }
}

void
process_begin(void)
{
    open_standard();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (getpid() == 1) {
        handle(SIGINT);
        handle(SIGTERM);
        handle(SIGHUP);
    }
}

void
process_end_gently(void)
{
    gentle = 1;
    handle(SIGINT);
    handle(SIGTERM);
}

int
process_ended_by(void)
{
    return ended_by;
}

bool
process_wait(int fd, short events, int ms)
{
    /* In steps: a signal that comes right before poll() does not interrupt it. */
    for (int left = ms; ended_by == 0 || left > 0; left -= ms >= 0 ? 100 : 0) {
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, left >= 0 && left < 100 ? left : 100);
        if (n > 0 || (n < 0 && errno != EINTR)) {
            return true; /* also where the call that is waited for will fail */
        }
        if (ms >= 0 && left <= 100) {
            return false;
        }
    }
    return false;
}

bool
process_output_closed(void)
{
    struct pollfd p = {.fd = STDOUT_FILENO};
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLERR | POLLHUP)) != 0;
}
