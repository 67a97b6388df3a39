/*
 * The page: HTML from the server, for the holder of a wallet (/w) and for operators (/o). What it
 * says is what the library says; what it writes are commands. Each handler makes a struct page of
 * its exchange, writes between page_begin and page_end, and has answered when it returns.
 */
#ifndef JANGBUD_PAGE_H
#define JANGBUD_PAGE_H

#include <jangbu/projections.h>

#include "exchange.h"
#include "html.h"
#include "lang.h"
#include "route.h"
#include "session.h"

enum { PAGE_COLUMNS = 8 };

struct page {
    struct exchange *x;
    struct out *o; /* the answer's body */
    jb_ledger *ledger;
    jb_views *views;
    int32_t utc_offset_s;
    uint32_t exponent;
    char currency[4];
    jb_lang lang, lang_before;
    struct session session;
    struct jb_text cookie; /* of the session; s NULL: none */
    struct jb_as_of now;   /* page_now; kind 0: not asked yet */
    struct {
        const char *columns[PAGE_COLUMNS]; /* of the table that is being written */
        size_t n, row;                     /* where its row begins in the body */
    } table;
    struct jb_error err;
};

/* Where one is, for the menu. */
enum page_tab {
    TAB_NONE,
    TAB_WALLET,
    TAB_STATUS,
    TAB_HISTORY,
    TAB_FREE,
    TAB_REFUNDS,
    TAB_PAPERS,
    TAB_PEOPLE,
    TAB_QUESTIONS,
    TAB_LEDGER,
    TAB_WALLETS,
    TAB_FIND,
    TAB_IN_FLIGHT,
    TAB_DUE,
    TAB_COMMANDS
};

/* Ledgers up to that size are looked through without being asked to. */
enum { PAGE_CHEAP_EVENTS = 200000 };

/* For whom a page is. */
enum page_for { PAGE_FOR_ALL, PAGE_FOR_HOLDER, PAGE_FOR_OPERATOR, PAGE_FOR_BOTH };

/* The page of an exchange, in its language, with the headers that every page has. False: who asks
 * is not signed in, and the answer says so. page_leave in any case. */
bool page_enter(struct page *p, struct exchange *x, enum page_for whom);
enum handled page_leave(struct page *p);
/* The page goes on in another thread, in its language, until page_leave. */
void page_speak(struct page *p);
/* Whether a session may be, by the file of tokens as it is now; it has the rights of now. */
bool page_session_allowed(const struct page *p, struct session *s);

/* What a request for a page needs, asked in the loop: who has no session, or is let in by a ticket,
 * needs no worker; nobody asks more often than he may, and pages have half of the workers' queue.
 */
enum page_gate {
    PAGE_HERE,
    PAGE_FORM, /* here, or in a worker where it would stand still here */
    PAGE_TO_WORKER,
    PAGE_TOO_OFTEN,
    PAGE_CROWDED,
    PAGE_FOLDING /* too much of the log is to be folded first */
};
enum page_gate page_gate(const struct exchange *x);
/* The page that says so: of the last three. */
enum handled page_not_now(struct exchange *x, enum page_gate why);

/* The moment that all figures of the page are of: that at which it is asked first. NULL: it could
 * not be had; what is asked as of it says why. */
const struct jb_as_of *page_now(struct page *p);

void page_begin(struct page *p, int status, const char *title, enum page_tab tab);
void page_end(struct page *p);
/* A page that says what is wrong, in place of all that was written. */
void page_wrong(struct page *p, int status, const char *title, const char *text);
void page_failed(struct page *p, jb_status status);
void page_see_other(struct page *p, const char *where);

/* Marks the head of a column; ">" in front: figures. */
#define COLUMN(text) text

/* ---- parts ---- */

/* Text with what is put into it, escaped; form is a sentence that was looked up. */
void page_sayf(struct page *p, const char *form, ...) __attribute__((format(printf, 2, 3)));
void page_paragraph(struct page *p, const char *class, const char *text);
/* What went wrong, said at once by what reads pages aloud. detail NULL: none. */
void page_alert(struct page *p, const char *text, const char *detail);
/* An amount as a number, and with its currency. */
void page_money(struct page *p, jb_amount amount);
void page_money_said(struct page *p, jb_amount amount);
char *page_money_text(const struct page *p, jb_amount amount, char buf[MONEY_BYTES + 8]);
void page_day(struct page *p, jb_day day);
void page_time(struct page *p, jb_instant at);
/* "as of 2026-10-31 18:00, event 101" */
void page_as_of(struct page *p, const struct jb_moment *m);
void page_state(struct page *p, uint32_t status);
/* <a href="path">text</a>; path is ours, and holds no text of others that is not url_text's. */
void page_link(struct page *p, const char *class, const char *path, const char *text);
void page_event_link(struct page *p, jb_seq seq);
/* A text as part of an address. */
void url_text(struct out *o, struct jb_text t);
/* The address of a wallet's page, for operators. */
void page_wallet_link(struct page *p, const char *id);

