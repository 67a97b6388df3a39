/* The command that an event answers: what only the command can have said, and whether a command can
 * have said it at all. */
#include "base/calendar.h"
#include "base/text.h"
#include "event/names.h"
#include "replay/rules/inner.h"

enum { JB_EV_NONE = 0 }; /* of `atomic`; no event has that type */
/* The op whose command an event of that type answers: the first of them, where there are several.
 */
static jb_op
first_op_of(uint32_t type)
{
    static const uint8_t types[JB_OPS] = {
#define OP(NAME, word, event, at, states, rule, required, optional) [JB_OP_##NAME] = JB_EV_##event,
#include "event/commands.def"
#undef OP
    };
    for (uint32_t op = 1; op < JB_OPS; op++) {
        if (types[op] == type && type != JB_EV_NONE) {
            return (jb_op)op;
        }
    }
    return (jb_op)0;
}

jb_op
jb_op_of(const struct jb_event *e)
{
    /* Not covered at approval: the approval was carried out, and the refund has failed. */
    if (e->type == JB_EV_REFUND_FAILED && e->refund_failed.why == JB_FAILURE_BALANCE) {
        return JB_OP_REFUND_APPROVE;
    }
    if (e->type == JB_EV_MEMBER_LEFT) {
        return e->member_left.why == JB_LEFT_LEFT || e->member_left.why == JB_LEFT_DECLINED
                   ? JB_OP_MEMBER_LEAVE
                   : JB_OP_MEMBER_REMOVE;
    }
    if (e->type == JB_EV_CHANNEL_STAFFED) {
        return e->channel_staffed.role == JB_ROLE_NONE      ? JB_OP_MANAGER_REMOVE
               : e->channel_staffed.role == JB_ROLE_MANAGER ? JB_OP_MANAGER_ADD
                                                            : JB_OP_CHANNEL_TRANSFER;
    }
    if (e->type == JB_EV_INVOICE_ISSUED) {
        bool first = e->invoice_issued.kind == JB_INVOICE_ORIGINAL ||
                     e->invoice_issued.kind == JB_INVOICE_DELTA;
        return first ? JB_OP_INVOICE_ISSUE : JB_OP_INVOICE_CORRECT;
    }
    return first_op_of(e->type);
}

static bool
text_holds(struct jb_judge *r, const struct jb_event *e, const char *what, struct jb_text t,
           size_t max, bool optional)
{
    if ((optional && t.s == NULL) || jb_id_valid(t, max)) {
        return true;
    }
    jb_refute_text(r, e,
                   "its %s is no text of 1 to %zu bytes of UTF-8 without white space and control "
                   "characters, and the rules take no other",
                   what, max);
    return false;
}

/* An id that the command makes: from rules 2 on what shows nothing is refused. */
static bool
made_holds(struct jb_judge *r, const struct jb_event *e, const char *what, struct jb_text id)
{
    if (!text_holds(r, e, what, id, JB_ID_BYTES_MAX, false)) {
        return false;
    }
    if (jb_rules(&r->b->g) < 2 || jb_id_visible(id)) {
        return true;
    }
    jb_refute_text(r, e,
                   "its %s has an invisible character, or one that turns the line around, and the "
                   "rules take none in what a command makes",
                   what);
    return false;
}

static bool
amount_holds(struct jb_judge *r, const struct jb_event *e, jb_amount amount)
{
    if (amount >= 1 && amount <= JB_AMOUNT_MAX) {
        return true;
    }
    jb_refute_text(r, e, "stands an amount of %lld; the rules take 1 to %lld", (long long)amount,
                   (long long)JB_AMOUNT_MAX);
    return false;
}

/* A reason is one of the codes, or words that lie in people.mdb. */
static bool
reason_holds(struct jb_judge *r, const struct jb_event *e, uint32_t reason, uint64_t text)
{
    if ((reason == JB_REASON_TEXT) == (text != 0)) {
        return true;
    }
    jb_refute_text(r, e,
                   text != 0 ? "it has words for a reason and a code that says it has none"
                             : "its reason is words, and there are none");
    return false;
}

