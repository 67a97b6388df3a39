/* What the page calls things: words that users of wallets know. */
#include <stdio.h>

#include "page.h"

#define WORD(words, i)                                                                             \
    ((i) < sizeof(words) / sizeof((words)[0]) && (words)[i] != NULL ? tr((words)[i]) : "?")

const char *
page_event_word(const struct jb_event *e)
{
    static const char *const words[JB_EV_TYPES] = {
        [JB_EV_LEDGER_CREATED] = SAID("ledger made"),
        [JB_EV_POLICY_SET] = SAID("policy set"),
        [JB_EV_WALLET_CREATED] = SAID("wallet made"),
        [JB_EV_WALLET_RENAMED] = SAID("wallet renamed"),
        [JB_EV_WALLET_TURNED_OFF] = SAID("turned off"),
        [JB_EV_WALLET_TURNED_ON] = SAID("turned on"),
        [JB_EV_WALLET_SUSPENDED] = SAID("suspended"),
        [JB_EV_SUSPENSION_LIFTED] = SAID("suspension lifted"),
        [JB_EV_WALLET_DELETED] = SAID("wallet deleted"),
        [JB_EV_CHARGE_SETTLED] = SAID("charged"),
        [JB_EV_CHARGE_REVERSED] = SAID("charge reversed"),
        [JB_EV_DEBT_REPAID] = SAID("debt repaid"),
        [JB_EV_FREE_GRANTED] = SAID("free cash granted"),
        [JB_EV_FREE_ACTIVATED] = SAID("free cash put into use"),
        [JB_EV_FREE_REVOKED] = SAID("free cash taken back"),
        [JB_EV_FREE_EXPIRED] = SAID("free cash lapsed"),
        [JB_EV_FREE_FORFEITED] = SAID("free cash forfeited"),
        [JB_EV_CASH_CONSUMED] = SAID("consumed"),
        [JB_EV_CONSUMPTION_REVERSED] = SAID("returned"),
        [JB_EV_REFUND_REQUESTED] = SAID("refund requested"),
        [JB_EV_REFUND_CANCELLED] = SAID("refund cancelled"),
        [JB_EV_REFUND_REJECTED] = SAID("refund rejected"),
        [JB_EV_REFUND_APPROVED] = SAID("refund approved"),
        [JB_EV_REFUND_COMPLETED] = SAID("refund completed"),
        [JB_EV_REFUND_FAILED] = SAID("refund failed"),
        [JB_EV_DAY_CLOSED] = SAID("day closed"),
        [JB_EV_COMMAND_REFUSED] = SAID("command refused"),
        [JB_EV_ROLE_GIVEN] = SAID("role given"),
        [JB_EV_ROLE_TAKEN] = SAID("role taken"),
        [JB_EV_MEMBER_INVITED] = SAID("member invited"),
        [JB_EV_MEMBER_JOINED] = SAID("member joined"),
        [JB_EV_MEMBER_LEFT] = SAID("member left"),
        [JB_EV_MASTER_TRANSFERRED] = SAID("master changed"),
        [JB_EV_CHANNEL_CREATED] = SAID("channel made"),
        [JB_EV_CHANNEL_STAFFED] = SAID("channel staff changed"),
        [JB_EV_CHANNEL_CONNECTED] = SAID("channel connected"),
        [JB_EV_CHANNEL_DISCONNECTED] = SAID("channel disconnected"),
        [JB_EV_SEARCH_ID_SET] = SAID("search id set"),
        [JB_EV_MAIL_ORDER_SET] = SAID("mail-order number set"),
        [JB_EV_CHANNEL_CLOSED] = SAID("channel closed"),
        [JB_EV_BIZ_REQUESTED] = SAID("business information requested"),
        [JB_EV_BIZ_APPROVED] = SAID("business information approved"),
        [JB_EV_BIZ_REFUSED] = SAID("business information refused"),
        [JB_EV_INVOICE_EMAIL_SET] = SAID("invoice e-mail set"),
        [JB_EV_SALES_REQUESTED] = SAID("sales right requested"),
        [JB_EV_SALES_ACCEPTED] = SAID("sales right given"),
        [JB_EV_SALES_REFUSED] = SAID("sales right refused"),
        [JB_EV_SALES_RELEASED] = SAID("sales right released"),
        [JB_EV_SETTLEMENT_CHANGED] = SAID("settlement changed"),
        [JB_EV_FORGOTTEN] = SAID("forgotten"),
        [JB_EV_PEOPLE_ENCRYPTED] = SAID("personal texts sealed"),
        [JB_EV_NOTICE_SENT] = SAID("notice sent"),
        [JB_EV_INVOICE_ISSUED] = SAID("tax invoice issued"),
        [JB_EV_INVOICE_CONFIRMED] = SAID("tax invoice confirmed"),
        [JB_EV_INVOICE_FAILED] = SAID("tax invoice failed"),
        [JB_EV_INVOICE_MAILED] = SAID("tax invoice mailed"),
    };
    return WORD(words, e->type);
}

