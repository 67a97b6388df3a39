/* What a ledger owes and is owed, over all its wallets: balances as of one moment, and what came in
 * within the twelve months before it. */
#include "projections/query.h"

#include "base/steps.h"

struct sums {
    struct jb_moment as_of; /* of the first wallet; seq 0: there is none */
    jb_wide paid, debt, free, dormant, transit;
    uint32_t wallets, in_debt;
};

static bool
each_balance(void *data, const struct jb_wallet_balance *b)
{
    struct sums *s = data;
    s->as_of = b->as_of;
    s->paid += b->balance.paid > 0 ? b->balance.paid : 0;
    s->debt += b->balance.debt;
    s->free += b->balance.free;
    s->dormant += b->balance.free_dormant;
    s->transit += b->balance.refund_in_transit;
    s->in_debt += b->balance.debt > 0;
    s->wallets += b->balance.status != JB_WALLET_DELETED;
    return true;
}

static jb_status
fits(jb_wide value, jb_amount *ret, struct jb_error *err)
{
    *ret = (jb_amount)value;
    return *ret == value
               ? JB_OK
               : jb_fail(err, JB_E_RANGE,
                         "the sums over all wallets are too large for a number of 64 bits");
}

/* ---- what came in within twelve months ---- */

/* The first of the twelve months that end with a day: that day of the year before, and one more. */
static jb_day
first_day_of(jb_day to)
{
    int year, month, day;
    jb_day before = JB_DAY_MIN;
    jb_day_to_date(to, &year, &month, &day);
    const bool there = year > 1 && (jb_day_from_date(year - 1, month, day, &before) ||
                                    jb_day_from_date(year - 1, month, day - 1, &before));
    return there ? before + 1 : JB_DAY_MIN; /* the day before: of 29 February */
}

struct coming {
    struct jb_views *v;
    jb_day from, to;
    jb_wide charged, credited;
    jb_cursor *lots; /* for the events that made what is taken back */
};

static bool
is_credit(const struct jb_event *e)
{
    const uint32_t method = e->charge_settled.method;
    return e->type == JB_EV_CHARGE_SETTLED &&
           (method == JB_METHOD_ADMIN_CASH || method == JB_METHOD_ADV_RET_CASH);
}

/* Whether what the event takes back was an operator's credit. */
static jb_status
takes_credit(struct coming *c, const struct jb_event *e, bool *ret, struct jb_error *err)
{
    struct jb_reader_head head;
    struct jb_reader_item lot;
    const struct jb_event *made;
    jb_status status = jb_reader_begin(c->v->l, &head, err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_reader_item(c->v->l, e->wallet, JB_READER_LOTS, e->charge_reversed.lot, &lot, err);
    jb_reader_end(c->v->l);
    status = status == JB_OK ? jb_cursor_at(c->lots, lot.seq, &made, err) : status;
    *ret = status == JB_OK && is_credit(made);
    return status;
}

static jb_status
add_event(struct coming *c, const struct jb_event *e, struct jb_error *err)
{
    const bool charged = e->type == JB_EV_CHARGE_SETTLED;
    bool credit = charged && is_credit(e);
    if ((!charged && e->type != JB_EV_CHARGE_REVERSED) || e->posted_on < c->from ||
        e->posted_on > c->to) {
        return JB_OK;
    }
    jb_status status = charged ? JB_OK : takes_credit(c, e, &credit, err);
    const jb_amount amount = charged ? e->charge_settled.amount : -e->charge_reversed.amount;
    c->charged += amount;
    c->credited += credit ? amount : 0;
    return status;
}

/* The events up to `last` that may be posted to these days: posting is never to a day behind that
 * of recording. */
static jb_status
add_events(struct coming *c, jb_seq last, struct jb_error *err)
{
    const jb_instant begin = jb_day_start(c->from, c->v->info.utc_offset_s);
    jb_seq before = 0;
    jb_cursor *log;
    jb_status status =
        begin > JB_INSTANT_MIN ? jb_seq_at_time(c->v->l, begin - 1, &before, err) : JB_OK;
    if (status != JB_OK || before >= last) {
        return status;
    }
    status = jb_cursor_open(c->v->l, before + 1, &log, err);
    if (status != JB_OK) {
        return status;
    }
    for (jb_seq at = before + 1; at <= last && status == JB_OK; at++) {
        const struct jb_event *e;
        jb_steps.events++;
        status = jb_limit_look(err);
        status = status == JB_OK ? jb_cursor_next(log, &e, err) : status;
        status = status == JB_OK ? add_event(c, e, err) : status;
    }
    jb_cursor_close(log);
    return status;
}

static jb_status
charged_within(struct coming *c, jb_seq last, struct jb_ledger_totals *ret, struct jb_error *err)
{
    jb_status status = jb_cursor_open(c->v->l, 1, &c->lots, err);
    if (status != JB_OK) {
        return status;
    }
    status = add_events(c, last, err);
    jb_cursor_close(c->lots);
    status = status == JB_OK ? fits(c->charged, &ret->charged_12m, err) : status;
    return status == JB_OK ? fits(c->credited, &ret->credited_12m, err) : status;
}

/* ---- all of it ---- */

static jb_status
add_balances(struct jb_views *v, const struct jb_as_of *as_of, struct jb_ledger_totals *ret,
             struct jb_error *err)
{
    struct sums s = {.as_of = {.seq = 0}};
    jb_status status = jb_balance_each(v, as_of, each_balance, &s, err);
    ret->as_of = s.as_of;
    if (status == JB_OK && s.as_of.seq == 0) {
        status = jb_moment_resolve(v, as_of, &ret->as_of, err);
    }
    status = status == JB_OK ? fits(s.paid, &ret->paid, err) : status;
    status = status == JB_OK ? fits(s.debt, &ret->debt, err) : status;
    status = status == JB_OK ? fits(s.free, &ret->free, err) : status;
    status = status == JB_OK ? fits(s.dormant, &ret->free_dormant, err) : status;
    status = status == JB_OK ? fits(s.transit, &ret->refund_in_transit, err) : status;
    ret->wallets = s.wallets;
    ret->wallets_in_debt = s.in_debt;
    return status;
}

jb_status
jb_ledger_totals_get(jb_views *v, const struct jb_as_of *as_of, struct jb_ledger_totals *ret,
                     struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_ledger_totals_get");
    }
    struct jb_ledger_totals full = JB_SIZED(struct jb_ledger_totals);
    jb_status status = add_balances(v, as_of, &full, err);
    if (status != JB_OK) {
        return status;
    }
    const bool of_day = as_of != NULL && as_of->kind == JB_AS_OF_DAY;
    if (!of_day && full.as_of.at == JB_NO_INSTANT) { /* nothing has happened yet */
        full.from = full.to = JB_NO_DAY;
        return jb_abi_out(ret, &full, sizeof full, err);
    }
    full.to = of_day ? as_of->day : jb_day_of(full.as_of.at, v->info.utc_offset_s);
    full.from = first_day_of(full.to);
    struct coming c = {.v = v, .from = full.from, .to = full.to};
    status = charged_within(&c, full.as_of.seq, &full, err);
    return status == JB_OK ? jb_abi_out(ret, &full, sizeof full, err) : status;
}
