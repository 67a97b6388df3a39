#include "rules/decide.h"

#include "base/calendar.h"
#include "rules/rules.h"

void
jb_verdict_free(struct jb_verdict *v)
{
    jb_vec_free(&v->parts);
    jb_vec_free(&v->order);
    jb_vec_free(&v->given);
}

void
jb_refuse(struct jb_verdict *v, jb_code code)
{
    v->code = code;
    v->figures_n = 0;
}

void
jb_refuse_figure(struct jb_verdict *v, jb_figure_name name, int64_t value)
{
    v->figures[v->figures_n++] = (struct jb_figure){name, value};
}

void
jb_refuse_with(struct jb_verdict *v, jb_code code, jb_figure_name name, int64_t value)
{
    jb_refuse(v, code);
    jb_refuse_figure(v, name, value);
}

bool
jb_add_part(struct jb_verdict *v, uint32_t kind, uint32_t ordinal, jb_amount amount)
{
    if (!jb_vec_reserve(&v->parts, v->parts.n + 1)) {
        v->no_memory = true;
        return false;
    }
    v->parts.at[v->parts.n++] = (struct jb_part){kind, ordinal, amount};
    return true;
}

void
jb_verdict_begin(struct jb_verdict *v)
{
    v->code = JB_CODE_NONE;
    v->figures_n = 0;
    v->parts.n = 0;
    v->no_memory = v->has_before = false;
    memset(&v->event, 0, sizeof v->event);
}

/* A date that is far back is a slip of the pen, or seconds that were taken for microseconds. */
static void
refuse_too_old(const struct jb_globals *g, const struct jb_command *c,
               const struct jb_decision_time *m, struct jb_verdict *v)
{
    int64_t most = jb_policy_us_at(g, JB_POLICY_AT_BACK_MAX, m->recorded_at);
    if (m->told && c->at < m->clock_from - most) {
        jb_refuse_with(v, JB_CODE_AT_TOO_OLD, JB_FIG_NOW, m->clock);
        jb_refuse_figure(v, JB_FIG_DAYS_MAX, most / JB_US_PER_DAY);
    }
}

void
jb_decide_time(const struct jb_globals *g, const struct jb_command *c, struct jb_verdict *v,
               struct jb_decision_time *m)
{
    jb_verdict_begin(v);
    jb_instant last = g->recorded_at;
    m->recorded_at = last != JB_NO_INSTANT && last > m->clock ? last : m->clock;
    m->today = jb_day_of(m->recorded_at, g->utc_offset_s);
    m->occurred_at = m->at = m->recorded_at;
    m->told = false;
    if ((c->has & JB_HAS(JB_CF_AT)) == 0) {
        return;
    }
    int64_t tolerance = jb_policy_us_at(g, JB_POLICY_CLOCK_TOLERANCE, m->recorded_at);
    const struct jb_op_info *op = jb_op_get((uint32_t)c->op);
    if (c->at > m->clock + tolerance) {
        jb_refuse_with(v, JB_CODE_AT_IN_FUTURE, JB_FIG_NOW, m->clock);
    } else if (!op->business_time && c->at < m->clock - tolerance) {
        jb_refuse_with(v, JB_CODE_AT_NOT_ALLOWED, JB_FIG_NOW, m->clock);
    } else if (op->business_time) {
        m->occurred_at = c->at;
        m->at = c->at < m->recorded_at ? c->at : m->recorded_at;
        m->told = jb_rules(g) >= 2;
        refuse_too_old(g, c, m, v);
    }
}

jb_day
jb_posting_day(const struct jb_globals *g, jb_day today, jb_day occurred)
{
    jb_day first = g->first_open_day == JB_NO_DAY ? today : g->first_open_day;
    jb_day earliest = occurred > first ? occurred : first;
    return today < earliest ? today : earliest;
}

