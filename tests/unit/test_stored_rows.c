/* Every row of every table of state.mdb: changed, lost or one too many, in blocks that are sound by
 * themselves, and the audit must say so and name the table. Where it is the wallets that are lost
 * nobody is told that there are none. */
#include <jangbu/replay.h>

#include <string.h>

#include "../check.h"
#include "state/state.h"
#include "storage/store.h"

#define H(field) JB_HAS(JB_CF_##field)
#define ROWS_MAX 2000
#define EACH_MAX 12 /* of a table's rows, spread over all of them */

static char dir[] = "/tmp/stored-rows-XXXXXX";
static char sound[40], copy[40];
static jb_ledger *ledger;
static jb_answers *answers;
static jb_instant clock_now;

static struct jb_text
text(const char *s)
{
    return (struct jb_text){s, strlen(s)};
}

/* Gives it a clock and carries it out. */
static jb_seq
done(struct jb_command c, uint64_t has)
{
    struct jb_error err = {.status = JB_OK};
    struct jb_submit_options o = {.size = sizeof o, .clock = JB_CLOCK_AT};
    size_t n;
    c.size = sizeof c;
    c.has = has | H(CLOCK);
    c.clock = clock_now += 60 * JB_US_PER_SECOND;
    must(jb_submit(ledger, &c, 1, &o, answers, &n, &err) == JB_OK, err.text);
    const struct jb_answer *a = jb_answers_at(answers, 0);
    must(a->outcome == JB_DONE, jb_answer_message(a));
    return a->seq;
}

#define ON_W(...) ((struct jb_command){.wallet = text("W"), __VA_ARGS__})

static void
do_money(void)
{
    done(ON_W(.op = JB_OP_CHARGE, .id = text("C1"), .amount = 5000, .pg = text("toss"),
              .txn_ref = text("t1"), .key = text("k1")),
         H(WALLET) | H(CHARGE) | H(AMOUNT) | H(PG) | H(TXN_REF) | H(KEY));
    done(ON_W(.op = JB_OP_FREE_GRANT, .id = text("G1"), .amount = 30,
              .expires_on = jb_day_of(clock_now, 9 * 3600) + 9),
         H(WALLET) | H(GRANT) | H(AMOUNT) | H(EXPIRES_ON));
    done(ON_W(.op = JB_OP_FREE_GRANT, .id = text("G2"), .amount = 3,
              .expires_on = jb_day_of(clock_now, 9 * 3600) + 9),
         H(WALLET) | H(GRANT) | H(AMOUNT) | H(EXPIRES_ON));
    done(ON_W(.op = JB_OP_FREE_REVOKE, .id = text("G2")), H(WALLET) | H(GRANT));
    done(ON_W(.op = JB_OP_CONSUME, .id = text("U1"), .amount = 700),
         H(WALLET) | H(USAGE) | H(AMOUNT));
    done(ON_W(.op = JB_OP_CONSUME_REVERSE, .id = text("U1"), .amount = 50),
         H(WALLET) | H(USAGE) | H(AMOUNT));
    done(ON_W(.op = JB_OP_REFUND_REQUEST, .id = text("R1"), .amount = 10),
         H(WALLET) | H(REFUND) | H(AMOUNT));
    done(ON_W(.op = JB_OP_REFUND_CANCEL, .id = text("R1")), H(WALLET) | H(REFUND));
}

