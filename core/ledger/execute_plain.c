/*
 * The command that there is most of: a consumption that the first lot of its wallet pays for, of
 * nobody by name, without a key, in a ledger that asks nobody's role. The long way looks at all
 * that a command can be; here what it would say is known beforehand, and its event is written where
 * the answer keeps it. Builds for tests go both ways.
 */
#include "base/calendar.h"
#include "ledger/execution.h"

/* The lot that pays for all of it; NULL: the long way knows. */
static const struct jb_lot *
paying_lot(const struct jb_wallet *w, jb_amount amount)
{
    const struct jb_lot *l = w->first_lot < w->lots.n ? &w->lots.at[w->first_lot] : NULL;
    return l != NULL && w->status == JB_WALLET_ACTIVE && w->free == 0 && jb_rest(w)->dormant == 0 &&
                   amount > 0 && amount <= l->remaining && amount <= w->paid
               ? l
               : NULL;
}

/* In the first open day: no day is due, and its event is posted to it. */
static bool
is_in_open_day(const struct jb_globals *g, jb_instant t)
{
    if (g->first_open_day == JB_NO_DAY) {
        return false;
    }
    const int64_t since = t - jb_day_start(g->first_open_day, g->utc_offset_s);
    return since >= 0 && since < JB_US_PER_DAY;
}

/* What the rules say, who look at everything. */
static bool
is_as_decided(struct execution *x, const struct jb_event *e)
{
    struct execution y = *x;
    const struct jb_verdict *v = &x->l->verdict;
    struct jb_cached_wallet *s;
    jb_decide_time(&x->l->state->g, x->c, &x->l->verdict, &y.m);
    if (v->code != JB_CODE_NONE || jb_decide_on_wallet(&y, &s) != JB_OK ||
        v->code != JB_CODE_NONE || jb_due_day(&x->l->state->g, y.m.recorded_at) != JB_NO_DAY) {
        return false;
    }
    const struct jb_cash_consumed *a = &e->cash_consumed, *b = &v->event.cash_consumed;
    return v->event.type == e->type && v->event.wallet == e->wallet && v->event.prev == e->prev &&
           !v->has_before && y.m.recorded_at == e->recorded_at &&
           y.m.occurred_at == e->occurred_at && jb_text_equal(a->usage, b->usage) &&
           a->amount == b->amount && b->parts.n == 1 && a->parts.at->kind == b->parts.at->kind &&
           a->parts.at->ordinal == b->parts.at->ordinal &&
           a->parts.at->amount == b->parts.at->amount;
}

bool
jb_execute_plain(struct execution *x, enum jb_step *ret)
{
    const uint64_t plain = JB_HAS(JB_CF_WALLET) | JB_HAS(JB_CF_USAGE) | JB_HAS(JB_CF_AMOUNT);
    const struct jb_command *c = x->c;
    struct jb_state *b = x->l->state;
    if (c->op != JB_OP_CONSUME || c->has != plain || x->r->options.dry_run || b->g.matrix != 0) {
        return false;
    }
    const jb_instant last = b->g.recorded_at;
    const jb_instant recorded_at = last > x->m.clock ? last : x->m.clock;
    const struct jb_cached_wallet *s = jb_state_guessed(b, x->near, c->wallet);
    const struct jb_lot *lot = s != NULL ? paying_lot(&s->w, c->amount) : NULL;
    if (lot == NULL || !is_in_open_day(&b->g, recorded_at)) {
        return false;
    }
    *ret = JB_STEP_DECIDED;
    const struct jb_part part = {JB_PART_LOT, lot->ordinal, c->amount};
    struct jb_event *e = jb_answers_consumption(x->r->answers, c->id, &part);
    if (e == NULL) {
        return true; /* the answers say it */
    }
    e->wallet = s->w.number;
    e->prev = s->w.version;
    e->recorded_at = e->occurred_at = recorded_at;
    JB_ASSERT(!JB_CHECKS || is_as_decided(x, e));
    if (jb_batch_append(x->l, e, x->err) != JB_OK) {
        *ret = JB_STEP_FAILED;
        return true;
    }
    x->a->outcome = JB_DONE;
    x->a->seq = x->a->wallet_version = e->seq;
    x->a->own_event = e;
    return true;
}
