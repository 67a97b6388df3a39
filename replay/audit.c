/*
 * The audit's two processes. The child reads the ledger and reports each finding over a pipe; the parent collects them. If damaged pages
 * kill the child, the parent says so, and which frame was being read.
 */
#include "replay/message.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/env.h"
#include "log/head.h"
#include "projections/views.h"

#define PROBLEMS_KEPT 1000

/* ---- the child -------------------------------------------------------------------------------------------------------------------- */

struct child {
    const char *dir;
    struct jb_findings f;
    struct jb_log *log;
    struct jb_store *store;
    struct jb_store_txn snap;
    bool has_state;
    struct jb_head_file head;
    bool has_head;
};

static void
compare_state(void *data, struct jb_book *b)
{
    struct child *c = data;
    jb_check_state(b, &c->snap, &c->f);
    c->has_state = false;
}

/* A store that says something else than the log is a problem; one that could not be read for want of memory or a disk's mood is not known to be one.
 */
static void
not_opened(struct child *c, const char *check, const struct jb_error *err)
{
    switch (err->status) {
    case JB_E_FORMAT:
    case JB_E_CORRUPT:
    case JB_E_STALE:
    case JB_E_ROLLBACK:
        jb_found(&c->f, check, 0, 0, 0, "%s", err->text);
        break;
    default:
        jb_not_checked(&c->f, true, "%s.mdb: %s", check, err->text);
    }
}

/* state.mdb may lag behind the log; what it says it includes is what it is compared with. */
static void
open_state(struct child *c, const uint8_t ledger_id[16])
{
    struct jb_error err = {0};
    bool remade;
    jb_status status = jb_store_open(c->dir, &jb_state_schema, ledger_id, true, &c->store, &remade, &err);
    if (status == JB_OK) {
        status = jb_store_read(c->store, &c->snap, &err);
    }
    if (status == JB_OK) {
        c->has_state = c->snap.meta.seq > 0;
    } else if (status == JB_E_NOTFOUND) {
        jb_not_checked(&c->f, false, "state.mdb: it is not there; it is made again when it is needed");
    } else {
        not_opened(c, "state", &err);
    }
}

/* Before the log: a ledger in use goes on meanwhile, and HEAD is written behind each commit. Read later it would name events that the audit's
 * snapshot of the log does not have. */
static void
read_head(struct child *c)
{
    int fd = jb_head_open(c->dir, true);
    c->has_head = jb_head_read(fd, &c->head);
    if (fd >= 0) {
        close(fd);
    }
}

static void
check_head(struct child *c, const uint8_t ledger_id[16], const struct jb_scan_result *r)
{
    if (!c->has_head || memcmp(c->head.ledger_id, ledger_id, 16) != 0) {
        return;
    }
    struct jb_log_reader *reader;
    struct jb_error ignored;
    uint8_t chain[JB_CHAIN_BYTES];
    jb_status status = jb_log_reader_open(c->log, &reader, &ignored);
    if (status == JB_OK) {
        status = jb_log_reader_chain(reader, c->head.seq, chain, &ignored);
        jb_log_reader_close(reader);
    }
    if (status == JB_E_NOTFOUND || (status == JB_OK && memcmp(chain, c->head.chain, JB_CHAIN_BYTES) != 0)) {
        jb_found(
            &c->f, "rollback", r->events, 0, 0,
            "HEAD says that a commit ended with event %llu, and the log, which ends at %llu, has no such commit: the log was put back to an older "
            "state",
            (unsigned long long)c->head.seq, (unsigned long long)r->events);
    }
}

static void
check_secret(struct child *c)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/secret", c->dir);
    if (access(path, R_OK) != 0) {
        jb_not_checked(&c->f, true, "whether a repeated key had the same content: the file `secret` is missing");
    }
}

static void
view_differs(void *data, const char *text)
{
    struct child *c = data;
    jb_found(&c->f, "views", 0, 0, 0, "%s", text);
}

