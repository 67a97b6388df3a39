#include "event_json.h"

#include <stddef.h>
#include <stdio.h>

void
parts_json(struct out *o, const char *key, struct jb_parts parts, bool to)
{
    static const char *const words[4] = {"debt", "paid", "free", "lapsed"};
    js_open(o, key, '[');
    for (size_t i = 0; i < parts.n; i++) {
        const struct jb_part *p = &parts.at[i];
        js_open(o, NULL, '{');
        js_str(o, to ? "to" : "from", words[p->kind & 3]);
        if (p->kind == JB_PART_LOT) {
            js_uint(o, "lot", p->ordinal);
        } else if (p->kind != JB_PART_DEBT) {
            js_uint(o, "grant_no", p->ordinal);
        }
        js_int(o, "amount", p->amount);
        js_close(o, '}');
    }
    js_close(o, ']');
}

struct figure_form
figure_form(uint32_t name)
{
    static const struct figure_form forms[] = {
        [JB_FIG_STATUS] = {FIGURE_WORD, JB_LIST_WALLET_STATUS},
        [JB_FIG_NOT_OFF] = {FIGURE_WORD, JB_LIST_WALLET_STATUS},
        [JB_FIG_GRANT_STATE] = {FIGURE_WORD, JB_LIST_GRANT_STATE},
        [JB_FIG_REFUND_STATE] = {FIGURE_WORD, JB_LIST_REFUND_STATE},
        [JB_FIG_KIND] = {FIGURE_WORD, JB_LIST_WALLET_KIND},
        [JB_FIG_PERSON_STATE] = {FIGURE_WORD, JB_LIST_PERSON_STATE},
        [JB_FIG_CHANNEL_STATE] = {FIGURE_WORD, JB_LIST_CHANNEL_STATE},
        [JB_FIG_CHANNEL_KIND] = {FIGURE_WORD, JB_LIST_CHANNEL_KIND},
        [JB_FIG_BIZ_STATE] = {FIGURE_WORD, JB_LIST_BIZ_STATE},
        [JB_FIG_SALES_STATE] = {FIGURE_WORD, JB_LIST_SALES_STATE},
        [JB_FIG_INVOICE_STATE] = {FIGURE_WORD, JB_LIST_INVOICE_STATE},
        [JB_FIG_HAVE] = {FIGURE_SET, JB_LIST_ROLE},
        [JB_FIG_HAVE_NOW] = {FIGURE_SET, JB_LIST_ROLE},
        [JB_FIG_WHO] = {FIGURE_SET, JB_LIST_ROLE},
        [JB_FIG_KINDS] = {FIGURE_SET, JB_LIST_WALLET_KIND},
        [JB_FIG_EXPIRES_ON] = {FIGURE_DAY, 0},
        [JB_FIG_FIRST_OPEN_DAY] = {FIGURE_DAY, 0},
        [JB_FIG_NOW] = {FIGURE_INSTANT, 0},
        [JB_FIG_RECORDED_AT] = {FIGURE_INSTANT, 0},
        [JB_FIG_UNTIL] = {FIGURE_INSTANT, 0},
        [JB_FIG_AVAILABLE] = {FIGURE_MONEY, 0},
        [JB_FIG_REFUNDABLE] = {FIGURE_MONEY, 0},
        [JB_FIG_DEBT] = {FIGURE_MONEY, 0},
        [JB_FIG_LEFT] = {FIGURE_MONEY, 0},
        [JB_FIG_MIN_CHARGE] = {FIGURE_MONEY, 0},
        [JB_FIG_LIMIT] = {FIGURE_MONEY, 0},
        [JB_FIG_PAID_NOT_ZERO] = {FIGURE_MONEY, 0},
        [JB_FIG_MOST] = {FIGURE_MONEY, 0},
        [JB_FIG_POSTPAID_LIMIT] = {FIGURE_MONEY, 0},
        [JB_FIG_POSTPAID] = {FIGURE_MONEY, 0},
        [JB_FIG_UNINVOICED] = {FIGURE_MONEY, 0},
    };
    return name < sizeof forms / sizeof forms[0] ? forms[name]
                                                 : (struct figure_form){FIGURE_NUMBER, 0};
}

