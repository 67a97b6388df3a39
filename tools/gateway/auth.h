/*
 * Who asks: tokens (a file of their hashes, mode 0600), users of the Unix socket by their uid. A
 * principal has a caller (the scope of its keys), a role that caps the role of actors, what it may
 * do, which wallets, and how often.
 */
#ifndef JANGBUD_AUTH_H
#define JANGBUD_AUTH_H

#include <jangbu/command.h>

#include "exchange.h"

struct auth; /* the file as it was last read; readers keep what they have while it is read anew */

struct principal {
    char name[64];
    char caller[33];
    char role[33]; /* "": none */
    bool read, write, people, ops, keyless;
    char wallets[65];    /* prefix of the wallets that it may see; "": all */
    uint64_t op_mask[4]; /* 1 << op: commands that it may give */
    uint32_t rate;       /* requests a second; 0: no limit */
};

struct auth *auth_open(const char *path, struct jb_error *err);
/* Reads the file again; what was there stays where it is bad. Thread-safe. */
jb_status auth_reload(struct auth *a, struct jb_error *err);
struct auth *auth_close(struct auth *a);

/* Who sent it, and whether he may use the route: x->who is set. False: x has the problem (401 with
 * WWW-Authenticate, 403, 429) as its answer. */
bool auth_admit(struct auth *a, struct exchange *x);
/* x->who is not used any more. */
void auth_leave(struct auth *a, struct exchange *x);
/* Whether the principal may give the command; false: x has the problem. Sets the command's caller,
 * and the role of its actor where the principal has one. */
bool auth_command(struct exchange *x, struct jb_command *c);
bool auth_wallet(const struct principal *who, struct jb_text wallet);

#endif
