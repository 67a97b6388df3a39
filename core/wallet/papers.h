/*
 * Tax invoices: what is kept of a wallet's months and documents, and what a rule is told of them.
 * docs/rules.md section 15. state/papers.c folds; rules/papers.c decides.
 *
 * The consumption of a tax month is cut into slices of the wallet's chain, each with a document; a
 * document that is corrected gets others beside it, which stand for the same slice.
 */
#ifndef JANGBU_PAPERS_H
#define JANGBU_PAPERS_H

#include <jangbu/event.h>

#include "base/calendar.h"

/* The records: all members are words, as they are stored. */

/* A tax month of a wallet. */
struct jb_tax_month {
    jb_amount net;     /* of its rows: consumed less returned, of paid cash and debt */
    jb_seq newest;     /* the event of the newest row; 0: none */
    jb_amount covered; /* of that in slices */
    jb_seq through;    /* end of the last slice; 0: none */
    uint64_t original; /* number of its ORIGINAL; 0: none that did not fail */
    uint64_t pending;  /* the lowest number of its documents that are ISSUED; 0: none */
    uint64_t pending_n;
    uint64_t last;   /* first document of its last slice; 0: none */
    uint64_t failed; /* the ORIGINAL or DELTA that failed since then; 0: none */
    uint64_t older;  /* another month of the wallet: the one that came before; 0: none */
};

/* A wallet's months and documents in all. What is uneven, unconfirmed or torn forbids its deletion.
 */
struct jb_wallet_papers {
    uint64_t newest_month;
    uint64_t last; /* number of its newest document */
    uint64_t n;
    uint64_t uneven; /* months whose net is not covered */
    jb_amount uneven_won;
    uint64_t unconfirmed; /* documents that are ISSUED */
    jb_amount unconfirmed_won;
    uint64_t torn; /* slices that their documents do not add up to */
    jb_amount torn_won;
};

/* A document. What else it says stands in its event. */
struct jb_invoice_record {
    uint64_t wallet; /* number; 0: there is no such document */
    jb_seq seq;      /* its event */
    uint64_t kind;
    uint64_t month;
    jb_amount total;
    jb_amount vat;
    uint64_t state;
    uint64_t slice; /* number of the slice's first document */
    jb_seq business;
    uint64_t negated; /* the NEGATIVE that takes it back and did not fail; 0: none */
    uint64_t original;
    uint64_t reason;
    jb_seq ended;   /* the event that confirmed or failed it; 0: none */
    jb_seq mailed;  /* the newest mail; 0: none */
    uint64_t mails; /* how many */
    uint64_t older; /* the wallet's document before; 0: none */
};

/* A slice, by its first document. */
struct jb_slice {
    jb_amount rows; /* what they add up to; 0: the first document failed, there is none */
    jb_amount vat;
    jb_amount documents; /* the sum of those that did not fail */
    uint64_t outside;    /* 1: another paper says it (ISSUED_TWICE) */
    uint64_t standing;   /* the document that is in force; 0: none */
    uint64_t extra;      /* an older one that still is, because its NEGATIVE failed; 0: none */
    uint64_t replaced;   /* the one that was taken back last; 0: none */
    uint64_t before;     /* first document of the month's slice before it; 0: none */
    jb_seq after;
    jb_seq through;
    int64_t written_on;
};

/* What a rule is told. */
struct jb_papers {
    bool counted; /* there are invoices, and the wallet is of the kind that gets them */
    struct jb_wallet_papers of;
    struct jb_tax_month month; /* that of the command, or of the document named */
    uint32_t month_no;
    jb_day newest_on;                 /* posting day of its newest row */
    struct jb_invoice_record invoice; /* the one named, if it is the wallet's */
    struct jb_slice slice;            /* its slice */
    struct jb_invoice_record back;    /* of the slice: the one that a NEGATIVE would take back */
    uint64_t invoice_email;           /* of the document: reference */
    jb_seq business;                  /* the approval in force whose texts are there; 0: none */
};

/* What a slice's documents should add up to. */
static inline jb_amount
jb_slice_should(const struct jb_slice *s)
{
    return s->outside != 0 ? 0 : s->rows;
}

/* VAT of a total of any size: half up in magnitude. */
static inline jb_amount
jb_vat_of(jb_amount total, int64_t rate)
{
    const jb_wide divisor = 100 + (jb_wide)rate;
    const jb_wide magnitude = total < 0 ? -(jb_wide)total : (jb_wide)total;
    const jb_wide vat = (2 * magnitude * rate + divisor) / (2 * divisor);
    return (jb_amount)(total < 0 ? -vat : vat);
}

#endif
