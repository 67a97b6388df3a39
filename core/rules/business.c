/* Business information, the sales right, settlement. docs/rules.md sections 12 and 13. */
#include "rules/rules.h"

static void
done(const struct jb_case *k, struct jb_verdict *v)
{
    v->event.type = jb_op_get((uint32_t)k->c->op)->event_type;
}

void
jb_rule_biz_request(const struct jb_case *k, struct jb_verdict *v)
{
    if (k->a->biz.number != 0 && k->a->biz.number != jb_biz_number_of(k->c->biz)) {
        jb_refuse_with(v, JB_CODE_BIZ_NUMBER, JB_FIG_SEQ, (int64_t)k->a->biz.fixed);
        return;
    }
    done(k, v);
    v->event.biz_requested.biz = k->c->biz;
    v->event.biz_requested.base = k->a->number.approved;
}

void
jb_rule_biz_review(const struct jb_case *k, struct jb_verdict *v)
{
    bool approve = k->c->op == JB_OP_BIZ_APPROVE;
    const struct jb_around *a = k->a;
    if (a->biz.open == 0 || a->biz.open != k->c->seq) {
        jb_refuse_with(v, JB_CODE_BIZ_STATE, JB_FIG_BIZ_STATE, JB_BIZ_NONE);
        return;
    }
    if (approve && a->biz.open_base != a->number.approved) {
        /* Asked against a record that is another one by now: it would undo the newer. */
        jb_refuse_with(v, JB_CODE_BIZ_STATE, JB_FIG_BIZ_STATE, JB_BIZ_STALE);
        return;
    }
    done(k, v);
    *(approve ? &v->event.biz_approved.request : &v->event.biz_refused.request) = k->c->seq;
}

void
jb_rule_invoice_email(const struct jb_case *k, struct jb_verdict *v)
{
    if (k->a->same_email) {
        jb_refuse(v, JB_CODE_UNCHANGED);
        return;
    }
    done(k, v);
}

/* request: of an agency that has neither asked nor got it; accept, refuse: of one that has asked;
 * release: of the one that has it. */
void
jb_rule_sales(const struct jb_case *k, struct jb_verdict *v)
{
    uint32_t wanted = k->c->op == JB_OP_SALES_REQUEST   ? JB_SALES_NONE
                      : k->c->op == JB_OP_SALES_RELEASE ? JB_SALES_HELD
                                                        : JB_SALES_REQUESTED;
    if (k->a->sales_state != wanted) {
        jb_refuse_with(v, JB_CODE_SALES_STATE, JB_FIG_SALES_STATE, k->a->sales_state);
        return;
    }
    done(k, v);
    /* The four payloads are one text each. */
    v->event.sales_requested.agency = k->c->op == JB_OP_SALES_RELEASE
                                          ? (struct jb_text){k->a->agency_id, k->a->agency_id_n}
                                          : k->c->agency;
}

void
jb_rule_settlement(const struct jb_case *k, struct jb_verdict *v)
{
    jb_amount limit = jb_given(k->c, JB_CF_LIMIT) ? k->c->limit : jb_rest(k->w)->limit;
    if (k->c->settlement == k->w->settlement && limit == jb_rest(k->w)->limit) {
        jb_refuse(v, JB_CODE_UNCHANGED);
        return;
    }
    done(k, v);
    v->event.settlement_changed.settlement = k->c->settlement;
    v->event.settlement_changed.limit = limit;
}
