/* Runs (core/runs): what is written is found, what is not there is not, whichever bit of a file is
 * flipped; which files of a directory cover a log; the thread that writes and merges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../check.h"
#include "base/error.h"
#include "runs/directory.h"
#include "runs/runs.h"

static const uint8_t ledger_id[16] = {9, 8, 7, 6, 5, 4, 3, 2, 1};
static char dir[64];

static uint64_t
mix(uint64_t n)
{
    n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
    return n ^ n >> 31;
}

/* The row of event i: its hash, its number, and a value that is longer now and then. */
static void
row_of(uint64_t i, uint64_t salt, struct jb_run_row *ret)
{
    static uint8_t value[JB_RUN_VALUE_MAX];
    jb_put_be(ret->key, 8, mix(i) & ~UINT64_C(1)); /* some hashes are two rows' */
    jb_put_be(ret->key + 8, 8, i);
    ret->key_n = 16;
    memset(value, (int)(i + salt), sizeof value);
    ret->value = value;
    ret->value_n = i % 7 == 0 ? i % JB_RUN_VALUE_MAX : 3;
}

struct range {
    uint64_t first, n, salt;
    uint64_t *order;
};

static int
by_hash(const void *a, const void *b)
{
    struct jb_run_row x, y;
    row_of(*(const uint64_t *)a, 0, &x);
    row_of(*(const uint64_t *)b, 0, &y);
    return memcmp(x.key, y.key, 16);
}

static bool
sort(void *data)
{
    struct range *r = data;
    r->order = r->order != NULL ? r->order : malloc((r->n + 1) * sizeof *r->order);
    for (uint64_t i = 0; i < r->n; i++) {
        r->order[i] = r->first + i;
    }
    qsort(r->order, r->n, sizeof *r->order, by_hash);
    return true;
}

static void
row(void *data, uint64_t i, struct jb_run_row *ret)
{
    struct range *r = data;
    row_of(r->order[i], r->salt, ret);
}

static void
source(struct jb_runs_source *s, struct range *r, uint32_t generation)
{
    *s = (struct jb_runs_source){
        .range = {generation, r->first, r->first + r->n - 1, {0}},
        .rows = r->n,
        .sort = sort,
        .row = row,
        .data = r,
    };
    jb_put_be(s->range.chain, 8, s->range.last);
}

static jb_status
known(void *data, const struct jb_run_range *range, struct jb_error *err)
{
    (void)err;
    const uint64_t *end = data;
    return range->last <= *end && jb_get_be(range->chain, 8) == range->last ? JB_OK : JB_E_NOTFOUND;
}

static uint64_t log_end;
static uint64_t sieve_rows = 256;

static struct jb_runs_options
options(uint32_t generation)
{
    struct jb_runs_options o = {.path = dir,
                                .generation = generation,
                                .pool_pages = 64,
                                .step_rows = 100,
                                .sieve_rows = sieve_rows,
                                .known = known,
                                .data = &log_end};
    memcpy(o.ledger_id, ledger_id, 16);
    return o;
}

static void
clear(void)
{
    DIR *d = opendir(dir);
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
    log_end = UINT64_MAX;
}

static size_t
files(const char *end)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        size_t len = strlen(e->d_name);
        n += len > strlen(end) && strcmp(e->d_name + len - strlen(end), end) == 0;
    }
    closedir(d);
    return n;
}

static void
write_range(uint64_t first, uint64_t n, uint64_t salt)
{
    struct jb_run_place place;
    struct range r = {first, n, salt, NULL};
    struct jb_runs_source s;
    source(&s, &r, 1);
    assert_int_equal(jb_runs_place(dir, ledger_id, false, &place), JB_OK);
    assert_int_equal(jb_runs_write(&place, &s), JB_OK);
    jb_runs_leave(&place);
    free(r.order);
}

struct looking {
    uint64_t i, salt;
    unsigned found;
};

static jb_status
look(void *data, const struct jb_run_row *found)
{
    struct looking *l = data;
    struct jb_run_row want;
    row_of(l->i, l->salt, &want);
    if (found->key_n == 16 && memcmp(found->key, want.key, 16) == 0) {
        assert_int_equal(found->value_n, want.value_n);
        assert_memory_equal(found->value, want.value, want.value_n);
        l->found++;
    }
    return JB_OK;
}

