/*
 * The feed: the log in order, each event with what it did to the total of its wallet, and what the
 * wallet had after it.
 *
 * What a wallet had is folded from one of its events to the next. The summaries of the wallets that
 * a page met are kept for the page behind it; one that is not there is read as of the wallet's
 * event before (snapshots.c). Each is known by the event that it is of, so none can be taken for
 * another.
 */
#include "projections/page.h"

#include "base/steps.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* ---- the wallets that were met ---- */

#define SLOTS_MIN 256U
#define SLOTS_MAX 131072U
#define GRANTS_MAX ((size_t)1 << 20) /* of all summaries that are kept */

struct met {
    uint32_t number; /* 0: there is none */
    uint32_t id_n;
    char id[JB_ID_BYTES_MAX];
    struct jb_summary summary;
};

/* By the lower bits of their numbers: who comes takes the place of who is there. */
struct jb_feed_wallets {
    jb_seq through; /* where the page ended */
    struct met *slots;
    uint32_t slots_n, used;
    size_t grants;
};

static void
forget(struct jb_feed_wallets *w)
{
    for (uint32_t i = 0; i < w->slots_n; i++) {
        jb_summary_free(&w->slots[i].summary);
        w->slots[i] = (struct met){.number = 0};
    }
    w->used = 0;
    w->grants = 0;
}

struct jb_feed_wallets *
jb_feed_wallets_free(struct jb_feed_wallets *w)
{
    if (w != NULL) {
        forget(w);
        free(w->slots);
        free(w);
    }
    return NULL;
}

static void
clear(struct jb_feed_wallets *w, struct met *m)
{
    w->grants -= m->summary.grants.cap;
    w->used -= m->number != 0;
    jb_summary_free(&m->summary);
    m->summary = (struct jb_summary){0};
    m->number = 0;
}

static struct met *
slot_of(struct jb_feed_wallets *w, uint32_t number)
{
    return &w->slots[number & (w->slots_n - 1)];
}

/* Twice as many places, as long as half of them are taken; false: no memory for the first. */
static bool
make_room(struct jb_feed_wallets *w)
{
    if (w->slots_n == SLOTS_MAX || (w->slots_n != 0 && w->used < w->slots_n / 2)) {
        return true;
    }
    const uint32_t n = w->slots_n == 0 ? SLOTS_MIN : 2 * w->slots_n;
    struct jb_feed_wallets more = {.slots = calloc(n, sizeof *more.slots), .slots_n = n};
    if (more.slots == NULL) {
        return w->slots_n != 0;
    }
    for (uint32_t i = 0; i < w->slots_n; i++) {
        if (w->slots[i].number != 0) {
            *slot_of(&more, w->slots[i].number) = w->slots[i];
        }
    }
    free(w->slots);
    w->slots = more.slots;
    w->slots_n = n;
    return true;
}

/* Those that the page up to `after` ended with, if they are still there; else nobody. */
static struct jb_feed_wallets *
take_wallets(struct jb_views *v, jb_seq after, struct jb_error *err)
{
    struct jb_feed_wallets *w = NULL;
    pthread_mutex_lock(&v->taken_lock);
    for (unsigned i = 0; i < JB_FEEDS_KEPT && w == NULL; i++) {
        if (v->feeds[i] != NULL && v->feeds[i]->through == after) {
            w = v->feeds[i];
            v->feeds[i] = NULL;
        }
    }
    pthread_mutex_unlock(&v->taken_lock);
    w = w != NULL ? w : calloc(1, sizeof *w);
    if (w == NULL || !make_room(w)) {
        jb_fail(err, JB_E_NOMEM, "no memory for the wallets of a page");
        return jb_feed_wallets_free(w);
    }
    return w;
}

