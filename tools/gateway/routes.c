/* The table of all routes: a literal segment stands before a {name} in its place. */
#include "health.h"
#include "page_holder.h"
#include "route.h"

/* clang-format off */
const struct route routes[] = {
    {METHOD_GET, "/healthz", ACCESS_NONE, LANE_QUICK, health_live, NULL, "live", "whether the daemon runs"},
    {METHOD_GET, "/v1/ledger", ACCESS_READ_ALL, LANE_QUICK, ledger_get, "info", "getLedger", "the ledger: its currency, its place, what it holds"},
    {METHOD_POST, "/v1/tickets", ACCESS_READ, LANE_SLOW, tickets_post, NULL, "postTicket", "a ticket that opens the page once, for a wallet's holder or an operator"},
    {METHOD_GET, "/", ACCESS_PAGE, LANE_SLOW, page_home, NULL, "pageHome", "the page"},
    {METHOD_GET, "/assets/{name}", ACCESS_PAGE, LANE_QUICK, page_asset, NULL, "pageAsset", "the page's style sheet and its like"},
    {METHOD_GET, "/w", ACCESS_PAGE, LANE_SLOW, holder_wallet, NULL, "pageWallet", "the holder's page: what the wallet has"},
    {METHOD_GET, "/w/status", ACCESS_PAGE, LANE_SLOW, holder_status, NULL, "pageStatus", "its cash status, and why the total differs"},
    {METHOD_GET, "/w/history", ACCESS_PAGE, LANE_SLOW, holder_history, NULL, "pageHistory", "its history"},
    {METHOD_GET, "/w/free", ACCESS_PAGE, LANE_SLOW, holder_free, NULL, "pageFree", "its free cash"},
    {METHOD_GET, "/w/refunds", ACCESS_PAGE, LANE_SLOW, holder_refunds, NULL, "pageRefunds", "its refunds"},
    {METHOD_GET, "/w/papers", ACCESS_PAGE, LANE_SLOW, holder_papers, NULL, "pagePapers", "its receipts and tax invoices"},
    {METHOD_GET, "/w/people", ACCESS_PAGE, LANE_SLOW, holder_people, NULL, "pagePeople", "its members, and whether it can be deleted"},
    {METHOD_GET, "/w/questions", ACCESS_PAGE, LANE_SLOW, holder_questions, NULL, "pageQuestions", "the ten questions, answered"},
    {METHOD_GET, "/w/events/{from}", ACCESS_PAGE, LANE_SLOW, holder_event, NULL, "pageEvent", "one of its events"},
    {METHOD_GET, "/w/invoices/{invoice}", ACCESS_PAGE, LANE_SLOW, holder_invoice, NULL, "pageInvoice", "a tax invoice, to print"},
    {METHOD_POST, "/w/do", ACCESS_PAGE, LANE_SLOW, page_do, NULL, "pageDo", "a command of the holder's"},
    {METHOD_POST, "/sign-out", ACCESS_PAGE, LANE_SLOW, page_sign_out, NULL, "pageSignOut", "ends the session"},
    {METHOD_GET, "/o", ACCESS_PAGE, LANE_SLOW, operator_ledger, NULL, "pageLedger", "the operator's page: the ledger"},
    {METHOD_GET, "/o/sign-in", ACCESS_PAGE, LANE_SLOW, page_sign_in, NULL, "pageSignIn", "where an operator signs in"},
    {METHOD_POST, "/o/sign-in", ACCESS_PAGE, LANE_SLOW, page_sign_in_done, NULL, "pageSignInDone", "with a token"},
    {METHOD_GET, "/o/wallets", ACCESS_PAGE, LANE_SLOW, operator_wallets, NULL, "pageWallets", "wallets, in pages"},
    {METHOD_GET, "/o/wallets/{wallet}", ACCESS_PAGE, LANE_SLOW, operator_wallet, NULL, "pageOneWallet", "a wallet, and what an operator does with it"},
    {METHOD_GET, "/o/find", ACCESS_PAGE, LANE_SLOW, operator_find, NULL, "pageFind", "where a reference stands"},
    {METHOD_GET, "/o/refunds", ACCESS_PAGE, LANE_SLOW, operator_refunds, NULL, "pageInFlight", "refunds in flight"},
    {METHOD_GET, "/o/due", ACCESS_PAGE, LANE_SLOW, operator_due, NULL, "pageDue", "what is due"},
    {METHOD_GET, "/o/commands", ACCESS_PAGE, LANE_SLOW, operator_commands, NULL, "pageCommands", "forms for commands"},
    {METHOD_GET, "/o/events/{from}", ACCESS_PAGE, LANE_SLOW, holder_event, NULL, "pageAnyEvent", "an event"},
    {METHOD_GET, "/o/invoices/{invoice}", ACCESS_PAGE, LANE_SLOW, holder_invoice, NULL, "pageAnyInvoice", "a tax invoice, to print"},
    {METHOD_POST, "/o/do", ACCESS_PAGE, LANE_SLOW, page_do, NULL, "pageOperate", "a command of an operator's"},
};
/* clang-format on */
const size_t routes_n = sizeof routes / sizeof routes[0];