void
set_json(struct out *o, const char *key, jb_list list, uint64_t set)
{
    const struct jb_names *names = jb_names_get(list);
    js_open(o, key, '[');
    for (uint32_t i = 0; i < 64; i++) {
        const char *word = jb_name_word(names, i);
        if ((set >> i & 1) != 0 && word != NULL) {
            js_str(o, NULL, word);
        }
    }
    js_close(o, ']');
}

/* A figure as the member that explains a refusal. */
static void
figure_json(struct out *o, const struct jb_figure *f, int32_t utc_offset_s)
{
    const struct figure_form form = figure_form(f->name);
    const char *word = jb_figure_word(f->name);
    char other[32];
    if (word == NULL) {
        snprintf(other, sizeof other, "figure_%u", f->name);
        word = other;
    }
    switch (form.kind) {
    case FIGURE_WORD:
        js_str(o, word, jb_name_word(jb_names_get(form.list), (uint32_t)f->value));
        break;
    case FIGURE_SET:
        set_json(o, word, form.list, (uint64_t)f->value);
        break;
    case FIGURE_DAY:
        js_day(o, word, (jb_day)f->value);
        break;
    case FIGURE_INSTANT:
        js_instant(o, word, f->value, utc_offset_s);
        break;
    case FIGURE_MONEY:
    case FIGURE_NUMBER:
        js_int(o, word, f->value);
        break;
    }
}

static bool
is_condition(uint32_t name)
{
    return name == JB_FIG_NOT_OFF || name == JB_FIG_PAID_NOT_ZERO ||
           name == JB_FIG_REFUND_OUTSTANDING || name == JB_FIG_SALES_RIGHT ||
           name == JB_FIG_POSTPAID || name == JB_FIG_UNINVOICED;
}

static void
figures_json(struct out *o, const struct jb_figure *figures, size_t n, int32_t utc_offset_s)
{
    static const struct {
        jb_op op;
        const char *word;
    } shown[] = {
        {JB_OP_CHARGE, "charge"}, {JB_OP_CONSUME, "consume"}, {JB_OP_REFUND_REQUEST, "refund"}};
    bool conditions = false;
    for (size_t i = 0; i < n; i++) {
        if (is_condition(figures[i].name)) {
            conditions = true;
            continue;
        }
        figure_json(o, &figures[i], utc_offset_s);
        if (figures[i].name == JB_FIG_STATUS) {
            js_open(o, "allows", '[');
            for (size_t k = 0; k < sizeof shown / sizeof shown[0]; k++) {
                if (jb_wallet_allows((uint32_t)figures[i].value, shown[k].op)) {
                    js_str(o, NULL, shown[k].word);
                }
            }
            js_close(o, ']');
        }
    }
    if (conditions) {
        js_open(o, "conditions", '{');
        for (size_t i = 0; i < n; i++) {
            if (is_condition(figures[i].name)) {
                figure_json(o, &figures[i], utc_offset_s);
            }
        }
        js_close(o, '}');
    }
}

/* Which member of a group it was that failed: as in the answer from 0, where the event has it from
 * 1 and 0 for none. */
static void
index_json(struct out *o, const char *key, int64_t stored)
{
    if (stored > 0) {
        js_int(o, key, stored - 1);
    } else {
        js_null(o, key);
    }
}

/* `role` is the actor's: the one that the event is about has another name. */
static const char *
name_of(const struct jb_field_info *f)
{
    return f->names == jb_names_get(JB_LIST_ROLE) ? "person_role" : f->name;
}

