/*
 * Events in pages: of the whole log by their numbers, of one wallet or one channel along its chain.
 * A chain goes back only; oldest first that of a wallet is gone through in pieces, from one
 * snapshot of the wallet's summary back to the one before it, and that of a channel, which is
 * short, from its end. Where a wallet has none of the types that are asked for for long, it begins
 * again at the next one of them.
 */
#include "projections/page.h"

#include "base/steps.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* A query as it is carried out. */
struct search {
    struct jb_views *v;
    uint32_t wallet;  /* 0: the whole log, or a channel */
    uint64_t channel; /* 0: none */
    jb_seq newest;    /* the channel's last event */
    bool newest_first;
    bool all_types;
    bool types[JB_EV_TYPES];
    const jb_amount *amount_min, *amount_max;
    jb_seq low, high; /* both included; low > high: nothing */
    struct jb_as_of_point r;
    uint32_t limit;
    uint32_t looked;
    unsigned missed; /* of a wallet: the events next to `at` that were gone over, of other types */
    /* Where the list goes on: the next event to look at (of a chain, oldest first: it or a later
     * one). 0: nowhere. */
    jb_seq at;
    struct jb_kept kept;
};

static jb_status
check_query(const struct jb_events_query *q, struct jb_error *err)
{
    if (q->order != JB_OLDEST_FIRST && q->order != JB_NEWEST_FIRST) {
        return jb_fail(err, JB_E_USAGE, "an order of events that does not exist");
    }
    return jb_view_check_times(q->since, q->until, err);
}

/* What the cursor is bound to. */
static uint64_t
filter_of(const struct jb_events_query *q, const struct search *s)
{
    uint8_t bytes[8 * 4 + 3 + JB_EV_TYPES + 8 + 2 * 9];
    jb_put_be(bytes, 8, q->first);
    jb_put_be(bytes + 8, 8, q->last);
    jb_put_be(bytes + 16, 8, q->since != NULL ? (uint64_t)*q->since : 0);
    jb_put_be(bytes + 24, 8, q->until != NULL ? (uint64_t)*q->until : 0);
    bytes[32] = (uint8_t)q->order;
    bytes[33] = (uint8_t)((q->since != NULL) + 2 * (q->until != NULL));
    bytes[34] = s->all_types;
    /* The types up to the last that is asked for: a version with more of them says the same. */
    size_t n = 35;
    for (unsigned i = 0; i < JB_EV_TYPES && !s->all_types; i++) {
        bytes[35 + i] = s->types[i];
        n = s->types[i] ? 35 + i + 1 : n;
    }
    if (s->channel != 0) {
        jb_put_be(bytes + n, 8, s->channel);
        n += 8;
    }
    const jb_amount *amounts[2] = {q->amount_min, q->amount_max};
    for (unsigned i = 0; i < 2; i++) {
        if (amounts[i] != NULL) {
            bytes[n] = (uint8_t)(i + 1);
            jb_put_be(bytes + n + 1, 8, (uint64_t)*amounts[i]);
            n += 9;
        }
    }
    return XXH3_64bits(bytes, n);
}

static jb_status
read_bounds(const struct jb_events_query *q, struct search *s, struct jb_error *err)
{
    s->low = q->first > 1 ? q->first : 1;
    s->high = s->r.moment.seq;
    s->high = q->last != 0 && q->last < s->high ? q->last : s->high;
    return jb_view_bounds(s->v, q->since, q->until, &s->low, &s->high, err);
}

static bool
is_of_types(const struct search *s, const struct jb_event *e)
{
    return s->all_types || (e->type < JB_EV_TYPES && s->types[e->type]);
}

static bool
is_listed(const struct search *s, const struct jb_event *e)
{
    bool counts = s->r.only_through == JB_NO_DAY || e->posted_on <= s->r.only_through;
    return counts && is_of_types(s, e) && jb_amount_within(e, s->amount_min, s->amount_max);
}

