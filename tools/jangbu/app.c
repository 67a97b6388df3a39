/* What every sub-command does at its beginning and its end, and how it prints amounts, times and
 * ids. */
#include "app.h"
#include "html.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pager.h"
#include "process.h"

const char *
system_words(int code)
{
    return tr(strerror(code));
}

int
app_fail(const struct app *app, const struct jb_error *err)
{
    (void)app;
    fprintf(stderr, "jangbu: %s.\n",
            err->text[0] != '\0' ? err->text : jb_status_word(err->status));
    if (err->status == JB_E_NOTFOUND || err->status == JB_E_NOT_CLOSED ||
        err->status == JB_E_EXISTS || err->status == JB_E_RANGE) {
        return EXIT_REFUSED;
    }
    return err->status == JB_E_USAGE ? EXIT_USAGE : EXIT_MACHINE;
}

int
app_usage(const struct app *app, const char *format, ...)
{
    va_list args;
    format = tr(format);
    fputs("jangbu: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, tr("%s Try `jangbu help%s%s`.\n"), format[strlen(format) - 1] == '?' ? "" : ".",
            app->command != NULL ? " " : "", app->command != NULL ? app->command : "");
    return EXIT_USAGE;
}

bool
app_is_person(const struct app *app, const char *what, const char *text)
{
    const char *colon = strrchr(text, ':');
    uint32_t role;
    if (colon == NULL ||
        !jb_name_number(jb_names_get(JB_LIST_ROLE), colon + 1, strlen(colon + 1), &role)) {
        return true;
    }
    app_usage(app, "%s takes the id of a person, without a role: %.*s, not %s", what,
              (int)(colon - text), text, text);
    return false;
}

void
app_hint_key(const struct app *app)
{
    if (app->info.key_file != NULL) {
        fprintf(stderr,
                tr("jangbu: forgetting took another key, in %s: put a copy of it in the place of "
                   "the older one, and back up people.mdb now; no key opens older copies of it.\n"),
                app->info.key_file);
    }
}

/* What is not as it should be beside the log, and does not keep the ledger from being used. */
static void
warn_of_files(const struct jb_ledger_info *info, const char *dir)
{
    if (info->secret_lost) {
        fprintf(
            stderr,
            tr("jangbu: warning: %s/secret is %s: a repeated key is answered without a comparison "
               "of the content, and new events have no fingerprint. Put the ledger's own back "
               "from a backup (made after `people encrypt`, if that was run).\n"),
            dir, info->secret_damaged ? tr("damaged, or another ledger's") : tr("missing"));
    }
    if (info->sealed) {
        fprintf(stderr,
                tr("jangbu: warning: %s. Until that is put right names and notes are sealed, and "
                   "nothing can be written.\n"),
                info->sealed_why);
    }
    if (info->head_damaged) {
        fprintf(stderr,
                tr("jangbu: warning: %s/HEAD is damaged: whether the log was put back to an older "
                   "state was not looked at. The next commit makes it again.\n"),
                dir);
    }
}

/* The ledger was written behind the rest: `jangbu balance W1 ledger`. */
static void
hint_order(const struct app *app)
{
    char path[4096];
    for (int i = 1; i < app->args_n && app->err.status == JB_E_NOTFOUND; i++) {
        if (snprintf(path, sizeof path, "%s/log.mdb", app->args[i]) < (int)sizeof path &&
            access(path, F_OK) == 0) {
            fprintf(stderr,
                    tr("jangbu: %s is a ledger: it stands first, behind the sub-command.\n"),
                    app->args[i]);
            return;
        }
    }
}

/* What the ledger that is opened goes by. */
static jb_instant
the_clock(void *data)
{
    const struct app *app = data;
    struct timespec t;
    if (app->clock_stands) {
        return app->clock;
    }
    clock_gettime(CLOCK_REALTIME, &t);
    return (jb_instant)t.tv_sec * JB_US_PER_SECOND + t.tv_nsec / 1000;
}

/* A query that would fold more than this stores it first, where it may: the next one has it. */
#define BACKLOG_EVENTS 200000

static bool
has_backlog(struct app *app)
{
    struct jb_views_stat stored = {.size = sizeof stored};
    struct jb_head head = {.size = sizeof head};
    return !app->info.rolled_back && jb_views_stat_get(app->views, &stored, &app->err) == JB_OK &&
           jb_head_get(app->ledger, &head, &app->err) == JB_OK &&
           head.seq > stored.stored_seq + BACKLOG_EVENTS;
}

