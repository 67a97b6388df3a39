/* Frames and the log: every flipped byte is seen, nothing is overwritten, frames fill their pages,
 * the map grows, one environment per process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jangbu/ledger.h>

#include "storage/lmdb_env.h"
#include "storage/writer_lock.h"
#include "log/log.h"

static char dir[64];

static int
setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/jangbu-unit-XXXXXX");
    return mkdtemp(dir) == NULL;
}

static int
teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

/* n plain consumptions, as large as the measure has them, behind `head`. */
static void
fill(struct jb_log_batch *b, jb_seq first, size_t n)
{
    struct jb_part part = {JB_PART_LOT, 1, 60000};
    struct jb_event_context context = {INT64_C(1790000000000000), 32400};
    b->bytes.n = b->ends.n = 0;
    b->first = first;
    b->base = context.base;
    for (size_t i = 0; i < n; i++) {
        struct jb_event e = {.seq = first + i,
                             .type = JB_EV_CASH_CONSUMED,
                             .version = 1,
                             .wallet = 50000,
                             .prev = first + i > 60000 ? first + i - 59999 : first + i > 1,
                             .cash_consumed = {{"U1234567", 8}, 60000, {&part, 1}}};
        e.recorded_at = e.occurred_at = context.base + 3000;
        e.posted_on = jb_day_of(e.recorded_at, 32400);
        assert_null(jb_event_encode(&e, &context, &b->bytes));
        assert_true(jb_vec_reserve(&b->ends, b->ends.n + 1));
        b->ends.at[b->ends.n++] = (uint32_t)b->bytes.n;
    }
}

static void
append(struct jb_log *l, struct jb_log_batch *b, struct jb_log_head *head)
{
    enum jb_log_result result;
    struct jb_error err;
    assert_int_equal(jb_log_append(l, b, head, &result, &err), JB_OK);
    assert_int_equal(result, JB_LOG_COMMITTED);
}

