/* audit. The ledger is read in a child process, which says each finding over a pipe; if damaged
 * pages end the child, the parent says so, and where.
 */
#include <jangbu/replay.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app.h"
#include "process.h"

static const char *
verdict_word(jb_audit_verdict v)
{
    return v == JB_VERIFIED  ? "verified"
           : v == JB_REFUTED ? "refuted"
           : v == JB_SKIPPED ? "skipped"
                             : "unknown";
}

#define PARTS 3
static const uint32_t parts[PARTS] = {JB_AUDIT_FORM, JB_AUDIT_SUMS, JB_AUDIT_RULES};

static jb_audit_verdict
verdict_of(const struct jb_audit_report *r, uint32_t part)
{
    return part == JB_AUDIT_FORM ? r->form : part == JB_AUDIT_SUMS ? r->sums : r->rules;
}

static void
audit_json(struct out *o, const struct jb_audit_report *r)
{
    js_open(o, NULL, '{');
    js_bool(o, "ok", r->verdict == JB_VERIFIED);
    js_str(o, "verdict", verdict_word(r->verdict));
    js_open(o, "parts", '{');
    for (int i = 0; i < PARTS; i++) {
        js_str(o, jb_audit_part_word(parts[i]), verdict_word(verdict_of(r, parts[i])));
    }
    js_close(o, '}');
    js_uint(o, "events", r->events);
    js_uint(o, "frames", r->frames);
    js_hex(o, "chain", r->chain, 16);
    js_uint(o, "verified_to", r->verified_to);
    js_uint(o, "problems_total", r->problems_total);
    js_open(o, "problems", '[');
    for (uint32_t i = 0; i < r->problems_n; i++) {
        const struct jb_audit_problem *p = r->problems[i];
        js_open(o, NULL, '{');
        js_str(o, "part", jb_audit_part_word(p->part));
        js_str(o, "check", p->check);
        js_uint(o, "seq", p->seq);
        js_uint(o, "frame", p->frame);
        js_uint(o, "offset", p->offset);
        js_sentence(o, "text", p->text);
        js_close(o, '}');
    }
    js_close(o, ']');
    js_open(o, "not_checked", '[');
    for (uint32_t i = 0; i < r->not_checked_n; i++) {
        js_str(o, NULL, r->not_checked[i]);
    }
    js_close(o, ']');
    js_uint(o, "notes_total", r->notes_total);
    js_open(o, "notes", '[');
    for (uint32_t i = 0; i < r->notes_n; i++) {
        js_str(o, NULL, r->notes[i]);
    }
    js_close(o, ']');
    js_close(o, '}');
    out_char(o, '\n');
}

/* "REFUTED: rules; verified: form, sums", as far as each stands there. */
static void
print_parts(struct app *app, const struct jb_audit_report *r)
{
    static const struct {
        jb_audit_verdict verdict;
        const char *word;
    } order[] = {{JB_REFUTED, SAID("REFUTED")},
                 {JB_COULD_NOT_TELL, SAID("could not tell")},
                 {JB_VERIFIED, SAID("verified")},
                 {JB_SKIPPED, SAID("skipped")}};
    const char *before = "";
    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
        const char *comma = NULL;
        for (int i = 0; i < PARTS; i++) {
            if (verdict_of(r, parts[i]) == order[k].verdict) {
                if (comma == NULL) {
                    out_str(&app->out, before);
                    out_str(&app->out, tr(order[k].word));
                    out_str(&app->out, ": ");
                    before = "; ";
                }
                out_str(&app->out, comma != NULL ? comma : "");
                out_str(&app->out, jb_audit_part_word(parts[i]));
                comma = ", ";
            }
        }
    }
    out_char(&app->out, '\n');
}

static void
print_problem(struct app *app, const struct jb_audit_problem *p)
{
    char where[120] = "";
    if (p->frame != 0) {
        snprintf(where, sizeof where, tr(" Frame %llu, byte %llu."), (unsigned long long)p->frame,
                 (unsigned long long)p->offset);
    }
    app_sentencef(app, "problem (%s, %s): %s.%s", jb_audit_part_word(p->part), p->check, p->text,
                  where);
}