void page_table(struct page *p, const char *class, const char *caption);
void page_head(struct page *p, const char *const *columns); /* ">" in front: figures. NULL ends */
void page_row(struct page *p);
void page_row_end(struct page *p);
void page_cell(struct page *p, const char *text);
void page_cell_money(struct page *p, jb_amount amount);
void page_cell_days(struct page *p, jb_day day);
void page_cell_time(struct page *p, jb_instant at);
void page_cell_head(struct page *p, const char *text); /* what the row is about */
void page_table_end(struct page *p);
/* A fact in a list of them: <dl class="facts">. */
void page_fact_begin(struct page *p, const char *what);
void page_fact_end(struct page *p);
void page_fact_money(struct page *p, const char *what, jb_amount amount);
void page_fact_text(struct page *p, const char *what, const char *text);
/* An empty list says so. */
void page_empty(struct page *p, const char *text);
/* Behind a list: that it is empty, or, of a page with fewer rows than it could have, that it is not
 * the end: a page looks at so many and ends. */
void page_rows_end(struct page *p, uint64_t rows, uint64_t full, const char *next,
                   const char *none);
/* Links to the next page of a list, and back to its beginning. base: path with "?" or "&" at its
 * end. */
void page_next(struct page *p, const char *base, const char *next, bool first);
/* The person behind a reference, or why there is none. */
void page_person(struct page *p, uint64_t ref);

/* What an event is, in a word or two. */
const char *page_event_word(const struct jb_event *e);
const char *page_cause_word(uint32_t cause);
const char *page_method_word(uint32_t method);
const char *page_origin_word(uint32_t origin);
const char *page_kind_word(uint32_t kind);
const char *page_status_word(uint32_t status);
const char *page_grant_word(uint32_t state);
const char *page_refund_word(uint32_t state);
const char *page_why_word(uint32_t why); /* a tax invoice failed */
const char *page_role_word(uint32_t role);
const char *page_op_word(uint32_t op);
const char *page_field_word(unsigned field);
/* A word that a member of a command can be. */
const char *page_choice_word(unsigned field, uint32_t number);
const char *page_gateway_word(jb_gateway gateway, struct jb_text pg, char buf[40]);

/* ---- forms ---- */

/* A form that asks for a command; what follows are its fields. to: where it is posted to. */
void form_begin(struct page *p, uint32_t op);
void form_hidden(struct page *p, const char *name, struct jb_text value);
void form_csrf(struct page *p);
/* A labelled field for a member of a command. */
void form_field(struct page *p, unsigned field, bool required, struct jb_text value);
void form_end(struct page *p, const char *button);
/* Whether forms give that member: others are of the session, or of programs. */
bool form_takes(unsigned field);

struct form_pair {
    struct jb_text name, value;
};
enum { FORM_PAIRS_MAX = 64 };
struct form {
    char *text; /* where the pairs lie: freed by form_free */
    size_t n;
    struct form_pair at[FORM_PAIRS_MAX];
};
/* The form that was posted: of its own origin, and with the session's CSRF value where there is a
 * session. False: the answer says what is wrong. */
bool form_read(struct page *p, struct form *f);
void form_free(struct form *f);
/* s NULL: it is not there, or empty. */
struct jb_text form_value(const struct form *f, const char *name);

/* ---- who may ---- */

/* Whether what belongs to that wallet ("": to none) is shown: to its holder, and to operators. */
bool page_sees(const struct page *p, const char *wallet);
/* The number that a part of an address is; 0: it is none. */
uint64_t page_number(struct jb_text t);

/* Whether a command of that op is offered to who looks at the page: a holder gets those of his
 * wallet, and each only where the token that the session came from may give it. */
bool page_may(const struct page *p, uint32_t op);

#endif
