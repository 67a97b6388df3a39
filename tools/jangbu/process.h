/* What the program does about the process it runs in: its first descriptors, signals, and pipes
 * that close. */
#ifndef JANGBU_PROCESS_H
#define JANGBU_PROCESS_H

#include <signal.h>
#include <stdbool.h>

/* To be called first. What damaged pages do to a process ends this one with exit code 3 and a
 * sentence. Descriptors 0, 1 and 2 are open from then on; a file that becomes too large
 * (ulimit -f) and a pipe that closes are errors of a call; and SIGINT, SIGTERM and SIGHUP end the
 * program also as process 1 of a container, where they have no effect by default. */
void process_begin(void);
/* The language has been chosen. */
void process_speak(void);
/* In a child whose parent looks at the signal that ends it. */
void process_dies_of_damage(void);
/* Before a thread is begun in which no signal is handled but what its own fault sends it, as in
 * those of the library; *ret_before is to be set again behind it. */
void process_block_signals(sigset_t *ret_before);
/* From now on SIGINT and SIGTERM are noted, for a command that ends between two commits. A second
 * one ends the program at once. */
void process_end_gently(void);
/* The signal that was noted; 0: none. */
int process_ended_by(void);
/* Waits until fd can be read or written to (events of poll(2)), at most ms, or without end where ms
 * is negative; false: a signal was noted, or ms are over. */
bool process_wait(int fd, short events, int ms);
/* Nobody reads standard output any more. */
bool process_output_closed(void);

#endif