static bool
found(const struct jb_audit_report *r, const char *check)
{
    for (uint32_t i = 0; i < r->problems_n; i++) {
        if (strcmp(r->problems[i]->check, check) == 0) {
            return true;
        }
    }
    return false;
}

/* What somebody does who reads of problems: the stores are made again, the log is not. */
static void
print_what_to_do(struct app *app, const struct jb_audit_report *r)
{
    const char *const dir = app->args[0];
    bool of_stores = r->problems_n > 0;
    for (uint32_t i = 0; i < r->problems_n; i++) {
        const char *check = r->problems[i]->check;
        of_stores &= strcmp(check, "state") == 0 || strcmp(check, "views") == 0;
    }
    if (found(r, "rollback")) {
        app_sentencef(
            app,
            "what to do: find the newer log, or restore a newer backup; if the older one is "
            "meant to be, `jangbu rebuild %s --accept-rollback`",
            dir);
    } else if (of_stores) {
        app_sentencef(app, "what to do: the log is sound; `jangbu rebuild %s` makes the rest again",
                      dir);
    } else {
        if (found(r, "file")) {
            app_sentencef(app,
                          "what to do first: it may be a store that is damaged. End all programs "
                          "that have %s open, move state.mdb, views.mdb and the directory state "
                          "away (they are made again), and audit once more",
                          dir);
        }
        app_sentencef(
            app,
            "what to do: write nothing more to %s, keep a copy of it, and restore a backup "
            "(`jangbu backup` made it) that `jangbu audit` finds sound",
            dir);
    }
}

static void
audit_print(struct app *app, const struct jb_audit_report *r)
{
    char chain[33];
    for (size_t i = 0; i < 16; i++) {
        snprintf(chain + 2 * i, 3, "%02x", r->chain[i]);
    }
    app_sentencef(app, "%llu events in %llu frames, chain %s", (unsigned long long)r->events,
                  (unsigned long long)r->frames, chain);
    for (uint32_t i = 0; i < r->problems_n; i++) {
        print_problem(app, r->problems[i]);
    }
    for (uint32_t i = 0; i < r->not_checked_n; i++) {
        app_sentencef(app, "not checked: %s", r->not_checked[i]);
    }
    if (r->not_checked_n > 0) {
        app_sentence(app, "what stands in no event only who sent the command can compare with what "
                          "he sent: `jangbu log LEDGER --json` has what each event says");
    }
    for (uint32_t i = 0; i < r->notes_n; i++) {
        app_sentencef(app, "note: %s", r->notes[i]);
    }
    if (r->notes_total > r->notes_n) {
        app_sentencef(app, "note: %llu more like these",
                      (unsigned long long)(r->notes_total - r->notes_n));
    }
    if (r->verdict == JB_REFUTED) {
        app_sentencef(app, "%llu problem(s); sound up to event %llu",
                      (unsigned long long)r->problems_total, (unsigned long long)r->verified_to);
    }
    print_parts(app, r);
    if (r->verdict == JB_REFUTED) {
        print_what_to_do(app, r);
    }
}

/* ---- the two processes ---- */

/* What the child says over the pipe: one machine, one build, so they are structs as they lie in
 * memory. */
