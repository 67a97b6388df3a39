#include "postgres.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rows_json.h"

struct postgres {
    PGconn *c;
};

/* Who makes the tables does it alone. The number is "jangbu" in bytes. */
static const char making[] =
    "BEGIN; SELECT pg_advisory_xact_lock(116966696641141);"
    "CREATE TABLE IF NOT EXISTS jangbu_feed ("
    " one boolean PRIMARY KEY DEFAULT true CHECK (one), version integer NOT NULL,"
    " ledger_id text NOT NULL, seq bigint NOT NULL, cursor text NOT NULL,"
    " updated_at timestamptz NOT NULL DEFAULT now());"
    "CREATE TABLE IF NOT EXISTS jangbu_events ("
    " seq bigint PRIMARY KEY, type text NOT NULL, wallet text, recorded_at timestamptz,"
    " occurred_at timestamptz, posted_on date, effect bigint NOT NULL, late boolean NOT NULL,"
    " status text, total bigint, paid bigint, free bigint, free_dormant bigint, debt bigint,"
    " refund_pending bigint, refund_in_transit bigint, event jsonb NOT NULL);"
    "CREATE INDEX IF NOT EXISTS jangbu_events_wallet ON jangbu_events (wallet, seq)";

/* ---- what went wrong ---- */

static void
say(char bad[BAD_BYTES], const char *what, const char *message)
{
    int n = (int)strcspn(message, "\n"); /* libpq's has lines */
    snprintf(bad, BAD_BYTES, "%s: %.*s", what, n < 700 ? n : 700, message);
}

/* Classes of SQLSTATE: the connection, the transaction, want of room, an operator's hand. */
static bool
may_pass(const char *state)
{
    static const char *const classes[] = {"08", "25P03", "40", "53", "55P03", "57"};
    for (size_t i = 0; state != NULL && i < sizeof classes / sizeof classes[0]; i++) {
        if (strncmp(state, classes[i], strlen(classes[i])) == 0) {
            return true;
        }
    }
    return state == NULL;
}

/* r may be NULL. It is cleared. */
static enum postgres_result
failed(struct postgres *p, PGresult *r, const char *what, char bad[BAD_BYTES])
{
    const bool lost = PQstatus(p->c) == CONNECTION_BAD;
    const bool again = lost || may_pass(PQresultErrorField(r, PG_DIAG_SQLSTATE));
    say(bad, what, PQerrorMessage(p->c));
    PQclear(r);
    return again ? POSTGRES_AGAIN : POSTGRES_REFUSED;
}

/* One or more statements, of which the last gives what is expected. ret (NULL: nothing is wanted)
 * is to be cleared. */
static enum postgres_result
run(struct postgres *p, const char *statements, ExecStatusType expected, PGresult **ret,
    const char *what, char bad[BAD_BYTES])
{
    PGresult *r = PQexec(p->c, statements);
    if (PQresultStatus(r) != expected) {
        return failed(p, r, what, bad);
    }
    if (ret != NULL) {
        *ret = r;
    } else {
        PQclear(r);
    }
    return POSTGRES_DONE;
}

/* ---- opening ---- */

/* Notices say that a table is there already. */
static void
no_notice(void *data, const char *message)
{
    (void)data;
    (void)message;
}

static enum postgres_result
refuse(char bad[BAD_BYTES], const char *sentence)
{
    snprintf(bad, BAD_BYTES, "%s", sentence);
    return POSTGRES_REFUSED;
}

/* The row of jangbu_feed, of which there is one. */
static enum postgres_result
read_place(PGresult *r, const char *ledger_id, struct place *place, char bad[BAD_BYTES])
{
    unsigned long long seq;
    char end;
    if (PQntuples(r) != 1) {
        return refuse(bad, "jangbu_feed has no row: drop its tables, and begin anew");
    }
    if (strcmp(PQgetvalue(r, 0, 0), "1") != 0) {
        return refuse(bad, "the tables are of a later version of jangbu-feed");
    }
    if (strcmp(PQgetvalue(r, 0, 1), ledger_id) != 0) {
        return refuse(bad, "the tables are those of another ledger: one schema for each ledger");
    }
    if (sscanf(PQgetvalue(r, 0, 2), "%llu%c", &seq, &end) != 1 ||
        strlen(PQgetvalue(r, 0, 3)) >= sizeof place->cursor) {
        return refuse(bad, "jangbu_feed has a place that is none");
    }
    place->seq = seq;
    snprintf(place->cursor, sizeof place->cursor, "%s", PQgetvalue(r, 0, 3));
    return POSTGRES_DONE;
}

