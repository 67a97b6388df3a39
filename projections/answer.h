/* One of the ten questions while it is answered. */
#ifndef JANGBU_PROJECTIONS_ANSWER_H
#define JANGBU_PROJECTIONS_ANSWER_H

#include "base/bytes.h"
#include "projections/query.h"

/* The sentences and pieces of questions.def. */
enum say {
#define SAY(name, en, ko) SAY_##name,
#include "projections/questions.def"
    SAYS
};

struct answer_text {
    char *at;
    size_t n, cap;
};

/* Texts that fill places live as long as the reply is made. */
struct answer_room {
    struct answer_room *before;
    char text[];
};

struct answering {
    struct jb_views *v;
    const struct jb_question *q;
    struct jb_error *err;
    bool korean;
    bool no_memory;
    bool again;        /* something changed between two looks: all of it once more */
    uint32_t answered; /* the number of the question */
    struct jb_moment as_of;
    struct jb_who who;
    JB_VEC(struct answer_person) people; /* of the wallet: its master and members */
    JB_VEC(struct answer_channel) channels;
    JB_VEC(jb_seq) events;
    struct answer_text text;
    struct answer_room *rooms;
};

struct answer_person {
    uint64_t person;
    uint32_t role;
    jb_seq seq;
};

struct answer_channel {
    char id[JB_ID_BYTES_MAX + 1];
    jb_seq seq; /* the event that connected it */
};

/* ---- saying (answer.c) ---- */

/* Appends a sentence. Behind `what`: the name of a place and what is put there, ..., NULL. {W} is
 * the wallet. */
void answer_say(struct answering *a, enum say what, ...) __attribute__((sentinel));
/* The same as a text, for a place. */
const char *answer_piece(struct answering *a, enum say what, ...) __attribute__((sentinel));
/* list and `what`, with a comma between them where there are both. */
const char *answer_and(struct answering *a, const char *list, const char *what);
const char *answer_money(struct answering *a, jb_amount amount);
const char *answer_number(struct answering *a, uint64_t n);
const char *answer_day(struct answering *a, jb_day day);
/* The day on which something happened. */
const char *answer_day_of(struct answering *a, jb_instant t);
const char *answer_text(struct answering *a, struct jb_text text);
/* An id, or "#7"; of nobody "none". */
jb_status answer_person(struct answering *a, uint64_t ref, const char **ret);
/* An event behind the reply; 0: none. */
void answer_event(struct answering *a, jb_seq seq);

/* Frees what a reply is made with. */
void answer_let_go(struct answering *a);

/* ---- asking (answer.c) ---- */

/* The newest event of the wallet of one of these types, up to the moment of the reply. *ret_found
 * false: there is none. visit (may be NULL) sees each until it says that it is the one. */
jb_status answer_newest(struct answering *a, const uint32_t *types, uint32_t types_n,
                        bool (*is_it)(void *data, const struct jb_event *e), void *data,
                        bool *ret_found);
/* The time at which an event was recorded. */
jb_status answer_recorded(struct answering *a, jb_seq seq, jb_instant *ret);

/* ---- the questions ---- */

jb_status answer_delete(struct answering *a);
jb_status answer_state(struct answering *a);
jb_status answer_dormant(struct answering *a);
jb_status answer_difference(struct answering *a);
jb_status answer_receipt(struct answering *a);
jb_status answer_biz(struct answering *a);
jb_status answer_rights(struct answering *a);
jb_status answer_invoice(struct answering *a);
jb_status answer_search_id(struct answering *a);
jb_status answer_wallet(struct answering *a);

#endif