const char *
page_cause_word(uint32_t cause)
{
    static const char *const words[JB_CAUSES_N] = {
        [JB_CAUSE_charged] = SAID("charged"),
        [JB_CAUSE_charge_reversed] = SAID("charge reversed"),
        [JB_CAUSE_debt_repaid] = SAID("debt repaid"),
        [JB_CAUSE_free_activated] = SAID("free cash put into use"),
        [JB_CAUSE_consumed] = SAID("consumed"),
        [JB_CAUSE_returned] = SAID("returned"),
        [JB_CAUSE_expired] = SAID("free cash lapsed"),
        [JB_CAUSE_forfeited] = SAID("free cash forfeited"),
        [JB_CAUSE_refunded] = SAID("refunded"),
        [JB_CAUSE_refund_failed] = SAID("refund failed"),
        [JB_CAUSE_expiry_due] = SAID("free cash lapsed, no event yet"),
    };
    return WORD(words, cause);
}

const char *
page_method_word(uint32_t method)
{
    static const char *const words[] = {
        [JB_METHOD_CREDIT_CARD] = SAID("credit card"),
        [JB_METHOD_KAKAOPAY_CARD] = SAID("KakaoPay card"),
        [JB_METHOD_VIRTUAL_ACCOUNT] = SAID("virtual account"),
        [JB_METHOD_KAKAOPAY_CARD_AUTO] = SAID("KakaoPay card, automatic"),
        [JB_METHOD_CREDIT_CARD_REGULAR] = SAID("credit card, automatic"),
        [JB_METHOD_ADMIN_CASH] = SAID("credited by an operator"),
        [JB_METHOD_ADV_RET_CASH] = SAID("given back to the advertiser"),
    };
    return method == JB_METHOD_UNSPECIFIED ? "" : WORD(words, method);
}

const char *
page_origin_word(uint32_t origin)
{
    static const char *const words[] = {
        [JB_ORIGIN_PROMOTION] = SAID("promotion"),
        [JB_ORIGIN_EVENT] = SAID("event campaign"),
        [JB_ORIGIN_UNSENT_SIMPLE] = SAID("message ad not sent"),
        [JB_ORIGIN_UNSENT_NORMAL] = SAID("message not sent"),
        [JB_ORIGIN_OPERATOR] = SAID("given by an operator"),
    };
    return WORD(words, origin);
}

const char *
page_kind_word(uint32_t kind)
{
    static const char *const words[] = {[JB_KIND_PERSONAL] = SAID("personal wallet"),
                                        [JB_KIND_BUSINESS] = SAID("business wallet"),
                                        [JB_KIND_OVERSEAS] = SAID("overseas wallet")};
    return WORD(words, kind);
}

const char *
page_status_word(uint32_t status)
{
    static const char *const words[] = {[JB_WALLET_ACTIVE] = SAID("in use"),
                                        [JB_WALLET_OFF] = SAID("off"),
                                        [JB_WALLET_SUSPENDED] = SAID("suspended state"),
                                        [JB_WALLET_DELETED] = SAID("deleted")};
    return WORD(words, status);
}