/* Only where the log itself is sound: views of a log that contradicts itself prove nothing. */
static void
check_views(struct child *c)
{
    struct jb_open_options o = {.size = sizeof o, .read_only = true, .accept_rollback = true};
    struct jb_ledger *l;
    struct jb_error err = {0};
    jb_status status = jb_open(c->dir, &o, &l, &err);
    if (status == JB_OK) {
        status = jb_views_compare(l, view_differs, c, &err);
        jb_close(l);
    }
    if (status == JB_E_NOTFOUND) {
        jb_not_checked(&c->f, false, "views.mdb: it is not there; it is made again when it is needed");
    } else if (status != JB_OK) {
        not_opened(c, "views", &err);
    }
}

static jb_status
audit_in_child(struct child *c, struct jb_scan_result *r, struct jb_error *err)
{
    read_head(c);
    jb_status status = jb_log_open(c->dir, true, false, 0, &c->log, err);
    if (status == JB_E_CORRUPT) {
        jb_found(&c->f, "file", 0, 0, 0, "%s", err->text);
        return JB_OK;
    }
    if (status != JB_OK) {
        return status;
    }
    struct jb_log_identity identity;
    struct jb_error ignored;
    bool known = jb_log_identity(c->log, &identity, &ignored) == JB_OK;
    if (known) {
        open_state(c, identity.ledger_id);
    }
    status = jb_scan_log(c->log, &c->f, c->has_state ? c->snap.meta.seq : 0, compare_state, c, r, err);
    if (status != JB_OK) {
        return status;
    }
    if (c->has_state && c->f.problems == 0) {
        jb_found(&c->f, "rollback", c->snap.meta.seq, 0, 0,
                 "state.mdb includes event %llu, but the log has no commit that ends there (it ends at %llu)", (unsigned long long)c->snap.meta.seq,
                 (unsigned long long)r->events);
    }
    if (c->store != NULL) {
        jb_store_end(&c->snap);
        c->store = jb_store_close(c->store);
    }
    if (known) {
        check_head(c, identity.ledger_id, r);
    }
    check_secret(c);
    if (r->verified_to == r->events && r->events > 0) {
        check_views(c);
    } else {
        jb_not_checked(&c->f, false, "views.mdb: the log itself is not sound");
    }
    jb_log_close(c->log);
    return JB_OK;
}

static const char *const never_checked[] = {
    "personal texts in people.mdb: no figure depends on them",
    "forgery: XXH3 finds accidents; who can write the file can compute new chain values",
    "actors' roles: this ledger does not enforce any",
};

_Noreturn static void
child_main(const char *dir, int fd)
{
    struct child c = {.dir = dir, .f = {.fd = fd}};
    struct message end = {.kind = MESSAGE_END};
    struct jb_error err = {0};
    end.status = audit_in_child(&c, &end.result, &err);
    for (size_t i = 0; i < sizeof never_checked / sizeof never_checked[0]; i++) {
        jb_not_checked(&c.f, false, "%s", never_checked[i]);
    }
    snprintf(end.text, sizeof end.text, "%s", err.text);
    jb_message_send(fd, &end);
    _exit(0);
}

/* ---- the parent ------------------------------------------------------------------------------------------------------------------- */

struct collected {
    struct jb_audit_report r;
    struct jb_audit_problem *problems;
    const char **not_checked;
    bool undecided;
    bool ended;
    uint64_t frame_read;
    int32_t status;
    char text[500];
};

static bool
keep_problem(struct collected *c, const struct message *m)
{
    c->r.problems_total++;
    if (c->r.problems_n == PROBLEMS_KEPT) {
        return true;
    }
    char *check = strdup(m->check), *text = strdup(m->text);
    if (check == NULL || text == NULL) {
        free(check);
        free(text);
        return false;
    }
    c->problems[c->r.problems_n++] = (struct jb_audit_problem){check, m->seq, m->frame, m->offset, text};
    return true;
}

static bool
keep_not_checked(struct collected *c, const struct message *m)
{
    c->undecided |= m->undecided != 0;
    if (c->r.not_checked_n == 32) {
        return true;
    }
    char *text = strdup(m->text);
    if (text != NULL) {
        c->not_checked[c->r.not_checked_n++] = text;
    }
    return text != NULL;
}

