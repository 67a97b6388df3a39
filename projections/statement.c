/*
 * Statements. Opening and closing are the published rows of the cash status; what stands between
 * them is read from the wallet's chain, day by day: a row knows the first and the last event of its
 * day, and those of other days between them are passed over. Each day's events must come to its
 * closing: two ways to one figure.
 */
#include "projections/page.h"

/* How many events are kept before they are told. */
#define ROWS_AT_ONCE 10000

struct told {
    bool (*each)(void *data, const struct jb_statement *statement,
                 const struct jb_statement_row *row);
    void *data;
    bool more;
};

struct making {
    struct jb_views *v;
    uint32_t wallet;
    struct jb_statement s;
    struct jb_row_list days;
    JB_VEC(jb_seq) seqs; /* of the day's events, newest first */
    struct jb_kept kept; /* all of them, in that order, where there are few; else some, forward */
    struct told told;
    jb_amount balance;
    uint64_t rows;
};

/* ---- the days ---- */

static jb_status
check_days(const struct jb_as_of_point *r, jb_day from, jb_day to, struct jb_error *err)
{
    jb_status status = jb_view_check_day(from, err);
    status = status == JB_OK ? jb_view_check_day(to, err) : status;
    if (status != JB_OK) {
        return status;
    }
    if (from > to) {
        return jb_fail(err, JB_E_USAGE, "the first day asked for is after the last one");
    }
    if (r->closed_through == JB_NO_DAY || to > r->closed_through) {
        return jb_as_of_not_closed(r, to, err);
    }
    return JB_OK;
}

/* What the wallet had at the end of a day; nothing before its first. */
static jb_status
closing_of(struct jb_view_read *q, uint32_t wallet, jb_day day, struct jb_cash_row *ret,
           struct jb_error *err)
{
    struct jb_day_row row = {.day = day};
    bool found;
    jb_status status = jb_view_read_row(q, wallet, day, &row, &found, err);
    if (status == JB_OK && !found) {
        row = (struct jb_day_row){.day = day};
    }
    return status == JB_OK ? jb_row_shown(&row, ret, err) : status;
}

static jb_status
add_flows(struct jb_statement *s, const struct jb_cash_row *row, struct jb_error *err)
{
    bool fits = true;
#define JB_X(name) fits = fits && !__builtin_add_overflow(s->name, row->name, &s->name);
    JB_FLOWS(JB_X)
#undef JB_X
    return fits ? JB_OK
                : jb_fail(err, JB_E_RANGE,
                          "the sums of a statement are too large for a number of 64 bits");
}

/* The days' rows and what they come to. */
static jb_status
read_days(struct jb_view_read *q, struct making *m, const struct jb_as_of_point *r,
          struct jb_error *err)
{
    struct jb_statement *s = &m->s;
    struct jb_summary then;
    struct jb_cash_row opening, closing;
    jb_status status = jb_view_read_summary(q, m->wallet, r->moment.seq, &then, err);
    if (status != JB_OK) {
        return status;
    }
    const bool there = then.created_on <= s->to;
    jb_summary_free(&then);
    if (!there) {
        return jb_not_yet(q, m->wallet, 0, err);
    }
    status = closing_of(q, m->wallet, s->from - 1, &opening, err);
    status = status == JB_OK ? closing_of(q, m->wallet, s->to, &closing, err) : status;
    status = status == JB_OK
                 ? jb_view_read_rows(q, JB_VT_ROWS, m->wallet, s->from, s->to, &m->days, err)
                 : status;
    for (size_t i = 0; i < m->days.n && status == JB_OK; i++) {
        struct jb_cash_row row;
        status = jb_row_shown(&m->days.at[i], &row, err);
        status = status == JB_OK ? add_flows(s, &row, err) : status;
    }
    if (status == JB_OK) {
        s->opening_total = m->balance = opening.closing_total;
        s->opening_paid = opening.closing_paid;
        s->opening_free = opening.closing_free;
        s->closing_total = closing.closing_total;
        s->closing_paid = closing.closing_paid;
        s->closing_free = closing.closing_free;
    }
    return status;
}

/* ---- the rows of a day ---- */

/* Whether all that was found so far can be told at once. */
static bool
few(const struct making *m)
{
    return m->seqs.n <= ROWS_AT_ONCE && !jb_kept_full(&m->kept);
}

static void
empty_kept(struct making *m)
{
    m->kept.bytes.n = m->kept.events.n = 0;
}

static bool
moves_total(const struct jb_event *e)
{
    struct jb_move m;
    return jb_move_of(e, &m) == NULL && !jb_flows_none(m.flows);
}

/* Notes one of the day's events, which c returned last, and keeps it as long as they are few. */
static jb_status
note_event(struct making *m, const jb_cursor *c, jb_seq seq, struct jb_error *err)
{
    if (!jb_vec_reserve(&m->seqs, m->seqs.n + 1)) {
        return jb_fail(err, JB_E_NOMEM, "no memory for the rows of a statement");
    }
    m->seqs.at[m->seqs.n++] = seq;
    return few(m) ? jb_keep(&m->kept, c, seq, err) : JB_OK;
}

