/*
 * Balances. Now: from the state that deciding uses. Of a past moment: from the projections' own
 * summary at that event. Of a closed day: paid, free and total are the day's published closing;
 * what no row has (dormant cash, refunds) is the state at the day's closing event less what was
 * posted to later days.
 */
#include "projections/query.h"

static void
finish(struct jb_balance *b)
{
    b->total = b->paid + b->free;
    b->debt = b->paid < 0 ? -b->paid : 0;
    b->refundable = b->paid > b->refund_pending ? b->paid - b->refund_pending : 0;
}

static void
from_state(const struct jb_reader_wallet *w, jb_day today, struct jb_balance *ret)
{
    struct jb_balance b = {.status = w->status,
                           .paid = w->paid,
                           .refund_pending = w->refund_pending,
                           .refund_in_transit = w->refund_in_transit,
                           .version = w->version};
    for (uint32_t i = 0; i < w->grants_n; i++) {
        if (w->grants[i].expires_on >= today) {
            *(w->grants[i].in_use ? &b.free : &b.free_dormant) += w->grants[i].remaining;
        }
    }
    finish(&b);
    *ret = b;
}

/*
 * Version and status as of a day's end. Version: the wallet's last event posted on or before the
 * day, which may have been recorded after midnight. Status: that after the last event recorded by
 * then, because changes of state are posted to the day they are recorded on.
 */
static jb_status
state_on(struct jb_view_read *q, uint32_t wallet, jb_day day, jb_seq from, struct jb_balance *b,
         struct jb_error *err)
{
    b->version = 0;
    for (jb_seq seq = from; seq != 0;) {
        const struct jb_event *e;
        jb_status status = jb_view_read_event(q, seq, wallet, &e, err);
        if (status != JB_OK) {
            return status;
        }
        if (e->posted_on <= day && b->version == 0) {
            b->version = seq;
        }
        if (jb_day_of(e->recorded_at, q->v->info.utc_offset_s) <= day) {
            struct jb_summary then;
            status = jb_view_read_summary(q, wallet, seq, &then, err);
            if (status == JB_OK) {
                b->status = then.status;
                jb_summary_free(&then);
            }
            return status;
        }
        seq = e->prev;
    }
    return jb_not_yet(q, wallet, 0, err);
}

/* summary is the state at the day's closing event; what was posted to later days is taken back. */
static jb_status
posted_through(struct jb_view_read *q, uint32_t wallet, jb_day day,
               const struct jb_summary *summary, struct jb_balance *b, struct jb_error *err)
{
    struct jb_move later;
    struct jb_walk walk = {.from = summary->version, .posted_after = day};
    jb_status status = jb_view_read_walk(q, wallet, &walk, &later, err);
    struct jb_day_row row = {0};
    bool found = false;
    status = status == JB_OK ? jb_view_read_row(q, wallet, day, &row, &found, err) : status;
    if (status != JB_OK) {
        return status;
    }
    b->paid = found ? row.paid : 0;
    b->free = found ? row.free : 0;
    b->free_dormant -= later.dormant;
    b->refund_pending -= later.pending;
    b->refund_in_transit -= later.transit;
    return state_on(q, wallet, day, summary->version, b, err);
}

jb_status
jb_view_read_balance(struct jb_view_read *q, uint32_t wallet, const struct jb_as_of_point *r,
                     struct jb_balance *ret, struct jb_error *err)
{
    struct jb_summary summary;
    jb_status status = jb_view_read_summary(q, wallet, r->moment.seq, &summary, err);
    if (status != JB_OK) {
        return status;
    }
    struct jb_summary_sums sums;
    jb_summary_sum(&summary, r->today, &sums);
    struct jb_balance b = {.status = summary.status,
                           .paid = summary.paid,
                           .free = sums.free,
                           .free_dormant = sums.dormant,
                           .refund_pending = summary.pending,
                           .refund_in_transit = summary.transit,
                           .version = summary.version};
    if (r->only_through != JB_NO_DAY) {
        status = summary.created_on > r->only_through
                     ? jb_not_yet(q, wallet, 0, err)
                     : posted_through(q, wallet, r->only_through, &summary, &b, err);
    }
    jb_summary_free(&summary);
    if (status == JB_OK) {
        finish(&b);
        *ret = b;
    }
    return status;
}

static jb_status
moment_now(struct jb_views *v, const struct jb_reader_head *head, struct jb_moment *ret,
           struct jb_error *err)
{
    jb_instant now;
    jb_status status = jb_ledger_now(v->l, &now, err);
    ret->seq = head->seq;
    ret->at = head->recorded_at > now ? head->recorded_at : now;
    return status;
}

