/* What an event says beside its amount and its id, in words for people. */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "event_json.h"

static const char *
known(const char *word)
{
    return word != NULL ? word : "?";
}

static const char *
state_word(uint32_t figure, int64_t value)
{
    const jb_list list = figure == JB_FIG_GRANT_STATE    ? JB_LIST_GRANT_STATE
                         : figure == JB_FIG_REFUND_STATE ? JB_LIST_REFUND_STATE
                                                         : JB_LIST_WALLET_STATUS;
    return known(value >= 0 ? jb_name_word(jb_names_get(list), (uint32_t)value) : NULL);
}

static void
figure_words(const struct app *app, const struct jb_figure *f, struct out *o)
{
    char amount[48], day[JB_DAY_TEXT_BYTES], time[JB_INSTANT_TEXT_BYTES], number[32];
    out_str(o, known(jb_figure_word(f->name)));
    out_char(o, ' ');
    switch (f->name) {
    case JB_FIG_AVAILABLE:
    case JB_FIG_REFUNDABLE:
    case JB_FIG_DEBT:
    case JB_FIG_LEFT:
    case JB_FIG_MIN_CHARGE:
    case JB_FIG_LIMIT:
    case JB_FIG_PAID_NOT_ZERO:
    case JB_FIG_MOST:
        out_str(o, app_amount(app, f->value, amount));
        break;
    case JB_FIG_STATUS:
    case JB_FIG_NOT_OFF:
    case JB_FIG_GRANT_STATE:
    case JB_FIG_REFUND_STATE:
        out_str(o, state_word(f->name, f->value));
        break;
    case JB_FIG_EXPIRES_ON:
    case JB_FIG_FIRST_OPEN_DAY:
        out_str(o, jb_day_print((jb_day)f->value, day));
        break;
    case JB_FIG_NOW:
    case JB_FIG_RECORDED_AT:
        out_str(o, app_time(app, f->value, time));
        break;
    default:
        snprintf(number, sizeof number, "%lld", (long long)f->value);
        out_str(o, number);
    }
}

void
app_figures(const struct app *app, struct jb_figures figures, struct out *o)
{
    for (uint32_t i = 0; i < figures.n; i++) {
        out_str(o, i > 0 ? ", " : "");
        figure_words(app, &figures.at[i], o);
    }
}

char *
app_policy(const struct app *app, uint32_t policy, int64_t value, char *buf)
{
    if (policy == JB_POLICY_DAY_CLOSE) {
        strcpy(buf, value != 0 ? "manual" : "auto"); /* 48 bytes: fits */
    } else if (policy == JB_POLICY_MIN_CHARGE) {
        app_amount(app, value, buf);
    } else {
        snprintf(buf, 48, "%lld", (long long)value);
    }
    return buf;
}

static void
policy_words(const struct app *app, const struct jb_policy_set *p, struct out *o)
{
    char value[48], time[JB_INSTANT_TEXT_BYTES];
    out_str(o, known(jb_name_word(jb_names_get(JB_LIST_POLICY), p->policy)));
    out_char(o, ' ');
    out_str(o, app_policy(app, p->policy, p->value, value));
    if (p->from != JB_NO_INSTANT) { /* else from the beginning */
        char from[100];
        snprintf(from, sizeof from, tr(" from %s"), app_time(app, p->from, time));
        out_str(o, from);
    }
}

static void
refused_words(const struct app *app, const struct jb_command_refused *r, struct out *o)
{
    const struct jb_op_info *op = jb_op_get(r->op);
    out_str(o, op != NULL ? op->name : "?");
    out_str(o, ": ");
    out_str(o, known(jb_code_word(r->code)));
    out_str(o, r->figures.n > 0 ? ", " : "");
    app_figures(app, r->figures, o);
}

void
app_event_words(const struct app *app, const struct jb_event *e, struct out *o)
{
    char day[JB_DAY_TEXT_BYTES];
    switch (e->type) {
    case JB_EV_POLICY_SET:
        policy_words(app, &e->policy_set, o);
        break;
    case JB_EV_DAY_CLOSED:
        out_str(o, jb_day_print(e->day_closed.day, day));
        break;
    case JB_EV_COMMAND_REFUSED:
        refused_words(app, &e->command_refused, o);
        break;
    default:
        break;
    }
}

const char *
app_event_wallet(struct app *app, const struct jb_event *e, char *buf)
{
    const uint32_t number = event_wallet(e);
    size_t n = 0;
    if (number != 0 && jb_wallet_id(app->ledger, number, buf, &n, &app->err) != JB_OK) {
        exit(app_fail(app, &app->err)); /* an id that is left out would be a wrong answer */
    }
    const struct jb_text given = e->command_refused.wallet_id;
    if (number == 0 && e->type == JB_EV_COMMAND_REFUSED && given.n <= JB_ID_BYTES_MAX &&
        given.n > 0) {
        memcpy(buf, given.s, given.n);
        n = given.n;
    }
    buf[n] = '\0';
    return n > 0 ? buf : "-";
}
