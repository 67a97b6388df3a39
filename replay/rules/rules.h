/*
 * The audit's part "rules": each event is decided again, on the state right before it. Only this
 * folder of replay/ knows the rules; the fold, a rebuild and the questions never ask them.
 *
 * The command that an event answers is made of what only the command can have said: ids, the amount
 * asked for, times, reasons. Everything else in the event (split, order, legs, what came back
 * where, ordinals, outcomes) is what the rules of core/rules say, with the policies in force at the
 * event's own time, the number of the set of rules among them. A later change of a rule is a new
 * number beside the old one, so that this stays true for ever (docs/rules.md section 9).
 */
#ifndef JANGBU_REPLAY_RULES_H
#define JANGBU_REPLAY_RULES_H

#include "replay/audit.h"

struct jb_judge;

/* b: the state that the audit folds; f: where it says what it finds. */
jb_status jb_judge_open(struct jb_state *b, struct jb_findings *f, struct jb_judge **ret,
                        struct jb_error *err);
struct jb_judge *jb_judge_close(struct jb_judge *r);
/* Events of these wallets come in a moment; any numbers, and it changes nothing. */
void jb_judge_warm(const struct jb_judge *r, const uint32_t *wallets, size_t n);
/* The next event, on the state before it. JB_E_NOMEM and the like: nothing can be said. */
jb_status jb_judge_event(struct jb_judge *r, const struct jb_event *e, uint64_t frame,
                         struct jb_error *err);
/* The state has applied it. */
jb_status jb_judge_applied(struct jb_judge *r, const struct jb_event *e, struct jb_error *err);
/* Both for the usual event (event/codec.h), of wallet w, in a fraction of the time. False: it is to
 * be asked in full; nothing was said, and nothing has changed. True: the rules say the same. */
bool jb_judge_usual(struct jb_judge *r, const struct jb_wallet *w, const struct jb_event_usual *e);
void jb_judge_applied_usual(struct jb_judge *r, const struct jb_event_usual *e);
/* A commit ends with the last event. */
void jb_judge_commit(struct jb_judge *r);
/* The log ends; says what was not checked, and how often. */
void jb_judge_end(struct jb_judge *r);

#endif
