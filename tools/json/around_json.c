#include "around_json.h"

#include <stdlib.h>
#include <string.h>

#include "event_json.h"
#include "lists_json.h"
#include "rows_json.h"

static void
when_json(struct out *o, jb_seq seq, jb_instant at, int32_t utc_offset_s)
{
    const struct jb_moment m = {seq, at};
    moment_json(o, &m, utc_offset_s);
    js_close(o, '}');
    js_line_end(o);
}

static const char *
word(jb_list list, uint32_t number)
{
    return jb_name_word(jb_names_get(list), number);
}

jb_status
ref_json(const struct asked *a, struct out *o, const char *const keys[3], uint64_t ref, bool people,
         struct jb_error *err)
{
    char text[JB_PERSON_TEXT_BYTES];
    size_t n = 0;
    jb_person_why why;
    if (ref == 0) {
        js_null(o, keys[0]);
        return JB_OK;
    }
    js_uint(o, keys[0], ref);
    jb_status status = people ? jb_person_get(a->ledger, ref, text, &n, &why, err) : JB_OK;
    if (status == JB_OK && n > 0) {
        js_text(o, keys[1], (struct jb_text){text, n});
    } else if (status == JB_OK && people) {
        js_null(o, keys[1]);
        js_str(o, keys[2], jb_person_why_word(why));
    }
    return status;
}

/* Somebody: {"ref":N}, with "id" where people are asked for; left open. */
static jb_status
person_open(const struct asked *a, struct out *o, const char *key, uint64_t ref, bool people,
            struct jb_error *err)
{
    static const char *const keys[] = {"ref", "id", "why"};
    js_open(o, key, '{');
    return ref_json(a, o, keys, ref, people, err);
}

static jb_status
person_json(const struct asked *a, struct out *o, const char *key, uint64_t ref, bool people,
            struct jb_error *err)
{
    if (ref == 0) {
        js_null(o, key);
        return JB_OK;
    }
    jb_status status = person_open(a, o, key, ref, people, err);
    js_close(o, '}');
    return status;
}

/* ---- who ---- */

/* Lists that follow one another; they are written beside what stands before them. */
struct lists {
    const struct asked *asked;
    bool people;
    struct out o;
    unsigned list; /* how many were begun */
    jb_status status;
    struct jb_error *err;
};

static void
go_to(struct lists *l, unsigned list)
{
    static const char *const names[] = {NULL, "members", "invited", "channels"};
    while (l->list < list) {
        if (l->list > 0) {
            js_close(&l->o, ']');
        }
        js_open(&l->o, names[++l->list], '[');
    }
}

static bool
each_who(void *data, const struct jb_who_row *row)
{
    struct lists *l = data;
    if (row->role == JB_ROLE_MASTER) {
        return true; /* stands for itself */
    }
    if (row->person == 0) {
        go_to(l, 3);
        js_text(&l->o, NULL, row->channel);
        return true;
    }
    go_to(l, row->role == JB_ROLE_MEMBER ? 1 : 2);
    l->status = person_open(l->asked, &l->o, NULL, row->person, l->people, l->err);
    if (row->until != JB_NO_INSTANT) {
        js_instant(&l->o, "until", row->until, l->asked->utc_offset_s);
    }
    js_close(&l->o, '}');
    return l->status == JB_OK;
}

static jb_status
who_head(const struct asked *a, const struct query *q, const struct jb_who *w, struct out *o,
         struct jb_error *err)
{
    js_open(o, NULL, '{');
    js_str(o, "wallet", w->wallet);
    js_str(o, "kind", word(JB_LIST_WALLET_KIND, w->kind));
    js_str(o, "status", word(JB_LIST_WALLET_STATUS, w->status));
    js_str(o, "settlement", word(JB_LIST_SETTLEMENT, w->settlement));
    js_int(o, "limit", w->limit);
    jb_status status = person_json(a, o, "master", w->master, q->people != 0, err);
    js_str(o, "agency", w->agency[0] != '\0' ? w->agency : NULL);
    static const char *const keys[] = {"email_ref", "email", "email_why"};
    return status == JB_OK ? ref_json(a, o, keys, w->email, q->people != 0, err) : status;
}

