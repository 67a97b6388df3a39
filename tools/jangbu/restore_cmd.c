/*
 * jangbu restore: a backup in the place of a ledger. What will change is shown first, and the
 * ledger that was there is kept beside it: nothing is deleted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app.h"
#include "event_json.h"

#define PATH_BYTES 4096

/* One of the two ledgers, as it can be read. */
struct side {
    char dir[PATH_BYTES];
    bool there, read;
    struct jb_error why; /* it was not read */
    jb_ledger *ledger;
    jb_views *views;
    struct jb_ledger_info info;
    struct jb_head head;
    struct jb_ledger_totals totals;
    struct jb_people_stat people;
    struct jb_ledger_stat stat;
};

enum history { HISTORY_UNKNOWN, HISTORY_SAME, HISTORY_OTHER };

/* What the one has and the other has not. */
struct change {
    enum history history;
    uint64_t lost, keyed; /* events, and those of them that answer a key */
    uint64_t wallets;     /* that these are about */
    uint64_t gained;
    bool keep_people; /* people.mdb stays that of now */
};

struct restore {
    struct app *app;
    bool dry_run;
    struct side now, backup;
    struct change change;
    char key_file[PATH_BYTES];
    char made[PATH_BYTES], replaced[PATH_BYTES];
};

/* ---- reading both ---- */

static bool
path_make(char path[PATH_BYTES], const char *dir, const char *behind)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/') {
        n--;
    }
    const int wrote = snprintf(path, PATH_BYTES, "%.*s%s", (int)n, dir, behind);
    return wrote > 0 && wrote < PATH_BYTES;
}

static void
side_close(struct side *s)
{
    s->views = jb_views_close(s->views);
    s->ledger = jb_close(s->ledger);
}

static jb_status
side_look(const struct restore *r, struct side *s)
{
    const struct jb_open_options o = {
        .size = sizeof o, .read_only = true, .lang = lang_now(), .key_file = r->key_file};
    jb_status status = jb_open(s->dir, &o, &s->ledger, &s->why);
    status = status == JB_OK ? jb_info_get(s->ledger, &s->info, &s->why) : status;
    status = status == JB_OK ? jb_head_get(s->ledger, &s->head, &s->why) : status;
    status = status == JB_OK ? jb_people_stat_get(s->ledger, &s->people, &s->why) : status;
    status = status == JB_OK ? jb_ledger_stat_get(s->ledger, &s->stat, &s->why) : status;
    status = status == JB_OK ? jb_views_open(s->ledger, &s->views, &s->why) : status;
    return status == JB_OK ? jb_ledger_totals_get(s->views, NULL, &s->totals, &s->why) : status;
}

static void
side_read(const struct restore *r, struct side *s)
{
    struct stat there;
    s->info = (struct jb_ledger_info)JB_SIZED(struct jb_ledger_info);
    s->head = (struct jb_head)JB_SIZED(struct jb_head);
    s->totals = (struct jb_ledger_totals)JB_SIZED(struct jb_ledger_totals);
    s->people = (struct jb_people_stat)JB_SIZED(struct jb_people_stat);
    s->stat = (struct jb_ledger_stat)JB_SIZED(struct jb_ledger_stat);
    s->there = lstat(s->dir, &there) == 0;
    s->read = s->there && side_look(r, s) == JB_OK;
}

/* Owned: the bytes of that event. NULL: they cannot be read. */
static char *
bytes_of(struct side *s, jb_seq seq, size_t *ret_n)
{
    struct jb_error ignored;
    jb_cursor *c = NULL;
    const struct jb_event *e;
    char *copy = NULL;
    if (jb_cursor_open(s->ledger, seq, &c, &ignored) == JB_OK &&
        jb_cursor_at(c, seq, &e, &ignored) == JB_OK) {
        const struct jb_text bytes = jb_cursor_bytes(c);
        copy = malloc(bytes.n + 1);
        *ret_n = bytes.n;
        if (copy != NULL) {
            memcpy(copy, bytes.s, bytes.n);
        }
    }
    jb_cursor_close(c);
    return copy;
}

/* Whether the shorter log is the beginning of the longer one, by its last event. */
static enum history
compare_histories(struct restore *r)
{
    const jb_seq a = r->now.head.seq, b = r->backup.head.seq, seq = a < b ? a : b;
    size_t now_n = 0, backup_n = 0;
    if (a == b) {
        return memcmp(r->now.head.chain, r->backup.head.chain, sizeof r->now.head.chain) == 0
                   ? HISTORY_SAME
                   : HISTORY_OTHER;
    }
    char *now = bytes_of(&r->now, seq, &now_n), *backup = bytes_of(&r->backup, seq, &backup_n);
    const enum history found = now == NULL || backup == NULL ? HISTORY_UNKNOWN
                               : now_n == backup_n && memcmp(now, backup, now_n) == 0
                                   ? HISTORY_SAME
                                   : HISTORY_OTHER;
    free(now);
    free(backup);
    return found;
}

