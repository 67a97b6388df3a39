/* The answer to a question, page by page on a terminal. */
#ifndef JANGBU_PAGER_H
#define JANGBU_PAGER_H

#include <stdbool.h>
#include <stddef.h>

/* Whether what is printed next has more lines than the terminal that it goes to, so that it is
 * worth a pager. Standard output must be a terminal. */
bool pager_is_wanted(const char *text, size_t n);
/* Standard output goes through JANGBU_PAGER, PAGER or less from now on; nothing changes where there
 * is none, or it is "cat" or empty. */
void pager_begin(void);
/* Waits until whoever reads has seen enough. */
void pager_end(void);

#endif
