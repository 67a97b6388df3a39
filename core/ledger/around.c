/* Who a command is by and about, and what stands around its wallet: everything that the rules are
 * told beside the money. */
#include "ledger/execution.h"

const struct jb_command *
jb_actor_of(const struct execution *x, const struct jb_command *c)
{
    const struct jb_command *actor = !jb_given(c, JB_CF_ACTOR) && x->group != NULL ? x->group : c;
    return jb_given(actor, JB_CF_ACTOR) ? actor : NULL;
}

jb_status
jb_find_person(struct execution *x, struct jb_text id, uint64_t *ret)
{
    return jb_known_find(x->l, id, ret, x->err);
}

static jb_status
find_people(struct execution *x, struct jb_people *ret)
{
    const struct jb_command *actor = jb_actor_of(x, x->c);
    bool person = jb_given(x->c, JB_CF_PERSON);
    jb_status status = JB_OK;
    *ret = (struct jb_people){0};
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
jb_look_around(struct execution *x, const struct jb_wallet *w)
{
    struct jb_ledger *l = x->l;
    const struct jb_command *c = x->c;
    bool more =
        c->op >= JB_OP_ROLE_GIVE || c->op == JB_OP_WALLET_DELETE || jb_given(c, JB_CF_CHANNEL);
    /* The usual command is by anybody, and about nobody. */
    if (l->state->g.matrix == 0 && !more) {
        x->around = &jb_around_nothing;
        return JB_OK;
    }
    struct jb_people people;
    const struct jb_around_time t = {x->m.at, x->m.recorded_at};
    const struct jb_permit permit = x->r->recover ? (struct jb_permit){0, 0} : jb_permit_of(c);
    jb_around_begin(&l->around, more);
    l->around.recovered = x->r->recover;
    x->around = &l->around;
    jb_status status = find_people(x, &people);
    status = status == JB_OK
                 ? jb_around_look(l->state, w, c, &people, permit, &t, &l->around, x->err)
                 : status;
    status = status == JB_OK ? look_for_master(x, w, &l->around) : status;
    return status == JB_OK ? look_for_email(x, &l->around) : status;
}
