/* The table of sub-commands, and help. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "language.h"
#include "pager.h"
#include "parse.h"
#include "process.h"

struct row {
    const char *name;
    int (*run)(struct app *app, int argc, char **argv);
    unsigned takes;    /* enum takes */
    const char *usage; /* lines of arguments, each behind "jangbu NAME" */
    const char *what;  /* one line */
    const char *help;  /* more; may be "" */
};

/* Which words of the table are which: those of usage are the same in every language. */
#define USAGE(text) text
#define HELP(text) text

#define LANGUAGE                                                                                   \
    "  --lang ko|en     the language; that of LC_ALL, LC_MESSAGES or LANG unless given\n"
#define JSON "  --json           one JSON object (or line) for programs\n"
#define KEY_FILE                                                                                   \
    "  --key-file FILE  where the key of a sealed ledger lies; LEDGER.key unless given\n"
#define COMMON JSON KEY_FILE LANGUAGE
#define AS_OF "  --as-of WHEN     as of an event's number, a time with an offset, or a closed day\n"
#define PAGE                                                                                       \
    "  --limit N        rows, 1 to 10,000; 100 unless given\n"                                     \
    "  --cursor NEXT    go on where the page before ended\n"
#define BOUNDS                                                                                     \
    "  --since WHEN     from an event's number, a time with an offset, or a day on\n"              \
    "  --until WHEN     up to that event or the end of that day; before that time. Both go by "    \
    "the "                                                                                         \
    "time at which events were recorded, not by when they happened\n"                              \
    "  --min AMOUNT, --max AMOUNT\n"                                                               \
    "                   whose amount lies between them, both included\n"
#define AMOUNT "  AMOUNT           as it is printed: 50000 or 50,000 won; 50.00 dollars, never 50\n"
#define KEY                                                                                        \
    "  --key KEY        idempotency key: the same command with the same key is done once, for "    \
    "ever\n"
#define TRIED                                                                                      \
    "  --dry-run        the verdict and the balances it would give; nothing is written\n"          \
    "  --accept-clock   the clock is right, however far it is ahead of the last event\n" COMMON
#define KEYED KEY "  --actor ID[:ROLE], --note TEXT, --caller NAME\n" TRIED
#define CHANNEL "  --channel C      what it went through; a role in a channel counts only so\n"
#define AT "  --at TIME        when it happened, like 2026-10-31T09:00:00+09:00\n"
#define ONE "  --expect N       only if the wallet is at this version\n" KEYED

