/*
 * The fold. An event is a fact: nothing here asks whether it would be allowed today. What it asks
 * is whether the event fits the facts before it; if not, the log contradicts itself.
 */
#include <jangbu/command.h>

#include "base/error.h"
#include "event/codec.h"
#include "wallet/totals.h"

#define CONTRADICTION(condition, sentence)                                                         \
    do {                                                                                           \
        if (condition) {                                                                           \
            return sentence;                                                                       \
        }                                                                                          \
    } while (0)

const char jb_apply_no_memory[] = "no memory";

/* Adds to a sum that no honest log takes beyond JB_BALANCE_MAX. Both are within it. */
static bool
add(jb_amount *to, jb_amount a)
{
    jb_amount sum = *to + a;
    if (sum > JB_BALANCE_MAX || sum < -JB_BALANCE_MAX) {
        return false;
    }
    *to = sum;
    return true;
}

static const char out_of_range[] = "a sum goes beyond what a balance can be";

static const char *
take_from_lot(struct jb_wallet *w, const struct jb_part *p)
{
    struct jb_lot *l = jb_wallet_lot(w, p->ordinal);
    CONTRADICTION(l == NULL || l->remaining < p->amount,
                  "more is taken from a lot than it has left");
    l->remaining -= p->amount;
    while (w->first_lot < w->lots.n && w->lots.at[w->first_lot].remaining == 0) {
        w->first_lot++;
    }
    return NULL;
}

static const char *
give_to_lot(struct jb_wallet *w, const struct jb_part *p)
{
    struct jb_lot *l = jb_wallet_lot(w, p->ordinal);
    CONTRADICTION(l == NULL || jb_lot_room(l) < p->amount,
                  "more comes back to a lot than it has room for");
    l->remaining += p->amount;
    size_t at = (size_t)(l - w->lots.at);
    if (at < w->first_lot) {
        w->first_lot = (uint32_t)at;
    }
    return NULL;
}

/* Money going out: from grants, lots and into debt. *ret_paid is what paid cash gave, debt
 * included. */
static const char *
take_parts(struct jb_wallet *w, struct jb_parts parts, jb_amount amount, jb_amount *ret_paid)
{
    jb_amount sum = 0, lots = 0, debt = 0;
    for (uint32_t i = 0; i < parts.n; i++) {
        const struct jb_part *p = &parts.at[i];
        const char *why = NULL;
        CONTRADICTION(!add(&sum, p->amount), out_of_range);
        if (p->kind == JB_PART_LOT) {
            why = take_from_lot(w, p);
            lots += p->amount;
        } else if (p->kind == JB_PART_DEBT) {
            debt += p->amount;
        } else {
            struct jb_grant *g = jb_wallet_grant(w, p->ordinal);
            CONTRADICTION(g == NULL || g->state != JB_GRANT_IN_USE || g->remaining < p->amount,
                          "more is taken from a grant than it has in use");
            g->remaining -= p->amount;
            w->free -= p->amount;
        }
        if (why != NULL) {
            return why;
        }
    }
    CONTRADICTION(sum != amount, "the parts of an event do not add up to its amount");
    CONTRADICTION(debt > 0 && w->paid - lots > 0, "debt is made while a lot still has money");
    *ret_paid = lots + debt;
    return NULL;
}

