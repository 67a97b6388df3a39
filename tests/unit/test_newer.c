/* Newer is not damaged: what a later version may have written is JB_E_FORMAT for who reads, and
 * "could not tell" for the audit; the same bytes with a chain value that does not hold are damage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <jangbu/projections.h>
#include <jangbu/replay.h>
#include <lmdb.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "ledger/requires.h"
#include "log/log.h"

#define BASE INT64_C(1790000000000000)

static char dir[64];

static int
setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/jangbu-unit-XXXXXX");
    return mkdtemp(dir) == NULL || jb_init(dir, NULL, NULL) != JB_OK;
}

static int
teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static void
chain_of(const uint8_t before[16], const uint8_t *value, size_t n, uint8_t ret[16])
{
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    XXH3_128bits_update(&state, before, 16);
    XXH3_128bits_update(&state, value, 32);
    XXH3_128bits_update(&state, value + 48, n - 48);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
    memcpy(ret, canonical.digest, 16);
}

struct frame {
    const char *what;
    uint8_t event[600];
    size_t n;
    uint16_t format, must;
    bool known; /* this version knows it */
};

/* Appends a frame with that one event by hand. flip: a bit of that byte of the value is changed
 * behind the chain value; SIZE_MAX: none. */
static void
put(const struct frame *f, size_t flip)
{
    char path[128];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_cursor *cursor;
    MDB_val key, value;
    snprintf(path, sizeof path, "%s/log.mdb", dir);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_mapsize(env, 1 << 20), 0);
    assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
    assert_int_equal(mdb_cursor_open(txn, dbi, &cursor), 0);
    assert_int_equal(mdb_cursor_get(cursor, &key, &value, MDB_LAST), 0);
    const uint8_t *last = value.mv_data;
    jb_seq first = jb_get_be(last + JB_FRAME_FIRST, 8) + jb_get_be(last + JB_FRAME_COUNT, 4);
    uint8_t frame[700] = {0}, key_bytes[8];
    size_t n = 48 + f->n;
    jb_put_be(frame, 2, f->format != 0 ? f->format : 1);
    jb_put_be(frame + JB_FRAME_MUST, 2, f->must | 1U);
    jb_put_be(frame + JB_FRAME_FIRST, 8, first);
    jb_put_be(frame + JB_FRAME_BASE, 8, (uint64_t)BASE);
    jb_put_be(frame + JB_FRAME_COUNT, 4, 1);
    jb_put_be(frame + JB_FRAME_BYTES, 4, f->n);
    memcpy(frame + 48, f->event, f->n);
    chain_of(last + JB_FRAME_CHAIN, frame, n, frame + JB_FRAME_CHAIN);
    if (flip != SIZE_MAX) {
        frame[flip] ^= 0x40;
    }
    jb_put_be(key_bytes, 8, first);
    mdb_cursor_close(cursor);
    key = (MDB_val){8, key_bytes};
    value = (MDB_val){n, frame};
    assert_int_equal(mdb_put(txn, dbi, &key, &value, MDB_APPEND), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

#define EVENT(...) {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})
static const struct frame frames[] = {
    {"a policy", EVENT(0x98, 2, 0, 0, 0, 0, 99, 5, 0xc0), 0, 0, false},
    {"a policy with a reserved number", EVENT(0x98, 2, 0, 0, 0, 0, 20, 5, 0xc0), 0, 0, false},
    {"a kind of wallet", EVENT(0x99, 3, 0, 1, 0, 0, 0xa1, 'W', 9, 0, 0), 0, 0, false},
    {"the op of a refused command",
     EVENT(0x9c, 27, 16, 0, 0, 0, 0xa1, 'k', 0xa0, 1, 77, 3, 0, 0x90), 0, 0, false},
    {"the code of a refusal", EVENT(0x9c, 27, 16, 0, 0, 0, 0xa1, 'k', 0xa0, 1, 8, 99, 0, 0x90), 0,
     0, false},
    {"a reserved code", EVENT(0x9c, 27, 16, 0, 0, 0, 0xa1, 'k', 0xa0, 1, 8, 59, 0, 0x90), 0, 0,
     false},
    {"a figure", EVENT(0x9c, 27, 16, 0, 0, 0, 0xa1, 'k', 0xa0, 1, 8, 3, 0, 0x92, 42, 7), 0, 0,
     false},
    {"a type", EVENT(0x95, 0xcc, 200, 0, 0, 0, 0), 0, 0, false},
    {"a reserved type", EVENT(0x95, 60, 0, 0, 0, 0), 0, 0, false},
    {"a version", EVENT(0x99, 2, 1, 0, 0, 0, 2, 1, 5, 0xc0), 0, 0, false},
    {"more totals of a day",
     {0x98, 26, 1, 0, 0, 0, 2, 0xcd, 0x50, 0, 0xc5, 0x01, 0xd0},
     13 + 29 * 16,
     0,
     0,
     false},
    {"a reserved flag", EVENT(0x99, 2, 0xcd, 0x08, 0, 0, 0, 0, 1, 5, 0xc0), 0, 0, false},
    {"a flag of the envelope", EVENT(0x99, 2, 0xcd, 0x40, 0, 0, 0, 0, 1, 5, 0xc0), 0, 0, false},
    {"a flag of the frame", EVENT(0x98, 2, 0, 0, 0, 0, 1, 5, 0xc0), 0, 16, false},
    {"a format of the frame", EVENT(0x98, 2, 0, 0, 0, 0, 1, 5, 0xc0), 2, 0, false},
    {"a type of more than 32 bits", EVENT(0x95, 0xcf, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0), 0, 0,
     false},
    {"flags of more than 32 bits", EVENT(0x95, 2, 0xcf, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0), 0, 0,
     false},
    {"a word of more than 32 bits",
     EVENT(0x98, 2, 0, 0, 0, 0, 0xcf, 0, 0, 0, 1, 0, 0, 0, 0, 5, 0xc0), 0, 0, false},
    {"17 figures",
     EVENT(0x9c, 27, 16, 0, 0, 0, 0xa1, 'k', 0xa0, 1, 8, 3, 0, 0xdc, 0, 34, 1, 1,  //
           1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, //
           1, 1, 1, 1, 1, 1, 1, 1),
     0, 0, false},
    {"a type that may be skipped", EVENT(0x95, 0xcc, 200, 0xcd, 2, 0, 0, 0, 0), 0, 0, true},
    {"one with a key, which has an answer",
     EVENT(0x98, 0xcc, 200, 0xcd, 2, 16, 0, 0, 0, 0xa1, 'k', 0xa0, 1), 0, 0, false},
    {"one that ends a group", EVENT(0x97, 0xcc, 200, 0xcd, 3, 0, 0, 0, 0, 1, 1), 0, 0, false},
};
static const struct frame known = {"", EVENT(0x99, 3, 0, 1, 0, 0, 0xa1, 'W', 1, 1, 0), 0, 0, true};

static jb_status
open_it(struct jb_error *err)
{
    struct jb_ledger *l;
    struct jb_open_options o = {.size = sizeof o, .read_only = true, .accept_rollback = true};
    jb_status status = jb_open(dir, &o, &l, err);
    if (status == JB_OK) {
        struct jb_head head = {.size = sizeof head};
        struct jb_ledger_stat stat = {.size = sizeof stat};
        status = jb_head_get(l, &head, err);
        status = status == JB_OK ? jb_ledger_stat_get(l, &stat, err) : status;
        jb_close(l);
    }
    return status;
}

static bool told_of_rules; /* of the audit below */

static uint32_t only; /* parts of the audit; 0: all */

static jb_audit_verdict
audit(uint64_t *problems)
{
    struct jb_audit_report *r;
    struct jb_error err;
    struct jb_audit_options o = {.size = sizeof o, .only = only};
    assert_int_equal(jb_audit(dir, &o, &r, &err), JB_OK);
    jb_audit_verdict verdict = r->verdict;
    *problems = r->problems_total;
    if (r->problems_n > 0) {
        print_message("%s\n", r->problems[0]->text);
    }
    told_of_rules = false;
    for (uint32_t i = 0; i < r->not_checked_n; i++) {
        told_of_rules |= strstr(r->not_checked[i], "goes by rules 3") != NULL;
    }
    jb_audit_report_free(r);
    return verdict;
}

static void
newer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        const struct frame *f = &frames[i];
        for (int behind = 0; behind < 2; behind++) { /* whatever stands behind it */
            struct jb_error err = {0};
            uint64_t problems;
            setup(NULL);
            put(f, SIZE_MAX);
            if (behind) {
                put(&known, SIZE_MAX);
            }
            jb_status status = open_it(&err);
            jb_audit_verdict verdict = audit(&problems);
            jb_status wanted = f->known ? JB_OK : JB_E_FORMAT;
            if (status != wanted || problems != 0 ||
                (wanted == JB_E_FORMAT && strstr(err.text, "newer") == NULL) ||
                verdict != (f->known ? JB_VERIFIED : JB_COULD_NOT_TELL)) {
                fail_msg("%s: status %d (%s), verdict %d, %llu problems", f->what, (int)status,
                         err.text, (int)verdict, (unsigned long long)problems);
            }
            teardown(NULL);
        }
    }
}