static bool
collect(struct collected *c, int fd, jb_progress progress, void *data)
{
    struct message m;
    bool ok = true;
    while (ok && !c->ended && jb_message_receive(fd, &m)) {
        switch ((enum message_kind)m.kind) {
        case MESSAGE_PROBLEM:
            ok = keep_problem(c, &m);
            break;
        case MESSAGE_NOT_CHECKED:
            ok = keep_not_checked(c, &m);
            break;
        case MESSAGE_PROGRESS:
            c->frame_read = m.seq;
            if (progress != NULL) {
                progress(data, m.seq, m.frame);
            }
            break;
        case MESSAGE_END:
            c->r.events = m.result.events;
            c->r.frames = m.result.frames;
            c->r.verified_to = m.result.verified_to;
            memcpy(c->r.chain, m.result.chain, 16);
            c->status = m.status;
            memcpy(c->text, m.text, sizeof c->text);
            c->ended = true;
            break;
        }
    }
    return ok;
}

static bool
note_death(struct collected *c, int wait_status)
{
    struct message m = {.kind = MESSAGE_PROBLEM, .check = "file"};
    snprintf(m.text, sizeof m.text,
             "the process that read the ledger was ended by signal %d at about frame %llu of the log: a file of LMDB is damaged there. What was "
             "found before "
             "stands; what lies behind was not read. Restore a backup",
             WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0, (unsigned long long)c->frame_read);
    return keep_problem(c, &m);
}

static jb_status
run(const char *dir, jb_progress progress, void *data, struct collected *c, struct jb_error *err)
{
    int fds[2];
    if (pipe(fds) != 0) {
        return jb_fail_errno(err, JB_E_IO, errno, "cannot make a pipe");
    }
    pid_t pid = fork();
    if (pid < 0) {
        int code = errno;
        close(fds[0]);
        close(fds[1]);
        return jb_fail_errno(err, JB_E_NOMEM, code, "cannot start a process");
    }
    if (pid == 0) {
        close(fds[0]);
        child_main(dir, fds[1]);
    }
    close(fds[1]);
    bool ok = collect(c, fds[0], progress, data);
    close(fds[0]);
    int wait_status = 0;
    while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR) {
    }
    if (ok && !c->ended) {
        ok = note_death(c, wait_status);
    }
    if (!ok) {
        return jb_fail(err, JB_E_NOMEM, "no memory for the findings of an audit");
    }
    return c->status == JB_OK ? JB_OK : jb_fail(err, (jb_status)c->status, "%s", c->text);
}

struct jb_audit_report *
jb_audit_report_free(struct jb_audit_report *r)
{
    struct collected *c = (struct collected *)r;
    if (c != NULL) {
        for (uint32_t i = 0; i < c->r.problems_n; i++) {
            free((void *)(uintptr_t)c->problems[i].check);
            free((void *)(uintptr_t)c->problems[i].text);
        }
        for (uint32_t i = 0; i < c->r.not_checked_n; i++) {
            free((void *)(uintptr_t)c->not_checked[i]);
        }
        free(c->problems);
        free((void *)c->not_checked);
        free(c);
    }
    return NULL;
}

jb_status
jb_audit(const char *dir, jb_progress progress, void *data, struct jb_audit_report **ret, struct jb_error *err)
{
    struct collected *c = calloc(1, sizeof *c);
    if (c != NULL) {
        c->problems = calloc(PROBLEMS_KEPT, sizeof *c->problems);
        c->not_checked = calloc(32, sizeof *c->not_checked);
    }
    if (c == NULL || c->problems == NULL || c->not_checked == NULL) {
        jb_audit_report_free((struct jb_audit_report *)c);
        return jb_fail(err, JB_E_NOMEM, "no memory for an audit");
    }
    c->r.size = sizeof c->r;
    jb_status status = run(dir, progress, data, c, err);
    if (status != JB_OK) {
        jb_audit_report_free(&c->r);
        return status;
    }
    c->r.problems = c->problems;
    c->r.not_checked = c->not_checked;
    c->r.verdict = c->r.problems_total > 0 ? JB_REFUTED : c->undecided ? JB_COULD_NOT_TELL : JB_VERIFIED;
    *ret = &c->r;
    return JB_OK;
}
