/* The questions about what stands around a wallet: 6 to 10. */
#include "projections/answer.h"

#include <stdio.h>

/* ---- 6 ---- */

/* A channel that was asked for by its id, whatever it is connected with. */
static jb_status
answer_biz_of_channel(struct answering *a)
{
    struct jb_biz b = JB_SIZED(struct jb_biz);
    struct jb_channel_info c = JB_SIZED(struct jb_channel_info);
    const struct jb_text none = {NULL, 0};
    jb_instant approved = JB_NO_INSTANT;
    jb_status status = jb_biz_get(a->v->l, none, a->q->channel, &b, a->err);
    status =
        status == JB_OK ? jb_channel_get(a->v->l, a->q->channel, NULL, NULL, &c, a->err) : status;
    status =
        status == JB_OK && b.approved != 0 ? answer_recorded(a, b.approved, &approved) : status;
    if (status != JB_OK) {
        return status;
    }
    a->as_of = (struct jb_moment){b.seq, b.at};
    a->again |= c.version > b.seq;
    const char *open = answer_number(a, b.pending.request != 0);
    answer_event(a, b.approved);
    answer_event(a, b.record.request);
    answer_event(a, b.pending.request);
    if (b.approved != 0) {
        answer_say(a, SAY_BIZ_OF_CHANNEL, "C", c.channel, "number", b.number, "day",
                   answer_day_of(a, approved), "seq", answer_number(a, b.approved), "n", open,
                   NULL);
    } else {
        answer_say(a, SAY_NO_BIZ_OF_CHANNEL, "C", c.channel, "n", open, NULL);
    }
    if (c.kind == JB_CHANNEL_BUSINESS) {
        answer_event(a, c.mail_order_seq);
        answer_say(a, SAY_MAIL_ORDER, "mail",
                   c.mail_order[0] != '\0' ? c.mail_order : answer_piece(a, SAY_NONE, NULL), NULL);
    }
    return JB_OK;
}

jb_status
answer_biz(struct answering *a)
{
    if (a->q->channel.s != NULL) {
        return answer_biz_of_channel(a);
    }
    struct jb_biz b = JB_SIZED(struct jb_biz);
    const struct jb_text none = {NULL, 0};
    jb_instant approved = JB_NO_INSTANT;
    jb_status status = jb_biz_get(a->v->l, a->q->wallet, none, &b, a->err);
    if (status != JB_OK) {
        return status;
    }
    a->as_of = (struct jb_moment){b.seq, b.at};
    const char *open = answer_number(a, b.pending.request != 0);
    answer_event(a, b.approved);
    answer_event(a, b.record.request);
    answer_event(a, b.pending.request);
    if (b.approved == 0) {
        answer_say(a, SAY_NO_BIZ, "n", open, NULL);
        return JB_OK;
    }
    status = answer_recorded(a, b.approved, &approved);
    answer_say(a, SAY_BIZ, "number", b.number, "day", answer_day_of(a, approved), "seq",
               answer_number(a, b.approved), "n", open, NULL);
    return status;
}

/* ---- 7 ---- */

struct item {
    const char *cell;
    uint32_t group;
    uint32_t as_master, as_member;
    const char *en, *en_behind, *ko, *ko_behind;
};

static const struct item items[] = {
#define ITEM(cell, group, as_master, as_member, en, en_behind, ko, ko_behind)                      \
    {cell, group, 1U << (as_master), 1U << (as_member), en, en_behind, ko, ko_behind},
#include "projections/questions.def"
};
#define ITEMS (sizeof items / sizeof items[0])

static uint32_t
roles_of(const struct jb_permission *cells, size_t n, const char *cell)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(cells[i].cell, cell) == 0) {
            return cells[i].roles;
        }
    }
    return 0;
}

/* What the master may, and members, too, or not. */
static const char *
list_rights(struct answering *a, const struct jb_permission *cells, size_t n, bool members_too)
{
    const char *list = "", *breath = "";
    uint32_t group = 0;
    for (size_t i = 0; i < ITEMS; i++) {
        const struct item *it = &items[i];
        const uint32_t roles = roles_of(cells, n, it->cell);
        if ((roles & it->as_master) == 0 || ((roles & it->as_member) != 0) != members_too) {
            continue;
        }
        if (it->group != group) {
            list = answer_and(a, list, breath);
            breath = "";
            group = it->group;
        }
        const bool first = *breath == '\0';
        breath = answer_piece(
            a, SAY_TOGETHER, "first", breath, "next",
            a->korean ? (first ? it->ko : it->ko_behind) : (first ? it->en : it->en_behind), NULL);
    }
    return answer_and(a, list, breath);
}

