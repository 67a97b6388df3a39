/*
 * The rules: a command and a state in, an event or a refusal out. Pure: no I/O, no clock, no
 * locale, no randomness; the lists of a verdict are reused from call to call, so that the usual
 * command allocates nothing.
 *
 * What a command needs beyond its wallet (an id's ordinal, a consumption, lots that are archived)
 * is loaded before it is decided: state/lookup.c.
 */
#ifndef JANGBU_DECIDE_H
#define JANGBU_DECIDE_H

#include <jangbu/command.h>

#include "event/codec.h"
#include "wallet/around.h"
#include "wallet/wallet.h"

/* What is known about the ids that a command names. */
struct jb_prefetched {
    uint32_t ordinal; /* of the charge's lot, the grant or the refund that the command's id names;
                         0: there is none */
    uint32_t usages;  /* consume.reverse: how many consumptions match: 0, 1, 2 (or more) */
    jb_seq consumption_seq;
    const struct jb_part *consumption_parts; /* in the order of taking */
    uint32_t consumption_parts_n;
    jb_amount consumption_amount;
    jb_amount returned_before; /* of that consumption */
    jb_seq last_reversal;
};

/* The moment of deciding. */
struct jb_decision_time {
    jb_instant recorded_at; /* what the event will say */
    jb_instant occurred_at; /* likewise */
    jb_instant at;  /* by which consumption is judged: occurred_at, but not after recorded_at */
    jb_day today;   /* day(recorded_at) */
    bool any_parts; /* an event may have more than JB_PARTS_MAX parts: an old one may */
    bool told; /* by rules 2 and by its own `at`, which has to lie within the life of its wallet */
    jb_instant clock;
    jb_instant clock_from; /* the clock, or the least that it can have been: who asks again of an
                              old event knows recorded_at alone */
    jb_seq known_version;  /* what `expect` is compared with; 0: the wallet's version as it is */
};

struct jb_verdict {
    jb_code code; /* 0: yes */
    struct jb_figure figures[JB_FIGURES_MAX];
    uint32_t figures_n;
    struct jb_event event;  /* type and fields; the envelope is the caller's */
    struct jb_event before; /* one that the command writes before it, */
    bool has_before;        /* if it does */
    JB_VEC(struct jb_part) parts;
    JB_VEC(const struct jb_grant *) order; /* scratch */
    JB_VEC(struct jb_part) given;          /* scratch */
    bool no_memory;
};
void jb_verdict_free(struct jb_verdict *v);

/* What a command does not say is not read: its bytes mean nothing. */
static inline bool
jb_given(const struct jb_command *c, unsigned field)
{
    return (c->has & JB_HAS(field)) != 0;
}

static inline struct jb_text
jb_given_text(const struct jb_command *c, unsigned field, struct jb_text text)
{
    return jb_given(c, field) ? text : (struct jb_text){NULL, 0};
}

/* Room for the longest sentence about a form, in either language. */
#define JB_WHY_BYTES 600

/* The form of a command: what can be said without a ledger. 0, or MALFORMED, AMOUNT_INVALID,
 * AMOUNT_RANGE, BATCH_TOO_LARGE with a sentence in why, or JB_FORM_NONSENSE: no command at all, a
 * mistake in the caller's program. clock_at: commands need `clock` or `at`. member: it stands in a
 * group. */
#define JB_FORM_NONSENSE JB_CODES_END
jb_code jb_check_form(const struct jb_command *c, bool clock_at, bool member, char *why,
                      size_t why_n);

/* Of a command whose form is right: whether its times lie in days that can be closed. 0, or
 * MALFORMED with a sentence. */
jb_code jb_check_times(const struct jb_command *c, int32_t utc_offset_s, char *why, size_t why_n);
static inline jb_code
jb_check_calendar(const struct jb_command *c, int32_t utc_offset_s, char *why, size_t why_n)
{
    const uint64_t times = JB_HAS(JB_CF_AT) | JB_HAS(JB_CF_CLOCK) | JB_HAS(JB_CF_FROM);
    return (c->has & times) != 0 || c->op == JB_OP_ATOMIC
               ? jb_check_times(c, utc_offset_s, why, why_n)
               : JB_CODE_NONE;
}

/* The largest value that policy.set takes; the least is 0. */
int64_t jb_policy_most(uint32_t policy);

/* The checks of the clock and of `at`, before the wallet is looked at. */
void jb_decide_time(const struct jb_globals *g, const struct jb_command *c, struct jb_verdict *v,
                    struct jb_decision_time *m);

