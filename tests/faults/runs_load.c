/*
 * Runs (core/runs) under faults and under load.
 *
 * usage: runs_load fill DIR ROWS    goes on to so many rows; says "done N" when the first N are
 *                                   durable
 *        runs_load check DIR        looks for every row; says "covers N"
 *        runs_load bench DIR ROWS   writes and looks at once; says how long all of it took
 */
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../check.h"
#include "base/clock.h"
#include "base/error.h"
#include "runs/runs.h"

static const uint8_t ledger_id[16] = {1, 9};

static uint64_t
hash_of(uint64_t n)
{
    n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
    return n ^ n >> 31;
}

struct item {
    uint64_t hash, number;
};
struct part {
    struct item *at;
    uint64_t n;
    struct jb_runs_source source;
};

static int
compare(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static bool
sort(void *data)
{
    struct part *p = data;
    qsort(p->at, p->n, sizeof *p->at, compare);
    return true;
}

static void
row(void *data, uint64_t i, struct jb_run_row *ret)
{
    const struct part *p = data;
    jb_put_be(ret->key, 8, p->at[i].hash);
    jb_put_be(ret->key + 8, 6, p->at[i].number & 0xffffffffffff);
    ret->key_n = 14;
    ret->value = NULL;
    ret->value_n = 0;
}

static void
make_part(struct part *p, uint64_t first, uint64_t n)
{
    *p = (struct part){.at = malloc(n * sizeof *p->at), .n = n};
    must(p->at != NULL, "no memory");
    for (uint64_t i = 0; i < n; i++) {
        p->at[i] = (struct item){hash_of(first + i), first + i};
    }
    p->source = (struct jb_runs_source){
        .range = {1, first, first + n - 1, {0}}, .rows = n, .sort = sort, .row = row};
}

static jb_status
known(void *data, const struct jb_run_range *range, struct jb_error *err)
{
    (void)data;
    (void)range;
    (void)err;
    return JB_OK;
}

static struct jb_runs *
open_runs(const char *dir, uint64_t step_rows)
{
    struct jb_runs_options o = {
        .path = dir, .generation = 1, .pool_pages = 65536, .known = known, .step_rows = step_rows};
    struct jb_runs *r;
    struct jb_error err;
    memcpy(o.ledger_id, ledger_id, 16);
    must(jb_runs_open(&o, &r, &err) == JB_OK, "the runs cannot be opened");
    return r;
}

static jb_status
look(void *data, const struct jb_run_row *found)
{
    uint64_t *number = data;
    if (jb_get_be(found->key + 8, 6) == *number) {
        *number = 0;
        return JB_END;
    }
    return JB_OK;
}

/* Looks for the row; damage is none of what happens here. */
static bool
has(struct jb_runs *r, uint64_t number)
{
    uint64_t looked_for = number;
    (void)jb_runs_end(r); /* what was written meanwhile is looked into, too */
    jb_status status = jb_runs_find(r, hash_of(number), look, &looked_for);
    must(status == JB_OK || status == JB_END, "a run is damaged");
    return looked_for == 0;
}

static int
fill(const char *dir, uint64_t rows)
{
    struct jb_runs *r = open_runs(dir, 64);
    for (uint64_t end = jb_runs_end(r); end < rows; end = jb_runs_end(r)) {
        struct part p;
        make_part(&p, end + 1, end % 11 * 10 + 5 < rows - end ? end % 11 * 10 + 5 : rows - end);
        p.source.data = &p;
        while (!jb_runs_offer(r, &p.source)) {
            usleep(1000);
        }
        do {
            jb_runs_settle(r, end % 5 == 0);
            usleep(p.source.done ? 0 : 10000);
        } while (!p.source.done);
        free(p.at);
        printf("done %" PRIu64 "\n", end + p.n);
        fflush(stdout);
    }
    jb_runs_settle(r, true);
    jb_runs_close(r);
    return 0;
}

static int
check(const char *dir)
{
    struct jb_runs *r = open_runs(dir, 0);
    uint64_t end = jb_runs_end(r);
    for (uint64_t i = 1; i <= end + 1000; i++) {
        must(has(r, i) == (i <= end), "a row is missing, or there is one too many");
    }
    jb_runs_settle(r, true);
    jb_runs_close(r);
    printf("covers %" PRIu64 "\n", end);
    return 0;
}

/* ---- how fast ---- */

#define PART 131072
#define BATCH 8192

static void
look_many(struct jb_runs *r, const char *what, uint64_t from, uint64_t range, bool there)
{
    const uint64_t n = 200000;
    int64_t began = jb_monotonic_us();
    for (uint64_t i = 0; i < n; i++) {
        must(has(r, from + hash_of(i) % range) == there, "a row is missing, or one too many");
    }
    printf("%-28s %8.3f us\n", what, (double)(jb_monotonic_us() - began) / (double)n);
}

static int
bench(const char *dir, uint64_t rows)
{
    static struct part parts[8];
    struct jb_runs *r = open_runs(dir, 0);
    struct rusage usage;
    size_t runs, turn = 0;
    int64_t began = jb_monotonic_us(), longest = 0, looking = 0, waited = 0;
    for (uint64_t done = 0; done < rows; done += PART, turn = (turn + 1) % 8) {
        for (uint64_t i = done + 1; i <= done + PART; i += BATCH) {
            int64_t start = jb_monotonic_us();
            for (uint64_t k = i; k < i + BATCH; k++) {
                must(!has(r, k + (UINT64_C(1) << 40)), "a row that was never written");
            }
            int64_t took = jb_monotonic_us() - start;
            looking += took;
            longest = took > longest ? took : longest;
        }
        struct part *p = &parts[turn];
        int64_t start = jb_monotonic_us();
        while (p->at != NULL && !p->source.done) {
            usleep(1000);
        }
        free(p->at);
        make_part(p, done + 1, PART);
        p->source.data = p;
        while (!jb_runs_offer(r, &p->source)) {
            usleep(1000);
        }
        waited += jb_monotonic_us() - start;
    }
    int64_t wrote = jb_monotonic_us();
    jb_runs_settle(r, false);
    jb_runs_settle(r, true);
    uint64_t all = jb_runs_rows(r, &runs);
    getrusage(RUSAGE_SELF, &usage);
    printf("%-28s %8.3f M/s, %" PRIu64 " rows, %zu runs\n", "rows in, with a look each",
           (double)rows / (double)(wrote - began), all, runs);
    printf("%-28s %8.3f us\n", "a look meanwhile", (double)looking / (double)rows);
    printf("%-28s %8.3f ms\n", "longest 8,192 looks", (double)longest / 1000);
    printf("%-28s %8.3f s\n", "waiting for the thread", (double)waited / 1e6);
    printf("%-28s %8.3f s\n", "merges behind it", (double)(jb_monotonic_us() - wrote) / 1e6);
    look_many(r, "absent", UINT64_C(1) << 41, rows, false);
    look_many(r, "present", 1, rows, true);
    getrusage(RUSAGE_SELF, &usage);
    printf("%-28s %8ld MB\n", "most memory", usage.ru_maxrss / 1024);
    jb_runs_close(r);
    began = jb_monotonic_us();
    r = open_runs(dir, 0);
    printf("%-28s %8.3f ms\n", "open again", (double)(jb_monotonic_us() - began) / 1000);
    look_many(r, "present, from the first on", 1, rows, true);
    jb_runs_close(r);
    return 0;
}

int
main(int argc, char **argv)
{
    must(argc >= 3, "usage: runs_load fill|check|bench DIR [ROWS]");
    uint64_t rows = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    return strcmp(argv[1], "fill") == 0    ? fill(argv[2], rows)
           : strcmp(argv[1], "bench") == 0 ? bench(argv[2], rows)
                                           : check(argv[2]);
}