static jb_status
ask_matrix(struct answering *a, int64_t *ret)
{
    return jb_policy_get(a->v->l, JB_POLICY_ROLES, ret, a->err);
}

static void
say_trust(struct answering *a, int64_t matrix)
{
    if (matrix == 0) {
        answer_say(a, SAY_TRUST, NULL);
    }
}

/* The people behind a reply: the wallet's master, its members. */
static void
people_events(struct answering *a)
{
    for (size_t i = 0; i < a->people.n; i++) {
        answer_event(a, a->people.at[i].seq);
    }
}

jb_status
answer_rights(struct answering *a)
{
    int64_t matrix;
    size_t n = 0;
    const char *master = "";
    jb_status status = ask_matrix(a, &matrix);
    status = status == JB_OK ? answer_person(a, a->who.master, &master) : status;
    if (status != JB_OK) {
        return status;
    }
    /* Where nobody is asked for a role: as it would be by the newest matrix. */
    const struct jb_permission *cells =
        jb_permissions(matrix != 0 ? (uint32_t)matrix : (uint32_t)JB_MATRICES, &n);
    people_events(a);
    answer_say(a, SAY_MASTER_ONLY, "master", master, "list", list_rights(a, cells, n, false), NULL);
    answer_say(a, SAY_MEMBERS_TOO, "members", answer_number(a, a->who.members), "list",
               list_rights(a, cells, n, true), NULL);
    say_trust(a, matrix);
    return JB_OK;
}

/* ---- 8 ---- */

static bool
each_creation(void *data, const struct jb_event *e)
{
    answer_event(data, e->seq);
    return false;
}

/* A wallet's first event, however many followed. */
static jb_status
ask_creation(struct answering *a)
{
    static const uint32_t types[] = {JB_EV_WALLET_CREATED};
    const struct jb_as_of as_of = {.kind = JB_AS_OF_SEQ, .seq = a->as_of.seq};
    const struct jb_events_query query = {
        .size = sizeof query, .wallet = a->q->wallet, .types = types, .types_n = 1};
    return jb_events_get(a->v, &query, &as_of, NULL, 1, each_creation, a, NULL, NULL, a->err);
}

/* What a month's documents say together: the newest of those that stand, the sum of all of them. */
struct month_told {
    struct answering *a;
    uint32_t month; /* 0: the newest with a document */
    bool found;
    struct jb_invoice newest;
    jb_amount total, vat;
};

static bool
each_document(void *data, const struct jb_invoice *i)
{
    struct month_told *m = data;
    m->found = true;
    m->newest = *i;
    if (i->state != JB_INVOICE_FAILED) {
        m->total += i->total;
        m->vat += i->vat;
    }
    answer_event(m->a, i->seq);
    answer_event(m->a, i->ended);
    answer_event(m->a, i->mailed);
    return true;
}

/* The newest month that has a document. */
static bool
each_month(void *data, const struct jb_invoice *i)
{
    struct month_told *m = data;
    m->month = i->month > m->month ? i->month : m->month;
    return true;
}

static jb_status
ask_documents(struct answering *a, uint32_t month,
              bool (*each)(void *data, const struct jb_invoice *i), struct month_told *m)
{
    uint64_t next;
    const struct jb_invoices_query query = {
        .size = sizeof query, .wallet = a->q->wallet, .month = month, .seq = a->as_of.seq};
    return jb_invoices_at(a->v->l, &query, each, m, &next, a->err);
}

static jb_status
uninvoiced(struct answering *a, jb_amount *ret)
{
    struct jb_can_delete d = JB_SIZED(struct jb_can_delete);
    jb_status status = jb_can_delete_get(a->v->l, a->q->wallet, &d, a->err);
    a->again |= status == JB_OK && d.seq != a->as_of.seq;
    *ret = 0;
    for (uint32_t i = 0; i < d.conditions_n && status == JB_OK; i++) {
        *ret = d.conditions[i].name == JB_FIG_UNINVOICED ? d.conditions[i].figure : *ret;
    }
    return status;
}

static enum say
state_said(uint32_t state)
{
    return state == JB_INVOICE_CONFIRMED ? SAY_CONFIRMED
           : state == JB_INVOICE_FAILED  ? SAY_FAILED
                                         : SAY_ISSUED;
}

