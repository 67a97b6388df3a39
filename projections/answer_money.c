/* The questions about a wallet and its money: 1 to 4. */
#include "projections/answer.h"

static enum say
state_word(uint32_t status)
{
    switch (status) {
    case JB_WALLET_OFF:
        return SAY_OFF;
    case JB_WALLET_SUSPENDED:
        return SAY_SUSPENDED;
    case JB_WALLET_DELETED:
        return SAY_DELETED;
    default:
        return SAY_ACTIVE;
    }
}

/* ---- since when it is in its state ---- */

static const uint32_t states[] = {JB_EV_WALLET_CREATED,    JB_EV_WALLET_TURNED_OFF,
                                  JB_EV_WALLET_TURNED_ON,  JB_EV_WALLET_SUSPENDED,
                                  JB_EV_SUSPENSION_LIFTED, JB_EV_WALLET_DELETED};

static bool
is_state(void *data, const struct jb_event *e)
{
    *(jb_instant *)data = e->recorded_at;
    return true;
}

static jb_status
since(struct answering *a, jb_instant *ret)
{
    bool found;
    *ret = JB_NO_INSTANT;
    return answer_newest(a, states, sizeof states / sizeof states[0], is_state, ret, &found);
}

/* ---- what a total is made of ---- */

/* Grants that have something left and whose last day is not over. */
struct grants {
    struct answering *a;
    jb_day today;
    bool dormant_alone;
    uint32_t dormant_n;
    jb_day first_day;
};

static bool
each_grant(void *data, const struct jb_grant_row *row)
{
    struct grants *g = data;
    bool dormant = row->state == JB_GRANT_DORMANT;
    if (row->left == 0 || row->expires_on < g->today) {
        return true;
    }
    if (dormant) {
        g->first_day =
            g->dormant_n == 0 || row->expires_on < g->first_day ? row->expires_on : g->first_day;
        g->dormant_n++;
    }
    if (dormant || !g->dormant_alone) {
        answer_event(g->a, row->event->seq);
    }
    return true;
}

static jb_status
ask_grants(struct answering *a, bool dormant_alone, struct grants *g)
{
    const struct jb_as_of as_of = {.kind = JB_AS_OF_SEQ, .seq = a->as_of.seq};
    char cursor[JB_CURSOR_TEXT_BYTES] = "";
    *g = (struct grants){.a = a,
                         .today = jb_day_of(a->as_of.at, a->v->info.utc_offset_s),
                         .dormant_alone = dormant_alone};
    jb_status status;
    do {
        status = jb_grants_get(a->v, a->q->wallet, JB_WHICH_OPEN, cursor[0] == '\0' ? &as_of : NULL,
                               cursor, JB_PAGE_ROWS_MAX, each_grant, g, cursor, NULL, a->err);
    } while (status == JB_OK && cursor[0] != '\0');
    return status;
}

static bool
each_lot(void *data, const struct jb_lot_row *row)
{
    struct answering *a = data;
    answer_event(a, row->event->seq);
    return a->events.n < JB_REPLY_EVENTS_MAX;
}

