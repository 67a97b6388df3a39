/* POST /v1/commands: one command, a group, or lines of them. */
#ifndef JANGBUD_COMMANDS_H
#define JANGBUD_COMMANDS_H

#include "route.h"

enum handled commands_post(struct exchange *x);

#endif
