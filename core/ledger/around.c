/* Who a command is by and about, and what stands around its wallet: everything that the rules are
 * told beside the money. */
#include "event/names.h"
#include "ledger/execution.h"

jb_status
jb_find_person(struct execution *x, struct jb_text id, uint64_t *ret)
{
    return jb_known_find(x->l, id, ret, x->err);
}

/* *ret is zeroed. */
static jb_status
find_people(struct execution *x, struct jb_people *ret)
{
    const struct jb_command *actor = jb_actor_of(x, x->c);
    bool person = jb_given(x->c, JB_CF_PERSON);
    jb_status status = JB_OK;
    if (person) {
        status = jb_find_person(x, x->c->person, &ret->person);
    }
    if (status != JB_OK || actor == NULL) {
        return status;
    }
    ret->role = actor->actor_role;
    ret->self = person && jb_text_equal(x->c->person, actor->actor_id);
    ret->for_himself =
        x->c->op == JB_OP_WALLET_CREATE &&
        (!jb_given(x->c, JB_CF_MASTER) || jb_text_equal(x->c->master, actor->actor_id));
    return x->l->state->g.matrix != 0 ? jb_find_person(x, actor->actor_id, &ret->actor) : JB_OK;
}

uint64_t
jb_master_of(const struct jb_wallet *w, const struct jb_command *c, const struct jb_around *a)
{
    return c->op == JB_OP_MASTER_TRANSFER && w != NULL ? a->wallet.master
           : c->op == JB_OP_CHANNEL_TRANSFER           ? a->channel.master
                                                       : 0;
}

static jb_status
look_for_master(struct execution *x, const struct jb_wallet *w, struct jb_around *a)
{
    uint64_t master = jb_master_of(w, x->c, a);
    bool opens = true;
    jb_status status =
        master != 0 ? jb_personal_opens(x->l->personal, master, &opens, x->err) : JB_OK;
    a->master_lost = !opens;
    return status;
}

/* The usual command of a ledger that asks for roles: about money, by who used the wallet before and
 * may by what he is there. Of the roles that an op takes those of the wallet come first. The roles
 * of a deleted wallet ended with it, without events of their own. */
static bool
carries_again(const struct execution *x, const struct jb_wallet *w, struct jb_around *a)
{
    bool lives = w != NULL && w->status != JB_WALLET_DELETED;
    uint32_t role =
        lives ? jb_around_again(x->l->state, w->number, a->people.actor, x->m.at) : JB_ROLE_NONE;
    if ((role != JB_ROLE_MASTER && role != JB_ROLE_MEMBER) ||
        (a->permit.roles & ~a->permit.both & 1U << role) == 0 ||
        (a->people.role.n > 0 &&
         !jb_text_equal(a->people.role, jb_text_of(jb_name_word(&jb_role_names, role))))) {
        return false;
    }
    a->enforced = true;
    a->carried = role;
    return true;
}

/* The address itself is in people.mdb alone. */
static jb_status
look_for_email(struct execution *x, struct jb_around *a)
{
    enum jb_repeated same = JB_REPEATED_SAME;
    if (x->c->op != JB_OP_INVOICE_EMAIL || a->wallet.email == 0) {
        return JB_OK;
    }
    jb_status status = jb_compare_text(x, a->wallet.email, x->c->email, false, &same);
    a->same_email = status == JB_OK && same == JB_REPEATED_SAME;
    return status;
}

jb_status
jb_look_closely(struct execution *x, const struct jb_wallet *w)
{
    struct jb_ledger *l = x->l;
    struct jb_around *a = &l->around;
    const struct jb_command *c = x->c;
    const struct jb_around_time t = {x->m.at, x->m.recorded_at};
    bool money = jb_about_money(c);
    jb_around_begin(a, !money);
    a->recovered = x->r->recover;
    a->permit = x->r->recover ? (struct jb_permit){0, 0} : jb_permit_of(c);
    x->around = a;
    jb_status status = find_people(x, &a->people);
    bool again = status == JB_OK && money && carries_again(x, w, a);
    if (again && !JB_CHECKS) {
        return JB_OK;
    }
    uint32_t carried = a->carried;
    status = status == JB_OK ? jb_around_look(l->state, w, c, &a->people, a->permit, &t, a, x->err)
                             : status;
    JB_ASSERT(!again || status != JB_OK || a->carried == carried);
    status = status == JB_OK ? look_for_master(x, w, a) : status;
    return status == JB_OK ? look_for_email(x, a) : status;
}
