/* `jangbud --example DIR`: a month of three wallets to look at, without a service behind it. */
#ifndef JANGBUD_EXAMPLE_H
#define JANGBUD_EXAMPLE_H

#include "config.h"
#include "session.h"

/* Takes --example and its directory out of the arguments: the configuration has it as its ledger,
 * a free port and a quiet log unless flags say otherwise. False: it is not there. */
bool example_asked(struct config *c, int *argc, char **argv);
/* Makes the ledger, unless there is one, and has the month happen up to yesterday. */
jb_status example_make(const char *dir, struct jb_error *err);
/* Prints an address for the holder of one of its wallets, and one for an operator. */
void example_print(struct pages *p, const char *address);

#endif
