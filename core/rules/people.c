/* Roles of the ledger, members and masters of wallets, staff of channels. docs/rules.md section 10.
 */
#include "rules/rules.h"

static void
done(const struct jb_case *k, struct jb_verdict *v)
{
    v->event.type = jb_op_get((uint32_t)k->c->op)->event_type;
}

void
jb_rule_role_give(const struct jb_case *k, struct jb_verdict *v)
{
    if (k->a->person_state == JB_PERSON_HOLDS) {
        jb_refuse_person(k, v);
        return;
    }
    done(k, v);
    v->event.role_given.role = k->c->role;
    v->event.role_given.how = k->a->recovered ? JB_HOW_RECOVERED : JB_HOW_GIVEN;
    v->event.role_given.agency = jb_given_text(k->c, JB_CF_AGENCY, k->c->agency);
}

void
jb_rule_role_take(const struct jb_case *k, struct jb_verdict *v)
{
    if (k->a->person_state != JB_PERSON_HOLDS) {
        jb_refuse_person(k, v);
        return;
    }
    if (k->c->role == JB_ROLE_OPERATOR && k->g->operators <= 1) {
        jb_refuse(v, JB_CODE_LAST_OPERATOR);
        return;
    }
    done(k, v);
    v->event.role_taken.role = k->c->role;
    v->event.role_taken.agency = jb_given_text(k->c, JB_CF_AGENCY, k->c->agency);
}

static bool
has_room(const struct jb_case *k, struct jb_verdict *v)
{
    int64_t most = jb_policy_at(k->g, JB_POLICY_MEMBERS_MAX, k->m->recorded_at);
    if (k->a->people_n < (uint64_t)most) {
        return true;
    }
    jb_refuse_with(v, JB_CODE_MEMBERS_LIMIT, JB_FIG_MEMBERS_MAX, most);
    return false;
}

void
jb_rule_member_invite(const struct jb_case *k, struct jb_verdict *v)
{
    if (k->a->person_state != JB_PERSON_NONE && k->a->person_state != JB_PERSON_LAPSED) {
        jb_refuse_person(k, v);
        return;
    }
    if (!has_room(k, v)) {
        return;
    }
    /* What lies beyond the calendar ends with it. */
    jb_instant until =
        k->m->recorded_at + jb_policy_us_at(k->g, JB_POLICY_INVITE_DAYS, k->m->recorded_at);
    done(k, v);
    v->event.member_invited.until = until < JB_INSTANT_MAX ? until : JB_INSTANT_MAX;
}

void
jb_rule_member_accept(const struct jb_case *k, struct jb_verdict *v)
{
    if (k->a->person_state == JB_PERSON_LAPSED) {
        jb_refuse_with(v, JB_CODE_INVITE_EXPIRED, JB_FIG_UNTIL, k->a->until);
    } else if (k->a->person_state != JB_PERSON_INVITED) {
        jb_refuse_person(k, v);
    } else {
        done(k, v);
    }
}

/* member.leave by the person, member.remove by others: of members and of the invited. */
void
jb_rule_member_end(const struct jb_case *k, struct jb_verdict *v)
{
    bool leave = k->c->op == JB_OP_MEMBER_LEAVE;
    if (k->a->person_state == JB_PERSON_MASTER) {
        jb_refuse(v, JB_CODE_MASTER_NEEDED);
        return;
    }
    if (k->a->person_state != JB_PERSON_MEMBER && k->a->person_state != JB_PERSON_INVITED) {
        jb_refuse_person(k, v);
        return;
    }
    done(k, v);
    v->event.member_left.why = k->a->person_state == JB_PERSON_MEMBER
                                   ? (leave ? JB_LEFT_LEFT : JB_LEFT_REMOVED)
                                   : (leave ? JB_LEFT_DECLINED : JB_LEFT_WITHDRAWN);
}

void
jb_rule_master_transfer(const struct jb_case *k, struct jb_verdict *v)
{
    bool none = jb_has_no_master(k->a);
    if (!none && k->a->person_state != JB_PERSON_MEMBER) {
        jb_refuse_person(k, v);
        return;
    }
    done(k, v);
    v->event.master_transferred.from = none ? 0 : k->a->wallet.master;
}

/* ---- staff of channels ---- */

static void
staffed(const struct jb_case *k, uint32_t role, struct jb_verdict *v)
{
    done(k, v);
    v->event.channel_staffed.role = role;
}

void
jb_rule_manager_add(const struct jb_case *k, struct jb_verdict *v)
{
    if (k->a->person_state != JB_PERSON_NONE) {
        jb_refuse_person(k, v);
    } else if (has_room(k, v)) {
        staffed(k, JB_ROLE_MANAGER, v);
    }
}

void
jb_rule_manager_remove(const struct jb_case *k, struct jb_verdict *v)
{
    if (k->a->person_state == JB_PERSON_CHANNEL_MASTER) {
        jb_refuse(v, JB_CODE_MASTER_NEEDED);
    } else if (k->a->person_state != JB_PERSON_MANAGER) {
        jb_refuse_person(k, v);
    } else {
        staffed(k, JB_ROLE_NONE, v);
    }
}

void
jb_rule_channel_transfer(const struct jb_case *k, struct jb_verdict *v)
{
    if (!k->a->master_lost && k->a->person_state != JB_PERSON_MANAGER) {
        jb_refuse_person(k, v);
    } else {
        staffed(k, JB_ROLE_CHANNEL_MASTER, v);
    }
}
