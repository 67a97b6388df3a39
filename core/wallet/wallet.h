/*
 * A wallet's state, and the ledger-wide state that deciding needs: both are folds over events and
 * nothing else.
 *
 * Invariants of a wallet (jb_wallet_check; docs/rules.md section 9):
 *   W1  sum of the lots' remaining = max(paid, 0), hence debt and remainders never coexist
 *   W2  for every lot 0 <= remaining <= amount - reversed - refunded
 *   W3  for every grant 0 <= remaining <= amount
 *   W4  free = sum of remaining over grants in use, dormant = the same over dormant ones
 *   W5  pending = sum of requested refunds, transit = sum of approved ones
 *
 * Not every lot, grant, refund and interval is in memory: those that are over stay in the store
 * until a command or an event names them (state/lookup.c). The lists hold what is loaded, in order
 * of ordinal; everything that still has money is always loaded.
 */
#ifndef JANGBU_WALLET_H
#define JANGBU_WALLET_H

#include <jangbu/event.h>

#include "base/bytes.h"

/* What a charge or a debt repayment left behind: paid cash that is consumed oldest first. */
struct jb_lot {
    jb_seq seq;
    jb_amount amount;
    jb_amount reversed;
    jb_amount refunded;
    jb_amount remaining; /* a consumption looks at this, and what follows */
    uint32_t ordinal;
    bool stored;  /* came from the store's archive; the state cache's concern alone */
    bool changed; /* by an event since its row was made; likewise */
};

struct jb_grant {
    uint32_t ordinal;
    uint32_t state; /* enum jb_grant_state, never USED_UP */
    jb_day expires_on;
    jb_seq seq;
    jb_amount amount;
    jb_amount remaining;
    jb_seq activated_seq;
    jb_instant activated_at; /* recorded_at of its activation */
    jb_instant returned_at;  /* recorded_at of the last return to it; JB_NO_INSTANT: none */
    bool stored;
    bool changed;
};

struct jb_refund {
    uint32_t ordinal;
    uint32_t state; /* enum jb_refund_state */
    jb_seq seq;
    jb_amount amount;
    struct jb_part *legs; /* owned; while approved */
    uint32_t legs_n;
    bool stored;
    bool changed;
};

/* The wallet's status from an instant on, by recorded_at; half open. */
struct jb_interval {
    uint32_t ordinal;
    uint32_t status;
    jb_instant from;
    jb_seq seq;
    bool stored;
    bool changed; /* never */
};

/* One of a wallet's lists. Where `cap` is 1, its place for one item lies beside the wallet
 * (state/slots.h) and is not the list's own: most wallets have one lot. */
#define JB_LIST(type)                                                                              \
    struct {                                                                                       \
        type *at;                                                                                  \
        uint32_t n, cap;                                                                           \
    }
/* False: no memory; the list is as before. */
bool jb_list_grow(void **at, uint32_t *cap, uint32_t n, size_t need, size_t size);
#define jb_list_reserve(l, need)                                                                   \
    jb_list_grow((void **)&(l)->at, &(l)->cap, (l)->n, (need), sizeof *(l)->at)

/* What most wallets have nothing of; all zero where there is none. */
struct jb_wallet_rest {
    JB_LIST(struct jb_interval) intervals; /* where there are more than the first */
    JB_LIST(struct jb_grant) grants;
    JB_LIST(struct jb_refund) refunds;
    jb_amount dormant;
    jb_amount limit; /* how far below 0 paid cash may go where POSTPAID */
    jb_amount pending;
    jb_amount transit;
    uint32_t grants_given; /* highest ordinal of each */
    uint32_t refunds_given;
    uint32_t refunds_open; /* requested or approved */
};

/* An id of more bytes has memory of its own. */
#define JB_ID_INSIDE 22

/* A consumption looks at what stands before created_seq, and a million wallets may be in use: so
 * they are small. */
