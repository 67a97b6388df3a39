/* jangbu log: the events themselves. */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "event_json.h"
#include "people.h"
#include "process.h"
#include "rows_json.h"

/* How often it is looked whether somebody still reads what is printed. */
#define PIPE_LOOK_US 100000

/* Ids by number, from the events seen that made what has them, else from the state. */
struct ids {
    char (*at)[JB_ID_BYTES_MAX + 1];
    size_t n;
};

static char *
place_of(struct ids *ids, uint64_t number)
{
    if (number >= ids->n) {
        size_t n = ids->n == 0 ? 1024 : ids->n;
        while (n <= number) {
            n *= 2;
        }
        ids->at = realloc(ids->at, n * sizeof *ids->at);
        if (ids->at == NULL) {
            fputs(tr("jangbu: no memory\n"), stderr);
            exit(EXIT_MACHINE);
        }
        memset(ids->at + ids->n, 0, (n - ids->n) * sizeof *ids->at);
        ids->n = n;
    }
    return ids->at[number];
}

/* Whether the event says the id of what it makes: then it is known. */
static bool
says_id(const struct jb_event *e, uint32_t type, char *id)
{
    const struct jb_text own = jb_event_own_id(e);
    if (e->type != type || own.n > JB_ID_BYTES_MAX) {
        return false;
    }
    memcpy(id, own.s, own.n);
    id[own.n] = '\0';
    return true;
}

static const char *
wallet_of(struct app *app, struct ids *ids, const struct jb_event *e)
{
    const uint32_t number = event_wallet(e);
    char *id = place_of(ids, number);
    size_t n = 0;
    if (!says_id(e, JB_EV_WALLET_CREATED, id) && id[0] == '\0' &&
        jb_wallet_id(app->ledger, number, id, &n, &app->err) == JB_OK) {
        id[n] = '\0';
    }
    return id;
}

/* NULL: nobody knows it, and its number is shown. */
static const char *
channel_of(struct app *app, struct ids *ids, const struct jb_event *e)
{
    const uint64_t number = event_channel(e);
    if (number > UINT32_MAX) {
        return NULL;
    }
    char *id = place_of(ids, number);
    size_t n = 0;
    if (!says_id(e, JB_EV_CHANNEL_CREATED, id) && id[0] == '\0' &&
        jb_channel_id(app->ledger, number, id, &n, &app->err) == JB_OK) {
        id[n] = '\0';
    }
    return id[0] != '\0' ? id : NULL;
}

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

/* Which wallet is asked for: its number, and its id for commands that came before it was made. */
struct only {
    uint32_t number;
    struct jb_text id;
};

/* Whether e is an event of that wallet, or the refusal of a command on it. */
static bool
is_of(const struct jb_event *e, const struct only *only)
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
print_event(struct app *app, const struct jb_event *e, const char *wallet, const char *channel)
{
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    char time[JB_INSTANT_TEXT_BYTES], amount[48];
    char line[300];
    int n = snprintf(line, sizeof line, "%6llu  %-25s  %-20s  ", (unsigned long long)e->seq,
                     app_time_short(app, e->recorded_at, time),
                     type != NULL ? type->name : tr("unknown"));
    out_bytes(&app->out, line, (size_t)n);
    if (e->type == JB_EV_COMMAND_REFUSED && wallet == NULL && e->command_refused.wallet_id.n > 0) {
        out_bytes(&app->out, e->command_refused.wallet_id.s, e->command_refused.wallet_id.n);
    } else {
        out_str(&app->out, wallet != NULL ? wallet : "-");
    }
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
    app_event_words(app, e, channel, &words);
    if (words.n > 0) {
        out_str(&app->out, "  ");
        out_bytes(&app->out, words.at, words.n);
    }
    app->out.no_memory |= words.no_memory; /* said when it is printed */
    free(words.at);
    print_posting_day(app, e);
}

static int
print_log(struct app *app, jb_seq from, const struct only *only, bool follow, bool people)
{
    jb_cursor *c;
    struct ids wallets = {0}, channels = {0};
    int code = EXIT_DONE;
    bool nothing_of_it = only != NULL && only->number == 0;
    jb_seq next = from;
    if (jb_cursor_open(app->ledger, from, &c, &app->err) != JB_OK) {
        return app_fail(app, &app->err);
    }
    for (;;) {
        const struct jb_event *e;
        jb_status status = jb_cursor_next(c, &e, &app->err);
        if (status == JB_END) {
            if (!app_flush(app)) {
                code = app_output_code(app);
                break;
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
            code = app_fail(app, &app->err);
            break;
        }
        next = e->seq + 1;
        const char *wallet = event_wallet(e) != 0 ? wallet_of(app, &wallets, e) : NULL;
        const char *channel = event_channel(e) != 0 ? channel_of(app, &channels, e) : NULL;
        if (only != NULL && !is_of(e, only)) {
            continue;
        }
        nothing_of_it = false;
        if (app->json) {
            const struct event_ids ids = {jb_text_of(wallet), jb_text_of(channel)};
            event_json_open(&app->out, e, &ids, app->info.utc_offset_s);
            if (people && people_json(&app->out, app->ledger, e, &app->err) != JB_OK) {
                app_fail(app, &app->err);
                code = EXIT_MACHINE;
                break;
            }
            js_close(&app->out, '}');
            app->out.first = true;
        } else {
            print_event(app, e, wallet, channel);
            if (people && !people_of_event(app, e)) {
                code = EXIT_MACHINE;
                break;
            }
        }
        out_char(&app->out, '\n');
        if (app->out.n > 60000) {
            jb_cursor_rest(c); /* a slow reader of the pipe holds no snapshot */
            if (!app_flush(app)) {
                code = app_output_code(app);
                break;
            }
        }
    }
    jb_cursor_close(c);
    free(wallets.at);
    free(channels.at);
    return code == EXIT_DONE && nothing_of_it ? app_fail(app, &app->err) : code;
}

int
cmd_log(struct app *app, int argc, char **argv)
{
    const char *args[ARGUMENTS_MAX], *from_text = NULL, *wallet = NULL;
    int n, code;
    bool follow = false, people = false;
    uint64_t from = 1;
    const struct option_row options[] = {{"from", NULL, &from_text},
                                         {"wallet", NULL, &wallet},
                                         {"follow", &follow, NULL},
                                         {"people", &people, NULL},
                                         {0}};
    if (!read_options(app, argc, argv, options, args, &n)) {
        return EXIT_USAGE;
    }
    if (n != 1) {
        return app_usage(app, "jangbu log takes one ledger");
    }
    if (from_text != NULL && (!parse_number(from_text, UINT64_MAX / 2, &from) || from == 0)) {
        return app_usage(app, "--from is an event's number, from 1 on, not %s", from_text);
    }
    if (app->has_as_of) {
        return app_usage(app, "the log has no --as-of: its events never change");
    }
    if (!app_open(app, args[0], false, false, &code)) {
        return code;
    }
    struct only only = {0, {wallet, wallet != NULL ? strlen(wallet) : 0}};
    jb_status status =
        wallet != NULL ? jb_wallet_number(app->ledger, only.id, &only.number, &app->err) : JB_OK;
    /* Of a wallet that there is not the log may still have commands that were refused. */
    if (status != JB_OK && status != JB_E_NOTFOUND) {
        return app_fail(app, &app->err);
    }
    return print_log(app, from, wallet != NULL ? &only : NULL, follow, people);
}
