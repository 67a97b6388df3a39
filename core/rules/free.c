/* Free cash: a grant is dormant until it is activated, once. docs/rules.md section 3. */
#include "rules/rules.h"

void
jb_rule_grant(const struct jb_case *k, struct jb_verdict *v)
{
    const struct jb_command *c = k->c;
    if (k->loaded->ordinal != 0) {
        jb_refuse(v, JB_CODE_ID_EXISTS);
        return;
    }
    if (c->expires_on < k->m->today) {
        jb_refuse_with(v, JB_CODE_GRANT_EXPIRED, JB_FIG_EXPIRES_ON, c->expires_on);
        return;
    }
    int64_t unfinished = 0;
    jb_amount there = 0;
    for (size_t i = 0; i < jb_rest(k->w)->grants.n; i++) {
        if (jb_grant_unfinished(&jb_rest(k->w)->grants.at[i], k->m->today)) {
            unfinished++;
            there += jb_rest(k->w)->grants.at[i].remaining;
        }
    }
    int64_t max = jb_policy_at(k->g, JB_POLICY_GRANTS_MAX, k->m->recorded_at);
    if (unfinished >= max) {
        jb_refuse_with(v, JB_CODE_GRANTS_LIMIT, JB_FIG_GRANTS_MAX, max);
        return;
    }
    if (there + c->amount > JB_AMOUNT_MAX) {
        jb_refuse_with(v, JB_CODE_AMOUNT_RANGE, JB_FIG_LIMIT, JB_AMOUNT_MAX);
        return;
    }
    v->event.type = JB_EV_FREE_GRANTED;
    v->event.free_granted = (struct jb_free_granted){
        .grant = c->id,
        .grant_no = jb_rest(k->w)->grants_given + 1,
        .origin = c->has & JB_HAS(JB_CF_ORIGIN) ? c->origin : (uint32_t)JB_ORIGIN_PROMOTION,
        .amount = c->amount,
        .expires_on = c->expires_on};
}

void
jb_rule_grant_change(const struct jb_case *k, struct jb_verdict *v)
{
    const struct jb_grant *g =
        k->loaded->ordinal != 0 ? jb_wallet_grant(k->w, k->loaded->ordinal) : NULL;
    if (g == NULL) {
        jb_refuse(v, JB_CODE_GRANT_UNKNOWN);
        return;
    }
    if (g->expires_on < k->m->today) {
        jb_refuse_with(v, JB_CODE_GRANT_EXPIRED, JB_FIG_EXPIRES_ON, g->expires_on);
        return;
    }
    if (g->state != JB_GRANT_DORMANT) {
        bool used_up = g->state == JB_GRANT_IN_USE && g->remaining == 0;
        jb_refuse_with(v, JB_CODE_GRANT_STATE, JB_FIG_GRANT_STATE,
                       used_up ? (int64_t)JB_GRANT_USED_UP : (int64_t)g->state);
        return;
    }
    if (k->c->op == JB_OP_FREE_ACTIVATE) {
        v->event.type = JB_EV_FREE_ACTIVATED;
        v->event.free_activated = (struct jb_free_activated){g->ordinal, g->remaining};
    } else {
        v->event.type = JB_EV_FREE_REVOKED;
        v->event.free_revoked = (struct jb_free_revoked){g->ordinal, g->remaining};
    }
}