static jb_status
find(struct jb_runs *r, uint64_t i, uint64_t salt, unsigned *ret)
{
    struct looking l = {i, salt, 0};
    (void)jb_runs_end(r); /* what was written meanwhile is looked into, too */
    jb_status status = jb_runs_find(r, mix(i) & ~UINT64_C(1), look, &l);
    *ret = l.found;
    return status;
}

static struct jb_runs *
open_runs(uint32_t generation)
{
    struct jb_runs *r;
    struct jb_error err;
    struct jb_runs_options o = options(generation);
    assert_int_equal(jb_runs_open(&o, &r, &err), JB_OK);
    return r;
}

/* All that the runs cover is there, and nothing that was never written. Of what they do not cover
 * something may stand behind a hole. */
static void
check_all(struct jb_runs *r, uint64_t end, uint64_t salt)
{
    unsigned found;
    assert_int_equal(jb_runs_end(r), end);
    for (uint64_t i = 1; i <= end; i++) {
        assert_int_equal(find(r, i, salt, &found), JB_OK);
        assert_int_equal(found, 1);
    }
    for (uint64_t i = UINT64_C(1) << 40, n = 0; n < 3000; n++) {
        assert_int_equal(find(r, i + n, salt, &found), JB_OK);
        assert_int_equal(found, 0);
    }
}

static void
rows_are_found(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1, 2, 30, 31, 1000, 70000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        clear();
        write_range(1, sizes[i], 0);
        struct jb_runs *r = open_runs(1);
        check_all(r, sizes[i], 0);
        jb_runs_close(r);
    }
}

static void
no_rows(void **state)
{
    (void)state;
    clear();
    struct jb_run_place place;
    struct range range = {1, 0, 0, NULL};
    struct jb_runs_source s;
    source(&s, &range, 1);
    s.range.last = 500;
    jb_put_be(s.range.chain, 8, 500);
    assert_int_equal(jb_runs_place(dir, ledger_id, false, &place), JB_OK);
    assert_int_equal(jb_runs_write(&place, &s), JB_OK);
    free(range.order);
    jb_runs_leave(&place);
    struct jb_runs *r = open_runs(1);
    unsigned found;
    assert_int_equal(jb_runs_end(r), 500);
    assert_int_equal(find(r, 3, 0, &found), JB_OK);
    assert_int_equal(found, 0);
    jb_runs_close(r);
}

static void
rows_in_order_only(void **state)
{
    (void)state;
    struct jb_run_place place;
    struct jb_run_write w;
    struct jb_run_range range = {1, 1, 9, {0}};
    uint8_t key[JB_RUN_KEY_MAX + 1] = {5};
    clear();
    assert_int_equal(jb_runs_place(dir, ledger_id, false, &place), JB_OK);
    assert_int_equal(jb_run_write_begin(&w, &place, &range, 3), JB_OK);
    assert_int_equal(jb_run_write_row(&w, key, 8, "", 0), JB_OK);
    assert_int_equal(jb_run_write_row(&w, key, 8, "", 0), JB_OK); /* which is the same row */
    assert_int_equal(w.rows, 1);
    key[0] = 4;
    assert_int_equal(jb_run_write_row(&w, key, 8, "", 0), JB_E_USAGE);
    key[0] = 6;
    assert_int_equal(jb_run_write_row(&w, key, 7, "", 0), JB_E_USAGE);
    assert_int_equal(jb_run_write_row(&w, key, JB_RUN_KEY_MAX + 1, "", 0), JB_E_USAGE);
    assert_int_equal(jb_run_write_row(&w, key, 8, "", JB_RUN_VALUE_MAX + 1), JB_E_USAGE);
    assert_int_equal(jb_run_write_row(&w, key, 9, "", 0), JB_OK);
    assert_int_equal(jb_run_write_row(&w, key, 8, "", 0), JB_E_USAGE);
    assert_int_equal(jb_run_write_row(&w, key, 10, "", 0), JB_OK);
    assert_int_equal(jb_run_write_row(&w, key, 11, "", 0), JB_E_USAGE); /* more than were said */
    jb_run_write_drop(&w);
    assert_int_equal(files(".new"), 0);
    jb_runs_leave(&place);
}

#define SENT_RUNS 45
#define SENT 16

/* Lines that were sent for belong to the runs of that moment: those that are merged then are others
 * when they are looked into. */
