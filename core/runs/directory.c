#include "runs/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "storage/descriptors.h"

/* By where they begin. */
static int
compare(const void *a, const void *b)
{
    const struct jb_run_range *x = &((const struct jb_runs_entry *)a)->range;
    const struct jb_run_range *y = &((const struct jb_runs_entry *)b)->range;
    return x->first != y->first ? (x->first < y->first ? -1 : 1)
           : x->last != y->last ? (x->last < y->last ? -1 : 1)
                                : 0;
}

static bool
note(struct jb_runs_list *l, const char *name, uint32_t generation)
{
    struct jb_run_range range = {0};
    uint64_t number;
    if (jb_run_name_new_read(name, &number)) {
        bool room = jb_vec_reserve(&l->news, l->news.n + 1);
        if (room) {
            l->news.at[l->news.n++] = number;
        }
        return room;
    }
    if (!jb_run_name_read(name, &range)) {
        return true;
    }
    if (range.generation == generation) {
        bool room = jb_vec_reserve(&l->entries, l->entries.n + 1);
        if (room) {
            l->entries.at[l->entries.n++] = (struct jb_runs_entry){.range = range};
        }
        return room;
    }
    bool other = range.generation != generation + 1; /* which is being made */
    bool room = !other || jb_vec_reserve(&l->others, l->others.n + 1);
    if (other && room) {
        l->others.at[l->others.n++] = range;
    }
    return room;
}

jb_status
jb_runs_look(const struct jb_run_place *place, uint32_t generation, struct jb_runs_list *ret)
{
    *ret = (struct jb_runs_list){0};
    int fd = jb_descriptor_open_at(place->dir, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (d == NULL) {
        jb_status status = jb_run_errno();
        if (fd >= 0) {
            close(fd);
        }
        return status;
    }
    bool room = true;
    errno = 0;
    for (const struct dirent *e; room && (e = readdir(d)) != NULL; errno = 0) {
        room = note(ret, e->d_name, generation);
    }
    jb_status status = !room ? JB_E_NOMEM : errno != 0 ? JB_E_IO : JB_OK;
    closedir(d);
    if (status != JB_OK) {
        jb_runs_list_free(ret);
        return status;
    }
    if (ret->entries.n > 1) {
        qsort(ret->entries.at, ret->entries.n, sizeof *ret->entries.at, compare);
    }
    return JB_OK;
}

void
jb_runs_list_free(struct jb_runs_list *l)
{
    jb_vec_free(&l->entries);
    jb_vec_free(&l->others);
    jb_vec_free(&l->news);
    jb_vec_free(&l->chosen);
}

/* The best way that ends right before the entry. Whatever can come before it stands before it. */
static void
reach(struct jb_runs_list *l, size_t i, jb_seq from)
{
    struct jb_runs_entry *e = &l->entries.at[i];
    e->reached = !e->no && e->range.first == from;
    e->steps = 1;
    e->previous = SIZE_MAX;
    for (size_t j = 0; j < i && !e->no; j++) {
        const struct jb_runs_entry *p = &l->entries.at[j];
        if (p->reached && p->range.last + 1 == e->range.first &&
            (!e->reached || p->steps + 1 < e->steps)) {
            e->reached = true;
            e->steps = p->steps + 1;
            e->previous = j;
        }
    }
}

/* The last entry of the best way that begins there. SIZE_MAX: nothing does. */
static size_t
way(struct jb_runs_list *l, jb_seq from)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < l->entries.n; i++) {
        const struct jb_runs_entry *e = &l->entries.at[i];
        reach(l, i, from);
        if (e->reached && (best == SIZE_MAX || e->range.last > l->entries.at[best].range.last ||
                           (e->range.last == l->entries.at[best].range.last &&
                            e->steps < l->entries.at[best].steps))) {
            best = i;
        }
    }
    return best;
}

/* Where a run begins behind that event; 0: nowhere. */
static jb_seq
next_begin(const struct jb_runs_list *l, jb_seq end)
{
    for (size_t i = 0; i < l->entries.n; i++) {
        if (!l->entries.at[i].no && l->entries.at[i].range.first > end) {
            return l->entries.at[i].range.first;
        }
    }
    return 0;
}

bool
jb_runs_choose(struct jb_runs_list *l)
{
    l->chosen.n = 0;
    if (!jb_vec_reserve(&l->chosen, l->entries.n)) {
        return false;
    }
    jb_seq end = 0;
    for (jb_seq from; (from = next_begin(l, end)) != 0;) {
        size_t last = way(l, from), n = l->entries.at[last].steps;
        for (size_t i = n, at = last; i-- > 0; at = l->entries.at[at].previous) {
            l->chosen.at[l->chosen.n + i] = at;
        }
        l->chosen.n += n;
        end = l->entries.at[last].range.last;
    }
    return true;
}
