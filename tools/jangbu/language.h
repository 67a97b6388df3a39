/* In which language the program speaks. The library reads no environment; this does. */
#ifndef JANGBU_LANGUAGE_H
#define JANGBU_LANGUAGE_H

#include "app.h"

/* That of the environment: LC_ALL, LC_MESSAGES or LANG, the first that is set. "ko..." is Korean,
 * all else English. */
void language_of_environment(void);
/* "ko" or "en". False: it is neither, and nothing changes. */
bool language_choose(const char *word);
/* Says that app->lang is neither; EXIT_USAGE. */
int language_unknown(const struct app *app);
/* Before the words of the command line are read: speaks the language of the --lang among them, so
 * that what is wrong with them is said in it; takes those in front of the sub-command away. */
void language_of_words(struct app *app, int *argc, char **argv);

#endif
