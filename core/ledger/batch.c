/* What goes into the batch: an event, its envelope, and the references to personal text. */
#include "base/error.h"
#include "base/steps.h"
#include "ledger/execution.h"
#include "event/names.h"

/* W1 to W5 of the event's wallet; of one with many lots now and then, as the audit does. */
static bool
is_sound(struct jb_state *b, const struct jb_event *e)
{
    struct jb_cached_wallet *s;
    if (e->wallet == 0 || e->wallet > b->g.wallets_given ||
        jb_state_wallet(b, e->wallet, &s, NULL) != JB_OK) {
        return true;
    }
    size_t size = s->w.lots.n + s->w.grants.n + s->w.refunds.n;
    return (size > 64 && e->seq % size != 0) || jb_wallet_check(&s->w) == NULL;
}

void
jb_batch_check(const struct jb_ledger *l)
{
    const struct jb_log_batch *b = &l->batch;
    if (b->ends.n == 0) {
        JB_ASSERT(b->bytes.n == 0 && l->state->g.seq == l->state->head.seq);
        return;
    }
    JB_ASSERT(b->first == l->state->head.seq + 1);
    JB_ASSERT(b->first + b->ends.n - 1 == l->state->g.seq);
    JB_ASSERT(b->ends.at[b->ends.n - 1] == b->bytes.n);
}

jb_status
jb_batch_append(struct jb_ledger *l, struct jb_event *e, struct jb_error *err)
{
    struct jb_state *b = l->state;
    jb_batch_check(l);
    jb_steps.made++;
    e->seq = b->g.seq + 1;
    jb_event_set_version(e);
    jb_day today = jb_day_of(e->recorded_at, b->g.utc_offset_s), occurred = today;
    if (e->occurred_at != e->recorded_at) {
        e->flags |= JB_EVF_OCCURRED;
        occurred = jb_day_of(e->occurred_at, b->g.utc_offset_s);
    }
    e->posted_on = jb_posting_day(&b->g, today, occurred);
    if (e->posted_on != today) {
        e->flags |= JB_EVF_POSTED;
    }
    if (l->batch.ends.n == 0) {
        l->batch.first = e->seq;
        l->batch.base = e->recorded_at;
    }
    struct jb_event_context context = {l->batch.base, b->g.utc_offset_s};
    const char *why = jb_vec_reserve(&l->batch.ends, l->batch.ends.n + 1)
                          ? jb_event_encode(e, &context, &l->batch.bytes)
                          : jb_encode_no_memory;
    if (why != NULL) {
        return jb_fail(err, why == jb_encode_no_memory ? JB_E_NOMEM : JB_E_USAGE,
                       "event %llu cannot be written: %s", (unsigned long long)e->seq, jb_tr(why));
    }
    if (JB_CHECKS) {
        size_t begin = l->batch.ends.n > 0 ? l->batch.ends.at[l->batch.ends.n - 1] : 0;
        const uint8_t *bytes = l->batch.bytes.at + begin;
        JB_ASSERT(jb_event_reads_back(e, &context, bytes, l->batch.bytes.n - begin));
    }
    l->batch.ends.at[l->batch.ends.n++] = (uint32_t)l->batch.bytes.n;
    bool sound = JB_CHECKS && is_sound(b, e);
    jb_status status = jb_state_apply(b, e, err);
    JB_ASSERT(status != JB_OK || b->g.seq == e->seq);
    JB_ASSERT(!sound || status != JB_OK || is_sound(b, e));
    return status;
}

static jb_status
refer(struct execution *x, struct jb_text text, bool shared, uint64_t *ret)
{
    *ret = 0;
    return text.s == NULL ? JB_OK : jb_personal_refer(x->l->personal, text, shared, ret, x->err);
}

/* Names are stored as NFC: what macOS types apart is one name with what others type. */
static jb_status
refer_name(struct execution *x, struct jb_text name, uint64_t *ret)
{
    char *owned;
    struct jb_text nfc;
    jb_status status = jb_text_nfc(name, &nfc, &owned);
    status = status == JB_OK ? refer(x, nfc, false, ret)
                             : jb_fail(x->err, status, "no memory for a name");
    free(owned);
    return status;
}

