/*
 * Making a directory with a ledger in it, for init and backup: the files are made in a folder of
 * their own, DIR/.making, and moved to their places when all of them are on disk, log.mdb last. So
 * nobody opens half a ledger; one that fails leaves nothing; and what one that was killed left is
 * no ledger and in nobody's way: the next one clears it.
 */
#ifndef JANGBU_MAKING_H
#define JANGBU_MAKING_H

#include <jangbu/base.h>

struct jb_making {
    const char *dir;
    char stage[4096]; /* where the files are made */
    int fd;           /* of dir, locked: one at a time */
    bool made_dir;
};

/* dir is new, or empty but for what a killed one left. JB_E_EXISTS; JB_E_IO on a network file
 * system; JB_E_BUSY where another one is at work there. */
jb_status jb_making_begin(struct jb_making *m, const char *dir, bool backup, struct jb_error *err);
/* To be called after a begin that was JB_OK. status is what came of making the files: where it is
 * JB_OK they are moved and synced, else all is removed. */
jb_status jb_making_end(struct jb_making *m, jb_status status, struct jb_error *err);

#endif