static bool
reference_holds(struct jb_judge *r, const struct jb_event *e, const char *what, uint64_t ref)
{
    if (ref == 0) {
        jb_refute_text(r, e, "it has no %s, and the rules take no such command without", what);
    }
    return ref != 0;
}

#define H(field) JB_HAS(JB_CF_##field)

static bool
charge_of(struct jb_judge *r, const struct jb_event *e, struct jb_command *c)
{
    const struct jb_charge_settled *p = &e->charge_settled;
    c->id = p->charge;
    c->amount = p->amount;
    c->method = p->method;
    c->pg = p->pg;
    c->txn_ref = p->txn_ref;
    c->approve_no = p->approve_no;
    c->has |= H(METHOD) | H(PG) | H(TXN_REF) | H(APPROVE_NO);
    return made_holds(r, e, "charge", p->charge) &&
           text_holds(r, e, "pg", p->pg, JB_SHORT_BYTES_MAX, true) &&
           text_holds(r, e, "txn_ref", p->txn_ref, JB_TXN_REF_BYTES_MAX, true) &&
           text_holds(r, e, "approve_no", p->approve_no, JB_SHORT_BYTES_MAX, true) &&
           amount_holds(r, e, p->amount);
}

static bool
repayment_of(struct jb_judge *r, const struct jb_event *e, struct jb_command *c)
{
    const struct jb_debt_repaid *p = &e->debt_repaid;
    c->amount = p->amount;
    c->pg = p->pg;
    c->txn_ref = p->txn_ref;
    c->has |= H(PG) | H(TXN_REF);
    return text_holds(r, e, "pg", p->pg, JB_SHORT_BYTES_MAX, true) &&
           text_holds(r, e, "txn_ref", p->txn_ref, JB_TXN_REF_BYTES_MAX, true) &&
           amount_holds(r, e, p->amount);
}

static bool
grant_of(struct jb_judge *r, const struct jb_event *e, struct jb_command *c)
{
    const struct jb_free_granted *p = &e->free_granted;
    c->id = p->grant;
    c->amount = p->amount;
    c->origin = p->origin;
    c->expires_on = p->expires_on;
    c->has |= H(ORIGIN);
    return made_holds(r, e, "grant", p->grant) && amount_holds(r, e, p->amount);
}

/* A postpaid wallet goes below 0 without `overdraft`, down to its limit. */
static bool
within_limit(struct jb_judge *r, uint32_t wallet, jb_amount from_paid)
{
    struct jb_cached_wallet *s;
    struct jb_error none;
    if (jb_state_wallet(r->b, wallet, &s, &none) != JB_OK ||
        s->w.settlement != JB_SETTLEMENT_POSTPAID) {
        return false;
    }
    return s->w.paid > -jb_rest(&s->w)->limit && from_paid <= s->w.paid + jb_rest(&s->w)->limit;
}

static bool
consumption_of(struct jb_judge *r, const struct jb_event *e, struct jb_command *c)
{
    const struct jb_cash_consumed *p = &e->cash_consumed;
    c->id = p->usage;
    c->amount = p->amount;
    bool debt = false;
    jb_amount from_paid = p->amount;
    for (uint32_t i = 0; i < p->parts.n; i++) {
        debt |= p->parts.at[i].kind == JB_PART_DEBT;
        from_paid -= p->parts.at[i].kind == JB_PART_GRANT ? p->parts.at[i].amount : 0;
    }
    c->overdraft = debt && !within_limit(r, e->wallet, from_paid);
    c->has |= H(OVERDRAFT);
    r->n.debts += c->overdraft;
    return made_holds(r, e, "usage", p->usage) && amount_holds(r, e, p->amount);
}