/* In the place of those that were put back longest ago. */
static void
put_wallets(struct jb_views *v, struct jb_feed_wallets *w)
{
    pthread_mutex_lock(&v->taken_lock);
    unsigned at = v->feeds_next;
    for (unsigned i = 0; i < JB_FEEDS_KEPT; i++) {
        at = v->feeds[at] != NULL && v->feeds[i] == NULL ? i : at;
    }
    struct jb_feed_wallets *was = v->feeds[at];
    v->feeds[at] = w;
    v->feeds_next = (at + 1) % JB_FEEDS_KEPT;
    pthread_mutex_unlock(&v->taken_lock);
    jb_feed_wallets_free(was);
}

/* ---- a page ---- */

struct feed {
    struct jb_views *v;
    struct jb_feed_query query;
    struct jb_feed_wallets *wallets;
    uint32_t wallet; /* of this one only; 0: of all */
    jb_seq high;     /* the log's end */
    bool whole;      /* behind what is kept there is nothing of the wallet */
    struct jb_kept kept;
    JB_VEC(uint64_t) chains; /* of the frames of those that are kept */
    /* How far the page has come, and the chain value there. */
    jb_seq through;
    uint64_t chain;
};

/* ---- cursors ---- */

/* As text, in hexadecimal: the number of this layout 1 byte, the event's number 8, the chain value
 * of its frame 8, and 8 of a hash over these and the ledger's id. */
#define LAYOUT 3
enum { SEQ = 1, CHAIN = 9, CHECK = 17, CURSOR_BYTES = 25 };
static_assert(2 * CURSOR_BYTES < JB_CURSOR_TEXT_BYTES, "a cursor fits its text");

static uint64_t
check_of(const struct jb_views *v, const uint8_t bytes[CURSOR_BYTES])
{
    uint8_t all[16 + CHECK];
    memcpy(all, v->info.ledger_id, 16);
    memcpy(all + 16, bytes, CHECK);
    return XXH3_64bits(all, sizeof all);
}

static void
write_cursor(const struct jb_views *v, jb_seq seq, uint64_t chain, char *out)
{
    uint8_t bytes[CURSOR_BYTES] = {LAYOUT};
    jb_put_be(bytes + SEQ, 8, seq);
    jb_put_be(bytes + CHAIN, 8, chain);
    jb_put_be(bytes + CHECK, 8, check_of(v, bytes));
    jb_page_hex(bytes, sizeof bytes, out);
}

static jb_status
chain_at(const struct feed *f, jb_seq seq, uint64_t *ret, struct jb_error *err)
{
    uint8_t chain[JB_CHAIN_BYTES] = {0};
    jb_status status = seq != 0 ? jb_chain_of(f->v->l, seq, chain, err) : JB_OK;
    *ret = jb_get_be(chain, 8);
    return status;
}

static jb_status
ends_before(jb_seq seq, jb_seq high, struct jb_error *err)
{
    jb_status status = jb_fail(err, JB_E_NOTFOUND,
                               "event %llu is behind the end of the log, %llu: this is another "
                               "ledger, or it was put back to an older state",
                               (unsigned long long)seq, (unsigned long long)high);
    if (err != NULL) {
        err->at = seq;
    }
    return status;
}

/* Where the page begins: behind f->through. */
static jb_status
read_cursor(struct feed *f, const char *text, struct jb_error *err)
{
    uint8_t bytes[CURSOR_BYTES];
    if (!jb_page_bytes(text, bytes, sizeof bytes) || bytes[0] != LAYOUT ||
        jb_get_be(bytes + CHECK, 8) != check_of(f->v, bytes)) {
        return jb_fail(err, JB_E_USAGE,
                       "this cursor is of another ledger, or of another list. Begin without one");
    }
    const uint64_t chain = jb_get_be(bytes + CHAIN, 8);
    f->through = jb_get_be(bytes + SEQ, 8);
    if (f->through > f->high) {
        return ends_before(f->through, f->high, err);
    }
    jb_status status = chain_at(f, f->through, &f->chain, err);
    if (status == JB_OK && f->chain != chain) {
        status = jb_fail(err, JB_E_NOTFOUND,
                         "this cursor is of another history: the log was put back to an older "
                         "state, and event %llu is another one now. Begin without one",
                         (unsigned long long)f->through);
        if (err != NULL) {
            err->at = f->through;
        }
    }
    return status;
}

