/*
 * Whether an audit that looks at usual events in a fraction of the time (replay/usual.c) says of
 * each ledger, to the word, what one says that looks at every event in full: both DIR ... says
 * where they differ.
 */
#include <jangbu/replay.h>

#include <stdio.h>
#include <string.h>

#include "../check.h"
#include "replay/audit.h"

static struct jb_audit_report *
audit(const char *dir, bool in_full)
{
    struct jb_audit_report *r;
    struct jb_error err;
    jb_audit_limits.in_full = in_full;
    must(jb_audit(dir, NULL, &r, &err) == JB_OK, err.text);
    return r;
}

static void
same_texts(const char *dir, const char *const *a, uint32_t a_n, const char *const *b, uint32_t b_n)
{
    must(a_n == b_n, dir);
    for (uint32_t i = 0; i < a_n; i++) {
        if (strcmp(a[i], b[i]) != 0) {
            fprintf(stderr, "%s: \"%s\", and in full \"%s\"\n", dir, a[i], b[i]);
            must(false, dir);
        }
    }
}

static void
same(const char *dir, const struct jb_audit_report *a, const struct jb_audit_report *b)
{
    for (uint32_t i = 0; i < a->problems_n && i < b->problems_n; i++) {
        const struct jb_audit_problem *p = a->problems[i], *q = b->problems[i];
        if (strcmp(p->text, q->text) != 0) {
            fprintf(stderr, "%s: \"%s\", and in full \"%s\"\n", dir, p->text, q->text);
        }
        must(strcmp(p->text, q->text) == 0 && strcmp(p->check, q->check) == 0 &&
                 p->part == q->part && p->seq == q->seq && p->frame == q->frame &&
                 p->offset == q->offset,
             dir);
    }
    must(a->problems_n == b->problems_n && a->problems_total == b->problems_total, dir);
    must(a->verdict == b->verdict && a->form == b->form && a->sums == b->sums &&
             a->rules == b->rules && a->events == b->events && a->frames == b->frames &&
             a->verified_to == b->verified_to && a->notes_total == b->notes_total &&
             memcmp(a->chain, b->chain, sizeof a->chain) == 0,
         dir);
    same_texts(dir, a->not_checked, a->not_checked_n, b->not_checked, b->not_checked_n);
    same_texts(dir, a->notes, a->notes_n, b->notes, b->notes_n);
}

int
main(int argc, char **argv)
{
    must(argc > 1, "usage: both DIR ...");
    for (int i = 1; i < argc; i++) {
        struct jb_audit_report *a = audit(argv[i], false), *b = audit(argv[i], true);
        same(argv[i], a, b);
        jb_audit_report_free(a);
        jb_audit_report_free(b);
    }
    return 0;
}
