/* Personal texts of events: names, masters, actors, notes, reasons in words. */
#ifndef JANGBU_TOOL_PEOPLE_H
#define JANGBU_TOOL_PEOPLE_H

#include "app.h"

/* Appends what the event names to the line or the JSON object that is being written: a member
 * `people` with the texts by name; null, or "(forgotten ...)", where the text is gone. False: they
 * cannot be read (said on standard error). */
bool people_of_event(struct app *app, const struct jb_event *e);
/* The text behind a reference, in buf. *ret NULL: it is not there, and *ret_why says why. False: it
 * cannot be read (said on standard error). */
bool people_text(struct app *app, uint64_t ref, char buf[JB_PERSON_TEXT_BYTES], const char **ret,
                 jb_person_why *ret_why);
/* "forgotten", "sealed" or "lost". */
const char *people_why(jb_person_why why);

#endif