static void
flipped_bytes(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 200; count += 66) {
        struct jb_log_batch b = {0};
        fill(&b, 7, count);
        size_t n = jb_frame_size((uint32_t)count, b.bytes.n);
        uint8_t *value = malloc(n), prev[16] = {1, 2, 3}, chain[16] = {1, 2, 3};
        jb_frame_write(value, JB_FRAME_LAST, 7, b.base, (uint32_t)count, b.bytes.at, b.bytes.n,
                       b.ends.at, 0, chain);
        struct jb_frame frame;
        struct jb_frame_failure failure;
        assert_true(jb_frame_parse(7, value, n, &frame, &failure));
        assert_true(jb_frame_chained(&frame, prev));
        size_t unseen = 0;
        for (size_t bit = 0; bit < n * 8; bit++) {
            value[bit / 8] ^= (uint8_t)(1U << bit % 8);
            unseen +=
                jb_frame_parse(7, value, n, &frame, &failure) && jb_frame_chained(&frame, prev);
            value[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        assert_int_equal(unseen, 0);
        assert_false(jb_frame_parse(8, value, n, &frame, &failure));
        assert_false(jb_frame_parse(7, value, n - 1, &frame, &failure));
        free(value);
        jb_log_batch_free(&b);
    }
}

static void
append_only(void **state)
{
    (void)state;
    struct jb_log *l;
    struct jb_error err;
    struct jb_log_head head = {0}, old;
    struct jb_log_batch b = {0};
    enum jb_log_result result;
    assert_int_equal(jb_log_open(dir, false, true, 0, &l, &err), JB_OK);
    fill(&b, 1, 10);
    append(l, &b, &head);
    old = head;
    fill(&b, 11, 10);
    append(l, &b, &head);
    /* From where it ended before: refused, nothing changed. */
    assert_int_equal(jb_log_append(l, &b, &old, &result, &err), JB_E_CORRUPT);
    assert_int_equal(result, JB_LOG_FAILED);
    fill(&b, 5, 10); /* numbers that are taken */
    assert_int_equal(jb_log_append(l, &b, &head, &result, &err), JB_E_CORRUPT);
    fill(&b, 30, 10); /* a gap */
    assert_int_equal(jb_log_append(l, &b, &head, &result, &err), JB_E_CORRUPT);
    struct jb_log_reader *r;
    struct jb_log_head end;
    assert_int_equal(jb_log_reader_open(l, &r, &err), JB_OK);
    assert_int_equal(jb_log_reader_renew(r, &end, &err), JB_OK);
    assert_int_equal(end.seq, 20);
    jb_log_reader_close(r);
    jb_log_batch_free(&b);
    jb_log_close(l);
}

/* Commits of 64 and of 1,000 cost 32 bytes an event or less, all pages counted; any event is
 * reached by its number. */
static void
packing(void **state)
{
    (void)state;
    static const size_t sizes[] = {64, 1000, 1, 3};
    struct jb_log *l;
    struct jb_error err;
    struct jb_log_head head = {0};
    struct jb_log_batch b = {0};
    assert_int_equal(jb_log_open(dir, false, true, 0, &l, &err), JB_OK);
    for (size_t k = 0; k < 4; k++) {
        uint64_t before, after, file;
        size_t commits = 12800 / sizes[k] < 200   ? 200
                         : 12800 / sizes[k] > 400 ? 400
                                                  : 12800 / sizes[k];
        jb_log_size(l, &before, &file, &err);
        for (size_t i = 0; i < commits; i++) {
            fill(&b, head.seq + 1, sizes[k]);
            append(l, &b, &head);
        }
        assert_int_equal(jb_log_size(l, &after, &file, &err), JB_OK);
        uint64_t each = (after - before) * 100 / (commits * sizes[k]);
        print_message("commits of %zu: %llu.%02llu bytes an event\n", sizes[k],
                      (unsigned long long)each / 100, (unsigned long long)each % 100);
        if (sizes[k] >= 64) {
            assert_true(each <= 3200);
        }
    }
    struct jb_log_reader *r;
    assert_int_equal(jb_log_reader_open(l, &r, &err), JB_OK);
    jb_log_reader_offset(r, 32400);
    assert_int_equal(jb_log_reader_renew(r, NULL, &err), JB_OK);
    const struct jb_event *e;
    /* This log has no ledger_created, which the first frame would be checked by. */
    for (jb_seq seq = head.seq; seq > 64; seq -= seq > 1000 ? 97 : 1) {
        assert_int_equal(jb_log_reader_at(r, seq, &e, &err), JB_OK);
        assert_int_equal(e->seq, seq);
    }
    assert_int_equal(jb_log_reader_at(r, head.seq + 1, &e, &err), JB_E_NOTFOUND);
    uint8_t none[16] = {0};
    jb_log_reader_seek(r, 1, none);
    jb_seq count = 0;
    while (jb_log_reader_next(r, &e, &err) == JB_OK) {
        count++;
    }
    assert_int_equal(count, head.seq);
    jb_log_reader_close(r);
    jb_log_batch_free(&b);
    jb_log_close(l);
}

/* Consumptions of as many won as their number says, with texts of different lengths. */
static void
fill_numbered(struct jb_log_batch *b, jb_seq first, size_t n)
{
    static const char usage[] = "a-usage-with-a-name-of-some-length";
    struct jb_event_context context = {INT64_C(1790000000000000), 32400};
    b->bytes.n = b->ends.n = 0;
    b->first = first;
    b->base = context.base;
    for (size_t i = 0; i < n; i++) {
        const jb_amount amount = (jb_amount)(first + i);
        struct jb_part part = {JB_PART_LOT, 1, amount};
        struct jb_event e = {.seq = first + i,
                             .type = JB_EV_CASH_CONSUMED,
                             .version = 1,
                             .wallet = 1,
                             .prev = first + i - 1,
                             .cash_consumed = {{usage, 1 + i * 7 % 33}, amount, {&part, 1}}};
        e.recorded_at = e.occurred_at = context.base;
        e.posted_on = jb_day_of(e.recorded_at, 32400);
        assert_null(jb_event_encode(&e, &context, &b->bytes));
        assert_true(jb_vec_reserve(&b->ends, b->ends.n + 1));
        b->ends.at[b->ends.n++] = (uint32_t)b->bytes.n;
    }
}

static void
reads(struct jb_log_reader *r, jb_seq seq)
{
    const struct jb_event *e;
    struct jb_error err;
    assert_int_equal(jb_log_reader_at(r, seq, &e, &err), JB_OK);
    assert_int_equal(e->cash_consumed.amount, seq);
}

/* An event by its number is that event, whichever was read before it. */
static void
any_order(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 63, 64, 65, 500, 3, 129};
    struct jb_log *l;
    struct jb_error err;
    struct jb_log_head head = {0};
    struct jb_log_batch b = {0};
    struct jb_log_reader *r;
    assert_int_equal(jb_log_open(dir, false, true, 0, &l, &err), JB_OK);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        fill_numbered(&b, head.seq + 1, sizes[k]);
        append(l, &b, &head);
    }
    assert_int_equal(jb_log_reader_open(l, &r, &err), JB_OK);
    jb_log_reader_offset(r, 32400);
    assert_int_equal(jb_log_reader_renew(r, NULL, &err), JB_OK);
    const jb_seq first = 2; /* the first frame is checked by what this log does not have */
    for (jb_seq seq = head.seq; seq >= first; seq--) {
        reads(r, seq);
    }
    for (jb_seq seq = first; seq <= head.seq; seq++) {
        reads(r, seq);
    }
    uint64_t x = 1;
    for (int i = 0; i < 20000; i++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
        reads(r, first + (x >> 33) % (head.seq - first + 1));
        const struct jb_event *e;
        uint8_t none[16] = {0};
        if (i % 10 == 0) { /* a place in between */
            jb_log_reader_seek(r, first + (x >> 40) % (head.seq - first + 1), none);
            (void)!jb_log_reader_next(r, &e, &err);
        }
    }
    jb_log_reader_close(r);
    jb_log_batch_free(&b);
    jb_log_close(l);
}

