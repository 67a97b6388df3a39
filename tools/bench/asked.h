/* --help and --version of the programs that measure. */
#ifndef BENCH_ASKED_H
#define BENCH_ASKED_H

#include <jangbu/base.h>
#include <stdio.h>
#include <string.h>

/* Whether it is asked for one of them alone: then it is printed, and there is nothing to do. */
static inline bool
asked_about(const char *program, const char *usage, int argc, char *const *argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return true;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("%s %s\n", program, JB_VERSION_STRING);
        return true;
    }
    return false;
}

#endif