/* Money coming back. *ret_paid is what paid cash gets, filled debt included. */
static const char *
give_parts(struct jb_wallet *w, struct jb_parts parts, jb_amount amount, jb_instant recorded_at,
           jb_amount *ret_paid)
{
    jb_amount sum = 0, lots = 0, debt = 0;
    for (uint32_t i = 0; i < parts.n; i++) {
        const struct jb_part *p = &parts.at[i];
        struct jb_grant *g = NULL;
        const char *why = NULL;
        CONTRADICTION(!add(&sum, p->amount), out_of_range);
        switch ((enum jb_part_kind)p->kind) {
        case JB_PART_DEBT:
            debt += p->amount;
            break;
        case JB_PART_LOT:
            why = give_to_lot(w, p);
            lots += p->amount;
            break;
        case JB_PART_GRANT:
            g = jb_wallet_grant(w, p->ordinal);
            CONTRADICTION(g == NULL || g->state != JB_GRANT_IN_USE ||
                              g->amount - g->remaining < p->amount,
                          "more comes back to a grant than it gave");
            g->remaining += p->amount;
            g->returned_at = recorded_at;
            CONTRADICTION(!add(&w->free, p->amount), out_of_range);
            break;
        case JB_PART_LAPSED:
            CONTRADICTION(jb_wallet_grant(w, p->ordinal) == NULL,
                          "money comes back to a grant that does not exist");
            break;
        }
        if (why != NULL) {
            return why;
        }
    }
    CONTRADICTION(sum != amount, "the parts of an event do not add up to its amount");
    CONTRADICTION(debt > (w->paid < 0 ? -w->paid : 0), "more debt is filled than is open");
    CONTRADICTION(lots > 0 && w->paid + debt < 0, "a lot is filled while a debt is open");
    *ret_paid = lots + debt;
    return NULL;
}

static const char *
set_status(struct jb_wallet *w, const struct jb_event *e, uint32_t status)
{
    struct jb_interval interval = {
        .ordinal = w->intervals_given + 1, .status = status, .from = e->recorded_at, .seq = e->seq};
    if (!jb_wallet_add_interval(w, &interval)) {
        return jb_apply_no_memory;
    }
    w->intervals_given++;
    w->status = (uint8_t)status;
    return NULL;
}

static const char *
apply_created(struct jb_globals *g, struct jb_wallet *w, const struct jb_event *e)
{
    const struct jb_wallet_created *created = &e->wallet_created;
    CONTRADICTION(e->wallet != g->wallets_given + 1 || e->prev != 0,
                  "a new wallet has a number out of order");
    CONTRADICTION(created->id.n < 1 || created->id.n > JB_ID_BYTES_MAX,
                  "a wallet's id has a wrong length");
    g->wallets_given++;
    w->number = e->wallet;
    w->kind = (uint8_t)created->kind;
    w->created_seq = e->seq;
    w->settlement = JB_SETTLEMENT_PREPAID;
    w->name_ref = created->name;
    w->under = JB_WALLET_ACTIVE;
    if (!jb_wallet_set_id(w, created->id)) {
        return jb_apply_no_memory;
    }
    return set_status(w, e, JB_WALLET_ACTIVE);
}

static const char *
apply_status(struct jb_globals *g, struct jb_wallet *w, const struct jb_event *e)
{
    switch (e->type) {
    case JB_EV_WALLET_TURNED_OFF:
        CONTRADICTION(w->status != JB_WALLET_ACTIVE, "a wallet is turned off that is not active");
        return set_status(w, e, JB_WALLET_OFF);
    case JB_EV_WALLET_TURNED_ON:
        CONTRADICTION(w->status != JB_WALLET_OFF, "a wallet is turned on that is not off");
        return set_status(w, e, JB_WALLET_ACTIVE);
    case JB_EV_WALLET_SUSPENDED:
        CONTRADICTION(w->status != JB_WALLET_ACTIVE && w->status != JB_WALLET_OFF,
                      "a wallet is suspended that is neither active nor off");
        w->under = w->status;
        return set_status(w, e, JB_WALLET_SUSPENDED);
    case JB_EV_SUSPENSION_LIFTED:
        CONTRADICTION(w->status != JB_WALLET_SUSPENDED, "a suspension is lifted that is not there");
        return set_status(w, e, w->under);
    default:
        CONTRADICTION(
            w->status != JB_WALLET_OFF || w->paid != 0 || w->free != 0 ||
                jb_rest(w)->dormant != 0 || jb_rest(w)->refunds_open != 0,
            "a wallet is deleted that still has money or an outstanding refund, or is not off");
        g->wallets_deleted++;
        return set_status(w, e, JB_WALLET_DELETED);
    }
}

