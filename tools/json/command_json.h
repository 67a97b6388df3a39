/* A line of JSON to a command. */
#ifndef JANGBU_COMMAND_JSON_H
#define JANGBU_COMMAND_JSON_H

#include "parse.h"

/*
 * Reads one line. The command's texts lie in the pool until it is reset. False: bad says why. key
 * (its s NULL where there is none or it cannot be read) is the line's key, also of a bad line.
 */
bool command_from_json(struct json_pool *pool, const char *line, size_t n, struct jb_command *ret,
                       struct jb_text *ret_key, struct bad_line *bad);

/* Whether a command may give the word for that number: UNSPECIFIED is how events print a method
 * that was not given, and a command leaves it out. */
bool command_may_say(const struct jb_names *names, uint32_t number);
#endif
