/* Shared by the files of this folder. */
#ifndef JANGBU_REPLAY_RULES_INNER_H
#define JANGBU_REPLAY_RULES_INNER_H

#include "replay/rules/rules.h"
#include "rules/decide.h"
#include "state/around.h"

#define SENTENCE_BYTES 1000

/* The grants of a wallet that may have something left, by ordinal. What is used up leaves the list
 * when it is gone through, so that a decision costs what is alive and not what there ever was. */
struct live {
    JB_VEC(uint32_t) ordinals;
    jb_day earliest; /* no deadline among them lies before it */
    size_t lots_end; /* no lot of the wallet from this place of its list on has anything left */
};

/* An expiry in an unbroken run of them. */
struct expiry {
    jb_seq seq;
    jb_instant recorded_at;
    jb_day expires_on;
    uint32_t wallet;
    uint32_t ordinal;
    jb_day due; /* the day through which days were due before it; JB_NO_DAY: none */
};

/* An event of the commit at hand, as groups see it. */
enum role { ROLE_COMMAND, ROLE_EXTRA, ROLE_CLOSING, ROLE_REFUSAL, ROLE_UNKNOWN };
struct in_commit {
    jb_instant recorded_at;
    uint32_t wallet;
    uint8_t role;
    bool keyed, grouped;
};

/* A complaint about a command's first event that is none if a group turns out to hold it. */
struct complaint {
    jb_seq first; /* the command's first event */
    jb_seq seq;   /* what it is about */
    uint64_t frame;
    char text[SENTENCE_BYTES];
};

/* A deletion at hand: forfeits came, and its event must follow. */
struct deletion {
    uint32_t wallet; /* 0: none */
    jb_instant recorded_at;
    jb_amount forfeited;
    uint32_t last; /* ordinal */
};

/* A correction at hand: the document that takes another back came, and the one that stands for it
 * must follow. */
struct correction {
    jb_seq seq;                      /* of the first; 0: none */
    struct jb_invoice_issued second; /* as the rules say it, but for outside_ref */
};

/* What cannot be known, and how often. */
struct counts {
    uint64_t commands, debts, closings, own_times, returns, keyed, unknown;
    uint64_t refusals_1, refusals_members, refusals_partly;
    uint64_t masters_lost, personal;
    uint64_t trusting, asking; /* commands while no role was asked, and while roles were */
    uint64_t closed_by_nobody;
};

struct jb_judge {
    struct jb_state *b;
    struct jb_findings *f;
    bool over; /* rules that are not known here are in force; that was said */
    uint64_t frame;
    struct jb_verdict v;
    struct jb_around around;
    char channel_id[JB_ID_BYTES_MAX];
    JB_VEC(struct live) live; /* by wallet number - 1 */
    JB_VEC(struct jb_grant) grants;
    struct jb_wallet_rest rest; /* of a wallet, with these grants */
    JB_VEC(struct jb_lot) lots;
    JB_VEC(struct expiry) run;
    struct deletion deletion;
    struct correction correction;
    jb_seq commit_first;
    JB_VEC(struct in_commit) commit;
    JB_VEC(struct complaint) complaints;
    struct counts n;
};

/* ---- say.c: sentences ---- */

struct sentence {
    char text[SENTENCE_BYTES];
    size_t n;
};
void jb_say(struct sentence *s, const char *format, ...) JB_PRINTF(2, 3);
/* "500 from lot 2, 100 from grant 1": the first few. back: they go to it. */
void jb_say_parts(struct sentence *s, struct jb_parts parts, bool back);
void jb_say_figures(struct sentence *s, const struct jb_figure *figures, uint32_t n);
/* A field's value as people read it. */
void jb_say_value(struct sentence *s, const struct jb_event *e, const struct jb_field_info *f);
/* "event 12 cash_consumed: " and the sentence. */
void jb_refute(struct jb_judge *r, const struct jb_event *e, const struct sentence *s);
void jb_refute_text(struct jb_judge *r, const struct jb_event *e, const char *format, ...)
    JB_PRINTF(3, 4);
void jb_refute_at(struct jb_judge *r, jb_seq seq, const char *format, ...) JB_PRINTF(3, 4);

/* ---- command.c: the command that an event answers ---- */

/* 0: no command makes such an event. */
jb_op jb_op_of(const struct jb_event *e);
/* Texts are those of e. False: something in e is what no command can have said; that was refuted.
 */
bool jb_command_of(struct jb_judge *r, const struct jb_event *e, struct jb_command *ret);
/* The same of policy.set, also for one that init wrote. */
bool jb_policy_of(struct jb_judge *r, const struct jb_event *e, struct jb_command *c);
/* What the envelope of any event, and of one that no command names, may have. */
void jb_check_envelope(struct jb_judge *r, const struct jb_event *e);