/* Every byte of a frame with one event: a changed bit is damage, also where it now looks like
 * something newer. */
static void
flipped(void **state)
{
    (void)state;
    for (size_t at = 0; at < 48 + known.n; at++) {
        struct jb_error err = {0};
        uint64_t problems;
        setup(NULL);
        put(&known, at);
        jb_status status = open_it(&err);
        jb_audit_verdict verdict = audit(&problems);
        bool header = at < 4; /* who reads cannot tell, the audit can */
        if ((status != JB_E_CORRUPT && !(header && status == JB_E_FORMAT)) ||
            verdict != JB_REFUTED) {
            fail_msg("byte %zu: status %d (%s), verdict %d", at, (int)status, err.text,
                     (int)verdict);
        }
        teardown(NULL);
    }
}

/* Rules of a later number: read, not written to, and the audit could not tell. */
static void
later_rules(void **state)
{
    (void)state;
    static const struct frame rules = {
        "", EVENT(0x98, 2, 0, 0, 0, 0, JB_POLICY_RULES, JB_RULES + 1, 0xc0), 0, 0, true};
    struct jb_error err = {0};
    uint64_t problems;
    setup(NULL);
    put(&rules, SIZE_MAX);
    assert_int_equal(open_it(&err), JB_OK);
    jb_audit_verdict verdict = audit(&problems);
    assert_int_equal(problems, 0);
    assert_true(told_of_rules);
    assert_int_equal(verdict, JB_COULD_NOT_TELL);
    struct jb_open_options o = {.size = sizeof o};
    struct jb_ledger *l;
    struct jb_answers *answers = jb_answers_new();
    struct jb_command c = {.size = sizeof c,
                           .op = JB_OP_POLICY_SET,
                           .has = JB_HAS(JB_CF_POLICY) | JB_HAS(JB_CF_VALUE),
                           .policy = JB_POLICY_VAT_RATE,
                           .value = 5};
    size_t done = 7;
    assert_int_equal(jb_open(dir, &o, &l, &err), JB_OK);
    assert_int_equal(jb_submit(l, &c, 1, NULL, answers, &done, &err), JB_E_FORMAT);
    assert_non_null(strstr(err.text, "rules 3"));
    assert_int_equal(done, 0);
    jb_close(l);
    jb_answers_free(answers);
    teardown(NULL);
}