const char *
page_grant_word(uint32_t state)
{
    static const char *const words[] = {
        [JB_GRANT_DORMANT] = SAID("not in use yet"), [JB_GRANT_IN_USE] = SAID("in use"),
        [JB_GRANT_EXPIRED] = SAID("lapsed"),         [JB_GRANT_REVOKED] = SAID("taken back"),
        [JB_GRANT_FORFEITED] = SAID("forfeited"),    [JB_GRANT_USED_UP] = SAID("used up")};
    return WORD(words, state);
}

const char *
page_refund_word(uint32_t state)
{
    static const char *const words[] = {
        [JB_REFUND_REQUESTED] = SAID("requested"), [JB_REFUND_APPROVED] = SAID("approved"),
        [JB_REFUND_COMPLETED] = SAID("completed"), [JB_REFUND_REJECTED] = SAID("rejected"),
        [JB_REFUND_CANCELLED] = SAID("cancelled"), [JB_REFUND_FAILED] = SAID("failed")};
    return WORD(words, state);
}

const char *
page_role_word(uint32_t role)
{
    static const char *const words[] = {[JB_ROLE_NONE] = SAID("nobody"),
                                        [JB_ROLE_MASTER] = SAID("wallet master"),
                                        [JB_ROLE_MEMBER] = SAID("wallet member"),
                                        [JB_ROLE_CHANNEL_MASTER] = SAID("channel master"),
                                        [JB_ROLE_MANAGER] = SAID("channel manager"),
                                        [JB_ROLE_AGENCY] = SAID("agency"),
                                        [JB_ROLE_OPERATOR] = SAID("operator"),
                                        [JB_ROLE_GATEWAY] = SAID("payment gateway"),
                                        [JB_ROLE_SYSTEM] = SAID("system"),
                                        [JB_ROLE_SELF] = SAID("the person concerned")};
    return WORD(words, role);
}

