/* jangbu log: the events themselves. */
#include <stdlib.h>
#include <string.h>

#include "event_json.h"
#include "ids.h"
#include "lists_json.h"
#include "people.h"
#include "process.h"
#include "query.h"
#include "rows_json.h"

/* How often it is looked whether somebody still reads what is printed. */
#define PIPE_LOOK_US 100000

/* What was refused, and why: of old ones only the op and the code are known. */
static void
print_refused(struct app *app, const struct jb_command_refused *r)
{
    char amount[48];
    const struct jb_op_info *op = jb_op_get(r->op);
    const char *code = jb_code_word(r->code);
    out_str(&app->out, "  ");
    out_str(&app->out, op != NULL ? op->name : "?");
    if (r->amount != 0) {
        out_str(&app->out, "  ");
        out_str(&app->out, app_amount(app, r->amount, amount));
    }
    if (r->id.s != NULL) {
        out_str(&app->out, "  ");
        out_bytes(&app->out, r->id.s, r->id.n);
    }
    out_str(&app->out, "  ");
    out_str(&app->out, code != NULL ? code : "?");
    if (r->figures.n > 0) {
        out_str(&app->out, "  ");
        app_figures(app, r->figures, &app->out);
    }
}

/* Which events are asked for. */
struct only {
    bool
        wallet; /* those of one: its number, and its id for commands that came before it was made */
    uint32_t number;
    struct jb_text id;
    jb_seq first, last; /* both included; last 0: as far as the log goes */
    struct event_types types;
    struct amount_bound min, max;
    bool newest_first;
};

/* Whether e is an event of that wallet, or the refusal of a command on it. */
static bool
is_of_wallet(const struct jb_event *e, const struct only *only)
{
    const struct jb_command_refused *r = &e->command_refused;
    bool refused = e->type == JB_EV_COMMAND_REFUSED && e->version >= 2;
    if (only->number != 0 &&
        (e->wallet == only->number || (refused && r->wallet_no == only->number))) {
        return true;
    }
    return refused && r->wallet_no == 0 && r->wallet_id.n == only->id.n && only->id.n > 0 &&
           memcmp(r->wallet_id.s, only->id.s, only->id.n) == 0;
}

static bool
is_of(const struct jb_event *e, const struct only *only)
{
    const jb_amount amount =
        e->type == JB_EV_COMMAND_REFUSED ? e->command_refused.amount : jb_event_amount(e);
    bool of_type = only->types.n == 0;
    for (uint32_t i = 0; i < only->types.n; i++) {
        of_type |= e->type == only->types.at[i];
    }
    return of_type && (only->min.given == 0 || amount >= only->min.amount) &&
           (only->max.given == 0 || amount <= only->max.amount) &&
           (!only->wallet || is_of_wallet(e, only));
}

/* The day in whose row it counts, where that is not the day on which it was recorded. */
static void
print_posting_day(struct app *app, const struct jb_event *e)
{
    char day[JB_DAY_TEXT_BYTES];
    if (e->posted_on != JB_NO_DAY &&
        (e->recorded_at == JB_NO_INSTANT ||
         e->posted_on != jb_day_of(e->recorded_at, app->info.utc_offset_s))) {
        char posted[64];
        snprintf(posted, sizeof posted, tr("  posted on %s"), jb_day_print(e->posted_on, day));
        out_str(&app->out, posted);
    }
}

static void
print_event(struct app *app, const struct jb_event *e, const struct event_ids *ids)
{
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    char time[JB_INSTANT_TEXT_BYTES], amount[48];
    char line[300];
    int n = snprintf(line, sizeof line, "%6llu  %-25s  %-20s  ", (unsigned long long)e->seq,
                     app_time_short(app, e->recorded_at, time),
                     type != NULL ? type->name : tr("unknown"));
    out_bytes(&app->out, line, (size_t)n);
    const bool refused = e->type == JB_EV_COMMAND_REFUSED && e->command_refused.wallet_id.n > 0;
    const struct jb_text wallet = ids->wallet.s != NULL ? ids->wallet
                                  : refused             ? e->command_refused.wallet_id
                                                        : jb_text_of("-");
    out_bytes(&app->out, wallet.s, wallet.n);
    if (jb_event_amount(e) != 0) {
        out_str(&app->out, "  ");
        out_str(&app->out, app_amount(app, jb_event_amount(e), amount));
    }
    if (e->type == JB_EV_COMMAND_REFUSED) {
        print_refused(app, &e->command_refused);
        return;
    }
    char id[JB_ID_BYTES_MAX + 1];
    if (e->type != JB_EV_WALLET_CREATED && app_event_id(app, e, id)[0] != '\0') {
        out_str(&app->out, "  ");
        out_str(&app->out, id);
    }
    struct out words = {0};
    app_event_words(app, e, ids->channel.s, &words);
    if (words.n > 0) {
        out_str(&app->out, "  ");
        out_bytes(&app->out, words.at, words.n);
    }
    app->out.no_memory |= words.no_memory; /* said when it is printed */
    free(words.at);
    print_posting_day(app, e);
}