/* What contradicts the rules that are known is no damage where others are in force. */
static void
later_decisions(void **state)
{
    (void)state;
    static const struct frame rules = {
        "", EVENT(0x98, 2, 0, 0, 0, 0, JB_POLICY_RULES, JB_RULES + 1, 0xc0), 0, 0, true};
    static const struct frame off = {"", EVENT(0x95, 5, 0, 1, 1, 0), 0, 0, true};
    static const struct frame consumed = {"", EVENT(0x98, 18, 0, 1, 1, 0, 0xa1, 'U', 5, 0x92, 0, 5),
                                          0, 0, true};
    static const struct frame no_lot = {"", EVENT(0x98, 18, 0, 1, 1, 0, 0xa1, 'U', 5, 1), 0, 0,
                                        true};
    for (int newer_rules = 0; newer_rules < 2; newer_rules++) {
        for (int read = 0; read < 2; read++) {
            struct jb_error err = {0};
            uint64_t problems;
            setup(NULL);
            if (newer_rules) {
                put(&rules, SIZE_MAX);
            }
            put(&known, SIZE_MAX);
            put(&off, SIZE_MAX);
            put(read ? &consumed : &no_lot, SIZE_MAX); /* while OFF; from a lot that is none */
            jb_status wanted = read ? JB_OK : newer_rules ? JB_E_FORMAT : JB_E_CORRUPT;
            assert_int_equal(open_it(&err), wanted);
            jb_audit_verdict verdict = audit(&problems);
            assert_int_equal(verdict, newer_rules ? JB_COULD_NOT_TELL : JB_REFUTED);
            assert_int_equal(problems == 0, newer_rules);
            teardown(NULL);
        }
    }
}