/* The map begins at 64 KiB and grows, here and when another process made it grow. */
static void
map_grows(void **state)
{
    (void)state;
    struct jb_log *l;
    struct jb_error err;
    struct jb_log_head head = {0};
    struct jb_log_batch b = {0};
    assert_int_equal(jb_log_open(dir, false, true, 64 << 10, &l, &err), JB_OK);
    for (int i = 0; i < 20; i++) {
        fill(&b, head.seq + 1, 2000);
        append(l, &b, &head);
    }
    pid_t pid = fork();
    if (pid == 0) {
        struct jb_log *mine;
        struct jb_log_head h = head;
        struct jb_error e;
        enum jb_log_result result;
        /* The parent's environment is refused; one of its own works. */
        int bad = jb_log_append(l, &b, &h, &result, &e) != JB_E_USAGE;
        bad |= jb_log_open(dir, false, false, 64 << 20, &mine, &e) != JB_OK;
        for (int i = 0; i < 60 && !bad; i++) {
            fill(&b, h.seq + 1, 2000);
            bad |= jb_log_append(mine, &b, &h, &result, &e) != JB_OK;
        }
        _exit(bad);
    }
    int wait_status;
    waitpid(pid, &wait_status, 0);
    assert_int_equal(wait_status, 0);
    struct jb_log_reader *r;
    assert_int_equal(jb_log_reader_open(l, &r, &err), JB_OK);
    assert_int_equal(jb_log_reader_renew(r, &head, &err), JB_OK);
    assert_int_equal(head.seq, 80 * 2000);
    jb_log_reader_close(r);
    fill(&b, head.seq + 1, 2000);
    append(l, &b, &head);
    jb_log_batch_free(&b);
    jb_log_close(l);
}

