/* Taking back what an atomic group or a dry run did: a wallet is copied before its first change,
 * everything else is a list that is cut. */
#include "base/error.h"
#include "state/state.h"

jb_status
jb_savepoint_begin(struct jb_state *b, struct jb_error *err)
{
    struct jb_savepoint *s = &b->save;
    JB_ASSERT(!s->live);
    if (!jb_globals_copy(&b->g, &s->g)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a group of commands");
    }
    s->ids = b->ids.entries.n;
    s->id_entries = b->id_entries.n;
    s->id_bytes = b->id_bytes.n;
    s->keys = b->keys.entries.n;
    s->returns = b->returns.entries.n;
    s->txns = b->txns.n;
    s->due = b->due.n;
    s->closed = b->closed.n;
    s->dirty = b->dirty.n;
    s->pending_bytes = b->pending != NULL ? b->pending->bytes.n : 0;
    s->pending_ends = b->pending != NULL ? b->pending->ends.n : 0;
    s->wallets.n = 0;
    s->number++;
    s->live = true;
    return JB_OK;
}

bool
jb_state_before_change(struct jb_state *b, struct jb_cached_wallet *slot, bool created)
{
    struct jb_savepoint *s = &b->save;
    if (slot->saved == s->number) {
        return true;
    }
    if (!jb_vec_reserve(&s->wallets, s->wallets.n + 1)) {
        return false;
    }
    struct jb_saved_wallet *saved = &s->wallets.at[s->wallets.n];
    *saved = (struct jb_saved_wallet){.number = created ? b->g.wallets_given + 1 : slot->w.number,
                                      .dirty = slot->dirty,
                                      .created = created};
    if (!created && !jb_wallet_copy(&slot->w, &saved->w)) {
        return false;
    }
    slot->saved = s->number;
    s->wallets.n++;
    return true;
}

static void
end(struct jb_savepoint *s)
{
    jb_globals_free(&s->g);
    s->wallets.n = 0;
    s->live = false;
}

void
jb_savepoint_release(struct jb_state *b)
{
    JB_ASSERT(b->save.live);
    for (size_t i = 0; i < b->save.wallets.n; i++) {
        jb_wallet_free(&b->save.wallets.at[i].w);
    }
    end(&b->save);
}

void
jb_savepoint_rollback(struct jb_state *b)
{
    struct jb_savepoint *s = &b->save;
    /* Since it was begun the lists have only grown: what is cut off is what came after. */
    JB_ASSERT(s->live && b->g.seq >= s->g.seq);
    JB_ASSERT(b->ids.entries.n >= s->ids && b->id_entries.n >= s->id_entries);
    JB_ASSERT(b->id_bytes.n >= s->id_bytes && b->keys.entries.n >= s->keys);
    JB_ASSERT(b->returns.entries.n >= s->returns && b->txns.n >= s->txns);
    JB_ASSERT(b->due.n >= s->due && b->closed.n >= s->closed && b->dirty.n >= s->dirty);
    for (size_t i = s->wallets.n; i-- > 0;) {
        struct jb_saved_wallet *saved = &s->wallets.at[i];
        JB_ASSERT(saved->number > 0 && saved->number <= b->slots.n);
        struct jb_cached_wallet *slot = b->slots.at[saved->number - 1];
        JB_ASSERT(slot != NULL); /* nothing is dropped from memory meanwhile */
        if (saved->created) {
            jb_wallet_free(&slot->w);
            free(slot);
            b->slots.at[saved->number - 1] = NULL;
            b->loaded--;
            /* Its entry in wallet_ids finds an empty slot from now on, or the next wallet of that
             * number, whose id is compared. */
            continue;
        }
        jb_wallet_free(&slot->w);
        slot->w = saved->w;
        slot->dirty = saved->dirty;
        slot->saved = 0;
    }
    jb_map_cut(&b->ids, s->ids);
    jb_map_cut(&b->keys, s->keys);
    jb_map_cut(&b->returns, s->returns);
    b->id_entries.n = s->id_entries;
    b->id_bytes.n = s->id_bytes;
    b->returned.n = s->returns;
    jb_map_cut(&b->txn_index, s->txns);
    b->txns.n = s->txns;
    b->due.n = s->due;
    b->closed.n = s->closed;
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
