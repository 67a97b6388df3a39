/* Whether the daemon lives, and whether it can be asked. */
#ifndef JANGBUD_HEALTH_H
#define JANGBUD_HEALTH_H

#include "route.h"

enum handled health_live(struct exchange *x);
enum handled health_ready(struct exchange *x);
enum handled ledger_get(struct exchange *x);

#endif