/* ---- live.c ---- */

/* NULL: the wallet never had a grant. */
struct live *jb_live(struct jb_judge *r, uint32_t wallet);
jb_status jb_live_applied(struct jb_judge *r, const struct jb_event *e, struct jb_error *err);
void jb_live_free(struct jb_judge *r);
/* w with those of its grants alone that have something left. Borrowed until the next call. False:
 * no memory. */
bool jb_live_view(struct jb_judge *r, const struct jb_wallet *w, struct jb_wallet *ret);
/* w with as many of its newest lots alone as a reversal or a refund of that amount goes through,
 * and the lot `own` (0: none). Borrowed until the next call. False: no memory. */
bool jb_live_lots(struct jb_judge *r, const struct jb_wallet *w, uint32_t own, jb_amount amount,
                  struct jb_wallet *ret);
/* The grant that is due first on that day: by deadline, then by ordinal. NULL: none. */
const struct jb_grant *jb_live_due(struct jb_judge *r, const struct jb_wallet *w, jb_day today);
/* The first grant behind ordinal `after` that is unfinished on that day. NULL: none. */
const struct jb_grant *jb_live_unfinished(struct jb_judge *r, const struct jb_wallet *w,
                                          uint32_t after, jb_day today);

/* ---- again.c: decides an event's command again and compares ---- */

jb_status jb_decide_again(struct jb_judge *r, const struct jb_event *e, struct jb_error *err);
/* Decides c on that wallet (NULL: none), with what it names looked up, and what stands around it in
 * r->around; r->v has it. */
jb_status jb_decide_command(struct jb_judge *r, const struct jb_wallet *w,
                            const struct jb_command *c, const struct jb_prefetched *loaded,
                            jb_instant recorded_at, struct jb_error *err);
/* around.c: r->around for the command that e answers, by and about the people that e names. e of a
 * refusal: nobody's role is asked. */
jb_status jb_judge_around(struct jb_judge *r, const struct jb_wallet *w, const struct jb_event *e,
                          const struct jb_command *c, struct jb_error *err);
/* In force is a matrix of roles, and the event says by which role it was done: it is one that
 * carried. */
void jb_judge_role(struct jb_judge *r, const struct jb_event *e);
/* Whether an event of that type belongs to a channel, or may name one. */
void jb_check_channel(struct jb_judge *r, const struct jb_event *e);
/* The channel that e belongs to or names goes into the command. False: there is none of its number;
 * that was refuted. */
bool jb_channel_of(struct jb_judge *r, const struct jb_event *e, struct jb_command *c);

/* ---- order.c: what stands before and behind what ---- */

jb_status jb_order_event(struct jb_judge *r, const struct jb_event *e, struct jb_error *err);
/* Behind what was asked about e: its place in the commit, and the group that ends with it. */
jb_status jb_order_behind(struct jb_judge *r, const struct jb_event *e, struct jb_error *err);
/* The log, or a commit, ends. */
void jb_order_commit(struct jb_judge *r);
void jb_order_end(struct jb_judge *r);

/* ---- refusal.c ---- */

jb_status jb_check_refusal(struct jb_judge *r, const struct jb_event *e, struct jb_error *err);
/* What it says of its command is of the op's form. False: it is not, and that was refuted. */
bool jb_refused_form_holds(struct jb_judge *r, const struct jb_event *e);
/* refusal_again.c: one of version 2, whose code and figures fit its op. */
jb_status jb_refuse_again(struct jb_judge *r, const struct jb_event *e, struct jb_error *err);

/* refusal_role.c: where roles are asked they come before `expect`, state and money. w NULL: there
 * is no such wallet, or none is named. */
jb_status jb_refused_role(struct jb_judge *r, const struct jb_event *e, const struct jb_wallet *w,
                          struct jb_error *err);
/* refusal_around.c: decides c again, where the event says enough of it; r->v has it. */
jb_status jb_refused_around_again(struct jb_judge *r, const struct jb_event *e,
                                  const struct jb_wallet *w, struct jb_command *c, bool *ret_asked,
                                  struct jb_error *err);
/* What the state does not disprove. */
jb_status jb_refused_around_can_be(struct jb_judge *r, const struct jb_event *e,
                                   const struct jb_wallet *w, bool *ret, struct jb_error *err);

static inline jb_status
jb_judge_no_memory(struct jb_error *err)
{
    return jb_fail(err, JB_E_NOMEM, "no memory to ask the rules");
}

#endif
