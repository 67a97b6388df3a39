/* A setter sets its member and its bit, and nothing else; a struct that is begun again has
 * forgotten. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <jangbu/ledger.h>

#include "../check.h"

static struct jb_command made;

static void
begin(void)
{
    memset(&made, 0xa5, sizeof made); /* what lay in that memory before */
    jb_command_begin(&made, JB_OP_CHARGE);
}

/* The bytes that differ from a command that was only begun lie in this member and in `has`. */
static void
check_only(unsigned field, size_t bytes)
{
    const struct jb_command_field_info *f = jb_command_field_get(field);
    struct jb_command plain;
    jb_command_begin(&plain, JB_OP_CHARGE);
    assert_non_null(f);
    assert_true(made.has == JB_HAS(field));
    plain.has = made.has;
    memcpy((char *)&plain + f->offset, (const char *)&made + f->offset, bytes);
    assert_memory_equal(&plain, &made, sizeof made);
}

static void
test_each(void **state)
{
    (void)state;
    const struct jb_text t = jb_text_of("text");
    unsigned tried = 0;
#define TEXT(name, FIELD)                                                                          \
    begin();                                                                                       \
    jb_set_##name(&made, t);                                                                       \
    check_only(JB_CF_##FIELD, sizeof t);                                                           \
    tried++;
#define NUMBER(name, FIELD, zero, bytes)                                                           \
    begin();                                                                                       \
    jb_set_##name(&made, zero); /* 0 is a value, and there */                                      \
    check_only(JB_CF_##FIELD, bytes);                                                              \
    tried++;
    TEXT(wallet, WALLET)
    TEXT(charge, CHARGE)
    TEXT(grant, GRANT)
    TEXT(usage, USAGE)
    TEXT(refund, REFUND)
    TEXT(name, NAME)
    TEXT(master, MASTER)
    TEXT(pg, PG)
    TEXT(txn_ref, TXN_REF)
    TEXT(approve_no, APPROVE_NO)
    TEXT(reason, REASON)
    TEXT(key, KEY)
    TEXT(caller, CALLER)
    TEXT(note, NOTE)
    TEXT(person, PERSON)
    TEXT(agency, AGENCY)
    TEXT(channel, CHANNEL)
    TEXT(search_id, SEARCH_ID)
    TEXT(mail_order, MAIL_ORDER)
    TEXT(biz, BIZ)
    TEXT(biz_name, BIZ_NAME)
    TEXT(representative, REPRESENTATIVE)
    TEXT(address, ADDRESS)
    TEXT(email, EMAIL)
    TEXT(ref, REF)
    NUMBER(kind, KIND, JB_KIND_PERSONAL, sizeof(uint32_t))
    NUMBER(method, METHOD, JB_METHOD_UNSPECIFIED, sizeof(uint32_t))
    NUMBER(origin, ORIGIN, JB_ORIGIN_PROMOTION, sizeof(uint32_t))
    NUMBER(policy, POLICY, JB_POLICY_MIN_CHARGE, sizeof(uint32_t))
    NUMBER(role, ROLE, JB_ROLE_NONE, sizeof(uint32_t))
    NUMBER(channel_kind, CHANNEL_KIND, JB_CHANNEL_BASIC, sizeof(uint32_t))
    NUMBER(settlement, SETTLEMENT, JB_SETTLEMENT_PREPAID, sizeof(uint32_t))
    NUMBER(limit, LIMIT, 0, sizeof(jb_amount))
    NUMBER(month, MONTH, 0, sizeof(uint32_t))
    NUMBER(invoice, INVOICE, 0, sizeof(uint64_t))
    NUMBER(result, RESULT, JB_MAIL_SENT, sizeof(uint32_t))
    NUMBER(why, WHY, JB_INVOICE_OTHER, sizeof(uint32_t))
    NUMBER(amount, AMOUNT, 0, sizeof(jb_amount))
    NUMBER(expires_on, EXPIRES_ON, 0, sizeof(jb_day))
    NUMBER(overdraft, OVERDRAFT, 0, 1)
    NUMBER(force, FORCE, 0, 1)
    NUMBER(seq, SEQ, 0, sizeof(jb_seq))
    NUMBER(value, VALUE, 0, sizeof(int64_t))
    NUMBER(from, FROM, 0, sizeof(jb_instant))
    NUMBER(day, DAY, 0, sizeof(jb_day))
    NUMBER(at, AT, 0, sizeof(jb_instant))
    NUMBER(clock, CLOCK, 0, sizeof(jb_instant))
    NUMBER(expect, EXPECT, 0, sizeof(uint64_t))
    begin();
    jb_set_actor(&made, t, t);
    check_only(JB_CF_ACTOR, 2 * sizeof t);
    begin();
    jb_set_commands(&made, &made, 1);
    check_only(JB_CF_COMMANDS, sizeof(void *) + sizeof(size_t));
    tried += 2;
    /* No member of the table is without a setter. */
    for (unsigned field = 0; field < JB_CF_N; field++) {
        tried -= jb_command_field_get(field) != NULL;
    }
    assert_int_equal(tried, 0);
}

/* What the op does not take is found and named, before anything is done. */
static void
test_not_taken(void **state)
{
    (void)state;
    char dir[] = "/tmp/jangbu-setters-XXXXXX";
    make_scratch(dir);
    jb_ledger *l = NULL;
    struct jb_error err;
    must(jb_init(dir, NULL, &err) == JB_OK, "no ledger can be made");
    must(jb_open(dir, NULL, &l, &err) == JB_OK, "the ledger does not open");
    jb_answers *answers = jb_answers_new();
    struct jb_command c;
    jb_command_begin(&c, JB_OP_WALLET_OFF);
    jb_set_wallet(&c, jb_text_of("W"));
    jb_set_amount(&c, 5);
    assert_int_equal(jb_submit(l, &c, 1, NULL, answers, NULL, &err), JB_OK);
    assert_int_equal(jb_answers_at(answers, 0)->code, JB_CODE_MALFORMED);
    assert_non_null(strstr(jb_answer_message(jb_answers_at(answers, 0)), "takes no amount"));
    struct jb_command never = {0};
    assert_int_equal(jb_submit(l, &never, 1, NULL, answers, NULL, &err), JB_E_USAGE);
    jb_answers_free(answers);
    jb_close(l);
    remove_scratch(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
