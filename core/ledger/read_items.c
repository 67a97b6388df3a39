/* A wallet's lots, grants and refunds for the lists of the projections: looked at one by one, and
 * nothing that is archived is kept in memory. */
#include "ledger/internal.h"

static jb_status
look_at(struct jb_state *b, const struct jb_wallet *w, enum jb_reader_list list, uint32_t number,
        struct jb_reader_item *ret, struct jb_error *err)
{
    struct jb_lot lot;
    struct jb_grant grant;
    struct jb_refund refund;
    jb_status status = JB_E_NOTFOUND;
    if (list == JB_READER_LOTS && number <= w->lots_given) {
        status = jb_state_look_lot(b, w, number, &lot, err);
        *ret = status != JB_OK ? *ret
                               : (struct jb_reader_item){.number = number,
                                                         .seq = lot.seq,
                                                         .amount = lot.amount,
                                                         .left = lot.remaining,
                                                         .reversed = lot.reversed,
                                                         .refunded = lot.refunded};
    } else if (list == JB_READER_GRANTS && number <= jb_rest(w)->grants_given) {
        status = jb_state_look_grant(b, w, number, &grant, err);
        *ret = status != JB_OK ? *ret
                               : (struct jb_reader_item){.number = number,
                                                         .state = grant.state,
                                                         .seq = grant.seq,
                                                         .expires_on = grant.expires_on,
                                                         .amount = grant.amount,
                                                         .left = grant.remaining};
    } else if (list == JB_READER_REFUNDS && number <= jb_rest(w)->refunds_given) {
        status = jb_state_look_refund(b, w, number, &refund, err);
        *ret = status != JB_OK ? *ret
                               : (struct jb_reader_item){.number = number,
                                                         .state = refund.state,
                                                         .seq = refund.seq,
                                                         .amount = refund.amount};
    } else {
        return jb_fail(err, JB_E_NOTFOUND, "wallet %u has nothing of that number", w->number);
    }
    /* It was given: a state without it is not the log's. */
    return status != JB_E_NOTFOUND ? status
           : b->store != NULL ? jb_store_damaged(b->store, "a lot, grant or refund is missing", err)
                              : jb_fail(err, JB_E_CORRUPT,
                                        "the state in memory lacks one of wallet %u's lots, "
                                        "grants and refunds. Run `jangbu audit`",
                                        w->number);
}

jb_status
jb_reader_item(jb_ledger *l, uint32_t wallet, enum jb_reader_list list, uint32_t number,
               struct jb_reader_item *ret, struct jb_error *err)
{
    struct jb_cached_wallet *s;
    jb_status status;
    *ret = (struct jb_reader_item){.number = number};
    do {
        status = jb_state_wallet(l->read_state, wallet, &s, err);
        status = status == JB_OK ? look_at(l->read_state, &s->w, list, number, ret, err) : status;
    } while (jb_reader_again(l, &status, err));
    return status;
}

/* Index of the first item with a number above `above`, in a list in order of number. */
#define FIRST_ABOVE(list, above, ret)                                                              \
    do {                                                                                           \
        size_t low_ = 0, high_ = (list).n;                                                         \
        while (low_ < high_) {                                                                     \
            size_t middle_ = low_ + (high_ - low_) / 2;                                            \
            if ((list).at[middle_].ordinal > (above)) {                                            \
                high_ = middle_;                                                                   \
            } else {                                                                               \
                low_ = middle_ + 1;                                                                \
            }                                                                                      \
        }                                                                                          \
        (ret) = low_;                                                                              \
    } while (0)

/* Whatever is open is in memory. */
static uint32_t
open_lot(const struct jb_wallet *w, uint32_t above)
{
    size_t i;
    FIRST_ABOVE(w->lots, above, i);
    for (i = i > w->first_lot ? i : w->first_lot; i < w->lots.n; i++) {
        if (w->lots.at[i].remaining > 0) {
            return w->lots.at[i].ordinal;
        }
    }
    return 0;
}

static uint32_t
open_grant(const struct jb_wallet *w, uint32_t above)
{
    size_t i;
    FIRST_ABOVE(jb_rest(w)->grants, above, i);
    for (; i < jb_rest(w)->grants.n; i++) {
        const struct jb_grant *g = &jb_rest(w)->grants.at[i];
        if ((g->state == JB_GRANT_DORMANT || g->state == JB_GRANT_IN_USE) && g->remaining > 0) {
            return g->ordinal;
        }
    }
    return 0;
}

static uint32_t
open_refund(const struct jb_wallet *w, uint32_t above)
{
    size_t i;
    FIRST_ABOVE(jb_rest(w)->refunds, above, i);
    for (; i < jb_rest(w)->refunds.n; i++) {
        const struct jb_refund *r = &jb_rest(w)->refunds.at[i];
        if (r->state == JB_REFUND_REQUESTED || r->state == JB_REFUND_APPROVED) {
            return r->ordinal;
        }
    }
    return 0;
}

jb_status
jb_reader_open_above(jb_ledger *l, uint32_t wallet, enum jb_reader_list list, uint32_t above,
                     uint32_t *ret, struct jb_error *err)
{
    struct jb_cached_wallet *s;
    jb_status status;
    do {
        status = jb_state_wallet(l->read_state, wallet, &s, err);
    } while (jb_reader_again(l, &status, err));
    if (status == JB_OK) {
        *ret = list == JB_READER_LOTS     ? open_lot(&s->w, above)
               : list == JB_READER_GRANTS ? open_grant(&s->w, above)
                                          : open_refund(&s->w, above);
    }
    return status;
}
