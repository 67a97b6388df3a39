#include "base/lang.h"

#include "base/error.h"

#include <string.h>

_Thread_local jb_lang jb_lang_now = JB_LANG_EN;
_Thread_local jb_lang jb_lang_asked;
_Thread_local struct jb_both jb_both;

struct row {
    const char *en, *ko;
};

/* Each in the order of its bytes. */
#define KO(en, ko) {en, ko},
static const struct row core_rows[] = {
#include "base/korean_core.def"
};
static const struct row system_rows[] = {
#include "base/korean_system.def"
};
#undef KO

static const struct {
    const struct row *rows;
    size_t n;
} rooms[] = {
    {core_rows, sizeof core_rows / sizeof core_rows[0]},
    {system_rows, sizeof system_rows / sizeof system_rows[0]},
};

static const char *
find(const struct row *rows, size_t n, const char *english)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(english, rows[middle].en);
        if (order == 0) {
            return rows[middle].ko;
        }
        low = order > 0 ? middle + 1 : low;
        high = order < 0 ? middle : high;
    }
    return NULL;
}

const char *
jb_tr_in(jb_lang lang, const char *english)
{
    for (size_t i = 0; lang == JB_LANG_KO && i < sizeof rooms / sizeof rooms[0]; i++) {
        const char *korean = find(rooms[i].rows, rooms[i].n, english);
        if (korean != NULL) {
            return korean;
        }
    }
    return english;
}

const char *
jb_tr(const char *english)
{
    return jb_tr_in(jb_lang_now, english);
}

void
jb_both_back(const struct jb_both *before)
{
    jb_both = *before;
}

const struct jb_error *
jb_said_in(jb_lang lang, jb_lang in, const struct jb_error *err, const struct jb_error *other)
{
    /* Of another failure, or none was said: better in the wrong language than of another thing. */
    const bool same = other->status == err->status && other->os_errno == err->os_errno;
    return lang == in || !same ? err : other;
}

jb_status
jb_lang_check(jb_lang lang, jb_lang otherwise, const char *what, jb_lang *ret, struct jb_error *err)
{
    if (lang != JB_LANG_UNSAID && lang != JB_LANG_EN && lang != JB_LANG_KO) {
        return jb_fail(err, JB_E_USAGE, "%s: lang is JB_LANG_EN, JB_LANG_KO, or 0", what);
    }
    *ret = lang != JB_LANG_UNSAID ? lang : otherwise;
    return JB_OK;
}

jb_lang
jb_speak(jb_lang lang)
{
    const jb_lang before = jb_lang_asked;
    if (lang >= JB_LANG_UNSAID && lang <= JB_LANG_KO) {
        jb_lang_asked = lang;
    }
    return before;
}
