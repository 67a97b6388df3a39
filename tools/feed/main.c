/*
 * jangbu-feed: a ledger's log, copied elsewhere as it grows, each event exactly once. What is
 * stored has the cursor with it, in one transaction: whoever is killed goes on where that stands.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "postgres.h"

enum exits { EXIT_WELL = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_MACHINE = 3 };

#define ROWS_MAX 2000U
#define LOOK_US INT64_C(300000) /* how soon a signal is seen while nothing comes */
#define PAUSE_MS_MIN 250L
#define PAUSE_MS_MAX 30000L

static const char usage[] =
    "usage: jangbu-feed postgres CONNINFO LEDGER [--once] [--read-only]\n"
    "\n"
    "Copies the ledger's events into PostgreSQL's tables jangbu_events and jangbu_feed, which it\n"
    "makes, and follows the log: rows and cursor are stored in one transaction, so each event is\n"
    "there once, in order, whatever is killed. CONNINFO is that of libpq: \"host=db "
    "dbname=shop\".\n"
    "A password there is seen by whoever lists processes: give it by PGPASSFILE (~/.pgpass).\n"
    "\n"
    "  --once       end where the log ends\n"
    "  --read-only  store nothing in the ledger's directory\n"
    "  --help, --version\n"
    "\n"
    "SIGTERM ends it in order. Exit status: 0 ended, 1 refused (another ledger's tables, a log "
    "that\n"
    "was put back, a password or a database that is none), 2 usage, 3 the ledger or the machine.\n";

struct feed {
    const char *conninfo, *dir;
    bool once, read_only;
    jb_ledger *ledger;
    jb_views *views;
    int32_t utc_offset_s;
    char ledger_id[33];
    struct postgres *sink;
    struct place place;
    long pause_ms;
    struct out rows, scratch;
    jb_status status; /* of the row that failed */
    struct jb_error err;
};

static volatile sig_atomic_t ending;

static void
end_soon(int number)
{
    (void)number;
    ending = 1;
}

static void
say(const char *text)
{
    fprintf(stderr, "jangbu-feed: %s\n", text);
}

/* ---- the ledger ---- */

static jb_status
open_ledger(struct feed *f)
{
    struct jb_open_options options = JB_SIZED(struct jb_open_options);
    struct jb_ledger_info info = JB_SIZED(struct jb_ledger_info);
    options.read_only = f->read_only;
    jb_status status = jb_open(f->dir, &options, &f->ledger, &f->err);
    status = status == JB_OK ? jb_info_get(f->ledger, &info, &f->err) : status;
    status = status == JB_OK ? jb_views_open(f->ledger, &f->views, &f->err) : status;
    for (size_t i = 0; i < sizeof info.ledger_id && status == JB_OK; i++) {
        snprintf(f->ledger_id + 2 * i, 3, "%02x", info.ledger_id[i]);
    }
    f->utc_offset_s = info.utc_offset_s;
    return status;
}

static bool
each_row(void *data, const struct jb_feed_row *row)
{
    struct feed *f = data;
    f->status = postgres_row(&f->rows, &f->scratch, f->ledger, row, f->utc_offset_s, &f->err);
    return f->status == JB_OK && !f->rows.no_memory;
}

/* The next rows, and where they end. */
static jb_status
read_page(struct feed *f, struct jb_feed_page *page)
{
    const struct jb_feed_query q = {.size = sizeof q, .cursor = f->place.cursor, .limit = ROWS_MAX};
    *page = (struct jb_feed_page)JB_SIZED(struct jb_feed_page);
    f->rows.n = 0;
    f->status = JB_OK;
    const jb_status status = jb_feed_get(f->views, &q, each_row, f, page, &f->err);
    if (status == JB_OK && f->rows.no_memory) {
        f->err = (struct jb_error){.status = JB_E_NOMEM, .text = "no memory for a page of events"};
        return JB_E_NOMEM;
    }
    return status == JB_OK ? f->status : status;
}

/* ---- following ---- */

/* Longer each time. */
static void
pause_a_while(struct feed *f, const char *bad)
{
    say(bad);
    for (long ms = 0; ms < f->pause_ms && ending == 0; ms += 50) {
        nanosleep(&(struct timespec){.tv_nsec = 50000000L}, NULL);
    }
    f->pause_ms = 2 * f->pause_ms < PAUSE_MS_MAX ? 2 * f->pause_ms : PAUSE_MS_MAX;
}

