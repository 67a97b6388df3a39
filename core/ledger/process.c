/*
 * One command from its key to its events: look the key up, look at the clock, load what deciding needs, decide, and emit.
 * The order of looking is that of docs/rules.md section 5.
 */
#include "ledger/work.h"

/* The clock for this command, or a refusal. CLOCK_BEHIND is the machine's fault: no trace, the same key may be tried again. */
static bool
read_clock(struct work *w)
{
    const struct jb_globals *g = &w->l->book->g;
    jb_instant last = g->recorded_at;
    int64_t tolerance = 0;
    if (w->r->options.clock == JB_CLOCK_AT) {
        w->m.clock = w->c->has & JB_HAS(JB_CF_CLOCK) ? w->c->clock : w->c->at;
    } else {
        w->m.clock = w->l->now(w->l->now_data);
        tolerance = last == JB_NO_INSTANT ? 0 : jb_policy_at(g, JB_POLICY_CLOCK_TOLERANCE, last) * JB_US_PER_SECOND;
    }
    if (last == JB_NO_INSTANT || w->m.clock >= last - tolerance) {
        return true;
    }
    struct jb_figure figures[2] = {{JB_FIG_BEHIND_US, last - w->m.clock}, {JB_FIG_RECORDED_AT, last}};
    jb_answer_refused(w->r->answers, w->a, JB_CODE_CLOCK_BEHIND, figures, 2, -1, &w->l->identity);
    return false;
}

enum jb_step
jb_process(struct jb_ledger *l, const struct jb_request *r, size_t index, struct jb_error *err)
{
    struct work w = {.l = l, .r = r, .c = &r->commands[index], .a = &r->answers->list.at[index], .err = err};
    if (w.a->outcome != 0) {
        return JB_STEP_DECIDED; /* its form was wrong, and that was said already */
    }
    w.fingerprint = r->answers->fingerprints.at[index];
    w.keyed = (w.c->has & JB_HAS(JB_CF_KEY)) != 0;
    if (w.keyed) {
        jb_seq seq;
        if (jb_book_key(l->book, r->caller, w.c->key, &seq, err) != JB_OK) {
            return JB_STEP_FAILED;
        }
        if (seq != 0) {
            return jb_repeat(&w, seq);
        }
    }
    if (w.c->op == JB_OP_DAY_CLOSE) {
        bool known;
        enum jb_step step = jb_repeat_close(&w, &known);
        if (step != JB_STEP_DECIDED || known) {
            return step;
        }
    }
    if (!read_clock(&w)) {
        return JB_STEP_DECIDED;
    }
    jb_decide_time(&l->book->g, w.c, &l->verdict, &w.m);
    if (l->verdict.code != JB_CODE_NONE) {
        return jb_refuse_verdict(&w);
    }
    switch (w.c->op) {
    case JB_OP_ATOMIC:
        return jb_process_group(&w);
    case JB_OP_DAY_CLOSE:
        return jb_process_close(&w);
    case JB_OP_POLICY_SET:
        return jb_process_policy(&w);
    default:
        return jb_process_wallet(&w);
    }
}