static void
sent_for_before(void **state)
{
    (void)state;
    uint64_t hashes[SENT];
    unsigned found;
    clear();
    for (uint64_t first = 1; first < SENT_RUNS * 100; first += 100) {
        write_range(first, 100, 0);
    }
    struct jb_runs *r = open_runs(1);
    assert_int_equal(jb_runs_end(r), SENT_RUNS * 100);
    for (uint64_t i = 1; i <= SENT_RUNS * 100; i++) { /* every page is in memory */
        struct looking l = {i, 0, 0};
        assert_int_equal(jb_runs_find(r, mix(i) & ~UINT64_C(1), look, &l), JB_OK);
        assert_int_equal(l.found, 1);
    }
    for (uint64_t k = 0; k < SENT; k++) {
        hashes[k] = mix(150 + k * 280) & ~UINT64_C(1);
    }
    jb_runs_warm(r, hashes, SENT);
    jb_runs_settle(r, true);
    for (uint64_t k = 0; k < SENT; k++) {
        assert_int_equal(find(r, 150 + k * 280, 0, &found), JB_OK);
        assert_int_equal(found, 1);
    }
    jb_runs_close(r);
}

/* ---- damage ---- */

static void
name_of(uint64_t first, uint64_t last, char *ret, size_t n)
{
    char name[JB_RUN_NAME_BYTES];
    struct jb_run_range range = {1, first, last, {0}};
    jb_run_name(&range, name);
    snprintf(ret, n, "%s/%s", dir, name);
}

/* Looks for each row; what was damaged before is either as it was or not used. */
static void
check_damaged(uint64_t rows, uint64_t *unharmed)
{
    struct jb_runs *r = open_runs(1);
    jb_status status = JB_OK;
    for (uint64_t i = 1; i <= rows + 20 && status == JB_OK; i++) {
        unsigned found;
        jb_seq end = jb_runs_end(r);
        status = find(r, i, 0, &found);
        if (status == JB_OK) {
            assert_int_equal(found, i <= end ? 1 : 0);
        } else {
            assert_int_equal(status, JB_E_STALE);
            assert_int_equal(jb_runs_end(r), 0);
        }
    }
    *unharmed += status == JB_OK && jb_runs_end(r) == rows;
    jb_runs_close(r);
}

/* A run's bytes, to be put back: whoever comes upon damage removes the file. */
struct image {
    char path[160];
    uint8_t *bytes;
    size_t n;
};

static void
make_image(struct image *image, uint64_t rows)
{
    struct stat st;
    clear();
    write_range(1, rows, 0);
    name_of(1, rows, image->path, sizeof image->path);
    int fd = open(image->path, O_RDONLY);
    assert_int_equal(fstat(fd, &st), 0);
    image->n = (size_t)st.st_size;
    image->bytes = malloc(image->n);
    assert_int_equal(read(fd, image->bytes, image->n), st.st_size);
    close(fd);
}

static void
put_image(const struct image *image, size_t n)
{
    int fd = open(image->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, image->bytes, n), n);
    close(fd);
}

static void
every_bit_flipped(void **state)
{
    (void)state;
    const uint64_t rows = 60;
    struct image image;
    uint64_t unharmed = 0;
    make_image(&image, rows);
    for (size_t at = 0; at < image.n; at++) {
        for (int bit = SANITIZED ? (int)(at % 8) : 0; bit < 8; bit += SANITIZED ? 8 : 1) {
            image.bytes[at] = (uint8_t)(image.bytes[at] ^ 1U << bit);
            put_image(&image, image.n);
            image.bytes[at] = (uint8_t)(image.bytes[at] ^ 1U << bit);
            check_damaged(rows, &unharmed);
        }
    }
    assert_int_equal(unharmed, 0); /* each page is needed here */
    free(image.bytes);
}

static void
pages_exchanged(void **state)
{
    (void)state;
    const uint64_t rows = 5000;
    struct image older, image;
    uint64_t unharmed = 0;
    make_image(&older, rows);
    make_image(&image, rows);
    assert_int_equal(older.n, image.n);
    uint8_t page[JB_RUN_PAGE_BYTES];
    for (size_t at = 0; at < image.n; at += JB_RUN_PAGE_BYTES) {
        for (int how = 0; how < 3; how++) {
            memcpy(page, image.bytes + at, JB_RUN_PAGE_BYTES);
            if (how == 0) { /* the same page of an older file */
                memcpy(image.bytes + at, older.bytes + at, JB_RUN_PAGE_BYTES);
            } else if (how == 1) { /* another page */
                size_t other = at == JB_RUN_PAGE_BYTES ? 2 * JB_RUN_PAGE_BYTES : JB_RUN_PAGE_BYTES;
                memcpy(image.bytes + at, image.bytes + other, JB_RUN_PAGE_BYTES);
            } else {
                memset(image.bytes + at, 0, JB_RUN_PAGE_BYTES);
            }
            put_image(&image, image.n);
            memcpy(image.bytes + at, page, JB_RUN_PAGE_BYTES);
            check_damaged(rows, &unharmed);
        }
    }
    assert_int_equal(unharmed, 0);
    free(older.bytes);
    free(image.bytes);
}

