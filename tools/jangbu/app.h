/* What the sub-commands share: options, the open ledger, errors, tables, progress. */
#ifndef JANGBU_APP_H
#define JANGBU_APP_H

#include <jangbu/projections.h>

#include <stdio.h>

#include "lang.h"
#include "out.h"

enum exit_code { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_MACHINE = 3 };

/* Which of the options that several sub-commands have this one takes. One that it does not take is
 * an error and never ignored. */
enum takes {
    TAKES_JSON = 1,
    TAKES_AS_OF = 2,
    TAKES_CALLER = 4,
    OF_NOW = 8 /* it tells what is so now: no earlier moment of that is kept */
};

struct app {
    const char *command; /* "balance", for messages */
    unsigned takes;      /* enum takes */
    bool json;
    bool colour;
    bool pages; /* what is longer than the terminal goes through a pager */
    const char *caller;
    const char *lang;        /* of --lang; NULL: that of the environment */
    const char *key_file;    /* --key-file, or JANGBU_KEY_FILE; NULL: the library's own place */
    const char *const *args; /* of the command line without its options; for messages */
    int args_n;
    struct jb_as_of as_of;
    bool has_as_of;
    jb_ledger *ledger;
    jb_views *views;
    struct jb_ledger_info info;
    struct out out; /* what is printed; app_flush */
    FILE *spool;    /* app_spool_begin: where what is printed waits */
    bool spooling;
    bool writes;       /* the command changes something */
    bool clock_stands; /* the ledger's clock is `clock`, not the system's */
    jb_instant clock;
    bool output_closed; /* a query's reader had enough: no error */
    struct jb_error err;
};

/* jb_open of app->ledger (and jb_views_open where views is true). False: said on standard error,
 * *ret_exit has the exit code. */
bool app_open(struct app *app, const char *dir, bool write, bool views, int *ret_exit);
void app_close(struct app *app);
/* What the system says of a failed call. */
const char *system_words(int code);
/* JB_E_NOMEM. */
jb_status app_no_memory(struct jb_error *err);
/* "jangbu: ..." on standard error; the exit code that the status means. */
int app_fail(const struct app *app, const struct jb_error *err);
/* "jangbu: ... Try `jangbu help COMMAND`." Always EXIT_USAGE. What is said here and in a table's
 * cells and sentences is looked up by its English format. */
int app_usage(const struct app *app, const char *format, ...) JB_PRINTF(2, 3);
/* False where text is ID:ROLE, as --actor takes it: `what` takes the id alone. That was said. */
bool app_is_person(const struct app *app, const char *what, const char *text);
/* Behind a forget that was done, on standard error: what is to be kept elsewhere now. */
void app_hint_key(const struct app *app);
/* Writes app->out to standard output and empties it. False: the pipe is closed or the disk is full
 * (said once; that a query's reader had enough is not said). */
bool app_flush(struct app *app);
/* The exit code after that failed. */
int app_output_code(const struct app *app);
/* While a snapshot of the ledger is held: what is printed is kept in memory and then in a temporary
 * file, so that a slow reader of standard output does not make the ledger's files grow. */
void app_spool_begin(struct app *app);
/* The snapshot has ended: prints it. False: as app_flush. */
bool app_spool_end(struct app *app);

/* An amount for people: thousands separators, the currency's decimals. buf of 48 bytes; returns
 * buf. */
char *app_amount(const struct app *app, jb_amount amount, char *buf);
/* What somebody typed as an amount, as digits of the minor unit. */
#define AMOUNT_DIGITS 48
enum amount_form {
    AMOUNT_READ,
    AMOUNT_NONE,     /* it is no amount */
    AMOUNT_AMBIGUOUS /* without the decimals that the currency has */
};
enum amount_form amount_digits(const char *text, uint32_t exponent, char ret[AMOUNT_DIGITS]);
/* The same with the ledger's currency. False: said on standard error what is wrong with `name`. */
bool read_amount(const struct app *app, const char *name, const char *text,
                 char ret[AMOUNT_DIGITS]);
/* The caller's id of what e is about, or "" where it has none, or where the state that knows it
 * cannot be read. buf holds JB_ID_BYTES_MAX + 1. */
const char *app_event_id(struct app *app, const struct jb_event *e, char *buf);
/* A time for people, to the second where the rest is 0. buf of JB_INSTANT_TEXT_BYTES. */
char *app_time(const struct app *app, jb_instant t, char *buf);
/* The same to the second, for lines that an event's number tells apart. */
char *app_time_short(const struct app *app, jb_instant t, char *buf);
/* And without the offset, for a column whose header has it: "at (+09:00)". */
char *app_time_cell(const struct app *app, jb_instant t, char *buf);
#define TIME_HEADER_BYTES 64
char *app_time_header(const struct app *app, const char *name, char buf[TIME_HEADER_BYTES]);
/* The figures of a refusal: "available 51,000". */
void app_figures(const struct app *app, struct jb_figures figures, struct out *o);
/* What a policy is set to, as it is typed. buf of 48 bytes; returns buf. */
char *app_policy(const struct app *app, uint32_t policy, int64_t value, char *buf);
/* What an event says beside its amount and its id: "consume: INSUFFICIENT_CASH, available 51,000",
 * "min_charge 2,000 from ...", a day, "channel C1 person #3 MANAGER"; for most nothing. channel:
 * the id of event_channel; NULL: nobody knows it, or there is none. */
void app_event_words(const struct app *app, const struct jb_event *e, const char *channel,
                     struct out *o);
