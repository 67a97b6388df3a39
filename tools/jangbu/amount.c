/* Amounts as people type them: as they are printed, separators and the currency's decimals
 * included. */
#include <string.h>

#include "app.h"

/* Digits in groups of three behind a comma, or without any. Appends them to digits. */
static bool
whole_part(const char **at, char *digits, size_t *n, size_t cap)
{
    size_t lead = strspn(*at, "0123456789");
    bool grouped = lead <= 3 && (*at)[lead] == ',';
    for (size_t group = lead; group > 0 || grouped;) {
        if (group == 0 || *n + group >= cap) {
            return false;
        }
        memcpy(digits + *n, *at, group);
        *n += group;
        *at += group;
        if (!grouped || **at != ',') {
            return true;
        }
        ++*at;
        group = strspn(*at, "0123456789");
        if (group != 3) {
            return false;
        }
    }
    return false;
}

/* The digits of `text` without zeros in front. */
static void
plain(const char *text, size_t n, char ret[AMOUNT_DIGITS])
{
    while (n > 1 && *text == '0') {
        text++;
        n--;
    }
    memcpy(ret, text, n);
    ret[n] = '\0';
}

enum amount_form
amount_digits(const char *text, uint32_t exponent, char ret[AMOUNT_DIGITS])
{
    char digits[AMOUNT_DIGITS];
    size_t n = 0;
    const char *at = text;
    if (!whole_part(&at, digits, &n, sizeof digits - 8)) {
        return AMOUNT_NONE;
    }
    if (exponent == 0) {
        if (*at != '\0') {
            return AMOUNT_NONE;
        }
        plain(digits, n, ret);
        return AMOUNT_READ;
    }
    if (*at == '\0') {
        return AMOUNT_AMBIGUOUS;
    }
    size_t decimals = *at == '.' ? strspn(at + 1, "0123456789") : 0;
    if (decimals != exponent || at[1 + decimals] != '\0') {
        return AMOUNT_NONE;
    }
    memcpy(digits + n, at + 1, decimals);
    plain(digits, n + decimals, ret);
    return AMOUNT_READ;
}

/* "50,000" as both things that it could be: "50,000.00" and "500.00". */
static void
readings(const struct app *app, const char *text, char whole[64], char minor[48])
{
    char digits[AMOUNT_DIGITS];
    size_t n = 0;
    uint64_t value = 0;
    const char *at = text;
    whole_part(&at, digits, &n, sizeof digits);
    for (size_t i = 0; i < n && value < UINT64_MAX / 20; i++) {
        value = value * 10 + (uint64_t)(digits[i] - '0');
    }
    app_amount(app, (jb_amount)(value & INT64_MAX), minor);
    snprintf(whole, 64, "%.40s.%.*s", text, (int)app->info.exponent, "000000");
}

bool
read_amount(const struct app *app, const char *name, const char *text, char ret[AMOUNT_DIGITS])
{
    char whole[64], minor[48], example[48];
    switch (amount_digits(text, app->info.exponent, ret)) {
    case AMOUNT_READ:
        return true;
    case AMOUNT_AMBIGUOUS:
        readings(app, text, whole, minor);
        app_usage(app, "%s %.40s could be %s or %s %s: write the one that is meant", name, text,
                  whole, minor, app->info.currency);
        return false;
    case AMOUNT_NONE:
        break;
    }
    app_amount(app, 50000, example);
    app_usage(app,
              "%s must be an amount above 0, written as it is printed, like %s, with or without "
              "the separators; not %.40s",
              name, example, text);
    return false;
}