jb_status
who_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct jb_who w = JB_SIZED(struct jb_who);
    struct lists l = {.asked = a, .people = q->people != 0, .status = JB_OK, .err = err};
    jb_status status = jb_who_get(a->ledger, q->wallet, each_who, &l, &w, err);
    status = status == JB_OK ? l.status : status;
    status = status == JB_OK ? who_head(a, q, &w, o, err) : status;
    if (status == JB_OK) {
        go_to(&l, 3);
        js_close(&l.o, ']');
        out_bytes(o, l.o.at, l.o.n);
        o->no_memory |= l.o.no_memory;
        when_json(o, w.seq, w.at, a->utc_offset_s);
    }
    free(l.o.at);
    return status;
}

/* ---- may ---- */

const char *
may_word(jb_may_answer answer)
{
    static const char *const words[] = {NULL, "ROLE", "STATE", "KIND"};
    return words[answer & 3];
}

static bool
each_cell(void *data, const struct jb_permission *cell, jb_may_answer answer)
{
    struct out *o = data;
    if (answer == JB_MAY_YES) {
        js_bool(o, cell->cell, true);
    } else {
        js_str(o, cell->cell, may_word(answer));
    }
    return true;
}

jb_status
may_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct jb_may m = JB_SIZED(struct jb_may);
    struct out cells = {.first = true};
    jb_status status =
        jb_may_get(a->ledger, q->wallet, q->actor, q->channel, each_cell, &cells, &m, err);
    if (status == JB_OK) {
        js_open(o, NULL, '{');
        js_text(o, "wallet", q->wallet);
        status = person_open(a, o, "actor", m.actor, q->people != 0, err);
        js_close(o, '}');
        if (q->channel.s != NULL) {
            js_text(o, "channel", q->channel);
        } else {
            js_null(o, "channel");
        }
        js_uint(o, "matrix", m.matrix);
        set_json(o, "roles", JB_LIST_ROLE, m.roles);
        js_open(o, "ops", '{');
        out_bytes(o, cells.at, cells.n);
        o->no_memory |= cells.no_memory;
        js_close(o, '}');
        when_json(o, m.seq, m.at, a->utc_offset_s);
    }
    free(cells.at);
    return status;
}

/* ---- roles ---- */

jb_status
roles_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    (void)q;
    int64_t in_force = 0;
    size_t n;
    const struct jb_permission *cells = jb_permissions(JB_MATRICES, &n);
    jb_status status = jb_policy_get(a->ledger, JB_POLICY_ROLES, &in_force, err);
    if (status != JB_OK) {
        return status;
    }
    js_open(o, NULL, '{');
    js_int(o, "in_force", in_force);
    js_int(o, "matrix", JB_MATRICES);
    js_open(o, "cells", '[');
    for (size_t i = 0; i < n; i++) {
        js_open(o, NULL, '{');
        js_str(o, "cell", cells[i].cell);
        js_str(o, "op", jb_op_get(cells[i].op)->name);
        set_json(o, "roles", JB_LIST_ROLE, cells[i].roles);
        set_json(o, "both", JB_LIST_ROLE, cells[i].both);
        js_close(o, '}');
    }
    js_close(o, ']');
    js_close(o, '}');
    js_line_end(o);
    return JB_OK;
}

/* ---- channel ---- */

static bool
each_staff(void *data, const struct jb_who_row *row)
{
    struct lists *l = data;
    l->status = person_open(l->asked, &l->o, NULL, row->person, l->people, l->err);
    js_str(&l->o, "role", word(JB_LIST_ROLE, row->role));
    js_close(&l->o, '}');
    return l->status == JB_OK;
}

static void
text_or_null(struct out *o, const char *key, const char *text)
{
    js_str(o, key, text[0] != '\0' ? text : NULL);
}

jb_status
channel_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct jb_channel_info c = JB_SIZED(struct jb_channel_info);
    struct lists l = {
        .asked = a, .people = q->people != 0, .o = {.first = true}, .status = JB_OK, .err = err};
    jb_status status = jb_channel_get(a->ledger, q->channel, each_staff, &l, &c, err);
    status = status == JB_OK ? l.status : status;
    if (status == JB_OK) {
        js_open(o, NULL, '{');
        js_str(o, "channel", c.channel);
        js_str(o, "kind", word(JB_LIST_CHANNEL_KIND, c.kind));
        text_or_null(o, "search_id", c.search_id);
        text_or_null(o, "mail_order", c.mail_order);
        text_or_null(o, "wallet", c.wallet);
        text_or_null(o, "biz", c.biz);
        js_open(o, "staff", '[');
        out_bytes(o, l.o.at, l.o.n);
        o->no_memory |= l.o.no_memory;
        js_close(o, ']');
        js_instant(o, "closed", c.closed, a->utc_offset_s);
        js_uint(o, "version", c.version);
        when_json(o, c.seq, c.at, a->utc_offset_s);
    }
    free(l.o.at);
    return status;
}

