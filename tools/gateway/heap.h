/* The memory that malloc keeps: what the daemon has no more goes back to the system. */
#ifndef JANGBUD_HEAP_H
#define JANGBUD_HEAP_H

/* Once, before anything is allocated. */
void heap_begin(void);
/* Gives back what is free where that is much. For who may take some milliseconds, now and then. */
void heap_give_back(void);

#endif