static void
do_people(void)
{
    done((struct jb_command){.op = JB_OP_CHANNEL_CREATE,
                             .channel = text("C"),
                             .person = text("kim"),
                             .channel_kind = JB_CHANNEL_BUSINESS},
         H(CHANNEL) | H(PERSON) | H(CHANNEL_KIND));
    done((struct jb_command){.op = JB_OP_MANAGER_ADD, .channel = text("C"), .person = text("lee")},
         H(CHANNEL) | H(PERSON));
    done((struct jb_command){.op = JB_OP_MANAGER_REMOVE,
                             .channel = text("C"),
                             .person = text("lee")},
         H(CHANNEL) | H(PERSON));
    done((struct jb_command){.op = JB_OP_CHANNEL_SEARCH_ID,
                             .channel = text("C"),
                             .search_id = text("shop")},
         H(CHANNEL) | H(SEARCH_ID));
    done(ON_W(.op = JB_OP_CHANNEL_CONNECT, .channel = text("C")), H(WALLET) | H(CHANNEL));
    done(ON_W(.op = JB_OP_MEMBER_INVITE, .person = text("park")), H(WALLET) | H(PERSON));
    done(ON_W(.op = JB_OP_MEMBER_ACCEPT, .person = text("park")), H(WALLET) | H(PERSON));
    done(ON_W(.op = JB_OP_MEMBER_INVITE, .person = text("choi")), H(WALLET) | H(PERSON));
    done((struct jb_command){.op = JB_OP_ROLE_GIVE,
                             .person = text("hong"),
                             .role = JB_ROLE_AGENCY,
                             .agency = text("A")},
         H(PERSON) | H(ROLE) | H(AGENCY));
    done((struct jb_command){.op = JB_OP_ROLE_GIVE, .person = text("o"), .role = JB_ROLE_OPERATOR},
         H(PERSON) | H(ROLE));
    done(ON_W(.op = JB_OP_SALES_REQUEST, .agency = text("A")), H(WALLET) | H(AGENCY));
    done(ON_W(.op = JB_OP_SALES_ACCEPT, .agency = text("A")), H(WALLET) | H(AGENCY));
    done(ON_W(.op = JB_OP_WALLET_SETTLEMENT, .settlement = JB_SETTLEMENT_POSTPAID, .limit = 5),
         H(WALLET) | H(SETTLEMENT) | H(LIMIT));
    jb_seq request =
        done(ON_W(.op = JB_OP_BIZ_REQUEST, .biz = text("1234567890"), .biz_name = text("n"),
                  .representative = text("r"), .address = text("a")),
             H(WALLET) | H(BIZ) | H(BIZ_NAME) | H(REPRESENTATIVE) | H(ADDRESS));
    done(ON_W(.op = JB_OP_BIZ_APPROVE, .seq = request), H(WALLET) | H(SEQ));
}

static void
make_ledger(void)
{
    struct jb_error err = {.status = JB_OK};
    must(jb_instant_parse("2026-03-02T09:00:00+09:00", 25, &clock_now), "no instant");
    must(jb_init(sound, NULL, &err) == JB_OK, err.text);
    must(jb_open(sound, NULL, &ledger, &err) == JB_OK, err.text);
    answers = jb_answers_new();
    must(answers != NULL, "no memory");
    done(ON_W(.op = JB_OP_WALLET_CREATE, .kind = JB_KIND_BUSINESS, .name = text("n"),
              .master = text("kim")),
         H(WALLET) | H(KIND) | H(NAME) | H(MASTER));
    do_money();
    do_people();
    clock_now += 2 * JB_US_PER_DAY;
    done(ON_W(.op = JB_OP_CHARGE, .id = text("C2"), .amount = 5000),
         H(WALLET) | H(CHARGE) | H(AMOUNT));
    ledger = jb_close(ledger);
    /* Of a wallet there may be older rows, which nobody asks for: here there is one run. */
    struct jb_rebuild_result rebuilt = JB_SIZED(struct jb_rebuild_result);
    must(jb_rebuild(sound, NULL, &rebuilt, &err) == JB_OK, err.text);
}

/* ---- rows */

struct row {
    uint8_t key[128];
    uint8_t value[4096];
    size_t key_n, value_n;
};
static struct row rows[ROWS_MAX];

static struct jb_store *
open_store(const char *where, struct jb_store_txn *t, bool write)
{
    struct jb_log *log;
    struct jb_log_identity identity;
    struct jb_store *s;
    struct jb_error err = {.status = JB_OK};
    bool remade;
    must(jb_log_open(where, true, false, 0, &log, &err) == JB_OK, err.text);
    must(jb_log_identity(log, &identity, &err) == JB_OK, err.text);
    jb_log_close(log);
    must(jb_store_open(where, &jb_state_schema, identity.ledger_id, false, &s, &remade, &err) ==
             JB_OK,
         err.text);
    must((write ? jb_store_write(s, t, &err) : jb_store_read(s, t, &err)) == JB_OK, err.text);
    return s;
}