/* ---- business information ---- */

static jb_status
record_texts(const struct asked *a, const struct query *q, struct out *o,
             const struct jb_biz_record *r, struct jb_error *err)
{
    static const char *const keys[3][3] = {
        {"biz_name_ref", "biz_name", "biz_name_why"},
        {"representative_ref", "representative", "representative_why"},
        {"address_ref", "address", "address_why"}};
    const uint64_t refs[3] = {r->name, r->representative, r->address};
    jb_status status = JB_OK;
    for (size_t i = 0; i < 3 && status == JB_OK; i++) {
        status = ref_json(a, o, keys[i], refs[i], q->people != 0, err);
    }
    return status;
}

static jb_status
record_json(const struct asked *a, const struct query *q, struct out *o, const struct jb_biz *b,
            struct jb_error *err)
{
    if (b->approved == 0) {
        js_null(o, "record");
        return JB_OK;
    }
    js_open(o, "record", '{');
    js_str(o, "number", b->record.biz);
    js_uint(o, "approved", b->approved);
    js_uint(o, "request", b->record.request);
    jb_status status = record_texts(a, q, o, &b->record, err);
    js_close(o, '}');
    return status;
}

static jb_status
pending_json(const struct asked *a, const struct query *q, struct out *o, const struct jb_biz *b,
             struct jb_error *err)
{
    if (b->pending.request == 0) {
        js_null(o, "pending");
        return JB_OK;
    }
    js_open(o, "pending", '{');
    js_str(o, "number", b->pending.biz);
    js_uint(o, "request", b->pending.request);
    js_uint(o, "base", b->pending.base);
    js_bool(o, "stale", b->pending.stale != 0);
    jb_status status = record_texts(a, q, o, &b->pending, err);
    js_close(o, '}');
    return status;
}

static bool
each_review(void *data, const struct jb_event *e)
{
    struct lists *l = data;
    l->status =
        event_row_json(&l->o, l->asked->ledger, e, l->people, l->asked->utc_offset_s, l->err);
    return l->status == JB_OK;
}

/* Requests and reviews of the holder, newest first. */
static jb_status
reviews_json(const struct asked *a, const struct query *q, struct out *o, const struct jb_biz *b,
             struct jb_error *err)
{
    static const uint32_t types[] = {JB_EV_BIZ_REQUESTED, JB_EV_BIZ_APPROVED, JB_EV_BIZ_REFUSED};
    const struct jb_as_of as_of = {.kind = JB_AS_OF_SEQ, .seq = b->seq};
    struct jb_events_query events = JB_SIZED(struct jb_events_query);
    struct lists l = {
        .asked = a, .people = q->people != 0, .o = {.first = true}, .status = JB_OK, .err = err};
    char next[JB_CURSOR_TEXT_BYTES];
    events.wallet = q->wallet;
    events.channel = q->channel;
    events.order = JB_NEWEST_FIRST;
    events.types = types;
    events.types_n = sizeof types / sizeof types[0];
    jb_status status =
        jb_events_get(a->views, &events, q->cursor.s != NULL ? NULL : &as_of, q->cursor.s,
                      (uint32_t)q->limit, each_review, &l, next, NULL, err);
    status = status == JB_OK ? l.status : status;
    if (status == JB_OK) {
        js_open(o, "history", '[');
        out_bytes(o, l.o.at, l.o.n);
        o->no_memory |= l.o.no_memory;
        js_close(o, ']');
        js_str(o, "next", next[0] != '\0' ? next : NULL);
    }
    free(l.o.at);
    return status;
}

jb_status
biz_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct jb_biz b = JB_SIZED(struct jb_biz);
    jb_status status = jb_biz_get(a->ledger, q->wallet, q->channel, &b, err);
    if (status != JB_OK) {
        return status;
    }
    js_open(o, NULL, '{');
    js_str(o, b.wallet_no != 0 ? "wallet" : "channel", b.holder);
    text_or_null(o, "number", b.number);
    status = record_json(a, q, o, &b, err);
    status = status == JB_OK ? pending_json(a, q, o, &b, err) : status;
    status = status == JB_OK ? reviews_json(a, q, o, &b, err) : status;
    when_json(o, b.seq, b.at, a->utc_offset_s);
    return status;
}