static const char *
add_lot(struct jb_wallet *w, jb_seq seq, uint32_t ordinal, jb_amount amount, jb_amount to_debt)
{
    jb_amount debt = w->paid < 0 ? -w->paid : 0;
    CONTRADICTION(ordinal != w->lots_given + 1, "a lot's ordinal is out of order");
    CONTRADICTION(to_debt != (amount < debt ? amount : debt),
                  "a charge does not fill the debt that is open");
    struct jb_lot lot = {
        .ordinal = ordinal, .seq = seq, .amount = amount, .remaining = amount - to_debt};
    if (jb_wallet_add_lot(w, &lot) == NULL) {
        return jb_apply_no_memory;
    }
    w->lots_given++;
    CONTRADICTION(!add(&w->paid, amount), out_of_range);
    return NULL;
}

static const char *
apply_charge_reversed(struct jb_wallet *w, const struct jb_charge_reversed *e)
{
    struct jb_lot *l = jb_wallet_lot(w, e->lot);
    CONTRADICTION(l == NULL || l->amount - l->reversed - l->refunded < e->amount,
                  "more of a charge is reversed than is left of it");
    jb_amount paid;
    const char *why = take_parts(w, e->parts, e->amount, &paid);
    if (why == NULL) {
        CONTRADICTION(paid != e->amount, "free cash pays for a reversed charge");
        l->reversed += e->amount;
        CONTRADICTION(jb_lot_room(l) < 0,
                      "a reversed charge leaves more in its lot than the lot may hold");
        CONTRADICTION(!add(&w->paid, -paid), out_of_range);
    }
    return why;
}

static const char *
add_grant(struct jb_wallet *w, jb_seq seq, const struct jb_free_granted *e)
{
    CONTRADICTION(e->grant_no != jb_rest(w)->grants_given + 1, "a grant's ordinal is out of order");
    struct jb_grant grant = {.ordinal = e->grant_no,
                             .state = JB_GRANT_DORMANT,
                             .expires_on = e->expires_on,
                             .seq = seq,
                             .amount = e->amount,
                             .remaining = e->amount,
                             .activated_at = JB_NO_INSTANT,
                             .returned_at = JB_NO_INSTANT};
    if (jb_wallet_add_grant(w, &grant) == NULL) {
        return jb_apply_no_memory;
    }
    w->rest->grants_given++;
    CONTRADICTION(!add(&w->rest->dormant, e->amount), out_of_range);
    return NULL;
}

/* The grant that an event changes, which names all that is left of it. */
static const char *
find_grant(struct jb_wallet *w, uint32_t grant_no, jb_amount amount, struct jb_grant **ret)
{
    struct jb_grant *g = jb_wallet_grant(w, grant_no);
    CONTRADICTION(g == NULL || g->remaining != amount,
                  "an event about a grant does not name what is left of it");
    CONTRADICTION(g->state != JB_GRANT_IN_USE && g->state != JB_GRANT_DORMANT,
                  "an event about a grant comes after the grant's end");
    *ret = g;
    return NULL;
}

static const char *
activate_grant(struct jb_wallet *w, const struct jb_event *e)
{
    jb_amount amount = e->free_activated.amount;
    struct jb_grant *g;
    const char *why = find_grant(w, e->free_activated.grant_no, amount, &g);
    CONTRADICTION(why != NULL, why);
    CONTRADICTION(g->state == JB_GRANT_IN_USE, "a grant is activated or revoked that is in use");
    g->state = JB_GRANT_IN_USE;
    g->activated_seq = e->seq;
    g->activated_at = e->recorded_at;
    w->rest->dormant -= amount;
    CONTRADICTION(!add(&w->free, amount), out_of_range);
    return NULL;
}

static const char *
revoke_grant(struct jb_wallet *w, const struct jb_free_revoked *e)
{
    struct jb_grant *g;
    const char *why = find_grant(w, e->grant_no, e->amount, &g);
    CONTRADICTION(why != NULL, why);
    CONTRADICTION(g->state == JB_GRANT_IN_USE, "a grant is activated or revoked that is in use");
    g->state = JB_GRANT_REVOKED;
    g->remaining = 0;
    w->rest->dormant -= e->amount;
    return NULL;
}

