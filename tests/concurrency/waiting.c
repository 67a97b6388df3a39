/*
 * jb_wait: it wakes within a moment of a commit, of whatever process, and no commit is slept
 * through; it ends at its time, signals or not, and with jb_wait_end, whenever that is called; a
 * waiter that was
 * killed, a lock file that was deleted and a read-only file system cost nobody anything; who
 * commits while nobody waits makes no system call for it.
 *
 * usage: waiting [NAME]
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jangbu/ledger.h>

#include "base/clock.h"
#include "base/steps.h"

#include "../check.h"

#define COMMITS 200
#define FOR_EVER INT64_MAX
#define THREADS 4

static char scratch[] = "/tmp/jangbu-waiting-XXXXXX";
static char dir[80];
static struct jb_error err;

/* Between the processes. */
static struct {
    _Atomic uint64_t seen; /* the last event that the waiter has been told of */
    _Atomic int64_t committed_at;
    _Atomic bool ready;
} * shared;

static jb_ledger *
open_it(bool read_only)
{
    struct jb_open_options o = {.size = sizeof o, .read_only = read_only};
    jb_ledger *l = NULL;
    must(jb_open(dir, &o, &l, &err) == JB_OK, err.text);
    return l;
}

static jb_answers *answers;

static void
submit(jb_ledger *l, jb_op op, const char *name)
{
    struct jb_command c;
    jb_command_begin(&c, op);
    jb_set_wallet(&c, jb_text_of("W"));
    jb_set_name(&c, jb_text_of(name));
    if (op == JB_OP_WALLET_CREATE) {
        jb_set_kind(&c, JB_KIND_BUSINESS);
    }
    must(jb_submit(l, &c, 1, NULL, answers, NULL, &err) == JB_OK, err.text);
    must(jb_answers_at(answers, 0)->outcome == JB_DONE, "a command");
}

static jb_seq
end_of(jb_ledger *l)
{
    struct jb_head head = JB_SIZED(struct jb_head);
    must(jb_head_get(l, &head, &err) == JB_OK, err.text);
    return head.seq;
}

static void
pause_us(long us)
{
    struct timespec t = {.tv_nsec = us * 1000};
    nanosleep(&t, NULL);
}

/* What an earlier case has left lets no child begin before its parent is there. */
static pid_t
child_of(void (*run)(void))
{
    fflush(stdout);
    shared->seen = 0;
    shared->committed_at = 0;
    shared->ready = false;
    pid_t pid = fork();
    must(pid >= 0, "no child");
    if (pid == 0) {
        alarm(120);
        run();
        _exit(0);
    }
    return pid;
}

static void
ended_well(pid_t pid)
{
    int status;
    must(waitpid(pid, &status, 0) == pid && status == 0, "the other process");
}

/* ---- woken by another process ---- */

static void
commit_in_turn(void)
{
    jb_ledger *l = open_it(false);
    for (int i = 0; i < COMMITS; i++) {
        jb_seq end = end_of(l);
        while (shared->seen < end) {
            pause_us(50);
        }
        pause_us(i % 20 * 40); /* before it sleeps, while it falls asleep, when it sleeps */
        submit(l, JB_OP_WALLET_RENAME, "name");
        shared->committed_at = jb_monotonic_us();
    }
    jb_close(l);
}

static int
by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void
wakes(bool read_only)
{
    static int64_t late[COMMITS];
    pid_t writer = child_of(commit_in_turn);
    jb_ledger *l = open_it(read_only);
    jb_seq end = end_of(l);
    jb_steps = (struct jb_steps){0};
    shared->seen = end;
    for (int i = 0; i < COMMITS; i++) {
        jb_seq before = end;
        must(jb_wait(l, before, FOR_EVER, &end, &err) == JB_OK && end > before, "it is woken");
        int64_t now = jb_monotonic_us();
        while (shared->committed_at == 0) {
            pause_us(20); /* it was told before the writer was */
        }
        late[i] = now > shared->committed_at ? now - shared->committed_at : 0;
        shared->committed_at = 0; /* before the writer may go on */
        shared->seen = end;
    }
    ended_well(writer);
    qsort(late, COMMITS, sizeof late[0], by_size);
    printf("%s: %d commits, woken after %lld us (median), %lld us (most); looked %llu times, %llu "
           "commits slept through\n",
           read_only ? "a reader" : "a writer", COMMITS, (long long)late[COMMITS / 2],
           (long long)late[COMMITS - 1], (unsigned long long)jb_steps.looks,
           (unsigned long long)jb_steps.missed);
    /* A writer may be put aside between its commit and its call for as long as a look takes. */
    must(jb_steps.missed <= 3, "commits are told");
    must(jb_steps.looks <= 20 * COMMITS, "it sleeps");
    jb_close(l);
}

