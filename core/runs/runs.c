#include "runs/runs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/threads.h"
#include "runs/directory.h"
#include "runs/sieve.h"
#include "storage/descriptors.h"

#define STEP_ROWS 8192
#define QUEUE_MAX 4
#define AGAIN_US JB_US_PER_SECOND
/* Merges at once: of each size at most one, and there are not more sizes. */
#define MERGES_MAX 16
/* A run of fewer rows is of the least size; each further size is eight times as large. */
#define SMALL_ROWS 4096
/* What is merged even when the runs are closed: of the two least sizes, or where they are many. */
#define CLOSING_SIZE 1
#define CLOSING_RUNS 64

struct merging {
    struct jb_merge m;
    unsigned size;
};

/* Lines of filters that were in memory when nothing had been read since. */
#define LINES_MAX 64
#define WARM_MAX 16
struct lines {
    uint64_t hash;
    unsigned reads, changes; /* of the pool, of `mine` */
    size_t n;
    const uint8_t *at[LINES_MAX]; /* of those that are not in the sieve */
};

/* A run whose rows are put into the sieve. */
struct filling {
    struct jb_run *run; /* NULL: none */
    struct jb_run_scan *scan;
};

struct jb_runs {
    struct jb_runs_options o;
    char *path;
    struct jb_run_place place;

    /* Under the lock: what there is, and what is to be done. */
    pthread_mutex_t lock;
    pthread_cond_t wake;         /* the thread: there is something to do */
    pthread_cond_t moved;        /* who waits for it */
    JB_VEC(struct jb_run *) set; /* by what they cover; behind a hole: until it is filled */
    _Atomic unsigned version;    /* of the set */
    JB_VEC(struct jb_runs_source *) queue;
    JB_VEC(struct jb_run *) dropped;     /* to be closed: freeing a large file takes long */
    JB_VEC(struct jb_run_range) garbage; /* to be removed */
    bool cleaning;                       /* the thread looks for files that nobody writes */
    bool started, stop, failing, idle;
    _Atomic bool stale; /* other processes have changed the directory */
    struct jb_sieve sieve;
    bool sieves; /* it is worth while, and there is room for more */

    /* The thread's. */
    struct filling filling;
    pthread_t thread;
    struct merging *merges[MERGES_MAX];
    size_t merges_n;
    int64_t write_again_at, merge_again_at;
    int merge_fd; /* holds the lock of who merges; -1: not */

    /* The caller's: the set as it was looked at last. */
    JB_VEC(struct jb_run *) mine;
    JB_VEC(struct jb_run *) before; /* room for the next */
    size_t mine_whole;              /* so many cover the log from its first event on */
    size_t mine_sieved;             /* so many are in the sieve */
    struct jb_sieve_part parts[JB_SIEVE_PARTS_MAX];
    unsigned parts_n;
    unsigned mine_version;
    unsigned mine_changes;
    struct jb_pool pool;
    struct lines warm[WARM_MAX]; /* of the keys that will be looked for next */
    size_t warm_n, warm_next;
};

/* ---- the directory ---- */

jb_status
jb_runs_place(const char *path, const uint8_t ledger_id[16], bool read_only,
              struct jb_run_place *ret)
{
    memcpy(ret->ledger_id, ledger_id, 16);
    if (!read_only && mkdir(path, 0700) != 0 && errno != EEXIST) {
        ret->dir = -1;
        return errno == EROFS || errno == EACCES ? JB_E_READONLY : jb_run_errno();
    }
    ret->dir = jb_descriptor_open(path, O_RDONLY | O_DIRECTORY, 0);
    return ret->dir >= 0 ? JB_OK : errno == ENOENT ? JB_E_NOTFOUND : jb_run_errno();
}

void
jb_runs_leave(struct jb_run_place *p)
{
    if (p->dir >= 0) {
        close(p->dir);
        p->dir = -1;
    }
}

static void
let_all_go(struct jb_run **runs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        jb_run_let_go(runs[i]);
    }
}

static void
stop_merging(struct jb_runs *r)
{
    if (r->merge_fd >= 0) {
        jb_descriptor_close(r->merge_fd);
        r->merge_fd = -1;
    }
}

/* ---- writing ---- */

jb_status
jb_runs_write(const struct jb_run_place *place, struct jb_runs_source *s)
{
    struct jb_run_write w;
    struct jb_run_row row;
    if (!s->sort(s->data)) {
        return JB_E_NOMEM;
    }
    jb_status status = jb_run_write_begin(&w, place, &s->range, s->rows);
    for (uint64_t i = 0; i < s->rows && status == JB_OK; i++) {
        s->row(s->data, i, &row);
        status = jb_run_write_row(&w, row.key, row.key_n, row.value, row.value_n);
    }
    if (status == JB_OK) {
        return jb_run_write_finish(&w);
    }
    jb_run_write_drop(&w);
    return status;
}

/* How many of them follow each other without a hole, from event `from` on. */
static size_t
whole(struct jb_run *const *runs, size_t n, jb_seq from)
{
    size_t i = 0;
    for (; i < n && runs[i]->range.first == from; i++) {
        from = runs[i]->range.last + 1;
    }
    return i;
}

static jb_seq
end_of(const struct jb_runs *r)
{
    size_t n = whole(r->set.at, r->set.n, 1);
    return n > 0 ? r->set.at[n - 1]->range.last : 0;
}

/* Where it belongs. SIZE_MAX: it does not follow what covers the log, or reaches into what comes
 * behind a hole. */
