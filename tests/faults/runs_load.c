/*
 * Runs (core/runs) under faults and under load.
 *
 * usage: runs_load fill DIR ROWS    goes on to so many rows; says "done N" when the first N are
 *                                   durable
 *        runs_load small DIR RUNS   so many small runs, none of them merged
 *        runs_load merge DIR        merges what there is, as long as there is something to merge
 *        runs_load check DIR        looks for every row; says "covers N"
 *        runs_load flips - [SEED [HALF]]   each bit of a set of runs flipped in turn, one of each
 *                                   byte with a seed that is not 0, the one half of them or the
 *                                   other (0, 1): every row is found, or its run is not used
 *        runs_load bench DIR ROWS   writes and looks at once; says how long all of it took
 */
#include <inttypes.h>
#include <string.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
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
    struct jb_runs_options o = {.path = dir,
                                .generation = 1,
                                .pool_pages = 65536,
                                .known = known,
                                .step_rows = step_rows,
                                .sieve_rows = UINT64_C(1) << 21};
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
            usleep(p.source.done ? 0 : 500);
        } while (!p.source.done);
        free(p.at);
        printf("done %" PRIu64 "\n", end + p.n);
        fflush(stdout);
    }
    jb_runs_settle(r, true);
    jb_runs_close(r);
    return 0;
}

#define SMALL 30

static int
small(const char *dir, uint64_t runs)
{
    struct jb_run_place place;
    must(jb_runs_place(dir, ledger_id, false, &place) == JB_OK, "a directory for runs");
    for (uint64_t i = 0; i < runs; i++) {
        struct part p;
        make_part(&p, i * SMALL + 1, SMALL);
        p.source.data = &p;
        must(jb_runs_write(&place, &p.source) == JB_OK, "a run is written");
        free(p.at);
    }
    jb_runs_leave(&place);
    return 0;
}

static int
merge(const char *dir)
{
    struct jb_runs *r = open_runs(dir, 1000);
    size_t runs;
    jb_runs_settle(r, true);
    uint64_t rows = jb_runs_rows(r, &runs);
    jb_runs_close(r);
    printf("%" PRIu64 " rows, %zu runs\n", rows, runs);
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

/* ---- damage ---- */

#define IMAGES_MAX 8
struct image {
    char path[160];
    uint8_t *bytes;
    size_t n;
};

static void
put_image(const struct image *image)
{
    int fd = open(image->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0 && write(fd, image->bytes, image->n) == (ssize_t)image->n, "a run is put back");
    close(fd);
}

static void
read_image(const char *dir, uint64_t i, struct image *image)
{
    struct jb_run_range range = {1, i * SMALL + 1, i * SMALL + SMALL, {0}};
    char name[JB_RUN_NAME_BYTES];
    struct stat st;
    jb_run_name(&range, name);
    snprintf(image->path, sizeof image->path, "%s/%s", dir, name);
    int fd = open(image->path, O_RDONLY);
    must(fd >= 0 && fstat(fd, &st) == 0, "a run is read");
    image->n = (size_t)st.st_size;
    image->bytes = malloc(image->n);
    must(image->bytes != NULL && read(fd, image->bytes, image->n) == st.st_size, "a run is read");
    close(fd);
}

/* Every row that the runs say they cover is there, and none that was never written, whatever is
 * found out on the way. */
static void
look_at_all(struct jb_runs *r, uint64_t rows)
{
    for (uint64_t i = 1; i <= rows + 20; i++) {
        uint64_t looked_for;
        jb_seq end;
        jb_status status;
        do {
            looked_for = i;
            end = jb_runs_end(r);
            status = jb_runs_find(r, hash_of(i), look, &looked_for);
        } while (status == JB_E_STALE);
        must(status == JB_OK || status == JB_END, "looking ends in a fault");
        must(looked_for == 0 || i > end, "a row is missing");
        must(looked_for != 0 || i <= rows, "there is a row too many");
    }
}

/* One bit of it is another. merges: seen by a merge first. True: the run is not used. */
static bool
flip(const char *dir, struct image *image, size_t at, unsigned bit, uint64_t rows, bool merges)
{
    image->bytes[at] = (uint8_t)(image->bytes[at] ^ 1U << bit);
    put_image(image);
    image->bytes[at] = (uint8_t)(image->bytes[at] ^ 1U << bit);
    struct jb_runs *r = open_runs(dir, 0);
    if (merges) {
        jb_runs_settle(r, true);
    }
    look_at_all(r, rows);
    bool unused = jb_runs_end(r) < rows;
    jb_runs_close(r);
    return unused;
}

static uint64_t
make_images(const char *dir, struct image *images, unsigned n)
{
    (void)small(dir, n);
    for (unsigned i = 0; i < n; i++) {
        read_image(dir, i, &images[i]);
    }
    return (uint64_t)n * SMALL;
}

static void
remove_images(struct image *images, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        (void)unlink(images[i].path);
        free(images[i].bytes);
    }
}