/* Whatever comes of it, the query is answered: it folds what is not stored. */
static void
store_backlog(const char *dir, const struct jb_open_options *query)
{
    struct jb_open_options o = *query;
    struct jb_error ignored;
    jb_ledger *l = NULL;
    jb_views *v = NULL;
    o.read_only = false;
    struct jb_ledger_info info = JB_SIZED(struct jb_ledger_info);
    if (jb_open(dir, &o, &l, &ignored) == JB_OK && jb_info_get(l, &info, &ignored) == JB_OK &&
        !info.read_only && jb_views_open(l, &v, &ignored) == JB_OK) {
        (void)!jb_views_sync(v, true, &ignored);
    }
    jb_views_close(v);
    jb_close(l);
}

static bool
open_both(struct app *app, const char *dir, const struct jb_open_options *o, bool views)
{
    return jb_open(dir, o, &app->ledger, &app->err) == JB_OK &&
           jb_info_get(app->ledger, &app->info, &app->err) == JB_OK &&
           (!views || jb_views_open(app->ledger, &app->views, &app->err) == JB_OK);
}

bool
app_open(struct app *app, const char *dir, bool write, bool views, int *ret_exit)
{
    struct jb_open_options o = {.size = sizeof o,
                                .read_only = !write,
                                .caller = app->caller,
                                .now = the_clock,
                                .now_data = app,
                                .lang = lang_now(),
                                .key_file = app->key_file};
    app->writes |= write;
    app->info = (struct jb_ledger_info)JB_SIZED(struct jb_ledger_info);
    bool opened = open_both(app, dir, &o, views);
    if (opened && views && !write && has_backlog(app)) {
        app_close(app); /* in one process nobody writes beside a reader */
        store_backlog(dir, &o);
        opened = open_both(app, dir, &o, views);
    }
    if (!opened) {
        *ret_exit = app_fail(app, &app->err);
        hint_order(app);
        if (app->err.status == JB_E_NOTFOUND && app->ledger == NULL) {
            *ret_exit = EXIT_MACHINE;
        }
        return false;
    }
    if (app->info.warning != NULL) {
        fprintf(stderr, tr("jangbu: warning: %s.\n"), app->info.warning);
    }
    if (app->info.rolled_back) {
        fprintf(
            stderr,
            tr("jangbu: warning: the log of %s was put back to an older state: it was longer "
               "once. What is shown is that older state; nothing can "
               "be written "
               "until `jangbu rebuild %s --accept-rollback`, and `jangbu audit %s` says more.\n"),
            dir, dir, dir);
    }
    warn_of_files(&app->info, dir);
    return true;
}

void
app_close(struct app *app)
{
    app->views = jb_views_close(app->views);
    app->ledger = jb_close(app->ledger);
}

/* How long a command that was told to end waits for the reader of its last results. */
#define LAST_RESULTS_MS 500
/* What a pipe takes at once when poll() says that it can be written to. */
#define PIPE_BYTES 4096

