/* The file `secret`: what fingerprints are made with. docs/format.md section 5.2. */
#ifndef JANGBU_SECRET_H
#define JANGBU_SECRET_H

#include <stdint.h>

#define JB_SECRET_BYTES 192

enum jb_secret_found {
    JB_SECRET_THERE,
    JB_SECRET_LOST,   /* there is no such file, or it cannot be read */
    JB_SECRET_DAMAGED /* not what this ledger wrote: cut short, changed, or another ledger's */
};

/* ret is what it should be only with JB_SECRET_THERE. */
enum jb_secret_found jb_secret_read(const char *dir, const uint8_t ledger_id[16],
                                    uint8_t ret[JB_SECRET_BYTES]);

#endif