/* What is printed, and the ids that were looked up for it. */
struct log {
    struct app *app;
    const struct only *only;
    struct ids ids;
    bool people;
    bool any; /* one was printed */
};

/* False: it cannot be printed, and *ret_code says why. */
static bool
print_one(struct log *log, const struct jb_event *e, int *ret_code)
{
    struct app *app = log->app;
    struct event_ids ids;
    if (ids_of_event(&log->ids, app->ledger, e, &ids, &app->err) != JB_OK) {
        *ret_code = app_fail(app, &app->err);
        return false;
    }
    if (!is_of(e, log->only)) {
        return true;
    }
    log->any = true;
    *ret_code = EXIT_MACHINE;
    if (app->json) {
        event_json_open(&app->out, e, &ids, app->info.utc_offset_s);
        if (log->people && people_json(&app->out, app->ledger, e, &app->err) != JB_OK) {
            app_fail(app, &app->err);
            return false;
        }
        js_close(&app->out, '}');
        app->out.first = true;
    } else {
        print_event(app, e, &ids);
        if (log->people && !people_of_event(app, e)) {
            return false;
        }
    }
    out_char(&app->out, '\n');
    *ret_code = EXIT_DONE;
    return true;
}

/* Lets a full buffer go. A slow reader of the pipe holds no snapshot. */
static bool
pass_on(struct log *log, jb_cursor *c, int *ret_code)
{
    if (log->app->out.n <= 60000) {
        return true;
    }
    jb_cursor_rest(c);
    if (app_flush(log->app)) {
        return true;
    }
    *ret_code = app_output_code(log->app);
    return false;
}

static int
forward(struct log *log, jb_cursor *c, bool follow)
{
    struct app *app = log->app;
    int code = EXIT_DONE;
    for (jb_seq next = log->only->first; log->only->last == 0 || next <= log->only->last;) {
        const struct jb_event *e;
        jb_status status = jb_cursor_next(c, &e, &app->err);
        if (status == JB_END) {
            if (!app_flush(app)) {
                return app_output_code(app);
            }
            if (!follow || process_output_closed()) {
                break;
            }
            status = jb_wait(app->ledger, next - 1, PIPE_LOOK_US, NULL, &app->err);
            if (status == JB_OK || status == JB_END) {
                continue;
            }
        }
        if (status != JB_OK) {
            app_flush(app);
            return app_fail(app, &app->err);
        }
        next = e->seq + 1;
        if (!print_one(log, e, &code) || !pass_on(log, c, &code)) {
            break;
        }
    }
    return code;
}

