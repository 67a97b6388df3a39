/* What carries one command out, for the files of this folder that do: process.c begins; group.c, single.c, load.c, repeat.c and emit.c have the
 * steps. */
#ifndef JANGBU_LEDGER_WORK_H
#define JANGBU_LEDGER_WORK_H

#include "ledger/internal.h"

/* What one command carries through the steps. */
struct work {
    struct jb_ledger *l;
    const struct jb_request *r;
    const struct jb_command *c;
    struct jb_answer *a;
    uint64_t fingerprint;
    struct jb_moment_of m;
    struct jb_error *err;
    const struct jb_command *group; /* the group that c is a member of */
    const struct jb_command *last_member;
    jb_seq before_closing, first; /* of a group: the last event before its closing of days, and the first event of its members */
    bool keyed;
    bool closed; /* the closing of days before a group is done */
};

/* The last event before the closing of days that this command makes, over all the commits that it took. */
static inline jb_seq
jb_before_closing(const struct work *w)
{
    return w->r->cut ? w->r->before_cut : w->l->book->g.seq;
}

static inline enum jb_step
jb_step_of(jb_status status)
{
    return status == JB_OK ? JB_STEP_DECIDED : JB_STEP_FAILED;
}

/* emit.c: key, actor and note of an event: those of the group for its last event, the member's own actor and note for a member. */
jb_status jb_envelope(struct work *w, const struct jb_command *c, bool with_key, struct jb_event *e);
/* Personal texts of the event's own fields go to people.mdb: only references stand in it. */
jb_status jb_refer_fields(struct work *w, struct jb_event *e);
/* A keyed command that was refused against the state is remembered, so that a delayed repetition cannot succeed later. index: the member, or -1. */
enum jb_step jb_refuse_command(struct work *w, jb_code code, const struct jb_figure *figures, uint32_t figures_n, int64_t index);
enum jb_step jb_refuse_verdict(struct work *w);

/* repeat.c: the answer to a command whose key stands in event seq. */
enum jb_step jb_repeat(struct work *w, jb_seq seq);
/* A closed day is answered with its first result, before the clock is looked at; its key is not taken. */
enum jb_step jb_repeat_close(struct work *w, bool *ret_known);

/* load.c: what w->c names. */
jb_status jb_load_what_it_names(struct work *w, struct jb_slot *s, struct jb_loaded *loaded);

/* single.c: decides w->c on its wallet (NULL: there is none of that id); the ledger's verdict says what. */
jb_status jb_decide_on_wallet(struct work *w, struct jb_slot **ret_slot);
/* Writes what was decided: due expiries, forfeits, the event. group_end: it carries the group's key and size. */
jb_status jb_write_wallet_event(struct work *w, struct jb_slot *s, const struct jb_event *group_end);
/* Closes the days that are due before an accepted command's own event. */
enum jb_step jb_close_due(struct work *w);
enum jb_step jb_process_wallet(struct work *w);
enum jb_step jb_process_policy(struct work *w);
enum jb_step jb_process_close(struct work *w);

/* group.c */
enum jb_step jb_process_group(struct work *w);

#endif