/* Where they are, nobody needs the right to make tables. */
static enum postgres_result
make_tables(struct postgres *p, const char *ledger_id, char bad[BAD_BYTES])
{
    char first[256];
    PGresult *r = NULL;
    enum postgres_result result = run(p, "SELECT to_regclass('jangbu_feed') IS NULL",
                                      PGRES_TUPLES_OK, &r, "looking for the tables", bad);
    if (result != POSTGRES_DONE) {
        return result;
    }
    const bool there = strcmp(PQgetvalue(r, 0, 0), "f") == 0;
    PQclear(r);
    if (there) {
        return POSTGRES_DONE;
    }
    result = run(p, making, PGRES_COMMAND_OK, NULL, "making the tables", bad);
    snprintf(first, sizeof first,
             "INSERT INTO jangbu_feed (version, ledger_id, seq, cursor) VALUES (%d, '%s', 0, '') "
             "ON CONFLICT DO NOTHING; COMMIT",
             POSTGRES_VERSION, ledger_id);
    return result == POSTGRES_DONE ? run(p, first, PGRES_COMMAND_OK, NULL, "making the tables", bad)
                                   : result;
}

static enum postgres_result
prepare(struct postgres *p, const char *ledger_id, struct place *place, char bad[BAD_BYTES])
{
    PGresult *r = NULL;
    enum postgres_result result = make_tables(p, ledger_id, bad);
    if (result != POSTGRES_DONE) {
        return result;
    }
    result = run(p, "SELECT version, ledger_id, seq, cursor FROM jangbu_feed", PGRES_TUPLES_OK, &r,
                 "reading where the copy ends", bad);
    if (result == POSTGRES_DONE) {
        result = read_place(r, ledger_id, place, bad);
        PQclear(r);
    }
    return result;
}

/* What is no conninfo will be none the next time. As libpq, which takes what has no = for the name
 * of a database. */
static enum postgres_result
conninfo_look(const char *conninfo, char bad[BAD_BYTES])
{
    char *message = NULL;
    if (strchr(conninfo, '=') == NULL && strstr(conninfo, "://") == NULL) {
        return POSTGRES_DONE;
    }
    PQconninfoOption *options = PQconninfoParse(conninfo, &message);
    const bool whole = options != NULL;
    if (!whole) {
        say(bad, "CONNINFO", message != NULL ? message : "no memory");
    }
    PQconninfoFree(options);
    PQfreemem(message);
    return whole ? POSTGRES_DONE : POSTGRES_REFUSED;
}

/* The SQLSTATE of a verbose message, which stands behind the severity: "FATAL:  28P01: ...". False:
 * no server said it. */
