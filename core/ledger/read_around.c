/* What stands around the money, for those who ask: docs/rules.md section 10. Rows are collected
 * while the read state is held, and told when it was let go. */
#include "ledger/asking.h"
#include "state/around.h"
#include "state/papers.h"

jb_status
jb_ask(struct jb_ledger *l, struct jb_asking *a, jb_look look, const void *question, void *ret,
       struct jb_error *err)
{
    struct jb_reader_head head;
    *a = (struct jb_asking){.l = l, .err = err};
    jb_status status = jb_ledger_now(l, &a->now, err);
    status = status == JB_OK ? jb_reader_begin(l, &head, err) : status;
    if (status != JB_OK) {
        return status;
    }
    a->b = l->read_state;
    /* A role that was recorded is held, whatever the clock says since. */
    a->now = head.recorded_at > a->now ? head.recorded_at : a->now;
    do {
        a->rows.n = 0;
        status = look(a, question, ret);
    } while (jb_reader_again(l, &status, err));
    jb_reader_end(l);
    if (status != JB_OK) {
        jb_vec_free(&a->rows);
    }
    return status;
}

/* Asks, and gives the answer out: *full in the caller's size, then the rows. */
static jb_status
answer(struct jb_ledger *l, jb_look look, const void *question, void *full, size_t full_size,
       void *ret, bool (*each)(void *data, const struct jb_who_row *row), void *data,
       struct jb_error *err)
{
    struct jb_asking a;
    jb_status status = jb_ask(l, &a, look, question, full, err);
    status = status == JB_OK ? jb_abi_out(ret, full, full_size, err) : status;
    for (size_t i = 0; status == JB_OK && i < a.rows.n && each != NULL; i++) {
        struct jb_who_row *row = &a.rows.at[i].row;
        row->channel.s = row->channel.n > 0 ? a.rows.at[i].channel : NULL;
        if (!each(data, row)) {
            break;
        }
    }
    jb_vec_free(&a.rows);
    return status;
}

jb_status
jb_ask_wallet(struct jb_asking *a, struct jb_text id, const struct jb_wallet **ret)
{
    struct jb_cached_wallet *s = NULL;
    *ret = NULL;
    jb_status status = jb_state_find(a->b, id, &s, a->err);
    if (status == JB_OK && s == NULL) {
        return jb_fail(a->err, JB_E_NOTFOUND, "there is no wallet %.*s",
                       (int)(id.n < 80 ? id.n : 80), id.s != NULL ? id.s : "");
    }
    *ret = status == JB_OK ? &s->w : NULL;
    return status;
}

jb_status
jb_ask_channel(struct jb_asking *a, struct jb_text id, uint64_t *ret)
{
    uint32_t number = 0;
    jb_status status = id.n >= 1 && id.n <= JB_ID_BYTES_MAX
                           ? jb_state_id(a->b, 'H', 0, id, &number, a->err)
                           : JB_OK;
    *ret = number;
    return status == JB_OK && number == 0
               ? jb_fail(a->err, JB_E_NOTFOUND, "there is no channel %.*s",
                         (int)(id.n < 80 ? id.n : 80), id.s != NULL ? id.s : "")
               : status;
}

static void
put_id(char to[JB_ID_BYTES_MAX + 1], struct jb_text id)
{
    const size_t n = id.n <= JB_ID_BYTES_MAX ? id.n : JB_ID_BYTES_MAX;
    memcpy(to, n > 0 ? id.s : "", n);
    to[n] = '\0';
}

/* ---- ids of channels ---- */

static jb_status
look_number(struct jb_asking *a, const void *question, void *ret)
{
    return jb_ask_channel(a, *(const struct jb_text *)question, ret);
}

jb_status
jb_channel_number(jb_ledger *l, struct jb_text id, uint64_t *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    struct jb_asking a;
    return l != NULL && ret != NULL ? jb_ask(l, &a, look_number, &id, ret, err)
                                    : jb_fail_null(err, "jb_channel_number");
}

struct channel_id {
    char s[JB_ID_BYTES_MAX];
    size_t n;
};

