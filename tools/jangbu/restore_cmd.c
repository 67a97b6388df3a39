/*
 * jangbu restore: a backup in the place of a ledger. What will change is shown first, and the
 * ledger that was there is kept beside it: nothing is deleted.
 *
 * What is there now may be damaged, and LMDB takes the process that reads some damaged pages with
 * it: both are read in a child, which leaves what it found in memory that the two share.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app.h"
#include "event_json.h"
#include "process.h"

#define PATH_BYTES 4096
#define META_BYTES_MAX (1U << 17)

/* One of the two ledgers, as it can be read. */
struct side {
    char dir[PATH_BYTES];
    bool there, read;
    bool known;          /* info was read */
    bool summed;         /* totals was read */
    struct jb_error why; /* it was not read */
    jb_ledger *ledger;   /* of the process that opened it, and so is views */
    jb_views *views;
    struct jb_ledger_info info;
    struct jb_head head;
    struct jb_ledger_totals totals;
    struct jb_people_stat people;
    struct jb_ledger_stat stat;
};

enum history { HISTORY_UNKNOWN, HISTORY_SAME, HISTORY_OTHER };

/* Whose people.mdb is there afterwards: the one of now only where its references mean what those of
 * the backup's log mean, and it knows them all. */
enum people {
    PEOPLE_NOW,
    PEOPLE_NOTHING_THERE,
    PEOPLE_UNREAD,
    PEOPLE_BEHIND,
    PEOPLE_OTHER,
    PEOPLE_LAYOUT
};

/* What the one has and the other has not. */
struct change {
    enum history history;
    jb_seq fork;          /* the last event that both have */
    jb_instant since;     /* when it was recorded, as far as that is known */
    uint64_t lost, keyed; /* events, and those of them that answer a key */
    uint64_t wallets;     /* that these are about */
    uint64_t gained;
    enum people people;
};

/* How far the child came. */
enum stage { STAGE_BEGUN, STAGE_BACKUP_READ, STAGE_COMPARED, STAGE_DONE };

