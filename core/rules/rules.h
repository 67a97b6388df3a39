/* Shared by the rule files. */
#ifndef JANGBU_RULES_H
#define JANGBU_RULES_H

#include "rules/decide.h"

void jb_verdict_begin(struct jb_verdict *v);
void jb_refuse(struct jb_verdict *v, jb_code code);
void jb_refuse_figure(struct jb_verdict *v, jb_figure_name name, int64_t value);
void jb_refuse_with(struct jb_verdict *v, jb_code code, jb_figure_name name, int64_t value);
bool jb_add_part(struct jb_verdict *v, uint32_t kind, uint32_t ordinal, jb_amount amount);

/* Everything that one rule looks at. */
struct jb_case {
    const struct jb_globals *g;
    const struct jb_wallet *w;
    const struct jb_command *c;
    const struct jb_prefetched *loaded;
    const struct jb_around *a;
    const struct jb_decision_time *m;
};

/* The rules: business.c, cash.c, channels.c, consume.c, free.c, papers.c, people.c, refund.c,
 * wallets.c. What jb_admit asks (admit.c) is so for all of them. */
#define OP(NAME, word, event, at, states, rule, ...)                                               \
    void rule(const struct jb_case *k, struct jb_verdict *v);
#include "event/commands.def"
#undef OP

/* Refused because of what the person named is. */
void jb_refuse_person(const struct jb_case *k, struct jb_verdict *v);
/* Nobody can act as the wallet's master: then an operator names one, and it may be anybody. */
static inline bool
jb_has_no_master(const struct jb_around *a)
{
    return a->wallet.master == 0 || a->master_lost;
}

/* Of a return that would go to more than JB_PARTS_MAX places: an amount that goes at once, `most`
 * if that does. v->parts is used up. */
jb_amount jb_return_at_once(const struct jb_case *k, jb_amount most, struct jb_verdict *v);
/* Distributes `amount` that comes back to paid cash: open debt first, then each named lot at most
 * what it gave, then any lot with room, newest first (docs/rules.md section 2, "back"). legs: the
 * named parts are a refund's legs, which count as not refunded again. */
bool jb_credit(const struct jb_wallet *w, const struct jb_part *named, size_t named_n, bool legs,
               jb_amount amount, struct jb_verdict *v);

#endif