enum message_kind {
    MESSAGE_PROBLEM = 1,
    MESSAGE_NOT_CHECKED = 2,
    MESSAGE_PROGRESS = 3,
    MESSAGE_END = 4,
    MESSAGE_NOTE = 5
};
struct message {
    uint32_t kind;
    int32_t status;                /* of the end */
    uint32_t part;                 /* of a problem */
    uint64_t seq, frame, offset;   /* of progress: done, all */
    struct jb_audit_report report; /* of the end, without its lists */
    struct jb_error err;           /* of the end, where the status is not JB_OK */
    char check[16];
    char text[1300];
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
    struct message m = {.kind = MESSAGE_PROBLEM,
                        .part = p->part,
                        .seq = p->seq,
                        .frame = p->frame,
                        .offset = p->offset};
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
child_main(const char *dir, const char *key_file, uint32_t only, FILE *pipe_end)
{
    struct jb_audit_options o = {.size = sizeof o,
                                 .on_progress = say_progress,
                                 .found = say_problem,
                                 .data = pipe_end,
                                 .only = only,
                                 .lang = lang_now(),
                                 .key_file = key_file};
    struct jb_audit_report *r = NULL;
    struct message end = {.kind = MESSAGE_END};
    end.status = jb_audit(dir, &o, &r, &end.err);
    for (uint32_t i = 0; end.status == JB_OK && i < r->not_checked_n; i++) {
        struct message m = {.kind = MESSAGE_NOT_CHECKED};
        say(pipe_end, &m, r->not_checked[i]);
    }
    for (uint32_t i = 0; end.status == JB_OK && i < r->notes_n; i++) {
        struct message m = {.kind = MESSAGE_NOTE};
        say(pipe_end, &m, r->notes[i]);
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
#define SENTENCES_KEPT 200
struct sentences {
    const char *at[SENTENCES_KEPT];
    struct message texts[SENTENCES_KEPT];
    uint32_t n;
};
struct collected {
    struct jb_audit_report r;
    struct jb_audit_problem problems[PROBLEMS_KEPT];
    const struct jb_audit_problem *problem_at[PROBLEMS_KEPT];
    struct message *problem_texts; /* what the problems point into */
    struct sentences not_checked, notes;
    struct message end;
    uint64_t frames_read;
    uint32_t only;
    const char *key_file;
};

static void
keep_problem(struct collected *c, const struct message *m)
{
    c->r.problems_total++;
    if (c->r.problems_n < PROBLEMS_KEPT) {
        struct message *copy = &c->problem_texts[c->r.problems_n];
        *copy = *m;
        struct jb_audit_problem *p = &c->problems[c->r.problems_n];
        *p = (struct jb_audit_problem){copy->check, m->seq,     m->frame,
                                       m->offset,   copy->text, m->part};
        c->problem_at[c->r.problems_n++] = p;
    }
}

static void
keep_sentence(struct sentences *s, const struct message *m)
{
    if (s->n < SENTENCES_KEPT) {
        s->texts[s->n] = *m;
        s->at[s->n] = s->texts[s->n].text;
        s->n++;
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
            keep_sentence(&c->not_checked, &m);
            break;
        case MESSAGE_NOTE:
            keep_sentence(&c->notes, &m);
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

/* What ends a process that reads damaged pages: LMDB's assertions, pages that are not there, wild
 * pointers. Anything else (an operator, the kernel short of memory) says nothing about the ledger.
 */
static bool
ended_by_damage(int wait_status)
{
    int number = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
    return number == SIGABRT || number == SIGBUS || number == SIGSEGV || number == SIGFPE ||
           number == SIGILL;
}

static jb_audit_verdict
at_death(const struct collected *c, uint32_t part, bool damage)
{
    if ((c->only & part) == 0) {
        return JB_SKIPPED;
    }
    bool refuted = damage && part == JB_AUDIT_FORM;
    for (uint32_t i = 0; i < c->r.problems_n; i++) {
        refuted |= c->problems[i].part == part;
    }
    return refuted ? JB_REFUTED : JB_COULD_NOT_TELL;
}

static void
note_death(struct collected *c, int wait_status)
{
    bool damage = ended_by_damage(wait_status);
    struct message m = {.kind = MESSAGE_PROBLEM, .part = JB_AUDIT_FORM, .check = "file"};
    snprintf(m.text, sizeof m.text,
             tr("the process that read the ledger was ended by %s %d at about frame %llu of the "
                "log%s. What was found before stands; what lies behind was not read%s"),
             WIFSIGNALED(wait_status) ? tr("signal") : tr("its exit code"),
             WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status),
             (unsigned long long)c->frames_read,
             damage ? tr(": a file of LMDB is damaged there") : "",
             damage ? tr(". Restore a backup")
                    : tr("; that is no fault of the ledger's. Audit it again"));
    if (damage) {
        c->only |= JB_AUDIT_FORM;
        keep_problem(c, &m);
    } else {
        keep_sentence(&c->not_checked, &m);
    }
    c->r.form = at_death(c, JB_AUDIT_FORM, damage);
    c->r.sums = at_death(c, JB_AUDIT_SUMS, damage);
    c->r.rules = at_death(c, JB_AUDIT_RULES, damage);
    c->r.verdict = c->r.problems_n > 0 ? JB_REFUTED : JB_COULD_NOT_TELL;
}

static bool
failed(struct app *app, const char *what, int code)
{
    app->err = (struct jb_error){.status = JB_E_IO, .os_errno = code};
    snprintf(app->err.text, sizeof app->err.text, "%s: %s", tr(what), system_words(code));
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
        process_dies_of_damage();
        fclose(from_child);
        child_main(dir, c->key_file, c->only, to_parent);
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
    uint32_t problems = c->r.problems_n;
    c->r = c->end.report;
    c->r.problems_n = problems;
    return true;
}

/* "form,sums": the parts, added up. False: said on standard error. */
static bool
read_parts(const struct app *app, const char *text, uint32_t *ret)
{
    *ret = text == NULL ? (uint32_t)JB_AUDIT_ALL : 0;
    while (text != NULL) {
        size_t n = strcspn(text, ",");
        uint32_t part = 0;
        for (int i = 0; i < PARTS; i++) {
            const char *word = jb_audit_part_word(parts[i]);
            part =
                strlen(word) == n && strncmp(word, text, n) == 0 ? parts[i] & JB_AUDIT_ALL : part;
        }
        if (part == 0) {
            app_usage(app, "--only takes form, sums and rules, with commas between them, not %s",
                      text);
            return false;
        }
        *ret |= part;
        text = text[n] == ',' ? text + n + 1 : NULL;
    }
    return true;
}

static int
print_report(struct app *app, struct collected *c)
{
    c->r.problems = c->problem_at;
    c->r.not_checked = c->not_checked.at;
    c->r.not_checked_n = c->not_checked.n;
    c->r.notes = c->notes.at;
    c->r.notes_n = c->notes.n;
    if (app->json) {
        audit_json(&app->out, &c->r);
    } else {
        audit_print(app, &c->r);
    }
    return c->r.verdict == JB_VERIFIED  ? EXIT_DONE
           : c->r.verdict == JB_REFUTED ? EXIT_REFUSED
                                        : EXIT_MACHINE;
}

int
cmd_audit(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX];
    const char *only = NULL;
    const struct option_row options[] = {{"only", NULL, &only}, {0}};
    int n;
    uint32_t asked;
    struct progress p;
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 1) {
        return app_usage(app, "jangbu audit takes one ledger");
    }
    if (!read_parts(app, only, &asked)) {
        return EXIT_USAGE;
    }
    struct collected *c = calloc(1, sizeof *c);
    if (c == NULL || (c->problem_texts = calloc(PROBLEMS_KEPT, sizeof *c->problem_texts)) == NULL) {
        free(c);
        failed(app, "no memory for an audit", ENOMEM);
        app_fail(app, &app->err);
        return EXIT_MACHINE;
    }
    c->only = asked;
    c->key_file = app->key_file;
    progress_begin(&p, "audit");
    bool ok = audit_apart(app, args[0], &p, c);
    progress_end(&p);
    int code = EXIT_MACHINE;
    if (ok) {
        code = print_report(app, c);
    } else {
        app_fail(app, &app->err);
    }
    free(c->problem_texts);
    free(c);
    return code;
}
