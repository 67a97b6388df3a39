/*
 * Who asks: tokens (a file of their hashes, mode 0600), users of the Unix socket by their uid. A
 * principal has a caller (the scope of its keys), a role that caps the role of actors, what it may
 * do and ask, which wallets, and how often.
 */
#ifndef JANGBUD_AUTH_H
#define JANGBUD_AUTH_H

#include <jangbu/command.h>

#include "exchange.h"
#include "problem.h"
#include "queries.h"

struct auth; /* the file as it was last read; readers keep what they have while it is read anew */

/*
 * A line of the file, words with blanks between them, # before a remark:
 *
 *     NAME sha256:HEX|uid:N [caller=C] [role=R] [scopes=WORD,...] [wallets=PREFIX] [rate=N]
 *
 * Scopes: `read` or `read:QUERY`; `write` or the name of an op; `people` (personal texts), `ops`
 * (health and metrics), `keyless` (commands without a key), `page` (sessions of the page). The
 * caller is the name unless given.
 */
struct principal {
    char name[64];
    char caller[33];
    char role[33]; /* "": none */
    bool read, write, people, ops, keyless, page;
    char wallets[65];    /* prefix of the wallets that it may see; "": all */
    uint64_t op_mask[4]; /* 1 << op: commands that it may give */
    uint64_t ask_mask;   /* 1 << enum query_kind: what it may ask */
    uint32_t rate;       /* requests a second; 0: no limit */
    /* What lasts longer than a request knows him again by these, after the file was read anew. */
    uint64_t reading;  /* which reading of the file he is of; 0: of none, so that he stays */
    bool by_uid;       /* else by a token */
    uint8_t proof[32]; /* the token's hash, or the uid */
};

/* owner: whoever runs the daemon may do all of it over the Unix socket, unless a line has his uid.
 */
struct auth *auth_open(const char *path, bool owner, struct jb_error *err);
/* Reads the file again; what was there stays where it is bad. Thread-safe. */
jb_status auth_reload(struct auth *a, struct jb_error *err);
struct auth *auth_close(struct auth *a);

/* Who sent it, and whether he may use the route: x->who is set, also where he is known and may not.
 * False: x has the problem (401 with WWW-Authenticate, 403, 429) as its answer. */
bool auth_admit(struct auth *a, struct exchange *x);
/* x->who, which may be NULL, is not used any more. */
void auth_leave(struct auth *a, struct exchange *x);
/* Of a request that lasts (a stream, a wait): x->who is he of the file as it is now. 0: he may go
 * on; else GATEWAY_UNAUTHENTICATED, where he stands there no more, or GATEWAY_FORBIDDEN. */
enum gateway_code auth_still(struct auth *a, struct exchange *x);
/* Of what holds a copy: it has the rights of now. False: he stands there no more. */
bool auth_renew(struct auth *a, struct principal *who);
/* n requests more of his rate: the lines of a batch. They are carried out, and the next waits. */
void auth_spend(const struct principal *who, uint64_t n);
/* Requests that were answered 401 since the file was opened. */
uint64_t auth_refused(const struct auth *a);

/* Whether the principal may give the command: 0, or GATEWAY_FORBIDDEN and why. Sets the command's
 * caller where it has a key, and the role of its actor where the principal has one. */
enum gateway_code auth_command(const struct principal *who, struct jb_command *c, char *why,
                               size_t size);
bool auth_wallet(const struct principal *who, struct jb_text wallet);
/* Whose token a text is, for who signs in by one. False: nobody's. */
bool auth_token(struct auth *a, struct jb_text token, struct principal *ret);

/* `token new NAME ...` and so on: prints a new token once, and writes its line behind those of the
 * file at path, which is replaced whole. The exit status. */
int token_main(const char *path, int argc, char *const *argv);

#endif
