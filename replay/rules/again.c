/* Decides the command of an event again and compares what the rules say with what stands there. */
#include "base/text.h"
#include "event/names.h"
#include "replay/rules/inner.h"

/* Why the parts are as they are: for the sentence. */
static const char *
order_of(uint32_t type)
{
    switch (type) {
    case JB_EV_CASH_CONSUMED:
        return JB_SAID(" (free cash by deadline, then the oldest lot first, then debt)");
    case JB_EV_CHARGE_REVERSED:
        return JB_SAID(" (its own lot, then the newest first, then debt)");
    case JB_EV_REFUND_APPROVED:
        return JB_SAID(" (the newest lot first)");
    case JB_EV_CONSUMPTION_REVERSED:
        return JB_SAID(" (an open debt, then what it was taken from, last taken first)");
    case JB_EV_REFUND_FAILED:
        return JB_SAID(" (an open debt, then the lots that gave it)");
    default:
        return "";
    }
}

static bool
same_parts(struct jb_parts a, struct jb_parts b)
{
    for (uint32_t i = 0; i < a.n && i < b.n; i++) {
        if (a.at[i].kind != b.at[i].kind || a.at[i].ordinal != b.at[i].ordinal ||
            a.at[i].amount != b.at[i].amount) {
            return false;
        }
    }
    return a.n == b.n;
}

/* The one who was the master is in the state, and so is an invoice's address; who gets what only
 * the command says. */
static bool
is_known_ref(const struct jb_event *stands, const struct jb_field_info *f)
{
    return (stands->type == JB_EV_MASTER_TRANSFERRED &&
            f->offset == offsetof(struct jb_event, master_transferred.from)) ||
           stands->type == JB_EV_INVOICE_ISSUED || stands->type == JB_EV_INVOICE_MAILED;
}

/* True also for what the rules do not say: references to texts, and the totals, which are sums. */
static bool
same_field(const struct jb_event *stands, const struct jb_event *said,
           const struct jb_field_info *f)
{
    const char *a = (const char *)stands + f->offset, *b = (const char *)said + f->offset;
    switch (f->kind) {
    case JB_FK_TEXT:
    case JB_FK_OPT_TEXT:
        return jb_text_equal(*(const struct jb_text *)(const void *)a,
                             *(const struct jb_text *)(const void *)b);
    case JB_FK_ORDINAL:
    case JB_FK_UINT:
    case JB_FK_NAME:
        return memcmp(a, b, sizeof(uint32_t)) == 0;
    case JB_FK_AMOUNT:
    case JB_FK_AMOUNT0:
    case JB_FK_INT:
    case JB_FK_SEQ:
    case JB_FK_OPT_INSTANT:
        return memcmp(a, b, sizeof(int64_t)) == 0;
    case JB_FK_BOOL:
        return *(const bool *)(const void *)a == *(const bool *)(const void *)b;
    case JB_FK_DAY:
        return memcmp(a, b, sizeof(jb_day)) == 0;
    case JB_FK_SPLIT:
    case JB_FK_PARTS_FROM:
    case JB_FK_PARTS_TO:
        return same_parts(*(const struct jb_parts *)(const void *)a,
                          *(const struct jb_parts *)(const void *)b);
    case JB_FK_REF:
        return !is_known_ref(stands, f) || memcmp(a, b, sizeof(uint64_t)) == 0;
    case JB_FK_ID16:
    case JB_FK_FIGURES:
    case JB_FK_TOTALS:
        break;
    }
    return true;
}

static bool
is_parts(const struct jb_field_info *f)
{
    return f->kind == JB_FK_SPLIT || f->kind == JB_FK_PARTS_FROM || f->kind == JB_FK_PARTS_TO;
}

static void
say_difference(struct sentence *s, const struct jb_event *stands, const struct jb_event *said,
               const struct jb_field_info *f)
{
    const char *name = is_parts(f) ? "" : f->name;
    jb_say(s, "stands %s%s", name, *name != '\0' ? " " : "");
    jb_say_value(s, stands, f);
    jb_say(s, "; the rules say ");
    jb_say_value(s, said, f);
    jb_say(s, "%s", is_parts(f) ? jb_tr(order_of(stands->type)) : "");
}

static void
compare(struct jb_judge *r, const struct jb_event *e, const struct jb_event *said)
{
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    struct sentence s = {.n = 0};
    for (uint32_t i = 0; i < type->fields_n; i++) {
        const struct jb_field_info *f = &type->fields[i];
        /* A reason is the command's own; which words it had is not in the log. */
        if (f->names == &jb_reason_names || same_field(e, said, f)) {
            continue;
        }
        jb_say(&s, s.n > 0 ? "; " : "");
        say_difference(&s, e, said, f);
    }
    if (s.n > 0) {
        jb_refute(r, e, &s);
    }
}

