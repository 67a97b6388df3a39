/* Ledgers in a directory in memory, for targets that want a whole one. */
#ifndef JANGBU_FUZZ_SCRATCH_H
#define JANGBU_FUZZ_SCRATCH_H

#include "log/log.h"

#define SCRATCH_PATH_BYTES 128

/* A directory of this process that is gone when it ends; and a name in it. */
const char *scratch_dir(void);
char *scratch_path(const char *name, char *path);

/* The log of an empty ledger, made once and never written to: the events of init, nothing else. */
struct jb_log *scratch_log(struct jb_log_identity *ret);

/* A ledger's log, personal texts and secret under another name, made anew each time. Borrowed until
 * the next call. */
const char *scratch_copy(const char *of, const char *name);
/* An empty ledger with that commit behind its own. Borrowed likewise. */
const char *scratch_ledger(const struct jb_log_batch *batch);

/* Audits the ledger, opens it, asks it everything and makes its projections anew: whatever is in
 * it, no harm comes of it. True: the audit says that it is verified. Then all of it has to work. */
bool scratch_ask(const char *path);

#endif
