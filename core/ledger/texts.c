/*
 * Personal texts: which of a command's go into which event, whom each is about, and whether those
 * of a repetition are the same. In the event stand only references; the texts lie in people.mdb.
 */
#include "base/error.h"
#include "event/names.h"
#include "ledger/execution.h"
#include "state/around.h"

/* ---- whom a text is about (docs/rules.md section 8) ---- */

static bool
is_word(struct jb_text t, const char *word)
{
    return jb_text_equal(t, jb_text_of(word));
}

/* Who writes for a living: what he notes is not about him. */
static bool
is_staff(struct jb_text role)
{
    return is_word(role, "OPERATOR") || is_word(role, "GATEWAY") || is_word(role, "SYSTEM");
}

static void
add_actor(const struct jb_event *e, struct jb_owners *ret)
{
    if ((e->flags & JB_EVF_ACTOR) != 0 && !is_staff(e->role)) {
        jb_owners_add(ret, JB_OWNER_PERSON, e->actor);
    }
}

enum jb_text_kind
jb_text_kind_of(uint32_t type, const char *field)
{
    if (type == JB_EV_BIZ_REQUESTED) {
        return JB_KIND_RECORD;
    }
    const struct jb_text f = jb_text_of(field);
    return is_word(f, "name")                                  ? JB_KIND_NAME
           : is_word(f, "email")                               ? JB_KIND_MAIL
           : is_word(f, "reason") || is_word(f, "reason_text") ? JB_KIND_WORDS
                                                               : JB_KIND_ID;
}

static void
add_people(const struct jb_event *e, struct jb_owners *ret)
{
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    for (uint32_t i = 0; type != NULL && i < type->fields_n; i++) {
        const struct jb_field_info *f = &type->fields[i];
        if (f->kind == JB_FK_REF && jb_text_kind_of(e->type, f->name) == JB_KIND_ID) {
            uint64_t ref;
            memcpy(&ref, (const char *)e + f->offset, sizeof ref);
            jb_owners_add(ret, JB_OWNER_PERSON, ref);
        }
    }
}

uint64_t
jb_business_number(struct jb_text digits)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits.n && i < 18; i++) {
        value = value * 10 + (uint64_t)(digits.s[i] - '0');
    }
    return value;
}

void
jb_text_owners(const struct jb_event *e, enum jb_text_kind kind, uint64_t master,
               struct jb_owners *ret)
{
    *ret = (struct jb_owners){0};
    switch (kind) {
    case JB_KIND_ID:
        return; /* its own */
    case JB_KIND_RECORD:
        jb_owners_add(ret, JB_OWNER_BUSINESS, jb_business_number(e->biz_requested.biz));
        return;
    case JB_KIND_NAME:
        jb_owners_add(ret, JB_OWNER_WALLET, e->wallet);
        return;
    case JB_KIND_MAIL:
        jb_owners_add(ret, JB_OWNER_WALLET, e->wallet);
        add_actor(e, ret);
        return;
    case JB_KIND_WORDS:
        jb_owners_add(ret, JB_OWNER_WALLET, e->wallet);
        jb_owners_add(ret, JB_OWNER_PERSON, e->wallet != 0 ? master : 0);
        add_people(e, ret);
        add_actor(e, ret);
        return;
    }
}

/* ---- which texts ---- */

struct ref_text {
    uint64_t *ref;
    struct jb_text text; /* s NULL: none was given */
    enum jb_text_kind kind;
};
#define TEXTS_MAX 4

static unsigned
put(struct ref_text *list, unsigned n, uint64_t *ref, enum jb_text_kind kind, struct jb_text text)
{
    list[n] = (struct ref_text){ref, text, kind};
    return n + 1;
}

/* A reason that is a known code is no personal text and stands in the event. */
static bool
is_code(struct jb_text reason, uint32_t *ret)
{
    return reason.s != NULL && jb_name_number(&jb_reason_names, reason.s, reason.n, ret) &&
           *ret > JB_REASON_TEXT;
}