static void
cut_short_or_long(void **state)
{
    (void)state;
    const uint64_t rows = 3000;
    struct image image;
    uint64_t unharmed = 0;
    make_image(&image, rows);
    for (size_t i = 0; i < 40; i++) {
        put_image(&image, image.n * i / 40);
        check_damaged(rows, &unharmed);
    }
    put_image(&image, image.n);
    assert_int_equal(truncate(image.path, (off_t)image.n + JB_RUN_PAGE_BYTES), 0);
    check_damaged(rows, &unharmed);
    free(image.bytes);
    /* While it is open. */
    clear();
    write_range(1, rows, 0);
    struct jb_runs *r = open_runs(1);
    assert_int_equal(truncate(image.path, 2 * JB_RUN_PAGE_BYTES), 0);
    unsigned found;
    jb_status status = JB_OK;
    for (uint64_t i = 1; i <= rows && status == JB_OK; i++) {
        status = find(r, i, 0, &found);
    }
    assert_int_equal(status, JB_E_STALE);
    assert_int_equal(jb_runs_end(r), 0);
    assert_int_equal(files(".run"), 0); /* nobody takes it up again */
    jb_runs_close(r);
    assert_int_equal(unharmed, 0);
}

/* ---- what a directory covers ---- */

static void
farthest_way(void **state)
{
    (void)state;
    clear();
    write_range(1, 100, 0);
    write_range(101, 100, 0);
    write_range(101, 200, 0); /* to 300, */
    write_range(201, 200, 0); /* and to 400 */
    write_range(301, 50, 0);
    write_range(402, 50, 0); /* behind a hole */
    struct jb_runs *r = open_runs(1);
    size_t n;
    check_all(r, 400, 0);
    assert_int_equal(jb_runs_rows(r, &n), 400);
    assert_int_equal(n, 3);
    jb_runs_close(r);
    assert_int_equal(files(".run"), 4); /* what is covered went, what may be of use stays */

    log_end = 399; /* an older log: the last run is not of it */
    write_range(101, 200, 0);
    r = open_runs(1);
    check_all(r, 300, 0);
    jb_runs_close(r);
}

static void
other_generations(void **state)
{
    (void)state;
    clear();
    write_range(1, 100, 0);
    struct jb_runs *r = open_runs(0);
    check_all(r, 0, 0);
    jb_runs_close(r);
    assert_int_equal(files(".run"), 1); /* the next one is being made */
    r = open_runs(2);
    check_all(r, 0, 0);
    jb_runs_close(r);
    assert_int_equal(files(".run"), 0);
}

static void
strangers_stay(void **state)
{
    (void)state;
    clear();
    char path[160];
    static const char *const names[] = {"notes.txt",
                                        "00000001-0000000000000001-00000000000000g0.run",
                                        "00000001-0000000000000000-0000000000000005.run",
                                        "00000001-0000000000000009-0000000000000005.run"};
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
    snprintf(path, sizeof path, "%s/0123456789abcdef.new", dir);
    close(open(path, O_CREAT | O_WRONLY, 0600)); /* of one who was killed */
    struct jb_runs *r = open_runs(1);
    jb_runs_settle(r, true);
    jb_runs_close(r);
    assert_int_equal(files(".new"), 0);
    assert_int_equal(files(".run") + files(".txt"), 4);
}

/* ---- the thread ---- */

static void
offer(struct jb_runs *r, struct range *range)
{
    struct jb_runs_source s;
    source(&s, range, 1);
    for (int i = 0; !jb_runs_offer(r, &s); i++) {
        assert_true(i < 10000);
        usleep(1000);
    }
    jb_runs_settle(r, false);
    assert_true(s.done);
    free(range->order);
}

