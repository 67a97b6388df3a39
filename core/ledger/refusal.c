/* The refusal of a command, and of a keyed one the event that remembers it. */
#include "ledger/execution.h"

/* A keyed command that was refused against the state is remembered, so that a delayed repetition
 * cannot succeed later. */
enum jb_step
jb_refuse_command(struct execution *x, jb_code code, const struct jb_figure *figures,
                  uint32_t figures_n, int64_t index)
{
    x->a->remembered = x->keyed && !x->r->options.dry_run && code != JB_CODE_CLOCK_BEHIND &&
                       code != JB_CODE_KEY_CONFLICT;
    jb_answer_refused(x->r->answers, x->a, code, figures, figures_n, index, &x->l->identity);
    if (!x->a->remembered) {
        return JB_STEP_DECIDED;
    }
    struct jb_event e;
    memset(&e, 0, sizeof e);
    e.type = JB_EV_COMMAND_REFUSED;
    e.recorded_at = e.occurred_at = x->m.recorded_at;
    e.command_refused = (struct jb_command_refused){.op = (uint32_t)x->a->op,
                                                    .code = (uint32_t)code,
                                                    .index = index + 1,
                                                    .figures = {figures, figures_n}};
    const struct jb_command *c = x->group != NULL ? x->group : x->c;
    x->group = NULL;
    jb_status status = jb_envelope(x, c, true, &e);
    if (status == JB_OK) {
        status = jb_batch_append(x->l, &e, x->err);
    }
    x->a->seq = e.seq;
    return jb_step_of(status);
}

enum jb_step
jb_refuse_verdict(struct execution *x)
{
    const struct jb_verdict *v = &x->l->verdict;
    return jb_refuse_command(x, v->code, v->figures, v->figures_n, -1);
}