static size_t
place_of(const struct jb_runs *r, const struct jb_run_range *range)
{
    size_t n = whole(r->set.at, r->set.n, 1);
    jb_seq end = n > 0 ? r->set.at[n - 1]->range.last : 0;
    bool fits =
        range->first == end + 1 && (n == r->set.n || r->set.at[n]->range.first > range->last);
    return fits ? n : SIZE_MAX;
}

static void
changed(struct jb_runs *r)
{
    atomic_fetch_add(&r->version, 1);
    pthread_cond_broadcast(&r->moved);
}

/* Whoever offered it keeps it no longer. */
static void
done(struct jb_runs *r, struct jb_runs_source *s)
{
    for (size_t i = 0; i < r->queue.n; i++) {
        if (r->queue.at[i] == s) {
            r->queue.n--;
            memmove(&r->queue.at[i], &r->queue.at[i + 1], (r->queue.n - i) * sizeof *r->queue.at);
            break;
        }
    }
    atomic_store(&s->done, true);
}

/* The one that stands right behind what there is. What is covered already, also in part, will never
 * be written. */
static struct jb_runs_source *
next_source(struct jb_runs *r)
{
    struct jb_runs_source *next = NULL;
    for (size_t i = r->queue.n; i-- > 0;) {
        struct jb_runs_source *s = r->queue.at[i];
        jb_seq end = end_of(r);
        bool fits = place_of(r, &s->range) != SIZE_MAX;
        if (s->range.first <= end || (s->range.first == end + 1 && !fits)) {
            done(r, s);
        } else if (fits) {
            next = s;
        }
    }
    return next;
}

/* With the lock. Who removes the directory of what can be made again, while it is in use, gets a
 * new one. */
static void
come_back(struct jb_runs *r)
{
    struct stat st;
    struct jb_run_place place;
    if (fstat(r->place.dir, &st) == 0 && st.st_nlink == 0 &&
        jb_runs_place(r->path, r->o.ledger_id, false, &place) == JB_OK) {
        stop_merging(r);
        (void)dup3(place.dir, r->place.dir, O_CLOEXEC);
        jb_runs_leave(&place);
    }
}

/* ---- the sieve ---- */

/* Called and left with the lock. Whether all rows up to those are in it now. */
static bool
sieve_source(struct jb_runs *r, struct jb_runs_source *s)
{
    struct jb_run_row row;
    jb_seq end = r->sieve.end;
    r->sieves |= r->o.sieve_rows > 0 && r->sieve.n == 0;
    if (!r->sieves || r->filling.run != NULL || s->range.first > end + 1 || s->range.last <= end) {
        return s->range.last <= end;
    }
    if (!jb_sieve_begin(&r->sieve, &s->range, s->rows, 0)) {
        r->sieves = false;
        return false;
    }
    pthread_mutex_unlock(&r->lock);
    for (uint64_t i = 0; i < s->rows; i++) {
        s->row(s->data, i, &row);
        jb_sieve_put(&r->sieve, jb_run_hash(row.key));
    }
    jb_sieve_end(&r->sieve);
    pthread_mutex_lock(&r->lock);
    return true;
}

/* With the lock. The run whose rows come next in it; NULL: there is none. */
static struct jb_run *
next_to_sieve(const struct jb_runs *r, uint64_t *ret_rows)
{
    struct jb_run *next = r->filling.run;
    *ret_rows = 0;
    if (next != NULL || !r->sieves || r->set.n > CLOSING_RUNS) {
        return next; /* many small ones are merged before */
    }
    for (size_t i = whole(r->set.at, r->set.n, 1); i-- > 0;) {
        if (r->set.at[i]->range.last <= r->sieve.end) {
            break;
        }
        next = r->set.at[i];
        *ret_rows += next->rows;
    }
    return next;
}

/* With the lock. */
static void
end_filling(struct jb_runs *r)
{
    if (r->filling.run != NULL) {
        jb_run_let_go(r->filling.run);
        free(r->filling.scan);
        r->filling = (struct filling){0};
    }
}

/* With the lock. False: there is no room. */
static bool
begin_filling(struct jb_runs *r, struct jb_run *run, uint64_t rows)
{
    struct jb_run_scan *scan = malloc(sizeof *scan);
    if (scan == NULL || !jb_sieve_begin(&r->sieve, &run->range, run->rows, rows)) {
        free(scan);
        return false;
    }
    jb_run_use(run);
    jb_run_scan_begin(scan, run);
    r->filling = (struct filling){run, scan};
    return true;
}

static void cut(struct jb_runs *r, const struct jb_run *bad);

/* Called and left with the lock: some rows of runs that were there before. */
static void
fill(struct jb_runs *r, struct jb_run *run, uint64_t expected)
{
    if (r->filling.run == NULL && !begin_filling(r, run, expected)) {
        r->sieves = false;
        return;
    }
    pthread_mutex_unlock(&r->lock);
    struct jb_run_scan *scan = r->filling.scan;
    jb_status status = JB_OK;
    uint64_t rows = r->o.step_rows != 0 ? r->o.step_rows : STEP_ROWS;
    for (; rows > 0 && (status = jb_run_scan_next(scan)) == JB_OK; rows--) {
        jb_sieve_put(&r->sieve, scan->hash);
    }
    pthread_mutex_lock(&r->lock);
    if (status == JB_E_NOTFOUND) {
        jb_sieve_end(&r->sieve);
        r->sieve.end = run->range.last;
        changed(r);
    } else if (status == JB_E_STALE) {
        cut(r, run);
    } else if (status != JB_OK) {
        r->sieves = false;
    }
    if (status != JB_OK) {
        end_filling(r);
    }
}