static bool
request_of(struct jb_judge *r, const struct jb_event *e, struct jb_command *c)
{
    const struct jb_refund_requested *p = &e->refund_requested;
    c->id = p->refund;
    c->amount = p->scope == JB_SCOPE_PARTIAL ? p->amount : 0;
    c->has |= p->scope == JB_SCOPE_PARTIAL ? H(AMOUNT) : 0;
    return made_holds(r, e, "refund", p->refund) &&
           (p->scope != JB_SCOPE_PARTIAL || amount_holds(r, e, p->amount));
}

/* The set of rules: never down, and from its own event on. That this version knows it was seen. */
static bool
rules_hold(struct jb_judge *r, const struct jb_event *e)
{
    const struct jb_policy_set *p = &e->policy_set;
    bool init = (e->flags & JB_EVF_UNRECORDED) != 0;
    if (p->value >= 2 && p->value >= jb_rules(&r->b->g) &&
        p->from == (init ? JB_NO_INSTANT : e->recorded_at)) {
        return true;
    }
    jb_refute_text(
        r, e,
        "stands rules %lld where rules %lld were in force; the rules begin with 2, never "
        "go down, and hold from their event on",
        (long long)p->value, (long long)jb_rules(&r->b->g));
    return false;
}

bool
jb_policy_of(struct jb_judge *r, const struct jb_event *e, struct jb_command *c)
{
    const struct jb_policy_set *p = &e->policy_set;
    char why[JB_WHY_BYTES];
    *c = (struct jb_command){.size = sizeof *c, .op = JB_OP_POLICY_SET};
    c->policy = p->policy;
    c->value = p->value;
    c->has = H(POLICY) | H(VALUE);
    if (p->from != JB_NO_INSTANT) {
        c->from = p->from;
        c->has |= H(FROM);
    }
    if (c->policy == JB_POLICY_RULES) {
        return rules_hold(r, e);
    }
    /* Roles are asked from their event on, a first month is one; no command says `from`. */
    bool init = (e->flags & JB_EVF_UNRECORDED) != 0;
    bool unsaid = c->policy == JB_POLICY_ROLES || c->policy == JB_POLICY_INVOICE_FROM;
    if (unsaid && p->from == (init ? JB_NO_INSTANT : e->recorded_at)) {
        c->has &= ~H(FROM);
        c->from = 0;
    }
    if (jb_check_form(c, false, false, why, sizeof why) == JB_CODE_NONE) {
        return true;
    }
    jb_refute_text(r, e, "stands %lld; the rules say: %s", (long long)c->value, why);
    return false;
}

static bool
role_of(struct jb_judge *r, const struct jb_event *e, uint32_t role, struct jb_text agency,
        struct jb_command *c)
{
    bool of_agency = role == JB_ROLE_AGENCY;
    c->role = role;
    c->agency = agency;
    c->has |= agency.s != NULL ? H(AGENCY) : 0;
    if (of_agency != (agency.s != NULL) || (!of_agency && role != JB_ROLE_OPERATOR &&
                                            role != JB_ROLE_GATEWAY && role != JB_ROLE_SYSTEM)) {
        jb_refute_text(r, e, "stands a role that no command gives or takes");
        return false;
    }
    if (e->type == JB_EV_ROLE_GIVEN && e->role_given.how == JB_HOW_RECOVERED &&
        (role != JB_ROLE_OPERATOR || (e->flags & JB_EVF_ACTOR) != 0)) {
        jb_refute_text(r, e, "stands as recovered; the rules recover an operator, by nobody");
        return false;
    }
    return text_holds(r, e, "agency", agency, JB_ID_BYTES_MAX, true);
}