void
jb_balance_of(const struct jb_wallet *w, jb_day today, struct jb_balance *ret)
{
    struct jb_balance b = {
        .status = w->status, .paid = w->paid, .free = w->free, .free_dormant = jb_rest(w)->dormant};
    if (w->free != 0 || jb_rest(w)->dormant != 0) {
        for (size_t i = 0; i < jb_rest(w)->grants.n; i++) {
            const struct jb_grant *g = &jb_rest(w)->grants.at[i];
            if (jb_grant_due(g, today)) {
                *(g->state == JB_GRANT_IN_USE ? &b.free : &b.free_dormant) -= g->remaining;
            }
        }
    }
    b.total = b.paid + b.free;
    b.refund_pending = jb_rest(w)->pending;
    b.refund_in_transit = jb_rest(w)->transit;
    b.refundable = w->paid > jb_rest(w)->pending ? w->paid - jb_rest(w)->pending : 0;
    b.debt = w->paid < 0 ? -w->paid : 0;
    b.version = w->version;
    *ret = b;
}

/* Roles are asked from now on: there is somebody to give them, and each wallet has a master. */
static bool
can_enforce(const struct jb_globals *g, const struct jb_command *c, struct jb_verdict *v)
{
    if (c->policy != JB_POLICY_ROLES || c->value == 0) {
        return true;
    }
    if (g->operators == 0) {
        jb_refuse(v, JB_CODE_LAST_OPERATOR);
    } else if (g->masterless > 0) {
        jb_refuse_with(v, JB_CODE_MASTER_NEEDED, JB_FIG_WALLETS, g->masterless);
    }
    return v->code == JB_CODE_NONE;
}

/* Invoices begin with a month that lies ahead, so that nothing of it was consumed; where nothing
 * was consumed at all with any. */
static bool
can_invoice(const struct jb_globals *g, const struct jb_command *c,
            const struct jb_decision_time *m, struct jb_verdict *v)
{
    if (c->policy != JB_POLICY_INVOICE_FROM) {
        return true;
    }
    uint32_t now = jb_month_of(m->today);
    bool in_force = g->invoice_from != 0 && g->invoice_from <= now;
    if (in_force || (c->value <= (int64_t)now && g->consumed != 0)) {
        jb_refuse_with(v, JB_CODE_FROM_IN_PAST, JB_FIG_NOW, m->recorded_at);
    }
    return v->code == JB_CODE_NONE;
}

void
jb_decide_policy(const struct jb_globals *g, const struct jb_command *c,
                 const struct jb_around *around, const struct jb_decision_time *m,
                 struct jb_verdict *v)
{
    if (!jb_admit_role(around, v) || !can_enforce(g, c, v) || !can_invoice(g, c, m, v)) {
        return;
    }
    jb_instant from = c->has & JB_HAS(JB_CF_FROM) ? c->from : m->recorded_at;
    if (from < m->recorded_at) {
        jb_refuse_with(v, JB_CODE_FROM_IN_PAST, JB_FIG_NOW, m->recorded_at);
        return;
    }
    v->event.type = JB_EV_POLICY_SET;
    v->event.policy_set = (struct jb_policy_set){c->policy, c->value, from};
}

int64_t
jb_empty_days(const struct jb_globals *g, jb_day through)
{
    int64_t days = (int64_t)through - g->first_open_day + 1;
    for (size_t i = 0; i < g->open.n; i++) {
        days -= g->open.at[i].day <= through ? 1 : 0;
    }
    return days;
}

jb_day
jb_due_day(const struct jb_globals *g, jb_instant recorded_at)
{
    if (g->first_open_day == JB_NO_DAY) {
        return JB_NO_DAY;
    }
    /* The usual case costs one comparison: it is still the first open day. */
    if (recorded_at < jb_day_start(g->first_open_day + 1, g->utc_offset_s)) {
        return JB_NO_DAY;
    }
    if (jb_policy_at(g, JB_POLICY_DAY_CLOSE, recorded_at) != 0) {
        return JB_NO_DAY;
    }
    int64_t grace = jb_policy_us_at(g, JB_POLICY_DAY_CLOSE_GRACE, recorded_at);
    jb_day through = jb_day_of(recorded_at - grace, g->utc_offset_s) - 1;
    if (through < g->first_open_day ||
        jb_empty_days(g, through) > jb_policy_at(g, JB_POLICY_EMPTY_DAYS_MAX, recorded_at)) {
        return JB_NO_DAY;
    }
    return through;
}