/* Called and left with the lock. */
static void
write_source(struct jb_runs *r, struct jb_runs_source *s)
{
    struct jb_run *run = NULL;
    pthread_mutex_unlock(&r->lock);
    jb_status status = jb_runs_write(&r->place, s);
    status = status == JB_OK ? jb_run_open(&r->place, &s->range, &run) : status;
    pthread_mutex_lock(&r->lock);
    if (status == JB_OK && sieve_source(r, s) && s->range.last > r->sieve.end) {
        r->sieve.end = s->range.last;
    }
    size_t at = place_of(r, &s->range);
    bool fits = status == JB_OK && at != SIZE_MAX;
    if (fits && jb_vec_reserve(&r->set, r->set.n + 1)) {
        memmove(&r->set.at[at + 1], &r->set.at[at], (r->set.n - at) * sizeof *r->set.at);
        r->set.at[at] = run;
        r->set.n++;
        done(r, s);
        r->failing = false;
        changed(r);
        return;
    }
    if (run != NULL) {
        jb_run_let_go(run);
    }
    if (status != JB_OK || fits) {
        come_back(r);
        r->failing = true;
        r->write_again_at = jb_monotonic_us() + AGAIN_US;
        pthread_cond_broadcast(&r->moved);
    }
}

/* ---- merging ---- */

static unsigned
size_of(const struct jb_run *run)
{
    unsigned size = 0;
    for (uint64_t rows = run->rows / SMALL_ROWS; rows > 0; rows /= JB_MERGE_RUNS_MAX) {
        size++;
    }
    return size;
}

/* The first of eight runs side by side that no merge has, of the least size there is. A run is as
 * large as the largest behind it: so sizes only fall, and small ones between large ones are taken
 * with those. */
static bool
plan(const struct jb_runs *r, size_t *ret, unsigned *ret_size)
{
    unsigned size = 0;
    size_t n = 0;
    for (size_t i = r->set.n; i-- > 0;) {
        unsigned own = size_of(r->set.at[i]);
        bool hole =
            i + 1 < r->set.n && r->set.at[i]->range.last + 1 != r->set.at[i + 1]->range.first;
        bool ends = own > size || r->set.at[i]->taken || hole;
        if (ends && n >= JB_MERGE_RUNS_MAX) {
            *ret = i + 1;
            *ret_size = size;
            return true;
        }
        n = r->set.at[i]->taken ? 0 : ends ? 1 : n + 1;
        size = own > size ? own : size;
    }
    *ret = 0;
    *ret_size = size;
    return n >= JB_MERGE_RUNS_MAX;
}

/* With the lock. */
static void
end_merge(struct jb_runs *r, struct merging *m)
{
    for (size_t i = 0; i < r->merges_n; i++) {
        if (r->merges[i] == m) {
            r->merges[i] = r->merges[--r->merges_n];
            break;
        }
    }
    for (unsigned i = 0; i < m->m.n; i++) {
        m->m.runs[i]->taken = false;
    }
    pthread_mutex_unlock(&r->lock);
    jb_merge_end(&m->m);
    free(m);
    pthread_mutex_lock(&r->lock);
}

/* One process at a time; others do without, and whoever is killed holds it no longer. */
static bool
may_merge(struct jb_runs *r)
{
    if (r->merge_fd < 0) {
        r->merge_fd = jb_descriptor_open_at_locking(r->place.dir, ".", O_RDONLY | O_DIRECTORY, 0);
        if (r->merge_fd >= 0 && flock(r->merge_fd, LOCK_EX | LOCK_NB) != 0) {
            jb_descriptor_close(r->merge_fd);
            r->merge_fd = -1;
        }
    }
    return r->merge_fd >= 0;
}

/* All still have their names: nobody else has merged or replaced them. */
static bool
all_there(const struct jb_runs *r, size_t from)
{
    for (size_t i = from; i < from + JB_MERGE_RUNS_MAX; i++) {
        if (!jb_run_is_there(&r->place, r->set.at[i])) {
            return false;
        }
    }
    return true;
}

static void
remove_run(const struct jb_runs *r, const struct jb_run_range *range)
{
    char name[JB_RUN_NAME_BYTES];
    jb_run_name(range, name);
    unlinkat(r->place.dir, name, 0);
}

/* With the lock. */
static void
drop(struct jb_runs *r, struct jb_run *run)
{
    if (r->started && jb_vec_reserve(&r->dropped, r->dropped.n + 1)) {
        r->dropped.at[r->dropped.n++] = run;
        pthread_cond_signal(&r->wake);
    } else {
        jb_run_let_go(run);
    }
}

/* With the lock: that run leaves the set, if it is in it, and the directory, if nobody has replaced
 * it there. */
static void
cut(struct jb_runs *r, const struct jb_run *bad)
{
    size_t at = 0;
    while (at < r->set.n && r->set.at[at] != bad) {
        at++;
    }
    if (at < r->set.n) {
        if (!r->o.read_only && jb_run_is_there(&r->place, bad)) {
            remove_run(r, &bad->range);
        }
        struct jb_run *run = r->set.at[at];
        r->set.n--;
        memmove(&r->set.at[at], &r->set.at[at + 1], (r->set.n - at) * sizeof *r->set.at);
        drop(r, run);
        changed(r);
    }
}

