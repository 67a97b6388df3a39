#ifndef JANGBU_MESSAGE_H
#define JANGBU_MESSAGE_H

#include <jangbu/command.h>

#include "log/log.h"

/* The sentence of a refusal, in the thread's language: what is wrong and what would work. A
 * function of its arguments, so that a repeated answer is the same. Amounts have the currency's
 * decimals. The sentences stand in messages.def. */
void jb_refusal_message(jb_code code, const struct jb_figure *figures, size_t figures_n, jb_op op,
                        int64_t index, const struct jb_log_identity *ledger, char *text, size_t n);

#endif
