/*
 * Why the total is not the cash status's closing: the identity of docs/rules.md section 6 from
 * three sources that share nothing. The total from the wallet's state, the closing from the stored
 * row, the causes from the wallet's events in the log, or where they are many from marks that were
 * made of them. The rest is what is left over; nothing here makes it 0.
 */
#include "projections/causes.h"
#include "projections/marks.h"

static const char *const cause_words[JB_CAUSES_N] = {
#define JB_X(name) #name,
    JB_CAUSES(JB_X)
#undef JB_X
};

const char *
jb_cause_word(uint32_t cause)
{
    return cause < JB_CAUSES_N ? cause_words[cause] : NULL;
}

void
jb_causes_free(struct jb_causes *c)
{
    for (unsigned i = 0; i < JB_CAUSES_N; i++) {
        jb_vec_free(&c->cells[i][0].events);
        jb_vec_free(&c->cells[i][1].events);
    }
}

/* Everything that one explanation is made of, before it is laid out. */
struct parts {
    int32_t utc_offset_s;
    struct jb_causes causes;
    struct jb_total_parts state;
};

static void
free_parts(struct parts *p)
{
    jb_causes_free(&p->causes);
    jb_vec_free(&p->state.due_grants);
}

static jb_status
no_memory(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM, "no memory for an explanation");
}

static bool
add_due(struct jb_total_parts *p, uint32_t ordinal, jb_amount remaining)
{
    p->due += remaining;
    if (!jb_vec_reserve(&p->due_grants, p->due_grants.n + 1)) {
        return false;
    }
    p->due_grants.at[p->due_grants.n++] = ordinal;
    return true;
}

/* The first source, now: the state that deciding uses. */
static jb_status
state_now(struct jb_views *v, uint32_t number, struct jb_total_parts *p,
          struct jb_reader_head *head, jb_instant *ret_now, struct jb_error *err)
{
    jb_status status = jb_reader_begin(v->l, head, err);
    if (status != JB_OK) {
        return status;
    }
    jb_instant now;
    struct jb_reader_wallet w;
    status = jb_ledger_now(v->l, &now, err);
    status = status == JB_OK ? jb_reader_wallet(v->l, number, &w, err) : status;
    if (status == JB_OK) {
        *ret_now = head->recorded_at > now ? head->recorded_at : now;
        jb_day today = jb_day_of(*ret_now, v->info.utc_offset_s);
        p->total = w.paid;
        p->transit = w.refund_in_transit;
        p->pending = w.refund_pending;
        p->version = w.version;
        for (uint32_t i = 0; i < w.grants_n && status == JB_OK; i++) {
            const struct jb_reader_grant *g = &w.grants[i];
            if (g->expires_on >= today) {
                *(g->in_use ? &p->total : &p->dormant) += g->remaining;
            } else if (g->in_use && !add_due(p, g->ordinal, g->remaining)) {
                status = no_memory(err);
            }
        }
    }
    jb_reader_end(v->l);
    return status;
}

/* The first source of a past moment: the summary then. Of a closed day: without what was posted
 * to later days. */
jb_status
jb_total_parts_then(struct jb_view_read *q, uint32_t number, const struct jb_as_of_point *r,
                    struct jb_total_parts *p, struct jb_error *err)
{
    struct jb_summary summary;
    jb_status status = jb_view_read_summary(q, number, r->moment.seq, &summary, err);
    if (status != JB_OK) {
        return status;
    }
    struct jb_move later = {.paid = 0};
    if (r->only_through != JB_NO_DAY) {
        struct jb_walk walk = {.from = summary.version, .posted_after = r->only_through};
        status = summary.created_on > r->only_through
                     ? jb_not_yet(q, number, 0, err)
                     : jb_view_read_walk(q, number, &walk, &later, err);
    }
    p->total = summary.paid - later.paid - later.free;
    p->dormant = -later.dormant;
    p->transit = summary.transit - later.transit;
    p->pending = summary.pending - later.pending;
    p->version = summary.version;
    for (size_t i = 0; i < summary.grants.n && status == JB_OK; i++) {
        const struct jb_summary_grant *g = &summary.grants.at[i];
        if (g->expires_on >= r->today) {
            *(g->in_use ? &p->total : &p->dormant) += g->remaining;
        } else if (g->in_use && g->remaining > 0 && !add_due(p, g->ordinal, g->remaining)) {
            status = no_memory(err);
        }
    }
    jb_summary_free(&summary);
    return status;
}

bool
jb_cause_cell_add(struct jb_cause_cell *c, jb_seq seq)
{
    if (!jb_vec_reserve(&c->events, c->events.n + 1)) {
        return false;
    }
    c->events.at[c->events.n++] = seq;
    c->n++;
    return true;
}

