#include "language.h"

#include <stdlib.h>
#include <string.h>

#include "html.h"
#include "process.h"

#define KO(en, ko) {en, ko},
static const struct lang_row rows[] = {
#include "korean_program.def"
};
#undef KO

static void
speak(jb_lang lang)
{
    lang_of_process = lang;
    process_speak();
}

void
language_of_environment(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    const char *value = NULL;
    lang_also(rows, sizeof rows / sizeof rows[0]);
    html_language();
    for (size_t i = 0; i < sizeof names / sizeof names[0] && value == NULL; i++) {
        value = getenv(names[i]);
        value = value != NULL && value[0] != '\0' ? value : NULL;
    }
    speak(value != NULL && strncmp(value, "ko", 2) == 0 ? JB_LANG_KO : JB_LANG_EN);
}

bool
language_choose(const char *word)
{
    const bool korean = strcmp(word, "ko") == 0;
    if (korean || strcmp(word, "en") == 0) {
        speak(korean ? JB_LANG_KO : JB_LANG_EN);
        return true;
    }
    return false;
}

int
language_unknown(const struct app *app)
{
    return app_usage(app, "--lang is ko or en, not %s", app->lang);
}

/* The value of the --lang at argv[i], and how many words it takes; NULL: it is none. */
static const char *
lang_at(int argc, char *const *argv, int i, int *ret_words)
{
    *ret_words = 1;
    if (strncmp(argv[i], "--lang=", strlen("--lang=")) == 0) {
        return argv[i] + strlen("--lang=");
    }
    *ret_words = 2;
    return strcmp(argv[i], "--lang") == 0 && i + 1 < argc ? argv[i + 1] : NULL;
}

void
language_of_words(struct app *app, int *argc, char **argv)
{
    const char *value;
    int words;
    while (*argc > 1 && (value = lang_at(*argc, argv, 1, &words)) != NULL) {
        app->lang = value;
        (void)language_choose(value);
        memmove(argv + 1, argv + 1 + words, (size_t)(*argc - words) * sizeof *argv);
        *argc -= words;
    }
    for (int i = 2; i < *argc && strcmp(argv[i], "--") != 0; i++) {
        value = lang_at(*argc, argv, i, &words);
        if (value != NULL) {
            (void)language_choose(value); /* read_options says what is wrong with it */
        }
    }
}