static void
commit_on(void)
{
    jb_ledger *l = open_it(false);
    while (!shared->ready) {
        pause_us(50);
    }
    for (int i = 0; i < COMMITS; i++) {
        submit(l, JB_OP_WALLET_RENAME, "name");
    }
    jb_close(l);
}

/* No turns: commits fall between any two steps of the waiter. */
static void
follows(void)
{
    pid_t writer = child_of(commit_on);
    jb_ledger *l = open_it(true);
    jb_seq end = end_of(l), last = end + COMMITS;
    jb_steps = (struct jb_steps){0};
    shared->ready = true;
    while (end < last) {
        jb_seq before = end;
        must(jb_wait(l, before, FOR_EVER, &end, &err) == JB_OK && end > before, "it is woken");
    }
    must(jb_wait(l, end, 0, &end, &err) == JB_END && end == last, "it has all");
    ended_well(writer);
    must(jb_steps.missed <= 3, "commits are told, however fast they come");
    jb_close(l);
}

/* ---- many threads, one handle ---- */

static jb_ledger *common;
static jb_seq last_of_all;

static void *
follow_it(void *data)
{
    struct jb_error mine;
    for (jb_seq end = 0; end < last_of_all;) {
        must(jb_wait(common, end, FOR_EVER, &end, &mine) == JB_OK, mine.text);
    }
    return data;
}

static void
together(void)
{
    common = open_it(false);
    last_of_all = end_of(common) + COMMITS;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        must(pthread_create(&threads[i], NULL, follow_it, NULL) == 0, "a thread");
    }
    for (int i = 0; i < COMMITS; i++) {
        submit(common, JB_OP_WALLET_RENAME, "name");
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    jb_close(common);
}

/* ---- the end of the time ---- */

static void
on_alarm(int signal)
{
    (void)signal;
}

static void
times_out(void)
{
    jb_ledger *l = open_it(true);
    jb_seq end = end_of(l), told = 0;
    must(jb_wait(l, end, 0, &told, &err) == JB_END && told == end, "0 looks once");
    must(jb_wait(l, end - 1, 0, &told, &err) == JB_OK && told == end, "what is there");
    must(jb_wait(l, UINT64_MAX, 0, NULL, &err) == JB_END, "beyond every number");
    must(jb_wait(l, end, -1, &told, &err) == JB_E_USAGE, "before now");
    must(jb_wait(NULL, end, 0, &told, &err) == JB_E_USAGE, "no ledger");
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval often = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};
    must(sigaction(SIGALRM, &action, NULL) == 0, "a handler");
    for (int signals = 0; signals < 2; signals++) {
        must(setitimer(ITIMER_REAL, signals == 1 ? &often : &never, NULL) == 0, "a timer");
        int64_t begun = jb_monotonic_us();
        must(jb_wait(l, end, 150000, &told, &err) == JB_END && told == end, "the time is over");
        must(jb_monotonic_us() - begun >= 150000, "not before it is over");
    }
    must(setitimer(ITIMER_REAL, &never, NULL) == 0, "no timer");
    signal(SIGALRM, SIG_DFL);
    jb_close(l);
}

/* ---- the end of waiting ---- */

static _Atomic int waiters, told_ended;

static void *
wait_for_the_end(void *data)
{
    struct jb_error mine;
    waiters++;
    told_ended += jb_wait(common, UINT64_MAX, FOR_EVER, NULL, &mine) == JB_E_USAGE;
    return data;
}

