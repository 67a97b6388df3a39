#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "lang.h"

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

/* What damaged pages do to a process that reads them through LMDB's map. */
static const int by_damage[] = {SIGABRT, SIGBUS, SIGSEGV, SIGFPE, SIGILL};

/* Looked up before it is needed. */
static const char *damage_text = "";
static size_t damage_text_n;

void
process_speak(void)
{
    damage_text = tr("jangbu: a file of the ledger is damaged, or cannot be read from the disk (or "
                     "the program has a fault): it was ended inside. What was acknowledged is in "
                     "the log. `jangbu audit` says where the damage is.\n");
    damage_text_n = strlen(damage_text);
}

/* Only what a signal handler may do. */
static void
on_damage(int number)
{
    (void)number;
    (void)!write(STDERR_FILENO, damage_text, damage_text_n);
    _exit(3);
}

static void
say_damage(void)
{
    static char stack[16384]; /* the ordinary one may be what is used up */
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction old, ours = {.sa_handler = on_damage, .sa_flags = SA_ONSTACK};
    sigemptyset(&ours.sa_mask);
    sigaltstack(&other, NULL);
    for (size_t i = 0; i < sizeof by_damage / sizeof by_damage[0]; i++) {
        /* A sanitizer's handler says more. */
        if (sigaction(by_damage[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL) {
            sigaction(by_damage[i], &ours, NULL);
        }
    }
}

void
process_dies_of_damage(void)
{
    for (size_t i = 0; i < sizeof by_damage / sizeof by_damage[0]; i++) {
        struct sigaction old;
        if (sigaction(by_damage[i], NULL, &old) == 0 && old.sa_handler == on_damage) {
            signal(by_damage[i], SIG_DFL);
        }
    }
}

void
process_block_signals(sigset_t *ret_before)
{
    sigset_t blocked;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof by_damage / sizeof by_damage[0]; i++) {
        sigdelset(&blocked, by_damage[i]);
    }
    pthread_sigmask(SIG_SETMASK, &blocked, ret_before);
}

void
process_begin(void)
{
    process_speak();
    say_damage();
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
