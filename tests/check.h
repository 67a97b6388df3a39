/* What the test programs that fail at the first thing amiss have in common. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static inline void
must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "failed: %s\n", what);
        exit(1);
    }
}

/* path: "/tmp/NAME-XXXXXX", which becomes the directory's name. */
static inline void
make_scratch(char *path)
{
    must(mkdtemp(path) != NULL, "no temporary directory");
}

static inline void
remove_scratch(const char *path)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", path);
    must(system(command) == 0, "cannot remove the temporary directory");
}

#endif
