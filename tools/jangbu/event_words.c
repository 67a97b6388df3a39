/* What an event says beside its amount and its id, in words for people. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "event_json.h"

static const char *
known(const char *word)
{
    return word != NULL ? word : "?";
}

static void
set_words(jb_list list, uint64_t set, struct out *o)
{
    const char *between = "";
    for (uint32_t i = 0; i < 64; i++) {
        if ((set >> i & 1) != 0) {
            out_str(o, between);
            out_str(o, known(jb_name_word(jb_names_get(list), i)));
            between = " ";
        }
    }
    out_str(o, set == 0 ? "none" : "");
}

static void
figure_words(const struct app *app, const struct jb_figure *f, struct out *o)
{
    const struct figure_form form = figure_form(f->name);
    char amount[48], day[JB_DAY_TEXT_BYTES], time[JB_INSTANT_TEXT_BYTES], number[32];
    out_str(o, known(jb_figure_word(f->name)));
    out_char(o, ' ');
    switch (form.kind) {
    case FIGURE_MONEY:
        out_str(o, app_amount(app, f->value, amount));
        break;
    case FIGURE_WORD:
        out_str(o, known(jb_name_word(jb_names_get(form.list), (uint32_t)f->value)));
        break;
    case FIGURE_SET:
        set_words(form.list, (uint64_t)f->value, o);
        break;
    case FIGURE_DAY:
        out_str(o, jb_day_print((jb_day)f->value, day));
        break;
    case FIGURE_INSTANT:
        out_str(o, app_time(app, f->value, time));
        break;
    case FIGURE_NUMBER:
        snprintf(number, sizeof number, "%lld", (long long)f->value);
        out_str(o, number);
        break;
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
    } else if (policy == JB_POLICY_INVOICE_FROM && value <= JB_INVOICE_FROM_ALL) {
        snprintf(buf, 48, "%s", value == JB_INVOICE_FROM_ALL ? tr("always") : tr("none"));
    } else if (policy == JB_POLICY_INVOICE_FROM) {
        snprintf(buf, 48, "%04lld-%02lld", (long long)value / 100, (long long)value % 100);
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

static void
labelled(struct out *o, const char *label, const char *value)
{
    out_str(o, label);
    out_char(o, ' ');
    out_str(o, value);
}

/* A tax month is typed as 2026-03, and so it is printed. */
static void
number_words(const char *field, uint32_t number, char *buf, size_t n)
{
    if (strcmp(field, "month") == 0) {
        snprintf(buf, n, "%04u-%02u", number / 100, number % 100);
    } else {
        snprintf(buf, n, "%u", number);
    }
}

/* One field of an event that moves no money. False: there is nothing to say. */
static bool
field_words(const struct app *app, const struct jb_event *e, const struct jb_field_info *f,
            struct out *o)
{
    const void *at = (const char *)e + f->offset;
    const struct jb_text *text = at;
    char value[48], time[JB_INSTANT_TEXT_BYTES];
    switch ((int)f->kind) {
    case JB_FK_TEXT:
    case JB_FK_OPT_TEXT:
        out_bytes(o, text->s, text->n);
        return text->n > 0;
    case JB_FK_NAME:
        out_str(o, known(jb_name_word(f->names, *(const uint32_t *)at)));
        return true;
    case JB_FK_REF:
        snprintf(value, sizeof value, "#%llu", (unsigned long long)*(const uint64_t *)at);
        break;
    case JB_FK_SEQ:
        snprintf(value, sizeof value, "%llu", (unsigned long long)*(const jb_seq *)at);
        break;
    case JB_FK_UINT:
        number_words(f->name, *(const uint32_t *)at, value, sizeof value);
        break;
    case JB_FK_AMOUNT0:
        app_amount(app, *(const jb_amount *)at, value);
        break;
    case JB_FK_OPT_INSTANT:
        labelled(o, f->name, app_time(app, *(const jb_instant *)at, time));
        return true;
    default:
        return false;
    }
    if (strcmp(value, "#0") == 0 || (f->kind != JB_FK_AMOUNT0 && strcmp(value, "0") == 0)) {
        return false; /* none */
    }
    labelled(o, f->name, value);
    return true;
}

/* "channel C1"; of one that nobody knows the number. False: the event has to do with none. */
static bool
channel_words(const struct jb_event *e, const char *channel, struct out *o)
{
    char number[32];
    if (event_channel(e) == 0 || e->type == JB_EV_CHANNEL_CREATED) {
        return false; /* its id stands where ids stand */
    }
    snprintf(number, sizeof number, "number %llu", (unsigned long long)event_channel(e));
    labelled(o, "channel", channel != NULL ? channel : number);
    return true;
}

static void
who_words(const struct app *app, const struct jb_event *e, const char *channel, struct out *o)
{
    const struct jb_event_type_info *type = jb_event_type_get(e->type);
    const size_t begin = o->n;
    channel_words(e, channel, o);
    const char *own = jb_event_own_id(e).s; /* it stands where ids stand */
    for (uint32_t i = 0; i < type->fields_n; i++) {
        const size_t before = o->n;
        const struct jb_text *text = (const void *)((const char *)e + type->fields[i].offset);
        if (type->fields[i].kind == JB_FK_TEXT && text->s == own) {
            continue;
        }
        if (type->fields[i].offset == offsetof(struct jb_event, forgotten.wallet_no) &&
            e->type == JB_EV_FORGOTTEN) {
            continue; /* its id stands where that of a wallet stands */
        }
        out_str(o, before > begin ? " " : "");
        if (!field_words(app, e, &type->fields[i], o)) {
            o->n = before;
        }
    }
}

void
app_event_words(const struct app *app, const struct jb_event *e, const char *channel, struct out *o)
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
        if (e->type >= JB_EV_ROLE_GIVEN && e->type < JB_EV_TYPES) {
            who_words(app, e, channel, o);
        } else {
            channel_words(e, channel, o);
        }
        break;
    }
}

const char *
app_event_channel(struct app *app, const struct jb_event *e, char *buf)
{
    const uint64_t number = event_channel(e);
    size_t n = 0;
    jb_status status =
        number != 0 ? jb_channel_id(app->ledger, number, buf, &n, &app->err) : JB_E_NOTFOUND;
    if (status != JB_OK && status != JB_E_NOTFOUND) {
        exit(app_fail(app, &app->err)); /* an id that is left out would be a wrong answer */
    }
    buf[n] = '\0';
    return status == JB_OK ? buf : NULL;
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