/* The same id, looked up. buf holds JB_ID_BYTES_MAX + 1; returns buf, or NULL. */
const char *app_event_channel(struct app *app, const struct jb_event *e, char *buf);
/* The id of the wallet that e is of, or of that on which a command was refused; "-" for none. buf
 * holds JB_ID_BYTES_MAX + 1. */
const char *app_event_wallet(struct app *app, const struct jb_event *e, char *buf);
/* "as of event 12, 2026-10-31T09:00:00+09:00" */
void app_print_as_of(struct app *app, const struct jb_moment *m);

/* SEQ, TIME or DAY. False: it is none of them. */
bool parse_as_of(const char *text, struct jb_as_of *ret);

/* ---- tables for people: columns line up, also with Hangul ---- */

#define TABLE_COLUMNS_MAX 17
/* Marks a header, which table_new looks up. */
#define COLUMN(text) text
struct table;
/* headers ends with NULL. A header that begins with '>' makes its column right-aligned; with '?' in
 * front of that, the column is left out (and said) where the terminal is too narrow. */
struct table *table_new(const char *const *headers);
void table_cell(struct table *t, const char *text);
void table_cellf(struct table *t, const char *format, ...) JB_PRINTF(2, 3);
void table_number(struct table *t,
                  uint64_t number); /* without separators: of an event, a document */
/* Prints and frees it. */
bool table_has_rows(const struct table *t);
void table_print(struct app *app, struct table *t);
void table_free(struct table *t); /* NULL allowed */
/* A sentence, and the end of its line. On a terminal it is broken at blanks. */
void app_sentence(struct app *app, const char *text);
void app_sentencef(struct app *app, const char *format, ...) JB_PRINTF(2, 3);
/* Columns that a text takes on a terminal. */
size_t display_width(const char *s, size_t n);

/* ---- a bar on a terminal for what takes over a second ---- */

struct progress {
    const char *doing;
    int64_t began_us;
    int64_t shown_us;
    bool terminal; /* there is one to show it on */
    bool shown;
};
void progress_begin(struct progress *p, const char *doing);
/* A jb_progress; data is a struct progress. all 0: not known. */
void progress_show(void *data, uint64_t done, uint64_t all);
void progress_end(struct progress *p);

/* ---- the sub-commands: argv[0] is their last word; options are still to be read ---- */

int cmd_init(struct app *app, int argc, char **argv);
int cmd_apply(struct app *app, int argc, char **argv);
int cmd_one(struct app *app, int argc, char **argv); /* wallet, charge, grant, ...: one command */
/* Whether the next word makes it a command of cmd_one: `channel create`, not `channel LEDGER C`. */
bool is_one(const char *command, int argc, char **argv);
/* The i-th usage line, behind "jangbu COMMAND ", of its forms that are made from the table of ops.
 * False: there are no more. */
bool one_usage(const char *command, unsigned i, char line[400]);
int cmd_balance(struct app *app, int argc, char **argv);
int cmd_cash_status(struct app *app, int argc, char **argv);
int cmd_history(struct app *app, int argc, char **argv);
int cmd_wallets(struct app *app, int argc, char **argv);
int cmd_items(struct app *app, int argc, char **argv); /* lots, grants, refunds */
int cmd_find(struct app *app, int argc, char **argv);
int cmd_events(struct app *app, int argc, char **argv);
int cmd_refused(struct app *app, int argc, char **argv);
int cmd_receipts(struct app *app, int argc, char **argv);
int cmd_report(struct app *app, int argc, char **argv);
int cmd_statement(struct app *app, int argc, char **argv);
int cmd_totals(struct app *app, int argc, char **argv);
int cmd_expiring(struct app *app, int argc, char **argv);
int cmd_explain(struct app *app, int argc, char **argv);
int cmd_who(struct app *app, int argc, char **argv);
int cmd_may(struct app *app, int argc, char **argv);
int cmd_roles(struct app *app, int argc, char **argv);
int cmd_channel(struct app *app, int argc, char **argv);
int cmd_biz(struct app *app, int argc, char **argv);
int cmd_can_delete(struct app *app, int argc, char **argv);
int cmd_invoices(struct app *app, int argc, char **argv);
int cmd_invoice(struct app *app, int argc, char **argv);
int cmd_due(struct app *app, int argc, char **argv);
int cmd_answer(struct app *app, int argc, char **argv);
void print_questions(FILE *to); /* that it answers */
int cmd_log(struct app *app, int argc, char **argv);
int cmd_stat(struct app *app, int argc, char **argv);
int cmd_audit(struct app *app, int argc, char **argv);
int cmd_rebuild(struct app *app, int argc, char **argv);
int cmd_export(struct app *app, int argc, char **argv);
int cmd_people(struct app *app, int argc, char **argv);
int cmd_backup(struct app *app, int argc, char **argv);
int cmd_restore(struct app *app, int argc, char **argv);
int cmd_operator(struct app *app, int argc, char **argv);
int cmd_help(struct app *app, int argc, char **argv);

/* One option of a sub-command; `flag` is set, or `value` gets the argument. */
struct option_row {
    const char *name;
    bool *flag;
    const char **value;
};
/*
 * Reads options anywhere among the arguments, those of app->takes included, and leaves the rest in
 * ret_args[0..*ret_n), which has room for ARGUMENTS_MAX. False: said on standard error.
 */
#define ARGUMENTS_MAX 64
bool read_options(struct app *app, int argc, char **argv, const struct option_row *rows,
                  const char **ret_args, int *ret_n);
bool parse_number(const char *text, uint64_t max, uint64_t *ret);
/* "2026-03": 202603. */
bool parse_month(const char *text, uint32_t *ret);

#endif
