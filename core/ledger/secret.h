/* The file `secret`: what fingerprints are made with. docs/format.md section 5.2. */
#ifndef JANGBU_SECRET_H
#define JANGBU_SECRET_H

#include <jangbu/base.h>

#define JB_SECRET_BYTES 192

enum jb_secret_found {
    JB_SECRET_THERE,
    JB_SECRET_LOST,    /* there is no such file */
    JB_SECRET_DAMAGED, /* not what this ledger wrote: cut short, changed, or another ledger's */
    JB_SECRET_NEWER /* longer than this version writes: a later form, or something was appended */
};

/* ret is what it should be only with JB_SECRET_THERE. Any failure but "there is no such file" is a
 * failure of the call: what cannot be read now may be there all the same, and a ledger that took it
 * for lost would write events without fingerprints, for ever. */
jb_status jb_secret_read(const char *dir, const uint8_t ledger_id[16],
                         enum jb_secret_found *ret_found, uint8_t ret[JB_SECRET_BYTES],
                         struct jb_error *err);

#endif
