/* Refusals for people, channels, business information, the sales right: what the state disproves of
 * them, and the commands of which the event says enough to ask the rules. docs/rules.md section 9.
 */
#include "replay/rules/inner.h"

#define STATE(state) (1U << JB_PERSON_##state)
#define CHANNEL(state) (1U << JB_CHANNEL_##state)

/* The figure that the code explains itself with. */
static uint64_t
the_figure(const struct jb_command_refused *p)
{
    return p->figures.n > 0 ? (uint64_t)p->figures.at[0].value : 0;
}

static bool
is_in(uint32_t set, uint64_t state)
{
    return state < 32 && (set >> state & 1) != 0;
}

/* ---- asking again */

/* In an enforcing ledger the one who accepts or leaves is the actor; a member of a group may have
 * had one of its own. */
static bool
is_himself(const struct jb_judge *r, const struct jb_command_refused *p)
{
    return r->b->g.matrix != 0 && p->index == 0 &&
           (p->op == JB_OP_MEMBER_ACCEPT || p->op == JB_OP_MEMBER_LEAVE);
}

/* Whether the refusal hangs on nothing that the event does not say, once the command is what the
 * code needs. */
static bool
can_ask(const struct jb_judge *r, const struct jb_command_refused *p)
{
    switch (p->code) {
    case JB_CODE_WALLET_KIND:
    case JB_CODE_BIZ_STATE:
        return true;
    case JB_CODE_UNCHANGED:
        return p->op == JB_OP_WALLET_SETTLEMENT;
    case JB_CODE_MEMBERS_LIMIT:
        return p->op == JB_OP_MEMBER_INVITE;
    case JB_CODE_SALES_STATE:
        return p->op == JB_OP_SALES_RELEASE;
    case JB_CODE_PERSON_STATE:
    case JB_CODE_INVITE_EXPIRED:
    case JB_CODE_MASTER_NEEDED:
        return is_himself(r, p);
    default:
        return false;
    }
}

/* What the command said so that it could be refused like that. */
static jb_status
complete(struct jb_judge *r, const struct jb_wallet *w, const struct jb_command_refused *p,
         struct jb_command *c, struct jb_error *err)
{
    struct jb_wallet_around a = {0};
    jb_status status = jb_around_wallet(r->b, w->number, &a, err);
    c->biz = (struct jb_text){"0000000000", JB_BIZ_DIGITS};
    c->seq = p->code == JB_CODE_BIZ_STATE && the_figure(p) == JB_BIZ_STALE ? a.biz.open : 0;
    c->settlement =
        p->code == JB_CODE_WALLET_KIND ? (uint32_t)JB_SETTLEMENT_POSTPAID : w->settlement;
    c->has |= JB_HAS(JB_CF_BIZ) | JB_HAS(JB_CF_SEQ) | JB_HAS(JB_CF_SETTLEMENT);
    return status;
}

jb_status
jb_refused_around_again(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet *w,
                        struct jb_command *c, bool *ret_asked, struct jb_error *err)
{
    const struct jb_command_refused *p = &e->command_refused;
    const struct jb_prefetched none = {0};
    const struct jb_people people = {.person = is_himself(r, p) ? e->actor : 0};
    const struct jb_around_time t = {e->recorded_at, e->recorded_at};
    *ret_asked = w != NULL && can_ask(r, p);
    if (!*ret_asked) {
        return JB_OK;
    }
    memset(&r->around, 0, sizeof r->around);
    jb_status status = complete(r, w, p, c, err);
    status = status == JB_OK ? jb_around_look(r->b, w, c, &people, (struct jb_permit){0, 0}, &t,
                                              &r->around, err)
                             : status;
    return status == JB_OK ? jb_decide_command(r, w, c, &none, e->recorded_at, err) : status;
}

/* ---- what cannot have been */

/* Somebody was invited to the wallet whose time is over, or is not; until: and ends then,
 * JB_NO_INSTANT: any. Of those who lapsed and are out of the list it is not asked. */
