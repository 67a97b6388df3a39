/*
 * An audit of a log that repeats names, with hardly any memory for them: it says what it says with
 * much; where there is no room for its temporary file it says that it cannot tell; and it needs no
 * more memory for a log that is twice as long.
 */
#include <jangbu/replay.h>

#include <dirent.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../check.h"
#include "replay/audit.h"

#define BATCH 100
#define WALLETS 20

static struct jb_error err;
static struct jb_command commands[BATCH];
static char texts[BATCH][4][32];
static size_t n;
static jb_ledger *ledger;
static jb_answers *answers;
static jb_instant now_us = INT64_C(1767193200000000); /* 2026-01-01 in Korea */

static jb_instant
now(void *data)
{
    (void)data;
    return now_us;
}

/* ---- a ledger ---- */

static void
submit(void)
{
    now_us += 1000000;
    must(n == 0 || jb_submit(ledger, commands, n, NULL, answers, NULL, &err) == JB_OK, err.text);
    n = 0;
}

static struct jb_text
say(unsigned which, const char *format, unsigned number)
{
    char *text = texts[n][which];
    snprintf(text, sizeof texts[n][which], "%c%u", format[0], number);
    return jb_text_of(text);
}

static struct jb_command *
begin(jb_op op, unsigned wallet)
{
    if (n == BATCH) {
        submit();
    }
    jb_command_begin(&commands[n], op);
    jb_set_wallet(&commands[n], say(0, "W", wallet));
    return &commands[n];
}

static void
make_wallet(unsigned i)
{
    struct jb_command *c = begin(JB_OP_WALLET_CREATE, i);
    jb_set_kind(c, JB_KIND_PERSONAL);
    jb_set_name(c, jb_text_of("somebody"));
    n++;
    c = begin(JB_OP_CHARGE, i);
    jb_set_charge(c, jb_text_of("first"));
    jb_set_amount(c, INT64_C(100000000000));
    n++;
}

static void
consume(unsigned i)
{
    struct jb_command *c = begin(JB_OP_CONSUME, i % WALLETS);
    jb_set_usage(c, say(1, "U", i));
    jb_set_key(c, say(2, "K", i));
    jb_set_amount(c, 10000);
    n++;
}

/* Transactions that come twice, ids that are taken, returns in parts. */
static void
repeat(unsigned i)
{
    struct jb_command *c = begin(JB_OP_CHARGE, i % WALLETS);
    jb_set_charge(c, say(1, "C", i / 3));
    jb_set_key(c, say(2, "c", i));
    jb_set_pg(c, jb_text_of("inicis"));
    jb_set_txn_ref(c, say(3, "T", i / 2));
    jb_set_amount(c, 10000);
    n++;
    c = begin(JB_OP_FREE_GRANT, i % WALLETS);
    jb_set_grant(c, say(1, "G", i / 2));
    jb_set_key(c, say(2, "g", i));
    jb_set_amount(c, 1000);
    jb_set_expires_on(c, jb_day_of(now_us, 32400) + 30);
    n++;
    c = begin(JB_OP_CONSUME_REVERSE, (i / 4) % WALLETS);
    jb_set_usage(c, say(1, "U", i / 4));
    jb_set_key(c, say(2, "r", i));
    jb_set_amount(c, 1000);
    n++;
}

static void
make(const char *dir, unsigned consumptions, unsigned repeats)
{
    const struct jb_open_options o = {.size = sizeof o, .now = now};
    const struct jb_init_options i = {.size = sizeof i};
    must(jb_init(dir, &i, &err) == JB_OK, err.text);
    must(jb_open(dir, &o, &ledger, &err) == JB_OK, err.text);
    for (unsigned k = 0; k < WALLETS; k++) {
        make_wallet(k);
    }
    for (unsigned k = 0; k < consumptions; k++) {
        consume(k);
    }
    submit();
    for (unsigned k = 0; k < repeats; k++) {
        repeat(k);
    }
    submit();
    jb_close(ledger);
}

/* ---- audits ---- */

static size_t most;

static void
look_at_memory(void *data, uint64_t done, uint64_t all)
{
    (void)data, (void)done, (void)all;
    const struct mallinfo2 m = mallinfo2();
    const size_t used = m.uordblks + m.hblkhd;
    most = used > most ? used : most;
}

static struct jb_audit_report *
audit_parts(const char *dir, uint32_t only)
{
    const struct jb_audit_options o = {
        .size = sizeof o, .on_progress = look_at_memory, .only = only};
    struct jb_audit_report *r;
    most = 0;
    must(jb_audit(dir, &o, &r, &err) == JB_OK, err.text);
    return r;
}

static struct jb_audit_report *
audit(const char *dir)
{
    return audit_parts(dir, 0);
}

static bool
has_word(const struct jb_audit_report *r, const char *word)
{
    bool found = false;
    for (uint32_t i = 0; i < r->not_checked_n; i++) {
        found |= strstr(r->not_checked[i], word) != NULL;
    }
    return found;
}

