/* audit. The ledger is read in a child process, which says each finding over a pipe; if damaged
 * pages end the child, the parent says so, and where.
 */
#include <jangbu/replay.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app.h"

static const char *
verdict_word(jb_audit_verdict v)
{
    return v == JB_VERIFIED ? "verified" : v == JB_REFUTED ? "refuted" : "unknown";
}

static void
audit_json(struct out *o, const struct jb_audit_report *r)
{
    js_open(o, NULL, '{');
    js_bool(o, "ok", r->verdict == JB_VERIFIED);
    js_str(o, "verdict", verdict_word(r->verdict));
    js_uint(o, "events", r->events);
    js_uint(o, "frames", r->frames);
    js_hex(o, "chain", r->chain, 16);
    js_uint(o, "verified_to", r->verified_to);
    js_uint(o, "problems_total", r->problems_total);
    js_open(o, "problems", '[');
    for (uint32_t i = 0; i < r->problems_n; i++) {
        js_open(o, NULL, '{');
        js_str(o, "check", r->problems[i].check);
        js_uint(o, "seq", r->problems[i].seq);
        js_uint(o, "frame", r->problems[i].frame);
        js_uint(o, "offset", r->problems[i].offset);
        js_str(o, "text", r->problems[i].text);
        js_close(o, '}');
    }
    js_close(o, ']');
    js_open(o, "not_checked", '[');
    for (uint32_t i = 0; i < r->not_checked_n; i++) {
        js_str(o, NULL, r->not_checked[i]);
    }
    js_close(o, ']');
    js_close(o, '}');
    out_char(o, '\n');
}

static void
audit_print(const struct jb_audit_report *r)
{
    printf("%llu events in %llu frames, chain ", (unsigned long long)r->events,
           (unsigned long long)r->frames);
    for (int i = 0; i < 16; i++) {
        printf("%02x", r->chain[i]);
    }
    printf("\n");
    for (uint32_t i = 0; i < r->problems_n; i++) {
        printf("problem (%s): %s.", r->problems[i].check, r->problems[i].text);
        if (r->problems[i].frame != 0) {
            printf(" Frame %llu, byte %llu.", (unsigned long long)r->problems[i].frame,
                   (unsigned long long)r->problems[i].offset);
        }
        printf("\n");
    }
    for (uint32_t i = 0; i < r->not_checked_n; i++) {
        printf("not checked: %s\n", r->not_checked[i]);
    }
    if (r->verdict == JB_VERIFIED) {
        printf("audit: ok\n");
    } else if (r->verdict == JB_REFUTED) {
        printf("audit: REFUTED, %llu problem(s); sound up to event %llu\n",
               (unsigned long long)r->problems_total, (unsigned long long)r->verified_to);
    } else {
        printf("audit: could not tell (nothing wrong was found, but something could not be "
               "checked)\n");
    }
}

/* ---- the two processes ---- */

/* What the child says over the pipe: one machine, one build, so they are structs as they lie in
 * memory. */
enum message_kind {
    MESSAGE_PROBLEM = 1,
    MESSAGE_NOT_CHECKED = 2,
    MESSAGE_PROGRESS = 3,
    MESSAGE_END = 4
};
struct message {
    uint32_t kind;
    int32_t status;                /* of the end */
    uint64_t seq, frame, offset;   /* of progress: done, all */
    struct jb_audit_report report; /* of the end, without its lists */
    struct jb_error err;           /* of the end, where the status is not JB_OK */
    char check[16];
    char text[500];
};

static void
say(FILE *pipe_end, struct message *m, const char *text)
{
    snprintf(m->text, sizeof m->text, "%s", text);
    if (fwrite(m, sizeof *m, 1, pipe_end) != 1 || fflush(pipe_end) != 0) {
        _exit(EXIT_MACHINE); /* the parent has ended: nobody listens any more */
    }
}

static void
say_problem(void *data, const struct jb_audit_problem *p)
{
    struct message m = {
        .kind = MESSAGE_PROBLEM, .seq = p->seq, .frame = p->frame, .offset = p->offset};
    snprintf(m.check, sizeof m.check, "%s", p->check);
    say(data, &m, p->text);
}

static void
say_progress(void *data, uint64_t done, uint64_t all)
{
    struct message m = {.kind = MESSAGE_PROGRESS, .seq = done, .frame = all};
    say(data, &m, "");
}

_Noreturn static void
child_main(const char *dir, FILE *pipe_end)
{
    struct jb_audit_options o = {
        .size = sizeof o, .on_progress = say_progress, .found = say_problem, .data = pipe_end};
    struct jb_audit_report *r = NULL;
    struct message end = {.kind = MESSAGE_END};
    end.status = jb_audit(dir, &o, &r, &end.err);
    for (uint32_t i = 0; end.status == JB_OK && i < r->not_checked_n; i++) {
        struct message m = {.kind = MESSAGE_NOT_CHECKED};
        say(pipe_end, &m, r->not_checked[i]);
    }
    if (end.status == JB_OK) {
        end.report = *r;
    }
    say(pipe_end, &end, "");
    jb_audit_report_free(r);
    _exit(EXIT_DONE);
}

