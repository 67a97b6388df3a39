/*
 * One command from its key to its events: look the key up, look at the clock, load what deciding
 * needs, decide, and emit. The order of looking is that of docs/rules.md section 5.
 */
#include "ledger/execution.h"

/* The way back after the clock has jumped ahead once: a tolerance that is large enough. */
static bool
sets_tolerance(const struct jb_command *c)
{
    return c->op == JB_OP_POLICY_SET && c->policy == JB_POLICY_CLOCK_TOLERANCE;
}

/* Whether the clock may be right. CLOCK_BEHIND and CLOCK_AHEAD are the machine's fault: no trace,
 * the same key may be tried again. */
static bool
clock_is_wrong(struct execution *x, bool system)
{
    const struct jb_globals *g = &x->l->state->g;
    jb_instant last = g->recorded_at;
    if (last == JB_NO_INSTANT) {
        return false;
    }
    if (x->m.clock == last) {
        return false;
    }
    /* A policy is looked up only where it can matter: this is asked for each command. */
    int64_t tolerance =
        system && x->m.clock < last ? jb_policy_us_at(g, JB_POLICY_CLOCK_TOLERANCE, last) : 0;
    if (x->m.clock < last - tolerance && !sets_tolerance(x->c)) {
        const struct jb_figure figures[] = {{JB_FIG_BEHIND_US, last - x->m.clock},
                                            {JB_FIG_RECORDED_AT, last}};
        jb_answer_refused(x->r->answers, x->a, JB_CODE_CLOCK_BEHIND, figures, 2, x->c, -1,
                          &x->l->identity);
        return true;
    }
    /* A jump ahead would close the days up to there, and shut the ledger until then. */
    if (!system || x->m.clock < last || x->l->accept_clock || x->r->options.accept_clock) {
        return false;
    }
    int64_t most = jb_policy_us_at(g, JB_POLICY_CLOCK_AHEAD_MAX, last);
    if (x->m.clock - last > most) {
        const struct jb_figure figures[] = {{JB_FIG_AHEAD_US, x->m.clock - last},
                                            {JB_FIG_RECORDED_AT, last},
                                            {JB_FIG_DAYS_MAX, most / JB_US_PER_DAY}};
        jb_answer_refused(x->r->answers, x->a, JB_CODE_CLOCK_AHEAD, figures, 3, x->c, -1,
                          &x->l->identity);
        return true;
    }
    return false;
}

/* The clock for this command. *ret_refused: it cannot be right, and that was said. */
static jb_status
read_clock(struct execution *x, bool *ret_refused)
{
    bool system = x->r->options.clock == JB_CLOCK_SYSTEM;
    jb_status status = JB_OK;
    if (system) {
        status = jb_ledger_now_near(x->l, &x->m.clock, x->err);
    } else {
        x->m.clock = x->c->has & JB_HAS(JB_CF_CLOCK) ? x->c->clock : x->c->at;
    }
    x->m.clock_from = x->m.clock;
    *ret_refused = status == JB_OK && clock_is_wrong(x, system);
    return status;
}

/* A forgetting that was cut off is brought to its end before it is answered again. */
static enum jb_step
repeat(struct execution *x, jb_seq seq)
{
    x->l->forgot = x->c->op == JB_OP_FORGET ? seq : 0;
    return jb_repeat(x, seq);
}

enum jb_step
jb_execute(struct jb_ledger *l, const struct jb_request *r, size_t index, struct jb_error *err)
{
    struct execution x = {.l = l,
                          .r = r,
                          .c = &r->commands[index],
                          .a = &r->answers->list.at[index],
                          .near = l->near[index % JB_NEAR],
                          .err = err};
    if (x.a->outcome != 0) {
        return JB_STEP_DECIDED; /* its form was wrong, and that was said already */
    }
    x.fingerprint = r->answers->fingerprints.at[index];
    x.keyed = (x.c->has & JB_HAS(JB_CF_KEY)) != 0;
    x.caller = (x.c->has & JB_HAS(JB_CF_CALLER)) != 0 ? x.c->caller : r->caller;
    x.caller.s = x.caller.n > 0 ? x.caller.s : "";
    if (l->dying.n > 0 && x.c->op != JB_OP_FORGET) {
        return JB_STEP_COMMIT_FIRST; /* nobody knows them behind their event */
    }
    if (x.keyed) {
        jb_seq seq;
        if (jb_state_key(l->state, x.caller, x.c->key, &seq, err) != JB_OK) {
            return JB_STEP_FAILED;
        }
        if (seq != 0) {
            return repeat(&x, seq);
        }
    }
    if (x.c->op == JB_OP_DAY_CLOSE) {
        bool known;
        enum jb_step step = jb_repeat_close(&x, &known);
        if (step != JB_STEP_DECIDED || known) {
            return step;
        }
    }
    bool refused;
    jb_status status = read_clock(&x, &refused);
    if (status != JB_OK || refused) {
        return jb_step_of(status);
    }
    enum jb_step step;
    if (jb_execute_plain(&x, &step)) {
        return step;
    }
    jb_decide_time(&l->state->g, x.c, &l->verdict, &x.m);
    if (l->verdict.code != JB_CODE_NONE) {
        return jb_refuse_verdict(&x);
    }
    return x.c->op == JB_OP_ATOMIC       ? jb_execute_group(&x)
           : x.c->op == JB_OP_DAY_CLOSE  ? jb_execute_close(&x)
           : x.c->op == JB_OP_POLICY_SET ? jb_execute_policy(&x)
           : x.c->op == JB_OP_FORGET     ? jb_execute_forget(&x)
                                         : jb_execute_wallet(&x);
}