static void
field_json(struct out *o, const struct jb_event *e, const struct jb_field_info *f,
           int32_t utc_offset_s)
{
    const void *at = (const char *)e + f->offset;
    char ref[64];
    switch (f->kind) {
    case JB_FK_TEXT:
        js_text(o, f->name, *(const struct jb_text *)at);
        break;
    case JB_FK_OPT_TEXT:
        if (((const struct jb_text *)at)->s != NULL) {
            js_text(o, f->name, *(const struct jb_text *)at);
        } else {
            js_null(o, f->name);
        }
        break;
    case JB_FK_ORDINAL:
    case JB_FK_UINT:
        if (at == &e->invoice_issued.month && e->type == JB_EV_INVOICE_ISSUED) {
            js_month(o, f->name, e->invoice_issued.month);
            break;
        }
        js_uint(o, f->name, *(const uint32_t *)at);
        break;
    case JB_FK_AMOUNT:
    case JB_FK_AMOUNT0:
    case JB_FK_INT:
        if (e->type == JB_EV_COMMAND_REFUSED && at == &e->command_refused.index) {
            index_json(o, f->name, e->command_refused.index);
            break;
        }
        if (e->type == JB_EV_POLICY_SET && e->policy_set.policy == JB_POLICY_INVOICE_FROM &&
            at == &e->policy_set.value) {
            js_month(o, f->name, (uint32_t)e->policy_set.value);
            break;
        }
        js_int(o, f->name, *(const int64_t *)at);
        break;
    case JB_FK_NAME:
        js_str(o, name_of(f), jb_name_word(f->names, *(const uint32_t *)at));
        break;
    case JB_FK_BOOL:
        js_bool(o, f->name, *(const bool *)at);
        break;
    case JB_FK_REF:
        /* Personal texts lie in people.mdb: an event shows which, not what. */
        snprintf(ref, sizeof ref, "%s_ref", f->name);
        js_uint(o, ref, *(const uint64_t *)at);
        break;
    case JB_FK_SEQ:
        js_uint(o, f->name, *(const uint64_t *)at);
        break;
    case JB_FK_DAY:
        js_day(o, f->name, *(const jb_day *)at);
        break;
    case JB_FK_OPT_INSTANT:
        js_instant(o, f->name, *(const jb_instant *)at, utc_offset_s);
        break;
    case JB_FK_ID16:
        js_hex(o, f->name, at, 16);
        break;
    case JB_FK_SPLIT:
    case JB_FK_PARTS_FROM:
        parts_json(o, f->name, *(const struct jb_parts *)at, false);
        break;
    case JB_FK_PARTS_TO:
        parts_json(o, f->name, *(const struct jb_parts *)at, true);
        break;
    case JB_FK_FIGURES:
        js_open(o, f->name, '{');
        figures_json(o, ((const struct jb_figures *)at)->at, ((const struct jb_figures *)at)->n,
                     utc_offset_s);
        js_close(o, '}');
        break;
    case JB_FK_TOTALS:
        js_open(o, f->name, '{');
        for (uint32_t i = 0; i < ((const struct jb_totals *)at)->n; i++) {
            js_wide(o, jb_total_word(i), ((const struct jb_totals *)at)->at[i].be);
        }
        js_close(o, '}');
        break;
    }
}

static void
all_fields(struct out *o, const struct jb_event *e, struct jb_text wallet, int32_t utc_offset_s)
{
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    for (uint32_t i = 0; type != NULL && i < type->fields_n; i++) {
        const struct jb_field_info *f = &type->fields[i];
        if (f->since > e->version) {
            continue;
        }
        if (e->type == JB_EV_COMMAND_REFUSED && wallet.s != NULL &&
            f->offset == offsetof(struct jb_event, command_refused.wallet_id)) {
            js_text(o, f->name, wallet); /* the event has only the number */
        } else {
            field_json(o, e, f, utc_offset_s);
        }
    }
}

uint32_t
event_wallet(const struct jb_event *e)
{
    if (e->type == JB_EV_FORGOTTEN) {
        return e->forgotten.wallet_no;
    }
    return e->wallet != 0 || e->type != JB_EV_COMMAND_REFUSED || e->version < 2
               ? e->wallet
               : e->command_refused.wallet_no;
}