/* ---- can_delete ---- */

const char *
condition_word(const struct jb_condition *c)
{
    const char *said = jb_figure_word(c->name);
    return said != NULL ? said : "?";
}

static void
condition_json(struct out *o, const struct jb_condition *c, const struct jb_can_delete *d)
{
    js_open(o, NULL, '{');
    js_str(o, "name", condition_word(c));
    js_bool(o, "ok", c->met != 0);
    if (c->has_figure == 0) {
        js_null(o, "figure");
    } else if (figure_form(c->name).kind == FIGURE_WORD) {
        js_str(o, "figure", word(figure_form(c->name).list, (uint32_t)c->figure));
    } else {
        js_int(o, "figure", c->figure);
    }
    if (c->remedy == 0) {
        js_null(o, "remedy");
    } else {
        js_open(o, "remedy", '{');
        js_str(o, "op", jb_op_get(c->remedy)->name);
        if (c->remedy_amount != 0) {
            js_int(o, "amount", c->remedy_amount);
        } else {
            js_null(o, "amount");
        }
        set_json(o, "who", JB_LIST_ROLE, c->remedy_who);
        js_close(o, '}');
    }
    if (c->other != 0) {
        js_open(o, "or", '{');
        js_str(o, "op", jb_op_get(c->other)->name);
        set_json(o, "who", JB_LIST_ROLE, c->other_who);
        js_close(o, '}');
    }
    if (c->name == JB_FIG_UNINVOICED) {
        js_uint(o, "papers", d->papers);
        js_day(o, "from", d->uninvoiced_from);
        js_day(o, "all_from", d->uninvoiced_all_from);
    }
    js_close(o, '}');
}

jb_status
can_delete_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    struct jb_can_delete d = JB_SIZED(struct jb_can_delete);
    jb_status status = jb_can_delete_get(a->ledger, q->wallet, &d, err);
    if (status != JB_OK) {
        return status;
    }
    js_open(o, NULL, '{');
    js_str(o, "wallet", d.wallet);
    js_str(o, "status", word(JB_LIST_WALLET_STATUS, d.status));
    js_bool(o, "can_delete", d.can_delete != 0);
    js_open(o, "conditions", '[');
    for (uint32_t i = 0; i < d.conditions_n; i++) {
        condition_json(o, &d.conditions[i], &d);
    }
    js_close(o, ']');
    js_int(o, "forfeits", d.forfeits);
    when_json(o, d.seq, d.at, a->utc_offset_s);
    return JB_OK;
}

/* ---- the ten questions ---- */

struct jb_question
question_of(const struct query *q)
{
    struct jb_question question = JB_SIZED(struct jb_question);
    question.number = (uint32_t)q->question;
    question.lang = q->lang == QUERY_LANG_EN   ? JB_LANG_EN
                    : q->lang == QUERY_LANG_KO ? JB_LANG_KO
                                               : JB_LANG_UNSAID;
    question.wallet = q->wallet;
    question.channel = q->channel;
    question.charge = q->charge;
    question.month = q->month;
    question.people = q->people;
    return question;
}

jb_status
reply_answer(const struct asked *a, const struct query *q, struct out *o, struct jb_error *err)
{
    const struct jb_question question = question_of(q);
    struct jb_reply *r;
    jb_status status = jb_reply_get(a->views, &question, &r, err);
    if (status != JB_OK) {
        return status;
    }
    js_open(o, NULL, '{');
    js_str(o, "wallet", r->wallet);
    js_uint(o, "question", q->question);
    js_uint(o, "answered", r->question);
    js_str(o, "lang", r->lang == JB_LANG_KO ? "ko" : "en");
    js_str(o, "text", r->text);
    js_open(o, "events", '[');
    for (uint32_t i = 0; i < r->events_n; i++) {
        js_uint(o, NULL, r->events[i]);
    }
    js_close(o, ']');
    js_uint(o, "events_total", r->events_total);
    when_json(o, r->as_of.seq, r->as_of.at, a->utc_offset_s);
    jb_reply_free(r);
    return JB_OK;
}
