/*
 * The key file of a sealed people.mdb: one line for each key, or two while the owners are wrapped
 * anew. It lies outside the ledger, so that no copy of the ledger can be read by who has that
 * alone, and what was forgotten by nobody (docs/format.md section 5.1).
 */
#ifndef JANGBU_KEY_FILE_H
#define JANGBU_KEY_FILE_H

#include <jangbu/base.h>

#define JB_KEY_BYTES 32
#define JB_KEYS_MAX 2

struct jb_people_key {
    uint64_t epoch; /* 1 and up */
    uint8_t key[JB_KEY_BYTES];
};

struct jb_key_file {
    unsigned n;
    struct jb_people_key
        keys[JB_KEYS_MAX]; /* the older one first; their epochs follow each other */
};

/* Where the key file lies if nobody says: beside the directory dir, which exists, by its name with
 * ".key" behind it. NULL: no memory, or there is no such directory. The caller frees it. */
char *jb_key_file_default(const char *dir);

/* One that is not there may have its name still to get, FILE.new (jb_key_file_begin), or was put
 * aside as FILE.new.XXXXXXXX, the first eight digits of its ledger's id: it gets it now, where that
 * can be. JB_E_KEY with a sentence: it is missing, not readable, of another ledger,
 * half written, for others to read, somebody else's, or inside of the ledger dir. */
jb_status jb_key_file_read(const char *path, const char *dir, const uint8_t ledger_id[16],
                           struct jb_key_file *ret, struct jb_error *err);
/* Where this ledger's key lies if FILE is that of another one: where it was put aside, if it was;
 * else FILE. NULL: no memory. The caller frees it. */
char *jb_key_file_find(const char *path, const char *dir, const uint8_t ledger_id[16]);
/* Whether it could be replaced. JB_E_KEY. */
jb_status jb_key_file_check_writable(const char *path, struct jb_error *err);
/* Makes a new one with those keys. JB_E_EXISTS where there is one; JB_E_KEY inside of dir. */
jb_status jb_key_file_make(const char *path, const char *dir, const uint8_t ledger_id[16],
                           const struct jb_key_file *keys, struct jb_error *err);
/* The same for a ledger that is being made: FILE.new, whole and on disk, which gets its name once
 * the ledger is there. A whole key that a killed one left there may be some ledger's: it is put
 * aside; what is less is written over. JB_E_EXISTS: there is a FILE, or a FILE.new that is no key;
 * JB_E_BUSY: another one is being made. path must stay. */
struct jb_key_making {
    const char *path;
    char *made;
    int fd; /* locked; -1: nothing was begun */
};
jb_status jb_key_file_begin(struct jb_key_making *m, const char *path, const char *dir,
                            const uint8_t ledger_id[16], const struct jb_key_file *keys,
                            struct jb_error *err);
/* status JB_OK: the ledger is there; else FILE.new goes. Returns status, or that a FILE is there by
 * now. */
jb_status jb_key_file_end(struct jb_key_making *m, jb_status status, struct jb_error *err);
/* Replaces it whole: a new file, synced, in its place, and the directory synced. JB_E_KEY,
 * JB_E_FULL, JB_E_IO; then the old one is as it was, or nobody knows. */
jb_status jb_key_file_replace(const char *path, const uint8_t ledger_id[16],
                              const struct jb_key_file *keys, struct jb_error *err);
/* A new random key. */
void jb_key_make(uint64_t epoch, struct jb_people_key *ret);
void jb_key_file_wipe(struct jb_key_file *k);

#endif
