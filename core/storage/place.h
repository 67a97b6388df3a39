/* Where a ledger may lie: LMDB's locks and its map hold on one machine only. */
#ifndef JANGBU_PLACE_H
#define JANGBU_PLACE_H

#include <jangbu/base.h>

/* JB_E_IO with a sentence on the file system of a network or a cluster. *ret_warning (may be NULL):
 * a sentence where it may be one or not, else NULL; it is static. A path that cannot be looked at
 * is JB_OK: whoever opens it says why. */
jb_status jb_place_check(const char *path, const char **ret_warning, struct jb_error *err);
/* The path from the root on, also for when the process has gone to another directory; symbolic
 * links stay in it, so that it is noticed when they change. NULL: no memory. The caller frees it.
 */
char *jb_place_absolute(const char *path);
/* An overlay: a file of a lower layer is another one once somebody has written to it. */
bool jb_place_is_overlay(const char *path);

#endif
