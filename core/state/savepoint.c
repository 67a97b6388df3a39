/* Taking back what an atomic group or a dry run did: of a wallet, what stands beside its lists is
 * kept before its first change, and of the lists what an event changes, before each; everything
 * else is a list that is cut. So it costs what the commands name, however much a wallet holds. */
#include "base/error.h"
#include "base/steps.h"
#include "state/state.h"

jb_status
jb_savepoint_begin(struct jb_state *b, struct jb_error *err)
{
    struct jb_savepoint *s = &b->save;
    JB_ASSERT(!s->live);
    if (!jb_globals_copy(&b->g, &s->g)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a group of commands");
    }
    s->ids = b->news.ids.entries.n;
    s->id_entries = b->news.id_entries.n;
    s->id_bytes = b->news.id_bytes.n;
    s->keys = b->keys.map.entries.n;
    s->returns = b->news.returns.entries.n;
    s->txns = b->news.txns.n;
    s->facts = b->news.facts.bytes.n;
    s->due = b->news.due.n;
    s->closed = b->news.closed.n;
    s->dirty = b->dirty.n;
    s->pending_bytes = b->pending != NULL ? b->pending->bytes.n : 0;
    s->pending_ends = b->pending != NULL ? b->pending->ends.n : 0;
    s->wallets.n = 0;
    s->number++;
    s->live = true;
    return JB_OK;
}

/* ---- what events change ---- */

static bool
save_lot(struct jb_savepoint *s, const struct jb_wallet *w, uint32_t ordinal)
{
    const struct jb_lot *l = jb_wallet_lot(w, ordinal);
    if (l == NULL) {
        return true; /* the event makes it, or contradicts the state */
    }
    if (!jb_vec_reserve(&s->lots, s->lots.n + 1)) {
        return false;
    }
    s->lots.at[s->lots.n++] = (struct jb_saved_lot){w->number, *l};
    return true;
}

static bool
save_grant(struct jb_savepoint *s, const struct jb_wallet *w, uint32_t ordinal)
{
    const struct jb_grant *g = jb_wallet_grant(w, ordinal);
    if (g == NULL) {
        return true;
    }
    if (!jb_vec_reserve(&s->grants, s->grants.n + 1)) {
        return false;
    }
    s->grants.at[s->grants.n++] = (struct jb_saved_grant){w->number, *g};
    return true;
}

/* A refund, and the lots of its legs, to which a failed one gives back. */
static bool
save_refund(struct jb_savepoint *s, const struct jb_wallet *w, uint32_t ordinal)
{
    const struct jb_refund *r = jb_wallet_refund(w, ordinal);
    if (r == NULL) {
        return true;
    }
    struct jb_saved_refund saved = {w->number, *r};
    saved.refund.legs = r->legs_n > 0 ? malloc(r->legs_n * sizeof *r->legs) : NULL;
    if ((r->legs_n > 0 && saved.refund.legs == NULL) ||
        !jb_vec_reserve(&s->refunds, s->refunds.n + 1)) {
        free(saved.refund.legs);
        return false;
    }
    bool ok = true;
    for (uint32_t i = 0; i < r->legs_n; i++) {
        saved.refund.legs[i] = r->legs[i];
        ok = ok && save_lot(s, w, r->legs[i].ordinal);
    }
    jb_steps.moved += r->legs_n;
    s->refunds.at[s->refunds.n++] = saved;
    return ok;
}

/* Everything in the wallet's lists that applying the event changes. What it adds to them is cut
 * off again by its number. */
static bool
save_named(struct jb_savepoint *s, const struct jb_wallet *w, const struct jb_event *e)
{
    const struct jb_parts parts = jb_event_parts(e);
    bool ok = true;
    for (uint32_t i = 0; i < parts.n && ok; i++) {
        const struct jb_part *p = &parts.at[i];
        ok = p->kind == JB_PART_LOT     ? save_lot(s, w, p->ordinal)
             : p->kind == JB_PART_GRANT ? save_grant(s, w, p->ordinal)
                                        : true;
    }
    jb_steps.moved += parts.n;
    switch (e->type) {
    case JB_EV_CHARGE_REVERSED:
        return ok && save_lot(s, w, e->charge_reversed.lot);
    case JB_EV_FREE_ACTIVATED:
    case JB_EV_FREE_REVOKED:
    case JB_EV_FREE_EXPIRED:
    case JB_EV_FREE_FORFEITED:
        return ok && save_grant(s, w, jb_event_ordinal(e));
    case JB_EV_REFUND_CANCELLED:
    case JB_EV_REFUND_REJECTED:
    case JB_EV_REFUND_APPROVED:
    case JB_EV_REFUND_COMPLETED:
    case JB_EV_REFUND_FAILED:
        return ok && save_refund(s, w, jb_event_ordinal(e));
    default:
        return ok;
    }
}

static void
note_lot(const struct jb_wallet *w, uint32_t ordinal)
{
    struct jb_lot *l = jb_wallet_lot(w, ordinal);
    if (l != NULL) {
        l->changed = true;
    }
}

