/*
 * A store: one file of tables that can be made again from the log (state.mdb, views.mdb).
 *
 * It records which ledger it belongs to and up to which event it includes, in the same transaction
 * as its rows, so that a crash leaves it old but never wrong. Its tables belong to a generation: a
 * rebuild fills the tables of the next generation beside the current ones and switches in one
 * transaction, because an LMDB file that a process has open must never be replaced (pitfalls: its
 * lock file stays behind and picks a wrong meta page).
 *
 * Nothing damaged is believed: rows lie in blocks that have a check (store_rows.c), so that a row
 * that is there and a row that is not are both proven. Whatever cannot be proven, and every fault
 * of the file, is JB_E_STALE: the caller goes on without the store, from the log.
 *
 * Thread-safe; one environment per file and process.
 */
#ifndef JANGBU_STORE_H
#define JANGBU_STORE_H

#include <jangbu/base.h>
#include <lmdb.h>

#include "storage/lmdb_tree.h"

#define JB_STORE_TABLES_MAX 16
#define JB_STORE_KEY_BYTES_MAX 255

struct jb_store;
struct jb_store_pending;

struct jb_store_schema {
    const char *file; /* "state.mdb" */
    uint32_t version; /* of the layout of its tables; another version on disk is made anew */
    uint32_t tables_n;
    const char *const *tables; /* names */
    bool rows_grow;            /* those at a table's end are changed later, by a few bytes */
};

/* What a store includes. seq 0: nothing yet. */
struct jb_store_meta {
    uint8_t ledger_id[16];
    uint8_t chain[16]; /* chain value of the frame that ends with seq */
    jb_seq seq;
    uint32_t version;
    uint32_t generation;
    uint64_t writes; /* transactions that wrote to this generation: a block knows in which */
    uint64_t rows[JB_STORE_TABLES_MAX];
};

/*
 * Opens (makes) dir/schema->file. Another version's, another ledger's or a damaged one: JB_E_STALE,
 * unless nobody else has it open and it may be written: then it is made anew, and *ret_remade is
 * true. read_only: never writes; a missing file gives JB_E_NOTFOUND.
 */
jb_status jb_store_open(const char *dir, const struct jb_store_schema *schema,
                        const uint8_t ledger_id[16], bool read_only, struct jb_store **ret,
                        bool *ret_remade, struct jb_error *err);
struct jb_store *jb_store_close(struct jb_store *s);
/* Where its file lies: absolute. */
const char *jb_store_place(const struct jb_store *s);
/* What is there is not what was written: from now on nobody in this process uses the file, and who
 * opens it next without others makes it anew. Returns JB_E_STALE with a sentence. */
jb_status jb_store_damaged(struct jb_store *s, const char *what, struct jb_error *err);
/* Whether a failure to open a store, or of a store, is one that the log makes good. */
bool jb_store_dispensable(jb_status status);

/* The tables of LMDB that a generation has. */
enum jb_store_dbi { JB_STORE_BLOCKS, JB_STORE_CHECKS, JB_STORE_DBIS };

/* A block that was looked into. */
#define JB_STORE_LAST 16
struct jb_store_last {
    const uint8_t *block; /* NULL: none */
    size_t n;
    unsigned table;
};

struct jb_store_txn {
    struct jb_store *store;
    MDB_txn *txn;
    const MDB_dbi *dbi;       /* of the current generation (or of the next, where asked for) */
    struct jb_snapshot pages; /* of a read: the same two tables, not by LMDB */
    struct jb_tree trees[JB_STORE_DBIS];
    struct jb_store_meta meta;
    struct jb_store_pending *pending; /* of a write: what is put and deleted until the commit */
    struct jb_store_last last[JB_STORE_LAST];
    bool any_last;
    bool next;     /* on the next generation */
    uint64_t rows; /* put since the transaction began */
};

/* A snapshot. End it with jb_store_end. Do not keep it long. Where this, or one of the calls below
 * that begin a transaction, fails, *ret is one that has ended: jb_store_end on it is harmless. */
jb_status jb_store_read(struct jb_store *s, struct jb_store_txn *ret, struct jb_error *err);
/* A write transaction on the current generation. Compare ret->meta.seq with what you expect before
 * writing. */
jb_status jb_store_write(struct jb_store *s, struct jb_store_txn *ret, struct jb_error *err);
/* Makes the writes durable together with (seq, chain). Ends the transaction whatever it returns.
 * JB_E_FULL: nothing was written. */
