/*
 * What stands around the money, as the events left it: roles, invitations, connections, rights,
 * business information (wallet/around.h has the records). docs/rules.md section 10.
 */
#ifndef JANGBU_STATE_AROUND_H
#define JANGBU_STATE_AROUND_H

#include <jangbu/command.h>

#include "state/state.h"
#include "wallet/around.h"

/* Most events move money alone, and say nothing about it. */
static inline bool
jb_around_concerns(uint32_t type)
{
    return type >= JB_EV_ROLE_GIVEN || type == JB_EV_WALLET_CREATED || type == JB_EV_WALLET_DELETED;
}

/* Folds what an event says about it. JB_E_CORRUPT: it contradicts what is there. */
jb_status jb_around_apply(struct jb_state *b, const struct jb_event *e, struct jb_error *err);

/* When a command is judged: `at` for what is of wallets, channels and agencies; recorded_at for
 * roles of the ledger, and for what is now. */
struct jb_around_time {
    jb_instant at;
    jb_instant recorded_at;
};

/* What the rules need to know about a command by and about these people, on wallet w (NULL: it
 * names none, or none that is there). permit: what its op takes. *ret must be zeroed, but for what
 * it has of these two. */
jb_status jb_around_look(struct jb_state *b, const struct jb_wallet *w, const struct jb_command *c,
                         const struct jb_people *people, struct jb_permit permit,
                         const struct jb_around_time *t, struct jb_around *ret,
                         struct jb_error *err);
/* All the roles of a person there: bits 1 << enum jb_role. agency: of whose staff; 0: of the one
 * that has the wallet's sales right. */
jb_status jb_around_roles(struct jb_state *b, const struct jb_wallet *w, uint64_t channel_no,
                          const struct jb_channel *channel, uint64_t agency,
                          const struct jb_people *people, const struct jb_around_time *t,
                          uint32_t *ret, struct jb_error *err);

/* Single records; zeroes where there is none. */
jb_status jb_around_tenure(struct jb_state *b, enum jb_holder holder, uint64_t number,
                           uint64_t whom, struct jb_tenure *ret, struct jb_error *err);
jb_status jb_around_holding(struct jb_state *b, enum jb_holder holder, uint64_t number,
                            struct jb_holding *ret, struct jb_error *err);
jb_status jb_around_wallet(struct jb_state *b, uint32_t number, struct jb_wallet_around *ret,
                           struct jb_error *err);
/* id (may be NULL) is borrowed until the next call. */
jb_status jb_around_channel(struct jb_state *b, uint64_t number, struct jb_channel *ret,
                            struct jb_text *id, struct jb_error *err);
jb_status jb_around_agency(struct jb_state *b, uint64_t number, struct jb_text *id,
                           struct jb_error *err);
jb_status jb_around_person(struct jb_state *b, uint64_t ref, struct jb_person_roles *ret,
                           struct jb_error *err);
/* number: the ten digits plus 1. */
jb_status jb_around_biz(struct jb_state *b, uint64_t number, struct jb_biz_number *ret,
                        struct jb_error *err);

/* The same; *ret_known: there is a record. */
jb_status jb_around_biz_known(struct jb_state *b, uint64_t number, struct jb_biz_number *ret,
                              bool *ret_known, struct jb_error *err);

/* The event that forgot a person (by reference), a wallet, or a registration number (as in
 * jb_around_biz) of which nothing was asked since; 0: none did. */
enum jb_gone { JB_GONE_PERSON = 'P', JB_GONE_WALLET = 'W', JB_GONE_BIZ = 'B' };
jb_status jb_around_gone(struct jb_state *b, enum jb_gone what, uint64_t number, jb_seq *ret,
                         struct jb_error *err);

/* The next one of a holder's list, newest first: *whom is 0 before the first and after the last.
 * Ended ones and void ones are not in it; lapsed invitations are, for a while. Invitations stand by
 * when they lapse, everything else by when it began. */
jb_status jb_around_next(struct jb_state *b, enum jb_holder holder, uint64_t number, uint64_t *whom,
                         struct jb_tenure *ret, struct jb_error *err);
/* How many invitations into a wallet are still in its list and open no more: they have lapsed, or
 * who was invited is forgotten and can accept no more. */
jb_status jb_around_lapsed(struct jb_state *b, uint64_t number, jb_instant now, uint64_t *ret,
                           struct jb_error *err);

/* The role that whom had there at that time; 0: none. */
jb_status jb_around_held(struct jb_state *b, enum jb_holder holder, uint64_t number, uint64_t whom,
                         jb_instant at, uint32_t *ret, struct jb_error *err);

/* The role in a wallet of whom it was asked there last, where he has it since before that time; 0:
 * that is not known. */
static inline uint32_t
jb_around_again(const struct jb_state *b, uint32_t wallet, uint64_t whom, jb_instant at)
{
    const struct jb_last_role *last =
        (size_t)wallet - 1 < b->last_roles.n ? &b->last_roles.at[wallet - 1] : NULL;
    return last != NULL && whom != 0 && last->ref == whom && last->from <= at ? last->role : 0;
}

/* Who alone held it there at that time (now: who holds it now); 0: nobody. */
jb_status jb_around_holder_at(struct jb_state *b, enum jb_holder holder, uint64_t number,
                              uint64_t now, jb_instant at, uint64_t *ret, struct jb_error *err);

#endif