uint64_t
event_channel(const struct jb_event *e)
{
    const bool belongs = (e->flags & JB_EVF_SUBJECT) != 0 && e->subject_kind == JB_SUBJECT_CHANNEL;
    return (e->flags & JB_EVF_CHANNEL) != 0 ? e->channel : belongs ? e->subject : 0;
}

static void
channel_json(struct out *o, const struct jb_event *e, const struct event_ids *ids)
{
    if ((e->flags & JB_EVF_CHANNEL) == 0) {
        return;
    }
    if (ids->channel.s != NULL) {
        js_text(o, "channel", ids->channel);
    } else {
        js_uint(o, "channel", e->channel);
    }
}

static void
subject_json(struct out *o, const struct jb_event *e, const struct event_ids *ids)
{
    if ((e->flags & JB_EVF_SUBJECT) == 0) {
        return;
    }
    js_open(o, "subject", '{');
    js_str(o, "kind", jb_subject_word(e->subject_kind));
    js_uint(o, "number", e->subject);
    if (ids->channel.s != NULL && e->subject_kind == JB_SUBJECT_CHANNEL &&
        e->subject == event_channel(e)) {
        js_text(o, "id", ids->channel);
    }
    js_uint(o, "prev", e->subject_prev);
    js_close(o, '}');
}

void
event_json_open(struct out *o, const struct jb_event *e, const struct event_ids *ids,
                int32_t utc_offset_s)
{
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    js_open(o, NULL, '{');
    js_uint(o, "seq", e->seq);
    js_str(o, "type", type != NULL ? type->name : "unknown");
    if (type == NULL) {
        js_uint(o, "type_number", e->type);
    }
    if (ids->wallet.s != NULL && e->wallet != 0) {
        js_text(o, "wallet", ids->wallet);
    } else {
        js_null(o, "wallet");
    }
    js_instant(o, "recorded_at", e->recorded_at, utc_offset_s);
    js_instant(o, "occurred_at", e->occurred_at, utc_offset_s);
    js_day(o, "posted_on", e->posted_on);
    js_uint(o, "prev", e->prev);
    if (e->flags & JB_EVF_KEY) {
        js_text(o, "key", e->key);
        js_text(o, "caller", e->caller);
    }
    if (e->flags & JB_EVF_ACTOR) {
        js_uint(o, "actor_ref", e->actor);
        js_text(o, "role", e->role);
    }
    if (e->flags & JB_EVF_NOTE) {
        js_uint(o, "note_ref", e->note);
    }
    if (e->flags & JB_EVF_CAUSE) {
        js_uint(o, "cause", e->cause);
    }
    if (e->flags & JB_EVF_GROUP) {
        js_uint(o, "group_events", e->group_events);
        js_uint(o, "group_commands", e->group_commands);
    }
    channel_json(o, e, ids);
    subject_json(o, e, ids);
    all_fields(o, e, ids->wallet, utc_offset_s);
}

void
event_fields_json(struct out *o, const struct jb_event *e, int32_t utc_offset_s)
{
    all_fields(o, e, (struct jb_text){0}, utc_offset_s);
}

/* ---- answers ---- */

struct part_sums
parts_sum(const struct jb_event *e)
{
    struct part_sums s = {0};
    const struct jb_parts parts = jb_event_parts(e);
    for (uint32_t i = 0; i < parts.n; i++) {
        const struct jb_part *p = &parts.at[i];
        *(p->kind == JB_PART_DEBT    ? &s.debt
          : p->kind == JB_PART_LOT   ? &s.paid
          : p->kind == JB_PART_GRANT ? &s.free
                                     : &s.lapsed) += p->amount;
    }
    return s;
}