const char *
page_op_word(uint32_t op)
{
    static const char *const words[JB_OPS] = {
        [JB_OP_WALLET_CREATE] = SAID("Make a wallet"),
        [JB_OP_WALLET_RENAME] = SAID("Rename the wallet"),
        [JB_OP_WALLET_OFF] = SAID("Turn the wallet off"),
        [JB_OP_WALLET_ON] = SAID("Turn the wallet on"),
        [JB_OP_WALLET_SUSPEND] = SAID("Suspend the wallet"),
        [JB_OP_WALLET_LIFT] = SAID("Lift the suspension"),
        [JB_OP_WALLET_DELETE] = SAID("Delete the wallet"),
        [JB_OP_CHARGE] = SAID("Charge"),
        [JB_OP_CHARGE_REVERSE] = SAID("Reverse a charge"),
        [JB_OP_DEBT_REPAY] = SAID("Repay debt"),
        [JB_OP_FREE_GRANT] = SAID("Grant free cash"),
        [JB_OP_FREE_ACTIVATE] = SAID("Use"),
        [JB_OP_FREE_REVOKE] = SAID("Take free cash back"),
        [JB_OP_CONSUME] = SAID("Consume"),
        [JB_OP_CONSUME_REVERSE] = SAID("Return a consumption"),
        [JB_OP_REFUND_REQUEST] = SAID("Request a refund"),
        [JB_OP_REFUND_APPROVE] = SAID("Approve"),
        [JB_OP_REFUND_REJECT] = SAID("Reject"),
        [JB_OP_REFUND_CANCEL] = SAID("Cancel the refund"),
        [JB_OP_REFUND_COMPLETE] = SAID("Complete"),
        [JB_OP_REFUND_FAIL] = SAID("Fail"),
        [JB_OP_POLICY_SET] = SAID("Set a policy"),
        [JB_OP_DAY_CLOSE] = SAID("Close days"),
        [JB_OP_ROLE_GIVE] = SAID("Give a role"),
        [JB_OP_ROLE_TAKE] = SAID("Take a role"),
        [JB_OP_MEMBER_INVITE] = SAID("Invite a member"),
        [JB_OP_MEMBER_ACCEPT] = SAID("Accept an invitation"),
        [JB_OP_MEMBER_LEAVE] = SAID("Leave the wallet"),
        [JB_OP_MEMBER_REMOVE] = SAID("Remove a member"),
        [JB_OP_MASTER_TRANSFER] = SAID("Change the master"),
        [JB_OP_CHANNEL_CREATE] = SAID("Make a channel"),
        [JB_OP_MANAGER_ADD] = SAID("Add a manager"),
        [JB_OP_MANAGER_REMOVE] = SAID("Remove a manager"),
        [JB_OP_CHANNEL_TRANSFER] = SAID("Change a channel's master"),
        [JB_OP_CHANNEL_CONNECT] = SAID("Connect a channel"),
        [JB_OP_CHANNEL_DISCONNECT] = SAID("Disconnect a channel"),
        [JB_OP_CHANNEL_CLOSE] = SAID("Close a channel"),
        [JB_OP_CHANNEL_SEARCH_ID] = SAID("Set a search id"),
        [JB_OP_CHANNEL_MAIL_ORDER] = SAID("Set a mail-order number"),
        [JB_OP_BIZ_REQUEST] = SAID("Apply for business information"),
        [JB_OP_BIZ_APPROVE] = SAID("Approve business information"),
        [JB_OP_BIZ_REFUSE] = SAID("Refuse business information"),
        [JB_OP_INVOICE_EMAIL] = SAID("Set the invoice e-mail"),
        [JB_OP_SALES_REQUEST] = SAID("Request the sales right"),
        [JB_OP_SALES_ACCEPT] = SAID("Give the sales right"),
        [JB_OP_SALES_REFUSE] = SAID("Refuse the sales right"),
        [JB_OP_SALES_RELEASE] = SAID("Release the sales right"),
        [JB_OP_WALLET_SETTLEMENT] = SAID("Change the settlement"),
        [JB_OP_FORGET] = SAID("Forget"),
        [JB_OP_NOTICE_SEND] = SAID("Send a notice"),
        [JB_OP_INVOICE_ISSUE] = SAID("Issue a tax invoice"),
        [JB_OP_INVOICE_CORRECT] = SAID("Correct a tax invoice"),
        [JB_OP_INVOICE_CONFIRM] = SAID("Confirm a tax invoice"),
        [JB_OP_INVOICE_FAIL] = SAID("Fail a tax invoice"),
        [JB_OP_INVOICE_MAIL] = SAID("Note the mailing of a tax invoice"),
    };
    return WORD(words, op);
}

