/* The tables of commands for this library's own files: jb_command_field_get and jb_op_get without a
 * call. */
#ifndef JANGBU_COMMAND_TABLE_H
#define JANGBU_COMMAND_TABLE_H

#include <jangbu/command.h>

extern const struct jb_command_field_info jb_command_fields[JB_CF_N];
extern const struct jb_op_info jb_ops[JB_OPS]; /* from 1 on */

#endif
