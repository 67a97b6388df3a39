/* What the test programs that fail at the first thing amiss have in common. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A sanitizer sees each access and asks for no more numbers: there, the parts of a test that are
 * random or many are a quarter. They are whole in every other build. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif
#define SHARE(n) (SANITIZED ? (n) / 4 : (n))

static inline void
must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "failed: %s\n", what);
        exit(1);
    }
}

/* The next of a row of numbers that looks random and is the same in every run. *x is not 0. */
static inline uint64_t
random_below(uint64_t *x, uint64_t n)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x % n;
}

static inline uint64_t
pick(uint64_t n)
{
    static uint64_t x = 88172645463325252U;
    return random_below(&x, n);
}

/* path: "/tmp/NAME-XXXXXX", which becomes the directory's name. */
static inline void
make_scratch(char *path)
{
    must(mkdtemp(path) != NULL, "no temporary directory");
}

/* For tests that commit much and ask nothing of the disk: in memory, where there is room. The rest
 * of the path is "/jangbu-NAME-XXXXXX". */
static inline void
make_quick_scratch(char path[64], const char *name)
{
    struct statvfs v;
    bool room = access("/dev/shm", W_OK) == 0 && statvfs("/dev/shm", &v) == 0 &&
                (unsigned long long)v.f_bavail * v.f_frsize > 1ULL << 30;
    snprintf(path, 64, "%s/jangbu-%s-XXXXXX", room ? "/dev/shm" : "/tmp", name);
    make_scratch(path);
}

static inline void
remove_scratch(const char *path)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", path);
    must(system(command) == 0, "cannot remove the temporary directory");
}

#endif
