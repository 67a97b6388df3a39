/* Whether the actor of a refused command may have had a role: where roles are asked, they come
 * before `expect`, state, kind and money. Of a member of a group the event names the group's actor,
 * and the member may have had one of its own. docs/rules.md section 9. */
#include "event/names.h"
#include "replay/rules/inner.h"

#define ROLE(role) (1U << JB_ROLE_##role)
#define OF_A_CHANNEL (ROLE(CHANNEL_MASTER) | ROLE(MANAGER))
#define OF_A_WALLET (ROLE(MASTER) | ROLE(MEMBER))

/* What is known of the actor's roles. */
struct roles {
    uint32_t now;         /* those that he has */
    uint32_t unknown_now; /* those of which the event does not say whether he has them */
    uint32_t unknown;     /* likewise for the time of the command, which it may have said */
};

static jb_status
were_ever(struct jb_judge *r, const struct jb_wallet *w, uint64_t actor, uint32_t *ret,
          struct jb_error *err)
{
    struct jb_tenure t;
    struct jb_holding rights;
    jb_status status = jb_around_tenure(r->b, JB_HOLDER_WALLET, w->number, actor, &t, err);
    status = status == JB_OK ? jb_around_holding(r->b, JB_HOLDER_SALES, w->number, &rights, err)
                             : status;
    if (status == JB_OK) {
        *ret |= t.role != 0 || t.past != 0 ? OF_A_WALLET : 0;
        *ret |= rights.n > 0 || rights.past_given > 0 ? ROLE(AGENCY) : 0;
    }
    return status;
}

/* Whether the actor ever was among the people of a channel that the wallet uses, or may have been:
 * of those that it used once it is not asked. */
static jb_status
of_its_channels(struct jb_judge *r, const struct jb_wallet *w, uint64_t actor, bool *ret,
                struct jb_error *err)
{
    struct jb_holding channels;
    struct jb_tenure connected, staff;
    uint64_t channel = 0;
    jb_status status = jb_around_holding(r->b, JB_HOLDER_CHANNELS, w->number, &channels, err);
    *ret = status == JB_OK && channels.past_given > 0;
    while (status == JB_OK && !*ret) {
        status = jb_around_next(r->b, JB_HOLDER_CHANNELS, w->number, &channel, &connected, err);
        if (status != JB_OK || channel == 0) {
            return status;
        }
        status = jb_around_tenure(r->b, JB_HOLDER_STAFF, channel, actor, &staff, err);
        *ret = staff.role != 0 || staff.past != 0;
    }
    return status;
}

static jb_status
look(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet *w, struct roles *ret,
     struct jb_error *err)
{
    const struct jb_op_info *op = jb_op_get(e->command_refused.op);
    const uint64_t members = op->required | op->optional;
    const struct jb_people people = {.actor = e->actor};
    const struct jb_around_time t = {e->recorded_at, e->recorded_at};
    struct jb_person_roles held = {0};
    *ret = (struct roles){0};
    ret->unknown_now = (members & JB_HAS(JB_CF_PERSON)) != 0 ? ROLE(SELF) : 0;
    jb_status status = JB_OK;
    if (e->actor != 0) {
        status = jb_around_roles(r->b, w, 0, NULL, 0, &people, &t, &ret->now, err);
        status = status == JB_OK ? jb_around_person(r->b, e->actor, &held, err) : status;
    }
    bool of_channel = (members & JB_HAS(JB_CF_CHANNEL)) != 0 && e->actor != 0;
    bool uses = op->business_time && of_channel && w != NULL;
    if (status == JB_OK && uses) {
        status = of_its_channels(r, w, e->actor, &of_channel, err);
    }
    ret->unknown_now |= of_channel && held.channels > 0 ? OF_A_CHANNEL : 0;
    ret->unknown_now |=
        e->command_refused.op == JB_OP_SALES_REQUEST && held.roles > 0 ? ROLE(AGENCY) : 0;
    ret->unknown = ret->unknown_now;
    if (op->business_time && e->actor != 0) {
        ret->unknown |= of_channel ? OF_A_CHANNEL : 0;
        status =
            status == JB_OK && w != NULL ? were_ever(r, w, e->actor, &ret->unknown, err) : status;
    }
    return status;
}

/* Whether one who has these roles may, by that row. */
static bool
carries(const struct jb_permission *row, uint32_t roles, uint32_t counted)
{
    return (roles & counted & row->roles & ~row->both) != 0 ||
           ((row->both & counted) != 0 && (roles & row->both) == row->both);
}

/* The roles that the actor's own word lets count. */
static uint32_t
named(const struct jb_event *e)
{
    uint32_t role;
    if (e->role.n == 0) {
        return UINT32_MAX;
    }
    return jb_name_number(&jb_role_names, e->role.s, e->role.n, &role) ? 1U << role & ~1U : 0;
}

/* Which of the op's rows the command may have been of. who: only those that take these roles; 0:
 * any. */