static void
written_and_merged(void **state)
{
    (void)state;
    clear();
    struct jb_runs *r = open_runs(1);
    uint64_t end = 0;
    size_t runs;
    for (int i = 0; i < 200; i++) {
        struct range range = {end + 1, 1 + (uint64_t)(i * 37 % 300), 0, NULL};
        offer(r, &range);
        end += range.n;
        if (i % 20 == 0) {
            check_all(r, end, 0);
        }
    }
    jb_runs_settle(r, true);
    check_all(r, end, 0);
    assert_int_equal(jb_runs_rows(r, &runs), end);
    assert_true(runs < 16);
    assert_int_equal(files(".run"), runs);
    assert_int_equal(files(".new"), 0);
    jb_runs_close(r);
    r = open_runs(1);
    check_all(r, end, 0);
    jb_runs_close(r);
}

/* What lies in a damaged run is left out, what comes then is written behind what is left. */
static void
goes_on_behind_damage(void **state)
{
    (void)state;
    clear();
    for (uint64_t i = 0; i < 4; i++) {
        write_range(1 + i * 1000, 1000, 0);
    }
    struct jb_runs *r = open_runs(1);
    check_all(r, 4000, 0);
    jb_runs_close(r);
    char path[160];
    name_of(2001, 3000, path, sizeof path);
    int fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, "!", 1, 2 * JB_RUN_PAGE_BYTES + 99), 1);
    close(fd);
    r = open_runs(1);
    assert_int_equal(jb_runs_end(r), 4000);
    unsigned found;
    jb_status status = JB_OK;
    for (uint64_t i = 2001; i <= 3000 && status == JB_OK; i++) {
        status = find(r, i, 0, &found);
    }
    assert_int_equal(status, JB_E_STALE);
    check_all(r, 2000, 0);
    jb_seq next;
    assert_int_equal(jb_runs_reach(r, 2000, &next), 2000);
    assert_int_equal(next, 3001);
    assert_int_equal(jb_runs_reach(r, 3000, &next), 4000); /* what stands behind it holds */
    jb_runs_close(r);
    r = open_runs(1); /* also for who comes later */
    check_all(r, 2000, 0);
    struct range range = {2001, 1500, 0, NULL}; /* reaches into it: nobody has a place for that */
    offer(r, &range);
    check_all(r, 2000, 0);
    range = (struct range){2001, 400, 0, NULL};
    offer(r, &range);
    check_all(r, 2400, 0);
    assert_int_equal(jb_runs_reach(r, 2400, &next), 2400);
    assert_int_equal(next, 3001);
    range = (struct range){2401, 600, 0, NULL};
    offer(r, &range);
    check_all(r, 4000, 0);
    range = (struct range){4001, 1000, 0, NULL};
    offer(r, &range);
    check_all(r, 5000, 0);
    jb_runs_settle(r, true);
    check_all(r, 5000, 0);
    jb_runs_close(r);
}

/* The middle of many runs is damaged while much waits to be written behind them all: what fills the
 * hole gets in, and then everything does. */
static void
hole_while_much_waits(void **state)
{
    (void)state;
    clear();
    for (uint64_t i = 0; i < 4; i++) {
        write_range(1 + i * 100, 100, 0);
    }
    char path[160];
    name_of(101, 200, path, sizeof path);
    int fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, "!", 1, JB_RUN_PAGE_BYTES + 99), 1);
    close(fd);
    struct jb_runs *r = open_runs(1);
    unsigned found, waiting = 0;
    for (uint64_t i = 1; i <= 400 && find(r, i, 0, &found) == JB_OK; i++) {
    }
    assert_int_equal(jb_runs_end(r), 100);
    struct range ranges[12];
    struct jb_runs_source s[12];
    for (int i = 0; i < 12; i++) { /* behind the hole */
        ranges[i] = (struct range){401 + (uint64_t)i * 100, 100, 0, NULL};
        source(&s[i], &ranges[i], 1);
        waiting += jb_runs_offer(r, &s[i]) ? 1 : 0;
    }
    assert_true(waiting >= 1 && waiting < 12);
    struct range fills = {101, 100, 0, NULL};
    offer(r, &fills);
    jb_runs_settle(r, false);
    check_all(r, 400 + waiting * 100, 0);
    for (unsigned i = 0; i < waiting; i++) {
        assert_true(s[i].done);
        free(ranges[i].order);
    }
    jb_runs_close(r);
}

/* Runs that another process wrote end within what is offered: its owner learns of it. */
static void
taken_in_part(void **state)
{
    (void)state;
    clear();
    write_range(1, 150, 0);
    struct jb_runs *r = open_runs(1);
    struct range range = {101, 100, 0, NULL};
    offer(r, &range);
    check_all(r, 150, 0);
    range = (struct range){151, 50, 0, NULL};
    offer(r, &range);
    check_all(r, 200, 0);
    jb_runs_close(r);
}

