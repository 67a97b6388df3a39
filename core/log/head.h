/*
 * HEAD: 64 bytes beside the log that say where it ended. Written without sync after each commit, so
 * it may lag but never lead: if the log is found shorter than HEAD says, the log was put back to an
 * older state. A torn HEAD fails its checksum and says nothing.
 */
#ifndef JANGBU_HEAD_H
#define JANGBU_HEAD_H

#include <jangbu/base.h>

#define JB_HEAD_BYTES 64

struct jb_head_file {
    uint8_t ledger_id[16];
    uint8_t chain[16];
    jb_seq seq;
    jb_instant recorded_at;
};

/* Opens (makes) dir/HEAD. -1 with errno. */
int jb_head_open(const char *dir, bool read_only);
enum jb_head_found {
    JB_HEAD_THERE,
    JB_HEAD_NONE,    /* no file, or an empty one: it is made with the first commit */
    JB_HEAD_DAMAGED, /* torn, changed, or it cannot be read */
    JB_HEAD_NEWER    /* its first bytes are those of a later form: not to be written over */
};
/* ret is written only with JB_HEAD_THERE. */
enum jb_head_found jb_head_read(int fd, struct jb_head_file *ret);
/* Whether these are the first bytes of a later form of HEAD or FAULT: the magic with another digit.
 * Not where it is this form, of its length, with that byte changed. b has JB_HEAD_BYTES; n were
 * read, and are more than that where the file is longer. */
bool jb_head_is_newer(const uint8_t b[JB_HEAD_BYTES], size_t n, const char magic[8]);
void jb_head_write(int fd, const struct jb_head_file *h);

#endif