static bool
is_full(const struct search *s)
{
    return jb_page_is_over(s->looked) || s->kept.events.n >= s->limit || jb_kept_full(&s->kept);
}

/* ---- the whole log ---- */

static jb_status
log_forward(struct search *s, struct jb_error *err)
{
    jb_cursor *c;
    jb_status status = jb_cursor_open(s->v->l, s->at, &c, err);
    if (status != JB_OK) {
        return status;
    }
    for (; s->at <= s->high && !is_full(s) && status == JB_OK; s->at++) {
        const struct jb_event *e;
        status = jb_limit_look(err);
        status = status == JB_OK ? jb_cursor_next(c, &e, err) : status;
        s->looked++;
        jb_steps.events++;
        if (status == JB_OK && is_listed(s, e)) {
            status = jb_keep(&s->kept, c, s->at, err);
        }
    }
    jb_cursor_close(c);
    s->at = s->at > s->high ? 0 : s->at;
    return status;
}

static jb_status
log_back(struct search *s, struct jb_error *err)
{
    jb_cursor *c;
    jb_status status = jb_cursor_open(s->v->l, 1, &c, err);
    if (status != JB_OK) {
        return status;
    }
    for (; s->at >= s->low && !is_full(s) && status == JB_OK; s->at--) {
        const struct jb_event *e;
        status = jb_limit_look(err);
        status = status == JB_OK ? jb_cursor_at(c, s->at, &e, err) : status;
        s->looked++;
        jb_steps.events++;
        if (status == JB_OK && is_listed(s, e)) {
            status = jb_keep(&s->kept, c, s->at, err);
        }
    }
    jb_cursor_close(c);
    s->at = s->at < s->low ? 0 : s->at;
    return status;
}

/* ---- the chain of a wallet ---- */

/* So many events in a row were of other types that the next one that may be listed is looked up. */
static bool
has_missed(const struct search *s)
{
    return !s->all_types && s->missed >= JB_MISSED_MAX;
}

/* The wallet's last event up to the upper bound that may be listed by its type; 0: there is none.
 */
