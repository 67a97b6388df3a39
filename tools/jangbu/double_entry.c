/* From events to entries of double entry. */
#include <stdlib.h>
#include <string.h>

#include "double_entry.h"

static void *
grown(void *at, size_t n, size_t size)
{
    void *more = realloc(at, n * size);
    if (more == NULL) {
        fputs(tr("jangbu: no memory for the export\n"), stderr);
        exit(EXIT_MACHINE);
    }
    return more;
}

static void
begin_entry(struct books *b, jb_day day, jb_seq seq, uint32_t wallet, uint32_t type)
{
    if (b->entries_n == b->entries_cap) {
        b->entries_cap = b->entries_cap == 0 ? 1024 : b->entries_cap * 2;
        b->entries = grown(b->entries, b->entries_cap, sizeof *b->entries);
    }
    b->entries[b->entries_n++] = (struct entry){day, seq, wallet, type, b->postings_n, 0};
    if (b->first_day == JB_NO_DAY || day < b->first_day) {
        b->first_day = day;
    }
}

static void
post(struct books *b, uint32_t kind, uint32_t index, jb_amount amount)
{
    if (amount == 0) {
        return;
    }
    if (b->postings_n == b->postings_cap) {
        b->postings_cap = b->postings_cap == 0 ? 4096 : b->postings_cap * 2;
        b->postings = grown(b->postings, b->postings_cap, sizeof *b->postings);
    }
    b->postings[b->postings_n++] = (struct posting){{kind, index}, amount};
    b->entries[b->entries_n - 1].n++;
}

/* Money goes from one account to another: a debit here, a credit there. */
static void
carry(struct books *b, struct account from, struct account to, jb_amount amount)
{
    post(b, from.kind, from.index, amount);
    post(b, to.kind, to.index, -amount);
}

static uint32_t
gateway_of(struct books *b, struct jb_text pg)
{
    if (pg.s == NULL || pg.n > JB_SHORT_BYTES_MAX) {
        return 0;
    }
    for (uint32_t i = 0; i < b->gateways_n; i++) {
        if (strlen(b->gateways[i]) == pg.n && memcmp(b->gateways[i], pg.s, pg.n) == 0) {
            return i + 1;
        }
    }
    b->gateways = grown(b->gateways, b->gateways_n + 1U, sizeof *b->gateways);
    memcpy(b->gateways[b->gateways_n], pg.s, pg.n);
    b->gateways[b->gateways_n][pg.n] = '\0';
    return ++b->gateways_n;
}

static struct account
source_of_charge(struct books *b, const struct jb_event *e)
{
    if (e->type == JB_EV_DEBT_REPAID) {
        return account_of(CLEARING, gateway_of(b, e->debt_repaid.pg));
    }
    const struct jb_charge_settled *c = &e->charge_settled;
    bool by_operator = c->method == JB_METHOD_ADMIN_CASH || c->method == JB_METHOD_ADV_RET_CASH;
    return by_operator ? account_of(ADJUSTMENT, 0) : account_of(CLEARING, gateway_of(b, c->pg));
}

static void
remember_lot(struct wallet *w, uint32_t lot, struct account source)
{
    w->sources = grown(w->sources, lot, sizeof *w->sources);
    w->sources[lot - 1] = source;
    w->sources_n = lot;
}

static struct account
source_of_lot(const struct wallet *w, uint32_t lot)
{
    return lot >= 1 && lot <= w->sources_n ? w->sources[lot - 1] : account_of(CLEARING, 0);
}

static int32_t
month_number(jb_day day)
{
    int year, month, day_of_month;
    jb_day_to_date(day, &year, &month, &day_of_month);
    return year * 12 + month - 1;
}

/* 202603 */
static int32_t
month_name(int32_t number)
{
    return number / 12 * 100 + number % 12 + 1;
}

static jb_amount
plus(jb_amount a, jb_amount b, int32_t month)
{
    jb_amount sum;
    if (__builtin_add_overflow(a, b, &sum)) {
        fprintf(stderr,
                tr("jangbu: the consumption of one wallet in %04d-%02d passes 64 bits: its "
                   "VAT cannot be exported\n"),
                month / 12, month % 12 + 1);
        exit(EXIT_MACHINE);
    }
    return sum;
}