static const struct row rows[] = {
    {"init", cmd_init, TAKES_JSON,
     USAGE("DIR [--currency KRW] [--exponent N] [--offset +09:00] [--roles=enforce --operator ID] "
           "[--key-file FILE] [--invoice-from MONTH|none]"),
     SAID("make a ledger in a new or empty directory"),
     HELP("  --currency CODE  ISO 4217; KRW unless given\n"
          "  --exponent N     the currency's decimals, 0 to 6; known for most currencies\n"
          "  --offset +hh:mm  from UTC: where the day begins; +09:00 unless given. These three "
          "never change\n"
          "  --roles=enforce  each command takes a role of its actor (`jangbu roles`), and names "
          "and "
          "notes are sealed; trust unless given: nobody is asked\n"
          "  --operator ID    the first operator, who gives the other roles\n"
          "  --key-file FILE  seal names and notes, with a key that is made there, outside of the "
          "ledger; with --roles=enforce DIR.key unless given\n"
          "  --invoice-from MONTH\n"
          "                   the first month with tax invoices, like 2026-03, or none; in KRW all "
          "months, unless given\n" JSON LANGUAGE)},
    {"apply", cmd_apply, TAKES_JSON | TAKES_CALLER,
     USAGE("LEDGER [FILE] [--atomic] [--clock=at|system] [--dry-run] [--accept-clock] [--caller "
           "NAME] [--key KEY] [--at TIME]"),
     SAID("carry out commands, one JSON object a line, from FILE or standard input; one JSON "
          "result a "
          "line"),
     HELP("  --clock=at       each command's `at` (or its `clock`) is the ledger's clock: imports, "
          "tests\n"
          "  --atomic         the whole input is one group: all of it or nothing (--key and --at "
          "are "
          "the group's)\n"
          "  --dry-run        decide, show, write nothing\n"
          "  --accept-clock   the system's clock is right, however far it is ahead of the last "
          "event\n" KEY_FILE LANGUAGE
          "Results come in the order of the lines, as soon as they are on disk. A bad line is one "
          "refused result; the rest go on.\n"
          "The exit code is 1 if any line was refused. Applying a file again does keyed commands "
          "once.\n"
          "docs/vocabulary.md has the commands, with those of people, channels and businesses.\n")},
    {"wallet", cmd_one, TAKES_JSON | TAKES_CALLER,
     USAGE("create LEDGER WALLET --kind PERSONAL|BUSINESS|OVERSEAS --name NAME [--master ID] "
           "[--channel "
           "CHANNEL]\nrename "
           "LEDGER WALLET --name NAME\noff|on|suspend|lift|delete "
           "LEDGER WALLET"),
     SAID("make, rename, turn off and on, suspend, lift, delete a wallet; how it pays"),
     HELP("  --settlement     PREPAID, or POSTPAID with a --limit\n"
          "  --master ID      who is in charge; kept apart from the log, like the name\n"
          "  --channel C      the channel whose master makes it, for himself\n" ONE)},
    {"charge", cmd_one, TAKES_JSON | TAKES_CALLER,
     USAGE("LEDGER WALLET CHARGE AMOUNT [--method M] [--pg PG] [--txn-ref REF] [--approve-no "
           "NO] [--channel CHANNEL]\nreverse LEDGER WALLET CHARGE AMOUNT [--reason R]"),
     SAID("paid cash came in; or a charge is taken back"),
     HELP(AMOUNT
          "  --method M       CREDIT_CARD, KAKAOPAY_CARD, VIRTUAL_ACCOUNT: of at least the policy "
          "min_charge; KAKAOPAY_CARD_AUTO, CREDIT_CARD_REGULAR, ADMIN_CASH, ADV_RET_CASH, and "
          "without it: of any amount\n"
          "  --reason R       DEPOSIT_ERROR, CHARGEBACK, PG_CANCEL, OPERATOR_ERROR, or "
          "words\n" CHANNEL AT ONE)},
    {"repay", cmd_one, TAKES_JSON | TAKES_CALLER,
     USAGE("LEDGER WALLET AMOUNT [--pg PG] [--txn-ref REF]"),
     SAID("a debt is paid (also while suspended)"), HELP(AMOUNT AT ONE)},
    {"grant", cmd_one, TAKES_JSON | TAKES_CALLER,
     USAGE(
         "LEDGER WALLET GRANT AMOUNT --expires-on DAY [--origin O] [--reason TEXT]\nrevoke LEDGER "
         "WALLET GRANT"),
     SAID("give free cash, dormant until activated; or take it back while it is dormant"),
     HELP(AMOUNT
          "  --expires-on DAY the last day on which it can be used\n"
          "  --origin O       PROMOTION (unless given), EVENT, UNSENT_SIMPLE, UNSENT_NORMAL, "
          "OPERATOR\n" ONE)},
    {"activate", cmd_one, TAKES_JSON | TAKES_CALLER, USAGE("LEDGER WALLET GRANT"),
     SAID("bring a grant into use, once"), HELP(ONE)},
    {"consume", cmd_one, TAKES_JSON | TAKES_CALLER,
     USAGE("LEDGER WALLET USAGE AMOUNT [--overdraft] [--channel CHANNEL]\nreverse LEDGER WALLET "
           "USAGE AMOUNT [--seq N] "
           "[--reason R]"),
     SAID("pay for a usage: free cash, then paid cash, then debt; or return it"),
     HELP(AMOUNT
          "  --overdraft      may make a debt\n"
          "  --seq N          which consumption, where the usage occurs twice\n"
          "  --reason R       INVALID_CLICK, UNSENT, OPERATOR_ERROR, or words\n" CHANNEL AT ONE)},
    {"refund", cmd_one, TAKES_JSON | TAKES_CALLER,
     USAGE(
         "request LEDGER WALLET REFUND [AMOUNT]\napprove|reject|cancel|complete|fail LEDGER WALLET "
         "REFUND"),
     SAID("pay cash out to the customer"),
     HELP("  AMOUNT           as it is printed; all that is refundable now, unless given\n" ONE)},
    {"policy", cmd_one, TAKES_JSON | TAKES_CALLER, USAGE("set LEDGER POLICY VALUE [--from TIME]"),
     SAID("change a number of the rules from a time on"),
     HELP("  POLICY VALUE     min_charge (an AMOUNT, as it is printed: 2,000 won, 5.00 dollars), "
          "day_close (auto or manual), day_close_grace "
          "(seconds), grants_max, "
          "clock_tolerance (seconds), empty_days_max, vat_rate (per cent), rules "
          "(their number), "
          "clock_ahead_max (days), at_back_max (days), roles (0: trust, 1: `jangbu roles`), "
          "invite_days, members_max, biz_retention_days, search_id_marks (0: none, 1: -, 2: _, 3: "
          "both), invoice_from (the first month with tax invoices, like 2026-03), invoice_day (of "
          "the next month, from which on one is due), notice_days (before a grant lapses), "
          "receipt_tax (0: not said, 1: taxable, 2: exempt)\n"
          "  --from TIME      not in the past; now, unless given\n" KEYED)},
    {"day", cmd_one, TAKES_JSON | TAKES_CALLER, USAGE("close LEDGER DAY [--force]"),
     SAID("close a day, and the open days before it"),
     HELP(
         "  --force          even if more than empty_days_max empty days would be closed\n" KEYED)},
    {"role", cmd_one, TAKES_JSON | TAKES_CALLER, USAGE(""),
     SAID("give somebody a role of the ledger, or take it"),
     HELP("  ROLE             OPERATOR, GATEWAY, SYSTEM; or AGENCY, with --agency\n" KEYED)},
    {"member", cmd_one, TAKES_JSON | TAKES_CALLER, USAGE(""),
     SAID("invite somebody into a wallet, accept, leave, remove"), HELP(ONE)},
    {"master", cmd_one, TAKES_JSON | TAKES_CALLER, USAGE(""),
     SAID("make another of its members the master of a wallet"), HELP(ONE)},
    {"manager", cmd_one, TAKES_JSON | TAKES_CALLER, USAGE(""),
     SAID("add a manager to a channel, or remove one"), HELP(ONE)},
    {"notice", cmd_one, TAKES_JSON | TAKES_CALLER, USAGE(""),
     SAID("say that somebody was told about a grant that lapses"), HELP(ONE)},
    {"sales", cmd_one, TAKES_JSON | TAKES_CALLER, USAGE(""),
     SAID("ask for the sales right of a wallet, accept, refuse, release"), HELP(ONE)},
    {"forget", cmd_one, TAKES_JSON | TAKES_CALLER, USAGE(""),
     SAID("forget a person, a deleted wallet, or a business that nobody has"),
     HELP("  one of --person, --wallet, --biz; what is named can be read by nobody any "
          "more\n" KEY "  --actor ID[:ROLE], --caller NAME\n" TRIED)},
    {"balance", cmd_balance, TAKES_JSON | TAKES_AS_OF, USAGE("LEDGER WALLET\nLEDGER --all"),
     SAID("what a wallet has, in real time"), HELP(AS_OF COMMON)},
    {"wallets", cmd_wallets, TAKES_JSON | TAKES_AS_OF,
     USAGE(
         "LEDGER [--status STATUS] [--kind KIND] [--name TEXT] [--master ID] [--min AMOUNT] [--max "
         "AMOUNT] [--in-debt] [--used-since WHEN] [--unused-since WHEN] [--limit N] [--cursor "
         "NEXT]"),
     SAID("wallets and what they have, in the order in which they were made"),
     HELP("  --status STATUS  ACTIVE, OFF, SUSPENDED, DELETED, or some with commas between them\n"
          "  --kind KIND      PERSONAL, BUSINESS, OVERSEAS, likewise\n"
          "  --name TEXT      that is part of the name: each name is looked up\n"
          "  --master ID      whose master that person is\n"
          "  --min AMOUNT, --max AMOUNT\n"
          "                   whose total cash lies between them, both included\n"
          "  --in-debt        whose paid cash is below 0\n"
          "  --used-since WHEN, --unused-since WHEN\n"
          "                   whose last consumption happened at that time, or from that day on; "
          "before it, or never\n" PAGE AS_OF COMMON)},
    {"charges", cmd_items, TAKES_JSON | TAKES_AS_OF,
     USAGE("LEDGER WALLET [--open] [--limit N] [--cursor NEXT]"),
     SAID("a wallet's charges: state, what is left, and the gateway's keys to each"),
     HELP("  --open           only those that have something left\n" PAGE AS_OF COMMON)},
    {"lots", cmd_items, TAKES_JSON | TAKES_AS_OF,
     USAGE("LEDGER WALLET [--open] [--limit N] [--cursor NEXT]"),
     SAID("a wallet's charges and debt repayments, and what is left of each"),
     HELP("  --open           only those that have something left\n" PAGE AS_OF COMMON)},
    {"grants", cmd_items, TAKES_JSON | TAKES_AS_OF,
     USAGE("LEDGER WALLET [--open] [--limit N] [--cursor NEXT]"),
     SAID("a wallet's free cash: state, what is left, the last day"),
     HELP("  --open           only those that have something left\n" PAGE AS_OF COMMON)},
    {"refunds", cmd_items, TAKES_JSON | TAKES_AS_OF,
     USAGE("LEDGER [WALLET] [--open] [--limit N] [--cursor NEXT]"),
     SAID("a wallet's refunds and their states; or those of all that are open"),
     HELP("  --open           only those that are requested or approved\n" PAGE AS_OF COMMON)},
    {"cash-status", cmd_cash_status, TAKES_JSON | TAKES_AS_OF,
     USAGE(
         "LEDGER WALLET [--view posted|known] [--from DAY] [--to DAY] [--flow FLOW] [--min AMOUNT] "
         "[--max AMOUNT] [--newest-first]\nLEDGER --all --day DAY"),
     SAID("the daily rows through the last closed day"),
     HELP("  --view posted    as published, by posting day (default); known: by the day it "
          "happened, "
          "open days too\n"
          "  --from DAY       the first day that is shown\n"
          "  --to DAY         the last day that is shown\n"
          "  --flow FLOW      the days that have it: charged, charge_reversed, free_activated, "
          "consumed_paid, consumed_free, returned, refunded, refund_failed, debt_repaid, expired, "
          "forfeited\n"
          "  --min AMOUNT, --max AMOUNT\n"
          "                   the days on which it, or any flow, lies between them\n"
          "  --newest-first   the other way round\n" AS_OF COMMON)},
    {"history", cmd_history, TAKES_JSON | TAKES_AS_OF,
     USAGE("LEDGER WALLET [--type charge|consumption|return|refund|TYPE,TYPE] [--since WHEN] "
           "[--until WHEN] [--min AMOUNT] [--max AMOUNT] [--oldest-first] [--limit N] [--cursor "
           "NEXT] [--people]"),
     SAID("what happened to a wallet, newest first, each row with its running balance"),
     HELP("  --type charge    what came in or lapsed: charges, their reversals, debts repaid, free "
          "cash "
          "given, activated, revoked, expired, forfeited\n"
          "  --type consumption, return, refund\n"
          "                   usages paid for; what was put back; every step of a refund\n"
          "  --type TYPES     of these types only, like charge_settled,cash_consumed\n" BOUNDS
          "  --oldest-first   the other way round; balances are those of the whole history\n"
          "  --people         with --json: actors, notes and reasons as well\n" PAGE AS_OF COMMON)},
    {"refused", cmd_refused, TAKES_JSON | TAKES_AS_OF,
     USAGE("LEDGER WALLET [--limit N] [--cursor NEXT]"),
     SAID("the commands on a wallet that were refused (those with a key), newest first"),
     HELP("  WALLET           also an id that no wallet has\n"
          "  --limit N        rows, 1 to 10,000; 100 unless given\n"
          "  --cursor NEXT    go on where the page before ended\n" AS_OF COMMON)},
    {"receipts", cmd_receipts, TAKES_JSON | TAKES_AS_OF,
     USAGE("LEDGER WALLET [--limit N] [--cursor NEXT]\nLEDGER WALLET --html"),
     SAID("where the receipts of a wallet's payments are, and by what they are found there"),
     HELP(PAGE
          "  --html           all of them as a page, for A4 paper\n" AS_OF COMMON
          "What went through no gateway has no receipt. A gateway's slip is no tax invoice.\n")},
    {"statement", cmd_statement, TAKES_JSON | TAKES_AS_OF,
     USAGE("LEDGER WALLET FROM TO [--csv]\nLEDGER WALLET FROM TO --html [--supplier FILE]"),
     SAID("a wallet's closed days: opening, each movement with its balance, sums, closing"),
     HELP("  FROM, TO         the first day and the last, like 2026-10-01 2026-10-31\n"
          "  --csv            a table for other programs\n"
          "  --html           a page with a chart, for A4 paper\n"
          "  --supplier FILE  who supplies, as JSON; that of JANGBU_SUPPLIER unless given\n" AS_OF
              COMMON)},
    {"report", cmd_report, TAKES_JSON | TAKES_AS_OF,
     USAGE("LEDGER WALLET MONTH [--csv]\nLEDGER WALLET MONTH --html [--supplier FILE]"),
     SAID("what a wallet consumed in a tax month, by tax invoice, and what is in none yet"),
     HELP("  MONTH            a tax month like 2026-10\n"
          "  --csv            its rows as a table for other programs\n"
          "  --html           a page with a chart, for A4 paper\n"
          "  --supplier FILE  who supplies, as JSON; that of JANGBU_SUPPLIER unless given\n" AS_OF
              COMMON)},
    {"totals", cmd_totals, TAKES_JSON | TAKES_AS_OF, USAGE("LEDGER [--month MONTH]"),
     SAID("what all wallets have and owe, and what was charged in twelve months"),
     HELP("  --month MONTH    as of the end of a month like 2026-10, once it is closed\n" AS_OF
              COMMON)},
    {"expiring", cmd_expiring, TAKES_JSON | TAKES_AS_OF,
     USAGE("LEDGER [--wallet WALLET] [--days N] [--limit N] [--cursor NEXT]"),
     SAID("free cash that is about to lapse"),
     HELP("  --days N         at most so many days before its last one; 30 unless given\n"
          "  --wallet WALLET  of that wallet; of all unless given\n" PAGE AS_OF COMMON)},
    {"explain", cmd_explain, TAKES_JSON | TAKES_AS_OF,
     USAGE("LEDGER WALLET\nLEDGER WALLET --from DAY --to DAY\nLEDGER WALLET --since WHEN\nLEDGER "
           "WALLET --day DAY"),
     SAID("why the total and the cash status differ, or two totals, to the last unit"),
     HELP("  --from DAY --to DAY\n"
          "                   why the cash status closes these days otherwise than the day before\n"
          "  --since WHEN     why the total is another one than at that event or time\n"
          "  --day DAY        why a closed day is known otherwise than it was published\n" AS_OF
              COMMON)},
    {"who", cmd_who, TAKES_JSON | OF_NOW, USAGE("LEDGER WALLET [--people]"),
     SAID("who has to do with a wallet: its master, members, channels, agency"),
     HELP("  --people         ids of people beside their references\n" COMMON)},
    {"may", cmd_may, TAKES_JSON | OF_NOW,
     USAGE("LEDGER WALLET --actor ID [--channel CHANNEL] [--people]"),
     SAID("what a person may do to a wallet now, and if not, why"),
     HELP("  --actor ID       whom it is about\n"
          "  --channel C      the channel that the commands would name: roles in it count only "
          "then\n"
          "  --people         with --json: the id beside its reference\n" COMMON
          "ROLE: no role that carries it; STATE: not in the wallet's state, or the channel is "
          "closed; "
          "KIND: not for such a wallet or channel.\n")},
    {"roles", cmd_roles, TAKES_JSON | OF_NOW, USAGE("LEDGER"), SAID("who may give which command"),
     HELP(COMMON)},
    {"channel", cmd_channel, TAKES_JSON | OF_NOW, USAGE("LEDGER CHANNEL [--people]"),
     SAID("what a channel is: kind, search id, wallet, staff; or change it"),
     HELP("  --people         ids of people beside their references\n"
          "  --channel-kind K BASIC (unless given) or BUSINESS\n" ONE)},
    {"biz", cmd_biz, TAKES_JSON | OF_NOW,
     USAGE("LEDGER WALLET [--people] [--limit N] [--cursor NEXT]\nLEDGER --channel CHANNEL "
           "[--people] [--limit N] [--cursor NEXT]"),
     SAID("business information: what is approved, and what is asked for; or ask, approve, refuse"),
     HELP("  --people         the texts beside their references\n"
          "  --limit N        with --json: requests and reviews, 1 to 10,000; 100 unless given\n"
          "  --cursor NEXT    go on where the page before ended\n"
          "  --seq N          the event of the request that is reviewed\n" ONE)},
    {"can-delete", cmd_can_delete, TAKES_JSON | OF_NOW, USAGE("LEDGER WALLET"),
     SAID("whether a wallet can be deleted, and what is in the way"), HELP(COMMON)},
    {"invoices", cmd_invoices, TAKES_JSON | TAKES_AS_OF,
     USAGE("LEDGER WALLET [--month MONTH] [--limit N] [--cursor NEXT]"),
     SAID("a wallet's tax invoices and their states"),
     HELP("  --month MONTH    of that tax month, like 2026-03\n" PAGE AS_OF COMMON)},
    {"invoice", cmd_invoice, TAKES_JSON | TAKES_AS_OF,
     USAGE("LEDGER NUMBER [--people | --csv | --html [--supplier FILE]]"),
     SAID(
         "one tax invoice, and the consumption that it adds up to; or issue, correct, confirm one, "
         "say what became of it, set the address for a wallet's invoices"),
     HELP("  --people         with --json: to whom it is made out as well\n"
          "  --csv            its rows, for other programs\n"
          "  --html           a page in the shape of a Korean tax invoice, for A4 paper\n"
          "  --supplier FILE  who supplies, as JSON; that of JANGBU_SUPPLIER unless given\n"
          "  --reason REASON  to issue: AMOUNT_CHANGED, RESCINDED, and without for an ORIGINAL; to "
          "correct: ENTRY_ERROR, ISSUED_TWICE\n"
          "  --why WHY        CLOSED_BUSINESS, SUSPENDED_BUSINESS, WRONG_NUMBER, OTHER\n"
          "  --result RESULT  SENT, BOUNCED\n" AS_OF ONE)},
    {"due", cmd_due, TAKES_JSON | TAKES_AS_OF,
     USAGE("LEDGER [--kind day|invoice|notice] [--outside] [--limit N] [--cursor NEXT] "
           "[--clock=at|system]\nLEDGER --commands [--kind day|invoice|notice]"),
     SAID("what is to be done, as commands: the day to close; else invoices to issue, notices "
          "to send"),
     HELP("  --kind KIND      of that kind only: day, invoice, notice\n"
          "  --outside        documents to transmit and to mail, too\n"
          "  --commands       all commands, a line of JSON each, for `jangbu apply`\n"
          "  --clock=at       the ledger's clock stands at its last event: documents, "
          "tests\n" PAGE AS_OF COMMON
          "With --json the member commands has what `jangbu apply` takes, each with its key.\n")},
    {"events", cmd_events, TAKES_JSON | TAKES_AS_OF,
     USAGE("LEDGER [--wallet WALLET | --channel CHANNEL] [--type TYPE,TYPE] [--since WHEN] "
           "[--until WHEN] [--min AMOUNT] [--max AMOUNT] [--newest-first] [--people] [--limit N] "
           "[--cursor NEXT]"),
     SAID("events in pages, of the ledger, a wallet or a channel, by type and time"),
     HELP("  --channel C      those that belong to it; not those that only name it\n"
          "  --type TYPES     of these types only, like charge_settled,cash_consumed\n" BOUNDS
          "  --newest-first   the other way round\n"
          "  --people         with --json: names, actors, notes and reasons as well\n" PAGE AS_OF
              COMMON)},
    {"find", cmd_find, TAKES_JSON | TAKES_AS_OF,
     USAGE("LEDGER TEXT [--people] [--limit N] [--cursor NEXT]"),
     SAID(
         "where an id, a key, a gateway's transaction or approval number stands: wallet and event"),
     HELP(
         "  TEXT             whole, as it was given: of a wallet, charge, grant, usage, refund, "
         "channel or agency; a key; a gateway, its transaction, an approval number; a search id, a "
         "registration or mail-order number; a tax invoice. No names: `jangbu wallets --name` "
         "looks for "
         "those\n"
         "  --people         with --json: names, actors, notes and reasons as well\n" PAGE AS_OF
             COMMON)},
    {"answer", cmd_answer, TAKES_JSON | OF_NOW,
     USAGE("LEDGER WALLET --question N [--channel CHANNEL] [--charge CHARGE] [--month MONTH] "
           "[--people] [--clock=at|system]"),
     SAID("one of the ten questions that users ask, answered in a sentence"),
     HELP(
         "  --question N     1 to 10, see below\n"
         "  --channel C      of question 6: that channel's business information, not the wallet's\n"
         "                   of question 9: that channel; unless given, each that the wallet is "
         "connected with\n"
         "  --charge CHARGE  of question 5: that charge; unless given, the newest payment through "
         "a gateway\n"
         "  --month MONTH    of question 8: that tax month; unless given, the newest with an "
         "invoice\n"
         "  --people         people by their ids, not as #7\n"
         "  --clock=at       the ledger's clock stands at its last event: documents, "
         "tests\n" COMMON)},
    {"log", cmd_log, TAKES_JSON,
     USAGE("LEDGER [--from SEQ] [--wallet WALLET] [--type TYPE,TYPE] [--since WHEN] [--until WHEN] "
           "[--min AMOUNT] [--max AMOUNT] [--newest-first] [--follow] [--people]"),
     SAID("the events themselves, in order"),
     HELP("  --wallet WALLET  its events, and the commands on it that were refused (those with a "
          "key)\n"
          "  --type TYPES     of these types only, like charge_settled,cash_consumed\n" BOUNDS
          "  --newest-first   the other way round\n"
          "  --follow         wait for more\n"
          "  --people         names, actors, notes and reasons as well\n" COMMON)},
    {"stat", cmd_stat, TAKES_JSON, USAGE("LEDGER"),
     SAID("how large the ledger is, which day is open, which policies hold"), HELP(COMMON)},
    {"audit", cmd_audit, TAKES_JSON, USAGE("LEDGER [--only form,sums,rules]"),
     SAID("read the whole log and check everything against it"),
     HELP(
         "  --only PARTS     some of form (chain, order, bytes), sums (what the events add up to), "
         "rules (each event "
         "decided again); all of them unless given\n" COMMON)},
    {"rebuild", cmd_rebuild, TAKES_JSON, USAGE("LEDGER [--accept-rollback]"),
     SAID("make the projections anew from the log, while the ledger is in use"),
     HELP("  --accept-rollback  the log was put back to an older state on purpose: go on from "
          "it\n" COMMON)},
    {"export", cmd_export, TAKES_AS_OF,
     USAGE("LEDGER --format csv|jsonl|hledger|ledger|beancount [-o FILE] [--people]"),
     SAID("the events as a table, or as double entry for an accounting program"),
     HELP("  -o FILE          write to FILE, which must not exist\n"
          "  --people         of csv and jsonl: names, actors and notes as well\n" AS_OF LANGUAGE)},
    {"people", cmd_people, TAKES_JSON | OF_NOW, USAGE("LEDGER\nencrypt|rotate|accept LEDGER"),
     SAID("what people.mdb says of itself; seal it; change its key; go on with an older one"),
     HELP("  encrypt          seal the names and notes of a ledger that has them in clear; nobody "
          "else may have it open\n"
          "  rotate           another key in the place of the one in use; nobody is forgotten\n"
          "  accept           people.mdb is older than the log, and is to stay: who is missing in "
          "it becomes somebody new\n" COMMON)},
    {"backup", cmd_backup, TAKES_JSON, USAGE("LEDGER DEST"),
     SAID("copy the ledger to a new directory while it is in use"), HELP(COMMON)},
    {"restore", cmd_restore, TAKES_JSON, USAGE("LEDGER BACKUP [--dry-run]"),
     SAID("put a backup in the place of a ledger that nobody has open"),
     HELP("  --dry-run        what would change: last event, time, wallets, totals, what is lost; "
          "nothing is changed\n" COMMON
          "What was there is kept as LEDGER.replaced. Its people.mdb, where it can be read, stays "
          "in use.\n")},
    {"operator", cmd_operator, TAKES_JSON, USAGE("LEDGER ID"),
     SAID("make somebody an operator where nobody is left who could: a way back for who can write "
          "the ledger's files"),
     HELP(COMMON "It is not asked whether an operator is left. The event says RECOVERED.\n")},
    {"help", cmd_help, 0, USAGE("[COMMAND]"), SAID("this, or about one sub-command"),
     HELP(LANGUAGE)},
};
#define ROWS (sizeof rows / sizeof rows[0])

