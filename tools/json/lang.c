#include "lang.h"

#include <string.h>

_Thread_local jb_lang lang_of_call;
jb_lang lang_of_process = JB_LANG_EN;

#define KO(en, ko) {en, ko},
static const struct lang_row own_rows[] = {
#include "korean_json.def"
};
#undef KO

/* Catalogues beside it: of a program, and of what it shares with others. */
static struct {
    const struct lang_row *rows;
    size_t n;
} also[2];

void
lang_also(const struct lang_row *rows, size_t n)
{
    for (size_t i = 0; i < sizeof also / sizeof also[0]; i++) {
        if (also[i].rows == NULL || also[i].rows == rows) {
            also[i].rows = rows;
            also[i].n = n;
            return;
        }
    }
}

jb_lang
lang_now(void)
{
    return lang_of_call != JB_LANG_UNSAID ? lang_of_call : lang_of_process;
}

jb_lang
lang_speak(jb_lang lang)
{
    const jb_lang before = lang_of_call;
    lang_of_call = lang;
    (void)jb_speak(lang);
    return before;
}

void
lang_back(const jb_lang *before)
{
    (void)lang_speak(*before);
}

static const char *
find(const struct lang_row *rows, size_t n, const char *english)
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
tr(const char *english)
{
    if (lang_now() != JB_LANG_KO) {
        return english;
    }
    const char *korean = find(own_rows, sizeof own_rows / sizeof own_rows[0], english);
    for (size_t i = 0; i < sizeof also / sizeof also[0] && korean == NULL; i++) {
        korean = find(also[i].rows, also[i].n, english);
    }
    return korean != NULL ? korean : english;
}
