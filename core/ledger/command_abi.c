/* Commands from programs that were built with an older or newer header: their structs have another
 * size, and so another stride. */
#include "ledger/internal.h"

/* Whether the command has members that are looked at: what the form of a group forbids is not
 * followed, it may be nonsense. */
static bool
has_members(const struct jb_command *c)
{
    return c->op == JB_OP_ATOMIC && c->commands != NULL && c->commands_n > 0 &&
           c->commands_n <= JB_GROUP_COMMANDS_MAX;
}

static bool
as_ours(const struct jb_command *list, size_t n, bool member)
{
    for (size_t i = 0; i < n; i++) {
        const struct jb_command *c = &list[i];
        if (c->size != sizeof *c ||
            (!member && has_members(c) && !as_ours(c->commands, c->commands_n, true))) {
            return false;
        }
    }
    return true;
}

static jb_status
copies(jb_answers *set, const struct jb_command *list, size_t n, bool member,
       const struct jb_command **ret, struct jb_error *err)
{
    size_t stride = list->size;
    struct jb_command *to =
        n <= SIZE_MAX / sizeof *to ? jb_answers_alloc(set, n * sizeof *to) : NULL;
    if (to == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory for %zu commands", n);
    }
    for (size_t i = 0; i < n; i++) {
        const void *from = (const char *)list + i * stride;
        size_t size;
        memcpy(&size, from, sizeof size);
        if (size != stride || size < sizeof size) {
            return jb_fail(err, JB_E_USAGE,
                           "command %zu of a list has size %zu and the first one %zu: "
                           "jb_command_begin makes a command",
                           i, size, stride);
        }
        jb_status status = jb_abi_in(&to[i], sizeof to[i], from, "a command", err);
        if (status == JB_OK && !member && has_members(&to[i])) {
            status = copies(set, to[i].commands, to[i].commands_n, true, &to[i].commands, err);
        }
        if (status != JB_OK) {
            return status;
        }
    }
    *ret = to;
    return JB_OK;
}

jb_status
jb_abi_commands(jb_answers *set, const struct jb_command *list, size_t n,
                const struct jb_command **ret, struct jb_error *err)
{
    *ret = list;
    return n == 0 || as_ours(list, n, false) ? JB_OK : copies(set, list, n, false, ret, err);
}