static void
start_all(pthread_t threads[THREADS], void *(*run)(void *data))
{
    for (int i = 0; i < THREADS; i++) {
        must(pthread_create(&threads[i], NULL, run, NULL) == 0, "a thread");
    }
}

static void
join_all(const pthread_t threads[THREADS])
{
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* after_us: 0, before the waits begin, or so long after the first has begun. */
static void
end_waits(long after_us)
{
    pthread_t threads[THREADS];
    waiters = told_ended = 0;
    if (after_us == 0) {
        jb_wait_end(common);
    }
    start_all(threads, wait_for_the_end);
    while (waiters == 0) {
        sched_yield();
    }
    if (after_us > 0) {
        pause_us(after_us);
        jb_wait_end(common);
    }
    join_all(threads);
    must(told_ended == THREADS, "every wait is ended");
}

static void
ending(void)
{
    jb_wait_end(NULL);
    for (int polled = 0; polled < 2; polled++) {
        char path[96];
        snprintf(path, sizeof path, "%s/lock", dir);
        for (long i = 0; i < 12; i++) {
            common = open_it(polled == 0 && i % 2 == 1);
            must(polled == 0 || unlink(path) == 0, "no lock file");
            end_waits(i * i * i * 20);
            must(jb_wait(common, 0, 0, NULL, &err) == JB_E_USAGE, "though there is more");
            must(end_of(common) > 0, "all else goes on");
            jb_close(common);
        }
    }
}

/* docs/library.md's loop. */
static void *
follow_to_the_end(void *data)
{
    jb_cursor *c;
    const struct jb_event *e;
    struct jb_error mine;
    jb_seq next = 1;
    must(jb_cursor_open(common, 1, &c, &mine) == JB_OK, mine.text);
    for (;;) {
        jb_status status;
        while ((status = jb_cursor_next(c, &e, &mine)) == JB_OK) {
            must(e->seq == next, "each event once");
            next = e->seq + 1;
        }
        if (status == JB_END) {
            status = jb_wait(common, next - 1, FOR_EVER, NULL, &mine);
        }
        if (status != JB_OK) {
            told_ended += status == JB_E_USAGE;
            break;
        }
    }
    jb_cursor_close(c);
    return data;
}

/* Followers that seldom stand in jb_wait: where they are when it is ended is anyone's guess. */
static void
busy(void)
{
    for (long i = 0; i < 24; i++) {
        pthread_t threads[THREADS];
        common = open_it(false);
        told_ended = 0;
        start_all(threads, follow_to_the_end);
        for (long k = 0; k < i / 3; k++) {
            submit(common, JB_OP_WALLET_RENAME, "name");
        }
        pause_us(i % 8 * 40);
        jb_wait_end(common);
        submit(common, JB_OP_WALLET_RENAME, "name");
        join_all(threads);
        must(told_ended == THREADS, "every follower comes to an end");
        jb_close(common);
    }
}

/* ---- surroundings ---- */

static void
wait_for_ever(void)
{
    jb_ledger *l = open_it(true);
    shared->ready = true;
    (void)!jb_wait(l, UINT64_MAX, FOR_EVER, NULL, &err);
}

/* Whether the process sleeps: behind `ready` there is nothing but jb_wait that it sleeps in. */
static bool
sleeps(pid_t pid)
{
    char path[48], line[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    size_t n = f != NULL ? fread(line, 1, sizeof line - 1, f) : 0;
    line[n] = '\0';
    if (f != NULL) {
        fclose(f);
    }
    const char *name_ends = strrchr(line, ')');
    return name_ends != NULL && name_ends[1] == ' ' && name_ends[2] == 'S';
}

static void
killed(void)
{
    jb_ledger *l = open_it(false);
    jb_steps = (struct jb_steps){0};
    for (int i = 0; i < 10; i++) {
        submit(l, JB_OP_WALLET_RENAME, "name");
    }
    must(jb_steps.calls <= 1, "who commits calls nobody"); /* but who listened last, and has left */
    pid_t waiter = child_of(wait_for_ever);
    while (!shared->ready) {
        pause_us(50);
    }
    for (int i = 0; i < 3; i += sleeps(waiter)) {
        pause_us(5000);
    }
    must(kill(waiter, SIGKILL) == 0 && waitpid(waiter, NULL, 0) == waiter, "it is killed");
    jb_steps = (struct jb_steps){0};
    for (int i = 0; i < 10; i++) {
        submit(l, JB_OP_WALLET_RENAME, "name");
    }
    must(jb_steps.calls == 1, "the dead are called once");
    jb_close(l);
    wakes(true);
}

static void
commit_without(void)
{
    char path[96];
    snprintf(path, sizeof path, "%s/lock", dir);
    jb_ledger *l = open_it(false);
    while (!shared->ready) {
        pause_us(50);
    }
    must(unlink(path) == 0, "the lock file is there");
    for (int i = 0; i < 10; i++) {
        submit(l, JB_OP_WALLET_RENAME, "name");
        pause_us(20000);
    }
    jb_close(l);
}

static void
lock_deleted(void)
{
    pid_t writer = child_of(commit_without);
    jb_ledger *l = open_it(true);
    jb_seq end = end_of(l), last = end + 10;
    shared->ready = true;
    while (end < last) {
        must(jb_wait(l, end, 10 * JB_US_PER_SECOND, &end, &err) == JB_OK,
             "it sees it all the same");
    }
    ended_well(writer);
    jb_close(l);
}

/* Of a directory that is mounted read-only for this process, and written to by another. */
static void
read_only_place(void)
{
    char there[64];
    snprintf(there, sizeof there, "%s/there", scratch);
    must(mkdir(there, 0700) == 0, "no directory");
    pid_t writer = child_of(commit_in_turn);
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount(dir, there, NULL, MS_BIND, NULL) != 0 ||
        mount(NULL, there, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) != 0) {
        printf("skipped: a read-only place: no right to mount\n");
        kill(writer, SIGKILL);
        waitpid(writer, NULL, 0);
        return;
    }
    snprintf(dir, sizeof dir, "%s", there);
    jb_ledger *l = open_it(false); /* it becomes one for reading by itself */
    jb_seq end = end_of(l), last = end + COMMITS;
    int64_t begun = jb_monotonic_us();
    while (end < last) {
        shared->seen = end;
        must(jb_wait(l, end, FOR_EVER, &end, &err) == JB_OK, err.text);
    }
    printf("a read-only place: %d commits followed in %lld ms\n", COMMITS,
           (long long)(jb_monotonic_us() - begun) / 1000);
    ended_well(writer);
    must(jb_wait(l, end, 30000, &end, &err) == JB_END, "the time is over");
    jb_close(l);
    must(umount(there) == 0, "cannot unmount");
    snprintf(dir, sizeof dir, "%s/L", scratch);
}

static void
in_a_child(void)
{
    jb_ledger *l = open_it(true);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(20);
        bool right = jb_wait(l, 0, FOR_EVER, NULL, &err) == JB_E_USAGE;
        jb_close(l);
        _exit(right ? 0 : 1);
    }
    ended_well(pid);
    jb_close(l);
}

static void
writer_wakes(void)
{
    wakes(false);
}

static void
reader_wakes(void)
{
    wakes(true);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {{"reader", reader_wakes},
             {"writer", writer_wakes},
             {"follows", follows},
             {"together", together},
             {"times", times_out},
             {"ending", ending},
             {"busy", busy},
             {"killed", killed},
             {"deleted", lock_deleted},
             {"forked", in_a_child},
             {"read-only", read_only_place}};

int
main(int argc, char **argv)
{
    make_scratch(scratch);
    snprintf(dir, sizeof dir, "%s/L", scratch);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    answers = jb_answers_new();
    must(shared != MAP_FAILED && answers != NULL, "no memory");
    must(jb_init(dir, NULL, &err) == JB_OK, err.text);
    jb_ledger *l = open_it(false);
    submit(l, JB_OP_WALLET_CREATE, "name");
    jb_close(l);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (argc < 2 || strcmp(argv[1], cases[i].name) == 0) {
            cases[i].run();
        }
    }
    jb_answers_free(answers);
    remove_scratch(scratch);
    return 0;
}
