/* What an audit found, kept for its report and told to its caller as it is found. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/audit.h"

#define PROBLEMS_KEPT 1000
#define TEXT_BYTES 500
#define PROGRESS_EVERY 64

static void
keep_problem(struct jb_findings *f, const struct jb_audit_problem *problem)
{
    char *check = strdup(problem->check), *text = strdup(problem->text);
    if (check == NULL || text == NULL || !jb_vec_reserve(&f->kept, f->kept.n + 1)) {
        free(check);
        free(text);
        f->no_memory = true;
        return;
    }
    f->kept.at[f->kept.n++] =
        (struct jb_audit_problem){check, problem->seq, problem->frame, problem->offset, text};
}

void
jb_found(struct jb_findings *f, const char *check, jb_seq seq, uint64_t frame, uint64_t offset,
         const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct jb_audit_problem problem = {check, seq, frame, offset, text};
    f->problems++;
    if (f->kept.n < PROBLEMS_KEPT) {
        keep_problem(f, &problem);
    }
    if (f->to.found != NULL) {
        f->to.found(f->to.data, &problem);
    }
}

void
jb_not_checked(struct jb_findings *f, bool undecided, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    f->undecided |= undecided;
    char *copy = strdup(text);
    if (copy == NULL || !jb_vec_reserve(&f->not_checked, f->not_checked.n + 1)) {
        free(copy);
        f->no_memory = true;
        return;
    }
    f->not_checked.at[f->not_checked.n++] = copy;
}

void
jb_audit_progress(struct jb_findings *f, uint64_t done, uint64_t all)
{
    if (done % PROGRESS_EVERY == 0 && f->to.on_progress != NULL) {
        f->to.on_progress(f->to.data, done, all);
    }
}

void
jb_findings_free(struct jb_findings *f)
{
    for (size_t i = 0; i < f->kept.n; i++) {
        free((void *)(uintptr_t)f->kept.at[i].check);
        free((void *)(uintptr_t)f->kept.at[i].text);
    }
    for (size_t i = 0; i < f->not_checked.n; i++) {
        free((void *)(uintptr_t)f->not_checked.at[i]);
    }
    jb_vec_free(&f->kept);
    jb_vec_free(&f->not_checked);
}
