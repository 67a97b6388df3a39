/* The tables of commands for this library's own files: jb_command_field_get and jb_op_get without a
 * call. */
#ifndef JANGBU_COMMAND_TABLE_H
#define JANGBU_COMMAND_TABLE_H

#include <jangbu/command.h>

extern const struct jb_command_field_info jb_command_fields[JB_CF_N];
extern const struct jb_op_info jb_ops[JB_OPS]; /* from 1 on */

/* Whether a member of that kind is one struct jb_text. */
static inline bool
jb_command_kind_is_text(jb_command_kind kind)
{
    switch (kind) {
    case JB_CK_ID:
    case JB_CK_SHORT:
    case JB_CK_NAME:
    case JB_CK_TEXT:
    case JB_CK_KEY:
    case JB_CK_REF:
    case JB_CK_CALLER:
    case JB_CK_SEARCH_ID:
    case JB_CK_BIZ:
    case JB_CK_LINE:
    case JB_CK_EMAIL:
        return true;
    case JB_CK_AMOUNT:
    case JB_CK_AMOUNT0:
    case JB_CK_UINT:
    case JB_CK_BOOL:
    case JB_CK_WORD:
    case JB_CK_DAY:
    case JB_CK_MONTH:
    case JB_CK_INSTANT:
    case JB_CK_ACTOR:
    case JB_CK_VALUE:
    case JB_CK_COMMANDS:
        break;
    }
    return false;
}

#endif
