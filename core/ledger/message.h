#ifndef JANGBU_MESSAGE_H
#define JANGBU_MESSAGE_H

#include <jangbu/command.h>

#include "log/log.h"

/* What a sentence hangs on beside op and figures. */
enum { JB_BY_NOBODY = 1, JB_OF_CHANNEL = 2 };

/* Of a command, or of the member `index` of a group: set bits of the above. The same of a
 * repetition. */
unsigned jb_refusal_about(const struct jb_command *c, int64_t index);

/* The sentence of a refusal, in the thread's language: what is wrong and what would work. A
 * function of its arguments, so that a repeated answer is the same. Amounts have the currency's
 * decimals. The sentences stand in messages.def. */
void jb_refusal_message(jb_code code, const struct jb_figure *figures, size_t figures_n, jb_op op,
                        unsigned about, int64_t index, const struct jb_log_identity *ledger,
                        char *text, size_t n);

#endif