/* With the lock. */
static void
merge_failed(struct jb_runs *r, struct merging *m)
{
    if (m->m.bad < m->m.n) {
        cut(r, m->m.runs[m->m.bad]);
    }
    r->merge_again_at = jb_monotonic_us() + AGAIN_US;
    end_merge(r, m);
}

/* Called and left with the lock. NULL: it cannot be done now. */
static struct merging *
begin_merge(struct jb_runs *r, struct jb_run **at, unsigned size)
{
    struct jb_run *runs[JB_MERGE_RUNS_MAX];
    struct merging *m = malloc(sizeof *m);
    if (m == NULL) {
        r->merge_again_at = jb_monotonic_us() + AGAIN_US;
        return NULL;
    }
    for (size_t i = 0; i < JB_MERGE_RUNS_MAX; i++) {
        jb_run_use(runs[i] = at[i]);
        runs[i]->taken = true;
    }
    m->size = size;
    r->merges[r->merges_n++] = m;
    pthread_mutex_unlock(&r->lock);
    jb_status status = jb_merge_begin(&m->m, &r->place, runs, JB_MERGE_RUNS_MAX);
    let_all_go(runs, JB_MERGE_RUNS_MAX);
    pthread_mutex_lock(&r->lock);
    if (status != JB_OK) {
        merge_failed(r, m);
        return NULL;
    }
    return m;
}

/* With the lock. A merge that is worth a step, or NULL. */
static struct merging *
next_merge(struct jb_runs *r)
{
    size_t from;
    unsigned size;
    struct merging *least = NULL;
    for (size_t i = 0; i < r->merges_n; i++) {
        least = least == NULL || r->merges[i]->size < least->size ? r->merges[i] : least;
    }
    if (r->stale || jb_monotonic_us() < r->merge_again_at || !plan(r, &from, &size) ||
        (least != NULL && least->size <= size) || r->merges_n == MERGES_MAX) {
        return least;
    }
    if (!may_merge(r)) {
        r->merge_again_at = jb_monotonic_us() + AGAIN_US;
        return least;
    }
    if (!all_there(r, from)) {
        r->stale = true;
        return least;
    }
    return begin_merge(r, &r->set.at[from], size);
}

/* With the lock: the runs of a merge make room for the new one, if they still stand there. */
static bool
replace(struct jb_runs *r, const struct jb_merge *m, struct jb_run *run)
{
    size_t at = 0;
    while (at < r->set.n && r->set.at[at] != m->runs[0]) {
        at++;
    }
    if (at + m->n > r->set.n) {
        return false;
    }
    for (unsigned i = 0; i < m->n; i++) {
        if (r->set.at[at + i] != m->runs[i]) {
            return false;
        }
    }
    for (unsigned i = 0; i < m->n; i++) {
        drop(r, r->set.at[at + i]);
    }
    r->set.at[at] = run;
    memmove(&r->set.at[at + 1], &r->set.at[at + m->n], (r->set.n - at - m->n) * sizeof *r->set.at);
    r->set.n -= m->n - 1;
    changed(r);
    return true;
}

/* JB_OK also where what was merged has gone meanwhile. */
static jb_status
finish_merge(struct jb_runs *r, struct merging *m)
{
    struct jb_run *run = NULL;
    struct jb_run_range range = m->m.out.range;
    jb_status status = jb_run_open(&r->place, &range, &run);
    pthread_mutex_lock(&r->lock);
    bool replaced = status == JB_OK && replace(r, &m->m, run);
    pthread_mutex_unlock(&r->lock);
    if (!replaced) {
        if (run != NULL) {
            jb_run_let_go(run);
        }
        return status;
    }
    for (unsigned i = 0; i < m->m.n; i++) {
        remove_run(r, &m->m.runs[i]->range);
    }
    return JB_OK;
}

/* Called and left with the lock. */
static void
step(struct jb_runs *r, struct merging *m)
{
    bool finished;
    pthread_mutex_unlock(&r->lock);
    jb_status status =
        jb_merge_step(&m->m, r->o.step_rows != 0 ? r->o.step_rows : STEP_ROWS, &finished);
    if (status == JB_OK && finished) {
        status = finish_merge(r, m);
    }
    pthread_mutex_lock(&r->lock);
    if (status != JB_OK) {
        merge_failed(r, m);
    } else if (finished) {
        end_merge(r, m);
    }
}

/* ---- tidying ---- */

/* Files that are being written are locked by who writes them. */
static void
remove_new(const struct jb_runs *r, uint64_t number)
{
    char name[JB_RUN_NAME_BYTES];
    jb_run_name_new(number, name);
    int fd =
        jb_descriptor_open_at_locking(r->place.dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        unlinkat(r->place.dir, name, 0);
    }
    jb_descriptor_close(fd);
}

