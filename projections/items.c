/*
 * A wallet's lots, grants and refunds in pages. The state that deciding uses has them as they are
 * now; what the wallet's events after the moment did to them is taken back, along its chain. Most
 * pages are of now, or of a moment ago, and have little to take back.
 */
#include "projections/page.h"

#include "base/steps.h"
#include "projections/receipt.h"

/* What later events did to one of them, to be taken back: of one event, or of several, summed. */
struct change {
    uint32_t number;
    uint32_t state; /* before the event seq; 0: no event changed it */
    jb_seq seq;
    jb_amount left, reversed, refunded;
};

/* An approval of a refund that is taken back. */
struct approval {
    uint32_t refund;
    jb_seq seq;
};

/* What a wallet's events behind `moment`, up to `through`, did to one of its lists. The handle
 * remembers the last one, for the next page of the same list. */
struct jb_taken_back {
    uint32_t wallet;
    enum jb_reader_list list;
    jb_seq moment, through;
    uint8_t chain[16]; /* of the log there: after a commit that was unknown it may be another */
    jb_seq before;     /* the wallet's last event up to the moment */
    JB_VEC(struct change) changes;
    size_t in_order; /* of changes: the first ones, one a number, in order of number */
    JB_VEC(struct approval) approvals;
    JB_VEC(uint32_t)
    failed; /* refunds whose failure is taken back: their approval is to be found */
};

/* What is remembered at most; a list that was changed in more places costs the same again. */
#define CHANGES_REMEMBERED_MAX 200000

struct page {
    struct jb_views *v;
    uint32_t wallet;
    enum jb_reader_list list;
    bool open;
    struct jb_as_of_point r;
    uint32_t above; /* only what has a number above it */
    struct jb_taken_back *t;
    JB_VEC(struct jb_reader_item) rows;
    struct jb_kept kept;
    char id[JB_ID_BYTES_MAX + 1]; /* of the wallet */
};

struct jb_taken_back *
jb_taken_back_free(struct jb_taken_back *t)
{
    if (t != NULL) {
        jb_vec_free(&t->changes);
        jb_vec_free(&t->approvals);
        jb_vec_free(&t->failed);
        free(t);
    }
    return NULL;
}

/* Leaves t in the handle, and gives what was there. */
static struct jb_taken_back *
swap_taken(struct jb_views *v, struct jb_taken_back *t)
{
    pthread_mutex_lock(&v->taken_lock);
    struct jb_taken_back *was = v->taken;
    v->taken = t;
    pthread_mutex_unlock(&v->taken_lock);
    return was;
}

static void
free_page(struct page *p, bool remember)
{
    if (remember && p->t->changes.n > 0 && p->t->changes.n <= CHANGES_REMEMBERED_MAX) {
        p->t = swap_taken(p->v, p->t);
    }
    jb_taken_back_free(p->t);
    jb_vec_free(&p->rows);
    jb_kept_free(&p->kept);
}

static jb_status
no_memory(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM, "no memory for a page of what a wallet has");
}

/* ---- what is taken back ---- */

static int
by_number(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    return x->number != y->number ? (x->number > y->number) - (x->number < y->number)
                                  : (x->seq < y->seq) - (x->seq > y->seq);
}

/* One change a number, in order. Of several events that changed a state the first counts. */
static void
merge_changes(struct jb_taken_back *p)
{
    size_t kept = 0;
    if (p->changes.n == p->in_order) {
        return;
    }
    jb_steps.moved += p->changes.n;
    qsort(p->changes.at, p->changes.n, sizeof *p->changes.at, by_number);
    for (size_t i = 0; i < p->changes.n; i++) {
        const struct change *c = &p->changes.at[i];
        struct change *last = kept > 0 ? &p->changes.at[kept - 1] : NULL;
        if (last == NULL || last->number != c->number) {
            p->changes.at[kept++] = *c;
            continue;
        }
        last->left = jb_sum(last->left, c->left);
        last->reversed = jb_sum(last->reversed, c->reversed);
        last->refunded = jb_sum(last->refunded, c->refunded);
        if (c->state != 0) {
            last->state = c->state;
            last->seq = c->seq;
        }
    }
    p->changes.n = p->in_order = kept;
}

static jb_status
note(struct jb_taken_back *p, const struct change *c, struct jb_error *err)
{
    if (p->changes.n == p->changes.cap && p->changes.n >= 2 * p->in_order + 1024) {
        merge_changes(p);
    }
    if (!jb_vec_reserve(&p->changes, p->changes.n + 1)) {
        return no_memory(err);
    }
    p->changes.at[p->changes.n++] = *c;
    return JB_OK;
}

