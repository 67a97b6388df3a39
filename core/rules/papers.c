/* Tax invoices, and notices. docs/rules.md section 15. */
#include "base/calendar.h"
#include "event/names.h"
#include "rules/rules.h"

static void
done(const struct jb_case *k, struct jb_verdict *v)
{
    v->event.type = jb_op_get((uint32_t)k->c->op)->event_type;
}

/* By hand of any grant that can still lapse, as often as somebody likes. */
void
jb_rule_notice_send(const struct jb_case *k, struct jb_verdict *v)
{
    const struct jb_grant *g =
        k->loaded->ordinal != 0 ? jb_wallet_grant(k->w, k->loaded->ordinal) : NULL;
    if (g == NULL) {
        jb_refuse(v, JB_CODE_GRANT_UNKNOWN);
        return;
    }
    if (g->expires_on < k->m->today) {
        jb_refuse_with(v, JB_CODE_GRANT_EXPIRED, JB_FIG_EXPIRES_ON, g->expires_on);
        return;
    }
    if (!jb_grant_unfinished(g, k->m->today)) {
        bool used_up = g->state == JB_GRANT_IN_USE;
        jb_refuse_with(v, JB_CODE_GRANT_STATE, JB_FIG_GRANT_STATE,
                       used_up ? (int64_t)JB_GRANT_USED_UP : (int64_t)g->state);
        return;
    }
    done(k, v);
    v->event.notice_sent.grant_no = g->ordinal;
}

/* ---- what all of them ask ---- */

/* The reason that the command names is one of two; none where it names none. */
static bool
reason_of(const struct jb_case *k, uint32_t one, uint32_t other, uint32_t *ret,
          struct jb_verdict *v)
{
    *ret = JB_INVOICE_NO_REASON;
    if (!jb_given(k->c, JB_CF_REASON)) {
        return true;
    }
    bool known = jb_name_number(&jb_invoice_reason_names, k->c->reason.s, k->c->reason.n, ret);
    if (!known || (*ret != one && *ret != other)) {
        jb_refuse(v, JB_CODE_INVOICE_REASON);
        return false;
    }
    return true;
}

static bool
none_pending(const struct jb_papers *p, struct jb_verdict *v)
{
    if (p->month.pending_n > 0) {
        jb_refuse_with(v, JB_CODE_INVOICE_PENDING, JB_FIG_INVOICE, (int64_t)p->month.pending);
    }
    return v->code == JB_CODE_NONE;
}

static bool
has_business(const struct jb_papers *p, struct jb_verdict *v)
{
    if (p->business == 0) {
        jb_refuse(v, JB_CODE_NO_BUSINESS_INFO);
    }
    return v->code == JB_CODE_NONE;
}

/* ---- issuing ---- */

/* The days that are due close before the event of a command that is accepted: they count as closed,
 * so that the decision is the same either way. */
static bool
is_over(const struct jb_case *k, struct jb_verdict *v)
{
    jb_day open = jb_open_after_due(k->g, k->m->recorded_at);
    if (open > jb_month_last(k->c->month)) {
        return true;
    }
    jb_refuse_with(v, JB_CODE_MONTH_OPEN, JB_FIG_FIRST_OPEN_DAY, open);
    return false;
}

/* That of the month's end: it is one for all documents of the month. */
static int64_t
rate_of(const struct jb_case *k, uint32_t month)
{
    jb_instant end = jb_day_start(jb_month_last(month) + 1, k->g->utc_offset_s) - 1;
    return jb_policy_at(k->g, JB_POLICY_VAT_RATE, end);
}

/* An ORIGINAL has no reason; a DELTA one, RESCINDED only if nothing is left of the month. */
static bool
reason_fits(const struct jb_papers *p, uint32_t reason, struct jb_verdict *v)
{
    bool original = p->month.original == 0;
    if ((original && reason != JB_INVOICE_NO_REASON) ||
        (reason == JB_INVOICE_RESCINDED && p->month.net != 0)) {
        jb_refuse(v, JB_CODE_INVOICE_REASON);
    }
    return v->code == JB_CODE_NONE;
}

void
jb_rule_invoice_issue(const struct jb_case *k, struct jb_verdict *v)
{
    const struct jb_papers *p = &k->a->papers;
    const struct jb_tax_month *m = &p->month;
    uint32_t reason;
    if (!reason_of(k, JB_INVOICE_AMOUNT_CHANGED, JB_INVOICE_RESCINDED, &reason, v) ||
        !is_over(k, v)) {
        return;
    }
    if (m->net == m->covered) {
        jb_refuse(v, JB_CODE_NOTHING_TO_INVOICE);
        return;
    }
    if (!has_business(p, v) || !none_pending(p, v) || !reason_fits(p, reason, v)) {
        return;
    }
    bool original = m->original == 0;
    int64_t rate = rate_of(k, k->c->month);
    bool unsaid = !original && reason == JB_INVOICE_NO_REASON;
    done(k, v);
    v->event.invoice_issued = (struct jb_invoice_issued){
        .invoice = k->g->invoices + 1,
        .original = m->original,
        .business = p->business,
        .email = k->a->wallet.email,
        .after = m->through,
        .through = m->newest,
        .total = m->net - m->covered,
        .vat = jb_vat_of(m->net, rate) - jb_vat_of(m->covered, rate),
        .kind = original ? JB_INVOICE_ORIGINAL : JB_INVOICE_DELTA,
        .reason = unsaid ? (uint32_t)JB_INVOICE_AMOUNT_CHANGED : reason,
        .month = k->c->month,
        .written_on = original ? jb_month_last(k->c->month) : p->newest_on};
}

