/*
 * What stands around the money: who has which role in a wallet, a channel, an agency or the whole
 * ledger, which channel is connected with which wallet, who has the sales right, whose business
 * information is whose. docs/rules.md section 10.
 *
 * All of it is folded from events into small records (state/facts.c keeps them, state/around.c
 * folds). Here is what they hold, and what a rule is told of them: rules and state have no other
 * header in common.
 */
#ifndef JANGBU_AROUND_H
#define JANGBU_AROUND_H

#include <jangbu/event.h>

#include "base/text.h"
#include "wallet/papers.h"

/*
 * A tenure: something that holds from a time to a time, half open, by recorded_at. Each stands in
 * the list of its holder; `whom` is who or what holds it there.
 */
enum jb_holder {
    JB_HOLDER_LEDGER = 'L',   /* number: a role of the ledger; whom: a person */
    JB_HOLDER_AGENCY = 'A',   /* number: an agency; whom: its staff */
    JB_HOLDER_WALLET = 'W',   /* number: a wallet; whom: its master and members */
    JB_HOLDER_INVITED = 'I',  /* number: a wallet; whom: the invited. They are no members */
    JB_HOLDER_STAFF = 'C',    /* number: a channel; whom: its master and managers */
    JB_HOLDER_CHANNELS = 'X', /* number: a wallet; whom: channels connected with it */
    JB_HOLDER_SALES = 'S',    /* number: a wallet; whom: the agency that has the sales right */
    JB_HOLDER_ASKED = 'Q'     /* number: a wallet; whom: agencies that asked for it */
};

/* The records: all members are words, as they are stored. */
struct jb_tenure {
    uint64_t role; /* enum jb_role, or 1 where the holder knows no roles; 0: over, or never begun */
    jb_instant from;
    jb_instant until; /* of an invitation: from when on it is too late */
    jb_seq seq;       /* the event that began it */
    uint64_t past;    /* the newest ended one of the same two, an ordinal of the holder; 0: none */
    uint64_t newer;   /* its neighbours in the holder's list; 0: none */
    uint64_t older;
};

struct jb_past_tenure {
    uint64_t whom;
    uint64_t role;
    jb_instant from;
    jb_instant until;
    uint64_t older; /* of the same two; 0: none */
    uint64_t n;     /* the how manieth of the same two */
    uint64_t far;   /* one of them that is far older, so that few steps lead to any; 0: none */
};

struct jb_holding {
    uint64_t newest; /* whom; 0: nobody. Of the invited: whose invitation lapses last */
    uint64_t oldest;
    uint64_t n;
    uint64_t past_given;  /* how many ended */
    uint64_t void_before; /* tenures that began up to this event are over without being taken out */
};

/* Business information as a wallet or a channel has it. */
struct jb_biz_of {
    uint64_t number; /* the ten digits plus 1; 0: none was ever approved */
    jb_seq fixed;    /* the approval that fixed the number */
    jb_seq open;     /* the open request; 0: none */
    uint64_t open_number;
    jb_seq open_base; /* the approval of that number that was in force when it was asked */
    uint64_t open_by; /* who asked: a reference, 0: nobody was named */
};

/* A registration number. */
struct jb_biz_number {
    jb_seq approved;  /* the newest approval; 0: none */
    uint64_t holders; /* wallets and channels that have it and are not over */
    uint64_t askers;  /* open requests of such */
    jb_instant ended; /* when the last of them was over; JB_NO_INSTANT */
    jb_seq forgotten; /* the event after whose approvals alone there are texts; 0: none */
};

struct jb_wallet_around {
    uint64_t master;     /* reference; 0: none */
    jb_seq master_since; /* the event that made that person the master */
    uint64_t agency;     /* the number of the one that has the sales right; 0: none */
    jb_seq agency_since;
    uint64_t email; /* reference; 0: none */
    struct jb_biz_of biz;
};