/* Sub-commands that change nothing: the only ones that are proposed for a word that is none. */
static const char *
nth_harmless(unsigned n)
{
    static const char *const harmless[] = {
        "balance",     "wallets", "lots",    "charges",  "grants",    "refunds", "events",
        "cash-status", "history", "refused", "receipts", "statement", "totals",  "expiring",
        "explain",     "find",    "who",     "may",      "roles",     "channel", "biz",
        "can-delete",  "answer",  "log",     "stat",     "audit",     "export",  "help",
        "invoices",    "invoice", "due",     "report"};
    return n < sizeof harmless / sizeof harmless[0] ? harmless[n] : NULL;
}

static const struct row *
find(const char *name)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

#define HELP_COLUMNS 80

/* Bytes of the first of text that take at most so many columns. */
static size_t
bytes_within(const char *text, size_t n, size_t columns)
{
    size_t bytes = 0;
    while (bytes < n) {
        size_t next = bytes + 1;
        while (next < n && ((unsigned char)text[next] & 0xc0) == 0x80) {
            next++;
        }
        if (display_width(text, next) > columns) {
            break;
        }
        bytes = next;
    }
    return bytes;
}

/* One line, broken at blanks where it is too wide; what goes on stands under the explanation, which
 * begins behind the first gap of two blanks. */