static bool
means_now(const struct jb_as_of *as_of)
{
    return as_of == NULL || as_of->kind == JB_AS_OF_NOW;
}

static void
name(struct jb_wallet_balance *b, const struct jb_reader_wallet *w)
{
    b->number = w->number;
    memset(b->wallet, 0, sizeof b->wallet);
    memcpy(b->wallet, w->id.s, w->id.n < JB_ID_BYTES_MAX ? w->id.n : JB_ID_BYTES_MAX);
}

static jb_status
balance_now(struct jb_views *v, uint32_t number, struct jb_wallet_balance *ret,
            struct jb_error *err)
{
    struct jb_reader_head head;
    jb_status status = jb_reader_begin(v->l, &head, err);
    if (status != JB_OK) {
        return status;
    }
    struct jb_reader_wallet w;
    status = moment_now(v, &head, &ret->as_of, err);
    status = status == JB_OK ? jb_reader_wallet(v->l, number, &w, err) : status;
    if (status == JB_OK) {
        from_state(&w, jb_day_of(ret->as_of.at, v->info.utc_offset_s), &ret->balance);
        name(ret, &w);
    }
    jb_reader_end(v->l);
    return status;
}

static jb_status
balance_then(struct jb_views *v, uint32_t number, const struct jb_as_of *as_of,
             struct jb_wallet_balance *ret, struct jb_error *err)
{
    struct jb_view_read q;
    struct jb_as_of_point r;
    jb_status status = jb_view_read_begin_at(v, as_of, &q, &r, err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_view_read_balance(&q, number, &r, &ret->balance, err);
    jb_view_read_end(&q);
    ret->number = number;
    ret->as_of = r.moment;
    return status == JB_OK ? jb_wallet_text(v->l, number, ret->wallet, err) : status;
}

jb_status
jb_balance_get(jb_views *v, struct jb_text wallet, const struct jb_as_of *as_of,
               struct jb_wallet_balance *ret, struct jb_error *err)
{
    if (v == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_balance_get");
    }
    uint32_t number;
    struct jb_wallet_balance full = JB_SIZED(struct jb_wallet_balance);
    jb_status status = jb_find_wallet(v->l, wallet, &number, err);
    if (status == JB_OK) {
        status = means_now(as_of) ? balance_now(v, number, &full, err)
                                  : balance_then(v, number, as_of, &full, err);
    }
    return status == JB_OK ? jb_abi_out(ret, &full, sizeof full, err) : status;
}

static jb_status
each_now(struct jb_views *v, bool (*each)(void *data, const struct jb_wallet_balance *b),
         void *data, struct jb_error *err)
{
    struct jb_reader_head head;
    jb_status status = jb_reader_begin(v->l, &head, err);
    if (status != JB_OK) {
        return status;
    }
    struct jb_wallet_balance b = JB_SIZED(struct jb_wallet_balance);
    status = moment_now(v, &head, &b.as_of, err);
    jb_day today = status == JB_OK ? jb_day_of(b.as_of.at, v->info.utc_offset_s) : JB_NO_DAY;
    for (uint32_t number = 1; number <= head.wallets_n && status == JB_OK; number++) {
        struct jb_reader_wallet w;
        status = jb_reader_wallet(v->l, number, &w, err);
        if (status != JB_OK) {
            break;
        }
        from_state(&w, today, &b.balance);
        name(&b, &w);
        if (!each(data, &b)) {
            break;
        }
    }
    jb_reader_end(v->l);
    return status;
}

jb_status
jb_balance_each(jb_views *v, const struct jb_as_of *as_of,
                bool (*each)(void *data, const struct jb_wallet_balance *b), void *data,
                struct jb_error *err)
{
    if (v == NULL || each == NULL) {
        return jb_fail_null(err, "jb_balance_each");
    }
    if (means_now(as_of)) {
        return each_now(v, each, data, err);
    }
    struct jb_view_read q;
    struct jb_as_of_point r;
    jb_status status = jb_view_read_begin_at(v, as_of, &q, &r, err);
    if (status != JB_OK) {
        return status;
    }
    struct jb_wallet_balance b = JB_SIZED(struct jb_wallet_balance);
    b.as_of = r.moment;
    for (b.number = 1; b.number <= q.fold->g.wallets_n; b.number++) {
        status = jb_view_read_balance(&q, b.number, &r, &b.balance, err);
        if (status == JB_E_NOTFOUND) {
            status = JB_OK; /* not there yet */
            continue;
        }
        status = status == JB_OK ? jb_wallet_text(v->l, b.number, b.wallet, err) : status;
        if (status != JB_OK || !each(data, &b)) {
            break;
        }
    }
    jb_view_read_end(&q);
    return status;
}