static void
refused(struct jb_judge *r, const struct jb_event *e)
{
    struct sentence s = {.n = 0};
    jb_say(&s, "stands as done; the rules say %s", jb_code_word(r->v.code));
    jb_say_figures(&s, r->v.figures, r->v.figures_n);
    jb_refute(r, e, &s);
}

static void
other_type(struct jb_judge *r, const struct jb_event *e)
{
    const struct jb_event_type_info *said = jb_event_type_get(r->v.event.type);
    jb_refute_text(r, e, "the rules say %s", said != NULL ? said->name : jb_tr("something else"));
}

/* The first of two documents: the second has everything that is the command's. */
static void
begin_correction(struct jb_judge *r, const struct jb_event *e)
{
    const uint32_t said = JB_EVF_KEY | JB_EVF_ACTOR | JB_EVF_NOTE | JB_EVF_GROUP;
    if ((e->flags & said) != 0) {
        jb_refute_text(r, e,
                       "it has a key, an actor, a note or a group; the rules give them to the "
                       "document behind it");
    }
    compare(r, e, &r->v.before);
    r->correction = (struct correction){e->seq, r->v.event.invoice_issued};
}

static void
judge(struct jb_judge *r, const struct jb_event *e)
{
    if (r->v.code != JB_CODE_NONE) {
        refused(r, e);
    } else if (r->v.has_before) {
        begin_correction(r, e);
    } else if (r->v.event.type != e->type) {
        other_type(r, e);
    } else {
        if (e->type == JB_EV_WALLET_DELETED) {
            /* The state is behind the forfeits: what is left to forfeit, and what was. */
            r->v.event.wallet_deleted.forfeited += r->deletion.forfeited;
        }
        compare(r, e, &r->v.event);
    }
}

/* The clock that a command had is not in its event: it was recorded_at, or, where that is the event
 * before's, up to the tolerance behind it. */
static struct jb_decision_time
time_of(const struct jb_globals *g, jb_instant recorded_at)
{
    struct jb_decision_time m = {
        .clock = recorded_at, .clock_from = recorded_at, .any_parts = jb_rules(g) < 2};
    if (g->recorded_at == recorded_at) {
        m.clock_from -= jb_policy_us_at(g, JB_POLICY_CLOCK_TOLERANCE, recorded_at);
    }
    return m;
}

/* Rules that go through all grants or lots see what is alive. False: no memory. */
static bool
narrow(struct jb_judge *r, const struct jb_wallet **w, struct jb_wallet *view,
       const struct jb_command *c, const struct jb_prefetched *loaded)
{
    const struct jb_refund *refund;
    bool ok = true;
    switch (c->op) {
    case JB_OP_CONSUME:
        if ((*w)->free == 0) {
            return true;
        }
        ok = jb_live_view(r, *w, view);
        break;
    case JB_OP_FREE_GRANT:
    case JB_OP_WALLET_DELETE:
        ok = jb_live_view(r, *w, view);
        break;
    case JB_OP_CHARGE_REVERSE:
        ok = jb_live_lots(r, *w, loaded->ordinal, c->amount, view);
        break;
    case JB_OP_REFUND_APPROVE:
        refund = jb_wallet_refund(*w, loaded->ordinal);
        ok = jb_live_lots(r, *w, 0, refund != NULL ? refund->amount : 0, view);
        break;
    case JB_OP_WALLET_CREATE:
    case JB_OP_WALLET_RENAME:
    case JB_OP_WALLET_OFF:
    case JB_OP_WALLET_ON:
    case JB_OP_WALLET_SUSPEND:
    case JB_OP_WALLET_LIFT:
    case JB_OP_CHARGE:
    case JB_OP_DEBT_REPAY:
    case JB_OP_FREE_ACTIVATE:
    case JB_OP_FREE_REVOKE:
    case JB_OP_CONSUME_REVERSE:
    case JB_OP_REFUND_REQUEST:
    case JB_OP_REFUND_REJECT:
    case JB_OP_REFUND_CANCEL:
    case JB_OP_REFUND_COMPLETE:
    case JB_OP_REFUND_FAIL:
    case JB_OP_POLICY_SET:
    case JB_OP_DAY_CLOSE:
    case JB_OP_ATOMIC:
    case JB_OP_ROLE_GIVE:
    case JB_OP_ROLE_TAKE:
    case JB_OP_MEMBER_INVITE:
    case JB_OP_MEMBER_ACCEPT:
    case JB_OP_MEMBER_LEAVE:
    case JB_OP_MEMBER_REMOVE:
    case JB_OP_MASTER_TRANSFER:
    case JB_OP_CHANNEL_CREATE:
    case JB_OP_MANAGER_ADD:
    case JB_OP_MANAGER_REMOVE:
    case JB_OP_CHANNEL_TRANSFER:
    case JB_OP_CHANNEL_CONNECT:
    case JB_OP_CHANNEL_DISCONNECT:
    case JB_OP_CHANNEL_CLOSE:
    case JB_OP_CHANNEL_SEARCH_ID:
    case JB_OP_CHANNEL_MAIL_ORDER:
    case JB_OP_BIZ_REQUEST:
    case JB_OP_BIZ_APPROVE:
    case JB_OP_BIZ_REFUSE:
    case JB_OP_INVOICE_EMAIL:
    case JB_OP_SALES_REQUEST:
    case JB_OP_SALES_ACCEPT:
    case JB_OP_SALES_REFUSE:
    case JB_OP_SALES_RELEASE:
    case JB_OP_WALLET_SETTLEMENT:
    case JB_OP_FORGET:
    case JB_OP_NOTICE_SEND:
    case JB_OP_INVOICE_ISSUE:
    case JB_OP_INVOICE_CORRECT:
    case JB_OP_INVOICE_CONFIRM:
    case JB_OP_INVOICE_FAIL:
    case JB_OP_INVOICE_MAIL:
    case JB_OPS:
        return true;
    }
    *w = view;
    return ok;
}

