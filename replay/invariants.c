/*
 * The invariants of the wallet domain (docs/rules.md section 9) that apply itself does not need.
 * They judge an event by the facts known at its own sequence number, never by today's rules.
 */
#include "replay/audit.h"

#include <jangbu/command.h>

#include "base/text.h"

void
jb_check_key(struct jb_state *b, const struct jb_event *e, uint64_t frame, struct jb_findings *f)
{
    if ((e->flags & JB_EVF_KEY) == 0 || (f->to.only & JB_AUDIT_FORM) == 0) {
        return;
    }
    struct jb_text caller = e->caller, key = e->key;
    jb_seq first;
    struct jb_error err;
    if (jb_looked_up(f, jb_state_key(b, caller, key, &first, &err)) && first != 0) {
        jb_found(f, "key", e->seq, frame, 0, "event %llu has the idempotency key of event %llu",
                 (unsigned long long)e->seq, (unsigned long long)first);
    }
}

/* Free before paid before debt; a grant that was usable at the time of the usage (docs/rules.md
 * section 3); the state known at the event's number. */
static void
check_consumption(struct jb_state *b, const struct jb_wallet *w, const struct jb_event *e,
                  uint64_t frame, struct jb_findings *f)
{
    static const int rank[4] = {[JB_PART_GRANT] = 0, [JB_PART_LOT] = 1, [JB_PART_DEBT] = 2};
    jb_instant at = e->occurred_at < e->recorded_at ? e->occurred_at : e->recorded_at;
    jb_day today = jb_day_of(e->recorded_at, b->g.utc_offset_s);
    const struct jb_parts parts = e->cash_consumed.parts;
    for (uint32_t i = 0; i < parts.n; i++) {
        const struct jb_part *p = &parts.at[i];
        if (i > 0 && rank[p->kind] < rank[parts.at[i - 1].kind]) {
            jb_found(f, "split", e->seq, frame, 0,
                     "event %llu takes paid cash before free cash, or debt before paid cash",
                     (unsigned long long)e->seq);
        }
        const struct jb_grant *g = p->kind == JB_PART_GRANT ? jb_wallet_grant(w, p->ordinal) : NULL;
        if (g != NULL && (g->expires_on < today || g->activated_at > at ||
                          (g->returned_at != JB_NO_INSTANT && g->returned_at > at))) {
            jb_found(f, "grant", e->seq, frame, 0,
                     "event %llu uses grant %u, which was not usable at the time of the usage",
                     (unsigned long long)e->seq, p->ordinal);
        }
    }
    uint32_t status = 0;
    struct jb_interval first;
    const struct jb_intervals all = jb_wallet_intervals(w, &first);
    for (size_t i = all.n; i-- > 0 && status == 0;) {
        status = all.at[i].from <= at ? all.at[i].status : 0;
    }
    if (status != JB_WALLET_ACTIVE) {
        jb_found(f, "status", e->seq, frame, 0,
                 "event %llu is a consumption at a time at which the wallet was not active",
                 (unsigned long long)e->seq);
    }
}

/* A return names a consumption of its wallet and the return before it, and all of them never exceed
 * it. */
static void
check_return(struct jb_state *b, const struct jb_event *e, uint64_t frame, struct jb_findings *f)
{
    /* Copies: the look-ups below use the state's own reader. */
    const jb_seq seq = e->seq, consumption = e->consumption_reversed.consumption,
                 before = e->consumption_reversed.before;
    const jb_amount amount = e->consumption_reversed.amount;
    const uint32_t wallet = e->wallet;
    const struct jb_event *found;
    struct jb_error err;
    jb_seq last = 0;
    jb_amount returned = 0, consumed = 0;
    bool known = consumption > 0 && consumption < seq &&
                 jb_looked_up(f, jb_state_event(b, consumption, &found, &err)) &&
                 found->type == JB_EV_CASH_CONSUMED && found->wallet == wallet;
    if (known) {
        consumed = found->cash_consumed.amount;
        known = jb_looked_up(f, jb_state_returned(b, consumption, &last, &returned, &err));
    }
    if (f->no_memory) {
        return;
    }
    if (!known || last != before) {
        jb_found(f, "return", seq, frame, 0,
                 "event %llu names event %llu as its consumption and %llu as the return before it, "
                 "which they are not",
                 (unsigned long long)seq, (unsigned long long)consumption,
                 (unsigned long long)before);
        return;
    }
    if (__builtin_add_overflow(returned, amount, &returned) || returned > consumed) {
        jb_found(f, "return", seq, frame, 0,
                 "with event %llu more was returned (%lld) than event %llu consumed (%lld)",
                 (unsigned long long)seq, (long long)returned, (unsigned long long)consumption,
                 (long long)consumed);
    }
}

/* 11: charges only while active or off. */
static void
check_charge(const struct jb_wallet *w, const struct jb_event *e, uint64_t frame,
             struct jb_findings *f)
{
    if (w->status != JB_WALLET_ACTIVE && w->status != JB_WALLET_OFF) {
        jb_found(f, "status", e->seq, frame, 0,
                 "event %llu charges a wallet that is suspended or deleted",
                 (unsigned long long)e->seq);
    }
}

/* What was due by a closed day has expired before it closed (docs/rules.md section 1). One pass in
 * no order, and each entry is looked at by one closing: an audit's state has no store and would
 * sort all of them each time. */
