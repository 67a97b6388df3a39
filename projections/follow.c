#include "projections/follow.h"

#define AHEAD 64

/* Events that were read ahead, so that what the fold has of their wallets comes near to the
 * processor side by side. */
struct ahead {
    jb_cursor *c;
    struct jb_event events[AHEAD];
    struct jb_part parts[2 * AHEAD]; /* of them */
    uint32_t n, at;                  /* how many there are; which one is next */
    jb_status status;                /* what reading on behind them met */
};

/* The parts of an event get a place of their own. False: there is none, or the event has other
 * things that hold only until the next one is read. */
static bool
keep_parts(struct ahead *a, struct jb_event *e, uint32_t *used)
{
    const struct jb_parts parts = jb_event_parts(e);
    if (e->type == JB_EV_DAY_CLOSED || e->type == JB_EV_COMMAND_REFUSED ||
        parts.n > sizeof a->parts / sizeof a->parts[0] - *used) {
        return false;
    }
    if (parts.n > 0) {
        memcpy(a->parts + *used, parts.at, parts.n * sizeof *parts.at);
        jb_event_set_parts(e, (struct jb_parts){a->parts + *used, parts.n});
        *used += parts.n;
    }
    return true;
}

static void
read_ahead(struct ahead *a, const struct jb_fold *f, jb_seq to, struct jb_error *err)
{
    uint32_t wallets[AHEAD], used = 0;
    bool kept = true;
    a->n = a->at = 0;
    while (kept && a->n < AHEAD && (a->n == 0 || a->events[a->n - 1].seq < to)) {
        const struct jb_event *e;
        a->status = jb_cursor_next(a->c, &e, err);
        if (a->status != JB_OK) {
            break;
        }
        a->events[a->n] = *e;
        wallets[a->n] = e->wallet;
        kept = keep_parts(a, &a->events[a->n], &used);
        a->n++;
    }
    jb_fold_warm(f, wallets, a->n);
}

/* Whether the tail is long enough to be stored. */
static bool
is_long(const struct jb_fold *f, const struct jb_follow *how)
{
    return how->bounded && f->g.seq >= how->stored + JB_UNSTORED_EVENTS_MAX;
}

static jb_status
fold_ahead(jb_ledger *l, struct ahead *a, struct jb_fold *f, struct jb_store_txn *base,
           const struct jb_follow *how, struct jb_error *err)
{
    while (f->g.seq < how->to) {
        if (a->at == a->n) {
            if (a->status == JB_OK) {
                read_ahead(a, f, how->to, err);
            }
            if (a->at == a->n) {
                return a->status;
            }
        }
        jb_status status = jb_fold_event(f, base, &a->events[a->at++], err);
        if (status != JB_OK) {
            return status;
        }
        if (how->on_progress != NULL && f->g.seq % 65536 == 0) {
            how->on_progress(how->data, f->g.seq, how->to);
        }
        uint8_t chain[16];
        if (is_long(f, how) && jb_chain_at(l, f->g.seq, chain, NULL) == JB_OK) {
            break;
        }
    }
    return JB_OK;
}

jb_status
jb_follow(jb_ledger *l, struct jb_fold *f, struct jb_store_txn *base, const struct jb_follow *how,
          struct jb_error *err)
{
    struct ahead *a = calloc(1, sizeof *a);
    if (a == NULL) {
        return jb_fail(err, JB_E_NOMEM, "no memory for the projections");
    }
    jb_status status = jb_cursor_open(l, f->g.seq + 1, &a->c, err);
    if (status == JB_OK) {
        status = fold_ahead(l, a, f, base, how, err);
        jb_cursor_close(a->c);
    }
    free(a);
    return status;
}