/* Money that an event takes out of lots and grants comes back to them, and the reverse. */
static jb_status
note_parts(struct jb_taken_back *p, const struct jb_event *e, uint32_t kind, struct jb_error *err)
{
    const bool out = e->type == JB_EV_CASH_CONSUMED || e->type == JB_EV_CHARGE_REVERSED ||
                     e->type == JB_EV_REFUND_APPROVED;
    const struct jb_parts parts = jb_event_parts(e);
    jb_status status = JB_OK;
    for (uint32_t i = 0; i < parts.n && status == JB_OK; i++) {
        const struct jb_part *part = &parts.at[i];
        struct change c = {.number = part->ordinal,
                           .seq = e->seq,
                           .left = out ? part->amount : -part->amount,
                           .refunded = e->type == JB_EV_REFUND_APPROVED ? -part->amount : 0};
        status = part->kind == kind ? note(p, &c, err) : JB_OK;
    }
    return status;
}

static jb_status
note_lots(struct jb_taken_back *p, const struct jb_event *e, struct jb_error *err)
{
    jb_status status = note_parts(p, e, JB_PART_LOT, err);
    if (status == JB_OK && e->type == JB_EV_CHARGE_REVERSED) {
        struct change c = {.number = e->charge_reversed.lot,
                           .seq = e->seq,
                           .reversed = -e->charge_reversed.amount};
        status = note(p, &c, err);
    }
    if (status == JB_OK && e->type == JB_EV_REFUND_APPROVED) {
        status = jb_vec_reserve(&p->approvals, p->approvals.n + 1) ? JB_OK : no_memory(err);
        if (status == JB_OK) {
            p->approvals.at[p->approvals.n++] =
                (struct approval){e->refund_approved.refund_no, e->seq};
        }
    }
    if (status == JB_OK && e->type == JB_EV_REFUND_FAILED && e->refund_failed.parts.n > 0) {
        status = jb_vec_reserve(&p->failed, p->failed.n + 1) ? JB_OK : no_memory(err);
        if (status == JB_OK) {
            p->failed.at[p->failed.n++] = e->refund_failed.refund_no;
        }
    }
    return status;
}

static jb_status
note_grants(struct jb_taken_back *p, const struct jb_event *e, struct jb_error *err)
{
    struct change c = {.number = jb_event_ordinal(e), .seq = e->seq};
    if (e->type == JB_EV_FREE_ACTIVATED || e->type == JB_EV_FREE_REVOKED) {
        c.state = JB_GRANT_DORMANT;
    } else if (e->type == JB_EV_FREE_EXPIRED) {
        c.state = e->free_expired.in_use ? JB_GRANT_IN_USE : JB_GRANT_DORMANT;
    } else if (e->type == JB_EV_FREE_FORFEITED) {
        c.state = e->free_forfeited.in_use ? JB_GRANT_IN_USE : JB_GRANT_DORMANT;
    } else {
        return note_parts(p, e, JB_PART_GRANT, err);
    }
    c.left = e->type != JB_EV_FREE_ACTIVATED ? jb_event_amount(e) : 0;
    return note(p, &c, err);
}

static jb_status
note_refunds(struct jb_taken_back *p, const struct jb_event *e, struct jb_error *err)
{
    struct change c = {.number = jb_event_ordinal(e), .seq = e->seq};
    if (e->type < JB_EV_REFUND_CANCELLED || e->type > JB_EV_REFUND_FAILED) {
        return JB_OK;
    }
    const bool was_approved = e->type == JB_EV_REFUND_COMPLETED ||
                              (e->type == JB_EV_REFUND_FAILED && e->refund_failed.parts.n > 0);
    c.state = was_approved ? JB_REFUND_APPROVED : JB_REFUND_REQUESTED;
    return note(p, &c, err);
}

static jb_status
note_event(struct jb_taken_back *t, const struct jb_event *e, struct jb_error *err)
{
    return t->list == JB_READER_LOTS     ? note_lots(t, e, err)
           : t->list == JB_READER_GRANTS ? note_grants(t, e, err)
                                         : note_refunds(t, e, err);
}

