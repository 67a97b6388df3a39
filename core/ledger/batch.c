/* What goes into the batch: an event that is complete but for its numbers. */
#include "base/calendar.h"
#include "base/error.h"
#include "base/steps.h"
#include "ledger/execution.h"

/* W1 to W5 of the event's wallet; of one with many lots now and then, as the audit does. */
static bool
is_sound(struct jb_state *b, const struct jb_event *e)
{
    struct jb_cached_wallet *s;
    if (e->wallet == 0 || e->wallet > b->g.wallets_given ||
        jb_state_wallet(b, e->wallet, &s, NULL) != JB_OK) {
        return true;
    }
    size_t size = s->w.lots.n + jb_rest(&s->w)->grants.n + jb_rest(&s->w)->refunds.n;
    return (size > 64 && e->seq % size != 0) || jb_wallet_check(&s->w) == NULL;
}

void
jb_batch_check(const struct jb_ledger *l)
{
    const struct jb_log_batch *b = &l->batch;
    if (b->ends.n == 0) {
        JB_ASSERT(b->bytes.n == 0 && l->state->g.seq == l->state->head.seq);
        return;
    }
    JB_ASSERT(b->first == l->state->head.seq + 1);
    JB_ASSERT(b->first + b->ends.n - 1 == l->state->g.seq);
    JB_ASSERT(b->ends.at[b->ends.n - 1] == b->bytes.n);
}

jb_status
jb_batch_append(struct jb_ledger *l, struct jb_event *e, struct jb_error *err)
{
    struct jb_state *b = l->state;
    jb_batch_check(l);
    jb_steps.made++;
    e->seq = b->g.seq + 1;
    jb_event_set_version(e);
    jb_day today = jb_day_near(e->recorded_at, b->g.utc_offset_s, b->g.first_open_day);
    jb_day occurred = today;
    if (e->occurred_at != e->recorded_at) {
        e->flags |= JB_EVF_OCCURRED;
        occurred = jb_day_of(e->occurred_at, b->g.utc_offset_s);
    }
    e->posted_on = jb_posting_day(&b->g, today, occurred);
    if (e->posted_on != today) {
        e->flags |= JB_EVF_POSTED;
    }
    if (l->batch.ends.n == 0) {
        l->batch.first = e->seq;
        l->batch.base = e->recorded_at;
    }
    struct jb_event_context context = {l->batch.base, b->g.utc_offset_s};
    const char *why = jb_vec_reserve(&l->batch.ends, l->batch.ends.n + 1)
                          ? jb_event_encode(e, &context, &l->batch.bytes)
                          : jb_encode_no_memory;
    if (why != NULL) {
        return jb_fail(err, why == jb_encode_no_memory ? JB_E_NOMEM : JB_E_USAGE,
                       "event %llu cannot be written: %s", (unsigned long long)e->seq, jb_tr(why));
    }
    if (JB_CHECKS) {
        size_t begin = l->batch.ends.n > 0 ? l->batch.ends.at[l->batch.ends.n - 1] : 0;
        const uint8_t *bytes = l->batch.bytes.at + begin;
        JB_ASSERT(jb_event_reads_back(e, &context, bytes, l->batch.bytes.n - begin));
    }
    l->batch.ends.at[l->batch.ends.n++] = (uint32_t)l->batch.bytes.n;
    bool sound = JB_CHECKS && is_sound(b, e);
    jb_status status = jb_state_apply(b, e, err);
    JB_ASSERT(status != JB_OK || b->g.seq == e->seq);
    if (e->type == JB_EV_FORGOTTEN) {
        jb_known_clear(&l->known);
    }
    JB_ASSERT(!sound || status != JB_OK || is_sound(b, e));
    return status;
}