jb_status
jb_decide_command(struct jb_judge *r, const struct jb_wallet *w, const struct jb_command *c,
                  const struct jb_prefetched *loaded, jb_instant recorded_at, struct jb_error *err)
{
    struct jb_decision_time m = time_of(&r->b->g, recorded_at);
    struct jb_wallet view;
    jb_decide_time(&r->b->g, c, &r->v, &m);
    if (r->v.code != JB_CODE_NONE) {
        return JB_OK;
    }
    if (w != NULL && !narrow(r, &w, &view, c, loaded)) {
        return jb_judge_no_memory(err);
    }
    jb_decide_wallet(&r->b->g, w, c, loaded, &r->around, &m, &r->v);
    return r->v.no_memory ? jb_judge_no_memory(err) : JB_OK;
}

/* The lot of a charge: that of a repaid debt has no id, so no command names it. */
static jb_status
charges_lot(struct jb_judge *r, const struct jb_wallet *w, uint32_t ordinal,
            struct jb_prefetched *loaded, struct jb_error *err)
{
    const struct jb_lot *lot = jb_wallet_lot(w, ordinal);
    const struct jb_event *made;
    jb_status status = lot != NULL ? jb_state_event(r->b, lot->seq, &made, err) : JB_OK;
    bool charge = lot != NULL && status == JB_OK && made->type == JB_EV_CHARGE_SETTLED;
    loaded->ordinal = charge ? ordinal : 0;
    return status;
}

static jb_status
consumption(struct jb_judge *r, const struct jb_event *e, struct jb_prefetched *loaded,
            struct jb_error *err)
{
    jb_seq seq = e->consumption_reversed.consumption;
    const struct jb_event *found;
    if (seq == 0 || seq >= e->seq) {
        return JB_OK;
    }
    jb_status status = jb_state_event(r->b, seq, &found, err);
    if (status != JB_OK || found->type != JB_EV_CASH_CONSUMED || found->wallet != e->wallet) {
        return status;
    }
    loaded->usages = 1;
    loaded->consumption_seq = seq;
    loaded->consumption_parts = found->cash_consumed.parts.at;
    loaded->consumption_parts_n = found->cash_consumed.parts.n;
    loaded->consumption_amount = found->cash_consumed.amount;
    return jb_state_returned(r->b, seq, &loaded->last_reversal, &loaded->returned_before, err);
}

/* What the command names. A new id is looked up; what exists is named by its ordinal. */
static jb_status
look_up(struct jb_judge *r, const struct jb_wallet *w, const struct jb_event *e,
        const struct jb_command *c, struct jb_prefetched *loaded, struct jb_error *err)
{
    char kind = c->op == JB_OP_CHARGE           ? 'C'
                : c->op == JB_OP_FREE_GRANT     ? 'G'
                : c->op == JB_OP_REFUND_REQUEST ? 'R'
                                                : '\0';
    if (kind != '\0') {
        return jb_state_id(r->b, kind, w->number, c->id, &loaded->ordinal, err);
    }
    if (c->op == JB_OP_CHARGE_REVERSE) {
        return charges_lot(r, w, e->charge_reversed.lot, loaded, err);
    }
    if (c->op == JB_OP_CONSUME_REVERSE) {
        return consumption(r, e, loaded, err);
    }
    loaded->ordinal = jb_event_ordinal(e);
    return JB_OK;
}