static void
note_grant(const struct jb_wallet *w, uint32_t ordinal)
{
    struct jb_grant *g = jb_wallet_grant(w, ordinal);
    if (g != NULL) {
        g->changed = true;
    }
}

static void
note_refund(const struct jb_wallet *w, uint32_t ordinal)
{
    struct jb_refund *r = jb_wallet_refund(w, ordinal);
    if (r == NULL) {
        return;
    }
    r->changed = true;
    for (uint32_t i = 0; i < r->legs_n; i++) {
        note_lot(w, r->legs[i].ordinal);
    }
}

/* The same that save_named saves. A consumption takes from what is not over: its row is that of the
 * wallet, or it was over, has come back since and was noted then. */
void
jb_state_note_changes(const struct jb_wallet *w, const struct jb_event *e)
{
    if (e->type == JB_EV_CASH_CONSUMED) {
        return;
    }
    const struct jb_parts parts = jb_event_parts(e);
    for (uint32_t i = 0; i < parts.n; i++) {
        const struct jb_part *p = &parts.at[i];
        if (p->kind == JB_PART_LOT) {
            note_lot(w, p->ordinal);
        } else if (p->kind == JB_PART_GRANT) {
            note_grant(w, p->ordinal);
        }
    }
    switch (e->type) {
    case JB_EV_CHARGE_REVERSED:
        note_lot(w, e->charge_reversed.lot);
        break;
    case JB_EV_FREE_ACTIVATED:
    case JB_EV_FREE_REVOKED:
    case JB_EV_FREE_EXPIRED:
    case JB_EV_FREE_FORFEITED:
        note_grant(w, jb_event_ordinal(e));
        break;
    case JB_EV_REFUND_CANCELLED:
    case JB_EV_REFUND_REJECTED:
    case JB_EV_REFUND_APPROVED:
    case JB_EV_REFUND_COMPLETED:
    case JB_EV_REFUND_FAILED:
        note_refund(w, jb_event_ordinal(e));
        break;
    default:
        break;
    }
}

/* For builds with JB_CHECKS: what is stored of a wallet, then all that is loaded of its lists.
 * *ret_wallet: the bytes of the former. */
static bool
record(const struct jb_wallet *w, struct jb_buffer *out, size_t *ret_wallet)
{
    bool ok = jb_record_wallet(w, out);
    *ret_wallet = out->n;
    for (size_t i = 0; i < w->lots.n && ok; i++) {
        ok = jb_record_lot(&w->lots.at[i], out);
    }
    for (size_t i = 0; i < jb_rest(w)->grants.n && ok; i++) {
        ok = jb_record_grant(&jb_rest(w)->grants.at[i], out);
    }
    for (size_t i = 0; i < jb_rest(w)->refunds.n && ok; i++) {
        ok = jb_record_refund(&jb_rest(w)->refunds.at[i], out);
    }
    return ok;
}

static bool
save_wallet(struct jb_state *b, struct jb_cached_wallet *slot, bool created)
{
    struct jb_savepoint *s = &b->save;
    if (!jb_vec_reserve(&s->wallets, s->wallets.n + 1)) {
        return false;
    }
    struct jb_saved_wallet *saved = &s->wallets.at[s->wallets.n];
    *saved = (struct jb_saved_wallet){.number = created ? b->g.wallets_given + 1 : slot->w.number,
                                      .touched = slot->touched,
                                      .created = created,
                                      .head = slot->w,
                                      .rest = *jb_rest(&slot->w)};
    if (JB_CHECKS && !created && !record(&slot->w, &saved->record, &saved->record_wallet)) {
        free(saved->record.at);
        return false;
    }
    slot->saved = s->number;
    s->wallets.n++;
    return true;
}

bool
jb_savepoint_before(struct jb_state *b, struct jb_cached_wallet *slot, const struct jb_event *e)
{
    bool created = e->type == JB_EV_WALLET_CREATED;
    return (slot->saved == b->save.number || save_wallet(b, slot, created)) &&
           save_named(&b->save, &slot->w, e);
}

/* ---- the end ---- */

static void
end(struct jb_savepoint *s)
{
    for (size_t i = 0; i < s->refunds.n; i++) {
        free(s->refunds.at[i].refund.legs);
    }
    for (size_t i = 0; i < s->wallets.n; i++) {
        free(s->wallets.at[i].record.at);
    }
    jb_globals_free(&s->g);
    s->wallets.n = s->lots.n = s->grants.n = s->refunds.n = 0;
    s->live = false;
}

void
jb_savepoint_free(struct jb_savepoint *s)
{
    JB_ASSERT(!s->live);
    jb_vec_free(&s->wallets);
    jb_vec_free(&s->lots);
    jb_vec_free(&s->grants);
    jb_vec_free(&s->refunds);
}

void
jb_savepoint_release(struct jb_state *b)
{
    end(&b->save);
}

static struct jb_wallet *
wallet_of(struct jb_state *b, uint32_t number)
{
    return &b->slots.at[number - 1]->w;
}

