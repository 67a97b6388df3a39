/*
 * What the rules say of the event that there is most of, without making its command first: a
 * consumption of an active wallet that has no free cash, nothing due, and enough in the lot that is
 * its first. Whatever else there is about it, it is asked in full (again.c, order.c); tests
 * of forged logs ask both ways.
 */
#include "base/text.h"
#include "replay/rules/inner.h"

/* Texts that every rule takes. */
static bool
texts_hold(const struct jb_event_usual *e)
{
    const struct jb_text usage = e->plain.usage;
    return jb_id_valid(usage, JB_ID_BYTES_MAX) && jb_id_visible(usage) &&
           (e->key.s == NULL || jb_id_valid(e->key, JB_KEY_BYTES_MAX)) &&
           (e->caller.n == 0 || jb_id_valid(e->caller, JB_SHORT_BYTES_MAX));
}

/* No role is asked, no day is to be closed first, and nothing of another command is open. */
static bool
ledger_allows(const struct jb_judge *r, jb_instant recorded_at)
{
    const struct jb_globals *g = &r->b->g;
    return !r->over && g->matrix == 0 && r->correction.seq == 0 && r->deletion.wallet == 0 &&
           r->run.n == 0 && g->recorded_at != JB_NO_INSTANT && recorded_at >= g->recorded_at &&
           g->first_open_day != JB_NO_DAY && jb_due_day(g, recorded_at) == JB_NO_DAY;
}

/* Paid cash goes by the oldest lot that has something left. */
static bool
wallet_allows(const struct jb_wallet *w, const struct jb_event_plain *p)
{
    const struct jb_lot *l = w->first_lot < w->lots.n ? &w->lots.at[w->first_lot] : NULL;
    return w->status == JB_WALLET_ACTIVE && w->free == 0 && jb_rest(w)->dormant == 0 &&
           p->amount <= JB_AMOUNT_MAX && w->paid >= p->amount && l != NULL &&
           l->ordinal == p->lot && l->remaining >= p->amount;
}

bool
jb_judge_usual(struct jb_judge *r, const struct jb_wallet *w, const struct jb_event_usual *e)
{
    return ledger_allows(r, e->plain.recorded_at) && wallet_allows(w, &e->plain) && texts_hold(e) &&
           jb_vec_reserve(&r->commit, r->commit.n + 1);
}

void
jb_judge_applied_usual(struct jb_judge *r, const struct jb_event_usual *e)
{
    const bool keyed = e->key.s != NULL;
    r->n.commands++;
    r->n.trusting++;
    r->n.keyed += keyed;
    r->commit.at[r->commit.n++] = (struct in_commit){.recorded_at = e->plain.recorded_at,
                                                     .wallet = e->plain.wallet,
                                                     .role = ROLE_COMMAND,
                                                     .keyed = keyed};
}
