/*
 * people.mdb: names, notes, free-text reasons and ids of people, by reference. Nothing of that kind
 * ever stands in an event, so that it can be forgotten without touching the log. Losing the file
 * forgets everyone and changes no figure (docs/rules.md section 8).
 *
 * New texts of a commit are collected and written in one transaction before the log's: a reference
 * in the log always has been stored. References are dense and ascending. Used by one thread at a
 * time (the holder of the writer lock), but jb_personal_text, _get and _known by any.
 *
 * There are two layouts. Layout 1 has the texts in clear. In layout 2 each is sealed with a key of
 * those whom it is about, its owners, and theirs with a key that lies outside the ledger: so that
 * who is forgotten is forgotten in every copy (docs/format.md section 5.1). Without a usable key it
 * can be opened, says of texts that they are sealed, and takes none: JB_E_KEY.
 */
#ifndef JANGBU_PERSONAL_H
#define JANGBU_PERSONAL_H

#include <jangbu/base.h>

struct jb_personal;

#define JB_PERSON_TEXT_BYTES_MAX 2000 /* 500 code points */

/* Whom a text is about: it can be read while all of them are remembered. One without owners is the
 * ledger's, which is never forgotten. Their numbers are on disk. */
enum jb_owner_kind {
    JB_OWNER_LEDGER = 0,  /* number 0 */
    JB_OWNER_PERSON = 1,  /* the reference of the id */
    JB_OWNER_WALLET = 2,  /* the wallet's number */
    JB_OWNER_BUSINESS = 3 /* the number of a business */
};
struct jb_owner {
    uint32_t kind;
    uint64_t number;
};
#define JB_OWNERS_MAX 6
struct jb_owners {
    unsigned n;
    struct jb_owner at[JB_OWNERS_MAX];
};
/* Once, and no number 0. */
void jb_owners_add(struct jb_owners *o, enum jb_owner_kind kind, uint64_t number);

/* What became of a text. Their numbers are those of enum jb_person_state. */
enum jb_text_state {
    JB_TEXT_THERE = 0,
    JB_TEXT_FORGOTTEN = 1, /* one of its owners is */
    JB_TEXT_SEALED = 2,    /* the key is not there */
    JB_TEXT_LOST = 3       /* damaged, or never in this file */
};

/* A missing file means that everyone is forgotten; where make, and not read_only, a new one of
 * layout 1 is made. key_file NULL: where it lies if nobody says. */
jb_status jb_personal_open(const char *dir, const uint8_t ledger_id[16], const char *key_file,
                           bool read_only, bool make, struct jb_personal **ret,
                           struct jb_error *err);
struct jb_personal *jb_personal_close(struct jb_personal *p);
/* 1 or 2; 0: there is no file. */
unsigned jb_personal_layout(const struct jb_personal *p);
/* The key file in use, from the root on; NULL in layout 1. */
const char *jb_personal_key_file(const struct jb_personal *p);

/* JB_OK, or why texts can be neither read nor written; layout 1 needs no key. */
jb_status jb_personal_key(struct jb_personal *p, struct jb_error *err);

/* Starts collecting; last_ref is the highest reference in the log, seq its last event. JB_E_KEY:
 * there is no usable key, or the file is older than the log. */
jb_status jb_personal_begin(struct jb_personal *p, uint64_t last_ref, jb_seq seq,
                            struct jb_error *err);
/* A reference for a text. shared: the id of a person, who keeps one reference until he is
 * forgotten, and is its owner; else a new one each time, of those owners (NULL: none). */
jb_status jb_personal_refer(struct jb_personal *p, struct jb_text text, bool shared,
                            const struct jb_owners *owners, uint64_t *ret, struct jb_error *err);
/* The reference of a person's id, collected ones included; 0: nobody knows it. Makes none. */
jb_status jb_personal_find(struct jb_personal *p, struct jb_text id, uint64_t *ret,
                           struct jb_error *err);
/* The same for any thread, beside the one that collects: what is stored alone, and nothing of the
 * file's is noted. */
jb_status jb_personal_known(struct jb_personal *p, struct jb_text id, uint64_t *ret,
                            struct jb_error *err);
/* One that is collected; borrowed until the next call. False: it is not. */
bool jb_personal_pending(const struct jb_personal *p, uint64_t ref, struct jb_text *ret);
/* Whether a reference still says who it is. */
jb_status jb_personal_opens(struct jb_personal *p, uint64_t ref, bool *ret, struct jb_error *err);
/* How many are collected; and forgets those after the first n (a group was refused). */
size_t jb_personal_collected(const struct jb_personal *p);
void jb_personal_cut(struct jb_personal *p, size_t n);
/* Makes what was collected durable. */
jb_status jb_personal_commit(struct jb_personal *p, struct jb_error *err);

