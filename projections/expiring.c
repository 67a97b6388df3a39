/* Free cash that is about to lapse: the grants of all wallets by their summaries, in pages. */
#include "projections/page.h"

/* Wallets that a page looks at, at most. */
#define WALLETS_AT_ONCE 10000

/* A grant that is told. */
struct found {
    uint32_t wallet;
    struct jb_summary_grant grant;
};

struct page {
    struct jb_views *v;
    struct jb_as_of_point r;
    jb_day last;              /* that an expires_on may be */
    uint32_t wallet, ordinal; /* the last that was told, or looked at */
    uint32_t only;            /* wallet; 0: all */
    uint32_t wanted;          /* rows */
    bool end;                 /* nothing is behind what was looked at */
    JB_VEC(struct found) found;
    struct jb_kept kept;
};

static jb_status
add_grants(struct page *p, uint32_t wallet, const struct jb_summary *w, struct jb_error *err)
{
    for (size_t i = 0; i < w->grants.n && p->found.n < p->wanted; i++) {
        const struct jb_summary_grant *g = &w->grants.at[i];
        const bool told = wallet == p->wallet && g->ordinal <= p->ordinal;
        if (told || g->remaining == 0 || g->expires_on < p->r.today || g->expires_on > p->last) {
            continue;
        }
        if (!jb_vec_reserve(&p->found, p->found.n + 1)) {
            return jb_fail(err, JB_E_NOMEM, "no memory for a page of grants");
        }
        p->found.at[p->found.n++] = (struct found){wallet, *g};
    }
    return JB_OK;
}

/* One wallet; *ret_there false: it was made later than the moment, as were those behind it. */
static jb_status
look_at(struct page *p, struct jb_view_read *q, uint32_t wallet, bool *ret_there,
        struct jb_error *err)
{
    struct jb_summary summary;
    jb_status status = jb_view_read_summary(q, wallet, p->r.moment.seq, &summary, err);
    *ret_there = status == JB_OK;
    if (status != JB_OK) {
        return status == JB_E_NOTFOUND && p->only == 0 ? JB_OK : status;
    }
    status = add_grants(p, wallet, &summary, err);
    jb_summary_free(&summary);
    return status;
}

static jb_status
look_at_wallets(struct page *p, struct jb_view_read *q, struct jb_error *err)
{
    const uint32_t first = p->only != 0 ? p->only : p->wallet > 0 ? p->wallet : 1;
    const uint32_t behind = p->only != 0 ? p->only : q->fold->g.wallets_n;
    jb_status status = JB_OK;
    uint32_t wallet = first;
    bool there = true;
    for (; wallet <= behind && wallet - first < WALLETS_AT_ONCE && there && status == JB_OK &&
           p->found.n < p->wanted;
         wallet++) {
        status = look_at(p, q, wallet, &there, err);
    }
    p->end = (wallet > behind || !there) && p->found.n < p->wanted;
    if (!p->end && p->found.n < p->wanted) {
        p->wallet = wallet - 1; /* as far as it was looked */
        p->ordinal = UINT32_MAX;
    }
    return status;
}

static jb_status
keep_events(struct page *p, struct jb_error *err)
{
    jb_cursor *c;
    jb_status status = p->found.n > 0 ? jb_cursor_open(p->v->l, 1, &c, err) : JB_END;
    if (status != JB_OK) {
        return status == JB_END ? JB_OK : status;
    }
    for (size_t i = 0; i < p->found.n && status == JB_OK; i++) {
        const struct jb_event *e;
        const struct found *f = &p->found.at[i];
        status = jb_chain_event(c, f->grant.seq, f->wallet, &e, err);
        if (status == JB_OK && e->type != JB_EV_FREE_GRANTED) {
            status = jb_fail(err, JB_E_CORRUPT,
                             "event %llu is named as a grant and is none. Run `jangbu audit`",
                             (unsigned long long)f->grant.seq);
        }
        status = status == JB_OK ? jb_keep(&p->kept, c, f->grant.seq, err) : status;
    }
    jb_cursor_close(c);
    return status;
}

