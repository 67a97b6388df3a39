/* A group: all of its members or none. */
#include "ledger/execution.h"

static enum jb_step
member(struct execution *g, size_t i, struct jb_answer *a, bool *ret_refused)
{
    struct execution x = *g;
    struct jb_verdict *v = &g->l->verdict;
    x.group = g->c;
    x.c = &g->c->commands[i];
    x.a = a;
    /* A member without a time of its own has the group's. */
    struct jb_command timed;
    bool own = (x.c->has & JB_HAS(JB_CF_AT)) != 0;
    if (!own && (g->c->has & JB_HAS(JB_CF_AT)) != 0) {
        timed = *x.c;
        timed.has |= JB_HAS(JB_CF_AT);
        timed.at = g->c->at;
        x.c = &timed;
    }
    jb_decide_time(&g->l->state->g, x.c, v, &x.m);
    struct jb_cached_wallet *s = NULL;
    jb_status status = JB_OK;
    if (v->code == JB_CODE_NONE && x.c->op == JB_OP_POLICY_SET) {
        status = jb_look_around(&x, NULL);
        if (status == JB_OK) {
            jb_decide_policy(&g->l->state->g, x.c, x.around, &x.m, v);
        }
    } else if (v->code == JB_CODE_NONE) {
        status = jb_decide_on_wallet(&x, &s);
    }
    *ret_refused = status == JB_OK && v->code != JB_CODE_NONE;
    if (status != JB_OK || *ret_refused) {
        return jb_step_of(status);
    }
    struct jb_event end;
    memset(&end, 0, sizeof end);
    bool last = i + 1 == g->c->commands_n;
    if (last) {
        x.last_member = x.c;
        end.flags = JB_EVF_GROUP | (g->keyed ? JB_EVF_KEY : 0);
        end.key = g->c->key;
        end.caller = g->caller;
        end.fingerprint = g->fingerprint;
        end.group_commands = (uint32_t)g->c->commands_n;
        end.seq = g->first;
    }
    status = jb_write_wallet_event(&x, s, last ? &end : NULL);
    if (status == JB_OK) {
        a->op = g->c->commands[i].op;
        a->index = -1;
        a->content_checked = 1;
        jb_answer_done(g->r->answers, a, &v->event);
        status = jb_answer_rest(&x, a);
    }
    return jb_step_of(status);
}

/* All members in order, under a savepoint. *ret_refused: one said no (v has it, *ret_index which),
 * everything is undone. A trial (keep false) closes the due days first, as the real run will, so
 * that its members see the same versions; all of it is undone. */
static enum jb_step
run_group(struct execution *x, struct jb_answer *members, bool keep, bool *ret_refused,
          int64_t *ret_index)
{
    size_t collected = jb_personal_collected(x->l->personal);
    *ret_refused = false;
    if (jb_savepoint_begin(x->l->state, x->err) != JB_OK) {
        return JB_STEP_FAILED;
    }
    enum jb_step step = JB_STEP_DECIDED;
    if (!x->closed) {
        x->before_closing = jb_before_closing(x);
    }
    if (!keep) {
        step = jb_close_due_on_trial(x);
    }
    x->first = x->l->state->g.seq + 1;
    size_t bytes = x->l->batch.bytes.n;
    for (size_t i = 0; i < x->c->commands_n && step == JB_STEP_DECIDED && !*ret_refused; i++) {
        step = member(x, i, &members[i], ret_refused);
        *ret_index = (int64_t)i;
        if (x->l->batch.bytes.n - bytes > JB_GROUP_BYTES_MAX) {
            x->l->verdict.code = JB_CODE_BATCH_TOO_LARGE;
            x->l->verdict.figures_n = 0;
            *ret_refused = true;
            *ret_index = -1;
        }
    }
    if (step == JB_STEP_DECIDED && !*ret_refused && keep) {
        jb_savepoint_release(x->l->state);
    } else {
        jb_savepoint_rollback(x->l->state);
        jb_personal_cut(x->l->personal, collected);
    }
    return step;
}

enum jb_step
jb_execute_group(struct execution *x)
{
    size_t n = x->c->commands_n;
    struct jb_answer *members = jb_answers_alloc(x->r->answers, n * sizeof *members);
    if (members == NULL) {
        jb_fail(x->err, JB_E_NOMEM, "no memory for an answer");
        return JB_STEP_FAILED;
    }
    memset(members, 0, n * sizeof *members);
    bool refused = false;
    int64_t index = -1;
    bool dry = x->r->options.dry_run;
    bool due = jb_due_day(&x->l->state->g, x->m.recorded_at) != JB_NO_DAY;
    /* Only an accepted group closes days: so when days are due, the group runs as a trial, is
     * rolled back, and runs for real behind the closing. A closing that was cut by commits goes on:
     * its trial is behind it. */
    enum jb_step step = JB_STEP_DECIDED;
    if (!due || dry || !x->r->cut) {
        step = run_group(x, members, !due && !dry, &refused, &index);
    }
    if (step == JB_STEP_DECIDED && !refused && due && !dry) {
        x->before_closing = jb_before_closing(x);
        x->closed = true;
        step = jb_close_due(x);
        if (step == JB_STEP_DECIDED) {
            memset(members, 0, n * sizeof *members);
            step = run_group(x, members, true, &refused, &index);
        }
    }
    if (step != JB_STEP_DECIDED) {
        return step;
    }
    if (refused) {
        struct jb_verdict *v = &x->l->verdict;
        x->a->op = index >= 0 ? x->c->commands[index].op : x->c->op;
        return jb_refuse_command(x, v->code, v->figures, v->figures_n, index);
    }
    x->a->outcome = JB_DONE;
    x->a->dry_run = dry;
    x->a->seq = dry ? 0 : x->l->state->g.seq;
    jb_answer_set_members(x->r->answers, x->a, members, n);
    if (n > 0) {
        x->a->own_event = members[n - 1].own_event;
    }
    return JB_STEP_DECIDED;
}