static jb_status
look_id(struct jb_asking *a, const void *question, void *ret)
{
    const uint64_t number = *(const uint64_t *)question;
    struct channel_id *id = ret;
    struct jb_channel c = {0};
    struct jb_text text = {NULL, 0};
    jb_status status =
        number <= UINT32_MAX ? jb_around_channel(a->b, number, &c, &text, a->err) : JB_OK;
    if (status == JB_OK && c.kind == 0) {
        return jb_fail(a->err, JB_E_NOTFOUND, "there is no channel number %llu",
                       (unsigned long long)number);
    }
    id->n = status == JB_OK && text.n <= sizeof id->s ? text.n : 0;
    memcpy(id->s, id->n > 0 ? text.s : "", id->n);
    return status;
}

jb_status
jb_channel_id(jb_ledger *l, uint64_t number, char *id, size_t *ret_n, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    struct jb_asking a;
    struct channel_id found = {0};
    if (l == NULL || id == NULL || ret_n == NULL) {
        return jb_fail_null(err, "jb_channel_id");
    }
    jb_status status = jb_ask(l, &a, look_id, &number, &found, err);
    if (status == JB_OK) {
        *ret_n = found.n;
        memcpy(id, found.s, found.n);
    }
    return status;
}

/* ---- who has to do with a wallet or a channel ---- */

static jb_status
add_row(struct jb_asking *a, uint64_t person, uint32_t role, const struct jb_tenure *t)
{
    if (!jb_vec_reserve(&a->rows, a->rows.n + 1)) {
        return jb_fail(a->err, JB_E_NOMEM, "no memory for who is there");
    }
    a->rows.at[a->rows.n++] =
        (struct jb_found){.row = {.role = role,
                                  .person = person,
                                  .seq = t->seq,
                                  .from = t->from,
                                  .until = t->until != 0 ? t->until : JB_NO_INSTANT}};
    return JB_OK;
}

static jb_status
add_channel(struct jb_asking *a, uint64_t number, const struct jb_tenure *t)
{
    struct jb_channel c;
    struct jb_text id;
    jb_status status = jb_around_channel(a->b, number, &c, &id, a->err);
    status = status == JB_OK ? add_row(a, 0, JB_ROLE_NONE, t) : status;
    if (status == JB_OK) {
        struct jb_found *f = &a->rows.at[a->rows.n - 1];
        f->row.channel.n = id.n <= sizeof f->channel ? id.n : 0;
        memcpy(f->channel, id.n > 0 ? id.s : "", f->row.channel.n);
    }
    return status;
}

static void
turn_round(struct jb_found *rows, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        struct jb_found other = rows[i];
        rows[i] = rows[n - 1 - i];
        rows[n - 1 - i] = other;
    }
}

/* A list, from its oldest on; first: a role that comes before the others. */
static jb_status
collect(struct jb_asking *a, enum jb_holder holder, uint64_t number, uint32_t first,
        uint32_t *ret_n)
{
    struct jb_tenure t;
    uint64_t whom = 0;
    size_t begin = a->rows.n;
    jb_status status = jb_around_next(a->b, holder, number, &whom, &t, a->err);
    while (status == JB_OK && whom != 0) {
        bool lapsed = holder == JB_HOLDER_INVITED && t.until <= a->now;
        jb_seq gone = 0;
        if (holder == JB_HOLDER_INVITED && !lapsed && a->b->g.forgotten != 0) {
            status = jb_around_gone(a->b, JB_GONE_PERSON, whom, &gone, a->err);
            lapsed = gone != 0; /* nobody can accept it any more */
        }
        if (status != JB_OK) {
            break;
        }
        if (holder == JB_HOLDER_CHANNELS) {
            status = add_channel(a, whom, &t);
        } else if (!lapsed) {
            bool invited = holder == JB_HOLDER_INVITED;
            status = add_row(a, whom, invited ? (uint32_t)JB_ROLE_NONE : (uint32_t)t.role, &t);
        }
        status = status == JB_OK ? jb_around_next(a->b, holder, number, &whom, &t, a->err) : status;
    }
    *ret_n = (uint32_t)(a->rows.n - begin);
    if (*ret_n > 0) { /* else there may be no rows at all */
        turn_round(a->rows.at + begin, *ret_n);
    }
    for (size_t i = begin; i < a->rows.n && first != 0; i++) {
        if (a->rows.at[i].row.role == first) {
            struct jb_found master = a->rows.at[i];
            memmove(&a->rows.at[begin + 1], &a->rows.at[begin], (i - begin) * sizeof master);
            a->rows.at[begin] = master;
            break;
        }
    }
    return status;
}