static const char *
end_grant(struct jb_wallet *w, uint32_t grant_no, jb_amount amount, bool in_use,
          jb_grant_state state)
{
    struct jb_grant *g;
    const char *why = find_grant(w, grant_no, amount, &g);
    CONTRADICTION(why != NULL, why);
    CONTRADICTION(in_use != (g->state == JB_GRANT_IN_USE),
                  "an ended grant was in use when the event says it was not, or the reverse");
    *(in_use ? &w->free : &w->rest->dormant) -= amount;
    g->state = state;
    g->remaining = 0;
    return NULL;
}

static const char *
apply_grant(struct jb_wallet *w, const struct jb_event *e)
{
    switch (e->type) {
    case JB_EV_FREE_GRANTED:
        return add_grant(w, e->seq, &e->free_granted);
    case JB_EV_FREE_ACTIVATED:
        return activate_grant(w, e);
    case JB_EV_FREE_REVOKED:
        return revoke_grant(w, &e->free_revoked);
    case JB_EV_FREE_EXPIRED:
        return end_grant(w, e->free_expired.grant_no, e->free_expired.amount,
                         e->free_expired.in_use, JB_GRANT_EXPIRED);
    default:
        return end_grant(w, e->free_forfeited.grant_no, e->free_forfeited.amount,
                         e->free_forfeited.in_use, JB_GRANT_FORFEITED);
    }
}

static const char *
apply_consumption(struct jb_globals *g, struct jb_wallet *w, const struct jb_cash_consumed *e)
{
    jb_amount paid;
    const char *why = take_parts(w, e->parts, e->amount, &paid);
    CONTRADICTION(why == NULL && !add(&w->paid, -paid), out_of_range);
    g->consumed = 1;
    return why;
}

/* Money that came back, of a consumption or a refund. */
static const char *
apply_return(struct jb_wallet *w, struct jb_parts parts, jb_amount amount, jb_instant recorded_at)
{
    jb_amount paid;
    const char *why = give_parts(w, parts, amount, recorded_at, &paid);
    CONTRADICTION(why == NULL && !add(&w->paid, paid), out_of_range);
    return why;
}

static const char *
end_refund(struct jb_wallet *w, struct jb_refund *r, uint32_t state)
{
    free(r->legs);
    r->legs = NULL;
    r->legs_n = 0;
    r->state = state;
    w->rest->refunds_open--;
    return NULL;
}

static const char *
request_refund(struct jb_wallet *w, jb_seq seq, const struct jb_refund_requested *e)
{
    CONTRADICTION(e->refund_no != jb_rest(w)->refunds_given + 1,
                  "a refund's ordinal is out of order");
    struct jb_refund refund = {
        .ordinal = e->refund_no, .state = JB_REFUND_REQUESTED, .seq = seq, .amount = e->amount};
    if (jb_wallet_add_refund(w, &refund) == NULL) {
        return jb_apply_no_memory;
    }
    w->rest->refunds_given++;
    w->rest->refunds_open++;
    CONTRADICTION(!add(&w->rest->pending, e->amount), out_of_range);
    return NULL;
}

static const char *
approve_refund(struct jb_wallet *w, struct jb_refund *r, const struct jb_refund_approved *e)
{
    CONTRADICTION(e->parts.n == 0, "a refund is approved that no lot pays for");
    struct jb_part *legs = malloc(e->parts.n * sizeof *legs);
    if (legs == NULL) {
        return jb_apply_no_memory;
    }
    memcpy(legs, e->parts.at, e->parts.n * sizeof *legs);
    r->legs = legs;
    r->legs_n = e->parts.n;
    r->state = JB_REFUND_APPROVED;
    jb_amount paid;
    const char *why = take_parts(w, e->parts, e->amount, &paid);
    for (uint32_t i = 0; i < e->parts.n && why == NULL; i++) {
        CONTRADICTION(legs[i].kind != JB_PART_LOT,
                      "a refund is paid out of something else than lots");
        jb_wallet_lot(w, legs[i].ordinal)->refunded += legs[i].amount;
    }
    CONTRADICTION(why == NULL && (!add(&w->paid, -e->amount) || !add(&w->rest->transit, e->amount)),
                  out_of_range);
    w->rest->pending -= e->amount; /* it was requested, so it is in there */
    return why;
}

/* The money is back: first the lots count as not refunded, then the credit fills debt and lots as
 * the event says. */