static void
print_wrapped(const char *line, size_t n)
{
    size_t indent = strspn(line, " ");
    const char *gap = strstr(line + indent, "  ");
    const size_t first = gap != NULL && gap < line + n ? (size_t)(gap - line) + strspn(gap, " ")
                         : indent > 0                  ? indent + 4
                                                       : 0;
    const size_t under = first <= n ? display_width(line, first) : 0;
    for (size_t used = 0; used + display_width(line, n) > HELP_COLUMNS;) {
        size_t cut = bytes_within(line, n, HELP_COLUMNS - used);
        while (cut > (used == 0 ? first : 0) && line[cut] != ' ') {
            cut--;
        }
        if (cut <= (used == 0 ? first : 0)) {
            break;
        }
        printf("%.*s\n%*s", (int)cut, line, (int)under, "");
        line += cut + 1;
        n -= cut + 1;
        used = under;
    }
    printf("%.*s\n", (int)n, line);
}

static void
print_lines(const char *text)
{
    while (*text != '\0') {
        char line[1200]; /* the longest, in English or Korean, has 700 */
        const size_t n = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)n, text);
        const char *said = tr(line);
        print_wrapped(said, strlen(said));
        text += n + (text[n] == '\n');
    }
}

static void
print_usage(const struct row *r)
{
    char made[400], line[440];
    for (const char *form = r->usage; *form != '\0';) {
        size_t n = strcspn(form, "\n");
        int length = snprintf(line, sizeof line, "  jangbu %s %.*s", r->name, (int)n, form);
        print_wrapped(line, (size_t)length);
        form += n + (form[n] == '\n');
    }
    for (unsigned i = 0; one_usage(r->name, i, made); i++) {
        int length = snprintf(line, sizeof line, "  jangbu %s %s", r->name, made);
        print_wrapped(line, (size_t)length);
    }
}

