/* Commands as data: the members of each op, how they are written, and what an op becomes. */
#include "event/command_table.h"
#include "event/names.h"

#define FIELD(name, kind, member, names)                                                           \
    {                                                                                              \
        name, JB_CK_##kind, offsetof(struct jb_command, member), names                             \
    }
const struct jb_command_field_info jb_command_fields[JB_CF_N] = {
    [JB_CF_WALLET] = FIELD("wallet", ID, wallet, 0),
    [JB_CF_CHARGE] = FIELD("charge", ID, id, 0),
    [JB_CF_GRANT] = FIELD("grant", ID, id, 0),
    [JB_CF_USAGE] = FIELD("usage", ID, id, 0),
    [JB_CF_REFUND] = FIELD("refund", ID, id, 0),
    [JB_CF_KIND] = FIELD("kind", WORD, kind, &jb_wallet_kind_names),
    [JB_CF_NAME] = FIELD("name", NAME, name, 0),
    [JB_CF_MASTER] = FIELD("master", ID, master, 0),
    [JB_CF_AMOUNT] = FIELD("amount", AMOUNT, amount, 0),
    [JB_CF_METHOD] = FIELD("method", WORD, method, &jb_method_names),
    [JB_CF_PG] = FIELD("pg", SHORT, pg, 0),
    [JB_CF_TXN_REF] = FIELD("txn_ref", REF, txn_ref, 0),
    [JB_CF_APPROVE_NO] = FIELD("approve_no", SHORT, approve_no, 0),
    [JB_CF_REASON] = FIELD("reason", TEXT, reason, 0),
    [JB_CF_EXPIRES_ON] = FIELD("expires_on", DAY, expires_on, 0),
    [JB_CF_ORIGIN] = FIELD("origin", WORD, origin, &jb_origin_names),
    [JB_CF_OVERDRAFT] = FIELD("overdraft", BOOL, overdraft, 0),
    [JB_CF_SEQ] = FIELD("seq", UINT, seq, 0),
    [JB_CF_POLICY] = FIELD("policy", WORD, policy, &jb_policy_names),
    [JB_CF_VALUE] = FIELD("value", VALUE, value, 0),
    [JB_CF_FROM] = FIELD("from", INSTANT, from, 0),
    [JB_CF_DAY] = FIELD("day", DAY, day, 0),
    [JB_CF_FORCE] = FIELD("force", BOOL, force, 0),
    [JB_CF_COMMANDS] = FIELD("commands", COMMANDS, commands, 0),
    [JB_CF_KEY] = FIELD("key", KEY, key, 0),
    [JB_CF_ACTOR] = FIELD("actor", ACTOR, actor_id, 0),
    [JB_CF_AT] = FIELD("at", INSTANT, at, 0),
    [JB_CF_CLOCK] = FIELD("clock", INSTANT, clock, 0),
    [JB_CF_EXPECT] = FIELD("expect", UINT, expect, 0),
    [JB_CF_NOTE] = FIELD("note", TEXT, note, 0),
    [JB_CF_CALLER] = FIELD("caller", CALLER, caller, 0),
};