static const char *
return_refund(struct jb_wallet *w, struct jb_refund *r, const struct jb_event *e)
{
    for (uint32_t i = 0; i < r->legs_n; i++) {
        struct jb_lot *l = jb_wallet_lot(w, r->legs[i].ordinal);
        CONTRADICTION(l == NULL || l->refunded < r->legs[i].amount,
                      "a refund failed that its lots do not know");
        l->refunded -= r->legs[i].amount;
    }
    const char *why =
        apply_return(w, e->refund_failed.parts, e->refund_failed.amount, e->recorded_at);
    w->rest->transit -= e->refund_failed.amount;
    return why != NULL ? why : end_refund(w, r, JB_REFUND_FAILED);
}

static const char *
apply_refund(struct jb_wallet *w, const struct jb_event *e)
{
    jb_amount amount = jb_event_amount(e);
    struct jb_refund *r = jb_wallet_refund(w, jb_event_ordinal(e));
    CONTRADICTION(r == NULL || r->amount != amount,
                  "an event about a refund does not name its amount");
    bool came_back = e->type == JB_EV_REFUND_FAILED && e->refund_failed.parts.n > 0;
    CONTRADICTION(e->type == JB_EV_REFUND_FAILED &&
                      (e->refund_failed.why == JB_FAILURE_AFTER_APPROVAL) != came_back,
                  "a failed refund that was approved has nothing that came back, or the reverse");
    bool after_approval = e->type == JB_EV_REFUND_COMPLETED || came_back;
    CONTRADICTION(
        r->state != (after_approval ? (uint32_t)JB_REFUND_APPROVED : (uint32_t)JB_REFUND_REQUESTED),
        "an event about a refund does not fit its state");
    switch (e->type) {
    case JB_EV_REFUND_APPROVED:
        return approve_refund(w, r, &e->refund_approved);
    case JB_EV_REFUND_COMPLETED:
        w->rest->transit -= amount;
        return end_refund(w, r, JB_REFUND_COMPLETED);
    case JB_EV_REFUND_FAILED:
        if (came_back) {
            return return_refund(w, r, e);
        }
        w->rest->pending -= amount;
        return end_refund(w, r, JB_REFUND_FAILED);
    default:
        w->rest->pending -= amount;
        return end_refund(
            w, r, e->type == JB_EV_REFUND_CANCELLED ? JB_REFUND_CANCELLED : JB_REFUND_REJECTED);
    }
}

static const char *
change_settlement(struct jb_wallet *w, const struct jb_settlement_changed *e)
{
    if (e->limit != jb_rest(w)->limit) {
        struct jb_wallet_rest *r = jb_wallet_rest(w);
        if (r == NULL) {
            return jb_apply_no_memory;
        }
        r->limit = e->limit;
    }
    w->settlement = (uint8_t)e->settlement;
    return NULL;
}