/* Each subject has a chain of its own; an event stands in its wallet's and in its subject's. */
static void
subjects(void **state)
{
    (void)state;
    /* policy_set with flag 4096; subject = number * 8 + kind, then how far back */
    static const struct frame sound[] = {
        {"", EVENT(0x9a, 2, 0xcd, 0x10, 0, 0, 0, 0, 9, 0, 1, 5, 0xc0), 0, 0, true},
        {"", EVENT(0x9a, 2, 0xcd, 0x10, 0, 0, 0, 0, 10, 0, 1, 5, 0xc0), 0, 0, true},
        {"", EVENT(0x9a, 2, 0xcd, 0x10, 0, 0, 0, 0, 9, 2, 1, 5, 0xc0), 0, 0, true},
        {"", EVENT(0x9a, 2, 0xcd, 0x10, 0, 0, 0, 0, 17, 0, 1, 5, 0xc0), 0, 0, true},
        {"", EVENT(0x9a, 2, 0xcd, 0x10, 0, 0, 0, 0, 10, 3, 1, 5, 0xc0), 0, 0, true},
    };
    static const struct frame wrong[] = {
        {"skips one", EVENT(0x9a, 2, 0xcd, 0x10, 0, 0, 0, 0, 9, 5, 1, 5, 0xc0), 0, 0, true},
        {"begins anew", EVENT(0x9a, 2, 0xcd, 0x10, 0, 0, 0, 0, 9, 0, 1, 5, 0xc0), 0, 0, true},
        {"another's", EVENT(0x9a, 2, 0xcd, 0x10, 0, 0, 0, 0, 10, 2, 1, 5, 0xc0), 0, 0, true},
        {"names itself", EVENT(0x9a, 2, 0xcd, 0x10, 0, 0, 0, 0, 25, 1, 1, 5, 0xc0), 0, 0, true},
    };
    static const struct frame newer_kind = {
        "", EVENT(0x9a, 2, 0xcd, 0x10, 0, 0, 0, 0, 13, 0, 1, 5, 0xc0), 0, 0, false};
    uint64_t problems;
    only = JB_AUDIT_FORM; /* no rule makes such events */
    for (size_t i = 0; i <= sizeof wrong / sizeof wrong[0]; i++) {
        struct jb_error err = {0};
        bool all_sound = i == sizeof wrong / sizeof wrong[0];
        setup(NULL);
        for (size_t k = 0; k < sizeof sound / sizeof sound[0]; k++) {
            put(&sound[k], SIZE_MAX);
        }
        assert_int_equal(open_it(&err), JB_OK);
        if (!all_sound) {
            put(&wrong[i], SIZE_MAX);
        }
        jb_audit_verdict verdict = audit(&problems);
        if (verdict != (all_sound ? JB_VERIFIED : JB_REFUTED)) {
            fail_msg("%s: verdict %d", all_sound ? "sound" : wrong[i].what, (int)verdict);
        }
        teardown(NULL);
    }
    struct jb_error err = {0};
    setup(NULL);
    put(&newer_kind, SIZE_MAX);
    assert_int_equal(open_it(&err), JB_E_FORMAT);
    assert_int_equal(audit(&problems), JB_COULD_NOT_TELL);
    teardown(NULL);
    only = 0;
}

/* ---- events of a wallet that may be skipped, among others, in lists by type ---- */

struct listed {
    uint32_t type;
    unsigned n;
    jb_seq last;
    bool newest_first;
};

static bool
each_of_type(void *data, const struct jb_event *e)
{
    struct listed *l = data;
    assert_int_equal(e->type, l->type);
    assert_true(l->last == 0 || (l->newest_first ? e->seq < l->last : e->seq > l->last));
    l->last = e->seq;
    l->n++;
    return true;
}

