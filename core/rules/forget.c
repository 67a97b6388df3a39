/* Who may be forgotten, and when. */
#include "rules/rules.h"

static void
decide_person(const struct jb_around *a, const struct jb_forgetting *f, struct jb_verdict *v)
{
    const struct jb_person_roles *r = &f->roles;
    if (a->people.person == 0) {
        jb_refuse_with(v, JB_CODE_PERSON_STATE, JB_FIG_PERSON_STATE, JB_PERSON_NONE);
    } else if (r->wallets + r->channels + r->roles > 0) {
        jb_refuse_with(v, JB_CODE_PERSON_HAS_ROLE, JB_FIG_WALLETS, (int64_t)r->wallets);
        jb_refuse_figure(v, JB_FIG_CHANNELS, (int64_t)r->channels);
        jb_refuse_figure(v, JB_FIG_ROLES, (int64_t)r->roles);
    } else {
        v->event.forgotten.person = a->people.person;
    }
}

/* What nobody has any more is kept for a time all the same. */
static void
decide_business(const struct jb_globals *g, const struct jb_command *c,
                const struct jb_forgetting *f, const struct jb_decision_time *m,
                struct jb_verdict *v)
{
    const struct jb_biz_number *n = &f->biz;
    jb_biz_state state = n->holders > 0  ? JB_BIZ_HELD
                         : n->askers > 0 ? JB_BIZ_PENDING
                         : !f->biz_known ? JB_BIZ_NONE
                                         : 0;
    if (state != 0) {
        jb_refuse_with(v, JB_CODE_BIZ_STATE, JB_FIG_BIZ_STATE, state);
        return;
    }
    if (f->gone != 0) {
        jb_refuse(v, JB_CODE_UNCHANGED);
        return;
    }
    int64_t days = jb_policy_at(g, JB_POLICY_BIZ_RETENTION_DAYS, m->recorded_at);
    jb_instant until;
    if (n->approved != 0 && n->ended != JB_NO_INSTANT &&
        (__builtin_add_overflow(n->ended, days * JB_US_PER_DAY, &until) ||
         m->recorded_at < until)) {
        jb_refuse_with(v, JB_CODE_RETENTION, JB_FIG_UNTIL,
                       until > JB_INSTANT_MAX ? JB_INSTANT_MAX : until);
        return;
    }
    v->event.forgotten.biz = c->biz;
}

void
jb_decide_forget(const struct jb_globals *g, const struct jb_wallet *w, const struct jb_command *c,
                 const struct jb_around *a, const struct jb_forgetting *f,
                 const struct jb_decision_time *m, struct jb_verdict *v)
{
    bool wallet = jb_given(c, JB_CF_WALLET);
    if (wallet && w == NULL) {
        jb_refuse(v, JB_CODE_WALLET_UNKNOWN);
        return;
    }
    if (!jb_admit_role(a, v)) {
        return;
    }
    if (wallet && w->status != JB_WALLET_DELETED) {
        jb_refuse_with(v, JB_CODE_WALLET_STATE, JB_FIG_STATUS, w->status);
        return;
    }
    if (wallet && f->gone != 0) {
        jb_refuse(v, JB_CODE_UNCHANGED);
        return;
    }
    v->event.type = JB_EV_FORGOTTEN;
    v->event.forgotten = (struct jb_forgotten){.wallet_no = wallet ? w->number : 0};
    if (jb_given(c, JB_CF_PERSON)) {
        decide_person(a, f, v);
    } else if (!wallet) {
        decide_business(g, c, f, m, v);
    }
}
