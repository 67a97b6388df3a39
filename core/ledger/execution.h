/* One command while it is carried out: execute.c makes the context, the other files that include
 * this have the steps. */
#ifndef JANGBU_LEDGER_EXECUTION_H
#define JANGBU_LEDGER_EXECUTION_H

#include "ledger/internal.h"

/* What one command carries through the steps. */
struct execution {
    struct jb_ledger *l;
    const struct jb_request *r;
    const struct jb_command *c;
    struct jb_answer *a;
    uint64_t fingerprint;
    struct jb_text caller; /* scope of its key */
    struct jb_decision_time m;
    const struct jb_around *around; /* what stands around its wallet; NULL: not looked at yet */
    struct jb_error *err;
    const struct jb_command *group; /* the group that c is a member of */
    const struct jb_command *last_member;
    jb_seq before_closing, first; /* of a group: the last event before its closing of days, and the
                                     first event of its members */
    uint32_t near;                /* the number that its wallet may have; 0: nobody knows */
    bool keyed;
    bool closed; /* the closing of days before a group is done */
};

/* The last event before the closing of days that this command makes, over all the commits that it
 * took. */
static inline jb_seq
jb_before_closing(const struct execution *x)
{
    return x->r->cut ? x->r->before_cut : x->l->state->g.seq;
}

static inline enum jb_step
jb_step_of(jb_status status)
{
    return status == JB_OK ? JB_STEP_DECIDED : JB_STEP_FAILED;
}

/* texts.c: key, actor, personal texts and note of an event: those of the group for its last event,
 * the member's own actor and note for a member. Texts go to people.mdb: only references stand in
 * the event, whose type and wallet are known. */
jb_status jb_envelope(struct execution *x, const struct jb_command *c, bool with_key,
                      struct jb_event *e);
/* Whether the texts of a command are those of the event that answered it once. */
enum jb_repeated { JB_REPEATED_SAME, JB_REPEATED_GONE, JB_REPEATED_OTHER };
/* Of one text: name: it is stored as NFC. *ret only gets worse. */
jb_status jb_compare_text(struct execution *x, uint64_t ref, struct jb_text text, bool name,
                          enum jb_repeated *ret);
/* group: c is a member of it, the last one where last. *ret only gets worse. */
jb_status jb_compare_texts(struct execution *x, const struct jb_command *c,
                           const struct jb_command *group, const struct jb_event *event, bool last,
                           enum jb_repeated *ret);
/* refusal.c: a keyed command that was refused against the state is remembered, so that a delayed
 * repetition cannot succeed later. index: the member, or -1. */
enum jb_step jb_refuse_command(struct execution *x, jb_code code, const struct jb_figure *figures,
                               uint32_t figures_n, int64_t index);
enum jb_step jb_refuse_verdict(struct execution *x);

/* idempotency.c: the answer to a command whose key stands in event seq. */
enum jb_step jb_repeat(struct execution *x, jb_seq seq);
/* Says in the answer of a charge (its event) which charge had its gateway's transaction first, and
 * in that of a corrected invoice which one was written with it. */
jb_status jb_answer_rest(struct execution *x, struct jb_answer *a);
/* A closed day is answered with its first result, before the clock is looked at; its key is not
 * taken. */
enum jb_step jb_repeat_close(struct execution *x, bool *ret_known);

/* prefetch.c: loads what x->c names. */
jb_status jb_prefetch(struct execution *x, struct jb_cached_wallet *s,
                      struct jb_prefetched *loaded);

/* around.c: what the command needs to know beside its wallet (NULL: there is none), in x->around.
 * The usual command is by anybody, and about money alone. */
jb_status jb_look_closely(struct execution *x, const struct jb_wallet *w);
static inline bool
jb_about_money(const struct jb_command *c)
{
    return c->op < JB_OP_ROLE_GIVE && c->op != JB_OP_WALLET_DELETE && !jb_given(c, JB_CF_CHANNEL);
}
static inline jb_status
jb_look_around(struct execution *x, const struct jb_wallet *w)
{
    if (x->l->state->g.matrix != 0 || !jb_about_money(x->c)) {
        return jb_look_closely(x, w);
    }
    x->around = &jb_around_nothing;
    return JB_OK;
}
/* The command whose actor counts: its own or its group's. NULL: none is named. */
static inline const struct jb_command *
jb_actor_of(const struct execution *x, const struct jb_command *c)
{
    const struct jb_command *actor = !jb_given(c, JB_CF_ACTOR) && x->group != NULL ? x->group : c;
    return jb_given(actor, JB_CF_ACTOR) ? actor : NULL;
}
/* The reference that a person's id has, or will have; 0: nobody knows it, and it stays so. */
jb_status jb_find_person(struct execution *x, struct jb_text id, uint64_t *ret);

/* execute_wallet.c: decides x->c on its wallet (NULL: there is none of that id); the ledger's
 * verdict says what. */
jb_status jb_decide_on_wallet(struct execution *x, struct jb_cached_wallet **ret_slot);
/* Writes what was decided: due expiries, forfeits, the event. group_end: it carries the group's key
 * and size. */
jb_status jb_write_wallet_event(struct execution *x, struct jb_cached_wallet *s,
                                const struct jb_event *group_end);
/* Closes the days that are due before an accepted command's own event. */
enum jb_step jb_close_due(struct execution *x);
/* The same in a savepoint that will be rolled back: not cut by the commit's cap. */
enum jb_step jb_close_due_on_trial(struct execution *x);
enum jb_step jb_execute_wallet(struct execution *x);
/* execute_plain.c: behind the clock, a command that has nothing unusual. False: it, its wallet or
 * the ledger has, and nothing was done. */
bool jb_execute_plain(struct execution *x, enum jb_step *ret);
enum jb_step jb_execute_policy(struct execution *x);
enum jb_step jb_execute_close(struct execution *x);
/* The steps that they share: what was decided is sound; the days that are due are closed, or a
 * trial of it begun, which jb_end_dry takes back. */
jb_status jb_check_verdict(struct execution *x);
enum jb_step jb_begin_event(struct execution *x);
void jb_end_dry(struct execution *x, const struct jb_cached_wallet *s);

/* forget.c */
enum jb_step jb_execute_forget(struct execution *x);

/* execute_group.c */
enum jb_step jb_execute_group(struct execution *x);

#endif