/* The events that only the ledger of now has; false: it cannot be read to its end. */
static bool
count_lost(struct restore *r)
{
    struct change *change = &r->change;
    struct jb_error ignored;
    jb_cursor *c = NULL;
    const struct jb_event *e;
    /* They are numbered from 1, those that are deleted, too. */
    const size_t bytes = ((size_t)r->now.stat.wallets + r->now.stat.wallets_deleted) / 8 + 1;
    uint8_t *seen = calloc(1, bytes);
    jb_status status = seen != NULL
                           ? jb_cursor_open(r->now.ledger, r->backup.head.seq + 1, &c, &ignored)
                           : JB_E_NOMEM;
    while (status == JB_OK && (status = jb_cursor_next(c, &e, &ignored)) == JB_OK) {
        const size_t at = e->wallet / 8;
        const uint8_t bit = (uint8_t)(1U << e->wallet % 8);
        change->lost++;
        change->keyed += e->key.n > 0 ? 1 : 0;
        if (e->wallet != 0 && at < bytes && (seen[at] & bit) == 0) {
            seen[at] |= bit;
            change->wallets++;
        }
    }
    jb_cursor_close(c);
    free(seen);
    return status == JB_END;
}

static void
compare(struct restore *r)
{
    struct change *change = &r->change;
    if (!r->now.read) {
        return;
    }
    change->keep_people =
        r->now.people.layout != 0 && !r->now.people.sealed && !r->now.people.older;
    change->history = compare_histories(r);
    if (r->now.head.seq > r->backup.head.seq && !count_lost(r)) {
        r->now.read = false;
        snprintf(r->now.why.text, sizeof r->now.why.text, "%s", tr("its log ends too early"));
    } else if (r->backup.head.seq > r->now.head.seq) {
        change->gained = r->backup.head.seq - r->now.head.seq;
    }
}

/* ---- saying it ---- */

static void
cells(struct app *app, struct table *t, const char *what, const struct restore *r, jb_amount now,
      jb_amount then)
{
    char text[48];
    table_cell(t, what);
    table_cell(t, r->now.read ? app_amount(app, now, text) : "-");
    table_cell(t, app_amount(app, then, text));
}

static void
print_table(const struct restore *r)
{
    struct app *app = r->app;
    char time[JB_INSTANT_TEXT_BYTES];
    const struct jb_ledger_totals *now = &r->now.totals, *then = &r->backup.totals;
    struct table *t = table_new(
        (const char *const[]){COLUMN("what"), COLUMN(">now"), COLUMN(">from the backup"), NULL});
#define ROW(name, format, now_figure, then_figure)                                                 \
    (table_cell(t, tr(name)),                                                                      \
     r->now.read ? table_cellf(t, format, now_figure) : table_cell(t, "-"),                        \
     table_cellf(t, format, then_figure))
    ROW("last event", "%llu", (unsigned long long)r->now.head.seq,
        (unsigned long long)r->backup.head.seq);
    table_cell(t, tr("last event recorded"));
    table_cell(t, r->now.read ? app_time(app, r->now.head.recorded_at, time) : "-");
    table_cell(t, app_time(app, r->backup.head.recorded_at, time));
    ROW("wallets", "%u", now->wallets, then->wallets);
#undef ROW
    cells(app, t, tr("paid cash"), r, now->paid, then->paid);
    cells(app, t, tr("debt"), r, now->debt, then->debt);
    cells(app, t, tr("free cash in use"), r, now->free, then->free);
    cells(app, t, tr("free cash, dormant"), r, now->free_dormant, then->free_dormant);
    cells(app, t, tr("refunds in transit"), r, now->refund_in_transit, then->refund_in_transit);
    table_print(app, t);
}

