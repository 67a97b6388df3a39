/*
 * Double entry. Paid and free cash are liabilities to the wallet's holder; charges come from clearing accounts; consumption becomes revenue gross,
 * and one line per wallet and closed month moves its VAT to VAT payable; free parts are promotion. One list of entries, three ways to write it.
 * rulings.md section 10.
 */
#include <stdlib.h>
#include <string.h>

#include "export.h"

enum account_kind { PAID, FREE, DORMANT, PAYABLE, INCOME, CLEARING, VAT, PROMOTION, ADJUSTMENT };

/* An account: of a wallet by its number, a clearing account by the index of its gateway (0: unspecified), or one of the rest. */
struct account {
    uint32_t kind;
    uint32_t index;
};

struct posting {
    struct account account;
    jb_amount amount; /* debit positive, credit negative */
};

struct entry {
    jb_day day;
    jb_seq seq; /* UINT64_MAX: the VAT of a month, behind all events of its day */
    uint32_t wallet;
    uint32_t type;
    size_t first;
    uint32_t n;
};

struct legs {
    struct jb_part *at;
    uint32_t n;
};

struct month {
    int32_t number; /* year * 12 + month - 1 */
    jb_amount net;
};

struct wallet {
    char id[JB_ID_BYTES_MAX];
    size_t id_n;
    struct account *sources; /* by lot - 1: where its money came from */
    uint32_t sources_n;
    struct legs *refunds; /* by refund - 1 */
    uint32_t refunds_n;
    struct month *months;
    uint32_t months_n;
};

struct rate {
    jb_instant from;
    int64_t value;
};

struct books {
    struct app *app;
    struct entry *entries;
    size_t entries_n, entries_cap;
    struct posting *postings;
    size_t postings_n, postings_cap;
    struct wallet *wallets;
    uint32_t wallets_n;
    char (*gateways)[JB_SHORT_BYTES_MAX + 1];
    uint32_t gateways_n;
    struct rate *rates;
    size_t rates_n;
    jb_day closed_through;
    jb_day first_day;
};

static void *
grown(void *at, size_t n, size_t size)
{
    void *more = realloc(at, n * size);
    if (more == NULL) {
        fputs("jangbu: no memory for the export\n", stderr);
        exit(EXIT_MACHINE);
    }
    return more;
}

/* ---- from events to entries ------------------------------------------------------------------------------------------------------- */

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

/* Moves amount from one account to another: a credit here, a debit there. */
static void
move(struct books *b, struct account from, struct account to, jb_amount amount)
{
    post(b, to.kind, to.index, amount);
    post(b, from.kind, from.index, -amount);
}

static struct account
of(uint32_t kind, uint32_t index)
{
    return (struct account){kind, index};
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
    bool by_operator = e->type == JB_EV_CHARGE_SETTLED && (e->code == JB_METHOD_ADMIN_CASH || e->code == JB_METHOD_ADV_RET_CASH);
    return by_operator ? of(ADJUSTMENT, 0) : of(CLEARING, gateway_of(b, e->pg));
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
    return lot >= 1 && lot <= w->sources_n ? w->sources[lot - 1] : of(CLEARING, 0);
}

static void
add_to_month(struct wallet *w, jb_day day, jb_amount amount)
{
    int year, month, day_of_month;
    jb_day_to_date(day, &year, &month, &day_of_month);
    int32_t number = year * 12 + month - 1;
    for (uint32_t i = w->months_n; i-- > 0;) {
        if (w->months[i].number == number) {
            if (__builtin_add_overflow(w->months[i].net, amount, &w->months[i].net)) {
                fprintf(stderr, "jangbu: the consumption of one wallet in %04d-%02d passes 64 bits: its VAT cannot be exported\n", year, month);
                exit(EXIT_MACHINE);
            }
            return;
        }
    }
    w->months = grown(w->months, w->months_n + 1U, sizeof *w->months);
    w->months[w->months_n++] = (struct month){number, amount};
}

static void
consumption(struct books *b, struct wallet *w, const struct jb_event *e)
{
    jb_amount free_part = 0, paid = 0;
    for (uint32_t i = 0; i < e->parts_n; i++) {
        *(e->parts[i].kind == JB_PART_GRANT ? &free_part : &paid) += e->parts[i].amount;
    }
    move(b, of(INCOME, e->wallet), of(PAID, e->wallet), paid);
    move(b, of(PROMOTION, 0), of(FREE, e->wallet), free_part);
    add_to_month(w, e->posted_on, paid);
}