static jb_status
read_page(struct page *p, struct jb_error *err)
{
    struct jb_view_read q;
    jb_status status = jb_view_read_begin(p->v, p->r.moment.seq, &q, err);
    if (status != JB_OK) {
        return status;
    }
    status = look_at_wallets(p, &q, err);
    jb_view_read_end(&q);
    return status == JB_OK ? keep_events(p, err) : status;
}

/* Tells up to `limit` of what was found; *ret_told how many. */
static jb_status
tell(struct page *p, uint32_t limit, bool (*each)(void *data, const struct jb_expiring_row *row),
     void *data, size_t *ret_told, struct jb_error *err)
{
    bool more = true;
    for (*ret_told = 0; more && *ret_told < p->found.n && *ret_told < limit; ++*ret_told) {
        const struct found *f = &p->found.at[*ret_told];
        char id[JB_ID_BYTES_MAX + 1];
        const struct jb_event *e;
        jb_status status = jb_kept_at(&p->kept, *ret_told, &e, err);
        status = status == JB_OK ? jb_wallet_text(p->v->l, f->wallet, id, err) : status;
        if (status != JB_OK) {
            return status;
        }
        const struct jb_expiring_row row = {.wallet = id,
                                            .event = e,
                                            .state = f->grant.in_use ? JB_GRANT_IN_USE
                                                                     : JB_GRANT_DORMANT,
                                            .left = f->grant.remaining,
                                            .expires_on = f->grant.expires_on,
                                            .days = (uint32_t)(f->grant.expires_on - p->r.today)};
        more = each(data, &row);
    }
    return JB_OK;
}

/* Before the first event that has a time there is no day, and no wallet. */
static jb_day
last_day(jb_day today, uint32_t days)
{
    const int64_t last = (int64_t)today + days;
    return today == JB_NO_DAY ? JB_NO_DAY : last < JB_DAY_MAX ? (jb_day)last : JB_DAY_MAX;
}

static jb_status
get_page(struct page *p, const struct jb_page_of *of, uint32_t days, const struct jb_as_of *as_of,
         const char *cursor, uint32_t limit,
         bool (*each)(void *data, const struct jb_expiring_row *row), void *data, char *next,
         struct jb_moment *moment, struct jb_error *err)
{
    struct jb_page_place place = {0}; /* wallet and ordinal of the last grant that was told */
    bool fresh;
    size_t told = 0;
    jb_status status = jb_page_begin(p->v, of, as_of, cursor, limit, &place, &p->r, &fresh, err);
    status = status == JB_OK ? jb_page_end_of_day(p->v, &p->r, err) : status;
    if (status != JB_OK) {
        return status;
    }
    p->wallet = (uint32_t)(place.at >> 32);
    p->ordinal = (uint32_t)place.at;
    p->last = last_day(p->r.today, days);
    p->wanted = limit + 1; /* one more than the page has: whether the list goes on */
    status = read_page(p, err);
    status = status == JB_OK ? tell(p, limit, each, data, &told, err) : status;
    if (status != JB_OK) {
        return status;
    }
    if (told > 0 && told < p->found.n) {
        p->wallet = p->found.at[told - 1].wallet;
        p->ordinal = p->found.at[told - 1].grant.ordinal;
        p->end = false;
    }
    place.at = (uint64_t)p->wallet << 32 | p->ordinal;
    jb_page_end(p->v, of, p->end ? NULL : &place, &p->r, next, moment);
    return JB_OK;
}

jb_status
jb_expiring_get(jb_views *v, struct jb_text wallet, uint32_t days, const struct jb_as_of *as_of,
                const char *cursor, uint32_t limit,
                bool (*each)(void *data, const struct jb_expiring_row *row), void *data, char *next,
                struct jb_moment *moment, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || each == NULL) {
        return jb_fail_null(err, "jb_expiring_get");
    }
    struct page p = {.v = v};
    jb_status status = wallet.s != NULL ? jb_find_wallet(v->l, wallet, &p.only, err) : JB_OK;
    const struct jb_page_of of = {.list = JB_PAGE_EXPIRING, .wallet = p.only, .filter = days};
    status = status == JB_OK
                 ? get_page(&p, &of, days, as_of, cursor, limit, each, data, next, moment, err)
                 : status;
    jb_vec_free(&p.found);
    jb_kept_free(&p.kept);
    return status;
}
