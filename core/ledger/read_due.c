/* What is to be done, as the commands that do it: docs/rules.md section 15. */
#include "ledger/internal.h"
#include "state/around.h"
#include "state/papers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/decide.h"

/* Until that day of the month that follows a document is to be there. */
#define LAST_DAY 10
#define GRANTS_STEP 64
/* Wallets, grants and documents that are looked at for a page: then it ends, full or not. */
#define LOOKS_MAX 20000

/* In the order of the list. A place is one of them, the number of a wallet or a document, and: of
 * MONTHS the month, of NOTICES the grant's last day and its number in the wallet. */
enum phase { MONTHS = 1, NOTICES = 2, OUTSIDE = 3 };
#define PHASE_SHIFT 56
#define ALL_MONTHS UINT32_MAX

struct found_due {
    struct jb_due_item item;
    uint64_t addresses[2]; /* of a document to be mailed: its own, the wallet's now; 0: none */
    bool mail;             /* the address decides what is to be done */
};

struct asking {
    struct jb_ledger *l;
    struct jb_state *b;
    struct jb_error *err;
    struct jb_due_list list;
    jb_day invoice_day;
    struct jb_due_query q;
    struct jb_due_place place; /* everything up to it was looked at */
    uint32_t looked;
    JB_VEC(uint32_t) months; /* of a wallet, that something is due about */
    JB_VEC(struct found_due) found;
};

static bool
full(const struct asking *a)
{
    return a->q.limit != 0 && (a->found.n >= a->q.limit || a->looked >= LOOKS_MAX);
}

static void
go_to(struct asking *a, enum phase phase, uint64_t number, uint64_t more)
{
    a->place = (struct jb_due_place){(uint64_t)phase << PHASE_SHIFT | number, more};
}

/* Where the phase goes on: *ret_number 0 and *ret_more 0 at its beginning. False: it is over. */
static bool
goes_on(const struct asking *a, enum phase phase, uint64_t *ret_number, uint64_t *ret_more)
{
    const uint64_t there = a->q.after.at >> PHASE_SHIFT;
    const bool within = there == phase;
    *ret_number = within ? a->q.after.at & ((UINT64_C(1) << PHASE_SHIFT) - 1) : 0;
    *ret_more = within ? a->q.after.more : 0;
    return there <= (uint64_t)phase;
}

static void
put_text(char *to, size_t room, struct jb_text t)
{
    size_t n = t.n < room ? t.n : 0;
    memcpy(to, n > 0 ? t.s : "", n);
    to[n] = '\0';
}

/* w NULL: of no wallet. */
static struct jb_due_item *
add(struct asking *a, enum jb_due_what what, jb_op op, const struct jb_wallet *w)
{
    if (!jb_vec_reserve(&a->found, a->found.n + 1)) {
        (void)jb_fail(a->err, JB_E_NOMEM, "no memory for what is due");
        return NULL;
    }
    struct found_due *f = &a->found.at[a->found.n++];
    struct jb_due_item *i = &f->item;
    *f = (struct found_due){.item = {.size = sizeof *i, .what = what, .op = op, .day = JB_NO_DAY}};
    if (w != NULL) {
        put_text(i->wallet, sizeof i->wallet, jb_id_of(w));
    }
    return i;
}

/* A version names its wallet; asked again on the same day, nothing having happened since, it is the
 * same command. */
static void
put_key(const struct asking *a, struct jb_due_item *i, uint64_t number, jb_seq version)
{
    char day[JB_DAY_TEXT_BYTES];
    snprintf(i->key, sizeof i->key, "due:%s:%" PRIu64 ":%" PRIu64 ":%s", jb_op_get(i->op)->name,
             number, version, jb_day_print(a->list.today, day));
}

/* ---- tax months ---- */

/* The month whose invoice_day the document waits for: the one behind its tax month, and of a
 * further one behind that in which the last was issued. */