const char *
page_field_word(unsigned field)
{
    static const char *const words[JB_CF_N] = {
        [JB_CF_WALLET] = SAID("wallet"),
        [JB_CF_CHARGE] = SAID("charge number"),
        [JB_CF_GRANT] = SAID("number of the free cash"),
        [JB_CF_USAGE] = SAID("usage number"),
        [JB_CF_REFUND] = SAID("refund number"),
        [JB_CF_KIND] = SAID("kind"),
        [JB_CF_NAME] = SAID("name"),
        [JB_CF_MASTER] = SAID("master"),
        [JB_CF_AMOUNT] = SAID("amount"),
        [JB_CF_METHOD] = SAID("method of payment"),
        [JB_CF_PG] = SAID("gateway"),
        [JB_CF_TXN_REF] = SAID("transaction number"),
        [JB_CF_APPROVE_NO] = SAID("approval number"),
        [JB_CF_REASON] = SAID("reason"),
        [JB_CF_EXPIRES_ON] = SAID("last day"),
        [JB_CF_ORIGIN] = SAID("origin"),
        [JB_CF_OVERDRAFT] = SAID("below zero, too"),
        [JB_CF_SEQ] = SAID("event"),
        [JB_CF_POLICY] = SAID("policy"),
        [JB_CF_VALUE] = SAID("value"),
        [JB_CF_FROM] = SAID("from"),
        [JB_CF_DAY] = SAID("day"),
        [JB_CF_FORCE] = SAID("many empty days, too"),
        [JB_CF_AT] = SAID("when it happened"),
        [JB_CF_NOTE] = SAID("note"),
        [JB_CF_PERSON] = SAID("person"),
        [JB_CF_ROLE] = SAID("role"),
        [JB_CF_AGENCY] = SAID("agency"),
        [JB_CF_CHANNEL] = SAID("channel"),
        [JB_CF_CHANNEL_KIND] = SAID("kind of channel"),
        [JB_CF_SEARCH_ID] = SAID("search id"),
        [JB_CF_MAIL_ORDER] = SAID("mail-order number"),
        [JB_CF_BIZ] = SAID("registration number"),
        [JB_CF_BIZ_NAME] = SAID("company"),
        [JB_CF_REPRESENTATIVE] = SAID("representative"),
        [JB_CF_ADDRESS] = SAID("address"),
        [JB_CF_EMAIL] = SAID("e-mail"),
        [JB_CF_SETTLEMENT] = SAID("settlement"),
        [JB_CF_LIMIT] = SAID("limit"),
        [JB_CF_MONTH] = SAID("tax month"),
        [JB_CF_INVOICE] = SAID("tax invoice"),
        [JB_CF_REF] = SAID("paper elsewhere"),
        [JB_CF_RESULT] = SAID("result"),
        [JB_CF_WHY] = SAID("cause"),
    };
    return WORD(words, field);
}

static const char *
settlement_word(uint32_t settlement)
{
    static const char *const words[] = {
        [JB_SETTLEMENT_PREPAID] = SAID("prepaid"), [JB_SETTLEMENT_POSTPAID] = SAID("postpaid")};
    return WORD(words, settlement);
}

static const char *
channel_kind_word(uint32_t kind)
{
    static const char *const words[] = {[JB_CHANNEL_BASIC] = SAID("basic channel"),
                                        [JB_CHANNEL_BUSINESS] = SAID("business channel")};
    return WORD(words, kind);
}

const char *
page_why_word(uint32_t why)
{
    static const char *const words[] = {
        [JB_INVOICE_CLOSED_BUSINESS] = SAID("the business is closed"),
        [JB_INVOICE_SUSPENDED_BUSINESS] = SAID("the business is suspended"),
        [JB_INVOICE_WRONG_NUMBER] = SAID("the registration number is wrong"),
        [JB_INVOICE_OTHER] = SAID("another cause")};
    return WORD(words, why);
}

static const char *
mail_word(uint32_t result)
{
    static const char *const words[] = {
        [JB_MAIL_SENT] = SAID("mail sent"), [JB_MAIL_BOUNCED] = SAID("mail bounced")};
    return WORD(words, result);
}

/* The others (policies) are words of the interface, which no language changes. */
const char *
page_choice_word(unsigned field, uint32_t number)
{
    const struct jb_command_field_info *f = jb_command_field_get(field);
    switch (field) {
    case JB_CF_METHOD:
        return page_method_word(number);
    case JB_CF_ORIGIN:
        return page_origin_word(number);
    case JB_CF_KIND:
        return page_kind_word(number);
    case JB_CF_ROLE:
        return page_role_word(number);
    case JB_CF_SETTLEMENT:
        return settlement_word(number);
    case JB_CF_CHANNEL_KIND:
        return channel_kind_word(number);
    case JB_CF_WHY:
        return page_why_word(number);
    case JB_CF_RESULT:
        return mail_word(number);
    default:
        return f != NULL && f->names != NULL ? jb_name_word(f->names, number) : NULL;
    }
}

const char *
page_gateway_word(jb_gateway gateway, struct jb_text pg, char buf[40])
{
    if (gateway == JB_GATEWAY_TOSS) {
        return tr("Toss Payments");
    }
    if (gateway == JB_GATEWAY_INICIS) {
        return tr("KG Inicis");
    }
    snprintf(buf, 40, "%.*s", (int)pg.n, pg.s != NULL ? pg.s : "");
    return buf;
}