static void
return_of(struct books *b, struct wallet *w, const struct jb_event *e)
{
    jb_amount free_part = 0, paid = 0;
    for (uint32_t i = 0; i < e->parts_n; i++) {
        if (e->parts[i].kind == JB_PART_GRANT) {
            free_part += e->parts[i].amount;
        } else if (e->parts[i].kind != JB_PART_LAPSED) {
            paid += e->parts[i].amount; /* what lapsed at once came back and went again: nothing moves */
        }
    }
    move(b, of(PAID, e->wallet), of(INCOME, e->wallet), paid);
    move(b, of(FREE, e->wallet), of(PROMOTION, 0), free_part);
    add_to_month(w, e->posted_on, -paid);
}

static void
remember_refund(struct wallet *w, const struct jb_event *e)
{
    if (e->ordinal > w->refunds_n) {
        w->refunds = grown(w->refunds, e->ordinal, sizeof *w->refunds);
        memset(w->refunds + w->refunds_n, 0, (e->ordinal - w->refunds_n) * sizeof *w->refunds);
        w->refunds_n = e->ordinal;
    }
    struct legs *legs = &w->refunds[e->ordinal - 1];
    legs->at = grown(NULL, e->parts_n + 1U, sizeof *legs->at);
    memcpy(legs->at, e->parts, e->parts_n * sizeof *legs->at);
    legs->n = e->parts_n;
}

static void
refund_completed(struct books *b, struct wallet *w, const struct jb_event *e)
{
    if (e->ordinal < 1 || e->ordinal > w->refunds_n) {
        return;
    }
    struct legs *legs = &w->refunds[e->ordinal - 1];
    for (uint32_t i = 0; i < legs->n; i++) {
        move(b, source_of_lot(w, legs->at[i].ordinal), of(PAYABLE, e->wallet), legs->at[i].amount);
    }
    free(legs->at);
    *legs = (struct legs){0};
}

static void
wallet_event(struct books *b, struct wallet *w, const struct jb_event *e)
{
    struct account paid = of(PAID, e->wallet), dormant = of(DORMANT, e->wallet), promotion = of(PROMOTION, 0);
    switch (e->type) {
    case JB_EV_CHARGE_SETTLED:
    case JB_EV_DEBT_REPAID:
        remember_lot(w, e->ordinal, source_of_charge(b, e));
        move(b, paid, source_of_lot(w, e->ordinal), e->amount);
        break;
    case JB_EV_CHARGE_REVERSED:
        move(b, source_of_lot(w, e->ordinal), paid, e->amount);
        break;
    case JB_EV_FREE_GRANTED:
        move(b, dormant, promotion, e->amount);
        break;
    case JB_EV_FREE_ACTIVATED:
        move(b, of(FREE, e->wallet), dormant, e->amount);
        break;
    case JB_EV_FREE_REVOKED:
        move(b, promotion, dormant, e->amount);
        break;
    case JB_EV_FREE_EXPIRED:
    case JB_EV_FREE_FORFEITED:
        move(b, promotion, e->code != 0 ? of(FREE, e->wallet) : dormant, e->amount);
        break;
    case JB_EV_CASH_CONSUMED:
        consumption(b, w, e);
        break;
    case JB_EV_CONSUMPTION_REVERSED:
        return_of(b, w, e);
        break;
    case JB_EV_REFUND_APPROVED:
        remember_refund(w, e);
        move(b, of(PAYABLE, e->wallet), paid, e->amount);
        break;
    case JB_EV_REFUND_COMPLETED:
        refund_completed(b, w, e);
        break;
    case JB_EV_REFUND_FAILED:
        if (e->parts_n > 0) {
            move(b, paid, of(PAYABLE, e->wallet), e->amount);
        }
        break;
    default:
        break;
    }
}

