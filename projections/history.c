/*
 * Histories: the wallet's own chain. Newest first the running balance starts from the state and
 * goes down by the effect of each event; oldest first it starts from the state before the first one
 * and goes up. Where nothing is listed for long it begins again at the next event of a kind that
 * is. So a row's balance is the sum of effects up to it, whichever way and whatever is listed.
 */
#include "projections/page.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* A query as it is carried out. */
struct search {
    struct jb_views *v;
    struct jb_history_query query;
    uint32_t wallet;
    bool all_types;
    bool types[JB_EV_TYPES];
    bool all;                 /* anything may be listed, */
    bool listed[JB_EV_TYPES]; /* or these types: of those asked for that are of the kind */
    jb_seq low, high;         /* both included; low > high: nothing */
    struct jb_as_of_point r;
    uint32_t limit;
    struct jb_kept kept;
    JB_VEC(jb_amount) balances; /* after each of the kept */
    /* Newest first: the next event to look at, and the balance after it. Oldest first: it or a
     * later one, and the balance before it. at 0: there is none. */
    struct jb_page_place behind;
    unsigned missed; /* the events next to `behind` that were gone over, of other types */
};

/* The wallet's last event up to seq and the balance after it. Of a closed day: without what was
 * posted later. */
static jb_status
newest(struct jb_view_read *q, const struct search *s, jb_seq seq, struct jb_page_place *ret,
       struct jb_error *err)
{
    const jb_day through = s->r.only_through;
    struct jb_summary summary;
    jb_status status = jb_view_read_summary(q, s->wallet, seq, &summary, err);
    if (status != JB_OK) {
        return status;
    }
    if (through != JB_NO_DAY && summary.created_on > through) {
        status = jb_not_yet(q, s->wallet, 0, err);
    }
    struct jb_summary_sums sums;
    struct jb_move later = {.paid = 0};
    jb_summary_sum(&summary, JB_NO_DAY, &sums);
    if (status == JB_OK && through != JB_NO_DAY) {
        struct jb_walk walk = {.from = summary.version, .posted_after = through};
        status = jb_view_read_walk(q, s->wallet, &walk, &later, err);
    }
    *ret = (struct jb_page_place){.at = summary.version,
                                  .balance = summary.paid + sums.free - later.paid - later.free};
    jb_summary_free(&summary);
    return status;
}

/* The same where the wallet need not have been there yet: no event, and 0. */
static jb_status
newest_if_any(struct jb_view_read *q, const struct search *s, jb_seq seq, struct jb_page_place *ret,
              struct jb_error *err)
{
    *ret = (struct jb_page_place){0};
    jb_status status = seq > 0 ? newest(q, s, seq, ret, err) : JB_OK;
    return status == JB_E_NOTFOUND ? JB_OK : status;
}

/* Where a first page begins. */
static jb_status
begin(struct search *s, struct jb_error *err)
{
    struct jb_view_read q;
    struct jb_page_place last = {0};
    jb_status status = jb_view_read_begin(s->v, s->r.moment.seq, &q, err);
    if (status != JB_OK) {
        return status;
    }
    status = newest(&q, s, s->r.moment.seq, &last, err); /* also: whether there is such a wallet */
    if (status == JB_OK && s->query.order == JB_OLDEST_FIRST) {
        status = newest_if_any(&q, s, s->low - 1, &s->behind, err);
        s->behind.at = s->low;
    } else if (status == JB_OK && s->high < s->r.moment.seq) {
        status = newest_if_any(&q, s, s->high, &s->behind, err);
    } else {
        s->behind = last;
    }
    jb_view_read_end(&q);
    return status;
}

/* Of a closed day only what was posted by then. */
static bool
counts(const struct jb_event *e, const struct jb_as_of_point *r)
{
    return r->only_through == JB_NO_DAY || e->posted_on <= r->only_through;
}

static jb_amount
effect_of(const struct jb_event *e, const struct jb_as_of_point *r)
{
    return counts(e, r) ? jb_event_effect(e) : 0;
}

static bool
is_of_types(const struct search *s, const struct jb_event *e)
{
    return s->all || (e->type < JB_EV_TYPES && s->listed[e->type]);
}

static bool
is_listed(const struct search *s, const struct jb_event *e)
{
    return counts(e, &s->r) && is_of_types(s, e) &&
           jb_amount_within(e, s->query.amount_min, s->query.amount_max);
}

static bool
is_full(const struct search *s)
{
    return s->balances.n == s->limit || jb_kept_full(&s->kept);
}

