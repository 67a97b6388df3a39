/*
 * What a ledger asks of the programs that use it: the file `requires` (docs/format.md section 5.5).
 * A line "write WORD" keeps every program from writing that does not know the word; "read WORD"
 * keeps it from reading, too. A file `cluster` counts as "write cluster". This version knows no
 * word.
 */
#ifndef JANGBU_REQUIRES_H
#define JANGBU_REQUIRES_H

#include <jangbu/base.h>

/* How long a writer that has the ledger open may go on without looking again. */
#define JB_REQUIRES_LOOK_US JB_US_PER_SECOND

/* JB_E_FORMAT with a sentence that names the word: this program may not read (write: not write). A
 * line that is none of the two forms keeps everybody out, a file without a line who writes. JB_E_IO
 * where it cannot be told. */
jb_status jb_requires_check(const char *dir, bool write, struct jb_error *err);
/* Writes the lines "read WORD" of dir into a file of dest, which makes a copy of dir's log; there
 * is none where dir has no such line. */
jb_status jb_requires_copy(const char *dir, const char *dest, struct jb_error *err);

#endif