static jb_status
put_agency(struct jb_asking *a, uint64_t number, char to[JB_ID_BYTES_MAX + 1])
{
    struct jb_text id;
    to[0] = '\0';
    jb_status status = number != 0 ? jb_around_agency(a->b, number, &id, a->err) : JB_OK;
    if (status == JB_OK && number != 0) {
        put_id(to, id);
    }
    return status;
}

/* When the sales right was given. */
static jb_status
put_agency_since(struct jb_asking *a, jb_seq seq, struct jb_who *ret)
{
    const struct jb_event *e;
    ret->agency_since = seq;
    jb_status status = seq != 0 ? jb_state_event(a->b, seq, &e, a->err) : JB_OK;
    ret->agency_from = seq != 0 && status == JB_OK ? e->recorded_at : JB_NO_INSTANT;
    return status;
}

static jb_status
look_who(struct jb_asking *a, const void *question, void *data)
{
    struct jb_who *ret = data;
    const struct jb_wallet *w = NULL;
    struct jb_wallet_around around;
    jb_status status = jb_ask_wallet(a, *(const struct jb_text *)question, &w);
    if (status != JB_OK) {
        return status;
    }
    *ret = (struct jb_who){.size = sizeof *ret,
                           .number = w->number,
                           .status = w->status,
                           .kind = w->kind,
                           .settlement = w->settlement,
                           .limit = jb_rest(w)->limit,
                           .seq = a->b->g.seq,
                           .at = a->now,
                           .agency_from = JB_NO_INSTANT};
    put_id(ret->wallet, jb_id_of(w));
    status = jb_around_wallet(a->b, ret->number, &around, a->err);
    ret->email = status == JB_OK ? around.email : 0; /* its invoices are mailed all the same */
    if (status != JB_OK || w->status == JB_WALLET_DELETED) {
        return status; /* everything else ended with the wallet */
    }
    ret->master = around.master;
    status = put_agency(a, around.agency, ret->agency);
    status = status == JB_OK ? put_agency_since(a, around.agency_since, ret) : status;
    status = status == JB_OK
                 ? collect(a, JB_HOLDER_WALLET, ret->number, JB_ROLE_MASTER, &ret->members)
                 : status;
    ret->members -= around.master != 0;
    status =
        status == JB_OK ? collect(a, JB_HOLDER_INVITED, ret->number, 0, &ret->invited) : status;
    return status == JB_OK ? collect(a, JB_HOLDER_CHANNELS, ret->number, 0, &ret->channels)
                           : status;
}

jb_status
jb_who_get(jb_ledger *l, struct jb_text wallet,
           bool (*each)(void *data, const struct jb_who_row *row), void *data, struct jb_who *ret,
           struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    struct jb_who full;
    return l != NULL && ret != NULL
               ? answer(l, look_who, &wallet, &full, sizeof full, ret, each, data, err)
               : jb_fail_null(err, "jb_who_get");
}

/* ---- channels ---- */

/* The ten digits, from the number as it stands in the records. */
static void
put_biz_number(char to[12], uint64_t number)
{
    uint64_t left = number - 1;
    for (int i = JB_BIZ_DIGITS; i-- > 0; left /= 10) {
        to[i] = (char)('0' + left % 10);
    }
    to[number != 0 ? JB_BIZ_DIGITS : 0] = '\0';
}

static jb_status
put_search_id(struct jb_asking *a, jb_seq seq, struct jb_channel_info *ret)
{
    const struct jb_event *e;
    jb_status status = seq != 0 ? jb_state_event(a->b, seq, &e, a->err) : JB_OK;
    if (status == JB_OK && seq != 0 && e->search_id_set.search_id.n < sizeof ret->search_id) {
        memcpy(ret->search_id, e->search_id_set.search_id.s, e->search_id_set.search_id.n);
    }
    ret->search_id_seq = seq;
    return status;
}

static jb_status
put_mail_order(struct jb_asking *a, jb_seq seq, struct jb_channel_info *ret)
{
    const struct jb_event *e;
    jb_status status = seq != 0 ? jb_state_event(a->b, seq, &e, a->err) : JB_OK;
    const struct jb_text text =
        status == JB_OK && seq != 0 ? e->mail_order_set.mail_order : (struct jb_text){NULL, 0};
    if (text.n > 0 && text.n < sizeof ret->mail_order) {
        memcpy(ret->mail_order, text.s, text.n);
    }
    ret->mail_order_seq = seq;
    return status;
}