static void
result_json(struct out *o, const struct jb_event *e, int32_t utc_offset_s)
{
    const struct jb_parts parts = jb_event_parts(e);
    struct part_sums s = {0};
    switch (e->type) {
    case JB_EV_CHARGE_SETTLED:
        js_int(o, "amount", jb_event_amount(e));
        js_int(o, "applied_to_debt", e->charge_settled.applied_to_debt);
        break;
    case JB_EV_CHARGE_REVERSED:
        js_int(o, "amount", jb_event_amount(e));
        parts_json(o, "parts", parts, false);
        break;
    case JB_EV_CASH_CONSUMED:
        s = parts_sum(e);
        js_int(o, "amount", jb_event_amount(e));
        js_int(o, "free", s.free);
        js_int(o, "paid", s.paid);
        js_int(o, "debt", s.debt);
        parts_json(o, "parts", parts, false);
        break;
    case JB_EV_CONSUMPTION_REVERSED:
        s = parts_sum(e);
        js_int(o, "amount", jb_event_amount(e));
        js_int(o, "free", s.free);
        js_int(o, "paid", s.paid);
        js_int(o, "debt", s.debt);
        js_int(o, "lapsed", s.lapsed);
        parts_json(o, "parts", parts, true);
        break;
    case JB_EV_REFUND_REQUESTED:
        js_int(o, "amount", jb_event_amount(e));
        js_str(o, "scope", jb_name_word(jb_names_get(JB_LIST_SCOPE), e->refund_requested.scope));
        break;
    case JB_EV_REFUND_APPROVED:
        js_int(o, "amount", jb_event_amount(e));
        js_str(o, "outcome", "APPROVED");
        parts_json(o, "parts", parts, false);
        break;
    case JB_EV_REFUND_FAILED:
        js_int(o, "amount", jb_event_amount(e));
        if (e->refund_failed.why == JB_FAILURE_BALANCE) { /* not covered at approval */
            js_str(o, "outcome", "FAILED");
            js_str(o, "why", "BALANCE");
            parts_json(o, "parts", parts, false);
        } else {
            s = parts_sum(e);
            js_int(o, "paid", s.paid);
            js_int(o, "debt", s.debt);
            parts_json(o, "parts", parts, true);
        }
        break;
    case JB_EV_WALLET_DELETED:
        js_int(o, "forfeited", e->wallet_deleted.forfeited);
        break;
    case JB_EV_DAY_CLOSED:
        js_day(o, "day", e->day_closed.day);
        break;
    case JB_EV_MEMBER_INVITED:
        js_instant(o, "until", e->member_invited.until, utc_offset_s);
        break;
    case JB_EV_SEARCH_ID_SET: /* in NFC, which the command may not have been */
        js_text(o, "search_id", e->search_id_set.search_id);
        break;
    case JB_EV_BIZ_REQUESTED:
        js_uint(o, "base", e->biz_requested.base);
        break;
    case JB_EV_SALES_RELEASED:
        js_text(o, "agency", e->sales_released.agency);
        break;
    case JB_EV_INVOICE_ISSUED:
        js_uint(o, "invoice", e->invoice_issued.invoice);
        js_str(o, "kind", jb_name_word(jb_names_get(JB_LIST_INVOICE_KIND), e->invoice_issued.kind));
        js_month(o, "month", e->invoice_issued.month);
        js_int(o, "supply", e->invoice_issued.total - e->invoice_issued.vat);
        js_int(o, "vat", e->invoice_issued.vat);
        js_int(o, "total", e->invoice_issued.total);
        js_day(o, "written_on", e->invoice_issued.written_on);
        break;
    case JB_EV_INVOICE_CONFIRMED:
        js_uint(o, "invoice", e->invoice_confirmed.invoice);
        break;
    case JB_EV_INVOICE_FAILED:
        js_uint(o, "invoice", e->invoice_failed.invoice);
        break;
    case JB_EV_INVOICE_MAILED:
        js_uint(o, "invoice", e->invoice_mailed.invoice);
        break;
    case JB_EV_SETTLEMENT_CHANGED:
        js_str(o, "settlement",
               jb_name_word(jb_names_get(JB_LIST_SETTLEMENT), e->settlement_changed.settlement));
        js_int(o, "limit", e->settlement_changed.limit);
        break;
    default:
        if (jb_event_amount(e) != 0) {
            js_int(o, "amount", jb_event_amount(e));
        }
        break;
    }
}