/* What came over the pipe. */
#define PROBLEMS_KEPT 1000
#define NOT_CHECKED_KEPT 32
struct collected {
    struct jb_audit_report r;
    struct jb_audit_problem problems[PROBLEMS_KEPT];
    struct message *problem_texts; /* what the problems point into */
    const char *not_checked[NOT_CHECKED_KEPT];
    struct message not_checked_texts[NOT_CHECKED_KEPT];
    struct message end;
    uint64_t frames_read;
};

static void
keep_problem(struct collected *c, const struct message *m)
{
    c->r.problems_total++;
    if (c->r.problems_n < PROBLEMS_KEPT) {
        struct message *copy = &c->problem_texts[c->r.problems_n];
        *copy = *m;
        c->problems[c->r.problems_n++] =
            (struct jb_audit_problem){copy->check, m->seq, m->frame, m->offset, copy->text};
    }
}

static void
collect(struct collected *c, FILE *pipe_end, struct progress *progress)
{
    struct message m;
    while (c->end.kind == 0 && fread(&m, sizeof m, 1, pipe_end) == 1) {
        switch ((enum message_kind)m.kind) {
        case MESSAGE_PROBLEM:
            keep_problem(c, &m);
            break;
        case MESSAGE_NOT_CHECKED:
            if (c->r.not_checked_n < NOT_CHECKED_KEPT) {
                struct message *copy = &c->not_checked_texts[c->r.not_checked_n];
                *copy = m;
                c->not_checked[c->r.not_checked_n++] = copy->text;
            }
            break;
        case MESSAGE_PROGRESS:
            c->frames_read = m.seq;
            progress_show(progress, m.seq, m.frame);
            break;
        case MESSAGE_END:
            c->end = m;
            break;
        }
    }
}

static void
note_death(struct collected *c, int wait_status)
{
    struct message m = {.kind = MESSAGE_PROBLEM, .check = "file"};
    snprintf(m.text, sizeof m.text,
             "the process that read the ledger was ended by signal %d at about frame %llu of the "
             "log: a file of LMDB is damaged there. What was "
             "found before stands; what lies behind was not read. Restore a backup",
             WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0,
             (unsigned long long)c->frames_read);
    keep_problem(c, &m);
    c->r.verdict = JB_REFUTED;
}

static bool
failed(struct app *app, const char *what, int code)
{
    app->err = (struct jb_error){.status = JB_E_IO, .os_errno = code};
    snprintf(app->err.text, sizeof app->err.text, "%s: %s", what, strerror(code));
    return false;
}

/* Audits dir in a process of its own, because LMDB takes the process that reads some damaged pages
 * with it. False: app->err has it. */
static bool
audit_apart(struct app *app, const char *dir, struct progress *progress, struct collected *c)
{
    int fds[2];
    fflush(stdout);
    if (pipe(fds) != 0) {
        return failed(app, "cannot make a pipe", errno);
    }
    FILE *from_child = fdopen(fds[0], "r"), *to_parent = fdopen(fds[1], "w");
    pid_t pid = from_child != NULL && to_parent != NULL ? fork() : -1;
    if (pid == 0) {
        fclose(from_child);
        child_main(dir, to_parent);
    }
    int code = errno;
    if (to_parent != NULL) {
        fclose(to_parent);
    }
    if (pid > 0) {
        collect(c, from_child, progress);
    }
    if (from_child != NULL) {
        fclose(from_child);
    }
    if (pid < 0) {
        return failed(app, "cannot start a process", code);
    }
    int wait_status = 0;
    while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR) {
    }
    if (c->end.kind == 0) {
        note_death(c, wait_status);
        return true;
    }
    if (c->end.status != JB_OK) {
        app->err = c->end.err;
        return false;
    }
    uint32_t problems = c->r.problems_n, not_checked = c->r.not_checked_n;
    c->r = c->end.report;
    c->r.problems_n = problems;
    c->r.not_checked_n = not_checked;
    return true;
}

int
cmd_audit(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX];
    int n;
    struct progress p;
    if (!read_options(app, argc, argv, NULL, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 1) {
        return app_usage(app, "jangbu audit takes one ledger");
    }
    struct collected *c = calloc(1, sizeof *c);
    if (c == NULL || (c->problem_texts = calloc(PROBLEMS_KEPT, sizeof *c->problem_texts)) == NULL) {
        free(c);
        failed(app, "no memory for an audit", ENOMEM);
        app_fail(app, &app->err);
        return EXIT_MACHINE;
    }
    progress_begin(&p, "audit");
    bool ok = audit_apart(app, args[0], &p, c);
    progress_end(&p);
    int code = EXIT_MACHINE;
    if (!ok) {
        app_fail(app, &app->err);
    } else {
        c->r.problems = c->problems;
        c->r.not_checked = c->not_checked;
        code = c->r.verdict == JB_VERIFIED  ? EXIT_DONE
               : c->r.verdict == JB_REFUTED ? EXIT_REFUSED
                                            : EXIT_MACHINE;
        if (app->json) {
            audit_json(&app->out, &c->r);
        } else {
            audit_print(&c->r);
        }
    }
    free(c->problem_texts);
    free(c);
    return code;
}
