/*
 * Descriptors of the ledger's files. None of them is 0, 1 or 2: where a program was started with
 * those closed, what it prints would go into the ledger. None goes into a program that is executed,
 * and those that hold locks are closed in a forked child: a lock of an open file description ends
 * with its last descriptor, and the child would keep it.
 */
#ifndef JANGBU_DESCRIPTORS_H
#define JANGBU_DESCRIPTORS_H

#include <sys/types.h>

/* As open(2), with O_CLOEXEC. */
int jb_descriptor_open(const char *path, int flags, mode_t mode);
int jb_descriptor_open_at(int dir, const char *path, int flags, mode_t mode);
/* The same; the descriptor is closed in a forked child. Close it with jb_descriptor_close. */
int jb_descriptor_open_locking(const char *path, int flags, mode_t mode);
int jb_descriptor_open_at_locking(int dir, const char *path, int flags, mode_t mode);
/* Harmless on -1, and on one that fork has closed already. */
void jb_descriptor_close(int fd);

/* From here on forks are counted. */
void jb_descriptor_guard_forks(void);
/* How often this process is a child of a fork since then: who remembers it
 * sees without a system call that something was opened by a parent. */
unsigned jb_descriptor_forks(void);

/* While code that opens files by itself (LMDB) runs: takes those of 0, 1 and 2 that are closed. */
struct jb_descriptor_gaps {
    int fds[3];
    int n;
};
void jb_descriptor_gaps_fill(struct jb_descriptor_gaps *g);
void jb_descriptor_gaps_leave(struct jb_descriptor_gaps *g);

#endif
