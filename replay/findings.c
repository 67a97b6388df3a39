/* What the child of an audit says to its parent, over a pipe. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "replay/message.h"

#define PROGRESS_EVERY 64

void
jb_message_send(int fd, const struct message *m)
{
    const char *at = (const char *)m;
    size_t left = sizeof *m;
    while (left > 0) {
        ssize_t n = write(fd, at, left);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            _exit(3); /* nobody listens any more */
        }
        at += n;
        left -= (size_t)n;
    }
}

bool
jb_message_receive(int fd, struct message *m)
{
    char *at = (char *)m;
    size_t left = sizeof *m;
    while (left > 0) {
        ssize_t n = read(fd, at, left);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        at += n;
        left -= (size_t)n;
    }
    return true;
}

void
jb_found(struct jb_findings *f, const char *check, jb_seq seq, uint64_t frame, uint64_t offset, const char *format, ...)
{
    struct message m = {.kind = MESSAGE_PROBLEM, .seq = seq, .frame = frame, .offset = offset};
    va_list args;
    snprintf(m.check, sizeof m.check, "%s", check);
    va_start(args, format);
    vsnprintf(m.text, sizeof m.text, format, args);
    va_end(args);
    /* The parent keeps the first; counting the rest needs no text. */
    f->problems++;
    jb_message_send(f->fd, &m);
}

void
jb_not_checked(struct jb_findings *f, bool undecided, const char *format, ...)
{
    struct message m = {.kind = MESSAGE_NOT_CHECKED, .undecided = undecided};
    va_list args;
    va_start(args, format);
    vsnprintf(m.text, sizeof m.text, format, args);
    va_end(args);
    f->undecided |= undecided;
    jb_message_send(f->fd, &m);
}

void
jb_audit_progress(struct jb_findings *f, uint64_t done, uint64_t all)
{
    if (done % PROGRESS_EVERY == 0) {
        struct message m = {.kind = MESSAGE_PROGRESS, .seq = done, .frame = all};
        jb_message_send(f->fd, &m);
    }
}