static int
unknown(const char *name)
{
    static const char *const lists[] = {"list", "ls", "show", "get"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (strcmp(name, lists[i]) == 0) {
            fprintf(stderr,
                    tr("jangbu: there is no sub-command %s. `jangbu wallets` lists the wallets, "
                       "`jangbu history` and `jangbu log` what happened.\n"),
                    name);
            return EXIT_USAGE;
        }
    }
    const char *near = nearest_word(name, strlen(name), nth_harmless);
    if (near != NULL) {
        fprintf(
            stderr,
            tr("jangbu: there is no sub-command %s; do you mean %s? `jangbu help` lists them.\n"),
            name, near);
    } else {
        fprintf(stderr, tr("jangbu: there is no sub-command %s. `jangbu help` lists them.\n"),
                name);
    }
    return EXIT_USAGE;
}

int
cmd_help(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX];
    int n_args;
    if (!read_options(app, argc, argv, NULL, args, &n_args)) {
        return EXIT_USAGE;
    }
    if (n_args > 0) {
        const struct row *r = find(args[0]);
        if (r == NULL) {
            return unknown(args[0]);
        }
        char title[400];
        int n = snprintf(title, sizeof title, "jangbu %s: %s", r->name, tr(r->what));
        print_wrapped(title, (size_t)n);
        putchar('\n');
        print_usage(r);
        putchar('\n');
        print_lines(r->help);
        if (r->run == cmd_answer) {
            putchar('\n');
            print_questions(stdout);
        }
        return EXIT_DONE;
    }
    printf(
        tr("jangbu %s: an event-sourced ledger for prepaid cash wallets\n\nSub-commands (`jangbu "
           "help NAME` tells more):\n"),
        JB_VERSION_STRING);
    for (size_t i = 0; i < ROWS; i++) {
        char line[400];
        int n = snprintf(line, sizeof line, "  %-12s  %s", rows[i].name, tr(rows[i].what));
        print_wrapped(line, (size_t)n);
    }
    printf(
        tr("\nExit codes: 0 done, 1 the answer is no, 2 usage, 3 no ledger, or it failed.\nThe "
           "command "
           "vocabulary: docs/vocabulary.md (installed: share/doc/jangbu).\nManual: man jangbu.\n"));
    return EXIT_DONE;
}