static bool
search_id_of(struct jb_judge *r, const struct jb_event *e, struct jb_command *c)
{
    char nfc[JB_SEARCH_ID_BYTES_MAX];
    c->search_id = e->search_id_set.search_id;
    const struct jb_text same = {nfc, jb_search_id_nfc(c->search_id, nfc)};
    if (same.n == 0 || !jb_text_equal(same, c->search_id)) {
        jb_refute_text(r, e,
                       "its search id is none by the rules, or stands there otherwise than "
                       "composed (NFC)");
        return false;
    }
    return true;
}

/* Of which characters it is the form of a command says. */
static bool
mail_order_holds(struct jb_judge *r, const struct jb_event *e)
{
    const struct jb_command c = {.size = sizeof c,
                                 .op = JB_OP_CHANNEL_MAIL_ORDER,
                                 .has = H(CHANNEL) | H(MAIL_ORDER),
                                 .channel = {"c", 1},
                                 .mail_order = e->mail_order_set.mail_order};
    char why[JB_WHY_BYTES];
    if (c.mail_order.s == NULL ||
        jb_check_form(&c, false, false, why, sizeof why) == JB_CODE_NONE) {
        return true;
    }
    jb_refute_text(r, e, "the rules say: %s", why);
    return false;
}

static bool
registration_of(struct jb_judge *r, const struct jb_event *e, struct jb_command *c)
{
    c->biz = e->biz_requested.biz;
    bool ok = c->biz.n == JB_BIZ_DIGITS;
    for (size_t i = 0; i < c->biz.n; i++) {
        ok = ok && c->biz.s[i] >= '0' && c->biz.s[i] <= '9';
    }
    if (!ok) {
        jb_refute_text(r, e, "its registration number is not one of ten digits");
    }
    return ok && reference_holds(r, e, "name", e->biz_requested.name) &&
           reference_holds(r, e, "representative", e->biz_requested.representative) &&
           reference_holds(r, e, "address", e->biz_requested.address);
}

/* The reason stands as the command had it, or as a DELTA has it by itself: it says the same. */
static bool
issue_of(struct jb_judge *r, const struct jb_event *e, struct jb_command *c)
{
    const struct jb_invoice_issued *p = &e->invoice_issued;
    const char *reason = jb_name_word(&jb_invoice_reason_names, p->reason);
    c->reason = (struct jb_text){reason, strlen(reason)};
    c->has |= p->reason != JB_INVOICE_NO_REASON ? H(REASON) : 0;
    if (c->op == JB_OP_INVOICE_CORRECT) {
        /* One of a slice that can be named: that which is taken back, or was. */
        c->invoice = p->original;
        c->ref = p->outside_ref;
        c->has |= H(INVOICE) | (p->outside_ref.s != NULL ? H(REF) : 0);
        return text_holds(r, e, "outside_ref", p->outside_ref, JB_TXN_REF_BYTES_MAX, true);
    }
    c->month = p->month;
    c->has |= H(MONTH);
    if (!jb_month_valid(p->month)) {
        jb_refute_text(r, e, "stands month %u, which there is not", p->month);
    }
    return jb_month_valid(p->month);
}

