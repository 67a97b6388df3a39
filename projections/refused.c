/*
 * Refused commands by wallet: what no chain and no history has. An entry's key is the wallet's
 * number, or, of a command on a wallet that there was not, 0 and a hash of the id that was given.
 */
#include "projections/page.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

struct jb_refused
jb_refused_of(const struct jb_event *e)
{
    const struct jb_command_refused *r = &e->command_refused;
    bool known = e->type == JB_EV_COMMAND_REFUSED && e->version >= 2;
    return (struct jb_refused){
        .wallet = known ? r->wallet_no : 0,
        .hash = known && r->wallet_id.s != NULL ? XXH3_64bits(r->wallet_id.s, r->wallet_id.n) : 0,
        .seq = e->seq};
}

/* The places where a page is looked for: under the number, and under the id. */
struct search {
    struct jb_view_read q;
    struct jb_refused under[2];
    size_t under_n;
    size_t fold_at; /* entries of the fold below it are not looked at yet */
};

/* The newest entry below `below`, of the store. 0: there is none. */
static jb_status
newest_stored(struct search *s, jb_seq below, jb_seq *ret, struct jb_error *err)
{
    *ret = 0;
    jb_status status = JB_OK;
    for (size_t i = 0; i < s->under_n && status == JB_OK; i++) {
        struct jb_refused at = s->under[i];
        jb_seq seq;
        at.seq = below;
        status = jb_stored_refused_below(s->q.stored, &at, &seq, err);
        *ret = status == JB_OK && seq > *ret ? seq : *ret;
    }
    return status;
}

/* The same of the fold, whose entries stand in order of seq. */
static jb_seq
newest_folded(struct search *s, jb_seq below)
{
    for (; s->fold_at > 0; s->fold_at--) {
        const struct jb_refused *r = &s->q.fold->refused.at[s->fold_at - 1];
        for (size_t i = 0; i < s->under_n && r->seq < below; i++) {
            if (r->wallet == s->under[i].wallet && r->hash == s->under[i].hash) {
                return r->seq;
            }
        }
    }
    return 0;
}

/* A page of numbers, newest first; what is stored and what is folded do not overlap. */
static jb_status
find_page(struct search *s, jb_seq below, uint32_t limit, jb_seq *page, uint32_t *ret_n,
          struct jb_error *err)
{
    jb_status status = JB_OK;
    *ret_n = 0;
    s->fold_at = s->q.fold->refused.n;
    while (*ret_n < limit && status == JB_OK) {
        jb_seq seq = newest_folded(s, below);
        if (seq == 0) {
            status = newest_stored(s, below, &seq, err);
        }
        if (status != JB_OK || seq == 0) {
            break;
        }
        page[(*ret_n)++] = below = seq;
    }
    return status;
}

static jb_status
look(struct jb_views *v, struct jb_text wallet, jb_seq below, uint32_t limit, jb_seq *page,
     uint32_t *ret_n, struct jb_error *err)
{
    struct search s = {.under = {{.hash = XXH3_64bits(wallet.s, wallet.n)}}, .under_n = 1};
    uint32_t number;
    jb_status status = jb_wallet_number(v->l, wallet, &number, err);
    if (status == JB_OK) {
        s.under[s.under_n++] = (struct jb_refused){.wallet = number};
    } else if (status != JB_E_NOTFOUND) {
        return status;
    }
    status = jb_view_read_begin(v, 0, &s.q, err);
    if (status != JB_OK) {
        return status;
    }
    do {
        status = find_page(&s, below, limit, page, ret_n, err);
    } while (jb_view_read_again(&s.q, &status, err));
    jb_view_read_end(&s.q);
    return status;
}