/* buf has room for JB_PERSON_TEXT_BYTES_MAX; *ret_n 0: forgotten or sealed. JB_E_CORRUPT: what is
 * there is not what was written. */
jb_status jb_personal_text(struct jb_personal *p, uint64_t ref, char *buf, size_t *ret_n,
                           struct jb_error *err);
/* The same, and what became of it. */
jb_status jb_personal_get(struct jb_personal *p, uint64_t ref, char *buf, size_t *ret_n,
                          enum jb_text_state *ret_state, struct jb_error *err);
/* Of sealed texts: how many can be read, and how many not. */
struct jb_people_texts {
    uint64_t readable, forgotten, lost;
};
/* Calls damaged for each text whose check does not hold, and with 0 where only all of them together
 * are not what was written. *ret counts them where they are sealed. JB_E_NOTFOUND with the reason:
 * there is nothing to check. */
jb_status jb_personal_check(struct jb_personal *p, void (*damaged)(void *data, uint64_t ref),
                            void *data, struct jb_people_texts *ret, struct jb_error *err);
/* The highest reference that was ever given here; 0: none, or it is not known. */
jb_status jb_personal_highest(struct jb_personal *p, uint64_t *ret, struct jb_error *err);
/* LMDB's environment, for backups; NULL: there is no file. */
struct jb_env *jb_personal_env(struct jb_personal *p);

/* ---- layout 2 ---- */

/* What the file says of forgetting. */
struct jb_people_info {
    uint64_t epoch;     /* of the key in use */
    uint64_t old_epoch; /* 0, or that of the key from which the owners are being wrapped anew */
    jb_seq killed;      /* owners of events up to here are forgotten, */
    jb_seq done;        /* and up to here in every copy */
    uint64_t highest;   /* reference */
};
/* Needs no key. */
jb_status jb_personal_info(struct jb_personal *p, struct jb_people_info *ret, struct jb_error *err);
struct jb_people_count {
    uint64_t owners, forgotten, lost; /* lost: 0 where sealed */
    bool sealed;
};
jb_status jb_personal_count(struct jb_personal *p, struct jb_people_count *ret,
                            struct jb_error *err);
/* The same of texts. */
jb_status jb_personal_texts(struct jb_personal *p, struct jb_people_texts *ret,
                            struct jb_error *err);

/* Forgets those owners: their keys are taken out, in one transaction, with `killed` = upto. */
jb_status jb_personal_kill(struct jb_personal *p, const struct jb_owner *dead, size_t n,
                           jb_seq upto, struct jb_error *err);
/* Whether jb_personal_rotate could begin: JB_E_KEY where the key file cannot be replaced. */
jb_status jb_personal_may_rotate(struct jb_personal *p, struct jb_error *err);
/*
 * A new key in the place of the one in use, in steps: a second line in the key file; the living
 * owners wrapped with it, so many a step; the index made anew; the old line away. Then no copy of
 * what the old key had wrapped can be opened by anybody. Goes on where it was left, by whomever. To
 * be called by the holder of the writer lock until *ret_done; others may write in between. With it
 * `done` is what `killed` was when it began.
 *
 * A wallet that is deleted is forgotten together with its last master. last_master: the reference
 * of the master that it had last; 0: none. is_deleted is asked where that one is forgotten.
 */
struct jb_rotation {
    size_t owners; /* in a step; 0: 8,192 */
    jb_status (*last_master)(void *data, uint32_t wallet, uint64_t *ret, struct jb_error *err);
    jb_status (*is_deleted)(void *data, uint32_t wallet, bool *ret, struct jb_error *err);
    void *data;
};
jb_status jb_personal_rotate(struct jb_personal *p, const struct jb_rotation *r, bool *ret_done,
                             struct jb_error *err);
/* The file is an older one than the log, and shall be it: what it does not have is lost. */
jb_status jb_personal_accept(struct jb_personal *p, uint64_t last_ref, struct jb_error *err);

struct jb_people_key;
/* A new file of layout 2 at path, an empty one or one of a killed maker being written over, whose
 * key is at hand. For init, and for the texts of a layout 1 file. Owned: jb_personal_close. */
jb_status jb_personal_make(const char *path, const uint8_t ledger_id[16],
                           const struct jb_people_key *key, struct jb_personal **ret,
                           struct jb_error *err);
/* Collects a text whose reference is known; jb_personal_commit. */
jb_status jb_personal_add(struct jb_personal *p, uint64_t ref, struct jb_text text, bool shared,
                          const struct jb_owners *owners, struct jb_error *err);

#endif