/* The last change first, so that what was saved first stands in the end. */
static void
undo_changes(struct jb_state *b)
{
    struct jb_savepoint *s = &b->save;
    for (size_t i = s->lots.n; i-- > 0;) {
        const struct jb_saved_lot *saved = &s->lots.at[i];
        *jb_wallet_lot(wallet_of(b, saved->wallet), saved->lot.ordinal) = saved->lot;
    }
    for (size_t i = s->grants.n; i-- > 0;) {
        const struct jb_saved_grant *saved = &s->grants.at[i];
        *jb_wallet_grant(wallet_of(b, saved->wallet), saved->grant.ordinal) = saved->grant;
    }
    for (size_t i = s->refunds.n; i-- > 0;) {
        struct jb_saved_refund *saved = &s->refunds.at[i];
        struct jb_refund *r = jb_wallet_refund(wallet_of(b, saved->wallet), saved->refund.ordinal);
        free(r->legs);
        *r = saved->refund;
        saved->refund.legs = NULL; /* they are the wallet's now */
    }
}

#define CUT(list, given)                                                                           \
    while ((list).n > 0 && (list).at[(list).n - 1].ordinal > (given)) {                            \
        (list).n--;                                                                                \
    }

/* But for what stands in its lists. */
static void
undo_rest(struct jb_wallet_rest *r, const struct jb_saved_wallet *saved)
{
    const struct jb_wallet_rest *before = &saved->rest;
    while (r->refunds.n > 0 && r->refunds.at[r->refunds.n - 1].ordinal > before->refunds_given) {
        free(r->refunds.at[--r->refunds.n].legs);
    }
    CUT(r->grants, before->grants_given)
    CUT(r->intervals, saved->head.intervals_given)
    struct jb_wallet_rest as_before = *before;
    memcpy(&as_before.grants, &r->grants, sizeof r->grants);
    memcpy(&as_before.refunds, &r->refunds, sizeof r->refunds);
    memcpy(&as_before.intervals, &r->intervals, sizeof r->intervals);
    *r = as_before;
}

/* The wallet as it was, but for what was loaded meanwhile, which stays. */
static void
undo_wallet(struct jb_wallet *w, const struct jb_saved_wallet *saved)
{
    const struct jb_wallet *head = &saved->head;
    CUT(w->lots, head->lots_given)
    if (w->rest != NULL) {
        undo_rest(w->rest, saved);
    }
    struct jb_wallet as_before = *head;
    as_before.first_lot = w->lots.n == head->lots.n ? head->first_lot : 0;
    memcpy(&as_before.lots, &w->lots, sizeof w->lots);
    as_before.rest = w->rest;
    *w = as_before;
}

/* What is stored of it is what it was, and so are its lists, if nothing was loaded meanwhile. */
static bool
is_as_before(const struct jb_wallet *w, const struct jb_saved_wallet *saved)
{
    struct jb_buffer now = {0};
    size_t wallet;
    bool loaded = w->lots.n != saved->head.lots.n || jb_rest(w)->grants.n != saved->rest.grants.n ||
                  jb_rest(w)->refunds.n != saved->rest.refunds.n;
    bool same = !record(w, &now, &wallet) || /* no memory to look at it */
                (wallet == saved->record_wallet && (loaded || now.n == saved->record.n) &&
                 memcmp(now.at, saved->record.at, loaded ? wallet : now.n) == 0);
    free(now.at);
    return same;
}

static void
undo_wallets(struct jb_state *b)
{
    for (size_t i = b->save.wallets.n; i-- > 0;) {
        struct jb_saved_wallet *saved = &b->save.wallets.at[i];
        struct jb_cached_wallet *slot = b->slots.at[saved->number - 1];
        if (saved->created) {
            jb_slot_free(&b->memory, slot);
            b->slots.at[saved->number - 1] = NULL;
            b->loaded--;
            /* Its entry in wallet_ids finds an empty slot from now on, or the next wallet of that
             * number, whose id is compared. */
            continue;
        }
        undo_wallet(&slot->w, saved);
        slot->touched = saved->touched;
        slot->saved = 0;
        JB_ASSERT(!JB_CHECKS || !b->usable || is_as_before(&slot->w, saved));
    }
}

void
jb_savepoint_rollback(struct jb_state *b)
{
    struct jb_savepoint *s = &b->save;
    undo_changes(b);
    undo_wallets(b);
    jb_map_cut(&b->news.ids, s->ids);
    jb_map_cut(&b->keys.map, s->keys);
    jb_map_cut(&b->news.returns, s->returns);
    b->news.id_entries.n = s->id_entries;
    b->news.id_bytes.n = s->id_bytes;
    b->news.returned.n = s->returns;
    jb_map_cut(&b->news.txn_index, s->txns);
    b->news.txns.n = s->txns;
    jb_facts_cut(b, s->facts);
    b->news.due.n = s->due;
    b->news.closed.n = s->closed;
    b->dirty.n = s->dirty;
    if (b->pending != NULL) {
        b->pending->bytes.n = s->pending_bytes;
        b->pending->ends.n = s->pending_ends;
    }
    jb_globals_free(&b->g);
    b->g = s->g;
    memset(&s->g, 0, sizeof s->g);
    end(s);
}
