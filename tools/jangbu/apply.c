/*
 * apply: lines in, results out, in the same order. One thread reads and parses the next batches
 * while the other has this one carried out and prints its results; where the next is not parsed
 * yet, that one parses, too, because JSON is most of the work. Memory is bounded by a few batches,
 * whatever the input's length. A third brings the projections up to date now and then.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app.h"
#include "batch.h"
#include "event_json.h"
#include "process.h"

#define READ_BYTES (256 << 10)

/* A line as it was read. */
struct raw_line {
    size_t from, n; /* in the text of its batch */
    bool too_long;
};

/* A batch on its way from the thread that reads to the one that carries out. */
struct loaded {
    char *text;
    size_t text_n, text_cap;
    struct raw_line *raw; /* room for BATCH_COMMANDS */
    size_t raw_n;
    uint64_t first;     /* number of the first of them */
    uint64_t read_upto; /* bytes of the input */
    struct batch lines; /* what is made of them */
    bool full;          /* it gets no more lines */
    bool parsed;
    bool last; /* nothing comes behind it */
    int read_error;
};

#define BATCHES 4
struct feed {
    int fd;
    char *buf;
    size_t from, n, cap; /* unread bytes: [from, n) */
    bool eof;
    int error;
    bool skipping; /* inside a line that is too long */
    uint64_t line;
    uint64_t bytes;
    struct loaded batches[BATCHES];
    pthread_mutex_t lock;
    pthread_cond_t moved;
    /* How many batches were begun, were taken by who parses them, and were carried out. */
    uint64_t begun_n, taken_n, carried_n;
    bool ended; /* the last one is read */
    bool alone; /* no other thread sees a signal */
};

/* ---- reading ---- */

/* Reads what there is, waiting for it. */
static void
fill(struct feed *f)
{
    if (f->from > 0) {
        memmove(f->buf, f->buf + f->from, f->n - f->from);
        f->n -= f->from;
        f->from = 0;
    }
    if (f->cap - f->n < READ_BYTES) {
        size_t cap = f->cap == 0 ? 2 * READ_BYTES : f->cap * 2;
        char *grown = realloc(f->buf, cap);
        if (grown == NULL) {
            f->error = ENOMEM;
            f->eof = true;
            return;
        }
        f->buf = grown;
        f->cap = cap;
    }
    ssize_t n;
    do {
        if (f->alone && !process_wait(f->fd, POLLIN, -1)) {
            f->eof = true; /* a signal: what is there is not looked at any more */
            return;
        }
        n = read(f->fd, f->buf + f->n, f->cap - f->n);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        f->error = errno;
    }
    f->eof = n <= 0;
    f->n += n > 0 ? (size_t)n : 0;
    f->bytes += n > 0 ? (uint64_t)n : 0;
}

/* The next whole line in the buffer, or, at the end of the input, what is left. False: there is
 * none yet. *ret_long: the line is over the limit and was dropped. */
static bool
next_line(struct feed *f, const char **ret, size_t *ret_n, bool *ret_long)
{
    *ret_long = false;
    while (f->buf != NULL) {
        char *at = f->buf + f->from;
        size_t left = f->n - f->from;
        char *end = left > 0 ? memchr(at, '\n', left) : NULL;
        if (end != NULL) {
            *ret = at;
            *ret_n = (size_t)(end - at);
            f->from += *ret_n + 1;
            f->line++;
            *ret_long = f->skipping || *ret_n > JB_LINE_BYTES_MAX;
            f->skipping = false;
            return true;
        }
        if (left > JB_LINE_BYTES_MAX) {
            f->skipping = true; /* dropped as it comes, so that memory stays bounded */
            f->from = f->n;
            return false;
        }
        if (!f->eof || (left == 0 && !f->skipping)) {
            return false;
        }
        *ret = at;
        *ret_n = left;
        f->from = f->n;
        f->line++;
        *ret_long = f->skipping;
        f->skipping = false;
        return true;
    }
    return false;
}

/* Whether next_line has something to give, to drop, or the end to tell. */
static bool
has_line(const struct feed *f)
{
    const size_t left = f->n - f->from;
    return f->eof || left > JB_LINE_BYTES_MAX ||
           (left > 0 && memchr(f->buf + f->from, '\n', left) != NULL);
}

