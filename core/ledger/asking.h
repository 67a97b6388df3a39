/* Questions about what stands around the money: read_around.c, read_may.c. */
#ifndef JANGBU_LEDGER_ASKING_H
#define JANGBU_LEDGER_ASKING_H

#include "ledger/internal.h"

struct jb_found {
    struct jb_who_row row;
    char channel[JB_ID_BYTES_MAX];
};

/* One question, while the read state is held. */
struct jb_asking {
    struct jb_ledger *l;
    struct jb_state *b;
    struct jb_error *err;
    jb_instant now;
    JB_VEC(struct jb_found) rows; /* to be told when it was let go */
};

/* Looks the answer up; it may be asked to do so again, from the beginning. */
typedef jb_status (*jb_look)(struct jb_asking *a, const void *question, void *ret);

/* Holds the read state while it looks. The caller frees a->rows. */
jb_status jb_ask(struct jb_ledger *l, struct jb_asking *a, jb_look look, const void *question,
                 void *ret, struct jb_error *err);

/* JB_E_NOTFOUND with a sentence: there is none of that id. */
jb_status jb_ask_wallet(struct jb_asking *a, struct jb_text id, const struct jb_wallet **ret);
jb_status jb_ask_channel(struct jb_asking *a, struct jb_text id, uint64_t *ret);

#endif