/* Two ids may have one hash: the event has the id itself. */
static bool
is_about(const struct jb_event *e, struct jb_text wallet)
{
    const struct jb_command_refused *r = &e->command_refused;
    return e->type == JB_EV_COMMAND_REFUSED &&
           (r->wallet_no != 0 ||
            (r->wallet_id.n == wallet.n && memcmp(r->wallet_id.s, wallet.s, wallet.n) == 0));
}

/* Keeps the events of the page, and says where what is behind them begins. */
static jb_status
keep_all(struct jb_views *v, const jb_seq *page, uint32_t n, struct jb_kept *kept, jb_seq *behind,
         struct jb_error *err)
{
    jb_cursor *c;
    jb_status status = jb_cursor_open(v->l, 1, &c, err);
    if (status != JB_OK) {
        return status;
    }
    for (uint32_t i = 0; i < n && status == JB_OK; i++) {
        const struct jb_event *e;
        if (jb_kept_full(kept)) {
            *behind = page[i - 1];
            break;
        }
        status = jb_cursor_at(c, page[i], &e, err);
        status = status == JB_OK ? jb_keep(kept, c, page[i], err) : status;
    }
    jb_cursor_close(c);
    return status;
}

/* Those of the page; what is behind it lies below *behind, 0: nothing is. */
static jb_status
read_page(struct jb_views *v, struct jb_text wallet, jb_seq below, uint32_t limit,
          struct jb_kept *kept, jb_seq *behind, struct jb_error *err)
{
    uint32_t n = 0;
    jb_seq *page = malloc(limit * sizeof *page);
    jb_status status = page != NULL
                           ? look(v, wallet, below, limit, page, &n, err)
                           : jb_fail(err, JB_E_NOMEM, "no memory for a page of refused commands");
    if (status == JB_OK) {
        *behind = n == limit ? page[n - 1] : 0;
        status = keep_all(v, page, n, kept, behind, err);
    }
    free(page);
    return status;
}

static jb_status
tell(struct jb_kept *kept, struct jb_text wallet, jb_seq *behind,
     bool (*each)(void *data, const struct jb_event *event), void *data, struct jb_error *err)
{
    for (size_t i = 0; i < kept->events.n; i++) {
        const struct jb_event *e;
        jb_status status = jb_kept_at(kept, i, &e, err);
        if (status != JB_OK) {
            return status;
        }
        if (is_about(e, wallet) && !each(data, e)) {
            *behind = kept->events.at[i].seq;
            break;
        }
    }
    return JB_OK;
}

jb_status
jb_refused_get(jb_views *v, struct jb_text wallet, const struct jb_as_of *as_of, const char *cursor,
               uint32_t limit, bool (*each)(void *data, const struct jb_event *event), void *data,
               char *next, struct jb_moment *moment, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || each == NULL) {
        return jb_fail_null(err, "jb_refused_get");
    }
    if (wallet.s == NULL || wallet.n == 0) {
        return jb_fail(err, JB_E_USAGE, "refused commands are listed by wallet, and none is given");
    }
    /* A wallet may be made between two pages: the id is what stays. */
    const struct jb_page_of of = {.list = JB_PAGE_REFUSED,
                                  .filter = XXH3_64bits(wallet.s, wallet.n)};
    struct jb_page_place place = {0};
    struct jb_as_of_point r;
    struct jb_kept kept = {.event = {0}};
    bool fresh;
    jb_status status = jb_page_begin(v, &of, as_of, cursor, limit, &place, &r, &fresh, err);
    if (status == JB_OK) {
        jb_seq below = fresh ? r.moment.seq + 1 : place.at;
        status = jb_page_check_below(below, &r, err);
        status =
            status == JB_OK ? read_page(v, wallet, below, limit, &kept, &place.at, err) : status;
    }
    status = status == JB_OK ? tell(&kept, wallet, &place.at, each, data, err) : status;
    jb_kept_free(&kept);
    if (status == JB_OK) {
        jb_page_end(v, &of, place.at != 0 ? &place : NULL, &r, next, moment);
    }
    return status;
}
