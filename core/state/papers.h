/* Tax invoices, as the events left them: wallet/papers.h has the records. docs/rules.md section 15.
 */
#ifndef JANGBU_STATE_PAPERS_H
#define JANGBU_STATE_PAPERS_H

#include <jangbu/command.h>

#include "state/state.h"
#include "wallet/around.h"
#include "wallet/papers.h"

/* Folds what an event says about months and documents, when the wallet (NULL: it has none) and the
 * ledger have applied it. JB_E_CORRUPT: it contradicts what is there. */
jb_status jb_papers_fold(struct jb_state *b, struct jb_cached_wallet *s, const struct jb_event *e,
                         struct jb_error *err);

/* Most events are consumptions in the month that is open, or of a wallet without invoices. */
static inline jb_status
jb_papers_apply(struct jb_state *b, struct jb_cached_wallet *s, const struct jb_event *e,
                struct jb_error *err)
{
    bool row = e->type == JB_EV_CASH_CONSUMED || e->type == JB_EV_CONSUMPTION_REVERSED;
    bool counts =
        row ? b->g.invoice_from != 0 && s != NULL && s->w.kind == JB_KIND_BUSINESS
            : s != NULL && e->type >= JB_EV_NOTICE_SENT && e->type <= JB_EV_INVOICE_MAILED;
    return counts ? jb_papers_fold(b, s, e, err) : JB_OK;
}

/* The tax month that an event of consumption belongs to, and what of it is paid cash and debt. */
uint32_t jb_papers_month_of(int32_t utc_offset_s, const struct jb_event *e);
jb_amount jb_papers_paid(const struct jb_event *e);

/* Single records; zeroes where there is none. The open month of w is counted in. */
jb_status jb_papers_wallet(struct jb_state *b, const struct jb_wallet *w,
                           struct jb_wallet_papers *ret, struct jb_error *err);
jb_status jb_papers_month(struct jb_state *b, const struct jb_wallet *w, uint32_t month,
                          struct jb_tax_month *ret, struct jb_error *err);
jb_status jb_papers_invoice(struct jb_state *b, uint64_t number, struct jb_invoice_record *ret,
                            struct jb_error *err);
jb_status jb_papers_slice(struct jb_state *b, uint64_t first, struct jb_slice *ret,
                          struct jb_error *err);
/* The newest notice about a grant; 0: none. */
jb_status jb_papers_noticed(struct jb_state *b, uint32_t wallet, uint32_t grant, jb_seq *ret,
                            struct jb_error *err);

/* The first and the last month of w that its documents do not cover; 0: none. It looks at each of
 * its months. */
jb_status jb_papers_uneven(struct jb_state *b, const struct jb_wallet *w, uint32_t *ret_first,
                           uint32_t *ret_last, struct jb_error *err);

/* What the rules need to know of a command about w's papers. number: the document that it names, or
 * 0; month: the month that it names, or 0. around: what stands around w, NULL: it is looked up. */
jb_status jb_papers_look(struct jb_state *b, const struct jb_wallet *w,
                         const struct jb_wallet_around *around, uint64_t number, uint32_t month,
                         struct jb_papers *ret, struct jb_error *err);
/* Of commands that will be looked at in a moment, on the wallets of those numbers (0: not known):
 * at most JB_WARM_MAX. */
void jb_papers_warm(struct jb_state *b, const struct jb_command *commands, const uint32_t *wallets,
                    size_t n);

#endif