/* The role is the one by which the actor could do it; where none is asked, what he says of himself.
 * A refusal makes no person: of somebody that nobody knows it says nothing. */
static jb_status
refer_actor(struct execution *x, const struct jb_command *actor, struct jb_event *e)
{
    bool refused = e->type == JB_EV_COMMAND_REFUSED;
    const char *carried = x->around != NULL && x->around->carried != JB_ROLE_NONE && !refused
                              ? jb_name_word(&jb_role_names, x->around->carried)
                              : NULL;
    e->role = carried != NULL               ? (struct jb_text){carried, strlen(carried)}
              : actor->actor_role.s != NULL ? actor->actor_role
                                            : (struct jb_text){"", 0};
    jb_status status = refused ? jb_find_person(x, actor->actor_id, &e->actor)
                               : refer(x, actor->actor_id, true, &e->actor);
    if (e->actor != 0) {
        e->flags |= JB_EVF_ACTOR;
    } else {
        e->role = (struct jb_text){NULL, 0};
    }
    return status;
}

/* Key, actor and note: those of the group for its last event, the member's own actor and note for a
 * member. */
jb_status
jb_envelope(struct execution *x, const struct jb_command *c, bool with_key, struct jb_event *e)
{
    jb_status status = JB_OK;
    if (with_key) {
        e->flags |= JB_EVF_KEY;
        e->key = c->key;
        e->caller = x->caller;
        e->fingerprint = x->fingerprint;
    }
    const struct jb_command *actor = jb_actor_of(x, c);
    if (actor != NULL) {
        status = refer_actor(x, actor, e);
    }
    /* The group's note stands once, in its last event, unless that member has one of its own. */
    bool last = x->group != NULL && c == x->last_member;
    const struct jb_command *note = (c->has & JB_HAS(JB_CF_NOTE)) == 0 && last ? x->group : c;
    if (status == JB_OK && (note->has & JB_HAS(JB_CF_NOTE)) != 0) {
        e->flags |= JB_EVF_NOTE;
        status = refer(x, note->note, false, &e->note);
    }
    return status;
}

/* A reason that is a known code is no personal text and stands in the event. */
static jb_status
refer_reason(struct execution *x, uint32_t *ret_reason, uint64_t *ret_text)
{
    const struct jb_text reason = jb_given_text(x->c, JB_CF_REASON, x->c->reason);
    uint32_t code;
    if (reason.s == NULL) {
        return JB_OK;
    }
    if (jb_name_number(&jb_reason_names, reason.s, reason.n, &code) && code > JB_REASON_TEXT) {
        *ret_reason = code;
        return JB_OK;
    }
    *ret_reason = JB_REASON_TEXT;
    return refer(x, reason, false, ret_text);
}

/* A channel's master who makes a wallet is its master. */
static struct jb_text
master_of(const struct execution *x)
{
    const struct jb_command *actor = jb_actor_of(x, x->c);
    bool himself = x->around->carried == JB_ROLE_CHANNEL_MASTER && actor != NULL;
    return himself ? actor->actor_id : jb_given_text(x->c, JB_CF_MASTER, x->c->master);
}

/* Names of businesses are stored as other names are. */
static jb_status
refer_record(struct execution *x, struct jb_biz_requested *e)
{
    jb_status status = refer_name(x, x->c->biz_name, &e->name);
    status = status == JB_OK ? refer_name(x, x->c->representative, &e->representative) : status;
    return status == JB_OK ? refer_name(x, x->c->address, &e->address) : status;
}