/* Keeps e, which c returned last, if it is listed. */
static jb_status
keep_row(struct search *s, const jb_cursor *c, const struct jb_event *e, jb_amount balance,
         struct jb_error *err)
{
    if (!is_listed(s, e)) {
        return JB_OK;
    }
    if (!jb_vec_reserve(&s->balances, s->balances.n + 1)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a page of a history");
    }
    s->balances.at[s->balances.n++] = balance;
    return jb_keep(&s->kept, c, e->seq, err);
}

static void
what_is_listed(struct search *s)
{
    const jb_history_kind kind = s->query.kind;
    s->all = s->all_types && kind == JB_HISTORY_ALL;
    for (uint32_t type = 0; type < JB_EV_TYPES; type++) {
        s->listed[type] = (s->all_types || s->types[type]) &&
                          (kind == JB_HISTORY_ALL || jb_history_kind_of(type) == kind);
    }
}

/* Goes on at the newest event, up to the one that is next, that may be listed by its type: the
 * wallet's summary there knows it. */
static jb_status
skip(struct search *s, struct jb_error *err)
{
    struct jb_view_read q;
    struct jb_summary summary;
    jb_seq at = 0;
    jb_status status = jb_view_read_begin(s->v, s->r.moment.seq, &q, err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_view_read_summary(&q, s->wallet, s->behind.at, &summary, err);
    if (status == JB_OK) {
        at = jb_summary_last_of(&summary, s->listed);
        jb_summary_free(&summary);
    }
    if (status == JB_OK && at < s->low) {
        s->behind.at = 0;
    } else if (status == JB_OK && at < s->behind.at) {
        status = newest(&q, s, at, &s->behind, err);
    }
    jb_view_read_end(&q);
    s->missed = 0;
    return status;
}

/* So many events in a row were of other types that the next one that may be listed is looked up. */
static bool
has_missed(const struct search *s)
{
    return !s->all && s->missed >= JB_MISSED_MAX;
}

static jb_status
collect_back(struct search *s, jb_cursor *c, struct jb_error *err)
{
    jb_status status = has_missed(s) ? skip(s, err) : JB_OK;
    for (uint32_t looked = 0; !jb_page_is_over(looked) && status == JB_OK; looked++) {
        if (s->behind.at < s->low || is_full(s)) {
            break;
        }
        const struct jb_event *e;
        status = jb_chain_event(c, s->behind.at, s->wallet, &e, err);
        if (status != JB_OK) {
            break;
        }
        const struct jb_page_place next = {e->prev, s->behind.balance - effect_of(e, &s->r)};
        s->missed = is_of_types(s, e) ? 0 : s->missed + 1;
        status = keep_row(s, c, e, s->behind.balance, err);
        s->behind = next;
        if (status == JB_OK && has_missed(s) && next.at >= s->low) {
            status = skip(s, err);
        }
    }
    s->behind.at = s->behind.at < s->low ? 0 : s->behind.at;
    return status;
}

/* The events of a piece, as far as the page goes, or many in a row are not listed. */
static jb_status
collect_piece(struct search *s, struct jb_view_read *q, const struct jb_piece *piece,
              struct jb_error *err)
{
    jb_status status = JB_OK;
    for (size_t i = piece->seqs.n; i-- > 0 && status == JB_OK;) {
        const struct jb_event *e;
        const jb_seq seq = piece->seqs.at[i];
        s->behind.at = seq;
        if (seq > s->high || is_full(s) || has_missed(s)) {
            break;
        }
        status = jb_view_read_event(q, seq, s->wallet, &e, err);
        if (status == JB_OK) {
            s->missed = is_of_types(s, e) ? 0 : s->missed + 1;
            s->behind = (struct jb_page_place){seq + 1, s->behind.balance + effect_of(e, &s->r)};
            status = keep_row(s, q->cursor, e, s->behind.balance, err);
        }
    }
    return status;
}

/* Where oldest first ends: the wallet's last event up to the bound, and the last one there that may
 * be listed by its type. */
static jb_status
find_ends(const struct search *s, struct jb_view_read *q, jb_seq *ret_high, jb_seq *ret_listed,
          struct jb_error *err)
{
    struct jb_summary summary;
    *ret_high = *ret_listed = 0;
    jb_status status = jb_view_read_summary(q, s->wallet, s->high, &summary, err);
    if (status != JB_OK) {
        return status == JB_E_NOTFOUND ? JB_OK : status;
    }
    *ret_high = summary.version;
    *ret_listed = s->all ? summary.version : jb_summary_last_of(&summary, s->listed);
    jb_summary_free(&summary);
    return JB_OK;
}

/* Goes on at the first event, from the one that is next on, that may be listed by its type. */
static jb_status
skip_forward(struct search *s, struct jb_view_read *q, jb_seq listed, struct jb_piece *piece,
             struct jb_error *err)
{
    jb_seq at;
    const struct jb_event *e;
    jb_status status =
        jb_view_read_first_of(q, s->wallet, s->listed, s->behind.at, listed, &at, err);
    status = status == JB_OK ? jb_view_read_event(q, at, s->wallet, &e, err) : status;
    status = status == JB_OK ? newest_if_any(q, s, e->prev, &s->behind, err) : status;
    if (status == JB_OK && !jb_vec_reserve(&piece->seqs, 1)) {
        status = jb_fail(err, JB_E_NOMEM, "no memory for the events of a wallet");
    }
    if (status == JB_OK) {
        piece->seqs.at[0] = at;
        piece->seqs.n = 1;
        s->missed = 0;
    }
    return status;
}

static jb_status
collect_forward(struct search *s, struct jb_error *err)
{
    struct jb_view_read q;
    struct jb_piece piece = {.seqs = {0}};
    jb_seq high, listed;
    uint32_t looked = 0;
    jb_status status = jb_view_read_begin(s->v, s->r.moment.seq, &q, err);
    if (status != JB_OK) {
        return status;
    }
    status = find_ends(s, &q, &high, &listed, err);
    while (status == JB_OK && s->behind.at <= listed && !is_full(s) && !jb_page_is_over(looked)) {
        status = has_missed(s) ? skip_forward(s, &q, listed, &piece, err)
                               : jb_view_read_piece(&q, s->wallet, s->behind.at, &piece, err);
        status = status == JB_OK ? collect_piece(s, &q, &piece, err) : status;
        looked += (uint32_t)piece.seqs.n;
    }
    jb_view_read_end(&q);
    jb_vec_free(&piece.seqs);
    s->behind.at = s->behind.at > listed ? 0 : s->behind.at;
    return status;
}

static jb_status
tell(struct search *s, bool (*each)(void *data, const struct jb_history_row *row), void *data,
     struct jb_error *err)
{
    for (size_t i = 0; i < s->balances.n; i++) {
        const struct jb_event *e;
        jb_status status = jb_kept_at(&s->kept, i, &e, err);
        if (status != JB_OK) {
            return status;
        }
        const jb_day occurred = jb_day_of(e->occurred_at, s->v->info.utc_offset_s);
        const struct jb_history_row row = {.event = e,
                                           .effect = effect_of(e, &s->r),
                                           .balance = s->balances.at[i],
                                           .late = e->posted_on > occurred};
        if (!each(data, &row)) {
            const bool back = s->query.order == JB_NEWEST_FIRST;
            const jb_seq at = back ? e->prev : e->seq + 1;
            s->behind =
                (struct jb_page_place){.at = at < s->low || at > s->high ? 0 : at,
                                       .balance = back ? row.balance - row.effect : row.balance};
            break;
        }
    }
    return JB_OK;
}

/* A cursor that another program made up: its place must be one of the list. */
static bool
is_forged(const struct search *s, jb_cursor *c)
{
    const struct jb_event *e;
    return s->behind.at < s->low || s->behind.at > s->high ||
           (s->query.order == JB_NEWEST_FIRST &&
            jb_chain_event(c, s->behind.at, s->wallet, &e, NULL) == JB_E_CORRUPT);
}

static jb_status
read_page(struct search *s, bool fresh, struct jb_error *err)
{
    jb_cursor *c;
    jb_status status = fresh ? begin(s, err) : JB_OK;
    what_is_listed(s);
    s->missed = fresh ? JB_MISSED_MAX : 0;
    if (status != JB_OK || (fresh && s->low > s->high)) {
        s->behind.at = 0;
        return status;
    }
    status = jb_cursor_open(s->v->l, 1, &c, err);
    if (status != JB_OK) {
        return status;
    }
    if (!fresh && is_forged(s, c)) {
        status = jb_fail(err, JB_E_USAGE,
                         "this cursor is not of this wallet's history; begin without one");
    } else if (s->query.order == JB_NEWEST_FIRST) {
        status = collect_back(s, c, err);
    }
    jb_cursor_close(c);
    return status == JB_OK && s->query.order == JB_OLDEST_FIRST ? collect_forward(s, err) : status;
}

/* What the cursor is bound to: of a plain history, newest first, its kind alone. */
static uint64_t
filter_of(const struct search *s)
{
    const struct jb_history_query *q = &s->query;
    uint8_t bytes[6 * 9 + 1 + JB_EV_TYPES];
    size_t n = 0;
    const int64_t numbers[6] = {(int64_t)q->first,
                                (int64_t)q->last,
                                q->since != NULL ? *q->since : 0,
                                q->until != NULL ? *q->until : 0,
                                q->amount_min != NULL ? *q->amount_min : 0,
                                q->amount_max != NULL ? *q->amount_max : 0};
    const bool given[6] = {q->first != 0,    q->last != 0,          q->since != NULL,
                           q->until != NULL, q->amount_min != NULL, q->amount_max != NULL};
    bool plain = q->order == JB_NEWEST_FIRST && s->all_types;
    for (unsigned i = 0; i < 6; i++) {
        plain = plain && !given[i];
        if (given[i]) {
            bytes[n] = (uint8_t)(i + 1);
            jb_put_be(bytes + n + 1, 8, (uint64_t)numbers[i]);
            n += 9;
        }
    }
    if (plain) {
        return q->kind;
    }
    bytes[n++] = (uint8_t)(16 + 4 * (unsigned)q->kind + (unsigned)q->order);
    for (unsigned i = 0; i < JB_EV_TYPES && !s->all_types; i++) {
        if (s->types[i]) {
            bytes[n++] = (uint8_t)i;
        }
    }
    return XXH3_64bits(bytes, n) | UINT64_C(1) << 63;
}

static jb_status
check_query(struct search *s, struct jb_error *err)
{
    const struct jb_history_query *q = &s->query;
    if ((unsigned)q->kind > JB_HISTORY_REFUND) {
        return jb_fail(err, JB_E_USAGE, "a history of a kind that does not exist");
    }
    if (q->order != JB_OLDEST_FIRST && q->order != JB_NEWEST_FIRST) {
        return jb_fail(err, JB_E_USAGE, "an order of events that does not exist");
    }
    jb_status status =
        jb_abi_reserved(&q->reserved, sizeof q->reserved, "struct jb_history_query", err);
    status = status == JB_OK ? jb_view_check_times(q->since, q->until, err) : status;
    return status == JB_OK ? jb_view_check_types(q->types, q->types_n, s->types, &s->all_types, err)
                           : status;
}

static jb_status
read_bounds(struct search *s, struct jb_error *err)
{
    const struct jb_history_query *q = &s->query;
    s->low = q->first > 1 ? q->first : 1;
    s->high = q->last != 0 && q->last < s->r.moment.seq ? q->last : s->r.moment.seq;
    return jb_view_bounds(s->v, q->since, q->until, &s->low, &s->high, err);
}

jb_status
jb_history_find(jb_views *v, const struct jb_history_query *query, const struct jb_as_of *as_of,
                const char *cursor, uint32_t limit,
                bool (*each)(void *data, const struct jb_history_row *row), void *data, char *next,
                struct jb_moment *moment, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || query == NULL || each == NULL) {
        return jb_fail_null(err, "jb_history_find");
    }
    struct search s = {.v = v, .limit = limit};
    struct jb_page_of of = {.list = JB_PAGE_HISTORY};
    bool fresh = true;
    jb_status status = jb_abi_in(&s.query, sizeof s.query, query, "struct jb_history_query", err);
    status = status == JB_OK ? check_query(&s, err) : status;
    status = status == JB_OK ? jb_find_wallet(v->l, s.query.wallet, &s.wallet, err) : status;
    if (status == JB_OK) {
        of.wallet = s.wallet;
        of.filter = filter_of(&s);
        status = jb_page_begin(v, &of, as_of, cursor, limit, &s.behind, &s.r, &fresh, err);
    }
    status = status == JB_OK ? read_bounds(&s, err) : status;
    status = status == JB_OK ? read_page(&s, fresh, err) : status;
    status = status == JB_OK ? tell(&s, each, data, err) : status;
    jb_kept_free(&s.kept);
    jb_vec_free(&s.balances);
    if (status == JB_OK) {
        jb_page_end(v, &of, s.behind.at != 0 ? &s.behind : NULL, &s.r, next, moment);
    }
    return status;
}

jb_status
jb_history_get(jb_views *v, struct jb_text wallet, jb_history_kind kind,
               const struct jb_as_of *as_of, const char *cursor, uint32_t limit,
               bool (*each)(void *data, const struct jb_history_row *row), void *data, char *next,
               struct jb_moment *moment, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || each == NULL) {
        return jb_fail_null(err, "jb_history_get");
    }
    const struct jb_history_query query = {
        .size = sizeof query, .wallet = wallet, .kind = kind, .order = JB_NEWEST_FIRST};
    return jb_history_find(v, &query, as_of, cursor, limit, each, data, next, moment, err);
}
