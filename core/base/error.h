/* Filling the caller's error, and the two kinds of internal check. */
#ifndef JANGBU_ERROR_H
#define JANGBU_ERROR_H

#include "base/lang.h"

/* Fills err (may be NULL) and returns status, so that a failure is one line: `return jb_fail(err,
 * JB_E_IO, ...)`. The sentence is said in the thread's language (lang.h). */
jb_status jb_fail(struct jb_error *err, jb_status status, const char *format, ...) JB_PRINTF(3, 4);
/* The same with the system's words for os_errno behind the sentence. */
jb_status jb_fail_errno(struct jb_error *err, jb_status status, int os_errno, const char *format,
                        ...) JB_PRINTF(4, 5);

/* JB_E_USAGE: a public function was given NULL where it takes none. */
jb_status jb_fail_null(struct jb_error *err, const char *function);

/* Copies a result into the caller's struct, which begins with its size and may be of an older or
 * newer version. JB_E_USAGE where that is 0. */
jb_status jb_abi_out(void *ret, const void *full, size_t full_size, struct jb_error *err);

/*
 * The other way: what the caller gave, as this version has it. Members that an older caller does
 * not know are 0, which means "as before". Members that this library does not know must be 0:
 * otherwise JB_E_USAGE, so that no option is silently ignored.
 */
jb_status jb_abi_in(void *full, size_t full_size, const void *given, const char *what,
                    struct jb_error *err);
/* JB_E_USAGE where something is set in what is kept for members to come. */
jb_status jb_abi_reserved(const void *reserved, size_t n, const char *what, struct jb_error *err);

/* A ledger that lost an invariant must stop, not guess: always compiled in. */
#define JB_ASSERT(condition)                                                                       \
    ((condition) ? (void)0 : jb_assert_failed(#condition, __FILE__, __LINE__))
_Noreturn void jb_assert_failed(const char *condition, const char *file, int line);

/* What costs too much for that is checked in builds with -DJANGBU_CHECKS=ON: those of the tests. */
#ifdef JANGBU_CHECKS
#define JB_CHECKS true
#else
#define JB_CHECKS false
#endif

#endif
