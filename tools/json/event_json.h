/* Events and answers as JSON: docs/vocabulary.md and docs/format.md. */
#ifndef JANGBU_EVENT_JSON_H
#define JANGBU_EVENT_JSON_H

#include <jangbu/ledger.h>

#include "out.h"
#include "parse.h"

/* The members that the event's type has, without the envelope. */
void event_fields_json(struct out *o, const struct jb_event *e, int32_t utc_offset_s);
/* The number of the wallet that the event is of, or of that on which a command was refused; 0: of
 * none. */
uint32_t event_wallet(const struct jb_event *e);
/* The number of the channel that the event names, or else belongs to; 0: of none. */
uint64_t event_channel(const struct jb_event *e);
/* Ids of event_wallet and event_channel; s NULL: there is none, or nobody knows it. */
struct event_ids {
    struct jb_text wallet;
    struct jb_text channel;
};
/* The whole event as an object, left open for more members. */
void event_json_open(struct out *o, const struct jb_event *e, const struct event_ids *ids,
                     int32_t utc_offset_s);
/* How the value of a figure (enum jb_figure_name) is shown. */
enum figure_kind {
    FIGURE_NUMBER = 0,
    FIGURE_MONEY,
    FIGURE_DAY,
    FIGURE_INSTANT,
    FIGURE_WORD, /* a word of list */
    FIGURE_SET   /* words of list: bit 1 << number of each */
};
struct figure_form {
    enum figure_kind kind;
    jb_list list;
};
struct figure_form figure_form(uint32_t name);
/* A set of words as a list under key, in the order of their numbers. */
void set_json(struct out *o, const char *key, jb_list list, uint64_t set);
/* parts as a list under key; to: money coming back. */
void parts_json(struct out *o, const char *key, struct jb_parts parts, bool to);
/* What the parts of an event add up to, by where the money came from or went to. */
struct part_sums {
    jb_amount free, paid, debt, lapsed;
};
struct part_sums parts_sum(const struct jb_event *e);
/* The members of a balance, without the wallet and the moment. */
void balance_members_json(struct out *o, const struct jb_balance *b);
/* An answer as an object; line 0: none. */
void answer_json(struct out *o, const struct jb_answer *a, uint64_t line, struct jb_text key,
                 int32_t utc_offset_s);
/* Its code as a word. */
const char *bad_word(const struct bad_line *bad);
/* The answer to a line that is no command; line 0 and key.s NULL: none. */
void bad_line_json(struct out *o, const struct bad_line *bad, uint64_t line, struct jb_text key);
#endif