static void
same(const struct jb_audit_report *a, const struct jb_audit_report *b)
{
    must(a->verdict == JB_VERIFIED && b->verdict == JB_VERIFIED, "not verified");
    must(a->problems_total == 0 && b->problems_total == 0, "problems in a sound ledger");
    must(a->verified_to == b->verified_to && a->events == b->events, "not all was looked at");
    must(a->notes_total > 0 && a->notes_total == b->notes_total, "other notes");
    for (uint32_t i = 0; i < a->notes_n; i++) {
        must(strcmp(a->notes[i], b->notes[i]) == 0, a->notes[i]);
    }
    must(a->not_checked_n == b->not_checked_n, "something else was not checked");
    for (uint32_t i = 0; i < a->not_checked_n; i++) {
        must(strcmp(a->not_checked[i], b->not_checked[i]) == 0, a->not_checked[i]);
    }
}

static void
cannot_tell(const char *dir, const char *why)
{
    struct jb_audit_report *r = audit(dir);
    must(r->verdict == JB_COULD_NOT_TELL && r->form == JB_COULD_NOT_TELL &&
             r->sums == JB_COULD_NOT_TELL && r->rules == JB_COULD_NOT_TELL,
         why);
    must(r->problems_total == 0 && r->verified_to == 0 && has_word(r, "TMPDIR"), why);
    jb_audit_report_free(r);
}

/* ---- tests ---- */

static void
little_memory(const char *dir)
{
    const struct jb_audit_limits usual = jb_audit_limits;
    jb_audit_limits = (struct jb_audit_limits){1 << 20, UINT64_MAX, false};
    struct jb_audit_report *much = audit(dir);
    jb_audit_limits = (struct jb_audit_limits){3, 1, false};
    struct jb_audit_report *little = audit(dir);
    same(much, little);
    jb_audit_report_free(much);
    jb_audit_report_free(little);
    jb_audit_limits = usual;
}

static void
no_directory(const char *dir)
{
    must(setenv("TMPDIR", "/there is no such directory", 1) == 0, "no environment");
    cannot_tell(dir, "a directory that is not there");
    must(unsetenv("TMPDIR") == 0, "no environment");
}

static void
no_long_files(const char *dir)
{
    struct rlimit before, small;
    must(getrlimit(RLIMIT_FSIZE, &before) == 0, "no limits");
    small = before;
    small.rlim_cur = 1024;
    signal(SIGXFSZ, SIG_IGN);
    must(setrlimit(RLIMIT_FSIZE, &small) == 0, "no limits");
    cannot_tell(dir, "a file that may not get long");
    must(setrlimit(RLIMIT_FSIZE, &before) == 0, "no limits");
}

/* Where this may mount one. */
static void
full_disk(const char *dir, const char *at)
{
    must(mkdir(at, 0700) == 0, at);
    if (mount("none", at, "tmpfs", 0, "size=4096") != 0) {
        puts("a full file system: none can be mounted here");
        return;
    }
    must(setenv("TMPDIR", at, 1) == 0, "no environment");
    cannot_tell(dir, "a full file system");
    must(unsetenv("TMPDIR") == 0 && umount(at) == 0, at);
}

static bool
is_empty(const char *path)
{
    DIR *d = opendir(path);
    must(d != NULL, path);
    unsigned names = 0;
    while (readdir(d) != NULL) {
        names++;
    }
    closedir(d);
    return names == 2; /* . and .. */
}

static void
leaves_nothing(const char *dir, const char *at)
{
    must(mkdir(at, 0700) == 0 && setenv("TMPDIR", at, 1) == 0, at);
    struct jb_audit_report *r = audit(dir);
    must(r->verdict == JB_VERIFIED && is_empty(at), "something is left of it");
    jb_audit_report_free(r);
    must(unsetenv("TMPDIR") == 0, "no environment");
}

/* Of keys nothing stays in memory. The other fold has the texts of a million events at most, which
 * these are not. Tools that look at memory have an allocator of their own, which says nothing. */
static void
flat_memory(const char *once, const char *twice)
{
    const uint32_t parts = JB_AUDIT_FORM | JB_AUDIT_RULES;
    jb_audit_report_free(audit_parts(once, parts));
    const size_t one = most;
    jb_audit_report_free(audit_parts(twice, parts));
    printf("%zu KiB, and %zu KiB for twice the events\n", one / 1024, most / 1024);
    must(most <= one + 65536, "memory grows with the log");
}

int
main(void)
{
    char dir[64], path[5][80];
    mallopt(M_ARENA_MAX, 1); /* so that threads are counted, too */
    make_quick_scratch(dir, "audit-room");
    for (unsigned i = 0; i < 5; i++) {
        snprintf(path[i], sizeof path[i], "%s/%u", dir, i);
    }
    answers = jb_answers_new();
    must(answers != NULL, "no memory");
    make(path[0], 2000, 600);
    make(path[1], 20000, 0);
    make(path[2], 40000, 0);
    jb_answers_free(answers);
    little_memory(path[0]);
    flat_memory(path[1], path[2]);
    jb_audit_limits = (struct jb_audit_limits){3, 1, false};
    leaves_nothing(path[0], path[3]);
    no_directory(path[0]);
    no_long_files(path[0]);
    full_disk(path[0], path[4]);
    remove_scratch(dir);
    return 0;
}