static jb_status
month_before(struct asking *a, uint32_t month, const struct jb_tax_month *m, uint32_t *ret)
{
    struct jb_invoice_record r;
    const struct jb_event *e;
    *ret = month;
    if (m->last == 0) {
        return JB_OK;
    }
    jb_status status = jb_papers_invoice(a->b, m->last, &r, a->err);
    status = status == JB_OK ? jb_state_event(a->b, r.seq, &e, a->err) : status;
    const uint32_t issued = status == JB_OK ? jb_month_of(e->posted_on) : 0;
    *ret = issued > month ? issued : month;
    return status;
}

static jb_status
add_month(struct asking *a, const struct jb_wallet *w, uint32_t month)
{
    struct jb_papers p;
    struct jb_invoice_record failed = {0};
    uint32_t before;
    jb_status status = jb_papers_look(a->b, w, NULL, 0, month, &p, a->err);
    status = status == JB_OK ? month_before(a, month, &p.month, &before) : status;
    if (status == JB_OK && p.month.failed != 0) {
        status = jb_papers_invoice(a->b, p.month.failed, &failed, a->err);
    }
    if (status != JB_OK) {
        return status;
    }
    const jb_day first = jb_month_last(before) + 1;
    if (p.month.net == p.month.covered || a->list.today < first + a->invoice_day - 1) {
        return JB_OK;
    }
    bool unchanged = p.month.failed != 0 && failed.business == p.business;
    bool blocked = p.business == 0 || p.month.pending != 0 || unchanged;
    struct jb_due_item *i =
        add(a, blocked ? JB_DUE_BLOCKED : JB_DUE_COMMAND, JB_OP_INVOICE_ISSUE, w);
    if (i == NULL) {
        return JB_E_NOMEM;
    }
    i->month = month;
    i->late = a->list.today >= first + LAST_DAY;
    if (!blocked) {
        put_key(a, i, month, w->version);
    } else if (p.business == 0) {
        i->why = JB_CODE_NO_BUSINESS_INFO;
    } else if (p.month.pending != 0) {
        i->why = JB_CODE_INVOICE_PENDING;
        i->invoice = p.month.pending;
    } else {
        i->invoice = p.month.failed;
    }
    return JB_OK;
}