static jb_status
begin(struct feed *f, const struct jb_feed_query *given, struct jb_error *err)
{
    struct jb_head head = JB_SIZED(struct jb_head);
    struct jb_feed_query *q = &f->query;
    jb_status status = jb_abi_in(q, sizeof *q, given, "struct jb_feed_query", err);
    status = status == JB_OK
                 ? jb_abi_reserved(&q->reserved, sizeof q->reserved, "struct jb_feed_query", err)
                 : status;
    if (status != JB_OK) {
        return status;
    }
    const bool by_cursor = q->cursor != NULL && q->cursor[0] != '\0';
    if (q->limit < 1 || q->limit > JB_PAGE_ROWS_MAX) {
        return jb_fail(err, JB_E_USAGE, "a page has 1 to 10,000 rows, not %u", q->limit);
    }
    if (by_cursor && q->after != 0) {
        return jb_fail(err, JB_E_USAGE, "a feed goes on behind a number or a cursor, not both");
    }
    if (q->wallet.s != NULL) {
        status = jb_find_wallet(f->v->l, q->wallet, &f->wallet, err);
    }
    status = status == JB_OK ? jb_head_get(f->v->l, &head, err) : status;
    f->high = head.seq;
    f->through = q->after;
    if (status != JB_OK || by_cursor) {
        return status == JB_OK ? read_cursor(f, q->cursor, err) : status;
    }
    return f->through > f->high ? ends_before(f->through, f->high, err) : JB_OK;
}

/* ---- which events ---- */

static jb_status
keep(struct feed *f, const jb_cursor *c, jb_seq seq, struct jb_error *err)
{
    if (!jb_vec_reserve(&f->chains, f->chains.n + 1)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for a page of events");
    }
    f->chains.at[f->chains.n++] = jb_get_be(jb_cursor_current(c)->chain, 8);
    return jb_keep(&f->kept, c, seq, err);
}

static size_t
kept_n(const struct feed *f)
{
    return f->kept.events.n;
}

/* 0: none is kept. */
static jb_seq
last_kept(const struct feed *f)
{
    return kept_n(f) > 0 ? f->kept.events.at[kept_n(f) - 1].seq : 0;
}

static void
drop_from(struct feed *f, jb_seq seq)
{
    while (last_kept(f) >= seq) {
        f->kept.events.n--;
    }
    f->chains.n = kept_n(f);
}

static bool
is_full(const struct feed *f)
{
    return kept_n(f) >= f->query.limit || jb_kept_full(&f->kept);
}

/* The group that event `seq` is in and that goes on behind it. */
struct group {
    jb_seq first, last; /* last 0: there is none */
};

/* Whether a command ends with the event, or its commit does: no group goes on behind it. */
static bool
ends_here(const jb_cursor *c, const struct jb_event *e)
{
    const struct jb_frame *frame = jb_cursor_current(c);
    return (e->flags & (JB_EVF_KEY | JB_EVF_GROUP)) != 0 ||
           ((frame->must & JB_FRAME_LAST) != 0 && e->seq == frame->first + frame->count - 1);
}

/* A group says how long it is where it ends. Each that is met is kept, where keeping is true. */
static jb_status
read_group(struct feed *f, jb_cursor *c, const struct jb_event *e, bool keeping, struct group *ret,
           struct jb_error *err)
{
    const jb_seq seq = e->seq;
    jb_status status = JB_OK;
    *ret = (struct group){.last = 0};
    while (!ends_here(c, e) && e->seq < f->high) {
        status = jb_cursor_next(c, &e, err);
        status = status == JB_OK && keeping ? keep(f, c, e->seq, err) : status;
        if (status != JB_OK) {
            return status;
        }
    }
    if (e->seq > seq && (e->flags & JB_EVF_GROUP) != 0 && e->seq - e->group_events < seq) {
        *ret = (struct group){.first = e->seq - e->group_events + 1, .last = e->seq};
    }
    return JB_OK;
}

