/*
 * Idempotency keys over the runs of a ledger (`state/`): lost, cut, changed in every byte in turn,
 * replaced by older ones, before the ledger is opened and while it is: each key that was used gets
 * its first answer, each new one is carried out, and the log stays sound.
 *
 * usage: keys [--bytes N]   changes every Nth byte of each file (default 1009)
 */
#include <jangbu/ledger.h>
#include <jangbu/replay.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "keyed.h"
#include "ledger/internal.h"
#include "state/keys.h"

#define KEYS 700
#define FILES_MAX 40

static char root[64], ledger[80], state_dir[90];
static unsigned used; /* keys 1 to this are in the log */

static jb_ledger *
open_ledger(void)
{
    return keyed_open(ledger);
}

/* Commands with the keys of these numbers, in one batch: all of them done now, or all before. */
static void
submit(jb_ledger *l, unsigned from, unsigned n, jb_outcome expected)
{
    const unsigned again = keyed_submit(l, from, n);
    if (again != (expected == JB_DUPLICATE ? n : 0)) {
        fprintf(stderr, "failed: of key-%u and %u behind it %u were done before\n", from, n - 1,
                again);
        exit(1);
    }
}

static void
make_ledger(void)
{
    keyed_make(ledger);
    /* In as many sessions as it takes for some merges. */
    for (used = 0; used < KEYS;) {
        unsigned n = 20 + used % 37;
        jb_ledger *l = open_ledger();
        submit(l, used + 1, n, JB_DONE);
        used += n;
        jb_close(l);
    }
}

/* All keys that were used, and one that was not. */
static void
check(jb_ledger *l)
{
    for (unsigned i = 1; i <= used; i += 100) {
        submit(l, i, used - i + 1 < 100 ? used - i + 1 : 100, JB_DUPLICATE);
    }
    submit(l, ++used, 1, JB_DONE);
}

static void
check_open(void)
{
    jb_ledger *l = open_ledger();
    check(l);
    jb_close(l);
}

struct file {
    char name[64];
    uint8_t *bytes;
    size_t n;
};
static struct file files[FILES_MAX];
static size_t files_n;

static void
path_of(const char *name, char ret[200])
{
    snprintf(ret, 200, "%.89s/%.63s", state_dir, name);
}

static void
forget_files(void)
{
    for (size_t i = 0; i < files_n; i++) {
        free(files[i].bytes);
    }
    files_n = 0;
}

static void
remember_files(void)
{
    forget_files();
    DIR *d = opendir(state_dir);
    must(d != NULL, "there are runs");
    for (const struct dirent *e; (e = readdir(d)) != NULL && files_n < FILES_MAX;) {
        size_t len = strlen(e->d_name);
        if (len != 46 || strcmp(e->d_name + len - 4, ".run") != 0) {
            continue;
        }
        struct file *f = &files[files_n++];
        char path[200];
        struct stat st;
        memcpy(f->name, e->d_name, len + 1);
        path_of(f->name, path);
        int fd = open(path, O_RDONLY);
        must(fd >= 0 && fstat(fd, &st) == 0, "a run is read");
        f->n = (size_t)st.st_size;
        f->bytes = malloc(f->n + 1);
        must(f->bytes != NULL && read(fd, f->bytes, f->n) == st.st_size, "a run is read");
        close(fd);
    }
    closedir(d);
    must(files_n > 0, "there are runs");
}

static void
put_file(const struct file *f, size_t n)
{
    char path[200];
    path_of(f->name, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0 && write(fd, f->bytes, n) == (ssize_t)n, "a run is written");
    close(fd);
}

static void
remove_runs(void)
{
    DIR *d = opendir(state_dir);
    for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        unlinkat(dirfd(d), e->d_name, 0);
    }
    if (d != NULL) {
        closedir(d);
    }
}

/* As they were remembered: and so older than the log by now, which is no fault. */
static void
put_files(void)
{
    remove_runs();
    for (size_t i = 0; i < files_n; i++) {
        put_file(&files[i], files[i].n);
    }
}

static void
lost(void)
{
    remember_files();
    for (size_t i = 0; i < files_n; i++) {
        char path[200];
        put_files();
        path_of(files[i].name, path);
        must(unlink(path) == 0, "a run is removed");
        check_open();
    }
    remove_runs();
    check_open();
    remove_runs();
    must(rmdir(state_dir) == 0, "the directory is removed");
    check_open();
    remove_runs();
    must(rmdir(state_dir) == 0, "the directory is removed");
    int fd = open(state_dir, O_WRONLY | O_CREAT, 0600);
    must(fd >= 0, "a file in its place");
    close(fd);
    check_open();
    must(unlink(state_dir) == 0, "the file goes");
    check_open();
}

static unsigned
changed(size_t bytes)
{
    unsigned n = 0;
    remember_files();
    for (size_t i = 0; i < files_n; i++) {
        struct file *f = &files[i];
        for (size_t at = i % bytes; at < f->n; at += bytes, n++) {
            uint8_t bit = (uint8_t)(1U << (at % 8));
            f->bytes[at] ^= bit;
            put_files();
            f->bytes[at] ^= bit;
            check_open();
        }
        for (unsigned part = 0; part < 4; part++, n++) {
            put_files();
            put_file(f, f->n * part / 4);
            check_open();
        }
        for (size_t other = 0; other < files_n; other++, n++) { /* another under its name */
            struct file wrong = files[other];
            memcpy(wrong.name, f->name, sizeof wrong.name);
            put_files();
            put_file(&wrong, wrong.n);
            check_open();
        }
    }
    return n;
}