/* The day's events that move the total, newest first. */
static jb_status
find_events(struct making *m, jb_cursor *c, const struct jb_day_row *day, struct jb_error *err)
{
    jb_status status = JB_OK;
    m->seqs.n = 0;
    empty_kept(m);
    for (jb_seq at = day->last_seq; at >= day->first_seq && at != 0 && status == JB_OK;) {
        const struct jb_event *e;
        status = jb_chain_event(c, at, m->wallet, &e, err);
        if (status != JB_OK) {
            break;
        }
        const jb_seq before = e->prev;
        status = e->posted_on == day->day && moves_total(e) ? note_event(m, c, at, err) : JB_OK;
        at = before;
    }
    return status;
}

/* Reads as many of them as are told at once; *left: how many are still to be read. */
static jb_status
keep_some(struct making *m, jb_cursor *c, size_t *left, struct jb_error *err)
{
    jb_status status = JB_OK;
    empty_kept(m);
    while (*left > 0 && m->kept.events.n < ROWS_AT_ONCE && !jb_kept_full(&m->kept) &&
           status == JB_OK) {
        const struct jb_event *e;
        const jb_seq seq = m->seqs.at[*left - 1];
        status = jb_chain_event(c, seq, m->wallet, &e, err);
        status = status == JB_OK ? jb_keep(&m->kept, c, seq, err) : status;
        *left -= status == JB_OK;
    }
    return status;
}

/* Tells what is kept; back: it was kept newest first. */
static jb_status
tell_kept(struct making *m, bool back, struct jb_error *err)
{
    for (size_t i = 0; i < m->kept.events.n && m->told.more; i++) {
        const struct jb_event *e;
        jb_status status = jb_kept_at(&m->kept, back ? m->kept.events.n - 1 - i : i, &e, err);
        if (status != JB_OK) {
            return status;
        }
        const jb_day happened = jb_day_of(e->occurred_at, m->v->info.utc_offset_s);
        struct jb_statement_row row = {
            .event = e, .effect = jb_event_effect(e), .late = e->posted_on > happened};
        row.balance = m->balance = jb_sum(m->balance, row.effect);
        m->rows++;
        m->told.more = m->told.each(m->told.data, &m->s, &row);
    }
    return JB_OK;
}

static jb_status
check_closing(const struct making *m, const struct jb_day_row *day, struct jb_error *err)
{
    char text[JB_DAY_TEXT_BYTES];
    return m->balance == day->total
               ? JB_OK
               : jb_fail(err, JB_E_CORRUPT,
                         "the events of %s do not come to its closing. Run `jangbu audit`",
                         jb_day_print(day->day, text));
}

static jb_status
tell_day(struct making *m, jb_cursor *c, const struct jb_day_row *day, struct jb_error *err)
{
    jb_status status = find_events(m, c, day, err);
    const bool all = m->kept.events.n == m->seqs.n;
    for (size_t left = m->seqs.n; left > 0 && status == JB_OK && m->told.more;) {
        status = all ? JB_OK : keep_some(m, c, &left, err);
        left = all ? 0 : left;
        jb_cursor_rest(c); /* each may take its time */
        status = status == JB_OK ? tell_kept(m, all, err) : status;
    }
    return status == JB_OK && m->told.more ? check_closing(m, day, err) : status;
}

static jb_status
tell_days(struct making *m, struct jb_error *err)
{
    jb_cursor *c;
    jb_status status = jb_cursor_open(m->v->l, 1, &c, err);
    if (status != JB_OK) {
        return status;
    }
    for (size_t i = 0; i < m->days.n && status == JB_OK && m->told.more; i++) {
        const struct jb_day_row *day = &m->days.at[i];
        status = tell_day(m, c, day, err);
    }
    jb_cursor_close(c);
    return status;
}

static jb_status
make(struct making *m, const struct jb_as_of *as_of, struct jb_error *err)
{
    struct jb_view_read q;
    struct jb_as_of_point r;
    jb_status status = jb_view_read_begin_at(m->v, as_of, &q, &r, err);
    if (status != JB_OK) {
        return status;
    }
    status = check_days(&r, m->s.from, m->s.to, err);
    status = status == JB_OK ? read_days(&q, m, &r, err) : status;
    jb_view_read_end(&q);
    m->s.as_of = r.moment;
    status = status == JB_OK ? jb_wallet_text(m->v->l, m->wallet, m->s.wallet, err) : status;
    status = status == JB_OK ? tell_days(m, err) : status;
    m->s.rows = m->rows;
    return status;
}

jb_status
jb_statement_get(jb_views *v, struct jb_text wallet, jb_day from, jb_day to,
                 const struct jb_as_of *as_of,
                 bool (*each)(void *data, const struct jb_statement *statement,
                              const struct jb_statement_row *row),
                 void *data, struct jb_statement *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_statement_get");
    }
    struct making m = {.v = v,
                       .s = {.size = sizeof m.s, .from = from, .to = to},
                       .told = {each, data, each != NULL}};
    jb_status status = jb_find_wallet(v->l, wallet, &m.wallet, err);
    m.s.number = m.wallet;
    status = status == JB_OK ? make(&m, as_of, err) : status;
    jb_vec_free(&m.days);
    jb_vec_free(&m.seqs);
    jb_kept_free(&m.kept);
    return status == JB_OK ? jb_abi_out(ret, &m.s, sizeof m.s, err) : status;
}