static int
backward(struct log *log, jb_cursor *c)
{
    struct app *app = log->app;
    int code = EXIT_DONE;
    struct jb_head head = {.size = sizeof head};
    if (jb_head_get(app->ledger, &head, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    const jb_seq last = log->only->last;
    for (jb_seq seq = last != 0 && last < head.seq ? last : head.seq; seq >= log->only->first;
         seq--) {
        const struct jb_event *e;
        if (jb_cursor_at(c, seq, &e, &app->err) != JB_OK) {
            app_flush(app);
            return app_fail(app, &app->err);
        }
        if (!print_one(log, e, &code) || !pass_on(log, c, &code)) {
            break;
        }
    }
    return code;
}

static int
print_log(struct app *app, const struct only *only, bool follow, bool people)
{
    jb_cursor *c;
    struct log log = {.app = app, .only = only, .people = people};
    const struct jb_error no_wallet = app->err;
    if (only->last != 0 && only->first > only->last) {
        return EXIT_DONE;
    }
    if (jb_cursor_open(app->ledger, only->first, &c, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    const int code = only->newest_first ? backward(&log, c) : forward(&log, c, follow);
    jb_cursor_close(c);
    ids_free(&log.ids);
    const bool nothing_of_it = only->wallet && only->number == 0 && !log.any;
    return code == EXIT_DONE && nothing_of_it ? app_fail(app, &no_wallet) : code;
}

/* Whether the log has come to the event before `from`: who polls asks for the next one. False:
 * *ret_code, and it was said. */
static bool
from_is_there(struct app *app, jb_seq from, int *ret_code)
{
    struct jb_head head = {.size = sizeof head};
    *ret_code = EXIT_REFUSED;
    if (jb_head_get(app->ledger, &head, &app->err) != JB_OK) {
        *ret_code = app_fail(app, &app->err);
        return false;
    }
    if (from > head.seq + 1) {
        fprintf(stderr,
                tr("jangbu: there is no event %llu: the log ends with %llu. --follow waits for "
                   "more.\n"),
                (unsigned long long)from, (unsigned long long)head.seq);
        return false;
    }
    return true;
}

/* The options that say which events, as they were typed. */
struct typed {
    const char *from, *wallet, *since, *until, *types, *min, *max;
};

/* A bound as a number of an event: of a time or a day by when events were recorded. */
static jb_status
bound_number(struct app *app, const struct jb_as_of *bound, bool upper, jb_seq *ret)
{
    if (bound->kind == JB_AS_OF_SEQ) {
        *ret = bound->seq;
        return JB_OK;
    }
    jb_instant t = bound->time;
    if (bound->kind == JB_AS_OF_DAY) {
        t = jb_day_start(bound->day + (upper ? 1 : 0), app->info.utc_offset_s);
    }
    t = t <= JB_INSTANT_MIN ? JB_INSTANT_MIN : t > JB_INSTANT_MAX ? JB_INSTANT_MAX : t - 1;
    jb_seq before = 0;
    jb_status status = jb_seq_at_time(app->ledger, t, &before, &app->err);
    *ret = upper ? before : before + 1;
    return status;
}

static jb_status
read_bounds(struct app *app, const struct jb_as_of *since, const struct jb_as_of *until,
            struct only *only)
{
    jb_seq number = 0;
    jb_status status = JB_OK;
    if (since->kind != JB_AS_OF_NOW) {
        status = bound_number(app, since, false, &number);
        only->first = number > only->first ? number : only->first;
    }
    if (status == JB_OK && until->kind != JB_AS_OF_NOW) {
        status = bound_number(app, until, true, &only->last);
        /* Up to nothing is a bound as well. */
        only->first = only->last == 0 ? 2 : only->first;
        only->last = only->last == 0 ? 1 : only->last;
    }
    return status;
}

/* False: *ret_code, and it was said. */
static bool
read_typed(struct app *app, const struct typed *t, struct only *only, int *ret_code)
{
    struct jb_as_of since = {.kind = JB_AS_OF_NOW}, until = {.kind = JB_AS_OF_NOW};
    *ret_code = EXIT_USAGE;
    if (!query_moment(app, "since", t->since, &since) ||
        !query_moment(app, "until", t->until, &until) ||
        !query_amount(app, "min", t->min, &only->min) ||
        !query_amount(app, "max", t->max, &only->max)) {
        return false;
    }
    jb_status status = event_types_read(t->types, &only->types, &app->err);
    status = status == JB_OK ? read_bounds(app, &since, &until, only) : status;
    only->wallet = t->wallet != NULL;
    only->id = jb_text_of(t->wallet);
    if (status == JB_OK && only->wallet) {
        status = jb_wallet_number(app->ledger, only->id, &only->number, &app->err);
        /* Of a wallet that there is not the log may still have commands that were refused. */
        status = status == JB_E_NOTFOUND ? JB_OK : status;
    }
    *ret_code = status == JB_OK ? EXIT_DONE : app_fail(app, &app->err);
    return status == JB_OK;
}

int
cmd_log(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX];
    int n, code;
    bool follow = false, people = false;
    struct typed t = {0};
    struct only only = {.first = 1};
    const struct option_row options[] = {{"from", NULL, &t.from},
                                         {"wallet", NULL, &t.wallet},
                                         {"since", NULL, &t.since},
                                         {"until", NULL, &t.until},
                                         {"type", NULL, &t.types},
                                         {"min", NULL, &t.min},
                                         {"max", NULL, &t.max},
                                         {"newest-first", &only.newest_first, NULL},
                                         {"follow", &follow, NULL},
                                         {"people", &people, NULL},
                                         {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 1) {
        return app_usage(app, "jangbu log takes one ledger");
    }
    if (t.from != NULL && (!parse_number(t.from, UINT64_MAX / 2, &only.first) || only.first == 0)) {
        return app_usage(app, "--from is an event's number, from 1 on, not %s", t.from);
    }
    if (follow && (only.newest_first || t.until != NULL)) {
        return app_usage(app,
                         "--follow goes on with what comes: not with --newest-first or --until");
    }
    if (app->has_as_of) {
        return app_usage(app, "the log has no --as-of: its events never change");
    }
    if (!app_open(app, args[0], false, false, &code) || !read_typed(app, &t, &only, &code)) {
        return code;
    }
    if (t.from != NULL && !follow && !from_is_there(app, only.first, &code)) {
        return code;
    }
    app->pages = !follow;
    return print_log(app, &only, follow, people);
}