static const char *
apply_to_wallet(struct jb_globals *g, struct jb_wallet *w, const struct jb_event *e)
{
    switch ((jb_event_type)e->type) {
    case JB_EV_WALLET_CREATED:
        return apply_created(g, w, e);
    case JB_EV_WALLET_RENAMED:
        w->name_ref = e->wallet_renamed.name;
        return NULL;
    case JB_EV_WALLET_TURNED_OFF:
    case JB_EV_WALLET_TURNED_ON:
    case JB_EV_WALLET_SUSPENDED:
    case JB_EV_SUSPENSION_LIFTED:
    case JB_EV_WALLET_DELETED:
        return apply_status(g, w, e);
    case JB_EV_CHARGE_SETTLED:
        return add_lot(w, e->seq, e->charge_settled.lot, e->charge_settled.amount,
                       e->charge_settled.applied_to_debt);
    case JB_EV_DEBT_REPAID:
        return add_lot(w, e->seq, e->debt_repaid.lot, e->debt_repaid.amount, e->debt_repaid.amount);
    case JB_EV_CHARGE_REVERSED:
        return apply_charge_reversed(w, &e->charge_reversed);
    case JB_EV_FREE_GRANTED:
    case JB_EV_FREE_ACTIVATED:
    case JB_EV_FREE_REVOKED:
    case JB_EV_FREE_EXPIRED:
    case JB_EV_FREE_FORFEITED:
        return apply_grant(w, e);
    case JB_EV_CASH_CONSUMED:
        return apply_consumption(g, w, &e->cash_consumed);
    case JB_EV_CONSUMPTION_REVERSED:
        return apply_return(w, e->consumption_reversed.parts, e->consumption_reversed.amount,
                            e->recorded_at);
    case JB_EV_REFUND_REQUESTED:
        return request_refund(w, e->seq, &e->refund_requested);
    case JB_EV_REFUND_CANCELLED:
    case JB_EV_REFUND_REJECTED:
    case JB_EV_REFUND_APPROVED:
    case JB_EV_REFUND_COMPLETED:
    case JB_EV_REFUND_FAILED:
        return apply_refund(w, e);
    case JB_EV_SETTLEMENT_CHANGED:
        return change_settlement(w, &e->settlement_changed);
    case JB_EV_MEMBER_INVITED:
    case JB_EV_MEMBER_JOINED:
    case JB_EV_MEMBER_LEFT:
    case JB_EV_MASTER_TRANSFERRED:
    case JB_EV_CHANNEL_CONNECTED:
    case JB_EV_CHANNEL_DISCONNECTED:
    case JB_EV_BIZ_REQUESTED:
    case JB_EV_BIZ_APPROVED:
    case JB_EV_BIZ_REFUSED:
    case JB_EV_INVOICE_EMAIL_SET:
    case JB_EV_SALES_REQUESTED:
    case JB_EV_SALES_ACCEPTED:
    case JB_EV_SALES_REFUSED:
    case JB_EV_SALES_RELEASED:
    case JB_EV_NOTICE_SENT:
    case JB_EV_INVOICE_ISSUED:
    case JB_EV_INVOICE_CONFIRMED:
    case JB_EV_INVOICE_FAILED:
    case JB_EV_INVOICE_MAILED:
        return NULL; /* nothing of the wallet itself: state/around.c, state/papers.c */
    case JB_EV_LEDGER_CREATED:
    case JB_EV_POLICY_SET:
    case JB_EV_DAY_CLOSED:
    case JB_EV_COMMAND_REFUSED:
    case JB_EV_ROLE_GIVEN:
    case JB_EV_ROLE_TAKEN:
    case JB_EV_CHANNEL_CREATED:
    case JB_EV_CHANNEL_STAFFED:
    case JB_EV_SEARCH_ID_SET:
    case JB_EV_MAIL_ORDER_SET:
    case JB_EV_CHANNEL_CLOSED:
    case JB_EV_FORGOTTEN:
    case JB_EV_PEOPLE_ENCRYPTED:
    case JB_EV_TYPES:
        break;
    }
    return jb_event_type_get(e->type) != NULL ? "an event of the ledger names a wallet" : NULL;
}

static bool
is_ledger_event(const struct jb_event *e)
{
    switch (e->type) {
    case JB_EV_LEDGER_CREATED:
    case JB_EV_POLICY_SET:
    case JB_EV_DAY_CLOSED:
    case JB_EV_COMMAND_REFUSED:
    case JB_EV_ROLE_GIVEN:
    case JB_EV_ROLE_TAKEN:
    case JB_EV_CHANNEL_CREATED:
    case JB_EV_CHANNEL_STAFFED:
    case JB_EV_SEARCH_ID_SET:
    case JB_EV_MAIL_ORDER_SET:
    case JB_EV_CHANNEL_CLOSED:
    case JB_EV_FORGOTTEN:
    case JB_EV_PEOPLE_ENCRYPTED:
        return true;
    case JB_EV_BIZ_REQUESTED:
    case JB_EV_BIZ_APPROVED:
    case JB_EV_BIZ_REFUSED:
        return e->wallet == 0; /* of a channel */
    default:
        return jb_event_type_get(e->type) == NULL;
    }
}

/* What goes on when the wallet is over. */
static bool
is_of_papers(uint32_t type)
{
    return type >= JB_EV_INVOICE_ISSUED && type <= JB_EV_INVOICE_MAILED;
}