static void
add_to_month(struct wallet *w, int32_t tax, jb_day day, jb_amount amount)
{
    int32_t number = month_number(day);
    for (uint32_t i = w->months_n; i-- > 0;) {
        if (w->months[i].number == number && w->months[i].tax == tax) {
            w->months[i].net = plus(w->months[i].net, amount, number);
            return;
        }
    }
    w->months = grown(w->months, w->months_n + 1U, sizeof *w->months);
    w->months[w->months_n++] = (struct month){tax, number, amount};
}

/* The month in which it happened, as it was known when it was recorded. */
static int32_t
month_of_consumption(const struct books *b, struct wallet *w, const struct jb_event *e)
{
    jb_instant at = e->occurred_at < e->recorded_at ? e->occurred_at : e->recorded_at;
    int32_t month = month_number(jb_day_of(at, b->app->info.utc_offset_s));
    if (w->runs_n == 0 || w->runs[w->runs_n - 1].month != month) {
        w->runs = grown(w->runs, w->runs_n + 1U, sizeof *w->runs);
        w->runs[w->runs_n++] = (struct tax_run){e->seq, month};
    }
    return month;
}

/* A return is of the month of what it gives back. */
static int32_t
tax_month(const struct books *b, struct wallet *w, const struct jb_event *e)
{
    int32_t month = NO_TAX_MONTH;
    if (e->type == JB_EV_CASH_CONSUMED) {
        month = month_of_consumption(b, w, e);
    } else {
        uint32_t low = 0,
                 high = w->runs_n; /* runs before low begin no later than what it gives back */
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            bool later = w->runs[middle].from > e->consumption_reversed.consumption;
            *(later ? &high : &low) = later ? middle : middle + 1;
        }
        month = low > 0 ? w->runs[low - 1].month : month;
    }
    bool invoiced = b->invoice_from != 0 && month_name(month) >= b->invoice_from;
    return invoiced ? month : NO_TAX_MONTH;
}

static void
remember_refund(struct wallet *w, const struct jb_refund_approved *e)
{
    if (e->refund_no > w->refunds_n) {
        w->refunds = grown(w->refunds, e->refund_no, sizeof *w->refunds);
        memset(w->refunds + w->refunds_n, 0, (e->refund_no - w->refunds_n) * sizeof *w->refunds);
        w->refunds_n = e->refund_no;
    }
    struct legs *legs = &w->refunds[e->refund_no - 1];
    legs->at = grown(NULL, e->parts.n + 1U, sizeof *legs->at);
    memcpy(legs->at, e->parts.at, e->parts.n * sizeof *legs->at);
    legs->n = e->parts.n;
}

/* A completed refund goes back to where the money of its legs' lots came from. */
static void
refund_completed(struct books *b, struct wallet *w, uint32_t wallet, uint32_t refund_no)
{
    if (refund_no < 1 || refund_no > w->refunds_n) {
        return;
    }
    struct legs *legs = &w->refunds[refund_no - 1];
    for (uint32_t i = 0; i < legs->n; i++) {
        carry(b, account_of(PAYABLE, wallet), source_of_lot(w, legs->at[i].ordinal),
              legs->at[i].amount);
    }
    free(legs->at);
    *legs = (struct legs){0};
}

static struct account
account_at(const struct wallet *w, const struct jb_event *e, uint32_t place)
{
    switch ((jb_place)place) {
    case JB_PLACE_PAID:
        return account_of(PAID, e->wallet);
    case JB_PLACE_FREE:
        return account_of(FREE, e->wallet);
    case JB_PLACE_DORMANT:
        return account_of(DORMANT, e->wallet);
    case JB_PLACE_TRANSIT:
        return account_of(PAYABLE, e->wallet);
    case JB_PLACE_INCOME:
        return account_of(INCOME, e->wallet);
    case JB_PLACE_GATEWAY:
        return source_of_lot(w, jb_event_ordinal(e));
    case JB_PLACE_PROMOTION:
    case JB_PLACES:
        break;
    }
    return account_of(PROMOTION, 0);
}

/* What goes one way and back again, or twice the same way, is one move. Returns how many are left.
 */