/* Pages that were looked at are in memory; the rest changes under whoever has it open. */
static void
changed_while_open(void)
{
    remember_files();
    for (size_t i = 0; i < files_n; i++) {
        for (size_t at = 5; at < files[i].n; at += 1531) {
            put_files();
            jb_ledger *l = open_ledger();
            submit(l, 1, 1, JB_DUPLICATE);
            char path[200];
            path_of(files[i].name, path);
            int fd = open(path, O_WRONLY);
            uint8_t byte = (uint8_t)(files[i].bytes[at] ^ 0x40);
            must(fd < 0 || pwrite(fd, &byte, 1, (off_t)at) == 1, "a byte is changed");
            must(fd < 0 || at % 2 == 0 || ftruncate(fd, (off_t)at) == 0, "a run is cut");
            close(fd);
            check(l);
            jb_close(l);
        }
        jb_ledger *l = open_ledger();
        submit(l, 1, 1, JB_DUPLICATE);
        remove_runs();
        check(l);
        jb_close(l);
    }
}

/* Of all keys of the log a state holds a few, however it came to know them. */
static void
check_few(const struct jb_state *b)
{
    const struct jb_keys *k = &b->keys;
    size_t n = k->map.entries.n;
    for (size_t i = 0; i < k->tables.n; i++) {
        n += k->tables.at[i]->map.entries.n;
    }
    if (n > 8 * (jb_keys_limits.table_keys + 100)) { /* a table ends with a batch */
        fprintf(stderr, "%zu keys are in memory, in %zu tables\n", n, k->tables.n);
        exit(1);
    }
}

static void
remove_state(void)
{
    static const char *const names[] = {"state.mdb", "state.mdb-lock"};
    for (int i = 0; i < 2; i++) {
        char path[120];
        snprintf(path, sizeof path, "%s/%s", ledger, names[i]);
        (void)unlink(path);
    }
}

/* A log that is folded from its first event on, with runs and without: by a writer, who looks for
 * keys at once, and by a reader. */
static void
folded(void)
{
    struct jb_error err;
    while (used < 6000) {
        jb_ledger *l = open_ledger();
        submit(l, used + 1, 90, JB_DONE);
        used += 90;
        jb_close(l);
    }
    for (int runs = 0; runs < 2; runs++) {
        remove_state();
        if (runs == 0) {
            remove_runs();
        }
        jb_ledger *l = open_ledger();
        uint32_t number;
        must(jb_wallet_number(l, jb_text_of("W"), &number, &err) == JB_OK, "a wallet's number");
        must(l->read_state->g.seq >= 6000, "the log is folded");
        check_few(l->read_state);
        submit(l, used + 1, 1, JB_DONE);
        used++;
        check_few(l->state);
        check(l);
        check_few(l->state);
        jb_close(l);
    }
}

/* Two handles write in turn: the runs of one end within the tables of the other. */
static void
in_turn(void)
{
    jb_ledger *l[2] = {open_ledger(), open_ledger()};
    for (unsigned i = 0; i < 120; i++) {
        unsigned n = 1 + i * 29 % 83;
        submit(l[i % 2], used + 1, n, JB_DONE);
        used += n;
        submit(l[(i + 1) % 2], used - n + 1, n, JB_DUPLICATE);
        check_few(l[0]->state);
        check_few(l[1]->state);
    }
    check(l[0]);
    check(l[1]);
    jb_close(l[0]);
    jb_close(l[1]);
    check_open();
}

static void
audited(void)
{
    struct jb_audit_report *report;
    struct jb_error err;
    must(jb_audit(ledger, NULL, &report, &err) == JB_OK, "the audit runs");
    for (uint32_t i = 0; i < report->problems_n; i++) {
        fprintf(stderr, "%s\n", report->problems[i]->text);
    }
    must(report->verdict == JB_VERIFIED, "the audit finds nothing");
    jb_audit_report_free(report);
}

/* The same with everything made again, while it is open: the runs are of another generation. */
static void
rebuilt(void)
{
    struct jb_error err;
    jb_ledger *l = open_ledger();
    submit(l, 1, 5, JB_DUPLICATE);
    struct jb_rebuild_result result = {.size = sizeof result};
    must(jb_rebuild(ledger, NULL, &result, &err) == JB_OK, "it is rebuilt");
    check(l);
    jb_close(l);
    remember_files();
    for (size_t i = 0; i < files_n; i++) {
        must(strncmp(files[i].name, "00000000", 8) != 0, "runs of the old generation have gone");
    }
    check_open();
    audited();
}

int
main(int argc, char **argv)
{
    size_t bytes = argc > 2 && strcmp(argv[1], "--bytes") == 0 ? strtoull(argv[2], NULL, 10) : 1009;
    jb_keys_limits = (struct jb_keys_limits){.table_keys = 50,
                                             .table_events = 100,
                                             .closing_keys = 1,
                                             .closing_events = 1,
                                             .pool_pages = 8};
    make_quick_scratch(root, "keys");
    snprintf(ledger, sizeof ledger, "%s/l", root);
    snprintf(state_dir, sizeof state_dir, "%s/state", ledger);
    make_ledger();
    check_open();
    audited();
    lost();
    audited();
    unsigned n = changed(bytes);
    audited();
    changed_while_open();
    audited();
    rebuilt();
    folded();
    audited();
    in_turn();
    audited();
    forget_files();
    remove_scratch(root);
    printf("%u faults: each of %u keys had its answer\n", n, used);
    return 0;
}