/* The page is full behind event seq. A group that goes on there is left for the next page, unless
 * this page has nothing else: then all of it is told. */
static void
cut(struct feed *f, jb_seq seq, const struct group *g)
{
    const jb_seq first = kept_n(f) > 0 ? f->kept.events.at[0].seq : 0;
    if (g->last == 0) {
        drop_from(f, seq + 1);
    } else if (first < g->first) {
        drop_from(f, g->first);
    }
}

static jb_status
collect_all(struct feed *f, jb_cursor *c, struct jb_error *err)
{
    jb_seq seq = f->through;
    jb_status status = JB_OK;
    while (seq < f->high && status == JB_OK) {
        const struct jb_event *e;
        jb_steps.events++;
        status = jb_limit_look(err);
        status = status == JB_OK ? jb_cursor_next(c, &e, err) : status;
        status = status == JB_OK ? keep(f, c, ++seq, err) : status;
        if (status == JB_OK && is_full(f)) {
            struct group g;
            status = read_group(f, c, e, true, &g, err);
            cut(f, seq, &g);
            break;
        }
    }
    return status == JB_END
               ? jb_fail(err, JB_E_CORRUPT, "the log ends before event %llu, which it had",
                         (unsigned long long)f->high)
               : status;
}

static jb_status
read_log(struct feed *f, struct jb_error *err)
{
    jb_cursor *c;
    jb_status status = jb_cursor_open(f->v->l, f->through + 1, &c, err);
    if (status == JB_OK) {
        status = collect_all(f, c, err);
        jb_cursor_close(c);
    }
    return status;
}

/* The wallet's events of a piece, oldest first, until the page is full; those up to `whole` all the
 * same. */
static jb_status
collect_piece(struct feed *f, struct jb_view_read *q, const struct jb_piece *piece, jb_seq whole,
              struct jb_error *err)
{
    jb_status status = JB_OK;
    for (size_t i = piece->seqs.n; i-- > 0 && status == JB_OK;) {
        const struct jb_event *e;
        const jb_seq seq = piece->seqs.at[i];
        if (seq > f->high || (is_full(f) && seq > whole)) {
            break;
        }
        status = jb_view_read_event(q, seq, f->wallet, &e, err);
        status = status == JB_OK ? keep(f, q->cursor, seq, err) : status;
    }
    return status;
}