static const char *
month_text(struct answering *a, uint32_t month)
{
    char text[16];
    snprintf(text, sizeof text, "%04u-%02u", month / 100, month % 100);
    return answer_text(a, jb_text_of(text));
}

static jb_status
say_no_invoice(struct answering *a, uint32_t month)
{
    jb_amount amount;
    jb_status status = uninvoiced(a, &amount);
    if (status != JB_OK) {
        return status;
    }
    const char *money = answer_money(a, amount);
    if (month == 0) {
        answer_say(a, SAY_NO_INVOICE, "amount", money, NULL);
    } else {
        answer_say(a, SAY_NO_INVOICE_OF, "month", month_text(a, month), "amount", money, NULL);
    }
    return ask_creation(a);
}

/* Why the newest failed, and what brings another one. */
static jb_status
say_failed(struct answering *a, const struct jb_invoice *i)
{
    static const struct jb_text none = {NULL, 0};
    const enum say why = i->why == JB_INVOICE_CLOSED_BUSINESS      ? SAY_CLOSED_BUSINESS
                         : i->why == JB_INVOICE_SUSPENDED_BUSINESS ? SAY_SUSPENDED_BUSINESS
                         : i->why == JB_INVOICE_WRONG_NUMBER       ? SAY_WRONG_NUMBER
                                                                   : SAY_OTHER_WHY;
    const bool rows = i->kind == JB_INVOICE_ORIGINAL || i->kind == JB_INVOICE_DELTA;
    struct jb_biz b = JB_SIZED(struct jb_biz);
    jb_status status = jb_biz_get(a->v->l, a->q->wallet, none, &b, a->err);
    a->again |= status == JB_OK && b.seq != a->as_of.seq;
    answer_say(a, SAY_FAILED_WHY, "why", answer_piece(a, why, NULL), NULL);
    answer_say(a,
               !rows                                          ? SAY_FAILED_CORRECTION
               : b.approved != 0 && b.approved != i->business ? SAY_FAILED_AGAIN
                                                              : SAY_FAILED_BUSINESS,
               NULL);
    return status;
}

static jb_status
say_invoice(struct answering *a, const struct month_told *m)
{
    const struct jb_invoice *i = &m->newest;
    const enum say mail = i->mail == JB_MAIL_SENT      ? SAY_MAIL_SENT
                          : i->mail == JB_MAIL_BOUNCED ? SAY_MAIL_BOUNCED
                                                       : SAY_MAIL_NONE;
    answer_say(a, SAY_INVOICE, "month", month_text(a, i->month), "status",
               answer_piece(a, state_said(i->state), NULL), "supply",
               answer_money(a, m->total - m->vat), "total", answer_money(a, m->total), "mail",
               answer_piece(a, mail, NULL), NULL);
    answer_say(a, SAY_WHERE_INVOICES, NULL);
    return i->state == JB_INVOICE_FAILED ? say_failed(a, i) : JB_OK;
}

jb_status
answer_invoice(struct answering *a)
{
    struct month_told m = {.a = a, .month = a->q->month};
    int64_t from = 0;
    jb_status status = jb_policy_get(a->v->l, JB_POLICY_INVOICE_FROM, &from, a->err);
    if (status != JB_OK) {
        return status;
    }
    if (a->who.kind != JB_KIND_BUSINESS || from == 0) {
        answer_say(a, a->who.kind != JB_KIND_BUSINESS ? SAY_NOT_BUSINESS : SAY_NO_INVOICES, NULL);
        return ask_creation(a);
    }
    status = m.month == 0 ? ask_documents(a, 0, each_month, &m) : JB_OK;
    if (status == JB_OK && m.month != 0) {
        status = ask_documents(a, m.month, each_document, &m);
    }
    if (status != JB_OK) {
        return status;
    }
    return m.found ? say_invoice(a, &m) : say_no_invoice(a, a->q->month);
}

/* ---- 9 ---- */

static jb_status
say_marks(struct answering *a)
{
    static const char *const marks[] = {"", "-", "_", "- _"};
    int64_t allowed = 0;
    jb_status status = jb_policy_get(a->v->l, JB_POLICY_SEARCH_ID_MARKS, &allowed, a->err);
    if (status == JB_OK && (allowed & 3) != 0) {
        answer_say(a, SAY_MARKS, "marks", marks[allowed & 3], NULL);
    }
    return status;
}