static void
one_event(struct books *b, const struct jb_event *e)
{
    if (e->type == JB_EV_WALLET_CREATED) {
        b->wallets = grown(b->wallets, e->wallet, sizeof *b->wallets);
        struct wallet *w = &b->wallets[e->wallet - 1];
        memset(w, 0, sizeof *w);
        memcpy(w->id, e->id.s, e->id.n);
        w->id_n = e->id.n;
        b->wallets_n = e->wallet;
    } else if (e->type == JB_EV_DAY_CLOSED) {
        b->closed_through = e->day;
    } else if (e->type == JB_EV_POLICY_SET && e->code == JB_POLICY_VAT_RATE) {
        b->rates = grown(b->rates, b->rates_n + 1, sizeof *b->rates);
        b->rates[b->rates_n++] = (struct rate){e->time, e->number};
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

/* The VAT in a month's net consumption, which may pass JB_AMOUNT_MAX: whole multiples of 100 + rate have exactly rate in each, the rest is split. */
static jb_amount
vat_of(jb_amount net, int rate)
{
    jb_amount supply, vat = 0, whole = net / (100 + rate);
    if (!jb_vat_split_half_up(net % (100 + rate), rate, &supply, &vat)) {
        return 0; /* a rate that no policy can have */
    }
    return whole * rate + vat;
}

/* One line per wallet and month whose last day is closed: a VAT per event would not add up to that of the month. */
static void
add_vat(struct books *b)
{
    for (uint32_t i = 0; i < b->wallets_n; i++) {
        const struct wallet *w = &b->wallets[i];
        for (uint32_t k = 0; k < w->months_n; k++) {
            jb_day next_month;
            int32_t next = w->months[k].number + 1;
            if (!jb_day_from_date(next / 12, next % 12 + 1, 1, &next_month) || b->closed_through == JB_NO_DAY || next_month - 1 > b->closed_through) {
                continue;
            }
            int rate = rate_at(b, jb_day_start(next_month, b->app->info.utc_offset_s) - 1);
            jb_amount vat = vat_of(w->months[k].net, rate);
            if (vat != 0) {
                begin_entry(b, next_month - 1, UINT64_MAX, i + 1, 0);
                move(b, of(VAT, 0), of(INCOME, i + 1), vat);
            }
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
    return x->wallet < y->wallet ? -1 : x->wallet > y->wallet;
}

/* ---- writing ---------------------------------------------------------------------------------------------------------------------- */

/* A caller's id as part of an account: a capital in front, letters and digits as they are, every other byte as -hh. Injective, and valid
 * in all three programs (beancount refuses w1, w_1, (x); others cut at two spaces or take ; as a comment). */
static void
escaped(struct out *o, char prefix, const char *s, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    out_char(o, prefix);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) {
            out_char(o, (char)c);
        } else {
            out_char(o, '-');
            out_char(o, hex[c >> 4]);
            out_char(o, hex[c & 15]);
        }
    }
}

static void
account_name(const struct books *b, struct account a, struct out *o)
{
    static const char *const roots[] = {
        "Liabilities:Paid:", "Liabilities:Free:",      "Liabilities:Dormant:", "Liabilities:RefundPayable:", "Income:Ads:",
        "Assets:Clearing:",  "Liabilities:VatPayable", "Equity:Promotion",     "Equity:Adjustment"};
    out_str(o, roots[a.kind]);
    if (a.kind <= INCOME) {
        escaped(o, 'W', b->wallets[a.index - 1].id, b->wallets[a.index - 1].id_n);
    } else if (a.kind == CLEARING && a.index == 0) {
        out_str(o, "Unspecified");
    } else if (a.kind == CLEARING) {
        escaped(o, 'P', b->gateways[a.index - 1], strlen(b->gateways[a.index - 1]));
    }
}

/* Plain digits with the currency's decimals: separators are read as decimal marks by some. */
static void
amount(const struct books *b, jb_amount value, struct out *o)
{
    char digits[32];
    uint64_t magnitude = value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
    size_t at = sizeof digits;
    for (uint32_t i = 0; i < b->app->info.exponent; i++) {
        digits[--at] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    }
    if (b->app->info.exponent > 0) {
        digits[--at] = '.';
    }
    do {
        digits[--at] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude != 0);
    if (value < 0) {
        out_char(o, '-');
    }
    out_bytes(o, digits + at, sizeof digits - at);
    out_char(o, ' ');
    out_str(o, b->app->info.currency);
}

static void
declare_account(const struct books *b, enum books_format format, struct account a, struct out *o)
{
    char day[JB_DAY_TEXT_BYTES];
    const struct wallet *w = a.kind <= INCOME ? &b->wallets[a.index - 1] : NULL;
    if (format == BOOKS_BEANCOUNT) {
        out_str(o, jb_day_print(b->first_day, day));
        out_str(o, " open ");
        account_name(b, a, o);
        out_char(o, ' ');
        out_str(o, b->app->info.currency);
        if (w != NULL) {
            out_str(o, "\n  wallet: \"");
            for (size_t i = 0; i < w->id_n; i++) {
                if (w->id[i] == '"' || w->id[i] == '\\') {
                    out_char(o, '\\');
                }
                out_char(o, w->id[i]);
            }
            out_char(o, '"');
        }
    } else {
        /* A comment of its own: behind the account hledger would read an id such as a,type:A as a tag and make an asset of it. */
        if (w != NULL && format == BOOKS_HLEDGER && a.kind == PAID) {
            out_str(o, "; wallet ");
            out_bytes(o, w->id, w->id_n);
            out_char(o, '\n');
        }
        out_str(o, "account ");
        account_name(b, a, o);
        if (w != NULL && format == BOOKS_LEDGER) {
            out_str(o, "\n    note wallet ");
            out_bytes(o, w->id, w->id_n);
        }
    }
    out_char(o, '\n');
}

/* What each program wants on top; hledger's commodity line is refused by ledger. */
static void
header(const struct books *b, enum books_format format, struct out *o)
{
    static const char zeros[] = "000000";
    const char *currency = b->app->info.currency;
    uint32_t exponent = b->app->info.exponent;
    out_str(o, format == BOOKS_BEANCOUNT ? ";; " : "; ");
    out_str(o, "made by jangbu export; a wallet's liabilities are minus its paid, free and dormant cash\n");
    switch (format) {
    case BOOKS_HLEDGER:
        out_str(o, "decimal-mark .\ncommodity 1000.");
        out_bytes(o, zeros, exponent);
        out_char(o, ' ');
        out_str(o, currency);
        break;
    case BOOKS_LEDGER:
        out_str(o, "commodity ");
        out_str(o, currency);
        out_str(o, exponent > 0 ? "\n    format 1000." : "\n    format 1000");
        out_bytes(o, zeros, exponent);
        out_char(o, ' ');
        out_str(o, currency);
        break;
    case BOOKS_BEANCOUNT:
        out_str(o, "option \"title\" \"jangbu\"\noption \"operating_currency\" \"");
        out_str(o, currency);
        out_char(o, '"');
        break;
    }
    out_str(o, "\n\n");
    if (b->first_day == JB_NO_DAY) {
        return;
    }
    for (uint32_t i = 1; i <= b->wallets_n; i++) {
        for (uint32_t kind = PAID; kind <= INCOME; kind++) {
            declare_account(b, format, of(kind, i), o);
        }
    }
    for (uint32_t i = 0; i <= b->gateways_n; i++) {
        declare_account(b, format, of(CLEARING, i), o);
    }
    for (uint32_t kind = VAT; kind <= ADJUSTMENT; kind++) {
        declare_account(b, format, of(kind, 0), o);
    }
    out_char(o, '\n');
}

static void
write_entry(const struct books *b, enum books_format format, const struct entry *e, struct out *o)
{
    char day[JB_DAY_TEXT_BYTES];
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    const char *name = e->seq == UINT64_MAX ? "vat of the month" : type != NULL ? type->name : "event";
    out_str(o, jb_day_print(e->day, day));
    out_str(o, format == BOOKS_BEANCOUNT ? " * \"" : " * ");
    out_str(o, name);
    if (e->seq != UINT64_MAX) {
        out_str(o, " ");
        out_uint(o, e->seq);
    }
    out_str(o, format == BOOKS_BEANCOUNT ? "\"\n" : "\n");
    for (uint32_t i = 0; i < e->n; i++) {
        const struct posting *p = &b->postings[e->first + i];
        out_str(o, "    ");
        account_name(b, p->account, o);
        out_str(o, "  ");
        amount(b, p->amount, o);
        out_char(o, '\n');
    }
    out_char(o, '\n');
}

static void
free_books(struct books *b)
{
    for (uint32_t i = 0; i < b->wallets_n; i++) {
        for (uint32_t k = 0; k < b->wallets[i].refunds_n; k++) {
            free(b->wallets[i].refunds[k].at);
        }
        free(b->wallets[i].sources);
        free(b->wallets[i].refunds);
        free(b->wallets[i].months);
    }
    free(b->wallets);
    free(b->entries);
    free(b->postings);
    free(b->gateways);
    free(b->rates);
}

jb_status
export_books(struct app *app, jb_seq last, enum books_format format, FILE *file, struct progress *p, struct jb_error *err)
{
    struct books b = {.app = app, .closed_through = JB_NO_DAY, .first_day = JB_NO_DAY};
    struct out o = {.first = true};
    jb_cursor *c = NULL;
    jb_status status = jb_cursor_open(app->ledger, 1, &c, err);
    jb_seq seq = 0;
    while (status == JB_OK && seq < last) {
        const struct jb_event *e;
        status = jb_cursor_next(c, &e, err);
        if (status == JB_OK) {
            seq = e->seq;
            one_event(&b, e);
            progress_show(p, seq, last * 2);
        }
    }
    jb_cursor_close(c);
    if (status == JB_OK || status == JB_END) {
        status = JB_OK;
        add_vat(&b);
        if (b.entries_n > 1) {
            qsort(b.entries, b.entries_n, sizeof *b.entries, compare_entries);
        }
        header(&b, format, &o);
        for (size_t i = 0; i < b.entries_n; i++) {
            write_entry(&b, format, &b.entries[i], &o);
            if (o.n > 60000 && !export_flush(&o, file)) {
                break;
            }
            progress_show(p, b.entries_n + i, b.entries_n * 2);
        }
        export_flush(&o, file);
    }
    free(o.at);
    free_books(&b);
    return status;
}