static jb_status
newest_of_wallet(struct search *s, jb_seq *ret, struct jb_error *err)
{
    struct jb_view_read q;
    struct jb_summary summary;
    jb_seq bound = s->high;
    jb_status status = jb_view_read_begin(s->v, s->r.moment.seq, &q, err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_view_read_summary(&q, s->wallet, bound, &summary, err);
    if (status == JB_E_NOTFOUND && bound < s->r.moment.seq) {
        /* It came later than the bound: nothing is listed, if it is there at the moment. */
        status = jb_view_read_summary(&q, s->wallet, s->r.moment.seq, &summary, err);
        bound = 0;
    }
    if (status == JB_OK) {
        *ret = bound == 0     ? 0
               : s->all_types ? summary.version
                              : jb_summary_last_of(&summary, s->types);
        jb_summary_free(&summary);
    }
    jb_view_read_end(&q);
    return status;
}

/* Goes on at the newest event, up to the one that is next, that may be listed by its type. */
static jb_status
skip_back(struct search *s, struct jb_error *err)
{
    struct jb_view_read q;
    struct jb_summary summary;
    jb_status status = jb_view_read_begin(s->v, s->r.moment.seq, &q, err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_view_read_summary(&q, s->wallet, s->at, &summary, err);
    if (status == JB_OK) {
        s->at = jb_summary_last_of(&summary, s->types);
        s->missed = 0;
        jb_summary_free(&summary);
    }
    jb_view_read_end(&q);
    return status;
}

static jb_status
chain_back(struct search *s, struct jb_error *err)
{
    jb_cursor *c;
    jb_status status = jb_cursor_open(s->v->l, 1, &c, err);
    if (status != JB_OK) {
        return status;
    }
    while (s->at >= s->low && !is_full(s) && status == JB_OK) {
        const struct jb_event *e;
        status = jb_chain_event(c, s->at, s->wallet, &e, err);
        if (status != JB_OK) {
            break;
        }
        s->looked++;
        s->missed = is_of_types(s, e) ? 0 : s->missed + 1;
        status = is_listed(s, e) ? jb_keep(&s->kept, c, s->at, err) : JB_OK;
        s->at = status == JB_OK ? e->prev : s->at;
        if (status == JB_OK && has_missed(s) && s->at >= s->low) {
            status = skip_back(s, err);
        }
    }
    jb_cursor_close(c);
    s->at = s->at < s->low ? 0 : s->at;
    return status;
}

static jb_status
keep_piece(struct jb_view_read *q, struct search *s, const struct jb_piece *piece,
           struct jb_error *err)
{
    jb_status status = JB_OK;
    for (size_t i = piece->seqs.n; i-- > 0 && status == JB_OK;) {
        const struct jb_event *e;
        jb_seq seq = piece->seqs.at[i];
        s->at = seq;
        if (seq > s->high || s->kept.events.n >= s->limit || jb_kept_full(&s->kept) ||
            has_missed(s)) {
            break;
        }
        status = jb_view_read_event(q, seq, s->wallet, &e, err);
        if (status == JB_OK) {
            s->missed = is_of_types(s, e) ? 0 : s->missed + 1;
            status = is_listed(s, e) ? jb_keep(&s->kept, q->cursor, seq, err) : JB_OK;
        }
        s->at = seq + 1;
    }
    return status;
}

/* The first event, from the one that is next on, that may be listed by its type. */
static jb_status
skip_forward(struct search *s, struct jb_view_read *q, struct jb_piece *piece, struct jb_error *err)
{
    if (!jb_vec_reserve(&piece->seqs, 1)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for the events of a wallet");
    }
    piece->seqs.n = 1;
    s->missed = 0;
    return jb_view_read_first_of(q, s->wallet, s->types, s->at, s->high, piece->seqs.at, err);
}

static jb_status
chain_forward(struct search *s, struct jb_error *err)
{
    struct jb_view_read q;
    struct jb_piece piece = {.seqs = {0}};
    jb_status status = jb_view_read_begin(s->v, s->r.moment.seq, &q, err);
    if (status != JB_OK) {
        return status;
    }
    while (s->at <= s->high && !is_full(s) && status == JB_OK) {
        status = has_missed(s) ? skip_forward(s, &q, &piece, err)
                               : jb_view_read_piece(&q, s->wallet, s->at, &piece, err);
        s->looked += (uint32_t)piece.seqs.n;
        status = status == JB_OK ? keep_piece(&q, s, &piece, err) : status;
    }
    jb_view_read_end(&q);
    jb_vec_free(&piece.seqs);
    s->at = s->at > s->high ? 0 : s->at;
    return status;
}

/* ---- the chain of a channel ---- */

static jb_status
channel_event(const struct search *s, jb_cursor *c, jb_seq seq, const struct jb_event **ret,
              struct jb_error *err)
{
    jb_steps.events++;
    jb_status status = jb_limit_look(err);
    if (status != JB_OK) {
        return status;
    }
    status = jb_cursor_at(c, seq, ret, err);
    if (status == JB_E_NOTFOUND ||
        (status == JB_OK && ((*ret)->subject_kind != JB_SUBJECT_CHANNEL ||
                             (*ret)->subject != s->channel || (*ret)->subject_prev >= seq))) {
        status = jb_fail(err, JB_E_CORRUPT,
                         "event %llu is named as one of channel %llu and is not. Run `jangbu "
                         "audit`",
                         (unsigned long long)seq, (unsigned long long)s->channel);
    }
    return status;
}

static jb_status
channel_back(struct search *s, struct jb_error *err)
{
    jb_cursor *c;
    jb_status status = jb_cursor_open(s->v->l, 1, &c, err);
    if (status != JB_OK) {
        return status;
    }
    while (s->at >= s->low && !is_full(s) && status == JB_OK) {
        const struct jb_event *e;
        status = channel_event(s, c, s->at, &e, err);
        s->looked += s->at <= s->high; /* what came later is passed over */
        if (status == JB_OK && s->at <= s->high && is_listed(s, e)) {
            status = jb_keep(&s->kept, c, s->at, err);
        }
        s->at = status == JB_OK ? e->subject_prev : s->at;
    }
    jb_cursor_close(c);
    s->at = s->at < s->low ? 0 : s->at;
    return status;
}

/* The channel's events from s->at on, newest first. */
static jb_status
read_channel(const struct search *s, jb_cursor *c, struct jb_piece *piece, struct jb_error *err)
{
    jb_status status = JB_OK;
    for (jb_seq at = s->newest; at >= s->at && at != 0 && status == JB_OK;) {
        const struct jb_event *e;
        status = channel_event(s, c, at, &e, err);
        if (status == JB_OK && !jb_vec_reserve(&piece->seqs, piece->seqs.n + 1)) {
            status = jb_fail(err, JB_E_NOMEM, "no memory for the events of a channel");
        }
        if (status == JB_OK) {
            piece->seqs.at[piece->seqs.n++] = at;
            at = e->subject_prev;
        }
    }
    return status;
}

static jb_status
channel_forward(struct search *s, struct jb_error *err)
{
    jb_cursor *c;
    struct jb_piece piece = {.seqs = {0}};
    jb_status status = jb_cursor_open(s->v->l, 1, &c, err);
    if (status != JB_OK) {
        return status;
    }
    status = read_channel(s, c, &piece, err);
    for (size_t i = piece.seqs.n; i-- > 0 && status == JB_OK && !is_full(s);) {
        const struct jb_event *e;
        jb_seq seq = piece.seqs.at[i];
        if (seq > s->high) {
            break;
        }
        status = jb_cursor_at(c, seq, &e, err);
        s->looked++;
        if (status == JB_OK && is_listed(s, e)) {
            status = jb_keep(&s->kept, c, seq, err);
        }
        s->at = seq + 1;
    }
    bool more = piece.seqs.n > 0 && s->at <= piece.seqs.at[0] && s->at <= s->high;
    jb_cursor_close(c);
    jb_vec_free(&piece.seqs);
    s->at = more ? s->at : 0;
    return status;
}

/* ---- a page ---- */

static jb_status
collect_channel(struct search *s, bool fresh, struct jb_error *err)
{
    if (fresh) {
        s->at = s->newest_first ? s->newest : s->low;
    }
    if (s->low > s->high) {
        s->at = 0;
        return JB_OK;
    }
    return s->newest_first ? channel_back(s, err) : channel_forward(s, err);
}

static jb_status
collect(struct search *s, bool fresh, struct jb_error *err)
{
    jb_status status = JB_OK;
    if (s->channel != 0) {
        return collect_channel(s, fresh, err);
    }
    /* Also: whether there is such a wallet at the moment. Oldest first the list ends there; a chain
     * is gone back from where the page before ended. */
    if (s->wallet != 0 && (fresh || !s->newest_first)) {
        status = newest_of_wallet(s, &s->high, err);
    }
    if (fresh) {
        s->at = s->newest_first ? s->high : s->low;
        s->missed = JB_MISSED_MAX;
    }
    if (status != JB_OK || s->low > s->high) {
        s->at = 0;
        return status;
    }
    if (s->wallet == 0) {
        return s->newest_first ? log_back(s, err) : log_forward(s, err);
    }
    return s->newest_first ? chain_back(s, err) : chain_forward(s, err);
}

/* Where the list goes on behind an event that was told. */
static jb_seq
behind(const struct search *s, const struct jb_event *e)
{
    jb_seq before = s->channel != 0 ? e->subject_prev : s->wallet != 0 ? e->prev : e->seq - 1;
    jb_seq at = s->newest_first ? before : e->seq + 1;
    return at < s->low || at > s->high ? 0 : at;
}

static jb_status
tell(struct search *s, bool (*each)(void *data, const struct jb_event *event), void *data,
     struct jb_error *err)
{
    for (size_t i = 0; i < s->kept.events.n; i++) {
        const struct jb_event *e;
        jb_status status = jb_kept_at(&s->kept, i, &e, err);
        if (status != JB_OK) {
            return status;
        }
        if (!each(data, e)) {
            s->at = behind(s, e);
            break;
        }
    }
    return JB_OK;
}

/* A cursor that another program made up: its place must be one of the list. */
static jb_status
check_place(struct search *s, struct jb_error *err)
{
    const struct jb_event *e;
    jb_cursor *c;
    bool within = s->at >= s->low && s->at <= s->high;
    if (!within || (s->wallet == 0 && s->channel == 0) || !s->newest_first) {
        return within ? JB_OK : jb_fail(err, JB_E_USAGE, "this cursor's place is not in its list");
    }
    jb_status status = jb_cursor_open(s->v->l, 1, &c, err);
    if (status == JB_OK) {
        status = s->channel != 0 ? channel_event(s, c, s->at, &e, err)
                                 : jb_chain_event(c, s->at, s->wallet, &e, err);
        jb_cursor_close(c);
    }
    return status == JB_E_CORRUPT
               ? jb_fail(err, JB_E_USAGE, "this cursor's place is not in its list")
               : status;
}

static jb_status
read_query(jb_views *v, const struct jb_events_query *given, struct jb_events_query *q,
           struct search *s, struct jb_error *err)
{
    *q = (struct jb_events_query){.size = sizeof *q};
    jb_status status =
        given != NULL ? jb_abi_in(q, sizeof *q, given, "jb_events_query", err) : JB_OK;
    status = status == JB_OK ? check_query(q, err) : status;
    status = status == JB_OK
                 ? jb_view_check_types(q->types, q->types_n, s->types, &s->all_types, err)
                 : status;
    s->amount_min = q->amount_min;
    s->amount_max = q->amount_max;
    if (status == JB_OK && q->wallet.s != NULL) {
        status = jb_find_wallet(v->l, q->wallet, &s->wallet, err);
    }
    if (status == JB_OK && q->channel.s != NULL) {
        struct jb_channel_info c = JB_SIZED(struct jb_channel_info);
        status = q->wallet.s != NULL
                     ? jb_fail(err, JB_E_USAGE, "events of a wallet or of a channel, not of both")
                     : jb_channel_get(v->l, q->channel, NULL, NULL, &c, err);
        s->channel = c.number;
        s->newest = c.version;
    }
    s->newest_first = q->order == JB_NEWEST_FIRST;
    return status;
}

jb_status
jb_events_get(jb_views *v, const struct jb_events_query *query, const struct jb_as_of *as_of,
              const char *cursor, uint32_t limit,
              bool (*each)(void *data, const struct jb_event *event), void *data, char *next,
              struct jb_moment *moment, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || each == NULL) {
        return jb_fail_null(err, "jb_events_get");
    }
    struct jb_events_query q;
    struct jb_page_of of = {.list = JB_PAGE_EVENTS};
    struct jb_page_place place = {0};
    struct search s = {.v = v, .limit = limit};
    bool fresh = true;
    jb_status status = read_query(v, query, &q, &s, err);
    if (status == JB_OK) {
        of.wallet = s.wallet;
        of.filter = filter_of(&q, &s);
        status = jb_page_begin(v, &of, as_of, cursor, limit, &place, &s.r, &fresh, err);
    }
    s.at = place.at;
    status = status == JB_OK ? read_bounds(&q, &s, err) : status;
    status = status == JB_OK && !fresh ? check_place(&s, err) : status;
    status = status == JB_OK ? collect(&s, fresh, err) : status;
    status = status == JB_OK ? tell(&s, each, data, err) : status;
    jb_kept_free(&s.kept);
    if (status == JB_OK) {
        place.at = s.at;
        jb_page_end(v, &of, s.at != 0 ? &place : NULL, &s.r, next, moment);
    }
    return status;
}
