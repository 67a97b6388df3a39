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
    [JB_CF_PERSON] = FIELD("person", ID, person, 0),
    [JB_CF_ROLE] = FIELD("role", WORD, role, &jb_role_names),
    [JB_CF_AGENCY] = FIELD("agency", ID, agency, 0),
    [JB_CF_CHANNEL] = FIELD("channel", ID, channel, 0),
    [JB_CF_CHANNEL_KIND] = FIELD("channel_kind", WORD, channel_kind, &jb_channel_kind_names),
    [JB_CF_SEARCH_ID] = FIELD("search_id", SEARCH_ID, search_id, 0),
    [JB_CF_MAIL_ORDER] = FIELD("mail_order", LINE, mail_order, 0),
    [JB_CF_BIZ] = FIELD("biz", BIZ, biz, 0),
    [JB_CF_BIZ_NAME] = FIELD("biz_name", LINE, biz_name, 0),
    [JB_CF_REPRESENTATIVE] = FIELD("representative", LINE, representative, 0),
    [JB_CF_ADDRESS] = FIELD("address", LINE, address, 0),
    [JB_CF_EMAIL] = FIELD("email", EMAIL, email, 0),
    [JB_CF_SETTLEMENT] = FIELD("settlement", WORD, settlement, &jb_settlement_names),
    [JB_CF_LIMIT] = FIELD("limit", AMOUNT0, limit, 0),
    [JB_CF_MONTH] = FIELD("month", MONTH, month, 0),
    [JB_CF_INVOICE] = FIELD("invoice", UINT, invoice, 0),
    [JB_CF_REF] = FIELD("ref", REF, ref, 0),
    [JB_CF_RESULT] = FIELD("result", WORD, result, &jb_mail_result_names),
    [JB_CF_WHY] = FIELD("why", WORD, why, &jb_invoice_why_names),
    [JB_CF_CALLER] = FIELD("caller", CALLER, caller, 0),
};

#define H(field) JB_HAS(JB_CF_##field)
#define ANY (H(KEY) | H(ACTOR) | H(AT) | H(CLOCK) | H(NOTE) | H(CALLER))
#define ANY_WALLET (ANY | H(EXPECT))
/* A note of whom is forgotten would be forgotten with him. */
#define NEVER(NAME) (JB_OP_##NAME == JB_OP_FORGET ? H(NOTE) : 0)
enum { JB_EV_NONE = 0 };
const struct jb_op_info jb_ops[JB_OPS] = {
#define OP(NAME, word, event, at, states, rule, required, optional)                                \
    [JB_OP_##NAME] = {                                                                             \
        word,                                                                                      \
        (required),                                                                                \
        (optional) | (((required) & (H(WALLET) | H(CHANNEL)) ? ANY_WALLET : ANY) & ~NEVER(NAME)),  \
        ((required)&H(WALLET)) != 0,                                                               \
        at,                                                                                        \
        JB_EV_##event},
#include "event/commands.def"
#undef OP
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
    return op > 0 && op < JB_OPS && jb_ops[op].name != NULL ? &jb_ops[op] : NULL;
}
