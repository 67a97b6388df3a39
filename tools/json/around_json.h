/* Queries about what stands around the money: who, may, roles, channel, biz, can_delete; and
 * answers to the ten questions. */
#ifndef JANGBU_AROUND_JSON_H
#define JANGBU_AROUND_JSON_H

#include "queries.h"

jb_status who_answer(const struct asked *a, const struct query *q, struct out *o,
                     struct jb_error *err);
jb_status may_answer(const struct asked *a, const struct query *q, struct out *o,
                     struct jb_error *err);
jb_status roles_answer(const struct asked *a, const struct query *q, struct out *o,
                       struct jb_error *err);
jb_status channel_answer(const struct asked *a, const struct query *q, struct out *o,
                         struct jb_error *err);
jb_status biz_answer(const struct asked *a, const struct query *q, struct out *o,
                     struct jb_error *err);
jb_status can_delete_answer(const struct asked *a, const struct query *q, struct out *o,
                            struct jb_error *err);

jb_status reply_answer(const struct asked *a, const struct query *q, struct out *o,
                       struct jb_error *err);

/* A member with a reference, and with the text where that is asked for; null, and why, where there
 * is none. keys: of the three. */
jb_status ref_json(const struct asked *a, struct out *o, const char *const keys[3], uint64_t ref,
                   bool people, struct jb_error *err);
/* What a query "answer" asks. */
struct jb_question question_of(const struct query *q);
/* What was said of a cell, as a word: "ROLE", "STATE", "KIND"; NULL: yes. */
const char *may_word(jb_may_answer answer);
/* The word of a condition of a deletion. */
const char *condition_word(const struct jb_condition *c);
#endif
