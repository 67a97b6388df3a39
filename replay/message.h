/* The messages between the two processes of an audit: one machine, one build, so they are structs as they lie in memory. */
#ifndef JANGBU_REPLAY_MESSAGE_H
#define JANGBU_REPLAY_MESSAGE_H

#include "replay/audit.h"

enum message_kind { MESSAGE_PROBLEM = 1, MESSAGE_NOT_CHECKED = 2, MESSAGE_PROGRESS = 3, MESSAGE_END = 4 };

struct message {
    uint32_t kind;
    uint32_t undecided;
    uint64_t seq, frame, offset;  /* of progress: done, all */
    struct jb_scan_result result; /* of the end */
    int32_t status;
    char check[16];
    char text[500];
};

/* Ends the process when nobody listens any more. */
void jb_message_send(int fd, const struct message *m);
/* False: the other side has ended. */
bool jb_message_receive(int fd, struct message *m);

#endif
