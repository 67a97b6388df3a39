#include "floor.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rows.h"

#ifdef BENCH_SQLITE
#include <sqlite3.h>
#endif

static int64_t *
calls_of(size_t n)
{
    int64_t *calls_us = calloc(n, sizeof *calls_us);
    if (calls_us == NULL) {
        give_up("no memory");
    }
    return calls_us;
}

void
floor_sync(const char *dir, size_t n)
{
    char path[4200], page[4096] = {0};
    int64_t *calls_us = calls_of(n), sum = 0, cpu = cpu_ns();
    snprintf(path, sizeof path, "%s/sync", dir);
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    for (size_t i = 0; i < n; i++) {
        int64_t began = now_us();
        if (fd < 0 || write(fd, page, sizeof page) != (ssize_t)sizeof page || fdatasync(fd) != 0) {
            give_up("cannot append to a file and sync it");
        }
        calls_us[i] = now_us() - began;
        sum += calls_us[i];
    }
    close(fd);
    add_row("disk: append 4 KiB and sync", (int64_t)n, sum, calls_us, n, 0, cpu_ns() - cpu);
    free(calls_us);
}

static void
need(int code)
{
    if (code != 0) {
        give_up(mdb_strerror(code));
    }
}

struct floor_lmdb {
    MDB_env *env;
    MDB_dbi dbi;
    uint64_t n;
};

struct floor_lmdb *
floor_lmdb_open(const char *dir)
{
    char path[4200];
    MDB_txn *txn;
    struct floor_lmdb *f = calloc(1, sizeof *f);
    if (f == NULL) {
        give_up("no memory");
    }
    snprintf(path, sizeof path, "%s/floor.mdb", dir);
    need(mdb_env_create(&f->env));
    need(mdb_env_set_mapsize(f->env, (size_t)1 << 30));
    need(mdb_env_open(f->env, path, MDB_NOSUBDIR, 0600));
    need(mdb_txn_begin(f->env, NULL, 0, &txn));
    need(mdb_dbi_open(txn, NULL, 0, &f->dbi));
    need(mdb_txn_commit(txn));
    return f;
}

void
floor_lmdb_commit(struct floor_lmdb *f)
{
    uint8_t number[8], record[74] = {0}; /* with LMDB's own 18 what an event alone takes */
    MDB_txn *txn;
    for (int b = 0; b < 8; b++) {
        number[b] = (uint8_t)(f->n >> (56 - 8 * b));
    }
    f->n++;
    MDB_val key = {sizeof number, number}, value = {sizeof record, record};
    need(mdb_txn_begin(f->env, NULL, 0, &txn));
    need(mdb_put(txn, f->dbi, &key, &value, MDB_APPEND));
    need(mdb_txn_commit(txn));
}

struct floor_lmdb *
floor_lmdb_close(struct floor_lmdb *f)
{
    mdb_env_close(f->env);
    free(f);
    return NULL;
}

#ifdef BENCH_SQLITE

struct peer {
    sqlite3 *db;
    sqlite3_stmt *begin, *take, *event, *commit;
};

static void
hold(const struct peer *p, bool condition)
{
    if (!condition) {
        give_up(sqlite3_errmsg(p->db));
    }
}

static void
run(const struct peer *p, const char *sql)
{
    hold(p, sqlite3_exec(p->db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static sqlite3_stmt *
prepared(const struct peer *p, const char *sql)
{
    sqlite3_stmt *s;
    hold(p, sqlite3_prepare_v2(p->db, sql, -1, &s, NULL) == SQLITE_OK);
    return s;
}

static void
step(const struct peer *p, sqlite3_stmt *s)
{
    hold(p, sqlite3_step(s) == SQLITE_DONE && sqlite3_reset(s) == SQLITE_OK);
}

static void
open_peer(struct peer *p, const char *path, uint32_t wallets, bool keyed)
{
    char sql[512];
    hold(p, sqlite3_open(path, &p->db) == SQLITE_OK);
    run(p, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
           "PRAGMA cache_size=-262144; PRAGMA wal_autocheckpoint=4000;"
           "CREATE TABLE wallet(id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)");
    snprintf(sql, sizeof sql,
             "CREATE TABLE event(seq INTEGER PRIMARY KEY, wallet INTEGER NOT NULL, amount INTEGER "
             "NOT NULL, usage TEXT NOT NULL%s)",
             keyed ? ", key TEXT NOT NULL UNIQUE" : "");
    run(p, sql);
    snprintf(sql, sizeof sql,
             "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %u) "
             "INSERT INTO wallet SELECT i, 1000000000000 FROM n",
             wallets - 1);
    run(p, sql);
    p->begin = prepared(p, "BEGIN IMMEDIATE");
    p->commit = prepared(p, "COMMIT");
    p->take = prepared(p, "UPDATE wallet SET balance = balance - ?1 WHERE id = ?2 AND balance >= "
                          "?1");
    p->event = prepared(p, keyed ? "INSERT INTO event(wallet, amount, usage, key) VALUES(?2, ?1, "
                                   "?3, ?3)"
                                 : "INSERT INTO event(wallet, amount, usage) VALUES(?2, ?1, ?3)");
}

static void
consume(const struct peer *p, uint64_t number, uint32_t wallets)
{
    char usage[24];
    sqlite3_int64 amount = 1 + (sqlite3_int64)(number % 60000);
    sqlite3_int64 wallet = (sqlite3_int64)((number * UINT64_C(2654435761)) % wallets);
    int n = snprintf(usage, sizeof usage, "U%07llu", (unsigned long long)(number % 10000000));
    sqlite3_bind_int64(p->take, 1, amount);
    sqlite3_bind_int64(p->take, 2, wallet);
    step(p, p->take);
    if (sqlite3_changes(p->db) != 1) {
        give_up("SQLite refused a consumption");
    }
    sqlite3_bind_int64(p->event, 1, amount);
    sqlite3_bind_int64(p->event, 2, wallet);
    sqlite3_bind_text(p->event, 3, usage, n, SQLITE_STATIC);
    step(p, p->event);
}

bool
peer_sqlite(const char *dir, const char *name, uint32_t wallets, size_t batch, uint64_t events,
            bool keyed)
{
    static unsigned made;
    char path[4200];
    struct peer p = {0};
    size_t calls = (size_t)((events + batch - 1) / batch), call = 0;
    int64_t *calls_us = calls_of(calls), spent = 0;
    snprintf(path, sizeof path, "%s/peer%u.sqlite", dir, made++);
    open_peer(&p, path, wallets, keyed);
    int64_t cpu = cpu_ns();
    for (uint64_t i = 0; i < events;) {
        int64_t began = now_us();
        step(&p, p.begin);
        for (size_t k = 0; k < batch && i < events; k++, i++) {
            consume(&p, i, wallets);
        }
        step(&p, p.commit);
        calls_us[call] = now_us() - began;
        spent += calls_us[call++];
    }
    cpu = cpu_ns() - cpu;
    sqlite3_finalize(p.begin);
    sqlite3_finalize(p.take);
    sqlite3_finalize(p.event);
    sqlite3_finalize(p.commit);
    sqlite3_close(p.db);
    add_row(name, (int64_t)events, spent, calls_us, call, 0, cpu);
    free(calls_us);
    return true;
}

#else

bool
peer_sqlite(const char *dir, const char *name, uint32_t wallets, size_t batch, uint64_t events,
            bool keyed)
{
    (void)dir, (void)name, (void)wallets, (void)batch, (void)events, (void)keyed;
    return false;
}

#endif
