/* permissions.def as data. */
#include <assert.h>

#include "base/error.h"
#include "rules/rules.h"

/* Which commands of an op a row is about. */
enum when { ALWAYS, BY_HAND, BY_ITSELF, UNSENT, BUSINESS, OF_CHANNEL };

#define M (1U << JB_ROLE_MASTER)
#define m (1U << JB_ROLE_MEMBER)
#define C (1U << JB_ROLE_CHANNEL_MASTER)
#define c (1U << JB_ROLE_MANAGER)
#define A (1U << JB_ROLE_AGENCY)
#define O (1U << JB_ROLE_OPERATOR)
#define G (1U << JB_ROLE_GATEWAY)
#define S (1U << JB_ROLE_SYSTEM)
#define P (1U << JB_ROLE_SELF)
static const struct jb_permission rows[] = {
#define PERMIT(cell, op, when, roles, both) {cell, JB_OP_##op, (roles), (both), 0},
#include "rules/permissions.def"
#undef PERMIT
};
#undef M
#undef m
#undef C
#undef c
#undef A
#undef O
#undef G
#undef S
#undef P

static const uint8_t whens[] = {
#define PERMIT(cell, op, when, roles, both) when,
#include "rules/permissions.def"
#undef PERMIT
};
#define ROWS (sizeof rows / sizeof rows[0])

static const uint8_t ops[] = {
#define PERMIT(cell, op, when, roles, both) JB_OP_##op,
#include "rules/permissions.def"
#undef PERMIT
};
static_assert(JB_OPS <= UINT8_MAX, "an op does not fit into a byte");

const struct jb_permission *
jb_permissions(uint32_t matrix, size_t *ret_n)
{
    if (ret_n != NULL) {
        *ret_n = matrix == 1 ? ROWS : 0;
    }
    return matrix == 1 ? rows : NULL;
}

static bool
fits(enum when when, const struct jb_command *command)
{
    switch (when) {
    case BY_HAND:
        return jb_given(command, JB_CF_METHOD) && (command->method == JB_METHOD_ADMIN_CASH ||
                                                   command->method == JB_METHOD_ADV_RET_CASH);
    case BY_ITSELF:
        return jb_given(command, JB_CF_METHOD) &&
               (command->method == JB_METHOD_KAKAOPAY_CARD_AUTO ||
                command->method == JB_METHOD_CREDIT_CARD_REGULAR);
    case UNSENT:
        return jb_given(command, JB_CF_ORIGIN) && (command->origin == JB_ORIGIN_UNSENT_SIMPLE ||
                                                   command->origin == JB_ORIGIN_UNSENT_NORMAL);
    case BUSINESS:
        return jb_given(command, JB_CF_CHANNEL_KIND) &&
               command->channel_kind == JB_CHANNEL_BUSINESS;
    case OF_CHANNEL:
        return jb_given(command, JB_CF_CHANNEL);
    case ALWAYS:
        break;
    }
    return true;
}

struct jb_command
jb_permission_command(const struct jb_permission *row)
{
    struct jb_command c = {.size = sizeof c, .op = (jb_op)row->op};
    JB_ASSERT(row >= rows && row < rows + ROWS);
    switch ((enum when)whens[row - rows]) {
    case BY_HAND:
        c.method = JB_METHOD_ADMIN_CASH;
        c.has |= JB_HAS(JB_CF_METHOD);
        break;
    case BY_ITSELF:
        c.method = JB_METHOD_KAKAOPAY_CARD_AUTO;
        c.has |= JB_HAS(JB_CF_METHOD);
        break;
    case UNSENT:
        c.origin = JB_ORIGIN_UNSENT_SIMPLE;
        c.has |= JB_HAS(JB_CF_ORIGIN);
        break;
    case BUSINESS:
        c.channel_kind = JB_CHANNEL_BUSINESS;
        c.has |= JB_HAS(JB_CF_CHANNEL_KIND);
        break;
    case OF_CHANNEL:
    case ALWAYS:
        break;
    }
    return c;
}

struct jb_permit
jb_permit_of(const struct jb_command *command)
{
    const uint8_t *found = memchr(ops, (int)command->op, ROWS);
    size_t i = found != NULL ? (size_t)(found - ops) : ROWS;
    while (i < ROWS && ops[i] == (uint8_t)command->op && !fits((enum when)whens[i], command)) {
        i++; /* the rows of an op stand together */
    }
    return i < ROWS ? (struct jb_permit){rows[i].roles, rows[i].both}
                    : (struct jb_permit){0, 0}; /* a group: its members are asked */
}

bool
jb_admit_role(const struct jb_around *a, struct jb_verdict *v)
{
    if (!a->enforced || a->permit.roles == 0 || a->carried != JB_ROLE_NONE) {
        return true;
    }
    jb_refuse_with(v, JB_CODE_ROLE, JB_FIG_HAVE, a->have);
    jb_refuse_figure(v, JB_FIG_HAVE_NOW, a->have_now);
    jb_refuse_figure(v, JB_FIG_WHO, a->permit.roles);
    return false;
}
