/* A group: all of its members or none. */
#include "ledger/work.h"

static enum jb_step
member(struct work *g, size_t i, struct jb_answer *a, bool *ret_refused)
{
    struct work w = *g;
    struct jb_verdict *v = &g->l->verdict;
    w.group = g->c;
    w.c = &g->c->commands[i];
    w.a = a;
    /* A member without a time of its own has the group's. */
    struct jb_command timed;
    bool own = (w.c->has & JB_HAS(JB_CF_AT)) != 0;
    if (!own && (g->c->has & JB_HAS(JB_CF_AT)) != 0) {
        timed = *w.c;
        timed.has |= JB_HAS(JB_CF_AT);
        timed.at = g->c->at;
        w.c = &timed;
    }
    jb_decide_time(&g->l->book->g, w.c, v, &w.m);
    struct jb_slot *s = NULL;
    jb_status status = JB_OK;
    if (v->code == JB_CODE_NONE && w.c->op == JB_OP_POLICY_SET) {
        jb_decide_policy(&g->l->book->g, w.c, &w.m, v);
    } else if (v->code == JB_CODE_NONE) {
        status = jb_decide_on_wallet(&w, &s);
    }
    *ret_refused = status == JB_OK && v->code != JB_CODE_NONE;
    if (status != JB_OK || *ret_refused) {
        return jb_step_of(status);
    }
    struct jb_event end;
    memset(&end, 0, sizeof end);
    bool last = i + 1 == g->c->commands_n;
    if (last) {
        w.last_member = w.c;
        end.flags = JB_EVF_GROUP | (g->keyed ? JB_EVF_KEY : 0);
        end.key = g->c->key;
        end.caller = g->r->caller;
        end.fingerprint = g->fingerprint;
        end.group_commands = (uint32_t)g->c->commands_n;
        end.seq = g->first;
    }
    status = jb_write_wallet_event(&w, s, last ? &end : NULL);
    if (status == JB_OK) {
        a->op = g->c->commands[i].op;
        a->index = -1;
        a->content_checked = true;
        jb_answer_done(g->r->answers, a, &v->event);
    }
    return jb_step_of(status);
}

/* All members in order, under a savepoint. *ret_refused: one said no (v has it, *ret_index which), everything is undone. A trial
 * (keep false) closes the due days first, as the real run will, so that its members see the same versions; all of it is undone. */
static enum jb_step
run_group(struct work *w, struct jb_answer *members, bool keep, bool *ret_refused, int64_t *ret_index)
{
    size_t collected = jb_people_collected(w->l->people);
    *ret_refused = false;
    if (jb_book_save(w->l->book, w->err) != JB_OK) {
        return JB_STEP_FAILED;
    }
    enum jb_step step = JB_STEP_DECIDED;
    if (!w->closed) {
        w->before_closing = jb_before_closing(w);
    }
    jb_day through = keep ? JB_NO_DAY : jb_due_day(&w->l->book->g, w->m.recorded_at);
    if (through != JB_NO_DAY) {
        w->l->trial = true;
        step = jb_close_days(w->l, through, w->m.recorded_at, NULL, w->err);
        w->l->trial = w->l->closing = false;
    }
    w->first = w->l->book->g.seq + 1;
    for (size_t i = 0; i < w->c->commands_n && step == JB_STEP_DECIDED && !*ret_refused; i++) {
        step = member(w, i, &members[i], ret_refused);
        *ret_index = (int64_t)i;
    }
    if (step == JB_STEP_DECIDED && !*ret_refused && keep) {
        jb_book_keep(w->l->book);
    } else {
        jb_book_restore(w->l->book);
        jb_people_cut(w->l->people, collected);
    }
    return step;
}

enum jb_step
jb_process_group(struct work *w)
{
    size_t n = w->c->commands_n;
    struct jb_answer *members = jb_answers_alloc(w->r->answers, n * sizeof *members);
    if (members == NULL) {
        jb_fail(w->err, JB_E_NOMEM, "no memory for an answer");
        return JB_STEP_FAILED;
    }
    memset(members, 0, n * sizeof *members);
    bool refused;
    int64_t index = -1;
    bool dry = w->r->options.dry_run;
    bool due = jb_due_day(&w->l->book->g, w->m.recorded_at) != JB_NO_DAY;
    /* Only an accepted group closes days: so when a closing is due it is tried first, undone, and done behind the closing. */
    enum jb_step step = run_group(w, members, !due && !dry, &refused, &index);
    if (step == JB_STEP_DECIDED && !refused && due && !dry) {
        w->before_closing = jb_before_closing(w);
        w->closed = true;
        step = jb_close_due(w);
        if (step == JB_STEP_DECIDED) {
            memset(members, 0, n * sizeof *members);
            step = run_group(w, members, true, &refused, &index);
        }
    }
    if (step != JB_STEP_DECIDED) {
        return step;
    }
    if (refused) {
        struct jb_verdict *v = &w->l->verdict;
        w->a->op = w->c->commands[index].op;
        return jb_refuse_command(w, v->code, v->figures, v->figures_n, index);
    }
    w->a->outcome = JB_DONE;
    w->a->dry_run = dry;
    w->a->seq = dry ? 0 : w->l->book->g.seq;
    w->a->members = members;
    w->a->members_n = n;
    if (n > 0) {
        w->a->event = members[n - 1].event;
    }
    return JB_STEP_DECIDED;
}