static size_t
net(struct jb_money_move *moves, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < kept && !(moves[k].from == moves[i].from && moves[k].to == moves[i].to) &&
               !(moves[k].from == moves[i].to && moves[k].to == moves[i].from)) {
            k++;
        }
        if (k == kept) {
            moves[kept++] = moves[i];
        } else {
            moves[k].amount += moves[k].from == moves[i].from ? moves[i].amount : -moves[i].amount;
        }
    }
    return kept;
}

static void
wallet_event(struct books *b, struct wallet *w, const struct jb_event *e)
{
    if (e->type == JB_EV_CHARGE_SETTLED || e->type == JB_EV_DEBT_REPAID) {
        remember_lot(w, jb_event_ordinal(e), source_of_charge(b, e));
    } else if (e->type == JB_EV_REFUND_APPROVED) {
        remember_refund(w, &e->refund_approved);
    } else if (e->type == JB_EV_REFUND_COMPLETED) {
        refund_completed(b, w, e->wallet, e->refund_completed.refund_no);
        return;
    }
    struct jb_money_move moves[JB_MOVES_MAX];
    size_t n = net(moves, jb_event_moves(e, moves));
    bool rows = e->type == JB_EV_CASH_CONSUMED || e->type == JB_EV_CONSUMPTION_REVERSED;
    int32_t tax = rows ? tax_month(b, w, e) : NO_TAX_MONTH;
    for (size_t i = 0; i < n; i++) {
        const struct jb_money_move *m = &moves[i];
        carry(b, account_at(w, e, m->from), account_at(w, e, m->to), m->amount);
        if (m->to == JB_PLACE_INCOME || m->from == JB_PLACE_INCOME) {
            add_to_month(w, tax, e->posted_on, m->to == JB_PLACE_INCOME ? m->amount : -m->amount);
        }
    }
}

static void
one_event(struct books *b, const struct jb_event *e)
{
    if (e->type == JB_EV_WALLET_CREATED) {
        b->wallets = grown(b->wallets, e->wallet, sizeof *b->wallets);
        struct wallet *w = &b->wallets[e->wallet - 1];
        memset(w, 0, sizeof *w);
        memcpy(w->id, e->wallet_created.id.s, e->wallet_created.id.n);
        w->id_n = e->wallet_created.id.n;
        b->wallets_n = e->wallet;
    } else if (e->type == JB_EV_DAY_CLOSED) {
        b->closed_through = e->day_closed.day;
    } else if (e->type == JB_EV_POLICY_SET && e->policy_set.policy == JB_POLICY_VAT_RATE) {
        b->rates = grown(b->rates, b->rates_n + 1, sizeof *b->rates);
        b->rates[b->rates_n++] = (struct rate){e->policy_set.from, e->policy_set.value};
    } else if (e->type == JB_EV_POLICY_SET && e->policy_set.policy == JB_POLICY_INVOICE_FROM) {
        b->invoice_from = e->policy_set.value;
    } else if (e->wallet != 0 && e->wallet <= b->wallets_n) {
        begin_entry(b, e->posted_on, e->seq, e->wallet, e->type);
        wallet_event(b, &b->wallets[e->wallet - 1], e);
        if (b->entries[b->entries_n - 1].n == 0) {
            b->entries_n--; /* nothing moved */
        }
    }
}

static int
rate_at(const struct books *b, jb_instant t)
{
    const struct rate *best = NULL;
    for (size_t i = 0; i < b->rates_n; i++) {
        if (b->rates[i].from <= t && (best == NULL || b->rates[i].from >= best->from)) {
            best = &b->rates[i];
        }
    }
    return best != NULL ? (int)best->value : 0;
}

/* The VAT in a month's net consumption, which may pass JB_AMOUNT_MAX: whole multiples of 100 + rate
 * have exactly rate in each, the rest is split. */
static jb_amount
vat_of(jb_amount net, int rate)
{
    jb_amount supply, vat = 0, whole = net / (100 + rate);
    if (!jb_vat_split_half_up(net % (100 + rate), rate, &supply, &vat)) {
        return 0; /* a rate that no policy can have */
    }
    return whole * rate + vat;
}