static bool
write_out(const char *at, size_t n)
{
    while (n > 0) {
        /* Before that a signal interrupts the write. */
        if (process_ended_by() != 0 && !process_wait(STDOUT_FILENO, POLLOUT, LAST_RESULTS_MS)) {
            errno = EINTR;
            return false;
        }
        size_t part = process_ended_by() != 0 && n > PIPE_BYTES ? PIPE_BYTES : n;
        ssize_t written = write(STDOUT_FILENO, at, part);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        at += written > 0 ? written : 0;
        n -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

static bool
output_failed(struct app *app, int code)
{
    app->out.n = 0;
    app->output_closed = code == EPIPE && !app->writes;
    if (!app->output_closed) {
        fprintf(stderr, tr("jangbu: cannot write to standard output: %s\n"), system_words(code));
    }
    return false;
}

/* In memory up to this many bytes, then in the file. */
#define SPOOL_MEMORY_BYTES (16U << 20)

static FILE *
temporary_file(void)
{
    const char *dir = getenv("TMPDIR");
    char path[4096];
    snprintf(path, sizeof path, "%s/jangbu-XXXXXX", dir != NULL && dir[0] != '\0' ? dir : "/tmp");
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) {
        unlink(path);
    }
    return fd >= 0 ? fdopen(fd, "w+") : NULL;
}

static bool
spool(struct app *app)
{
    if (app->out.n < SPOOL_MEMORY_BYTES) {
        return true;
    }
    if (app->spool == NULL) {
        app->spool = temporary_file();
    }
    if (app->spool == NULL || fwrite(app->out.at, 1, app->out.n, app->spool) != app->out.n) {
        fprintf(stderr, tr("jangbu: cannot keep the answer in a temporary file (TMPDIR): %s\n"),
                system_words(errno));
        app->out.n = 0;
        return false;
    }
    app->out.n = 0;
    app->out.first = true;
    return true;
}

bool
app_flush(struct app *app)
{
    if (app->out.no_memory) {
        fputs(tr("jangbu: no memory\n"), stderr);
        exit(EXIT_MACHINE);
    }
    if (app->spooling) {
        return spool(app);
    }
    if (app->pages && !app->writes && !app->json && pager_is_wanted(app->out.at, app->out.n)) {
        pager_begin();
    }
    if (!write_out(app->out.at, app->out.n)) {
        return output_failed(app, errno);
    }
    app->out.n = 0;
    app->out.first = true;
    return true;
}

int
app_output_code(const struct app *app)
{
    return app->output_closed ? EXIT_DONE : EXIT_MACHINE;
}

void
app_spool_begin(struct app *app)
{
    app->spooling = true;
}

static bool
print_spool(struct app *app)
{
    char buf[64 << 10];
    size_t n;
    rewind(app->spool);
    while ((n = fread(buf, 1, sizeof buf, app->spool)) > 0) {
        if (!write_out(buf, n)) {
            return output_failed(app, errno);
        }
    }
    return !ferror(app->spool) || output_failed(app, EIO);
}

bool
app_spool_end(struct app *app)
{
    app->spooling = false;
    bool ok = true;
    if (app->spool != NULL) {
        ok = fflush(app->spool) == 0 ? print_spool(app) : output_failed(app, errno);
        fclose(app->spool);
        app->spool = NULL;
    }
    return ok && app_flush(app);
}

char *
app_amount(const struct app *app, jb_amount amount, char *buf)
{
    return money_text(amount, app->info.exponent, buf);
}

jb_status
app_no_memory(struct jb_error *err)
{
    *err = (struct jb_error){.status = JB_E_NOMEM};
    snprintf(err->text, sizeof err->text, "%s", tr("no memory"));
    return JB_E_NOMEM;
}

const char *
app_event_id(struct app *app, const struct jb_event *e, char *buf)
{
    size_t n = 0;
    struct jb_error err;
    jb_status status = jb_event_id(app->ledger, e, buf, &n, &err);
    if (status != JB_OK && status != JB_E_NOTFOUND) {
        exit(app_fail(app, &err)); /* an id that is left out would be a wrong answer */
    }
    buf[status == JB_OK ? n : 0] = '\0';
    return buf;
}

char *
app_time(const struct app *app, jb_instant t, char *buf)
{
    if (t == JB_NO_INSTANT) {
        strcpy(buf, "-"); /* one byte and its end: fits */
        return buf;
    }
    jb_instant_print(t, app->info.utc_offset_s, buf);
    if (memcmp(buf + 19, ".000000", 7) == 0) {
        memmove(buf + 19, buf + 26, strlen(buf + 26) + 1);
    }
    return buf;
}

char *
app_time_short(const struct app *app, jb_instant t, char *buf)
{
    app_time(app, t, buf);
    if (t != JB_NO_INSTANT && buf[19] == '.') {
        memmove(buf + 19, buf + 26, strlen(buf + 26) + 1);
    }
    return buf;
}

char *
app_time_cell(const struct app *app, jb_instant t, char *buf)
{
    app_time(app, t, buf);
    if (t != JB_NO_INSTANT) {
        buf[19] = '\0';
    }
    return buf;
}

char *
app_time_header(const struct app *app, const char *name, char buf[TIME_HEADER_BYTES])
{
    char time[JB_INSTANT_TEXT_BYTES];
    jb_instant_print(0, app->info.utc_offset_s, time);
    /* The mark in front is for table_new. */
    const size_t mark = name[0] == '?';
    snprintf(buf, TIME_HEADER_BYTES, "%.*s%s (%s)", (int)mark, name, tr(name + mark), time + 26);
    return buf;
}

void
app_print_as_of(struct app *app, const struct jb_moment *m)
{
    char t[JB_INSTANT_TEXT_BYTES];
    char line[160];
    snprintf(line, sizeof line, tr("as of event %llu, %s\n"), (unsigned long long)m->seq,
             app_time(app, m->at, t));
    out_str(&app->out, line);
}