static bool
state_of(const char *message, char ret[6])
{
    for (const char *at = strstr(message, ":  "); at != NULL; at = strstr(at + 1, ":  ")) {
        const char *state = at + 3;
        if (strspn(state, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && state[5] == ':') {
            memcpy(ret, state, 5);
            ret[5] = '\0';
            return true;
        }
    }
    return false;
}

/* Only what a connection's failure says in words is known; asked to say more, it has the state. */
static enum postgres_result
connect_again(struct postgres *p, char bad[BAD_BYTES])
{
    char state[6];
    PQsetErrorVerbosity(p->c, PQERRORS_VERBOSE);
    PQreset(p->c);
    if (PQstatus(p->c) == CONNECTION_OK) {
        PQsetErrorVerbosity(p->c, PQERRORS_DEFAULT);
        return POSTGRES_DONE;
    }
    const char *message = PQerrorMessage(p->c);
    const bool refused =
        PQconnectionNeedsPassword(p->c) != 0 || (state_of(message, state) && !may_pass(state));
    say(bad, "connecting", message);
    return refused ? POSTGRES_REFUSED : POSTGRES_AGAIN;
}

enum postgres_result
postgres_open(const char *conninfo, const char *ledger_id, struct postgres **ret,
              struct place *place, char bad[BAD_BYTES])
{
    const char *const names[] = {"dbname", "fallback_application_name", "client_encoding", NULL};
    const char *const values[] = {conninfo, "jangbu-feed", "UTF8", NULL};
    struct postgres *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return refuse(bad, "no memory");
    }
    enum postgres_result result = conninfo_look(conninfo, bad);
    p->c = result == POSTGRES_DONE ? PQconnectdbParams(names, values, 1) : NULL;
    if (result == POSTGRES_DONE && PQstatus(p->c) != CONNECTION_OK) {
        result = connect_again(p, bad);
    }
    if (result == POSTGRES_DONE) {
        PQsetNoticeProcessor(p->c, no_notice, NULL);
        result = prepare(p, ledger_id, place, bad);
    }
    *ret = result == POSTGRES_DONE ? p : postgres_close(p);
    return result;
}

struct postgres *
postgres_close(struct postgres *p)
{
    if (p != NULL) {
        PQfinish(p->c);
        free(p);
    }
    return NULL;
}

/* ---- rows ---- */

static void
next_column(struct out *rows)
{
    out_char(rows, '\t');
}

/* As COPY reads it: what would end a column or a row is escaped. */
static void
copy_text(struct out *rows, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char c = s[i];
        const char letter = c == '\\'   ? '\\'
                            : c == '\t' ? 't'
                            : c == '\n' ? 'n'
                            : c == '\r' ? 'r'
                                        : '\0';
        if (letter != '\0') {
            out_char(rows, '\\');
        }
        out_char(rows, letter != '\0' ? letter : c);
    }
}

static void
copy_words(struct out *rows, const char *s)
{
    next_column(rows);
    s != NULL ? copy_text(rows, s, strlen(s)) : out_str(rows, "\\N");
}

static void
copy_instant(struct out *rows, jb_instant t, int32_t utc_offset_s)
{
    char text[JB_INSTANT_TEXT_BYTES];
    copy_words(rows, t != JB_NO_INSTANT ? jb_instant_print(t, utc_offset_s, text) : NULL);
}

static void
copy_balance(struct out *rows, const struct jb_balance *b)
{
    if (b == NULL) {
        for (int i = 0; i < 8; i++) {
            copy_words(rows, NULL);
        }
        return;
    }
    const jb_amount amounts[] = {b->total,
                                 b->paid,
                                 b->free,
                                 b->free_dormant,
                                 b->debt,
                                 b->refund_pending,
                                 b->refund_in_transit};
    copy_words(rows, jb_name_word(jb_names_get(JB_LIST_WALLET_STATUS), b->status));
    for (size_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++) {
        next_column(rows);
        out_int(rows, amounts[i]);
    }
}

jb_status
postgres_row(struct out *rows, struct out *scratch, jb_ledger *l, const struct jb_feed_row *row,
             int32_t utc_offset_s, struct jb_error *err)
{
    const struct jb_event *e = row->event;
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    char day[JB_DAY_TEXT_BYTES];
    scratch->n = 0;
    scratch->first = true;
    const jb_status status = feed_row_json(scratch, l, row, false, utc_offset_s, err);
    if (status != JB_OK) {
        return status;
    }
    out_uint(rows, e->seq);
    copy_words(rows, type != NULL ? type->name : "unknown");
    next_column(rows);
    row->wallet.s != NULL ? copy_text(rows, row->wallet.s, row->wallet.n) : out_str(rows, "\\N");
    copy_instant(rows, e->recorded_at, utc_offset_s);
    copy_instant(rows, e->occurred_at, utc_offset_s);
    copy_words(rows, e->posted_on != JB_NO_DAY ? jb_day_print(e->posted_on, day) : NULL);
    next_column(rows);
    out_int(rows, row->effect);
    copy_words(rows, row->late ? "t" : "f");
    copy_balance(rows, row->balance);
    next_column(rows);
    copy_text(rows, scratch->at, scratch->n);
    out_char(rows, '\n');
    rows->no_memory = rows->no_memory || scratch->no_memory;
    return JB_OK;
}