/* Time runs forward, and posted_on is what the rule of posting days gives (docs/rules.md section
 * 1). */
static const char *
apply_time(struct jb_globals *g, const struct jb_event *e)
{
    if (e->flags & JB_EVF_UNRECORDED) {
        CONTRADICTION(g->recorded_at != JB_NO_INSTANT,
                      "an event without a time comes after one that has a time");
        return NULL;
    }
    CONTRADICTION(e->recorded_at < g->recorded_at, "recorded_at goes backwards");
    g->recorded_at = e->recorded_at;
    jb_day today = jb_day_of(e->recorded_at, g->utc_offset_s);
    if (g->first_open_day == JB_NO_DAY) {
        g->first_open_day = today;
    }
    jb_day occurred =
        e->occurred_at == e->recorded_at ? today : jb_day_of(e->occurred_at, g->utc_offset_s);
    jb_day earliest = occurred > g->first_open_day ? occurred : g->first_open_day;
    CONTRADICTION(e->posted_on != (today < earliest ? today : earliest),
                  "an event is posted to a day that the rule of posting days does not give");
    return jb_totals_post(g, e) ? NULL : jb_apply_no_memory;
}

const char *
jb_apply(struct jb_globals *g, struct jb_wallet *w, const struct jb_event *e)
{
    CONTRADICTION(e->seq != g->seq + 1, "sequence numbers have a gap");
    CONTRADICTION(is_ledger_event(e) ? jb_event_type_get(e->type) != NULL && e->wallet != 0
                                     : w == NULL,
                  "an event names a wallet that does not exist");
    CONTRADICTION(w != NULL && (e->flags & JB_EVF_UNRECORDED) != 0,
                  "an event of a wallet has no time");
    const char *why = apply_time(g, e);
    if (why == NULL && w != NULL) {
        CONTRADICTION(e->prev != w->version, "an event does not name its wallet's event before it");
        CONTRADICTION(w->status == JB_WALLET_DELETED && !is_of_papers(e->type),
                      "an event names a deleted wallet");
        why = apply_to_wallet(g, w, e);
        w->version = e->seq;
    } else if (why == NULL && e->type == JB_EV_DAY_CLOSED) {
        CONTRADICTION(e->day_closed.day != g->first_open_day ||
                          e->day_closed.day >= jb_day_of(e->recorded_at, g->utc_offset_s),
                      "a day is closed out of order or before it is over");
        why = jb_totals_close(g, e);
    } else if (why == NULL && e->type == JB_EV_POLICY_SET) {
        if (!jb_vec_reserve(&g->policies, g->policies.n + 1)) {
            return jb_apply_no_memory;
        }
        g->policies.at[g->policies.n++] = (struct jb_policy_setting){
            e->policy_set.policy, e->policy_set.value, e->policy_set.from, e->seq};
        if (e->policy_set.policy == JB_POLICY_ROLES) {
            g->matrix = (uint32_t)e->policy_set.value; /* it takes no `from` */
        } else if (e->policy_set.policy == JB_POLICY_INVOICE_FROM) {
            g->invoice_from = (uint32_t)e->policy_set.value; /* nor does this */
        }
    } else if (why == NULL && e->type == JB_EV_COMMAND_REFUSED) {
        CONTRADICTION(e->command_refused.wallet_no > g->wallets_given,
                      "a refused command names a wallet that does not exist");
    } else if (why == NULL && e->type == JB_EV_FORGOTTEN) {
        CONTRADICTION(e->forgotten.wallet_no > g->wallets_given,
                      "a wallet is forgotten that does not exist");
        g->forgotten = e->seq;
    } else if (why == NULL && e->type == JB_EV_PEOPLE_ENCRYPTED) {
        g->people_layout = e->people_encrypted.layout;
        g->people_sealed = e->seq;
    } else if (why == NULL && e->type == JB_EV_LEDGER_CREATED) {
        CONTRADICTION(e->seq != 1, "a ledger is created twice");
        g->totals_n = JB_TOTALS_1;
        g->utc_offset_s = (int32_t)e->ledger_created.utc_offset_s;
    }
    if (e->flags & JB_EVF_KEY) {
        g->keys++;
    }
    uint64_t ref = jb_event_highest_ref(e);
    g->last_ref = ref > g->last_ref ? ref : g->last_ref;
    g->seq = e->seq;
    return why;
}