static jb_status
say_search_id(struct answering *a, const struct jb_channel_info *c)
{
    jb_instant set = JB_NO_INSTANT;
    if (c->search_id_seq == 0) {
        answer_say(a, SAY_NO_SEARCH_ID, "C", c->channel, NULL);
        return say_marks(a);
    }
    jb_status status = answer_recorded(a, c->search_id_seq, &set);
    answer_event(a, c->search_id_seq);
    answer_say(a, SAY_SEARCH_ID, "C", c->channel, "id", c->search_id, "day", answer_day_of(a, set),
               NULL);
    return status;
}

/* One that was asked for by its id, whatever it is connected with. */
static jb_status
one_channel(struct answering *a)
{
    struct jb_channel_info c = JB_SIZED(struct jb_channel_info);
    jb_status status = jb_channel_get(a->v->l, a->q->channel, NULL, NULL, &c, a->err);
    a->as_of = (struct jb_moment){c.seq, c.at};
    return status == JB_OK ? say_search_id(a, &c) : status;
}

/* A channel that the wallet is connected with, as it was at the moment of the reply: where an event
 * of it came since, all is asked again. */
static jb_status
connected(struct answering *a, const struct answer_channel *channel,
          bool (*each)(void *data, const struct jb_who_row *row), struct jb_channel_info *ret)
{
    *ret = (struct jb_channel_info)JB_SIZED(struct jb_channel_info);
    jb_status status = jb_channel_get(a->v->l, jb_text_of(channel->id), each, a, ret, a->err);
    a->again |= status == JB_OK && ret->version > a->as_of.seq;
    answer_event(a, channel->seq);
    return status;
}

jb_status
answer_search_id(struct answering *a)
{
    if (a->q->channel.s != NULL) {
        return one_channel(a);
    }
    if (a->channels.n == 0) {
        answer_say(a, SAY_NO_CHANNEL, NULL);
    }
    jb_status status = JB_OK;
    for (size_t i = 0; i < a->channels.n && status == JB_OK && !a->again; i++) {
        struct jb_channel_info c;
        status = connected(a, &a->channels.at[i], NULL, &c);
        if (i > 0) {
            answer_say(a, SAY_TOGETHER, "first", " ", NULL);
        }
        status = status == JB_OK ? say_search_id(a, &c) : status;
    }
    return status;
}

/* ---- 10 ---- */

static bool
each_staff(void *data, const struct jb_who_row *row)
{
    struct answering *a = data;
    if (!jb_vec_reserve(&a->people, a->people.n + 1)) {
        a->no_memory = true;
        return false;
    }
    a->people.at[a->people.n++] = (struct answer_person){row->person, row->role, row->seq};
    return true;
}

static int
by_person(const void *one, const void *other)
{
    const struct answer_person *a = one, *b = other;
    return (a->person > b->person) - (a->person < b->person);
}

static uint64_t
count_once(struct answer_person *at, size_t n)
{
    uint64_t count = 0;
    if (n > 1) {
        qsort(at, n, sizeof *at, by_person);
    }
    for (size_t i = 0; i < n; i++) {
        count += i == 0 || at[i].person != at[i - 1].person;
    }
    return count;
}

static enum say
kind_word(uint32_t kind)
{
    return kind == JB_KIND_BUSINESS   ? SAY_BUSINESS
           : kind == JB_KIND_OVERSEAS ? SAY_OVERSEAS
                                      : SAY_PERSONAL;
}

jb_status
answer_wallet(struct answering *a)
{
    int64_t matrix = 0;
    const char *master = "";
    const size_t own = a->people.n; /* behind them come those of channels */
    jb_status status = ask_matrix(a, &matrix);
    status = status == JB_OK ? answer_person(a, a->who.master, &master) : status;
    for (size_t i = 0; i < a->channels.n && status == JB_OK && !a->again; i++) {
        struct jb_channel_info c;
        status = connected(a, &a->channels.at[i], each_staff, &c);
    }
    status = status == JB_OK ? ask_creation(a) : status;
    if (status != JB_OK) {
        return status;
    }
    people_events(a);
    const uint64_t staff =
        a->people.n > own ? count_once(a->people.at + own, a->people.n - own) : 0;
    answer_say(a, SAY_WHAT, "kind", answer_piece(a, kind_word(a->who.kind), NULL), NULL);
    answer_say(a, SAY_USED_BY, "master", master, "members", answer_number(a, a->who.members), "k",
               answer_number(a, a->channels.n), "m", answer_number(a, staff), NULL);
    say_trust(a, matrix);
    return JB_OK;
}