void
balance_members_json(struct out *o, const struct jb_balance *b)
{
    js_str(o, "status", jb_name_word(jb_names_get(JB_LIST_WALLET_STATUS), b->status));
    js_int(o, "paid", b->paid);
    js_int(o, "free", b->free);
    js_int(o, "free_dormant", b->free_dormant);
    js_int(o, "total", b->total);
    js_int(o, "refundable", b->refundable);
    js_int(o, "refund_pending", b->refund_pending);
    js_int(o, "refund_in_transit", b->refund_in_transit);
    js_int(o, "debt", b->debt);
}

void
answer_json(struct out *o, const struct jb_answer *a, uint64_t line, struct jb_text key,
            int32_t utc_offset_s)
{
    js_open(o, NULL, '{');
    js_bool(o, "ok", a->code == JB_CODE_NONE && a->outcome != JB_UNKNOWN);
    if (line != 0) {
        js_uint(o, "line", line);
    }
    if (key.s != NULL) {
        js_text(o, "key", key);
    }
    if (a->outcome == JB_UNKNOWN) {
        js_str(o, "outcome", "UNKNOWN");
    }
    if (a->code != JB_CODE_NONE) {
        js_str(o, "code", jb_code_word((uint32_t)a->code));
        js_sentence(o, "message", jb_answer_message(a));
        if (a->code == JB_CODE_KEY_CONFLICT || a->seq != 0) {
            js_uint(o, "seq", a->seq);
        }
        if (a->code != JB_CODE_KEY_CONFLICT) {
            size_t n;
            const struct jb_figure *figures = jb_answer_figures(a, &n);
            figures_json(o, figures, n, utc_offset_s);
        }
        if (a->index >= 0) {
            js_int(o, "index", a->index);
        }
    } else {
        if (a->seq != 0) {
            js_uint(o, "seq", a->seq);
        }
        if (a->wallet_version != 0) {
            js_uint(o, "wallet_version", a->wallet_version);
        }
        if (jb_answer_members(a) > 0) {
            js_open(o, "results", '[');
            for (size_t i = 0; i < jb_answer_members(a); i++) {
                answer_json(o, jb_answer_member_at(a, i), 0, (struct jb_text){0}, utc_offset_s);
            }
            js_close(o, ']');
        } else if (jb_answer_event(a) != NULL) {
            result_json(o, jb_answer_event(a), utc_offset_s);
        }
        if (jb_answer_negative(a) != 0) {
            js_uint(o, "negative", jb_answer_negative(a));
        }
        if (a->same_txn != 0) {
            js_uint(o, "same_txn", a->same_txn);
        }
    }
    if (a->outcome == JB_DUPLICATE) {
        js_bool(o, "duplicate", true);
        if (!a->content_checked) {
            js_bool(o, "content_checked", false);
        }
    }
    if (a->dry_run) {
        js_bool(o, "dry_run", true);
    }
    if (jb_answer_balance(a) != NULL) {
        js_open(o, "balance", '{');
        balance_members_json(o, jb_answer_balance(a));
        js_close(o, '}');
    }
    js_close(o, '}');
}

const char *
bad_word(const struct bad_line *bad)
{
    return bad->word != NULL ? bad->word : jb_code_word((uint32_t)bad->code);
}

void
bad_line_json(struct out *o, const struct bad_line *bad, uint64_t line, struct jb_text key)
{
    js_open(o, NULL, '{');
    js_bool(o, "ok", false);
    if (line != 0) {
        js_uint(o, "line", line);
    }
    if (key.s != NULL) {
        js_text(o, "key", key);
    }
    js_str(o, "code", bad_word(bad));
    js_sentence(o, "message", bad->message);
    if (bad->column > 0) {
        js_int(o, "column", bad->column);
    }
    if (bad->field[0] != '\0') {
        js_sentence(o, "field", bad->field);
    }
    js_close(o, '}');
}