struct restore {
    struct app *app;
    bool dry_run;
    volatile enum stage stage;
    struct side now, backup;
    struct change change;
    char key_file[PATH_BYTES];
    char folder[PATH_BYTES]; /* where the ledger lies */
    char making[PATH_BYTES]; /* a directory of the restore's own, and the copy in it */
    char made[PATH_BYTES], replaced[PATH_BYTES];
    uint8_t meta[META_BYTES_MAX]; /* of log.mdb, before it was read */
    size_t meta_n;
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
side_open(const struct restore *r, struct side *s)
{
    const struct jb_open_options o = {
        .size = sizeof o, .read_only = true, .lang = lang_now(), .key_file = r->key_file};
    return jb_open(s->dir, &o, &s->ledger, &s->why);
}

static bool
side_read(const struct restore *r, struct side *s)
{
    jb_status status = side_open(r, s);
    status = status == JB_OK ? jb_info_get(s->ledger, &s->info, &s->why) : status;
    s->known = status == JB_OK;
    status = status == JB_OK ? jb_head_get(s->ledger, &s->head, &s->why) : status;
    status = status == JB_OK ? jb_people_stat_get(s->ledger, &s->people, &s->why) : status;
    status = status == JB_OK ? jb_ledger_stat_get(s->ledger, &s->stat, &s->why) : status;
    s->read = status == JB_OK;
    return s->read;
}

static bool
side_sum(struct side *s)
{
    s->summed = jb_views_open(s->ledger, &s->views, &s->why) == JB_OK &&
                jb_ledger_totals_get(s->views, NULL, &s->totals, &s->why) == JB_OK;
    return s->summed;
}

static void
side_begin(struct side *s)
{
    struct stat there;
    s->info = (struct jb_ledger_info)JB_SIZED(struct jb_ledger_info);
    s->head = (struct jb_head)JB_SIZED(struct jb_head);
    s->totals = (struct jb_ledger_totals)JB_SIZED(struct jb_ledger_totals);
    s->people = (struct jb_people_stat)JB_SIZED(struct jb_people_stat);
    s->stat = (struct jb_ledger_stat)JB_SIZED(struct jb_ledger_stat);
    s->there = lstat(s->dir, &there) == 0;
}

/* Events of two ways may look the same by chance (those without a time of their own): as many as
 * these, one behind the other, do not. */
#define ALIKE 64

/* Whether the two have the same events up to seq, by the last of them. */
static enum history
alike(struct restore *r, jb_seq seq)
{
    struct jb_error ignored;
    jb_cursor *now = NULL, *then = NULL;
    const struct jb_event *e, *other;
    const jb_seq from = seq > ALIKE ? seq - ALIKE + 1 : 1;
    bool read = jb_cursor_open(r->now.ledger, from, &now, &ignored) == JB_OK &&
                jb_cursor_open(r->backup.ledger, from, &then, &ignored) == JB_OK;
    bool same = true;
    for (jb_seq at = from; at <= seq && read && same; at++) {
        read = jb_cursor_next(now, &e, &ignored) == JB_OK &&
               jb_cursor_next(then, &other, &ignored) == JB_OK;
        const struct jb_text a = read ? jb_cursor_bytes(now) : (struct jb_text){0};
        const struct jb_text b = read ? jb_cursor_bytes(then) : (struct jb_text){0};
        same = read && a.n == b.n && memcmp(a.s, b.s, a.n) == 0;
        if (same && e->recorded_at != JB_NO_INSTANT) {
            r->change.since = e->recorded_at;
        }
    }
    jb_cursor_close(now);
    jb_cursor_close(then);
    return !read ? HISTORY_UNKNOWN : same ? HISTORY_SAME : HISTORY_OTHER;
}

/* The last event up to which both are the same: below least they are, at most they are not. */
static enum history
find_fork(struct restore *r, jb_seq most)
{
    jb_seq least = 0;
    while (most - least > 1) {
        const jb_seq middle = least + (most - least) / 2;
        const enum history found = alike(r, middle);
        if (found == HISTORY_UNKNOWN) {
            return HISTORY_UNKNOWN;
        }
        least = found == HISTORY_SAME ? middle : least;
        most = found == HISTORY_SAME ? most : middle;
    }
    r->change.fork = least;
    r->change.since = JB_NO_INSTANT;
    return least == 0 || alike(r, least) == HISTORY_SAME ? HISTORY_OTHER : HISTORY_UNKNOWN;
}

static enum history
compare_histories(struct restore *r)
{
    const jb_seq a = r->now.head.seq, b = r->backup.head.seq, seq = a < b ? a : b;
    r->change.since = JB_NO_INSTANT;
    r->change.fork = seq;
    enum history found = seq > 0 ? alike(r, seq) : HISTORY_SAME;
    if (a == b && found == HISTORY_SAME &&
        memcmp(r->now.head.chain, r->backup.head.chain, sizeof r->now.head.chain) != 0) {
        found = HISTORY_OTHER;
    }
    return found == HISTORY_OTHER ? find_fork(r, seq) : found;
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
    jb_status status =
        seen != NULL ? jb_cursor_open(r->now.ledger, change->fork + 1, &c, &ignored) : JB_E_NOMEM;
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

static enum people
whose_people(const struct restore *r)
{
    const struct jb_people_stat *now = &r->now.people;
    return now->layout == 0 || now->sealed || now->older ? PEOPLE_UNREAD
           : r->change.history != HISTORY_SAME           ? PEOPLE_OTHER
           : r->now.head.seq < r->backup.head.seq        ? PEOPLE_BEHIND
           : now->layout != r->backup.people.layout      ? PEOPLE_LAYOUT
                                                         : PEOPLE_NOW;
}

/* The `secret` of now, where the backup has none and it is the one of the backup's keys: it changes
 * with the layout of people.mdb only. */
static bool
takes_secret(const struct restore *r)
{
    return r->backup.info.secret_lost && r->change.people == PEOPLE_NOW && !r->now.info.secret_lost;
}

static void
compare(struct restore *r)
{
    struct change *change = &r->change;
    change->history = compare_histories(r);
    if (change->history == HISTORY_UNKNOWN || (r->now.head.seq > change->fork && !count_lost(r))) {
        r->now.read = false;
        snprintf(r->now.why.text, sizeof r->now.why.text, "%s", tr("its log ends too early"));
        return;
    }
    change->gained = r->backup.head.seq - change->fork;
    change->people = whose_people(r);
}

/* What is asked of a ledger that may be damaged comes last. */
_Noreturn static void
child_main(struct restore *r)
{
    const bool sound = side_read(r, &r->backup) && side_sum(&r->backup);
    r->backup.read = sound;
    r->stage = sound ? STAGE_BACKUP_READ : STAGE_DONE;
    const bool other = sound && r->now.there && side_read(r, &r->now) &&
                       memcmp(r->now.info.ledger_id, r->backup.info.ledger_id, 16) != 0;
    if (sound && r->now.read && !other) {
        compare(r);
        r->stage = STAGE_COMPARED;
    }
    if (sound && r->now.read) {
        side_sum(&r->now);
    }
    r->stage = STAGE_DONE;
    _exit(EXIT_DONE);
}

/* The child's pointers mean nothing here. */
static void
forget_pointers(struct side *s)
{
    s->ledger = NULL;
    s->views = NULL;
    s->info.dir = "";
    s->info.warning = NULL;
    s->info.key_file = NULL;
    s->people.key_file = NULL;
}

static void
note_death(struct restore *r)
{
    struct side *s = r->stage == STAGE_BEGUN ? &r->backup : &r->now;
    s->summed = false;
    s->read = s->read && r->stage == STAGE_COMPARED;
    s->why = (struct jb_error){.status = JB_E_CORRUPT};
    snprintf(s->why.text, sizeof s->why.text,
             tr("a file in %s is damaged. If it is state.mdb or views.mdb, move both and the "
                "directory state away: they are made again"),
             s->dir);
}

/* By somebody, or by the kernel for want of memory: that says nothing of the files. */
static bool
ended_from_outside(int wait_status)
{
    const int number = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
    return number == SIGKILL || number == SIGTERM || number == SIGINT || number == SIGHUP;
}

/* Both as they are, without what damaged pages do to who reads them. False: no process. */
static bool
read_apart(struct restore *r)
{
    int wait_status = 0;
    r->change.people = r->now.there ? PEOPLE_UNREAD : PEOPLE_NOTHING_THERE;
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        process_dies_of_damage();
        child_main(r);
    }
    while (pid > 0 && waitpid(pid, &wait_status, 0) < 0 && errno == EINTR) {
    }
    forget_pointers(&r->now);
    forget_pointers(&r->backup);
    if (pid > 0 && r->stage != STAGE_DONE) {
        note_death(r);
    }
    if (!r->now.read) {
        r->change = (struct change){.people = r->change.people == PEOPLE_NOTHING_THERE
                                                  ? PEOPLE_NOTHING_THERE
                                                  : PEOPLE_UNREAD};
    }
    errno = pid > 0 ? EINTR : errno;
    return pid > 0 && !ended_from_outside(wait_status);
}

/* ---- saying it ---- */

static void
cells(struct app *app, struct table *t, const char *what, const struct restore *r, jb_amount now,
      jb_amount then)
{
    char text[48];
    table_cell(t, what);
    table_cell(t, r->now.summed ? app_amount(app, now, text) : "-");
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
    ROW("wallets", "%u", r->now.stat.wallets, r->backup.stat.wallets);
#undef ROW
    cells(app, t, tr("paid cash"), r, now->paid, then->paid);
    cells(app, t, tr("debt"), r, now->debt, then->debt);
    cells(app, t, tr("free cash in use"), r, now->free, then->free);
    cells(app, t, tr("free cash, dormant"), r, now->free_dormant, then->free_dormant);
    cells(app, t, tr("refunds in transit"), r, now->refund_in_transit, then->refund_in_transit);
    table_print(app, t);
}

/* The people.mdb that is there afterwards, and what that means. */
static void
print_people(const struct restore *r)
{
    static const char *const why[] = {
        [PEOPLE_UNREAD] =
            SAID("people.mdb becomes that of the backup: the one that is there cannot "
                 "be read"),
        [PEOPLE_BEHIND] = SAID("people.mdb becomes that of the backup: what is there is behind it"),
        [PEOPLE_OTHER] = SAID("people.mdb becomes that of the backup: the one that is there goes "
                              "with another history"),
        [PEOPLE_LAYOUT] = SAID("people.mdb becomes that of the backup: only one of the two is "
                               "sealed (`jangbu people encrypt`)")};
    struct app *app = r->app;
    const enum people people = r->change.people;
    if (people == PEOPLE_NOW) {
        app_sentence(app, "people.mdb stays the one that is there: it goes with every log, and "
                          "knows who was forgotten since");
        return;
    }
    if (people != PEOPLE_NOTHING_THERE) {
        app_sentence(app, why[people]);
        app_sentence(app, "who was forgotten after the backup was made can be read in it again: "
                          "forget them again");
    }
    if (r->backup.people.sealed) {
        app_sentencef(app,
                      "the backup's people.mdb does not open with the key %s: put the key file "
                      "there if it is missing; if it is newer than the backup, copy the newest "
                      "people.mdb over it afterwards",
                      r->key_file);
    }
}

static void
print_secret(const struct restore *r)
{
    if (takes_secret(r)) {
        app_sentence(r->app, "the backup has no `secret`: the one that is there stays");
    } else if (r->backup.info.secret_lost) {
        app_sentence(r->app, "the backup has no `secret`: repeated keys are answered without a "
                             "comparison of the content");
    }
}

static void
print_lost(const struct restore *r)
{
    struct app *app = r->app;
    const struct change *c = &r->change;
    char time[JB_INSTANT_TEXT_BYTES];
    if (c->history == HISTORY_OTHER) {
        app_sentence(app, "the two went different ways: their events of the same number are not "
                          "the same. What is there now is not a continuation of the backup");
    }
    if (c->lost > 0) {
        app_sentencef(app,
                      "lost: %llu event(s), all after event %llu, of %llu wallet(s); %llu of them "
                      "have a key. Apply again, with the same keys, what came in since %s",
                      (unsigned long long)c->lost, (unsigned long long)c->fork,
                      (unsigned long long)c->wallets, (unsigned long long)c->keyed,
                      app_time(app, c->since, time));
    } else {
        app_sentencef(app, "nothing is lost; %llu event(s) come back",
                      (unsigned long long)c->gained);
    }
    if (c->lost > 0 && c->gained > 0) {
        app_sentencef(app, "from the backup: %llu event(s) that are not there now",
                      (unsigned long long)c->gained);
    }
}

static void
print_change(const struct restore *r)
{
    struct app *app = r->app;
    if (!r->now.there) {
        app_sentencef(app, "there is nothing in %s yet", r->now.dir);
    } else if (!r->now.read) {
        app_sentencef(app, "what is there now cannot be read, so nobody knows what is lost: %s",
                      r->now.why.text);
    } else {
        print_lost(r);
    }
    if (r->now.read && !r->now.summed) {
        app_sentencef(app, "the totals of now cannot be read: %s", r->now.why.text);
    }
    print_people(r);
    print_secret(r);
}

static void
js_amount(struct out *o, const char *key, const struct side *s, jb_amount amount)
{
    if (s->summed) {
        js_int(o, key, amount);
    } else {
        js_null(o, key);
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
    js_uint(o, "wallets", s->stat.wallets);
    js_amount(o, "paid", s, s->totals.paid);
    js_amount(o, "debt", s, s->totals.debt);
    js_amount(o, "free", s, s->totals.free);
    js_amount(o, "free_dormant", s, s->totals.free_dormant);
    js_amount(o, "refund_in_transit", s, s->totals.refund_in_transit);
    js_close(o, '}');
}

/* null: nobody knows. */
static void
js_figure(struct out *o, const char *key, const struct restore *r, uint64_t figure)
{
    if (r->now.there && !r->now.read) {
        js_null(o, key);
    } else {
        js_uint(o, key, figure);
    }
}

static void
print_json(struct restore *r)
{
    static const char *const words[] = {NULL, "same", "other"};
    static const char *const people_why[] = {NULL, NULL, "unread", "behind", "other", "layout"};
    struct out *o = &r->app->out;
    js_open(o, NULL, '{');
    js_bool(o, "ok", true);
    js_bool(o, "dry_run", r->dry_run);
    side_json(o, "now", &r->now);
    js_str(o, "now_why", r->now.there && !(r->now.read && r->now.summed) ? r->now.why.text : NULL);
    side_json(o, "backup", &r->backup);
    js_str(o, "history", words[r->change.history]);
    js_figure(o, "events_lost", r, r->change.lost);
    js_figure(o, "keys_lost", r, r->change.keyed);
    js_figure(o, "wallets_changed", r, r->change.wallets);
    js_figure(o, "events_gained", r, r->change.gained);
    js_str(o, "people", r->change.people == PEOPLE_NOW ? "now" : "backup");
    js_str(o, "people_why", people_why[r->change.people]);
    js_str(o, "secret", takes_secret(r) ? "now" : r->backup.info.secret_lost ? NULL : "backup");
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

/* What whoever has the ledger open holds for reading (docs/format.md). They are held here for
 * writing, from when it is said what is lost until it is done: nobody can open it meanwhile. */
static const struct held {
    const char *name;
    off_t byte;
} held[] = {{"/log.mdb", 1},   {"/people.mdb", 1},      {"/state.mdb", 1},
            {"/views.mdb", 1}, {"/state.mdb-users", 0}, {"/views.mdb-users", 0}};
#define HELD (sizeof held / sizeof held[0])

struct hold {
    int fds[HELD];
};

static void
let_go(struct hold *h)
{
    for (size_t i = 0; i < HELD; i++) {
        if (h->fds[i] >= 0) {
            close(h->fds[i]);
        }
        h->fds[i] = -1;
    }
}

/* A file that is not there is held by nobody. */
static int
hold_one(const struct restore *r, const struct held *what, int *fd)
{
    char path[PATH_BYTES];
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = what->byte, .l_len = 1};
    errno = ENAMETOOLONG;
    *fd = path_make(path, r->now.dir, what->name) ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (*fd < 0) {
        return errno == ENOENT ? EXIT_DONE : failed(path);
    }
    if (fcntl(*fd, F_OFD_SETLK, &fl) == 0) {
        return EXIT_DONE;
    }
    return errno == EAGAIN || errno == EACCES
               ? refuse(SAID("%s is in use: end the programs that have it open."), r->now.dir)
               : failed(path);
}

static int
hold_all(const struct restore *r, struct hold *h)
{
    int code = EXIT_DONE;
    for (size_t i = 0; i < HELD; i++) {
        h->fds[i] = -1;
    }
    for (size_t i = 0; i < HELD && code == EXIT_DONE; i++) {
        code = hold_one(r, &held[i], &h->fds[i]);
    }
    return code;
}

/* The pages of log.mdb that every commit changes. */
static size_t
meta_read(const struct hold *h, uint8_t meta[META_BYTES_MAX])
{
    const size_t all = 2 * (size_t)sysconf(_SC_PAGESIZE);
    const ssize_t n =
        h->fds[0] >= 0 ? pread(h->fds[0], meta, all < META_BYTES_MAX ? all : META_BYTES_MAX, 0) : 0;
    return n > 0 ? (size_t)n : 0;
}

static bool
meta_same(const struct restore *r, const struct hold *h)
{
    static uint8_t meta[META_BYTES_MAX];
    const size_t n = meta_read(h, meta);
    return n == r->meta_n && memcmp(meta, r->meta, n) == 0;
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

/* The names in it, on the disk. */
static bool
folder_sync(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

/* A file of the ledger of now, in the place of that of the copy that was made. Its name may be new
 * there. */
static bool
copy_file(const struct restore *r, const char *name)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    if (!path_make(from, r->now.dir, name) || !path_make(to, r->made, name)) {
        errno = ENAMETOOLONG;
        return false;
    }
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    const int out = in >= 0 ? open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    bool ok = out >= 0 && copy_bytes(in, out);
    ok = (out < 0 || close(out) == 0) && ok;
    if (in >= 0) {
        close(in);
    }
    return ok && folder_sync(r->made);
}

/* ---- what stands in the way, said before anything is copied ---- */

static bool
is_empty(const char *dir)
{
    DIR *d = opendir(dir);
    bool empty = d != NULL;
    for (struct dirent *e = empty ? readdir(d) : NULL; e != NULL && empty; e = readdir(d)) {
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    }
    if (d != NULL) {
        closedir(d);
    }
    return empty;
}

/* The directory itself, where a link leads to it; or where it will be. */
static bool
resolve(struct restore *r)
{
    char copy[PATH_BYTES], real[PATH_BYTES];
    struct stat there;
    if (realpath(r->now.dir, real) != NULL) {
        memcpy(r->now.dir, real, sizeof real);
    } else if (errno != ENOENT || lstat(r->now.dir, &there) == 0) {
        return false; /* a link that leads nowhere */
    } else {
        memcpy(copy, r->now.dir, sizeof copy);
        char *const base = strrchr(copy, '/') != NULL ? strrchr(copy, '/') + 1 : copy;
        memcpy(real, r->now.dir, sizeof real);
        if (realpath(dirname(real), r->folder) == NULL ||
            snprintf(r->now.dir, PATH_BYTES, "%s/%s", strcmp(r->folder, "/") == 0 ? "" : r->folder,
                     base) >= PATH_BYTES) {
            return false;
        }
    }
    memcpy(real, r->now.dir, sizeof real);
    snprintf(r->folder, sizeof r->folder, "%s", dirname(real));
    errno = ENAMETOOLONG;
    return path_make(r->making, r->now.dir, ".restoring") &&
           path_make(r->made, r->now.dir, ".restoring/ledger") &&
           path_make(r->replaced, r->now.dir, ".replaced");
}

static bool
is_mount_point(const char *dir)
{
    struct statx x;
    return statx(AT_FDCWD, dir, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x) == 0 &&
           (x.stx_attributes_mask & x.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static int
look_at_places(struct restore *r)
{
    struct stat now, backup, folder;
    if (!resolve(r)) {
        return failed(r->now.dir);
    }
    const bool exists = stat(r->now.dir, &now) == 0;
    if (exists && stat(r->backup.dir, &backup) == 0 && now.st_dev == backup.st_dev &&
        now.st_ino == backup.st_ino) {
        return refuse(SAID("%s is the ledger itself, and not a backup of it."), r->backup.dir);
    }
    r->now.there = exists && (!S_ISDIR(now.st_mode) || !is_empty(r->now.dir));
    if (r->dry_run) {
        return EXIT_DONE;
    }
    if (exists && !S_ISDIR(now.st_mode)) {
        return refuse(SAID("%s is not a directory."), r->now.dir);
    }
    if (exists && ((stat(r->folder, &folder) == 0 && folder.st_dev != now.st_dev) ||
                   is_mount_point(r->now.dir))) {
        return refuse(
            SAID("%s is a mount point, which cannot be renamed: restore into a directory below "
                 "it, and name that one from then on."),
            r->now.dir);
    }
    if (exists && now.st_uid != geteuid()) {
        return refuse(SAID("%s belongs to another user: restore as that one."), r->now.dir);
    }
    if (faccessat(AT_FDCWD, r->folder, W_OK | X_OK, AT_EACCESS) != 0) {
        return failed(r->folder);
    }
    struct stat there;
    return lstat(r->replaced, &there) != 0
               ? EXIT_DONE
               : refuse(SAID("%s is there from an earlier restore: move it away, or delete it when "
                             "it is not needed any more."),
                        r->replaced);
}

/* HEAD says which ledger it is where the log cannot. */
static bool
head_names(const struct restore *r)
{
    char path[PATH_BYTES];
    uint8_t bytes[24];
    const int fd = path_make(path, r->now.dir, "/HEAD") ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    const bool named = fd >= 0 && read(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes &&
                       memcmp(bytes, "jangbuH", 7) == 0 &&
                       memcmp(bytes + 8, r->backup.info.ledger_id, 16) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return named;
}

static int
look_at_ledgers(struct restore *r)
{
    if (!r->now.there) {
        return EXIT_DONE;
    }
    if (r->now.known) {
        return memcmp(r->now.info.ledger_id, r->backup.info.ledger_id, 16) == 0
                   ? EXIT_DONE
                   : refuse(SAID("%s is a backup of another ledger."), r->backup.dir);
    }
    if (head_names(r)) {
        return EXIT_DONE;
    }
    fprintf(stderr, "jangbu: %s\n", r->now.why.text);
    return refuse(SAID("Nothing in %s says that it is the ledger of that backup: if it is, move it "
                       "away, and restore into the empty place."),
                  r->now.dir);
}

/* ---- the copy, and the switch ---- */

/* Whether nothing else is in it; a name of NULL ends the list. */
static bool
has_only(int fd, const char *const names[])
{
    const int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
    bool only = d != NULL;
    for (struct dirent *e = only ? readdir(d) : NULL; e != NULL && only; e = readdir(d)) {
        only = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
        for (size_t i = 0; names[i] != NULL; i++) {
            only |= strcmp(e->d_name, names[i]) == 0;
        }
    }
    if (d != NULL) {
        closedir(d);
    } else if (copy >= 0) {
        close(copy);
    }
    return only;
}

#define STAGE ".making"

static int
open_in(int fd, const char *name)
{
    return openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static void
unlink_all(int fd, const char *const names[])
{
    for (size_t i = 0; names[i] != NULL; i++) {
        unlinkat(fd, names[i], 0);
    }
}

static bool
clear_made(int making)
{
    static const char *const ours[] = {"log.mdb", "people.mdb", "secret", "requires", STAGE, NULL};
    const int made = open_in(making, "ledger");
    const int stage = made >= 0 ? open_in(made, STAGE) : -1;
    const bool clear = made >= 0 && has_only(made, ours) && (stage < 0 || has_only(stage, ours));
    if (clear) {
        unlink_all(made, ours);
        unlinkat(made, STAGE, AT_REMOVEDIR);
    }
    if (clear && stage >= 0) {
        unlink_all(stage, ours);
        unlinkat(made, STAGE, AT_REMOVEDIR);
    }
    if (stage >= 0) {
        close(stage);
    }
    if (made >= 0) {
        close(made);
    }
    return made < 0 || (clear && unlinkat(making, "ledger", AT_REMOVEDIR) == 0);
}

/* What a restore that was killed left: a copy that nobody has ever opened. Anything else of that
 * name is somebody's, and stays. */
static bool
clear_copy(const struct restore *r)
{
    const int making = open_in(AT_FDCWD, r->making);
    if (making < 0) {
        return errno == ENOENT;
    }
    const bool clear = has_only(making, (const char *const[]){"ledger", "other", NULL}) &&
                       clear_made(making) &&
                       (unlinkat(making, "other", AT_REMOVEDIR) == 0 || errno == ENOENT);
    close(making);
    return clear && rmdir(r->making) == 0;
}

/* Whether two directories can change places where the ledger lies: tried with two that are empty,
 * since a file system that cannot says so only when it is asked. */
static int
try_exchange(const struct restore *r)
{
    const int fd = open_in(AT_FDCWD, r->making);
    const bool made =
        fd >= 0 && mkdirat(fd, "ledger", 0700) == 0 && mkdirat(fd, "other", 0700) == 0;
    const bool done = made && renameat2(fd, "ledger", fd, "other", RENAME_EXCHANGE) == 0;
    const int why = errno;
    const bool gone = made && unlinkat(fd, "ledger", AT_REMOVEDIR) == 0 &&
                      unlinkat(fd, "other", AT_REMOVEDIR) == 0;
    if (fd >= 0) {
        close(fd);
    }
    errno = why;
    if (made && !done && (why == EINVAL || why == ENOSYS || why == EOPNOTSUPP)) {
        return refuse(SAID("the file system of %s cannot let two directories change places: move "
                           "the ledger away, and restore into the empty place."),
                      r->now.dir);
    }
    return done && gone ? EXIT_DONE : failed(r->making);
}

static int
copy_backup(struct restore *r)
{
    struct progress p;
    if (mkdir(r->making, 0700) != 0) {
        return failed(r->making);
    }
    const int code = r->now.there ? try_exchange(r) : EXIT_DONE;
    if (code != EXIT_DONE) {
        return code;
    }
    jb_status status = side_open(r, &r->backup);
    if (status != JB_OK) {
        return app_fail(r->app, &r->backup.why);
    }
    progress_begin(&p, "restore");
    status = jb_backup(r->backup.ledger, r->made, progress_show, &p, &r->app->err);
    progress_end(&p);
    side_close(&r->backup);
    return status == JB_OK ? EXIT_DONE : app_fail(r->app, &r->app->err);
}

/* The two change places at once: whoever looks finds the one or the other. */
static int
change_places(const struct restore *r)
{
    if (!r->now.there) {
        return rename(r->made, r->now.dir) == 0 && folder_sync(r->folder) ? EXIT_DONE
                                                                          : failed(r->now.dir);
    }
    if (renameat2(AT_FDCWD, r->made, AT_FDCWD, r->replaced, RENAME_NOREPLACE) != 0) {
        return failed(r->replaced);
    }
    if (renameat2(AT_FDCWD, r->replaced, AT_FDCWD, r->now.dir, RENAME_EXCHANGE) != 0) {
        const int why = errno;
        (void)rename(r->replaced, r->made);
        errno = why;
        return failed(r->now.dir);
    }
    return folder_sync(r->folder) ? EXIT_DONE : failed(r->folder);
}

static int
replace(struct restore *r)
{
    if (!clear_copy(r)) {
        return refuse(SAID("%s is in the way: it is not the copy of a restore that was ended."),
                      r->making);
    }
    int code = copy_backup(r);
    if (code == EXIT_DONE && r->change.people == PEOPLE_NOW && !copy_file(r, "/people.mdb")) {
        code = failed("people.mdb");
    }
    if (code == EXIT_DONE && takes_secret(r) && !copy_file(r, "/secret")) {
        code = failed("secret");
    }
    code = code == EXIT_DONE ? change_places(r) : code;
    (void)clear_copy(r);
    return code;
}

/* Nobody else writes from here on, and nobody did since it was read. */
static int
replace_held(struct restore *r)
{
    struct hold h;
    int code = hold_all(r, &h);
    if (code == EXIT_DONE && !meta_same(r, &h)) {
        code = refuse(SAID("%s was written to meanwhile: begin again."), r->now.dir);
    }
    code = code == EXIT_DONE ? replace(r) : code;
    let_go(&h);
    return code;
}

static int
read_both(struct restore *r)
{
    if (!read_apart(r)) {
        return failed("fork");
    }
    if (!r->backup.read) {
        return app_fail(r->app, &r->backup.why);
    }
    r->app->info = r->backup.info;
    return look_at_ledgers(r);
}

/* One restore at a time in a directory; and what is in use is refused before it is read. */
static int
prepare(struct restore *r, int *lock)
{
    struct hold h;
    *lock = open(r->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0) {
        return failed(r->folder);
    }
    if (flock(*lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return refuse(SAID("another restore is at work in %s."), r->folder);
    }
    const int code = hold_all(r, &h);
    r->meta_n = meta_read(&h, r->meta);
    let_go(&h);
    return code;
}

static int
do_it(struct restore *r)
{
    int lock = -1;
    int code = look_at_places(r);
    code = code == EXIT_DONE && !r->dry_run ? prepare(r, &lock) : code;
    code = code == EXIT_DONE ? read_both(r) : code;
    code = code == EXIT_DONE && !r->dry_run ? replace_held(r) : code;
    if (lock >= 0) {
        close(lock);
    }
    return code;
}

static int
restore(struct restore *r)
{
    struct app *app = r->app;
    side_begin(&r->now);
    side_begin(&r->backup);
    if (!r->backup.there) {
        return refuse(SAID("%s is not there."), r->backup.dir);
    }
    const int code = do_it(r);
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
    const char *args[ARGUMENTS_MAX];
    bool dry_run = false;
    int n;
    const struct option_row options[] = {{"dry-run", &dry_run, NULL}, {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 2) {
        return app_usage(app, "jangbu restore takes the place of a ledger and a backup");
    }
    struct restore *r =
        mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r == MAP_FAILED) {
        return failed("mmap");
    }
    r->app = app;
    r->dry_run = dry_run;
    app->writes = !dry_run;
    const bool fits = path_make(r->now.dir, args[0], "") && path_make(r->backup.dir, args[1], "") &&
                      (app->key_file != NULL ? path_make(r->key_file, app->key_file, "")
                                             : path_make(r->key_file, args[0], ".key"));
    const int code = fits ? restore(r) : app_usage(app, "the path of the ledger is too long");
    munmap(r, sizeof *r);
    return code;
}