/* A deleted wallet has let its channels go. */
static jb_status
put_wallet_of_channel(struct jb_asking *a, uint64_t number, struct jb_channel_info *ret)
{
    struct jb_cached_wallet *s;
    jb_status status = number != 0 ? jb_state_wallet(a->b, (uint32_t)number, &s, a->err) : JB_OK;
    if (status == JB_OK && number != 0 && s->w.status != JB_WALLET_DELETED) {
        ret->wallet_no = s->w.number;
        put_id(ret->wallet, jb_id_of(&s->w));
    }
    return status;
}

static jb_status
look_channel(struct jb_asking *a, const void *question, void *data)
{
    struct jb_channel_info *ret = data;
    struct jb_channel c;
    struct jb_text own;
    uint64_t number;
    *ret = (struct jb_channel_info){
        .size = sizeof *ret, .seq = a->b->g.seq, .at = a->now, .closed = JB_NO_INSTANT};
    jb_status status = jb_ask_channel(a, *(const struct jb_text *)question, &number);
    status = status == JB_OK ? jb_around_channel(a->b, number, &c, &own, a->err) : status;
    if (status != JB_OK) {
        return status;
    }
    put_id(ret->channel, own);
    put_biz_number(ret->biz, c.biz.number);
    ret->number = number;
    ret->kind = (uint32_t)c.kind;
    ret->master = c.master;
    ret->version = c.version;
    ret->closed = c.closed;
    status = put_search_id(a, c.search, ret);
    status = status == JB_OK ? put_mail_order(a, c.mail_order, ret) : status;
    status = status == JB_OK ? put_wallet_of_channel(a, c.wallet, ret) : status;
    bool open = c.closed == JB_NO_INSTANT;
    return status == JB_OK && open
               ? collect(a, JB_HOLDER_STAFF, number, JB_ROLE_CHANNEL_MASTER, &ret->staff)
               : status;
}

jb_status
jb_channel_get(jb_ledger *l, struct jb_text channel,
               bool (*each)(void *data, const struct jb_who_row *row), void *data,
               struct jb_channel_info *ret, struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    struct jb_channel_info full;
    return l != NULL && ret != NULL
               ? answer(l, look_channel, &channel, &full, sizeof full, ret, each, data, err)
               : jb_fail_null(err, "jb_channel_get");
}

/* ---- business information ---- */

static jb_status
put_record(struct jb_asking *a, jb_seq request, struct jb_biz_record *ret)
{
    const struct jb_event *e;
    jb_status status = request != 0 ? jb_state_event(a->b, request, &e, a->err) : JB_OK;
    if (status != JB_OK || request == 0) {
        return status;
    }
    const struct jb_biz_requested *r = &e->biz_requested;
    *ret = (struct jb_biz_record){.request = request,
                                  .base = r->base,
                                  .name = r->name,
                                  .representative = r->representative,
                                  .address = r->address};
    put_biz_number(ret->biz, jb_biz_number_of(r->biz));
    return JB_OK;
}

/* All holders of a number show what was approved last, whoever asked. */
static jb_status
put_approved(struct jb_asking *a, uint64_t number, struct jb_biz *ret)
{
    struct jb_biz_number n;
    const struct jb_event *e;
    if (number == 0) {
        return JB_OK;
    }
    jb_status status = jb_around_biz(a->b, number, &n, a->err);
    ret->approved = status == JB_OK ? n.approved : 0;
    if (ret->approved == 0) {
        return status;
    }
    status = jb_state_event(a->b, ret->approved, &e, a->err);
    return status == JB_OK ? put_record(a, e->biz_approved.request, &ret->record) : status;
}

static jb_status
put_pending(struct jb_asking *a, const struct jb_biz_of *biz, struct jb_biz *ret)
{
    struct jb_biz_number n;
    jb_status status = put_record(a, biz->open, &ret->pending);
    if (status != JB_OK || biz->open == 0) {
        return status;
    }
    status = jb_around_biz(a->b, biz->open_number, &n, a->err);
    ret->pending.stale = status == JB_OK && n.approved != biz->open_base;
    return status;
}

/* Whose: the other one has no text. */
struct holder {
    struct jb_text wallet, channel;
};

