/* Where the receipt of a payment is, and by what it is found there: docs/papers.md. */
#ifndef JANGBU_PROJECTIONS_RECEIPT_H
#define JANGBU_PROJECTIONS_RECEIPT_H

#include "projections/answer.h"

enum { JB_RECEIPT_WAYS_MAX = 4 };

/* A charge or a debt repayment, whether or not it went through a gateway. Its texts lie in the
 * event. */
struct receipt {
    bool charge;  /* else a debt was repaid */
    bool through; /* a gateway */
    struct jb_text id, pg, txn_ref, approve_no;
    uint32_t method;
    jb_gateway gateway;
    const char *site;
    jb_day day;
    jb_instant paid_at;
    jb_receipt_tax tax;
    jb_amount amount, reversed, refunded;
    struct jb_receipt_way ways[JB_RECEIPT_WAYS_MAX];
    uint32_t ways_n;
};

/* e is charge_settled or debt_repaid; nothing of it is reversed or refunded yet, and tax is not
 * said.
 */
void receipt_of(const struct jb_event *e, int32_t utc_offset_s, struct receipt *ret);
/* Appends what a reply says of it. */
void receipt_say(struct answering *a, const struct receipt *r);

/* Tells each of the lot that e made where it went through a gateway. wallet: its id. */
jb_status receipt_tell(struct jb_views *v, const char *wallet, const struct jb_reader_item *lot,
                       const struct jb_event *e,
                       bool (*each)(void *data, const struct jb_receipt_row *row), void *data,
                       bool *ret_more, struct jb_error *err);

/* items.c: the wallet's newest charge or debt repayment up to event seq that is_it takes, and how
 * it stood then. */
jb_status jb_newest_lot(struct jb_views *v, uint32_t wallet, jb_seq seq,
                        bool (*is_it)(void *data, const struct jb_event *e), void *data,
                        struct jb_reader_item *ret, bool *ret_found, struct jb_error *err);

#endif