jb_day
jb_open_after_due(const struct jb_globals *g, jb_instant recorded_at)
{
    jb_day due = jb_due_day(g, recorded_at);
    return due != JB_NO_DAY                 ? due + 1
           : g->first_open_day != JB_NO_DAY ? g->first_open_day
                                            : jb_day_of(recorded_at, g->utc_offset_s);
}

void
jb_decide_close(const struct jb_globals *g, const struct jb_command *c,
                const struct jb_around *around, const struct jb_decision_time *m,
                struct jb_verdict *v)
{
    if (!jb_admit_role(around, v)) {
        return;
    }
    jb_day first = g->first_open_day;
    /* Before the first event there is no open day; nor can a day before it ever be closed. */
    if (first == JB_NO_DAY || c->day >= m->today || c->day < first) {
        jb_refuse_with(v, JB_CODE_DAY_NOT_OVER, JB_FIG_FIRST_OPEN_DAY,
                       first == JB_NO_DAY ? m->today : first);
        return;
    }
    int64_t empty = jb_empty_days(g, c->day);
    int64_t max = jb_policy_at(g, JB_POLICY_EMPTY_DAYS_MAX, m->recorded_at);
    if (empty > max && !(jb_given(c, JB_CF_FORCE) && c->force)) {
        jb_refuse_with(v, JB_CODE_TOO_MANY_DAYS, JB_FIG_DAYS, empty);
        jb_refuse_figure(v, JB_FIG_EMPTY_DAYS_MAX, max);
        return;
    }
    v->event.type = JB_EV_DAY_CLOSED;
    v->event.day_closed.day = c->day;
}

/* Also in which order the kinds of parts stand: money goes out of grants, then lots, then into
 * debt; it comes back to debt, then lots, then grants. */
static const char *
wrong_parts(const struct jb_event *e)
{
    static const int8_t rank[] = {
        [JB_PART_GRANT] = 0, [JB_PART_LAPSED] = 0, [JB_PART_LOT] = 1, [JB_PART_DEBT] = 2};
    const struct jb_parts parts = jb_event_parts(e);
    const bool back = e->type == JB_EV_CONSUMPTION_REVERSED || e->type == JB_EV_REFUND_FAILED;
    int before = back ? -2 : 0; /* the order is a rising one: back, that of the negative ranks */
    jb_amount sum = 0;
    for (uint32_t i = 0; i < parts.n; i++) {
        const struct jb_part *p = &parts.at[i];
        if (p->amount <= 0 || p->kind > JB_PART_LAPSED ||
            (p->kind == JB_PART_DEBT) != (p->ordinal == 0)) {
            return "a part is not possible";
        }
        int now = back ? -rank[p->kind] : rank[p->kind];
        if (now < before) {
            return "the parts are out of order";
        }
        before = now;
        if (__builtin_add_overflow(sum, p->amount, &sum)) {
            return "the parts pass 64 bits";
        }
    }
    return parts.n > 0 && sum != jb_event_amount(e) ? "the parts do not add up to the amount"
                                                    : NULL;
}

const char *
jb_decided_wrong(const struct jb_command *c, const struct jb_verdict *v)
{
    const struct jb_event *e = &v->event;
    const struct jb_op_info *op = jb_op_get((uint32_t)c->op);
    if (v->code != JB_CODE_NONE) {
        return v->code > JB_CODE_NONE && v->code < JB_CODES_END ? NULL : "a code that there is not";
    }
    /* An approval that is not covered is the one event that is not its op's own. */
    if (e->type != op->event_type &&
        !(c->op == JB_OP_REFUND_APPROVE && e->type == JB_EV_REFUND_FAILED)) {
        return "the event is not that of the command";
    }
    return jb_given(c, JB_CF_WALLET) == (e->wallet == 0) && c->op != JB_OP_FORGET
               ? "the event has no wallet where it needs one, or one where it has none"
               : wrong_parts(e);
}
