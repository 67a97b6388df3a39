/*
 * FAULT: 64 bytes beside the log that say that the device failed while log.mdb or people.mdb was
 * written. From then on the page cache may show what the device does not have: nothing is written
 * until the device has been read back. The page in `lock` says the same to processes that have the
 * ledger open, and where FAULT itself cannot be written.
 */
#ifndef JANGBU_FAULT_H
#define JANGBU_FAULT_H

#include "log/log.h"

struct jb_fault {
    uint8_t ledger_id[16];
    uint8_t chain[JB_CHAIN_BYTES]; /* of the last good commit, as its number */
    jb_seq seq;
    uint64_t page; /* the last one that the file had then */
};

/* Writes it, synced. False: it could not be. */
bool jb_fault_write(const char *dir, const struct jb_fault *f);
/* Whether there is one, whole or not. */
bool jb_fault_is_there(const char *dir);
/*
 * Reads log.mdb and people.mdb from the device, past the page cache, and compares every byte with
 * the cache; writes again what the device has otherwise, and reads that back; then the log's chain
 * from the last good commit to the end. JB_OK: all of it is there,
 * and FAULT is gone. JB_E_DEVICE with a sentence. By the holder of the writer lock.
 */
jb_status jb_fault_clear(const char *dir, struct jb_log *l, const struct jb_log_identity *identity,
                         struct jb_error *err);

#endif