/* Personal texts of the event's own fields: only references stand in it. */
jb_status
jb_refer_fields(struct execution *x, struct jb_event *e)
{
    const struct jb_command *c = x->c;
    jb_status status = JB_OK;
    switch ((jb_event_type)e->type) {
    case JB_EV_WALLET_CREATED:
        status = refer_name(x, c->name, &e->wallet_created.name);
        return status == JB_OK ? refer(x, master_of(x), true, &e->wallet_created.master) : status;
    case JB_EV_ROLE_GIVEN:
        return refer(x, c->person, true, &e->role_given.person);
    case JB_EV_ROLE_TAKEN:
        return refer(x, c->person, true, &e->role_taken.person);
    case JB_EV_MEMBER_INVITED:
        return refer(x, c->person, true, &e->member_invited.person);
    case JB_EV_MEMBER_JOINED:
        return refer(x, c->person, true, &e->member_joined.person);
    case JB_EV_MEMBER_LEFT:
        return refer(x, c->person, true, &e->member_left.person);
    case JB_EV_MASTER_TRANSFERRED:
        return refer(x, c->person, true, &e->master_transferred.to);
    case JB_EV_CHANNEL_CREATED:
        return refer(x, c->person, true, &e->channel_created.master);
    case JB_EV_CHANNEL_STAFFED:
        return refer(x, c->person, true, &e->channel_staffed.person);
    case JB_EV_BIZ_REQUESTED:
        return refer_record(x, &e->biz_requested);
    case JB_EV_BIZ_REFUSED:
        return refer(x, jb_given_text(c, JB_CF_REASON, c->reason), false, &e->biz_refused.reason);
    case JB_EV_INVOICE_EMAIL_SET:
        return refer(x, c->email, false, &e->invoice_email_set.email);
    case JB_EV_WALLET_RENAMED:
        return refer_name(x, c->name, &e->wallet_renamed.name);
    case JB_EV_FREE_GRANTED:
        return refer(x, jb_given_text(c, JB_CF_REASON, c->reason), false, &e->free_granted.reason);
    case JB_EV_CHARGE_REVERSED:
        return refer_reason(x, &e->charge_reversed.reason, &e->charge_reversed.reason_text);
    case JB_EV_CONSUMPTION_REVERSED:
        return refer_reason(x, &e->consumption_reversed.reason,
                            &e->consumption_reversed.reason_text);
    case JB_EV_LEDGER_CREATED:
    case JB_EV_POLICY_SET:
    case JB_EV_WALLET_TURNED_OFF:
    case JB_EV_WALLET_TURNED_ON:
    case JB_EV_WALLET_SUSPENDED:
    case JB_EV_SUSPENSION_LIFTED:
    case JB_EV_WALLET_DELETED:
    case JB_EV_CHARGE_SETTLED:
    case JB_EV_DEBT_REPAID:
    case JB_EV_FREE_ACTIVATED:
    case JB_EV_FREE_REVOKED:
    case JB_EV_FREE_EXPIRED:
    case JB_EV_FREE_FORFEITED:
    case JB_EV_CASH_CONSUMED:
    case JB_EV_REFUND_REQUESTED:
    case JB_EV_REFUND_CANCELLED:
    case JB_EV_REFUND_REJECTED:
    case JB_EV_REFUND_APPROVED:
    case JB_EV_REFUND_COMPLETED:
    case JB_EV_REFUND_FAILED:
    case JB_EV_DAY_CLOSED:
    case JB_EV_COMMAND_REFUSED:
    case JB_EV_CHANNEL_CONNECTED:
    case JB_EV_CHANNEL_DISCONNECTED:
    case JB_EV_SEARCH_ID_SET:
    case JB_EV_MAIL_ORDER_SET:
    case JB_EV_CHANNEL_CLOSED:
    case JB_EV_BIZ_APPROVED:
    case JB_EV_SALES_REQUESTED:
    case JB_EV_SALES_ACCEPTED:
    case JB_EV_SALES_REFUSED:
    case JB_EV_SALES_RELEASED:
    case JB_EV_SETTLEMENT_CHANGED:
    case JB_EV_FORGOTTEN:
    case JB_EV_PEOPLE_ENCRYPTED:
    case JB_EV_TYPES:
        break; /* no text of a person */
    }
    return status;
}