jb_status
jb_causes_add(struct jb_causes *causes_of, const struct jb_event *e, int sign, int32_t utc_offset_s,
              struct jb_error *err)
{
    jb_amount effect = jb_event_effect(e);
    if (effect == 0) {
        return JB_OK;
    }
    uint32_t cause = jb_cause_of(e->type);
    if (cause == JB_CAUSES_N) {
        return jb_fail(err, JB_E_FORMAT,
                       "event %llu moves money in a way that this version does not know",
                       (unsigned long long)e->seq);
    }
    const bool late = e->posted_on > jb_day_of(e->occurred_at, utc_offset_s);
    struct jb_cause_cell *c = &causes_of->cells[cause][late];
    c->amount += sign * (jb_wide)effect;
    return jb_cause_cell_add(c, e->seq) ? JB_OK : no_memory(err);
}

/* The third source: events. The walk gives them newest first. */
static jb_status
add_event(void *data, const struct jb_event *e, const struct jb_move *m, struct jb_error *err)
{
    (void)m; /* the causes are d(e) of core, the rows are sums of moves: two hands */
    struct parts *p = data;
    return jb_causes_add(&p->causes, e, 1, p->utc_offset_s, err);
}

jb_status
jb_causes_add_due(struct jb_causes *causes_of, struct jb_view_read *q, uint32_t number, jb_seq seq,
                  const struct jb_total_parts *p, struct jb_error *err)
{
    if (p->due == 0) {
        return JB_OK;
    }
    struct jb_cause_cell *c = &causes_of->cells[JB_CAUSE_expiry_due][0];
    c->amount -= (jb_wide)p->due;
    struct jb_summary summary;
    jb_status status = jb_view_read_summary(q, number, seq, &summary, err);
    if (status != JB_OK) {
        return status;
    }
    for (size_t i = summary.grants.n; i-- > 0 && status == JB_OK;) {
        for (size_t k = 0; k < p->due_grants.n && status == JB_OK; k++) {
            if (p->due_grants.at[k] == summary.grants.at[i].ordinal &&
                !jb_cause_cell_add(c, summary.grants.at[i].seq)) {
                status = no_memory(err);
            }
        }
    }
    jb_summary_free(&summary);
    return status;
}

size_t
jb_causes_events(const struct jb_causes *c)
{
    size_t events_n = 0;
    for (unsigned i = 0; i < JB_CAUSE_LINES_MAX; i++) {
        size_t n = c->cells[i / 2][i % 2].events.n;
        events_n += n < JB_CAUSE_EVENTS_MAX ? n : JB_CAUSE_EVENTS_MAX;
    }
    return events_n;
}

uint32_t
jb_causes_lay_out(const struct jb_causes *causes_of, struct jb_cause_line lines[JB_CAUSE_LINES_MAX],
                  const struct jb_cause_line *at[JB_CAUSE_LINES_MAX], jb_seq **events)
{
    uint32_t lines_n = 0;
    for (unsigned i = 0; i < JB_CAUSE_LINES_MAX; i++) {
        const struct jb_cause_cell *c = &causes_of->cells[i / 2][i % 2];
        if (c->n == 0 && c->amount == 0) {
            continue;
        }
        uint32_t n =
            c->events.n < JB_CAUSE_EVENTS_MAX ? (uint32_t)c->events.n : JB_CAUSE_EVENTS_MAX;
        lines[lines_n] = (struct jb_cause_line){.cause = i / 2,
                                                .late = i % 2 != 0,
                                                .amount = (jb_amount)c->amount,
                                                .events_total = c->n,
                                                .events = *events,
                                                .events_n = n};
        at[lines_n] = &lines[lines_n];
        lines_n++;
        for (uint32_t k = 0; k < n; k++) {
            *(*events)++ = c->events.at[c->events.n - 1 - k];
        }
    }
    return lines_n;
}

jb_status
jb_causes_sum(const struct jb_causes *c, jb_wide *ret, struct jb_error *err)
{
    jb_status status = JB_OK;
    *ret = 0;
    for (unsigned i = 0; i < JB_CAUSE_LINES_MAX && status == JB_OK; i++) {
        jb_amount unused;
        *ret += c->cells[i / 2][i % 2].amount;
        status = jb_wide_fits(c->cells[i / 2][i % 2].amount, &unused, err);
    }
    return status;
}

/* The explanation and all its lists in one piece of memory. */
struct laid_out {
    struct jb_explanation e;
    struct jb_cause_line lines[JB_CAUSE_LINES_MAX];
    const struct jb_cause_line *causes[JB_CAUSE_LINES_MAX];
    jb_seq events[];
};

static struct laid_out *
lay_out(const struct parts *p)
{
    struct laid_out *o = calloc(1, sizeof *o + jb_causes_events(&p->causes) * sizeof o->events[0]);
    if (o == NULL) {
        return NULL;
    }
    jb_seq *at = o->events;
    o->e.causes_n = jb_causes_lay_out(&p->causes, o->lines, o->causes, &at);
    o->e.causes = o->causes;
    return o;
}