/* True: go on. */
static bool
went_well(struct feed *f, enum postgres_result result, const char *bad, int *ret_exit)
{
    if (result == POSTGRES_DONE) {
        f->pause_ms = PAUSE_MS_MIN;
        return true;
    }
    f->sink = postgres_close(f->sink);
    if (result == POSTGRES_AGAIN) {
        pause_a_while(f, bad);
        return true;
    }
    say(bad);
    *ret_exit = EXIT_REFUSED;
    return false;
}

static bool
connect_sink(struct feed *f, int *ret_exit)
{
    char bad[BAD_BYTES] = "";
    const enum postgres_result result =
        postgres_open(f->conninfo, f->ledger_id, &f->sink, &f->place, bad);
    return went_well(f, result, bad, ret_exit);
}

static bool
ledger_failed(struct feed *f, jb_status status, int *ret_exit)
{
    say(f->err.text);
    *ret_exit = status == JB_E_NOTFOUND || status == JB_E_USAGE ? EXIT_REFUSED : EXIT_MACHINE;
    return false;
}

static bool
wait_for_more(struct feed *f, jb_seq through, int *ret_exit)
{
    const jb_status status = jb_wait(f->ledger, through, LOOK_US, NULL, &f->err);
    return status == JB_OK || status == JB_END || ledger_failed(f, status, ret_exit);
}

/* A page; false: it is over. */
static bool
step(struct feed *f, int *ret_exit)
{
    char bad[BAD_BYTES] = "";
    struct jb_feed_page page;
    const jb_status status = read_page(f, &page);
    if (status != JB_OK) {
        return ledger_failed(f, status, ret_exit);
    }
    if (f->rows.n == 0) {
        return !f->once && wait_for_more(f, page.through, ret_exit);
    }
    struct place to = {.seq = page.through};
    memcpy(to.cursor, page.cursor, sizeof to.cursor);
    return went_well(f, postgres_store(f->sink, &f->rows, &f->place, &to, bad), bad, ret_exit);
}

static int
follow(struct feed *f)
{
    int code = EXIT_WELL;
    bool more = true;
    while (more && ending == 0) {
        more = f->sink == NULL ? connect_sink(f, &code) : step(f, &code);
    }
    f->sink = postgres_close(f->sink);
    return code;
}

/* ---- the program ---- */

static bool
has_option(int argc, char **argv, const char *option)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], option) == 0) {
            return true;
        }
    }
    return false;
}

static bool
no_option(const char *option)
{
    fprintf(stderr, "jangbu-feed: there is no option %s\n", option);
    return false;
}

static bool
read_arguments(struct feed *f, int argc, char **argv)
{
    const char *words[3] = {NULL};
    int n = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--once") == 0) {
            f->once = true;
        } else if (strcmp(argv[i], "--read-only") == 0) {
            f->read_only = true;
        } else if (strncmp(argv[i], "--", 2) == 0) {
            return no_option(argv[i]);
        } else if (n < 3) {
            words[n++] = argv[i];
        } else {
            fprintf(stderr, "jangbu-feed: %s is one word too many\n", argv[i]);
            return false;
        }
    }
    if (n > 0 && strcmp(words[0], "postgres") != 0) {
        fprintf(stderr, "jangbu-feed: it copies into postgres, and not into %s\n", words[0]);
        return false;
    }
    f->conninfo = words[1];
    f->dir = words[2];
    return n == 3;
}

int
main(int argc, char **argv)
{
    static struct feed f = {.pause_ms = PAUSE_MS_MIN};
    if (has_option(argc, argv, "--help")) {
        fputs(usage, stdout);
        return EXIT_WELL;
    }
    if (has_option(argc, argv, "--version")) {
        printf("jangbu-feed %s\n", JB_VERSION_STRING);
        return EXIT_WELL;
    }
    if (!read_arguments(&f, argc, argv)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    signal(SIGTERM, end_soon);
    signal(SIGINT, end_soon);
    signal(SIGPIPE, SIG_IGN);
    int code = EXIT_MACHINE;
    if (open_ledger(&f) == JB_OK) {
        code = follow(&f);
    } else {
        say(f.err.text);
    }
    jb_views_close(f.views);
    jb_close(f.ledger);
    free(f.rows.at);
    free(f.scratch.at);
    return code;
}
