/* For replay: making what deciding needs again. */
#ifndef JANGBU_LEDGER_REBUILD_H
#define JANGBU_LEDGER_REBUILD_H

#include <jangbu/ledger.h>

struct jb_state_rebuilt {
    jb_seq events;
    bool had;           /* there was a state at the same event to compare with */
    bool same;          /* the new one is byte for byte the same */
    uint8_t digest[16]; /* over all tables, keys and values in order */
};

/* Makes state.mdb anew and switches to it. The writer lock is held only for the last events and the
 * switch. */
jb_status jb_state_rebuild(jb_ledger *l, jb_progress on_progress, void *data,
                           struct jb_state_rebuilt *ret, struct jb_error *err);
/* The operator accepts the log as it is: from now on HEAD says that it ends here. */
void jb_accept_head(jb_ledger *l);

#endif