/* Who is out of descriptors learns nothing about the runs, and removes none. */
static void
no_descriptors(void **state)
{
    (void)state;
    clear();
    for (uint64_t i = 0; i < 5; i++) {
        write_range(1 + i * 100, 100, 0);
    }
    struct rlimit before, few;
    struct jb_runs *r = NULL;
    struct jb_error err;
    struct jb_runs_options o = options(1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    jb_status status = JB_E_NOMEM;
    unsigned refused = 0;
    for (few = before, few.rlim_cur = 3; status == JB_E_NOMEM; few.rlim_cur++) {
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        status = jb_runs_open(&o, &r, &err);
        refused += status == JB_E_NOMEM ? 1 : 0;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(files(".run"), 5);
    }
    assert_int_equal(status, JB_OK);
    few.rlim_cur--;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_true(refused >= 5);
    struct range range = {501, 100, 0, NULL}; /* which can be written, and not be opened */
    struct jb_runs_source s;
    source(&s, &range, 1);
    assert_true(jb_runs_offer(r, &s));
    jb_runs_settle(r, false);
    assert_true(jb_runs_failing(r) || s.done);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (int i = 0; i < 300 && !s.done; i++) {
        usleep(10000);
    }
    assert_true(s.done);
    check_all(r, 600, 0);
    jb_runs_close(r);
    free(range.order);
}

/* An old process does not take the runs of a store that was made again twice for rubbish. */
static void
later_generations(void **state)
{
    (void)state;
    clear();
    write_range(1, 100, 0);
    struct jb_runs *r = open_runs(1);
    struct jb_run_place place;
    assert_int_equal(jb_runs_place(dir, ledger_id, false, &place), JB_OK);
    for (uint32_t generation = 2; generation < 5; generation++) {
        struct range range = {1, 100, 0, NULL};
        struct jb_runs_source s;
        source(&s, &range, generation);
        assert_int_equal(jb_runs_write(&place, &s), JB_OK);
        free(range.order);
    }
    for (uint64_t i = 1; i < 20; i++) {
        struct range range = {1 + i * 100, 100, 0, NULL};
        offer(r, &range);
    }
    for (uint64_t i = 1; i < 20; i++) { /* it finds them merged, and looks at the directory again */
        char path[160];
        name_of(1 + i * 100, 100 + i * 100, path, sizeof path);
        (void)unlink(path);
    }
    for (uint64_t i = 20; i < 40; i++) {
        struct range range = {jb_runs_end(r) + 1, 100, 0, NULL};
        offer(r, &range);
        jb_runs_settle(r, true);
        jb_runs_refresh(r);
    }
    jb_runs_close(r);
    assert_int_equal(access(dir, R_OK), 0);
    for (uint32_t generation = 2; generation < 5; generation++) {
        char name[JB_RUN_NAME_BYTES];
        struct jb_run_range range = {generation, 1, 100, {0}};
        jb_run_name(&range, name);
        assert_int_equal(faccessat(place.dir, name, F_OK, 0), 0);
    }
    r = open_runs(1); /* as if an older state.mdb had been put back */
    jb_runs_settle(r, true);
    jb_runs_close(r);
    struct jb_run_range range = {4, 1, 100, {0}};
    char name[JB_RUN_NAME_BYTES];
    jb_run_name(&range, name);
    assert_int_not_equal(faccessat(place.dir, name, F_OK, 0), 0);
    jb_runs_leave(&place);
}

/* A run that was written again by another process is not removed by who has the damaged one. */
static void
replaced_while_open(void **state)
{
    (void)state;
    struct image image;
    make_image(&image, 500);
    image.bytes[JB_RUN_PAGE_BYTES + 99] ^= 1;
    put_image(&image, image.n);
    struct jb_runs *r = open_runs(1);
    assert_int_equal(jb_runs_end(r), 500);
    assert_int_equal(unlink(image.path), 0);
    write_range(1, 500, 0);
    unsigned found;
    jb_status status = JB_OK;
    for (uint64_t i = 1; i <= 500 && status == JB_OK; i++) {
        status = find(r, i, 0, &found);
    }
    assert_int_equal(status, JB_E_STALE);
    assert_int_equal(jb_runs_end(r), 0);
    jb_runs_close(r);
    r = open_runs(1);
    check_all(r, 500, 0);
    jb_runs_close(r);
    free(image.bytes);
}

/* Who removes the directory while it is in use does not keep anything from being written. */
static void
directory_removed(void **state)
{
    (void)state;
    clear();
    struct jb_runs *r = open_runs(1);
    struct range range = {1, 100, 0, NULL};
    offer(r, &range);
    clear();
    assert_int_equal(rmdir(dir), 0);
    range = (struct range){101, 100, 0, NULL};
    struct jb_runs_source s;
    source(&s, &range, 1);
    assert_true(jb_runs_offer(r, &s));
    for (int i = 0; i < 300 && !s.done; i++) {
        usleep(10000);
    }
    assert_true(s.done);
    check_all(r, 200, 0);
    assert_int_equal(files(".run"), 1);
    jb_runs_close(r);
    free(range.order);
}

/* Two that write into one directory, in turn: each is right at any time, and so is who comes. */
static void
two_at_once(void **state)
{
    (void)state;
    clear();
    struct jb_runs *a = open_runs(1), *b = open_runs(1);
    uint64_t end_a = 0, end_b = 0;
    for (int i = 0; i < 60; i++) {
        struct range x = {end_a + 1, 50, 0, NULL}, y = {end_b + 1, 70, 0, NULL};
        offer(a, &x);
        offer(b, &y);
        end_a += 50;
        end_b += 70;
        jb_runs_refresh(a);
        jb_runs_refresh(b);
        end_a = jb_runs_end(a);
        end_b = jb_runs_end(b);
        if (i % 10 == 9) {
            check_all(a, end_a, 0);
            check_all(b, end_b, 0);
            struct jb_runs *c = open_runs(1);
            jb_seq end = jb_runs_end(c);
            check_all(c, end, 0);
            jb_runs_close(c);
        }
    }
    jb_runs_close(a);
    jb_runs_close(b);
    struct jb_runs *c = open_runs(1);
    uint64_t end = jb_runs_end(c), most = end_a > end_b ? end_a : end_b;
    check_all(c, end, 0);
    assert_true(end + 1500 >= most); /* what has no place behind another's is written again */
    jb_runs_close(c);
}

static void
full_then_room(void **state)
{
    (void)state;
    clear();
    struct jb_runs *r = open_runs(1);
    struct range range = {1, 100, 0, NULL};
    struct jb_runs_source s;
    source(&s, &range, 1);
    assert_int_equal(chmod(dir, 0500), 0);
    bool root = access(dir, W_OK) == 0; /* who may do everything is not kept out so */
    assert_true(jb_runs_offer(r, &s));
    jb_runs_settle(r, false);
    if (!root) {
        assert_true(jb_runs_failing(r));
        assert_int_equal(jb_runs_end(r), 0);
    }
    assert_int_equal(chmod(dir, 0700), 0);
    for (int i = 0; i < 300 && !s.done; i++) {
        usleep(10000);
    }
    assert_true(s.done && !jb_runs_failing(r));
    check_all(r, 100, 0);
    jb_runs_close(r);
    free(range.order);
}

/* ---- the sieve ---- */

#define ABSENT 3000

/* Pages that are read for rows that are not there. */
static unsigned
reads_for_absent(struct jb_runs *r)
{
    size_t sieved;
    unsigned found, before = jb_runs_reads(r, &sieved);
    for (uint64_t n = 0; n < ABSENT; n++) {
        assert_int_equal(find(r, (UINT64_C(1) << 41) + n, 0, &found), JB_OK);
        assert_int_equal(found, 0);
    }
    return jb_runs_reads(r, &sieved) - before;
}

static void
sieve_has_all(struct jb_runs *r, uint64_t end)
{
    size_t sieved, runs;
    assert_int_equal(jb_runs_end(r), end);
    assert_int_equal(jb_runs_rows(r, &runs), end);
    (void)jb_runs_reads(r, &sieved);
    assert_int_equal(sieved, runs);
}

/* What was written, what was there before, and what is read again behind damage: the sieve has it,
 * through merges, in parts that become larger. */
static void
sieve_through_all(void **state)
{
    (void)state;
    clear();
    for (uint64_t i = 0; i < 20; i++) {
        write_range(1 + i * 1000, 1000, 0);
    }
    struct jb_runs *r = open_runs(1);
    jb_runs_settle(r, true);
    size_t sieved;
    assert_int_equal(jb_runs_end(r), 20000);
    (void)jb_runs_reads(r, &sieved);
    assert_int_equal(sieved, 0); /* who writes nothing does not make it */
    uint64_t end = 20000;
    for (uint64_t i = 0; i < 30; i++, end += 300) {
        struct range range = {end + 1, 300, 0, NULL};
        offer(r, &range);
    }
    jb_runs_settle(r, true);
    sieve_has_all(r, end);
    assert_true(reads_for_absent(r) < 40); /* a few seem to be there */
    check_all(r, end, 0);
    jb_runs_close(r);

    char path[160];
    clear();
    for (uint64_t i = 0; i < 5; i++) {
        write_range(1 + i * 1000, 1000, 0);
    }
    name_of(2001, 3000, path, sizeof path);
    int fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, "!", 1, 4 * JB_RUN_PAGE_BYTES + 99), 1);
    close(fd);
    r = open_runs(1);
    struct range range = {5001, 300, 0, NULL};
    offer(r, &range);
    jb_runs_settle(r, true); /* which comes upon the damage, where it puts rows in */
    assert_int_equal(jb_runs_end(r), 2000);
    range = (struct range){2001, 1000, 0, NULL};
    offer(r, &range);
    jb_runs_settle(r, true);
    sieve_has_all(r, 5300);
    check_all(r, 5300, 0);
    jb_runs_close(r);
}