static void
one_environment(void **state)
{
    (void)state;
    struct jb_log *a, *b;
    struct jb_error err;
    assert_int_equal(jb_log_open(dir, false, true, 0, &a, &err), JB_OK);
    assert_int_equal(jb_log_open(dir, true, false, 0, &b, &err), JB_OK);
    assert_ptr_equal(jb_log_env(a), jb_log_env(b));
    assert_int_equal(jb_env_users(jb_log_env(a)), 2);
    jb_log_close(b);
    jb_log_close(a);
}

/* A file that is cut short is said to be, and kills nobody. */
static void
cut_short(void **state)
{
    (void)state;
    struct jb_log *l;
    struct jb_error err;
    struct jb_log_head head = {0};
    struct jb_log_batch b = {0};
    char path[128];
    assert_int_equal(jb_log_open(dir, false, true, 0, &l, &err), JB_OK);
    fill(&b, 1, 5000);
    append(l, &b, &head);
    jb_log_close(l);
    jb_log_batch_free(&b);
    snprintf(path, sizeof path, "%s/log.mdb", dir);
    assert_int_equal(truncate(path, 8192 + 4096), 0);
    assert_int_equal(jb_log_open(dir, true, false, 0, &l, &err), JB_E_CORRUPT);
    assert_non_null(strstr(err.text, "cut short"));
}

/* All frames of a log as copies that the caller may change; ends[i]: frame i ends a commit. */
struct frames {
    struct jb_log_value at[64];
    uint8_t *bytes[64];
    bool ends[64];
    size_t n;
};

static void
take_frames(struct jb_log *l, struct frames *ret)
{
    struct jb_log_reader *r;
    struct jb_error err;
    struct jb_frame f;
    *ret = (struct frames){0};
    assert_int_equal(jb_log_reader_open(l, &r, &err), JB_OK);
    for (jb_seq seq = 1; jb_log_reader_frame(r, seq, &f, &err) == JB_OK; seq = f.first + f.count) {
        assert_true(ret->n < 64);
        ret->bytes[ret->n] = malloc(f.value_n);
        assert_non_null(ret->bytes[ret->n]);
        memcpy(ret->bytes[ret->n], f.value, f.value_n);
        ret->at[ret->n] = (struct jb_log_value){ret->bytes[ret->n], f.value_n};
        ret->ends[ret->n++] = (f.must & JB_FRAME_LAST) != 0;
    }
    jb_log_reader_close(r);
}

static void
free_frames(struct frames *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->bytes[i]);
    }
}

static jb_status
put(struct jb_log *l, const struct jb_log_value *frames, size_t n, struct jb_log_head *head)
{
    struct jb_error err;
    enum jb_log_result result;
    jb_status status = jb_log_put(l, frames, n, head, &result, &err);
    assert_int_equal(result, status == JB_OK ? JB_LOG_COMMITTED : JB_LOG_FAILED);
    return status;
}

/* A log is copied into another by the follower's way in, commit by commit: the same keys and
 * values. What does not follow, is not whole, or is no event is refused and leaves nothing. */