static jb_status
any_invited(struct jb_judge *r, const struct jb_wallet *w, jb_instant now, bool lapsed,
            jb_instant until, bool *ret, struct jb_error *err)
{
    struct jb_tenure t;
    struct jb_holding invited;
    uint64_t whom = 0;
    jb_status status = jb_around_holding(r->b, JB_HOLDER_INVITED, w->number, &invited, err);
    *ret = status == JB_OK && lapsed && invited.past_given > 0;
    while (status == JB_OK && !*ret) {
        status = jb_around_next(r->b, JB_HOLDER_INVITED, w->number, &whom, &t, err);
        if (status != JB_OK || whom == 0) {
            return status;
        }
        *ret = (t.until <= now) == lapsed && (until == JB_NO_INSTANT || t.until == until);
    }
    return status;
}

/* The states of a person for which an op is refused. */
static uint32_t
refused_states(uint32_t op)
{
    switch (op) {
    case JB_OP_ROLE_GIVE:
        return STATE(HOLDS);
    case JB_OP_MEMBER_INVITE:
        return STATE(INVITED) | STATE(MEMBER) | STATE(MASTER);
    case JB_OP_MEMBER_ACCEPT:
        return STATE(NONE) | STATE(MEMBER) | STATE(MASTER);
    case JB_OP_MEMBER_LEAVE:
    case JB_OP_MEMBER_REMOVE:
        return STATE(NONE) | STATE(LAPSED);
    case JB_OP_MASTER_TRANSFER:
        return STATE(NONE) | STATE(INVITED) | STATE(LAPSED) | STATE(MASTER);
    case JB_OP_MANAGER_ADD:
        return STATE(MANAGER) | STATE(CHANNEL_MASTER);
    case JB_OP_CHANNEL_TRANSFER:
        return STATE(NONE) | STATE(CHANNEL_MASTER);
    default: /* role.take, manager.remove */
        return STATE(NONE);
    }
}

/* Somebody is in that state. */
static jb_status
anybody_is(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet *w, uint64_t state,
           bool *ret, struct jb_error *err)
{
    struct jb_wallet_around a = {0};
    struct jb_holding members = {0};
    *ret = true;
    if (w == NULL) {
        bool nobody = r->b->g.operators == 0 && r->b->g.agencies_given == 0;
        struct jb_holding gateways = {0}, systems = {0};
        jb_status status =
            jb_around_holding(r->b, JB_HOLDER_LEDGER, JB_ROLE_GATEWAY, &gateways, err);
        status = status == JB_OK
                     ? jb_around_holding(r->b, JB_HOLDER_LEDGER, JB_ROLE_SYSTEM, &systems, err)
                     : status;
        nobody = nobody && gateways.n == 0 && systems.n == 0;
        *ret = state == JB_PERSON_HOLDS
                   ? !nobody
                   : e->command_refused.op < JB_OP_CHANNEL_CREATE || r->b->g.channels_given > 0;
        return status;
    }
    if (state == JB_PERSON_INVITED || state == JB_PERSON_LAPSED) {
        return any_invited(r, w, e->recorded_at, state == JB_PERSON_LAPSED, JB_NO_INSTANT, ret,
                           err);
    }
    jb_status status = jb_around_wallet(r->b, w->number, &a, err);
    status = status == JB_OK ? jb_around_holding(r->b, JB_HOLDER_WALLET, w->number, &members, err)
                             : status;
    *ret = state == JB_PERSON_MASTER   ? a.master != 0
           : state == JB_PERSON_MEMBER ? members.n > (a.master != 0)
                                       : true;
    return status;
}

static jb_status
can_be_person(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet *w, bool *ret,
              struct jb_error *err)
{
    const struct jb_command_refused *p = &e->command_refused;
    uint64_t state = the_figure(p);
    *ret = is_in(refused_states(p->op), state);
    if (p->op == JB_OP_MASTER_TRANSFER && w->kind == JB_KIND_PERSONAL) {
        *ret = false; /* where it has no master it may be anybody, and else it is its kind */
    }
    return *ret ? anybody_is(r, e, w, state, ret, err) : JB_OK;
}