/* What moved money last: with its running balance it stands in the history. */
static jb_status
ask_moved(struct answering *a)
{
    struct jb_view_read q;
    struct jb_summary summary;
    jb_status status = jb_view_read_begin(a->v, a->as_of.seq, &q, a->err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_view_read_summary(&q, a->who.number, a->as_of.seq, &summary, a->err);
    if (status == JB_OK) {
        answer_event(a, summary.moved);
        jb_summary_free(&summary);
    }
    jb_view_read_end(&q);
    return status;
}

/* The lots with paid cash, and what moved money last. */
static jb_status
ask_paid(struct answering *a)
{
    const struct jb_as_of as_of = {.kind = JB_AS_OF_SEQ, .seq = a->as_of.seq};
    jb_status status = jb_lots_get(a->v, a->q->wallet, JB_WHICH_OPEN, &as_of, NULL,
                                   JB_PAGE_ROWS_MAX, each_lot, a, NULL, NULL, a->err);
    return status == JB_OK ? ask_moved(a) : status;
}

/* ---- 1 ---- */

static bool
each_refund(void *data, const struct jb_refund_row *row)
{
    struct answering *a = data;
    answer_event(a, row->event->seq);
    return a->events.n < JB_REPLY_EVENTS_MAX;
}

static jb_status
ask_refunds(struct answering *a)
{
    const struct jb_as_of as_of = {.kind = JB_AS_OF_SEQ, .seq = a->as_of.seq};
    return jb_refunds_get(a->v, a->q->wallet, JB_WHICH_OPEN, &as_of, NULL, JB_PAGE_ROWS_MAX,
                          each_refund, a, NULL, NULL, a->err);
}

static bool
is_any(void *data, const struct jb_event *e)
{
    (void)data;
    (void)e;
    return true;
}

/* The agency that an event gave the sales right. */
static jb_status
agency_of(struct answering *a, jb_seq seq, const char **ret)
{
    jb_cursor *c;
    const struct jb_event *e;
    jb_status status = jb_cursor_open(a->v->l, 1, &c, a->err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_cursor_at(c, seq, &e, a->err);
    *ret = status == JB_OK && e->type == JB_EV_SALES_ACCEPTED
               ? answer_text(a, e->sales_accepted.agency)
               : "";
    jb_cursor_close(c);
    answer_event(a, seq);
    return status;
}

static const char *
state_left(struct answering *a, const struct jb_condition *c)
{
    return answer_piece(a, c->remedy == JB_OP_WALLET_LIFT ? SAY_LEFT_LIFT : SAY_LEFT_OFF, "state",
                        answer_piece(a, state_word((uint32_t)c->figure), NULL), NULL);
}

static const char *
paid_left(struct answering *a, const struct jb_condition *c)
{
    enum say say = c->figure > 0                   ? SAY_LEFT_PAID
                   : c->remedy == JB_OP_DEBT_REPAY ? SAY_LEFT_REPAY
                                                   : SAY_LEFT_DEBT;
    return answer_piece(a, say, "amount", answer_money(a, c->figure < 0 ? -c->figure : c->figure),
                        NULL);
}

static const char *
uninvoiced_left(struct answering *a, const struct jb_condition *c, const struct jb_can_delete *d)
{
    const char *amount = answer_money(a, c->figure);
    return d->uninvoiced_from == JB_NO_DAY
               ? answer_piece(a, SAY_LEFT_PAPERS, "n", answer_number(a, d->papers), "amount",
                              amount, NULL)
           : d->uninvoiced_from == d->uninvoiced_all_from
               ? answer_piece(a, SAY_LEFT_UNINVOICED, "amount", amount, "from",
                              answer_day(a, d->uninvoiced_from), NULL)
               : answer_piece(a, SAY_LEFT_UNINVOICED_MONTHS, "amount", amount, "from",
                              answer_day(a, d->uninvoiced_from), "all",
                              answer_day(a, d->uninvoiced_all_from), NULL);
}

/* A condition that is in the way, and its events. */
static jb_status
condition_left(struct answering *a, const struct jb_can_delete *d, const struct jb_condition *c,
               const char **ret)
{
    static const uint32_t settlements[] = {JB_EV_SETTLEMENT_CHANGED};
    const char *agency = "";
    const char *name = jb_figure_word(c->name);
    jb_instant at;
    bool found;
    jb_status status;
    switch (c->name) {
    case JB_FIG_NOT_OFF:
        *ret = state_left(a, c);
        return since(a, &at);
    case JB_FIG_SALES_RIGHT:
        status = agency_of(a, (jb_seq)c->figure, &agency);
        *ret = answer_piece(a, SAY_LEFT_SALES, "agency", agency, NULL);
        return status;
    case JB_FIG_PAID_NOT_ZERO:
        *ret = paid_left(a, c);
        return ask_paid(a);
    case JB_FIG_POSTPAID:
        *ret = answer_piece(a, SAY_LEFT_POSTPAID, "limit", answer_money(a, c->figure), NULL);
        return answer_newest(a, settlements, 1, is_any, NULL, &found);
    case JB_FIG_REFUND_OUTSTANDING:
        *ret = answer_piece(a, SAY_LEFT_REFUNDS, "n", answer_number(a, (uint64_t)c->figure), NULL);
        return ask_refunds(a);
    case JB_FIG_UNINVOICED:
        *ret = uninvoiced_left(a, c, d);
        return JB_OK;
    default: /* one that the table got and this does not know yet: its word is better than nothing
              */
        *ret = answer_piece(a, SAY_LEFT_OTHER, "name", name != NULL ? name : "?", NULL);
        return JB_OK;
    }
}

jb_status
answer_delete(struct answering *a)
{
    struct jb_can_delete d = JB_SIZED(struct jb_can_delete);
    const char *list = "";
    uint64_t left = 0;
    jb_instant at;
    struct grants grants;
    jb_status status = jb_can_delete_get(a->v->l, a->q->wallet, &d, a->err);
    a->as_of = (struct jb_moment){d.seq, d.at};
    a->again = status == JB_OK && d.status == JB_WALLET_DELETED; /* since it was looked at */
    for (uint32_t i = 0; i < d.conditions_n && status == JB_OK; i++) {
        const char *what = "";
        if (d.conditions[i].met == 0) {
            status = condition_left(a, &d, &d.conditions[i], &what);
            list = answer_and(a, list, what);
            left++;
        }
    }
    if (status != JB_OK) {
        return status;
    }
    if (d.can_delete == 0) {
        answer_say(a, SAY_CANNOT_DELETE, "n", answer_number(a, left), "list", list, NULL);
        return JB_OK;
    }
    answer_say(a, SAY_CAN_DELETE, "forfeit", answer_money(a, d.forfeits), NULL);
    status = since(a, &at);
    return status == JB_OK && d.forfeits != 0 ? ask_grants(a, false, &grants) : status;
}

/* ---- 2 ---- */

static const char *
whether(struct answering *a, jb_op op)
{
    return answer_piece(a, jb_wallet_allows(a->who.status, op) ? SAY_POSSIBLE : SAY_NOT_POSSIBLE,
                        NULL);
}

jb_status
answer_state(struct answering *a)
{
    jb_instant at;
    jb_status status = since(a, &at);
    if (status != JB_OK) {
        return status;
    }
    answer_say(a, SAY_STATE, "state", answer_piece(a, state_word(a->who.status), NULL), "since",
               answer_day_of(a, at), "charge", whether(a, JB_OP_CHARGE), "consume",
               whether(a, JB_OP_CONSUME), "refund", whether(a, JB_OP_REFUND_REQUEST), NULL);
    if (a->who.status == JB_WALLET_ACTIVE) {
        answer_say(a, SAY_IS_ACTIVE, NULL);
    } else if (a->who.status == JB_WALLET_OFF) {
        answer_say(a, SAY_IS_OFF, NULL);
    } else if (a->who.status == JB_WALLET_SUSPENDED) {
        answer_say(a, SAY_IS_SUSPENDED, NULL);
    }
    return JB_OK;
}

/* ---- 3 ---- */

jb_status
answer_dormant(struct answering *a)
{
    struct jb_wallet_balance b = JB_SIZED(struct jb_wallet_balance);
    struct grants grants;
    jb_status status = jb_balance_get(a->v, a->q->wallet, NULL, &b, a->err);
    a->as_of = b.as_of;
    status = status == JB_OK ? ask_grants(a, false, &grants) : status;
    status = status == JB_OK ? ask_paid(a) : status;
    if (status != JB_OK) {
        return status;
    }
    if (grants.dormant_n > 0) {
        answer_say(a, SAY_DORMANT, "n", answer_number(a, grants.dormant_n), "dormant",
                   answer_money(a, b.balance.free_dormant), "day", answer_day(a, grants.first_day),
                   NULL);
    } else {
        answer_say(a, SAY_NOTHING_DORMANT, NULL);
    }
    answer_say(a, SAY_TOTAL_OF, "total", answer_money(a, b.balance.total), "paid",
               answer_money(a, b.balance.paid), "free", answer_money(a, b.balance.free), NULL);
    return JB_OK;
}

/* ---- 4 ---- */

static const enum say cause_words[JB_CAUSES_N] = {
    [JB_CAUSE_charged] = SAY_BY_CHARGED,
    [JB_CAUSE_charge_reversed] = SAY_BY_CHARGE_REVERSED,
    [JB_CAUSE_debt_repaid] = SAY_BY_DEBT_REPAID,
    [JB_CAUSE_free_activated] = SAY_BY_FREE_ACTIVATED,
    [JB_CAUSE_consumed] = SAY_BY_CONSUMED,
    [JB_CAUSE_returned] = SAY_BY_RETURNED,
    [JB_CAUSE_expired] = SAY_BY_EXPIRED,
    [JB_CAUSE_forfeited] = SAY_BY_FORFEITED,
    [JB_CAUSE_refunded] = SAY_BY_REFUNDED,
    [JB_CAUSE_refund_failed] = SAY_BY_REFUND_FAILED,
    [JB_CAUSE_expiry_due] = SAY_BY_EXPIRY_DUE,
};

static jb_status
ask_close(struct answering *a, jb_day day)
{
    struct jb_view_read q;
    struct jb_close close;
    jb_status status = jb_view_read_begin(a->v, a->as_of.seq, &q, a->err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_view_read_close(&q, day, &close, a->err);
    jb_view_read_end(&q);
    answer_event(a, status == JB_OK ? close.seq : 0);
    return status;
}

static const char *
causes_of(struct answering *a, const struct jb_explanation *x)
{
    const char *list = "";
    for (uint32_t i = 0; i < x->causes_n; i++) {
        const struct jb_cause_line *c = x->causes[i];
        const char *cause = answer_piece(a, cause_words[c->cause], NULL);
        list = answer_and(a, list,
                          answer_piece(a, c->late ? SAY_BY_LATE : SAY_BY, "cause", cause, "amount",
                                       answer_money(a, c->amount), NULL));
        for (uint32_t k = 0; k < c->events_n; k++) {
            answer_event(a, c->events[k]);
        }
    }
    return list;
}

static void
say_difference(struct answering *a, const struct jb_explanation *x)
{
    answer_say(a, SAY_TOTAL_AND_STATUS, "total", answer_money(a, x->total_now), "sum",
               answer_money(a, x->cash_status_total), "through", answer_day(a, x->through), NULL);
    if (x->causes_n == 0) {
        answer_say(a, SAY_NO_DIFFERENCE, NULL);
        return;
    }
    answer_say(a, SAY_DIFFERENCE, "difference", answer_money(a, x->difference), "causes",
               causes_of(a, x), NULL);
}

jb_status
answer_difference(struct answering *a)
{
    struct jb_explanation *x;
    jb_status status = jb_explain(a->v, a->q->wallet, NULL, &x, a->err);
    if (status != JB_OK) {
        return status;
    }
    a->as_of = x->as_of;
    if (x->rest != 0) {
        status = jb_fail(a->err, JB_E_CORRUPT,
                         "the parts do not add up: the rest is %lld and must be 0. Run `jangbu "
                         "audit`, which says what is damaged",
                         (long long)x->rest);
    } else if (x->through == JB_NO_DAY) {
        answer_say(a, SAY_TOTAL_ALONE, "total", answer_money(a, x->total_now), NULL);
    } else {
        say_difference(a, x);
        status = ask_close(a, x->through);
    }
    jb_explanation_free(x);
    answer_say(a, SAY_REAL_TIME, NULL);
    return status == JB_OK ? ask_moved(a) : status;
}
