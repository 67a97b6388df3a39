/* The language of the sentences of this library, and of the program. A sentence stands in the
 * source in English, and that is its key in korean.def; CONTRIBUTING.md says more. */
#ifndef JANGBU_JSON_LANG_H
#define JANGBU_JSON_LANG_H

#include <jangbu/base.h>

/* That of the call that the thread is in; JB_LANG_UNSAID: lang_of_process. */
extern _Thread_local jb_lang lang_of_call;
/* English, unless a program sets it before it makes threads. */
extern jb_lang lang_of_process;

jb_lang lang_now(void);
/* english in that language: static, or english itself where no catalogue has it. */
const char *tr(const char *english) __attribute__((format_arg(1)));
/* Marks a sentence, or a word of a table, that is looked up by the name that it gets. */
#define SAID(english) english

struct lang_row {
    const char *en, *ko;
};
/* A catalogue beside that of the library, in the order of its bytes; two at most, before there are
 * threads. */
void lang_also(const struct lang_row *rows, size_t n);

/* Sets lang_of_call, and what the library says in this thread. Returns what it was. */
jb_lang lang_speak(jb_lang lang);
void lang_back(const jb_lang *before);
/* Until the end of the block. */
#define SPEAK(lang)                                                                                \
    __attribute__((cleanup(lang_back), unused)) const jb_lang lang_before = lang_speak(lang)

#endif
