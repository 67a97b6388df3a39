/* What is to be done, as the commands that do it: docs/rules.md section 15. */
#include "ledger/internal.h"
#include "state/papers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/decide.h"

/* Until that day of the month that follows a document is to be there. */
#define LAST_DAY 10
#define GRANTS_STEP 64

struct found_due {
    struct jb_due_item item;
    uint32_t wallet; /* number */
};

struct asking {
    struct jb_ledger *l;
    struct jb_state *b;
    struct jb_error *err;
    struct jb_due_list list;
    jb_day invoice_day;
    JB_VEC(struct found_due) found;
};

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
    *f = (struct found_due){
        .item = {.size = sizeof f->item, .what = what, .op = op, .day = JB_NO_DAY}};
    if (w != NULL) {
        f->wallet = w->number;
        put_text(f->item.wallet, sizeof f->item.wallet, (struct jb_text){w->id, w->id_n});
    }
    a->list.commands += what == JB_DUE_COMMAND;
    a->list.blocked += what == JB_DUE_BLOCKED;
    a->list.outside += what == JB_DUE_OUTSIDE;
    return &f->item;
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
    jb_status status = jb_papers_look(a->b, w, 0, month, &p, a->err);
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

static jb_status
add_months(struct asking *a, const struct jb_wallet *w)
{
    struct jb_wallet_papers p;
    struct jb_tax_month m = {0};
    jb_status status = jb_papers_wallet(a->b, w, &p, a->err);
    const uint64_t newest = status == JB_OK && p.uneven > 0 ? p.newest_month : 0;
    for (uint64_t month = newest; month != 0 && status == JB_OK; month = m.older) {
        status = jb_papers_month(a->b, w, (uint32_t)month, &m, a->err);
        if (status == JB_OK && m.net != m.covered) {
            status = add_month(a, w, (uint32_t)month);
        }
    }
    return status;
}

static jb_status
look_months(struct asking *a)
{
    jb_status status = JB_OK;
    for (uint32_t i = 1; i <= a->b->g.wallets_given && status == JB_OK; i++) {
        struct jb_cached_wallet *s;
        status = jb_state_wallet(a->b, i, &s, a->err);
        if (status == JB_OK && s->w.kind == JB_KIND_BUSINESS) {
            status = add_months(a, &s->w);
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
    size_t n = GRANTS_STEP;
    jb_status status = JB_OK;
    while (n == GRANTS_STEP && status == JB_OK) {
        status =
            jb_state_due(a->b, a->list.today + (jb_day)days, &after, due, GRANTS_STEP, &n, a->err);
        for (size_t i = 0; i < n && status == JB_OK; i++) {
            status = add_notice(a, &due[i]);
            after = due[i];
        }
    }
    return status;
}

/* ---- elsewhere ---- */

static jb_status
look_outside(struct asking *a)
{
    jb_status status = JB_OK;
    for (uint64_t number = 1; number <= a->b->g.invoices && status == JB_OK; number++) {
        struct jb_invoice_record r;
        struct jb_cached_wallet *s;
        status = jb_papers_invoice(a->b, number, &r, a->err);
        bool mail = status == JB_OK && r.state == JB_INVOICE_CONFIRMED && r.mails == 0;
        if (status != JB_OK || (!mail && r.state != JB_INVOICE_ISSUED)) {
            continue;
        }
        status = jb_state_wallet(a->b, (uint32_t)r.wallet, &s, a->err);
        struct jb_due_item *i =
            status == JB_OK
                ? add(a, JB_DUE_OUTSIDE, mail ? JB_OP_INVOICE_MAIL : JB_OP_INVOICE_CONFIRM, &s->w)
                : NULL;
        if (i == NULL) {
            return status == JB_OK ? JB_E_NOMEM : status;
        }
        i->month = (uint32_t)r.month;
        i->invoice = number;
    }
    return status;
}

/* ---- all of it ---- */

static jb_status
look_due(struct asking *a, jb_instant now, bool outside)
{
    const struct jb_globals *g = &a->b->g;
    a->found.n = 0;
    a->list = (struct jb_due_list){
        .size = sizeof a->list, .today = jb_day_of(now, g->utc_offset_s), .seq = g->seq, .at = now};
    if (g->invoice_from == 0) {
        return jb_fail(a->err, JB_E_NOTFOUND, "no invoices: invoice_from is not set");
    }
    if (g->first_open_day != JB_NO_DAY && g->first_open_day < a->list.today) {
        struct jb_due_item *i = add(a, JB_DUE_COMMAND, JB_OP_DAY_CLOSE, NULL);
        if (i == NULL) {
            return JB_E_NOMEM;
        }
        i->day = a->list.today - 1;
        put_key(a, i, 0, g->seq);
        return JB_OK;
    }
    a->invoice_day = (jb_day)jb_policy_at(g, JB_POLICY_INVOICE_DAY, now);
    jb_status status = look_months(a);
    status =
        status == JB_OK ? look_notices(a, jb_policy_at(g, JB_POLICY_NOTICE_DAYS, now)) : status;
    return status == JB_OK && outside ? look_outside(a) : status;
}

/* As they were found, but for the months of a wallet: from the oldest on. */
static int
compare_due(const void *one, const void *other)
{
    const struct found_due *a = one, *b = other;
    if (a->item.what != b->item.what) {
        return a->item.what < b->item.what ? -1 : 1;
    }
    if (a->item.op != b->item.op) {
        return a->item.op > b->item.op ? -1 : 1;
    }
    if (a->wallet != b->wallet) {
        return a->wallet < b->wallet ? -1 : 1;
    }
    if (a->item.month != b->item.month) {
        return a->item.month < b->item.month ? -1 : 1;
    }
    const int grant = strcmp(a->item.grant, b->item.grant);
    return grant != 0 ? grant
                      : (a->item.invoice > b->item.invoice) - (a->item.invoice < b->item.invoice);
}

jb_status
jb_due_get(jb_ledger *l, bool outside, bool (*each)(void *data, const struct jb_due_item *item),
           void *data, struct jb_due_list *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    struct jb_reader_head head;
    jb_instant now = 0;
    if (l == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_due_get");
    }
    struct asking a = {.l = l, .err = err};
    jb_status status = jb_ledger_now(l, &now, err);
    status = status == JB_OK ? jb_reader_begin(l, &head, err) : status;
    if (status != JB_OK) {
        return status;
    }
    a.b = l->read_state;
    now = head.recorded_at > now ? head.recorded_at : now;
    do {
        status = look_due(&a, now, outside);
    } while (jb_reader_again(l, &status, err));
    jb_reader_end(l);
    status = status == JB_OK ? jb_abi_out(ret, &a.list, sizeof a.list, err) : status;
    if (a.found.n > 1) {
        qsort(a.found.at, a.found.n, sizeof *a.found.at, compare_due);
    }
    for (size_t i = 0; i < a.found.n && status == JB_OK && each != NULL; i++) {
        if (!each(data, &a.found.at[i].item)) {
            break;
        }
    }
    jb_vec_free(&a.found);
    return status;
}
