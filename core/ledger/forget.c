/*
 * The command `forget`: its event, at the end of a commit together with others of its kind; then
 * whom they name is forgotten in people.mdb, in steps, between which others write; and only then
 * their answers are final.
 */
#include "ledger/execution.h"
#include "state/around.h"

#define OWNERS_IN_A_STEP 8192

static bool
is_dying(const struct jb_ledger *l, uint64_t person)
{
    for (size_t i = 0; person != 0 && i < l->dying.n; i++) {
        if (l->dying.at[i] == person) {
            return true;
        }
    }
    return false;
}

/* *ret_first: it is about, or by, somebody whom an event of the batch forgets. Behind that event
 * nobody knows such an id. */
static jb_status
look_up(struct execution *x, struct jb_cached_wallet **ret_slot, struct jb_forgetting *ret,
        bool *ret_first)
{
    struct jb_state *b = x->l->state;
    const struct jb_command *c = x->c, *actor = jb_actor_of(x, c);
    uint64_t by = 0;
    *ret = (struct jb_forgetting){0};
    jb_status status =
        jb_state_find(b, jb_given_text(c, JB_CF_WALLET, c->wallet), ret_slot, x->err);
    if (status == JB_OK) {
        status = jb_look_around(x, *ret_slot != NULL ? &(*ret_slot)->w : NULL);
    }
    if (status == JB_OK && actor != NULL && x->l->dying.n > 0) {
        status = jb_find_person(x, actor->actor_id, &by);
    }
    if (status != JB_OK) {
        return status;
    }
    uint64_t person = x->around->people.person;
    *ret_first = is_dying(x->l, person) || is_dying(x->l, by);
    status = person != 0 ? jb_around_person(b, person, &ret->roles, x->err) : JB_OK;
    if (status == JB_OK && *ret_slot != NULL) {
        status = jb_around_gone(b, JB_GONE_WALLET, (*ret_slot)->w.number, &ret->gone, x->err);
    }
    if (status != JB_OK || !jb_given(c, JB_CF_BIZ)) {
        return status;
    }
    const uint64_t number = jb_biz_number_of(c->biz);
    status = jb_around_gone(b, JB_GONE_BIZ, number, &ret->gone, x->err);
    return status == JB_OK ? jb_around_biz_known(b, number, &ret->biz, &ret->biz_known, x->err)
                           : status;
}

static jb_status
write_event(struct execution *x)
{
    struct jb_ledger *l = x->l;
    struct jb_event *e = &l->verdict.event;
    size_t collected = jb_personal_collected(l->personal);
    bool dry = x->r->options.dry_run;
    e->recorded_at = e->occurred_at = x->m.recorded_at;
    jb_status status = jb_envelope(x, x->c, x->keyed, e);
    status = status == JB_OK ? jb_batch_append(l, e, x->err) : status;
    if (status != JB_OK) {
        return status;
    }
    if (!dry && !jb_vec_reserve(&l->dying, l->dying.n + 1)) {
        return jb_fail(x->err, JB_E_NOMEM, "no memory for an answer");
    }
    jb_answer_done(x->r->answers, x->a, e);
    jb_end_dry(x, NULL);
    if (dry) {
        jb_personal_cut(l->personal, collected);
    } else {
        l->dying.at[l->dying.n++] = e->forgotten.person;
        l->forgot = e->seq;
    }
    return JB_OK;
}

enum jb_step
jb_forget_on(struct jb_ledger *l, jb_seq seq, struct jb_error *err)
{
    bool done = false;
    if (l->batch.ends.n > 0) {
        return JB_STEP_COMMIT_FIRST;
    }
    /* Of a command that was refused there is nothing to do but what is left of others. */
    jb_seq last = seq < l->state->g.forgotten ? seq : l->state->g.forgotten;
    jb_status status = jb_people_step(l, last, OWNERS_IN_A_STEP, &done, err);
    return status != JB_OK ? JB_STEP_FAILED : done ? JB_STEP_DECIDED : JB_STEP_COMMIT_FIRST;
}

enum jb_step
jb_execute_forget(struct execution *x)
{
    struct jb_verdict *v = &x->l->verdict;
    struct jb_cached_wallet *s;
    struct jb_forgetting f;
    bool commit_first = false;
    if (look_up(x, &s, &f, &commit_first) != JB_OK) {
        return JB_STEP_FAILED;
    }
    if (commit_first) {
        return JB_STEP_COMMIT_FIRST;
    }
    jb_decide_forget(&x->l->state->g, s != NULL ? &s->w : NULL, x->c, x->around, &f, &x->m, v);
    if (jb_check_verdict(x) != JB_OK) {
        return JB_STEP_FAILED;
    }
    if (v->code != JB_CODE_NONE) {
        /* Who hears that it was done before hears it when it is. */
        x->l->forgot = v->code == JB_CODE_UNCHANGED && !x->r->options.dry_run ? f.gone : 0;
        return jb_refuse_verdict(x);
    }
    enum jb_step step = jb_begin_event(x);
    return step == JB_STEP_DECIDED ? jb_step_of(write_event(x)) : step;
}
