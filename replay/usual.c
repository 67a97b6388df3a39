/*
 * The event that there is most of, looked at in a fraction of the time: what the checks of an event
 * (scan.c) would ask is answered by a few comparisons where its wallet and the ledger are as usual.
 * Wherever they are not it is looked at in full, so that what is found, and said, is the same. That
 * a wallet's invariants (wallet/wallet.h) hold behind it follows from their holding before: the
 * same is taken from paid cash and from the lot.
 */
#include "replay/rules/rules.h"

#include <jangbu/command.h>

/* Its key stands nowhere else in the log. */
static bool
key_is_alone(const struct jb_state *b, const struct jb_event_usual *e, uint64_t *ret_hash)
{
    *ret_hash = 0;
    if (e->key.s == NULL) {
        return true;
    }
    *ret_hash = jb_state_key_hash(b, e->caller, e->key);
    return b->repeats != NULL && !jb_repeats_has(b->repeats, jb_name(JB_NAMED_KEY, *ret_hash));
}

bool
jb_usual_holds(struct jb_state *b, struct jb_judge *judge, jb_seq seq,
               const struct jb_event_usual *e)
{
    const uint32_t number = e->plain.wallet;
    const struct jb_cached_wallet *s = number <= b->slots.n ? b->slots.at[number - 1] : NULL;
    uint64_t hash;
    if (s == NULL || s->w.status != JB_WALLET_ACTIVE || !key_is_alone(b, e, &hash) ||
        (judge != NULL && !jb_judge_usual(judge, &s->w, e)) ||
        !jb_state_apply_usual(b, seq, e, hash)) {
        return false;
    }
    if (judge != NULL) {
        jb_judge_applied_usual(judge, e);
    }
    return true;
}