static bool
fields_of(struct jb_judge *r, const struct jb_event *e, struct jb_command *c)
{
    switch (c->op) {
    case JB_OP_WALLET_CREATE:
        c->wallet = e->wallet_created.id;
        c->kind = e->wallet_created.kind;
        c->has |= e->wallet_created.master != 0 ? H(MASTER) : 0;
        return made_holds(r, e, "id", c->wallet) &&
               reference_holds(r, e, "name", e->wallet_created.name);
    case JB_OP_WALLET_RENAME:
        return reference_holds(r, e, "name", e->wallet_renamed.name);
    case JB_OP_CHARGE:
        return charge_of(r, e, c);
    case JB_OP_CHARGE_REVERSE:
        c->amount = e->charge_reversed.amount;
        return amount_holds(r, e, c->amount) &&
               reason_holds(r, e, e->charge_reversed.reason, e->charge_reversed.reason_text);
    case JB_OP_DEBT_REPAY:
        return repayment_of(r, e, c);
    case JB_OP_FREE_GRANT:
        return grant_of(r, e, c);
    case JB_OP_CONSUME:
        return consumption_of(r, e, c);
    case JB_OP_CONSUME_REVERSE:
        c->amount = e->consumption_reversed.amount;
        c->seq = e->consumption_reversed.consumption;
        c->has |= H(SEQ);
        r->n.returns++;
        return amount_holds(r, e, c->amount) && reason_holds(r, e, e->consumption_reversed.reason,
                                                             e->consumption_reversed.reason_text);
    case JB_OP_REFUND_REQUEST:
        return request_of(r, e, c);
    case JB_OP_ROLE_GIVE:
        return role_of(r, e, e->role_given.role, e->role_given.agency, c);
    case JB_OP_ROLE_TAKE:
        return role_of(r, e, e->role_taken.role, e->role_taken.agency, c);
    case JB_OP_CHANNEL_CREATE:
        c->channel = e->channel_created.channel;
        c->channel_kind = e->channel_created.kind;
        c->has |= H(CHANNEL) | H(CHANNEL_KIND);
        return made_holds(r, e, "id", c->channel);
    case JB_OP_CHANNEL_SEARCH_ID:
        return search_id_of(r, e, c);
    case JB_OP_CHANNEL_MAIL_ORDER:
        c->mail_order = e->mail_order_set.mail_order;
        c->has |= c->mail_order.s != NULL ? H(MAIL_ORDER) : 0;
        return mail_order_holds(r, e);
    case JB_OP_INVOICE_EMAIL:
        return reference_holds(r, e, "e-mail", e->invoice_email_set.email);
    case JB_OP_BIZ_REQUEST:
        return registration_of(r, e, c);
    case JB_OP_BIZ_APPROVE:
        c->seq = e->biz_approved.request;
        return true;
    case JB_OP_BIZ_REFUSE:
        c->seq = e->biz_refused.request;
        return true;
    case JB_OP_INVOICE_ISSUE:
    case JB_OP_INVOICE_CORRECT:
        return issue_of(r, e, c);
    case JB_OP_INVOICE_CONFIRM:
        c->invoice = e->invoice_confirmed.invoice;
        c->approve_no = e->invoice_confirmed.approve_no;
        c->has |= H(INVOICE) | (c->approve_no.s != NULL ? H(APPROVE_NO) : 0);
        return text_holds(r, e, "approve_no", c->approve_no, JB_SHORT_BYTES_MAX, true);
    case JB_OP_INVOICE_FAIL:
        c->invoice = e->invoice_failed.invoice;
        c->why = e->invoice_failed.why;
        c->has |= H(INVOICE) | H(WHY);
        return true;
    case JB_OP_INVOICE_MAIL:
        c->invoice = e->invoice_mailed.invoice;
        c->result = e->invoice_mailed.result;
        c->has |= H(INVOICE) | H(RESULT);
        return true;
    case JB_OP_SALES_REQUEST:
    case JB_OP_SALES_ACCEPT:
    case JB_OP_SALES_REFUSE:
        c->agency = e->sales_requested.agency; /* the payloads are one text each */
        c->has |= H(AGENCY);
        return text_holds(r, e, "agency", c->agency, JB_ID_BYTES_MAX, false);
    case JB_OP_WALLET_SETTLEMENT:
        c->settlement = e->settlement_changed.settlement;
        c->limit = e->settlement_changed.limit;
        c->has |= H(LIMIT);
        return c->limit == 0 || amount_holds(r, e, c->limit);
    case JB_OP_POLICY_SET:
        return jb_policy_of(r, e, c);
    case JB_OP_DAY_CLOSE:
        c->day = e->day_closed.day;
        c->force = true; /* whether it was said cannot be known */
        c->has |= H(FORCE);
        return true;
    case JB_OP_WALLET_OFF:
    case JB_OP_WALLET_ON:
    case JB_OP_WALLET_SUSPEND:
    case JB_OP_WALLET_LIFT:
    case JB_OP_WALLET_DELETE:
    case JB_OP_FREE_ACTIVATE:
    case JB_OP_FREE_REVOKE:
    case JB_OP_REFUND_APPROVE:
    case JB_OP_REFUND_REJECT:
    case JB_OP_REFUND_CANCEL:
    case JB_OP_REFUND_COMPLETE:
    case JB_OP_REFUND_FAIL:
    case JB_OP_ATOMIC:
    case JB_OP_MEMBER_INVITE:
    case JB_OP_MEMBER_ACCEPT:
    case JB_OP_MEMBER_LEAVE:
    case JB_OP_MEMBER_REMOVE:
    case JB_OP_MASTER_TRANSFER:
    case JB_OP_MANAGER_ADD:
    case JB_OP_MANAGER_REMOVE:
    case JB_OP_CHANNEL_TRANSFER:
    case JB_OP_CHANNEL_CONNECT:
    case JB_OP_CHANNEL_DISCONNECT:
    case JB_OP_CHANNEL_CLOSE:
    case JB_OP_SALES_RELEASE:
    case JB_OP_FORGET:
    case JB_OP_NOTICE_SEND:
    case JB_OPS:
        break; /* nothing but the wallet, and what the event's ordinal names */
    }
    return true;
}