static void
followed(void **state)
{
    (void)state;
    char leader[80], follower[80];
    struct jb_log *from, *to;
    struct jb_error err;
    struct jb_log_head head = {0}, there = {0};
    struct jb_log_batch b = {0};
    snprintf(leader, sizeof leader, "%s/leader", dir);
    snprintf(follower, sizeof follower, "%s/follower", dir);
    assert_int_equal(mkdir(follower, 0700), 0);
    assert_int_equal(jb_init(leader, NULL, &err), JB_OK);
    assert_int_equal(jb_log_open(leader, false, false, 0, &from, &err), JB_OK);
    struct jb_log_reader *r;
    assert_int_equal(jb_log_reader_open(from, &r, &err), JB_OK);
    assert_int_equal(jb_log_reader_renew(r, &head, &err), JB_OK);
    jb_log_reader_close(r);
    static const size_t sizes[] = {1, 3, 500, 2, 70, 4000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        fill(&b, head.seq + 1, sizes[i]);
        append(from, &b, &head);
    }
    struct frames f;
    take_frames(from, &f);
    assert_true(f.n > 8); /* some commits are cut */

    assert_int_equal(jb_log_open(follower, false, true, 64 << 10, &to, &err), JB_OK);
    size_t done = 0;
    for (size_t i = 0; i < f.n; i++) {
        if (!f.ends[i]) {
            assert_int_equal(put(to, &f.at[done], i + 1 - done, &there),
                             JB_E_CORRUPT); /* not whole */
            continue;
        }
        struct jb_log_head before = there;
        size_t n = i + 1 - done;
        for (size_t byte = 0; byte < f.at[i].n; byte += 1 + f.at[i].n / 50) {
            f.bytes[i][byte] ^= 0x10;
            jb_status status = put(to, &f.at[done], n, &there);
            assert_true(status == JB_E_CORRUPT || (byte < 4 && status == JB_E_FORMAT));
            f.bytes[i][byte] ^= 0x10;
        }
        if (i > 0) {
            assert_int_equal(put(to, &f.at[i - 1], 1, &there),
                             JB_E_CORRUPT); /* it is there, or not whole */
        }
        if (i + 1 < f.n) {
            assert_int_equal(put(to, &f.at[i + 1], 1, &there), JB_E_CORRUPT); /* a gap */
        }
        assert_memory_equal(&before, &there, sizeof there);
        assert_int_equal(put(to, &f.at[done], n, &there), JB_OK);
        done = i + 1;
    }
    assert_int_equal(there.seq, head.seq);
    assert_int_equal(there.frames, head.frames);
    assert_memory_equal(there.chain, head.chain, JB_CHAIN_BYTES);
    struct frames copy;
    take_frames(to, &copy);
    assert_int_equal(copy.n, f.n);
    for (size_t i = 0; i < f.n; i++) {
        assert_int_equal(copy.at[i].n, f.at[i].n);
        assert_memory_equal(copy.at[i].at, f.at[i].at, f.at[i].n);
    }
    /* Another ledger's frames do not follow, nor does a log that its head does not describe. */
    struct jb_log_head wrong = there;
    wrong.seq--;
    fill(&b, head.seq + 1, 2);
    append(from, &b, &head);
    struct frames more;
    take_frames(from, &more);
    assert_int_equal(put(to, &more.at[more.n - 1], 1, &wrong), JB_E_CORRUPT);
    assert_int_equal(put(to, &more.at[more.n - 1], 1, &there), JB_OK);
    free_frames(&f);
    free_frames(&copy);
    free_frames(&more);
    jb_log_batch_free(&b);
    jb_log_close(to);
    jb_log_close(from);
}

/* A stopped holder: the others wait for their deadline and hear who it is. A dead one is no
 * hindrance. */
static void
writer_lock(void **state)
{
    (void)state;
    struct jb_lock *lock;
    struct jb_error err;
    bool first;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct jb_lock *mine;
        if (jb_lock_open(dir, &mine, &first, &err) != JB_OK ||
            jb_lock_take(mine, JB_LOCK_WRITER, 1000000, 0, &err) != JB_OK ||
            write(ready[1], "x", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(jb_lock_open(dir, &lock, &first, &err), JB_OK);
    kill(pid, SIGSTOP);
    assert_int_equal(jb_lock_take(lock, JB_LOCK_WRITER, 200000, 0, &err), JB_E_BUSY);
    char words[32];
    snprintf(words, sizeof words, "process %d", (int)pid);
    assert_non_null(strstr(err.text, words));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(jb_lock_take(lock, JB_LOCK_WRITER, 2000000, 0, &err), JB_OK);
    jb_lock_release(lock, JB_LOCK_WRITER);
    assert_int_equal(jb_lock_take(lock, JB_LOCK_WRITER, 2000000, 0, &err), JB_OK);
    jb_lock_release(lock, JB_LOCK_WRITER);
    jb_lock_close(lock);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(flipped_bytes), TEST(append_only),     TEST(packing),
        TEST(any_order),     TEST(map_grows),       TEST(cut_short),
        TEST(followed),      TEST(one_environment), TEST(writer_lock)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