/* ---- correcting ---- */

/* The document named can be spoken of: it is the wallet's. */
static bool
is_known(const struct jb_case *k, struct jb_verdict *v)
{
    if (k->a->papers.invoice.wallet == 0) {
        jb_refuse(v, JB_CODE_INVOICE_UNKNOWN);
    }
    return v->code == JB_CODE_NONE;
}

static bool
refuse_state(const struct jb_papers *p, struct jb_verdict *v)
{
    jb_refuse_with(v, JB_CODE_INVOICE_STATE, JB_FIG_INVOICE_STATE, (int64_t)p->invoice.state);
    return false;
}

/* What of the slice is missing. */
struct missing {
    bool negative, corrected;
};

/* Whether the reason is one for the slice as it is. */
static bool
find_missing(const struct jb_case *k, uint32_t reason, struct missing *ret, struct jb_verdict *v)
{
    const struct jb_papers *p = &k->a->papers;
    const struct jb_slice *s = &p->slice;
    bool twice = reason == JB_INVOICE_ISSUED_TWICE;
    *ret = (struct missing){s->standing != 0, !twice};
    if (s->standing == 0) { /* all of it is taken back: what stands for it is missing */
        return twice ? refuse_state(p, v) : true;
    }
    if (s->extra != 0) { /* two stand for it: the older one is to be taken back */
        ret->corrected = false;
        if (twice) {
            jb_refuse(v, JB_CODE_INVOICE_REASON);
        }
        return !twice;
    }
    return k->c->invoice == s->standing ? true : refuse_state(p, v);
}

/* A document of the slice beside those that there are. */
static struct jb_invoice_issued
beside(const struct jb_case *k, uint32_t kind, uint32_t reason, uint64_t number)
{
    const struct jb_papers *p = &k->a->papers;
    const struct jb_slice *s = &p->slice;
    bool negative = kind == JB_INVOICE_NEGATIVE;
    uint64_t back = s->extra != 0 ? s->extra : s->standing;
    return (struct jb_invoice_issued){.invoice = number,
                                      .original = back != 0 ? back : s->replaced,
                                      .business = negative ? p->back.business : p->business,
                                      .email = k->a->wallet.email,
                                      .after = s->after,
                                      .through = s->through,
                                      .total = negative ? -s->rows : s->rows,
                                      .vat = negative ? -s->vat : s->vat,
                                      .kind = kind,
                                      .reason = reason,
                                      .month = p->month_no,
                                      .written_on = (jb_day)s->written_on};
}

void
jb_rule_invoice_correct(const struct jb_case *k, struct jb_verdict *v)
{
    const struct jb_papers *p = &k->a->papers;
    struct missing missing;
    uint32_t reason;
    if (!reason_of(k, JB_INVOICE_ENTRY_ERROR, JB_INVOICE_ISSUED_TWICE, &reason, v) ||
        !is_known(k, v)) {
        return;
    }
    if (p->invoice.state != JB_INVOICE_CONFIRMED || p->invoice.kind == JB_INVOICE_NEGATIVE) {
        refuse_state(p, v);
        return;
    }
    if (!none_pending(p, v) || !find_missing(k, reason, &missing, v) ||
        (missing.corrected && !has_business(p, v))) {
        return;
    }
    uint64_t number = k->g->invoices + 1;
    bool both = missing.negative && missing.corrected;
    uint32_t last = missing.corrected ? JB_INVOICE_CORRECTED : JB_INVOICE_NEGATIVE;
    done(k, v);
    v->event.invoice_issued = beside(k, last, reason, number + both);
    v->event.invoice_issued.outside_ref = jb_given_text(k->c, JB_CF_REF, k->c->ref);
    if (both) {
        memset(&v->before, 0, sizeof v->before);
        v->before.type = JB_EV_INVOICE_ISSUED;
        v->before.wallet = k->w->number;
        v->before.invoice_issued = beside(k, JB_INVOICE_NEGATIVE, reason, number);
        v->has_before = true;
    }
}

/* ---- what became of it ---- */

/* invoice.confirm, invoice.fail: once. */
void
jb_rule_invoice_end(const struct jb_case *k, struct jb_verdict *v)
{
    const struct jb_papers *p = &k->a->papers;
    if (!is_known(k, v)) {
        return;
    }
    if (p->invoice.state != JB_INVOICE_ISSUED) {
        refuse_state(p, v);
        return;
    }
    done(k, v);
    if (k->c->op == JB_OP_INVOICE_CONFIRM) {
        v->event.invoice_confirmed = (struct jb_invoice_confirmed){
            k->c->invoice, jb_given_text(k->c, JB_CF_APPROVE_NO, k->c->approve_no)};
    } else {
        v->event.invoice_failed = (struct jb_invoice_failed){k->c->invoice, k->c->why};
    }
}

/* It tells what happened: in any state. */
void
jb_rule_invoice_mail(const struct jb_case *k, struct jb_verdict *v)
{
    const struct jb_papers *p = &k->a->papers;
    if (!is_known(k, v)) {
        return;
    }
    done(k, v);
    v->event.invoice_mailed = (struct jb_invoice_mailed){
        .invoice = k->c->invoice,
        .result = k->c->result,
        .email = p->invoice_email != 0 ? p->invoice_email : k->a->wallet.email};
}