static size_t
read_rows(unsigned table)
{
    struct jb_store_txn t;
    struct jb_store *s = open_store(sound, &t, false);
    struct jb_store_row r;
    struct jb_error err;
    size_t n = 0;
    jb_status status = jb_store_seek(&t, table, "", 0, &r, &err);
    while (status == JB_OK) {
        must(n < ROWS_MAX && r.key_n <= sizeof rows[0].key && r.value_n <= sizeof rows[0].value,
             "too many rows");
        memcpy(rows[n].key, r.key, r.key_n);
        memcpy(rows[n].value, r.value, r.value_n);
        rows[n].key_n = r.key_n;
        rows[n++].value_n = r.value_n;
        status = jb_store_next(&t, table, &r, &err);
    }
    must(status == JB_E_NOTFOUND, "rows end");
    jb_store_end(&t);
    jb_store_close(s);
    return n;
}

enum fault { NOTHING, CHANGED, LOST, ADDED };

static void
damage(unsigned table, const struct row *row, enum fault fault)
{
    struct jb_store_txn t;
    struct jb_store *s = open_store(copy, &t, true);
    struct row r = *row;
    struct jb_error err = {.status = JB_OK};
    uint8_t chain[16];
    memcpy(chain, t.meta.chain, sizeof chain);
    jb_seq seq = t.meta.seq;
    jb_status status = JB_OK;
    if (fault == LOST) {
        status = jb_store_del(&t, table, r.key, r.key_n, &err);
    } else if (fault == CHANGED) {
        r.value[r.value_n - 1] ^= 1;
        status = jb_store_put(&t, table, r.key, r.key_n, r.value, r.value_n, &err);
    } else if (fault == ADDED) {
        r.key[r.key_n - 1] ^= 0x55;
        status = jb_store_put(&t, table, r.key, r.key_n, r.value, r.value_n, &err);
    }
    must(status == JB_OK, err.text);
    must(jb_store_commit(&t, seq, chain, &err) == JB_OK, err.text);
    jb_store_close(s);
}

static unsigned failed, tried;

/* The wallet is read from the log. */
static void
goes_on(void)
{
    struct jb_error err = {.status = JB_OK};
    must(jb_open(copy, NULL, &ledger, &err) == JB_OK, err.text);
    done(ON_W(.op = JB_OP_CHARGE, .id = text("C3"), .amount = 5000),
         H(WALLET) | H(CHARGE) | H(AMOUNT));
    ledger = jb_close(ledger);
}

static void
try_one(unsigned table, const struct row *row, enum fault fault)
{
    static const char *const words[] = {"sound", "changed", "lost", "added"};
    char command[256];
    struct jb_audit_report *report;
    struct jb_error err = {.status = JB_OK};
    snprintf(command, sizeof command, "rm -rf %s && cp -r %s %s", copy, sound, copy);
    must(system(command) == 0, "cannot copy the ledger");
    damage(table, row, fault);
    must(jb_audit(copy, NULL, &report, &err) == JB_OK, err.text);
    bool found = false;
    for (uint32_t i = 0; i < report->problems_n; i++) {
        found |= strstr(report->problems[i]->text, "state.mdb, table ") != NULL;
    }
    tried++;
    if (found != (fault != NOTHING) || (report->verdict == JB_REFUTED) != found) {
        failed++;
        printf("failed: a row of %s that is %s: %s\n", jb_state_schema.tables[table], words[fault],
               report->problems_n > 0 ? report->problems[0]->text : "nothing was found");
    }
    jb_audit_report_free(report);
    if (table == JB_TABLE_WALLETS && fault == LOST) {
        goes_on();
    }
}

int
main(void)
{
    make_scratch(dir);
    snprintf(sound, sizeof sound, "%s/sound", dir);
    snprintf(copy, sizeof copy, "%s/copy", dir);
    make_ledger();
    for (unsigned table = 0; table < JB_STATE_TABLES; table++) {
        size_t n = read_rows(table);
        must(n > 0, jb_state_schema.tables[table]);
        size_t step = n > EACH_MAX && table != JB_TABLE_FACTS ? n / EACH_MAX : 1;
        try_one(table, &rows[0], NOTHING);
        try_one(table, &rows[n / 2], ADDED);
        for (size_t i = 0; i < n; i += step) {
            try_one(table, &rows[i], LOST);
            if (rows[i].value_n > 0) {
                try_one(table, &rows[i], CHANGED);
            }
        }
    }
    jb_answers_free(answers);
    printf("%u passed, %u failed\n", tried - failed, failed);
    remove_scratch(dir);
    return failed > 0;
}