bool
jb_command_of(struct jb_judge *r, const struct jb_event *e, struct jb_command *ret)
{
    struct jb_command *c = ret;
    jb_command_begin(c, jb_op_of(e));
    const struct jb_op_info *op = jb_op_get((uint32_t)c->op);
    if (op == NULL) {
        jb_refute_text(r, e, "no command makes such an event by the rules");
        return false;
    }
    if (e->occurred_at != e->recorded_at) {
        c->at = e->occurred_at;
        c->has |= H(AT);
    }
    if ((c->has & H(AT)) != 0 && !op->business_time) {
        jb_refute_text(r, e,
                       "it happened at another time than it was recorded; the rules give %s no "
                       "time of its own",
                       op->name);
        return false;
    }
    r->n.own_times += !op->business_time;
    c->has |= e->wallet != 0 ? H(WALLET) : 0;
    return fields_of(r, e, c) && jb_channel_of(r, e, c);
}

void
jb_check_envelope(struct jb_judge *r, const struct jb_event *e)
{
    const uint32_t said = JB_EVF_KEY | JB_EVF_ACTOR | JB_EVF_NOTE | JB_EVF_GROUP;
    bool of_a_command = e->type != JB_EV_FREE_EXPIRED && e->type != JB_EV_FREE_FORFEITED &&
                        (e->flags & JB_EVF_UNRECORDED) == 0;
    if ((e->flags & said) != 0 && !of_a_command) {
        jb_refute_text(r, e,
                       "it has a key, an actor, a note or a group; the rules write it by "
                       "themselves and give it none");
    }
    if ((e->flags & JB_EVF_CAUSE) != 0) {
        jb_refute_text(r, e, "it names a cause; no rule gives one");
    }
    jb_check_channel(r, e);
    if (((e->flags & JB_EVF_ACTOR) != 0 && e->actor == 0) ||
        ((e->flags & JB_EVF_NOTE) != 0 && e->note == 0)) {
        jb_refute_text(r, e, "it says that it has an actor or a note, and has none");
    }
    if ((e->flags & JB_EVF_KEY) != 0) {
        r->n.keyed++;
        text_holds(r, e, "key", e->key, JB_KEY_BYTES_MAX, false);
        if (e->caller.n > 0) {
            text_holds(r, e, "caller", e->caller, JB_SHORT_BYTES_MAX, false);
        }
    }
    if ((e->flags & JB_EVF_ACTOR) != 0 && e->role.n > 0) {
        text_holds(r, e, "role", e->role, JB_SHORT_BYTES_MAX, false);
    }
}
