/* Who may use a route. */
#ifndef JANGBUD_GATE_H
#define JANGBUD_GATE_H

#include "exchange.h"

/* Whether who sent it may use its route; false: x has the problem as its answer. */
bool gate_admit(struct exchange *x);

#endif