/* The states of a channel for which an op is refused. */
static uint32_t
refused_channels(const struct jb_command_refused *p)
{
    switch (p->op) {
    case JB_OP_CHARGE:
    case JB_OP_CONSUME:
    case JB_OP_CHANNEL_DISCONNECT:
        return CHANNEL(FREE) | CHANNEL(ELSEWHERE) | CHANNEL(CLOSED);
    case JB_OP_CHANNEL_CONNECT:
        return CHANNEL(CONNECTED) | CHANNEL(ELSEWHERE) | CHANNEL(CLOSED);
    case JB_OP_CHANNEL_CLOSE:
        return CHANNEL(CONNECTED) | CHANNEL(CLOSED);
    default:
        return CHANNEL(CLOSED);
    }
}

static jb_status
can_be_channel(struct jb_judge *r, const struct jb_command_refused *p, const struct jb_wallet *w,
               bool *ret, struct jb_error *err)
{
    struct jb_holding connected = {0};
    uint64_t state = the_figure(p);
    bool of_biz = p->op >= JB_OP_BIZ_REQUEST && p->op <= JB_OP_BIZ_REFUSE;
    *ret =
        is_in(refused_channels(p), state) && r->b->g.channels_given > 0 && !(of_biz && w != NULL);
    if (w == NULL || p->op != JB_OP_CHANNEL_CONNECT || state != JB_CHANNEL_CONNECTED) {
        return JB_OK;
    }
    jb_status status = jb_around_holding(r->b, JB_HOLDER_CHANNELS, w->number, &connected, err);
    *ret = *ret && connected.n > 0;
    return status;
}

/* The figure is the number of an event of that type before e. */
static jb_status
names_event(struct jb_judge *r, const struct jb_event *e, uint32_t type, bool *ret,
            struct jb_error *err)
{
    const struct jb_event *found;
    uint64_t seq = the_figure(&e->command_refused);
    *ret = false;
    if (seq == 0 || seq >= e->seq) {
        return JB_OK;
    }
    jb_status status = jb_state_event(r->b, seq, &found, err);
    *ret = status == JB_OK && (type != 0 ? found->type == type && found->wallet == 0
                                         : (found->flags & JB_EVF_SUBJECT) != 0);
    return status;
}

static jb_status
can_be_number(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet *w, bool *ret,
              struct jb_error *err)
{
    struct jb_wallet_around a = {0};
    if (w == NULL) {
        return names_event(r, e, JB_EV_BIZ_APPROVED, ret, err);
    }
    jb_status status = jb_around_wallet(r->b, w->number, &a, err);
    *ret = w->kind == JB_KIND_BUSINESS && a.biz.number != 0 &&
           a.biz.fixed == the_figure(&e->command_refused);
    return status;
}

static jb_status
can_be_sales(struct jb_judge *r, const struct jb_command_refused *p, const struct jb_wallet *w,
             bool *ret, struct jb_error *err)
{
    struct jb_wallet_around a = {0};
    struct jb_holding asked = {0};
    uint64_t state = the_figure(p);
    jb_status status = jb_around_wallet(r->b, w->number, &a, err);
    status =
        status == JB_OK ? jb_around_holding(r->b, JB_HOLDER_ASKED, w->number, &asked, err) : status;
    *ret = state == JB_SALES_HELD        ? a.agency != 0
           : state == JB_SALES_REQUESTED ? p->op == JB_OP_SALES_REQUEST && asked.n > 0
                                         : state == JB_SALES_NONE && p->op != JB_OP_SALES_REQUEST;
    return status;
}

/* A master is needed: where roles are asked a wallet gets one that is made, and no wallet is
 * without; the master of a wallet does not leave it. */
