#include "base/error.h"

#include "base/lang.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
fill_in(jb_lang lang, struct jb_error *err, jb_status status, int os_errno, const char *format,
        va_list args)
{
    *err = (struct jb_error){.status = status, .os_errno = os_errno};
    int n = vsnprintf(err->text, sizeof err->text, jb_tr_in(lang, format), args);
    if (n >= (int)sizeof err->text) {
        err->text[jb_utf8_whole(err->text, sizeof err->text - 1)] = '\0';
    } else if (os_errno != 0 && n >= 0) {
        char words[128];
        /* The GNU strerror_r is safe with threads and returns the text. */
        snprintf(err->text + n, sizeof err->text - (size_t)n, ": %s",
                 jb_tr_in(lang, strerror_r(os_errno, words, sizeof words)));
    }
}

static void
fill(struct jb_error *err, jb_status status, int os_errno, const char *format, va_list args)
{
    if (err == NULL) {
        return;
    }
    if (err == jb_both.err) {
        va_list again;
        va_copy(again, args);
        fill_in(jb_lang_now == JB_LANG_KO ? JB_LANG_EN : JB_LANG_KO, jb_both.other, status,
                os_errno, format, again);
        va_end(again);
    }
    fill_in(jb_lang_now, err, status, os_errno, format, args);
}

jb_status
jb_fail(struct jb_error *err, jb_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, status, 0, format, args);
    va_end(args);
    return status;
}

jb_status
jb_fail_errno(struct jb_error *err, jb_status status, int os_errno, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, status, os_errno, format, args);
    va_end(args);
    return status;
}

jb_status
jb_fail_null(struct jb_error *err, const char *function)
{
    return jb_fail(err, JB_E_USAGE, "%s: NULL was given where it takes none", function);
}

jb_status
jb_abi_out(void *ret, const void *full, size_t full_size, struct jb_error *err)
{
    size_t size;
    memcpy(&size, ret, sizeof size);
    if (size < sizeof size) {
        return jb_fail(err, JB_E_USAGE, "a struct for a result has size %zu: make it with JB_SIZED",
                       size);
    }
    size = size < full_size ? size : full_size;
    memcpy(ret, full, size);
    memcpy(ret, &size, sizeof size);
    return JB_OK;
}

/* No struct will ever be as large: what says so was never given a size. */
#define STRUCT_BYTES_MAX ((size_t)64 << 10)

jb_status
jb_abi_reserved(const void *reserved, size_t n, const char *what, struct jb_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (((const char *)reserved)[i] != 0) {
            return jb_fail(err, JB_E_USAGE,
                           "%s asks for something that this version of the library does not know",
                           what);
        }
    }
    return JB_OK;
}

jb_status
jb_abi_in(void *full, size_t full_size, const void *given, const char *what, struct jb_error *err)
{
    size_t size;
    memcpy(&size, given, sizeof size);
    if (size < sizeof size) {
        return jb_fail(err, JB_E_USAGE, "%s has size %zu: make it with JB_SIZED", what, size);
    }
    if (size > STRUCT_BYTES_MAX) {
        return jb_fail(err, JB_E_USAGE, "%s has size %zu: make it with JB_SIZED", what, size);
    }
    if (size > full_size) {
        jb_status status =
            jb_abi_reserved((const char *)given + full_size, size - full_size, what, err);
        if (status != JB_OK) {
            return status;
        }
    }
    memset(full, 0, full_size);
    memcpy(full, given, size < full_size ? size : full_size);
    memcpy(full, &full_size, sizeof full_size);
    return JB_OK;
}

void
jb_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "jangbu: internal error, stopped so as not to guess: %s (%s:%d)\n", condition,
            file, line);
    abort();
}

uint32_t
jb_version(void)
{
    return ((uint32_t)JB_VERSION_MAJOR << 16) | ((uint32_t)JB_VERSION_MINOR << 8) |
           (uint32_t)JB_VERSION_PATCH;
}

const char *
jb_status_word(jb_status s)
{
    switch (s) {
    case JB_OK:
        return "OK";
    case JB_END:
        return "END";
    case JB_E_USAGE:
        return "E_USAGE";
    case JB_E_NOMEM:
        return "E_NOMEM";
    case JB_E_IO:
        return "E_IO";
    case JB_E_BUSY:
        return "E_BUSY";
    case JB_E_FULL:
        return "E_FULL";
    case JB_E_CORRUPT:
        return "E_CORRUPT";
    case JB_E_FORMAT:
        return "E_FORMAT";
    case JB_E_NOTFOUND:
        return "E_NOTFOUND";
    case JB_E_READONLY:
        return "E_READONLY";
    case JB_E_EXISTS:
        return "E_EXISTS";
    case JB_E_ROLLBACK:
        return "E_ROLLBACK";
    case JB_E_UNKNOWN:
        return "E_UNKNOWN";
    case JB_E_STALE:
        return "E_STALE";
    case JB_E_NOT_CLOSED:
        return "E_NOT_CLOSED";
    case JB_E_KEY:
        return "E_KEY";
    case JB_E_DEVICE:
        return "E_DEVICE";
    case JB_E_ENGINE:
        return "E_ENGINE";
    case JB_E_RANGE:
        return "E_RANGE";
    }
    return "E_OTHER";
}
