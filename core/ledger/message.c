#include "ledger/message.h"
#include "event/names.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct sentence {
    char *at;
    size_t left;
};

static void JB_PRINTF(2, 3) say(struct sentence *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(s->at, s->left, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n < s->left ? (size_t)n : s->left - 1;
    s->at += used;
    s->left -= used;
}

static int64_t
figure(const struct jb_figure *figures, size_t n, jb_figure_name name)
{
    for (size_t i = 0; i < n; i++) {
        if (figures[i].name == (uint32_t)name) {
            return figures[i].value;
        }
    }
    return 0;
}

static const char *
word(const struct jb_names *names, int64_t value)
{
    const char *w = value >= 0 ? jb_name_word(names, (uint32_t)value) : NULL;
    return w != NULL ? w : "?";
}

#define AMOUNT_TEXT_BYTES 48

static const char *
money(jb_amount amount, uint32_t exponent, char buf[AMOUNT_TEXT_BYTES])
{
    uint64_t unit = 1, value = amount < 0 ? (uint64_t)0 - (uint64_t)amount : (uint64_t)amount;
    for (uint32_t i = 0; i < exponent; i++) {
        unit *= 10;
    }
    /* From the end: the decimals, then groups of three behind commas, as tables print them. */
    char text[AMOUNT_TEXT_BYTES];
    size_t at = sizeof text - 1;
    text[at] = '\0';
    if (exponent > 0) {
        snprintf(text + at - exponent - 1, exponent + 2, ".%0*llu", (int)exponent,
                 (unsigned long long)(value % unit));
        at -= exponent + 1;
    }
    uint64_t whole = value / unit;
    for (unsigned digits = 0; digits == 0 || whole > 0; digits++, whole /= 10) {
        if (digits > 0 && digits % 3 == 0) {
            text[--at] = ',';
        }
        text[--at] = (char)('0' + whole % 10);
    }
    if (amount < 0) {
        text[--at] = '-';
    }
    memcpy(buf, text + at, sizeof text - at);
    return buf;
}

static void
say_conditions(struct sentence *s, const struct jb_figure *figures, size_t n, uint32_t exponent)
{
    char amount[AMOUNT_TEXT_BYTES];
    say(s, "the wallet cannot be deleted yet:");
    for (size_t i = 0; i < n; i++) {
        say(s, "%s", i > 0 ? ";" : "");
        switch (figures[i].name) {
        case JB_FIG_NOT_OFF:
            say(s, " it is %s, turn it off first", word(&jb_wallet_status_names, figures[i].value));
            break;
        case JB_FIG_PAID_NOT_ZERO:
            say(s, " its paid cash is %s and must be exactly 0",
                money(figures[i].value, exponent, amount));
            break;
        case JB_FIG_REFUND_OUTSTANDING:
            say(s, " %lld refund(s) are outstanding, end them first", (long long)figures[i].value);
            break;
        default:
            say(s, " condition %u", figures[i].name);
        }
    }
}

static void
say_status(struct sentence *s, uint32_t status, jb_op op)
{
    const struct jb_op_info *info = jb_op_get((uint32_t)op);
    const char *state = word(&jb_wallet_status_names, status);
    if ((op == JB_OP_WALLET_ON && status == JB_WALLET_ACTIVE) ||
        (op == JB_OP_WALLET_OFF && status == JB_WALLET_OFF) ||
        (op == JB_OP_WALLET_SUSPEND && status == JB_WALLET_SUSPENDED)) {
        say(s, "the wallet is %s already", state);
    } else if (op == JB_OP_WALLET_LIFT) {
        say(s, "the wallet is %s: there is no suspension to lift", state);
    } else if (op == JB_OP_WALLET_ON || op == JB_OP_WALLET_OFF) {
        say(s, "the wallet is %s, which does not allow %s; lift the suspension first", state,
            info->name);
    } else {
        say(s,
            "the wallet is %s, which does not allow %s; of charge, consume and refund it allows %s",
            state, info != NULL ? info->name : "this",
            jb_wallet_allows((uint32_t)status, JB_OP_CHARGE) ? "charge and refund" : "refund only");
    }
}

static const char *
op_word(jb_op op)
{
    const struct jb_op_info *info = jb_op_get((uint32_t)op);
    return info != NULL ? info->name : "this";
}

/* "MASTER or OPERATOR"; of an empty set "nobody". */
static const char *
set_words(uint64_t set, const struct jb_names *names, char *text, size_t text_n)
{
    size_t n = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < names->n && n < text_n; i++) {
        if ((set >> i & 1) != 0 && names->words[i] != NULL) {
            n += (size_t)snprintf(text + n, text_n - n, "%s%s", n > 0 ? " or " : "",
                                  names->words[i]);
        }
    }
    return n > 0 ? text : "nobody";
}

