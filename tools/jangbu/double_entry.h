/*
 * Double entry. Paid and free cash are liabilities to the wallet's holder; charges come from
 * clearing accounts; consumption becomes revenue gross, and one line per wallet and closed month
 * moves its VAT to VAT payable; free parts are promotion. One list of entries, three ways to write
 * it. docs/rules.md section 14.
 */
#ifndef JANGBU_DOUBLE_ENTRY_H
#define JANGBU_DOUBLE_ENTRY_H

#include "export.h"

enum account_kind { PAID, FREE, DORMANT, PAYABLE, INCOME, CLEARING, VAT, PROMOTION, ADJUSTMENT };

/* An account: of a wallet by its number, a clearing account by the index of its gateway (0:
 * unspecified), or one of the rest. */
struct account {
    uint32_t kind;
    uint32_t index;
};

static inline struct account
account_of(uint32_t kind, uint32_t index)
{
    return (struct account){kind, index};
}

struct posting {
    struct account account;
    jb_amount amount; /* debit positive, credit negative */
};

struct entry {
    jb_day day;
    jb_seq seq; /* UINT64_MAX: the VAT of a month, behind all events of its day */
    uint32_t wallet;
    uint32_t type; /* of a VAT: its tax month as 202603, 0: that in which it is posted */
    size_t first;
    uint32_t n;
};

struct legs {
    struct jb_part *at;
    uint32_t n;
};

/* The net paid consumption of a tax month that is posted to a month; both are year * 12 + month
 * - 1.
 */
struct month {
    int32_t tax; /* NO_TAX_MONTH: it lies before the first month with invoices */
    int32_t number;
    jb_amount net;
};

enum { NO_TAX_MONTH = -1 };

/* The tax month of a wallet's consumptions from one on, until the next such. */
struct tax_run {
    jb_seq from;
    int32_t month;
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
    struct tax_run *runs;
    uint32_t runs_n;
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
    int64_t invoice_from; /* as 202603; 0: there are no invoices */
    jb_day closed_through;
    jb_day first_day;
};

/* Makes the entries of all events up to `last`, and of the closed months' VAT, in order. b is empty
 * but for app, and is given to books_free in any case. */
jb_status books_gather(struct books *b, jb_seq last, struct progress *p, struct jb_error *err);
void books_free(struct books *b);

#endif
