/*
 * Room for the next commits to a file that cannot be made again, in zeros that are written and
 * synced before. A page that is written into a new part of a file is on disk only when the file
 * system has also noted that this part is no longer empty; where the device failed in between, a
 * later sync succeeds and the part stays empty. So a commit should not need new parts.
 */
#ifndef JANGBU_ROOM_H
#define JANGBU_ROOM_H

#include <sys/types.h>

#include "storage/lmdb_env.h"

/* For a commit of so many bytes. *room: bytes that the file has had at least, 0 at first. EIO: the
 * device failed; else 0, whether there was room or not. By who alone may write to the file, outside
 * of a transaction. */
int jb_env_make_room(struct jb_env *e, size_t bytes, off_t *room);

#endif
