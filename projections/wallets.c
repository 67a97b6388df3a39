/* Wallets by what is asked for: status, kind, name, master, balance, last use. The name is looked
 * up in people.mdb, for those that have all that the summary tells; the balance, which costs most,
 * for those that have the name, too. */
#include "projections/page.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

struct found_wallet {
    struct jb_wallet_balance balance;
    uint32_t kind;
    uint64_t name, master;
    jb_instant used_at;
};

/* A query as it is carried out. */
struct search {
    struct jb_views *v;
    struct jb_wallets_query query;
    uint64_t master; /* reference */
    struct jb_as_of_point r;
    uint32_t limit;
    uint32_t looked;
    uint64_t at; /* the last wallet that was looked at */
    bool end;    /* there is none behind it */
    JB_VEC(struct found_wallet) rows;
};

static void
hash_number(XXH3_state_t *state, bool given, int64_t number)
{
    uint8_t bytes[9] = {given};
    jb_put_be(bytes + 1, 8, (uint64_t)(given ? number : 0));
    XXH3_64bits_update(state, bytes, sizeof bytes);
}

/* What the cursor is bound to. */
static uint64_t
filter_of(const struct jb_wallets_query *q)
{
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    hash_number(&state, true, q->statuses);
    hash_number(&state, true, q->kinds);
    const jb_amount *amounts[4] = {q->total_min, q->total_max, q->paid_min, q->paid_max};
    for (int i = 0; i < 4; i++) {
        hash_number(&state, amounts[i] != NULL, amounts[i] != NULL ? *amounts[i] : 0);
    }
    const jb_instant *times[2] = {q->used_since, q->used_before};
    for (int i = 0; i < 2; i++) {
        hash_number(&state, times[i] != NULL, times[i] != NULL ? *times[i] : 0);
    }
    const struct jb_text texts[2] = {q->name, q->master};
    for (int i = 0; i < 2; i++) {
        hash_number(&state, texts[i].s != NULL, (int64_t)texts[i].n);
        if (texts[i].s != NULL) { /* n means nothing without */
            XXH3_64bits_update(&state, texts[i].s, texts[i].n);
        }
    }
    return XXH3_64bits_digest(&state);
}

/* What the summary tells by itself. */
static bool
may_be_listed(const struct search *s, const struct jb_summary *w)
{
    const struct jb_wallets_query *q = &s->query;
    const bool used = w->used_at != JB_NO_INSTANT;
    return (q->kinds == 0 || (q->kinds >> w->kind & 1) != 0) &&
           (q->master.s == NULL || (s->master != 0 && w->master == s->master)) &&
           (q->used_since == NULL || (used && w->used_at >= *q->used_since)) &&
           (q->used_before == NULL || !used || w->used_at < *q->used_before);
}

static bool
within(const jb_amount *min, const jb_amount *max, jb_amount amount)
{
    return (min == NULL || amount >= *min) && (max == NULL || amount <= *max);
}

static bool
is_listed(const struct search *s, const struct jb_balance *b)
{
    const struct jb_wallets_query *q = &s->query;
    return (q->statuses == 0 || (q->statuses >> b->status & 1) != 0) &&
           within(q->total_min, q->total_max, b->total) &&
           within(q->paid_min, q->paid_max, b->paid);
}

static jb_status
has_name(struct search *s, uint64_t ref, bool *ret, struct jb_error *err)
{
    char name[JB_PERSON_TEXT_BYTES];
    size_t n = 0;
    const struct jb_text part = s->query.name;
    jb_person_why why;
    *ret = part.s == NULL;
    jb_status status = *ret ? JB_OK : jb_person_get(s->v->l, ref, name, &n, &why, err);
    for (size_t i = 0; status == JB_OK && i + part.n <= n && n > 0 && !*ret; i++) {
        *ret = memcmp(name + i, part.s, part.n) == 0;
    }
    return status;
}

/* JB_E_NOTFOUND: there was no such wallet at the moment, nor any behind it. */
static jb_status
look_at(struct search *s, struct jb_view_read *q, uint32_t number, struct jb_error *err)
{
    struct jb_summary w;
    jb_status status = jb_view_read_summary(q, number, s->r.moment.seq, &w, err);
    if (status != JB_OK) {
        return status;
    }
    struct found_wallet row = {
        .balance = {.size = sizeof row.balance, .number = number, .as_of = s->r.moment},
        .kind = w.kind,
        .name = w.name,
        .master = w.master,
        .used_at = w.used_at};
    bool listed = may_be_listed(s, &w);
    if (s->r.only_through != JB_NO_DAY && w.created_on > s->r.only_through) {
        status = JB_E_NOTFOUND;
    }
    jb_summary_free(&w);
    if (status == JB_OK && listed) {
        status = has_name(s, row.name, &listed, err);
    }
    if (status != JB_OK || !listed) {
        return status;
    }
    status = jb_view_read_balance(q, number, &s->r, &row.balance.balance, err);
    if (status != JB_OK || !is_listed(s, &row.balance.balance)) {
        return status;
    }
    if (!jb_vec_reserve(&s->rows, s->rows.n + 1)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a list of wallets");
    }
    status = jb_wallet_text(s->v->l, number, row.balance.wallet, err);
    s->rows.at[s->rows.n] = row;
    s->rows.n += status == JB_OK;
    return status;
}

