/* What explanations are made of: effects of events by cause, each with its events. */
#ifndef JANGBU_PROJECTIONS_CAUSES_H
#define JANGBU_PROJECTIONS_CAUSES_H

#include "projections/query.h"

struct jb_cause_cell {
    jb_wide amount;
    uint64_t n; /* how many events */
    JB_VEC(jb_seq)
    events; /* as the walk meets them: descending. All, or the first that are shown */
};

struct jb_causes {
    struct jb_cause_cell cells[JB_CAUSES_N][2]; /* [late] */
};
void jb_causes_free(struct jb_causes *c);

/* marks.c: the same of all that was posted after the closed day and up to event last, of marks. c
 * is empty. */
jb_status jb_causes_of_marks(struct jb_causes *c, struct jb_view_read *q, uint32_t wallet,
                             jb_day closed_through, jb_seq last, struct jb_error *err);
/* The same of all that was posted to those days (rows of the wallet), behind event `after` (0: from
 * the beginning) and up to event last. */
jb_status jb_causes_of_days(struct jb_causes *c, struct jb_view_read *q, uint32_t wallet,
                            const struct jb_row_list *days, jb_seq after, jb_seq last,
                            struct jb_error *err);
/* The events among those that were posted late, ascending. The vector is the caller's to free. */
struct jb_late {
    jb_seq *at;
    size_t n, cap;
};
jb_status jb_late_of_marks(struct jb_late *late, struct jb_view_read *q, uint32_t wallet,
                           const struct jb_row_list *days, jb_seq last, struct jb_error *err);
/* So many events are read one by one, as a source of their own beside the marks. Tests set less. */
extern uint64_t jb_causes_walk_max;
/* Adds what the event did to the total, times sign. Events of no effect are left out. */
jb_status jb_causes_add(struct jb_causes *c, const struct jb_event *e, int sign,
                        int32_t utc_offset_s, struct jb_error *err);
bool jb_cause_cell_add(struct jb_cause_cell *c, jb_seq seq);
/* JB_E_CORRUPT where one of them does not fit into 64 bits. */
jb_status jb_causes_sum(const struct jb_causes *c, jb_wide *ret, struct jb_error *err);
jb_status jb_wide_fits(jb_wide value, jb_amount *ret, struct jb_error *err);

#define JB_CAUSE_LINES_MAX (JB_CAUSES_N * 2)
/* How many numbers of events the lines list. */
size_t jb_causes_events(const struct jb_causes *c);
/* One line for each cause that there is; *events is where their numbers go, and is moved on.
 * Returns how many lines. */
uint32_t jb_causes_lay_out(const struct jb_causes *c,
                           struct jb_cause_line lines[JB_CAUSE_LINES_MAX],
                           const struct jb_cause_line *at[JB_CAUSE_LINES_MAX], jb_seq **events);

/* A wallet's total at a past moment, and what is beside it (explain.c). */
struct jb_total_parts {
    jb_amount total, due; /* due: in use and past the deadline, while no event says so */
    jb_amount dormant, transit, pending;
    jb_seq version;
    JB_VEC(uint32_t) due_grants; /* ordinals */
};
/* Of a closed day: without what was posted to later days. The vector is the caller's to free. */
jb_status jb_total_parts_then(struct jb_view_read *q, uint32_t number,
                              const struct jb_as_of_point *r, struct jb_total_parts *p,
                              struct jb_error *err);
/* Adds -(due of p) under expiry_due. It has no event; what can be named is that which gave each
 * grant. */
jb_status jb_causes_add_due(struct jb_causes *c, struct jb_view_read *q, uint32_t number,
                            jb_seq seq, const struct jb_total_parts *p, struct jb_error *err);

#endif