jb_status jb_store_commit(struct jb_store_txn *t, jb_seq seq, const uint8_t chain[16],
                          struct jb_error *err);
/* Ends a read, or gives up a write. Harmless on one that has ended. */
void jb_store_end(struct jb_store_txn *t);

/* put and del are carried out in order of keys when many have come together, and at the commit; the
 * last one of a key counts. What is read in the same transaction does not know them. JB_E_FULL ends
 * the transaction, and may be worth another try: jb_store_grown. */
jb_status jb_store_put(struct jb_store_txn *t, unsigned table, const void *key, size_t key_n,
                       const void *value, size_t value_n, struct jb_error *err);
/* The same rows put together without a transaction, by a thread that has none; then carried out in
 * one, which has nothing pending: p is empty again. */
struct jb_store_pending *jb_store_pending_new(void); /* NULL: no memory */
struct jb_store_pending *jb_store_pending_free(struct jb_store_pending *p);
jb_status jb_store_pending_put(struct jb_store_pending *p, unsigned table, const void *key,
                               size_t key_n, const void *value, size_t value_n,
                               struct jb_error *err);
size_t jb_store_pending_bytes(const struct jb_store_pending *p);
jb_status jb_store_carry_out(struct jb_store_txn *t, struct jb_store_pending *p,
                             struct jb_error *err);
/* JB_OK also where there was no such key. */
jb_status jb_store_del(struct jb_store_txn *t, unsigned table, const void *key, size_t key_n,
                       struct jb_error *err);
/* JB_OK, JB_E_NOTFOUND. *value is borrowed until the transaction ends (in a write transaction:
 * until the next put or del). */
jb_status jb_store_get(struct jb_store_txn *t, unsigned table, const void *key, size_t key_n,
                       const void **value, size_t *value_n, struct jb_error *err);

/* The row with the greatest key below `key`; found gets that key, which has key_n bytes. *value as
 * above. JB_E_NOTFOUND: there is none, or its key has another length. */
jb_status jb_store_below(struct jb_store_txn *t, unsigned table, const void *key, size_t key_n,
                         void *found, const void **value, size_t *value_n, struct jb_error *err);

/* A row, and where it stands: borrowed as jb_store_get's values. */
struct jb_store_row {
    const uint8_t *key, *value;
    size_t key_n, value_n;
    const uint8_t *block;
    size_t block_n;
    uint32_t at;
};
/* The first row with a key >= key (key_n 0: of the table); the last one with a smaller key; the one
 * behind *row. JB_E_NOTFOUND: there is none. */
jb_status jb_store_seek(struct jb_store_txn *t, unsigned table, const void *key, size_t key_n,
                        struct jb_store_row *ret, struct jb_error *err);
jb_status jb_store_before(struct jb_store_txn *t, unsigned table, const void *key, size_t key_n,
                          struct jb_store_row *ret, struct jb_error *err);
jb_status jb_store_next(struct jb_store_txn *t, unsigned table, struct jb_store_row *row,
                        struct jb_error *err);

/* Where a write failed because the map was full: makes it larger. True: start the transaction over.
 * No thread of this process has one meanwhile. */
bool jb_store_grown(struct jb_store *s);

/* The next generation, for a rebuild: its tables begin empty (what an interrupted rebuild left is
 * dropped first). Commits of next transactions record seq in the next generation's own meta. It
 * belongs to s until s is closed, so that a rebuild of several stores has them all when it has the
 * first; meanwhile it is JB_E_BUSY for others. */
jb_status jb_store_next_begin(struct jb_store *s, struct jb_error *err);
jb_status jb_store_next_read(struct jb_store *s, struct jb_store_txn *ret, struct jb_error *err);
jb_status jb_store_next_write(struct jb_store *s, struct jb_store_txn *ret, struct jb_error *err);
/* Between two rows of a long write into the next generation: commits what was written and begins
 * the next transaction, where the one in t has become large. So nobody waits for the whole of it.
 */
jb_status jb_store_next_step(struct jb_store_txn *t, struct jb_error *err);
/* In one transaction: the next generation becomes the current one, the old one's tables are
 * dropped. */
jb_status jb_store_next_switch(struct jb_store *s, struct jb_error *err);

/* XXH3-128 over every table's name, keys and values in order, in that snapshot, but for the tables
 * whose bits are set. */
jb_status jb_store_digest(struct jb_store_txn *t, unsigned but, uint8_t ret[16],
                          struct jb_error *err);

#endif