static int
by_refund(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* If the event approves a refund that failed, its lots count as refunded again. */
static jb_status
refund_again(struct jb_taken_back *t, const struct jb_event *e, size_t *sought,
             struct jb_error *err)
{
    if (e->type != JB_EV_REFUND_APPROVED ||
        bsearch(&e->refund_approved.refund_no, t->failed.at, t->failed.n, sizeof *t->failed.at,
                by_refund) == NULL) {
        return JB_OK;
    }
    const struct jb_parts legs = e->refund_approved.parts;
    jb_status status = JB_OK;
    for (uint32_t i = 0; i < legs.n && status == JB_OK; i++) {
        struct change c = {
            .number = legs.at[i].ordinal, .seq = e->seq, .refunded = legs.at[i].amount};
        status = note(t, &c, err);
    }
    --*sought;
    return status;
}

/* A refund that failed says where the money went, and its approval from which lots it had come: the
 * approval is among what was taken back, or further down. */
static jb_status
find_approvals(struct jb_taken_back *t, jb_cursor *c, struct jb_error *err)
{
    size_t sought = t->failed.n;
    const struct jb_event *e;
    jb_status status = JB_OK;
    if (sought > 0) {
        qsort(t->failed.at, t->failed.n, sizeof *t->failed.at, by_refund);
    }
    for (size_t i = 0; i < t->approvals.n && sought > 0 && status == JB_OK; i++) {
        if (bsearch(&t->approvals.at[i].refund, t->failed.at, t->failed.n, sizeof *t->failed.at,
                    by_refund) != NULL) {
            status = jb_chain_event(c, t->approvals.at[i].seq, t->wallet, &e, err);
            status = status == JB_OK ? refund_again(t, e, &sought, err) : status;
        }
    }
    for (jb_seq at = t->before; at != 0 && sought > 0 && status == JB_OK;) {
        status = jb_chain_event(c, at, t->wallet, &e, err);
        status = status == JB_OK ? refund_again(t, e, &sought, err) : status;
        at = status == JB_OK ? e->prev : at;
    }
    t->failed.n = 0;
    return status;
}

/* The wallet's events from its last one, `version`, back to what was taken back already. */
static jb_status
take_back(struct page *p, jb_seq version, struct jb_error *err)
{
    struct jb_taken_back *t = p->t;
    jb_cursor *c;
    jb_seq from = version;
    jb_status status = version > t->through ? jb_cursor_open(p->v->l, 1, &c, err) : JB_END;
    if (status == JB_END) {
        t->before = t->before != 0 ? t->before : version;
        return JB_OK;
    }
    if (status != JB_OK) {
        return status;
    }
    while (from > t->through && status == JB_OK) {
        const struct jb_event *e;
        status = jb_chain_event(c, from, p->wallet, &e, err);
        status = status == JB_OK ? note_event(t, e, err) : status;
        from = status == JB_OK ? e->prev : from;
    }
    t->before = t->before != 0 ? t->before : from;
    t->through = version;
    status = status == JB_OK ? find_approvals(t, c, err) : status;
    jb_cursor_close(c);
    return status == JB_OK ? jb_chain_of(p->v->l, t->through, t->chain, err) : status;
}

static bool
of_this_history(const struct page *p, const struct jb_taken_back *t)
{
    uint8_t chain[16];
    return jb_chain_of(p->v->l, t->through, chain, NULL) == JB_OK &&
           memcmp(chain, t->chain, sizeof chain) == 0;
}

/* What is remembered of this list at this moment, or nothing yet. */
static jb_status
begin_taking(struct page *p, struct jb_error *err)
{
    const jb_seq moment = p->r.moment.seq;
    struct jb_taken_back *t = swap_taken(p->v, NULL);
    if (t != NULL && t->wallet == p->wallet && t->list == p->list && t->moment == moment &&
        of_this_history(p, t)) {
        p->t = t;
        return JB_OK;
    }
    if (t != NULL) {
        jb_taken_back_free(swap_taken(p->v, t)); /* another list's, whose next page may come */
    }
    p->t = calloc(1, sizeof *p->t);
    if (p->t == NULL) {
        return no_memory(err);
    }
    *p->t = (struct jb_taken_back){
        .wallet = p->wallet, .list = p->list, .moment = moment, .through = moment};
    return JB_OK;
}

/* ---- rows ---- */

static bool
is_open(const struct page *p, const struct jb_reader_item *row)
{
    if (p->list == JB_READER_LOTS) {
        return row->left > 0;
    }
    if (p->list == JB_READER_GRANTS) {
        return (row->state == JB_GRANT_DORMANT || row->state == JB_GRANT_IN_USE) && row->left > 0 &&
               row->expires_on >= p->r.today;
    }
    return row->state == JB_REFUND_REQUESTED || row->state == JB_REFUND_APPROVED;
}

/* The change of a number; at is moved on to it. */
static const struct change *
change_of(const struct jb_taken_back *t, uint32_t number, size_t *at)
{
    while (*at < t->changes.n && t->changes.at[*at].number < number) {
        ++*at;
    }
    return *at < t->changes.n && t->changes.at[*at].number == number ? &t->changes.at[*at] : NULL;
}

/* Index of the first change of a number above `above`. */
static size_t
changes_above(const struct jb_taken_back *t, uint32_t above)
{
    size_t low = 0, high = t->changes.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->changes.at[middle].number > above) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static jb_status
add_row(struct page *p, uint32_t number, size_t *at, bool *ret_end, struct jb_error *err)
{
    struct jb_reader_item row;
    const struct change *c = change_of(p->t, number, at);
    jb_status status = jb_reader_item(p->v->l, p->wallet, p->list, number, &row, err);
    if (status != JB_OK) {
        return status;
    }
    *ret_end = row.seq > p->r.moment.seq; /* made later, and so were those behind it */
    if (*ret_end) {
        return JB_OK;
    }
    if (c != NULL) {
        row.left = jb_sum(row.left, c->left);
        row.reversed = jb_sum(row.reversed, c->reversed);
        row.refunded = jb_sum(row.refunded, c->refunded);
        row.state = c->state != 0 ? c->state : row.state;
    }
    if (p->open && !is_open(p, &row)) {
        return JB_OK;
    }
    if (!jb_vec_reserve(&p->rows, p->rows.n + 1)) {
        return no_memory(err);
    }
    p->rows.at[p->rows.n++] = row;
    return JB_OK;
}

/* The next number to look at above `above`: of all that there are, or of those that are open now or
 * were changed since the moment. 0: there is none. */
static jb_status
next_number(const struct page *p, uint32_t above, size_t at, uint32_t *ret, struct jb_error *err)
{
    *ret = above + 1;
    if (!p->open) {
        return JB_OK;
    }
    const struct jb_taken_back *t = p->t;
    jb_status status = jb_reader_open_above(p->v->l, p->wallet, p->list, above, ret, err);
    while (at < t->changes.n && t->changes.at[at].number <= above) {
        at++;
    }
    if (at < t->changes.n && (*ret == 0 || t->changes.at[at].number < *ret)) {
        *ret = t->changes.at[at].number;
    }
    return status;
}

static jb_status
read_rows(struct page *p, uint32_t rows_max, struct jb_error *err)
{
    jb_status status = JB_OK;
    size_t at = changes_above(p->t, p->above);
    bool end = false;
    uint32_t number = p->above;
    while (p->rows.n < rows_max && !end && status == JB_OK) {
        status = next_number(p, number, at, &number, err);
        if (status != JB_OK || number == 0) {
            break;
        }
        status = add_row(p, number, &at, &end, err);
        if (status == JB_E_NOTFOUND) {
            end = true; /* no such number was given */
            status = JB_OK;
        }
    }
    return status;
}

/* ---- a page ---- */

static jb_status
version_now(struct page *p, jb_seq *ret, struct jb_error *err)
{
    struct jb_reader_wallet w;
    jb_status status = jb_reader_wallet(p->v->l, p->wallet, &w, err);
    if (status == JB_OK && w.created_seq > p->r.moment.seq) {
        status = jb_fail(err, JB_E_NOTFOUND, "the wallet %.*s did not exist yet at event %llu",
                         (int)w.id.n, w.id.s, (unsigned long long)p->r.moment.seq);
    }
    *ret = status == JB_OK ? w.version : 0;
    return status;
}

/* What came since the moment is taken back while nobody has to wait for it; only what comes in that
 * time is taken back while the state is held. */
static jb_status
read_page(struct page *p, uint32_t rows_max, struct jb_error *err)
{
    struct jb_reader_head head;
    jb_seq version = 0;
    jb_status status = jb_reader_begin(p->v->l, &head, err);
    if (status == JB_OK) {
        status = version_now(p, &version, err);
        jb_reader_end(p->v->l);
    }
    status = status == JB_OK ? take_back(p, version, err) : status;
    status = status == JB_OK ? jb_reader_begin(p->v->l, &head, err) : status;
    if (status != JB_OK) {
        return status;
    }
    status = version_now(p, &version, err);
    status = status == JB_OK ? take_back(p, version, err) : status;
    if (status == JB_OK) {
        merge_changes(p->t);
        status = read_rows(p, rows_max, err);
    }
    jb_reader_end(p->v->l);
    return status;
}

/* What is left is something that could be, and the events that made the rows are kept. */
static jb_status
keep_rows(struct page *p, uint32_t made_by, uint32_t or_by, struct jb_error *err)
{
    jb_cursor *c;
    jb_status status = jb_cursor_open(p->v->l, 1, &c, err);
    if (status != JB_OK) {
        return status;
    }
    for (size_t i = 0; i < p->rows.n && status == JB_OK; i++) {
        const struct jb_reader_item *row = &p->rows.at[i];
        const struct jb_event *e;
        bool sound =
            row->left >= 0 && row->left <= row->amount && row->reversed >= 0 && row->refunded >= 0;
        status = jb_chain_event(c, row->seq, p->wallet, &e, err);
        if (status == JB_OK && (!sound || (e->type != made_by && e->type != or_by) ||
                                jb_event_ordinal(e) != row->number)) {
            status = jb_fail(err, JB_E_CORRUPT,
                             "what event %llu made comes to something that cannot be. Run `jangbu "
                             "audit`",
                             (unsigned long long)row->seq);
        }
        status = status == JB_OK ? jb_keep(&p->kept, c, row->seq, err) : status;
    }
    jb_cursor_close(c);
    return status;
}

/* How these lists differ. */
struct list {
    const char *function;
    enum jb_page_list page;
    enum jb_reader_list items;
    uint32_t made_by, or_by; /* enum jb_event_type */
    /* Tells a row; *ret_more false: the caller has enough. */
    jb_status (*tell)(const struct page *p, const struct jb_reader_item *row,
                      const struct jb_event *e, void *each, void *data, bool *ret_more,
                      struct jb_error *err);
};

/* What the caller gave. */
struct asked {
    struct jb_text wallet;
    jb_which which;
    const struct jb_as_of *as_of;
    const char *cursor;
    uint32_t limit;
    void *each; /* points to a pointer to a function */
    void *data;
    char *next;
    struct jb_moment *moment;
};

static jb_status
tell_rows(struct page *p, const struct list *l, const struct asked *a, size_t *ret_told,
          bool *ret_more, struct jb_error *err)
{
    *ret_more = true;
    for (*ret_told = 0; *ret_more && *ret_told < p->rows.n && *ret_told < a->limit; ++*ret_told) {
        const struct jb_event *e;
        jb_status status = jb_kept_at(&p->kept, *ret_told, &e, err);
        if (status != JB_OK) {
            return status;
        }
        status = l->tell(p, &p->rows.at[*ret_told], e, a->each, a->data, ret_more, err);
        if (status != JB_OK) {
            return status;
        }
    }
    return JB_OK;
}

/* Tells the rows of one wallet above p->above, a->limit at most; p has one more where the list goes
 * on. */
static jb_status
rows_of_wallet(struct page *p, const struct list *l, const struct asked *a, size_t *ret_told,
               bool *ret_more, struct jb_error *err)
{
    jb_status status = jb_wallet_text(p->v->l, p->wallet, p->id, err);
    status = status == JB_OK ? begin_taking(p, err) : status;
    status = status == JB_OK ? read_page(p, a->limit + 1, err) : status;
    status = status == JB_OK ? keep_rows(p, l->made_by, l->or_by, err) : status;
    return status == JB_OK ? tell_rows(p, l, a, ret_told, ret_more, err) : status;
}

/* ---- of all wallets ---- */

/* Wallets that a page looks at, at most. */
#define WALLETS_AT_ONCE 10000

/* Those that have a refund in flight. */
struct in_flight {
    uint32_t from, behind; /* the first that is looked at; the one behind the last that was */
    bool end;              /* there is none behind */
    JB_VEC(uint32_t) wallets;
};

static jb_status
look_at(struct in_flight *f, struct jb_view_read *q, jb_seq seq, struct jb_error *err)
{
    struct jb_summary w;
    jb_status status = jb_view_read_summary(q, f->behind, seq, &w, err);
    f->end = status == JB_E_NOTFOUND; /* made later, as were those behind it */
    if (status != JB_OK) {
        return f->end ? JB_OK : status;
    }
    if (w.pending > 0 || w.transit > 0) {
        if (jb_vec_reserve(&f->wallets, f->wallets.n + 1)) {
            f->wallets.at[f->wallets.n++] = f->behind;
        } else {
            status = no_memory(err);
        }
    }
    jb_summary_free(&w);
    f->behind++;
    return status;
}

/* As many as a page may need: each of them has a row at least. */
static jb_status
find_in_flight(jb_views *v, struct in_flight *f, jb_seq seq, uint32_t limit, struct jb_error *err)
{
    struct jb_view_read q;
    jb_status status = jb_view_read_begin(v, seq, &q, err);
    if (status != JB_OK) {
        return status;
    }
    while (status == JB_OK && !f->end && f->behind - f->from < WALLETS_AT_ONCE &&
           !jb_page_is_over(f->behind - f->from) && f->wallets.n <= limit) {
        f->end = f->behind > q.fold->g.wallets_n;
        status = f->end ? JB_OK : look_at(f, &q, seq, err);
    }
    jb_view_read_end(&q);
    return status;
}

/* Where a list of all wallets goes on: behind that number of that wallet. */
#define PLACE(wallet, number) ((uint64_t)(wallet) << 32 | (number))
#define WHOLE UINT32_MAX

/* The rows of one of them. *last: the place behind which a page goes on that ends here; *ret_more
 * false: this page ends here. */
static jb_status
one_in_flight(const struct page *all, uint32_t wallet, const struct list *l, struct asked *a,
              uint64_t *last, bool *ret_more, struct jb_error *err)
{
    struct page p = *all;
    size_t told = 0;
    p.wallet = wallet;
    p.above = wallet == *last >> 32 ? (uint32_t)*last : 0;
    const jb_status status = rows_of_wallet(&p, l, a, &told, ret_more, err);
    if (status == JB_OK) {
        const bool whole = told == p.rows.n;
        *last = whole      ? PLACE(wallet, WHOLE)
                : told > 0 ? PLACE(wallet, p.rows.at[told - 1].number)
                           : *last;
        a->limit -= (uint32_t)told;
        *ret_more = *ret_more && whole && a->limit > 0;
    }
    free_page(&p, false);
    return status;
}

static jb_status
get_all_open(jb_views *v, const struct list *l, struct asked a, struct jb_error *err)
{
    struct page p = {.v = v, .list = l->items, .open = true};
    const struct jb_page_of of = {.list = l->page, .filter = JB_WHICH_OPEN};
    struct jb_page_place place = {0};
    struct in_flight f = {.end = false};
    bool fresh, more = true;
    size_t i = 0;
    jb_status status = jb_page_begin(v, &of, a.as_of, a.cursor, a.limit, &place, &p.r, &fresh, err);
    status = status == JB_OK ? jb_page_end_of_day(v, &p.r, err) : status;
    f.from = (uint32_t)(place.at >> 32) + ((uint32_t)place.at == WHOLE || place.at == 0 ? 1 : 0);
    f.behind = f.from;
    status = status == JB_OK ? find_in_flight(v, &f, p.r.moment.seq, a.limit, err) : status;
    for (; i < f.wallets.n && more && status == JB_OK; i++) {
        status = one_in_flight(&p, f.wallets.at[i], l, &a, &place.at, &more, err);
    }
    const bool all = i == f.wallets.n && (i == 0 || (uint32_t)place.at == WHOLE);
    if (all) {
        place.at = PLACE(f.behind - 1, WHOLE); /* as far as it was looked */
    }
    jb_vec_free(&f.wallets);
    if (status == JB_OK) {
        jb_page_end(v, &of, f.end && all ? NULL : &place, &p.r, a.next, a.moment);
    }
    return status;
}

static jb_status
get_page(jb_views *v, const struct list *l, const struct asked *a, struct jb_error *err)
{
    if (a->which != JB_WHICH_ALL && a->which != JB_WHICH_OPEN) {
        return jb_fail(err, JB_E_USAGE, "%s lists all or the open ones, and nothing else",
                       l->function);
    }
    struct page p = {.v = v, .list = l->items, .open = a->which == JB_WHICH_OPEN};
    struct jb_page_of of = {.list = l->page, .filter = a->which};
    struct jb_page_place place = {0}; /* the last number that was told */
    bool fresh, more;
    size_t told = 0;
    jb_status status = jb_find_wallet(v->l, a->wallet, &p.wallet, err);
    of.wallet = p.wallet;
    status = status == JB_OK
                 ? jb_page_begin(v, &of, a->as_of, a->cursor, a->limit, &place, &p.r, &fresh, err)
                 : status;
    if (status == JB_OK && place.at >= UINT32_MAX - JB_PAGE_ROWS_MAX) {
        status = jb_fail(err, JB_E_USAGE, "this cursor is of a number that there cannot be");
    }
    status = status == JB_OK ? jb_page_end_of_day(v, &p.r, err) : status;
    p.above = (uint32_t)place.at;
    status = status == JB_OK ? rows_of_wallet(&p, l, a, &told, &more, err) : status;
    if (status == JB_OK) {
        place.at = told > 0 ? p.rows.at[told - 1].number : place.at;
        jb_page_end(v, &of, told < p.rows.n ? &place : NULL, &p.r, a->next, a->moment);
    }
    free_page(&p, status == JB_OK);
    return status;
}

static jb_status
tell_lot(const struct page *p, const struct jb_reader_item *row, const struct jb_event *e,
         void *each, void *data, bool *ret_more, struct jb_error *err)
{
    (void)p;
    (void)err;
    struct jb_lot_row lot = {.event = e,
                             .number = row->number,
                             .amount = row->amount,
                             .left = row->left,
                             .reversed = row->reversed,
                             .refunded = row->refunded};
    bool (**function)(void *, const struct jb_lot_row *) = each;
    *ret_more = (*function)(data, &lot);
    return JB_OK;
}

static jb_status
tell_grant(const struct page *p, const struct jb_reader_item *row, const struct jb_event *e,
           void *each, void *data, bool *ret_more, struct jb_error *err)
{
    (void)err;
    bool used_up = row->state == JB_GRANT_IN_USE && row->left == 0;
    struct jb_grant_row grant = {.event = e,
                                 .number = row->number,
                                 .state = used_up ? JB_GRANT_USED_UP : (jb_grant_state)row->state,
                                 .amount = row->amount,
                                 .left = row->left,
                                 .expires_on = row->expires_on,
                                 .due = row->left > 0 && row->expires_on < p->r.today};
    bool (**function)(void *, const struct jb_grant_row *) = each;
    *ret_more = (*function)(data, &grant);
    return JB_OK;
}

static jb_status
tell_refund(const struct page *p, const struct jb_reader_item *row, const struct jb_event *e,
            void *each, void *data, bool *ret_more, struct jb_error *err)
{
    (void)p;
    (void)err;
    struct jb_refund_row refund = {.event = e,
                                   .number = row->number,
                                   .state = (jb_refund_state)row->state,
                                   .amount = row->amount};
    bool (**function)(void *, const struct jb_refund_row *) = each;
    *ret_more = (*function)(data, &refund);
    return JB_OK;
}

static jb_status
tell_receipt(const struct page *p, const struct jb_reader_item *row, const struct jb_event *e,
             void *each, void *data, bool *ret_more, struct jb_error *err)
{
    bool (**function)(void *, const struct jb_receipt_row *) = each;
    return receipt_tell(p->v, p->id, row, e, *function, data, ret_more, err);
}

static const struct list lots = {"jb_lots_get",        JB_PAGE_LOTS,      JB_READER_LOTS,
                                 JB_EV_CHARGE_SETTLED, JB_EV_DEBT_REPAID, tell_lot};
static const struct list grants = {"jb_grants_get",    JB_PAGE_GRANTS,     JB_READER_GRANTS,
                                   JB_EV_FREE_GRANTED, JB_EV_FREE_GRANTED, tell_grant};
static const struct list refunds = {"jb_refunds_get",       JB_PAGE_REFUNDS,
                                    JB_READER_REFUNDS,      JB_EV_REFUND_REQUESTED,
                                    JB_EV_REFUND_REQUESTED, tell_refund};
static const struct list receipts = {"jb_receipts_get",    JB_PAGE_RECEIPTS,  JB_READER_LOTS,
                                     JB_EV_CHARGE_SETTLED, JB_EV_DEBT_REPAID, tell_receipt};

jb_status
jb_lots_get(jb_views *v, struct jb_text wallet, jb_which which, const struct jb_as_of *as_of,
            const char *cursor, uint32_t limit,
            bool (*each)(void *data, const struct jb_lot_row *row), void *data, char *next,
            struct jb_moment *moment, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    const struct asked a = {wallet, which, as_of, cursor, limit, &each, data, next, moment};
    return v != NULL && each != NULL ? get_page(v, &lots, &a, err)
                                     : jb_fail_null(err, lots.function);
}

jb_status
jb_grants_get(jb_views *v, struct jb_text wallet, jb_which which, const struct jb_as_of *as_of,
              const char *cursor, uint32_t limit,
              bool (*each)(void *data, const struct jb_grant_row *row), void *data, char *next,
              struct jb_moment *moment, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    const struct asked a = {wallet, which, as_of, cursor, limit, &each, data, next, moment};
    return v != NULL && each != NULL ? get_page(v, &grants, &a, err)
                                     : jb_fail_null(err, grants.function);
}

jb_status
jb_refunds_get(jb_views *v, struct jb_text wallet, jb_which which, const struct jb_as_of *as_of,
               const char *cursor, uint32_t limit,
               bool (*each)(void *data, const struct jb_refund_row *row), void *data, char *next,
               struct jb_moment *moment, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    const struct asked a = {wallet, which, as_of, cursor, limit, &each, data, next, moment};
    if (v == NULL || each == NULL) {
        return jb_fail_null(err, refunds.function);
    }
    if (wallet.s == NULL && which != JB_WHICH_OPEN) {
        return jb_fail(
            err, JB_E_USAGE,
            "of all wallets only the open refunds are listed; name a wallet for the others");
    }
    return wallet.s == NULL ? get_all_open(v, &refunds, a, err) : get_page(v, &refunds, &a, err);
}

jb_status
jb_receipts_get(jb_views *v, struct jb_text wallet, const struct jb_as_of *as_of,
                const char *cursor, uint32_t limit,
                bool (*each)(void *data, const struct jb_receipt_row *row), void *data, char *next,
                struct jb_moment *moment, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    const struct asked a = {wallet, JB_WHICH_ALL, as_of, cursor, limit, &each, data, next, moment};
    return v != NULL && each != NULL ? get_page(v, &receipts, &a, err)
                                     : jb_fail_null(err, receipts.function);
}

/* ---- the newest of a kind ---- */

/* From the newest lot on back, as the state has them; p->t has what came since the moment. */
static jb_status
find_newest(struct page *p, jb_cursor *c, uint32_t lots_n,
            bool (*is_it)(void *data, const struct jb_event *e), void *data,
            struct jb_reader_item *ret, bool *ret_found, struct jb_error *err)
{
    jb_status status = JB_OK;
    *ret_found = false;
    for (uint32_t number = lots_n; number > 0 && !*ret_found && status == JB_OK; number--) {
        const struct jb_event *e;
        status = jb_reader_item(p->v->l, p->wallet, JB_READER_LOTS, number, ret, err);
        if (status != JB_OK || ret->seq > p->r.moment.seq) {
            continue;
        }
        status = jb_chain_event(c, ret->seq, p->wallet, &e, err);
        *ret_found = status == JB_OK && is_it(data, e);
    }
    if (*ret_found) {
        size_t at = changes_above(p->t, ret->number - 1);
        const struct change *changed = change_of(p->t, ret->number, &at);
        ret->reversed += changed != NULL ? changed->reversed : 0;
        ret->refunded += changed != NULL ? changed->refunded : 0;
    }
    return status;
}

static jb_status
read_newest(struct page *p, bool (*is_it)(void *data, const struct jb_event *e), void *data,
            struct jb_reader_item *ret, bool *ret_found, struct jb_error *err)
{
    struct jb_reader_head head;
    struct jb_reader_wallet w;
    jb_cursor *c;
    jb_status status = jb_cursor_open(p->v->l, 1, &c, err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_reader_begin(p->v->l, &head, err);
    if (status == JB_OK) {
        status = jb_reader_wallet(p->v->l, p->wallet, &w, err);
        const uint32_t lots_n = status == JB_OK ? w.lots_n : 0;
        status = status == JB_OK ? take_back(p, w.version, err) : status;
        if (status == JB_OK) {
            merge_changes(p->t);
            status = find_newest(p, c, lots_n, is_it, data, ret, ret_found, err);
        }
        jb_reader_end(p->v->l);
    }
    jb_cursor_close(c);
    return status;
}

jb_status
jb_newest_lot(struct jb_views *v, uint32_t wallet, jb_seq seq,
              bool (*is_it)(void *data, const struct jb_event *e), void *data,
              struct jb_reader_item *ret, bool *ret_found, struct jb_error *err)
{
    struct page p = {.v = v,
                     .wallet = wallet,
                     .list = JB_READER_LOTS,
                     .r = {.moment = {.seq = seq}, .only_through = JB_NO_DAY}};
    jb_status status = begin_taking(&p, err);
    status = status == JB_OK ? read_newest(&p, is_it, data, ret, ret_found, err) : status;
    free_page(&p, false);
    return status;
}
