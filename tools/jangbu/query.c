/* What the queries share. */
#include <string.h>

#include "query.h"
#include "rows_json.h"

const struct jb_as_of *
query_as_of(const struct app *app)
{
    return app->has_as_of ? &app->as_of : NULL;
}

struct jb_text
query_text(const char *s)
{
    return (struct jb_text){s, strlen(s)};
}

struct query
query_about(const struct app *app, enum query_kind kind, const char *wallet)
{
    struct query q = query_of(kind);
    q.wallet = jb_text_of(wallet);
    if (app->has_as_of) {
        q.as_of = app->as_of;
    }
    return q;
}

int
query_print(struct app *app, const struct query *q)
{
    const struct asked asked = {app->ledger, app->views, app->info.utc_offset_s};
    if (query_answer(&asked, q, &app->out, &app->err) != JB_OK) {
        app->out.n = 0;
        return app_fail(app, &app->err);
    }
    return EXIT_DONE;
}

bool
query_clock(struct app *app, const char *clock)
{
    if (clock != NULL && strcmp(clock, "at") != 0 && strcmp(clock, "system") != 0) {
        app_usage(app, "--clock is at or system, not %s", clock);
        return false;
    }
    return true;
}

bool
query_stand(struct app *app, const char *clock)
{
    struct jb_head head = JB_SIZED(struct jb_head);
    if (clock == NULL || strcmp(clock, "system") == 0) {
        return true;
    }
    app->clock_stands = true;
    if (jb_head_get(app->ledger, &head, &app->err) != JB_OK) {
        return false;
    }
    app->clock = head.recorded_at != JB_NO_INSTANT ? head.recorded_at : 0;
    return true;
}

bool
query_limit(struct app *app, const char *text, uint64_t *ret)
{
    if (!parse_number(text, JB_PAGE_ROWS_MAX, ret) || *ret == 0) {
        app_usage(app, "--limit is 1 to 10000, not %s", text);
        return false;
    }
    return true;
}

bool
query_page(struct app *app, int argc, char **argv, enum query_kind kind, bool *open,
           struct query *ret, int *ret_code)
{
    const char *args[ARGUMENTS_MAX], *cursor = NULL, *limit_text = "100";
    bool of_wallet = kind != QUERY_WALLETS;
    int n;
    uint64_t limit;
    /* A row without a name ends them. */
    const struct option_row options[] = {{"cursor", NULL, &cursor},
                                         {"limit", NULL, &limit_text},
                                         {open != NULL ? "open" : NULL, open, NULL},
                                         {0}};
    *ret_code = EXIT_USAGE;
    if (!read_options(app, argc, argv, options, args, &n)) {
        return false;
    }
    const bool all = kind == QUERY_REFUNDS && n == 1;
    if (n != (of_wallet ? 2 : 1) && !all) {
        app_usage(
            app, of_wallet ? "jangbu %s takes a ledger and a wallet" : "jangbu %s takes one ledger",
            app->command);
        return false;
    }
    if (!query_limit(app, limit_text, &limit) || !app_open(app, args[0], false, true, ret_code)) {
        return false;
    }
    *ret = query_about(app, kind, of_wallet && !all ? args[1] : NULL);
    ret->cursor = jb_text_of(cursor);
    ret->limit = limit;
    return true;
}

void
query_page_end(struct app *app, const struct jb_moment *m, const char *next)
{
    app_print_as_of(app, m);
    if (next[0] != '\0') {
        out_str(&app->out, tr("more: --cursor "));
        out_str(&app->out, next);
        out_char(&app->out, '\n');
    }
}

void
query_table_end(struct app *app, struct table *t, const char *empty, const struct jb_moment *m,
                const char *next)
{
    if (table_has_rows(t) || next[0] != '\0') {
        table_print(app, t);
    } else {
        table_free(t);
        out_str(&app->out, empty != NULL ? empty : tr("there is nothing to list"));
        out_char(&app->out, '\n');
    }
    query_page_end(app, m, next);
}

void
amount_cell(struct app *app, struct table *t, jb_amount amount)
{
    char buf[48];
    table_cell(t, app_amount(app, amount, buf));
}

bool
name_cell(struct app *app, struct table *t, const char *wallet)
{
    struct wallet_name name;
    if (wallet_name_get(app->ledger, query_text(wallet), &name, &app->err) != JB_OK) {
        return false;
    }
    table_cell(t, name.text[0] != '\0'        ? name.text
                  : name.why == JB_WHY_LOST   ? tr("(damaged)")
                  : name.why == JB_WHY_SEALED ? tr("(sealed)")
                                              : tr("(forgotten)"));
    return true;
}

/* ---- options that several lists have ---- */

bool
query_amount(struct app *app, const char *name, const char *text, struct amount_bound *ret)
{
    char option[24], digits[AMOUNT_DIGITS];
    uint64_t value;
    *ret = (struct amount_bound){0};
    if (text == NULL) {
        return true;
    }
    snprintf(option, sizeof option, "--%s", name);
    if (!read_amount(app, option, text[0] == '-' ? text + 1 : text, digits)) {
        return false;
    }
    if (!parse_number(digits, INT64_MAX, &value)) {
        app_usage(app, "%s is too large: %s", option, text);
        return false;
    }
    ret->given = 1;
    ret->amount = text[0] == '-' ? -(jb_amount)value : (jb_amount)value;
    return true;
}

bool
query_moment(struct app *app, const char *name, const char *text, struct jb_as_of *ret)
{
    if (text == NULL || parse_as_of(text, ret)) {
        return true;
    }
    app_usage(app,
              "--%s takes an event's number, a time like 2026-10-31T09:00:00+09:00, or a day like "
              "2026-10-31; not %s",
              name, text);
    return false;
}

bool
query_day(struct app *app, const char *name, const char *text, jb_day *ret)
{
    if (text == NULL || jb_day_parse(text, strlen(text), ret)) {
        return true;
    }
    app_usage(app, "--%s is a day like 2026-10-31, not %s", name, text);
    return false;
}

bool
query_month(struct app *app, const char *text, uint32_t *ret)
{
    *ret = 0;
    if (text == NULL || parse_month(text, ret)) {
        return true;
    }
    app_usage(app, "--month is a month like 2026-03, not %s", text);
    return false;
}

/* In capitals, as they are shown; typed in any. */
static bool
word_number(jb_list list, const char *text, size_t n, uint32_t *ret)
{
    char word[32];
    if (n >= sizeof word) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        word[i] = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
    }
    return jb_name_number(jb_names_get(list), word, n, ret) && *ret < 32;
}

bool
query_words(struct app *app, const char *name, const char *text, jb_list list, uint32_t *ret)
{
    *ret = 0;
    while (text != NULL) {
        const size_t n = strcspn(text, ",");
        uint32_t number;
        if (!word_number(list, text, n, &number)) {
            const struct jb_names *names = jb_names_get(list);
            char all[200] = "";
            size_t used = 0;
            for (uint32_t i = 1; i < names->n && used < sizeof all; i++) {
                if (names->words[i] != NULL) {
                    used += (size_t)snprintf(all + used, sizeof all - used, "%s%s",
                                             used > 0 ? ", " : "", names->words[i]);
                }
            }
            app_usage(app, "--%s is one of %s, or some with commas between them, not %.40s", name,
                      all, text);
            return false;
        }
        *ret |= 1U << number;
        text = text[n] == ',' ? text + n + 1 : NULL;
    }
    return true;
}
