/* What the pages of a wallet share: those of its holder, and the operator's page about it. */
#ifndef JANGBUD_PAGE_HOLDER_H
#define JANGBUD_PAGE_HOLDER_H

#include "page.h"

/* Each of these that returns false has made the page one that says what is wrong. */

struct jb_text page_own_wallet(const struct page *p);
bool page_balance(struct page *p, struct jb_text wallet, struct jb_wallet_balance *ret);
/* "" where there is none to be read. */
void page_wallet_name(struct page *p, struct jb_text wallet, char buf[JB_PERSON_TEXT_BYTES + 1]);
void page_wallet_head(struct page *p, struct jb_text wallet, const struct jb_balance *b,
                      const struct jb_who *who);
void page_total(struct page *p, const struct jb_wallet_balance *w);
void page_state_notices(struct page *p, const struct jb_balance *b, const struct jb_who *who);
/* From the cash status to the total, line by line. */
bool page_explain(struct page *p, struct jb_text wallet);
bool page_history(struct page *p, struct jb_text wallet, jb_history_kind kind, const char *cursor,
                  uint32_t limit, char next[JB_CURSOR_TEXT_BYTES], struct jb_moment *moment);
void page_event_detail(struct page *p, const struct jb_event *e);
/* Which history is asked for (?kind=), its tabs, and what it is. */
size_t page_history_kind(const struct exchange *x);
void page_history_tabs(struct page *p, const char *base, size_t now);
jb_history_kind page_history_kind_at(size_t i, const char **ret_word);
/* ?cursor=; NULL: there is none. */
const char *page_cursor(const struct exchange *x, char buf[JB_CURSOR_TEXT_BYTES]);
/* ?done=N, behind a command that was carried out. */
void page_done_notice(struct page *p);
/* Free cash that waits for "Use"; nothing where there is none. */
bool page_grants_waiting(struct page *p, struct jb_text wallet);
bool page_grants(struct page *p, struct jb_text wallet, jb_which which);
/* What can be done with a refund in that state. */
void page_refund_forms(struct page *p, struct jb_text wallet, struct jb_text refund,
                       jb_refund_state state);
/* Refunds of a wallet with their steps, and what can be done with each. */
bool page_refunds(struct page *p, struct jb_text wallet, jb_which which);
/* A page of those in flight of all wallets. from: its cursor, or NULL; next: JB_CURSOR_TEXT_BYTES.
 */
bool page_refunds_of_all(struct page *p, const char *from, char *next);
bool page_can_delete(struct page *p, struct jb_text wallet);
bool page_members(struct page *p, struct jb_text wallet);
bool page_receipts(struct page *p, struct jb_text wallet, const char *base);
bool page_invoices(struct page *p, struct jb_text wallet);

/* A form for any command; wallet.s NULL: it asks for one, where the command has one. */
void page_command_form(struct page *p, uint32_t op, struct jb_text wallet);

enum handled page_redeem(struct exchange *x, struct jb_text ticket);

enum handled holder_wallet(struct exchange *x);
enum handled holder_status(struct exchange *x);
enum handled holder_history(struct exchange *x);
enum handled holder_free(struct exchange *x);
enum handled holder_refunds(struct exchange *x);
enum handled holder_papers(struct exchange *x);
enum handled holder_people(struct exchange *x);
enum handled holder_questions(struct exchange *x);
enum handled holder_event(struct exchange *x);
enum handled holder_invoice(struct exchange *x);
enum handled page_do(struct exchange *x);
enum handled page_sign_in(struct exchange *x);
enum handled page_sign_in_done(struct exchange *x);
enum handled page_enter_done(struct exchange *x);
enum handled page_sign_out(struct exchange *x);
enum handled page_asset(struct exchange *x);
enum handled page_home(struct exchange *x);
enum handled tickets_post(struct exchange *x);
/* What its body may have, row by row; NULL: there are no more. */
const struct member_row *ticket_member_get(size_t i);

enum handled operator_ledger(struct exchange *x);
enum handled operator_wallets(struct exchange *x);
enum handled operator_wallet(struct exchange *x);
enum handled operator_find(struct exchange *x);
enum handled operator_refunds(struct exchange *x);
enum handled operator_due(struct exchange *x);
enum handled operator_commands(struct exchange *x);

#endif