static jb_status
can_be_master(struct jb_judge *r, const struct jb_command_refused *p, const struct jb_wallet *w,
              bool *ret, struct jb_error *err)
{
    const struct jb_globals *g = &r->b->g;
    struct jb_wallet_around a = {0};
    bool figure = p->figures.n == 1;
    *ret = figure == (p->op == JB_OP_POLICY_SET);
    if (p->op == JB_OP_POLICY_SET) {
        *ret = *ret && g->operators > 0 && g->masterless > 0 && the_figure(p) == g->masterless;
    } else if (p->op == JB_OP_WALLET_CREATE) {
        *ret = *ret && w == NULL && g->matrix != 0;
    } else if (p->op == JB_OP_MANAGER_REMOVE) {
        *ret = *ret && g->channels_given > 0;
    } else if (w != NULL) {
        jb_status status = jb_around_wallet(r->b, w->number, &a, err);
        *ret = *ret && a.master != 0;
        return status;
    }
    return JB_OK;
}

/* The same again: of an address there has to be one. */
static jb_status
can_be_unchanged(struct jb_judge *r, const struct jb_command_refused *p, const struct jb_wallet *w,
                 bool *ret, struct jb_error *err)
{
    struct jb_wallet_around a = {0};
    if (p->op != JB_OP_INVOICE_EMAIL || w == NULL) {
        return JB_OK;
    }
    jb_status status = jb_around_wallet(r->b, w->number, &a, err);
    *ret = a.email != 0 && w->kind == JB_KIND_BUSINESS;
    return status;
}

jb_status
jb_refused_around_can_be(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet *w,
                         bool *ret, struct jb_error *err)
{
    const struct jb_command_refused *p = &e->command_refused;
    const struct jb_globals *g = &r->b->g;
    *ret = true;
    switch (p->code) {
    case JB_CODE_PERSON_STATE:
        return can_be_person(r, e, w, ret, err);
    case JB_CODE_INVITE_EXPIRED:
        return any_invited(r, w, e->recorded_at, true, p->figures.at[0].value, ret, err);
    case JB_CODE_MASTER_NEEDED:
        return can_be_master(r, p, w, ret, err);
    case JB_CODE_LAST_OPERATOR:
        *ret = p->op == JB_OP_ROLE_TAKE ? g->operators == 1 : g->operators == 0;
        return JB_OK;
    case JB_CODE_CHANNEL_EXISTS:
        *ret = g->channels_given > 0;
        return JB_OK;
    case JB_CODE_CHANNEL_STATE:
        return can_be_channel(r, p, w, ret, err);
    case JB_CODE_CHANNEL_KIND:
        *ret = g->channels_given > 0 &&
               (p->op != JB_OP_CHANNEL_CONNECT || w == NULL || w->kind == JB_KIND_BUSINESS);
        return JB_OK;
    case JB_CODE_SEARCH_ID_INVALID:
        *ret = (jb_policy_at(g, JB_POLICY_SEARCH_ID_MARKS, e->recorded_at) & 3) != 3;
        return JB_OK;
    case JB_CODE_SEARCH_ID_SET:
    case JB_CODE_SEARCH_ID_TAKEN:
        return names_event(r, e, JB_EV_SEARCH_ID_SET, ret, err);
    case JB_CODE_BIZ_NUMBER:
        return can_be_number(r, e, w, ret, err);
    case JB_CODE_BIZ_STATE:
        *ret = the_figure(p) == JB_BIZ_NONE ||
               (the_figure(p) == JB_BIZ_STALE && p->op == JB_OP_BIZ_APPROVE);
        return JB_OK;
    case JB_CODE_SALES_STATE:
        return can_be_sales(r, p, w, ret, err);
    case JB_CODE_WALLET_KIND:
        *ret = w != NULL;
        return JB_OK;
    case JB_CODE_UNCHANGED:
        return can_be_unchanged(r, p, w, ret, err);
    case JB_CODE_EXPECT_MISMATCH: /* the version of a channel; 0: of one that is to be made */
        *ret = the_figure(p) == 0 && p->op == JB_OP_CHANNEL_CREATE;
        return *ret ? JB_OK : names_event(r, e, 0, ret, err);
    default:
        return JB_OK;
    }
}
