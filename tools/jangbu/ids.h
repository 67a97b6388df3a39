/* Ids of wallets and channels by number, remembered: who goes through the log meets the same ones
 * again and again. */
#ifndef JANGBU_IDS_H
#define JANGBU_IDS_H

#include "app.h"
#include "event_json.h"

struct known_id;

/* Begins as {0}. */
struct ids {
    struct known_id *wallets, *channels;
};
void ids_free(struct ids *ids);

/* The ids that e is shown with, ended by NUL: from the events seen that gave them, else from the
 * state. A channel that nobody knows has none. Borrowed until the next call. */
jb_status ids_of_event(struct ids *ids, jb_ledger *l, const struct jb_event *e,
                       struct event_ids *ret, struct jb_error *err);

#endif
