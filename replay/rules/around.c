/* What stands around the command that an event answers, and by whom it was: everything that the
 * rules ask beside the money. docs/rules.md sections 10 to 13. */
#include "base/text.h"
#include "event/names.h"
#include "replay/rules/inner.h"

/* Whom the event is about; 0: it names no person. */
static uint64_t
person_of(const struct jb_event *e)
{
    switch (e->type) {
    case JB_EV_ROLE_GIVEN:
        return e->role_given.person;
    case JB_EV_ROLE_TAKEN:
        return e->role_taken.person;
    case JB_EV_MEMBER_INVITED:
        return e->member_invited.person;
    case JB_EV_MEMBER_JOINED:
        return e->member_joined.person;
    case JB_EV_MEMBER_LEFT:
        return e->member_left.person;
    case JB_EV_MASTER_TRANSFERRED:
        return e->master_transferred.to;
    case JB_EV_CHANNEL_CREATED:
        return e->channel_created.master;
    case JB_EV_CHANNEL_STAFFED:
        return e->channel_staffed.person;
    default:
        return 0;
    }
}

/* Nobody did it as somebody: the ledger did it by itself, or who can write its files. */
static bool
has_no_actor(const struct jb_event *e)
{
    return e->type == JB_EV_COMMAND_REFUSED || e->type == JB_EV_FREE_FORFEITED ||
           (e->type == JB_EV_DAY_CLOSED && (e->flags & JB_EVF_ACTOR) == 0) ||
           (e->type == JB_EV_ROLE_GIVEN && e->role_given.how != JB_HOW_GIVEN);
}

/* Whether a master's name still opens hangs on people.mdb: where he was passed over it is taken for
 * granted, and counted. */
static void
pass_over_master(struct jb_judge *r, const struct jb_event *e, const struct jb_command *c)
{
    struct jb_around *a = &r->around;
    bool acts = a->carried == JB_ROLE_MASTER || (e->actor != 0 && e->actor == a->wallet.master);
    a->master_lost =
        (e->type == JB_EV_MASTER_TRANSFERRED && e->master_transferred.from == 0 &&
         a->wallet.master != 0 && !acts) ||
        (c->op == JB_OP_CHANNEL_TRANSFER && a->carried == JB_ROLE_OPERATOR &&
         (a->channel.kind != JB_CHANNEL_BUSINESS || a->person_state != JB_PERSON_MANAGER));
    r->n.masters_lost += a->master_lost;
}

jb_status
jb_judge_around(struct jb_judge *r, const struct jb_wallet *w, const struct jb_event *e,
                const struct jb_command *c, struct jb_error *err)
{
    const bool nobody = has_no_actor(e);
    const struct jb_people people = {
        .actor = nobody ? 0 : e->actor,
        .person = person_of(e),
        .self = !nobody && e->actor != 0 && person_of(e) == e->actor,
        .for_himself = e->type == JB_EV_WALLET_CREATED && e->actor != 0 &&
                       e->wallet_created.master == e->actor,
        .role = e->role,
    };
    const struct jb_permit permit = nobody ? (struct jb_permit){0, 0} : jb_permit_of(c);
    const struct jb_around_time t = {
        e->occurred_at < e->recorded_at ? e->occurred_at : e->recorded_at, e->recorded_at};
    memset(&r->around, 0, sizeof r->around);
    r->around.recovered = e->type == JB_EV_ROLE_GIVEN && e->role_given.how == JB_HOW_RECOVERED;
    jb_status status = jb_around_look(r->b, w, c, &people, permit, &t, &r->around, err);
    if (status == JB_OK) {
        pass_over_master(r, e, c);
    }
    return status;
}

void
jb_judge_role(struct jb_judge *r, const struct jb_event *e)
{
    const struct jb_around *a = &r->around;
    if (!a->enforced || a->permit.roles == 0 || r->v.code != JB_CODE_NONE) {
        return;
    }
    const char *word = jb_name_word(&jb_role_names, a->carried);
    if (!jb_text_equal(e->role, (struct jb_text){word, strlen(word)})) {
        jb_refute_text(r, e, "stands role %.*s; the rules say %s", (int)e->role.n,
                       e->role.n > 0 ? e->role.s : "", word);
    }
}

/* ---- the channel that the event belongs to, or names ---- */

static bool
may_mention(const struct jb_event *e)
{
    return e->type == JB_EV_CHARGE_SETTLED || e->type == JB_EV_CASH_CONSUMED ||
           e->type == JB_EV_WALLET_CREATED;
}

static bool
is_of_channel(const struct jb_event *e)
{
    switch (e->type) {
    case JB_EV_CHANNEL_CREATED:
    case JB_EV_CHANNEL_STAFFED:
    case JB_EV_CHANNEL_CONNECTED:
    case JB_EV_CHANNEL_DISCONNECTED:
    case JB_EV_SEARCH_ID_SET:
    case JB_EV_MAIL_ORDER_SET:
    case JB_EV_CHANNEL_CLOSED:
        return true;
    case JB_EV_BIZ_REQUESTED:
    case JB_EV_BIZ_APPROVED:
    case JB_EV_BIZ_REFUSED:
        return e->wallet == 0;
    default:
        return false;
    }
}

void
jb_check_channel(struct jb_judge *r, const struct jb_event *e)
{
    bool subject = (e->flags & JB_EVF_SUBJECT) != 0, mention = (e->flags & JB_EVF_CHANNEL) != 0;
    if (subject != is_of_channel(e) || (subject && e->subject_kind != JB_SUBJECT_CHANNEL)) {
        jb_refute_text(r, e,
                       subject ? "it belongs to a subject; no rule gives one of that kind to an "
                                 "event of its type"
                               : "it belongs to no channel; the rules give it one");
    }
    if (mention && !may_mention(e)) {
        jb_refute_text(r, e, "it names a channel; no rule lets an event of its type name one");
    }
}

/* By its number; the id is kept until the next call. */
bool
jb_channel_of(struct jb_judge *r, const struct jb_event *e, struct jb_command *c)
{
    struct jb_channel channel;
    struct jb_text id;
    struct jb_error none;
    uint64_t number = (e->flags & JB_EVF_SUBJECT) != 0   ? e->subject
                      : (e->flags & JB_EVF_CHANNEL) != 0 ? e->channel
                                                         : 0;
    if (number == 0 || e->type == JB_EV_CHANNEL_CREATED) {
        return true;
    }
    if (number > UINT32_MAX || jb_around_channel(r->b, number, &channel, &id, &none) != JB_OK ||
        id.n == 0) {
        jb_refute_text(r, e, "it names channel number %llu, which there is not",
                       (unsigned long long)number);
        return false;
    }
    memcpy(r->channel_id, id.s, id.n);
    c->channel = (struct jb_text){r->channel_id, id.n};
    c->has |= JB_HAS(JB_CF_CHANNEL);
    return true;
}
