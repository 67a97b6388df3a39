#ifndef JANGBU_MESSAGE_H
#define JANGBU_MESSAGE_H

#include <jangbu/command.h>

/* The sentence of a refusal: what is wrong and what would work. A function of its arguments, so that a repeated answer is the same. */
void jb_refusal_message(jb_code code, const struct jb_figure *figures, size_t figures_n, jb_op op, int64_t index, int32_t utc_offset_s, char *text,
                        size_t n);

#endif
