/* What lies in a directory of runs, and which of it covers the log. */
#ifndef JANGBU_RUNS_DIRECTORY_H
#define JANGBU_RUNS_DIRECTORY_H

#include "runs/run.h"

struct jb_runs_entry {
    struct jb_run_range range;
    bool no;         /* not to be used */
    bool reached;    /* a way from where it was looked for ends with it, */
    size_t steps;    /* of so many runs, */
    size_t previous; /* of which this is the one before; SIZE_MAX: none */
};
struct jb_runs_list {
    JB_VEC(struct jb_runs_entry) entries;
    JB_VEC(struct jb_run_range) others; /* of other generations, but for the next */
    JB_VEC(size_t) chosen;              /* entries, ascending: the ways that are used */
    JB_VEC(uint64_t) news;              /* numbers in the names of files that are being written */
};

jb_status jb_runs_look(const struct jb_run_place *place, uint32_t generation,
                       struct jb_runs_list *ret);
void jb_runs_list_free(struct jb_runs_list *l);
/* Chooses from event 1 on the way that reaches farthest, and of these the one of the fewest runs;
 * behind where it ends, the same from the first run on that begins there, and so on. False: no
 * memory. */
bool jb_runs_choose(struct jb_runs_list *l);

#endif
