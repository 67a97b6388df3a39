/* The table of all routes: a literal segment stands before a {name} in its place. */
#include "commands.h"
#include "feed.h"
#include "health.h"
#include "metrics.h"
#include "openapi.h"
#include "page_holder.h"
#include "reads.h"
#include "route.h"

/* clang-format off */
const struct route routes[] = {
    {METHOD_GET, "/healthz", ACCESS_NONE, LANE_QUICK, health_live, NULL, "live", "whether the daemon runs"},
    {METHOD_GET, "/readyz", ACCESS_OPS, LANE_QUICK, health_ready, NULL, "ready", "whether it can be asked, and why not"},
    {METHOD_GET, "/metrics", ACCESS_OPS, LANE_QUICK, metrics_get, NULL, "metrics", "what it counts, for Prometheus"},
    {METHOD_GET, "/v1/ledger", ACCESS_READ_ALL, LANE_QUICK, ledger_get, "info", "getLedger", "the ledger: its currency, its place, what it holds"},
    {METHOD_POST, "/v1/commands", ACCESS_WRITE, LANE_QUICK, commands_post, NULL, "postCommands", "gives a command, a group, or lines of commands"},
    {METHOD_GET, "/v1/commands", ACCESS_READ_ALL, LANE_QUICK, read_get, "commands", "listCommands", "the ops, and what each needs and may have"},
    {METHOD_GET, "/v1/queries", ACCESS_READ_ALL, LANE_QUICK, read_get, "queries", "listQueries", "the queries, and what each needs and may have"},
    {METHOD_GET, "/v1/openapi.json", ACCESS_NONE, LANE_QUICK, openapi_get, NULL, "getOpenapi", "this document"},
    {METHOD_GET, "/v1/wallets", ACCESS_READ_ALL, LANE_SLOW, read_get, "wallets", "listWallets", "wallets and what they have, in pages"},
    {METHOD_GET, "/v1/wallets/{wallet}", ACCESS_READ, LANE_QUICK, wallet_get, "balance", "getWallet", "what a wallet has, with an ETag"},
    {METHOD_GET, "/v1/wallets/{wallet}/cash-status", ACCESS_READ, LANE_SLOW, read_get, "cash_status", "getCashStatus", "its daily rows"},
    {METHOD_GET, "/v1/wallets/{wallet}/history", ACCESS_READ, LANE_SLOW, read_get, "history", "getHistory", "what happened to it, in pages"},
    {METHOD_GET, "/v1/wallets/{wallet}/explain", ACCESS_READ, LANE_SLOW, read_get, "explain", "explainWallet", "why its total and its cash status differ"},
    {METHOD_GET, "/v1/wallets/{wallet}/refused", ACCESS_READ, LANE_SLOW, read_get, "refused", "listRefused", "commands on it that were refused"},
    {METHOD_GET, "/v1/wallets/{wallet}/charges", ACCESS_READ, LANE_SLOW, read_get, "charges", "listCharges", "its charges"},
    {METHOD_GET, "/v1/wallets/{wallet}/lots", ACCESS_READ, LANE_SLOW, read_get, "lots", "listLots", "what its charges and debt repayments brought"},
    {METHOD_GET, "/v1/wallets/{wallet}/grants", ACCESS_READ, LANE_SLOW, read_get, "grants", "listGrants", "its free cash"},
    {METHOD_GET, "/v1/wallets/{wallet}/refunds", ACCESS_READ, LANE_SLOW, read_get, "refunds", "listRefunds", "its refunds"},
    {METHOD_GET, "/v1/wallets/{wallet}/receipts", ACCESS_READ, LANE_SLOW, read_get, "receipts", "listReceipts", "where the receipts of its payments are"},
    {METHOD_GET, "/v1/wallets/{wallet}/statement", ACCESS_READ, LANE_SLOW, read_get, "statement", "getStatement", "its closed days, with the balance after each row"},
    {METHOD_GET, "/v1/wallets/{wallet}/report", ACCESS_READ, LANE_SLOW, read_get, "report", "getReport", "its tax month by document"},
    {METHOD_GET, "/v1/wallets/{wallet}/invoices", ACCESS_READ, LANE_SLOW, read_get, "invoices", "listInvoices", "its tax invoices"},
    {METHOD_GET, "/v1/wallets/{wallet}/expiring", ACCESS_READ, LANE_SLOW, read_get, "expiring", "listExpiringOfWallet", "its grants about to lapse"},
    {METHOD_GET, "/v1/wallets/{wallet}/who", ACCESS_READ, LANE_QUICK, read_get, "who", "getWho", "who has to do with it"},
    {METHOD_GET, "/v1/wallets/{wallet}/may", ACCESS_READ, LANE_QUICK, read_get, "may", "getMay", "what a person may do to it now"},
    {METHOD_GET, "/v1/wallets/{wallet}/biz", ACCESS_READ, LANE_SLOW, read_get, "biz", "getBizOfWallet", "its business information"},
    {METHOD_GET, "/v1/wallets/{wallet}/can-delete", ACCESS_READ, LANE_SLOW, read_get, "can_delete", "getCanDelete", "whether it can be deleted, and what is in the way"},
    {METHOD_GET, "/v1/wallets/{wallet}/answers/{question}", ACCESS_READ, LANE_SLOW, read_get, "answer", "getAnswer", "one of the ten questions"},
    {METHOD_GET, "/v1/wallets/{wallet}/events", ACCESS_READ, LANE_SLOW, read_get, "events", "listEventsOfWallet", "its events, in pages"},
    {METHOD_GET, "/v1/wallets/{wallet}/feed", ACCESS_READ, LANE_SLOW, feed_get, "feed", "getFeedOfWallet", "its events in order, with balances: in pages, or as a stream by Accept"},
    {METHOD_GET, "/v1/invoices/{invoice}", ACCESS_READ_ALL, LANE_SLOW, read_get, "invoice", "getInvoice", "a tax invoice, and the consumption that it adds up to"},
    {METHOD_GET, "/v1/channels/{channel}", ACCESS_READ_ALL, LANE_QUICK, read_get, "channel", "getChannel", "a channel"},
    {METHOD_GET, "/v1/channels/{channel}/biz", ACCESS_READ_ALL, LANE_SLOW, read_get, "biz", "getBizOfChannel", "its business information"},
    {METHOD_GET, "/v1/channels/{channel}/events", ACCESS_READ_ALL, LANE_SLOW, read_get, "events", "listEventsOfChannel", "its events, in pages"},
    {METHOD_GET, "/v1/events", ACCESS_READ_ALL, LANE_SLOW, read_get, "events", "listEvents", "events, in pages"},
    {METHOD_GET, "/v1/feed", ACCESS_READ_ALL, LANE_SLOW, feed_get, "feed", "getFeed", "the log in order, with balances: in pages, or as a stream by Accept"},
    {METHOD_GET, "/v1/events/{from}", ACCESS_READ_ALL, LANE_QUICK, event_get, "log", "getEvent", "an event by its number"},
    {METHOD_GET, "/v1/log", ACCESS_READ_ALL, LANE_SLOW, read_get, "log", "listLog", "events from a number on, as lines"},
    {METHOD_GET, "/v1/find", ACCESS_READ_ALL, LANE_SLOW, read_get, "find", "findText", "the events in which a text stands in clear"},
    {METHOD_GET, "/v1/due", ACCESS_READ_ALL, LANE_SLOW, read_get, "due", "listDue", "what is to be done, as commands"},
    {METHOD_GET, "/v1/refunds", ACCESS_READ_ALL, LANE_SLOW, read_get, "refunds", "listOpenRefunds", "refunds of all wallets that are requested or approved"},
    {METHOD_GET, "/v1/expiring", ACCESS_READ_ALL, LANE_SLOW, read_get, "expiring", "listExpiring", "grants about to lapse"},
    {METHOD_GET, "/v1/days/{day}/cash-status", ACCESS_READ_ALL, LANE_SLOW, read_get, "cash_day", "getCashDay", "a row for each wallet on a closed day, as lines"},
    {METHOD_GET, "/v1/totals", ACCESS_READ_ALL, LANE_SLOW, read_get, "totals", "getTotals", "what all wallets have and owe"},
    {METHOD_GET, "/v1/ledger/head", ACCESS_READ_ALL, LANE_QUICK, read_get, "head", "getHead", "where the log ends"},
    {METHOD_GET, "/v1/ledger/stat", ACCESS_READ_ALL, LANE_SLOW, read_get, "stat", "getStat", "how large the ledger is, and which day is open"},
    {METHOD_GET, "/v1/people", ACCESS_READ_OPS, LANE_SLOW, read_get, "people", "getPeople", "how the personal texts are kept"},
    {METHOD_GET, "/v1/policies", ACCESS_READ_ALL, LANE_QUICK, read_get, "policies", "getPolicies", "each policy with its value in force"},
    {METHOD_GET, "/v1/roles", ACCESS_READ_ALL, LANE_QUICK, read_get, "roles", "getRoles", "which roles carry which command"},
#include "page_routes.def"
};
/* clang-format on */
const size_t routes_n = sizeof routes / sizeof routes[0];