/* Called and left with the lock. */
static void
tidy(struct jb_runs *r)
{
    while (r->dropped.n > 0) {
        struct jb_run *run = r->dropped.at[--r->dropped.n];
        pthread_mutex_unlock(&r->lock);
        jb_run_let_go(run);
        pthread_mutex_lock(&r->lock);
    }
    if (!r->cleaning || !may_merge(r)) {
        return; /* who merges does it */
    }
    r->cleaning = false;
    while (r->garbage.n > 0) {
        struct jb_run_range range = r->garbage.at[--r->garbage.n];
        pthread_mutex_unlock(&r->lock);
        remove_run(r, &range);
        pthread_mutex_lock(&r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    struct jb_runs_list list;
    if (jb_runs_look(&r->place, r->o.generation, &list) == JB_OK) {
        for (size_t i = 0; i < list.news.n; i++) {
            remove_new(r, list.news.at[i]);
        }
        jb_runs_list_free(&list);
    }
    pthread_mutex_lock(&r->lock);
}

/* ---- the thread ---- */

static void
sleep_a_while(struct jb_runs *r)
{
    struct timespec until;
    r->idle = true;
    pthread_cond_broadcast(&r->moved);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1;
    pthread_cond_timedwait(&r->wake, &r->lock, &until);
    r->idle = false;
}

/* Who writes little at a time and closes does not leave more and more small runs. */
static bool
must_merge(const struct jb_runs *r, const struct merging *m)
{
    return m != NULL && (m->size <= CLOSING_SIZE || r->set.n > CLOSING_RUNS);
}

static void *
work(void *data)
{
    struct jb_runs *r = data;
    pthread_setname_np(pthread_self(), "jangbu-runs");
    pthread_mutex_lock(&r->lock);
    for (;;) {
        tidy(r);
        struct jb_runs_source *s = next_source(r);
        bool wait = r->failing && jb_monotonic_us() < r->write_again_at;
        if (s != NULL && !wait) {
            write_source(r, s);
            continue;
        }
        uint64_t rows;
        struct jb_run *run = r->stop ? NULL : next_to_sieve(r, &rows);
        if (run != NULL) {
            fill(r, run, rows);
            continue;
        }
        struct merging *m = next_merge(r);
        if (r->stop && !must_merge(r, m)) {
            break;
        }
        if (m != NULL) {
            step(r, m);
            continue;
        }
        stop_merging(r);
        sleep_a_while(r);
    }
    while (r->merges_n > 0) {
        end_merge(r, r->merges[0]);
    }
    end_filling(r);
    stop_merging(r);
    r->idle = true;
    pthread_cond_broadcast(&r->moved);
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* With the lock. */
static bool
start(struct jb_runs *r)
{
    r->started = r->started || (!r->o.read_only && jb_thread_start(&r->thread, work, r));
    return r->started;
}

/* ---- opening ---- */

/* Opens those that were chosen. *ret_bad: the one that cannot be used. JB_E_NOTFOUND: it is not
 * there any more. */
static jb_status
open_chosen(struct jb_runs *r, struct jb_runs_list *l, struct jb_run **runs, size_t *ret_bad,
            struct jb_error *err)
{
    size_t i = 0;
    jb_status status = JB_OK;
    while (i < l->chosen.n && status == JB_OK) {
        *ret_bad = l->chosen.at[i];
        status = jb_run_open(&r->place, &l->entries.at[*ret_bad].range, &runs[i]);
        if (status == JB_OK) {
            jb_status known = r->o.known(r->o.data, &runs[i]->range, err);
            status = known == JB_E_NOTFOUND ? JB_E_STALE : known;
            i++;
        }
    }
    if (status != JB_OK) {
        let_all_go(runs, i);
    }
    return status;
}

/* Whatever was not chosen: it cannot be used, or others cover it. Runs of a later generation are
 * such where the store has just been read; for who has had it open, they may be the store's by now.
 */
static void
note_garbage(struct jb_runs *r, const struct jb_runs_list *l, bool opening)
{
    size_t chosen = 0;
    r->garbage.n = 0;
    if (!jb_vec_reserve(&r->garbage, l->entries.n + l->others.n)) {
        return;
    }
    for (size_t i = 0; i < l->entries.n; i++) {
        if (chosen < l->chosen.n && l->chosen.at[chosen] == i) {
            chosen++;
        } else {
            r->garbage.at[r->garbage.n++] = l->entries.at[i].range;
        }
    }
    for (size_t i = 0; i < l->others.n; i++) {
        if (opening || l->others.at[i].generation < r->o.generation) {
            r->garbage.at[r->garbage.n++] = l->others.at[i];
        }
    }
    r->cleaning = r->garbage.n > 0 || l->news.n > 0;
}

/* What the directory has now. */
static jb_status
look(struct jb_runs *r, bool opening, struct jb_run ***ret, size_t *ret_n, struct jb_error *err)
{
    struct jb_runs_list l;
    jb_status status = jb_runs_look(&r->place, r->o.generation, &l);
    struct jb_run **runs = status == JB_OK ? malloc((l.entries.n + 1) * sizeof(void *)) : NULL;
    if (runs == NULL) {
        jb_runs_list_free(&l);
        return status == JB_OK ? JB_E_NOMEM : status;
    }
    size_t bad = 0;
    do {
        status = jb_runs_choose(&l) ? open_chosen(r, &l, runs, &bad, err) : JB_E_NOMEM;
        if (status == JB_E_STALE) {
            l.entries.at[bad].no = true; /* another way, then */
        }
    } while (status == JB_E_STALE);
    if (status == JB_OK) {
        note_garbage(r, &l, opening);
        *ret = runs;
        *ret_n = l.chosen.n;
    } else {
        free(runs);
    }
    jb_runs_list_free(&l);
    return status;
}

/* Files may go while they are looked for: merged by another process, which leaves a larger one. */
static jb_status
look_again(struct jb_runs *r, bool opening, struct jb_run ***ret, size_t *ret_n,
           struct jb_error *err)
{
    jb_status status = JB_E_NOTFOUND;
    for (unsigned i = 0; i < 100 && status == JB_E_NOTFOUND; i++) {
        status = look(r, opening, ret, ret_n, err);
    }
    return status;
}

/* One of those that were looked at last. */
static void
forget(struct jb_runs *r, struct jb_run *run)
{
    bool kept = false;
    for (size_t i = 0; i < r->mine.n; i++) {
        kept |= r->mine.at[i] == run;
    }
    if (!kept) {
        jb_pool_forget(&r->pool, run);
    }
    drop(r, run);
}

/* One of them was damaged: it goes at once, whether or not there is memory to adopt the set. */
static void
cut_mine(struct jb_runs *r, size_t i)
{
    struct jb_run *run = r->mine.at[i];
    r->mine_changes++;
    r->mine.n--;
    memmove(&r->mine.at[i], &r->mine.at[i + 1], (r->mine.n - i) * sizeof *r->mine.at);
    r->mine_whole = i < r->mine_whole ? i : r->mine_whole;
    r->mine_sieved -= i < r->mine_sieved ? 1 : 0;
    forget(r, run);
}

/* With the lock. Where the sieve answers for all of them pages make room for it. */
static void
adopt_sieve(struct jb_runs *r)
{
    size_t pages = r->o.pool_pages, least = pages / 8, taken = r->sieve.bytes / JB_RUN_PAGE_BYTES;
    memcpy(r->parts, r->sieve.parts, sizeof r->parts);
    r->parts_n = r->sieve.n;
    for (r->mine_sieved = 0; r->mine_sieved < r->mine.n; r->mine_sieved++) {
        if (r->mine.at[r->mine_sieved]->range.last > r->sieve.end) {
            break;
        }
    }
    bool all = r->mine_sieved > 0 && r->mine_sieved >= r->mine_whole;
    jb_pool_limit(&r->pool, !all ? pages : taken + least < pages ? pages - taken : least);
}

static void
adopt(struct jb_runs *r)
{
    if (r->mine_version == atomic_load(&r->version)) {
        return;
    }
    pthread_mutex_lock(&r->lock);
    if (jb_vec_reserve(&r->before, r->set.n)) {
        struct jb_run **at = r->before.at;
        size_t n = r->mine.n, cap = r->before.cap;
        for (size_t i = 0; i < r->set.n; i++) {
            jb_run_use(at[i] = r->set.at[i]);
        }
        r->before.at = r->mine.at;
        r->before.cap = r->mine.cap;
        r->mine.at = at;
        r->mine_changes++;
        r->mine.n = r->set.n;
        r->mine.cap = cap;
        for (size_t i = 0; i < n; i++) {
            forget(r, r->before.at[i]);
        }
        r->mine_whole = whole(r->mine.at, r->mine.n, 1);
        adopt_sieve(r);
        r->mine_version = atomic_load(&r->version);
    }
    pthread_mutex_unlock(&r->lock);
}

static void
free_all(struct jb_runs *r)
{
    let_all_go(r->mine.at, r->mine.n);
    let_all_go(r->set.at, r->set.n);
    let_all_go(r->dropped.at, r->dropped.n);
    jb_vec_free(&r->mine);
    jb_vec_free(&r->before);
    jb_vec_free(&r->set);
    jb_vec_free(&r->dropped);
    jb_vec_free(&r->queue);
    jb_vec_free(&r->garbage);
    jb_pool_free(&r->pool);
    jb_sieve_free(&r->sieve);
    jb_runs_leave(&r->place);
    free(r->path);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->wake);
    pthread_cond_destroy(&r->moved);
    free(r);
}

static jb_status
open_all(struct jb_runs *r, struct jb_error *err)
{
    struct jb_run **runs;
    size_t n, from;
    unsigned size;
    jb_status status = jb_runs_place(r->path, r->o.ledger_id, true, &r->place);
    if (status == JB_E_NOTFOUND) {
        return JB_OK;
    }
    status = status == JB_OK ? look_again(r, true, &runs, &n, err) : status;
    if (status != JB_OK) {
        return status;
    }
    r->set.at = runs;
    r->set.n = n;
    r->set.cap = n + 1;
    atomic_fetch_add(&r->version, 1);
    pthread_mutex_lock(&r->lock);
    if (r->cleaning || plan(r, &from, &size)) {
        start(r);
    }
    pthread_mutex_unlock(&r->lock);
    return JB_OK;
}

jb_status
jb_runs_open(const struct jb_runs_options *o, struct jb_runs **ret, struct jb_error *err)
{
    struct jb_runs *r = calloc(1, sizeof *r);
    if (r == NULL) {
        return JB_E_NOMEM;
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->wake, &monotonic);
    pthread_cond_init(&r->moved, &monotonic);
    pthread_condattr_destroy(&monotonic);
    r->o = *o;
    r->place.dir = -1;
    r->merge_fd = -1;
    r->pool.frames_max = o->pool_pages;
    r->sieve.rows_first = o->sieve_rows;
    r->sieve.bytes_max = o->pool_pages * JB_RUN_PAGE_BYTES / 8 * 7;
    r->path = strdup(o->path);
    jb_status status = r->path != NULL ? open_all(r, err) : JB_E_NOMEM;
    if (status != JB_OK) {
        jb_runs_close(r);
        return status;
    }
    *ret = r;
    return JB_OK;
}

struct jb_runs *
jb_runs_close(struct jb_runs *r)
{
    if (r == NULL) {
        return NULL;
    }
    if (r->started) {
        pthread_mutex_lock(&r->lock);
        r->stop = true;
        pthread_cond_signal(&r->wake);
        pthread_mutex_unlock(&r->lock);
        pthread_join(r->thread, NULL);
    }
    free_all(r);
    return NULL;
}

/* ---- the caller's side ---- */

jb_seq
jb_runs_end(struct jb_runs *r)
{
    adopt(r);
    return r->mine_whole > 0 ? r->mine.at[r->mine_whole - 1]->range.last : 0;
}

jb_seq
jb_runs_reach(const struct jb_runs *r, jb_seq end, jb_seq *ret_next)
{
    *ret_next = UINT64_MAX;
    for (size_t i = r->mine_whole; i < r->mine.n; i++) {
        const struct jb_run_range *range = &r->mine.at[i]->range;
        if (range->first > end + 1) {
            *ret_next = range->first;
            return end;
        }
        end = range->last > end ? range->last : end;
    }
    return end;
}

uint64_t
jb_runs_rows(struct jb_runs *r, size_t *ret_runs)
{
    uint64_t rows = 0;
    pthread_mutex_lock(&r->lock);
    *ret_runs = whole(r->set.at, r->set.n, 1);
    for (size_t i = 0; i < *ret_runs; i++) {
        rows += r->set.at[i]->rows;
    }
    pthread_mutex_unlock(&r->lock);
    return rows;
}

static jb_status
find_in(struct jb_runs *r, struct jb_run *run, uint64_t hash, jb_runs_found found, void *data)
{
    jb_status status;
    uint8_t key[JB_RUN_HASH_BYTES];
    struct jb_run_at at;
    jb_put_be(key, 8, hash);
    status = jb_run_seek(&r->pool, run, key, sizeof key, &at);
    while (status == JB_OK && memcmp(at.row.key, key, sizeof key) == 0) {
        status = found(data, &at.row);
        status = status == JB_OK ? jb_run_next(&r->pool, &at) : status;
    }
    return status == JB_E_NOTFOUND ? JB_OK : status;
}

/* Where the lines of a hash lie. They come side by side. */
static void
send_for_lines(const struct jb_runs *r, uint64_t hash, struct lines *ret)
{
    ret->hash = hash;
    ret->reads = r->pool.reads;
    ret->changes = r->mine_changes;
    ret->n = r->mine.n - r->mine_sieved;
    ret->n = ret->n < LINES_MAX ? ret->n : LINES_MAX;
    for (size_t i = 0; i < ret->n; i++) {
        ret->at[i] = jb_run_line_there(&r->pool, r->mine.at[r->mine_sieved + i], hash);
        __builtin_prefetch(ret->at[i]);
    }
}

void
jb_runs_warm(struct jb_runs *r, const uint64_t *hashes, size_t n)
{
    r->warm_n = n < WARM_MAX ? n : WARM_MAX;
    r->warm_next = 0;
    for (size_t i = 0; i < r->warm_n; i++) {
        for (unsigned p = 0; p < r->parts_n && r->mine_sieved > 0; p++) {
            __builtin_prefetch((const void *)jb_sieve_line(&r->parts[p], hashes[i]));
        }
        send_for_lines(r, hashes[i], &r->warm[i]);
    }
}

/* Those of a hash that was sent for, in that order, if they lie there still; else they are sent for
 * now. */
static const struct lines *
lines_of(struct jb_runs *r, uint64_t hash, struct lines *own)
{
    for (size_t i = r->warm_next; i < r->warm_n; i++) {
        const struct lines *l = &r->warm[i];
        if (l->hash == hash && l->reads == r->pool.reads && l->changes == r->mine_changes) {
            r->warm_next = i + 1;
            return l;
        }
    }
    send_for_lines(r, hash, own);
    return own;
}

static jb_status
may_have(struct jb_runs *r, const struct lines *lines, size_t i, uint64_t hash,
         const uint8_t bits[JB_FILTER_LINE], bool *ret)
{
    size_t k = i - r->mine_sieved;
    bool there = i >= r->mine_sieved && k < lines->n && lines->at[k] != NULL &&
                 lines->reads == r->pool.reads;
    const uint8_t *line = there ? lines->at[k] : NULL;
    jb_status status = there ? JB_OK : jb_run_line(&r->pool, r->mine.at[i], hash, &line);
    *ret = status == JB_OK && jb_filter_has(line, bits);
    return status;
}

/* The parts of the sieve that seem to have it, a bit each. */
static uint32_t
seems_in(const struct jb_runs *r, uint64_t hash)
{
    uint32_t seems = 0;
    uint64_t bits = jb_sieve_bits(hash);
    for (unsigned i = 0; i < r->parts_n && r->mine_sieved > 0; i++) {
        seems |= (uint32_t)jb_sieve_has(jb_sieve_line(&r->parts[i], hash), bits) << i;
    }
    return seems;
}

/* Whether one of them may have it from that run. */
static bool
is_of(const struct jb_runs *r, uint32_t seems, const struct jb_run *run)
{
    for (unsigned i = 0; i < r->parts_n; i++) {
        const struct jb_sieve_part *p = &r->parts[i];
        if ((seems & 1U << i) != 0 && run->range.first <= p->last && run->range.last >= p->first) {
            return true;
        }
    }
    return false;
}

jb_status
jb_runs_find(struct jb_runs *r, uint64_t hash, jb_runs_found found, void *data)
{
    jb_status status = JB_OK;
    struct lines own;
    const struct lines *lines = lines_of(r, hash, &own);
    const uint32_t seems = seems_in(r, hash);
    const size_t least = seems != 0 ? 0 : r->mine_sieved;
    uint8_t bits[JB_FILTER_LINE] = {0};
    if (least == r->mine.n) {
        return JB_OK;
    }
    jb_filter_put(bits, hash);
    for (size_t i = r->mine.n; i-- > least && status == JB_OK;) {
        bool may = i >= r->mine_sieved || is_of(r, seems, r->mine.at[i]);
        status = may ? may_have(r, lines, i, hash, bits, &may) : JB_OK;
        if (status == JB_OK && may) {
            status = find_in(r, r->mine.at[i], hash, found, data);
        }
        if (status == JB_E_STALE) {
            pthread_mutex_lock(&r->lock);
            cut(r, r->mine.at[i]);
            cut_mine(r, i);
            pthread_mutex_unlock(&r->lock);
        }
    }
    return status;
}

/* Whether the row that the scan stands at is found by its key, too: of a page's first row what
 * leads to the page is gone through, of the others the filter alone is asked. */
static jb_status
is_found(struct jb_runs *r, const struct jb_run_scan *s, bool first)
{
    struct jb_run_at at;
    uint8_t bits[JB_FILTER_LINE] = {0};
    const uint8_t *line = NULL;
    jb_filter_put(bits, s->hash);
    jb_status status = jb_run_line(&r->pool, s->run, s->hash, &line);
    bool may = status == JB_OK && jb_filter_has(line, bits);
    if (status != JB_OK || !may || !first) {
        return status == JB_OK && !may ? JB_E_STALE : status;
    }
    status = jb_run_seek(&r->pool, s->run, s->row.key, s->row.key_n, &at);
    bool same = status == JB_OK && at.row.key_n == s->row.key_n &&
                memcmp(at.row.key, s->row.key, s->row.key_n) == 0;
    return status == JB_E_NOTFOUND || (status == JB_OK && !same) ? JB_E_STALE : status;
}

static jb_status
each_of(struct jb_runs *r, struct jb_run_scan *s, struct jb_run *run, jb_runs_found found,
        void *data)
{
    jb_run_scan_begin(s, run);
    jb_status status;
    uint64_t rows = 0;
    for (bool first = true; (status = jb_run_scan_next(s)) == JB_OK; first = s->walk.left == 0) {
        status = is_found(r, s, first);
        status = status == JB_OK ? found(data, &s->row) : status;
        if (status != JB_OK) {
            return status;
        }
        rows++;
    }
    return status != JB_E_NOTFOUND ? status : rows == run->rows ? JB_OK : JB_E_STALE;
}

jb_status
jb_runs_each(struct jb_runs *r, jb_runs_found found, void *data)
{
    struct jb_run_scan *s = malloc(sizeof *s);
    jb_status status = s != NULL ? JB_OK : JB_E_NOMEM;
    adopt(r);
    for (size_t i = 0; i < r->mine_whole && status == JB_OK; i++) {
        status = each_of(r, s, r->mine.at[i], found, data);
    }
    free(s);
    return status;
}

bool
jb_runs_offer(struct jb_runs *r, struct jb_runs_source *s)
{
    pthread_mutex_lock(&r->lock);
    if (r->place.dir < 0 && !r->o.read_only) {
        (void)jb_runs_place(r->path, r->o.ledger_id, false, &r->place);
    }
    size_t before = 0; /* what waits behind a hole does not keep out what fills it */
    for (size_t i = 0; i < r->queue.n; i++) {
        before += r->queue.at[i]->range.first < s->range.first;
    }
    bool room = r->place.dir >= 0 && before < QUEUE_MAX &&
                jb_vec_reserve(&r->queue, r->queue.n + 1) && start(r);
    if (room) {
        atomic_store(&s->done, false);
        r->queue.at[r->queue.n++] = s;
        pthread_cond_signal(&r->wake);
    }
    pthread_mutex_unlock(&r->lock);
    return room;
}

unsigned
jb_runs_reads(const struct jb_runs *r, size_t *ret_sieved)
{
    *ret_sieved = r->mine_sieved;
    return r->pool.reads;
}

bool
jb_runs_failing(struct jb_runs *r)
{
    pthread_mutex_lock(&r->lock);
    bool failing = r->failing;
    pthread_mutex_unlock(&r->lock);
    return failing;
}

void
jb_runs_settle(struct jb_runs *r, bool merges)
{
    size_t from;
    unsigned size;
    pthread_mutex_lock(&r->lock);
    while (r->started && !r->failing &&
           (next_source(r) != NULL ||
            (merges && !(r->idle && r->merges_n == 0 && !plan(r, &from, &size))))) {
        pthread_cond_signal(&r->wake);
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += 1;
        pthread_cond_timedwait(&r->moved, &r->lock, &until);
        if (merges && r->stale) {
            break;
        }
    }
    pthread_mutex_unlock(&r->lock);
}

/* Those that are the same are kept, with what is in memory of them. */
static void
keep_same(struct jb_runs *r, struct jb_run **runs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < r->set.n; k++) {
            if (r->set.at[k]->file == runs[i]->file) {
                jb_run_let_go(runs[i]);
                jb_run_use(runs[i] = r->set.at[k]);
                break;
            }
        }
    }
}

void
jb_runs_refresh(struct jb_runs *r)
{
    struct jb_run **runs;
    size_t n;
    struct jb_error ignored;
    if (!r->stale || r->place.dir < 0) {
        return;
    }
    pthread_mutex_lock(&r->lock);
    if (look_again(r, false, &runs, &n, &ignored) == JB_OK) {
        keep_same(r, runs, n);
        while (r->set.n > 0) {
            drop(r, r->set.at[--r->set.n]);
        }
        free(r->set.at);
        r->set.at = runs;
        r->set.n = n;
        r->set.cap = n + 1;
        changed(r);
    }
    r->stale = false;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
}
