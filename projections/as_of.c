/* Which events and which time a question means: (S, t) of docs/rules.md section 7. */
#include "projections/query.h"

#include <stdio.h>

static jb_status
closed_day_at(struct jb_view_read *q, jb_seq seq, jb_day *ret, struct jb_error *err)
{
    /* Closed days have no gaps and their events ascend: the last one with seq at most S is found by
     * halving. */
    const struct jb_view_global *g = &q->fold->g;
    *ret = JB_NO_DAY;
    if (g->closed_through == JB_NO_DAY) {
        return JB_OK;
    }
    int64_t low = g->first_day, high = (int64_t)g->closed_through + 1;
    while (low < high) {
        int64_t middle = high - 1 - (high - 1 - low) / 2;
        /* The newest days are asked for most. */
        if (high == (int64_t)g->closed_through + 1) {
            middle = high - 1;
        }
        struct jb_close c;
        jb_status status = jb_view_read_close(q, (jb_day)middle, &c, err);
        if (status != JB_OK) {
            return status;
        }
        if (c.seq <= seq) {
            low = middle + 1;
            *ret = (jb_day)middle;
        } else {
            high = middle;
        }
    }
    return JB_OK;
}

static jb_status
at_seq(struct jb_view_read *q, jb_seq seq, jb_seq head, struct jb_as_of_point *r,
       struct jb_error *err)
{
    if (seq == 0 || seq > head) {
        return jb_fail(err, JB_E_NOTFOUND, "there is no event %llu: the log ends with %llu",
                       (unsigned long long)seq, (unsigned long long)head);
    }
    const struct jb_event *e;
    jb_status status = jb_view_read_event(q, seq, 0, &e, err);
    if (status == JB_OK) {
        r->moment = (struct jb_moment){.seq = seq, .at = e->recorded_at};
    }
    return status;
}

static jb_status
at_time(struct jb_view_read *q, jb_instant t, jb_seq head, jb_instant now, struct jb_as_of_point *r,
        struct jb_error *err)
{
    if (t < JB_INSTANT_MIN || t > JB_INSTANT_MAX) {
        return jb_fail(err, JB_E_USAGE, "a time outside the years 1 to 9999");
    }
    if (t > now) {
        char text[JB_INSTANT_TEXT_BYTES];
        return jb_fail(err, JB_E_NOTFOUND, "%s has not come yet",
                       jb_instant_print(t, q->v->info.utc_offset_s, text));
    }
    jb_seq seq;
    jb_status status = jb_seq_at_time(q->v->l, t, &seq, err);
    if (status == JB_OK) {
        r->moment = (struct jb_moment){.seq = seq < head ? seq : head, .at = t};
    }
    return status;
}

static jb_status
at_day(struct jb_view_read *q, jb_day day, struct jb_as_of_point *r, struct jb_error *err)
{
    const struct jb_view_global *g = &q->fold->g;
    char text[JB_DAY_TEXT_BYTES], other[JB_DAY_TEXT_BYTES];
    jb_status in_range = jb_view_check_day(day, err);
    if (in_range != JB_OK) {
        return in_range;
    }
    if (g->first_day == JB_NO_DAY) {
        return jb_fail(err, JB_E_NOT_CLOSED, "%s is not closed: the ledger has no day yet",
                       jb_day_print(day, text));
    }
    if (day < g->first_day) {
        return jb_fail(err, JB_E_NOTFOUND, "%s is before the ledger's first day, %s",
                       jb_day_print(day, text), jb_day_print(g->first_day, other));
    }
    if (day >= g->first_open_day) {
        return jb_fail(err, JB_E_NOT_CLOSED,
                       "%s is not closed yet; the first open day is %s. Close it, or give a time",
                       jb_day_print(day, text), jb_day_print(g->first_open_day, other));
    }
    struct jb_close c;
    jb_status status = jb_view_read_close(q, day, &c, err);
    if (status == JB_OK) {
        r->moment = (struct jb_moment){.seq = c.seq,
                                       .at = jb_day_start(day + 1, q->v->info.utc_offset_s) - 1};
        r->only_through = day;
    }
    return status;
}

jb_status
jb_as_of_not_closed(const struct jb_as_of_point *r, jb_day day, struct jb_error *err)
{
    char text[JB_DAY_TEXT_BYTES], last[JB_DAY_TEXT_BYTES];
    jb_day_print(day, text);
    if (r->closed_through == JB_NO_DAY) {
        return jb_fail(err, JB_E_NOT_CLOSED, "%s is not closed yet; no day is", text);
    }
    return jb_fail(err, JB_E_NOT_CLOSED, "%s is not closed yet; the last closed day is %s", text,
                   jb_day_print(r->closed_through, last));
}