static jb_status
look_biz(struct jb_asking *a, const void *question, void *data)
{
    const struct jb_text wallet = ((const struct holder *)question)->wallet,
                         channel = ((const struct holder *)question)->channel;
    struct jb_biz *ret = data;
    struct jb_biz_of biz;
    jb_status status;
    *ret = (struct jb_biz){.size = sizeof *ret, .seq = a->b->g.seq, .at = a->now};
    if (channel.s != NULL) {
        struct jb_channel c;
        struct jb_text id;
        status = jb_ask_channel(a, channel, &ret->channel_no);
        status =
            status == JB_OK ? jb_around_channel(a->b, ret->channel_no, &c, &id, a->err) : status;
        if (status != JB_OK) {
            return status;
        }
        put_id(ret->holder, id);
        biz = c.biz;
        biz.open = c.closed == JB_NO_INSTANT ? biz.open : 0;
    } else {
        const struct jb_wallet *w = NULL;
        struct jb_wallet_around around;
        status = jb_ask_wallet(a, wallet, &w);
        if (status != JB_OK) {
            return status;
        }
        bool deleted = w->status == JB_WALLET_DELETED;
        ret->wallet_no = w->number;
        put_id(ret->holder, jb_id_of(w));
        status = jb_around_wallet(a->b, w->number, &around, a->err);
        biz = around.biz;
        biz.open = deleted ? 0 : biz.open;
    }
    put_biz_number(ret->number, biz.number);
    ret->fixed = biz.fixed;
    status = status == JB_OK ? put_approved(a, biz.number, ret) : status;
    return status == JB_OK ? put_pending(a, &biz, ret) : status;
}

jb_status
jb_biz_get(jb_ledger *l, struct jb_text wallet, struct jb_text channel, struct jb_biz *ret,
           struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    const struct holder holder = {wallet, channel};
    struct jb_biz full;
    if (l == NULL || ret == NULL) {
        return jb_fail_null(err, "jb_biz_get");
    }
    if ((wallet.s == NULL) == (channel.s == NULL)) {
        return jb_fail(err, JB_E_USAGE,
                       "business information is asked for of a wallet or of a channel");
    }
    return answer(l, look_biz, &holder, &full, sizeof full, ret, NULL, NULL, err);
}

/* ---- what is in the way of a deletion ---- */

static uint32_t
roles_for(jb_op op)
{
    size_t n;
    const struct jb_permission *cells = jb_permissions(JB_MATRICES, &n);
    uint32_t roles = 0;
    for (size_t i = 0; i < n; i++) {
        roles |= cells[i].op == (uint32_t)op ? cells[i].roles : 0;
    }
    return roles;
}

static void
remedy(struct jb_condition *c, jb_op op, jb_amount amount)
{
    c->remedy = op;
    c->remedy_amount = amount;
    c->remedy_who = roles_for(op);
}

static bool
any_requested(const struct jb_wallet *w)
{
    for (size_t i = 0; i < jb_rest(w)->refunds.n; i++) {
        if (jb_rest(w)->refunds.at[i].state == JB_REFUND_REQUESTED) {
            return true;
        }
    }
    return false;
}

/* What helps next. */
static void
find_remedy(const struct jb_wallet *w, const struct jb_papers *p, struct jb_condition *c)
{
    bool suspended = w->status == JB_WALLET_SUSPENDED;
    switch (c->name) {
    case JB_FIG_NOT_OFF:
        remedy(c, suspended ? JB_OP_WALLET_LIFT : JB_OP_WALLET_OFF, 0);
        break;
    case JB_FIG_SALES_RIGHT:
        remedy(c, JB_OP_SALES_RELEASE, 0);
        break;
    case JB_FIG_PAID_NOT_ZERO:
        if (w->paid < 0) {
            remedy(c, suspended ? JB_OP_DEBT_REPAY : JB_OP_CHARGE, -w->paid);
        } else if (w->paid > jb_rest(w)->pending) {
            remedy(c, JB_OP_REFUND_REQUEST, w->paid - jb_rest(w)->pending);
        } else { /* all of it is asked for already */
            remedy(c, JB_OP_REFUND_APPROVE, jb_rest(w)->pending);
        }
        break;
    case JB_FIG_POSTPAID:
        remedy(c, JB_OP_WALLET_SETTLEMENT, 0);
        break;
    case JB_FIG_REFUND_OUTSTANDING:
        if (any_requested(w)) { /* one leaves the cash in the wallet, the other takes it out */
            remedy(c, JB_OP_REFUND_CANCEL, 0);
            c->other = JB_OP_REFUND_APPROVE;
            c->other_who = roles_for(JB_OP_REFUND_APPROVE);
        } else {
            remedy(c, JB_OP_REFUND_COMPLETE, 0);
        }
        break;
    case JB_FIG_UNINVOICED:
        remedy(c,
               p->of.uneven > 0        ? JB_OP_INVOICE_ISSUE
               : p->of.unconfirmed > 0 ? JB_OP_INVOICE_CONFIRM
                                       : JB_OP_INVOICE_CORRECT,
               0);
        break;
    default:
        break;
    }
}