struct jb_wallet {
    uint32_t number;
    uint32_t first_lot; /* no lot of the list before this index has anything left */
    uint32_t tax_month; /* that a BUSINESS wallet consumed in last, 202603; 0: none yet */
    uint8_t status;     /* enum jb_wallet_status */
    uint8_t kind;
    uint8_t settlement; /* enum jb_settlement */
    uint8_t under;      /* what a lifted suspension gives back */
    jb_seq version;     /* the wallet's last event */
    jb_amount paid;     /* negative: debt */
    jb_amount free;     /* in use, past deadline or not, while no event ended it */
    JB_LIST(struct jb_lot) lots;
    uint8_t id_n; /* read by jb_id_of() */
    bool began;   /* its first interval is `since`, ACTIVE, by created_seq */
    union {       /* not at the end of a line: who compares it reads 32 bytes */
        char inside[JB_ID_INSIDE];
        uint8_t address[sizeof(char *)];
    } id;
    jb_amount tax_net;           /* of that month: consumed less returned, of paid cash and debt */
    jb_seq tax_newest;           /* the event of its newest row; 0: none */
    struct jb_wallet_rest *rest; /* owned; NULL: none. Read by jb_rest() */
    jb_seq created_seq;
    uint64_t name_ref;
    jb_instant since;
    uint32_t lots_given; /* highest ordinal of each */
    uint32_t intervals_given;
};

extern const struct jb_wallet_rest jb_wallet_no_rest;
static inline const struct jb_wallet_rest *
jb_rest(const struct jb_wallet *w)
{
    return w->rest != NULL ? w->rest : &jb_wallet_no_rest;
}
/* To change it. NULL: no memory. */
struct jb_wallet_rest *jb_wallet_rest(struct jb_wallet *w);

static inline struct jb_text
jb_id_of(const struct jb_wallet *w)
{
    const char *at = w->id.inside;
    if (w->id_n > JB_ID_INSIDE) {
        memcpy((void *)&at, w->id.address, sizeof at);
    }
    return (struct jb_text){at, w->id_n};
}
/* Of a wallet without one. False: no memory. */
bool jb_wallet_set_id(struct jb_wallet *w, struct jb_text id);

/* Its intervals that are loaded, in order. The first one of a wallet that has no other stands in
 * *first, which the caller has for it. */
struct jb_intervals {
    const struct jb_interval *at;
    uint32_t n;
};
struct jb_intervals jb_wallet_intervals(const struct jb_wallet *w, struct jb_interval *first);

void jb_wallet_free(struct jb_wallet *w); /* what it owns; not w itself */

/* By ordinal; NULL where it is not loaded. */
struct jb_lot *jb_wallet_lot(const struct jb_wallet *w, uint32_t ordinal);
struct jb_grant *jb_wallet_grant(const struct jb_wallet *w, uint32_t ordinal);
struct jb_refund *jb_wallet_refund(const struct jb_wallet *w, uint32_t ordinal);
/* Puts one into its list in order. NULL: no memory. It must not be there yet. */
struct jb_lot *jb_wallet_add_lot(struct jb_wallet *w, const struct jb_lot *lot);
/* Many at once, in order of ordinal. False: no memory. */
bool jb_wallet_add_lots(struct jb_wallet *w, const struct jb_lot *lots, size_t n);
struct jb_grant *jb_wallet_add_grant(struct jb_wallet *w, const struct jb_grant *grant);
struct jb_refund *jb_wallet_add_refund(struct jb_wallet *w, const struct jb_refund *refund);
bool jb_wallet_add_interval(struct jb_wallet *w, const struct jb_interval *interval);

static inline jb_amount
jb_lot_room(const struct jb_lot *l)
{
    return l->amount - l->reversed - l->refunded - l->remaining;
}

/* Dormant or in use with something left, not past its deadline on that day. */
static inline bool
jb_grant_unfinished(const struct jb_grant *g, jb_day today)
{
    return (g->state == JB_GRANT_DORMANT || g->state == JB_GRANT_IN_USE) && g->remaining > 0 &&
           g->expires_on >= today;
}

/* Due: something is left, the deadline is over on that day, and no event says so yet. */
static inline bool
jb_grant_due(const struct jb_grant *g, jb_day today)
{
    return (g->state == JB_GRANT_DORMANT || g->state == JB_GRANT_IN_USE) && g->remaining > 0 &&
           g->expires_on < today;
}