/* What an op takes of its actor, by matrix 1. */
struct jb_permit jb_permit_of(const struct jb_command *c);
/* The command that a row of the matrix is about: its op, and the members that make it one of that
 * row. Of no wallet, channel or person yet. */
struct jb_command jb_permission_command(const struct jb_permission *row);
/* Whether the actor may: else v says why not. */
bool jb_admit_role(const struct jb_around *a, struct jb_verdict *v);
/* Nothing stands around: of a command without people and channels where no role is asked. */
extern const struct jb_around jb_around_nothing;

/* A command on a wallet (NULL: there is none of that id, or it names none), after jb_decide_time.
 * around: what stands around it (jb_around_look). */
void jb_decide_wallet(const struct jb_globals *g, const struct jb_wallet *w,
                      const struct jb_command *c, const struct jb_prefetched *loaded,
                      const struct jb_around *around, const struct jb_decision_time *m,
                      struct jb_verdict *v);
/* Whether that command gets as far as its ids and money: wallet, channel, role, expect, state and
 * kind say yes; else v says why not. Otherwise nothing needs to be loaded. */
bool jb_admit(const struct jb_wallet *w, const struct jb_command *c, const struct jb_around *around,
              const struct jb_decision_time *m, struct jb_verdict *v);
/* What of a return (of a failed refund's legs) neither the debt nor the named lots can take. Above
 * 0: any lot may be asked, so the newest with room for the whole amount have to be loaded (the
 * named ones among them may be full by then). */
jb_amount jb_return_beyond(const struct jb_wallet *w, const struct jb_prefetched *loaded,
                           jb_amount amount);
jb_amount jb_credit_beyond(const struct jb_wallet *w, const struct jb_part *named, size_t named_n,
                           bool legs, jb_amount amount);
/* What is wrong with a verdict, whatever the rules are: a yes without the command's event, parts
 * that do not add up or stand out of order. NULL: nothing. Apply looks for the same a second time,
 * against the state. */
const char *jb_decided_wrong(const struct jb_command *c, const struct jb_verdict *v);
/* The conditions of a deletion, each with the figure that explains it. Returns how many. */
#define JB_DELETE_CONDITIONS_MAX 8
struct jb_delete_condition {
    jb_figure_name name;
    bool met;
    int64_t figure;
};
size_t jb_delete_conditions(const struct jb_wallet *w, const struct jb_around *a,
                            struct jb_delete_condition ret[JB_DELETE_CONDITIONS_MAX]);
/* policy.set. */
void jb_decide_policy(const struct jb_globals *g, const struct jb_command *c,
                      const struct jb_around *around, const struct jb_decision_time *m,
                      struct jb_verdict *v);
/* forget. w: the wallet that it names; NULL: it names none, or none that is there. */
struct jb_forgetting {
    struct jb_person_roles roles; /* of the person named */
    bool biz_known;               /* there was a record of that number, or a request */
    jb_seq gone; /* the event that forgot the wallet or the number, and nothing came since; 0 */
    struct jb_biz_number biz;
};
void jb_decide_forget(const struct jb_globals *g, const struct jb_wallet *w,
                      const struct jb_command *c, const struct jb_around *a,
                      const struct jb_forgetting *f, const struct jb_decision_time *m,
                      struct jb_verdict *v);
/* day.close of a day that is still open: may it be closed? */
void jb_decide_close(const struct jb_globals *g, const struct jb_command *c,
                     const struct jb_around *around, const struct jb_decision_time *m,
                     struct jb_verdict *v);
/* The last day that is to be closed by itself before an event recorded at that time; JB_NO_DAY:
 * none. (docs/rules.md section 1) */
jb_day jb_due_day(const struct jb_globals *g, jb_instant recorded_at);
/* The first day that is open behind these closings: of a ledger without events that day's own. */
jb_day jb_open_after_due(const struct jb_globals *g, jb_instant recorded_at);
/* Of the open days up to `through`: how many have nothing posted to them. */
int64_t jb_empty_days(const struct jb_globals *g, jb_day through);

/* The balances of a wallet on that day, as every command and every read counts them. */
void jb_balance_of(const struct jb_wallet *w, jb_day today, struct jb_balance *ret);

/* Posting day of an event that is recorded today (docs/rules.md section 1). */
jb_day jb_posting_day(const struct jb_globals *g, jb_day today, jb_day occurred);

#endif