static void
say_role(struct sentence *s, const struct jb_figure *figures, size_t n, jb_op op)
{
    char who[160], have[160];
    uint64_t had = (uint64_t)figure(figures, n, JB_FIG_HAVE);
    set_words((uint64_t)figure(figures, n, JB_FIG_WHO), &jb_role_names, who, sizeof who);
    set_words(had, &jb_role_names, have, sizeof have);
    if (had == 0) {
        say(s, "%s takes %s, and the actor has no role here", op_word(op), who);
    } else {
        say(s, "%s takes %s, and the actor is %s", op_word(op), who, have);
    }
}

static void
say_master_needed(struct sentence *s, int64_t wallets, jb_op op)
{
    if (op == JB_OP_POLICY_SET) {
        say(s, "%lld wallets have no master; give each one first (master.transfer)",
            (long long)wallets);
    } else {
        say(s, "the wallet needs a master");
    }
}

/* One sentence a code. */
void
jb_refusal_message(jb_code code, const struct jb_figure *figures, size_t n, jb_op op, int64_t index,
                   const struct jb_log_identity *ledger, char *text, size_t text_n)
{
    struct sentence s = {text, text_n};
    char instant[JB_INSTANT_TEXT_BYTES], day[JB_DAY_TEXT_BYTES], amount[AMOUNT_TEXT_BYTES];
#define FIG(name) ((long long)figure(figures, n, JB_FIG_##name))
    if (index >= 0) {
        say(&s, "command %lld of the group (index %lld) was refused, so none of it was done: ",
            (long long)index + 1, (long long)index);
    }
    switch (code) {
    case JB_CODE_KEY_CONFLICT:
        say(&s,
            "this key was used before for another command (event %lld); nothing was done. Use a "
            "new key for a new command",
            FIG(SEQ));
        break;
    case JB_CODE_EXPECT_MISMATCH:
        say(&s,
            "the wallet is at version %lld, not at the expected one; read it again and decide anew",
            FIG(VERSION));
        break;
    case JB_CODE_WALLET_UNKNOWN:
        say(&s, "there is no wallet of that id");
        break;
    case JB_CODE_WALLET_UNKNOWN_THEN:
        say(&s, "the wallet did not exist yet at that time");
        break;
    case JB_CODE_WALLET_EXISTS:
        say(&s, "a wallet of that id exists, or existed; ids are not given again");
        break;
    case JB_CODE_WALLET_DELETED:
        say(&s, "the wallet is deleted; it can be read but not changed");
        break;
    case JB_CODE_WALLET_STATE:
        say_status(&s, (uint32_t)FIG(STATUS), op);
        break;
    case JB_CODE_DELETE_CONDITIONS:
        say_conditions(&s, figures, n, ledger->exponent);
        break;
    case JB_CODE_ROLE:
        say_role(&s, figures, n, op);
        break;
    case JB_CODE_WALLET_KIND:
        say(&s, "the wallet is %s, and that does not allow %s",
            word(&jb_wallet_kind_names, FIG(KIND)), op_word(op));
        break;
    case JB_CODE_PERSON_STATE:
        say(&s, "the person is %s here; that does not allow %s",
            word(&jb_person_state_names, FIG(PERSON_STATE)), op_word(op));
        break;
    case JB_CODE_INVITE_EXPIRED:
        say(&s, "the invitation lapsed at %s; the master can invite again",
            jb_instant_print(FIG(UNTIL), ledger->utc_offset_s, instant));
        break;
    case JB_CODE_MEMBERS_LIMIT:
        say(&s, "at most %lld people fit in, invited ones included (policy members_max)",
            FIG(MEMBERS_MAX));
        break;
    case JB_CODE_MASTER_NEEDED:
        say_master_needed(&s, FIG(WALLETS), op);
        break;
    case JB_CODE_LAST_OPERATOR:
        say(&s, "the ledger needs an operator, and there would be none; give the role first");
        break;
    case JB_CODE_PERSON_HAS_ROLE:
        say(&s,
            "the person still has roles (wallets %lld, channels %lld, of the ledger %lld); "
            "end them first",
            FIG(WALLETS), FIG(CHANNELS), FIG(ROLES));
        break;
    case JB_CODE_CHANNEL_UNKNOWN:
        say(&s, "there is no channel of that id");
        break;
    case JB_CODE_CHANNEL_EXISTS:
        say(&s, "a channel of that id exists, or existed; ids are not given again");
        break;
    case JB_CODE_CHANNEL_STATE:
        say(&s, "the channel is %s; that does not allow %s",
            word(&jb_channel_state_names, FIG(CHANNEL_STATE)), op_word(op));
        break;
    case JB_CODE_CHANNEL_KIND:
        say(&s, "the channel is %s; a business wallet takes BUSINESS channels only",
            word(&jb_channel_kind_names, FIG(CHANNEL_KIND)));
        break;
    case JB_CODE_SEARCH_ID_INVALID:
        say(&s, "the search id has a mark that this ledger does not allow (policy "
                "search_id_marks)");
        break;
    case JB_CODE_SEARCH_ID_SET:
        say(&s, "the channel has a search id (event %lld); once set it cannot be changed",
            FIG(SEQ));
        break;
    case JB_CODE_SEARCH_ID_TAKEN:
        say(&s, "another channel has, or had, that search id (event %lld)", FIG(SEQ));
        break;
    case JB_CODE_BIZ_NUMBER:
        say(&s, "the registration number was approved in event %lld and cannot be changed",
            FIG(SEQ));
        break;
    case JB_CODE_BIZ_STATE:
        say(&s, "the business information is %s; that does not allow %s",
            word(&jb_biz_state_names, FIG(BIZ_STATE)), op_word(op));
        break;
    case JB_CODE_SALES_STATE:
        say(&s, "the sales right is %s; that does not allow %s",
            word(&jb_sales_state_names, FIG(SALES_STATE)), op_word(op));
        break;
    case JB_CODE_UNCHANGED:
        say(&s, "it is so already; nothing would change");
        break;
    case JB_CODE_RETENTION:
        say(&s, "business information is kept until %s",
            jb_instant_print(FIG(UNTIL), ledger->utc_offset_s, instant));
        break;
    case JB_CODE_CHARGE_UNKNOWN:
        say(&s, "the wallet has no charge of that id");
        break;
    case JB_CODE_GRANT_UNKNOWN:
        say(&s, "the wallet has no grant of that id");
        break;
    case JB_CODE_REFUND_UNKNOWN:
        say(&s, "the wallet has no refund of that id");
        break;
    case JB_CODE_USAGE_UNKNOWN:
        say(&s, "the wallet has no consumption of that usage and sequence number");
        break;
    case JB_CODE_AMBIGUOUS_USAGE:
        say(&s, "more than one consumption of the wallet has that usage; name one by seq");
        break;
    case JB_CODE_ID_EXISTS:
        say(&s, "that id was used before in this wallet; ids are given once");
        break;
    case JB_CODE_INSUFFICIENT_CASH:
        say(&s, "only %s is available (usable free cash and paid cash)",
            money(FIG(AVAILABLE), ledger->exponent, amount));
        break;
    case JB_CODE_NOTHING_REFUNDABLE:
        say(&s, "nothing is refundable now");
        break;
    case JB_CODE_REFUND_EXCEEDS:
        say(&s, "only %s is refundable now", money(FIG(REFUNDABLE), ledger->exponent, amount));
        break;
    case JB_CODE_DEBT_EXCEEDS:
        say(&s, "the debt is only %s", money(FIG(DEBT), ledger->exponent, amount));
        break;
    case JB_CODE_REVERSAL_EXCEEDS:
        say(&s, "only %s of the charge can still be reversed",
            money(FIG(LEFT), ledger->exponent, amount));
        break;
    case JB_CODE_RETURN_EXCEEDS:
        say(&s, "only %s of the consumption can still be returned",
            money(FIG(LEFT), ledger->exponent, amount));
        break;
    case JB_CODE_MIN_CHARGE:
        say(&s, "the minimum charge is %s", money(FIG(MIN_CHARGE), ledger->exponent, amount));
        break;
    case JB_CODE_AMOUNT_INVALID:
        say(&s, "amount must be a whole number from 1 on");
        break;
    case JB_CODE_AMOUNT_RANGE:
        say(&s, "amounts, balances and debts stay within %s",
            money(FIG(LIMIT), ledger->exponent, amount));
        break;
    case JB_CODE_GRANT_STATE:
        say(&s, "the grant is %s; only a dormant one can be activated or revoked",
            word(&jb_grant_state_names, FIG(GRANT_STATE)));
        break;
    case JB_CODE_GRANT_EXPIRED:
        say(&s, "the grant's last day was %s", jb_day_print((jb_day)FIG(EXPIRES_ON), day));
        break;
    case JB_CODE_REFUND_STATE:
        say(&s, "the refund is %s; that does not allow %s",
            word(&jb_refund_state_names, FIG(REFUND_STATE)),
            jb_op_get((uint32_t)op) != NULL ? jb_op_get((uint32_t)op)->name : "this");
        break;
    case JB_CODE_AT_IN_FUTURE:
        say(&s, "`at` is in the future: the ledger's clock says %s",
            jb_instant_print(FIG(NOW), ledger->utc_offset_s, instant));
        break;
    case JB_CODE_AT_NOT_ALLOWED:
        say(&s,
            "this command happens when it is recorded and cannot be dated back: leave `at` out "
            "(the ledger's clock says %s). For an import: `jangbu apply --clock=at`",
            jb_instant_print(FIG(NOW), ledger->utc_offset_s, instant));
        break;
    case JB_CODE_CLOCK_BEHIND:
        say(&s,
            "the clock is %lld.%06lld s behind the last event (%s); set it right and try again, "
            "also with the same key",
            FIG(BEHIND_US) / JB_US_PER_SECOND, FIG(BEHIND_US) % JB_US_PER_SECOND,
            jb_instant_print(FIG(RECORDED_AT), ledger->utc_offset_s, instant));
        break;
    case JB_CODE_DAY_NOT_OVER:
        say(&s, "that day cannot be closed now; the first open day is %s",
            jb_day_print((jb_day)FIG(FIRST_OPEN_DAY), day));
        break;
    case JB_CODE_BATCH_TOO_LARGE:
        say(&s, "a group has at most %d commands and 4 MiB, and 40 MiB of events",
            JB_GROUP_COMMANDS_MAX);
        break;
    case JB_CODE_MALFORMED:
        say(&s, "the command is not well formed");
        break;
    case JB_CODE_GRANTS_LIMIT:
        say(&s, "the wallet has %lld unfinished grants already, the most that the policy allows",
            FIG(GRANTS_MAX));
        break;
    case JB_CODE_FROM_IN_PAST:
        say(&s, "a policy cannot be changed for the past: the ledger's clock says %s",
            jb_instant_print(FIG(NOW), ledger->utc_offset_s, instant));
        break;
    case JB_CODE_TOO_MANY_DAYS:
        say(&s,
            "that would close %lld empty days at once, more than %lld: is the date right? If it "
            "is, repeat with \"force\":true",
            FIG(DAYS), FIG(EMPTY_DAYS_MAX));
        break;
    case JB_CODE_TOO_MANY_PARTS:
        say(&s, "that would take money from more than %lld places; at most %s goes at once",
            FIG(PARTS_MAX), money(FIG(MOST), ledger->exponent, amount));
        break;
    case JB_CODE_CLOCK_AHEAD:
        say(&s,
            "the clock is %lld days ahead of the last event (%s), more than the %lld that the "
            "policy clock_ahead_max allows; set it right and try again, also with the same key. If "
            "it is right, say so (--accept-clock)",
            FIG(AHEAD_US) / JB_US_PER_DAY,
            jb_instant_print(FIG(RECORDED_AT), ledger->utc_offset_s, instant), FIG(DAYS_MAX));
        break;
    case JB_CODE_AT_TOO_OLD:
        say(&s,
            "`at` lies more than %lld days back, the most that the policy at_back_max allows: the "
            "ledger's clock says %s. For an import: `jangbu apply --clock=at`",
            FIG(DAYS_MAX), jb_instant_print(FIG(NOW), ledger->utc_offset_s, instant));
        break;
    case JB_CODE_NONE:
    case JB_CODES_END:
        say(&s, "refused");
        break;
    }
#undef FIG
}
