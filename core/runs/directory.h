/* What lies in a directory of runs, and which of it covers the log. */
#ifndef JANGBU_RUNS_DIRECTORY_H
#define JANGBU_RUNS_DIRECTORY_H

#include "runs/run.h"

struct jb_runs_entry {
    struct jb_run_range range;
    bool no;         /* not to be used */
    bool reached;    /* a way from 1 on ends with it, */
    size_t steps;    /* of so many runs, */
    size_t previous; /* of which this is the one before; SIZE_MAX: none */
};
struct jb_runs_list {
    JB_VEC(struct jb_runs_entry) entries;
    JB_VEC(struct jb_run_range) others; /* of other generations, but for the next */
    JB_VEC(uint64_t) news;              /* numbers in the names of files that are being written */
};

jb_status jb_runs_look(const struct jb_run_place *place, uint32_t generation,
                       struct jb_runs_list *ret);
void jb_runs_list_free(struct jb_runs_list *l);
/* The way that reaches farthest, and of these the one of the fewest runs: its last entry, from
 * which `previous` leads back. SIZE_MAX: nothing begins at 1. */
size_t jb_runs_way(struct jb_runs_list *l);

#endif