/* ---- the usual consumption ---- */

/* Of its amount, under all that jb_apply looks at. */
static bool
is_plain(const struct jb_globals *g, const struct jb_wallet *w, const struct jb_event *e)
{
    const struct jb_cash_consumed *c = &e->cash_consumed;
    if (e->type != JB_EV_CASH_CONSUMED || e->flags != 0 || c->parts.n != 1 || c->amount <= 0 ||
        w->first_lot >= w->lots.n || g->open.n == 0) {
        return false;
    }
    const struct jb_part *p = c->parts.at;
    const struct jb_lot *l = &w->lots.at[w->first_lot];
    const struct jb_open_day *d = &g->open.at[g->open.n - 1];
    const int64_t since = e->recorded_at - jb_day_start(d->day, g->utc_offset_s);
    return p->kind == JB_PART_LOT && p->ordinal == l->ordinal && p->amount == c->amount &&
           c->amount <= l->remaining && c->amount <= w->paid && w->status != JB_WALLET_DELETED &&
           e->prev == w->version && e->seq == g->seq + 1 && e->recorded_at >= g->recorded_at &&
           e->occurred_at == e->recorded_at && e->posted_on == d->day &&
           d->day >= g->first_open_day && since >= 0 && since < JB_US_PER_DAY;
}

/* The same the long way, of copies from before; where there was no memory for them, yes. */
struct long_way {
    bool there;
    struct jb_globals g;
    struct jb_wallet w; /* with lots of its own */
};

static struct long_way
copies(const struct jb_globals *g, const struct jb_wallet *w)
{
    struct long_way l = {.w = *w};
    const size_t bytes = w->lots.n * sizeof *w->lots.at;
    l.w.lots.at = malloc(bytes);
    l.there = l.w.lots.at != NULL && jb_globals_copy(g, &l.g);
    if (l.there) {
        memcpy(l.w.lots.at, w->lots.at, bytes);
    }
    return l;
}

static bool
leads_here(struct long_way *l, const struct jb_globals *g, const struct jb_wallet *w,
           const struct jb_event *e)
{
    bool same = true;
    if (l->there) {
        const char *why = jb_apply(&l->g, &l->w, e);
        const struct jb_open_day *day = &g->open.at[g->open.n - 1];
        same = why == NULL && l->g.seq == g->seq && l->g.recorded_at == g->recorded_at &&
               l->g.first_open_day == g->first_open_day && l->g.consumed == g->consumed &&
               l->g.keys == g->keys && l->g.last_ref == g->last_ref && l->g.open.n == g->open.n &&
               memcmp(day->t, l->g.open.at[g->open.n - 1].t, sizeof day->t) == 0 &&
               l->w.paid == w->paid && l->w.version == w->version && l->w.free == w->free &&
               l->w.first_lot == w->first_lot &&
               memcmp(l->w.lots.at, w->lots.at, w->lots.n * sizeof *w->lots.at) == 0;
        jb_globals_free(&l->g);
    }
    free(l->w.lots.at);
    return same;
}

bool
jb_apply_plain(struct jb_globals *g, struct jb_wallet *w, const struct jb_event *e)
{
    if (!is_plain(g, w, e)) {
        return false;
    }
    struct long_way other = {0};
    if (JB_CHECKS) {
        other = copies(g, w);
    }
    const jb_amount amount = e->cash_consumed.amount;
    w->lots.at[w->first_lot].remaining -= amount;
    while (w->first_lot < w->lots.n && w->lots.at[w->first_lot].remaining == 0) {
        w->first_lot++;
    }
    w->paid -= amount;
    w->version = e->seq;
    g->consumed = 1;
    g->recorded_at = e->recorded_at;
    g->seq = e->seq;
    jb_totals_post_plain(&g->open.at[g->open.n - 1], amount);
    JB_ASSERT(!JB_CHECKS || leads_here(&other, g, w, e));
    return true;
}