static bool
each_of_history(void *data, const struct jb_history_row *row)
{
    return each_of_type(data, row->event);
}

static void
must_list(jb_views *v, uint32_t type, unsigned n)
{
    struct jb_error err = {0};
    for (unsigned newest_first = 0; newest_first < 2; newest_first++) {
        const jb_order order = newest_first != 0 ? JB_NEWEST_FIRST : JB_OLDEST_FIRST;
        struct listed events = {.type = type, .newest_first = newest_first != 0}, rows = events;
        const struct jb_events_query e = {
            .size = sizeof e, .wallet = {"W", 1}, .order = order, .types = &type, .types_n = 1};
        const struct jb_history_query h = {
            .size = sizeof h, .wallet = {"W", 1}, .order = order, .types = &type, .types_n = 1};
        if (jb_events_get(v, &e, NULL, "", 100, each_of_type, &events, NULL, NULL, &err) != JB_OK ||
            jb_history_find(v, &h, NULL, "", 100, each_of_history, &rows, NULL, NULL, &err) !=
                JB_OK) {
            fail_msg("%s", err.text);
        }
        assert_int_equal(events.n, n);
        assert_int_equal(rows.n, n);
    }
}

/* Once folded, and once of what was stored. */
static void
skipped_in_lists(void **state)
{
    (void)state;
    /* A type above all others, one that is another in its lower byte, a later version of one. */
    static const struct frame skipped[] = {
        {"", EVENT(0x95, 0xcc, 200, 0xcd, 2, 0, 1, 1, 0), 0, 0, true},
        {"", EVENT(0x95, 0xcd, 1, JB_EV_WALLET_RENAMED, 0xcd, 2, 0, 1, 1, 0), 0, 0, true},
        {"", EVENT(0x96, JB_EV_WALLET_TURNED_OFF, 0xcd, 2, 1, 1, 1, 0, 9), 0, 0, true}};
    static const struct frame off = {"", EVENT(0x95, JB_EV_WALLET_TURNED_OFF, 0, 1, 1, 0), 0, 0,
                                     true};
    static const struct frame on = {"", EVENT(0x95, JB_EV_WALLET_TURNED_ON, 0, 1, 1, 0), 0, 0,
                                    true};
    setup(NULL);
    put(&known, SIZE_MAX);
    for (unsigned i = 0; i < 24; i++) {
        put(i == 2 ? &off : i == 3 ? &on : &skipped[i % 3], SIZE_MAX);
    }
    for (unsigned round = 0; round < 2; round++) {
        struct jb_error err = {0};
        jb_ledger *l;
        jb_views *v;
        assert_int_equal(jb_open(dir, NULL, &l, &err), JB_OK);
        assert_int_equal(jb_views_open(l, &v, &err), JB_OK);
        must_list(v, JB_EV_WALLET_CREATED, 1);
        must_list(v, JB_EV_WALLET_TURNED_OFF, 1);
        must_list(v, JB_EV_WALLET_TURNED_ON, 1);
        must_list(v, JB_EV_WALLET_RENAMED, 0);
        must_list(v, JB_EV_INVOICE_MAILED, 0);
        assert_int_equal(jb_views_sync(v, true, &err), JB_OK);
        jb_views_close(v);
        jb_close(l);
    }
    teardown(NULL);
}

/* A backup has the lines about reading only. */
static void
copied_requires(void **state)
{
    (void)state;
    char path[128], dest[64] = "/tmp/jangbu-unit-XXXXXX", text[64] = {0};
    struct jb_error err;
    setup(NULL);
    assert_non_null(mkdtemp(dest));
    snprintf(path, sizeof path, "%s/requires", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("read a-1\nwrite b\n\nread c\n", f);
    fclose(f);
    assert_int_equal(jb_requires_copy(dir, dest, &err), JB_OK);
    snprintf(path, sizeof path, "%s/requires", dest);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fread(text, 1, sizeof text - 1, f), 16);
    fclose(f);
    assert_string_equal(text, "read a-1\nread c\n");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dest), 0);
    teardown(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newer),           cmocka_unit_test(flipped),
        cmocka_unit_test(later_decisions), cmocka_unit_test(later_rules),
        cmocka_unit_test(copied_requires), cmocka_unit_test(subjects),
        cmocka_unit_test(skipped_in_lists)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