bool
jb_reason_is_words(const struct jb_command *c)
{
    uint32_t code;
    if ((c->has & JB_HAS(JB_CF_REASON)) == 0) {
        return false;
    }
    if (c->op == JB_OP_INVOICE_ISSUE || c->op == JB_OP_INVOICE_CORRECT) {
        return !jb_name_number(&jb_invoice_reason_names, c->reason.s, c->reason.n, &code);
    }
    return (c->op != JB_OP_CHARGE_REVERSE && c->op != JB_OP_CONSUME_REVERSE) ||
           !is_code(c->reason, &code);
}

static unsigned
put_reason(struct ref_text *list, const struct jb_command *c, uint32_t *reason, uint64_t *ref)
{
    const struct jb_text text = jb_given_text(c, JB_CF_REASON, c->reason);
    uint32_t code;
    if (text.s == NULL) {
        return 0;
    }
    bool known = is_code(text, &code);
    *reason = known ? code : JB_REASON_TEXT;
    return known ? 0 : put(list, 0, ref, JB_KIND_WORDS, text);
}

/* The texts of the event's own fields. master: of a wallet that is made. */
static unsigned
texts_of(const struct jb_command *c, struct jb_text master, struct jb_event *e,
         struct ref_text list[TEXTS_MAX])
{
    const struct jb_text reason = jb_given_text(c, JB_CF_REASON, c->reason);
    unsigned n = 0;
    switch ((jb_event_type)e->type) {
    case JB_EV_WALLET_CREATED:
        n = put(list, 0, &e->wallet_created.name, JB_KIND_NAME, c->name);
        return put(list, n, &e->wallet_created.master, JB_KIND_ID, master);
    case JB_EV_ROLE_GIVEN:
        return put(list, 0, &e->role_given.person, JB_KIND_ID, c->person);
    case JB_EV_ROLE_TAKEN:
        return put(list, 0, &e->role_taken.person, JB_KIND_ID, c->person);
    case JB_EV_MEMBER_INVITED:
        return put(list, 0, &e->member_invited.person, JB_KIND_ID, c->person);
    case JB_EV_MEMBER_JOINED:
        return put(list, 0, &e->member_joined.person, JB_KIND_ID, c->person);
    case JB_EV_MEMBER_LEFT:
        return put(list, 0, &e->member_left.person, JB_KIND_ID, c->person);
    case JB_EV_MASTER_TRANSFERRED:
        return put(list, 0, &e->master_transferred.to, JB_KIND_ID, c->person);
    case JB_EV_CHANNEL_CREATED:
        return put(list, 0, &e->channel_created.master, JB_KIND_ID, c->person);
    case JB_EV_CHANNEL_STAFFED:
        return put(list, 0, &e->channel_staffed.person, JB_KIND_ID, c->person);
    case JB_EV_BIZ_REQUESTED:
        n = put(list, 0, &e->biz_requested.name, JB_KIND_RECORD, c->biz_name);
        n = put(list, n, &e->biz_requested.representative, JB_KIND_RECORD, c->representative);
        return put(list, n, &e->biz_requested.address, JB_KIND_RECORD, c->address);
    case JB_EV_BIZ_REFUSED:
        return put(list, 0, &e->biz_refused.reason, JB_KIND_WORDS, reason);
    case JB_EV_INVOICE_EMAIL_SET:
        return put(list, 0, &e->invoice_email_set.email, JB_KIND_MAIL, c->email);
    case JB_EV_WALLET_RENAMED:
        return put(list, 0, &e->wallet_renamed.name, JB_KIND_NAME, c->name);
    case JB_EV_FREE_GRANTED:
        return put(list, 0, &e->free_granted.reason, JB_KIND_WORDS, reason);
    case JB_EV_CHARGE_REVERSED:
        return put_reason(list, c, &e->charge_reversed.reason, &e->charge_reversed.reason_text);
    case JB_EV_CONSUMPTION_REVERSED:
        return put_reason(list, c, &e->consumption_reversed.reason,
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
    case JB_EV_NOTICE_SENT:
    case JB_EV_INVOICE_ISSUED:
    case JB_EV_INVOICE_CONFIRMED:
    case JB_EV_INVOICE_FAILED:
    case JB_EV_INVOICE_MAILED:
    case JB_EV_TYPES:
        break; /* no text of a person */
    }
    return n;
}

/* ---- references for them ---- */

/* Names are stored as NFC: what macOS types apart is one name with what others type. */
static jb_status
refer_name(struct execution *x, struct jb_text name, const struct jb_owners *owners, uint64_t *ret)
{
    char *owned;
    struct jb_text nfc;
    jb_status status = jb_text_nfc(name, &nfc, &owned);
    status = status == JB_OK ? jb_personal_refer(x->l->personal, nfc, false, owners, ret, x->err)
                             : jb_fail(x->err, status, "no memory for a name");
    free(owned);
    return status;
}

/* The wallet's master at this event; 0: none, or the event says it. */
static jb_status
master_of(struct execution *x, const struct jb_event *e, uint64_t *ret)
{
    struct jb_wallet_around around;
    *ret = 0;
    if (jb_personal_layout(x->l->personal) != 2 || e->wallet == 0 ||
        e->type == JB_EV_WALLET_CREATED) {
        return JB_OK;
    }
    jb_status status = jb_around_wallet(x->l->state, e->wallet, &around, x->err);
    *ret = status == JB_OK ? around.master : 0;
    return status;
}

static jb_status
refer(struct execution *x, const struct jb_event *e, enum jb_text_kind kind, struct jb_text text,
      uint64_t *ret)
{
    struct jb_owners owners;
    uint64_t master = 0;
    *ret = 0;
    if (text.s == NULL) {
        return JB_OK;
    }
    if (kind == JB_KIND_ID) {
        return jb_personal_refer(x->l->personal, text, true, NULL, ret, x->err);
    }
    jb_status status = kind == JB_KIND_WORDS ? master_of(x, e, &master) : JB_OK;
    if (status != JB_OK) {
        return status;
    }
    jb_text_owners(e, kind, master, &owners);
    return kind == JB_KIND_NAME || kind == JB_KIND_RECORD
               ? refer_name(x, text, &owners, ret)
               : jb_personal_refer(x->l->personal, text, false, &owners, ret, x->err);
}

/* The role is the one by which the actor could do it; where none is asked, what he says of himself.
 * A refusal makes no person: of somebody that nobody knows it says nothing. */
static jb_status
refer_actor(struct execution *x, const struct jb_command *c, struct jb_event *e)
{
    const struct jb_command *actor = jb_actor_of(x, c);
    if (actor == NULL || (e->flags & JB_EVF_ACTOR) != 0) {
        return JB_OK;
    }
    bool refused = e->type == JB_EV_COMMAND_REFUSED;
    const char *carried = x->around != NULL && x->around->carried != JB_ROLE_NONE && !refused
                              ? jb_name_word(&jb_role_names, x->around->carried)
                              : NULL;
    e->role = carried != NULL               ? (struct jb_text){carried, strlen(carried)}
              : actor->actor_role.s != NULL ? actor->actor_role
                                            : (struct jb_text){"", 0};
    /* The usual one was looked up to see whether he may. */
    e->actor = x->around != NULL ? x->around->people.actor : 0;
    jb_status status = e->actor != 0 ? JB_OK : jb_find_person(x, actor->actor_id, &e->actor);
    if (status == JB_OK && e->actor == 0 && !refused) {
        status = refer(x, e, JB_KIND_ID, actor->actor_id, &e->actor);
    }
    if (e->actor != 0) {
        e->flags |= JB_EVF_ACTOR;
    } else {
        e->role = (struct jb_text){NULL, 0};
    }
    return status;
}

/* Of a wallet that is made: a channel's master who makes one is its master. */
static struct jb_text
new_master(const struct execution *x, const struct jb_event *e)
{
    if (e->type != JB_EV_WALLET_CREATED) {
        return (struct jb_text){NULL, 0};
    }
    const struct jb_command *actor = jb_actor_of(x, x->c);
    bool himself =
        x->around != NULL && x->around->carried == JB_ROLE_CHANNEL_MASTER && actor != NULL;
    return himself ? actor->actor_id : jb_given_text(x->c, JB_CF_MASTER, x->c->master);
}

/* Personal texts of the event's own fields, then the actor; before those that are of the actor. */
static jb_status
refer_fields(struct execution *x, const struct jb_command *c, struct jb_event *e)
{
    struct ref_text list[TEXTS_MAX];
    unsigned n = texts_of(x->c, new_master(x, e), e, list);
    jb_status status = JB_OK;
    for (unsigned i = 0; i < n && status == JB_OK; i++) {
        if (list[i].kind == JB_KIND_WORDS || list[i].kind == JB_KIND_MAIL) {
            status = refer_actor(x, c, e);
        }
    }
    for (unsigned i = 0; i < n && status == JB_OK; i++) {
        status = refer(x, e, list[i].kind, list[i].text, list[i].ref);
    }
    return status == JB_OK ? refer_actor(x, c, e) : status;
}

/* Key, actor, texts and note: those of the group for its last event, the member's own actor and
 * note for a member. */
jb_status
jb_envelope(struct execution *x, const struct jb_command *c, bool with_key, struct jb_event *e)
{
    if (with_key) {
        e->flags |= JB_EVF_KEY;
        e->key = c->key;
        e->caller = x->caller;
        e->fingerprint = x->fingerprint;
    }
    jb_status status = refer_fields(x, c, e);
    /* The group's note stands once, in its last event, unless that member has one of its own. */
    bool last = x->group != NULL && c == x->last_member;
    const struct jb_command *note = (c->has & JB_HAS(JB_CF_NOTE)) == 0 && last ? x->group : c;
    if (status == JB_OK && (note->has & JB_HAS(JB_CF_NOTE)) != 0) {
        e->flags |= JB_EVF_NOTE;
        status = refer(x, e, JB_KIND_WORDS, note->note, &e->note);
    }
    return status;
}

/* ---- the texts of a repetition ---- */

jb_status
jb_compare_text(struct execution *x, uint64_t ref, struct jb_text text, bool name,
                enum jb_repeated *ret)
{
    char buf[JB_PERSON_TEXT_BYTES_MAX];
    size_t n = 0;
    enum jb_text_state state;
    char *owned = NULL;
    struct jb_text given = text;
    struct jb_text stored;
    jb_status status = JB_OK;
    if (jb_personal_pending(x->l->personal, ref, &stored)) {
        state = JB_TEXT_THERE;
    } else {
        status = jb_personal_get(x->l->personal, ref, buf, &n, &state, x->err);
        stored = (struct jb_text){buf, n};
    }
    if (status == JB_OK && name && jb_text_nfc(text, &given, &owned) != JB_OK) {
        status = jb_fail(x->err, JB_E_NOMEM, "no memory for a name");
    }
    if (status == JB_OK && state != JB_TEXT_THERE) {
        *ret = *ret == JB_REPEATED_SAME ? JB_REPEATED_GONE : *ret;
    } else if (status == JB_OK && !jb_text_equal(given, stored)) {
        *ret = JB_REPEATED_OTHER;
    }
    free(owned);
    return status;
}

jb_status
jb_compare_texts(struct execution *x, const struct jb_command *c, const struct jb_command *group,
                 const struct jb_event *event, bool last, enum jb_repeated *ret)
{
    struct jb_event e = *event;
    struct ref_text list[TEXTS_MAX];
    unsigned n = texts_of(c, jb_given_text(c, JB_CF_MASTER, c->master), &e, list);
    jb_status status = JB_OK;
    for (unsigned i = 0; i < n && status == JB_OK; i++) {
        if (list[i].text.s != NULL) {
            status = jb_compare_text(x, *list[i].ref, list[i].text,
                                     list[i].kind == JB_KIND_NAME || list[i].kind == JB_KIND_RECORD,
                                     ret);
        }
    }
    if (e.type == JB_EV_FORGOTTEN && e.forgotten.person != 0) {
        *ret = *ret == JB_REPEATED_SAME ? JB_REPEATED_GONE : *ret;
    }
    const struct jb_command *note =
        (c->has & JB_HAS(JB_CF_NOTE)) == 0 && last && group != NULL ? group : c;
    if (status == JB_OK && (note->has & JB_HAS(JB_CF_NOTE)) != 0) {
        status = jb_compare_text(x, e.note, note->note, false, ret);
    }
    return status;
}