/* ---- storing ---- */

/* Somebody has moved the place. It was our own transaction where a connection broke while it was
 * committed: the server still did, after the place was read again. */
static enum postgres_result
moved(struct place *place, const char *cursor, char bad[BAD_BYTES])
{
    const bool own = place->doubtful[0] != '\0' && strcmp(cursor, place->doubtful) == 0;
    place->doubtful[0] = '\0';
    if (!own) {
        return refuse(bad, "somebody else writes these tables: another jangbu-feed?");
    }
    snprintf(bad, BAD_BYTES, "what the broken connection was storing is stored after all");
    return POSTGRES_AGAIN;
}

/* Whoever else writes these tables waits, or has moved the place. */
static enum postgres_result
begin(struct postgres *p, struct place *place, char bad[BAD_BYTES])
{
    PGresult *r = NULL;
    enum postgres_result result = run(p, "BEGIN; SELECT cursor FROM jangbu_feed FOR UPDATE",
                                      PGRES_TUPLES_OK, &r, "beginning", bad);
    if (result != POSTGRES_DONE) {
        return result;
    }
    const char *cursor = PQntuples(r) == 1 ? PQgetvalue(r, 0, 0) : "";
    if (PQntuples(r) != 1 || strcmp(cursor, place->cursor) != 0) {
        result = moved(place, cursor, bad);
    }
    PQclear(r);
    return result;
}

/* libpq takes an int: rows are handed on in pieces. */
static enum postgres_result
copy(struct postgres *p, const struct out *rows, char bad[BAD_BYTES])
{
    enum postgres_result result =
        run(p, "COPY jangbu_events FROM STDIN", PGRES_COPY_IN, NULL, "storing rows", bad);
    if (result != POSTGRES_DONE) {
        return result;
    }
    for (size_t at = 0; at < rows->n;) {
        const size_t n = rows->n - at < 1U << 20 ? rows->n - at : 1U << 20;
        if (PQputCopyData(p->c, rows->at + at, (int)n) != 1) {
            return failed(p, NULL, "storing rows", bad);
        }
        at += n;
    }
    if (PQputCopyEnd(p->c, NULL) != 1) {
        return failed(p, NULL, "storing rows", bad);
    }
    PGresult *r = PQgetResult(p->c);
    if (PQresultStatus(r) != PGRES_COMMAND_OK) {
        return failed(p, r, "storing rows", bad);
    }
    while (r != NULL) {
        PQclear(r);
        r = PQgetResult(p->c);
    }
    return POSTGRES_DONE;
}

/* A transaction that failed is rolled back by COMMIT, which says so in its tag alone. */
static enum postgres_result
commit(struct postgres *p, const struct place *to, char bad[BAD_BYTES])
{
    char statement[512];
    PGresult *r = NULL;
    snprintf(statement, sizeof statement,
             "UPDATE jangbu_feed SET seq = %llu, cursor = '%s', updated_at = now(); COMMIT",
             (unsigned long long)to->seq, to->cursor);
    enum postgres_result result = run(p, statement, PGRES_COMMAND_OK, &r, "committing", bad);
    if (result == POSTGRES_DONE) {
        if (strcmp(PQcmdStatus(r), "COMMIT") != 0) {
            result = refuse(bad, "the transaction was rolled back");
        }
        PQclear(r);
    }
    return result;
}

enum postgres_result
postgres_store(struct postgres *p, const struct out *rows, struct place *place,
               const struct place *to, char bad[BAD_BYTES])
{
    enum postgres_result result = begin(p, place, bad);
    result = result == POSTGRES_DONE ? copy(p, rows, bad) : result;
    if (result == POSTGRES_DONE) {
        result = commit(p, to, bad);
        memcpy(place->doubtful, to->cursor, sizeof place->doubtful);
    }
    if (result == POSTGRES_DONE) {
        *place = *to;
    }
    return result;
}
