/* The refusal of a command, and of a keyed one the event that remembers it. */
#include "ledger/execution.h"

/* What was refused, so that it can be found: in no chain, and nothing moved. The wallet is that of
 * now: of one that a refused group had made only its id is known. */
static jb_status
name_refused(struct execution *x, const struct jb_command *c, struct jb_event *e)
{
    const uint64_t ids =
        JB_HAS(JB_CF_CHARGE) | JB_HAS(JB_CF_GRANT) | JB_HAS(JB_CF_USAGE) | JB_HAS(JB_CF_REFUND);
    struct jb_command_refused *r = &e->command_refused;
    r->id = (c->has & ids) != 0 ? c->id : (struct jb_text){NULL, 0};
    r->amount = (c->has & JB_HAS(JB_CF_AMOUNT)) != 0 ? c->amount : 0;
    if ((c->has & JB_HAS(JB_CF_WALLET)) == 0) {
        return JB_OK;
    }
    struct jb_cached_wallet *s;
    jb_status status = jb_state_find(x->l->state, c->wallet, &s, x->err);
    if (status == JB_OK && s != NULL) {
        r->wallet_no = s->w.number;
    } else {
        r->wallet_id = c->wallet;
    }
    return status;
}

/* A keyed command that was refused against the state is remembered, so that a delayed repetition
 * cannot succeed later. */
enum jb_step
jb_refuse_command(struct execution *x, jb_code code, const struct jb_figure *figures,
                  uint32_t figures_n, int64_t index)
{
    x->a->remembered = x->keyed && !x->r->options.dry_run && code != JB_CODE_CLOCK_BEHIND &&
                       code != JB_CODE_KEY_CONFLICT && code != JB_CODE_BATCH_TOO_LARGE;
    jb_answer_refused(x->r->answers, x->a, code, figures, figures_n, x->c, index, &x->l->identity);
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
    jb_status status = name_refused(x, index >= 0 ? &x->c->commands[index] : x->c, &e);
    const struct jb_command *c = x->group != NULL ? x->group : x->c;
    x->group = NULL;
    status = status == JB_OK ? jb_envelope(x, c, true, &e) : status;
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