jb_status
jb_wide_fits(jb_wide value, jb_amount *ret, struct jb_error *err)
{
    *ret = (jb_amount)value;
    return *ret == value
               ? JB_OK
               : jb_fail(err, JB_E_RANGE,
                         "the sums of an explanation are too large for a number of 64 bits");
}

/* Of a closed day nothing posted later counts, and nothing else is left. */
static jb_status
find_causes(struct jb_view_read *q, uint32_t number, const struct jb_as_of_point *r,
            struct parts *p, struct jb_error *err)
{
    const struct jb_walk walk = {.from = p->state.version,
                                 .posted_after = r->closed_through,
                                 .most = jb_causes_walk_max,
                                 .visit = add_event,
                                 .data = p};
    struct jb_move unused;
    jb_status status =
        r->only_through == JB_NO_DAY ? jb_view_read_walk(q, number, &walk, &unused, err) : JB_OK;
    if (status == JB_END) {
        jb_causes_free(&p->causes);
        p->causes = (struct jb_causes){0};
        status = jb_causes_of_marks(&p->causes, q, number, r->closed_through, r->moment.seq, err);
    }
    return status == JB_OK ? jb_causes_add_due(&p->causes, q, number, r->moment.seq, &p->state, err)
                           : status;
}

static jb_status
put_together(struct jb_view_read *q, uint32_t number, const struct jb_as_of_point *r,
             struct parts *p, struct jb_explanation **ret, struct jb_error *err)
{
    struct jb_day_row row = {0};
    bool found = false;
    jb_status status = r->closed_through != JB_NO_DAY
                           ? jb_view_read_row(q, number, r->closed_through, &row, &found, err)
                           : JB_OK;
    if (status == JB_OK && found && row.total == JB_TOO_MUCH) {
        struct jb_cash_row unused;
        status = jb_row_shown(&row, &unused, err);
    }
    status = status == JB_OK ? find_causes(q, number, r, p, err) : status;
    jb_amount closing = found ? row.total : 0, rest = 0;
    jb_wide sum = 0;
    status = status == JB_OK ? jb_causes_sum(&p->causes, &sum, err) : status;
    if (status == JB_OK) {
        status = jb_wide_fits((jb_wide)p->state.total - closing - sum, &rest, err);
    }
    if (status != JB_OK) {
        return status;
    }
    struct laid_out *o = lay_out(p);
    if (o == NULL) {
        return no_memory(err);
    }
    o->e.size = sizeof o->e;
    o->e.number = number;
    o->e.total_now = p->state.total;
    o->e.cash_status_total = closing;
    o->e.through = r->closed_through;
    o->e.difference = p->state.total - closing;
    o->e.free_dormant = p->state.dormant;
    o->e.refund_in_transit = p->state.transit;
    o->e.refund_pending = p->state.pending;
    o->e.rest = rest;
    o->e.as_of = r->moment;
    *ret = &o->e;
    return JB_OK;
}

static jb_status
explain(struct jb_views *v, uint32_t number, const struct jb_as_of *as_of, struct parts *p,
        struct jb_explanation **ret, struct jb_error *err)
{
    struct jb_view_read q;
    struct jb_as_of_point r;
    jb_status status;
    if (jb_as_of_is_now(as_of)) {
        struct jb_reader_head head;
        jb_instant now;
        status = state_now(v, number, &p->state, &head, &now, err);
        status = status == JB_OK ? jb_view_read_begin(v, head.seq, &q, err) : status;
        if (status != JB_OK) {
            return status;
        }
        status = jb_view_read_resolve(&q, NULL, head.seq, head.recorded_at, &r, err);
        if (status == JB_OK) {
            r.moment.at = now; /* the time at which the state was read */
            r.today = jb_day_of(now, v->info.utc_offset_s);
        }
    } else {
        status = jb_view_read_begin_at(v, as_of, &q, &r, err);
        if (status != JB_OK) {
            return status;
        }
        status = jb_total_parts_then(&q, number, &r, &p->state, err);
    }
    status = status == JB_OK ? put_together(&q, number, &r, p, ret, err) : status;
    jb_view_read_end(&q);
    return status;
}

jb_status
jb_explain(struct jb_views *v, struct jb_text wallet, const struct jb_as_of *as_of,
           struct jb_explanation **ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_explain");
    }
    uint32_t number;
    jb_status status = jb_find_wallet(v->l, wallet, &number, err);
    if (status != JB_OK) {
        return status;
    }
    struct parts p = {.utc_offset_s = v->info.utc_offset_s};
    struct jb_explanation *e = NULL;
    status = explain(v, number, as_of, &p, &e, err);
    free_parts(&p);
    status = status == JB_OK ? jb_wallet_text(v->l, number, e->wallet, err) : status;
    if (status != JB_OK) {
        jb_explanation_free(e);
        return status;
    }
    *ret = e;
    return JB_OK;
}

struct jb_explanation *
jb_explanation_free(struct jb_explanation *e)
{
    free(e); /* the first member of the piece that everything lies in */
    return NULL;
}