static jb_status
look(struct search *s, struct jb_error *err)
{
    struct jb_view_read q;
    jb_status status = jb_view_read_begin(s->v, s->r.moment.seq, &q, err);
    if (status != JB_OK) {
        return status;
    }
    while (status == JB_OK && !s->end && !jb_page_is_over(s->looked) && s->rows.n < s->limit) {
        s->end = s->at >= q.fold->g.wallets_n;
        status = s->end ? JB_OK : look_at(s, &q, (uint32_t)s->at + 1, err);
        if (status == JB_E_NOTFOUND) {
            s->end = true;
            status = JB_OK;
        }
        s->at += !s->end;
        s->looked++;
    }
    s->end = s->end || s->at >= q.fold->g.wallets_n;
    jb_view_read_end(&q);
    return status;
}

static void
tell(struct search *s, bool (*each)(void *data, const struct jb_wallet_row *row), void *data)
{
    for (size_t i = 0; i < s->rows.n; i++) {
        const struct found_wallet *w = &s->rows.at[i];
        const struct jb_wallet_row row = {.balance = &w->balance,
                                          .kind = w->kind,
                                          .name = w->name,
                                          .master = w->master,
                                          .used_at = w->used_at};
        if (!each(data, &row)) {
            s->end = s->end && i + 1 == s->rows.n;
            s->at = s->end ? s->at : w->balance.number;
            break;
        }
    }
}

/* Whether each of the bits is a word of the list. */
static bool
are_words(uint32_t bits, uint32_t list)
{
    for (uint32_t i = 0; i < 32; i++) {
        if ((bits >> i & 1) != 0 && jb_name_word(jb_names_get(list), i) == NULL) {
            return false;
        }
    }
    return true;
}

static jb_status
check_query(const struct jb_wallets_query *q, struct jb_error *err)
{
    if (!are_words(q->statuses, JB_LIST_WALLET_STATUS) ||
        !are_words(q->kinds, JB_LIST_WALLET_KIND)) {
        return jb_fail(err, JB_E_USAGE,
                       "wallets are asked for by a status or a kind that does not exist");
    }
    return jb_view_check_times(q->used_since, q->used_before, err);
}

/* Who the master is, once for the page. */
static jb_status
find_master(struct search *s, struct jb_error *err)
{
    struct jb_reader_head head;
    if (s->query.master.s == NULL) {
        return JB_OK;
    }
    jb_status status = jb_reader_begin(s->v->l, &head, err);
    if (status == JB_OK) {
        status = jb_reader_person(s->v->l, s->query.master, &s->master, err);
        jb_reader_end(s->v->l);
    }
    return status;
}

jb_status
jb_wallets_find(jb_views *v, const struct jb_wallets_query *query, const struct jb_as_of *as_of,
                const char *cursor, uint32_t limit,
                bool (*each)(void *data, const struct jb_wallet_row *row), void *data, char *next,
                struct jb_moment *moment, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || each == NULL) {
        return jb_fail_null(err, "jb_wallets_find");
    }
    struct search s = {.v = v, .query = {.size = sizeof s.query}, .limit = limit};
    struct jb_page_of of = {.list = JB_PAGE_WALLETS_FOUND};
    struct jb_page_place place = {0}; /* the last wallet that was looked at */
    bool fresh;
    jb_status status =
        query != NULL ? jb_abi_in(&s.query, sizeof s.query, query, "jb_wallets_query", err) : JB_OK;
    status = status == JB_OK ? check_query(&s.query, err) : status;
    if (status == JB_OK) {
        of.filter = filter_of(&s.query);
        status = jb_page_begin(v, &of, as_of, cursor, limit, &place, &s.r, &fresh, err);
    }
    if (status == JB_OK && place.at >= UINT32_MAX) {
        status = jb_fail(err, JB_E_USAGE, "this cursor is of a wallet that there cannot be");
    }
    s.at = place.at;
    status = status == JB_OK ? find_master(&s, err) : status;
    status = status == JB_OK ? look(&s, err) : status;
    if (status == JB_OK) {
        tell(&s, each, data);
    }
    place.at = s.at;
    if (status == JB_OK) {
        jb_page_end(v, &of, s.end ? NULL : &place, &s.r, next, moment);
    }
    jb_vec_free(&s.rows);
    return status;
}