/* The exit code that is left of `code` when everything is printed. A reader that had enough is no
 * error of a query; who changes something is told that its answer was not seen. */
static int
finish(const struct app *app, int code)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0) {
        return code;
    }
    int error = errno;
    if (!app->writes && process_output_closed()) {
        return code;
    }
    fprintf(stderr, tr("jangbu: cannot write to standard output: %s\n"), system_words(error));
    return EXIT_MACHINE;
}

int
main(int argc, char **argv)
{
    struct app app = {.out = {.first = true}};
    process_begin();
    language_of_environment();
    language_of_words(&app, &argc, argv);
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        cmd_help(&app, 1, argv);
        return finish(&app, argc < 2 ? EXIT_USAGE : EXIT_DONE);
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("jangbu %s (log format %d)\n", JB_VERSION_STRING, JB_LOG_FORMAT);
        return finish(&app, EXIT_DONE);
    }
    const struct row *r = find(argv[1]);
    if (r == NULL) {
        return unknown(argv[1]);
    }
    app.command = r->name;
    app.takes = r->takes;
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            app.command = "help";
            app.takes = 0;
            char *words[2] = {(char *)(uintptr_t) "help", argv[1]};
            return finish(&app, cmd_help(&app, 2, words));
        }
    }
    app.colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    app.pages = true;
    int code = r->run(&app, argc - 1, argv + 1);
    if (!app_flush(&app) && !app.output_closed) {
        code = EXIT_MACHINE;
    }
    pager_end();
    app_close(&app);
    free(app.out.at);
    return finish(&app, code);
}