struct jb_channel {
    uint64_t kind;  /* enum jb_channel_kind; 0: there is no such channel */
    jb_seq version; /* its last event */
    jb_seq created;
    jb_instant closed; /* JB_NO_INSTANT: it is not */
    uint64_t master;   /* reference */
    uint64_t wallet;   /* number of the one that it is connected with, which may be deleted; 0 */
    jb_seq search;     /* the event that set its search id; 0: none */
    jb_seq mail_order; /* the event that set it last; 0: none */
    struct jb_biz_of biz;
};

/* Of a person: how many roles he holds. */
struct jb_person_roles {
    uint64_t wallets; /* not deleted, master or member */
    uint64_t channels;
    uint64_t roles; /* of the ledger, and of agencies' staff */
};

/* Who a command is by and about, by reference; 0: nobody knows such a person. */
struct jb_people {
    uint64_t actor;
    uint64_t person;
    bool self;           /* the actor is the person named */
    bool for_himself;    /* wallet.create: the master is the actor */
    struct jb_text role; /* the actor's own word: only that role counts; none: any */
};

/* What an op takes: one of the roles (bits 1 << enum jb_role), or, where `both`, the first two of
 * them together. 0: no role is asked for. */
struct jb_permit {
    uint32_t roles;
    uint32_t both;
};

/* What a rule is told about what stands around its wallet. */
struct jb_around {
    bool enforced;     /* roles are asked */
    uint32_t carried;  /* enum jb_role: the first of the actor's that the op takes; NONE */
    uint32_t have;     /* the actor's roles as they are judged: bits 1 << enum jb_role. Only where
                          nothing carries */
    uint32_t have_now; /* and now */
    struct jb_permit permit;
    struct jb_people people;
    bool named;             /* the command names a channel */
    bool connected;         /* it is with the wallet, at the command's time */
    uint32_t channel_state; /* enum jb_channel_state, seen from the wallet, or from nobody */
    uint64_t channel_no;    /* 0: there is none of that id, or none is named */
    bool whatever_wallet;   /* with which wallet the channel is connected is not asked: may */

    /* From here on: what is looked at for commands about people, channels, business information
     * and deletion, and for those that name a channel; of others it means nothing. */
    bool recovered; /* role.give: by who can write the files, as nobody */
    struct jb_channel channel;
    struct jb_wallet_around wallet;
    bool master_lost;      /* the master's reference opens no more: nobody can act as him */
    uint32_t person_state; /* enum jb_person_state: of the person named, to what the op is about */
    jb_instant until;      /* of his invitation */
    uint64_t people_n;     /* in the wallet, invited ones included; the channel's staff */
    uint32_t sales_state;  /* enum jb_sales_state: of the agency named */
    char agency_id[JB_ID_BYTES_MAX]; /* of the one that has the sales right */
    size_t agency_id_n;
    struct jb_biz_of biz;        /* the holder's: the wallet's or the channel's */
    struct jb_biz_number number; /* that of the command, or of the open request */
    bool same_mail_order;
    bool same_email; /* of the wallet's invoices: what it says now can be read, and is that */
    char search_id[JB_SEARCH_ID_BYTES_MAX]; /* in NFC */
    size_t search_id_n;
    jb_seq search_taken;     /* the event that gave the search id to a channel; 0: it is free */
    struct jb_papers papers; /* of wallet.delete and invoice.*, but for invoice.email */
};

/* What a struct jb_around is before it is looked at: for a command of whose op so much is asked. */
static inline void
jb_around_begin(struct jb_around *a, bool all)
{
    memset(a, 0, all ? sizeof *a : offsetof(struct jb_around, recovered));
}

/* The number of a registration as it stands in the records. */
static inline uint64_t
jb_biz_number_of(struct jb_text digits)
{
    uint64_t number = 0;
    for (size_t i = 0; i < digits.n; i++) {
        number = number * 10 + (uint64_t)(digits.s[i] - '0');
    }
    return number + 1;
}

#endif
