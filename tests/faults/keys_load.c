/*
 * A ledger whose keys lie in many small runs, for kills inside their writing and merging, and
 * inside the switch to another generation.
 *
 * usage: keys_load make DIR          a ledger with a wallet; says how many events it has
 *        keys_load write DIR TO      commands with the keys up to TO, in several sessions; says
 *                                    "done N" when the first N were answered
 *        keys_load fast DIR TO       the same in one session; says how many tables waited at most
 *        keys_load rebuild DIR       everything is made again
 *        keys_load check DIR N TO EVENTS
 *                                    the first N keys were used; then all up to TO are; the audit
 *                                    finds nothing, and each of them once beside so many events;
 *                                    says how many there were
 */
#include <jangbu/ledger.h>
#include <jangbu/replay.h>

#include <inttypes.h>
#include <string.h>

#include "keyed.h"
#include "ledger/internal.h"
#include "state/behind.h"
#include "state/keys.h"

#define BATCH 23
#define SESSION 4

/* How many events there are in a log in which nothing is wrong. */
static uint64_t
audited(const char *dir)
{
    struct jb_error err;
    struct jb_audit_report *report;
    must(jb_audit(dir, NULL, &report, &err) == JB_OK, "the audit runs");
    for (uint32_t i = 0; i < report->problems_n; i++) {
        fprintf(stderr, "%s\n", report->problems[i]->text);
    }
    must(report->verdict == JB_VERIFIED, "the audit finds nothing");
    uint64_t events = report->events;
    jb_audit_report_free(report);
    return events;
}

static int
make(const char *dir)
{
    keyed_make(dir);
    printf("%" PRIu64 "\n", audited(dir));
    return 0;
}

static int
write_keys(const char *dir, unsigned to)
{
    for (unsigned done = 0; done < to;) {
        jb_ledger *l = keyed_open(dir);
        for (unsigned i = 0; i < SESSION && done < to; i++) {
            unsigned n = to - done < BATCH ? to - done : BATCH;
            (void)keyed_submit(l, done + 1, n);
            done += n;
            printf("done %u\n", done);
            fflush(stdout);
        }
        jb_close(l);
    }
    return 0;
}

static int
write_fast(const char *dir, unsigned to)
{
    size_t most = 0;
    jb_ledger *l = keyed_open(dir);
    for (unsigned done = 0; done + BATCH <= to; done += BATCH) {
        (void)keyed_submit(l, done + 1, BATCH);
        struct jb_error err;
        must(jb_behind_checkpoint(l->state, &err) == JB_OK, "a checkpoint");
        most = l->state->keys.tables.n > most ? l->state->keys.tables.n : most;
    }
    jb_close(l);
    printf("%zu tables\n", most);
    return 0;
}

static int
rebuild(const char *dir)
{
    struct jb_error err;
    struct jb_rebuild_result result = {.size = sizeof result};
    must(jb_rebuild(dir, NULL, &result, &err) == JB_OK, "everything is made again");
    return 0;
}

static int
check(const char *dir, unsigned used, unsigned to, unsigned events)
{
    unsigned again = 0;
    jb_ledger *l = keyed_open(dir);
    for (unsigned i = 0; i < to; i += BATCH) {
        unsigned n = to - i < BATCH ? to - i : BATCH, before = keyed_submit(l, i + 1, n);
        must(i >= used || before >= (used - i < n ? used - i : n), "a key is used twice");
        again += before;
    }
    jb_close(l);
    must(audited(dir) == events + to, "each command once");
    printf("%u were there\n", again);
    return 0;
}

static unsigned
number(int argc, char **argv, int i)
{
    return i < argc ? (unsigned)strtoul(argv[i], NULL, 10) : 0;
}

int
main(int argc, char **argv)
{
    must(argc >= 3, "usage: keys_load make|write|fast|rebuild|check DIR [N] [TO] [EVENTS]");
    jb_keys_limits = (struct jb_keys_limits){.table_keys = 40,
                                             .table_events = 60,
                                             .closing_keys = 1,
                                             .closing_events = 1,
                                             .pool_pages = 64};
    return strcmp(argv[1], "make") == 0      ? make(argv[2])
           : strcmp(argv[1], "write") == 0   ? write_keys(argv[2], number(argc, argv, 3))
           : strcmp(argv[1], "fast") == 0    ? write_fast(argv[2], number(argc, argv, 3))
           : strcmp(argv[1], "rebuild") == 0 ? rebuild(argv[2])
                                             : check(argv[2], number(argc, argv, 3),
                                                     number(argc, argv, 4), number(argc, argv, 5));
}