/* Where there is room for some of it the others are looked for in the runs' own filters. */
static void
sieve_without_room(void **state)
{
    (void)state;
    clear();
    sieve_rows = 16384;
    struct jb_runs *r = open_runs(1);
    uint64_t end = 0;
    size_t sieved, runs;
    for (uint64_t n = 4000; end < 150000; end += n) { /* there is room for 112 K */
        struct range range = {end + 1, n, 0, NULL};
        offer(r, &range);
    }
    assert_int_equal(jb_runs_end(r), end);
    assert_int_equal(jb_runs_rows(r, &runs), end);
    (void)jb_runs_reads(r, &sieved);
    assert_true(sieved > 0 && sieved < runs);
    check_all(r, end, 0);
    jb_runs_settle(r, true);
    check_all(r, end, 0);
    jb_runs_close(r);
    sieve_rows = 256;
}

static void
pool_made_smaller(void **state)
{
    (void)state;
    clear();
    write_range(1, 70000, 0);
    struct jb_run_place place;
    struct jb_run_range range = {1, 1, 70000, {0}};
    struct jb_run *run;
    struct jb_pool pool = {.frames_max = 4096};
    uint8_t page[JB_RUN_PAGE_BYTES];
    const uint8_t *at;
    assert_int_equal(jb_runs_place(dir, ledger_id, true, &place), JB_OK);
    assert_int_equal(jb_run_open(&place, &range, &run), JB_OK);
    assert_true(run->pages > 512);
    for (int turn = 0; turn < 3; turn++) {
        for (uint64_t no = 1; no < run->pages; no++) {
            assert_int_equal(jb_pool_page(&pool, run, no, &at), JB_OK);
            assert_int_equal(jb_run_read_pages(run, no, 1, page), JB_OK);
            assert_memory_equal(at, page, sizeof page);
        }
        assert_int_equal(pool.slabs.n > 1, turn == 0);
        jb_pool_limit(&pool, 100);
        assert_int_equal(pool.slabs.n, 1);
    }
    jb_pool_forget(&pool, run);
    jb_pool_free(&pool);
    jb_run_let_go(run);
    jb_runs_leave(&place);
}

int
main(void)
{
    make_quick_scratch(dir, "runs");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_found),        cmocka_unit_test(no_rows),
        cmocka_unit_test(rows_in_order_only),    cmocka_unit_test(sent_for_before),
        cmocka_unit_test(every_bit_flipped),     cmocka_unit_test(pages_exchanged),
        cmocka_unit_test(cut_short_or_long),     cmocka_unit_test(farthest_way),
        cmocka_unit_test(other_generations),     cmocka_unit_test(strangers_stay),
        cmocka_unit_test(written_and_merged),    cmocka_unit_test(goes_on_behind_damage),
        cmocka_unit_test(two_at_once),           cmocka_unit_test(full_then_room),
        cmocka_unit_test(hole_while_much_waits), cmocka_unit_test(taken_in_part),
        cmocka_unit_test(no_descriptors),        cmocka_unit_test(later_generations),
        cmocka_unit_test(replaced_while_open),   cmocka_unit_test(directory_removed),
        cmocka_unit_test(sieve_through_all),     cmocka_unit_test(sieve_without_room),
        cmocka_unit_test(pool_made_smaller),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    clear();
    rmdir(dir);
    return failed;
}