#define BOTH_HALVES 2

static uint64_t
flip_each(const char *dir, uint64_t seed, uint64_t half)
{
    struct image images[IMAGES_MAX];
    const unsigned n = 3;
    uint64_t rows = make_images(dir, images, n), flips = 0;
    for (unsigned i = 0; i < n; i++) {
        for (size_t at = 0; at < images[i].n * 8; at++) {
            if ((seed == 0 || hash_of(seed + at / 8) % 8 == at % 8) &&
                (half == BOTH_HALVES || hash_of(at) % 2 == half)) {
                must(flip(dir, &images[i], at / 8, at % 8, rows, false), "a bit that is not seen");
                put_image(&images[i]);
                flips++;
            }
        }
    }
    remove_images(images, n);
    return flips;
}

/* Eight of them are merged: nothing of the damaged one gets into what is made of them. */
static void
remove_merged(const char *dir)
{
    char path[160], name[JB_RUN_NAME_BYTES];
    struct jb_run_range range = {1, 1, (uint64_t)IMAGES_MAX * SMALL, {0}};
    jb_run_name(&range, name);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    (void)unlink(path);
}

static uint64_t
flip_and_merge(const char *dir, uint64_t seed, uint64_t half)
{
    struct image images[IMAGES_MAX];
    uint64_t rows = make_images(dir, images, IMAGES_MAX);
    const uint64_t flips = seed != 0 ? 300 : half == BOTH_HALVES ? 5000 : 2500;
    const uint64_t from = half == 1 ? flips : 0;
    uint64_t unseen = 0; /* bits of filters, which merges do not look at */
    for (uint64_t n = 0; n < flips; n++) {
        struct image *image = &images[n % IMAGES_MAX];
        uint64_t which = hash_of(seed + from + n);
        unseen += flip(dir, image, which / 8 % image->n, which % 8, rows, true) ? 0 : 1;
        remove_merged(dir);
        for (unsigned i = 0; i < IMAGES_MAX; i++) {
            put_image(&images[i]);
        }
    }
    must(unseen < flips / 2, "damage gets into merges");
    remove_images(images, IMAGES_MAX);
    return flips;
}

static int
flips(uint64_t seed, uint64_t half)
{
    char dir[64];
    make_quick_scratch(dir, "flips");
    uint64_t each = flip_each(dir, seed, half), merged = flip_and_merge(dir, seed, half);
    remove_scratch(dir);
    printf("%" PRIu64 " bits flipped, and %" PRIu64 " before a merge: no wrong answer\n", each,
           merged);
    return 0;
}

/* ---- how fast ---- */

#define PART 131072
#define BATCH 8192

/* warm: so many are sent for before they are looked for. */
static void
look_many(struct jb_runs *r, const char *what, uint64_t from, uint64_t range, bool there,
          unsigned warm)
{
    static uint64_t turns; /* others each time */
    const uint64_t n = 200000, first = turns++ * n;
    int64_t began = jb_monotonic_us();
    for (uint64_t i = first; i < first + n; i++) {
        if (warm > 0 && i % warm == 0) {
            uint64_t hashes[16];
            for (unsigned k = 0; k < warm; k++) {
                hashes[k] = hash_of(from + hash_of(i + k) % range);
            }
            jb_runs_warm(r, hashes, warm);
        }
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
    look_many(r, "absent", UINT64_C(1) << 41, rows, false, 0);
    look_many(r, "absent, 16 sent for at once", UINT64_C(1) << 41, rows, false, 16);
    look_many(r, "present", 1, rows, true, 0);
    look_many(r, "present, 16 sent for at once", 1, rows, true, 16);
    getrusage(RUSAGE_SELF, &usage);
    printf("%-28s %8ld MB\n", "most memory", usage.ru_maxrss / 1024);
    jb_runs_close(r);
    began = jb_monotonic_us();
    r = open_runs(dir, 0);
    printf("%-28s %8.3f ms\n", "open again", (double)(jb_monotonic_us() - began) / 1000);
    look_many(r, "present, from the first on", 1, rows, true, 0);
    jb_runs_close(r);
    return 0;
}

int
main(int argc, char **argv)
{
    must(argc >= 3, "usage: runs_load fill|small|merge|check|flips|bench DIR [ROWS]");
    uint64_t rows = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    return strcmp(argv[1], "fill") == 0    ? fill(argv[2], rows)
           : strcmp(argv[1], "small") == 0 ? small(argv[2], rows)
           : strcmp(argv[1], "merge") == 0 ? merge(argv[2])
           : strcmp(argv[1], "flips") == 0
               ? flips(rows, argc > 4 ? strtoull(argv[4], NULL, 10) : BOTH_HALVES)
           : strcmp(argv[1], "bench") == 0 ? bench(argv[2], rows)
                                           : check(argv[2]);
}