static bool
may_carry(const struct jb_event *e, uint32_t roles, uint32_t who, bool *ret_row)
{
    const struct jb_command_refused *p = &e->command_refused;
    size_t n;
    const struct jb_permission *rows = jb_permissions(1, &n);
    bool on_wallet = p->wallet_no != 0 || p->wallet_id.s != NULL, carried = false;
    *ret_row = false;
    for (size_t i = 0; i < n; i++) {
        bool other = p->op == JB_OP_BIZ_REQUEST && (rows[i].roles == ROLE(MASTER)) != on_wallet;
        if (rows[i].op == p->op && !other && (who == 0 || rows[i].roles == who)) {
            *ret_row = true;
            carried |= carries(&rows[i], roles, named(e));
        }
    }
    return carried;
}

static int64_t
figure(const struct jb_event *e, uint32_t at)
{
    const struct jb_figures *f = &e->command_refused.figures;
    return f->n > at ? f->at[at].value : 0;
}

/* Nobody approves what he asked for; a channel's master makes wallets for himself only: whether it
 * was so the event does not say of a channel, nor of a wallet's master. */
static jb_status
barred(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet *w, uint32_t *ret,
       struct jb_error *err)
{
    struct jb_wallet_around a;
    *ret = e->command_refused.op == JB_OP_WALLET_CREATE ? ROLE(CHANNEL_MASTER) : 0;
    if (e->command_refused.op != JB_OP_BIZ_APPROVE) {
        return JB_OK;
    }
    if (w == NULL) {
        *ret = UINT32_MAX;
        return JB_OK;
    }
    jb_status status = jb_around_wallet(r->b, w->number, &a, err);
    *ret = a.biz.open != 0 && a.biz.open_by != 0 && a.biz.open_by == e->actor ? UINT32_MAX : 0;
    return status;
}

static jb_status
check_role(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet *w,
           const struct roles *roles, struct jb_error *err)
{
    const uint32_t have = (uint32_t)figure(e, 0), have_now = (uint32_t)figure(e, 1),
                   who = (uint32_t)figure(e, 2);
    const bool own_time = jb_op_get(e->command_refused.op)->business_time;
    bool row;
    uint32_t no_use;
    jb_status status = barred(r, e, w, &no_use, err);
    /* Of one whom nobody knew, the role that he named is not kept. */
    bool carried = may_carry(e, have & ~no_use, who, &row) && (e->flags & JB_EVF_ACTOR) != 0;
    if (!row) {
        jb_refute_text(r, e, "stands ROLE with who %u; of a %s the rules say another", who,
                       jb_op_get(e->command_refused.op)->name);
    } else if (e->command_refused.index == 0 &&
               (((have_now ^ roles->now) & ~roles->unknown_now) != 0 ||
                ((have ^ roles->now) & ~roles->unknown) != 0 || (!own_time && have != have_now))) {
        jb_refute_text(r, e, "stands ROLE (have %u, have_now %u); by the log its actor has %u",
                       have, have_now, roles->now);
    } else if (e->command_refused.index == 0 && e->actor != 0 && carried) {
        /* Of one whom nobody knows, the word that he gave himself is not in the event. */
        jb_refute_text(r, e, "stands ROLE for one who had a role that the rules take");
    }
    return status;
}

/* What is looked at before roles are: form, key and clock are no refusals that are remembered. */
static bool
comes_first(uint32_t code)
{
    return code == JB_CODE_AT_IN_FUTURE || code == JB_CODE_AT_NOT_ALLOWED ||
           code == JB_CODE_AT_TOO_OLD || code == JB_CODE_WALLET_UNKNOWN ||
           code == JB_CODE_WALLET_EXISTS || code == JB_CODE_WALLET_DELETED ||
           code == JB_CODE_CHANNEL_UNKNOWN;
}

jb_status
jb_refused_role(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet *w,
                struct jb_error *err)
{
    const struct jb_command_refused *p = &e->command_refused;
    struct roles roles;
    bool row;
    if (r->b->g.matrix == 0 || comes_first(p->code) || p->op == JB_OP_ATOMIC) {
        if (r->b->g.matrix == 0 && p->code == JB_CODE_ROLE) {
            jb_refute_text(r, e, "stands ROLE; by the policies in force then no role was asked");
        }
        return JB_OK;
    }
    jb_status status = look(r, e, w, &roles, err);
    if (status != JB_OK || p->code == JB_CODE_ROLE) {
        return status == JB_OK ? check_role(r, e, w, &roles, err) : status;
    }
    if (p->index == 0 && !may_carry(e, roles.now | roles.unknown, 0, &row)) {
        jb_refute_text(r, e,
                       "stands %s; the rules say ROLE first: its actor had no role that they take "
                       "for a %s",
                       jb_code_word(p->code), jb_op_get(p->op)->name);
    }
    return JB_OK;
}