static int
compare_months(const void *one, const void *other)
{
    const uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

/* The months behind `after` that their documents do not cover, in order. */
static jb_status
find_months(struct asking *a, const struct jb_wallet *w, uint64_t after)
{
    struct jb_wallet_papers p;
    struct jb_tax_month m = {0};
    jb_status status = jb_papers_wallet(a->b, w, &p, a->err);
    const uint64_t newest = status == JB_OK && p.uneven > 0 ? p.newest_month : 0;
    a->months.n = 0;
    for (uint64_t month = newest; month != 0 && status == JB_OK; month = m.older) {
        status = jb_papers_month(a->b, w, (uint32_t)month, &m, a->err);
        if (status != JB_OK || m.net == m.covered || month <= after) {
            continue;
        }
        if (!jb_vec_reserve(&a->months, a->months.n + 1)) {
            return jb_fail(a->err, JB_E_NOMEM, "no memory for what is due");
        }
        a->months.at[a->months.n++] = (uint32_t)month;
    }
    if (a->months.n > 1) {
        qsort(a->months.at, a->months.n, sizeof *a->months.at, compare_months);
    }
    return status;
}

static jb_status
add_months(struct asking *a, const struct jb_wallet *w, uint64_t after)
{
    jb_status status = find_months(a, w, after);
    size_t i = 0;
    for (; i < a->months.n && status == JB_OK && !full(a); i++) {
        const uint32_t month = a->months.at[i];
        status = add_month(a, w, month);
        go_to(a, MONTHS, w->number, month);
    }
    if (i == a->months.n) {
        go_to(a, MONTHS, w->number, ALL_MONTHS);
    }
    return status;
}

static jb_status
look_months(struct asking *a)
{
    uint64_t number, after;
    jb_status status = JB_OK;
    if (!goes_on(a, MONTHS, &number, &after)) {
        return JB_OK;
    }
    number += number == 0 || after == ALL_MONTHS;
    for (after = after == ALL_MONTHS ? 0 : after;
         number <= a->b->g.wallets_given && status == JB_OK && !full(a); number++, after = 0) {
        struct jb_cached_wallet *s;
        a->looked++;
        status = jb_state_wallet(a->b, (uint32_t)number, &s, a->err);
        if (status == JB_OK && s->w.kind == JB_KIND_BUSINESS) {
            status = add_months(a, &s->w, after);
        } else {
            go_to(a, MONTHS, number, ALL_MONTHS);
        }
    }
    return status;
}

/* ---- grants that end soon ---- */

static jb_status
add_notice(struct asking *a, const struct jb_due *due)
{
    struct jb_cached_wallet *s;
    const struct jb_event *e;
    jb_seq noticed = 0;
    jb_status status = jb_state_wallet(a->b, due->wallet, &s, a->err);
    const struct jb_grant *g = status == JB_OK ? jb_wallet_grant(&s->w, due->ordinal) : NULL;
    if (g == NULL || s->w.status == JB_WALLET_DELETED || !jb_grant_unfinished(g, a->list.today)) {
        return status;
    }
    status = jb_papers_noticed(a->b, due->wallet, due->ordinal, &noticed, a->err);
    status = status == JB_OK ? jb_state_event(a->b, g->seq, &e, a->err) : status;
    if (status != JB_OK || noticed != 0) {
        return status;
    }
    struct jb_due_item *i = add(a, JB_DUE_COMMAND, JB_OP_NOTICE_SEND, &s->w);
    if (i == NULL) {
        return JB_E_NOMEM;
    }
    put_text(i->grant, sizeof i->grant, e->free_granted.grant);
    put_key(a, i, due->ordinal, s->w.version);
    return JB_OK;
}

static jb_status
look_notices(struct asking *a, int64_t days)
{
    struct jb_due due[GRANTS_STEP], after = {a->list.today - 1, UINT32_MAX, UINT32_MAX};
    uint64_t wallet, more;
    size_t n = GRANTS_STEP;
    jb_status status = JB_OK;
    if (!goes_on(a, NOTICES, &wallet, &more)) {
        return JB_OK;
    }
    if (wallet != 0) {
        after = (struct jb_due){(jb_day)(uint32_t)(more >> 32), (uint32_t)wallet, (uint32_t)more};
    }
    while (n == GRANTS_STEP && status == JB_OK && !full(a)) {
        status =
            jb_state_due(a->b, a->list.today + (jb_day)days, &after, due, GRANTS_STEP, &n, a->err);
        for (size_t i = 0; i < n && status == JB_OK && !full(a); i++) {
            a->looked++;
            status = add_notice(a, &due[i]);
            after = due[i];
            go_to(a, NOTICES, after.wallet,
                  (uint64_t)(uint32_t)after.expires_on << 32 | after.ordinal);
        }
    }
    return status;
}

/* ---- elsewhere ---- */

static jb_status
add_document(struct asking *a, uint64_t number, const struct jb_invoice_record *r, bool mail)
{
    struct jb_cached_wallet *s;
    jb_status status = jb_state_wallet(a->b, (uint32_t)r->wallet, &s, a->err);
    if (status != JB_OK) {
        return status;
    }
    struct jb_due_item *i =
        add(a, JB_DUE_OUTSIDE, mail ? JB_OP_INVOICE_MAIL : JB_OP_INVOICE_CONFIRM, &s->w);
    if (i == NULL) {
        return JB_E_NOMEM;
    }
    i->month = (uint32_t)r->month;
    i->invoice = number;
    if (!mail || s->w.status == JB_WALLET_DELETED) { /* nobody is left who could set an address */
        return JB_OK;
    }
    struct found_due *f = &a->found.at[a->found.n - 1];
    struct jb_wallet_around around;
    const struct jb_event *e;
    f->mail = true;
    status = jb_around_wallet(a->b, s->w.number, &around, a->err);
    f->addresses[1] = status == JB_OK ? around.email : 0;
    status = status == JB_OK ? jb_state_event(a->b, r->seq, &e, a->err) : status;
    f->addresses[0] = status == JB_OK ? e->invoice_issued.email : 0;
    return status;
}

static jb_status
look_outside(struct asking *a)
{
    jb_status status = JB_OK;
    uint64_t number, more;
    if (!goes_on(a, OUTSIDE, &number, &more)) {
        return JB_OK;
    }
    for (number++; number <= a->b->g.invoices && status == JB_OK && !full(a); number++) {
        struct jb_invoice_record r;
        a->looked++;
        go_to(a, OUTSIDE, number, 0);
        status = jb_papers_invoice(a->b, number, &r, a->err);
        const bool mail = status == JB_OK && r.state == JB_INVOICE_CONFIRMED && r.mails == 0;
        if (mail || (status == JB_OK && r.state == JB_INVOICE_ISSUED)) {
            status = add_document(a, number, &r, mail);
        }
    }
    return status;
}

/* Where a document can be mailed to no address that can be read, one is to be set. Without the key
 * nobody knows. */
static jb_status
look_address(struct asking *a, struct found_due *f)
{
    char text[JB_PERSON_TEXT_BYTES];
    size_t n;
    f->item.op = JB_OP_INVOICE_EMAIL;
    for (size_t i = 0; i < 2; i++) {
        jb_person_why why = JB_WHY_NONE;
        if (f->addresses[i] == 0) {
            continue;
        }
        jb_status status = jb_person_get(a->l, f->addresses[i], text, &n, &why, a->err);
        if (status != JB_OK || why == JB_WHY_NONE || why == JB_WHY_SEALED) {
            f->item.op = JB_OP_INVOICE_MAIL;
            f->item.address = 0;
            return status;
        }
        f->item.address = why;
    }
    return JB_OK;
}

static jb_status
look_addresses(struct asking *a)
{
    jb_status status = JB_OK;
    for (size_t i = 0; i < a->found.n && status == JB_OK; i++) {
        status = a->found.at[i].mail ? look_address(a, &a->found.at[i]) : JB_OK;
    }
    return status;
}

/* ---- all of it ---- */

static bool
wanted(const struct asking *a, enum jb_due_kind kind)
{
    return a->q.kind == JB_DUE_ALL || a->q.kind == (uint32_t)kind;
}

/* A day is over and open: nothing else is due. */
static jb_status
look_day(struct asking *a)
{
    struct jb_due_item *i =
        wanted(a, JB_DUE_DAY) ? add(a, JB_DUE_COMMAND, JB_OP_DAY_CLOSE, NULL) : NULL;
    if (i == NULL) {
        return wanted(a, JB_DUE_DAY) ? JB_E_NOMEM : JB_OK;
    }
    i->day = a->list.today - 1;
    put_key(a, i, 0, a->b->g.seq);
    return JB_OK;
}

static jb_status
look_papers(struct asking *a, jb_instant now)
{
    const struct jb_globals *g = &a->b->g;
    jb_status status = JB_OK;
    a->invoice_day = (jb_day)jb_policy_at(g, JB_POLICY_INVOICE_DAY, now);
    if (wanted(a, JB_DUE_INVOICE)) {
        status = look_months(a);
    }
    if (status == JB_OK && wanted(a, JB_DUE_NOTICE) && !full(a)) {
        status = look_notices(a, jb_policy_at(g, JB_POLICY_NOTICE_DAYS, now));
    }
    if (status == JB_OK && wanted(a, JB_DUE_INVOICE) && a->q.outside != 0 && !full(a)) {
        status = look_outside(a);
    }
    a->place = full(a) ? a->place : (struct jb_due_place){0};
    return status;
}

static jb_status
look_due(struct asking *a, jb_instant now)
{
    const struct jb_globals *g = &a->b->g;
    const bool timed = now != JB_NO_INSTANT;
    a->found.n = 0;
    a->looked = 0;
    a->place = (struct jb_due_place){0};
    a->list = (struct jb_due_list){.size = sizeof a->list,
                                   .today = timed ? jb_day_of(now, g->utc_offset_s) : JB_NO_DAY,
                                   .seq = g->seq,
                                   .at = now};
    if (g->invoice_from == 0) {
        return jb_fail(a->err, JB_E_NOTFOUND, "no invoices: invoice_from is not set");
    }
    if (!timed) {
        return JB_OK;
    }
    return g->first_open_day != JB_NO_DAY && g->first_open_day < a->list.today
               ? look_day(a)
               : look_papers(a, now);
}

static jb_status
look_now(struct asking *a)
{
    struct jb_reader_head head;
    jb_instant now = 0;
    jb_status status = jb_ledger_now(a->l, &now, a->err);
    status = status == JB_OK ? jb_reader_begin(a->l, &head, a->err) : status;
    if (status != JB_OK) {
        return status;
    }
    a->b = a->l->read_state;
    now = head.recorded_at > now ? head.recorded_at : now;
    do {
        status = look_due(a, now);
    } while (jb_reader_again(a->l, &status, a->err));
    jb_reader_end(a->l);
    return status;
}

/* Folds the log up to the event, or goes on with what the call before has folded. */
static jb_status
fold_past(struct jb_ledger *l, jb_seq seq, struct jb_error *err)
{
    jb_status status = JB_OK;
    if (l->past != NULL && l->past->g.seq > seq) {
        l->past = jb_state_close(l->past);
    }
    if (l->past == NULL) {
        status = jb_state_open(l->log, NULL, &l->identity, &l->past, err);
    }
    status = status == JB_OK ? jb_state_catch_up_to(l->past, seq, err) : status;
    if (status == JB_OK && l->past->g.seq != seq) {
        status = jb_fail(err, JB_E_NOTFOUND, "there is no event %llu: the log ends with %llu",
                         (unsigned long long)seq, (unsigned long long)l->past->g.seq);
    }
    return status;
}

static jb_status
look_past(struct asking *a)
{
    struct jb_ledger *l = a->l;
    jb_status status = jb_query_lock(l, &l->past_lock, a->err);
    if (status != JB_OK) {
        return status;
    }
    status = fold_past(l, a->q.seq, a->err);
    if (status == JB_OK) {
        const jb_instant recorded = l->past->g.recorded_at;
        a->b = l->past;
        status = look_due(a, a->q.at > recorded ? a->q.at : recorded);
        jb_state_release(l->past);
    } else if (l->past != NULL) {
        l->past = jb_state_close(l->past);
    }
    pthread_mutex_unlock(&l->past_lock);
    return status;
}

static void
tell(struct asking *a, bool (*each)(void *data, const struct jb_due_item *item), void *data)
{
    bool more = each != NULL;
    for (size_t i = 0; i < a->found.n; i++) {
        const struct jb_due_item *item = &a->found.at[i].item;
        a->list.commands += item->what == JB_DUE_COMMAND;
        a->list.blocked += item->what == JB_DUE_BLOCKED;
        a->list.outside += item->what == JB_DUE_OUTSIDE;
        more = more && each(data, item);
    }
}

jb_status
jb_due_at(jb_ledger *l, const struct jb_due_query *query,
          bool (*each)(void *data, const struct jb_due_item *item), void *data,
          struct jb_due_list *ret, struct jb_due_place *ret_next, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    struct asking a = {.l = l, .err = err, .q = {.size = sizeof a.q}};
    if (l == NULL || query == NULL || ret == NULL || ret_next == NULL) {
        return jb_fail_null(err, "jb_due_at");
    }
    jb_status status = jb_abi_in(&a.q, sizeof a.q, query, "struct jb_due_query", err);
    *ret_next = (struct jb_due_place){0}; /* it may be query->after */
    if (status == JB_OK && (a.q.kind > JB_DUE_NOTICE || a.q.reserved != 0)) {
        status = jb_fail(err, JB_E_USAGE, "struct jb_due_query: a kind that there is not");
    }
    status = status != JB_OK ? status : a.q.seq != 0 ? look_past(&a) : look_now(&a);
    status = status == JB_OK ? look_addresses(&a) : status;
    if (status == JB_OK) {
        tell(&a, each, data);
        *ret_next = a.place;
        status = jb_abi_out(ret, &a.list, sizeof a.list, err);
    }
    jb_vec_free(&a.months);
    jb_vec_free(&a.found);
    return status;
}
