/*
 * Histories: the wallet's own chain, walked back. The running balance starts from the state and
 * goes down by the effect of each event, so that a row's balance is the sum of effects up to it.
 */
#include "projections/page.h"

enum { JB_HISTORY_none = JB_HISTORY_ALL };

/* The kind of history that lists events of a type, beside that of all. */
static const uint8_t kinds[JB_EV_TYPES] = {
#define EFFECT(NAME, history, cause, ...) [JB_EV_##NAME] = JB_HISTORY_##history,
#include "event/effects.def"
#undef EFFECT
};

static bool
is_of_kind(uint32_t type, jb_history_kind kind)
{
    return kind == JB_HISTORY_ALL || (type < JB_EV_TYPES && kinds[type] == kind);
}

/* The newest event at the moment and the balance after it. Of a closed day: without what was posted
 * later. */
static jb_status
newest(struct jb_view_read *q, uint32_t wallet, const struct jb_as_of_point *r,
       struct jb_page_place *ret, struct jb_error *err)
{
    struct jb_summary summary;
    jb_status status = jb_view_read_summary(q, wallet, r->moment.seq, &summary, err);
    if (status != JB_OK) {
        return status;
    }
    if (r->only_through != JB_NO_DAY && summary.created_on > r->only_through) {
        status = jb_not_yet(q, wallet, 0, err);
    }
    struct jb_summary_sums sums;
    struct jb_move later = {.paid = 0};
    jb_summary_sum(&summary, JB_NO_DAY, &sums);
    if (status == JB_OK && r->only_through != JB_NO_DAY) {
        struct jb_walk walk = {.from = summary.version, .posted_after = r->only_through};
        status = jb_view_read_walk(q, wallet, &walk, &later, err);
    }
    *ret = (struct jb_page_place){.at = summary.version,
                                  .balance = summary.paid + sums.free - later.paid - later.free};
    jb_summary_free(&summary);
    return status;
}

/* Where a first page begins. The moment is resolved. */
static jb_status
begin_at_newest(struct jb_views *v, uint32_t wallet, const struct jb_as_of_point *r,
                struct jb_page_place *ret, struct jb_error *err)
{
    struct jb_view_read q;
    jb_status status = jb_view_read_begin(v, r->moment.seq, &q, err);
    if (status == JB_OK) {
        status = newest(&q, wallet, r, ret, err);
        jb_view_read_end(&q);
    }
    return status;
}

/* The rows of a page, kept, and where what is behind them begins. */
struct page {
    struct jb_kept kept;
    JB_VEC(jb_amount) balances; /* after each of them */
    struct jb_page_place behind;
};

static jb_status
keep_row(struct page *p, const jb_cursor *c, const struct jb_event *e, struct jb_error *err)
{
    if (!jb_vec_reserve(&p->balances, p->balances.n + 1)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a page of a history");
    }
    p->balances.at[p->balances.n++] = p->behind.balance;
    return jb_keep(&p->kept, c, e->seq, err);
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

static jb_status
collect(jb_cursor *c, uint32_t wallet, jb_history_kind kind, const struct jb_as_of_point *r,
        uint32_t limit, struct page *p, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (uint32_t looked = 0; looked < JB_PAGE_EVENTS_MAX && status == JB_OK; looked++) {
        if (p->behind.at == 0 || p->balances.n == limit || jb_kept_full(&p->kept)) {
            break;
        }
        const struct jb_event *e;
        status = jb_chain_event(c, p->behind.at, wallet, &e, err);
        if (status != JB_OK) {
            break;
        }
        struct jb_page_place next = {e->prev, p->behind.balance - effect_of(e, r)};
        status = counts(e, r) && is_of_kind(e->type, kind) ? keep_row(p, c, e, err) : JB_OK;
        p->behind = next;
    }
    return status;
}

static jb_status
tell(struct page *p, const struct jb_as_of_point *r, int32_t utc_offset_s,
     bool (*each)(void *data, const struct jb_history_row *row), void *data, struct jb_error *err)
{
    for (size_t i = 0; i < p->balances.n; i++) {
        const struct jb_event *e;
        jb_status status = jb_kept_at(&p->kept, i, &e, err);
        if (status != JB_OK) {
            return status;
        }
        struct jb_history_row row = {.event = e,
                                     .effect = effect_of(e, r),
                                     .balance = p->balances.at[i],
                                     .late =
                                         e->posted_on > jb_day_of(e->occurred_at, utc_offset_s)};
        if (!each(data, &row)) {
            p->behind = (struct jb_page_place){e->prev, row.balance - row.effect};
            break;
        }
    }
    return JB_OK;
}

static jb_status
read_page(struct jb_views *v, const struct jb_page_of *of, const struct jb_as_of_point *r,
          bool fresh, uint32_t limit, struct page *p, struct jb_error *err)
{
    jb_cursor *c;
    const struct jb_event *e;
    jb_status status = fresh ? begin_at_newest(v, of->wallet, r, &p->behind, err) : JB_OK;
    status = status == JB_OK ? jb_cursor_open(v->l, 1, &c, err) : status;
    if (status != JB_OK) {
        return status;
    }
    bool forged = !fresh && (p->behind.at == 0 || p->behind.at > r->moment.seq ||
                             jb_chain_event(c, p->behind.at, of->wallet, &e, NULL) == JB_E_CORRUPT);
    status = forged ? jb_fail(err, JB_E_USAGE,
                              "this cursor is not of this wallet's history; begin without one")
                    : collect(c, of->wallet, (jb_history_kind)of->filter, r, limit, p, err);
    jb_cursor_close(c);
    return status;
}

jb_status
jb_history_get(jb_views *v, struct jb_text wallet, jb_history_kind kind,
               const struct jb_as_of *as_of, const char *cursor, uint32_t limit,
               bool (*each)(void *data, const struct jb_history_row *row), void *data, char *next,
               struct jb_moment *moment, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    if (v == NULL || each == NULL) {
        return jb_fail_null(err, "jb_history_get");
    }
    if ((unsigned)kind > JB_HISTORY_REFUND) {
        return jb_fail(err, JB_E_USAGE, "a history of a kind that does not exist");
    }
    struct jb_page_of of = {.list = JB_PAGE_HISTORY, .filter = kind};
    struct jb_as_of_point r;
    struct page p = {.behind = {0}};
    bool fresh;
    jb_status status = jb_find_wallet(v->l, wallet, &of.wallet, err);
    status = status == JB_OK
                 ? jb_page_begin(v, &of, as_of, cursor, limit, &p.behind, &r, &fresh, err)
                 : status;
    status = status == JB_OK ? read_page(v, &of, &r, fresh, limit, &p, err) : status;
    status = status == JB_OK ? tell(&p, &r, v->info.utc_offset_s, each, data, err) : status;
    jb_kept_free(&p.kept);
    jb_vec_free(&p.balances);
    if (status == JB_OK) {
        jb_page_end(v, &of, p.behind.at != 0 ? &p.behind : NULL, &r, next, moment);
    }
    return status;
}