/* A right, or a limit, that is not there has no figure, nor has a wallet that gets no invoices one.
 */
static bool
has_figure(const struct jb_delete_condition *c, const struct jb_around *a)
{
    if (c->name == JB_FIG_UNINVOICED) {
        return a->papers.counted;
    }
    return !c->met || (c->name != JB_FIG_SALES_RIGHT && c->name != JB_FIG_POSTPAID);
}

static jb_amount
forfeits_of(const struct jb_wallet *w, jb_day today)
{
    jb_amount sum = 0;
    for (size_t i = 0; i < jb_rest(w)->grants.n; i++) {
        const struct jb_grant *g = &jb_rest(w)->grants.at[i];
        bool there =
            (g->state == JB_GRANT_DORMANT || g->state == JB_GRANT_IN_USE) && g->expires_on >= today;
        sum += there ? g->remaining : 0;
    }
    return sum;
}

/* How many papers are missing, and from when on the first of them can be issued, and all. */
static jb_status
look_uninvoiced(struct jb_asking *a, const struct jb_wallet *w, const struct jb_wallet_papers *of,
                struct jb_can_delete *ret)
{
    uint32_t first = 0, last = 0;
    jb_status status = of->uneven > 0 ? jb_papers_uneven(a->b, w, &first, &last, a->err) : JB_OK;
    ret->papers = (uint32_t)(of->uneven + of->unconfirmed + of->torn);
    ret->uninvoiced_from = first != 0 ? jb_month_last(first) + 1 : JB_NO_DAY;
    ret->uninvoiced_all_from = last != 0 ? jb_month_last(last) + 1 : JB_NO_DAY;
    return status;
}

static jb_status
look_deletion(struct jb_asking *a, const void *question, void *data)
{
    struct jb_can_delete *ret = data;
    const struct jb_wallet *w = NULL;
    struct jb_around around = {0};
    struct jb_delete_condition all[JB_DELETE_CONDITIONS_MAX];
    *ret = (struct jb_can_delete){.size = sizeof *ret, .seq = a->b->g.seq, .at = a->now};
    jb_status status = jb_ask_wallet(a, *(const struct jb_text *)question, &w);
    status = status == JB_OK ? jb_around_wallet(a->b, w->number, &around.wallet, a->err) : status;
    status = status == JB_OK ? jb_papers_look(a->b, w, NULL, 0, 0, &around.papers, a->err) : status;
    if (status != JB_OK) {
        return status;
    }
    ret->number = w->number;
    ret->status = w->status;
    put_id(ret->wallet, jb_id_of(w));
    if (w->status == JB_WALLET_DELETED) {
        return JB_OK;
    }
    size_t n = jb_delete_conditions(w, &around, all);
    ret->can_delete = true;
    for (size_t i = 0; i < n; i++) {
        struct jb_condition *c = &ret->conditions[ret->conditions_n++];
        *c = (struct jb_condition){.name = all[i].name,
                                   .met = all[i].met,
                                   .has_figure = has_figure(&all[i], &around),
                                   .figure = has_figure(&all[i], &around) ? all[i].figure : 0};
        if (!c->met) {
            find_remedy(w, &around.papers, c);
            ret->can_delete = false;
        }
    }
    jb_day today = jb_day_of(a->now, a->l->identity.utc_offset_s);
    ret->forfeits = forfeits_of(w, today);
    return look_uninvoiced(a, w, &around.papers.of, ret);
}

jb_status
jb_can_delete_get(jb_ledger *l, struct jb_text wallet, struct jb_can_delete *ret,
                  struct jb_error *err)
{
    JB_SPEAK(JB_LANG_OF(l));
    struct jb_can_delete full;
    return l != NULL && ret != NULL
               ? answer(l, look_deletion, &wallet, &full, sizeof full, ret, NULL, NULL, err)
               : jb_fail_null(err, "jb_can_delete_get");
}
