/* What an audit found, kept for its report and told to its caller as it is found. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "replay/audit.h"

#define PROBLEMS_KEPT 1000
#define TEXT_BYTES 1200
#define SENTENCES_KEPT 200
#define PROGRESS_EVERY 64

static void
free_problem(struct jb_audit_problem *p)
{
    if (p != NULL) {
        free((void *)(uintptr_t)p->check);
        free((void *)(uintptr_t)p->text);
        free(p);
    }
}

static void
keep_problem(struct jb_findings *f, const struct jb_audit_problem *problem)
{
    struct jb_audit_problem *p = malloc(sizeof *p);
    if (p != NULL) {
        *p = *problem;
        p->check = strdup(problem->check);
        p->text = strdup(problem->text);
    }
    if (p == NULL || p->check == NULL || p->text == NULL ||
        !jb_vec_reserve(&f->kept, f->kept.n + 1)) {
        free_problem(p);
        f->no_memory = true;
        return;
    }
    f->kept.at[f->kept.n++] = p;
}

void
jb_found(struct jb_findings *f, const char *check, jb_seq seq, uint64_t frame, uint64_t offset,
         const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, jb_tr(format), args);
    va_end(args);
    if (f->catch_up != NULL) {
        f->catch_up(f->catch_up_data);
    }
    if ((f->to.only & f->part) == 0) {
        jb_not_checked(f, f->to.only, "%s", text);
        return;
    }
    struct jb_audit_problem problem = {check, seq, frame, offset, text, f->part};
    f->problems++;
    f->refuted |= f->part;
    if (f->part == JB_AUDIT_RULES && (f->first_refuted == 0 || seq < f->first_refuted)) {
        f->first_refuted = seq;
    }
    if (f->kept.n < PROBLEMS_KEPT) {
        keep_problem(f, &problem);
    }
    if (f->to.found != NULL) {
        f->to.found(f->to.data, &problem);
    }
}

#define KEEP_SENTENCE(f, list, text)                                                               \
    do {                                                                                           \
        char *copy = (f)->list.n < SENTENCES_KEPT ? strdup(text) : NULL;                           \
        if (copy != NULL && jb_vec_reserve(&(f)->list, (f)->list.n + 1)) {                         \
            (f)->list.at[(f)->list.n++] = copy;                                                    \
        } else if ((f)->list.n < SENTENCES_KEPT) {                                                 \
            free(copy);                                                                            \
            (f)->no_memory = true;                                                                 \
        }                                                                                          \
    } while (0)

void
jb_not_checked(struct jb_findings *f, uint32_t unknown, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, jb_tr(format), args);
    va_end(args);
    f->unknown |= unknown;
    KEEP_SENTENCE(f, not_checked, text);
}

void
jb_note(struct jb_findings *f, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, jb_tr(format), args);
    va_end(args);
    f->notes_total++;
    KEEP_SENTENCE(f, notes, text);
}

const char *
jb_audit_part_word(uint32_t part)
{
    return part == JB_AUDIT_FORM    ? "form"
           : part == JB_AUDIT_SUMS  ? "sums"
           : part == JB_AUDIT_RULES ? "rules"
                                    : NULL;
}

jb_audit_verdict
jb_part_verdict(const struct jb_findings *f, uint32_t part)
{
    return (f->to.only & part) == 0   ? JB_SKIPPED
           : (f->refuted & part) != 0 ? JB_REFUTED
           : (f->unknown & part) != 0 ? JB_COULD_NOT_TELL
                                      : JB_VERIFIED;
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
        free_problem(f->kept.at[i]);
    }
    for (size_t i = 0; i < f->not_checked.n; i++) {
        free((void *)(uintptr_t)f->not_checked.at[i]);
    }
    for (size_t i = 0; i < f->notes.n; i++) {
        free((void *)(uintptr_t)f->notes.at[i]);
    }
    jb_vec_free(&f->kept);
    jb_vec_free(&f->not_checked);
    jb_vec_free(&f->notes);
}
