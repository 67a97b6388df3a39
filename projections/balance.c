/*
 * Balances. Now: from the state that deciding uses. Of a past moment: from the projections' own
 * summary at that event. Of a closed day: paid, free and total are the day's published closing;
 * what no row has (dormant cash, refunds) is the state at the day's closing event less what was
 * posted to later days.
 */
#include "projections/page.h"

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

void
jb_summary_balance(const struct jb_summary *summary, jb_day today, struct jb_balance *ret)
{
    struct jb_summary_sums sums;
    jb_summary_sum(summary, today, &sums);
    *ret = (struct jb_balance){.status = summary->status,
                               .paid = summary->paid,
                               .free = sums.free,
                               .free_dormant = sums.dormant,
                               .refund_pending = summary->pending,
                               .refund_in_transit = summary->transit,
                               .version = summary->version};
    finish(ret);
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
    struct jb_balance b;
    jb_summary_balance(&summary, r->today, &b);
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
    return jb_as_of_is_now(as_of);
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
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
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

/* Balances of wallets in order of number, as of one moment. */
struct balances {
    JB_VEC(struct jb_wallet_balance) rows;
    bool end; /* there is no wallet behind them */
};

/* From the state where no event of the wallet came since the moment; the others stay without a
 * balance (version 0). r->now: the moment is that of this look. */
static jb_status
from_states(struct jb_views *v, struct jb_as_of_point *r, uint32_t after, uint32_t limit,
            struct balances *b, struct jb_error *err)
{
    struct jb_reader_head head;
    jb_status status = jb_reader_begin(v->l, &head, err);
    if (status != JB_OK) {
        return status;
    }
    if (r->now) {
        status = moment_now(v, &head, &r->moment, err);
        memcpy(r->chain, head.chain, sizeof r->chain);
        r->today = status == JB_OK ? jb_day_of(r->moment.at, v->info.utc_offset_s) : r->today;
        r->now = false;
    }
    for (uint32_t i = 1; i <= limit && status == JB_OK; i++) {
        struct jb_reader_wallet w;
        b->end = (uint64_t)after + i > head.wallets_n;
        status = jb_limit_look(err);
        status = b->end || status != JB_OK ? status : jb_reader_wallet(v->l, after + i, &w, err);
        b->end = b->end || (status == JB_OK && w.created_seq > r->moment.seq);
        if (status != JB_OK || b->end) {
            break;
        }
        if (!jb_vec_reserve(&b->rows, b->rows.n + 1)) {
            status = jb_fail(err, JB_E_NOMEM, "no memory for the balances of all wallets");
            break;
        }
        struct jb_wallet_balance *row = &b->rows.at[b->rows.n++];
        *row = (struct jb_wallet_balance){.size = sizeof *row, .as_of = r->moment};
        name(row, &w);
        if (w.version <= r->moment.seq && r->only_through == JB_NO_DAY) {
            from_state(&w, r->today, &row->balance);
        }
    }
    jb_reader_end(v->l);
    return status;
}

/* The others, from the projections' summaries. Wallets are numbered as they are made: behind the
 * first that did not exist on a day there is none that did. */
static jb_status
from_views(struct jb_views *v, const struct jb_as_of_point *r, struct balances *b,
           struct jb_error *err)
{
    size_t i = 0;
    while (i < b->rows.n && b->rows.at[i].balance.version != 0) {
        i++;
    }
    struct jb_view_read q;
    jb_status status = i < b->rows.n ? jb_view_read_begin(v, r->moment.seq, &q, err) : JB_END;
    if (status != JB_OK) {
        return status == JB_END ? JB_OK : status;
    }
    for (; i < b->rows.n && status == JB_OK; i++) {
        struct jb_wallet_balance *row = &b->rows.at[i];
        status = row->balance.version != 0
                     ? JB_OK
                     : jb_view_read_balance(&q, row->number, r, &row->balance, err);
        if (status == JB_E_NOTFOUND) {
            b->rows.n = i;
            b->end = true;
            status = JB_OK;
        }
    }
    jb_view_read_end(&q);
    return status;
}

/* The wallets numbered behind `after`, at most limit of them. */
static jb_status
read_balances(struct jb_views *v, struct jb_as_of_point *r, uint32_t after, uint32_t limit,
              struct balances *b, struct jb_error *err)
{
    b->rows.n = 0;
    jb_status status = from_states(v, r, after, limit, b, err);
    return status == JB_OK ? from_views(v, r, b, err) : status;
}

/* How many wallets are looked at before the first of them is told: most ledgers have fewer, and one
 * look is enough. */
#define WALLETS_AT_ONCE 50000

jb_status
jb_balance_each(jb_views *v, const struct jb_as_of *as_of,
                bool (*each)(void *data, const struct jb_wallet_balance *b), void *data,
                struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || each == NULL) {
        return jb_fail_null(err, "jb_balance_each");
    }
    const struct jb_page_of of = {.list = JB_PAGE_WALLETS};
    struct jb_page_place unused;
    struct jb_as_of_point r;
    struct balances b = {.end = false};
    bool fresh, more = true;
    jb_status status = jb_page_begin(v, &of, as_of, NULL, 1, &unused, &r, &fresh, err);
    for (uint32_t after = 0; more && !b.end && status == JB_OK;) {
        status = read_balances(v, &r, after, WALLETS_AT_ONCE, &b, err);
        for (size_t i = 0; i < b.rows.n && more && status == JB_OK; i++) {
            after = b.rows.at[i].number;
            more = each(data, &b.rows.at[i]);
        }
    }
    jb_vec_free(&b.rows);
    return status;
}

jb_status
jb_wallets_get(jb_views *v, const struct jb_as_of *as_of, const char *cursor, uint32_t limit,
               bool (*each)(void *data, const struct jb_wallet_balance *b), void *data, char *next,
               struct jb_moment *moment, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || each == NULL) {
        return jb_fail_null(err, "jb_wallets_get");
    }
    const struct jb_page_of of = {.list = JB_PAGE_WALLETS};
    struct jb_page_place place = {0}; /* the last wallet that was told */
    struct jb_as_of_point r;
    struct balances b = {.end = false};
    bool fresh;
    jb_status status = jb_page_begin(v, &of, as_of, cursor, limit, &place, &r, &fresh, err);
    if (status == JB_OK && place.at >= UINT32_MAX) {
        status = jb_fail(err, JB_E_USAGE, "this cursor is of a wallet that there cannot be");
    }
    /* One more than the page has: whether the list goes on. */
    status =
        status == JB_OK ? read_balances(v, &r, (uint32_t)place.at, limit + 1, &b, err) : status;
    size_t told = 0;
    for (bool more = true; told < b.rows.n && told < limit && more && status == JB_OK; told++) {
        place.at = b.rows.at[told].number;
        more = each(data, &b.rows.at[told]);
    }
    if (status == JB_OK) {
        jb_page_end(v, &of, told < b.rows.n ? &place : NULL, &r, next, moment);
    }
    jb_vec_free(&b.rows);
    return status;
}