/* The second of two documents, on the state behind the first: what it says was decided with that
 * one, and by whom it is done is asked here. */
static jb_status
end_correction(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet *w,
               const struct jb_command *c, struct jb_error *err)
{
    jb_status status = jb_judge_around(r, w, e, c, err);
    if (status != JB_OK) {
        return status;
    }
    r->v.code = JB_CODE_NONE;
    r->v.has_before = false;
    r->v.event.type = JB_EV_INVOICE_ISSUED;
    r->v.event.invoice_issued = r->correction.second;
    r->v.event.invoice_issued.outside_ref = e->invoice_issued.outside_ref;
    r->correction = (struct correction){0};
    (void)jb_admit_role(&r->around, &r->v);
    judge(r, e);
    jb_judge_role(r, e);
    return JB_OK;
}

static bool
is_second(const struct jb_judge *r, const struct jb_event *e)
{
    return r->correction.seq != 0 && e->type == JB_EV_INVOICE_ISSUED &&
           e->invoice_issued.kind == JB_INVOICE_CORRECTED;
}

static jb_status
decide_on_wallet(struct jb_judge *r, const struct jb_event *e, const struct jb_command *c,
                 struct jb_error *err)
{
    struct jb_prefetched loaded = {0};
    struct jb_cached_wallet *s = NULL;
    struct jb_error none;
    jb_status status = JB_OK;
    if (c->op == JB_OP_WALLET_CREATE) {
        status = jb_state_find(r->b, c->wallet, &s, err);
    } else if (e->wallet == 0) {
        /* of a channel, or of the ledger */
    } else if (jb_state_wallet(r->b, e->wallet, &s, &none) != JB_OK) {
        return JB_OK; /* a wallet that is not there is the fold's to say */
    } else {
        status = look_up(r, &s->w, e, c, &loaded, err);
    }
    if (status == JB_OK && s != NULL && is_second(r, e)) {
        return end_correction(r, e, &s->w, c, err);
    }
    status = status == JB_OK ? jb_judge_around(r, s != NULL ? &s->w : NULL, e, c, err) : status;
    /* Who corrects stands in the second of two documents. */
    bool first = e->type == JB_EV_INVOICE_ISSUED && e->invoice_issued.kind == JB_INVOICE_NEGATIVE &&
                 e->invoice_issued.reason == JB_INVOICE_ENTRY_ERROR;
    const struct jb_permit permit = r->around.permit;
    r->around.permit = first ? (struct jb_permit){0, 0} : permit;
    status = status == JB_OK
                 ? jb_decide_command(r, s != NULL ? &s->w : NULL, c, &loaded, e->recorded_at, err)
                 : status;
    if (status == JB_OK) {
        r->around.permit = r->v.has_before ? (struct jb_permit){0, 0} : permit;
        if (first && r->v.code == JB_CODE_NONE && !r->v.has_before) {
            (void)jb_admit_role(&r->around, &r->v);
        }
        judge(r, e);
        jb_judge_role(r, e);
    }
    return status;
}

/* What a change of the rules' numbers, or the end of a day, is asked. */
static jb_status
decide_on_ledger(struct jb_judge *r, const struct jb_event *e, const struct jb_command *c,
                 struct jb_error *err)
{
    jb_status status = jb_judge_around(r, NULL, e, c, err);
    if (status != JB_OK) {
        return status;
    }
    struct jb_decision_time m = time_of(&r->b->g, e->recorded_at);
    jb_decide_time(&r->b->g, c, &r->v, &m);
    if (r->v.code == JB_CODE_NONE && c->op == JB_OP_POLICY_SET) {
        jb_decide_policy(&r->b->g, c, &r->around, &m, &r->v);
    } else if (r->v.code == JB_CODE_NONE) {
        jb_decide_close(&r->b->g, c, &r->around, &m, &r->v);
    }
    judge(r, e);
    jb_judge_role(r, e);
    return JB_OK;
}

jb_status
jb_decide_again(struct jb_judge *r, const struct jb_event *e, struct jb_error *err)
{
    struct jb_command c;
    if (!jb_command_of(r, e, &c)) {
        return JB_OK;
    }
    return c.op == JB_OP_POLICY_SET || c.op == JB_OP_DAY_CLOSE ? decide_on_ledger(r, e, &c, err)
                                                               : decide_on_wallet(r, e, &c, err);
}