/* False: no memory. */
static bool
keep_line(struct loaded *l, const char *at, size_t n, bool too_long)
{
    if (l->text_cap - l->text_n < n) {
        size_t cap = l->text_cap == 0 ? BATCH_BYTES : l->text_cap;
        while (cap - l->text_n < n) {
            cap *= 2;
        }
        char *grown = realloc(l->text, cap);
        if (grown == NULL) {
            return false;
        }
        l->text = grown;
        l->text_cap = cap;
    }
    if (n > 0) {
        memcpy(l->text + l->text_n, at, n);
    }
    l->raw[l->raw_n++] = (struct raw_line){l->text_n, n, too_long};
    l->text_n += n;
    return true;
}

static void
begin_batch(struct feed *f, struct loaded *l)
{
    l->text_n = l->raw_n = 0;
    l->first = f->line + 1;
    l->last = l->full = false;
}

/* With the lock: as many of the lines that were read as there are, or as fit. */
static void
take_lines(struct feed *f, struct loaded *l)
{
    const char *at;
    size_t n;
    bool too_long;
    while (!l->full && next_line(f, &at, &n, &too_long)) {
        if (!keep_line(l, at, too_long ? 0 : n, too_long)) {
            /* As an input that cannot be read on: the lines before are carried out. */
            f->error = ENOMEM;
            f->eof = true;
            f->from = f->n;
        }
        l->full = l->raw_n == BATCH_COMMANDS || l->text_n >= BATCH_BYTES;
    }
    if (f->eof && !l->full) {
        l->full = l->last = f->ended = true;
        l->read_error = f->error;
    }
    l->read_upto = f->bytes;
}

static void
parse_batch(struct loaded *l)
{
    batch_reset(&l->lines);
    for (size_t i = 0; i < l->raw_n; i++) {
        const struct raw_line *r = &l->raw[i];
        if (!batch_add(&l->lines, l->first + i, l->text + r->from, r->n, r->too_long)) {
            l->last = true; /* likewise */
            l->read_error = ENOMEM;
            break;
        }
    }
}

/* With the lock, which it leaves meanwhile: parses the first batch that nobody has taken, where it
 * is full, or (at_once) where it is the next to be carried out. */
static bool
parse_next(struct feed *f, bool at_once)
{
    struct loaded *l = &f->batches[f->taken_n % BATCHES];
    if (f->taken_n == f->begun_n || (!l->full && !(at_once && f->taken_n == f->carried_n))) {
        return false;
    }
    f->taken_n++;
    pthread_mutex_unlock(&f->lock);
    parse_batch(l);
    pthread_mutex_lock(&f->lock);
    l->parsed = true;
    pthread_cond_broadcast(&f->moved);
    return true;
}

/* With the lock. False: there is no room. */
static bool
put_lines(struct feed *f)
{
    struct loaded *l = &f->batches[(f->begun_n - 1) % BATCHES];
    if (f->begun_n == f->taken_n || l->full) {
        if (f->begun_n == f->carried_n + BATCHES) {
            return false;
        }
        l = &f->batches[f->begun_n++ % BATCHES];
        begin_batch(f, l);
    }
    take_lines(f, l);
    pthread_cond_broadcast(&f->moved);
    return true;
}

/* So many full batches wait to be parsed, that who carries out has one to take. */
#define AHEAD 2

/* A batch gets lines until it is full, or who carries out wants it: what comes slowly is carried
 * out at once, and what comes while that takes its time, together. */