static jb_day
month_end(int32_t number)
{
    jb_day next_month;
    int32_t next = number + 1;
    return jb_day_from_date(next / 12, next % 12 + 1, 1, &next_month) ? next_month - 1 : JB_NO_DAY;
}

static int
compare_months(const void *a, const void *b)
{
    const struct month *x = a, *y = b;
    if (x->tax != y->tax) {
        return x->tax < y->tax ? -1 : 1;
    }
    return x->number < y->number ? -1 : x->number > y->number;
}

/* What a month's posting adds to the VAT of its tax month: so the lines of a tax month add up to
 * the VAT of its net, as its invoices do. Without invoices it is the VAT of what was posted. */
static void
add_vat_of(struct books *b, uint32_t wallet, const struct month *m, jb_amount before)
{
    jb_day end = month_end(m->number);
    bool old = m->tax == NO_TAX_MONTH;
    jb_day tax_end = old ? end : month_end(m->tax);
    if (end == JB_NO_DAY || b->closed_through == JB_NO_DAY || tax_end > b->closed_through) {
        return;
    }
    int rate = rate_at(b, jb_day_start(tax_end + 1, b->app->info.utc_offset_s) - 1);
    jb_amount vat =
        vat_of(plus(before, m->net, old ? m->number : m->tax), rate) - vat_of(before, rate);
    if (vat != 0) {
        bool same = old || m->tax == m->number;
        begin_entry(b, end, UINT64_MAX, wallet, same ? 0 : (uint32_t)month_name(m->tax));
        carry(b, account_of(INCOME, wallet), account_of(VAT, 0), vat);
    }
}

/* Lines per wallet, tax month whose last day is closed, and month of posting: a VAT per event would
 * not add up to that of the month. */
static void
add_vat(struct books *b)
{
    for (uint32_t i = 0; i < b->wallets_n; i++) {
        struct wallet *w = &b->wallets[i];
        jb_amount before = 0;
        if (w->months_n > 1) {
            qsort(w->months, w->months_n, sizeof *w->months, compare_months);
        }
        for (uint32_t k = 0; k < w->months_n; k++) {
            const struct month *m = &w->months[k];
            bool goes_on = k > 0 && m->tax != NO_TAX_MONTH && m->tax == m[-1].tax;
            before = goes_on ? plus(before, m[-1].net, m->tax) : 0;
            add_vat_of(b, i + 1, m, before);
        }
    }
}

static int
compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->day != y->day) {
        return x->day < y->day ? -1 : 1;
    }
    if (x->seq != y->seq) {
        return x->seq < y->seq ? -1 : 1;
    }
    if (x->wallet != y->wallet) {
        return x->wallet < y->wallet ? -1 : 1;
    }
    if (x->type != y->type) {
        return x->type < y->type ? -1 : 1;
    }
    return x->first < y->first ? -1 : x->first > y->first;
}

jb_status
books_gather(struct books *b, jb_seq last, struct progress *p, struct jb_error *err)
{
    jb_cursor *c = NULL;
    jb_status status = jb_cursor_open(b->app->ledger, 1, &c, err);
    jb_seq seq = 0;
    while (status == JB_OK && seq < last) {
        const struct jb_event *e;
        status = jb_cursor_next(c, &e, err);
        if (status == JB_OK) {
            seq = e->seq;
            one_event(b, e);
            progress_show(p, seq, last * 2);
        }
    }
    jb_cursor_close(c);
    if (status != JB_OK && status != JB_END) {
        return status;
    }
    add_vat(b);
    if (b->entries_n > 1) {
        qsort(b->entries, b->entries_n, sizeof *b->entries, compare_entries);
    }
    return JB_OK;
}

void
books_free(struct books *b)
{
    for (uint32_t i = 0; i < b->wallets_n; i++) {
        for (uint32_t k = 0; k < b->wallets[i].refunds_n; k++) {
            free(b->wallets[i].refunds[k].at);
        }
        free(b->wallets[i].sources);
        free(b->wallets[i].refunds);
        free(b->wallets[i].months);
        free(b->wallets[i].runs);
    }
    free(b->wallets);
    free(b->entries);
    free(b->postings);
    free(b->gateways);
    free(b->rates);
}
