/* The commands themselves, as JSON: what each op needs and takes, and how each member is written.
 */
#ifndef JANGBU_VOCABULARY_H
#define JANGBU_VOCABULARY_H

#include "out.h"

void commands_json(struct out *o);
#endif