static void *
reader(void *data)
{
    struct feed *f = data;
    pthread_mutex_lock(&f->lock);
    while (!f->ended) {
        if (has_line(f)) {
            if (!put_lines(f) && !parse_next(f, false)) {
                pthread_cond_wait(&f->moved, &f->lock);
            }
        } else if (f->begun_n - f->taken_n < AHEAD || !parse_next(f, false)) {
            pthread_mutex_unlock(&f->lock);
            fill(f);
            pthread_mutex_lock(&f->lock);
        }
    }
    while (parse_next(f, false)) {
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* ---- the projections ---- */

static int64_t
monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/*
 * Follows the log while lines are carried out: so often that others find little to be folded, and
 * no more than a quarter of the time. What is written of the projections depends on how many
 * wallets there were to change, and over many a million events may write no more than ten thousand.
 */
#define FOLLOW_US 1000000
#define FOLLOW_LINES 500000
#define FOLLOW_REST 3

struct follower {
    jb_views *views; /* NULL: there are none to follow */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool started;
    bool asked; /* it is at it, or is to be */
    bool stop;
    uint64_t line; /* when it was asked last */
    int64_t took_us, ended_us;
    jb_status status;
    struct jb_error err;
};

static void *
follow_beside(void *data)
{
    struct follower *w = data;
    pthread_setname_np(pthread_self(), "jangbu-follow");
    pthread_mutex_lock(&w->lock);
    while (w->status == JB_OK && !w->stop) {
        if (!w->asked) {
            pthread_cond_wait(&w->moved, &w->lock);
            continue;
        }
        pthread_mutex_unlock(&w->lock);
        struct jb_error err;
        const int64_t began = monotonic_us();
        const jb_status status = jb_views_sync(w->views, false, &err);
        pthread_mutex_lock(&w->lock);
        w->ended_us = monotonic_us();
        w->took_us = w->ended_us - began;
        w->status = status;
        w->err = err;
        w->asked = false;
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void
follower_begin(struct follower *w, jb_views *views)
{
    sigset_t before;
    *w = (struct follower){.views = views, .status = JB_OK, .ended_us = monotonic_us()};
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->moved, NULL);
    if (views != NULL) {
        /* A signal is for who waits for input. */
        process_block_signals(&before);
        w->started = pthread_create(&w->thread, NULL, follow_beside, w) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
}

/* Asks it, when it is time. Without a thread they are followed at the end. */
static jb_status
follower_ask(struct follower *w, uint64_t line, struct jb_error *err)
{
    if (!w->started) {
        return JB_OK;
    }
    pthread_mutex_lock(&w->lock);
    const int64_t rested = monotonic_us() - w->ended_us;
    if (!w->asked && rested >= FOLLOW_REST * w->took_us &&
        (rested >= FOLLOW_US || line - w->line >= FOLLOW_LINES)) {
        w->asked = true;
        w->line = line;
        pthread_cond_signal(&w->moved);
    }
    const jb_status status = w->status;
    if (status != JB_OK) {
        *err = w->err;
    }
    pthread_mutex_unlock(&w->lock);
    return status;
}

static void
follower_end(struct follower *w)
{
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->moved);
    pthread_mutex_unlock(&w->lock);
    if (w->started) {
        pthread_join(w->thread, NULL);
        w->started = false;
    }
}

/* ---- carrying out ---- */

struct run {
    struct app *app;
    struct jb_submit_options options;
    jb_answers *answers;
    struct batch_tally tally;
    struct follower follower;
};

/* Whoever brings in what happened elsewhere, and before, finds its `at` refused line by line. */
static void
hint_import(const struct run *r, bool dated)
{
    if (dated && r->options.clock == JB_CLOCK_SYSTEM) {
        fputs(tr("jangbu: an `at` was refused for lying too far back. To import what happened "
                 "before now, with each line's `at` as the clock: `jangbu apply --clock=at`"),
              stderr);
        fputs(r->options.dry_run
                  ? ".\n"
                  : tr(". Keys that were refused keep their answer: import them into a new ledger, "
                       "or under new keys.\n"),
              stderr);
    }
}

static bool
any_refused(const struct run *r)
{
    return r->tally.refused + r->tally.refused_before > 0;
}

static void
say_count(uint64_t n, const char *what)
{
    if (n > 0) {
        fprintf(stderr, what, (unsigned long long)n);
    }
}

/* Behind the results, on standard error, so that they stay what programs read. */
static void
print_summary(const struct run *r)
{
    const bool one = r->tally.done == 1, trial = r->options.dry_run;
    fprintf(stderr,
            one ? trial ? tr("jangbu: %llu command would be done") : tr("jangbu: %llu command done")
            : trial ? tr("jangbu: %llu commands would be done")
                    : tr("jangbu: %llu commands done"),
            (unsigned long long)r->tally.done);
    say_count(r->tally.done_before, tr(", %llu done before"));
    say_count(r->tally.refused, tr(", %llu refused"));
    say_count(r->tally.refused_before, tr(", %llu refused before"));
    if (any_refused(r)) {
        fprintf(stderr, tr(", the first in line %llu (%s)"),
                (unsigned long long)r->tally.first_refused,
                jb_code_word((uint32_t)r->tally.first_code));
    }
    fputs(".\n", stderr);
    hint_import(r, r->tally.dated > 0);
    if (r->tally.forgotten > 0 && !trial) {
        app_hint_key(r->app);
    }
}

static int
stopped(const struct run *r, const char *what)
{
    if (r->tally.line == 0) {
        fprintf(stderr, tr("jangbu: %s. No line is done: apply the input again behind that.\n"),
                what);
        return EXIT_MACHINE;
    }
    fprintf(stderr,
            tr("jangbu: %s. Lines up to %llu are done. Apply the input again: commands with a key "
               "are not done twice.\n"),
            what, (unsigned long long)r->tally.line);
    return EXIT_MACHINE;
}

/* After SIGINT or SIGTERM. The code that a shell gives a program that such a signal has ended. */
static int
ended(const struct run *r)
{
    fprintf(stderr,
            tr("jangbu: ended by %s. Lines up to %llu are done. Apply the input again: commands "
               "with a key are not done twice.\n"),
            process_ended_by() == SIGINT ? "SIGINT" : "SIGTERM", (unsigned long long)r->tally.line);
    return 128 + process_ended_by();
}

/* Waits for a batch, and parses meanwhile; false: a signal came first. */
static bool
wait_for(struct feed *f, const struct loaded *b)
{
    pthread_mutex_lock(&f->lock);
    while (!b->parsed && process_ended_by() == 0) {
        if (parse_next(f, true)) {
            continue;
        }
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 100 * 1000 * 1000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&f->moved, &f->lock, &until);
    }
    pthread_mutex_unlock(&f->lock);
    return process_ended_by() == 0;
}

/* last: all of it, and now. */
static int
follow(struct run *r, bool last)
{
    jb_status status = follower_ask(&r->follower, r->tally.line, &r->app->err);
    if (status == JB_OK && last && r->follower.views != NULL) {
        follower_end(&r->follower);
        status = jb_views_sync(r->follower.views, false, &r->app->err);
    }
    return status == JB_OK ? EXIT_DONE : stopped(r, r->app->err.text);
}

/* EXIT_DONE to go on. */
static int
carry_out(struct run *r, const struct batch *b, bool last)
{
    size_t done = 0;
    jb_status status = JB_OK;
    if (b->commands_n > 0) {
        status = jb_submit(r->app->ledger, b->commands, b->commands_n, &r->options, r->answers,
                           &done, &r->app->err);
    }
    batch_answers(b, r->answers, 0, status == JB_OK ? b->commands_n : done,
                  r->app->info.utc_offset_s, &r->app->out, &r->tally);
    if (!app_flush(r->app)) {
        if (process_ended_by() != 0) {
            return EXIT_MACHINE; /* ended() says it */
        }
        /* The writing error is said. What is done stays done, seen or not. */
        fprintf(stderr,
                tr("jangbu: lines up to %llu are done, but not all their results were printed. "
                   "Apply the input again: commands with a key are not done twice.\n"),
                (unsigned long long)r->tally.line);
        return EXIT_MACHINE;
    }
    if (status != JB_OK) {
        return stopped(r, r->app->err.text);
    }
    return follow(r, last);
}

static int
run_batches(struct run *r, struct feed *f, struct progress *p, uint64_t input_bytes)
{
    int code = EXIT_DONE;
    while (code == EXIT_DONE) {
        struct loaded *b = &f->batches[f->carried_n % BATCHES];
        if (!wait_for(f, b)) {
            return ended(r);
        }
        code = carry_out(r, &b->lines, b->last);
        if (process_ended_by() != 0) {
            return ended(r);
        }
        if (b->last && b->read_error != 0) {
            fprintf(stderr, tr("jangbu: cannot read the input behind line %llu: %s\n"),
                    (unsigned long long)r->tally.line, system_words(b->read_error));
            code = EXIT_MACHINE;
        }
        const bool last = b->last;
        if (input_bytes > 0) {
            progress_show(p, b->read_upto, input_bytes);
        }
        pthread_mutex_lock(&f->lock);
        b->parsed = false;
        f->carried_n++;
        pthread_cond_broadcast(&f->moved);
        pthread_mutex_unlock(&f->lock);
        if (last) {
            break;
        }
    }
    return code;
}

static bool
make_batches(struct feed *f)
{
    for (int i = 0; i < BATCHES; i++) {
        struct loaded *l = &f->batches[i];
        l->raw = calloc(BATCH_COMMANDS, sizeof *l->raw);
        if (l->raw == NULL || !batch_reserve(&l->lines, BATCH_COMMANDS)) {
            return false;
        }
    }
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->moved, NULL);
    return true;
}

static void
free_batches(struct feed *f)
{
    for (int i = 0; i < BATCHES; i++) {
        batch_free(&f->batches[i].lines);
        free(f->batches[i].text);
        free(f->batches[i].raw);
    }
    free(f->buf);
}

static int
apply_stream(struct run *r, struct feed *f)
{
    pthread_t thread;
    struct stat st;
    struct progress p;
    uint64_t input_bytes = fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    if (!make_batches(f) || pthread_create(&thread, NULL, reader, f) != 0) {
        fputs(tr("jangbu: no memory\n"), stderr);
        free_batches(f);
        return EXIT_MACHINE;
    }
    if (isatty(STDOUT_FILENO)) {
        input_bytes = 0; /* the results run over the screen: no bar among them */
    }
    progress_begin(&p, "apply");
    follower_begin(&r->follower, r->app->views);
    int code = run_batches(r, f, &p, input_bytes);
    follower_end(&r->follower);
    progress_end(&p);
    if (code != EXIT_DONE) {
        /* The reader may be waiting for input that does not come: the process ends with it. */
        return code;
    }
    pthread_join(thread, NULL);
    free_batches(f);
    print_summary(r);
    return any_refused(r) ? EXIT_REFUSED : EXIT_DONE;
}

/* ---- the whole input as one group ---- */

static int
refuse_group(struct run *r, uint64_t line, const struct bad_line *bad, jb_code code,
             const char *message)
{
    struct bad_line made = bad != NULL ? *bad : (struct bad_line){.code = code};
    snprintf(made.message, sizeof made.message, tr("%.700s; none of the input was done"),
             bad != NULL ? bad->message : tr(message));
    bad_line_json(&r->app->out, &made, line, (struct jb_text){0});
    js_line_end(&r->app->out);
    return EXIT_REFUSED;
}

static void
add_line(struct feed *f, struct batch *b, const char *s, size_t n, bool too_long)
{
    if (!batch_add(b, f->line, s, n, too_long)) {
        f->error = ENOMEM;
        f->eof = true;
        f->from = f->n;
    }
}

/* Reads all lines as members of one group. */
static int
read_group(struct run *r, struct feed *f, struct batch *b)
{
    uint64_t bytes = 0;
    for (;;) {
        const char *s;
        size_t n;
        bool too_long;
        if (next_line(f, &s, &n, &too_long)) {
            bytes += n;
            if (b->lines_n == BATCH_COMMANDS && n > 0) {
                return refuse_group(r, f->line, NULL, JB_CODE_BATCH_TOO_LARGE,
                                    "a group has at most 8192 commands");
            }
            add_line(f, b, s, n, too_long);
            if (b->lines_n > 0 && b->lines[b->lines_n - 1].bad != NULL) {
                return refuse_group(r, f->line, b->lines[b->lines_n - 1].bad, JB_CODE_MALFORMED,
                                    "");
            }
            if (bytes > JB_LINE_BYTES_MAX) {
                return refuse_group(r, f->line, NULL, JB_CODE_BATCH_TOO_LARGE,
                                    "a group has at most 4 MiB");
            }
        } else if (f->eof && f->error != 0) {
            fprintf(stderr, tr("jangbu: cannot read the input: %s. None of it was done\n"),
                    system_words(f->error));
            return EXIT_MACHINE;
        } else if (f->eof) {
            return EXIT_DONE;
        } else {
            fill(f);
        }
    }
}

static int
apply_group(struct run *r, struct feed *f, const char *key, const char *at)
{
    if (!make_batches(f)) {
        fputs(tr("jangbu: no memory\n"), stderr);
        return EXIT_MACHINE;
    }
    struct batch *b = &f->batches[0].lines;
    struct jb_command group = {.size = sizeof group,
                               .op = JB_OP_ATOMIC,
                               .has = JB_HAS(JB_CF_COMMANDS),
                               .commands = b->commands};
    int code = EXIT_DONE;
    if (key != NULL) {
        group.has |= JB_HAS(JB_CF_KEY);
        group.key = (struct jb_text){key, strlen(key)};
    }
    if (at != NULL) {
        group.has |= JB_HAS(JB_CF_AT);
        if (!jb_instant_parse(at, strlen(at), &group.at)) {
            free_batches(f);
            return app_usage(
                r->app, "--at is an instant with an offset like 2026-10-31T09:00:00+09:00, not %s",
                at);
        }
    }
    f->alone = true;
    code = read_group(r, f, b);
    if (process_ended_by() != 0) {
        code = ended(r);
    } else if (code == EXIT_DONE) {
        group.commands_n = b->commands_n;
        if (jb_submit(r->app->ledger, &group, 1, &r->options, r->answers, NULL, &r->app->err) !=
            JB_OK) {
            code = app_fail(r->app, &r->app->err);
        } else {
            const struct jb_answer *a = jb_answers_at(r->answers, 0);
            answer_json(&r->app->out, a, 0, group.key, r->app->info.utc_offset_s);
            out_char(&r->app->out, '\n');
            code = a->code == JB_CODE_NONE ? EXIT_DONE : EXIT_REFUSED;
            hint_import(r, code_is_dated(a->code));
        }
    }
    free_batches(f);
    return code;
}

int
cmd_apply(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *clock = "system", *key = NULL, *at = NULL;
    int n, code;
    bool atomic = false, dry_run = false, accept_clock = false;
    const struct option_row options[] = {{"clock", NULL, &clock},
                                         {"atomic", &atomic, NULL},
                                         {"dry-run", &dry_run, NULL},
                                         {"key", NULL, &key},
                                         {"at", NULL, &at},
                                         {"accept-clock", &accept_clock, NULL},
                                         {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n < 1 || n > 2) {
        return app_usage(app,
                         "jangbu apply takes a ledger and, if it is not standard input, a file");
    }
    if (strcmp(clock, "at") != 0 && strcmp(clock, "system") != 0) {
        return app_usage(app, "--clock is at or system, not %s", clock);
    }
    if (accept_clock && strcmp(clock, "at") == 0) {
        return app_usage(app, "--accept-clock is about the system's clock, not --clock=at");
    }
    if (!atomic && (key != NULL || at != NULL)) {
        return app_usage(app, "--key and --at belong to --atomic; each line has its own");
    }
    static struct feed
        f; /* outlives this function where the reader still waits for input when the process ends */
    f.fd = STDIN_FILENO;
    if (n == 2 && strcmp(args[1], "-") != 0) {
        f.fd = open(args[1], O_RDONLY | O_CLOEXEC);
        if (f.fd < 0) {
            fprintf(stderr, tr("jangbu: cannot open %s: %s\n"), args[1], system_words(errno));
            return EXIT_MACHINE;
        }
    }
    if (!app_open(app, args[0], true, !dry_run, &code)) {
        return code;
    }
    process_end_gently();
    struct run r = {.app = app, .answers = jb_answers_new()};
    r.options = (struct jb_submit_options){.size = sizeof r.options,
                                           .clock = strcmp(clock, "at") == 0 ? JB_CLOCK_AT
                                                                             : JB_CLOCK_SYSTEM,
                                           .dry_run = dry_run,
                                           .accept_clock = accept_clock,
                                           .caller = app->caller};
    if (r.answers == NULL) {
        fputs(tr("jangbu: no memory\n"), stderr);
        code = EXIT_MACHINE;
    } else {
        code = atomic ? apply_group(&r, &f, key, at) : apply_stream(&r, &f);
    }
    jb_answers_free(r.answers);
    if (f.fd != STDIN_FILENO) {
        close(f.fd);
    }
    return code;
}