static void
check_close(struct jb_state *b, const struct jb_event *e, uint64_t frame, struct jb_findings *f)
{
    const jb_day day = e->day_closed.day;
    struct jb_error err;
    for (size_t i = 0; i < b->news.due.n; i++) {
        const struct jb_due *due = &b->news.due.at[i];
        struct jb_cached_wallet *s;
        if (due->expires_on > day || jb_state_wallet(b, due->wallet, &s, &err) != JB_OK) {
            continue;
        }
        const struct jb_grant *g = jb_wallet_grant(&s->w, due->ordinal);
        if (g != NULL && jb_grant_due(g, day + 1)) {
            jb_found(f, "expiry", e->seq, frame, 0,
                     "event %llu closes a day with grant %u of wallet %.*s still in it, whose last "
                     "day it was",
                     (unsigned long long)e->seq, due->ordinal, (int)s->w.id_n, jb_id_of(&s->w).s);
        }
    }
    jb_state_due_drop(b, day);
}

void
jb_check_before(struct jb_state *b, const struct jb_event *e, uint64_t frame, struct jb_findings *f)
{
    struct jb_cached_wallet *s = NULL;
    struct jb_error err;
    if (jb_rules(&b->g) > JB_RULES) {
        return; /* what later rules allow is not known */
    }
    if (e->type == JB_EV_DAY_CLOSED) {
        check_close(b, e, frame, f);
    }
    if (e->wallet == 0 || e->type == JB_EV_WALLET_CREATED ||
        jb_state_wallet(b, e->wallet, &s, &err) != JB_OK) {
        return; /* an unknown wallet is apply's to say */
    }
    if (e->type == JB_EV_CASH_CONSUMED) {
        check_consumption(b, &s->w, e, frame, f);
    } else if (e->type == JB_EV_CONSUMPTION_REVERSED) {
        check_return(b, e, frame, f);
    } else if (e->type == JB_EV_CHARGE_SETTLED) {
        check_charge(&s->w, e, frame, f);
    }
}

void
jb_check_after(struct jb_state *b, const struct jb_event *e, uint64_t frame, struct jb_findings *f)
{
    struct jb_cached_wallet *s;
    struct jb_error err;
    if (e->wallet == 0 || jb_state_wallet(b, e->wallet, &s, &err) != JB_OK) {
        return;
    }
    /* Every event of a small wallet; a wallet with a long history is looked at now and then, and
     * once more at the end. */
    size_t size = s->w.lots.n + jb_rest(&s->w)->grants.n + jb_rest(&s->w)->refunds.n;
    const char *broken = size <= 64 || e->seq % size == 0 ? jb_wallet_check(&s->w) : NULL;
    if (broken != NULL) {
        jb_found(f, "wallet", e->seq, frame, 0,
                 "after event %llu invariant %s of wallet %.*s does not hold",
                 (unsigned long long)e->seq, broken, (int)s->w.id_n, jb_id_of(&s->w).s);
    }
}

void
jb_check_sums(struct jb_state *b, struct jb_findings *f)
{
    jb_wide paid = 0, in_use = 0, dormant = 0, transit = 0;
    for (size_t i = 0; i < b->slots.n; i++) {
        const struct jb_wallet *w = &b->slots.at[i]->w;
        paid += w->paid;
        in_use += w->free;
        dormant += jb_rest(w)->dormant;
        transit += jb_rest(w)->transit;
        const char *broken = jb_wallet_check(w);
        if (broken != NULL) {
            jb_found(f, "wallet", w->version, 0, 0,
                     "at the end invariant %s of wallet %.*s does not hold", broken, (int)w->id_n,
                     jb_id_of(w).s);
        }
    }
    jb_wide days[4] = {b->g.closing_paid, b->g.closing_free, b->g.closing_dormant, b->g.transit};
    for (size_t i = 0; i < b->g.open.n; i++) {
        days[0] += b->g.open.at[i].t[JB_TOTAL_closing_paid];
        days[1] += b->g.open.at[i].t[JB_TOTAL_closing_free];
        days[2] += b->g.open.at[i].t[JB_TOTAL_closing_dormant];
        days[3] += b->g.open.at[i].t[JB_TOTAL_refund_in_transit];
    }
    if (paid != days[0] || in_use != days[1] || dormant != days[2] || transit != days[3]) {
        jb_found(f, "totals", b->g.seq, 0, 0,
                 "the sums of the days are not the sums of the wallets at event %llu",
                 (unsigned long long)b->g.seq);
    }
}

void
jb_note_same_txn(struct jb_state *b, const struct jb_event *e, struct jb_findings *f)
{
    const struct jb_charge_settled *c = &e->charge_settled;
    uint8_t hash[16];
    if (e->type != JB_EV_CHARGE_SETTLED || !jb_state_txn_hash(b, c->pg, c->txn_ref, hash)) {
        return;
    }
    const struct jb_txn *first = jb_state_txn(b, hash); /* all are in memory: there is no store */
    if (first != NULL && first->seq != e->seq) {
        jb_note(f, "event %llu charges transaction %.*s of %s%.*s, as event %llu did before",
                (unsigned long long)e->seq, (int)c->txn_ref.n, c->txn_ref.s,
                c->pg.n > 0 ? jb_tr("gateway ") : jb_tr("no gateway"), (int)c->pg.n,
                c->pg.n > 0 ? c->pg.s : "", (unsigned long long)first->seq);
    }
}