static void
print_change(const struct restore *r)
{
    struct app *app = r->app;
    const struct change *c = &r->change;
    char time[JB_INSTANT_TEXT_BYTES];
    if (!r->now.there) {
        app_sentencef(app, "there is nothing in %s yet", r->now.dir);
    } else if (!r->now.read) {
        app_sentencef(app, "what is there now cannot be read, so nobody knows what is lost: %s",
                      r->now.why.text);
    } else if (c->history == HISTORY_OTHER) {
        app_sentence(app, "the two went different ways: their events of the same number are not "
                          "the same. What is there now is not a continuation of the backup");
    }
    if (c->lost > 0) {
        app_sentencef(app,
                      "lost: %llu events behind %llu, of %llu wallets, %llu of them with a key. "
                      "Apply again, with the same keys, what came in since %s",
                      (unsigned long long)c->lost, (unsigned long long)r->backup.head.seq,
                      (unsigned long long)c->wallets, (unsigned long long)c->keyed,
                      app_time(app, r->backup.head.recorded_at, time));
    } else if (r->now.read && c->history == HISTORY_SAME) {
        app_sentencef(app, "nothing is lost; %llu events come back", (unsigned long long)c->gained);
    }
    if (c->keep_people) {
        app_sentence(app, "people.mdb stays the one that is there: it goes with every log, and "
                          "knows who was forgotten since");
    } else if (r->backup.people.sealed) {
        app_sentencef(app,
                      "the backup's people.mdb does not open with the key %s: copy the newest "
                      "people.mdb over it afterwards",
                      r->backup.people.key_file);
    }
}

static void
side_json(struct out *o, const char *key, const struct side *s)
{
    if (!s->read) {
        js_null(o, key);
        return;
    }
    js_open(o, key, '{');
    js_uint(o, "seq", s->head.seq);
    js_instant(o, "recorded_at", s->head.recorded_at, s->info.utc_offset_s);
    js_uint(o, "wallets", s->totals.wallets);
    js_int(o, "paid", s->totals.paid);
    js_int(o, "debt", s->totals.debt);
    js_int(o, "free", s->totals.free);
    js_int(o, "free_dormant", s->totals.free_dormant);
    js_int(o, "refund_in_transit", s->totals.refund_in_transit);
    js_close(o, '}');
}

static void
print_json(struct restore *r)
{
    static const char *const words[] = {NULL, "same", "other"};
    struct out *o = &r->app->out;
    js_open(o, NULL, '{');
    js_bool(o, "ok", true);
    js_bool(o, "dry_run", r->dry_run);
    side_json(o, "now", &r->now);
    js_str(o, "now_why", r->now.there && !r->now.read ? r->now.why.text : NULL);
    side_json(o, "backup", &r->backup);
    js_str(o, "history", words[r->change.history]);
    js_uint(o, "events_lost", r->change.lost);
    js_uint(o, "keys_lost", r->change.keyed);
    js_uint(o, "wallets_changed", r->change.wallets);
    js_uint(o, "events_gained", r->change.gained);
    js_str(o, "people", r->change.keep_people ? "now" : "backup");
    js_str(o, "replaced", r->now.there && !r->dry_run ? r->replaced : NULL);
    js_close(o, '}');
    out_char(o, '\n');
}

/* ---- doing it ---- */

static int
refuse(const char *format, const char *path)
{
    fputs("jangbu: ", stderr);
    fprintf(stderr, tr(format), path);
    fputs("\n", stderr);
    return EXIT_REFUSED;
}

static int
failed(const char *path)
{
    fprintf(stderr, "jangbu: %s: %s\n", path, system_words(errno));
    return EXIT_MACHINE;
}

/* Whether a program has it open: each holds the first byte of that file (docs/format.md). */
static bool
in_use(const char *dir)
{
    char path[PATH_BYTES];
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    const int fd = path_make(path, dir, "/state.mdb-users") ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    const bool held = fd >= 0 && fcntl(fd, F_OFD_GETLK, &fl) == 0 && fl.l_type != F_UNLCK;
    if (fd >= 0) {
        close(fd);
    }
    return held;
}

static bool
copy_bytes(int from, int to)
{
    static char buf[1U << 16];
    ssize_t n;
    while ((n = read(from, buf, sizeof buf)) > 0) {
        for (ssize_t at = 0, wrote; at < n; at += wrote) {
            wrote = write(to, buf + at, (size_t)(n - at));
            if (wrote <= 0) {
                return false;
            }
        }
    }
    return n == 0 && fsync(to) == 0;
}

/* people.mdb of the ledger of now, over that of the copy that was made. */
static bool
copy_people(const struct restore *r)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    if (!path_make(from, r->now.dir, "/people.mdb") || !path_make(to, r->made, "/people.mdb")) {
        errno = ENAMETOOLONG;
        return false;
    }
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    const int out = in >= 0 ? open(to, O_WRONLY | O_TRUNC | O_CLOEXEC) : -1;
    bool ok = out >= 0 && copy_bytes(in, out);
    ok = (out < 0 || close(out) == 0) && ok;
    if (in >= 0) {
        close(in);
    }
    return ok;
}

