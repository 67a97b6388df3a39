/*
 * The language of sentences. A sentence stands in the source in English, and that is its key:
 * jb_fail and its like look the Korean one up in the catalogue (korean_*.def) by it. What is put
 * into a sentence is looked up where it is put in: `jb_tr(why)`.
 *
 * A public function speaks the language of its handle (JB_SPEAK, its first statement) and leaves
 * the thread as it was. tests/lang/check.py finds what has no Korean, and what is not looked up.
 */
#ifndef JANGBU_LANG_H
#define JANGBU_LANG_H

#include <jangbu/base.h>

/* That of the calling thread, now. Every public call sets it, jb_cursor_next for each event: so it
 * lies where one instruction finds it, in a shared library, too. */
extern _Thread_local jb_lang jb_lang_now __attribute__((tls_model("initial-exec")));

/* english in the thread's language: static, or english itself where the catalogue lacks it. */
const char *jb_tr(const char *english) __attribute__((format_arg(1)));
const char *jb_tr_in(jb_lang lang, const char *english) __attribute__((format_arg(2)));

/* Marks a sentence that is looked up by the name that it gets. */
#define JB_SAID(english) english

static inline void
jb_lang_back(const jb_lang *before)
{
    jb_lang_now = *before;
}
static inline jb_lang
jb_lang_set(jb_lang lang)
{
    const jb_lang before = jb_lang_now;
    jb_lang_now = lang;
    return before;
}
/* Until the end of the block. */
#define JB_SPEAK(lang)                                                                             \
    __attribute__((cleanup(jb_lang_back), unused)) const jb_lang jb_spoken = jb_lang_set(lang)

/* What jb_speak asked for in the calling thread; JB_LANG_UNSAID: nothing. */
extern _Thread_local jb_lang jb_lang_asked __attribute__((tls_model("initial-exec")));
/* That, or that of a handle, which may be NULL. */
#define JB_LANG_OF(handle)                                                                         \
    (jb_lang_asked != JB_LANG_UNSAID ? jb_lang_asked                                               \
     : (handle) != NULL              ? (handle)->lang                                              \
                                     : JB_LANG_EN)

/* JB_E_USAGE for a number that is no language. *ret: lang, or `otherwise` where none is said. */
JB_NODISCARD jb_status jb_lang_check(jb_lang lang, jb_lang otherwise, const char *what,
                                     jb_lang *ret, struct jb_error *err);

/*
 * What fails for callers of both languages at once: while a block has JB_SAY_BOTH, a jb_fail of
 * `err` says it in the other one, too. What was put into the sentence stays as it was put in.
 */
struct jb_both {
    const struct jb_error *err;
    struct jb_error *other;
};
extern _Thread_local struct jb_both jb_both;
void jb_both_back(const struct jb_both *before);
static inline struct jb_both
jb_both_set(const struct jb_error *err, struct jb_error *other)
{
    const struct jb_both before = jb_both;
    jb_both = (struct jb_both){err, other};
    return before;
}
#define JB_SAY_BOTH(err, other)                                                                    \
    __attribute__((cleanup(jb_both_back), unused)) const struct jb_both jb_said_before =           \
        jb_both_set(err, other)
/* The one of the two that is in `lang`; err was said in `in`. */
const struct jb_error *jb_said_in(jb_lang lang, jb_lang in, const struct jb_error *err,
                                  const struct jb_error *other);

#endif