/* From the wallet's events behind `at` on. *ret_last gets its last event. */
static jb_status
collect_wallet(struct feed *f, jb_seq at, jb_seq whole, jb_seq *ret_last, struct jb_error *err)
{
    struct jb_view_read q;
    struct jb_summary summary;
    struct jb_piece piece = {.seqs = {0}};
    jb_status status = jb_view_read_begin(f->v, f->high, &q, err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_view_read_summary(&q, f->wallet, f->high, &summary, err);
    *ret_last = status == JB_OK ? summary.version : 0; /* made later than the head that was seen */
    if (status == JB_OK) {
        jb_summary_free(&summary);
    }
    while (at < *ret_last && status == JB_OK && (!is_full(f) || at < whole)) {
        status = jb_view_read_piece(&q, f->wallet, at + 1, &piece, err);
        status = status == JB_OK ? collect_piece(f, &q, &piece, whole, err) : status;
        at = status == JB_OK && piece.seqs.n > 0 ? piece.seqs.at[0] : at;
    }
    jb_view_read_end(&q);
    jb_vec_free(&piece.seqs);
    return status == JB_E_NOTFOUND ? JB_OK : status;
}

static jb_status
group_behind(struct feed *f, jb_seq seq, struct group *ret, struct jb_error *err)
{
    jb_cursor *c;
    const struct jb_event *e;
    jb_status status = jb_cursor_open(f->v->l, seq, &c, err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_cursor_next(c, &e, err);
    status = status == JB_OK ? read_group(f, c, e, false, ret, err) : status;
    jb_cursor_close(c);
    return status;
}

static jb_status
read_wallet(struct feed *f, struct jb_error *err)
{
    struct group g = {.last = 0};
    jb_seq last = 0;
    jb_status status = collect_wallet(f, f->through, 0, &last, err);
    const jb_seq seq = last_kept(f);
    if (status == JB_OK && seq != 0 && seq < last) {
        status = group_behind(f, seq, &g, err);
        cut(f, seq, &g);
    }
    if (status == JB_OK && g.last != 0 && last_kept(f) == seq) {
        status = collect_wallet(f, seq, g.last, &last, err);
    }
    f->whole = kept_n(f) == 0 || last_kept(f) >= last;
    return status;
}

/* ---- what they did ---- */

/* The id as the event has it that made the wallet. */
static jb_status
load_id(struct met *m, const struct jb_event *made, struct jb_error *err)
{
    const struct jb_text id = made->wallet_created.id;
    if (made->type != JB_EV_WALLET_CREATED || id.n > sizeof m->id) {
        return jb_fail(err, JB_E_CORRUPT,
                       "event %llu is the first of wallet %u and does not make it. Run `jangbu "
                       "audit`",
                       (unsigned long long)made->seq, made->wallet);
    }
    memcpy(m->id, id.s, id.n);
    m->id_n = (uint32_t)id.n;
    return JB_OK;
}

static jb_status
load_summary(struct feed *f, struct met *m, const struct jb_event *e, bool known,
             struct jb_error *err)
{
    struct jb_view_read q;
    const struct jb_event *made;
    jb_status status = jb_view_read_begin(f->v, e->prev, &q, err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_view_read_summary(&q, e->wallet, e->prev, &m->summary, err);
    if (status == JB_OK && !known) {
        status = jb_view_read_event(&q, m->summary.created_seq, e->wallet, &made, err);
        status = status == JB_OK ? load_id(m, made, err) : status;
    }
    jb_view_read_end(&q);
    return status;
}

/* As it was before event e. */
static jb_status
load_wallet(struct feed *f, struct met *m, const struct jb_event *e, struct jb_error *err)
{
    const bool known = m->number == e->wallet;
    clear(f->wallets, m);
    jb_status status = e->prev != 0 ? load_summary(f, m, e, known, err) : load_id(m, e, err);
    if (status != JB_OK) {
        jb_summary_free(&m->summary);
        m->summary = (struct jb_summary){0};
        return status;
    }
    m->number = e->wallet;
    f->wallets->used++;
    f->wallets->grants += m->summary.grants.cap;
    return JB_OK;
}

/* Only a return may need what the projections have of grants. */
static jb_status
step(struct feed *f, struct jb_summary *summary, const struct jb_event *e, struct jb_error *err)
{
    struct jb_view_read q;
    if (e->type != JB_EV_CONSUMPTION_REVERSED) {
        return jb_view_step(NULL, summary, e, err);
    }
    jb_status status = jb_view_read_begin(f->v, e->seq - 1, &q, err);
    if (status != JB_OK) {
        return status;
    }
    do {
        status = jb_view_step(&q, summary, e, err);
    } while (jb_view_read_again(&q, &status, err));
    jb_view_read_end(&q);
    return status;
}

/* The wallet as it is after event e. */
static jb_status
wallet_after(struct feed *f, const struct jb_event *e, const struct met **ret, struct jb_error *err)
{
    struct jb_feed_wallets *w = f->wallets;
    if (w->grants > GRANTS_MAX) {
        forget(w);
    }
    (void)make_room(w);
    struct met *m = slot_of(w, e->wallet);
    jb_status status =
        m->number == e->wallet && m->summary.version == e->prev ? JB_OK : load_wallet(f, m, e, err);
    if (status != JB_OK) {
        return status;
    }
    w->grants -= m->summary.grants.cap;
    status = step(f, &m->summary, e, err);
    w->grants += m->summary.grants.cap;
    if (status != JB_OK) {
        clear(w, m); /* half an event may be in it */
    }
    *ret = m;
    return status;
}

static jb_status
tell_event(struct feed *f, const struct jb_event *e, uint64_t chain,
           bool (*each)(void *data, const struct jb_feed_row *row), void *data, bool *ret_more,
           struct jb_error *err)
{
    char cursor[JB_CURSOR_TEXT_BYTES];
    struct jb_feed_row row = {.event = e, .cursor = cursor, .effect = jb_event_effect(e)};
    struct jb_balance balance;
    char id[JB_ID_BYTES_MAX]; /* each may ask for other pages */
    if (e->wallet != 0) {
        const struct met *m;
        jb_status status = wallet_after(f, e, &m, err);
        if (status != JB_OK) {
            return status;
        }
        const int32_t offset = f->v->info.utc_offset_s;
        jb_summary_balance(&m->summary, jb_day_of(e->recorded_at, offset), &balance);
        memcpy(id, m->id, m->id_n);
        row.wallet = (struct jb_text){id, m->id_n};
        row.balance = &balance;
        row.late = e->posted_on > jb_day_of(e->occurred_at, offset);
    }
    f->through = e->seq;
    f->chain = chain;
    write_cursor(f->v, e->seq, chain, cursor);
    *ret_more = each(data, &row);
    return JB_OK;
}

static jb_status
tell(struct feed *f, bool (*each)(void *data, const struct jb_feed_row *row), void *data,
     struct jb_error *err)
{
    bool more = true;
    jb_status status = JB_OK;
    for (size_t i = 0; i < kept_n(f) && more && status == JB_OK; i++) {
        const struct jb_event *e;
        status = jb_kept_at(&f->kept, i, &e, err);
        status =
            status == JB_OK ? tell_event(f, e, f->chains.at[i], each, data, &more, err) : status;
    }
    f->whole = f->whole && more;
    return status;
}

static jb_status
end(struct feed *f, struct jb_feed_page *ret, struct jb_error *err)
{
    const bool further = kept_n(f) == 0 || f->whole; /* than the last row */
    f->through = f->whole ? f->high : f->through;
    struct jb_feed_page full = {
        .size = sizeof full, .through = f->through, .head = f->high, .more = f->through < f->high};
    jb_status status = further ? chain_at(f, f->through, &f->chain, err) : JB_OK;
    write_cursor(f->v, f->through, f->chain, full.cursor);
    return status == JB_OK && ret != NULL ? jb_abi_out(ret, &full, sizeof full, err) : status;
}

jb_status
jb_feed_get(jb_views *v, const struct jb_feed_query *query,
            bool (*each)(void *data, const struct jb_feed_row *row), void *data,
            struct jb_feed_page *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || query == NULL || each == NULL) {
        return jb_fail_null(err, "jb_feed_get");
    }
    struct feed f = {.v = v};
    jb_status status = begin(&f, query, err);
    if (status == JB_OK && f.through < f.high) {
        status = f.wallet != 0 ? read_wallet(&f, err) : read_log(&f, err);
    }
    if (status == JB_OK && kept_n(&f) > 0) {
        f.wallets = take_wallets(v, f.through, err);
        status = f.wallets != NULL ? tell(&f, each, data, err) : JB_E_NOMEM;
    }
    status = status == JB_OK ? end(&f, ret, err) : status;
    if (f.wallets != NULL) {
        f.wallets->through = f.through;
        put_wallets(v, f.wallets);
    }
    jb_kept_free(&f.kept);
    jb_vec_free(&f.chains);
    return status;
}