/* W1 to W5 over what is loaded, and what must be. NULL: they hold; else the label of the first that
 * does not. */
const char *jb_wallet_check(const struct jb_wallet *w);

/* What changes with a policy: the latest `from` not after a time is in force. */
struct jb_policy_setting {
    uint32_t policy;
    int64_t value;
    jb_instant from; /* JB_NO_INSTANT: from the beginning */
    jb_seq seq;
};

/* Sums of what was posted to a day that is still open; closing_* and refund_in_transit are changes,
 * wallets too. */
struct jb_open_day {
    jb_day day;
    jb_wide t[JB_TOTALS_N];
};

/* Ledger-wide state. */
struct jb_globals {
    jb_seq seq;             /* of the last event applied */
    jb_instant recorded_at; /* of the last event that has one; JB_NO_INSTANT */
    jb_day first_open_day;  /* JB_NO_DAY before the first event that has a time */
    jb_day closed_through;  /* JB_NO_DAY before the first close */
    int32_t utc_offset_s;
    uint32_t wallets_given;
    uint32_t wallets_deleted;
    uint64_t keys;
    uint64_t last_ref;      /* highest reference into people.mdb */
    uint32_t people_layout; /* of people.mdb, where an event says so; 0: 1 */
    jb_seq people_sealed;   /* that event; 0: none */
    jb_seq forgotten;       /* the last event `forgotten`; 0: none */
    uint32_t channels_given;
    uint32_t agencies_given;
    uint32_t operators;    /* how many people have that role */
    uint32_t masterless;   /* wallets, not deleted, without a master */
    uint32_t matrix;       /* policy `roles`: 0: nobody's role is asked */
    uint32_t invoice_from; /* policy `invoice_from`: 0: no tax invoices */
    uint32_t totals_n;     /* how many control totals a day has that closes now */
    uint64_t invoices;     /* documents so far, failed ones included */
    uint32_t consumed;     /* 1: anything was */
    jb_wide closing_paid, closing_free, closing_dormant, transit, wallets; /* at closed_through */
    JB_VEC(struct jb_policy_setting) policies;
    JB_VEC(struct jb_open_day) open; /* in order of day */
};

void jb_globals_free(struct jb_globals *g);
bool jb_globals_copy(const struct jb_globals *g, struct jb_globals *ret);
int64_t jb_policy_at(const struct jb_globals *g, uint32_t policy, jb_instant t);
/* The same of a policy that counts seconds, in microseconds. A log can say any number: it stays
 * within what can be added to a time. */
int64_t jb_policy_us_at(const struct jb_globals *g, uint32_t policy, jb_instant t);
/* The set of rules that is in force. */
int64_t jb_rules(const struct jb_globals *g);
/* The sums of that open day; NULL: nothing is posted to it. */
const struct jb_open_day *jb_open_day_find(const struct jb_globals *g, jb_day day);
/* What day_closed of `day` must say, the first g->totals_n; seq_before is the number of the event
 * before it. */
void jb_totals_at_close(const struct jb_globals *g, jb_day day, jb_seq seq_before,
                        struct jb_int128 ret[JB_TOTALS_N]);

/* Adds to a sum of a day that is open. False: no memory. */
bool jb_totals_add(struct jb_globals *g, jb_day day, enum jb_total_name total, jb_amount amount);

/*
 * Applies an event: to its wallet (NULL where it has none; a wallet_created event gets a zeroed
 * one) and to the ledger. Total on valid logs; returns NULL, or a sentence saying how the log
 * contradicts itself: then both are as before or useless, and the caller drops them. Everything
 * that the event names must be loaded. Sums stay within JB_BALANCE_MAX.
 *
 * jb_apply_no_memory is no contradiction: nothing is known, and both are to be dropped, too.
 */
extern const char jb_apply_no_memory[];
const char *jb_apply(struct jb_globals *g, struct jb_wallet *w, const struct jb_event *e);
/* The same of the usual consumption, all of it out of the first lot that has something left, and of
 * nobody by name: nine of ten events. False: it is another one, or nothing is as usual; nothing was
 * done. */
bool jb_apply_plain(struct jb_globals *g, struct jb_wallet *w, const struct jb_event *e);

#endif
