/*
 * people.mdb: names, notes, free-text reasons and ids of people, by reference. Nothing of that kind
 * ever stands in an event, so that it can be forgotten without touching the log. Losing the file
 * forgets everyone and changes no figure (docs/rules.md section 8).
 *
 * New texts of a commit are collected and written in one transaction before the log's: a reference
 * in the log always has been stored. References are dense and ascending. Used by one thread at a
 * time (the holder of the writer lock), but jb_personal_text by any.
 */
#ifndef JANGBU_PERSONAL_H
#define JANGBU_PERSONAL_H

#include <jangbu/base.h>

struct jb_personal;

#define JB_PERSON_TEXT_BYTES_MAX 2000 /* 500 code points */

/* read_only: a missing file means that everyone is forgotten. */
jb_status jb_personal_open(const char *dir, const uint8_t ledger_id[16], bool read_only,
                           struct jb_personal **ret, struct jb_error *err);
struct jb_personal *jb_personal_close(struct jb_personal *p);

/* Starts collecting; last_ref is the highest reference in the log. */
jb_status jb_personal_begin(struct jb_personal *p, uint64_t last_ref, struct jb_error *err);
/* A reference for a text. shared: the id of a person, who keeps one reference for ever; else a new
 * one each time. */
jb_status jb_personal_refer(struct jb_personal *p, struct jb_text text, bool shared, uint64_t *ret,
                            struct jb_error *err);
/* The reference that the id of a person has, collected ones included; 0: nobody knows it. */
jb_status jb_personal_find(struct jb_personal *p, struct jb_text id, uint64_t *ret,
                           struct jb_error *err);
/* Whether a reference still says who it is. */
jb_status jb_personal_opens(struct jb_personal *p, uint64_t ref, bool *ret, struct jb_error *err);
/* How many are collected; and forgets those after the first n (a group was refused). */
size_t jb_personal_collected(const struct jb_personal *p);
void jb_personal_cut(struct jb_personal *p, size_t n);
/* Makes what was collected durable. */
jb_status jb_personal_commit(struct jb_personal *p, struct jb_error *err);

/* buf has room for JB_PERSON_TEXT_BYTES_MAX; *ret_n 0: forgotten. JB_E_CORRUPT: what is there is
 * not what was written. */
jb_status jb_personal_text(struct jb_personal *p, uint64_t ref, char *buf, size_t *ret_n,
                           struct jb_error *err);
/* Calls damaged for each text whose check does not hold, and with 0 where only all of them together
 * are not what was written. JB_E_NOTFOUND with the reason: there is nothing to check. */
jb_status jb_personal_check(struct jb_personal *p, void (*damaged)(void *data, uint64_t ref),
                            void *data, struct jb_error *err);
/* The highest reference that was ever given here; 0: none, or it is not known. */
jb_status jb_personal_highest(struct jb_personal *p, uint64_t *ret, struct jb_error *err);
/* LMDB's environment, for backups; NULL: there is no file. */
struct jb_env *jb_personal_env(struct jb_personal *p);

#endif
