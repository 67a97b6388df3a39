/* Answers, and the memory that they point to: chunks that are kept and reused, so that pointers
 * stay valid while more is added. */
#ifndef JANGBU_ANSWERS_H
#define JANGBU_ANSWERS_H

#include <jangbu/ledger.h>

#include "base/bytes.h"
#include "event/codec.h"
#include "log/log.h"

/* What few answers have. It lies behind them, so that the usual ones stay small. */
struct jb_answer_rest {
    const struct jb_figure *figures;
    size_t figures_n;
    const char *message; /* NULL: none */
    const struct jb_answer *members;
    size_t members_n;
    const struct jb_balance *balance; /* NULL: none */
    uint64_t negative;
};

struct jb_chunk {
    struct jb_chunk *next;
    size_t size, used;
    max_align_t bytes[];
};

struct jb_answers {
    JB_VEC(struct jb_answer) list;
    JB_VEC(uint64_t) fingerprints;    /* by command; 0: no key, or not known */
    struct jb_chunk *first, *current; /* each as large as all before it: they stay few */
    size_t bytes;                     /* of all of them */
    uintptr_t low, high;              /* they lie in [low, high) */
    jb_lang lang;                     /* of its messages */
    bool no_memory;
};

/* Makes room for n answers, whatever stands in them, and forgets what was there. */
bool jb_answers_begin(jb_answers *set, size_t n);
/* The name of a text of c, or of a member of c, that lies in the memory of set, which a call writes
 * over; NULL: none. */
const char *jb_answers_hold(const jb_answers *set, const struct jb_command *c);
/* From answer `from` on: nothing was done, and they say nothing else. */
void jb_answers_not_done(jb_answers *set, size_t from);
void *jb_answers_alloc(jb_answers *set, size_t bytes);
/* Copies an event with everything that it points to; NULL: no memory. */
const struct jb_event *jb_answers_copy_event(jb_answers *set, const struct jb_event *e);
/* The event of a consumption out of one part, zeroed but for these; NULL: no memory. */
struct jb_event *jb_answers_consumption(jb_answers *set, struct jb_text usage,
                                        const struct jb_part *part);
/* What follows makes the answer's rest where there is none. Without memory it leaves things out,
 * and the call fails before anything is committed. */
void jb_answer_set_message(jb_answers *set, struct jb_answer *a, const char *text);
void jb_answer_set_members(jb_answers *set, struct jb_answer *a, const struct jb_answer *members,
                           size_t n);
void jb_answer_set_negative(jb_answers *set, struct jb_answer *a, uint64_t number);
void jb_answer_set_balance(jb_answers *set, struct jb_answer *a, const struct jb_balance *balance);

/* Fills an answer from the first event of its command: the same whether it was just decided or is
 * found by its key. */
void jb_answer_done(jb_answers *set, struct jb_answer *a, const struct jb_event *e);
/* Fills a refusal (a->op and a->remembered are set before); the message is made from code and
 * figures, so that it is the same for ever. c: the command, or the group of which member `index`
 * was refused. */
void jb_answer_refused(jb_answers *set, struct jb_answer *a, jb_code code,
                       const struct jb_figure *figures, size_t figures_n,
                       const struct jb_command *c, int64_t index,
                       const struct jb_log_identity *ledger);

#endif