jb_status
jb_view_check_day(jb_day day, struct jb_error *err)
{
    return day == JB_NO_DAY ? jb_fail(err, JB_E_USAGE, "no day is given")
           : day < JB_DAY_MIN || day > JB_DAY_MAX
               ? jb_fail(err, JB_E_USAGE, "a day outside the years 1 to 9999")
               : JB_OK;
}

/* What is set beside its kind would be ignored: the balance of now, where a day was meant. */
static jb_status
check_as_of(const struct jb_as_of *as_of, struct jb_error *err)
{
    bool more = as_of != NULL && ((as_of->kind != JB_AS_OF_SEQ && as_of->seq != 0) ||
                                  (as_of->kind != JB_AS_OF_TIME && as_of->time != 0) ||
                                  (as_of->kind != JB_AS_OF_DAY && as_of->day != 0));
    jb_status status = as_of != NULL ? jb_abi_reserved(&as_of->reserved, sizeof as_of->reserved,
                                                       "struct jb_as_of", err)
                                     : JB_OK;
    if (status != JB_OK) {
        return status;
    }
    return more ? jb_fail(err, JB_E_USAGE,
                          "struct jb_as_of: a member is set that its kind does not use; so it "
                          "would be ignored")
                : JB_OK;
}

jb_status
jb_view_read_resolve(struct jb_view_read *q, const struct jb_as_of *as_of, jb_seq head_seq,
                     jb_instant head_recorded_at, struct jb_as_of_point *ret, struct jb_error *err)
{
    const struct jb_view_global *g = &q->fold->g;
    jb_instant now;
    jb_status status = check_as_of(as_of, err);
    status = status == JB_OK ? jb_ledger_now(q->v->l, &now, err) : status;
    if (status != JB_OK) {
        return status;
    }
    now = head_recorded_at > now ? head_recorded_at : now;
    struct jb_as_of_point r = {
        .only_through = JB_NO_DAY, .first_open_day = JB_NO_DAY, .today = JB_NO_DAY};
    switch (as_of != NULL ? as_of->kind : JB_AS_OF_NOW) {
    case JB_AS_OF_NOW:
        r.now = true;
        r.moment = (struct jb_moment){.seq = head_seq, .at = now};
        break;
    case JB_AS_OF_SEQ:
        status = at_seq(q, as_of->seq, head_seq, &r, err);
        break;
    case JB_AS_OF_TIME:
        status = at_time(q, as_of->time, head_seq, now, &r, err);
        break;
    case JB_AS_OF_DAY:
        status = at_day(q, as_of->day, &r, err);
        break;
    default:
        return jb_fail(err, JB_E_USAGE, "an as-of of a kind that does not exist");
    }
    status = status == JB_OK ? closed_day_at(q, r.moment.seq, &r.closed_through, err) : status;
    if (status != JB_OK) {
        return status;
    }
    if (r.closed_through != JB_NO_DAY) {
        r.first_open_day = r.closed_through + 1;
    } else if (g->first_timed_seq != 0 && r.moment.seq >= g->first_timed_seq) {
        r.first_open_day = g->first_day;
    }
    if (r.moment.at != JB_NO_INSTANT) {
        r.today = jb_day_of(r.moment.at, q->v->info.utc_offset_s);
    }
    *ret = r;
    return JB_OK;
}

jb_status
jb_view_read_begin_at(struct jb_views *v, const struct jb_as_of *as_of, struct jb_view_read *q,
                      struct jb_as_of_point *ret, struct jb_error *err)
{
    struct jb_head head = JB_SIZED(struct jb_head);
    jb_status status = jb_head_get(v->l, &head, err);
    status = status == JB_OK ? jb_view_read_begin(v, head.seq, q, err) : status;
    if (status != JB_OK) {
        return status;
    }
    status = jb_view_read_resolve(q, as_of, head.seq, head.recorded_at, ret, err);
    if (status != JB_OK) {
        jb_view_read_end(q);
    }
    return status;
}

jb_status
jb_moment_resolve(jb_views *v, const struct jb_as_of *as_of, struct jb_moment *ret,
                  struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(v));
    JB_LIMITED(v);
    if (v == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_moment_resolve");
    }
    struct jb_view_read q;
    struct jb_as_of_point r;
    jb_status status = jb_view_read_begin_at(v, as_of, &q, &r, err);
    if (status == JB_OK) {
        jb_view_read_end(&q);
        *ret = r.moment;
    }
    return status;
}
