/*
 * What one event moves, and the summary of a wallet: as much of it as figures need (no lots, no
 * refunds, no ids). This is the projections' own fold, written apart from core's apply, so that the
 * two can be compared.
 */
#ifndef JANGBU_PROJECTIONS_WALLET_SUMMARY_H
#define JANGBU_PROJECTIONS_WALLET_SUMMARY_H

#include "base/bytes.h"
#include "projections/rows.h"

/* What an event moves: the flows of its day, and signed changes. Linear, so that it can be taken
 * back. */
struct jb_move {
    jb_amount flows[JB_FLOWS_N];
    jb_amount paid;
    jb_amount free; /* all grants in use, past their deadline or not, while no event ended them */
    jb_amount dormant;
    jb_amount pending;
    jb_amount transit;
};

/* NULL, or a sentence: how the event contradicts itself. */
const char *jb_move_of(const struct jb_event *e, struct jb_move *ret);

/* A grant with something left that no event ended. */
struct jb_summary_grant {
    uint32_t ordinal;
    bool in_use;
    jb_day expires_on;
    jb_amount remaining;
    jb_seq seq; /* free_granted */
};

/* What the wallet's events of one cause that were posted to one day did to its total, late ones
 * apart (it happened on an earlier day). Of each day that was open when the newest of these days
 * began: an explanation of many events is made of them (marks.c). */
struct jb_mark {
    jb_day day;
    uint8_t cause; /* enum jb_cause */
    bool late;
    uint64_t n;
    jb_wide amount;
    jb_seq first; /* the first one */
};

/* The wallet's last event of a type: lists by type, and by kind of history, begin there. */
struct jb_last {
    jb_seq seq;
    uint32_t type;
};

/* The kind of history that lists events of a type; JB_HISTORY_ALL: only that of all. */
jb_history_kind jb_history_kind_of(uint32_t type);

struct jb_summary {
    jb_seq version; /* the wallet's last event; 0: there is no wallet yet */
    jb_seq created_seq;
    uint64_t events;
    uint64_t snapshot_events; /* `events` at the last snapshot */
    jb_day created_on;
    uint32_t status; /* enum jb_wallet_status */
    uint32_t under;  /* what a lifted suspension gives back */
    jb_amount paid;
    jb_amount pending;
    jb_amount transit;
    uint32_t kind;      /* enum jb_wallet_kind */
    uint64_t name;      /* references into people.mdb */
    uint64_t master;    /* 0: none */
    jb_instant used_at; /* when the last consumption happened; JB_NO_INSTANT: there was none */
    jb_seq moved;       /* the last event that changed the total; 0: none */
    JB_VEC(struct jb_last) lasts;           /* of each type that there was, the newest first */
    JB_VEC(struct jb_summary_grant) grants; /* in order of ordinal */
    JB_VEC(struct jb_mark) marks;           /* in order of their first events */
};

void jb_summary_free(struct jb_summary *w); /* what it owns */
/* A grant that the event gives something back to is filled again: it was used up, and the summary
 * has forgotten it. NULL, or how the log contradicts itself (or "no memory"). */
const char *jb_summary_fill_again(struct jb_summary *w, uint32_t ordinal,
                                  const struct jb_grant_terms *terms, jb_day today);
/* Applies an event of the wallet. What a return fills again must be in the summary. NULL, or how
 * the log contradicts itself (or "no memory"). */
const char *jb_summary_apply(struct jb_summary *w, const struct jb_event *e,
                             const struct jb_move *m);
/* By ordinal; NULL: it has nothing left, or an event ended it. */
struct jb_summary_grant *jb_summary_grant(const struct jb_summary *w, uint32_t ordinal);

/* Sums over grants. */
struct jb_summary_sums {
    jb_amount free;     /* in use, not past the deadline on `today` */
    jb_amount free_due; /* in use, past it: X of docs/rules.md section 6 */
    jb_amount dormant;  /* not past the deadline */
    jb_amount dormant_due;
};
void jb_summary_sum(const struct jb_summary *w, jb_day today, struct jb_summary_sums *ret);

/* What it takes at most; and writes it, and returns how many bytes it took. */
size_t jb_summary_bytes_max(const struct jb_summary *w);
size_t jb_summary_encode(const struct jb_summary *w, uint8_t *out);
/* JB_OK, JB_E_STALE (the bytes are no summary), JB_E_NOMEM. Owned: jb_summary_free. */
jb_status jb_summary_decode(const uint8_t *bytes, size_t n, struct jb_summary *ret);

#endif