/* The names that the two directories get, on the disk. */
static bool
names_sync(const char *dir)
{
    char path[PATH_BYTES];
    if (!path_make(path, dir, "")) {
        return false;
    }
    char *slash = strrchr(path, '/');
    if (slash != NULL) {
        slash[slash == path ? 1 : 0] = '\0';
    }
    const int fd = open(slash != NULL ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static int
copy_backup(struct restore *r)
{
    struct progress p;
    progress_begin(&p, "restore");
    const jb_status status = jb_backup(r->backup.ledger, r->made, progress_show, &p, &r->app->err);
    progress_end(&p);
    return status == JB_OK ? EXIT_DONE : app_fail(r->app, &r->app->err);
}

/* The copy is made beside the ledger, and then both are renamed: whoever is killed in between finds
 * either the one or the other, and both where they are named. */
static int
replace(struct restore *r)
{
    struct stat there;
    if (r->now.there && lstat(r->replaced, &there) == 0) {
        return refuse(
            SAID("%s is there from an earlier restore: move it away, or delete it when it is "
                 "not needed any more."),
            r->replaced);
    }
    int code = copy_backup(r);
    side_close(&r->now);
    if (code != EXIT_DONE) {
        return code;
    }
    if (r->change.keep_people && !copy_people(r)) {
        return failed("people.mdb");
    }
    if (r->now.there && in_use(r->now.dir)) {
        return refuse(SAID("%s is in use: end the programs that have it open."), r->now.dir);
    }
    if ((r->now.there && rename(r->now.dir, r->replaced) != 0) ||
        rename(r->made, r->now.dir) != 0 || !names_sync(r->now.dir)) {
        return failed(r->now.dir);
    }
    return EXIT_DONE;
}

static int
restore(struct restore *r)
{
    struct app *app = r->app;
    side_read(r, &r->backup);
    if (!r->backup.read) {
        if (!r->backup.there) {
            return refuse(SAID("%s is not there."), r->backup.dir);
        }
        return app_fail(app, &r->backup.why);
    }
    app->info = r->backup.info;
    if (!r->dry_run && in_use(r->now.dir)) {
        return refuse(SAID("%s is in use: end the programs that have it open."), r->now.dir);
    }
    side_read(r, &r->now);
    if (r->now.read && memcmp(r->now.info.ledger_id, r->backup.info.ledger_id, 16) != 0) {
        return refuse(SAID("%s is a backup of another ledger."), r->backup.dir);
    }
    compare(r);
    const int code = r->dry_run ? EXIT_DONE : replace(r);
    if (code != EXIT_DONE) {
        return code;
    }
    if (app->json) {
        print_json(r);
        return app_flush(app) ? EXIT_DONE : app_output_code(app);
    }
    print_table(r);
    print_change(r);
    if (r->dry_run) {
        app_sentence(app, "nothing was changed: --dry-run");
    } else if (r->now.there) {
        app_sentencef(app,
                      "the backup is in the place of %s; what was there is %s. `jangbu audit "
                      "%s` says whether all fits together",
                      r->now.dir, r->replaced, r->now.dir);
    } else {
        app_sentencef(app, "the backup is in %s. `jangbu audit %s` says whether all fits together",
                      r->now.dir, r->now.dir);
    }
    return app_flush(app) ? EXIT_DONE : app_output_code(app);
}

int
cmd_restore(struct app *app, int argc, char **argv)
{
    static struct restore r;
    const char *args[ARGUMENTS_MAX];
    int n;
    const struct option_row options[] = {{"dry-run", &r.dry_run, NULL}, {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 2) {
        return app_usage(app, "jangbu restore takes the place of a ledger and a backup");
    }
    r.app = app;
    app->writes = !r.dry_run;
    const bool fits = path_make(r.now.dir, args[0], "") && path_make(r.backup.dir, args[1], "") &&
                      path_make(r.made, args[0], ".restored") &&
                      path_make(r.replaced, args[0], ".replaced") &&
                      (app->key_file != NULL ? path_make(r.key_file, app->key_file, "")
                                             : path_make(r.key_file, args[0], ".key"));
    if (!fits) {
        return app_usage(app, "the path of the ledger is too long");
    }
    const int code = restore(&r);
    side_close(&r.now);
    side_close(&r.backup);
    return code;
}