#define H(field) JB_HAS(JB_CF_##field)
#define ANY (H(KEY) | H(ACTOR) | H(AT) | H(CLOCK) | H(NOTE) | H(CALLER))
#define ANY_WALLET (ANY | H(EXPECT))
const struct jb_op_info jb_ops[JB_OPS] = {
    [JB_OP_WALLET_CREATE] = {"wallet.create", H(WALLET) | H(KIND) | H(NAME), H(MASTER) | ANY_WALLET,
                             true, false, JB_EV_WALLET_CREATED},
    [JB_OP_WALLET_RENAME] = {"wallet.rename", H(WALLET) | H(NAME), ANY_WALLET, true, false,
                             JB_EV_WALLET_RENAMED},
    [JB_OP_WALLET_OFF] = {"wallet.off", H(WALLET), ANY_WALLET, true, false,
                          JB_EV_WALLET_TURNED_OFF},
    [JB_OP_WALLET_ON] = {"wallet.on", H(WALLET), ANY_WALLET, true, false, JB_EV_WALLET_TURNED_ON},
    [JB_OP_WALLET_SUSPEND] = {"wallet.suspend", H(WALLET), ANY_WALLET, true, false,
                              JB_EV_WALLET_SUSPENDED},
    [JB_OP_WALLET_LIFT] = {"wallet.lift", H(WALLET), ANY_WALLET, true, false,
                           JB_EV_SUSPENSION_LIFTED},
    [JB_OP_WALLET_DELETE] = {"wallet.delete", H(WALLET), ANY_WALLET, true, false,
                             JB_EV_WALLET_DELETED},
    [JB_OP_CHARGE] = {"charge", H(WALLET) | H(CHARGE) | H(AMOUNT),
                      H(METHOD) | H(PG) | H(TXN_REF) | H(APPROVE_NO) | ANY_WALLET, true, true,
                      JB_EV_CHARGE_SETTLED},
    [JB_OP_CHARGE_REVERSE] = {"charge.reverse", H(WALLET) | H(CHARGE) | H(AMOUNT),
                              H(REASON) | ANY_WALLET, true, true, JB_EV_CHARGE_REVERSED},
    [JB_OP_DEBT_REPAY] = {"debt.repay", H(WALLET) | H(AMOUNT), H(PG) | H(TXN_REF) | ANY_WALLET,
                          true, true, JB_EV_DEBT_REPAID},
    [JB_OP_FREE_GRANT] = {"free.grant", H(WALLET) | H(GRANT) | H(AMOUNT) | H(EXPIRES_ON),
                          H(ORIGIN) | H(REASON) | ANY_WALLET, true, false, JB_EV_FREE_GRANTED},
    [JB_OP_FREE_ACTIVATE] = {"free.activate", H(WALLET) | H(GRANT), ANY_WALLET, true, false,
                             JB_EV_FREE_ACTIVATED},
    [JB_OP_FREE_REVOKE] = {"free.revoke", H(WALLET) | H(GRANT), ANY_WALLET, true, false,
                           JB_EV_FREE_REVOKED},
    [JB_OP_CONSUME] = {"consume", H(WALLET) | H(USAGE) | H(AMOUNT), H(OVERDRAFT) | ANY_WALLET, true,
                       true, JB_EV_CASH_CONSUMED},
    [JB_OP_CONSUME_REVERSE] = {"consume.reverse", H(WALLET) | H(AMOUNT),
                               H(USAGE) | H(SEQ) | H(REASON) | ANY_WALLET, true, true,
                               JB_EV_CONSUMPTION_REVERSED},
    [JB_OP_REFUND_REQUEST] = {"refund.request", H(WALLET) | H(REFUND), H(AMOUNT) | ANY_WALLET, true,
                              false, JB_EV_REFUND_REQUESTED},
    [JB_OP_REFUND_APPROVE] = {"refund.approve", H(WALLET) | H(REFUND), ANY_WALLET, true, false,
                              JB_EV_REFUND_APPROVED},
    [JB_OP_REFUND_REJECT] = {"refund.reject", H(WALLET) | H(REFUND), ANY_WALLET, true, false,
                             JB_EV_REFUND_REJECTED},
    [JB_OP_REFUND_CANCEL] = {"refund.cancel", H(WALLET) | H(REFUND), ANY_WALLET, true, false,
                             JB_EV_REFUND_CANCELLED},
    [JB_OP_REFUND_COMPLETE] = {"refund.complete", H(WALLET) | H(REFUND), ANY_WALLET, true, false,
                               JB_EV_REFUND_COMPLETED},
    [JB_OP_REFUND_FAIL] = {"refund.fail", H(WALLET) | H(REFUND), ANY_WALLET, true, false,
                           JB_EV_REFUND_FAILED},
    [JB_OP_POLICY_SET] = {"policy.set", H(POLICY) | H(VALUE), H(FROM) | ANY, false, false,
                          JB_EV_POLICY_SET},
    [JB_OP_DAY_CLOSE] = {"day.close", H(DAY), H(FORCE) | ANY, false, false, JB_EV_DAY_CLOSED},
    [JB_OP_ATOMIC] = {"atomic", H(COMMANDS), ANY, false, true, 0},
};

const struct jb_command_field_info *
jb_command_field_get(unsigned field)
{
    return field < JB_CF_N && jb_command_fields[field].name != NULL ? &jb_command_fields[field]
                                                                    : NULL;
}

const struct jb_op_info *
jb_op_get(uint32_t op)
{
    return op > 0 && op < JB_OPS ? &jb_ops[op] : NULL;
}
